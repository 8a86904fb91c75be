"""Editions: one study for one council on sample or real data, where its outputs lie, and how new ones replace them.

An edition is made in a staging folder and put in place only when all of it is there. A record of what was made,
and from what, lets the next run see what is still good.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from councilbook.catalogue import Catalogue, Council, Mode, hash_file
from councilbook.errors import NotebookError
from councilbook.gate.disks import require_writable
from councilbook.paths import (
    Workbook,
    make_private_folder,
    place_outputs,
    remove_cut_off_writes,
    replace_folders,
    restore_folder,
    restore_folders,
    write_atomically,
)

SITE_SECONDS = 60  # that another run gets to bring the site up to date


@dataclass(frozen=True)
class Edition:
    """One study for one council, on sample or on real data: neither takes the other's place."""

    workbook: Workbook
    study: str
    council: Council
    mode: Mode

    @property
    def place(self) -> Path:
        """Where it lies below each folder of outputs."""
        return place_outputs(self.study, self.council.slug, self.mode)

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.place.as_posix()

    @property
    def processed(self) -> Path:
        """Its released datasets, a folder each."""
        return self.workbook.processed / self.place

    @property
    def restricted(self) -> Path:
        """Its datasets that are not open, a folder each."""
        return self.workbook.restricted / self.place

    @property
    def datasets(self) -> tuple[Path, Path]:
        """Both folders of datasets."""
        return self.processed, self.restricted

    @property
    def report(self) -> Path:
        """Its folder of the site."""
        return self.workbook.reports / self.place

    @property
    def private(self) -> Path:
        """Its executed notebooks, log and record: for the analyst alone."""
        return self.workbook.private / "runs" / self.place

    @property
    def withdrawn(self) -> Path:
        """Datasets that were released once and are left out now: what comes next is held against them."""
        return self.private / "withdrawn"

    def executed(self, notebook: str) -> Path:
        """Return where the executed copy of a notebook is kept."""
        return self.private / f"{notebook}.ipynb"


def find_beside(catalogue: Catalogue, dataset: str, council: Council, mode: Mode) -> Path:
    """Return where another study's open dataset lies: for this council, or else for the council of its case study."""
    study = catalogue.find_maker(dataset)
    councils = council, catalogue.council(study.default_council)
    places = [Edition(catalogue.workbook, study.id, one, mode).place / dataset for one in councils]
    own, others = (catalogue.workbook.released / place for place in places)
    return own if own.exists() else others


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
        return self.processed_root / self.edition.place

    @property
    def restricted_root(self) -> Path:
        """Stands in for the folder of restricted data."""
        return self.folder / "restricted"

    @property
    def restricted(self) -> Path:
        """Becomes the edition's datasets that are not open."""
        return self.restricted_root / self.edition.place

    @property
    def held(self) -> Path:
        """Says of each dataset that is held back why it is."""
        return self.folder / "held"

    @property
    def report(self) -> Path:
        """Becomes the edition's folder of the site."""
        return self.folder / "report"

    def executed(self, notebook: str) -> Path:
        """Return where a notebook's executed copy goes."""
        return self.folder / f"{notebook}.ipynb"


class LeftOut(BaseModel):
    """Why a part of an edition was left out, or a dataset held back.

    Attributes:
        reason: for who runs it, with what to do; safe to print.
        shown: for everybody who reads the page; it gives no count.
    """

    reason: str
    shown: str


