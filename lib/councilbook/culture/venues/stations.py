"""Stations: where they are, and how many people use them in a year, each counted once."""

import io
import re
from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from councilbook.catalogue import FoundFile
from councilbook.culture.venues.places import add_degrees
from councilbook.culture.venues.positions import DEGREES, GRID, METRES, read_positions, write_keys
from councilbook.errors import SourceError
from councilbook.sources.files.packed import check_workbook, unpack
from councilbook.study import Study

STOPS = {"naptan_metro": "metro", "naptan_rail": "rail"}
COUNTS = "tfl_station_counts"
WORDS = "underground|rail|railway|dlr|tram|metro|elizabeth line"
ENDING = re.compile(rf"\s+(?:(?:(?:{WORDS})\s+)?(?:station|stop|trams)|LU|LO|DLR|EZL|EL|NR)$", re.IGNORECASE)
IN_BRACKETS = re.compile(r"\s*\([^)]*\)")
SAME_STATION_M = 500.0  # entrances of one name that are closer are one station
NEAR_M = 800.0  # from the border: ten minutes on foot
LONDON = (530_000, 180_400)  # Charing Cross: of two stations of a name, London's counts mean the nearer one
BY_GATE, BY_TRAIN = "entries and exits", "boardings and alightings"


def load_stations(study: Study, outlines: gpd.GeoDataFrame) -> pd.DataFrame:
    """Load the stations in a council's area, or within ten minutes of it on foot: those of one name are one.

    Returns:
        A row a station: station_id, name, key, modes, easting, northing, longitude, latitude, is_inside, is_counted
        (whether it is the one of its name that London's counts mean).
    """
    found = []
    for source, mode in STOPS.items():
        if study.has(source):
            rows = read_positions(study.load(source), f"Source {source}")
            grid, degrees = (rows[METRES[pair]].to_numpy() for pair in (GRID, DEGREES))
            points = np.where(np.isnan(grid), degrees, grid)
            found.append(rows.assign(x=points[:, 0], y=points[:, 1], mode=mode))
    if not found:
        return pd.DataFrame()
    stops = pd.concat(found).dropna(subset=["x", "y"]).sort_values("atco_code", ignore_index=True)
    stops["key"] = name_stations(stops["name"])
    from_london = ((stops["x"] - LONDON[0]) ** 2 + (stops["y"] - LONDON[1]) ** 2) ** 0.5
    nearest = from_london.groupby(stops["key"]).transform("min")
    stops["is_counted"] = from_london < nearest + SAME_STATION_M
    whole = outlines.union_all()
    points = gpd.GeoSeries.from_xy(stops["x"], stops["y"], crs=27700)
    stops = stops[points.dwithin(whole, NEAR_M)].reset_index(drop=True)
    station = _join_stops(stops)
    joined = stops.groupby(station, sort=False).agg(
        station_id=("atco_code", "min"),
        name=("name", lambda names: shorten_station(names.iloc[0])),
        key=("key", "first"),
        is_counted=("is_counted", "all"),
        modes=("mode", lambda modes: " and ".join(sorted(set(modes)))),
        easting=("x", "mean"),
        northing=("y", "mean"),
    )
    joined = add_degrees(joined.reset_index(drop=True))
    inside = gpd.GeoSeries.from_xy(joined["easting"], joined["northing"], crs=27700).within(whole)
    return joined.assign(
        is_inside=inside.to_numpy(), easting=joined["easting"].round(), northing=joined["northing"].round()
    )


def shorten_station(name: str) -> str:
    """Return a station's name without its kind, its line and what stands in brackets."""
    return ENDING.sub("", IN_BRACKETS.sub("", name).strip())


def name_stations(names: Iterable[str]) -> list[str]:
    """Write names of stations so that those of one are equal, whoever writes them."""
    return write_keys(pd.Series([shorten_station(name) for name in names], dtype="object"))[0].tolist()


