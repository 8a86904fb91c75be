"""What the system says of a disk or a folder that cannot be written, in plain words."""

import errno
import os
from collections import namedtuple
from pathlib import Path

import pytest

from councilbook.errors import CouncilbookError
from councilbook.gate import disks
from councilbook.gate.disks import describe_full_disk, describe_os_error, explain_os_errors, require_writable
from councilbook.paths import Workbook

Usage = namedtuple("Usage", "free")


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    for name in ("PRIVATE", "PROCESSED"):
        monkeypatch.delenv(f"COUNCILBOOK_{name}", raising=False)
    for name in (".councilbook", "data/processed", "reports"):
        (tmp_path / name).mkdir(parents=True)
    return Workbook(tmp_path)


@pytest.mark.parametrize("name", ["private", "processed", "reports"])
def test_the_full_disk_is_that_with_the_least_room(workbook, monkeypatch, name):
    full = getattr(workbook, name)
    monkeypatch.setattr(disks.shutil, "disk_usage", lambda folder: Usage(0 if folder == full else 10**9))
    for message in ("[Errno 28] No space left on device", "[WinError 112] There is not enough space on the disk"):
        reason = describe_os_error(OSError(message), workbook)
        assert reason == describe_full_disk(workbook)
        assert reason.startswith(f"The disk that holds {full} is full.")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_place_that_cannot_be_written_is_named(workbook, number):
    place = workbook.reports / "index.html"
    with pytest.raises(CouncilbookError) as raised, explain_os_errors(workbook):
        raise OSError(number, os.strerror(number), str(place))
    assert str(raised.value).startswith(f"There is no right to use {place} ({os.strerror(number)}).")


def test_a_file_that_is_open_elsewhere_is_named(workbook, monkeypatch):
    replace = Path.replace
    opened = workbook.processed / "north" / "counts.csv"
    opened.parent.mkdir()
    for name in ("areas.csv", "counts.csv"):
        (opened.parent / name).touch()

    def refuse(path, target):
        if path == opened:
            raise PermissionError
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    error = PermissionError(errno.EACCES, "Access is denied", str(opened.parent), None, "aside")
    reason = describe_os_error(error, workbook)
    assert reason == (
        f"{opened} is open in another program, so {opened.parent} could not be replaced. Close it there, and run again."
    )


def test_errors_of_other_kinds_are_left_as_they_are(workbook):
    with pytest.raises(FileNotFoundError), explain_os_errors(workbook):
        (workbook.root / "nowhere").read_text()


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_it_will_be_made_in(workbook, monkeypatch):
    def refuse(dir):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), f"{dir}/tmp1234")

    require_writable(workbook.reports / "tiny" / "north")
    assert list(workbook.reports.iterdir()) == []
    monkeypatch.setattr(disks.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)) as raised:
        require_writable(workbook.reports / "tiny" / "north")
    assert raised.value.filename == str(workbook.reports)
