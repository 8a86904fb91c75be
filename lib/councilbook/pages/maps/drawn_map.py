"""A map as a report shows it, and its outlines: interactive and still, with a legend and the data behind it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from councilbook.pages.html.figures import check_alternative, offer_picture, write_data_uri, write_picture
from councilbook.pages.html.pieces import Html, render_template
from councilbook.pages.html.wording import count_things
from councilbook.pages.maps.shades import Shade

NATIONAL_GRID = "EPSG:27700"
WGS84 = "EPSG:4326"
STATIC_WIDTH = 720
Details = Mapping[str, tuple[str, str]]  # column to its label and Python format specification
Vertices = np.ndarray[Any, np.dtype[np.float64]]
Name = tuple[str, int, int]  # of a region, and where the middle of it is written
LETTER = 18  # height of a region's name, in pixels


@dataclass(frozen=True)
class MapClass:
    """One class of the legend: what it stands for, how it is drawn, and how many of what a noun says are in it."""

    picture: ClassVar[str] = "swatch.svg.j2"

    words: str
    shade: Shade
    count: int
    noun: str

    @property
    def swatch(self) -> Html:
        """A small picture of it."""
        return render_template(self.picture, one=self)

    @property
    def counted(self) -> str:
        """How many are in it, in words."""
        return count_things(self.count, self.noun)


@dataclass(frozen=True)
class DrawnMap:
    """A map, what it shows in words, and the data behind it.

    Raises:
        CouncilbookError: the text alternative does not describe the map.
    """

    template: ClassVar[str]  # one that extends map.html.j2

    document: str  # the interactive map, a whole HTML page
    svg: str  # the still map
    title: str
    alt: str
    legend: Sequence[MapClass]
    data: pd.DataFrame
    height: int  # of the still map in pixels

    def __post_init__(self) -> None:
        """Refuse a map without a description."""
        check_alternative(self.title, self.alt)

    @property
    def picture(self) -> Html:
        """The still map with its title and legend, as an address for an attribute in single quotes."""
        return write_picture(self.svg, self.title, self.alt, (STATIC_WIDTH, self.height), self.legend)

    def _repr_html_(self) -> str:
        size = (STATIC_WIDTH, self.height)
        page = render_template(
            self.template,
            map=self,
            # in single quotes the many double quotes of JSON need no escape, which saves a sixth of the page
            srcdoc=Html(self.document.replace("&", "&amp;").replace("'", "&#39;")),
            image=write_data_uri(self.svg, "image/svg+xml"),
            width=STATIC_WIDTH,
            downloads=offer_picture(self.svg, self.title, self.alt, size, self.data, self.legend),
        )
        return page.text


def simplify_outlines(areas: gpd.GeoDataFrame, tolerances: Sequence[int], most: float = math.inf) -> gpd.GeoDataFrame:
    """Simplify outlines by the first tolerance, in metres, that leaves no more than so many vertices, or by the last.

    The areas are simplified as a coverage (Visvalingam and Whyatt 1993, as in GEOS), so borders stay common. Whole
    metres come first: between neighbours that differ by a hair, every border would be two, with a gap.
    """
    snapped = areas.geometry.set_precision(1)
    for tolerance in tolerances:
        outlines = snapped.simplify_coverage(tolerance)
        if outlines.count_coordinates().sum() <= most:
            break
    return areas.set_geometry(outlines)


def merge_regions(areas: gpd.GeoDataFrame, region: str) -> gpd.GeoDataFrame:
    """Merge areas into the regions that they are parts of, on the national grid, with their names as name."""
    merged = areas[[region, areas.geometry.name]].to_crs(NATIONAL_GRID).dissolve(region, as_index=False)
    return merged.rename(columns={region: "name"})


def list_towns(towns: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    """Write towns, from `point_maps.gather_towns`, as outlines' names are in `outline_regions`: name, and at."""
    return [] if towns is None else [one["properties"] for one in outline_regions(towns)["features"]]


