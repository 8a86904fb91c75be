"""The published rules of non-domestic rates: poundages, reliefs and caps of Scotland and England, by year."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from councilbook.errors import CheckError, suggest

Nation = Literal["scotland", "england"]


LINES = {  # in the order of the bill; what each is called
    "basic": "Charge at the lowest rate",
    "supplement": "Supplement for larger properties, or for who pays the standard multiplier",
    "gross": "Gross charge",
    "transitional": "Transitional relief",
    "empty_relief": "Empty property relief",
    "charity_relief": "Charity, mandatory relief",
    "small_business_relief": "Small business relief",
    "supporting_relief": "Limit for who loses small business relief",
    "discretionary_relief": "Discretionary relief",
    "retail_relief": "Retail, hospitality and leisure relief",
    "pub_relief": "Public house relief",
    "universal_relief": "Universal relief",
    "other_relief": "Other reliefs, as given",
    "net": "To pay",
}


RELIEFS = [line for line in LINES if line not in ("basic", "supplement", "gross", "net")]


MOST_RV = 500_000_000  # above this whole pence no longer fit into 64 bits with room to multiply


LONG_AGO = 3_650  # days: an empty property without a date is past its first months


Exact = Annotated[Fraction, BeforeValidator(lambda value: Fraction(str(value)))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Rate(_Part):
    """Pence in the pound, up to a rateable value (included)."""

    pence: Exact
    to: int | None = None


class OthersPay(_Part):
    """The rate of empty properties and charities, whatever their value."""

    pence: Exact
    publication: str


class Share(_Part):
    """A share of the charge in percent, in a straight line from `over` to `to` of rateable value."""

    over: int
    to: int
    from_pct: Exact
    to_pct: Exact


class Case(_Part):
    """Who gets which shares of small business relief."""

    shares: list[Share]
    single: bool | None = None
    total_to: int | None = None
    london_total_to: int | None = None
    others_to: int | None = None


class SmallBusiness(_Part):
    """A scheme of small business relief: the first case that fits counts."""

    publication: str
    cases: list[Case]


class Empty(_Part):
    """A scheme of empty property relief: shares in percent for the first months, and afterwards."""

    months: int
    share: Exact
    industrial_months: int
    industrial_share: Exact
    later_share: Exact
    full_below_rv: int
    publication: str
    charity_share: Exact | None = None


class Retail(_Part):
    """A share in percent between two dates of the year."""

    starts: str = Field(alias="from")
    ends: str = Field(alias="to")
    share: Exact
    publication: str
    rv_to: int | None = None
    cap_gbp: int | None = None


class Pub(_Part):
    """Pounds a year off the bill of a public house."""

    gbp: int
    rv_to: int
    publication: str


class Percent(_Part):
    """A share in percent, by its publication."""

    share: Exact
    publication: str


class Cap(_Part):
    """By how many percent a charge may change, up to a rateable value."""

    pct: Exact
    to: int | None = None
    london_to: int | None = None


class Transition(_Part):
    """How far a charge may rise or fall after a revaluation."""

    up: list[Cap]
    publication: str
    down: list[Cap] = []
    inflation: Exact | None = Fraction(1)


class Supporting(_Part):
    """By how much the bill may rise for who loses small business relief."""

    cap_gbp: int
    publication: str
    pct: Exact | None = None
    inflation: Exact | None = Fraction(1)


class Year(_Part):
    """The rules of one year."""

    rates: list[Rate]
    publication: str
    small_business: str
    others_pay: OthersPay | None = None
    empty: str | None = None
    retail: list[Retail] = []
    pub: Pub | None = None
    universal: Percent | None = None
    transition: Transition | None = None
    supporting: Supporting | None = None


class Rules(_Part):
    """The rules of a nation: years, schemes, where each figure is published, and what is left out."""

    nation: str
    transition_on: Literal["gross", "small_multiplier"]
    publications: dict[str, str]
    limits: list[str]
    charity: Percent
    empty_schemes: dict[str, Empty]
    small_business: dict[str, SmallBusiness]
    years: dict[str, Year]


def load_rules(nation: Nation, local_empty: Mapping[str, Mapping[str, Any]] | None = None) -> Rules:
    """Read the rules of a nation.

    Args:
        nation: "scotland" or "england".
        local_empty: by year, a council's own scheme of empty property relief, in the words of the data file: months,
            share, industrial_months, industrial_share, later_share, full_below_rv, publication (its name in full).

    Raises:
        CheckError: the nation or a year is unknown.
    """
    if nation not in ("scotland", "england"):
        raise CheckError(f"There are no rules for {nation!r}.{suggest(nation, ['scotland', 'england'])}")
    rules = _read_rules(nation)
    if not local_empty:
        return rules
    if unknown := sorted(set(local_empty) - set(rules.years)):
        raise CheckError(f"An empty property scheme is given for {', '.join(unknown)}, which is not among the years.")
    schemes = {f"local_{year}": Empty(**scheme) for year, scheme in local_empty.items()}
    years = {
        name: year.model_copy(update={"empty": f"local_{name}"}) if name in local_empty else year
        for name, year in rules.years.items()
    }
    return rules.model_copy(update={"empty_schemes": rules.empty_schemes | schemes, "years": years})


@cache
def _read_rules(nation: str) -> Rules:
    content = yaml.safe_load(Path(__file__).with_name(f"rates_{nation}.yaml").read_text(encoding="utf-8"))
    return Rules(**content)


def count_days(year: str) -> int:
    """Count the days of a year of rates, 365 or 366."""
    return int((find_start(year, 1) - find_start(year)).astype(int))


def find_start(year: str, later: int = 0) -> np.datetime64:
    """Return 1 April of a year of rates, as 2023-24, or of one so many years later."""
    return np.datetime64(f"{int(year[:4]) + later}-04-01", "D")
