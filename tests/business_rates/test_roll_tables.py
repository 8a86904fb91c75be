"""A roll is the same as CSV, workbook or packed file, and several sheets or files of it become one."""

import csv
import gzip
import io
import struct
import zipfile
from datetime import date, time

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from councilbook.business_rates.ledger.sheets import write_cell
from councilbook.business_rates.roll.files import guess_columns
from councilbook.business_rates.roll.reading import read_roll
from councilbook.errors import SourceError

stamp = pd.Timestamp
HEADER = ["Property Reference", "Ratepayer", "Property Address", "Postcode", "Rateable Value", "Account Start Date"]
ACCOUNTS = [
    [f"00{n}", f"Firm {n} Ltd", f"{n} Quay Street\nOldport", "PO1 2AB", 1000.0 * n, stamp(2019, 4, n)]
    for n in range(1, 10)
]
NOTES = [["Business rates of Oldport"], [], ["Asked for often", None, 2024]]


def read(path):
    return read_roll(path, run_date="2026-01-01")


def write_workbook(path, sheets, hidden=()):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def write_open_document(path, sheets):
    document = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for cell in row:
                if isinstance(cell, pd.Timestamp):
                    line.addElement(TableCell(valuetype="date", datevalue=cell.date().isoformat()))
                elif isinstance(cell, float):
                    line.addElement(TableCell(valuetype="float", value=cell))
                else:
                    made = TableCell(valuetype="string")
                    for part in str(cell or "").split("\n"):
                        made.addElement(P(text=part))
                    line.addElement(made)
            table.addElement(line)
        document.spreadsheet.addElement(table)
    document.save(str(path))
    return path


