"""What a cell of a council's own file says: its codes, days, amounts and postcodes, written as our columns have them.

Known without being told are yes and no in their usual forms, the codes that the catalogue lists, marks of a missing
value, days as ISO or as day, month and year, amounts with a pound sign, and codes in small letters or without their
space. What is not known stays as it is, so that the checks that follow find it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from councilbook.catalogue import FieldSpec
from councilbook.sources.extracts.days import (
    is_age,
    is_clock,
    is_moment,
    read_ages,
    read_bands,
    read_day,
    write_clock,
    write_moment,
)
from councilbook.sources.files.readers import BOOLEANS

MISSING = frozenset({"", "null", "(null)", "n/a", "na", "#n/a", "nan", "none"})  # as `fold_code` writes them
MARK = 8  # letters, more than any such mark has
BLANK = "(blank)"  # how a council names a blank cell, to say what it means
NO_VALUE = "missing"  # how a council says that a code is no value
YES_OR_NO = BOOLEANS | {"t": True, "f": False, "x": True, "✓": True}
POSTCODE = re.compile(r"[A-Z]{1,2}(?:\d|[1-9]\d|\d[A-HJ-NP-Z]) \d[ABD-HJLNP-UW-Z]{2}")  # the letters that are in use
ALIKE = {"O": "O0", "0": "0O", "I": "I1", "1": "1I"}
NUMBERS = ("integer", "number", "year")
PLAIN = re.compile(r"[+-]?\d+\.?\d*")
IN_PERCENT = ("%", "percent", "points")  # units of which a percent sign may stand behind each number
DOUBTFUL = "? "  # stands before a number in which it cannot be told what a point, or a comma, is


def order_words(folded: str) -> str:
    """Put the words of a folded code in order, so that "flat, purpose built" is a purpose built flat."""
    return " ".join(sorted(re.findall(r"[^\s,:;/-]+", folded)))


def fold_code(code: str) -> str:
    """Write a code without what councils vary in: case, spaces, dashes, a decimal point that says nothing."""
    words = re.sub(r"[\s_-]+", " ", code).strip().casefold()
    return re.sub(r"(?<=\d)\.0+$", "", words)


def list_known(field: FieldSpec) -> dict[str, str]:
    """List the codes of a column that are known without being told, folded, with what they stand for."""
    if field.type == "boolean":
        return {word: "true" if value else "false" for word, value in YES_OR_NO.items()}
    if not field.enum:
        return {}
    known = {fold_code(value): value for value in field.enum}
    for value, codes in field.codes.items():
        known |= {fold_code(code): value for code in codes if fold_code(code) not in known}
    return {order_words(code): value for code, value in reversed(known.items())} | known


def list_values(field: FieldSpec) -> list[str]:
    """List what a column of codes may say, as a council writes it; nothing if it holds no codes."""
    return ["yes", "no"] if field.type == "boolean" else list(field.enum or [])


def is_missing(cells: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which cells say nothing, by marks that every file may have."""
    places, words = pd.factorize(cells.fillna(""))
    says_nothing = pd.Series(
        [len(word) <= MARK and fold_code(word) in MISSING for word in map(str, words)], dtype="bool"
    )
    return says_nothing.iloc[places].set_axis(cells.index)


def find_coarse(field: FieldSpec) -> dict[str, list[str]]:
    """Find the codes that the catalogue lists under several values, folded, with these; the first is what is read."""
    values: dict[str, list[str]] = {}
    for value, codes in field.codes.items():
        for code in codes:
            values.setdefault(fold_code(code), []).append(value)
    return {code: several for code, several in values.items() if len(several) > 1}


def read_cells(
    cells: "pd.Series[str]", field: FieldSpec, told: Mapping[str, str], day: date | None = None
) -> "pd.Series[str]":
    """Read the cells of one column.

    Args:
        cells: text without spaces around; missing where a cell is.
        field: what the column is.
        told: by code, what a council says that it stands for, or `NO_VALUE`; `BLANK` stands for a blank cell.
        day: as of which days of birth are turned into ages; without it they stay what they are.

    Returns:
        The cells as `readers.convert_types` takes them: values of `enum`, true and false, ISO days, numbers, missing
        values. A cell that is none of these is left as it was.
    """
    places, words = pd.factorize(cells.fillna(""))  # of millions of cells a few words
    parse = _choose_parser(field)
    known = list_known(field)
    missing = MISSING | {fold_code(mark) for mark in field.missing}
    longest = max(MARK, *map(len, missing))
    own = {fold_code(code): value for code, value in told.items()} | dict(told)

    def read(word: str) -> str | None:
        if own:
            word = own.get(word or BLANK, own.get(fold_code(word or BLANK), word))
        folded = fold_code(word) if known or len(word) <= longest else word  # most cells of a file are long pseudonyms
        if value := known.get(folded) or known.get(order_words(folded)):
            return value
        if field.type == "boolean" and read_day(word):  # since when
            return "true"
        return None if folded in missing or word == NO_VALUE else parse(word)

    read_words = pd.Series([read(str(word)) for word in words], dtype="str")
    read_words = read_bands(read_words, field)
    if day and is_age(field):
        read_words = read_ages(read_words, field, day)
    if field.type in NUMBERS:
        read_words = _read_numbers(read_words, field, np.bincount(places))
    return read_words.iloc[places].set_axis(cells.index)


