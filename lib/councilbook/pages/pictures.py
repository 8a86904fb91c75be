"""A picture: drawn for a wide page and for a phone, with what it shows in words and the data behind it; its labels too.

It is drawn twice, as one that is only scaled down cannot be read at 320 px.
"""

import base64
import io
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from councilbook.errors import CouncilbookError
from councilbook.pages.html.figures import check_alternative, offer_picture, write_data_uri
from councilbook.pages.html.pieces import render_template
from councilbook.pages.html.tables import table

INK = "#1b1f24"
QUIET = "#5a6470"
GRID = "#dfe3e8"
MOST_ROWS = 60
CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # keeps a line from crossing words
NARROW_NAME = 40  # letters in a line of 340 pixels
STYLE: dict[Any, Any] = {
    # DejaVu comes with matplotlib, so every machine measures text alike; Verdana, which readers have, is as wide.
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "svg.fonttype": "none",
    "svg.hashsalt": "councilbook",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 1.0,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.2,
    "lines.markersize": 6.5,
}


@dataclass(frozen=True)
class Page:
    """The room that a chart is drawn for; one unit is one CSS pixel."""

    width: int
    font: float
    narrow: bool


WIDE = Page(width=720, font=14, narrow=False)
NARROW = Page(width=340, font=13, narrow=True)


@dataclass(frozen=True)
class Picture:
    """A chart, what it shows in words, and the data behind it.

    Raises:
        CouncilbookError: the text alternative does not describe the picture.
    """

    svg: str
    title: str
    alt: str
    data: pd.DataFrame
    narrow_svg: str
    sizes: tuple[tuple[int, int], tuple[int, int]]  # width and height in pixels: wide, narrow
    headers: Mapping[str, str]  # by column of the data, the words above it

    def __post_init__(self) -> None:
        """Refuse a picture without a description."""
        check_alternative(self.title, self.alt)

    def _repr_html_(self) -> str:
        shown = self.data.head(MOST_ROWS)
        page = render_template(
            "picture.html.j2",
            title=self.title,
            alt=self.alt,
            wide=write_data_uri(self.svg, "image/svg+xml"),
            narrow="data:image/svg+xml;base64," + base64.b64encode(self.narrow_svg.encode()).decode(),
            sizes=self.sizes,
            table=table(shown, f"Data: {self.title}", headers=self.headers),
            rows=len(self.data),
            shown=len(shown),
            downloads=offer_picture(self.svg, self.title, self.alt, self.sizes[0], self.data),
        )
        return page.text


def make_picture(
    draw: Callable[[Axes, Page], None],
    data: pd.DataFrame,
    title: str,
    alt: str,
    heights: tuple[int, int],
    headers: Mapping[str, str],
) -> Picture:
    """Draw a picture for a wide page and for a phone.

    Args:
        draw: draws on the axes for a page.
        data: what it shows, to be read as a table.
        title: what it is about.
        alt: what it shows, in sentences; the ** of bold words are left out.
        heights: in pixels, wide and narrow.
        headers: by column of the data, the words above it.

    Raises:
        CouncilbookError: there are no data, or no description.
    """
    if data.empty:
        raise CouncilbookError(f"Picture {title!r}: there are no data to draw.")
    wide, narrow = (_draw_svg(draw, page, height) for page, height in zip((WIDE, NARROW), heights, strict=True))
    return Picture(
        svg=wide,
        title=title,
        alt=alt.replace("**", ""),
        data=data.reset_index(drop=True),
        narrow_svg=narrow,
        sizes=((WIDE.width, heights[0]), (NARROW.width, heights[1])),
        headers=headers,
    )


def _draw_svg(draw: Callable[[Axes, Page], None], page: Page, height: int) -> str:
    with rc_context({**STYLE, "font.size": page.font}):
        # an SVG of matplotlib counts in points of 1/72 inch; so drawn, one of them is one pixel of the page
        figure = Figure(figsize=(page.width / 72, height / 72), layout="constrained", facecolor="white")
        draw(figure.add_subplot(), page)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")), dpi=100)
    text = " ".join(buffer.getvalue().split())
    return re.sub(r'(width|height)="(\d+)pt"', r'\1="\2"', text[text.index("<svg") :], count=2)


def row_heights(names: "pd.Series[str]") -> tuple[int, int]:
    """Say how high a chart with so many named rows is, on a wide page and on a phone."""
    lines = max((len(textwrap.wrap(str(name), NARROW_NAME)) for name in names), default=1)
    return 90 + 34 * len(names), 100 + (30 + 16 * lines) * len(names)


def name_rows(axes: Axes, names: "pd.Series[str]", page: Page) -> None:
    """Name horizontal rows: beside them where there is room, above them on a phone."""
    axes.set_ylim(len(names) - 0.5, -0.75 if page.narrow else -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if not page.narrow:
        axes.set_yticks(range(len(names)), [textwrap.fill(str(name), 36) for name in names])
        return
    axes.set_yticks([])
    for row, name in enumerate(names):
        text = textwrap.fill(str(name), NARROW_NAME)
        place = axes.annotate(text, (0, row - 0.27), xycoords=axes.get_yaxis_transform(), va="bottom", bbox=CLEAR)
        place.set_in_layout(False)  # a long name must not press the chart together


def label_rows(axes: Axes, label: str, page: Page) -> None:
    """Say below named rows what their values are: beside the names there is less room than on a whole page."""
    axes.set_xlabel(textwrap.fill(label, 40 if page.narrow else 60))


def write_value(axes: Axes, x: float, row: float, text: str) -> None:
    """Write a value beside the end of its row."""
    axes.annotate(text, (x, row), xytext=(7, 0), textcoords="offset points", va="center", bbox=CLEAR)


def draw_reference(axes: Axes, reference: float | None, label: str, page: Page) -> None:
    """Draw a line across all rows at a value to compare with, if there is one, and name it."""
    if reference is None:
        return
    axes.axvline(reference, color=INK, linestyle=(0, (5, 3)), linewidth=1.8, zorder=1.5)
    if label:
        name_upright(axes, reference, label, page)


def name_upright(axes: Axes, x: float, text: str, page: Page) -> None:
    """Name an upright line at its top."""
    axes.annotate(
        text,
        (x, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=page.font - 1,
        color=INK,
    )


def wrap(text: str, page: Page) -> str:
    """Break words into lines that the page has room for."""
    return textwrap.fill(text, 40 if page.narrow else 90)
