"""A day of birth becomes the age on the day of the file, however it is written."""

from datetime import date

import pandas as pd
import pytest

from councilbook.catalogue import FieldSpec, load_catalogue
from councilbook.paths import find_workbook
from councilbook.sources.extracts.codes import mend_postcode, read_cells
from councilbook.sources.extracts.days import IMPOSSIBLE, is_clock, is_moment, read_ages, read_bands

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


CLOCK = FieldSpec(pattern=r"^([01]?\d|2[0-4]):[0-5]\d$", missing=["closed"], description="Opens")
MOMENT = FieldSpec(
    pattern=r"^\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]\d\d:\d\d)$", description="When"
)


@pytest.mark.parametrize("word", ["09:30", "9:30", "9.30", "09:30:00", "9:30 am", "9.30am", "9:30 a.m."])
def test_a_clock_in_any_form_is_one(word: str) -> None:
    cells = read_cells(pd.Series([word, "9pm", "24:00", "Closed", "late"]), CLOCK, {})
    assert cells.fillna("").tolist() == ["09:30", "21:00", "24:00", "", "late"]


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("06/07/2026 10:30", "2026-07-06T10:30:00+01:00"),
        ("2026-03-06 10:30:05", "2026-03-06T10:30:05+00:00"),
        ("06/03/2026, 2:30 pm", "2026-03-06T14:30:00+00:00"),
        ("06/03/2026 24:00", "2026-03-07T00:00:00+00:00"),
        ("2026-03-06T10:30Z", "2026-03-06T10:30:00+00:00"),
        ("25/10/2026 01:30", "25/10/2026 01:30"),  # twice that day
        ("29/03/2026 01:30", "29/03/2026 01:30"),  # not that day
        ("2026-02-30T10:30Z", IMPOSSIBLE + "2026-02-30T10:30Z"),
        ("Tuesday", "Tuesday"),
    ],
)
def test_a_moment_is_written_with_its_offset(word: str, moment: str) -> None:
    assert read_cells(pd.Series([word]), MOMENT, {}).tolist() == [moment]


@pytest.mark.parametrize(
    ("cells", "ages"),
    [
        (["66-74", "66 to 74", "Aged 66\u201374 years"], ["70"] * 3),
        (["75+", "75 and over", "118+"], ["80", "80", "120"]),
        (["under 5", "<5", "0-4", "Under 1"], ["2", "2", "2", "0"]),
        (["5-9", "36"], ["7", "36"]),
        (["65-74", "60+", "0-17", "under 18"], ["65-74", "60+", "0-17", "under 18"]),  # across 66, or across 5
        (["74-66", "1-4-5", "5-9 or so"], ["74-66", "1-4-5", "5-9 or so"]),
    ],
)
def test_a_band_of_ages_is_read_if_it_lies_across_no_age_that_parts_people(cells: list[str], ages: list[str]) -> None:
    field = AGE.model_copy(update={"age_limits": [5, 66]})
    assert read_bands(pd.Series(cells, dtype="str"), field).tolist() == ages
    assert read_bands(pd.Series(cells, dtype="str"), AGE).tolist() == cells


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


def test_times_of_the_catalogue_are_known_to_be_such() -> None:
    catalogue = load_catalogue(find_workbook())
    counts, answers, diary = (
        catalogue.source(name).table().fields for name in ("museum_headcounts", "museum_answers", "museum_diary")
    )
    assert is_moment(counts["counted_at"]) and is_moment(answers["answered_at"]) and not is_moment(counts["zone"])
    assert is_clock(diary["opens"]) and is_clock(diary["closes"]) and not is_clock(answers["session_token"])
