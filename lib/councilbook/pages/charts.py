"""Charts: lines, fans, bars, intervals, dots and funnels.

Colours are those of Okabe and Ito (2008, "Color Universal Design") that stand out on white by 3:1 or more; a marker or
a label always says the same as a colour.
"""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from councilbook.errors import CouncilbookError
from councilbook.pages.pictures import (
    INK,
    NARROW_NAME,
    QUIET,
    Page,
    Picture,
    draw_reference,
    label_rows,
    make_picture,
    name_rows,
    name_upright,
    row_heights,
    wrap,
    write_value,
)

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7")  # blue, vermillion, green, black, purple
MARKERS = ("o", "s", "^", "D", "v")
MOST_VECTOR_POINTS = 250
PANELS = 3  # side by side on a wide page
OTHERS = "#b4bcc4"
LAST_YEAR = 9999  # greater numbers are none, and have their thousands set apart


def draw_lines(
    frame: pd.DataFrame,
    x: str,
    y: str,
    series: str,
    *,
    title: str,
    alt: str,
    x_label: str,
    y_label: str,
    breaks: Mapping[float, str] | None = None,
) -> Picture:
    """Draw a line a series, each named at its end.

    Args:
        frame: a row for each series and x.
        x: column of numbers, such as years.
        y: column of numbers; the axis begins at zero.
        series: column that says which line a row belongs to; five at most.
        title: what the chart is about.
        alt: what it shows, in sentences.
        x_label: words for the x axis.
        y_label: words for the y axis, with the unit.
        breaks: where on x something changed that makes the two sides incomparable, and what; no line crosses it.
    """
    names = _list_lines(frame[series], title)
    ordered = frame.sort_values(x, kind="stable")
    breaks = breaks or {}

    def draw(axes: Axes, page: Page) -> None:
        _draw_breaks(axes, breaks, page)
        pad = (44 if page.narrow else 30) if breaks else 10
        for name, colour, marker in zip(names, PALETTE, MARKERS, strict=False):
            line = ordered[ordered[series] == name]
            side = np.searchsorted(sorted(breaks), line[x].to_numpy(dtype=float))
            words = textwrap.fill(str(name), NARROW_NAME - 6)
            for number, part in enumerate(line[side == one] for one in np.unique(side)):
                axes.plot(part[x], part[y], color=colour, marker=marker, label=None if number else words)
        axes.set_ylim(bottom=min(0, float(frame[y].min())), top=float(frame[y].max()) * 1.12)
        _tick_along(axes, frame[x], page)
        axes.set_xlabel(wrap(x_label, page))
        axes.set_title(wrap(y_label, page), loc="left", fontsize=page.font, pad=pad)
        if page.narrow:
            axes.figure.legend(loc="outside lower left", frameon=False)
        else:
            _name_lines(axes, ordered, x, y, series, names)

    return make_picture(draw, frame[[series, x, y]], title, alt, (400, 400 + 22 * len(names)), {x: x_label, y: y_label})


