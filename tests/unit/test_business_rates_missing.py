"""Who a register knows and the roll does not, and how many there may be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.business_rates import missing

REGISTER = pd.DataFrame(
    {
        "unique_id": ["1", "2", "3", "4", "5", "6"],
        "name": ["A", "B", "C", "D", "E", "F"],
        "address": ["1 High Street", "2 High Street", "9 Mill Road", "8 High Street", None, "3 High Street"],
        "postcode": ["ZZ1 1AA", "ZZ1 1AA", "ZZ2 2BB", "ZZ1 1AA", None, "ZZ1 1AA"],
        "status": ["live", "live", "live", "live", "live", "closed"],
        "kind": [
            "Restaurant/Cafe/Canteen",
            "Restaurant/Cafe/Canteen",
            "Mobile caterer",
            "Pub/bar/nightclub",
            "Other",
            "Other",
        ],
    }
)
ROLL = pd.DataFrame(
    {
        "property_reference": ["a", "b"],
        "address": ["1 High Street", "2 High Street"],
        "postcode": ["ZZ1 1AA", "ZZ1 1AA"],
        "description": ["RESTAURANT", "SHOP"],
        "rateable_value_gbp": [10_000.0, 20_000.0],
    }
)
LINKS = pd.DataFrame({"property_reference": ["a"], "unique_id": ["1"], "match_probability": [0.99]})


def test_what_is_linked_or_closed_is_not_listed_and_the_likeliest_comes_first():
    listed = missing.find_missing(REGISTER, LINKS, ROLL)
    assert list(listed["unique_id"]) == ["4", "5", "2", "3"]
    reasons = listed.set_index("unique_id")["reasons"]
    assert reasons["4"] == "postcode is on the roll"
    assert reasons["2"] == "address is on the roll under another name"
    assert reasons["3"] == "postcode is not on the roll; kind that seldom pays rates"
    assert reasons["5"] == "no postcode"
    assert (listed["expected_gbp"] == listed["probability"] * listed["likely_rateable_value_gbp"]).all()


def test_a_link_that_is_not_likely_does_not_count():
    weak = LINKS.assign(match_probability=0.4)
    assert "1" in set(missing.find_missing(REGISTER, weak, ROLL)["unique_id"])


def test_the_value_of_a_kind_is_drawn_to_that_of_all_where_few_are_linked():
    links = pd.DataFrame({"property_reference": ["a", "b"], "unique_id": ["1", "4"], "match_probability": 0.9})
    values = missing.estimate_values(REGISTER, links, ROLL)
    assert values["Restaurant/Cafe/Canteen"] == pytest.approx((10_000 + 5 * 15_000) / 6, abs=50)
    assert values["Pub/bar/nightclub"] > values["Mobile caterer"] == 15_000


def test_the_estimate_is_chapmans():
    # 200 and 150, of which 100 in both: 201 * 151 / 101 - 1
    found = missing.estimate_total(200, 150, 100)
    assert found["seen"] == 250
    assert found["estimate"] == pytest.approx(201 * 151 / 101 - 1)
    assert found["low"] < found["estimate"] < found["high"]


def test_more_cannot_be_on_both_lists_than_on_one():
    with pytest.raises(ValueError, match="cannot be on both"):
        missing.estimate_total(5, 3, 4)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_there_are_at_least_as_many_as_were_seen_whichever_list_comes_first(one, other, both):
    both = min(one, other, both)
    found = missing.estimate_total(one, other, both)
    swapped = missing.estimate_total(other, one, both)
    assert found == pytest.approx(swapped)
    assert found["seen"] <= found["low"] <= found["high"] or found["estimate"] <= found["seen"]


def test_the_interval_holds_the_number_that_there_are_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        first, second = random.random((2, 1000)) < [[0.6], [0.5]]
        found = missing.estimate_total(int(first.sum()), int(second.sum()), int((first & second).sum()))
        held += found["low"] <= 1000 <= found["high"]
    assert 0.92 <= held / 400 <= 0.98


def test_places_to_eat_are_counted_on_each_list_and_on_both():
    counted = missing.count_food(REGISTER, LINKS, ROLL)
    assert counted == {"on_roll": 1, "in_register": 3, "in_both": 1}


def test_a_list_is_scored_against_those_that_were_planted():
    listed = pd.DataFrame({"unique_id": [str(n) for n in range(30)]})
    scores = missing.score_missing(listed, {"0", "1", "25"})
    assert scores.set_index("checked")["right"].to_dict() == {3: 2, 10: 2, 20: 2, 30: 3}
