"""Reading wifi: what each layout says, what is set aside, and that no address gets out."""

import gzip
import json
import pickle
import re
import struct
import traceback
from contextlib import suppress
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.culture.wifi.intake import TWICE_AN_HOUR, Intake, list_bounds, parse_address, undo_hash
from councilbook.culture.wifi.readers import inspect_log, read_log, recognise
from councilbook.errors import CheckError, ParameterError, SourceError
from councilbook.paths import find_workbook

DEVICE = "de:ad:fa:ce:0b:01"
LEAKS = re.compile(r"de.?ad.?fa.?ce|244837814061825|quackenzilde", re.I)  # the address as text and as a number
POINT = "00:00:5e:00:53:01"


def write_probes(*rows: str, header: str = "datetime;src;rssi;dot11elt;oui;occupancy") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def probe(time: str, address: str = DEVICE, people: str = "2.0") -> str:
    return f"{time};{address};-70;[0, 1];[20722];{people}"


def meraki_3(*locations: dict, version: str = "3.0", **other: object) -> bytes:
    seen = {"clientMac": DEVICE, "ssid": None, "locations": list(locations), **other}
    return json.dumps({"version": version, "type": "WiFi", "data": {"observations": [seen]}}).encode()


def place(time: str, rssi: int = -50, **other: object) -> dict:
    records = [{"apMac": "00:00:5e:00:53:02", "rssi": rssi - 9}, {"apMac": POINT, "rssi": rssi}]
    return {"time": time, "lat": 51.5, "lng": 0.1, "variance": 4.0, "rssiRecords": records, **other}


def meraki_2(*seen: dict) -> bytes:
    data = {"apMac": POINT, "apFloors": ["Ground"], "apTags": ["", "hall"], "observations": list(seen)}
    return json.dumps([{"version": "2.0", "type": "DevicesSeen", "data": data}]).encode()


def radius(status: str, stamp: object, **more: object) -> str:
    fields = {
        "Acct-Status-Type": status,
        "Calling-Station-Id": f'"{DEVICE}"',
        "Timestamp": stamp,
        "User-Name": '"Quackenzilde"',
        **more,
    }
    return "Tue Apr 11 11:05:30 2017\n" + "".join(f"\t{name} = {value}\n" for name, value in fields.items()) + "\n"


def unifi(what: str, time: int, **more: object) -> dict:
    return {
        "key": f"EVT_WU_{what}",
        "user": DEVICE,
        "ap": POINT,
        "time": time * 1000,
        "hostname": "Quackenzilde",
        **more,
    }


def capture(*frames: bytes, link: int = 127) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack("<IIII", 1666184476, 500000, len(one), len(one)) + one for one in frames)


def probe_frame(address: str = DEVICE, elements: bytes = b"\x00\x00\x01\x01\x02\xdd\x04\x00\x50\xf2\x08") -> bytes:
    radiotap = b"\x00\x00\x0a\x00\x20\x00\x00\x00\xa5\x00"  # the signal alone, -91 dBm
    return (
        radiotap
        + b"\x40\x00\x00\x00"
        + b"\xff" * 6
        + bytes.fromhex(address.replace(":", ""))
        + b"\xff" * 6
        + b"\x10\x00"
        + elements
    )


def aside(intake: Intake) -> dict[str, int]:
    told = intake.tell().set_index("what")["rows"].to_dict()
    return {what: rows for what, rows in told.items() if what != "read"}


# --- what each layout says ---


def test_meraki_3_puts_a_device_where_it_is_heard_best():
    log = meraki_3(place("2026-03-06T10:00:00Z"), place("2026-03-06T10:01:00Z", -60))
    events = read_log(log, zones={POINT.replace(":", "-").upper(): "hall"})
    assert events["zone"].tolist() == ["hall", "hall"]
    assert events["signal_dbm"].tolist() == [-50, -60]
    assert events["time"].iloc[0] == pd.Timestamp("2026-03-06 10:00")
    assert len(set(events["token"])) == 1 and events["token"].dtype == np.uint64
    assert events["is_local"].all()


