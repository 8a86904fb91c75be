"""Counts, dates and sizes in words."""

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

UNITS = {  # how columns' names end (see docs), and how a reader is told the unit
    "gbp_year": "£ a year",
    "gbp": "£",
    "pct": "%",
    "kwh": "kWh",
    "km2": "km²",
    "m2": "m²",
    "minutes": "minutes",
    "seconds": "seconds",
    "hours": "hours",
    "metres": "metres",
}
CODES = re.compile(r"^(lsoa|msoa|oa|lad|wd|pcon|dz)\d\d_(name|code)$")
PLACES = {"lsoa": "small area", "msoa": "larger area", "oa": "output area", "lad": "district", "wd": "ward"}


def count_things(count: int, noun: str) -> str:
    """Write how many there are of something, as `1 area`, `1,064 areas` or `2 properties`."""
    plural = re.sub(r"(?<=[^aeiou])y$", "ie", noun) + "s"
    return f"{count:,d} {noun if count == 1 else plural}"


def begin_line(words: str) -> str:
    """Write words with a capital first letter, and the others as they are; `str.capitalize` makes these small."""
    return words[:1].upper() + words[1:]


def round_figures(number: Any, figures: int) -> float:
    """Round a number to so many significant figures."""
    return float(f"{float(number):.{figures}g}")


def write_about(value: Any) -> str:
    """Write an estimate to three figures, as 30,300 for 30,307."""
    return f"{round_figures(value, 3):,.0f}"


def write_millions(pounds: Any) -> str:
    """Write a sum of pounds to three figures, as £5 million, £33.7 million or £854,000."""
    rounded = round_figures(pounds, 3)
    return f"£{rounded / 1e6:,g} million" if rounded >= 1e6 else f"£{rounded:,.0f}"


def format_date(value: date | str) -> str:
    """Write a date, or an ISO date's text, as 23 November 2026."""
    day = value if isinstance(value, date) else datetime.fromisoformat(value).date()
    return f"{day.day} {day:%B %Y}"


def format_bytes(count: int) -> str:
    """Write a file's size in kB or MB (powers of ten)."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):,.{0 if count >= 1e4 else 1}f} kB"


def label_column(name: str) -> str:
    """Write a column's name in words with its unit, as `cost (£)` for cost_gbp; words stay as they are."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        return name
    if area := CODES.match(name):
        return PLACES.get(area[1], "area") + (" code" if area[2] == "code" else "")
    if bound := re.fullmatch(r"(low|high)_(\d\d)", name):
        return f"{'lower' if bound[1] == 'low' else 'upper'} end ({bound[2]}% interval)"
    for ending, unit in UNITS.items():
        if name.endswith(f"_{ending}"):
            return f"{name.removesuffix(f'_{ending}').replace('_', ' ')} ({unit})"
    return name.removeprefix("is_").replace("_", " ")


def round_pounds(pounds: float) -> float:
    """Round an uncertain sum to two figures: more is not known."""
    return round_figures(pounds, 2)


def round_column(column: "pd.Series[Any]", figures: int) -> "pd.Series[Any]":
    """Round each number of a column to so many figures, as a reader needs them."""
    return column.map(lambda one: round_figures(one, figures), na_action="ignore")


def write_pounds(pounds: Any) -> str:
    """Write an uncertain sum, as £1.2 million, £120,000 or −£3,500."""
    rounded = round_pounds(float(pounds))
    return f"{'−' if rounded < 0 else ''}{write_millions(abs(rounded))}"
