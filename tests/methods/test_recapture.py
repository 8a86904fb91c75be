"""How many there are, from two or three lists that each miss some."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.methods.recapture import count_patterns, estimate_total, fit_models

counts = st.integers(0, 300)


def make_patterns(both, first, second):
    index = pd.MultiIndex.from_tuples([(True, True), (True, False), (False, True)], names=["one", "other"])
    return pd.Series([both, first, second], index=index)


def draw(random, there, share, more=0.0):
    """Draw three lists of which the second has more of those on the first, and as many fewer of the others."""
    roll = random.random(there) < share[0]
    food = random.random(there) < share[1] + np.where(roll, more, -more)
    return pd.DataFrame({"roll": roll, "food": food, "directory": random.random(there) < share[2]})


def test_patterns_are_counted_but_for_those_on_no_list():
    members = pd.DataFrame({"one": [True, True, False, False], "other": [True, True, True, False]})
    assert count_patterns(members).to_dict() == {(True, True): 2, (True, False): 0, (False, True): 1}


def test_of_two_lists_the_estimate_is_chapmans():
    # 200 and 150, of which 100 in both: 201 * 151 / 101 - 1
    found = estimate_total(make_patterns(100, 100, 50))
    assert found["seen"] == 250
    assert found["estimate"] == pytest.approx(201 * 151 / 101 - 1)
    assert found["low"] < found["estimate"] < found["high"]


@pytest.mark.parametrize("patterns", [make_patterns(0, 0, 0), pd.Series({True: 5}).rename_axis("one")])
def test_one_list_or_nobody_says_nothing(patterns):
    with pytest.raises(ValueError, match="expected two or three with somebody on one"):
        estimate_total(patterns)


@given(counts, counts, counts.filter(bool))
def test_there_are_at_least_as_many_as_were_seen_whichever_list_comes_first(both, first, second):
    found = estimate_total(make_patterns(both, first, second))
    assert found == pytest.approx(estimate_total(make_patterns(both, second, first)))
    assert found["seen"] <= found["low"] <= found["high"]
    assert found["seen"] <= found["estimate"] <= found["high"]


@given(st.lists(st.integers(0, 200), min_size=7, max_size=7).filter(any), st.permutations(["a", "b", "c"]))
def test_three_lists_in_any_order_and_with_any_pattern_empty_give_an_estimate(numbers, order):
    patterns = count_patterns(pd.DataFrame({"a": [True], "b": [True], "c": [True]}))
    patterns = pd.Series(numbers, index=patterns.index)
    found = estimate_total(patterns)
    assert found["seen"] == sum(numbers) <= found["low"] <= found["high"] < np.inf
    swapped = patterns.reorder_levels(order)
    assert estimate_total(swapped) == pytest.approx(found, rel=1e-3, abs=1.01)


def test_models_are_of_all_sets_of_pairs_and_their_weights_add_up():
    models = fit_models(count_patterns(draw(np.random.default_rng(1), 500, (0.7, 0.6, 0.4))))
    assert len(models) == models["model"].nunique() == 8
    assert models["weight"].sum() == pytest.approx(1)
    assert models["aic"].is_monotonic_increasing
    independent = models.set_index("model").loc["the lists are independent"]
    assert independent["unseen"] == pytest.approx(500 * 0.3 * 0.4 * 0.6, rel=0.4)


@pytest.mark.parametrize("more", [0.0, 0.2])
def test_the_interval_holds_the_number_that_there_are_though_two_lists_depend_on_each_other(more):
    random = np.random.default_rng(7)
    held, by_two = 0, []
    for _ in range(40):
        members = draw(random, 1000, (0.7, 0.6, 0.4), more)
        found = estimate_total(count_patterns(members))
        held += found["low"] <= 1000 <= found["high"]
        by_two.append(estimate_total(count_patterns(members[["roll", "food"]]))["estimate"])
    assert held >= 36
    assert np.mean(by_two) == pytest.approx(1000 if more == 0 else 850, abs=15)  # two lists cannot see it


def test_of_two_lists_the_interval_holds_the_number_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        members = pd.DataFrame(random.random((1000, 2)) < [0.6, 0.5], columns=["one", "other"])
        found = estimate_total(count_patterns(members))
        held += found["low"] <= 1000 <= found["high"]
    assert 0.92 <= held / 400 <= 0.98
