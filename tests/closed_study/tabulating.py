"""A table of sums as the gate's rule of magnitudes takes it, made of records."""

from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd


def tabulate_magnitudes(
    records: pd.DataFrame, by: Sequence[str], value: str, contributor: str, totals: Mapping[str, str]
) -> pd.DataFrame:
    """Sum records, of which one contributor may have many, with a row for each total.

    Args:
        records: a row a property or bill.
        by: the fields to sum by, which become the key.
        value, contributor: the columns to sum, and with who contributes.
        totals: field of `by` to the value that stands for all of its others.

    Returns:
        Columns: `by`, value, contributors, largest_1 and largest_2; 0 where one alone contributes.
    """
    tables = []
    for choice in product((False, True), repeat=len(totals)):
        summed_over = {field: total for (field, total), over in zip(totals.items(), choice, strict=True) if over}
        each = records.assign(**summed_over).groupby([*by, contributor])[value].sum().reset_index()
        tables.append(
            each.sort_values(value, ascending=False)
            .groupby(list(by))[value]
            .agg(["sum", "size", "max", lambda values: values.iloc[1] if len(values) > 1 else 0])
            .set_axis([value, "contributors", "largest_1", "largest_2"], axis="columns")
            .reset_index()
        )
    return pd.concat(tables, ignore_index=True)