def write_old_excel(path, rows):
    """Write a sheet as Excel 97 has it: records (BIFF8), in the one stream of a compound file."""

    def record(kind, form, *values, text=""):
        data = struct.pack(f"<{form}", *values) + text.encode("utf-16-le")
        return struct.pack("<HH", kind, len(data)) + data

    def write(at, cell):
        match cell:
            case int() | float():
                return record(0x203, "HHHd", *at, 0, cell)
            case pd.Timestamp():
                return record(0x203, "HHHd", *at, 1, (cell - pd.Timestamp("1899-12-30")).days)
        return record(0x204, "HHHHB", *at, 0, len(cell), 1, text=cell)

    cells = [write((y, x), cell) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell]
    begin = record(0x809, "HHHHII", 0x600, 5, 0, 0, 0, 0) + b"".join(record(0xE0, "HH16x", 0, way) for way in (0, 14))
    begin += record(0x85, "IHBB", len(begin) + 24, 0, 4, 1, text="Roll") + record(10, "")
    stream = begin + record(0x809, "HHHHII", 0x600, 16, 0, 0, 0, 0) + b"".join(cells) + record(10, "")
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    head = struct.pack("<8s16x5H6x9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
                       end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)  # fmt: skip
    sectors = [0xFFFFFFFD, end, *range(3, len(stream) // 512 + 2), end]
    content = head + struct.pack("<128I", *sectors, *[free] * (128 - len(sectors)))
    for name, kind, child, start, size in (("Root Entry", 5, 1, end, 0), ("Workbook", 2, free, 2, len(stream))):
        named = struct.pack("<64sHBB", name.encode("utf-16-le"), 2 * len(name) + 2, kind, 1)
        content += named + struct.pack("<3I16xI16xIQ", free, free, child, 0, start, size)
    path.write_bytes(content + bytes(256) + stream)
    return path


def write_csv(rows, **how):
    file = io.StringIO(newline="")
    csv.writer(file, **how).writerows([[write_cell(cell) for cell in row] for row in rows])
    return file.getvalue().encode()


def write_folder(path, members):
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def find_note(roll, name):
    return roll.mapping.loc[roll.mapping["file_column"] == name, "note"].item()


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_bytes(write_csv([HEADER, *ACCOUNTS]))
    return read(path)


def make_xlsx(folder):
    return write_workbook(folder / "roll.xlsx", {"Notes": NOTES, "Roll": [*NOTES, HEADER, *ACCOUNTS]})


def make_ods(folder):
    return write_open_document(folder / "roll.ods", {"Roll": [HEADER, *ACCOUNTS]})


def make_xls(folder):
    return write_old_excel(folder / "roll.xls", [*NOTES, HEADER, *ACCOUNTS])


def make_text(folder):
    return write_folder(folder, {"roll.txt": write_csv([HEADER, *ACCOUNTS], delimiter="|")}) / "roll.txt"


def make_text_called_xls(folder):
    return write_folder(folder, {"roll.xls": write_csv([HEADER, *ACCOUNTS], delimiter="\t")}) / "roll.xls"


def make_gz(folder):
    path = folder / "roll.csv.gz"
    path.write_bytes(gzip.compress(write_csv([HEADER, *ACCOUNTS])))
    return path


def make_zip(folder):
    junk = {"__MACOSX/._roll.csv": b"\0\5", "readme.txt": b"Hello", "a/notes.pdf": b"%PDF"}
    return write_zip(folder / "roll.zip", {**junk, "a/roll.CSV": write_csv([HEADER, *ACCOUNTS])})


def make_folder(folder):
    roll = gzip.compress(write_csv([HEADER, *ACCOUNTS]))
    return write_folder(
        folder / "roll", {".DS_Store": b"\0", "~$roll.xlsx": b"\0", "notes.txt": b"of May", "1.csv.gz": roll}
    )


def make_folder_of_xlsx(folder):
    return write_folder(folder / "roll", {"roll.xlsx": make_xlsx(folder).read_bytes()})


def make_zipped_xlsx(folder):
    return write_zip(folder / "roll.zip", {"roll.xlsx": make_xlsx(folder).read_bytes()})


@pytest.mark.parametrize(
    "make",
    [
        *(make_xlsx, make_xls, make_ods, make_text, make_text_called_xls, make_gz, make_zip, make_zipped_xlsx),
        *(make_folder, make_folder_of_xlsx),
    ],
)
def test_a_roll_is_the_same_in_any_file(tmp_path, plain, make):
    roll = read(make(tmp_path))
    pd.testing.assert_frame_equal(roll.frame, plain.frame)
    assert roll.rows_in_file == 9
    assert roll.frame["address"].iloc[0] == "1 Quay Street\nOldport"


def test_rows_of_a_workbook_are_those_that_a_spreadsheet_shows(tmp_path):
    rows = [*NOTES, HEADER, *ACCOUNTS]
    rows[7] = [*ACCOUNTS[3][:4], "many", None]
    rows.insert(9, [None])
    roll = read(write_workbook(tmp_path / "roll.xlsx", {"Roll": rows}))
    assert roll.header_row == 4
    assert roll.source_rows.tolist() == [5, 6, 7, 9, 11, 12, 13, 14]
    assert roll.aside[["row", "reason"]].to_numpy().tolist() == [[8, "no number"]]
    assert roll.aside_cells[8][4] == "many"
    assert roll.blank_rows == 1


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("0071", "0071"),
        (12.0, "12"),
        (-0.0, "0"),
        (2.05079e12, "2050790000000"),
        (100023336956.0, "100023336956"),
        (1e22, "10000000000000000000000"),
        (12.340000000000002, "12.34"),
        (0.000015, "0.000015"),
        (True, "TRUE"),
        (stamp(2024, 2, 29), "2024-02-29"),
        (stamp(2024, 2, 29, 8, 5, 1, 99), "2024-02-29 08:05:01"),
        (date(2024, 2, 29), "2024-02-29"),
        (time(8, 5), "08:05:00"),
        (None, ""),
    ],
)
def test_cells_become_the_text_of_a_csv(cell, text):
    assert write_cell(cell) == text


