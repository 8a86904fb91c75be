"""Canaries: unmistakable records, put into closed files and looked for in whatever leaves the council.

They also stand in the words of the council's agreements, and for the names of those who accept and approve.
"""

import base64
import csv
import gzip
import io
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes
from zipfile import ZipFile

import nbformat
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ahocorasick_rs import BytesAhoCorasick

from councilbook.catalogue import Catalogue, FieldSpec, Finder, Source, Table, load_catalogue
from councilbook.catalogue.fetching import raw_path
from councilbook.paths import Workbook
from councilbook.running.sources import list_study_sources
from councilbook.sources.files.readers import accepted_headers
from councilbook.study import Study

STUDY = Path(__file__).parent / "closed_study"
SEED = 2018

# What each kind of canary can be told by, however it is written; with what comes before and after it in a cell.
NAME, ADDRESS, OTHER = "Quackenzilde", "Vexholmegate", "Blortsnagel"
NHS_NUMBERS = ("999 041 7", "999-041-7", "9990417")
DEVICES = ("de:ad:fa:ce:0b", "de-ad-fa-ce-0b", "deadface0b")
PHONES = ("fa:ce:d0", "fa-ce-d0", "faced0", "2451687929", "242969769")  # the last two as a number
TOKENS = (NAME, ADDRESS, OTHER, *NHS_NUMBERS, *DEVICES, *PHONES)
MUSEUM = "museum visits"  # records of phones: their addresses are the canaries, as nothing else in them may be any text
CHECKED = "guidance_"  # returns of which no cell may hold any text, or a run stops: see test_guidance_returns.py
LEAST_BASE64 = 40  # shorter runs of its letters are words
TOKEN_LETTERS = 16  # of a token under which an answer is kept
DEEPEST = 4  # file in a file in a file
PERSON = f"Zoë O'{NAME} who signs"
LISTS_OF_PERSONS = ("acceptances.jsonl", "approvals.jsonl")  # of the private folder: who signed stands there alone


@dataclass
class Planted:
    """What was planted.

    Attributes:
        study: in whose files; a number that stands out there may be a common one in another's.
        texts: how many cells hold a canary.
        sources: the ids of those with a canary in them.
        numbers: by name of a column, the numbers of the record that stands out.
    """

    study: str
    texts: int = 0
    sources: set[str] = field(default_factory=set)
    phones: dict[bytes, int] = field(default_factory=dict)  # by address or token, its number; fewer than 65,536
    numbers: dict[str, set[float]] = field(default_factory=dict)


# --- planting ---


def add_closed_study(workbook: Workbook) -> None:
    """Add the study that is made for tests to a workbook; its twins are in its folder, to be put on the path."""
    folder = workbook.notebooks / "closed_study"
    folder.mkdir()
    shutil.copy(STUDY / "study.yaml", folder)
    shutil.copy(STUDY / "catalogue.yaml", workbook.catalogue / "closed_study.yaml")
    for text in STUDY.glob("*.md"):
        nbformat.write(read_notebook(text.read_text(encoding="utf-8")), folder / f"{text.stem}.ipynb")


def read_notebook(text: str) -> nbformat.NotebookNode:
    """Make a notebook of markdown, whose fenced Python becomes code cells, tagged with the words after `python`."""
    cells = []
    for number, part in enumerate(re.split(r"^```", text, flags=re.MULTILINE)):
        if number % 2:
            head, _, body = part.partition("\n")
            cells.append(nbformat.v4.new_code_cell(body.strip(), metadata={"tags": head.split()[1:]}))
        elif part.strip():
            cells.append(nbformat.v4.new_markdown_cell(part.strip()))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def list_guarded_studies(catalogue: Catalogue) -> list[str]:
    """List the studies that can read a source which is not open."""
    return [study for study in catalogue.studies if any(map(is_guarded, list_study_sources(catalogue, study)))]


def is_guarded(source: Source) -> bool:
    return source.spectrum != "open" and source.twin is not None and not source.id.startswith(CHECKED)


def plant(workbook: Workbook, study: str, closed: Path, mirror: Path) -> Planted:
    """Fill a closed folder with a study's closed and shared files, made of their twins and full of canaries.

    Its open files are twins as well, as a mirror of the official ones: so it can be run in real mode anywhere.
    """
    catalogue = load_catalogue(workbook)
    spec = catalogue.study(study)
    finder = Finder(catalogue, "sample", catalogue.council(spec.default_council), SEED)
    maker = Study(catalogue, spec, next(iter(spec.notebooks)), finder, "2026-01-31")
    planted = Planted(study)
    for source in (one.for_council(finder.council) for one in list_study_sources(catalogue, study)):
        if source.twin is None:
            continue
        twin = maker.find(source).path
        if is_guarded(source):
            target = closed / source.file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(twin, target)
            if source.belongs_with == MUSEUM:
                plant_addresses(target, source, planted)
                continue
            for table in source.tables.values():
                plant_table(target, source, table, planted)
            if any(is_free_text(name, table) for table in source.tables.values() for name in table.fields):
                planted.sources.add(source.id)
        else:
            target = mirror / source.mirror if source.mirror else raw_path(source, workbook)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(twin, target)
    return planted


