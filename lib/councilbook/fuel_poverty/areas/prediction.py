"""Models of an area's share of fuel-poor households, and how well they foretell it where they have not looked.

What is modelled are the publisher's small-area estimates, which are themselves modelled. A good score says that
public data reproduce those estimates, not that they find the fuel-poor homes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingRegressor
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM, GLMResults
from threadpoolctl import threadpool_limits

from councilbook.errors import CheckError

COVARIATES = {
    "deprivation_pct": "Deprivation (IMD)",
    "owned_outright_pct": "Homes owned outright",
    "social_rented_pct": "Homes rented from a council or housing association",
    "private_rented_pct": "Homes rented from a private landlord",
    "no_heating_pct": "Homes without central heating",
    "electric_heating_pct": "Homes heated with electricity only",
    "oil_heating_pct": "Homes heated with oil only",
    "no_gas_pct": "Homes without a gas meter",
    "mean_gas_kwh": "Gas used by a home that has it",
    "mean_electricity_kwh": "Electricity used by a home",
}
DEPRIVATION = ["deprivation_pct"]
FEWEST_AREAS = 40  # four for each covariate of the binomial model
FEWEST_DISTRICTS = 3  # with fewer, parts of the council are left out instead
PARTS = 10
PERMUTATIONS = 999

Predict = Callable[[pd.DataFrame], np.ndarray]
Fit = Callable[[pd.DataFrame], Predict]


@dataclass(frozen=True)
class Folds:
    """The parts of a council that are left out in turn.

    Attributes:
        labels: the part of each area.
        name: what the parts are, for the reader.
    """

    labels: pd.Series
    name: str


def split_areas(areas: gpd.GeoDataFrame, seed: int) -> Folds:
    """Split a council into the parts that are left out in turn: its districts, or neighbouring areas if it has few.

    Neighbours are alike, so leaving out single areas would flatter a model; whole districts, or ten compact parts
    found by k-means on the areas' centres, do not.

    Raises:
        CheckError: the council has too few areas for a model.
    """
    if len(areas) < FEWEST_AREAS:
        raise CheckError(
            f"{len(areas)} areas are too few for a model of {len(COVARIATES)} covariates (at least {FEWEST_AREAS}). "
            "Join the council with its neighbours: give their codes joined by +."
        )
    if areas["lad22_code"].nunique() >= FEWEST_DISTRICTS:
        return Folds(areas["lad22_code"], "each district in turn")
    centres = areas.to_crs(27700).representative_point()
    parts = KMeans(min(PARTS, len(areas)), random_state=seed, n_init=10).fit_predict(np.c_[centres.x, centres.y])
    return Folds(pd.Series(parts, index=areas.index), "each of ten compact parts in turn")


def list_models(seed: int) -> dict[str, Fit]:
    """Return the two baselines and the two models, by the name that a reader sees."""
    return {
        "Council mean": _fit_mean,
        "Deprivation alone": lambda train: _fit_binomial(train, DEPRIVATION),
        "Binomial model": lambda train: _fit_binomial(train, list(COVARIATES)),
        "Boosted trees": lambda train: _fit_boosted(train, seed),
    }


BASELINES = {"Council mean", "Deprivation alone"}


def predict_held_out(areas: pd.DataFrame, folds: Folds, models: Mapping[str, Fit]) -> pd.DataFrame:
    """Predict each area's share by models fitted without its part of the council.

    Args:
        areas: households, fuel_poor_households and the covariates.

    Returns:
        A column a model: the expected share in percent, on the index of `areas`.
    """
    expected = pd.DataFrame(index=areas.index, columns=list(models), dtype="float64")
    for part in sorted(folds.labels.unique()):
        left_out = folds.labels == part
        for name, fit in models.items():
            expected.loc[left_out, name] = fit(areas[~left_out])(areas[left_out])
    return expected


def score_models(areas: gpd.GeoDataFrame, expected: pd.DataFrame, folds: Folds, seed: int) -> pd.DataFrame:
    """Score predictions against the published shares, each area weighted by its households.

    Returns:
        A row a model in the columns of the dataset fuel_poverty_model_scores. The variance explained is measured
        against the mean over all areas. A rank correlation is given only where predictions differ within a part.
        Moran's I is that of the residuals over areas that share a border (Cliff and Ord 1981), with a pseudo p-value.
    """
    # These take a second to import, and many modules need no more of this one than its folds.
    from esda.moran import Moran
    from libpysal.graph import Graph

    published, weights = areas["fuel_poor_pct"], areas["households"]
    neighbours = Graph.build_contiguity(areas, rook=False).transform("r")
    variance = np.average((published - np.average(published, weights=weights)) ** 2, weights=weights)
    parts = folds.labels.nunique()
    rows = []
    for name in expected.columns:
        error = expected[name] - published
        squared = np.average(error**2, weights=weights)
        varies = expected[name].nunique() > parts
        np.random.seed(seed)  # noqa: NPY002 (esda permutes with numpy's global generator)
        moran = Moran(error.to_numpy(), neighbours, permutations=PERMUTATIONS)
        rows.append(
            {
                "model": name,
                "kind": "baseline" if name in BASELINES else "model",
                "year": int(areas["year"].iloc[0]),
                "held_out": folds.name,
                "folds": parts,
                "areas": len(areas),
                "rmse_pct": np.sqrt(squared),
                "mae_pct": np.average(error.abs(), weights=weights),
                "variance_explained_pct": 100 * (1 - squared / variance),
                "rank_correlation": spearmanr(expected[name], published).statistic if varies else np.nan,
                "residual_morans_i": moran.I,
                "residual_morans_p": moran.p_sim,
            }
        )
    return pd.DataFrame(rows).round(3)


def estimate_odds(areas: pd.DataFrame) -> pd.DataFrame:
    """Fit the binomial model to all areas and tell what goes with fuel poverty.

    Returns:
        A row a covariate that varies: covariate (in words), one_more (its standard deviation), odds_ratio of one
        standard deviation more, low_95, high_95 (robust to clusters by neighbourhood, the first part of an area's
        name); strongest first.
    """
    scale = Scale.of(areas, list(COVARIATES))
    neighbourhood = pd.factorize(areas["area_name"].str.rstrip(ascii_uppercase))[0]
    fitted = make_binomial(areas, scale).fit(cov_type="cluster", cov_kwds={"groups": neighbourhood})
    limits = np.exp(fitted.conf_int().drop(index="const"))
    odds = np.exp(fitted.params.drop("const"))
    table = pd.DataFrame(
        {
            "covariate": [COVARIATES[name] for name in odds.index],
            "one_more": scale.spread.round(2).to_numpy(),
            "odds_ratio": odds.to_numpy().round(3),
            "low_95": limits[0].to_numpy().round(3),
            "high_95": limits[1].to_numpy().round(3),
        }
    )
    return table.sort_values("odds_ratio", key=lambda ratios: abs(np.log(ratios)), ascending=False, ignore_index=True)


@dataclass(frozen=True)
class Scale:
    """Mean, spread and median of the covariates that a model was fitted to."""

    centre: pd.Series
    spread: pd.Series
    median: pd.Series

    @classmethod
    def of(cls, areas: pd.DataFrame, covariates: list[str]) -> "Scale":
        """Find them over areas; a covariate that does not vary is left out."""
        spread = areas[covariates].std()
        varying = areas[spread.index[spread > 0]]  # the others would make the design singular
        return cls(varying.mean(), spread[varying.columns], varying.median())

    def design(self, areas: pd.DataFrame) -> pd.DataFrame:
        """Standardise; a missing value (as gas use where there is no gas) is taken as the median."""
        filled = areas[self.centre.index].fillna(self.median)
        design: pd.DataFrame = (filled - self.centre) / self.spread
        return design.assign(const=1.0)


def make_binomial(areas: pd.DataFrame, scale: Scale) -> GLM:
    """Make the binomial model of how many households of each area are fuel poor, yet to be fitted."""
    poor = areas["fuel_poor_households"]
    counts = np.c_[poor, areas["households"] - poor]
    return GLM(counts, scale.design(areas), family=Binomial())


def _fit_binomial(train: pd.DataFrame, covariates: list[str]) -> Predict:
    scale = Scale.of(train, covariates)
    fitted: GLMResults = make_binomial(train, scale).fit()
    return lambda areas: 100 * np.asarray(fitted.predict(scale.design(areas)))


def _fit_mean(train: pd.DataFrame) -> Predict:
    mean = 100 * train["fuel_poor_households"].sum() / train["households"].sum()
    return lambda areas: np.full(len(areas), mean)


def _fit_boosted(train: pd.DataFrame, seed: int) -> Predict:
    # Shallow trees: there are about a thousand areas, and a district left out differs from those seen.
    trees = HistGradientBoostingRegressor(
        max_iter=100, max_leaf_nodes=8, min_samples_leaf=20, l2_regularization=1.0, max_bins=63, random_state=seed
    )
    with threadpool_limits(1):  # on so few rows, threads wait for each other longer than they work
        trees.fit(train[list(COVARIATES)], train["fuel_poor_pct"], sample_weight=train["households"])
    return lambda areas: trees.predict(areas[list(COVARIATES)]).clip(0, 100)
