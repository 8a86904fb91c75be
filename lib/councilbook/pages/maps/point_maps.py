"""Maps of tens of thousands of places in a few bands, small enough for a page that works offline.

Dots are drawn to a canvas by a script inside the page. Each place is a few characters of text: how its name differs
from the one before, and how many steps it lies from the last place of which the same is said. The still map is a
picture of few colours, which is all that dots need.
"""

import base64
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from markupsafe import Markup
from PIL import Image, ImageColor, ImageDraw

from councilbook.errors import CouncilbookError
from councilbook.pages.html.pieces import Html
from councilbook.pages.html.tables import format_value
from councilbook.pages.maps.drawn_map import (
    NATIONAL_GRID,
    STATIC_WIDTH,
    WGS84,
    Details,
    DrawnMap,
    MapClass,
    Sheet,
    list_towns,
    merge_regions,
    outline_regions,
    simplify_outlines,
)
from councilbook.pages.maps.offline_page import write_map_page
from councilbook.pages.maps.shades import WHITE, choose_shades

STEPS = 10_000  # in a degree: places are drawn where they are by some ten metres
GROUND_METRES = 120  # tolerance of the outlines below the dots
STILL_GROUND_METRES = 300
EDGE_METRES = 300  # that an outline keeps from the outermost points
TIGHTNESS = 0.6  # of an outline: 0 follows every point, 1 is the convex hull
STILL_SCALE = 1.5  # pixels of the still map in one of the page
GROUND, EDGE = WHITE, "#5a6470"
LARGEST_RADIUS = 11  # pixels
RADIUS = 16  # pixels, where one is a metre; it shrinks with the root of a pixel's metres
LEAST_COVER = 0.015  # share of the ground that dots cover: where there are few, they are larger
SMALLEST = 0.5  # radius of the lowest band's dots, as a share of the highest's


@dataclass(frozen=True)
class Band(MapClass):
    """A band of the legend, with its number and the size of its dots."""

    picture = "dot.svg.j2"

    number: int
    size: float  # radius, as a share of the highest band's


@dataclass(frozen=True)
class PointMap(DrawnMap):
    """A map of places; its data are the number of places in each band."""

    template = "point_map.html.j2"


def draw_point_map(
    points: gpd.GeoDataFrame,
    band: str,
    *,
    title: str,
    alt: str,
    words: Mapping[int, str],
    areas: gpd.GeoDataFrame,
    region: str,
    name: str,
    details: Details,
    noun: str = "place",
    towns: gpd.GeoDataFrame | None = None,
) -> PointMap:
    """Draw a dot a place, in bands, with a way to find a place by its name.

    The higher the band, the darker and larger its dots, and drawn above the lower; close up, each dot has the number of
    its band, and one band can be shown alone. So it can be read without colour.

    Args:
        points: points, with a coordinate reference system.
        band: column with the number of a point's band.
        title: what the map is about.
        alt: what it shows, in sentences.
        words: by number of a band, what it stands for; all bands, lowest first.
        areas: polygons, with a coordinate reference system, drawn below the dots.
        region: column of the areas with the name of what they are drawn as parts of, as districts.
        name: column with the places' names, each different, letter case and blanks apart.
        details: column to its label and Python format specification (as `,d` or `.1f`; empty for text), told of each
            place. Places of which the same is told share it, so that few such differ much is what keeps a map small.
        noun: what a place is called, see `count_things`.
        towns: from `gather_towns`, named close up, and everywhere where there is one region alone.

    Raises:
        CouncilbookError: there are no places, a band is not among the words, two places share a name, or points or
            outlines have no coordinate reference system.
    """
    _check_points(points, band, title, words, areas, name)
    regions = merge_regions(areas, region)
    counts = points[band].value_counts()
    shades = choose_shades(len(words) + 1)[1:]  # the lightest would be lost where a dot has no outline
    sizes = np.linspace(SMALLEST if len(words) > 1 else 1, 1, len(words))
    legend = tuple(
        Band(text, shade, int(counts.get(number, 0)), noun, number, float(size))
        for (number, text), shade, size in zip(words.items(), shades, sizes, strict=True)
    )
    radius = _choose_radius(len(points), regions)
    svg, height = _draw_still(points, band, simplify_outlines(regions, [STILL_GROUND_METRES]), legend, radius, towns)
    fine = simplify_outlines(regions, [GROUND_METRES])
    return PointMap(
        document=_draw_interactive(points, band, fine, legend, title, name, details, noun, radius, towns),
        svg=svg,
        title=title,
        alt=alt,
        legend=legend,
        data=pd.DataFrame({"band": [one.words for one in legend], "places": [one.count for one in legend]}),
        height=height,
    )


