"""Disclosure control of tables of counts and shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from councilbook.catalogue import CountRule
from councilbook.errors import CheckError
from councilbook.gate.disclosure.tables.cells import (
    Cells,
    Flags,
    Layout,
    Numbers,
    Protected,
    align_rows,
    bound_cells,
    build_cells,
)
from councilbook.gate.disclosure.tables.secondary import (
    Aim,
    Pattern,
    choose_secondary,
    count_hidden,
    record_hidden,
)


@dataclass(frozen=True)
class CountTable:
    """A table of counts as every step of the gate takes it, read once.

    Attributes:
        frame, rule: the table as it came, and its declaration.
        exact: its counts, as whole numbers.
        cells: these and the sums between them.
        known: what each earlier version says of each cell, at least and at most; see `read_intervals`.
        aim: what must not be shown, and what must not be concluded.
    """

    frame: pd.DataFrame
    rule: CountRule
    exact: pd.DataFrame
    cells: Cells
    known: Sequence[tuple[Numbers, Numbers]]
    aim: Aim


@dataclass(frozen=True)
class ProtectedCounts(Protected):
    """A table of counts after disclosure control, and what it was made of."""

    table: CountTable
    pattern: Pattern


def protect_counts(
    frame: pd.DataFrame,
    rule: CountRule,
    key: Sequence[str],
    earlier: Sequence[pd.DataFrame] = (),
) -> ProtectedCounts:
    """Suppress small counts and those that would give them back, round the others, then take totals and shares.

    1. Primary: a count from 1 to below the threshold could point at a person. So could what is left of a whole beside
       a part of it, what is left when a reader takes off those that a register shows (`rest`), and, if the rule says
       so, a count of 0 or a part that is the whole. Counts that a register gives to whoever counts its rows (`public`)
       are shown, however small.
    2. Secondary: more counts go, until what a reader can conclude of an unsafe one from the sums covers all from 1, or
       from 0 if it is 0, to the threshold. The reader is taken to know each shown count exactly, and the true totals.
    3. The counts that are left are rounded.
    4. Totals are summed anew from those, unless the rule publishes the true ones rounded. A total of which nothing is
       left is missing. A sum within a row (`adds_up`) is a count in its own right, which shares are taken of: it is
       only rounded.
    5. Shares are computed from the counts that are shown, as shares of exact ones would give these back. The share of a
       total of what is left is missing if part and whole have lost counts of different rows, as it would compare sums
       over different people. The small counts are the ones that go, so a share of the rest alone would be too large.

    Totals of what is left and their shares give nothing away: each is computed from counts that are in the table, as
    any reader could do.

    Args:
        frame: a long table; columns that the rule does not name keep their values.
        rule: its declaration.
        key: the fields that together name a row once.
        earlier: versions of the table that were published. To suppress what they show would protect nothing.

    Returns:
        The table, without the columns that are read only, with a column is_suppressed: whether a count of the row was
        blanked. Where totals are of what is left, is_partial says whether one that is shown lacks counts below it. What
        would narrow a suppressed count down, as how many are small themselves and what they sum to, is for the approver
        alone.

    Raises:
        CheckError: counts are not whole numbers of 0 or more, or do not add up as the rule says.
        ReleaseRefusedError: a count stays exposed, whatever is suppressed.
    """
    table = read_table(frame, rule, key, earlier)
    return suppress_counts(table, choose_secondary(table.cells, table.aim, rule.solver_seconds))


def withhold_more(safe: ProtectedCounts, withhold: pd.DataFrame) -> ProtectedCounts:
    """Suppress more of a table that is safe by itself, as other tables would help to work small counts out.

    Args:
        safe: the table.
        withhold: by row and count, what is suppressed beside what is so already.
    """
    cells = safe.table.cells
    also = cells.line_up(withhold[safe.table.rule.counts].to_numpy(), False) & cells.is_published
    return suppress_counts(safe.table, replace(safe.pattern, hidden=safe.pattern.hidden | also))


def know_about(table: CountTable) -> CountTable:
    """Let what earlier versions show be suppressed: a reader still knows about how much it is, where that holds."""
    cells, aim = table.cells, table.aim
    lower, upper = aim.floor, np.full(len(cells.numbers), np.inf)
    for low, high in table.known:
        holds = (cells.numbers >= low) & (cells.numbers <= high)
        lower, upper = np.where(holds, np.maximum(lower, low), lower), np.where(holds, np.minimum(upper, high), upper)
    about = np.isfinite(upper) & (cells.numbers > 0) & ~cells.find_columns(table.rule.public)
    return replace(table, aim=replace(aim, floor=lower, ceiling=upper, shown=aim.shown & ~about))


def suppress_counts(table: CountTable, pattern: Pattern) -> ProtectedCounts:
    """Suppress counts, round the others, and take totals and shares of these; see `protect_counts`."""
    frame, rule = table.frame, table.rule
    hidden = pd.DataFrame(table.cells.lay_out(pattern.hidden), frame.index, rule.counts)
    rounded = table.exact.apply(round_counts, base=rule.round_to).mask(hidden)
    shown, partial = _sum_what_is_left(table.cells, rounded, rule)
    blanked = table.exact.notna() & shown.isna()
    safe = frame.drop(columns=rule.inputs).assign(**shown, is_suppressed=blanked.any(axis="columns"))
    if rule.totals_of_what_is_left:
        safe["is_partial"] = partial.any(axis="columns")
    for column, (part, whole) in rule.shares.items():
        is_same = _find_same_rows(table.cells, rounded, rule, [part, whole])
        safe[column] = (100 * safe[part] / safe[whole].where(is_same & (safe[whole] != 0))).astype("Float64").round(1)
    record, for_approver = _record(table, pattern, rounded, shown)
    return ProtectedCounts(safe, hidden, record, for_approver, table, pattern)


def read_table(frame: pd.DataFrame, rule: CountRule, key: Sequence[str], earlier: Sequence[pd.DataFrame]) -> CountTable:
    """Take a table apart and lay each earlier version beside it; arguments and errors as of `protect_counts`."""
    exact = read_counts(frame, rule.counts)
    cells = build_cells(frame.assign(**exact), key, rule.counts, rule.totals, rule.adds_up, rule.parts)
    known = [read_intervals(version, cells, rule) for version in earlier]
    shown_before = np.zeros(len(cells.numbers), dtype=bool)
    for low, high in known:
        shown_before |= (cells.numbers >= low) & (cells.numbers <= high) & np.isfinite(high)
    rest = frame[rule.inputs].set_axis(list(rule.rest), axis="columns").reindex(columns=rule.counts).astype("Float64")
    left = cells.line_up(rest.to_numpy(dtype="float64", na_value=np.nan), np.nan)
    return CountTable(
        frame, rule, exact, cells, known, aim_at_counts(cells, rule, shown_before & cells.is_published, left)
    )


def read_counts(frame: pd.DataFrame, counts: Sequence[str]) -> pd.DataFrame:
    """Return the columns of counts as whole numbers.

    Raises:
        CheckError: they are not whole.
    """
    numbers = frame[list(counts)].astype("Float64")
    if broken := int((numbers % 1).gt(0).sum().sum()):
        raise CheckError(f"Expected whole numbers in {', '.join(counts)}, but {broken} are not.")
    return numbers.astype("Int64")


def round_counts(counts: pd.Series, base: int) -> pd.Series:
    """Round whole numbers to the nearest multiple of a base, halves to the even multiple."""
    return ((counts / base).round() * base).astype("Int64")


def aim_at_counts(cells: Cells, rule: CountRule, shown_before: Flags, rest: Numbers) -> Aim:
    """Say which counts are unsafe, and what a reader must not conclude of them.

    Beside small counts these are small remainders of a whole, and missing counts that the others show to be small.

    Args:
        cells: the table.
        rule: its declaration.
        shown_before: cells that readers know from earlier releases.
        rest: of each cell, how many of it no register shows; NaN where it shows none, or nobody can tell.
    """
    numbers, size = cells.numbers, len(cells.keys) * len(cells.columns)
    implied = np.arange(len(numbers)) >= size
    missing = ~cells.is_published & ~implied
    public = cells.find_columns(rule.public) & ~missing
    taken_off = np.nan_to_num(numbers - rest)
    high, unlimited = taken_off + rule.threshold, np.full(len(numbers), np.inf)
    unsafe = (numbers > 0) & (numbers < rule.threshold) & ~missing
    unsafe |= (rest > 0) & (rest < rule.threshold) & ~missing
    if rule.zeros == "suppress":
        unsafe |= (numbers == 0) & cells.is_published
    if rule.full == "suppress":
        wholes = ((cells.relations < 0) @ numbers)[cells.relations[:, size:].tocsc().indices]
        unsafe[size:] |= (numbers[size:] == 0) & (wholes > 0)
    if missing.any():
        least, most = np.where(cells.is_published, numbers, 0), np.where(cells.is_published, numbers, np.inf)
        _, most = bound_cells(cells.relations, least, most, missing, unlimited, high)
        unsafe |= missing & (most >= 1) & (most < rule.threshold)
    unsafe &= ~public
    seen = cells.is_published & (rule.zeros == "show")
    floor = np.where(seen, np.minimum(numbers, taken_off + 1), 0)  # where zeros are shown, a suppressed count is none
    zero = seen & (numbers == 0)
    # even if all else is suppressed, a sum is no less than its parts can be, and a part no more than a public whole
    floor = np.where(public, numbers, floor)
    most = np.where(zero | public, numbers, np.inf)
    reach = np.minimum(numbers, floor)
    low, top = bound_cells(cells.relations, floor, most, unsafe, reach, high if public.any() else unlimited)
    high = np.where(unsafe & np.isfinite(top), np.minimum(high, top), high)
    return Aim(unsafe, np.where(unsafe, low, floor), high, floor, shown_before | zero | public)


def read_intervals(version: pd.DataFrame, layout: Layout, rule: CountRule) -> tuple[Numbers, Numbers]:
    """Return what a published version says of the cells of a table: each at least and at most.

    A count that is shown was rounded, and is 0 or, unless it is public, not below the threshold. One that is not shown
    is 0 or more, and 1 or more if its row was suppressed and zeros are shown. A total of what was left says nothing of
    the true one, and no version anything of what is only implied.
    """
    aligned = align_rows(version, layout.keys, [*layout.columns, "is_suppressed"])
    shown = aligned[layout.columns].to_numpy(dtype="float64", na_value=np.nan)
    blanked = (aligned[["is_suppressed"]].to_numpy(dtype="float64", na_value=0) > 0) & np.isnan(shown)
    if rule.totals_of_what_is_left:
        shown[layout.margins.any(axis="columns")] = np.nan
    half, public = rule.round_to // 2, np.isin(layout.columns, rule.public)
    low = np.where(shown > 0, np.maximum(shown - half, np.where(public, 0, rule.threshold)), 0)
    high = np.where((shown > 0) | public, shown + half, 0)
    unknown = np.isnan(shown)
    low = np.where(unknown, blanked & (rule.zeros == "show"), low)
    return layout.line_up(low, 0), layout.line_up(np.where(unknown, np.inf, high), np.inf)


def _sum_what_is_left(cells: Cells, shown: pd.DataFrame, rule: CountRule) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take each total of all the counts below it that are shown: first totals over one field, then those over two.

    A total is missing if it is suppressed, and if nothing below it is left but zeros. What is left below a suppressed
    total still counts in those above it, so that a table with two margins adds up along both.

    Returns:
        The table, and for each of its counts whether it is a total that is shown without all that is below it.
    """
    values = shown.to_numpy(dtype="float64", na_value=np.nan).ravel(order="F")
    totals = list(rule.totals_of_what_is_left)
    levels = np.tile(cells.margins[totals].sum(axis="columns"), len(cells.columns))
    sums = cells.relations[np.isin(cells.fields, totals), : len(values)]
    whole = (sums < 0).indices
    first = np.unique(whole, return_index=True)[1]  # over two fields, the sums along either are the same
    left, gone = np.nan_to_num(values), np.isnan(values)
    blank = gone.copy()
    for level in range(1, len(totals) + 1):
        chosen = first[levels[whole[first]] == level]
        parts, at = sums[chosen] > 0, whole[chosen]
        left[at], gone[at] = parts @ left, (parts @ gone) > 0
        blank[at] |= (left[at] == 0) & gone[at]
    summed = pd.DataFrame(cells.lay_out(np.where(blank, np.nan, left)), shown.index, shown.columns).astype("Int64")
    return summed, pd.DataFrame(cells.lay_out(gone & ~blank), shown.index, shown.columns)


