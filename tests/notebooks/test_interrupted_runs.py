"""Runs that are killed, meet a full disk or a read-only folder, or two at once: nothing is lost or half-written."""

import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from councilbook.catalogue import Catalogue
from councilbook.errors import NotebookError
from councilbook.gate.editions import Edition, hold_edition
from councilbook.paths import Workbook, place_outputs
from councilbook.study import Study
from killed_runs import KILLED, make_book, run_book
from tiny_workbook import copy_workbook
from whole_workbook import run_councilbook

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot be copied to be killed")

OLD, NEW = 1, 2
SEED = 20261123
PLACES = ("data/processed", "reports", ".councilbook")

Tree = Mapping[str, bytes]
Start = Callable[..., Any]


@pytest.fixture(scope="module")
def context() -> Any:
    """Processes are copies of one that has imported what a run needs."""
    made = multiprocessing.get_context("forkserver")
    late = ("councilbook.gate.written.packages", "papermill", "pydantic")  # what a run imports where it comes to it
    made.set_forkserver_preload(["__main__", "councilbook.running.run", *late])
    return made


@pytest.fixture(scope="module")
def start(context: Any) -> Start:
    def start(workbook: Workbook, seed: int, *more: Any, **how: Any) -> Any:
        process = context.Process(target=run_book, args=(workbook.root, seed, *more), kwargs=how)
        process.start()
        return process

    return start


