"""Parts of an edition that cannot be made: what is left out, what is said, what is kept of before, what still fails."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from councilbook import cli
from councilbook.catalogue import Finder, load_catalogue
from councilbook.errors import SourceError
from councilbook.gate.editions import read_record
from councilbook.paths import Workbook
from councilbook.running import run as running
from councilbook.running.changes.stale import fingerprint_notebooks
from councilbook.running.jobs import Job, JobResult, plan_jobs
from councilbook.running.making import run_job
from councilbook.running.parts import find_absent
from tiny_workbook import RELEASE, make_plain_pages, make_workbook, run_in_process, write_notebook

TOO_FEW = "from councilbook.errors import TooFewError\nraise TooFewError('Too few visits: 50 are needed.')"
NOTEBOOKS = {
    "1_build": {"title": "Build", "kind": "build", "releases": ["tiny_counts"]},
    "2_visits": {"title": "Visits", "kind": "build", "optional": True, "sources": ["closed_visits"], "after": []},
    "3_trend": {"title": "Trend of visits", "kind": "build", "optional": True, "after": ["2_visits"]},
    "4_report": {"title": "Report", "kind": "report"},
}
SECOND = {
    "id": "tiny_visits",
    "title": "Visits",
    "description": "Visits",
    "classification": "open",
    "licence": "OGL-UK-3.0",
    "key": ["n"],
    "fields": {"n": {"type": "integer", "description": "Count"}},
}


def edit_yaml(file: Path, change: Any) -> None:
    content = yaml.safe_load(file.read_text())
    change(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbook:
    """A study with an optional notebook that reads a closed file, one that goes on from it, and a report of both."""
    workbook = make_workbook(tmp_path / "book")
    monkeypatch.setattr(Workbook, "library", tmp_path)
    for name, pages in make_plain_pages().items():
        monkeypatch.setitem(sys.modules, name, pages)
    folder = workbook.notebooks / "tiny"
    NOTEBOOKS["2_visits"]["releases"] = ["tiny_visits"]
    edit_yaml(folder / "study.yaml", lambda study: study.update(notebooks=NOTEBOOKS))
    edit_yaml(workbook.catalogue / "tiny.yaml", lambda tiny: tiny["datasets"].append(SECOND))
    (folder / "2_report.ipynb").unlink()
    write_visits(workbook)
    write_notebook(folder / "3_trend.ipynb", "", "print('trend')")
    write_notebook(folder / "4_report.ipynb", "", "print('all')", "print('visits')", "print('sure')")
    report = json.loads((folder / "4_report.ipynb").read_text())
    heading = next(cell for cell in report["cells"] if "".join(cell["source"]).startswith("## Part 2"))
    heading["metadata"]["tags"] = ["part-2_visits"]
    (folder / "4_report.ipynb").write_text(json.dumps(report))
    return workbook


def write_visits(workbook: Workbook, *codes: str) -> None:
    release = RELEASE.replace("STUDY_counts", "tiny_visits").replace("STUDY", "tiny").replace("size", "seed")
    write_notebook(workbook.notebooks / "tiny" / "2_visits.ipynb", "", release, *codes)


def plan(workbook: Workbook, **more: Any) -> Job:
    return plan_jobs(load_catalogue(workbook), ["tiny"], ["north"], today="2026-11-23", **more)[0]


def run(workbook: Workbook, **more: Any) -> JobResult:
    return run_job(plan(workbook, **more), lambda event: None)


def list_released(workbook: Workbook) -> set[str]:
    return {folder.name for folder in (workbook.processed / "tiny" / "north" / "sample").iterdir()}


def test_a_part_with_too_few_records_is_left_out_with_what_goes_on_from_it_and_the_report_says_so(
    book: Workbook,
) -> None:
    write_visits(book, TOO_FEW)  # after it has released
    result = run(book)
    assert result.outcome == "made"
    assert result.left_out["2_visits"].reason == "TooFewError: Too few visits: 50 are needed."
    assert result.left_out["3_trend"].shown == "It goes on from a part that is left out: Visits."
    assert list_released(book) == {"tiny_counts"}
    kept = book.private / "runs" / "tiny" / "north" / "sample"
    assert {file.name for file in kept.glob("*.ipynb")} == {"1_build.ipynb", "4_report.ipynb"}
    texts = ["".join(cell["source"]) for cell in json.loads((kept / "4_report.ipynb").read_text())["cells"]]
    assert "## Part 2\n\n**This part is left out.** The records are too few for it." in texts
    assert "print('visits')" not in texts
    assert "print('sure')" in texts
    assert "Not on this page: Visits.** The records are too few" in texts[-1]
    assert run(book).outcome == "unchanged"
    assert run(book).left_out == result.left_out


def test_a_part_whose_files_are_of_two_linkages_is_left_out_and_the_page_says_so(book: Workbook) -> None:
    write_visits(book, "from councilbook.errors import *\nraise NotLinkedError('Source x: 7 rows are of no home.')")
    left_out = run(book).left_out
    assert left_out["2_visits"].shown.startswith("Two files that it needs are not of one linkage")
    told = (book.private / "runs" / "tiny" / "north" / "sample" / "4_report.ipynb").read_text()
    assert left_out["2_visits"].shown in told
    assert "7 rows" not in told


def test_what_is_not_optional_goes_on_without_a_part_and_the_report_says_what_is_not_told(book: Workbook) -> None:
    write_visits(book, "from councilbook.errors import *\nraise NotToldError('The log has no days. Ask for one.')")
    edit_yaml(
        book.notebooks / "tiny" / "study.yaml", lambda study: study["notebooks"]["3_trend"].update(optional=False)
    )
    opened = "from councilbook.study import Study\nmore = {'seed': 1, 'run_date': '2026-01-01'}\n"
    opened += "study = Study.open('tiny', '3_trend', council, data, **more)\n"
    asked = "print([study.has_released(name) for name in ('tiny_counts', 'tiny_visits')])"
    write_notebook(book.notebooks / "tiny" / "3_trend.ipynb", "", opened + asked)
    result = run(book)
    assert result.outcome == "made"
    assert {name: why.shown for name, why in result.left_out.items()} == {"2_visits": "The log has no days."}
    kept = book.private / "runs" / "tiny" / "north" / "sample"
    assert "[True, False]" in (kept / "3_trend.ipynb").read_text()
    assert "**This part is left out.** The log has no days." in (kept / "4_report.ipynb").read_text()


@pytest.mark.parametrize("error", ["CheckError('no')", "ZeroDivisionError('no')", "SourceError('no')"])
def test_a_fault_in_an_optional_part_fails_the_run_as_any(book: Workbook, error: str) -> None:
    write_visits(book, f"from councilbook.errors import *\nraise {error}")
    result = run(book)
    assert result.outcome == "failed"
    assert result.failure and result.failure.notebook == "2_visits"
    assert not book.processed.exists()


def test_too_few_records_fail_a_run_that_cannot_do_without_them(book: Workbook) -> None:
    write_notebook(book.notebooks / "tiny" / "1_build.ipynb", "size: int = 3  # how many", TOO_FEW)
    result = run(book)
    assert result.failure and result.failure.notebook == "1_build"


def test_what_was_released_once_is_taken_back_and_known_when_the_part_is_there_again(book: Workbook) -> None:
    run(book)
    assert list_released(book) == {"tiny_counts", "tiny_visits"}
    write_visits(book, TOO_FEW)
    assert set(run(book).left_out) == {"2_visits", "3_trend"}
    assert list_released(book) == {"tiny_counts"}
    write_visits(book)
    result = run(book, parameters=["seed=7"])
    assert not result.left_out
    code = json.loads((book.private / "runs" / "tiny" / "north" / "sample" / "2_visits.ipynb").read_text())["cells"]
    said = "".join(text for cell in code for output in cell.get("outputs", []) for text in output.get("text", []))
    assert "earlier ['n', '2018']" in said
    assert not list((book.private / "runs" / "tiny" / "north" / "sample" / "withdrawn").iterdir())


def test_a_run_without_a_closed_file_leaves_out_what_needs_it_and_says_it_by_its_exit_code(
    book: Workbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "closed").mkdir()
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path / "closed"))
    monkeypatch.setattr(running, "run_jobs", run_in_process)
    monkeypatch.chdir(book.root)
    with pytest.raises(SystemExit) as ended:
        cli.app(["run", "tiny", "--council", "north", "--data", "real"])
    assert ended.value.code == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "closed_visits: not there; what needs it is left out" in said
    assert "2_visits is left out" in said
    assert "visits_north.csv" in said
    record = read_record(book.private / "runs" / "tiny" / "north" / "real")
    assert record
    assert record.left_out["2_visits"].shown == "Missing file: Closed visits."
    stands_in = plan(book, mode="real", stand_ins=True)
    assert find_absent(load_catalogue(book), "tiny", make_finder(stands_in)) == {}
    assert set(fingerprint_notebooks(stands_in, load_catalogue(book)).values()).isdisjoint(record.notebooks.values())


COUNTED = SECOND | {
    "key": ["ward"],
    "disclosure": {
        "rule": "counts",
        "counts": ["visits"],
        "totals": {"ward": "all"},
        "published_totals": "rounded",
        "because": "The true totals are wanted.",
    },
    "fields": {
        "ward": {"description": "Ward"},
        "visits": {"type": "integer", "required": False, "description": "Visits"},
        "is_suppressed": {"type": "boolean", "description": "Whether it is hidden"},
    },
}


def count_visits(workbook: Workbook, **visits: int) -> None:
    opened = "import pandas as pd\nfrom councilbook.study import Study\n"
    opened += "study = Study.open('tiny', '2_visits', council, data, seed=1, run_date=run_date)\n"
    rows = {"ward": [*visits, "all"], "visits": [*visits.values(), sum(visits.values())]}
    released = f"study.release('tiny_visits', pd.DataFrame({rows}))"
    write_notebook(workbook.notebooks / "tiny" / "2_visits.ipynb", "", opened + released)


def test_a_dataset_that_cannot_leave_beside_its_last_version_is_held_back_alone(
    book: Workbook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_yaml(book.catalogue / "tiny.yaml", lambda tiny: tiny["datasets"].__setitem__(-1, COUNTED))
    count_visits(book, A=30, B=24)
    assert not run(book).left_out
    for again in range(2):  # the second time, the version before is the one that is kept aside
        count_visits(book, A=30, B=23, C=4 - again)
        result = run(book)
        assert result.outcome == "made"
        assert list(result.left_out) == ["tiny_visits"]
        assert list_released(book) == {"tiny_counts"}
        kept = book.private / "runs" / "tiny" / "north" / "sample"
        assert "30" in (kept / "withdrawn" / "tiny_visits" / "tiny_visits.csv").read_text()
        assert str(kept / "withdrawn" / "tiny_visits") in result.left_out["tiny_visits"].reason
        told = (kept / "4_report.ipynb").read_text()
        assert "Not on this page: Visits.** What was published before would give" in told
        assert "print('visits')" in told
    assert (kept / "3_trend.ipynb").exists()
    assert run(book).left_out == result.left_out
    monkeypatch.setattr(running, "run_jobs", run_in_process)
    monkeypatch.chdir(book.root)
    with pytest.raises(SystemExit) as ended:
        cli.app(["run", "tiny", "--council", "north", "--run-date", "2026-11-24"])
    assert ended.value.code == 3
    said = capsys.readouterr().out
    assert "tiny_visits is left out" in said and "- tiny_visits" not in said
    count_visits(book, A=30, B=24)
    assert not run(book).left_out
    assert list_released(book) == {"tiny_counts", "tiny_visits"}


def test_a_part_is_left_out_whole_if_something_rests_on_the_dataset_that_cannot_leave(book: Workbook) -> None:
    edit_yaml(book.catalogue / "tiny.yaml", lambda tiny: tiny["datasets"].__setitem__(-1, COUNTED))
    count_visits(book, A=30, B=24)
    run(book)
    write_notebook(book.notebooks / "tiny" / "3_trend.ipynb", "", "name = 'tiny_visits'")
    count_visits(book, A=30, B=23, C=4)
    result = run(book)
    assert list(result.left_out) == ["2_visits", "3_trend"]
    assert list_released(book) == {"tiny_counts"}


def make_finder(job: Job) -> Finder:
    return Finder(load_catalogue(job.workbook), job.mode, job.council, job.seed, None, job.stand_ins)


def test_a_synthetic_file_beside_a_real_one_of_the_same_records_is_refused_before_anything_runs(
    book: Workbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(tiny: dict[str, Any]) -> None:
        closed = next(one for one in tiny["sources"] if one["id"] == "closed_visits")
        closed["belongs_with"] = "visitors"
        tiny["sources"].append({**closed, "id": "closed_persons", "file": "persons.csv"})

    edit_yaml(book.catalogue / "tiny.yaml", add)
    edit_yaml(
        book.notebooks / "tiny" / "study.yaml",
        lambda study: study["notebooks"]["3_trend"].update(sources=["closed_persons"]),
    )
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "persons_north.csv").write_text("n\n1\n")
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(closed))
    [result] = running.run_all(load_catalogue(book), [plan(book, mode="real", stand_ins=True)], 1, lambda event: None)
    assert result.failure
    for told in ("closed_visits would be synthetic", "closed_persons (persons_north.csv) is real", "visits_north.csv"):
        assert told in result.failure.reason
    assert not book.processed.exists()
    left = find_absent(load_catalogue(book), "tiny", make_finder(plan(book, mode="real")))
    assert list(left) == ["2_visits"]
    (closed / "persons_north.csv").unlink()
    assert find_absent(load_catalogue(book), "tiny", make_finder(plan(book, mode="real", stand_ins=True))) == {}
    with pytest.raises(SourceError, match="is not in the closed folder"):
        make_finder(plan(book, mode="real")).require_stand_in(load_catalogue(book).source("closed_visits"))
