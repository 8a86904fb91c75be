"""Statistical disclosure control: pure functions on tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Suppression:
    """A table after disclosure control, and how much of it is gone."""

    frame: pd.DataFrame
    rows_suppressed: int
    cells_suppressed: int


def suppress_small_counts(
    frame: pd.DataFrame,
    counts: Sequence[str],
    shares: Mapping[str, tuple[str, str]],
    *,
    threshold: int,
    round_to: int,
) -> Suppression:
    """Blank each row that has a small count, round the counts that are left, and compute shares from those.

    A count from 1 to below the threshold could point at a person, and is suppressed; so is one that rounding would
    take there. Its row loses all its counts and shares, since one left standing beside another gives the third away.
    Shares come from the rounded counts, as exact ones would give the exact counts back. This is primary suppression:
    it does not protect against subtraction from totals.

    Args:
        frame: a table; columns not named keep their values.
        counts: columns of whole numbers.
        shares: column to the counts that it is the share of; computed here, in percent with one decimal, whatever
            the table holds there.
        threshold: the smallest count that may be shown, beside 0.
        round_to: counts are rounded to its nearest multiple, halves to the even one.

    Returns:
        The table with a new or replaced column is_suppressed, and the number of rows and cells blanked.
    """
    exact = frame[list(counts)].astype("Int64")
    rounded = exact.apply(round_counts, base=round_to)
    small = ((exact > 0) & ((exact < threshold) | (rounded < threshold))).any(axis="columns").astype("bool")
    safe = frame.assign(is_suppressed=small)
    for column in counts:
        safe[column] = rounded[column].mask(small)
    for column, (part, whole) in shares.items():
        safe[column] = (100 * safe[part] / safe[whole].mask(safe[whole] == 0)).astype("Float64").round(1)
    return Suppression(safe, int(small.sum()), int(small.sum()) * (len(counts) + len(shares)))


def round_counts(counts: pd.Series, base: int) -> pd.Series:
    """Round whole numbers to the nearest multiple of a base, halves to the even multiple."""
    return ((counts / base).round() * base).astype("Int64")
