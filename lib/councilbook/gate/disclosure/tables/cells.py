"""A table as cells and the sums between them, and what those sums give away."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import block_array, coo_array, csr_array, eye_array, hstack, vstack
from scipy.sparse.csgraph import connected_components

from councilbook.errors import CheckError, ReleaseRefusedError

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

TOLERANCE = 1e-6  # what a solver may be off by


@dataclass(frozen=True)
class Protected:
    """A table after disclosure control, and what was done to it."""

    frame: pd.DataFrame
    hidden: pd.DataFrame  # which of its numbers were suppressed
    record: Mapping[str, Any]  # may stand beside the table
    for_approver: Mapping[str, Any]  # would help somebody who tries to work a cell out, so must not


@dataclass(frozen=True)
class Layout:
    """Where the cells of a table are and how they add up: column after column, then those that it only implies.

    Attributes:
        keys: the key of each row.
        columns: those with numbers.
        margins: for each row and each field with totals, whether the row stands for all values of the field.
        relations: a row a sum, a column a cell: 1 for its parts and -1 for the sum, so that times the numbers it is 0.
        fields: of each relation, the field of the key or the column that it is about.
    """

    keys: pd.DataFrame
    columns: list[str]
    margins: pd.DataFrame
    relations: csr_array
    fields: NDArray[np.str_]

    def lay_out(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Return something known of each cell in the rows and columns of the table, without the implied cells."""
        rows, columns = len(self.keys), len(self.columns)
        return cells[: rows * columns].reshape(columns, rows).T

    def line_up(self, table: NDArray[Any], implied: float) -> NDArray[Any]:
        """Return what is laid out in rows and columns for each cell, and one value for all implied cells."""
        return np.append(table.ravel(order="F"), np.full(self.relations.shape[1] - table.size, implied, table.dtype))

    def find_columns(self, columns: Collection[str]) -> Flags:
        """Return which cells are of these columns."""
        named: Flags = np.isin(self.columns, list(columns))
        return self.line_up(np.tile(named, (len(self.keys), 1)), False)


@dataclass(frozen=True)
class Cells(Layout):
    """The cells of a table with their numbers.

    Attributes:
        numbers: of each cell. A missing one has a number that fits the sums.
        is_published: false for a cell that is missing or implied, which no reader sees.
        is_total: whether a cell is the sum of others.
    """

    numbers: Numbers
    is_published: Flags
    is_total: Flags


def build_cells(
    frame: pd.DataFrame,
    key: Sequence[str],
    columns: list[str],
    totals: Mapping[str, str],
    adds_up: Mapping[str, Sequence[str]] | None = None,
    parts: Mapping[str, str] | None = None,
) -> Cells:
    """Take a table apart into its cells and the sums between them.

    A row for a total that is not there makes no sum. A missing number is a cell that nobody sees.

    Args:
        frame: a long table; its numbers are 0 or more, or missing.
        key: the fields that together name a row once.
        columns: its columns of numbers.
        totals: field of the key to the value that stands for all of its others. Among rows that are equal in the other
            fields of the key, the row with that value is the sum of the rest.
        adds_up: column to the columns that it is the sum of.
        parts: column to the column that it is a part of. What is left over is an implied cell.

    Raises:
        CheckError: a number is below 0, or a sum is not that of its parts.
    """
    if twice := int(frame.duplicated(list(key)).sum()):
        raise CheckError(f"Expected {', '.join(key)} to name a row once, but {twice} rows repeat one.")
    exact = frame[columns].astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    if negative := int((exact < 0).sum()):
        raise CheckError(f"Expected numbers of 0 or more in {', '.join(columns)}, but {negative} are below 0.")
    values = exact.ravel(order="F")
    for part, whole in (parts or {}).items():
        left = exact[:, columns.index(whole)] - exact[:, columns.index(part)]
        if more := int((left < 0).sum()):
            raise CheckError(f"Column {part} is declared as a part of {whole}, but is more in {more} rows.")
        values = np.concatenate([values, left])
    layout = read_layout(frame, key, columns, totals, adds_up or {}, parts or {})
    _check_sums(layout, values)
    is_total = np.bincount((layout.relations < 0).indices, minlength=len(values)) > 0
    is_published = ~np.isnan(values) & (np.arange(len(values)) < exact.size)
    return Cells(**vars(layout), numbers=_fill_missing(layout, values), is_published=is_published, is_total=is_total)