@given(number=st.floats(-1e15, 1e15))
def test_a_number_is_written_without_an_exponent_to_fifteen_digits(number):
    text = write_cell(number)
    assert "e" not in text.lower()
    assert float(text) == pytest.approx(number, rel=1e-14, abs=1e-300)


# --- several sheets or files ---

RELIEFS = [
    ["Property Reference", "Description", "Start Date", "Amount"],
    *[[n, "Small Business Rate Relief", stamp(2020, 1, 1), -50.5] for n in (1, 2, 3, 5)],
    [3, "Mandatory Relief Charity", stamp(2021, 1, 1), -10],
    [3, "Mandatory Relief Charity", stamp(2021, 1, 1), -10],
    [77, "Retail Discount", stamp(2021, 1, 1), -1],
]
EXEMPTIONS = [["Property Reference", "Type", "Start date"], ["009", "Listed building", stamp(2022, 1, 1)]]


def check_joined(roll, accounts, reliefs, exemptions):
    frame = roll.frame.set_index("property_reference")
    assert frame["small_business_relief"].dropna().to_dict() == dict.fromkeys(
        ("001", "002", "003", "005"), "Small Business Rate Relief: £50.50"
    )
    assert frame["mandatory_relief"].dropna().to_dict() == {"003": "Mandatory Relief Charity: £10.00"}
    assert frame["exemption"].dropna().to_dict() == {"009": "Listed building"}
    assert frame["liability_start_date"].dt.day.tolist() == list(range(1, 10))  # and not the reliefs'
    assert frame["description"].isna().all()
    assert roll.rows_in_file == 9
    told = f"6 rows, joined by 'Property Reference' to 4 properties of {accounts!r}; not there: 1 of its 5 references."
    assert find_note(roll, reliefs).startswith("7" + told[1:])
    assert "1 rows, joined by" in find_note(roll, exemptions)


def test_sheets_of_reliefs_and_exemptions_are_joined_by_reference(tmp_path):
    sheets = {"Notes": NOTES, "Exemptions": EXEMPTIONS, "Reliefs": RELIEFS, "All": [*NOTES, HEADER, *ACCOUNTS]}
    roll = read(write_workbook(tmp_path / "roll.xlsx", sheets))
    check_joined(roll, "All", "Reliefs", "Exemptions")
    assert find_note(roll, "Notes") == "No row of it is the header of a roll; it was left out."
    assert roll.source_rows.iloc[0] == 5


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_files_of_reliefs_and_exemptions_in_a_zip_or_folder_are_joined_too(tmp_path, write):
    tables = {"q1-reliefs.csv": RELIEFS, "q1-accounts.csv": [HEADER, *ACCOUNTS], "q1-exemptions.csv": EXEMPTIONS}
    roll = read(write(tmp_path / "roll", {name: write_csv(rows) for name, rows in tables.items()}))
    check_joined(roll, "q1-accounts", "q1-reliefs", "q1-exemptions")


def test_what_a_council_says_of_a_joined_column_holds_however_often_it_comes(tmp_path):
    path = write_workbook(tmp_path / "roll.xlsx", {"All": [HEADER, *ACCOUNTS], "Reliefs": RELIEFS})
    mapping = dict(read(path).stored_mapping)
    assert mapping["Relief Description (2)"] == "relief"
    mapping |= {"Relief Description": "discretionary_relief"}
    del mapping["Relief Description (2)"]
    mapping["Relief Description (3)"] = "relief"  # of a month with three at one property
    roll = read_roll(path, run_date="2026-01-01", mapping=mapping)
    assert (roll.mapping["column"] == "discretionary_relief").sum() == 2
    assert roll.frame["discretionary_relief"].isna().all()  # their words name others
    assert roll.frame["mandatory_relief"].notna().sum() == 1


