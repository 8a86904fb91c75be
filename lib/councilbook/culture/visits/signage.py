"""Would a new sign bring more people in? A fair test, and how long it must run: tried on simulated weeks first.

In a fair test lots decide in which weeks the new sign is up: in half of them. If the sign did nothing, any other half
could have come out as well. So how large the difference is among all halves says how surprising it is (Fisher 1935;
Edgington and Onghena 2007). Days differ by weather and by what is on, and that is in the weeks themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from councilbook.culture.visits.hours import CAME_IN, PASSED, Scale
from councilbook.errors import ParameterError

ALARM = 0.05
MOST_HALVES = 2_000  # of all ways to choose half of the weeks, as many are looked at
FAIR, NAIVE, BEFORE_AFTER = "switched weeks, by lot", "switched weeks, people counted as if alike", "before and after"
NEW = "new"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Street:
    """What is assumed of the street, since no source gives it.

    `passers_a_day` come by, `conversion_pct` of them come in; days differ in log odds by `day_spread`, and weeks drift
    by `drift_a_week`, as with the season.
    """

    passers_a_day: float = 300.0
    conversion_pct: float = 18.0
    days_a_week: int = 5
    day_spread: float = 0.15
    drift_a_week: float = 0.01


def list_halves(weeks: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """List the ways to choose half of the weeks, all or MOST_HALVES of them at random: a row a way, true is new."""
    half = weeks // 2
    if comb(weeks, half) <= MOST_HALVES:
        chosen = np.array(list(combinations(range(weeks), half)))
    else:
        chosen = rng.permuted(np.tile(np.arange(weeks), (MOST_HALVES, 1)), axis=1)[:, :half]
    halves = np.zeros((len(chosen), weeks), dtype=bool)
    np.put_along_axis(halves, chosen, True, axis=1)
    return halves


def compare_halves(odds: Floats, is_new: NDArray[np.bool_]) -> Floats:
    """Return the mean of the new weeks less that of the old ones, by row of `is_new` (last axis: weeks)."""
    new = is_new.astype(float)
    sides = [side / side.sum(axis=1, keepdims=True) for side in (new, 1 - new)]
    difference: Floats = odds @ (sides[0] - sides[1]).T
    return difference


def find_surprise(odds: Floats, chosen: NDArray[np.bool_], halves: NDArray[np.bool_]) -> Floats:
    """Return the two-sided p of each row of weekly log odds, the half that was chosen counted among all."""
    found = np.abs(compare_halves(odds, chosen[None])[:, 0])
    others = np.abs(compare_halves(odds, halves))
    extreme = (others >= found[:, None] - 1e-12).sum(axis=1)
    known = (halves == chosen).all(axis=1).any()
    p: Floats = (extreme + (not known)) / (len(halves) + (not known))
    return p


def simulate_power(
    street: Street, weeks: Sequence[int], effects_pct: Sequence[float], rng: np.random.Generator, draws: int = 400
) -> pd.DataFrame:
    """Simulate tests of so many weeks, and count how often each way of looking calls the sign a success or a failure.

    With no effect that is a false alarm. The fair test is that of `find_surprise`. Beside it stand two that are usual:
    a test of two proportions over all people, which takes them to be independent, and the same before and after.

    Returns:
        design, weeks, effect_pct (more people come in, of those who did), called_pct: a row a design, number of weeks
        and effect.

    Raises:
        ParameterError: a number of weeks is odd or less than four.
    """
    if wrong := [number for number in weeks if number < 4 or number % 2]:
        raise ParameterError(f"A test is of an even number of weeks, four or more, and not of {wrong[0]}.")
    rows = []
    for number in weeks:
        halves = list_halves(number, rng)
        before = np.arange(number) >= number // 2
        for effect in effects_pct:
            by_lot = rng.permuted(np.tile(before, (draws, 1)), axis=1)
            fair = _simulate(street, by_lot, effect, rng)
            step = _simulate(street, np.tile(before, (draws, 1)), effect, rng)
            tests = zip(_log_odds(*fair), by_lot, strict=True)
            called = {
                FAIR: np.array([find_surprise(odds[None], half, halves)[0] for odds, half in tests]),
                NAIVE: _test_proportions(*fair, by_lot),
                BEFORE_AFTER: _test_proportions(*step, np.tile(before, (draws, 1))),
            }
            for design, found in called.items():
                rows.append((design, number, float(effect), 100 * float((found <= ALARM).mean())))
    return pd.DataFrame(rows, columns=["design", "weeks", "effect_pct", "called_pct"])


def _simulate(
    street: Street, is_new: NDArray[np.bool_], effect_pct: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw who came by and who came in, by test and week; days of a week differ."""
    draws, weeks = is_new.shape
    shape = (draws, weeks, street.days_a_week)
    base = logit(street.conversion_pct / 100)
    effect = logit(min(street.conversion_pct * (1 + effect_pct / 100), 99.0) / 100) - base
    drift = street.drift_a_week * np.arange(weeks)
    odds = base + (effect * is_new + drift)[:, :, None] + rng.normal(0, street.day_spread, shape)
    passers = rng.poisson(street.passers_a_day, shape)
    return passers.sum(axis=2).astype(float), rng.binomial(passers, expit(odds)).sum(axis=2).astype(float)


