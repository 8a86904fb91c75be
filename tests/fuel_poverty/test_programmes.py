"""Past programmes: like homes are compared, thin years are left out in time, and the gate takes the table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from councilbook.catalogue import ModelRule, load_catalogue
from councilbook.errors import CheckError
from councilbook.fuel_poverty.programmes import comparisons
from councilbook.fuel_poverty.programmes.effects import ALL_MEASURES, ENDS
from councilbook.fuel_poverty.twin.outcomes import draw_outcomes
from councilbook.fuel_poverty.twin.population import Population, draw_population
from councilbook.gate.disclosure.coefficients import check_model
from councilbook.methods.impact import Matches, match_controls, prepare_panel
from councilbook.paths import find_workbook
from councilbook.sources.checks import check_fields
from fuel_poverty.test_population import make_frames

DATASET = load_catalogue(find_workbook(Path(__file__).parent)).dataset("past_programme_effects")
LEAST = 10


@pytest.fixture(scope="module")
def population() -> Population:
    """Every fourth home had a measure, and most are on gas."""
    frames = make_frames(lsoas=16, largest=250)
    frames["heating"]["heating_households"] += 14 * frames["heating"]["gas_heating_households"]
    frames["heating"]["gas_heating_households"] *= 15
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("councilbook.fuel_poverty.twin.population.INTERVENTION_SHARE", 0.25)
        return draw_population(**frames, seed=1)


@pytest.fixture(scope="module")
def panel(population: Population) -> pd.DataFrame:
    return prepare_panel(population.interventions, draw_outcomes(population, seed=1))


@pytest.fixture(scope="module")
def features(population: Population, panel: pd.DataFrame) -> pd.DataFrame:
    return comparisons.describe_homes(population.households, panel)


@pytest.fixture(scope="module")
def matches(panel: pd.DataFrame, features: pd.DataFrame) -> Matches:
    return match_controls(panel, features, exact=["tenure", "has_gas"])


@pytest.fixture(scope="module")
def of_all(matches: Matches) -> dict[str, pd.DataFrame]:
    return comparisons.estimate_outcomes(matches.panel, LEAST)


@pytest.fixture(scope="module")
def of_measures(matches: Matches, population: Population) -> dict[str, pd.DataFrame]:
    return comparisons.estimate_measures(matches.panel, population.interventions, "gas_kwh", LEAST)


# --- who had what, when and where ---


def test_counts_by_measure_and_year_add_up(population: Population) -> None:
    counts = comparisons.count_measures(population.interventions).set_index("measure")
    assert set(counts.index) == {*comparisons.MEASURES.values(), ALL_MEASURES}
    years = [str(year) for year in range(2013, 2023)]
    assert counts[years].sum(axis="columns").equals(counts[comparisons.ALL_YEARS])
    assert counts.loc[ALL_MEASURES, comparisons.ALL_YEARS] == len(population.interventions)


def test_counts_by_district_are_of_all_its_homes_and_one_without_measures_has_none(population: Population) -> None:
    households = population.households
    first = sorted(households["lad22_code"].unique())[0]
    elsewhere = households.loc[households["lad22_code"] != first, "household_id"]
    few = population.interventions[population.interventions["household_id"].isin(elsewhere)]
    places = comparisons.count_places(few, households).set_index("lad22_code")
    assert places["homes"].sum() == len(households)
    assert places["measures"].sum() == len(few)
    assert places.loc[first, ["measures", "homes_with_measure_pct"]].tolist() == [0, 0]


# --- who is compared ---


def test_homes_are_described_by_what_no_measure_changes(features: pd.DataFrame, panel: pd.DataFrame) -> None:
    assert set(features["household_id"]) == set(panel["household_id"])
    assert not {"fpeer_score", "ahc_income_gbp_year", "is_fuel_poor"} & set(features.columns)
    read = panel.loc[panel["gas_kwh"].notna(), "household_id"]
    assert set(features.loc[features["has_gas"], "household_id"]) == set(read)


def test_a_household_of_the_panel_that_is_not_known_is_refused(population: Population, panel: pd.DataFrame) -> None:
    known = population.households[population.households["household_id"] != panel["household_id"].iloc[0]]
    with pytest.raises(CheckError, match="1 households with outcomes are not among the linked records"):
        comparisons.describe_homes(known, panel)


def test_balance_is_ordered_by_what_was_furthest_apart_and_named_in_words(matches: Matches) -> None:
    code = next(name for name in matches.balance["covariate"] if name.startswith("lad22_code_"))
    names = {code.removeprefix("lad22_code_"): "Swale"}
    ordered = comparisons.order_balance(matches.balance, names, rows=99)
    assert ordered["smd_before"].abs().is_monotonic_decreasing
    assert len(ordered) == len(matches.balance)
    assert {"district: Swale", "tenure: social rented", "has gas"} <= set(ordered["covariate"])
    for end in ("smd_before", "smd_after"):
        assert ordered[end].between(ordered["least"], ordered["most"]).all()


@pytest.mark.parametrize(("after", "said"), [(0.05, "which counts as alike"), (-0.2, "more than the 0.1")])
def test_the_sentence_on_balance_says_whether_the_groups_are_alike(after: float, said: str) -> None:
    balance = pd.DataFrame({"covariate": ["a", "b"], "smd_before": [-0.5, 0.1], "smd_after": [0.0, after]})
    sentence = comparisons.describe_balance(Matches(pd.DataFrame(), balance, 100, 3))
    assert "97 of 100 homes" in sentence
    assert f"from 0.50 to {abs(after):.2f}" in sentence
    assert said in sentence


# --- what it came to ---


def count_seen(panel: pd.DataFrame, outcome: str) -> pd.Series:
    rows = panel[panel[outcome].notna() & panel["event_year"].notna()]
    return rows["event_year"].value_counts()


def test_years_with_few_treated_homes_are_left_out_and_no_others(matches: Matches) -> None:
    counts = count_seen(matches.panel, "fuel_poverty_gap_gbp")
    least = int(counts.sort_values().iloc[3])  # so that the three thinnest years go
    kept = count_seen(comparisons.drop_thin_years(matches.panel, "fuel_poverty_gap_gbp", least), "fuel_poverty_gap_gbp")
    assert kept.min() >= least
    assert set(counts.index[counts >= least]) == set(kept.index)
    assert comparisons.drop_thin_years(matches.panel, "gas_kwh", 1) is matches.panel


def test_a_year_of_start_without_a_value_in_the_year_before_is_left_out(matches: Matches) -> None:
    lost = matches.panel["first_year"].eq(2015).fillna(False) & matches.panel["year"].eq(2014)
    kept = comparisons.drop_lost_starts(
        matches.panel.assign(gas_kwh=matches.panel["gas_kwh"].mask(lost.astype("bool"))), "gas_kwh"
    )
    assert set(matches.panel["first_year"].dropna()) - set(kept["first_year"].dropna()) == {2015}
    assert kept["first_year"].isna().sum() == matches.panel["first_year"].isna().sum()


def test_controls_lose_no_row_with_the_thin_years(matches: Matches) -> None:
    kept = comparisons.drop_thin_years(matches.panel, "gas_kwh", 60)
    assert len(kept) < len(matches.panel)
    assert kept["first_year"].isna().sum() == matches.panel["first_year"].isna().sum()


def test_pairs_of_one_measure_stay_whole(matches: Matches, population: Population) -> None:
    pairs = comparisons.pick_measure(matches.panel, population.interventions, "boiler")
    treated = pairs.dropna(subset="first_year")["household_id"].unique()
    measures = population.interventions.set_index("household_id")["measure"]
    assert set(measures[treated]) == {"boiler"}
    assert pairs.groupby("pair")["household_id"].nunique().eq(2).all()


def test_homes_that_gave_up_gas_have_no_estimate_of_gas_and_few_homes_none(
    of_measures: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch, matches: Matches, population: Population
) -> None:
    assert set(of_measures) == set(comparisons.MEASURES) - {"heat_pump"}
    most = max(effect["group_size"].iloc[0] for effect in of_measures.values())
    monkeypatch.setattr(comparisons, "FEWEST", most + 1)
    assert comparisons.estimate_measures(matches.panel, population.interventions, "gas_kwh", LEAST) == {}


def test_the_stacked_table_is_as_declared_and_passes_its_rule(
    of_all: dict[str, pd.DataFrame], of_measures: dict[str, pd.DataFrame]
) -> None:
    table = comparisons.stack_effects(of_all, [of_measures])
    check_fields(table, DATASET.fields, DATASET.key, "past_programme_effects", show_values=True)
    assert isinstance(DATASET.disclosure, ModelRule)
    assert check_model(table, DATASET.disclosure)["checked"]["smallest_group"] >= DATASET.disclosure.threshold == LEAST
    of_one = table[table["measure"] != ALL_MEASURES]
    assert set(of_one["term"]) == set(ENDS)
    assert of_one.groupby("measure").size().eq(2).all()
    assert table["planted"].isna().all()


def test_what_was_planted_stands_beside_the_years_since_alone(
    of_all: dict[str, pd.DataFrame], of_measures: dict[str, pd.DataFrame], matches: Matches, population: Population
) -> None:
    plain = comparisons.stack_effects(of_all, [of_measures])
    table = comparisons.add_planted(plain, matches.panel, population.interventions, LEAST)
    pd.testing.assert_frame_equal(table.assign(planted=np.nan), plain)
    before = table["term"].str.startswith("year -")
    assert table["planted"].isna().equals(before)
    advice = table[(table["measure"] == "Income advice") & (table["outcome"] == "gas_kwh")]
    assert advice["planted"].eq(0).all()
    check_fields(table, DATASET.fields, DATASET.key, "past_programme_effects", show_values=True)
