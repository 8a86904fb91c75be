"""Rates of small cohorts: what is unusual, what lies behind the noise, and what comes next."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from councilbook.methods import rates
from councilbook.methods.rates import Spread

ENGLAND = Spread(0.936, 45.0)


@pytest.fixture(scope="module")
def trials() -> np.ndarray:
    return np.random.default_rng(3).integers(30, 300, 12_000).astype("float64")


def simulate(trials: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.beta(*ENGLAND.parameters, len(trials))
    return true, rng.binomial(trials.astype(int), true).astype("float64")


def round_half_up(counts: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return np.floor(100 * counts / trials + 0.5)


@given(st.integers(1, 600).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_a_rounded_percentage_stands_for_each_count_that_gives_it_and_no_other(one: tuple[int, int]) -> None:
    n, count = np.array([one[0]], float), np.array([one[1]], float)
    percent = round_half_up(count, n)
    low, high = rates.bound_counts(n, percent)
    every = np.arange(one[0] + 1.0)
    same = every[round_half_up(every, n) == percent]
    assert (low[0], high[0]) == (same.min(), same.max())


def test_a_percentage_that_no_count_gives_stands_for_the_nearest() -> None:
    low, high = rates.bound_counts(np.array([10.0]), np.array([84.0]))
    assert (low[0], high[0]) == (8, 8)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_spread_of_schools_is_found_again_from_counts_and_from_rounded_percentages(
    trials: np.ndarray, seed: int
) -> None:
    _, counts = simulate(trials, seed)
    exact = rates.fit_spread(trials, counts, counts)
    bounds = rates.bound_counts(trials, round_half_up(counts, trials))
    rounded = rates.fit_spread(trials, *bounds)
    for found in (exact, rounded):
        assert found.mean == pytest.approx(ENGLAND.mean, abs=0.002)
        assert found.strength == pytest.approx(ENGLAND.strength, rel=0.06)


def test_limits_are_the_exact_quantiles_of_a_beta_binomial() -> None:
    sizes = np.array([40.0, 113.0, 251.0, 40.0])
    low, high = rates.find_limits(sizes, ENGLAND)
    exact = betabinom(sizes.astype(int), *ENGLAND.parameters)
    assert list(low) == list(exact.ppf(0.001))
    assert list(high) == list(exact.ppf(0.999))
    means = Spread(np.array([0.9, 0.93, 0.97, 0.95]), 60.0)
    assert list(rates.find_limits(sizes, means)[0]) == list(betabinom(sizes.astype(int), *means.parameters).ppf(0.001))


def test_exact_limits_raise_one_false_alarm_in_a_thousand_and_normal_ones_ten(trials: np.ndarray) -> None:
    _, counts = simulate(np.tile(trials, 3))
    sizes = np.tile(trials, 3)
    low, _ = rates.find_limits(sizes, ENGLAND)
    variance = ENGLAND.mean * (1 - ENGLAND.mean) / sizes * (1 + (sizes - 1) / (ENGLAND.strength + 1))
    assert 0.0006 <= (counts < low).mean() <= 0.0013
    assert 0.007 <= (counts / sizes < ENGLAND.mean - 3 * np.sqrt(variance)).mean() <= 0.013


@pytest.mark.parametrize("is_rounded", [False, True])
def test_intervals_of_shrunken_rates_hold_the_true_rate(trials: np.ndarray, is_rounded: bool) -> None:
    true, counts = simulate(trials)
    low, high = rates.bound_counts(trials, round_half_up(counts, trials)) if is_rounded else (counts, counts)
    found = rates.estimate_rates(trials, low, high, rates.fit_spread(trials, low, high))
    assert 0.94 <= ((true >= found["low"]) & (true <= found["high"])).mean() <= 0.96
    assert np.mean((found["rate"] - true) ** 2) < np.mean(((low + high) / 2 / trials - true) ** 2)


def test_a_rate_is_drawn_to_the_mean_by_as_much_as_the_spread_says() -> None:
    found = rates.estimate_rates(*(np.array([one]) for one in (113.0, 93.0, 93.0)), ENGLAND)
    a, b = ENGLAND.parameters
    assert found["rate"][0] == pytest.approx((a + 93) / (a + b + 113))


def test_the_next_year_lies_in_its_prediction_and_a_school_without_a_past_is_like_any_other() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(60, 250, (1_500, 3)).astype("float64")
    own = rng.beta(*ENGLAND.parameters, 1_500)[:, None]
    yearly = rng.beta(own * 400, (1 - own) * 400 + 1e-9, (1_500, 3))
    counts = rng.binomial(sizes.astype(int), yearly).astype("float64")
    low, high = rates.bound_counts(sizes, round_half_up(counts, sizes))
    low[:40, :2] = np.nan
    spread = rates.fit_years(sizes[:, :2], low[:, :2], high[:, :2])
    assert spread.strength == pytest.approx(ENGLAND.strength, rel=0.15)
    assert 200 < spread.steadiness < 900
    found = rates.predict_counts(sizes[:, :2], low[:, :2], high[:, :2], spread, sizes[:, 2])
    held = (counts[:, 2] >= found["low"]) & (counts[:, 2] <= found["high"])
    assert 0.94 <= held.mean() <= 0.98
    assert found["rate"][0] == pytest.approx(spread.mean, abs=0.001)
    assert (found["high"] - found["low"])[:40].mean() > 1.2 * (found["high"] - found["low"])[40:].mean()


def test_an_expected_rate_of_each_unit_takes_its_intake_out_of_the_spread(trials: np.ndarray) -> None:
    rng = np.random.default_rng(7)
    expected = rng.uniform(0.85, 0.97, len(trials))
    counts = rng.binomial(trials.astype(int), rng.beta(expected * 80, (1 - expected) * 80)).astype("float64")
    with_intake = rates.fit_spread(trials, counts, counts, expected)
    assert with_intake.strength == pytest.approx(80, rel=0.06)
    assert rates.fit_spread(trials, counts, counts).strength < 60


def test_ranks_are_ranges_and_only_clear_pairs_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    counts, sizes = np.array([96.0, 95.0, 70.0]), np.array([100.0, 100.0, 100.0])
    known = rates.estimate_rates(sizes, counts, counts, Spread(0.9, 20.0))
    draws = rates.draw_rates(known, rng)
    first, last = rates.rank_units(draws)
    assert list(zip(first, last, strict=True)) == [(1, 2), (1, 2), (3, 3)]
    assert rates.count_told_apart(draws) == (2, 3)
