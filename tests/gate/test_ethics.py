"""Points of an ethics canvas: what an open one stops, who accepts it, how long that holds; and unsettled licences."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from councilbook.catalogue import Catalogue, Council, Finder, FoundFile, load_catalogue
from councilbook.cli import app
from councilbook.errors import CatalogueError, NotSettledError, ParameterError
from councilbook.gate.approvals import approve_release, list_releases
from councilbook.gate.ethics.points import accept_point, list_points
from councilbook.gate.writing import Origin, release_dataset
from councilbook.gate.written.packages import choose_root, read_audit, read_package
from councilbook.paths import Workbook
from councilbook.running.checking import require_accepted
from councilbook.running.parts import MAY_STOP

NORTH = Council(slug="north", name="North and more", codes={"E06000901": "North"})
SOUTH = Council(slug="south", name="South", codes={"E07000902": "South"})
LEAD = "Data protection officer"
CANVAS = f"""
about: Clients of the housing team
owner: Head of housing
written: 2026-11-01
review_by: 2027-11-01
points:
  addresses: {{question: What becomes of addresses?, answer: They go., state: settled, by: Maintainer, day: 2026-11-02}}
  notice:
    {{question: How are people told?, answer: By a letter., state: open, by: {LEAD}, to_do: Send the letter.,
     sources: [clients]}}