def draw_fan(
    frame: pd.DataFrame,
    x: str,
    y: str,
    low: str,
    high: str,
    series: str,
    *,
    title: str,
    alt: str,
    x_label: str,
    y_label: str,
) -> Picture:
    """Draw a line a series with its interval as a band around it, each in a panel of its own beside the other lines.

    Bands over each other cannot be read; panels on one scale can be compared.

    Args:
        frame: a row for each series and x.
        x: column of numbers, such as years.
        y: column of numbers; the axis begins at zero.
        low: column with the lower end of the interval.
        high: column with its upper end.
        series: column that says which line a row belongs to; five at most.
        title: what the chart is about.
        alt: what it shows, in sentences.
        x_label: words for the x axis.
        y_label: words for the y axis, with the unit and the level of the interval.

    Raises:
        CouncilbookError: there are too many lines, no data, or no description.
    """
    names = _list_lines(frame[series], title)
    ordered = frame.sort_values(x, kind="stable")
    top = max(float(frame[high].max()), 1e-9) * 1.05

    def draw(axes: Axes, page: Page) -> None:
        for panel, name in zip(_split_panels(axes, len(names), page), names, strict=True):
            for other in names:
                line = ordered[ordered[series] == other]
                panel.plot(line[x], line[y], color=OTHERS, linewidth=1.2, marker="", zorder=1)
            line = ordered[ordered[series] == name]
            panel.fill_between(line[x], line[low], line[high], color=PALETTE[0], alpha=0.25, linewidth=0)
            panel.plot(line[x], line[y], color=PALETTE[0], marker="o", markersize=5)
            panel.set_ylim(bottom=min(0, float(frame[low].min())), top=top)
            if len(names) > 1:
                panel.set_title(textwrap.fill(str(name), 38), loc="left", fontsize=page.font - 1)
            _tick_along(panel, frame[x], page, few=len(names) > 1)
            panel.yaxis.set_major_formatter(_write_tick)
            if frame[x].max() > LAST_YEAR:
                panel.xaxis.set_major_formatter(_write_tick)
        panel.figure.supxlabel(wrap(x_label, page), fontsize=page.font)
        panel.figure.suptitle(
            wrap(y_label + "; grey: the others" * (len(names) > 1), page), x=0.01, ha="left", fontsize=page.font
        )

    headers = {x: x_label, y: y_label, low: "lower end", high: "upper end"}
    rows = -(-len(names) // PANELS)
    heights = (420 if len(names) == 1 else 90 + 200 * rows, 400 if len(names) == 1 else 90 + 190 * len(names))
    return make_picture(draw, frame[[series, *headers]], title, alt, heights, headers)


def _split_panels(axes: Axes, count: int, page: Page) -> list[Axes]:
    """Put panels that share their scales in the place of one: three beside each other, on a phone one below another."""
    if count == 1:
        return [axes]
    figure = axes.figure
    axes.remove()
    columns = 1 if page.narrow else min(PANELS, count)
    rows = -(-count // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    for panel in grid[:count]:
        panel.tick_params(labelbottom=True)
    return list(grid[:count])


def _list_lines(series: "pd.Series[Any]", title: str) -> list[Any]:
    """List the lines of a chart, in the order in which they come; more than have a colour cannot be told apart."""
    names = list(series.unique())
    if len(names) > len(PALETTE):
        raise CouncilbookError(
            f"Picture {title!r}: {len(names)} lines cannot be told apart; draw {len(PALETTE)} at most."
        )
    return names


def _tick_along(axes: Axes, along: "pd.Series[Any]", page: Page, *, few: bool = False) -> None:
    """Tick the x axis of lines, at whole numbers if all of theirs are."""
    whole = pd.api.types.is_integer_dtype(along)
    axes.xaxis.set_major_locator(MaxNLocator(integer=whole, nbins=3 if few else 5 if page.narrow else 9))
    axes.grid(axis="x", visible=False)


def _write_tick(number: float, _: float) -> str:
    return f"{number:,g}"


def _draw_breaks(axes: Axes, breaks: Mapping[float, str], page: Page) -> None:
    for where, what in breaks.items():
        axes.axvline(where, color=QUIET, linestyle=(0, (4, 3)), linewidth=1.5)
        name_upright(axes, where, textwrap.fill(what, 10) if page.narrow else what, page)  # two may be close


def _name_lines(axes: Axes, frame: pd.DataFrame, x: str, y: str, series: str, names: list[Any]) -> None:
    """Write each line's name beside its last point, or above the line where it ends early; keep names apart."""
    last = frame.dropna(subset=[y]).groupby(series, sort=False).last().loc[names]
    bottom, top = axes.get_ylim()
    gap = (top - bottom) * 0.07
    lowest = -np.inf
    for name, point in last[last[x] == last[x].max()].sort_values(y).iterrows():
        lowest = max(float(point[y]), lowest + gap)
        axes.annotate(str(name), (point[x], lowest), xytext=(10, 0), textcoords="offset points", va="center")
    for name in last.index[last[x] < last[x].max()]:
        line = frame[frame[series] == name]
        place = (line[x].mean(), line[y].max())
        axes.annotate(str(name), place, xytext=(0, 10), textcoords="offset points", ha="center", va="bottom")


def draw_bars(
    frame: pd.DataFrame,
    category: str,
    value: str,
    *,
    title: str,
    alt: str,
    label: str,
    low: str | None = None,
    high: str | None = None,
    reference: float | None = None,
    reference_label: str = "",
    number: str = ",.1f",
) -> Picture:
    """Draw a horizontal bar a row, the first row on top, with the value written at its end.

    Args:
        frame: one row a bar, in the order wanted.
        category: column with the bars' names.
        value: column of numbers; bars begin at zero, and go left where they are below it.
        title: what the chart is about.
        alt: what it shows, in sentences.
        label: words for the values, with the unit.
        low: column with the lower end of an interval around the value.
        high: column with its upper end.
        reference: a value to compare with, drawn as a line across all bars.
        reference_label: what that value is.
        number: Python format specification of the values written.
    """
    rows = range(len(frame))
    values = frame[value].to_numpy(dtype=float)
    ends = values if high is None else np.fmax(values, frame[high].to_numpy(dtype=float))

    def draw(axes: Axes, page: Page) -> None:
        axes.barh(rows, values, height=0.42 if page.narrow else 0.66, color=PALETTE[0])
        if low is not None and high is not None:
            axes.hlines(rows, frame[low], frame[high], color=INK, linewidth=2)
            axes.plot(frame[low], rows, "|", frame[high], rows, "|", color=INK, markersize=9, markeredgewidth=2)
        for row, end, one in zip(rows, ends, values, strict=True):
            if np.isfinite(one):
                write_value(axes, max(end, 0.0), row, format(one, number))  # below zero there is the bar
        axes.xaxis.set_major_locator(
            MaxNLocator("auto", integer=number.endswith((".0f", "d")), steps=[1, 2, 2.5, 5, 10])
        )
        axes.set_xlim(min(0, float(np.nanmin(values))) * 1.05, max(float(np.nanmax(ends)), 0.0) * 1.15)
        name_rows(axes, frame[category], page)
        draw_reference(axes, reference, reference_label, page)
        label_rows(axes, label, page)

    interval = {name: words for name, words in ((low, "lower end"), (high, "upper end")) if name}
    columns = [category, value, *interval]
    return make_picture(draw, frame[columns], title, alt, row_heights(frame[category]), {value: label} | interval)


def draw_intervals(
    frame: pd.DataFrame,
    category: str,
    estimate: str,
    low: str,
    high: str,
    *,
    title: str,
    alt: str,
    label: str,
    reference: float | None = 1.0,
    reference_label: str = "",
    log: bool = False,
    number: str | None = ",.2f",
) -> Picture:
    """Draw an estimate with its interval a row, the first row on top; on a log axis for ratios.

    Args:
        frame: one row an estimate, in the order wanted.
        category: column with the rows' names.
        estimate: column of numbers, as odds ratios.
        low: column with the lower end of the interval.
        high: column with its upper end.
        title: what the chart is about.
        alt: what it shows, in sentences.
        label: words for the estimates, with the unit and the level of the interval.
        reference: the value that means 'no difference', drawn as a line across.
        reference_label: what that value is.
        log: whether equal ratios are equally far apart.
        number: Python format specification of the values written; None writes none, where all rows have the same.
    """
    rows = range(len(frame))

    def draw(axes: Axes, page: Page) -> None:
        if log:
            axes.set_xscale("log")
        draw_reference(axes, reference, reference_label, page)
        axes.hlines(rows, frame[low], frame[high], color=PALETTE[0], linewidth=3)
        axes.plot(frame[estimate], rows, "o", color=PALETTE[0], markersize=9)
        if number is not None:
            for row, end, one in zip(rows, frame[high], frame[estimate], strict=True):
                write_value(axes, end, row, format(one, number))
        first, last = axes.get_xlim()
        axes.set_xlim(first, last * (last / first) ** 0.12 if log else last + (last - first) * 0.12)
        few_ticks = MaxNLocator(nbins=4 if page.narrow else 7, steps=[1, 2, 5, 10])
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if log and last > 10 * first else few_ticks)
        axes.xaxis.set_major_formatter(_write_tick)
        axes.xaxis.set_minor_locator(NullLocator())
        name_rows(axes, frame[category], page)
        label_rows(axes, label, page)

    headers = {estimate: label, low: "lower end", high: "upper end"}
    return make_picture(draw, frame[[category, *headers]], title, alt, row_heights(frame[category]), headers)


def draw_scatter(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    title: str,
    alt: str,
    x_label: str,
    y_label: str,
    diagonal: bool = False,
) -> Picture:
    """Draw a point a row, with a line where both are equal if asked for.

    Many points are drawn as pixels inside the SVG, which keeps the page small.
    """
    points = frame[[x, y]].dropna()

    def draw(axes: Axes, page: Page) -> None:
        if diagonal:
            ends = (float(points.min().min()), float(points.max().max()))
            axes.plot(ends, ends, color=INK, linestyle=(0, (4, 3)), linewidth=1.5)
            axes.annotate("equal", ends[1:] * 2, xytext=(-8, 2), textcoords="offset points", ha="right", va="bottom")
        axes.scatter(
            points[x],
            points[y],
            s=22 if page.narrow else 34,
            color=PALETTE[0],
            alpha=0.55,
            linewidths=0,
            rasterized=len(points) > MOST_VECTOR_POINTS,
        )
        axes.set_xlabel(wrap(x_label, page))
        axes.set_title(wrap(y_label, page), loc="left", fontsize=page.font, pad=10)

    return make_picture(draw, points, title, alt, (480, 360), {x: x_label, y: y_label})


def draw_funnel(
    frame: pd.DataFrame,
    x: str,
    y: str,
    name: str,
    limits: pd.DataFrame,
    *,
    title: str,
    alt: str,
    x_label: str,
    y_label: str,
    reference: float,
) -> Picture:
    """Draw a point a row against the size that its noise depends on, between limits (Spiegelhalter 2005).

    Args:
        frame: one row a point; those beyond the narrowest limits are numbered, and named below.
        x: column of sizes.
        y: column of values.
        name: column with the points' names.
        limits: band (what the limits are, in words; two at most, the widest first), and x, low and high of each.
        title: what the chart is about.
        alt: what it shows, in sentences.
        x_label: words for the x axis.
        y_label: words for the y axis, with the unit.
        reference: the value in the middle, drawn as a line.
    """
    points = frame[[name, x, y]].dropna()
    bands = list(limits.groupby("band", sort=False))
    inner = bands[-1][1].sort_values("x")
    ends = [np.interp(points[x].to_numpy(float), inner["x"], inner[end]) for end in ("low", "high")]
    beyond = points[(points[y] < ends[0]) | (points[y] > ends[1])].sort_values([x, y])
    more = 22 * len(beyond)

    def draw(axes: Axes, page: Page) -> None:
        for (band, rows), colour, dashes in zip(bands, PALETTE[1:], ("solid", (0, (5, 3))), strict=False):
            words = textwrap.fill(str(band), NARROW_NAME - 6 if page.narrow else 90)
            for end in ("low", "high"):
                axes.plot(rows["x"], rows[end], color=colour, linestyle=dashes, label=words if end == "low" else None)
        axes.axhline(reference, color=QUIET, linewidth=1.5, label=f"average, {reference:.1f}")
        axes.plot(points[x], points[y], "o", color=PALETTE[0])
        for number, (_, row) in enumerate(beyond.iterrows(), start=1):
            axes.annotate(str(number), (row[x], row[y]), xytext=(6, -6), textcoords="offset points", va="center")
            axes.plot([], [], "o", color=PALETTE[0], label=f"{number}: {row[name]}")
        axes.set_xlim(0, float(limits["x"].max()))
        axes.set_xlabel(wrap(x_label, page))
        axes.set_title(wrap(y_label, page), loc="left", fontsize=page.font, pad=10)
        axes.figure.legend(loc="outside lower left", frameon=False, ncols=1)

    return make_picture(draw, points, title, alt, (520 + more, 480 + more), {name: "name", x: x_label, y: y_label})
