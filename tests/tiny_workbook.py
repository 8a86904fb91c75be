"""A workbook with two tiny studies, for tests of the runner: its notebooks need no library but Python's own."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from councilbook.catalogue import Catalogue
from councilbook.paths import Workbook, find_workbook, write_atomically
from councilbook.running.jobs import Job, JobResult, Tell
from councilbook.running.making import run_job

CARDS = "[!.]*/[!.]*/[!.]*/index.html"
DEFAULTS = find_workbook(Path(__file__).parent).catalogue / "disclosure.yaml"

COUNCILS = """
north: {name: North, codes: {E06000001: North}}
south: {name: South, codes: {E06000002: South}}
"""

NATIONAL = """
licences:
  OGL-UK-3.0: {title: Open Government Licence, url: "https://example.org/licence", attribution: Contains data}
"""

CATALOGUE = """
sources:
  - id: open_counts
    title: Open counts
    description: Counts
    publisher: An office
    steward: An office
    spectrum: open
    personal_data: false
    licence: OGL-UK-3.0
    landing_page: https://example.org/counts
    file: counts.csv
    mirror: england/counts.csv
    published: "2026"
    format: csv
    tables: {counts: {fields: {n: {description: Count}}}}
  - id: closed_visits
    title: Closed visits
    description: Visits
    publisher: A council
    steward: A council
    spectrum: closed
    personal_data: true
    landing_page: https://example.org/visits
    file: visits.csv
    published: "2026"
    format: csv
    tables: {visits: {fields: {n: {description: Count}}}}
    twin: {make: "nowhere:make", basis: Made up}
    agreement: {kind: own data, title: Visits, purpose: To count visits, keep_months: 12}
datasets:
  - {id: STUDY_counts, title: Counts, description: Counts, classification: open, licence: OGL-UK-3.0, key: [n],
     fields: {n: {type: integer, description: Count}}}
"""

STUDY = """
title: A study
question: How many?
default_council: north
notebooks:
  1_build: {title: Build, kind: build, sources: [], releases: [STUDY_counts]}
  2_report: {title: Report, kind: report}
parameters:
  size: {minimum: 1, maximum: 9}
"""

PARAMETERS = """council: str = "north"  # whom it is for
data: str = "sample"  # sample or real
mirror: str = ""  # local copies
seed: int = 2018  # of all that is drawn
run_date: str = "2026-11-23"  # ISO date"""

RELEASE = """import json, os
from multiprocessing.connection import Connection
from pathlib import Path
folder = Path(os.environ["COUNCILBOOK_PROCESSED"]) / "STUDY" / council / data / "STUDY_counts"
folder.mkdir(parents=True, exist_ok=True)
earlier = (folder / "STUDY_counts.csv").read_text() if (folder / "STUDY_counts.csv").exists() else "none"
(folder / "STUDY_counts.csv").write_text(f"n\\n{seed}\\n")
(folder / "datapackage.json").write_text(json.dumps({"size": size, "run_date": run_date}))
print("earlier", earlier.split())"""

SHOW = """import json, os
print(json.dumps(dict(os.environ) | {"cwd": os.getcwd(), "mirror": mirror}))"""


def make_workbook(root: Path) -> Workbook:
    """Write a workbook with the studies `tiny` and `other`."""
    catalogue = root / "data" / "catalogue"
    catalogue.mkdir(parents=True)
    (catalogue / "councils.yaml").write_text(COUNCILS)
    shutil.copy(DEFAULTS, catalogue)
    (catalogue / "national.yaml").write_text(NATIONAL)
    (catalogue / "tiny.yaml").write_text(CATALOGUE.replace("STUDY", "tiny"))
    datasets = CATALOGUE[CATALOGUE.index("datasets:") :]
    (catalogue / "other.yaml").write_text(datasets.replace("STUDY", "other"))
    (root / "requirements.lock").write_text("councilbook==0.1.0\n")
    for study in ("tiny", "other"):
        folder = root / "notebooks" / study
        folder.mkdir(parents=True)
        (folder / "study.yaml").write_text(STUDY.replace("STUDY", study))
        write_notebook(folder / "1_build.ipynb", "size: int = 3  # how many", SHOW, RELEASE.replace("STUDY", study))
        write_notebook(folder / "2_report.ipynb", "", SHOW)
    return Workbook(root)


