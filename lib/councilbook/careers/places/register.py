"""The national register of schools, in the publisher's layout or in a copy's, read row by row.

Downloads of it are ragged: some rows have more cells than the header, and the encoding is Windows'. So it is read here,
and what does not fit is set aside and counted.
"""

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from councilbook.catalogue import Council, FoundFile
from councilbook.catalogue.councils import list_education_codes
from councilbook.errors import SourceError
from councilbook.sources.extracts.days import read_day
from councilbook.sources.files.packed import decode_as_saved, unpack
from councilbook.sources.files.readers import ROWS_SEARCHED_FOR_HEADER

if TYPE_CHECKING:
    from councilbook.study import Study

# Ours to theirs: the publisher's header, then that of a copy with renamed ones.
HEADERS = {
    "urn": ("URN", "urn"),
    "authority": ("LA (code)", "dfe_number"),
    "name": ("EstablishmentName", "school_name"),
    "type": ("TypeOfEstablishment (name)", "establishment_type"),
    "status": ("EstablishmentStatus (name)", "school_status"),
    "opened_date": ("OpenDate", "open_date"),
    "closed_date": ("CloseDate", "close_date"),
    "phase": ("PhaseOfEducation (name)", "phase_type"),
    "age_from": ("StatutoryLowAge", "statutory_low_age"),
    "age_to": ("StatutoryHighAge", "statutory_high_age"),
    "street": ("Street", "street"),
    "locality": ("Locality", "locality"),
    "town": ("Town", "town"),
    "postcode": ("Postcode", "postcode"),
    "easting": ("Easting", "easting"),
    "northing": ("Northing", "northing"),
}
SIXTH_FORM = "officialsixthform (name)"  # the copy has none
DELIMITERS = ",;\t|"
SWALLOWED = re.compile(r"[\r\n]\d{5,6}\D")  # the next row, in a cell
NUMBERS = ["age_from", "age_to", "easting", "northing"]
DATES = ["opened_date", "closed_date"]
POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]? *\d[A-Z]{2}"
NOT_SCHOOLS = "Higher education|Children's centre|Welsh|Offshore|British schools overseas|Online provider|Secure unit"
LATE_PHASES = ["Secondary", "All-through", "Middle deemed secondary"]
OF_NO_PHASE = "Not applicable"
LEARNS_ON, SCHOOL_ENDS, SCHOOL_BEGINS = 18, 16, 15  # years of age


def check_register(study: "Study", found: FoundFile) -> None:
    """Check that a register can be read, before the first notebook.

    Raises:
        SourceError: it cannot; see `read_register`.
    """
    read_register(found, study.finder.council)


def read_register(found: FoundFile | None, council: Council) -> pd.DataFrame:
    """Read a council's rows of the register of schools.

    Args:
        found: the file, as CSV, packed or not; None where there is none.
        council: whose rows are wanted; in two tiers its county's.

    Returns:
        A row a school of secondary age or with learners after 16, those that have closed too: urn, name, type, status,
        opened_date, closed_date, age_from and age_to (years), street, locality, town, postcode, easting, northing
        (metres, EPSG:27700), is_secondary, is_post16. No row where the file has none of the council's. What was set
        aside is said in `attrs["notes"]`.

    Raises:
        SourceError: the file is no CSV, has not the columns of either layout, or no row that fits them.
    """
    where = f"Source {found.source.id}, file {found.path.name}" if found else ""
    text = (
        decode_as_saved(unpack(found.path, None, where)) if found else ",".join(names[0] for names in HEADERS.values())
    )
    rows, notes = _read_cells(text, where)
    wanted = {code for own in council.codes for code in list_education_codes(own)}
    rows = rows[rows["authority"].str.split("/").str[0].isin(wanted) & ~rows["type"].str.contains(NOT_SCHOOLS)]
    frame = rows.drop(columns="authority").reset_index(drop=True)
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name].map(read_day))
    has_phase = frame["phase"] != OF_NO_PHASE
    spans_school = (frame["age_from"] < SCHOOL_BEGINS) & (frame["age_to"] >= SCHOOL_BEGINS)
    frame["is_secondary"] = frame["phase"].isin(LATE_PHASES) | (~has_phase & spans_school)
    learns_on = frame["age_to"] >= LEARNS_ON
    knows = frame["sixth_form"].str.startswith(("Has", "Does not have"))
    frame["is_post16"] = (frame["phase"] == "16 plus") | frame["sixth_form"].str.startswith("Has").where(
        knows, learns_on
    )
    frame = frame[frame["is_secondary"] | frame["is_post16"]].drop(columns=["phase", "sixth_form"])
    frame = frame.reset_index(drop=True)
    frame.attrs["notes"] = notes
    return frame


