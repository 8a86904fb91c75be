"""Checks: each kind of fault has a line that says what, where and what was expected, and shows no person's data."""

from typing import Any

import pandas as pd
import pytest

from councilbook.catalogue import FieldSpec
from councilbook.errors import CheckError
from councilbook.sources.checks import check_fields, check_sums, refuse_rows


def check(values: Any, *, show_values: bool = True, **field: Any) -> None:
    frame = pd.DataFrame({"a": values}, index=range(7, 7 + len(values)))
    check_fields(frame, {"a": FieldSpec(description="A", **field)}, [], "a file", show_values=show_values)


def dates(*days: str | None) -> pd.Series:
    return pd.to_datetime(pd.Series(days), format="ISO8601").set_axis(range(7, 7 + len(days)))


FAULTS = {
    "text for a number": (["12,5"], {"type": "number"}, "1 rows not as expected, type number, as '12,5' (row 7)"),
    "infinite": ([1.0, float("inf")], {"type": "number"}, "1 rows not as expected, type number, as inf (row 8)"),
    "fraction": ([1.0, 2.5, None], {"type": "integer"}, "1 rows not as expected, type integer, as 2.5 (row 8)"),
    "fraction of a year": ([2021.5], {"type": "year"}, "1 rows not as expected, type year, as 2021.5 (row 7)"),
    "truth for a number": ([True], {"type": "integer"}, "1 rows not as expected, type integer, as True (row 7)"),
    "number for text": (["x", 31337], {}, "1 rows not as expected, type string, as 31337 (row 8)"),
    "number for truth": ([1], {"type": "boolean"}, "1 rows not as expected, type boolean, as 1 (row 7)"),
    "text for a date": (["1.2.2026"], {"type": "date"}, "1 rows not as expected, type date, as '1.2.2026' (row 7)"),
    "missing": (["x", None], {}, "1 rows not as expected, a value in every row (row 8)"),
    "missing number": ([1, None], {"type": "integer"}, "1 rows not as expected, a value in every row (row 8)"),
    "blank": (["x", ""], {}, "1 rows not as expected, a value in every row, as '' (row 8)"),
    "pattern": (["E01", "E1\n"], {"pattern": "^E\\d+$"}, "1 rows not as expected, pattern ^E\\d+$, as 'E1\\n' (row 8)"),
    "enum": (["hot"], {"enum": ["open", "shared"]}, "1 rows not as expected, one of open, shared, as 'hot' (row 7)"),
    "minimum": ([-3, 4], {"type": "integer", "minimum": 0}, "1 rows not as expected, at least 0, as -3 (row 7)"),
    "maximum": ([100.5], {"type": "number", "maximum": 100}, "1 rows not as expected, at most 100, as 100.5 (row 7)"),
    "unique": (["x", "y", "x"], {"unique": True}, "2 rows not as expected, each value once, as 'x', 'x' (row 7, 9)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_a_line_with_its_count_what_was_expected_examples_and_rows(fault: str) -> None:
    values, field, line = FAULTS[fault]
    with pytest.raises(CheckError) as error:
        check(values, **field)
    assert str(error.value) == f"a file:\n  a: {line}"


@pytest.mark.parametrize("fault", FAULTS)
def test_no_value_is_shown_of_data_about_people(fault: str) -> None:
    values, field, line = FAULTS[fault]
    with pytest.raises(CheckError) as error:
        check(values, show_values=False, **field)
    shown, row = line.partition(", as ")[0].partition(" (row")[0], line[line.index(" (row") :]
    assert str(error.value) == f"a file:\n  a: {shown}{row}"


def test_a_time_of_day_is_no_date() -> None:
    with pytest.raises(CheckError, match="type date"):
        check(dates("2026-01-02T13:30"), type="date")


def test_every_fault_of_a_table_is_told_at_once_and_few_examples_stand_for_many() -> None:
    frame = pd.DataFrame({"code": ["x"] * 50, "n": [-1] * 50})
    fields = {
        "code": FieldSpec(description="A", pattern="E"),
        "n": FieldSpec(description="N", type="integer", minimum=0),
    }
    with pytest.raises(CheckError) as error:
        check_fields(frame, fields, [], "a file", show_values=True)
    assert str(error.value).splitlines() == [
        "a file:",
        "  code: 50 rows not as expected, pattern E, as 'x', 'x', 'x' (row 0, 1, 2)",
        "  n: 50 rows not as expected, at least 0, as -1, -1, -1 (row 0, 1, 2)",
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ([1.0, 2.0, None], {"type": "integer", "required": False}),
        ([1, 2], {"type": "number", "minimum": 1, "maximum": 2}),
        ([True, False], {"type": "boolean"}),
        (pd.array([True, None]), {"type": "boolean", "required": False}),
        (dates("2026-01-02", None), {"type": "date", "required": False}),
        (dates("2026-01-02").astype("datetime64[ns]"), {"type": "date"}),
        (["E01", None], {"pattern": r"E\d\d", "enum": ["E01"], "unique": True, "required": False}),
        ([None, None], {"unique": True, "required": False}),
        ([None, None], {"type": "number", "minimum": 0, "required": False}),
        ([None, None], {"type": "date", "required": False}),
    ],
)
def test_what_is_as_declared_passes(values: Any, field: dict[str, Any]) -> None:
    check(values, **field)


FIELDS = {"code": FieldSpec(description="Code"), "year": FieldSpec(type="year", description="Year")}


def test_an_absent_column_is_named_with_those_declared() -> None:
    with pytest.raises(CheckError, match=r"^a file: no column year\. Declared are code, year\.$"):
        check_fields(pd.DataFrame({"code": ["x"]}), FIELDS, [], "a file", show_values=True)


def test_an_undeclared_column_is_named_with_the_near_miss() -> None:
    frame = pd.DataFrame({"code": ["x"], "year": [2021], "years": [2021]})
    with pytest.raises(CheckError, match=r"^a file: column years is not declared\. Did you mean year\?$"):
        check_fields(frame, FIELDS, [], "a file", show_values=True)


def test_rows_that_share_a_key_are_named_without_their_values() -> None:
    frame = pd.DataFrame({"code": ["secret", "other", "secret"], "year": [2021] * 3}, index=[5, 6, 7])
    with pytest.raises(CheckError) as error:
        check_fields(frame, FIELDS, ["code", "year"], "a file", show_values=False)
    assert str(error.value) == "a file: code, year must name a row once, but 2 rows share it (row 5, 7)."


def test_the_same_code_in_two_years_is_no_double_key() -> None:
    frame = pd.DataFrame({"code": ["x", "x"], "year": [2021, 2022]})
    check_fields(frame, FIELDS, ["code", "year"], "a file", show_values=True)


PARTS = pd.DataFrame({"year": [2020, 2020, 2021], "district": ["N", "N", "N"], "homes": [1, 2, 4], "cold": [0, 1, 1]})
TOTALS = pd.DataFrame({"year": [2021, 2020, 2020], "district": ["N", "N", "S"], "homes": [4, 3, 9], "cold": [1, 1, 9]})


def test_parts_that_add_up_pass_beside_totals_of_other_groups() -> None:
    check_sums(PARTS, TOTALS, ["year", "district"], ["homes", "cold"], "Homes")


def test_parts_that_do_not_add_up_are_told_with_both_figures() -> None:
    totals = TOTALS.assign(cold=[2, 1, 9])
    with pytest.raises(CheckError) as error:
        check_sums(PARTS, totals, ["year", "district"], ["homes", "cold"], "Homes")
    assert str(error.value) == (
        "Homes: the parts do not add up to the published total in 1 groups, as 2021 N: "
        "{'homes': 4, 'cold': 1} and published {'homes': 4, 'cold': 2}."
    )


def test_a_group_without_a_total_is_an_error() -> None:
    with pytest.raises(CheckError, match=r"Homes: no published total for 2021 N\."):
        check_sums(PARTS, TOTALS.iloc[1:], ["year", "district"], ["homes"], "Homes")


def test_wrong_rows_are_named_by_position_though_an_index_may_hold_pseudonyms() -> None:
    wrong = pd.Series([False, True, True, True, True], index=["h9", "h8", "h7", "h6", "h5"])
    with pytest.raises(CheckError) as raised:
        refuse_rows(wrong, "people: age", "at least 0")
    assert str(raised.value) == "people: age in 4 rows not as expected, at least 0 (row 1, 2, 3, counted from 0)."
    refuse_rows(wrong & False, "people: age", "at least 0")
