"""Which column of a council's own file is which: as the council says, or else by its header, or by its cells.

A header is held against those that the catalogue lists for a field, short words written in full and words that say
nothing left out, and at last against near spellings whose cells fit. Where no header tells, a column is taken for a
code of a fixed form, such as a postcode, if it alone has that form.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

import pandas as pd

from councilbook.catalogue import FieldSpec, Table
from councilbook.errors import CheckError, SourceError, suggest
from councilbook.sources.extracts.codes import find_strange, is_missing, read_cells
from councilbook.sources.extracts.days import BIRTH, is_age
from councilbook.sources.extracts.diagnoses import list_groups, load_code_lists, split_codes
from councilbook.sources.files.readers import accepted_headers, write_cells
from councilbook.sources.identifiers import POSTCODE

LOOKED_AT = 10_000  # cells, for how well a column fits
LEAST_FIT = 95  # % of cells, where a header does not tell by itself
LEAST_ALIKE, LEAST_LETTERS = 0.85, 5  # of a misspelt header and a known one: one letter in seven
HOW = ("its header", "a known header", "nearly a known header", "its cells")
DECLARED, KNOWN, NEARLY, BY_CELLS = range(4)
DATUM = r"[£+-]?[\d,.]+|\d+[/-]\d+[/-]\d+.*"  # an amount, a number or a day
PSEUDONYM = re.compile(r"(?i)pseudo|anon|hash|encrypt|token")
OTHER_YEAR = re.compile(r"(?<!\d)(20)?[01]1(?!\d)")  # of a census before that of 2021
OF_A_YEAR = re.compile(r"(?<![a-z0-9])(?:(?:last|past)[ _]?)?12[ _]?m(?:th|onth)?s?(?![a-z])")
WHEN = re.compile(r"\b(?:first|earliest|latest|recorded|diagnos\w+|dx|onset|start|register|date)\b")  # of a yes
DIAGNOSES = re.compile(r"diagnos|\bdiag|condition|\bltc")  # in the header of a column of codes of some system

_LONG = {"hh": "household", "pcd": "postcode", "pc": "postcode", "u": "under", "yr": "year", "yrs": "year"}
_LONG |= {"emerg": "emergency", "adm": "admissions", "ref": "reference", "dt": "date", "prop": "property"}
_FILLERS = frozenset({"the", "of", "in", "is", "has", "a", "number", "no", "num", "n", "count", "flag", "ind", "yn"})
_FILLERS |= {"indicator", "code", "cd", "desc", "description", "type", "current", "main", "primary", "gbp", "pounds"}
_FILLERS |= {"y", "year", "years", "annual", "plus", "over", "pseudo", "pseudonym", "pseudonymised", "anon", "score"}
_FILLERS |= {"ltc", "hash", "hashed", "sk", "dd", "mm", "yyyy"}


@dataclass(frozen=True)
class Told:
    """What a council says of its file.

    Attributes:
        columns: by header, the column of ours, or None if it is not used; None if it says nothing.
        codes: by header and code, what it stands for.
        way: where to say or to correct it, in a sentence.
        day: of which day the file is; as of it days of birth are turned into ages, and refused where it is not known.
    """

    columns: Mapping[str, str | None] | None = None
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    way: str = ""
    day: date | None = None


@dataclass(frozen=True)
class Column:
    """What a column of the file is taken for.

    Attributes:
        header: as the file has it.
        place: which column it is, counted from 0.
        target: a field, the title of a list of diagnosis codes, or None.
        found: how, in words.
        fits_pct: share of cells that can be read as that; missing where any text can, or none is there.
    """

    header: str
    place: int
    target: str | None = None
    found: str = ""
    fits_pct: float = float("nan")


def choose_columns(body: pd.DataFrame, table: Table, told: Told, where: str) -> list[Column]:
    """Say of each column of a file what it is taken for.

    Raises:
        CheckError: the council names a header or a column of ours that there is not, or one twice.
        SourceError: there is a record in the place of the header, which must not be shown.
    """
    headers = ["" if header is None else " ".join(str(header).split()) for header in body.columns]
    if _is_record(headers, table):
        raise SourceError(
            f"{where}, row {table.header_row}: it looks like a record and not like a header. Put the names of the "
            "columns into this row."
        )
    columns = [Column(header, place) for place, header in enumerate(headers)]
    if told.columns is None:
        return _guess_columns(body, columns, table, told)
    able = [*table.fields, *(load_code_lists() if list_groups(table) else [])]
    used = {" ".join(header.split()): target for header, target in told.columns.items() if target}
    for header, target in used.items():
        if headers.count(header) != 1:
            raise CheckError(f"{where}: {headers.count(header)} columns are called {header!r}, not one. {told.way}")
        if target not in able:
            raise CheckError(f"{where}: {target!r} is no column of ours.{suggest(target, able)} {told.way}")
    if twice := [name for name in table.fields if list(used.values()).count(name) > 1]:
        raise CheckError(f"{where}: several columns are said to be {', '.join(twice)}. {told.way}")
    taken = [replace(one, target=used.get(one.header), found="as the council says") for one in columns]
    return [_measure(body, one, table, told) for one in taken]


def _is_record(headers: Sequence[str], table: Table) -> bool:
    """Tell whether what stands for a header is a record: it has cells of data, and more than names that are known."""
    forms = [DATUM, rf".*{POSTCODE}.*", *(one.pattern for one in table.fields.values() if one.pattern)]
    cells = [one for one in headers if any(re.fullmatch(form, one) for form in forms)]
    named = [one for one in headers if any(rank_header(one, name, table) <= KNOWN for name in table.fields)]
    return len(cells) > len(named)


def rank_header(header: str, name: str, table: Table) -> int:
    """Tell how well a header names a field: as declared, but for words that say nothing, nearly, or not at all."""
    known = [name, *accepted_headers(name, table)]
    if header.casefold() in {" ".join(one.split()).casefold() for one in known}:
        return DECLARED
    if is_age(table.fields[name]):
        header = BIRTH.sub("age", _split_words(header))
    if table.areas and name == table.areas.lsoa and (newer := OTHER_YEAR.sub("21", header)) != header:
        return NEARLY if rank_header(newer, name, table) <= KNOWN else BY_CELLS  # its codes are brought to 2021
    if table.fields[name].type == "boolean":
        header = WHEN.sub("", _split_words(header).replace("_", " "))
    is_hidden = bool(PSEUDONYM.search(header))  # what is no pseudonym must not pass for one
    words, names = _squash(header), {_squash(one) for one in known if is_hidden or not PSEUDONYM.search(one)}
    able = {words, words.removeprefix("household")} | ({f"{words}id"} if is_hidden else set())
    if able & names:
        return KNOWN
    if len(words) < LEAST_LETTERS:
        return BY_CELLS
    digits = re.sub(r"\D", "", words)
    same = [one for one in names if re.sub(r"\D", "", one) == digits]  # another year is no slip
    return NEARLY if get_close_matches(words, same, 1, LEAST_ALIKE) else BY_CELLS


@lru_cache(maxsize=10_000)
def _squash(header: str) -> str:
    """Write a header in small letters and digits alone, short words in full and without those that say nothing."""
    split = OF_A_YEAR.sub("", _split_words(header))
    words = [_LONG.get(word, word) for word in re.findall(r"[a-z]+|[0-9]+", split)]
    return "".join([word for word in words if word not in _FILLERS] or words)


def _split_words(header: str) -> str:
    """Split a header in which a capital begins a word, and write it in small letters."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", header.replace("kWh", "kwh")).lower()


