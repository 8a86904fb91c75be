"""What official rates of areas tell of households: the truth where it is simulated, and no more than that."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import expit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.chances import official_rates
from councilbook.fuel_poverty.chances.likelihood import split_households
from councilbook.fuel_poverty.chances.official_rates import FROM_RATES, Aggregates, learn_from_rates
from councilbook.fuel_poverty.chances.routes import FEWEST_AREAS, Modelled, add_up, model_households
from councilbook.fuel_poverty.chances.scores import COUNCIL_RATE
from councilbook.fuel_poverty.households.extract import CONDITIONS, LEVELS, PREDICTORS
from councilbook.fuel_poverty.households.targeting import EXPECTED

PLANTED = {"Prepayment meter": 1.0, "Tenure: private rented": -0.8, "Contacts with a general practice": 0.5}  # log odds


def make_council(areas: int = 150, homes: int = 60, districts: int = 5, seed: int = 1) -> pd.DataFrame:
    """Households of areas that differ in their homes, whose fuel poverty follows PLANTED and nothing else."""
    random = np.random.default_rng(seed)
    sizes = random.integers(homes // 2, homes * 3 // 2, areas)
    area = np.repeat(np.arange(areas), sizes)
    number = len(area)

    def draw_share(low: float, high: float) -> np.ndarray:
        return random.random(number) < random.uniform(low, high, areas)[area]

    prepared = pd.DataFrame(
        {
            "lsoa21_code": [f"E01{code:06}" for code in area],
            "lad22_code": [f"E0700000{code % districts}" for code in area],
            "latitude": 51 + area % 8 / 50,
            "longitude": area // 8 / 50,
        }
    )
    for name, levels in LEVELS.items():
        prepared[name] = pd.Index(levels).take(random.integers(0, len(levels) - 1, number))
    for name in PREDICTORS:
        if name not in LEVELS and name != "has_certificates":
            prepared[name] = random.normal(50, 10, number)
    for name in ["storage_heaters", *CONDITIONS, "social_care"]:
        prepared[name] = draw_share(0.2, 0.4)
    prepared["has_certificates"] = True
    prepared["prepayment_meter"] = draw_share(0.05, 0.7)
    prepared["tenure"] = np.where(draw_share(0.1, 0.8), "private_rented", "owned_outright")
    prepared["gp_contacts"] = random.normal(0, 1, number) + random.normal(0, 1, areas)[area]
    odds = -2 + PLANTED["Prepayment meter"] * prepared["prepayment_meter"]
    odds += PLANTED["Tenure: private rented"] * (prepared["tenure"] == "private_rented")
    odds += PLANTED["Contacts with a general practice"] * prepared["gp_contacts"] / prepared["gp_contacts"].std()
    prepared["truth"] = random.random(number) < expit(odds)
    return prepared.sample(frac=1, random_state=seed)  # an index that is not in order


def find_rates(council: pd.DataFrame) -> pd.Series:
    return 100 * council.groupby("lsoa21_code")["truth"].mean()


@pytest.fixture(scope="module")
def council() -> pd.DataFrame:
    return make_council()


@pytest.fixture(scope="module")
def modelled(council: pd.DataFrame) -> Modelled:
    return model_households(council, find_rates(council), seed=1)


def make_aggregates() -> Aggregates:
    random = np.random.default_rng(3)
    design = np.c_[random.normal(size=(9, 2)), np.ones(9)]
    areas = np.array(list("AAABBCCCC"), dtype=object)
    return Aggregates.of(design, areas, pd.Series({"A": 12.5, "B": 40.0, "C": 7.0, "D": 99.0}))


def test_the_likelihood_is_binomial_in_the_mean_chance_of_each_area() -> None:
    data = make_aggregates()
    assert data.weights.tolist() == [3, 2, 4]
    assert data.rates == pytest.approx([0.125, 0.4, 0.07])
    coefficients = np.array([0.3, -0.7, -1.1])
    chance = expit(data.design @ coefficients)
    means = np.array([chance[:3].mean(), chance[3:5].mean(), chance[5:].mean()])
    by_hand = -(data.weights * (data.rates * np.log(means) + (1 - data.rates) * np.log(1 - means))).sum()
    assert data.measure(coefficients, 2.0).loss == pytest.approx(by_hand + 0.3**2 + 0.7**2)


def test_the_gradient_is_that_of_the_loss_and_scores_add_up_to_it() -> None:
    data = make_aggregates()
    for start in ([0.0, 0.0, 0.0], [0.3, -0.7, -1.1], [2.0, 1.0, 0.5]):
        error = check_grad(lambda x: data.measure(x, 1.7).loss, lambda x: data.measure(x, 1.7).gradient, start)
        assert error < 1e-5
    at = data.measure(np.array([0.3, -0.7, -1.1]), 0.0)
    assert at.scores.sum(axis=0) == pytest.approx(at.gradient)
    assert np.abs(data.measure(data.fit(1.7, np.zeros(3)), 1.7).gradient).max() < 1e-3


def test_an_area_without_a_rate_or_left_out_says_nothing() -> None:
    design = np.c_[np.random.default_rng(3).normal(size=(9, 1)), np.ones(9)]
    areas = np.array(list("AAABBCCCC"), dtype=object)
    two = Aggregates.of(design[:5], areas[:5], pd.Series({"A": 12.5, "B": 40.0}))
    three = Aggregates.of(design, areas, pd.Series({"A": 12.5, "B": 40.0}))
    assert three.weights.tolist() == [3, 2, 0]
    assert three.fit(1.0, np.zeros(2)) == pytest.approx(two.fit(1.0, np.zeros(2)))


def test_what_was_planted_in_households_is_found_from_rates_of_areas_within_its_interval(modelled: Modelled) -> None:
    odds = modelled.odds.set_index("covariate")
    for covariate, planted in PLANTED.items():
        row = odds.loc[covariate]
        assert row["low_95"] < np.exp(planted) < row["high_95"]
        assert row["high_95"] / row["low_95"] < 2.5
    elsewhere = odds.drop(index=list(PLANTED))
    assert ((elsewhere["low_95"] < 1) & (elsewhere["high_95"] > 1)).mean() > 0.85
    assert set(odds["source"]) == {"closed", "shared"}  # the census around is left out


def test_chances_tell_homes_of_one_area_apart_and_add_up_to_its_official_rate(
    council: pd.DataFrame, modelled: Modelled
) -> None:
    assert modelled.basis == "official rates"
    assert "is_fuel_poor" not in modelled.households
    assert modelled.households[EXPECTED].equals(modelled.chance)
    sums = modelled.chance.groupby(council["lsoa21_code"]).mean() * 100
    assert np.abs(sums - find_rates(council)).max() < 1e-6
    is_above = modelled.chance > modelled.chance.groupby(council["lsoa21_code"]).transform("median")
    assert council["truth"][is_above].mean() > 1.7 * council["truth"][~is_above].mean()


def test_scores_are_of_areas_and_better_than_the_councils_rate(modelled: Modelled) -> None:
    scores = modelled.scores.set_index("model")
    assert scores["auc"].isna().all()
    assert scores.loc[FROM_RATES, "log_loss"] < scores.loc[COUNCIL_RATE, "log_loss"]
    assert scores.loc[FROM_RATES, "calibration_slope"] == pytest.approx(1, abs=0.25)
    assert scores["held_out"].tolist() == ["each district in turn"] * 2


def test_rates_of_a_part_left_out_do_not_change_its_chances(
    council: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official_rates, "PENALTIES", (10.0,))
    monkeypatch.setattr(Aggregates, "find_reliability", lambda *_: 1.0)  # one for all parts, as is the penalty
    folds, rates = split_households(council, seed=1), find_rates(council)
    part = council["lad22_code"] == "E07000003"
    other = rates.where(~rates.index.isin(council.loc[part, "lsoa21_code"]), 50.0)
    before, after = (learn_from_rates(council, folds, one).chances for one in (rates, other))
    moved = np.abs(before - after)
    assert moved[part].max(axis=None) < 1e-4
    assert moved[~part].median().min() > 1e-2


def test_differences_within_areas_are_shrunk_by_the_share_that_is_error() -> None:
    data = make_aggregates()
    coefficients = np.array([0.4, -0.2, -2.0])
    apart = data.design @ coefficients - data.shrink_within(data.design @ coefficients, 0.0)
    assert data.find_reliability(coefficients, np.zeros((3, 3))) == 1
    noise = np.diag([0.02, 0.0, 5.0])  # that of the constant moves no household within its area
    first = data.design[:, 0] - data.shrink_within(data.design[:, 0], 0.0)
    expected = 1 - 0.02 * (first @ first) / (apart @ apart)
    assert data.find_reliability(coefficients, noise) == pytest.approx(expected)
    assert data.find_reliability(coefficients, 1e6 * noise) == 0
    assert data.find_reliability(np.array([0.0, 0.0, -2.0]), noise) == 0


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_chances_of_areas_with_few_households_add_up_together_in_their_district(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 25), min_size=2, max_size=8))
    area = np.repeat(np.arange(len(sizes)), sizes)
    prepared = pd.DataFrame(
        {"lsoa21_code": [f"L{code}" for code in area], "lad22_code": [f"D{code % 2}" for code in area]}
    )
    drawn = st.lists(st.floats(0.01, 0.9), min_size=len(area), max_size=len(area))
    chance = pd.Series(data.draw(drawn))
    shares = data.draw(st.lists(st.floats(1, 90), min_size=len(sizes), max_size=len(sizes)))
    rates = pd.Series(shares, [f"L{code}" for code in range(len(sizes))])
    added = add_up(prepared, chance, rates)
    official = prepared["lsoa21_code"].map(rates) / 100
    few = pd.Series(sizes)[area].to_numpy() < 10
    place = prepared["lsoa21_code"].mask(few, prepared["lad22_code"])
    assert np.abs((added - official).groupby(place).sum()).max() < 1e-6


def test_an_area_without_an_official_rate_keeps_its_chances() -> None:
    prepared = pd.DataFrame({"lsoa21_code": ["L1"] * 12 + ["L2"], "lad22_code": "D1"})
    chance = pd.Series(np.linspace(0.1, 0.4, 13))
    added = add_up(prepared, chance, pd.Series({"L1": 50.0}))
    assert added.iloc[12] == chance.iloc[12]
    assert added.iloc[:12].mean() == pytest.approx(0.5)


# --- which route ---


def cut(council: pd.DataFrame, areas: int) -> pd.DataFrame:
    return council[council["lsoa21_code"].isin(sorted(council["lsoa21_code"].unique())[:areas])]


def test_records_that_say_who_is_fuel_poor_are_learnt_from(council: pd.DataFrame) -> None:
    known = council.assign(is_fuel_poor=council["truth"])
    found = model_households(known, find_rates(council), seed=1)
    assert found.basis == "records"
    assert found.scores["auc"].notna().any()
    assert found.sizes["group_size"] == council["truth"].sum()
    few = known.assign(is_fuel_poor=np.arange(len(known)) < 40)  # too few are fuel poor to learn from
    assert model_households(few, find_rates(council), seed=1).basis == "official rates"


def test_with_too_few_areas_or_households_each_household_has_the_rate_of_its_area(council: pd.DataFrame) -> None:
    for homes in (cut(council, FEWEST_AREAS - 1), council.head(100), cut(council, 1)):
        rates = find_rates(homes).clip(1, 99)
        found = model_households(homes, rates, seed=1)
        assert found.basis == "areas alone"
        assert found.chance.to_numpy() == pytest.approx(homes["lsoa21_code"].map(rates).to_numpy() / 100)
        assert found.odds.empty
        assert not (found.scores["kind"] == "model").any()
        assert found.predict(homes.head(3)) == pytest.approx([found.chance.mean()] * 3)
    assert found.scores.empty  # of one area


def test_a_thousand_households_of_many_areas_without_certificates_are_learnt_from(council: pd.DataFrame) -> None:
    homes = council.head(1_000).assign(epc_efficiency=np.nan, epc_below_c_pct=np.nan)
    found = model_households(homes, find_rates(council), seed=1)
    assert found.basis == "official rates"
    assert found.chance.between(0, 1, inclusive="neither").all()
    assert 10 <= found.sizes["degrees_of_freedom"] < homes["lsoa21_code"].nunique()
    assert not [name for name in found.odds["covariate"] if "certificates" in name]
    learnt = found.learn(homes, split_households(homes, 1), find_rates(council), 1)
    assert learnt.to_numpy() == pytest.approx(found.chance.to_numpy())


def test_rates_of_other_areas_are_an_error(council: pd.DataFrame) -> None:
    with pytest.raises(CheckError, match="No household is in an area with an official rate"):
        model_households(council, pd.Series({"E01999999": 9.0}), seed=1)
