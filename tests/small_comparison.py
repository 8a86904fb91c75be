"""Reports of several councils with figures to compare, made up for tests."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from councilbook.catalogue import Catalogue, ComparisonSpec, Dataset, StudySpec
from councilbook.pages.reports.report_records import Place
from small_site import SPEC, make_catalogue, make_package, make_record

SHARE = {
    "dataset": "cold_homes",
    "label": "Homes that are cold",
    "sure": "The interval is Wilson's, of so many homes.",
    "value": "cold",
    "of": "homes",
    "where": {"kind": "flat"},
    "newest": "year",
}
FIELDS = ("district", "kind", "year", "cold", "homes")
DATASET = {
    "id": "cold_homes",
    "title": "Cold homes",
    "description": "Homes by district.",
    "classification": "open",
    "licence": "OGL-UK-3.0",
    "key": ["district"],
    "fields": {name: {"description": name} for name in FIELDS} | {"homes": {"description": "homes", "unit": "homes"}},
}


def make_study(root: Path, **changes: Any) -> Catalogue:
    """Return a catalogue with a study that compares one figure; `changes` are of the study."""
    spec = StudySpec.model_validate(SPEC.model_dump() | {"compare": [SHARE]} | changes)
    catalogue = make_catalogue(root, spec)
    catalogue.workbook.reports.mkdir(parents=True, exist_ok=True)
    return replace(catalogue, datasets={"cold_homes": Dataset.model_validate(DATASET)})


def make_share(**changes: Any) -> ComparisonSpec:
    """Return the declaration of the compared figure, changed."""
    return ComparisonSpec.model_validate(SHARE | changes)


def make_rows(cold: int, homes: int, year: int = 2024, kind: str = "flat") -> pd.DataFrame:
    """Return the one row of a district."""
    return pd.DataFrame([{"district": "E06000001", "kind": kind, "year": year, "cold": cold, "homes": homes}])


def write_council(
    reports: Path,
    slug: str,
    rows: pd.DataFrame,
    *,
    data: str = "real",
    codes: tuple[str, ...] | None = None,
    outline: tuple[float, float, float, float] | None = None,
    **changes: Any,
) -> None:
    """Write the report of a council with one dataset; `changes` are of the dataset's record.

    The outline is a box in metres, in two halves.
    """
    dataset = make_record().datasets[0].model_copy(update={"id": "cold_homes", **changes})
    record = make_record(slug=slug, data=data, datasets=[dataset], council=Place(slug=slug, name=slug.capitalize()))
    folder = reports / record.folder
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<!DOCTYPE html><title>A report</title>", encoding="utf-8")
    (folder / "report.json").write_text(record.model_dump_json(), encoding="utf-8")
    if not dataset.is_published:
        return
    package = make_package("cold_homes", "Cold homes", council=slug)
    package["councilbook"]["council"]["codes"] = dict.fromkeys(codes or (slug,), "")
    package["resources"][0]["schema"] = {
        "fields": [{"name": name, "type": "string", "description": name, "constraints": {}} for name in rows],
        "primaryKey": ["district"],
    }
    target = folder / "data" / "cold_homes"
    target.mkdir(parents=True)
    if outline:
        west, south, east, north = outline
        middle = (west + east) / 2
        boxes = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
        gpd.GeoDataFrame(geometry=boxes, crs=27700).to_crs(4326).to_parquet(target / "cold_homes.parquet")
        package["resources"].append({"path": "cold_homes.parquet", "format": "parquet", "bytes": 1, "mediatype": "x"})
    rows.to_csv(target / "cold_homes.csv", index=False, encoding="utf-8-sig")
    (target / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    (target / "dcat.jsonld").write_text('{"@context": {}, "@graph": []}', encoding="utf-8")
