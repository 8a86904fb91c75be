"""An ecosystem drawn: who takes part around whoever joins the most, with an arrow for each exchange."""

import textwrap
from collections.abc import Mapping, Sequence
from math import dist

import networkx as nx
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from councilbook.pages.charts import PALETTE
from councilbook.pages.html.wording import count_things
from councilbook.pages.pictures import INK, NARROW_NAME, QUIET, Page, Picture, make_picture

STYLES = {
    "data": ("-", PALETTE[0]),
    "insight": ("--", PALETTE[2]),
    "money": (":", PALETTE[1]),
    "services": ("-.", PALETTE[3]),
}
BEND = 0.13
BENDS = 6  # tried on either side
NUMBER = 10  # pixels from the middle of an arrow's number to its edge
BOX = 6  # pixels between a name and the edge of its box
HEIGHT = 760  # pixels of the wide picture
LINE = 18

Spot = tuple[float, float]
Places = Mapping[str, Spot]


def draw_ecosystem(actors: pd.DataFrame, exchanges: pd.DataFrame, *, title: str) -> Picture:
    """Draw who takes part and what they exchange; on a phone actors are numbered, with a key below.

    Places are those of networkx' shell layout, so that the same ecosystem is always drawn in the same way.

    Args:
        actors: title and bridge_pct, as `ecosystems.measure_actors` has them; the first is put in the middle.
        exchanges: number, giver, taker, kind, what and agreement, as `ecosystems.tabulate_exchanges` has them.
        title: what it is about.
    """
    middle, *others = actors["title"].tolist()
    ways = nx.Graph(exchanges[["giver", "taker"]].itertuples(index=False, name=None))
    names = [middle, *_order(ways, others)]
    spots = nx.shell_layout(ways, [names[:1], names[1:]], scale=2)  # the second of two shells is then at 1

    def draw(axes: Axes, page: Page) -> None:
        key = LINE * (_count_lines(names) + 1) if page.narrow else 0
        height = 380 if page.narrow else HEIGHT - 50
        axes.set(xlim=(0, page.width), ylim=(height + key, 0))
        axes.set_axis_off()
        reach = (page.width / 2 - (24 if page.narrow else 72), height / 2 - (24 if page.narrow else 40))
        places = {name: (page.width / 2 + reach[0] * x, height / 2 + reach[1] * y) for name, (x, y) in spots.items()}
        named = _name_actors(axes, places, height, page)
        axes.figure.canvas.draw()  # only then is it known how large the boxes are
        _draw_arrows(axes, exchanges, places, named, page)
        for kind, (style, colour) in STYLES.items():
            axes.plot([], [], style, color=colour, label=kind)
        axes.figure.legend(loc="outside lower left", ncols=2 if page.narrow else 4, frameon=False)

    without = int((exchanges["kind"].eq("data") & exchanges["agreement"].isna()).sum())
    alt = (
        f"{len(names)} who take part and {len(exchanges)} arrows between them. In the middle: {names[0]}. "
        f"{actors['bridge_pct'].iloc[0]:.0f} of 100 shortest ways between two others lead through there. "
        f"{count_things(without, 'exchange') if without else 'No exchange'} of data "
        f"{'has' if without < 2 else 'have'} no agreement on record. The table has every arrow."
    )
    heights = HEIGHT, 440 + LINE * (_count_lines(names) + 1)
    return make_picture(draw, exchanges, title, alt, heights, {"giver": "who gives", "taker": "who takes"})


def _order(ways: nx.Graph, others: Sequence[str]) -> list[str]:
    """Order those around the middle so that many who exchange something stand side by side."""
    left = ways.subgraph(others)
    return list(dict.fromkeys(name for one in others for name in nx.dfs_preorder_nodes(left, one)))


