"""Differencing: what two releases give away together, though each by itself is safe."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import block_array, csr_array, eye_array, hstack

from councilbook.catalogue import CountRule, LinkedCount
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.disclosure.tables.cells import (
    TOLERANCE,
    Flags,
    Layout,
    Numbers,
    align_rows,
    bound_by_sums,
    bound_cells,
    read_layout,
)
from councilbook.gate.disclosure.tables.counts import ProtectedCounts, know_about, read_intervals, suppress_counts
from councilbook.gate.disclosure.tables.secondary import choose_secondary, find_exposed


def find_exposed_by_versions(safe: ProtectedCounts, rule: CountRule, earlier: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Find small counts that come out when a release is laid beside earlier versions of the same table.

    A reader takes a count that one version shows and another does not for unchanged, if that fits the sums. Two kinds
    come out. Of this release: a reader who knows all that it shows exactly, and what earlier versions show of the rest
    as far as it still holds. Of an earlier version: a reader who fills its gaps with what is shown now. Sums that this
    contradicts have changed, and are not used.

    Args:
        safe: the table as it is to be released, and what it was made of.
        rule: its declaration.
        earlier: versions that were published, those that it was read with.

    Returns:
        A row a count that comes out: the key, `count` (its field) and `release` ("this" or "earlier"). No values.
    """
    exposed = [
        _name_cells(layout, rule, cells, "this" if version is None else "earlier")
        for layout, cells, version in _expose(safe, rule, earlier)
    ]
    return pd.concat(exposed, ignore_index=True).drop_duplicates(ignore_index=True)


def protect_beside_versions(safe: ProtectedCounts, rule: CountRule, earlier: Sequence[pd.DataFrame]) -> ProtectedCounts:
    """Suppress more of a table that is safe by itself, until nothing comes out beside its earlier versions.

    What fills a gap of an earlier version is suppressed again: in the sums of what comes out, or else in all. Of this
    release, what helps a reader who knows earlier versions goes, be it something that they show: of that, the reader
    knows an interval then.

    Args:
        safe, rule, earlier: as of `find_exposed_by_versions`.

    Raises:
        ReleaseRefusedError: a small count comes out, whatever is suppressed.
    """
    known = know_about(safe.table)
    while exposed := [one for one in _expose(safe, rule, earlier) if one[1].any()]:
        hidden = safe.pattern.hidden
        for layout, cells, version in exposed:
            if version is not None:
                fills = _find_fills(safe, known.aim.shown, rule, layout, version)
                near = fills & _list_rows(safe, layout, _find_near(layout, cells))
                hidden = hidden | (near if near.any() else fills)
        pattern = choose_secondary(known.cells, known.aim, rule.solver_seconds, hidden)
        if (pattern.hidden <= safe.pattern.hidden).all():
            found = len(find_exposed_by_versions(safe, rule, earlier))
            raise ReleaseRefusedError(
                f"{found} small counts could be worked out from it and its earlier versions. Release coarser groups, "
                "or the next period as rows of its own."
            )
        safe = suppress_counts(safe.table, pattern)
    return safe


