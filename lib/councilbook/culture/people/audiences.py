"""Bought segments: whether they predict a council's own bookings better than what is open, in places held out."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from councilbook.errors import TooFewError

FOLDS, RESAMPLED = 8, 500
PENALTY = 0.01
FEWEST_BOOKERS = 100


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
        everywhere), low_pct and high_pct (95% over neighbourhoods drawn anew), areas, bookers.

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
    rng, groups = np.random.default_rng(seed), [np.flatnonzero(places == one) for one in places.unique()]
    drawn = [
        np.concatenate([groups[one] for one in rng.integers(0, len(groups), len(groups))]) for _ in range(RESAMPLED)
    ]
    base, rows = predicted["One rate everywhere"], []
    for name, one in predicted.items():
        saved = [100 * (1 - _score(rate, one, weight, at) / _score(rate, base, weight, at)) for at in drawn]
        every = np.arange(len(rate))
        whole = 100 * (1 - _score(rate, one, weight, every) / _score(rate, base, weight, every))
        rows.append((name, _score(rate, one, weight, every), whole, *np.quantile(saved, [0.025, 0.975])))
    scores = pd.DataFrame(rows, columns=["method", "deviance", "saved_pct", "low_pct", "high_pct"])
    return scores.assign(areas=len(table), bookers=int(table["bookers"].sum()))


def _predict(x: pd.DataFrame, rate: pd.Series, weight: pd.Series, places: pd.Series) -> NDArray[np.float64]:
    model = make_pipeline(StandardScaler(), PoissonRegressor(alpha=PENALTY, max_iter=1_000))
    told = {"poissonregressor__sample_weight": weight / weight.mean()}
    values = x.to_numpy(float) if len(x.columns) else np.ones((len(x), 1))
    held: NDArray[np.float64] = cross_val_predict(model, values, rate, groups=places, cv=GroupKFold(FOLDS), params=told)
    return held


def _score(rate: pd.Series, predicted: NDArray[np.float64], weight: pd.Series, at: NDArray[np.int64]) -> float:
    return float(mean_poisson_deviance(rate.iloc[at], predicted[at], sample_weight=weight.iloc[at]))
