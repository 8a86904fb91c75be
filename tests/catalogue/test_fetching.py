"""Downloads, from a small server on this machine that fails in the ways that servers do."""

import gzip
import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pandas as pd
import pytest

from councilbook.catalogue import Source, check_kind, raw_path, read_checksums
from councilbook.catalogue.fetching import fetch, find_unreachable
from councilbook.errors import SourceError
from councilbook.paths import Workbook

CSV = b"code,homes\n" + b"".join(b"E010%05d,%d\n" % (row, row * 7) for row in range(1000))


def make_xlsx() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@dataclass
class Site:
    """What the server has, and how it behaves; every request's headers are kept."""

    content: bytes = CSV
    tag: str | None = '"v1"'
    statuses: list[int] = field(default_factory=list)  # of the next answers; then all is well
    cut_at: int | None = None  # the connection ends after so many bytes
    knows_range: bool = True
    knows_if_range: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: dict[str, str]) -> tuple[int, bytes]:
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return status, b"no"
        if "Range" in asked and self.knows_range and (asked["If-Range"] == self.tag or not self.knows_if_range):
            rest = self.content[int(asked["Range"].removeprefix("bytes=").removesuffix("-")) :]
            return (206, rest) if rest else (416, b"")
        return 200, self.content


@pytest.fixture
def site(monkeypatch) -> Iterator[Site]:
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(dict(self.headers))
            status, body = served.answer(dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if served.tag:
                self.send_header("ETag", served.tag)
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: served.cut_at])

        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("councilbook.catalogue.fetching.BACKOFF_SECONDS", 0)
    monkeypatch.setattr("councilbook.catalogue.fetching.PIECE", 1000)
    with serve(Handler) as address:
        served.url = f"{address}/homes"
        yield served


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Service:
    """A layer of ArcGIS that stands in for the publisher's: seven areas, three a page, and how it misbehaves."""

    rows: int = 7
    says_more_in: str = "top"  # or in "properties", as newer ones do
    pages: bool = True  # whether it knows resultOffset
    error: bool = False
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, query: dict[str, list[str]]) -> dict[str, object]:
        self.asked.append(query)
        if self.error:
            return {"error": {"code": 400, "message": "Cannot perform query. Invalid query parameters."}}
        start = int(query["resultOffset"][0]) if self.pages else 0
        size = 2 if start == 3 else 3  # a page may be shorter than the one before, and not be the last
        found = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [number, 51.5]},
                "properties": {"LSOA21CD": f"E0100000{number}", "LSOA21NM": f"North, {number} é"},
            }
            for number in range(start, min(start + size, self.rows))
        ]
        more = {"exceededTransferLimit": True} if start + size < self.rows else {}
        return {"type": "FeatureCollection", "features": found} | (
            more if self.says_more_in == "top" else {"properties": more}
        )


