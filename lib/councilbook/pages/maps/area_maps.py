"""Maps of areas that work from one file, offline, by keyboard and without a script.

folium makes the map. The page around it is our own: folium's default page loads eight files from four hosts, forbids
zooming and names no language. Leaflet comes from the Python package django-leaflet, and what has been rendered
is searched for addresses before it is shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import folium
import geopandas as gpd
import matplotlib
import numpy as np
import pandas as pd
import shapely
from folium.utilities import JsCode
from matplotlib.colors import to_hex, to_rgb

from councilbook.errors import CouncilbookError
from councilbook.pages.html.figures import check_alternative, offer_picture, write_data_uri
from councilbook.pages.html.pieces import Html, escape, render_template
from councilbook.pages.html.tables import NO_VALUE, format_value, table
from councilbook.pages.html.wording import count_things

NATIONAL_GRID = "EPSG:27700"
WGS84 = "EPSG:4326"
Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]
DEGREE = 100_000  # the interactive map's step: five decimals of a degree, about a metre
DARK, WHITE = "#0b1f33", "#ffffff"
MOST_CLASSES = 7  # more cannot be told apart, textures and all
TOLERANCES_METRES = (25, 40, 60, 80, 100, 150, 250, 400, 600, 1000)
MOST_VERTICES = 40_000  # of the interactive map, near 400 kB
MOST_STATIC_VERTICES = 24_000
STATIC_WIDTH = 720
STATIC_STEP = 4  # steps in a pixel
TOP_AREAS = 20
# Written in Leaflet's code and never loaded: the name of SVG, a comment, and the credit that we do not show.
HARMLESS_ADDRESSES = {"http://www.w3.org/2000/svg", "https://leafletjs.com"}


Texture = Literal["plain", "dots", "lines", "hatched"]


@dataclass(frozen=True)
class Shade:
    """How the areas of a class are drawn: a ground, a texture on it, and the colour of texture and outline."""

    name: str
    colour: str
    texture: Texture
    mark: str

    @property
    def fill(self) -> str:
        """What SVG fills the areas with; the patterns are in the template patterns.svg.j2."""
        return self.colour if self.texture == "plain" else f"url(#{self.name})"


NO_FIGURE = "no figure"
NO_VALUE_SHADE = Shade("no-value", WHITE, "hatched", "#5a6470")


@dataclass(frozen=True)
class MapClass:
    """One class of the legend: its limits in words, how it is drawn, and how many areas are in it."""

    words: str
    shade: Shade
    areas: int

    @property
    def swatch(self) -> Html:
        """A small picture of it."""
        return render_template("swatch.svg.j2", one=self)

    @property
    def counted(self) -> str:
        """How many areas are in it, in words."""
        return count_things(self.areas, "area")


@dataclass(frozen=True)
class AreaMap:
    """A map of areas: an interactive one, a still one, a legend, the data, and a table of the highest areas.

    Raises:
        CouncilbookError: the text alternative does not describe the map.
    """

    document: str  # the interactive map, a whole HTML page
    svg: str  # the still map
    title: str
    alt: str
    unit: str
    legend: tuple[MapClass, ...]
    top: Html
    data: pd.DataFrame  # a row an area: name, details, class in words
    height: int  # of the still map in pixels

    def __post_init__(self) -> None:
        """Refuse a map without a description."""
        check_alternative(self.title, self.alt)

    def _repr_html_(self) -> str:
        # in single quotes the many double quotes of JSON need no escape, which saves a sixth of the page
        document = self.document.replace("&", "&amp;").replace("'", "&#39;")
        page = render_template(
            "area_map.html.j2",
            map=self,
            srcdoc=Html(document),
            image=write_data_uri(self.svg, "image/svg+xml"),
            width=STATIC_WIDTH,
            downloads=offer_picture(
                self.svg, self.title, self.alt, (STATIC_WIDTH, self.height), self.data, self.legend
            ),
        )
        return page.text


def draw_area_map(
    areas: gpd.GeoDataFrame,
    value: str,
    *,
    title: str,
    alt: str,
    name: str,
    details: Mapping[str, tuple[str, str]],
    unit: str,
    classes: int = 5,
) -> AreaMap:
    """Draw areas in classes of about equally many areas, with a way to find one by name.

    Any two classes stand out from each other by a contrast of 3:1, or have different textures. Outlines are simplified
    together, so that neighbours keep a common border, as far as the page's size asks.

    Args:
        areas: polygons, with a coordinate reference system; an area without a value is shown hatched.
        value: column of numbers that is mapped.
        title: what the map is about.
        alt: what it shows, in sentences.
        name: column with the areas' names, each different.
        details: column to its label and Python format specification (as `,d` or `.1f`; empty for text), shown for
            each area; the value among them.
        unit: unit of the value, as it follows a number: `%` or ` households`.
        classes: how many classes at most, seven or fewer; fewer still where values repeat.

    Raises:
        CouncilbookError: there is nothing to draw, an area lacks a name or an outline, two share a name, or there
            would be too many classes.
    """
    _check_areas(areas, value, title, name, details)
    if classes > MOST_CLASSES:
        raise CouncilbookError(
            f"Map {title!r}: {classes} classes cannot be told apart; ask for {MOST_CLASSES} at most."
        )
    written = _round_as_written(areas[value].to_numpy(dtype=float, na_value=np.nan), details[value][1])
    limits = _find_limits(written, classes, details[value][1])
    numbers = np.searchsorted(limits, written, side="right")
    classed = areas.assign(class_number=np.where(np.isnan(written), -1, numbers))
    shades = dict(enumerate(choose_shades(len(limits) + 1))) | {-1: NO_VALUE_SHADE}
    projected = classed.to_crs(NATIONAL_GRID)
    svg, height = _draw_still(_simplify(projected, MOST_STATIC_VERTICES), shades)
    legend = _describe_classes(classed["class_number"], limits, shades, details[value][1], unit)
    return AreaMap(
        document=_draw_interactive(
            _simplify(projected, MOST_VERTICES), shades, legend, title, name, details, value, unit
        ),
        svg=svg,
        title=title,
        alt=alt,
        unit=unit,
        legend=legend,
        top=_list_highest(areas, value, name, details),
        data=_collect_data(classed, name, details, shades, legend),
        height=height,
    )


def _check_areas(
    areas: gpd.GeoDataFrame, value: str, title: str, name: str, details: Mapping[str, tuple[str, str]]
) -> None:
    if value not in details:
        raise CouncilbookError(f"Map {title!r}: details must say how {value!r} is labelled and written.")
    if areas.crs is None:
        raise CouncilbookError(f"Map {title!r}: the areas have no coordinate reference system.")
    if areas.empty or areas[value].isna().all():
        raise CouncilbookError(f"Map {title!r}: no area has a value of {value!r}.")
    if areas.geometry.isna().any() or areas.geometry.is_empty.any():
        raise CouncilbookError(f"Map {title!r}: {int(areas.geometry.isna().sum())} areas have no outline.")
    if areas[name].isna().any() or not areas[name].is_unique:
        raise CouncilbookError(f"Map {title!r}: every area needs a name of its own in {name!r}.")


def _find_limits(values: Numbers, classes: int, specification: str) -> list[float]:
    """Find the limits between classes of equally many areas, rounded as the map writes its numbers.

    Values and limits are rounded alike, so that the legend says exactly what the map shows.
    """
    present = values[~np.isnan(values)]
    exact = np.quantile(present, np.linspace(0, 1, classes + 1)[1:-1])
    rounded = _round_as_written(exact, specification)
    return sorted({float(one) for one in rounded if present.min() < one <= present.max()})


def _round_as_written(values: Numbers, specification: str) -> Numbers:
    decimals = re.search(r"\.(\d+)f$", specification)
    return np.round(values, int(decimals[1]) if decimals else 0)


def choose_shades(count: int) -> list[Shade]:
    """Choose how so many classes are drawn, light for low and dark for high.

    The colours are taken from matplotlib's YlGnBu (ColorBrewer, Brewer 2003), each by the same contrast darker than
    the one before. Where that contrast is too small, classes take turns with textures, so that two of the same
    texture are 3:1 or more apart.
    """
    ramp = matplotlib.colormaps["YlGnBu"](np.linspace(0.05, 1, 256))[:, :3]
    darkness = -np.log(measure_luminance(ramp) + 0.05)
    places = np.interp(np.linspace(darkness[0], darkness[-1], count), darkness, np.arange(256))
    textures: tuple[Texture, ...] = ("plain", "dots", "lines")
    turns = 1 if count <= 3 else 2 if count <= 5 else 3
    shades = []
    for number, place in enumerate(places.round().astype(int)):
        colour = to_hex(ramp[place])
        mark = DARK if measure_contrast(DARK, colour) > measure_contrast(WHITE, colour) else WHITE
        shades.append(Shade(f"class-{number}", colour, textures[number % turns], mark))
    return shades


def measure_luminance(rgb: np.ndarray[Any, np.dtype[np.float64]]) -> Numbers:
    """Measure relative luminance, 0 to 1, of colours as red, green and blue from 0 to 1 (WCAG 2.2)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def measure_contrast(one: str, other: str) -> float:
    """Measure the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = np.sort(measure_luminance(np.array([to_rgb(one), to_rgb(other)])))
    return float((light + 0.05) / (dark + 0.05))


def _describe_classes(
    numbers: "pd.Series[Any]", limits: list[float], shades: Mapping[int, Shade], specification: str, unit: str
) -> tuple[MapClass, ...]:
    written = [f"{format_value(one, specification)}{unit}" for one in limits]
    if limits:
        between = [f"{low} to under {high}" for low, high in pairwise(written)]
        words = [f"under {written[0]}", *between, f"{written[-1]} or more"]
    else:
        words = ["all areas alike"]
    named = dict(enumerate(words)) | {-1: NO_FIGURE}
    counts = numbers.value_counts()
    shown = [number for number in named if number in counts or number >= 0]
    return tuple(MapClass(named[one], shades[one], int(counts.get(one, 0))) for one in shown)


def _collect_data(
    areas: gpd.GeoDataFrame,
    name: str,
    details: Mapping[str, tuple[str, str]],
    shades: Mapping[int, Shade],
    legend: tuple[MapClass, ...],
) -> pd.DataFrame:
    words = {one.shade: one.words for one in legend}
    classes = [words[shades[number]] for number in areas["class_number"]]
    return pd.DataFrame(areas[[name, *details]]).assign(map_class=classes)


def _list_highest(areas: gpd.GeoDataFrame, value: str, name: str, details: Mapping[str, tuple[str, str]]) -> Html:
    highest = areas.dropna(subset=[value]).nlargest(TOP_AREAS, value)
    return table(
        pd.DataFrame(highest[[name, *details]]),
        f"The {len(highest)} areas with the highest values: {details[value][0]}",
        headers={name: "Area", **{column: label for column, (label, _) in details.items()}},
        formats={column: specification for column, (_, specification) in details.items()},
    )


def _simplify(areas: gpd.GeoDataFrame, most: int) -> gpd.GeoDataFrame:
    """Simplify outlines by the smallest tolerance that leaves no more than so many vertices.

    The areas are simplified as a coverage (Visvalingam and Whyatt 1993, as in GEOS), so borders stay common. Whole
    metres come first: between neighbours that differ by a hair, every border would be two, with a gap.
    """
    snapped = shapely.set_precision(areas.geometry.to_numpy(), 1)
    for tolerance in TOLERANCES_METRES:
        outlines = shapely.coverage_simplify(snapped, tolerance)
        if shapely.get_num_coordinates(outlines).sum() <= most:
            break
    return areas.set_geometry(gpd.GeoSeries(outlines, index=areas.index, crs=areas.crs))


def _draw_interactive(
    areas: gpd.GeoDataFrame,
    shades: Mapping[int, Shade],
    legend: tuple[MapClass, ...],
    title: str,
    name: str,
    details: Mapping[str, tuple[str, str]],
    value: str,
    unit: str,
) -> str:
    """Make the interactive map as one HTML page that asks the network for nothing."""
    degrees = areas.to_crs(WGS84)
    west, south, east, north = degrees.total_bounds
    options: dict[str, Any] = {
        "attribution_control": False,
        "scroll_wheel_zoom": False,  # it would catch who scrolls the page
        "dragging": JsCode("!L.Browser.mobile"),  # the same, for one finger; two fingers move the map
        "zoom_animation": False,
        "fade_animation": False,
        "inertia": False,
        "zoom_control": "bottomright",  # where no popup covers it
        "zoom_snap": 0.25,
    }
    world = folium.Map(
        tiles=None,
        max_bounds=True,
        min_lat=south - 0.5,
        max_lat=north + 0.5,
        min_lon=west - 0.5,
        max_lon=east + 0.5,
        **options,
    )
    page = folium.Figure()
    page.add_child(world)
    keys = {column: f"d{number}" for number, column in enumerate(details)}
    labels = ["Area", *(escape(label).text for label, _ in details.values())]
    layer = folium.GeoJson(
        _encode(degrees, name, details, keys, value, unit),
        style_function=lambda feature: _style(shades[feature["properties"]["c"]]),
        highlight_function=lambda _: {"weight": 3},
        smooth_factor=0.5,
        coords_to_lat_lng=JsCode(
            "(function () { let x = 0, y = 0; return function (step) { x += step[0]; y += step[1]; "
            f"return L.latLng(y / {DEGREE}, x / {DEGREE}); }}; }})()"
        ),
        tooltip=folium.GeoJsonTooltip(["n", keys[value]], ["Area", labels[1 + list(details).index(value)]]),
        popup=folium.GeoJsonPopup(["n", *keys.values()], labels, localize=False, max_width=360),
    ).add_to(world)
    page.render()
    document = render_template(
        "map_frame.html.j2",
        title=title,
        styles=Html(read_leaflet("leaflet.css")),
        leaflet=Html(read_leaflet("leaflet.js")),
        body=Html(page.html.render()),
        script=Html(page.script.render()),
        map=Html(world.get_name()),
        layer=Html(layer.get_name()),
        bounds=[[south, west], [north, east]],
        value_key=keys[value],
        value_label=details[value][0],
        legend=legend,
        shades=[one.shade for one in legend],
    )
    text = _number_names(squeeze_document(document.text))
    check_addresses(text, title)
    return text


def _encode(
    areas: gpd.GeoDataFrame,
    name: str,
    details: Mapping[str, tuple[str, str]],
    keys: Mapping[str, str],
    value: str,
    unit: str,
) -> dict[str, Any]:
    """Write areas as GeoJSON whose coordinates are whole steps from the vertex before, half as long as degrees.

    The map adds them up again in `coordsToLatLng`, which Leaflet calls once a vertex, in order.
    """
    last = np.zeros(2, dtype=int)

    def encode_ring(ring: shapely.LinearRing) -> list[list[int]]:
        nonlocal last
        vertices = (shapely.get_coordinates(ring) * DEGREE).round().astype(int)
        steps = np.diff(vertices, axis=0, prepend=last[None])
        last = vertices[-1]
        return [[int(x), int(y)] for x, y in steps]

    def encode_polygon(polygon: shapely.Polygon) -> list[list[list[int]]]:
        return [encode_ring(ring) for ring in (polygon.exterior, *polygon.interiors)]

    units = {column: escape(unit).text if column == value else "" for column in details}
    features = []
    for number, area in enumerate(areas.to_dict("records")):
        parts = [encode_polygon(part) for part in shapely.get_parts(area[areas.geometry.name])]
        properties = {"n": escape(area[name]).text, "c": int(area["class_number"])}
        for column, (_, specification) in details.items():
            text = format_value(area[column], specification).text
            properties[keys[column]] = text if text == NO_VALUE else text + units[column]
        features.append(
            {
                "type": "Feature",
                "id": number,
                "properties": properties,
                "geometry": {"type": "MultiPolygon", "coordinates": parts},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _style(shade: Shade) -> dict[str, object]:
    return {
        "className": shade.name,
        "fillColor": shade.fill,
        "fillOpacity": 1,
        "color": shade.mark,
        "weight": 0.5,
        "opacity": 1,
    }


@cache
def read_leaflet(file: str) -> str:
    """Read one of Leaflet's own files, without the pictures of controls that our maps do not have.

    Found through the distribution: importing the package, as importlib.resources does, wants Django's settings.
    """
    place = distribution("django-leaflet").locate_file(f"leaflet/static/leaflet/{file}")
    text = Path(str(place)).read_text(encoding="utf-8")
    text = re.sub(r"/\*[^!@].*?\*/", "", text, flags=re.DOTALL) if file.endswith(".css") else text
    text = re.sub(r"url\((images/[^)]*|#default#VML)\)", "none", text)
    return re.sub(r"\n?//# sourceMappingURL=\S+", "", text).strip()


def squeeze_document(document: str) -> str:
    """Drop from a rendered map indents, and the blanks in coordinates, that only a reader of the source would see."""
    text = re.sub(r"\n\s+", "\n", document)
    return re.sub(r"\], (?=\[)", "],", re.sub(r"\[(-?\d+), (-?\d+)\]", r"[\1,\2]", text))


def _number_names(document: str) -> str:
    """Replace folium's random names by numbers, so that the same data make the same bytes."""
    names = dict.fromkeys(re.findall(r"[0-9a-f]{32}", document))
    for number, name in enumerate(names, start=1):
        document = document.replace(name, str(number))
    return document


