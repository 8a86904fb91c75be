import json
import re
from itertools import combinations, pairwise
from urllib.parse import unquote

import geopandas as gpd
import numpy as np
import pytest
import shapely
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from councilbook.errors import CouncilbookError
from councilbook.pages.maps import area_maps, drawn_map, offline_page, shades

WORDS = {
    "title": "Fuel poverty by area",
    "alt": "The rate rises from the west to the east.",
    "name": "name",
    "details": {"pct": ("In fuel poverty", ",.1f"), "homes": ("Homes", ",d")},
    "unit": "%",
}
# How red, green and blue light are seen without the cones for one colour (Machado, Oliveira and Fernandes 2009, "A
# Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1.0).
SEEN = {
    "all colours": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def measure_luminance(colour: str, seen: str = "all colours") -> float:
    """WCAG 2.2, definition of relative luminance."""
    rgb = np.array(to_rgb(colour))
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float((SEEN[seen] @ light).clip(0, 1) @ [0.2126, 0.7152, 0.0722])


def measure_contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    dark, light = sorted([measure_luminance(one), measure_luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def areas() -> gpd.GeoDataFrame:
    """Thirty squares of 2 km in Kent, one with a hole and one without a value."""
    squares = [
        shapely.box(600_000 + 2000 * column, 150_000 + 2000 * row, 602_000 + 2000 * column, 152_000 + 2000 * row)
        for column in range(6)
        for row in range(5)
    ]
    squares[7] = squares[7].difference(shapely.Point(603_000, 155_000).buffer(300))
    frame = gpd.GeoDataFrame(
        {"name": [f"Area {one:02d}" for one in range(30)], "pct": np.arange(30) + 0.5, "homes": range(500, 530)},
        geometry=squares,
        crs=drawn_map.NATIONAL_GRID,
    )
    frame.loc[4, "pct"] = np.nan
    return frame.to_crs(drawn_map.WGS84)


def read_features(document: str) -> list[dict]:
    return json.loads(re.search(r"_add\((\{.*?\})\);", document, re.DOTALL).group(1))["features"]


def decode(features: list[dict]) -> list[shapely.MultiPolygon]:
    """Add up the steps between vertices, as the map's own script does."""
    place = np.zeros(2)
    outlines = []
    for feature in features:
        polygons = []
        for polygon in feature["geometry"]["coordinates"]:
            rings = []
            for steps in polygon:
                ring = place + np.cumsum(np.array(steps), axis=0)
                place = ring[-1]
                rings.append(ring / area_maps.DEGREE)
            polygons.append(shapely.Polygon(rings[0], rings[1:]))
        outlines.append(shapely.MultiPolygon(polygons))
    return outlines


def test_the_steps_add_up_to_the_outlines(areas: gpd.GeoDataFrame) -> None:
    outlines = gpd.GeoSeries(
        decode(read_features(area_maps.draw_area_map(areas, "pct", **WORDS).document)), crs=drawn_map.WGS84
    )
    difference = outlines.to_crs(drawn_map.NATIONAL_GRID).symmetric_difference(
        areas.to_crs(drawn_map.NATIONAL_GRID).geometry
    )

    assert difference.area.max() < 25_000  # of 4,000,000 square metres


def test_neighbours_keep_a_common_border() -> None:
    """A border that wiggles is simplified on both sides alike, even where a vertex is missing on one side."""
    wiggle = [(500_000 + 40 * np.sin(y), 100_000 + 20 * y) for y in np.arange(0, 200, 0.5)]
    left = shapely.Polygon([*wiggle, (490_000, 104_000), (490_000, 100_000)])
    right = shapely.Polygon([*wiggle, (510_000, 104_000), (510_000, 100_000)])
    frame = (
        gpd.GeoDataFrame(geometry=[left, right], crs=drawn_map.NATIONAL_GRID)
        .to_crs(drawn_map.WGS84)
        .to_crs(drawn_map.NATIONAL_GRID)
    )

    simple = drawn_map.simplify_outlines(frame, area_maps.TOLERANCES_METRES, 100).geometry

    assert simple.count_coordinates().sum() <= 100
    assert simple.iloc[0].intersection(simple.iloc[1]).area == 0
    assert simple.union_all().interiors[:] == []
    assert simple.union_all().area == pytest.approx(simple.area.sum())


def test_the_legend_says_what_the_map_shows(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS, classes=3)
    classes = [feature["properties"]["c"] for feature in read_features(drawn.document)]

    assert [one.words for one in drawn.legend] == ["under 10.8%", "10.8% to under 20.2%", "20.2% or more", "no figure"]
    assert [one.count for one in drawn.legend] == [classes.count(one) for one in (0, 1, 2, -1)] == [10, 9, 10, 1]
    soup = BeautifulSoup(drawn._repr_html_(), "html.parser")
    assert [" ".join(item.get_text().split()) for item in soup.select(".legend li")][-1] == "no figure (1 area)"


def test_an_area_without_a_value_is_hatched_and_named_so(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS)

    assert read_features(drawn.document)[4]["properties"]["d0"] == "n/a"
    assert "url(#no-value)" in drawn.document
    assert "url(#no-value)" in drawn.svg
    assert drawn.legend[-1].shade.texture == "hatched"


@pytest.mark.parametrize("count", range(2, shades.MOST_CLASSES + 1))
def test_any_two_classes_differ_by_contrast_or_texture(count: int) -> None:
    for one, other in combinations([*shades.choose_shades(count), shades.NO_VALUE_SHADE], 2):
        assert one.texture != other.texture or measure_contrast(one.colour, other.colour) >= 3


@pytest.mark.parametrize("count", range(1, shades.MOST_CLASSES + 1))
def test_texture_and_outline_stand_out_from_their_ground(count: int) -> None:
    for shade in [*shades.choose_shades(count), shades.NO_VALUE_SHADE]:
        assert measure_contrast(shade.mark, shade.colour) >= 3


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("count", range(2, shades.MOST_CLASSES + 1))
def test_classes_grow_darker_by_steps_that_can_be_seen_without_red_or_green(count: int, seen: str) -> None:
    luminance = [measure_luminance(shade.colour, seen) + 0.05 for shade in shades.choose_shades(count)]

    assert all(low / high > 1.3 for low, high in pairwise(luminance))


def test_still_map_interactive_map_and_legend_show_the_same_textures(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS)
    patterns = [set(re.findall(r'<pattern id="([^"]+)"', text)) for text in (drawn.svg, drawn.document)]
    swatches = BeautifulSoup(drawn._repr_html_(), "html.parser").select(".legend .swatch")

    assert patterns[0] == patterns[1] == {"class-1", "class-3", "no-value"}
    assert [len(one.find_all("path", stroke=True)) for one in swatches] == [1, 2, 1, 2, 1, 2]


def test_all_areas_can_be_downloaded_with_their_class(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS, classes=3)
    link = BeautifulSoup(drawn._repr_html_(), "html.parser").find("a", download="fuel-poverty-by-area.csv")
    rows = unquote(link["href"]).removeprefix("data:text/csv;charset=utf-8,").splitlines()

    assert rows[0] == "name,pct,homes,map_class"
    assert rows[1] == "Area 00,0.5,500,under 10.8%"
    assert rows[5] == "Area 04,,504,no figure"
    assert len(rows) == 31


def test_a_class_without_areas_stays_in_the_legend_and_shifts_no_other(areas: gpd.GeoDataFrame) -> None:
    few = areas.head(3).assign(pct=[1.0, 10.0, np.nan])
    drawn = area_maps.draw_area_map(few, "pct", **WORDS, classes=3)

    assert [one.count for one in drawn.legend] == [1, 0, 1, 1]
    assert list(drawn.data["map_class"]) == ["under 4.0%", "7.0% or more", "no figure"]


def test_the_map_to_download_has_its_legend(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS, classes=3)
    link = BeautifulSoup(drawn._repr_html_(), "html.parser").find("a", download="fuel-poverty-by-area.svg")
    texts = BeautifulSoup(unquote(link["href"]), "html.parser").find_all("text")

    assert [one.get_text() for one in texts] == [
        "Fuel poverty by area",
        "under 10.8% (10 areas)",
        "10.8% to under 20.2% (9 areas)",
        "20.2% or more (10 areas)",
        "no figure (1 area)",
    ]


def test_more_classes_than_can_be_told_apart_are_refused(areas: gpd.GeoDataFrame) -> None:
    with pytest.raises(CouncilbookError, match="8 classes"):
        area_maps.draw_area_map(areas, "pct", **WORDS, classes=8)


@given(
    st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60),
    st.integers(2, 7),
)
def test_every_class_has_an_area_and_limits_are_written_as_they_are(values: list[float], classes: int) -> None:
    written = area_maps._round_as_written(np.array(values), ",.1f")
    limits = area_maps._find_limits(written, classes, ",.1f")
    numbers = np.searchsorted(limits, written, side="right")

    assert len(limits) < classes
    assert limits == sorted({float(f"{one:.1f}") for one in limits})
    assert numbers.min() == 0
    assert numbers.max() == len(limits)


def test_whole_numbers_can_be_mapped_even_where_one_is_missing(areas: gpd.GeoDataFrame) -> None:
    areas["homes"] = areas["homes"].astype("Int64").mask(areas["name"] == "Area 00")
    drawn = area_maps.draw_area_map(areas, "homes", **(WORDS | {"unit": " homes"}), classes=2)

    assert [one.words for one in drawn.legend] == ["under 515 homes", "515 homes or more", "no figure"]


def test_areas_that_are_all_alike_make_one_class(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas.assign(pct=5.0), "pct", **WORDS)

    assert [one.words for one in drawn.legend] == ["all areas alike"]


def test_areas_with_nothing_are_a_class_of_their_own_where_most_have_nothing(areas: gpd.GeoDataFrame) -> None:
    few = areas["pct"].rank().sub(22).clip(lower=0)  # 1 to 7 in seven areas, else nothing
    drawn = area_maps.draw_area_map(areas.assign(pct=few), "pct", **WORDS, classes=3)

    assert [(one.words, one.count) for one in drawn.legend] == [
        ("under 1.0%", 22),
        ("1.0% to under 4.0%", 3),
        ("4.0% or more", 4),
        ("no figure", 1),
    ]


def test_the_map_asks_for_nothing_and_needs_no_jquery(areas: gpd.GeoDataFrame) -> None:
    document = area_maps.draw_area_map(areas, "pct", **WORDS).document

    assert not BeautifulSoup(document, "html.parser").find_all(["link", "img"])
    assert set(re.findall(r"https?://[^\s\"'<>)]+", document)) <= offline_page.HARMLESS_ADDRESSES
    assert "$(" not in document
    assert "sourceMappingURL" not in document
    assert "user-scalable" not in document


@pytest.mark.parametrize(
    "loaded",
    ['<script src="https://cdn.example/jquery.js"></script>', "url(http://tiles.example/{z}.png)", "$.ajax('x')"],
)
def test_whatever_a_map_would_load_is_refused(loaded: str) -> None:
    with pytest.raises(CouncilbookError, match="Fuel poverty by area"):
        offline_page.check_addresses(f"<html>{loaded}</html>", "Fuel poverty by area")


def test_a_name_cannot_bring_code_into_the_page(areas: gpd.GeoDataFrame) -> None:
    areas.loc[0, "name"] = "<img src=x onerror=alert(1)> O'Neil's"
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS)
    page = BeautifulSoup(drawn._repr_html_(), "html.parser")

    assert read_features(drawn.document)[0]["properties"]["n"].startswith("&lt;img")
    assert page.iframe["srcdoc"] == drawn.document
    assert len(page.find_all("img")) == 1


def test_the_same_areas_make_the_same_bytes(areas: gpd.GeoDataFrame) -> None:
    first, second = (area_maps.draw_area_map(areas, "pct", **WORDS)._repr_html_() for _ in range(2))

    assert first == second


def test_the_map_can_be_found_by_keyboard_and_read_without_sight(areas: gpd.GeoDataFrame) -> None:
    drawn = area_maps.draw_area_map(areas, "pct", **WORDS)
    page, frame = BeautifulSoup(drawn._repr_html_(), "html.parser"), BeautifulSoup(drawn.document, "html.parser")

    assert page.iframe["title"] == "Interactive map: Fuel poverty by area"
    assert page.iframe["sandbox"] == ["allow-scripts"]
    assert page.select_one("details img")["alt"] == WORDS["alt"]
    assert len(page.select("table tbody tr")) == 20
    assert page.select_one("table tbody th").get_text() == "Area 29"
    assert frame.html["lang"] == "en-GB"
    assert frame.find("label", attrs={"for": "find"}).get_text() == "Find an area"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda areas: areas.assign(pct=np.nan), "no area has a value"),
        (lambda areas: areas.assign(name="Dover"), "a name of its own"),
        (lambda areas: areas.set_crs(None, allow_override=True), "no coordinate reference system"),
        (lambda areas: areas.set_geometry([None, *areas.geometry[1:]], crs=areas.crs), "1 areas have no outline"),
        (lambda areas: areas.rename(columns={"pct": "rate"}).assign(pct=1, homes=2).drop(columns="name"), "name"),
    ],
)
def test_areas_that_cannot_be_drawn_are_named(areas: gpd.GeoDataFrame, spoil, message: str) -> None:
    with pytest.raises((CouncilbookError, KeyError), match=message):
        area_maps.draw_area_map(spoil(areas), "pct", **WORDS)


