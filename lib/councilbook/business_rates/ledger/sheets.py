"""What tables a council's file has: a CSV, the sheets of a workbook, or files in a zip or folder.

Cells of a workbook become the text that they would be in a CSV.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import python_calamine

from councilbook.business_rates.ledger.texts import Record, Text
from councilbook.catalogue import list_files
from councilbook.errors import SourceError
from councilbook.sources.files.packed import check_workbook

MOST_CELLS = 20_000_000  # of all tables of a workbook or zip together, which are read into memory

ReadText = Callable[[Text], Iterator[Record]]


def find_text(path: Path) -> Text | None:
    """Return the one text that a file is, or has in it; None where it holds tables to be put together.

    Raises:
        SourceError: it is a damaged zip, or one or a folder with nothing in it that can be read.
    """
    if _tell_kind(path) == "workbook":
        return None
    if _tell_kind(path) == "text":
        return Text(path)
    members = _list_members(path)
    return Text(path, members[0]) if len(members) == 1 and not _is_workbook(members[0]) else None


def _tell_kind(path: Path) -> str:
    if path.is_dir():
        return "several"
    with path.open("rb") as file:
        start = file.read(8)
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "workbook"
    if not start.startswith(b"PK\x03\x04"):
        return "text"
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise SourceError(f"{path.name}: the workbook or zip is damaged, or was cut off. Save it anew.") from None
    return "workbook" if {"[Content_Types].xml", "META-INF/manifest.xml"} & set(names) else "several"


def _is_workbook(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


def _list_members(path: Path) -> list[str]:
    """List what can be read in a zip or folder: texts and workbooks, and not what is put beside them."""
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in list_files(path))
    else:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.flag_bits & 1 for info in infos):
            raise SourceError(f"{path.name}: it needs a password. Unpack it, and pack it again without one.")
        names = [info.filename for info in infos]
    names = [name for name in names if not re.search(r"(^|/)(__MACOSX/|\.|~\$)", name)]
    packed = (".zip", ".7z", ".rar") if path.is_dir() else (".zip", ".7z", ".rar", ".gz")
    if inner := [name for name in names if name.lower().endswith(packed)]:
        raise SourceError(f"{path.name}: {inner[0]} in it is packed itself. Unpack it.")
    readable = [name for name in names if re.search(r"\.(csv|tsv)(\.gz)?$", name, re.IGNORECASE) or _is_workbook(name)]
    readable = readable or [name for name in names if name.lower().endswith(".txt")]  # else a note beside the data
    if not readable:
        raise SourceError(f"{path.name}: there is no CSV and no workbook in it, but {', '.join(names) or 'nothing'}.")
    return readable


def list_tables(path: Path, read_text: ReadText) -> Iterator[tuple[str, bool, Callable[[], list[Record]]]]:
    """Yield the tables of a file: name, whether it is hidden, and what reads it."""
    if _tell_kind(path) == "workbook":
        check_workbook(path, path.name)
        yield from _list_sheets(path.read_bytes(), path.name)
        return
    members = _list_members(path)
    stems = {PurePosixPath(one).stem for one in members}
    for member in members:
        name = PurePosixPath(member).stem if len(stems) == len(members) else member
        if _is_workbook(member):
            if path.is_dir():
                check_workbook(path / member, f"{path.name}, {member}")
            with Text(path, member).open() as file:
                sheets = list(_list_sheets(file.read(), f"{path.name}, {member}"))
            for sheet, is_hidden, read in sheets:
                yield f"{name}, {sheet}" if len(sheets) > 1 else name, is_hidden, read
        else:
            yield name, False, partial(_read_all, read_text, Text(path, member))


def _read_all(read_text: ReadText, text: Text) -> list[Record]:
    records = list(read_text(text))
    _check_cells(sum(len(cells) for _, cells in records), text.name)
    return records


def _list_sheets(content: bytes, where: str) -> Iterator[tuple[str, bool, Callable[[], list[Record]]]]:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError:
        raise SourceError(f"{where}: the workbook needs a password. Save it without one.") from None
    except (python_calamine.CalamineError, OSError, zlib.error) as error:
        raise SourceError(f"{where}: not a workbook that can be read ({type(error).__name__}). Save it anew.") from None
    for sheet in workbook.sheets_metadata:
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet:
            is_hidden = sheet.visible != python_calamine.SheetVisibleEnum.Visible
            yield sheet.name, is_hidden, partial(_read_sheet, workbook, sheet.name, where)


def _read_sheet(workbook: python_calamine.CalamineWorkbook, name: str, where: str) -> list[Record]:
    try:
        sheet = workbook.get_sheet_by_name(name)
        _check_cells(sheet.total_height * sheet.total_width, f"{where}, sheet {name!r}")
        rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, zlib.error) as error:
        raise SourceError(f"{where}: sheet {name!r} cannot be read ({type(error).__name__}). Save it anew.") from None
    return [(number, [write_cell(cell) for cell in cells]) for number, cells in enumerate(rows, 1)]


def _check_cells(cells: int, where: str) -> None:
    if cells > MOST_CELLS:
        raise SourceError(f"{where}: {cells:,} cells are more than fit into memory. Save it as CSV UTF-8.")


def write_cell(cell: Any) -> str:
    """Write a workbook's cell as a CSV has it: days as ISO, whole numbers without decimals, none with an exponent."""
    match cell:
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return str(int(cell))
        case float():  # a workbook keeps 17 digits of what was typed as 12.34, and shows 15
            return format(Decimal(f"{cell:.15g}"), "f")
        case datetime() if (cell.hour, cell.minute, cell.second) == (0, 0, 0):
            return cell.date().isoformat()
        case datetime():
            return cell.replace(microsecond=0).isoformat(" ")
    return "" if cell is None else str(cell)
