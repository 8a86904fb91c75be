"""The roll is published month after month: what a run keeps, and what the next one holds against it."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from councilbook.business_rates.register import coarse_rows, open_register
from councilbook.catalogue import Dataset, load_catalogue
from councilbook.gate import writing
from councilbook.gate.written.packages import choose_root, dataset_folder
from councilbook.paths import Workbook, find_workbook
from union_attack import attack, find_recovered, read_published
from whole_workbook import copy_workbook

STUDY, COUNCIL = "business_rates", "north_lanarkshire"


def publish_roll(workbook: Workbook, run_date: str, first: int | None = None) -> dict[str, Any]:
    """Run the notebook that publishes the sample's roll in this process, without a register beside it.

    Args:
        first: how many of its properties there are.
    """
    names: dict[str, Any] = {}
    notebook = nbformat.read(workbook.notebooks / STUDY / "3_publish.ipynb", as_version=4)
    for cell in [cell for cell in notebook.cells if cell.cell_type == "code"]:
        code = cell.source.replace("lists.OF_ORGANISATIONS", "()")  # as of a council that has none
        code = code.replace("roll = ledger.frame\n", f"roll = ledger.frame.iloc[:{first}]\n")
        exec(compile(code, cell.id, "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            names["run_date"] = run_date
    return names


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """November, with the ledger of a month before; December of the same quarter; January; April of the next year.

    By April three of the people who pay have left.
    """
    with pytest.MonkeyPatch.context() as patch:
        workbook = copy_workbook(tmp_path_factory.mktemp("book"))
        for name in ("PRIVATE", "PROCESSED", "RESTRICTED", "CLOSED", "NOTEBOOK"):
            patch.delenv(f"COUNCILBOOK_{name}", raising=False)
        patch.setenv("COUNCILBOOK_ROOT", str(workbook.root))
        catalogue = load_catalogue(workbook)
        council = catalogue.council(COUNCIL)

        def read(dataset: str) -> pd.DataFrame:
            spec: Dataset = catalogue.dataset(dataset)
            folder: Path = dataset_folder(choose_root(workbook, spec), STUDY, council, "sample", dataset)
            return writing.read_published(folder, spec)

        kept, make = [], coarse_rows.make_deidentified
        for day in ("2026-11-15", "2026-12-15", "2027-01-15", "2027-04-15"):
            if day == "2027-04-15":
                patch.setattr(coarse_rows, "make_deidentified", lambda *given: make(*given).iloc[3:])
            made = publish_roll(workbook, day)
            told = ("open_rates_register", "rates_by_ward", "rates_by_use", "rates_party_counts", "rates_deidentified")
            out = (*told, "rates_changes", "rates_versions")
            kept.append({name: read(name) for name in out} | {"held": made["held"], "register": made["register"]})
        return kept


def test_a_row_that_a_person_took_over_changes_in_the_next_quarter(months: list[dict[str, Any]]) -> None:
    held = [month["held"].sum() for month in months]
    assert held[0] > 0
    assert held == [held[0], held[0], 0, 0]
    names = [month["open_rates_register"]["released_name"] for month in months]
    assert names[0].equals(names[1])
    assert (names[1].notna() & names[2].isna()).sum() == held[0]


def test_nothing_of_who_is_withheld_is_in_what_is_held(months: list[dict[str, Any]]) -> None:
    for month in months:
        register, out = month["register"], month["open_rates_register"]
        withheld = open_register.list_withheld_names(register)
        assert not set(out["released_name"].dropna()) & set(withheld)
        held = register.loc[month["held"].to_numpy(), ["property_reference", *open_register.OF_RATEPAYER]]
        shown = held[["property_reference"]].merge(out, on="property_reference")
        now = held["liability_start_date"].to_numpy()
        assert (shown["liability_start_date"].to_numpy() != now).all()


def test_the_coarse_rows_stay_all_year_and_two_versions_are_kept(months: list[dict[str, Any]]) -> None:
    first, second, third, _ = (month["rates_deidentified"] for month in months)
    assert first.equals(second)
    assert first.equals(third)
    assert [month["rates_versions"]["version_date"].nunique() for month in months] == [2, 2, 2, 2]


def test_a_new_years_coarse_rows_wait_while_they_would_tell_of_the_few_who_left(months: list[dict[str, Any]]) -> None:
    first, *_, april = (month["rates_deidentified"] for month in months)
    assert len(first) > 100
    assert april.equals(first)


def test_a_month_in_which_nothing_changed_says_so(months: list[dict[str, Any]]) -> None:
    changed = [month["rates_changes"]["change"].value_counts().to_dict() for month in months]
    assert {"joined", "left", "new value"} <= set(changed[0])
    assert changed[1:] == [{}, {}, {}]
    assert months[0]["rates_by_ward"].equals(months[1]["rates_by_ward"])


def test_no_hidden_count_comes_out_of_two_months_of_all_that_is_published(months: list[dict[str, Any]]) -> None:
    datasets = load_catalogue(find_workbook(Path(__file__).parent)).datasets
    told = [name for name in months[0] if name in datasets and datasets[name].about]
    assert {"open_rates_register", "rates_by_ward", "rates_by_use", "rates_deidentified"} <= set(told)
    for two in pairwise(months[1:]):  # over the end of a quarter, and of a year
        found = [read_published(datasets, {name: month[name] for name in told}) for month in two]
        bounds = attack(*(known["withheld_ratepayers",] for known in found))
        assert len(bounds) > 10
        assert find_recovered(bounds, 10).empty


@pytest.mark.parametrize("first", [1, 30])
def test_a_roll_of_a_few_properties_goes_out_and_gives_no_count_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    workbook = copy_workbook(tmp_path)
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(workbook.root))
    catalogue = load_catalogue(workbook)
    publish_roll(workbook, "2026-11-15", first)
    specs = [catalogue.dataset(name) for name in catalogue.study(STUDY).notebooks["3_publish"].releases]
    council = catalogue.council(COUNCIL)
    tables = {
        spec.id: writing.read_published(
            dataset_folder(choose_root(workbook, spec), STUDY, council, "sample", spec.id), spec
        )
        for spec in specs
        if spec.is_open
    }
    assert len(tables["open_rates_register"]) == first
    about = {name: table for name, table in tables.items() if catalogue.dataset(name).about}
    [known] = read_published(catalogue.datasets, about).values()
    assert find_recovered(attack(known), 10).empty
