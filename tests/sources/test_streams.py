"""Registers that are read piece by piece: nothing is lost unsaid, whatever stands in a few of their rows."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.catalogue import FoundFile, Source
from councilbook.errors import SourceError
from councilbook.sources.files import streams
from councilbook.sources.files.readers import read_rows
from councilbook.sources.files.streams import Keep

FIELDS = {
    "name": {"column": "CompanyName", "description": "Name"},
    "number": {"column": "CompanyNumber", "unique": True, "pattern": r"^\w+$", "description": "Number"},
    "postcode": {"column": "RegAddress.PostCode", "required": False, "description": "Postcode"},
    "status": {"column": "CompanyStatus", "description": "Status"},
}
HEADER = "CompanyName, CompanyNumber,Unused,RegAddress.PostCode,CompanyStatus"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PIECE", 300)  # so that a small file has many
    monkeypatch.setattr(streams, "LONGEST_LINE", 3_000)


def describe(path: Path, **table: Any) -> FoundFile:
    about = dict.fromkeys(("id", "title", "description", "publisher", "steward"), "companies")
    return FoundFile(
        Source.model_validate(
            about
            | {
                "spectrum": "open",
                "licence": "OGL-UK-3.0",
                "personal_data": False,
                "published": "2026",
                "format": "csv",
            }
            | {"landing_page": "https://example.org", "file": path.name}
            | {"tables": {"companies": {"stream": True, "fields": FIELDS, **table}}}
        ),
        path,
        "data/raw",
    )


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read_content(content: bytes, keep: Keep | None = None, **table: Any) -> pd.DataFrame:
        path = tmp_path / "companies.csv"
        path.write_bytes(content)
        found = describe(path, **table)
        return read_rows(found, found.source.table(), keep)

    return read_content


def write(*lines: str, right: int = 40) -> bytes:
    """Write lines behind some that are as declared."""
    good = [f'"FIRM {n} LTD","{n:08d}",,"ML{n % 9 + 1} 1AB","Active"' for n in range(right)]
    return "\n".join([HEADER, *good, *lines]).encode() + b"\n"


def zip_up(content: bytes, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda text: zip_up(text, "BasicCompanyDataAsOneFile-2026-11-01.csv")]
)
def test_a_register_is_read_plain_and_packed_and_only_in_its_declared_columns(read: Any, pack: Any) -> None:
    frame = read(pack(write('"A ""B"" LTD","SC1",,,"Liquidation"')))
    assert list(frame) == list(FIELDS)
    assert (len(frame), frame.attrs) == (41, {"rows_read": 41, "notes": []})
    last = frame.iloc[-1]
    assert (frame.index[-1], last["name"], last["status"]) == (42, 'A "B" LTD', "Liquidation")
    assert pd.isna(last["postcode"])
    assert frame["number"].iloc[3] == "00000003"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('"B LTD","SC1",,,""', "no status in 1 (first in record 42)"),
        ('"B LTD","SC 1",,,"Active"', "number of another form in 1 (first in record 42)"),
        ('"B LTD","00000007",,,"Active"', "number of an earlier row in 1 (first in record 42)"),
        ('"B LTD","SC1"', "not 5 cells in 1 (first in record 42)"),
        ('"B LTD","SC1",,,"Active",,,', "not 5 cells in 1 (first in record 42)"),
    ],
)
def test_one_row_at_fault_is_set_aside_and_said_and_the_others_are_read(read: Any, line: str, told: str) -> None:
    frame = read(write(line, '"C LTD","SC2",,,"Active"'))
    assert len(frame) == 41
    assert frame["name"].iloc[-1] == "C LTD"
    assert frame.attrs == {"rows_read": 42, "notes": [f"1 of its 42 rows is set aside: {told}."]}


@pytest.mark.parametrize(
    ("right", "wrong", "refused"), [(40, 10, False), (40, 11, True), (5, 6, True), (1200, 12, False)]
)
def test_many_rows_at_fault_refuse_the_file(read: Any, right: int, wrong: int, refused: bool) -> None:
    content = write(*[f'"B LTD","SC{n}",,,""' for n in range(wrong)], right=right)
    if refused:
        with pytest.raises(SourceError, match=rf"companies\.csv: {wrong} of its .* no status in {wrong}.*too many"):
            read(content)
    else:
        assert len(read(content)) == right


def test_an_odd_byte_is_read_as_cp1252_and_said(read: Any) -> None:
    content = write('"CAFE LTD","SC1",,,"Active"', '"ÉTÉ LTD","SC2",,,"Active"').replace(b"CAFE", b"CAF\xc9")
    frame = read(content)
    assert frame["name"].tolist()[-2:] == ["CAFÉ LTD", "ÉTÉ LTD"]
    assert frame.attrs["notes"] == ["1 of its lines is no UTF-8 and read as cp1252 (first line 42)."]


TABS = "charity_name\tCompanyNumber\tx\tRegAddress.PostCode\tCompanyStatus\n"
AS_TEXT = {
    "delimiter": "\t",
    "quotes": False,
    "fields": FIELDS | {"name": {"column": "charity_name", "description": "N"}},
}


def test_where_quotes_are_text_no_row_is_swallowed(read: Any) -> None:
    names = ['"THE OPEN QUOTE', "PLAIN", 'THE "INNER" ONE', 'ENDS WITH "', '"WHOLE"', "LAST"]
    lines = [f"{name}\t{n}\t\tML1 1AB\tRegistered\n" for n, name in enumerate(names)]
    frame = read((TABS + "".join(lines)).encode(), **AS_TEXT)
    assert frame["name"].tolist() == names
    assert frame.attrs == {"rows_read": 6, "notes": []}


@settings(max_examples=30)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\t\0"), min_size=1), min_size=1, max_size=40)
)
def test_whatever_a_name_holds_it_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("names") / "companies.csv"
    path.write_bytes(TABS.encode() + "".join(f"{name}x\t{n}\t\t\tR\n" for n, name in enumerate(names)).encode())
    found = describe(path, **AS_TEXT)
    assert read_rows(found, found.source.table())["name"].tolist() == [f"{name}x".strip() for name in names]


def test_only_what_is_wanted_is_kept_and_all_is_looked_at(read: Any) -> None:
    content = write('"B LTD","SC1",,,""', '"C LTD","00000005",,"ML9 9ZZ","Active"')
    frame = read(content, lambda piece: piece["postcode"].str.startswith("ML2"))
    assert frame["postcode"].unique().tolist() == ["ML2 1AB"]
    assert len(frame) == 5
    assert frame.attrs["rows_read"] == 42
    assert "no status in 1 (first in record 42); number of an earlier row in 1" in frame.attrs["notes"][0]
    assert len(read(content, lambda piece: piece.index < 0)) == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (write(right=0), "no row of data below the header"),
        (b"a,b\n1,2\n", "no column, or more than one, for name"),
        (write().replace(b"FIRM 7", b"FIRM\x00 7"), "line 9 has NUL bytes"),
        (write().decode().encode("utf-16"), "encoded in UTF-16"),
        (zip_up(write(), "a.csv", "b.csv"), "expected one table in it, found a.csv, b.csv"),
        (gzip.compress(write(right=900))[:-900], "is damaged, or was cut off"),
        (HEADER.encode() + b"x" * 4_000, "line 1 is longer than any table's"),
    ],
    ids=["no rows", "other columns", "NUL", "UTF-16", "two tables", "cut off", "no lines"],
)
def test_what_is_no_such_table_is_refused_by_name(read: Any, content: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=rf"^Source companies, file companies\.csv.*{told}"):
        read(content)


def test_a_bomb_is_refused_before_it_takes_memory(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PIECE", 2**20)
    monkeypatch.setattr(streams, "LONGEST_LINE", 2**20)
    content = gzip.compress((f"{HEADER}\n" + f"{'a' * 2**18},1,,,b\n" * 250).encode())
    with pytest.raises(SourceError, match="it may be a zip bomb"):
        read(content)
