"""From a roll, as councils publish it, to what `bills.compute_bills` asks for.

Councils word reliefs in their own ways; what the words say is read here, and what they do not say stays open. A
person's name never leaves: ratepayers are compared by name, and only counts and sums come out.
"""

import pandas as pd

from councilbook.business_rates.bills.rules import Nation, count_days
from councilbook.errors import CheckError

YEARS: dict[Nation, str] = {"scotland": "2023-24", "england": "2019-20"}  # of the twin, and of the published rolls
RELIEF_COLUMNS = ["small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief"]
SMALL = r"small business|\bsbr|\bsbb|bonus"
NOT_SMALL = r"supporting|extension|transitional"  # schemes of their own, for who has lost the relief
CHARITY = r"charit|casc|sports club|^\s*mandatory(?: relief)?\s*$|; ?mandatory\b|\bmandatory;"
RETAIL = r"retail|hospitality|leisure"
PUB = r"\bpub\b|public house"
INDUSTRIAL = r"factory|workshop|warehouse|mill|industrial|works\b"
CHARITY_EMPTY = r"empty"


def find_nation(gss_code: str) -> Nation:
    """Tell whose rules a council is under, by the first letter of its GSS code."""
    return "scotland" if gss_code.startswith("S") else "england"


def prepare_bills(roll: pd.DataFrame, year: str) -> pd.DataFrame:
    """Make the bills of a year out of a roll: who claims what, for how many days.

    Args:
        roll: as read by the study, a row a property; any relief column may be missing.
        year: "2019-20".

    Returns:
        A row a property with a whole rateable value above 0 that is liable in the year; index and reference as
        in the roll, with the columns of `compute_bills` that a roll tells of, description, exemption, area (the outward
        part of the postcode) and, where the ledger has them, billed_gbp and account_credit_gbp. What is exempt pays
        nothing: its other_relief_gbp is the whole charge. A property whose value is missing, 0 or not whole
        pounds is left out: `roll.index.difference` tells which. A roll that gives small business relief to nobody
        does not tell who has it: then there is no claims_small_business.

    Raises:
        CheckError: the roll has no property_reference or no rateable_value_gbp.
    """
    if missing := [column for column in ("property_reference", "rateable_value_gbp") if column not in roll]:
        raise CheckError(f"The roll has no column {', '.join(missing)}.")
    start = pd.Timestamp(f"{year[:4]}-04-01")
    end = start + pd.Timedelta(days=count_days(year))
    value = roll["rateable_value_gbp"]
    begins = _get(roll, "liability_start_date", "datetime64[ns]")
    liable = (value > 0) & (value % 1 == 0) & ~(begins >= end)
    roll, begins = roll[liable.fillna(False).astype(bool)], begins[liable.fillna(False).astype(bool)]
    words = read_words(roll)
    bills = pd.DataFrame({"property_reference": roll["property_reference"], "year": year}, index=roll.index)
    bills["rateable_value_gbp"] = roll["rateable_value_gbp"].astype("float64")
    bills["liable_from_date"] = begins.where(begins > start)
    bills["is_occupied"] = _get(roll, "is_occupied", "boolean").fillna(True).astype(bool)
    bills["empty_since_date"] = _get(roll, "empty_since_date", "datetime64[ns]")
    if not words["claims_small_business"].any():
        words = words.drop(columns="claims_small_business")
    bills = bills.join(words).join(_count_properties(roll))
    bills["description"] = _get(roll, "description", "string").str.strip().str.upper()
    bills["is_industrial"] = (
        bills["description"].str.contains(INDUSTRIAL, case=False, regex=True).fillna(False).astype(bool)
    )
    bills["exemption"] = _get(roll, "exemption", "string").replace("", pd.NA)
    if bills["exemption"].notna().any():  # no year's rate reaches a pound in the pound, so this is the whole charge
        bills["other_relief_gbp"] = bills["rateable_value_gbp"].where(bills["exemption"].notna(), 0.0)
    bills["area"] = _get(roll, "postcode", "string").str.split(" ").str[0]
    for source, target in (("account_charge_gbp", "billed_gbp"), ("account_credit_gbp", "account_credit_gbp")):
        if source in roll and roll[source].notna().any():
            bills[target] = roll[source].astype("float64")
    return bills


def read_words(roll: pd.DataFrame) -> pd.DataFrame:
    """Read which reliefs a roll's words say were granted.

    Args:
        roll: with any of `RELIEF_COLUMNS`, as the council words them.

    Returns:
        By row claims_small_business, is_charity (mandatory relief of 80 percent), is_retail, is_pub, and reliefs, the
        words that are not empty, joined by "; ".
    """
    said = [_get(roll, column, "string").str.strip() for column in RELIEF_COLUMNS]
    joined = said[0].fillna("")
    for words in said[1:]:
        joined = joined + "; " + words.fillna("")
    filled = joined.str.strip("; ").str.replace(r"(?:; )+", "; ", regex=True)
    parts = filled.str.split(";").explode().str.strip()
    small = _has(parts, SMALL) & ~_has(parts, NOT_SMALL)
    charity = _has(parts, CHARITY) & ~_has(parts, CHARITY_EMPTY + "|rural|discretionary|top.?up")
    flags = {
        "claims_small_business": small,
        "is_charity": charity,
        "is_retail": _has(parts, RETAIL),
        "is_pub": _has(parts, PUB),
    }
    read = {name: flag.groupby(level=0).any().reindex(roll.index, fill_value=False) for name, flag in flags.items()}
    return pd.DataFrame(read).assign(reliefs=filled.where(filled != "").astype("string"))


def _has(parts: "pd.Series[str]", pattern: str) -> "pd.Series[bool]":
    return parts.str.contains(pattern, case=False, regex=True).fillna(False).astype(bool)


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
