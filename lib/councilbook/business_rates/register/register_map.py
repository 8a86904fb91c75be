"""The open register as dots on a map, in bands of rateable value."""

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.register.properties import VALUE_BANDS

BANDS = dict(enumerate(VALUE_BANDS.values(), start=1))


def locate_properties(register: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the properties of the register that have a position, as dots of a map.

    Args:
        register: the dataset open_rates_register.

    Returns:
        property (address and reference, each different), band (of BANDS), description, value (in words), and the point.
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
        },
        index=placed.index,
    )
    return gpd.GeoDataFrame(table, geometry=placed.geometry, crs=register.crs)


def describe_map(points: gpd.GeoDataFrame, register: pd.DataFrame) -> str:
    """Say how many properties are on the map, and how many of them are in the lowest and in the highest band."""
    lowest, highest = min(BANDS), max(BANDS)
    low, high = int((points["band"] == lowest).sum()), int((points["band"] == highest).sum())
    away = len(register) - len(points)
    without = f" {away:,} have no position and are not on it." if away else ""
    return (
        f"Map of {len(points):,} properties, with darker and larger dots for higher rateable values: {low:,} of "
        f"{BANDS[lowest]}, {high:,} of {BANDS[highest]}.{without}"
    )
