"""Which column of a council's roll is which of ours: from its header, its cells, or what the council confirmed.

A column that cannot be told is not used, and is said. Two headers that both claim one column, a column whose cells are
not what its header says, and names of ratepayers under another header are errors: a roll is never read half wrong.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

import duckdb
import pandas as pd
import yaml

from councilbook.business_rates.roll.rules import BOUNDS, COLUMNS, KINDS, RELIEF_TARGETS, Use, convert_cells
from councilbook.errors import CheckError, suggest

Found = Literal["known header", "guessed from header", "guessed from cells", "confirmed", "not used"]

PSEUDO_TARGETS = ("is_empty", "relief")  # read into is_occupied, and into the relief that the words name
TARGETS = (*COLUMNS, *PSEUDO_TARGETS)
JOINED = ("ratepayer_name", "ratepayer_address", "address", "exemption", *RELIEF_TARGETS)
ONE_STEM = ("ratepayer_name",)  # parts of one name may be joined, two kinds of name may not
GIVES_WAY_TO = {"address": "ratepayer_address", "addr": "ratepayer_address", "postcode": "ratepayer_address"}
NAMES_EXPECTED = ("ratepayer_name", "trading_name", "ratepayer_address")
LEAST_FIT = 0.5
LEAST_FIT_OF_GUESS = 0.8
MOST_NAMES = 0.05
FEWEST_CELLS = 5
LEAST_FILLED = 0.05  # of the rows, for a column's cells to say what it is

_GUESSES: Mapping[str, str] = {  # words of a header that no council has used yet
    "property_reference": r"(property|hereditament|account|assessment) (unique )?(ref\w*|id|number|no)$",
    "ba_reference": r"\b(billing authority|ba|assessors?)( \w+)? (ref\w*|number)",
    "uprn": r"\buprn\b",
    "ratepayer_name": r"\b(ratepayers?|rate payers?|liable part(y|ies)|occupiers?|account holders?)( full)?( names?)?$",
    "trading_name": r"\b(trading|trade) (name|style|as)",
    "ratepayer_address": r"\b(correspondence|billing|mailing|contact|ratepayers?) (post)?(al )?address",
    "address": r"^(?!.*(correspondence|billing|mailing|contact|ratepayer|e ?mail)).*\baddress( line)?( \d)?$",
    "postcode": r"^(property |premises )?post ?code$",
    "latitude": r"^lat$",
    "longitude": r"^(lon|long|lng)$",
    "description_code": r"\b(description|category|scat|use) code",
    "description": r"^(property|premises|hereditament|subjects?) (type|use|category|description)|\bdescription of",
    "rateable_value_gbp": r"^(current |new |net |the )*(rat(e)?able|annual) val(ue)?s?$|^(current|net) (rv|nav)$",
    "liability_start_date": r"\b(liable|liability|occupation|account).*\b(from|start|since|begin\w*|commenc\w*)",
    "is_occupied": r"^(is )?occup(ied|ation|ancy)( status| indicator| y n)?$",
    "is_empty": r"^(is )?(empty|void|vacant)( property| indicator| flag)?( y n)?$",
    "empty_since_date": r"\b(empty|void|vacant|unoccupied) (since|from|start|date)",
    "small_business_relief": r"\b(small business|sbbs|sbrr|sbr)\b(?!.*date)",
    "mandatory_relief": r"\bmandatory\b(?!.*date)",
    "discretionary_relief": r"\bdiscretionary\b(?!.*date)",
    "other_relief": r"\b(fresh start|day nursery|transitional|hospitality|leisure)\b.*relief(?!.*date)",
    "exemption": r"^exempt\w*( type| reason| description| category)?$",
    "account_charge_gbp": r"^(net|annual|total) (charge|bill|liability)",
    "account_credit_gbp": r"\bcredit (amount|balance|value)|overpa(id|yment)",
}
_PERSONAL = re.compile(
    r"phone|telephone|mobile|e ?mail|birth|\bdob\b|national insurance|\bnino\b|bank|sort code|contact|signature"
)
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
_ENDS_IN_POSTCODE = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2}\W*$")


@dataclass(frozen=True)
class Column:
    """A column of a file, what it is taken for, and why.

    Attributes:
        position: in the file, from 0.
        header: as it stands there.
        target: the canonical column; None if it is not used.
        found: how that was found.
        fits_pct: of its cells that are not blank, the share that can be read so; None where any text would do.
        note: what the caller should know of it.
        month_first: whether its dates are written so.
    """

    position: int
    header: str
    target: str | None
    found: Found
    fits_pct: float | None = None
    note: str = ""
    month_first: bool = False


def normalise_header(header: str) -> str:
    """Write a header in small words and numbers, as "PropAddress1 " is "prop address 1" and "Mand %" is "mand pct"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", " ", header.replace("%", " pct "))
    return " ".join(re.findall(r"[a-z0-9]+", words.lower()))


