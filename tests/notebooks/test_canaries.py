"""Canaries in every closed and shared file: whatever is run, and whatever fails, none of them gets out."""

import base64
import gzip
import io
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from attack import attack, list_sums
from canaries import (
    LISTS_OF_PERSONS,
    NAME,
    PERSON,
    STUDY,
    Planted,
    add_closed_study,
    is_guarded,
    list_guarded_studies,
    make_canary,
    plant,
    plant_agreements,
    read_cells,
    search,
    search_files,
    write_cells,
)
from councilbook.catalogue import Catalogue, CountRule, load_catalogue
from councilbook.cli import app
from councilbook.gate.decisions import Passed
from councilbook.gate.ethics.points import accept_point, list_points
from councilbook.gate.written.packages import dataset_folder, read_published
from councilbook.paths import Workbook, place_outputs
from councilbook.running import run as running
from councilbook.running.jobs import Job, JobResult
from councilbook.running.making import run_job
from councilbook.running.sources import list_study_sources
from councilbook.study import Study
from whole_workbook import copy_workbook, run_councilbook

CANARY = make_canary("full_name", "somebody")
APPROVED = "closed_study/doncaster/real/person_records@1.0.0"
DAYS = {"culture": "2026-07-01"}  # after the last day of the museum's log
CARELESS = """import logging, os, sys, warnings
shown = people.to_string()
print(shown)
print(shown, file=sys.__stderr__)
os.write(1, shown.encode())
os.write(2, shown.encode())
logging.getLogger("careless").error(shown)
warnings.warn(people["full_name"].iloc[0])"""


KEEPING = """from pathlib import Path

released = Study.release


def keep_exact(study, dataset, frame, **rest):
    frame.to_pickle(Path({!r}) / (dataset + ".pickle"))
    return released(study, dataset, frame, **rest)


Study.release = keep_exact"""


@dataclass(frozen=True)
class Book:
    """A workbook, its folder of closed files with canaries in them, and copies of the open files."""

    workbook: Workbook
    closed: Path
    mirror: Path

    @property
    def exact(self) -> Path:
        """Where the tables of counts are as they were before the gate."""
        return self.closed.parent / "exact"

    @property
    def variables(self) -> dict[str, str]:
        paths = os.pathsep.join(filter(None, [str(STUDY), os.environ.get("PYTHONPATH")]))
        return {"COUNCILBOOK_CLOSED": str(self.closed), "PYTHONPATH": paths}


@pytest.fixture(scope="module", autouse=True)
def twins() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(STUDY)
        yield


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Book, dict[str, Planted]]:
    """Every study of the workbook, and the one made for tests; canaries are in all that is closed or shared."""
    root = tmp_path_factory.mktemp("canaries")
    book = Book(copy_workbook(root / "book"), root / "closed", root / "mirror")
    add_closed_study(book.workbook)
    book.mirror.mkdir()
    catalogue = load_catalogue(book.workbook)
    for study in catalogue.canvases:
        council = catalogue.council(catalogue.study(study).default_council)
        for one in list_points(catalogue, study, council):
            if one.state == "open":
                accept_point(catalogue, one.key, role=one.point.by, person=PERSON, day="2026-01-01")
    studies = list_guarded_studies(catalogue)
    for study in studies:
        (book.mirror / study).mkdir()
    files = {study: plant(book.workbook, study, book.closed, book.mirror / study) for study in studies}
    plant_agreements(book.workbook, book.closed)
    return book, files


