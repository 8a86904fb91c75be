"""A file of requests that cannot be read: the check says so in the words of the run."""

import pytest

from councilbook.catalogue import load_catalogue
from councilbook.errors import CheckError
from councilbook.running.checking import check_everything
from councilbook.study import Study
from whole_workbook import copy_workbook

HEADER = "authority,title,date_received,date_responded,topics,outcome,exemptions"
FIRST = "Rochdale Borough Council,Jane Doe's list of empty properties,12/04/2023,,,,"


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    workbook = copy_workbook(tmp_path)
    for name in ("CLOSED", "NOTEBOOK", "PROCESSED", "PRIVATE"):
        monkeypatch.delenv(f"COUNCILBOOK_{name}", raising=False)
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(workbook.root))
    return workbook


def check_and_load(workbook, *rows):
    """Return what the check says of the file, and whether it is well; then what a notebook makes of it."""
    folder = workbook.root / "data" / "raw" / "foi_requests"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "foi_business_rates_requests_index.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    catalogue = load_catalogue(workbook)
    council = catalogue.council("north_lanarkshire")
    lines = check_everything(catalogue, catalogue.study("business_rates"), council, "real", None, 7, "2026-01-31")
    line = next(one for one in lines if one.name == "foi_requests.requests")
    study = Study.open("business_rates", "6_foi", "north_lanarkshire", "real", seed=7, run_date="2026-01-31")
    try:
        said = study.load("foi_requests")
    except CheckError as error:
        said = str(error)
    return line, said


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("Rochdale,NNDR credits,30/02/2024,,,,", r"1 requests have something else than a date in date_received (row 1"),
        ("Rochdale,NNDR credits,,in spring,,,", r"something else than a date in date_responded (row 1"),
        ("Rochdale,NNDR credits,,,parking,,", r"Request in row 1: 'parking' is no topic."),
        ("Rochdale,NNDR credits,,,,lost,", r"Request in row 1: outcome not known."),
    ],
)
def test_the_check_says_of_a_file_of_requests_what_a_run_says(workbook, row, told):
    line, said = check_and_load(workbook, FIRST, row)
    assert not line.ok
    assert line.detail == said
    assert said.startswith("Source foi_requests, file foi_business_rates_requests_index.csv: ")
    assert told in said
    assert "Jane" not in said


def test_days_in_any_british_form_are_well(workbook):
    line, said = check_and_load(workbook, FIRST, "Rochdale,NNDR credits,29/02/2024,,,,", "Rochdale,New,2023-04-12,,,,")
    assert line.ok and line.detail.startswith("3 rows")
    assert len(said) == 3
