"""Which further cells of a table to suppress, so that no sum gives an unsafe one back.

The problem is that of Fischetti and Salazar-González (2001), "Solving the cell suppression problem on tabular data with
linear constraints", Management Science 47(7): the pattern of least cost in which what a reader can conclude of each
unsafe cell covers a given interval.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import block_array, csc_array, csr_array, diags_array, hstack
from scipy.sparse.csgraph import connected_components

from councilbook.errors import ReleaseRefusedError
from councilbook.gate.disclosure.tables.cells import TOLERANCE, Cells, Flags, Numbers, Places, bound_cells

Method = Literal["none needed", "optimal", "greedy"]

TOTAL_COST = 100  # a total is worth so many of the cells it sums
BUNDLE = 50  # cells; smaller parts are solved together, as a file takes longer to open than they to solve

# Runs beside the workbook, where it can be stopped. A table is done when its answer has its final name.
SOLVER = """
import os, sys
from pathlib import Path
from pytauargus import HiTaSCtrl
for table in sorted(Path().glob("*.jj")):
    if HiTaSCtrl().full_jj(table.name, "answer", int(sys.argv[1])) == 0:
        os.replace("answer", table.with_suffix(".hidden"))
"""


@dataclass(frozen=True)
class Aim:
    """What must not be shown, and what must not be concluded; each an array over the cells.

    Attributes:
        unsafe: cells to suppress in any case, and implied cells to protect.
        low, high: the interval that a reader's conclusion about an unsafe cell must cover.
        floor: what a reader knows that a suppressed cell is at least.
        shown: cells that cannot be suppressed, or that nobody would believe to be another number.
        ceiling: what a reader knows that a suppressed cell is at most.
    """

    unsafe: Flags
    low: Numbers
    high: Numbers
    floor: Numbers
    shown: Flags
    ceiling: Numbers | float = np.inf


@dataclass(frozen=True)
class Pattern:
    """Which cells to suppress, how that was found, and why so."""

    hidden: Flags
    method: Method
    note: str


def choose_secondary(cells: Cells, aim: Aim, seconds: float, also: Flags | bool = False) -> Pattern:
    """Choose which cells to suppress beside the unsafe ones, so that these cannot be worked out.

    Parts of the table that no sum connects are solved by themselves: to the least cost with tau-Argus, if it is
    installed and done in time, else the greedy way. Whichever way it came, the answer is checked with `bound_cells`.

    Args:
        cells, aim: the table and what it must not give away.
        seconds: how long to look for the least cost.
        also: cells that are suppressed already.

    Raises:
        ReleaseRefusedError: no pattern protects some cell.
    """
    hidden = (aim.unsafe | also) & cells.is_published
    exposed = find_exposed(cells, aim, hidden)
    if not exposed.any():
        return Pattern(hidden, "none needed", "No sum gives a suppressed number back.")
    part = _split_table(cells, aim)
    concerned = np.isin(part, part[exposed])
    found, reason = _suppress_least(cells, aim, part, concerned, seconds)
    exposed = find_exposed(cells, aim, hidden | found)
    if not exposed.any():
        return Pattern(hidden | found, "optimal", "No other choice suppresses less.")
    rest = np.isin(part, part[exposed])
    hidden |= found & ~rest
    hidden = suppress_greedily(cells, aim, hidden, part)
    parts, all_parts = len(np.unique(part[rest])), len(np.unique(part[concerned]))
    note = f"{reason} In {parts} of {all_parts} parts of the table, a little more may be suppressed than necessary."
    return Pattern(hidden, "greedy", note)


def record_hidden(
    hidden: pd.DataFrame, filled: pd.DataFrame, method: str, note: str, lost: Mapping[str, float]
) -> dict[str, Any]:
    """Say of a table what was suppressed, as may stand beside it.

    Args:
        hidden: which of its numbers were.
        filled: which there are.
        method, note: how they were chosen, and why so.
        lost: what rounding did.
    """
    return {
        "cells": int(filled.to_numpy().sum()),
        "cells_suppressed": int(hidden.to_numpy().sum()),
        "rows_suppressed": int(hidden.any(axis="columns").sum()),
        "method": method,
        "note": note,
        "information_lost": lost,
    }


def count_hidden(cells: Cells, aim: Aim, pattern: Pattern) -> dict[str, int]:
    """Count what was suppressed and why, which would help to undo it."""
    primary = aim.unsafe & cells.is_published
    return {
        "primary": int(primary.sum()),
        "secondary": int((pattern.hidden & ~primary).sum()),
        "totals_suppressed": int((pattern.hidden & cells.is_total).sum()),
    }


def find_exposed(cells: Cells, aim: Aim, hidden: Flags, wanted: Flags | None = None) -> Flags:
    """Return the unsafe cells of which a reader can conclude more than the aim allows.

    The reader is taken to know each number that is shown exactly, though counts are rounded before they are published.
    """
    lower, upper = list_known(cells, aim, hidden)
    return miss_aim(cells, aim, lower, upper, aim.unsafe if wanted is None else aim.unsafe & wanted)


def list_known(cells: Cells, aim: Aim, hidden: Flags) -> tuple[Numbers, Numbers]:
    """Return what a reader knows of each cell before looking at sums: at least and at most."""
    blank = hidden | ~cells.is_published
    return np.where(blank, aim.floor, cells.numbers), np.where(blank, aim.ceiling, cells.numbers)


def miss_aim(cells: Cells, aim: Aim, lower: Numbers, upper: Numbers, wanted: Flags) -> Flags:
    """Return the wanted cells of which the sums say more than the aim allows to a reader who knows these bounds."""
    low, high = bound_cells(cells.relations, lower, upper, wanted, aim.low, aim.high)
    slack = TOLERANCE * (1 + aim.high - aim.low)
    missed: Flags = wanted & ((low > aim.low + slack) | (high < aim.high - slack))
    return missed


def weigh_cells(cells: Cells) -> Numbers:
    """Return what it costs to suppress each cell, in whole numbers: more for a large one, much more for a total."""
    cost: Numbers = np.ceil(10 + 10 * np.log10(1 + cells.numbers)) * np.where(cells.is_total, TOTAL_COST, 1)
    return cost * cells.is_published


def suppress_greedily(cells: Cells, aim: Aim, hidden: Flags, part: Places) -> Flags:
    """Add suppressions until no unsafe cell is exposed; few, but not always the fewest.

    Cell by cell, the one furthest from its aim first, a linear programme finds the cheapest way to move it as far up,
    and then as far down, as a reader must think possible, while all sums hold. The cells that move with it are
    suppressed. At the end each is shown again that is not needed after all. This is the heuristic of Kelly, Golden and
    Assad (1992), "Cell suppression: disclosure protection for sensitive tabular data", Networks 22(4). Parts of the
    table that no sum connects are solved side by side.

    Args:
        cells, aim: the table and what it must not give away.
        hidden: what is suppressed already.
        part: number of the part that each cell is in; see `_split_table`.

    Raises:
        ReleaseRefusedError: some cell cannot be protected.
    """
    hidden = hidden.copy()
    added_for = np.full(len(hidden), -1)
    up, down = np.maximum(aim.high - cells.numbers, 0), np.maximum(cells.numbers - aim.low, 0)
    exposed = find_exposed(cells, aim, hidden)
    while exposed.any():
        targets = _pick_one_each(exposed, np.maximum(up, down), part)
        target_of = dict(zip(part[targets], targets, strict=True))
        for by in (up, -down):
            new = _move(cells, aim, hidden, part, targets, by) & cells.is_published & ~hidden
            added_for[new] = [target_of[number] for number in part[new]]
            hidden |= new
        exposed[targets] = False
    hidden = _show_again(cells, aim, hidden, added_for, part)
    if find_exposed(cells, aim, hidden).any():
        raise ReleaseRefusedError("A suppressed number could still be worked out from the sums of the table.")
    return hidden


def _move(cells: Cells, aim: Aim, hidden: Flags, part: Places, targets: Places, by: Numbers) -> Flags:
    """Return the cells that move when the targets do, by what they are told, at the least cost of new suppressions."""
    here = np.flatnonzero(np.isin(part, part[targets]))
    relations = cells.relations[:, here]
    relations = csr_array(relations[np.diff(relations.indptr) > 0])
    target = np.searchsorted(here, targets)
    cost = np.where(hidden, 0, weigh_cells(cells))[here]
    most_up, most_down = (np.maximum(off, 0)[here] for off in (aim.ceiling - cells.numbers, cells.numbers - aim.floor))
    most_up[target], most_down[target] = np.maximum(by[targets], 0), np.maximum(-by[targets], 0)
    reward = np.zeros(len(here))
    reward[target] = 1e7  # more than any way can cost, so that a target moves as far as it can
    solution = linprog(
        np.concatenate([cost - reward, cost - reward]),
        A_eq=hstack([relations, -relations], format="csr"),
        b_eq=np.zeros(relations.shape[0]),
        bounds=np.column_stack([np.zeros(2 * len(here)), np.concatenate([most_up, most_down])]),
        method="highs",
        options={"presolve": False},  # takes longer than it saves
    )
    moves = np.zeros((2, len(here))) if solution.x is None else solution.x.reshape(2, len(here))
    slack = TOLERANCE * np.maximum(1, np.abs(by[targets]))
    if (moves.sum(axis=0)[target] < np.abs(by[targets]) - slack).any():
        raise ReleaseRefusedError(
            "A number that is too small to show could be worked out from the sums of the table, whatever else is "
            "suppressed. Too much of the table has been published before. Release coarser groups."
        )
    moved = np.zeros(len(hidden), dtype=bool)
    moved[here] = moves.max(axis=0) > TOLERANCE
    return moved


def _show_again(cells: Cells, aim: Aim, hidden: Flags, added_for: Places, part: Places) -> Flags:
    """Show each added suppression again, the costliest first, unless that exposes an unsafe cell."""
    hidden, cost = hidden.copy(), weigh_cells(cells)
    added = added_for >= 0
    left = added & (np.bincount(part, added)[part] > 1)  # a single one was added because it was needed
    while left.any():
        trial = _pick_one_each(left, cost, part)
        left[trial] = hidden[trial] = False
        reason = np.zeros(len(left), dtype=bool)
        reason[added_for[trial]] = True  # most are needed for what they were added for, which is quick to see
        for asked in (reason, aim.unsafe):
            at_stake = np.isin(part, part[trial[~hidden[trial]]])
            exposed = find_exposed(cells, aim, hidden, asked & at_stake)
            hidden[trial[np.isin(part[trial], part[exposed])]] = True
    return hidden


def _pick_one_each(flags: Flags, by: Numbers, part: Places) -> Places:
    """Return of each part the flagged cell with the largest number; the first of them if there are several."""
    places = np.flatnonzero(flags)
    order = places[np.lexsort((places, -by[places], part[places]))]
    return order[np.unique(part[order], return_index=True)[1]]


def _split_table(cells: Cells, aim: Aim) -> Places:
    """Number the parts of the table that no sum connects; a cell that cannot move is a part of its own.

    That is one which must be shown, or which is alone in a sum with such cells.
    """
    stuck = aim.shown & ~aim.unsafe & cells.is_published
    links = abs(cells.relations)
    while (alone := (links @ ~stuck) == 1).any():
        stuck = stuck | ((alone @ links) > 0)
    loose = csr_array(links @ diags_array((~stuck).astype(np.float64)))
    loose.eliminate_zeros()
    _, part = connected_components(block_array([[None, loose], [loose.T, None]]), directed=False)
    split: Places = part[links.shape[0] :].astype(np.intp)
    return split


def _suppress_least(cells: Cells, aim: Aim, part: Places, concerned: Flags, seconds: float) -> tuple[Flags, str]:
    """Return the suppressions of least cost of those parts where they were found, and why not of all."""
    found = np.zeros(len(part), dtype=bool)
    if not find_spec("pytauargus"):
        return found, "The least pattern is found with pytauargus, which is not installed."
    with tempfile.TemporaryDirectory(prefix="councilbook-") as temporary:
        folder = Path(temporary)
        in_order = np.flatnonzero(concerned)
        in_order = in_order[np.argsort(part[in_order], kind="stable")]
        starts = np.flatnonzero(np.diff(part[in_order], prepend=-1))
        places = np.split(in_order, starts[np.diff(starts // BUNDLE, prepend=0) > 0])
        cost, relations = weigh_cells(cells), csc_array(cells.relations)
        for number, here in enumerate(places):
            (folder / f"{number}.jj").write_text(_write_table(cells, aim, cost, relations, here), encoding="ascii")
        reason = _run_solver(folder, seconds)
        for answer in folder.glob("*.hidden"):
            here = places[int(answer.stem)]
            found[here[[int(line) for line in answer.read_text().split()]]] = True
    return found & cells.is_published, reason


def _write_table(cells: Cells, aim: Aim, cost: Numbers, relations: csc_array, here: Places) -> str:
    """Write a part of the table as tau-Argus reads one: its cells, and how they add up."""
    numbers, unsafe = cells.numbers[here], aim.unsafe[here]
    below = np.where(unsafe, np.maximum(numbers - aim.low[here], 0), 0)
    above = np.where(unsafe, np.maximum(aim.high[here] - numbers, 0), 0)
    most = numbers + 100 * (below.max() + above.max())  # a solver wants a limit; this is out of the way
    price = np.ceil(cost[here] / max(1, cost[here].sum() / 1e9)).astype(int)  # it adds them up in 32 bits
    status = np.where(unsafe | ~cells.is_published[here], "u", "s")
    most = np.minimum(most, np.broadcast_to(aim.ceiling, cells.numbers.shape)[here])
    columns = zip(numbers, price, status, aim.floor[here], most, below, above, strict=True)
    lines = ["0", str(len(here)), *(f"{place} {' '.join(map(str, cell))} 0" for place, cell in enumerate(columns))]
    entries = relations[:, here].tocoo()
    row, column = entries.coords
    sums: dict[int, list[tuple[int, float]]] = {}
    for of, place, sign in zip(row, column, entries.data, strict=True):
        sums.setdefault(int(of), []).append((int(place), float(sign)))
    lines.append(str(len(sums)))
    for terms in sums.values():
        right = sum(sign * numbers[place] for place, sign in terms)
        lines.append(f"{right} {len(terms)} : " + " ".join(f"{place} ({sign:.0f})" for place, sign in terms))
    return "\n".join(lines) + "\n"


def _run_solver(folder: Path, seconds: float) -> str:
    """Let tau-Argus solve the tables in a folder, and say why it has not solved all, if so."""
    tables = len(list(folder.glob("*.jj")))
    try:
        subprocess.run(
            [sys.executable, "-c", SOLVER, str(ceil(seconds / 60))],
            cwd=folder,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"The least pattern was not found within {seconds:g} seconds."
    solved = len(list(folder.glob("*.hidden")))
    return "The least pattern did not pass the check." if solved == tables else "The solver found no least pattern."
