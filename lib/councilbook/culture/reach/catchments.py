"""Catchments: who lives within so many minutes of a venue, on foot, by bicycle, and by bus and train."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.culture.reach.homes import PEOPLE, Floats, Homes
from councilbook.errors import TooFewError
from councilbook.methods.travel.engine import Network
from councilbook.methods.travel.feeds import Feed, read_feed
from councilbook.methods.travel.ground import Streets, measure_ways, read_streets
from councilbook.methods.travel.journeys import Habits, list_assumptions, measure_transit
from councilbook.study import Study

TIMETABLES = {"bus_timetable": "buses", "rail_timetable": "trains"}
STREETS = "street_network"
MINUTES = (10, 15, 20, 30)
ANY = "any venue"
MODE_WORDS = {"walk": "on foot", "cycle": "by bicycle", "transit": "by bus and train"}
NOT_USED = ("Pace by car", "May go home")


def read_timetables(study: Study) -> list[Feed]:
    """Read the timetables that there are for a council: buses, trains, both or none."""
    return [read_feed(study.open_file(source).path, name) for source, name in TIMETABLES.items() if study.has(source)]


def find_streets(study: Study) -> Streets | None:
    """Read the streets of a council, where there is an extract of them."""
    return read_streets(study.open_file(STREETS).path, "streets") if study.has(STREETS) else None


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


def list_habits(habits: Habits, *, has_streets: bool) -> pd.DataFrame:
    """List what is assumed of how people travel to a venue: what, value, basis."""
    assumed = list_assumptions(habits, has_streets=has_streets)
    return assumed[~assumed["what"].isin(NOT_USED)].reset_index(drop=True)


def measure_minutes(
    homes: Homes, places: pd.DataFrame, network: Network | None, habits: Habits, streets: Streets | None
) -> dict[str, Floats]:
    """Measure the minutes from homes to places, by mode; infinite beyond the longest of MINUTES.

    Args:
        homes: of `find_homes`.
        places: with latitude and longitude.
        network: what runs on a day; None leaves bus and train out.
        habits: how people travel; half of the times of arrival take no longer by bus and train.
        streets: of an extract, if there is one.

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
    parts = []
    for mode, taken in minutes.items():
        for limit in MINUTES:
            counts = count_within(homes.share_within(taken, limit), people)
            known = venues[["venue_id", "name", "kind"]].reset_index(drop=True).assign(mode=mode, minutes=limit)
            parts.append(known.join(counts))
    return pd.concat(parts, ignore_index=True)


def tabulate_kinds(
    minutes: Mapping[str, Floats], homes: Homes, people: pd.DataFrame, venues: pd.DataFrame
) -> pd.DataFrame:
    """Tabulate who has at least one venue of a kind within reach, as the dataset venue_reach has it."""
    whole = people[PEOPLE].sum(min_count=1)
    parts = []
    for mode, taken in minutes.items():
        for kind in [ANY, *sorted(venues["kind"].unique())]:
            own = venues["kind"].eq(kind).to_numpy() | (kind == ANY)
            nearest = taken[:, own].min(axis=1, keepdims=True)
            for limit in MINUTES:
                counts = count_within(homes.share_within(nearest, limit), people)
                parts.append(counts.assign(kind=kind, venues=int(own.sum()), mode=mode, minutes=limit))
    table = pd.concat(parts, ignore_index=True)
    for name in ("adults", "not_engaged_adults", "people_16_to_24"):
        table[f"{name}_pct"] = (table[name].astype("float64") * 100 / whole[name]).clip(0, 100)
    return table


def map_areas(
    minutes: Floats, homes: Homes, people: pd.DataFrame, outlines: gpd.GeoDataFrame, third: "pd.Series[str]"
) -> gpd.GeoDataFrame:
    """Say of each area how far its nearest venue is on foot, as the dataset area_reach has it.

    Args:
        minutes: on foot, to venues.
        homes, people: of the areas, in one order.
        outlines: of `read_outlines`.
        third: whether an area is in the lowest, middle or highest third of engagement.
    """
    nearest = minutes.min(axis=1)
    far = np.where(np.isfinite(nearest), nearest, max(MINUTES))
    table = people[["lsoa21_code", "lsoa21_name", "engaged_pct", "adults", "not_engaged_adults", "people_16_to_24"]]
    counts = {one: table[one].round().astype("Int64") for one in ("adults", "not_engaged_adults", "people_16_to_24")}
    table = table.assign(walk_minutes=homes.spread @ far, third=third, **counts)
    table["within_15_pct"] = (homes.spread @ (nearest <= 15).astype("float64") * 100).clip(0, 100)
    return outlines[["lsoa21_code", "geometry"]].merge(table, on="lsoa21_code", how="right")
