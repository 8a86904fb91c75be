"""Jobs on a Dask cluster: each is packed with what it needs, run on some worker, and put in place here.

The client finds the sources and is the only one that writes outputs. A worker gets the notebooks, the catalogue and
what was made last; it reads open files from a mirror of its own, which must be the very same. So a job whose worker is
lost is simply run again on another, and nothing is half written. A job that reads a closed file never leaves.
"""

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from councilbook.catalogue import Catalogue, hash_library
from councilbook.errors import CouncilbookError, ParameterError
from councilbook.gate.editions import commit_edition, hold_edition, open_staging, read_record
from councilbook.paths import Workbook
from councilbook.running.jobs import Failure, Job, JobResult, Note, Step
from councilbook.running.making import run_job
from councilbook.running.run import OnEvent, Work
from councilbook.running.sources import find_sources

MIRROR_VARIABLE = "COUNCILBOOK_MIRROR"  # on a worker: its copy of the official files
CLOSED = "closed folder "  # how the origin of a closed file begins
CONNECT_SECONDS = 20


def may_leave(job: Job) -> bool:
    """Tell whether a job may be run on another machine: it reads no closed file, and nothing restricted is real."""
    return job.mode == "sample" or not any(origin.startswith(CLOSED) for origin in job.sources.values())


