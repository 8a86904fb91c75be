from types import SimpleNamespace

import pandas as pd
import pytest
from pydantic import ValidationError

from councilbook.careers.needs import briefs as needs
from councilbook.errors import CheckError

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
    monkeypatch.setattr(needs.Briefs, "read_file", lambda _: needs.Briefs.model_validate(FILE))
    known = {"places": SimpleNamespace(series=None), "buses_2026": SimpleNamespace(series="buses")}
    assert needs.read_briefs(SimpleNamespace(sources=known)).needs.keys() == {"see", "go"}
    with pytest.raises(CheckError, match=r"need see, sources: nothing is called buses"):
        needs.read_briefs(SimpleNamespace(sources={"places": known["places"]}))
