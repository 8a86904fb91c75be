"""Runs of a tiny workbook that are killed, refused or made to share: each in a process of its own."""

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.errors import CouncilbookError
from councilbook.paths import Workbook, write_atomically
from councilbook.running import making
from councilbook.running import run as running
from councilbook.running.jobs import Job, JobResult, Tell, plan_jobs
from councilbook.running.kernels.cells import set_variables
from councilbook.running.making import run_job
from councilbook.running.run import run_all, run_jobs
from tiny_workbook import CARDS, make_workbook, read_code, write_notebook

DAY = "2026-11-23"
KILLED = 9
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

WAIT = """import os, sys, time
from multiprocessing.connection import Connection
from pathlib import Path
root = Path(os.environ["COUNCILBOOK_ROOT"])
if (root / "hold-build").exists():
    (root / f"waiting-{council}").touch()
while (root / "hold-build").exists():
    time.sleep(0.02)"""

RELEASE = """import json
folder = Path(os.environ["COUNCILBOOK_PROCESSED"]) / "tiny" / council / data / "tiny_counts"
folder.mkdir(parents=True, exist_ok=True)
history = folder / "history.json"
seeds = {seed, *(json.loads(history.read_text()) if history.exists() else [])}
history.write_text(json.dumps(sorted(seeds)))
for name in ("a.csv", "b.csv", "tiny_counts.csv"):
    (folder / name).write_text(f"{seed}\\n" * 20000)
(folder / "datapackage.json").write_text(json.dumps({"seed": seed}))"""

Fault = Literal["killed", "full"]


def make_book(root: Path) -> Workbook:
    """Write the tiny workbook; the study `tiny` releases a dataset whose files all hold the seed.

    One of them lists all seeds that it was ever made with, as a change log does.

    As long as there is a file `hold-build` or `hold-site` in its folder, a run waits in its first notebook, or when
    it has read the reports for the index, and tells so by a file `waiting-<council>` or `waiting-site`.
    """
    workbook = make_workbook(root)
    folder = workbook.notebooks / "tiny"
    write_notebook(folder / "1_build.ipynb", "size: int = 3", WAIT, RELEASE)
    write_notebook(folder / "2_report.ipynb", "", "print('shown')")
    return workbook


def publish(executed: Path, *rest: Any) -> None:
    """Stand in for `publish_report`: a page that shows the data that lie beside it."""
    processed, target, _ = rest[-3:]
    shutil.copytree(processed, target / "data")
    (target / "index.html").write_text((processed / "tiny_counts" / "datapackage.json").read_text())


def build_site(catalogue: Catalogue) -> None:
    """Stand in for the site's own: an index of two files, with what each report shows."""
    root, reports = catalogue.workbook.root, catalogue.workbook.reports
    cards = [f"{card.parent.relative_to(reports)}: {card.read_text()}" for card in sorted(reports.glob(CARDS))]
    if (root / "hold-site").exists():
        (root / "waiting-site").touch()
    while (root / "hold-site").exists():
        time.sleep(0.02)
    for name in ("search.html", "index.html"):
        with write_atomically(reports / name) as temporary:
            temporary.write_text("\n".join(cards))


def run_here(
    original: Path,
    executed: Path,
    beside: Path,
    values: dict[str, Any],
    folder: Path,
    variables: dict[str, str | None],
    *rest: object,
) -> None:
    """Stand in for `run_cells`: execute a notebook's cells in this process, without a kernel."""
    parameters, *codes = ["".join(cell["source"]) for cell in read_code(original)]
    names: dict[str, Any] = {}
    exec(parameters, names)
    names |= values
    with set_variables(variables):
        for code in codes:
            exec(code, names)
    shutil.copy(original, executed)


def use_plain_pages() -> None:
    """Let this process make pages that cost nothing."""
    sys.modules["councilbook.pages.reports.report"] = SimpleNamespace(publish_report=publish)  # type: ignore[assignment]
    sys.modules["councilbook.pages.site"] = SimpleNamespace(build_site=build_site)  # type: ignore[assignment]


def run_plainly(job: Job, tell: Tell, line: Connection | None = None) -> JobResult:
    """Stand in for `run_job`: with plain pages."""
    use_plain_pages()
    return run_job(job, tell, line)


def run_jobs_here(jobs: Sequence[Job], at_once: int, on_event: Callable[[Any], None], **_: Any) -> list[JobResult]:
    """Stand in for `run_jobs`: one after the other in this process."""
    return [run_plainly(job, on_event) for job in jobs]


def run_jobs_plainly(
    jobs: Sequence[Job], at_once: int, on_event: Callable[[Any], None], **lines: Any
) -> list[JobResult]:
    """Stand in for `run_jobs`: in processes of their own, with plain pages."""
    return run_jobs(jobs, at_once, on_event, run_plainly, **lines)


def run_book(
    root: Path,
    seed: int,
    council: str = "north",
    *,
    kernels: bool = False,
    processes: bool = False,
    fault: tuple[Fault, int] | None = None,
) -> None:
    """Run the study `tiny`, to be called in a process of its own. What came of it is written to a file beside the root.

    Args:
        root: the workbook.
        seed: the notebooks' parameter, of which all data are made.
        council: whom for.
        kernels: whether each notebook runs in a kernel, or in this process.
        processes: whether the job runs in a process of its own, or in this one.
        fault: what happens before one of the changes of a file or folder, and before which.
    """
    use_plain_pages()
    Workbook.library = Workbook.catalogue  # type: ignore[assignment, misc]  # nobody's editing it makes a run stale
    running.run_jobs = run_jobs_plainly if processes else run_jobs_here  # type: ignore[assignment]
    if not kernels:
        making.run_cells = run_here  # type: ignore[assignment]
    catalogue = load_catalogue(Workbook(root))
    jobs = plan_jobs(catalogue, ["tiny"], [council], today=DAY, parameters=[f"seed={seed}"])
    told: list[str] = []
    changes = watch_changes(root, *(fault or ("full", sys.maxsize)))
    try:
        [result] = run_all(catalogue, jobs, 1, lambda event: told.append(str(event)))
        outcome, reason = result.outcome, result.failure.reason if result.failure else ""
    except CouncilbookError as error:
        outcome, reason = "failed", str(error)
    came = {"outcome": outcome, "reason": reason, "told": told, "changes": changes}
    root.with_suffix(f".{council}.json").write_text(json.dumps(came))


def watch_changes(root: Path, fault: Fault, number: int) -> list[str]:
    """List each change of a file or folder in a workbook before it happens, from now on.

    Before the one of this number, the process dies at once, or the disk is full from then on.
    """
    changes: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        is_opened = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & WRITING)
        if not (is_opened or event in CHANGES) or not isinstance(arguments[0], str):
            return
        path = Path(arguments[0])  # a folder's files are removed by their bare names
        if path.is_absolute() and not path.is_relative_to(root):
            return
        is_there = path.is_absolute() and path.exists()
        if is_there and (event == "os.mkdir" or (is_opened and (path.is_dir() or path.name == "lock"))):
            return  # nothing is changed
        changes.append(f"{event} {arguments[0].removeprefix(str(root))}")
        if len(changes) >= number:
            if fault == "killed":
                os._exit(KILLED)
            if (is_opened or event == "os.mkdir") and not is_there:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    sys.addaudithook(watch)
    return changes
