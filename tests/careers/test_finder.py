"""The finder's page: what is packed into it, and what it says of what is there and what is not."""

import base64
import gzip
import json
import re
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.careers.finder.content import choose_places, list_adverts, list_jobs, list_places, write_address
from councilbook.careers.finder.packing import pack_journeys
from councilbook.careers.finder.page import JOURNEYS, make_page
from councilbook.pages.page import PAGE_BYTES
from small_finder import make_journeys, make_places, make_request, make_tables, read_content

MINUTES = ["walk_minutes", "cycle_minutes", "drive_minutes", "transit_median_minutes", "transit_p90_minutes"]


def unpack(packed):
    """Read back what was packed, by the words of `pack_journeys` and with none of its code."""
    first, *lines = packed.split("\n")
    header, blocks = json.loads(first), [gzip.decompress(base64.b64decode(line)) for line in lines]
    planes = {name: [] for name in header["figures"]}
    for block in blocks:
        body = np.frombuffer(block, np.uint8).reshape(len(header["figures"]), -1, len(header["sites"]))
        for name, plane in zip(header["figures"], body.astype(int), strict=True):
            planes[name].append(np.cumsum(plane, axis=0) % 256 if name in header["changes"] else plane)
    return header, {name: np.concatenate(parts) for name, parts in planes.items()}


def look_up(packed, postcode, site):
    header, planes = unpack(packed)
    place = header["postcodes"].split("\n").index(postcode.replace(" ", ""))
    row, column = place // header["shared"], header["sites"].index(site)
    found = {name: int(plane[row, column]) - 1 for name, plane in planes.items() if not name.startswith("last")}
    last = int(planes["last_low"][row, column]) + 256 * int(planes["last_high"][row, column]) - 1
    return found | {"last": last}


figures = st.one_of(st.none(), st.integers(0, 300))


