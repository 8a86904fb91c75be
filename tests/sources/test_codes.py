"""A code, a day, an amount or a postcode is read as what it says, and what nobody knows stays as it was."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.catalogue import FieldSpec
from councilbook.sources.extracts.codes import BLANK, DOUBTFUL, find_strange, fold_code, list_known, read_cells
from councilbook.sources.extracts.diagnoses import NO_GROUP, find_groups, load_code_lists

TENURE = FieldSpec(
    description="Tenure",
    enum=["owned_outright", "mortgaged", "social_rented"],
    codes={"owned_outright": ["OO", "owner occupied"], "mortgaged": ["M", "owner occupied"], "social_rented": ["HA"]},
)
YES_NO = FieldSpec(description="Flag", type="boolean")
SEX = FieldSpec(description="Sex", enum=["F", "M"], codes={"F": ["2"], "M": ["1"]}, missing=["I", "9"])
DAY = FieldSpec(description="Day", type="date")
MONEY = FieldSpec(description="Cost", type="number")
KWH = FieldSpec(description="Gas", type="number", unit="kWh a year")
POINTS = FieldSpec(description="Score", type="number", unit="points")
PEOPLE = FieldSpec(description="People", type="integer", unit="people")
POSTCODE = FieldSpec(description="Postcode", pattern=r"^[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}$")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)


def read(field, *cells, told=None):
    answers = read_cells(pd.Series(list(cells), dtype="str"), field, told or {})
    return [None if cell != cell else cell for cell in answers]


@pytest.mark.parametrize(
    ("field", "cells", "expected"),
    [
        (YES_NO, ["Y", "n", "Yes", "NO", "1", "0", "1.0", "T", "F", "True"], "1 0 1 0 1 0 1 1 0 1"),
        (TENURE, ["Owned-Outright", "oo", "HA ", "mortgaged", "Owner  occupied"], None),
        (SEX, ["m", "F", "1", "2", "I", "9", None], ["M", "F", "M", "F", None, None, None]),
        (DAY, ["13/05/2019", "13/05/2019 00:00:00", "2019-05-13T09:30:00", "13-May-2019", "1/2/19"], None),
        (DAY, ["05/13/2019", "-", "NULL", ""], ["05/13/2019", None, None, None]),
        (MONEY, ["£1,234.50", "-£5", "12", "N/A"], ["1234.50", "-5", "12", None]),
        (MONEY, ["1.234,56", "12,5", "7", "1.234"], ["1234.56", "12.5", "7", "1234"]),
        (MONEY, ["1,234", "(12)", "-£ 5,000", "5-", "\u22127"], ["1234", "-12", "-5000", "-5", "-7"]),
        (MONEY, ["1 234,5", "12\u00a0345", "1,2,3", "12.3.4"], ["1234.5", "12345", "1,2,3", "12.3.4"]),
        (KWH, ["12kWh", "1,200 kWh", "12%"], ["12", "1200", "12%"]),
        (POINTS, ["85%", "62%", None], ["85", "62", None]),
        (POINTS, ["85%", "62"], ["85%", "62"]),
        (PEOPLE, ["1.234", "987", "2,0"], ["1234", "987", "2.0"]),
        (PEOPLE, ["1.000", "12.0", "3"], ["1.000", "12.0", "3"]),
        (POSTCODE, ["ct11aa", "CT1  1AA", "ME14 1XX", "Canterbury"], ["CT1 1AA", "CT1 1AA", "ME14 1XX", "Canterbury"]),
    ],
)
def test_what_councils_write_is_read(field, cells, expected):
    known = {
        "Owned-Outright": ["owned_outright", "owned_outright", "social_rented", "mortgaged", "owned_outright"],
        "13/05/2019": ["2019-05-13", "2019-05-13", "2019-05-13", "2019-05-13", "2019-02-01"],
    }
    if isinstance(expected, str):
        expected = ["true" if one == "1" else "false" for one in expected.split()]
    assert read(field, *cells) == (expected or known[cells[0]])


def test_what_the_council_says_comes_first_and_a_blank_can_mean_something():
    told = {"1": "no", "2": "yes", BLANK: "no", "X": "missing"}
    assert read(YES_NO, "1", "2", None, "x", "Y", told=told) == ["false", "true", "false", None, "true"]
    assert read(TENURE, "4", "HA", told={"4": "mortgaged", "ha": "owned_outright"}) == ["mortgaged", "owned_outright"]
    assert read(FieldSpec(description="Age", type="integer"), "90+", "41", told={"90+": "90"}) == ["90", "41"]


@pytest.mark.parametrize(
    ("cells", "doubtful"),
    [
        (["1.234,50", "1,234.50", "3.5"], [0]),
        (["1.234,50", "0,5", "3.5", "7"], [2]),
        (["1.234", "12"], [0]),
        (["1,234", "1.234", "7"], [1]),
        (["1,234", "1.2"], []),
        (["1.2345", "1.234"], []),
        (["12,5", "1.234"], []),
    ],
)
def test_a_number_that_may_be_read_in_two_ways_is_told_and_not_guessed(cells, doubtful):
    answers = read(MONEY, *cells)
    assert [place for place, answer in enumerate(answers) if answer == f"{DOUBTFUL}{cells[place]}"] == doubtful


@given(
    values=st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=1),
    marks=st.sampled_from([",.", ".,", " ,", "\u00a0."]),
)
def test_amounts_come_back_whatever_marks_thousands_and_decimals(values, marks):
    def write(value):
        return f"{value:,.2f}".replace(",", "#").replace(".", marks[1]).replace("#", marks[0])

    assert [float(one) for one in read(MONEY, *map(write, values))] == [float(value) for value in values]


@given(code=TEXT, field=st.sampled_from([TENURE, YES_NO, SEX]))
def test_an_unknown_code_never_becomes_a_known_one(code, field):
    (answer,) = read(field, code)
    is_known = fold_code(code) in list_known(field)
    strange = find_strange(pd.Series([answer], dtype="str"), field).iloc[0]
    assert is_known == (answer is not None and not strange)
    if not is_known and answer is not None:
        assert answer == code


@given(values=st.lists(st.sampled_from([*TENURE.enum, None])), codes=st.permutations(["1", "2", "3", "4"]))
def test_codes_that_the_council_has_told_come_back_as_what_they_stand_for(values, codes):
    told = dict(zip(codes, TENURE.enum, strict=False))
    written = {value: code for code, value in told.items()}
    assert read(TENURE, *(written.get(value) for value in values), told=told) == values


@given(day=st.dates(date(1930, 1, 1), date(2068, 12, 31)), form=st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"]))
def test_a_day_comes_back_however_it_is_written(day, form):
    assert read(DAY, day.strftime(form)) == [day.isoformat()]


@pytest.mark.parametrize(
    ("title", "cells", "expected"),
    [
        ("ICD-10 codes", ["J45.9; I10", "E11", "W19X,F32", "J189", "J449"], ["rc", "", "mf", "", "r"]),
        ("Read codes", ["H33zz G20..00", "C10F.", "TC...|E2003", "H06z0", "H3..."], ["rc", "", "mf", "", "r"]),
        ("SNOMED CT codes", ["195967001 38341003", "44054006", "1912002;35489007", "", "13645005"], None),
    ],
)
def test_codes_of_diagnoses_become_groups_of_conditions(title, cells, expected):
    groups = {"r": "respiratory", "c": "circulatory", "m": "mental_health", "f": "falls"}
    found, strange = find_groups(pd.Series(cells), load_code_lists()[title], {}, groups.values())
    held = ["".join(letter for letter, name in groups.items() if found[name][row]) for row in range(len(cells))]
    assert held == (expected or ["rc", "", "mf", "", "r"])
    assert strange.empty


def test_a_code_of_no_system_is_found_with_its_row_and_one_that_is_told_is_not():
    cells = pd.Series(["XE0Ub", "G20.. X101x", None], index=[2, 3, 4])
    codes = load_code_lists()["Read codes"]
    found, strange = find_groups(cells, codes, {"XE0Ub": "circulatory", "X101y": NO_GROUP}, ["circulatory"])
    assert found["circulatory"].tolist() == [True, True, False]
    assert strange.to_dict() == {3: "X101x"}


@pytest.mark.parametrize("codes", load_code_lists().values(), ids=lambda codes: codes.title)
def test_every_listed_code_is_of_its_system_and_every_list_says_its_source(codes):
    if codes.whole:
        assert all(codes.read_code(code) == group for group, known in codes.groups.items() for code in known)
    assert len(codes.source) > 20
