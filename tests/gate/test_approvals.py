"""Approvals: what waits, who may approve it, and for how long an approval holds."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from councilbook.catalogue import Catalogue, Council, FoundFile
from councilbook.cli import app
from councilbook.errors import NotebookError, ParameterError, ReleaseRefusedError
from councilbook.gate.approvals import approve_release, list_releases
from councilbook.gate.writing import Origin, release_dataset
from councilbook.gate.written.packages import choose_root, read_audit, read_package

COUNCIL = Council(slug="north", name="North", codes={"E06000901": "North"})
CLIENTS = pd.DataFrame({"lsoa_code": ["E1", "E2"], "clients": [9, 41], "homes": [100, 321]})
NAME = "small/north/real/client_counts@1.0.0"
ROLE = "Information governance lead"


def release_clients(
    catalogue: Catalogue, frame: pd.DataFrame = CLIENTS, *, origin: str = "closed folder", sources: Sequence[str] = ()
) -> Path:
    file = catalogue.workbook.root / "a_file.csv"
    file.write_text("content", encoding="utf-8")
    used = [FoundFile(catalogue.source(name), file, origin) for name in sources or ("clients", "homes_2021")]  # type: ignore[arg-type]
    made = Origin("small", "2_closed", COUNCIL, "real", "2026-11-23", used)
    dataset = catalogue.dataset("client_counts")
    return release_dataset(dataset, frame, made, catalogue, catalogue.workbook.processed)


def approve(catalogue: Catalogue, name: str = NAME, role: str = ROLE) -> None:
    approve_release(catalogue, name, role=role, person="A. Name", day="2026-11-24")


def states(catalogue: Catalogue) -> dict[str, str]:
    return {release.name: release.approval["state"] for release in list_releases(catalogue)}


def test_what_was_made_beside_real_closed_data_waits_and_says_for_whom(catalogue: Catalogue) -> None:
    folder = release_clients(catalogue)
    assert states(catalogue) == {NAME: "waiting"}
    approval = read_package(folder)["councilbook"]["approval"]
    assert approval == read_audit(folder)["approval"]
    assert approval["role"] == ROLE


def test_what_was_made_of_twins_or_open_sources_needs_no_approval(catalogue: Catalogue) -> None:
    release_clients(catalogue, origin="twin")
    assert states(catalogue) == {NAME: "not needed"}
    folder = release_clients(catalogue, sources=["homes_2021"])
    assert read_audit(folder)["approval"] == {
        "state": "not needed",
        "why": "No real closed or shared data went into it, only open sources.",
    }


def test_an_approval_is_written_with_role_and_day_and_the_name_stays_private(catalogue: Catalogue) -> None:
    folder = release_clients(catalogue)
    approve(catalogue)
    assert states(catalogue) == {NAME: "approved"}
    assert read_package(folder)["councilbook"]["approval"]["date"] == "2026-11-24"
    assert not any("A. Name" in file.read_text(encoding="latin-1") for file in folder.iterdir())
    log = (catalogue.workbook.private / "approvals.jsonl").read_text(encoding="utf-8")
    assert json.loads(log)["by"] == "A. Name"
    assert json.loads(log)["release"] == NAME


def test_an_approval_holds_for_the_same_data_under_the_same_rule_alone(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    approve(catalogue)
    release_clients(catalogue)
    assert states(catalogue) == {NAME: "approved"}
    release_clients(catalogue, CLIENTS.assign(homes=[100, 400]))
    assert states(catalogue) == {"small/north/real/client_counts@1.0.1": "waiting"}


def test_what_is_made_from_a_release_that_waits_waits_as_well(catalogue: Catalogue) -> None:
    package = read_package(release_clients(catalogue))
    made = Origin("small", "1_open", COUNCIL, "real", "2026-11-23", [], [package])
    homes = pd.DataFrame({"lsoa_code": ["E1"], "homes": [100]})
    release_dataset(catalogue.dataset("home_counts"), homes, made, catalogue, catalogue.workbook.processed)
    assert states(catalogue) == {NAME: "waiting", "small/north/real/home_counts@1.0.0": "waiting"}
    approve(catalogue, "small/north/real/home_counts@1.0.0")


def test_what_is_made_from_a_release_that_is_not_open_needs_a_rule(catalogue: Catalogue) -> None:
    package = read_package(release_clients(catalogue))
    package["councilbook"]["classification"] = "shared"
    made = Origin("small", "1_open", COUNCIL, "real", "2026-11-23", [], [package])
    homes = pd.DataFrame({"lsoa_code": ["E1"], "homes": [1]})
    with pytest.raises(ReleaseRefusedError, match=r"made beside client_counts \(shared\)"):
        release_dataset(catalogue.dataset("home_counts"), homes, made, catalogue, catalogue.workbook.processed)


@pytest.mark.parametrize(
    ("name", "role", "fault"),
    [
        (NAME, "Intern", "is to be approved by: Information governance lead"),
        ("small/north/real/client_counts@2.0.0", ROLE, f"There is no such release. Waiting: {NAME}"),
        ("client_counts", ROLE, "There is no such release"),
    ],
)
def test_an_approval_of_something_else_or_in_another_role_is_refused(
    catalogue: Catalogue, name: str, role: str, fault: str
) -> None:
    release_clients(catalogue)
    with pytest.raises(ParameterError, match=fault):
        approve(catalogue, name, role)
    assert states(catalogue) == {NAME: "waiting"}


def test_nothing_is_approved_twice(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    approve(catalogue)
    with pytest.raises(ParameterError, match=r"It is approved\. Nothing is waiting"):
        approve(catalogue)


def test_nothing_is_approved_while_a_run_makes_it_anew(catalogue: Catalogue) -> None:
    from councilbook.gate.editions import Edition, hold_edition

    release_clients(catalogue)
    with (
        hold_edition(Edition(catalogue.workbook, "small", COUNCIL, "real")),
        pytest.raises(NotebookError, match="another run"),
    ):
        approve(catalogue)
    assert states(catalogue) == {NAME: "waiting"}


def test_the_command_lists_and_approves(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    listed = CliRunner().invoke(app, ["release", "--review"], env={"COLUMNS": "200"})
    assert NAME in listed.output
    assert f"waits for {ROLE}" in listed.output
    assert f"reviews{os.sep}small{os.sep}north{os.sep}real{os.sep}client_counts.json" in listed.output
    without = CliRunner().invoke(app, ["release", "--approve", NAME])
    assert without.exit_code == 2
    done = CliRunner().invoke(app, ["release", "--approve", NAME, "--role", ROLE, "--by", "A. Name"])
    assert done.exit_code == 0, done.output
    assert f"{NAME}: approved by {ROLE}" in done.output
    assert "approved by" in CliRunner().invoke(app, ["release"], env={"COLUMNS": "200"}).output


def test_a_shared_dataset_of_real_closed_data_waits_and_a_closed_one_does_not(catalogue: Catalogue) -> None:
    flags = catalogue.dataset("client_flags")
    shared = flags.model_copy(update={"id": "client_list", "classification": "shared"})
    file = catalogue.workbook.root / "a_file.csv"
    file.write_text("content", encoding="utf-8")
    used = [FoundFile(catalogue.source("clients"), file, "closed folder")]
    made = Origin("small", "2_closed", COUNCIL, "real", "2026-11-23", used)
    frame = pd.DataFrame({"client": [1], "age": [70]})
    for dataset in (flags, shared):
        folder = release_dataset(dataset, frame, made, catalogue, choose_root(catalogue.workbook, dataset))
        assert folder.is_relative_to(catalogue.workbook.restricted)
    names = ["small/north/real/client_flags@1.0.0", "small/north/real/client_list@1.0.0"]
    assert states(catalogue) == dict(zip(names, ["not needed", "waiting"], strict=True))
    approve(catalogue, names[1])
    assert states(catalogue)[names[1]] == "approved"
