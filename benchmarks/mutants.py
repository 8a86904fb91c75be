"""How many small faults the tests catch: one is put into the code at a time, and the tests of its room are run.

    python benchmarks/mutants.py PYTHON [--sample N] [--seed N] [--rooms NAME ...] [--minutes N]
        [--json FILE]

PYTHON is the interpreter of an environment with benchmarks/peers/requirements-mutants.txt, for cosmic-ray and coverage:

    python3.11 -m venv peer && peer/bin/pip install -r benchmarks/peers/requirements-mutants.txt

A sample of places is drawn from all files of `ROOMS`, and one of cosmic-ray's mutants for each. What cannot change what
the code does is left out beforehand: annotations, `&` of flags as `*`, and what is no Python. The tests that reach the
changed line are run first, the quickest at the head, and then all others of the room: what a function with a cache
gives is used by more tests than reach its lines. Needs Linux or macOS.
"""

import argparse
import ast
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[1]
PEER = Path(__file__).parent / "peers" / "cosmic_ray_mutants.py"
LIBRARY, TESTS = "lib/councilbook", "tests"
Task, Result = TypeVar("Task"), TypeVar("Result")


@dataclass(frozen=True)
class Room:
    """Files and their tests, as patterns under `LIBRARY` and `TESTS`; in prose, numbers and conditions are changed."""

    modules: list[str]
    tests: list[str]
    operators: tuple[str, ...] = ("",)


CONDITIONS = ("NumberReplacer", "ReplaceComparison", "AddNot", "ReplaceUnaryOperator_Delete_Not")
CONDITIONS += ("ReplaceAndWithOr", "ReplaceOrWithAnd")
ROOMS = {
    "disclosure": Room(["gate/disclosure/**/*.py"], ["gate/test_disclosure_*.py"]),
    "bills": Room(
        [f"business_rates/bills/{name}.py" for name in ("rules", "charges", "bill_*")],
        ["business_rates/test_bills.py", "business_rates/test_tables.py"],
    ),
    "persons": Room(
        ["business_rates/names/*.py"],
        ["business_rates/test_person*.py", "business_rates/test_placeholders.py"],
    ),
    "indicators": Room(["fuel_poverty/households/indicators.py"], ["fuel_poverty/test_indicators.py"]),
    "impact": Room(["methods/impact.py"], ["methods/test_impact.py"]),
    "prose": Room(
        ["fuel_poverty/prose.py", "fuel_poverty/households/household_prose.py", "business_rates/prose.py"],
        ["fuel_poverty/test_*prose.py", "business_rates/test_tables.py", "business_rates/test_foi.py"],
        CONDITIONS,
    ),
}
SAME = ("ReplaceBinaryOperator_BitAnd_Mul", "ReplaceBinaryOperator_BitOr_Add")  # of arrays of flags they are the same
# Loaded once, before the tests of each mutant run in a copy of this process: starting takes longer than most tests.
WARM = [
    "hypothesis",
    "pydantic",
    "yaml",
    "geopandas",
    "duckdb",
    "openpyxl",
    "faker",
    "frictionless",
    "pandera",
    "rdflib",
]
WARM += ["jinja2", "folium", "nbformat", "scipy.optimize", "scipy.sparse.csgraph", "scipy.stats", "sklearn.ensemble"]
WARM += ["sklearn.linear_model", "esda", "libpysal"]


@dataclass
class Mutant:
    """A small fault: where, and what the line becomes; `caught` is None until it was tried."""

    room: str
    file: str
    operator: str
    occurrence: int
    line: int
    column: int
    number: int = 0
    text: str = field(default="", repr=False)
    changed: str = ""
    caught: str | None = None
    seconds: float = 0