@pytest.fixture
def book(planted: tuple[Book, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    """A copy of it to spoil, in which commands run in this process."""
    before = planted[0]
    shutil.copytree(before.workbook.root, tmp_path / "book")
    shutil.copytree(before.closed, tmp_path / "closed")
    book = Book(Workbook(tmp_path / "book"), tmp_path / "closed", before.mirror)
    for name, value in {**book.variables, "COUNCILBOOK_ROOT": str(book.workbook.root)}.items():
        monkeypatch.setenv(name, value)
    for name in ("COUNCILBOOK_PRIVATE", "COUNCILBOOK_PROCESSED", "COUNCILBOOK_NOTEBOOK", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(running, "run_jobs", run_jobs_here)
    return book


def run_jobs_here(
    jobs: Sequence[Job], at_once: int, on_event: Callable[[Any], None], lines: list[Any]
) -> list[JobResult]:
    return [run_job(job, on_event, lines.pop()) for job in jobs]


def call(*arguments: str) -> str:
    """Run a command that fails, and return all that it prints."""
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    return result.output


def list_counts(catalogue: Catalogue, study: str) -> list[str]:
    """List the datasets that a study releases by the rule of counts."""
    released = [name for notebook in catalogue.study(study).notebooks.values() for name in notebook.releases]
    return [name for name in released if isinstance(catalogue.dataset(name).disclosure, CountRule)]


def keep_exact_tables(book: Book, studies: Iterable[str]) -> None:
    """Let the notebooks that release counts keep a copy, beside the workbook, of what they hand to the gate."""
    catalogue = load_catalogue(book.workbook)
    for study in studies:
        counts = set(list_counts(catalogue, study))
        for name in [name for name, one in catalogue.study(study).notebooks.items() if counts & set(one.releases)]:
            file = book.workbook.notebooks / study / f"{name}.ipynb"
            notebook = nbformat.read(file, as_version=4)
            place = next(number for number, cell in enumerate(notebook.cells) if "Study.open(" in cell.source)
            notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(KEEPING.format(str(book.exact)), id="keeping"))
            nbformat.write(notebook, file)


def add_cell(book: Book, code: str) -> None:
    """Put a cell behind the one that loads the registers."""
    file = book.workbook.notebooks / "closed_study" / "1_registers.ipynb"
    notebook = nbformat.read(file, as_version=4)
    place = next(number for number, cell in enumerate(notebook.cells) if "people_register" in cell.source)
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(code, id="added"))
    nbformat.write(notebook, file)


# --- everything is run ---


@pytest.fixture(scope="module")
def everything(planted: tuple[Book, dict[str, Planted]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Book, str]:
    """All studies that can read a closed or shared source, run on real files; and all that the commands print."""
    book, studies = planted
    root = tmp_path_factory.mktemp("everything")
    shutil.copytree(book.workbook.root, root / "book")
    book = Book(Workbook(root / "book"), book.closed, book.mirror)
    add_cell(book, CARELESS)
    book.exact.mkdir()
    keep_exact_tables(book, studies)
    real = "--data", "real", "--mirror"  # each study's own, as each has an invented place of its own
    commands = [
        *(
            ("run", study, *real, str(book.mirror / study), "--run-date", DAYS.get(study, "2026-01-31"))
            for study in studies
        ),
        *(("check", study, *real, str(book.mirror / study)) for study in studies),
        ("release", "--review"),
        ("release", "--approve", APPROVED, "--role", "Information governance lead", "--by", PERSON),
        ("run", "closed_study", *real, str(book.mirror), "--run-date", "2026-02-28", "--force"),
    ]
    printed = ""
    for command in commands:
        done = run_councilbook(book.workbook, *command, **book.variables)
        printed += done.stdout + done.stderr
        assert done.returncode == 0, printed
    return book, printed


def test_no_canary_is_in_what_was_released_and_published_and_logged_and_printed(
    planted: tuple[Book, dict[str, Planted]], everything: tuple[Book, str]
) -> None:
    book, printed = everything
    assert search_files(book.workbook, *planted[1].values()) == []
    assert search_printed(printed) == set()


def test_the_canaries_were_there_to_be_found(
    planted: tuple[Book, dict[str, Planted]], everything: tuple[Book, str]
) -> None:
    book, _ = everything
    catalogue = load_catalogue(book.workbook)
    for name, study in planted[1].items():
        assert study.texts
        for source in filter(is_guarded, list_study_sources(catalogue, name)):
            has_canary = source.id in study.sources
            assert bool(search((book.closed / source.file).read_bytes())) == has_canary
    for file in (book.closed / "agreements.yaml", *(book.workbook.private / name for name in LISTS_OF_PERSONS)):
        assert search(file.read_bytes())
    executed = book.workbook.private / "runs" / place_outputs("closed_study", "doncaster", "real") / "1_registers.ipynb"
    assert NAME in search(executed.read_bytes())
    released = book.workbook.processed / place_outputs("closed_study", "doncaster", "real")
    for dataset in ("visitor_counts", "bill_sums", "person_records", "minutes_model"):
        package = json.loads((released / dataset / "datapackage.json").read_text(encoding="utf-8"))
        assert not package["councilbook"]["synthetic"]
    assert (
        book.workbook.reports / place_outputs("closed_study", "doncaster", "real") / "data" / "person_records"
    ).is_dir()


def test_a_linear_programme_bounds_no_small_count_of_any_published_table(
    planted: tuple[Book, dict[str, Planted]], everything: tuple[Book, str]
) -> None:
    """The attacker knows every count that is shown exactly, though it was rounded, and the true totals."""
    book, _ = everything
    catalogue = load_catalogue(book.workbook)
    attacked = []
    for study in planted[1]:
        council = catalogue.council(catalogue.study(study).default_council)
        for name in list_counts(catalogue, study):
            rule, key = catalogue.dataset(name).disclosure, catalogue.dataset(name).key
            assert isinstance(rule, CountRule)
            exact = pd.read_pickle(book.exact / f"{name}.pickle")
            folder = dataset_folder(book.workbook.processed, study, council, "real", name)
            shown = exact[key].merge(read_published(folder, catalogue.dataset(name)), on=key, how="left")
            exact = exact.reset_index(drop=True)
            hidden = shown[rule.counts].isna() & exact[rule.counts].notna()
            sums = list_sums(exact, key, rule.counts, rule.totals)
            blank = exact[rule.counts] > 0  # were nothing shown, a total of two blank parts would still be 2 or more,
            blank[rule.public] = False  # and a part no more than a whole that a register shows
            known = list(attack(exact[rule.counts], blank, sums, rule.parts, 1))
            least, most = ({row[0]: row[place] for row in known} for place in (2, 3))
            for what, number, low, high in attack(exact[rule.counts], hidden, sums, rule.parts, 1):
                attacked.append(name)
                if 1 <= number < rule.threshold:
                    assert low <= max(1, least[what]) + 1e-6, (name, what)
                    assert high >= min(rule.threshold, most[what]) - 1e-6, (name, what)
    assert "visitor_counts" in attacked


# --- things fail ---


def put_name_for_number(book: Book) -> None:
    change_cell(book, "people_register", "age", CANARY)


def put_name_for_ward(book: Book) -> None:
    change_cell(book, "people_register", "ward", CANARY)


def put_name_for_sum_in_workbook(book: Book) -> None:
    change_cell(book, "bills_ledger", "bill_gbp", CANARY)


def put_name_for_day(book: Book) -> None:
    change_cell(book, "visits_log", "day", CANARY)


def repeat_record(book: Book) -> None:
    def repeat(text: str) -> str:  # the same person, and other things of them
        rows = [line.partition(",") for line in text.splitlines()]
        return f"{text}{rows[-1][0]},{rows[-2][2]}\n"

    change_file(book, "people.csv", repeat)


def add_ragged_row(book: Book) -> None:
    change_file(book, "people.csv", lambda text: f"{text}{CANARY},{CANARY},{CANARY},1,Alder,9,F,none,{CANARY},x\n")


def leave_quote_open(book: Book) -> None:
    change_file(book, "people.csv", lambda text: f'{text}"{CANARY},1\n')


def lose_header(book: Book) -> None:
    change_file(book, "people.csv", lambda text: text.partition("\n")[2])


def use_other_encoding(book: Book) -> None:
    file = book.closed / "people.csv"
    file.write_bytes(file.read_text(encoding="utf-8-sig").encode("cp1252"))


def use_utf_16(book: Book) -> None:
    file = book.closed / "people.csv"
    file.write_bytes(file.read_text(encoding="utf-8-sig").encode("utf-16"))


def put_text_for_workbook(book: Book) -> None:
    (book.closed / "bills.xlsx").write_text(f"{CANARY}\n" * 9, encoding="utf-8")


def cut_workbook_off(book: Book) -> None:
    file = book.closed / "bills.xlsx"
    file.write_bytes(file.read_bytes()[:5000])


def end_agreement(book: Book) -> None:
    agree(book, "review_by: 2026-01-01")


def name_a_field_that_is_none(book: Book) -> None:
    agree(book, f"fields: [{CANARY!r}]")


def leave_agreement_open(book: Book) -> None:
    agree(book, f"[{CANARY!r}")


def agree(book: Book, said: str) -> None:
    change_file(
        book, "agreements.yaml", lambda text: text.replace("people_register: {", f"people_register: {{{said}, ")
    )


def change_file(book: Book, name: str, change: Callable[[str], str]) -> None:
    file = book.closed / name
    file.write_text(change(file.read_text(encoding="utf-8-sig")), encoding="utf-8")


def change_cell(book: Book, name: str, field: str, value: str) -> None:
    source = load_catalogue(book.workbook).source(name)
    table = source.table()
    rows = read_cells(book.closed / source.file, source, table)
    rows[table.header_row + 4][list(table.fields).index(field)] = value
    write_cells(book.closed / source.file, source, table, rows)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (put_name_for_number, "1 cells of age are no integer (row 6)"),
        (put_name_for_sum_in_workbook, "1 cells of bill_gbp are no number (row 8)"),
        (put_name_for_day, "1 cells of day are no date (row 6)"),
        (put_name_for_ward, "ward: 1 rows not as expected, one of Alder, Beech, Cedar, Damson (row 6)"),
        (repeat_record, "person_id: 2 rows not as expected, each value once"),
        (add_ragged_row, "more cells than the header"),
        (leave_quote_open, "is not CSV that can be read"),
        (lose_header, "row 1: it looks like a record and not like a header"),
        (put_text_for_workbook, "bills.xlsx is not an xlsx workbook"),
        (cut_workbook_off, "bills.xlsx is not an xlsx workbook"),
    ],
)
def test_no_canary_is_in_what_is_said_of_a_bad_file(book: Book, spoil: Callable[[Book], None], told: str) -> None:
    spoil(book)
    printed = call("check", "closed_study", "--data", "real")
    assert told in " ".join(printed.replace("│", " ").split()), printed
    assert search_printed(printed) == set()
    result = CliRunner().invoke(app, ["columns", "closed_study"])
    written = "".join(file.read_text(encoding="utf-8") for file in book.closed.glob("columns_*.yaml"))
    assert search_printed(result.output + written) == set()


