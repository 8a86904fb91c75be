"""Reading what publishers send: tables as they lie in files, and every way in which they do not."""

import csv
import datetime
import gzip
import io
import json
import struct
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.catalogue import FoundFile, Source
from councilbook.errors import CheckError, SourceError
from councilbook.sources.files.readers import convert_types, read_rows

FIELDS = {"code": {"column": ["LSOA Code"]}, "homes": {"column": ["Number of households", "Households"]}}
HEADER = ["LSOA Code", "Number of households"]
TITLE = ["Table 3: fuel poverty"]


def describe(path, form, personal_data=False, **table):
    """Return a source of one table, found at a path; a field needs no description here."""
    fields = {name: {"description": name, **field} for name, field in (table.pop("fields", None) or FIELDS).items()}
    source = Source(
        id="homes",
        title="Homes",
        description="Homes.",
        publisher="An office",
        steward="An office",
        spectrum="open",
        licence="OGL-UK-3.0",
        personal_data=personal_data,
        landing_page="https://example.org",
        published="2024",
        format=form,
        file=path.name,
        tables={"areas": {**table, "fields": fields}},
    )
    return FoundFile(source, path, "closed folder"), source.table()


@pytest.fixture
def read_xlsx(tmp_path):
    """Return a function that writes rows to a workbook and reads the declared columns."""

    def read(lines, sheet="Table 3", **more):
        path = tmp_path / "homes.xlsx"
        write_workbook(path, lines)
        return read_rows(*describe(path, "xlsx", sheet=sheet, **more))

    return read


def write_workbook(path, rows):
    workbook = openpyxl.Workbook()
    workbook.active.title = "Notes"
    sheet = workbook.create_sheet("Table 3")
    for row in rows:
        sheet.append(row)
    workbook.save(path)


@pytest.fixture
def read_text(tmp_path):
    """Return a function that writes a text (or bytes) and reads the declared columns."""

    def read(content, form="csv", **more):
        path = tmp_path / f"homes.{form}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_rows(*describe(path, form, **more))

    return read


@pytest.fixture
def read_column(tmp_path):
    """Return a function that types one column of cells; its first cell is in row 2."""

    def read(cells, personal_data=False, **field):
        path = tmp_path / "homes.csv"
        write_csv(path, [["value"], *([cell] for cell in cells)])
        found, table = describe(path, "csv", personal_data, fields={"value": field})
        return convert_types(read_rows(found, table), table, found)["value"]

    return read


def write_csv(path, rows, **form):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, **form).writerows(rows)


def as_rows(frame):
    return {row: tuple(cells) for row, cells in zip(frame.index, frame.itertuples(index=False), strict=True)}


# --- tables as they lie ---


def test_workbook_rows_keep_the_numbers_that_the_spreadsheet_shows(read_xlsx):
    rows = [TITLE, [], HEADER, ["E01000001", 10], [], ["E01000002", 20.5], [], ["Source: the office"]]
    frame = read_xlsx(rows, header_row=3, rows={"code": r"E01\d{6}"})
    assert as_rows(frame) == {4: ("E01000001", 10), 6: ("E01000002", 20.5)}
    assert list(frame.columns) == ["code", "homes"]


def test_columns_come_in_declared_order_and_others_are_left(read_xlsx):
    frame = read_xlsx([["Rank", "Households", "LSOA Code"], [1, 10, "E01000001"]])
    assert as_rows(frame) == {2: ("E01000001", 10)}


def test_csv_rows_are_numbered_by_the_line_they_begin_on(read_text):
    content = 'LSOA Code,Number of households\r\n"E01\r\n1",10\r\n\r\nE012,20\r\n\r\n'
    assert as_rows(read_text(content)) == {2: ("E01\r\n1", "10"), 5: ("E012", "20")}


