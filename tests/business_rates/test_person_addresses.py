"""An address is published without the people in it, and a home is told from a shop."""

import re
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addresses import ADDRESS_REASONS, AS_LISTED, HOME, NAME_REMOVED, NO_ADDRESS, classify_addresses
from councilbook.business_rates.names.person_addresses import find_home_addresses, redact_addresses
from councilbook.business_rates.names.person_words import KnownNames, fold_letters
from person_trials import make_people

STREET = "12, High Street, Airdrie, ML6 0AA"


def redact(*addresses):
    return redact_addresses(pd.Series(addresses, dtype="str"))


def classify(party="withheld", **columns):
    roll = pd.DataFrame({"property_reference": ["1"], "address": [STREET]}).assign(**columns)
    return classify_addresses(roll, roll[["property_reference"]].assign(party=party, released_name=None)).iloc[0]


@pytest.mark.parametrize(
    "line",
    [
        "Mr P Testman",
        "Mrs Testman At",
        "c/o Anyone At All",
        "C/0 Anyone",
        "Care Of Anyone",
        "FAO The Manager",
        "Executors Of Anyone",
        "The Late Anyone",
        "T/A Corner Stores",
        "John Smith",
        "J Smith",
        "J. & P. Smith",
        "Dr Testmans Practice",
    ],
)
def test_a_line_that_may_name_a_person_goes_and_the_rest_stays(line):
    assert list(redact(f"{line}, {STREET}", f"Unit 3, {line}, {STREET}")) == [STREET, f"Unit 3, {STREET}"]


@pytest.mark.parametrize(
    "line",
    [
        "Zxcvb Qwerty",
        "Q Zxcvb",
        "Zxcvb Q",
        "ZXCVB QWERTY",
        "Zxcvb Qwerty Plumbing",
        "r/o Zxcvb Qwerty",
        "Zxcvb's Garage",
        "Zxcvbs Garage",
        "Flat above Zxcvb Qwerty",
        "Zxcvb & Qwerty",
        "Michael Green",
        "Rose Hill-Smith",
        "Kids Club At Zxcvb Qwerty",
    ],
)
def test_nobody_has_to_know_a_name_to_withhold_it(line):
    left = redact(f"{line}, {STREET}", f"Unit 3, {line}, {STREET}", f"12, High Street, {line}, Airdrie, ML6 0AA")
    words = set(re.findall("[A-Za-z]{4,}", line)) - {"Plumbing", "Garage", "Flat", "above", "Kids", "Club"}
    assert not any(word in text for word in words for text in left)
    assert all("High Street" in text and text.endswith("ML6 0AA") for text in left)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("12 High Street John Smith, Airdrie", "12 High Street, Airdrie"),
        ("John Smith 12 High Street, Airdrie", "12 High Street, Airdrie"),
        ("Unit 3 John Smith, High Street, Airdrie", "Unit 3, High Street, Airdrie"),
        ("John Smith Victoria Works, High Street, Airdrie", "Victoria Works, High Street, Airdrie"),
        ("Zxcvb Qwerty Poiuy Works, High Street, Airdrie", "Poiuy Works, High Street, Airdrie"),
        ("Zxcvb Qwerty The Poiuy Works, High Street, Airdrie", "The Poiuy Works, High Street, Airdrie"),
        ("Zxcvb & Qwerty Works, High Street, Airdrie", "Works, High Street, Airdrie"),
        ("Zxcvb Qwerty Poiuy Primary School, High Street, Airdrie", "Poiuy Primary School, High Street, Airdrie"),
        ("Zxcvb Q Qwerty Poiuy Mill, High Street, Airdrie", "Poiuy Mill, High Street, Airdrie"),
        ("Zxcvb Green Poiuy Works, High Street, Airdrie", "Poiuy Works, High Street, Airdrie"),
        ("Zxcvbs Garage Victoria Hall, High Street, Airdrie", "Victoria Hall, High Street, Airdrie"),
        ("Zxcvbs Garage 7, High Street, Airdrie", "7, High Street, Airdrie"),
        ("7, High Street Z Qwerty, Airdrie", "7, High Street, Airdrie"),
        ("7, High Street r/o Zxcvb Green, Airdrie", "7, High Street, Airdrie"),
        ("Zxcvb Qwerty Poiuy Ltd, High Street, Airdrie", "High Street, Airdrie"),
        ("Zxcvb's Garage Poiuy Foods Ltd, High Street, Airdrie", "High Street, Airdrie"),
    ],
)
def test_of_a_line_only_the_name_goes_that_is_run_into_it(address, left):
    streets = [f"{number}, High Street, Airdrie" for number in range(3)]
    assert redact(address, *streets).iloc[0] == left


