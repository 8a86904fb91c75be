"""Ways over ground: on foot, by bicycle and by car, along streets where an extract has them, else by straight lines."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from councilbook.errors import ParameterError, SourceError

EARTH_M = 6_371_009  # mean radius
SNAP_M = 250  # what lies farther from any street than that is not on the extract
NOT_ON_FOOT = {"motorway", "motorway_link", "trunk_link", "construction", "proposed", "raceway", "abandoned"}
CHUNK = 64  # searches held at once
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Pace:
    """How a way is covered: kilometres an hour, and by how much it is longer than a straight line."""

    kmh: float
    factor: float

    def __post_init__(self) -> None:
        """Refuse a pace at which nobody arrives.

        Raises:
            ParameterError: the speed is not above 0, or the factor is below 1.
        """
        if not (self.kmh > 0 and self.factor >= 1):
            raise ParameterError(
                f"A pace is {self.kmh} km an hour by a factor of {self.factor}; expected is more than 0, and 1 or more."
            )

    def limit_metres(self, seconds: float) -> float:
        """Return how far one gets in so many seconds, along the way."""
        return seconds * self.kmh / 3.6


@dataclass(frozen=True)
class Streets:
    """Streets that can be walked: a graph of metres between nodes, and the nodes as points on a sphere."""

    graph: csr_array
    tree: cKDTree

    def snap(self, points: pd.DataFrame) -> tuple[NDArray[np.int64], Numbers]:
        """Return the node nearest to each point and how many metres off it is; -1 for one that is on no street."""
        off, node = self.tree.query(_to_sphere(points), distance_upper_bound=SNAP_M)
        return np.where(np.isfinite(off), node, -1), off


def read_streets(path: Path, name: str) -> Streets:
    """Read the streets of an OpenStreetMap extract that can be walked, the largest connected part of them.

    Raises:
        SourceError: it is no such extract, or has no street.
    """
    try:
        lines = pyogrio.read_dataframe(
            path, layer="lines", columns=["highway", "other_tags"], where="highway IS NOT NULL"
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError):
        raise SourceError(
            f"{name}: {path.name} cannot be read. Expected is an OpenStreetMap extract (.osm.pbf)."
        ) from None
    closed = lines["highway"].isin(NOT_ON_FOOT) | lines["other_tags"].fillna("").str.contains(
        '"foot"=>"no"', regex=False
    )
    ways: gpd.GeoSeries = lines.geometry[~closed]
    xy, way = shapely.get_coordinates(ways, return_index=True)
    if not len(xy):
        raise SourceError(f"{name}: {path.name} holds no street.")
    places, node = np.unique(xy.round(7), axis=0, return_inverse=True)  # lines share the coordinates of their junctions
    points = _to_sphere(pd.DataFrame(places, columns=["longitude", "latitude"]))
    node, joined = node.ravel(), way[1:] == way[:-1]
    start, end = node[:-1][joined], node[1:][joined]
    metres = np.maximum(np.linalg.norm(points[start] - points[end], axis=1), 0.01)
    edges = (
        pd.DataFrame({"a": np.minimum(start, end), "b": np.maximum(start, end), "m": metres})
        .groupby(["a", "b"])["m"]
        .min()
    )
    a, b = (edges.index.get_level_values(one).to_numpy() for one in ("a", "b"))
    graph = csr_array((np.tile(edges, 2), (np.append(a, b), np.append(b, a))), shape=(len(places),) * 2)
    part = connected_components(graph, directed=False)[1]
    kept = np.flatnonzero(part == np.bincount(part).argmax())
    return Streets(graph[kept][:, kept], cKDTree(points[kept]))


def measure_ways(
    points: pd.DataFrame, places: pd.DataFrame, pace: Pace, streets: Streets | None, limit: float
) -> Numbers:
    """Measure the seconds from each point to each place.

    Args:
        points, places: with latitude and longitude.
        pace: how fast, and the factor by which a way is longer than the straight line where no street is known.
        streets: where both ends lie on them, the way is along them; None where there is no extract.
        limit: seconds; a longer way is infinite.

    Returns:
        A row a point, a column a place.
    """
    metres = _measure_straight(_to_sphere(points)[:, None], _to_sphere(places)[None]) * pace.factor
    if streets:
        along = _measure_along(streets, points, places, pace.limit_metres(limit))
        metres = np.where(np.isnan(along), metres, along)
    seconds: Numbers = metres / pace.kmh * 3.6
    return np.where(seconds <= limit, seconds, np.inf)


def link_stops(
    points: pd.DataFrame, stops: pd.DataFrame, pace: Pace, streets: Streets | None, limit: float
) -> csr_array:
    """Find the stops within reach of points, with whole seconds on the way; see `measure_ways`.

    Returns:
        A row a point, a column a stop; what is out of reach has no entry, and what lies at the stop an entry of 0.
    """
    most = pace.limit_metres(limit)
    here, there = _to_sphere(points), _to_sphere(stops)
    near = cKDTree(here).sparse_distance_matrix(
        cKDTree(there), most / (1 if streets else pace.factor), output_type="ndarray"
    )
    row, column = near["i"], near["j"]
    metres = _measure_straight(here[row], there[column]) * pace.factor
    if streets:
        used = np.unique(column)
        along = _measure_along(streets, points, stops.iloc[used], most)[row, np.searchsorted(used, column)]
        metres = np.where(np.isnan(along), metres, along)
    seconds = np.ceil(metres / pace.kmh * 3.6)
    kept = seconds <= limit
    return csr_array((seconds[kept].astype(np.int32), (row[kept], column[kept])), shape=(len(points), len(stops)))


def _measure_along(streets: Streets, points: pd.DataFrame, places: pd.DataFrame, limit: float) -> Numbers:
    """Measure metres along streets; NaN where an end is on none, infinite beyond the limit."""
    node, off = streets.snap(points)
    target, beside = streets.snap(places)
    along = np.full((len(points), len(places)), np.nan)
    on, reached = np.flatnonzero(node >= 0), np.flatnonzero(target >= 0)
    for part in np.array_split(reached, max(1, len(reached) // CHUNK)):
        far = dijkstra(streets.graph, directed=False, indices=target[part], limit=limit)
        along[np.ix_(on, part)] = far[:, node[on]].T + off[on, None] + beside[part]
    return along


def _to_sphere(points: pd.DataFrame) -> Numbers:
    """Place points on a sphere, in metres, so that a short straight line is as long as it is on the ground."""
    latitude, longitude = np.radians(points["latitude"].to_numpy()), np.radians(points["longitude"].to_numpy())
    x, y = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude)
    return EARTH_M * np.column_stack([x, y, np.sin(latitude)])


def _measure_straight(here: Numbers, there: Numbers) -> Numbers:
    metres: Numbers = np.linalg.norm(here - there, axis=-1)
    return metres