def count_known(header: Sequence[str]) -> int:
    """Count the headers that are known, or could be guessed; this is how the header row is found."""
    return sum(bool(cell.strip()) and (_look_up(cell)[0] or _guess(cell)) is not None for cell in header)


def map_header(header: Sequence[str]) -> list[Column]:
    """Map a file's headers to canonical columns by their words alone.

    Raises:
        CheckError: two headers claim one column.
    """
    known = [_look_up(cell) for cell in header]
    best: dict[str, int] = {}
    for target, group, _ in known:
        if target:
            best[target] = min(group, best.get(target, group))
    columns = [_choose(place, cell, *known[place], best) for place, cell in enumerate(header)]
    taken = {column.target for column in columns}
    for column in columns:
        guess = _guess(column.header) if known[column.position][0] is None else None
        if guess and guess not in taken:
            columns[column.position] = replace(column, target=guess, found="guessed from header", note="")
    return _settle(columns)


def apply_mapping(header: Sequence[str], mapping: Mapping[str, str | None]) -> list[Column]:
    """Map a file's headers as a council has confirmed; a header that it does not know is not used, and that is said.

    Args:
        mapping: by header, the canonical column or None; see `store_mapping`.

    Raises:
        CheckError: it names a column that there is not, or a header that the file has not.
    """
    if wrong := [target for target in mapping.values() if target is not None and target not in TARGETS]:
        raise CheckError(f"The mapping names a column {wrong[0]!r} that there is not.{suggest(wrong[0], TARGETS)}")
    names = list(_name_columns(header))
    if absent := [name for name, target in mapping.items() if target and name not in names]:
        raise CheckError(f"The file has no column {absent[0]!r}, which the mapping reads as {mapping[absent[0]]}.")
    columns = []
    for place, (name, cell) in enumerate(zip(names, header, strict=True)):
        target = mapping.get(name)
        note = "" if name in mapping or not cell.strip() else "New: it is not in the mapping that was confirmed."
        columns.append(Column(place, cell, target, "confirmed" if target else "not used", note=note))
    for target in {column.target for column in columns} - {None, *JOINED}:
        same = [column.header.strip() for column in columns if column.target == target]
        if len(same) > 1:
            raise CheckError(f"The mapping reads {' and '.join(map(repr, same))} both as {target}; give one of them.")
    return columns


def store_mapping(columns: Sequence[Column]) -> dict[str, str | None]:
    """Return a mapping that can be kept as JSON or YAML, and given back once the council has confirmed it.

    A header that comes again is counted, as "Date From (2)".
    """
    names = _name_columns([column.header for column in columns])
    return {name: column.target for name, column in zip(names, columns, strict=True) if column.header.strip()}


def check_columns(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], database: duckdb.DuckDBPyConnection
) -> list[Column]:
    """Hold what the headers say against the cells, and guess from cells what no header told.

    Args:
        columns: of `map_header` or `apply_mapping`.
        cells: by column, the cells of a sample that are not blank.
        database: from `roll_rules.open_rules`.

    Raises:
        CheckError: a column holds something else than its header says, or names of ratepayers.
    """
    checked = [_measure(column, cells[column.position], database) for column in columns]
    if not any(column.found == "confirmed" for column in columns):
        checked = _guess_from_cells(checked, cells, database)
    rows = max(map(len, cells), default=0)
    checked = [_refuse_misfit(column, cells[column.position], rows) for column in checked]
    return [_note_personal(column, cells[column.position]) for column in checked]


def list_uses(columns: Sequence[Column]) -> list[Use]:
    """Return what the columns are used for, in the order of the file."""
    uses = []
    for column in columns:
        if column.target is not None:
            kind = KINDS.get(column.target, "text")
            label = re.sub(r"\s*\bY\s*/\s*N\b", "", column.header, flags=re.IGNORECASE).strip()
            uses.append(Use(column.position, label, column.target, "month_day" if column.month_first else kind))
    return uses


