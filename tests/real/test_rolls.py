"""The rolls that councils publish: counts and sums as they were found in the files, and every header line mapped."""

import csv
import gzip
import zipfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from councilbook.business_rates.roll.columns import count_known, map_header
from councilbook.business_rates.roll.files import align_cells, find_layout, read_records
from councilbook.business_rates.roll.headers import normalise_header
from councilbook.business_rates.roll.reading import read_roll
from councilbook.business_rates.roll.rules import FUTURE, open_rules

FOLDER = "north_lanarkshire/ndr"
ROLLS = {  # rows, sum of the numbers under "Rateable value", rows kept, encoding
    "bradford": (19323, 388294295, 19019, "cp1252"),
    "kirklees": (15991, 288269030, 15673, "cp1252"),
    "calderdale": (9347, 159767390.04481003, 9307, "utf-8-sig"),
    "harrogate": (7460, 164077668, 7319, "utf-8-sig"),
    "selby": (2677, 88679246, 2660, "utf-8-sig"),
    "scarborough": (2381, 59478856, 2296, "utf-8-sig"),
}
ASIDE = {
    "bradford": {"rateable value 0": 232, "fewer cells than the header has, and here no number": 72},
    "kirklees": {
        "the reference again, with another relief: the first row has it now too": 151,
        "fewer cells than the header has, and here no number": 88,
        "rateable value 0": 79,
    },
    "harrogate": {"rateable value 0": 141},
    "selby": {"rateable value 0": 13, "no yes or no": 4},
    "scarborough": {"the same row again": 49, "rateable value 0": 23, "no yes or no": 13},
}


@pytest.fixture(scope="module")
def rolls(mirror):
    return {name: read_roll(mirror / FOLDER / f"nndr_{name}_2019-06.csv.gz", run_date="2026-01-01") for name in ROLLS}


@pytest.mark.parametrize("name", ROLLS)
def test_rows_and_rateable_values_are_those_of_the_file(rolls, name):
    roll = rolls[name]
    rows, total, kept, encoding = ROLLS[name]
    assert (roll.rows_in_file, len(roll.frame), roll.encoding) == (rows, kept, encoding)
    assert roll.rateable_value_in_file_gbp == pytest.approx(total, abs=1e-6)
    assert len(roll.frame) + len(roll.aside) + roll.blank_rows == rows
    assert roll.frame["property_reference"].is_unique


def test_dates_after_the_day_of_the_run_are_kept_aside(mirror):
    roll = read_roll(mirror / FOLDER / "nndr_calderdale_2019-06.csv.gz", run_date="2019-07-01")
    assert (roll.aside["reason"] == FUTURE).sum() == 136
    assert len(roll.frame) == 9171


@pytest.mark.parametrize("name", ASIDE)
def test_what_is_kept_aside_has_its_reason(rolls, name):
    assert dict(Counter(rolls[name].aside["reason"])) == ASIDE[name]


def test_every_column_of_the_six_is_known(rolls):
    for roll in rolls.values():
        assert set(roll.mapping["found"]) <= {"known header", "not used"}
        assert roll.mapping["note"].str.contains("No council").sum() == 0


def test_calderdale_lacks_a_cell_in_nearly_every_row_and_is_read_all_the_same(rolls):
    roll = rolls["calderdale"]
    assert "Empty from: Warning: rows of 20 cells lack it." in roll.warnings
    assert len(roll.aside) == 40
    assert (roll.frame["empty_since_date"].notna() <= (roll.frame["is_occupied"] == False).fillna(False)).mean() > 0.99  # noqa: E712
    small = roll.frame["small_business_relief"].dropna()
    assert small[small.str.contains("Sbr")].str.contains("SBR").mean() > 0.99  # the flag agrees with "Reliefs granted"


def test_names_of_ratepayers_are_in_their_column_alone(rolls):
    for roll in rolls.values():
        others = roll.frame[["description", "description_code", "exemption", "other_relief", "property_reference"]]
        assert not others.apply(lambda column: column.str.contains(r"\b(?:Ltd|Limited|Mrs?)\b").any()).any()


