"""A council's roll as a file: its encoding, delimiter and header row, and its records, whatever their length."""

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations, dropwhile, islice
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from councilbook.business_rates.ledger import texts
from councilbook.business_rates.ledger.sheets import find_text
from councilbook.business_rates.ledger.tables import (
    LEAST_KNOWN,
    LEAST_KNOWN_BESIDE,
    ROWS_SEARCHED_FOR_HEADER,
    NoHeaderError,
    join_tables,
    list_tops,
    pick_header,
    write_above,
)
from councilbook.business_rates.ledger.texts import CHUNK, Record, Rows, Text, find_encoding
from councilbook.business_rates.roll.cells import check_columns
from councilbook.business_rates.roll.columns import (
    Column,
    apply_mapping,
    list_uses,
    map_header,
)
from councilbook.business_rates.roll.dates import find_roll_day
from councilbook.business_rates.roll.headers import could_be_header
from councilbook.business_rates.roll.rules import DAYS, EXPECTED, KINDS, Kind, Use, clean_cells, convert_cells
from councilbook.errors import CheckError, CouncilbookError, SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
SAMPLED_ROWS = 20_000
BATCH = 20_000  # rows that a thread of DuckDB takes at a time
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
        above: the text above the header, and of sheets without one.
        day: the day that the roll is of.
        is_told: whether it says so, in each row or above the header.
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
    above: str = ""
    day: date = date.max
    is_told: bool = False

    @property
    def uses(self) -> list[Use]:
        """What the columns are used for."""
        return list_uses(self.columns)


def find_layout(
    path: Path,
    database: duckdb.DuckDBPyConnection,
    *,
    mapping: dict[str, str | None] | None = None,
    on: date | None = None,
) -> Layout:
    """Find out how a roll lies in its file.

    Args:
        path: a CSV, plain, gzip or zip; a workbook; or a zip or folder of several.
        database: from `roll_rules.open_rules`.
        mapping: what the council has confirmed; it is guessed if there is none.
        on: the day of the roll, see `map_header`.

    Raises:
        SourceError: the file cannot be read, or no row of it is a roll's header.
        CheckError: a column cannot be told, or is not what its header says.
    """
    layout = find_head(path, list(mapping or ()))
    header = layout.header
    columns = apply_mapping(header, _fit_mapping(header, mapping)) if mapping else map_header(header, on)
    sample = [cells for _, cells in islice(read_records(layout), SAMPLED_ROWS) if any(cells)]
    usual, left_out = _find_left_out(sample, columns, database, path)
    layout = replace(layout, columns=tuple(columns), usual_cells=usual, left_out=left_out)
    aligned = [align_cells(cells, layout) for cells in sample]
    by_column = [
        clean_cells([cells[place] for cells in aligned]).drop_null().to_pylist() for place in range(len(header))
    ]
    if on is not None:
        day, is_told = find_roll_day(columns, by_column, database, on, layout.above)
        layout = replace(layout, day=day, is_told=is_told)
        if not mapping:  # where there are several lists of values, that of the roll's own day is read
            columns = map_header(header, day)
    return replace(layout, columns=tuple(check_columns(columns, by_column, database)))


def find_head(path: Path, confirmed: Sequence[str] = ()) -> Layout:
    """Find where a roll lies in its file, and its header; what its columns are is left open.

    Args:
        path: as for `find_layout`.
        confirmed: headers that the council has named.

    Raises:
        SourceError: the file cannot be read, or no row of it is a roll's header.
    """
    try:
        if text := find_text(path):
            encoding = find_encoding(text)
            known, found, row, header, above = _find_best(text, encoding, confirmed)
            if known < LEAST_KNOWN:
                raise _describe_no_header(text, encoding, confirmed)
            return Layout(path, encoding, found, row, tuple(header), (), len(header), text=text, above=above)
        joined = join_tables(path, _read_member, confirmed)
    except UNREADABLE as error:
        raise SourceError(f"{path.name}: the file cannot be read or unpacked ({type(error).__name__}).") from None
    row, header = joined.records[0]
    below, notes, above = joined.records[1:], joined.notes, joined.above
    return Layout(path, "", "", row, tuple(header), (), len(header), records=below, notes=notes, above=above)


