"""Real logs of wifi: Brno's probe requests, Kanazawa's sights, and vendors' samples."""

import re
from pathlib import Path

import pandas as pd
import pytest

from councilbook.culture.wifi import checks
from councilbook.culture.wifi.intake import Intake
from councilbook.culture.wifi.readers import read_log, recognise, unpack
from councilbook.culture.wifi.stays import find_stays

pytestmark = pytest.mark.real
STAYS = {27: 53, 28: 91, 30: 238, 31: 469, 32: 142, 33: 346, 34: 582, 35: 308, 37: 190, 56: 298}
ZONE = "sc6-61"


@pytest.fixture(scope="module")
def wifi(mirror) -> Path:
    return mirror / "waltham_forest" / "wifi"


def read_brno(wifi: Path, *days: str) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    with Intake("Europe/Prague") as intake:
        files = [one for day in days for one in sorted(wifi.glob(f"brno_probe_requests/position_1/*_{day}*.gz"))]
        events = [read_log(file, "", intake, time_zone="Europe/Prague", zone=ZONE) for file in files]
        return events, intake.tell()


@pytest.fixture(scope="module")
def sights(wifi) -> pd.DataFrame:
    with Intake("Asia/Tokyo") as intake:
        files = sorted(wifi.glob("kanazawa/*/20241010/*.gz"))
        return pd.concat([read_log(file, "", intake, time_zone="Asia/Tokyo") for file in files], ignore_index=True)


@pytest.mark.parametrize(("day", "found"), [("2022-10-19", (8375, 2061, 1811)), ("2022-11-24", (2321, 4, 0))])
def test_capture_and_table_of_a_room_are_the_same(wifi, day, found):
    (capture, table), _ = read_brno(wifi, day)
    assert (len(table), len(set(table["token"])), int(table.drop_duplicates("token")["is_local"].sum())) == found
    assert table.drop(columns="people").equals(capture)


def test_addresses_with_the_group_bit_are_addresses(wifi):
    file = wifi / "brno_probe_requests" / "position_1" / "sc6-61_2022-10-19_ver-99.csv.gz"
    octets = {one[:2] for one in re.findall(rb"(?<=ff;)[0-9a-f]{2}(?::[0-9a-f]{2}){5}", unpack(file))}
    addresses = set(re.findall(rb"(?<=ff;)[0-9a-f]{2}(?::[0-9a-f]{2}){5}", unpack(file)))
    first = [int(one[:2], 16) for one in addresses]
    assert octets and (len(addresses), sum(one & 1 for one in first), sum(one & 3 == 3 for one in first)) == (
        2061,
        81,
        45,
    )


def test_heads_of_one_day_contradict_and_no_other_check_fails(wifi):
    events, _ = read_brno(wifi, "20")
    csv = [one for one in events if "people" in one]
    checked = checks.check_log(pd.concat(csv, ignore_index=True), time_zone="Europe/Prague").set_index("check")
    assert checked["verdict"].to_dict() == {
        checks.PLACES: checks.NOT_ASKED, checks.SHARE: checks.PASSED, checks.CLOCKS: checks.PASSED,
        checks.HEADS: checks.FAILED,
    }  # fmt: skip
    assert checked.loc[checks.HEADS, "found"] == 1
    failing = [
        one for one in csv if checks.check_log(one, time_zone="Europe/Prague")["verdict"].eq(checks.FAILED).any()
    ]
    of_day = failing[0][failing[0]["time"] < pd.Timestamp("2023-04-03 22:00")]  # the file goes on past midnight
    assert len(failing) == 1 and (len(set(of_day["token"])), failing[0]["people"].max()) == (2317, 0)
    shares = checks.find_shares(pd.concat(csv), "Europe/Prague")
    crowded = shares[shares["tokens"] >= checks.LEAST_TOKENS]
    assert crowded["minutes_share_pct"].max() < 11 and crowded["share_pct"].max() < 30


def test_stays_of_sights_equal_those_published(wifi, sights):
    found = find_stays(sights, 30, zones_apart=True)
    assert found.groupby(found["zone"].astype(int)).size().to_dict() == STAYS
    for number in STAYS:
        published = pd.read_csv(wifi / "kanazawa" / "move" / f"{number}.csv.gz", encoding="utf-8-sig")
        start = pd.to_datetime(published["dt"])
        of_day = start.dt.strftime("%Y-%m-%d").eq("2024-10-10")
        begun = start[of_day].dt.tz_convert("UTC").dt.tz_localize(None)
        seconds = pd.to_timedelta(published.loc[of_day, "spend"]).dt.total_seconds()
        own = found[found["zone"].eq(str(number))]
        assert sorted(zip(own["arrived"], own["dwell_seconds"], strict=True)) == sorted(
            zip(begun, seconds, strict=True)
        )
    museum = found[found["zone"].eq("33")]
    assert (museum["dwell_seconds"].sum(), int(museum["is_seen_once"].sum())) == (609_518, 124)


def test_sights_are_refused(wifi, sights):
    checked = checks.check_log(sights, time_zone="Asia/Tokyo").set_index("check")
    assert checked.loc[checks.PLACES, ["verdict", "found"]].tolist() == [checks.FAILED, 13_626]
    shares = checks.find_shares(sights, "Asia/Tokyo").set_index("place")
    assert shares.loc["33", ["events", "tokens"]].tolist() == [30_604, 139]
    assert round(shares.loc["33", "share_pct"], 1) == 66.3
    listed = pd.read_csv(wifi / "kanazawa" / "00_M5_facility list.csv", encoding="utf-8-sig").iloc[:, [0, 5, 6]]
    positions = listed.set_axis(["zone", "latitude", "longitude"], axis=1).astype({"zone": str})
    two = sights[sights["zone"].isin(["33", "56"])]
    checked = checks.check_log(two, positions=positions, time_zone="Asia/Tokyo").set_index("check")
    assert checked.loc[checks.PLACES, ["verdict", "found"]].tolist() == [checks.FAILED, 1_033]
    minutes = two.assign(minute=two["time"].dt.floor("min")).drop_duplicates(["token", "minute", "zone"])
    assert len(set(minutes.loc[minutes.duplicated(["token", "minute"]), "token"])) == 32


def test_every_sight_alone_is_refused(wifi):
    for file in sorted(wifi.glob("kanazawa/*/*/*.gz")):
        events = read_log(file, time_zone="Asia/Tokyo")
        assert (
            checks.check_log(events, time_zone="Asia/Tokyo").set_index("check").loc[checks.SHARE, "verdict"]
            == checks.FAILED
        )


def test_samples_of_vendors_are_recognised_and_read(wifi):
    read = {}
    for file in sorted(wifi.glob("vendor_samples/*")):
        with Intake() as intake:
            events = read_log(file, "", intake)
            aside = intake.tell().loc[lambda told: told["what"].ne("read"), "rows"].sum()
        read[recognise(unpack(file))] = (len(events), len(set(events["token"])), int(aside))
    assert read["meraki_v2"] == (19, 19, 7)
    assert {name: found[0] for name, found in read.items()} == {
        "meraki_v2": 19, "meraki_v3": 9, "cmx_v2": 1, "cmx_v3": 1, "radius": 3,
    }  # fmt: skip
