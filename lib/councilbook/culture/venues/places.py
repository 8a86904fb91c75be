"""Places: which borough and which small areas a venue lies in, by its position, and how sure that is."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.catalogue.councils import find_authority, list_codes
from councilbook.culture.venues.positions import DEGREES, GRID, METRES, TO_DEGREES
from councilbook.errors import CatalogueError

OUTLINE_M = 20.0  # to which the outlines are generalised
BY_PLACE, BY_CODE, BY_NAME = "place", "code in the file", "name in the file"
LSOA = {2011: "lsoa11_code", 2021: "lsoa21_code"}


def find_areas(venues: pd.DataFrame, outlines: gpd.GeoDataFrame, code: str) -> pd.DataFrame:
    """Find the areas in which a venue may lie: all that are as near as its uncertainty and that of the outlines.

    Args:
        venues: venue_id, x, y, uncertainty_m.
        outlines: areas in EPSG:27700.
        code: column with their code.

    Returns:
        A row a venue and area, nearest first: venue_id, the code, distance_m (0: it lies in it).
    """
    reach = venues["uncertainty_m"] + OUTLINE_M
    discs = gpd.GeoSeries.from_xy(venues["x"], venues["y"], crs=27700).buffer(reach.to_numpy())
    points = gpd.GeoSeries.from_xy(venues["x"], venues["y"], crs=27700)
    row, area = outlines.sindex.query(discs.to_numpy(), predicate="intersects")
    distances = points.iloc[row].reset_index(drop=True).distance(outlines.geometry.iloc[area].reset_index(drop=True))
    found = pd.DataFrame(
        {
            "venue_id": venues["venue_id"].to_numpy()[row],
            code: outlines[code].to_numpy()[area],
            "distance_m": distances.to_numpy(),
        }
    )
    return found.sort_values(["venue_id", "distance_m", code], ignore_index=True)


def take_nearest(areas: pd.DataFrame, code: str) -> "pd.Series[str]":
    """Return the area that each venue lies in, or, in a gap between generalised outlines, the nearest; by venue_id."""
    return areas.drop_duplicates("venue_id").set_index("venue_id")[code]


def find_other_areas(rows: pd.DataFrame, outlines: gpd.GeoDataFrame, code: str) -> pd.DataFrame:
    """Find the area of each of a file's two positions as it has them; missing where it lies in none."""
    found = {}
    for pair in (GRID, DEGREES):
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*rows[METRES[pair]].to_numpy().T), crs=27700)
        joined = points.sjoin(outlines[[code, "geometry"]], predicate="within")
        found[pair] = joined[~joined.index.duplicated()][code].reindex(range(len(rows))).to_numpy()
    return pd.DataFrame(found, index=rows.index)


def pick_own(venues: pd.DataFrame, codes: Mapping[str, str], outlines: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Pick the venues that lie in a council: by place where its outlines are there, else as the file says.

    Args:
        venues: x, y, uncertainty_m, and what the files say: borough_code, borough_name or area.
        codes: of the council, with names.
        outlines: its small areas with lad22_code, in EPSG:27700.

    Returns:
        The venues with lad22_code, borough_from and is_near_border (as near as its uncertainty).
    """
    own = {past: code for code in codes for past in list_codes(code)}
    if outlines is None:
        said = venues.reindex(columns=["borough_code", "borough_name", "area"])
        by_code = said["borough_code"].map(own)
        by_name = said["borough_name"].fillna(said["area"].map(_last_authority)).map(name_authorities(said)).map(own)
        found = venues.assign(
            lad22_code=by_code.fillna(by_name), borough_from=np.where(by_code.notna(), BY_CODE, BY_NAME)
        )
        return found[found["lad22_code"].notna()].assign(is_near_border=False)
    whole = outlines.union_all()
    points = gpd.GeoSeries.from_xy(venues["x"], venues["y"], crs=27700, index=venues.index)
    here = venues[points.within(whole)].copy()
    nearest = outlines.sindex.nearest(points.loc[here.index].to_numpy(), return_all=False)[1]
    edge = points.loc[here.index].distance(whole.boundary)
    own_venues: pd.DataFrame = here.assign(
        lad22_code=outlines["lad22_code"].to_numpy()[nearest],
        borough_from=BY_PLACE,
        is_near_border=edge < here["uncertainty_m"] + OUTLINE_M,
    )
    return own_venues


def name_authorities(said: pd.DataFrame) -> dict[str, str]:
    """Return the GSS code that each name of a borough or an area stands for, less those of none or of several."""
    names = pd.concat([said["borough_name"], said["area"].map(_last_authority)]).dropna().unique()
    return {name: code for name in names if (code := find_code(name))}


def find_code(name: str) -> str:
    """Return the GSS code of the authority that a name stands for; empty if for none, or for several."""
    try:
        authority = find_authority(name)
    except CatalogueError:
        return ""
    return authority.gss_code if authority else ""


def _last_authority(area: object) -> str | None:
    """Return the authority of a museum, as Cornwall of `England/South West (English Region)/Cornwall (English UA)`."""
    return str(area).rsplit("/", 1)[-1].split(" (")[0] if isinstance(area, str) else None


def add_degrees(venues: pd.DataFrame) -> pd.DataFrame:
    """Add longitude and latitude (WGS 84) to easting and northing."""
    longitude, latitude = TO_DEGREES.transform(venues["easting"].to_numpy(), venues["northing"].to_numpy())
    return venues.assign(longitude=longitude.round(6), latitude=latitude.round(6))
