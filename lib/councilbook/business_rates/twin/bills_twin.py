"""A twin of a council's bills with errors planted in it, so that a search for errors can be scored.

The bills are drawn, true of no place. Besides errors the twin holds bills that are right and look wrong: reliefs that
the council decided and the ledger words badly, hardship, transition, small business relief that a ratepayer with
properties elsewhere cannot have, empty properties that really are. Their shares and those of the errors are
assumptions; a score on this twin tells one method from another, and is no forecast for a council.
"""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.business_rates.bills.charges import compute_bills, find_small_business_share
from councilbook.business_rates.bills.rules import Rules, count_days
from councilbook.errors import CheckError

KINDS = {  # description: weight, median rateable value, spread of its logarithm
    "SHOP AND PREMISES": (30, 9_500, 0.7),
    "OFFICE AND PREMISES": (20, 7_500, 1.0),
    "WORKSHOP AND PREMISES": (16, 9_000, 0.7),
    "WAREHOUSE AND PREMISES": (12, 17_000, 1.0),
    "RESTAURANT AND PREMISES": (7, 15_500, 0.6),
    "HALL AND PREMISES": (5, 5_800, 0.6),
    "FACTORY AND PREMISES": (5, 38_000, 1.0),
    "SCHOOL AND PREMISES": (3, 95_000, 0.8),
    "SUPERMARKET AND PREMISES": (2, 410_000, 0.6),
}
AREAS = 8
UNUSUAL = {"decided": 0.02, "hardship": 0.004, "transition": 0.015}  # right, and not what the rules say
ELSEWHERE = 0.10  # of those entitled by what the ledger shows, who have other properties that it does not show


def draw_bills(random: np.random.Generator, rows: int, rules: Rules, year: str) -> pd.DataFrame:
    """Draw bills of a year that are all right, some of them unusual.

    Returns:
        A row a bill: the columns of `compute_bills` that a ledger has, property_reference, description, area, reliefs
        (in words), billed_gbp, account_credit_gbp, is_closed; and hidden, which says why a right bill is not what the
        rules give (only a score may read it).

    Raises:
        CheckError: the year is unknown.
    """
    if year not in rules.years:
        raise CheckError(f"There are no rules for {year}.")
    bills = _draw_properties(random, rows, year)
    bills = bills.join(_draw_ratepayers(random, bills))
    share = find_small_business_share(bills, rules)
    open_to = bills["is_occupied"] & ~bills["is_charity"] & (share > 0)
    elsewhere = open_to & (random.random(rows) < ELSEWHERE)
    bills["claims_small_business"] = open_to & ~elsewhere
    bills["hidden"] = pd.Series(pd.NA, index=bills.index, dtype="string").mask(elsewhere, "properties elsewhere")
    net = compute_bills(bills, rules)["net_gbp"]
    bills["billed_gbp"] = apply_unusual(random, bills, net)
    credit = np.where(random.random(rows) < 0.03, random.gamma(1.2, 500, rows).round(2), 0.0)
    bills["account_credit_gbp"], bills["is_closed"] = credit, False
    return bills


def _draw_properties(random: np.random.Generator, rows: int, year: str) -> pd.DataFrame:
    kinds = list(KINDS)
    weight = np.array([KINDS[kind][0] for kind in kinds], dtype=float)
    kind = random.choice(len(kinds), rows, p=weight / weight.sum())
    area = random.integers(0, AREAS, rows)
    median, spread = (np.array([KINDS[name][place] for name in kinds])[kind] for place in (1, 2))
    value = np.exp(np.log(median) + np.linspace(-0.4, 0.4, AREAS)[area] + spread * random.normal(size=rows))
    step = np.where(value < 10_000, 50, np.where(value < 50_000, 250, 500))
    start, length = np.datetime64(f"{year[:4]}-04-01"), count_days(year)
    part = random.random(rows) < 0.08
    began = pd.Series(start + random.integers(1, length, rows).astype("timedelta64[D]"))
    empty = random.random(rows) < 0.10
    since = pd.Series(start + (length - 1 - random.gamma(1.0, 500, rows).astype(int)).astype("timedelta64[D]"))
    names = np.array(kinds, dtype=object)[kind]
    return pd.DataFrame(
        {
            "property_reference": [f"{number:08d}" for number in random.permutation(rows) + 10_000_000],
            "year": year,
            "description": names,
            "area": [f"ML{place + 1}" for place in area],
            "rateable_value_gbp": np.maximum(np.rint(value / step) * step, 50.0),
            "liable_from_date": began.where(part),
            "is_occupied": ~empty,
            "empty_since_date": since.where(empty),
            "is_industrial": np.isin(
                names, ["WORKSHOP AND PREMISES", "WAREHOUSE AND PREMISES", "FACTORY AND PREMISES"]
            ),
            "is_charity": np.where(names == "HALL AND PREMISES", random.random(rows) < 0.8, random.random(rows) < 0.03),
            "is_retail": np.isin(names, ["SHOP AND PREMISES", "RESTAURANT AND PREMISES"]) & (random.random(rows) < 0.8),
        }
    )