def plant_agreements(workbook: Workbook, closed: Path) -> None:
    """Write into a closed folder what a council agreed on each guarded source: nothing but its dates may be told."""
    catalogue = load_catalogue(workbook)
    words = f"{{title: {OTHER} 1, parties: [{OTHER} 2], purpose: {OTHER} 3, legal_basis: {OTHER} 4}}"
    lines = [f"{one.id}: {words}  # {OTHER} 5\n" for one in catalogue.sources.values() if is_guarded(one)]
    (closed / "agreements.yaml").write_text("".join(lines), encoding="utf-8")


def plant_addresses(file: Path, source: Source, planted: Planted) -> None:
    """Plant a canary into every address of a phone, and into every token of an answer; equal ones stay equal."""

    def mark(found: re.Match[bytes]) -> bytes:
        number = planted.phones.setdefault(found[0], len(planted.phones))
        planted.texts += 1
        planted.sources.add(source.id)
        if len(found[0]) == TOKEN_LETTERS:
            return b"faced0%010x" % number
        first = b"de" if int(found[0][:2], 16) & 2 else b"dc"  # of its own choice, or a maker's
        return b"%s:fa:ce:d0:%02x:%02x" % (first, *divmod(number, 256))

    packed = file.suffix == ".gz"
    content = file.read_bytes()
    content = gzip.decompress(content) if packed else content
    content = re.sub(rb"\b(?!00:00:5e)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|(?<=\n)[0-9a-f]{16}(?=,)", mark, content)
    file.write_bytes(gzip.compress(content, 1) if packed else content)


def plant_table(file: Path, source: Source, table: Table, planted: Planted) -> None:
    """Plant canaries into every cell of free text of a table, and add a record that stands out in all its columns."""
    rows = read_cells(file, source, table)
    header, records = rows[: table.header_row], rows[table.header_row :]
    names = [" ".join(str(cell).split()).casefold() for cell in header[-1]]
    columns = {
        name: next(names.index(one.casefold()) for one in accepted_headers(name, table) if one.casefold() in names)
        for name in table.fields
    }
    rare = list(records[-1])
    for name, column in columns.items():
        spec, values = table.fields[name], [record[column] for record in records]
        if is_free_text(name, table):
            for record in records:
                if record[column] not in ("", None):
                    record[column] = make_canary(name, str(record[column]))
                    planted.texts += 1
            rare[column] = make_canary(name, "the rare one")
        elif spec.enum:
            rare[column] = min(spec.enum, key=lambda value: values.count(value))
        elif spec.type in ("integer", "number") and not (table.areas and name in table.areas.columns):
            rare[column] = make_rare(spec, values)
            planted.numbers.setdefault(name, set()).add(float(rare[column]))
    if table.key and all(rare[columns[name]] == records[-1][columns[name]] for name in table.key):
        records.pop()  # its key is a code, so the record can only take another's place
    write_cells(file, source, table, [*header, *records, rare])


def is_free_text(name: str, table: Table) -> bool:
    """Whether a column may hold any text: it is no code, no area and no choice of a few."""
    spec = table.fields[name]
    is_area = table.areas is not None and name in table.areas.columns
    return spec.type == "string" and not (spec.enum or spec.pattern or is_area)


def make_canary(column: str, value: str) -> str:
    """Make a text that looks as what its column holds; the same for the same value, so that registers can be joined."""
    number = int.from_bytes(blake2b(value.encode(), digest_size=8).digest())  # of a million, no two are the same
    if "nhs" in column:
        return f"999 041 7{number % 1000:03d}"
    if re.search(r"mac|device", column):
        return f"de:ad:fa:ce:0b:{number % 256:02x}"
    if re.search(r"name|holder|person\b", column):
        return f"Zoë O'{NAME} & {number:016x}"
    return f"{number % 100} <{ADDRESS}> Ræ" if "address" in column else f"{OTHER}-{number:016x}"


def make_rare(spec: FieldSpec, values: Sequence[Any]) -> float:
    """Return a number that no record has: somewhat above the largest, as far as its field allows."""
    largest = max(float(value) for value in values if value not in ("", None))
    number = largest + 7 if spec.type == "integer" else round(1.5 * largest + 0.13579, 5)
    return min(number, spec.maximum) if spec.maximum is not None else number


def read_cells(file: Path, source: Source, table: Table) -> list[list[Any]]:
    if source.format == "xlsx":
        sheet = openpyxl.load_workbook(file)[table.sheet or ""]
        return [list(row) for row in sheet.iter_rows(values_only=True)]
    with file.open(encoding=table.encoding, newline="") as stream:
        return list(csv.reader(stream, delimiter=table.delimiter))


