"""What of the roll goes out, and in which of three tiers: open, whole but made coarser, and closed.

The open tier follows the common format for business rates of the Open Data Collaboration at ODI Leeds (now Open
Innovations; https://odileeds.github.io/business-rates/format): a row a property, ISO dates, coordinates in WGS84. Our
columns are called as everywhere in this workbook; STANDARD has the heading of each there, and `lay_out_standard` writes
a register under those headings.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.names.persons import (
    CHARITY_REGISTERS,
    NO_EVIDENCE,
    ORGANISATION,
    THRESHOLD,
    WITHHELD,
    canonicalise_names,
)
from councilbook.catalogue import RegisterRule
from councilbook.errors import CheckError
from councilbook.gate.disclosure.registers import protect_register, split_words

STANDARD: Mapping[str, str] = {  # our column, and the heading that the standard has for it
    "property_reference": "Property reference number",
    "ba_reference": "BA reference number",
    "released_name": "Ratepayer",
    "company_number": "Company number",
    "charity_number": "Charity number",
    "address": "Address",
    "postcode": "Postcode",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "is_occupied": "Occupied",
    "liability_start_date": "Liability start date",
    "empty_since_date": "Empty from",
    "rateable_value_gbp": "Rateable value",
    "description_code": "VOA code",
    "description": "VOA description",
    "exemption": "Exemptions",
}
RELIEF_TYPES = "Relief types"  # the words of all reliefs; "Relief mandatory" and the like are amounts there
PROPERTY = [
    "property_reference",
    "ba_reference",
    "address",
    "postcode",
    "ward_code",
    "zone_code",
    "description_code",
    "description",
    "rateable_value_gbp",
    "latitude",
    "longitude",
]
RELIEFS = ["small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief", "exemption"]
NUMBERS = ["company_number", "charity_number"]
OF_RATEPAYER = [*NUMBERS, "liability_start_date", "is_occupied", "empty_since_date", *RELIEFS]
FOR_GATE = ["is_organisation", "ratepayer_name"]
DECIMALS = 5  # of a degree: a metre
HOME_DECIMALS = 2  # a kilometre
CREDIT_BANDS = {0: "up to £100", 100: "£100 to £1,000", 1_000: "£1,000 to £10,000", 10_000: "over £10,000"}
VALUE_BANDS = {
    0: "up to £5,000",
    5_000: "£5,000 to £12,000",
    12_000: "£12,000 to £15,000",
    15_000: "£15,000 to £51,000",
    51_000: "over £51,000",
}
GROUPS: Mapping[str, str] = {  # words of a description, the first that fits, and what such a property is used for
    r"SELF.?CATERING|HOLIDAY|GUEST|HOTEL|MOTEL|HOSTEL|\bBED\b|CAMPING|CARAVAN|CHALET|TIME SHARE": "Accommodation",
    r"CLUBHOUSE|CLUB HOUSE|SPORTS CLUB|BOWLING CLUB|GOLF|FIRE STATION|AMBULANCE": "Public services and community",
    r"RESTAURANT|CAFE|TAKE.?AWAY|PUBLIC HOUSE|\bCLUB\b|\bFOOD\b|\bBAR\b": "Food and drink",
    r"(?<!TELEPHONE )KIOSK|RETAIL|(?<!WORK)SHOPS?\b|SALON|SHOWROOM|SUPERSTORE|HYPERMARKET|BANK\b|MARKET|"
    r"LAUNDERETTE|POST OFFICE|FILLING STATION": "Shops and services",
    r"\bOFFICES?\b|COMPUTER CENTRE": "Offices",
    r"SPORT|PLAYING|CEMETERY|CREMATORI|SWIMMING|SCHOOL|COLLEGE|NURSERY|UNIVERSITY|SURGERY|CLINIC|HOSPITAL|HEALTH|"
    r"\bHALL\b|CHURCH|LIBRARY|MUSEUM|COMMUNITY|\bGYM|LEISURE|DAY CENTRE|STADIUM|TENNIS|MARINA|FOOTBALL|CINEMA|"
    r"THEATRE|AMUSEMENT|BEACH HUT|POLICE|LAW COURT|PRISON|\bHOME\b": "Public services and community",
    r"WORKSHOP|FACTORY|WAREHOUSE|\bSTORE\b|STORAGE|\bYARD|DEPOT|GARAGE|(?<!SEWAGE TREATMENT )\bWORKS\b|BRICKWORKS|"
    r"MILL\b|INDUSTR|QUARRY|\bMINE\b|BUSINESS UNIT|BATCHING|TIPPING|SPOIL|PEAT": "Industry and storage",
}
OTHER_GROUP = "Other"
HOMES = (
    r"SELF.?CATERING|HOLIDAY (?!INN|CENTRE)|BED (?:AND|&) BREAKFAST|GUEST HOUSE|CHILD ?MIND|LIVING ACCOMMODATION|"
    r"DOMESTIC|CROFT|FLAT\b"
)
WAYS = (
    "STREET|ST|ROAD|RD|LANE|LN|AVENUE|AVE|DRIVE|PLACE|PL|COURT|CRESCENT|CRES|TERRACE|GARDENS|WAY|CLOSE|GROVE|SQUARE|"
    r"HILL|WYND|BRAE|LOAN|QUAY|ROW|GREEN|MEWS|\w*GATE|WALK|PARADE|ESPLANADE"
)
_EXACT = re.compile(r"(?i)\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b\d+\w*\b|\b(?:FLAT|UNIT|APARTMENT|APT)S?\b")
_STREET = re.compile(rf"(?i)\b(?:{WAYS})\.?$")
ALL_WARDS, ALL_USES, NO_WARD = "All wards", "All uses", "not known"
NOT_TOLD, NO_CREDIT = "not known", "none"


# --- the open register ---


def make_open_register(
    roll: pd.DataFrame,
    parties: pd.DataFrame,
    places: pd.DataFrame,
    homes: "pd.Series[bool]",
    numbers: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Lay out the roll for the gate's rule `register`: what it makes of it is the open tier.

    Args:
        roll: the roll, a row a property.
        parties: a row a property, from `persons.classify_parties`.
        places: ward_code and zone_code of each row, from `find_places`.
        homes: whether somebody lives in the property; its address is then made coarser, see `hide_homes`.
        numbers: NUMBERS of each row, from `find_numbers`; without them these stay blank.

    Returns:
        A row a property by reference: PROPERTY, released_name, OF_RATEPAYER, the point, and FOR_GATE, which the gate
        reads and takes away. The ratepayer's own address, the trading name and the UPRN, which gives the exact place of
        a home, are not in it.

    Raises:
        CheckError: the parties are not those of the roll, or a reference is there twice.
    """
    _check_same_rows(roll, parties)
    if roll["property_reference"].duplicated().any():
        raise CheckError(f"{int(roll['property_reference'].duplicated().sum())} property references are there twice.")
    empty = find_empty(roll)
    told = roll.assign(**places, description=fill_descriptions(roll), is_occupied=~empty)
    register = hide_homes(told, homes)
    register[["latitude", "longitude"]] = register[["latitude", "longitude"]].astype("float64").round(DECIMALS)
    register["released_name"] = parties["released_name"].to_numpy()
    for name in NUMBERS:
        register[name] = pd.Series(None if numbers is None else numbers[name].to_numpy(), register.index, dtype="str")
    register["is_organisation"] = (parties["party"] == ORGANISATION).to_numpy()
    columns = [*PROPERTY, "released_name", *OF_RATEPAYER, *FOR_GATE]
    points = gpd.GeoSeries.from_xy(register["longitude"], register["latitude"], crs=4326)
    placed = register[["latitude", "longitude"]].notna().all(axis="columns").to_numpy()
    frame = gpd.GeoDataFrame(register[columns], geometry=points.where(placed, None).to_numpy(), crs=4326)
    return frame.sort_values("property_reference", ignore_index=True)