@dataclass
class Reach:
    """What a run of a room's tests without a fault tells: the seconds of each test, and which run a line of a file."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "python",
        type=lambda path: str(Path(path).absolute()),
        help="the interpreter of the environment with cosmic-ray and coverage",
    )
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=list(ROOMS))
    parser.add_argument("--minutes", type=float, default=600, help="begin no fault after these; the order is random")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="a file for what became of each mutant")
    options = parser.parse_args()
    for name in WARM:
        with suppress(ImportError):
            import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        books = [copy_workbook(Path(folder) / "0")]
        mutants = draw_mutants(books[0], options.python, options.rooms, options.sample, options.seed)
        books += [shutil.copytree(books[0], Path(folder) / str(n) / "book") for n in range(1, options.processes)]
        rooms = sorted({mutant.room for mutant in mutants})
        found = share_out(books, rooms, lambda book, room: reach_lines(book, room, options.python))
        reaches = dict(zip(rooms, found, strict=True))
        end = time.monotonic() + 60 * options.minutes
        share_out(books, mutants, lambda book, mutant: try_mutant(mutant, reaches[mutant.room], book, end))
    if options.json:
        options.json.write_text(json.dumps([asdict(mutant) | {"text": ""} for mutant in mutants], indent=1))
    report([mutant for mutant in mutants if mutant.caught is not None])


def share_out(books: list[Path], tasks: Sequence[Task], work: Callable[[Path, Task], Result]) -> list[Result]:
    """Do tasks side by side, each in a copy of the workbook that is free."""
    free: SimpleQueue[Path] = SimpleQueue()
    for book in books:
        free.put(book)

    def do_next(task: Task) -> Result:
        book = free.get()
        try:
            return work(book, task)
        finally:
            free.put(book)

    with ThreadPoolExecutor(len(books)) as pool:
        return list(pool.map(do_next, tasks))


def draw_mutants(book: Path, python: str, rooms: list[str], sample: int, seed: int) -> list[Mutant]:
    """Return one mutant for each of so many places, both drawn at random, of all that can change what the code does."""
    chance = random.Random(seed)
    places: dict[tuple[str, int, int], list[Mutant]] = {}
    for name in rooms:
        room = ROOMS[name]
        for found in call_peer(book, python, "list", *list_files(book, LIBRARY, room.modules)):
            mutant = Mutant(name, **found)
            kind = mutant.operator.partition("/")[2]
            if kind.startswith(room.operators) and kind not in SAME:
                places.setdefault((mutant.file, mutant.line, mutant.column), []).append(mutant)
    drawn = [chance.choice(places[place]) for place in chance.sample(sorted(places), len(places))]
    print(f"{len(places)} places", file=sys.stderr)
    kept: list[Mutant] = []
    while drawn and len(kept) < sample:
        batch, drawn = drawn[: sample - len(kept)], drawn[sample - len(kept) :]
        texts = call_peer(book, python, "write", write=[asdict(mutant) for mutant in batch])
        for mutant, text in zip(batch, texts, strict=True):
            if is_python(text):
                kept.append(mutant)
                mutant.number, mutant.text = len(kept), text
                mutant.changed = text.splitlines()[mutant.line - 1].strip()
    return kept


def list_files(book: Path, folder: str, patterns: list[str]) -> list[str]:
    found = {file for pattern in patterns for file in (book / folder).glob(pattern)}
    return sorted(str(file.relative_to(book)) for file in found)


def call_peer(book: Path, python: str, *words: str, write: object = None) -> list:
    command, given = [python, PEER, *words], json.dumps(write)
    done = subprocess.run(command, cwd=book, input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def is_python(text: str | None) -> bool:
    try:
        ast.parse(text or "is none")
    except SyntaxError:
        return False
    return True


def copy_workbook(book: Path) -> Path:
    """Copy what is in git, with the official files beside it if they are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    book = book / "book"
    for name in filter(None, listed.split("\0")):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, book / name)
    return book


def reach_lines(book: Path, name: str, python: str) -> Reach:
    """Run the tests of a room without a fault, and return how long each takes and which lines it runs."""
    where = "import coverage, pathlib; print(pathlib.Path(coverage.__file__).parents[1])"
    packages = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
    files = list_files(book, LIBRARY, ROOMS[name].modules)
    recorder = Recorder(packages, files, book / "reach.json")
    if ended := run_tests(book, list_files(book, TESTS, ROOMS[name].tests), recorder, 3600):
        raise SystemExit(f"The tests of {name} do not pass as they are ({ended}):\n{(book / 'log').read_text()}")
    found = json.loads((book / "reach.json").read_text())
    lines = {file: {int(line): tests for line, tests in of.items()} for file, of in found["lines"].items()}
    return Reach(found["seconds"], lines)


class Recorder:
    """A plugin of pytest that writes the seconds of each test, and which tests run a line of these files."""

    def __init__(self, packages: str, files: list[str], file: Path) -> None:
        self.packages, self.files, self.file = packages, files, file
        self.seconds: Counter[str] = Counter()

    def pytest_configure(self) -> None:
        sys.path.append(self.packages)  # last, so that nothing else of that environment is found first
        coverage = import_module("coverage")
        self.coverage = coverage.Coverage(data_file=None, config_file=False, include=self.files)
        self.coverage.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.coverage.switch_context(nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef, request: pytest.FixtureRequest) -> Iterator[None]:
        """Take what is made once for a file for made by each of its tests."""
        if fixturedef.scope != "module":
            return (yield)
        self.coverage.switch_context(request.node.nodeid)
        made = yield
        self.coverage.switch_context(os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0])
        return made

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration

    def pytest_unconfigure(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        lines = {file: data.contexts_by_lineno(str(Path(file).resolve())) for file in self.files}
        self.file.write_text(json.dumps({"seconds": self.seconds, "lines": lines}))


class Quickest:
    """A plugin of pytest that runs the quickest tests first, those whose names begin so before the others."""

    def __init__(self, seconds: dict[str, float], first: tuple[str, ...]) -> None:
        self.seconds, self.first = seconds, first

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: (not item.nodeid.startswith(self.first), self.seconds.get(item.nodeid, 0)))


