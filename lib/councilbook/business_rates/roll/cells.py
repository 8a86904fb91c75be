"""What the cells of a roll say to what its headers claim, and to the columns that no header told.

A column whose cells are not what its header says, names of ratepayers under another header, and what a spreadsheet has
spoilt beyond repair (references that lost digits, days and months that changed places) are errors. No cell is shown.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from councilbook.business_rates.roll.columns import NO_NEED, NOT_KNOWN, WHERE_TO_CORRECT, Column, Found
from councilbook.business_rates.roll.dates import OTHER_DATES, refuse_swapped_dates, tell_ways
from councilbook.business_rates.roll.headers import PERSONAL, normalise_header, read_header
from councilbook.business_rates.roll.rules import (
    BOUNDS,
    KINDS,
    LEGAL_END,
    LOST_DIGITS,
    STREETS,
    convert_cells,
)
from councilbook.errors import CheckError

NAMES_EXPECTED = ("ratepayer_name", "trading_name", "ratepayer_address")
LEAST_FIT = 0.5
LEAST_FIT_OF_GUESS = 0.8
MOST_NAMES = 0.05
FEWEST_CELLS = 5
LEAST_FILLED = 0.05  # of the rows, for a column's cells to say what it is
LEAST_ALIKE = 0.7  # of the cells of such a column, in how many digits they have
LEAST_DIFFERENT = 0.9  # of the cells of a column that is guessed to be the references
MOST_LOST = 0.05  # of the references

_NAME_SIGNS = re.compile(
    r"\b(ltd|limited|plc|llp|t/a|trading as|mr|mrs|miss|ms|esq|executors?|exors|trustees|bros|partnership)\b|& sons?\b",
    re.IGNORECASE,
)
_PERSON = re.compile(r"(?:(?:Mr|Mrs|Ms|Dr) )?[A-Z][A-Za-z'’-]*\.?(?: [A-Z][A-Za-z'’-]*\.?){1,3}")
_PROPERTY = re.compile(
    r"shop|office|warehouse|workshop|store|premises|school|public house|hall|garage|car ?park|parking|factor|land|"
    r"advert|restaurant|cafe|hotel|site|unit|surgery|club|church|centre|station|works|yard|studio|commercial|leisure|depot|"
    r"holiday|self.?catering|salon|bank|market|nursery|farm|stable|kennel|mast|quarry|hereditament|house|plant|room",
    re.IGNORECASE,
)
_STREET = re.compile(rf"\b({STREETS})\b", re.IGNORECASE)
_OF_RELIEF = re.compile(
    r"relief|exempt|listed|value|administ|liquid|insolv|probate|charit|business|empty|vacant|unoccupied|prohibit|"
    r"small|rural|retail|transition|discount|hardship|religious|agricultur|disabled",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z]{2}")
_ENDS_IN_POSTCODE = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2}\W*$")
_OCCUPATION = re.compile(
    r"((un|not |part(ly)? )?occ(upied)?|void|vacant|(part(ly)? )?empty)( property| ?[-(].*)?|o|v", re.IGNORECASE
)
_OCCUPIED = re.compile(r"occ(upied)?( property| ?[-(].*)?|o", re.IGNORECASE)
_REFERENCE = re.compile(r"(?=.*\d)(?!.*[A-Z]{5})[A-Z0-9][A-Z0-9/.-]{2,24}", re.IGNORECASE)


def check_columns(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], database: duckdb.DuckDBPyConnection
) -> list[Column]:
    """Hold what the headers say against the cells, and guess from cells what no header told.

    Args:
        columns: of `map_header` or `apply_mapping`.
        cells: by column, the cells of a sample that are not blank.
        database: from `roll_rules.open_rules`.

    Raises:
        CheckError: a column holds something else than its header says, or names of ratepayers, or references or dates
            that a spreadsheet has spoilt.
    """
    rows = max(map(len, cells), default=0)
    checked = list(columns)
    if not any(column.found == "confirmed" for column in columns):
        checked = _continue_blank_headers(checked, cells)
        checked = _read_occupation(checked, cells, database)
        checked = _drop_weak_references(checked, cells, rows)
        checked = [_measure(column, cells[column.position], database) for column in checked]
        checked = _guess_from_cells(checked, cells, database)
    else:
        checked = [_measure(column, cells[column.position], database) for column in checked]
    checked = [_refuse_misfit(column, cells[column.position], rows) for column in checked]
    checked = [_check_reference(column, cells[column.position], database) for column in checked]
    for column in checked:
        refuse_swapped_dates(column, cells[column.position])
    return [_note_unused(column, cells[column.position]) for column in checked]


# --- what no header told -----------------------------------------------------------------------------------


def _continue_blank_headers(columns: list[Column], cells: Sequence[Sequence[str]]) -> list[Column]:
    """Read columns without a header as going on with the address or the name before them, as below a merged cell."""
    before = columns[0] if columns else None
    for column in columns:
        texts = cells[column.position]
        if column.header.strip() or before is None or not texts:
            before = column if column.header.strip() else before
            continue
        target = before.target
        named = _looks_like_names(texts) and _share(texts, _STREET) < LEAST_FIT
        goes_on = target in ("address", "ratepayer_address") and not named
        goes_on |= target == "ratepayer_name" and _share(texts, LEGAL_END) > LEAST_FIT
        if not goes_on or _share(texts, _WORD) < LEAST_FIT:
            before = None
            continue
        if target == "address" and _share(texts, _ENDS_IN_POSTCODE) > LEAST_FIT_OF_GUESS and max(map(len, texts)) < 10:
            target = None if any(one.target == "postcode" for one in columns) else "postcode"
        note = f"Its header is blank; it goes on with {before.header.strip()!r}. Please confirm."
        found = replace(column, target=target, found="guessed from cells" if target else "not used", note=note)
        columns[column.position] = found
    return columns


def _read_occupation(
    columns: list[Column], cells: Sequence[Sequence[str]], database: duckdb.DuckDBPyConnection
) -> list[Column]:
    """Read a column of states as is_occupied if its cells say so, and "Empty" over dates as the day since when."""
    for column in columns:
        texts = cells[column.position]
        if column.target == "is_empty" and len(texts) >= FEWEST_CELLS:
            dates = convert_cells(database, texts, "day").notna().mean()
            if dates > LEAST_FIT_OF_GUESS and not any(one.target == "empty_since_date" for one in columns):
                note = "Its cells are dates: since when it is empty."
                columns[column.position] = replace(column, target="empty_since_date", note=note)
    states = [column for column in columns if read_header(column.header).target == "occupation_status"]
    for column in states:
        texts = [text.strip() for text in cells[column.position]]
        if column.target or any(one.target in ("is_occupied", "is_empty") for one in columns):
            continue
        fits = len(texts) >= FEWEST_CELLS and any(_OCCUPIED.fullmatch(text) for text in texts)
        if fits and sum(bool(_OCCUPATION.fullmatch(text)) for text in texts) > 0.95 * len(texts):
            note = "Its cells say whether a property is occupied."
            columns[column.position] = replace(column, target="is_occupied", found="guessed from cells", note=note)
    return columns


def _drop_weak_references(columns: list[Column], cells: Sequence[Sequence[str]], rows: int) -> list[Column]:
    """Drop a reference that no known header vouches for, if it does not tell rows apart, or only counts them."""
    for column in columns:
        texts = cells[column.position]
        meaning = read_header(column.header)
        if meaning.target == "address_name" and texts and _share(texts, _WORD) < LEAST_FIT:  # "Property", over numbers
            is_reference = all(one.target != "property_reference" for one in columns) and _tells_rows_apart(texts, rows)
            target, note = ("property_reference", "Please confirm.") if is_reference else (None, NOT_KNOWN)
            found: Found = "guessed from cells" if is_reference else "not used"
            columns[column.position] = replace(column, target=target, found=found, note=note)
            continue
        is_named = "ref" in meaning.key and not meaning.key.startswith("ref")
        if column.target != "property_reference" or is_named or (meaning.is_known and not meaning.rank):
            continue
        if len(texts) >= FEWEST_CELLS and not _tells_rows_apart(texts, rows):
            note = "Warning: not used; its cells do not tell properties apart, or only count the rows."
            columns[column.position] = replace(column, target=None, found="not used", note=note)
    return columns


def _tells_rows_apart(texts: Sequence[str], rows: int) -> bool:
    counted = [[str(number + first) for number in range(len(texts))] for first in (0, 1, 2)]
    enough = len(texts) > LEAST_DIFFERENT * rows and len(set(texts)) > LEAST_DIFFERENT * len(texts)
    return enough and [text.strip() for text in texts] not in counted


def _guess_from_cells(
    columns: list[Column], cells: Sequence[Sequence[str]], database: duckdb.DuckDBPyConnection
) -> list[Column]:
    """Drop guesses that the cells do not bear out; then give what is missing to the one unknown column that fits it."""
    columns = [
        replace(column, target=None, found="not used", note=f"Warning: not used; its cells are not of {column.target}.")
        if _is_belied(column, cells[column.position])
        else column
        for column in columns
    ]
    rows = max(map(len, cells), default=0)
    for target in ("postcode", "address", "ratepayer_name", "description", "liability_start_date",
                   "rateable_value_gbp", "property_reference"):  # fmt: skip
        is_told = (target, "ba_reference") if target == "property_reference" else (target,)
        if any(column.target in is_told for column in columns):
            continue
        unused = [column for column in columns if column.target is None]
        unknown = [column for column in unused if read_header(column.header).target in (None, "relief")]
        able = [column for column in unknown if _could_be(target, cells[column.position], database, rows)]
        if target == "property_reference":
            able = [one for one in able if not re.search(r"account|company|phone|person", normalise_header(one.header))]
        if len(able) == 1:
            found = _measure(
                replace(able[0], target=target, found="guessed from cells", note=""), cells[able[0].position], database
            )
            columns[found.position] = replace(found, note=f"{found.note} Please confirm.".strip())
        for column in able if len(able) > 1 else []:
            note = f"Warning: {len(able)} columns could be {target}; say which {WHERE_TO_CORRECT}."
            columns[column.position] = replace(column, note=note)
    return columns


def _is_belied(column: Column, texts: Sequence[str]) -> bool:
    """Whether cells speak against a guess of their header, or a "Type" is of property and not of relief."""
    fits = 100 if column.fits_pct is None else column.fits_pct
    if column.found == "guessed from header" and fits < 100 * LEAST_FIT_OF_GUESS:
        return True
    return column.target == "relief" and _share(texts, _PROPERTY) > LEAST_FIT > _share(texts, _OF_RELIEF)


def _could_be(target: str, cells: Sequence[str], database: duckdb.DuckDBPyConnection, rows: int) -> bool:
    if len(cells) < FEWEST_CELLS:
        return False
    match target:
        case "address":
            return _share(cells, _ENDS_IN_POSTCODE) > 0.6 and sum(map(len, cells)) > 12 * len(cells)
        case "ratepayer_name":
            return _share(cells, _NAME_SIGNS) > 0.3 and _share(cells, _ENDS_IN_POSTCODE) < 0.1
        case "description":
            return _share(cells, _PROPERTY) > 0.6 and len(set(cells)) < len(cells) / 2
        case "property_reference":
            shaped = sum(bool(_REFERENCE.fullmatch(cell.strip())) for cell in cells) > 0.95 * len(cells)
            dated = convert_cells(database, cells, "day").notna().mean() > LEAST_FILLED
            placed = convert_cells(database, cells, "postcode").notna().mean() > LEAST_FILLED
            points = _share(cells, re.compile(r"^-?\d+\.\d+$")) > LEAST_FIT
            shapes = Counter(re.sub(r"\d", "9", cell.strip()) for cell in cells).most_common(1)[0][1]
            return (
                shaped
                and shapes > LEAST_ALIKE * len(cells)
                and not (dated or placed or points)
                and _tells_rows_apart(cells, rows)
            )
        case "rateable_value_gbp":
            values = convert_cells(database, cells, "money")
            return bool(values.notna().mean() > 0.95 and values.median() >= 100 and values.duplicated().mean() > 0.1)
    return float(convert_cells(database, cells, KINDS[target]).notna().mean()) > 0.9


# --- what a header claims ----------------------------------------------------------------------------------


def _measure(column: Column, cells: Sequence[str], database: duckdb.DuckDBPyConnection) -> Column:
    """Say how many cells can be read as the column's kind, and in which order its dates are."""
    kind = KINDS.get(column.target or "")
    if kind is None or not cells:
        return column
    if kind == "day":
        ways, share = tell_ways(cells, database)
        return replace(column, fits_pct=100 * share, dates=ways[0], note=OTHER_DATES.get(ways[0], column.note))
    values = convert_cells(database, cells, kind)
    if column.target in BOUNDS:
        values = values.where(values.between(*BOUNDS[column.target]) | (values == 0))
    return replace(column, fits_pct=100 * float(values.notna().mean()))