def _check_same_rows(roll: pd.DataFrame, parties: pd.DataFrame) -> None:
    ours, theirs = (frame["property_reference"].reset_index(drop=True) for frame in (roll, parties))
    if not ours.equals(theirs):
        raise CheckError("The parties must have the rows of the roll, in its order.")


def find_numbers(
    parties: pd.DataFrame, links: pd.DataFrame | None, entries: pd.DataFrame | None, threshold: float = THRESHOLD
) -> pd.DataFrame:
    """Find the company and the charity number of each organisation whose name is that of a register entry.

    A likely link alone is not enough: a wrong number would say of one company what is another's.

    Args:
        parties: from `persons.classify_parties`.
        links: property_reference, register, unique_id and match_probability; None without a register.
        entries: unique_id, register and name.
        threshold: least probability of a link that counts; of several the likeliest is taken.

    Returns:
        NUMBERS, on the parties' index.
    """
    numbers = pd.DataFrame(None, index=parties.index, columns=NUMBERS, dtype="str")
    if links is None or entries is None:
        return numbers
    sure = links[links["match_probability"] >= threshold].merge(entries, on=["register", "unique_id"])
    named = sure.merge(parties[["property_reference", "released_name"]].dropna(), on="property_reference")
    same = canonicalise_names(named["name"].astype("str").fillna("")) == canonicalise_names(named["released_name"])
    best = named[same].sort_values("match_probability", kind="stable")
    for column, registers in zip(NUMBERS, [["companies_house"], CHARITY_REGISTERS], strict=True):
        own = best[best["register"].isin(registers)].drop_duplicates("property_reference", keep="last")
        found = parties["property_reference"].map(own.set_index("property_reference")["unique_id"])
        numbers[column] = found.astype("str")
    return numbers


