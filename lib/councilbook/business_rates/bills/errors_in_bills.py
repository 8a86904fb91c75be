"""Which bills the rules say are wrong, and how: too high or too low, by how much, and why it looks so.

A bill that differs from the one recomputed is held against the mistakes that are known: another year's rate, a
relief kept after the value grew, a whole year for a part, an empty period that is over, swapped digits. The first that
gives the billed pounds to a penny is the reason that is told; a difference that none gives stays unexplained. A finding
is a reason to look, not an error proved: a council sees more than a roll does.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.business_rates.bills.charges import compute_bills, find_small_business_share
from councilbook.business_rates.bills.rules import Rules, count_days
from councilbook.errors import CheckError

PENNY = 0.015  # pounds: a penny's difference of rounding, and no more
ROUNDING = 0.055  # pounds: five lines of a bill, each rounded otherwise
MANY_BILLS = 100  # to judge what a word means by who has it
MOST_UNENTITLED = 0.2  # of the bills whose value gives no relief; above it the word does not mean the relief
KEY = ["property_reference", "year"]
REASONS = {
    "credit_not_paid": "The account is closed and still has a credit: it is due to the ratepayer.",
    "duplicate": "The same property is billed more than once for the same days of the year.",
    "other_year": "The billed sum is that of the rates and reliefs of another year.",
    "other_multiplier": "The billed sum is that of a shop and the account is of none, or the other way round.",
    "other_rate": "The billed sum is the charge at another year's rate less this year's share of relief.",
    "whole_year": "The billed sum is that of the whole year; the account is liable for a part of it.",
    "part_year": "The account is liable for the whole year; the billed sum is that of fewer days.",
    "empty_relief_left_on": "The billed sum is that of the property empty; the account says that it is occupied.",
    "swapped_digits": "Two neighbouring digits of the billed sum are swapped.",
    "relief_above_limit": "Small business relief is granted; the value, or that of all properties, is above its limit.",
    "too_much_relief": "Small business relief is granted at a higher share than the value gives.",
    "missed_relief": "The value gives small business relief, and none is claimed: the ratepayer may not know of it.",
    "difference": "The billed sum is not the one recomputed, and no known mistake gives it.",
}
COLUMNS = ["kind", "direction", "stake_gbp", "right_gbp", "reason"]


def find_errors(bills: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Find bills that the rules say are wrong.

    Args:
        bills: as for `compute_bills`, with property_reference; if there are: billed_gbp, account_credit_gbp, is_closed.
            Where billed_gbp is empty only what the entries themselves show is found; the stake is the most it can be.
            Without claims_small_business nobody is taken to have missed the relief; where many have it whom the value
            does not entitle, the council's word for it means something else, and that is not found either.

    Returns:
        A row a finding, index that of the bill (at most one of each kind): kind, direction (the bill is "too high" or
        "too low"), stake_gbp, right_gbp (the bill as it should be, if the finding is true), reason. Largest stakes
        first.

    Raises:
        CheckError: property_reference is missing, the index is not unique, or as `compute_bills`.
    """
    if "property_reference" not in bills:
        raise CheckError("Bills have no column property_reference.")
    if not bills.index.is_unique:
        raise CheckError("The index of bills must name each once.")
    lines = compute_bills(bills, rules)
    share = find_small_business_share(bills, rules)
    bills = bills.assign(billed_gbp=bills["billed_gbp"].astype("float64") if "billed_gbp" in bills else np.nan)
    known, unknown = bills["billed_gbp"].notna(), bills["billed_gbp"].isna()
    found = [
        _find_credits(bills),
        _find_duplicates(bills, lines),
        _find_missed(bills, lines, share, rules),
        _compare(bills[known], lines[known], share[known], rules),
        _find_unentitled(bills[unknown], lines[unknown], share[unknown]),
    ]
    findings = pd.concat(found)
    findings["reason"] = findings["kind"].map(REASONS)
    return findings.sort_values(["stake_gbp", "kind"], ascending=[False, True], kind="stable")[COLUMNS]


def _make(index: pd.Index, kind: str, stake: pd.Series, right: pd.Series, high: "pd.Series[bool]") -> pd.DataFrame:
    direction = np.where(high.loc[index], "too high", "too low")
    return pd.DataFrame(
        {"kind": kind, "direction": direction, "stake_gbp": stake.loc[index], "right_gbp": right.loc[index]},
        index=index,
    )


def _flag(bills: pd.DataFrame, column: str, default: bool = False) -> "pd.Series[bool]":
    return bills.get(column, pd.Series(default, bills.index)).astype("boolean").fillna(default).astype(bool)


