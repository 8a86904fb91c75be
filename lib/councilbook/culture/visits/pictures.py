"""The floor plan, and pictures of the ways through it: steps as arrows on the plan, and as bands from zone to zone."""

import json
from collections.abc import Sequence
from pathlib import Path as FilePath

import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, PathPatch
from matplotlib.path import Path
from shapely.geometry import shape

from councilbook.culture.visits.telling import STREET
from councilbook.culture.visits.ways import LEAVES, STARTS
from councilbook.errors import SourceError
from councilbook.pages.charts import PALETTE
from councilbook.pages.pictures import CLEAR, INK, QUIET, Page, Picture, make_picture

GAP = 0.03  # between two bars, of all that is drawn
BAR, MOST_ARROWS = 0.025, 14
HEADERS = {"from_zone": "From", "to_zone": "To", "steps": "Visitors' steps"}


def read_plan(path: FilePath) -> pd.DataFrame:
    """Read a floor plan.

    Returns:
        zone, access_point (missing where there is none, a list where there are several), door (whether it hears the
        street), outline (WKT, metres): a row a zone, in the order of the file, the street among them if the plan has
        it.

    Raises:
        SourceError: it is no GeoJSON of polygons with a zone each, or two zones have one name or one access point; the
            message names the feature by its number.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        features = content["features"]
        rows = [{"access_point": None, "door": False} | dict(one["properties"]) for one in features]
        outlines = [shape(one["geometry"]) for one in features]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, shapely.errors.GEOSException) as error:
        raise SourceError(
            f"Floor plan {path.name}: expected GeoJSON with a polygon and properties a zone ({type(error).__name__})."
        ) from None
    for number, (row, outline) in enumerate(zip(rows, outlines, strict=True), start=1):
        if not str(row.get("zone") or "").strip() or outline.geom_type != "Polygon" or not outline.is_valid:
            raise SourceError(f"Floor plan {path.name}, feature {number}: expected a valid polygon with a zone's name.")
    plan = pd.DataFrame(rows).assign(outline=[one.wkt for one in outlines])
    plan = plan[["zone", "access_point", "door", "outline"]]
    plan["door"] = plan["door"].astype("str").str.strip().str.casefold().isin(["true", "yes", "1"])
    points = plan["access_point"].explode().dropna().astype("str")
    if plan.empty or plan["zone"].duplicated().any() or points.duplicated().any() or points.empty:
        raise SourceError(
            f"Floor plan {path.name}: each zone needs a name of its own, and at least one an access point."
        )
    if not plan["door"].any():
        raise SourceError(
            f"Floor plan {path.name}: say which zone is at the door (`door: true`), as it hears the street."
        )
    return plan


def list_zones(plan: pd.DataFrame) -> list[str]:
    """List the zones inside, in the order of the plan: it also decides which of two stays at one time comes first."""
    return [zone for zone in plan["zone"] if zone != STREET]


def list_points(plan: pd.DataFrame) -> dict[str, str]:
    """List the zone of each access point, for `read_log`."""
    known = plan.explode("access_point").dropna(subset="access_point")
    return dict(zip(known["access_point"].astype(str), known["zone"].astype(str), strict=True))


def draw_bands(paths: pd.DataFrame, zones: Sequence[str], *, title: str, alt: str) -> Picture:
    """Draw steps as bands from the zone on the left to the next one on the right, as wide as there are steps (Sankey).

    Args:
        paths: from_zone, to_zone, steps; hidden steps are missing and not drawn.
        zones: in the order from top to bottom.
        title: what it is about.
        alt: what it shows, in sentences.
    """
    shown = paths.dropna(subset=["steps"]).query("steps > 0").astype({"steps": float})
    order = [STARTS, *zones, LEAVES]
    sides = {name: shown.groupby(name)["steps"].sum().reindex(order).dropna() for name in ("from_zone", "to_zone")}
    scale = (1 - GAP * len(order)) / max(shown["steps"].sum(), 1)

    def draw(axes: Axes, page: Page) -> None:
        axes.set_axis_off()
        left, right = (0.36, 0.64) if page.narrow else (0.25, 0.75)
        tops = {name: _stack(sizes * scale) for name, sizes in sides.items()}
        for name, (x, side) in {"from_zone": (left - BAR, "right"), "to_zone": (right, "left")}.items():
            for zone, size in zip(map(str, sides[name].index), sides[name], strict=True):
                top = tops[name][zone]
                axes.add_patch(_fill_band(x, x + BAR, (top, top), size * scale, INK, 1.0))
                place = x - 0.01 if side == "right" else x + BAR + 0.01
                words = f"{zone} {size:,.0f}" if not page.narrow else str(zone)
                axes.text(place, top - size * scale / 2, words, ha=side, va="center", fontsize=page.font - 2)
        used = {name: dict(one) for name, one in tops.items()}
        colours = dict(zip(order, [PALETTE[place % len(PALETTE)] for place in range(len(order))], strict=True))
        ranks = {zone: place for place, zone in enumerate(order)}
        for begins, goes_to, steps in shown.sort_values(["from_zone", "to_zone"], key=lambda names: names.map(ranks))[
            list(HEADERS)
        ].to_numpy():
            height = steps * scale
            ends = (used["from_zone"][begins], used["to_zone"][goes_to])
            axes.add_patch(_fill_band(left, right, ends, height, colours[begins], 0.45))
            used["from_zone"][begins] -= height
            used["to_zone"][goes_to] -= height
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.02, 1.08)
        axes.text(left, 1.05, "From", ha="right", va="center", color=QUIET)
        axes.text(right, 1.05, "To", ha="left", va="center", color=QUIET)

    return make_picture(draw, shown[list(HEADERS)], title, alt, (560, 600), HEADERS)


def _stack(sizes: "pd.Series[float]") -> dict[str, float]:
    """Return where each bar begins, from the top down."""
    above = (sizes + GAP).cumsum() - sizes - GAP
    return {str(zone): float(top) for zone, top in (1 - above).items()}


def _fill_band(
    x: float, x_end: float, tops: tuple[float, float], height: float, colour: str, alpha: float
) -> PathPatch:
    middle = (x + x_end) / 2
    above = [(x, tops[0]), (middle, tops[0]), (middle, tops[1]), (x_end, tops[1])]
    below = [(one, y - height) for one, y in above[::-1]]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path([*above, *below, above[0]], codes), facecolor=colour, alpha=alpha, linewidth=0)


def draw_plan(zones: pd.DataFrame, paths: pd.DataFrame, *, title: str, alt: str) -> Picture:
    """Draw the floor plan with an arrow for each of the most frequent steps, as wide as there are steps.

    Args:
        zones: zone, outline (WKT, metres), visitors (missing where hidden).
        paths: from_zone, to_zone, steps.
        title: what it is about.
        alt: what it shows, in sentences.
    """
    outlines = dict(zip(zones["zone"], shapely.from_wkt(zones["outline"].to_numpy()), strict=True))
    inside = paths[paths["from_zone"].isin(outlines) & paths["to_zone"].isin(outlines)].dropna(subset=["steps"])
    shown = inside[inside["steps"] > 0].nlargest(MOST_ARROWS, "steps").astype({"steps": float})
    people = zones.set_index("zone")["visitors"]
    bounds = shapely.total_bounds(list(outlines.values()))

    def draw(axes: Axes, page: Page) -> None:
        axes.set_axis_off()
        axes.set_aspect("equal")
        for zone, outline in outlines.items():
            axes.fill(*outline.exterior.xy, facecolor="#f2f4f7", edgecolor=QUIET, linewidth=1.5)
            number = "" if zone == STREET else "[c]" if pd.isna(people[zone]) else f"{people[zone]:,.0f}"
            words = str(zone).replace(" ", "\n") if page.narrow else f"{zone}\n{number}".strip()
            x, y = outline.representative_point().coords[0]
            axes.text(x, y, words, ha="center", va="center", fontsize=page.font - 3, zorder=3, bbox=CLEAR)
        for begins, goes_to, steps in shown.head(MOST_ARROWS // 2 if page.narrow else MOST_ARROWS)[
            list(HEADERS)
        ].to_numpy():
            ends = [outlines[name].representative_point().coords[0] for name in (begins, goes_to)]
            width = 1 + 6 * steps / shown["steps"].max()
            arrow = FancyArrowPatch(
                *ends, connectionstyle="arc3,rad=0.22", arrowstyle=f"-|>,head_length={4 + width},head_width=5",
                shrinkA=22, shrinkB=24, linewidth=width, color=PALETTE[0], alpha=0.55, zorder=2,
            )  # fmt: skip
            axes.add_patch(arrow)
        axes.set_xlim(bounds[0] - 0.5, bounds[2] + 0.5)
        axes.set_ylim(bounds[1] - 2.5, bounds[3] + 0.5)
        axes.plot([bounds[0], bounds[0] + 5], [bounds[1] - 1] * 2, color=INK, linewidth=2)
        axes.text(bounds[0] + 5.5, bounds[1] - 1, "5 metres", fontsize=page.font - 3, va="center")

    ratio = (bounds[3] - bounds[1]) / (bounds[2] - bounds[0])
    heights = (int(720 * ratio), int(340 * ratio))
    return make_picture(draw, shown[list(HEADERS)].reset_index(drop=True), title, alt, heights, HEADERS)
