"""Kernels that are forked do as those that are started plainly, and where none can be forked they are."""

import importlib
import os
import sys
from pathlib import Path

import pytest

from councilbook.catalogue import load_catalogue
from councilbook.running.jobs import Job, plan_jobs
from councilbook.running.kernels.cells import list_imports
from councilbook.running.kernels.warm import CAN_FORK, open_lines
from councilbook.running.making import run_job
from tiny_workbook import make_plain_pages, make_workbook, read_environment, write_notebook

DAY = "2026-11-23"
OF_ONE_START = {"COUNCILBOOK_HELD", "COUNCILBOOK_PROCESSED", "COUNCILBOOK_RESTRICTED", "IPYTHONDIR", "JPY_PARENT_PID"}
SHOW = """import json, os, signal, sys, time
from pathlib import Path
from matplotlib import pyplot
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(600)
except KeyboardInterrupt:
    told = "interrupted"
parent = Path(f"/proc/{os.getppid()}/cmdline").read_text()
seen = {"told": told, "path": str(sys.path), "program": Path(sys.argv[0]).stem, "options": str(sys.argv[3:]),
    "backend": pyplot.get_backend(), "input": sys.__stdin__.read(), "cwd": os.getcwd(),
    "forked": "kernels.warm" in parent}
print(json.dumps(dict(os.environ) | seen))"""

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="here nothing is forked")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    workbook = make_workbook(tmp_path / "my book")
    write_notebook(workbook.notebooks / "tiny" / "2_report.ipynb", "", SHOW)
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("sources: []", "sources: [closed_visits]"))
    for name, pages in make_plain_pages().items():
        monkeypatch.setitem(sys.modules, name, pages)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path))
    [job] = plan_jobs(load_catalogue(workbook), ["tiny"], ["north"], today=DAY, force=True)
    return job


def show(job: Job, *, forks: bool) -> dict[str, str]:
    """Run a job; return what the kernel of its report told of itself."""
    with open_lines(1) as [line]:
        result = run_job(job, lambda event: None, line if forks else None)
    assert result.outcome == "made", result.failure
    return read_environment(job.executed("2_report"))


def test_a_forked_kernel_is_as_one_that_is_started_plainly(job: Job) -> None:
    importlib.import_module("councilbook.running.checking")  # sets variables, which a plain kernel would take on
    forked, plain = (show(job, forks=forks) for forks in (True, False))
    assert (forked.pop("forked"), plain.pop("forked")) == (True, False)
    assert forked.keys() | OF_ONE_START == plain.keys() | OF_ONE_START
    assert {name for name in forked if forked[name] != plain.get(name)} <= OF_ONE_START
    assert "COUNCILBOOK_CLOSED" not in forked
    assert forked["told"] == "interrupted"


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_kernel_that_may_use_more_threads_is_started_plainly(
    job: Job, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    seen = show(job, forks=True)
    assert (seen["OMP_NUM_THREADS"], seen["forked"]) == (threads, threads == "1")


def test_when_a_fork_does_not_become_a_kernel_one_is_started_plainly(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module stands in for one that does not work in a fork."""
    code = "import sys\nif sys.argv[0] == '-c' and len(sys.argv) == 2:\n    sys.modules['ipykernel.kernelapp'] = sys\n"
    (tmp_path / "breaks_forks.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    write_notebook(job.workbook.notebooks / "tiny" / "2_report.ipynb", "", f"import breaks_forks\n{SHOW}")
    assert not show(job, forks=True)["forked"]
    assert "ImportError: cannot import name 'launch_new_instance'" in (job.private / "run.log").read_text()


def test_when_the_warm_process_is_no_more_kernels_are_started_plainly(job: Job) -> None:
    with open_lines(1) as [line]:
        assert line
        line.send(("poll", os.getpid()))  # nobody's kernel: it cannot go on
        assert run_job(job, lambda event: None, line).outcome == "made"
    assert not read_environment(job.executed("2_report"))["forked"]


def test_the_modules_of_notebooks_and_of_their_twins_are_listed(job: Job) -> None:
    folder = job.workbook.notebooks / "tiny"
    write_notebook(
        folder / "1_build.ipynb", "", "import os.path as path", "%no python", "def f():\n    from a.b import c"
    )
    assert list_imports(job, load_catalogue(job.workbook), ["1_build"]) == ["a.b.c", "nowhere", "os.path"]
