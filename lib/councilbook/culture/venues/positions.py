"""Positions as files give them: two pairs of coordinates a venue, brought to metres, what is impossible set aside.

A file may name a venue's place twice, as easting and northing (EPSG:27700) and as longitude and latitude (EPSG:4326).
Nothing is believed here: which pair is right is for `shifts` to find.
"""

import re
from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from councilbook.catalogue.councils import read_authorities
from councilbook.errors import SourceError
from councilbook.study import Study

GRID, DEGREES = "easting and northing", "longitude and latitude"
COLUMNS = {GRID: ("easting", "northing"), DEGREES: ("longitude", "latitude")}
METRES = {GRID: ["grid_x", "grid_y"], DEGREES: ["degrees_x", "degrees_y"]}
BOXES = {
    GRID: (50_000, 4_000, 700_000, 1_300_000),
    DEGREES: (-9.0, 49.0, 2.5, 61.5),
}  # of Great Britain: west, south, east, north
SAME_PLACE_M = 2_000  # two positions of a venue that are closer are of the same place, however wrong
ARTICLES = r"\b(?:the|at|of|and|in)\b"
KIND_NAMES = r"\b(?:london|museums?|gallery|library|theatre|theater|cent(?:re|er))\b"

TO_GRID = pyproj.Transformer.from_crs(4326, 27700, always_xy=True)
TO_DEGREES = pyproj.Transformer.from_crs(27700, 4326, always_xy=True)
AS_OLD_DATUM = pyproj.Transformer.from_crs(4277, 27700, always_xy=True)  # degrees taken for those of OSGB 1936


def read_positions(rows: pd.DataFrame, where: str, centre: tuple[float, float] | None = None) -> pd.DataFrame:
    """Bring both pairs of a file to metres on the national grid.

    Args:
        rows: name, and easting, northing, longitude, latitude, of which a pair may be missing. What stands under x and
            y may be degrees, and what is called longitude may be an easting: then it is taken for what it can be.
        where: which file it is, for messages.
        centre: easting and northing near which the places should be, where that is known.

    Returns:
        The rows with grid_x, grid_y, degrees_x, degrees_y (metres, missing where the file gives no possible place),
        exchanged (how many of the pairs had their axes the wrong way round) and impossible (how many were no place in
        Great Britain, as -999).

    Raises:
        SourceError: it has neither pair.
    """
    rows = _name_pairs(rows)
    placed = rows.assign(exchanged=0, impossible=0)
    for pair, (x, y) in COLUMNS.items():
        points = _take_pair(rows, x, y)
        given = ~np.isnan(points).all(axis=1)
        fits, turned = _lies_in(points, pair), _lies_in(points[:, ::-1], pair)
        if pair == DEGREES:  # no place in Great Britain has a latitude that could be its longitude
            points, fits = np.where((turned & ~fits)[:, None], points[:, ::-1], points), fits | turned
            placed["exchanged"] += turned & ~_lies_in(_take_pair(rows, x, y), pair)
            points = np.column_stack(TO_GRID.transform(*points.T))
        else:
            fits |= turned
        points[~fits] = np.nan
        placed["impossible"] += given & ~fits
        placed[METRES[pair]] = points
    if placed[[*METRES[GRID], *METRES[DEGREES]]].isna().all(axis=None):
        raise SourceError(
            f"{where}: no row has a place in Great Britain. Expected columns easting and northing, in metres, or "
            "longitude and latitude, in degrees. A postcode alone is not enough."
        )
    return _turn_grid(placed, centre)


