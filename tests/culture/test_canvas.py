"""The canvas of the culture study: what holds of it whichever council runs the study, and what a visitor is told."""

import json
import re

import jsonschema
import yaml

from councilbook.catalogue import canvas_schema, load_catalogue
from councilbook.gate.ethics.points import list_points
from councilbook.methods.ecosystems import measure_actors, read_ecosystem
from councilbook.paths import find_workbook

CATALOGUE = load_catalogue(find_workbook())


def test_what_a_council_decides_is_open_for_each_and_what_the_code_does_is_settled():
    for name in ("waltham_forest", "hackney", "kent_medway"):
        points = list_points(CATALOGUE, "culture", CATALOGUE.council(name))
        assert {one.name for one in points if one.state == "settled"} == {
            "conversion",
            "returning",
            "people_behind_counts",
        }
        assert {"purpose", "notice", "bounds", "retention", "opt_out"} <= {
            one.name for one in points if one.state == "open"
        }


def test_open_points_are_about_what_holds_people_and_about_every_such_file_of_the_museum():
    people = {name for name, one in CATALOGUE.sources.items() if name.startswith("museum_") and one.personal_data}
    about = [set(one.sources) for one in CATALOGUE.canvases["culture"].points.values() if one.state == "open"]
    assert people and all(one == people for one in about)


def test_a_visitor_is_told_in_short_sentences_what_happens_to_an_address_and_how_to_say_no():
    notice = CATALOGUE.canvases["culture"].notice
    assert set(notice) == {"At the door", "On the landing page"}
    sentences = [one for lines in notice.values() for line in lines for one in re.split(r"(?<=[.?])\s", line)]
    assert max(len(one.split()) for one in sentences) <= 20
    door = " ".join(notice["At the door"])
    assert "midnight" in door and "Turn your wifi off" in door


def test_a_culture_file_without_a_licence_has_somebody_who_settles_that():
    without = [one for one in CATALOGUE.sources.values() if one.licence == "NOT-STATED"]
    assert without and all(CATALOGUE.licences[str(one.licence)].settled_by for one in without)


def test_the_culture_team_is_the_bridge_of_the_ecosystem():
    actors = measure_actors(read_ecosystem(CATALOGUE.workbook.notebooks / "culture"))
    assert actors["actor"].iloc[0] == "culture_team"


def test_every_canvas_is_valid_by_its_schema_and_a_wrong_one_is_not():
    validator = jsonschema.Draft202012Validator(canvas_schema())
    for study in CATALOGUE.canvases:
        text = (CATALOGUE.workbook.notebooks / study / "canvas.yaml").read_text(encoding="utf-8")
        content = json.loads(json.dumps(yaml.safe_load(text), default=str))
        assert list(validator.iter_errors(content)) == []
        content["points"]["purpose"]["state"] = "agreed"
        assert [error.json_path for error in validator.iter_errors(content)] == ["$.points.purpose.state"]
