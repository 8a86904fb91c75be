"""The systems model: from energy prices, incomes and homes to fuel poverty, cold, illness, demand for care and cost.

The model is `cold_homes.xmile`, in the open standard XMILE 1.0 (OASIS 2015), so that a planner can open it in a
modelling tool; nothing of it is repeated here. PySD's parser reads it; `simulate` steps its equations over thousands of
sets of values at once, where PySD runs one set at a time (a test holds both to the same values). `cold_homes.yaml`
holds the range and the source of each value.

What the model cannot tell:

- It does not prove that warm homes prevent illness. It says what follows if the published associations are causes, and
  most of its ranges of risk include no effect at all.
- Effects measured in New Zealand, Wales or England as a whole are carried over to the council. Many values are
  assumptions, marked as such; `weigh_parameters` tells which of them matter.
- It knows no streets and no persons. People of all ages live in cold homes alike, incomes rise and fall in homes of all
  kinds alike, nobody moves in or out of the council, nothing is built, and a home that a measure does not bring to band
  C is no warmer for it. What a programme does for those who need it most may be more than it shows.
- Deaths avoided are excess winter deaths alone, so that none is counted twice. The intervals hold the uncertainty of
  the values, not that of the model's form.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from councilbook.errors import ParameterError, suggest
from councilbook.fuel_poverty.scenarios.engine import load_model, simulate
from councilbook.fuel_poverty.scenarios.settings import Start, load_settings
from councilbook.methods.uncertainty import (
    INTERVAL,
    Floats,
    correlate_ranks,
    find_interval,
    sample_parameters,
    swing_parameters,
)

DRAWS = 10_000

# Each quantity of a comparison, with its variable and unit: what a programme brings about, and what it avoids against
# the same future without it. All but the first is summed up since the start; costs but the budget are present values.
REACHED = {
    "fuel_poor_households": ("fuel_poor", "households"),
    "budget_spent": ("spent_to_date", "GBP"),
    "programme_cost": ("programme_cost_to_date", "GBP"),
}
AVOIDED = {
    "fewer_fuel_poor_households": ("fuel_poor", "households"),
    "fuel_poor_years_avoided": ("fuel_poor_years_to_date", "household-years"),
    "admissions_avoided": ("admissions_to_date", "admissions"),
    "gp_contacts_avoided": ("gp_contacts_to_date", "contacts"),
    "social_care_years_avoided": ("social_care_to_date", "person-years"),
    "winter_deaths_avoided": ("winter_deaths_to_date", "deaths"),
    "care_cost_saved": ("care_cost_to_date", "GBP"),
}
RATIOS = {
    "cost_per_fuel_poor_year_avoided": ("fuel_poor_years_avoided", "GBP/household-year"),
}
UNITS = {quantity: unit for quantity, (_, unit) in {**REACHED, **AVOIDED, **RATIOS}.items()}
VARIABLES = sorted({variable for variable, _ in {**REACHED, **AVOIDED}.values()})


def draw_values(seed: int, draws: int = DRAWS) -> dict[str, Floats]:
    """Draw the model's uncertain values; see `uncertainty.sample_parameters`."""
    drawn = sample_parameters(load_settings().parameters, np.random.default_rng(seed), draws)
    return {str(name): column.to_numpy() for name, column in drawn.items()}


def compare_scenarios(
    start: Start, scenarios: Mapping[str, Mapping[str, float]], values: Mapping[str, Floats | float]
) -> dict[str, dict[str, Floats]]:
    """Run scenarios, and the same futures without programmes, on the same values.

    Args:
        scenarios: by name, its levers, such as `{"households_a_year[insulation]": 500}`; the rest has its default.
        values: of parameters, as `simulate` takes them.

    Returns:
        By scenario and quantity of `UNITS`, an array of years by draws. Fewer fuel-poor households are those
        that programmes lifted and that are still out in a year. A cost per year avoided is the cost so far by
        the years so far, and NaN where there are none.

    Raises:
        ParameterError: a scenario names what is no lever.
    """
    levers = load_settings().levers
    local = start.localise(values)
    futures: dict[tuple[tuple[str, float], ...], dict[str, Floats]] = {}
    results = {}
    for scenario, changed in scenarios.items():
        for name in changed:
            if name not in levers:
                raise ParameterError(f"Scenario {scenario} has no lever {name}.{suggest(name, levers)}")
        outside = tuple((name, value) for name, value in sorted(changed.items()) if name.startswith("price_"))
        if outside not in futures:
            futures[outside] = simulate({**local, **dict(outside)}, VARIABLES)
        acted = simulate({**local, **changed}, VARIABLES)
        found = {name: acted[variable] for name, (variable, _) in REACHED.items()}
        found |= {name: futures[outside][variable] - acted[variable] for name, (variable, _) in AVOIDED.items()}
        for name, (base, _) in RATIOS.items():
            nothing = np.full_like(found[base], np.nan)
            found[name] = np.divide(found["programme_cost"], found[base], out=nothing, where=found[base] > 0)
        results[scenario] = found
    return results


