"""Adverts and courses: what they leave out, whether they are open, and how far away they are."""

import gzip
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.careers.options import openings
from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.errors import SourceError
from councilbook.paths import find_workbook

SOURCE = load_catalogue(find_workbook()).source("faa_vacancies")
DAY = "2026-11-29"
MIDDLE = (53.5, -1.1)
ADVERT = {
    "vacancyReference": "A1",
    "title": "Baker",
    "postedDate": "2026-10-05T11:33:46.88Z",
    "closingDate": "2026-11-29T23:59:59Z",
    "startDate": "2027-01-04T00:00:00Z",
    "hoursPerWeek": 37.5,
    "addresses": [{"addressLine1": "1 High Street", "addressLine3": "Thorne", "latitude": 53.6, "longitude": -0.9}],
    "course": {"larsCode": 31, "level": 2},
    "ukprn": 10000001,
}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads adverts, or any other content, as the service's list."""

    def read_list(*adverts, content=None, packed=False):
        path = tmp_path / "list.json"
        text = json.dumps({"vacancies": adverts, "totalFiltered": len(adverts)}) if content is None else content
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return openings.read_adverts(FoundFile(SOURCE, path, "data/raw"))

    return read_list


def judge(adverts):
    return openings.judge_adverts(adverts, DAY, MIDDLE, 40)


def test_an_advert_is_a_row_an_address_with_its_town_and_its_values_typed(read):
    second = {"addressLine1": "Unit 2", "addressLine4": "Goole", "postcode": "DN14 1AA"}
    adverts, set_aside = read(ADVERT | {"addresses": [*ADVERT["addresses"], second]})
    assert list(adverts["address_number"]) == [1, 2]
    assert list(adverts["town"]) == ["Thorne", "Goole"]
    assert list(adverts["postcode"].fillna("none")) == ["none", "DN14 1AA"]
    assert (adverts["starts_on"] == pd.Timestamp("2027-01-04")).all()
    assert adverts["hours_week"].iloc[0] == 37.5
    assert sum(set_aside.values()) == 0


def test_what_the_service_writes_for_nothing_is_missing_and_not_a_value(read):
    nothing = {
        "startDate": "0001-01-01T00:00:00Z",
        "hoursPerWeek": 0,
        "ukprn": 0,
        "course": {"larsCode": 0, "level": 0},
    }
    odd = {"course": {"larsCode": "ST0123", "level": 2.5}, "addresses": 5, "wage": "£5", "hoursPerWeek": 400}
    (adverts, _), (bare, _), (strange, _) = (
        read(ADVERT | one) for one in (nothing, {"course": None, "addresses": None}, odd)
    )
    assert adverts[["starts_on", "hours_week", "ukprn", "lars_code", "level"]].isna().all(axis=None)
    assert bare[["lars_code", "latitude"]].isna().all(axis=None)
    assert strange[["lars_code", "level", "hours_week", "latitude"]].isna().all(axis=None)


def test_exports_with_other_names_of_fields_one_address_and_marks_of_a_page_are_read_alike(read):
    page = {"title": "Baker &amp; Cook<br/>  L2", "wage": {"wageAdditionalInformation": "<p>&pound;200</p>"}}
    one = {name: value for name, value in (ADVERT | page).items() if name != "addresses"}
    one |= {"address": {"addressLine3": "Thorne"}, "location": {"latitude": 53.6, "longitude": -0.9}}
    upper = json.dumps({"Vacancies": [{name[0].upper() + name[1:]: value for name, value in one.items()}]})
    adverts, set_aside = read(content=upper)
    assert adverts[["title", "wage", "town"]].to_numpy().tolist() == [["Baker & Cook L2", "£200", "Thorne"]]
    assert list(judge(adverts)["outcome"]) == [openings.NEAR]
    assert sum(set_aside.values()) == 0


