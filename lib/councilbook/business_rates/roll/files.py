"""A council's roll as a file: its encoding, delimiter and header row, and its records, whatever their length."""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, dropwhile, islice
from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa

from councilbook.business_rates.roll.columns import (
    Column,
    apply_mapping,
    check_columns,
    count_known,
    list_uses,
    map_header,
)
from councilbook.business_rates.roll.rules import EXPECTED, KINDS, Kind, Use, clean_cells, convert_cells
from councilbook.business_rates.roll.tables import (
    LEAST_KNOWN,
    LEAST_KNOWN_BESIDE,
    ROWS_SEARCHED_FOR_HEADER,
    NoHeaderError,
    Record,
    Text,
    find_text,
    join_tables,
    list_tops,
)
from councilbook.errors import CheckError, SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
SAMPLED_ROWS = 20_000
MOST_LINES = 20  # of one record; more, and a quotation mark was not closed
CHUNK = 50_000  # records at a time; of more, Python's housekeeping takes longer, of fewer, DuckDB's planning
MOST_LEFT_OUT = 2  # columns that most records may lack
UNREADABLE = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Layout:
    """How a roll lies in its file.

    Attributes:
        path: the file.
        encoding: utf-8-sig or cp1252; "" of a workbook, and of several files that were put together.
        delimiter: between cells; "" likewise.
        header_row: the line or row of the header, from 1.
        header: its cells.
        columns: what each is taken for.
        usual_cells: how many cells most records have.
        left_out: positions of the header that records of `usual_cells` lack; none if they have all.
        text: the text that it lies in; None of what was put together.
        records: what was put together.
        notes: by sheet or file, what became of it there.
    """

    path: Path
    encoding: str
    delimiter: str
    header_row: int
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    usual_cells: int
    left_out: tuple[int, ...] = ()
    text: Text | None = None
    records: Sequence[Record] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def uses(self) -> list[Use]:
        """What the columns are used for."""
        return list_uses(self.columns)


def find_layout(
    path: Path,
    database: duckdb.DuckDBPyConnection,
    *,
    mapping: dict[str, str | None] | None = None,
    delimiter: str | None = None,
) -> Layout:
    """Find out how a roll lies in its file.

    Args:
        path: a CSV, plain, gzip or zip; a workbook; or a zip of several.
        database: from `roll_rules.open_rules`.
        mapping: what the council has confirmed; it is guessed if there is none.
        delimiter: tried out if it is not given.

    Raises:
        SourceError: the file cannot be read, or no row of it is a roll's header.
        CheckError: a column cannot be told, or is not what its header says.
    """
    layout = find_head(path, list(mapping or ()), delimiter)
    header = layout.header
    columns = apply_mapping(header, _fit_mapping(header, mapping)) if mapping else map_header(header)
    sample = [cells for _, cells in islice(read_records(layout), SAMPLED_ROWS) if any(cells)]
    usual, left_out = _find_left_out(sample, columns, database, path)
    layout = replace(layout, columns=tuple(columns), usual_cells=usual, left_out=left_out)
    aligned = [align_cells(cells, layout) for cells in sample]
    by_column = [[text for cells in aligned if (text := cells[place].strip())] for place in range(len(header))]
    return replace(layout, columns=tuple(check_columns(columns, by_column, database)))


def find_head(path: Path, confirmed: Sequence[str] = (), delimiter: str | None = None) -> Layout:
    """Find where a roll lies in its file, and its header; what its columns are is left open.

    Args:
        path: as for `find_layout`.
        confirmed: headers that the council has named.
        delimiter: tried out if it is not given.

    Raises:
        SourceError: the file cannot be read, or no row of it is a roll's header.
    """
    try:
        if text := find_text(path):
            encoding = find_encoding(text)
            found, row, header = find_header(text, encoding, delimiter, confirmed)
            return Layout(path, encoding, found, row, tuple(header), (), len(header), text=text)
        joined = join_tables(path, _read_member, confirmed)
    except UNREADABLE as error:
        raise SourceError(f"{path.name}: the file cannot be read or unpacked ({type(error).__name__}).") from None
    row, header = joined.records[0]
    return Layout(path, "", "", row, tuple(header), (), len(header), records=joined.records[1:], notes=joined.notes)


def guess_columns(path: Path) -> list[Column]:
    """Guess what the columns of a file are that cannot be read as it is, so that a council can say it.

    Two may then be taken for the same. Where no row is a roll's header, it is the row with most names.

    Raises:
        SourceError: the file cannot be read at all.
    """
    try:
        header = find_head(path).header
    except NoHeaderError:
        if text := find_text(path):
            encoding = find_encoding(text)
            able = [record for one in DELIMITERS for record in _read_top(text, encoding, one)]
        else:
            able = list_tops(path, _read_member)
        header = tuple(
            max((cells for _, cells in able), key=lambda cells: len({cell.strip() for cell in cells} - {""}))
        )
    try:
        return map_header(header)
    except CheckError:
        return [replace(map_header([cell])[0], position=place) for place, cell in enumerate(header)]


