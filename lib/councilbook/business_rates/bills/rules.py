"""The published rules of non-domestic rates: poundages, reliefs and caps of Scotland, England and Wales, by year."""

from fractions import Fraction
from functools import cache
from typing import Annotated, Literal, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from councilbook.errors import CheckError, suggest
from councilbook.paths import read_beside

Nation = Literal["scotland", "england", "wales"]
LINES = {  # in the order of the bill; what each is called
    "basic": "Charge at the lowest rate",
    "supplement": "Supplement for larger properties, or for who pays the standard multiplier",
    "levy": "Supplement that pays for the transition",
    "lower": "Lower multiplier of shops, hospitality and leisure",
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
CHARGES = ("basic", "supplement", "levy", "lower", "gross")  # the last is the sum of the first three less the fourth
RELIEFS = [line for line in LINES if line not in (*CHARGES, "net")]
MOST_RV = 500_000_000  # above this whole pence no longer fit into 64 bits with room to multiply
LONG_AGO = 3_650  # days: an empty property without a date is past its first months
Exact = Annotated[Fraction, BeforeValidator(lambda value: Fraction(str(value)))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Rate(_Part):
    """Pence in the pound, up to a rateable value (included)."""

    pence: Exact
    to: int | None = None


class OneRate(_Part):
    """Pence in the pound, whatever the value."""

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
    properties_to: int | None = None
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
    of: Literal["left", "charge"] = "left"


class Pub(_Part):
    """Pounds a year, or a share in percent, off the bill of a public house; it has no retail relief then."""

    publication: str
    gbp: int | None = None
    share: Exact = Fraction(0)
    of: Literal["left", "charge"] = "left"
    rv_to: int | None = None
    cap_gbp: int | None = None


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
    """How far a charge may rise or fall after a revaluation: that by the small multiplier, or the whole."""

    up: list[Cap]
    publication: str
    down: list[Cap] = []
    inflation: Exact = Fraction(1)
    charge: Literal["gross", "small_multiplier"] = "gross"


class Supporting(_Part):
    """By how much the bill of who loses relief may rise: pounds, a percent if that is more, or a share of the rise."""

    publication: str
    cap_gbp: int = 0
    up: list[Cap] = []
    inflation: Exact = Fraction(1)
    share_of_rise: Exact | None = None


class Year(_Part):
    """The rules of one year."""

    rates: list[Rate]
    publication: str
    small_business: str
    retail_rates: list[Rate] = []
    retail_descriptions: list[str] = []
    others_pay: OneRate | None = None
    levy: OneRate | None = None
    empty: str | None = None
    retail: list[Retail] = []
    pub: Pub | None = None
    universal: Percent | None = None
    transition: Transition | None = None
    supporting: Supporting | None = None


class Rules(_Part):
    """The rules of a nation: years, schemes, where each figure is published, and what is left out."""

    nation: str
    lists: list[int]
    publications: dict[str, str]
    limits: list[str]
    charity: Percent
    empty_schemes: dict[str, Empty]
    small_business: dict[str, SmallBusiness]
    years: dict[str, Year]


@cache
def load_rules(nation: Nation) -> Rules:
    """Read the rules of a nation, "scotland", "england" or "wales".

    Raises:
        CheckError: there are none of it.
    """
    if nation not in get_args(Nation):
        raise CheckError(f"There are no rules for {nation!r}.{suggest(nation, get_args(Nation))}")
    return Rules(**read_beside(__file__, f"rates_{nation}.yaml"))


def name_year(day: pd.Timestamp) -> str:
    """Name the year of rates that a day is in, as 2023-24."""
    first = day.year - (day.month < 4)
    return f"{first}-{(first + 1) % 100:02d}"


def find_list(year: str, rules: Rules) -> int:
    """Find which list of values a year is billed by: the year in which it came into force."""
    return max((first for first in rules.lists if first <= int(year[:4])), default=rules.lists[0])


def count_days(year: str) -> int:
    """Count the days of a year of rates, 365 or 366."""
    return int((find_start(year, 1) - find_start(year)).astype(int))


def find_start(year: str, later: int = 0) -> np.datetime64:
    """Return 1 April of a year of rates, as 2023-24, or of one so many years later."""
    return np.datetime64(f"{int(year[:4]) + later}-04-01", "D")
