"""Reading the files of a timetable in GTFS as text, however the zip was packed and the files were saved.

Systems write the same layout with capitals, blanks or a byte order mark in the header, in Windows' letters, in a folder
of the zip, or in a zip of its own within it. Which trips can be used is asked in `feeds`.
"""

import csv
import io
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from councilbook.errors import SourceError, suggest

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ENCODINGS = ("utf-8", "cp1252")
COLUMNS = {
    "stops.txt": (["stop_id", "stop_lat", "stop_lon"], ["stop_name", "parent_station"]),
    "trips.txt": (["trip_id", "service_id"], []),
    "stop_times.txt": (
        ["trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"],
        ["pickup_type", "drop_off_type"],
    ),
    "calendar.txt": (["service_id", "start_date", "end_date", *WEEKDAYS], []),
    "calendar_dates.txt": (["service_id", "date", "exception_type"], []),
    "frequencies.txt": (["trip_id", "start_time", "end_time", "headway_secs"], []),
}
OPTIONAL = ("calendar.txt", "calendar_dates.txt", "frequencies.txt")


def read_tables(path: Path, name: str, counts: dict[str, int]) -> dict[str, pd.DataFrame]:
    """Read the files of a timetable, of each the columns that are used, as text without blanks at its ends.

    Args:
        path: a zip in the GTFS layout; its files may lie in a folder, or in the one zip within it.
        name: what the timetable is called in messages.
        counts: where it is counted what was set aside, in words.

    Returns:
        By file of `COLUMNS` a table of categories; one of `OPTIONAL` that is not there has no row.

    Raises:
        SourceError: it is no zip, lacks a file or a column, holds several timetables, or a file is no CSV.
    """
    try:
        with ZipFile(path) as archive:
            return _read_archive(archive, name, counts)
    except (BadZipFile, NotImplementedError, RuntimeError):  # the latter two: a strange compression, a password
        raise SourceError(
            f"{name}: {path.name} is no zip file that can be unpacked. Expected is a timetable in GTFS, a zip of CSV "
            "files."
        ) from None


def _read_archive(
    archive: ZipFile, name: str, counts: dict[str, int], *, is_inner: bool = False
) -> dict[str, pd.DataFrame]:
    files = {PurePosixPath(one.replace("\\", "/")): one for one in archive.namelist() if "__MACOSX" not in one}
    folders = {one.parent for one in files if one.name.casefold() == "stop_times.txt"}
    packed = [files[one] for one in files if one.suffix.casefold() == ".zip"]
    if len(folders) > 1 or (not folders and len(packed) > 1):
        several = sorted(map(str, folders)) if folders else packed
        raise SourceError(
            f"{name}: the zip holds {len(several)} timetables, in {', '.join(several[:5])}. Put one alone in place."
        )
    if packed and not folders and not is_inner:
        with archive.open(packed[0]) as inner, ZipFile(inner) as one:
            return _read_archive(one, name, counts, is_inner=True)
    own = {one.name.casefold(): files[one] for one in files if not folders or one.parent in folders}
    return {file: _read_table(archive, file, own, name, counts) for file in COLUMNS}


def _read_table(archive: ZipFile, file: str, own: dict[str, str], name: str, counts: dict[str, int]) -> pd.DataFrame:
    needed, optional = COLUMNS[file]
    if file in OPTIONAL and not (file in own and archive.getinfo(own[file]).file_size):
        return pd.DataFrame(columns=needed, dtype="str")
    if file not in own:
        raise SourceError(f"{name}: the zip has no {file}. It holds {', '.join(own.values()) or 'no file'}.")
    begin, header = _read_header(archive, own[file])
    if absent := [one for one in needed if one not in header]:
        raise SourceError(f"{name}: {file} has no column {', '.join(absent)}.{suggest(absent[0], header)}")
    ragged: list[str] = []
    used = [one for one in [*needed, *optional] if one in header]
    for encoding in ENCODINGS:
        ragged.clear()
        try:
            read = _read_csv(archive, own[file], (begin, header), used, encoding, ragged)
            break
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            fault = error
    else:
        raise SourceError(f"{name}: {file} is no CSV that can be read: {fault}") from None
    if ragged:
        counts[f"rows of {file} with more or fewer cells than its header: set aside"] = len(ragged)
    frame = read.to_pandas()
    for column in frame:
        values = frame[column].astype("category")
        frame[column] = values.cat.rename_categories(str).map(str.strip).astype("category")
    complete = frame.assign(**{one: "" for one in optional if one not in frame})
    filled: pd.DataFrame = complete.loc[~frame.eq("").all(axis="columns")]
    return filled


def _read_header(archive: ZipFile, member: str) -> tuple[int, list[str]]:
    """Read in which line the names of a file's columns are, and these, in small letters.

    One that comes again, or is blank, has its place as its name.
    """
    with archive.open(member) as stream:
        lines = enumerate(io.TextIOWrapper(stream, "utf-8-sig", errors="replace"), 1)
        begin, line = next(((number, one) for number, one in lines if one.strip()), (1, ""))
    names = [cell.strip().casefold() for cell in next(csv.reader([line]), [])]
    return begin, [name if name and name not in names[:place] else f"({place})" for place, name in enumerate(names)]


def _read_csv(
    archive: ZipFile, member: str, head: tuple[int, list[str]], used: list[str], encoding: str, ragged: list[str]
) -> pa.Table:
    def set_aside(row: pa.csv.InvalidRow) -> str:
        ragged.append(row.text)
        return "error" if "\n" in row.text else "skip"  # a quotation mark that is not closed takes rows with it

    with archive.open(member) as stream:
        return pyarrow.csv.read_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(column_names=head[1], skip_rows=head[0], encoding=encoding),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=set_aside),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(used, pa.dictionary(pa.int32(), pa.string())),
                include_columns=used,
                strings_can_be_null=False,
            ),
        )
