"""Where a source's file is looked for, in which order, and when it is a twin."""

import gzip
import json
import os
import sys
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from councilbook.catalogue import Catalogue, Council, Finder, Source, TwinRequest
from councilbook.errors import SourceError
from councilbook.paths import Workbook

DONCASTER = Council(slug="doncaster", name="Doncaster", codes={"E08000017": "Doncaster"})
CONTENT = b"code\nE01000001\n"


def make_source(spectrum="open", **more):
    return Source.model_validate(
        {
            "id": "homes",
            "title": "Homes by area",
            "description": "Homes.",
            "publisher": "An office",
            "steward": "the housing team",
            "spectrum": spectrum,
            "personal_data": spectrum != "open",
            "licence": "OGL",
            "landing_page": "https://example.org/homes",
            "file": "homes.csv",
            "mirror": "england/homes.csv",
            "published": "2024",
            "format": "csv",
            "tables": {"areas": {"fields": {"code": {"description": "Area"}}}},
            **more,
        }
    )


@dataclass
class Maker:
    """A module with a twin's function, which counts how often it was called."""

    requests: list[TwinRequest] = field(default_factory=list)

    def make(self, source: Source, request: TwinRequest) -> bytes:
        self.requests.append(request)
        return f"code\n{source.id} {request.council.slug} {request.seed}\n".encode()


@pytest.fixture
def maker(monkeypatch):
    made = Maker()
    monkeypatch.setitem(sys.modules, "made_up", SimpleNamespace(make=made.make))
    return made


