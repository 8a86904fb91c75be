"""What of the roll goes out, and in which of three tiers: open, whole but made coarser, and closed.

The open tier follows the column standard for business rates of ODI Leeds (now Open Innovations; the README of its
repository `business-rates`): a row a property, ISO dates, coordinates in WGS84. Our columns are called as everywhere in
this workbook; the catalogue's description of each field names the column of the standard.
"""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.persons import NO_EVIDENCE, ORGANISATION, WITHHELD
from councilbook.disclosure.registers import split_words
from councilbook.errors import CheckError

PROPERTY = [
    "property_reference",
    "address",
    "postcode",
    "ward_code",
    "zone_code",
    "description",
    "rateable_value_gbp",
    "latitude",
    "longitude",
]
RELIEFS = ["small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief", "exemption"]
OF_RATEPAYER = ["liability_start_date", "is_occupied", "empty_since_date", *RELIEFS]
FOR_GATE = ["is_organisation", "ratepayer_name"]
DECIMALS = 5  # of a degree: a metre
CREDIT_BANDS = {0: "up to £100", 100: "£100 to £1,000", 1_000: "£1,000 to £10,000", 10_000: "over £10,000"}
VALUE_BANDS = {
    0: "up to £5,000",
    5_000: "£5,000 to £12,000",
    12_000: "£12,000 to £15,000",
    15_000: "£15,000 to £51,000",
    51_000: "over £51,000",
}
GROUPS: Mapping[str, str] = {  # words of a description, the first that fits, and what such a property is used for
    r"SELF CATERING|HOLIDAY|GUEST|HOTEL|HOSTEL|BED": "Accommodation",
    r"RESTAURANT|CAFE|TAKEAWAY|TAKE AWAY|PUBLIC HOUSE|CLUB|FOOD|BAR\b": "Food and drink",
    r"SHOP|SALON|SHOWROOM|STORE\b(?! AND)|SUPERMARKET|RETAIL|KIOSK|BANK|MARKET": "Shops and services",
    r"OFFICE|STUDIO|BUSINESS UNIT": "Offices",
    r"WORKSHOP|FACTORY|WAREHOUSE|STORE|YARD|DEPOT|GARAGE|WORKS|MILL|LAND|INDUSTR|QUARRY": "Industry and storage",
    r"SCHOOL|COLLEGE|NURSERY|UNIVERSITY|SURGERY|CLINIC|HOSPITAL|HEALTH|HALL|CHURCH|LIBRARY|MUSEUM|COMMUNITY|SPORT|GYM|"
    r"LEISURE|DAY CENTRE": "Public services and community",
}
OTHER_GROUP = "Other"
HOMES = (
    r"SELF.?CATERING|HOLIDAY|BED (?:AND|&) BREAKFAST|GUEST HOUSE|CHILD ?MIND|LIVING ACCOMMODATION|DOMESTIC|CROFT|FLAT\b"
)
ALL_WARDS, ALL_USES, NO_WARD = "All wards", "All uses", "not known"


def make_open_register(
    roll: pd.DataFrame, parties: pd.DataFrame, places: pd.DataFrame, homes: "pd.Series[bool]"
) -> gpd.GeoDataFrame:
    """Lay out the roll for the gate's rule `register`: what it makes of it is the open tier.

    Args:
        roll: the roll, a row a property.
        parties: a row a property, from `persons.classify_parties`.
        places: ward_code and zone_code of each row, from `find_places`.
        homes: whether somebody lives in the property; its address is then made coarser, see `hide_homes`.

    Returns:
        A row a property by reference: PROPERTY, released_name, OF_RATEPAYER, the point, and FOR_GATE, which the gate
        reads and takes away. The ratepayer's own address and the trading name are not in it.

    Raises:
        CheckError: the parties are not those of the roll.
    """
    if (
        not parties["property_reference"]
        .reset_index(drop=True)
        .equals(roll["property_reference"].reset_index(drop=True))
    ):
        raise CheckError("The parties must have the rows of the roll, in its order.")
    register = hide_homes(roll.assign(**places), homes)
    register[["latitude", "longitude"]] = register[["latitude", "longitude"]].astype("float64").round(DECIMALS)
    register["released_name"] = parties["released_name"].to_numpy()
    register["is_organisation"] = (parties["party"] == ORGANISATION).to_numpy()
    columns = [*PROPERTY, "released_name", *OF_RATEPAYER, *FOR_GATE]
    points = gpd.GeoSeries.from_xy(register["longitude"], register["latitude"], crs=4326)
    points = points.where(register["longitude"].notna().to_numpy(), None)
    frame = gpd.GeoDataFrame(register[columns], geometry=points.to_numpy(), crs=4326)
    return frame.sort_values("property_reference", ignore_index=True)


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


