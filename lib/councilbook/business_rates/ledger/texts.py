"""A roll's text: its encoding and its records, one by one as Python reads them, or in blocks by Arrow, which is faster.

Both give the same records: quotation marks count at the beginning of a cell alone. Where a block is not plain enough
to be sure of that, the rest of the text is read by Python.
"""

import codecs
import csv
import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from councilbook.errors import SourceError

MOST_LINES = 20  # of one record; more, and a quotation mark was not closed
BLOCK = 2**24  # bytes; of more, memory grows, of fewer, DuckDB's planning takes longer
CHUNK = 50_000  # records that Python reads at a time
MOST_SKIPPED = 0.2  # of a block's records, that have more or fewer cells; of more, Python is as fast
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LONGEST_CELL = 131_072  # letters, as Python's csv has it

Record = tuple[int, list[str]]  # the line or row that it begins on, from 1, and its cells
Rows = tuple[pa.Array, list[pa.Array]]  # the line that each record begins on, and its cells, column by column


@dataclass(frozen=True)
class Text:
    """A text file, plain or gzip, or one in a zip or folder.

    Attributes:
        path: the file, zip or folder.
        member: its name inside the zip or folder.
    """

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"{self.path.name}, {self.member}" if self.member else self.path.name

    def open(self) -> IO[bytes]:
        """Open it, unpacked, and what a spreadsheet saved as Unicode text (UTF-16) as UTF-8."""
        file = self._unpack()
        start = file.read(4)
        if start[:2] in UTF_16 or start[1::2] == b"\0\0" or start[::2] == b"\0\0":
            coding = "utf-16" if start[:2] in UTF_16 else "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
            with file:
                return io.BytesIO((start + file.read()).decode(coding, "replace").encode())
        file.seek(0)
        return file

    def _unpack(self) -> IO[bytes]:
        if self.member and not self.path.is_dir():
            return zipfile.ZipFile(self.path).open(self.member)
        path = self.path / self.member
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(path)) if is_packed else path.open("rb")


def find_encoding(text: Text) -> str:
    """Tell whether a text is UTF-8 or the cp1252 of older council files.

    Raises:
        SourceError: it is neither, or no text at all.
    """
    able = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8-sig", "cp1252")}
    line = 1
    with text.open() as file:
        block = file.read(2**20)
        if block.startswith(b"PK\x03\x04"):
            raise SourceError(f"{text.name}: a workbook in a packed file. Save it as CSV UTF-8.")
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


def read_records(text: Text, encoding: str, delimiter: str) -> Iterator[Record]:
    """Yield a text's records, whatever their length, each with the line that it begins on.

    Raises:
        SourceError: a record is no CSV, or runs over too many lines.
    """
    with io.TextIOWrapper(text.open(), encoding=encoding, newline="") as file:
        yield from _read(file, delimiter, text.name, 1)


def _read(file: IO[str], delimiter: str, name: str, first: int) -> Iterator[Record]:
    reader = csv.reader(file, delimiter=delimiter)
    begin = first
    try:
        for cells in reader:
            after = first + reader.line_num
            if after - begin > MOST_LINES:
                raise SourceError(f"{name}: row {begin} runs over {MOST_LINES} lines; a quotation mark is not closed.")
            yield begin, cells
            begin = after
    except csv.Error as error:
        raise SourceError(f"{name}: row {begin} is not CSV that can be read ({error}).") from None


def read_blocks(text: Text, encoding: str, delimiter: str, width: int) -> Iterator[Rows | list[Record]]:
    """Yield a text's records by the block, in no promised order: those of `width` cells by column, others one by one.

    Raises:
        SourceError: see `read_records`.
    """
    line, rest = 1, b""
    with text.open() as file:
        while piece := file.read(BLOCK):
            block, rest = _cut(rest + piece)
            plain = _parse(block, encoding, delimiter, width, line) if block else None
            if plain is None:
                rest = block + rest
                break
            yield from plain
            line += block.count(b"\n")
        if rest:
            mark = encoding if line == 1 else encoding.removesuffix("-sig")
            joined = cast("IO[bytes]", io.BufferedReader(_Joined(rest, file), BLOCK))
            with io.TextIOWrapper(joined, encoding=mark, newline="") as lines:
                records = _read(lines, delimiter, text.name, line)
                while chunk := [record for record, _ in zip(records, range(CHUNK), strict=False)]:
                    yield chunk


