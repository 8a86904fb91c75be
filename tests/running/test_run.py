"""Running jobs: what is made, what is left alone, what is told. A kernel takes a second, so few are started."""

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from councilbook import errors
from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.errors import CatalogueError, CheckError, CouncilbookError, NotebookError, ParameterError, SourceError
from councilbook.gate.editions import open_staging, read_record
from councilbook.paths import NOTEBOOK_VARIABLE, Workbook
from councilbook.running import making
from councilbook.running import run as running
from councilbook.running.changes.stale import find_stale, fingerprint_notebooks
from councilbook.running.jobs import Job, JobResult, Step, fill_parameters, plan_jobs
from councilbook.running.kernels.cells import log_to, set_variables
from councilbook.running.kernels.warm import open_lines
from councilbook.running.making import SAFE_ERRORS, run_job
from councilbook.running.rendering import rerender
from councilbook.running.run import run_jobs
from councilbook.running.sources import find_sources
from tiny_workbook import (
    RELEASE,
    copy_workbook,
    kill_north,
    make_plain_pages,
    make_workbook,
    meet,
    read_environment,
    released,
    run_plain,
    write_notebook,
)

DAY = "2026-11-23"


@pytest.fixture(scope="module", autouse=True)
def still_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that stands in for the library's source, so that nobody's editing it changes what is found here."""
    library = tmp_path_factory.mktemp("library") / "councilbook"
    library.mkdir()
    (library / "report.py").write_text("pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workbook, "library", library)
        yield library


@pytest.fixture(scope="module")
def made_once(still_library: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workbook, list[Step]]:
    """The study `tiny`, made for north on its sample; and the steps that were told."""
    workbook = make_workbook(tmp_path_factory.mktemp("made") / "book")
    steps: list[Step] = []
    with pytest.MonkeyPatch.context() as patch:
        use_plain_pages(patch)
        patch.delenv("OMP_NUM_THREADS", raising=False)
        patch.setenv("COUNCILBOOK_CLOSED", str(tmp_path_factory.mktemp("closed")))
        with open_lines(1) as [line]:
            result = run_job(plan(workbook), steps.append, line)
    assert result.outcome == "made", result.failure
    return workbook, steps


@pytest.fixture
def made(made_once: tuple[Workbook, list[Step]], tmp_path: Path) -> Workbook:
    """A copy of it to go on with."""
    return copy_workbook(made_once[0], tmp_path / "my {work} book")  # papermill fills in braces


@pytest.fixture
def fresh(tmp_path: Path) -> Workbook:
    return make_workbook(tmp_path / "book")


@pytest.fixture(autouse=True)
def plain_report(monkeypatch: pytest.MonkeyPatch) -> None:
    use_plain_pages(monkeypatch)


def use_plain_pages(patch: pytest.MonkeyPatch, publish: Callable[..., None] | None = None) -> None:
    for name, pages in make_plain_pages(publish).items():
        patch.setitem(sys.modules, name, pages)


def plan(workbook: Workbook, *parameters: str, today: str = DAY, **more: Any) -> Job:
    [job] = plan_jobs(load_catalogue(workbook), ["tiny"], ["north"], today=today, parameters=parameters, **more)
    return job


def stale(job: Job) -> list[str]:
    catalogue = load_catalogue(job.workbook)
    return find_stale(job, catalogue.study(job.study), fingerprint_notebooks(job, catalogue))


def ignore(event: object) -> None:
    """Take an event and do nothing."""


def edit(workbook: Workbook, notebook: str, old: str, new: str) -> None:
    path = workbook.notebooks / "tiny" / f"{notebook}.ipynb"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def declare_closed(workbook: Workbook) -> None:
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("sources: []", "sources: [closed_visits]"))


def snapshot(workbook: Workbook) -> dict[str, bytes]:
    folders = workbook.processed, workbook.reports, workbook.private / "runs"
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {str(file): file.read_bytes() for file in files if file.name not in ("run.log", "lock")}


# --- what a run makes ---


def test_a_run_puts_data_report_and_executed_notebooks_in_their_places(made: Workbook) -> None:
    assert released(made) == ["n", "2018"]
    page = (made.reports / "tiny" / "north" / "sample" / "index.html").read_text()
    assert page == f"2_report.ipynb of ['tiny_counts'] by {DAY}"
    kept = made.private / "runs" / "tiny" / "north" / "sample"
    assert {path.name for path in kept.glob("*.ipynb")} == {"1_build.ipynb", "2_report.ipynb"}
    assert list((made.private / "staging").iterdir()) == []


def test_every_cell_is_told(made_once: tuple[Workbook, list[Step]]) -> None:
    told = [(step.what, step.done, step.total) for step in made_once[1]]
    assert told == [("1_build", n, 7) for n in range(1, 8)] + [("2_report", n, 5) for n in range(1, 6)]


def test_a_kernel_works_in_its_notebooks_folder_and_writes_to_staging(made_once: tuple[Workbook, list[Step]]) -> None:
    workbook = made_once[0]
    seen = read_environment(workbook.private / "runs" / "tiny" / "north" / "sample" / "1_build.ipynb")
    assert seen["cwd"] == str(workbook.notebooks / "tiny")
    assert seen["COUNCILBOOK_ROOT"] == str(workbook.root)
    assert seen[NOTEBOOK_VARIABLE] == "tiny/1_build"
    assert seen["COUNCILBOOK_PROCESSED"].startswith(str(workbook.private / "staging" / "tiny-north-sample-"))
    assert "COUNCILBOOK_CLOSED" in seen
    assert seen["OMP_NUM_THREADS"] == "1"
    assert NOTEBOOK_VARIABLE not in os.environ


def test_the_environment_is_as_it_was_once_a_kernel_has_started_or_failed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNCILBOOK_CLOSED", "mine")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("IPYTHONDIR", raising=False)
    before = dict(os.environ)
    changes = {"COUNCILBOOK_CLOSED": None, "OMP_NUM_THREADS": "1", "IPYTHONDIR": "elsewhere"}
    for error in (None, ZeroDivisionError):
        with pytest.raises(error) if error else nullcontext(), set_variables(changes):
            assert {name: os.environ.get(name) for name in changes} == changes
            if error:
                raise error
        assert dict(os.environ) == before


def test_what_is_printed_and_logged_goes_to_the_screen_again_after_a_job(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    with pytest.raises(ZeroDivisionError), log_to(tmp_path / "run.log"):
        os.write(1, b"kept in\n")
        os.write(2, b"kept too\n")
        logging.getLogger("papermill").info("logged")
        raise ZeroDivisionError
    os.write(1, b"told")
    assert capfd.readouterr().out == "told"
    assert (root.level, root.handlers) == before
    text = (tmp_path / "run.log").read_text()
    assert all(part in text for part in ("kept in", "kept too", "INFO papermill: logged", "ZeroDivisionError"))


def test_a_report_notebook_is_told_of_no_closed_folder_and_no_mirror(made: Workbook, tmp_path: Path) -> None:
    kept = made.private / "runs" / "tiny" / "north" / "sample"
    assert "COUNCILBOOK_CLOSED" not in read_environment(kept / "2_report.ipynb")
    edit(made, "2_report", "What it does.", "What it does, said better.")
    assert run_job(plan(made, mirror=tmp_path), ignore).outcome == "made"
    assert read_environment(kept / "2_report.ipynb")["mirror"] == ""


# --- what has changed ---


def test_nothing_is_run_again_when_nothing_changed_and_a_new_day_is_no_change(made: Workbook) -> None:
    before = snapshot(made)
    result = run_job(plan(made, today="2026-12-24"), ignore)
    assert (result.outcome, result.since) == ("unchanged", DAY)
    assert snapshot(made) == before


def test_a_date_that_is_given_is_a_parameter_like_any_other(made: Workbook) -> None:
    assert stale(plan(made, run_date="2026-12-24")) == ["1_build", "2_report"]


def test_what_depends_on_a_change_is_run_again_and_no_more(made: Workbook) -> None:
    assert stale(plan(made)) == []
    assert stale(plan(made, "seed=7")) == ["1_build", "2_report"]
    assert stale(plan(made, "size=4")) == ["1_build", "2_report"]
    assert stale(plan(made, force=True)) == ["1_build", "2_report"]
    edit(made, "2_report", "What it does.", "What it does, said better.")
    assert stale(plan(made)) == ["2_report"]


@pytest.mark.parametrize("changed", ["requirements.lock", "notebooks/tiny/study.yaml", "data/catalogue/national.yaml"])
def test_lock_study_and_catalogue_count_as_inputs(made: Workbook, changed: str) -> None:
    with (made.root / changed).open("a") as file:
        file.write("\n# changed\n")
    assert stale(plan(made)) == ["1_build", "2_report"]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ("data/processed/tiny/north/sample/tiny_counts/tiny_counts.csv", ["1_build", "2_report"]),
        ("reports/tiny/north/sample/index.html", ["2_report"]),
        (".councilbook/runs/tiny/north/sample/2_report.ipynb", ["2_report"]),
        (".councilbook/runs/tiny/north/sample/record.json", ["1_build", "2_report"]),
    ],
)
def test_an_output_that_is_gone_is_made_again(made: Workbook, lost: str, expected: list[str]) -> None:
    (made.root / lost).unlink()
    assert stale(plan(made)) == expected


def test_outputs_in_a_notebook_file_are_no_change(made: Workbook) -> None:
    edit(made, "1_build", '"execution_count": null', '"execution_count": 5')
    assert stale(plan(made)) == []


def test_when_only_the_report_changed_the_build_notebook_is_not_run(made: Workbook) -> None:
    before = (made.private / "runs" / "tiny" / "north" / "sample" / "1_build.ipynb").read_bytes()
    edit(made, "2_report", "What it does.", "What it does, said better.")
    steps: list[Step] = []
    assert run_job(plan(made), steps.append).outcome == "made"
    assert {step.what for step in steps} == {"2_report"}
    assert (made.private / "runs" / "tiny" / "north" / "sample" / "1_build.ipynb").read_bytes() == before
    assert released(made) == ["n", "2018"]
    assert stale(plan(made)) == []


# --- what fails ---


def test_a_failing_cell_leaves_the_last_good_outputs_and_is_described(made: Workbook) -> None:
    before = snapshot(made)
    edit(made, "1_build", "earlier = ", "1 / 0\\nearlier = ")
    result = run_job(plan(made), ignore)
    assert result.outcome == "failed"
    assert result.failure
    assert result.failure.notebook == "1_build"
    assert result.failure.cell == "cell 6, under 'Part 2': import json, os"
    assert result.failure.reason == "ZeroDivisionError: division by zero"
    kept = made.private / "runs" / "tiny" / "north" / "sample" / "1_build.failed.ipynb"
    assert result.failure.executed == kept
    assert "ZeroDivisionError" in kept.read_text()
    kept.unlink()
    assert snapshot(made) == before
    assert list((made.private / "staging").iterdir()) == []


def test_an_error_beside_a_closed_source_shows_its_type_alone(fresh: Workbook) -> None:
    declare_closed(fresh)
    edit(fresh, "1_build", "earlier = ", "raise KeyError('Ann Example')\\nearlier = ")
    failure = run_job(plan(fresh), ignore).failure
    assert failure
    assert failure.reason.startswith("KeyError: its message may show a record")
    assert "Ann Example" not in str(failure)
    assert failure.executed
    assert "Ann Example" in failure.executed.read_text()


def test_an_error_of_ours_beside_a_closed_source_is_shown(fresh: Workbook) -> None:
    declare_closed(fresh)
    code = "from councilbook.errors import CheckError\\nraise CheckError('Row 3: expected a date')\\n"
    edit(fresh, "1_build", "earlier = ", f"{code}earlier = ")
    failure = run_job(plan(fresh), ignore).failure
    assert failure
    assert failure.reason == "CheckError: Row 3: expected a date"


def test_a_kernel_that_dies_is_described_and_its_notebook_kept(fresh: Workbook) -> None:
    edit(fresh, "1_build", "earlier = ", "os._exit(1)\\nearlier = ")
    failure = run_job(plan(fresh), ignore).failure
    assert failure
    assert failure.reason == "DeadKernelError: Kernel died"
    assert failure.cell == "cell 6, under 'Part 2': import json, os"
    assert failure.executed
    assert "cwd" in failure.executed.read_text()


def test_a_release_that_study_yaml_promises_and_the_notebook_does_not_keep_is_an_error(made: Workbook) -> None:
    before = released(made)
    edit(made, "1_build", '(folder / \\"datapackage.json\\")', '(folder / \\"package.json\\")')
    failure = run_job(plan(made), ignore).failure
    assert failure
    assert (failure.notebook, failure.cell) == ("1_build", None)
    assert "did not release tiny_counts" in failure.reason
    assert released(made) == before


def test_a_page_that_is_refused_fails_the_report_notebook(made: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise NotebookError("a picture has no text alternative")

    use_plain_pages(monkeypatch, refuse)
    (made.reports / "tiny" / "north" / "sample" / "index.html").unlink()
    failure = run_job(plan(made), ignore).failure
    assert failure
    assert (failure.notebook, failure.reason) == ("2_report", "a picture has no text alternative")


def test_two_runs_at_once_of_the_same_study_and_council_are_told_apart(made: Workbook) -> None:
    with FileLock(made.private / "runs" / "tiny" / "north" / "sample" / "lock"):
        failure = run_job(plan(made, force=True), ignore).failure
    assert failure
    assert failure.reason.startswith("tiny/north/sample is being made by another run.")


def test_what_a_killed_run_left_is_mended(made: Workbook) -> None:
    target = made.processed / "tiny" / "north" / "sample"
    target.rename(target.with_name(".sample.old"))
    left = made.private / "staging" / "tiny-north-sample-abc"
    left.mkdir()
    assert run_job(plan(made), ignore).outcome == "unchanged"
    assert released(made) == ["n", "2018"]
    with open_staging(plan(made)):
        assert not left.exists()


def test_a_sample_and_a_real_run_lie_side_by_side_and_neither_touches_the_other(made: Workbook) -> None:
    before = snapshot(made)
    result = run_job(plan(made, "seed=7", mode="real"), ignore)
    assert result.outcome == "made", result.failure
    assert released(made) == ["n", "2018"]
    assert released(made, data="real") == ["n", "7"]
    now = snapshot(made)
    assert {path: now[path] for path in before} == before
    assert all("real" in Path(path).parts for path in now.keys() - before.keys())
    assert run_job(plan(made), ignore).outcome == "unchanged"


def test_outputs_of_a_version_that_kept_sample_and_real_together_are_told_and_left_alone(made: Workbook) -> None:
    from councilbook.gate.editions import describe_old_outputs

    assert describe_old_outputs(made) == ""
    shutil.copytree(made.processed / "tiny" / "north" / "sample", made.processed / "tiny" / "south")
    (made.reports / "other" / "south").mkdir(parents=True)
    (made.reports / "other" / "south" / "report.json").write_text("{}")
    told = describe_old_outputs(made)
    assert f"{made.processed / 'tiny' / 'south'}, {made.reports / 'other' / 'south'}. " in told
    assert "north" not in told


def test_a_kernel_that_could_not_start_is_started_again(made: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = []

    def start(original: Path, executed: Path, *rest: object) -> None:
        starts.append(original.stem)
        if len(starts) < 3:
            raise RuntimeError("Kernel died before replying to kernel_info")
        shutil.copy(original, executed)

    monkeypatch.setattr(making, "run_cells", start)
    monkeypatch.setattr(making, "KERNEL_STARTS", 3)
    (made.reports / "tiny" / "north" / "sample" / "index.html").unlink()
    assert run_job(plan(made), ignore).outcome == "made"
    assert starts == ["2_report"] * 3


def test_why_a_kernel_cannot_start_is_logged(fresh: Workbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit('no module named so')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    failure = run_job(plan(fresh), ignore).failure
    assert failure
    assert failure.cell is None
    assert "The kernel said: no module named so" in (plan(fresh).private / "run.log").read_text()


def test_a_kernel_that_never_starts_fails_without_a_cell(made: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*given: object) -> None:
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(making, "run_cells", start)
    failure = run_job(plan(made, force=True), ignore).failure
    assert failure
    assert (failure.cell, failure.executed) == (None, None)
    assert failure.reason == "RuntimeError: Kernel died before replying to kernel_info"


# --- several jobs ---


def test_two_councils_are_made_in_processes_of_their_own(fresh: Workbook) -> None:
    jobs = plan_jobs(load_catalogue(fresh), ["tiny"], ["north,south"], today=DAY)
    events: list[Step | JobResult] = []
    results = run_jobs(jobs, 2, events.append, run_plain)
    assert [(result.edition.council.slug, result.outcome) for result in results] == [
        ("north", "made"),
        ("south", "made"),
    ]
    assert released(fresh, council="south") == ["n", "2018"]
    told = {(event.job.council.slug, event.what) for event in events if isinstance(event, Step)}
    assert told == {(slug, what) for slug in ("north", "south") for what in ("1_build", "2_report")}


def test_jobs_wait_for_no_other_if_they_may_run_at_once(fresh: Workbook) -> None:
    jobs = plan_jobs(load_catalogue(fresh), ["tiny"], ["north,south"], today=DAY)
    assert [result.outcome for result in run_jobs(jobs, 2, ignore, meet)] == ["made", "made"]


def test_a_process_that_is_killed_fails_its_own_job_alone(fresh: Workbook) -> None:
    jobs = plan_jobs(load_catalogue(fresh), ["tiny", "other"], ["north", "south"], today=DAY)
    results = run_jobs(jobs, 2, ignore, kill_north)
    assert [result.outcome for result in results] == ["failed", "made", "failed", "made"]
    assert results[0].failure
    assert "exit code 9" in results[0].failure.reason


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot be asked to stop")
def test_an_interrupted_run_ends_its_kernel_and_leaves_no_staging(fresh: Workbook, tmp_path: Path) -> None:
    mark = tmp_path / "kernel"
    waits = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    write_notebook(fresh.notebooks / "tiny" / "1_build.ipynb", "size: int = 3", waits, "pass")

    def interrupt(event: Step | JobResult) -> None:
        if isinstance(event, Step) and event.done == 5:
            wait_for(lambda: mark.exists() and bool(mark.read_text()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs([plan(fresh)], 1, interrupt, run_plain)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    assert list((fresh.private / "staging").iterdir()) == []
    assert not fresh.processed.exists()


def wait_for(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.02)


# --- real sources ---


def test_real_sources_are_found_and_read_once_for_their_checksum(fresh: Workbook, tmp_path: Path) -> None:
    use_real_source(fresh)
    mirror = tmp_path / "mirror" / "england"
    mirror.mkdir(parents=True)
    (mirror / "counts.csv").write_text("n\n1\n")
    job = plan(fresh, mode="real", mirror=mirror.parent)
    checksums: dict[Path, str] = {}
    found = find_sources(load_catalogue(fresh), job, checksums, ignore)
    assert found == {"open_counts": f"mirror {checksums[mirror / 'counts.csv']}"}
    (mirror / "counts.csv").write_text("n\n2\n")
    assert find_sources(load_catalogue(fresh), job, checksums, ignore) == found
    assert find_sources(load_catalogue(fresh), job, {}, ignore) != found


def test_an_open_source_that_is_nowhere_is_named(fresh: Workbook) -> None:
    use_real_source(fresh)
    with pytest.raises(SourceError, match="open_counts"):
        find_sources(load_catalogue(fresh), plan(fresh, mode="real"), {}, ignore)


def test_a_source_that_is_nowhere_fails_its_job_before_a_process_starts(fresh: Workbook) -> None:
    use_real_source(fresh)
    [result] = running.run_all(load_catalogue(fresh), [plan(fresh, mode="real")], 1, ignore)
    assert result.failure
    assert "open_counts" in result.failure.reason
    assert "`councilbook fetch tiny`" in result.failure.reason
    assert not fresh.private.exists()


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A closed folder with the file of another council."""
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "visits_south.csv").write_text("n\n1\n")
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(folder))
    return folder


