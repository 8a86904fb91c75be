"""Maps of dots: what the page adds up again is where the places are and what is said of them."""

import base64
import io
import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from councilbook.errors import CouncilbookError
from councilbook.pages.maps import drawn_map, offline_page, point_maps
from councilbook.pages.page import pack_frame

MAP = {
    "title": "Bands",
    "alt": "Most places of the higher band lie in the west.",
    "words": {1: "1: lower", 2: "2: higher"},
    "region": "district",
    "name": "postcode",
    "details": {"pct": ("Share (%)", ".1f"), "told": ("Interval", "")},
    "noun": "postcode",
}


def make_dots(count=400, seed=1):
    """Postcodes in twos that share what is said of them; a quarter of them in the higher band."""
    chance = np.random.default_rng(seed)
    x, y = np.repeat(chance.uniform([[0.5], [51.1]], [[0.7], [51.3]], (2, count // 2)), 2, axis=1)
    pairs = np.arange(count) // 2
    table = {
        "postcode": [f"ZZ{one // 90} {one // 9 % 10}{'ABDEFGHJL'[one % 9]}X" for one in range(count)],
        "band": np.where(pairs < count * 3 // 8, 1, 2),
        "pct": pairs / 10,
        "told": [f"{one}% to {one + 1}%" for one in pairs],
    }
    noise = chance.normal(0, 0.001, (2, count))
    dots = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x + noise[0], y + noise[1], crs=4326))
    return dots.sample(frac=1, random_state=seed)


@pytest.fixture
def dots():
    return make_dots()


@pytest.fixture
def ground():
    halves = [shapely.box(0.45, 51.05, 0.6, 51.35), shapely.box(0.6, 51.05, 0.75, 51.35)]
    return gpd.GeoDataFrame({"district": ["West", "East"]}, geometry=halves, crs=4326)


def read_places(document):
    """Add up what a map holds, as its own script does."""
    data = json.loads(re.search(r"data = (\{.*?\});\n", document).group(1))
    name, newest, at, last, rows = "", -1, (0, 0), {}, []
    for change, back, x, y in zip(data["names"], data["facts"], data["x"], data["y"], strict=True):
        name = name[: len(name) - ord(change[0]) + 48] + change[1:]
        fact = newest + 1 - back
        newest = max(newest, fact)
        start = last.get(fact, at)
        at = last[fact] = (start[0] + x, start[1] + y)
        told = [column[fact] for column in data["details"]]
        rows.append((name, data["bands"][fact], *told, at[0] / point_maps.STEPS, at[1] / point_maps.STEPS))
    return pd.DataFrame(rows, columns=["postcode", "order", "pct", "told", "longitude", "latitude"])


def read_picture(svg):
    data = re.search(r"data:image/png;base64,([^\"]+)", svg).group(1)
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_what_the_page_adds_up_is_where_the_places_are_and_what_is_said_of_them(dots, ground):
    found = read_places(point_maps.draw_point_map(dots, "band", areas=ground, **MAP).document)
    wanted = dots.sort_values("postcode", ignore_index=True)

    assert found["postcode"].tolist() == wanted["postcode"].tolist()
    assert (found["order"] + 1).tolist() == wanted["band"].tolist()
    assert found["pct"].tolist() == [f"{one:.1f}" for one in wanted["pct"]]
    assert found["told"].tolist() == wanted["told"].tolist()
    assert (found["longitude"] - wanted.geometry.x).abs().max() <= 0.5001 / point_maps.STEPS
    assert (found["latitude"] - wanted.geometry.y).abs().max() <= 0.5001 / point_maps.STEPS


@given(st.lists(st.text(st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"]), max_size=60)))
def test_shortened_names_can_be_read_again(names):
    read, last = [], ""
    for change in point_maps.shorten_names(names):
        last = last[: len(last) - ord(change[0]) + 48] + change[1:]
        read.append(last)
    assert read == names


def test_a_place_more_costs_a_page_a_few_bytes(ground):
    few, many = (
        len(pack_frame(point_maps.draw_point_map(make_dots(count), "band", areas=ground, **MAP).document))
        for count in (400, 4400)
    )
    assert (many - few) / 4000 < 12


def test_the_legend_says_how_many_are_in_each_band_and_how_they_are_drawn(dots, ground):
    drawn = point_maps.draw_point_map(dots, "band", areas=ground, **MAP)
    page = BeautifulSoup(drawn._repr_html_(), "html.parser")

    assert drawn.data.to_dict("list") == {"band": ["1: lower", "2: higher"], "places": [300, 100]}
    words = [" ".join(item.get_text().split()) for item in page.select(".legend li")]
    assert words == ["1: lower (300 postcodes)", "2: higher (100 postcodes)"]
    radii = [float(dot["r"]) for dot in page.select(".legend circle")]
    assert radii == sorted(radii)
    assert radii[0] < radii[1]


def test_a_band_without_a_dot_is_still_named_and_one_dot_is_not_many(dots, ground):
    drawn = point_maps.draw_point_map(dots.head(1).assign(band=1), "band", areas=ground, **MAP)
    assert [one.counted for one in drawn.legend] == ["1 postcode", "0 postcodes"]
    assert "2: higher" in drawn.document


def test_the_still_map_has_few_colours_and_the_higher_band_on_top(dots, ground):
    place = shapely.Point(0.6, 51.2)
    dots = pd.concat([dots.iloc[:2].assign(band=[2, 1]), dots.iloc[2:].assign(band=1)]).set_geometry(
        [place, place, *[shapely.Point(0.5, 51.1)] * (len(dots) - 2)], crs=4326
    )
    drawn = point_maps.draw_point_map(dots, "band", areas=ground, **MAP)
    picture = read_picture(drawn.svg)
    low, high = (ImageColor.getrgb(one.shade.colour) for one in drawn.legend)

    assert picture.mode == "P"
    assert picture.width == drawn_map.STATIC_WIDTH * point_maps.STILL_SCALE
    assert picture.info["transparency"] == 0
    pixels = picture.convert("RGB")
    assert pixels.getpixel((picture.width // 2, picture.height // 2)) == high
    assert {colour for _, colour in pixels.getcolors()} == {low, high, (255, 255, 255)}
    assert len(drawn.svg) < 20_000


def test_regions_are_drawn_and_named(dots, ground):
    document = point_maps.draw_point_map(dots, "band", areas=ground, **MAP).document
    regions = json.loads(re.search(r"regions = (\{.*?\}), data", document).group(1))["features"]

    assert [one["properties"]["name"] for one in regions] == ["East", "West"]
    for one in regions:
        outline, (latitude, longitude) = shapely.geometry.shape(one["geometry"]), one["properties"]["at"]
        assert outline.contains(shapely.Point(longitude, latitude))


def test_towns_are_named_in_the_middle_of_their_places(dots, ground):
    x, y = dots.geometry.x, dots.geometry.y
    corners = [(x < 0.55) & (y < 51.15), (x > 0.65) & (y > 51.25)]
    named = dots.assign(town=np.select(corners, ["Westham", "Easton"], "All over the county"))
    towns = point_maps.gather_towns(named, "town")
    assert sorted(towns["name"]) == ["Easton", "Westham"]
    west = towns[towns["name"] == "Westham"].to_crs(4326).geometry.iloc[0]
    assert (0.5 < west.x < 0.55) and (51.1 < west.y < 51.15)
    one = point_maps.draw_point_map(dots, "band", areas=ground.assign(district="All"), towns=towns, **MAP)
    assert set(re.findall(r"<text [^>]*>(\w+)</text>", one.svg)) == {"Easton", "Westham"}
    assert '"name": "Westham"' in one.document
    two = point_maps.draw_point_map(dots, "band", areas=ground, towns=towns, **MAP)
    assert set(re.findall(r"<text [^>]*>(\w+)</text>", two.svg)) == {"West", "East"}


def test_the_map_asks_for_nothing_and_the_same_dots_make_the_same_bytes(dots, ground):
    first, second = (point_maps.draw_point_map(one, "band", areas=ground, **MAP) for one in (dots, dots[::-1]))

    assert not BeautifulSoup(first.document, "html.parser").find_all(["link", "img"])
    assert set(re.findall(r"https?://[^\s\"'<>)]+", first.document)) <= offline_page.HARMLESS_ADDRESSES
    assert first._repr_html_() == second._repr_html_()


def test_the_map_can_be_used_by_keyboard_and_read_without_sight(dots, ground):
    drawn = point_maps.draw_point_map(dots, "band", areas=ground, **MAP)
    page, frame = BeautifulSoup(drawn._repr_html_(), "html.parser"), BeautifulSoup(drawn.document, "html.parser")

    assert page.iframe["title"] == "Interactive map: Bands"
    assert page.iframe["srcdoc"] == drawn.document
    assert page.select_one("details.still-map img")["alt"] == MAP["alt"]
    assert frame.html["lang"] == "en-GB"
    assert frame.find("label", attrs={"for": "find"}).get_text() == "Find a postcode"
    assert [one.get_text() for one in frame.select("option")] == ["all bands", "1: lower", "2: higher"]


def test_a_name_cannot_bring_code_into_the_page(dots, ground):
    dots = dots.assign(postcode=["</script><img src=x onerror=alert(1)>", *dots["postcode"].iloc[1:]])
    drawn = point_maps.draw_point_map(dots, "band", areas=ground, **MAP)

    assert BeautifulSoup(drawn.document, "html.parser").find("img") is None
    assert "</script><img src=x onerror=alert(1)>" in read_places(drawn.document)["postcode"].tolist()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda dots: dots.assign(band=3), "no words for band 3"),
        (lambda dots: dots.set_crs(None, allow_override=True), "coordinate reference system"),
        (lambda dots: dots.head(0), "no places to draw"),
        (lambda dots: dots.assign(postcode=["zz1 1aa", "ZZ11AA"] * 200), "a name of its own in 'postcode'"),
    ],
)
def test_dots_that_cannot_be_drawn_are_told(dots, ground, spoil, message):
    with pytest.raises(CouncilbookError, match=message):
        point_maps.draw_point_map(spoil(dots), "band", areas=ground, **MAP)


def test_a_map_without_a_description_is_refused(dots, ground):
    with pytest.raises(CouncilbookError, match="no description"):
        point_maps.draw_point_map(dots, "band", areas=ground, **(MAP | {"alt": "A map."}))


def test_few_places_get_dots_that_are_seen_and_many_get_dots_that_are_told_apart(ground):
    """Thirty venues were specks of a pixel; at 20,000 postcodes dots of that size would be one blot."""
    few, more, many = (
        point_maps._choose_radius(count, ground.to_crs(drawn_map.NATIONAL_GRID)) for count in (30, 100, 20_000)
    )
    west, _, east, _ = ground.to_crs(drawn_map.NATIONAL_GRID).total_bounds
    pixels = few / np.sqrt((east - west) / drawn_map.STATIC_WIDTH)
    assert 6 < pixels < 14
    assert few > more > many == point_maps.RADIUS
