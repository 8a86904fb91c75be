"""What a reader meets: the report opened from disk, with the network off."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A frame is a part of its page: title, main landmark and first heading are the page's, so these rules are not for it.
WHOLE_PAGE_RULES = ["landmark-one-main", "page-has-heading-one", "region", "bypass"]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"

Open = Callable[..., Any]  # the visit fixture: opens a file, and returns a conftest.Visit


def find_violations(frame: Any, without: list[str] | None = None) -> list[str]:
    """Run axe-core in a page or a frame, not in those within; what passes is not sent, as that is most of it."""
    base = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    frame.evaluate(base.AXE_SCRIPT)
    options = {"runOnly": RULES, "rules": {rule: {"enabled": False} for rule in without or []}}
    options |= {"resultTypes": ["violations"], "iframes": False}  # axe is not there, and would be waited for
    found = frame.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def wait_until(page: Any, expression: str, arg: Any = None) -> None:
    """Wait for a page to be so; Playwright's own way evaluates a text inside the page, which its policy forbids."""
    for _ in range(400):  # 20 seconds, as a machine may be busy
        if page.evaluate(expression, arg):
            return
        time.sleep(0.05)
    raise AssertionError(f"never became true: {expression}")


def has_no_sideways_scroll(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_the_browser_would_refuse_to_load_anything_else(visit: Open, report_file: Path) -> None:
    opened = visit(report_file)
    refused = opened.page.evaluate(
        """() => new Promise(resolve => {
            document.addEventListener("securitypolicyviolation", event => resolve(event.effectiveDirective));
            new Image().src = "https://www.example.org/a.png";
        })"""
    )

    assert refused == "img-src"


def test_every_area_is_drawn_in_the_map_and_fills_it(visit: Open, report_file: Path, area_count: int) -> None:
    frame = visit(report_file).map_frame
    wait_until(frame, "document.querySelector('.leaflet-overlay-pane g').getBoundingClientRect().width > 200")

    assert frame.locator("path.leaflet-interactive").count() == area_count
    fills = frame.evaluate(
        "[...document.querySelectorAll('path.leaflet-interactive')].map(one => one.getAttribute('fill'))"
    )
    assert len(set(fills)) == 6
    assert fills.count("url(#no-value)") == 1


def test_an_area_is_found_by_keyboard(visit: Open, report_file: Path) -> None:
    frame = visit(report_file).map_frame

    frame.focus("#find")
    frame.press("#find", "Tab")
    frame.press("#show", "Tab")
    assert frame.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Map: Map")
    frame.fill("#find", "dover 05")
    frame.press("#find", "Enter")
    assert frame.inner_text("#found") == "10 areas have that in their names, and are in view. Type more of the name."
    frame.fill("#find", "dover 042a")
    frame.press("#find", "Enter")
    assert frame.inner_text("#found").startswith("Dover 042A: Rate ")
    assert "Dover 042A" in frame.inner_text(".leaflet-popup-content")
    frame.fill("#find", "Atlantis")
    frame.press("#find", "Enter")
    assert frame.inner_text("#found") == "There is no area of that name on this map."


@pytest.mark.parametrize(("width", "drawn_for"), [(1280, "img"), (320, "source")])
def test_pictures_are_loaded_in_the_size_that_fits_the_page(
    visit: Open, report_file: Path, width: int, drawn_for: str
) -> None:
    page = visit(report_file, width).page
    page.evaluate(OPEN_ALL)
    wait_until(page, "[...document.images].every(one => one.complete)")
    sizes = page.evaluate("[...document.images].map(one => [one.naturalWidth, one.clientWidth])")
    chosen = page.evaluate(
        """kind => [...document.querySelectorAll("picture")].map(one => {
            const wanted = one.querySelector(kind);
            return one.querySelector("img").currentSrc === (wanted.srcset || wanted.src);
        })""",
        drawn_for,
    )

    assert len(sizes) == 5
    assert all(natural > 0 and 250 < shown <= width for natural, shown in sizes)
    assert chosen == [True] * 4


def test_tables_have_captions_and_headers(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page

    assert page.locator("table").count() == page.locator("table > caption").count() == 7
    assert page.locator("th:not([scope])").count() == 0


def test_a_wide_table_can_be_scrolled_by_keyboard(visit: Open, report_file: Path) -> None:
    page = visit(report_file, 320).page
    page.evaluate(OPEN_ALL)
    region = page.get_by_role("region", name="Table 1")
    wait_until(page, "one => one.tabIndex === 0", region.element_handle())
    region.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")

    wait_until(page, "one => one.scrollLeft > 0", region.element_handle())


def test_the_first_tab_stop_skips_to_the_content(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def test_the_report_is_readable_without_scripts(visit: Open, report_file: Path) -> None:
    page = visit(report_file, java_script_enabled=False).page

    for text in ("Warm homes in North", "12 homes", "Modelled, not counted."):
        assert page.get_by_text(text).first.is_visible()
    assert page.locator("details.still-map img").is_visible()
    assert not page.locator("iframe").is_visible()


def test_a_browser_that_cannot_unpack_a_map_shows_the_still_one(visit: Open, report_file: Path) -> None:
    opened = visit(report_file, first="delete window.DecompressionStream")
    opened.page.locator("iframe").scroll_into_view_if_needed()

    wait_until(opened.page, "document.querySelector('iframe').hidden")
    assert opened.page.locator("details.still-map img").is_visible()
    assert opened.complaints == []


def test_paper_shows_the_still_map_and_no_code(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page
    page.emulate_media(media="print")

    assert page.locator("details.still-map img").is_visible()
    assert not page.locator("iframe").is_visible()
    assert not page.locator(".code").first.is_visible()
    assert page.get_by_text("Synthetic figures.", exact=True).is_visible()


def test_axe_finds_no_fault_in_the_map(visit: Open, report_file: Path) -> None:
    frame = visit(report_file).map_frame
    frame.fill("#find", "Dover 042A")
    frame.press("#find", "Enter")

    assert find_violations(frame, without=WHOLE_PAGE_RULES) == []
