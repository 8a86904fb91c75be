"""Where the header of a council's own file is: in which row, and of a workbook in which sheet."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

import python_calamine

from councilbook.catalogue import FoundFile, Table
from councilbook.errors import SourceError
from councilbook.sources.extracts.guesses import KNOWN, rank_header
from councilbook.sources.files.packed import MOST_BYTES, check_workbook, decode_as_saved, open_content
from councilbook.sources.files.readers import DELIMITERS, ROWS_SEARCHED_FOR_HEADER

LEAST_KNOWN = 2  # headers of a row that are known, for it to be taken in place of the declared one
BEGINNING = 2**16  # bytes that are looked at


def find_header(found: FoundFile, table: Table, told: Iterable[str], where: str) -> Table:
    """Say in which row and sheet of a file most headers are known, below a title or beside a cover; else as declared.

    Args:
        found, table: the file, and what is declared of it.
        told: headers of which the council says what they are.
        where: what the file is, for a message.

    Raises:
        SourceError: it cannot be read, or several sheets have as many.
    """
    rows = _begin_workbook(found, table, where) if found.source.format == "xlsx" else _begin_csv(found, table, where)
    known = [(_count_known(cells, table, set(told)), sheet, row) for sheet, row, cells in rows]
    most = max((count for count, _, _ in known), default=(0, 0))
    if sum(most) < LEAST_KNOWN:
        return table
    best = [(sheet, row) for count, sheet, row in known if count == most]
    if len(sheets := {str(sheet) for sheet, _ in best}) > 1:
        raise SourceError(
            f"{where}: the sheets {' and '.join(sorted(sheets))} have the same columns. Put all into one."
        )
    return table.model_copy(update={"sheet": best[0][0], "header_row": best[0][1]})


def _count_known(cells: Sequence[Any], table: Table, told: set[str]) -> tuple[int, int]:
    """Count the fields that a row names: first what the table is about, then whose and where it is.

    A register beside it in one workbook names the latter as well. Headers that a council explains are of the first.
    """
    headers = {" ".join(cell.split()) for cell in cells if isinstance(cell, str)}
    if len(headers) < LEAST_KNOWN:  # a line that another mark parts, or a title
        return 0, 0
    words = [one for one in headers - told if any(map(str.isalpha, one))]  # what has no letter names nothing
    named = {name for name in table.fields if any(rank_header(one, name, table) <= KNOWN for one in words)}
    shared = {*table.key, *(table.areas.model_dump().values() if table.areas else ()), "household_id"}
    return len(named - shared) + len(headers & told), len(named & shared)


def _begin_csv(found: FoundFile, table: Table, where: str) -> list[tuple[str | None, int, Sequence[Any]]]:
    with open_content(found.path, table.member, where, MOST_BYTES) as content:
        lines = decode_as_saved(content.read(BEGINNING)).splitlines()
    return [
        (table.sheet, row, next(csv.reader([line], delimiter=mark), []))
        for mark in (table.delimiter, *DELIMITERS)
        for row, line in enumerate(lines[:ROWS_SEARCHED_FOR_HEADER], 1)
    ]


def _begin_workbook(found: FoundFile, table: Table, where: str) -> list[tuple[str | None, int, Sequence[Any]]]:
    check_workbook(found.path, where)
    try:
        book = python_calamine.CalamineWorkbook.from_path(found.path)
        begins = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=ROWS_SEARCHED_FOR_HEADER)
            for name in book.sheet_names
            if table.sheet in (None, name)
        }
    except (python_calamine.CalamineError, OSError):
        return []  # the reader says so
    return [(name, row, cells) for name, rows in begins.items() for row, cells in enumerate(rows, 1)]
