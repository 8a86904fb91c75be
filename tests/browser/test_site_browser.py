"""What a reader meets on the pages around the reports, opened from disk with the network off."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.test_report_browser import OPEN_ALL, find_violations, has_no_sideways_scroll, wait_until

pytestmark = pytest.mark.browser

PAGES = (
    "index.html",
    "data.html",
    "sources.html",
    "search.html",
    "accessibility.html",
    "warmth/north/sample/index.html",
    "warmth/south/sample/index.html",
    "layout-clients.html",
    "warmth/north/sample/data/homes/index.html",
)
AROUND = PAGES[:5]
NAVIGATION = ["Councilbook", "Reports", "Data", "Sources", "Search", "Accessibility"]

Open = Callable[..., Any]  # the visit fixture: opens a file, and returns a conftest.Visit


def read_focus(page: Any) -> str:
    """Return the words or the name of what has the focus."""
    words: str = page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
    return words


def read_results(page: Any) -> list[str]:
    found: list[str] = page.locator("#results li a").all_inner_texts()
    return found


def type_query(page: Any, words: str) -> str:
    """Type into the search, and return what the live region says."""
    page.fill("#words", words)
    page.press("#words", "Enter")
    said: str = page.inner_text("#found")
    return said


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_fault_or_loses_anything(visit: Open, site: Path, name: str, width: int) -> None:
    opened = visit(site / name, width)
    opened.page.evaluate(OPEN_ALL)
    opened.draw_maps()

    assert find_violations(opened.page) == []
    assert all(map(has_no_sideways_scroll, opened.page.frames))
    assert [url for url in opened.requests if not url.startswith("data:")] == [(site / name).as_uri()]
    assert opened.complaints == []


def test_search_results_have_no_fault_either(visit: Open, site: Path) -> None:
    page = visit(site / "search.html", 320).page
    type_query(page, "homes")

    assert len(read_results(page)) > 5
    assert find_violations(page) == []
    assert has_no_sideways_scroll(page)


def test_zooming_to_400_percent_loses_nothing(visit: Open, site: Path) -> None:
    page = visit(site / "sources.html", 1280).page
    page.evaluate("document.documentElement.style.zoom = 4")

    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    for name in NAVIGATION:
        assert page.get_by_role("link", name=name, exact=True).first.is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_meets_the_header_in_the_same_order_everywhere(visit: Open, site: Path, name: str) -> None:
    page = visit(site / name).page
    met = []
    for _ in range(9):
        page.keyboard.press("Tab")
        met.append(read_focus(page))

    assert met[:7] == ["Skip to the content", *NAVIGATION]
    assert met[7:] == (["Reports", "words"] if name == "search.html" else ["site-search", "Search"])


def test_what_has_the_focus_can_be_seen(visit: Open, site: Path) -> None:
    page = visit(site / "index.html").page
    for _ in range(9):
        page.keyboard.press("Tab")
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


@pytest.mark.parametrize("name", ["index.html", "warmth/north/sample/index.html"])
def test_words_typed_in_any_header_are_searched_for(visit: Open, site: Path, name: str) -> None:
    opened = visit(site / name, within=site)
    opened.page.focus("#site-search")
    opened.page.keyboard.type("How SURE")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**/search.html?q=How+SURE")

    assert opened.page.input_value("#words") == "How SURE"
    assert opened.page.inner_text("#found") == "2 places found."
    assert read_results(opened.page) == ["How sure are we"] * 2
    assert opened.complaints == []


def test_the_search_ignores_case_and_accents_and_takes_beginnings(visit: Open, site: Path) -> None:
    page = visit(site / "search.html").page

    assert type_query(page, "CAFE") == "2 places found."
    assert read_results(page) == ["Warm homes in South, café by café", "How to cite this page"]
    assert type_query(page, "mod cou south") == "1 place found."
    assert type_query(page, "sure north") == "1 place found."
    assert type_query(page, "zzz sure") == "Nothing found. Try fewer words, or the beginning of one."
    assert type_query(page, "") == ""
    assert read_results(page) == []


def test_headings_come_before_text_and_datasets_and_sources_are_found(visit: Open, site: Path) -> None:
    page = visit(site / "search.html").page

    type_query(page, "held back")
    assert read_results(page)[:2] == ["What was held back, and why"] * 2
    type_query(page, "clients")
    assert {"Clients", "Clients of the housing team"} <= set(read_results(page))


def test_every_result_leads_to_a_place_that_is_there(visit: Open, site: Path) -> None:
    page = visit(site / "search.html").page
    type_query(page, "h")
    addresses = page.eval_on_selector_all("#results a", "links => links.map(link => link.getAttribute('href'))")

    assert len(addresses) > 10
    for address in addresses:
        file, _, place = address.partition("#")
        assert f'id="{place}"' in (site / file).read_text(encoding="utf-8") or not place, address


def test_a_search_can_be_sent_as_a_link(visit: Open, site: Path) -> None:
    opened = visit(site / "search.html", within=site)
    type_query(opened.page, "held back")
    address = opened.page.url
    opened.page.goto("about:blank")
    opened.page.goto(address)

    assert address.endswith("search.html#q=held%20back")
    assert opened.page.input_value("#words") == "held back"
    assert read_results(opened.page)


def test_a_result_is_reached_by_keyboard(visit: Open, site: Path) -> None:
    opened = visit(site / "search.html", within=site)
    opened.page.focus("#words")
    opened.page.keyboard.type("how sure")
    opened.page.keyboard.press("Enter")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**/warmth/north/sample/index.html#how-sure-are-we")

    assert opened.page.locator("#how-sure-are-we").is_visible()


def test_a_box_hides_the_sources_that_were_not_asked_for(visit: Open, site: Path) -> None:
    page = visit(site / "sources.html").page
    page.fill("#find", "housing")
    wait_until(page, "document.getElementById('found').textContent")

    assert page.inner_text("#found") == "1 of 4 shown"
    assert page.locator(".entry:visible h3").all_inner_texts() == ["Clients of the housing team"]
    assert page.locator("h2:visible").all_inner_texts() == ["The data spectrum", "Closed"]


def test_a_draft_says_so_first_and_offers_nothing_that_waits(visit: Open, site: Path) -> None:
    page = visit(site / "warmth/south/sample/index.html").page

    assert page.locator(".data-banner-draft").inner_text().startswith("Draft: waits for approval by the Information")
    assert page.locator(".downloads a").all_inner_texts()[0].startswith("CSV")
    assert "clients.csv" not in page.content()
    assert not (site / "warmth/south/sample/data/clients").exists()


@pytest.mark.parametrize("name", AROUND)
def test_pages_are_whole_without_scripts(visit: Open, site: Path, name: str) -> None:
    page = visit(site / name, java_script_enabled=False).page

    assert page.locator("h1").is_visible()
    assert page.locator(".site-nav a").count() == 5
    assert not page.locator(".finder").first.is_visible()
    assert page.locator("main [hidden]:not(.finder)").count() == 0


def test_without_scripts_the_search_is_a_map_of_the_site(visit: Open, site: Path) -> None:
    page = visit(site / "search.html", java_script_enabled=False).page
    page.locator(".site-map summary").first.click()

    assert page.get_by_text("Without scripts this page cannot search.").is_visible()
    assert page.locator('a[href="warmth/north/sample/index.html#how-sure-are-we"]').is_visible()


def test_a_copied_site_goes_on_working(visit: Open, site: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(site, tmp_path / "elsewhere"))
    opened = visit(copied / "index.html", within=copied)
    opened.page.click("text=Warm homes, North")
    opened.page.wait_for_url("**/elsewhere/warmth/north/sample/index.html")
    opened.page.click("nav >> text=Data")
    opened.page.wait_for_url("**/elsewhere/data.html")

    assert opened.complaints == []
