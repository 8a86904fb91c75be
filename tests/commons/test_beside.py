"""A study that reads what others release: whose figures it gets, when it runs, and when it has to run again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest

from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.errors import CatalogueError, CouncilbookError
from councilbook.gate.editions import find_beside
from councilbook.paths import Workbook
from councilbook.running import run as running
from councilbook.running.changes.stale import fingerprint_notebooks
from councilbook.running.jobs import Job, JobResult, plan_jobs
from councilbook.study import Study

JOINT = """
title: What others found
question: What is there?
default_council: south
notebooks:
  1_joint: {title: Joint, kind: build, after: [], beside: [home_counts], releases: []}
  2_report: {title: Report, kind: report}
"""


@pytest.fixture
def joint(workbook: Workbook) -> Catalogue:
    """The small workbook, and a study in it that reads what the small one releases."""
    folder = workbook.notebooks / "joint"
    folder.mkdir()
    (folder / "study.yaml").write_text(JOINT, encoding="utf-8")
    (workbook.catalogue / "joint.yaml").write_text("sources: []", encoding="utf-8")
    return load_catalogue(workbook)


def release_homes(council: str, homes: int) -> None:
    study = Study.open("small", "1_open", council, "sample", seed=7, run_date="2026-11-23")
    study.release("home_counts", pd.DataFrame({"lsoa_code": ["E01000001"], "homes": [homes]}))


def open_joint(council: str = "south", data: str = "sample") -> Study:
    return Study.open("joint", "1_joint", council, data, seed=7, run_date="2026-11-23")


@pytest.mark.usefixtures("joint")
def test_it_reads_its_own_councils_figures_or_else_those_of_the_case_study(joint: Catalogue) -> None:
    assert not open_joint().has_released("home_counts")
    release_homes("north", 5)
    study = open_joint()
    assert study.published("home_counts")["homes"].tolist() == [5]
    assert study.name_council("home_counts") == "North and more"
    release_homes("south", 6)
    study = open_joint()
    assert study.published("home_counts")["homes"].tolist() == [6]
    assert study.name_council("home_counts") == "South"
    assert not find_beside(joint, "home_counts", joint.council("south"), "real").exists()
    with pytest.raises(CouncilbookError, match="has not been released"):
        open_joint(data="real").published("home_counts")


def test_what_is_read_beside_has_to_be_open_and_anothers(workbook: Workbook, joint: Catalogue) -> None:
    assert joint.study("joint").is_last and not joint.study("small").is_last
    for name in ("client_flags", "ruleless"):
        (workbook.notebooks / "joint/study.yaml").write_text(JOINT.replace("home_counts", name), encoding="utf-8")
        load_catalogue.cache_clear()
        with pytest.raises(CatalogueError, match=rf"joint/study.yaml, notebook 1_joint: .*{name}"):
            load_catalogue(workbook)


def plan(catalogue: Catalogue) -> list[Job]:
    for study, names in {"joint": ("1_joint", "2_report"), "small": ("1_open", "2_closed", "3_report")}.items():
        for name in names:
            write_empty(catalogue, study, name)
    return plan_jobs(catalogue, ["joint", "small"], ["south"], today="2026-11-23")


def write_empty(catalogue: Catalogue, study: str, notebook: str) -> None:
    import nbformat

    common = "council: str = ''\ndata: str = ''\nmirror: str = ''\nseed: int = 1\nrun_date: str = ''"
    cell = nbformat.v4.new_code_cell(common, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), catalogue.workbook.notebooks / study / f"{notebook}.ipynb")


def test_it_runs_again_once_what_it_reads_has_changed(joint: Catalogue) -> None:
    job = plan(joint)[0]
    release_homes("north", 5)
    before = fingerprint_notebooks(job, joint)
    assert fingerprint_notebooks(job, joint) == before
    release_homes("north", 6)
    after = fingerprint_notebooks(job, joint)
    assert after["1_joint"] != before["1_joint"]


def test_it_runs_after_the_others_and_here_from_the_same_warm_process(
    joint: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves: list[list[str]] = []
    warm: list[Sequence[str]] = []

    def run_jobs(jobs: Sequence[Job], *_: Any, lines: list[Any]) -> list[JobResult]:
        waves.append([job.study for job in jobs])
        assert warm[0][-1] == "still there"
        return [JobResult(job, "made") for job in jobs if lines.pop(0)]

    @contextmanager
    def open_lines(count: int) -> Iterator[list[str]]:
        warm.append(lines := [*map(str, range(1, 1 + count)), "still there"])
        yield lines
        lines.append("ended")

    monkeypatch.setattr(running, "run_jobs", run_jobs)
    monkeypatch.setattr(running, "open_lines", open_lines)
    found = running.run_all(joint, plan(joint), 2, lambda _: None)
    assert waves == [["small"], ["joint"]]
    assert warm == [["still there", "ended"]]
    assert [result.edition.study for result in found] == ["joint", "small"]
