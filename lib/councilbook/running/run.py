"""Running jobs: each in a process of its own, its notebooks one after the other in fresh kernels.

A job works in a staging folder and swaps in what it made only when all of it has succeeded, so a failing
notebook leaves the last good outputs alone. Papermill and nbconvert are imported only where they are about to be
used: each takes over a second.
"""

import json
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import textwrap
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Any

from pandas import DataFrame

from councilbook import errors
from councilbook.catalogue import Catalogue, Council, Finder, Mode, hash_file, load_catalogue
from councilbook.errors import CouncilbookError, NotebookError
from councilbook.gate.disks import describe_full_disk, describe_os_error, explain_os_errors, tells_of_full_disk
from councilbook.gate.editions import (
    Edition,
    LeftOut,
    Record,
    Staging,
    commit_edition,
    hash_folder,
    hold_edition,
    hold_site,
    open_staging,
    put_in_place,
    read_record,
    require_places,
    write_record,
)
from councilbook.paths import Workbook, write_atomically
from councilbook.running.jobs import (
    Failure,
    Job,
    JobResult,
    Note,
    Step,
    Tell,
    choose_councils,
    fill_parameters,
    find_sources,
    find_stale,
    find_unchanged,
    fingerprint_notebooks,
    fingerprint_site,
    list_sources,
)
from councilbook.running.kernels import (
    Watch,
    describe_cell,
    list_imports,
    list_variables,
    log_to,
    open_folder,
    run_cells,
)
from councilbook.running.parameters import inspect_parameters, read_cells
from councilbook.running.parts import MAY_STOP, explain_stop, find_absent, find_cause, run_in_lanes
from councilbook.running.warm import Warm, open_lines

KERNEL_STARTS = 3 if sys.platform == "win32" else 2  # a TCP port may be taken; what fails as a fork is started plainly
STOP_SECONDS = 20  # that a stopped job gets to shut its kernel down
MESSAGE_LENGTH = 1000
SAFE_ERRORS = {
    error.__name__
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.CouncilbookError)
}

OnEvent = Callable[[Step | Note | JobResult], None]
Work = Callable[[Job, Tell, Connection | None], JobResult]


class _StoppedError(Exception):
    """A notebook did not do what it should; the name is that of the error in it."""

    def __init__(self, failure: Failure, name: str = "") -> None:
        super().__init__(failure.reason)
        self.failure, self.name = failure, name


def run_all(
    catalogue: Catalogue, jobs: Sequence[Job], at_once: int, on_event: OnEvent, scheduler: str = ""
) -> list[JobResult]:
    """Find all sources, run the jobs, and bring the site's pages up to date.

    Sources are found here, one after the other, so that no two jobs fetch the same file. What goes wrong with a
    source fails the jobs that need it, and no other.

    Args:
        catalogue: the workbook's.
        jobs: from `plan_jobs`.
        at_once: most jobs at a time.
        on_event: called in this process with each step, and each result as it comes.
        scheduler: address of a Dask cluster that runs the jobs which read no closed file; empty: all are run here.

    Returns:
        One result a job, in the order of the jobs.
    """
    ready: list[Job] = []
    results: dict[str, JobResult] = {}
    checksums: dict[Path, str] = {}
    for job in jobs:
        try:
            found = replace(job, sources=find_sources(catalogue, job, checksums, on_event))
            if not (record := find_unchanged(found, catalogue)):
                ready.append(found)
                continue
            results[job.name] = JobResult(found, "unchanged", since=record.run_date, left_out=record.left_out)
        except (CouncilbookError, OSError) as error:
            results[job.name] = JobResult(job, "failed", failure=Failure(_describe(error, job.workbook)))
        on_event(results[job.name])
    if scheduler and ready:
        from councilbook.running.cluster.dask_jobs import may_leave, run_on_cluster

        away = [job for job in ready if may_leave(job)]
        ready = [job for job in ready if job not in away]
        results |= {result.edition.name: result for result in run_on_cluster(catalogue, away, scheduler, on_event)}
    results |= {result.edition.name: result for result in run_jobs(ready, at_once, on_event)}
    _build_site_if_changed(catalogue)
    return [results[job.name] for job in jobs]


