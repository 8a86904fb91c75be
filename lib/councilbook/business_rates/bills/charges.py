"""The charge of non-domestic rates, recomputed to the penny by the published rules of Scotland and England.

`rates_scotland.yaml` and `rates_england.yaml` hold every figure with its publication, and say what is left out
(`limits`).

Rounding: all arithmetic is in whole pence. Each line of a bill is worked out exactly, then rounded to the penny, half a
penny up, and the next line starts from what is then left. The regulations reduce the charge of a day, and bills show
pounds and pence; two systems that round other lines can differ by a penny a line. Parts of a year add up to the whole
year within half a penny for each part and each line.

The order of lines: charge, transition, empty property relief, charity, small business, supporting scheme,
discretionary, retail, public house, universal relief (of the charge), other reliefs. None takes more than what is left.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.business_rates.bills.bill_rows import Flags, Numbers, Rows, read_rows
from councilbook.business_rates.bills.rules import (
    LINES,
    LONG_AGO,
    MOST_RV,
    RELIEFS,
    Cap,
    Case,
    Rules,
    SmallBusiness,
    Year,
    count_days,
)
from councilbook.sources.checks import refuse_rows

# --- the rules, as the data files have them ---


# --- the bills ---


def compute_bills(bills: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Recompute bills by the rules, to the penny.

    Args:
        bills: a row a bill: year ("2019-20") and rateable_value_gbp (whole pounds above 0). Where a column is missing
            or empty, what is in brackets is taken: days_liable (the rest of the year from liable_from_date),
            liable_from_date (so that the days end with the year), ratepayer_total_rv_gbp (own), ratepayer_properties
            (1), ratepayer_other_largest_rv_gbp (total less own), claims_small_business, is_charity, is_retail, is_pub,
            is_industrial, is_listed, is_in_london (all False), is_occupied (True), empty_since_date (long ago, if not
            occupied), discretionary_pct (0; of the charge), transition_base_gbp (none: the year's base liability in
            England, the gross charge of 31 March 2023 in Scotland), supporting_base_gbp (none: the bill of the year
            before in England, of 31 March 2023 in Scotland), other_relief_gbp (0).
        rules: of `load_rules`.

    Returns:
        The same index; for each of `LINES` its pounds, as basic_gbp and net_gbp. Reliefs are positive; transitional_gbp
        is negative where a fall is limited.

    Raises:
        CheckError: a column is missing or a value cannot be; it names the column and the rows, by position.
    """
    names, rows = read_rows(bills, rules)
    pence = {line: np.zeros(len(bills), dtype="int64") for line in LINES}
    for year in sorted(set(names)):
        chosen = np.flatnonzero(names == year)
        part = _pick(rows, chosen)
        for line, amounts in _compute_year(part, rules, year).items():
            pence[line][chosen] = amounts
    return pd.DataFrame({f"{line}_gbp": amounts / 100 for line, amounts in pence.items()}, index=bills.index)


def explain_bill(bill: "pd.Series[Any] | Mapping[str, Any]", rules: Rules) -> pd.DataFrame:
    """Show one bill line by line.

    Args:
        bill: the columns of a row of `compute_bills`.

    Returns:
        A row a line that is not nil: line, amount_gbp (reliefs negative), rule in words, publication.

    Raises:
        CheckError: as `compute_bills`.
    """
    frame = pd.DataFrame([dict(bill)])
    lines = compute_bills(frame, rules).iloc[0]
    name, rows = read_rows(frame, rules)
    said = _describe(str(name[0]), rows, rules)
    steps = []
    for line, title in LINES.items():
        amount = float(lines[f"{line}_gbp"])
        if amount or line in ("basic", "gross", "net"):
            rule, publication = said.get(line, ("", ""))
            steps.append(
                {
                    "line": title,
                    "amount_gbp": -amount if line in RELIEFS else amount,
                    "rule": rule,
                    "publication": rules.publications.get(publication, publication),
                }
            )
    return pd.DataFrame(steps)


def find_small_business_share(bills: pd.DataFrame, rules: Rules) -> "pd.Series[float]":
    """Find the share of small business relief, in percent, that rateable values and properties entitle to.

    Args:
        bills: as for `compute_bills`; whether the relief is claimed, or something stands against it, plays no part.

    Raises:
        CheckError: as `compute_bills`.
    """
    names, rows = read_rows(bills, rules)
    found = np.zeros(len(bills))
    for year in set(names):
        chosen = np.flatnonzero(names == year)
        top, bottom = _find_share(_pick(rows, chosen), rules.small_business[rules.years[year].small_business])
        found[chosen] = 100 * top / bottom
    return pd.Series(found, index=bills.index)


# --- reading what is given ---


