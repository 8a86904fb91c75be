"""Stays: gaps, ties, zones, strongest signals, and the same day by day out of memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.culture.wifi import stays
from councilbook.errors import ParameterError
from wifi_totals import total_stays

MINUTE = 60_000_000


def make_events(*rows: tuple[int, str, float]) -> pd.DataFrame:
    """Make events from rows of token, zone and minutes; the signal is the row's number, taken off -40."""
    token, zone, minutes = zip(*rows, strict=True)
    time = pd.Timestamp("2026-03-06 10:00").as_unit("us") + pd.to_timedelta(pd.Series(minutes) * 60, unit="s")
    signal = -40 - np.arange(len(rows), dtype=np.float32)
    return pd.DataFrame({"time": time, "zone": zone, "token": np.array(token, np.uint64), "signal_dbm": signal})


def tell(found: pd.DataFrame) -> list[tuple[int, str, float, int]]:
    return list(zip(found["token"], found["zone"], found["dwell_seconds"], found["events"], strict=True))


def test_a_stay_ends_at_a_gap_or_elsewhere():
    events = make_events(
        (7, "hall", 0), (7, "hall", 20), (7, "attic", 21), (7, "hall", 25), (7, "hall", 56), (9, "hall", 1)
    )
    found = stays.find_stays(events, 30)
    assert tell(found) == [
        (7, "hall", 1200, 2),
        (7, "attic", 0, 1),
        (7, "hall", 0, 1),
        (7, "hall", 0, 1),
        (9, "hall", 0, 1),
    ]
    assert found["is_seen_once"].tolist() == [False, True, True, True, True]
    assert found["strongest_dbm"].tolist() == [-40, -42, -43, -44, -45]


def test_zones_apart_do_not_end_each_others_stays():
    events = make_events((7, "hall", 0), (7, "attic", 5), (7, "hall", 10), (7, "attic", 50))
    assert tell(stays.find_stays(events, 30, zones_apart=True)) == [
        (7, "hall", 600, 2),
        (7, "attic", 0, 1),
        (7, "attic", 0, 1),
    ]
    assert len(stays.find_stays(events, 30)) == 4


def test_a_gap_as_long_as_allowed_is_none():
    assert len(stays.find_stays(make_events((7, "a", 0), (7, "a", 30)), 30)) == 1
    assert len(stays.find_stays(make_events((7, "a", 0), (7, "a", 30.001)), 30)) == 2


def test_ties_are_in_the_order_of_zones_whatever_the_order_of_the_log():
    events = make_events((7, "b", 0), (7, "a", 0), (7, "b", 1), (7, "a", 1))
    found = stays.find_stays(events, 30)
    assert found["zone"].tolist() == ["a", "b", "a", "b"]
    again = stays.find_stays(events.iloc[::-1], 30)
    assert found.drop(columns="strongest_dbm").equals(again.drop(columns="strongest_dbm"))


def test_faults_of_parameters():
    with pytest.raises(ParameterError, match="more than 0"):
        stays.find_stays(make_events((7, "a", 0)), 0)
    with pytest.raises(ParameterError, match="eight years"):
        stays.find_stays(make_events((7, "a", 0), (7, "a", 60 * 24 * 365 * 10)), 30)


def find_slowly(events: pd.DataFrame, gap_minutes: float) -> list[tuple[int, str, float, int]]:
    found = []
    for token, own in events.groupby("token", sort=False):
        open_stay = None
        for row in own.sort_values(["time", "zone"], kind="stable").itertuples():
            gap = (row.time - open_stay[2]).total_seconds() / 60 if open_stay else 0
            if open_stay and open_stay[0] == row.zone and gap <= gap_minutes:
                open_stay[2:] = [row.time, open_stay[3] + 1]
            else:
                open_stay = [row.zone, row.time, row.time, 1]
                found.append((token, open_stay))
    return [(token, zone, (left - arrived).total_seconds(), count) for token, (zone, arrived, left, count) in found]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from("abc"), st.integers(0, 300)), min_size=1, max_size=60),
    st.integers(1, 40),
)
def test_stays_are_those_of_a_plain_loop(rows, gap):
    events = make_events(*rows)
    assert tell(stays.find_stays(events, gap)) == find_slowly(events, gap)


def make_batches(days: int = 3, at_once: int = 400) -> tuple[list[pa.RecordBatch], pd.DataFrame]:
    rng = np.random.default_rng(5)
    start = np.datetime64("2026-03-28T00:00:00", "us").astype(np.int64)  # the clock goes forward on the 29th
    time = np.sort(start + rng.integers(0, days * 24 * 60, 3_000) * MINUTE)
    address, zone = rng.integers(0, 40, 3_000).astype(np.uint64), rng.integers(0, 3, 3_000).astype(np.int16)
    table = pa.table({"time": time.view("datetime64[us]"), "address": address, "zone": zone})
    local = pd.to_datetime(time, unit="us", utc=True).tz_convert("Europe/London").strftime("%j").astype(int)
    token = address + np.uint64(1000) * local.to_numpy().astype(np.uint64)
    events = pd.DataFrame({"time": time.view("datetime64[us]"), "zone": zone.astype(str), "token": token})
    return table.to_batches(max_chunksize=at_once), events


@pytest.mark.parametrize("at_once", [150, 3_000])
def test_out_of_memory_and_in_it_are_the_same(at_once):
    batches, events = make_batches(at_once=at_once)
    totals = total_stays(batches, 3, 5)
    found = stays.find_stays(events, 5)
    gone = found.groupby("token")["left"].shift()
    goes_on = (found["arrived"] - gone).dt.total_seconds() <= 300
    assert (totals.stays, totals.sessions, totals.late) == (len(found), len(found) - goes_on.sum(), 0)
    assert totals.seconds.tolist() == found.groupby("zone", observed=True)["dwell_seconds"].sum().tolist()
    before = found.groupby("token")["zone"].shift()
    moves = pd.crosstab(before[goes_on], found.loc[goes_on, "zone"])
    assert (totals.moves == moves.to_numpy()).all()


def test_what_comes_after_its_day_is_late():
    batches, _ = make_batches()
    totals = total_stays([*batches, batches[0]], 3, 5)
    assert totals.late == batches[0].num_rows


def test_an_address_counts_once_in_a_zone_by_its_longest_stay():
    events = make_events(
        (7, "hall", 0), (7, "hall", 45), (7, "hall", 50), (8, "hall", 0), (8, "hall", 28), (9, "attic", 3)
    )
    counts = stays.count_longest(stays.find_stays(events, 30)).set_index(["zone", "length"])["addresses"]
    assert counts["hall", "up to 10 minutes"] == 1 and counts["hall", "10 to 30 minutes"] == 1
    assert counts["attic", stays.SEEN_ONCE] == 1 and counts["hall", "All"] == 2 and counts["attic", "All"] == 1
