"""From published tables to the systems model and back: the council's start, named scenarios, options and sentences.

The start is the council's own: households and fuel-poor households as released; homes in bands D to G, people by age
and deaths in winter as published. What the model needs beyond it are national values, most of them assumptions.
"""

import pandas as pd

from councilbook.errors import CheckError
from councilbook.fuel_poverty.scenarios.settings import Start, load_settings
from councilbook.fuel_poverty.scenarios.system import estimate_effects
from councilbook.methods.budget import Plan
from councilbook.pages.html.wording import write_about, write_millions

LILEE = "LILEE"
NOTHING = "No programme"
DEARER = "Dearer energy, no programme"
PROGRAMMES = {"insulation": "Insulation", "heating": "New heating", "advice": "Income advice"}
PROGRAMME_YEARS = 5
STILL_OUT = {1: "still_out_after_1_year", 5: "still_out_after_5_years", 15: "still_out_after_15_years"}
OUTCOMES = {  # in words, with the format of a number
    "fuel_poor_years_avoided": ("years of fuel poverty avoided", ",.0f"),
    STILL_OUT[1]: ("households out after 1 year", ",.0f"),
    STILL_OUT[5]: ("after 5 years", ",.0f"),
    STILL_OUT[15]: ("after 15 years", ",.0f"),
    "admissions_avoided": ("hospital admissions avoided", ",.1f"),
    "budget_spent": ("spent (£)", ",.0f"),
    "cost_per_fuel_poor_year_avoided": ("cost of a year avoided (£)", ",.0f"),
}
KINDS = {"published": "measured", "derived": "computed from measured figures", "assumption": "assumption"}
OBJECTIVE = "fuel_poor_years_avoided_per_home"
RATED = 2022  # homes are rated in table 1e to March of this year
UNDER_16 = ["people_0_to_4", "people_5_to_9", "people_10_to_15"]
OVER_64 = ["people_65_to_74", "people_75_to_84", "people_85_and_over"]
DECIMALS = 1


def make_start(districts: pd.DataFrame, ratings: pd.DataFrame, people: pd.DataFrame, winters: pd.DataFrame) -> Start:
    """Make the model's start from the last year's Low Income Low Energy Efficiency figures and the council's own stock.

    The share of homes in bands D to G in March 2022, districts weighted by their people, is brought to the year of the
    figures by the rate at which homes improve in England. Deaths are the mean of five winters, or 0.

    Args:
        districts: district_fuel_poverty.
        ratings: energy_efficiency_of_housing: lad_code, band_c_or_above_pct.
        people: census_2021_age: lad_code, people and the groups of `UNDER_16` and `OVER_64`.
        winters: winter_mortality: a column winter_deaths_... a winter.

    Raises:
        CheckError: there is no figure by this definition, a district has no rating, or there are more fuel-poor
            households than homes for them.
    """
    latest = _find_latest(districts)
    year, households, poor = int(latest["year"].iloc[0]), *latest[["households", "fuel_poor_households"]].sum()
    rated = people.merge(ratings, on="lad_code", how="left", validate="one_to_one")
    if unrated := sorted(rated.loc[rated["band_c_or_above_pct"].isna(), "lad_code"]):
        raise CheckError(f"energy_efficiency_of_housing has no rating of {', '.join(unrated)}.")
    england, later = load_settings().england, _keep_inefficient(year)
    inefficient = (1 - (rated["band_c_or_above_pct"] * rated["people"]).sum() / rated["people"].sum() / 100) * later
    of_england = england.fuel_poor_share[min(year, max(england.fuel_poor_share))] / (england.inefficient_share * later)
    young, old = people[UNDER_16].to_numpy().sum(), people[OVER_64].to_numpy().sum()
    deaths = winters.filter(like="winter_deaths_").sum(min_count=1).mean()
    return Start(
        year=year,
        households=float(households),
        fuel_poor_households=float(poor),
        inefficient_share=float(inefficient),
        people_under_16=float(young),
        people_16_to_64=float(people["people"].sum() - young - old),
        people_65_and_over=float(old),
        excess_winter_deaths=max(float(deaths), 0.0),
        need=float(poor / (households * inefficient) / of_england),
    )


def _keep_inefficient(year: int) -> float:
    """Return how many of the homes in bands D to G when they were rated are still there in a year."""
    improving = load_settings().parameters["background_improvement"].default
    return float((1 - improving) ** max(year - RATED, 0))


def _find_latest(districts: pd.DataFrame) -> pd.DataFrame:
    found = districts[districts["measure"] == LILEE]
    if found.empty:
        raise CheckError(f"district_fuel_poverty has no row of {LILEE}, which the systems model starts from.")
    latest: pd.DataFrame = found[found["year"] == found["year"].max()]
    return latest


