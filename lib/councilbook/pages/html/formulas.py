"""Texts of a CSV that a spreadsheet would run as formulas."""

import re

import pandas as pd
from pandas.api.types import is_object_dtype

# What a spreadsheet may run when it opens a CSV (CWE-1236; OWASP, CSV Injection). Apostrophes before it belong to it,
# so that a text which had one already is told from a text that was given one.
FORMULA = re.compile(r"[ ']*[=+\-@＝＋－＠\t\r\n]")
FORMULA_NOTE = (
    "A spreadsheet could run a text that begins with = + - @, a tab or a line end. In the CSV such a text has an "
    "apostrophe before it; without the apostrophe it is the text. Numbers are as they are."
)


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula; `restore_formula` takes it away."""
    return f"'{text}" if FORMULA.match(text) else text


def restore_formula(text: str) -> str:
    """Return the text that `escape_formula` was given."""
    return text[1:] if text.startswith("'") and FORMULA.match(text[1:]) else text


def escape_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Escape the texts and column names of a table that leaves as CSV; numbers, dates and missing values stay."""
    safe = frame.rename(columns=lambda name: escape_formula(name) if isinstance(name, str) else name)
    for place, kind in enumerate(frame.dtypes):
        if is_object_dtype(kind) or isinstance(kind, pd.StringDtype | pd.CategoricalDtype):
            cells = frame.iloc[:, place].astype(object)
            escaped = [escape_formula(cell) if isinstance(cell, str) else cell for cell in cells]
            safe.isetitem(place, pd.array(escaped, dtype=object))
    return safe
