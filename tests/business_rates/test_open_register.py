"""The open register: which rows and columns it has, whom it names, and how it is laid out by the standard."""

import pandas as pd
import pytest

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import open_register, properties, standard
from councilbook.errors import CheckError
from councilbook.gate.disclosure.registers import protect_register
from small_roll import NOWHERE, REGISTER, make_places, make_register, make_roll


def test_the_register_is_a_row_a_property_by_reference_with_a_point_and_what_the_gate_reads():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd"},
        {"ratepayer_name": "Ada Byron", "latitude": None, "longitude": None},
        uprn="990000000001",
        trading_name="Ada's",
        ratepayer_address="7, Home Road",
    )
    register = make_register(roll)
    assert list(register["property_reference"]) == ["R8", "R9"]
    assert list(register["is_organisation"]) == [False, True]
    assert list(register["released_name"].fillna("")) == ["", "Bread Ltd"]
    assert register["latitude"][1] == 55.12346
    assert list(register.geometry.isna()) == [True, False]
    assert register.crs == 4326
    assert not {"uprn", "trading_name", "ratepayer_address"} & set(register.columns)


def test_parties_of_another_roll_and_repeated_references_are_refused():
    roll = make_roll({"ratepayer_name": "Bread Ltd"}, {"ratepayer_name": "Cake Ltd"})
    parties = persons.classify_parties(roll)
    places, homes = pd.DataFrame(NOWHERE, index=roll.index, dtype="str"), properties.find_homes(roll)
    with pytest.raises(CheckError, match="rows of the roll"):
        open_register.make_open_register(roll, parties.iloc[::-1], places, homes)
    twice = roll.assign(property_reference="R1")
    with pytest.raises(CheckError, match="there twice"):
        open_register.make_open_register(twice, persons.classify_parties(twice), places, homes)


def test_whoever_is_withheld_has_nothing_beside_the_property(town):
    roll, parties, places = town
    register = open_register.make_open_register(roll, parties, places, properties.find_homes(roll))
    safe = protect_register(register, REGISTER).frame
    withheld = (~register["is_organisation"]).to_numpy()
    assert 0.2 < withheld.mean() < 0.8
    assert safe.loc[withheld, ["released_name", *open_register.OF_RATEPAYER]].isna().all(axis=None)
    assert safe.loc[~withheld, "released_name"].notna().all()
    assert safe["ward_code"].notna().mean() > 0.9


def test_a_register_is_laid_out_by_the_standard():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd", "small_business_relief": "SBR", "other_relief": "Pub", "exemption": "Listed"},
        {"ratepayer_name": "Ada Byron", "small_business_relief": "SBR"},
        description_code="CS",
    )
    links = pd.DataFrame(
        [("R9", "companies_house", "SC1", 0.999), ("R9", "oscr", "SC9", 0.5), ("R8", "companies_house", "SC2", 1.0)],
        columns=["property_reference", "register", "unique_id", "match_probability"],
    )
    entries = pd.DataFrame(
        [("companies_house", "SC1", "THE BREAD LIMITED"), ("companies_house", "SC2", "ADA BYRON LTD")],
        columns=["register", "unique_id", "name"],
    )
    parties = persons.classify_parties(roll)
    numbers = open_register.find_numbers(parties, links, entries)
    assert numbers.fillna("").to_dict("list") == {"company_number": ["SC1", ""], "charity_number": ["", ""]}
    register = open_register.make_open_register(roll, parties, make_places(roll), properties.find_homes(roll), numbers)
    text = standard.lay_out_standard(register)
    headings = [*standard.STANDARD.values(), standard.RELIEF_TYPES]
    rule = REGISTER.model_copy(
        update={
            "public": [standard.STANDARD[name] for name in standard.STANDARD if name in open_register.PROPERTY],
            "name": "Ratepayer",
            "telling": [
                *(standard.STANDARD[name] for name in open_register.OF_RATEPAYER if name in standard.STANDARD),
                standard.RELIEF_TYPES,
            ],
            "redacted": "REDACTED",
        }
    )
    person, firm = protect_register(text, rule).frame[headings].fillna("").to_dict("records")
    assert (firm["Ratepayer"], firm["Company number"], firm["Charity number"]) == ("Bread Ltd", "SC1", "")
    assert (firm["Occupied"], firm["Liability start date"], firm["Rateable value"]) == ("Y", "2020-04-01", "9000")
    assert (firm["Relief types"], firm["Exemptions"], firm["VOA code"]) == ("SBR; Pub", "Listed", "CS")
    assert {person[heading] for heading in [rule.name, *rule.telling]} == {"REDACTED"}


def test_the_roll_s_own_company_number_is_given_where_the_name_is_and_it_looks_like_one():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd", "company_number": "01234567"},
        {"ratepayer_name": "Ada Byron", "company_number": "SC123456"},
        {"ratepayer_name": "Cake PLC", "company_number": "n/k"},
    )
    register = make_register(roll).set_index("property_reference")
    assert register["company_number"].fillna("").to_dict() == {"R7": "", "R8": "", "R9": "01234567"}


def test_a_number_of_another_company_is_not_given_however_likely_the_link():
    roll = make_roll({"ratepayer_name": "Bread Ltd"})
    links = pd.DataFrame(
        [("R9", "companies_house", "SC1", 1.0)],
        columns=["property_reference", "register", "unique_id", "match_probability"],
    )
    entries = pd.DataFrame({"register": ["companies_house"], "unique_id": ["SC1"], "name": ["BREAD PLC"]})
    assert open_register.find_numbers(persons.classify_parties(roll), links, entries).isna().all(axis=None)


def test_a_name_that_is_withheld_in_one_row_is_withheld_in_all():
    roll = pd.DataFrame({"ratepayer_name": ["Newbrae Club", "NEWBRAE  CLUB", "Bread Ltd"]})
    parties = pd.DataFrame(
        {
            "party": ["organisation", "withheld", "organisation"],
            "reason": ["live register entry", "nothing shows that it is an organisation", "public body"],
            "released_name": ["Newbrae Club", None, "Bread Ltd"],
        }
    )
    safe = open_register.withhold_alike(parties, roll)
    assert list(safe["party"]) == ["withheld", "withheld", "organisation"]
    assert list(safe["released_name"].notna()) == [False, False, True]
