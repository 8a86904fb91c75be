"""Requests for information beside what this study publishes: the datasets they are held against, and the statistics."""

from typing import TYPE_CHECKING

import pandas as pd

from councilbook.business_rates.foi import Dataset
from councilbook.business_rates.foi_costs import combine_statistics, find_council
from councilbook.catalogue import Catalogue
from councilbook.errors import CheckError

if TYPE_CHECKING:
    from councilbook.study import Study

REGISTER = "open_rates_register"
EXTRACTS = ["new_ratepayers", "empty_properties", "accounts_in_credit", "small_business_relief"]


def describe_datasets(catalogue: Catalogue) -> list[Dataset]:
    """Describe the open register, with the ready extracts of it, as what requests are held against."""
    register = catalogue.dataset(REGISTER)
    extracts = {name: catalogue.dataset(name) for name in EXTRACTS}
    fields = {name: field.description for name, field in register.fields.items()}
    for extract in extracts.values():
        fields |= {name: field.description for name, field in extract.fields.items()}
    return [Dataset(register.id, register.title, fields, {name: one.title for name, one in extracts.items()})]


def read_statistics(study: "Study") -> pd.DataFrame:
    """Load the counts of requests and the survey of teams, a row a council; see `foi_costs.combine_statistics`."""
    return combine_statistics(
        study.load("foi_counts_scotland").rename(columns={"council": "council name"}),
        study.load("foi_counts"),
        study.load("foi_teams").rename(columns={"authority": "Authority"}),
    )


def find_requests(statistics: pd.DataFrame | None, council: str, otherwise: int) -> float:
    """Find how many requests of all kinds a council has a year; `otherwise` where no statistics have it."""
    if statistics is None:
        return float(otherwise)
    try:
        return float(find_council(statistics, council)["requests"])
    except CheckError:
        return float(otherwise)


def sum_topics(counts: pd.DataFrame) -> pd.DataFrame:
    """Sum counts of topics over the years.

    Args:
        counts: from `foi.count_topics`.

    Returns:
        topic, title, first_year, last_year (missing where no date is known), requests; the most first.
    """
    sums = counts.groupby(["topic", "title"], as_index=False).agg(
        first_year=("year", "min"), last_year=("year", "max"), requests=("requests", "sum")
    )
    return sums.sort_values(["requests", "topic"], ascending=[False, True], ignore_index=True)
