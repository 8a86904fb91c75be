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

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict
from pysd.translators.structures import abstract_expressions as ae
from pysd.translators.xmile.xmile_file import XmileFile

from councilbook.errors import CheckError, ParameterError, suggest
from councilbook.methods.uncertainty import (
    INTERVAL,
    Floats,
    Parameter,
    correlate_ranks,
    find_interval,
    sample_parameters,
    swing_parameters,
)

MODEL = Path(__file__).with_name("cold_homes.xmile")
PARAMETERS = Path(__file__).with_name("cold_homes.yaml")

DRAWS = 10_000

Values = dict[str, Any]  # of each variable: a number, an array over draws, or one over elements and draws
Evaluate = Callable[[Values], Any]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    ">=": operator.ge,
    "<": operator.lt,
    ":AND:": np.logical_and,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {"min": np.minimum, "max": np.maximum, "if_then_else": np.where}

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


LOCAL = ("fuel_poor_reach", "low_income_share_of_efficient")


def scale_odds(share: Floats | float, factor: float) -> Floats | float:
    """Return the share whose odds are a factor times those of another."""
    return share * factor / (1 - share + share * factor)


class Setting(BaseModel):
    """A value that a council or a scenario sets, with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    unit: str


class England(BaseModel):
    """What the national values of reach and of low incomes go with: shares of homes and, by year, of households."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inefficient_share: float
    fuel_poor_share: dict[int, float]


@dataclass(frozen=True)
class Settings:
    """All that goes into the model, by name; an element of an array is `name[element]`."""

    inputs: Mapping[str, Setting]
    england: "England"
    levers: Mapping[str, Setting]
    parameters: Mapping[str, Parameter]

    @property
    def defaults(self) -> dict[str, float]:
        """The value of everything that goes in."""
        set_values = {name: setting.value for name, setting in {**self.inputs, **self.levers}.items()}
        return set_values | {name: parameter.default for name, parameter in self.parameters.items()}


@dataclass(frozen=True)
class Start:
    """Where a council stands when the model starts.

    Attributes:
        year: the year of the figures.
        households: their number.
        fuel_poor_households: Low Income Low Energy Efficiency, as DESNZ publishes it for districts.
        inefficient_share: the share of homes in energy bands D to G, between 0 and 1.
        people_under_16, people_16_to_64, people_65_and_over: people by age.
        excess_winter_deaths: a year, as ONS publishes them (Winter mortality in England and Wales).
        need: how many of the homes in bands D to G are fuel poor, against England (1: as many). Shares of low incomes
            and of programmes that reach the fuel poor have these odds beside the national ones.

    Raises:
        CheckError: a number is negative or missing, or there are more fuel-poor households than homes in bands D to G.
    """

    year: int
    households: float
    fuel_poor_households: float
    inefficient_share: float
    people_under_16: float
    people_16_to_64: float
    people_65_and_over: float
    excess_winter_deaths: float
    need: float = 1.0

    def __post_init__(self) -> None:  # noqa: D105
        for name, value in {**self.inputs, "need": self.need}.items():
            if not (np.isfinite(value) and value >= 0):
                raise CheckError(f"The council's start has {name} = {value}; expected a number of 0 or more.")
        if self.households == 0 or self.inefficient_share > 1:
            raise CheckError(
                f"The council's start has {self.households} households, and a share of {self.inefficient_share} in "
                "bands D to G; expected at least one household, and a share between 0 and 1."
            )
        if self.fuel_poor_households > (inefficient := self.households * self.inefficient_share):
            raise CheckError(
                f"{self.fuel_poor_households:,.0f} fuel-poor households are more than the {inefficient:,.0f} in bands "
                "D to G, where all of them live by definition."
            )

    @property
    def inputs(self) -> dict[str, float]:
        """The figures by their names in the model."""
        return {
            "households": self.households,
            "fuel_poor_at_start": self.fuel_poor_households,
            "inefficient_share_at_start": self.inefficient_share,
            "people_under_16": self.people_under_16,
            "people_16_to_64": self.people_16_to_64,
            "people_65_and_over": self.people_65_and_over,
            "excess_winter_deaths_a_year": self.excess_winter_deaths,
        }

    def localise(self, values: Mapping[str, Floats | float]) -> Values:
        """Bring national values of reach and of low incomes to the council's need, and add its own figures."""
        known = {**load_settings().defaults, **values}
        moved = {name: known[name] for name in known if name.startswith(LOCAL)}
        return {**values, **{name: scale_odds(share, self.need) for name, share in moved.items()}, **self.inputs}