def test_a_table_of_addresses_fills_in_what_the_accounts_lack(tmp_path):
    rows = [[*row[:2], *row[4:]] for row in [HEADER, *ACCOUNTS]]
    places = [["Property Reference", "Property Address", "Postcode", "Ratepayer"]]
    places += [[row[0], row[2], row[3], "Somebody else"] for row in ACCOUNTS]
    roll = read(write_workbook(tmp_path / "roll.xlsx", {"Accounts": rows, "Where": places}))
    assert roll.frame["address"].str.endswith("Oldport").all()
    assert roll.frame["ratepayer_name"].iloc[3] == "Firm 4 Ltd"
    assert "'Accounts' has these columns as well, and they count: Ratepayer." in find_note(roll, "Where")


def test_sheets_with_the_same_headers_follow_each_other(tmp_path, plain):
    turned = [[row[1], row[0], *row[2:]] for row in [HEADER, *ACCOUNTS[5:]]]
    roll = read(write_workbook(tmp_path / "roll.xlsx", {"A to M": [HEADER, *ACCOUNTS[:5]], "N to Z": turned}))
    pd.testing.assert_frame_equal(roll.frame, plain.frame)
    assert roll.source_rows.tolist() == [2, 3, 4, 5, 6, 12, 13, 14, 15]
    assert find_note(roll, "N to Z").endswith("its 4 rows follow; row 1 of it is counted as row 11.")


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_parts_of_a_roll_with_other_headers_or_fewer_columns_follow_each_other(tmp_path, plain, write):
    other = ["Prop Ref", "Account Holder", "Premises Address", "Post Code", "RV", "Liability Start"]
    short = [row[:5] for row in [HEADER, *ACCOUNTS[7:]]]
    parts = {"a.csv": [HEADER, *ACCOUNTS[:4]], "b.csv": [other, *ACCOUNTS[4:7]], "c.csv": short}
    members = {name: write_csv(rows) for name, rows in parts.items()}
    roll = read(write(tmp_path / "roll", members))
    expected = plain.frame["liability_start_date"].where(plain.frame.index < 7)
    pd.testing.assert_frame_equal(roll.frame, plain.frame.assign(liability_start_date=expected))
    assert find_note(roll, "b").endswith("its 3 rows follow; row 1 of it is counted as row 11.")
    assert find_note(roll, "c").endswith("It lacks Account Start Date.")
    assert not roll.warnings


def test_two_editions_of_a_roll_are_not_one(tmp_path):
    with pytest.raises(SourceError, match="'2023' and '2024' hold the same properties"):
        read(write_workbook(tmp_path / "r.xlsx", {"2023": [HEADER, *ACCOUNTS], "2024": [HEADER, *ACCOUNTS[:8]]}))


def test_a_hidden_sheet_is_left_out_and_said(tmp_path, plain):
    sheets = {"Roll": [HEADER, *ACCOUNTS], "Old": [HEADER, *ACCOUNTS]}
    roll = read(write_workbook(tmp_path / "roll.xlsx", sheets, hidden=["Old"]))
    pd.testing.assert_frame_equal(roll.frame, plain.frame)
    assert roll.warnings == ["Old: Warning: a hidden sheet; it was left out."]


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ([RELIEFS[0], [88, "Retail", None, 1]], "none of the 1 references of 'Beside'.*'Property Reference'.*'Roll'"),
        ([RELIEFS[0], *([1, f"Relief {n}", None, 1] for n in range(13))], "has up to 13 rows at one reference"),
    ],
)
def test_what_cannot_be_joined_is_an_error(tmp_path, beside, told):
    with pytest.raises(SourceError, match=told):
        read(write_workbook(tmp_path / "roll.xlsx", {"Roll": [HEADER, *ACCOUNTS], "Beside": beside}))


def test_a_table_without_a_reference_is_left_out_with_a_warning(tmp_path):
    beside = [["Property Address", "Relief Type", "Mandatory Relief"], ["1 Quay Street", "Small", "Y"]]
    roll = read(write_workbook(tmp_path / "roll.xlsx", {"Roll": [HEADER, *ACCOUNTS], "Beside": beside}))
    assert any(line.startswith("Beside: Warning: it has no reference by which") for line in roll.warnings)


