"""The site that a new user gets from `make run`, opened from disk with the network off."""

from collections.abc import Callable
from typing import Any

import pytest

from councilbook.paths import Workbook

pytestmark = pytest.mark.browser

REPORT = "fuel_poverty/kent_medway/index.html"


def test_the_report_has_its_map_charts_and_tables_and_asks_for_nothing(
    visit: Callable[..., Any], sample: Workbook
) -> None:
    file = sample.reports / REPORT
    opened = visit(file)
    assert opened.map_frame.locator("path.leaflet-interactive").count() == 1064
    charts = opened.page.locator("figure picture img")
    assert charts.count() == 4
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        assert chart.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert opened.page.locator("main table caption").count() == opened.page.locator("main table").count() > 5
    assert opened.requests == [file.as_uri()]
    assert opened.complaints == []


def test_the_report_says_first_that_it_is_synthetic_and_what_it_found(
    visit: Callable[..., Any], sample: Workbook
) -> None:
    page = visit(sample.reports / REPORT).page
    assert page.locator("text=Synthetic figures").first.is_visible()
    assert "89,335 of 782,357 households" in page.locator("text=Key findings").locator("xpath=..").inner_text()


def test_the_index_leads_to_the_report_and_every_download_is_there(visit: Callable[..., Any], sample: Workbook) -> None:
    index = sample.reports / "index.html"
    read = "links => links.map(link => link.getAttribute('href'))"
    links = visit(index).page.eval_on_selector_all("main a", read)
    assert REPORT in links
    report = sample.reports / REPORT
    more = visit(report).page.eval_on_selector_all(
        "a[href^='data/']", "links => links.map(l => l.getAttribute('href'))"
    )
    assert len(more) > 6
    for folder, names in ((index.parent, links), (report.parent, more)):
        for name in (name for name in names if not name.startswith(("#", "http", "data:"))):
            assert (folder / name).exists(), name


@pytest.mark.parametrize("width", [320, 1280])
def test_neither_page_scrolls_sideways(visit: Callable[..., Any], sample: Workbook, width: int) -> None:
    for name in ("index.html", REPORT):
        page = visit(sample.reports / name, width).page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
