"""Who a register knows and the roll does not, and how many there may be."""

import pandas as pd
import pytest

from councilbook.business_rates.missing import chances, evidence, ranking

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


def test_what_is_linked_or_closed_is_not_listed_and_the_chances_of_each_outcome_add_to_one():
    listed = ranking.find_missing(REGISTER, LINKS, ROLL)
    assert set(listed["unique_id"]) == {"2", "3", "4", "5"}
    assert listed["probability"].is_monotonic_decreasing
    outcomes = ["probability", "on_roll_probability", "inside_probability", "not_rated_probability"]
    assert listed[outcomes].sum(axis="columns").to_numpy() == pytest.approx(1)
    assert (listed["expected_gbp"] == listed["probability"] * listed["likely_rateable_value_gbp"]).all()


def test_a_business_whose_door_is_on_the_roll_is_likely_there_and_one_that_withholds_its_address_is_not_rated():
    listed = ranking.find_missing(REGISTER, LINKS, ROLL).set_index("unique_id")
    assert listed.loc["2", "outcome"] == chances.OUTCOMES["on_roll"]
    assert listed.loc["2", "nearest_property"] == "b"
    assert listed.loc["2", "reasons"].startswith(
        "its number and postcode are on the roll; that property is of its kind"
    )
    assert listed.loc["5", "outcome"] == chances.OUTCOMES["not_rated"]
    assert listed.loc["5", "reasons"].endswith("its address is withheld, as that of a home is")
    assert listed.loc["3", "outcome"] == chances.OUTCOMES["not_rated"]  # a mobile caterer
    assert listed["probability"].idxmax() == "4"  # a pub at a number that the roll has not


def place(name, address, postcode="ZZ1 1AA", kind="Restaurant/Cafe/Canteen", taken=()):
    record = pd.DataFrame(
        {"unique_id": ["1"], "name": [name], "address": [address], "postcode": [postcode], "kind": [kind]}
    )
    return evidence.find_places(record, TOWN, pd.Series(taken, dtype="object")).iloc[0]


TOWN = pd.DataFrame(
    [
        ("door", "Brown Ltd", "5, High Street, Anytown, ZZ1 1AA", "ZZ1 1AA", "SHOP AND PREMISES", 9_000),
        ("market", None, "Bigmart, Mill Lane, Anytown, ZZ1 2BB", "ZZ1 2BB", "SUPERSTORE AND PREMISES", 900_000),
        ("hospital", "A Trust", "Fernleigh Hospital, Hill Road, Anytown, ZZ1 3CC", "ZZ1 3CC", "HOSPITAL", 300_000),
        ("pub", None, "Red Lion, Church Road, Anytown, ZZ1 4DD", "ZZ1 4DD", "PUBLIC HOUSE AND PREMISES", 20_000),
        ("school", None, "County Primary, Low Road, Anytown, ZZ1 5EE", "ZZ1 5EE", "SCHOOL AND PREMISES", 30_000),
        ("board", None, "7, High Street, Anytown, ZZ1 1AA", "ZZ1 1AA", "ADVERTISING RIGHT", 500),
        *[(f"office {n}", None, f"{n}, Long Road, Anytown", f"ZZ{n} 1AA", "OFFICES", 5_000) for n in range(10, 99)],
        *[(f"works {n}", None, f"{n}, Dale Road, Anytown", f"YY{n} 1AA", "WORKSHOP", 5_000) for n in range(10, 99)],
        *[(f"farm {n}", None, f"{n}, Moss Road, Anytown", f"XX{n} 1AA", "STORE", 5_000) for n in range(10, 99)],
    ],
    columns=["property_reference", "ratepayer_name", "address", "postcode", "description", "rateable_value_gbp"],
)


