"""How long the fuel poverty indicators of many households take, and how much memory, beside plain pandas.

    python benchmarks/indicators.py [--runs N]

Each run is a process of its own, and its peak memory includes the households. "lilee" and "both" (LIHC as well) are
ours, thresholds and totals included, and check all that comes in. The peers find the same thresholds and LILEE, and
check nothing: a column at a time as pandas is mostly written, and a row at a time with `apply`, on a part of the rows.
All must agree. Processor seconds are those of one core; they tell more than the others where a machine is busy.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from councilbook.fuel_poverty.households.indicators import find_thresholds, measure_lihc, measure_lilee, total_gaps

MILLION = 1_000_000
CASES = {"a million": (MILLION, ("lilee", "both", "columns")), "24 million": (24 * MILLION, ("lilee", "both"))}
ROWS_APPLIED = 50_000


def make_households(rows: int, seed: int) -> pd.DataFrame:
    """Households with a plausible spread of incomes and costs, and no claim to be any place's."""
    random = np.random.default_rng(seed)
    score = random.normal(66, 12, rows).clip(1, 100)
    cost = random.lognormal(7.5, 0.35, rows) + 150
    return pd.DataFrame(
        {
            "ahc_income_gbp_year": random.lognormal(10.1, 0.6, rows) - 500,
            "required_fuel_cost_gbp_year": cost,
            "fuel_rebate_gbp_year": np.where(random.random(rows) < 0.1, 150.0, 0.0),
            "adults": random.integers(1, 4, rows, dtype="int8"),
            "children_14_plus": (random.random(rows) < 0.15).astype("int8"),
            "children_under_14": random.integers(0, 3, rows, dtype="int8"),
            "fpeer_score": score,
            "fuel_cost_at_band_c_gbp_year": cost * np.minimum(1, score / 69),
            "grossing": random.uniform(0.5, 1.5, rows),
        },
        copy=False,
    )


def measure_ours(households: pd.DataFrame) -> float:
    thresholds = find_thresholds(households, weight="grossing")
    return total_gaps(measure_lilee(households, thresholds), households["grossing"]).aggregate_gap_gbp_year


def measure_both(households: pd.DataFrame) -> float:
    thresholds = find_thresholds(households, weight="grossing")
    total = 0.0
    for measure in (measure_lihc, measure_lilee):
        total += total_gaps(measure(households, thresholds), households["grossing"]).aggregate_gap_gbp_year
    return total


def measure_by_column(households: pd.DataFrame) -> float:
    frame = households.copy()
    frame["people"] = frame[["adults", "children_14_plus", "children_under_14"]].sum(axis="columns")
    others = frame["adults"] - 1 + frame["children_14_plus"]
    frame["income"] = frame["ahc_income_gbp_year"] / (0.58 + 0.42 * others + 0.2 * frame["children_under_14"])
    frame["factor"] = frame["people"].clip(upper=5).map({1: 0.82, 2: 1.0, 3: 1.07, 4: 1.21, 5: 1.32})
    frame["cost"] = (frame["required_fuel_cost_gbp_year"] - frame["fuel_rebate_gbp_year"]) / frame["factor"]
    line = 0.6 * find_median_by_column(frame, "income")
    find_median_by_column(frame, "cost")
    limits = [0, 20, 38, 54, 68, 80, 91, np.inf]
    frame["band"] = pd.cut((frame["fpeer_score"] + 0.5).astype("int64"), limits, labels=list("GFEDCBA"))
    frame["is_fuel_poor"] = frame["band"].isin(list("DEFG")) & (frame["income"] < line + frame["cost"])
    by_income = (line + frame["cost"] - frame["income"]) * frame["factor"]
    by_band = frame["required_fuel_cost_gbp_year"] - frame["fuel_cost_at_band_c_gbp_year"]
    gaps = pd.concat([by_income, by_band], axis="columns").min(axis="columns").where(frame["is_fuel_poor"], 0.0)
    return float((gaps * frame["grossing"]).sum())


def find_median_by_column(frame: pd.DataFrame, column: str) -> float:
    ordered = frame.sort_values(column)
    sums = (ordered["grossing"] * ordered["people"]).cumsum()
    return float(ordered.loc[sums > sums.iloc[-1] / 2, column].iloc[0])


def measure_by_row(households: pd.DataFrame) -> float:
    line = find_thresholds(households, weight="grossing").poverty_line_gbp_year  # not what a row can tell

    def find_gap(row: pd.Series) -> float:
        people = row["adults"] + row["children_14_plus"] + row["children_under_14"]
        others = row["adults"] - 1 + row["children_14_plus"]
        income = row["ahc_income_gbp_year"] / (0.58 + 0.42 * others + 0.2 * row["children_under_14"])
        factor = (0.82, 1.0, 1.07, 1.21, 1.32)[int(min(people, 5)) - 1]
        threshold = line + (row["required_fuel_cost_gbp_year"] - row["fuel_rebate_gbp_year"]) / factor
        if row["fpeer_score"] >= 68.5 or income >= threshold:
            return 0.0
        by_band = row["required_fuel_cost_gbp_year"] - row["fuel_cost_at_band_c_gbp_year"]
        return row["grossing"] * min((threshold - income) * factor, by_band)

    return float(households.apply(find_gap, axis="columns").sum())


WAYS = {"lilee": measure_ours, "both": measure_both, "columns": measure_by_column, "rows": measure_by_row}


def run_once(way: str, rows: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--way", way, "--rows", str(rows)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_here(way: str, rows: int) -> None:
    households = make_households(rows, seed=1)
    begin, begin_processor = time.perf_counter(), time.process_time()
    gap = WAYS[way](households)
    seconds, processor = time.perf_counter() - begin, time.process_time() - begin_processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps({"seconds": seconds, "processor": processor, "peak": peak, "gap": gap}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="measure one way, in this process")
    parser.add_argument("--rows", type=int, default=MILLION)
    options = parser.parse_args()
    if options.way:
        run_here(options.way, options.rows)
        return
    print(f"{os.cpu_count()} cores, medians of {options.runs} runs in turn")
    print("| households | way | seconds | processor seconds | peak GiB | processor seconds / ours |")
    print("|---|---|---|---|---|---|")
    for name, (rows, ways) in CASES.items():
        runs = [{way: run_once(way, rows) for way in ways} for _ in range(options.runs)]
        for run in runs:
            if "columns" in run:
                assert np.isclose(run["columns"]["gap"], run["lilee"]["gap"]), "the peer found another gap"
        for way in ways:
            wall, processor, peak = (
                statistics.median(run[way][figure] for run in runs) for figure in ("seconds", "processor", "peak")
            )
            ratio = statistics.median(run[way]["processor"] / run["lilee"]["processor"] for run in runs)
            print(f"| {name} | {way} | {wall:.2f} | {processor:.2f} | {peak:.2f} | {ratio:.1f} |", flush=True)
    pairs = [(run_once("rows", ROWS_APPLIED), run_once("lilee", MILLION)) for _ in range(options.runs)]
    assert np.isclose(pairs[0][0]["gap"], run_once("lilee", ROWS_APPLIED)["gap"]), "the peer found another gap"
    by_row = statistics.median(theirs["processor"] for theirs, _ in pairs)
    scaled = [theirs["processor"] * MILLION / ROWS_APPLIED / ours["processor"] for theirs, ours in pairs]
    print(f"apply: {by_row:.2f} processor seconds for {ROWS_APPLIED:,} rows; a million at that pace,", end=" ")
    print(f"{statistics.median(scaled):.0f} times ours")


if __name__ == "__main__":
    main()
