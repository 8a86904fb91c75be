"""The equations of cold_homes.xmile, read by PySD's parser and stepped over thousands of sets of values at once."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from pysd.translators.structures import abstract_expressions as ae
from pysd.translators.xmile.xmile_file import XmileFile

from councilbook.errors import ParameterError, suggest
from councilbook.fuel_poverty.scenarios.settings import load_settings
from councilbook.methods.uncertainty import Floats

MODEL = Path(__file__).with_name("cold_homes.xmile")

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
