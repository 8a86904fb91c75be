"""Tests of counting people by wifi: what is heard, which head-counts are believed, and what is estimated where."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.culture.counting import museum, room, statements, trials
from councilbook.culture.counting.counter import (
    SHIFTS_DB,
    Counter,
    describe_shifts,
    estimate_people,
    estimate_simply,
    fit_counter,
    fit_here,
)
from councilbook.culture.counting.quarters import (
    EVERYBODY,
    EVIDENCE,
    NOBODY,
    average_heads,
    describe_quarters,
    find_contradictions,
)
from councilbook.culture.twin.devices import PHONES_TODAY
from councilbook.culture.twin.room import draw_day, hear_room
from councilbook.errors import CheckError, NotToldError, TooFewError

MONDAY = pd.Timestamp("2026-03-02")


def hear(*rows: tuple[str, int, float, bool, int]) -> pd.DataFrame:
    names = ["time", "token", "signal_dbm", "is_local", "fingerprint"]
    events = pd.DataFrame(rows, columns=names)
    return events.assign(time=pd.to_datetime("2026-03-02 " + events["time"]).astype("datetime64[us]"))


def hear_days(number: int, seed: int = 3, first: pd.Timestamp = MONDAY) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = [hear_room(draw_day(first + pd.Timedelta(days=one), rng), rng, PHONES_TODAY) for one in range(number)]
    return pd.concat(days, ignore_index=True)


@pytest.fixture(scope="module")
def quarters() -> pd.DataFrame:
    return describe_quarters(hear_days(4)).dropna(subset="people")


@pytest.fixture(scope="module")
def counter(quarters: pd.DataFrame) -> Counter:
    return fit_counter(quarters, quarters.index.to_series().dt.normalize(), "room")


# --- what was heard ---


def test_devices_fingerprints_and_minutes_are_counted_by_how_near_they_are() -> None:
    events = hear(
        ("10:00:10", 1, -50, True, 7), ("10:00:40", 1, -50, True, 7), ("10:01:10", 2, -62, True, 7),
        ("10:14:59", 3, -69, False, 8), ("10:15:00", 3, -71, False, 8), ("10:16:00", 4, -55, True, 0),
    )  # fmt: skip
    rows = describe_quarters(events)
    first, second = rows.iloc[0], rows.iloc[1]
    assert list(first[["device_minutes_60", "device_minutes_65", "device_minutes_70"]]) == [1, 2, 3]
    assert list(first[["model_minutes_70", "models_70", "addresses", "global_addresses"]]) == [3, 1, 3, 1]
    assert list(second[["device_minutes_70", "model_minutes_70", "models_70", "addresses"]]) == [1, 0, 0, 2]
    assert first["device_minutes_70_around"] == (3 + 2 * 3 + 1) / 4  # nothing is beside the first: it stands for it
    assert rows["people"].isna().all()


def test_a_log_without_signals_takes_all_for_near_and_an_empty_one_has_no_quarter_hour() -> None:
    events = hear(("10:00:10", 1, np.nan, True, 7))
    assert describe_quarters(events)["device_minutes_60"].tolist() == [1]
    assert describe_quarters(events[:0]).empty


def test_a_deafer_sensor_is_shifted() -> None:
    events = hear(("10:00:10", 1, -68, True, 7))
    assert describe_quarters(events)["device_minutes_60"].iloc[0] == 0
    assert describe_quarters(events, shift_db=9)["device_minutes_60"].iloc[0] == 1


def test_silence_of_an_hour_may_be_a_sensor_that_is_off() -> None:
    rows = describe_quarters(
        hear(("08:00:10", 1, -50, True, 7), ("08:50:00", 1, -50, True, 7), ("11:00:00", 1, -50, True, 7))
    )
    assert list(rows.index.strftime("%H:%M")) == ["08:00", "08:15", "08:30", "08:45", "11:00"]
    assert rows.loc["2026-03-02 08:15", EVIDENCE[0]] == 0


def test_heads_are_averaged_by_minute_and_a_negative_one_is_refused() -> None:
    times = pd.Series(pd.to_datetime(["2026-03-02 10:00:05", "2026-03-02 10:00:50", "2026-03-02 10:02:00"]))
    found = average_heads(times, pd.Series([9.0, 4.0, 8.0]))
    assert found.iloc[0].tolist() == [6.0, 4.0, 8.0]  # a minute counts as it ended
    with pytest.raises(CheckError, match="row 2"):
        average_heads(times, pd.Series([9.0, -1.0, 8.0]))


# --- head-counts that cannot be true ---


def tell(people: list[float], near: list[float]) -> pd.DataFrame:
    index = pd.date_range(MONDAY, periods=len(people), freq="15min", name="quarter")
    heads = dict.fromkeys(("people", "fewest", "most"), people)
    return pd.DataFrame({**heads, "model_minutes_65": near, "device_minutes_70": near}, index=index, dtype=float)


def test_nobody_counted_while_phones_are_in_the_room_is_not_believed() -> None:
    rows = tell([12, 11, 0, 0, 0, 0, 0, 9], [30, 33, 2, 20, 20, 20, 20, 30])
    assert find_contradictions(rows).tolist() == ["", "", *[NOBODY] * 5, ""]
    short = tell([12, 11, 0, 0, 0, 0, 0, 9], [30, 33, 2, 2, 20, 20, 20, 30])
    assert not find_contradictions(short).any()  # three quarter hours may be people who come early


def test_people_counted_in_silence_are_not_believed_for_long() -> None:
    rows = tell([14, 13, 13, 13, 3, 0], [30, 0, 0, 0, 0, 0])
    assert find_contradictions(rows).tolist() == ["", EVERYBODY, EVERYBODY, EVERYBODY, "", ""]
    assert not find_contradictions(tell([14, 1, 1, 1, 1, 0], [30, 0, 0, 0, 0, 0])).any()  # one phone may be off


# --- the estimate ---


def test_no_counted_hour_no_number(quarters: pd.DataFrame, counter: Counter) -> None:
    day = quarters.index.to_series().dt.normalize()
    with pytest.raises(NotToldError, match="No counted hour, no number"):
        fit_counter(quarters.assign(people=np.nan), day, "room")
    with pytest.raises(NotToldError, match="No counted hour, no number"):
        fit_counter(quarters.assign(people=0.0), day, "room")
    with pytest.raises(NotToldError, match="this sensor"):
        estimate_people(counter, quarters, "another room")
    with pytest.raises(NotToldError, match="at this sensor"):
        fit_here(counter, {0: quarters.assign(people=np.nan)}, "another room")
    with pytest.raises(TooFewError, match="two days"):
        fit_counter(quarters, day.mask(day.notna(), MONDAY), "room")


def test_estimates_are_near_the_people_and_nobody_where_nothing_is_heard(counter: Counter) -> None:
    unseen = describe_quarters(hear_days(2, seed=11)).dropna(subset="people")
    found = estimate_people(counter, unseen, "room")
    there = unseen["people"] > 0
    error = (found["people"] - unseen["people"]).abs()
    assert error[there].mean() < 3
    assert error[there].mean() < (estimate_simply(unseen, unseen)["scaled"] - unseen["people"]).abs()[there].mean()
    assert unseen["people"].between(found["low"], found["high"])[there].mean() > 0.8
    assert (found.loc[~there, "people"] == 0).mean() > 0.95
    silent = unseen.iloc[:1].assign(**dict.fromkeys(EVIDENCE, 0.0))
    assert estimate_people(counter, silent, "room")["people"].tolist() == [0.0]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 200), min_size=len(EVIDENCE), max_size=len(EVIDENCE)), st.integers(0, 17), st.floats(0, 90)
)
def test_more_heard_is_never_fewer_people(counter: Counter, heard: list[float], which: int, more: float) -> None:
    louder = list(heard)
    louder[which] += more
    rows = pd.DataFrame([heard, louder], columns=EVIDENCE, index=pd.DatetimeIndex([MONDAY, MONDAY]))
    people = estimate_people(counter, rows, "room")["people"].tolist()
    assert people[1] >= people[0] >= 0


def test_a_deaf_sensor_is_found_by_one_counted_day_and_a_usual_one_is_left(counter: Counter) -> None:
    events = hear_days(1, seed=21)
    assert fit_here(counter, describe_shifts(events), "next").shift_db == 0
    deaf = events.assign(signal_dbm=events["signal_dbm"] - 15)
    here = fit_here(counter, describe_shifts(deaf), "next")
    assert here.shift_db == 12
    assert here.place == "next" and len(here.own) and here.counted_until == MONDAY
    assert set(SHIFTS_DB) >= {0, int(here.shift_db)}


def test_estimates_say_when_they_are_stale_or_beyond_what_was_counted(counter: Counter, quarters: pd.DataFrame) -> None:
    later = quarters.iloc[:2].set_axis(pd.DatetimeIndex(["2026-03-20", "2026-12-20"]))
    loud = later.assign(device_minutes_65=[1.0, 1e6])
    found = estimate_people(counter, loud, "room")
    assert found["is_stale"].tolist() == [False, True] and found["is_beyond"].tolist() == [False, True]
    said = statements.warn(found, counter.counted_until)
    assert "count heads again" in said and "more was heard" in said


# --- trials ---


def test_terms_are_named_by_season() -> None:
    times = pd.DatetimeIndex(["2022-10-18", "2023-02-07", "2023-08-01"])
    assert room.name_terms(times).tolist() == ["autumn 2022", "spring 2023", "autumn 2023"]


def test_terms_are_left_out_and_days_are_tried_in_turn() -> None:
    events = pd.concat([hear_days(2, seed, MONDAY + pd.Timedelta(days=200 * seed)) for seed in range(3)])
    described = describe_shifts(events)
    kept = {shift: room.keep_believed(rows, find_contradictions(described[0])) for shift, rows in described.items()}
    found, counters = trials.leave_terms_out(kept[0], "room")
    scores = trials.score_quarters(found, "term").set_index("tried_on")
    assert set(scores.index) == set(counters) and len(counters) == 3
    assert (scores["error"] < scores["error_addresses"]).all()
    term = next(iter(counters))
    own = {shift: rows[rows["term"].eq(term)] for shift, rows in kept.items()}
    days = trials.try_counted_days(counters[term], kept[0][kept[0]["term"].ne(term)], own, "room")
    assert days["counted_day"].nunique() == 2
    assert (days.index.normalize() != days["counted_day"]).all()  # no day is tried on itself


def test_one_term_cannot_be_left_out(quarters: pd.DataFrame) -> None:
    with pytest.raises(NotToldError, match="too few terms"):
        trials.leave_terms_out(quarters.assign(term="spring 2026"), "room")


def test_scores_are_of_occupied_and_of_empty_quarter_hours_apart() -> None:
    found = pd.DataFrame({
        "people": [10.0, 4.0, 0.0, 0.0, np.nan], "estimate": [7.0, 5.0, 0.0, 2.0, 9.0], "low": [5, 4.5, 0, 0, 0],
        "high": [12, 6, 1, 3, 9], "addresses": [30.0, 4.0, 1.0, 1.0, 1.0], "scaled": [0.0] * 5, "term": "a",
    })  # fmt: skip
    score = trials.score_quarters(found, "term").iloc[0]
    assert score[["occupied", "empty", "error", "error_addresses", "error_scaled"]].tolist() == [2, 2, 2.0, 10.0, 7.0]
    assert (score["covered_pct"], score["zero_pct"]) == (50.0, 50.0)


def test_no_day_of_the_room_is_said_in_words() -> None:
    with pytest.raises(NotToldError, match="are not here"):
        room.read_room([])


# --- the museum ---


def test_heads_of_the_whole_museum_leave_out_a_zone_that_nobody_counted() -> None:
    counted = pd.DataFrame({
        "counted_at": ["2026-03-06T10:00+00:00"] * 2 + ["2026-03-06T10:30+00:00"] * 2 + ["2026-03-06T11:00+00:00"] * 3,
        "zone": ["hall", "shop"] * 3 + ["outside"], "counted": ["there"] * 6 + ["passing"],
        "people": pd.array([2, 3, None, 9, 11, 0, 70], dtype="Int64"),
    })  # fmt: skip
    heads = museum.read_heads(counted).set_index("time")["people"]
    assert len(heads) == 61
    assert heads["2026-03-06 10:30"] == 8  # half way from 5 to 11, as 10:30 is not whole
    assert museum.read_heads(counted.iloc[:0]).empty


@pytest.fixture(scope="module")
def visited() -> pd.DataFrame:
    events = hear_days(6)
    diary = pd.DataFrame(
        {"date": pd.date_range(MONDAY, periods=6).strftime("%Y-%m-%d"), "opens": "09:30", "closes": "15:00"}
    )
    heads = events.loc[events["time"] < MONDAY + pd.Timedelta(days=4), ["time", "people"]]
    return museum.describe_museum(events, heads, diary, "Europe/Prague")


def test_the_museum_is_estimated_for_the_hours_of_the_week_that_were_counted(visited: pd.DataFrame) -> None:
    estimates, tried, fitted = museum.estimate_museum(visited)
    hours = museum.sum_hours(estimates, visited, tried, fitted.width, "Europe/Prague")
    assert set(hours["weekday"]) == {"Monday", "Tuesday", "Wednesday", "Thursday"}  # nobody counted on the others
    assert (hours["person_hours_low"] <= hours["person_hours"]).all()
    assert (hours["person_hours"] <= hours["person_hours_high"]).all()
    truth = visited.loc[visited["people"].notna(), "people"].sum() / 4
    assert hours["person_hours"].sum() == pytest.approx(truth, rel=0.2)


def test_the_museum_is_empty_while_it_is_closed_and_only_on_counted_days_is_that_known(visited: pd.DataFrame) -> None:
    after = visited[visited["is_closed"]].between_time("14:30", "14:45")  # half past three, local
    assert after.loc[after["day"] <= "2026-03-05", "people"].notna().all() and len(after)
    assert after.loc[after["day"] > "2026-03-05", "people"].isna().all()


@pytest.mark.parametrize("spoil", [lambda heads: heads[:0], lambda heads: heads.assign(people=0.0)])
def test_a_museum_without_counted_heads_gets_no_number(spoil: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    events = hear_days(1)
    diary = pd.DataFrame({"date": ["2026-03-02"], "opens": ["09:30"], "closes": ["15:00"]})
    with pytest.raises(NotToldError, match="No counted hour, no number"):
        museum.describe_museum(events, spoil(events[["time", "people"]]), diary, "Europe/Prague")


# --- sentences ---


def test_sentences_are_made_of_what_was_released() -> None:
    rows = [
        (statements.LEFT_OUT, "a", 30, 10, 3.0, 90.0, 7.0, 92.0, 100.0),
        (statements.LEFT_OUT, "b", 10, 30, 1.0, 50.0, 3.0, 88.0, 90.0),
        (statements.ONE_DAY, "a", 10, 9, 2.0, 9.0, 9.0, 89.0, 99.0),
        (statements.SIMULATED, "phones keep one address for ever", 9, 9, 2.2, 11.0, 3.0, 80.0, 100.0),
        (statements.SIMULATED, "phones take a new one each burst", 9, 9, 1.2, 72.0, 3.0, 80.0, 100.0),
    ]
    names = [
        "trial",
        "tried_on",
        "occupied",
        "empty",
        "error",
        "error_addresses",
        "error_scaled",
        "covered_pct",
        "zero_pct",
    ]
    scores = pd.DataFrame(rows, columns=names).assign(made_from="synthetic")
    said = statements.say_scores(scores)
    assert "synthetic room" in said and "2.5 people off" in said and "6.0 off" in said and "80 off" in said
    assert "92% are called empty" in said and "89% of occupied" in said  # empty ones weigh by their own number
    assert "least where phones take a new one each burst" in statements.say_policies(scores)


def test_hidden_hours_are_not_said() -> None:
    present = pd.DataFrame({
        "weekday": ["Friday", "Sunday"], "hour": [14, 15], "weeks": 10,
        "person_hours": [70.0, np.nan], "made_from": "synthetic",
        "person_hours_low": [50.0, 90.0], "person_hours_high": [95.0, 130.0],
    })  # fmt: skip
    said = statements.say_present(present)
    assert "Fridays from 14:00: some 7 people" in said and "(5 to 10)" in said
    assert "no number is shown" in statements.say_present(present.iloc[1:])