def test_csv_may_have_a_title_another_delimiter_and_a_byte_order_mark(read_text):
    content = "\ufeffA title\n\nLSOA Code;Number of households\nE01;1,5\n"
    assert as_rows(read_text(content, header_row=3, delimiter=";")) == {4: ("E01", "1,5")}
    assert as_rows(read_text("\ufeffLSOA Code,Households\nE01,1\n")) == {2: ("E01", "1")}


PLAIN = "LSOA Code,Households\nE01,10\nE02,20\n"


def make_zip(*names, content=PLAIN, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(PLAIN.encode()),
        gzip.compress(PLAIN[:10].encode()) + gzip.compress(PLAIN[10:].encode()),  # in parts, as bgzip writes it
        make_zip("readme.txt", "data/homes.csv"),
    ],
    ids=["gzip", "gzip in parts", "zip"],
)
def test_packed_csv_is_unpacked(read_text, packed):
    assert as_rows(read_text(packed, member="homes.csv")) == {2: ("E01", "10"), 3: ("E02", "20")}


def make_geojson(*properties, crs=None):
    square = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1.00000004], [1, 0], [0, 0]]]}
    features = [{"type": "Feature", "properties": values, "geometry": square} for values in properties]
    more = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return json.dumps({"type": "FeatureCollection", "features": features, **more})


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())], ids=["plain", "gzip"])
def test_geojson_is_read_with_its_outlines_in_wgs84(read_text, pack):
    content = make_geojson({"LSOA Code": "E01", "Households": 10}, {"LSOA Code": "W01", "Households": 20})
    frame = read_text(pack(content), "geojson", geometry=True, rows={"code": "E01.*"})
    assert as_rows(frame.drop(columns="geometry")) == {1: ("E01", 10)}
    assert frame.crs == 4326
    assert frame.geometry.iloc[0].bounds == (0, 0, 1, 1)  # on the common grid


def test_geojson_in_metres_is_brought_to_wgs84(read_text):
    content = make_geojson({"LSOA Code": "E01", "Households": 10}, crs="urn:ogc:def:crs:EPSG::27700")
    frame = read_text(content, "geojson", geometry=True)
    assert frame.geometry.iloc[0].bounds == pytest.approx((-7.557, 49.767, -7.557, 49.767), abs=1e-3)


@pytest.mark.parametrize(
    ("code", "homes"),
    [
        ("LSOA Code", "Number of households1"),
        ("LSOA Code [Note 4]", "NUMBER OF HOUSEHOLDS 	[notes 1, 2]"),
        ("lsoa  code", "Households [note 1] [note 2]"),
        ("LSOA\nCode", " Number of\r\nhouseholds "),
    ],
)
def test_header_is_known_with_footnotes_breaks_and_other_case(read_xlsx, code, homes):
    assert as_rows(read_xlsx([[code, homes], ["E01", 10]])) == {2: ("E01", 10)}


def test_exact_header_goes_before_one_with_a_footnote_digit(read_text):
    fields = {"code": {"column": "lsoa"}, "other": {"column": "lsoa1"}}
    assert as_rows(read_text("lsoa1,lsoa\na,b\n", fields=fields)) == {2: ("b", "a")}


def test_rows_are_told_from_footers_whatever_space_is_around_a_code(read_text):
    frame = read_text("LSOA Code,Households\n E01 ,10\nTotal,20\n,\n", rows={"code": r"E\d+"})
    assert list(frame.index) == [2]


# --- tables that are not as the catalogue says ---


def expect_error(read, *args, says, **more):
    """Read what cannot be read, and see that the message has each part and where it is about."""
    with pytest.raises(SourceError) as caught:
        read(*args, **more)
    message = str(caught.value)
    assert message.startswith("Source homes, file homes.")
    assert [part for part in says if part not in message] == []
    return message


def test_missing_column_is_named_with_what_the_header_holds(read_xlsx):
    rows = [["LSOA Code", "Dwellings"], ["E01", 10]]
    says = ["sheet 'Table 3', row 1", "homes ('Number of households' or 'Households')", "'LSOA Code', 'Dwellings'"]
    expect_error(read_xlsx, rows, says=says)