def _join_stops(stops: pd.DataFrame) -> np.ndarray:
    """Number the stations that stops of the same name, near each other, make up."""
    pairs = cKDTree(stops[["x", "y"]].to_numpy()).query_pairs(SAME_STATION_M, output_type="ndarray")
    keys = stops["key"].to_numpy()
    pairs = pairs[keys[pairs[:, 0]] == keys[pairs[:, 1]]]
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(stops), len(stops)))
    numbers: np.ndarray = connected_components(graph, directed=False)[1]
    return numbers


def load_counts(study: Study) -> pd.DataFrame:
    """Load the counts of every year that is there: year, key, station, counted (how), people; see `read_counts`."""
    tables = []
    for source in study.catalogue.series(COUNTS):
        if study.has(source.id):
            tables.append(read_counts(study.open_file(source.id)).assign(year=source.edition))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def read_counts(found: FoundFile) -> pd.DataFrame:
    """Read a year's counts, whatever its columns: the header is the row with NLC, the total stands under Annualised.

    A row that points to another line's (`---see LU---`) is in that row already: it comes with no number, so that it is
    neither a zero nor counted twice. So does a station without a count.

    Returns:
        A row a row of the file: station, key, mode, counted, people (missing where the row has no count of its own).

    Raises:
        SourceError: no row has the headers, or a total is no number; the message names the row.
    """
    where = f"Source {found.source.id}, file {found.path.name}"
    if found.source.file.endswith(".xlsx"):
        check_workbook(found.path, where)
        sheets = pd.read_excel(found.path, sheet_name=None, header=None, dtype="str", engine="calamine")
        cells = next((one for one in sheets.values() if one.isin(["NLC"]).any(axis=None)), pd.DataFrame())
    else:
        content = io.BytesIO(unpack(found.path, None, where))
        cells = pd.read_csv(content, header=None, dtype="str", encoding="utf-8-sig", skip_blank_lines=False)
    header = next((row for row in cells.index if {"NLC", "Station", "Coverage"} <= set(cells.loc[row])), None)
    above = cells.loc[header - 1].fillna("") if header else pd.Series(dtype="str")
    totals = above.index[above.str.strip().str.startswith("Annualised")]
    if header is None or len(totals) != 1:
        raise SourceError(
            f"{where}: expected a header row with NLC, Station and Coverage, and Annualised above one column."
        )
    names = {str(name).strip(): column for column, name in cells.loc[header].items()}
    rows = cells.loc[header + 1 :].dropna(subset=[names["Station"]])
    text = rows[totals[0]].fillna("").str.replace(",", "").str.strip()
    points = rows[names["Coverage"]].fillna("").str.strip().str.startswith("---")
    people = pd.to_numeric(text.mask(points | text.isin(["", "---"])), errors="coerce")
    wrong = people.isna() & ~points & ~text.isin(["", "---"])
    if wrong.any():
        raise SourceError(f"{where}, row {wrong.idxmax() + 1}: the total is no number. Mend the file.")
    by_gate = rows[names["Coverage"]].fillna("").str.contains("entry", case=False)
    table = rows[[names["Station"], names["Mode"]]].set_axis(["station", "mode"], axis="columns")
    return table.assign(
        key=name_stations(table["station"]),
        counted=np.where(by_gate, BY_GATE, BY_TRAIN),
        people=people.round().astype("Int64"),
        points_elsewhere=points,
    ).reset_index(drop=True)


def count_stations(stations: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Take each station's count of each year once: by its gates if these are counted, else by its trains.

    A station of two lines has a row of each: its gates' count is of the station; boardings are not added to it.

    Returns:
        A row a station and year: station_id, name, year, people, counted.
    """
    if counts.empty or stations.empty:
        return pd.DataFrame(columns=["station_id", "name", "year", "people", "counted"])
    here = stations.loc[stations["is_counted"], ["station_id", "name", "key"]]  # not another town's of the same name
    known = counts.dropna(subset=["people"]).merge(here, on="key")
    summed = known.groupby(["station_id", "name", "year", "counted"])["people"].sum().reset_index()
    first = summed.sort_values("counted", key=lambda how: how.ne(BY_GATE)).drop_duplicates(["station_id", "year"])
    return first.sort_values(["name", "year"], ignore_index=True)