def find_exposed_by_areas(
    here: pd.DataFrame,
    there: pd.DataFrame,
    crosswalk: pd.DataFrame,
    link: LinkedCount,
    rule: CountRule,
    key: Sequence[str],
) -> pd.DataFrame:
    """Find small counts that come out when a release is laid beside the same count on other areas.

    Where areas overlap without being equal, subtraction tells of the slivers between them. Each sliver, and each area
    that either release suppresses, is bounded by what both show, taken as whole numbers before rounding. Areas
    where the two contradict each other, as with counts of different dates, are left out.

    Args:
        here, there: the two releases, as published; the other fields of the key are in both.
        crosswalk: a row a small piece of land, as a postcode, with the columns `area` and `other_area` it lies in. An
            area is taken to be the pieces that are listed for it.
        link: the count, and the fields that name the areas.
        rule: the declaration of this release.
        key: the fields that together name one of its rows.

    Returns:
        A row a count that comes out: the other fields of the key, `area`, `other_area` and `what` ("difference",
        "suppressed here" or "suppressed there"). No values.

    Raises:
        CheckError: the other release lacks a field.
    """
    slices = [field for field in key if field != link.area]
    if absent := sorted({*slices, link.other_area, link.count} - set(there.columns)):
        raise CheckError(f"Dataset {link.dataset} has no column {', '.join(absent)} to compare with.")
    if there.duplicated([link.other_area, *slices]).any():
        raise CheckError(f"Dataset {link.dataset} has more than one row for {', '.join([link.other_area, *slices])}.")
    here, there = here.rename(columns={link.area: "area"}), there.rename(columns={link.other_area: "other_area"})
    pieces = crosswalk[["area", "other_area"]].drop_duplicates()
    slivers = pieces.merge(here[["area", *slices]], on="area")
    areas, in_area = _group_rows(slivers, ["area", *slices])
    others, in_other = _group_rows(slivers, ["other_area", *slices])
    relations = csr_array(
        block_array([[in_area, -eye_array(len(areas)), None], [in_other, None, -eye_array(len(others))]])
    )
    known = [(np.zeros(len(slivers)), np.full(len(slivers), np.inf))]
    for release, field, rows in ((here, "area", areas), (there, "other_area", others)):
        layout = read_layout(rows, [field, *slices], [link.count], {}, {}, {})
        known.append(read_intervals(release, layout, rule))
    lower, upper = (np.concatenate(side) for side in zip(*known, strict=True))
    relations, wanted = drop_contradicted(relations, lower, upper), np.isinf(upper)
    is_sliver = np.arange(len(lower)) < len(slivers)
    reach_low, reach_high = np.where(is_sliver, np.inf, 1.0), np.full(len(lower), float(rule.threshold))
    low, high = bound_cells(relations, lower, upper, wanted, reach_low, reach_high)
    few = wanted & is_sliver & (high < rule.threshold - TOLERANCE)
    least, _ = bound_cells(relations, lower, upper, few, np.zeros(len(lower)), np.full(len(lower), np.inf))
    small = np.where(is_sliver, few & (least > TOLERANCE), wanted & _tells_small(low, high, rule.threshold))
    what = ["difference"] * len(slivers) + ["suppressed here"] * len(areas) + ["suppressed there"] * len(others)
    named = pd.concat([slivers, areas, others], ignore_index=True).assign(what=what)
    return pd.DataFrame(named.loc[small, [*slices, "area", "other_area", "what"]]).reset_index(drop=True)


def _expose(
    safe: ProtectedCounts, rule: CountRule, earlier: Sequence[pd.DataFrame]
) -> Iterator[tuple[Layout, Flags, pd.DataFrame | None]]:
    """Yield a layout, which of its cells come out, and of which earlier version they are; None: of this release."""
    yield safe.table.cells, _expose_this(safe), None
    key = safe.table.cells.keys.columns.tolist()
    for version in earlier:
        if set(key) <= set(version.columns):
            layout = read_layout(version, key, rule.counts, rule.totals, rule.adds_up, rule.parts)
            yield layout, _expose_earlier(version, layout, safe.frame, rule), version


def _find_near(layout: Layout, cells: Flags) -> Flags:
    """Return the cells that are in a sum with some of these."""
    links = abs(layout.relations)
    near: Flags = ((links @ cells) > 0) @ links > 0
    return near


def _find_fills(safe: ProtectedCounts, stays: Flags, rule: CountRule, layout: Layout, version: pd.DataFrame) -> Flags:
    """Return the cells of this release that are shown, and need not stay so, where an earlier version has gaps."""
    cells = safe.table.cells
    _, upper = read_intervals(version, layout, rule)
    may = cells.is_published & ~safe.pattern.hidden & ~stays
    return may & _list_rows(safe, layout, np.isinf(upper))


def _list_rows(safe: ProtectedCounts, layout: Layout, flags: Flags) -> Flags:
    """Return for each cell of this release whether it is flagged in the layout of an earlier version."""
    cells = safe.table.cells
    flagged = pd.DataFrame(layout.lay_out(flags), layout.keys.index, layout.columns)
    here = align_rows(pd.concat([layout.keys, flagged], axis="columns"), cells.keys, layout.columns)
    return cells.line_up(here.fillna(0).gt(0).to_numpy(dtype=bool), False)


def _expose_this(safe: ProtectedCounts) -> Flags:
    """Return the unsafe cells of a release that earlier versions help to work out."""
    known = know_about(safe.table)
    return find_exposed(known.cells, known.aim, known.cells.line_up(safe.hidden.to_numpy(), False))