class Record(BaseModel):
    """What was made last, and from what."""

    council: Council
    data: Mode
    run_date: str
    notebooks: dict[str, str]  # fingerprint of all that went into each
    left_out: dict[str, LeftOut] = {}  # by notebook, or by dataset
    processed: dict[str, str] = {}  # checksum of each file
    restricted: dict[str, str] = {}
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
    """Keep an edition to oneself, and clear away what a killed run left of it.

    Raises:
        NotebookError: another run has it.
    """
    make_private_folder(edition.private)
    try:
        lock = FileLock(edition.private / "lock").acquire(timeout=0)
    except Timeout:
        raise NotebookError(f"{edition.name} is being made by another run. Wait for it, or stop it.") from None
    with lock:
        with hold_site(edition.workbook):
            for target in (*edition.datasets, edition.report):
                restore_folder(target)
                shutil.rmtree(_beside(target), ignore_errors=True)
        for datasets in edition.datasets:
            restore_folders(datasets)
            for left in datasets.glob(".*"):  # of a notebook that was run by hand
                shutil.rmtree(left, ignore_errors=True)
        remove_cut_off_writes(edition.private)
        for left in _staging_root(edition).glob(f"{_staging_prefix(edition)}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def hold_site(workbook: Workbook) -> Iterator[Path]:
    """Keep the site to oneself while a folder of it is replaced, or its index is built of all of them.

    A folder that was set aside is then one that a killed run left, and is put back. Yields a private folder.

    Raises:
        NotebookError: another run keeps it for very long.
    """
    private = make_private_folder(workbook.private / "site")
    try:
        lock = FileLock(private / "lock").acquire(timeout=SITE_SECONDS)
    except Timeout:
        raise NotebookError("The site is being built by another run, and does not get done. Stop it.") from None
    with lock:
        for council in workbook.reports.glob("*/*"):
            restore_folders(council)
        remove_cut_off_writes(workbook.reports)
        remove_cut_off_writes(private)
        yield private


def require_places(edition: Edition, *, has_restricted: bool) -> None:
    """See that an edition could be put in place, before the work of making it is begun.

    Args:
        edition: what is to be made.
        has_restricted: whether it has datasets that are not open.

    Raises:
        OSError: a folder cannot be written.
    """
    for target in (edition.processed, edition.report, *([edition.restricted] if has_restricted else [])):
        require_writable(target)
        require_writable(target.parent)
    require_writable(edition.workbook.reports)


@contextmanager
def open_staging(edition: Edition, datasets: Iterable[str] = ()) -> Iterator[Staging]:
    """Yield a staging folder for an edition that is held; afterwards it is gone.

    Args:
        edition: what is to be made.
        datasets: those that begin as a copy of the last good ones, so that their versions go on.
    """
    parent, prefix = make_private_folder(_staging_root(edition)), _staging_prefix(edition)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as folder:
        staging = Staging(Path(folder), edition)
        staging.held.mkdir()
        for last, staged in zip(edition.datasets, (staging.processed, staging.restricted), strict=True):
            staged.mkdir(parents=True)
            for dataset in datasets:
                if (last / dataset).is_dir():
                    shutil.copytree(last / dataset, staged / dataset)
        for dataset in {*datasets} & {folder.name for folder in edition.withdrawn.glob("*")}:
            shutil.copytree(edition.withdrawn / dataset, staging.processed / dataset)
        yield staging


def put_in_place(edition: Edition, news: Mapping[Path, Path]) -> None:
    """Replace folders of an edition that is held: all of them, or none.

    The new ones may lie on another disk, so they are moved beside the old ones first, as `.name.new`: whatever takes
    room is done before anything is replaced.

    Args:
        edition: whose they are.
        news: by target, the folder that is to be there.

    Raises:
        OSError: see `replace_folders`; all are as they were.
    """
    beside = {target: _beside(target) for target in news}
    try:
        for target, new in news.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(new, beside[target])
        with hold_site(edition.workbook):
            replace_folders(beside)
    finally:
        for left in beside.values():
            shutil.rmtree(left, ignore_errors=True)


def commit_edition(staging: Staging, record: Record) -> None:
    """Put all that was made in place, the record last: without it, the edition counts as not made.

    A process that is killed in between may leave new datasets beside an old report, which has its own copies of the
    data it shows. The record then tells the next run, which makes both.

    Args:
        staging: with the datasets, the report, and the executed notebooks of this run.
        record: names the study's notebooks; checksums of the outputs are filled in here.

    Raises:
        OSError: see `put_in_place`; datasets and report are as they were.
    """
    edition = staging.edition
    news = {edition.processed: staging.processed, edition.report: staging.report}
    if any(staging.restricted.iterdir()) or edition.restricted.exists():
        make_private_folder(edition.restricted.parent)
        news[edition.restricted] = staging.restricted
    outputs = {name: hash_folder(getattr(staging, name)) for name in ("processed", "restricted", "report")}
    ready = staging.folder / "record.json"
    ready.write_text(record.model_copy(update=outputs).model_dump_json(indent=2), encoding="utf-8")
    for last in edition.processed.glob("[!.]*/"):
        if not (staging.processed / last.name).exists():
            shutil.copytree(last, edition.withdrawn / last.name, dirs_exist_ok=True)
    put_in_place(edition, news)
    for again in edition.processed.glob("[!.]*/"):
        shutil.rmtree(edition.withdrawn / again.name, ignore_errors=True)
    for executed in staging.folder.glob("*.ipynb"):
        executed.replace(edition.executed(executed.stem))
    for left in edition.private.glob("*.ipynb"):
        if left.stem not in record.notebooks.keys() - record.left_out.keys():  # failed, or the study has no more
            left.unlink()
    ready.replace(edition.private / "record.json")


def describe_old_outputs(workbook: Workbook) -> str:
    """Say which outputs are of a version that kept sample and real data in one folder; nothing if none are."""
    inside = {
        workbook.processed: "*/datapackage.json",
        workbook.restricted: "*/datapackage.json",
        workbook.reports: "report.json",
        workbook.private / "runs": "record.json",
    }
    files = (file for root, name in inside.items() for file in root.glob(f"[!.]*/[!.]*/{name}"))
    folders = sorted({file.parent.parent if file.name == "datapackage.json" else file.parent for file in files})
    if not folders:
        return ""
    return (
        "An earlier version kept sample and real data in one folder. What it left is not read and not on the site: "
        f"{', '.join(map(str, folders))}. The gate compares real data with their earlier versions: to keep these, move "
        "what is in such a folder of real data to a folder `real` in it. Delete the rest, and run again."
    )


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.new")


def _staging_root(edition: Edition) -> Path:
    return edition.workbook.private / "staging"


def _staging_prefix(edition: Edition) -> str:
    return f"{'-'.join(edition.place.parts)}-"
