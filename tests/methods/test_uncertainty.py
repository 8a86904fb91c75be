"""Ranges, draws, intervals and what matters, on values known by hand."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from councilbook.methods.uncertainty import (
    Parameter,
    correlate_ranks,
    find_interval,
    sample_parameters,
    swing_parameters,
)


def make_parameter(default, low, high, distribution="triangular", **more):
    rest = {"unit": "GBP", "basis": "assumption", "sources": (), "note": "made up"} | more
    return Parameter(default=default, low=low, high=high, distribution=distribution, **rest)


PARAMETERS = {
    "peaked": make_parameter(2, 0, 10),
    "flat": make_parameter(3, 1, 5, "uniform"),
    "known": make_parameter(7, 7, 7, "fixed"),
}


def draw(seed, draws=400):
    return sample_parameters(PARAMETERS, np.random.default_rng(seed), draws)


@pytest.mark.parametrize(
    "wrong",
    [
        {"default": 11},
        {"distribution": "fixed"},
        {"high": 0, "default": 0, "low": 0},
        {"basis": "published"},
        {"spread": 1},
    ],
)
def test_a_value_out_of_its_range_or_without_a_source_is_refused(wrong):
    with pytest.raises(ValidationError):
        Parameter(**(PARAMETERS["peaked"].model_dump() | wrong))


def test_draws_fill_their_ranges_evenly_and_follow_the_seed():
    drawn = draw(1)
    assert list(drawn) == ["peaked", "flat"]
    pd.testing.assert_frame_equal(drawn, draw(1), check_exact=True)
    assert not drawn.equals(draw(2))
    assert (drawn["peaked"] <= 2).mean() == pytest.approx(0.2, abs=0.003)  # of a triangle, the share below its peak
    assert (drawn["peaked"] > 6).mean() == pytest.approx(0.2, abs=0.003)
    assert [(drawn["flat"] < end).sum() for end in (1, 2, 4, 5)] == [0, 100, 300, 400]
    assert abs(drawn["peaked"].corr(drawn["flat"])) < 0.15


@pytest.mark.parametrize("interval", [0.9, 0.5])
def test_an_interval_holds_its_share_with_as_many_draws_on_either_side(interval):
    values = np.vstack([np.arange(1001.0), 1000 - np.arange(1001.0) ** 2])
    low, median, high = find_interval(values, interval)
    tail = 500 * (1 - interval)
    assert low[0] == pytest.approx(tail) and high[0] == pytest.approx(1000 - tail)
    assert median.tolist() == [500, 1000 - 500**2]
    assert low[1] == pytest.approx(1000 - (1000 - tail) ** 2) and high[1] == pytest.approx(1000 - tail**2)
    assert find_interval(np.array([np.nan, 3.0, np.nan])).tolist() == [3, 3, 3]


@pytest.mark.filterwarnings("error")
def test_what_has_no_draw_has_no_interval_and_no_warning():
    assert np.isnan(find_interval(np.array([[np.nan, np.nan], [1.0, 1.0]]))[:, 0]).all()


def test_each_bar_moves_one_value_and_leaves_the_others_at_their_defaults():
    ends = {"a": (1.0, 5.0), "b": (-1.0, 0.5)}
    bars = swing_parameters(ends, {"a": 2.0, "b": 0.0}, lambda values: 10 * values["a"] - values["b"] ** 2)
    assert bars.to_dict("list") == {
        "parameter": ["a", "b"],
        "low": [1, -1],
        "high": [5, 0.5],
        "at_low": [10, 19],
        "at_default": [20, 20],
        "at_high": [50, 19.75],
        "swing": [40, 0.75],
    }


def test_partial_rank_correlation_sees_past_the_other_inputs() -> None:
    random = np.random.default_rng(1)
    inputs = random.normal(size=(3000, 3))
    inputs[:, 2] += inputs[:, 0]  # goes with the first, but does nothing
    found = correlate_ranks(inputs, np.exp(inputs[:, 0]) ** 2 * np.exp(-inputs[:, 1] + random.normal(0, 0.5, 3000)))
    assert found[0] > 0.8
    assert found[1] < -0.8
    assert abs(found[2]) < 0.1
    assert correlate_ranks(inputs, np.ones(3000)).tolist() == [0, 0, 0]