def _name_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Call the only pair of a file by what its numbers can be, whatever its headers say."""
    for pair, other in ((GRID, DEGREES), (DEGREES, GRID)):
        points, others = (_take_pair(rows, *COLUMNS[one]) for one in (pair, other))
        can_be = {one: (_lies_in(points, one) | _lies_in(points[:, ::-1], one)).any() for one in (pair, other)}
        if np.isnan(others).all() and can_be[other] and not can_be[pair]:
            left = rows.drop(columns=list(COLUMNS[other]), errors="ignore")
            return left.rename(columns=dict(zip(COLUMNS[pair], COLUMNS[other], strict=True)))
    return rows


def _take_pair(rows: pd.DataFrame, x: str, y: str) -> np.ndarray:
    return rows.reindex(columns=[x, y]).to_numpy("float64", na_value=np.nan, copy=True)


def _lies_in(points: np.ndarray, pair: str) -> np.ndarray:
    west, south, east, north = BOXES[pair]
    with np.errstate(invalid="ignore"):
        inside: np.ndarray = np.all((points > [west, south]) & (points < [east, north]), axis=1)
    return inside


def _turn_grid(placed: pd.DataFrame, centre: tuple[float, float] | None) -> pd.DataFrame:
    """Exchange eastings and northings where that brings them near the other pair, or else near the centre."""
    grid = placed[METRES[GRID]].to_numpy()
    other = placed[METRES[DEGREES]].to_numpy()
    near = np.where(np.isnan(other), centre, other) if centre else other
    with np.errstate(invalid="ignore"):
        as_read, turned = (np.hypot(*(points - near).T) for points in (grid, grid[:, ::-1]))
        wrong = (as_read > SAME_PLACE_M) & (turned < as_read / 5)
    placed.loc[wrong, METRES[GRID]] = grid[wrong][:, ::-1]
    return placed.assign(exchanged=placed["exchanged"] + wrong)


def measure_datum(x: float, y: float) -> np.ndarray:
    """Return how far a place moves, in metres east and north, when the shift between two datums is left out once.

    WGS 84 and OSGB 1936 put the same degrees some 125 m apart in London (Ordnance Survey, A Guide to Coordinate Systems
    in Great Britain, 2020): degrees of the one taken for the other give an error of that size, each time it is done.
    """
    forgotten: np.ndarray = np.array([x, y]) - AS_OLD_DATUM.transform(*TO_DEGREES.transform(x, y))
    return forgotten


def write_keys(names: "pd.Series[str]") -> tuple["pd.Series[str]", "pd.Series[str]"]:
    """Write names so that those of one venue are equal, whatever signs they have; and again without the kind."""
    plain = names.fillna("").astype("str").str.casefold().str.replace(r"['\u2019]", "", regex=True)
    bare = plain.str.replace(r"[^a-z0-9]+", " ", regex=True).str.replace(ARTICLES, " ", regex=True)
    loose = bare.str.replace(KIND_NAMES, " ", regex=True)
    return bare.str.split().str.join(" "), loose.str.split().str.join(" ")


def read_uprns(texts: "pd.Series[str]") -> "pd.Series[str]":
    """Return property references as digits; empty for none, 0, and those that were rounded to thousands."""
    digits = texts.astype("str").str.strip().str.replace(r"\.0$", "", regex=True)
    return digits.where(digits.map(lambda text: bool(re.fullmatch(r"[1-9]\d{4,11}", text)) and text[-3:] != "000"), "")


MAPS = {
    "venue_map_museums": "museum",
    "venue_map_libraries": "library",
    "venue_map_theatres": "theatre",
    "venue_map_music": "music venue",
}
OWN_LIST, MUSEUMS = "council_venues", "mapping_museums"
OTHER = "other"
KINDS = (*MAPS.values(), OTHER)
LONDON = "London"
KIND_WORDS = {"librar": "library", "museum": "museum", "galler": "museum", "theatre": "theatre", "music": "music venue"}


def load_files(study: Study, outlines: gpd.GeoDataFrame | None) -> dict[str, pd.DataFrame]:
    """Load the files that name venues, with their positions in metres; see `read_positions`.

    Those of the council's own list that have closed are left out; `attrs["closed"]` says how many.

    Args:
        study: whose council it is.
        outlines: its small areas in EPSG:27700, near which its venues should be; None if they are not there.
    """
    centre = None if outlines is None else tuple(outlines.total_bounds.reshape(2, 2).mean(axis=0))
    files = {}
    for source in (*MAPS, OWN_LIST):
        if study.has(source):
            rows = study.load(source)
            has_closed = find_closed(rows["closed"]) if source == OWN_LIST else pd.Series(False, index=rows.index)
            rows = rows[~has_closed].reset_index(drop=True)
            kinds = MAPS[source] if source in MAPS else name_kinds(rows["kind"])
            files[source] = read_positions(rows.assign(kind=kinds), f"Source {source}", centre)
            files[source].attrs["closed"] = int(has_closed.sum())
    return files


def find_closed(texts: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which venues a council says have closed: by word, by a year or day, or by yes; not those closed for now."""
    plain = texts.fillna("").astype("str").str.casefold()
    says = plain.str.contains(r"clos|demolish|^(?:yes|y|true|1)$|\b(?:19|20)\d\d\b")
    return says & ~plain.str.contains(r"open|tempor|not |refurb")


def name_kinds(texts: "pd.Series[str]") -> "pd.Series[str]":
    """Name the kind of venue that a council's own word stands for; other where it is none of those that are known."""
    plain = texts.fillna("").str.casefold()
    kinds = pd.Series(OTHER, index=texts.index)
    for part, kind in KIND_WORDS.items():
        kinds = kinds.mask(kinds.eq(OTHER) & plain.str.contains(part), kind)
    return kinds


def load_museums(study: Study) -> pd.DataFrame:
    """Load the museums of the United Kingdom that are placed: name, area, x, y (metres), is_open; none if not there."""
    if not study.has(MUSEUMS):
        return pd.DataFrame(columns=["name", "area", "x", "y", "is_open"])
    rows = read_positions(study.load(MUSEUMS), f"Source {MUSEUMS}")
    rows[["x", "y"]] = rows[METRES[DEGREES]]
    years = pd.to_numeric(rows["closed"], errors="coerce")  # "na", or 9999, where it is open
    return rows.assign(is_open=years.isna() | years.gt(3000)).dropna(subset=["x"])


def is_mapped(codes: Mapping[str, str]) -> bool:
    """Tell whether the map of venues covers a council, so that a kind of which it shows none is a zero there."""
    known = read_authorities()
    return all(code in known and known[code].region == LONDON for code in codes)
