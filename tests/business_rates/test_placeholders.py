"""What stands for a name in a roll is no name, and the name of a big ratepayer is one."""

import pandas as pd
import pytest

from councilbook.business_rates.bills import bill_inputs, errors_in_bills
from councilbook.business_rates.bills.rules import load_rules
from councilbook.business_rates.names.placeholders import blank_placeholders, find_placeholders
from councilbook.business_rates.prose import describe_rows
from councilbook.business_rates.roll.contents import PLACEHOLDER
from councilbook.business_rates.roll.reading import read_roll

STREETS = [f"{word} Street" for word in "Alma Bath Clay Dale Elm Fern Gate Hill Iron Jute Kiln Lime".split()]  # noqa: SIM905


def make_roll(name, rows=30, others=70, streets=STREETS):
    names = [name] * rows + [f"Firm {number} Ltd" for number in range(others)]
    addresses = [f"{number}, {streets[number % len(streets)]}, Airdrie" for number in range(len(names))]
    return pd.DataFrame({"ratepayer_name": pd.Series(names, dtype="str"), "address": addresses})


@pytest.mark.parametrize(
    "name",
    [
        "THE ACCOUNT HOLDER",
        "Personal details not supplied",
        "REDACTED",
        "Name withheld (Section 40)",
        "Redacted - Data Protection Act",
        "Private individual",
        "Sole trader",
        "Not disclosed",
        "N/A",
        "Unknown",
        "The Occupier",
        "xxxx",
    ],
)
def test_words_that_stand_for_a_name_are_none_even_once(name):
    assert find_placeholders(make_roll(name, rows=1)).tolist() == [True] + [False] * 70


@pytest.mark.parametrize(
    "name",
    [
        "Redacted Ltd",
        "Unknown Pleasures",
        "Account Holders Bakery",
        "Mr Holder",
        "Anne Individual",
        "Private Eye",
        None,
    ],
)
def test_a_name_with_such_a_word_in_it_is_a_name(name):
    assert not find_placeholders(make_roll(name, rows=2)).any()


@pytest.mark.parametrize("name", ["Zxcvb qwerty", "Niemand Bekannt"])
def test_a_name_on_an_outsized_share_at_unrelated_places_is_none(name):
    assert find_placeholders(make_roll(name)).sum() == 30
    assert not find_placeholders(make_roll(name, rows=19)).any()  # too few rows
    assert not find_placeholders(make_roll(name, others=290)).any()  # too small a share
    assert not find_placeholders(make_roll(name, streets=STREETS[:9])).any()  # of one estate


@pytest.mark.parametrize(
    "name",
    [
        "Kirklees Council",
        "BRADFORD MDC",
        "Zxcvb Hospitals NHS Trust",
        "Qwerty Telecoms",
        "Qwerty Ltd",
        "Corporate Landlord",
        "Children & Young People Service (Zxcvb)",
        "ZMBC",
    ],
)
def test_a_big_ratepayer_keeps_its_name(name):
    assert not find_placeholders(make_roll(name, rows=60)).any()


def test_a_roll_is_read_without_its_placeholders_and_says_how_many_there_were(tmp_path):
    names = ["The Account Holder", "Acme Ltd", "THE ACCOUNT  HOLDER", "", "Bread Ltd"]
    lines = [f"{n},{name},{n} High Street Wishaw,100{n}" for n, name in enumerate(names, 1)]
    file = tmp_path / "roll.csv"
    file.write_text("\n".join(["Property Reference Number,Ratepayer,Address,Rateable Value", *lines]))
    roll = read_roll(file, run_date="2026-01-01")
    assert roll.frame["ratepayer_name"].fillna("-").tolist() == ["-", "Acme Ltd", "-", "-", "Bread Ltd"]
    assert dict(roll.count_rows().to_numpy().tolist()) == {"kept": 3, PLACEHOLDER: 2}
    assert roll.count_rows()["rows"].sum() == roll.rows_in_file
    assert "In 2 rows words like" in describe_rows(roll.count_rows())
    assert "words like" not in describe_rows(roll.count_rows().iloc[:1])


def test_a_roll_without_one_is_left_as_it_is():
    roll = make_roll("Acme Ltd")
    same, blanked = blank_placeholders(roll)
    assert same is roll and blanked == 0


def test_bills_do_not_count_those_behind_a_placeholder_as_one_business(tmp_path):
    rows = [
        f"{n},{f'Firm {n} Ltd' if n % 2 else 'Not disclosed'},{n} High Road,{'SBRR' if n % 3 else ''},{1500 + 100 * n}"
        for n in range(1, 41)
    ]
    header = "Property Reference Number,Ratepayer,Address,Small Business Rate Relief,Rateable Value"
    file = tmp_path / "roll.csv"
    file.write_text("\n".join([header, *rows]))
    roll = read_roll(file, run_date="2026-01-01").frame.dropna(axis="columns", how="all")
    prepared = bill_inputs.prepare_bills(roll, "2019-20")
    kinds = set(errors_in_bills.find_errors(prepared, load_rules("england"))["kind"])
    assert kinds == {"missed_relief"}
