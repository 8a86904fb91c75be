"""The printable map of culture on foot and by cycle: venues, cycleways and stations on one sheet of A4."""

import io
import re
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from councilbook.culture.venues.positions import SAME_PLACE_M
from councilbook.culture.venues.statements import count_kind
from councilbook.pages.html import Html
from councilbook.pages.html.figures import write_data_uri
from councilbook.pages.html.wording import count_things
from councilbook.pages.maps.drawn_map import place_names, simplify_outlines
from councilbook.pages.maps.point_maps import gather_towns
from councilbook.pages.pictures import INK, QUIET, STYLE
from councilbook.pages.study_pages import PageRequest

USED = ("culture_venues", "culture_areas", "culture_stations", "culture_cycleways")
TEMPLATE = "culture/venues/map_page.html.j2"
LOOKS = {  # shape and colour each, so that a print in grey can be read
    "museum": ("s", "#7a3e9d"),
    "library": ("o", "#0b5a6b"),
    "theatre": ("p", "#b3361b"),
    "music venue": ("D", "#8a6100"),
    "other": ("P", "#444444"),
}
LINE, GROUND = "#2e7d32", "#f4f1ea"
WIDTH_MM, WIDE_MM, TALLEST_MM = 122.0, 188.0, 236.0
TALL = 1.15  # height of the ground beside its width, from which the list stands beside the map
TOLERANCES, MOST_VERTICES = (10, 25, 50, 100, 200), 20_000  # of outlines, in metres
APART_MM = 4.6  # between numbers
LETTER_MM = 2.2  # height of a name's letter, 0.7 of which it is wide
RINGS = (1, 2.2)  # how far a station's name stands from it: next to it, or beyond a number over it
SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))  # of a station, where its name may stand
MINUTE_FOOT_M, MINUTE_CYCLE_M = 80, 250  # five kilometres an hour, and fifteen
Taken = tuple[float, float, float, float]  # the middle of what is drawn on the grid, half its width and half its height
HALO = [withStroke(linewidth=2, foreground="white")]


def make_page(request: PageRequest) -> Html:
    """Make the map from what was released; what is not there is left out, and the page says so."""
    venues, areas, stations, lines = (_load(request, name) for name in USED)
    listed = list_venues(venues, stations)
    notes = describe_missing(areas, stations, lines)
    if venues.empty:
        return request.render(
            TEMPLATE, USED, picture=None, alt="No venue is known here.", venues=[], notes=notes, is_wide=False
        )
    points = gpd.GeoSeries.from_xy(listed["easting"], listed["northing"], crs=27700)
    ground = gpd.GeoDataFrame(areas).to_crs(27700) if len(areas) else gpd.GeoDataFrame(geometry=points.buffer(500))
    ground = simplify_outlines(ground, TOLERANCES, MOST_VERTICES) if len(areas) else ground
    west, south, east, north = ground.total_bounds
    is_wide = bool((north - south) < TALL * (east - west))
    width = WIDE_MM if is_wide else WIDTH_MM
    height = min(width * (north - south) / (east - west) + 14, TALLEST_MM / (2 if is_wide else 1))
    svg = draw_map(ground, listed, stations, lines, (width, height), has_outlines=len(areas) > 0)
    return request.render(
        TEMPLATE,
        USED,
        picture=write_data_uri(svg, "image/svg+xml"),
        alt=describe_map(listed, stations, lines, request.council_name),
        width=round(width * 4),
        height=round(height * 4),
        venues=listed.to_dict("records"),
        notes=notes,
        is_wide=is_wide,
    )


def _load(request: PageRequest, dataset: str) -> pd.DataFrame:
    table = request.load(dataset)
    return pd.DataFrame() if table is None else table


def list_venues(venues: pd.DataFrame, stations: pd.DataFrame) -> pd.DataFrame:
    """Number the venues from north to south, and say of each which station is nearest, where that is within two km."""
    if venues.empty:
        return venues.assign(number=[], station=[])
    ordered = venues.sort_values("northing", ascending=False, ignore_index=True)
    told = []
    for x, y in zip(ordered["easting"], ordered["northing"], strict=True):
        far = (
            np.hypot(stations["easting"] - x, stations["northing"] - y) if len(stations) else pd.Series(dtype="float64")
        )
        near = len(far) and far.min() < SAME_PLACE_M
        nearest = stations["name"].to_numpy()[int(far.to_numpy().argmin())] if near else ""
        told.append(f", {round(far.min(), -1):,.0f} m from {nearest}" if near else "")
    return ordered.assign(number=range(1, len(ordered) + 1), station=told)


