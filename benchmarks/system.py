"""How long 10,000 draws of the systems model take, beside running PySD once a draw.

    python benchmarks/system.py [--runs N]

PySD runs one draw at a time; its time for one is multiplied by the draws. Both give what a scenario needs, by year.
"""

import argparse
import statistics
import time

from councilbook.fuel_poverty.scenarios.engine import simulate
from councilbook.fuel_poverty.scenarios.system import DRAWS, VARIABLES, draw_values
from trials.pysd_runs import run_pysd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    columns = draw_values(seed=1)
    run_pysd({})  # reads the model
    simulate({}, VARIABLES)
    ours, theirs = [], []
    for run in range(options.runs):
        begin = time.perf_counter()
        simulate(columns, VARIABLES)
        ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        run_pysd({name: column[run] for name, column in columns.items()}, VARIABLES)
        theirs.append((time.perf_counter() - begin) * DRAWS)
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    print(f"{DRAWS:,} draws, medians of {options.runs}: ours {statistics.median(ours):.2f} s, ", end="")
    print(f"PySD {statistics.median(theirs):,.0f} s ({statistics.median(theirs) / DRAWS:.2f} s a draw)")
    print(f"peer / ours {ratio:,.0f}")


if __name__ == "__main__":
    main()
