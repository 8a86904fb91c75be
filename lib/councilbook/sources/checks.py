"""Checks on what comes in and what goes out.

They raise, and say what is wrong, where, and what was expected. Values are shown only where no person can be
behind them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandas.api.types import is_bool_dtype, is_datetime64_dtype, is_numeric_dtype
from pandera.errors import SchemaErrors

from councilbook.catalogue import FieldSpec
from councilbook.errors import CheckError, suggest

SHOWN = 3


def check_fields(
    frame: pd.DataFrame,
    fields: Mapping[str, FieldSpec],
    key: Sequence[str],
    where: str,
    *,
    show_values: bool,
    way: str = "",
) -> None:
    """Check a table against its declared fields: columns, types, required, pattern, range, values, unique, key.

    Args:
        frame: the table; its index names the rows in a message.
        fields: what is declared of each column.
        key: columns that together name a row once.
        where: what the table is, for the message.
        show_values: whether a message may repeat a value; false for data about people.
        way: what to do about it, which ends the message in a line of its own.

    Raises:
        CheckError: with a line for each fault that was found.
    """
    end = f"\n{way}" if way else ""
    columns = [str(name) for name in frame.columns if name != "geometry"]
    if absent := [name for name in fields if name not in columns]:
        raise CheckError(f"{where}: no column {', '.join(absent)}. Declared are {', '.join(fields)}.{end}")
    if extra := [name for name in columns if name not in fields]:
        raise CheckError(f"{where}: column {', '.join(extra)} is not declared.{suggest(extra[0], fields)}{end}")
    for build in (_build_type, _build_limits):  # a limit says nothing of a value that has another type
        schema = pa.DataFrameSchema({name: build(field) for name, field in fields.items()})
        try:
            schema.validate(pd.DataFrame(frame[list(fields)]), lazy=True)
        except SchemaErrors as errors:
            told = _describe_failures(errors.failure_cases, fields, show_values)
            raise CheckError(f"{where}:\n{told}{end}") from None
    if key and (twice := frame.duplicated(list(key), keep=False)).any():
        rows = ", ".join(map(str, frame.index[twice][:SHOWN]))
        raise CheckError(
            f"{where}: {', '.join(key)} must name a row once, but {twice.sum()} rows share it (row {rows}).{end}"
        )


def check_sums(
    parts: pd.DataFrame, totals: pd.DataFrame, by: Sequence[str], columns: Sequence[str], where: str
) -> None:
    """Check that parts add up to published totals.

    Args:
        parts, totals: tables with the columns `by` and `columns`; totals may hold more groups than parts.

    Raises:
        CheckError: a group's sum is not its total, or it has none.
    """
    sums = parts.groupby(list(by))[list(columns)].sum()
    published = totals.set_index(list(by))[list(columns)]
    if lost := [_name_group(group) for group in sums.index if group not in published.index]:
        raise CheckError(f"{where}: no published total for {_list(lost)}.")
    off = (sums - published.loc[sums.index]).ne(0).any(axis="columns")
    if off.any():
        worst = off.index[off][0]
        raise CheckError(
            f"{where}: the parts do not add up to the published total in {off.sum()} groups, as "
            f"{_name_group(worst)}: {sums.loc[worst].to_dict()} and published {published.loc[worst].to_dict()}."
        )


def refuse_rows(is_wrong: "pd.Series[bool] | npt.NDArray[np.bool_]", what: str, expected: str) -> None:
    """Refuse a table about people if a row is wrong.

    Args:
        is_wrong: a flag a row.
        what: the table and the column, for the message.
        expected: what was expected in every row.

    Raises:
        CheckError: with how many rows, and the first by position, since an index may hold names or pseudonyms. It shows
            no value.
    """
    wrong = np.asarray(is_wrong, dtype=bool)
    if wrong.any():
        raise CheckError(
            f"{what} in {wrong.sum()} rows not as expected, {expected} (row {list_rows(wrong)}, counted from 0)."
        )


def list_rows(is_wrong: npt.NDArray[np.bool_]) -> str:
    """List the first rows of which a flag is set, by position."""
    return _list(np.flatnonzero(is_wrong)[:SHOWN])


def _name_group(group: object) -> str:
    return " ".join(map(str, group)) if isinstance(group, tuple) else str(group)


def _build_type(field: FieldSpec) -> pa.Column:
    def check(values: pd.Series) -> pd.Series:
        return _is_of_type(values, field.type)

    return pa.Column(None, pa.Check(check, error="type"), nullable=True)


def _is_of_type(values: pd.Series, kind: str) -> pd.Series:
    """Tell which values can be written as a type and read back unchanged; whole floats are integers here."""
    if kind == "string" and isinstance(values.dtype, pd.StringDtype):
        return values.notna()
    if kind == "string":
        return values.map(lambda value: isinstance(value, str)).astype("bool")
    if kind == "boolean":
        return pd.Series(is_bool_dtype(values), index=values.index)
    if kind == "date":
        return values == values.dt.normalize() if is_datetime64_dtype(values) else pd.Series(False, index=values.index)
    if not is_numeric_dtype(values) or is_bool_dtype(values):
        return pd.Series(False, index=values.index)
    finite = pd.Series(np.isfinite(values), index=values.index)
    return finite if kind == "number" else finite & (values % 1 == 0)


def _build_limits(field: FieldSpec) -> pa.Column:
    checks = []
    if field.required and field.type == "string":
        checks.append(pa.Check(lambda values: values != "", error="required"))  # it would be published as a blank
    if field.pattern:
        checks.append(pa.Check.str_matches(f"(?:{field.pattern})\\Z", error="pattern"))
    if field.enum:
        checks.append(pa.Check.isin(field.enum, error="enum"))
    if field.minimum is not None:
        checks.append(pa.Check.ge(field.minimum, error="minimum"))
    if field.maximum is not None:
        checks.append(pa.Check.le(field.maximum, error="maximum"))
    if field.unique:
        checks.append(pa.Check(lambda values: ~values.duplicated(keep=False), error="unique"))
    return pa.Column(None, checks, nullable=not field.required)


def _describe_failures(cases: pd.DataFrame, fields: Mapping[str, FieldSpec], show_values: bool) -> str:
    lines = []
    for (column, check), group in cases.groupby(["column", "check"], sort=False):
        shown = group.head(SHOWN)
        values = _list(map(repr, shown["failure_case"].dropna())) if show_values else ""
        lines.append(
            f"  {column}: {len(group)} rows not as expected, {_expected(str(check), fields[str(column)])}"
            f"{', as ' if values else ''}{values} (row {_list(shown['index'])})"
        )
    return "\n".join(lines)


def _expected(check: str, field: FieldSpec) -> str:
    """Say what a failed check asked for."""
    match check:
        case "type":
            return f"type {field.type}"
        case "pattern":
            return f"pattern {field.pattern}{f', as {field.example}' if field.example else ''}"
        case "enum":
            return f"one of {_list(field.enum or [])}"
        case "minimum":
            return f"at least {field.minimum:.10g}"
        case "maximum":
            return f"at most {field.maximum:.10g}"
        case "unique":
            return "each value once"
    return "a value in every row"


def _list(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
