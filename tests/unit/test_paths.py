"""The workbook's folders, and writing so that a cut-off run leaves nothing half done."""

import stat
import sys

import pytest

from councilbook.errors import CouncilbookError
from councilbook.paths import (
    Workbook,
    find_workbook,
    make_private_folder,
    replace_folder,
    restore_folder,
    write_atomically,
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("ROOT", "CLOSED", "PRIVATE", "PROCESSED"):
        monkeypatch.delenv(f"COUNCILBOOK_{name}", raising=False)


@pytest.fixture
def workbook(tmp_path):
    root = tmp_path / "workbook"
    (root / "data" / "catalogue").mkdir(parents=True)
    (root / "notebooks" / "careers").mkdir(parents=True)
    return Workbook(root)


def test_workbook_is_found_from_a_folder_inside_it(workbook, monkeypatch):
    monkeypatch.chdir(workbook.root / "notebooks" / "careers")
    assert find_workbook() == workbook


def test_variable_says_where_the_workbook_is(workbook, tmp_path, monkeypatch):
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(workbook.root))
    assert find_workbook(tmp_path) == workbook


def test_no_workbook_is_an_error_that_says_what_was_looked_for(tmp_path):
    (tmp_path / "notebooks").mkdir()  # half a workbook
    with pytest.raises(CouncilbookError, match=r"data/catalogue and notebooks.*COUNCILBOOK_ROOT"):
        find_workbook(tmp_path)


def test_there_is_no_closed_folder_unless_it_is_named(workbook):
    assert workbook.closed is None


def test_closed_folder_outside_the_workbook_is_taken(workbook, tmp_path, monkeypatch):
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path / "closed"))
    assert workbook.closed == tmp_path / "closed"


@pytest.mark.parametrize("inside", ["", "data/closed", "data/../../workbook/closed"])
def test_closed_folder_inside_the_workbook_is_refused(workbook, monkeypatch, inside):
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(workbook.root / inside))
    with pytest.raises(CouncilbookError, match="must lie outside"):
        _ = workbook.closed


def test_closed_folder_linked_to_from_outside_is_refused(workbook, tmp_path, monkeypatch):
    (workbook.root / "closed").mkdir()
    (tmp_path / "link").symlink_to(workbook.root / "closed", target_is_directory=True)
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path / "link"))
    with pytest.raises(CouncilbookError, match="must lie outside"):
        _ = workbook.closed


@pytest.mark.skipif(sys.platform == "win32", reason="rights of another kind")
def test_private_folder_and_those_made_above_it_are_the_owners_alone(tmp_path):
    folder = make_private_folder(tmp_path / "private" / "twins" / "v1")
    assert make_private_folder(folder) == folder  # there already
    for made in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_written_file_takes_the_place_of_the_old_one(tmp_path):
    target = tmp_path / "new" / "index.html"
    for text in ("first", "second"):
        with write_atomically(target) as temporary:
            temporary.write_text(text)
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / "index.html"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), write_atomically(target) as temporary:
        temporary.write_text("half a pa")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(sys.platform == "win32", reason="rights of another kind")
def test_written_file_has_the_usual_rights(tmp_path):
    (tmp_path / "plain").touch()
    with write_atomically(tmp_path / "index.html") as temporary:
        temporary.touch()
    assert (tmp_path / "index.html").stat().st_mode == (tmp_path / "plain").stat().st_mode


def make_folder(path, text):
    path.mkdir()
    (path / "data.csv").write_text(text)
    return path


def read_folders(parent):
    return {folder.name: (folder / "data.csv").read_text() for folder in parent.iterdir()}


def test_new_folder_takes_the_place_of_the_old_one(tmp_path):
    target = make_folder(tmp_path / "released", "old")
    (target / "dropped.csv").touch()
    replace_folder(make_folder(tmp_path / "new", "new"), target)
    assert read_folders(tmp_path) == {"released": "new"}
    assert not (target / "dropped.csv").exists()


def test_new_folder_needs_no_old_one(tmp_path):
    replace_folder(make_folder(tmp_path / "new", "new"), tmp_path / "deep" / "released")
    assert read_folders(tmp_path / "deep") == {"released": "new"}


class Killed(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize(
    ("step", "expected"),
    [("old set aside", "old"), ("new in place", "new"), ("old partly deleted", "new")],
)
def test_swap_that_was_cut_off_is_mended(tmp_path, monkeypatch, step, expected):
    target = make_folder(tmp_path / "released", "old")
    new = make_folder(tmp_path / "new", "new")
    with monkeypatch.context() as patch:
        rename = type(target).rename

        def rename_and_die(self, place):
            if step == "old set aside" and self == new:
                raise Killed
            return rename(self, place)

        def delete_and_die(folder, ignore_errors):
            if step == "old partly deleted":
                (folder / "data.csv").unlink()
            raise Killed

        patch.setattr(type(target), "rename", rename_and_die)
        patch.setattr("councilbook.paths.shutil.rmtree", delete_and_die)
        with pytest.raises(Killed):
            replace_folder(new, target)
    restore_folder(target)
    restore_folder(target)  # nothing is left to mend
    assert read_folders(tmp_path) == {"released": expected} | ({"new": "new"} if step == "old set aside" else {})


def test_swap_after_one_that_was_cut_off_keeps_nothing_of_it(tmp_path):
    target = tmp_path / "released"
    make_folder(tmp_path / ".released.old", "old")  # set aside, then the process ended
    replace_folder(make_folder(tmp_path / "new", "new"), target)
    assert read_folders(tmp_path) == {"released": "new"}
