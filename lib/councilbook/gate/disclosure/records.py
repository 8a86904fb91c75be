"""Records made coarser, and here and there blanked, until nobody behind them can be recognised.

Full-domain generalisation: each quasi-identifier is released at one level of its hierarchy. The levels of all of them
are a lattice, of which each node is tried that could have less loss than the best so far, so the result has the least.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.catalogue import RecordRule
from councilbook.errors import ReleaseRefusedError
from councilbook.gate.disclosure.hierarchies import Ladder, build_ladder
from councilbook.gate.disclosure.recognition import (
    Codes,
    Numbers,
    Risk,
    code_values,
    count_pairs,
    is_ordered,
    measure_risk,
    measure_spread,
    number_classes,
    open_database,
)

Flags = NDArray[np.bool_]
ROUNDING = 1e-9  # so much further than t may a class be


@dataclass(frozen=True)
class ProtectedRecords:
    """Records after disclosure control.

    Attributes:
        frame: the records that are left, in their order, with a new index; only quasi-identifiers differ.
        levels: level of its hierarchy at which each quasi-identifier is written: 0 as it was, the last one not at all.
        records_blanked: records that lost a quasi-identifier which others still have.
        records_dropped: records that are gone.
        cells_blanked: quasi-identifiers that the blanked records lost.
        loss: share of the quasi-identifiers' information that is gone, from 0 to 1.
        before, after: the risk of the records, and that of the frame.
    """

    frame: pd.DataFrame
    levels: dict[str, int]
    records_blanked: int
    records_dropped: int
    cells_blanked: int
    loss: float
    before: Risk
    after: Risk

    @property
    def record(self) -> dict[str, Any]:
        """What was done; may stand beside the records."""
        return {
            "rows_suppressed": self.records_dropped,
            "cells_suppressed": self.cells_blanked,
            "information_lost": {
                "detail that is gone, %": round(100 * self.loss, 1),
                "records with something left blank": self.records_blanked,
            },
            "levels": self.levels,
            "risk_after": asdict(self.after),
        }

    @property
    def for_approver(self) -> dict[str, Any]:
        """What would tell of those who stood out, so must not lie beside the records."""
        return {"risk_before": asdict(self.before)}


@dataclass(frozen=True)
class _Spread:
    """How often each value of a sensitive column is in each cell."""

    cells: Codes
    codes: Codes
    counts: Codes
    ordered: bool


@dataclass(frozen=True)
class _Cells:
    """Records that do not differ in their quasi-identifiers, counted: a cell each combination of values."""

    sizes: Codes
    leaves: list[Codes]  # a cell's value of each quasi-identifier
    ladders: list[Ladder]
    spreads: list[_Spread]

    @property
    def records(self) -> int:
        return int(self.sizes.sum())


@dataclass(frozen=True)
class _Solution:
    """A node of the lattice, and how many quasi-identifiers of each cell are blanked; one more: it is dropped."""

    levels: tuple[int, ...]
    depths: Codes
    loss: float


def protect_records(
    records: pd.DataFrame, rule: RecordRule, is_safe: Callable[[pd.DataFrame], bool] = lambda _: True
) -> ProtectedRecords:
    """Generalise and locally suppress records to reach a rule's k, l and t with the least loss.

    Where a level leaves a few classes that are too small, or whose sensitive values are too alike or too unlike those
    of all records, these records give up one quasi-identifier after the other, in the rule's order, until their class
    passes; what never does is dropped. A level at which more records would be touched than the rule allows is not
    taken. The loss of a value is the share of the other values of its column that it can no longer be told from, 1 if
    it is blanked or dropped, and counts the same for each record and quasi-identifier (Iyengar 2002; the same for
    numbers as the normalised certainty penalty of Xu and others 2006, doi:10.1145/1150402.1150504, with each value that
    occurs as a step). With k of 2 or more nobody is unique in what is left, in the sample or in the population. A table
    without records tells of nobody and passes.

    Args:
        records: a row a person, household or business.
        rule: what is declared of them.
        is_safe: tells of records as they would go out whether they give nothing away beside what else is published;
            of the levels for which they do not, that of the least loss is taken.

    Raises:
        ReleaseRefusedError: there are too few records, or too few sensitive values, for any level to reach the target.
        CheckError: values are not as their hierarchy declares, or the population is smaller than the table.
    """
    names = list(rule.quasi_identifiers)
    before = measure_risk(records, names, rule.sensitive, rule.population_size)
    if records.empty:
        return ProtectedRecords(records, dict.fromkeys(names, 0), 0, 0, 0, 0.0, before, before)
    _refuse_hopeless(records, rule)
    ladders = [build_ladder(records[name], hierarchy) for name, hierarchy in rule.quasi_identifiers.items()]
    cells, cell = _count_cells(records, rule, ladders)
    best, frame = _find_least_loss(
        cells, rule, is_safe, lambda solution: _write(records, names, ladders, solution, cell)
    )
    depths = best.depths[cell]
    kept = depths <= len(names)
    cells_blanked = sum(
        int((ladder.groups[level][ladder.leaves[kept & (depths > number)]] > 0).sum())
        for number, (ladder, level) in enumerate(zip(ladders, best.levels, strict=True))
    )
    after = measure_risk(frame, names, rule.sensitive, rule.population_size)
    _require_target(after, rule)
    return ProtectedRecords(
        frame=frame,
        levels=dict(zip(names, best.levels, strict=True)),
        records_blanked=int((kept & (depths > 0)).sum()),
        records_dropped=int((~kept).sum()),
        cells_blanked=cells_blanked,
        loss=best.loss,
        before=before,
        after=after,
    )


def _write(
    records: pd.DataFrame, names: Sequence[str], ladders: Sequence[Ladder], solution: _Solution, cell: Codes
) -> pd.DataFrame:
    """Write the records that are left as a solution has them."""
    depths = solution.depths[cell]
    kept = depths <= len(names)
    frame = records.loc[kept].reset_index(drop=True)
    for number, (name, ladder, level) in enumerate(zip(names, ladders, solution.levels, strict=True)):
        blank = kept & (depths > number)
        frame[name] = ladder.labels[level].array.take(np.where(blank, 0, ladder.leaves)[kept])
    return frame


def can_protect(records: pd.DataFrame, rule: RecordRule) -> bool:
    """Tell whether there are enough records, and different sensitive values among them, for a rule's k and l at all."""
    return len(records) >= rule.k and _count_values(records, rule) >= rule.l