def test_meraki_3_without_locations_has_its_latest_record():
    latest = {"time": "2026-03-06T10:00:00Z", "nearestApMac": POINT, "nearestApRssi": "-47"}
    events = read_log(meraki_3(latestRecord=latest))
    assert events[["zone", "signal_dbm"]].to_numpy().tolist() == [["access point 1", -47.0]]


@pytest.mark.parametrize("name", [POINT, "AP 7", "Q2XX-1", "hall", "Ground"])
def test_meraki_3_knows_an_access_point_by_all_that_it_goes_by(name):
    latest = {"time": "2026-03-06T10:00:09Z", "nearestApMac": POINT, "nearestApRssi": -60}
    payload = json.loads(meraki_3(place("2026-03-06T10:00:00Z"), latestRecord=latest))
    point = {"mac": POINT, "name": "AP 7", "serial": "Q2XX-1", "tags": ["hall"], "floorPlan": {"name": "Ground"}}
    payload["data"]["reportingAps"] = [point]
    content = json.dumps(payload).encode()
    assert read_log(content, zones={name: "entrance"})["zone"].tolist() == ["entrance", "entrance"]
    assert read_log(content)["zone"].tolist() == ["hall", "hall"]  # one access point is one zone


def test_meraki_posts_bluetooth_to_the_same_address_and_payloads_may_be_on_many_lines():
    seen = {"clientMac": DEVICE, "seenTime": "2026-03-06T10:00:00Z", "rssi": -60}
    wifi = json.loads(meraki_2(seen))[0]
    content = "\n".join(json.dumps(one, indent=1) for one in (wifi, wifi | {"type": "BluetoothDevicesSeen"}))
    with Intake() as intake:
        assert read_log(content.encode(), "", intake)["signal_dbm"].tolist() == [-60]  # below zero it is in dBm
        assert aside(intake) == {"a payload about Bluetooth": 1}
    with pytest.raises(SourceError, match=r"payload 1: expected version 2\.0"):
        read_log(json.dumps(wifi | {"type": "BluetoothDevicesSeen"}).encode(), "meraki_v2")


def test_meraki_2_counts_its_signal_from_the_noise():
    events = read_log(meraki_2({"seenEpoch": 1464785913, "rssi": 14, "clientMac": DEVICE, "location": None}))
    assert events["signal_dbm"].tolist() == [-81]
    assert events["zone"].tolist() == ["hall"]


def test_cmx_versions():
    best = {"rssi": -63}
    client = {"macAddress": DEVICE, "mapInfo": {"mapHierarchyString": "Campus>House>Hall"}, "dot11Status": "ASSOCIATED",
              "statistics": {"lastLocatedTime": "2017-11-06T12:02:15.256+0100", "maxDetectedRssi": best}}  # fmt: skip
    note = {"deviceId": DEVICE, "locationMapHierarchy": "Campus>House>Hall", "associated": False,
            "maxDetectedRssi": best, "timestamp": 1509966135256,
            "geoCoordinate": {"latitude": -999, "longitude": -999}}  # fmt: skip
    with Intake() as intake:
        both = pd.concat([read_log(json.dumps([one]).encode(), "", intake) for one in (client, note)])
    assert len(set(both["time"])) == len(set(both["token"])) == 1
    assert both["zone"].astype(str).tolist() == ["Hall", "Hall"] and both["network"].tolist() == [True, False]


def test_radius_hears_a_connected_device_until_it_leaves():
    text = radius("Start", 1491901530) + radius("Stop", 1491901530 + 700, **{"Acct-Session-Time": 700})
    events = read_log(text.encode(), zone="house")
    seconds = (events["time"] - events["time"].iloc[0]).dt.total_seconds()
    assert seconds.tolist() == [0, 300, 600, 700]
    assert events["network"].all()