@pytest.fixture
def service(monkeypatch) -> Iterator[Service]:
    served = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(served.answer(parse_qs(urlsplit(self.path).query))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(Handler) as address:
        served.url = f"{address}/rest/services/LSOA/FeatureServer/0/query?where=1%3D1&outFields=LSOA21CD,LSOA21NM"
        yield served


@pytest.fixture
def workbook(tmp_path):
    return Workbook(tmp_path)


def make_source(url, **more):
    return Source.model_validate(
        {
            "id": "homes",
            "title": "Homes",
            "description": "Homes.",
            "publisher": "An office",
            "steward": "An office",
            "spectrum": "open",
            "personal_data": False,
            "licence": "OGL",
            "landing_page": "https://example.org/homes",
            "url": url,
            "file": "homes.csv",
            "published": "2024",
            "format": "csv",
            "tables": {"areas": {"sheet": "Areas", "fields": {"code": {"description": "Area"}}}},
            **more,
        }
    )


def list_raw(workbook):
    return sorted(path.name for path in workbook.raw.rglob("*") if path.is_file())


def cut_off(site, workbook, at=5000):
    """Fetch from a server that ends the connection too early."""
    site.cut_at = at
    with pytest.raises(SourceError, match=r"cut off, with [\d,]+ bytes here\. Fetch it again to go on"):
        fetch(make_source(site.url), workbook)
    site.cut_at = None


def test_whole_file_is_fetched_and_its_checksum_kept(site, workbook):
    source = make_source(site.url)
    path = fetch(source, workbook)
    assert path == raw_path(source, workbook)
    assert path.read_bytes() == CSV
    assert list_raw(workbook) == ["checksums.json", "homes.csv"]
    kept = read_checksums(workbook)["homes"]
    assert kept["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert (kept["file"], kept["bytes"], kept["url"]) == ("homes.csv", len(CSV), site.url)


def test_file_that_is_there_is_not_fetched_again(site, workbook):
    source = make_source(site.url)
    assert fetch(source, workbook) == fetch(source, workbook)
    assert len(site.requests) == 1


def test_checksums_of_other_sources_are_kept(site, workbook):
    fetch(make_source(site.url), workbook)
    fetch(make_source(site.url, id="flats"), workbook)
    assert sorted(json.loads((workbook.raw / "checksums.json").read_text())) == ["flats", "homes"]


def test_progress_is_told_with_the_bytes_so_far_and_in_all(site, workbook):
    steps = []
    fetch(make_source(site.url), workbook, lambda done, total: steps.append((done, total)))
    assert steps[0] == (1000, len(CSV))
    assert steps[-1] == (len(CSV), len(CSV))
    assert steps == sorted(steps)


# --- cut off, and on again ---


def test_cut_off_download_never_looks_whole(site, workbook):
    cut_off(site, workbook)
    assert list_raw(workbook) == ["homes.csv.part", "homes.csv.part.tag"]
    part = (workbook.raw / "homes" / "homes.csv.part").read_bytes()
    assert part
    assert CSV.startswith(part)


def test_cut_off_download_goes_on_where_it_stopped(site, workbook):
    cut_off(site, workbook)
    had = (workbook.raw / "homes" / "homes.csv.part").stat().st_size
    steps = []
    path = fetch(make_source(site.url), workbook, lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == CSV
    assert (site.requests[-1]["Range"], site.requests[-1]["If-Range"]) == (f"bytes={had}-", '"v1"')
    assert len(site.requests) == 2
    assert steps[0] == (had + 1000, len(CSV))
    assert list_raw(workbook) == ["checksums.json", "homes.csv"]


@pytest.mark.parametrize("knows_if_range", [True, False])
def test_file_that_changed_in_between_is_fetched_from_its_start(site, workbook, knows_if_range):
    cut_off(site, workbook)
    site.content, site.tag = CSV.replace(b"E01", b"W01"), '"v2"'
    site.knows_if_range = knows_if_range  # a server that does not sends the rest of the new file
    assert fetch(make_source(site.url), workbook).read_bytes() == site.content
    assert "Range" in site.requests[1]


def test_server_without_ranges_sends_all_again(site, workbook):
    cut_off(site, workbook)
    site.knows_range = False
    assert fetch(make_source(site.url), workbook).read_bytes() == CSV


def test_server_without_tags_is_not_asked_for_the_rest(site, workbook):
    site.tag = None
    cut_off(site, workbook)
    assert fetch(make_source(site.url), workbook).read_bytes() == CSV
    assert "Range" not in site.requests[-1]


def test_part_that_is_whole_already_does_not_block_the_next_fetch(site, workbook):
    folder = workbook.raw / "homes"
    folder.mkdir(parents=True)
    (folder / "homes.csv.part").write_bytes(CSV)  # all had come when the process was killed
    (folder / "homes.csv.part.tag").write_text('"v1"')
    assert fetch(make_source(site.url), workbook).read_bytes() == CSV


# --- a service that answers in pages ---


@pytest.mark.parametrize("says_more_in", ["top", "properties"])
def test_pages_of_a_service_are_joined_to_one_file_of_outlines(service, workbook, says_more_in):
    service.says_more_in = says_more_in
    steps = []
    source = make_source(service.url, format="geojson", file="homes.geojson")
    path = fetch(source, workbook, lambda done, total: steps.append((done, total)))
    rows = gpd.read_file(path)
    assert rows["LSOA21CD"].tolist() == [f"E0100000{number}" for number in range(7)]
    assert rows.geometry.x.tolist() == list(range(7))
    assert "exceededTransferLimit" not in path.read_text()
    assert [query["resultOffset"] for query in service.asked] == [["0"], ["3"], ["5"]]
    assert all(query["where"] == ["1=1"] and query["f"] == ["geojson"] for query in service.asked)
    assert steps[-1][0] == steps[-1][1] > steps[0][0]
    assert fetch(source, workbook) == path and len(service.asked) == 3


def test_pages_of_a_table_without_outlines_become_a_csv(service, workbook):
    path = fetch(make_source(service.url), workbook)
    table = pd.read_csv(path)
    assert list(table) == ["LSOA21CD", "LSOA21NM"]
    assert table["LSOA21NM"].tolist() == [f"North, {number} é" for number in range(7)]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"pages": False}, "gives no page after the first 3 rows"),
        ({"error": True}, "the service says .*Invalid query parameters"),
        ({"rows": 0}, "empty"),
    ],
)
def test_a_service_that_cannot_be_read_to_its_end_leaves_nothing(service, workbook, fault, message):
    for name, value in fault.items():
        setattr(service, name, value)
    with pytest.raises(SourceError, match=message):
        fetch(make_source(service.url), workbook)
    assert "homes.csv" not in list_raw(workbook)


