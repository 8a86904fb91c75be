"""The twins of the roll and of the registers beside it: one invented town, seen through each of them.

The ledger and the registers each see a part of the town (`town.draw_town`), each in its own words, with their own gaps
and spellings. What is true of each business stays known, so a method can be scored; a score is one on a twin.
"""

from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from councilbook.business_rates.bills.bill_inputs import find_nation
from councilbook.business_rates.bills.rules import Nation
from councilbook.business_rates.twin.town import DAY, Town, draw_town, read_rules
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
    roll = town.businesses.loc[town.businesses["on_roll"], ["property_reference", "postcode"]]
    registers = list_records(town, request.seed, [nation])
    charities = registers[CHARITIES[nation]]
    registers[CHARITIES[nation]] = charities[charities["property_reference"].isin(roll["property_reference"])]
    pairs = []
    for register, rows in registers.items():
        records = rows.rename(columns={"property_reference": "own"})
        near = records.merge(roll, on="postcode")
        true = records[records["own"].isin(roll["property_reference"])].assign(property_reference=records["own"])
        pairs.append(pd.concat([near, true]).assign(register=register))
    both = pd.concat(pairs).drop_duplicates(["register", "unique_id", "property_reference"])
    both = both[random.random(len(both)) < REVIEWED]
    verdict = np.where(both["own"] == both["property_reference"], "link", "no link")
    verdict = np.where(random.random(len(both)) < UNSURE, "unsure", verdict)
    keys = both[["property_reference", "register", "unique_id"]].astype("str").to_numpy()
    table = pd.DataFrame({"pair_id": [name_pair(*key) for key in keys], "verdict": verdict})
    return table.to_csv(index=False).encode()


def list_records(town: Town, seed: int, nations: Sequence[Nation] = tuple(CHARITIES)) -> dict[str, pd.DataFrame]:
    """List whose record is which in each register of a town.

    Args:
        town: from `town.draw_town`.
        seed: what its registers were drawn from.
        nations: of whose registers of charities.

    Returns:
        By register: unique_id, property_reference (missing for who has gone, and for strangers) and postcode.
    """
    charities = town.businesses[town.businesses["charity_number"].notna()]
    registers = {
        "food_hygiene": draw_food_register(town, seed).rename(columns={"fhrs_id": "unique_id"}),
        "companies_house": draw_companies(town, seed).rename(columns={"company_number": "unique_id"}),
        "directory": draw_directory(town, seed).rename(columns={"directory_id": "unique_id"}),
    }
    for nation in nations:
        numbered = number_charities(charities, nation)
        registers[CHARITIES[nation]] = numbered.rename(columns={"charity_number": "unique_id"})
    return {name: one[["unique_id", "property_reference", "postcode"]] for name, one in registers.items()}


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