def write_notebook(path: Path, parameters: str, *codes: str) -> None:
    """Write a notebook with the common parameters, some more, and a heading before each code cell."""
    cells = [_write_cell("# A notebook"), _write_cell(f"{PARAMETERS}\n{parameters}".strip(), ["parameters"])]
    for number, code in enumerate(codes, start=1):
        cells += [_write_cell(f"## Part {number}\n\nWhat it does."), _write_cell(code, [])]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, indent=1))


def _write_cell(source: str, tags: Sequence[str] | None = None) -> dict[str, Any]:
    """Write a code cell with tags, or a markdown cell without; nbformat would cost each process a second."""
    lines = source.splitlines(keepends=True)
    if tags is None:
        return {"cell_type": "markdown", "metadata": {}, "source": lines}
    return {"cell_type": "code", "metadata": {"tags": tags}, "source": lines, "execution_count": None, "outputs": []}


def copy_workbook(workbook: Workbook, root: Path) -> Workbook:
    """Copy a workbook with all that was made in it."""
    shutil.copytree(workbook.root, root)
    return Workbook(root)


def read_environment(executed: Path) -> dict[str, str]:
    """Return the environment, folder and mirror that an executed notebook saw."""
    texts = ["".join(output["text"]) for cell in read_code(executed) for output in cell["outputs"]]
    seen: dict[str, str] = json.loads(next(text for text in texts if "cwd" in text))
    return seen


def read_code(executed: Path) -> list[dict[str, Any]]:
    """Return the code cells of an executed notebook."""
    return [cell for cell in json.loads(executed.read_text())["cells"] if cell["cell_type"] == "code"]


def make_plain_pages(publish: Callable[..., None] | None = None) -> dict[str, SimpleNamespace]:
    """Return, by name, what stands in for the modules that render pages: a page a report, with its data, and an index.

    To be put into sys.modules.
    """

    def publish_report(executed: Path, *rest: Any) -> None:
        date, processed, target, _ = rest[-4:]
        shutil.copytree(processed, target / "data")
        made = sorted(path.name for path in processed.iterdir())
        (target / "index.html").write_text(f"{executed.name} of {made} by {date}")

    def build_site(catalogue: Catalogue) -> None:
        reports = catalogue.workbook.reports
        (reports / "search.html").write_text("search")
        cards = sorted(f"{card.parent.relative_to(reports)}: {card.read_text()}" for card in reports.glob(CARDS))
        with write_atomically(reports / "index.html") as temporary:
            temporary.write_text("\n".join(cards))

    return {
        "councilbook.pages.reports.report": SimpleNamespace(publish_report=publish or publish_report),
        "councilbook.pages.site": SimpleNamespace(build_site=build_site),
    }


def run_plain(job: Job, tell: Tell, line: Connection | None = None) -> JobResult:
    """Run a job with the plain report, in whatever process this is."""
    sys.modules |= make_plain_pages()  # type: ignore[arg-type]
    return run_job(job, tell, line)


def kill_north(job: Job, tell: Tell, line: Connection | None) -> JobResult:
    """Stand in for `run_job`: the process for one council dies, the others' jobs succeed."""
    if job.council.slug == "north":
        os._exit(9)
    return JobResult(job, "made")


def meet(job: Job, tell: Tell, line: Connection | None) -> JobResult:
    """Stand in for `run_job`: succeed once the jobs for north and south are both under way."""
    (job.workbook.root / job.council.slug).touch()
    for _ in range(3000):
        if all((job.workbook.root / slug).exists() for slug in ("north", "south")):
            return JobResult(job, "made")
        time.sleep(0.02)
    return JobResult(job, "failed")


def run_in_process(jobs: Sequence[Job], at_once: int, on_event: Callable[[Any], None], **_: Any) -> list[JobResult]:
    """Stand in for `run_jobs`, in this process."""
    results = [run_plain(job, on_event) for job in jobs]
    for result in results:
        on_event(result)
    return results


def released(workbook: Workbook, study: str = "tiny", council: str = "north", data: str = "sample") -> Sequence[str]:
    """Return the lines of the dataset that a study released."""
    folder = workbook.root / "data" / "processed" / study / council / data / f"{study}_counts"
    return (folder / f"{study}_counts.csv").read_text().split()
