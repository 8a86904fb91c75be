"""The service ideas of all studies: what each brings and costs, by released figures and stated ranges, none twice."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError, model_validator
from scipy.stats import norm

from councilbook.catalogue import Catalogue
from councilbook.catalogue.entries import Entry, Name, read_yaml
from councilbook.errors import CheckError, NotToldError, describe_faults
from councilbook.methods.uncertainty import Floats, Parameter

FILE = "value.yaml"


class Assumed(Parameter):
    """A range that no study of the workbook gives.

    Attributes:
        title: what it is, as a table says it.
        question, way: what would have to be known, and how a council could find out.
    """

    title: str
    question: str
    way: str

    @property
    def scale(self) -> float:
        """What a draw is multiplied by before it enters a product."""
        return 0.01 if self.unit == "%" else 1

    @property
    def middle(self) -> float:
        """Its default, as it enters a product."""
        return self.default * self.scale


class Figure(Entry):
    """Where a figure stands in a dataset that a study has released; see the head of value.yaml."""

    title: str
    unit: str
    dataset: Name
    value: str
    where: dict[str, str | int] = Field(default={})
    low: str | None = None
    high: str | None = None
    interval: float = Field(default=0.9, gt=0, lt=1)
    of: str | None = None
    less: Name | None = None
    newest: str | None = None
    question: str = ""
    way: str = ""

    @property
    def place(self) -> str:
        """Which rows and field it is read from, whatever it is called."""
        return f"{self.value} of {self.dataset} {sorted(self.where.items())}"


class Published(Assumed):
    """A figure that a study has released: its interval, if it has one, as two halves of a normal curve.

    Where all of the interval is above 0, they are halves of a lognormal, so that no draw is below 0 either.
    """

    interval: float

    def find_quantiles(self, shares: Floats) -> Floats:
        """Return the values below which given shares of the draws lie."""
        is_positive = self.low > 0
        ends = np.array([self.low, self.default, self.high])
        low, middle, high = np.log(ends) if is_positive else ends
        steps = norm.ppf(shares) / norm.ppf((1 + self.interval) / 2)
        values: Floats = middle + steps * np.where(steps < 0, middle - low, high - middle)
        return np.exp(values) if is_positive else values


class Benefit(Entry):
    """What an idea brings: so much a year, what one of it is worth, and whose hours or which people it comes from."""

    title: str
    arises_from: str
    unit: str
    amount: list[Name] = Field(min_length=1)
    worth: list[Name] = Field(min_length=1)


class Idea(Entry):
    """A service idea: what it brings, and what it costs once and each year."""

    title: str
    benefits: list[Name] = Field(min_length=1)
    once: list[Name] = Field(min_length=1)
    year: list[Name] = Field(min_length=1)


class Model(Entry):
    """All of value.yaml, with the citations in full."""

    figures: dict[Name, Figure]
    parameters: dict[Name, Assumed]
    benefits: dict[Name, Benefit]
    ideas: dict[Name, Idea]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        values = self.figures.keys() | self.parameters.keys()
        if self.figures.keys() & self.parameters.keys():
            raise ValueError("a name is both a figure and a parameter")
        for kind, name, needs, known in self._list_needs():
            if unknown := sorted(set(needs) - known):
                raise ValueError(f"{kind} {name} names {unknown[0]}, which is not there")
        used = {name for _, _, needs, _ in self._list_needs() for name in needs}
        if idle := sorted({*values, *self.benefits} - used):
            raise ValueError(f"{idle[0]} is used by nothing")
        return self

    def _list_needs(self) -> Iterator[tuple[str, str, list[str], set[str]]]:
        """Yield what each entry names, and where that has to be: kind and name of the entry, names, and those known."""
        values = {*self.figures, *self.parameters}
        for name, figure in self.figures.items():
            yield "figure", name, [figure.less] if figure.less else [], {*self.figures}
        for name, benefit in self.benefits.items():
            yield "benefit", name, [*benefit.amount, *benefit.worth], values
        for name, idea in self.ideas.items():
            yield "idea", name, idea.benefits, {*self.benefits}
            yield "idea", name, [*idea.once, *idea.year], values

    @property
    def factors(self) -> set[str]:
        """The figures and parameters that the ideas and their benefits are computed of."""
        benefits = [factor for one in self.benefits.values() for factor in (*one.amount, *one.worth)]
        return {*benefits, *(factor for one in self.ideas.values() for factor in (*one.once, *one.year))}

    @property
    def datasets(self) -> list[str]:
        """The datasets that the figures are read from, each once."""
        return list(dict.fromkeys(one.dataset for one in self.figures.values()))

    def refuse_double_counting(self) -> None:
        """See that no two benefits come from the same hours or people, nor from the same released figure.

        An idea that brings the benefit of another names that benefit: funded together, it counts once.

        Raises:
            CheckError: two do; the message names the benefits, and the ideas that claim them.
        """
        claims: dict[str, list[str]] = {}
        for name, benefit in self.benefits.items():
            read = [self.figures[one].place for one in benefit.amount if one in self.figures]
            for origin in [" ".join(benefit.arises_from.casefold().split()), *read]:
                claims.setdefault(origin, []).append(name)
        for origin, names in claims.items():
            if len(names) > 1:
                ideas = [one.title for one in self.ideas.values() if {*names} & {*one.benefits}]
                raise CheckError(
                    f"{FILE}: the benefits {' and '.join(names)} both come from {origin!r}, so they would be counted "
                    f"twice (ideas: {'; '.join(ideas)}). Keep one of them, and name it in each idea that brings it."
                )


def read_model(catalogue: Catalogue) -> Model:
    """Read notebooks/commons/value.yaml.

    Raises:
        CheckError: it is not as it must be, or counts a benefit twice.
    """
    content = read_yaml(catalogue.workbook.notebooks / "commons" / FILE)
    sources = content.pop("sources")
    try:
        for one in content["parameters"].values():
            one["sources"] = [sources[name].strip() for name in one["sources"]]
        model = Model.model_validate(content)
    except ValidationError as error:
        raise CheckError(f"{FILE} is not as it must be: {describe_faults(error)}.") from None
    model.refuse_double_counting()
    return model


def fill_figures(model: Model, tables: Mapping[str, pd.DataFrame]) -> dict[str, Assumed]:
    """Read the figures off the released tables; what is in no table, or hidden there, is left out.

    Args:
        model: from `read_model`.
        tables: by dataset, as far as they have been released.

    Returns:
        All parameters and the figures that are there, by name.
    """
    nothing = np.full(3, np.nan)
    read = {
        name: _read_figure(one, tables[one.dataset]) if one.dataset in tables else nothing
        for name, one in model.figures.items()
    }
    found = {name: read[name] - (read[one.less][1] if one.less else 0) for name, one in model.figures.items()}
    there = {name: ends for name, ends in found.items() if np.isfinite(ends).all()}
    return {**model.parameters, **{name: _describe(model.figures[name], ends) for name, ends in there.items()}}


def _read_figure(figure: Figure, table: pd.DataFrame) -> Floats:
    """Read low, middle and high of a figure: the rows that fit, added up; NaN if there is none, or all are hidden."""
    fits = pd.Series(True, index=table.index)
    for column, value in figure.where.items():
        fits &= table[column].eq(value)
    rows = table[fits]
    if figure.newest:
        rows = rows[rows[figure.newest] == rows[figure.newest].max()]
    columns = [figure.low or figure.value, figure.value, figure.high or figure.value]
    values = rows[columns].astype("float64").div(rows[figure.of] if figure.of else 1, axis=0)
    return values.sum(min_count=1).to_numpy()


def _describe(figure: Figure, ends: Floats) -> Published:
    low, middle, high = map(float, ends)
    about = figure.model_dump(include={"title", "unit", "interval", "question", "way"})
    about |= {"default": middle, "low": low, "high": high, "basis": "derived", "note": figure.title}
    shape = "fixed" if low == high else "triangular"  # of which `Published` takes the ends of an interval
    return Published.model_validate(about | {"distribution": shape, "sources": (f"dataset {figure.dataset}",)})


def keep_countable(model: Model, values: Iterable[str]) -> Model:
    """Keep the ideas of which at least one benefit, and the cost, can be computed from the values that there are.

    Raises:
        NotToldError: none is left.
    """
    there = set(values)
    benefits = {name: one for name, one in model.benefits.items() if there.issuperset([*one.amount, *one.worth])}
    ideas = {
        name: one.model_copy(update={"benefits": [own for own in one.benefits if own in benefits]})
        for name, one in model.ideas.items()
        if there.issuperset([*one.once, *one.year]) and benefits.keys() & {*one.benefits}
    }
    if not ideas:
        raise NotToldError("No study that an idea rests on has been run yet. Run the studies first: councilbook run.")
    return model.model_copy(update={"ideas": ideas, "benefits": benefits})
