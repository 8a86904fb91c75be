"""Disclosure control of tables of sums to which people or businesses contribute, as rateable values or bills."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import block_array, csr_array, diags_array, eye_array

from councilbook.catalogue import MagnitudeRule
from councilbook.errors import CheckError
from councilbook.gate.disclosure.tables.cells import Cells, Flags, Numbers, Protected, build_cells
from councilbook.gate.disclosure.tables.counts import read_counts, round_counts
from councilbook.gate.disclosure.tables.secondary import Aim, choose_secondary, count_hidden, record_hidden

SCALE = 1e6  # the largest sum is made so large: solvers are at their best with numbers of about this size


def protect_magnitudes(frame: pd.DataFrame, rule: MagnitudeRule, key: Sequence[str]) -> Protected:
    """Suppress sums that tell of a contributor and those that would give them back, and round how many contribute.

    A sum is unsafe if too few contribute, if the n largest contributions are more than k percent of it, or if the
    second largest contributor, who takes its own part off, comes closer than p percent to the largest. What a reader
    can conclude of it from the other sums must then reach beyond it, either way, by its protection level: see
    `measure_protection`. The sums that are left are published as they are.

    Two contributors who are each alone behind a sum know those sums. Where a total has just these two unsafe parts,
    they are protected from each other as well.

    Where a register shows most contributors one by one, all this is about the rest of them (`rest`). Where the rule
    says so, unsafe sums are not suppressed but all are rounded, see `round_sums`.

    Args:
        frame: a long table with the sums, how many contribute, and the largest contributions.
        rule: its declaration.
        key: the fields that together name a row once.

    Returns:
        The table, still with the columns of contributions, and with a column is_suppressed.

    Raises:
        CheckError: a sum is below 0, does not add up, or is not what its contributions allow.
        ReleaseRefusedError: a sum stays exposed, whatever is suppressed.
    """
    contributors = read_counts(frame, [rule.contributors])[rule.contributors]
    cells = build_cells(frame, key, [rule.value], rule.totals)
    sums, many = cells.numbers, contributors.to_numpy(dtype="float64", na_value=np.nan)
    if rule.rest:
        sums, many = (frame[name].to_numpy(dtype="float64", na_value=np.nan) for name in rule.rest)
    largest = frame[rule.largest].astype("Float64").fillna(0).to_numpy(dtype="float64")
    _check_contributions(cells, sums, many, largest, rule)
    level = np.where(cells.is_published, measure_protection(sums, many, largest, rule), 0)
    if rule.unsafe == "round":
        return round_sums(frame, contributors, many, level, rule)
    cells, level = _pair_lone_contributors(cells, level, many == 1)
    scale = SCALE / max(SCALE, cells.numbers.max(initial=0))
    cells, level = replace(cells, numbers=cells.numbers * scale), level * scale
    aim = Aim(
        unsafe=level > 0,
        low=np.maximum(cells.numbers - level, 0),
        high=cells.numbers + level,
        floor=np.zeros(len(level)),
        shown=cells.numbers == 0,
    )
    pattern = choose_secondary(cells, aim, rule.solver_seconds)
    hidden = frame[[rule.value]].notna() & cells.lay_out(pattern.hidden)
    gone = hidden[rule.value]
    rounded = round_counts(contributors, rule.round_to).mask(gone)
    safe = frame.assign(**{rule.value: frame[rule.value].mask(gone), rule.contributors: rounded, "is_suppressed": gone})
    lost = {"most that rounding changes a number of contributors by": rule.round_to // 2}
    record = record_hidden(hidden, frame[[rule.value]].notna(), pattern.method, pattern.note, lost)
    return Protected(safe, hidden, record, count_hidden(cells, aim, pattern))


def round_sums(
    frame: pd.DataFrame, contributors: "pd.Series[int]", many: Numbers, level: Numbers, rule: MagnitudeRule
) -> Protected:
    """Round all sums so coarsely that what is left of none of them, once a reader takes off what is known, tells.

    The base is 1, 2 or 5 times a power of ten, and four times the largest protection level or more: a rounded sum then
    leaves an interval of that width, and one of twice the level even where lines that add up to each other narrow it
    ("sliding protection", Fischetti and Salazar-Gonzalez 2001). How many contribute is suppressed where too few of them
    are not shown by a register.

    Args:
        frame: the table.
        contributors: how many contribute to each sum.
        many: how many of these no register shows.
        level: from `measure_protection`.
        rule: its declaration.
    """
    base = _choose_base(4 * float(level.max(initial=0)))
    few = pd.Series((many > 0) & (many < rule.threshold), index=frame.index)
    rounded = {
        rule.value: (frame[rule.value] / base).round() * base,
        rule.contributors: round_counts(contributors, rule.round_to).mask(few),
    }
    lost = {
        "most that rounding changes a sum by": base / 2,
        "most that rounding changes a number of contributors by": rule.round_to // 2,
    }
    note = "Lines add up to each other, so all are rounded rather than some suppressed."
    record = record_hidden(few.to_frame(), frame[[rule.value]].notna(), "rounded", note, lost)
    hidden = frame[[rule.value]].notna() & False
    return Protected(frame.assign(**rounded, is_suppressed=few), hidden, record, {"unsafe": int((level > 0).sum())})


def _choose_base(least: float) -> float:
    if least <= 1:
        return 1.0
    power: float = 10.0 ** np.floor(np.log10(least))
    return next(one * power for one in (1, 2, 5, 10) if one * power >= least)


def find_unsafe_moves(frame: pd.DataFrame, rule: MagnitudeRule) -> "pd.Series[bool]":
    """Find the sums whose change since the last release gives a contributor away, by the rule that holds for a sum.

    The difference of two releases is a sum of what changed. It is unsafe if fewer contributions changed than may
    contribute to a sum, or if the largest changes dominate it; where changes go both ways, their sizes are added.

    Args:
        frame: the table, with the columns of `moves`.
        rule: its declaration.
    """
    many = frame[rule.moves[0]].to_numpy(dtype="float64")
    largest = frame[rule.moves[1:-1]].to_numpy(dtype="float64")
    sums = frame[rule.moves[-1]].to_numpy(dtype="float64")
    return pd.Series(measure_protection(sums, many, largest, rule) > 0, index=frame.index)


def measure_protection(sums: Numbers, many: Numbers, largest: Numbers, rule: MagnitudeRule) -> Numbers:
    """Return by how much a reader's conclusion must miss each sum; 0 for one that is safe.

    With X the sum and x1, x2, ... its contributions, largest first: (100 / k) (x1 + ... + xn) - X by the dominance
    rule, (p / 100) x1 - (X - x1 - x2) by the p% rule (Hundepool and others, 2012, "Statistical Disclosure Control",
    chapter 4); where too few contribute, p percent of X. At least a hundredth of X, so that it cannot be worked out.

    Args:
        sums: X; n.
        many: how many contribute; n.
        largest: the largest contributions, largest first; n x at least 2.
        rule: its declaration.
    """
    dominance = 100 / rule.dominance_k_pct * largest[:, : rule.dominance_n].sum(axis=1) - sums
    estimate = rule.p_pct / 100 * largest[:, 0] - (sums - largest[:, 0] - largest[:, 1])
    few = (many > 0) & (many < rule.threshold)
    size = np.where(sums > 0, sums, sums[sums > 0].min() if sums.any() else 1)  # a sum of 0 needs some level too
    level = np.maximum.reduce([dominance, estimate, np.where(few, rule.p_pct / 100 * size, 0)])
    return np.where(few | (level > 0), np.maximum(level, size / 100), 0)


def _check_contributions(cells: Cells, sums: Numbers, many: Numbers, largest: Numbers, rule: MagnitudeRule) -> None:
    """Look whether the contributions can be those of the sums."""
    faults = {
        f"no {rule.contributors}": np.isnan(many),
        "contributions below 0, or not the largest first": (largest < 0).any(axis=1)
        | (np.diff(largest) > 0).any(axis=1),
        f"contributions of more than {rule.value}": largest.sum(axis=1) > sums * (1 + 1e-9) + 1e-9,
        f"more contributions than {rule.contributors}": (largest > 0).sum(axis=1) > many,
        f"a {rule.value} without {rule.contributors}": (sums > 0) & (many == 0),
        f"more that no register shows than {rule.value}": sums > cells.numbers * (1 + 1e-9) + 0.01,
    }
    for words, where in faults.items():
        if rows := int((where & cells.is_published).sum()):
            raise CheckError(f"Expected for each {rule.value} its largest contributions, but {rows} of them: {words}.")


def _pair_lone_contributors(cells: Cells, level: Numbers, alone: Flags) -> tuple[Cells, Numbers]:
    """Add an implied cell for the sum of the two unsafe parts of a total that have one contributor each."""
    lone = alone & (level > 0)
    parts = (cells.relations > 0).astype(float) @ diags_array(lone.astype(float))
    pairs = csr_array(parts[np.flatnonzero(parts.sum(axis=1) == 2)])
    count = pairs.shape[0]
    if not count:
        return cells, level
    paired = replace(
        cells,
        numbers=np.append(cells.numbers, pairs @ cells.numbers),
        relations=csr_array(block_array([[cells.relations, None], [pairs, -eye_array(count)]])),
        fields=np.append(cells.fields, np.repeat("pair", count)),
        is_published=np.append(cells.is_published, np.zeros(count, dtype=bool)),
        is_total=np.append(cells.is_total, np.zeros(count, dtype=bool)),
    )
    return paired, np.append(level, pairs.multiply(level).max(axis=1).toarray().ravel())