@pytest.mark.parametrize(
    "line",
    [
        "St John Street",
        "Dr Browns Close",
        "Victoria Mills",
        "The Rowan",
        "Smith House",
        "Albert Arcade",
        "Car Wash",
        "Unit 4 James Court",
        "The Late Shop",
        "Smith Engineering Works",
        "St Zxcvb's Hospice",
        "Zxcvb J & I School",
        "Zxcvb C P School",
        "Zxcvbs Village Hall Trust",
        "Zxcvbfields Industrial Est",
        "The White Hart",
        "Red Lion",
        "Marquis of Granby",
        "Zxcvb Art Gallery",
        "Zxcvb Church of England (VA) Primary School",
        "2nd Floor Rear Of Zxcvb House",
        "Zxcvb Foods Ltd",
    ],
)
def test_streets_buildings_institutions_and_trades_stay(line):
    assert list(redact(f"{line}, {STREET}")) == [f"{line}, {STREET}"]


def test_a_line_of_names_that_several_properties_share_is_a_place():
    three = [f"{number}, Bishop Thornton, Harrogate" for number in (1, 2, 3)]
    assert list(redact(*three)) == three
    assert list(redact("1, Bishop Thornton, Harrogate")) == ["1, Harrogate"]


def test_a_line_of_names_that_two_properties_share_is_still_a_persons():
    two = redact("1, High Street, Bishop Thornton, Harrogate", "2, High Street, Bishop Thornton, York")
    assert list(two) == ["1, High Street, Harrogate", "2, High Street, York"]


def test_one_word_is_a_house_where_no_number_is():
    assert list(redact("Zxcvb, High Street, Airdrie", "Zxcvb, 12, High Street, Airdrie")) == [
        "Zxcvb, High Street, Airdrie",
        "12, High Street, Airdrie",
    ]


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("12, Zxcvb", "12"),
        ("12, High Street, Zxcvb", "12, High Street, Zxcvb"),
        ("12, Zxcvb, Airdrie", "12, Airdrie"),
        ("12, High Street, Zxcvb, Airdrie", "12, High Street, Airdrie"),
    ],
)
def test_one_word_at_the_end_is_a_town_where_two_lines_stand_before_it(address, left):
    assert list(redact(address)) == [left]


def test_a_lane_is_a_street_unless_the_address_has_another():
    assert list(redact("3, Zxcvb Green, Airdrie")) == ["3, Zxcvb Green, Airdrie"]
    assert list(redact("Zxcvb Green, 3, High Street, Airdrie")) == ["3, High Street, Airdrie"]


def test_the_ratepayers_name_stays_over_the_door_where_it_is_released_but_no_persons_beside_it():
    roll = pd.DataFrame(
        {
            "address": ["Zxcvb Qwerty, " + STREET, "Zxcvb Qwerty, " + STREET, "John Smith, " + STREET],
            "owner": ["Qwerty Zxcvb Limited", None, "Qwerty Zxcvb Limited"],
        }
    )
    left = redact_addresses(roll["address"], organisations=roll["owner"].astype("str"))
    assert list(left) == ["Zxcvb Qwerty, " + STREET, STREET, STREET]


def test_a_pub_has_a_name_of_its_own():
    addresses = pd.Series(["Zxcvb Arms Bar, " + STREET, "Zxcvb Bar, " + STREET, "John Smith, " + STREET])
    pub = pd.Series("Public House And Premises", index=addresses.index)
    assert list(redact_addresses(addresses, descriptions=pub)) == [*addresses[:2], STREET]
    assert redact_addresses(addresses)[1] == STREET


@pytest.mark.parametrize(
    ("line", "description"),
    [
        ("Zxcvb Qwerty Art Gallery", "Museum And Premises"),
        ("Zxcvb Qwerty Inn", "Public House And Premises"),
        ("Zxcvb Castle", "Museum And Premises"),
        ("Zxcvb Qwerty Masonic Hall", "Hall And Premises"),
        ("Zxcvb A F C", "Club House And Premises"),
        ("White Hart", "Public House And Premises"),
    ],
)
def test_a_name_that_may_be_a_persons_is_a_houses_where_the_description_says_of_what_kind(line, description):
    addresses = pd.Series([f"{line}, {STREET}"])
    assert list(redact_addresses(addresses, descriptions=pd.Series([description]))) == list(addresses)
    shop = redact_addresses(addresses, descriptions=pd.Series(["Shop And Premises"])).iloc[0]
    assert shop.endswith(STREET) and shop != addresses[0]