def _draw_arrows(axes: Axes, exchanges: pd.DataFrame, places: Places, names: Mapping[str, Text], page: Page) -> None:
    ground = {name: _measure(named, axes) for name, named in names.items()}
    room = Bbox.from_extents(0, 0, page.width, axes.get_ylim()[0]).padded(-NUMBER)
    bends = BEND * (1 + exchanges.groupby(["giver", "taker"]).cumcount())
    numbered: list[tuple[float, float]] = []
    for row, least in zip(exchanges.itertuples(index=False), bends, strict=True):
        start, end = places[str(row.giver)], places[str(row.taker)]
        style, colour = STYLES[str(row.kind)]
        others = [box for name, box in ground.items() if name not in (row.giver, row.taker)]
        bend = _choose_bend((start, end), least, others, list(ground.values()), numbered, room)
        arrow = FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=13,
            patchA=names[str(row.giver)].get_bbox_patch(),
            patchB=names[str(row.taker)].get_bbox_patch(),
            linestyle=style,
            color=colour,
            linewidth=1.7,
        )
        axes.add_patch(arrow)
        numbered.append(_follow((start, end), bend, 0.5))
        if not page.narrow:
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour}
            axes.text(
                *numbered[-1], f"{row.number}", ha="center", va="center", fontsize=page.font - 4, color=INK, bbox=box
            )


def _measure(named: Text, axes: Axes) -> Bbox:
    """Return the ground that a name and the box around it take up, on an axis that runs down."""
    (left, bottom), (right, top) = axes.transData.inverted().transform(named.get_window_extent().get_points())
    return Bbox.from_extents(left, top, right, bottom).padded(BOX)


def _follow(ends: tuple[Spot, Spot], bend: float, part: float) -> Spot:
    """Return the place that lies a part of the way along a bent arrow, on an axis that runs down."""
    (left, top), (right, bottom) = ends
    off = 2 * part * (1 - part) * bend
    return (
        left + part * (right - left) - off * (bottom - top),
        top + part * (bottom - top) + off * (right - left),
    )


def _choose_bend(
    ends: tuple[Spot, Spot],
    least: float,
    others: Sequence[Bbox],
    boxes: Sequence[Bbox],
    numbered: Sequence[Spot],
    room: Bbox,
) -> float:
    """Choose the smallest bend of an arrow that crosses no other box, and whose number has room beside all else.

    Where no bend does, it is the least.
    """
    for more in range(BENDS):
        for bend in (least + more * BEND, -least - more * BEND):
            way = [_follow(ends, bend, part / 24) for part in range(1, 24)]
            middle = Bbox.from_extents(*way[11], *way[11]).padded(NUMBER)
            if (
                not any(box.contains(*spot) for box in others for spot in way)
                and not any(box.overlaps(middle) for box in boxes)
                and room.contains(*way[11])
                and all(dist(way[11], spot) > 2 * NUMBER for spot in numbered)
            ):
                return bend
    return least


def _break(name: str) -> list[str]:
    """Break a name of the key into lines that a phone has room for."""
    return textwrap.wrap(name, NARROW_NAME)


def _count_lines(names: Sequence[str]) -> int:
    return sum(len(_break(name)) for name in names)


def _name_actors(axes: Axes, places: Places, height: float, page: Page) -> Mapping[str, Text]:
    """Write the actors below the arrows, and return the name of each, at whose box arrows end."""
    names, line = {}, 0
    for number, (name, spot) in enumerate(places.items(), start=1):
        text = str(number) if page.narrow else textwrap.fill(name, 15)
        box = {"boxstyle": "round,pad=0.35", "facecolor": "#eef2f6", "edgecolor": QUIET}
        names[name] = axes.text(
            *spot, text, ha="center", va="center", color=INK, fontsize=page.font - 2, bbox=box, zorder=0.5
        )
        for part, words in enumerate(_break(name) if page.narrow else ()):
            line += 1
            axes.text(4, height + LINE * line, f"{'' if part else number}  {words}", va="center", color=INK)
    return names
