"""The twins of the roll and of the registers beside it: one invented town, seen through each of them.

The ledger and the registers each see a part of the town (`town.draw_town`), each in its own words, with their own gaps
and spellings. What is true of each business stays known, so a method can be scored; a score is one on a twin.
"""

from xml.etree import ElementTree

import numpy as np
import pandas as pd

from councilbook.business_rates.bills.bill_inputs import YEARS, find_nation, prepare_bills
from councilbook.business_rates.bills.charges import Nation, Rules, compute_bills, find_small_business_share, load_rules
from councilbook.business_rates.twin.bills_twin import PLANTED, apply_unusual, plant_errors
from councilbook.business_rates.twin.town import DAY, PEOPLE, Town, draw_town, read_rules
from councilbook.catalogue import Source, TwinRequest
from councilbook.methods.linkage.review import name_pair

CLOSED_SINCE = 0.04  # of the food register, those that have gone
NOT_REGISTERED = 0.04  # of those that serve food, those that have not told the food register
AT_HOME = 0.15  # for each premises of the food register, those without a property of their own
IN_ANOTHERS_KITCHEN = 0.03
HOME_KINDS = ["Mobile caterer", "Other catering premises", "Retailers - other"]
LISTED = {"food": 0.75, "shop": 0.6, "other": 0.3}  # share of who trades that a business directory has
CATEGORIES = {
    "RESTAURANT": "Restaurant",
    "HOT FOOD": "Takeaway",
    "PUBLIC HOUSE": "Pub",
    "SHOP": "Shop",
    "SALON": "Hair salon",
}
GONE_FROM_DIRECTORY = 0.08
CHARITIES: dict[Nation, str] = {"scotland": "oscr", "england": "charity_commission"}
REVIEWED, UNSURE = 0.25, 0.02  # share of pairs that a clerk has looked at, and of these, that stay unsure
REGISTERED_ELSEWHERE = 0.45  # of companies, those whose registered office is not the property
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
STRANGERS = 4  # companies of no property here, for each that has one


def make_places(source: Source, request: TwinRequest) -> dict[str, bytes]:  # noqa: ARG001 (every twin takes its source)
    """Make the twins of the wards (GeoJSON) and of the data zones (CSV)."""
    town = draw_town(request)
    wards = town.wards.rename(columns={"ward_code": "WD25CD", "ward_name": "WD25NM"})
    zones = town.zones.rename(
        columns={"zone_code": "Data_Zone", "zone_name": "Intermediate_Zone", "population": "Total_population"}
    )
    return {
        "wards": wards.to_json(drop_id=True).encode(),
        "data_zones": zones.drop(columns="ward_code").to_csv(index=False).encode(),
    }


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
    bills = prepare_bills(accounts.rename(columns={**names, "credit_gbp": "account_credit_gbp"}), YEARS[nation])
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