def make_scenarios(budget_gbp: float, price_change_pct: float) -> dict[str, dict[str, float]]:
    """Name scenarios, with their levers: none, dearer energy, and the budget spent on one programme each.

    The budget is spent evenly over the first `PROGRAMME_YEARS` years, at whatever a household costs; what finds
    no home is spent as soon as there is one.

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
    scenarios: dict[str, dict[str, float]] = {
        NOTHING: {},
        DEARER: {"price_step": 1 + price_change_pct / 100, "price_step_year": 1.0},
    }
    for measure, name in PROGRAMMES.items():
        yearly = budget_gbp / PROGRAMME_YEARS
        scenarios[name] = {f"budget_a_year[{measure}]": yearly, f"end_year[{measure}]": float(PROGRAMME_YEARS)}
    return scenarios


def sum_outcomes(futures: pd.DataFrame) -> pd.DataFrame:
    """Take what each programme has brought about by the last year, and how many households are out after some years.

    Args:
        futures: from `system.run_scenarios`.

    Returns:
        scenario, quantity, year, unit, low, median, high: a row a programme and quantity of `OUTCOMES`.
    """
    acted = futures[futures["scenario"].isin(PROGRAMMES.values())]
    last = acted[acted["year"] == acted["year"].max()]
    after = acted["year"] - acted["year"].min()
    is_out = (acted["quantity"] == "fewer_fuel_poor_households") & after.isin(STILL_OUT)
    out = acted[is_out]
    rows = pd.concat([last, out.assign(quantity=after.map(STILL_OUT))])
    chosen = rows[rows["quantity"].isin(OUTCOMES)].dropna()
    columns = ["scenario", "quantity", "year", "unit", "low", "median", "high"]
    outcomes: pd.DataFrame = chosen[columns].round(DECIMALS).reset_index(drop=True)
    return outcomes


def find_best(outcomes: pd.DataFrame) -> str:
    """Find the programme that avoids the most years of fuel poverty, which a lift that does not last would not.

    Args:
        outcomes: from `sum_outcomes`.
    """
    avoided = outcomes[outcomes["quantity"] == "fuel_poor_years_avoided"]
    return str(avoided.sort_values("median")["scenario"].iloc[-1])


def spread_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Write each quantity with its interval, a row a programme.

    Args:
        outcomes: from `sum_outcomes`.

    Returns:
        scenario, and a column of text for each quantity of `OUTCOMES` that there is.
    """
    spread = {}
    for quantity, (words, number) in OUTCOMES.items():
        rows = outcomes[outcomes["quantity"] == quantity].set_index("scenario")
        if len(rows):
            median, low, high = (rows[name].map(f"{{:{number}}}".format) for name in ("median", "low", "high"))
            spread[words] = median + " (" + low + " to " + high + ")"
    return pd.DataFrame(spread).rename_axis("scenario").reset_index()


def order_ends(weights: pd.DataFrame) -> pd.DataFrame:
    """Add the least and the most of the results at both ends of each value's range, for the bars of a tornado.

    Args:
        weights: from `system.weigh_parameters`, the widest swing first; values without a swing are left out.

    Returns:
        The rows with least and most; parameter in words, marked where it is an assumption.
    """
    ends = weights[["at_low", "at_default", "at_high"]]
    marked = _write_words(weights["parameter"]) + weights["basis"].map({"assumption": " (assumption)"}).fillna("")
    bars = weights.assign(parameter=marked, least=ends.min(axis=1), most=ends.max(axis=1))
    return bars.loc[bars["swing"] > 0]


def list_values(weights: pd.DataFrame) -> pd.DataFrame:
    """List the values of a tornado as a reader wants them: what is taken, between which ends, and who says so.

    Args:
        weights: fuel_poverty_sensitivity, or rows of it.

    Returns:
        value (in words), taken, low_high, unit, kind (`KINDS`), source.
    """
    return pd.DataFrame(
        {
            "value": _write_words(weights["parameter"]),
            "taken": weights["value"].map("{:,.6g}".format),
            "low_high": weights["low"].map("{:,.6g}".format) + " to " + weights["high"].map("{:,.6g}".format),
            "unit": [_write_unit(unit) for unit in weights["unit"]],
            "kind": weights["basis"].map(KINDS),
            "source": (weights["source"].fillna("") + " " + weights["note"]).str.strip(),
        }
    )


def _write_unit(unit: str) -> str:
    """Write a unit of the model, such as GBP/household or 1/year, as a reader would say it."""
    if unit == "dimensionless":
        return "share or ratio"
    return unit.replace("GBP", "£").replace("/", " a ").removeprefix("1 ")


