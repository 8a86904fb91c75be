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
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from councilbook.errors import CheckError, suggest
from councilbook.sources.checks import refuse_rows

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Nation = Literal["scotland", "england"]

LINES = {  # in the order of the bill; what each is called
    "basic": "Charge at the lowest rate",
    "supplement": "Supplement for larger properties, or for who pays the standard multiplier",
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
RELIEFS = [line for line in LINES if line not in ("basic", "supplement", "gross", "net")]
MOST_RV = 500_000_000  # above this whole pence no longer fit into 64 bits with room to multiply
LONG_AGO = 3_650  # days: an empty property without a date is past its first months
FLAGS = ["claims_small_business", "is_charity", "is_retail", "is_pub", "is_industrial", "is_listed", "is_in_london"]


# --- the rules, as the data files have them ---

Exact = Annotated[Fraction, BeforeValidator(lambda value: Fraction(str(value)))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Rate(_Part):
    """Pence in the pound, up to a rateable value (included)."""

    pence: Exact
    to: int | None = None


class OthersPay(_Part):
    """The rate of empty properties and charities, whatever their value."""

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


class Pub(_Part):
    """Pounds a year off the bill of a public house."""

    gbp: int
    rv_to: int
    publication: str


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
    """How far a charge may rise or fall after a revaluation."""

    up: list[Cap]
    publication: str
    down: list[Cap] = []
    inflation: Exact | None = Fraction(1)


class Supporting(_Part):
    """By how much the bill may rise for who loses small business relief."""

    cap_gbp: int
    publication: str
    pct: Exact | None = None
    inflation: Exact | None = Fraction(1)


class Year(_Part):
    """The rules of one year."""

    rates: list[Rate]
    publication: str
    small_business: str
    others_pay: OthersPay | None = None
    empty: str | None = None
    retail: list[Retail] = []
    pub: Pub | None = None
    universal: Percent | None = None
    transition: Transition | None = None
    supporting: Supporting | None = None


class Rules(_Part):
    """The rules of a nation: years, schemes, where each figure is published, and what is left out."""

    nation: str
    transition_on: Literal["gross", "small_multiplier"]
    publications: dict[str, str]
    limits: list[str]
    charity: Percent
    empty_schemes: dict[str, Empty]
    small_business: dict[str, SmallBusiness]
    years: dict[str, Year]


def load_rules(nation: Nation, local_empty: Mapping[str, Mapping[str, Any]] | None = None) -> Rules:
    """Read the rules of a nation.

    Args:
        nation: "scotland" or "england".
        local_empty: by year, a council's own scheme of empty property relief, in the words of the data file: months,
            share, industrial_months, industrial_share, later_share, full_below_rv, publication (its name in full).

    Raises:
        CheckError: the nation or a year is unknown.
    """
    if nation not in ("scotland", "england"):
        raise CheckError(f"There are no rules for {nation!r}.{suggest(nation, ['scotland', 'england'])}")
    rules = _read_rules(nation)
    if not local_empty:
        return rules
    if unknown := sorted(set(local_empty) - set(rules.years)):
        raise CheckError(f"An empty property scheme is given for {', '.join(unknown)}, which is not among the years.")
    schemes = {f"local_{year}": Empty(**scheme) for year, scheme in local_empty.items()}
    years = {
        name: year.model_copy(update={"empty": f"local_{name}"}) if name in local_empty else year
        for name, year in rules.years.items()
    }
    return rules.model_copy(update={"empty_schemes": rules.empty_schemes | schemes, "years": years})


@cache
def _read_rules(nation: str) -> Rules:
    content = yaml.safe_load(Path(__file__).with_name(f"rates_{nation}.yaml").read_text(encoding="utf-8"))
    return Rules(**content)


def count_days(year: str) -> int:
    """Count the days of a year of rates, 365 or 366."""
    return int((_get_start(year, 1) - _get_start(year)).astype(int))


def _get_start(year: str, later: int = 0) -> np.datetime64:
    return np.datetime64(f"{int(year[:4]) + later}-04-01", "D")


# --- the bills ---


@dataclass(frozen=True)
class _Rows:
    """What is known of bills of one year, as arrays; pounds are whole or in pence, dates are days."""

    rv: Numbers
    days: Numbers
    start: NDArray[np.datetime64]
    total: Numbers
    multiple: Flags
    others: Numbers
    occupied: Flags
    empty_since: NDArray[np.datetime64]
    discretionary: Numbers  # hundredths of a percent
    transition_base: Numbers  # pence; -1: none
    supporting_base: Numbers
    other_relief: Numbers
    flags: dict[str, Flags]


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
    names, rows = _read_rows(bills, rules)
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
    name, rows = _read_rows(frame, rules)
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
    names, rows = _read_rows(bills, rules)
    found = np.zeros(len(bills))
    for year in set(names):
        chosen = np.flatnonzero(names == year)
        top, bottom = _find_share(_pick(rows, chosen), rules.small_business[rules.years[year].small_business])
        found[chosen] = 100 * top / bottom
    return pd.Series(found, index=bills.index)


# --- reading what is given ---


def _read_rows(bills: pd.DataFrame, rules: Rules) -> tuple[NDArray[np.object_], _Rows]:
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
    return names, _read_rest(bills, rv, days, begins)


def _read_rest(bills: pd.DataFrame, rv: NDArray[Any], days: NDArray[Any], begins: NDArray[Any]) -> _Rows:
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
    return _Rows(
        rv=rv.astype("int64"),
        days=days.astype("int64"),
        start=begins,
        total=total.astype("int64"),
        multiple=properties > 1,
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
    starts = np.array([_get_start(year) for year in years], dtype="datetime64[D]")
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


def _pick(rows: _Rows, chosen: Numbers) -> _Rows:
    given = {name: value[chosen] for name, value in vars(rows).items() if name != "flags"}
    return _Rows(**given, flags={name: flag[chosen] for name, flag in rows.flags.items()})


# --- one year ---


def _compute_year(rows: _Rows, rules: Rules, name: str) -> dict[str, Numbers]:
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


def _find_rates(rows: _Rows, year: Year) -> tuple[Numbers, Numbers, Numbers]:
    """Find the rate of each property, and what it is while occupied and while empty, in tenths of a penny."""
    limits = [rate.to for rate in year.rates if rate.to is not None]
    rate = np.array([_to_tenths(band.pence) for band in year.rates])[np.searchsorted(limits, rows.rv)]
    if not year.others_pay:
        return rate, rate, rate
    others = np.full_like(rate, _to_tenths(year.others_pay.pence))
    return rate, np.where(rows.flags["is_charity"], others, rate), others


def _split_days(rows: _Rows, year: Year, rules: Rules) -> tuple[Numbers, Numbers, Numbers, tuple[Numbers, Numbers]]:
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


def _limit_change(rows: _Rows, rules: Rules, year: Year, rate: Numbers, gross: Numbers, length: int) -> Numbers:
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


def _multiply(rows: _Rows, caps: list[Cap], inflation: Fraction, sign: int) -> tuple[Numbers, int]:
    """Find the factor (100 + cap) / 100 * inflation of each row, as a fraction of one denominator."""
    london, limit = rows.flags["is_in_london"], np.full(len(rows.rv), len(caps) - 1)
    for place in reversed(range(len(caps) - 1)):
        cap = caps[place]
        to = cap.to or MOST_RV
        limit = np.where(rows.rv <= np.where(london, cap.london_to or to, to), place, limit)
    factors = [(1 + sign * cap.pct / 100) * inflation * 1_000_000 for cap in caps]
    return np.array([int(factor) for factor in factors])[limit], 1_000_000


def _relieve_occupied(
    rows: _Rows, rules: Rules, name: str, charged: Numbers, days: Numbers
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


def _find_share(rows: _Rows, scheme: SmallBusiness) -> tuple[Numbers, Numbers]:
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


def _fit_case(rows: _Rows, case: Case) -> Flags:
    fits = np.ones(len(rows.rv), dtype=bool)
    if case.single is not None:
        fits &= rows.multiple != case.single
    if case.total_to is not None:
        london = rows.flags["is_in_london"]
        fits &= rows.total <= np.where(london, case.london_total_to or case.total_to, case.total_to)
    if case.others_to is not None:
        fits &= rows.others <= case.others_to
    return fits


def _limit_rise(rows: _Rows, year: Year, left: Numbers, days: Numbers, length: int) -> Numbers:
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


def _relieve_retail(rows: _Rows, year: Year, name: str, left: Numbers, days: Numbers) -> Numbers:
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


def _relieve_pub(rows: _Rows, year: Year, left: Numbers, days: Numbers, length: int) -> Numbers:
    if year.pub is None:
        return np.zeros_like(left)
    amount = _take(np.full_like(left, 100 * year.pub.gbp), days, length)
    return np.where(rows.flags["is_pub"] & (rows.rv <= year.pub.rv_to), amount, 0)


# --- a bill in words ---


def _describe(name: str, rows: _Rows, rules: Rules) -> dict[str, tuple[str, str]]:
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