def make_food_hygiene(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of the food hygiene register, in the layout of the Food Standards Agency's XML."""
    rows = draw_food_register(draw_town(request), request.seed)
    root = ElementTree.Element("FHRSEstablishment")
    header = ElementTree.SubElement(root, "Header")
    ElementTree.SubElement(header, "ItemCount").text = str(len(rows))
    collection = ElementTree.SubElement(root, "EstablishmentCollection")
    lines = rows["address"].str.rsplit(", ", n=1, expand=True)
    elements = pd.DataFrame(
        {
            "FHRSID": rows["fhrs_id"],
            "BusinessName": rows["business_name"],
            "BusinessType": rows["food_type"],
            "AddressLine1": lines[0],
            "AddressLine2": lines[1],
            "AddressLine3": "Invented",
            "AddressLine4": None,
            "PostCode": rows["postcode"],
            "RatingValue": "Pass",
            "RatingDate": rows["rating_date"].dt.strftime("%Y-%m-%d"),
        }
    )
    elements["AddressLine3"] = elements["AddressLine3"].where(rows["address"].notna())
    texts_of_all = elements.astype(object).where(elements.notna(), None).to_dict("records")
    for texts, x, y in zip(texts_of_all, rows["longitude"], rows["latitude"], strict=True):
        detail = ElementTree.SubElement(collection, "EstablishmentDetail")
        for tag, text in texts.items():
            ElementTree.SubElement(detail, str(tag)).text = text
        place = ElementTree.SubElement(detail, "Geocode")
        if pd.notna(x):
            ElementTree.SubElement(place, "Longitude").text = f"{x:.5f}"
            ElementTree.SubElement(place, "Latitude").text = f"{y:.5f}"
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def draw_food_register(town: Town, seed: int) -> pd.DataFrame:
    """Draw how the food register sees the businesses that serve food; `property_reference` says whose each row is.

    Returns:
        A row a food premises: fhrs_id, property_reference, business_name, food_type, address, postcode, latitude,
        longitude, rating_date. It knows a shop by its trading name, in other spellings, and keeps some that have gone.
    """
    random = np.random.default_rng([seed, 2])
    food = town.businesses[town.businesses["food_type"].notna()]
    count = len(food)
    names = pd.Series([_respell(name, random) for name in food["trading_name"]], index=food.index)
    gone = random.random(count) < CLOSED_SINCE
    others = pd.Series(random.permutation(names.to_numpy()), index=food.index)
    register = pd.DataFrame(
        {
            "fhrs_id": food["fhrs_id"].fillna(pd.Series([f"9{n:06d}" for n in range(count)], index=food.index)),
            "property_reference": food["property_reference"].mask(gone),
            "business_name": names.mask(gone, others),
            "food_type": food["food_type"],
            "address": food["address"],
            "postcode": food["postcode"],
            "latitude": food["latitude"],
            "longitude": food["longitude"],
            "rating_date": DAY - pd.to_timedelta(random.integers(10, 1500, count), unit="D"),
        }
    )
    known = np.random.default_rng([seed, 12]).random(count) >= NOT_REGISTERED
    known |= food["fhrs_id"].notna().to_numpy()
    return pd.concat([register[known], _draw_unrated(register, seed)], ignore_index=True)


def _draw_unrated(register: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw who is rightly on no roll: those who cook at home or in a van, and those in another's kitchen.

    As in the official register, a home has no address there.
    """
    random = np.random.default_rng([seed, 13])
    names = random.choice(read_rules()["words"]["firsts"], len(register)) + " " + register["business_name"]
    drawn = random.random(len(register))
    unrated = register.assign(
        business_name=names,
        property_reference=None,
        fhrs_id=[f"8{n:06d}" for n in range(len(register))],
        food_type=random.choice(HOME_KINDS, len(register)),
    )
    places = ["address", "postcode", "latitude", "longitude"]
    at_home = unrated[drawn < AT_HOME].assign(**dict.fromkeys(places))
    shared = unrated[(drawn >= AT_HOME) & (drawn < AT_HOME + IN_ANOTHERS_KITCHEN)]
    return pd.concat([at_home, shared.assign(food_type="Other catering premises")]).astype(register.dtypes)


def make_directory(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of a business directory."""
    town = draw_town(request)
    return draw_directory(town, request.seed).drop(columns="property_reference").to_csv(index=False).encode()


def make_link_verdicts(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of a clerk's verdicts on links: the truth of the invented town, with a few that are unsure.

    It has a verdict on a part of the true pairs, and of the pairs at one postcode.
    """
    town = draw_town(request)
    random = np.random.default_rng([request.seed, 14])
    nation = find_nation(next(iter(request.council.codes)))
    numbered = number_charities(town.businesses[town.businesses["on_roll"]], nation)
    roll = numbered[["property_reference", "postcode", "charity_number"]]
    charities = roll.dropna().rename(columns={"charity_number": "unique_id"})
    registers = {
        "food_hygiene": draw_food_register(town, request.seed).rename(columns={"fhrs_id": "unique_id"}),
        "companies_house": draw_companies(town, request.seed).rename(columns={"company_number": "unique_id"}),
        "directory": draw_directory(town, request.seed).rename(columns={"directory_id": "unique_id"}),
        CHARITIES[nation]: charities,
    }
    pairs = []
    for register, rows in registers.items():
        records = rows[["unique_id", "property_reference", "postcode"]].rename(columns={"property_reference": "own"})
        near = records.merge(roll[["property_reference", "postcode"]], on="postcode")
        true = records[records["own"].isin(roll["property_reference"])].assign(property_reference=records["own"])
        pairs.append(pd.concat([near, true]).assign(register=register))
    both = pd.concat(pairs).drop_duplicates(["register", "unique_id", "property_reference"])
    both = both[random.random(len(both)) < REVIEWED]
    verdict = np.where(both["own"] == both["property_reference"], "link", "no link")
    verdict = np.where(random.random(len(both)) < UNSURE, "unsure", verdict)
    keys = both[["property_reference", "register", "unique_id"]].astype("str").to_numpy()
    table = pd.DataFrame({"pair_id": [name_pair(*key) for key in keys], "verdict": verdict})
    return table.to_csv(index=False).encode()


def draw_directory(town: Town, seed: int) -> pd.DataFrame:
    """Draw a business directory of the town: it has some of who trades, and some who have gone.

    Returns:
        A row an entry: directory_id, property_reference (missing for who has gone), name, category, address, postcode.
    """
    random = np.random.default_rng([seed, 11])
    trading = town.businesses[
        town.businesses["is_occupied"] & ~town.businesses["kind"].isin(["public body", "charity"])
    ]
    category = pd.Series("Business", index=trading.index)
    for words, name in CATEGORIES.items():
        category = category.mask(trading["description"].str.contains(words, regex=False), name)
    shop = pd.Series(np.where(category == "Business", "other", "shop"), index=trading.index)
    share = shop.mask(trading["food_type"].notna(), "food").map(LISTED)
    listed = trading[random.random(len(trading)) < share]
    count = len(listed)
    names = pd.Series([_respell(name, random) for name in listed["trading_name"]], index=listed.index)
    gone = random.random(count) < GONE_FROM_DIRECTORY
    others = pd.Series(random.permutation(names.to_numpy()), index=listed.index)
    return pd.DataFrame(
        {
            "directory_id": [f"D{n:06d}" for n in random.permutation(count) + 1],
            "property_reference": listed["property_reference"].mask(gone),
            "name": names.mask(gone, others),
            "category": category[listed.index],
            "address": listed["address"],
            "postcode": listed["postcode"],
        }
    ).reset_index(drop=True)


def make_companies(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of the register of companies, with the columns of its free product that we read."""
    rows = draw_companies(draw_town(request), request.seed)
    layout = {
        "name": "CompanyName",
        "company_number": " CompanyNumber",
        "address": "RegAddress.AddressLine1",
        "postcode": "RegAddress.PostCode",
        "category": "CompanyCategory",
        "status": "CompanyStatus",
    }
    return rows[list(layout)].rename(columns=layout).to_csv(index=False).encode()


def draw_companies(town: Town, seed: int) -> pd.DataFrame:
    """Draw the register of companies: those of the town, and others that are of no property in it.

    Returns:
        A row a company: name, company_number, property_reference (missing for a stranger), address and postcode of
        the registered office, category, status.
    """
    random = np.random.default_rng([seed, 3])
    own = town.businesses[town.businesses["kind"] == "company"]
    count = len(own)
    away = random.random(count) < REGISTERED_ELSEWHERE
    others = town.businesses.sample(count, replace=True, random_state=random)
    here = pd.DataFrame(
        {
            "name": own["legal_name"].str.upper().to_numpy(),
            "company_number": own["company_number"].to_numpy(),
            "property_reference": own["property_reference"].to_numpy(),
            "address": own["address"].where(~away, others["address"].to_numpy()).to_numpy(),
            "postcode": own["postcode"].where(~away, others["postcode"].to_numpy()).to_numpy(),
            "status": "Active",
        }
    )
    words = read_rules()["words"]
    size = STRANGERS * count
    names = zip(*(random.choice(words[w], size) for w in ("firsts", "trades", "streets")), strict=True)
    elsewhere = town.businesses.sample(size, replace=True, random_state=random)
    strangers = pd.DataFrame(
        {
            "name": [f"{street} {first} {trade} LIMITED".upper() for first, trade, street in names],
            "company_number": [f"SC{n:06d}" for n in 500_000 + random.choice(99_999, size)],
            "property_reference": pd.NA,
            "address": elsewhere["address"].to_numpy(),
            "postcode": [f"ZY{1 + n % 20} {1 + n % 9}AB" for n in range(size)],
            "status": random.choice(
                ["Active", "Liquidation", "Active - Proposal to Strike off"], size, p=[0.9, 0.04, 0.06]
            ),
        }
    )
    both = pd.concat([here, strangers], ignore_index=True).drop_duplicates("company_number")
    return both.assign(category="Private Limited Company").sample(frac=1, random_state=random, ignore_index=True)


def make_charities(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of the Scottish Charity Register, with the columns of its export that we read."""
    own = _list_charities(request, "scotland")
    export = pd.DataFrame(
        {
            "Charity Number": own["charity_number"],
            "Charity Name": own["legal_name"],
            "Charity Status": "Active",
            "Postcode": own["postcode"],
            "Constitutional Form": "SCIO (Scottish Charitable Incorporated Organisation)",
            "Principal Office/Trustees Address": own["address"],
        }
    )
    return export.to_csv(index=False).encode()


def make_charity_commission(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of the register of charities in England and Wales, with the columns of its extract that we read."""
    own = _list_charities(request, "england")
    extract = pd.DataFrame(
        {
            "registered_charity_number": own["charity_number"],
            "linked_charity_number": 0,
            "charity_name": own["legal_name"].str.upper(),
            "charity_registration_status": "Registered",
            "charity_type": "CIO",
            "charity_contact_address1": own["address"],
            "charity_contact_address2": None,
            "charity_contact_address3": None,
            "charity_contact_postcode": own["postcode"],
        }
    )
    return extract.to_csv(index=False, sep="\t").encode()


def _list_charities(request: TwinRequest, nation: Nation) -> pd.DataFrame:
    town = draw_town(request).businesses
    return number_charities(town[town["charity_number"].notna()], nation)


def number_charities(businesses: pd.DataFrame, nation: Nation) -> pd.DataFrame:
    """Give charities the numbers of their nation's register: SC and digits in Scotland, else digits alone."""
    if nation == "scotland":
        return businesses
    digits = businesses["charity_number"].astype("str").str.removeprefix("SC")
    return businesses.assign(charity_number="9" + digits)


def _respell(name: str, random: np.random.Generator) -> str:
    """Write a trading name as another office would."""
    drawn = random.random()
    if drawn < 0.12:
        return f"The {name}"
    if drawn < 0.24:
        return name.replace(" and ", " & ").upper()
    if drawn < 0.32 and len(name) > 6:
        at = int(random.integers(2, len(name) - 2))
        return name[:at] + name[at + 1 :]
    if drawn < 0.38:
        return f"{name} (Ground Floor)"
    return name