def _expose_earlier(version: pd.DataFrame, layout: Layout, now: pd.DataFrame, rule: CountRule) -> Flags:
    """Return the cells of an earlier version that tell of a small count, its gaps filled with what is shown now.

    A gap that can be filled may itself have held a small count that has grown since: it is worked out from each sum by
    itself, with the other gaps filled.
    """
    relations = layout.relations
    lower, upper = read_intervals(version, layout, rule)
    now_lower, now_upper = read_intervals(now, layout, rule)
    known = np.isinf(upper) & np.isfinite(now_upper) & layout.find_columns(rule.public)  # as a register showed
    lower, upper = np.where(known, now_lower, lower), np.where(known, now_upper, upper)
    gaps = np.isinf(upper)
    filled = gaps & np.isfinite(now_upper) & (now_upper >= lower)  # none is 0 now that was known to be more
    reach = np.ones(len(gaps)), np.full(len(gaps), float(rule.threshold))
    full_lower, full_upper = np.where(filled, now_lower, lower), np.where(filled, now_upper, upper)
    cell, least, most = bound_by_sums(relations, np.zeros(relations.shape[0]), full_lower, full_upper)
    possible = (most >= least) & (most >= lower[cell])
    grown = np.bincount(cell, possible & _tells_small(least, most, rule.threshold), len(gaps)) > 0
    holding = drop_contradicted(relations, full_lower, full_upper)
    after = _tells_small(*bound_cells(holding, full_lower, full_upper, gaps & ~filled, *reach), rule.threshold)
    exposed: Flags = gaps & np.where(filled, grown, after)
    if exposed.any():  # what came out of that version alone is no news
        exposed &= ~_tells_small(*bound_cells(relations, lower, upper, exposed, *reach), rule.threshold)
    return exposed


def _tells_small(low: Numbers, high: Numbers, threshold: int) -> Flags:
    """Return where an interval has a small count in it, and not all from 1 to the threshold."""
    some = (low < threshold - TOLERANCE) & (high > 1 - TOLERANCE)
    tells: Flags = some & ((low > 1 + TOLERANCE) | (high < threshold - TOLERANCE))
    return tells


def find_least(relations: csr_array, lower: Numbers, upper: Numbers, cell: int) -> float | None:
    """Return the least value that a cell can have; None if what is known of the cells contradicts the others."""
    cost = np.zeros(relations.shape[1])
    cost[cell] = 1
    bounds = np.column_stack([lower, upper])
    solved = linprog(cost, A_eq=relations, b_eq=np.zeros(relations.shape[0]), bounds=bounds, method="highs")
    return float(solved.fun) if solved.status == 0 else None


def drop_contradicted(relations: csr_array, lower: Numbers, upper: Numbers) -> csr_array:
    """Drop sums until what is known of each cell does not contradict the others; as little as can be is off there.

    Args:
        relations: as in `Cells`.
        lower, upper: what is known of each cell.
    """
    rows, cells = relations.shape
    if not rows or find_least(relations, lower, upper, 0) is not None:
        return relations
    off = hstack([relations, eye_array(rows), -eye_array(rows)], format="csr")
    cost = np.append(np.zeros(cells), np.ones(2 * rows))
    bounds = np.vstack([np.column_stack([lower, upper]), np.tile([0, np.inf], (2 * rows, 1))])
    solution = linprog(cost, A_eq=off, b_eq=np.zeros(rows), bounds=bounds, method="highs-ipm")
    return csr_array(relations[solution.x[cells:].reshape(2, rows).sum(axis=0) < TOLERANCE])


def _group_rows(frame: pd.DataFrame, by: Sequence[str]) -> tuple[pd.DataFrame, csr_array]:
    """Return the groups of a table's rows, and a matrix with 1 where a row (column) is in a group (row)."""
    groups = frame.groupby(list(by), sort=False, dropna=False).ngroup().to_numpy()
    names = frame[list(by)].drop_duplicates(ignore_index=True)
    places = np.arange(len(frame))
    return names, csr_array((np.ones(len(frame)), (groups, places)), shape=(len(names), len(frame)))


def _name_cells(layout: Layout, rule: CountRule, cells: Flags, release: str) -> pd.DataFrame:
    names = [*rule.counts, *(f"{whole} without {part}" for part, whole in rule.parts.items())]
    column, row = np.divmod(np.flatnonzero(cells), max(1, len(layout.keys)))
    return layout.keys.iloc[row].assign(count=[names[number] for number in column], release=release)
