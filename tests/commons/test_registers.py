"""Registers: whole, read from where each thing is declared, and clear about what is wrong in a declaration."""

from pathlib import Path

import pytest
import yaml

from councilbook.catalogue import load_catalogue
from councilbook.catalogue.finding import find_function
from councilbook.commons import registers
from councilbook.commons.registers import Setting
from councilbook.errors import CatalogueError
from councilbook.paths import Workbook
from councilbook.running.parameters import COMMON, inspect_parameters
from councilbook.sources.layouts import choose_laid_out
from whole_workbook import ROOT, copy_workbook

CATALOGUE = load_catalogue(Workbook(ROOT))


def list_settings() -> list[Setting]:
    return [
        Setting(study, notebook, one.name, one.default, one.comment)
        for study, spec in CATALOGUE.studies.items()
        for notebook in spec.notebooks
        for one in inspect_parameters(ROOT / "notebooks" / study / f"{notebook}.ipynb").values()
        if one.name not in COMMON
    ]


@pytest.fixture
def copied(tmp_path: Path) -> Workbook:
    return copy_workbook(tmp_path)


def test_every_parameter_and_every_assumption_is_in_the_register() -> None:
    rows = registers.list_assumed(CATALOGUE, list_settings())
    told = {(row.study, row.where, row.what.split(":")[0]) for row in rows}
    assert {(one.study, f"notebook {one.notebook}", one.name) for one in list_settings()} <= told
    files = [file for study in CATALOGUE.studies for file in (ROOT / "lib/councilbook" / study).rglob("*.yaml")]
    ranges = {file: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    ranges = {file: one["parameters"] for file, one in ranges.items() if "parameters" in one and "sources" in one}
    assert sum(map(len, ranges.values())) > 50
    assert {(file.name, name) for file, one in ranges.items() for name in one} <= {(w, name) for _, w, name in told}
    resting = {one.id for one in CATALOGUE.datasets.values() if one.assumes}
    assert resting == {row.where.removeprefix("dataset ") for row in rows if row.where.startswith("dataset ")}
    assert {row.what.split(":")[0] for row in rows if row.basis == "rule"} == set(CATALOGUE.disclosure)


def test_a_value_that_is_published_has_its_source_and_an_assumed_setting_is_called_that() -> None:
    rows = registers.list_assumed(CATALOGUE, list_settings())
    assert all(row.told for row in rows if row.basis in ("published", "derived"))
    settings = {row.what: row.basis for row in rows if row.where.startswith("notebook ")}
    assert {basis for what, basis in settings.items() if "assumed" in what} == {"assumption"}
    assert {basis for what, basis in settings.items() if "assumed" not in what} == {"setting"}


@pytest.mark.parametrize("study", CATALOGUE.studies)
def test_each_dataset_of_scores_belongs_to_a_model_whose_code_is_there(study: str) -> None:
    models = registers.read_models(CATALOGUE, study)
    tried = {name for model in models.values() for name in model.tried_by}
    released = [name for notebook in CATALOGUE.study(study).notebooks.values() for name in notebook.releases]
    assert {name for name in released if name.endswith("_scores")} <= tried
    assert all(callable(find_function(model.code)) for model in models.values())


def test_every_test_and_benchmark_is_in_the_log_and_every_way_in_which_a_model_was_tried() -> None:
    rows = registers.list_checks(CATALOGUE)
    files = {*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("benchmarks/*.py")}
    assert {file.relative_to(ROOT).as_posix() for file in files} <= {again.split(" ")[1] for *_, again in rows}
    tried = {
        name
        for study in CATALOGUE.studies
        for one in registers.read_models(CATALOGUE, study).values()
        for name in one.tried_by
    }
    assert all(any(f"(dataset {name})" in what for _, _, what, _ in rows) for name in tried)


@pytest.mark.parametrize(
    ("sentence", "is_cited"),
    [
        ("The interval is that of Wilson (1927).", True),
        ("Raking (Deming and Stephan 1940) ends soon.", True),
        ("As in Lei, G'Sell and Rinaldo 2018, Journal 113.", True),
        ("Sources: Hills, J. (2012), Getting the measure.", True),
        ("See doi:10.1145/1150402.", True),
        ("Areas of the LSOAs 2011 are joined. Between 2011 and 2021 some were split.", False),
        ("Dates are written as 23 November 2026.", False),
        ("Sources: how a file is read.", False),
        ("It counts people of 16 to 24 in 2020.", False),
    ],
)
def test_a_method_is_listed_if_its_docstring_says_where_it_comes_from(
    tmp_path: Path, sentence: str, is_cited: bool
) -> None:
    code = f'def count_all():\n    """Count all.\n\n    It is quick. {sentence}\n    """\n'
    (tmp_path / "counting.py").write_text(code, encoding="utf-8")
    found = registers.list_methods(tmp_path)
    assert [row[:2] for row in found] == [("counting.count_all", "Count all.")] * is_cited
    assert all(sentence.startswith(row[2].removeprefix("It is quick. ")[:20]) for row in found)


def test_a_reference_is_not_cut_at_an_initial(tmp_path: Path) -> None:
    code = '"""Count. It is fair (Wilson 1927, J. Am. Stat. Assoc. 22). And quick."""\n'
    (tmp_path / "counting.py").write_text(code, encoding="utf-8")
    assert registers.list_methods(tmp_path)[0][2] == "It is fair (Wilson 1927, J. Am. Stat. Assoc. 22)."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"notebook": "9_nowhere"}, r"careers/models\.yaml, finder: careers has no 9_nowhere"),
        ({"tried_by": ["bill_scores"]}, "careers has no bill_scores"),
        ({"risks": {}}, "finder.risks"),
        ({"code": "os:system"}, "finder.code"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(copied: Workbook, changes: dict[str, object], expected: str) -> None:
    file = copied.notebooks / "careers" / registers.MODELS
    models = yaml.safe_load(file.read_text(encoding="utf-8"))
    models["finder"] |= changes
    file.write_text(yaml.safe_dump(models), encoding="utf-8")
    with pytest.raises(CatalogueError, match=expected):
        registers.read_models(load_catalogue(copied), "careers")


def test_there_is_a_page_of_each_register_and_model(tmp_path: Path) -> None:
    listed = registers.write_registers(CATALOGUE, list_settings(), tmp_path)
    pages = {file.stem: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    models = {
        f"model_{study}_{name}" for study in CATALOGUE.studies for name in registers.read_models(CATALOGUE, study)
    }
    assert set(pages) == {"assumptions", "quality", "methods", "closed_files"} | models
    assert {one.file for one in listed} == {f"{name}.html" for name in pages}
    assert all("Not deployed" in pages[name] and "for the council" in pages[name] for name in models)
    laid_out = choose_laid_out(
        CATALOGUE.expand(s for spec in CATALOGUE.studies.values() for n in spec.notebooks.values() for s in n.sources)
    )
    assert all(f"councilbook example {source.id} " in pages["closed_files"] for source in laid_out)
    assert "<td>Who pays</td>" in pages["closed_files"]