def test_a_map_without_a_description_is_refused(areas: gpd.GeoDataFrame) -> None:
    with pytest.raises(CouncilbookError, match="no description"):
        area_maps.draw_area_map(areas, "pct", **(WORDS | {"alt": "A map."}))


def test_regions_are_bordered_and_named_on_both_maps(areas: gpd.GeoDataFrame) -> None:
    towns = areas.assign(town=["West" if one < 20 else "East" for one in range(30)])

    drawn = area_maps.draw_area_map(towns, "pct", **WORDS, region="town")

    assert re.findall(r"<text [^>]*>(\w+)</text>", drawn.svg) == ["West", "East"]  # the largest first
    west, east = (int(x) for x in re.findall(r'<text x="(\d+)"', drawn.svg))
    assert west < east
    regions = json.loads(re.search(r"const regions = (\{.*?\});", drawn.document).group(1))["features"]
    assert {one["properties"]["name"] for one in regions} == {"West", "East"}
    assert drawn.svg.count("<path") == area_maps.draw_area_map(towns, "pct", **WORDS).svg.count("<path") + 1


def test_names_of_regions_do_not_cover_each_other() -> None:
    boxes = [shapely.box(0, 0, 100, 100), shapely.box(0, 100, 100, 110), shapely.box(0, 400, 100, 480)]
    regions = gpd.GeoDataFrame({"name": ["Large", "Thin", "Far"]}, geometry=boxes, crs=drawn_map.NATIONAL_GRID)

    assert [name for name, *_ in drawn_map.place_names(regions, lambda xy: xy, 50, 1e6)] == ["Large", "Far"]
    assert [name for name, *_ in drawn_map.place_names(regions, lambda xy: xy, 5, 1e6)] == ["Large", "Far", "Thin"]
    assert drawn_map.place_names(regions.head(1), lambda xy: xy, 5, 1e6) == []


def test_a_name_at_the_edge_of_a_picture_is_moved_in_whole():
    spots = gpd.GeoDataFrame({"name": ["Westhaven", "Easthaven"]}, geometry=gpd.points_from_xy([0, 400], [0, 0]))
    half = round(0.36 * 10 * len("Westhaven"))
    places = {name: x for name, x, _ in drawn_map.place_names(spots, lambda xy: xy, 10, 400)}
    assert places == {"Westhaven": half, "Easthaven": 400 - half}