def _fit_mapping(header: Sequence[str], mapping: Mapping[str, str | None]) -> dict[str, str | None]:
    """Let what a council says of a joined column hold for as many of it as the file has this time."""
    fitted = dict(mapping)
    for name in (cell.strip() for cell in header):
        first = re.sub(r" \(\d+\)$", "", name)
        if name not in mapping and first in mapping:
            fitted[name] = mapping[first]
    absent = [name for name in fitted if name not in header and re.search(r" \(\d+\)$", name)]
    return {name: target for name, target in fitted.items() if name not in absent or _is_repeated(name, header)}


def _is_repeated(name: str, header: Sequence[str]) -> bool:
    """Tell whether a counted name, as "Date From (2)", is of a header that comes so often."""
    first, _, count = name[:-1].rpartition(" (")
    return sum(cell.strip() == first for cell in header) >= int(count)


def find_encoding(text: Text) -> str:
    """Tell whether a text is UTF-8 or the cp1252 of older council files.

    Raises:
        SourceError: it is neither, or no text at all.
    """
    able = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8-sig", "cp1252")}
    line = 1
    with text.open() as file:
        block = file.read(2**20)
        if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"PK\x03\x04")):
            raise SourceError(f"{text.name}: UTF-16, or a workbook in a packed file. Save it as CSV UTF-8.")
        while block:
            if b"\0" in block:
                row = line + block.count(b"\n", 0, block.index(b"\0"))
                raise SourceError(
                    f"{text.name}: row {row} has a NUL byte, as a damaged file has, or one in UTF-16. Save it anew as "
                    "CSV UTF-8."
                )
            line += block.count(b"\n")
            for name in [] if block.isascii() and not any(one.getstate()[0] for one in able.values()) else list(able):
                try:
                    able[name].decode(block)
                except UnicodeDecodeError:
                    del able[name]
            block = file.read(2**20)
    if "utf-8-sig" in able and able["utf-8-sig"].getstate()[0]:  # it ends within a letter
        del able["utf-8-sig"]
    if not able:
        raise SourceError(f"{text.name}: neither UTF-8 nor cp1252. Save it as CSV UTF-8.")
    return next(iter(able))


def find_header(
    text: Text, encoding: str, delimiter: str | None, confirmed: Sequence[str] = ()
) -> tuple[str, int, list[str]]:
    """Return the delimiter, the line of the header and its cells.

    Raises:
        SourceError: no row near the top has headers of a roll.
    """
    if delimiter not in (None, *DELIMITERS):
        raise SourceError(f"{text.name}: the delimiter may be {', '.join(DELIMITERS.values())}, not {delimiter!r}.")
    known, found, row, header = _find_best(text, encoding, [delimiter] if delimiter else list(DELIMITERS), confirmed)
    if known < LEAST_KNOWN:
        way = f"with {DELIMITERS.get(delimiter, repr(delimiter))} as delimiter" if delimiter else "with any delimiter"
        instead = ""
        if delimiter:
            other = find_header(text, encoding, None, confirmed)
            instead = f" With {DELIMITERS[other[0]]} as delimiter, row {other[1]} is one."
        raise NoHeaderError(
            f"{text.name}: {way}, none of its first {ROWS_SEARCHED_FOR_HEADER} rows is the header of a roll "
            f"(at least {LEAST_KNOWN} columns that can be told).{instead}"
        )
    return found, row, header


def _find_best(
    text: Text, encoding: str, delimiters: Sequence[str], confirmed: Sequence[str]
) -> tuple[int, str, int, list[str]]:
    """Return the row with most known headers: how many, the delimiter, its line and its cells."""
    best: tuple[int, str, int, list[str]] = (0, delimiters[0], 0, [])
    for one in delimiters:
        for row, cells in _read_top(text, encoding, one):
            known = max(count_known(cells), sum(cell.strip() in confirmed for cell in cells))
            if known > best[0]:
                best = (known, one, row, cells)
    return best


def _read_top(text: Text, encoding: str, delimiter: str) -> list[Record]:
    with _open_text(text, encoding) as file:
        return list(islice(_read(file, delimiter, text.name), ROWS_SEARCHED_FOR_HEADER))


def _read_member(text: Text) -> Iterator[Record]:
    """Read the records of a text in a zip of several, whose delimiter is tried out."""
    encoding = find_encoding(text)
    known, delimiter, *_ = _find_best(text, encoding, list(DELIMITERS), ())
    with _open_text(text, encoding) as file:
        yield from _read(file, delimiter if known >= LEAST_KNOWN_BESIDE else ",", text.name)