def test_unifi_follows_a_device_from_one_access_point_to_the_next():
    far = "00:00:5e:00:53:02"
    events = [unifi("Connected", 1000000000 + 600_000_000), unifi("Roam", 1600000000 + 100, ap_to=far),
              unifi("Disconnected", 1600000000 + 500, ap=far, duration=500), {"key": "EVT_AP_Restarted"}]  # fmt: skip
    with Intake() as intake:
        found = read_log(json.dumps({"data": events}).encode(), "", intake, zones={POINT: "hall", far: "attic"})
        assert aside(intake) == {"an event of another kind": 1}
    seconds = (found["time"] - pd.Timestamp(1600000000, unit="s")).dt.total_seconds()
    assert list(zip(seconds, found["zone"], strict=True)) == [
        (0, "hall"),
        (100, "attic"),
        (400, "attic"),
        (500, "attic"),
    ]


def test_meraki_csv_and_campus_tsv():
    header = "Site,AP Mac,Client Mac,IPv4,IPv6,Event Time ISO,Event Time Epoch,SSID,RSSI,Manufacturer,Operating System"
    csv = f"{header}\nHouse,{POINT},{DEVICE},,,,1464785913,guest,-61,x,y\n"
    first = read_log(csv.encode())
    assert first[["zone", "signal_dbm", "network"]].to_numpy().tolist() == [["access point 1", -61.0, True]]
    header = "username\tmacaddress\tapname\tssid\tsession_start\tduration"
    tsv = f"{header}\n{'a' * 64}\t{DEVICE}\tlib-2-17\tedu\t1464785913\t400\n"
    second = read_log(tsv.encode())
    assert second["zone"].tolist() == ["lib-2-17"] * 3
    assert (second["time"] - second["time"].iloc[0]).dt.total_seconds().tolist() == [0, 300, 400]


def test_pcap_and_csv_of_the_same_air_are_the_same():
    csv = write_probes("2022-10-19 15:01:16.5;" + DEVICE + ";-91;[0, 1, 221];[20722];2.0")
    with Intake("Europe/Prague") as intake:
        a = read_log(csv, "", intake, time_zone="Europe/Prague")
        b = read_log(capture(probe_frame()), "", intake)
    assert a.drop(columns="people").equals(b)


def test_a_declared_table_is_read_by_its_headers():
    log = f"seen,who,where,extra\n2026-03-06T10:00:00+01:00,{DEVICE},Saal,Quackenzilde\n".encode()
    events = read_log(log, {"seen": "time", "who": "address", "where": "zone", "extra": None})
    assert events[["time", "zone"]].to_numpy().tolist() == [[pd.Timestamp("2026-03-06 09:00"), "Saal"]]


def test_pseudonyms_of_a_sight_in_japan():
    log = "\ufeff時間,施設No,ユーザー情報\r\n2024-10-10 00:52:53,33,01ab01ab\r\n".encode()
    events = read_log(log, time_zone="Asia/Tokyo")
    assert events["time"].iloc[0] == pd.Timestamp("2024-10-09 15:52:53")
    assert not events["is_local"].any()


# --- tokens ---


def test_a_token_lasts_a_local_day_over_zones_and_files():
    with Intake("Europe/London") as intake:
        days = [
            read_log(meraki_3(place(time), ssid=number and "x"), "", intake)["token"].iloc[0]
            for number, time in enumerate(["2026-07-01T22:59:00Z", "2026-07-01T23:01:00Z", "2026-07-02T22:59:00Z"])
        ]
    assert days[0] != days[1] == days[2]  # midnight in London is 23:00 UTC in summer


def test_no_run_gives_the_tokens_of_another():
    log = meraki_3(place("2026-03-06T10:00:00Z"))
    assert read_log(log)["token"].iloc[0] != read_log(log)["token"].iloc[0]


