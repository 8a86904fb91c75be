"""The ethics canvas of each study: what a council has to accept, what waits for that, and what a reader is shown."""

import re

import pytest

from councilbook.catalogue import Canvas, load_catalogue
from councilbook.errors import NotSettledError
from councilbook.gate.ethics.points import list_points, require_settled
from councilbook.paths import find_workbook
from councilbook.study import Study

CATALOGUE = load_catalogue(find_workbook())
ASKED = {"purpose", "lawful_basis", "people_behind_counts", "fairness", "voice"}


def list_people(study: str) -> set[str]:
    """Return the sources of a study that are closed and about people."""
    return {one.id for one in CATALOGUE.sources_of(study) if one.spectrum == "closed" and one.personal_data}


@pytest.fixture(params=["business_rates", "careers", "culture", "fuel_poverty"])
def study(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def canvas(study: str) -> Canvas:
    return CATALOGUE.canvases[study]


def test_every_study_answers_the_same_first_questions_and_says_who_looks_at_them_again(canvas: Canvas) -> None:
    assert canvas.points.keys() >= ASKED
    assert 12 <= len(canvas.points) <= 15
    assert canvas.owner and canvas.review_by > canvas.written


def test_an_answer_is_short_and_its_sentences_are_too(canvas: Canvas) -> None:
    for point in canvas.points.values():
        sentences = [one for text in (point.answer, point.to_do) for one in re.split(r"(?<=[.?])\s", text)]
        assert max(len(one.split()) for one in sentences) <= 25
        assert point.question.endswith("?")


def test_only_what_is_closed_and_about_people_waits(study: str, canvas: Canvas) -> None:
    people = list_people(study)
    unread = {"occupation_openings"}  # whose makers have to say first what may be shown
    for point in canvas.points.values():
        if point.state == "open" and point.stops:
            assert point.sources and {*point.sources} <= people | unread
    assert bool(people) == any(
        point.stops and {*point.sources} <= people for point in canvas.points.values() if point.sources
    )


def test_a_run_on_open_or_shared_data_is_stopped_by_no_point(study: str) -> None:
    council = CATALOGUE.council(CATALOGUE.study(study).default_council)
    read = {one for notebook in CATALOGUE.study(study).notebooks.values() for one in notebook.sources}
    other = {one.id: one.title for one in CATALOGUE.expand(sorted(read)) if one.id not in list_people(study)}
    require_settled(CATALOGUE, study, council, other, "Nothing", f"{CATALOGUE.canvases[study].written}")


@pytest.mark.parametrize(("name", "source"), [("fuel_poverty", "kid_households"), ("business_rates", "rates_ledger")])
def test_a_run_on_records_of_people_waits_for_each_open_point_about_them(name: str, source: str) -> None:
    council = CATALOGUE.council(CATALOGUE.study(name).default_council)
    about = {source: CATALOGUE.source(source).title}
    waiting = [one for one in list_points(CATALOGUE, name, council) if one.state == "open" and one.point.stops]
    with pytest.raises(
        NotSettledError, match=f"has {len(waiting)} points that {council.name} has not accepted"
    ) as told:
        require_settled(CATALOGUE, name, council, about, "It was not run", f"{CATALOGUE.canvases[name].written}")
    assert f"councilbook release --accept {name}/{council.slug}/purpose" in str(told.value)


def test_a_report_shows_questions_answers_and_who_keeps_them() -> None:
    study = Study.open("careers", "6_report", "doncaster", "sample", seed=1, run_date="2026-11-29")
    shown = study.show_ethics().text
    assert "kept by the head of education and skills, who looks at it again by 29 May 2027" in shown
    assert "Settle with the National Foundation for Educational Research what may be shown." in shown