def _count_values(records: pd.DataFrame, rule: RecordRule) -> int:
    return min((records[name].nunique(dropna=False) for name in rule.sensitive), default=rule.l)


def _refuse_hopeless(records: pd.DataFrame, rule: RecordRule) -> None:
    """Refuse what no level can help: if all records in one class do not pass, no others do."""
    if not can_protect(records, rule):
        values = _count_values(records, rule)
        reached = f"k {len(records)}" + (f" and l {values}" if rule.sensitive else "")
        raise ReleaseRefusedError(
            f"The records cannot be protected: even with {', '.join(rule.quasi_identifiers)} blanked in all of them "
            f"they reach no more than {reached}; the rule asks for {_describe_target(rule)}."
        )


def _require_target(risk: Risk, rule: RecordRule) -> None:
    """Refuse records that do not reach the target when measured as anybody would who has them."""
    uniques = risk.population_uniques_pct
    alike = risk.l is not None and risk.l < rule.l
    telling = risk.t is not None and risk.t > rule.t + ROUNDING
    if risk.k < rule.k or alike or telling or uniques > rule.most_unique_pct:
        reached = f"k {risk.k}" + (f", l {risk.l} and t {risk.t:.3f}" if rule.sensitive else "")
        raise ReleaseRefusedError(
            f"The records reach {reached}, and {uniques:.2f}% of them are unique; the rule asks for "
            f"{_describe_target(rule)}, and at most {rule.most_unique_pct:g}% unique."
        )


def _describe_target(rule: RecordRule) -> str:
    return f"k {rule.k}" + (f", l {rule.l} and t {rule.t:g}" if rule.sensitive else "")


def _count_cells(records: pd.DataFrame, rule: RecordRule, ladders: list[Ladder]) -> tuple[_Cells, Codes]:
    """Count the records of each cell, and tell which cell each record is in."""
    cell = number_classes([ladder.leaves for ladder in ladders], len(records))
    _, first, sizes = np.unique(cell, return_index=True, return_counts=True)
    with open_database() as database:
        spreads = [
            _Spread(*count_pairs(database, cell, code_values(records[name])), is_ordered(records[name]))
            for name in rule.sensitive
        ]
    return _Cells(sizes, [ladder.leaves[first] for ladder in ladders], ladders, spreads), cell


