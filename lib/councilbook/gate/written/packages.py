"""What was released, as it lies in its folder: where that is, its typed table, its data package and its audit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from councilbook.catalogue import Council, Dataset, FieldSpec, Mode
from councilbook.errors import CheckError, CouncilbookError
from councilbook.gate.beside import OLDER
from councilbook.gate.files import DATA_KIND, find_file, read_csv
from councilbook.pages.html.formulas import restore_formula
from councilbook.paths import Workbook, place_outputs

PACKAGE = "datapackage.json"
DTYPES = {"string": "str", "boolean": "boolean", "date": "datetime64[us]", "number": "float64"}


def read_published(folder: Path, dataset: Dataset) -> pd.DataFrame:
    """Read a released dataset back, typed as its fields declare; a GeoDataFrame where it has geometry.

    Raises:
        CouncilbookError: it has not been released.
    """
    read_package(folder)
    if dataset.geometry:
        shapes: pd.DataFrame = gpd.read_parquet(find_file(folder, "parquet"))
        return shapes.drop(columns=DATA_KIND, errors="ignore")
    return type_text(read_csv(find_file(folder, "csv")), dataset)


def type_text(text: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Give a table that was read as text the types of its declared fields, as far as it has them.

    Raises:
        CheckError: values are not of their type.
    """
    kinds = {name: kind for name, kind in name_dtypes(dataset).items() if name in text}
    typed = pd.DataFrame(index=text.index)
    for name, kind in kinds.items():
        try:
            typed[name] = _parse_text(text[name], dataset.fields[name])
            typed = typed.astype({name: kind})
        except (ValueError, TypeError):
            raise CheckError(
                f"Dataset {dataset.id}: {name} is not {dataset.fields[name].type} in what was released before. {OLDER}"
            ) from None
    return typed


def _parse_text(text: pd.Series, field: FieldSpec) -> pd.Series:
    values = text.mask(text == "")
    if field.type == "boolean":
        return values.map({"true": True, "false": False})
    if field.type == "date":
        return pd.to_datetime(values, format="ISO8601")
    if field.type == "string":
        return values.map(restore_formula, na_action="ignore")
    return pd.to_numeric(values)


def name_dtypes(dataset: Dataset) -> dict[str, str]:
    """Return the type of each declared field, as pandas names it."""
    return {
        name: DTYPES.get(field.type) or ("int64" if field.required else "Int64")
        for name, field in dataset.fields.items()
    }


def read_package(folder: Path) -> dict[str, Any]:
    """Read a released dataset's data package.

    Raises:
        CouncilbookError: it has not been released.
    """
    file = folder / PACKAGE
    if not file.exists():
        raise CouncilbookError(
            f"Dataset {folder.name} has not been released for this council yet (no {file}). Run the notebook that "
            "releases it first: councilbook run."
        )
    package: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return package


def read_audit(folder: Path) -> dict[str, Any]:
    """Read the record of what the gate did with a released dataset."""
    audit: dict[str, Any] = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    return audit


def review_file(workbook: Workbook, study: str, council: Council, mode: Mode, dataset: str) -> Path:
    """Return where what only the approver may know of a release is kept."""
    return workbook.private / "reviews" / place_outputs(study, council.slug, mode) / f"{dataset}.json"


def choose_root(workbook: Workbook, dataset: Dataset) -> Path:
    """Return the folder that a dataset belongs below: only an open one may be published."""
    return workbook.processed if dataset.is_open else workbook.restricted


def dataset_folder(root: Path, study: str, council: Council, mode: Mode, dataset: str) -> Path:
    """Return where a dataset lies below the folder that `choose_root` names."""
    return root / place_outputs(study, council.slug, mode) / dataset


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file of a dataset."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