def test_a_closing_day_that_cannot_be_read_is_counted_and_one_in_another_form_is_read(read):
    adverts, set_aside = read(
        ADVERT | {"closingDate": "28/11/2026"}, ADVERT | {"vacancyReference": "B", "closingDate": "?"}
    )
    assert list(judge(adverts)["outcome"]) == [openings.CLOSED, openings.NEAR]
    assert set_aside["adverts with a closing day that cannot be read"] == 1


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, openings.NEAR),  # it closes on the day of the run, and is open that day
        ({"closingDate": "2026-11-28T23:59:59Z"}, openings.CLOSED),
        ({"addresses": [{"addressLine1": "Far", "latitude": 50.1, "longitude": -5.0}]}, openings.FAR),
        ({"addresses": [{"addressLine1": "No coordinate"}]}, openings.OPEN_NOT_SAID),
        ({"addresses": [{"addressLine1": "Swapped", "latitude": -0.9, "longitude": 53.6}]}, openings.OPEN_NOT_SAID),
        ({"addresses": []}, openings.OPEN_NOT_SAID),
        ({"addresses": [], "isNationalVacancy": True}, openings.OPEN_ANYWHERE),
        ({"addresses": [], "isNationalVacancy": "false"}, openings.OPEN_NOT_SAID),
        ({"addresses": [], "isNationalVacancy": True, "closingDate": "2020-01-01T00:00:00Z"}, openings.CLOSED),
        ({"closingDate": None}, openings.NEAR),  # advertised within 90 days
        ({"closingDate": None, "postedDate": "2026-06-01T00:00:00Z"}, openings.OLD),
        ({"closingDate": None, "postedDate": "soon"}, openings.OLD),
    ],
)
def test_each_advert_is_open_or_is_set_aside_for_a_reason(read, change, outcome):
    judged = judge(read(ADVERT | change)[0])
    assert list(judged["outcome"]) == [outcome]


def test_an_advert_of_two_addresses_counts_once_by_the_nearer(read):
    far = {"addressLine1": "Far", "latitude": 50.1, "longitude": -5.0}
    adverts = read(ADVERT | {"addresses": [far, *ADVERT["addresses"]]}, ADVERT | {"vacancyReference": "A2"})[0]
    counted = openings.count_outcomes(judge(adverts))
    assert counted.to_dict("records") == [{"list": openings.ADVERTS, "outcome": openings.NEAR, "adverts": 2}]


def test_distances_are_straight_lines_in_kilometres():
    places = pd.DataFrame({"latitude": [53.5, 54.5, None], "longitude": [-1.1, -1.1, 0.0]})
    here, north, nowhere = openings.measure_km(places, MIDDLE)
    assert here == 0
    assert north == pytest.approx(111.3, abs=0.2)  # a degree of latitude
    assert pd.isna(nowhere)


def test_adverts_twice_without_a_reference_and_on_other_pages_are_counted(read):
    content = {"vacancies": [ADVERT, ADVERT, {"title": "No reference"}], "totalFiltered": 523}
    adverts, set_aside = read(content=json.dumps(content), packed=True)
    assert len(adverts) == 1
    assert list(set_aside.values()) == [1, 1, 0, 520]


def test_pages_after_each_other_and_adverts_alone_are_read(read):
    pages = [{"vacancies": [ADVERT | {"vacancyReference": one}], "totalFiltered": 5} for one in "AB"]
    adverts, set_aside = read(content=json.dumps(pages))
    assert list(adverts["vacancy_id"]) == ["A", "B"]
    assert set_aside["adverts on pages that are not in the file"] == 3
    adverts, set_aside = read(content=json.dumps([ADVERT, ADVERT | {"vacancyReference": "B"}]))
    assert list(adverts["vacancy_id"]) == ["A1", "B"] and sum(set_aside.values()) == 0


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_adverts_are_read_as_a_desk_program_saves_them(tmp_path, encoding):
    path = tmp_path / "list.json"
    path.write_bytes(json.dumps([ADVERT | {"title": "Café cook"}], ensure_ascii=False).encode(encoding))
    adverts, _ = openings.read_adverts(FoundFile(SOURCE, path, "data/raw"))
    assert list(adverts["title"]) == ["Café cook"]
    path.write_bytes(gzip.compress(b"{}")[:-6])
    with pytest.raises(SourceError, match=r"damaged, or was cut off"):
        openings.check_adverts(None, FoundFile(SOURCE, path, "data/raw"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "row 1"),
        ('{"title": "one advert"}', "'vacancies'"),
        ("[]", "'vacancies'"),
        ('{"vacancies": [1]}', "item 1 of 1"),
    ],
)
def test_another_file_is_refused_with_its_name(read, content, told):
    with pytest.raises(SourceError, match=r"list\.json") as refused:
        read(content=content)
    assert told in str(refused.value)