def _pick(rows: Rows, chosen: Numbers) -> Rows:
    given = {name: value[chosen] for name, value in vars(rows).items() if name != "flags"}
    return Rows(**given, flags={name: flag[chosen] for name, flag in rows.flags.items()})


# --- one year ---


def _compute_year(rows: Rows, rules: Rules, name: str) -> dict[str, Numbers]:
    year, length = rules.years[name], count_days(name)
    rate, rate_occupied, rate_empty = _find_rates(rows, year)
    occupied, first, later, shares = _split_days(rows, year, rules)
    empty = rows.days - occupied
    lines = {"basic": _take(rows.rv * _to_tenths(year.rates[0].pence), rows.days, 10 * length)}
    charge_occupied = _take(rows.rv * rate_occupied, occupied, 10 * length)
    charge_empty = _take(rows.rv * rate_empty, empty, 10 * length)
    lines["gross"] = charge_occupied + charge_empty
    lines["supplement"] = lines["gross"] - lines["basic"]
    lines["transitional"] = _limit_change(rows, rules, year, rate, lines["gross"], length)
    moved = _take(np.abs(lines["transitional"]), occupied, np.maximum(rows.days, 1)) * np.sign(lines["transitional"])
    charged = charge_occupied - moved
    left_empty = charge_empty - (lines["transitional"] - moved)
    lines["empty_relief"] = _take(
        left_empty, first * shares[0] + later * shares[1], 10_000 * np.maximum(empty, 1)
    )  # a share is in hundredths of a percent
    left_empty = left_empty - lines["empty_relief"]
    left = charged.copy()
    for line, amounts in _relieve_occupied(rows, rules, name, charged, occupied):
        lines[line] = np.minimum(amounts(left), left)
        left = left - lines[line]
    left = left + left_empty
    universal = _take(lines["gross"], *year.universal.share.as_integer_ratio(), 100) if year.universal else 0 * left
    lines["universal_relief"] = np.minimum(universal, left)
    left = left - lines["universal_relief"]
    lines["other_relief"] = np.minimum(rows.other_relief, left)
    lines["net"] = left - lines["other_relief"]
    return lines


def _take(amounts: Numbers, part: "Numbers | int", of: "Numbers | int", of_this: int = 1) -> Numbers:
    """Take part/(of * of_this) of amounts of 0 or more, and round, half up."""
    whole = np.asarray(of * of_this, dtype="int64")
    taken: Numbers = (2 * amounts * part + whole) // (2 * whole)
    return taken


def _to_tenths(pence: Fraction) -> int:
    """Give a rate in tenths of a penny in the pound: so are all that were ever set."""
    tenths = pence * 10
    assert tenths.denominator == 1
    return tenths.numerator


def _find_rates(rows: Rows, year: Year) -> tuple[Numbers, Numbers, Numbers]:
    """Find the rate of each property, and what it is while occupied and while empty, in tenths of a penny."""
    limits = [rate.to for rate in year.rates if rate.to is not None]
    rate = np.array([_to_tenths(band.pence) for band in year.rates])[np.searchsorted(limits, rows.rv)]
    if not year.others_pay:
        return rate, rate, rate
    others = np.full_like(rate, _to_tenths(year.others_pay.pence))
    return rate, np.where(rows.flags["is_charity"], others, rate), others


def _split_days(rows: Rows, year: Year, rules: Rules) -> tuple[Numbers, Numbers, Numbers, tuple[Numbers, Numbers]]:
    """Split the days into occupied, the first months empty, and later; with the shares of relief of the last two."""
    ends = rows.start + rows.days.astype("timedelta64[D]")
    since = np.where(np.isnat(rows.empty_since), rows.start - np.timedelta64(LONG_AGO, "D"), rows.empty_since)
    empties = np.where(rows.occupied, ends, np.clip(since, rows.start, ends))
    none = np.zeros_like(rows.rv)
    if not year.empty:
        return _to_days(empties - rows.start), none, _to_days(ends - empties), (none, none)
    scheme, industrial = rules.empty_schemes[year.empty], rows.flags["is_industrial"]
    over = _add_months(since, np.where(industrial, scheme.industrial_months, scheme.months))
    turns = np.clip(over, empties, ends)
    first = np.where(industrial, int(100 * scheme.industrial_share), int(100 * scheme.share))
    later = np.full_like(rows.rv, int(100 * scheme.later_share))
    full = rows.flags["is_listed"] | (rows.rv < scheme.full_below_rv)
    if scheme.charity_share == 100:
        full = full | rows.flags["is_charity"]
    shares = (np.where(full, 10_000, first), np.where(full, 10_000, later))
    return _to_days(empties - rows.start), _to_days(np.asarray(turns - empties)), _to_days(ends - turns), shares


def _to_days(spans: NDArray[np.timedelta64]) -> Numbers:
    return (spans / np.timedelta64(1, "D")).astype("int64")