@pytest.mark.parametrize("spoil", [use_other_encoding, use_utf_16])
def test_no_canary_is_in_what_is_said_of_a_file_that_is_read_as_a_spreadsheet_saved_it(
    book: Book, spoil: Callable[[Book], None]
) -> None:
    spoil(book)
    for command in (["check", "closed_study", "--data", "real"], ["columns", "closed_study"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        assert search_printed(result.output) == set()


def search_printed(printed: str) -> set[str]:
    """Look for canaries in what was printed; in a table, a word may be broken at a line's end."""
    return search(printed.encode()) | search("".join(printed.replace("│", "").split()).encode())


def tamper(book: Book, old: str, new: str) -> None:
    for file in (
        book.workbook.catalogue / "closed_study.yaml",
        book.workbook.notebooks / "closed_study" / "1_registers.ipynb",
    ):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(old, new), encoding="utf-8")


def raise_record(book: Book) -> None:
    add_cell(book, f"{CARELESS}\nraise ValueError(people.to_string())")


def raise_chained_record(book: Book) -> None:
    code = "try:\n    int(people['full_name'].iloc[0])\nexcept ValueError as error:\n    raise OSError(28, str(error))"
    add_cell(book, code)


def kill_kernel(book: Book) -> None:
    add_cell(book, f"{CARELESS}\nos._exit(1)")


def release_by_rule_for_open_sources(book: Book) -> None:
    rule = (STUDY / "catalogue.yaml").read_text(encoding="utf-8").partition("title: People\n")[2]
    rule = rule.partition("    disclosure:\n")[2].partition("    key:")[0]
    tamper(book, rule, "      rule: open_sources_only\n")


def release_names(book: Book) -> None:
    old = 'study.release(\\"person_records'
    tamper(book, old, f'records[\\"ward\\"] = people[\\"full_name\\"]\\n{old}')


def release_what_is_not_as_declared(book: Book) -> None:
    tamper(book, "ward: {description: Ward}", "ward: {enum: [Alder], description: Ward}")


def break_gate(book: Book) -> None:
    old = 'study.release(\\"person_records'
    tamper(book, old, f'records[\\"age\\"] = people[\\"full_name\\"]\\n{old}')


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (raise_record, "ValueError: its message may show a record"),
        (raise_chained_record, "OSError: its message may show a record"),
        (kill_kernel, "DeadKernelError: "),
        (put_name_for_number, "1 cells of age are no integer"),
        (end_agreement, "had to be reviewed by 1 January 2026"),
        (leave_agreement_open, "it cannot be read as YAML"),
        (name_a_field_that_is_none, "its agreement names 1 field(s) that are not declared"),
        (release_by_rule_for_open_sources, "its rule allows open sources only"),
        (release_what_is_not_as_declared, "ward: 15 rows not as expected, one of Alder"),
        (break_gate, "different values are not numbers, as bands need"),
    ],
)
def test_no_canary_is_in_what_is_said_of_a_run_that_fails(
    planted: tuple[Book, dict[str, Planted]], book: Book, spoil: Callable[[Book], None], told: str
) -> None:
    spoil(book)
    printed = call("run", "closed_study", "--data", "real")
    assert told in printed
    assert search_printed(printed) == set()
    assert search_files(book.workbook, planted[1]["closed_study"]) == []
    assert not (book.workbook.processed / "closed_study").exists()


