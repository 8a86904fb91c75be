"""Packed files: unpacked in bounded memory, and refused where they are damaged or unpack to more than they can hold."""

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, reduce
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from councilbook.errors import SourceError

MOST_BYTES = 2**30  # unpacked; the largest official table that we know takes a fifth of it
MOST_CELLS = 20_000_000  # official tables reach some 300,000
MOST_RATIO = 250  # unpacked to packed; honest spreadsheets reach about 30
PIECE = 2**20  # bytes that are unpacked at a time


class Content(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Read some of them."""


def check_workbook(path: Path, where: str) -> None:
    """Check that a workbook neither unpacks to too much nor spans more cells than fit into memory.

    Raises:
        SourceError: it does, or it is damaged.
    """
    if zipfile.is_zipfile(path):  # the older xls is none
        _check_archive(path, where)
        _check_extent(path, where)


def unpack(path: Path, member: str | None, where: str) -> bytes:
    """Return a file's content, out of a zip or gzip file if it lies in one; see `open_content`."""
    with open_content(path, member, where, MOST_BYTES) as content:
        return b"".join(iter(lambda: content.read(PIECE), b""))


@contextmanager
def open_content(path: Path, member: str | None, where: str, most_bytes: int) -> Iterator[Content]:
    """Open a file's content, unpacked as it is read, so that a bomb takes no memory.

    Args:
        path: the file: plain, a gzip or a zip.
        member: name of the file in a zip; None: there is but one.
        where: which source and file a message is about.
        most_bytes: more than that an honest file does not unpack to.

    Raises:
        SourceError: there is no such file in the zip; it is damaged, has a password, or unpacks to too much.
    """
    try:
        with open_unpacked(path, lambda archive: _find_member(archive, member, where)) as file:
            is_plain = isinstance(file, io.BufferedReader)
            yield file if is_plain else _Limited(file, path.stat().st_size, where, most_bytes)
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{where}: the packed file is damaged, or was cut off ({error}).") from None
    except (RuntimeError, NotImplementedError) as error:  # a password, or a compression that Python does not know
        raise SourceError(f"{where}: the zip cannot be unpacked ({error}).") from None


@contextmanager
def open_unpacked(path: Path, find_member: Callable[[zipfile.ZipFile], str]) -> Iterator[IO[bytes]]:
    """Open a file, plain, in a gzip or in a zip, so that it is unpacked as it is read.

    Args:
        path: the file.
        find_member: returns the name of the file in a zip that is meant.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive, archive.open(find_member(archive)) as member:
            yield member
    elif start.startswith(b"\x1f\x8b"):
        with gzip.open(path) as unpacked:
            yield cast("IO[bytes]", unpacked)
    else:
        with path.open("rb") as plain:
            yield plain


def _find_member(archive: zipfile.ZipFile, member: str | None, where: str) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    found = [name for name in names if member in (None, PurePosixPath(name).name)]
    if len(found) != 1:
        wanted = f"one file {member!r} in it (`member` in the catalogue)" if member else "one table in it"
        raise SourceError(f"{where}: a zip file; expected {wanted}, found {', '.join(names) or 'none'}.")
    return found[0]


class _Limited(io.RawIOBase):
    """A packed file's content, which is refused once it is larger than any honest one."""

    def __init__(self, file: Content, packed: int, where: str, most_bytes: int) -> None:
        self.file, self.packed, self.where, self.most_bytes, self.size = file, packed, where, most_bytes, 0

    def read(self, size: int = -1, /) -> bytes:
        content = self.file.read(size)
        self.size += len(content)
        _check_size(self.size, self.packed, self.where, self.most_bytes)
        return content


def _check_archive(path: Path, where: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise SourceError(f"{where}: not a whole zip file ({error}).") from None
    _check_size(size, path.stat().st_size, where, MOST_BYTES)


def _check_extent(path: Path, where: str) -> None:
    """Check that no sheet of a workbook spans more cells than fit into memory: one far-off cell is enough for that.

    The library that reads the sheets makes room for all of them at once, and ends the process if it cannot.
    """
    try:
        spans = _measure_sheets(path, path.stat().st_mtime_ns)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{where}: not a workbook that can be read ({error}).") from None
    for sheet, (rows, columns) in spans.items():
        if rows * columns > MOST_CELLS:
            raise SourceError(
                f"{where}: {sheet} spans {rows:,} rows and {columns:,} columns. No official file does; a stray cell "
                "far off the table may be the cause."
            )


@cache
def _measure_sheets(path: Path, modified: int) -> dict[str, tuple[int, int]]:  # noqa: ARG001 (a changed file is another)
    """Return the last row and column of each sheet of a workbook; once a file, however many tables are read from it."""
    spans = {}
    with zipfile.ZipFile(path) as archive:
        for sheet in (name for name in archive.namelist() if name.startswith("xl/worksheets/")):
            content = archive.read(sheet)
            rows = max(map(int, re.findall(rb'<row [^>]*?\br="(\d{1,7})"', content)), default=0)
            columns = max(map(_number_column, set(re.findall(rb' r="([A-Z]{1,3})\d', content))), default=0)
            spans[PurePosixPath(sheet).name] = rows, columns
    return spans


def _number_column(letters: bytes) -> int:
    return reduce(lambda number, letter: 26 * number + letter - 64, letters, 0)


def _check_size(size: int, packed: int, where: str, most_bytes: int) -> None:
    if size > most_bytes or (size > 50 * 2**20 and size > MOST_RATIO * packed):
        raise SourceError(
            f"{where}: unpacks from {packed:,} to at least {size:,} bytes. No official file does; it may be a zip bomb."
        )


def decode_as_saved(content: bytes) -> str:
    """Decode a file as spreadsheets save it: UTF-8, "Unicode text" (UTF-16), or cp1252 where it is neither."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
