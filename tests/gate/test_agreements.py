"""Agreements: what stops a real file that is not open, what is dropped of it, and that nothing agreed is told."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from councilbook.catalogue import Catalogue, FoundFile, load_catalogue
from councilbook.errors import NotAgreedError
from councilbook.gate.ethics import agreements
from councilbook.gate.ethics.agreements import drop_beyond, find_agreement, require_agreement
from councilbook.paths import find_workbook

CANARY = "Quackenzilde"
OURS = load_catalogue(find_workbook(Path(__file__).parent))


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir()
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(folder))
    return folder


def put(catalogue: Catalogue, closed: Path, source: str, day: str = "2026-11-01") -> FoundFile:
    file = closed / catalogue.source(source).file
    file.write_text("a", encoding="utf-8")
    moment = datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()
    os.utime(file, (moment, moment))
    return FoundFile(catalogue.source(source), file, "closed folder")


def test_every_closed_and_shared_source_that_is_read_has_a_whole_agreement() -> None:
    for one in OURS.sources.values():
        if one.spectrum != "open" and one.format != "none":
            about = one.agreement
            assert about and about.purpose and about.parties and about.legal_basis and about.keep_months, one.id


@pytest.mark.parametrize(("day", "stops"), [("2027-03-31", False), ("2027-04-01", True)])
def test_an_agreement_stops_from_the_day_after_its_review(closed: Path, day: str, stops: bool) -> None:
    found = put(OURS, closed, "kid_households")
    if not stops:
        require_agreement(OURS, found, day)
        return
    with pytest.raises(NotAgreedError) as caught:
        require_agreement(OURS, found, day)
    for words in (
        "had to be reviewed by 31 March 2027",
        "analytics team of the health and care partnership",
        "kid_households:\n  review_by: 2028-04-01",
    ):
        assert words in str(caught.value)


def test_what_the_council_says_goes_over_the_catalogue_and_is_not_told(closed: Path) -> None:
    found = put(OURS, closed, "kid_households")
    own = f"kid_households: {{review_by: 2028-01-01, purpose: {CANARY}}}\n"
    (closed / "agreements.yaml").write_text(own, encoding="utf-8")
    require_agreement(OURS, found, "2027-12-31")
    assert find_agreement(OURS, found.source).keep_months == 24
    wrong = [f"{own} - {CANARY}: [", f"{CANARY}: {{}}", f"kid_households: {{kind: {CANARY}}}"]
    for text in [*wrong, f"kid_households: {{keep_until: {CANARY}}}"]:
        (closed / "agreements.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(NotAgreedError) as caught:
            require_agreement(OURS, found, "2026-12-31")
        assert CANARY not in str(caught.value)


def test_an_old_file_that_was_copied_today_has_come_today(closed: Path) -> None:
    found = put(OURS, closed, "kid_households", day="2003-01-31")
    assert agreements._find_arrival(found.path) == datetime.now(UTC).date()
    require_agreement(OURS, found, "2026-11-29")


def test_withdrawn_missing_and_kept_too_long_all_stop(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = put(OURS, closed, "kid_households")
    monkeypatch.setattr(agreements, "_find_arrival", lambda _: date(2026, 1, 31))
    (closed / "agreements.yaml").write_text("kid_households: {withdrawn: true}", encoding="utf-8")
    with pytest.raises(NotAgreedError, match="was withdrawn"):
        require_agreement(OURS, found, "2026-11-29")
    (closed / "agreements.yaml").write_text("kid_households: {keep_months: 1}", encoding="utf-8")
    require_agreement(OURS, found, "2026-02-28")
    with pytest.raises(NotAgreedError, match="could be kept until 28 February 2026"):
        require_agreement(OURS, found, "2026-03-01")
    bare = FoundFile(found.source.model_copy(update={"agreement": None}), found.path, "closed folder")
    (closed / "agreements.yaml").unlink()
    with pytest.raises(NotAgreedError, match="councilbook agreement kid_households"):
        require_agreement(OURS, bare, "2026-02-01")
    require_agreement(OURS, FoundFile(bare.source, found.path, "twin"), "2026-02-01")


def test_a_field_beyond_the_agreement_is_dropped_and_said_or_refused_where_none_may_lack_it(closed: Path) -> None:
    found = put(OURS, closed, "kid_households")
    table = found.source.table()
    spare = next(name for name, one in table.fields.items() if not one.required or one.may_be_absent)
    rows = pd.DataFrame("x", index=[0], columns=list(table.fields))
    assert drop_beyond(OURS, found, table, rows)[1] == ""
    kept = [name for name in table.fields if name != spare]
    (closed / "agreements.yaml").write_text(f"kid_households: {{fields: {kept}}}", encoding="utf-8")
    left, said = drop_beyond(OURS, found, table, rows)
    assert (left[spare] == "").all()
    assert (left[kept] == "x").all().all()
    assert spare in said
    (closed / "agreements.yaml").write_text("kid_households: {fields: [household_id]}", encoding="utf-8")
    with pytest.raises(NotAgreedError, match="does not cover"):
        drop_beyond(OURS, found, table, rows)


@pytest.mark.parametrize("source", ["rates_ledger", "museum_wifi"])
def test_a_file_that_a_study_reads_by_itself_is_refused_where_some_of_its_fields_alone_are_agreed(
    closed: Path, source: str
) -> None:
    found = put(OURS, closed, source)
    require_agreement(OURS, found, "2026-11-29")
    (closed / "agreements.yaml").write_text(f"{source}: {{fields: [postcode]}}", encoding="utf-8")
    with pytest.raises(NotAgreedError, match="reads the whole file by itself, so no field can be dropped") as caught:
        require_agreement(OURS, found, "2026-11-29")
    assert f"{source}:\n  fields: []" in str(caught.value)
    require_agreement(OURS, FoundFile(found.source, found.path, "twin"), "2026-11-29")
    (closed / "agreements.yaml").write_text(f"{source}: {{fields: []}}", encoding="utf-8")
    require_agreement(OURS, found, "2026-11-29")


def test_the_councils_agreements_are_parsed_once_and_again_when_they_change(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    parse = agreements.yaml.load
    monkeypatch.setattr(agreements.yaml, "load", lambda text, loader: parsed.append(text) or parse(text, loader))
    for months in (7, 8):
        (closed / "agreements.yaml").write_text(f"kid_people: {{keep_months: {months}}}", encoding="utf-8")
        assert [find_agreement(OURS, OURS.source("kid_people")).keep_months for _ in range(3)] == [months] * 3
    assert len(parsed) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kid_households:\n  review_by: 31/03/2027\n", "kid_households: review_by: expected a day, as 2027-03-31"),
        ("kid_households:\n  review_by: 2027\n", "kid_households: review_by: expected a day, as 2027-03-31"),
        ("kid_households:\n  keep_until: 2027-02-30\n", "line 2.*days that exist"),
        ("kid_households:\n  keep until: 2027-02-28\n", "kid_households: keep until: nothing of that name is declared"),
        ("kid_households: {withdrawn: true}\nkid_households: {review_by: 2028-01-01}\n", "line 1.*each name once"),
        ("kid_households:\n  review_by: 2020-01-01\n  review_by: 2028-01-01\n", "line 2.*each name once"),
        ("kid_households: {review_by: }\n", "kid_households: Value error, a sharing agreement needs the day"),
    ],
)
def test_a_slip_in_the_councils_file_is_told_with_its_place_and_what_was_expected(
    closed: Path, text: str, expected: str
) -> None:
    found = put(OURS, closed, "kid_households")
    (closed / "agreements.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(NotAgreedError, match=f"(?s)^agreements.yaml in the closed folder, {expected}"):
        require_agreement(OURS, found, "2026-12-31")


@pytest.mark.parametrize("name", ["agreements.yml", "Agreement.YAML", "agreements.yaml.txt"])
def test_a_file_of_nearly_its_name_is_not_passed_over(closed: Path, name: str) -> None:
    found = put(OURS, closed, "kid_households")
    (closed / name).write_text("kid_households: {withdrawn: true}\n", encoding="utf-8")
    with pytest.raises(NotAgreedError, match=f"{name}, but only agreements.yaml is read"):
        require_agreement(OURS, found, "2026-12-31")
