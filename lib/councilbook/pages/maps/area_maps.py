"""Maps of areas that work from one file, offline, by keyboard and without a script; folium makes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from folium.utilities import JsCode

from councilbook.errors import CouncilbookError
from councilbook.pages.html.pieces import Html, escape
from councilbook.pages.html.tables import NO_VALUE, format_value, table
from councilbook.pages.maps.drawn_map import (
    NATIONAL_GRID,
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
from councilbook.pages.maps.shades import MOST_CLASSES, NO_VALUE_SHADE, Numbers, Shade, choose_shades

DEGREE = 100_000  # the interactive map's step: five decimals of a degree, about a metre
TOLERANCES_METRES = (25, 40, 60, 80, 100, 150, 250, 400, 600, 1000)
MOST_VERTICES = 30_000  # of the interactive map, near 300 kB
MOST_STATIC_VERTICES = 20_000
STATIC_STEP = 4  # of the still map, in a pixel
BORDER_METRES = 150  # tolerance of the borders of regions
TOP_AREAS = 20
NO_FIGURE = "no figure"


@dataclass(frozen=True)
class AreaMap(DrawnMap):
    """A map of areas, with a table of the highest; its data are a row an area: name, details, class in words."""

    template = "area_map.html.j2"

    top: Html


def draw_area_map(
    areas: gpd.GeoDataFrame,
    value: str,
    *,
    title: str,
    alt: str,
    name: str,
    details: Details,
    unit: str,
    classes: int = 5,
    region: str = "",
    towns: gpd.GeoDataFrame | None = None,
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
        region: column with the name of what the areas are parts of, as districts, whose borders and names are drawn.
        towns: from `point_maps.gather_towns`, named close up, and everywhere where there is no region or one alone.

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
    fine = simplify_outlines(projected, TOLERANCES_METRES, MOST_VERTICES)
    regions = _find_regions(fine, region)
    coarse = simplify_outlines(projected, TOLERANCES_METRES, MOST_STATIC_VERTICES)
    svg, height = _draw_still(coarse, shades, regions, towns)
    legend = _describe_classes(classed["class_number"], limits, shades, details[value][1], unit)
    return AreaMap(
        document=_draw_interactive(fine, shades, legend, title, name, details, value, unit, regions, towns),
        svg=svg,
        title=title,
        alt=alt,
        legend=legend,
        top=_list_highest(areas, value, name, details),
        data=_collect_data(classed, name, details, shades, legend),
        height=height,
    )


def _check_areas(areas: gpd.GeoDataFrame, value: str, title: str, name: str, details: Details) -> None:
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

    Values and limits are rounded alike, so that the legend says exactly what the map shows. A lowest value that more
    areas share than a class holds, as nothing often is, is a class of its own, and the other classes share the rest.
    """
    present = values[~np.isnan(values)]
    rest = present[present > present.min()]
    if max(1, len(present) / classes) < len(present) - len(rest) < len(present):
        exact = np.quantile(rest, np.linspace(0, 1, classes)[:-1])
    else:
        exact = np.quantile(present, np.linspace(0, 1, classes + 1)[1:-1])
    rounded = _round_as_written(exact, specification)
    return sorted({float(one) for one in rounded if present.min() < one <= present.max()})


def _round_as_written(values: Numbers, specification: str) -> Numbers:
    decimals = re.search(r"\.(\d+)f$", specification)
    return np.round(values, int(decimals[1]) if decimals else 0)


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
    return tuple(MapClass(named[one], shades[one], int(counts.get(one, 0)), "area") for one in shown)


def _collect_data(
    areas: gpd.GeoDataFrame,
    name: str,
    details: Details,
    shades: Mapping[int, Shade],
    legend: tuple[MapClass, ...],
) -> pd.DataFrame:
    words = {one.shade: one.words for one in legend}
    classes = [words[shades[number]] for number in areas["class_number"]]
    return pd.DataFrame(areas[[name, *details]]).assign(map_class=classes)


def _list_highest(areas: gpd.GeoDataFrame, value: str, name: str, details: Details) -> Html:
    highest = areas.dropna(subset=[value]).nlargest(TOP_AREAS, value)
    return table(
        pd.DataFrame(highest[[name, *details]]),
        f"The {len(highest)} areas with the highest values: {details[value][0]}",
        headers={name: "Area", **{column: label for column, (label, _) in details.items()}},
        formats={column: specification for column, (_, specification) in details.items()},
    )


def _draw_interactive(
    areas: gpd.GeoDataFrame,
    shades: Mapping[int, Shade],
    legend: tuple[MapClass, ...],
    title: str,
    name: str,
    details: Details,
    value: str,
    unit: str,
    regions: gpd.GeoDataFrame,
    towns: gpd.GeoDataFrame | None,
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
    document = write_map_page(
        "map_frame.html.j2",
        title,
        body=Html(page.html.render()),
        script=Html(page.script.render()),
        map=Html(world.get_name()),
        layer=Html(layer.get_name()),
        bounds=[[south, west], [north, east]],
        value_key=keys[value],
        value_label=details[value][0],
        legend=legend,
        shades=[one.shade for one in legend],
        regions=outline_regions(regions),
        towns=list_towns(towns),
    )
    return _number_names(document)


def _find_regions(areas: gpd.GeoDataFrame, region: str) -> gpd.GeoDataFrame:
    """Return the regions that areas are parts of; none where there is one alone, or no column says it."""
    if not region or areas[region].nunique() < 2:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs=NATIONAL_GRID)
    return simplify_outlines(merge_regions(areas, region), [BORDER_METRES])


def _encode(
    areas: gpd.GeoDataFrame,
    name: str,
    details: Details,
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

    units = {column: escape(unit).text if column == value else "" for column in details}
    features = []
    for number, area in enumerate(areas.to_dict("records")):
        polygons = shapely.get_parts(area[areas.geometry.name])
        parts = [[encode_ring(ring) for ring in shapely.get_rings(polygon)] for polygon in polygons]
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


def _number_names(document: str) -> str:
    """Replace folium's random names by numbers, so that the same data make the same bytes."""
    names = dict.fromkeys(re.findall(r"[0-9a-f]{32}", document))
    for number, name in enumerate(names, start=1):
        document = document.replace(name, str(number))
    return document


def _draw_still(
    areas: gpd.GeoDataFrame, shades: Mapping[int, Shade], regions: gpd.GeoDataFrame, towns: gpd.GeoDataFrame | None
) -> tuple[str, int]:
    """Draw the still map as SVG, a path a class, and return it with its height in pixels.

    Written here because matplotlib's SVG of the same outlines is five times as large.
    """
    sheet = Sheet(areas.total_bounds, STATIC_STEP)
    classes = areas.geometry.groupby(areas["class_number"])
    drawn = [(shades[number], sheet.write_path(shapes)) for number, shapes in classes]
    return sheet.draw("still_map.svg.j2", regions, towns, drawn=drawn, shades=[shade for shade, _ in drawn])
