"""The commons: each source once, what would follow if records opened, and lessons beside counted figures."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.catalogue.entries.conduct import Agreement
from councilbook.commons.forms import write_forms
from councilbook.commons.lessons import measure_study, read_ecosystems, read_lessons, set_side_by_side, tabulate
from councilbook.commons.spectrum import (
    count_spectrum,
    draw_spectrum,
    list_openings,
    list_sources,
    list_studies,
)
from councilbook.errors import ParameterError
from councilbook.paths import find_workbook

OURS = load_catalogue(find_workbook(Path(__file__).parent))
DAY = "2026-11-29"


def test_every_source_is_listed_once_with_the_studies_it_serves_and_its_agreement() -> None:
    sources = list_sources(OURS, DAY).set_index("source_id")
    assert sources.index.is_unique
    assert set(OURS.study("careers").notebooks["3_options"].sources) <= set(sources.index)
    assert sources.loc["bus_timetable", "studies"].count(";") == 1  # careers and culture
    assert sources.loc["kid_households", "agreement_kind"] == "sharing agreement"
    assert sources.loc["interventions_register", "agreement_kind"] == "own data"
    assert sources.loc["kid_households", "gap"] != sources.loc["kid_households", "gap"]  # missing: nothing in the way
    late = list_sources(OURS, "2027-04-01").set_index("source_id")
    assert "due for review by 31 March 2027" in late.loc["kid_households", "gap"]


def test_fair_checks_fall_with_what_the_catalogue_lacks() -> None:
    sources = list_sources(OURS, DAY).set_index("source_id")
    assert not sources.loc["occupation_openings", ["accessible", "interoperable", "reusable"]].any()
    assert (
        sources["fair_checks"] == sources[["findable", "accessible", "interoperable", "reusable"]].sum(axis=1)
    ).all()
    assert sources["fair_checks"].nunique() > 2


def test_a_step_counts_for_records_only_where_nothing_else_is_closed() -> None:
    openings = list_openings(OURS).set_index("records")
    ledger = openings.loc["rates ledger"]
    assert ledger["steps"] == 4
    assert bool(ledger["personal_data"])
    homes = openings.loc["linked households"]
    assert (homes["steps"], homes["together"]) == (1, 1)  # past programmes alone; households with two licences


def test_the_picture_says_in_words_what_it_shows() -> None:
    sources = list_sources(OURS, DAY)
    counts = count_spectrum(sources).set_index("study").loc["Careers"]
    assert f"Careers: 0 closed, {counts['shared']} shared, {counts['open']} open." in draw_spectrum(sources).alt


def test_each_lesson_has_a_figure_of_a_study_or_says_that_there_is_none() -> None:
    lessons = set_side_by_side(OURS)
    assert len(lessons) == len(read_lessons(OURS)) * len(list_studies(OURS))
    ethics = lessons[lessons["title"].str.contains("ethics")].set_index("study")["figure"]
    assert ethics["Culture"].startswith(f"{measure_study(OURS, 'culture')['points']} points")
    beside = tabulate(lessons)
    assert len(beside) == 13
    assert len(beside.columns) == 1 + len(list_studies(OURS))


def test_careers_draws_its_ecosystem_from_its_challenge_briefs() -> None:
    maps = read_ecosystems(OURS)
    assert "employers" in maps["Careers"].actors
    assert set(maps) >= {"Fuel poverty", "Careers", "Business rates", "Culture"}


@pytest.mark.parametrize(
    ("kept", "said"),
    [({"keep_months": 18}, "18 months"), ({"keep_until": date(2027, 3, 31)}, "until 2027-03-31"), ({}, "______")],
)
def test_a_form_says_how_long_a_copy_is_kept(
    tmp_path: Path, catalogue: Catalogue, kept: dict[str, object], said: str
) -> None:
    agreed = {"kind": "sharing agreement", "title": "T", "review_by": date(2027, 1, 1), **kept}
    clients = catalogue.source("clients")
    clients = clients.model_copy(update={"agreement": Agreement.model_validate(agreed)})
    catalogue = replace(catalogue, sources={**catalogue.sources, "clients": clients})
    agreement, _ = write_forms(catalogue, "clients", tmp_path)
    assert f"| How long a copy is kept | {said}" in agreement.read_text(encoding="utf-8")


def test_forms_are_filled_in_from_the_catalogue_and_an_open_source_has_none(tmp_path: Path) -> None:
    agreement, dpia = write_forms(OURS, "kid_households", tmp_path)
    text = agreement.read_text(encoding="utf-8")
    assert "| Kind | sharing agreement |" in text
    assert "- Fuel poverty: What past programmes did\n" in text
    assert "| `oldest_age` | Age of the oldest member |" in text
    assert "Somebody is recognised" in dpia.read_text(encoding="utf-8")
    with pytest.raises(ParameterError, match="is there already"):
        write_forms(OURS, "kid_households", tmp_path)
    with pytest.raises(ParameterError, match="is open"):
        write_forms(OURS, "lsoa_lookup", tmp_path)
