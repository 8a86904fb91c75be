"""Requests for information beside what this study publishes: the datasets they are held against, and the statistics."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from councilbook.business_rates.requests.foi_costs import combine_statistics, find_council
from councilbook.business_rates.requests.matching import Dataset
from councilbook.business_rates.roll import contents
from councilbook.catalogue import Catalogue
from councilbook.errors import CheckError, NotToldError

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


def read_statistics(study: "Study") -> pd.DataFrame:
    """Load the counts of requests and the survey of teams, a row a council; see `foi_costs.combine_statistics`."""
    return combine_statistics(
        study.load("foi_counts_scotland").rename(columns={"council": "council name"}),
        study.load("foi_counts"),
        study.load("foi_teams").rename(columns={"authority": "Authority"}),
    )


def find_requests(statistics: pd.DataFrame | None, council: str, otherwise: int) -> tuple[float, str]:
    """Find how many requests of all kinds a council has a year: COUNTED, or `otherwise` and ASSUMED."""
    if statistics is None:
        return float(otherwise), ASSUMED
    try:
        return float(find_council(statistics, council)["requests"]), COUNTED
    except CheckError:
        return float(otherwise), ASSUMED


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
