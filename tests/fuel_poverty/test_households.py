"""The linked extract is refused where it must be, and the model finds what was planted without looking."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.prediction import Folds
from councilbook.fuel_poverty.chances.coding import encode_predictors
from councilbook.fuel_poverty.chances.likelihood import (
    BOOSTED,
    LOGISTIC,
    _draw_samples,
    _fit_calibrated,
    estimate_odds,
    fit_chance,
    predict_held_out,
    split_households,
)
from councilbook.fuel_poverty.chances.scores import COUNCIL_RATE, score_chances
from councilbook.fuel_poverty.households.extract import (
    CONDITIONS,
    DEFINING,
    LEVELS,
    OPEN,
    PREDICTORS,
    YES_NO,
    add_open,
    keep_latest_certificates,
    prepare_households,
)

Tables = dict[str, pd.DataFrame]
VALID_NHS = "9434765919"  # the example of the NHS Data Dictionary
PLANTED = {"prepayment_meter": 1.0, "private_rented": 0.8}  # log odds


def make_tables() -> Tables:
    """Three households of two postcodes, four people, one Acorn row and three certificates."""
    households = pd.DataFrame(
        {
            "household_id": ["h1a", "h2b", "h3c"],
            "postcode": ["ME1 1AA", "ME1 1AA", "ME1 1AB"],
            "oa21_code": ["E00000001", "E00000001", "E00000002"],
            "lsoa21_code": "E01000001",
            "lad22_code": "E07000001",
            "tenure": ["owned_outright", "mortgaged", "private_rented"],
            "accommodation": "flat",
            "heating": ["gas", "electric", "oil"],
            "storage_heaters": [False, True, False],
            "prepayment_meter": [False, False, True],
            "adults": [1, 2, 1],
            "children_14_plus": 0,
            "children_under_14": [0, 1, 0],
            "oldest_age": [80, 40, 30],
            "youngest_age": [80, 3, 30],
            **dict.fromkeys(DEFINING[:-1], 100.0),
            "is_fuel_poor": [True, False, False],
        }
    )
    people = pd.DataFrame(
        {
            "person_id": ["p1", "p2", "p3", "p4"],
            "household_id": ["h2b", "h2b", "h1a", "h2b"],
            "gp_contacts": [1, 2, 5, 3],
            "emergency_admissions": [0, 1, 0, 1],
            **dict.fromkeys([*CONDITIONS, "social_care"], False),
        }
    ).assign(falls=[False, True, False, False])
    acorn = pd.DataFrame({"postcode": ["ME1 1AA"], "wellbeing_group": [2]})
    epc = pd.DataFrame(
        {
            "lmk_key": ["a", "b", "c"],
            "postcode": ["ME1 1AA", "ME1 1AA", "ME9 9ZZ"],
            "uprn": [9_434_765_919, 2, 3],
            "current_energy_rating": ["C", "D", "A"],
            "current_energy_efficiency": [70, 60, 95],
            "property_type": ["House", "Park home", "Flat"],
        }
    )
    postcodes = pd.DataFrame(
        {
            "postcode": ["ME1 1AB", "ME1 1AA"],
            "oa21_code": ["E00000002", "E00000001"],
            "lsoa21_code": "E01000001",
            "latitude": [51.2, 51.1],
            "longitude": [0.2, 0.1],
        }
    )
    return {"households": households, "people": people, "acorn": acorn, "epc": epc, "postcodes": postcodes}


# --- the extract ---


def test_people_and_postcodes_are_brought_to_their_households() -> None:
    tables = make_tables()
    tables["households"] = tables["households"].assign(wellbeing_group="?", beds=3).set_axis(["x", "y", "z"])
    prepared = prepare_households(**tables)
    assert prepared.columns.is_unique
    assert prepared["beds"].tolist() == [3, 3, 3]
    assert prepared["household_id"].tolist() == ["h1a", "h2b", "h3c"]
    assert prepared["gp_contacts"].tolist() == [5, 6, 0]
    assert prepared["emergency_admissions"].tolist() == [0, 2, 0]
    assert prepared["falls"].tolist() == [False, True, False]
    assert not prepared["respiratory"].any()
    assert prepared["wellbeing_group"].tolist() == ["2", "2", "not known"]
    assert prepared["epc_efficiency"].tolist()[:2] == [65, 65]
    assert prepared["epc_below_c_pct"].tolist()[:2] == [50, 50]
    assert np.isnan(prepared.loc[2, "epc_efficiency"])
    assert prepared["latitude"].tolist() == [51.1, 51.1, 51.2]


@pytest.mark.parametrize("without", [["acorn"], ["epc"], ["acorn", "epc"]])
def test_households_stay_where_there_is_no_file_of_groups_or_of_certificates(without: list[str]) -> None:
    tables = make_tables()
    prepared = prepare_households(**tables | dict.fromkeys(without))
    assert len(prepared) == 3
    known = ["2", "2", "not known"]
    assert prepared["wellbeing_group"].tolist() == (["not known"] * 3 if "acorn" in without else known)
    assert prepared["has_certificates"].tolist() == [*["epc" not in without] * 2, False]
    assert prepared["epc_efficiency"].notna().tolist() == prepared["has_certificates"].tolist()
    assert prepared["epc_below_c_pct"].dtype == "float64"


def test_a_postcode_without_a_group_or_a_certificate_without_a_rating_says_nothing() -> None:
    tables = make_tables()
    tables["acorn"]["wellbeing_group"] = np.nan
    tables["epc"]["current_energy_efficiency"] = [70, np.nan, 95]
    prepared = prepare_households(**tables)
    assert prepared["wellbeing_group"].eq("not known").all()
    assert prepared["epc_efficiency"].tolist()[:2] == [70, 70]


@pytest.mark.parametrize("is_poor", [False, True])
def test_a_label_whose_households_are_all_alike_does_not_keep_the_regression_from_its_best_fit(is_poor: bool) -> None:
    council = make_prepared()
    few = council.index[:60]
    council.loc[few, ["has_certificates", "is_fuel_poor"]] = [False, is_poor]
    council["has_certificates"] = ~council.index.isin(few)
    assert "Certificates of the postcode are known" not in set(estimate_odds(council, 1)["covariate"])
    assert fit_chance(council, LOGISTIC, 1)(council).max() < 1


def test_what_is_not_known_is_a_level_that_the_model_learns() -> None:
    random = np.random.default_rng(4)
    council = make_prepared()
    is_known = random.random(len(council)) < 0.5
    council["has_certificates"] = is_known
    council["is_fuel_poor"] = random.random(len(council)) < np.where(is_known, 0.1, 0.4)
    for name in ("epc_efficiency", "epc_below_c_pct"):
        council[name] = council[name].where(is_known)
    chance = fit_chance(council, LOGISTIC, 1)(council)
    assert chance[is_known].mean() == pytest.approx(0.1, abs=0.03)
    assert chance[~is_known].mean() == pytest.approx(0.4, abs=0.05)


Break = Callable[[Tables], None]


def set_value(table: str, column: str, row: int, value: object) -> Break:
    def break_it(tables: Tables) -> None:
        values = tables[table][column].astype("object")
        values.iloc[row] = value
        tables[table][column] = values.infer_objects()

    return break_it


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (set_value("households", "postcode", 0, "ZZ9 9ZZ"), r"postcode in 1 rows .*current postcode dir.* \(row 0"),
        (set_value("people", "household_id", 2, "h9"), r"people: household_id in 1 rows .*one of the hou.* \(row 2"),
    ],
)
def test_a_broken_extract_is_refused_by_column_and_row_without_its_value(break_it: Break, message: str) -> None:
    tables = make_tables()
    break_it(tables)
    with pytest.raises(CheckError, match=message) as raised:
        prepare_households(**tables)
    for value in ["h1a", "h2b", "h9", "p1", "ME1", "ZZ9", "peat", "E0100", "E0700"]:
        assert value not in str(raised.value)


def test_an_income_after_housing_below_zero_and_an_unknown_cost_in_band_c_are_no_faults() -> None:
    tables = make_tables()
    tables["households"] = tables["households"].assign(
        ahc_income_gbp_year=-5.0, fuel_cost_at_band_c_gbp_year=[np.nan, 100, 100]
    )
    assert len(prepare_households(**tables)) == 3


def test_of_several_certificates_of_a_home_the_latest_is_kept() -> None:
    epc = pd.DataFrame(
        {
            "lmk_key": ["a", "b", "c", "d", "e"],
            "uprn": ["1", "1", "2", None, None],
            "inspection_date": pd.to_datetime(["2020-05-01", "2012-01-01", "2015-01-01", "2010-01-01", "2011-01-01"]),
        }
    )
    assert keep_latest_certificates(epc)["lmk_key"].tolist() == ["a", "c", "d", "e"]
    assert keep_latest_certificates(epc.iloc[::-1])["lmk_key"].tolist() == ["e", "d", "c", "a"]


def test_incomes_costs_ratings_and_who_is_fuel_poor_need_not_be_known() -> None:
    known = make_tables()
    for unknown in (
        known["households"].drop(columns=list(DEFINING)),
        known["households"].assign(**dict.fromkeys(DEFINING, None)),
        known["households"].assign(**dict.fromkeys(DEFINING, np.nan)),
    ):
        prepared = prepare_households(**(known | {"households": unknown}))
        assert not set(DEFINING) & set(prepared)
        assert prepared["gp_contacts"].tolist() == [5, 6, 0]


def test_a_rating_may_be_known_of_some_homes_but_who_is_fuel_poor_of_all_or_of_none() -> None:
    tables = make_tables()
    tables["households"]["fpeer_score"] = [np.nan, 55.0, np.nan]
    assert prepare_households(**tables)["fpeer_score"].notna().tolist() == [False, True, False]
    tables["households"]["is_fuel_poor"] = pd.array([True, None, False], dtype="boolean")
    with pytest.raises(CheckError, match=r"is_fuel_poor in 1 rows .*every row, or in none \(row 1"):
        prepare_households(**tables)


# --- the model ---


def make_prepared(districts: int = 4, lsoas: int = 40, homes: int = 120, seed: int = 1) -> pd.DataFrame:
    """Households whose fuel poverty follows PLANTED and nothing else, in districts side by side."""
    random = np.random.default_rng(seed)
    number = lsoas * homes
    lsoa = np.repeat(np.arange(lsoas), homes)
    prepared = pd.DataFrame(
        {
            "lsoa21_code": [f"E01{code:06}" for code in lsoa],
            "lad22_code": [f"E0700000{code * districts // lsoas}" for code in lsoa],
            "latitude": 51 + lsoa % 8 / 50,
            "longitude": lsoa // 8 / 50,
        }
    )
    for name, levels in LEVELS.items():
        prepared[name] = pd.Index(levels).take(random.integers(0, len(levels), number))
    for name in PREDICTORS:
        if name not in LEVELS and name != "has_certificates":
            prepared[name] = random.normal(50, 10, number)
    for name in YES_NO[:-1]:
        prepared[name] = random.random(number) < 0.3
    prepared.loc[random.random(number) < 0.1, "epc_efficiency"] = np.nan
    prepared["has_certificates"] = prepared["epc_efficiency"].notna()
    odds = -2 + PLANTED["prepayment_meter"] * prepared["prepayment_meter"]
    odds += PLANTED["private_rented"] * (prepared["tenure"] == "private_rented")
    prepared["is_fuel_poor"] = random.random(number) < expit(odds)
    return prepared.sample(frac=1, random_state=seed)  # an index that is not in order


@pytest.fixture(scope="module")
def prepared() -> pd.DataFrame:
    return make_prepared()


@pytest.fixture(scope="module")
def chances(prepared: pd.DataFrame) -> pd.DataFrame:
    return predict_held_out(prepared, split_households(prepared, seed=1), seed=1)


def test_what_the_label_is_computed_from_changes_no_chance(prepared: pd.DataFrame, chances: pd.DataFrame) -> None:
    assert not set(DEFINING) & set(PREDICTORS)
    assert not [name for name in PREDICTORS if "gbp" in name]
    told = prepared.assign(**dict.fromkeys(DEFINING[:-1], prepared["is_fuel_poor"] * 1.0))
    again = predict_held_out(told, split_households(told, seed=1), seed=1)
    pd.testing.assert_frame_equal(again, chances, check_exact=True)


def test_open_covariates_are_those_of_the_output_area() -> None:
    households = prepare_households(**make_tables())
    areas = pd.DataFrame({"oa21_code": ["E00000002", "E00000001"], **dict.fromkeys(OPEN, 0.0)})
    areas["rural_pct"] = [100.0, 25.0]
    assert add_open(households, areas)["rural_pct"].tolist() == [25, 25, 100]
    with pytest.raises(CheckError, match=r"oa21_code in 1 rows .*\(row 2"):
        add_open(households, areas.tail(1))


def test_a_council_of_three_districts_is_split_by_district_and_one_of_two_by_whole_lsoas() -> None:
    three, two = make_prepared(districts=3, homes=5), make_prepared(districts=2, homes=5)
    assert split_households(three, seed=1).labels.equals(three["lad22_code"])
    folds = split_households(two, seed=1)
    assert folds.name == "each of ten compact parts in turn"
    assert folds.labels.nunique() == 10
    assert folds.labels.groupby(two["lsoa21_code"]).nunique().eq(1).all()


def test_too_few_lsoas_to_leave_out_are_an_error() -> None:
    with pytest.raises(CheckError, match="in 19 LSOAs; expected at least 20"):
        split_households(make_prepared(lsoas=19, homes=2), seed=1)


def test_no_lsoa_is_both_fitted_to_and_calibrated_on_and_none_is_left_out() -> None:
    areas = np.repeat(np.array([f"E{code:02}" for code in range(20)], dtype=object), 5)
    seen = np.arange(100) < 80
    samples = _draw_samples(areas, seen, np.random.default_rng(1))
    fitted, calibrated = set(areas[samples.fit]), set(areas[samples.calibrate])
    assert not fitted & calibrated
    assert len(calibrated) == 4  # a quarter of sixteen
    assert fitted | calibrated == set(areas[seen])


def test_a_model_that_goes_the_wrong_way_where_it_is_calibrated_gives_everybody_the_rate(
    prepared: pd.DataFrame,
) -> None:
    areas = prepared["lsoa21_code"].to_numpy()
    samples = _draw_samples(areas, np.ones(len(areas), dtype=bool), np.random.default_rng(1))
    poor = prepared["prepayment_meter"].to_numpy() ^ (np.arange(len(areas)) % 10 == 0)  # of the others, one in ten
    poor[samples.calibrate] ^= True
    for name in (LOGISTIC, BOOSTED):
        chance = _fit_calibrated(name, encode_predictors(prepared), poor, samples, seed=1)(encode_predictors(prepared))
        assert chance == pytest.approx(poor[samples.calibrate].mean())


def test_labels_of_the_part_left_out_do_not_change_its_chances(prepared: pd.DataFrame, chances: pd.DataFrame) -> None:
    part = prepared["lad22_code"] == prepared["lad22_code"].min()
    others = prepared.assign(is_fuel_poor=prepared["is_fuel_poor"] ^ part)
    again = predict_held_out(others, split_households(others, seed=1), seed=1)
    pd.testing.assert_frame_equal(again[part], chances[part], check_exact=True)
    assert not again[~part].equals(chances[~part])


def test_chances_are_of_every_household_and_the_same_for_the_same_seed(
    prepared: pd.DataFrame, chances: pd.DataFrame
) -> None:
    assert chances.index.equals(prepared.index)
    assert chances.gt(0).all(axis=None)
    assert chances.lt(1).all(axis=None)
    again = predict_held_out(prepared, split_households(prepared, seed=1), seed=1)
    pd.testing.assert_frame_equal(again, chances, check_exact=True)


def test_models_find_what_was_planted_and_are_calibrated(prepared: pd.DataFrame, chances: pd.DataFrame) -> None:
    scores = score_chances(prepared["is_fuel_poor"], chances, split_households(prepared, seed=1)).set_index("model")
    assert scores.loc[LOGISTIC, "auc"] > 0.62
    assert scores.loc[BOOSTED, "auc"] > 0.58
    assert scores.loc[LOGISTIC, "log_loss"] < scores.loc[COUNCIL_RATE, "log_loss"]
    assert scores.loc[LOGISTIC, "brier"] < scores.loc[COUNCIL_RATE, "brier"]
    assert scores.loc[LOGISTIC, "calibration_slope"] == pytest.approx(1, abs=0.25)
    assert scores.loc[LOGISTIC, "calibration_intercept"] == pytest.approx(0, abs=0.15)
    assert scores["expected_calibration_error"].max() < 0.05
    assert scores["kind"].tolist() == ["baseline", "model", "model"]
    assert np.isnan(scores.loc[COUNCIL_RATE, "auc"])


def test_scores_are_those_of_chances_that_are_known_to_be_wrong() -> None:
    # Of 1,000 with the chance 0.9 one in two is fuel poor, of 1,000 with 0.2 one in ten.
    first = np.arange(2000) < 1000
    frame = pd.DataFrame({"is_fuel_poor": np.where(first, np.arange(2000) % 2 == 0, np.arange(2000) % 10 == 0)})
    chances = pd.DataFrame({COUNCIL_RATE: 0.3, LOGISTIC: np.where(first, 0.9, 0.2)}, index=frame.index)
    folds = Folds(pd.Series(np.arange(2000) % 2), "halves")
    flat, scores = score_chances(frame["is_fuel_poor"], chances, folds).to_dict("records")
    assert scores["brier"] == round((500 * 0.1**2 + 500 * 0.9**2 + 100 * 0.8**2 + 900 * 0.2**2) / 2000, 4)
    assert scores["auc"] == round((500 * 900 + 0.5 * (500 * 500 + 100 * 900)) / (600 * 1400), 4)
    assert scores["expected_calibration_error"] == round((0.4 + 0.1) / 2, 4)
    assert scores["calibration_slope"] == round((logit(0.5) - logit(0.1)) / (logit(0.9) - logit(0.2)), 4)
    shift = scores["calibration_intercept"]  # so much lower, the chances would add up to 600
    assert 1000 * expit(logit([0.9, 0.2]) + shift).sum() == pytest.approx(600, abs=0.1)
    assert (flat["brier"], flat["expected_calibration_error"], flat["calibration_intercept"]) == (0.21, 0.0, 0.0)
    assert np.isnan(flat["auc"])
    assert np.isnan(flat["calibration_slope"])
    assert (scores["folds"], scores["held_out"], scores["households"]) == (2, "halves", 2000)


def test_a_planted_association_is_within_its_interval_and_compared_in_words(prepared: pd.DataFrame) -> None:
    odds = estimate_odds(prepared, seed=1).set_index("covariate")
    for covariate, compared, planted in [
        ("Prepayment meter", "no", PLANTED["prepayment_meter"]),
        ("Tenure: private rented", "owned outright", PLANTED["private_rented"]),
    ]:
        row = odds.loc[covariate]
        assert row["low_95"] < np.exp(planted) < row["high_95"]
        assert row["high_95"] / row["low_95"] < 2
        assert row["compared_with"] == compared
        assert row["source"] == "closed"
    assert set(odds.index[:2]) == {"Prepayment meter", "Tenure: private rented"}  # the strongest first
    assert odds["households"].eq(len(prepared)).all()
    assert set(odds["source"]) == {"closed", "shared", "open"}


def test_what_does_not_vary_or_is_told_by_others_is_left_out(prepared: pd.DataFrame) -> None:
    names = list(OPEN)
    same = prepared.assign(
        heating="gas", falls=False, **{names[0]: 1.0, names[1]: 2 * prepared[names[2]] + prepared[names[3]]}
    )
    covariates = estimate_odds(same, seed=1)["covariate"].tolist()
    assert not [name for name in covariates if name.startswith("Heating") or "fallen" in name]
    assert OPEN[names[0]] not in covariates
    assert len({OPEN[name] for name in names[1:4]} & set(covariates)) == 2


def test_a_model_of_the_whole_council_tells_new_households_even_without_a_place(prepared: pd.DataFrame) -> None:
    new = prepared.head(2).assign(
        prepayment_meter=[True, False], tenure=["private_rented", "owned_outright"], **dict.fromkeys(OPEN, np.nan)
    )
    for name in (LOGISTIC, BOOSTED):
        high, low = fit_chance(prepared, name, seed=1)(new)
        assert 0 < low < high < 1


@pytest.mark.parametrize("held", [0, 1])
def test_without_certificates_both_models_learn_what_is_left(prepared: pd.DataFrame, held: int) -> None:
    bare = prepared.assign(epc_efficiency=np.nan, epc_below_c_pct=np.nan, has_certificates=False)
    bare.loc[bare.index[:held], ["epc_efficiency", "epc_below_c_pct", "has_certificates"]] = [60.0, 100.0, True]
    chances = predict_held_out(bare, split_households(bare, seed=1), seed=1)
    assert chances.notna().all(axis=None) and (chances.nunique()[[LOGISTIC, BOOSTED]] > 100).all()
    assert np.ptp(fit_chance(bare, BOOSTED, 1)(prepared)) > 0


def test_too_few_fuel_poor_households_to_fit_to_are_an_error(prepared: pd.DataFrame) -> None:
    few = prepared.assign(is_fuel_poor=np.arange(len(prepared)) < 40)
    with pytest.raises(CheckError, match="households to fit to, fewer than 50 are fuel poor, or are not"):
        fit_chance(few, LOGISTIC, seed=1)