def _find_credits(bills: pd.DataFrame) -> pd.DataFrame:
    if "account_credit_gbp" not in bills:
        return pd.DataFrame(columns=COLUMNS)
    credit = bills["account_credit_gbp"].fillna(0.0)
    index = bills.index[(credit > 0) & _flag(bills, "is_closed")]
    return _make(index, "credit_not_paid", credit, 0 * credit, credit > 0)


def _find_duplicates(bills: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    keys = [*KEY, *(column for column in ("liable_from_date", "days_liable") if column in bills)]
    again = bills.duplicated(keys, keep="first")
    stake = bills["billed_gbp"].fillna(lines["net_gbp"])
    return _make(bills.index[again], "duplicate", stake, 0 * stake, again)


def _find_missed(bills: pd.DataFrame, lines: pd.DataFrame, share: pd.Series, rules: Rules) -> pd.DataFrame:
    if "claims_small_business" not in bills:
        return pd.DataFrame(columns=COLUMNS)
    open_to = _flag(bills, "is_occupied", True) & ~_flag(bills, "is_charity") & ~_flag(bills, "claims_small_business")
    asked = bills[open_to & (share > 0) & (lines["net_gbp"] > PENNY)]
    with_relief = compute_bills(asked.assign(claims_small_business=True), rules)["net_gbp"]
    stake = lines["net_gbp"].loc[asked.index] - with_relief
    residual = (asked["billed_gbp"] - lines["net_gbp"].loc[asked.index]).abs()
    stake = stake[~(residual > ROUNDING)]  # a bill that is right but for the relief, or not known
    stake = stake[stake > PENNY].round(2)
    return _make(stake.index, "missed_relief", stake, with_relief, pd.Series(True, index=bills.index))


def _find_unentitled(bills: pd.DataFrame, lines: pd.DataFrame, share: pd.Series) -> pd.DataFrame:
    claims = _flag(bills, "claims_small_business")[share == 0]
    if len(claims) >= MANY_BILLS and claims.mean() > MOST_UNENTITLED:
        return pd.DataFrame(columns=COLUMNS)
    index = claims.index[claims]
    return _make(index, "relief_above_limit", lines["gross_gbp"], lines["net_gbp"], pd.Series(False, index=bills.index))


# --- a billed sum against the known mistakes ---


def _compare(bills: pd.DataFrame, lines: pd.DataFrame, share: pd.Series, rules: Rules) -> pd.DataFrame:
    residual = (bills["billed_gbp"] - lines["net_gbp"]).round(2)
    off = residual.abs() > ROUNDING
    wrong, right = bills[off], lines[off]
    kind = pd.Series("difference", index=wrong.index, dtype=object)
    for name, explains in reversed(_list_mistakes(wrong, right, share[off], rules)):
        kind[explains()] = name
    made = _make(wrong.index, "difference", residual.abs(), lines["net_gbp"], residual > 0)
    return made.assign(kind=kind)


def _list_mistakes(
    wrong: pd.DataFrame, right: pd.DataFrame, share: pd.Series, rules: Rules
) -> list[tuple[str, Callable[[], NDArray[np.bool_]]]]:
    """List the mistakes, the surest first, each with a function that tells which bills it explains."""
    billed = wrong["billed_gbp"].to_numpy()
    claims = _flag(wrong, "claims_small_business").to_numpy()
    taken = 100 * (1 - billed / right["gross_gbp"].to_numpy())
    return [
        ("swapped_digits", lambda: _are_swapped(billed, right["net_gbp"].to_numpy())),
        ("whole_year", lambda: _matches(billed, _bill_whole_year(wrong, rules))),
        ("other_multiplier", lambda: _fits_other_use(wrong, rules, billed)),
        (
            "empty_relief_left_on",
            lambda: _flag(wrong, "is_occupied", True).to_numpy() & _fits_empty(wrong, rules, billed),
        ),
        ("other_year", lambda: _fits_other_year(wrong, rules, billed)),
        ("other_rate", lambda: _fits_other_rate(right, rules, billed, wrong)),
        ("relief_above_limit", lambda: claims & (share.to_numpy() == 0) & (taken > 0.01)),
        ("too_much_relief", lambda: claims & (taken > share.to_numpy() + 0.01)),
        ("part_year", lambda: _fits_part_year(wrong, right, rules, billed)),
    ]


def _matches(billed: NDArray[np.float64], other: pd.Series) -> NDArray[np.bool_]:
    return np.asarray(np.abs(billed - other.to_numpy()) <= PENNY)


def _bill_whole_year(wrong: pd.DataFrame, rules: Rules) -> pd.Series:
    return compute_bills(wrong.drop(columns=["days_liable", "liable_from_date"], errors="ignore"), rules)["net_gbp"]


def _fits_other_use(wrong: pd.DataFrame, rules: Rules, billed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which bills are those by the multiplier of shops for what is none, or the other way round."""
    has_own = wrong["year"].map({name: bool(year.retail_rates) for name, year in rules.years.items()}).to_numpy()
    other = compute_bills(wrong.assign(is_retail=~_flag(wrong, "is_retail")), rules)["net_gbp"]
    return np.asarray(has_own & _matches(billed, other), dtype=bool)


def _fits_empty(wrong: pd.DataFrame, rules: Rules, billed: NDArray[np.float64]) -> NDArray[np.bool_]:
    empty = wrong.assign(is_occupied=False)
    always = compute_bills(empty.drop(columns="empty_since_date", errors="ignore"), rules)["net_gbp"]
    dated = compute_bills(empty, rules)["net_gbp"]
    return _matches(billed, always) | _matches(billed, dated)


def _fits_other_year(wrong: pd.DataFrame, rules: Rules, billed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which bills are those of the year before or after, for the same part of the year."""
    fits = np.zeros(len(wrong), dtype=bool)
    names = list(rules.years)
    places = wrong["year"].map({name: place for place, name in enumerate(names)}).to_numpy()
    plain = wrong.drop(columns=["transition_base_gbp", "supporting_base_gbp"], errors="ignore")
    for step in (-1, 1):
        there = (places + step >= 0) & (places + step < len(names))
        other = plain[there].assign(year=[names[place] for place in places[there] + step])
        other = _move_dates(other, step)
        fits[there] |= _matches(billed[there], compute_bills(other, rules)["net_gbp"])
    return fits


def _move_dates(bills: pd.DataFrame, years: int) -> pd.DataFrame:
    moved = bills.copy()
    for column in ("liable_from_date", "empty_since_date"):
        if column in moved:
            moved[column] = pd.to_datetime(moved[column]) + pd.DateOffset(years=years)
    if "days_liable" in moved:
        moved["days_liable"] = np.minimum(moved["days_liable"], moved["year"].map(count_days))
        if "liable_from_date" in moved:
            moved["days_liable"] = moved["days_liable"].where(moved["liable_from_date"].isna())
    return moved


def _fits_other_rate(
    right: pd.DataFrame, rules: Rules, billed: NDArray[np.float64], wrong: pd.DataFrame
) -> NDArray[np.bool_]:
    """Tell which bills are right but for the pence in the pound, with reliefs in proportion."""
    net, basic = right["net_gbp"].to_numpy(), right["basic_gbp"].to_numpy()
    lowest = wrong["year"].map({name: float(year.rates[0].pence) for name, year in rules.years.items()}).to_numpy()
    paid = lowest * right["gross_gbp"].to_numpy() / np.maximum(basic, 0.01)
    fits = np.zeros(len(wrong), dtype=bool)
    for pence in _list_rates(rules):
        fits |= (np.abs(billed - net * pence / np.maximum(paid, 0.01)) <= ROUNDING) & (net > 1)
    return fits


def _list_rates(rules: Rules) -> list[float]:
    """List all rates of all years, in pence with what is added to each."""
    rates = {
        float(rate.pence + (year.levy.pence if year.levy else 0))
        for year in rules.years.values()
        for rate in (*year.rates, *year.retail_rates)
    }
    return sorted(rates)


def _fits_part_year(
    wrong: pd.DataFrame, right: pd.DataFrame, rules: Rules, billed: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which bills of a whole year are those of whole days fewer; of large bills, as a small one fits anything."""
    lengths = wrong["year"].map(count_days).to_numpy()
    net = right["net_gbp"].to_numpy()
    whole = _matches(net, _bill_whole_year(wrong, rules)) & (net > 10 * lengths)  # ten pounds a day
    days = billed / np.maximum(net, 0.01) * lengths
    near = np.abs(days - np.rint(days)) * net / lengths <= ROUNDING
    return np.asarray(whole & near & (billed > 0) & (billed < net))


def _are_swapped(billed: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell where two neighbouring digits of the pence of one are swapped in the other."""
    pence, true = np.rint(billed * 100).astype("int64"), np.rint(right * 100).astype("int64")
    fits = np.zeros(len(pence), dtype=bool)
    for place in range(11):
        ten = 10**place
        low, high = true // ten % 10, true // (10 * ten) % 10
        fits |= (pence == true + (low - high) * 9 * ten) & (low != high)
    return fits
