"""Records of health and care without incomes, costs and ratings go through the study, and its report says so."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from councilbook.catalogue import load_catalogue
from councilbook.fuel_poverty.households.extract import DEFINING
from councilbook.fuel_poverty.households.targeting import PERFECT
from councilbook.gate.files import find_file
from councilbook.paths import Workbook, place_outputs
from councilbook.study import Study


def run_cells(workbook: Workbook, name: str) -> list[str]:
    """Run a notebook's code here, and return what it shows."""
    shown: list[str] = []
    around: dict[str, Any] = {"__name__": "notebook"}
    for number, cell in enumerate(nbformat.read(workbook.notebooks / "fuel_poverty" / f"{name}.ipynb", 4).cells):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{name}, cell {number}", "exec"), around)
            around["display"] = lambda thing: shown.append(str(getattr(thing, "data", "")))
    return shown


def test_an_extract_without_incomes_goes_through_the_study_and_the_report_says_what_is_missing(
    sample: Workbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Workbook(Path(shutil.copytree(sample.root, tmp_path / "book")))
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(book.root))
    monkeypatch.chdir(book.notebooks / "fuel_poverty")
    folder = book.processed / place_outputs("fuel_poverty", "kent_medway", "sample")
    for dataset in load_catalogue(book).studies["fuel_poverty"].notebooks["4_households"].releases:
        shutil.rmtree(folder / dataset, ignore_errors=True)  # earlier versions, of records that know more
    load = Study.load

    def load_bare(study: Study, source: str, *rest: Any, **named: Any) -> pd.DataFrame:
        table = load(study, source, *rest, **named)
        return table.drop(columns=list(DEFINING)) if source == "kid_households" else table

    monkeypatch.setattr(Study, "load", load_bare)
    assert "Not in the records: income_gbp_year" in "\n".join(run_cells(book, "4_households"))
    reached = pd.read_csv(find_file(folder / "home_visit_targeting", "csv"))
    assert PERFECT not in set(reached["order"])
    flags = pd.read_csv(find_file(folder / "fuel_poverty_flag_counts", "csv"))
    assert "low_rating" not in set(flags["flag"])
    report = "\n".join(run_cells(book, "8_report"))
    for part in ("no fuel poverty gap is known", "learnt from **official rates of areas**", "is expected to reach"):
        assert part in report