def show_columns(columns: Sequence[Column]) -> pd.DataFrame:
    """Return the mapping as a table for readers: file_column, position (from 1), column, found, fits_pct, note."""
    rows = [
        (column.header.strip(), column.position + 1, column.target, column.found, column.fits_pct, column.note)
        for column in columns
        if column.header.strip() or column.note
    ]
    return pd.DataFrame(rows, columns=["file_column", "position", "column", "found", "fits_pct", "note"])


# --- headers -----------------------------------------------------------------------------------------------


@cache
def _load_known() -> dict[str, tuple[str, int]]:
    text = (files(__package__) / "roll_headers.yaml").read_text(encoding="utf-8")
    known = {}
    for target, groups in yaml.safe_load(text).items():
        for rank, group in enumerate(groups):
            known.update({str(key): (target, rank) for key in group})
    return known


def _look_up(header: str) -> tuple[str | None, int, str]:
    """Return a header's column, its group and what it is known as; `unused` is a column here."""
    key = normalise_header(header).replace(" ", "")
    stem = re.sub(r"(?<!\d)\d{1,2}$", "", key)
    for name in (key, stem):
        if name in _load_known():
            return *_load_known()[name], name
    return None, 0, stem


def _guess(header: str) -> str | None:
    words = normalise_header(header)
    if _PERSONAL.search(words) and "address" not in words:
        return None
    return next((target for target, pattern in _GUESSES.items() if re.search(pattern, words)), None)


def _choose(place: int, header: str, target: str | None, group: int, stem: str, best: Mapping[str, int]) -> Column:
    if target in (None, "unused"):
        unknown = target is None and bool(header.strip())
        return Column(place, header, None, "not used", note="No council's header that is known." if unknown else "")
    if group == best[target]:
        return Column(place, header, target, "known header")
    if stem in GIVES_WAY_TO:
        note = f"As another column is the property's {target}."
        return Column(place, header, GIVES_WAY_TO[stem], "known header", note=note)
    return Column(place, header, None, "not used", note=f"Another column tells {target} better.")


def _settle(columns: list[Column]) -> list[Column]:
    """Let one column alone tell what only one can."""
    for target in dict.fromkeys(column.target for column in columns if column.target):
        same = [column for column in columns if column.target == target and column.found != "not used"]
        stems = {_look_up(column.header)[2] for column in same}
        if len(stems) > 1 and (target not in JOINED or (target in ONE_STEM and same[0].found == "known header")):
            headers = " and ".join(repr(column.header.strip()) for column in same)
            raise CheckError(
                f"Columns {headers} could both be {target}. Say which by mapping={{header: {target!r}, other: None}}."
            )
        if target not in JOINED:
            for other in same[1:]:
                note = f"Warning: a second column of this name; the first is read as {target}."
                columns[other.position] = replace(other, target=None, found="not used", note=note)
    if any(column.target == "is_occupied" for column in columns):
        for column in [column for column in columns if column.target == "is_empty"]:
            note = "Another column tells is_occupied."
            columns[column.position] = replace(column, target=None, found="not used", note=note)
    return columns


