"""From released tables to the systems model and back: the council's start, named scenarios, options and sentences.

Released data hold households and fuel-poor households alone. What else the model starts from (the share of homes in
bands D to G, people by age, excess winter deaths) is that of the example place in `cold_homes.yaml`, brought to the
council's number of households: an assumption, which says nothing about the council.
"""

import pandas as pd

from councilbook.errors import CheckError
from councilbook.fuel_poverty.scenarios.system import Start, estimate_effects, load_settings
from councilbook.methods.budget import Plan

LILEE = "LILEE"
NOTHING = "No programme"
DEARER = "Dearer energy, no programme"
PROGRAMMES = {"insulation": "Insulation", "heating": "New heating", "advice": "Income advice"}
PROGRAMME_YEARS = 5
OUTCOMES = {  # in words, with the format of a number
    "households_lifted": ("households lifted out", ",.0f"),
    "fuel_poor_years_avoided": ("years of fuel poverty avoided", ",.0f"),
    "admissions_avoided": ("admissions avoided", ",.1f"),
    "programme_cost": ("cost (£)", ",.0f"),
    "cost_per_household_lifted": ("cost per household (£)", ",.0f"),
}
DECIMALS = 1


def make_start(districts: pd.DataFrame) -> Start:
    """Make the model's start from the last year's Low Income Low Energy Efficiency figures.

    Args:
        districts: district_fuel_poverty.

    Raises:
        CheckError: there is no figure by this definition, or there are more fuel-poor households than homes for them.
    """
    latest = _find_latest(districts)
    example = {name: setting.value for name, setting in load_settings().inputs.items()}
    households = float(latest["households"].sum())
    size = households / example["households"]
    return Start(
        year=int(latest["year"].iloc[0]),
        households=households,
        fuel_poor_households=float(latest["fuel_poor_households"].sum()),
        inefficient_share=example["inefficient_share_at_start"],
        people_under_16=example["people_under_16"] * size,
        people_16_to_64=example["people_16_to_64"] * size,
        people_65_and_over=example["people_65_and_over"] * size,
        excess_winter_deaths=example["excess_winter_deaths_a_year"] * size,
    )


def _find_latest(districts: pd.DataFrame) -> pd.DataFrame:
    found = districts[districts["measure"] == LILEE]
    if found.empty:
        raise CheckError(f"district_fuel_poverty has no row of {LILEE}, which the systems model starts from.")
    latest: pd.DataFrame = found[found["year"] == found["year"].max()]
    return latest


def make_scenarios(budget_gbp: float, price_change_pct: float) -> dict[str, dict[str, float]]:
    """Name scenarios, with their levers: none, dearer energy, and the budget spent on one programme each.

    The budget is spent evenly over the first `PROGRAMME_YEARS` years, at the default cost of a household.

    Args:
        budget_gbp: pounds, not discounted.
        price_change_pct: by how much energy gets dearer after a year in the scenario of that name.

    Raises:
        CheckError: the budget is negative, or the price falls by 100 % or more.
    """
    if budget_gbp < 0 or price_change_pct <= -100:
        raise CheckError(
            f"The budget is £{budget_gbp:,.0f} and the price changes by {price_change_pct} %; expected 0 or more, and "
            "more than -100 %."
        )
    parameters = load_settings().parameters
    scenarios: dict[str, dict[str, float]] = {
        NOTHING: {},
        DEARER: {"price_step": 1 + price_change_pct / 100, "price_step_year": 1.0},
    }
    for measure, name in PROGRAMMES.items():
        treated = budget_gbp / PROGRAMME_YEARS / parameters[f"unit_cost[{measure}]"].default
        scenarios[name] = {f"households_a_year[{measure}]": treated, f"end_year[{measure}]": float(PROGRAMME_YEARS)}
    return scenarios


def sum_outcomes(futures: pd.DataFrame) -> pd.DataFrame:
    """Take what each programme has brought about by the last year.

    Args:
        futures: from `system.run_scenarios`.

    Returns:
        scenario, quantity, year, unit, low, median, high: a row a programme and quantity of `OUTCOMES`.
    """
    last = futures[futures["year"] == futures["year"].max()]
    chosen = last[last["quantity"].isin(OUTCOMES) & last["scenario"].isin(PROGRAMMES.values())].dropna()
    columns = ["scenario", "quantity", "year", "unit", "low", "median", "high"]
    outcomes: pd.DataFrame = chosen[columns].round(DECIMALS).reset_index(drop=True)
    return outcomes


def spread_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Write each quantity with its interval, a row a programme.

    Args:
        outcomes: from `sum_outcomes`.

    Returns:
        scenario, and a column of text for each quantity of `OUTCOMES` that there is.
    """
    spread = {
        words: rows["median"].map(f"{{:{number}}}".format)
        + " ("
        + rows["low"].map(f"{{:{number}}}".format)
        + " to "
        + rows["high"].map(f"{{:{number}}}".format)
        + ")"
        for quantity, (words, number) in OUTCOMES.items()
        if len(rows := outcomes[outcomes["quantity"] == quantity].set_index("scenario"))
    }
    return pd.DataFrame(spread).rename_axis("scenario").reset_index()


def order_ends(weights: pd.DataFrame) -> pd.DataFrame:
    """Add the least and the most of the results at both ends of each value's range, for the bars of a tornado.

    Args:
        weights: from `system.weigh_parameters`, the widest swing first; values without a swing are left out.

    Returns:
        The rows with least and most; parameter in words, marked where it is an assumption.
    """
    ends = weights[["at_low", "at_default", "at_high"]]
    words = weights["parameter"].str.replace("_", " ").str.replace("[", ", ").str.replace("]", "")
    marked = words + weights["basis"].map({"assumption": " (assumption)"}).fillna("")
    bars = weights.assign(parameter=marked, least=ends.min(axis=1), most=ends.max(axis=1))
    return bars.loc[bars["swing"] > 0]


def count_bases() -> dict[str, int]:
    """Count the model's values that are assumptions, and all of them."""
    parameters = load_settings().parameters.values()
    return {"assumptions": sum(one.basis == "assumption" for one in parameters), "parameters": len(parameters)}


