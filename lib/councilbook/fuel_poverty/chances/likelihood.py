"""The chance that each household is in fuel poverty, learnt from records that say which households are."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.prediction import FEWEST_DISTRICTS, PARTS, Folds
from councilbook.fuel_poverty.chances.coding import Coding, encode_predictors, fit_logit, tabulate_odds
from councilbook.fuel_poverty.chances.scores import COUNCIL_RATE, find_log_odds, fit_curve
from councilbook.fuel_poverty.households.extract import LEVELS, Flags, Numbers

Predict = Callable[[pd.DataFrame], Numbers]

LOGISTIC, BOOSTED = "Logistic regression", "Boosted trees"
MODELS = (LOGISTIC, BOOSTED)
FIT_SAMPLE = 60_000  # households at most that trees are fitted to in each fold
LOGISTIC_SAMPLE = 30_000  # of those; the regression has some sixty coefficients, and gains little from more
ODDS_SAMPLE = 200_000
CALIBRATION_SAMPLE = 30_000
CALIBRATION_SHARE = 0.25  # of the LSOAs that a model may see
FEWEST_LSOAS = 2 * PARTS
FEWEST_FUEL_POOR = 50  # households to fit to, and as many that are not
FEWEST_TO_CALIBRATE = 10  # likewise


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
    rows = encode_predictors(prepared)
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
    rows = encode_predictors(prepared)
    everywhere = np.ones(len(prepared), dtype=bool)
    samples = _draw_samples(prepared["lsoa21_code"].to_numpy(), everywhere, np.random.default_rng(seed))
    with _one_thread():
        predict = _fit_calibrated(name, rows, prepared["is_fuel_poor"].to_numpy(dtype=bool), samples, seed)
    return lambda others: predict(encode_predictors(others))


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
    rows = encode_predictors(drawn)
    poor = drawn["is_fuel_poor"].to_numpy(dtype=bool)
    coding = Coding.of(rows, poor)
    areas = pd.factorize(drawn["lsoa21_code"])[0]
    options = {"cov_type": "cluster", "cov_kwds": {"groups": areas}}
    design = coding.design(rows)
    with _one_thread():
        fitted = fit_logit(design, poor.astype("float64"), **options)
    return tabulate_odds(coding, design, np.asarray(fitted.params), np.asarray(fitted.bse))


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
    slope, intercept = fit_curve(predict(rows.iloc[samples.calibrate]), apart.astype("float64"))
    if slope <= 0:  # chances that go the wrong way are worth no more than the rate
        slope, intercept = 0.0, float(logit(apart.mean()))
    return lambda others: np.asarray(expit(intercept + slope * find_log_odds(predict(others))), dtype="float64")


def _one_thread() -> threadpool_limits:
    """Keep to one thread: sums of several differ in their last digits, and on busy cores they wait for each other."""
    return threadpool_limits(1)


def _check_both_kinds(poor: Flags, use: str, fewest: int) -> None:
    if min(poor.sum(), (~poor).sum()) < fewest:
        raise CheckError(
            f"Of {len(poor):,} households to {use}, fewer than {fewest} are fuel poor, or are not. Join the council "
            "with its neighbours: give their codes joined by +."
        )


def _fit_logistic(train: pd.DataFrame, poor: Flags) -> Predict:
    coding = Coding.of(train, poor)
    coefficients = np.asarray(fit_logit(coding.design(train), poor.astype("float64")).params)
    return lambda others: np.asarray(expit(coding.design(others) @ coefficients), dtype="float64")


def _fit_boosted(train: pd.DataFrame, poor: Flags, seed: int) -> Predict:
    held = [name for name in train if train[name].notna().any()]  # of certificates that nobody has, no bins are made
    trees = HistGradientBoostingClassifier(
        learning_rate=0.2,
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        l2_regularization=1.0,
        max_bins=63,
        categorical_features=[name in LEVELS for name in held],
        early_stopping=False,
        random_state=seed,
    )
    trees.fit(train[held].to_numpy(), poor)
    return lambda others: np.asarray(trees.predict_proba(others[held].to_numpy())[:, 1], dtype="float64")