def test_the_older_list_has_an_advert_once_with_town_and_postcode_apart():
    rows = pd.DataFrame(
        {
            "vacancy_id": ["7", "7", "8", "9"],
            "title": ["Plasterer", "Plasterer", "Gardener", "Clerk"],
            "location": ["Burnley BB11 2ED", "Burnley BB11 2ED", "LE5 4QF", "Somewhere"],
            "wage": ["£152.10", "£152.10", "To be agreed", "£9"],
            "wage_unit": ["Weekly", "Weekly", None, None],
            "published": ["10/05/2019 03:52"] * 4,
            "link": ["https://example.org"] * 4,
        }
    )
    adverts = openings.read_old_list(rows)
    assert list(adverts["vacancy_id"]) == ["7", "8", "9"]
    assert list(adverts["town"]) == ["Burnley", "", "Somewhere"]
    assert list(adverts["postcode"].fillna("none")) == ["BB11 2ED", "LE5 4QF", "none"]
    assert list(adverts["wage"]) == ["£152.10 weekly", "To be agreed", "£9"]
    assert (adverts["posted_on"] == pd.Timestamp("2019-05-10")).all()
    assert list(judge(adverts)["outcome"].unique()) == [openings.OLD]


def test_adverts_without_a_coordinate_take_that_of_their_postcode(read):
    bare = [{"addressLine1": "Unit 2", "postcode": "DN110AA"}]
    adverts, _ = read(ADVERT, ADVERT | {"vacancyReference": "A2", "addresses": bare})
    points = pd.DataFrame({"postcode": ["DN11 0AA"], "latitude": [53.44], "longitude": [-1.05]})
    placed = openings.place_openings(adverts, points)
    assert list(placed["latitude"]) == [53.6, 53.44]
    assert list(placed["longitude"]) == [-0.9, -1.05]


def test_an_advert_takes_the_newest_version_of_its_standard_and_says_where_there_is_none(read):
    standards = pd.DataFrame(
        {
            "lars_code": [31, 31, 40],
            "version": [2, 1, 1],
            "standard": ["Baker", "Old baker", "Butcher"],
            "level": [3, 2, 2],
            "sector_code": ["7.00", "7.00", "9.00"],
            "last_start": ["", "", "31 Mar 2017"],
        }
    )
    sectors = pd.DataFrame({"sector_code": ["7.00"], "sector": ["Retail"]})
    others = [
        ADVERT | {"vacancyReference": f"A{code}", "course": {"larsCode": code, "level": 0}} for code in (40, 99, 31)
    ]
    joined = openings.join_standards(read(ADVERT, *others)[0], standards, sectors).set_index("vacancy_id")
    assert list(joined["standard"].fillna("none")) == ["Baker", "Butcher", "none", "Baker"]
    assert list(joined["sector"].fillna("none")) == ["Retail", "none", "none", "Retail"]
    assert list(joined["level"].fillna(0)) == [2, 2, 0, 3]
    gaps = openings.count_gaps(judge(joined.reset_index())).set_index("gap")["adverts"]
    assert list(gaps) == [0, 0, 0, 1, 1]


@given(st.lists(st.sampled_from(["addresses", "startDate", "closingDate", "course", "ukprn", "postedDate"])))
def test_an_advert_may_lack_any_part(absent):
    item = {name: value for name, value in ADVERT.items() if name not in absent}
    rows = pd.DataFrame(openings._list_addresses(item), columns=list(openings.COLUMNS))
    judged = judge(openings._type_adverts(rows))
    assert set(judged["outcome"]) <= set(openings.OUTCOMES)
    assert len(openings.list_near(judged.assign(standard=None, sector=None))) <= 1
