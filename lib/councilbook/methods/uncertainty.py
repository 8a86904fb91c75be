"""Values that nobody knows for sure: their ranges and sources, draws of them, and which of them matter."""

import warnings
from collections.abc import Callable, Mapping
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator
from scipy.stats import qmc, rankdata, triang, uniform

INTERVAL = 0.9  # of the draws lie between low and high

Floats = NDArray[np.float64]


class Parameter(BaseModel):
    """An uncertain value: its range, and where it comes from.

    Attributes:
        default, low, high: in `unit`; low and high are the ends of what is drawn.
        basis: published (a figure of the sources), derived (computed from such) or assumption.
        sources: citations, in full.
        title: what it is in words, where a page shows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: float
    low: float
    high: float
    unit: str
    distribution: Literal["triangular", "uniform", "fixed"]
    basis: Literal["published", "derived", "assumption"]
    sources: tuple[str, ...]
    note: str
    title: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"the default {self.default} is not between {self.low} and {self.high}")
        if (self.distribution == "fixed") != (self.low == self.high):
            raise ValueError("a value is fixed if low and high are the same, and only then")
        if self.basis != "assumption" and not self.sources:
            raise ValueError("a value that is no assumption has a source")
        return self

    def find_quantiles(self, shares: Floats) -> Floats:
        """Return the values below which given shares of the draws lie."""
        span = self.high - self.low
        if self.distribution == "fixed":
            return np.full_like(shares, self.default)
        peak = (self.default - self.low) / span
        shape = triang(peak, self.low, span) if self.distribution == "triangular" else uniform(self.low, span)
        values: Floats = shape.ppf(shares)
        return values


def sample_parameters(parameters: Mapping[str, Parameter], rng: np.random.Generator, draws: int) -> pd.DataFrame:
    """Draw uncertain values by Latin hypercube (McKay, Beckman and Conover 1979), each independent of the others.

    Returns:
        A row a draw, a column a parameter; what is fixed is left out.
    """
    uncertain = {name: one for name, one in parameters.items() if one.distribution != "fixed"}
    points = qmc.LatinHypercube(len(uncertain), rng=rng).random(draws)
    pairs = zip(uncertain.items(), points.T, strict=True)
    return pd.DataFrame({name: one.find_quantiles(column) for (name, one), column in pairs})


def find_interval(values: Floats, interval: float = INTERVAL) -> Floats:
    """Return low, median and high of the draws along the last axis, as the first axis; NaN where a draw is NaN alone.

    Args:
        interval: the share of the draws between low and high; as many are below as above.
    """
    tail = (1 - interval) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where a draw is NaN alone
        ends: Floats = np.nanquantile(values, [tail, 0.5, 1 - tail], axis=-1)
    return ends


def swing_parameters(
    ends: Mapping[str, tuple[float, float]],
    defaults: Mapping[str, float],
    compute: Callable[[Mapping[str, Floats]], Floats],
) -> pd.DataFrame:
    """Put each uncertain value at either end of its range, with the others at their defaults: the bars of a tornado.

    Args:
        ends: low and high of each value.
        defaults: of the same values.
        compute: gives the quantity for arrays of values.

    Returns:
        parameter, low, high, at_low, at_default, at_high, swing: a row a value, in the order given.
    """
    names = list(ends)
    runs = np.tile([defaults[name] for name in names], (2 * len(names) + 1, 1))
    for place, name in enumerate(names):
        runs[2 * place : 2 * place + 2, place] = ends[name]
    found = compute(dict(zip(names, runs.T, strict=True)))
    low, high = zip(*ends.values(), strict=True)
    bars = {"low": low, "high": high, "at_low": found[:-1:2], "at_default": found[-1], "at_high": found[1::2]}
    table = pd.DataFrame({"parameter": names} | bars)
    return table.assign(swing=(table["at_high"] - table["at_low"]).abs())


def correlate_ranks(inputs: Floats, output: Floats) -> Floats:
    """Return the partial rank correlation of each column of the inputs with the output, which holds the others still.

    Source: Marino, Hogue, Ray and Kirschner 2008, Journal of Theoretical Biology 254, 178-196.
    """
    known = np.isfinite(output)
    ranks = rankdata(np.column_stack([inputs, output])[known], axis=0)
    if np.ptp(ranks[:, -1]) == 0:
        return np.zeros(inputs.shape[1])
    precision = np.linalg.inv(np.corrcoef(ranks, rowvar=False))
    correlation: Floats = -precision[:-1, -1] / np.sqrt(np.diag(precision)[:-1] * precision[-1, -1])
    return correlation