@pytest.fixture(scope="module")
def old(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    """A workbook whose study was last run with the seed OLD."""
    workbook = make_book(tmp_path_factory.mktemp("old") / "book")
    for seed in (NEW, OLD):
        assert finish(start(workbook, seed), workbook)["outcome"] == "made"
    return workbook


@pytest.fixture(scope="module")
def new(old: Workbook, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    """The same one, run again with the seed NEW."""
    workbook = copy_workbook(old, tmp_path_factory.mktemp("new") / "book")
    assert finish(start(workbook, NEW), workbook)["outcome"] == "made"
    return workbook


@pytest.fixture
def book(old: Workbook, tmp_path: Path) -> Workbook:
    """A copy of the old one to go on with."""
    return copy_workbook(old, tmp_path / "book")


def finish(process: Any, workbook: Workbook, council: str = "north") -> dict[str, Any]:
    """Wait until a run ends, and return what came of it."""
    process.join()
    file = workbook.root.with_suffix(f".{council}.json")
    assert process.exitcode == 0
    came: dict[str, Any] = json.loads(file.read_text())
    file.unlink()
    return came


def read_tree(folder: Path) -> Tree:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def read_outputs(workbook: Workbook) -> Tree:
    """Return all files that a reader may meet, hidden ones too."""
    return {name: content for place in PLACES[:2] for name, content in read_tree(workbook.root / place).items()}


def read_both(workbook: Workbook, council: str = "north") -> tuple[Tree, Tree]:
    """Return the datasets and the report of an edition; where a swap was cut off, those that were set aside."""
    folders = [place / place_outputs("tiny", council, "sample") for place in (workbook.processed, workbook.reports)]
    processed, report = (
        read_tree(folder if folder.exists() else folder.with_name(".sample.old")) for folder in folders
    )
    return processed, report


def check_whole(workbook: Workbook, old: Workbook, new: Workbook, when: str) -> None:
    """See that datasets, report and index are each wholly the old or wholly the new ones, and nothing else is shown."""
    for made, *known in zip(*map(read_both, (workbook, old, new)), strict=True):
        assert made in known, when
    for page in ("index.html", "search.html"):
        known = [(one.reports / page).read_bytes() for one in (old, new)]
        assert (workbook.reports / page).read_bytes() in known, when
    names = {path.name for place in PLACES[:2] for path in (workbook.root / place / "tiny" / "north").iterdir()}
    assert names <= {"sample", ".sample.old", ".sample.new"}, when


def check_clean(workbook: Workbook, like: Workbook, when: str = "") -> None:
    """See that all is as in another workbook whose run was not disturbed, and nothing temporary is left."""
    assert read_outputs(workbook) == read_outputs(like), when
    assert list((workbook.private / "staging").iterdir()) == [], when
    private = workbook.private / "runs" / "tiny" / "north" / "sample"
    names = {"1_build.ipynb", "2_report.ipynb", "lock", "record.json", "run.log"}
    assert {path.name for path in private.iterdir()} == names, when
    assert {path.name for path in (workbook.private / "site").iterdir()} == {"lock", "built.json"}, when


def wait_for(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.01)


# --- killed ---


def test_a_run_killed_before_any_change_of_a_file_leaves_all_whole_and_the_next_completes(
    old: Workbook, new: Workbook, start: Start, tmp_path: Path
) -> None:
    newer_report = read_both(old)[0], read_both(new)[1]
    for number, change in list_changes(old, start, tmp_path):
        when = f"killed before change {number}: {change}"
        workbook = copy_workbook(old, tmp_path / str(number))
        process = start(workbook, NEW, fault=("killed", number))
        process.join()
        assert process.exitcode == KILLED, when
        check_whole(workbook, old, new, when)
        assert read_both(workbook) != newer_report, when
        for seed, expected in ((NEW, new), (OLD, old))[: 1 + (number % 4 == 0)]:  # a copy costs a second
            next_book = copy_workbook(workbook, tmp_path / f"{number}-{seed}")
            came = finish(start(next_book, seed), next_book)
            assert came["outcome"] in ("made", "unchanged"), (when, came["reason"])
            check_clean(next_book, expected, when)


def list_changes(old: Workbook, start: Start, tmp_path: Path) -> list[tuple[int, str]]:
    """List the changes of files that a run makes, with their numbers; of those in its staging folder only some."""
    workbook = copy_workbook(old, tmp_path / "book")
    changes: list[str] = finish(start(workbook, NEW), workbook)["changes"]
    assert len(changes) > 50
    listed = enumerate(changes, start=1)
    return [(number, change) for number, change in listed if "/staging/" not in change or number % 12 == 0]


@pytest.mark.parametrize(("kernels", "kills"), [(True, 6), (False, 25)])
def test_a_run_killed_at_random_times_leaves_all_whole(
    old: Workbook, new: Workbook, start: Start, book: Workbook, kernels: bool, kills: int
) -> None:
    chance = random.Random(SEED)
    begun = time.perf_counter()
    assert finish(start(book, NEW, kernels=kernels), book)["outcome"] == "made"
    taken = time.perf_counter() - begun
    for number in range(kills):
        process = start(book, (OLD, NEW)[number % 2], kernels=kernels)
        time.sleep(chance.uniform(0, taken))
        kill_family(process)
        check_whole(book, old, new, f"kill {number}")
    assert finish(start(book, NEW, kernels=kernels), book)["outcome"] in ("made", "unchanged")
    check_clean(book, new)


def kill_family(process: Any) -> None:
    """Kill a run with its kernels, which are in groups of their own."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        for member in [*parent.children(recursive=True), parent]:
            member.kill()
    process.join()


@pytest.mark.parametrize("victim", ["councilbook", "job", "warm", "kernel"])
def test_when_one_process_of_a_run_is_killed_the_others_end_and_nothing_is_changed(
    old: Workbook, new: Workbook, start: Start, book: Workbook, victim: str
) -> None:
    (book.root / "hold-build").touch()
    process = start(book, NEW, kernels=True, processes=True)
    wait_for((book.root / "waiting-north").exists)
    councilbook = psutil.Process(process.pid)
    family = councilbook.children(recursive=True)
    [job] = [one for one in family if "spawn_main" in " ".join(one.cmdline())]
    [warm] = [one for one in family if "kernels.warm" in " ".join(one.cmdline()) and one.ppid() == councilbook.pid]
    [kernel] = warm.children()
    {"councilbook": councilbook, "job": job, "warm": warm, "kernel": kernel}[victim].kill()
    assert psutil.wait_procs(family, timeout=20)[1] == []
    if victim == "councilbook":
        process.join()
    else:
        reason = finish(process, book)["reason"]
        assert (
            reason
            == {
                "job": "Its process ended with exit code -9. Was it killed, for lack of memory?",
                "warm": "DeadKernelError: Kernel died",
                "kernel": "DeadKernelError: Kernel died",
            }[victim]
        )
    assert read_outputs(book) == read_outputs(old)
    (book.root / "hold-build").unlink()
    assert finish(start(book, NEW), book)["outcome"] == "made"
    check_clean(book, new)


# --- a full disk ---


def test_a_disk_that_is_full_before_any_change_of_a_file_is_named_and_nothing_is_lost(
    old: Workbook, new: Workbook, start: Start, tmp_path: Path
) -> None:
    for number, change in list_changes(old, start, tmp_path):
        if not change.startswith(("open", "os.mkdir")):
            continue
        when = f"full before change {number}: {change}"
        workbook = copy_workbook(old, tmp_path / str(number))
        came = finish(start(workbook, NEW, fault=("full", number)), workbook)
        if came["outcome"] == "failed":
            assert re.fullmatch(r"The disk that holds \S+ is full\. .*", came["reason"]), when
        check_whole(workbook, old, new, when)
        assert not list(workbook.root.glob("*/**/.north.*")), when
        assert finish(start(workbook, NEW), workbook)["outcome"] in ("made", "unchanged")
        check_clean(workbook, new, when)


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_is_named_and_the_next_run_completes_when_there_is_room(
    old: Workbook, new: Workbook, start: Start, book: Workbook, place: str
) -> None:
    with mount(book.root / place, "size=200k"):
        came = finish(start(book, NEW, kernels=True), book)
        assert came["outcome"] == "failed"
        assert came["reason"].startswith(f"The disk that holds {book.root / place} is full.")
        assert read_outputs(book) == read_outputs(old)
        remount(book.root / place, "size=2m")
        assert finish(start(book, NEW), book)["outcome"] == "made"
        check_clean(book, new)


# --- a folder that cannot be written ---


@pytest.mark.parametrize("place", PLACES)
def test_a_read_only_folder_is_named_before_any_notebook_is_run(
    old: Workbook, new: Workbook, start: Start, book: Workbook, place: str
) -> None:
    with mount(book.root / place):
        remount(book.root / place, "ro")
        came = finish(start(book, NEW), book)
        assert came["outcome"] == "failed"
        assert came["reason"].startswith(f"There is no right to use {book.root / place}")
        assert not any("1_build" in event for event in came["told"])
        assert read_outputs(book) == read_outputs(old)
        remount(book.root / place, "rw")
        assert finish(start(book, NEW), book)["outcome"] == "made"
        check_clean(book, new)


@pytest.mark.parametrize("place", PLACES)
def test_the_command_tells_of_a_read_only_folder_in_a_sentence(book: Workbook, place: str) -> None:
    with mount(book.root / place):
        remount(book.root / place, "ro")
        done = run_councilbook(book, "run", "tiny", "--force")
        said = done.stdout + done.stderr
        assert done.returncode == 1
        assert f"There is no right to use {book.root / place}" in said
        assert "Traceback" not in said


@contextmanager
def mount(folder: Path, options: str = "size=2m") -> Iterator[None]:
    """Put a small file system of its own in a folder's place, with all that was there."""
    content = folder.with_name("content")
    shutil.copytree(folder, content)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
    if done.returncode:
        pytest.skip("only root may mount a file system")
    try:
        shutil.copytree(content, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


# --- two at once ---


def test_of_two_runs_of_one_study_and_council_the_second_is_told_to_wait(
    new: Workbook, start: Start, book: Workbook
) -> None:
    (book.root / "hold-build").touch()
    first = start(book, NEW)
    wait_for((book.root / "waiting-north").exists)
    came = finish(start(book, NEW), book)
    assert (came["outcome"], came["reason"]) == (
        "failed",
        "tiny/north/sample is being made by another run. Wait for it, or stop it.",
    )
    (book.root / "hold-build").unlink()
    assert finish(first, book)["outcome"] == "made"
    check_clean(book, new)


def test_a_notebook_run_by_hand_does_not_release_while_a_run_makes_the_same(
    workbook: Workbook, catalogue: Catalogue
) -> None:
    study = Study.open("small", "1_open", council="north", data="sample", seed=7, run_date="2026-11-23")
    homes = study.load("homes_2021")
    edition = Edition(workbook, "small", catalogue.council("north"), "sample")
    with hold_edition(edition), pytest.raises(NotebookError, match="small/north/sample is being made by another run"):
        study.release("home_counts", homes)
    assert not edition.processed.exists()
    assert study.release("home_counts", homes).is_relative_to(edition.processed)


def test_what_a_killed_release_by_hand_left_is_cleared_by_the_next_run(book: Workbook, start: Start) -> None:
    dataset = book.processed / "tiny" / "north" / "sample" / "tiny_counts"
    shutil.copytree(dataset, dataset.with_name(".tiny_counts.abc123") / "tiny_counts")
    dataset.rename(dataset.with_name(".tiny_counts.old"))
    before = read_tree(dataset.with_name(".tiny_counts.old"))
    assert finish(start(book, OLD), book)["outcome"] == "unchanged"
    assert read_tree(dataset.parent) == {f"tiny_counts/{name}": content for name, content in before.items()}


def test_the_index_holds_both_councils_of_two_runs_at_once(start: Start, book: Workbook) -> None:
    (book.root / "hold-site").touch()
    north = start(book, NEW)
    wait_for((book.root / "waiting-site").exists)
    south = start(book, NEW, "south")
    south.join(1)  # it has to wait for the other; without a lock it would be done before
    (book.root / "hold-site").unlink()
    assert finish(north, book)["outcome"] == finish(south, book, "south")["outcome"] == "made"
    assert [line.split(":")[0] for line in (book.reports / "index.html").read_text().splitlines()] == [
        "tiny/north/sample",
        "tiny/south/sample",
    ]


def test_runs_of_two_councils_that_end_together_do_not_disturb_each_other(start: Start, book: Workbook) -> None:
    for seed in (NEW, OLD, NEW):
        (book.root / "hold-build").touch()
        runs = {council: start(book, seed, council) for council in ("north", "south")}
        for council in runs:
            wait_for((book.root / f"waiting-{council}").exists)
            (book.root / f"waiting-{council}").unlink()
        (book.root / "hold-build").unlink()
        for council, process in runs.items():
            assert finish(process, book, council)["outcome"] == "made"
        cards = (book.reports / "index.html").read_text().splitlines()
        assert cards == [f'tiny/{council}/sample: {{"seed": {seed}}}' for council in runs]
