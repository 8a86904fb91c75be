"""How often the interval of a measure's effect holds the true effect, beside naive two-way fixed effects.

    python benchmarks/impact.py [--programmes N] [--processes N]

Each programme has 300 treated and 600 control households over 8 years, one reading in twenty missing. Treated ones
start in one of four years, use more gas to begin with, and save more each year, at a pace that differs by year of start
and by household. Errors of a household's years are correlated. What is true is the mean of the planted effect over the
treated households' years since. All this is invented, and of no place. At the end, seconds and peak memory of one
programme of 20,000 treated and 60,000 others over 9 years, in a process of its own, with matching and without.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from councilbook.methods.impact import estimate_effect, match_controls, prepare_panel

BEGIN = 2010
SAVED_A_YEAR = {2012: -450.0, 2013: -300.0, 2014: -200.0, 2015: -100.0}  # kWh, times the years since
LARGE = (20_000, 60_000, 9)
CHECKED = (300, 600, 8)


def make_programme(
    treated: int, controls: int, years: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series]:
    """Interventions, outcomes, features, and the expected effect by household and year."""
    random = np.random.default_rng(seed)
    count = treated + controls
    start = np.full(count, 9999)
    start[:treated] = random.choice(list(SAVED_A_YEAR), treated)
    floor_area = random.normal(85, 20, count) + np.where(start < 9999, 10, 0)
    level = 9000 + 80 * floor_area + random.normal(0, 1500, count)
    year = np.arange(BEGIN, BEGIN + years)
    errors = np.empty((count, years))
    errors[:, 0] = random.normal(0, 1500, count)
    for place in range(1, years):
        errors[:, place] = 0.5 * errors[:, place - 1] + random.normal(0, 1500 * np.sqrt(0.75), count)
    pace = pd.Series(start).map(SAVED_A_YEAR).fillna(0.0).to_numpy()
    expected = pace[:, None] * (year - start[:, None]).clip(min=0)
    own = random.gamma(4, 0.25, count)[:, None]  # mean 1
    gas = level[:, None] + random.normal(0, 800, years) + expected * own + errors
    gas[random.random(gas.shape) < 0.05] = np.nan
    household = np.repeat(np.arange(count), years)
    outcomes = pd.DataFrame(
        {"household_id": household, "year": np.tile(year, count), "gas_kwh": gas.clip(min=0).ravel()}
    )
    dates = pd.to_datetime(pd.DataFrame({"year": start[:treated], "month": 6, "day": 1}))
    interventions = pd.DataFrame({"household_id": np.arange(treated), "installed_on": dates})
    features = pd.DataFrame({"household_id": np.arange(count), "floor_area_m2": floor_area})
    index = pd.MultiIndex.from_frame(outcomes[["household_id", "year"]])
    return interventions, outcomes, features, pd.Series(expected.ravel(), index=index)


def check_programme(seed: int) -> dict[str, float]:
    interventions, outcomes, _, expected = make_programme(*CHECKED, seed)
    panel = prepare_panel(interventions, outcomes)
    found = estimate_effect(panel, "gas_kwh").set_index("term")
    ours, naive = found.loc["average"], found.loc["naive"]
    since = panel[panel["event_year"].gt(0).fillna(False) & panel["gas_kwh"].notna()]
    true = expected.loc[pd.MultiIndex.from_frame(since[["household_id", "year"]])].mean()
    return {
        "true": true,
        "bias": ours["effect"] - true,
        "covered": ours["low_95"] <= true <= ours["high_95"],
        "width": ours["high_95"] - ours["low_95"],
        "naive_bias": naive["effect"] - true,
        "naive_covered": naive["low_95"] <= true <= naive["high_95"],
        "naive_width": naive["high_95"] - naive["low_95"],
        "pre_trend": ours["pre_trend_p"] < 0.05,
    }


def run_large(way: str) -> None:
    interventions, outcomes, features, _ = make_programme(*LARGE, seed=1)
    begin = time.perf_counter()
    panel, cluster = prepare_panel(interventions, outcomes), "household_id"
    if way == "matched":
        panel, cluster = match_controls(panel, features).panel, "pair"
    found = estimate_effect(panel, "gas_kwh", cluster)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps({"seconds": seconds, "peak": peak, "rows": int(found["observations"].iloc[0])}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programmes", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--way", choices=["all", "matched"], help="measure one large programme, in this process")
    options = parser.parse_args()
    if options.way:
        run_large(options.way)
        return
    begin = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        checked = pd.DataFrame(pool.map(check_programme, range(options.programmes), chunksize=10))
    means = checked.astype("float64").mean()
    print(f"{len(checked)} programmes in {time.perf_counter() - begin:.0f} s on {os.cpu_count()} cores;", end=" ")
    print(f"true effect {means['true']:.0f} kWh a year; pre-trend test below 0.05 in {means['pre_trend']:.1%}")
    print("| estimate | coverage of the 95 % interval | bias, kWh | mean width, kWh |")
    print("|---|---|---|---|")
    for name, prefix in (("ours", ""), ("naive two-way fixed effects", "naive_")):
        covered, bias, width = (means[prefix + figure] for figure in ("covered", "bias", "width"))
        print(f"| {name} | {covered:.1%} | {bias:+.1f} | {width:.0f} |")
    for way in ("all", "matched"):
        command = [sys.executable, __file__, "--way", way]
        one = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"large, {way}: {one['rows']:,} rows, {one['seconds']:.1f} s, peak {one['peak']:.2f} GiB")


if __name__ == "__main__":
    main()