@cache
def load_settings() -> Settings:
    """Read cold_homes.yaml, with the citations in full."""
    content = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
    cited = {
        name: {**entry, "sources": [content["sources"][source] for source in entry["sources"]]}
        for name, entry in content["parameters"].items()
    }
    return Settings(
        inputs={name: Setting(**entry) for name, entry in content["inputs"].items()},
        england=England(**content["england"]),
        levers={name: Setting(**entry) for name, entry in content["levers"].items()},
        parameters={name: Parameter(**entry) for name, entry in cited.items()},
    )


# --- thousands of runs at once ---


@dataclass(frozen=True)
class Model:
    """The equations of cold_homes.xmile, as functions over arrays.

    Attributes:
        dimension_of: of each variable, the name of its dimension, or an empty string.
        elements: of each dimension, its elements.
        constants: the variables that are numbers in the file.
        initial, flow: of each stock, its value at the start and its net flow.
        fixed: equations that do not change within a run, in the order in which they can be computed.
        moving: the equations that do.
        step: years. years: how long a run is.
    """

    dimension_of: Mapping[str, str]
    elements: Mapping[str, list[str]]
    constants: Mapping[str, Evaluate]
    initial: Mapping[str, Evaluate]
    flow: Mapping[str, Evaluate]
    fixed: Mapping[str, Evaluate]
    moving: Mapping[str, Evaluate]
    step: float
    years: int


@cache
def load_model() -> Model:
    """Read cold_homes.xmile with PySD's parser."""
    file = XmileFile(MODEL)
    file.parse()
    (section,) = file.get_abstract_model().sections
    elements = {span.name: list(span.subscripts) for span in section.subscripts}
    control = {"INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER"}
    time = {item.name: item.components[0].ast for item in section.elements if item.name in control}
    items = {item.name: item.components for item in section.elements if item.name not in control}
    owner = {element: dimension for dimension, names in elements.items() for element in names}

    dimension_of: dict[str, str] = {}
    equations: dict[str, Any] = {}
    for name, components in items.items():
        first = "".join(components[0].subscripts[0])
        dimension_of[name] = owner.get(first, first)
        equations[name] = [part.ast for part in components] if first in owner else components[0].ast
    stocks = {name for name, equation in equations.items() if isinstance(equation, ae.IntegStructure)}
    needs = {name: set() if name in stocks else _find_names(equation) for name, equation in equations.items()}
    order = list(TopologicalSorter({name: names & set(items) for name, names in needs.items()}).static_order())
    changing = {*stocks, "time"}
    for name in order:
        if needs[name] & changing:
            changing.add(name)

    def compile_some(names: list[str]) -> dict[str, Evaluate]:
        return {name: _compile(equations[name], elements) for name in names}

    def compile_initial(name: str) -> Evaluate:
        evaluate = _compile(equations[name].initial, elements)
        rows = np.zeros((len(elements[dimension_of[name]]), 1)) if dimension_of[name] else 0.0  # one number for all
        return lambda values: evaluate(values) + rows

    still = [name for name in order if name not in changing]
    return Model(
        dimension_of=dimension_of,
        elements=elements,
        constants=compile_some([name for name in still if not needs[name]]),
        initial={name: compile_initial(name) for name in order if name in stocks},
        flow={name: _compile(equations[name].flow, elements) for name in order if name in stocks},
        fixed=compile_some([name for name in still if needs[name]]),
        moving=compile_some([name for name in order if name in changing - stocks]),
        step=float(time["TIME STEP"]),
        years=int(time["FINAL TIME"] - time["INITIAL TIME"]),
    )


