"""An analyst opens notebooks of a workbook that has been run, and runs each from top to bottom as it is."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from councilbook.catalogue import load_catalogue
from councilbook.paths import Workbook, find_workbook, place_outputs

CATALOGUE = load_catalogue(find_workbook())


def choose_notebooks(study: str) -> list[str]:
    """Choose the first whose tables the gate does not let out as they are, or else the first of all, and the report."""
    notebooks = CATALOGUE.studies[study].notebooks
    rules = {
        name: {CATALOGUE.dataset(one).disclosure.rule for one in spec.releases} for name, spec in notebooks.items()
    }
    guarded = [name for name, of_notebook in rules.items() if of_notebook - {"open_sources_only"}]
    return [*[*guarded, *notebooks][:1], list(notebooks)[-1]]


@pytest.mark.parametrize("study", CATALOGUE.studies)
def test_notebooks_run_by_themselves_with_their_defaults(study, sample, tmp_path, monkeypatch):
    for name in ("ROOT", "PRIVATE", "PROCESSED", "CLOSED", "NOTEBOOK"):
        monkeypatch.delenv(f"COUNCILBOOK_{name}", raising=False)
    workbook = Workbook(Path(shutil.copytree(sample.root, tmp_path / "book")))
    for name in choose_notebooks(study):
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