def _choose_radius(count: int, ground: gpd.GeoDataFrame) -> float:
    """Return the radius of so many dots in pixels, where one is a metre: large enough to be seen on the ground."""
    west, south, east, north = ground.total_bounds
    metres = (east - west) / STATIC_WIDTH
    seen = np.sqrt(LEAST_COVER * (east - west) * (north - south) / (np.pi * count)) / metres
    return float(max(RADIUS, seen * np.sqrt(metres)))


def outline_points(points: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Draw one outline around all points, for a place whose own is not at hand: name and polygon."""
    metres = shapely.MultiPoint(np.asarray(points.to_crs(NATIONAL_GRID).geometry))
    hull = shapely.concave_hull(metres, ratio=TIGHTNESS).buffer(EDGE_METRES)
    return gpd.GeoDataFrame({"name": [name]}, geometry=[hull], crs=NATIONAL_GRID).to_crs(points.crs)


def gather_towns(places: pd.DataFrame, town: str) -> gpd.GeoDataFrame:
    """Put each town in the middle of the places in it, those with most places first; none that lies all over the map.

    Args:
        places: points or outlines, with a coordinate reference system; or longitude and latitude.
        town: column with the town or neighbourhood that each lies in; missing where it is not known.

    Returns:
        name, and a point.
    """
    if not isinstance(places, gpd.GeoDataFrame):
        points = gpd.points_from_xy(places["longitude"], places["latitude"])
        places = gpd.GeoDataFrame(places, geometry=points, crs=WGS84)
    known = gpd.GeoDataFrame(places.dropna(subset=town)).to_crs(NATIONAL_GRID)
    points = known.representative_point().get_coordinates()
    away = points - points.groupby(known[town].astype("str")).transform("median")
    spread = np.hypot(away["x"], away["y"]).groupby(known[town].astype("str")).transform("median")
    is_town = spread < np.hypot(*(points - points.median()).T.to_numpy()).mean() / 2  # else no point is its middle
    inside = points[is_town].groupby(known[town].astype("str"))
    middle = inside.median().loc[inside.size().sort_values(ascending=False, kind="stable").index]
    shapes = gpd.points_from_xy(middle["x"], middle["y"])
    return gpd.GeoDataFrame({"name": middle.index}, geometry=shapes, crs=NATIONAL_GRID)


def _check_points(
    points: gpd.GeoDataFrame, band: str, title: str, words: Mapping[int, str], areas: gpd.GeoDataFrame, name: str
) -> None:
    if points.empty:
        raise CouncilbookError(f"Map {title!r}: there are no places to draw.")
    if unknown := sorted(set(points[band]) - set(words)):
        raise CouncilbookError(f"Map {title!r}: no words for band {', '.join(map(str, unknown))}.")
    if points.crs is None or areas.crs is None:
        raise CouncilbookError(f"Map {title!r}: points and outlines need a coordinate reference system.")
    if points[name].str.upper().str.replace(r"\s", "", regex=True).duplicated().any():
        raise CouncilbookError(f"Map {title!r}: every place needs a name of its own in {name!r}.")


# --- the interactive map ---


def _draw_interactive(
    points: gpd.GeoDataFrame,
    band: str,
    regions: gpd.GeoDataFrame,
    legend: tuple[Band, ...],
    title: str,
    name: str,
    details: Details,
    noun: str,
    radius: float,
    towns: gpd.GeoDataFrame | None,
) -> str:
    """Make the interactive map as one HTML page that asks the network for nothing."""
    west, south, east, north = regions.to_crs(WGS84).total_bounds
    return write_map_page(
        "point_frame.html.j2",
        title,
        bounds=[[south, west], [north, east]],
        legend=legend,
        noun=noun,
        labels=[label for label, _ in details.values()],
        bands=_write_json([[one.number, one.shade.colour, one.shade.mark, one.size] for one in legend]),
        places=_write_json(_encode(points.to_crs(WGS84), band, name, details, legend)),
        regions=_write_json(outline_regions(regions)),
        towns=list_towns(towns),
        steps=STEPS,
        ground=GROUND,
        edge=EDGE,
        radius=radius,
        largest=LARGEST_RADIUS,
    )


def _encode(
    points: gpd.GeoDataFrame, band: str, name: str, details: Details, legend: tuple[Band, ...]
) -> dict[str, Any]:
    """Write places, in the order of their names, as lists that are short when compressed.

    Returns:
        names: as `shorten_names` writes them.
        facts: which row of facts is told of each place: 0 for the next new one, 1 for the newest, and so on back.
        x, y: steps east and north of the last place with the same facts, of the place before if it is the first.
        bands, details: a row for each different set of facts.
    """
    ordered = points.sort_values(name, kind="stable")
    told = pd.DataFrame({"band": pd.Index([one.number for one in legend]).get_indexer(ordered[band])})
    for column, (_, specification) in details.items():
        told[column] = [Markup(format_value(one, specification).text).unescape() for one in ordered[column]]
    rows, facts = pd.factorize(pd.MultiIndex.from_frame(told))
    steps = (shapely.get_coordinates(ordered.geometry.to_numpy()) * STEPS).round().astype(int)
    starts = _find_starts(rows)
    moves = steps - np.where(starts[:, None] < 0, 0, steps[starts])
    bands, *columns = zip(*facts, strict=True)
    return {
        "names": list(shorten_names(ordered[name])),
        "facts": (np.r_[0, np.maximum.accumulate(rows)[:-1] + 1] - rows).tolist(),
        "x": moves[:, 0].tolist(),
        "y": moves[:, 1].tolist(),
        "bands": list(map(int, bands)),
        "details": columns,
    }


def _find_starts(rows: "np.ndarray[Any, np.dtype[np.intp]]") -> "np.ndarray[Any, np.dtype[np.intp]]":
    """Find for each place where its steps start: at the last one with the same facts, or the one before, or -1."""
    places = np.arange(len(rows))
    last = pd.Series(places).groupby(rows).shift(fill_value=-1).to_numpy()
    return np.where(last < 0, places - 1, last)


def shorten_names(names: Iterable[str]) -> Iterable[str]:
    """Write each name as the number of letters that the last one loses at its end, and those that it gains.

    `CT1 1AA, CT1 1AB, CT10 2AA` are `0CT1 1AA, 1B, 40 2AA`: names in order begin alike (front coding). The number is a
    letter, as many places after `0` in Unicode.
    """
    before = ""
    for name in names:
        most = min(len(name), len(before))
        alike = next((place for place in range(most) if name[place] != before[place]), most)
        yield chr(ord("0") + len(before) - alike) + name[alike:]
        before = name


def _write_json(value: object) -> Html:
    """Write JSON as short as it can be, for a script inside a page."""
    return Html(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


# --- the still map ---


def _draw_still(
    points: gpd.GeoDataFrame,
    band: str,
    regions: gpd.GeoDataFrame,
    legend: tuple[Band, ...],
    radius: float,
    towns: gpd.GeoDataFrame | None,
) -> tuple[str, int]:
    """Draw the still map as SVG, its dots a picture of one colour a band, and return it with its height in pixels."""
    sheet = Sheet(regions.total_bounds, STILL_SCALE)
    places = sheet.place(points.to_crs(NATIONAL_GRID).get_coordinates().to_numpy())
    metres = sheet.step / sheet.scale  # in a pixel
    pixels = min(LARGEST_RADIUS, radius / np.sqrt(metres)) * sheet.step
    layers = [(places[(points[band] == one.number).to_numpy()], pixels * one.size, one.shade.colour) for one in legend]
    size = (round(STATIC_WIDTH * sheet.step), round(sheet.height * sheet.step))
    picture = base64.b64encode(_paint(size, layers)).decode()
    return sheet.draw("still_points.svg.j2", regions, towns, size=size, picture=picture, ground=GROUND, edge=EDGE)


def _paint(size: tuple[int, int], layers: Iterable[tuple["np.ndarray[Any, Any]", float, str]]) -> bytes:
    """Paint layers of dots above each other as a PNG of few colours on a clear ground.

    Args:
        size: width and height in pixels.
        layers: centres in pixels (a row a dot), radius in pixels, and colour.
    """
    image, colours = Image.new("P", size, 0), [(255, 255, 255)]
    draw = ImageDraw.Draw(image)
    for number, (centres, radius, colour) in enumerate(layers, start=1):
        colours.append(ImageColor.getrgb(colour)[:3])
        for x, y in centres:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=number)
    image.putpalette([part for colour in colours for part in colour])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, transparency=0)
    return buffer.getvalue()