def write_cells(file: Path, source: Source, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    if source.format == "xlsx":
        workbook = openpyxl.load_workbook(file)
        sheet = workbook[table.sheet or ""]
        sheet.delete_rows(1, sheet.max_row)
        for row in rows:
            sheet.append(row)
        workbook.save(file)
        return
    with file.open("w", encoding=table.encoding, newline="") as stream:
        csv.writer(stream, delimiter=table.delimiter, lineterminator="\n").writerows(rows)


# --- looking for them ---


def search_files(workbook: Workbook, *planted: Planted) -> list[str]:
    """Look for canaries in all that others may read, and in what is kept of a run but its executed notebooks.

    Nor are the private lists of who signed looked at.

    Returns:
        A line each file in which one was found.
    """
    found = []
    for folder in (workbook.processed, workbook.reports, workbook.private):
        for file in sorted(folder.rglob("*")):
            is_own = folder == workbook.private and (file.suffix == ".ipynb" or file.name in LISTS_OF_PERSONS)
            if file.is_file() and not is_own:
                tokens = {*search(str(file.relative_to(folder)).encode()), *search(file.read_bytes())}
                if file.suffix == ".csv" and folder != workbook.private:
                    for study in (one for one in planted if one.study in file.relative_to(folder).parts):
                        tokens |= set(search_numbers(pd.read_csv(file), study))
                if tokens:
                    found.append(f"{file.relative_to(workbook.root)}: {', '.join(sorted(tokens))}")
    return found


def search_numbers(table: pd.DataFrame, planted: Planted) -> Iterator[str]:
    """Yield the columns of a table that hold a number of the record that stands out."""
    for name, numbers in planted.numbers.items():
        if name in table and pd.to_numeric(table[name], errors="coerce").isin(numbers).any():
            yield f"the rare {name}"


def search(content: bytes, depth: int = 0) -> set[str]:
    """Return the tokens of canaries that stand in some bytes, in whatever encoding, or in what is packed in them."""
    found = set()
    for searched, is_caseless in ((content.lower(), True), (content, False)):
        needles, tokens = index_needles(is_caseless)
        found |= {tokens[match] for match, *_ in needles.find_matches_as_indexes(searched, overlapping=True)}
    if depth < DEEPEST:
        for part in unpack(content):
            found |= search(part, depth + 1)
    return found


@cache
def index_needles(is_caseless: bool) -> tuple[BytesAhoCorasick, list[str]]:
    """Return what finds all needles in one pass, and the token of each."""
    wanted = [
        (needle, token) for token in TOKENS for needle, caseless in list_needles(token) if caseless == is_caseless
    ]
    return BytesAhoCorasick([needle for needle, _ in wanted]), [token for _, token in wanted]


def list_needles(token: str) -> list[tuple[bytes, bool]]:
    """List what a token looks like in bytes, and whether upper and lower case are the same there."""
    forms = (token, token.lower(), token.upper())
    plain = [token.lower().encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]  # latin-1 as utf-8
    spelled = [
        spell(form)
        for form in forms
        for spell in (
            quote,
            quote_plus,
            lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
            lambda text: "".join(f"&#{ord(letter)};" for letter in text),
            lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
            lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
            lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
            lambda text: text.encode().hex(),
        )
    ]
    packed = [
        encode_within(form.encode(code), shift)
        for form in forms
        for code in ("utf-8", "utf-16-le")
        for shift in range(3)
    ]
    caseless = {*plain, *(text.lower().encode() for text in spelled)}
    return [*((needle, True) for needle in caseless), *((needle, False) for needle in set(packed))]


def encode_within(content: bytes, shift: int) -> bytes:
    """Return the letters of base64 that some bytes always have, when so many bytes come before them in a triple."""
    encoded = base64.b64encode(bytes(shift) + content + bytes(2))
    first = -(-8 * shift // 6)
    return encoded[first : (8 * (shift + len(content))) // 6]


def unpack(content: bytes) -> Iterator[bytes]:
    """Yield what is packed in some bytes: gzip, zstd, zip, parquet, zlib (PDF, PNG), base64, escapes of HTML."""
    if content.startswith(b"\x1f\x8b"):
        yield from inflate(content, 47)
    elif content.startswith(b"\x28\xb5\x2f\xfd"):
        yield pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
    elif content.startswith(b"PK\x03\x04"):
        with ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif content.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(content))
        yield repr(table.schema.metadata).encode()
        yield from (str(value).encode() for name in table.column_names for value in table[name].unique().to_pylist())
    elif content.startswith((b"%PDF", b"\x89PNG")):
        for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", content):
            yield from inflate(content[start.start() :], 15)
    else:
        for run in re.findall(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % LEAST_BASE64, content):
            plain = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
            whole = plain[:-1] if len(plain) % 4 == 1 else plain
            yield base64.b64decode(whole + b"=" * (-len(whole) % 4))
        if b"%" in content and (decoded := unquote_to_bytes(content)) != content:
            yield decoded
        if b"&" in content and (plain := unescape(content.decode("latin-1")).encode("utf-8")) != content:
            yield plain


def inflate(content: bytes, kind: int) -> Iterator[bytes]:
    """Yield what a stream of zlib or gzip holds, if it is one."""
    with suppress(zlib.error):
        yield zlib.decompressobj(kind).decompress(content)