def run_scenarios(
    start: Start,
    scenarios: Mapping[str, Mapping[str, float]],
    seed: int,
    draws: int = DRAWS,
    interval: float = INTERVAL,
) -> pd.DataFrame:
    """Run scenarios over draws of the uncertain values, the same draws for each.

    Args:
        scenarios: see `compare_scenarios`.
        interval: the share of the draws between low and high.

    Returns:
        year, scenario, quantity, unit, low, median, high: a row a year, scenario and quantity of `UNITS`.
    """
    tables = []
    for scenario, quantities in compare_scenarios(start, scenarios, draw_values(seed, draws)).items():
        for quantity, runs in quantities.items():
            low, median, high = find_interval(runs, interval)
            years = start.year + np.arange(len(low))
            table = {"year": years, "scenario": scenario, "quantity": quantity, "unit": UNITS[quantity]}
            tables.append(pd.DataFrame(table | {"low": low, "median": median, "high": high}))
    return pd.concat(tables, ignore_index=True)


def weigh_parameters(
    start: Start, scenario: Mapping[str, float], quantity: str, seed: int, draws: int = DRAWS
) -> pd.DataFrame:
    """Tell which uncertain values matter for a quantity in the last year, in two ways.

    One at a time (`uncertainty.swing_parameters`), and all together: the partial rank correlation over draws.

    Returns:
        parameter, unit, basis, value (the default), low, high, at_low, at_default, at_high, swing,
        partial_rank_correlation, source (citations) and note: a row a parameter, the widest swing first.
    """
    drawn = draw_values(seed, draws)
    parameters = {name: load_settings().parameters[name] for name in drawn}

    def find_last(values: Mapping[str, Floats]) -> Floats:
        last: Floats = compare_scenarios(start, {"": scenario}, values)[""][quantity][-1]
        return last

    ends = {name: (one.low, one.high) for name, one in parameters.items()}
    bars = swing_parameters(ends, {name: one.default for name, one in parameters.items()}, find_last)
    bars.insert(1, "unit", [one.unit for one in parameters.values()])
    bars.insert(2, "basis", [one.basis for one in parameters.values()])
    bars.insert(3, "value", [one.default for one in parameters.values()])
    bars["source"] = [" ".join(one.sources) or None for one in parameters.values()]
    bars["note"] = [one.note for one in parameters.values()]
    table = bars.assign(partial_rank_correlation=correlate_ranks(np.column_stack([*drawn.values()]), find_last(drawn)))
    return table.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def estimate_effects(start: Start, households: float = 100) -> pd.DataFrame:
    """Estimate by the default values what treating a household does, for `budget.choose_plan`.

    Args:
        households: how many are treated by each lever in the first year; few, so that they do not crowd one another.

    Returns:
        measure, cost_gbp_per_home, fuel_poor_reach (of the homes treated, the share that is fuel poor), and
        over the whole run fuel_poor_years_avoided_per_home and admissions_avoided_per_home.
    """
    values, rows = start.localise({}), []
    parameters = load_settings().parameters
    for measure in load_model().elements["lever"]:
        lever = {f"households_a_year[{measure}]": households, f"end_year[{measure}]": 1.0}
        effect = compare_scenarios(start, {measure: lever}, {})[measure]
        rows.append(
            {
                "measure": measure,
                "cost_gbp_per_home": parameters[f"unit_cost[{measure}]"].default,
                "fuel_poor_reach": values[f"fuel_poor_reach[{measure}]"],
                "fuel_poor_years_avoided_per_home": effect["fuel_poor_years_avoided"][-1, 0] / households,
                "admissions_avoided_per_home": effect["admissions_avoided"][-1, 0] / households,
            }
        )
    return pd.DataFrame(rows)
