"""The charge of non-domestic rates, recomputed to the penny by the published rules of Scotland, England and Wales.

`rates_<nation>.yaml` hold every figure with its publication, and say what is left out (`limits`).

Rounding: all arithmetic is in whole pence. Each line of a bill is worked out exactly, then rounded to the penny, half a
penny up, and the next line starts from what is then left. The regulations reduce the charge of a day, and bills show
pounds and pence; two systems that round other lines can differ by a penny a line. Parts of a year add up to the whole
year within half a penny for each part and each line.

The order of lines: charge, transition, empty property relief, charity, small business, supporting scheme,
discretionary, retail, public house, universal relief (of the charge), other reliefs. None takes more than what is left.
"""

from collections.abc import Iterator
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
    Cap,
    Case,
    Rate,
    Rules,
    SmallBusiness,
    Year,
    count_days,
)
from councilbook.sources.checks import refuse_rows

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
            England, the gross charge of the 31 March before the list in Scotland), supporting_base_gbp (none: the bill
            of the year before in England, of the 31 March before the list in Scotland), other_relief_gbp (0). The
            description is read in Wales alone, where it decides who pays the retail multiplier.
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
        top, bottom = find_share(_pick(rows, chosen), rules.small_business[rules.years[year].small_business])
        found[chosen] = 100 * top / bottom
    return pd.Series(found, index=bills.index)


# --- reading what is given ---


def _pick(rows: Rows, chosen: Numbers) -> Rows:
    given = {name: value[chosen] for name, value in vars(rows).items() if name != "flags"}
    return Rows(**given, flags={name: flag[chosen] for name, flag in rows.flags.items()})


# --- one year ---


def _compute_year(rows: Rows, rules: Rules, name: str) -> dict[str, Numbers]:
    year, length = rules.years[name], count_days(name)
    rate_occupied, rate_empty = find_rates(rows, year)
    occupied, first, later, shares = split_days(rows, year, rules)
    empty = rows.days - occupied
    lines = _charge(rows, year, occupied, length)
    charge_empty = _take(rows.rv * rate_empty, empty, 10 * length)
    charge_occupied = lines["gross"] - charge_empty
    rate = np.where(occupied > 0, rate_occupied, rate_empty)
    lines["transitional"] = _limit_change(rows, year, rate, lines["gross"], length)
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


def _charge(rows: Rows, year: Year, occupied: Numbers, length: int) -> dict[str, Numbers]:
    """Work out the lines of the charge: by the lowest rate, what is added and taken off, and the sum."""
    levy = _to_tenths(year.levy.pence) if year.levy else 0
    lowest, plain = np.full_like(rows.rv, _to_tenths(year.rates[0].pence)), find_rates(rows, year, lower=False)
    basic, larger, whole, gross = (
        _take(rows.rv * of_occupied, occupied, 10 * length)
        + _take(rows.rv * of_empty, rows.days - occupied, 10 * length)
        for of_occupied, of_empty in (
            (lowest, lowest),
            (plain[0] - levy, plain[1] - levy),
            plain,
            find_rates(rows, year),
        )
    )
    return {
        "basic": basic,
        "supplement": larger - basic,
        "levy": whole - larger,
        "lower": whole - gross,
        "gross": gross,
    }


def find_rates(rows: Rows, year: Year, lower: bool = True) -> tuple[Numbers, Numbers]:
    """Find what the rate of each property is while occupied and while empty, in tenths of a penny, with all added.

    Args:
        lower: whether shops pay the lower multiplier that they have.
    """
    levy = _to_tenths(year.levy.pence) if year.levy else 0
    rate = _look_up(rows.rv, year.rates) + levy
    occupied = rate
    if lower and year.retail_rates:
        occupied = np.where(rows.flags["is_retail"], _look_up(rows.rv, year.retail_rates) + levy, rate)
    if not year.others_pay:
        return occupied, rate
    others = np.full_like(rate, _to_tenths(year.others_pay.pence))
    return np.where(rows.flags["is_charity"], others, occupied), others


def _look_up(value: Numbers, rates: list[Rate]) -> Numbers:
    limits = [rate.to for rate in rates if rate.to is not None]
    found: Numbers = np.array([_to_tenths(band.pence) for band in rates])[np.searchsorted(limits, value)]
    return found