TWIN = {"make": "made_up:make", "basis": "Made up."}


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return the path in each place where a source may lie; nothing is there yet."""
    for name in ("PRIVATE", "CLOSED"):
        monkeypatch.setenv(f"COUNCILBOOK_{name}", str(tmp_path / name.lower()))
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr("councilbook.catalogue.finding.hash_library", lambda workbook: "a" * 64)
    return {
        "closed folder": tmp_path / "closed" / "homes.csv",
        "data/raw": tmp_path / "workbook" / "data" / "raw" / "homes" / "homes.csv",
        "mirror": tmp_path / "mirror" / "england" / "homes.csv",
    }


@pytest.fixture
def make_finder(tmp_path, places):
    def make(mode="real", seed=7, mirror=True, stand_ins=False):
        catalogue = Catalogue(Workbook(tmp_path / "workbook"), {}, {}, {}, {}, {}, {}, {}, {})
        return Finder(catalogue, mode, DONCASTER, seed, tmp_path / "mirror" if mirror else None, stand_ins)

    return make


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spectrum", "expected"),
    [("open", "data/raw"), ("shared", "closed folder"), ("closed", "closed folder")],
)
def test_real_file_comes_from_the_place_for_its_spectrum(make_finder, places, maker, spectrum, expected):
    for path in places.values():
        put(path)
    found = make_finder().find(make_source(spectrum, twin=TWIN))
    assert (found.origin, found.path, found.is_synthetic) == (expected, places[expected], False)
    assert maker.requests == []


def test_mirror_comes_after_raw_and_before_the_url(make_finder, places):
    put(places["mirror"])
    found = make_finder().find(make_source(url="https://127.0.0.1:9/never-asked"))
    assert (found.origin, found.path) == ("mirror", places["mirror"])


def test_url_comes_last(make_finder, places, monkeypatch):
    asked = []
    monkeypatch.setattr("councilbook.catalogue.fetching.fetch", lambda *call: asked.append(call) or places["data/raw"])
    source, finder = make_source(url="https://example.org/homes.csv"), make_finder()

    def show(done, total):
        pass

    assert finder.find(source, show).origin == "download"
    assert asked == [(source, finder.catalogue.workbook, show)]


@pytest.mark.parametrize("spectrum", ["shared", "closed"])
def test_guarded_source_is_never_taken_from_raw_or_mirror(make_finder, places, maker, spectrum):
    put(places["data/raw"])
    put(places["mirror"])
    found = make_finder(stand_ins=True).find(make_source(spectrum, twin=TWIN))
    assert found.is_synthetic


@pytest.mark.parametrize("spectrum", ["open", "shared", "closed"])
def test_sample_uses_the_twin_even_where_the_real_file_is(make_finder, places, maker, spectrum):
    for path in places.values():
        put(path)
    finder = make_finder("sample")
    source = make_source(spectrum, twin=TWIN)
    assert finder.find(source).is_synthetic
    assert finder.find_local(source) is None


def test_open_source_is_never_a_twin_among_real_data(make_finder, maker):
    with pytest.raises(SourceError):
        make_finder().find(make_source(twin=TWIN))
    assert maker.requests == []


def test_file_of_another_kind_is_refused_where_it_lies(make_finder, places):
    put(places["data/raw"], b"<!DOCTYPE html><title>404</title>")
    with pytest.raises(SourceError, match=r"homes.*HTML page"):
        make_finder().find(make_source())


def test_file_in_raw_that_was_changed_since_it_was_fetched_is_refused(make_finder, places):
    put(places["data/raw"])
    checksums = places["data/raw"].parents[1] / "checksums.json"
    checksums.write_text(json.dumps({"homes": {"sha256": "0" * 64}}), encoding="utf-8")
    with pytest.raises(SourceError, match="is not the file that was fetched"):
        make_finder().find(make_source())


def test_open_source_that_is_nowhere_names_places_and_page(make_finder, places):
    with pytest.raises(SourceError) as caught:
        make_finder().find(make_source())
    message = str(caught.value)
    assert all(str(places[name]) in message for name in ("data/raw", "mirror"))
    assert "https://example.org/homes and save it as" in message
    assert str(places["closed folder"]) not in message


@pytest.mark.parametrize("has_folder", [True, False])
def test_closed_source_that_is_nowhere_names_whom_to_ask(make_finder, monkeypatch, has_folder):
    if not has_folder:
        monkeypatch.delenv("COUNCILBOOK_CLOSED")
    with pytest.raises(SourceError, match=r"Ask the housing team.*closed folder.* as homes_doncaster\.csv"):
        make_finder().find(make_source("closed"))


def test_source_without_twin_is_not_in_the_sample(make_finder):
    with pytest.raises(SourceError, match="homes has no synthetic twin"):
        make_finder("sample").find(make_source())


# --- twins ---


def test_twin_is_made_for_council_and_seed_and_kept_in_the_private_folder(make_finder, maker, tmp_path):
    source = make_source(twin=TWIN)
    first = make_finder("sample", seed=7).find(source)
    assert first.path.read_bytes() == b"code\nhomes doncaster 7\n"
    assert first.path.is_relative_to(tmp_path / "private")
    assert make_finder("sample", seed=7).find(source) == first
    assert maker.requests == [TwinRequest(DONCASTER, 7)]
    other = make_finder("sample", seed=8).find(source)
    assert other.path.read_bytes() == b"code\nhomes doncaster 8\n"
    assert first.path.exists()
    assert first.sha256 != other.sha256


def test_twin_is_made_anew_once_the_library_changes(make_finder, maker, monkeypatch):
    source = make_source(twin=TWIN)
    before = make_finder("sample").find(source).path
    monkeypatch.setattr("councilbook.catalogue.finding.hash_library", lambda workbook: "b" * 64)
    after = make_finder("sample").find(source).path
    assert len(maker.requests) == 2
    assert after.exists()
    assert not before.exists()  # nothing heaps up


def test_twin_that_fails_leaves_no_file(make_finder, monkeypatch, tmp_path):
    def fail(source, request):
        raise ZeroDivisionError

    monkeypatch.setitem(sys.modules, "made_up", SimpleNamespace(make=fail))
    with pytest.raises(ZeroDivisionError):
        make_finder("sample").find(make_source(twin=TWIN))
    assert [path for path in (tmp_path / "private").rglob("*") if path.is_file()] == []


# --- a council's own file, and what is read instead ---


@pytest.fixture
def own():
    """A source of which each council has a file of its own; where Doncaster's lies in a mirror is known."""
    known = {"E08000017": {"mirror": "rolls/doncaster.csv", "published": "June 2019"}}
    return make_source(id="rolls", file="roll_{council}.csv", mirror=None, councils=known)


def test_each_council_has_its_own_file_of_a_source(make_finder, tmp_path, own):
    put(tmp_path / "mirror" / "rolls" / "doncaster.csv")
    found = make_finder().find(own)
    assert (found.origin, found.source.published) == ("mirror", "June 2019")
    put(tmp_path / "workbook" / "data" / "raw" / "rolls" / "roll_E08000017.csv")
    assert make_finder().find(own).origin == "data/raw"


def test_a_council_that_is_not_named_is_told_what_its_file_is_called(make_finder, own):
    finder = replace(make_finder(), council=Council(slug="leeds", name="Leeds", codes={"E08000035": "Leeds"}))
    with pytest.raises(SourceError, match=r"save it as .*roll_E08000035\.csv"):
        finder.find(own)


def test_what_is_read_instead_comes_after_the_closed_folder_and_before_the_twin(
    make_finder, places, maker, tmp_path, own
):
    ledger = make_source("closed", twin=TWIN, or_else="rolls")
    finder = replace(make_finder(stand_ins=True), catalogue=replace(make_finder().catalogue, sources={"rolls": own}))
    assert finder.find(ledger).origin == "twin"
    put(tmp_path / "mirror" / "rolls" / "doncaster.csv")
    instead = finder.find(ledger)
    assert (instead.source.id, instead.source.spectrum, instead.origin) == ("rolls", "open", "mirror")
    put(places["closed folder"])
    assert finder.find(ledger).source.id == "homes"
    assert replace(finder, mode="sample").find(ledger).origin == "twin"


