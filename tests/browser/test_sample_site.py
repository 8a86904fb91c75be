"""The site that a new user gets from `make run`, opened from disk with the network off."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from rdflib import DCAT, RDF, Graph

from browser.test_report_browser import OPEN_ALL, WHOLE_PAGE_RULES, find_violations, wait_until
from councilbook.catalogue import load_catalogue
from councilbook.fuel_poverty.postcodes import bands
from councilbook.gate.written.packages import read_package
from councilbook.pages.page import PAGE_BYTES
from councilbook.paths import Workbook

pytestmark = pytest.mark.browser

REPORT = "fuel_poverty/kent_medway/sample/index.html"
RATES = "business_rates/north_lanarkshire/sample/index.html"
CAREERS, CULTURE = "careers/doncaster/sample/index.html", "culture/waltham_forest/sample/index.html"
LAYOUTS = ("layout-kid_households.html", "layout-rates_ledger.html")
DATASET = "fuel_poverty/kent_medway/sample/data/postcode_fuel_poverty/index.html"
AROUND = ("index.html", "data.html", "sources.html", "search.html", "accessibility.html")
PAGES = (*AROUND, REPORT, RATES, DATASET, *LAYOUTS)


def test_the_report_has_its_map_charts_and_tables_and_asks_for_nothing(
    visit: Callable[..., Any], sample: Workbook
) -> None:
    file = sample.reports / REPORT
    opened = visit(file)
    assert opened.map_frame.locator("path.leaflet-interactive").count() == 1064
    opened.page.evaluate(OPEN_ALL)
    charts = opened.page.locator("figure picture img")
    assert charts.count() == 9
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        assert chart.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert opened.page.locator("main table caption").count() == opened.page.locator("main table").count() > 5
    assert opened.requests == [file.as_uri()]
    assert opened.complaints == []


# The names that are seen on a map, and those of them that lie over another or under the buttons.
NAMES = """() => {
    const names = [...document.querySelectorAll(".region span")];
    const seen = names.map(one => [one.textContent, one.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
    const zoom = document.querySelector(".leaflet-control-zoom");
    const boxes = [...seen.map(([, box]) => box), zoom.getBoundingClientRect()];
    const over = seen.filter(([, one]) => boxes.some(box => box !== one &&
        box.left < one.right && one.left < box.right && box.top < one.bottom && one.top < box.bottom));
    return [seen.map(([name]) => name), over.map(([name]) => name)];
}"""


@pytest.mark.parametrize("report", [REPORT, CULTURE])
def test_no_name_on_a_map_lies_over_another(visit: Callable[..., Any], sample: Workbook, report: str) -> None:
    frame = visit(sample.reports / report).map_frame
    wait_until(frame, "document.querySelector('.leaflet-overlay-pane g').getBoundingClientRect().width > 200")
    far, over = frame.evaluate(NAMES)
    assert len(far) > 5 and over == []
    if report == REPORT:
        areas = pd.read_csv(next((sample.reports / REPORT).parent.glob("data/area_fuel_poverty/*.csv")))
        assert set(far) <= set(areas["lad22_name"])  # towns are named close up alone
    for _ in range(2):
        frame.click(".leaflet-control-zoom-in")
    near, over = frame.evaluate(NAMES)
    assert set(near) - set(far) and over == []


def test_every_postcode_is_on_a_map_of_the_report_and_tells_its_band(
    visit: Callable[..., Any], sample: Workbook
) -> None:
    opened = visit(sample.reports / REPORT)
    listed = pd.read_csv(next((sample.reports / REPORT).parent.glob("data/postcode_fuel_poverty/*.csv")))
    element = opened.page.query_selector("figure.point-map iframe")
    element.scroll_into_view_if_needed()
    frame = element.content_frame()
    frame.wait_for_selector("canvas", state="attached")

    for row in (listed.iloc[0], listed.iloc[len(listed) // 2], listed.iloc[-1]):
        frame.fill("#find", row["postcode"].lower())
        frame.press("#find", "Enter")
        assert frame.inner_text("#found") == (
            f"{row['postcode']}. Band: {bands.BANDS[row['band']]}; Estimated in fuel poverty (%): "
            f"{row['fuel_poor_pct']:.1f}; 95% interval: {row['low_95']:.1f}% to {row['high_95']:.1f}%."
        )
    for width in (1280, 320):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert find_violations(frame, without=WHOLE_PAGE_RULES) == []
    assert opened.complaints == []


def test_the_report_says_first_that_it_is_synthetic_and_what_it_found(
    visit: Callable[..., Any], sample: Workbook
) -> None:
    page = visit(sample.reports / REPORT).page
    assert page.locator("text=Synthetic figures").first.is_visible()
    assert "71,609 of 812,386 households" in page.locator("section.summary").inner_text()


def test_the_index_leads_to_the_report_and_every_link_of_the_site_works(
    visit: Callable[..., Any], sample: Workbook
) -> None:
    reports = sample.reports
    read = "links => links.map(link => link.getAttribute('href'))"
    links = {name: visit(reports / name).page.eval_on_selector_all("a[href]", read) for name in PAGES}
    for name, addresses in links.items():
        folder = (reports / name).parent
        for address in (one for one in addresses if not one.startswith(("http", "data:"))):
            file, _, place = address.partition("#")
            target = folder / file if file else reports / name
            assert target.is_file(), (name, address)
            assert not place or f'id="{place}"' in target.read_text(encoding="utf-8"), (name, address)
    assert REPORT in links["index.html"]
    assert len([one for one in links[REPORT] if one.startswith("data/")]) > 6


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_fault_scrolls_sideways_or_asks_for_anything(
    visit: Callable[..., Any], sample: Workbook, name: str, width: int
) -> None:
    opened = visit(sample.reports / name, width)
    opened.page.evaluate(OPEN_ALL)
    opened.draw_maps()

    assert find_violations(opened.page) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in opened.requests if not url.startswith("data:")] == [(sample.reports / name).as_uri()]
    assert opened.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_small(sample: Workbook, name: str) -> None:
    assert (sample.reports / name).stat().st_size < PAGE_BYTES


def test_the_report_is_found_by_its_headings(visit: Callable[..., Any], sample: Workbook) -> None:
    page = visit(sample.reports / "search.html").page
    page.fill("#words", "cannot tell kent")
    page.press("#words", "Enter")

    assert page.locator("#results a").first.get_attribute("href") == f"{REPORT}#what-this-cannot-tell"


def test_the_data_page_holds_the_dcat_record_of_every_dataset(visit: Callable[..., Any], sample: Workbook) -> None:
    graph, entries = Graph(), 0
    for file in sorted(sample.reports.glob("data*.html")):  # one, or one a place where there are very many
        page = visit(file).page
        record = page.locator('script[type="application/ld+json"]').text_content()
        graph.parse(data=record, format="json-ld", publicID="https://a.example/")
        entries += page.locator(".entry").count()
    files = {str(file).removeprefix("https://a.example/") for file in graph.objects(None, DCAT.downloadURL)}

    catalogue = load_catalogue(sample)
    notebooks = [notebook for study in catalogue.studies.values() for notebook in study.notebooks.values()]
    released = [name for notebook in notebooks for name in notebook.releases]
    public = [dataset for dataset in map(catalogue.dataset, released) if dataset.classification == "open"]
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == entries == len(public)
    packages = [read_package(file.parent) for file in sample.processed.glob("*/*/*/*/datapackage.json")]
    assert len(files) == sum(len(package["resources"]) for package in packages)
    assert all((sample.reports / file).is_file() for file in files)


@pytest.mark.parametrize("name", [REPORT, RATES, CAREERS, CULTURE])
def test_a_report_is_short_and_opens_what_is_asked_for(visit: Callable[..., Any], sample: Workbook, name: str) -> None:
    page = visit(sample.reports / name).page
    page.set_viewport_size({"width": 1280, "height": 800})
    stops = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, summary, iframe, [tabindex='0']")]
            .filter(one => one.tabIndex >= 0 && one.checkVisibility()).length"""
    )
    assert page.evaluate("document.documentElement.scrollHeight") <= 10_500
    assert stops < 80
    assert page.locator("#find-place").is_visible() and page.locator(".lead-picture img").is_visible()

    assert not page.locator(".code:visible").count()
    page.check("#show-code")
    assert page.locator(".code:visible").count() > 20
    page.evaluate("location.hash = '#sources'")
    wait_until(page, "document.getElementById('sources').closest('details').open")
    printed = page.locator("thead th").all_inner_texts()
    assert not [one for one in printed if "_" in one]


def test_an_area_is_found_from_the_first_screen(visit: Callable[..., Any], sample: Workbook) -> None:
    opened = visit(sample.reports / REPORT)
    page = opened.page
    listed = pd.read_csv(next((sample.reports / REPORT).parent.glob("data/postcode_fuel_poverty/*.csv")))
    postcode, town = listed["postcode"].iloc[7], listed["lad22_name"].iloc[7]
    for text, found in ((postcode.lower(), postcode), (town.lower(), f"{town}. "), ("zz9", "is not on the maps")):
        page.fill("#find-place-words", text)
        page.press("#find-place-words", "Enter")
        wait_until(page, "found => document.getElementById('find-place-found').innerText.includes(found)", found)
    assert opened.complaints == []