def test_a_sign_over_a_pub_s_door_has_a_plain_word_and_is_no_trade_nor_run_in():
    lines = ["Zxcvb Qwerty Harbour", "Zxcvb Qwerty Plumbing", "Zxcvb Qwerty", "Mr Zxcvb Qwerty Harbour"]
    addresses = pd.Series([*(f"{line}, {STREET}" for line in lines), f"Zxcvb Qwerty Boat {STREET}"])
    pub = pd.Series("Public House And Premises", index=addresses.index)
    assert list(redact_addresses(addresses, descriptions=pub)) == [addresses[0], *[STREET] * 4]
    hall = pub.str.replace("Public House", "Village Hall")
    assert list(redact_addresses(addresses, descriptions=hall)) == [STREET] * 5


def test_a_village_that_the_address_is_in_speaks_for_a_name_in_its_first_line():
    others = [f"{n}, Main Street, Qwerty, Selby" for n in range(25)]
    for name, stays in {"Qwerty Zxcvb Kennels": True, "Zxcvb Qwerty": False}.items():
        addresses = pd.Series([*others, f"{name}, Main Street, Qwerty, Selby", f"{name}, Main Street, Selby"])
        first = addresses.iloc[-2] if stays else "Main Street, Qwerty, Selby"
        assert list(redact_addresses(addresses))[-2:] == [first, "Main Street, Selby"]


def test_where_nothing_is_described_the_address_says_that_it_is_a_pub():
    addresses = pd.Series([f"Zxcvb Qwerty Inn, {STREET}", f"Zxcvb Qwerty Works, {STREET}"])
    assert list(redact_addresses(addresses)) == [addresses[0], f"Works, {STREET}"]


def test_two_words_that_a_street_begins_with_are_a_place():
    streets = [f"{number}, Zxcvb Qwerty Lane, Airdrie" for number in (1, 2, 3)]
    assert (
        redact("Zxcvb Qwerty Mill, High Street, Airdrie", *streets).iloc[0] == "Zxcvb Qwerty Mill, High Street, Airdrie"
    )
    assert redact("Zxcvb Qwerty Mill, High Street, Airdrie", *streets[:2]).iloc[0] == "Mill, High Street, Airdrie"