def list_notes(job: Job) -> list[str]:
    told: list[Any] = []
    find_sources(load_catalogue(job.workbook), job, {}, told.append)
    return [event.text for event in told]


def test_a_closed_file_that_is_missing_stops_the_run_before_anything_is_written(fresh: Workbook, closed: Path) -> None:
    declare_closed(fresh)
    [result] = running.run_all(load_catalogue(fresh), [plan(fresh, mode="real")], 1, ignore)
    assert result.failure
    assert "Source closed_visits (Closed visits) is not in the closed folder" in result.failure.reason
    assert "visits_south.csv" in result.failure.reason
    assert "--allow-stand-ins" in result.failure.reason
    assert not fresh.private.exists()
    assert sorted(file.name for file in closed.iterdir()) == ["visits_south.csv"]


def test_a_run_begins_by_saying_which_closed_files_it_found_and_what_stands_in(fresh: Workbook, closed: Path) -> None:
    declare_closed(fresh)
    notes = list_notes(plan(fresh, mode="real", stand_ins=True))
    missing = (
        f"closed folder {closed}: no file of this study",
        "closed_visits: not there; a SYNTHETIC twin stands in for it",
    )
    assert notes == [*missing, "not read: visits_south.csv"]
    (closed / "visits_north.csv").write_text("n\n1\n")
    there = list_notes(plan(fresh, mode="real"))
    assert there == [f"closed folder {closed}: visits_north.csv (closed_visits)", "not read: visits_south.csv"]