def _find_least_loss(
    cells: _Cells,
    rule: RecordRule,
    is_safe: Callable[[pd.DataFrame], bool],
    write: Callable[[_Solution], pd.DataFrame],
) -> tuple[_Solution, pd.DataFrame]:
    """Try the nodes of the lattice from the least loss that each can have, until that is no less than the best."""
    best: tuple[_Solution, pd.DataFrame] | None = None
    for levels, least in _order_nodes(cells):
        if best and least >= best[0].loss:
            break
        found = _suppress(levels, least, cells, rule, best[0] if best else None)
        if found and is_safe(frame := write(found)):
            best = found, frame
    if best is None:
        raise ReleaseRefusedError(
            "However coarse they are, the records give a suppressed count of another table back. Count coarser groups."
        )
    return best


def _order_nodes(cells: _Cells) -> Iterator[tuple[tuple[int, ...], float]]:
    """Give each node with its loss if no record is blanked, which is the least that it can have."""
    losses = [
        [float(cells.sizes @ loss[leaves]) / cells.records / len(cells.ladders) for loss in ladder.losses]
        for ladder, leaves in zip(cells.ladders, cells.leaves, strict=True)
    ]
    nodes = product(*(range(len(ladder.labels)) for ladder in cells.ladders))
    priced = ((levels, sum(losses[i][level] for i, level in enumerate(levels))) for levels in nodes)
    yield from sorted(priced, key=lambda node: (node[1], node[0]))


def _suppress(
    levels: tuple[int, ...], least: float, cells: _Cells, rule: RecordRule, best: _Solution | None
) -> _Solution | None:
    """Blank and drop at a node until all classes pass; None if too many are touched or the best is no worse."""
    groups, losses = [], []
    for ladder, leaves, level in zip(cells.ladders, cells.leaves, levels, strict=True):
        groups.append(ladder.groups[level][leaves])
        losses.append(ladder.losses[level][leaves])
    depths = np.zeros(len(cells.sizes), dtype="int64")
    most = rule.most_suppressed_pct * cells.records / 100
    loss = least
    while (failing := _find_failing(groups, depths, cells, rule, most)).any():
        _deepen(depths, failing, groups)
        touched = np.flatnonzero(depths)
        loss = least + _add_loss(touched, depths, groups, losses, cells)
        if cells.sizes[touched].sum() > most or (best and loss >= best.loss):  # both only grow
            return None
    return _Solution(levels, depths, loss)


def _find_failing(groups: Sequence[Codes], depths: Codes, cells: _Cells, rule: RecordRule, most: float) -> Flags:
    """Tell which cells are in a class that does not pass, or only some of them if these have more records than most.

    A cell that is dropped is in no class.
    """
    kept = depths <= len(groups)
    shown = [np.where(depths > number, 0, group) for number, group in enumerate(groups)]
    classes = number_classes(shown, len(kept))
    failing: Flags = kept & (np.bincount(classes, weights=cells.sizes * kept)[classes] < rule.k)
    for spread in cells.spreads:
        if not kept.any() or cells.sizes[failing].sum() > most:
            break
        left = kept[spread.cells]
        within = classes[spread.cells[left]]
        distinct, distance = measure_spread(within, spread.codes[left], spread.counts[left], ordered=spread.ordered)
        short = (distinct < rule.l) | (distance > rule.t + ROUNDING)
        failing[kept] |= short[classes[kept]]
    return failing


def _deepen(depths: Codes, failing: Flags, groups: Sequence[Codes]) -> None:
    """Blank the next quasi-identifier that each failing cell still has; drop the cell if there is none."""
    waiting = failing.copy()
    for number, group in enumerate(groups):
        given_up = waiting & (depths <= number) & (group > 0)
        depths[given_up] = number + 1
        waiting &= ~given_up
    depths[waiting] = len(groups) + 1


def _add_loss(
    touched: Codes, depths: Codes, groups: Sequence[Codes], losses: Sequence[Numbers], cells: _Cells
) -> float:
    """Return the loss of blanking and dropping, beyond that of the node."""
    sizes, depth = cells.sizes[touched], depths[touched]
    dropped = depth > len(groups)
    extra = 0.0
    for number, (group, loss) in enumerate(zip(groups, losses, strict=True)):
        gone = dropped | ((depth > number) & (group[touched] > 0))
        extra += float(sizes[gone] @ (1 - loss[touched][gone]))
    return extra / cells.records / len(groups)