def _name_columns(header: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for cell in header:
        name = cell.strip()
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


# --- cells -------------------------------------------------------------------------------------------------


def _measure(column: Column, cells: Sequence[str], database: duckdb.DuckDBPyConnection) -> Column:
    """Say how many cells can be read as the column's kind, and in which order its dates are."""
    kind = KINDS.get(column.target or "")
    if kind is None or not cells:
        return column
    values = convert_cells(database, cells, kind)
    if column.target in BOUNDS:
        values = values.where(values.between(*BOUNDS[column.target]) | (values == 0))
    fits = float(values.notna().mean())
    if kind == "day":
        other = float(convert_cells(database, cells, "month_day").notna().mean())
        if other > fits:
            return replace(column, fits_pct=100 * other, month_first=True, note="Its dates have the month first.")
    return replace(column, fits_pct=100 * fits)


def _guess_from_cells(
    columns: list[Column], cells: Sequence[Sequence[str]], database: duckdb.DuckDBPyConnection
) -> list[Column]:
    """Drop guesses that the cells do not bear out; then give what is missing to the one unknown column that fits it."""
    columns = [
        replace(column, target=None, found="not used", note=f"Its cells are not of {column.target}.")
        if column.found == "guessed from header" and (column.fits_pct or 100) < 100 * LEAST_FIT_OF_GUESS
        else column
        for column in columns
    ]
    for target in (
        "postcode",
        "address",
        "ratepayer_name",
        "description",
        "liability_start_date",
        "rateable_value_gbp",
    ):
        if any(column.target == target for column in columns):
            continue
        unknown = [column for column in columns if column.target is None and _look_up(column.header)[0] is None]
        able = [column for column in unknown if _could_be(target, cells[column.position], database)]
        if len(able) == 1:
            found = _measure(
                replace(able[0], target=target, found="guessed from cells", note=""), cells[able[0].position], database
            )
            columns[found.position] = replace(found, note=f"{found.note} Please confirm.".strip())
        for column in able if len(able) > 1 else []:
            note = f"Warning: {len(able)} columns could be {target}; say which by a mapping."
            columns[column.position] = replace(column, note=note)
    return columns


def _could_be(target: str, cells: Sequence[str], database: duckdb.DuckDBPyConnection) -> bool:
    if len(cells) < FEWEST_CELLS:
        return False
    match target:
        case "address":
            return _share(cells, _ENDS_IN_POSTCODE) > 0.6 and sum(map(len, cells)) > 12 * len(cells)
        case "ratepayer_name":
            return _share(cells, _NAME_SIGNS) > 0.3 and _share(cells, _ENDS_IN_POSTCODE) < 0.1
        case "description":
            return _share(cells, _PROPERTY) > 0.6 and len(set(cells)) < len(cells) / 2
        case "rateable_value_gbp":
            values = convert_cells(database, cells, "money")
            return bool(values.notna().mean() > 0.95 and values.median() >= 100 and values.duplicated().mean() > 0.1)
    return float(convert_cells(database, cells, KINDS[target]).notna().mean()) > 0.9


def _refuse_misfit(column: Column, cells: Sequence[str], rows: int) -> Column:
    """Refuse a column whose cells are not what its header says; no cell is shown.

    Where hardly any row has a cell there, it is the rows that are at fault: they will be kept aside.
    """
    if column.target is None or len(cells) < FEWEST_CELLS:
        return column
    if column.fits_pct is not None and column.fits_pct < 100 * LEAST_FIT:
        if len(cells) < LEAST_FILLED * rows:
            return replace(
                column, note=f"Warning: few rows have a cell here, and most of these are no {column.target}."
            )
        raise CheckError(
            f"Column {column.header.strip()!r} was taken for {column.target}, but only {column.fits_pct:.0f}% of "
            f"{len(cells):,} cells looked at can be read so. Its header may stand over another column: give a mapping, "
            "or mend the file."
        )
    if column.target not in NAMES_EXPECTED and column.target not in KINDS and _holds_names(column.target, cells):
        raise CheckError(
            f"Column {column.header.strip()!r} was taken for {column.target}, but its cells look like names of "
            "ratepayers. Its header may stand over another column: give a mapping as {header: 'ratepayer_name'}, or "
            "mend the file."
        )
    return column


def _holds_names(target: str, cells: Sequence[str]) -> bool:
    signs = _share(cells, _NAME_SIGNS)
    if target == "address":  # of somebody: "Adj Smith Ltd, 3 High Street"
        return signs > 0.5 and sum(any(map(str.isdigit, cell)) for cell in cells) < 0.3 * len(cells)
    return signs > MOST_NAMES or _holds_persons(cells)


def _holds_persons(cells: Sequence[str]) -> bool:
    """Tell whether cells are mostly two to four words in capitals, hardly ever the same, and no kinds of property."""
    persons = sum(bool(_PERSON.fullmatch(cell)) for cell in cells)
    return persons > 0.6 * len(cells) and len(set(cells)) > 0.5 * len(cells) and _share(cells, _PROPERTY) < 0.3


def _note_personal(column: Column, cells: Sequence[str]) -> Column:
    if column.target is not None:
        return column
    by_header = bool(_PERSONAL.search(normalise_header(column.header)))
    by_cells = len(cells) >= FEWEST_CELLS and len(set(cells)) > 1
    if by_header or (by_cells and (_share(cells, _NAME_SIGNS) > MOST_NAMES or _holds_persons(cells))):
        return replace(column, note="Looks like personal data: it is left out.")
    if cells and not column.header.strip():
        return replace(column, note="Warning: cells without a header; they are left out.")
    return column


def _share(cells: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.search(cell)) for cell in cells) / len(cells)