def test_a_closed_folder_that_is_not_there_stops_everything(fresh: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(fresh.root.parent / "clsoed"))
    with pytest.raises(CouncilbookError, match="clsoed, and there is no such folder"):
        plan(fresh)


def test_a_file_that_is_another_councils_is_refused_before_the_first_notebook(
    fresh: Workbook, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(study: object, found: FoundFile) -> None:
        raise (
            CheckError(f"{found.path.name} is of the south.")
            if found.path.name.endswith(".csv")
            else KeyError("Ms Roe")
        )

    monkeypatch.setitem(sys.modules, "judge", SimpleNamespace(refuse=refuse))
    declare_closed(fresh)
    tiny = fresh.catalogue / "tiny.yaml"
    declared = tiny.read_text().replace("    format: csv\n    tables: {visits", "    format: file\n    tables: {visits")
    formats = '    file: visits.csv\n    formats: [csv, ods]\n    owner: "judge:refuse"\n'
    tiny.write_text(declared.replace("    file: visits.csv\n", formats))
    for ending, told in (("csv", "visits_north.csv is of the south."), ("ods", "it cannot be read (KeyError).")):
        (closed / f"visits_north.{ending}").write_text("n\n1\n")
        result = run_job(plan(fresh, mode="real"), ignore)
        assert result.failure
        assert told in result.failure.reason
        assert result.failure.notebook is None
        (closed / f"visits_north.{ending}").unlink()


def use_real_source(workbook: Workbook) -> None:
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("sources: []", "sources: [open_counts]"))


