"""Reading a source's file: a table of raw cells first, then typed columns.

Publishers move header rows, add footnote marks to column names, put notes below the data, and mark missing
values in many ways. The catalogue says how a table lies in its file; what is not so there is an error that
names file, sheet and row. The index of every table is the row in its file, so that later checks can name it.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as arrow_compute
import pyarrow.csv as arrow_csv
import python_calamine
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from councilbook.catalogue import FieldSpec, FoundFile, Table
from councilbook.errors import SourceError
from councilbook.sources.files.large_tables import read_large_csv
from councilbook.sources.files.outlines import read_outlines
from councilbook.sources.files.packed import check_workbook, decode_as_saved, unpack
from councilbook.sources.files.streams import Keep, stream_rows
from councilbook.sources.identifiers import check_pseudonymised

LARGE_CSV = 2**21  # letters, from which a CSV is read by pyarrow: some ten times faster, and a third of the memory
ROWS_SEARCHED_FOR_HEADER = 40
DELIMITERS = ";\t|"  # that stand in a council's own file in place of the declared one
SHOWN = 3  # examples in a message
EXPECTED = {"date": "Expected a day as 2026-03-31. "}  # by type, what its name does not say


def read_rows(found: FoundFile, table: Table, keep: Keep | None = None) -> pd.DataFrame:
    """Read a table's declared columns, under our names, cells as they are in the file.

    Returns:
        A row a row of data; blank rows, footers and other rows that `table.rows` does not match are left out. The
        index is the row in the file, counted from 1. A GeoDataFrame in WGS84 where the table has geometry. What was
        repaired or set aside is said in its `attrs["notes"]`.

    Raises:
        SourceError: the file cannot be read as the catalogue says.
        CheckError: the source is declared as pseudonymised, and people can be read in it.
    """
    where = describe_place(found, table)
    if table.stream:
        return _stream(found, table, where, keep)
    if table.geometry:
        areas, notes = read_outlines(unpack(found.path, table.member, where), where)
        frame = _name_columns(areas, table, where, found)
        frame.attrs["notes"] = notes
    elif found.source.format == "xml":
        frame = _name_columns(_read_xml(found, table, where), table, where, found)
    else:
        body = read_body(found, table)
        frame = _name_columns(body, table, where, found)
        if found.source.pseudonymised:  # now the header is known to be one, and may be shown
            check_pseudonymised(body, where)
    return keep_rows(frame, table, where)


def read_body(found: FoundFile, table: Table) -> pd.DataFrame:
    """Read all columns of a CSV or a sheet below its header row, under the headers of the file.

    Raises:
        SourceError: see `read_rows`.
    """
    where = describe_place(found, table)
    if found.source.format == "xlsx":
        check_workbook(found.path, where)
        cells = _read_sheet(found, table, where)
    else:
        cells = _read_csv(found, table, where)
    return _take_header(cells, table, where, found)


def keep_rows(frame: pd.DataFrame, table: Table, where: str) -> pd.DataFrame:
    """Leave out blank rows, and those that `table.rows` does not match.

    Raises:
        SourceError: no row is left.
    """
    if not table.geometry and not table.record:
        frame = frame[~frame.isin(["", None]).all(axis="columns")]
    for column, pattern in table.rows.items():
        frame = frame[write_cells(frame[column]).str.fullmatch(pattern)]
    if frame.empty:
        raise SourceError(f"{where}: no row of data below the header (looked for {table.rows or 'any row'}).")
    return frame


def _stream(found: FoundFile, table: Table, where: str, keep: Keep | None) -> pd.DataFrame:
    """Read a table piece by piece, typed; see `stream_rows`."""

    def choose(header: list[str]) -> dict[str, int]:
        _name_columns(pd.DataFrame(columns=header, dtype="str"), table, where, found)  # says which is missing
        return _match_headers(header, table)[0]

    def check(piece: pd.DataFrame) -> tuple[pd.DataFrame, "pd.Series[str]"]:
        typed, fault = {}, pd.Series("", index=piece.index)
        for name, one in table.fields.items():
            typed[name], bad = _convert(piece[name], one)
            fault = fault.mask(bad, f"no {one.type} as {name}")
            if one.required:
                fault = fault.mask(typed[name].isna() & ~bad, f"no {name}")
            if one.pattern:
                wrong = ~typed[name].str.fullmatch(one.pattern).fillna(True).astype(bool)
                fault = fault.mask(wrong, f"{name} of another form")
        return pd.DataFrame(typed, index=piece.index), fault

    return stream_rows(found.path, table, where, choose, check, keep)


def convert_types(rows: pd.DataFrame, table: Table, found: FoundFile) -> pd.DataFrame:
    """Turn raw cells into the types that the fields declare; missing marks become missing values.

    Raises:
        SourceError: a cell is not of its column's type; the message names rows, and shows no cell of what is not open.
    """
    typed = rows.copy()
    for name, field in table.fields.items():
        values, bad = _convert(rows[name], field)
        if bad.any():
            shown = f", as {_join(map(repr, rows.loc[bad, name].iloc[:SHOWN]))}" if found.source.shows_values else ""
            own = f"Say under `codes` in {found.source.mapping_name} in the closed folder what they stand for"
            way = own if found.has_own_columns else "Declare such marks as `missing`"
            raise SourceError(
                f"{describe_place(found, table)}: {int(bad.sum())} cells of {name} are no {field.type}{shown} "
                f"(row {_join(rows.index[bad][:SHOWN])}). {EXPECTED.get(field.type, '')}{way}, or mend the file."
            )
        typed[name] = values
    return typed


def describe_place(found: FoundFile, table: Table) -> str:
    """Say which source, file and sheet a message is about."""
    sheet = f", sheet {table.sheet!r}" if table.sheet else ""
    return f"Source {found.source.id}, file {found.path.name}{sheet}"


# --- cells -------------------------------------------------------------------------------------------------


def _read_sheet(found: FoundFile, table: Table, where: str) -> pd.DataFrame:
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(found.path)
        if table.sheet is None and len(workbook.sheet_names) == 1:
            table = table.model_copy(update={"sheet": workbook.sheet_names[0]})
        if table.sheet not in workbook.sheet_names:
            raise SourceError(f"{where}: there is no such sheet. The workbook has {_join(workbook.sheet_names)}.")
        cells = workbook.get_sheet_by_name(table.sheet).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError) as error:
        raise SourceError(f"{where}: not a workbook that can be read ({error}).") from None
    return pd.DataFrame(cells, index=range(1, len(cells) + 1), dtype=object)


def _read_csv(found: FoundFile, table: Table, where: str) -> pd.DataFrame:
    """Read a CSV's records, each numbered by the line that it begins on."""
    if table.large:
        large = read_large_csv(found.path, table, lambda header: _match_headers(header, table)[0], where)
        if large is not None:
            return large
    content, delimiter = unpack(found.path, table.member, where), table.delimiter
    if found.has_own_columns:  # nobody could declare how a council saves its own file
        text = decode_as_saved(content)
        head = "".join(text.splitlines()[table.header_row - 1 : table.header_row])
        delimiter = max((delimiter, *DELIMITERS), key=head.count)
    else:
        text = _decode(content, table.encoding, where)
    if len(text) >= LARGE_CSV and (plain := _read_plain_csv(text, delimiter)) is not None:
        return plain
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: dict[int, list[str]] = {}
    begin = 1
    try:
        for record in reader:
            records[begin] = record
            begin = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{where}: row {begin} is not CSV that can be read ({error}).") from None
    header = records.get(table.header_row, [])
    long = [row for row, record in records.items() if row > table.header_row and any(record[len(header) :])]
    if long and (found.has_own_columns or not _match_headers(header, table)[1]):
        raise SourceError(
            f"{where}: {len(long)} rows have more cells than the header in row {table.header_row} has names, "
            f"{len(header)} (row {_join(long[:SHOWN])}). A delimiter may stand unquoted in a text."
        )
    width = max(map(len, records.values()), default=0)
    cells = [[*record, *[None] * (width - len(record))] for record in records.values()]
    return pd.DataFrame(cells, index=list(records), dtype=object)


