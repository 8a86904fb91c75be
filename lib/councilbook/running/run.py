"""Running jobs: each in a process of its own, and then the site around what they made."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Any

from councilbook.catalogue import Catalogue
from councilbook.errors import CouncilbookError
from councilbook.running.changes.stale import find_unchanged
from councilbook.running.jobs import Failure, Job, JobResult, Note, Step, Tell, describe_error
from councilbook.running.kernels.warm import open_lines
from councilbook.running.making import run_job
from councilbook.running.rendering import build_site_if_changed
from councilbook.running.sources import find_sources

STOP_SECONDS = 20  # that a stopped job gets to shut its kernel down
OnEvent = Callable[[Step | Note | JobResult], None]
Work = Callable[[Job, Tell, Connection | None], JobResult]


def run_all(
    catalogue: Catalogue, jobs: Sequence[Job], at_once: int, on_event: OnEvent, scheduler: str = ""
) -> list[JobResult]:
    """Find all sources, run the jobs, and bring the site's pages up to date.

    Sources are found here, one after the other, so that no two jobs fetch the same file. What goes wrong with a
    source fails the jobs that need it, and no other. Studies that read what others release are run after those.

    Args:
        catalogue: the workbook's.
        jobs: from `plan_jobs`.
        at_once: most jobs at a time.
        on_event: called in this process with each step, and each result as it comes.
        scheduler: address of a Dask cluster that runs the jobs which read no closed file; empty: all are run here.

    Returns:
        One result a job, in the order of the jobs.
    """
    results: dict[str, JobResult] = {}
    checksums: dict[Path, str] = {}
    lines: list[Connection | None] = []
    with ExitStack() as warm:
        for is_last in (False, True):
            wave = [job for job in jobs if catalogue.study(job.study).is_last == is_last]
            ready = _find_changed(catalogue, wave, results, on_event, checksums)
            if scheduler and ready and not is_last:
                from councilbook.running.cluster.dask_jobs import may_leave, run_on_cluster

                away = [job for job in ready if may_leave(job)]
                ready = [job for job in ready if job not in away]
                results |= {one.edition.name: one for one in run_on_cluster(catalogue, away, scheduler, on_event)}
            if ready and not lines:
                lines = warm.enter_context(open_lines(len(jobs)))
            results |= {one.edition.name: one for one in run_jobs(ready, at_once, on_event, lines=lines)}
    build_site_if_changed(catalogue)
    return [results[job.name] for job in jobs]


def _find_changed(
    catalogue: Catalogue,
    jobs: Sequence[Job],
    results: dict[str, JobResult],
    on_event: OnEvent,
    checksums: dict[Path, str],
) -> list[Job]:
    """Find the sources of jobs that do not wait for each other; return what has to run, and note how the others end."""
    ready: list[Job] = []
    for job in jobs:
        try:
            found = replace(job, sources=find_sources(catalogue, job, checksums, on_event))
            if not (record := find_unchanged(found, catalogue)):
                ready.append(found)
                continue
            results[job.name] = JobResult(found, "unchanged", since=record.run_date, left_out=record.left_out)
        except (CouncilbookError, OSError) as error:
            results[job.name] = JobResult(job, "failed", failure=Failure(describe_error(error, job.workbook)))
        on_event(results[job.name])
    return ready


def run_jobs(
    jobs: Sequence[Job],
    at_once: int,
    on_event: OnEvent,
    work: Work | None = None,
    lines: list[Connection | None] | None = None,
) -> list[JobResult]:
    """Run jobs in processes of their own; where there are fewer jobs than may run at once, each runs more notebooks.

    No ProcessPoolExecutor: there, one process that is killed (out of memory) takes all the others' jobs with it.
    If this is interrupted, it tells the processes to stop and waits while they shut their kernels down.

    Args:
        jobs: what to run.
        at_once: most processes at a time.
        on_event: called in this process with each step, and each result as it comes.
        work: what runs a job in its process; `run_job` unless a test says otherwise.
        lines: to the warm process that kernels are forked from, one taken out for each job; none: they start plainly.

    Returns:
        One result a job, in the order of the jobs.
    """
    context = multiprocessing.get_context("spawn")
    lanes = max(1, at_once // max(1, len(jobs)))
    waiting = deque(replace(job, at_once=lanes) for job in jobs)
    running: dict[Any, tuple[Job, SpawnProcess]] = {}
    results: dict[str, JobResult] = {}
    receiver: Any
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job, line = waiting.popleft(), lines.pop() if lines else None
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