# --- planning and rendering again ---


def test_a_job_is_planned_for_each_study_and_council_once(fresh: Workbook) -> None:
    catalogue = load_catalogue(fresh)
    jobs = plan_jobs(catalogue, [], [], today=DAY)
    assert [job.name for job in jobs] == ["other/north/sample", "tiny/north/sample"]
    jobs = plan_jobs(catalogue, ["tiny"], ["south,E06000001", "north", "E06000009"], today=DAY)
    assert [job.council.slug for job in jobs] == ["south", "north", "blackpool"]


def test_a_council_s_name_may_have_a_comma_and_a_notebook_finds_it_again(fresh: Workbook) -> None:
    catalogue = load_catalogue(fresh)
    texts = ["Bournemouth, Christchurch and Poole", "Kent, Leeds", "E06000901+E07000105"]
    jobs = plan_jobs(catalogue, ["tiny"], texts, today=DAY)
    assert [job.council.slug for job in jobs] == [
        *("bournemouth_christchurch_and_poole", "kent", "leeds", "e06000901_e07000105")
    ]
    for job in jobs:
        given = fill_parameters(job, catalogue, "1_build", {})["council"]
        assert catalogue.council(str(given)) == job.council


def test_a_parameter_must_be_known_in_every_study(fresh: Workbook) -> None:
    write_notebook(fresh.notebooks / "tiny" / "1_build.ipynb", "size: int = 3\nshare: float = 0.5")
    catalogue = load_catalogue(fresh)
    [job] = plan_jobs(catalogue, ["tiny"], [], today=DAY, parameters=["share=0.2", "seed=5"])
    assert (job.parameters, job.seed) == ({"share": 0.2, "seed": 5}, 5)
    with pytest.raises(ParameterError, match="Study other: No parameter 'share'"):
        plan_jobs(catalogue, [], [], today=DAY, parameters=["share=0.2"])