def guess_columns(path: Path) -> list[Column]:
    """Guess what the columns of a file are that cannot be read as it is, so that a council can say it.

    Two may then be taken for the same. Where no row is a roll's header, it is the row with most names, and what looks
    like a record is none. Of what cannot be read at all, or has no such row, there are no columns.
    """
    try:
        header = find_head(path).header
    except CouncilbookError:
        header = _guess_header(path)
    try:
        return map_header(header)
    except CheckError:
        return [replace(map_header([cell])[0], position=place) for place, cell in enumerate(header)]


def _guess_header(path: Path) -> tuple[str, ...]:
    try:
        if text := find_text(path):  # its letters are looked at only if they can be
            able = [record for one in DELIMITERS for record in _read_top(text, "latin-1", one)]
        else:
            able = list_tops(path, _read_member)
    except (CouncilbookError, *UNREADABLE):
        return ()
    rows = [tuple(cells) for _, cells in able if could_be_header(cells)]
    return max(rows, key=lambda cells: len({cell.strip() for cell in cells} - {""}), default=())


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


def _find_best(text: Text, encoding: str, confirmed: Sequence[str]) -> tuple[int, str, int, list[str], str]:
    """Return the row with most known headers: how many, the delimiter, its line, its cells and the text above it."""
    best: tuple[int, str, int, list[str], str] = (0, ",", 0, [], "")
    for one in DELIMITERS:
        known, place, header = pick_header(top := _read_top(text, encoding, one), confirmed)
        if known > best[0]:
            best = (known, one, top[place][0], header, write_above(top, top[place][0]))
    return best


def _describe_no_header(text: Text, encoding: str, confirmed: Sequence[str]) -> NoHeaderError:
    """Say that no row is a header, and whether blanks seem to line up the columns."""
    lines = [(row, re.split(r"\s{2,}", "".join(cells).strip())) for row, cells in _read_top(text, encoding, "\t")]
    if pick_header(lines, confirmed)[0] >= LEAST_KNOWN:
        return NoHeaderError(
            f"{text.name}: blanks line up its columns (fixed width), so nothing shows for sure where a column ends. "
            f"Export it with a delimiter ({', '.join(DELIMITERS.values())}), or as a workbook."
        )
    return NoHeaderError(
        f"{text.name}: with any delimiter, none of its first {ROWS_SEARCHED_FOR_HEADER} rows is the header of a roll "
        f"(at least {LEAST_KNOWN} columns that can be told)."
    )


def _read_top(text: Text, encoding: str, delimiter: str) -> list[Record]:
    return list(islice(texts.read_records(text, encoding, delimiter), ROWS_SEARCHED_FOR_HEADER))


def _read_member(text: Text) -> Iterator[Record]:
    """Read the records of a text in a zip or folder of several, whose delimiter is tried out."""
    encoding = find_encoding(text)
    known, delimiter, *_ = _find_best(text, encoding, ())
    yield from texts.read_records(text, encoding, delimiter if known >= LEAST_KNOWN_BESIDE else ",")


def read_records(layout: Layout) -> Iterator[Record]:
    """Yield the records below the header, blank ones too, each with the line that it begins on."""
    if layout.text is None:
        yield from layout.records
        return
    records = texts.read_records(layout.text, layout.encoding, layout.delimiter)
    yield from dropwhile(lambda record: record[0] <= layout.header_row, records)


def align_cells(cells: list[str], layout: Layout) -> list[str]:
    """Put a record's cells below their headers: those that most records lack are blank, and so are those cut off."""
    if layout.left_out and len(cells) == layout.usual_cells:
        for place in layout.left_out:
            cells = [*cells[:place], "", *cells[place:]]
    return cells if len(cells) >= len(layout.header) else cells + [""] * (len(layout.header) - len(cells))