def describe_map(venues: pd.DataFrame, stations: pd.DataFrame, lines: pd.DataFrame, name: str) -> str:
    """Say in words what the map shows, for those who do not see it."""
    kinds = venues["kind"].value_counts()
    told = [count_kind(int(count), str(kind)) for kind, count in kinds.items()]
    shown = [f"A map of {name} with {count_things(len(venues), 'numbered venue')}: {', '.join(told)}."]
    if len(lines):
        shown.append(f"Green lines are {lines['length_m'].sum() / 1_000:.0f} kilometres of Cycleways.")
    if len(stations):
        shown.append(f"{count_things(int(stations['is_inside'].sum()), 'station')} are named.")
    return " ".join([*shown, "The list of venues has their names, from north to south, with the nearest station."])


def describe_missing(areas: pd.DataFrame, stations: pd.DataFrame, lines: pd.DataFrame) -> str:
    """Say what the map cannot show, and how its distances are measured."""
    missing = {"outlines of small areas": areas, "stations": stations, "Cycleways": lines}
    absent = [name for name, table in missing.items() if table.empty]
    told = [f"Not here: {', '.join(absent)}."] if absent else []
    return " ".join([*told, "Distances are straight lines. Venues are as sure as their positions: see the report."])


def draw_map(
    ground: gpd.GeoDataFrame,
    venues: pd.DataFrame,
    stations: pd.DataFrame,
    lines: pd.DataFrame,
    size: tuple[float, float],
    *,
    has_outlines: bool,
) -> str:
    """Draw the map as SVG.

    Args:
        ground: areas in EPSG:27700.
        venues: of `list_venues`.
        stations, lines: as they were released; may be empty.
        size: width and height in millimetres.
        has_outlines: whether the areas are the council's own.
    """
    with rc_context({**STYLE, "font.size": 7}):
        figure = Figure(figsize=(size[0] / 25.4, size[1] / 25.4), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_aspect("equal")
        if has_outlines:
            ground.plot(ax=axes, facecolor=GROUND, edgecolor="#d5cfc2", linewidth=0.3)
            ground.dissolve().boundary.plot(ax=axes, color=QUIET, linewidth=0.9)
        if len(lines):
            gpd.GeoDataFrame(lines).to_crs(27700).plot(ax=axes, color=LINE, linewidth=1.6)
        metres_mm = _fit(axes, ground.total_bounds, size)
        taken = _draw_venues(axes, venues, metres_mm)
        if len(stations):
            taken += _draw_stations(axes, stations[stations["is_inside"]], taken, metres_mm)
        if has_outlines and ground["neighbourhood"].notna().any():
            _draw_neighbourhoods(axes, ground, taken, metres_mm)
        _draw_legend(axes, venues, has_lines=len(lines) > 0, has_stations=len(stations) > 0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = re.sub(r"(\.\d\d)\d+", r"\1", " ".join(buffer.getvalue().split()))  # a hundredth of a point is enough
    return text[text.index("<svg") :]


def _fit(axes: Axes, bounds: "np.ndarray", size: tuple[float, float]) -> float:
    """Fit the ground into the sheet, with room for the legend below it; return how many metres a millimetre is."""
    west, south, east, north = bounds
    metres_mm = max((east - west) / (size[0] - 4), (north - south) / (size[1] - 16))
    axes.set_xlim((west + east) / 2 - size[0] / 2 * metres_mm, (west + east) / 2 + size[0] / 2 * metres_mm)
    axes.set_ylim(north + 2 * metres_mm - size[1] * metres_mm, north + 2 * metres_mm)
    left, bottom = axes.get_xlim()[0], axes.get_ylim()[0]
    start, base = left + 3 * metres_mm, bottom + 3 * metres_mm
    axes.plot([start, start + 1_000], [base, base], color=INK, linewidth=2)
    words = f"1 km: {1_000 / MINUTE_FOOT_M:.0f} minutes on foot, {1_000 / MINUTE_CYCLE_M:.0f} by cycle"
    axes.text(start, base + 1.2 * metres_mm, words, fontsize=6.5)
    top = axes.get_xlim()[1] - 5 * metres_mm
    axes.annotate("N", (top, north - 1 * metres_mm), (top, north - 11 * metres_mm), ha="center", fontsize=8,
                  arrowprops={"arrowstyle": "-|>", "color": INK})  # fmt: skip
    return float(metres_mm)


def _draw_stations(axes: Axes, stations: pd.DataFrame, taken: list[Taken], metres_mm: float) -> list[Taken]:
    """Draw stations with their names on the side that has more room; return what the names cover."""
    axes.scatter(
        stations["easting"], stations["northing"], s=16, facecolor="white", edgecolor=INK, linewidth=1.1, zorder=5.5
    )
    dots = [(x, y, *[0.8 * metres_mm] * 2) for x, y in stations[["easting", "northing"]].to_numpy()]
    named: list[Taken] = []
    for name, x, y in stations[["name", "easting", "northing"]].itertuples(index=False, name=None):
        size = (0.27 * LETTER_MM * len(name) * metres_mm, LETTER_MM / 2 * metres_mm)
        aside, away = 1.4 * metres_mm, 1.05 * LETTER_MM * metres_mm
        sides = [
            (x + (size[0] + aside * ring) * right, y + away * ring * up, *size) for ring in RINGS for right, up in SIDES
        ]
        middle, most = np.mean(axes.get_xlim()), np.ptp(axes.get_xlim()) / 2 - size[0]
        inside = [one for one in sides if abs(one[0] - middle) < most]
        named.append(max(inside or sides, key=lambda one: _measure_room(one, [*taken, *dots, *named], metres_mm)))
        axes.text(*named[-1][:2], name, fontsize=5.6, ha="center", va="center", style="italic", path_effects=HALO,
                  zorder=5)  # fmt: skip
    return [*dots, *named]


def _measure_room(name: Taken, taken: list[Taken], metres_mm: float) -> float:
    """Measure how far the nearest thing on a name's line is from its ends; below 0 where it is over it."""
    x, y, half, tall = name
    beside = [abs(x - at) - half - wide for at, line, wide, high in taken if abs(y - line) < tall + high]
    return min([*beside, metres_mm / 2])  # half of a millimetre is enough


def _draw_neighbourhoods(axes: Axes, ground: gpd.GeoDataFrame, taken: list[Taken], metres_mm: float) -> None:
    """Write the names of neighbourhoods where nothing else stands."""
    west, east = axes.get_xlim()
    towns = gather_towns(ground, "neighbourhood")
    names = place_names(towns, lambda grid: grid - [west, 0], 1.3 * LETTER_MM * metres_mm, east - west)
    for name, x, y in names:
        size = (0.3 * LETTER_MM * len(name) * metres_mm, LETTER_MM / 2 * metres_mm)
        if _measure_room((x + west, y, *size), taken, metres_mm) > 0:
            axes.text(x + west, y, name, fontsize=6, ha="center", va="center", color=QUIET, path_effects=HALO, zorder=3)


def _draw_venues(axes: Axes, venues: pd.DataFrame, metres_mm: float) -> list[Taken]:
    """Draw each venue by its number, apart from the others', with a line to where it is; return what they cover."""
    true = venues[["easting", "northing"]].to_numpy()
    shown = spread_points(true, APART_MM * metres_mm)
    for number, (place, at, kind) in enumerate(zip(true, shown, venues["kind"], strict=True), start=1):
        shape, colour = LOOKS[kind]
        axes.plot(*np.column_stack([place, at]), color=INK, linewidth=0.6, zorder=6)
        axes.plot(*place, marker=".", color=INK, markersize=2, zorder=6)
        axes.plot(
            *at, marker=shape, color=colour, markersize=11.5, markeredgecolor="white", markeredgewidth=0.6, zorder=7
        )
        middle: dict[str, Any] = {"ha": "center", "va": "center_baseline", "zorder": 8}
        axes.text(at[0], at[1], str(number), color="white", fontsize=5.6, weight="bold", **middle)
    return [(x, y, *[APART_MM / 2 * metres_mm] * 2) for x, y in shown]


def spread_points(points: "np.ndarray", apart: float) -> "np.ndarray":
    """Push points that are closer than a distance away from each other, until none is or 200 steps are done."""
    angles = np.arange(len(points)) * 2.4  # so that points in one place leave it in different directions
    moved = points + np.column_stack([np.cos(angles), np.sin(angles)]) * apart * 1e-3
    for _ in range(200):
        away = moved[:, None] - moved[None]
        far = np.hypot(away[..., 0], away[..., 1])
        np.fill_diagonal(far, np.inf)
        push = np.clip(apart - far, 0, None) / 2
        if not push.any():
            break
        moved = moved + (away / far[..., None] * push[..., None]).sum(axis=1)
    return moved


def _draw_legend(axes: Axes, venues: pd.DataFrame, *, has_lines: bool, has_stations: bool) -> None:
    marks = [
        Line2D([], [], marker=shape, color=colour, linestyle="", markersize=6, label=kind)
        for kind, (shape, colour) in LOOKS.items()
        if venues["kind"].eq(kind).any()
    ]
    if has_stations:
        marks.append(Line2D([], [], marker="o", color=INK, markerfacecolor="white", linestyle="", label="station"))
    if has_lines:
        marks.append(Line2D([], [], color=LINE, linewidth=1.6, label="Cycleway"))
    axes.legend(handles=marks, loc="lower right", ncols=2, frameon=False, fontsize=6.5)
