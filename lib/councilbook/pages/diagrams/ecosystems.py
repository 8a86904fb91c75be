"""An ecosystem drawn: who takes part around whoever joins the most, with an arrow for each exchange."""

import textwrap
from collections.abc import Mapping, Sequence

import networkx as nx
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Patch

from councilbook.pages.charts import PALETTE
from councilbook.pages.pictures import INK, QUIET, Page, Picture, make_picture

STYLES = {
    "data": ("-", PALETTE[0]),
    "insight": ("--", PALETTE[2]),
    "money": (":", PALETTE[1]),
    "services": ("-.", PALETTE[3]),
}
BEND = 0.13
HEIGHT = 760  # pixels of the wide picture
LINE = 18

Places = Mapping[str, tuple[float, float]]


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
        key = LINE * (len(names) + 1) if page.narrow else 0
        height = 380 if page.narrow else HEIGHT - 50
        axes.set(xlim=(0, page.width), ylim=(height + key, 0))
        axes.set_axis_off()
        reach = (page.width / 2 - (24 if page.narrow else 72), height / 2 - (24 if page.narrow else 40))
        places = {name: (page.width / 2 + reach[0] * x, height / 2 + reach[1] * y) for name, (x, y) in spots.items()}
        boxes = _name_actors(axes, places, height, page)
        axes.figure.canvas.draw()  # only then is it known how large the boxes are
        _draw_arrows(axes, exchanges, places, boxes, page)
        for kind, (style, colour) in STYLES.items():
            axes.plot([], [], style, color=colour, label=kind)
        axes.figure.legend(loc="outside lower left", ncols=2 if page.narrow else 4, frameon=False)

    without = exchanges[exchanges["kind"].eq("data") & exchanges["agreement"].isna()]
    alt = (
        f"{len(names)} who take part and {len(exchanges)} arrows between them. {names[0]} stands in the middle: "
        f"{actors['bridge_pct'].iloc[0]:.0f} of 100 shortest ways between two others lead through it. "
        f"{len(without)} exchanges of data have no agreement on record. The table has every arrow."
    )
    heights = HEIGHT, 440 + LINE * (len(names) + 1)
    return make_picture(draw, exchanges, title, alt, heights, {"giver": "who gives", "taker": "who takes"})


def _order(ways: nx.Graph, others: Sequence[str]) -> list[str]:
    """Order those around the middle so that many who exchange something stand side by side."""
    left = ways.subgraph(others)
    return list(dict.fromkeys(name for one in others for name in nx.dfs_preorder_nodes(left, one)))


def _draw_arrows(
    axes: Axes, exchanges: pd.DataFrame, places: Places, boxes: Mapping[str, Patch | None], page: Page
) -> None:
    bends = BEND * (1 + exchanges.groupby(["giver", "taker"]).cumcount())
    for row, bend in zip(exchanges.itertuples(index=False), bends, strict=True):
        start, end = places[str(row.giver)], places[str(row.taker)]
        style, colour = STYLES[str(row.kind)]
        arrow = FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=13,
            patchA=boxes[str(row.giver)],
            patchB=boxes[str(row.taker)],
            linestyle=style,
            color=colour,
            linewidth=1.7,
        )
        axes.add_patch(arrow)
        if not page.narrow:  # the middle of the bend, on an axis that runs down
            across, down = end[0] - start[0], end[1] - start[1]
            centre = (start[0] + end[0]) / 2 - bend * down / 2, (start[1] + end[1]) / 2 + bend * across / 2
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour}
            axes.text(*centre, f"{row.number}", ha="center", va="center", fontsize=page.font - 4, color=INK, bbox=box)


def _name_actors(axes: Axes, places: Places, height: float, page: Page) -> Mapping[str, Patch | None]:
    """Write the actors below the arrows, and return the box of each, at which arrows end."""
    boxes = {}
    for number, (name, spot) in enumerate(places.items(), start=1):
        text = str(number) if page.narrow else textwrap.fill(name, 15)
        box = {"boxstyle": "round,pad=0.35", "facecolor": "#eef2f6", "edgecolor": QUIET}
        named = axes.text(
            *spot, text, ha="center", va="center", color=INK, fontsize=page.font - 2, bbox=box, zorder=0.5
        )
        boxes[name] = named.get_bbox_patch()
        if page.narrow:
            axes.text(4, height + LINE * number, f"{number}  {name}", va="center", color=INK)
    return boxes