def test_after_midnight_a_day_is_closed():
    with Intake() as intake:
        read_log(meraki_3(place("2026-03-06T10:00:00Z")), "", intake)
        intake.forget("2026-03-07")
        assert read_log(meraki_3(place("2026-03-06T10:05:00Z")), "", intake).empty
        assert aside(intake) == {"of a day whose tokens are dropped": 1}


@pytest.mark.parametrize("kind", ["real", "synthetic"])
def test_a_real_log_is_read_from_the_day_from_which_it_may_be_kept_to_the_day_of_the_run(kind: str) -> None:
    log = SimpleNamespace(is_synthetic=kind == "synthetic")
    bounds = {"keep_from": "2025-11-29", "until": "2026-11-29"}
    assert list_bounds(log, "2026-11-29", 365) == (bounds if kind == "real" else {})


def test_lists_and_retention_come_first():
    staff = "DEADFACE0B02"
    rows = [
        probe("2026-03-06 10:00:00"),
        probe("2026-03-06 10:00:00", "de:ad:fa:ce:0b:02"),
        probe("2025-03-06 10:00:00"),
        probe("2031-03-06 10:00:00"),
    ]
    with Intake("UTC", keep_from=date(2026, 1, 1), until="2026-12-31", left_out={"staff": [staff]}) as intake:
        assert len(read_log(write_probes(*rows), "", intake, time_zone="UTC")) == 1
        assert aside(intake) == {"staff": 1, "older than may be kept": 1, "a time in the future": 1}
    with pytest.raises(ParameterError, match=r"\(staff\), entry 2: this is no address"):
        Intake(left_out={"staff": [staff, "Quackenzilde"]})


def test_an_intake_cannot_be_pickled_and_forgets():
    with Intake() as intake:
        read_log(meraki_3(place("2026-03-06T10:00:00Z")), "", intake)
        with pytest.raises(TypeError):
            pickle.dumps(intake)
    assert not LEAKS.search(str(vars(intake)))


def test_an_unkeyed_hash_is_undone():
    from hashlib import sha256

    digest = sha256(b"02-00-5E-00-10-07").hexdigest()
    assert undo_hash(digest, "02-00-5E", 2**13).found
    assert not undo_hash(digest, "02-00-5F", 2**13).found
    with pytest.raises(CheckError, match="three octets"):
        undo_hash(digest, "02-00")


@given(st.integers(0, 2**48 - 1), st.sampled_from(["", ":", "-"]), st.booleans())
def test_addresses_are_read_in_any_spelling(number, separator, upper):
    text = f"{number:012x}"
    text = separator.join(text[at : at + 2] for at in range(0, 12, 2))
    assert parse_address(f" {text.upper() if upper else text} ") == number
    assert parse_address(text + "0") is None


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_none(text):
    found = parse_address(text)
    assert found is None or 0 <= found < 2**48


# --- what is wrong ---


def test_a_position_that_cannot_be_is_set_aside():
    at = "2026-03-06T10:00:0{}Z"
    log = meraki_3(
        place(at.format(0), variance=4.1e6),
        place(at.format(1), lat=-999),
        place(at.format(2), variance=9e5),
        place(at.format(3)),
    )
    with Intake() as intake:
        assert len(read_log(log, "", intake)) == 2
        assert aside(intake) == {
            "a position less certain than a kilometre": 1,
            "a position of -999, which is not known": 1,
        }
    two = meraki_2(
        {"seenEpoch": 1464785913, "rssi": 5, "clientMac": DEVICE, "location": {"lat": 51, "lng": 0, "unc": 1769073.8}}
    )
    with Intake() as intake:
        assert read_log(two, "", intake).empty


