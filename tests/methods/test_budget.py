"""A plan is the best one, keeps to what it was told, and says what a further pound would do."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from councilbook.errors import CheckError
from councilbook.methods.budget import choose_plan

OBJECTIVE = "households_lifted_per_home"


def make_options(seed: int, places: int = 2, measures: int = 2, most: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = [
        {
            "district": "North" if place % 2 else "South",
            "place": f"P{place}",
            "measure": f"M{measure}",
            "capacity_homes": int(random.integers(1, most + 1)),
            "cost_gbp_per_home": float(random.integers(100, 1000)),
            OBJECTIVE: float(random.uniform(0.05, 0.9)),
        }
        for place in range(places)
        for measure in range(measures)
    ]
    options = pd.DataFrame(rows)
    eligible = {f"P{place}": int(random.integers(1, most + 2)) for place in range(places)}
    return options.assign(eligible_homes=options["place"].map(eligible))


def try_all_plans(options: pd.DataFrame, budget: float) -> float:
    best = 0.0
    for homes in product(*[range(capacity + 1) for capacity in options["capacity_homes"]]):
        table = options.assign(homes=homes)
        fits = table["homes"] @ table["cost_gbp_per_home"] <= budget
        used = table.groupby("place")["homes"].sum()
        if fits and (used <= table.groupby("place")["eligible_homes"].first()).all():
            best = max(best, float(table["homes"] @ table[OBJECTIVE]))
    return best


def fill_greedily(options: pd.DataFrame, budget: float) -> float:
    """The plan by hand: the cheapest household first, as long as the money lasts."""
    gained, left = 0.0, options.groupby("place")["eligible_homes"].first().to_dict()
    order = options.assign(price=options["cost_gbp_per_home"] / options[OBJECTIVE]).sort_values("price")
    for row in order.to_dict("records"):
        homes = min(row["capacity_homes"], left[row["place"]], int(budget // row["cost_gbp_per_home"]))
        budget -= homes * row["cost_gbp_per_home"]
        left[row["place"]] -= homes
        gained += homes * row[OBJECTIVE]
    return gained


@pytest.mark.parametrize("seed", range(8))
def test_no_plan_is_better(seed: int) -> None:
    options = make_options(seed)
    assert choose_plan(options, 2000, OBJECTIVE).gained == pytest.approx(try_all_plans(options, 2000), rel=1e-6)


def test_it_beats_paying_for_the_cheapest_household_first() -> None:
    ratios = []
    for seed in range(20):
        options = make_options(seed, places=6, measures=4, most=40)
        ratios.append(choose_plan(options, 20_000).gained / fill_greedily(options, 20_000))
    assert min(ratios) >= 1 - 1e-6
    assert max(ratios) > 1.01


def test_a_plan_keeps_to_its_limits() -> None:
    options = make_options(3, places=8, measures=4, most=30)
    plan = choose_plan(options, 15_000)
    assert plan.cost_gbp <= 15_000
    assert plan.cost_gbp == plan.table["cost_gbp"].sum()
    assert plan.gained == pytest.approx(plan.table["gained"].sum())
    assert (plan.table["homes"] <= plan.table["capacity_homes"]).all()
    homes = plan.table.groupby("place")["homes"].sum()
    assert (homes <= plan.table.groupby("place")["eligible_homes"].first()).all()


def test_the_plan_serves_the_objective_it_was_given() -> None:
    options = make_options(5, places=4, measures=2, most=20)
    options["admissions_avoided_per_home"] = 1 - options[OBJECTIVE]
    plan, other = choose_plan(options, 5_000, "admissions_avoided_per_home"), choose_plan(options, 5_000)
    assert plan.gained > other.table["homes"] @ other.table["admissions_avoided_per_home"]
    assert other.gained > plan.table["homes"] @ plan.table[OBJECTIVE]


def test_no_budget_gives_an_empty_plan() -> None:
    plan = choose_plan(make_options(1), 0)
    assert plan.table.empty
    assert (plan.cost_gbp, plan.gained) == (0, 0)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("eligible_homes", np.inf, "1 options have no number of 0 or more in eligible_homes, as M0 in P0"),
        ("cost_gbp_per_home", np.nan, "cost_gbp_per_home"),
        ("cost_gbp_per_home", -1.0, "cost_gbp_per_home"),
        (OBJECTIVE, np.inf, OBJECTIVE),
        ("eligible_homes", 99.0, "The options of P0 differ in eligible_homes"),
        ("measure", "M1", "M1 in P0 is an option more than once"),
        ("district", "East", "The options of P0 differ in district"),
    ],
)
def test_bad_options_are_an_error(column: str, value: object, message: str) -> None:
    options = make_options(1).astype({"eligible_homes": "float64"})
    options.loc[0, column] = value
    with pytest.raises(CheckError, match=message):
        choose_plan(options, 1_000)


def test_missing_options_and_bad_budgets_are_errors() -> None:
    with pytest.raises(CheckError, match="no column district"):
        choose_plan(make_options(1).drop(columns="district"), 1_000)
    with pytest.raises(CheckError, match="at least one option"):
        choose_plan(make_options(1).head(0), 1_000)
    with pytest.raises(CheckError, match="The budget is -1"):
        choose_plan(make_options(1), -1)