def test_no_canary_is_in_what_is_said_of_a_twin_that_fails(
    planted: tuple[Book, dict[str, Planted]], book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed_study_twin.py").write_text(f"def make_people(*given):\n    raise KeyError({CANARY!r})\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    shutil.rmtree(book.workbook.private / "twins")
    printed = call("run", "closed_study")
    assert "KeyError: its message may show a record" in printed
    assert search_printed(printed) == set()
    assert search_files(book.workbook, planted[1]["closed_study"]) == []


# --- the search itself ---


def test_canaries_that_a_broken_gate_lets_out_are_found(
    planted: tuple[Book, dict[str, Planted]], book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_pass(dataset: object, frame: pd.DataFrame, *rest: object) -> Passed:
        return Passed(frame, {"cells_suppressed": 0})

    monkeypatch.setattr("councilbook.gate.writing.pass_gate", let_pass)
    study = Study.open("closed_study", "1_registers", council="doncaster", data="real", seed=1, run_date="2026-01-31")
    people = study.load("people_register").astype({"age": "str"})
    records = people.assign(record=range(len(people)), ward=people["full_name"])
    study.release("person_records", records[["record", "age", "ward", "sex", "condition"]])
    found = search_files(book.workbook, planted[1]["closed_study"])
    assert (
        f"data/processed/closed_study/doncaster/real/person_records/person_records.csv: {NAME}, the rare age" in found
    )


def write_parquet(content: bytes) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame({"area": [content.decode()] * 3}).to_parquet(stream, compression="zstd")
    return stream.getvalue()


def write_zip(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", content)
    return stream.getvalue()


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16, big endian": lambda text: text.encode("utf-16-be"),
    "latin-1": lambda text: text.encode("latin-1"),
    "upper case": lambda text: text.upper().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, one byte on": lambda text: base64.b64encode(b"1" + text.encode()),
    "base64, two bytes on": lambda text: base64.b64encode(b"12" + text.encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(b"\xff\xfe" * 20 + text.encode()),
    "percent": lambda text: quote(text).encode(),
    "percent, each letter": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "HTML": lambda text: escape(text).encode(),
    "HTML, each letter": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JavaScript, each letter": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text.encode())),
    "zip": lambda text: write_zip(text.encode()),
    "zstd": lambda text: pa.compress(text.encode(), "zstd", asbytes=True),
    "parquet": lambda text: write_parquet(text.encode()),
    "PDF": lambda text: b"%PDF-1.7\nstream\n" + zlib.compress(text.encode()) + b"\nendstream",
    "a page in a page": lambda text: quote(escape(escape(text))).encode(),
}


@pytest.mark.parametrize("column", ["full_name", "home_address", "nhs_number", "device_mac", "remarks"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_canary_is_found_in_each_encoding(encoding: str, column: str) -> None:
    text = make_canary(column, "somebody")
    around = "" if encoding in ("utf-16", "utf-16, big endian") else "before "
    content = ENCODINGS[encoding](f"{around}{text} after")
    if encoding not in ("gzip", "zip", "zstd", "parquet", "PDF"):
        content = b'<p title="' + content + b'">'
    assert len(search(content)) == 1
    assert search(ENCODINGS[encoding]("before nobody after")) == set()
