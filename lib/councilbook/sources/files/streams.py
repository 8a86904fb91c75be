"""Registers of millions of rows, read piece by piece: memory holds one piece, and what is kept.

A register of a whole country always has a blank cell or an odd byte somewhere. Such a row is set aside and counted, and
a byte that is no UTF-8 is read as cp1252, which older files are in; only where many rows are wrong is the file refused.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from councilbook.catalogue import Table
from councilbook.errors import SourceError
from councilbook.sources.files.packed import Content, open_content

PIECE = 2**23  # bytes at a time
LONGEST_LINE = 2**25
MOST_BYTES = 2**36  # unpacked; the largest register that we know takes a 25th of it
MOST_FAULTY = 0.01  # of the rows
FEW_FAULTY = 10  # are set aside whatever share they are, if most rows are right

Keep = Callable[[pd.DataFrame], "pd.Series[bool] | npt.NDArray[np.bool_]"]  # which rows of a piece are wanted
Check = Callable[[pd.DataFrame], tuple[pd.DataFrame, "pd.Series[str]"]]  # typed, and each row's fault or ""


@dataclass
class _Tally:
    """What has been seen of a file so far."""

    rows: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    hashes: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    def add(self, fault: str, count: int, row: int) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + count
        self.first.setdefault(fault, row)


def stream_rows(
    path: Path,
    table: Table,
    where: str,
    choose: Callable[[list[str]], dict[str, int]],
    check: Check,
    keep: Keep | None = None,
) -> pd.DataFrame:
    """Read a CSV, plain, in gzip or in zip, in pieces.

    Args:
        path: the file.
        table: how it lies there.
        where: which source and file it is, for messages.
        choose: finds, in the header, the position of each field's column; raises where one is missing.
        check: gives a piece its types, and says of each row what is wrong with it, in words that show no cell.
        keep: which rows of a piece are wanted; all if it is not given.

    Returns:
        The rows that are wanted and right, typed; the index is the number of the record, counted from 1 with the
        header. `attrs`: rows_read, and notes on what was set aside.

    Raises:
        SourceError: it cannot be read, or is no such table; or more rows are wrong than a few.
    """
    tally, kept = _Tally(), []
    unique = [table.key] if table.key else [[name] for name, one in table.fields.items() if one.unique]
    with open_content(path, table.member, where, MOST_BYTES) as file:
        text = _Text(file, table.encoding, where)
        for piece in _read_pieces(text, table, where, choose, tally):
            typed, fault = check(piece)
            for name, count in fault[fault != ""].value_counts().items():
                tally.add(str(name), int(count), int(fault.index[fault == name][0]))
            typed = typed[fault == ""]
            tally.hashes += [_hash(typed, unique[0])] if unique else []
            kept.append(typed if keep is None else typed[np.asarray(keep(typed), dtype=bool)])
    if not tally.rows:
        raise SourceError(f"{where}: no row of data below the header.")
    frame = pd.concat(kept) if kept else check(pd.DataFrame(columns=list(table.fields), dtype="str"))[0]
    if unique:
        frame = _drop_repeated(frame, unique[0], tally)
    _refuse_many(tally, where)
    frame.attrs |= {"rows_read": tally.rows, "notes": [*_tell_faults(tally), *text.notes]}
    return frame


def _read_pieces(
    text: "_Text", table: Table, where: str, choose: Callable[[list[str]], dict[str, int]], tally: _Tally
) -> Iterator[pd.DataFrame]:
    lines = [text.readline() for _ in range(table.header_row)]
    header = next(
        csv.reader(
            [lines[-1].decode()],
            delimiter=table.delimiter,
            quoting=csv.QUOTE_MINIMAL if table.quotes else csv.QUOTE_NONE,
        ),
        [],
    )
    places = choose(header)
    names = [f"c{place}" for place in range(len(header))]

    def skip(row: arrow_csv.InvalidRow) -> str:
        tally.rows += 1
        tally.add(f"not {row.expected_columns} cells", 1, (row.number or 0) and table.header_row + row.number)
        return "skip"

    wanted = {name: f"c{place}" for name, place in places.items()}
    try:
        reader = arrow_csv.open_csv(
            pa.PythonFile(text, mode="r"),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=PIECE, use_threads=False),
            parse_options=arrow_csv.ParseOptions(
                delimiter=table.delimiter,
                quote_char='"' if table.quotes else False,
                newlines_in_values=table.quotes,
                invalid_row_handler=skip,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=list(dict.fromkeys(wanted.values())),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        for batch in reader:
            frame = pa.Table.from_batches([batch]).to_pandas()
            first = table.header_row + tally.rows + 1
            tally.rows += len(frame)
            piece = pd.DataFrame({name: frame[column] for name, column in wanted.items()})
            yield piece.set_axis(range(first, first + len(frame)))
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise SourceError(
                f"{where}: near record {table.header_row + tally.rows:,}, this is not CSV that can be read "
                f"({str(error).partition(':')[0]}). A quotation mark may not be closed."
            ) from None


def _hash(frame: pd.DataFrame, names: list[str]) -> npt.NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(frame[names], index=False), dtype=np.uint64)


def _drop_repeated(frame: pd.DataFrame, names: list[str], tally: _Tally) -> pd.DataFrame:
    """Drop rows whose key another has as well, and count how many the whole file has."""
    repeated = sum(map(len, tally.hashes)) - len(np.unique(np.concatenate([*tally.hashes, np.array([], "uint64")])))
    if not repeated:
        return frame
    again = frame.duplicated(names)
    tally.add(f"{' and '.join(names)} of an earlier row", repeated, int(frame.index[again][0]) if again.any() else 0)
    return frame[~again]


def _refuse_many(tally: _Tally, where: str) -> None:
    wrong = sum(tally.faults.values())
    if wrong > max(FEW_FAULTY, MOST_FAULTY * tally.rows) or 2 * wrong > tally.rows:
        raise SourceError(f"{where}: {' '.join(_tell_faults(tally))} That is too many; the file may be another.")


def _tell_faults(tally: _Tally) -> list[str]:
    if not tally.faults:
        return []
    kinds = (
        f"{name} in {count:,}{f' (first in record {tally.first[name]:,})' if tally.first[name] else ''}"
        for name, count in tally.faults.items()
    )
    wrong = sum(tally.faults.values())
    return [f"{wrong:,} of its {tally.rows:,} rows {'is' if wrong == 1 else 'are'} set aside: {'; '.join(kinds)}."]


# --- bytes -------------------------------------------------------------------------------------------------


class _Text(io.RawIOBase):
    """A file's bytes as UTF-8, whole lines at a time; a line that is none is read as cp1252, and counted."""

    def __init__(self, file: Content, encoding: str, where: str) -> None:
        self.file, self.encoding, self.where = file, encoding, where
        self.rest, self.ready, self.line, self.odd, self.first = b"", b"", 0, 0, 0

    @property
    def notes(self) -> list[str]:
        """What was odd in the bytes, in sentences."""
        said = f"{self.odd:,} of its lines {'is' if self.odd == 1 else 'are'} no UTF-8 and read as cp1252"
        return [f"{said} (first line {self.first:,})."] if self.odd else []

    def readable(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002 (the form of a file)
        while b"\n" not in self.ready and self._fill():
            pass
        line, _, self.ready = self.ready.partition(b"\n")
        return line

    def read(self, size: int = -1, /) -> bytes:
        while len(self.ready) < size and self._fill():
            pass
        given, self.ready = self.ready[:size], self.ready[size:]
        return given

    def _fill(self) -> bool:
        block = self.file.read(PIECE)
        if not self.line and not self.rest:
            if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise SourceError(f"{self.where}: encoded in UTF-16; expected {self.encoding}. Save it as CSV UTF-8.")
            block = block.removeprefix(codecs.BOM_UTF8)
        whole, cut, self.rest = (self.rest + block).rpartition(b"\n")
        if not block:
            whole, cut, self.rest = self.rest, b"", b""
        if len(self.rest) > LONGEST_LINE:
            raise SourceError(f"{self.where}: line {self.line + 1:,} is longer than any table's.")
        self.ready += self._mend(whole + cut)
        return bool(block)

    def _mend(self, lines: bytes) -> bytes:
        if b"\0" in lines:
            row = self.line + lines.count(b"\n", 0, lines.index(b"\0")) + 1
            raise SourceError(f"{self.where}: line {row:,} has NUL bytes; the file is damaged, or no text.")
        try:
            _ = lines.isascii() or lines.decode("utf-8")
        except UnicodeDecodeError:
            lines = b"".join(self._mend_line(line, at) for at, line in enumerate(lines.splitlines(keepends=True), 1))
        self.line += lines.count(b"\n")
        return lines

    def _mend_line(self, line: bytes, at: int) -> bytes:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            self.odd, self.first = self.odd + 1, self.first or self.line + at
            return line.decode("cp1252", "replace").encode()
        return line
