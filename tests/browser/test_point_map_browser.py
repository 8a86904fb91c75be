"""A map of dots as readers use it: by mouse, by keyboard, on a phone, on paper, without scripts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from browser.test_report_browser import OPEN_ALL, WHOLE_PAGE_RULES, find_violations, has_no_sideways_scroll, wait_until

pytestmark = pytest.mark.browser

# Which of some colours a map shows.
DRAWN = """colours => {
    const canvas = document.querySelector("canvas"), {width, height} = canvas;
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
    const seen = new Set(pixels);
    return colours.filter(colour => {
        const [r, g, b] = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
        return seen.has((255 << 24 | b << 16 | g << 8 | r) >>> 0);
    });
}"""

Open = Callable[..., Any]  # the visit fixture: opens a file, and returns a conftest.Visit


def find(frame: Any, text: str) -> str:
    frame.fill("#find", text)
    frame.press("#find", "Enter")
    return frame.inner_text("#found")


def read_colours(page: Any) -> list[str]:
    return page.eval_on_selector_all(".legend circle", "dots => dots.map(dot => dot.getAttribute('fill'))")


def test_all_bands_are_drawn_and_nothing_is_asked_for(visit: Open, dots_file: Path) -> None:
    opened = visit(dots_file)
    colours = read_colours(opened.page)
    frame = opened.map_frame
    wait_until(frame, "document.querySelector('canvas').width > 300")

    assert len(colours) == 3
    assert frame.evaluate(DRAWN, colours) == colours
    assert [url for url in opened.requests if not url.startswith("data:")] == [dots_file.as_uri()]
    assert opened.complaints == []


# The share of pixels that have a colour in a square about a place of the canvas.
SHARE = """([colour, x, y, half]) => {
    const ratio = window.devicePixelRatio, page = document.querySelector("canvas").getContext("2d");
    const {data} = page.getImageData((x - half) * ratio, (y - half) * ratio, 2 * half * ratio, 2 * half * ratio);
    const wanted = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
    let alike = 0;
    for (let at = 0; at < data.length; at += 4) alike += wanted.every((part, one) => data[at + one] === part);
    return alike / (data.length / 4);
}"""


@pytest.mark.parametrize("zoomed_out", [0, 2, 4])
def test_where_dots_are_densest_the_highest_band_covers_all_others_at_any_zoom(
    visit: Open, dense_dots_file: Path, zoomed_out: int
) -> None:
    opened = visit(dense_dots_file)
    frame = opened.map_frame
    wait_until(frame, "document.querySelector('canvas').width > 300")
    find(frame, "ZZ3")  # the town's, which is then in view
    for _ in range(zoomed_out):
        frame.press("#map", "-")
    box = frame.locator("#map").bounding_box()
    highest = read_colours(opened.page)[-1]
    share = frame.evaluate(SHARE, [highest, box["width"] / 2, box["height"] / 2, 12])
    assert share > 0.6  # close up there are digits


@pytest.mark.parametrize("typed", ["ZZ1 2AX", "zz12ax"])
def test_a_postcode_is_found_by_keyboard_however_it_is_typed(visit: Open, dots_file: Path, typed: str) -> None:
    frame = visit(dots_file).map_frame

    assert find(frame, typed) == "ZZ1 2AX. Band: 2; Share (%): 12.0; 95% interval: 120% to 121%."
    assert frame.locator(".leaflet-popup-content th").all_inner_texts() == [
        "Postcode",
        "Band",
        "Share (%)",
        "95% interval",
    ]
    frame.press("#find", "Escape")
    assert frame.locator(".leaflet-popup").count() == 0
    assert frame.evaluate("document.activeElement.id") == "find"


def test_the_beginning_of_postcodes_is_looked_at_and_a_wrong_one_is_told(visit: Open, dots_file: Path) -> None:
    frame = visit(dots_file).map_frame

    assert find(frame, "ZZ2 3") == "10 postcodes begin so, and are in view. Type more of the name."
    assert find(frame, "AA1 1AA") == "There is no postcode of that name on this map."
    assert find(frame, "") == ""


def test_a_dot_says_what_it_is_and_how_many_more_are_there(visit: Open, dots_file: Path) -> None:
    opened = visit(dots_file)
    frame = opened.map_frame
    find(frame, "ZZ1 5AX")
    frame.press("#find", "Escape")
    box = frame.locator("#map").bounding_box()
    opened.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    wait_until(frame, "document.querySelector('.leaflet-popup caption') !== null")
    assert frame.inner_text(".leaflet-popup caption") == "1 postcode more at this spot"
    assert "ZZ1 5" in frame.inner_text(".leaflet-popup-content")


def test_one_band_can_be_shown_alone(visit: Open, dots_file: Path) -> None:
    opened = visit(dots_file)
    colours = read_colours(opened.page)
    frame = opened.map_frame

    frame.select_option("#show", label="3: highest")
    assert frame.evaluate(DRAWN, colours) == colours[2:]
    assert frame.inner_text("#found") == "Shown: 3: highest (100 postcodes)."
    frame.select_option("#show", label="all bands")
    assert frame.evaluate(DRAWN, colours) == colours
    assert frame.inner_text("#found") == "All bands shown (300 postcodes)."


def test_the_map_is_moved_and_left_by_keyboard(visit: Open, dots_file: Path) -> None:
    opened = visit(dots_file)
    frame = opened.map_frame
    stops = []
    frame.focus("#find")
    for _ in range(4):
        opened.page.keyboard.press("Tab")
        stops.append(frame.evaluate("document.activeElement.ariaLabel || document.activeElement.id"))
    assert stops[0] == "show"
    assert stops[1].startswith("Map: Postcodes by band. Arrow keys move it")
    assert stops[2:] == ["Zoom in", "Zoom out"]

    find(frame, "ZZ1 2AX")
    frame.focus("#map")
    before = frame.evaluate("document.querySelector('.leaflet-map-pane').style.transform")
    frame.press("#map", "ArrowRight")
    assert frame.evaluate("document.querySelector('.leaflet-map-pane').style.transform") != before


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_no_fault_and_nothing_scrolls_sideways(visit: Open, dots_file: Path, width: int) -> None:
    opened = visit(dots_file, width)
    frame = opened.map_frame
    find(frame, "ZZ1 2AX")
    opened.page.evaluate(OPEN_ALL)

    assert find_violations(opened.page) == []
    assert find_violations(frame, without=WHOLE_PAGE_RULES) == []
    assert has_no_sideways_scroll(opened.page)
    assert has_no_sideways_scroll(frame)


def test_without_scripts_and_on_paper_there_is_the_still_map(visit: Open, dots_file: Path) -> None:
    page = visit(dots_file, java_script_enabled=False).page
    assert page.locator("details.still-map img").is_visible()
    assert not page.locator("iframe").is_visible()
    assert not page.get_by_text("Close up").is_visible()

    printed = visit(dots_file).page
    printed.emulate_media(media="print")
    assert printed.locator("details.still-map img").is_visible()
    assert not printed.locator("iframe").is_visible()


def test_the_picture_and_the_number_of_places_can_be_downloaded(visit: Open, dots_file: Path) -> None:
    page = visit(dots_file).page
    page.locator(".still-map > summary").click()
    picture, data = (link.get_attribute("href") for link in page.locator(".figure-downloads a").all())

    assert "3: highest (100 postcodes)" in unquote(picture)
    assert unquote(data).endswith("band,places\r\n1: lowest,100\r\n2,100\r\n3: highest,100\r\n")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Picture (PNG)").click()
    assert waiting.value.suggested_filename == "figure-1-postcodes-by-band-synthetic.png"
