"""Tables for people who read with a screen reader or by eye: one sheet, as the Analysis Function's guidance asks."""

import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.catalogue import Dataset, Guarded
from councilbook.gate.files import read_csv
from councilbook.gate.metadata import find_table
from councilbook.publishing.sheets import copy_as_ods

MOST_CELLS = 100_000  # gptables keeps a format for each cell: more would take minutes, and nobody reads them by eye
NO_WORD = r"^[^a-zA-Z0-9]*$"  # what gptables refuses: a cell without a letter or a digit
NUMBERS = ("integer", "number", "year")
LEGEND = {
    "[c]": "not shown, so that nobody can be recognised",
    "[x]": "not available",
    "[as given]": "stands before a mark that has neither letter nor digit",
}


def write_accessible_table(folder: Path, package: Mapping[str, Any], dataset: Dataset, target: Path) -> bool:
    """Write a dataset's table as XLSX and ODS with title, notes and legend; return False if it is too long or empty.

    Args:
        folder: where the dataset's CSV lies.
        package: what is said of it.
        dataset: as the catalogue declares it, for what its rule may have suppressed.
        target: the XLSX to write; the ODS comes beside it.
    """
    import gptables

    file = find_table(package)
    fields = file["schema"]["fields"]
    text = read_csv(folder / file["path"])
    if text.empty or text.size > MOST_CELLS:
        return False
    table = pd.DataFrame({field["name"]: _fill_column(text, field, dataset) for field in fields}).astype(object)
    named = table.rename(columns=_name_headings(fields))
    cells = set(table.astype(str).to_numpy().ravel())
    used = [f"{mark}: {words}" for mark, words in LEGEND.items() if any(cell.startswith(mark) for cell in cells)]
    sheet = gptables.GPTable(
        table=named,
        table_name="dataset",
        title=package["title"],
        subtitles=[package["description"]],
        instructions="This sheet has one table. Every row and every cell is filled in.",
        scope=f"{package['councilbook']['council']['name']}, version {package['version']}",
        source=f"{package['attribution']} Licence: {package['licenses'][0]['title']}.",
        legend=used or ["No cell is left out"],
        index_columns={},
    )
    plain = {"strings_to_formulas": False, "strings_to_urls": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no sheet of notes
        book = gptables.produce_workbook(target, {"Table": sheet}, contentsheet_label=None, workbook_options=plain)
    day = datetime.fromisoformat(package["councilbook"]["changes"][0]["date"])
    book.set_properties({"title": package["title"], "created": day})  # not of today: the same table, the same file
    book.close()
    copy_as_ods(target, target.with_suffix(".ods"))
    return True


def _fill_column(text: pd.DataFrame, field: Mapping[str, Any], dataset: Dataset) -> pd.Series:
    """Return a column as people read it: numbers as numbers, and no cell blank."""
    column = text[field["name"]]
    is_covered = isinstance(dataset.disclosure, Guarded) and field["name"] in dataset.disclosure.covered
    is_suppressed = text.get("is_suppressed", pd.Series("", index=text.index)) == "true"
    blank = column.str.strip() == ""
    shown = (pd.to_numeric(column) if field["type"] in NUMBERS else column).astype(object)
    shown = shown.mask(column.str.contains(NO_WORD), "[as given] " + column)
    filled: pd.Series = shown.mask(blank, "[x]").mask(blank & is_suppressed & bool(is_covered), "[c]")
    return filled


def _name_headings(fields: list[Mapping[str, Any]]) -> dict[str, str]:
    """Head columns with their titles and units, and with their names too where two titles are alike."""
    words = {field["name"]: field.get("title") or field["name"] for field in fields}
    titles = [title.casefold() for title in words.values()]
    units = {field["name"]: f" ({field['unit']})" if field.get("unit") else "" for field in fields}
    return {
        name: title + units[name] + (f" [{name}]" if titles.count(title.casefold()) > 1 else "")
        for name, title in words.items()
    }