# --- the closed folder ---


LEEDS = Council(slug="leeds", name="Leeds", codes={"E08000035": "Leeds"})
FORMATS = {"formats": ["csv", "csv.gz", "xlsx"]}


@pytest.fixture
def find_closed(make_finder, tmp_path):
    """Find the closed source `homes` in a folder of files with some names, beside a source `homes_before`."""

    def find(*names, finder=None, formats=FORMATS["formats"], **more):
        for name in names:
            put(tmp_path / "closed" / name)
        sources = [
            make_source("closed", twin=TWIN, formats=formats),
            make_source("closed", id="before", file="homes_before.csv"),
        ]
        finder = replace(finder or make_finder(**more))
        finder = replace(finder, catalogue=replace(finder.catalogue, sources={one.id: one for one in sources}))
        return finder.find(sources[0])

    return find


@pytest.mark.parametrize(
    ("name", "names_council"),
    [
        ("homes.csv", False),
        ("homes.csv.gz", False),
        ("homes.xlsx", False),
        ("homes_2024-07.csv", False),
        ("homes_doncaster.csv", True),
        ("homes_E08000017.xlsx", True),
        ("homes_Doncaster Metropolitan Borough Council.csv", True),
        ("homes_doncaster_2024-07-01.csv", True),
    ],
)
def test_a_closed_file_may_have_its_council_and_a_date_in_its_name_and_any_declared_ending(
    find_closed, name, names_council
):
    found = find_closed(name, "homes_leeds.csv", "homes_before_leeds.csv", "homes_before.csv")
    assert (found.path.name, found.origin, found.names_council) == (name, "closed folder", names_council)


@pytest.mark.parametrize(
    "name",
    [
        "Homes.csv",
        "homes.ods",
        "HOMES.CSV",
        "homes (1).csv",
        "homes_final.csv",
        "homes-doncaster.csv",
        "homse.csv",
        "homes",
    ],
)
def test_a_file_that_has_nearly_the_name_stops_the_run_also_where_a_twin_would_do(find_closed, name):
    with pytest.raises(SourceError) as caught:
        find_closed(name, stand_ins=True)
    assert f"the closed folder has {name}, which is nearly its name, and no homes_doncaster.csv (or " in str(
        caught.value
    )


def test_a_file_of_a_source_with_a_shorter_name_is_not_nearly_another_source_s(make_finder, tmp_path):
    """`homes_bedford.csv` is Bedford's file of `homes`, however much it looks like `homes_before.csv`."""
    put(tmp_path / "closed" / "homes_bedford.csv")
    sources = [make_source("closed", **FORMATS), make_source("closed", id="before", file="homes_before.csv")]
    finder = make_finder()
    catalogue = replace(finder.catalogue, sources={one.id: one for one in sources})
    bedford = Council(slug="bedford", name="Bedford", codes={"E06000055": "Bedford"})
    assert replace(finder, catalogue=catalogue, council=bedford).find_local(sources[1]) is None


@pytest.mark.parametrize("formats", [["csv"], ["csv", "zip"]])
def test_a_folder_of_files_stops_the_run_where_one_file_is_read(find_closed, tmp_path, formats):
    (tmp_path / "closed" / "homes_doncaster").mkdir(parents=True)
    (tmp_path / "closed" / "homes_leeds").mkdir()
    with pytest.raises(SourceError, match=r"homes_doncaster in the closed folder is a folder.*the one file of it"):
        find_closed(formats=formats, stand_ins=True)


def test_a_folder_of_files_is_one_source_where_it_can_be_put_together(make_finder, tmp_path):
    for name in ("homes_doncaster/a.csv", "homes_doncaster/b.csv", "homes_leeds/a.csv"):
        put(tmp_path / "closed" / name)
    source, finder = make_source("closed", **{**FORMATS, "formats": ["csv", "zip"], "format": "file"}), make_finder()
    finder = replace(finder, catalogue=replace(finder.catalogue, sources={source.id: source}))
    found = finder.find_local(source)
    assert (found.path.name, found.names_council) == ("homes_doncaster", True)
    before = found.sha256
    (found.path / "b.csv").write_text("other")
    assert finder.find_local(source).sha256 != before
    assert finder.list_closed() == {source.id: ["homes_doncaster"]}
    put(tmp_path / "closed" / "homes_doncaster.csv")
    with pytest.raises(SourceError, match=r"cannot be told which is meant.*put them into one folder"):
        finder.find_local(source)


