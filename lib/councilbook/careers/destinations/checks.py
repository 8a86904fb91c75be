"""Whether the limits and intervals keep what they promise: on the newest year, held out, and on simulated schools."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from councilbook.careers.destinations.comparing import (
    AMONG,
    AVERAGE,
    INTAKE,
    Cohorts,
    History,
    judge_intake,
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
    before = stack_years(panel, history.years[:-1], newest.rows["series_urn"])
    is_known = ~np.isnan(before[1]).any(axis=1)  # a figure in each of the years before
    known = Cohorts(pd.DataFrame(newest.rows[is_known]))
    predicted = history.predict(panel, known.rows, held_out=True)
    least, most = (predicted[end].to_numpy("float64") for end in ("low", "high"))
    is_held = (known.low >= least) & (known.high <= most)
    wanted = "94 to 98"
    found = [_count(PREDICTED, is_held, wanted)]
    for size, (above, up_to) in SIZES.items():
        inside = (known.trials > above) & (known.trials <= up_to)
        found.append(_count(f"The same, cohorts {size}", is_held[inside], wanted))
    cohort, low, high = (one[is_known, -1] for one in before)
    last = (low + high) / 2 / cohort
    ends = [binom.ppf(share, known.trials, last) for share in (TAIL, 1 - TAIL)]
    is_in = (known.low >= ends[0]) & (known.high <= ends[1])
    found.append(_count(GUESSED, is_in, wanted))
    return pd.DataFrame(found)


def check_simulated(panel: pd.DataFrame, year: str, rng: np.random.Generator) -> pd.DataFrame:
    """Simulate schools that differ as England's do, of the same cohorts; see `check_predictions` for what is returned.

    No simulated school is unusual, so each that a limit finds is a false alarm.
    """
    real = take_cohorts(panel, AFTER_16, year)
    spread = rates.fit_spread(real.trials, real.low, real.high)
    trials = np.tile(real.trials, ROUNDS)
    true: Floats = rng.beta(*spread.parameters, len(trials))
    counts = rng.binomial(trials.astype(np.int64), true).astype("float64")
    least, _ = rates.find_limits(trials, spread)
    known = rates.estimate_rates(trials, counts, counts, spread)
    covered = (true >= known["low"].to_numpy()) & (true <= known["high"].to_numpy())
    return pd.DataFrame(
        [
            _count("Simulated schools below beta-binomial limits", counts < least, "0.1 or less"),
            _count(
                "Simulated schools below normal limits of 3 sigma", _is_below(counts, trials, spread), "0.1 or less"
            ),
            _count("Simulated schools whose rate lies in its interval", covered, "94 to 96"),
        ]
    )


def count_below(panel: pd.DataFrame, own: pd.DataFrame, year: str) -> pd.DataFrame:
    """Count the schools below the limits by each way to draw them.

    Returns:
        method, england and england_schools (below, and of how many), own and own_schools (of the council).
    """
    england = take_cohorts(panel, AFTER_16, year)
    average = Spread(england.rate, np.inf)
    spread = rates.fit_spread(england.trials, england.low, england.high)
    normal = pd.Series(_is_below(england.high, england.trials, average), index=england.rows.index)
    after = judge_intake(england, england.expect())
    below = {
        NORMAL: normal,
        BINOMIAL: england.judge(average, AVERAGE).eq(AVERAGE[0]),
        BETA: england.judge(spread, AMONG).eq(AMONG[0]),
        AFTER_INTAKE: after.eq(INTAKE[0]),
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
    below: np.ndarray[tuple[int], np.dtype[np.bool_]] = counts / trials < mean - SIGMAS * np.sqrt(
        mean * (1 - mean) / trials * more
    )
    return below


def _count(check: str, found: Flags, wanted: str) -> dict[str, object]:
    share = 100 * float(found.mean()) if len(found) else np.nan
    return {"check": check, "schools": len(found), "found": int(found.sum()), "found_pct": share, "wanted": wanted}
