"""What lies between released tables and the systems model."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.fuel_poverty.scenarios import futures
from councilbook.fuel_poverty.scenarios.system import load_settings, run_scenarios
from councilbook.methods.budget import choose_plan


def make_districts(poor: tuple[int, int] = (3_000, 9_000)) -> pd.DataFrame:
    rows = [
        ("E07000105", "Ashford", 2018, "LIHC", 40_000, 8_000),
        ("E07000105", "Ashford", 2020, "LILEE", 40_000, 5_000),
        ("E07000105", "Ashford", 2022, "LILEE", 50_000, poor[0]),
        ("E07000113", "Swale", 2022, "LILEE", 50_000, poor[1]),
    ]
    names = ["lad22_code", "lad22_name", "year", "measure", "households", "fuel_poor_households"]
    return pd.DataFrame(rows, columns=names)


def test_the_start_is_the_last_year_and_the_rest_that_of_the_example_place() -> None:
    start = futures.make_start(make_districts())
    example = load_settings().inputs
    assert (start.year, start.households, start.fuel_poor_households) == (2022, 100_000, 12_000)
    assert start.excess_winter_deaths == pytest.approx(example["excess_winter_deaths_a_year"].value)
    assert start.inefficient_share == example["inefficient_share_at_start"].value


def test_without_figures_by_the_present_definition_there_is_no_start() -> None:
    old = make_districts()
    with pytest.raises(CheckError, match="no row of LILEE"):
        futures.make_start(old[old["measure"] == "LIHC"])


@given(budget=st.floats(0, 1e9))
def test_each_programme_spends_the_budget_at_default_costs(budget: float) -> None:
    scenarios = futures.make_scenarios(budget, 20)
    for measure, name in futures.PROGRAMMES.items():
        levers = scenarios[name]
        cost = load_settings().parameters[f"unit_cost[{measure}]"].default
        spent = levers[f"households_a_year[{measure}]"] * levers[f"end_year[{measure}]"] * cost
        assert spent == pytest.approx(budget)
    assert scenarios[futures.NOTHING] == {}
    assert scenarios[futures.DEARER]["price_step"] == pytest.approx(1.2)


@pytest.mark.parametrize(("budget", "price"), [(-1, 0), (0, -100)])
def test_a_budget_or_price_that_cannot_be_is_refused(budget: float, price: float) -> None:
    with pytest.raises(CheckError, match="expected 0 or more"):
        futures.make_scenarios(budget, price)


def test_outcomes_are_those_of_programmes_in_the_last_year_and_the_sentence_names_the_best() -> None:
    start = futures.make_start(make_districts())
    table = run_scenarios(start, futures.make_scenarios(5e6, 20), seed=1, draws=50)
    outcomes = futures.sum_outcomes(table)
    assert set(outcomes["scenario"]) == set(futures.PROGRAMMES.values())
    assert set(outcomes["year"]) == {table["year"].max()}
    assert ((outcomes["low"] <= outcomes["median"]) & (outcomes["median"] <= outcomes["high"])).all()
    spared = outcomes[outcomes["quantity"] == "fuel_poor_years_avoided"].set_index("scenario")["median"]
    sentence = futures.describe_outcomes(outcomes, "Kent")
    assert spared.idxmax().lower() in sentence
    assert f"{spared.max():,.0f} household-years" in sentence


def test_no_budget_lifts_nobody() -> None:
    start = futures.make_start(make_districts())
    outcomes = futures.sum_outcomes(run_scenarios(start, futures.make_scenarios(0, 0), seed=1, draws=20))
    assert "Without a budget" in futures.describe_outcomes(outcomes, "Kent")


def test_options_favour_the_district_with_more_fuel_poverty_and_make_a_plan() -> None:
    districts = make_districts()
    options = futures.list_options(districts, futures.make_start(districts))
    effect = options.pivot_table(index="measure", columns="district", values="households_lifted_per_home")
    assert (effect["Swale"] > effect["Ashford"]).all()
    plan = choose_plan(options, 100_000)
    assert set(plan.table["district"]) == {"Swale"}
    assert plan.cost_gbp <= 100_000


def test_where_nobody_is_fuel_poor_nothing_is_gained() -> None:
    districts = make_districts((0, 0))
    options = futures.list_options(districts, futures.make_start(districts))
    assert (options["households_lifted_per_home"] == 0).all()


def test_the_plan_is_told_with_the_sums_of_its_rows() -> None:
    plan = pd.DataFrame(
        [("E1", 1_200, 300_000.0, 150.4), ("E2", 900, 45_000.0, 20.2), ("E1", 50, 5_000.0, 9.0)],
        columns=["lad22_code", "homes", "cost_gbp", "households_lifted"],
    )
    told = "treats 2,150 homes in 2 districts, and lifts an expected 180 households out of fuel poverty."
    assert futures.describe_plan(plan) == f"£350,000 {told}"
    assert futures.describe_plan(plan.head(1)).startswith("£300,000 treats 1,200 homes in one district, and lifts")
    assert futures.describe_plan(plan.head(0)) == "The budget treats no home."


def test_the_best_programme_is_told_with_its_own_years_and_lifts_and_their_ends() -> None:
    rows = [
        ("Insulation", "fuel_poor_years_avoided", 9_300.0, 4_100.0, 17_200.0),
        ("Insulation", "households_lifted", 1_200.0, 640.0, 1_990.0),
        ("Income advice", "fuel_poor_years_avoided", 2_800.0, 1_000.0, 5_000.0),
        ("Income advice", "households_lifted", 2_500.0, 900.0, 3_300.0),
    ]
    outcomes = pd.DataFrame(rows, columns=["scenario", "quantity", "median", "low", "high"]).assign(year=2037)
    assert futures.describe_outcomes(outcomes, "Kent") == (
        "Of the programmes compared for Kent, **insulation** spares households the most time in fuel poverty by 2037: "
        "**9,300 household-years** (4,100 to 17,200). It lifts 1,200 households out at some time (640 to 1,990), "
        "though some fall back."
    )


def test_bases_count_every_parameter() -> None:
    counts = futures.count_bases()
    assert 0 < counts["assumptions"] < counts["parameters"] == len(load_settings().parameters)


def test_a_plan_is_named_as_its_dataset() -> None:
    districts = make_districts()
    best = choose_plan(futures.list_options(districts, futures.make_start(districts)), 5e6)
    plan = futures.name_plan(best)
    assert set(plan["lad22_code"]) == {"E07000105", "E07000113"}
    assert plan["cost_gbp"].sum() == pytest.approx(best.cost_gbp)
    assert plan["households_lifted"].sum() == pytest.approx(best.gained, abs=1)


def test_the_ends_of_a_bar_are_in_order_and_assumptions_are_marked() -> None:
    row = {"parameter": "unit_cost[advice]", "basis": "assumption", "at_low": 9.0, "at_default": 5.0, "at_high": 2.0}
    still = {"parameter": "still", "basis": "derived", "at_low": 5.0, "at_default": 5.0, "at_high": 5.0}
    bars = futures.order_ends(pd.DataFrame([row | {"swing": 7.0}, still | {"swing": 0.0}]))
    assert bars[["parameter", "least", "most"]].to_numpy().tolist() == [["unit cost, advice (assumption)", 2.0, 9.0]]


def test_outcomes_are_spread_with_their_intervals() -> None:
    row = {"scenario": "Income advice", "quantity": "households_lifted", "low": 900.0, "median": 1234.4, "high": 2e3}
    table = futures.spread_outcomes(pd.DataFrame([row]))
    assert table.to_dict("records") == [{"scenario": "Income advice", "households lifted out": "1,234 (900 to 2,000)"}]


def test_limits_count_the_assumptions_among_all_values() -> None:
    outcomes = pd.DataFrame({"scenario": ["Insulation", "Income advice"], "assumptions": 17, "parameters": 23})
    limits = futures.describe_limits(outcomes)
    assert limits.startswith("**What this cannot tell.** 17 of the model's 23 values are assumptions, and so are")