def make_chunks(layout: Layout) -> Iterator[tuple[pa.Table, int]]:
    """Yield the records as tables for `roll_rules.write_query`, each with how many blank rows were left out of it."""
    for block in _list_blocks(layout):
        if isinstance(block, list):
            yield _lay_out_records([record for record in block if record[0] > layout.header_row], layout)
        else:
            yield _lay_out_rows(*block, layout)


def _list_blocks(layout: Layout) -> Iterator[Rows | list[Record]]:
    if layout.text is None:
        firsts = range(0, len(layout.records), CHUNK)
        return (list(layout.records[first : first + CHUNK]) for first in firsts)
    return texts.read_blocks(layout.text, layout.encoding, layout.delimiter, layout.usual_cells)


def _lay_out_records(chunk: Sequence[Record], layout: Layout) -> tuple[pa.Table, int]:
    width, places = len(layout.header), [use.position for use in layout.uses]
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
    data = {"row": pa.array(rows, pa.int64()), "cells": pa.array(counts, pa.int32())}
    data |= {"is_long": pa.array(is_long, pa.bool_())}
    data |= {f"c{place}": clean_cells(columns[place]) for place in places}
    return pa.table(data), len(chunk) - len(rows)


def _lay_out_rows(rows: pa.Array, columns: Sequence[pa.Array], layout: Layout) -> tuple[pa.Table, int]:
    """Do the same as `_lay_out_records` with records of the usual number of cells, column by column."""
    is_below = pc.greater(rows, layout.header_row)
    if not pc.all(is_below).as_py():
        rows, columns = rows.filter(is_below), [column.filter(is_below) for column in columns]
    given = iter(columns)
    nothing = pa.array([""] * (len(rows) if layout.left_out else 0), pa.string())
    by_place = [nothing if place in layout.left_out else next(given) for place in range(len(layout.header))]
    used = {use.position: clean_cells(by_place[use.position]) for use in layout.uses}
    blank = np.ones(len(rows), dtype=bool)
    for column in used.values():
        blank &= column.is_null().to_numpy(zero_copy_only=False)
    doubtful = np.flatnonzero(blank)
    if len(doubtful):  # all that is used is blank: look at what else there is
        texts_there = [column.take(pa.array(doubtful)).to_pylist() for column in columns]
        blank[doubtful] = [not "".join(cells).strip() for cells in zip(*texts_there, strict=True)]
    data = {"row": rows, "cells": pa.array(np.full(len(rows), len(layout.header), np.int32))}
    data |= {"is_long": pa.array(np.zeros(len(rows), bool))}
    data |= {f"c{place}": column for place, column in used.items()}
    table = pa.table(data)
    if len(doubtful):
        table = table.filter(pa.array(~blank))
    return pa.Table.from_batches(table.to_batches(BATCH), table.schema), int(blank.sum())


def pick_cells(layout: Layout, rows: Collection[int]) -> dict[int, list[str]]:
    """Read the cells of some rows again, as they stand in the file."""
    found: dict[int, list[str]] = {}
    for block in _list_blocks(layout) if rows else ():
        if isinstance(block, list):
            found |= {row: cells for row, cells in block if row in rows}
        else:
            starts, columns = block
            places = pc.indices_nonzero(pc.is_in(starts, pa.array(list(rows), starts.type)))
            picked = zip(*(column.take(places).to_pylist() for column in columns), strict=True)
            found |= dict(zip(starts.take(places).to_pylist(), map(list, picked), strict=True))
        if len(found) == len(rows):
            break
    return found


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
                ways = DAYS if kind == "day" else (kind,)
                fits = np.any([convert_cells(database, filled, way).notna() for way in ways], axis=0)
                wrong[target] = int((~fits).sum())
        counts.append(wrong)
    return counts
