"""Postcode directories as they are published: whole or in part, plain or packed, and without postcodes that ended."""

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from councilbook.catalogue import Areas, FoundFile, load_catalogue
from councilbook.errors import SourceError
from councilbook.paths import find_workbook
from councilbook.sources.files.readers import read_rows
from councilbook.sources.geography import fill_lsoas

SOURCE = load_catalogue(find_workbook()).source("postcode_directory")
TABLE = SOURCE.table()
# the layouts of 2025 (pcd7, oa21cd) and before, and that of a copy without the month in which a postcode ended
NSPL_2025 = "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,oa21cd,lad25cd,lsoa21cd,lat,long"
ONSPD_2023 = "pcd,pcd2,pcds,dointr,doterm,oscty,oseast1m,oa11,lsoa11,oa21,lsoa21,lat,long"
ROWS_2025 = [
    "ZZ11AA,ZZ1  1AA,ZZ1 1AA,198001,,0,500100,E00000001,E07000999,E01000001,51.5,0.25",
    "ZZ11AB,ZZ1  1AB,ZZ1 1AB,198001,201506,0,500200,E00000001,E07000999,E01000001,51.5,0.26",
    "ZZ11AD,ZZ1  1AD,ZZ1 1AD,200712,,1,500300,W00000002,W06000999,W01000002,51.6,-3.25",
    "ZZ19ZZ,ZZ1  9ZZ,ZZ1 9ZZ,200712,,1,,,L99999999,,99.999999,0.000000",
    "ZZ11AE,ZZ1  1AE,ZZ1 1AE,201102,,0,500400,E00000003,E07000999,E01000003,51.7,0.27",
]
ROWS_2023 = [
    "ZZ1 1AA,ZZ1  1AA,ZZ1 1AA,198001,,E99999999,500100,E00000009,E01000009,E00000001,E01000001,51.5,0.25",
    "ZZ1 1AB,ZZ1  1AB,ZZ1 1AB,198001,201506,E99999999,500200,E00000009,E01000009,E00000001,E01000001,51.5,0.26",
]


def write(folder: Path, content: bytes) -> FoundFile:
    file = folder / "postcode_directory.csv"
    file.write_bytes(content)
    return FoundFile(SOURCE, file, "data/raw")


def pack(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("User Guide/guide.csv", "a,b\n")
        archive.writestr(f"Data/{name}", content)
        archive.writestr("Data/multi_csv/NSPL_MAY_2025_UK_ZZ.csv", content)
    return stream.getvalue()


def join(header: str, rows: list[str], newline: str = "\n") -> bytes:
    return newline.join([header, *rows, ""]).encode()


@pytest.mark.parametrize(
    "content",
    [
        join(NSPL_2025, ROWS_2025),
        b"\xef\xbb\xbf" + join(NSPL_2025, ROWS_2025, "\r\n"),
        gzip.compress(join(NSPL_2025, ROWS_2025)),
        pack("NSPL_MAY_2025_UK.csv", join(NSPL_2025, ROWS_2025)),
    ],
    ids=["plain", "with a mark and line ends of Windows", "gzip", "zip"],
)
def test_live_postcodes_of_england_are_kept_each_with_its_row(tmp_path: Path, content: bytes) -> None:
    rows = read_rows(write(tmp_path, content), TABLE)
    assert rows.index.tolist() == [2, 6]
    assert rows["postcode"].tolist() == ["ZZ1 1AA", "ZZ1 1AE"]
    assert rows["lsoa21_code"].tolist() == ["E01000001", "E01000003"]
    assert rows["longitude"].tolist() == ["0.25", "0.27"]


def test_of_an_older_layout_the_areas_of_2021_are_read(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, join(ONSPD_2023, ROWS_2023)), TABLE)
    assert rows[["postcode", "oa21_code", "lsoa21_code"]].to_numpy().tolist() == [["ZZ1 1AA", "E00000001", "E01000001"]]


def test_a_copy_that_does_not_say_which_ended_is_read_whole(tmp_path: Path) -> None:
    rows = [",".join(row.split(",")[:4] + row.split(",")[5:]) for row in ROWS_2025]
    kept = read_rows(write(tmp_path, join(NSPL_2025.replace("doterm,", ""), rows)), TABLE)
    assert kept["postcode"].tolist() == ["ZZ1 1AA", "ZZ1 1AB", "ZZ1 1AE"]
    assert kept["ended"].tolist() == ["", "", ""]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (join(NSPL_2025.replace("oa21cd", "oa31cd"), ROWS_2025), r"no column, or more than one, for oa21_code"),
        (
            pack("postcodes.csv", join(NSPL_2025, ROWS_2025)),
            r"expected one file in it .*NSPL\|ONSPD.*found none among 3",
        ),
        (gzip.compress(join(NSPL_2025, ROWS_2025))[:-9], r"not a CSV, gzip or zip file that can be read"),
        (join(NSPL_2025, ["a,b"]), r"not a CSV.*12 columns, got 2"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        read_rows(write(tmp_path, content), TABLE)


def test_a_row_without_an_lsoa_has_that_of_its_output_area() -> None:
    areas = Areas(lsoa="lsoa21_code", vintage=2021, output_area="oa21_code")
    rows = pd.DataFrame(
        {"oa21_code": ["E00a", "E00a", "E00b", "E00c"], "lsoa21_code": ["E01x", "", "", None]}, index=[2, 4, 5, 9]
    )
    lookup = pd.DataFrame({"oa21_code": ["E00b", "E00d"], "lsoa21_code": ["E01y", "E01z"]})
    filled = fill_lsoas(rows, areas, lambda: lookup)["lsoa21_code"]
    assert filled.loc[[2, 4, 5]].tolist() == ["E01x", "E01x", "E01y"]
    assert pd.isna(filled.loc[9])

    def fail() -> pd.DataFrame:
        raise AssertionError("read for nothing")

    assert fill_lsoas(rows.head(2), areas, fail)["lsoa21_code"].tolist() == ["E01x", "E01x"]
