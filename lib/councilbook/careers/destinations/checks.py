"""Whether the limits and intervals keep what they promise: on the newest year, held out, and on simulated schools."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from councilbook.careers.destinations.comparing import (
    AMONG,
    AVERAGE,
    INTAKE,
    History,
    expect_rates,
    judge_intake,
    judge_schools,
    list_counts,
    pool_rate,
    stack_years,
    take_cohorts,
)
from councilbook.careers.destinations.panel import AFTER_16
from councilbook.methods import rates
from councilbook.methods.rates import Floats, Spread

Flags = NDArray[np.bool_]

TAIL = (1 - rates.LEVEL) / 2
SIGMAS = 3.0
ROUNDS = 20  # of simulated schools, as many in each as there are
SIZES = {"of up to 100 pupils": (0, 100), "of 101 to 200 pupils": (100, 200), "of more than 200 pupils": (200, np.inf)}
PREDICTED = "The newest year lies in its prediction"
GUESSED = "The newest year lies in last year's rate with binomial noise"
NORMAL, BINOMIAL, BETA, AFTER_INTAKE = (
    "normal limits of 3 sigma around England's rate",
    "exact binomial limits around England's rate",
    "beta-binomial limits among schools",
    "beta-binomial limits after intake",
)


def check_predictions(panel: pd.DataFrame, history: History) -> pd.DataFrame:
    """Hold the newest year of England's schools against intervals fitted on the years before alone.

    Returns:
        check, schools, found (how many lie in their interval), found_pct, wanted (in words): the prediction, by size of
        cohort too, and last year's rate with binomial noise.
    """
    newest = take_cohorts(panel, AFTER_16, history.years[-1])
    before = stack_years(panel, history.years[:-1], newest["series_urn"])
    is_known = np.asarray(~np.isnan(before[1]).any(axis=1))  # a figure in each of the years before
    known = newest[is_known]
    trials, low, high = list_counts(known)
    predicted = history.predict(panel, known, held_out=True)
    is_held = (low >= predicted["low"].to_numpy()) & (high <= predicted["high"].to_numpy())
    wanted = "94 to 98"
    found = [_count(PREDICTED, is_held, wanted)]
    for size, (above, up_to) in SIZES.items():
        found.append(_count(f"The same, cohorts {size}", is_held[(trials > above) & (trials <= up_to)], wanted))
    cohort, *counts = (one[is_known, -1] for one in before)
    least, most = (binom.ppf(share, trials, sum(counts) / 2 / cohort) for share in (TAIL, 1 - TAIL))
    found.append(_count(GUESSED, (low >= least) & (high <= most), wanted))
    return pd.DataFrame(found)


def check_simulated(panel: pd.DataFrame, year: str, rng: np.random.Generator) -> pd.DataFrame:
    """Simulate schools that differ as England's do, of the same cohorts; see `check_predictions` for what is returned.

    No simulated school is unusual, so each that a limit finds is a false alarm.
    """
    real = list_counts(take_cohorts(panel, AFTER_16, year))
    spread = rates.fit_spread(*real)
    trials = np.tile(real[0], ROUNDS)
    true: Floats = rng.beta(*spread.parameters, len(trials))
    counts = rng.binomial(trials.astype(np.int64), true).astype("float64")
    least, _ = rates.find_limits(trials, spread)
    known = rates.estimate_rates(trials, counts, counts, spread)
    covered = (true >= known["low"].to_numpy()) & (true <= known["high"].to_numpy())
    told = [
        ("below beta-binomial limits", counts < least, "0.1 or less"),
        ("below normal limits of 3 sigma", _is_below(counts, trials, spread), "0.1 or less"),
        ("whose rate lies in its interval", covered, "94 to 96"),
    ]
    return pd.DataFrame([_count(f"Simulated schools {what}", found, wanted) for what, found, wanted in told])


def count_below(panel: pd.DataFrame, own: pd.DataFrame, year: str) -> pd.DataFrame:
    """Count the schools below the limits by each way to draw them.

    Returns:
        method, england and england_schools (below, and of how many), own and own_schools (of the council).
    """
    england = take_cohorts(panel, AFTER_16, year)
    trials, low, high = list_counts(england)
    average = Spread(pool_rate(england), np.inf)
    below = {
        NORMAL: pd.Series(_is_below(high, trials, average), index=england.index),
        BINOMIAL: judge_schools(england, average, AVERAGE).eq(AVERAGE[0]),
        BETA: judge_schools(england, rates.fit_spread(trials, low, high), AMONG).eq(AMONG[0]),
        AFTER_INTAKE: judge_intake(england, expect_rates(england)).eq(INTAKE[0]),
    }
    rows = []
    for method, flags in below.items():
        mine = flags[flags.index.isin(own.index)]
        rows.append((method, int(flags.sum()), len(flags), int(mine.sum()), len(mine)))
    return pd.DataFrame(rows, columns=["method", "england", "england_schools", "own", "own_schools"])


def tidy_checks(tried: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """Return the dataset of checks: what was tried, and how many schools lie below which limits.

    Args:
        tried: from `check_predictions` and `check_simulated`.
        below: from `count_below`.
    """
    parts = [tried]
    for where, words in (("england", "in England"), ("own", "here")):
        counts = below.rename(columns={where: "found", f"{where}_schools": "schools"})
        counts["check"] = "Below " + counts["method"] + f", {words}"
        counts["found_pct"] = 100 * counts["found"] / counts["schools"]
        parts.append(counts)
    tidy = pd.concat(parts, ignore_index=True)[list(tried)]
    return tidy.assign(found_pct=tidy["found_pct"].round(2))


def _is_below(counts: Floats, trials: Floats, spread: Spread) -> Flags:
    """Tell which counts lie below limits of three standard deviations, as if they were normal."""
    mean = np.asarray(spread.mean)
    more = 1 + (trials - 1) / (spread.strength + 1)
    return np.asarray(counts / trials < mean - SIGMAS * np.sqrt(mean * (1 - mean) / trials * more))


def _count(check: str, found: Flags, wanted: str) -> dict[str, object]:
    share = 100 * float(found.mean()) if len(found) else np.nan
    return {"check": check, "schools": len(found), "found": int(found.sum()), "found_pct": share, "wanted": wanted}
