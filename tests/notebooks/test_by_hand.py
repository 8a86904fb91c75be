"""An analyst opens the notebooks in JupyterLab, in order, and runs each from top to bottom with its defaults."""

import nbformat
import pytest
from nbclient import NotebookClient

from councilbook.catalogue import load_catalogue
from councilbook.paths import find_workbook
from whole_workbook import copy_workbook

STUDIES = load_catalogue(find_workbook()).studies


@pytest.mark.parametrize("study", STUDIES)
def test_notebooks_run_by_themselves_with_their_defaults(study, tmp_path, monkeypatch):
    for name in ("ROOT", "PRIVATE", "PROCESSED", "CLOSED", "NOTEBOOK"):
        monkeypatch.delenv(f"COUNCILBOOK_{name}", raising=False)
    workbook = copy_workbook(tmp_path)
    for name in STUDIES[study].notebooks:
        notebook = nbformat.read(workbook.notebooks / study / f"{name}.ipynb", as_version=4)
        folder = {"metadata": {"path": str(workbook.notebooks / study)}}
        NotebookClient(notebook, kernel_name="python3", resources=folder).execute()
        shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
        assert any("text/html" in data for data in shown)
    assert (workbook.processed / study / STUDIES[study].default_council).is_dir()
