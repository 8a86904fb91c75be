"""Catchments: who lives within so many minutes of a venue, on foot, by bicycle, and by bus and train."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.culture.reach.bridges import THIRDS, find_thirds
from councilbook.culture.reach.homes import PEOPLE, Floats, Homes
from councilbook.errors import TooFewError
from councilbook.methods.travel.engine import Network
from councilbook.methods.travel.feeds import Feed
from councilbook.methods.travel.ground import Streets, measure_ways
from councilbook.methods.travel.journeys import Habits, measure_transit

TIMETABLES = {"bus_timetable": "buses", "rail_timetable": "trains"}
MINUTES = (10, 15, 20, 30)
ANY = "any venue"
MODE_WORDS = {"walk": "on foot", "cycle": "by bicycle", "transit": "by bus and train"}


def describe_ways(feeds: Sequence[Feed], streets: Streets | None, factor: float) -> str:
    """Say how ways are measured, and what is missing for that."""
    along = (
        "along the streets" if streets else f"as the straight line times {factor:g}, since no map of streets is here"
    )
    said = [f"Ways on foot and by bicycle are measured {along}."]
    absent = [name for name in TIMETABLES.values() if name not in [feed.name for feed in feeds]]
    if absent:
        said.append(f"There is no timetable of {' or '.join(absent)} for this council.")
    if not feeds:
        said.append("So journeys by bus and train are left out, and not counted as zero.")
    return " ".join(said)


def measure_minutes(
    homes: Homes, places: pd.DataFrame, network: Network | None, habits: Habits, streets: Streets | None
) -> dict[str, Floats]:
    """Measure the minutes from homes to places, by mode; infinite beyond the longest of MINUTES.

    Args:
        homes, places: with latitude and longitude.
        network: what runs on a day; None leaves bus and train out, of which half of the arrivals take no longer.
        habits, streets: see `measure_journeys`.

    Raises:
        TooFewError: there is no place.
    """
    if places.empty:
        raise TooFewError("No venue of this council is on the map, so nobody's way to one can be measured.")
    limit = max(MINUTES) * 60
    walk = measure_ways(homes.points, places, habits.walk, streets, limit)
    ways = {"walk": walk / 60, "cycle": measure_ways(homes.points, places, habits.cycle, streets, limit) / 60}
    if network is not None:
        median = measure_transit(homes.points, places, network, habits, streets, walk).median
        ways["transit"] = np.where(median < 0, np.inf, median)
    return ways


def count_within(shares: Floats, people: pd.DataFrame) -> pd.DataFrame:
    """Count people by shares of areas (rows) within reach of places (columns): a row a place, with PEOPLE."""
    counts = shares.T @ people[PEOPLE].to_numpy()
    return pd.DataFrame(counts, columns=PEOPLE).round().astype("Int64")


def tabulate_catchments(
    minutes: Mapping[str, Floats], homes: Homes, people: pd.DataFrame, venues: pd.DataFrame
) -> pd.DataFrame:
    """Tabulate who has each venue within reach, as the dataset venue_catchments has it."""
    known = venues[["venue_id", "name", "kind"]].reset_index(drop=True)
    parts = [
        known.assign(mode=mode, minutes=limit).join(count_within(homes.share_within(taken, limit), people))
        for mode, taken in minutes.items()
        for limit in MINUTES
    ]
    return pd.concat(parts, ignore_index=True)


def tabulate_kinds(
    minutes: Mapping[str, Floats], homes: Homes, people: pd.DataFrame, venues: pd.DataFrame
) -> pd.DataFrame:
    """Tabulate who has at least one venue of a kind within reach, as the dataset venue_reach has it."""
    parts = []
    for kind in [ANY, *sorted(venues["kind"].unique())]:
        own = venues["kind"].eq(kind).to_numpy() | (kind == ANY)
        nearest = {mode: taken[:, own].min(axis=1, keepdims=True) for mode, taken in minutes.items()}
        named = pd.DataFrame({"venue_id": kind, "name": "", "kind": [kind]})
        parts.append(tabulate_catchments(nearest, homes, people, named).assign(venues=int(own.sum())))
    table = pd.concat(parts, ignore_index=True).drop(columns=["venue_id", "name"])
    table["not_engaged_without"] = round(people["not_engaged_adults"].sum()) - table["not_engaged_adults"]
    table["not_engaged_without"] = table["not_engaged_without"].clip(0)
    for name in ("adults", "not_engaged_adults", "people_16_to_24"):
        share = table[name].astype("float64") * 100 / people[name].sum(min_count=1)
        table[f"{name}_pct"] = share.clip(0, 100)
    return table


def map_areas(minutes: Floats, homes: Homes, people: pd.DataFrame, outlines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Say of each area how far its nearest venue is on foot, as the dataset area_reach has it.

    Args:
        minutes: on foot, from homes to venues.
        homes, people, outlines: of the same areas.
    """
    nearest = np.minimum(minutes.min(axis=1), max(MINUTES))
    named = ["lsoa21_code", "lsoa21_name", "engaged_pct", "adults", "not_engaged_adults", "people_16_to_24"]
    counts = {one: people[one].round().astype("Int64") for one in named[3:]}
    thirds = find_thirds(people["engaged_pct"].to_numpy(), people["adults"].to_numpy())
    table = people[named].assign(walk_minutes=homes.spread @ nearest, third=np.array(THIRDS)[thirds], **counts)
    table["within_15_pct"] = (homes.spread @ (nearest <= 15).astype("float64") * 100).clip(0, 100)
    return outlines[["lsoa21_code", "geometry"]].merge(table, on="lsoa21_code", how="right")
