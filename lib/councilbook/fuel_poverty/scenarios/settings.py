"""What goes into the systems model: national values with their ranges and sources, and a council's own start."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

from councilbook.errors import CheckError
from councilbook.methods.uncertainty import Floats, Parameter

PARAMETERS = Path(__file__).with_name("cold_homes.yaml")
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

    def localise(self, values: Mapping[str, Floats | float]) -> dict[str, Any]:
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
