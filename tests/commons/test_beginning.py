"""A study that `councilbook new` begins: in a copy of the workbook it runs, and passes the tests of every study."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from councilbook.catalogue import load_catalogue
from councilbook.commons.beginning import begin_study
from councilbook.errors import ParameterError
from councilbook.paths import Workbook
from whole_workbook import ROOT

STUDY = "road_repairs"
OF_EVERY_STUDY = ("house/test_notebooks_style.py", "house/test_architecture.py", "house/test_reach.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what git has, so that the library there is another than the one that runs this test."""
    root = tmp_path_factory.mktemp("begun")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(lambda one: (ROOT / one).is_file(), listed.stdout.splitlines()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    done = run(root, "-m", "councilbook", "new", STUDY, "--title", "Road repairs")
    assert done.returncode == 0, done.stderr
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COUNCILBOOK_", "PYTEST_"))
    }
    environment["PYTHONPATH"] = str(root / "lib")
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def test_it_runs_at_once_and_its_report_shows_the_open_and_the_closed_part(checkout: Path) -> None:
    done = run(checkout, "-m", "councilbook", "run", STUDY)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (checkout / "reports" / STUDY / "doncaster" / "sample" / "index.html").read_text(encoding="utf-8")
    assert "Road repairs" in page
    assert re.search(r"[\d,]+ of [\d,]+ households rent their home", page)
    assert re.search(r"There were about [\d,]+ visits", page)
    assert "STUDY_" not in page


def test_it_passes_its_own_tests_and_those_of_every_study(checkout: Path) -> None:
    tests = [f"tests/{STUDY}", *(f"tests/{file}" for file in OF_EVERY_STUDY)]
    of_others = " or ".join(file.parent.name for file in ROOT.glob("notebooks/*/study.yaml"))  # they pass above
    chosen = f"not linters and not (notebooks_style and ({of_others}))"
    done = run(checkout, "-m", "pytest", "-q", "-n0", "-k", chosen, "-p", "no:cacheprovider", *tests)
    assert done.returncode == 0, done.stdout
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = run(checkout, "-m", *tool, f"lib/councilbook/{STUDY}", f"notebooks/{STUDY}", f"tests/{STUDY}")
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name", ["Roads", "road-repairs", "2_roads", "class", "fuel_poverty", "gate", "errors", "house", "_roads", ""]
)
def test_a_name_that_cannot_be_or_is_taken_is_refused_and_nothing_is_written(name: str, checkout: Path) -> None:
    before = sorted(checkout.rglob("*"))
    with pytest.raises(ParameterError, match=r"cannot be the id|is there already"):
        begin_study(load_catalogue(Workbook(checkout)), name)
    assert sorted(checkout.rglob("*")) == before


def test_a_title_may_have_any_signs_and_stands_as_it_was_given(checkout: Path) -> None:
    title = 'Parks: "play" \\ sport #1'
    done = run(checkout, "-m", "councilbook", "new", "parks", "--title", title)
    assert done.returncode == 0, done.stderr
    assert run(checkout, "-m", "councilbook", "list").returncode == 0
    notebooks = checkout / "notebooks" / "parks"
    assert yaml.safe_load((notebooks / "study.yaml").read_text(encoding="utf-8"))["title"] == title
    cells = json.loads((notebooks / "3_report.ipynb").read_text(encoding="utf-8"))["cells"]
    assert f"# {title}\n" in cells[0]["source"]
    package = (checkout / "lib" / "councilbook" / "parks" / "__init__.py").read_text(encoding="utf-8")
    assert str(ast.get_docstring(ast.parse(package))).startswith(f"{title}:")
