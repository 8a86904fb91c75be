"""What a bill rests on, as numbers: the rows that are asked for, checked and read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.business_rates.bills.rules import MOST_RV, Rules, count_days, find_start
from councilbook.errors import CheckError
from councilbook.sources.checks import refuse_rows

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
FLAGS = ["claims_small_business", "is_charity", "is_retail", "is_pub", "is_industrial", "is_listed", "is_in_london"]


@dataclass(frozen=True)
class Rows:
    """What is known of bills of one year, as arrays; pounds are whole or in pence, dates are days."""

    rv: Numbers
    days: Numbers
    start: NDArray[np.datetime64]
    total: Numbers
    properties: Numbers
    others: Numbers
    occupied: Flags
    empty_since: NDArray[np.datetime64]
    discretionary: Numbers  # hundredths of a percent
    transition_base: Numbers  # pence; -1: none
    supporting_base: Numbers
    other_relief: Numbers
    flags: dict[str, Flags]


def read_rows(bills: pd.DataFrame, rules: Rules) -> tuple[NDArray[np.object_], Rows]:
    """Check the bills that are asked for, and read them: the year of each, and the rest as numbers.

    Raises:
        CheckError: a column is absent, or a value is not as the rules of the nation have it.
    """
    if missing := [column for column in ("year", "rateable_value_gbp") if column not in bills]:
        raise CheckError(f"Bills have no column {', '.join(missing)}; expected year and rateable_value_gbp.")
    known = bills["year"].isin(list(rules.years)).to_numpy(dtype=bool)
    refuse_rows(~known, "Bills: year is", f"one of {', '.join(rules.years)} ({rules.nation})")
    names = bills["year"].to_numpy(dtype=object)
    rv = _read_numbers(bills, "rateable_value_gbp", np.nan)
    refuse_rows(
        ~((rv > 0) & (rv <= MOST_RV) & (rv == np.floor(rv))), "Bills: rateable_value_gbp is", "whole pounds from 1"
    )
    starts, lengths = _find_years(names)
    begins = _read_dates(bills, "liable_from_date")
    days = _read_numbers(bills, "days_liable", np.nan)
    refuse_rows(days > lengths, "Bills: days_liable is", "no more than the days of the year")
    refuse_rows((days < 0) | (days != np.floor(days)) & ~np.isnan(days), "Bills: days_liable is", "whole days from 0")
    inside = np.isnat(begins) | ((begins >= starts) & (begins < starts + lengths.astype("timedelta64[D]")))
    refuse_rows(~inside, "Bills: liable_from_date is", "a day of the year of the bill")
    rest = np.where(np.isnat(begins), lengths, lengths - (begins - starts) / np.timedelta64(1, "D"))
    days = np.where(np.isnan(days), rest, days)
    refuse_rows(days > rest, "Bills: days_liable is", "no more than are left of the year from liable_from_date")
    begins = np.where(np.isnat(begins), starts + (lengths - days).astype("int64").astype("timedelta64[D]"), begins)
    rows = _read_rest(bills, rv, days, begins)
    rows.flags["is_retail"] = _find_shops(bills, names, rules, rows.flags["is_retail"])
    return names, rows


def _find_shops(bills: pd.DataFrame, names: NDArray[np.object_], rules: Rules, given: Flags) -> Flags:
    """Find who is a shop: as is given, or by the description in the years in which that is the rule."""
    shops = given.copy()
    if "description" not in bills:
        return shops
    for name in set(names):
        if kinds := rules.years[name].retail_descriptions:
            described = bills["description"].str.strip().str.upper().isin(kinds).to_numpy(dtype=bool)
            shops = np.where(names == name, described, shops)
    return shops


def _read_rest(bills: pd.DataFrame, rv: NDArray[Any], days: NDArray[Any], begins: NDArray[Any]) -> Rows:
    total = _read_numbers(bills, "ratepayer_total_rv_gbp", np.nan)
    total = np.where(np.isnan(total), rv, total)
    refuse_rows(total < rv, "Bills: ratepayer_total_rv_gbp is", "at least the rateable value of the property")
    properties = _read_numbers(bills, "ratepayer_properties", 1)
    refuse_rows(~(properties >= 1), "Bills: ratepayer_properties is", "1 or more")
    others = _read_numbers(bills, "ratepayer_other_largest_rv_gbp", np.nan)
    discretionary = _read_numbers(bills, "discretionary_pct", 0)
    refuse_rows(~((discretionary >= 0) & (discretionary <= 100)), "Bills: discretionary_pct is", "from 0 to 100")
    pounds = {}
    for column, default in (
        ("transition_base_gbp", np.nan),
        ("supporting_base_gbp", np.nan),
        ("other_relief_gbp", 0.0),
    ):
        given = _read_numbers(bills, column, default)
        refuse_rows((given < 0) | (given > MOST_RV), f"Bills: {column} is", "pounds from 0")
        pounds[column] = np.where(np.isnan(given), -1, np.rint(np.nan_to_num(given) * 100)).astype("int64")
    return Rows(
        rv=rv.astype("int64"),
        days=days.astype("int64"),
        start=begins,
        total=total.astype("int64"),
        properties=properties.astype("int64"),
        others=np.where(np.isnan(others), total - rv, others).astype("int64"),
        occupied=_read_flags(bills, "is_occupied", True),
        empty_since=_read_dates(bills, "empty_since_date"),
        discretionary=np.rint(discretionary * 100).astype("int64"),
        transition_base=pounds["transition_base_gbp"],
        supporting_base=pounds["supporting_base_gbp"],
        other_relief=np.maximum(pounds["other_relief_gbp"], 0),
        flags={column: _read_flags(bills, column, False) for column in FLAGS},
    )


def _find_years(names: NDArray[np.object_]) -> tuple[NDArray[np.datetime64], Numbers]:
    years, where = np.unique(names.astype(str), return_inverse=True)
    starts = np.array([find_start(year) for year in years], dtype="datetime64[D]")
    lengths = np.array([count_days(year) for year in years], dtype="int64")
    return starts[where], lengths[where]


def _read_numbers(bills: pd.DataFrame, column: str, default: float) -> NDArray[np.float64]:
    if column not in bills:
        return np.full(len(bills), default)
    try:
        values = bills[column].to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        raise CheckError(f"Bills: {column} holds something that is not a number; expected numbers.") from None
    return np.where(np.isnan(values), default, values)


def _read_flags(bills: pd.DataFrame, column: str, default: bool) -> Flags:
    if column not in bills:
        return np.full(len(bills), default)
    try:
        return bills[column].astype("boolean").fillna(default).to_numpy(dtype=bool)
    except (TypeError, ValueError):
        raise CheckError(f"Bills: {column} holds something other than true and false.") from None


def _read_dates(bills: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    if column not in bills:
        return np.full(len(bills), np.datetime64("NaT"), dtype="datetime64[D]")
    try:
        return pd.to_datetime(bills[column]).to_numpy().astype("datetime64[D]")
    except (TypeError, ValueError):
        raise CheckError(f"Bills: {column} holds something that is not a date; expected dates.") from None