def _read_cells(text: str, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Read the wanted columns as text, and say which rows could not be read."""
    lines, header = _find_header(text)
    columns = {
        ours: next((one for one in map(str.casefold, names) if one in header), "") for ours, names in HEADERS.items()
    }
    if absent := [HEADERS[ours][0] for ours, theirs in columns.items() if not theirs]:
        lacks = ", ".join(absent)
        raise SourceError(f"{where}: expected the columns of the register of schools, and it lacks {lacks}.")
    place = {ours: header.index(theirs) for ours, theirs in columns.items()}
    sixth_form = header.index(SIXTH_FORM) if SIXTH_FORM in header else len(header)
    kept: list[list[str]] = []
    wrong: list[int] = []
    longer = shorter = 0
    try:
        for row in filter(any, lines):
            cells = [row[at].strip() if at < len(row) else "" for at in (*place.values(), sixth_form)]
            if any(SWALLOWED.search(cell) for cell in row):
                raise csv.Error("a quotation mark is not closed")
            if _is_whole(dict(zip(place, cells, strict=False))):
                kept.append(cells)
                longer += len(row) > len(header)
                shorter += len(row) < len(header)
            else:
                wrong.append(lines.line_num)
    except csv.Error as error:
        raise SourceError(f"{where}: it cannot be read as CSV up to line {lines.line_num} ({error}).") from None
    if wrong and not kept:
        raise SourceError(
            f"{where}: in none of {len(wrong):,} rows do all cells fit their headers. Expected are URN as 106793, LA "
            "(code) as 371, and numbers without marks."
        )
    frame = pd.DataFrame(kept, columns=[*place, "sixth_form"], dtype="str")
    notes = []
    if longer:
        notes.append(f"Rows with more cells than the header: {longer:,}. What stands beyond it is left out.")
    if shorter:
        notes.append(f"Rows with fewer cells than the header: {shorter:,}. What they lack is taken as not known.")
    if wrong:
        notes.append(f"Rows set aside, their cells being out of place: {len(wrong):,}, the first in line {wrong[0]}.")
    return frame, notes


def _find_header(text: str) -> tuple[Any, list[str]]:
    """Find the header, whatever parts its cells and stands above it, and return the lines that follow it."""
    for mark in DELIMITERS:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        for _, row in zip(range(ROWS_SEARCHED_FOR_HEADER), lines, strict=False):
            header = [cell.strip().casefold() for cell in row]
            if "urn" in header and len(header) > 1:
                return lines, header
    return iter(()), []


def _is_whole(cells: dict[str, str]) -> bool:
    """Tell whether a row's cells stand under their headers, by those that have a form."""
    return (
        re.fullmatch(r"\d{5,6}", cells["urn"]) is not None
        and re.fullmatch(r"\d{3}(/\d*)?", cells["authority"]) is not None
        and re.fullmatch(rf"({POSTCODE})?", cells["postcode"].upper()) is not None
        and all(re.fullmatch(r"(\d+(\.\d+)?)?", cells[name]) for name in NUMBERS)
    )