def run_tests(book: Path, tests: list[str], plugin: object, limit: float) -> str:
    """Run tests in a copy of this process and return why they ended: nothing if all passed, or a test, or a word."""
    run = multiprocessing.get_context("fork").Process(target=run_pytest, args=(book, tests, plugin))
    run.start()
    run.join(limit)
    late = run.is_alive()
    with suppress(ProcessLookupError):
        os.killpg(run.pid or 0, signal.SIGKILL)
    run.join()
    if late:
        return "too slow"
    failed = [
        line for line in (book / "log").read_text(errors="replace").splitlines() if line.startswith(("FAILED", "ERR"))
    ]
    return "" if run.exitcode == 0 else failed[0] if failed else f"ended with {run.exitcode}"


def run_pytest(book: Path, tests: list[str], plugin: object) -> None:
    os.setsid()
    os.chdir(book)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))  # a number that became a power may want all there is
    sys.path.insert(0, str(book / "lib"))
    os.environ["PYTHONPATH"] = str(book / "lib")
    code = pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests], plugins=[plugin])
    sys.stdout.flush()
    os._exit(int(code))


def try_mutant(mutant: Mutant, reach: Reach, book: Path, end: float) -> None:
    """Put a fault into a copy of the workbook, run the tests that may catch it, and take it out again."""
    if time.monotonic() > end:
        return
    file, name = book / mutant.file, mutant.file
    whole, begin = file.read_bytes(), time.time()
    everything = list_files(book, TESTS, ROOMS[mutant.room].tests)
    reaching = {test for line in list_lines(whole, mutant.line) for test in reach.lines[name].get(line, [])}
    on_import = not reaching or "" in reaching  # then the tests of the nearest name first
    first = get_close_matches(name, everything, n=1, cutoff=0) if on_import else reaching
    kept = file.stat()
    file.write_text(mutant.text, encoding="utf-8")
    os.utime(
        file, (1, 1 + 2 * mutant.occurrence)
    )  # so that the compiled file of the whole one is not taken for its own
    limit = 60 + 5 * sum(reach.seconds.values())
    mutant.caught = run_tests(book, everything, Quickest(reach.seconds, tuple(first)), limit)
    file.write_bytes(whole)
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    mutant.seconds = time.time() - begin
    print(f"{mutant.caught or 'SURVIVED'} | {describe(mutant)} | {mutant.seconds:.0f} s", file=sys.stderr, flush=True)


def list_lines(code: bytes, line: int) -> range:
    """Return the lines of the smallest statement around a line; of one that has statements in it, its head alone."""
    around = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt) and covers(node, line)]
    smallest = min(around, key=lambda node: (node.end_lineno or 0) - first_line(node))
    body = getattr(smallest, "body", None)
    last = smallest.end_lineno if not body else max(first_line(smallest), first_line(body[0]) - 1)
    return range(first_line(smallest), (last or line) + 1)


def first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


def covers(node: ast.stmt, line: int) -> bool:
    return first_line(node) <= line <= (node.end_lineno or node.lineno)


def describe(mutant: Mutant) -> str:
    file = mutant.file.removeprefix(f"{LIBRARY}/")
    return f"{file}:{mutant.line} | {mutant.operator.partition('/')[2]} | `{mutant.changed}`"


def report(mutants: list[Mutant]) -> None:
    print("| room | mutants | caught | of them too slow | share caught |")
    print("|---|---|---|---|---|")
    for room in [*dict.fromkeys(mutant.room for mutant in mutants), "all"]:
        of = [mutant for mutant in mutants if room in (mutant.room, "all")]
        caught = [mutant for mutant in of if mutant.caught]
        slow = sum(mutant.caught == "too slow" for mutant in of)
        print(f"| {room} | {len(of)} | {len(caught)} | {slow} | {len(caught) / len(of):.1%} |")
    print("\nNot caught:\n")
    for mutant in sorted((mutant for mutant in mutants if not mutant.caught), key=describe):
        print(f"- {describe(mutant)}")


if __name__ == "__main__":
    main()