def test_the_hour_of_a_clock_change_is_set_aside():
    rows = [probe(f"2026-{day} 01:30:00") for day in ("10-25", "03-29", "03-30")]
    with Intake() as intake:
        events = read_log(write_probes(*rows), "", intake, time_zone="Europe/London")
        assert aside(intake) == {"in the hour that a clock change repeats or leaves out": 2}
    assert events["time"].tolist() == [pd.Timestamp("2026-03-30 00:30")]


def test_connections_that_end_before_they_begin():
    text = radius("Stop", 1491901530, **{"Acct-Session-Time": -5}) + radius("Start", 1491901540)
    tsv = f"macaddress\tapname\tsession_start\tsession_end\n{DEVICE}\ta\t2026-03-06T10:00:00Z\t2026-03-06T09:00:00Z\n"
    with Intake() as intake:
        assert len(read_log(text.encode(), "", intake, zone="a")) == 1
        assert read_log(tsv.encode(), "", intake).empty
        assert aside(intake) == {"a connection that ends before it begins": 2}


def test_what_comes_twice_is_read_once():
    log = meraki_3(place("2026-03-06T10:00:00Z"), place("2026-03-06T10:00:00Z"))
    with Intake() as intake:
        assert len(read_log(log, "", intake)) == 1
        assert read_log(gzip.compress(log), "", intake).empty
        assert aside(intake) == {"a record that came twice": 1, "a file that was read already": 1}


def test_rows_at_fault_are_counted():
    rows = [
        probe("2026-03-06 10:00:00"),
        probe("yesterday"),
        probe("2026-03-06 10:00:00", "quackenzilde"),
        probe("1970-01-01 00:00:09"),
        "a;b",
    ]
    with Intake() as intake:
        assert len(read_log(write_probes(*rows), "", intake, time_zone="UTC")) == 1
        assert aside(intake) == {
            "a clock that was never set": 1, "a row with another number of cells than the header": 1,
            "no address of a device": 1, "no time that can be read": 1,
        }  # fmt: skip


def test_a_capture_that_breaks_off_is_read_up_to_there():
    whole = capture(probe_frame(), probe_frame())
    with Intake() as intake:
        assert len(read_log(whole[:-30], "", intake)) == 1
        assert sum(aside(intake).values()) == 1


def test_an_access_point_that_nobody_declared_is_set_aside():
    with Intake() as intake:
        assert read_log(meraki_3(place("2026-03-06T10:00:00Z")), "", intake, zones={"00-00-5e-00-53-09": "x"}).empty
        assert aside(intake) == {"an access point without a zone": 1}


FAULTS = {
    "link type 1": capture(probe_frame(), link=1),
    "no capture": capture()[:10],
    "version 3.0": meraki_3(version="4.0"),
    "no JSON": meraki_3(place("2026-03-06T10:00:00Z"))[:-4],
    "without a zone": write_probes(probe("2026-03-06 10:00:00")),
    "no time can be read": write_probes(probe("06/03/2026 ten")),
    "e-mail": write_probes(
        probe("2026-03-06 10:00:00Z", f"{DEVICE};quackenzilde@example.org"),
        header="datetime;src;x;rssi;dot11elt;oui;occupancy",
    ),
    "names or contacts": write_probes(
        "2026-03-06 10:00:00Z;" + DEVICE + ";Quackenzilde", header="datetime;src;Full name"
    ),
    "breaks off": gzip.compress(write_probes(probe("2026-03-06 10:00:00")))[:-9],
    "layout is not known": f"a,b\n{DEVICE},1\n".encode(),
    "JSON of a layout": json.dumps([{"mac": DEVICE}]).encode(),
    "no record of RADIUS": radius("Start", "soon").encode(),
}


@pytest.mark.parametrize("expected", FAULTS)
def test_a_fault_is_told_without_what_stands_there(expected):
    with pytest.raises(SourceError, match=expected) as told:
        read_log(FAULTS[expected])
    chain = "".join(traceback.format_exception(told.value))
    assert not LEAKS.search(chain) and told.value.__context__ is None and told.value.__cause__ is None