def _add_months(days: NDArray[np.datetime64], months: Numbers) -> NDArray[np.datetime64]:
    """Go on by months, to the same day of the month or its last."""
    month = days.astype("datetime64[M]")
    day = days - month.astype("datetime64[D]")
    reached = month + months.astype("timedelta64[M]")
    last = (reached + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    gone_on: NDArray[np.datetime64] = np.minimum(reached.astype("datetime64[D]") + day, last)
    return gone_on


def _limit_change(rows: Rows, rules: Rules, year: Year, rate: Numbers, gross: Numbers, length: int) -> Numbers:
    """Find what the transitional scheme takes off the charge; negative where it holds up a fall."""
    asked = rows.transition_base >= 0
    if not asked.any():
        return np.zeros_like(gross)
    scheme = year.transition
    if scheme is None or scheme.inflation is None:
        refuse_rows(asked, "Bills: transition_base_gbp is", "empty in a year of which the limits are not known")
        raise AssertionError
    on = rate if rules.transition_on == "gross" else np.full_like(rate, _to_tenths(year.rates[0].pence))
    notional, base = _take(rows.rv * on, 1, 10), np.maximum(rows.transition_base, 0)
    most = _take(base, *_multiply(rows, scheme.up, scheme.inflation, 1))
    change = np.where(notional > base, np.maximum(notional - most, 0), 0)
    if scheme.down:
        least = _take(base, *_multiply(rows, scheme.down, scheme.inflation, -1))
        change = np.where(notional < base, np.minimum(notional - least, 0), change)
    change = np.where(asked, change, 0)
    return np.minimum(_take(np.abs(change), rows.days, length) * np.sign(change), gross)


def _multiply(rows: Rows, caps: list[Cap], inflation: Fraction, sign: int) -> tuple[Numbers, int]:
    """Find the factor (100 + cap) / 100 * inflation of each row, as a fraction of one denominator."""
    london, limit = rows.flags["is_in_london"], np.full(len(rows.rv), len(caps) - 1)
    for place in reversed(range(len(caps) - 1)):
        cap = caps[place]
        to = cap.to or MOST_RV
        limit = np.where(rows.rv <= np.where(london, cap.london_to or to, to), place, limit)
    factors = [(1 + sign * cap.pct / 100) * inflation * 1_000_000 for cap in caps]
    return np.array([int(factor) for factor in factors])[limit], 1_000_000


def _relieve_occupied(
    rows: Rows, rules: Rules, name: str, charged: Numbers, days: Numbers
) -> Iterator[tuple[str, Any]]:
    """List the reliefs of the days occupied, in order: each as a function of what is left of the charge."""
    year, length = rules.years[name], count_days(name)
    charity, claims = rows.flags["is_charity"], rows.flags["claims_small_business"]
    yield "charity_relief", lambda left: np.where(charity, _take(left, *rules.charity.share.as_integer_ratio(), 100), 0)
    top, bottom = _find_share(rows, rules.small_business[year.small_business])
    yield "small_business_relief", lambda left: np.where(claims & ~charity, _take(left, top, bottom), 0)
    yield "supporting_relief", lambda left: _limit_rise(rows, year, left, days, length)
    yield "discretionary_relief", lambda left: _take(charged, rows.discretionary, 10_000)  # noqa: ARG005
    yield "retail_relief", lambda left: _relieve_retail(rows, year, name, left, days)
    yield "pub_relief", lambda left: _relieve_pub(rows, year, left, days, length)


def _find_share(rows: Rows, scheme: SmallBusiness) -> tuple[Numbers, Numbers]:
    """Find the share of small business relief as a fraction; 0/1 where there is none."""
    top, bottom = np.zeros_like(rows.rv), np.ones_like(rows.rv)
    open_still = np.ones(len(rows.rv), dtype=bool)
    for case in scheme.cases:
        fits = open_still & _fit_case(rows, case)
        open_still &= ~fits
        for share in case.shares:
            here = fits & (rows.rv > share.over) & (rows.rv <= share.to)
            slope = int(share.from_pct) * (share.to - rows.rv) + int(share.to_pct) * (rows.rv - share.over)
            top = np.where(here, slope, top)
            bottom = np.where(here, 100 * (share.to - share.over), bottom)
    return top, bottom


def _fit_case(rows: Rows, case: Case) -> Flags:
    fits = np.ones(len(rows.rv), dtype=bool)
    if case.single is not None:
        fits &= rows.multiple != case.single
    if case.total_to is not None:
        london = rows.flags["is_in_london"]
        fits &= rows.total <= np.where(london, case.london_total_to or case.total_to, case.total_to)
    if case.others_to is not None:
        fits &= rows.others <= case.others_to
    return fits


def _limit_rise(rows: Rows, year: Year, left: Numbers, days: Numbers, length: int) -> Numbers:
    asked = rows.supporting_base >= 0
    if not asked.any():
        return np.zeros_like(left)
    scheme = year.supporting
    if scheme is None or scheme.inflation is None:
        refuse_rows(asked, "Bills: supporting_base_gbp is", "empty in a year of which the limit is not known")
        raise AssertionError
    base = np.maximum(rows.supporting_base, 0)
    most = base + 100 * scheme.cap_gbp
    if scheme.pct is not None:
        factor = (1 + scheme.pct / 100) * scheme.inflation * 1_000_000
        most = np.maximum(most, _take(base, int(factor), 1_000_000))
    return np.where(asked, np.maximum(left - _take(most, days, length), 0), 0)


def _relieve_retail(rows: Rows, year: Year, name: str, left: Numbers, days: Numbers) -> Numbers:
    relief = np.zeros_like(left)
    ends = rows.start + days.astype("timedelta64[D]")
    for scheme in year.retail:
        opens, closes = (_find_day(name, text) for text in (scheme.starts, scheme.ends))
        inside = np.minimum(ends, closes + np.timedelta64(1, "D")) - np.maximum(rows.start, opens)
        share, of = scheme.share.as_integer_ratio()
        amount = _take(left, np.maximum(_to_days(inside), 0) * share, 100 * of * np.maximum(days, 1))
        if scheme.cap_gbp is not None:
            amount = np.minimum(amount, 100 * scheme.cap_gbp)
        fits = rows.flags["is_retail"] & (rows.rv <= (MOST_RV if scheme.rv_to is None else scheme.rv_to))
        relief = relief + np.where(fits, amount, 0)
    return relief


def _find_day(name: str, text: str) -> np.datetime64:
    return np.datetime64(f"{int(name[:4]) + (text < '04')}-{text}", "D")


def _relieve_pub(rows: Rows, year: Year, left: Numbers, days: Numbers, length: int) -> Numbers:
    if year.pub is None:
        return np.zeros_like(left)
    amount = _take(np.full_like(left, 100 * year.pub.gbp), days, length)
    return np.where(rows.flags["is_pub"] & (rows.rv <= year.pub.rv_to), amount, 0)


# --- a bill in words ---


def _describe(name: str, rows: Rows, rules: Rules) -> dict[str, tuple[str, str]]:
    """Say by which rule each line of one bill comes about, and where that is published."""
    year, length = rules.years[name], count_days(name)
    rv, days = int(rows.rv[0]), int(rows.days[0])
    _, paid, _ = _find_rates(rows, year)
    _, first, later, _ = (
        int(value[0]) if isinstance(value, np.ndarray) else value for value in _split_days(rows, year, rules)
    )
    part = "" if days == length else f" × {days} of {length} days"
    lowest = float(year.rates[0].pence)
    top, bottom = _find_share(rows, rules.small_business[year.small_business])
    percent = 100 * int(top[0]) / int(bottom[0])
    said = {
        "basic": (f"£{rv:,} × {lowest:.1f}p{part}", year.publication),
        "supplement": (f"£{rv:,} × {int(paid[0]) / 10 - lowest:.1f}p more{part}", year.publication),
        "charity_relief": (f"{float(rules.charity.share):g} % of the charge", rules.charity.publication),
        "small_business_relief": (
            f"{percent:g} % at a rateable value of £{rv:,}, all properties £{int(rows.total[0]):,}",
            rules.small_business[year.small_business].publication,
        ),
        "discretionary_relief": (f"{rows.discretionary[0] / 100:g} % of the charge", "as the council decided"),
        "other_relief": ("as given", "as the council decided"),
    }
    if year.others_pay and (not rows.occupied[0] or rows.flags["is_charity"][0]):
        said["supplement"] = ("charities and empty properties pay the standard multiplier", year.others_pay.publication)
    if year.empty:
        said["empty_relief"] = (
            f"{first} days in the first months, {later} later",
            rules.empty_schemes[year.empty].publication,
        )
    if year.transition:
        said["transitional"] = (
            f"change limited from £{rows.transition_base[0] / 100:,.2f}",
            year.transition.publication,
        )
    if year.supporting:
        said["supporting_relief"] = (
            f"no more than £{year.supporting.cap_gbp:,} above £{rows.supporting_base[0] / 100:,.2f}",
            year.supporting.publication,
        )
    if year.retail:
        shares = " and ".join(
            f"{float(scheme.share):.4g} % from {scheme.starts} to {scheme.ends}" for scheme in year.retail
        )
        said["retail_relief"] = (shares, year.retail[0].publication)
    if year.pub:
        said["pub_relief"] = (f"£{year.pub.gbp:,} a year", year.pub.publication)
    if year.universal:
        said["universal_relief"] = (
            f"{float(year.universal.share):g} % of the gross charge",
            year.universal.publication,
        )
    return said