def _refuse_misfit(column: Column, cells: Sequence[str], rows: int) -> Column:
    """Refuse a column whose cells are not what its header says; no cell is shown.

    Where hardly any row has a cell there, it is the rows that are at fault: they will be kept aside.
    """
    if column.target is None or len(cells) < FEWEST_CELLS:
        return column
    if column.fits_pct is not None and column.fits_pct < 100 * LEAST_FIT:
        refuse_swapped_dates(column, cells)
        if len(cells) < LEAST_FILLED * rows:
            return replace(
                column, note=f"Warning: few rows have a cell here, and most of these are no {column.target}."
            )
        raise CheckError(
            f"Column {column.header.strip()!r} was taken for {column.target}, but only {column.fits_pct:.0f}% of "
            f"{len(cells):,} cells looked at can be read so. Its header may stand over another column: mend the file, "
            f"or say what it is {WHERE_TO_CORRECT}."
        )
    if column.target not in NAMES_EXPECTED and column.target not in KINDS and _holds_names(column.target, cells):
        raise CheckError(
            f"Column {column.header.strip()!r} was taken for {column.target}, but its cells look like names of "
            "ratepayers. Its header may stand over another column: mend the file, or give it as ratepayer_name "
            f"{WHERE_TO_CORRECT}."
        )
    return column


