"""The twin of a council's rates ledger: the invented town's accounts, with charges and errors in some."""

import numpy as np
import pandas as pd

from councilbook.business_rates.bills.bill_inputs import find_nation, prepare_bills
from councilbook.business_rates.bills.charges import compute_bills, find_small_business_share
from councilbook.business_rates.bills.rules import Rules, load_rules, name_year
from councilbook.business_rates.twin.bills_twin import PLANTED, apply_unusual, plant_errors
from councilbook.business_rates.twin.town import DAY, PEOPLE, Town, draw_town, read_rules
from councilbook.catalogue import Source, TwinRequest

LETTERS_TO_HOME = 0.7  # of people in business, those whose bills go elsewhere than to the property
SMALL_GBP = (
    12_000,
    15_000,
)  # rateable values up to which small businesses have all, and a part, of their bill relieved
CLAIMED = 0.88  # of those who may have that relief
IN_CREDIT = 0.035
MADE_LIABLE_LATE = 0.01
MONTH_BEFORE = DAY - pd.Timedelta(31, "D")
PLANTED_IN_LEDGER = set(PLANTED) - {"credit_not_paid"}  # a roll does not tell which accounts are closed


def make_ledger(source: Source, request: TwinRequest) -> dict[str, bytes]:  # noqa: ARG001 (every twin takes its source)
    """Make the twins of a Scottish council's ledger of non-domestic rates, now and a month before.

    They are laid out as an export of its system is. An error in an account stood there a month before.
    """
    town = draw_town(request)
    random = np.random.default_rng([request.seed, 1])
    right = _draw_accounts(town.businesses[town.businesses["on_roll"]].sort_values("property_reference"), random)
    now, _ = _charge_accounts(right, request)
    before = _charge_changed(_go_back(now, town, random, np.random.default_rng([request.seed, 10])), now, request)
    return {"rates_ledger": _write_ledger(now), "rates_ledger_before": _write_ledger(before)}


def list_bill_errors(request: TwinRequest) -> pd.DataFrame:
    """List the accounts of the ledger's twin whose bill is wrong.

    Returns:
        error (of `bills_twin.PLANTED`) and error_gbp (billed less right), index property_reference.
    """
    businesses = draw_town(request).businesses
    random = np.random.default_rng([request.seed, 1])
    accounts = _draw_accounts(businesses[businesses["on_roll"]].sort_values("property_reference"), random)
    _, truth = _charge_accounts(accounts, request)
    return truth[truth["error"].notna()]


