"""Pushing to a portal: once, in full, also when it is busy or the connection is cut, and never over another's work."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from councilbook.cli import app
from councilbook.errors import ParameterError, PublishError
from councilbook.publishing.ckan import KEY_VARIABLE, SENT, Portal, Pushed, open_portal, push_dataset
from portal import KEY, CkanStandIn, open_stand_in
from small_site import make_package

NAME = "north-homes"
FILES = ("homes.csv", "homes.zip", "homes.csv-metadata.json")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CkanStandIn]:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setattr("councilbook.publishing.ckan.PAUSES", (0.0, 0.0))
    with open_stand_in() as running:
        yield running


@pytest.fixture
def portal(server: CkanStandIn) -> Portal:
    return open_portal(server.address, "my-council")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_text(f"content of {name}")
    return tmp_path


def push(portal: Portal, folder: Path, **changes: Any) -> Pushed:
    return push_dataset(portal, make_package("homes", "Homes") | changes, folder)


def list_files(server: CkanStandIn) -> list[str]:
    return [one["name"] for one in server.datasets[NAME]["resources"]]


def test_a_dataset_is_created_with_its_files_and_not_sent_again(
    server: CkanStandIn, portal: Portal, folder: Path
) -> None:
    assert push(portal, folder) == Pushed(NAME, "created", FILES)
    there = server.datasets[NAME]
    assert (there["title"], there["owner_org"], there["license_id"]) == ("Homes, North", "my-council", "uk-ogl")
    assert "Contains public data." in there["notes"] and "https://example.org/source" in there["notes"]
    assert server.files == {name: f"content of {name}".encode() for name in FILES}
    assert list_files(server) == list(FILES)
    server.asked.clear()
    assert push(portal, folder) == Pushed(NAME, "unchanged", ())
    assert set(server.asked) == {"package_show"}


def test_only_what_changed_is_sent_and_what_went_is_taken_away(
    server: CkanStandIn, portal: Portal, folder: Path
) -> None:
    push(portal, folder)
    server.datasets[NAME]["resources"].append({"id": "theirs", "name": "a guide.pdf"})
    server.datasets[NAME]["extras"].append({"key": "theirs", "value": "kept"})
    (folder / "homes.csv").write_text("other rows")
    (folder / "homes.zip").unlink()
    assert push(portal, folder, version="1.2.0") == Pushed(NAME, "updated", ("homes.csv",))
    assert server.files["homes.csv"] == b"other rows"
    assert sorted(list_files(server)) == ["a guide.pdf", "homes.csv", "homes.csv-metadata.json"]
    assert server.datasets[NAME]["version"] == "1.2.0"
    assert {"key": "theirs", "value": "kept"} in server.datasets[NAME]["extras"]


@pytest.mark.parametrize("fault", ["503", "cut", "lost"])
@pytest.mark.parametrize("action", ["package_show", "package_create", "resource_create", "resource_patch"])
def test_a_fault_that_passes_leaves_no_trace(
    server: CkanStandIn, portal: Portal, folder: Path, action: str, fault: str
) -> None:
    server.faults = {action: [fault]}
    pushed = push(portal, folder)
    assert pushed.name == NAME
    assert list_files(server) == list(FILES)
    assert server.files == {name: f"content of {name}".encode() for name in FILES}
    assert all(one[SENT] for one in server.datasets[NAME]["resources"])
    assert server.asked.count("resource_create") <= len(FILES) + 1


def test_a_push_that_broke_off_goes_on_where_it_stopped(server: CkanStandIn, portal: Portal, folder: Path) -> None:
    server.faults = {"resource_create": ["", "cut", "cut", "cut"]}
    with pytest.raises(PublishError, match="broke off"):
        push(portal, folder)
    assert list_files(server) == ["homes.csv"]
    assert push(portal, folder) == Pushed(NAME, "updated", FILES[1:])
    assert list_files(server) == list(FILES)


def test_a_file_that_was_stored_without_its_mark_is_sent_again(
    server: CkanStandIn, portal: Portal, folder: Path
) -> None:
    push(portal, folder)
    server.datasets[NAME]["resources"][0][SENT] = ""
    assert push(portal, folder) == Pushed(NAME, "updated", ("homes.csv",))
    assert list_files(server) == list(FILES)


def test_a_wrong_key_is_refused_at_once_and_never_printed(
    server: CkanStandIn, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "not-the-key-4711")
    with pytest.raises(PublishError) as told:
        push(open_portal(server.address, "my-council"), folder)
    assert f"the key in {KEY_VARIABLE} may not change datasets of the organisation my-council" in str(told.value)
    assert "4711" not in str(told.value) and told.value.__suppress_context__ | (told.value.__context__ is None)
    assert server.asked == ["package_show"]


def test_a_portal_that_repeats_the_key_does_not_bring_it_into_the_message(
    server: CkanStandIn, portal: Portal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "answer", lambda *given: (418, f"what is {given[-1]}?"))
    with pytest.raises(PublishError, match="does not answer as CKAN does") as told:
        push(portal, folder)
    assert KEY not in str(told.value)


def test_what_others_put_there_is_not_touched(server: CkanStandIn, portal: Portal, folder: Path) -> None:
    server.datasets[NAME] = {"id": "1", "name": NAME, "title": "Theirs", "resources": []}
    with pytest.raises(PublishError, match="was not put there by this workbook"):
        push(portal, folder)
    assert server.datasets[NAME]["title"] == "Theirs"
    server.datasets[NAME] |= {"state": "deleted"}
    with pytest.raises(PublishError, match="was deleted there"):
        push(portal, folder)


def test_what_a_portal_does_not_accept_is_said(server: CkanStandIn, portal: Portal, folder: Path) -> None:
    refused = {"success": False, "error": {"__type": "Validation Error", "owner_org": ["An organization is required"]}}
    plain = server.answer
    server.answer = lambda action, *given: (409, refused) if action == "package_create" else plain(action, *given)  # type: ignore[method-assign]
    with pytest.raises(PublishError, match=r"does not accept owner_org .*An organization is required"):
        push(portal, folder)


@pytest.mark.parametrize(
    ("address", "key", "message"),
    [
        ("https://ckan.example.org", "", "put your API key"),
        ("https://ckan.example.org", "two words", "holds no API key"),
        ("http://ckan.example.org", KEY, "is not encrypted"),
        ("https://me:secret@ckan.example.org", KEY, "without a name or a key"),
        ("ckan.example.org", KEY, "has to be as https"),
    ],
)
def test_a_key_goes_only_where_nobody_else_reads_it(
    address: str, key: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(ParameterError, match=message) as told:
        open_portal(address, "")
    assert not key or key not in str(told.value)
    assert "secret" not in str(told.value)


def test_a_portal_that_is_not_there_is_said_after_a_few_attempts(
    server: CkanStandIn, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PublishError, match="cannot be reached") as told:
        push(open_portal("http://127.0.0.1:9", ""), folder)
    assert "push again to go on" in str(told.value)


def test_the_command_asks_for_the_key_before_it_does_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    result = CliRunner().invoke(app, ["publish", "--ckan", "https://ckan.example.org", "--to", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert KEY_VARIABLE in result.stderr and not (tmp_path / "out").exists()
