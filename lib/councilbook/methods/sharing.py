"""Whole numbers that add up: a total shared out by the largest remainder."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from councilbook.errors import CheckError

NEARLY = 1e-9  # a share that is as near to the next whole number counts as that


def share_out(totals: ArrayLike, weights: ArrayLike, groups: ArrayLike | None = None) -> NDArray[np.int64]:
    """Split each group's total over its parts in proportion to their weights, by the largest remainder.

    Args:
        totals: of each group; one number where all parts are of one group.
        weights: of each part, 0 or more.
        groups: the group of each part, its place among the totals; None: all are of one.

    Returns:
        A whole number a part. Those of a group add up to its total; none is off its exact share by 1 or more. Of equal
        remainders the first parts get one more.

    Raises:
        CheckError: a group has something to share and no weight.
    """
    totals, weights = np.atleast_1d(totals), np.asarray(weights, dtype="float64")
    groups = np.zeros(len(weights), dtype="int64") if groups is None else np.asarray(groups)
    sums = np.bincount(groups, weights=weights, minlength=len(totals))
    if (lost := (sums <= 0) & (totals > 0)).any():
        raise CheckError(f"{lost.sum()} areas have households, but no count to share them by.")
    exact = weights * (totals / np.where(sums > 0, sums, 1))[groups]
    shares = np.floor(exact + NEARLY).astype("int64")
    left = totals - np.bincount(groups, weights=shares, minlength=len(totals)).astype("int64")
    place = pd.Series(exact - shares).groupby(groups).rank(method="first", ascending=False)
    return np.asarray(shares + (place.to_numpy() <= left[groups]), dtype="int64")
