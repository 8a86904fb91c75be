"""Making an edition: its notebooks run one after the other, or those side by side that do not wait for each other.

A job works in a staging folder and swaps in what it made only when all of it has succeeded, so a failing notebook
leaves the last good outputs alone. Papermill is imported only where it is about to be used: it takes over a second.
"""

import json
import logging
import shutil
import sys
import textwrap
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from councilbook import errors
from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.errors import CouncilbookError, NotebookError
from councilbook.gate.disks import describe_full_disk, tells_of_full_disk
from councilbook.gate.editions import (
    LeftOut,
    Record,
    Staging,
    commit_edition,
    hold_edition,
    open_staging,
    read_record,
    require_places,
)
from councilbook.paths import write_atomically
from councilbook.running.changes.stale import find_stale, fingerprint_notebooks
from councilbook.running.jobs import (
    Failure,
    Job,
    JobResult,
    Step,
    Tell,
    describe_error,
    fill_parameters,
)
from councilbook.running.kernels.cells import (
    Watch,
    describe_cell,
    list_imports,
    list_variables,
    log_to,
    open_folder,
    run_cells,
)
from councilbook.running.kernels.warm import Warm
from councilbook.running.parameters import inspect_parameters, read_cells
from councilbook.running.parts import MAY_STOP, explain_held, explain_stop, find_absent, find_cause, run_in_lanes
from councilbook.running.rendering import publish
from councilbook.running.sources import list_sources

KERNEL_STARTS = 3 if sys.platform == "win32" else 2  # a TCP port may be taken; what fails as a fork is started plainly
MESSAGE_LENGTH = 1000
SAFE_ERRORS = {
    error.__name__
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.CouncilbookError)
}


class _StoppedError(Exception):
    """A notebook did not do what it should; the name is that of the error in it."""

    def __init__(self, failure: Failure, name: str = "") -> None:
        super().__init__(failure.reason)
        self.failure, self.name = failure, name


def run_job(job: Job, tell: Tell, line: Connection | None = None) -> JobResult:
    """Run what has changed of one job. An error of any kind is not raised, but part of the result.

    Args:
        job: what to run.
        tell: called with each step.
        line: from `open_lines`; none: kernels are started plainly.
    """
    started = time.perf_counter()
    try:
        record, is_new = _make(job, tell, Warm(line) if line else None)
    except _StoppedError as error:
        failure = error.failure
    except Exception as error:
        failure = Failure(describe_error(error, job.workbook))
    else:
        seconds, since = time.perf_counter() - started, None if is_new else record.run_date
        return JobResult(job, "made" if is_new else "unchanged", seconds, since, left_out=record.left_out)
    return JobResult(job, "failed", time.perf_counter() - started, failure=failure)


def _make(job: Job, tell: Tell, warm: Warm | None) -> tuple[Record, bool]:
    """Run what has to be run; return what is there then, and whether any of it is new."""
    catalogue = load_catalogue(job.workbook)
    spec = catalogue.study(job.study)
    datasets = [name for notebook in spec.notebooks.values() for name in notebook.releases]
    with hold_edition(job):
        fingerprints = fingerprint_notebooks(job, catalogue)
        stale = find_stale(job, spec, fingerprints)
        last = read_record(job.private)
        if last and not stale:
            return last, False
        if job.mode == "real":
            from councilbook.running.checking import require_accepted, require_readable

            require_accepted(catalogue, job.study, stale, job.make_finder(catalogue), job.run_date)
            require_readable(catalogue, job.study, stale, job.make_finder(catalogue), job.run_date)
        if warm:
            warm.prepare(list_imports(job, catalogue, stale))
        has_restricted = not all(catalogue.dataset(name).is_open for name in datasets)
        require_places(job, has_restricted=has_restricted)
        with open_staging(job, datasets) as staging, log_to(job.private / "run.log"):
            waits = {notebook: spec.list_before(notebook) for notebook in stale}
            anew = {*stale, *(name for notebook in stale for name in spec.notebooks[notebook].releases)}
            left_out = {name: why for name, why in (last.left_out if last else {}).items() if name not in anew}
            if job.mode == "real":
                left_out |= find_absent(catalogue, job.study, job.make_finder(catalogue))
            made = _Made(job, catalogue, staging, tell, warm, left_out)
            run_in_lanes(waits, lambda name: _run_or_leave_out(made, name), job.at_once)
            record = Record(
                council=job.council, data=job.mode, run_date=job.run_date, notebooks=fingerprints, left_out=left_out
            )
            commit_edition(staging, record)
    return record, True


@dataclass(frozen=True)
class _Made:
    """An edition in the making."""

    job: Job
    catalogue: Catalogue
    staging: Staging
    tell: Tell
    warm: Warm | None
    left_out: dict[str, LeftOut]  # by notebook, or by dataset that is held back; added to


