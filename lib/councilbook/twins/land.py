"""The land of a synthetic place: its coast, its districts, and their small areas, as outlines.

It lies in the North Sea, so that nobody can take it for a real place.
"""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Geometries = NDArray[np.object_]
Reach = Callable[[FloatArray], FloatArray]  # points to how far the coast is in their direction

CENTRE = (600_000.0, 430_000.0)  # easting and northing of open sea, 50 km off the Humber
DISTRICT_M2 = 290e6  # as large as a district of Kent and Medway


def draw_map(counts: IntArray, rng: np.random.Generator) -> tuple[pd.DataFrame, Geometries]:
    """Draw districts, each of one piece of land, and their LSOAs 2011; see `_draw_areas`."""
    areas, cells = _draw_areas(counts, rng)
    while not _is_connected(areas["district"], cells):  # about one draw in a hundred
        areas, cells = _draw_areas(counts, rng)
    return areas, cells


def _draw_areas(counts: IntArray, rng: np.random.Generator) -> tuple[pd.DataFrame, Geometries]:
    """Draw districts and their LSOAs 2011, small in towns and large in the country.

    The cells are Voronoi cells of points on land within a ring of points at sea, which are then dropped: so all
    are convex, share their borders exactly, and need no clipping to a coast.

    Returns:
        One row an area, district by district and neighbours near each other: district (its number), x and y
        (metres), log_m2 (log of its size) and nearest (row of the nearest area, -1 if the sea is nearer); and its cell.
    """
    radius = float(np.sqrt(len(counts) * DISTRICT_M2 / np.pi))
    reach = _draw_coast(rng)
    points, district = _scatter_areas(counts, radius, reach, rng)
    sea = _scatter_sea(radius, reach, rng)
    points = shapely.get_coordinates(shapely.centroid(_draw_cells(points, sea)))  # evens out the cells' shapes
    order = np.lexsort([gpd.GeoSeries(gpd.points_from_xy(*points.T)).hilbert_distance(), district])
    points, district = points[order], district[order]
    cells = _draw_cells(points, sea)
    nearest = cKDTree(np.vstack([points, sea])).query(points, k=2)[1][:, 1]
    areas = pd.DataFrame(points + CENTRE, columns=["x", "y"]).assign(
        district=district,
        log_m2=np.log(shapely.area(cells)),
        nearest=np.where(nearest < len(points), nearest, -1),
    )
    return areas, shapely.transform(cells, lambda xy: xy + CENTRE)


def _draw_coast(rng: np.random.Generator) -> Reach:
    """Draw an outline round the origin; return how far it reaches, about 1, in the direction of points."""
    waves = np.arange(2, 6)
    heights, phases = rng.uniform(0, 0.3, 4) / waves, rng.uniform(0, 2 * np.pi, 4)

    def reach(points: FloatArray) -> FloatArray:
        angles = np.arctan2(points[:, 1], points[:, 0])[:, None]
        far: FloatArray = 1 + (heights * np.cos(waves * angles + phases)).sum(axis=1)
        return far

    return reach


def _scatter_areas(
    counts: IntArray, radius: float, reach: Reach, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """Scatter the points of areas over the land; return them with the number of the district each is in."""
    ground = rng.uniform(-1.4, 1.4, (20_000 * len(counts), 2))
    ground = ground[np.hypot(*ground.T) < reach(ground)] * radius
    centres, _ = kmeans2(ground[::50], len(counts), minit="++", rng=rng)
    district = cKDTree(centres).query(ground)[1]
    chosen = [
        _choose_points(ground, np.flatnonzero(district == number), count, rng) for number, count in enumerate(counts)
    ]
    return ground[np.concatenate(chosen)], np.repeat(np.arange(len(counts)), counts)


def _choose_points(ground: FloatArray, rows: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """Choose which rows of the ground are areas of a district: most in one of four towns, the others anywhere."""
    towns = ground[rng.choice(rows, 4, replace=False)]
    people, metres = np.array([0.42, 0.22, 0.13, 0.08]), np.array([1_700, 1_200, 900, 600])
    squared = ((ground[rows, None] - towns) ** 2).sum(axis=2)
    density = (people / (2 * np.pi * metres**2) * np.exp(-squared / (2 * metres**2))).sum(axis=1)
    density += (1 - people.sum()) / DISTRICT_M2
    return rng.choice(rows, count, replace=False, p=density / density.sum())


def _scatter_sea(radius: float, reach: Reach, rng: np.random.Generator) -> FloatArray:
    """Scatter points off the coast, close enough to each other that no cell of land slips between them."""
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    off = reach(ring) * rng.uniform(1.05, 1.12, len(ring)) * radius
    sea: FloatArray = ring * off[:, None]
    return sea


def _draw_cells(points: FloatArray, sea: FloatArray) -> Geometries:
    """Return the Voronoi cell of each point, among those of points at sea."""
    cells: Geometries = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(np.vstack([points, sea])), ordered=True)
    )
    return cells[: len(points)]


def _is_connected(district: pd.Series, cells: Geometries) -> bool:
    """Whether each district is one piece of land."""
    return all(
        isinstance(shapely.coverage_union_all(cells[rows]), shapely.Polygon)
        for rows in district.groupby(district).indices.values()
    )
