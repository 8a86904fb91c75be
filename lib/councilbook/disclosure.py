"""Statistical disclosure control: pure functions on tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Suppression:
    """A table after disclosure control, and how much of it is gone."""

    frame: pd.DataFrame
    rows_suppressed: int
    cells_suppressed: int


def suppress_small_counts(
    frame: pd.DataFrame, counts: Sequence[str], derived: Sequence[str], *, threshold: int, round_to: int
) -> Suppression:
    """Blank each row that has a small count, then round the counts that are left.

    A count from 1 to below the threshold could point at a person, and is suppressed; so is one that rounding would take
    there. Its row loses all its counts and all that is derived from them, since one count left standing beside
    a rate gives the other away. What is derived is taken as it
    comes, so it must have been computed from counts that may be known once rounded. This is primary suppression:
    it does not protect against subtraction from totals.

    Args:
        frame: a table; columns not named keep their values.
        counts: columns of whole numbers.
        derived: columns computed from them.
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
    for column in derived:
        safe[column] = frame[column].mask(small)
    return Suppression(safe, int(small.sum()), int(small.sum()) * (len(counts) + len(derived)))


def round_counts(counts: pd.Series, base: int) -> pd.Series:
    """Round whole numbers to the nearest multiple of a base, halves to the even multiple."""
    return ((counts / base).round() * base).astype("Int64")
