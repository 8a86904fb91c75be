"""What lies between released tables and the systems model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.fuel_poverty.scenarios import futures
from councilbook.fuel_poverty.scenarios.settings import Start, load_settings
from councilbook.fuel_poverty.scenarios.system import compare_scenarios, draw_values, run_scenarios
from councilbook.methods.budget import choose_plan
from councilbook.pages.html.wording import write_about, write_millions


def make_districts(poor: tuple[int, int] = (3_000, 9_000)) -> pd.DataFrame:
    rows = [
        ("E07000105", "Ashford", 2018, "LIHC", 40_000, 8_000),
        ("E07000105", "Ashford", 2020, "LILEE", 40_000, 5_000),
        ("E07000105", "Ashford", 2022, "LILEE", 50_000, poor[0]),
        ("E07000113", "Swale", 2022, "LILEE", 50_000, poor[1]),
    ]
    names = ["lad22_code", "lad22_name", "year", "measure", "households", "fuel_poor_households"]
    return pd.DataFrame(rows, columns=names)


CODES = ["E07000105", "E07000113"]
RATINGS = pd.DataFrame({"lad_code": CODES, "band_c_or_above_pct": [40.0, 60.0]})
PEOPLE = pd.DataFrame(
    [
        (CODES[0], 90_000, 5_000, 6_000, 7_000, 8_000, 5_000, 2_000),
        (CODES[1], 30_000, 2_000, 2_500, 3_000, 900, 700, 400),
    ],
    columns=["lad_code", "people", *futures.UNDER_16, *futures.OVER_64],
)
WINTERS = pd.DataFrame({"lad_code": CODES, "winter_deaths_2017": [120.0, 40.0], "winter_deaths_2018": [None, 20.0]})


def make_start(districts: pd.DataFrame | None = None, ratings: pd.DataFrame = RATINGS) -> Start:
    return futures.make_start(make_districts() if districts is None else districts, ratings, PEOPLE, WINTERS)


def test_the_start_is_the_last_year_with_the_councils_own_homes_people_and_winters() -> None:
    start = make_start()
    assert (start.year, start.households, start.fuel_poor_households) == (2022, 100_000, 12_000)
    assert start.inefficient_share == pytest.approx(1 - (0.4 * 90 + 0.6 * 30) / 120)
    assert (start.people_under_16, start.people_65_and_over) == (25_500, 17_000)
    assert start.people_16_to_64 == 120_000 - 25_500 - 17_000
    assert start.excess_winter_deaths == pytest.approx((160 + 20) / 2)
    england = load_settings().england
    assert start.need == pytest.approx(0.12 / 0.55 / (england.fuel_poor_share[2022] / england.inefficient_share))


def test_homes_improve_from_the_year_of_their_ratings_to_that_of_the_figures() -> None:
    later = make_start(make_districts().replace({"year": {2022: 2024}}))
    improving = load_settings().parameters["background_improvement"].default
    assert later.inefficient_share == pytest.approx(0.55 * (1 - improving) ** 2)
    england = load_settings().england  # whose homes improve as fast
    assert later.need == pytest.approx(0.12 / 0.55 / (england.fuel_poor_share[2024] / england.inefficient_share))


def test_a_district_without_a_rating_is_an_error() -> None:
    with pytest.raises(CheckError, match="no rating of E07000113"):
        make_start(ratings=RATINGS.head(1))


@pytest.mark.parametrize(
    ("changed", "sign"),
    [
        ({"fuel_poor_households": 9_000.0}, 0),
        ({"inefficient_share": 0.7}, 0),
        ({"need": 1.5}, 1),
        ({"need": 0.6}, -1),
        ({"excess_winter_deaths": 400.0}, 0),
        ({"people_65_and_over": 40_000.0}, 0),
        ({"households": 70_000.0}, 0),
    ],
)
def test_each_of_the_councils_own_figures_changes_what_a_programme_does(changed: dict[str, float], sign: int) -> None:
    start, programme = make_start(), futures.make_scenarios(5e6, 20)[futures.PROGRAMMES["insulation"]]
    other = replace(start, **changed)
    here, there = (compare_scenarios(one, {"": programme}, {})[""] for one in (start, other))
    moved = [name for name in here if not np.isclose(here[name][-1, 0], there[name][-1, 0], rtol=1e-6)]
    assert set(moved) - {"fuel_poor_households"}
    avoided = there["fuel_poor_years_avoided"][-1, 0] - here["fuel_poor_years_avoided"][-1, 0]
    assert sign == 0 or np.sign(avoided) == sign


def test_without_figures_by_the_present_definition_there_is_no_start() -> None:
    old = make_districts()
    with pytest.raises(CheckError, match="no row of LILEE"):
        make_start(old[old["measure"] == "LIHC"])


@given(budget=st.floats(0, 2e7), measure=st.sampled_from(list(futures.PROGRAMMES)))
@settings(max_examples=15)
def test_every_draw_spends_the_budget_to_the_pound(budget: float, measure: str) -> None:
    programme = futures.make_scenarios(budget, 20)[futures.PROGRAMMES[measure]]
    values = draw_values(3, 100)
    spent = compare_scenarios(make_start(), {"": programme}, values)[""]["budget_spent"]
    assert spent[-1] == pytest.approx(np.full(100, budget), abs=1)
    assert (np.diff(spent, axis=0) >= -1e-6).all()


def test_where_need_runs_out_less_is_spent_and_the_sentence_says_so() -> None:
    table = run_scenarios(make_start(make_districts((60, 150))), futures.make_scenarios(9e7, 20), seed=1, draws=40)
    outcomes = futures.sum_outcomes(table).assign(budget_gbp=90_000_000)
    spent = outcomes[(outcomes["scenario"] == futures.find_best(outcomes)) & (outcomes["quantity"] == "budget_spent")]
    assert spent["high"].item() < 9e7
    assert f"they spend {write_millions(spent['low'].item())} to" in futures.describe_outcomes(outcomes, "Kent")


def test_scenarios_are_named_with_their_levers() -> None:
    scenarios = futures.make_scenarios(6e6, 20)
    assert scenarios[futures.NOTHING] == {}
    assert scenarios[futures.DEARER]["price_step"] == pytest.approx(1.2)
    assert scenarios["New heating"] == {"budget_a_year[heating]": 1.2e6, "end_year[heating]": 5.0}


@pytest.mark.parametrize(("budget", "price"), [(-1, 0), (0, -100)])
def test_a_budget_or_price_that_cannot_be_is_refused(budget: float, price: float) -> None:
    with pytest.raises(CheckError, match="expected 0 or more"):
        futures.make_scenarios(budget, price)


def test_outcomes_are_those_of_programmes_and_the_sentence_tells_the_figures_of_the_best() -> None:
    table = run_scenarios(make_start(), futures.make_scenarios(5e6, 20), seed=1, draws=50)
    outcomes = futures.sum_outcomes(table).assign(budget_gbp=5_000_000)
    assert set(outcomes["scenario"]) == set(futures.PROGRAMMES.values())
    assert set(outcomes["quantity"]) == set(futures.OUTCOMES)
    assert ((outcomes["low"] <= outcomes["median"]) & (outcomes["median"] <= outcomes["high"])).all()
    of = table.set_index(["scenario", "quantity", "year"])["median"]
    told = outcomes.set_index(["scenario", "quantity"])
    for years, quantity in futures.STILL_OUT.items():
        for name in futures.PROGRAMMES.values():
            out = of[name, "fewer_fuel_poor_households", 2022 + years]
            assert told.loc[(name, quantity), "median"] == pytest.approx(out, abs=0.06)
            assert told.loc[(name, quantity), "year"] == 2022 + years
    spared = outcomes[outcomes["quantity"] == "fuel_poor_years_avoided"].set_index("scenario")["median"]
    sentence = futures.describe_outcomes(outcomes, "Kent")
    assert sentence.startswith(f"**{spared.idxmax()}** would avoid")
    assert f"{write_about(spared.max())} household-years" in sentence
    assert "Every run of the model spends the £5 million." in sentence


def test_no_budget_lifts_nobody() -> None:
    outcomes = futures.sum_outcomes(run_scenarios(make_start(), futures.make_scenarios(0, 0), seed=1, draws=20))
    assert "Without a budget" in futures.describe_outcomes(outcomes, "Kent")


def test_options_favour_the_district_with_more_fuel_poverty_and_make_a_plan() -> None:
    districts = make_districts()
    options = futures.list_options(districts, make_start(districts))
    effect = options.pivot_table(index="measure", columns="district", values=futures.OBJECTIVE)
    assert (effect["Swale"] > effect["Ashford"]).all()
    plan = choose_plan(options, 100_000, futures.OBJECTIVE)
    assert set(plan.table["district"]) == {"Swale"}
    assert plan.cost_gbp <= 100_000


def test_where_nobody_is_fuel_poor_nothing_is_gained() -> None:
    districts = make_districts((0, 0))
    options = futures.list_options(districts, make_start(districts))
    assert (options[futures.OBJECTIVE] == 0).all()


def test_the_plan_is_told_with_the_sums_of_its_rows() -> None:
    plan = pd.DataFrame(
        [("E1", 1_200, 300_000.0, 150.4), ("E2", 900, 45_000.0, 20.2), ("E1", 50, 5_000.0, 9.0)],
        columns=["lad22_code", "homes", "cost_gbp", "fuel_poor_years_avoided"],
    )
    told = "treats 2,150 homes in 2 districts and avoids some 180 household-years of fuel poverty over 15 years."
    assert futures.describe_plan(plan).startswith(f"£350,000 {told}")
    assert futures.describe_plan(plan.head(1)).startswith(
        "£300,000 treats 1,200 homes in one district and avoids some 150"
    )
    assert futures.describe_plan(plan.head(0)) == "The budget treats no home."


def test_the_best_programme_is_told_with_its_own_years_and_their_ends() -> None:
    rows = [
        ("Insulation", "fuel_poor_years_avoided", 2037, 9_300.0, 4_100.0, 17_200.0),
        ("Insulation", "still_out_after_1_year", 2023, 120.0, 60.0, 190.0),
        ("Insulation", "still_out_after_5_years", 2027, 640.0, 300.0, 900.0),
        ("Insulation", "still_out_after_15_years", 2037, 410.0, 200.0, 700.0),
        ("Insulation", "budget_spent", 2037, 7e6, 7e6, 7e6),
        ("Income advice", "fuel_poor_years_avoided", 2037, 2_800.0, 1_000.0, 50_000.0),
        ("Income advice", "still_out_after_1_year", 2023, 2_500.0, 900.0, 3_300.0),
    ]
    outcomes = pd.DataFrame(rows, columns=["scenario", "quantity", "year", "median", "low", "high"])
    assert futures.describe_outcomes(outcomes.assign(budget_gbp=7_000_000), "Kent") == (
        "**Insulation** would avoid the most fuel poverty in Kent: **9,300 household-years** by 2037 (90% interval "
        "4,100 to 17,200). 120 more households would be out of fuel poverty after one year, 640 after 5 years and 410 "
        "after 15. Every run of the model spends the £7 million."
    )


def test_bases_count_every_parameter() -> None:
    counts = futures.count_bases()
    assert 0 < counts["assumptions"] < counts["parameters"] == len(load_settings().parameters)


def test_a_plan_is_named_as_its_dataset() -> None:
    districts = make_districts()
    best = choose_plan(futures.list_options(districts, make_start(districts)), 5e6, futures.OBJECTIVE)
    plan = futures.name_plan(best)
    assert set(plan["lad22_code"]) == {"E07000105", "E07000113"}
    assert plan["cost_gbp"].sum() == pytest.approx(best.cost_gbp)
    assert plan["fuel_poor_years_avoided"].sum() == pytest.approx(best.gained, abs=1)


def test_the_ends_of_a_bar_are_in_order_and_assumptions_are_marked() -> None:
    row = {"parameter": "unit_cost[advice]", "basis": "assumption", "at_low": 9.0, "at_default": 5.0, "at_high": 2.0}
    still = {"parameter": "still", "basis": "derived", "at_low": 5.0, "at_default": 5.0, "at_high": 5.0}
    bars = futures.order_ends(pd.DataFrame([row | {"swing": 7.0}, still | {"swing": 0.0}]))
    assert bars[["parameter", "least", "most"]].to_numpy().tolist() == [["unit cost, advice (assumption)", 2.0, 9.0]]


def test_outcomes_are_spread_with_their_intervals() -> None:
    row = {"scenario": "Income advice", "quantity": "budget_spent", "low": 900.0, "median": 1234.4, "high": 2e3}
    table = futures.spread_outcomes(pd.DataFrame([row]))
    assert table.to_dict("records") == [{"scenario": "Income advice", "spent (£)": "1,234 (900 to 2,000)"}]


def test_limits_count_the_assumptions_among_all_values() -> None:
    outcomes = pd.DataFrame({"scenario": ["Insulation", "Income advice"], "assumptions": 17, "parameters": 23})
    limits = futures.describe_limits(outcomes)
    assert limits.startswith("**What this cannot tell.** 17 of the model's 23 values are assumptions. Households")


def test_values_are_listed_with_range_source_and_whether_they_are_assumed() -> None:
    row = {"parameter": "unit_cost[heating]", "value": 9500.0, "low": 3000.0, "high": 13800.5, "unit": "GBP/household"}
    none = {"parameter": "findable_share", "value": 0.5, "low": 0.2, "high": 0.8, "unit": "dimensionless"}
    rows = [
        row | {"basis": "published", "source": "An office (2021). Costs.", "note": "The median."},
        none | {"basis": "assumption", "source": None, "note": "No source gives it."},
    ]
    assert futures.list_values(pd.DataFrame(rows)).to_numpy().tolist() == [
        [
            "unit cost, heating",
            "9,500",
            "3,000 to 13,800.5",
            "£ a household",
            "measured",
            "An office (2021). Costs. The median.",
        ],
        ["findable share", "0.5", "0.2 to 0.8", "share or ratio", "assumption", "No source gives it."],
    ]
