"""What a property is used for, in which band its value lies, and where it lies."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import geopandas as gpd
import numpy as np
import pandas as pd

HOME_DECIMALS = 2  # a kilometre
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


def cut_bands(values: pd.Series, bands: Mapping[int, str]) -> pd.Series:
    """Name the band of each value: bands are by the least value that is beyond the one below; missing stays missing."""
    numbers = values.astype("float64")
    names = np.array(list(bands.values()), dtype=object)
    placed = np.clip(np.searchsorted(list(bands), numbers, side="left") - 1, 0, None)
    return pd.Series(names[placed % len(names)], index=values.index, dtype="str").where(numbers.notna())


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