def _find_same_rows(cells: Cells, shown: pd.DataFrame, rule: CountRule, counts: list[str]) -> pd.Series:
    """Find the rows whose counts are all shown and, if totals, are what they are over the rows where all are shown."""
    all_shown = shown[counts].notna().all(axis="columns")
    own, common = (_sum_what_is_left(cells, one, rule)[0][counts] for one in (shown, shown.where(all_shown)))
    same: pd.Series = own.eq(common.fillna(0)).all(axis="columns", skipna=False).fillna(False)
    return same


def _record(
    table: CountTable, pattern: Pattern, rounded: pd.DataFrame, shown: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Say what was done to a table: for everybody, and for the approver alone."""
    rule, exact, cells, margins = table.rule, table.exact, table.cells, table.cells.margins
    parts, grand = ~margins.any(axis="columns"), margins.all(axis="columns") & bool(rule.totals)
    lost: dict[str, Any] = {"most that rounding changes a count by": rule.round_to // 2}
    if rule.published_totals == "rounded" and grand.any():  # then any reader can work this out
        lost |= _measure_lost(shown[grand], shown[parts], "counted in the totals but suppressed, % of {}")
    record = record_hidden(exact.notna() & shown.isna(), exact.notna(), pattern.method, pattern.note, lost)
    record["protection_interval"] = [1, rule.threshold]
    for_approver = count_hidden(cells, table.aim, pattern) | {
        "largest_rounding_error": int((rounded - exact).abs().max().fillna(0).max()),
        "hidden_pct": _measure_lost(exact[parts], shown[parts], "{}"),
    }
    return record, for_approver


def _measure_lost(all_counts: pd.DataFrame, shown: pd.DataFrame, words: str) -> Mapping[str, float]:
    """Return for each count how much of it is not shown, in percent, where all of it is known."""
    whole = all_counts.sum(skipna=False).dropna()
    lost = 100 * (1 - shown[whole.index].sum() / whole.mask(whole == 0))
    return {words.format(count): round(max(0.0, float(share)), 1) for count, share in lost.dropna().items()}
