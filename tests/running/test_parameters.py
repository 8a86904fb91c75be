"""What notebooks may declare, and what a user may give."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.catalogue import ParameterSpec, StudySpec, load_catalogue
from councilbook.errors import NotebookError, ParameterError
from councilbook.running.parameters import (
    Parameter,
    Value,
    describe_expected,
    format_value,
    inspect_parameters,
    inspect_study,
    parse_parameters,
    parse_run_date,
)
from tiny_workbook import make_workbook, write_notebook

KNOWN = {
    "size": Parameter("size", int, 3, ""),
    "share": Parameter("share", float, 0.5, ""),
    "by_sex": Parameter("by_sex", bool, False, ""),
    "year_name": Parameter("year_name", str, "", ""),
}


@given(size=st.integers(), share=st.floats(allow_nan=False, allow_infinity=False), by_sex=st.booleans(), name=st.text())
def test_any_value_written_out_is_parsed_back_with_its_type(size: int, share: float, by_sex: bool, name: str) -> None:
    values: dict[str, Value] = {"size": size, "share": share, "by_sex": by_sex, "year_name": name}
    texts = [f"{key}={format_value(value)}" for key, value in values.items()]
    parsed = parse_parameters(texts, KNOWN, {})
    assert parsed == values
    assert {key: type(value) for key, value in parsed.items()} == {key: type(value) for key, value in values.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size", "expected name=value"),
        ("sice=4", "No parameter 'sice'. Did you mean size?"),
        ("zzz=4", "Known: by_sex, share, size, year_name."),
        ("size=4.5", "expected a whole number from 1 to 9"),
        ("size=four", "expected a whole number from 1 to 9"),
        ("size=٤", "expected a whole number"),
        ("size=0", "expected a whole number from 1 to 9"),
        ("size=10", "expected a whole number from 1 to 9"),
        ("share=much", "expected a number"),
        ("share=nan", "expected a number"),
        ("by_sex=yes", "expected true or false"),
        ("by_sex=True", "expected true or false"),
        ("year_name=leap", "expected one of calendar, school"),
        ("council=north", "give --council instead"),
        ("run_date=2026-01-01", "give --run-date instead"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_was_expected(text: str, message: str) -> None:
    limits = {
        "size": ParameterSpec(minimum=1, maximum=9),
        "year_name": ParameterSpec(choices=["calendar", "school"]),
    }
    with pytest.raises(ParameterError) as caught:
        parse_parameters([text], KNOWN, limits)
    assert message in str(caught.value)


def test_a_parameter_given_twice_is_an_error() -> None:
    with pytest.raises(ParameterError, match="size is given twice"):
        parse_parameters(["size=1", "size=2"], KNOWN, {})


def test_large_limits_are_written_out_in_full() -> None:
    assert describe_expected(int, ParameterSpec(minimum=0, maximum=4294967295)).endswith("from 0 to 4294967295")


@pytest.mark.parametrize("text", ["2026-11-31", "20261123", "2026-W48-1", "yesterday", ""])
def test_a_run_date_is_an_iso_calendar_date(text: str) -> None:
    with pytest.raises(ParameterError, match="expected a date"):
        parse_run_date(text)


def test_parameters_are_read_with_type_default_and_comment(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    write_notebook(path, 'rate: float = 1  # a share\nshift: int = -2\nnote: str = "a # b"  # text')
    read = inspect_parameters(path)
    assert list(read) == ["council", "data", "mirror", "seed", "run_date", "rate", "shift", "note"]
    assert read["rate"] == Parameter("rate", float, 1.0, "a share")
    assert isinstance(read["rate"].default, float)
    assert read["shift"] == Parameter("shift", int, -2, "")
    assert read["note"] == Parameter("note", str, "a # b", "text")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("twice: int = seed * 2", "twice is computed"),
        ('name: str = f"{council}"', "name is computed"),
        ("size = 3", "expected 'name: type = value'"),
        ("size: int", "expected 'name: type = value'"),
        ("import os", "expected 'name: type = value'"),
        ("size: list = []", "size is a list; expected one of str, int, float, bool"),
        ('size: int = "3"', "declared int, but its value is a str"),
        ("size: int = True", "declared int, but its value is a bool"),
        ("size: int = ", "line 6: invalid syntax"),
    ],
)
def test_a_line_that_is_no_plain_typed_value_is_refused_by_notebook_and_line(
    tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "study" / "1_build.ipynb"
    path.parent.mkdir()
    write_notebook(path, line)
    with pytest.raises(NotebookError) as caught:
        inspect_parameters(path)
    assert message in str(caught.value)
    assert "study/1_build.ipynb, parameters cell, line 6" in str(caught.value)


def test_a_notebook_without_a_parameters_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    write_notebook(path, "")
    path.write_text(path.read_text().replace('"parameters"', '"parametres"'))
    with pytest.raises(NotebookError, match="0 cells tagged 'parameters'"):
        inspect_parameters(path)


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, StudySpec]:
    workbook = make_workbook(tmp_path / "book")
    return workbook.notebooks / "tiny", load_catalogue(workbook).study("tiny")


def test_a_study_whose_notebooks_and_limits_agree_passes(study: tuple[Path, StudySpec]) -> None:
    declared = inspect_study(*study)
    assert "size" in declared["1_build"]
    assert "size" not in declared["2_report"]


def test_a_notebook_that_lacks_a_common_parameter_is_named(study: tuple[Path, StudySpec]) -> None:
    report = study[0] / "2_report.ipynb"
    report.write_text(report.read_text().replace("seed: int", "sed: int"))
    with pytest.raises(ParameterError, match=r"tiny/2_report.ipynb.*lacks 'seed: int'"):
        inspect_study(*study)


def test_a_limit_for_a_parameter_that_no_notebook_declares_is_an_error(study: tuple[Path, StudySpec]) -> None:
    folder, spec = study
    with pytest.raises(ParameterError, match=r"no notebook declares a parameter 'sizes'\. Did you mean size"):
        inspect_study(folder, spec.model_copy(update={"parameters": {"sizes": ParameterSpec()}}))


def test_a_default_outside_its_limits_is_an_error(study: tuple[Path, StudySpec]) -> None:
    folder, spec = study
    with pytest.raises(ParameterError, match="default of size is not a whole number to 2"):
        inspect_study(folder, spec.model_copy(update={"parameters": {"size": ParameterSpec(maximum=2)}}))


def test_two_notebooks_must_agree_on_a_type(study: tuple[Path, StudySpec]) -> None:
    write_notebook(study[0] / "2_report.ipynb", "size: float = 3")
    with pytest.raises(ParameterError, match=r"2_report.ipynb.*size has another type in another notebook"):
        inspect_study(*study)


def test_a_missing_notebook_is_named(study: tuple[Path, StudySpec]) -> None:
    (study[0] / "2_report.ipynb").unlink()
    with pytest.raises(NotebookError, match=r"2_report.ipynb is missing"):
        inspect_study(*study)
