"""The accessible sheet as ODS, which the guidance on tables prefers and gptables does not write."""

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import Cell

LETTER_CM = 0.23  # how wide a character of a column is


def copy_as_ods(workbook: Path, target: Path) -> None:
    """Copy a workbook's one sheet with its letters, widths and marked table: the same workbook makes the same file.

    The head of the table becomes header rows, which a screen reader says with each cell below.

    Args:
        workbook: an XLSX with one sheet and one marked table in it.
        target: the ODS to write.
    """
    from odf.element import Element
    from odf.namespaces import nsdict
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.style import Style, TableColumnProperties
    from odf.table import DatabaseRange, DatabaseRanges, Table, TableColumn, TableHeaderRows, TableRow

    (sheet,) = openpyxl.load_workbook(workbook).worksheets
    ((name, area),) = sheet.tables.items()
    head = sheet[area][0][0].row
    Element.namespaces = dict(nsdict)  # odfpy declares what earlier documents used: all of them, each time
    book, made = OpenDocumentSpreadsheet(), Table(name=sheet.title)
    for letter, column in sheet.column_dimensions.items():
        width = Style(name=f"column{letter}", family="table-column")
        width.addElement(TableColumnProperties(columnwidth=f"{column.width * LETTER_CM:.2f}cm"))
        book.automaticstyles.addElement(width)
        made.addElement(TableColumn(stylename=width))
    styles: dict[tuple[Any, ...], Any] = {}
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = TableRow()
        for cell in cells:
            look = (cell.font.b, cell.font.sz, cell.alignment.horizontal or "left")
            if look not in styles:
                styles[look] = _style_cells(f"cell{len(styles)}", *look)
                book.automaticstyles.addElement(styles[look])
            row.addElement(_copy_cell(cell, styles[look]))
        group = TableHeaderRows() if number == head else made
        group.addElement(row)
        if number == head:
            made.addElement(group)
    book.spreadsheet.addElement(made)
    ranges = DatabaseRanges()
    first, last = area.split(":")
    place = f"'{sheet.title}'.{first}:'{sheet.title}'.{last}"
    ranges.addElement(DatabaseRange(name=name, targetrangeaddress=place, displayfilterbuttons="false"))
    book.spreadsheet.addElement(ranges)
    _save_without_dates(book, target)


def _style_cells(name: str, is_bold: bool, points: float, side: str) -> Any:
    from odf.style import ParagraphProperties, Style, TableCellProperties, TextProperties

    made = Style(name=name, family="table-cell")
    made.addElement(TableCellProperties(textalignsource="fix", wrapoption="no-wrap"))
    made.addElement(ParagraphProperties(textalign="end" if side == "right" else "start"))
    weight = "bold" if is_bold else "normal"
    made.addElement(
        TextProperties(fontsize=f"{points:g}pt", fontweight=weight, fontfamily="Arial", language="en", country="GB")
    )
    return made


def _copy_cell(cell: Cell, style: Any) -> Any:
    """Copy a value as what it is: a text that begins with = stays a text."""
    from odf.table import TableCell
    from odf.text import P

    if cell.value is None:
        return TableCell(stylename=style)
    is_number = cell.data_type == "n"
    kind = {"valuetype": "float", "value": cell.value} if is_number else {"valuetype": "string"}
    made = TableCell(stylename=style, **kind)
    made.addElement(P(text=str(cell.value)))
    return made


def _save_without_dates(book: Any, target: Path) -> None:
    """Save a document of odfpy, which puts the time of day beside each file in it."""
    dated = io.BytesIO()
    book.write(dated)
    with zipfile.ZipFile(dated) as files, zipfile.ZipFile(target, "w") as same:
        for file in files.infolist():
            same.writestr(zipfile.ZipInfo(file.filename), files.read(file), file.compress_type)