def read_records(layout: Layout) -> Iterator[Record]:
    """Yield the records below the header, blank ones too, each with the line that it begins on."""
    if layout.text is None:
        yield from layout.records
        return
    with _open_text(layout.text, layout.encoding) as file:
        records = _read(file, layout.delimiter, layout.text.name)
        yield from dropwhile(lambda record: record[0] <= layout.header_row, records)


def align_cells(cells: list[str], layout: Layout) -> list[str]:
    """Put a record's cells below their headers: those that most records lack are blank, and so are those cut off."""
    if layout.left_out and len(cells) == layout.usual_cells:
        for place in layout.left_out:
            cells = [*cells[:place], "", *cells[place:]]
    return cells if len(cells) >= len(layout.header) else cells + [""] * (len(layout.header) - len(cells))


def make_chunks(layout: Layout) -> Iterator[tuple[pa.Table, int]]:
    """Yield the records as tables for `roll_rules.write_query`, each with how many blank rows were left out of it."""
    records = read_records(layout)
    width, places = len(layout.header), [use.position for use in layout.uses]
    while chunk := list(islice(records, CHUNK)):
        rows, counts, is_long, cells = [], [], [], []
        for row, record in chunk:
            count = len(record)
            if count != width:
                record = align_cells(record, layout)
                if count == layout.usual_cells:
                    count = width
            if not any(record) or not "".join(record).strip():
                continue
            rows.append(row)
            counts.append(count)
            is_long.append(len(record) > width and bool("".join(record[width:]).strip()))
            cells.append(record)
        columns = list(zip(*cells, strict=False)) or [()] * width  # as many as the shortest has: at least the header's
        data = {"row": pa.array(rows, pa.int64()), "cells": pa.array(counts, pa.int32()), "is_long": pa.array(is_long)}
        data |= {f"c{place}": clean_cells(columns[place]) for place in places}
        yield pa.table(data), len(chunk) - len(rows)


def _find_left_out(
    sample: Sequence[list[str]], columns: Sequence[Column], database: duckdb.DuckDBPyConnection, path: Path
) -> tuple[int, tuple[int, ...]]:
    """Find the columns that most records lack, as where a publisher dropped a blank cell of nearly every row.

    Raises:
        SourceError: most records have fewer cells than the header has, and no one way to read them fits.
    """
    width = len(columns)
    counts = np.bincount([len(cells) for cells in sample]) if sample else np.array([0])
    usual = int(counts.argmax())
    if usual >= width or counts[usual] <= len(sample) / 2 or usual < width - MOST_LEFT_OUT:
        return width, ()
    short = [cells for cells in sample if len(cells) == usual][:2000]
    wrong = _count_misfits(short, columns, database)
    costs = {
        left_out: sum(wrong[place][columns[header].target or ""] for place, header in enumerate(_keep(width, left_out)))
        for left_out in combinations(range(width), width - usual)
    }
    least = min(costs.values())
    able = [left_out for left_out, cost in costs.items() if cost == least]
    if able[-1] == tuple(range(usual, width)):
        return width, ()  # the rows only end early
    if len(able) > 1 or least > 0.05 * len(short):
        raise SourceError(
            f"{path.name}: most rows have {usual} cells and the header has {width} names, and it cannot be told which "
            "names they lack. Take the names out of the header that have no cells."
        )
    return usual, able[0]


def _keep(width: int, left_out: Sequence[int]) -> list[int]:
    return [place for place in range(width) if place not in left_out]


def _count_misfits(
    records: Sequence[list[str]], columns: Sequence[Column], database: duckdb.DuckDBPyConnection
) -> list[dict[str, int]]:
    """Count, by place of a cell and column of ours, the cells that cannot be read so."""
    targets = [column.target for column in columns if column.target is not None]
    kinds: dict[str, Kind] = {target: KINDS[target] for target in targets if target in KINDS}
    counts = []
    for cells in zip(*records, strict=True):
        wrong = dict.fromkeys((column.target or "" for column in columns), 0)
        filled = [cell for cell in cells if cell.strip()]
        for target, kind in kinds.items():
            if kind in EXPECTED and filled:
                fits = convert_cells(database, filled, kind).notna()
                if kind == "day":
                    fits |= convert_cells(database, filled, "month_day").notna()
                wrong[target] = int((~fits).sum())
        counts.append(wrong)
    return counts


def _read(file: IO[str], delimiter: str, name: str) -> Iterator[Record]:
    reader = csv.reader(file, delimiter=delimiter)
    begin = 1
    try:
        for cells in reader:
            if reader.line_num - begin >= MOST_LINES:
                raise SourceError(f"{name}: row {begin} runs over {MOST_LINES} lines; a quotation mark is not closed.")
            yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{name}: row {begin} is not CSV that can be read ({error}).") from None


def _open_text(text: Text, encoding: str) -> IO[str]:
    return io.TextIOWrapper(text.open(), encoding=encoding, newline="")
