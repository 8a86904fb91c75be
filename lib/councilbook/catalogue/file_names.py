"""What a file's name says: of which source it is, whose, and of which day.

A council's own closed file carries the council in its name, as `rates_ledger_bradford.csv`. One without a council is
taken as well; whether it is this council's is then for its content to say (`Source.owner`).
"""

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

from councilbook.catalogue.councils import Council, find_authority, join_words
from councilbook.catalogue.entries.sources import Ending, Source
from councilbook.errors import CatalogueError

READ = {f".{one.rpartition('.')[2]}" for one in get_args(Ending)}  # of the files that a source may have
DATA_ENDINGS = READ | {"", ".pdf", ".xml"}
DATE = r"\d{4}(?:-\d\d){0,2}|\d\d?-[A-Z][a-z]{2}-\d{4}"  # as publishers and councils write it in a file's name
HEAD = 2**12  # bytes of a file, in which its date is looked for


@dataclass(frozen=True)
class FileName:
    """What a file's name has after its source's: a label, as `bradford`, and a date as in ISO; or nothing."""

    label: str
    date: str


def parse_name(name: str, source: Source) -> FileName | None:
    """Return what a file's name says beside its source; None if it is not of the source."""
    stem, ending = split_name(source.file)
    endings = "|".join(map(re.escape, source.formats or dict.fromkeys((ending, f"{ending}.gz"))))
    pattern = rf"{re.escape(stem)}(?:_(?P<label>\D.*?))?(?:[_-](?P<date>{DATE}))?\.(?:{endings})"
    match = re.fullmatch(pattern, name)
    return FileName(match["label"] or "", _write_iso(match["date"] or "")) if match else None


def split_name(file: str) -> tuple[str, str]:
    """Split a file's name before its ending, which may be of two parts, as csv.gz."""
    stem, _, ending = file.removesuffix(".gz").rpartition(".")
    return stem, f"{ending}.gz" if file.endswith(".gz") else ending


def list_data_files(folder: Path) -> list[str]:
    """List the names of the files in a folder that hold data, by their endings."""
    files = (file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    return sorted(file.name for file in files if file.suffix.lower() in DATA_ENDINGS)


def list_folders(folder: Path) -> list[str]:
    """List the names of the folders in a folder."""
    return sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def list_dated(folder: Path, source: Source) -> list[str]:
    """List the files of a source that have the publisher's date in their name, or another ending; the last first."""
    names = list_data_files(folder) if folder.is_dir() else []
    dated = {name: said.date for name in names if (said := parse_name(name, source)) and not said.label}
    return sorted(dated, key=lambda name: dated[name], reverse=True)


def find_date(path: Path, source: Source) -> str:
    """Return the date in a file's name or, where the catalogue says how to find it, in its head; or nothing."""
    said = parse_name(path.name, source)
    if (said and said.date) or not source.dated_by:
        return said.date if said else ""
    with path.open("rb") as file:
        start = file.read(HEAD)
    if start.startswith(b"\x1f\x8b"):
        start = zlib.decompressobj(wbits=31).decompress(start)
    found = re.search(source.dated_by, start.decode("utf-8", "replace"))
    return found[1] if found else ""


def names_council(label: str, council: Council) -> bool:
    """Tell whether a text is a council's slug or name, or the name or code of the one council that it is."""
    if join_words(label) in (join_words(council.slug), join_words(council.name), join_words(" ".join(council.codes))):
        return True
    try:
        found = find_authority(label)
    except CatalogueError:
        return False
    return found is not None and list(council.codes) == [found.gss_code]


def names_any_council(label: str) -> bool:
    """Tell whether a text is the name or code of any council, or of several."""
    try:
        return any(find_authority(part) is not None for part in label.split("+"))
    except CatalogueError:  # several are called so
        return True


def _write_iso(date: str) -> str:
    try:
        return datetime.strptime(date, "%d-%b-%Y").date().isoformat()  # noqa: DTZ007 (a day has no time zone)
    except ValueError:
        return date
