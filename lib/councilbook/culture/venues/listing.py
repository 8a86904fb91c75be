"""Listing: the venues of a council, each once, with its place, its areas and how sure both are."""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.culture.venues.collecting import KINDS, MUSEUMS, OWN_LIST, is_mapped
from councilbook.culture.venues.places import (
    LSOA,
    add_degrees,
    find_areas,
    find_other_areas,
    pick_own,
    take_nearest,
)
from councilbook.culture.venues.positions import DEGREES, GRID, METRES, SAME_PLACE_M, write_keys
from councilbook.culture.venues.shifts import REFERENCE_M, Settled
from councilbook.study import Study

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
                kind="museum", source_id=MUSEUMS, uncertainty_m=REFERENCE_M, position_from=DEGREES
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


def list_areas(venues: pd.DataFrame, ground: Ground, imd: pd.DataFrame | None) -> pd.DataFrame:
    """List the small areas in which each venue may lie, with their deprivation; see `find_areas`.

    Args:
        venues: of `list_venues`.
        ground: the outlines; those of 2011 are taken if they are there, since the index of 2019 is by these.
        imd: lsoa11_code, imd_decile and imd_rank; None if not there.
    """
    if not ground.outlines:
        return pd.DataFrame()
    vintage = min(ground.outlines)
    code, outlines = LSOA[vintage], ground.outlines[vintage]
    areas = find_areas(venues.assign(x=venues["easting"], y=venues["northing"]), outlines, code)
    names = outlines.set_index(code)[code.replace("code", "name")]
    found = areas.assign(lsoa_code=areas[code], lsoa_name=areas[code].map(names), vintage=vintage)
    for column in ("imd_decile", "imd_rank"):
        known = (
            imd.set_index("lsoa11_code")[column] if imd is not None and vintage == 2011 else pd.Series(dtype="Int64")
        )
        found[column] = found["lsoa_code"].map(known).astype("Int64")
    found["distance_m"] = found["distance_m"].round(1)
    return found.drop(columns=[code] if code != "lsoa_code" else [])


def _drop_repeated(venues: pd.DataFrame) -> pd.DataFrame:
    """Drop venues of the council's own list that another file has under the same name, in the same place."""
    strict, _ = write_keys(venues["name"])
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