def lay_out_standard(register: pd.DataFrame) -> pd.DataFrame:
    """Write a register under the headings and in the formats of the standard, for the gate's rule `register`.

    The gate writes REDACTED where a ratepayer is withheld, as the standard suggests: a blank says there that a property
    is empty.

    Args:
        register: from `make_open_register`.

    Returns:
        Text: the columns of STANDARD, RELIEF_TYPES, and FOR_GATE as they are.
    """
    text = pd.DataFrame({heading: _write_standard(register[column]) for column, heading in STANDARD.items()})
    words = register[[name for name in RELIEFS if name != "exemption"]].astype("str")
    text[RELIEF_TYPES] = ["; ".join(row.dropna()) or None for _, row in words.iterrows()]
    return text.astype("str").assign(**{name: register[name] for name in FOR_GATE})


def _write_standard(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "Y", False: "N"})
    if pd.api.types.is_datetime64_any_dtype(values):
        dates: pd.Series = values.dt.strftime("%Y-%m-%d")
        return dates
    return values.map("{:.12g}".format, na_action="ignore") if pd.api.types.is_numeric_dtype(values) else values


@cache
def read_descriptions() -> pd.DataFrame:
    """Read the Valuation Office Agency's primary description codes, with the use that we group each under.

    Source: Valuation Office Agency, 2017 Compiled List and SMV Data Specification, OGL v3.0; the groups are ours, from
    its 36 kinds of property.

    Returns:
        description and use, by code.
    """
    with files(__package__).joinpath("voa_descriptions.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, index_col="code", dtype="str")


def fill_descriptions(roll: pd.DataFrame) -> pd.Series:
    """Give a property without a description that of its code, where it is a code of the Valuation Office Agency."""
    by_code = roll["description_code"].map(read_descriptions()["description"]).astype("str")
    filled: pd.Series = roll["description"].astype("str").fillna(by_code)
    return filled


def find_empty(roll: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which property is empty: it is said so, or it has a date since when.

    The standard has Y, or N, or nothing for what is empty: in a roll that never says N, nothing means empty.

    Args:
        roll: is_occupied, empty_since_date.

    Returns:
        A boolean that is missing where it is not known.
    """
    occupied = roll["is_occupied"].astype("boolean")
    empty = ~occupied
    empty = empty.mask(occupied.isna() & roll["empty_since_date"].notna(), True)
    if occupied.any() and not empty.any():
        return empty.fillna(True)
    return empty


def withhold_alike(parties: pd.DataFrame, roll: pd.DataFrame) -> pd.DataFrame:
    """Withhold a name that is withheld in another row, in whichever letters it is written there.

    A register's evidence holds for the row that is linked; another row of the same name may be somebody else's.

    Args:
        parties: from `persons.classify_parties`.
        roll: the roll.
    """
    withheld = roll["ratepayer_name"][(parties["party"] != ORGANISATION).to_numpy()].dropna()
    inside = {split_words(name) for name in withheld} - {()}
    alike = np.array([split_words(name) in inside for name in parties["released_name"].fillna("")], dtype=bool)
    safe = parties.copy()
    safe.loc[alike, ["party", "reason"]] = WITHHELD, NO_EVIDENCE
    safe["released_name"] = safe["released_name"].mask(alike)
    return safe


def show_parties(parties: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Take each property's party from what the register shows of it, which may be held back.

    Args:
        parties: from `persons.classify_parties`.
        register: from `changes.hold_back`.
    """
    named = parties["property_reference"].map(register.set_index("property_reference")["is_organisation"].astype(bool))
    return parties.assign(party=np.where(named, ORGANISATION, WITHHELD))


def find_places(roll: pd.DataFrame, wards: gpd.GeoDataFrame | None, zones: pd.DataFrame | None) -> pd.DataFrame:
    """Find the ward of each property, and the data zone whose centre in the same ward is nearest.

    Args:
        roll: latitude and longitude of each property.
        wards: ward_code and outline; None where a council has no file of them.
        zones: zone_code, latitude and longitude of its centre. As outlines of zones are not at hand, a zone found by
            its centre is approximate.

    Returns:
        ward_code and zone_code on the roll's index; missing where there is no position, or no file.
    """
    found = pd.DataFrame({"ward_code": None, "zone_code": None}, index=roll.index, dtype="str")
    known = roll[["latitude", "longitude"]].notna().all(axis="columns")
    if wards is None or not known.any():
        return found
    points = _make_points(roll[known])
    joined = gpd.sjoin(points, wards[["ward_code", "geometry"]], how="left")
    found.loc[known, "ward_code"] = joined.loc[~joined.index.duplicated(), "ward_code"].astype("str")
    if zones is None:
        return found
    centres = gpd.sjoin(_make_points(zones), wards[["ward_code", "geometry"]])[["zone_code", "ward_code", "geometry"]]
    for ward, properties in points.groupby(found.loc[known, "ward_code"]):
        own = centres.loc[centres["ward_code"] == ward, ["zone_code", "geometry"]]
        if len(own):
            nearest = gpd.sjoin_nearest(properties.to_crs(27700), own.to_crs(27700))
            nearest = nearest[~nearest.index.duplicated()]
            found.loc[nearest.index, "zone_code"] = nearest["zone_code"].astype("str")
    return found


def name_wards(codes: pd.Series, wards: pd.DataFrame | None) -> pd.Series:
    """Return the name of each ward by its code; what is no ward, as ALL_WARDS, keeps its words."""
    names = {} if wards is None else dict(zip(wards["ward_code"], wards["ward_name"], strict=True))
    return codes.map(names).astype("str").fillna(codes)


def _make_points(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    places = frame[["longitude", "latitude"]].astype("float64")
    points = gpd.points_from_xy(places["longitude"], places["latitude"])
    return gpd.GeoDataFrame(pd.DataFrame(frame), geometry=points, crs=4326)


def find_homes(roll: pd.DataFrame) -> "pd.Series[bool]":
    """Tell by its description which property somebody is likely to live in (HOMES)."""
    return fill_descriptions(roll).str.upper().str.contains(HOMES, regex=True, na=False).astype(bool)


def hide_homes(roll: pd.DataFrame, homes: "pd.Series[bool]") -> pd.DataFrame:
    """Make the place of a property that somebody lives in coarser: street, first half of the postcode, a kilometre.

    Of the address stays its last street, without the number, and what follows it. Where no street is recognised only
    the last part stays, which is the town. So names of houses go, as does the postcode that many addresses end with.

    Args:
        roll: address, postcode, zone_code, latitude, longitude. The ward stays.
        homes: which rows are homes.
    """
    hidden = roll.copy()
    at = homes.to_numpy(dtype=bool)
    hidden.loc[at, "address"] = roll.loc[at, "address"].map(_keep_street, na_action="ignore")
    hidden["postcode"] = roll["postcode"].mask(at, roll["postcode"].astype("str").str.replace(r"\s.*", "", regex=True))
    hidden["zone_code"] = roll["zone_code"].mask(at)
    for name in ("latitude", "longitude"):
        exact = roll[name].astype("float64")
        hidden[name] = exact.mask(at, exact.round(HOME_DECIMALS))
    return hidden


def _keep_street(address: str) -> str | None:
    bare = (" ".join(_EXACT.sub(" ", part).split()).strip(" -/.&()") for part in address.split(","))
    parts = [part for part in bare if part]
    streets = [place for place, part in enumerate(parts) if _STREET.search(part)]
    return ", ".join(parts[streets[-1] if streets else -1 :]) or None


def list_withheld_names(register: pd.DataFrame) -> pd.Series:
    """List the names that a register withholds, as they are in the roll; missing ones are left out."""
    names: pd.Series = register.loc[~register["is_organisation"].astype(bool), "ratepayer_name"].dropna()
    return names


def remove_withheld_names(register: pd.DataFrame, others: pd.Series | None = None) -> pd.Series:
    """Take the names of all that are withheld out of the addresses, as the gate does for a register that is whole.

    A cutting holds but a few rows, so the gate would not know there whose names to take out; and it does not know who
    was withheld in another version.

    Args:
        register: address, and FOR_GATE.
        others: names withheld in other versions, which have to go as well.

    Returns:
        The addresses.
    """
    known = [pd.DataFrame(register[["address", *FOR_GATE]])]
    if others is not None:
        known.append(pd.DataFrame({"is_organisation": False, "ratepayer_name": others.dropna().astype("str")}))
    texts = pd.concat(known, ignore_index=True).astype({"address": "str"})
    rule = RegisterRule(
        rule="register",
        approver="nobody: nothing leaves by it",
        law="It takes names out of texts, and releases nothing.",
        public=["address"],
        name="name",
        is_organisation=FOR_GATE[0],
        name_inside=FOR_GATE[1],
    )
    safe = protect_register(texts.assign(name=pd.Series(None, index=texts.index, dtype="str")), rule).frame
    return pd.Series(safe["address"].to_numpy()[: len(register)], index=register.index, dtype="str")


# --- what people ask for ---


def count_back(as_of: str, months: int = 12) -> str:
    """Return the day so many months before a day, both ISO, as for `list_extracts`."""
    return str((pd.Timestamp(as_of) - pd.DateOffset(months=months)).date())


def find_new_since(roll: pd.DataFrame, as_of: str) -> str:
    """Return the day since when a ratepayer is new: a year before the roll's last start, or before now if it has none.

    A roll that was published years ago has no start in the last year, and the newest in it are asked for all the same.

    Args:
        roll: liability_start_date.
        as_of: ISO date of now.
    """
    last = roll["liability_start_date"].max()
    return count_back(as_of if pd.isna(last) else str(last.date()))


def list_extracts(
    register: pd.DataFrame, roll: pd.DataFrame, parties: pd.DataFrame, *, new_since: str
) -> dict[str, pd.DataFrame]:
    """Cut the extracts that people ask for most from the register: each asks for rows, and is laid out as it is.

    They hold organisations alone: that somebody is new, has a credit or a relief, or left a shop empty, tells of them.

    Args:
        register: from `make_open_register`, or `changes.hold_back`.
        roll: the roll it was made of, for the credits.
        parties: from `persons.classify_parties`; where a row is held back, the credit is somebody else's by now.
        new_since: ISO date; who is liable since then or later is new.

    Returns:
        By name: new_ratepayers, empty_properties, accounts_in_credit (with credit_band), small_business_relief.
    """
    clean = register.assign(address=remove_withheld_names(register))
    named = clean[clean["is_organisation"].astype(bool)]
    own = roll[(parties["party"] == ORGANISATION).to_numpy()]
    credit = own.set_index("property_reference")["account_credit_gbp"].astype("float64")
    owed = named["property_reference"].map(credit).astype("float64")
    bands = cut_bands(owed, CREDIT_BANDS)
    is_empty = ~named["is_occupied"].astype("boolean").fillna(True)
    return {
        "new_ratepayers": named[named["liability_start_date"] >= pd.Timestamp(new_since)],
        "empty_properties": named[is_empty.to_numpy(dtype=bool)],
        "accounts_in_credit": named.assign(credit_band=bands)[(owed > 0).to_numpy()],
        "small_business_relief": named[named["small_business_relief"].notna()],
    }


def cut_bands(values: pd.Series, bands: Mapping[int, str]) -> pd.Series:
    """Name the band of each value: bands are by the least value that is beyond the one below; missing stays missing."""
    numbers = values.astype("float64")
    names = np.array(list(bands.values()), dtype=object)
    placed = np.clip(np.searchsorted(list(bands), numbers, side="left") - 1, 0, None)
    return pd.Series(names[placed % len(names)], index=values.index, dtype="str").where(numbers.notna())


def group_descriptions(descriptions: pd.Series, codes: pd.Series | None = None) -> pd.Series:
    """Group properties by what they are used for: by code where there is one, else by the words of the description.

    Args:
        descriptions: what each property is.
        codes: its primary description code of the Valuation Office Agency, see `read_descriptions`.

    Returns:
        A group of GROUPS; OTHER_GROUP where nothing fits.
    """
    upper = descriptions.astype("str").str.upper()
    groups = pd.Series(OTHER_GROUP, index=descriptions.index, dtype="str")
    for pattern, group in reversed(list(GROUPS.items())):
        groups = groups.mask(upper.str.contains(pattern, regex=True, na=False), group)
    if codes is None:
        return groups
    by_code = codes.map(read_descriptions()["use"]).astype("str")
    return groups.mask(by_code.notna() & ((by_code != OTHER_GROUP) | descriptions.isna()), by_code)


# --- every row, made coarser ---


def make_deidentified(roll: pd.DataFrame, places: pd.DataFrame, parties: pd.DataFrame | None = None) -> pd.DataFrame:
    """Lay out the roll for the gate's rule `records`, which makes it coarser.

    With the parties it holds the rows that the open register withholds, so the two together tell of every property.
    Without them it holds all rows; then whoever has the register takes the organisations' reliefs off a group, and
    knows those of the few who are left.

    The number of a record comes from a shuffle that the closed ledger itself is the key of: it tells of no order, and
    nobody who lacks the ledger can repeat it, while the same ledger gives the same numbers.

    Args:
        roll: the roll, a row a property.
        places: ward_code of each row.
        parties: from `persons.classify_parties`, or None.

    Returns:
        record, ward_code, use, value_band, liability_year, occupancy, relief, credit.
    """
    year = roll["liability_start_date"].dt.year.astype("Float64")
    credit = roll["account_credit_gbp"].astype("float64")
    frame = pd.DataFrame(
        {
            "ward_code": places["ward_code"].fillna(NO_WARD),
            "use": group_descriptions(roll["description"], roll["description_code"]),
            "value_band": cut_bands(roll["rateable_value_gbp"], VALUE_BANDS),
            "liability_year": year,
            "occupancy": find_empty(roll).map({True: "empty", False: "occupied"}).astype("str").fillna(NOT_TOLD),
            "relief": _name_reliefs(roll),
            "credit": cut_bands(credit.where(credit > 0), CREDIT_BANDS).fillna(
                NO_CREDIT if credit.notna().any() else NOT_TOLD
            ),
        }
    )
    if parties is not None:
        _check_same_rows(roll, parties)
        frame = frame[(parties["party"] != ORGANISATION).to_numpy()]
    mixed: pd.DataFrame = frame.iloc[_shuffle(roll, len(frame))].reset_index(drop=True)
    return mixed.assign(record=range(1, len(mixed) + 1))


def _shuffle(roll: pd.DataFrame, count: int) -> list[int]:
    """Draw an order whose seed is made of all that the ledger holds, which nobody else knows."""
    rows = pd.util.hash_pandas_object(roll.astype("str"), index=False).to_numpy()
    seed = hashlib.blake2b(rows.tobytes(), digest_size=32).digest()
    order: list[int] = np.random.default_rng(int.from_bytes(seed, "big")).permutation(count).tolist()
    return order


def _name_reliefs(roll: pd.DataFrame) -> pd.Series:
    given = roll[RELIEFS].notna()
    named = {
        "small business": given["small_business_relief"],
        "charity": given["mandatory_relief"],
        "other": given[["discretionary_relief", "other_relief", "exemption"]].any(axis="columns"),
    }
    reliefs = pd.Series("none" if given.any(axis=None) else NOT_TOLD, index=roll.index, dtype="str")
    for name, has in reversed(list(named.items())):
        reliefs = reliefs.mask(has, name)
    return reliefs


# --- tables ---


def count_withheld(groups: pd.Series, roll: pd.DataFrame, parties: pd.DataFrame, total: str) -> pd.DataFrame:
    """Count the properties whose ratepayer is withheld, and empty and relieved ones among them, by a group.

    Those of organisations stand one by one in the open register. A count of all gives back that of the few others to
    whoever takes those off, so the gate has to see these by themselves (rule `counts`, part_of withheld_properties).

    Args:
        groups: the group of each row of the roll, as its ward; its name names the column.
        total: what the row is called that stands for all groups.

    Returns:
        The group, properties, withheld_properties, withheld_empty, withheld_relieved; the total last. What the roll
        tells of no property is missing.
    """
    _check_same_rows(roll, parties)
    withheld = (parties["party"] != ORGANISATION).to_numpy()
    empty, relieved = find_empty(roll), roll["small_business_relief"].notna()
    rows = pd.DataFrame(
        {
            "properties": 1,
            "withheld_properties": withheld.astype(int),
            "withheld_empty": (empty.fillna(False).to_numpy(dtype=bool) & withheld).astype(int),
            "withheld_relieved": (relieved.to_numpy() & withheld).astype(int),
        },
        index=groups.index,
    )
    by = str(groups.name)
    sums = rows.groupby(groups.astype("str")).sum().rename_axis(by).reset_index()
    counts = pd.concat([sums, rows.sum().to_frame().T.assign(**{by: total})], ignore_index=True)[sums.columns]
    told = {"withheld_empty": empty.notna().any(), "withheld_relieved": relieved.any()}
    blank = pd.Series(pd.NA, counts.index, dtype="Int64")
    return counts.assign(**{name: blank for name, is_told in told.items() if not is_told})
