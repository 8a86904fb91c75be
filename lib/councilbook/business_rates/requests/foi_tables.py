"""Requests for information beside what this study publishes: the datasets they are held against, and the statistics."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from councilbook.business_rates.requests.matching import Dataset
from councilbook.business_rates.requests.rules import shorten_council
from councilbook.business_rates.roll import contents
from councilbook.catalogue import Catalogue
from councilbook.errors import NotToldError

if TYPE_CHECKING:
    from councilbook.study import Study

REGISTER = "open_rates_register"
COUNTED, ASSUMED = "counted", "assumed"


def describe_datasets(catalogue: Catalogue, told: Collection[str]) -> list[Dataset]:
    """Describe the open register, with the ready extracts of it, as what requests are held against.

    Args:
        catalogue: where the register and its extracts are declared.
        told: columns that the roll tells anything of, from `contents.find_told`.
    """
    register = catalogue.dataset(REGISTER)
    fields = {name: field.description for name, field in register.fields.items()}
    for name in contents.EXTRACTS:
        fields |= {field: spec.description for field, spec in catalogue.dataset(name).fields.items()}
    blank = frozenset(name for name in fields if not contents.is_told(name, told))
    extracts = {name: catalogue.dataset(name).title for name in contents.list_extracts(told)}
    held = {name: words for name, words in fields.items() if name not in blank}
    return [Dataset(register.id, register.title, held, extracts, blank)]


def read_statistics(study: "Study") -> "pd.Series[float]":
    """Load mySociety's counts of requests of 2017, by each council's name as `rules.shorten_council` gives it."""
    return index_statistics(pd.concat([study.load("foi_counts_scotland"), study.load("foi_counts")]))


def index_statistics(counts: pd.DataFrame) -> "pd.Series[float]":
    """Index the requests of all kinds (all; a dash where not known) by the short name of each council that has any."""
    requests = pd.to_numeric(counts["all"], errors="coerce").astype("float64").round()
    return requests.set_axis(counts["council"].map(shorten_council)).dropna()


def find_requests(statistics: "pd.Series[float] | None", council: str, otherwise: int) -> tuple[float, str]:
    """Find how many requests of all kinds a council has a year: COUNTED, or `otherwise` and ASSUMED.

    Another number stands in where the statistics have no such council, or two that share a short name.
    """
    counted = [] if statistics is None else statistics[statistics.index == shorten_council(council)].tolist()
    return (counted[0], COUNTED) if len(counted) == 1 else (float(otherwise), ASSUMED)


def sum_topics(counts: pd.DataFrame) -> pd.DataFrame:
    """Sum counts of topics over the years.

    Args:
        counts: from `foi.count_topics`.

    Returns:
        topic, title, first_year, last_year (missing where no date is known), requests; the most first.

    Raises:
        NotToldError: nothing was asked for.
    """
    if counts.empty:
        raise NotToldError("No request asks for anything that is known of business rates.")
    sums = counts.groupby(["topic", "title"], as_index=False).agg(
        first_year=("year", "min"), last_year=("year", "max"), requests=("requests", "sum")
    )
    return sums.sort_values(["requests", "topic"], ascending=[False, True], ignore_index=True)
