"""Courses: a council's own list is read under its own headers, and each course is counted once, where it is nearest."""

import pandas as pd
import pytest

from councilbook.careers.options import courses
from councilbook.careers.options.openings import NOT_SAID
from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.errors import SourceError
from councilbook.paths import find_workbook
from councilbook.sources.extracts.guesses import Told
from councilbook.sources.extracts.heads import find_header
from councilbook.sources.extracts.reading import Extract
from councilbook.sources.files.readers import convert_types
from councilbook.twins.places import write_workbook

MIDDLE = (53.5, -1.1)
SOURCE = load_catalogue(find_workbook()).source("courses")
FIELDS = list(SOURCE.table().fields)
POINTS = pd.DataFrame({"postcode": ["DN1 1AA", "ZZ9 9ZZ"], "latitude": [53.52, 50.0], "longitude": [-1.1, -5.0]})
ROWS = [
    ["College", "Course title", "Level", "Postcode", "Contact"],
    ["Example College", "Plumbing – first steps", "L1", "dn11aa", "Admissions"],
    ["Example College", "Plumbing", "3", "DN1 1AA", "Admissions"],
    ["", "", "", "", ""],
    ["Far Away College", "Café work", "Level 2/3", "ZZ9 9ZZ", "Admissions"],
]


def read(path, content, ending="csv"):
    file = path / f"courses_doncaster.{ending}"
    file.write_bytes(content)
    source = SOURCE.model_copy(update={"format": ending})
    found = FoundFile(source, file, "data/raw")
    table = find_header(found, source.table(), (), "courses")
    return convert_types(Extract(found, table, Told()).read(), table, found)


def judge(rows, within_km=40):
    frame = pd.DataFrame(rows).reindex(columns=FIELDS)
    texts = dict.fromkeys([one for one in FIELDS if one not in ("latitude", "longitude")], "str")
    return courses.judge_courses(
        frame.astype(texts).astype({"latitude": float, "longitude": float}), POINTS, MIDDLE, within_km
    )


@pytest.mark.parametrize(("mark", "encoding"), [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-16"), (",", "utf-8-sig")])
def test_a_councils_own_list_is_read(tmp_path, mark, encoding):
    text = "\r\n".join(["Courses in our area", "", *(mark.join(row) for row in ROWS)])
    rows = read(tmp_path, text.encode(encoding))
    assert rows["course"].tolist() == ["Plumbing – first steps", "Plumbing", "Café work"]
    assert rows["provider"].nunique() == 2 and rows["course_id"].isna().all()
    judged = courses.judge_courses(rows, POINTS, MIDDLE, 40)
    assert courses.describe_courses(judged) == "The file lists 3 courses: 2 within reach, 1 further away."
    assert courses.count_levels(judged)["level"].tolist() == ["level 1", "level 3"]


def test_a_workbook_is_read_and_a_list_without_names_of_courses_is_refused(tmp_path):
    book = write_workbook({"Read me": [["Filled in by colleges"]], "Courses": ROWS})
    assert len(read(tmp_path, book, "xlsx")) == 3
    with pytest.raises(SourceError, match=r"no column, or more than one, for course \('COURSE_NAME' or"):
        read(tmp_path, b"College,Level,Postcode\nExample College,3,DN1 1AA\n")


def test_a_course_is_counted_once_where_it_is_nearest():
    start = {"course_id": "a", "provider_ukprn": "1", "course": "Baking", "level": "Two"}
    judged = judge(
        [
            start | {"latitude": 50.0, "longitude": -5.0},
            start | {"latitude": 53.5, "longitude": -1.1},
            start | {"course_id": "b", "postcode": "DN11AA"},
            start | {"provider_ukprn": "2", "postcode": "DN1 1AA"},  # another's course of the same number
            start | {"course_id": "c", "mode": "Online"},
            start | {"course_id": "d", "postcode": "XX1 1XX", "level": None},
            start | {"course_id": "e", "latitude": 0.0, "longitude": 0.0},
        ]
    )
    assert courses.count_levels(judged).to_numpy().tolist() == [["level 2", 3, 2]]
    assert courses.describe_courses(judged) == (
        "The file lists 6 courses: 3 within reach, 1 online, "
        "2 of which the place is not said, or has a postcode of no list."
    )


def test_a_course_without_a_number_goes_by_its_provider_name_and_level():
    one = {"provider": "Example College", "course": "Art  and design", "level": "Level 3", "postcode": "DN1 1AA"}
    same = one | {"course": "art and design", "level": "L3", "postcode": "ZZ9 9ZZ"}
    judged = judge([one, same, one | {"level": "Level 2"}, one | {"provider": "Another"}])
    assert judged["outcome"].tolist() == [courses.OUTCOMES[0]] * 3


def test_levels_have_one_name_however_they_are_written():
    written = {
        "level 3": [
            "Three",
            "L3",
            "3",
            "3.0",
            "Level 3 Extended Diploma, 2 years",
            "A levels",
            "T Level",
            "level three",
        ],
        "level 2": ["Two", "Level 2 Diploma (Level 2)"],
        "entry level": ["EntryLevel", "Entry level 3", "Pre-entry"],
        "another, or several": ["Level 2/3", "Levels 1 to 3", "NonRegulated"],
        NOT_SAID: ["", None, float("nan")],
    }
    assert {name: [courses.name_level(one) for one in texts] for name, texts in written.items()} == {
        name: [name] * len(texts) for name, texts in written.items()
    }