def check_addresses(document: str, title: str) -> None:
    """Check that a rendered map names nothing that a browser would load.

    Raises:
        CouncilbookError: it holds an address beside those known to be harmless, or a jQuery call.
    """
    found = set(re.findall(r"https?://[^\s\"'<>)\\]+", document)) - HARMLESS_ADDRESSES
    if found:
        raise CouncilbookError(f"Map {title!r} would ask the network for {', '.join(sorted(found))}.")
    if re.search(r"\$\.ajax|\bjQuery\b", document):
        raise CouncilbookError(f"Map {title!r} calls jQuery, which is not in the page.")


def _draw_still(areas: gpd.GeoDataFrame, shades: Mapping[int, Shade]) -> tuple[str, int]:
    """Draw the still map as SVG, and return it with its height in pixels.

    A path a class, in whole quarters of a pixel, each vertex a step from the last. Written here because matplotlib's
    SVG of the same outlines is five times as large.
    """
    west, south, east, north = areas.total_bounds
    scale = STATIC_WIDTH * STATIC_STEP / (east - west)
    height = int((north - south) * scale)

    def write_ring(ring: shapely.LinearRing) -> str:
        vertices = shapely.get_coordinates(ring)
        points = (
            np.column_stack([(vertices[:, 0] - west) * scale, (north - vertices[:, 1]) * scale]).round().astype(int)
        )
        steps = np.diff(points, axis=0)
        steps = steps[steps.any(axis=1)]
        return f"M{points[0][0]} {points[0][1]}l" + "".join(f"{x} {y} ".replace(" -", "-") for x, y in steps[:-1]) + "z"

    drawn = []
    for number in sorted(areas["class_number"].unique()):
        rings = [
            write_ring(ring)
            for polygon in shapely.get_parts(areas.geometry[areas["class_number"] == number].to_numpy())
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        drawn.append((shades[number], "".join(rings)))
    svg = render_template(
        "still_map.svg.j2",
        width=STATIC_WIDTH,
        height=round(height / STATIC_STEP),
        step=STATIC_STEP,
        drawn=drawn,
        shades=[shade for shade, _ in drawn],
    )
    return " ".join(svg.text.split()), round(height / STATIC_STEP)
