"""The files of a released table: the same cells in every format, with as many decimals as they deserve."""

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyarrow.parquet import read_schema

from councilbook.catalogue import Dataset, hash_file
from councilbook.pages.html.formulas import escape_formula

COORDINATE_DECIMALS = 6  # about 0.1 m
CSV_ENCODING = "utf-8-sig"  # Excel takes a CSV without the mark for Windows-1252, and shows £ as Â£
DECIMALS = {"GBP": 2, "percent": 2, "percentage points": 2, "degrees": 6, "kWh": 1}  # also of so much a year
DATA_KIND = "data_kind"  # column of every table that is not of real figures alone
SHEET_ROWS = 2**20  # of a spreadsheet, with its headers
FIGURES = 6  # of numbers in other units


def name_kind(kinds: Sequence[str]) -> str:
    """Return what a table's column says of the kind of its figures; nothing where all of them are real."""
    return "" if list(kinds) == ["real"] else " and ".join(kinds)


def write_tables(table: pd.DataFrame, dataset: Dataset, folder: Path, stem: str, kind: str) -> list[dict[str, Any]]:
    """Write the same cells in every format that fits, and describe each file.

    Args:
        table: as its dataset declares it.
        dataset: what it is.
        folder: to write to.
        stem: name of the files.
        kind: from `name_kind`; told in a column of its own, so that no copy of a part is taken for real.
    """
    if kind:
        table = table.assign(**{DATA_KIND: kind})
    files = [folder / f"{stem}.csv", folder / f"{stem}.parquet"]
    cells = _format_csv(table, dataset)
    cells.to_csv(files[0], index=False, encoding=CSV_ENCODING, lineterminator="\n")
    table.to_parquet(files[1], index=False, compression="zstd")
    shapes = table if dataset.geometry else _place_points(table)
    if shapes is not None:
        files.insert(1, folder / f"{stem}.geojson")
        dated = gpd.GeoDataFrame(_write_dates(shapes, dataset))
        dated.to_file(files[1], driver="GeoJSON", COORDINATE_PRECISION=COORDINATE_DECIMALS, RFC7946="YES")
    if len(table) < SHEET_ROWS:
        files.insert(1, folder / f"{stem}.xlsx")
        _write_workbook(cells, files[1])
    return [_describe_file(file) | ({"rows": len(table)} if file == files[0] else {}) for file in files]


def _place_points(table: pd.DataFrame) -> gpd.GeoDataFrame | None:
    if not {"latitude", "longitude"} <= set(table) or table[["latitude", "longitude"]].isna().any(axis=None):
        return None
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["longitude"], table["latitude"]), crs=4326)


def _write_workbook(cells: pd.DataFrame, target: Path) -> None:
    """Write a workbook of one sheet by GDAL, twice as fast as openpyxl; its bytes depend on its cells alone."""
    whole = {name: "float64" for name, kind in cells.dtypes.items() if kind == "Int64"}  # some are missing
    with tempfile.TemporaryDirectory() as made:
        raw = Path(made) / target.name
        pyogrio.write_dataframe(cells.astype(whole), raw, driver="XLSX", layer="data")
        with zipfile.ZipFile(raw) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)


def round_numbers(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Round numbers to as many decimals as their unit deserves, or to some figures where they have none."""
    rounded = table.copy()
    for name, field in dataset.fields.items():
        if field.type == "number":
            decimals = DECIMALS.get((field.unit or "").removesuffix(" a year"))
            values = table[name].to_numpy()
            rounded[name] = values.round(decimals) if decimals is not None else _round_figures(values)
    return rounded


def _round_figures(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return np.array([float(f"{value:.{FIGURES}g}") for value in values])


def _format_csv(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Write booleans as true and false and dates as ISO, as Table Schema reads them, and line ends as one character.

    Texts that a spreadsheet would run as formulas are escaped; `_parse_text` takes that back.
    """
    formatted = _write_dates(pd.DataFrame(table.drop(columns="geometry", errors="ignore")), dataset)
    for name, field in dataset.fields.items():
        if field.type == "boolean":
            formatted[name] = formatted[name].map({True: "true", False: "false"})
        elif field.type == "string":  # csv does not quote a lone carriage return, and would end the row there
            formatted[name] = formatted[name].str.replace(r"\r\n?", "\n", regex=True)
            formatted[name] = formatted[name].map(escape_formula, na_action="ignore")
    return formatted


def _write_dates(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    dates = [name for name, field in dataset.fields.items() if field.type == "date"]
    return table.assign(**{name: table[name].dt.strftime("%Y-%m-%d") for name in dates})


def _describe_file(path: Path) -> dict[str, Any]:
    return {
        "path": path.name,
        "format": path.suffix[1:],
        "bytes": path.stat().st_size,
        "hash": f"sha256:{hash_file(path)}",
    }


def find_file(folder: Path, ending: str) -> Path:
    """Find a dataset's one file of a kind; its name says whether it is synthetic."""
    return next(folder.glob(f"*.{ending}"))


def read_text(folder: Path) -> pd.DataFrame:
    """Read a dataset's table as text, as declared, with its geometry as another column if it has one."""
    text = read_csv(find_file(folder, "csv")).drop(columns=DATA_KIND, errors="ignore")
    shapes = next(folder.glob("*.parquet"), None)
    if shapes is None or "geometry" not in read_schema(shapes).names:
        return text
    geometry = pd.read_parquet(shapes, columns=["geometry"])["geometry"]
    return text.assign(geometry=["" if one is None else one.hex().upper() for one in geometry])


def read_csv(file: Path) -> pd.DataFrame:
    """Read a released CSV as text, of this version or one that had no mark."""
    return pd.read_csv(file, dtype=str, keep_default_na=False, encoding=CSV_ENCODING)
