"""How a notebook is written: see the conventions in docs/studies.md."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from councilbook.paths import find_workbook

NOTEBOOKS = sorted((find_workbook(Path(__file__).parent).notebooks).glob("*/*.ipynb"))
MOST_LINES = 12
COMMON = ["council", "data", "mirror", "seed", "run_date"]


def read(notebook: Path):
    return nbformat.read(notebook, as_version=4)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def notebook(request):
    return request.param


def test_it_is_listed_in_its_study_in_reading_order(notebook):
    spec = yaml.safe_load((notebook.parent / "study.yaml").read_text(encoding="utf-8"))
    assert list(spec["notebooks"]) == [path.stem for path in sorted(notebook.parent.glob("*.ipynb"))]


def test_it_carries_no_outputs_and_no_trace_of_a_run(notebook):
    nb = read(notebook)
    assert "papermill" not in nb.metadata
    for cell in nb.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_nbstripout_would_change_none():
    """It leaves alone what the rule of pre-commit leaves; one call for all, as its start takes two seconds."""
    keys = "metadata.papermill cell.metadata.papermill cell.metadata.execution"
    done = subprocess.run(
        [sys.executable, "-m", "nbstripout", "--verify", "--keep-id", "--extra-keys", keys, *map(str, NOTEBOOKS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_its_code_cells_are_short_and_define_nothing(notebook):
    for cell in read(notebook).cells:
        if cell.cell_type == "code":
            assert "parameters" in cell.metadata.get("tags", []) or len(cell.source.splitlines()) <= MOST_LINES, (
                cell.source
            )
            kinds = {type(node) for node in ast.walk(ast.parse(cell.source))}
            assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda}, cell.source


def test_it_begins_with_a_title_and_takes_the_common_parameters_with_a_comment_each(notebook):
    nb = read(notebook)
    assert nb.cells[0].source.startswith("# ")
    (cell,) = [cell for cell in nb.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = cell.source.splitlines()
    assert [line.split(":")[0] for line in lines][: len(COMMON)] == COMMON
    assert all("  # " in line for line in lines)


def test_it_has_no_clock_and_no_path_of_one_machine(notebook):
    source = "\n".join(cell.source for cell in read(notebook).cells if cell.cell_type == "code")
    for word in ("datetime", "time.time", "Timestamp.now", "Path.home", "sys.path"):
        assert word not in source