def run_jobs(jobs: Sequence[Job], at_once: int, on_event: OnEvent, work: Work | None = None) -> list[JobResult]:
    """Run jobs in processes of their own; where there are fewer jobs than may run at once, each runs more notebooks.

    All fork their kernels from one warm process. No ProcessPoolExecutor: there, one process that is killed (out of
    memory) takes all the others' jobs with it.
    If this is interrupted, it tells the processes to stop and waits while they shut their kernels down.

    Args:
        jobs: what to run.
        at_once: most processes at a time.
        on_event: called in this process with each step, and each result as it comes.
        work: what runs a job in its process; `run_job` unless a test says otherwise.

    Returns:
        One result a job, in the order of the jobs.
    """
    context = multiprocessing.get_context("spawn")
    lanes = max(1, at_once // max(1, len(jobs)))
    warm = ExitStack()
    lines = warm.enter_context(open_lines(len(jobs)))
    waiting = deque((replace(job, at_once=lanes), line) for job, line in zip(jobs, lines, strict=True))
    running: dict[Any, tuple[Job, SpawnProcess]] = {}
    results: dict[str, JobResult] = {}
    receiver: Any
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job, line = waiting.popleft()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(work or run_job, job, sender, line))
                process.start()
                sender.close()
                if line:
                    line.close()
                running[receiver] = job, process
            for receiver in wait(running):
                job, process = running[receiver]
                try:
                    event = receiver.recv()
                except (EOFError, OSError):
                    process.join()
                    receiver.close()
                    del running[receiver]
                    if job.name in results:
                        continue
                    reason = f"Its process ended with exit code {process.exitcode}. Was it killed, for lack of memory?"
                    event = JobResult(job, "failed", failure=Failure(reason))
                if isinstance(event, JobResult):
                    results[job.name] = event
                on_event(event)
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.join(STOP_SECONDS)
            process.kill()
        warm.close()
    return [results[job.name] for job in jobs]