def read_headers(mirror):
    with (mirror / FOLDER / "council_nndr_header_variants.tsv").open(encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")[1:]
    return [
        (cells[1], next(csv.reader([cells[5]]))) for line in lines if line for cells in [line.rstrip("\r").split("\t")]
    ]


def test_each_column_of_the_76_header_lines_becomes_what_a_person_says_it_is(mirror):
    headers = read_headers(mirror)
    assert len(headers) == 76
    table = yaml.safe_load(
        (Path(__file__).parent.parent / "business_rates" / "council_headers.yaml").read_text("utf-8")
    )
    said = {
        _squeeze(header): set(targets.split(" or "))
        for targets, headers_of_it in table.items()
        for header in headers_of_it.split(" | ")
    }
    found = defaultdict(set)
    for _, header in headers:
        columns = map_header(header, date(2022, 5, 4))
        assert count_known(header) >= 0.6 * sum(bool(cell.strip()) for cell in header)
        assert {column.found for column in columns} <= {"known header", "not used"}
        for column in columns:
            found[_squeeze(column.header)].add(column.target or "not used")
    assert {key: targets for key, targets in found.items() if key} == said


def _squeeze(header):
    return normalise_header(header).replace(" ", "")


@pytest.mark.parametrize(("council", "column", "target"), [
    ("Cambridge", "Organisation name", None),  # the publisher's, as another column is the ratepayer's
    ("Nottingham", "Organisation Name", "ratepayer_name"),
    ("Stockport", "Address1", "ratepayer_address"),  # as "PropAddress1" is the property's
    ("Manchester", "Address 1", "address"),
    ("Harlow", "Post Code", "ratepayer_address"),
    ("Wirral", "2017_RV", "rateable_value_gbp"),
    ("Wirral", "2010_RV", None),
    ("York", "RateableValue2017", "rateable_value_gbp"),
    ("Northumberland", "PRIMARYLIABLEPARTYCONTACTADD", "ratepayer_address"),
    ("Leeds", "Emptty Property", "is_empty"),
    ("Wokingham", "Description", None),
    ("East Cambridgeshire", "Description", "description"),
    ("East Cambridgeshire", "RP Type", None),
    ("Barnet", "Ratable Value", "rateable_value_gbp"),
    ("Lambeth", "holder_name", "ratepayer_name"),
])  # fmt: skip
def test_headers_mean_what_the_columns_beside_them_leave(mirror, council, column, target):
    targets = {
        one.target
        for name, header in read_headers(mirror)
        if name == council
        for one in map_header(header)
        if one.header.strip() == column
    }
    assert targets == {target}


# --- the same rolls in other files ---


def list_rows(path):
    """Return a roll's rows with each cell below its header, as a workbook has them."""
    with open_rules() as database:
        layout = find_layout(path, database)
    return [list(layout.header), *(align_cells(cells, layout) for _, cells in read_records(layout))]


def write_xlsx(path, rows):
    book = openpyxl.Workbook(write_only=True)
    book.create_sheet("Notes").append(["Published every quarter"])
    sheet = book.create_sheet("Roll")
    for row in rows:
        sheet.append(row)
    book.save(path)


def write_ods(path, rows):
    document, table = OpenDocumentSpreadsheet(), Table(name="Roll")
    for row in rows:
        line = TableRow()
        for cell in row:
            made = TableCell(valuetype="string")
            made.addElement(P(text=cell))
            line.addElement(made)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.save(str(path))


def write_zip(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "What this is")
        archive.writestr("export/roll.csv", content)


@pytest.mark.parametrize("ending", ["csv", "zip", "xlsx", "ods"])
@pytest.mark.parametrize("name", ROLLS)
def test_a_roll_is_the_same_in_any_file(rolls, mirror, tmp_path, name, ending):
    if ending == "ods" and ROLLS[name][0] > 3000:
        pytest.skip("odfpy takes minutes to write it")
    source, path = mirror / FOLDER / f"nndr_{name}_2019-06.csv.gz", tmp_path / f"roll.{ending}"
    content = gzip.decompress(source.read_bytes())
    match ending:
        case "csv":
            path.write_bytes(content)
        case "zip":
            write_zip(path, content)
        case "xlsx":
            write_xlsx(path, list_rows(source))
        case "ods":
            write_ods(path, list_rows(source))
    roll, same = read_roll(path, run_date="2026-01-01"), rolls[name]
    pd.testing.assert_frame_equal(roll.frame, same.frame)
    assert roll.rows_in_file == same.rows_in_file
    assert roll.rateable_value_in_file_gbp == pytest.approx(same.rateable_value_in_file_gbp, abs=1e-6)
    assert roll.aside["row"].tolist() == same.aside["row"].tolist()
