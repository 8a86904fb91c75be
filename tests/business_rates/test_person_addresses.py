"""An address is published without the people in it, and a home is told from a shop."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addresses import ADDRESS_REASONS, AS_LISTED, HOME, NAME_REMOVED, NO_ADDRESS, classify_addresses
from councilbook.business_rates.names.person_addresses import find_home_addresses, redact_addresses
from councilbook.business_rates.names.person_words import fold_letters
from person_trials import make_people

STREET = "12, High Street, Airdrie, ML6 0AA"


def redact(*addresses):
    return redact_addresses(pd.Series(addresses, dtype="str"))


def classify(party="withheld", **columns):
    roll = pd.DataFrame({"property_reference": ["1"], "address": [STREET]}).assign(**columns)
    return classify_addresses(roll, roll[["property_reference"]].assign(party=party)).iloc[0]


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
    ],
)
def test_streets_buildings_and_trades_stay(line):
    assert list(redact(f"{line}, {STREET}")) == [f"{line}, {STREET}"]


def test_a_line_of_names_that_several_properties_share_is_a_place():
    three = [f"{number}, Bishop Thornton, Harrogate" for number in (1, 2, 3)]
    assert list(redact(*three)) == three
    assert list(redact("1, Bishop Thornton, Harrogate")) == ["1, Harrogate"]


def test_a_line_of_names_that_two_properties_share_is_still_a_persons():
    assert list(redact("1, Bishop Thornton, Harrogate", "2, Bishop Thornton, York")) == ["1, Harrogate", "2, York"]


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        ("John Paul George Smith", False),
        ("John Paul George James Smith", True),  # of five words
        ("Smith", True),
        ("John Smith 2", True),
        ("John Zxcvb", True),
        ("Zxcvb Smith", True),
        ("J Zxcvb", True),
        ("J Church", True),
        ("Car Smith", True),
        ("Mr Browns Road", True),
        ("Mr Browns Road Shop", False),
    ],
)
def test_a_line_goes_if_all_of_it_is_a_known_name(line, stays):
    assert list(redact(f"{line}, {STREET}")) == [f"{line}, {STREET}" if stays else STREET]


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