def test_an_unknown_study_is_named_with_the_near_miss(fresh: Workbook) -> None:
    with pytest.raises(CatalogueError, match="Did you mean tiny"):
        plan_jobs(load_catalogue(fresh), ["tinny"], [], today=DAY)


def test_a_report_is_rendered_again_from_what_was_kept(made: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(executed: Path, *rest: Any) -> None:
        run_date, _, target, _ = rest[-4:]
        target.mkdir()
        (target / "index.html").write_text(f"new look, {rest[2].slug}, {run_date}")

    use_plain_pages(monkeypatch, publish)
    [result] = rerender(load_catalogue(made), [], [])
    assert (result.edition.name, result.outcome) == ("tiny/north/sample", "made")
    assert (made.reports / "tiny" / "north" / "sample" / "index.html").read_text() == f"new look, north, {DAY}"
    assert released(made) == ["n", "2018"]
    assert stale(plan(made)) == []
    assert rerender(load_catalogue(made), [], [], "real") == []


def test_a_report_is_not_rendered_beside_datasets_that_it_does_not_show(made: Workbook) -> None:
    (made.processed / "tiny" / "north" / "sample" / "tiny_counts" / "tiny_counts.csv").write_text("n\n7\n")
    [result] = rerender(load_catalogue(made), [], [])
    assert result.failure
    assert result.failure.reason.startswith("The datasets of tiny/north/sample have changed since its report was run.")


def test_a_report_that_was_never_run_cannot_be_rendered(made: Workbook) -> None:
    [result] = rerender(load_catalogue(made), ["tiny"], ["south"])
    assert result.failure
    assert "Nothing is kept of a run of tiny/south/sample" in result.failure.reason


def test_a_record_of_another_version_counts_as_none(made: Workbook) -> None:
    (made.private / "runs" / "tiny" / "north" / "sample" / "record.json").write_text('{"version": 2}')
    assert read_record(plan(made).private) is None


# --- datasets that are not open ---


def test_what_is_not_open_goes_to_the_closed_folder_once_all_is_made(
    fresh: Workbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(closed))
    held = "{rule: held, readers: the housing team, approver: A lead}"
    catalogue, study = fresh.catalogue / "tiny.yaml", fresh.notebooks / "tiny" / "study.yaml"
    flags = f"""
  - {{id: tiny_flags, title: Flags, description: Flags, classification: closed, licence: OGL-UK-3.0, key: [n],
     disclosure: {held}, fields: {{n: {{type: integer, description: Count}}}}}}
"""
    catalogue.write_text(catalogue.read_text() + flags)
    study.write_text(study.read_text().replace("[tiny_counts]", "[tiny_counts, tiny_flags]"))
    code = """import os
from pathlib import Path
flags = Path(os.environ["COUNCILBOOK_RESTRICTED"]) / "tiny" / council / data / "tiny_flags"
flags.mkdir(parents=True)
(flags / "datapackage.json").write_text("{}")"""
    release = RELEASE.replace("STUDY", "tiny")
    write_notebook(fresh.notebooks / "tiny" / "1_build.ipynb", "size: int = 3  # how many", release, code)
    target = closed / "outputs" / "tiny" / "north" / "sample" / "tiny_flags" / "datapackage.json"
    report = fresh.notebooks / "tiny" / "2_report.ipynb"
    whole = report.read_text()
    report.write_text(whole.replace("print(json", "raise SystemError\\nprint(json"))
    assert run_job(plan(fresh), ignore).outcome == "failed"
    assert list(closed.rglob("*")) == []
    report.write_text(whole)
    assert run_job(plan(fresh), ignore).outcome == "made"
    assert target.exists()
    assert not (fresh.processed / "tiny" / "north" / "sample" / "tiny_flags").exists()
    assert "COUNCILBOOK_RESTRICTED" not in read_environment(plan(fresh).executed("2_report"))
    assert run_job(plan(fresh), ignore).outcome == "unchanged"
    target.unlink()
    assert stale(plan(fresh)) == ["1_build", "2_report"]


# --- notebooks side by side ---


def test_notebooks_that_do_not_wait_for_each_other_run_at_the_same_time(fresh: Workbook) -> None:
    """Each waits for a file that the other writes; one after the other they would fail."""
    meet_other = """import os, time
from pathlib import Path
folder = Path(os.environ["COUNCILBOOK_PROCESSED"])
(folder / "NAME_is_here").touch()
end = time.monotonic() + 30
while not (folder / "OTHER_is_here").exists():
    assert time.monotonic() < end, "nobody came"
    time.sleep(0.05)"""
    folder = fresh.notebooks / "tiny"
    release = RELEASE.replace("STUDY", "tiny")
    code = meet_other.replace("NAME", "first").replace("OTHER", "second")
    write_notebook(folder / "1_build.ipynb", "size: int = 3  # how many", code, release)
    code = meet_other.replace("NAME", "second").replace("OTHER", "first")
    write_notebook(folder / "1b_more.ipynb", "", "import os\nprint(os.environ['COUNCILBOOK_NOTEBOOK'])", code)
    study = folder / "study.yaml"
    more = "  1b_more: {title: More, kind: build, after: []}\n  2_report:"
    study.write_text(study.read_text().replace("  2_report:", more))
    result = run_job(replace(plan(fresh), at_once=2), ignore)
    assert result.outcome == "made", result.failure
    assert released(fresh) == ["n", "2018"]
    assert "tiny/1b_more" in plan(fresh).executed("1b_more").read_text()  # each kernel has an environment of its own
    assert NOTEBOOK_VARIABLE not in os.environ


def test_of_notebooks_side_by_side_one_that_fails_is_told_and_nothing_is_changed(fresh: Workbook) -> None:
    folder = fresh.notebooks / "tiny"
    write_notebook(folder / "1b_more.ipynb", "", "raise SystemError('too bad')")
    study = folder / "study.yaml"
    more = "  1b_more: {title: More, kind: build, after: []}\n  2_report:"
    study.write_text(study.read_text().replace("  2_report:", more))
    failure = run_job(replace(plan(fresh), at_once=2), ignore).failure
    assert failure
    assert (failure.notebook, failure.reason) == ("1b_more", "SystemError: too bad")
    assert not (fresh.processed / "tiny").exists()


def test_every_error_of_ours_says_what_is_wrong_without_a_record() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert {one.__name__ for one in kinds} == SAFE_ERRORS
    assert "NotThereError" in SAFE_ERRORS  # also where one is a kind of another