LINES = (
    *("Zxcvb Qwerty", "Z Qwerty", "Zxcvb Works", "Zxcvb Qwerty Works", "Zxcvbs Garage", "Rose Baker", "White Hart"),
    *("Zxcvb Green", "Zxcvb Hall", "The Zxcvb Qwerty", "Zxcvb & Qwerty Inn", "Zxcvb Foods Ltd", "Rose Zxcvb Plumbing"),
    *("Zxcvb Qwerty Poiuy School", "Qwerty", "12", "High Street", "Poiuy Lane", "r/o Zxcvb Qwerty", "Zxcvb A F C"),
)
ROLLS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(LINES), min_size=1, max_size=4).map(lambda lines: ", ".join([*lines, "Airdrie"])),
        st.sampled_from([None, "Zxcvb Qwerty Limited", "Poiuy PLC"]),
        st.sampled_from([None, "Public House", "School And Premises", "Workshop"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


def count_words(text):
    return Counter(re.findall(r"\w+", "" if pd.isna(text) else text))


@given(ROLLS)
def test_to_withhold_a_ratepayer_or_to_know_more_names_never_shows_more_of_an_address(rows):
    roll = pd.DataFrame(rows, columns=["address", "owner", "description", "stays"]).astype(
        {"address": "str", "owner": "str", "description": "str"}
    )
    fewer = KnownNames(frozenset({"JOHN"}), frozenset({"JOHN", "SMITH"}))
    more = KnownNames(fewer.given | {"ROSE", "ZXCVB", "WHITE"}, fewer.any | {"ROSE", "ZXCVB", "WHITE", "HART"})

    def show(owners, known):
        return redact_addresses(roll["address"], known, descriptions=roll["description"], organisations=owners)

    shown = show(roll["owner"], fewer)
    for less in (show(roll["owner"].where(roll["stays"]), fewer), show(roll["owner"], more)):
        assert all(count_words(some) <= count_words(all_) for some, all_ in zip(less, shown, strict=True))


def test_a_charity_is_known_by_its_register_and_a_person_is_not_by_a_companys():
    register = pd.DataFrame(
        {
            "unique_id": ["1", "2", "3"],
            "register": ["oscr", "companies_house", "food_hygiene"],
            "name": ["Zxcvb Qwerty Befrienders", "ZXCVB ASDFG LIMITED", "Poiuy Lkjhg"],
            "status": "live",
        }
    )
    lines = ["Zxcvb Qwerty Befrienders", "Zxcvb Asdfg", "Poiuy Lkjhg", "John Smith"]
    addresses = pd.Series([f"{line}, {STREET}" for line in lines])
    assert list(redact_addresses(addresses, register=register)) == [addresses[0], STREET, STREET, STREET]
    assert list(redact_addresses(addresses)) == [STREET] * 4


def test_streets_that_the_roll_knows_explain_a_line():
    learnt = redact_addresses(
        pd.Series(["Zxcvb Garage, 12, Zxcvb Road, Airdrie", "Qwerty Garage, 12, Zxcvb Road, Airdrie"])
    )
    assert list(learnt) == ["Zxcvb Garage, 12, Zxcvb Road, Airdrie", "12, Zxcvb Road, Airdrie"]


def test_no_address_is_not_the_same_address():
    roll = pd.DataFrame(
        {"address": ["", None, "1, High Street", "-"], "ratepayer_address": ["", None, "1 high street", "-"]}
    )
    parties = pd.DataFrame({"party": ["withheld"] * 4})
    assert find_home_addresses(roll, parties).tolist() == [False, False, True, False]
    assert find_home_addresses(roll, parties.assign(party="organisation")).tolist() == [False] * 4


def test_an_address_of_a_name_alone_leaves_nothing_and_a_missing_one_stays_missing():
    assert redact("Mr Testman", None).isna().all()


@pytest.mark.parametrize("origin", ["en_GB", "en_PK", "yo_NG", "vi_VN", "pl_PL"])
def test_a_known_name_or_one_with_a_title_never_stays_in_an_address(origin):
    people = make_people(origin, 40, 3)
    for title in ("Mr ", "Ms "):
        lines = title + people["given"] + " " + people["surname"]
        left = redact(*(lines + ", 3, High Road, Wishaw"))
        assert set(left) == {"3, High Road, Wishaw"}


@given(st.lists(st.sampled_from(["Mr A Test", "c/o B", "5", "High Street", "Flat 2", "", "John Smith"]), max_size=6))
def test_redaction_only_takes_away_and_does_the_same_twice(lines):
    once = redact(", ".join(lines))
    again = redact_addresses(once)
    assert once.equals(again)
    kept = [] if once.isna().all() else once.iloc[0].split(", ")
    assert all(line in lines for line in kept if line)
    assert not any(fold_letters(line).startswith(("MR ", "C/O")) for line in kept)


@pytest.mark.parametrize(
    "description",
    [
        "SELF CATERING HOLIDAY UNIT AND PREMISES",
        "Bed and breakfast at home",
        "Studio at a house",
        "Guest House And Premises",
        "Apartment House",
        "Boarding house",
        "Childminder",
        "Mooring And Premises",
        "Cottage and premises",
    ],
)
def test_a_home_is_told_by_its_description(description):
    assert classify(description=description)["reason"] == HOME


@pytest.mark.parametrize(
    "description",
    [
        "Public House And Premises",
        "CLUB HOUSE AND PREMISES",
        "Warehouse",
        "Shop",
        "Care Home",
        "Residential Home",
        None,
    ],
)
def test_premises_are_no_home(description):
    assert classify(description=description)["reason"] == AS_LISTED


def test_a_flat_is_a_home_and_a_lane_named_after_one_is_not():
    assert classify(address="Flat 2, 5, High Street, Airdrie")["is_home"]
    assert classify(address="Ground Floor Flat, Arden Grange, Airdrie")["is_home"]
    assert not classify(address="Unit 3, Market Flat Lane, Airdrie")["is_home"]


def test_who_gets_letters_at_the_property_lives_there_unless_it_is_an_organisation():
    letters = "12 HIGH STREET AIRDRIE ML6 0AA"
    assert classify(ratepayer_address=letters)["reason"] == HOME
    assert classify("organisation", ratepayer_address=letters)["reason"] == AS_LISTED
    assert classify(ratepayer_address="9, Elsewhere Road")["reason"] == AS_LISTED


def test_the_address_for_letters_never_leaves():
    row = classify(ratepayer_address="9, Elsewhere Road", address="Mr Testman, " + STREET)
    assert row["reason"] == NAME_REMOVED
    assert "Elsewhere" not in " ".join(map(str, row)) and "Testman" not in " ".join(map(str, row))


def test_every_reason_has_words_and_a_missing_address_is_one():
    assert classify(address=None)["reason"] == NO_ADDRESS
    assert {HOME, AS_LISTED, NAME_REMOVED, NO_ADDRESS} == set(ADDRESS_REASONS)