def test_notifications_come_in_an_envelope():
    note = {"deviceId": DEVICE, "locationMapHierarchy": "House>Hall", "timestamp": 1509966135256}
    assert read_log(json.dumps({"notifications": [note]}).encode())["zone"].tolist() == ["Hall"]


def test_notifications_of_other_events_and_places_written_as_text_are_counted():
    note = {"deviceId": DEVICE, "locationMapHierarchy": "House>Hall", "lastSeen": "2026-07-06T10:00:00"}
    lost = note | {"locationCoordinate": {"x": "-999", "y": "-999"}}
    content = json.dumps({"notifications": [{"notificationType": "absence", "deviceId": DEVICE}, note, lost]}).encode()
    with Intake() as intake:
        events = read_log(content, "", intake, time_zone="Europe/London")
        assert events["time"].astype(str).tolist() == ["2026-07-06 09:00:00"]
        assert set(aside(intake).values()) == {1} and len(aside(intake)) == 2


def test_a_campus_log_of_hashes_and_other_headers():
    log = f"username\tmacaddress\tapname\tstarttime\tendtime\n{'a' * 32}\t{'b' * 64}\tlib-2\t1464785913\t1464785914\n"
    assert len(set(read_log(log.encode())["token"])) == 1
    with pytest.raises(SourceError, match="column 1 is of people's names"):
        read_log(log.replace("a" * 32, "Quackenzilde").encode())


def test_radius_from_windows_and_an_address_in_two_spellings_is_one_connection():
    spelt = f'"{DEVICE.upper().replace(":", "-")}"'
    text = radius("Start", 1491908730) + radius("Stop", 1491909030, **{"Calling-Station-Id": spelt})
    events = read_log(text.replace("\n", "\r\n").encode(), zone="hall")
    assert len(events) == 2 and len(events["token"].unique()) == 1


MADE_UP = "13:ad:fa:ce:0b:05"  # some phones make up all of it, with the bit of a group


@pytest.mark.parametrize("address", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
def test_what_is_no_address_of_one_device_is_counted(address):
    with Intake() as intake:
        rows = write_probes(probe("2026-03-06T10:00:00Z", address), probe("2026-03-06T10:00:01Z", MADE_UP))
        assert len(read_log(rows, "", intake)) == 1
        assert aside(intake) == {"no address of a device": 1}


def test_a_signal_that_none_can_be_is_missing():
    rows = [probe(f"2026-03-06T10:00:0{second}Z") for second in range(5)]
    signals = ["-70 dBm", "-70.5", "0", "60", "-999"]
    content = write_probes(*(row.replace("-70", signal) for row, signal in zip(rows, signals, strict=True)))
    assert read_log(content)["signal_dbm"].fillna(1).tolist() == [-70, -70.5, 1, 1, 1]


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-07-06 10:00:00+00", 10),
        ("2026-07-06 10:00:00.5+01", 9),
        ("2026-07-06 10:00:00 UTC", 10),
        ("2026-07-06T10:00:00 GMT", 10),
        ("Mon Jul 06 10:00:00 UTC 2026", 10),
        ("2026-07-06 10:00:00 BST", 9),
        ("2026-07-06 10:00:00,250", 9),
        ("16/07/2026 10:00:00.250", 9),
        ("16/07/26 10:00", 9),
    ],
)
def test_a_time_in_summer_is_of_the_zone_that_it_says(written, utc):
    hours = read_log(write_probes(probe(written)), time_zone="Europe/London")["time"].dt.hour
    assert hours.tolist() == [utc]


def test_an_empty_log_is_said_to_be_one():
    with pytest.raises(SourceError, match="it is empty"):
        read_log(b" \n")


