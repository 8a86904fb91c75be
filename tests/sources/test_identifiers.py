"""An extract of pseudonyms in which people could be read is refused, and nothing of it is shown."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.sources.identifiers import check_pseudonymised

CLEAN = pd.DataFrame(
    {
        "household_id": ["0001f54ea82e37ab", "A-000123"],
        "person_id": ["550e8400-e29b-41d4-a716-a9434765919b", "key-b9434765919"],
        "postcode": ["XX1 1AA", "XX1 1AB"],
        "lad22_name": ["Folkestone and Hythe", "Tunbridge Wells"],
        "income": ["15234.0", "-20.5"],
        "day": ["2019-01-05", None],
        "uprn": ["9434765919", "100023336956"],
        "age": [81, 7],
        "ill": [True, False],
    },
    index=[2, 3],
)


def refuse(frame: pd.DataFrame) -> str:
    with pytest.raises(CheckError) as error:
        check_pseudonymised(frame, "File kid.csv")
    return str(error.value)


def test_pseudonyms_codes_numbers_and_area_names_pass() -> None:
    check_pseudonymised(CLEAN, "File kid.csv")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Mary O'Hara", "a name"),
        ("HARTLEY, John", "a name"),
        ("Dr hartley", "a name"),
        ("Zoë Hartley", "a name"),
        ("mary@example.org", "an e-mail address"),
        ("seen at XX1 1AB today", "a postcode"),
        ("XX11AB", "a postcode"),
        ("12 Station Road", "an address"),
        ("Flat 3, The Mill", "an address"),
        ("943 476 5919", "an NHS number"),
        ("9434765919", "an NHS number"),
        ("ref 943-476-5919", "an NHS number"),
        ("9434765919.0", "an NHS number"),
    ],
)
@pytest.mark.parametrize("dtype", ["str", "object"])
def test_what_tells_who_somebody_is_gets_refused_and_is_not_shown(value: str, kind: str, dtype: str) -> None:
    frame = CLEAN.assign(remark=pd.Series([None, value], index=CLEAN.index, dtype=dtype))
    told = refuse(frame)
    assert told.startswith(f"File kid.csv: remark has what looks like {kind} in 1 rows (row 3). Expected pseudonyms")
    assert value not in told


def test_an_nhs_number_that_is_read_as_a_number_is_found() -> None:
    assert "looks like an NHS number in 1 rows (row 2)" in refuse(CLEAN.assign(reference=[9434765919, 12]))
    check_pseudonymised(CLEAN.assign(reference=[9434765918, 12]), "File kid.csv")  # the check digit is wrong


@pytest.mark.parametrize("column", ["NHS_Number", "nhsNo", "surname", "Patient Name", "DOB", "eMail", "Postal Address"])
def test_a_column_named_like_an_identifier_is_refused(column: str) -> None:
    assert f"the column {column} is named like one that tells who somebody is" in refuse(CLEAN.assign(**{column: "x"}))


@pytest.mark.parametrize("column", ["household_id", "tenure", "lsoa21_name", "oa11nm", "accommodation", "scheme"])
def test_a_column_named_otherwise_passes(column: str) -> None:
    check_pseudonymised(pd.DataFrame({column: ["a1", "b2"]}), "File kid.csv")


@given(st.lists(st.integers(0, 9), min_size=9, max_size=9))
def test_every_number_of_ten_digits_with_the_right_check_digit_is_found(digits: list[int]) -> None:
    remainder = 11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11
    check = 0 if remainder == 11 else remainder
    number = "".join(map(str, digits))
    if check == 10:  # no such number is given out
        for last in range(10):
            check_pseudonymised(pd.DataFrame({"key": [f"{number}{last}"]}), "File kid.csv")
    else:
        assert "an NHS number" in refuse(pd.DataFrame({"key": [f"{number}{check}"]}))