def run_on_cluster(
    catalogue: Catalogue, jobs: Sequence[Job], scheduler: str, on_event: OnEvent, work: Work = run_job
) -> list[JobResult]:
    """Run jobs on a Dask cluster, and put what they make in place here.

    Args:
        catalogue: the workbook's.
        jobs: with their sources, from `find_sources`; each `may_leave`.
        scheduler: address of the cluster's scheduler.
        on_event: called in this process with each step, and each result as it comes.
        work: what runs a job on a worker; `run_job` unless a test says otherwise.

    Returns:
        One result a job, in the order in which they end.

    Raises:
        ParameterError: Dask is not installed, or no scheduler answers.
    """
    if not jobs:
        return []
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ParameterError("A cluster needs Dask: pip install 'councilbook[cluster]'.") from None
    named = {job.name: job for job in jobs}

    def show(event: tuple[float, tuple[str, str, int, int | None]]) -> None:
        name, what, done, total = event[1]
        on_event(Step(named[name], what, done, total))

    results = []
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ParameterError(f"No Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        topic = f"councilbook-{uuid4()}"  # a scheduler repeats what it was told before to whoever asks
        client.subscribe_topic(topic, show)  # type: ignore[no-untyped-call]
        expected, declared = hash_library(catalogue.workbook), _pack(_list_declared(catalogue.workbook))
        sent = {
            client.submit(
                _run_here, (declared, _pack(_list_outputs(job))), job, expected, topic, work, key=job.name, pure=False
            ): job
            for job in jobs
        }
        for future in as_completed(sent):  # type: ignore[no-untyped-call]
            job = sent[future]
            try:
                result = _put_in_place(job, *future.result())
            except (CouncilbookError, OSError) as error:
                result = JobResult(job, "failed", failure=Failure(str(error)))
            except Exception as error:  # the worker was lost again and again, or has no such library
                result = JobResult(job, "failed", failure=Failure(f"On the cluster: {type(error).__name__}: {error}"))
            results.append(result)
            on_event(result)
            future.release()
    return results


def _run_here(packed: Sequence[bytes], job: Job, expected: str, topic: str, work: Work) -> tuple[JobResult, bytes]:
    """Run one job on this worker, in a workbook of its own that is gone afterwards; return all that it made.

    Raises:
        CouncilbookError: library or sources are not those of the client.
    """
    from distributed import get_worker

    worker = get_worker()
    mirror = os.environ.get(MIRROR_VARIABLE)
    for name in [name for name in os.environ if name.startswith("COUNCILBOOK_") and name != MIRROR_VARIABLE]:
        del os.environ[name]  # a worker knows no closed folder, and no other places than the job's own

    def tell(event: Step | Note) -> None:
        if isinstance(event, Step):
            worker.log_event(topic, (job.name, event.what, event.done, event.total))

    with tempfile.TemporaryDirectory(prefix="councilbook-", ignore_cleanup_errors=True) as folder:
        workbook = Workbook(Path(folder))
        for part in packed:
            _unpack(part, workbook.root)
        if hash_library(workbook) != expected:
            raise CouncilbookError(f"Worker {worker.address} has another version of councilbook than the client.")
        own = replace(job, workbook=workbook, mirror=Path(mirror) if mirror else job.mirror)
        if job.mode == "real":
            _require_same_sources(own, worker.address)
        result = work(own, tell, None)
        made = _pack(_list_outputs(own))
        failure = result.failure and replace(result.failure, executed=None)
        return replace(result, edition=job, failure=failure), made


def _require_same_sources(job: Job, where: str) -> None:
    """See that the files that a worker finds are those of the client, whatever folder they lie in."""
    from councilbook.catalogue import load_catalogue

    found = find_sources(load_catalogue(job.workbook), job, {}, lambda _: None)
    own, client = ({name: text.rpartition(" ")[2] for name, text in one.items()} for one in (found, job.sources))
    if others := sorted(name for name in own.keys() | client.keys() if own.get(name) != client.get(name)):
        raise CouncilbookError(
            f"Worker {where} has other files than the client of: {', '.join(others)}. Give both the same copies; "
            f"{MIRROR_VARIABLE} names the worker's folder."
        )


def _list_declared(workbook: Workbook) -> dict[str, Path]:
    """Return what a worker needs of every job, catalogue, notebooks and pins, by the names in a package."""
    declared = [workbook.catalogue, workbook.notebooks, workbook.lock]
    return {path.relative_to(workbook.root).as_posix(): path for path in declared}


def _list_outputs(job: Job) -> dict[str, Path]:
    """Return the folders of an edition by the names that they have in a package, wherever they lie."""
    return {
        f"data/processed/{job.place}": job.processed,
        f".councilbook/restricted/{job.place}": job.restricted,
        f"reports/{job.place}": job.report,
        f".councilbook/runs/{job.place}": job.private,
    }


def _pack(paths: Mapping[str, Path]) -> bytes:
    """Pack files and folders, but for the files that lock an edition."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as package:
        for name, path in paths.items():
            if path.exists():
                package.add(path, name, filter=lambda one: None if one.name.endswith("/lock") else one)
    return stream.getvalue()


def _unpack(packed: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as package:
        package.extractall(folder, filter="data")


def _put_in_place(job: Job, result: JobResult, made: bytes) -> JobResult:
    """Put what a worker made in place here: all of it; of a job that failed, the notebook that did."""
    with hold_edition(job), open_staging(job) as staging:
        unpacked = staging.folder / "made"
        _unpack(made, unpacked)
        there = {name: unpacked / name for name in _list_outputs(job)}
        processed, restricted, report, private = there.values()
        if result.failure:
            return _keep_failed(job, result, private)
        record = read_record(private)
        if result.outcome == "made" and record:
            for target, folder in (
                (staging.processed, processed),
                (staging.restricted, restricted),
                (staging.report, report),
            ):
                shutil.rmtree(target, ignore_errors=True)
                shutil.move(folder, target) if folder.is_dir() else target.mkdir(parents=True)
            for executed in private.glob("*.ipynb"):
                shutil.move(executed, staging.executed(executed.stem))
            commit_edition(staging, record)
    return result


def _keep_failed(job: Job, result: JobResult, private: Path) -> JobResult:
    """Keep the notebook that failed on a worker for the analyst here."""
    assert result.failure
    kept = None
    for executed in private.glob("*.failed.ipynb"):
        kept = Path(shutil.move(executed, job.private / executed.name))
    return replace(result, failure=replace(result.failure, executed=kept))
