"""A day of birth becomes the age on the day of the file, however it is written."""

from datetime import date

import pandas as pd
import pytest

from councilbook.catalogue import FieldSpec
from councilbook.sources.extracts.codes import mend_postcode
from councilbook.sources.extracts.days import IMPOSSIBLE, read_ages

AGE = FieldSpec(type="integer", unit="years", maximum=120, description="Age")
DAY = date(2026, 3, 15)


@pytest.mark.parametrize(
    ("cells", "ages"),
    [
        (["15/03/1950", "16/03/1950", "1950-03-16 00:00:00", "19500315"], ["76", "75", "75", "76"]),
        (["18337", "18338.0", "9000"], ["76", "75", "101"]),  # 15 March 1950 is day 18,337 of a spreadsheet
        (["1950", "2026", "2025"], ["75", "0", "0"]),  # the first of July
        (["03/1950", "Mar-1950", "195003", "1950-04", "195012"], ["76", "76", "76", "75", "75"]),
        (["15-MAR-50", "15/03/30", "03/04/20"], ["76", "96", "5"]),
        (["76", "0", "119"], ["76", "0", "119"]),
        (["16/03/2026", "1801", "01/01/1890", "2031-01", "2027"], [IMPOSSIBLE] * 5),
        (["unknown", "31/31/1950"], ["unknown", "31/31/1950"]),
    ],
)
def test_a_birth_in_any_form_is_an_age(cells: list[str], ages: list[str]) -> None:
    assert read_ages(pd.Series(cells, dtype="str"), AGE, DAY).tolist() == ages


@pytest.mark.parametrize(
    ("word", "mended"),
    [
        ("me44aa", "ME4 4AA"),
        ("MEI4 4AA", "ME14 4AA"),
        ("S014 OAA", "SO14 0AA"),
        ("CT2 7N2", None),
        ("E10 5AA", "E10 5AA"),
        ("ME4 4?A", None),
        ("TN1", None),
        ("ZZ99 3VZ", None),  # of no fixed abode: V stands in no postcode's end
    ],
)
def test_a_postcode_is_mended_where_it_can_be_one_alone(word: str, mended: str | None) -> None:
    assert mend_postcode(word) == mended
