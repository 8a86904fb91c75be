"""Collecting: the files that name venues, as far as they are there, and the places that others have published."""

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from councilbook.catalogue.councils import read_authorities
from councilbook.culture.venues.positions import DEGREES, METRES, read_positions
from councilbook.study import Study

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

    Args:
        study: whose council it is.
        outlines: its small areas in EPSG:27700, near which its venues should be; None if they are not there.
    """
    centre = None if outlines is None else tuple(outlines.total_bounds.reshape(2, 2).mean(axis=0))
    files = {}
    for source in (*MAPS, OWN_LIST):
        if study.has(source):
            rows = study.load(source)
            kinds = MAPS[source] if source in MAPS else name_kinds(rows["kind"])
            files[source] = read_positions(rows.assign(kind=kinds), f"Source {source}", centre)
    return files


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
