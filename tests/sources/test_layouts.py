"""An example file is as its layout says, and can be read; its values are of no place."""

import csv
import io
import re

import pytest

from councilbook.business_rates.roll.headers import read_header
from councilbook.catalogue import FoundFile, Table, load_catalogue
from councilbook.paths import find_workbook
from councilbook.sources.checks import check_fields
from councilbook.sources.extracts.guesses import Told
from councilbook.sources.extracts.reading import Extract
from councilbook.sources.files.readers import convert_types
from councilbook.sources.layouts import choose_laid_out, describe_layout, name_example, write_example

SOURCES = choose_laid_out(load_catalogue(find_workbook()).sources.values())


def test_every_closed_and_shared_source_of_a_study_has_a_layout():
    expected = {"kid_households", "kid_people", "interventions_register", "household_outcomes", "epc_register"}
    expected |= {"wellbeing_acorn", "rates_ledger", "rates_ledger_before", "business_directory", "link_verdicts"}
    expected |= {"guidance_returns", "audience_segments", "audience_bookings", "museum_diary", "museum_headcounts"}
    expected |= {"museum_answers", "museum_devices"}
    assert {source.id for source in SOURCES} == expected


@pytest.mark.parametrize("source", [one for one in SOURCES if not one.reader], ids=lambda source: source.id)
def test_an_example_can_be_read_as_declared(source, tmp_path):
    file = tmp_path / name_example(source)
    file.write_text(write_example(source))
    extract = Extract(FoundFile(source, file, "closed folder"), source.table(), Told())
    typed = convert_types(extract.read(), source.table(), extract.found)
    check_fields(typed, source.table().fields, source.table().key, "example", show_values=True)
    assert len(typed) == 3
    assert extract.inspect().fault is None
    assert extract.read().attrs["notes"] == []


@pytest.mark.parametrize("source", [one for one in SOURCES if one.reader], ids=lambda source: source.id)
def test_an_example_of_a_ledger_has_headers_that_its_reader_knows_and_values_as_declared(source):
    rows = list(csv.DictReader(io.StringIO(write_example(source))))
    fields = source.table().fields
    assert [read_header(header).target for header in rows[0]] == list(fields)
    assert len({row["Property Reference"] for row in rows}) == len(rows)
    for one in fields.values():
        held = [row[one.column[0]] for row in rows]
        assert all(re.fullmatch(one.pattern or ".+", value) for value in held), one.description
        assert not one.enum or set(held) == set(one.enum)


def test_a_layout_says_in_words_what_may_stand_in_a_column():
    fields = {
        "home": {"description": "Pseudonym", "example": "home01"},
        "tenure": {"description": "Tenure", "enum": ["owned", "rented"], "codes": {"rented": ["R", "let"]}},
        "warm": {"description": "Is it warm", "type": "boolean", "required": False},
        "cost": {"description": "Cost", "type": "number", "minimum": 0, "maximum": 1500, "unit": "GBP"},
        "day": {"description": "Day", "type": "date", "column": ["When", "date"]},
        "age": {"description": "Age", "type": "integer", "minimum": 18, "may_be_absent": True},
    }
    table = Table.model_validate({"fields": fields, "key": ["home"]})
    said = {one.header: one for one in describe_layout(table)}
    assert list(said) == ["home", "tenure", "warm", "cost", "When", "age"]
    assert said["home"].values == "a text of its own for each row"
    assert said["tenure"].values == "one of: owned; rented (or R, let)"
    assert said["cost"].description == "Cost (GBP)"
    assert said["cost"].values == "a number from 0 to 1500"
    assert [name for name, one in said.items() if not one.needed] == ["warm", "age"]
    source = SOURCES[0].model_copy(update={"tables": {"t": table}})
    assert write_example(source).splitlines() == [
        "home,tenure,warm,cost,When,age",
        "home01,owned,yes,0,2026-01-01,18",
        "home02,rented,no,1000,2026-01-02,19",
        "home03,owned,yes,1500,2026-01-03,20",
    ]
