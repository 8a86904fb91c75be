from types import SimpleNamespace

import pandas as pd
import pytest
from pydantic import ValidationError

from councilbook.careers.needs import briefs as needs
from councilbook.careers.needs.scores import count_stars, find_year
from councilbook.catalogue import Source
from councilbook.errors import CheckError

SOURCE = {
    **{"id": "places", "title": "Places", "description": "Places", "publisher": "DfE", "steward": "DfE"},
    **{"spectrum": "open", "personal_data": False, "licence": "OGL", "published": "2022", "format": "file"},
    **{"landing_page": "https://example.org", "file": "places.csv"},
}
PERSONA = {"title": "Learner", "situation": "Is 15", "question": "What?", "worry": "None", "uses": "A phone"}
FILE = {
    "personas": {
        "learner": {
            **PERSONA,
            "needs": [
                {"id": "see", "text": "See places", "sources": ["places", "buses"], "missing": "Courses"},
                {"id": "go", "text": "Go there", "sources": ["buses"]},
            ],
        }
    },
    "organisations": {"council": {"title": "The council", "roles": ["convener"]}, "bus": {"title": "Bus", "roles": []}},
    "challenges": {
        "way": {
            **{"title": "Way", "question": "How?", "needs": ["see", "go"], "sources": ["buses"], "lacks": "Fares"},
            **{"exchanges": [{"from": "bus", "to": "council", "kind": "data", "what": "times"}], "done_when": "Done"},
        }
    },
}
LANDSCAPE = pd.DataFrame(
    {"source_id": ["places", "buses"], "title": ["Places", "Timetable"], "used_as": ["real", "not there"]}
)


def test_needs_are_set_against_what_is_here_and_what_is_not():
    table = needs.tabulate_needs(needs.Briefs.model_validate(FILE), LANDSCAPE)
    assert table.to_numpy().tolist() == [
        ["Learner", "See places", "Places", "Timetable", "Courses"],
        ["Learner", "Go there", "", "Timetable", "nothing that we know of"],
    ]


def test_a_challenge_joins_needs_data_and_organisations():
    row = needs.tabulate_challenges(needs.Briefs.model_validate(FILE), LANDSCAPE).iloc[0]
    assert row["needs"] == "See places; Go there"
    assert (row["source_ids"], row["sources"]) == ("buses", "Timetable")
    assert row["organisations"] == "Bus; The council"
    assert row["exchanges"] == "Bus to The council: times (data)"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"needs": ["see", "go", "fly"]}, "challenge way, needs: nothing is called fly"),
        ({"needs": ["see"]}, "no challenge takes up the needs go"),
        ({"exchanges": [{"from": "tram", "to": "bus", "kind": "data", "what": "x"}]}, "nothing is called tram"),
    ],
)
def test_a_name_of_nothing_is_refused(change, says):
    changed = FILE | {"challenges": {"way": FILE["challenges"]["way"] | change}}
    with pytest.raises(ValidationError, match=says):
        needs.Briefs.model_validate(changed)


def test_a_source_that_the_catalogue_does_not_know_is_refused(monkeypatch):
    monkeypatch.setattr(needs, "_parse_briefs", lambda: needs.Briefs.model_validate(FILE))
    known = {"places": SimpleNamespace(series=None), "buses_2026": SimpleNamespace(series="buses")}
    assert needs.read_briefs(SimpleNamespace(sources=known)).needs.keys() == {"see", "go"}
    with pytest.raises(CheckError, match=r"need see, sources: nothing is called buses"):
        needs.read_briefs(SimpleNamespace(sources={"places": known["places"]}))


@pytest.mark.parametrize(
    ("changed", "stars"),
    [
        ({}, 3),
        ({"file": "places.csv.gz"}, 3),
        ({"file": "places.xlsx"}, 2),
        ({"file": "places.pdf"}, 1),
        ({"licence": "not_stated"}, 0),
        ({"spectrum": "shared"}, 0),
    ],
)
def test_stars_follow_from_licence_and_format(changed, stars):
    assert count_stars(Source.model_validate(SOURCE | changed)) == stars


@pytest.mark.parametrize(
    ("published", "year"),
    [
        ("2017/18, with closures up to late 2019", 2019),
        ("2017/18", 2018),
        ("2015 to 2023", 2023),
        ("2022-04-25", 2022),
        ("May 2025", 2025),
        ("1.7.3", None),
        ("", None),
    ],
)
def test_age_is_counted_from_the_newest_year_that_an_edition_names(published, year):
    assert find_year(published) == year
