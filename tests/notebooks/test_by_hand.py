"""An analyst opens notebooks of a workbook that has been run, and runs each from top to bottom as it is."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from councilbook.catalogue import load_catalogue
from councilbook.paths import Workbook, find_workbook, place_outputs

CATALOGUE = load_catalogue(find_workbook())


def is_guarded(spec):
    """Whether the gate does not let out all of a notebook's tables as they are."""
    return any(CATALOGUE.dataset(one).disclosure.rule != "open_sources_only" for one in spec.releases)


REPORTS = [(study, spec.report) for study, spec in CATALOGUE.studies.items()]
GUARDED = next(
    (study, name)
    for study, spec in CATALOGUE.studies.items()
    for name, notebook in spec.notebooks.items()
    if is_guarded(notebook)
)


@pytest.mark.parametrize(("study", "name"), [*REPORTS, GUARDED])
def test_a_notebook_runs_by_itself_with_its_defaults(study, name, sample, tmp_path, monkeypatch):
    for variable in ("ROOT", "PRIVATE", "PROCESSED", "CLOSED", "NOTEBOOK"):
        monkeypatch.delenv(f"COUNCILBOOK_{variable}", raising=False)
    workbook = Workbook(Path(shutil.copytree(sample.root, tmp_path / "book")))
    notebook = nbformat.read(workbook.notebooks / study / f"{name}.ipynb", as_version=4)
    folder = {"metadata": {"path": str(workbook.notebooks / study)}}
    NotebookClient(notebook, kernel_name="python3", resources=folder).execute()
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("text/html" in data for data in shown)
    place = workbook.processed / place_outputs(study, CATALOGUE.studies[study].default_council, "sample")
    for dataset in CATALOGUE.studies[study].notebooks[name].releases:
        if CATALOGUE.dataset(dataset).classification == "open":
            package = place / dataset / "datapackage.json"
            assert package.stat().st_mtime > (sample.root / package.relative_to(workbook.root)).stat().st_mtime
