from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.errors import CheckError
from councilbook.fuel_poverty.scenarios.explore import describe_plan, list_measures, plan_areas, show_explorer
from councilbook.fuel_poverty.scenarios.settings import Start, load_settings

AREAS = pd.DataFrame(
    {
        "area_code": ["E01900001", "E01900002", "E01900003"],
        "area_name": ["North 001A", "North 001B", "South 001A"],
        "lad22_name": ["North", "North", "South"],
        "households": [1000, 800, 600],
        "fuel_poor_households": [50, 160, 60],
    }
)
START = Start(2022, 2400, 270, 0.6, 480, 1500, 620, 4, need=0.9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20_000_000), st.integers(-90, 150), st.sets(st.sampled_from(list_measures()), min_size=1))
def test_a_plan_keeps_to_its_budget_and_never_treats_more_homes_than_there_are(budget, price, measures):
    planned = plan_areas(AREAS, START, budget, price, sorted(measures))
    assert planned["cost_gbp"].sum() <= budget + 0.01
    assert (planned["homes_treated"] <= planned["households"]).all()
    assert (planned["households_lifted"] <= planned["homes_treated"]).all()
    assert (planned["households_lifted"] <= planned["fuel_poor_at_price"] + 1e-9).all()
    assert set(planned["main_measure"]) <= {*measures, "none"}


def test_money_goes_first_where_most_are_fuel_poor():
    cost = load_settings().parameters["unit_cost[insulation]"].default
    planned = plan_areas(AREAS, START, 10 * cost, measures=["insulation"])
    assert planned["homes_treated"].tolist() == [0, 10, 0]
    assert planned["main_measure"].tolist() == ["none", "insulation", "none"]


def test_a_plan_is_of_the_councils_own_homes_and_need():
    """More homes in bands D to G can be treated where there are more, and fewer of them are fuel poor in less need."""
    plenty = 10**9
    few, more = (plan_areas(AREAS, replace(START, inefficient_share=share), plenty) for share in (0.45, 0.6))
    assert [one["homes_treated"].sum() for one in (few, more)] == [1080, 1440]
    cost = 100 * load_settings().parameters["unit_cost[insulation]"].default
    less, as_many = (
        plan_areas(AREAS, replace(START, need=need), cost, measures=["insulation"])["households_lifted"].sum()
        for need in (0.1, 1.0)
    )
    assert 0 < less < as_many


def test_dearer_energy_makes_more_households_fuel_poor_by_the_models_elasticity():
    planned = plan_areas(AREAS, START, 0, price_change_pct=50)
    elasticity = load_settings().parameters["price_elasticity"].default
    assert planned["fuel_poor_at_price"].sum() == pytest.approx(270 * 1.5**elasticity)
    assert planned["homes_treated"].sum() == 0


@pytest.mark.parametrize(
    ("measures", "price", "message"),
    [(["insulatoin"], 0, "no measure insulatoin.*insulation"), ([], 0, "at least one"), (None, -100, "more than -100")],
)
def test_what_cannot_be_planned_is_an_error(measures, price, message):
    with pytest.raises(CheckError, match=message):
        plan_areas(AREAS, START, 1000, price, measures)


def test_the_plan_is_told_in_a_sentence():
    assert describe_plan(plan_areas(AREAS, START, 0), 0).startswith("£0 of £0 treats 0 homes in 0 of 3 areas")


def test_each_figure_of_the_sentence_is_that_of_the_plan():
    planned = pd.DataFrame(
        {
            "fuel_poor_at_price": [160.4, 60.2, 1000.0],
            "homes_treated": [1200, 300, 0],
            "cost_gbp": [90_000.0, 60_000.0, 0.0],
            "households_lifted": [40.0, 10.0, 0.0],
        }
    )
    assert describe_plan(planned, 200_000) == (
        "£150,000 of £200,000 treats 1,500 homes in 2 of 3 areas, and lifts an expected 50 of 1,221 households out of "
        "fuel poverty, at £3,000 for each."
    )
    nobody = planned.assign(households_lifted=0.0)
    assert describe_plan(nobody, 200_000).endswith("expected 0 of 1,221 households out of fuel poverty.")


def test_the_explorer_shows_the_plan_that_its_sliders_ask_for():
    outlines = gpd.GeoDataFrame(AREAS, geometry=[shapely.box(x, 51, x + 0.1, 51.1) for x in (0.5, 0.6, 0.7)], crs=4326)
    box = show_explorer(outlines, START, budget_gbp=100_000, most_gbp=1_000_000)
    budget, price, measures, result = box.children
    assert (budget.value, price.value, list(measures.value)) == (100_000, 0, list_measures())
    assert "of £100,000 treats" in result.value
    budget.value = 0
    assert "£0 of £0 treats 0 homes" in result.value
    assert "data:image/svg+xml" in result.value
    measures.value = ()
    assert result.value == "Choose at least one measure."
