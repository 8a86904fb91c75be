"""Models of an area's share: judged where they have not looked, found again where an association was planted."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.special import expit

from councilbook.catalogue import load_catalogue
from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.prediction import (
    COVARIATES,
    FEWEST_AREAS,
    Folds,
    Predict,
    estimate_odds,
    list_models,
    predict_held_out,
    score_models,
    split_areas,
)
from councilbook.paths import find_workbook
from councilbook.sources.checks import check_fields

PLANTED = {"deprivation_pct": 0.6, "mean_electricity_kwh": -0.3}  # log odds for one standard deviation more


def make_areas(side: int = 12, districts: int = 4, seed: int = 1) -> gpd.GeoDataFrame:
    """A square of areas of a kilometre each, whose fuel poverty follows PLANTED and nothing else."""
    random = np.random.default_rng(seed)
    number = np.arange(side**2)
    x, y = number % side, number // side
    areas = gpd.GeoDataFrame(
        {
            "area_code": [f"E01{place:06}" for place in number],
            "area_name": [f"Town {place // 4:03}{'ABCD'[place % 4]}" for place in number],
            "lad22_code": [f"E0700000{place}" for place in x * districts // side],
            "year": 2022,
            "households": random.integers(500, 900, side**2),
        },
        geometry=shapely.box(600_000 + 1000 * x, 150_000 + 1000 * y, 601_000 + 1000 * x, 151_000 + 1000 * y),
        crs=27700,
    ).to_crs(4326)
    areas[list(COVARIATES)] = random.normal(50, 10, (side**2, len(COVARIATES)))
    scaled = (areas[list(PLANTED)] - areas[list(PLANTED)].mean()) / areas[list(PLANTED)].std()
    areas["fuel_poor_households"] = random.binomial(areas["households"], expit(-2 + scaled @ pd.Series(PLANTED)))
    areas["fuel_poor_pct"] = 100 * areas["fuel_poor_households"] / areas["households"]
    areas.loc[random.choice(number, 5, replace=False), "mean_gas_kwh"] = np.nan  # where there is no gas
    return areas.sample(frac=1, random_state=seed)  # an index that is not in order


@pytest.fixture(scope="module")
def areas() -> gpd.GeoDataFrame:
    return make_areas()


# --- folds ---


def test_a_council_of_three_districts_is_split_by_district() -> None:
    areas = make_areas(districts=3)
    folds = split_areas(areas, seed=1)
    assert folds.labels.equals(areas["lad22_code"])
    assert folds.name == "each district in turn"


def test_a_council_of_two_districts_is_split_into_ten_compact_parts() -> None:
    areas = make_areas(districts=2)
    folds = split_areas(areas, seed=1)
    assert folds.labels.nunique() == 10
    points = areas.to_crs(27700).centroid
    centres = pd.DataFrame({"x": points.x, "y": points.y}).groupby(folds.labels).mean()
    distances = np.hypot(
        points.x.to_numpy()[:, None] - centres["x"].to_numpy(), points.y.to_numpy()[:, None] - centres["y"].to_numpy()
    )
    own = distances[np.arange(len(areas)), folds.labels]
    assert (own <= distances.min(axis=1) + 1).all()  # a metre for the way to degrees and back


def test_too_few_areas_for_a_model_are_an_error_that_says_what_to_do() -> None:
    areas = make_areas()
    assert len(split_areas(areas.head(FEWEST_AREAS), seed=1).labels) == FEWEST_AREAS
    with pytest.raises(CheckError, match=r"39 areas are too few for a model .*at least 40.*joined by \+"):
        split_areas(areas.head(FEWEST_AREAS - 1), seed=1)


# --- held out ---


def test_a_model_never_sees_the_part_that_it_predicts(areas: gpd.GeoDataFrame) -> None:
    seen: list[tuple[set[int], set[int]]] = []

    def fit(train: pd.DataFrame) -> Predict:
        def predict(rest: pd.DataFrame) -> np.ndarray:
            seen.append((set(train.index), set(rest.index)))
            return rest.index.to_numpy(dtype="float64")

        return predict

    folds = split_areas(areas, seed=1)
    expected = predict_held_out(areas, folds, {"spy": fit})
    assert expected["spy"].tolist() == areas.index.tolist()  # each area has its own prediction
    assert len(seen) == 4
    for train, rest in seen:
        assert set(folds.labels[list(train)]).isdisjoint(folds.labels[list(rest)])
        assert train | rest == set(areas.index)


@pytest.fixture(scope="module")
def expected(areas: gpd.GeoDataFrame) -> pd.DataFrame:
    return predict_held_out(areas, split_areas(areas, seed=1), list_models(seed=1))


def test_every_model_expects_a_share_for_every_area_even_without_gas(expected: pd.DataFrame) -> None:
    assert expected.notna().all(axis=None)
    assert expected.ge(0).all(axis=None)
    assert expected.le(100).all(axis=None)


def test_models_that_know_what_was_planted_beat_the_baselines_where_they_have_not_looked(
    areas: gpd.GeoDataFrame, expected: pd.DataFrame
) -> None:
    scores = score_models(areas, expected, split_areas(areas, seed=1), seed=1).set_index("model")
    explained = scores["variance_explained_pct"]
    assert explained["Council mean"] <= 0
    assert explained["Council mean"] < explained["Deprivation alone"] < explained["Binomial model"]
    assert explained["Binomial model"] > 85
    assert explained["Boosted trees"] > 50
    assert scores["kind"].tolist() == ["baseline", "baseline", "model", "model"]
    assert scores["rank_correlation"].isna().tolist() == [True, False, False, False]


def test_the_same_seed_gives_the_same_results_whatever_was_drawn_before(
    areas: gpd.GeoDataFrame, expected: pd.DataFrame
) -> None:
    folds = split_areas(areas, seed=1)
    scores = score_models(areas, expected, folds, seed=1)
    np.random.random(5)  # noqa: NPY002 (esda draws from numpy's global generator)
    again = predict_held_out(areas, folds, list_models(seed=1))
    pd.testing.assert_frame_equal(again, expected, check_exact=True)
    pd.testing.assert_frame_equal(score_models(areas, again, folds, seed=1), scores, check_exact=True)


def test_the_same_seed_gives_the_same_parts() -> None:
    areas = make_areas(districts=1)
    assert split_areas(areas, seed=2).labels.equals(split_areas(areas, seed=2).labels)
    assert not split_areas(areas, seed=2).labels.equals(split_areas(areas, seed=3).labels)


# --- scores ---


def score(areas: gpd.GeoDataFrame, share: pd.Series) -> pd.Series:
    return score_models(areas, share.to_frame("a model"), Folds(areas["lad22_code"], "parts"), seed=1).iloc[0]


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # residuals of 0 have no Moran's I
def test_a_perfect_prediction_explains_all(areas: gpd.GeoDataFrame) -> None:
    scores = score(areas, areas["fuel_poor_pct"])
    assert scores["variance_explained_pct"] == 100
    assert scores["rank_correlation"] == 1
    assert scores[["rmse_pct", "mae_pct"]].tolist() == [0, 0]


def test_the_mean_of_all_households_explains_nothing(areas: gpd.GeoDataFrame) -> None:
    mean = 100 * areas["fuel_poor_households"].sum() / areas["households"].sum()
    scores = score(areas, pd.Series(mean, index=areas.index))
    assert scores["variance_explained_pct"] == 0
    assert pd.isna(scores["rank_correlation"])


def test_errors_are_weighted_by_households(areas: gpd.GeoDataFrame) -> None:
    off = pd.Series([8.0, *[0.0] * (len(areas) - 1)], index=areas.index)
    share = areas["households"].iloc[0] / areas["households"].sum()
    scores = score(areas, areas["fuel_poor_pct"] + off)
    assert scores["mae_pct"] == pytest.approx(8 * share, abs=0.001)
    assert scores["rmse_pct"] == pytest.approx(8 * share**0.5, abs=0.001)


def test_morans_i_is_high_where_neighbours_err_alike_and_not_where_they_do_not(areas: gpd.GeoDataFrame) -> None:
    east = areas.to_crs(27700).centroid.x
    alike = score(areas, areas["fuel_poor_pct"] + (east - east.mean()) / 1000)
    assert alike["residual_morans_i"] > 0.8
    assert alike["residual_morans_p"] == 0.001
    noise = pd.Series(np.random.default_rng(5).normal(size=len(areas)), index=areas.index)
    unlike = score(areas, areas["fuel_poor_pct"] + noise)
    assert abs(unlike["residual_morans_i"]) < 0.1
    assert unlike["residual_morans_p"] > 0.05


# --- what goes with it ---


def test_a_planted_association_is_recovered_within_its_interval(areas: gpd.GeoDataFrame) -> None:
    odds = estimate_odds(areas)
    assert odds["covariate"].tolist()[:2] == [COVARIATES[name] for name in PLANTED]  # the strongest first
    for row, (name, planted) in zip(odds.itertuples(), PLANTED.items(), strict=False):
        assert row.low_95 < np.exp(planted) < row.high_95
        assert row.high_95 - row.low_95 < 0.2
        assert row.one_more == pytest.approx(areas[name].std(), abs=0.01)
    others = odds.iloc[2:]
    assert set(others["covariate"]) == set(COVARIATES.values()) - {COVARIATES[name] for name in PLANTED}
    assert ((others["low_95"] < 1) & (others["high_95"] > 1)).mean() >= 0.75


def test_what_is_the_same_everywhere_or_nowhere_known_is_left_out(areas: gpd.GeoDataFrame) -> None:
    same = areas.assign(oil_heating_pct=0.0, mean_gas_kwh=np.nan)
    odds = estimate_odds(same)
    assert len(odds) == len(COVARIATES) - 2
    assert odds.loc[0, "covariate"] == COVARIATES["deprivation_pct"]
    assert not set(odds["covariate"]) & {COVARIATES["oil_heating_pct"], COVARIATES["mean_gas_kwh"]}
    share = list_models(seed=1)["Binomial model"](same)(same.head(3))
    assert np.isfinite(share).all()


def test_scores_and_odds_are_as_their_datasets_declare(areas: gpd.GeoDataFrame, expected: pd.DataFrame) -> None:
    catalogue = load_catalogue(find_workbook(Path(__file__).parent))
    tables = {
        "fuel_poverty_model_scores": score_models(areas, expected, split_areas(areas, seed=1), seed=1),
        "fuel_poverty_model_coefficients": estimate_odds(areas),
    }
    for name, table in tables.items():
        dataset = catalogue.dataset(name)
        check_fields(table, dataset.fields, dataset.key, name, show_values=True)
