"""How fast the risk of a million records is measured and mended, beside pycanon, and whether both find the same.

    python benchmarks/records.py [--runs N] [--peer PYTHON]

PYTHON is the interpreter of an environment with benchmarks/peers/requirements-pycanon.txt, as pycanon pins old pandas:

    python3.11 -m venv peer && peer/bin/pip install -r benchmarks/peers/requirements-pycanon.txt

Times are those of the calls alone, without starting Python or reading the file. pycanon measures k, l and t; ours
measures uniqueness in the population as well.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from math import isclose
from pathlib import Path

import numpy as np
import pandas as pd

from councilbook.catalogue import RecordRule
from councilbook.gate.disclosure.recognition import measure_risk
from councilbook.gate.disclosure.records import protect_records

PEER = Path(__file__).parent / "peers" / "pycanon_risk.py"
SENSITIVE = ["condition", "income_gbp_year"]
ETHNICITIES = [f"group {number}" for number in range(18)]
TENURES = [f"tenure {number}" for number in range(6)]
RULE = RecordRule(
    rule="records",
    approver="Nobody",
    quasi_identifiers={
        "age": {"bands": [5, 10, 20, 50]},
        "sex": {},
        "ward_code": {"prefix": [8, 7]},
        "ethnicity": {
            "parents": [
                {name: f"block {number // 3}" for number, name in enumerate(ETHNICITIES)},
                {f"block {number}": "first" if number == 0 else "other" for number in range(6)},
            ]
        },
        "tenure": {"parents": [{name: f"kind {number // 3}" for number, name in enumerate(TENURES)}]},
    },
    sensitive=SENSITIVE,
    k=10,
    l=2,
    t=0.3,
    most_suppressed_pct=5,
    most_unique_pct=0,
)
NAMES = list(RULE.quasi_identifiers)


def make_records(rows: int) -> pd.DataFrame:
    chance = np.random.default_rng(1)

    def pick(values: list[str], steepness: float) -> np.ndarray:
        weights = 1 / np.arange(1, len(values) + 1) ** steepness
        return np.array(values)[chance.choice(len(values), rows, p=weights / weights.sum())]

    return pd.DataFrame(
        {
            "age": chance.integers(0, 100, rows),
            "sex": pick(["F", "M"], 0.0),
            "ward_code": pick([f"E05{number:06d}" for number in range(30)], 0.5),
            "ethnicity": pick(ETHNICITIES, 1.0),
            "tenure": pick(TENURES, 1.0),
            "condition": pick([f"condition {number}" for number in range(12)], 1.0),
            "income_gbp_year": (chance.lognormal(10, 0.6, rows) // 1000 * 1000).astype(int),
        }
    )


def time_call(call: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the median of seconds and of processor seconds, which another's work on the machine hardly changes."""
    costs = []
    for _ in range(runs):
        begin, processor = time.perf_counter(), time.process_time()
        call()
        costs.append((time.perf_counter() - begin, time.process_time() - processor))
    seconds, processor = (statistics.median(side) for side in zip(*costs, strict=True))
    return seconds, processor


def compare(python: Path, runs: int) -> None:
    print("| case | k, l, t | pycanon's k, l, t | ours, s | pycanon, s | pycanon / ours |")
    print("|---|---|---|---|---|---|")
    cases = {
        "2,000 records x 5": (make_records(2_000), NAMES),
        "20,000 x 3": (make_records(20_000), NAMES[1:4]),
        "20,000 x 5, protected": (protect_records(make_records(20_000), RULE).frame, NAMES),
    }
    for case, (records, names) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "records.csv"
            records.to_csv(file, index=False)
            command = [python, PEER, file, ",".join(names), ",".join(SENSITIVE)]
            peer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        call = partial(measure_risk, records, names, SENSITIVE, 5 * len(records))
        ours, (seconds, _) = call(), time_call(call, runs)
        if (ours.k, ours.l) != (peer["k"], peer["l"]) or not isclose(ours.t or 0, peer["t"], abs_tol=1e-9):
            raise SystemExit(f"Not equal: {ours} and {peer}")
        print(
            f"| {case} | {ours.k}, {ours.l}, {ours.t:.9f} | {peer['k']}, {peer['l']}, {peer['t']:.9f} "
            f"| {seconds:.3f} | {peer['seconds']:.1f} | {peer['seconds'] / seconds:,.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", type=Path, help="the interpreter of the environment with pycanon")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, medians of {options.runs} runs")
    records = make_records(1_000_000)
    measure = partial(measure_risk, records, NAMES, SENSITIVE, 5_000_000)
    risk = measure()
    seconds, processor = time_call(measure, options.runs)
    print(f"measure_risk, 1,000,000 records x 5 quasi-identifiers: {seconds:.2f} s, {processor:.2f} processor seconds")
    print(f"  k {risk.k}, l {risk.l}, t {risk.t:.3f}, unique in the population {risk.population_uniques_pct:.1f}%")
    protect = partial(protect_records, records, RULE)
    safe = protect()
    seconds, processor = time_call(protect, options.runs)
    print(f"protect_records, 576 combinations of levels: {seconds:.2f} s, {processor:.2f} processor seconds")
    print(f"  loss {safe.loss:.3f}, blanked {safe.records_blanked}, dropped {safe.records_dropped}")
    if options.peer:
        compare(options.peer, options.runs)


if __name__ == "__main__":
    main()
