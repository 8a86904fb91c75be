"""From a roll, as councils publish it, to what `bills.compute_bills` asks for: the year, the properties, the reliefs.

Councils word reliefs in their own ways: in words, codes, percents, pounds, yes or no. What a cell says is read here,
and what it does not say stays open. A person's name never leaves: ratepayers are compared by name, and only counts and
sums come out.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pandas as pd

from councilbook.business_rates.bills.rules import Nation, Rules, find_list, find_start, name_year
from councilbook.business_rates.roll.contents import find_empty
from councilbook.business_rates.roll.rules import RELIEFS
from councilbook.errors import CheckError, NotToldError

NATIONS: dict[str, Nation] = {"S": "scotland", "E": "england", "W": "wales"}  # by the first letter of a GSS code
ONE_IN = 1_000  # dates of a roll that may be slips of the pen: so many days are later than its own
SMALL = r"small.?bus|\bsbr|\bsbb|\bsrbe|bonus"
NOT_SMALL = (  # schemes of their own, for who has lost the relief or took a second property
    r"supporting[\w ]*small[\w ]*bus\w*|\bssb\w*|small[\w ]*transition\w*|[\w ]*\bextension\b[\w ]*"
)
CHARITY = r"charit|\bchar\b|\bchar\d|\bcasc|sports? club|amateur|\bmcr\b|\beduc\w*\d"
MANDATORY = r"\bmand|\bmcr\b"  # of these only 80 percent is a charity's
RURAL = r"rural|\brur\d|village|\bmvr\b"
EMPTY = r"empt|emprty"
NO_CHARITY = rf"{EMPTY}|discretion|top.?up|{RURAL}"
RETAIL = r"retail|hospitality|leisure|\brhl|\bret[dr](?:\w*\d|\b)"
PUB = r"\bpubs?\b|public house|licensed|music venue"
DECIDED = r"discretion|top.?up|\bdisc|\bd[cr]r\b"
INDUSTRIAL = r"factory|workshop|warehouse|mill|industrial|works\b"
YES, NO = ("y", "yes", "true", "t", "x"), ("", "n", "no", "none", "false", "f", "0")
CHARITY_PCT = 80
BETWEEN = re.compile(  # the reliefs of a cell; what stands before a number is the header of its column
    r";|(?:[|+\n]| / |, (?=[^,;]*(?:relief|discount|top.?up|mandatory|discretion)))(?![^;]*: *[-(£\d])", re.IGNORECASE
)
_OF_COUNCIL, _OF_LAW = r"disc|top.?up|d[cr]r\b|hardship", r"mand|char|casc|sports? club"
_AMOUNT, _AND = r"£?\d[\d.,]* *%? *", r"\s*(?:\b(?:and|with|plus)\b|[&+/,])\s*"
TWO_RELIEFS = (  # in a part, what the first is: 80% Mandatory 20% Disc; MAND80/DISC20; Disc 20% & Mandatory 80%; 80/20
    rf"^(\d.*?(?:{_OF_LAW}).*?)(?:{_AND}|\s)(?={_AMOUNT}(?:{_OF_COUNCIL}))",
    rf"^(?!.*[:;])(.*?(?:{_OF_LAW}).*?)(?:{_AND}|(?<=[\d%])(?![\d.,%])\s*)(?=(?:{_AMOUNT})?(?:{_OF_COUNCIL}))",
    rf"^(?!.*[:;])(.*?(?:{_OF_COUNCIL}).*?){_AND}(?=(?:{_AMOUNT})?(?:{_OF_LAW}).*\d)",
    r"^(\d+%?) */ *(?=\d+%?$)",
)
_NUMBER = r"^(?:(?P<label>[^£]*?)(?::|(?=£)))? *[-(]?(?P<pounds>£?) *-?(?P<number>\d[\d,]*(?:\.\d+)?)\)? *(?P<sign>%?)$"
_CODE = rf"(?:[A-Za-z]{{2,6}}(?=\d\d)|(?i:{_OF_LAW}|{_OF_COUNCIL})[A-Za-z ]*)"  # MAND80, Mandatory 80
_PERCENT = rf"(?P<words>\d{{1,3}}(?:\.\d+)?) *%|^{_CODE}(?P<code>\d{{1,3}})$"
Account = Literal["billed", "no value", "later"]


@dataclass(frozen=True)
class RollYear:
    """The year that a roll's bills are of, and how that is known, in words."""

    year: str
    because: str


def find_nation(gss_code: str) -> Nation:
    """Tell whose rules a council is under, by the first letter of its GSS code.

    Raises:
        NotToldError: no rules of that nation are at hand, as of Northern Ireland, whose rates each district sets.
    """
    if gss_code[:1] not in NATIONS:
        raise NotToldError(
            f"There are no rules of rates for {gss_code}: they are at hand for councils of England, Scotland and "
            "Wales, whose codes begin with E, S and W. No bill is computed by another nation's rules."
        )
    return NATIONS[gss_code[:1]]