def read_layout(
    frame: pd.DataFrame,
    key: Sequence[str],
    columns: list[str],
    totals: Mapping[str, str],
    adds_up: Mapping[str, Sequence[str]],
    parts: Mapping[str, str],
) -> Layout:
    """Return where the cells of a table are and how they add up; arguments as of `build_cells`."""
    margins = find_totals(frame, totals)
    places, size = np.arange(len(frame)), (len(columns) + len(parts)) * len(frame)
    at = {column: number * len(frame) + places for number, column in enumerate(columns)}
    sums = [
        (field, _write_sums(at[column][part], of, at[column][total], size))
        for field, part, of, total in _relate_rows(frame, key, margins)
        for column in columns
    ]
    for column, summed in adds_up.items():
        addends = np.concatenate([at[one] for one in summed])
        sums.append((column, _write_sums(addends, np.tile(places, len(summed)), at[column], size)))
    for number, (part, whole) in enumerate(parts.items(), start=len(columns)):
        addends = np.append(at[part], number * len(frame) + places)  # the second half is implied
        sums.append((part, _write_sums(addends, np.tile(places, 2), at[whole], size)))
    relations = csr_array(vstack([csr_array((0, size)), *(rows for _, rows in sums)]))
    fields = [np.repeat(field, rows.shape[0]) for field, rows in sums]
    return Layout(frame[list(key)], columns, margins, relations, np.concatenate([np.zeros(0, np.str_), *fields]))