def test_cells_right_of_the_header_put_a_row_aside_unless_most_rows_have_them(tmp_path):
    few = [[*row, *(["slipped"] if n == 4 else [])] for n, row in enumerate([HEADER, *ACCOUNTS])]
    roll = read(write_workbook(tmp_path / "few.xlsx", {"Roll": few}))
    assert roll.aside["reason"].tolist() == ["more cells than the header has"]
    most = [[*row, *(["seen"] if n > 2 else [])] for n, row in enumerate([HEADER, *ACCOUNTS])]
    roll = read(write_workbook(tmp_path / "most.xlsx", {"Roll": most}))
    assert len(roll.frame) == 9
    assert roll.mapping["note"].str.contains("cells without a header").sum() == 1


# --- what cannot be read ---


def spoil_xlsx(folder):
    path = make_xlsx(folder)
    path.write_bytes(path.read_bytes()[:3000])
    return path


def make_old_workbook(folder):
    path = folder / "roll.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    return path


def make_member_with_nul(folder):
    return write_zip(folder / "roll.zip", {"a.csv": write_csv([HEADER, *ACCOUNTS]).replace(b"Firm 3", b"Fir\0m")})


def make_packed_twice(folder):
    return write_folder(folder / "roll", {"a.csv": write_csv([HEADER, *ACCOUNTS]), "b.zip": b"PK"})


def make_empty_folder(folder):
    return write_folder(folder / "roll", {"notes.pdf": b"%PDF"})


def make_empty_zip(folder):
    return write_zip(folder / "roll.zip", {"notes.pdf": b"%PDF"})


def make_letter(folder):
    return write_zip(folder / "roll.docx", {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})


def make_other_workbook(folder):
    return write_workbook(folder / "roll.xlsx", {"Minutes": [["Who", "What"], ["Somebody", "Something"]]})


def make_wide_byte_gzip(folder):
    path = folder / "roll.csv.gz"
    path.write_bytes(gzip.compress(make_xlsx(folder).read_bytes()))
    return path


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (spoil_xlsx, "roll.xlsx: the workbook or zip is damaged"),
        (make_packed_twice, "roll: b.zip in it is packed itself. Unpack it."),
        (make_empty_folder, "roll: there is no CSV and no workbook in it, but notes.pdf."),
        (make_old_workbook, "roll.xls: not a workbook that can be read"),
        (make_member_with_nul, "roll.zip, a.csv: row 6 has a NUL byte"),  # an address runs over two lines
        (make_empty_zip, "there is no CSV and no workbook in it, but notes.pdf"),
        (make_letter, "roll.docx: not a workbook that can be read"),
        (make_other_workbook, r"none of its sheets or files \(Minutes\) has the header of a roll"),
        (make_wide_byte_gzip, "a workbook in a packed file"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_file(tmp_path, make, told):
    with pytest.raises(SourceError, match=told):
        read(make(tmp_path))


def test_a_workbook_without_a_known_header_is_shown_to_be_mapped_and_read_by_the_mapping(tmp_path):
    rows = [["Sheet of"], ["Our Key", "Who", "Where", "Worth"], *[[row[0], row[1], row[2], row[4]] for row in ACCOUNTS]]
    path = write_workbook(tmp_path / "roll.xlsx", {"Roll": rows})
    assert [column.header for column in guess_columns(path)] == rows[1]
    mapping = {"Our Key": "property_reference", "Where": "address", "Worth": "rateable_value_gbp"}
    assert read_roll(path, run_date="2026-01-01", mapping=mapping).frame["rateable_value_gbp"].sum() == 45_000


@given(
    content=st.binary(max_size=60),
    start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
)
def test_no_file_of_junk_is_more_than_an_error_of_ours(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("junk") / "roll.csv"
    path.write_bytes(start + content)
    with pytest.raises(SourceError):
        read(path)
