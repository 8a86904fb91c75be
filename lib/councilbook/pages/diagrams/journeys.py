"""The journey of data drawn: a lane a step, from what goes in on the left to what comes out on the right."""

import textwrap
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from councilbook.pages.charts import PALETTE
from councilbook.pages.pictures import INK, NARROW, QUIET, WIDE, Page, Picture, make_picture

LINE = 19  # pixels
GAP = 26  # between lanes
LETTERS = (30, 40)  # in a line, on a wide page and on a phone
TITLE = (17, 38)  # the same, in bold
NAMED = 3  # open sources that a lane names; the table has all
COLOURS = {"closed": PALETTE[1], "shared": PALETTE[4], "open": PALETTE[2], "made before": PALETTE[0]}


@dataclass(frozen=True)
class _Lane:
    """A step: its title, and what goes in and comes out, each with the kind that colours its mark."""

    title: str
    takes: list[tuple[str, str]]
    gives: list[tuple[str, str]]


def draw_journey(rows: pd.DataFrame, *, title: str) -> Picture:
    """Draw the journey of data through a study; the text alternative says of each step what goes in and comes out.

    Args:
        rows: as `journey.describe_journey` returns them.
        title: what it is about.
    """
    steps = list(rows.groupby("notebook", sort=False))
    numbers = {str(name): number for number, (name, _) in enumerate(steps, start=1)}
    lanes = [_make_lane(part, numbers) for _, part in steps]

    def draw(axes: Axes, page: Page) -> None:
        axes.set(xlim=(0, page.width), ylim=(_measure(lanes, page), 0))
        axes.set_axis_off()
        top = 0.0
        for lane in lanes:
            (_draw_stacked if page.narrow else _draw_beside)(axes, lane, top)
            top += _count_lines(lane, page) * LINE + GAP

    heights = _measure(lanes, WIDE), _measure(lanes, NARROW)
    alt = " ".join([f"{len(lanes)} steps, from top to bottom.", *(_tell_step(part) for _, part in steps)])
    headers = {"notebook_title": "step", "item_title": "what", "direction": "in or out"}
    shown = rows[["notebook_title", "direction", "item_title", "kind", "spectrum"]]
    return make_picture(draw, shown, title, alt, heights, headers)


def _make_lane(part: pd.DataFrame, numbers: dict[str, int]) -> _Lane:
    takes, gives = part[part["direction"] == "in"], part[part["direction"] == "out"]
    sources, before = takes[takes["kind"] == "source"], takes[takes["kind"] == "dataset"]
    named = sources[sources["spectrum"] != "open"]
    entering = [
        (kind, f"{kind.capitalize()}: {what}")
        for kind, what in named[["spectrum", "item_title"]].itertuples(index=False)
    ]
    if free := sources.loc[sources["spectrum"] == "open", "item_title"].tolist():
        rest = len(free) - NAMED
        entering.append(("open", f"Open: {'; '.join(free[:NAMED])}{f'; and {rest} more' if rest > 0 else ''}"))
    for maker, group in before.groupby("steward", sort=False):
        what = group["item_title"].iloc[0] if len(group) == 1 else f"{len(group)} datasets"
        entering.append(("made before", f"From step {numbers[str(maker)]}: {what}"))
    leaving = [
        (kind, what if kind == "open" else f"{what} ({kind})")
        for kind, what in gives[["spectrum", "item_title"]].itertuples(index=False)
    ]
    title = f"{numbers[part['notebook'].iloc[0]]}. {part['notebook_title'].iloc[0]}"
    return _Lane(title, entering or [("open", "Only the catalogue")], leaving or [("open", "The report")])


def _tell_step(part: pd.DataFrame) -> str:
    takes = part[part["direction"] == "in"]
    counts = takes.loc[takes["kind"] == "source", "spectrum"].value_counts()
    sources = [f"{counts[kind]} {kind}" for kind in ("closed", "shared", "open") if kind in counts]
    before, made = int((takes["kind"] == "dataset").sum()), int((part["direction"] == "out").sum())
    return (
        f"{part['notebook_title'].iloc[0]}: sources that go in, {' and '.join(sources) or 'none'}; datasets of earlier "
        f"steps, {before or 'none'}; datasets that come out, {made or 'none'}."
    )


def _wrap(entries: list[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """Break each entry into lines; only its first has the kind."""
    lines = [(kind, textwrap.wrap(text, width)) for kind, text in entries]
    return [(kind if number == 0 else "", line) for kind, broken in lines for number, line in enumerate(broken)]


def _count_lines(lane: _Lane, page: Page) -> int:
    title = len(textwrap.wrap(lane.title, TITLE[page.narrow])) + 1
    takes, gives = (len(_wrap(part, LETTERS[page.narrow])) for part in (lane.takes, lane.gives))
    return title + takes + gives + 1 if page.narrow else max(title, takes, gives)


def _measure(lanes: list[_Lane], page: Page) -> int:
    return sum(_count_lines(lane, page) * LINE + GAP for lane in lanes)


def _draw_beside(axes: Axes, lane: _Lane, top: float) -> None:
    height = _count_lines(lane, WIDE) * LINE
    _write(axes, _wrap(lane.takes, LETTERS[0]), 4, top)
    _write(axes, _wrap(lane.gives, LETTERS[0]), 474, top)
    _draw_box(axes, textwrap.wrap(lane.title, TITLE[0]), (276, top), 162, height)
    for start in (258, 442):
        _draw_arrow(axes, (start, top + height / 2), (start + 16, top + height / 2))


def _draw_stacked(axes: Axes, lane: _Lane, top: float) -> None:
    title = textwrap.wrap(lane.title, TITLE[1])
    takes = _wrap(lane.takes, LETTERS[1])
    _write(axes, takes, 4, top)
    below = top + len(takes) * LINE + 4
    _draw_box(axes, title, (4, below), 330, (len(title) + 0.6) * LINE)
    below += (len(title) + 0.6) * LINE
    _draw_arrow(axes, (170, below), (170, below + 12))
    _write(axes, _wrap(lane.gives, LETTERS[1]), 4, below + 14)


def _draw_box(axes: Axes, lines: list[str], corner: tuple[float, float], width: float, height: float) -> None:
    box = FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=6", fc="#eef2f6", ec=QUIET)
    axes.add_patch(box)
    centre = corner[0] + width / 2, corner[1] + height / 2
    axes.text(*centre, "\n".join(lines), ha="center", va="center", color=INK, fontweight="bold")


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.6})


def _write(axes: Axes, lines: list[tuple[str, str]], left: float, top: float) -> None:
    for number, (kind, line) in enumerate(lines):
        middle = top + (number + 0.5) * LINE
        if kind:
            axes.plot([left + 3], [middle], "s", color=COLOURS[kind], markersize=8, clip_on=False)
        axes.text(left + 14, middle, line, va="center", color=INK)