@pytest.mark.parametrize(
    "name", ["homes_leeds.csv", "homes_before.csv", "homes_before_leeds.csv", "verdicts.csv", "homes.yaml"]
)
def test_a_file_of_another_council_or_source_is_not_taken_for_it(find_closed, maker, name):
    with pytest.raises(
        SourceError, match=r"is not in the closed folder .*Or run with --allow-stand-ins.*synthetic twin"
    ):
        find_closed(name)
    assert maker.requests == []
    assert find_closed(name, stand_ins=True).is_synthetic


def test_a_file_has_its_own_date_by_its_name_or_by_when_it_was_last_changed(find_closed, tmp_path):
    assert find_closed("homes_doncaster_2024-07.csv").published == "2024-07"
    (tmp_path / "closed" / "homes_doncaster_2024-07.csv").rename(tmp_path / "closed" / "homes_doncaster.csv")
    os.utime(tmp_path / "closed" / "homes_doncaster.csv", (1_750_000_000, 1_750_000_000))
    assert find_closed().published == "2025-06-15 (when the file was last changed)"


@pytest.mark.parametrize("name", ["homes-2026-11-01.zip", "homes_2026-11-01.csv", "homes-1-Nov-2026.csv"])
def test_an_official_file_keeps_the_date_in_its_name(make_finder, places, name):
    put(places["data/raw"].with_name("homes-2025-10-01.zip"))
    put(places["data/raw"].with_name(name))
    found = make_finder().find(make_source(formats=["csv", "zip"]))
    assert (found.path.name, found.origin) == (name, "data/raw")
    assert found.published == "2026-11-01"


def test_a_date_in_the_head_of_a_file_is_its_own_also_where_it_is_packed(make_finder, places):
    head = b"<Register><Header><ExtractDate>2020-11-13</ExtractDate></Header>" + b"<a/>" * 9000
    tables = {"areas": {"record": "a", "fields": {"code": {"description": "Area"}}}}
    source = make_source(format="xml", tables=tables, dated_by="<ExtractDate>(.+?)<")
    for content in (head, gzip.compress(head)):
        put(places["mirror"], content)
        assert make_finder().find(source).published == "2020-11-13"
    put(places["mirror"])
    assert make_finder().find(source).published == "2024"


def test_two_files_of_one_council_stop_the_run(find_closed):
    with pytest.raises(SourceError, match=r"has homes\.csv and homes_doncaster\.csv, and it cannot be told which"):
        find_closed("homes.csv", "homes_doncaster.csv")


@pytest.mark.parametrize("on_request", [True, False])
def test_without_a_closed_folder_a_twin_is_taken_unless_it_has_to_be_asked_for(
    make_finder, maker, monkeypatch, on_request
):
    monkeypatch.delenv("COUNCILBOOK_CLOSED")
    source = make_source("closed", twin=TWIN | {"on_request": on_request})
    if on_request:
        with pytest.raises(
            SourceError, match=r"no closed folder is named.*\(COUNCILBOOK_CLOSED\) as homes_doncaster\.csv"
        ):
            make_finder().find(source)
    assert make_finder(stand_ins=on_request).find(source).is_synthetic


def test_what_the_council_has_published_stands_in_where_that_was_asked_for(make_finder, tmp_path, own):
    put(tmp_path / "mirror" / "rolls" / "doncaster.csv")
    ledger = make_source("closed", or_else="rolls")
    finder = replace(make_finder(), catalogue=replace(make_finder().catalogue, sources={"rolls": own}))
    with pytest.raises(SourceError, match="Or run with --allow-stand-ins: then the homes by area stands in"):
        finder.find(ledger)
    assert replace(finder, stand_ins=True).find(ledger).source.id == "rolls"


def test_a_mirror_may_have_a_copy_of_a_national_file_cut_to_one_council(make_finder, tmp_path):
    for name in ("whole", "cut"):
        put(tmp_path / "mirror" / f"{name}.csv")
    homes = make_source(mirror="whole.csv", councils={"E08000017": {"mirror": "cut.csv"}})
    leeds = Council(slug="leeds", name="Leeds", codes={"E08000035": "Leeds"})
    assert replace(make_finder(), council=leeds).find(homes).path.stem == "whole"
    assert replace(make_finder(), council=DONCASTER).find(homes).path.stem == "cut"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"councils": {"E08000017": {"published": "2019"}}}, "must have {council} in it"),
        ({"or_else": "rolls"}, "may be missing from the closed folder"),
        ({"format": "xml"}, "the element that is a row"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused(more, fault):
    with pytest.raises(ValueError, match=fault):
        make_source(**more)
