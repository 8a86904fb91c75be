"""Counting people by wifi at Brno: which head-counts are set aside, and how far terms left out are off."""

import pandas as pd
import pytest

from councilbook.culture.counting import counter, quarters, room, trials
from councilbook.study import Study

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def described(mirror):
    study = Study.open("culture", "7_counting", "hackney", "real", mirror=str(mirror), seed=1, run_date="2026-11-29")
    files = [study.open_file(one.id) for one in study.catalogue.series("wifi_brno") if study.has(one.id)]
    assert len(files) == 19 and not any(one.is_synthetic for one in files)
    events, told = room.read_room([one.path for one in files])
    assert told.set_index("what")["rows"].to_dict() == {"read": 223_215, "the room's own computer": 39_574}
    return counter.describe_shifts(events)


@pytest.fixture(scope="module")
def believed(described):
    reason = quarters.find_contradictions(described[0])
    return {shift: room.keep_believed(rows, reason) for shift, rows in described.items()}


def test_the_day_without_a_head_count_is_set_aside_by_rule(described):
    aside = room.list_aside(quarters.find_contradictions(described[0])).set_index("day")
    assert aside["quarter_hours"].to_dict() == {"28 March 2023": 4, "3 April 2023": 43}


def test_terms_left_out_are_half_as_far_off_as_scaled_addresses_that_are_not_random(believed):
    found, counters = trials.leave_terms_out(believed[0], room.PLACE)
    scores = trials.score_quarters(found, "term").set_index("tried_on")
    assert (scores["error"] <= scores["error_scaled"] * 0.51).all()
    assert (scores["error"] < 3.7).all() and (scores["error_addresses"] > 70).all()
    tried = [
        trials.try_counted_days(
            one, believed[0], {shift: rows[rows["term"].eq(term)] for shift, rows in believed.items()}, room.PLACE
        ).assign(term=term)
        for term, one in counters.items()
    ]
    covered = trials.score_quarters(pd.concat(tried), "term")["covered_pct"]
    assert covered.between(85, 95).all()


def test_a_day_without_anybody_gives_nobody(believed):
    learnt = believed[0][believed[0]["term"].ne("autumn 2022")]
    fitted = counter.fit_counter(learnt, learnt["term"], room.PLACE)
    night = believed[0].loc["2022-11-24"]
    assert len(night) > 15 and (night["people"] == 0).all()
    assert (counter.estimate_people(fitted, night, room.PLACE)["people"] == 0).all()


def test_a_sensor_that_hears_nine_db_less_is_as_good_given_a_counted_day(believed):
    spring = {shift: rows[rows["term"].eq("spring 2023")] for shift, rows in believed.items()}
    learnt = believed[0][believed[0]["term"].ne("spring 2023")]
    fitted = counter.fit_counter(learnt, learnt["term"], room.PLACE)
    deaf = {shift: spring[shift - 9] for shift in counter.SHIFTS_DB if shift - 9 in spring}
    tried = [trials.try_counted_days(fitted, learnt, one, "x").assign(by="x") for one in (spring, deaf)]
    error = [trials.score_quarters(one, "by")["error"][0] for one in tried]
    unshifted = trials.lay_beside(fitted, learnt, deaf[0], room.PLACE).assign(by="x")
    assert error[1] < error[0] + 1.5
    assert error[1] < 0.6 * trials.score_quarters(unshifted, "by")["error"][0]
