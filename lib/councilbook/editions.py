"""Editions: one study for one council, where its outputs lie, and how new ones take the old ones' place.

An edition is made in a staging folder and put in place only when all of it is there. A record of what was made,
and from what, lets the next run see what is still good.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from councilbook.catalogue import Council, Mode, hash_file
from councilbook.errors import NotebookError
from councilbook.paths import Workbook, make_private_folder, replace_folder, restore_folder, write_atomically


@dataclass(frozen=True)
class Edition:
    """One study for one council."""

    workbook: Workbook
    study: str
    council: Council

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.study}/{self.council.slug}"

    @property
    def processed(self) -> Path:
        """Its released datasets, a folder each."""
        return self.workbook.processed / self.study / self.council.slug

    @property
    def report(self) -> Path:
        """Its folder of the site."""
        return self.workbook.reports / self.study / self.council.slug

    @property
    def private(self) -> Path:
        """Its executed notebooks, log and record: for the analyst alone."""
        return self.workbook.private / "runs" / self.study / self.council.slug

    def executed(self, notebook: str) -> Path:
        """Return where the executed copy of a notebook is kept."""
        return self.private / f"{notebook}.ipynb"


@dataclass(frozen=True)
class Staging:
    """A private folder in which an edition is made."""

    folder: Path
    edition: Edition

    @property
    def processed_root(self) -> Path:
        """Stands in for data/processed."""
        return self.folder / "processed"

    @property
    def processed(self) -> Path:
        """Becomes the edition's released datasets."""
        return self.processed_root / self.edition.study / self.edition.council.slug

    @property
    def report(self) -> Path:
        """Becomes the edition's folder of the site."""
        return self.folder / "report"

    def executed(self, notebook: str) -> Path:
        """Return where a notebook's executed copy goes."""
        return self.folder / f"{notebook}.ipynb"


class Record(BaseModel):
    """What was made last, and from what."""

    council: Council
    data: Mode
    run_date: str
    notebooks: dict[str, str]  # fingerprint of all that went into each
    processed: dict[str, str] = {}  # checksum of each file
    report: dict[str, str] = {}


def read_record(private: Path) -> Record | None:
    """Return what an edition's private folder says was made last.

    None if nothing was, or if a library of another version wrote it.
    """
    try:
        return Record.model_validate_json((private / "record.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def write_record(edition: Edition, record: Record) -> None:
    """Keep what was made."""
    with write_atomically(edition.private / "record.json") as temporary:
        temporary.write_text(record.model_dump_json(indent=2), encoding="utf-8")


def hash_folder(folder: Path) -> dict[str, str]:
    """Return the checksum of each file in a folder and below, by its path in there."""
    return {
        file.relative_to(folder).as_posix(): hash_file(file) for file in sorted(folder.rglob("*")) if file.is_file()
    }


@contextmanager
def hold_edition(edition: Edition) -> Iterator[None]:
    """Keep an edition to oneself, and mend what a killed run left of it.

    Raises:
        NotebookError: another run has it.
    """
    make_private_folder(edition.private)
    try:
        lock = FileLock(edition.private / "lock").acquire(timeout=0)
    except Timeout:
        raise NotebookError(f"{edition.name} is being made by another run. Wait for it, or stop it.") from None
    with lock:
        restore_folder(edition.processed)
        restore_folder(edition.report)
        yield


@contextmanager
def open_staging(edition: Edition, datasets: Iterable[str] = ()) -> Iterator[Staging]:
    """Yield a staging folder for an edition that is held; afterwards it is gone.

    Args:
        edition: what is to be made.
        datasets: those that begin as a copy of the last good ones, so that their versions go on.
    """
    parent = make_private_folder(edition.workbook.private / "staging")
    prefix = f"{edition.study}-{edition.council.slug}-"
    for left in parent.glob(f"{prefix}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as folder:
        staging = Staging(Path(folder), edition)
        staging.processed.mkdir(parents=True)
        for dataset in datasets:
            if (edition.processed / dataset).is_dir():
                shutil.copytree(edition.processed / dataset, staging.processed / dataset)
        yield staging


def put_in_place(new: Path, target: Path) -> None:
    """Replace a folder by a new one that may lie on another disk: it is moved beside the old one first."""
    beside = target.with_name(f".{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(new, beside)
    replace_folder(beside, target)


def commit_edition(staging: Staging, record: Record) -> None:
    """Put all that was made in place, the record last: without it, the edition counts as not made.

    Args:
        staging: with the datasets, the report, and the executed notebooks of this run.
        record: names the study's notebooks; checksums of the outputs are filled in here.
    """
    edition = staging.edition
    put_in_place(staging.processed, edition.processed)
    put_in_place(staging.report, edition.report)
    for executed in staging.folder.glob("*.ipynb"):
        executed.replace(edition.executed(executed.stem))
    for left in edition.private.glob("*.ipynb"):
        if left.stem not in record.notebooks:  # one that failed, or that the study has no more
            left.unlink()
    outputs = {"processed": hash_folder(edition.processed), "report": hash_folder(edition.report)}
    write_record(edition, record.model_copy(update=outputs))