def _draw_ratepayers(random: np.random.Generator, bills: pd.DataFrame) -> pd.DataFrame:
    """Draw who has how many properties, and which charities get a discretionary top-up."""
    rows = len(bills)
    several = random.random(rows) < 0.15
    payer = np.where(several, random.integers(0, max(1, rows // 25), rows), rows + np.arange(rows))
    value = bills["rateable_value_gbp"]
    total, count, largest = (value.groupby(payer).transform(how) for how in ("sum", "size", "max"))
    return pd.DataFrame(
        {
            "ratepayer_properties": count,
            "ratepayer_total_rv_gbp": total,
            "ratepayer_other_largest_rv_gbp": np.where(value < largest, largest, total - value),
            "discretionary_pct": np.where(bills["is_charity"] & (random.random(rows) < 0.5), 20.0, 0.0),
        }
    )


def apply_unusual(random: np.random.Generator, bills: pd.DataFrame, net: "pd.Series[float]") -> "pd.Series[float]":
    """Take off what the council decided and the ledger does not show in its columns; the words say it in part.

    Args:
        bills: with hidden, missing where a bill may become unusual; hidden and reliefs, the words, are written into it.
        net: the bills as the rules give them.

    Returns:
        The bills as they are sent.
    """
    drawn = pd.Series(random.random(len(bills)), index=bills.index)
    bills["reliefs"] = pd.Series(pd.NA, index=bills.index, dtype="string")
    billed, start = net.copy(), 0.0
    for name, share in UNUSUAL.items():
        chosen = (drawn >= start) & (drawn < start + share) & (net > 0) & bills["hidden"].isna()
        start += share
        off = np.round(random.choice([0.1, 0.2, 0.25, 0.5, 1.0], len(bills)), 2)
        if name == "transition":
            off = random.uniform(0.02, 0.45, len(bills))
        billed = billed.where(~chosen, (net * (1 - off)).round(2))
        bills["hidden"] = bills["hidden"].mask(chosen, name)
        worded = chosen & (random.random(len(bills)) < 0.5)
        bills["reliefs"] = bills["reliefs"].mask(worded, f"OTHER {name.upper()}")
    return billed


# --- errors ---


def plant_errors(
    bills: pd.DataFrame,
    random: np.random.Generator,
    rules: Rules,
    share: float = 0.02,
    kinds: Collection[str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plant errors of the kinds that happen into bills that are right.

    Args:
        bills: of `draw_bills`, or a council's with the same columns; without `hidden` all can be chosen.
        share: of all bills, how many get an error, in equal numbers of each kind as far as there are bills it fits.
        kinds: of `PLANTED`, and "duplicate"; all of them if not given.

    Returns:
        The bills as the ledger has them (duplicates at the end, with new index numbers), and the truth by the same
        index: error (the kind, NA where there is none) and error_gbp (billed less right; a credit not paid counts as
        billed too much).

    Raises:
        CheckError: the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise CheckError(f"The share of bills with an error is {share}; expected between 0 and 1.")
    ledger, right = bills.reset_index(drop=True), bills["billed_gbp"].reset_index(drop=True)
    error = pd.Series(pd.NA, index=ledger.index, dtype="string")
    chosen_kinds = {kind: how for kind, how in PLANTED.items() if kinds is None or kind in kinds}
    each = max(1, round(share * len(ledger) / max(1, len(chosen_kinds))))
    free = ledger["hidden"].isna() if "hidden" in ledger else pd.Series(True, index=ledger.index)
    for kind, (fits, plant) in chosen_kinds.items():
        able = ledger.index[free & error.isna() & fits(ledger, rules)]
        chosen = pd.Index(random.choice(able, min(each, len(able)), replace=False))
        planted, should = plant(ledger.loc[chosen].copy(), random, rules), right[chosen]
        if kind == "relief_kept":  # the new value is right
            should = compute_bills(planted, rules)["net_gbp"]
        keep = planted["billed_gbp"].sub(should).abs() > 1.0  # what changes no pounds is no error
        if kind == "credit_not_paid":
            keep[:] = True
        ledger.loc[chosen[keep]] = planted[keep]
        right[chosen[keep]] = should[keep]
        error[chosen[keep]] = kind
    pounds = (ledger["billed_gbp"] - right).round(2)
    pounds = pounds.where(error != "credit_not_paid", ledger["account_credit_gbp"]).where(error.notna(), 0.0)
    truth = pd.DataFrame({"error": error, "error_gbp": pounds})
    if kinds is not None and "duplicate" not in kinds:
        return ledger, truth
    unchanged = np.flatnonzero(error.isna() & (ledger["billed_gbp"] > 50) & free)
    again = ledger.index[random.choice(unchanged, each, replace=False)]
    ledger = pd.concat([ledger, ledger.loc[again]], ignore_index=True)
    extra = pd.DataFrame({"error": "duplicate", "error_gbp": ledger["billed_gbp"].iloc[-each:].to_numpy()})
    return ledger, pd.concat([truth, extra], ignore_index=True)


def _occupied(bills: pd.DataFrame) -> "pd.Series[bool]":
    return bills["is_occupied"].astype(bool) & (bills["billed_gbp"] > 50)


def _find_old_gross(bills: pd.DataFrame, rules: Rules) -> "pd.Series[float]":
    """Find the charge of a whole year by the last rates before that year's that were others."""
    old = pd.Series(np.nan, index=bills.index)
    names = list(rules.years)
    for year in bills["year"].unique():
        rates = rules.years[year].rates
        before = [name for name in names[: names.index(year)] if rules.years[name].rates != rates] or names[1:2]
        charged = bills.loc[bills["year"] == year, ["year", "rateable_value_gbp"]].assign(year=before[-1])
        old.loc[charged.index] = compute_bills(charged, rules)["gross_gbp"]
    return old


def _find_gross(bills: pd.DataFrame, rules: Rules) -> "pd.Series[float]":
    return compute_bills(bills[["year", "rateable_value_gbp"]], rules)["gross_gbp"]


def _take_other_rate(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:  # noqa: ARG001
    """Bill by the rate of an earlier year that had another."""
    bills["billed_gbp"] *= _find_old_gross(bills, rules) / _find_gross(bills, rules)
    bills["billed_gbp"] = bills["billed_gbp"].round(2)
    return bills


def _find_old_share(bills: pd.DataFrame, rules: Rules) -> "pd.Series[float]":
    return find_small_business_share(bills.drop(columns="liable_from_date").assign(year=next(iter(rules.years))), rules)


def _take_relief_of_other_year(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:  # noqa: ARG001
    """Keep the small business relief that the value gave under an earlier scheme, of the charge of this year."""
    old = _find_old_share(bills, rules)
    gross = compute_bills(bills, rules)["gross_gbp"]
    bills["billed_gbp"] = (gross * (1 - old / 100)).round(2).where(old > 0, bills["billed_gbp"])
    return bills


def _keep_relief(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:
    """Let the value grow and the relief stay."""
    share = find_small_business_share(bills, rules)
    grown = bills["rateable_value_gbp"] * random.uniform(1.3, 2.6, len(bills))
    bills["rateable_value_gbp"] = (grown / 250).round() * 250
    bills["ratepayer_total_rv_gbp"] = bills["ratepayer_total_rv_gbp"].clip(lower=bills["rateable_value_gbp"])
    bills["billed_gbp"] = (compute_bills(bills, rules)["gross_gbp"] * (1 - share / 100)).round(2)
    return bills


def _miss_relief(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:  # noqa: ARG001
    bills["claims_small_business"] = False
    bills["billed_gbp"] = compute_bills(bills, rules)["net_gbp"]
    return bills


def _swap(numbers: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """Swap two neighbouring digits that differ, of pounds; the first digits more often than not."""
    swapped = numbers.copy()
    for row, number in enumerate(numbers):
        digits = list(str(number))
        places = [place for place in range(len(digits) - 1) if digits[place] != digits[place + 1]]
        places = [place for place in places if place > 0 or digits[1] != "0"]
        if places:
            place = int(random.choice(places))
            digits[place], digits[place + 1] = digits[place + 1], digits[place]
            swapped[row] = int("".join(digits))
    return swapped


def _mistype_sum(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:  # noqa: ARG001
    pence = np.rint(bills["billed_gbp"].to_numpy() * 100).astype("int64")
    bills["billed_gbp"] = (_swap(pence // 100, random) * 100 + pence % 100) / 100
    return bills


def _mistype_value(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:
    """Mistype the rateable value: the bill then follows from it, and no rule sees it."""
    value = bills["rateable_value_gbp"].to_numpy().astype("int64")
    more = (random.random(len(bills)) < 0.3) & (value < 20_000)  # a digit too many; of a large bill somebody would tell
    bills["rateable_value_gbp"] = np.where(more, value * 10, _swap(value, random)).astype("float64")
    bills["ratepayer_total_rv_gbp"] = bills["ratepayer_total_rv_gbp"].clip(lower=bills["rateable_value_gbp"])
    bills["billed_gbp"] = compute_bills(bills, rules)["net_gbp"]
    return bills


def _bill_whole_year(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:  # noqa: ARG001
    bills["billed_gbp"] = compute_bills(bills.drop(columns="liable_from_date"), rules)["net_gbp"]
    return bills


def _bill_part_year(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:
    days = bills["year"].map(count_days) - random.integers(20, 300, len(bills))
    bills["billed_gbp"] = compute_bills(bills.drop(columns="liable_from_date").assign(days_liable=days), rules)[
        "net_gbp"
    ]
    return bills


def _leave_empty(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:
    """Leave empty relief on for who is back; in half of the accounts the ledger says empty, and no rule sees it."""
    start = pd.to_datetime(bills["year"].str[:4] + "-04-01")
    empty = bills.assign(
        is_occupied=False,
        empty_since_date=start - pd.to_timedelta(random.integers(0, 900, len(bills)), unit="D"),
        is_listed=False,
    )
    bills["billed_gbp"] = compute_bills(empty, rules)["net_gbp"]
    bills["empty_since_date"] = empty["empty_since_date"]
    bills["is_occupied"] = random.random(len(bills)) < 0.5
    return bills


def _leave_credit(bills: pd.DataFrame, random: np.random.Generator, rules: Rules) -> pd.DataFrame:  # noqa: ARG001
    bills["account_credit_gbp"] = random.gamma(1.2, 900, len(bills)).round(2) + 1
    bills["is_closed"] = True
    return bills


Fits = Callable[[pd.DataFrame, Rules], "pd.Series[bool]"]
Plant = Callable[[pd.DataFrame, np.random.Generator, Rules], pd.DataFrame]
PLANTED: dict[str, tuple[Fits, Plant]] = {
    "wrong_rate": (
        lambda bills, rules: _occupied(bills) & (_find_old_gross(bills, rules) != _find_gross(bills, rules)),
        _take_other_rate,
    ),
    "relief_of_other_year": (
        lambda bills, rules: _occupied(bills) & bills["claims_small_business"] & (_find_old_share(bills, rules) > 0),
        _take_relief_of_other_year,
    ),
    "relief_kept": (
        lambda bills, _: bills["claims_small_business"] & bills["rateable_value_gbp"].between(7_000, 15_000),
        _keep_relief,
    ),
    "missed_relief": (
        lambda bills, _: bills["claims_small_business"] & (bills["rateable_value_gbp"] > 1_000),
        _miss_relief,
    ),
    "mistyped_sum": (lambda bills, _: _occupied(bills), _mistype_sum),
    "mistyped_value": (lambda bills, _: _occupied(bills), _mistype_value),
    "whole_year": (lambda bills, _: _occupied(bills) & bills["liable_from_date"].notna(), _bill_whole_year),
    "part_year": (lambda bills, _: _occupied(bills) & bills["liable_from_date"].isna(), _bill_part_year),
    "empty_left_on": (lambda bills, _: _occupied(bills), _leave_empty),
    "credit_not_paid": (lambda bills, _: bills["billed_gbp"] >= 0, _leave_credit),
}
