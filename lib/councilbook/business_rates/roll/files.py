"""A council's roll as a file: its encoding, delimiter and header row, and its records, whatever their length."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import BufferedReader
from itertools import combinations, dropwhile, islice
from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa

from councilbook.business_rates.roll.cells import check_columns, find_roll_day
from councilbook.business_rates.roll.columns import (
    Column,
    apply_mapping,
    count_known,
    list_uses,
    map_header,
)
from councilbook.business_rates.roll.rules import EXPECTED, KINDS, Kind, Use, clean_cells, convert_cells
from councilbook.errors import SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
ROWS_SEARCHED_FOR_HEADER = 40
LEAST_KNOWN = 3  # headers, to be sure of a header row
SAMPLED_ROWS = 20_000
MOST_LINES = 20  # of one record; more, and a quotation mark was not closed
CHUNK = 50_000  # records at a time; of more, Python's housekeeping takes longer, of fewer, DuckDB's planning
MOST_LEFT_OUT = 2  # columns that most records may lack

Record = tuple[int, list[str]]  # the line that it begins on, from 1, and its cells


@dataclass(frozen=True)
class Layout:
    """How a roll lies in its file.

    Attributes:
        path: the file.
        encoding: utf-8-sig or cp1252.
        delimiter: between cells.
        header_row: the line of the header, from 1.
        header: its cells.
        columns: what each is taken for.
        usual_cells: how many cells most records have.
        left_out: positions of the header that records of `usual_cells` lack; none if they have all.
    """

    path: Path
    encoding: str
    delimiter: str
    header_row: int
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    usual_cells: int
    left_out: tuple[int, ...] = ()

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
    on: date | None = None,
) -> Layout:
    """Find out how a roll lies in its file.

    Args:
        path: a CSV, plain or gzip.
        database: from `roll_rules.open_rules`.
        mapping: what the council has confirmed; it is guessed if there is none.
        delimiter: tried out if it is not given.
        on: the day of the roll, see `map_header`.

    Raises:
        SourceError: the file cannot be read, or no row of it is a roll's header.
        CheckError: a column cannot be told, or is not what its header says.
    """
    encoding = find_encoding(path)
    found = find_header(path, encoding, delimiter, list(mapping or ()))
    row, header = found[1], tuple(found[2])
    columns = apply_mapping(header, mapping) if mapping else map_header(header, on)
    layout = Layout(path, encoding, found[0], row, header, tuple(columns), len(header))
    sample = [cells for _, cells in islice(read_records(layout), SAMPLED_ROWS) if any(cells)]
    usual, left_out = _find_left_out(sample, columns, database, path)
    layout = Layout(path, encoding, found[0], row, header, tuple(columns), usual, left_out)
    aligned = [align_cells(cells, layout) for cells in sample]
    by_column = [[text for cells in aligned if (text := cells[place].strip())] for place in range(len(header))]
    if not mapping and on is not None:  # where there are several lists of values, that of the roll's own day is read
        columns = map_header(header, find_roll_day(columns, by_column, database, on))
    checked = check_columns(columns, by_column, database)
    return Layout(path, encoding, found[0], row, header, tuple(checked), usual, left_out)


def find_encoding(path: Path) -> str:
    """Tell whether a file is UTF-8 or the cp1252 of older council files.

    Raises:
        SourceError: it is neither, or no text at all.
    """
    able = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8-sig", "cp1252")}
    try:
        with _open_binary(path) as file:
            block = file.read(2**20)
            if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"PK\x03\x04")):
                raise SourceError(f"{path.name}: a workbook, or UTF-16. Save it as CSV UTF-8.")
            while True:
                for name in list(able):
                    try:
                        able[name].decode(block, final=not block)
                    except UnicodeDecodeError:
                        del able[name]
                if not block:
                    break
                block = file.read(2**20)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(f"{path.name}: the file cannot be read or unpacked ({error}).") from None
    if not able:
        raise SourceError(f"{path.name}: neither UTF-8 nor cp1252. Save it as CSV UTF-8.")
    return next(iter(able))


def find_header(
    path: Path, encoding: str, delimiter: str | None, confirmed: Sequence[str] = ()
) -> tuple[str, int, list[str]]:
    """Return the delimiter, the line of the header and its cells.

    Raises:
        SourceError: no row near the top has headers of a roll.
    """
    if delimiter not in (None, *DELIMITERS):
        raise SourceError(f"{path.name}: the delimiter may be {', '.join(DELIMITERS.values())}, not {delimiter!r}.")
    best: tuple[int, str, int, list[str]] = (0, "", 0, [])
    for one in [delimiter] if delimiter else list(DELIMITERS):
        with _open_text(path, encoding) as file:
            for row, cells in islice(_read(file, one, path), ROWS_SEARCHED_FOR_HEADER):
                known = max(count_known(cells), sum(cell.strip() in confirmed for cell in cells))
                if known > best[0]:
                    best = (known, one, row, cells)
    if best[0] < LEAST_KNOWN:
        way = f"with {DELIMITERS.get(delimiter, repr(delimiter))} as delimiter" if delimiter else "with any delimiter"
        instead = ""
        if delimiter:
            other = find_header(path, encoding, None, confirmed)
            instead = f" With {DELIMITERS[other[0]]} as delimiter, row {other[1]} is one."
        raise SourceError(
            f"{path.name}: {way}, none of its first {ROWS_SEARCHED_FOR_HEADER} rows is the header of a roll "
            f"(at least {LEAST_KNOWN} columns that can be told).{instead}"
        )
    return best[1:]


def read_records(layout: Layout) -> Iterator[Record]:
    """Yield the records below the header, blank ones too, each with the line that it begins on."""
    with _open_text(layout.path, layout.encoding) as file:
        records = _read(file, layout.delimiter, layout.path)
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


def _read(file: IO[str], delimiter: str, path: Path) -> Iterator[Record]:
    reader = csv.reader(file, delimiter=delimiter)
    begin = 1
    try:
        for cells in reader:
            if reader.line_num - begin >= MOST_LINES:
                raise SourceError(
                    f"{path.name}: row {begin} runs over {MOST_LINES} lines; a quotation mark is not closed."
                )
            yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{path.name}: row {begin} is not CSV that can be read ({error}).") from None


def _open_binary(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_packed else path.open("rb")


def _open_text(path: Path, encoding: str) -> IO[str]:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    if is_packed:
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open("r", encoding=encoding, newline="")