def split_days(rows: Rows, year: Year, rules: Rules) -> tuple[Numbers, Numbers, Numbers, tuple[Numbers, Numbers]]:
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


def _limit_change(rows: Rows, year: Year, rate: Numbers, gross: Numbers, length: int) -> Numbers:
    """Find what the transitional scheme takes off the charge; negative where it holds up a fall."""
    asked = rows.transition_base >= 0
    if not asked.any():
        return np.zeros_like(gross)
    scheme = year.transition
    if scheme is None:
        refuse_rows(asked, "Bills: transition_base_gbp is", "empty in a year of which the limits are not known")
        raise AssertionError
    on = rate if scheme.charge == "gross" else np.full_like(rate, _to_tenths(year.rates[0].pence))
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
    top, bottom = find_share(rows, rules.small_business[year.small_business])
    yield "small_business_relief", lambda left: np.where(claims & ~charity, _take(left, top, bottom), 0)
    yield "supporting_relief", lambda left: _limit_rise(rows, year, left, days, length)
    yield "discretionary_relief", lambda left: _take(charged, rows.discretionary, 10_000)  # noqa: ARG005
    yield "retail_relief", lambda left: _relieve_retail(rows, year, name, (left, charged), days)
    yield "pub_relief", lambda left: _relieve_pub(rows, year, (left, charged), days, length)


def find_share(rows: Rows, scheme: SmallBusiness) -> tuple[Numbers, Numbers]:
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
        fits &= (rows.properties > 1) != case.single
    if case.properties_to is not None:
        fits &= rows.properties <= case.properties_to
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
    if scheme is None:
        refuse_rows(asked, "Bills: supporting_base_gbp is", "empty in a year of which the limit is not known")
        raise AssertionError
    base = np.maximum(rows.supporting_base, 0)
    most = base + 100 * scheme.cap_gbp
    if scheme.up:
        most = np.maximum(most, _take(base, *_multiply(rows, scheme.up, scheme.inflation, 1)))
    most = _take(most, days, length)
    if scheme.share_of_rise is not None:
        rise = np.maximum(left - most, 0)
        most = most + _take(rise, *scheme.share_of_rise.as_integer_ratio(), 100)
    return np.where(asked, np.maximum(left - most, 0), 0)


def _relieve_retail(rows: Rows, year: Year, name: str, charges: tuple[Numbers, Numbers], days: Numbers) -> Numbers:
    left, charge = charges
    relief = np.zeros_like(left)
    ends = rows.start + days.astype("timedelta64[D]")
    shops = rows.flags["is_retail"] & ~(rows.flags["is_pub"] & (year.pub is not None))
    for scheme in year.retail:
        opens, closes = (_find_day(name, text) for text in (scheme.starts, scheme.ends))
        inside = np.minimum(ends, closes + np.timedelta64(1, "D")) - np.maximum(rows.start, opens)
        share, of = scheme.share.as_integer_ratio()
        part = np.maximum(_to_days(inside), 0) * share
        amount = _take(charge if scheme.of == "charge" else left, part, 100 * of * np.maximum(days, 1))
        relief = relief + np.where(shops & _fits(rows, scheme.rv_to), _cap(amount, scheme.cap_gbp), 0)
    return relief


def _fits(rows: Rows, rv_to: int | None) -> Flags:
    return np.asarray(rows.rv <= (MOST_RV if rv_to is None else rv_to))


def _cap(amount: Numbers, cap_gbp: int | None) -> Numbers:
    return amount if cap_gbp is None else np.minimum(amount, 100 * cap_gbp)


def _find_day(name: str, text: str) -> np.datetime64:
    return np.datetime64(f"{int(name[:4]) + (text < '04')}-{text}", "D")


def _relieve_pub(rows: Rows, year: Year, charges: tuple[Numbers, Numbers], days: Numbers, length: int) -> Numbers:
    left, charge = charges
    scheme = year.pub
    if scheme is None:
        return np.zeros_like(left)
    amount = _take(np.full_like(left, 100 * (scheme.gbp or 0)), days, length)
    amount = amount + _take(charge if scheme.of == "charge" else left, *scheme.share.as_integer_ratio(), 100)
    return np.where(rows.flags["is_pub"] & _fits(rows, scheme.rv_to), _cap(amount, scheme.cap_gbp), 0)