def find_strange(cells: "pd.Series[str]", field: FieldSpec) -> "pd.Series[bool]":
    """Tell which cells, once read, are no code of the column; none if its values are not listed."""
    values = ["true", "false"] if field.type == "boolean" else field.enum
    return ~cells.isin(values) & cells.notna() if values else pd.Series(False, index=cells.index)


def _choose_parser(field: FieldSpec) -> Callable[[str], str]:
    if field.type == "date":
        return lambda word: born.isoformat() if (born := read_day(word)) else word
    if is_clock(field) or is_moment(field):
        return write_clock if is_clock(field) else write_moment
    if is_postcode(field):
        return lambda word: mend_postcode(word) or _tidy(word, str(field.pattern))
    if field.pattern:
        return lambda word: _tidy(word, str(field.pattern))
    return str


def _read_numbers(words: "pd.Series[str]", field: FieldSpec, rows: npt.NDArray[np.intp]) -> "pd.Series[str]":
    """Write numbers as Python does, where the column says what a point and what a comma is in them, or else `DOUBTFUL`.

    A cell that has only one reading decides for all. If none does, a comma before three digits marks thousands. Where
    they contradict each other, those that fewer rows have are doubtful.
    """
    if has_shares(words, field):
        shares = pd.to_numeric(words, errors="coerce")
        return (100 * shares).round().astype("Int64").astype("str").mask(shares.isna(), words)
    signed = field.unit in IN_PERCENT and words.dropna().str.endswith("%").all()
    units = "|".join(["£", re.escape((field.unit or "£").split()[0]), *["%"] * bool(signed)])
    plain = words.map(lambda word: _tidy_number(word, units), na_action="ignore").astype("str")
    grouped = r"\d+" if field.unit == "degrees" else r"(\d+|[1-9]\d{{0,2}}({other}\d\d\d)+)"  # no place is at 51,583
    end = r"(\d+)" if field.type == "number" else "(0+)"
    point, comma = (
        plain.str.fullmatch(rf"[+-]?{grouped.format(other=other)}({mark}{end}?)?").fillna(False).astype("bool")
        for mark, other in ((r"\.", ","), (",", r"\."))
    )
    by_point, by_comma = point & ~comma, comma & ~point
    may_be_either = point & comma & plain.str.contains(".", regex=False).fillna(False).astype("bool")
    read = plain.str.replace(",", "").where(point, words)
    if by_comma.any():
        read = plain.str.replace(".", "", regex=False).str.replace(",", ".").where(comma, words)
        doubtful = by_point if rows[by_point].sum() < rows[by_comma].sum() else by_comma & bool(by_point.any())
    else:
        doubtful = may_be_either & (not by_point.any() and field.type == "number")
    return read.mask(doubtful, DOUBTFUL + words)


def has_shares(cells: "pd.Series[str]", field: FieldSpec) -> bool:
    """Tell whether a column of whole percentages holds shares of 1: a workbook has 0.75 where it shows 75%."""
    is_whole = field.type == "integer" and field.unit == "percent"
    return is_whole and bool(0 < pd.to_numeric(cells, errors="coerce").max() <= 1)


def _tidy_number(word: str, units: str) -> str:
    """Write a number without its unit and the spaces between thousands, and with a sign for brackets around it."""
    if PLAIN.fullmatch(word):
        return word
    bare = re.sub(rf"^([(+-]?)\s*(?:{units})\s*|\s*(?:{units})(?=\)?$)", r"\1", word.replace("\u2212", "-"))
    return re.sub(r"^\((.+)\)$|^(\d.*)-$", r"-\1\2", re.sub(r"(?<=\d)\s(?=\d\d\d(?!\d))", "", bare))


def is_postcode(field: FieldSpec) -> bool:
    """Tell whether a column holds postcodes."""
    return bool(field.pattern and re.fullmatch(field.pattern, "ZZ1 1ZZ"))


def mend_postcode(word: str) -> str | None:
    """Write a postcode in capitals with its space, O and 0, I and 1 where only one of them can be; else None."""
    joined = re.sub(r"[\s.,_-]", "", word.upper())
    if not 5 <= len(joined) <= 7:
        return None
    able = {f"{one[:-3]} {one[-3:]}" for one in map("".join, product(*(ALIKE.get(mark, mark) for mark in joined)))}
    known = {one for one in able if POSTCODE.fullmatch(one)}
    as_written = known & {f"{joined[:-3]} {joined[-3:]}"}
    return next(iter(as_written or known)) if as_written or len(known) == 1 else None


def _tidy(word: str, pattern: str) -> str:
    """Write a code as its pattern asks: in capitals, and with the one space that a postcode has."""
    joined = re.sub(r"\s", "", word.upper())
    for one in (word, word.upper(), joined, f"{joined[:-3]} {joined[-3:]}"):
        if re.fullmatch(pattern, one):
            return one
    return word
