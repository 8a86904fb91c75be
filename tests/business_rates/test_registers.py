"""Registers come in the same columns."""

from pathlib import Path

import pandas as pd
import pytest

from councilbook.business_rates.missing.lists import (
    COLUMNS,
    find_records,
    join_address,
    prepare_companies,
    prepare_directory,
    prepare_food,
    prepare_register,
    store_registers,
    tidy_postcodes,
)
from councilbook.catalogue import load_catalogue
from councilbook.paths import find_workbook


@pytest.mark.parametrize(
    ("written", "tidied"),
    [
        ("ML6 9BU", "ML6 9BU"),
        ("ML69BU", "ML6 9BU"),
        (" g67 1jw ", "G67 1JW"),
        ("EC1A  1BB", "EC1A 1BB"),
        ("MLY", None),
        ("7", None),
        ("ML6 9BU, Airdrie", None),
        (None, None),
    ],
)
def test_postcodes_are_written_one_way_and_others_are_missing(written, tidied):
    [found] = tidy_postcodes(pd.Series([written], dtype="str"))
    assert found == tidied if tidied else pd.isna(found)


def test_lines_of_an_address_are_joined_and_blank_ones_left_out():
    lines = pd.DataFrame({"address_1": ["Unit 1", None, None], "address_2": ["High Street", "Main Street", None]})
    joined = join_address(lines)
    assert list(joined[:2]) == ["Unit 1, High Street", "Main Street"]
    assert joined.isna()[2]


def test_food_premises_have_one_name_and_are_live():
    premises = pd.DataFrame(
        {
            "fhrs_id": ["7"],
            "business_name": ["The Diner"],
            "business_type": ["Restaurant/Cafe/Canteen"],
            "address_1": ["1 High Street"],
            "address_2": [None],
            "postcode": ["ZZ11AB"],
        }
    )
    [row] = prepare_food(premises).to_dict("records")
    assert list(row) == COLUMNS
    assert (row["name"], row["postcode"], row["register"], row["status"]) == (
        "The Diner",
        "ZZ1 1AB",
        "food_hygiene",
        "live",
    )
    assert pd.isna(row["uprn"])


def test_a_company_in_liquidation_and_a_charity_that_ceased_are_not_live():
    companies = pd.DataFrame(
        {
            "company_number": ["SC1", "SC2", "SC3"],
            "name": ["A LIMITED", "B LIMITED", "C LIMITED"],
            "address": None,
            "postcode": None,
            "category": "Private Limited Company",
            "status": ["Active", "Liquidation", "Active - Proposal to Strike off"],
        }
    )
    assert list(prepare_companies(companies)["status"]) == ["live", "Liquidation", "live"]
    charities = companies.rename(columns={"company_number": "charity_number", "category": "legal_form"})
    assert list(prepare_register("scottish_charity_register", charities)["status"][:2]) == ["live", "Liquidation"]


def test_a_charity_that_is_registered_with_another_has_a_number_of_its_own():
    charities = pd.DataFrame(
        {
            "charity_number": ["1000001", "1000001", "1000002"],
            "linked_charity_number": ["0", "3", "0"],
            "name": ["Hope", "Hope Garden", "Gone"],
            "status": ["Registered", "Registered", "Removed"],
            "legal_form": [None, None, "CIO"],
            "address_1": ["1 High Street", None, None],
            "address_2": ["Town", None, None],
            "postcode": ["ml69bu", None, None],
        },
        dtype="str",
    )
    register = prepare_register("charity_commission", charities)
    assert list(register.columns) == COLUMNS
    assert register["unique_id"].tolist() == ["1000001", "1000001-3", "1000002"]
    assert register["status"].tolist() == ["live", "live", "Removed"]
    assert (register["address"][0], register["postcode"][0]) == ("1 High Street, Town", "ML6 9BU")


def test_an_entry_of_a_directory_is_called_what_it_trades_as():
    entries = pd.DataFrame(
        {"directory_id": ["D1"], "name": ["Fry"], "category": ["Pub"], "address": [None], "postcode": [None]},
        dtype="str",
    )
    row = prepare_directory(entries).iloc[0]
    assert (row["name"], row["trading_name"], row["kind"], row["status"]) == ("Fry", "Fry", "Pub", "live")


COMPANIES = pd.DataFrame(
    {
        "name": ["ZIBBLY LTD", "OTHER LTD", "THIRD LTD"],
        "company_number": ["01", "02", "03"],
        "address": ["1 HIGH STREET", None, "3 MAIN STREET"],
        "postcode": ["ZZ11AB", None, "ZZ1 1AC"],
        "category": "Private Limited Company",
        "status": ["Active", "Liquidation", "Active"],
    },
    dtype="str",
)
FOOD = pd.DataFrame(
    {"fhrs_id": ["7", "02"], "business_name": ["The Diner", "Inn"], "business_type": "Pub"}, dtype="str"
)


class Registers:
    """A study that has two registers, and gives the one of millions in two pieces."""

    catalogue = load_catalogue(find_workbook())

    def has(self, source):
        return source in ("food_hygiene_ratings", "companies_house")

    def load(self, source, keep=None):
        if source == "food_hygiene_ratings":
            return FOOD.assign(postcode=None, address_1="1 High Street")
        pieces = [COMPANIES.iloc[:2], COMPANIES.iloc[2:]]
        assert not any(keep(piece).any() for piece in pieces)  # nothing stays in memory
        return COMPANIES.head(0)


def test_a_register_of_millions_goes_into_a_file_piece_by_piece_and_is_as_it_would_be_in_memory(tmp_path):
    registers = store_registers(Registers(), tmp_path)
    assert list(registers) == ["food_hygiene", "companies_house"]
    file = registers["companies_house"]
    assert isinstance(file, Path)
    whole = prepare_companies(COMPANIES)
    pd.testing.assert_frame_equal(pd.read_parquet(file).astype("str"), whole)
    found = find_records(registers, ["02", "03"])
    assert found[["register", "unique_id", "name"]].to_numpy().tolist() == [
        ["food_hygiene", "02", "Inn"],
        ["companies_house", "02", "OTHER LTD"],
        ["companies_house", "03", "THIRD LTD"],
    ]