def test_missing_column_of_personal_data_shows_no_cell(read_text):
    message = expect_error(
        read_text, "Ann Smith,10\nBob Jones,20\n", says=["row 1", "for code ('LSOA Code')"], personal_data=True
    )
    assert "Ann" not in message


def test_column_that_is_there_twice_is_an_error(read_text):
    expect_error(read_text, "LSOA Code,Households,Households\nE01,1,2\n", says=["or more than one, for homes"])


@pytest.mark.parametrize("moved_to", [1, 4])
def test_header_row_that_moved_is_found_and_what_to_set(read_xlsx, moved_to):
    rows = [TITLE] * (moved_to - 1) + [HEADER, ["E01", 10]]
    says = ["expected the header in row 3, but it is in row ", f"set `header_row: {moved_to}` for homes"]
    expect_error(read_xlsx, rows, says=says, header_row=3)


@pytest.mark.parametrize("header_row", [1, 2, 9])
def test_header_row_that_moved_is_found_in_a_csv(read_text, header_row):
    content = "A title\n\nLSOA Code,Households\nE01,10\n"  # the title has fewer cells than the rows
    expect_error(read_text, content, says=["set `header_row: 3`"], header_row=header_row)


def test_file_that_ends_before_its_header_is_an_error(read_text, read_xlsx):
    expect_error(read_text, "nothing\n", says=["no row 3, where the header should be; the last is row 1"], header_row=3)
    expect_error(read_xlsx, [], says=["the last is row 0"])
    expect_error(read_text, "", says=["the last is row 0"])


def test_wrong_sheet_is_an_error_that_names_those_there_are(read_xlsx):
    expect_error(read_xlsx, [HEADER], says=["'Table 2'", "The workbook has Notes, Table 3"], sheet="Table 2")


def test_table_without_rows_is_an_error(read_xlsx):
    expect_error(read_xlsx, [HEADER], says=["no row of data below the header"])
    expect_error(read_xlsx, [HEADER, ["Total", 1]], says=["'code': 'E01"], rows={"code": r"E01\d{6}"})


def test_row_with_more_cells_than_the_header_is_named(read_text):
    content = "LSOA Code,Households\nE01,10\nE02,1,234\nE03,5,\n"  # an empty cell more does no harm
    expect_error(read_text, content, says=["1 rows have more cells", "row 1 has names, 2 (row 3)", "unquoted"])


def test_row_with_fewer_cells_has_missing_ones(read_text):
    frame = read_text("LSOA Code,Households\nE01\n")
    assert frame["homes"].isna().all()


@pytest.mark.parametrize("content", ['LSOA Code,Households\nE01,"10\n', 'LSOA Code,Households\nE01,"1"0\n'])
def test_quote_that_does_not_end_is_named_with_its_row(read_text, content):
    expect_error(read_text, content, says=["row 2 is not CSV"])


# --- files that are not what they should be ---