class _Joined(io.RawIOBase):
    """What was read of a file already, and what is still to come."""

    def __init__(self, begin: bytes, file: IO[bytes]) -> None:
        self._begin, self._file = io.BytesIO(begin), file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        got = self._begin.read(len(buffer)) or self._file.read(len(buffer))
        buffer[: len(got)] = got
        return len(got)


def _cut(content: bytes) -> tuple[bytes, bytes]:
    """Cut after the last line that closes all its quotation marks, or near it; what follows comes later."""
    end = content.rfind(b"\n") + 1
    marks = content.count(b'"', 0, end)
    for _ in range(MOST_LINES):
        if marks % 2 == 0:
            break
        before = content.rfind(b"\n", 0, max(end - 1, 0)) + 1
        marks -= content.count(b'"', before, end)
        end = before
    return content[:end], content[end:]


def _parse(block: bytes, encoding: str, delimiter: str, width: int, first: int) -> tuple[Rows, list[Record]] | None:
    """Parse a block of whole lines; None where it cannot be told that Python would read the same."""
    if block.count(b"\r") != block.count(b"\r\n"):
        return None
    if first == 1 and encoding == "utf-8-sig":
        block = block.removeprefix(codecs.BOM_UTF8)
    content = block if block.isascii() or encoding == "utf-8-sig" else block.decode(encoding).encode()
    skipped: list[tuple[int, str]] = []

    def skip(row: arrow_csv.InvalidRow) -> str:
        skipped.append((row.number - 1, row.text))
        return "skip"

    names = list(map(str, range(width)))
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(content) + 1),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    columns = [column.combine_chunks() for column in table.columns]
    if len(skipped) > MOST_SKIPPED * (table.num_rows + len(skipped)):
        return None
    if table.num_rows and (columns[-1][-1].as_py() or "").endswith("\n"):
        return None  # a quotation mark may be open at the end, and the record go on in the next block
    starts = _number(columns, skipped, block.count(b"\n"), first)
    if starts is None or max((pc.max(pc.binary_length(one)).as_py() or 0 for one in columns), default=0) > LONGEST_CELL:
        return None
    kept = np.ones(len(starts), dtype=bool)
    kept[[place for place, _ in skipped]] = False
    ragged = _read_ragged([(int(starts[place]), line) for place, line in skipped], delimiter)
    return None if ragged is None else ((pa.array(starts[kept]), columns), ragged)


def _number(
    columns: Sequence[pa.Array], skipped: Sequence[tuple[int, str]], lines: int, first: int
) -> np.ndarray | None:
    """Return the line that each record of a block begins on; None where they do not add up to the block's lines."""
    count = len(columns[0]) + len(skipped)
    lengths = np.ones(count, dtype=np.int64)
    if count != lines:
        kept = np.ones(count, dtype=bool)
        for place, text in skipped:
            kept[place] = False
            lengths[place] += text.count("\n")
        lengths[kept] += sum(pc.count_substring(column, "\n").to_numpy(zero_copy_only=False) for column in columns)
        if lengths.sum() != lines or lengths.max() > MOST_LINES:
            return None
    starts: np.ndarray = first + lengths.cumsum() - lengths
    return starts


def _read_ragged(lines: Sequence[tuple[int, str]], delimiter: str) -> list[Record] | None:
    records = []
    for row, text in lines:
        try:
            (cells,) = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) or [[]]
        except (csv.Error, ValueError):
            return None
        records.append((row, cells))
    return records