def _draw_accounts(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Draw what a ledger holds beside property and occupier: letters, reliefs and credits."""
    count = len(rows)
    words = read_rules()["words"]
    away = rows["kind"].isin(PEOPLE) & (random.random(count) < LETTERS_TO_HOME)
    numbers, streets, towns = (
        random.integers(1, 90, count),
        *(random.choice(words[w], count) for w in ("streets", "towns")),
    )
    homes = [f"{n} {street} Crescent, {town}" for n, street, town in zip(numbers, streets, towns, strict=True)]
    small = (rows["rateable_value_gbp"] <= SMALL_GBP[1]) & rows["is_occupied"] & rows["kind"].isin(["company", *PEOPLE])
    bonus = np.where(
        rows["rateable_value_gbp"] <= SMALL_GBP[0], "Small Business Bonus 100%", "Small Business Bonus 25%"
    )
    credit = np.where(random.random(count) < IN_CREDIT, random.gamma(1.2, 600, count).round(2), np.nan)
    return rows.assign(
        letters=rows["address"].where(~away, pd.Series(homes, index=rows.index)),
        small_business=pd.Series(bonus, index=rows.index).where(small & (random.random(count) < CLAIMED)),
        mandatory=pd.Series("Charity 80%", index=rows.index).where(rows["charity_number"].notna()),
        credit_gbp=credit,
        trading_as=rows["trading_name"].where((random.random(count) < 0.45) & (rows["kind"] != "public body")),
    )


def _charge_accounts(accounts: pd.DataFrame, request: TwinRequest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Charge the accounts by the rules, a few in ways that a ledger does not show, and plant errors in some.

    Returns:
        The accounts with charge_gbp, some of their entries now wrong; and the truth of `plant_errors`, by
        property_reference. Who may have small business relief and has not is taken to have properties elsewhere.
    """
    random = np.random.default_rng([request.seed, 50])
    bills, rules = _prepare_accounts(accounts, request)
    entitled = bills["is_occupied"] & ~bills["is_charity"] & (find_small_business_share(bills, rules) > 0)
    elsewhere = entitled & ~bills["claims_small_business"]
    bills["hidden"] = pd.Series(pd.NA, index=bills.index, dtype="string").mask(elsewhere, "properties elsewhere")
    bills["billed_gbp"] = apply_unusual(random, bills, compute_bills(bills, rules)["net_gbp"])
    wrong, truth = plant_errors(bills.assign(is_closed=False), random, rules, kinds=PLANTED_IN_LEDGER)
    wrong.index = truth.index = pd.Index(wrong["property_reference"])
    written = accounts.set_index("property_reference", drop=False)
    written["charge_gbp"] = wrong["billed_gbp"]
    changed = truth.index[truth["error"].notna()]
    entries = ["rateable_value_gbp", "is_occupied", "empty_since_date"]
    written.loc[changed, entries] = wrong.loc[changed, entries]
    lost = ~wrong.loc[changed, "claims_small_business"]
    written.loc[changed[lost], "small_business"] = np.nan
    return written.set_index(accounts.index), truth


def _prepare_accounts(accounts: pd.DataFrame, request: TwinRequest) -> tuple[pd.DataFrame, Rules]:
    """Make bills of accounts as a reader of the ledger does, and get the rules of the council's nation."""
    nation = find_nation(next(iter(request.council.codes)))
    names = {
        "ledger_name": "ratepayer_name",
        "small_business": "small_business_relief",
        "mandatory": "mandatory_relief",
    }
    bills = prepare_bills(accounts.rename(columns={**names, "credit_gbp": "account_credit_gbp"}), name_year(DAY))
    return bills, load_rules(nation)


def _charge_changed(before: pd.DataFrame, now: pd.DataFrame, request: TwinRequest) -> pd.DataFrame:
    """Charge anew, by the rules, the accounts that had another value or were liable from another day."""
    charged = before.set_index("property_reference", drop=False)
    entries = ["rateable_value_gbp", "liability_start_date"]
    then = now.set_index("property_reference")[entries].reindex(charged.index)
    changed = charged.index[(charged[entries] != then).any(axis="columns")]
    bills, rules = _prepare_accounts(charged.loc[changed], request)
    charged.loc[changed, "charge_gbp"] = compute_bills(bills, rules)["net_gbp"].reindex(changed)
    return charged.reset_index(drop=True)


def _go_back(now: pd.DataFrame, town: Town, random: np.random.Generator, late: np.random.Generator) -> pd.DataFrame:
    """Return the ledger of a month before: other occupiers, a few properties that have gone since, other values.

    Most of who is another now was made liable after the fact, from a day before that month; `late` draws them.
    """
    new = (now["liability_start_date"] > MONTH_BEFORE) | (late.random(len(now)) < MADE_LIABLE_LATE)
    others = town.businesses[~town.businesses["on_roll"] | (town.businesses["kind"] == "company")]
    before = now.drop(now.sample(max(2, len(now) // 500), random_state=random).index)
    new = new.loc[before.index]
    names = others["legal_name"].sample(int(new.sum()), replace=True, random_state=random)
    before.loc[new, "ledger_name"] = names.str.upper().to_numpy()
    before.loc[new, "liability_start_date"] -= pd.Timedelta(900, "D")
    before.loc[new, "trading_as"] = None
    appealed = before.sample(max(2, len(now) // 300), random_state=random).index
    before.loc[appealed, "rateable_value_gbp"] = (before.loc[appealed, "rateable_value_gbp"] * 1.1).round(-1)
    gone = now.sample(max(2, len(now) // 400), random_state=random)
    gone = gone.assign(
        property_reference=[f"{n:010d}" for n in range(3_100_000_000, 3_100_000_000 + len(gone))],
        uprn=[f"{n:012d}" for n in range(980_000_000_000, 980_000_000_000 + len(gone))],
        address="Demolished unit, " + gone["address"],
    )
    return pd.concat([gone, before])


def _write_ledger(rows: pd.DataFrame) -> bytes:
    ledger = pd.DataFrame(
        {
            "Property Reference": rows["property_reference"],
            "UPRN": rows["uprn"],
            "Ratepayer Name": rows["ledger_name"],
            "Trading Name": rows["trading_as"],
            "Ratepayer Address": rows["letters"],
            "Property Address": rows["address"],
            "Postcode": rows["postcode"],
            "Latitude": rows["latitude"],
            "Longitude": rows["longitude"],
            "Description": rows["description"],
            "Rateable Value": rows["rateable_value_gbp"].astype(int),
            "Liability Start Date": rows["liability_start_date"].dt.strftime("%Y-%m-%d"),
            "Occupied": np.where(rows["is_occupied"], "Y", "N"),
            "Empty From": rows["empty_since_date"].dt.strftime("%Y-%m-%d"),
            "Small Business Relief": rows["small_business"],
            "Mandatory Relief": rows["mandatory"],
            "Net Liability": rows["charge_gbp"].map("{:.2f}".format, na_action="ignore"),
            "Account Credit": rows["credit_gbp"],
        }
    )
    return ledger.to_csv(index=False).encode()
