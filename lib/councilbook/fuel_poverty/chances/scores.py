"""How well chances are known where the model has not looked: against households, or against official rates of areas."""

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from councilbook.fuel_poverty.areas.prediction import Folds
from councilbook.fuel_poverty.chances.coding import fit_logit
from councilbook.fuel_poverty.households.extract import Numbers

COUNCIL_RATE = "Council rate"
COLUMNS = [
    *("model", "kind", "held_out", "folds", "households", "auc", "brier", "log_loss"),
    *("calibration_slope", "calibration_intercept", "expected_calibration_error"),
]
BINS = 10
EDGE = 1e-6  # of a probability, whose log odds must be finite


def score_chances(truth: pd.Series, chances: pd.DataFrame, folds: Folds) -> pd.DataFrame:
    """Score probabilities against who is fuel poor, or against rates. On a twin, these are scores on synthetic data.

    Args:
        truth: 1 for each household that is fuel poor and 0 for the others; or the official share of its area. Then the
            chances must be the means of the areas.
        chances: a column a model, on the same index.
        folds: what was left out.

    Returns:
        A row a model: model, kind, held_out, folds, households, auc, brier, log_loss, calibration_slope (1 is right;
        Cox 1958), calibration_intercept (0 is right; log odds, with the slope held at 1), expected_calibration_error
        (mean distance of the mean chance from the rate, over ten bins of equal size by chance). Where all chances of a
        fold are one, auc and calibration_slope say nothing, and are missing; so is auc against rates.
    """
    poor = truth.to_numpy(dtype="float64")
    is_known = bool(np.isin(poor, (0, 1)).all())
    rows = []
    for name in chances.columns if len(poor) else ():
        chance = chances[name].to_numpy(dtype="float64").clip(EDGE, 1 - EDGE)
        is_flat = name == COUNCIL_RATE
        rows.append(
            {
                "model": name,
                "kind": "baseline" if is_flat else "model",
                "held_out": folds.name,
                "folds": folds.labels.nunique(),
                "households": len(poor),
                "auc": roc_auc_score(poor, chance) if is_known and not is_flat else np.nan,
                "brier": np.mean(poor * (1 - chance) ** 2 + (1 - poor) * chance**2),
                "log_loss": -np.mean(poor * np.log(chance) + (1 - poor) * np.log1p(-chance)),
                "calibration_slope": np.nan if is_flat else fit_curve(chance, poor)[0],
                "calibration_intercept": _find_intercept(chance, poor),
                "expected_calibration_error": _measure_calibration_error(chance, poor),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS).round(4)


def average_areas(values: pd.DataFrame, areas: pd.Series) -> pd.DataFrame:
    """Give every household the mean of its area, as rates of areas are scored."""
    return values.groupby(areas).transform("mean")


def fit_curve(chance: Numbers, poor: Numbers) -> tuple[float, float]:
    """Return slope and intercept of the log odds of fuel poverty on those of the chance."""
    design = np.c_[find_log_odds(chance), np.ones(len(chance))]
    slope, intercept = fit_logit(design, poor).params
    return float(slope), float(intercept)


def find_log_odds(chance: Numbers) -> Numbers:
    """Return the log odds of probabilities, finite ones also of 0 and 1."""
    return np.asarray(logit(chance.clip(EDGE, 1 - EDGE)), dtype="float64")


def _find_intercept(chance: Numbers, poor: Numbers) -> float:
    """Return by how much all log odds would have to be shifted for the chances to add up to the fuel poor."""
    odds, total = find_log_odds(chance), poor.sum()
    return float(brentq(lambda shift: expit(odds + shift).sum() - total, -30, 30))


def _measure_calibration_error(chance: Numbers, poor: Numbers) -> float:
    """Return the mean distance of chance and rate over bins; those of one chance share their rate between bins."""
    rate = pd.Series(poor).groupby(chance).transform("mean").to_numpy()
    bins = np.array_split(np.argsort(chance, kind="stable"), BINS)
    return float(sum(abs(chance[rows].sum() - rate[rows].sum()) for rows in bins) / len(chance))
