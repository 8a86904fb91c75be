"""The median of values that count more than once each."""

import numpy as np
from numpy.typing import NDArray

from councilbook.errors import CheckError
from councilbook.sources.checks import refuse_rows

Numbers = NDArray[np.float64]

TIE = 1e-10  # share of the total weight by which sums in another order may differ
SAMPLE = 2**16  # rows from which the place of a median is guessed


def find_weighted_median(values: Numbers, weights: Numbers) -> float:
    """Find the value that as much weight is below as above.

    It is the first value, from the smallest, at which the sum of weights is over half of the total. If the sum is
    exactly half at a value, it is the mean of that value and the next. So a weight of 2 is the same as two equal rows,
    a weight of 0 is the same as no row, and with equal weights it is the ordinary median.

    Args:
        values: finite numbers.
        weights: a weight each, 0 or more.

    Raises:
        CheckError: a value or a weight is not so, or no weight is above 0.
    """
    refuse_rows(~np.isfinite(values), "values", "a finite number")
    refuse_rows(~np.isfinite(weights) | (weights < 0), "weights", "a finite number of at least 0")
    if not weights.all():
        values, weights = values[weights > 0], weights[weights > 0]
    if not len(values):
        raise CheckError("No row has a weight above 0, so there is no median.")
    total = weights.sum()
    low_half, high_half = total * (0.5 - TIE), total * (0.5 + TIE)
    everywhere = (-np.inf, np.inf)
    for low, high in (_guess_bracket(values, weights), everywhere):  # to sort only what is near is faster
        is_near = (values >= low) & (values <= high)
        near, sums = _sum_in_order(values[is_near], weights[is_near])
        below = weights[values < low].sum()
        if below < low_half and below + sums[-1] > high_half:
            break
    reached = near[np.searchsorted(sums, low_half - below, side="left")]
    passed = near[np.searchsorted(sums, high_half - below, side="right")]
    return float((reached + passed) / 2)


def _guess_bracket(values: Numbers, weights: Numbers) -> tuple[float, float]:
    """Guess from some of the rows between which two values the median is."""
    step = max(len(values) // SAMPLE, 1)
    ordered, sums = _sum_in_order(values[::step], weights[::step])
    low, high = np.searchsorted(sums, sums[-1] * np.array([0.49, 0.51]))
    return float(ordered[low]), float(ordered[high])


def _sum_in_order(values: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Put values in order, and sum the weights up to each."""
    order = np.argsort(values)
    return values[order], np.cumsum(weights[order])