def test_file_in_another_encoding_is_named_with_its_row(read_text):
    content = "LSOA Code,Households\nE01,10\nCaf\u00e9,20\n".encode("cp1252")
    expect_error(read_text, content, says=["row 3 is not utf-8-sig", "cp1252"])
    assert read_text(content, encoding="cp1252")["code"].tolist() == ["E01", "Caf\u00e9"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_refused_by_name(read_text, encoding):
    content = PLAIN if encoding == "utf-16" else f"\ufeff{PLAIN}"
    expect_error(read_text, content.encode(encoding), says=["UTF-16", "expected utf-8-sig"])


def test_html_page_is_no_table(read_text):
    page = "<!DOCTYPE html>\n<title>404, not found</title>\n"
    expect_error(read_text, page, says=["no column"])
    expect_error(read_text, page, "xlsx", sheet="Table 3", says=["not a workbook that can be read"])
    expect_error(read_text, page, "geojson", geometry=True, says=["not GeoJSON"])


@pytest.mark.parametrize(
    "content", ['{"error": {"code": 400}}', '{"type": "FeatureCollection", "features": [{"type": "Fea']
)
def test_geojson_that_is_none_is_an_error(read_text, content):
    expect_error(read_text, content, "geojson", geometry=True, says=["not GeoJSON that can be read"])


def test_geojson_without_features_is_an_error(read_text):
    expect_error(read_text, make_geojson(), "geojson", geometry=True, says=["no column"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(PLAIN.encode())[:-9], "cut off"),
        (gzip.compress(PLAIN.encode())[:20] + b"\0" * 40, "damaged"),
        (gzip.compress(PLAIN.encode())[:-8] + b"\0" * 8, "damaged"),  # checksum
        (make_zip("homes.csv")[:-30], "is damaged, or was cut off"),
        (
            make_zip("homes.csv", compression=zipfile.ZIP_STORED).replace(b"E01,10", b"E01,99"),
            "is damaged, or was cut off",
        ),
        (make_zip("other.csv"), "expected one file 'homes.csv' in it (`member` in the catalogue), found other.csv"),
        (make_zip("a/homes.csv", "b/homes.csv"), "found a/homes.csv, b/homes.csv"),
    ],
    ids=["gzip cut", "gzip damaged", "gzip checksum", "zip cut", "zip damaged", "no member", "two members"],
)
def test_packed_file_that_is_damaged_is_an_error(read_text, content, says):
    expect_error(read_text, content, says=[says], member="homes.csv")


def test_zip_with_a_password_is_an_error(read_text):
    content = bytearray(make_zip("homes.csv"))
    content[6] |= 1  # the flags of the file, here and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    expect_error(read_text, bytes(content), says=["cannot be unpacked", "encrypted"], member="homes.csv")


