"""The workbook's folders, and writing so that a cut-off run leaves nothing half done."""

import errno
import stat
import sys
from pathlib import Path

import pytest

from councilbook.errors import CouncilbookError
from councilbook.paths import (
    Workbook,
    find_workbook,
    make_private_folder,
    remove_cut_off_writes,
    replace_folder,
    replace_folders,
    restore_folder,
    restore_folders,
    write_atomically,
)


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
    with pytest.raises(CouncilbookError, match=r"names .*closed, and there is no such folder"):
        _ = workbook.closed
    (tmp_path / "closed").mkdir()
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


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({".released.old": "old"}, "old"),
        ({".released.old": "old", "released": "new"}, "new"),
        ({"released": "new"}, "new"),
    ],
)
def test_swap_that_was_cut_off_is_mended(tmp_path, there, expected):
    for name, text in there.items():
        make_folder(tmp_path / name, text)
    restore_folder(tmp_path / "released")
    assert read_folders(tmp_path) == {"released": expected}


def test_every_folder_in_a_folder_is_mended(tmp_path):
    make_folder(tmp_path / ".north.old", "north")
    make_folder(tmp_path / ".south.old", "old south")
    make_folder(tmp_path / "south", "south")
    restore_folders(tmp_path)
    assert read_folders(tmp_path) == {"north": "north", "south": "south"}


def test_swap_after_one_that_was_cut_off_keeps_nothing_of_it(tmp_path):
    target = tmp_path / "released"
    make_folder(tmp_path / ".released.old", "old")  # set aside, then the process ended
    replace_folder(make_folder(tmp_path / "new", "new"), target)
    assert read_folders(tmp_path) == {"released": "new"}


def refuse_moves(monkeypatch, times, *refused):
    """Let the system refuse to rename some paths, as Windows does while another program has a file in them open."""
    replace, asked = Path.replace, []

    def replace_or_refuse(path, target):
        if path in refused and len(asked) < times:
            asked.append(path)
            raise PermissionError(errno.EACCES, "Permission denied", str(path), None, str(target))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_or_refuse)
    monkeypatch.setattr("councilbook.paths.PAUSES", (0, 0, 0))
    return asked


def test_a_folder_that_is_free_again_after_a_moment_is_replaced(tmp_path, monkeypatch):
    target = make_folder(tmp_path / "released", "old")
    asked = refuse_moves(monkeypatch, 3, target)
    replace_folder(make_folder(tmp_path / "new", "new"), target)
    assert read_folders(tmp_path) == {"released": "new"}
    assert len(asked) == 3


@pytest.mark.parametrize("refused", ["first", "second", "new first", "new second"])
def test_of_two_folders_none_is_replaced_if_one_cannot_be(tmp_path, monkeypatch, refused):
    folders = {name: make_folder(tmp_path / name, name) for name in ("first", "second", "new first", "new second")}
    refuse_moves(monkeypatch, 4, folders[refused])
    with pytest.raises(PermissionError):
        replace_folders({folders["first"]: folders["new first"], folders["second"]: folders["new second"]})
    assert read_folders(tmp_path) == {name: name for name in folders}


def test_a_folder_that_was_not_there_is_gone_again_if_its_fellow_cannot_be_replaced(tmp_path, monkeypatch):
    new = [make_folder(tmp_path / name, name) for name in ("one", "two")]
    refuse_moves(monkeypatch, 4, new[1])
    with pytest.raises(PermissionError):
        replace_folders({tmp_path / "first": new[0], tmp_path / "second": new[1]})
    assert read_folders(tmp_path) == {"one": "one", "two": "two"}


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path):
    with pytest.raises(ZeroDivisionError), write_atomically(tmp_path / "index.html") as temporary:
        kept = temporary.with_name(temporary.name.replace("index", "search"))
        kept.touch()
        raise ZeroDivisionError
    for name in ("index.html", ".htaccess", ".old.index.html"):
        (tmp_path / name).touch()
    assert kept.exists()
    remove_cut_off_writes(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", ".htaccess", ".old.index.html"}
