"""Earlier versions: which of a dataset a reader may have, of a council's own records, of invented ones or of open data.

A run on stand-ins may come between two on a council's own records. So versions are kept by what they are of, and a
release is held against those of its own kind: `earlier` has those of the last release, folders in it the others.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from councilbook.catalogue import Dataset
from councilbook.gate.files import find_file, read_csv
from councilbook.gate.written.packages import PACKAGE, read_package, read_published, type_text

Records = Literal["own", "invented", "open"]
SHOWN = "shown.parquet"  # what registers showed of each record on the day of coarser rows


def name_records(provenance: Iterable[Mapping[str, Any]], *, is_synthetic: bool) -> Records:
    """Say what a release is of: a council's own records stay so beside a twin of another source, as of certificates."""
    if any(row["spectrum"] == "closed" and not row["synthetic"] for row in provenance):
        return "own"
    return "invented" if is_synthetic else "open"


def list_versions(folder: Path, records: Records) -> list[Path]:
    """List the tables of every version that is kept of a kind of records, oldest first; none if none was released."""
    kept = sorted(_place(folder, records).glob("*.csv"), key=lambda file: [int(part) for part in file.stem.split(".")])
    return [*kept, *([find_file(folder, "csv")] if _find_last(folder) == records else [])]


def read_versions(folder: Path, dataset: Dataset, records: Records) -> list[pd.DataFrame]:
    """Read what `list_versions` lists, typed as its fields declare now, as far as they were there."""
    return [type_text(read_csv(file), dataset) for file in list_versions(folder, records)]


def read_last(folder: Path, dataset: Dataset, records: Records) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """Read the data package and the table of the last version of a kind of records; None if there is none."""
    if _find_last(folder) == records:
        return read_package(folder), read_published(folder, dataset)
    versions = read_versions(folder, dataset, records)
    return (read_package(_place(folder, records)), versions[-1]) if versions else None


def read_shown(folder: Path, records: Records) -> pd.DataFrame | None:
    """Read what registers showed of each record on the day of the last coarser rows of a kind of records."""
    file = _place(folder, records) / SHOWN
    return pd.read_parquet(file) if file.exists() else None


def keep_versions(target: Path, folder: Path, version: str, records: Records, *, keeps_all: bool) -> None:
    """Keep what was published before beside a release that is being written, for the next to be held against.

    Args:
        target: where the last release lies.
        folder: of the new one.
        version: of the new one.
        records: that the new one is of.
        keeps_all: whether every version of these is kept; else the last one, once a release of other records follows.
    """
    package, last = read_package(target), _find_last(target)
    for kind in get_args(Records):
        skipped = (PACKAGE, SHOWN) if kind == records else ()
        files = [file for file in _place(target, kind).glob("*.*") if file.name not in skipped]
        if kind == last == records:
            files = [file for file in files if keeps_all and file.suffix == ".csv"]
        for file in files:
            _copy(file, folder, kind, records, file.name)
    if last != records:
        _copy(target / PACKAGE, folder, last, records, PACKAGE)
    if last != records or (keeps_all and package["version"] != version):
        _copy(find_file(target, "csv"), folder, last, records, f"{package['version']}.csv")


def _copy(file: Path, folder: Path, kind: Records | None, records: Records, name: str) -> None:
    kept = folder / "earlier" / ("" if kind == records else str(kind))
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, kept / name)


def _find_last(folder: Path) -> Records | None:
    """Return what the last release is of; None if there is none."""
    if not (folder / PACKAGE).exists():
        return None
    about = read_package(folder)["councilbook"]
    return name_records(about["provenance"], is_synthetic=about["synthetic"])


def _place(folder: Path, records: Records) -> Path:
    return folder / "earlier" / ("" if _find_last(folder) == records else records)