def test_radius_times_with_letters_need_the_logs_zone():
    text = radius("Start", "none", **{"Event-Timestamp": '"Apr 11 2017 11:05:30 CEST"'}).encode()
    assert read_log(text, time_zone="Europe/Prague", zone="a")["time"].tolist() == [pd.Timestamp("2017-04-11 09:05:30")]
    with pytest.raises(SourceError, match="no record of RADIUS"):
        read_log(text)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda one: st.lists(one, max_size=3), max_leaves=4
)


@given(
    st.dictionaries(
        st.sampled_from(["time", "lat", "variance", "rssiRecords", "nearestApTags", "floorPlanName"]), JSON
    ),
    JSON,
)
def test_fields_of_another_kind_are_counted(fields, address):
    log = json.loads(meraki_3({**place("2026-03-06T10:00:00Z"), **fields}))
    log["data"]["observations"].append({"clientMac": address, "locations": [place("2026-03-06T10:00:00Z")]})
    with Intake() as intake:
        events = read_log(json.dumps(log).encode(), "meraki_v3", intake)
        assert len(events) + sum(aside(intake).values()) == 2


def test_a_declared_table_must_fit():
    with pytest.raises(SourceError, match="no column adress of ours"):
        read_log(b"a,b\n1,2\n", {"a": "time", "b": "adress"})
    with pytest.raises(SourceError, match="lacks who"):
        read_log(b"a,b\n1,2\n", {"a": "time", "who": "address"})
    with pytest.raises(SourceError, match=r"no layout .*Did you mean meraki_v3"):
        read_log(b"a,b\n1,2\n", "meraki_v4")


STARTS = [
    b'{"version":"3.0","type":"WiFi","data":{"observations":[{"clientMac":', b'[{"key":"EVT_WU_Roam","user":',
    b"datetime;src\n2026-03-06 10:00:00Z;", capture(probe_frame())[:60],
    b"Acct-Status-Type = Start\n\tTimestamp = ", b'[{"mapInfo":',
]  # fmt: skip


@given(st.sampled_from(STARTS), st.binary(max_size=80))
def test_no_bytes_bring_out_more_than_an_error_of_ours(start, rest):
    content = start + DEVICE.encode() + rest
    with suppress(SourceError):
        recognise(content)
    try:
        read_log(content)
    except SourceError as error:
        assert not LEAKS.search("".join(traceback.format_exception(error)))


def test_events_hold_no_address():
    events = read_log(meraki_3(place("2026-03-06T10:00:00Z")))
    assert not LEAKS.search(events.to_csv()) and not LEAKS.search(repr(pickle.dumps(events)))
    number = int(DEVICE.replace(":", ""), 16)
    assert not (events.select_dtypes("number") == number).to_numpy().any()


CONTROLLER = {"MAC Address": "address", "Last Seen": "time", "AP Name": "zone", "RSSI (dBm)": "signal_dbm"}


def write_controller(*rows: tuple[str, str]) -> bytes:
    lines = [f'{address},10.0.0.1,"{time}",hall,-60' for address, time in rows]
    return "\n".join(["MAC Address,IPv4 Address,Last Seen,AP Name,RSSI (dBm)", *lines, ""]).encode()


@pytest.mark.parametrize("written", [
    "26/03/2026 10:15:00", "03/26/2026 10:15", "03/26/2026 10:15:00 AM", "26 Mar 2026 10:15", "Mar 26, 2026 10:15:00",
    "Thu Mar 26 10:15:00 GMT 2026", "2026-03-26 10:15", "2026-03-26T10:15:00Z", "1774520100", "1774520100000",
])  # fmt: skip
@pytest.mark.parametrize("address", ["02:00:5e:10:00:01", "02-00-5E-10-00-01", "0200.5e10.0001", "02005E100001"])
def test_a_controllers_own_times_and_addresses_are_read(written, address):
    events = read_log(write_controller((address, written)), CONTROLLER, time_zone="Europe/London")
    assert events["time"].tolist() == [pd.Timestamp("2026-03-26 10:15")]
    assert events["is_local"].tolist() == [True]


