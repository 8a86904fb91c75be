"""Values of a quasi-identifier, made coarser level by level."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_float_dtype, is_integer_dtype

from councilbook.catalogue import Hierarchy
from councilbook.errors import CheckError

DECIMALS = 9  # of a number in units of its band, so that 0.3 lies in the third band of width 0.1


@dataclass(frozen=True)
class Ladder:
    """A quasi-identifier at each level of its hierarchy.

    Level 0 has the values as they are, the last level has none of them. Code 0 is a missing value, at any level.

    Attributes:
        leaves: each record's value, as a code.
        labels: what is written at each level, by the code of a value at level 0.
        groups: code at each level, by the code of a value at level 0. Values with the same label share it.
        losses: information lost at each level, by the code of a value at level 0: 0 where it stands as it is, 1 where
            nothing is left of it, else the share of the other values that it can no longer be told from (Iyengar 2002,
            Transforming data to satisfy privacy constraints, doi:10.1145/775047.775089).
    """

    leaves: NDArray[np.int64]
    labels: list[pd.Series]
    groups: list[NDArray[np.int64]]
    losses: list[NDArray[np.float64]]


def build_ladder(values: pd.Series, hierarchy: Hierarchy) -> Ladder:
    """Write each value at each level of a hierarchy.

    What has a hierarchy becomes text at every level, so that a column's type does not hang on the level that is chosen.
    A prefix is written as AB*, a band as 20 to 29 where all numbers are whole and as 2.5 to under 5 elsewhere, a date
    as 2024-03-17, 2024-03, 2024-Q1, 2024 or 2020s.

    Args:
        values: a column, named; a row a record.
        hierarchy: what is declared of it; an empty one has the values as they are and, above them, nothing.

    Raises:
        CheckError: values are not numbers or dates where the hierarchy needs them, or have no parent.
    """
    leaves, found = pd.factorize(values)
    distinct = pd.Series(found, name=values.name)
    if hierarchy.prefix or hierarchy.bands or hierarchy.dates or hierarchy.parents:
        merged, texts = pd.factorize(_write(distinct))
        leaves = np.append(merged, -1)[leaves]
        steps = list(_generalise(pd.Series(texts, name=values.name, dtype="str"), hierarchy))
    else:
        steps = [_make_nullable(distinct)]
    labels = [step.reindex(range(-1, len(step))) for step in steps]
    labels.append(labels[0].mask(labels[0].notna()))
    groups = [pd.factorize(label)[0] + 1 for label in labels]
    return Ladder(leaves + 1, labels, groups, [*map(_measure_loss, groups[:-1]), np.sign(groups[0]).astype("float64")])


def _measure_loss(groups: NDArray[np.int64]) -> NDArray[np.float64]:
    alike = np.bincount(groups)[groups]
    loss: NDArray[np.float64] = (alike - 1) / max(len(groups) - 2, 1)
    loss[0] = 0.0
    return loss


def _write(values: pd.Series) -> pd.Series:
    """Write values as text: a date as ISO, a whole number without a point."""
    if is_datetime64_any_dtype(values):
        values = values.dt.strftime("%Y-%m-%d")
    elif is_float_dtype(values):
        values = values.map("{:.15g}".format)
    return values.astype("str")


def _make_nullable(values: pd.Series) -> pd.Series:
    """Give whole numbers and booleans a type that can be missing."""
    if is_bool_dtype(values):
        return values.astype("boolean")
    return values.astype("Int64") if is_integer_dtype(values) else values


def _generalise(texts: pd.Series, hierarchy: Hierarchy) -> Iterator[pd.Series]:
    """Give the values as they are, then at each level that is declared."""
    yield texts
    for length in hierarchy.prefix:
        yield texts.where(texts.str.len() <= length, texts.str[:length] + "*")
    if hierarchy.bands:
        numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
        _require(texts, numbers.abs() < np.inf, "are not numbers, as bands need")
        for width in hierarchy.bands:
            yield _write_bands(numbers, width)
    if hierarchy.dates:
        dates = pd.to_datetime(texts, errors="coerce", format="ISO8601")
        _require(texts, dates.notna(), "are not dates")
        for period in hierarchy.dates:
            yield _write_periods(dates, period)
    level = texts
    for number, parents in enumerate(hierarchy.parents, start=1):
        level = level.map(parents).astype("str")
        _require(texts, level.notna(), f"have no parent at level {number} of the hierarchy")
        yield level


def _require(texts: pd.Series, fits: pd.Series, fault: str) -> None:
    if not fits.all():
        raise CheckError(f"Quasi-identifier {texts.name}: {(~fits).sum()} of {len(texts)} different values {fault}.")


def _write_bands(numbers: pd.Series, width: float) -> pd.Series:
    whole = width % 1 == 0 and bool((numbers % 1 == 0).all())

    def write(start: float) -> str:
        if not whole:
            return f"{start:.12g} to under {start + width:.12g}"
        return f"{start:.0f}" if width == 1 else f"{start:.0f} to {start + width - 1:.0f}"

    lows = np.floor((numbers / width).round(DECIMALS)) * width + 0.0  # no -0
    texts: pd.Series = lows.map(write).astype("str")
    return texts


def _write_periods(dates: pd.Series, period: str) -> pd.Series:
    years: pd.Series = dates.dt.year.astype("str")
    match period:
        case "month":
            years = dates.dt.strftime("%Y-%m")
        case "quarter":
            years += "-Q" + dates.dt.quarter.astype("str")
        case "decade":
            years = years.str[:-1] + "0s"
    return years
