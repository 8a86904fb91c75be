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


def try_all_plans(options: pd.DataFrame, budget: float, least_north: float = 0.0) -> float | None:
    best = None
    for homes in product(*[range(capacity + 1) for capacity in options["capacity_homes"]]):
        table = options.assign(homes=homes)
        cost = table["homes"] * table["cost_gbp_per_home"]
        fits = cost.sum() <= budget and cost[table["district"] == "North"].sum() >= least_north * budget
        used = table.groupby("place")["homes"].sum()
        if fits and (used <= table.groupby("place")["eligible_homes"].first()).all():
            best = max(best or 0.0, float(table["homes"] @ table[OBJECTIVE]))
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
@pytest.mark.parametrize("least_north", [0.0, 0.3])
def test_no_plan_is_better(seed: int, least_north: float) -> None:
    options = make_options(seed)
    best = try_all_plans(options, 2000, least_north)
    if best is None:
        with pytest.raises(CheckError, match="least shares"):
            choose_plan(options, 2000, OBJECTIVE, {"North": least_north})
    else:
        plan = choose_plan(options, 2000, OBJECTIVE, {"North": least_north})
        assert plan.gained == pytest.approx(best, rel=1e-6)


def test_it_beats_paying_for_the_cheapest_household_first() -> None:
    ratios = []
    for seed in range(20):
        options = make_options(seed, places=6, measures=4, most=40)
        ratios.append(choose_plan(options, 20_000).gained / fill_greedily(options, 20_000))
    assert min(ratios) >= 1 - 1e-6
    assert max(ratios) > 1.01


def test_a_plan_keeps_to_its_limits() -> None:
    options = make_options(3, places=8, measures=4, most=30)
    plan = choose_plan(options, 15_000, least_shares={"North": 0.4, "South": 0.3})
    assert plan.cost_gbp <= 15_000
    assert plan.cost_gbp == plan.table["cost_gbp"].sum()
    assert plan.gained == pytest.approx(plan.table["gained"].sum())
    assert (plan.table["homes"] <= plan.table["capacity_homes"]).all()
    homes = plan.table.groupby("place")["homes"].sum()
    assert (homes <= plan.table.groupby("place")["eligible_homes"].first()).all()
    spent = plan.table.groupby("district")["cost_gbp"].sum()
    assert spent["North"] >= 0.4 * 15_000
    assert spent["South"] >= 0.3 * 15_000


def test_fairness_costs_something() -> None:
    options = make_options(3, places=8, measures=4, most=30)
    free = choose_plan(options, 15_000)
    spent = free.table.groupby("district")["cost_gbp"].sum() / 15_000
    poorer = spent.idxmin()
    fair = choose_plan(options, 15_000, least_shares={poorer: float(spent.min()) + 0.2})
    assert fair.gained < free.gained


def test_the_plan_serves_the_objective_it_was_given() -> None:
    options = make_options(5, places=4, measures=2, most=20)
    options["admissions_avoided_per_home"] = 1 - options[OBJECTIVE]
    plan, other = choose_plan(options, 5_000, "admissions_avoided_per_home"), choose_plan(options, 5_000)
    assert plan.gained > other.table["homes"] @ other.table["admissions_avoided_per_home"]
    assert other.gained > plan.table["homes"] @ plan.table[OBJECTIVE]


def test_the_shadow_price_is_the_gain_of_a_further_pound() -> None:
    options = make_options(7, places=6, measures=4, most=4000)
    budget = 1_000_000.0
    plan, more = choose_plan(options, budget), choose_plan(options, budget * 1.01)
    assert (more.gained - plan.gained) / (0.01 * budget) == pytest.approx(plan.gained_per_gbp, rel=0.05)


def test_a_budget_for_everything_has_no_price() -> None:
    plan = choose_plan(make_options(1), 1e9)
    assert plan.gained_per_gbp == 0


def test_no_budget_gives_an_empty_plan() -> None:
    plan = choose_plan(make_options(1), 0)
    assert plan.table.empty
    assert (plan.cost_gbp, plan.gained) == (0, 0)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"North": 0.7, "South": 0.6}, r"North 70%, South 60%.*more than the whole"),
        ({"North": 1.0}, "too few homes"),
        ({"East": 0.1}, "no option: East"),
    ],
)
def test_shares_that_cannot_be_met_are_an_error(shares: dict[str, float], message: str) -> None:
    with pytest.raises(CheckError, match=message):
        choose_plan(make_options(1), 50_000, least_shares=shares)


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