def _read_plain_csv(text: str, delimiter: str) -> pd.DataFrame | None:
    """Read a CSV in which each line is a record of as many cells; None if it is another, or at fault."""
    content = text.encode()
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    try:
        schema = arrow_csv.open_csv(
            pa.BufferReader(content[: content.find(b"\n") + 1]),
            read_options=arrow_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter),
        ).schema
        cells = arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(schema.names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    if cells.num_rows != lines:
        return None
    frame: pd.DataFrame = cells.to_pandas()
    return frame.set_axis(range(1, lines + 1))


def _read_xml(found: FoundFile, table: Table, where: str) -> pd.DataFrame:
    """Read an XML file's records, numbered as they come; a column is an element, one in another `Outer/Inner`.

    A file leaves out an element that is blank in a record, so one that may be blank and that no record has is blank.
    """
    records = []
    try:
        for _, element in iterparse(io.BytesIO(unpack(found.path, table.member, where))):
            if element.tag == table.record:
                records.append(dict(_list_texts(element)))
                element.clear()
    except (ParseError, DefusedXmlException) as error:
        raise SourceError(f"{where}: not XML that can be read ({error}).") from None
    if not records:
        raise SourceError(f"{where}: it has no element {table.record}, which should be its rows.")
    frame = pd.DataFrame(records, index=range(1, len(records) + 1), dtype=object)
    optional = {name: accepted_headers(name, table) for name, spec in table.fields.items() if not spec.required}
    return frame.assign(**{one[0]: None for one in optional.values() if not set(one) & set(frame)})


def _list_texts(element: Any, outer: str = "") -> Iterator[tuple[str, str | None]]:
    for child in element:
        yield outer + child.tag, child.text
        yield from _list_texts(child, f"{outer}{child.tag}/")


def _decode(content: bytes, encoding: str, where: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError(f"{where}: encoded in UTF-16; expected {encoding}. Save it as CSV UTF-8.")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"{where}: row {row} is not {encoding} (byte {error.start:,}). Declare the `encoding` that it has "
            "(older council files are often cp1252), or save it as CSV UTF-8."
        ) from None


# --- headers -----------------------------------------------------------------------------------------------


def _take_header(cells: pd.DataFrame, table: Table, where: str, found: FoundFile) -> pd.DataFrame:
    """Make the declared header row the column names, or say where the header seems to be now."""
    header = list(cells.loc[table.header_row]) if table.header_row in cells.index else []
    if _match_headers(header, table)[1]:
        for row in cells.index[:ROWS_SEARCHED_FOR_HEADER]:
            if not _match_headers(list(cells.loc[row]), table)[1]:
                raise SourceError(
                    f"{where}: expected the header in row {table.header_row}, but it is in row {row}. If the publisher "
                    f"has moved it, set `header_row: {row}` for {found.source.id} in the catalogue."
                )
    if not header:
        last = cells.index[-1] if len(cells) else 0
        raise SourceError(f"{where}: no row {table.header_row}, where the header should be; the last is row {last}.")
    return cells.loc[table.header_row + 1 :].set_axis(header, axis="columns")


def _name_columns(frame: pd.DataFrame, table: Table, where: str, found: FoundFile) -> pd.DataFrame:
    columns, missing = _match_headers(list(frame.columns), table)
    if missing:
        wanted = "; ".join(
            f"{name} ({' or '.join(repr(h) for h in accepted_headers(name, table))})" for name in missing
        )
        # Where the header is missing altogether, the row in its place is a record.
        held = f" The header holds {_join(map(repr, frame.columns))}." if found.source.shows_values else ""
        row = "" if table.geometry else f", row {table.header_row}"
        raise SourceError(f"{where}{row}: no column, or more than one, for {wanted}.{held}")
    chosen = frame.iloc[:, list(columns.values())].set_axis(list(columns), axis="columns")
    chosen = chosen.assign(**dict.fromkeys(set(table.fields) - set(columns), ""))
    return gpd.GeoDataFrame(chosen, geometry=frame.geometry) if table.geometry else chosen


def _match_headers(headers: Sequence[Any], table: Table) -> tuple[dict[str, int], list[str]]:
    """Find each field's column: by its exact header, or else by the header less its footnote marks.

    Returns:
        The column's position for each field that has exactly one, and the fields that have none or several.
    """
    exact = [_normalise(header) for header in headers]
    bare = [_strip_notes(header) for header in exact]
    columns, missing = {}, []
    for name in table.fields:
        accepted = {_normalise(header) for header in accepted_headers(name, table)}
        hits = _positions(exact, accepted) or _positions(bare, accepted)
        if len(hits) == 1:
            columns[name] = hits[0]
        elif hits or not table.fields[name].may_be_absent:
            missing.append(name)
    return columns, missing


def accepted_headers(name: str, table: Table) -> list[str]:
    """Return the headers that a field may stand under: those declared, or else its own name."""
    return table.fields[name].column or [name]


def _positions(headers: Sequence[str], accepted: set[str]) -> list[int]:
    return [i for i, header in enumerate(headers) if header in accepted]


def _normalise(header: Any) -> str:
    return " ".join(str(header).split()).casefold()


def _strip_notes(header: str) -> str:
    """Take footnote marks off a header's end: 'households1', 'area codes [note 4] [note 5]'."""
    return re.sub(r"((\s*\[notes? [^\]]*\])+|(?<=[a-z)%])\d{1,2})$", "", header)


# --- types -------------------------------------------------------------------------------------------------

BOOLEANS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
GROUPED = r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?"  # 1,234.5; a comma elsewhere may be a decimal mark
DAY_TIME = r"[T ]\d{2}:.*"
LARGEST_INTEGER = 2**53  # beyond, a float does not hold every integer


def _convert(raw: pd.Series, field: FieldSpec) -> tuple[pd.Series, pd.Series]:
    """Return a column's typed values, and which cells held something that is not of the type."""
    text = write_cells(raw)
    absent = raw.isna() | text.isin(["", *field.missing])
    text = text.mask(absent)
    if field.type == "string":
        return text, pd.Series(False, index=raw.index)
    values: pd.Series
    if field.type == "boolean":
        codes, words = pd.factorize(text)  # of millions of cells a few words; a missing one has the code -1
        known = pd.array([*(BOOLEANS.get(word.lower()) for word in words), None], dtype="boolean")
        values = pd.Series(known.take(codes), index=raw.index)
        if not values.isna().any():
            values = values.astype("bool")
    elif field.type == "date":
        # The day as it is written where it was written: a time zone must not make another of it.
        values = pd.to_datetime(text.str.replace(DAY_TIME, "", regex=True), format="%Y-%m-%d", errors="coerce")
    else:
        plain = text.mask(text.str.fullmatch(GROUPED), text.str.replace(",", ""))
        values = _parse_numbers(plain).replace([np.inf, -np.inf], np.nan) * field.scale
        if field.type in ("integer", "year"):
            whole = values.round()
            is_whole = np.isclose(values, whole, rtol=1e-12, atol=0)  # 16.1 thousand is 16100.000000000002
            values = whole.where(is_whole & (whole.abs() <= LARGEST_INTEGER)).astype("Int64")
    bad = values.isna() & ~absent
    if field.type in ("integer", "year") and not absent.any() and not bad.any():
        values = values.astype("int64")
    return values, bad


def _parse_numbers(text: pd.Series) -> pd.Series:
    """Parse numbers; what is none becomes missing. Where pyarrow can parse all cells, that is ten times faster."""
    if isinstance(text.dtype, pd.StringDtype):
        with suppress(pa.ArrowInvalid):
            numbers = arrow_compute.cast(pa.array(text, from_pandas=True), pa.float64())
            return pd.Series(numbers.to_numpy(zero_copy_only=False), index=text.index)
    return pd.to_numeric(text, errors="coerce")


def write_cells(raw: pd.Series) -> pd.Series:
    """Write cells as people do: 12, not a spreadsheet's 12.0, and no space around. A missing cell stays missing."""
    if isinstance(raw.dtype, pd.StringDtype):
        return raw.str.strip()
    plain = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in raw]
    text: pd.Series = pd.Series(plain, index=raw.index, dtype=object).astype("str").str.strip()
    return text


def _join(items: Iterable[Any]) -> str:
    return ", ".join(str(item) for item in items)