def _log_odds(passers: Floats, entered: Floats) -> Floats:
    odds: Floats = np.log((entered + 0.5) / (passers - entered + 0.5))
    return odds


def _test_proportions(passers: Floats, entered: Floats, is_new: NDArray[np.bool_]) -> Floats:
    """Return the two-sided p of the pooled z-test of two proportions (Fleiss 1981), by row."""
    sums = [[(one * side).sum(axis=1) for one in (entered, passers)] for side in (is_new, ~is_new)]
    (a, n), (b, m) = sums
    pooled = (a + b) / (n + m)
    z = (a / n - b / m) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    p: Floats = 2 * norm.sf(np.abs(z))
    return p


def sum_weeks(cells: pd.DataFrame, days: pd.DataFrame, scales: Mapping[str, Scale]) -> pd.DataFrame:
    """Sum people by week: week, came_in, came_by, sign; a week of two signs is left out."""
    flows = cells.dropna(subset=["came_in"]).groupby("date")[["came_in", "passed"]].sum()
    known = days.dropna(subset=["sign"]).join(flows, how="inner")
    day = pd.to_datetime(known.index)
    weeks = known.assign(week=day - pd.to_timedelta(day.day_of_week, unit="D")).groupby("week").agg(
        came_in=("came_in", "sum"), passed=("passed", "sum"), sign=("sign", "first"), signs=("sign", "nunique")
    )  # fmt: skip
    came_in, passed = weeks["came_in"] * scales[CAME_IN].ratio, weeks["passed"] * scales[PASSED].ratio
    weeks = weeks.assign(came_in=came_in, came_by=came_in + passed)[weeks["signs"].eq(1)]
    return weeks[["came_in", "came_by", "sign"]].reset_index()


def compare_signs(weeks: pd.DataFrame, rng: np.random.Generator) -> dict[str, float] | None:
    """Test whether more came in under the new sign: odds_ratio, its 95% interval by inverting the test (low, high), p.

    The new sign is the one called so, or else the one that came second. None where there are not two signs, or fewer
    than two weeks of either; an interval without ends where so few weeks could never tell.
    """
    signs = list(weeks["sign"].unique())
    is_new = weeks["sign"].eq(NEW if NEW in signs else signs[-1] if signs else NEW).to_numpy()
    if len(signs) != 2 or min(is_new.sum(), (~is_new).sum()) < 2:
        return None
    odds = _log_odds(weeks["came_by"].to_numpy(float), weeks["came_in"].to_numpy(float))
    even = 2 * is_new.sum() == len(weeks)
    halves = list_halves(len(weeks), rng) if even else rng.permuted(np.tile(is_new, (MOST_HALVES, 1)), axis=1)
    found = float(compare_halves(odds[None], is_new[None])[0, 0])
    shifts = found + np.linspace(-1, 1, 401) * 4 * max(odds.std(), 1e-6)
    inside = find_surprise(odds[None] - shifts[:, None] * is_new, is_new, halves) > ALARM
    low, high = (float(np.exp(end)) for end in (shifts[inside].min(), shifts[inside].max()))
    low, high = 0.0 if inside[0] else low, np.inf if inside[-1] else high
    p = float(find_surprise(odds[None], is_new, halves)[0])
    return {"odds_ratio": float(np.exp(found)), "low": low, "high": high, "p": p}
