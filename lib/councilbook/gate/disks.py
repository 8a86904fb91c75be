"""What the system says when it does not let us write, in plain words."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from councilbook.errors import CouncilbookError
from councilbook.paths import Workbook

FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), "[WinError 112]")
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def explain_os_errors(workbook: Workbook) -> Iterator[None]:
    """Say what to do about a disk that is full, a folder that cannot be written, a file that is open elsewhere.

    Raises:
        CouncilbookError: in place of an OSError of these kinds.
    """
    try:
        yield
    except OSError as error:
        if reason := describe_os_error(error, workbook):
            raise CouncilbookError(reason) from error
        raise


def describe_os_error(error: OSError, workbook: Workbook) -> str | None:
    """Say in plain words which folder the system did not let us write, and what to do; None for other errors."""
    if tells_of_full_disk(str(error)):
        return describe_full_disk(workbook)
    if error.errno not in UNWRITABLE or not error.filename:
        return None
    place = Path(os.fsdecode(error.filename))
    if error.filename2 and (opened := _find_open_file(place)):
        return f"{opened} is open in another program, so {place} could not be replaced. Close it there, and run again."
    return (
        f"There is no right to use {place} ({os.strerror(error.errno)}). What was there before is as it was. Give "
        "yourself the right to read and write there, or run as somebody who has it."
    )


def tells_of_full_disk(message: str) -> bool:
    """Whether a message, of Python or of a library beneath it, says that a disk (or one's share of it) is full."""
    return any(text in message for text in FULL)


def describe_full_disk(workbook: Workbook) -> str:
    """Say which disk is full: that with the least room among those that a run writes to."""
    folders = (
        *(workbook.private, workbook.processed, workbook.restricted, workbook.reports),
        Path(tempfile.gettempdir()),
    )
    fullest = min(folders, key=lambda folder: shutil.disk_usage(_find_existing(folder)).free)
    return (
        f"The disk that holds {fullest} is full. What was there before is as it was. Make room on that disk, and run "
        "again."
    )


def require_writable(folder: Path) -> None:
    """See that files can be made in a folder, or where it will be made if it is not there yet.

    Raises:
        OSError: they cannot.
    """
    nearest = _find_existing(folder)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        error.filename = str(nearest)  # not the name that the temporary file would have had
        raise


def _find_existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _find_open_file(folder: Path) -> Path | None:
    """Return a file that keeps its folder from being moved: Windows renames no file that somebody has open."""
    for file in [path for path in folder.rglob("*") if path.is_file()]:
        try:
            file.replace(file)
        except PermissionError:
            return file
    return None