def find_year(
    roll: pd.DataFrame, rules: Rules, run_date: str, *, asked: str = "", file: str = "", told: date | None = None
) -> RollYear:
    """Find the year that a roll's bills are of.

    A year that is asked for stands. Otherwise it is that of the day that the roll says it is of, or else of the newest
    days in it from which somebody is liable or a property is empty (one in `ONE_IN` may be a slip of the pen), up to
    the day of the run; and of a roll without such days, that of the date in the file's name.

    Args:
        roll: as read by the study.
        run_date: ISO.
        asked: the year, as 2024-25; empty if it is not asked for.
        file: the file's name.
        told: the day that the roll says it is of, see `Roll.day`.

    Raises:
        NotToldError: nothing shows the year, or there are no rules for it.
        CheckError: there are none for the year that is asked for.
    """
    ask = "Give the year of the bills as the parameter rates_year, for example 2024-25."
    known = f"There are rules of {rules.nation} for {', '.join(rules.years)}."
    if asked:
        if asked not in rules.years:
            raise CheckError(f"rates_year: there are no rules for {asked!r}. {known}")
        return RollYear(asked, "as the parameter rates_year asks")
    days = pd.concat([_get(roll, name, "datetime64[ns]") for name in ("liability_start_date", "empty_since_date")])
    days = days[days <= pd.Timestamp(run_date)].sort_values(ascending=False)
    if told:
        day, because = pd.Timestamp(told), f"as the roll says that it is of {told.day} {told:%B %Y}"
    elif len(days):
        day = days.iloc[len(days) // ONE_IN]
        because = f"as the newest accounts in the roll begin in {day:%B %Y}"
    elif found := re.search(r"(?<!\d)(20\d\d)[-_ ]?(0[1-9]|1[0-2])(?!\d{3})", file):
        day = pd.Timestamp(int(found[1]), int(found[2]), 1)
        because = f"as the file's name gives {day:%B %Y}"
    else:
        raise NotToldError(f"The roll has no days from which anybody is liable, so it does not show its year. {ask}")
    if name_year(day) not in rules.years:
        raise NotToldError(
            f"The bills are of {name_year(day)}, {because}, and for that there are no rules. {known} {ask}"
        )
    return RollYear(name_year(day), because)


def describe_year(
    found: RollYear, roll: pd.DataFrame, rules: Rules, run_date: str, file: str = "", told: date | None = None
) -> str:
    """Say which year the bills are of and why, and whether the roll's values are of another list than that year's."""
    try:
        own = find_year(roll, rules, run_date, file=file, told=told).year
    except CheckError:
        own = found.year
    said = f"The bills are of {found.year}, {found.because}."
    if find_list(own, rules) == find_list(found.year, rules):
        return said
    return (
        f"{said} The roll itself is of {own}, with the values of the list of {find_list(own, rules)}; bills of "
        f"{found.year} rest on the list of {find_list(found.year, rules)}. The sums show what its rates would make."
    )


def sort_accounts(roll: pd.DataFrame, year: str) -> "pd.Series[str]":
    """Tell which rows of a roll have a bill of the year, and why the others have none.

    Returns:
        By row "billed", "no value" (it is missing, 0 or not in whole pounds) or "later" (liable after the year's end).
    """
    value = roll["rateable_value_gbp"].astype("float64")
    end = pd.Timestamp(find_start(year, 1))
    sorted_ = pd.Series("billed", index=roll.index, dtype="string")
    sorted_ = sorted_.mask(_get(roll, "liability_start_date", "datetime64[ns]") >= end, "later")
    return sorted_.mask(~((value > 0) & (value % 1 == 0)), "no value")


def prepare_bills(roll: pd.DataFrame, year: str) -> pd.DataFrame:
    """Make the bills of a year out of a roll: who claims what, for how many days.

    Args:
        roll: as read by the study, a row a property; any relief column may be missing.
        year: "2019-20".

    Returns:
        A row a property that `sort_accounts` takes for billed; index and reference as in the roll, with the columns of
        `compute_bills` that a roll tells of, those of `read_reliefs`, has_liable_date, description, exemption, area
        (the outward part of the postcode) and, where the ledger has them, billed_gbp and account_credit_gbp. What is
        exempt pays nothing: its other_relief_gbp is the whole charge. A property is empty where the register says so. A
        roll that gives small business relief to nobody does not tell who has it: then there is no
        claims_small_business.

    Raises:
        CheckError: the roll has no property_reference or no rateable_value_gbp.
        NotToldError: no property has a bill of the year.
    """
    if missing := [column for column in ("property_reference", "rateable_value_gbp") if column not in roll]:
        raise CheckError(f"The roll has no column {', '.join(missing)}.")
    start = pd.Timestamp(find_start(year))
    occupancy = {"is_occupied": "boolean", "empty_since_date": "datetime64[ns]"}
    empty = find_empty(pd.DataFrame({name: _get(roll, name, dtype) for name, dtype in occupancy.items()}))
    billed = sort_accounts(roll, year) == "billed"
    if not billed.any():
        raise NotToldError(f"No property of the roll has a bill of {year}.")
    roll, empty = roll[billed], empty[billed]
    begins = _get(roll, "liability_start_date", "datetime64[ns]")
    bills = pd.DataFrame({"property_reference": roll["property_reference"], "year": year}, index=roll.index)
    bills["rateable_value_gbp"] = roll["rateable_value_gbp"].astype("float64")
    bills["liable_from_date"] = begins.where(begins > start)
    bills["has_liable_date"] = begins.notna()
    bills["is_occupied"] = ~empty.fillna(False).astype(bool)
    bills["empty_since_date"] = _get(roll, "empty_since_date", "datetime64[ns]")
    reliefs = read_reliefs(roll)
    if not reliefs["claims_small_business"].any():
        reliefs = reliefs.drop(columns="claims_small_business")
    bills = bills.join(reliefs).join(_count_properties(roll))
    bills["description"] = _get(roll, "description", "string").str.strip().str.upper()
    bills["is_industrial"] = _has(bills["description"], INDUSTRIAL)
    bills["exemption"] = _get(roll, "exemption", "string").replace("", pd.NA)
    # no year's rate reaches a pound in the pound, so the value is more than the charge
    bills["other_relief_gbp"] = bills["other_relief_gbp"].mask(bills["exemption"].notna(), bills["rateable_value_gbp"])
    bills["area"] = _get(roll, "postcode", "string").str.split(" ").str[0]
    for source, target in (("account_charge_gbp", "billed_gbp"), ("account_credit_gbp", "account_credit_gbp")):
        if source in roll and roll[source].notna().any():
            bills[target] = roll[source].astype("float64")
    return bills


def read_reliefs(roll: pd.DataFrame) -> pd.DataFrame:
    """Read which reliefs a roll says were granted, in words, codes, percents, pounds, yes or no.

    A cell holds parts between semicolons or the like; a number stands behind the header of its column, or alone.
    Numbers of one column and header are percents if none is above 100 (a share if none is above 1, and yes if all are
    1), else pounds.

    Args:
        roll: with any of `RELIEFS`, as the council words them.

    Returns:
        By row claims_small_business, is_charity (mandatory relief of 80 percent), is_retail, is_pub, discretionary_pct
        (what is told as a percent, and any other mandatory percent than a charity's), other_relief_gbp (what is told in
        pounds of discretionary relief, and of others that no rule gives), has_other_relief (a relief is named that none
        of these is), and reliefs, all words, joined by "; ".
    """
    said = [_get(roll, column, "string") for column in RELIEFS]
    parts = pd.concat(
        [_split_parts(cells.dropna().str.split(BETWEEN).explode()).rename("part").to_frame() for cells in said],
        keys=RELIEFS,
        names=["column", "row"],
    ).reset_index()
    read = _read_parts(parts[~parts["part"].str.lower().isin(NO)])
    rows = read.groupby("row")
    flags = ["claims_small_business", "is_charity", "is_retail", "is_pub", "has_other_relief"]
    found = rows[flags].any().reindex(roll.index, fill_value=False).astype(bool)
    once = read.drop_duplicates(["row", "part", "of"]).groupby("row")  # words stand under each relief that they name
    percent = once["percent"].sum().clip(upper=100).reindex(roll.index, fill_value=0.0)
    pounds = once["pounds"].sum().reindex(roll.index, fill_value=0.0)
    words = once["part"].agg("; ".join).reindex(roll.index).astype("string")
    return found.assign(discretionary_pct=percent, other_relief_gbp=pounds, reliefs=words)


def _split_parts(parts: "pd.Series[str]") -> "pd.Series[str]":
    """Split a part that names a mandatory relief and one of the council's own, as Charity 80% & Disc 20%."""
    for pattern in TWO_RELIEFS:
        parts = parts.str.replace(pattern, r"\1;", case=False, regex=True)
    return parts.str.split(";").explode().str.strip()


def _read_parts(parts: pd.DataFrame) -> pd.DataFrame:
    """Read what each part of each cell names, and what the council decided, in percent or in pounds."""
    parts = parts.join(_read_numbers(parts))
    parts = parts[parts["number"].ne(0)]  # nothing granted
    words, column, told, amount = parts["words"], parts["column"], parts["told"], parts["amount"]
    own, mandatory = parts["own"], column == "mandatory_relief"
    small = _has(words.str.replace(NOT_SMALL, "", case=False, regex=True), SMALL)
    small |= own & (column == "small_business_relief")
    retail, pub = _has(words, RETAIL), _has(words, PUB)
    rural = _has(words, RURAL).groupby(parts["row"]).transform("any")
    charity = _has(words, MANDATORY) | (own & mandatory) | (mandatory & told.notna() & ~small & ~retail & ~pub)
    charity &= (told.isna() | told.sub(CHARITY_PCT).abs().lt(0.5)) & ~(amount.notna() & rural)
    charity = (charity | _has(words, CHARITY)) & ~_has(words, NO_CHARITY)
    by_council = (_has(words, DECIDED) & ~retail & ~pub) | (own & (column == "discretionary_relief"))
    as_told = (column == "other_relief") & amount.notna() & ~(small | retail | pub | _has(words, EMPTY))
    given = ~charity & (by_council | as_told | (mandatory & parts["number"].notna()))
    percent = told.where(given, (told - CHARITY_PCT).clip(lower=0).where(charity)).fillna(0.0)
    pounds = amount.where(given).fillna(0.0)
    has_number = (given & (percent + pounds > 0)).groupby(parts["row"]).transform("any")
    known = small | charity | retail | pub | (has_number & (given | by_council | _has(words, RURAL)))
    flags = {"claims_small_business": small, "is_charity": charity, "is_retail": retail, "is_pub": pub}
    return parts.assign(**flags, has_other_relief=~known, percent=percent, pounds=pounds, of=column.where(own, ""))


def _read_numbers(parts: pd.DataFrame) -> pd.DataFrame:
    """Read the number of each part, and tell percents from pounds and from yes.

    Returns:
        The same index; words (the part, or the header before its number), own (there are none, or yes: it means what
        its column is for), number, told (in percent) and amount (in pounds).
    """
    text = parts["part"].astype("object")
    found, inside = text.str.extract(_NUMBER), text.str.extract(_PERCENT)
    label, number = found["label"].fillna(""), pd.to_numeric(found["number"].str.replace(",", "")).astype("float64")
    most = number.groupby([parts["column"], label.str.lower()]).transform("max")
    is_yes = text.str.lower().isin(YES) | (number.eq(1) & most.eq(1))
    in_pounds = found["pounds"].eq("£") | _has(label, r"amount|\bamt\b")
    is_percent = number.notna() & ~is_yes & ~in_pounds & (found["sign"].eq("%") | most.le(100))
    told = number.where(is_percent).mul(most.le(1).map({True: 100, False: 1}))
    told = told.fillna(pd.to_numeric(inside["words"].fillna(inside["code"])).astype("float64").where(number.isna()))
    words = label.where(number.notna(), text)
    own = words.eq("") | is_yes & number.isna()
    amount = number.where(~is_percent & ~is_yes)
    return pd.DataFrame({"words": words, "own": own, "number": number, "told": told, "amount": amount})


def _has(texts: "pd.Series[str]", pattern: str) -> "pd.Series[bool]":
    return texts.str.contains(pattern, case=False, regex=True).fillna(False).astype(bool)


def _get(roll: pd.DataFrame, column: str, dtype: str) -> pd.Series:
    if column in roll:
        return pd.Series(roll[column], dtype=dtype)
    return pd.Series(pd.NaT if "date" in dtype else pd.NA, index=roll.index, dtype=dtype)


def _count_properties(roll: pd.DataFrame) -> pd.DataFrame:
    """Count the properties of who has the same name; one without a name, as of a person withheld, is on its own."""
    name = _get(roll, "ratepayer_name", "string").str.casefold().str.replace(r"[^a-z0-9]+", " ", regex=True).str.strip()
    alone = name.isna() | (name == "")
    key = name.where(~alone, "\x00" + pd.Series(range(len(roll)), index=roll.index).astype("string"))
    value = roll["rateable_value_gbp"].astype("float64")
    grouped = value.groupby(key)
    largest, count = grouped.transform("max"), grouped.transform("size")
    second_of = pd.Series(value.sort_values(ascending=False).groupby(key).nth(1))
    second = key.map(second_of.set_axis(key.loc[second_of.index])).astype("float64")
    others = largest.where(value < largest, second).where(count > 1, 0.0)
    return pd.DataFrame(
        {
            "ratepayer_properties": count.astype("int64"),
            "ratepayer_total_rv_gbp": grouped.transform("sum"),
            "ratepayer_other_largest_rv_gbp": others,
        }
    )
