"""Tables: what was found, in the columns of the datasets that are released."""

import io
from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from councilbook.culture.venues.places import LSOA, Ground
from councilbook.culture.venues.shifts import Settled
from councilbook.culture.venues.stations import count_stations
from councilbook.pages.html import Html, table
from councilbook.pages.maps.point_maps import outline_points
from councilbook.sources.files.packed import unpack
from councilbook.study import Study

HEADERS = {  # by dataset, the columns that a page shows and the words above them
    "venue_position_checks": {
        "title": "File",
        "rows": "Venues",
        "gap_m": "Positions apart (m)",
        "matches": "Matches that agree",
        "decision": "Decision",
        "shift_east_m": "Moved east (m)",
        "shift_north_m": "Moved north (m)",
        "datum_steps": "Datum shifts in it",
        "uncertainty_m": "Uncertainty (m)",
    },
    "culture_venues": {
        "kind": "Kind",
        "name": "Venue",
        "borough_in_file": "Borough in the file",
        "lsoa21_code": "Small area (2021)",
        "other_lsoa_code": "By the file's own position",
        "uncertainty_m": "Uncertainty (m)",
    },
    "culture_funding": {
        "programme": "Programme",
        "years": "Years",
        "awards": "Awards",
        "amount_gbp": "Sum (£)",
        "people_year": "People of",
        "amount_gbp_head": "A head (£)",
        "england_gbp_head": "England, a head (£)",
    },
    "culture_stations": {
        "name": "Station",
        "modes": "Lines",
        "is_inside": "In the area",
        "year": "Year",
        "people": "People a year",
    },
}
MISSING = {"other_lsoa_code": "no other", "borough_in_file": "none"}
BANDS = {1: "sure to 50 metres", 2: "sure to 200 metres", 3: "less sure than that"}
BAND_LIMITS_M = (50, 200)
ENDINGS = {"_m": ",.0f", "_gbp": ",.0f", "_head": ",.2f", "people": ",.0f"}


def show(dataset: str, frame: pd.DataFrame, caption: str) -> Html:
    """Show the columns of a dataset that a reader needs, as a table, but those that are blank in all rows."""
    shown = frame.reindex(columns=list(HEADERS[dataset]))
    shown = shown.dropna(axis="columns", how="all") if len(shown) else shown
    headers = {name: words for name, words in HEADERS[dataset].items() if name in shown}
    formats = {name: form for name in headers for end, form in ENDINGS.items() if name.endswith(end)}
    return table(shown.fillna(MISSING), caption, headers=headers, formats=formats)


def fit_columns(study: Study, dataset: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table the columns and types of a dataset; a column that it lacks is missing, and so may all rows be."""
    kinds = {"integer": "Int64", "year": "Int64", "number": "float64", "boolean": "bool", "string": "str"}
    fields = study.catalogue.dataset(dataset).fields
    table = pd.DataFrame(frame).reindex(columns=list(fields))
    table = table.astype({name: kinds[one.type] for name, one in fields.items()})
    return gpd.GeoDataFrame(table, geometry=frame.geometry) if isinstance(frame, gpd.GeoDataFrame) else table


def list_checks(study: Study, settled: Mapping[str, Settled]) -> pd.DataFrame:
    """List what was found in each file, as venue_position_checks has it."""
    titles = {name: study.catalogue.source(name).title for name in settled}
    rows = [{"source_id": name, "title": titles[name], **one.check} for name, one in settled.items()]
    named = pd.DataFrame(rows)
    if len(named):
        named["matched_with"] = [
            "; ".join(titles.get(one, one) for one in text.split("; ")) for text in named["matched_with"]
        ]
        for column in ("matched_with", "position_from"):
            named[column] = named[column].mask(named[column].eq(""))
    return fit_columns(study, "venue_position_checks", named)


def list_stations(stations: pd.DataFrame, counts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List stations with their newest count, and all counts by year."""
    by_year = count_stations(stations, counts)
    newest = by_year.sort_values("year").drop_duplicates("station_id", keep="last").drop(columns="name")
    return (stations.merge(newest, on="station_id", how="left") if len(stations) else stations), by_year


def list_outlines(ground: Ground, imd: pd.DataFrame, called: Mapping[str, str]) -> gpd.GeoDataFrame:
    """List the small areas of the newest census with their outlines, as culture_areas has them; or none.

    `called` is what people call a neighbourhood, by the name of its MSOA.
    """
    if ground.newest is None:
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    vintage = max(ground.outlines)
    code = LSOA[vintage]
    named = ground.newest.rename(columns={code: "lsoa_code", code.replace("code", "name"): "lsoa_name"})
    deciles = imd[["lsoa11_code", "imd_decile"]].rename(columns={"lsoa11_code": "lsoa_code"})
    around = named["lsoa_name"].str[:-1].map(called).astype("str")
    shown = named.assign(vintage=vintage, neighbourhood=around).merge(deciles, on="lsoa_code", how="left")
    return gpd.GeoDataFrame(shown).to_crs(4326)


def cut_cycleways(study: Study, ground: Ground) -> gpd.GeoDataFrame:
    """Cut the cycleways at the council's border: line, label, length_m; none where there is no file, or no outline."""
    if ground.newest is None or not study.has("cycleways"):
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    found = study.open_file("cycleways")
    lines = gpd.read_file(io.BytesIO(unpack(found.path, None, "Source cycleways"))).to_crs(27700)
    inside = lines.clip(ground.newest.union_all()).reset_index(drop=True)
    return inside.assign(line=range(1, len(inside) + 1), label=inside["Label"], length_m=inside.length).to_crs(4326)


def place_venues(venues: pd.DataFrame, areas: gpd.GeoDataFrame, name: str) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Place the venues on a map: points with label (each different) and band (how sure), and the ground with name.

    Where outlines are not there, the ground is drawn around the venues.
    """
    labels = venues["name"] + ", " + venues["kind"]
    again = labels.str.casefold().groupby(labels.str.casefold()).cumcount()
    band = 1 + sum(venues["uncertainty_m"].gt(limit).astype("int64") for limit in BAND_LIMITS_M)
    shown = venues.assign(label=labels.where(again == 0, labels + " " + (again + 1).astype("str")), band=band)
    points = gpd.GeoDataFrame(shown, geometry=gpd.points_from_xy(venues["longitude"], venues["latitude"]), crs=4326)
    if areas.empty:
        return points, outline_points(points, name)
    return points, areas.assign(name=name)
