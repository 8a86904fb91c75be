"""The open register as dots on a map, in bands of rateable value."""

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.register.properties import VALUE_BANDS
from councilbook.pages.html.wording import count_things

TOWN_SHARES = 0.01, 0.9  # of the properties that lie in a town
NO_TOWN = r"\d|^$|shire$|\b(?:road|street|lane|avenue|estate|park|floor|address)$"
BANDS = dict(enumerate(VALUE_BANDS.values(), start=1))


def locate_properties(register: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the properties of the register that have a position, as dots of a map.

    Args:
        register: the dataset open_rates_register.

    Returns:
        property (address and reference, each different), band (of BANDS), description, value (in words), town (missing
        where the address names none), and the point.
    """
    placed = register[register.geometry.notna() & ~register.geometry.is_empty]
    edges = np.array(list(VALUE_BANDS), dtype=float)
    band = np.clip(np.searchsorted(edges, placed["rateable_value_gbp"].astype("float64"), side="left"), 1, len(edges))
    address = placed["address"].fillna("no address")
    table = pd.DataFrame(
        {
            "property": address + " (" + placed["property_reference"].astype("str") + ")",
            "band": band,
            "description": placed["description"],
            "value": [BANDS[number] for number in band],
            "town": find_towns(address),
        },
        index=placed.index,
    )
    return gpd.GeoDataFrame(table, geometry=placed.geometry, crs=register.crs)


def find_towns(addresses: "pd.Series[str]") -> "pd.Series[str]":
    """Take for an address's town its last part that many have, but not nearly all, and that is no road or county."""
    parts = addresses.str.split(",").explode().str.strip().str.title()
    parts = parts[~parts.str.contains(NO_TOWN, case=False)]
    shares = parts.groupby(parts).transform("size") / len(addresses)
    common = parts[shares.between(*TOWN_SHARES)]
    return common.groupby(level=0).last().reindex(addresses.index)


def describe_map(points: gpd.GeoDataFrame, register: pd.DataFrame) -> str:
    """Say how many properties are on the map, and how many of them are in the lowest and in the highest band."""
    lowest, highest = min(BANDS), max(BANDS)
    low, high = int((points["band"] == lowest).sum()), int((points["band"] == highest).sum())
    away = len(register) - len(points)
    are = "is" if away == 1 else "are"
    without = f" {count_things(away, 'property')} without a position {are} not on it." if away else ""
    return (
        f"Map of {len(points):,} properties, with darker and larger dots for higher rateable values: {low:,} of "
        f"{BANDS[lowest]}, {high:,} of {BANDS[highest]}.{without}"
    )
