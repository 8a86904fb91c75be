"""The ways from a council's postcodes to places to learn at, and how many places they bring within reach."""

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.catalogue import FoundFile
from councilbook.errors import NotToldError
from councilbook.methods.travel.engine import Network
from councilbook.methods.travel.feeds import Feed, read_feed
from councilbook.methods.travel.ground import Streets, read_streets
from councilbook.methods.travel.journeys import Habits, measure_journeys
from councilbook.study import Study

TIMETABLES = {"rail_timetable": "trains", "bus_timetable": "buses"}
STREETS = "street_network"
MODES = {
    "walk": "walk_minutes",
    "cycle": "cycle_minutes",
    "drive": "drive_minutes",
    "transit": "transit_median_minutes",
}
MODE_WORDS = {"walk": "on foot", "cycle": "by bicycle", "drive": "by car", "transit": "by bus and train"}
STEPS = (30, 45, 60, 90)  # minutes
ALL_KINDS = "all"
EVENING = "18:00"
BANDS = {0: "none", 1: "1 or 2", 3: "3 to 5", 6: "6 to 10", 11: "11 or more"}  # places, by the fewest of a band


def read_timetables(study: Study) -> list[Feed]:
    """Read the timetables that there are for a council: trains, buses, both or none.

    Raises:
        SourceError, CheckError: a timetable cannot be read; see `read_feed`.
    """
    return [read_feed(study.open_file(source).path, name) for source, name in TIMETABLES.items() if study.has(source)]


def check_timetable(_study: Study, found: FoundFile) -> None:
    """Check that a timetable can be read, before the first notebook.

    Raises:
        SourceError, CheckError: it cannot; see `read_feed`.
    """
    read_feed(found.path, TIMETABLES[found.source.id])


def find_streets(study: Study) -> Streets | None:
    """Read the streets of a council, where there is an extract of them."""
    return read_streets(study.open_file(STREETS).path, "streets") if study.has(STREETS) else None


def choose_example(
    postcodes: pd.DataFrame, places: pd.DataFrame, ways: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose a postcode and a place to show how journeys are found: the middle one of those that need most rides.

    Returns:
        The postcode's row and the place's row.
    """
    listed = ways.sort_values(["rides", "transit_median_minutes", "postcode", "site_id"], na_position="first")
    most = listed[listed["rides"].eq(listed["rides"].max()).fillna(False).astype("bool")]
    chosen = (most if len(most) else listed).iloc[len(most) // 2]
    return postcodes[postcodes["postcode"] == chosen["postcode"]], places[places["site_id"] == chosen["site_id"]]


def tabulate_ways(
    postcodes: pd.DataFrame, places: pd.DataFrame, network: Network | None, habits: Habits, streets: Streets | None
) -> pd.DataFrame:
    """Tabulate the ways from postcodes to places, as the dataset journeys_by_postcode has them.

    Args:
        postcodes: postcode, latitude, longitude.
        places: site_id, latitude, longitude.
        network, habits, streets: see `measure_journeys`.

    Raises:
        NotToldError: there is no postcode, or no place.
    """
    if places.empty:
        raise NotToldError("No place here teaches after 16, as far as the lists of schools say, so no way leads there.")
    if postcodes.empty:
        raise NotToldError("No file says where the postcodes of this council are, so no way can be measured.")
    ways = measure_journeys(postcodes, places, network, habits, streets)
    ways.insert(0, "postcode", postcodes["postcode"].to_numpy()[ways.pop("point")])
    ways.insert(1, "site_id", places["site_id"].to_numpy()[ways.pop("place")])
    return ways


def count_reached(ways: pd.DataFrame, places: pd.DataFrame, postcodes: int) -> pd.DataFrame:
    """Count the postcodes that reach places in time, as the dataset journey_counts has them.

    Args:
        ways: of `tabulate_ways`.
        places: site_id, kind.
        postcodes: how many there are, those that reach nothing too.

    Returns:
        A row a mode, kind (all among them) and number of minutes.
    """
    kinds = ways["site_id"].map(places.set_index("site_id")["kind"]).to_numpy()
    number = pd.factorize(ways["postcode"])[0]
    rows = []
    for mode, column in MODES.items():
        taken = ways[column].to_numpy(dtype=float, na_value=np.inf)
        for kind in [ALL_KINDS, *sorted(places["kind"].unique())]:
            own = (kinds == kind) | (kind == ALL_KINDS)
            for minutes in STEPS:
                reached = np.bincount(number[(taken <= minutes) & own], minlength=postcodes)
                rows.append((mode, kind, minutes, int((reached > 0).sum()), postcodes, float(np.median(reached))))
    return pd.DataFrame(rows, columns=["mode", "kind", "minutes", "postcodes", "all_postcodes", "median_places"])


def band_postcodes(postcodes: pd.DataFrame, ways: pd.DataFrame, minutes: int) -> gpd.GeoDataFrame:
    """Put postcodes into bands by how many places they reach by bus and train, or on foot, in so many minutes.

    Returns:
        A point a postcode: postcode, band (of BANDS), places (how many), quickest (minutes to the nearest of all).
    """
    near = ways[ways["transit_median_minutes"].le(minutes).fillna(False).astype("bool")]
    counts = postcodes["postcode"].map(near["postcode"].value_counts()).fillna(0).astype("int64")
    quickest = postcodes["postcode"].map(ways.groupby("postcode")["transit_median_minutes"].min())
    told = postcodes[["postcode"]].assign(
        band=np.searchsorted(list(BANDS), counts, side="right") - 1, places=counts, quickest=quickest
    )
    told["band"] = told["band"].map(dict(enumerate(BANDS)))
    points = gpd.GeoSeries.from_xy(postcodes["longitude"], postcodes["latitude"], crs=4326)
    return gpd.GeoDataFrame(told, geometry=points.to_numpy(), crs=4326)


def tabulate_evening(ways: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Tabulate for each place after 16 how many postcodes one can ride home to, and until when.

    Returns:
        A row a place: name, reached (postcodes that have a ride home), middle (time at which half of them have had
        their last), late_pct (share of them that have one after 18:00).
    """
    known = ways.dropna(subset="last_home_time").sort_values("last_home_time")
    groups = known["last_home_time"].groupby(known["site_id"])
    table = places.loc[places["is_post16"], ["site_id", "name"]].set_index("site_id")
    table["reached"] = groups.size().reindex(table.index, fill_value=0)
    table["middle"] = groups.apply(lambda times: times.iloc[len(times) // 2])
    table["late_pct"] = 100 * known["last_home_time"].ge(EVENING).groupby(known["site_id"]).mean()
    return table.sort_values(["late_pct", "name"], ascending=[False, True], ignore_index=True)
