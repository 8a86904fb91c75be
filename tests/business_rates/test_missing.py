"""Who a register knows and the roll does not, and how many there may be."""

import pandas as pd
import pytest

from councilbook.business_rates.missing import ranking

REGISTER = pd.DataFrame(
    {
        "register": "food_hygiene",
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
        "ratepayer_name": ["A Ltd", "B Ltd"],
        "rateable_value_gbp": [10_000.0, 20_000.0],
        "is_occupied": [True, True],
        "empty_since_date": pd.NaT,
    }
)
LINKS = pd.DataFrame(
    {"property_reference": ["a"], "register": "food_hygiene", "unique_id": ["1"], "match_probability": [0.99]}
)
DIRECTORY = pd.DataFrame(
    {
        "register": "directory",
        "unique_id": ["1", "2", "3", "7"],
        "name": ["A", "D", "G", "H"],
        "address": ["1 High Street", "8 High Street", "5 High Street", "6 High Street"],
        "postcode": "ZZ1 1AA",
        "status": "live",
        "kind": ["Cafe", "Pub", "Takeaway", "Shop"],
    }
)
BOTH = pd.concat([REGISTER, DIRECTORY], ignore_index=True)
BETWEEN = pd.DataFrame({"food_id": ["1", "4"], "directory_id": ["1", "2"]})


def test_what_is_linked_or_closed_is_not_listed_and_the_likeliest_comes_first():
    listed = ranking.find_missing(REGISTER, LINKS, ROLL)
    assert list(listed["unique_id"]) == ["4", "5", "2", "3"]
    reasons = listed.set_index("unique_id")["reasons"]
    assert reasons["4"] == "postcode is on the roll"
    assert reasons["2"] == "address is on the roll under another name, or none"
    assert reasons["3"] == "postcode is not on the roll; kind that seldom pays rates"
    assert reasons["5"] == "no postcode"
    assert (listed["expected_gbp"] == listed["probability"] * listed["likely_rateable_value_gbp"]).all()


def test_a_business_at_whose_postcode_somebody_unnamed_pays_is_less_likely_missing():
    unnamed = ROLL.assign(ratepayer_name=["A Ltd", None])
    before = ranking.find_missing(REGISTER, LINKS, ROLL).set_index("unique_id")["probability"]
    after = ranking.find_missing(REGISTER, LINKS, unnamed).set_index("unique_id")
    assert after.loc["4", "reasons"] == "somebody unnamed pays at its postcode; postcode is on the roll"
    assert after.loc["4", "probability"] < 0.5 < before["4"]
    assert (after["probability"].drop("4") == before.drop("4")).all()
    linked = pd.DataFrame(
        {"property_reference": ["b"], "register": "directory", "unique_id": ["9"], "match_probability": [0.9]}
    )
    for roll, links in ((unnamed.assign(is_occupied=[True, False]), LINKS), (unnamed, pd.concat([LINKS, linked]))):
        assert "unnamed" not in "".join(ranking.find_missing(REGISTER, links, roll)["reasons"])


def test_a_kind_of_which_few_are_on_the_roll_is_less_likely_missing():
    register = pd.DataFrame(
        {
            "register": "food_hygiene",
            "unique_id": [str(number) for number in range(32)],
            "name": "A",
            "address": "9 Low Street",
            "postcode": "ZZ9 9AA",
            "status": "live",
            "kind": ["Caring"] * 12 + ["Mobile caterer"] * 12 + ["Cafe"] * 8,
        }
    )
    rare = "fewer than half of its kind are on the roll"
    reasons = ranking.find_missing(register, LINKS.assign(unique_id="0"), ROLL).set_index("kind")["reasons"]
    assert reasons["Caring"].str.contains(rare).all()
    assert not reasons[["Mobile caterer", "Cafe"]].str.contains(rare).any()
    half = pd.concat([LINKS.assign(unique_id=str(number)) for number in range(6)])
    reasons = ranking.find_missing(register, half, ROLL).set_index("kind")["reasons"]
    assert not reasons.str.contains(rare).any()