def rewrite_sheet(path, change):
    """Change the XML of a workbook's sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name.endswith("sheet2.xml") else content)


@pytest.mark.parametrize("damage", ["cut", "broken", "no workbook"])
def test_workbook_that_is_damaged_is_an_error(tmp_path, damage):
    path = tmp_path / "homes.xlsx"
    write_workbook(path, [HEADER, ["E01", 10]])
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "broken":
        rewrite_sheet(path, lambda xml: xml[: xml.rindex(b"E01")])
    else:
        path.write_bytes(make_zip("readme.txt"))
    expect_error(read_rows, *describe(path, "xlsx", sheet="Table 3"), says=["not a workbook that can be read"])


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_RATIO"])
@pytest.mark.parametrize("pack", ["xlsx", "zip", "gzip"])
def test_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, limit, pack):
    size = 60 * 2**20 if limit == "MOST_RATIO" else 2**21
    if limit == "MOST_BYTES":
        monkeypatch.setattr("councilbook.sources.files.packed.MOST_BYTES", 2**20)
    path = tmp_path / ("homes.xlsx" if pack == "xlsx" else "homes.csv")
    if pack == "xlsx":
        write_workbook(path, [HEADER])
        rewrite_sheet(path, lambda xml: xml + b" " * size)
    elif pack == "zip":
        path.write_bytes(make_zip("homes.csv", content=" " * size))
    else:
        path.write_bytes(gzip.compress(b" " * size, 1 if limit == "MOST_BYTES" else 9))
    found, table = describe(path, path.suffix[1:], sheet="Table 3", member="homes.csv")
    expect_error(read_rows, found, table, says=["it may be a zip bomb"])


def test_workbook_that_lies_about_its_size_is_refused(tmp_path):
    path = tmp_path / "homes.xlsx"
    write_workbook(path, [HEADER, ["E01", 10]])
    padding = b" " * 2**20
    rewrite_sheet(path, lambda xml: xml.replace(b"</sheetData>", padding + b"</sheetData>"))
    with zipfile.ZipFile(path) as archive:
        true_size = max(member.file_size for member in archive.infolist())
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", true_size), struct.pack("<I", 500)))
    expect_error(read_rows, *describe(path, "xlsx", sheet="Table 3"), says=["not a workbook that can be read"])


def test_workbook_with_a_cell_far_off_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "homes.xlsx"
    write_workbook(path, [HEADER, ["E01", 10]])
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    rewrite_sheet(path, lambda xml: xml.replace(b"</sheetData>", far + b"</sheetData>"))
    says = ["spans 1,048,576 rows and 16,384 columns", "stray cell"]
    expect_error(read_rows, *describe(path, "xlsx", sheet="Table 3"), says=says)


# --- types ---


def test_integers_lose_their_thousands_commas(read_column):
    assert read_column(["1,234", "12", "-1,234,567", " 5 "], type="integer").tolist() == [1234, 12, -1234567, 5]


@pytest.mark.parametrize("cell", ["12,5", "1,23,456", "0,123", "12.5", "many", "inf", "1 000", "9" * 30, "1\u00bd"])
def test_text_in_an_integer_column_is_named_with_its_row(read_column, cell):
    with pytest.raises(SourceError, match=r"1 cells of value are no integer.*\(row 3\)") as caught:
        read_column(["10", cell], type="integer")
    assert repr(cell) in str(caught.value)


def test_personal_data_is_never_shown(read_column):
    with pytest.raises(SourceError, match=r"no integer \(row 3\)") as caught:
        read_column(["10", "Ann Smith"], personal_data=True, type="integer")
    assert "Ann" not in str(caught.value)


def test_no_more_than_three_bad_cells_are_shown(read_column):
    with pytest.raises(SourceError, match=r"5 cells .* as 'a', 'b', 'c' \(row 2, 3, 4\)"):
        read_column("abcde", type="number")


def test_declared_marks_and_blanks_are_missing(read_column):
    values = read_column(["10", "-", "", " - "], type="integer", missing=["-"])
    assert values.dtype == "Int64"
    assert values.isna().tolist() == [False, True, True]  # the blank line is no row
    assert read_column(["x", "-"], missing=["-"]).isna().tolist() == [False, True]


def test_mark_that_is_not_declared_is_an_error(read_column):
    with pytest.raises(SourceError, match="Declare such marks as `missing`"):
        read_column(["10", "-"], type="number")


def test_scale_multiplies_and_a_scaled_integer_stays_whole(read_column):
    assert read_column(["0.25"], type="number", scale=100).tolist() == [25]
    assert read_column(["16.1", "0.57"], type="integer", scale=1000).tolist() == [16100, 570]
    with pytest.raises(SourceError, match="no integer"):
        read_column(["0.0005"], type="integer", scale=1000)


def test_booleans_in_the_usual_words(read_column):
    values = read_column(["Yes", "no", "TRUE", "0", "Y", "-"], type="boolean", missing=["-"])
    assert values.tolist()[:5] == [True, False, True, False, True]
    assert pd.isna(values.iloc[5])
    with pytest.raises(SourceError, match="no boolean"):
        read_column(["perhaps"], type="boolean")


def test_date_is_the_day_as_written(read_column):
    cells = ["2020-07-01", "2020-07-01 23:30:00", "2020-07-01T00:15:00+01:00", "2020-07-01T00:00:00Z"]
    assert read_column(cells, type="date").tolist() == [pd.Timestamp(2020, 7, 1)] * 4


@pytest.mark.parametrize("cell", ["01/07/2020", "2020-13-01", "2020", "July 2020", "44013"])
def test_what_is_no_iso_date_is_an_error(read_column, cell):
    with pytest.raises(SourceError, match="no date"):
        read_column([cell], type="date")


def test_spreadsheet_cells_are_written_as_people_do(read_xlsx, tmp_path):
    header = ["code", "homes", "is_open", "day", "note"]
    rows = [header, [101, 12.0, True, datetime.datetime(2020, 7, 1), 0.5], [102, None, False, None, "x "]]  # noqa: DTZ001
    fields = {
        "code": {},
        "homes": {"type": "integer"},
        "is_open": {"type": "boolean"},
        "day": {"type": "date"},
        "note": {},
    }
    path = tmp_path / "homes.xlsx"
    write_workbook(path, rows)
    found, table = describe(path, "xlsx", sheet="Table 3", fields=fields)
    typed = convert_types(read_rows(found, table), table, found)
    assert as_rows(typed.drop(index=3)) == {2: ("101", 12, True, pd.Timestamp(2020, 7, 1), "0.5")}
    assert typed.loc[3].isna().tolist() == [False, True, False, True, False]
    assert typed.loc[3, "note"] == "x"


def test_whole_codes_in_geojson_stay_whole_beside_missing_ones(tmp_path):
    path = tmp_path / "homes.geojson"
    path.write_text(make_geojson({"LSOA Code": 101, "Households": 10}, {"LSOA Code": None, "Households": None}))
    found, table = describe(path, "geojson", geometry=True)
    typed = convert_types(read_rows(found, table), table, found)
    assert typed["code"].dropna().tolist() == ["101"]


# --- properties ---

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
# a blank row is no data, so each has a code
TABLES = st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@settings(deadline=None)
@given(
    table=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_any_table_written_as_csv_comes_back_the_same(folder, table, delimiter, quoting):
    path = folder / "homes.csv"
    write_csv(path, [HEADER, *table], delimiter=delimiter, quoting=quoting)
    frame = read_rows(*describe(path, "csv", delimiter=delimiter))
    assert list(frame.itertuples(index=False, name=None)) == table


@settings(deadline=None)
@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=20), st.sampled_from(["{}", "{:,}", " {:,}"]))
def test_integers_come_back_with_or_without_separators(folder, numbers, form):
    path = folder / "homes.csv"
    write_csv(path, [["value"], *([form.format(number)] for number in numbers)])
    found, table = describe(path, "csv", fields={"value": {"type": "integer"}})
    assert convert_types(read_rows(found, table), table, found)["value"].tolist() == numbers


# --- large files, and pseudonyms ---


def write_homes(path, rows, ending="\n", header="LSOA Code,Number of households"):
    path.write_text(ending.join([header, *rows, ""]), encoding="utf-8", newline="")
    return describe(path, "csv", fields=FIELDS | {"open": {"type": "boolean"}, "note": {}})


LARGE_HEADER = "LSOA Code,Number of households,open,note"


@pytest.mark.parametrize(
    ("rows", "is_plain"),
    [
        (["E1,10,yes,a", 'E2,"1,200",no,"b ""c"" d"', "E3,,,"], True),
        (["E1,10,yes,a", "", "E3, 7 ,TRUE, x "], True),
        (["E1,10,yes,'a'", 'E2,8,no,"two\nlines"', "E3,7,no,b"], False),
        (["E1,10,yes,a", "E2,8,no", "E3,7,no,b"], False),  # a short row
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_large_csv_is_read_as_a_small_one_is(tmp_path, monkeypatch, rows, is_plain, ending):
    found, table = write_homes(tmp_path / "homes.csv", rows, ending, LARGE_HEADER)
    table = table.model_copy(
        update={"fields": {**table.fields, "homes": table.fields["homes"].model_copy(update={"type": "number"})}}
    )
    small = read_rows(found, table)
    monkeypatch.setattr("councilbook.sources.files.readers.LARGE_CSV", 1)
    large = read_rows(found, table)
    assert (large.dtypes == "str").all() == is_plain
    pd.testing.assert_frame_equal(
        convert_types(small, table, found), convert_types(large, table, found), check_dtype=False
    )
    assert list(large.index) == list(small.index)


def test_a_cell_of_a_large_csv_that_is_no_number_is_named_by_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr("councilbook.sources.files.readers.LARGE_CSV", 1)
    found, table = write_homes(tmp_path / "homes.csv", ["E1,10,yes,a", "E2,ten,no,b"], header=LARGE_HEADER)
    fields = {**table.fields, "homes": table.fields["homes"].model_copy(update={"type": "integer"})}
    table = table.model_copy(update={"fields": fields})
    with pytest.raises(SourceError, match=r"1 cells of homes are no integer, as 'ten' \(row 3\)"):
        convert_types(read_rows(found, table), table, found)


@pytest.mark.parametrize("large", [1, 2**21])
def test_a_pseudonymised_file_with_a_name_in_it_is_refused_though_nobody_reads_that_column(
    tmp_path, monkeypatch, large
):
    monkeypatch.setattr("councilbook.sources.files.readers.LARGE_CSV", large)
    path = tmp_path / "homes.csv"
    path.write_text("LSOA Code,Households,remark\nE1,3,none\nE2,4,Mary Hartley\n", encoding="utf-8")
    found, table = describe(path, "csv", personal_data=True)
    assert len(read_rows(found, table)) == 2
    source = found.source.model_copy(update={"pseudonymised": True, "spectrum": "closed"})
    with pytest.raises(CheckError, match=r"remark has what looks like a name in 1 rows \(row 3\)") as error:
        read_rows(FoundFile(source, path, "closed folder"), table)
    assert "Hartley" not in str(error.value)


def test_a_pseudonymised_file_that_has_lost_its_header_shows_none_of_its_first_record(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text("E1,3,12 Station Street\nE2,4,none\n", encoding="utf-8")
    found, table = describe(path, "csv", personal_data=True)
    source = found.source.model_copy(update={"pseudonymised": True, "spectrum": "closed"})
    with pytest.raises(SourceError) as error:
        read_rows(FoundFile(source, path, "closed folder"), table)
    assert "Station" not in str(error.value)


# --- XML ---

PREMISES = """<?xml version="1.0"?><Ratings><Header><Count>2</Count></Header>
<Place><Name>A &amp; B</Name><Code/><Geocode><Latitude>55.9</Latitude></Geocode></Place>
<Place><Name>C</Name><Code>7</Code></Place></Ratings>"""
OF_PREMISES = {
    "name": {"column": "Name"},
    "code": {"column": "Code"},
    "latitude": {"column": "Geocode/Latitude", "type": "number"},
}


def test_records_of_an_xml_file_are_rows_and_what_lies_deeper_is_named_by_its_path(read_text):
    rows = read_text(PREMISES, "xml", record="Place", fields=OF_PREMISES)
    assert list(rows.index) == [1, 2]
    assert list(rows["name"]) == ["A & B", "C"]
    assert rows["latitude"].iloc[0] == "55.9"
    assert rows["latitude"].isna().iloc[1]


def test_an_element_that_no_record_has_is_blank_if_it_may_be_and_refused_if_it_may_not(read_text):
    fields = {**OF_PREMISES, "street": {"column": "Street", "required": False}}
    assert read_text(PREMISES, "xml", record="Place", fields=fields)["street"].isna().all()
    fields["street"]["required"] = True
    with pytest.raises(SourceError, match=r"no column, or more than one, for street \('Street'\)"):
        read_text(PREMISES, "xml", record="Place", fields=fields)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PREMISES[:-10], "not XML that can be read"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><Ratings><Place>&b;</Place></Ratings>', "not XML that can be read"),
        ("<Ratings><Shop/></Ratings>", "no element Place"),
    ],
)
def test_xml_that_is_cut_off_expands_itself_or_has_no_rows_is_refused(read_text, content, message):
    with pytest.raises(SourceError, match=message):
        read_text(content, "xml", record="Place", fields=OF_PREMISES)