@given(
    rows=st.lists(st.tuples(figures, figures, figures, figures, st.integers(0, 200)), min_size=4, max_size=4),
    last=st.sampled_from(["22:14", "25:10", "09:05", None]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_packed_can_be_read_back(rows, last):
    table = pd.DataFrame(
        {
            "postcode": ["ZZ1 1AA", "ZZ1 1AA", "AB1 2CD", "AB1 2CD"],
            "site_id": ["7", "9", "7", "9"],
            **{name: pd.array([row[place] for row in rows], dtype="Int64") for place, name in enumerate(MINUTES[:4])},
            "transit_p90_minutes": pd.array(
                [None if row[3] is None else row[3] + row[4] for row in rows], dtype="Int64"
            ),
            "rides": pd.array([2, 0, None, 3], dtype="Int64"),
            "last_home_time": pd.array([last, None, "23:59", last], dtype="str"),
        }
    )
    packed = pack_journeys(table, ["9", "7"])
    for (postcode, site), (walk, cycle, drive, median, more), rides in zip(
        table[["postcode", "site_id"]].itertuples(index=False), rows, (2, 0, None, 3), strict=True
    ):
        found = look_up(packed, postcode, site)
        expected = {
            "walk": -1 if walk is None or walk > 60 else walk,
            "cycle": -1 if cycle is None or cycle > 60 else cycle,
            "drive": -1 if drive is None or drive > 90 else drive,
            "median": -1 if median is None or median > 180 else median,
        }
        assert {name: found[name] for name in expected} == expected
        if expected["median"] >= 0:
            assert found["slower"] == min(more, 120)
            assert found["rides"] == (-1 if rides is None else rides)


def test_the_last_way_home_is_exact_to_the_minute_also_after_midnight():
    table = make_journeys(make_places(3), 5)
    table.loc[0, "last_home_time"] = "25:10"
    packed = pack_journeys(table, list(make_places(3)["site_id"]))
    assert look_up(packed, table["postcode"][0], table["site_id"][0])["last"] == 25 * 60 + 10
    assert look_up(packed, table["postcode"][1], table["site_id"][1])["last"] % 60 == 14


def test_where_all_postcodes_would_be_too_much_neighbours_share_a_row():
    places = make_places(6)
    table = make_journeys(places, 400)
    whole, less = pack_journeys(table, list(places["site_id"])), pack_journeys(table, list(places["site_id"]), 5_000)
    header, _ = unpack(less)
    assert header["shared"] > 1 and len(less) <= 5_000 < len(whole)
    known = table.dropna(subset=["drive_minutes"])
    sample = known.sample(60, random_state=1)
    off = [
        abs(look_up(less, row.postcode, row.site_id)["drive"] - row.drive_minutes)
        for row in sample.itertuples()
        if row.drive_minutes <= 90
    ]
    assert np.median(off) <= 3  # minutes by car, of a neighbour


@pytest.mark.parametrize("places", [27, 80])
def test_ten_thousand_postcodes_fit_on_a_page(places):
    tables = make_tables(places, 10_542)
    started = time.process_time()
    page = make_page(make_request(tables)).text
    assert len(page.encode()) < PAGE_BYTES
    assert unpack(re.search(r'id="finder-journeys">([^<]+)<', page)[1])[0]["shared"] == 1
    assert time.process_time() - started < 40


def test_the_page_says_first_whether_buses_are_in_it():
    def say(timetables, **more):
        page = make_page(make_request(make_tables(**more), timetables)).text
        return re.search(r'id="how-travelled">(.*?)</p>', page)[1]

    assert say(["bus_timetable", "rail_timetable"]) == "Buses and trains are in the journeys on this page."
    assert say(["bus_timetable"]).startswith("No trains are in the journeys")
    assert say(["rail_timetable"]).startswith("No buses are in the journeys")
    assert say([]).startswith("No buses and no trains are in the journeys")
    assert say(["bus_timetable"], **{JOURNEYS: None}).startswith("No journeys are on this page")


def test_without_journeys_the_page_promises_no_way_and_asks_for_no_postcode():
    page = make_page(make_request(make_tables(**{JOURNEYS: None}))).text
    for words in ("where you live", "home again", "Your postcode is not", "in order of the time"):
        assert words not in page.split("<script")[0], words
    nowhere = make_tables()
    page = make_page(make_request(nowhere | {"careers_places": nowhere["careers_places"].iloc[:0]})).text
    assert "No place here teaches after 16" in page


def test_a_sample_says_above_all_that_it_is_synthetic():
    page = make_page(make_request(make_tables(), data="sample")).text
    assert page.index("Synthetic figures.") < page.index("<h1>")
    assert "Synthetic figures." not in make_page(make_request(make_tables())).text


@pytest.mark.parametrize("gone", [*make_tables(), None])
def test_what_a_run_does_not_have_is_left_out(gone):
    tables = {} if gone is None else make_tables(**{gone: None})
    page = make_page(make_request(tables)).text
    assert "All places by town" in page
    assert ('id="home"' in page) == (gone not in (JOURNEYS, "careers_places", None))
    assert ('id="likes"' in page) == (gone not in ("careers_interests", "careers_interest_categories", None))
    assert ('id="vacancies-list"' in page) == (gone not in ("careers_vacancies", None))


def test_without_scripts_all_places_are_there_by_town():
    tables = make_tables()
    page = make_page(make_request(tables)).text
    plain = page.partition('id="all-places"')[2].partition("</details>")[0]
    assert re.findall(r"<h3>(.+?)</h3>", plain) == ["Harbour Mills", "Seaford", "Upper Dyke"]
    assert all(name in plain for name in tables["careers_places"]["name"])


def test_only_places_for_after_16_are_chosen_and_one_that_has_merged_is_still_there():
    places = make_places(5)
    places.loc[1, "is_post16"] = False
    assert set(choose_places(places)["site_id"]) == {"100000", "100002", "100003", "100004"}
    assert choose_places(None).empty


def test_an_address_says_no_part_twice():
    row = {"address": "Chappell Drive, Seaford", "town": "Seaford", "postcode": "ZZ1 2RF"}
    assert write_address(row) == "Chappell Drive, Seaford, ZZ1 2RF"
    assert write_address({"address": None, "town": "Seaford", "postcode": ""}) == "Seaford"


def test_a_kind_that_has_no_words_of_its_own_is_asked_what_can_be_started_there():
    places = make_places(2).assign(kind=["Nursery", "Sixth form college"])
    other, college = list_places(places)
    assert other["ask"] == "Which courses can I start here after 16?"
    assert college["levels"] == [2, 3]


def test_a_place_whose_ages_end_at_16_is_asked_whether_it_still_teaches_after_that():
    doubtful, other = list_places(make_places(2).assign(age_from=11, age_to=[16, 18]))
    assert doubtful["doubt"] == "Its ages are given as 11 to 16, so it may no longer teach after 16."
    assert doubtful["ask"] == "Can I still study with you after 16?"
    assert "doubt" not in other and other["ask"] != doubtful["ask"]


def test_adverts_are_placed_by_the_next_place_and_link_to_the_web_alone():
    tables = make_tables()
    near, far, nowhere = list_adverts(tables["careers_vacancies"], choose_places(tables["careers_places"]))
    assert near["near"] == ("100000", 0.4)
    assert far["near"] is None and nowhere["near"] is None
    assert (near["link"], far["link"], nowhere["link"]) == ("https://example.org/advert", None, None)
    assert (near["closes_on"], nowhere["closes_on"]) == ("2027-01-31", None)


def test_nothing_in_the_data_can_end_the_script_that_holds_it():
    page = make_page(make_request(make_tables())).text
    assert read_content(page)["adverts"][2]["title"] == "Apprentice of anything </script><b>"


def test_jobs_with_the_same_skills_share_a_profile_and_one_without_has_none():
    tables = make_tables()
    listed = list_jobs(tables["careers_occupations"], tables["careers_occupation_skills"])
    profiles = [job["profile"] for job in listed["jobs"]]
    assert profiles[5] is None
    assert profiles[13] == profiles[12] != profiles[11]
    assert len(listed["profiles"]) == len({one for one in profiles if one is not None})
    assert ["Repairing", "I repair things", "With hands and tools"] in listed["skills"]
