"""Homes of real councils: what the official files say of them, and what they do not."""

import numpy as np
import pytest

from councilbook.culture.reach import bridges, catchments, homes
from councilbook.errors import NotToldError
from councilbook.methods.travel.ground import Pace
from councilbook.methods.travel.journeys import Habits
from councilbook.study import Study

AT_VESTRY = {"easting": 537_780, "northing": 189_110, "latitude": 51.58401, "longitude": -0.01277}


def open_study(council, mirror):
    return Study.open("culture", "5_reach", council, "real", mirror=str(mirror), seed=1, run_date="2026-11-29")


def list_areas(study):
    """All areas of a council alike, so that no figure here rests on an estimate."""
    areas = study.place.lookup[["lsoa21_code", "lsoa21_name"]].drop_duplicates("lsoa21_code")
    alike = {"engaged_pct": 60.0, "engaged_low_pct": 50.0, "engaged_high_pct": 70.0, "not_engaged_adults": 400}
    return areas.assign(adults=1_000, **alike)


@pytest.fixture(scope="module")
def forest(mirror):
    return open_study("waltham_forest", mirror)


def test_people_of_16_to_24_are_all_there_on_the_areas_of_2021(forest):
    people = homes.count_people(forest, list_areas(forest))
    assert len(people) == 146
    assert people["people_16_to_24"].sum() == pytest.approx(26_095)
    assert people["lsoa21_name"].str.contains(" in ").all()


def test_what_waltham_forest_lacks_is_said(forest):
    outlines = homes.read_outlines(forest)
    found = homes.find_homes(forest, outlines, outlines["lsoa21_code"].tolist(), np.random.default_rng(1))
    assert found.from_postcodes == 0
    assert len(found.points) == 146 * homes.POINTS
    assert not any(map(forest.has, catchments.TIMETABLES))
    assert "not counted as zero" in catchments.describe_ways([], None, 1.3)


def test_homes_near_vestry_house_are_of_the_areas_around_it(forest):
    outlines = homes.read_outlines(forest)
    people = homes.count_people(forest, list_areas(forest))
    found = homes.find_homes(forest, outlines, people["lsoa21_code"].tolist(), np.random.default_rng(1))
    venue = list_areas(forest).head(1).assign(venue_id="v", name="v", kind="museum", uncertainty_m=20.6, **AT_VESTRY)
    minutes = catchments.measure_minutes(found, venue, None, Habits(walk=Pace(4.8, 1.0)), None)
    share = dict(zip(people["lsoa21_code"], found.share_within(minutes["walk"], 10)[:, 0], strict=True))
    assert min(share[one] for one in ("E01004409", "E01004410", "E01004412")) > 0.8
    moved = bridges.move_venues(venue, np.random.default_rng(1))
    assert 0 < abs(moved["latitude"].iloc[0] - venue["latitude"].iloc[0]) * bridges.DEGREE_M < 60


@pytest.mark.parametrize("council", ["thanet", "E06000047"])
def test_postcodes_say_where_people_live_in_kent_and_durham(mirror, council):
    study = open_study(council, mirror)
    outlines = homes.read_outlines(study)
    found = homes.find_homes(study, outlines, outlines["lsoa21_code"].tolist(), np.random.default_rng(1))
    assert len(outlines) - found.from_postcodes == (0 if council == "thanet" else 1)  # one area of Durham has none
    people = homes.count_people(study, list_areas(study))
    assert people["people_16_to_24"].notna().all() == (council == "thanet")  # no list of ages has Durham


def test_a_council_without_outlines_is_not_told(mirror):
    with pytest.raises(NotToldError, match="no map of this council"):
        homes.read_outlines(open_study("leeds", mirror))