def _check_reference(column: Column, cells: Sequence[str], database: duckdb.DuckDBPyConnection) -> Column:
    """Refuse references that a spreadsheet has taken digits from, and see whether their decimals say anything.

    Raises:
        CheckError: so many are spoilt that the roll cannot be followed, or most lost what is beyond 15 digits.
    """
    if column.target != "property_reference" or len(cells) < FEWEST_CELLS:
        return column
    lost = sum(bool(re.search(LOST_DIGITS, cell)) for cell in convert_cells(database, cells, "reference").dropna())
    long = [cell for cell in cells if re.fullmatch(r"[1-9]\d{15,}", cell)]
    cut = len(long) if len(long) >= FEWEST_CELLS and not any(cell[15:].strip("0") for cell in long) else 0
    if max(lost, cut) > MOST_LOST * len(cells):
        what = "as 2.05E+12" if lost else "to 15 digits, with noughts for the rest"
        raise CheckError(
            f"Column {column.header.strip()!r}: a spreadsheet has rounded {max(lost, cut):,} of {len(cells):,} "
            f"references ({what}), so they no longer tell properties apart. Export the roll again, with this column "
            "as text."
        )
    decimals = any(re.fullmatch(r"\d+\.\d*[1-9]\d*", cell) for cell in cells)
    return replace(column, keeps_decimals=decimals)


