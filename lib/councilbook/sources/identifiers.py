"""Refuses an extract of pseudonymised records in which people could be read.

Source:
    NHS Data Model and Dictionary, NHS number, on its check digit.
"""

import re
from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from councilbook.errors import CheckError

Flags = NDArray[np.bool_]

SHOWN = 3
PSEUDONYMS_ONLY = "Expected pseudonyms only: leave the column out of the extract."
AREA_NAMES = re.compile(r"(?:oa|lsoa|msoa|lad|ward|ltla|utla|rgn)\d{0,2}_?(?:name|nm)")
NOT_NHS = {"uprn"}  # property numbers may have ten digits as well
NAMED_LIKE_PEOPLE = re.compile(
    r"(?:^|_)(?:nhs(?:$|_?n|_?id)|(?:name|forename|surname|firstname|lastname|fullname|initials|address|addr|street"
    r"|house_number|e?mail|telephone|phone|mobile|dob|date_of_birth|birth_?date|ni_number|nino)(?:$|_))"
)
TOKEN = r"[A-Za-z0-9_]+|[+-]?[0-9]+\.[0-9]*"  # a pseudonym, a code or a number: nothing to read in it but digits
NHS_NUMBER = r"(?:^|[^0-9A-Za-z])([0-9]{3})[ -]?([0-9]{3})[ -]?([0-9]{4})(?:$|[^0-9A-Za-z])"
NHS_WEIGHTS = np.arange(10, 1, -1)
_UPPER, _LOWER = "A-ZÀ-ÖØ-ÞĀ-ž", "a-zß-öø-ÿĀ-ž"  # written out, as RE2 knows no other classes that Python knows too
_WORD = rf"(?:[{_UPPER}]\.?|[{_UPPER}][{_LOWER}]*[’'\-]?[{_UPPER}]?[{_LOWER}]+|[{_UPPER}]+[’'\-]?[{_UPPER}]+)"
_TITLE = r"(?:Mrs?|Ms|Miss|Dr|Prof|Rev|Sir|Dame)\.?\s+"
POSTCODE = r"\b[A-Za-z]{1,2}[0-9][A-Za-z0-9]? ?[0-9][A-Za-z]{2}\b"
TEXTS = {
    "an e-mail address": r"[^\s@]+@[^\s@]+\.[^\s@]+",
    "a postcode": POSTCODE,
    "an address": (
        r"(?i)\b(?:flat|apartment|unit)\s+[0-9]+|^\s*[0-9]+[a-z]?,?\s+\S.*\b(?:street|st|road|rd|lane|ln|avenue|ave"
        r"|close|drive|way|court|gardens|terrace|place|crescent|grove|hill|house|mews|square|row|walk)\b"
    ),
    "a name": rf"^\s*(?:{_TITLE})?{_WORD}(?:,?\s+{_WORD}){{1,3}}\s*$|^\s*{_TITLE}\S+",
}


def check_pseudonymised(frame: pd.DataFrame, where: str, unread: Collection[str] = ()) -> None:
    """Refuse an extract in which people could be read: names, addresses, e-mail addresses, NHS numbers.

    What is looked for: columns named like such; text with a full postcode (outside a column of that name), an e-mail
    address or a line of an address in it, or that is a name by its capitals; and numbers of ten digits with the check
    digit of an NHS number. One number of ten digits in eleven has it by chance, so a pseudonym must not have ten
    digits. No such look finds all: a name in lower case in a column of another name is not found.

    Args:
        frame: every column of the extract, read or not; its index names rows in a message.
        where: what the table is, for the message.
        unread: columns of which what looks like a name is not read; see `find_person_names`.

    Raises:
        CheckError: with the column and the rows, and no value.
    """
    check_names(map(str, frame.columns), where)
    for place, column in enumerate(frame.columns):
        name = _normalise(str(column))
        values = frame.iloc[:, place]
        if is_bool_dtype(values) or is_datetime64_any_dtype(values):
            continue
        for kind, found in _find_identifiers(values, name):
            if found.any() and not (kind == "a name" and column in unread):
                rows = ", ".join(map(str, frame.index[found][:SHOWN]))
                held = f"{column} has what looks like {kind} in {found.sum()} rows (row {rows})"
                raise CheckError(f"{where}: {held}. {PSEUDONYMS_ONLY}")


def find_person_names(values: pd.Series) -> pd.Series:
    """Tell which texts look like a person's name."""
    return values.astype("str").str.contains(TEXTS["a name"], regex=True).fillna(False).astype("bool")


def check_names(columns: Iterable[str], where: str) -> None:
    """Refuse columns that are named like such as tell who somebody is.

    Raises:
        CheckError: one is.
    """
    for column in columns:
        if NAMED_LIKE_PEOPLE.search(name := _normalise(column)) and not AREA_NAMES.fullmatch(name):
            raise CheckError(
                f"{where}: the column {column} is named like one that tells who somebody is. {PSEUDONYMS_ONLY}"
            )


def _normalise(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower())


def _find_identifiers(values: pd.Series, name: str) -> Iterable[tuple[str, Flags]]:
    """Tell for each kind of identifier in which rows it is."""
    if is_numeric_dtype(values):
        if name not in NOT_NHS:
            numbers = values.to_numpy(dtype="float64", na_value=np.nan)
            yield "an NHS number", _find_nhs_numbers(numbers, lowest=10**9)
        return
    texts = values.reset_index(drop=True).dropna().astype("str")
    is_token = texts.str.fullmatch(TOKEN).astype("bool")
    rest = texts[~is_token]
    if name not in NOT_NHS:
        digits = pd.concat([texts[texts.str.fullmatch(r"[0-9]{10}(?:\.0*)?").astype("bool")], rest])
        parts = digits.str.extract(NHS_NUMBER).dropna()
        is_nhs = _find_nhs_numbers((parts[0] + parts[1] + parts[2]).to_numpy(dtype="float64"))
        yield "an NHS number", _place(parts.index[is_nhs], len(values))
    for kind, pattern in TEXTS.items():
        if (kind == "a postcode" and name == "postcode") or (kind == "a name" and AREA_NAMES.fullmatch(name)):
            continue
        found = rest.index[rest.str.contains(pattern, regex=True).astype("bool")]
        if kind == "a postcode":  # one written without its space is a single word
            found = found.append(texts.index[texts.str.fullmatch(POSTCODE).astype("bool")])
        yield kind, _place(found, len(values))


def _place(found: pd.Index, size: int) -> Flags:
    """Return which of so many rows were found, by position."""
    flags: Flags = np.zeros(size, dtype=bool)
    flags[found] = True
    return flags


def _find_nhs_numbers(values: NDArray[np.float64], lowest: int = 0) -> Flags:
    """Tell which numbers have ten digits and the right check digit, modulo 11; those below the lowest have fewer."""
    with np.errstate(invalid="ignore"):
        is_long = (values >= lowest) & (values < 10**10) & (values % 1 == 0)
    digits = values[is_long].astype("int64")[:, None] // 10 ** np.arange(9, -1, -1) % 10
    check = (11 - digits[:, :9] @ NHS_WEIGHTS % 11) % 11  # 10 is no digit, so no number has it
    found: Flags = np.zeros(len(values), dtype=bool)
    found[is_long] = check == digits[:, 9]
    return found
