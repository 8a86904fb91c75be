"""The whole workbook in a copy of its own, run as a user runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from councilbook.catalogue import load_catalogue
from councilbook.paths import Workbook, find_workbook

OF_CALLER = ("COUNCILBOOK_MIRROR", "COUNCILBOOK_BROWSER")  # what is installed where; all else would move the workbook
for name in [name for name in os.environ if name.startswith("COUNCILBOOK_") and name not in OF_CALLER]:
    del os.environ[name]  # here, as conftest imports this before any test module looks for its workbook

ROOT = find_workbook(Path(__file__).parent).root
OF_RUNS = ("data/processed", "reports", ".councilbook/runs", ".councilbook/restricted", ".councilbook/reviews")


def copy_workbook(folder: Path) -> Workbook:
    for name in ("data/catalogue", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    return Workbook(folder)


def copy_last_runs(workbook: Workbook) -> None:
    """Copy what `make run` has left of each study's own council; what is not of these very files is run again."""
    catalogue = load_catalogue(workbook)
    kept = [Path(".councilbook/twins")]
    for study in catalogue.studies.values():
        place = Path(study.id) / catalogue.council(study.default_council).slug
        kept += [Path(folder) / place for folder in OF_RUNS]
    for folder in kept:
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, workbook.root / folder, ignore=shutil.ignore_patterns("*.failed.*"))


def find_mirror() -> Path:
    """Return where the publishers' own files should lie."""
    named = os.environ.get("COUNCILBOOK_MIRROR")
    return Path(named) if named else ROOT.parent / "shared" / "data"


def run_councilbook(workbook: Workbook, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command; networks are out of reach, so that whatever wants one fails.

    Kernels are not told that this is a test, as they would no longer hold back what is written past Python.
    """
    ours = ("COUNCILBOOK_", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"COUNCILBOOK_ROOT": str(workbook.root), "COLUMNS": "200"} | variables
    environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, "-m", "councilbook", *arguments],
        cwd=workbook.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
