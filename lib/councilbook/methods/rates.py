"""Shares of small cohorts: which are unusual, what is behind the noise, and where the next one will lie.

A unit's (a school's) own rate comes from a beta distribution over all units, and its count from a binomial around that
rate: a beta-binomial (Skellam 1948, Journal of the Royal Statistical Society B 10(2):257-261). Where several years are
known, a year's rate comes from a beta distribution around the unit's own.

A count may be known only to lie in an interval, as where a percentage was rounded; then every count in it is weighed.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, logit, logsumexp, roots_jacobi
from scipy.stats import beta, binom

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95
LIMITS = 0.998  # as three standard deviations would be of a normal quantity (Spiegelhalter 2005)
NODES = 25  # of the integral over a unit's rate; 50 give the same to three digits
MOST_STRENGTH = 900.0  # beyond, units are as good as equal, and the nodes of the integral overflow
MOST_STEADINESS = 1e5


@dataclass(frozen=True)
class Spread:
    """How the rates of units lie around their mean.

    Attributes:
        mean: the mean rate, 0 to 1; or the rate expected of each unit.
        strength: of the beta distribution, the sum of its parameters: the greater, the more alike the units are.
            Infinite where all have the mean, so that counts are binomial.
        steadiness: the same of a unit's years around its own rate.
    """

    mean: float | Floats
    strength: float
    steadiness: float = np.inf

    @property
    def parameters(self) -> tuple[float | Floats, float | Floats]:
        """Both parameters of the beta distribution."""
        return self.mean * self.strength, (1 - self.mean) * self.strength


def bound_counts(trials: Floats, percent: Floats) -> tuple[Floats, Floats]:
    """Return the least and the greatest count that a percentage, rounded half up to a whole one, can stand for.

    Where no count gives the percentage, both are the nearest one.
    """
    low = np.ceil(np.round(trials * (percent - 0.5) / 100, 9))
    high = np.ceil(np.round(trials * (percent + 0.5) / 100, 9)) - 1
    nearest = np.round(trials * percent / 100)
    is_none = high < low
    return np.maximum(np.where(is_none, nearest, low), 0), np.minimum(np.where(is_none, nearest, high), trials)


def fit_spread(trials: Floats, low: Floats, high: Floats, expected: Floats | None = None) -> Spread:
    """Fit how rates lie around their mean, by maximum likelihood.

    Args:
        trials: how many each unit's cohort has.
        low, high: least and greatest count that each may have; the same where it is known.
        expected: rate expected of each unit, as by its intake; then only the strength is fitted.
    """
    counts, is_one = _list_counts(low, high)
    wide = trials[:, None]

    def measure(values: Floats) -> float:
        mean = expit(values[1]) if expected is None else expected[:, None]
        strength = np.exp(values[0])
        inside = np.where(is_one, _log_chance(counts, wide, mean * strength, (1 - mean) * strength), -np.inf)
        return -float(logsumexp(inside, axis=1).sum())

    rate = (low + high).sum() / 2 / trials.sum()
    begin = [np.log(50.0)] if expected is not None else [np.log(50.0), logit(rate)]
    bounds = [(0.0, np.log(MOST_STRENGTH)), (-12.0, 12.0)][: len(begin)]
    found = minimize(measure, begin, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-4, "fatol": 1e-3}).x
    return Spread(float(expit(found[1])) if expected is None else expected, float(np.exp(found[0])))


def fit_years(trials: Floats, low: Floats, high: Floats) -> Spread:
    """Fit how rates lie around their mean and how a unit's years lie around its own rate, by maximum likelihood.

    Args:
        trials, low, high: as for `fit_spread`, a row a unit and a column a year; NaN where a year is not known.
    """
    is_known = ~np.isnan(low)
    rate = np.nansum((low + high) / 2) / trials[is_known].sum()

    def measure(values: Floats) -> float:
        spread = Spread(float(expit(values[0])), float(np.exp(values[1])), float(np.exp(values[2])))
        rates, weights = _place_nodes(spread)
        return -float(logsumexp(_weigh_years(trials, low, high, rates, spread) + np.log(weights), axis=1).sum())

    bounds = [(-12.0, 12.0), (0.0, np.log(MOST_STRENGTH)), (0.0, np.log(MOST_STEADINESS))]
    options = {"xatol": 0.03, "fatol": 0.1}  # a fiftieth of what the data leave open
    begin = [logit(rate), np.log(50.0), np.log(500.0)]
    found = minimize(measure, begin, method="Nelder-Mead", bounds=bounds, options=options).x
    return Spread(float(expit(found[0])), float(np.exp(found[1])), float(np.exp(found[2])))


def find_limits(trials: Floats, spread: Spread, level: float = LIMITS) -> tuple[Integers, Integers]:
    """Return the least and the greatest count that is not unusual: exact quantiles, as many beyond either.

    Funnel limits of Spiegelhalter 2005 (Statistics in Medicine 24(8):1185-1202), without the normal approximation.
    """
    tail = (1 - level) / 2
    if np.isinf(spread.strength):
        ends = [binom.ppf(share, trials, spread.mean) for share in (tail, 1 - tail)]
        return ends[0].astype(np.int64), ends[1].astype(np.int64)
    if np.ndim(spread.mean):
        return _find_quantiles(trials, *spread.parameters, tail)
    sizes, where = np.unique(trials, return_inverse=True)  # units of one size have the same limits
    low, high = _find_quantiles(sizes, *spread.parameters, tail)
    return low[where], high[where]


def estimate_rates(trials: Floats, low: Floats, high: Floats, spread: Spread, level: float = LEVEL) -> pd.DataFrame:
    """Estimate the rate behind each count: drawn towards the mean, the more so the smaller the cohort.

    Empirical Bayes (Efron and Morris 1975, Journal of the American Statistical Association 70(350):311-319).

    Returns:
        rate, low, high (0 to 1), a and b (parameters of the beta distribution that says what is known of it): a row a
        unit.
    """
    counts, is_one = _list_counts(low, high)
    wide = trials[:, None]
    a, b = (np.broadcast_to(np.atleast_1d(one)[:, None], counts.shape) for one in spread.parameters)
    chances = np.where(is_one, _log_chance(counts, wide, a, b), -np.inf)
    weights = np.exp(chances - logsumexp(chances, axis=1, keepdims=True))
    rates = (a + counts) / (a + b + wide)
    spreads = rates * (1 - rates) / (a + b + wide + 1)
    mean = (weights * rates).sum(axis=1)
    variance = (weights * (spreads + rates**2)).sum(axis=1) - mean**2
    return _describe(mean, variance, level)


def predict_counts(
    trials: Floats, low: Floats, high: Floats, spread: Spread, next_trials: Floats, level: float = LEVEL
) -> pd.DataFrame:
    """Predict the next cohort's count from the years before.

    Args:
        trials, low, high: as for `fit_years`; a unit may have no known year, and is then like any other.
        spread: from `fit_years`.
        next_trials: how many the next cohort has.

    Returns:
        rate (expected, 0 to 1), low and high (counts, exact quantiles): a row a unit.
    """
    rates, weights = _place_nodes(spread)
    log_weights = _weigh_years(trials, low, high, rates, spread) + np.log(weights)
    shares = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    mean = shares @ rates
    variance = shares @ (rates**2 + rates * (1 - rates) / (spread.steadiness + 1)) - mean**2
    known = _describe(mean, variance, level)
    ends = _find_quantiles(next_trials, known["a"].to_numpy(), known["b"].to_numpy(), (1 - level) / 2)
    return pd.DataFrame({"rate": mean, "low": ends[0], "high": ends[1]})


def draw_rates(known: pd.DataFrame, rng: np.random.Generator, draws: int = 4_000) -> Floats:
    """Draw rates that go with what is known: a row a unit, a column a draw.

    Args:
        known: from `estimate_rates`.
    """
    drawn: Floats = rng.beta(known["a"].to_numpy()[:, None], known["b"].to_numpy()[:, None], (len(known), draws))
    return drawn


def rank_units(draws: Floats, level: float = LEVEL) -> tuple[Integers, Integers]:
    """Return the first and the last rank that each unit may have; 1 is the highest rate.

    A rank alone says more than is known (Goldstein and Spiegelhalter 1996, Journal of the Royal Statistical Society A
    159(3):385-443).
    """
    ranks = (-draws).argsort(axis=0).argsort(axis=0) + 1
    tail = (1 - level) / 2
    ends = np.quantile(ranks, [tail, 1 - tail], axis=1, method="nearest").astype(np.int64)
    return ends[0], ends[1]


def count_told_apart(draws: Floats, level: float = LEVEL) -> tuple[int, int]:
    """Return how many pairs of units can be told apart, as two ends of an interval would, and how many there are."""
    units = len(draws)
    higher = np.array([(draws[one] > draws).mean(axis=1) for one in range(units)]).reshape(units, units)
    return int((higher > 1 - (1 - level) / 2).sum()), units * (units - 1) // 2


def _describe(mean: Floats, variance: Floats, level: float) -> pd.DataFrame:
    """Describe a rate by the beta distribution with a mean and a variance."""
    strength = mean * (1 - mean) / variance - 1
    a, b = mean * strength, (1 - mean) * strength
    tail = (1 - level) / 2
    return pd.DataFrame({"rate": mean, "low": beta.ppf(tail, a, b), "high": beta.ppf(1 - tail, a, b), "a": a, "b": b})


def _list_counts(low: Floats, high: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """List the counts from low to high as columns, and which of them are in the interval."""
    width = int(np.nanmax(high - low, initial=0)) + 1
    counts = low[..., None] + np.arange(width)
    is_one = counts <= high[..., None]
    return np.where(is_one, counts, low[..., None]), is_one


def _log_chance(counts: Floats, trials: Floats, a: float | Floats, b: float | Floats) -> Floats:
    """Return the log of the beta-binomial chance of counts."""
    ways = gammaln(trials + 1) - gammaln(counts + 1) - gammaln(trials - counts + 1)
    chance: Floats = ways + betaln(a + counts, b + trials - counts) - betaln(a, b)
    return chance


def _place_nodes(spread: Spread) -> tuple[Floats, Floats]:
    """Place the nodes of the integral over a unit's rate (Gauss-Jacobi), and weigh them."""
    a, b = spread.parameters
    places, weights = roots_jacobi(NODES, b - 1, a - 1)
    return (places + 1) / 2, np.maximum(weights / weights.sum(), 1e-300)


