"""Tables: what was found, in the columns of the datasets that are released."""

import io
from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from councilbook.culture.venues.listing import Ground
from councilbook.culture.venues.places import LSOA
from councilbook.culture.venues.shifts import Settled
from councilbook.culture.venues.stations import count_stations
from councilbook.sources.files.packed import unpack
from councilbook.study import Study


def fit_columns(study: Study, dataset: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table the columns and types of a dataset; a column that it lacks is missing, and so may all rows be."""
    kinds = {"integer": "Int64", "year": "Int64", "number": "float64", "boolean": "bool", "string": "str"}
    fields = study.catalogue.dataset(dataset).fields
    return frame.reindex(columns=list(fields)).astype({name: kinds[one.type] for name, one in fields.items()})


def fit_shapes(study: Study, dataset: str, shapes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give shapes the columns of a dataset, as `fit_columns` does."""
    return gpd.GeoDataFrame(fit_columns(study, dataset, pd.DataFrame(shapes)), geometry=shapes.geometry)


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


def list_outlines(ground: Ground, imd: pd.DataFrame | None) -> gpd.GeoDataFrame:
    """List the small areas of the newest census with their outlines, as culture_areas has them; or none."""
    if ground.newest is None:
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    vintage = max(ground.outlines)
    code = LSOA[vintage]
    named = ground.newest.rename(columns={code: "lsoa_code", code.replace("code", "name"): "lsoa_name"})
    deciles = imd.set_index("lsoa11_code")["imd_decile"] if imd is not None else pd.Series(dtype="Int64")
    return named.assign(vintage=vintage, imd_decile=named["lsoa_code"].map(deciles)).to_crs(4326)


def cut_cycleways(study: Study, ground: Ground) -> gpd.GeoDataFrame:
    """Cut the cycleways at the council's border: line, label, length_m; none where there is no file, or no outline."""
    if ground.newest is None or not study.has("cycleways"):
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    found = study.open_file("cycleways")
    lines = gpd.read_file(io.BytesIO(unpack(found.path, None, "Source cycleways"))).to_crs(27700)
    inside = lines.clip(ground.newest.union_all()).reset_index(drop=True)
    return inside.assign(line=range(1, len(inside) + 1), label=inside["Label"], length_m=inside.length).to_crs(4326)