def _make_points(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    places = frame[["longitude", "latitude"]].astype("float64")
    points = gpd.points_from_xy(places["longitude"], places["latitude"])
    return gpd.GeoDataFrame(pd.DataFrame(frame), geometry=points, crs=4326)


def hide_homes(roll: pd.DataFrame, homes: "pd.Series[bool]") -> pd.DataFrame:
    """Make the address of a property that somebody lives in coarser: street without number, district, a kilometre.

    Args:
        roll: address, postcode, latitude, longitude.
        homes: which rows are homes.
    """
    hidden = roll.copy()
    at = homes.to_numpy(dtype=bool)
    streets = roll["address"].str.replace(r"\b\d+\w?\b|(?i:\b(flat|unit|apartment)\b)", "", regex=True)
    streets = streets.str.replace(r"\s+", " ", regex=True).str.strip(" ,-/")
    hidden["address"] = roll["address"].mask(at, streets)
    hidden["postcode"] = roll["postcode"].mask(at, roll["postcode"].str.split().str[0])
    for name in ("latitude", "longitude"):
        hidden[name] = roll[name].astype("float64").mask(at, roll[name].astype("float64").round(2))
    return hidden


def find_homes(roll: pd.DataFrame) -> "pd.Series[bool]":
    """Tell by its description which property somebody is likely to live in (HOMES)."""
    return roll["description"].astype("str").str.upper().str.contains(HOMES, regex=True, na=False)


def list_extracts(register: pd.DataFrame, roll: pd.DataFrame, *, new_since: str) -> dict[str, pd.DataFrame]:
    """Cut the extracts that people ask for most from the register: each asks for rows, and is laid out as it is.

    They hold organisations alone: that somebody is new, has a credit or a relief, or left a shop empty, tells of them.

    Args:
        register: from `make_open_register`.
        roll: the roll it was made of, for the credits.
        new_since: ISO date; who is liable since then or later is new.

    Returns:
        By name: new_ratepayers, empty_properties, accounts_in_credit (with credit_band), small_business_relief.
    """
    named = register[register["is_organisation"]]
    credit = roll.set_index("property_reference")["account_credit_gbp"].astype("float64")
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
    return pd.Series(names[placed], index=values.index, dtype="str").where(numbers.notna())


def group_descriptions(descriptions: pd.Series) -> pd.Series:
    """Group the descriptions of properties by what they are used for (GROUPS); OTHER_GROUP where no word fits."""
    upper = descriptions.astype("str").str.upper()
    groups = pd.Series(OTHER_GROUP, index=descriptions.index, dtype="str")
    for pattern, group in reversed(list(GROUPS.items())):
        groups = groups.mask(upper.str.contains(pattern, regex=True, na=False), group)
    return groups


def make_deidentified(roll: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Lay out every row of the roll, person or not, for the gate's rule `records`, which makes it coarser.

    Whether an organisation stands behind a row is not in it, as that would single out people in the open tier.

    Returns:
        record (a number in no order that tells of the roll's), ward_code, use, value_band, liability_year, occupancy,
        relief.
    """
    year = roll["liability_start_date"].dt.year.astype("Float64")
    occupied = roll["is_occupied"].astype("boolean")
    frame = pd.DataFrame(
        {
            "ward_code": places["ward_code"].fillna(NO_WARD),
            "use": group_descriptions(roll["description"]),
            "value_band": cut_bands(roll["rateable_value_gbp"], VALUE_BANDS),
            "liability_year": year,
            "occupancy": occupied.map({True: "occupied", False: "empty"}).fillna("not known"),
            "relief": _name_reliefs(roll),
        }
    )
    order = pd.util.hash_pandas_object(roll["property_reference"], index=False).argsort()
    mixed = frame.iloc[order.to_numpy()].sort_values(list(frame.columns), kind="stable", ignore_index=True)
    return mixed.assign(record=range(1, len(mixed) + 1))


def _name_reliefs(roll: pd.DataFrame) -> pd.Series:
    given = roll[RELIEFS].notna()
    named = {
        "small business": given["small_business_relief"],
        "charity": given["mandatory_relief"],
        "other": given[["discretionary_relief", "other_relief", "exemption"]].any(axis="columns"),
    }
    reliefs = pd.Series("none", index=roll.index, dtype="str")
    for name, has in reversed(list(named.items())):
        reliefs = reliefs.mask(has, name)
    return reliefs


def count_properties(groups: pd.Series, roll: pd.DataFrame, parties: pd.DataFrame, total: str) -> pd.DataFrame:
    """Count properties, empty ones, those with a small business relief, and those whose ratepayer is named, by a group.

    Args:
        groups: the group of each row of the roll, as its ward; its name names the column.
        total: what the row is called that stands for all groups.

    Returns:
        The group, properties, empty_properties, relieved_properties, named_properties; the total last.
    """
    rows = pd.DataFrame(
        {
            groups.name: groups.astype("str").to_numpy(),
            "properties": 1,
            "empty_properties": (~roll["is_occupied"].astype("boolean").fillna(True)).to_numpy(dtype=int),
            "relieved_properties": roll["small_business_relief"].notna().to_numpy(dtype=int),
            "named_properties": (parties["party"] == ORGANISATION).to_numpy(dtype=int),
        }
    )
    counted = pd.concat([rows, rows.assign(**{str(groups.name): total})])
    sums = counted.groupby(groups.name, as_index=False).sum().astype({groups.name: "str"})
    is_total = sums[groups.name] == total
    return pd.concat([sums[~is_total], sums[is_total]], ignore_index=True)


def compare_versions(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """List what joined, left and changed between two versions of the register, as far as that tells of nobody.

    A property that is new, gone or valued anew is public whoever is in it. That another is liable is said of
    organisations alone: of a person, the change itself would tell.

    Args:
        before, after: from `make_open_register`; the columns that the gate reads are used and kept.

    Returns:
        change (joined, left, new value, new ratepayer), property_reference, address, description,
        rateable_value_gbp, rateable_value_before_gbp, released_name, and FOR_GATE; a property may have two rows.
    """
    old, new = (frame.set_index("property_reference") for frame in (before, after))
    both = old.index.intersection(new.index)
    value = new.loc[both, "rateable_value_gbp"] != old.loc[both, "rateable_value_gbp"]
    name = new.loc[both, "ratepayer_name"].fillna("") != old.loc[both, "ratepayer_name"].fillna("")
    named = new.loc[both, "is_organisation"].to_numpy(dtype=bool)
    parts = {
        "joined": new.loc[new.index.difference(old.index)],
        "left": old.loc[old.index.difference(new.index)].assign(released_name=None),
        "new value": new.loc[both[value.to_numpy(dtype=bool)]].assign(released_name=None),
        "new ratepayer": new.loc[both[name.to_numpy(dtype=bool) & named]],
    }
    listed = pd.concat([part.assign(change=change) for change, part in parts.items()]).reset_index()
    listed["rateable_value_before_gbp"] = listed["property_reference"].map(old["rateable_value_gbp"])
    nameless = listed["released_name"].isna()
    listed["is_organisation"] = listed["is_organisation"].astype(bool) & ~nameless
    columns = ["change", "property_reference", "address", "description", "rateable_value_gbp"]
    return pd.DataFrame(listed[[*columns, "rateable_value_before_gbp", "released_name", *FOR_GATE]])