def _run_or_leave_out(made: _Made, notebook: str) -> None:
    """Run a notebook, unless it cannot be run and the study goes on without it: then nothing of it is kept."""
    spec = made.catalogue.study(made.job.study)
    cause = find_cause(spec, notebook, made.left_out)
    if cause is None:
        try:
            _run_notebook(made, notebook)
            return
        except _StoppedError as error:
            if not (spec.notebooks[notebook].optional and error.name in MAY_STOP):
                raise
            cause = explain_stop(error.name, error.failure.reason)
    made.left_out[notebook] = cause
    made.staging.executed(notebook).unlink(missing_ok=True)
    for dataset in spec.notebooks[notebook].releases:
        for folder in (made.staging.processed, made.staging.restricted):
            shutil.rmtree(folder / dataset, ignore_errors=True)


def _run_notebook(made: _Made, notebook: str) -> None:
    """Execute a notebook, see that it released what study.yaml says, and publish it if it is the report."""
    job, catalogue, staging = made.job, made.catalogue, made.staging
    spec = catalogue.study(job.study)
    packages = {
        name: (staging.processed if catalogue.dataset(name).is_open else staging.restricted)
        / f"{name}/datapackage.json"
        for name in spec.notebooks[notebook].releases
    }
    before = {name: package.stat().st_mtime_ns for name, package in packages.items() if package.exists()}
    _execute(made, notebook)
    for file in staging.held.iterdir():
        if file.name in packages:
            made.left_out[file.name] = explain_held(file.read_text(encoding="utf-8"), job.withdrawn / file.name)
            shutil.rmtree(staging.processed / file.name, ignore_errors=True)
    try:
        for name, package in packages.items():
            if name not in made.left_out and not (package.exists() and package.stat().st_mtime_ns != before.get(name)):
                raise NotebookError(f"It did not release {name}, which study.yaml says it does.")
        if notebook == spec.report:
            publish(staging, catalogue, job.run_date, staging.executed(notebook), staging.processed)
    except CouncilbookError as error:
        kept = staging.executed(notebook).replace(job.executed(f"{notebook}.failed"))
        raise _StoppedError(Failure(str(error), notebook, executed=kept)) from None


def _write_report(made: _Made, original: Path) -> Path:
    """Write a report notebook without the parts that are left out, and say why; return where."""
    from councilbook.pages.reports.parts import leave_out_parts

    catalogue = made.catalogue
    notebooks = catalogue.study(made.job.study).notebooks
    titles = {name: notebooks[name].title for name in notebooks if name in made.left_out}
    titles |= {name: catalogue.dataset(name).title for name in made.left_out if name not in titles}
    reasons = {name: made.left_out[name].shown for name in titles}
    written = made.staging.folder / f"{original.stem}.left.json"
    told = leave_out_parts(json.loads(original.read_text(encoding="utf-8")), titles, reasons)
    written.write_text(json.dumps(told), encoding="utf-8")
    return written


def _execute(made: _Made, notebook: str) -> None:
    """Run a notebook's cells in a fresh kernel; the executed copy goes to staging.

    Raises:
        _StoppedError: a cell failed, or the kernel could not be started or died.
    """
    from papermill.exceptions import PapermillExecutionError

    job, catalogue, staging, warm = made.job, made.catalogue, made.staging, made.warm
    folder = job.workbook.notebooks / job.study
    original = folder / f"{notebook}.ipynb"
    values = fill_parameters(job, catalogue, notebook, inspect_parameters(original))
    if made.left_out and notebook == catalogue.study(job.study).report:
        original = _write_report(made, original)
    total = len(read_cells(original)) + 1  # papermill adds a cell with the values
    watch = Watch(lambda cell: made.tell(Step(job, notebook, cell + 1, total)))
    for start in range(1, KERNEL_STARTS + 1):
        try:
            with open_folder() as own:
                variables = list_variables(job, catalogue, notebook, staging, own)
                run_cells(original, staging.executed(notebook), folder, values, own, variables, watch, warm)
            return
        except PapermillExecutionError as error:
            cell, name, message = error.cell_index, error.ename, error.evalue
            break
        except Exception as error:
            logging.getLogger(__name__).exception("The kernel failed at start %s", start)
            warm = None
            cell, name, message = watch.cell, type(error).__name__, str(error)
            if cell is not None:
                break
    if tells_of_full_disk(message):
        reason = describe_full_disk(job.workbook)
    elif name not in SAFE_ERRORS and any(s.spectrum != "open" for s in list_sources(catalogue, job.study, notebook)):
        reason = f"{name}: its message may show a record of a source that is not open; see the executed notebook"
    else:
        reason = f"{name}: {textwrap.shorten(message, MESSAGE_LENGTH, placeholder=' …')}"
    failure = Failure(reason, notebook, describe_cell(watch, cell), _keep_failed(job, notebook, watch))
    raise _StoppedError(failure, name)


def _keep_failed(job: Job, notebook: str, watch: Watch) -> Path | None:
    """Keep a notebook that failed for its analyst; there is none if its kernel never started."""
    if watch.notebook is None:
        return None
    import nbformat

    kept = job.executed(f"{notebook}.failed")
    with write_atomically(kept) as temporary:
        nbformat.write(watch.notebook, temporary)  # type: ignore[no-untyped-call]
    return kept
