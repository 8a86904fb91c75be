"""A page for each dataset: what it is, its columns, first rows, versions, and files to download."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.pages.html.datasets import describe_package
from councilbook.pages.html.formulas import FORMULA_NOTE, restore_formula
from councilbook.pages.html.pieces import Html
from councilbook.pages.html.tables import table
from councilbook.pages.page import render_page, write_page
from councilbook.pages.reports.report_records import ROOT

ROWS_SHOWN = 10
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "date": "date",
    "year": "year",
}
NUMBERS = ("integer", "number", "year")


def write_dataset_page(package: dict[str, Any], folder: Path) -> None:
    """Write the page of a published dataset and its data package as one zip, beside its files.

    Args:
        package: contents of its datapackage.json. The zip joins its files there.
        folder: what holds the files of the dataset that were published, and a report two above.

    Raises:
        NotebookError: the page would not be accessible and self-contained.
    """
    table_file = next(file for file in package["resources"] if "schema" in file)
    zipped = folder / Path(table_file["path"]).with_suffix(".zip").name
    zip_package([folder / "datapackage.json", *(folder / file["path"] for file in package["resources"])], zipped)
    shown = describe_package(package)
    shown["files"] += [{"path": zipped.name, "format": "Data package (zip)", "bytes": zipped.stat().st_size}]
    fields = table_file["schema"]["fields"]
    page = render_page(
        "dataset.html.j2",
        "data",
        root=f"{ROOT}../../",
        dataset=shown,
        about=package["councilbook"],
        licence=package["licenses"][0],
        sources=package["sources"],
        attributions=[package["attribution"]],
        note=FORMULA_NOTE,
        columns=_list_columns(fields, table_file["schema"]["primaryKey"]),
        preview=_show_first_rows(folder / table_file["path"], fields, package["councilbook"]["rows"]),
    )
    write_page(page, folder / "index.html", f"the page of {package['name']}")


def zip_package(files: list[Path], target: Path) -> None:
    """Pack files flat, without their dates: the same files make the same zip."""
    with zipfile.ZipFile(target, "w") as made:
        for file in files:
            made.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)


def _list_columns(fields: list[Mapping[str, Any]], key: list[str]) -> Html:
    rows = [
        {
            "Column": _head(field),
            "What it means": "" if field["description"] == _head(field) else field["description"],
            "Unit": field.get("unit", ""),
            "Kind": TYPES[field["type"]],
            "Values": ", ".join(field["constraints"].get("enum", [])),
            "Blank": "never" if field["constraints"].get("required") else "possible",
            "Name in the files": field["name"] + (" (names the row)" if field["name"] in key else ""),
        }
        for field in fields
    ]
    return table(pd.DataFrame(rows), f"The {len(rows)} columns of the table")


def _show_first_rows(file: Path, fields: list[Mapping[str, Any]], count: int) -> Html:
    text = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=ROWS_SHOWN)
    for field in fields:
        column = text[field["name"]]
        text[field["name"]] = pd.to_numeric(column) if field["type"] in NUMBERS else column.map(restore_formula)
    shown = f"The first {len(text)} of {count:,} rows" if count > len(text) else f"All {count:,} rows"
    years = {field["name"]: ".0f" for field in fields if field["type"] == "year"}
    return table(text, shown, headers={field["name"]: _head(field) for field in fields}, formats=years)


def _head(field: Mapping[str, Any]) -> str:
    """Return the words above a column; what an older version released has none but its name."""
    return str(field.get("title") or field["name"].replace("_", " "))
