"""Places: a council's venues, each once, with its borough and small areas by position, and how sure these are."""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.catalogue.councils import find_authority, list_codes
from councilbook.culture.venues.positions import (
    DEGREES,
    GRID,
    KINDS,
    METRES,
    MUSEUMS,
    OWN_LIST,
    SAME_PLACE_M,
    TO_DEGREES,
    is_mapped,
    write_keys,
)
from councilbook.culture.venues.shifts import REFERENCE_M, Settled
from councilbook.errors import CatalogueError
from councilbook.study import Study

OUTLINE_M = 20.0  # to which the outlines are generalised
TWICE_M = 100.0  # rows of one kind and name that are closer are one venue: two doors, or two numbers of a building
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
    found: pd.DataFrame = venues["venue_id"].iloc[row].to_frame().assign(distance_m=distances.to_numpy())
    found[code] = outlines[code].to_numpy()[area]
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


BOUNDARIES = {vintage: f"lsoa_boundaries_{vintage}" for vintage in LSOA}


@dataclass(frozen=True)
class Ground:
    """The council's small areas: outlines by census, as far as they are there, with lad22_code, in EPSG:27700."""

    outlines: Mapping[int, gpd.GeoDataFrame]

    @property
    def newest(self) -> gpd.GeoDataFrame | None:
        """The outlines of the newest census; None if there are none."""
        return self.outlines[max(self.outlines)] if self.outlines else None


def load_ground(study: Study) -> Ground:
    """Load the outlines of a council's small areas of both censuses, as far as they are there."""
    outlines = {}
    for vintage, source in BOUNDARIES.items():
        if study.has(source):
            code = LSOA[vintage]
            districts = study.place.lookup.drop_duplicates(code)[[code, "lad22_code"]]
            outlines[vintage] = gpd.GeoDataFrame(study.load(source).merge(districts, on=code, how="left")).to_crs(27700)
    return Ground(outlines)


def list_venues(study: Study, settled: Mapping[str, Settled], museums: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    """List the venues of a council.

    Args:
        study: whose council it is.
        settled: of `settle_files`.
        museums: of `load_museums`; they are the venues where the map does not reach.
        ground: of `load_ground`.

    Returns:
        A row a venue with the columns of culture_venues; one of the council's own list that another file has is that
        file's.
    """
    codes = study.finder.council.codes
    known = [one.rows.assign(source_id=name) for name, one in settled.items() if name == OWN_LIST or is_mapped(codes)]
    if not is_mapped(codes):
        known.append(
            museums[museums["is_open"].astype("bool")].assign(
                kind="museum",
                source_id=MUSEUMS,
                uncertainty_m=REFERENCE_M,
                position_from=DEGREES,
                borough_name=museums["area"].map(_last_authority),
            )
        )
    every = pd.concat(known, ignore_index=True) if known else museums.assign(kind="", source_id="", uncertainty_m=0.0)
    own = pick_own(_drop_repeated(every.dropna(subset=["x", "y"])), codes, ground.newest).reset_index(drop=True)
    own["venue_id"] = _name_ids(own)
    own = own.assign(lsoa21_code=None, lsoa11_code=None, other_lsoa_code=None)
    for vintage, outlines in ground.outlines.items():
        code = LSOA[vintage]
        own[code] = own["venue_id"].map(take_nearest(find_areas(own, outlines, code), code))
    if ground.newest is not None:
        own = _add_by_lookup(own, study.place.lookup, ground)
        own["other_lsoa_code"] = _find_other(own, ground)
    own = own.assign(easting=own["x"].round(1), northing=own["y"].round(1), uncertainty_m=own["uncertainty_m"].round(1))
    order = own["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    return add_degrees(own).assign(order=order).sort_values(["order", "name"], ignore_index=True)


def list_areas(venues: pd.DataFrame, ground: Ground, imd: pd.DataFrame) -> pd.DataFrame:
    """List the small areas in which each venue may lie, with their deprivation; see `find_areas`.

    Args:
        venues: of `list_venues`.
        ground: the outlines; those of 2011 are taken if they are there, since the index of 2019 is by these. An area of
            2021 that is no area of 2011 has no decile.
        imd: lsoa11_code, imd_decile and imd_rank.
    """
    if not ground.outlines:
        return pd.DataFrame()
    vintage = min(ground.outlines)
    code, outlines = LSOA[vintage], ground.outlines[vintage]
    areas = find_areas(venues.assign(x=venues["easting"], y=venues["northing"]), outlines, code)
    named = outlines[[code, code.replace("code", "name")]].set_axis(["lsoa_code", "lsoa_name"], axis="columns")
    found = areas.rename(columns={code: "lsoa_code"}).merge(pd.DataFrame(named), on="lsoa_code")
    known = imd[["lsoa11_code", "imd_decile", "imd_rank"]].rename(columns={"lsoa11_code": "lsoa_code"})
    found = found.merge(known, on="lsoa_code", how="left").sort_values(["venue_id", "distance_m"], ignore_index=True)
    whole = found[["imd_decile", "imd_rank"]].astype("Int64")
    return found.assign(vintage=vintage, distance_m=found["distance_m"].round(1), **whole)


def _drop_repeated(venues: pd.DataFrame) -> pd.DataFrame:
    """Drop venues that a file has twice, and those of the council's own list that another file has there as well."""
    strict, _ = write_keys(venues["name"])
    first = venues.groupby([venues["kind"], strict])[["x", "y"]].transform("first").to_numpy()
    from_first = np.hypot(*(venues[["x", "y"]].to_numpy() - first).T)
    is_again = venues["kind"].str.cat(strict, "|").duplicated() & (from_first < TWICE_M)
    venues, strict = venues[~is_again], strict[~is_again]
    others = venues.assign(key=strict)[venues["source_id"].ne(OWN_LIST)].drop_duplicates("key").set_index("key")
    twin = others[["x", "y"]].reindex(strict).to_numpy()
    near = np.hypot(*(venues[["x", "y"]].to_numpy() - twin).T) < SAME_PLACE_M
    kept: pd.DataFrame = venues[~(venues["source_id"].eq(OWN_LIST) & near)]
    return kept


def _name_ids(venues: pd.DataFrame) -> "pd.Series[str]":
    plain = (venues["kind"] + " " + venues["name"].str.replace(r"['\u2019]", "", regex=True)).str.casefold()
    ids = plain.str.replace(r"[^a-z0-9]+", "_", regex=True).str.strip("_")
    again = ids.groupby(ids).cumcount()
    return ids.where(again == 0, ids + "_" + (again + 1).astype("str"))


def _add_by_lookup(own: pd.DataFrame, lookup: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    """Give venues the area of a census whose outlines are not there, where the other's has one counterpart alone."""
    for vintage in set(LSOA) - set(ground.outlines):
        here, there = LSOA[vintage], LSOA[2011 + 2021 - vintage]
        only = lookup[~lookup[there].duplicated(keep=False)].set_index(there)[here]
        own[here] = own[there].map(only)
    return own


def _find_other(own: pd.DataFrame, ground: Ground) -> "pd.Series[str]":
    """Return the area in which a file's other position lies, where that is another one than the venue's."""
    vintage = max(ground.outlines)
    if not set(METRES[GRID]) <= set(own):
        return pd.Series(None, index=own.index, dtype="object")
    said = find_other_areas(own, ground.outlines[vintage], LSOA[vintage])
    differs = said.where(said.notna() & said.ne(own[LSOA[vintage]], axis=0))
    return differs[DEGREES].fillna(differs[GRID])