def _weigh_years(trials: Floats, low: Floats, high: Floats, rates: Floats, spread: Spread) -> Floats:
    """Return the log likelihood of each unit's years at each rate: a row a unit, a column a rate."""
    total: Floats = np.zeros((len(trials), len(rates)))
    a, b = rates[:, None] * spread.steadiness, (1 - rates)[:, None] * spread.steadiness
    for year in range(trials.shape[1]):
        known = ~np.isnan(low[:, year])
        counts, is_one = _list_counts(low[known, year], high[known, year])
        chances = _log_chance(counts[:, None, :], trials[known, year][:, None, None], a, b)
        total[known] += logsumexp(np.where(is_one[:, None, :], chances, -np.inf), axis=2)
    return total


def _find_quantiles(trials: Floats, a: float | Floats, b: float | Floats, tail: float) -> tuple[Integers, Integers]:
    """Return the least counts below which, and with which, a tail and all but a tail of a beta-binomial lie."""
    wide = trials[:, None]
    counts = np.arange(int(trials.max(initial=0)) + 1.0)[None, :]
    a, b = (np.broadcast_to(one, trials.shape)[:, None] for one in (a, b))
    chances = np.where(counts <= wide, np.exp(_log_chance(np.minimum(counts, wide), wide, a, b)), 0)
    below = chances.cumsum(axis=1)
    ends = [(below < share - 1e-12).sum(axis=1) for share in (tail, 1 - tail)]
    return np.minimum(ends[0], trials).astype(np.int64), np.minimum(ends[1], trials).astype(np.int64)