def _guess_columns(body: pd.DataFrame, columns: Sequence[Column], table: Table, told: Told) -> list[Column]:
    """Give each field the column that is called so; of several the one that fits best, and none if two fit alike."""
    chosen: dict[int, Column] = {}
    for rank in (DECLARED, KNOWN, NEARLY, BY_CELLS):
        for name, spec in table.fields.items():
            if name in {one.target for one in chosen.values()} or (rank == BY_CELLS and not spec.pattern):
                continue
            able = [one for one in columns if one.header and one.place not in chosen]
            if rank == BY_CELLS:  # another year is another column
                able = [one for one in able if not OTHER_YEAR.search(one.header) or "21" not in name]
            named = [one for one in able if rank == BY_CELLS or rank_header(one.header, name, table) == rank]
            taken = [_measure(body, replace(one, target=name, found=HOW[rank]), table, told) for one in named]
            if best := _choose_best([one for one in taken if rank < NEARLY or one.fits_pct >= LEAST_FIT], rank):
                chosen[best.place] = best
    if set(list_groups(table)) - {one.target for one in chosen.values()}:
        guessed = [_guess_list(body, one, table, told) for one in columns if one.place not in chosen]
        chosen |= {one.place: one for one in guessed if one}
    return [chosen.get(one.place, one) for one in columns]


def _choose_best(able: Sequence[Column], rank: int) -> Column | None:
    ordered = sorted(able, key=lambda one: one.fits_pct if one.fits_pct == one.fits_pct else -1.0, reverse=True)
    if len(ordered) < 2:
        return ordered[0] if ordered else None
    return ordered[0] if rank < BY_CELLS and ordered[0].fits_pct > ordered[1].fits_pct else None


def _guess_list(body: pd.DataFrame, column: Column, table: Table, told: Told) -> Column | None:
    """Take a column for codes of a system if it is called so, or called diagnosis, and nearly all cells are such."""
    header = re.sub(r"[^a-z]+", " ", column.header.lower())
    titles = [
        title
        for title, codes in load_code_lists().items()
        if DIAGNOSES.search(header) or re.search(rf"\b(?:{codes.headers})", header)
    ]
    able = [_measure(body, replace(column, target=one, found="its header and cells"), table, told) for one in titles]
    return _choose_best([one for one in able if one.fits_pct >= LEAST_FIT], DECLARED)


def _measure(body: pd.DataFrame, column: Column, table: Table, told: Told) -> Column:
    """Say which share of a column's cells can be read as what it is taken for."""
    if column.target is None:
        return column
    spec = table.fields.get(column.target)
    if spec and spec.type == "string" and not (spec.enum or spec.pattern):
        return column
    cells = write_cells(body.iloc[:, column.place])
    cells, codes = cells[~is_missing(cells)].head(LOOKED_AT), told.codes.get(column.header, {})
    if system := load_code_lists().get(column.target):
        parts = [split_codes(str(cell)) for cell in cells]
        fits = pd.Series([all(code in codes or system.read_code(code) for code in part) for part in parts], dtype=bool)
    else:
        spec = table.fields[column.target]
        fits = _find_fitting(read_cells(cells, spec, codes, told.day), spec)
    return replace(column, fits_pct=100 * float(fits.mean()) if len(fits) else float("nan"))


def _find_fitting(cells: "pd.Series[str]", spec: FieldSpec) -> "pd.Series[bool]":
    """Tell which cells, once read, are of a column's type."""
    if spec.enum or spec.type == "boolean":
        return ~find_strange(cells, spec)
    if spec.type in ("string", "date"):
        form = spec.pattern if spec.type == "string" else r"\d{4}-\d\d-\d\d"
        return cells.isna() | cells.str.fullmatch(str(form)).fillna(False).astype("bool")
    return cells.isna() | pd.to_numeric(cells, errors="coerce").notna()