def _find_names(node: Any) -> set[str]:
    match node:
        case ae.ReferenceStructure():
            return {node.reference}
        case ae.ArithmeticStructure() | ae.LogicStructure() | ae.CallStructure():
            return set().union(*map(_find_names, node.arguments))
        case list():
            return set().union(*map(_find_names, node))
    return set()


def _compile(node: Any, elements: Mapping[str, list[str]]) -> Evaluate:
    """Turn an expression of PySD's parser into a function; of the language, what cold_homes.xmile uses."""
    match node:
        case int() | float():
            return lambda _: float(node)
        case list():  # an equation for each element
            parts = [_compile(part, elements) for part in node]
            return lambda values: np.stack(np.broadcast_arrays(*[np.atleast_1d(part(values)) for part in parts]))
        case ae.ReferenceStructure(reference=name, subscripts=subscripts):
            places = {element: place for names in elements.values() for place, element in enumerate(names)}
            element = subscripts.subscripts[0] if subscripts else ""
            if element in places:
                return lambda values: values[name][places[element]]
            return lambda values: values[name]
        case ae.ArithmeticStructure(operators=["negative"], arguments=[part]):
            inner = _compile(part, elements)
            return lambda values: -inner(values)
        case ae.ArithmeticStructure() | ae.LogicStructure():
            first, *rest = [_compile(part, elements) for part in node.arguments]
            steps = list(zip([OPERATORS[name] for name in node.operators], rest, strict=True))
            return lambda values: reduce(lambda left, step: step[0](left, step[1](values)), steps, first(values))
        case ae.CallStructure():
            function = FUNCTIONS[node.function.reference]
            parts = [_compile(part, elements) for part in node.arguments]
            return lambda values: function(*[part(values) for part in parts])
    raise NotImplementedError(
        f"cold_homes.xmile uses {type(node).__name__}, which the path over many draws does not know."
    )


def simulate(settings: Mapping[str, Floats | float], outputs: list[str]) -> dict[str, Floats]:
    """Run the model for many sets of values at once, by Euler steps as PySD does.

    Args:
        settings: by name, a number, or an array of as many numbers as there are draws; the rest has its default.
        outputs: variables, or elements as `name[element]`.

    Returns:
        By output, an array of years (from 0) by draws.

    Raises:
        ParameterError: a name in `settings` is none of the model.
    """
    model = load_model()
    values = _enter(settings, model)
    for name, evaluate in {**model.fixed, **model.initial}.items():
        values[name] = evaluate(values)
    wanted = {name: _compile(_refer(name), model.elements) for name in outputs}
    draws = max((np.size(value) for value in settings.values()), default=1)
    results = {name: np.empty((model.years + 1, draws)) for name in outputs}
    steps_a_year = round(1 / model.step)
    for step in range(model.years * steps_a_year + 1):
        values["time"] = step * model.step
        for name, evaluate in model.moving.items():
            values[name] = evaluate(values)
        if step % steps_a_year == 0:
            for name, evaluate in wanted.items():
                results[name][step // steps_a_year] = evaluate(values)
        changes = {name: evaluate(values) for name, evaluate in model.flow.items()}
        for name, change in changes.items():
            values[name] = values[name] + change * model.step
    return results


def _enter(settings: Mapping[str, Floats | float], model: Model) -> Values:
    values: Values = {name: evaluate({}) for name, evaluate in model.constants.items()}
    known = load_settings().defaults
    for name, value in settings.items():
        if name not in known:
            raise ParameterError(f"The systems model has no setting {name}.{suggest(name, known)}")
        variable, _, element = name.removesuffix("]").partition("[")
        if not element:
            values[variable] = value
            continue
        rows = list(values[variable])
        rows[model.elements[model.dimension_of[variable]].index(element)] = np.atleast_1d(value)
        values[variable] = np.stack(np.broadcast_arrays(*rows))
    return values


def _refer(output: str) -> ae.ReferenceStructure:
    variable, _, element = output.removesuffix("]").partition("[")
    return ae.ReferenceStructure(variable, ae.SubscriptsReferenceStructure((element,)) if element else None)


# --- scenarios ---


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
        parameter, unit, basis, low, high, at_low, at_default, at_high, swing, partial_rank_correlation: a row a
        parameter, the widest swing first.
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
