"""From the linked extract of a council to chances, reach, flags and bands: seconds and memory, beside a plain model.

    python benchmarks/households.py [--runs N] [--lsoas N]
    python benchmarks/households.py --mirror FOLDER      after councilbook run fuel_poverty --data real --mirror FOLDER

Each run is a process of its own. The extract is a synthetic population at the density of Kent and Medway, in thirteen
districts, made from tables with no claim to be any place's: so the scores say how two models compare, not how well
fuel poverty can be foretold. Processor seconds tell more than the others where a machine is busy; both models keep to
one thread. Peak memory includes the extract, Python and pandas.

The peer is what one would write without this module: scikit-learn's logistic regression with one-hot labels and
standardised numbers, on the same predictors and the same districts left out, fitted to all other households and not
calibrated. Its seconds are set beside those of our two models together.

With --mirror the synthetic extract is the one that fits the official figures of Kent and Medway, and it is learnt from
twice: from its own labels, and from official rates alone, as where records hold no incomes. Districts are left out.
Then a third of the areas is done again as if the records lacked certificates or Acorn groups.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from councilbook.fuel_poverty.areas.prediction import Folds
from councilbook.fuel_poverty.chances.likelihood import BOOSTED, LOGISTIC, predict_held_out, split_households
from councilbook.fuel_poverty.chances.official_rates import FROM_RATES, learn_from_rates
from councilbook.fuel_poverty.chances.routes import add_up
from councilbook.fuel_poverty.chances.scores import COUNCIL_RATE, average_areas, score_chances
from councilbook.fuel_poverty.households.extract import (
    LEVELS,
    OPEN,
    PREDICTORS,
    add_open,
    keep_latest_certificates,
    prepare_households,
)
from councilbook.fuel_poverty.households.fairness import make_groups, measure_reach
from councilbook.fuel_poverty.households.flags import count_bands, find_at_risk, list_at_risk_postcodes, make_flags
from councilbook.fuel_poverty.households.spread import LACKING, take_away
from councilbook.fuel_poverty.households.targeting import count_reached, find_visited, make_orders
from councilbook.fuel_poverty.twin.population import draw_population
from councilbook.study import Study
from population import POSTCODES, make_tables

LSOAS, DISTRICTS = 1107, 13
BUDGETS = [1_000, 5_000, 10_000, 20_000, 50_000]
WAYS = ("ours", "peer", "rates")
PEER = "Plain logistic regression"
SCORES = ("auc", "brier", "log_loss", "calibration_slope", "expected_calibration_error")
Steps = dict[str, tuple[float, float]]  # seconds, processor seconds
Prepare = Callable[[str, int], pd.DataFrame]  # by what the records lack, of every so-many-th area
THIRD = 3  # of the areas, which are enough to compare what records lack


def make_council(lsoas: int, seed: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """The extract with its directory of postcodes, open covariates by output area, and official figures by LSOA."""
    random = np.random.default_rng(seed)
    tables = make_tables(lsoas, seed)
    codes = np.arange(lsoas) * DISTRICTS // lsoas
    tables["lookup"]["lad22_code"] = [f"E070000{code:02}" for code in codes]
    places = tables["postcodes"]
    number = np.arange(len(places))
    letters = np.array(list("ABDEFGHJLN"))
    ends = np.char.add(letters[number % 10], letters[number // 10 % 10])
    places["postcode"] = [f"ZZ{n // 1000} {n // 100 % 10}{end}" for n, end in zip(number, ends, strict=True)]
    places["latitude"] = 51 + number // POSTCODES % 30 / 50
    places["longitude"] = number // POSTCODES // 30 / 50
    population = draw_population(**tables, seed=seed)
    outputs = places.drop_duplicates("oa21_code")[["oa21_code"]].reset_index(drop=True)
    outputs[list(OPEN)] = random.gamma(2, 10, (len(outputs), len(OPEN))).clip(0, 100)
    names = ("households", "people", "acorn", "epc")
    extract = {name: getattr(population, name) for name in names} | {"postcodes": places}
    return extract, outputs, tables["fuel_poor"]


def predict_plainly(prepared: pd.DataFrame, folds: Folds) -> pd.DataFrame:
    numbers = [name for name in PREDICTORS if name not in LEVELS]
    scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    rows = prepared[list(PREDICTORS)].astype(dict.fromkeys(numbers, "float64"))
    chances = pd.DataFrame({PEER: 0.0}, index=prepared.index)
    for part in sorted(folds.labels.unique()):
        left_out = folds.labels == part
        columns = make_column_transformer((OneHotEncoder(drop="first"), list(LEVELS)), (scale, numbers))
        model = make_pipeline(columns, LogisticRegression(max_iter=200))
        with threadpool_limits(1):
            model.fit(rows[~left_out], prepared.loc[~left_out, "is_fuel_poor"])
            chances.loc[left_out, PEER] = model.predict_proba(rows[left_out])[:, 1]
    return chances


def run_here(way: str, lsoas: int) -> None:
    extract, outputs, official = make_council(lsoas, seed=1)
    steps: Steps = {}

    def measure(name: str, do: Callable[[], Any]) -> Any:
        begin, begin_processor = time.perf_counter(), time.process_time()
        done = do()
        before, before_processor = steps.get(name, (0.0, 0.0))
        seconds, processor = time.perf_counter() - begin, time.process_time() - begin_processor
        steps[name] = before + seconds, before_processor + processor
        return done

    prepared = measure("check and join", lambda: add_open(prepare_households(**extract), outputs))
    folds = split_households(prepared, seed=1)
    truth = prepared["is_fuel_poor"]
    if way == "peer":
        steps.clear()
        chances = measure("predict", lambda: predict_plainly(prepared, folds))
    elif way == "rates":
        steps.clear()
        rates = 100 * official.set_index("lsoa_code")["fuel_poor_households"] / official["households"].to_numpy()
        bare = prepared.drop(columns="is_fuel_poor")
        chances = measure(
            "learn from official rates", lambda: learn_from_rates(bare, folds, rates).chances[[FROM_RATES]]
        )
        chances[FROM_RATES] = measure("add up", lambda: add_up(bare, chances[FROM_RATES], rates))
    else:
        chances = measure("predict", lambda: predict_held_out(prepared, folds, seed=1))[[LOGISTIC, BOOSTED]]
        measure_rest(prepared, chances[BOOSTED], official, measure)
    scores = score_chances(truth, chances, folds).set_index("model")[list(SCORES)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    figures = {"steps": steps, "peak": peak, "households": len(prepared), "scores": scores.to_dict("index")}
    print(json.dumps(figures))


def measure_rest(
    prepared: pd.DataFrame, chance: pd.Series, official: pd.DataFrame, measure: Callable[[str, Callable[[], Any]], Any]
) -> None:
    rates = 100 * official.set_index("lsoa_code")["fuel_poor_households"] / official["households"].to_numpy()
    postcodes = prepared.groupby("postcode")["lsoa21_code"].first().map(rates)
    budgets = [budget for budget in BUDGETS if budget <= len(prepared)]
    orders = measure("count who is reached", lambda: make_orders(prepared, chance, rates, -rates, postcodes))
    measure("count who is reached", lambda: count_reached(orders, prepared, budgets, seed=1))
    measure("reach by group", lambda: measure_reach(orders, prepared, make_groups(prepared), budgets[-1]))
    measure("flags", lambda: make_flags(prepared))
    listed = measure("list and count postcodes", lambda: list_at_risk_postcodes(prepared, chance))
    measure("list and count postcodes", lambda: count_bands(prepared, listed, find_at_risk(chance)))


def score_lacking(prepare: Prepare, rates: pd.Series) -> None:
    """Print how well homes of districts that were left out are told, by what the records lack, of some of the areas."""
    print("| records lack | learnt from | AUC | calibration slope | reached with 5 % of visits, % |")
    print("|---|---|---|---|---|")
    for lacks in LACKING:
        prepared = prepare(lacks, THIRD)
        folds, truth = split_households(prepared, seed=1), prepared["is_fuel_poor"]
        ways = {"records": predict_held_out(prepared, folds, 1, [LOGISTIC])[LOGISTIC]}
        bare = prepared.drop(columns="is_fuel_poor")
        ways["official rates"] = add_up(bare, learn_from_rates(bare, folds, rates).chances[FROM_RATES], rates)
        scores = score_chances(truth, pd.DataFrame(ways), folds).set_index("model")
        for name, chance in ways.items():
            found = 100 * float((find_visited(chance, round(0.05 * len(chance))) * truth).sum()) / truth.sum()
            auc, slope = scores.loc[name, ["auc", "calibration_slope"]]
            print(f"| {lacks} | {name} | {auc:.3f} | {slope:.2f} | {found:.1f} |", flush=True)


def score_routes(prepared: pd.DataFrame, rates: pd.Series, estimates: pd.Series) -> None:
    """Print how well each way of learning tells homes and areas of districts that were left out."""
    folds, truth = split_households(prepared, seed=1), prepared["is_fuel_poor"]
    bare = prepared.drop(columns="is_fuel_poor")
    learnt = learn_from_rates(bare, folds, rates).chances
    ways = pd.DataFrame({"from records": predict_held_out(prepared, folds, 1, [LOGISTIC])[LOGISTIC]})
    ways["from official rates, not added up"] = learnt[FROM_RATES]
    ways["from official rates"] = add_up(bare, learnt[FROM_RATES], rates)
    ways["official rate of the area"] = prepared["lsoa21_code"].map(rates) / 100
    ways["open estimate of the postcode"] = prepared["postcode"].map(estimates).fillna(0) / 100
    scores = score_chances(truth, ways, folds).set_index("model")
    print("| chance | AUC | calibration slope | reached with 5 % of visits, % | as the chances expect, % |")
    print("|---|---|---|---|---|")
    for name in ways:
        visited = find_visited(ways[name], round(0.05 * len(ways)))
        found, expected = (100 * float((visited * one).sum()) / truth.sum() for one in (truth, ways[name]))
        row = scores.loc[name]
        print(f"| {name} | {row['auc']:.3f} | {row['calibration_slope']:.2f} | {found:.1f} | {expected:.1f} |")
    areas = average_areas(learnt, prepared["lsoa21_code"])
    rate = prepared["lsoa21_code"].map(rates) / 100
    squares = ((areas.sub(rate, axis="index")) ** 2).sum()
    explained = 100 * (1 - squares[FROM_RATES] / squares[COUNCIL_RATE])
    print(f"official rates of areas in districts left out: {explained:.1f} % of the variance around the rest's rate")


def read_study(mirror: str) -> tuple[Prepare, pd.Series, pd.Series]:
    study = Study.open(
        "fuel_poverty", "4_households", "kent_medway", "real", mirror=mirror, seed=2018, run_date="2026-11-23"
    )
    epc = keep_latest_certificates(study.load("epc_register"))
    homes, people = study.load("kid_households"), study.load("kid_people")
    acorn, postcodes = study.load("wellbeing_acorn"), study.load("postcode_directory")
    known = study.published("output_area_covariates")

    def prepare(lacks: str, every: int) -> pd.DataFrame:
        areas = sorted(homes["lsoa21_code"].unique())[::every]
        own = homes[homes["lsoa21_code"].isin(areas)]
        theirs = people[people["household_id"].isin(own["household_id"])]
        kept = {name: take_away(table, LACKING[lacks].get(name)) for name, table in (("acorn", acorn), ("epc", epc))}
        return add_open(prepare_households(own, theirs, postcodes=postcodes, **kept), known)

    rates = known.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["area_fuel_poor_pct"]
    return prepare, rates, study.published("postcode_fuel_poverty").set_index("postcode")["fuel_poor_pct"]


def run_once(way: str, lsoas: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--way", way, "--lsoas", str(lsoas)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def find_medians(runs: list[dict[str, Any]], way: str, step: str) -> tuple[float, ...]:
    return tuple(statistics.median(run[way]["steps"][step][place] for run in runs) for place in (0, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lsoas", type=int, default=LSOAS)
    parser.add_argument("--way", choices=WAYS, help="measure one of them, in this process")
    parser.add_argument("--mirror", help="score ways of learning on the extract that fits these official files")
    options = parser.parse_args()
    if options.mirror:
        prepare, rates, estimates = read_study(options.mirror)
        score_routes(prepare("nothing", 1), rates, estimates)
        score_lacking(prepare, rates)
        return
    if options.way:
        run_here(options.way, options.lsoas)
        return
    runs = [{way: run_once(way, options.lsoas) for way in WAYS} for _ in range(options.runs)]
    print(
        f"{runs[0]['ours']['households']:,} households, {os.cpu_count()} cores, medians of {options.runs} runs in turn"
    )
    print("| step | seconds | processor seconds | peak GiB |")
    print("|---|---|---|---|")
    for way in WAYS:
        steps = {step: find_medians(runs, way, step) for step in runs[0][way]["steps"]}
        steps["all"] = tuple(map(sum, zip(*steps.values(), strict=True)))
        peak = statistics.median(run[way]["peak"] for run in runs)
        for step, (seconds, processor) in steps.items():
            print(f"| {way}: {step} | {seconds:.1f} | {processor:.1f} | {peak:.2f} |")
    ratios = [run["peer"]["steps"]["predict"][1] / run["ours"]["steps"]["predict"][1] for run in runs]
    print(f"peer / ours, processor seconds to predict: {statistics.median(ratios):.1f}")
    print("| model | " + " | ".join(SCORES) + " |")
    print("|---" * (len(SCORES) + 1) + "|")
    for way in WAYS:
        for model, scores in runs[0][way]["scores"].items():
            print(f"| {model} | " + " | ".join(f"{scores[name]:.4f}" for name in SCORES) + " |")


if __name__ == "__main__":
    main()