def outline_regions(regions: gpd.GeoDataFrame) -> dict[str, Any]:
    """Write regions as GeoJSON, with where each one's name is written, by some ten metres."""
    centres = regions.representative_point().to_crs(WGS84)
    shapes = regions.to_crs(WGS84)
    features = [
        {
            "type": "Feature",
            "properties": {"name": str(one), "at": [round(centre.y, 4), round(centre.x, 4)]},
            "geometry": shapely.geometry.mapping(shapely.transform(shape, lambda vertices: vertices.round(4))),
        }
        for one, centre, shape in zip(shapes["name"], centres, shapes.geometry, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


@dataclass(frozen=True)
class Sheet:
    """The paper of a still map: what of the national grid it shows, in steps from its upper left corner.

    Attributes:
        bounds: west, south, east, north of what it shows, in metres.
        step: steps in a pixel.
    """

    bounds: Sequence[float]
    step: float

    @property
    def scale(self) -> float:
        """Steps in a metre."""
        west, _, east, _ = self.bounds
        return STATIC_WIDTH * self.step / (east - west)

    @property
    def height(self) -> int:
        """Its height in pixels."""
        _, south, _, north = self.bounds
        return round((north - south) * self.scale / self.step)

    def place(self, vertices: Vertices) -> Vertices:
        """Move vertices from the grid, whose y goes up, to the sheet, whose y goes down."""
        west, _, _, north = self.bounds
        return (vertices - [west, north]) * [self.scale, -self.scale]

    def write_path(self, shapes: gpd.GeoSeries) -> str:
        """Write polygons as a path of SVG, in whole steps, each vertex from the last."""
        rings = shapely.get_rings(shapely.get_parts(shapes.transform(self.place).to_numpy()))
        return "".join(map(_write_ring, np.asarray(rings)))

    def draw(
        self, template: str, regions: gpd.GeoDataFrame, towns: gpd.GeoDataFrame | None, **values: object
    ) -> tuple[str, int]:
        """Fill in the template of a still map with the names of regions, or of towns where there is one region alone.

        Returns:
            The map, and its height in pixels.
        """
        letter = LETTER * self.step
        size = {"width": STATIC_WIDTH, "height": self.height, "step": self.step, "letter": letter}
        border, width = self.write_path(regions.geometry), STATIC_WIDTH * self.step
        named = regions if towns is None or len(regions) > 1 else towns
        names = place_names(named, self.place, letter, width)
        svg = render_template(template, border=border, names=names, **size, **values)
        return " ".join(svg.text.split()), self.height


def _write_ring(ring: shapely.LinearRing) -> str:
    points = shapely.get_coordinates(ring).round().astype(int)
    steps = np.diff(points, axis=0)
    steps = steps[steps.any(axis=1)]
    return f"M{points[0][0]} {points[0][1]}l" + "".join(f"{x} {y} ".replace(" -", "-") for x, y in steps[:-1]) + "z"


def place_names(
    regions: gpd.GeoDataFrame, place: Callable[[Vertices], Vertices], letter: float, width: float
) -> list[Name]:
    """Choose which regions' names are written in a picture, and where: the largest first, and none over another.

    Args:
        regions: from `merge_regions`, or towns from `point_maps.gather_towns`, whose order is kept.
        place: of the sheet that they are written on.
        letter: height of a letter, in steps of the sheet; a name is about 0.7 of that wide for each of its letters.
        width: of the sheet, in its steps: a name near its edge is moved in.
    """
    if len(regions) < 2:
        return []
    taken: list[tuple[float, float, float]] = []
    ordered = regions.iloc[np.argsort(-regions.area, kind="stable")]
    places = place(ordered.representative_point().get_coordinates().to_numpy())
    names = []
    for name, (x, y) in zip(ordered["name"], places, strict=True):
        half = 0.36 * letter * len(name)
        x = max(half, min(x, width - half))
        if all(abs(left - x) > reach + half or abs(top - y) > 1.4 * letter for left, top, reach in taken):
            taken.append((x, y, half))
            names.append((str(name), round(x), round(y)))
    return names
