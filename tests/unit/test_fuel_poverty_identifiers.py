"""Names, addresses and numbers of people are found in an extract, and not shown."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.fuel_poverty.identifiers import check_extract

VALID_NHS = "9434765919"  # the example of the NHS Data Dictionary


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Jane Smith", "a name"),
        ("JANE SMITH", "a name"),
        ("Smith, Jane", "a name"),
        ("Mary-Ann O'Neill", "a name"),
        ("Mrs J. Smith", "a name"),
        ("12 Acacia Avenue", "an address"),
        ("Flat 3, The Maltings", "an address"),
        ("near CT1 2EH", "a postcode"),
        ("CT12EH", "a postcode"),
        ("jane.smith@example.org", "an e-mail address"),
        (VALID_NHS, "an NHS number"),
        ("943 476 5919", "an NHS number"),
        ("see 943-476-5919", "an NHS number"),
        (int(VALID_NHS), "an NHS number"),
        (float(VALID_NHS), "an NHS number"),
    ],
)
def test_what_tells_who_somebody_is_is_refused_and_not_shown(value: object, kind: str) -> None:
    other = None if isinstance(value, str) else 7
    frame = pd.DataFrame({"note": [other, value, other, value]}, index=["w", "x", "y", "z"])
    with pytest.raises(CheckError, match=rf"^people: note has what looks like {kind} in 2 rows \(row 1, 3, ") as raised:
        check_extract(frame, "people")
    assert str(value) not in str(raised.value)


@pytest.mark.parametrize(
    "column", ["NHS Number", "nhs_no", "NHSNumber", "Name", "first_name", "PatientName", "Address", "E-mail", "dob"]
)
def test_a_column_named_like_an_identifier_is_refused_whatever_is_in_it(column: str) -> None:
    with pytest.raises(CheckError, match=rf"households: the column {column} is named like .* 1 rows \(row 1, "):
        check_extract(pd.DataFrame({column: [None, "x"]}), "households")


def test_pseudonyms_codes_and_labels_are_let_through() -> None:
    frame = pd.DataFrame(
        {
            "household_id": ["0123456789abcdef", "9434765918943476"],
            "postcode": ["ME1 1AA", "CT1 2EH"],
            "lad22_name": ["Tunbridge Wells", "Dover"],
            "lsoa21_code": "E01000001",
            "property_type": ["Park home", "House"],
            "main_fuel": ["mains gas (not community)", "no heating"],
            "uprn": int(VALID_NHS),
            "reference": int(VALID_NHS) + 1,  # ten digits, but not the check digit
            "inspected": pd.Timestamp("2020-01-01"),
            "flag": [True, False],
        }
    )
    check_extract(frame, "epc")


@given(st.integers(10**8, 10**9 - 1))
def test_of_ten_numbers_that_differ_in_the_last_digit_at_most_one_is_an_nhs_number(first: int) -> None:
    weighted = sum(int(digit) * weight for digit, weight in zip(str(first), range(10, 1, -1), strict=True))
    right = (11 - weighted % 11) % 11
    for last in range(10):
        frame = pd.DataFrame({"reference": [10 * first + last]})
        if last == right:
            with pytest.raises(CheckError, match="an NHS number"):
                check_extract(frame, "people")
        else:
            check_extract(frame, "people")
