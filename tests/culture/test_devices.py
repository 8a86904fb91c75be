"""Tests of the simulated air: phones are heard while their owners are there, under addresses as their policy has it."""

import numpy as np
import pandas as pd
import pytest

from councilbook.culture.counting import room
from councilbook.culture.counting.quarters import describe_quarters, find_contradictions
from councilbook.culture.twin.devices import LOCAL, Phones, emit_frames
from councilbook.study import Study

ONE_PHONE = Phones(without=0, second=0, associated=0, bursts_a_minute=2, spread=0)


def make_presences(hours: int = 30, people: int = 3) -> pd.DataFrame:
    begin = pd.Timestamp("2026-03-02 20:30").to_datetime64().astype("datetime64[s]")
    left = begin + np.timedelta64(hours, "h")
    return pd.DataFrame({"person": [7, 3, 50][:people], "zone": ["hall", "shop", "outside"][:people], "arrived": begin,
                         "left": left, "signal_dbm": [-50.0, -60.0, -80.0][:people]})  # fmt: skip


def test_frames_lie_within_their_presence_and_zone() -> None:
    presences = make_presences(hours=2)
    frames = emit_frames(presences, np.random.default_rng(4), "day", ONE_PHONE)
    assert frames["time"].is_monotonic_increasing
    assert frames["time"].between(presences["arrived"].min(), presences["left"].max()).all()
    louder = frames.groupby("zone", observed=True)["signal_dbm"].mean()
    assert louder["hall"] > louder["shop"] > louder["outside"]
    assert {str(kind) for kind in frames.dtypes} == {
        "datetime64[us]",
        "category",
        "uint64",
        "float32",
        "uint32",
        "bool",
    }


@pytest.mark.parametrize(
    ("policy", "least", "most"), [("global", 3, 3), ("network", 3, 3), ("day", 9, 9), ("hour", 85, 93)]
)
def test_a_policy_sets_how_many_addresses_three_phones_show(policy: str, least: int, most: int) -> None:
    frames = emit_frames(make_presences(hours=30), np.random.default_rng(5), policy, ONE_PHONE)
    assert least <= frames["address"].nunique() <= most  # 30 hours touch three dates and 31 clock hours
    assert ((frames["address"] & LOCAL) > 0).all() == (policy != "global")


def test_each_burst_has_an_address_of_its_own() -> None:
    frames = emit_frames(make_presences(), np.random.default_rng(6), "burst", ONE_PHONE)
    spans = frames.groupby("address")["time"].agg(lambda times: times.max() - times.min())
    assert len(spans) > 3_000
    assert spans.max() < pd.Timedelta("1 s")


def test_people_without_wifi_are_not_heard_and_second_devices_are() -> None:
    presences = pd.concat([make_presences(2, 1).assign(person=person) for person in range(400)])
    none = emit_frames(presences, np.random.default_rng(7), "network", Phones(without=1))
    some = emit_frames(presences, np.random.default_rng(7), "network", Phones(without=0.25, second=0.5, spread=0))
    assert none.empty and list(none) == list(some)
    assert some["address"].nunique() == pytest.approx(400 * 0.75 * 1.5, rel=0.1)


def test_the_invented_lab_has_the_publishers_layout_and_faults() -> None:
    study = Study.open("culture", "7_counting", "leeds", "sample", mirror="", seed=9, run_date="2026-11-29")
    files = [study.open_file(one.id) for one in study.catalogue.series("wifi_brno")]
    events, told = room.read_room([one.path for one in files])
    rows = told.set_index("what")["rows"]
    assert rows["the room's own computer"] == pytest.approx(rows["read"] / 6, rel=0.01)
    day = events.groupby(events["time"].dt.date)["people"].max()
    assert day[pd.Timestamp("2023-04-03").date()] == 0 and day[pd.Timestamp("2022-11-24").date()] == 0
    assert day.max() <= 17 and (day > 0).sum() >= 14
    aside = room.list_aside(find_contradictions(describe_quarters(events)))
    assert set(aside["day"]) == {"3 April 2023"}