def _write_words(parameters: pd.Series) -> pd.Series:
    """Write names such as unit_cost[heating] as "unit cost, heating"."""
    return parameters.str.replace("_", " ").str.replace("[", ", ").str.replace("]", "")


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
        district, place, measure, eligible_homes, capacity_homes, cost_gbp_per_home, `OBJECTIVE`.
    """
    latest = _find_latest(districts)
    findable = load_settings().parameters["findable_share"].default
    share = latest["fuel_poor_households"] / latest["households"]
    relative = share / (start.fuel_poor_households / start.households) if start.fuel_poor_households else share
    eligible = (latest["households"] * start.inefficient_share).round()
    tables = []
    for effect in estimate_effects(start).to_dict("records"):
        reach = max(effect["fuel_poor_reach"], 1e-9)
        table = {
            "district": latest["lad22_name"],
            "place": latest["lad22_code"],
            "measure": effect["measure"],
            "eligible_homes": eligible,
            "capacity_homes": (latest["fuel_poor_households"] * findable).round(),
            "cost_gbp_per_home": effect["cost_gbp_per_home"],
            OBJECTIVE: effect[OBJECTIVE] * relative.clip(upper=1 / reach),  # no more than all of them are fuel poor
        }
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def name_plan(plan: Plan) -> pd.DataFrame:
    """Name what a plan of `list_options` holds as the dataset fuel_poverty_budget_plan does.

    Returns:
        lad22_code, lad22_name, measure (in words), homes, cost_gbp, fuel_poor_years_avoided.
    """
    names = {"place": "lad22_code", "district": "lad22_name", "gained": "fuel_poor_years_avoided"}
    table = plan.table.rename(columns=names)
    table["measure"] = table["measure"].map(PROGRAMMES).fillna("Support with bills")
    return table[["lad22_code", "lad22_name", "measure", "homes", "cost_gbp", "fuel_poor_years_avoided"]].round(
        DECIMALS
    )


def describe_outcomes(outcomes: pd.DataFrame, name: str) -> str:
    """Say which programme avoids the most years of fuel poverty, how long it helps, and what is spent.

    Args:
        outcomes: fuel_poverty_scenario_outcomes.
        name: the council.
    """
    avoided = outcomes[outcomes["quantity"] == "fuel_poor_years_avoided"]
    if avoided.empty or avoided["median"].max() == 0:
        return f"Without a budget no programme lifts anybody in {name} out of fuel poverty."
    best = find_best(outcomes)
    of = outcomes[outcomes["scenario"] == best].set_index("quantity")
    low, median, high = (of[end] for end in ("low", "median", "high"))
    years, out = "fuel_poor_years_avoided", [median[quantity] for quantity in STILL_OUT.values()]
    return (
        f"**{best}** would avoid the most fuel poverty in {name}: **{write_about(median[years])} household-years** by "
        f"{of['year'][years]} (90% interval {write_about(low[years])} to {write_about(high[years])}). "
        f"{out[0]:,.0f} more households "
        f"would be out of fuel poverty after one year, {out[1]:,.0f} after 5 years and {out[2]:,.0f} after 15. "
        f"{_describe_spending(low['budget_spent'], high['budget_spent'], of['budget_gbp'].iloc[0])}"
    )


def _describe_spending(low_gbp: float, high_gbp: float, budget_gbp: float) -> str:
    if low_gbp >= 0.999 * budget_gbp:
        return f"Every run of the model spends the {write_millions(budget_gbp)}."
    return (
        f"Some runs find too few homes to spend the {write_millions(budget_gbp)}: they spend "
        f"{write_millions(low_gbp)} to {write_millions(high_gbp)}."
    )


def describe_limits(outcomes: pd.DataFrame) -> str:
    """Say how much of the model is assumed, and what its intervals leave out.

    Args:
        outcomes: fuel_poverty_scenario_outcomes.
    """
    first = outcomes.iloc[0]
    return (
        f"**What this cannot tell.** {first['assumptions']} of the model's {first['parameters']} values are "
        "assumptions. Households, homes in bands D to G, people by age and winter deaths are the council's own, as "
        "published. The intervals hold the uncertainty of the values, not that of the model's form, and it does not "
        "prove that warm homes prevent illness."
    )


def describe_plan(plan: pd.DataFrame) -> str:
    """Say what the plan does with the budget.

    Args:
        plan: fuel_poverty_budget_plan.
    """
    if plan.empty or plan["homes"].sum() == 0:
        return "The budget treats no home."
    homes, years, cost = (plan[column].sum() for column in ("homes", "fuel_poor_years_avoided", "cost_gbp"))
    count = plan["lad22_code"].nunique()
    districts = "one district" if count == 1 else f"{count} districts"
    return (
        f"{write_millions(cost)} treats {homes:,} homes in {districts} and avoids some {write_about(years)} "
        "household-years of fuel poverty over 15 years. The plan takes the model's default values, and the districts "
        "with the highest shares first. So it may avoid more than the middle of the runs above."
    )