@pytest.mark.parametrize(("times", "fault"), [
    (["03/04/2026 10:15", "04/05/2026 10:15"], "record 1: its dates may be day/month or month/day"),
    (["yesterday", "10:15"], "record 1: no time can be read.*Expected ISO 8601"),
])  # fmt: skip
def test_times_that_cannot_be_told_are_refused(times, fault, tmp_path):
    file = tmp_path / "clients.csv"
    file.write_bytes(write_controller(*(("02:00:5e:10:00:01", time) for time in times)))
    with pytest.raises(SourceError, match=rf"File clients.csv\. Log \(declared\), {fault}"):
        read_log(file, CONTROLLER, time_zone="Europe/London")


@pytest.mark.parametrize("day", ["25/10/2026", "29/03/2026"])
def test_the_hour_of_a_clock_change_is_set_aside_in_any_way_of_writing(day):
    rows = [("02:00:5e:10:00:01", f"{day} {hour}") for hour in ("00:30", "01:30", "02:30")]
    with Intake() as intake:
        events = read_log(write_controller(*rows), CONTROLLER, intake, time_zone="Europe/London")
        assert intake.tell().set_index("what")["rows"][TWICE_AN_HOUR] == 1
    local = events["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/London").dt.strftime("%H:%M")
    utc = events["time"].dt.strftime("%H:%M").tolist()
    assert local.tolist() == ["00:30", "02:30"]
    assert utc == (["23:30", "02:30"] if day.startswith("25") else ["00:30", "01:30"])


def test_text_as_excel_writes_it_is_read_and_a_zone_that_is_none_is_refused():
    content = write_controller(("02:00:5e:10:00:01", "26/03/2026 10:15")).decode().encode("utf-16")
    assert len(read_log(content, CONTROLLER, time_zone="Europe/London")) == 1
    with pytest.raises(ParameterError, match=r'no time zone "Europe/Lundon".*Europe/London'):
        read_log(content, CONTROLLER, time_zone="Europe/Lundon")


def inspect(tmp_path, content, told=None):
    (tmp_path / "museum_wifi.csv").write_bytes(content)
    source = load_catalogue(find_workbook()).source("museum_wifi")
    assert source.reader.endswith(":inspect_log")
    found = FoundFile(source, tmp_path / "museum_wifi.csv", "closed folder")
    return inspect_log(SimpleNamespace(read_mapping=lambda _: told), found)


def test_a_council_can_say_which_column_of_its_log_is_which(tmp_path):
    content = f"Seen at,Client MAC,AP name,Signal,Vendor\n25/06/2026 10:00,{DEVICE},Hall,-60 dBm,x\n".encode()
    guessed = inspect(tmp_path, content)
    assert "layout is not known" in guessed.fault and "councilbook columns culture museum_wifi" in guessed.fault
    expected = {"Seen at": "time", "Client MAC": "address", "AP name": "zone", "Signal": "signal_dbm", "Vendor": None}
    assert guessed.mapping == expected
    told = inspect(tmp_path, content, expected)
    assert told.fault is None and told.result.startswith("1 records")
    assert "lacks" in inspect(tmp_path, content, expected | {"Client MAC": None}).fault


@pytest.mark.parametrize("content", [f"2026-06-25 10:00,{DEVICE},Hall\n".encode(), b'{"a": 1}', b"\x00PK\x03"])
def test_of_a_log_without_a_header_nothing_is_shown(tmp_path, content):
    found = inspect(tmp_path, content)
    assert found.columns.empty and not found.mapping and not LEAKS.search(found.fault)


def test_a_log_of_a_known_layout_needs_no_telling(tmp_path):
    assert inspect(tmp_path, write_probes(probe("2026-03-06T10:00:00Z"))).result == "It is in the layout probe_csv."