CASES = pd.DataFrame(
    [
        ("Chez Nous", "5 High Street, Anytown", "ZZ1 1AA", "Takeaway/sandwich shop", "door", "door"),
        ("5 High Street", "Anytown", "ZZ1 1AA", "Takeaway/sandwich shop", "door", "door"),
        ("Chez Nous", "5 High Street, Anytown", "ZZ1 9XX", "Takeaway/sandwich shop", "street_number", "door"),
        ("Bigmarts", "Mill Lane, Anytown", "ZZ1 2BC", "Retailers - supermarkets/hypermarkets", "name_nearby", "market"),
        ("League of Friends", "Fernleigh Hospital, Hill Road, Anytown", "ZZ1 3CC", "Other", "building", "hospital"),
        ("Chez Nous", "5a High Street, Anytown", "ZZ1 1AA", "Takeaway/sandwich shop", "other_letter", "door"),
        ("Infants", "Moor Road, Anytown", "ZZ1 5EF", "School/college/university", "school_nearby", "school"),
        ("The Vine", "Church Road, Anytown", "ZZ1 4DE", "Pub/bar/nightclub", "kind_in_street", "pub"),
        ("Chez Nous", "7 High Street, Anytown", "ZZ1 1AA", "Takeaway/sandwich shop", "other_numbers", "door"),
        ("Chez Nous", "9 High Street, Anytown", "ZZ1 9XX", "Takeaway/sandwich shop", "street", "door"),
        ("Chez Nous", "9 Nowhere Road, Anytown", "ZZ9 9XX", "Takeaway/sandwich shop", "nothing", None),
    ],
    columns=["name", "address", "postcode", "kind", "rung", "reference"],
)


def test_the_nearest_property_is_found_by_number_name_building_street_or_kind():
    records = CASES.assign(unique_id=[f"{n}" for n in range(len(CASES))])
    found = evidence.find_places(records, TOWN, pd.Series([], dtype="object"))
    assert found["rung"].tolist() == CASES["rung"].tolist()
    assert found["property_reference"].fillna("").tolist() == CASES["reference"].fillna("").tolist()


def test_a_hospital_has_room_for_others_and_a_taken_pub_is_no_other_pub():
    assert place("League of Friends", "Fernleigh Hospital, Hill Road, Anytown", "ZZ1 3CC")["hosts"]
    assert not place("Chez Nous", "5 High Street, Anytown")["hosts"]
    taken = place("The Vine", "Church Road, Anytown", "ZZ1 4DE", "Pub/bar/nightclub", taken=["pub"])
    assert taken["rung"] == "street"


def test_a_church_is_told_from_church_street_and_kinds_by_their_words():
    records = pd.DataFrame(
        {
            "name": ["Lunch", "Lunch", "Any Cupcakes"],
            "address": ["St Ann's Church, Hill Road", "4 Church Street", None],
            "kind": ["Other catering premises", "Takeaway/sandwich shop", "Retailers - other"],
        }
    )
    placed = pd.DataFrame({"rung": ["street", "door", "nothing"], "fits": True, "hosts": False, "busy": False})
    features = chances.describe_features(records, placed)
    assert features["worship"].tolist() == [1, 0, 0]
    assert features["home_trade"].tolist() == [0, 0, 1]
    assert features["fits"].tolist() == [0, 1, 0]  # of a property that may be the one
    assert features["off_trade"].tolist() == [1, 0, 1]
    assert features.loc[1, "eating"] == features.loc[0, "other_catering"] == features.loc[2, "shop"] == 1


def test_the_calibration_says_what_it_rests_on_and_has_a_coefficient_for_each_feature():
    held = chances.read_calibration()
    placed = pd.DataFrame({"rung": ["door"], "fits": [True], "hosts": [False], "busy": [False]})
    record = REGISTER.iloc[:1].reset_index(drop=True)
    features = chances.describe_features(record, placed)
    for outcome in chances.OUTCOMES:
        assert set(held["coefficients"][outcome]) == {"intercept", *features}
    assert sum(held["assumed"]["address_withheld"].values()) == pytest.approx(1)
    alone, both = (
        chances.tell_chances(features, record, pd.Series([by]))["missing"].iloc[0] for by in ("alone", "both")
    )
    assert alone < both


def test_a_link_that_is_not_likely_does_not_count():
    weak = LINKS.assign(match_probability=0.4)
    assert "1" in set(ranking.find_missing(REGISTER, weak, ROLL)["unique_id"])


def test_what_both_registers_have_is_listed_once_and_is_likelier_missing():
    listed = ranking.find_missing(BOTH, LINKS, ROLL, BETWEEN)
    keys = list(zip(listed["register"], listed["unique_id"], strict=True))
    assert keys[0] == ("food_hygiene", "4")
    assert "also in the business directory" in listed["reasons"].iloc[0]
    without = ranking.find_missing(REGISTER, LINKS, ROLL).set_index("unique_id")["probability"]
    assert listed["probability"].iloc[0] > without["4"]
    assert ("directory", "1") not in keys  # it is on the roll by the food register
    assert ("directory", "2") not in keys
    alone = listed[listed["register"] == "directory"]
    assert set(alone["unique_id"]) == {"3", "7"}
    assert alone["reasons"].str.contains("in the business directory alone").all()


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