# --- no network ---


def test_a_host_that_cannot_be_reached_is_given_up_at_once_and_named(workbook):
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"homes: 127\.0\.0\.1:9 cannot be reached: no connection"):
        fetch(make_source("http://127.0.0.1:9/homes.csv"), workbook)
    assert time.monotonic() - began < 5


def test_hosts_are_asked_once_each_and_one_that_says_no_is_there(site):
    site.statuses = [403]
    files = [f"{site.url}/{number}" for number in range(3)]
    away = find_unreachable([*files, "http://127.0.0.1:9/a", "http://127.0.0.1:9/b"])
    assert list(away) == ["127.0.0.1:9"]
    assert find_unreachable([]) == {}


# --- what is no file, or not the one expected ---


@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html><title>404</title>", b"\n<HTML>", b'<?xml version="1.0"?><html>', b"<!-- proxy --><html>"],
    ids=["doctype", "html", "xml", "comment"],
)
@pytest.mark.parametrize("kind", ["xlsx", "csv", "geojson"])
def test_error_page_is_refused_and_nothing_left(site, workbook, page, kind):
    site.content = page
    with pytest.raises(SourceError, match=f"HTML page.*not {kind}"):
        fetch(make_source(site.url, format=kind, file=f"homes.{kind}"), workbook)
    assert list_raw(workbook) == []


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("xlsx", make_xlsx()[:-30], "was cut off: its zip directory is missing"),
        ("xlsx", CSV, "not an xlsx workbook"),
        ("geojson", CSV, "not GeoJSON"),
        ("csv", b"", "empty"),
        ("csv", gzip.compress(b""), "empty"),
        ("csv", gzip.compress(b"<html>no</html>"), "HTML page"),
        ("csv", gzip.compress(CSV)[:10], "damaged gzip"),
        ("csv", b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 50, "damaged gzip"),
    ],
    ids=["cut xlsx", "csv for xlsx", "csv for geojson", "empty", "empty gzip", "html gzip", "cut gzip", "bad gzip"],
)
def test_file_of_another_kind_is_refused_and_nothing_left(site, workbook, kind, content, message):
    site.content = content
    with pytest.raises(SourceError, match=message):
        fetch(make_source(site.url, format=kind, file=f"homes.{kind}"), workbook)
    assert list_raw(workbook) == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("xlsx", make_xlsx()),
        ("csv", gzip.compress(CSV)),
        ("csv", make_xlsx()),  # a zip with a CSV in it
        ("geojson", b'\xef\xbb\xbf {"type": "FeatureCollection"}'),
        ("csv", b"<16 years,homes\n"),
    ],
    ids=["xlsx", "gzip", "zip", "geojson", "csv"],
)
def test_file_of_the_right_kind_passes(tmp_path, kind, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    check_kind(make_source(None, format=kind), path)


def test_file_with_another_checksum_is_refused_and_nothing_left(site, workbook):
    with pytest.raises(SourceError, match=r"another checksum than expected \(0{12}"):
        fetch(make_source(site.url, sha256="0" * 64), workbook)
    assert list_raw(workbook) == []


def test_file_that_was_revised_since_it_was_first_fetched_is_refused(site, workbook):
    source = make_source(site.url)
    fetch(source, workbook).unlink()
    site.content += b"E01000000,1\n"
    with pytest.raises(SourceError, match=r"may have revised it.*checksums\.json"):
        fetch(source, workbook)


def test_file_that_was_edited_by_hand_is_noticed(site, workbook):
    source = make_source(site.url)
    path = fetch(source, workbook)
    path.write_bytes(CSV + b"E01000000,1\n")
    with pytest.raises(SourceError, match=r"homes\.csv is not the file that was fetched.*Delete it"):
        fetch(source, workbook)


def test_file_put_there_by_hand_must_be_the_one_that_the_catalogue_expects(workbook):
    path = raw_path(make_source(None), workbook)
    path.parent.mkdir(parents=True)
    path.write_bytes(CSV)
    assert fetch(make_source(None), workbook) == path
    with pytest.raises(SourceError, match="not the one that the catalogue expects"):
        fetch(make_source(None, sha256="0" * 64), workbook)


def test_file_that_the_server_packed_unasked_is_stored_unpacked(site, workbook):
    site.content = gzip.compress(CSV)
    site.headers["Content-Encoding"] = "gzip"
    assert fetch(make_source(site.url), workbook).read_bytes() == CSV
    assert site.requests[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("is_announced", [True, False])
def test_download_over_the_limit_is_given_up(site, workbook, monkeypatch, is_announced):
    monkeypatch.setattr("councilbook.catalogue.fetching.MOST_BYTES", 2000)
    if not is_announced:
        site.content = gzip.compress(CSV)  # then the length says nothing of what comes out
        site.headers["Content-Encoding"] = "gzip"
    with pytest.raises(SourceError, match="over our limit" if is_announced else "more than 2,000 bytes came"):
        fetch(make_source(site.url), workbook)
    assert "homes.csv" not in list_raw(workbook)


# --- servers that say no ---


def test_missing_file_is_an_error_with_its_url(site, workbook):
    site.statuses = [404]
    with pytest.raises(SourceError) as caught:
        fetch(make_source(site.url), workbook)
    assert site.url in str(caught.value)
    assert "404" in str(caught.value)
    assert len(site.requests) == 1
    assert list_raw(workbook) == []


def test_busy_server_is_asked_again(site, workbook):
    site.statuses = [503, 503]
    assert fetch(make_source(site.url), workbook).read_bytes() == CSV
    assert len(site.requests) == 3


def test_server_that_stays_busy_is_given_up(site, workbook):
    site.statuses = [503] * 9
    with pytest.raises(SourceError, match="could not be fetched"):
        fetch(make_source(site.url), workbook)
    assert len(site.requests) == 5


def test_source_without_url_says_where_to_get_it(workbook):
    with pytest.raises(SourceError, match=r"Download it from https://example\.org/homes and save it as .*homes\.csv"):
        fetch(make_source(None), workbook)
