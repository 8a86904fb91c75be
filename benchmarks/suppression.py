"""How much is suppressed beside small counts, how fast, and what is left exposed.

    python benchmarks/suppression.py [--seconds N] [--large]

Tables of invented counts with both margins. The peer does what is done by hand: where a row or a column has a single
suppressed count, its smallest other count goes too, until there is none left.
"""

import argparse
import time
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pandas as pd

from councilbook.catalogue import CountRule, LinkedCount
from councilbook.gate.disclosure.tables import secondary
from councilbook.gate.disclosure.tables.cells import Cells, Flags, build_cells
from councilbook.gate.disclosure.tables.counts import aim_at_counts, protect_counts
from councilbook.gate.disclosure.tables.linked import find_exposed_by_areas
from councilbook.gate.disclosure.tables.secondary import Aim, choose_secondary, find_exposed, weigh_cells

SIZES = [(10, 10), (40, 10), (100, 10), (200, 20)]
RULE = {
    "rule": "counts",
    "approver": "nobody",
    "counts": ["people"],
    "threshold": 10,
    "round_to": 5,
    "zeros": "show",
    "full": "suppress",
    "published_totals": "rounded",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="the solver's time limit")
    parser.add_argument("--large", action="store_true", help="also 50,000 rows, and 10,000 areas beside others")
    options = parser.parse_args()
    rule = CountRule.model_validate(RULE | {"totals": {"area": "All", "sex": "All"}, "solver_seconds": options.seconds})
    print("| table | small counts | way | further counts | cost | seconds | still exposed |")
    print("|---|---|---|---|---|---|---|")
    for rows, columns in SIZES:
        cells = make_table(rows, columns)
        aim = aim_at_counts(cells, rule, np.zeros(rows * columns + rows + columns + 1, dtype=bool))
        for way, choose in (
            ("tau-Argus", lambda cells, aim: choose_secondary(cells, aim, options.seconds).hidden),
            ("greedy", choose_greedily),
            ("by hand", choose_by_hand),
        ):
            report(f"{rows} x {columns}", cells, aim, way, choose)
    if options.large:
        time_many_rows(options.seconds)
        time_many_areas()


def make_table(rows: int, columns: int) -> Cells:
    random = np.random.default_rng(1)
    inner = random.poisson(random.gamma(1.0, 60, size=(rows, columns)))
    table = pd.DataFrame(inner, [f"E{row}" for row in range(rows)], [f"s{column}" for column in range(columns)])
    table["All"] = table.sum(axis="columns")
    table.loc["All"] = table.sum()
    long = table.rename_axis("area").reset_index().melt("area", var_name="sex", value_name="people")
    return build_cells(long, ["area", "sex"], ["people"], {"area": "All", "sex": "All"})


def report(table: str, cells: Cells, aim: Aim, way: str, choose: Callable[[Cells, Aim], Flags]) -> None:
    begin = time.perf_counter()
    hidden = choose(cells, aim)
    seconds = time.perf_counter() - begin
    further = hidden & ~aim.unsafe
    left = find_exposed(cells, aim, hidden).sum()
    cost = weigh_cells(cells)[further].sum()
    print(f"| {table} | {aim.unsafe.sum()} | {way} | {further.sum()} | {cost:,.0f} | {seconds:.1f} | {left} |")


def choose_greedily(cells: Cells, aim: Aim) -> Flags:
    with patch.object(secondary, "find_spec", return_value=None):
        return choose_secondary(cells, aim, 1).hidden


def choose_by_hand(cells: Cells, aim: Aim) -> Flags:
    hidden, sums = aim.unsafe.copy(), cells.relations
    members = [sums.indices[sums.indptr[row] : sums.indptr[row + 1]] for row in range(sums.shape[0])]
    while lonely := [cells_of for cells_of in members if hidden[cells_of].sum() == 1]:
        for cells_of in lonely:
            others = cells_of[~hidden[cells_of] & ~aim.shown[cells_of]]
            hidden[others[np.argmin(cells.numbers[others])]] = True
    return hidden


def time_many_rows(seconds: float) -> None:
    random = np.random.default_rng(0)
    ill, well = random.integers(0, 60, (2, 50_000))
    frame = pd.DataFrame({"area": np.arange(50_000), "ill": ill, "people": ill + well})
    changes = {"counts": ["ill", "people"], "part_of": {"ill": "people"}, "solver_seconds": seconds}
    rule = CountRule.model_validate(RULE | changes)
    begin = time.perf_counter()
    safe = protect_counts(frame, rule, ["area"])
    print(f"50,000 rows of a part and a whole: {time.perf_counter() - begin:.1f} s, {safe.record['method']}")


def time_many_areas() -> None:
    random = np.random.default_rng(0)
    here = np.append(np.arange(10_000), random.choice(10_000, 6_000, replace=False))
    pieces = pd.DataFrame({"area": here, "other_area": random.integers(0, 1_500, 16_000)}).drop_duplicates()
    pieces["people"] = random.poisson(40, len(pieces)) + 1
    rule = CountRule.model_validate(RULE | {"solver_seconds": 1})
    tables = [pieces.groupby(area, as_index=False)["people"].sum() for area in ("area", "other_area")]
    safe = [protect_counts(table, rule, [table.columns[0]]).frame for table in tables]
    link = LinkedCount(dataset="others", count="people", area="area", other_area="other_area")
    begin = time.perf_counter()
    found = find_exposed_by_areas(safe[0], safe[1], pieces, link, rule, ["area"])
    print(f"10,000 areas beside 1,500 others: {time.perf_counter() - begin:.1f} s, {len(found)} found")


if __name__ == "__main__":
    main()
