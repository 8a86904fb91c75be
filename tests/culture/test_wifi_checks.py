"""Checks: each fails where its fault is, and holds where the fault is not."""

import numpy as np
import pandas as pd
import pytest

from councilbook.culture.wifi import checks, statements
from councilbook.errors import NotToldError

DAY = pd.Timestamp("2026-03-06").as_unit("us")


def make_day(
    seed: int = 1, devices: int = 80, zones: tuple[str, ...] = ("hall",), start: float = 9, hours: float = 8
) -> pd.DataFrame:
    """Make a day on which each device is heard once a minute for some time in one zone."""
    rng = np.random.default_rng(seed)
    rows = []
    for device in range(devices):
        begin = rng.uniform(start, start + hours - 1) * 60
        minutes = np.arange(begin, begin + rng.uniform(5, 60))
        rows.append(
            pd.DataFrame(
                {
                    "time": DAY + pd.to_timedelta(minutes, unit="min"),
                    "zone": zones[device % len(zones)],
                    "token": np.uint64(device + 1),
                }
            )
        )
    return pd.concat(rows).sort_values("time", ignore_index=True)


def add_device(
    events: pd.DataFrame, minutes: np.ndarray, zone: str = "hall", token: int = 999, times: int = 1
) -> pd.DataFrame:
    more = pd.DataFrame(
        {"time": DAY + pd.to_timedelta(np.repeat(minutes, times), unit="min"), "zone": zone, "token": np.uint64(token)}
    )
    return pd.concat([events, more]).sort_values("time", kind="stable", ignore_index=True)


def judge(events: pd.DataFrame, check: str, *given: object, **more: object) -> tuple[str, int, int]:
    row = checks.check_log(events, *given, **more).set_index("check").loc[check]
    return row["verdict"], row["found"], row["asked"]


def test_a_plain_day_holds():
    checked = checks.check_log(make_day(zones=("hall", "attic")))
    assert checked["verdict"].tolist() == [checks.PASSED] * 3 + [checks.NOT_ASKED]
    checks.require_belief(checked, "The log")
    assert "3 of 3 checks hold" in statements.say_belief(checked, "The log")


def test_an_identifier_in_two_places():
    events = make_day(zones=("hall", "attic"))
    copied = events[events["zone"].eq("hall")].iloc[:200].assign(zone="attic")
    twice = pd.concat([events, copied]).sort_values("time", ignore_index=True)
    assert judge(twice, checks.PLACES)[:2] == (checks.FAILED, 200)
    one_house = {"hall": "house", "attic": "house"}
    assert judge(twice, checks.PLACES, places=one_house)[0] == checks.NOT_ASKED
    checked = checks.check_log(twice)
    with pytest.raises(NotToldError, match="no visitor counts and no journeys"):
        checks.require_belief(checked, "The log")
    assert "must not be used" in statements.say_belief(checked, "The log")


@pytest.mark.parametrize(("longitude", "verdict"), [(-0.02, checks.PASSED), (0.8, checks.FAILED)])
def test_places_near_each_other_may_hear_the_same(longitude, verdict):
    events = make_day(zones=("hall", "attic"))
    copied = (
        events[events["zone"].eq("hall")]
        .iloc[:200]
        .assign(zone="attic", time=lambda rows: rows["time"] + pd.Timedelta(seconds=1))
    )
    twice = pd.concat([events, copied]).sort_values("time", ignore_index=True)
    positions = pd.DataFrame({"zone": ["hall", "attic"], "latitude": [51.58, 51.58], "longitude": [-0.015, longitude]})
    assert judge(twice, checks.PLACES, positions=positions)[0] == verdict


def test_an_outsized_share():
    by_day = np.concatenate([np.arange(9 * 60, 17 * 60), [3 * 60, 22 * 60]])  # with people, and hardly at night
    shared = add_device(make_day(devices=60), by_day, times=4)
    assert judge(shared, checks.SHARE) == (checks.FAILED, 1, 1)
    assert judge(make_day(devices=60), checks.SHARE) == (checks.PASSED, 0, 1)
    assert (
        judge(shared[shared["token"].ge(999) | shared["token"].lt(10)], checks.SHARE)[0] == checks.NOT_ASKED
    )  # too few


def test_a_fixed_device_is_found_and_is_no_outsized_share():
    events = add_device(make_day(devices=60), np.arange(0, 24 * 60, 2), times=4)
    is_fixed = checks.find_fixed(events)
    assert set(events.loc[is_fixed, "token"]) == {999}
    assert judge(events, checks.SHARE)[0] == checks.PASSED
    assert not checks.find_fixed(make_day()).any()
    all_day = add_device(make_day(), np.arange(9 * 60, 17 * 60))  # in the house all day: staff, or a guest
    assert not checks.find_fixed(all_day).any()


def test_a_clock_that_is_put_back():
    events = make_day()
    back = events.copy()
    back.loc[300:, "time"] -= pd.Timedelta(hours=1)
    assert judge(events, checks.CLOCKS)[0] == checks.PASSED
    assert judge(back, checks.CLOCKS)[:2] == (checks.FAILED, 1)
    assert judge(events.iloc[::-1], checks.CLOCKS)[0] == checks.PASSED  # the newest first
    by_device = events.sort_values(["token"], kind="stable")
    posts = events.assign(post=events["time"].dt.floor("5min")).sort_values(["post", "token"], kind="stable")
    assert judge(by_device, checks.CLOCKS)[0] == checks.FAILED
    assert judge(posts, checks.CLOCKS)[0] == checks.PASSED


def test_a_clock_that_is_put_forward():
    minutes = np.arange(9 * 60, 12 * 60)
    events = pd.concat([add_device(make_day(devices=0 + 1), minutes, token=50 + one) for one in range(8)]).sort_values(
        "time", ignore_index=True
    )
    forward = events.copy()
    forward.loc[forward["time"] >= DAY + pd.Timedelta(hours=11), "time"] += pd.Timedelta(hours=2)
    assert judge(events, checks.CLOCKS)[0] == checks.PASSED
    assert judge(forward, checks.CLOCKS)[:2] == (checks.FAILED, 1)


def test_heads_that_contradict():
    events = make_day(devices=400)
    quarters = pd.date_range(DAY + pd.Timedelta(hours=9), periods=32, freq="15min").as_unit("us")
    none = pd.DataFrame({"time": quarters, "people": 0.0})
    assert judge(events, checks.HEADS, none) == (checks.PASSED, 0, 1)
    assert judge(make_day(devices=1500), checks.HEADS, none) == (checks.FAILED, 1, 1)
    assert judge(make_day(devices=1500), checks.HEADS, none.assign(people=3.0))[0] == checks.PASSED
    in_log = make_day(devices=1500).assign(people=0.0)
    assert judge(in_log, checks.HEADS)[0] == checks.FAILED


def test_an_empty_log_tells_nothing():
    with pytest.raises(NotToldError, match="no record"):
        checks.check_log(make_day().iloc[:0])


def test_what_is_said():
    told = pd.DataFrame({"what": ["read", "staff"], "rows": [90, 10]})
    assert statements.say_read(told) == "90 records were read and 10 set aside, 10.0% of all."
    stays = pd.DataFrame({"is_seen_once": [True, False, False], "dwell_seconds": [0.0, 60.0, 540.0]})
    assert statements.say_once(stays) == (
        "1 of 3 stays were seen once, so their length is not known. Half of the others last 5 minutes or less."
    )
