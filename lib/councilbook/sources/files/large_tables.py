"""Reading a CSV of millions of rows as it comes: its wanted columns, and of its rows those that are data.

The postcode directories of the Office for National Statistics have 2.7 million rows of 50 columns, and unpack to more
than a gigabyte. What is kept of them fits in a small part of the memory that the whole would take.
"""

import csv
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path, PurePosixPath
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as arrow_compute
import pyarrow.csv as arrow_csv

from councilbook.catalogue import Table
from councilbook.errors import SourceError
from councilbook.sources.files.packed import open_unpacked

BLOCK = 2**24  # bytes that are parsed at a time


def read_large_csv(
    path: Path, table: Table, find_columns: Callable[[list[str]], Mapping[str, int]], where: str
) -> pd.DataFrame | None:
    """Read the wanted columns of a CSV, plain, in a gzip or in a zip file, and the rows that `table.rows` takes.

    Args:
        path: the file. In a zip the one whose name `table.member` matches, as a pattern, is read.
        table: how it lies; its header is in the first row.
        find_columns: from the header to the position of each field that has a column.
        where: names the file in a message.

    Returns:
        Cells as text, the header first; the index is the row in the file, counted from 1. None where the header lacks a
        field that must have a column.

    Raises:
        SourceError: the file cannot be unpacked or is no CSV.
    """

    def find_member(archive: zipfile.ZipFile) -> str:
        return _find_member(archive, table, where)

    try:
        with open_unpacked(path, find_member) as stream:
            header = next(csv.reader(TextIOWrapper(stream, "utf-8-sig", newline=""), delimiter=table.delimiter), [])
        columns = find_columns(header)
        if {name for name, field in table.fields.items() if not field.may_be_absent} - set(columns):
            return None
        with open_unpacked(path, find_member) as stream:
            batches = list(_read_batches(stream, table, columns, len(header)))
    except (pa.ArrowInvalid, UnicodeDecodeError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise SourceError(f"{where}: not a CSV, gzip or zip file that can be read ({error}).") from None
    first = pd.DataFrame([{name: header[place] for name, place in columns.items()}], index=[1], dtype="str")
    cells = pd.concat([first, *batches])
    return cells.set_axis(range(cells.shape[1]), axis="columns")


def _read_batches(stream: IO[bytes], table: Table, columns: Mapping[str, int], width: int) -> Iterator[pd.DataFrame]:
    wanted = [f"f{place}" for place in columns.values()]
    reader = arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(autogenerate_column_names=True, block_size=BLOCK),
        parse_options=arrow_csv.ParseOptions(delimiter=table.delimiter, ignore_empty_lines=False),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=wanted, column_types={f"f{place}": pa.string() for place in range(width)}
        ),
    )
    row = 1
    for batch in reader:
        cells = pa.Table.from_batches([batch]).rename_columns(list(columns))
        kept = pa.array([True] * len(cells))
        for name, pattern in table.rows.items():
            if name in columns:
                text = arrow_compute.utf8_trim_whitespace(cells[name])
                kept = arrow_compute.and_(kept, arrow_compute.match_substring_regex(text, f"^(?:{pattern})$"))
        numbers = pd.Series(range(row, row + len(cells)))[kept.to_pandas()]
        row += len(cells)
        yield cells.filter(kept).to_pandas().set_axis(numbers.to_numpy())


def _find_member(archive: zipfile.ZipFile, table: Table, where: str) -> str:
    found = [name for name in archive.namelist() if re.fullmatch(table.member or "", PurePosixPath(name).name)]
    if len(found) != 1:
        raise SourceError(
            f"{where}: a zip file; expected one file in it whose name is as {table.member!r} (`member` in the "
            f"catalogue), found {', '.join(found) or 'none'} among {len(archive.namelist())}."
        )
    return found[0]