def test_a_link_that_is_not_likely_does_not_count():
    weak = LINKS.assign(match_probability=0.4)
    assert "1" in set(ranking.find_missing(REGISTER, weak, ROLL)["unique_id"])


def test_what_both_registers_have_is_listed_once_and_first():
    listed = ranking.find_missing(BOTH, LINKS, ROLL, BETWEEN)
    keys = list(zip(listed["register"], listed["unique_id"], strict=True))
    assert keys[0] == ("food_hygiene", "4")
    assert listed["reasons"].iloc[0] == "also in the business directory; postcode is on the roll"
    assert ("directory", "1") not in keys  # it is on the roll by the food register
    assert ("directory", "2") not in keys
    alone = listed[listed["register"] == "directory"]
    assert alone["unique_id"].tolist() == ["3", "7"]
    assert alone["reasons"].str.startswith("in the business directory alone").all()


def test_the_value_of_a_kind_is_drawn_to_that_of_all_where_few_are_linked():
    links = pd.concat([LINKS, LINKS.assign(property_reference="b", unique_id="4")])
    values = ranking.estimate_values(REGISTER, links, ROLL)
    assert values["Restaurant/Cafe/Canteen"] == pytest.approx((10_000 + 5 * 15_000) / 6, abs=50)
    assert values["Pub/bar/nightclub"] > values["Mobile caterer"] == 15_000


def test_places_to_eat_are_told_apart_and_each_is_on_the_lists_that_it_is_linked_through():
    places = ranking.match_places(ROLL, BOTH, LINKS, BETWEEN)
    assert list(places.columns) == ["roll", "food_hygiene", "directory"]
    rows = sorted(map(tuple, places.to_numpy().tolist()))
    # food 2; directory 3; food 4 with directory 2; property a with food 1 and directory 1
    assert rows == [(False, False, True), (False, True, False), (False, True, True), (True, True, True)]
    two = ranking.match_places(ROLL, REGISTER, LINKS)
    assert sorted(map(tuple, two.to_numpy().tolist())) == [(False, True), (False, True), (True, True)]


def test_an_empty_property_is_no_place_to_eat():
    empty = ROLL.assign(is_occupied=[False, True])
    none = ranking.match_places(empty, REGISTER.iloc[:0], LINKS.iloc[:0])
    assert none.empty
    assert len(ranking.match_places(ROLL, REGISTER.iloc[:0], LINKS.iloc[:0])) == 1


def test_kinds_of_a_directory_are_in_its_providers_words_and_not_told():
    counts = ranking.count_missing(ranking.find_missing(BOTH, LINKS, ROLL, BETWEEN))
    told = counts.set_index("kind")["listed"]
    assert not set(told.index) & set(DIRECTORY["kind"])
    assert told["Of the directory alone"] == 2
    assert counts["kind"].iloc[-1] == ranking.ALL_KINDS
    assert told.iloc[:-1].sum() == told.iloc[-1]


def test_a_list_is_scored_against_those_that_were_planted():
    listed = pd.DataFrame({"register": "food_hygiene", "unique_id": [str(n) for n in range(30)]})
    planted = {("food_hygiene", n): n for n in ("0", "1", "25")} | {("directory", "0"): "0", ("food_hygiene", "2"): "1"}
    scores = ranking.score_missing(listed, planted)
    assert scores.set_index("checked")["right"].to_dict() == {3: 2, 10: 2, 20: 2, 30: 3}
    # four of the 30 records are of three businesses, one of which has two
    assert scores.set_index("checked")["at_random"].to_dict() == {3: 0, 10: 1, 20: 2, 30: 3}
    assert set(scores["planted"]) == {3}
    assert ranking.score_missing(listed, {})["right"].eq(0).all()
