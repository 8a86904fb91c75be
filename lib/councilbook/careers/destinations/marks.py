"""Cells of the Department for Education's tables: a number, a whole percentage, or a mark that says why there is none.

The marks mean different things, and are kept apart: what is hidden is not what does not apply.
"""

import re

import numpy as np
import pandas as pd

from councilbook.errors import CheckError

HIDDEN, NOT_THERE = "[c] hidden by the publisher", "does not apply, or was not there that year"
# As in the lists of abbreviations of the performance tables and of Explore Education Statistics; SN is in neither, and
# stands where a small number would.
MARKS = {
    "": "left blank by the publisher",
    "SUPP": HIDDEN,
    "c": HIDDEN,
    "SN": "a small number",
    "SP": "above 0 and below 0.5%",
    "NA": NOT_THERE,
    "z": NOT_THERE,
    "NE": "no entries",
    "NP": "not published",
    "LOWCOV": "too few were covered",
    "~": "rounds to nothing",
    "low": "rounds to nothing",
    ":": "not available",
    "x": "not available",
}
NUMBER = re.compile(r"-?(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d+)?%?")
SMALL_PERCENT = 0.25  # what SP, between 0 and 0.5%, is taken for


def read_cells(cells: "pd.Series[str]", where: str, *, percent: bool = False) -> pd.DataFrame:
    """Read the cells of a column.

    Args:
        cells: as they are in the file.
        where: what the column is, for a message.
        percent: whether they are percentages, from 0 to 100.

    Returns:
        value (NaN where there is none) and reason (why not; empty where there is a value), with the cells' index.

    Raises:
        CheckError: a cell is neither a number nor a mark, or a count is below 0, or a percentage not from 0 to 100.
    """
    text = cells.fillna("").str.strip()
    is_number = text.str.fullmatch(NUMBER)
    value = pd.to_numeric(text.where(is_number).str.replace(r"[,%]", "", regex=True), errors="coerce").astype("float64")
    top = 100 if percent else np.inf
    wrong = ~is_number & ~text.isin(MARKS) | (value < 0) | (value > top) | (~percent & text.str.endswith("%"))
    if wrong.any():
        bad = text[wrong]
        kind = "a percentage from 0 to 100" if percent else "a count"
        raise CheckError(
            f"{where}: row {bad.index[0]} has {bad.iloc[0]!r}, and {len(bad)} rows are such; expected {kind}, or one "
            f"of the marks {', '.join(mark for mark in MARKS if mark)}."
        )
    reason = text.map(MARKS).where(~is_number, "")
    if percent:
        is_small = text.eq("SP")
        value, reason = value.mask(is_small, SMALL_PERCENT), reason.mask(is_small, "")
    return pd.DataFrame({"value": value, "reason": reason.astype("str")})
