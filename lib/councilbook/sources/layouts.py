"""How a closed or shared file is laid out: its columns in words, and an example file of invented rows to fill."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from councilbook.catalogue import FieldSpec, Source, Table
from councilbook.sources.extracts.days import is_age

ROWS = 3
DAY, YEAR, AGE, AMOUNT = "2026-01-{:02}", 2021, 40, 1000  # of an example that the catalogue does not give


@dataclass(frozen=True)
class LayoutColumn:
    """A column in words.

    Attributes:
        header: as the example file has it.
        description: what it is, with its unit.
        values: what may stand in it.
        needed: whether a file must have it, and a value in each row.
        example: an invented value.
    """

    header: str
    description: str
    values: str
    needed: bool
    example: str


def choose_laid_out(sources: Iterable[Source]) -> list[Source]:
    """Choose the sources that a council has a file of its own of, with declared columns."""
    return [one for one in sources if one.is_mapped and one.spectrum != "open" and one.tables]


def describe_layout(table: Table) -> list[LayoutColumn]:
    """Describe the columns of a table."""
    return [
        LayoutColumn(
            (field.column or [name])[0],
            f"{field.description} ({field.unit})" if field.unit else field.description,
            _describe_values(field, is_key=field.unique or table.key == [name]),
            field.required and not field.may_be_absent,
            make_example(name, table, 0),
        )
        for name, field in table.fields.items()
    ]


def write_example(source: Source) -> str:
    """Write an example file as CSV: the header, and a few rows in which nothing is real."""
    table = source.table()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.header for column in describe_layout(table)])
    writer.writerows([make_example(name, table, row) for name in table.fields] for row in range(ROWS))
    return text.getvalue()


def name_example(source: Source) -> str:
    """Return what the example file of a source is called; a run takes no file of that name for a council's own."""
    return f"example_{source.file}"


def make_example(name: str, table: Table, row: int) -> str:
    """Make a value of a column; those of a key, and of the first column, differ from row to row."""
    field = table.fields[name]
    if field.example or (field.type == "string" and not field.enum):
        example = field.example or f"{name}1"
        if not (name in table.key or field.unique or name == next(iter(table.fields))):
            return example
        return re.sub(r"\d+(?=\D*$)", lambda digits: str(int(digits[0]) + row).zfill(len(digits[0])), example)
    if field.enum or field.type == "boolean":
        values = field.enum or ["yes", "no"]
        return values[row % len(values)]
    if field.type == "date":
        return DAY.format(row + 1)
    usual = YEAR if field.type == "year" else AGE if field.unit == "years" else field.minimum or 0
    step = AMOUNT if field.type == "number" else 1
    most = field.maximum if field.maximum is not None else float("inf")
    return f"{min(usual + step * row, most):.10g}"


def _describe_values(field: FieldSpec, *, is_key: bool) -> str:
    """Say in words what may stand in a column, and which codes of councils are known."""
    if field.enum:
        also = {value: ", ".join(field.codes.get(value, [])) for value in field.enum}
        return "one of: " + "; ".join(f"{value} (or {codes})" if codes else value for value, codes in also.items())
    if field.type == "boolean":
        return "yes or no (or Y and N, 1 and 0, true and false)"
    if field.type == "date":
        return "a day, as 2026-03-31 or 31/03/2026"
    if field.type == "string":
        return (
            "a text of its own for each row" if is_key else "of the form of the example" if field.pattern else "a text"
        )
    limits = {"from": field.minimum, "to": field.maximum}
    words = [f"{word} {limit:.10g}" for word, limit in limits.items() if limit is not None]
    words += ["(or a day, month or year of birth, of which the age alone is kept)"] * is_age(field)
    kind = {"integer": "a whole number", "number": "a number", "year": "a year"}[field.type]
    return " ".join([kind, *words])
