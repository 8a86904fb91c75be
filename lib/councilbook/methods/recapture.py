"""How many there are in all, from lists that each miss some: capture and recapture.

Each method needs the lists to be of the same kind of thing, a thing to be known again on another list, and lists that
together leave nobody out for good. Businesses that keep off every list make an estimate too low; links that were missed
make it too high.
"""

import warnings
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import norm
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

LEVEL = 0.95
LISTS = (2, 3)


def count_patterns(members: pd.DataFrame) -> pd.Series:
    """Count how many are on which lists.

    Args:
        members: a row each, a boolean column a list.

    Returns:
        Counts by which lists have them (a level a list), 0 where there are none; those on no list are not in it.
    """
    patterns = list(product([True, False], repeat=members.shape[1]))
    every = pd.MultiIndex.from_tuples(patterns, names=list(members.columns))
    return members.astype(bool).value_counts().reindex(every[:-1], fill_value=0)


def estimate_total(patterns: pd.Series, level: float = LEVEL) -> dict[str, float]:
    """Estimate how many there are, those on no list among them.

    Of two lists by Chapman's estimator, which holds if being on the one tells nothing of being on the other. Of three
    by log-linear models, in which being on one may tell of being on another; see `fit_models`. The interval is that of
    a lognormal number of unseen ones (Chao 1987, Biometrics 43, 783-791).

    Args:
        patterns: from `count_patterns`.
        level: of the interval.

    Returns:
        seen, estimate, low, high.

    Raises:
        ValueError: there are neither two nor three lists, or nobody is on any.
    """
    lists = patterns.index.nlevels
    if lists not in LISTS or not patterns.sum():
        raise ValueError(f"{lists} lists with {patterns.sum()} on them; expected two or three with somebody on one.")
    seen = float(patterns.sum())
    unseen, variance = _estimate_by_two(patterns) if lists == 2 else _average(fit_models(patterns))
    if unseen <= 0:
        return {"seen": seen, "estimate": seen, "low": seen, "high": seen}
    spread = np.exp(norm.ppf((1 + level) / 2) * np.sqrt(np.log1p(variance / unseen**2)))
    low, high = float(np.floor(unseen / spread)), float(np.ceil(unseen * spread))  # there is no half of a business
    return {"seen": seen, "estimate": seen + unseen, "low": seen + low, "high": seen + high}


def _estimate_by_two(patterns: pd.Series) -> tuple[float, float]:
    """Estimate how many two lists miss, and its variance.

    Chapman (1951), University of California Publications in Statistics 1, 131-160; Seber (1970), Biometrics 26, 13-22.
    """
    both, only, other = (float(patterns[at]) for at in [(True, True), (True, False), (False, True)])
    first, second = both + only, both + other
    total = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * only * other / ((both + 1) ** 2 * (both + 2))
    return total - (both + only + other), variance


def fit_models(patterns: pd.Series) -> pd.DataFrame:
    """Fit the log-linear models of three lists: all eight sets of pairs of lists that may depend on each other.

    Fienberg (1972), Biometrika 59, 591-603. A quarter is added to each pattern, which takes out most of the bias of
    small counts and lets patterns be empty (Evans and Bonett 1994, Biometrics 50, 388-395). That all three depend on
    each other beyond their pairs, no three lists can show: it is taken that they do not.

    Args:
        patterns: from `count_patterns`, of three lists.

    Returns:
        model (in words), unseen, variance (of unseen), aic, weight (Akaike's: Buckland, Burnham and Augustin 1997,
        Biometrics 53, 603-618), best first.
    """
    held = patterns.index.to_frame(index=False).astype(float)
    counts = patterns.to_numpy(dtype=float) + 0.25
    pairs = list(combinations(map(str, patterns.index.names), 2))
    rows = []
    for size in range(len(pairs) + 1):
        for chosen in combinations(pairs, size):
            rows.append((_say_model(chosen), *_fit(held, counts, chosen)))
    models = pd.DataFrame(rows, columns=["model", "unseen", "variance", "aic"])
    weight = np.exp((models["aic"].min() - models["aic"]) / 2)
    return models.assign(weight=weight / weight.sum()).sort_values("aic", kind="stable", ignore_index=True)


def _fit(held: pd.DataFrame, counts: np.ndarray, pairs: Sequence[tuple[str, str]]) -> tuple[float, float, float]:
    """Fit one model; its intercept is the logarithm of how many are on no list."""
    design = held.assign(**{f"{one} and {other}": held[one] * held[other] for one, other in pairs})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)  # all pairs depending: as many terms as counts
        fitted = sm.Poisson(counts, sm.add_constant(design)).fit(disp=0)
    unseen = float(np.exp(fitted.params["const"]))
    return unseen, unseen + unseen**2 * float(fitted.cov_params().loc["const", "const"]), float(fitted.aic)


def _say_model(pairs: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{one} with {other}" for one, other in pairs) or "the lists are independent"


def _average(models: pd.DataFrame) -> tuple[float, float]:
    """Average models by their weights; the variance takes in that they differ."""
    unseen = float((models["weight"] * models["unseen"]).sum())
    spread = np.sqrt(models["variance"] + (models["unseen"] - unseen) ** 2)
    return unseen, float((models["weight"] * spread).sum() ** 2)