def list_options(districts: pd.DataFrame, start: Start) -> pd.DataFrame:
    """List what a budget may be spent on, by district and measure, for `budget.choose_plan`.

    Homes in bands D to G are taken to be as common in each district. A home treated is fuel poor more often where more
    are, in proportion to the district's share. In a year no more homes can be found for a measure than the model's
    `findable_share` of the fuel-poor households.

    Args:
        districts: district_fuel_poverty.
        start: from `make_start`.

    Returns:
        district, place, measure, eligible_homes, capacity_homes, cost_gbp_per_home, households_lifted_per_home.
    """
    latest = _find_latest(districts)
    findable = load_settings().parameters["findable_share"].default
    share = latest["fuel_poor_households"] / latest["households"]
    relative = share / (start.fuel_poor_households / start.households) if start.fuel_poor_households else share
    eligible = (latest["households"] * start.inefficient_share).round()
    tables = []
    for effect in estimate_effects(start).to_dict("records"):
        measure = effect["measure"]
        effective = load_settings().parameters[f"effective_share[{measure}]"].default
        lifted = (effect["households_lifted_per_home"] * relative).clip(upper=effective)  # no more than all fuel poor
        table = {
            "district": latest["lad22_name"],
            "place": latest["lad22_code"],
            "measure": measure,
            "eligible_homes": eligible,
            "capacity_homes": (latest["fuel_poor_households"] * findable).round(),
            "cost_gbp_per_home": effect["cost_gbp_per_home"],
            "households_lifted_per_home": lifted,
        }
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def name_plan(plan: Plan) -> pd.DataFrame:
    """Name what a plan of `list_options` holds as the dataset fuel_poverty_budget_plan does.

    Returns:
        lad22_code, lad22_name, measure (in words), homes, cost_gbp, households_lifted.
    """
    names = {"place": "lad22_code", "district": "lad22_name", "gained": "households_lifted"}
    table = plan.table.rename(columns=names)
    table["measure"] = table["measure"].map(PROGRAMMES).fillna("Support with bills")
    return table[["lad22_code", "lad22_name", "measure", "homes", "cost_gbp", "households_lifted"]].round(DECIMALS)


def describe_outcomes(outcomes: pd.DataFrame, name: str) -> str:
    """Say which programme spares the most years of fuel poverty, which a lift that does not last would not.

    Args:
        outcomes: fuel_poverty_scenario_outcomes.
        name: the council.
    """
    spared = outcomes[outcomes["quantity"] == "fuel_poor_years_avoided"]
    if spared.empty or spared["median"].max() == 0:
        return f"Without a budget no programme lifts anybody in {name} out of fuel poverty."
    best = spared.sort_values("median").iloc[-1]
    of_best = outcomes[outcomes["scenario"] == best["scenario"]].set_index("quantity")
    lifted = of_best.loc["households_lifted"]
    return (
        f"Of the programmes compared for {name}, **{best['scenario'].lower()}** spares households the most time in "
        f"fuel poverty by {best['year']}: **{best['median']:,.0f} household-years** ({best['low']:,.0f} to "
        f"{best['high']:,.0f}). It lifts {lifted['median']:,.0f} households out at some time ({lifted['low']:,.0f} to "
        f"{lifted['high']:,.0f}), though some fall back."
    )


def describe_limits(outcomes: pd.DataFrame) -> str:
    """Say how much of the model is assumed, and what its intervals leave out.

    Args:
        outcomes: fuel_poverty_scenario_outcomes.
    """
    first = outcomes.iloc[0]
    return (
        f"**What this cannot tell.** {first['assumptions']} of the model's {first['parameters']} values are "
        "assumptions, and so are the council's share of homes in bands D to G, its people by age and its winter "
        "deaths. The intervals hold the uncertainty of the values, not that of the model's form, and it does not prove "
        "that warm homes prevent illness."
    )


def describe_plan(plan: pd.DataFrame) -> str:
    """Say what the plan does with the budget.

    Args:
        plan: fuel_poverty_budget_plan.
    """
    if plan.empty or plan["homes"].sum() == 0:
        return "The budget treats no home."
    homes, lifted, cost = (plan[column].sum() for column in ("homes", "households_lifted", "cost_gbp"))
    count = plan["lad22_code"].nunique()
    districts = "one district" if count == 1 else f"{count} districts"
    return (
        f"£{cost:,.0f} treats {homes:,} homes in {districts}, and lifts an expected "
        f"{lifted:,.0f} households out of fuel poverty."
    )