def _work(work: Work, job: Job, sender: Connection, line: Connection | None) -> None:
    """Run one job in this process. It stops when its parent says so or is no more, not by itself on Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _exit)
    threading.Thread(target=_stop_with_parent, daemon=True).start()

    sending = threading.Lock()  # several notebooks may tell at a time

    def tell(event: Step | Note | JobResult) -> None:
        with sending, suppress(BrokenPipeError):
            sender.send(event)

    tell(work(job, tell, line))


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the form of a signal handler)
    raise SystemExit(128 + number)


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
        failure = Failure(_describe(error, job.workbook))
    else:
        seconds, since = time.perf_counter() - started, None if is_new else record.run_date
        return JobResult(job, "made" if is_new else "unchanged", seconds, since, left_out=record.left_out)
    return JobResult(job, "failed", time.perf_counter() - started, failure=failure)


def _describe(error: Exception, workbook: Workbook) -> str:
    if isinstance(error, CouncilbookError):
        return str(error)
    known = describe_os_error(error, workbook) if isinstance(error, OSError) else None
    return known or f"{type(error).__name__}: {error}"


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
            _require_readable(job, catalogue, stale)
        if warm:
            warm.prepare(list_imports(job, catalogue, stale))
        has_restricted = not all(catalogue.dataset(name).is_open for name in datasets)
        require_places(job, has_restricted=has_restricted)
        with open_staging(job, datasets) as staging, log_to(job.private / "run.log"):
            waits = {notebook: spec.list_before(notebook) for notebook in stale}
            left_out = {name: why for name, why in (last.left_out if last else {}).items() if name not in stale}
            if job.mode == "real":
                left_out |= find_absent(catalogue, job.study, _make_finder(job, catalogue))
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
    left_out: dict[str, LeftOut]  # by notebook; added to


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


def _make_finder(job: Job, catalogue: Catalogue) -> Finder:
    return Finder(catalogue, job.mode, job.council, job.seed, job.mirror, job.stand_ins)


def _require_readable(job: Job, catalogue: Catalogue, stale: Sequence[str]) -> None:
    from councilbook.running.checking import require_accepted, require_readable

    finder = _make_finder(job, catalogue)
    require_accepted(catalogue, job.study, stale, finder)
    require_readable(catalogue, job.study, stale, finder, job.run_date)


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
    try:
        for name, package in packages.items():
            if not package.exists() or package.stat().st_mtime_ns == before.get(name):
                raise NotebookError(f"It did not release {name}, which study.yaml says it does.")
        if notebook == spec.report:
            _publish(staging, catalogue, job.mode, job.run_date, staging.executed(notebook), staging.processed)
    except CouncilbookError as error:
        kept = staging.executed(notebook).replace(job.executed(f"{notebook}.failed"))
        raise _StoppedError(Failure(str(error), notebook, executed=kept)) from None


def _publish(
    staging: Staging, catalogue: Catalogue, data: Mode, run_date: str, executed: Path, processed: Path
) -> None:
    from councilbook.gate.writing import read_published
    from councilbook.pages.reports.report import publish_report

    edition = staging.edition
    spec = catalogue.study(edition.study)

    def read(name: str) -> DataFrame:
        return read_published(processed / name, catalogue.dataset(name))

    publish_report(executed, edition.workbook, spec, edition.council, data, run_date, processed, staging.report, read)


def _build_site_if_changed(catalogue: Catalogue) -> None:
    """Bring the site's pages up to date with its reports, unless they were built of these very ones.

    What they were built of is compared, not what this run made: a run that was killed may have left a new report,
    and of two runs at once each finds what the other made.
    """
    workbook = catalogue.workbook
    if not workbook.reports.exists():
        return
    with explain_os_errors(workbook), hold_site(workbook) as private:
        built = private / "built.json"
        files = [file for file in workbook.reports.glob("[!.]*/[!.]*/[!.]*/*") if file.is_file()]
        reports = {file.relative_to(workbook.reports).as_posix(): hash_file(file) for file in sorted(files)}
        content = json.dumps({"library": fingerprint_site(catalogue), "reports": reports}, indent=2)
        if built.exists() and built.read_text() == content and (workbook.reports / "index.html").exists():
            return
        from councilbook.pages.site import build_site

        built.unlink(missing_ok=True)
        build_site(catalogue)
        with write_atomically(built) as temporary:
            temporary.write_text(content)


def _write_report(made: _Made, original: Path) -> Path:
    """Write a report notebook without the parts that are left out, and say why; return where."""
    from councilbook.pages.reports.parts import leave_out_parts

    notebooks = made.catalogue.study(made.job.study).notebooks
    titles = {name: notebooks[name].title for name in notebooks if name in made.left_out}
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


def rerender(
    catalogue: Catalogue, studies: Sequence[str], councils: Sequence[str], browser: Path | None = None
) -> list[JobResult]:
    """Render reports again from what was kept of their last runs; no notebook is run.

    Args:
        catalogue: the workbook's.
        studies: ids; none means all.
        councils: as `choose_councils` takes them; none means all that a study has been run for.
        browser: what prints each report as PDF too, from `pdf.find_browser`; none: no PDF.

    Returns:
        One result a report; failed if the study has not been run for the council.
    """
    results = []
    for study in studies or list(catalogue.studies):
        catalogue.study(study)
        for edition in _list_editions(catalogue, study, choose_councils(catalogue, councils) if councils else None):
            started = time.perf_counter()
            try:
                _render_kept(catalogue, edition, browser)
            except (CouncilbookError, OSError) as error:
                results.append(JobResult(edition, "failed", failure=Failure(_describe(error, edition.workbook))))
            else:
                results.append(JobResult(edition, "made", time.perf_counter() - started))
    _build_site_if_changed(catalogue)
    return results


def _list_editions(catalogue: Catalogue, study: str, councils: Sequence[Council] | None) -> list[Edition]:
    """List what was run of a study, on sample and on real data; of a council that it was not run for, the sample."""
    records = filter(None, map(read_record, sorted((catalogue.workbook.private / "runs" / study).glob("*/*"))))
    kept = [Edition(catalogue.workbook, study, record.council, record.data) for record in records]
    if councils is None:
        return kept
    never_run = [one for one in councils if one.slug not in {edition.council.slug for edition in kept}]
    asked = [edition for edition in kept if edition.council.slug in {one.slug for one in councils}]
    return asked + [Edition(catalogue.workbook, study, council, "sample") for council in never_run]


def _render_kept(catalogue: Catalogue, edition: Edition, browser: Path | None) -> None:
    with hold_edition(edition):
        record = read_record(edition.private)
        executed = edition.executed(catalogue.study(edition.study).report)
        if record is None or not executed.exists():
            raise NotebookError(f"Nothing is kept of a run of {edition.name}. Run it first: councilbook run.")
        if hash_folder(edition.processed) != record.processed:
            raise NotebookError(
                f"The datasets of {edition.name} have changed since its report was run. Run it again: councilbook run."
            )
        with open_staging(edition) as staging:
            _publish(staging, catalogue, record.data, record.run_date, executed, edition.processed)
            if browser:
                from councilbook.pages.reports.pdf import print_pdf

                print_pdf(staging.report / "index.html", staging.report / "report.pdf", browser)
            put_in_place(edition, {edition.report: staging.report})
        write_record(edition, record.model_copy(update={"report": hash_folder(edition.report)}))
