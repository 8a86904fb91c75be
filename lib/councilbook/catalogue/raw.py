"""Official files in data/raw: where they lie, what is known of them, and whether they are what they should be."""

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from councilbook.catalogue.entries.sources import Source
from councilbook.catalogue.fingerprints import hash_file
from councilbook.errors import SourceError
from councilbook.paths import Workbook, write_atomically

Progress = Callable[[int, int | None], None]  # bytes that are here, and those that there will be


def raw_path(source: Source, workbook: Workbook) -> Path:
    """Return where a source's download lies."""
    return workbook.raw / source.id / source.file


def describe_manual_way(source: Source, workbook: Workbook) -> str:
    """Say how a source is got without an address to fetch it from."""
    return f"download it from {source.landing_page} and save it as {raw_path(source, workbook)}"


def check_raw(source: Source, path: Path, workbook: Workbook) -> None:
    """Check that a file in data/raw is still the one that was fetched.

    Raises:
        SourceError: it is of another kind, or its checksum is not that of the catalogue or of the earlier fetch.
    """
    check_kind(source, path)
    expected = find_checksum(source, workbook)
    if expected and hash_file(path) != expected:
        raise SourceError(
            f"Source {source.id}: {path} is not the file that was fetched, or not the one that the catalogue "
            f"expects (checksum {expected[:12]}…). Delete it to fetch it again."
        )


def find_checksum(source: Source, workbook: Workbook) -> str | None:
    """Return the checksum that a source's file must have: the catalogue's, or that of an earlier fetch."""
    kept: str | None = read_checksums(workbook).get(source.id, {}).get("sha256")
    return source.sha256 or kept


def read_checksums(workbook: Workbook) -> dict[str, dict[str, Any]]:
    """Return what is known of each fetched file: checksum, bytes, URL, when."""
    file = workbook.raw / "checksums.json"
    if not file.exists():
        return {}
    content: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return content


def keep_checksum(source: Source, target: Path, workbook: Workbook) -> None:
    """Write down the checksum of a file that was fetched."""
    kept = read_checksums(workbook)
    kept[source.id] = {
        "file": target.name,
        "sha256": hash_file(target),
        "bytes": target.stat().st_size,
        "url": source.url,
        "retrieved": datetime.now(UTC).date().isoformat(),
    }
    with write_atomically(workbook.raw / "checksums.json") as temporary:
        temporary.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check_kind(source: Source, path: Path) -> None:
    """Check by its first bytes that a file is what its format says.

    Raises:
        SourceError: it is an HTML page, empty, or of another kind.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if start[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as file:
                start = file.read(512)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"Source {source.id}: {path} is a damaged gzip file ({error}).") from None
    where = f"Source {source.id}: {path}"
    if not start.strip():
        raise SourceError(f"{where} is empty; expected {source.format}.")
    pages = rb"<(!doctype html|html|head|body)" if source.format == "xml" else rb"<(!doctype|!--|\?xml|html|head|body)"
    if re.match(rb"(\xef\xbb\xbf)?\s*" + pages, start, re.IGNORECASE):
        if source.spectrum != "open":
            raise SourceError(
                f"{where} is a web page or XML, whatever its name says, as some systems write for spreadsheets. Open "
                "it in one, and save it as a workbook or CSV."
            )
        raise SourceError(
            f"{where} is an HTML page (an error or sign-in page, perhaps a proxy's), not {source.format}. "
            "Delete it and fetch it again."
        )
    if source.format == "xlsx" and not zipfile.is_zipfile(path):
        raise SourceError(f"{where} is not an xlsx workbook, or was cut off: its zip directory is missing.")
    if source.format == "geojson" and start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] != b"{":
        raise SourceError(f"{where} is not GeoJSON: it does not begin with a brace.")
