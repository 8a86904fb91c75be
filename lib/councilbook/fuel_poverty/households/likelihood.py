"""The chance that each household is in fuel poverty, and how well it is known where the model has not looked."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import qr
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from statsmodels.discrete.discrete_model import Logit
from threadpoolctl import threadpool_limits

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.prediction import FEWEST_DISTRICTS, PARTS, Folds
from councilbook.fuel_poverty.households.extract import (
    CLOSED,
    LEVELS,
    PREDICTORS,
    SHARED,
    YES_NO,
    Flags,
    Numbers,
)
from councilbook.sources.checks import refuse_rows

Predict = Callable[[pd.DataFrame], Numbers]


COUNCIL_RATE, LOGISTIC, BOOSTED = "Council rate", "Logistic regression", "Boosted trees"


MODELS = (LOGISTIC, BOOSTED)


FIT_SAMPLE = 60_000  # households at most that trees are fitted to in each fold


LOGISTIC_SAMPLE = 30_000  # of those; the regression has some sixty coefficients, and gains little from more


ODDS_SAMPLE = 200_000


CALIBRATION_SAMPLE = 30_000


CALIBRATION_SHARE = 0.25  # of the LSOAs that a model may see


FEWEST_LSOAS = 2 * PARTS


FEWEST_FUEL_POOR = 50  # households to fit to, and as many that are not


FEWEST_TO_CALIBRATE = 10  # likewise


FEWEST_OF_A_KIND = 20  # households; a label that fewer have is left out of the logistic regression


BINS = 10


EDGE = 1e-6  # of a probability, whose log odds must be finite


DEPENDENT = 1e-7  # a column's part that others do not explain, below which it is left out


def split_households(prepared: pd.DataFrame, seed: int) -> Folds:
    """Split a council into whole districts, or into ten compact parts of whole LSOAs if it has fewer than three.

    Raises:
        CheckError: there are fewer LSOAs than FEWEST_LSOAS.
    """
    found = prepared["lsoa21_code"].nunique()
    if found < FEWEST_LSOAS:
        raise CheckError(f"The households are in {found} LSOAs; expected at least {FEWEST_LSOAS} to leave out in turn.")
    if prepared["lad22_code"].nunique() >= FEWEST_DISTRICTS:
        return Folds(prepared["lad22_code"], "each district in turn")
    centres = prepared.groupby("lsoa21_code")[["longitude", "latitude"]].mean()
    points = gpd.GeoSeries(gpd.points_from_xy(centres["longitude"], centres["latitude"], crs=4326)).to_crs(27700)
    parts = KMeans(PARTS, random_state=seed, n_init=10).fit_predict(np.c_[points.x, points.y])
    labels = prepared["lsoa21_code"].map(pd.Series(parts, index=centres.index))
    return Folds(labels, "each of ten compact parts in turn")


def predict_held_out(prepared: pd.DataFrame, folds: Folds, seed: int, models: Sequence[str] = MODELS) -> pd.DataFrame:
    """Give each household its chance by models that never saw its part of the council.

    In each fold a quarter of the LSOAs that are left is kept apart to calibrate on: the log odds are put through a
    logistic curve (Platt 1999). Of the others, the trees are fitted to a sample of at most FIT_SAMPLE households, and
    the regression to the first LOGISTIC_SAMPLE of these.

    Args:
        prepared: from `add_open`.
        folds: from `split_households`.
        seed: of the samples and the trees.
        models: which of MODELS.

    Returns:
        A column a model, and the rate of the rest of the council beside them: probabilities, on the index of
        `prepared`.

    Raises:
        CheckError: too few households to fit to or to calibrate on are fuel poor, or are not.
    """
    rows = _encode(prepared)
    poor = prepared["is_fuel_poor"].to_numpy(dtype=bool)
    areas = prepared["lsoa21_code"].to_numpy()
    labels = folds.labels.to_numpy()
    chances = pd.DataFrame(index=prepared.index, columns=[COUNCIL_RATE, *models], dtype="float64")

    def predict(number: int, left_out: Flags) -> dict[str, Numbers]:
        samples = _draw_samples(areas, ~left_out, np.random.default_rng([seed, number]))
        return {name: _fit_calibrated(name, rows, poor, samples, seed)(rows[left_out]) for name in models}

    parts = [labels == part for part in sorted(folds.labels.unique())]
    # A part has one thread, and each is a result of its own: so as many at once as there are cores change no digit.
    with _one_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for left_out, predicted in zip(parts, pool.map(predict, range(len(parts)), parts), strict=True):
            chances.loc[left_out, COUNCIL_RATE] = poor[~left_out].mean()
            for name in models:
                chances.loc[left_out, name] = predicted[name]
    return chances


def fit_chance(prepared: pd.DataFrame, name: str, seed: int) -> Predict:
    """Fit one of MODELS to the whole council, calibrated as in `predict_held_out`, for households it has not seen.

    Returns:
        A function from a frame with the columns of PREDICTORS to probabilities. A number may be missing in it.
    """
    rows = _encode(prepared)
    everywhere = np.ones(len(prepared), dtype=bool)
    samples = _draw_samples(prepared["lsoa21_code"].to_numpy(), everywhere, np.random.default_rng(seed))
    with _one_thread():
        predict = _fit_calibrated(name, rows, prepared["is_fuel_poor"].to_numpy(dtype=bool), samples, seed)
    return lambda others: predict(_encode(others))


def score_chances(prepared: pd.DataFrame, chances: pd.DataFrame, folds: Folds) -> pd.DataFrame:
    """Score probabilities against who is fuel poor. On a twin, these are scores on synthetic data.

    Returns:
        A row a model: model, kind, held_out, folds, households, auc, brier, log_loss, calibration_slope (1 is right;
        Cox 1958), calibration_intercept (0 is right; log odds, with the slope held at 1), expected_calibration_error
        (mean distance of the mean chance from the rate, over ten bins of equal size by chance). Where all chances of a
        fold are one, auc and calibration_slope say nothing, and are missing.
    """
    poor = prepared["is_fuel_poor"].to_numpy(dtype=bool)
    rows = []
    for name in chances.columns:
        chance = chances[name].to_numpy(dtype="float64").clip(EDGE, 1 - EDGE)
        is_flat = name == COUNCIL_RATE
        rows.append(
            {
                "model": name,
                "kind": "baseline" if is_flat else "model",
                "held_out": folds.name,
                "folds": folds.labels.nunique(),
                "households": len(poor),
                "auc": np.nan if is_flat else roc_auc_score(poor, chance),
                "brier": brier_score_loss(poor, chance),
                "log_loss": log_loss(poor, chance),
                "calibration_slope": np.nan if is_flat else _fit_curve(chance, poor)[0],
                "calibration_intercept": _find_intercept(chance, poor),
                "expected_calibration_error": _measure_calibration_error(chance, poor),
            }
        )
    return pd.DataFrame(rows).round(4)


def estimate_odds(prepared: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Fit the logistic regression to a sample of at most ODDS_SAMPLE households, and tell what goes with fuel poverty.

    Returns:
        A row a coefficient, strongest first: source (closed, shared, open), covariate (in words), compared_with,
        households (that the fit is of), group_size (households of the label; missing where a number is compared),
        odds_ratio, low_95, high_95 (robust to clusters by lsoa21_code). What does not vary, what too few households
        have, and what others tell already is left out.
    """
    random = np.random.default_rng(seed)
    drawn = prepared.iloc[np.sort(random.choice(len(prepared), min(ODDS_SAMPLE, len(prepared)), replace=False))]
    rows = _encode(drawn)
    coding = _Coding.of(rows)
    areas = pd.factorize(drawn["lsoa21_code"])[0]
    options = {"cov_type": "cluster", "cov_kwds": {"groups": areas}}
    design = coding.design(rows)
    with _one_thread():
        fitted = _fit_logit(design, drawn["is_fuel_poor"].to_numpy(dtype="float64"), **options)
    names = [column for column in coding.kept if column != "const"]
    limits = np.exp(np.asarray(fitted.conf_int()))[: len(names)]
    table = pd.DataFrame([_describe_column(column, coding) for column in names]).assign(
        households=len(drawn),
        group_size=_count_labelled(design[:, : len(names)], names),
        odds_ratio=np.exp(np.asarray(fitted.params)[: len(names)]).round(3),
        low_95=limits[:, 0].round(3),
        high_95=limits[:, 1].round(3),
    )
    order = np.argsort(-np.abs(np.asarray(fitted.params)[: len(names)]), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _count_labelled(design: Numbers, names: Sequence[str]) -> pd.api.extensions.ExtensionArray:
    """Count the households of each label of a design; missing for a number."""
    is_label = [name in YES_NO or "=" in name for name in names]
    return pd.array(np.where(is_label, design.sum(axis=0), np.nan), dtype="Int64")


def _encode(prepared: pd.DataFrame) -> pd.DataFrame:
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
class _Samples:
    """Rows, by position and in an order of chance, to fit to and to calibrate on; no LSOA is in both."""

    fit: npt.NDArray[np.intp]
    calibrate: npt.NDArray[np.intp]


def _draw_samples(areas: npt.NDArray[np.object_], seen: Flags, random: np.random.Generator) -> _Samples:
    codes, names = pd.factorize(areas[seen], sort=True)
    is_apart = np.zeros(len(names), dtype=bool)
    is_apart[random.choice(len(names), max(1, round(CALIBRATION_SHARE * len(names))), replace=False)] = True
    rows = np.flatnonzero(seen)
    drawn = []
    for chosen, most in ((rows[~is_apart[codes]], FIT_SAMPLE), (rows[is_apart[codes]], CALIBRATION_SAMPLE)):
        drawn.append(random.choice(chosen, min(most, len(chosen)), replace=False))
    return _Samples(*drawn)


def _fit_calibrated(name: str, rows: pd.DataFrame, poor: Flags, samples: _Samples, seed: int) -> Predict:
    _check_both_kinds(poor[samples.fit], "fit to", FEWEST_FUEL_POOR)
    _check_both_kinds(poor[samples.calibrate], "calibrate on", FEWEST_TO_CALIBRATE)
    fit = samples.fit[:LOGISTIC_SAMPLE] if name == LOGISTIC else samples.fit
    if name == LOGISTIC:
        predict = _fit_logistic(rows.iloc[fit], poor[fit])
    else:
        predict = _fit_boosted(rows.iloc[fit], poor[fit], seed)
    apart = poor[samples.calibrate]
    slope, intercept = _fit_curve(predict(rows.iloc[samples.calibrate]), apart)
    if slope <= 0:  # chances that go the wrong way are worth no more than the rate
        slope, intercept = 0.0, float(logit(apart.mean()))
    return lambda others: np.asarray(expit(intercept + slope * _find_log_odds(predict(others))), dtype="float64")


def _one_thread() -> threadpool_limits:
    """Keep to one thread: sums of several differ in their last digits, and on busy cores they wait for each other."""
    return threadpool_limits(1)


def _check_both_kinds(poor: Flags, use: str, fewest: int) -> None:
    if min(poor.sum(), (~poor).sum()) < fewest:
        raise CheckError(
            f"Of {len(poor):,} households to {use}, fewer than {fewest} are fuel poor, or are not. Join the council "
            "with its neighbours: give their codes joined by +."
        )


def _find_log_odds(chance: Numbers) -> Numbers:
    return np.asarray(logit(chance.clip(EDGE, 1 - EDGE)), dtype="float64")


def _fit_curve(chance: Numbers, poor: Flags) -> tuple[float, float]:
    """Return slope and intercept of the log odds of fuel poverty on those of the chance."""
    design = np.c_[_find_log_odds(chance), np.ones(len(chance))]
    slope, intercept = _fit_logit(design, poor.astype("float64")).params
    return float(slope), float(intercept)


def _find_intercept(chance: Numbers, poor: Flags) -> float:
    """Return by how much all log odds would have to be shifted for the chances to add up to the fuel poor."""
    odds, total = _find_log_odds(chance), poor.sum()
    return float(brentq(lambda shift: expit(odds + shift).sum() - total, -30, 30))


def _measure_calibration_error(chance: Numbers, poor: Flags) -> float:
    """Return the mean distance of chance and rate over bins; those of one chance share their rate between bins."""
    rate = pd.Series(poor, dtype="float64").groupby(chance).transform("mean").to_numpy()
    bins = np.array_split(np.argsort(chance, kind="stable"), BINS)
    return float(sum(abs(chance[rows].sum() - rate[rows].sum()) for rows in bins) / len(chance))


def _fit_logit(design: Numbers, truth: Numbers, **options: object) -> Any:
    fitted = Logit(truth, design, check_rank=False).fit(method="newton", maxiter=50, disp=0, **options)
    if not fitted.mle_retvals["converged"]:
        raise CheckError("The logistic regression found no best fit; the households may be too few for its covariates.")
    return fitted


def _fit_logistic(train: pd.DataFrame, poor: Flags) -> Predict:
    coding = _Coding.of(train)
    coefficients = np.asarray(_fit_logit(coding.design(train), poor.astype("float64")).params)
    return lambda others: np.asarray(expit(coding.design(others) @ coefficients), dtype="float64")


def _fit_boosted(train: pd.DataFrame, poor: Flags, seed: int) -> Predict:
    trees = HistGradientBoostingClassifier(
        learning_rate=0.2,
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        l2_regularization=1.0,
        max_bins=63,
        categorical_features=[name in LEVELS for name in train.columns],
        early_stopping=False,
        random_state=seed,
    )
    trees.fit(train.to_numpy(), poor)
    return lambda others: np.asarray(trees.predict_proba(others.to_numpy())[:, 1], dtype="float64")


@dataclass(frozen=True)
class _Coding:
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
    def of(cls, rows: pd.DataFrame) -> "_Coding":
        numbers = rows[[name for name in rows if name not in LEVELS and name not in YES_NO]].astype("float64")
        spread = numbers.std()
        numbers = numbers[spread.index[spread > 0]]  # the others would make the design singular
        median = numbers.median()
        filled = numbers.fillna(median)
        kinds = [*(f"{name}={level}" for name in LEVELS for level in LEVELS[name][1:]), *YES_NO]
        full = cls(median, filled.mean(), filled.std(), [*kinds, *numbers.columns, "const"])
        design = full.design(rows)
        counts = design[:, : len(kinds)].sum(axis=0)
        is_rare = np.minimum(counts, len(rows) - counts) < FEWEST_OF_A_KIND
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


def _describe_column(column: str, coding: _Coding) -> dict[str, str]:
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
