"""A look through an extract for what tells who somebody is, before anything is done with it.

Source:
    NHS Data Model and Dictionary, NHS number, on its check digit.
"""

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from councilbook.checks import list_rows
from councilbook.errors import CheckError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PSEUDONYMS_ONLY = "Expected pseudonyms only: leave the column out of the extract."

IDENTIFYING_NAME = re.compile(
    r"(?:^|_)(?:nhs(?:$|_?n|_?id)|(?:name|forename|surname|firstname|lastname|fullname|initials|address|addr|street"
    r"|house_number|e?mail|telephone|phone|mobile|dob|date_of_birth|birth_?date|ni_number|nino)(?:$|_))"
)
NHS_NUMBER = r"(?:^|[^0-9])([0-9]{3})[ -]?([0-9]{3})[ -]?([0-9]{4})(?:$|[^0-9])"
EMAIL = r"[^\s@]+@[^\s@]+\.[^\s@]+"
POSTCODE = r"\b[A-Za-z]{1,2}[0-9][A-Za-z0-9]? ?[0-9][A-Za-z]{2}\b"
# A pseudonym or a code has nothing to read in it, unless it is an NHS number or a postcode without its space.
CODE = r"[A-Za-z0-9_]+"
READABLE_CODE = r"[0-9]{10}|[A-Za-z]{1,2}[0-9][A-Za-z0-9]?[0-9][A-Za-z]{2}"
ADDRESS = (
    r"(?i)\b(?:flat|apartment|unit)\s+[0-9]+|^\s*[0-9]+[a-z]?,?\s+\S.*\b(?:street|st|road|rd|lane|ln|avenue|ave|close|"
    r"drive|way|court|gardens|terrace|place|crescent|grove|hill|house|mews|square|row|walk)\b"
)
_WORD = r"(?:[A-Z]\.?|[A-Z][a-z]*[’'\-]?[A-Z]?[a-z]+|[A-Z]+[’'\-]?[A-Z]+)"
_TITLE = r"(?:Mrs?|Ms|Miss|Dr|Prof|Rev|Sir|Dame)\.?\s+"
PERSON_NAME = rf"^\s*(?:{_TITLE})?{_WORD}(?:,?\s+{_WORD}){{1,3}}\s*$|^\s*{_TITLE}\S+"
NOT_NHS = {"uprn"}  # property numbers may have ten digits as well
AREA_NAMES = {"lad22_name", "lsoa21_name", "lsoa11_name"}
NHS_WEIGHTS = np.arange(10, 1, -1)


def check_extract(frame: pd.DataFrame, where: str) -> None:
    """Refuse an extract in which people could be read: names, addresses, e-mail addresses, NHS numbers.

    What is looked for: columns named like such; text with a full postcode, an e-mail address or a line of an address in
    it, or that is a name by its capitals; and numbers of ten digits with the check digit of an NHS number. One number
    of ten digits in eleven has it by chance, so a pseudonym must not have ten digits. No such look finds all: a name in
    lower case in a column of another name is not found.

    Args:
        frame: a table of the extract. Postcodes may be in its column postcode, and property numbers in uprn.
        where: its name, for the message.

    Raises:
        CheckError: with the column and the rows, by position, and no value.
    """
    for column in frame.columns:
        name, values = str(column), frame[column]
        if name not in AREA_NAMES and IDENTIFYING_NAME.search(_spell_plainly(name)):
            filled = values.notna().to_numpy()
            raise CheckError(
                f"{where}: the column {name} is named like one that tells who somebody is; it has a value in "
                f"{filled.sum()} rows (row {list_rows(filled)}, counted from 0). {PSEUDONYMS_ONLY}"
            )
        for kind, found in _find_identifiers(values, name):
            if found.any():
                raise CheckError(
                    f"{where}: {name} has what looks like {kind} in {found.sum()} rows (row {list_rows(found)}, "
                    f"counted from 0). {PSEUDONYMS_ONLY}"
                )


def _spell_plainly(name: str) -> str:
    """Write the name of a column in lower case, with _ between words."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def _find_identifiers(values: pd.Series, name: str) -> Iterable[tuple[str, Flags]]:
    """Tell for each kind of identifier in which rows it is."""
    if is_bool_dtype(values) or values.dtype.kind in "mM":
        return
    if is_numeric_dtype(values):
        if name not in NOT_NHS:
            yield "an NHS number", _find_nhs_numbers(values.to_numpy(dtype="float64", na_value=np.nan), lowest=10**9)
        return
    texts = values.astype("str")
    is_code = texts.str.fullmatch(CODE, na=True) & ~texts.str.fullmatch(READABLE_CODE, na=False)
    rows = np.flatnonzero(~is_code.to_numpy(dtype=bool))
    codes, distinct = pd.factorize(texts.iloc[rows])
    readable = pd.Series(distinct, dtype="str")
    for kind, found in _find_in_texts(readable, name):
        flags = np.zeros(len(values), dtype=bool)
        flags[rows] = found[codes]
        yield kind, flags


def _find_in_texts(texts: pd.Series, name: str) -> Iterable[tuple[str, Flags]]:
    if name not in NOT_NHS:
        parts = texts.str.extract(NHS_NUMBER)
        numbers = (parts[0] + parts[1] + parts[2]).to_numpy(dtype="float64", na_value=np.nan)
        yield "an NHS number", _find_nhs_numbers(numbers, lowest=0)
    patterns = {"an e-mail address": EMAIL, "a postcode": POSTCODE, "an address": ADDRESS, "a name": PERSON_NAME}
    for kind, pattern in patterns.items():
        if (kind, name) != ("a postcode", "postcode") and (kind != "a name" or name not in AREA_NAMES):
            yield kind, texts.str.contains(pattern, regex=True).to_numpy(dtype=bool)


def _find_nhs_numbers(values: Numbers, lowest: int) -> Flags:
    """Tell which numbers have ten digits and the right check digit, modulo 11; those below the lowest have fewer."""
    with np.errstate(invalid="ignore"):
        is_long = (values >= lowest) & (values < 10**10) & (values % 1 == 0)
    digits = values[is_long].astype("int64")[:, None] // 10 ** np.arange(9, -1, -1) % 10
    check = (11 - digits[:, :9] @ NHS_WEIGHTS % 11) % 11  # 10 is no digit, so no number has it
    found: Flags = np.zeros(len(values), dtype=bool)
    found[is_long] = check == digits[:, 9]
    return found
