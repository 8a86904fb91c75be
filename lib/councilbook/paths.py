"""Where things are, and how files and folders take each other's place.

One workbook is one folder, found from wherever a notebook or a command is started. Places can be moved by an
environment variable: the closed folder (which has no default, and may not lie in the workbook), the private folder and,
during a run, the folders that released and restricted data go to until the run has succeeded.
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from councilbook.errors import CouncilbookError

ROOT_VARIABLE = "COUNCILBOOK_ROOT"
CLOSED_VARIABLE = "COUNCILBOOK_CLOSED"
PRIVATE_VARIABLE = "COUNCILBOOK_PRIVATE"
PROCESSED_VARIABLE = "COUNCILBOOK_PROCESSED"
RESTRICTED_VARIABLE = "COUNCILBOOK_RESTRICTED"
STAND_INS_VARIABLE = "COUNCILBOOK_STAND_INS"  # set where something else may be read in a missing closed file's place
HELD_VARIABLE = "COUNCILBOOK_HELD"  # during a run, the folder in which is said why a dataset is held back
NOTEBOOK_VARIABLE = "COUNCILBOOK_NOTEBOOK"  # study/notebook, set by the runner for each kernel

PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds between attempts to rename


def read_beside(module: str, name: str) -> Any:
    """Read the YAML file that lies beside a module's own file."""
    return yaml.safe_load(Path(module).with_name(name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Workbook:
    """The folders of one workbook."""

    root: Path

    @property
    def catalogue(self) -> Path:
        """The catalogue's YAML files."""
        return self.root / "data" / "catalogue"

    @property
    def notebooks(self) -> Path:
        """One folder a study."""
        return self.root / "notebooks"

    @property
    def library(self) -> Path:
        """The helper library's source."""
        return Path(__file__).parent

    @property
    def lock(self) -> Path:
        """The pinned requirements."""
        return self.root / "requirements.lock"

    @property
    def raw(self) -> Path:
        """Official files as they were downloaded."""
        return self.root / "data" / "raw"

    @property
    def released(self) -> Path:
        """Released datasets as runs have left them, whatever a run under way is making."""
        return self.root / "data" / "processed"

    @property
    def processed(self) -> Path:
        """Released datasets; the runner points it at a staging folder until all of a study has run."""
        moved = os.environ.get(PROCESSED_VARIABLE)
        return Path(moved) if moved else self.released

    @property
    def restricted(self) -> Path:
        """Datasets that are not open: in the closed folder, or with what is private where there is none."""
        moved = os.environ.get(RESTRICTED_VARIABLE)
        if moved:
            return Path(moved)
        return self.closed / "outputs" if self.closed else self.private / "restricted"

    @property
    def reports(self) -> Path:
        """The HTML site."""
        return self.root / "reports"

    @property
    def private(self) -> Path:
        """What a run leaves for its analyst alone: executed notebooks, logs, twins, run records."""
        moved = os.environ.get(PRIVATE_VARIABLE)
        return Path(moved).resolve() if moved else self.root / ".councilbook"

    @property
    def closed(self) -> Path | None:
        """The folder of closed files, if there is one.

        Raises:
            CouncilbookError: it lies inside the workbook, where a careless commit could publish it, or it is not there.
        """
        named = os.environ.get(CLOSED_VARIABLE)
        if not named:
            return None
        folder = Path(named).resolve()
        if folder.is_relative_to(self.root):
            raise CouncilbookError(
                f"{CLOSED_VARIABLE} points inside the workbook ({self.root}). "
                "Closed data must lie outside it, where git cannot see them."
            )
        if not folder.is_dir():
            raise CouncilbookError(
                f"{CLOSED_VARIABLE} names {folder}, and there is no such folder. Make it, or correct the name."
            )
        return folder


def find_workbook(start: Path | None = None) -> Workbook:
    """Find the workbook around a folder (by default the one worked in).

    Raises:
        CouncilbookError: no folder from there up holds both data/catalogue and notebooks.
    """
    named = os.environ.get(ROOT_VARIABLE)
    begin = Path(named) if named else (start or Path.cwd())
    for folder in [begin.resolve(), *begin.resolve().parents]:
        if (folder / "data" / "catalogue").is_dir() and (folder / "notebooks").is_dir():
            return Workbook(folder)
    raise CouncilbookError(
        f"No workbook at {begin} or above it (a folder with data/catalogue and notebooks). "
        f"Change to the workbook's folder, or set {ROOT_VARIABLE}."
    )


def place_outputs(study: str, council: str, data: str) -> Path:
    """Return where the outputs of a study for a council lie below each folder of outputs: sample and real apart.

    Args:
        study: its id.
        council: its slug.
        data: sample or real.
    """
    return Path(study) / council / data


def make_private_folder(folder: Path) -> Path:
    """Make a folder (and those above it) that only its owner can read, where the system knows such rights."""
    if not folder.parent.exists():  # mkdir(parents=True) would give those above the usual rights
        make_private_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


@contextmanager
def write_atomically(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside the target; on success it replaces the target, on failure it goes.

    A reader sees the old file or the new one, never a part.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid4().hex}")  # with the usual rights, which mkstemp would not give
    try:
        yield temporary
        _move(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def remove_cut_off_writes(folder: Path) -> None:
    """Remove what `write_atomically` left in a folder when it was killed. Nobody else may be writing there."""
    for left in folder.glob(f".*.{'[0-9a-f]' * 32}"):
        left.unlink()


def replace_folder(new: Path, target: Path) -> None:
    """Put a finished folder in a target's place; see `replace_folders`."""
    replace_folders({target: new})


def replace_folders(news: Mapping[Path, Path]) -> None:
    """Put finished folders in their targets' places: all of them or, if one cannot be moved, none.

    No system-independent call swaps two folders in one step, so the old one is first set aside, as `.name.old`. For
    the microseconds until the new one is in place, a reader finds no folder, never a part of one. Where a process is
    killed in between, `restore_folder` finishes or undoes the swap.

    Args:
        news: by target, the folder that is to be there; on the same disk.

    Raises:
        OSError: a folder cannot be moved; all are as they were.
    """
    try:
        for target, new in news.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            restore_folder(target)
            if target.exists():
                _move(target, _aside(target))
            _move(new, target)
    except BaseException:
        for target, new in news.items():
            if target.exists() and not new.exists():
                _move(target, new)
            restore_folder(target)
        raise
    for target in news:
        shutil.rmtree(_aside(target), ignore_errors=True)


def restore_folder(target: Path) -> None:
    """Finish or undo a `replace_folders` that was killed midway; otherwise do nothing. Nobody else may be at it."""
    aside = _aside(target)
    if aside.exists():
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            _move(aside, target)


def restore_folders(parent: Path) -> None:
    """Call `restore_folder` for every folder in a folder that needs it."""
    for aside in parent.glob(".*.old"):
        restore_folder(aside.with_name(aside.name.removeprefix(".").removesuffix(".old")))


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _move(path: Path, target: Path) -> None:
    """Rename; where that is refused wait for a moment, as on Windows a scanner may have a file open, and try again."""
    for pause in PAUSES:
        try:
            path.replace(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    path.replace(target)
