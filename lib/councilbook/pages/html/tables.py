"""Tables, and how the values in their cells are written."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from councilbook.errors import CouncilbookError, suggest
from councilbook.pages.html.pieces import Html, escape, fill, render_template
from councilbook.pages.html.wording import format_date, label_column

NO_VALUE = "n/a"
HIDDEN = Html("[c]")  # as the Government Analysis Function has it: confidential
HIDDEN_NOTE = f"{HIDDEN.text} is a figure that was hidden to protect people, or to keep another hidden."
FEWEST_SORTED = 3  # rows of a table that is worth sorting


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    headers: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
    label: str | None = None,
) -> Html:
    """Write a table that a screen reader can follow: a caption, and a scope on every header.

    Written here because neither `DataFrame.to_html` nor a `Styler` can write scopes. The first column heads its
    row; the index is not shown. A column's numbers are right-aligned, with thousands separators and as many
    decimals throughout. A table of more than two columns can be scrolled sideways, by keyboard too. In a report a
    reader can sort the rows by any column. Where the gate hid a figure, the cell is [c], and a line below says why.

    Args:
        frame: one row a table row; a cell that is `Html` is not escaped. Of a released dataset with the column
            is_suppressed, that is not shown: it says in which rows a missing number was hidden.
        caption: what the table shows.
        headers: column to the words shown above it; those of `label_column` where none are given.
        formats: column to a Python format specification, as `.1f` or `,d`.
        label: name of the scrolling region; the caption if none is given.

    Raises:
        CouncilbookError: headers or formats name a column that is not there, or the caption is empty.
    """
    if not caption.strip():
        raise CouncilbookError("A table needs a caption that says what it shows.")
    headers, formats = headers or {}, formats or {}
    for name in [*headers, *formats]:
        if name not in frame.columns:
            raise CouncilbookError(f"Table {caption!r} has no column {name!r}.{suggest(name, map(str, frame.columns))}")
    hidden = frame.get("is_suppressed", pd.Series(False, index=frame.index)).astype(bool)
    columns: list[dict[str, Any]] = []
    for name in frame.columns.drop("is_suppressed", errors="ignore"):
        number = pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
        header = headers.get(name, label_column(str(name)))
        told = header if header.casefold().startswith("year") else str(name)
        specification = formats.get(name, choose_format(frame[name].rename(told)))
        columns.append(
            {
                "header": header,
                "number": number,
                "cells": [
                    HIDDEN if number and gone and pd.isna(value) else format_value(value, specification)
                    for value, gone in zip(frame[name], hidden, strict=True)
                ],
            }
        )
    rows = list(zip(*(column["cells"] for column in columns), strict=True))
    return render_template(
        "table.html.j2",
        caption=caption,
        columns=columns,
        rows=rows,
        label=label or caption,
        wide=len(columns) > 2,
        sortable=len(rows) >= FEWEST_SORTED,
        note=HIDDEN_NOTE if any(HIDDEN in column["cells"] for column in columns) else "",
    )


def record_cards(
    frame: pd.DataFrame, name: str, *, headers: Mapping[str, str], formats: Mapping[str, str] | None = None
) -> Html:
    """Write a card a row, for few rows of many columns that nobody compares down a column.

    Args:
        frame: one row a card.
        name: column with the cards' names.
        headers: column to its words, for each that is shown.
        formats: column to a Python format specification.
    """
    formats = formats or {}
    records = [
        {
            "name": row[name],
            "facts": [(words, format_value(row[column], formats.get(column, ""))) for column, words in headers.items()],
        }
        for row in frame.to_dict("records")
    ]
    return render_template("record_cards.html.j2", records=records)


def choose_format(column: "pd.Series[Any]") -> str:
    """Choose how a column is written: whole numbers with separators, years without, others to three figures or so."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return ""
    present = column.dropna()
    if present.empty:
        return ""
    whole = bool((present % 1 == 0).all())
    if whole and present.between(1000, 2999).all() and "year" in str(column.name).casefold():
        return ".0f"
    largest = float(present.abs().max())
    decimals = 0 if whole else 1 if largest >= 10 else 2 if largest >= 1 else 3
    return f",.{decimals}f"


def format_value(value: Any, specification: str = "") -> Html:
    """Write one value as escaped text: none as n/a, true and false as yes and no, dates as 23 November 2026."""
    if isinstance(value, Html):
        return value
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return Html(NO_VALUE)
    if pd.api.types.is_bool(value):
        return Html("yes" if value else "no")
    if isinstance(value, date):
        return fill('<time datetime="{}">{}</time>', f"{value:%Y-%m-%d}", format_date(value))
    if specification.endswith("d"):
        value = round(value)  # whole numbers come as floats where one of their column is missing
    text = format(value, specification)
    return escape(text.replace("-", "−", 1) if pd.api.types.is_number(value) else text)
