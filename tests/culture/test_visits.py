"""Visits: who is a visitor, how many there were, how long they stayed, where they went, and what they say."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.culture.visits import answers, hours, pictures, signage, statements, telling, ways
from councilbook.errors import CheckError, NotToldError, ParameterError, SourceError, TooFewError
from councilbook.study import Study

DAY = pd.Timestamp("2026-07-01")  # in summer time: 10:00 in London is 09:00 UTC


def at(clock):
    return DAY + pd.Timedelta(f"{clock}:00")


def make_stays(*rows):
    table = pd.DataFrame(rows, columns=["token", "zone", "arrived", "left", "events", "strongest_dbm"])
    table["arrived"], table["left"] = table["arrived"].map(at), table["left"].map(at)
    return table.assign(dwell_seconds=(table["left"] - table["arrived"]).dt.total_seconds())


def make_visits(*tokens, who=telling.VISITOR):
    return pd.DataFrame({"token": tokens, "who": who})


def test_threshold_lies_between_two_groups_and_nearer_to_the_narrow_and_rare_one():
    rng = np.random.default_rng(1)
    values = np.r_[rng.normal(-82, 6, 3_000), rng.normal(-50, 3, 300)]
    found = telling.fit_threshold(values)
    assert -63 < found.value < -56
    assert found.means == pytest.approx((-82, -50), abs=1)
    assert found.shares == pytest.approx((10 / 11, 1 / 11), abs=0.02)
    drawn = found.draw(values)
    sums = drawn.groupby("what")["share_pct"].sum()
    assert sums.to_dict() == pytest.approx(
        {"heard": 100, "lower group, fitted": 90.9, "upper group, fitted": 9.1}, abs=0.7
    )


def test_one_group_or_few_devices_give_no_threshold():
    rng = np.random.default_rng(2)
    with pytest.raises(TooFewError, match="do not fall into two groups"):
        telling.fit_threshold(rng.normal(-70, 6, 2_000))
    with pytest.raises(TooFewError, match="Too few devices"):
        telling.fit_threshold(rng.normal(-70, 6, 50))


@pytest.fixture
def diary():
    return pd.DataFrame(
        {
            "date": ["2026-07-01", "2026-07-02"],
            "opens": ["10:00", ""],
            "closes": ["17:00", None],
            "sign": ["new", "old"],
        }
    )


def test_visit_is_told_by_signal_length_opening_and_returns(diary):
    rows = [
        (1, "09:10", "10:00", -50), (2, "09:10", "09:12", -50), (3, "09:10", "10:00", -80), (4, "07:00", "07:40", -50),
        (5, "07:00", "15:50", -50), *((6, f"{hour:02}:00", f"{hour:02}:15", -50) for hour in range(9, 13)),
    ]  # fmt: skip
    events = pd.DataFrame(
        [(at(time), token, signal) for token, *ends, signal in rows for time in dict.fromkeys(
            pd.date_range(at(ends[0]), at(ends[1]), freq="1min").strftime("%H:%M")
        )],
        columns=["time", "token", "signal_dbm"],
    ).assign(zone="hall")  # fmt: skip
    visits = telling.find_visits(events.astype({"token": "uint64"}), diary, "Europe/London", 30)
    told = telling.tell_visitors(visits, -69.0, 9.0).drop_duplicates("token").set_index("token")["who"]
    kinds = [telling.VISITOR, telling.BRIEF, telling.PASSER, telling.BRIEF, telling.FIXED, telling.FIXED]
    assert told.to_dict() == dict(zip(range(1, 7), kinds, strict=True))
    with pytest.raises(NotToldError, match="while the museum was open"):
        telling.find_visits(
            events.assign(time=events["time"] + pd.Timedelta(days=9), token=1), diary, "Europe/London", 30
        )


def test_diary_is_read_in_local_time_and_a_closed_day_has_no_hours(diary):
    days = telling.read_diary(diary, "Europe/London")
    assert days.loc["2026-07-01", "opens"] == at("09:00")
    assert days.loc["2026-07-01", "closes"] == at("16:00")
    assert days["opens"].notna().tolist() == [True, False]
    late = telling.read_diary(diary.assign(closes=["24:00", None]), "Europe/London")
    assert late.loc["2026-07-01", "closes"] == at("23:00")
    with pytest.raises(CheckError, match="gives no day its hours"):
        telling.read_diary(diary.assign(opens=None), "Europe/London")


@given(st.lists(st.tuples(st.integers(0, 1_300), st.integers(0, 300)), min_size=1, max_size=8))
def test_hours_add_up_to_the_stays(spans):
    arrived = DAY + pd.to_timedelta([begin for begin, _ in spans], unit="min")
    stays = pd.DataFrame({"token": range(len(spans)), "zone": "hall", "arrived": arrived})
    stays["left"] = arrived + pd.to_timedelta([length for _, length in spans], unit="min")
    parts = hours.spread_hours(stays, "Europe/London")
    assert parts["minutes"].sum() == pytest.approx(sum(length for _, length in spans))
    assert parts["minutes"].between(0, 60).all()


def test_hours_are_local():
    stays = make_stays((1, "hall", "09:50", "11:20", 9, -50.0))
    parts = hours.spread_hours(stays, "Europe/London")
    assert dict(zip(parts["hour"], parts["minutes"], strict=True)) == {10: 10, 11: 60, 12: 20}


@pytest.mark.parametrize(("daily", "length"), [(12, 1), (6, 2), (3, 4), (1, 7)])
def test_weeks_are_added_up_until_cells_may_be_shown(daily, length):
    dates = pd.Index(pd.date_range("2026-06-01", periods=49).strftime("%Y-%m-%d"))
    cells = pd.DataFrame({"date": dates[2::7], "zone": "hall", "hour": 11, "devices": daily})
    period = hours.choose_period(cells, dates, 10)
    assert period.nunique() == max(7 // length, 1)
    assert period.iloc[0].startswith("1 June 2026 to ")
    assert period.iloc[-1].endswith(" to 19 July 2026")


def make_compared(devices=(10, 20, 30), people=(15, 32, 43)):
    rows = [(f"2026-07-0{day + 1}", what, people[day], devices[day]) for day in range(len(people)) for what in
            (hours.THERE, hours.CAME_IN, hours.PASSED)]  # fmt: skip
    return pd.DataFrame(rows, columns=["date", "counted", "people", "devices"])


def test_devices_stand_for_people_as_counted_and_without_counts_for_nobody():
    scale = hours.fit_scales(make_compared(), np.random.default_rng(1))[hours.CAME_IN]
    assert scale.ratio == pytest.approx(90 / 60)
    assert 1.4 < scale.low < scale.ratio < scale.high < 1.65
    for few in (make_compared((10, 20), (15, 32)), make_compared((0, 0, 0)), make_compared(people=(0, 0, 0))):
        with pytest.raises(NotToldError, match="Too few people were counted"):
            hours.fit_scales(few, np.random.default_rng(1))
    only = make_compared().query("counted != 'passing'")
    with pytest.raises(NotToldError, match=r"\(passing\)"):
        hours.fit_scales(only, np.random.default_rng(1))


def test_counts_are_laid_beside_the_devices_of_their_moment():
    counted = pd.DataFrame(
        [("10:30", "hall", hours.THERE, 4), ("10:30", "shop", hours.THERE, 1), ("11:00", "hall", hours.THERE, 7),
         ("11:00", "shop", hours.THERE, None), ("10:30", "outside", hours.CAME_IN, 3),
         ("11:00", "outside", hours.PASSED, 9)],
        columns=["clock", "zone", "counted", "people"],
    )  # fmt: skip
    counted["counted_at"] = "2026-07-01T" + counted.pop("clock") + "+01:00"
    visits = pd.DataFrame(
        [("09:00", "09:31", telling.VISITOR), ("09:31", "10:40", telling.VISITOR), ("10:29", "10:29", telling.PASSER)],
        columns=["arrived", "left", "who"],
    )
    visits[["arrived", "left"]] = visits[["arrived", "left"]].map(at)
    found = hours.compare_counts(hours.read_counts(counted, ["shop", "hall"]), visits)
    told = {(row["counted"], row["time"].hour): (row["people"], row["devices"]) for _, row in found.iterrows()}
    assert told == {(hours.THERE, 9): (5, 1), (hours.CAME_IN, 9): (3, 1), (hours.PASSED, 10): (9, 1)}
    with pytest.raises(CheckError, match="only one of them has attic"):
        hours.read_counts(counted, ["shop", "hall", "attic"])


@pytest.mark.parametrize(("devices", "low", "is_few"), [(9, 1.2, True), (10, 1.2, False), (12, 0.8, True)])
def test_a_cell_of_few_devices_or_people_goes_to_the_gate_as_few(devices, low, is_few):
    cells = pd.DataFrame({
        "date": "2026-07-01", "zone": "whole museum", "hour": [11], "devices": devices, "minutes": 6000.0,
        "came_in": devices, "passed": 40.0,
    })  # fmt: skip
    scales = dict.fromkeys((hours.THERE, hours.CAME_IN, hours.PASSED), hours.Scale(1.5, low, 2.0, 9))
    table = hours.tidy_hours(cells, pd.Series({"2026-07-01": "July"}), scales, 10)
    numbers = table.loc[0, ["visitors", "visitors_low", "visitors_high", "visitor_hours", "came_in"]]
    assert "devices" not in table  # with both, a reader could tell one from the other in every cell
    assert (numbers.tolist() == [9] * 5) if is_few else (numbers.tolist() == [15, 12, 20, 150, 15])
    assert table.loc[0, "came_by"] == numbers["came_in"] + 60


@pytest.mark.parametrize(("seen", "visitors"), [(20, 8), (13, 20)])
def test_a_zone_is_hidden_where_its_shown_hours_would_tell_of_a_hidden_one(seen, visitors):
    plan = pd.DataFrame({"zone": ["hall", "outside"], "outline": "POLYGON"})
    visits = make_visits(*range(seen))
    stays = pd.DataFrame({"token": range(seen), "zone": "hall"})
    by_hour = pd.DataFrame({"zone": "hall", "hour": [10, 11], "visitors": pd.array([18, 8], "Int64")})
    scales = dict.fromkeys((hours.THERE, hours.CAME_IN), hours.Scale(1.5, 1.2, 2.0, 9))
    found = hours.tidy_zones(plan, visits, stays, by_hour, scales, 10)
    assert found["visitors"].tolist() == [visitors, pd.NA]


def follow(*rows, zones=("hall", "shop")):
    stays = make_stays(*rows)
    events = pd.DataFrame({"token": stays["token"], "network": True, "is_local": True})
    return ways.follow_visitors(events, stays, make_visits(*stays["token"].unique()), list(zones))


def test_stays_meet_in_the_middle_and_ends_reach_a_gap_further():
    found = follow((1, "hall", "10:00", "10:20", 3, -50), (1, "shop", "10:30", "10:40", 2, -50))
    assert found["gap_minutes"].tolist() == [10, 10]
    assert found["minutes"].tolist() == [35, 25]  # 09:50 to 10:25, and on to 10:50


def test_ties_in_time_are_in_the_order_of_the_plan_and_rows_may_come_in_any():
    rows = [
        (1, "shop", "10:00", "10:05", 2, -50),
        (1, "hall", "10:00", "10:05", 2, -50),
        (2, "hall", "09:00", "09:30", 4, -50),
    ]
    for order in (rows, rows[::-1]):
        for zones in (["hall", "shop"], ["shop", "hall"]):
            found = follow(*order, zones=zones)
            assert found.loc[found["token"].eq(1), "zone"].tolist() == zones


def test_only_phones_that_keep_their_address_are_followed():
    stays = make_stays(
        (1, "hall", "10:00", "10:20", 3, -50),
        (2, "hall", "10:00", "10:20", 3, -50),
        (3, "hall", "10:00", "10:20", 3, -50),
    )
    events = pd.DataFrame({"token": [1, 2, 3], "network": [True, False, False], "is_local": [True, True, False]})
    found = ways.follow_visitors(events, stays, make_visits(1, 2, 3), ["hall"])
    assert found["token"].tolist() == [1, 3]


def test_weak_signals_at_the_door_are_in_the_street_and_nowhere_else():
    events = pd.DataFrame({"zone": ["door", "door", "garden"], "signal_dbm": [-80.0, -50.0, -80.0]})
    assert ways.mark_street(events, -69, ["door"])["zone"].tolist() == ["outside", "door", "garden"]


def test_steps_begin_at_coming_in_and_end_at_leaving():
    found = follow(
        (1, "outside", "09:50", "09:51", 1, -80),
        (1, "hall", "10:00", "10:20", 3, -50),
        (1, "outside", "10:25", "10:26", 1, -80),
        (1, "hall", "10:30", "10:40", 3, -50),
        (1, "shop", "10:50", "10:55", 2, -50),
    )
    steps = ways.count_steps(ways.list_steps(found))
    told = {(a, b): number for a, b, number in steps.itertuples(index=False)}
    assert told == {(ways.STARTS, "hall"): 1, ("hall", "shop"): 1, ("shop", ways.LEAVES): 1}


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), min_size=1, max_size=40))
def test_no_rare_step_is_left_and_what_comes_in_goes_out(journeys):
    rows = [
        (token, one, two)
        for token, journey in enumerate(journeys)
        for one, two in zip([ways.STARTS, *journey], [*journey, ways.LEAVES], strict=True)
    ]
    steps = pd.DataFrame(rows, columns=["token", "from_zone", "to_zone"])
    kept = ways.keep_common(steps, 4)
    assert (kept.groupby(["from_zone", "to_zone"])["token"].nunique() >= 4).all()
    whole = steps[steps["token"].isin(kept["token"])]
    assert len(whole) == len(kept)  # journeys stay whole
    flows = [
        kept.groupby(side).size().drop([ways.STARTS, ways.LEAVES], errors="ignore") for side in ("from_zone", "to_zone")
    ]
    assert flows[0].to_dict() == flows[1].to_dict()


def test_median_takes_short_stays_as_often_as_they_were_missed_and_few_have_none():
    measured = pd.DataFrame({
        "zone": [hours.WHOLE] * 31 + ["hall"] * 40 + ["attic"] * 29,
        "minutes": [*range(10, 41), *([5.0] * 15 + [20.0] * 25), *range(1, 30)],
        "weight": [1.0] * 31 + [3.0] * 15 + [1.0] * 25 + [1.0] * 29,
    })  # fmt: skip
    found = ways.find_lengths(measured, np.random.default_rng(1)).set_index("zone")
    assert found.index.tolist() == [hours.WHOLE, "hall"]
    assert found["median_minutes"].tolist() == [25, 5]
    assert found.loc[hours.WHOLE, "low_minutes"] < 24 < 27 < found.loc[hours.WHOLE, "high_minutes"]
    assert ways.tidy_lengths(found.reset_index())["stays"].tolist() == [30, 40]


def test_visits_weigh_by_their_chance_to_be_told_from_passing_by():
    rng, rows = np.random.default_rng(4), []
    for token, lasts in enumerate(rng.lognormal(3.2, 0.6, 30_000)):  # half of them more than 24.5 minutes
        heard = np.sort(rng.uniform(0, lasts, rng.poisson(lasts)))
        if len(heard) > 1 and heard[-1] - heard[0] >= 12:
            gap = (heard[-1] - heard[0]) / (len(heard) - 1)
            rows.append((token, "hall", heard[0] - gap, heard[-1] + gap, gap))
    followed = pd.DataFrame(rows, columns=["token", "zone", "began", "ended", "gap_minutes"])
    followed["minutes"] = followed["ended"] - followed["began"]
    followed[["began", "ended"]] = pd.Timestamp("2026-07-01") + followed[["began", "ended"]].apply(
        pd.to_timedelta, unit="m"
    )
    measured = ways.measure_stays(followed, ["hall"], 12.0)
    measured = measured[measured["zone"].eq(hours.WHOLE)]
    lasts = np.random.default_rng(4).lognormal(3.2, 0.6, 30_000)
    truth = np.median(lasts[lasts > 12])
    plain, found = measured["minutes"].median(), ways.find_lengths(measured, rng)["median_minutes"].iloc[0]
    assert truth < found < truth + 0.75 * (plain - truth)


def make_answers(rows=60):
    return pd.DataFrame({
        "session_token": [f"{number:016x}" for number in range(rows)],
        "answered_at": ["2026-07-01T10:30:00+01:00", "2026-07-04T15:30:00+01:00"] * (rows // 2),
        "age_band": ["16 to 24"] * (rows // 2) + ["65 and over"] * (rows // 2 - 2) + ["25 to 44"] * 2,
        "reason": "an exhibition",
        "been_before": ["yes", "no", "no"] * (rows // 3),
        "consent": ["yes"] * (rows - 6) + ["no"] * 6,
    })  # fmt: skip


def test_only_answers_with_consent_stay_and_no_token_does():
    kept = answers.keep_consented(make_answers(), "Europe/London")
    assert len(kept) == 54
    assert "session_token" not in kept
    assert kept["hour"].tolist()[:2] == [10, 15]
    assert kept["day_kind"].tolist()[:2] == ["weekday", "weekend"]
    with pytest.raises(TooFewError, match="No visitor"):
        answers.keep_consented(make_answers().assign(consent="no"), "Europe/London")


def test_weights_add_up_to_who_came_in_also_where_nobody_answered():
    kept = answers.keep_consented(make_answers(), "Europe/London")
    arrivals = {
        "day_kind": pd.Series({"weekday": 300.0, "weekend": 700.0}),
        "hour": pd.Series({10: 200.0, 11: 100.0, 15: 700.0}),
    }
    weight = answers.weigh_answers(kept, arrivals)
    assert weight.groupby(kept["day_kind"]).sum().to_dict() == pytest.approx({"weekday": 300, "weekend": 700})
    assert weight.groupby(kept["hour"]).sum().to_dict() == pytest.approx({10: 300, 15: 700})


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=90), st.integers(2, 12))
def test_no_rare_answer_stands_alone(given_answers, threshold):
    joined = answers.join_rare(pd.Series(given_answers), threshold).value_counts()
    assert joined.sum() == len(given_answers)
    assert (joined >= threshold).all() or len(joined) == 1


def test_answers_are_counted_with_what_they_stand_for_and_one_sided_questions_go():
    kept = answers.keep_consented(make_answers(), "Europe/London")
    table = answers.tidy_answers(kept, pd.Series(2.0, kept.index), 10)
    assert set(table["question"]) == {"Age", "Has been here before"}  # all came for an exhibition
    before = table[table["question"].eq("Has been here before")].set_index("answer")
    assert before.loc["yes", ["answers", "answered", "visitors"]].tolist() == [18, 54, 36]
    assert before.loc["yes", "visitors_low"] < 36 < before.loc["yes", "visitors_high"]
    with pytest.raises(TooFewError, match="Too few visitors"):
        answers.tidy_answers(kept.head(9), pd.Series(2.0, range(9)), 10)


def test_surprise_is_the_share_of_halves_that_differ_as_much():
    halves = signage.list_halves(4, np.random.default_rng(1))
    assert len(halves) == 6
    odds, chosen = np.array([[0.0, 0.1, 1.0, 1.2]]), np.array([False, False, True, True])
    assert signage.find_surprise(odds, chosen, halves)[0] == pytest.approx(2 / 6)  # itself and its mirror
    assert signage.compare_halves(odds, chosen[None])[0, 0] == pytest.approx(1.05)


def test_a_fair_test_raises_few_false_alarms_and_the_usual_ones_many():
    street = signage.Street(day_spread=0.3, drift_a_week=0.02)
    power = signage.simulate_power(street, (12,), (0, 40), np.random.default_rng(3), draws=300)
    called = power.set_index(["design", "effect_pct"])["called_pct"]
    assert called[signage.FAIR, 0] < 9
    assert called[signage.NAIVE, 0] > 25
    assert called[signage.BEFORE_AFTER, 0] > called[signage.NAIVE, 0]
    assert called[signage.FAIR, 40] > 80
    with pytest.raises(ParameterError, match="even number of weeks"):
        signage.simulate_power(street, (7,), (0,), np.random.default_rng(3))


def test_a_difference_between_signs_is_found_with_its_interval():
    rng = np.random.default_rng(4)
    sign = np.array(["old", "new"] * 6)
    passed = rng.poisson(1_500, 12).astype(float)
    weeks = pd.DataFrame({"sign": sign, "came_by": passed, "came_in": passed * np.where(sign == "new", 0.24, 0.18)})
    weeks["came_in"] *= rng.uniform(0.95, 1.05, 12)
    found = signage.compare_signs(weeks, rng)
    assert found["odds_ratio"] == pytest.approx((0.24 / 0.76) / (0.18 / 0.82), rel=0.06)
    assert found["low"] < found["odds_ratio"] < found["high"]
    assert found["p"] == pytest.approx(2 / 924)
    few = signage.compare_signs(weeks.head(4), rng)
    assert (few["low"], few["high"]) == (0, np.inf)
    assert "cannot tell" in statements.say_signs(weeks.head(4), few)
    assert signage.compare_signs(weeks[weeks["sign"].eq("new")], rng) is None
    assert "nothing can be said" in statements.say_signs(weeks, None)
    named = weeks.replace({"sign": {"new": "banner", "old": "board"}})
    assert signage.compare_signs(named, rng)["odds_ratio"] == pytest.approx(found["odds_ratio"])


def write_plan(tmp_path, *features):
    path = tmp_path / "museum_floor_plan.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def make_zone(zone, left, point, **more):
    ring = [[left, 0], [left + 5, 0], [left + 5, 4], [left, 4], [left, 0]]
    return {
        "properties": {"zone": zone, "access_point": point, **more},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def test_plan_is_read_in_its_order(tmp_path):
    path = write_plan(
        tmp_path, make_zone("outside", -9, None), make_zone("hall", 0, "ap2", door=True), make_zone("attic", 5, "ap1")
    )
    plan = pictures.read_plan(path)
    assert pictures.list_zones(plan) == ["hall", "attic"]
    assert plan["door"].tolist() == [False, True, False]


def test_a_zone_may_have_several_access_points_and_a_door_in_words(tmp_path):
    path = write_plan(
        tmp_path, make_zone("hall", 0, ["ap1", "ap2"], door="yes"), make_zone("attic", 5, "ap3", door="false")
    )
    plan = pictures.read_plan(path)
    assert pictures.list_points(plan) == {"ap1": "hall", "ap2": "hall", "ap3": "attic"}
    assert plan["door"].tolist() == [True, False]
    with pytest.raises(SourceError, match="name of its own"):
        pictures.read_plan(write_plan(tmp_path, make_zone("hall", 0, ["ap1", "ap1"], door=True)))


@pytest.mark.parametrize(
    ("features", "fault"),
    [
        ([make_zone("hall", 0, "ap1")], "at the door"),
        ([make_zone("hall", 0, "ap1", door=True), make_zone("hall", 5, "ap2")], "name of its own"),
        ([make_zone("hall", 0, "ap1", door=True), make_zone("attic", 5, "ap1")], "name of its own"),
        ([make_zone("", 0, "ap1", door=True)], "feature 1"),
        ([{"properties": {"zone": "hall"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}], "feature 1"),
        ([{"type": "Feature"}], "KeyError"),
    ],
)
def test_bad_plan_is_refused_by_place(tmp_path, features, fault):
    with pytest.raises(SourceError, match=fault):
        pictures.read_plan(write_plan(tmp_path, *features))


def test_pictures_have_words_and_leave_out_hidden_steps():
    paths = pd.DataFrame(
        [(ways.STARTS, "hall", 40), ("hall", "shop", 25), ("hall", ways.LEAVES, 15), ("shop", ways.LEAVES, None)],
        columns=["from_zone", "to_zone", "steps"],
    )
    said = statements.say_paths(paths)
    assert said == (
        "The way that most take is from the hall to the shop. Most were last heard in the hall before they left: "
        "100 of 100."
    )
    bands = pictures.draw_bands(paths, ["hall", "shop"], title="Ways", alt=said)
    assert len(bands.data) == 3
    zones = pd.DataFrame({
        "zone": ["hall", "shop"], "visitors": [40, None],
        "outline": ["POLYGON ((0 0, 5 0, 5 4, 0 4, 0 0))", "POLYGON ((5 0, 9 0, 9 4, 5 4, 5 0))"],
    })  # fmt: skip
    plan = pictures.draw_plan(zones, paths, title="Plan", alt=said)
    assert plan.data["steps"].tolist() == [25]
    assert "[c]" in plan.svg


def test_sentences_say_what_is_hidden_and_no_zero():
    empty = pd.DataFrame({"zone": [hours.WHOLE], "hour": [11], "open_days": [5]})
    empty[["visitors", "visitor_hours", "came_in", "came_by"]] = None
    assert "Too few visitors" in statements.say_hours(empty)
    assert "hidden" in statements.say_conversion(empty)
    dwell = pd.DataFrame(columns=["zone", "median_minutes", "low_minutes", "high_minutes"])
    assert statements.say_lengths(dwell).startswith("Too few phones")


def test_log_without_signals_tells_no_visitor():
    silent = pd.DataFrame({"strongest_dbm": [np.nan] * 300, "minutes": range(300)})
    with pytest.raises(NotToldError, match="no strength of signals"):
        telling.fit_thresholds(silent)


@pytest.mark.parametrize("told", ["email", "reason"])
def test_answers_that_name_somebody_are_refused_without_repeating_it(tmp_path, monkeypatch, told):
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path))
    mails = [f"write to jane{number}@example.org" for number in range(60)]
    make_answers().assign(**{told: mails}).to_csv(tmp_path / "museum_answers_hackney.csv", index=False)
    study = Study.open("culture", "8_visits", "hackney", "real", seed=1, run_date="2026-11-29")
    with pytest.raises(CheckError, match=told) as error:
        study.load("museum_answers")
    assert "jane" not in str(error.value)
