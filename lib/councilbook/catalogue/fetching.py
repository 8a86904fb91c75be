"""Fetching official files: the only module that uses the network."""

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from councilbook.catalogue.fingerprints import hash_file
from councilbook.catalogue.schema import Source
from councilbook.errors import SourceError
from councilbook.paths import Workbook, make_private_folder, write_atomically

Progress = Callable[[int, int | None], None]
TIMEOUT_SECONDS = (15, 60)  # to connect, and between two pieces
BACKOFF_SECONDS = 1.0  # doubled before each further try
MOST_BYTES = 2**31
PIECE = 2**18


def fetch(source: Source, workbook: Workbook, progress: Progress | None = None) -> Path:
    """Download an open source's official file into data/raw, or return it if it is there and unchanged.

    The file arrives as `<name>.part`, is checked (length, checksum where the catalogue or an earlier fetch has
    one, kind of file), and only then takes its name. A download that was cut off goes on where it stopped if
    the server says the file is still the same. Written here because pooch, which we would have used, can
    neither resume nor tell an error page from a workbook.

    Raises:
        SourceError: there is no official URL, or the download failed or is not the file expected.
    """
    target = raw_path(source, workbook)
    if target.is_file():
        check_raw(source, target, workbook)
        return target
    if not source.url:
        raise SourceError(
            f"Source {source.id}: no stable file URL is known. Download it from {source.landing_page} "
            f"and save it as {target}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    lock = make_private_folder(workbook.private / "locks") / f"{source.id}.lock"
    with FileLock(lock):  # another command may be fetching the same file
        if not target.is_file():
            _fetch_to(part, source, progress)
            _accept(source, part, _find_checksum(source, workbook))
            part.replace(target)
            _tag_file(part).unlink(missing_ok=True)
            _keep_checksum(source, target, workbook)
    return target


def describe_manual_way(source: Source, workbook: Workbook) -> str:
    """Say how a source is got without an address to fetch it from."""
    return f"download it from {source.landing_page} and save it as {raw_path(source, workbook)}"


def check_raw(source: Source, path: Path, workbook: Workbook) -> None:
    """Check that a file in data/raw is still the one that was fetched.

    Raises:
        SourceError: it is of another kind, or its checksum is not that of the catalogue or of the earlier fetch.
    """
    check_kind(source, path)
    expected = _find_checksum(source, workbook)
    if expected and hash_file(path) != expected:
        raise SourceError(
            f"Source {source.id}: {path} is not the file that was fetched, or not the one that the catalogue "
            f"expects (checksum {expected[:12]}…). Delete it to fetch it again."
        )


def _find_checksum(source: Source, workbook: Workbook) -> str | None:
    kept: str | None = read_checksums(workbook).get(source.id, {}).get("sha256")
    return source.sha256 or kept


def _fetch_to(part: Path, source: Source, progress: Progress | None) -> None:
    try:
        _download(str(source.url), part, progress)
    except requests.exceptions.ChunkedEncodingError:
        raise SourceError(
            f"Source {source.id}: {source.url} was cut off, with {part.stat().st_size:,} bytes here. "
            "Fetch it again to go on."
        ) from None
    except requests.RequestException as error:
        raise SourceError(f"Source {source.id}: {source.url} could not be fetched: {error}") from None


def _download(url: str, part: Path, progress: Progress | None) -> None:
    """Stream a URL to a .part file; beside it lies the server's tag, which says whether resuming is safe."""
    retry = Retry(
        total=4, backoff_factor=BACKOFF_SECONDS, status_forcelist=[429, 500, 502, 503, 504], retry_after_max=60
    )
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        session.mount("http://", HTTPAdapter(max_retries=retry))
        session.headers["Accept-Encoding"] = "identity"  # so that Content-Length counts the bytes that we store
        with _request(session, url, part) as response:
            response.raise_for_status()
            _store(response, part, progress)


def _store(response: requests.Response, part: Path, progress: Progress | None) -> None:
    done = part.stat().st_size if response.status_code == requests.codes.partial_content else 0
    is_packed = response.headers.get("Content-Encoding", "identity") != "identity"  # some servers do it unasked
    length = None if is_packed else response.headers.get("Content-Length")
    total = done + int(length) if length else None
    if total and total > MOST_BYTES:
        raise requests.RequestException(f"the server announces {total:,} bytes, over our limit")
    _tag_file(part).unlink(missing_ok=True)
    if (tag := _read_tag(response)) and not is_packed:
        _tag_file(part).write_text(tag, encoding="utf-8")
    with part.open("ab" if done else "wb") as file:
        for piece in response.iter_content(PIECE):
            file.write(piece)
            done += len(piece)
            if done > MOST_BYTES:
                raise requests.RequestException(f"more than {MOST_BYTES:,} bytes came")
            if progress:
                progress(done, total)


def _request(session: requests.Session, url: str, part: Path) -> requests.Response:
    """Ask for what a .part file lacks, or for the whole file where that cannot be told."""
    if part.exists() and _tag_file(part).exists():
        tag = _tag_file(part).read_text(encoding="utf-8")
        headers = {"Range": f"bytes={part.stat().st_size}-", "If-Range": tag}
        response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)
        is_whole = response.status_code == requests.codes.requested_range_not_satisfiable  # but was never accepted
        is_other = response.status_code == requests.codes.partial_content and _read_tag(response) != tag
        if not (is_whole or is_other):
            return response
        response.close()
    return session.get(url, stream=True, timeout=TIMEOUT_SECONDS)


def _read_tag(response: requests.Response) -> str | None:
    return response.headers.get("ETag") or response.headers.get("Last-Modified")


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _accept(source: Source, part: Path, expected: str | None) -> None:
    """Check a finished download, and delete it if it is not what was expected."""
    try:
        check_kind(source, part)
        if expected and hash_file(part) != expected:
            raise SourceError(
                f"Source {source.id}: the file at {source.url} has another checksum than expected ({expected[:12]}…). "
                "The publisher may have revised it: look at its page, then update the catalogue or"
                " data/raw/checksums.json."
            )
    except SourceError:
        part.unlink(missing_ok=True)
        _tag_file(part).unlink(missing_ok=True)
        raise


def read_checksums(workbook: Workbook) -> dict[str, dict[str, Any]]:
    """Return what is known of each fetched file: checksum, bytes, URL, when."""
    file = workbook.raw / "checksums.json"
    if not file.exists():
        return {}
    content: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _keep_checksum(source: Source, target: Path, workbook: Workbook) -> None:
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


def raw_path(source: Source, workbook: Workbook) -> Path:
    """Return where a source's download lies."""
    return workbook.raw / source.id / source.file


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
        raise SourceError(
            f"{where} is an HTML page (an error or sign-in page, perhaps a proxy's), not {source.format}. "
            "Delete it and fetch it again."
        )
    if source.format == "xlsx" and not zipfile.is_zipfile(path):
        raise SourceError(f"{where} is not an xlsx workbook, or was cut off: its zip directory is missing.")
    if source.format == "geojson" and start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] != b"{":
        raise SourceError(f"{where} is not GeoJSON: it does not begin with a brace.")
