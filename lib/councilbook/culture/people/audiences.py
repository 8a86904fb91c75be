"""Bought segments: whether they predict a council's own bookings better than what is open, in places held out."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from councilbook.errors import TooFewError

FOLDS, RESAMPLED = 8, 500
PENALTY = 0.01
FEWEST_BOOKERS = 100
ADDED = "Added by bought segments"


def try_audiences(
    open_data: pd.DataFrame, segments: pd.DataFrame, bookings: pd.DataFrame, neighbourhoods: pd.Series, seed: int
) -> pd.DataFrame:
    """Predict bookings per household in neighbourhoods held out, with and without bought segments.

    Args:
        open_data: by lsoa21_code: what is open of an area.
        segments: lsoa21_code, segment, households.
        bookings: lsoa21_code, bookers: households that booked.
        neighbourhoods: by lsoa21_code; one is left out as a whole, as neighbours are alike.

    Returns:
        method, deviance (mean Poisson deviance held out: less is better), saved_pct (of the deviance of one rate
        everywhere), low_pct and high_pct (95% over neighbourhoods drawn anew), areas, group_size (none: all areas),
        degrees_of_freedom.

    Raises:
        TooFewError: there are too few bookings or neighbourhoods.
    """
    shares = segments.pivot_table("households", "lsoa21_code", "segment", "sum").fillna(0)
    households = shares.sum(axis=1)
    shares = shares.div(households, axis=0)
    table = open_data.join(shares, how="inner").join(bookings.set_index("lsoa21_code")["bookers"], how="inner")
    places = neighbourhoods.reindex(table.index)
    if table["bookers"].sum() < FEWEST_BOOKERS or places.nunique() < 2 * FOLDS:
        raise TooFewError("There are too few bookings or neighbourhoods to try what segments add.")
    weight, rate = households.loc[table.index], table["bookers"] / households.loc[table.index]
    methods: Mapping[str, list[str]] = {
        "One rate everywhere": [],
        "Census and deprivation": [*map(str, open_data)],
        "Bought segments alone": [*map(str, shares)],
        "Census, deprivation and bought segments": [*map(str, open_data), *map(str, shares)],
    }
    predicted = {name: _predict(table[columns], rate, weight, places) for name, columns in methods.items()}
    deviance = pd.DataFrame({name: _score(rate, one) for name, one in predicted.items()}).mul(weight, axis=0)
    by_place = deviance.groupby(places).sum()
    picks = np.random.default_rng(seed).integers(0, len(by_place), (RESAMPLED, len(by_place)))
    sums = np.vstack([by_place.sum(), by_place.to_numpy()[picks].sum(axis=1)])  # the first is of all as they are
    saved = pd.DataFrame(100 * (1 - sums / sums[:, :1]), columns=list(methods))
    saved[ADDED] = saved.iloc[:, -1] - saved["Census and deprivation"]
    ends = saved.iloc[1:].quantile([0.025, 0.975])
    scores = pd.DataFrame({"saved_pct": saved.iloc[0], "low_pct": ends.iloc[0], "high_pct": ends.iloc[1]})
    scores["deviance"] = deviance.sum() / weight.sum()
    used = [1 + len(methods.get(name, [*open_data, *shares])) for name in scores.index]
    scores["areas"], scores["degrees_of_freedom"] = len(table), len(table) - np.array(used)
    return scores.assign(group_size=np.nan).rename_axis("method").reset_index()


def _predict(x: pd.DataFrame, rate: pd.Series, weight: pd.Series, places: pd.Series) -> NDArray[np.float64]:
    model = make_pipeline(StandardScaler(), PoissonRegressor(alpha=PENALTY, max_iter=1_000))
    told = {"poissonregressor__sample_weight": weight / weight.mean()}
    values = x.to_numpy(float) if len(x.columns) else np.ones((len(x), 1))
    held: NDArray[np.float64] = cross_val_predict(model, values, rate, groups=places, cv=GroupKFold(FOLDS), params=told)
    return held


def _score(rate: pd.Series, predicted: NDArray[np.float64]) -> pd.Series:
    """Return the Poisson deviance of each area."""
    deviance: pd.Series = 2 * (xlogy(rate, rate / predicted) - rate + predicted)
    return deviance