def _holds_names(target: str, cells: Sequence[str]) -> bool:
    signs = _share(cells, _NAME_SIGNS)
    if target == "address":  # of somebody: "Adj Smith Ltd, 3 High Street"
        return signs > 0.5 and sum(any(map(str.isdigit, cell)) for cell in cells) < 0.3 * len(cells)
    return signs > MOST_NAMES or _holds_persons(cells)


def _holds_persons(cells: Sequence[str]) -> bool:
    """Tell whether cells are mostly two to four words in capitals, hardly ever the same, and of no property."""
    persons = sum(bool(_PERSON.fullmatch(cell)) for cell in cells)
    others = max(_share(cells, _PROPERTY), _share(cells, _OF_RELIEF))
    return persons > 0.6 * len(cells) and len(set(cells)) > 0.5 * len(cells) and others < 0.3


def _looks_like_names(cells: Sequence[str]) -> bool:
    return len(cells) >= FEWEST_CELLS and len(set(cells)) > 1 and (
        _share(cells, _NAME_SIGNS) > MOST_NAMES or _holds_persons(cells)
    )  # fmt: skip


def _note_unused(column: Column, cells: Sequence[str]) -> Column:
    """Say of a column that is not used, and is not blank, that it is not."""
    if column.target is not None:
        return column
    if PERSONAL.search(normalise_header(column.header)) or _looks_like_names(cells):
        return replace(column, note="Looks like personal data: it is left out.")
    if not cells:
        return replace(column, note="" if column.note == NOT_KNOWN else column.note)
    if not column.header.strip():
        return replace(column, note=column.note or "Warning: cells without a header; they are left out.")
    return replace(column, note=column.note or NO_NEED)


def _share(cells: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.search(cell)) for cell in cells) / max(len(cells), 1)