"""
ROWS = {
    "home_counts": pd.DataFrame({"lsoa_code": ["E1"], "homes": [100]}),
    "client_counts": pd.DataFrame({"lsoa_code": ["E1", "E2"], "clients": [9, 41], "homes": [100, 321]}),
    "client_flags": pd.DataFrame({"client": [1], "age": [70]}),
}


def read_with(workbook: Workbook, canvas: str = CANVAS) -> Catalogue:
    (workbook.notebooks / "small/canvas.yaml").write_text(canvas, encoding="utf-8")
    load_catalogue.cache_clear()
    return load_catalogue(workbook)


@pytest.fixture
def thought_through(workbook: Workbook) -> Catalogue:
    """The small workbook, whose study has a canvas with an open point about clients."""
    return read_with(workbook)


def release(
    catalogue: Catalogue,
    dataset: str = "client_counts",
    sources: Sequence[str] = ("clients", "homes_2021"),
    origin: str = "closed folder",
    council: Council = NORTH,
    packages: Sequence[dict[str, object]] = (),
) -> Path:
    file = catalogue.workbook.root / "a_file.csv"
    file.write_text("content", encoding="utf-8")
    used = [FoundFile(catalogue.source(name), file, origin) for name in sources]  # type: ignore[arg-type]
    made = Origin("small", "2_closed", council, "real", "2026-11-23", used, packages)
    spec = catalogue.dataset(dataset)
    return release_dataset(spec, ROWS[dataset], made, catalogue, choose_root(catalogue.workbook, spec))


def accept(catalogue: Catalogue, key: str = "small/north/notice", role: str = LEAD) -> None:
    accept_point(catalogue, key, role=role, person="A. Name", day="2026-11-24")


def states(catalogue: Catalogue, council: Council = NORTH) -> list[str]:
    return [point.state for point in list_points(catalogue, "small", council)]


def test_an_open_point_stops_what_was_made_of_real_closed_data_and_says_who_can_accept_it(thought_through):
    with pytest.raises(NotSettledError) as stopped:
        release(thought_through)
    told = str(stopped.value)
    assert told.startswith(
        "Dataset client_counts was not released: it is made from real data that are not open (Clients)"
    )
    assert "North and more has not accepted" in told
    assert f'"How are people told?" The {LEAD} has to accept the answer. To do first: Send the letter.' in told
    assert f'councilbook release --accept small/north/notice --role "{LEAD}" --by "YOUR NAME"' in told
    assert "What becomes of addresses?" not in told
    assert list(list_releases(thought_through)) == []


@pytest.mark.parametrize(
    ("dataset", "sources", "origin"),
    [
        ("client_counts", ["clients"], "twin"),
        ("home_counts", ["homes_2021"], "mirror"),
        ("client_counts", ["visits"], "closed folder"),  # the point is about clients alone
        ("client_flags", ["clients"], "closed folder"),  # it is closed itself, and stays inside
    ],
)
def test_an_open_point_stops_nothing_else(thought_through, dataset, sources, origin):
    assert release(thought_through, dataset, sources, origin).is_dir()


def test_a_point_that_names_no_source_is_about_every_one_that_is_not_open(workbook):
    catalogue = read_with(workbook, CANVAS.replace("sources: [clients]", "sources: []"))
    with pytest.raises(NotSettledError, match=r"not open \(Visits to a home\)"):
        release(catalogue, sources=["visits"])


def test_what_was_made_of_a_closed_dataset_is_stopped_as_well(thought_through):
    package = read_package(release(thought_through, "client_flags", ["clients"]))
    with pytest.raises(NotSettledError):
        release(thought_through, "client_counts", ["homes_2021"], packages=[package])


def test_a_study_without_a_canvas_releases_as_before(catalogue):
    assert list_points(catalogue, "small", NORTH) == []
    assert read_audit(release(catalogue))["approval"]["state"] == "waiting"


def test_an_acceptance_lets_it_out_to_wait_for_approval_and_keeps_the_name_private(thought_through):
    accept(thought_through)
    assert states(thought_through) == ["settled", "accepted"]
    assert list_points(thought_through, "small", NORTH)[1].told == f"accepted by the {LEAD}, 24 November 2026"
    folder = release(thought_through)
    assert read_audit(folder)["approval"]["state"] == "waiting"
    assert not any("A. Name" in file.read_text(encoding="latin-1") for file in folder.iterdir())
    (line,) = (thought_through.workbook.private / "acceptances.jsonl").read_text(encoding="utf-8").splitlines()
    assert (json.loads(line)["point"], json.loads(line)["by"]) == ("small/north/notice", "A. Name")


def test_one_council_does_not_accept_for_another(thought_through):
    accept(thought_through)
    assert states(thought_through, SOUTH) == ["settled", "open"]
    with pytest.raises(NotSettledError, match="South has not accepted"):
        release(thought_through, council=SOUTH)


def test_an_acceptance_holds_for_the_answer_that_was_read(thought_through):
    accept(thought_through)
    assert states(read_with(thought_through.workbook, CANVAS.replace("By a letter.", "Not at all."))) == [
        "settled",
        "open",
    ]


def test_an_acceptance_can_stand_in_the_canvas_for_each_of_several_councils(workbook):
    own = f"accepted: {{E06000901: {{by: {LEAD}, day: 2026-11-20}}}}, sources: [clients]"
    catalogue = read_with(workbook, CANVAS.replace("sources: [clients]", own))
    assert states(catalogue) == ["settled", "accepted"]
    both = Council(slug="both", name="Both", codes=NORTH.codes | SOUTH.codes)
    assert states(catalogue, both) == ["settled", "open"]


@pytest.mark.parametrize(
    ("key", "role", "fault"),
    [
        ("small/north/notice", "Intern", f"is to be accepted by: {LEAD}. The role given is 'Intern'"),
        ("small/north/notices", LEAD, "has no point 'notices'. Did you mean notice"),
        ("small/north/addresses", "Maintainer", "is not open: it is settled by the Maintainer, 2 November 2026"),
        ("smal/north/notice", LEAD, "names no point.*Did you mean small"),
        ("small/notice", LEAD, "names no point"),
    ],
)
def test_an_acceptance_of_something_else_or_in_another_role_is_refused(thought_through, key, role, fault):
    with pytest.raises(ParameterError, match=fault):
        accept(thought_through, key, role)
    assert states(thought_through) == ["settled", "open"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ((", to_do: Send the letter.", ""), "says what is to be done"),
        ((", day: 2026-11-02", ""), "has the day"),
        (("sources: [clients]", "accepted: {E06000901: {by: Intern, day: 2026-11-20}}"), f"accepted by the {LEAD}"),
        (("sources: [clients]", "sources: [client]"), "small/canvas.yaml: No source or series 'client'"),
    ],
)
def test_a_canvas_that_does_not_say_enough_is_an_error(workbook, change, fault):
    with pytest.raises((CatalogueError, ValidationError), match=fault):
        read_with(workbook, CANVAS.replace(*change))


def test_a_run_stops_before_its_first_notebook_and_no_optional_part_is_left_out_for_it(
    thought_through, tmp_path, monkeypatch
):
    (tmp_path / "closed").mkdir()
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path / "closed"))
    finder = Finder(thought_through, "real", NORTH, 7)
    require_accepted(
        thought_through, "small", ["1_open", "2_closed", "3_report"], finder, "2026-12-01"
    )  # there is no file
    (tmp_path / "closed/clients.csv").write_text("lsoa_code,surname,age\n", encoding="utf-8")
    require_accepted(thought_through, "small", ["1_open", "3_report"], finder, "2026-12-01")
    with pytest.raises(NotSettledError, match="The small study was not run"):
        require_accepted(thought_through, "small", ["1_open", "2_closed", "3_report"], finder, "2026-12-01")
    assert NotSettledError.__name__ not in MAY_STOP
    accept(thought_through)
    require_accepted(thought_through, "small", ["1_open", "2_closed", "3_report"], finder, "2026-12-01")


def test_a_canvas_that_nobody_has_looked_at_again_in_time_stops_a_real_run(thought_through, tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path / "closed"))
    finder = Finder(thought_through, "real", NORTH, 7)
    accept(thought_through)
    require_accepted(thought_through, "small", ["2_closed"], finder, "2027-11-02")  # there is no file
    (tmp_path / "closed/clients.csv").write_text("lsoa_code,surname,age\n", encoding="utf-8")
    require_accepted(thought_through, "small", ["2_closed"], finder, "2027-11-01")
    with pytest.raises(NotSettledError, match="looked at again by 1 November 2027, and that day is past"):
        require_accepted(thought_through, "small", ["2_closed"], finder, "2027-11-02")


def test_the_command_lists_points_and_accepts_one(thought_through):
    listed = CliRunner().invoke(app, ["release"], env={"COLUMNS": "200"})
    assert "small/north/notice" in listed.output
    assert CliRunner().invoke(app, ["release", "--accept", "small/north/notice"]).exit_code == 2
    done = CliRunner().invoke(app, ["release", "--accept", "small/north/notice", "--role", LEAD, "--by", "A. Name"])
    assert done.exit_code == 0, done.output
    assert f"accepted by the {LEAD}" in CliRunner().invoke(app, ["release"], env={"COLUMNS": "250"}).output


def settle(catalogue: Catalogue, *sources: str) -> Catalogue:
    """Put sources under a licence that somebody has to settle."""
    licence = catalogue.licences["not_stated"].model_copy(update={"settled_by": "Head of culture"})
    changed = {name: catalogue.source(name).model_copy(update={"licence": "to_settle"}) for name in sources}
    parts = {"licences": {**catalogue.licences, "to_settle": licence}, "sources": {**catalogue.sources, **changed}}
    return replace(catalogue, **parts)


def test_what_was_made_of_a_real_open_file_without_a_licence_waits_for_who_has_to_settle_it(catalogue):
    folder = release(settle(catalogue, "homes_2021"), "home_counts", ["homes_2021"], "mirror")
    approval = read_audit(folder)["approval"]
    assert (approval["state"], approval["role"]) == ("waiting", "Head of culture")
    assert approval["why"] == "The licence is to be settled of: Homes, 2021."
    approve_release(
        catalogue, "small/north/real/home_counts@1.0.0", role="Head of culture", person="A. Name", day="2026-11-24"
    )
    again = release(settle(catalogue, "homes_2021"), "home_counts", ["homes_2021"], "mirror")
    assert read_audit(again)["approval"]["state"] == "approved"
    settled = release(catalogue, "home_counts", ["homes_2021"], "mirror")
    assert read_audit(settled)["approval"]["state"] == "not needed"


def test_what_goes_on_from_it_waits_too_and_its_twin_does_not(catalogue):
    changed = settle(catalogue, "homes_2021")
    package = read_package(release(changed, "home_counts", ["homes_2021"], "mirror"))
    later = release(changed, "home_counts", ["lsoa_lookup"], "mirror", SOUTH, [package])
    assert read_audit(later)["approval"]["role"] == "Head of culture"
    twin = release(changed, "home_counts", ["homes_2021"], "twin")
    assert read_audit(twin)["approval"]["state"] == "not needed"


def test_beside_closed_data_both_roles_have_to_approve(catalogue):
    folder = release(settle(catalogue, "homes_2021"))
    assert read_audit(folder)["approval"]["role"] == "Information governance lead and Head of culture"
