"""Figures, tables and maps as readers use them: by keyboard, in large print, in few colours, without scripts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import matplotlib.image
import numpy as np
import pytest

from browser.test_report_browser import wait_until

pytestmark = pytest.mark.browser

OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
SMALLEST_TARGET = 24  # CSS pixels, WCAG 2.2, 2.5.8
# WCAG 2.2, 1.4.12
SPACED_TEXT = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
SPACED_TEXT += " p { margin-bottom: 2em !important; }"
STOPS = "a[href], button, input, select, summary, iframe, [tabindex='0']"
IN_TAB_ORDER = """stops => [...document.querySelectorAll(stops)]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && one.tabIndex >= 0 && !one.ariaHidden)
    .map(one => one.dataset.stop = [...document.querySelectorAll("*")].indexOf(one))"""
READ_STOP = """() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    const labels = one.labels ? [...one.labels].map(label => label.textContent).join(" ") : "";
    return {
        place: one === document.body ? null : Number(one.dataset.stop),
        tag: one.tagName,
        name: (one.ariaLabel || labels || one.title || one.textContent).trim(),
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    };
}"""
WORDS = "p, li, th, td, caption, figcaption, summary, label, button, option, dd, dt"
CUT_OFF = """words => [...document.querySelectorAll(words)]
    .filter(one => !one.closest(".visually-hidden") && one.checkVisibility())
    .filter(one => getComputedStyle(one).overflow !== "visible")
    .filter(one => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
    .map(one => one.textContent.trim())"""

Open = Callable[..., Any]  # the visit fixture: opens a file, and returns a conftest.Visit


@pytest.fixture
def visit(visit: Open) -> Open:
    """Open a page with all its folds open, as tables and downloads are inside them."""

    def open_unfolded(*options: Any, **named: Any) -> Any:
        opened = visit(*options, **named)
        opened.page.evaluate(OPEN_ALL)
        return opened

    return open_unfolded


def find_table(page: Any) -> Any:
    return page.locator("table", has_text="Places to sort")


def read_column(page: Any, number: int) -> list[str]:
    return find_table(page).locator(f"tbody tr > :nth-child({number})").all_inner_texts()


def read_status(page: Any) -> str:
    return page.locator("main > [role=status]").inner_text()


def has_no_sideways_scroll(frame: Any) -> bool:
    return bool(frame.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def read_map_place(frame: Any) -> str:
    return frame.evaluate("document.querySelector('.leaflet-map-pane').style.transform")


def press_tab(page: Any, frame: Any, before: dict[str, Any], key: str = "Tab") -> dict[str, Any]:
    """Move the focus, and wait until it has come to its next stop: a frame may be a process of its own."""
    page.keyboard.press(key)
    for _ in range(100):
        stop = page.evaluate(READ_STOP) | {"inside": False}
        if stop["tag"] == "IFRAME":
            stop = frame.evaluate(READ_STOP) | {"inside": True}
        if stop["tag"] != "BODY" and stop != before:
            break
        page.wait_for_timeout(20)
    return stop


def test_figures_and_tables_are_numbered_in_order(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page

    assert page.locator("figcaption").all_inner_texts() == [
        "Figure 1. Trend",
        "Figure 2. Bars",
        "Figure 3. Odds",
        "Figure 4. Points",
        "Figure 5. Map",
    ]
    assert page.locator("figure#figure-5 iframe").count() == 1
    captions = page.locator("table:not(figure table) caption > span:first-child").all_text_contents()
    assert [caption.split(".")[0] for caption in captions] == [f"Table {one + 1}" for one in range(len(captions))]


def test_pictures_and_data_are_downloaded_without_scripts(visit: Open, report_file: Path, tmp_path: Path) -> None:
    page = visit(report_file, java_script_enabled=False).page
    assert page.locator("figure button").count() == 0

    kept = {}
    for link in page.locator("#figure-1 a[download], #figure-5 a[download]").all():
        with page.expect_download() as waiting:
            link.click()
        kept[waiting.value.suggested_filename] = Path(waiting.value.path()).read_text(encoding="utf-8")

    assert list(kept) == [
        "figure-1-trend-synthetic.svg",
        "figure-1-trend-synthetic.csv",
        "figure-5-map-synthetic.svg",
        "figure-5-map-synthetic.csv",
    ]
    assert kept["figure-1-trend-synthetic.svg"].startswith("<svg ")
    assert kept["figure-5-map-synthetic.csv"].startswith("name,pct,homes,map_class\nDover 000A,")


@pytest.mark.parametrize("figure", ["figure-1", "figure-4", "figure-5"])
def test_a_picture_is_made_into_a_png_of_twice_its_size(
    visit: Open, report_file: Path, tmp_path: Path, figure: str
) -> None:
    opened = visit(report_file)
    with opened.page.expect_download() as waiting:
        opened.page.locator(f"#{figure}").get_by_role("button", name="Picture (PNG)").click()
    waiting.value.save_as(tmp_path / "picture.png")
    pixels = matplotlib.image.imread(tmp_path / "picture.png")

    assert waiting.value.suggested_filename.startswith(figure)
    assert waiting.value.suggested_filename.endswith("-synthetic.png")
    assert pixels.shape[1] == 1440
    assert len(np.unique((pixels[::4, ::4, :3] * 7).round().reshape(-1, 3), axis=0)) > 5
    assert opened.complaints == []


def test_words_of_a_downloaded_picture_stay_inside_it(visit: Open, report_file: Path, tmp_path: Path) -> None:
    page = visit(report_file).page
    links = page.eval_on_selector_all("a[data-picture]", "links => links.map(link => link.href)")
    for number, link in enumerate(links):
        file = tmp_path / f"{number}.svg"
        file.write_text(unquote(link).removeprefix("data:image/svg+xml,"), encoding="utf-8")
        picture = visit(file).page
        outside = picture.evaluate(
            """() => {
                const page = document.documentElement.getBoundingClientRect();
                return [...document.querySelectorAll("text")].filter(one => {
                    const box = one.getBoundingClientRect();
                    return box.left < page.left || box.right > page.right || box.bottom > page.bottom || box.top < 0;
                }).map(one => one.textContent);
            }"""
        )

        assert picture.locator("text").count() > 3
        assert outside == []


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("place", ["Élan", "ward 1", "Ward 9", "Ward 10"], ["Ward 10", "Ward 9", "ward 1", "Élan"]),
        ("Change, homes", ["−1,200", "950", "20,000", "n/a"], ["20,000", "950", "−1,200", "n/a"]),
        ("share", ["−3%", "9.5%", "10%", "n/a"], ["10%", "9.5%", "−3%", "n/a"]),
        (
            "since",
            ["31 December 2025", "15 January 2026", "1 February 2026", "n/a"],
            ["1 February 2026", "15 January 2026", "31 December 2025", "n/a"],
        ),
    ],
)
def test_a_table_is_sorted_by_what_its_cells_mean_and_back(
    visit: Open, report_file: Path, column: str, first: list[str], second: list[str]
) -> None:
    page = visit(report_file).page
    number = ["place", "Change, homes", "share", "since"].index(column) + 1
    header = find_table(page).locator(f"thead th:nth-child({number})")
    unsorted = read_column(page, number)

    header.get_by_role("button", name=column).click()
    assert read_column(page, number) == first
    assert header.get_attribute("aria-sort") == "ascending"
    header.get_by_role("button").click()
    assert read_column(page, number) == second
    assert header.get_attribute("aria-sort") == "descending"
    header.get_by_role("button").click()
    assert read_column(page, number) == unsorted
    assert header.get_attribute("aria-sort") is None


def test_a_table_is_sorted_by_keyboard_and_says_so(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page
    find_table(page).get_by_role("button", name="place").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert read_column(page, 1) == ["Ward 10", "Ward 9", "ward 1", "Élan"]
    assert read_status(page).endswith("Places to sort: sorted by Change, homes, ascending.")
    page.keyboard.press("Space")
    assert read_status(page).endswith("sorted by Change, homes, descending.")
    assert page.evaluate("document.activeElement.textContent") == "Change, homes"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert find_table(page).locator("[aria-sort]").all_inner_texts() == ["place"]
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert read_status(page).endswith("Places to sort: rows in their first order.")


def test_a_sort_keeps_rows_whole_and_equal_rows_in_order(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page
    table = page.locator("#figure-1 table")
    rows = table.locator("tbody tr").all_inner_texts()
    table.get_by_role("button", name="place").click()

    assert table.locator("tbody tr").all_inner_texts() == rows[6:] + rows[:6]


def test_short_tables_and_pages_without_scripts_have_plain_headers(visit: Open, report_file: Path) -> None:
    short = visit(report_file).page.locator("table", has_text="Where the figures come from")
    assert short.locator("tbody tr").count() == 2
    assert short.locator("button").count() == 0

    still = visit(report_file, java_script_enabled=False).page
    assert find_table(still).locator("thead th").all_inner_texts() == ["place", "Change, homes", "share", "since"]
    assert still.locator("th button").count() == 0


def test_paper_shows_no_controls(visit: Open, report_file: Path) -> None:
    page = visit(report_file).page
    page.emulate_media(media="print")

    assert not page.locator(".figure-downloads").first.is_visible()
    assert not page.locator(".sort svg").first.is_visible()
    assert find_table(page).locator("thead th").nth(1).inner_text() == "Change, homes"
    assert page.locator(".legend .swatch").first.is_visible()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_tab_key_walks_the_whole_page_in_order_and_each_stop_is_named_and_seen(
    visit: Open, report_file: Path, width: int
) -> None:
    opened = visit(report_file, width, reduced_motion="reduce")
    page, frame = opened.page, opened.map_frame
    page.evaluate(OPEN_ALL)
    page.evaluate("scrollTo(0, 0)")
    expected, inside = page.evaluate(IN_TAB_ORDER, STOPS), frame.evaluate(IN_TAB_ORDER, STOPS)
    expected.remove(page.evaluate("Number(document.querySelector('iframe').dataset.stop)"))  # its inside has the stops
    walked, walked_inside, tags = [], [], []
    stop: dict[str, Any] = {}
    for _ in range(len(expected) + len(inside)):
        stop = press_tab(page, frame, stop)
        assert stop["name"], stop
        assert stop["outlined"], stop
        assert stop["seen"], stop
        (walked_inside if stop["inside"] else walked).append(stop["place"])
        tags.append(stop["tag"])

    assert walked == expected
    assert walked_inside == inside
    assert len(inside) == 5
    assert {"SUMMARY", "BUTTON", "INPUT", "SELECT", "A"} <= set(tags)
    assert press_tab(page, frame, stop, "Shift+Tab")["place"] == expected[-2]


def test_escape_closes_what_an_area_says_and_returns_the_focus(visit: Open, report_file: Path) -> None:
    frame = visit(report_file).map_frame
    frame.fill("#find", "Dover 042A")
    frame.press("#find", "Enter")
    frame.press("#find", "Escape")
    assert frame.locator(".leaflet-popup").count() == 0
    assert frame.evaluate("document.activeElement.id") == "find"

    frame.press("#find", "Enter")
    frame.locator(".leaflet-popup-close-button").focus()
    frame.press(".leaflet-popup-close-button", "Escape")
    assert frame.locator(".leaflet-popup").count() == 0
    assert frame.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Map: Map")


def test_closing_what_an_area_says_keeps_the_focus_in_the_map(visit: Open, report_file: Path) -> None:
    frame = visit(report_file).map_frame
    frame.fill("#find", "Dover 042A")
    frame.press("#find", "Enter")
    frame.focus(".leaflet-popup-close-button")
    frame.press(".leaflet-popup-close-button", "Enter")

    assert frame.locator(".leaflet-popup").count() == 0
    assert frame.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Map: Map")


def test_one_class_can_be_shown_alone(visit: Open, report_file: Path) -> None:
    frame = visit(report_file).map_frame
    count = "kept => [...document.querySelectorAll('path.leaflet-interactive')]"
    count += ".filter(one => getComputedStyle(one).fillOpacity === '1').length"

    frame.select_option("#show", label="no figure")
    assert frame.evaluate(count) == 1
    assert frame.inner_text("#found") == "Areas shown: no figure (1)."
    frame.select_option("#show", label="all areas")
    assert frame.evaluate(count) == 60
    assert frame.inner_text("#found") == "All areas shown (60)."


def test_nothing_in_the_map_glides_or_moves_by_itself(visit: Open, report_file: Path) -> None:
    page = visit(report_file)
    frame = page.map_frame
    wait_until(frame, "document.querySelector('.leaflet-overlay-pane g').getBoundingClientRect().width > 200")
    place = read_map_place(frame)
    page.page.wait_for_timeout(400)
    assert read_map_place(frame) == place

    frame.fill("#find", "Dover 042A")
    frame.press("#find", "Enter")
    frame.focus(".leaflet-container")
    place = read_map_place(frame)
    frame.press(".leaflet-container", "ArrowRight")
    moved = read_map_place(frame)
    assert moved != place
    assert frame.evaluate("document.getAnimations().length") == 0
    page.page.wait_for_timeout(400)
    assert read_map_place(frame) == moved


@pytest.mark.parametrize("width", [1280, 320])
def test_targets_are_large_enough(visit: Open, report_file: Path, width: int) -> None:
    opened = visit(report_file, width)
    frame = opened.map_frame
    frame.fill("#find", "Dover 042A")
    frame.press("#find", "Enter")
    opened.page.evaluate(OPEN_ALL)
    measure = "(all, least) => all.map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])"
    measure += ".filter(([, box]) => box.width && Math.min(box.width, box.height) < least).map(([html]) => html)"

    controls = "main button, main summary, .figure-downloads a, main input, main select"
    assert opened.page.eval_on_selector_all(controls, measure, SMALLEST_TARGET) == []
    assert frame.eval_on_selector_all("input, select, a", measure, SMALLEST_TARGET) == []


@pytest.mark.parametrize("size", [(1280, 900), (320, 256)])
def test_wider_text_spacing_loses_nothing(visit: Open, report_file: Path, size: tuple[int, int]) -> None:
    opened = visit(report_file)
    opened.page.set_viewport_size({"width": size[0], "height": size[1]})
    frame = opened.map_frame
    for one in (opened.page, frame):
        one.evaluate(OPEN_ALL)
        one.add_style_tag(content=SPACED_TEXT)

        assert has_no_sideways_scroll(one)
        assert one.evaluate(CUT_OFF, WORDS) == []
    assert frame.locator(".folium-map").bounding_box()["height"] > 150


def test_few_colours_leave_the_map_and_its_legend_their_own(visit: Open, report_file: Path) -> None:
    opened = visit(report_file, forced_colors="active")
    frame = opened.map_frame
    frame.fill("#find", "Dover 042A")
    frame.press("#find", "Enter")
    fills = opened.page.eval_on_selector_all(
        ".legend .swatch > path:first-child",
        "all => all.map(one => [getComputedStyle(one).fill, one.getAttribute('fill')])",
    )
    rgb = [f"rgb({', '.join(str(int(wanted[place : place + 2], 16)) for place in (1, 3, 5))})" for _, wanted in fills]

    assert len(set(rgb)) == 6
    assert [shown for shown, _ in fills] == rgb
    drawn = frame.eval_on_selector_all("path.leaflet-interactive", "all => all.map(one => getComputedStyle(one).fill)")
    assert set(drawn) == {*(one for number, one in enumerate(rgb) if number in (0, 2, 4))} | {
        'url("#class-1")',
        'url("#class-3")',
        'url("#no-value")',
    }
    border = "getComputedStyle(document.querySelector('.leaflet-popup-content-wrapper')).borderTopStyle"
    assert frame.evaluate(border) == "solid"