def align_rows(other: pd.DataFrame, keys: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return another table's numbers in the rows that have these keys; missing where it has none, or several."""
    if not set(keys.columns) <= set(other.columns):
        return pd.DataFrame(index=keys.index, columns=list(columns), dtype="Float64")
    names = [pd.MultiIndex.from_frame(one.astype(str)) for one in (other[list(keys.columns)], keys)]
    numbers = other.reindex(columns=list(columns)).astype("Float64").set_axis(names[0])
    return numbers[~names[0].duplicated(keep=False)].reindex(names[1]).set_axis(keys.index)


def find_totals(frame: pd.DataFrame, totals: Mapping[str, str]) -> pd.DataFrame:
    """Return for each row and each field with totals whether the row stands for all values of the field."""
    return pd.DataFrame({field: frame[field].eq(total) for field, total in totals.items()}, index=frame.index)


def bound_cells(
    relations: csr_array, lower: Numbers, upper: Numbers, wanted: Flags, reach_low: Numbers, reach_high: Numbers
) -> tuple[Numbers, Numbers]:
    """Return what somebody can conclude of cells who knows the sums and an interval for each cell.

    Linear programmes find the least and the largest value that fit. They look no further than the reach, and one
    solution serves all cells that get there, so few are solved even for many cells. Cells need not be whole numbers
    here: where that knowledge would help, it is not used.

    Args:
        relations: as in `Cells`; m x n.
        lower, upper: what is known of each cell; n each. Some values within them must fit the sums.
        wanted: the cells to bound.
        reach_low, reach_high: how far to look, for each cell; infinite: not at all.

    Returns:
        For each cell the least value, or the reach if that is above it, and the largest, or the reach if that is
        below it. For cells not wanted: what was known.

    Raises:
        ReleaseRefusedError: the solver finds no values that fit, so nothing can be said.
    """
    low, high = lower.copy(), upper.copy()
    free = np.flatnonzero(lower < upper)
    within = relations[:, free]
    rows = np.flatnonzero(np.diff(within.indptr))
    within = csr_array(within[rows])
    right = -(relations[rows] @ np.where(lower < upper, 0, np.where(np.isfinite(lower), lower, 0)))
    _, part_of = connected_components(block_array([[None, within], [within.T, None]]), directed=False)
    row_part, part = part_of[: len(rows)], part_of[len(rows) :]
    alone = np.bincount(row_part, minlength=part_of.max(initial=0) + 1) == 1
    single = alone[row_part]
    if single.any():
        cell, least, most = bound_by_sums(csr_array(within[single]), right[single], lower[free], upper[free])
        low[free[cell]] = np.maximum(low[free[cell]], least)
        high[free[cell]] = np.minimum(high[free[cell]], most)
    asked = np.zeros(len(alone), dtype=bool)
    asked[part[wanted[free]]] = True
    asked &= ~alone
    if asked[row_part].any():
        keep, cells = asked[row_part], np.flatnonzero(asked[part])
        system, here = csr_array(within[keep][:, cells]), free[cells]
        below, above, parts = lower[here], upper[here], part[cells]
        which = wanted[here] & np.isfinite(reach_high[here])
        high[here] = _raise_cells(system, right[keep], below, above, which, reach_high[here], parts)
        which = wanted[here] & np.isfinite(reach_low[here])
        low[here] = -_raise_cells(system, -right[keep], -above, -below, which, -reach_low[here], parts)
    low = np.where(wanted, np.maximum(low, np.minimum(reach_low, high)), lower)
    high = np.where(wanted, np.minimum(high, np.maximum(reach_high, low)), upper)
    return low, high


def bound_by_sums(
    relations: csr_array, right: Numbers, lower: Numbers, upper: Numbers
) -> tuple[Places, Numbers, Numbers]:
    """Return what each sum by itself says of each of its cells, given what is known of the others in it.

    Args:
        relations, right: relations times the cells equal right.
        lower, upper: what is known of each cell; may be infinite.

    Returns:
        The cell of each entry of the relations, and the least and largest value that its sum leaves it.
    """
    entries = relations.tocoo()
    of, cell = entries.coords
    positive = entries.data > 0
    least = np.where(positive, lower[cell], -upper[cell])
    most = np.where(positive, upper[cell], -lower[cell])

    def add_others(terms: Numbers, unknown: float) -> Numbers:
        finite = np.isfinite(terms)
        known = np.where(finite, terms, 0)
        sums, unbounded = np.bincount(of, known, len(right)), np.bincount(of, ~finite, len(right))
        return np.where(unbounded[of] - ~finite > 0, unknown, sums[of] - known)

    own_least, own_most = right[of] - add_others(most, np.inf), right[of] - add_others(least, -np.inf)
    return cell, np.where(positive, own_least, -own_most), np.where(positive, own_most, -own_least)


def _raise_cells(
    relations: csr_array,
    right: Numbers,
    lower: Numbers,
    upper: Numbers,
    wanted: Flags,
    reach: Numbers,
    part: Places,
) -> Numbers:
    """Return the largest value of each wanted cell, up to its reach; the upper bound for others.

    All are raised at once as long as that brings some to their reach. The rest are raised one by one, but side by side
    where they are in different parts of the table that no sum connects.
    """
    reach = np.where(wanted, reach, 0)
    best, pending, together = np.where(wanted, -np.inf, upper), wanted.copy(), True
    while pending.any():
        picks = np.flatnonzero(pending)
        if not together:
            picks = picks[np.unique(part[picks], return_index=True)[1]]
        reached = np.minimum(_maximise(relations, right, lower, upper, picks, reach[picks]), np.maximum(reach, lower))
        best = np.where(wanted, np.maximum(best, reached), best)
        left = pending & (best < reach - TOLERANCE)
        if not together:
            left[picks] = False
        together &= bool(left.sum() < pending.sum())
        pending = left
    return best


def _maximise(
    relations: csr_array, right: Numbers, lower: Numbers, upper: Numbers, picks: Places, reach: Numbers
) -> Numbers:
    """Return values that fit the relations with the greatest sum of picked cells, each counted up to its reach."""
    cells, picked = len(lower), len(picks)
    counted = coo_array((np.full(picked, -1.0), (np.arange(picked), picks)), shape=(picked, cells))
    solution = linprog(
        np.concatenate([np.zeros(cells), np.full(picked, -1.0)]),
        A_ub=hstack([counted, eye_array(picked)], format="csr"),
        b_ub=np.zeros(picked),
        A_eq=hstack([relations, csr_array((len(right), picked))], format="csr"),
        b_eq=right,
        bounds=np.column_stack([np.append(lower, np.full(picked, -np.inf)), np.append(upper, reach)]),
        method="highs",
    )
    if solution.status:
        raise ReleaseRefusedError(f"What the sums of the table give away could not be worked out: {solution.message}")
    values: Numbers = solution.x[:cells]
    return values


def _relate_rows(
    frame: pd.DataFrame, key: Sequence[str], margins: pd.DataFrame
) -> Iterator[tuple[str, Places, Places, Places]]:
    """Yield for each field with totals: the rows that are parts, the number of each one's total, and those rows."""
    for field, is_total in margins.items():
        others = [other for other in key if other != field]
        groups = frame.groupby(others, sort=False, dropna=False).ngroup() if others else frame[field].map(lambda _: 0)
        group, whole = groups.to_numpy(), is_total.to_numpy(dtype=bool)
        rows = np.flatnonzero(whole)
        parts = np.flatnonzero(~whole & np.isin(group, group[rows]))
        rows = rows[np.isin(group[rows], group[parts])]
        number = pd.Series(np.arange(len(rows)), index=group[rows])
        yield str(field), parts, number.reindex(group[parts]).to_numpy(dtype=np.intp), rows


def _write_sums(parts: Places, of: Places, totals: Places, cells: int) -> csr_array:
    """Write a relation for each sum, of so many cells: part number i belongs to the sum number `of[i]`."""
    rows = np.append(of, np.arange(len(totals)))
    signs = np.append(np.ones(len(parts)), -np.ones(len(totals)))
    return csr_array((signs, (rows, np.append(parts, totals))), shape=(len(totals), cells))


def _check_sums(layout: Layout, values: Numbers) -> None:
    """Look whether each sum is that of its parts, or at least not less than the parts that are not missing."""
    relations, missing = layout.relations, np.isnan(values)
    known = np.where(missing, 0, values)
    over, size = relations @ known, abs(relations) @ known
    lacks_part = (relations == 1) @ missing
    lacks_total = (relations == -1) @ missing
    off = ~lacks_total & ((over > TOLERANCE * (1 + size)) | (~lacks_part & (over < -TOLERANCE * (1 + size))))
    if off.any():
        counted = pd.Series(layout.fields[off]).value_counts()
        faults = ", ".join(f"{count} of {field}" for field, count in counted.items())
        raise CheckError(f"Some totals are not the sum of their parts: {faults}.")


def _fill_missing(layout: Layout, values: Numbers) -> Numbers:
    """Give the missing cells values that fit the sums, as the methods start from values that do."""
    relations, missing = layout.relations, np.isnan(values)
    known = np.where(missing, 0, values)
    rows = np.flatnonzero(abs(relations) @ missing)
    if not len(rows):
        return known
    solution = linprog(
        np.zeros(missing.sum()), A_eq=relations[rows][:, missing], b_eq=-(relations[rows] @ known), method="highs"
    )
    if solution.status:
        raise CheckError("Some totals cannot be the sum of their parts, whatever the missing numbers are.")
    known[missing] = solution.x
    return known
