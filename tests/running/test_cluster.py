"""Jobs on a Dask cluster of two workers: as made here, byte for byte, and whole whatever happens to a worker."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from councilbook.catalogue import load_catalogue
from councilbook.errors import ParameterError
from councilbook.gate.editions import hash_folder
from councilbook.paths import Workbook
from councilbook.running.cluster import dask_jobs as cluster
from councilbook.running.jobs import JobResult, Step, plan_jobs
from councilbook.running.run import run_all, run_jobs
from councilbook.running.sources import find_sources
from tiny_workbook import make_workbook, run_plain, write_notebook

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
DAY = "2026-11-29"
NOBODY = "tcp://127.0.0.1:9"
LOSE = """import os, signal
from pathlib import Path
told = Path("MARK")
if not told.exists():
    told.touch()
    os.kill(os.getppid(), signal.SIGKILL)"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Two workers; a mirror that the environment names is not theirs, nor of one that takes a killed one's place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(cluster.MIRROR_VARIABLE, raising=False)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as workers:
            yield workers.scheduler_address


def run(workbook: Workbook, scheduler: str = "") -> list[JobResult]:
    catalogue = load_catalogue(workbook)
    jobs = plan_jobs(catalogue, ["tiny"], ["north", "south"], today=DAY)
    events: list[object] = []
    if scheduler:
        results = cluster.run_on_cluster(catalogue, jobs, scheduler, events.append, run_plain)
        is_new = any(result.outcome != "unchanged" for result in results)
        assert any(isinstance(event, Step) for event in events) == is_new
        assert [event for event in events if isinstance(event, JobResult)] == results
    else:
        results = run_jobs(jobs, 2, events.append, run_plain)
    return sorted(results, key=lambda result: result.edition.name)


def hash_outputs(workbook: Workbook) -> dict[str, dict[str, str]]:
    return {folder: hash_folder(workbook.root / folder) for folder in ("data/processed", "reports")}


def test_a_cluster_makes_what_a_run_here_makes_and_a_second_run_nothing(scheduler: str, tmp_path: Path) -> None:
    here, there = (make_workbook(tmp_path / name) for name in ("here", "there"))
    assert [result.outcome for result in run(here)] == ["made", "made"]
    assert [result.outcome for result in run(there, scheduler)] == ["made", "made"]
    assert hash_outputs(here) == hash_outputs(there)
    assert len(hash_outputs(there)["data/processed"]) == 4
    assert (there.private / "runs" / "tiny" / "north" / "sample" / "1_build.ipynb").exists()
    assert [result.outcome for result in run(there, scheduler)] == ["unchanged", "unchanged"]


def test_a_job_whose_worker_is_killed_is_run_on_another(scheduler: str, tmp_path: Path) -> None:
    workbook = make_workbook(tmp_path / "book")
    notebook = workbook.notebooks / "tiny" / "1_build.ipynb"
    release = "".join(json.loads(notebook.read_text())["cells"][-1]["source"])
    write_notebook(notebook, "size: int = 3  # how many", LOSE.replace("MARK", str(tmp_path / "told")), release)
    assert [result.outcome for result in run(workbook, scheduler)] == ["made", "made"]
    assert (tmp_path / "told").exists()
    assert len(hash_outputs(workbook)["data/processed"]) == 4


def test_a_notebook_that_fails_there_is_told_and_kept_here_and_nothing_else_is_changed(
    scheduler: str, tmp_path: Path
) -> None:
    workbook = make_workbook(tmp_path / "book")
    run(workbook)
    before = hash_outputs(workbook)
    write_notebook(workbook.notebooks / "tiny" / "1_build.ipynb", "size: int = 3  # how many", "raise ValueError('no')")
    results = run(workbook, scheduler)
    assert [result.outcome for result in results] == ["failed", "failed"]
    failure = results[0].failure
    assert failure and failure.notebook == "1_build" and failure.executed and failure.executed.exists()
    assert failure.executed.is_relative_to(workbook.root)
    assert hash_outputs(workbook) == before


def test_a_worker_with_another_file_is_refused_and_a_closed_file_never_leaves(scheduler: str, tmp_path: Path) -> None:
    workbook = make_workbook(tmp_path / "book")
    mirror = tmp_path / "mirror"
    (mirror / "england").mkdir(parents=True)
    (mirror / "england" / "counts.csv").write_text("n\n1\n")
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("sources: []", "sources: [open_counts]"))
    catalogue = load_catalogue(workbook)
    (job, _) = plan_jobs(catalogue, ["tiny"], ["north", "south"], today=DAY, mode="real", mirror=mirror)
    found = replace(job, sources=find_sources(catalogue, job, {}, lambda _: None))
    assert cluster.may_leave(found)
    (mirror / "england" / "counts.csv").write_text("n\n2\n")
    (result,) = cluster.run_on_cluster(catalogue, [found], scheduler, lambda _: None)
    assert result.failure and "has other files than the client of: open_counts" in result.failure.reason
    assert not workbook.processed.exists() or not list(workbook.processed.rglob("*.csv"))
    assert not cluster.may_leave(replace(found, sources={"closed_visits": "closed folder abc"}))


def test_a_worker_reads_its_own_mirror_where_it_is_the_same(scheduler: str, tmp_path: Path) -> None:
    workbook = make_workbook(tmp_path / "book")
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("sources: []", "sources: [open_counts]"))
    catalogue, mirrors = load_catalogue(workbook), [tmp_path / "client", tmp_path / "worker"]
    for mirror in mirrors:
        (mirror / "england").mkdir(parents=True)
        (mirror / "england" / "counts.csv").write_text("n\n1\n")
    (job, _) = plan_jobs(catalogue, ["tiny"], ["north", "south"], today=DAY, mode="real", mirror=mirrors[0])
    found = replace(job, sources=find_sources(catalogue, job, {}, lambda _: None))
    (mirrors[0] / "england" / "counts.csv").unlink()
    with distributed.Client(scheduler) as client:
        client.run(lambda: os.environ.update({cluster.MIRROR_VARIABLE: str(mirrors[1])}))
        try:
            (same,) = cluster.run_on_cluster(catalogue, [found], scheduler, lambda _: None, run_plain)
            (mirrors[1] / "england" / "counts.csv").write_text("n\n2\n")
            (other,) = cluster.run_on_cluster(catalogue, [found], scheduler, lambda _: None, run_plain)
        finally:
            client.run(lambda: os.environ.pop(cluster.MIRROR_VARIABLE, None))
    assert same.outcome == "made" and (workbook.processed / found.place).exists()
    assert other.failure and "has other files than the client of: open_counts" in other.failure.reason


def test_no_scheduler_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    workbook = make_workbook(tmp_path / "book")
    with pytest.raises(ParameterError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        run_all(
            load_catalogue(workbook), plan_jobs(load_catalogue(workbook), ["tiny"], [], today=DAY), 1, print, NOBODY
        )
    assert not (workbook.root / "data" / "processed").exists()
