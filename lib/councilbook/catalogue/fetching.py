"""Fetching official files: the only module that uses the network."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from filelock import FileLock
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from councilbook.catalogue.entries.sources import Source
from councilbook.catalogue.fingerprints import hash_file
from councilbook.catalogue.raw import Progress, check_kind, check_raw, find_checksum, keep_checksum, raw_path
from councilbook.errors import SourceError
from councilbook.paths import Workbook, make_private_folder

TIMEOUT_SECONDS = (5, 60)  # to connect, and between two pieces
ANSWER_SECONDS = (3, 3)  # to see whether a host is there at all
PAGED = re.compile(r"/(Feature|Map)Server/\d+/query$")  # a service of ArcGIS, as the ONS has it
BACKOFF_SECONDS = 1.0  # doubled before each further try
MOST_BYTES = 2**31
PIECE = 2**18


def fetch(source: Source, workbook: Workbook, progress: Progress | None = None) -> Path:
    """Download an open source's official file into data/raw, or return it if it is there and unchanged.

    The file arrives as `<name>.part`, is checked (length, checksum where the catalogue or an earlier fetch has
    one, kind of file), and only then takes its name. A download that was cut off goes on where it stopped if
    the server says the file is still the same. A service that answers in pages is read page by page. Written here
    because pooch, which we would have used, can neither resume nor tell an error page from a workbook.

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
            _accept(source, part, find_checksum(source, workbook))
            part.replace(target)
            _tag_file(part).unlink(missing_ok=True)
            keep_checksum(source, target, workbook)
    return target


def find_unreachable(urls: Iterable[str]) -> dict[str, str]:
    """Ask the hosts of some addresses for an answer, all at once; return, by host, why there was none.

    A host that refuses, or is slow, is there: the download will tell.
    """
    first = {name_host(url): url for url in reversed(list(urls))}
    with ThreadPoolExecutor(max(1, len(first))) as pool:
        reasons = dict(zip(first, pool.map(_ask_host, first.values()), strict=True))
    return {host: reason for host, reason in sorted(reasons.items()) if reason}


def name_host(url: str) -> str:
    """Return the host of an address, with its port if it names one."""
    return urlsplit(url).netloc


def _ask_host(url: str) -> str:
    try:
        requests.head(url, timeout=ANSWER_SECONDS).close()
    except requests.ConnectionError as error:
        return _describe_no_answer(error)
    except requests.RequestException:
        pass
    return ""


def _describe_no_answer(error: requests.ConnectionError) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy (HTTPS_PROXY) does not answer or lets nothing through"
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate is not trusted ({error})"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "it does not answer"
    return "no connection to it could be made"


def _fetch_to(part: Path, source: Source, progress: Progress | None) -> None:
    try:
        if PAGED.search(urlsplit(str(source.url)).path):
            _download_pages(source, part, progress)
        else:
            _download(str(source.url), part, progress)
    except requests.exceptions.ChunkedEncodingError:
        raise SourceError(
            f"Source {source.id}: {source.url} was cut off, with {part.stat().st_size:,} bytes here. "
            "Fetch it again to go on."
        ) from None
    except requests.ConnectionError as error:
        why = _describe_no_answer(error)
        raise SourceError(f"Source {source.id}: {name_host(str(source.url))} cannot be reached: {why}.") from None
    except requests.RequestException as error:
        raise SourceError(f"Source {source.id}: {source.url} could not be fetched: {error}") from None


def open_session() -> requests.Session:
    """Return a session that asks a busy server again, and takes a host that cannot be reached at its word."""
    retry = Retry(
        total=4,
        connect=0,
        backoff_factor=BACKOFF_SECONDS,
        status_forcelist=[429, 500, 502, 503, 504],
        retry_after_max=60,
    )
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=retry))
    session.mount("http://", HTTPAdapter(max_retries=retry))
    return session


def _download(url: str, part: Path, progress: Progress | None) -> None:
    """Stream a URL to a .part file; beside it lies the server's tag, which says whether resuming is safe."""
    with open_session() as session:
        session.headers["Accept-Encoding"] = "identity"  # so that Content-Length counts the bytes that we store
        with _request(session, url, part) as response:
            response.raise_for_status()
            _store(response, part, progress)


def _download_pages(source: Source, part: Path, progress: Progress | None) -> None:
    """Read a service page by page, and write all its rows as one file: GeoJSON, or CSV for a table without outlines."""
    with open_session() as session, part.open("w", encoding="utf-8", newline="") as file:
        rows = _read_pages(session, str(source.url), progress)
        if source.format == "geojson":
            file.write('{"type": "FeatureCollection", "features": [\n')
            file.writelines(f"{',' if number else ''}{json.dumps(row)}\n" for number, row in enumerate(rows))
            file.write("]}\n")
            return
        table: csv.DictWriter[str] | None = None
        for row in rows:
            if table is None:
                table = csv.DictWriter(file, list(row["properties"]))
                table.writeheader()
            table.writerow(row["properties"])


def _read_pages(session: requests.Session, url: str, progress: Progress | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a service, page after page.

    Whether another page follows is for the service to say (exceededTransferLimit), not for how many rows came. See
    "Query (Feature Service/Layer)" in the reference of the ArcGIS REST API.
    """
    count, done, is_more, before = 0, 0, True, None
    while is_more:
        response = session.get(url, params={"f": "geojson", "resultOffset": str(count)}, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        page = response.json()
        if "features" not in page:
            raise requests.RequestException(f"the service says {str(page.get('error', page))[:200]}")
        rows = page["features"]
        is_more = any(one.get("exceededTransferLimit") for one in (page, page.get("properties") or {}))
        if rows[:1] == before or (is_more and not rows):
            raise requests.RequestException(f"the service gives no page after the first {count:,} rows")
        before, count, done = rows[:1], count + len(rows), done + len(response.content)
        if done > MOST_BYTES:
            raise requests.RequestException(f"more than {MOST_BYTES:,} bytes came")
        yield from rows
        if progress:
            progress(done, None if is_more else done)


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
