"""How what is known of households becomes the columns of a regression."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import qr
from scipy.stats import norm
from statsmodels.discrete.discrete_model import Logit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.extract import CLOSED, LEVELS, PREDICTORS, SHARED, YES_NO, Flags, Numbers
from councilbook.sources.checks import refuse_rows

FEWEST_OF_A_KIND = 20  # households; a label that fewer have is left out
WIDTH = float(norm.ppf(0.975))  # standard errors to either end of a 95% interval
ODDS_COLUMNS = ["source", "covariate", "compared_with"]
DEPENDENT = 1e-7  # a column's part that others do not explain, below which it is left out


def encode_predictors(prepared: pd.DataFrame) -> pd.DataFrame:
    """Return PREDICTORS as numbers, labels by their place in LEVELS.

    Raises:
        CheckError: one is not there, or a label is not of the list.
    """
    if absent := [name for name in PREDICTORS if name not in prepared]:
        raise CheckError(f"households: no column {', '.join(absent)}; add_open joins those of open data.")
    columns = {}
    for name in PREDICTORS:
        if name in LEVELS:
            codes = pd.Index(LEVELS[name]).get_indexer(pd.Index(prepared[name]))
            refuse_rows(codes < 0, f"households: {name}", f"one of {', '.join(LEVELS[name])}")
            columns[name] = codes.astype("float32")
        else:
            columns[name] = prepared[name].to_numpy(dtype="float32", na_value=np.nan)
    return pd.DataFrame(columns, index=prepared.index, copy=False)


@dataclass(frozen=True)
class Coding:
    """How predictors become columns of a regression: labels against the first, numbers in standard deviations.

    Attributes:
        median, centre, spread: of the numbers, over the rows that it was made from.
        kept: the columns that are in the design; the last is the constant.
    """

    median: pd.Series
    centre: pd.Series
    spread: pd.Series
    kept: list[str]

    @classmethod
    def of(cls, rows: pd.DataFrame, poor: Flags | None = None) -> "Coding":
        """Make it from rows of `encode_predictors`, or from some of their columns.

        What does not vary, what too few households have, and what others tell already is left out. So is a label where
        all households with or without it are fuel poor, or none: no best fit has a finite coefficient of it.

        Args:
            rows: of the households that are learnt from.
            poor: which of these are fuel poor, where that is known.
        """
        numbers = rows[[name for name in rows if name not in LEVELS and name not in YES_NO]].astype("float64")
        spread = numbers.std()
        numbers = numbers[spread.index[spread > 0]]  # the others would make the design singular
        median = numbers.median()
        filled = numbers.fillna(median)
        labels = [f"{name}={level}" for name in LEVELS if name in rows for level in LEVELS[name][1:]]
        kinds = [*labels, *(name for name in YES_NO if name in rows)]
        full = cls(median, filled.mean(), filled.std(), [*kinds, *numbers.columns, "const"])
        design = full.design(rows)
        counts = design[:, : len(kinds)].sum(axis=0)
        is_rare = np.minimum(counts, len(rows) - counts) < FEWEST_OF_A_KIND
        if poor is not None:
            among = design[poor, : len(kinds)].sum(axis=0)
            without = poor.sum() - among
            is_rare |= (among == 0) | (among == counts) | (without == 0) | (without == len(rows) - counts)
        columns = np.r_[np.flatnonzero(~is_rare), len(kinds) : design.shape[1]]
        independent = _find_independent(design[:, columns])
        return replace(full, kept=[full.kept[place] for place in columns[independent]])

    def design(self, rows: pd.DataFrame) -> Numbers:
        """Return the columns that are kept; a missing number is taken as the median."""
        design: Numbers = np.empty((len(rows), len(self.kept)), order="F")
        for place, column in enumerate(self.kept):
            name, _, level = column.partition("=")
            if level:
                design[:, place] = rows[name] == LEVELS[name].index(level)
            elif column == "const":
                design[:, place] = 1.0
            else:
                values = rows[column].to_numpy(dtype="float64")
                if column not in YES_NO:
                    values = np.where(np.isnan(values), self.median[column], values)
                    values = (values - self.centre[column]) / self.spread[column]
                design[:, place] = values
        return design


def _find_independent(design: Numbers) -> npt.NDArray[np.intp]:
    """Return the columns that no others add up to, in their order; the constant, which is last, is always one."""
    centred = design[:, :-1] - design[:, :-1].mean(axis=0)
    gram = centred.T @ centred
    scale = np.sqrt(np.diag(gram))
    _, triangle, order = qr(gram / np.outer(scale, scale), pivoting=True)
    is_apart = np.abs(np.diag(triangle)) > DEPENDENT
    return np.append(np.sort(order[is_apart]), design.shape[1] - 1)


def tabulate_odds(coding: Coding, design: Numbers, coefficients: Numbers, errors: Numbers) -> pd.DataFrame:
    """Turn a regression's coefficients into odds ratios with 95% intervals, in words.

    Args:
        coding: of the design.
        design: the columns that `coding` keeps.
        coefficients, errors: of each column, with their standard errors.

    Returns:
        As `likelihood.estimate_odds`.
    """
    names = [column for column in coding.kept if column != "const"]
    logs, wide = coefficients[: len(names)], WIDTH * errors[: len(names)]
    is_label = [name in YES_NO or "=" in name for name in names]
    table = pd.DataFrame([_describe_column(column, coding) for column in names], columns=ODDS_COLUMNS).assign(
        households=len(design),
        group_size=pd.array(np.where(is_label, design[:, : len(names)].sum(axis=0), np.nan), dtype="Int64"),
        odds_ratio=np.exp(logs).round(3),
        low_95=np.exp(logs - wide).round(3),
        high_95=np.exp(logs + wide).round(3),
    )
    return table.iloc[np.argsort(-np.abs(logs), kind="stable")].reset_index(drop=True)


def _describe_column(column: str, coding: Coding) -> dict[str, str]:
    name, _, level = column.partition("=")
    source = "closed" if name in CLOSED else "shared" if name in SHARED else "open"
    words = PREDICTORS[name]
    if level:
        first = LEVELS[name][0]
        return {
            "source": source,
            "covariate": f"{words}: {level.replace('_', ' ')}",
            "compared_with": first.replace("_", " "),
        }
    compared = "no" if name in YES_NO else f"{coding.spread[name]:.3g} less"  # one standard deviation
    return {"source": source, "covariate": words, "compared_with": compared}


def fit_logit(design: Numbers, truth: Numbers, **options: object) -> Any:
    """Fit a logistic regression to labels or shares.

    Raises:
        CheckError: it has no best fit.
    """
    fitted = Logit(truth, design, check_rank=False).fit(method="newton", maxiter=50, disp=0, **options)
    if not fitted.mle_retvals["converged"]:
        raise CheckError("The logistic regression found no best fit; the households may be too few for its covariates.")
    return fitted
