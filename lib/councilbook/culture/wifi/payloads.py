"""Logs in JSON: what Meraki's Scanning API and Cisco's CMX send, and the events of a UniFi controller."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from councilbook.culture.wifi.intake import Heard, Intake, Setting, number_addresses, parse_address
from councilbook.culture.wifi.tables import ZoneNames, fill_marks, read_times
from councilbook.errors import SourceError

NOISE_FLOOR_DBM = -95.0  # Meraki's v2 gives the signal above it, as "rssi" (Meraki, Scanning API 2.0)
UNKNOWN = -999  # Cisco's word for a coordinate that it does not know
MOST_UNCERTAIN_M = 1000.0  # a position less certain than this says nothing about where a device was
UNCERTAIN, NOWHERE = "a position less certain than a kilometre", "a position of -999, which is not known"
NO_RECORD, BLUETOOTH = "a record without what its layout has", "a payload about Bluetooth"
UNIFI = {f"EVT_W{who}_{what}" for who in "UG" for what in ("Connected", "Disconnected", "Roam", "RoamRadio")}
GAP = re.compile(r"[\s,]*")  # between two payloads
LONGEST_GAP_SECONDS = 86_400  # between two events of a connection; a longer one lost its end


class Row(NamedTuple):
    """What was heard once, before it is made safe."""

    time: str
    zone: str | None
    address: str
    signal_dbm: float = np.nan
    network: bool = False
    elements: str = ""


def gather(rows: list[Row], intake: Intake, log: str, time_zone: str | None = None) -> Heard:
    """Gather rows into arrays, each once; see `tables.read_times` for the times and what is raised."""
    listed = list(dict.fromkeys(rows))
    intake.count(log, "a record that came twice", len(rows) - len(listed))
    columns = list(zip(*listed, strict=True)) or [()] * len(Row._fields)
    time, doubtful = read_times(np.array(columns[0], object), time_zone, log)
    numbers, identifiers = number_addresses(columns[2])
    zone, elements = np.array(columns[1], object), np.array(columns[5], object)
    signal, network = np.array(columns[3], float), np.array(columns[4], bool)
    return Heard(time, zone, numbers, identifiers, signal, network, elements, doubtful=doubtful)


def recognise_payload(head: str) -> str:
    """Recognise a layout by the names of its fields.

    Raises:
        SourceError: it is none of them.
    """
    signs = {
        "unifi": '"EVT_', "cmx_v3": '"locationMapHierarchy"', "cmx_v2": '"mapInfo"',
        "meraki_v2": '"DevicesSeen"', "meraki_v3": '"observations"',
    }  # fmt: skip
    for layout, sign in signs.items():
        if sign in head:
            return layout
    raise SourceError(f"Log: JSON of a layout that is not known. Known: {', '.join(signs)}.")


def parse_payloads(content: bytes, log: str) -> list[Any]:
    """Parse a JSON value, a list of them, or several one after the other, on a line each or on many.

    Raises:
        SourceError: it is no JSON, or breaks off; the message names the line.
    """
    line, values, parse = 1, list[Any](), json.JSONDecoder().raw_decode
    try:
        text = content.decode("utf-8-sig")
        gap = GAP.match(text)
        while gap and gap.end() < len(text):
            value, end = parse(text, gap.end())
            values.append(value)
            gap = GAP.match(text, end)
        line = 0 if values else 1
    except json.JSONDecodeError as error:
        line = error.lineno
    except (UnicodeDecodeError, RecursionError):
        line = 1
    if line:  # raised here, as the parser's own error holds the whole text
        raise SourceError(f"Log ({log}), line {line}: this is no JSON, or it breaks off.")
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def read_meraki(content: bytes, setting: Setting, intake: Intake, log: str) -> Heard:
    """Read what Meraki's Scanning API posts, version 2 (an access point) or 3 (a network).

    In version 2 a signal is how far it is above the noise: 95 is taken off, but for one below zero, which is in dBm. A
    device is where the access point is that hears it best; a position less certain than MOST_UNCERTAIN_M sets the
    record aside. What the cloud posts of Bluetooth to the same address is left out, and counted.

    Raises:
        SourceError: it is no JSON, of another version, or not about wifi.
    """
    version = {"meraki_v2": ("2.0", "DevicesSeen"), "meraki_v3": ("3.0", "WiFi")}[log]
    zones, rows = ZoneNames(setting), list[Row]()
    posted = parse_payloads(content, log)
    kinds = [(one.get("version"), one.get("type")) if isinstance(one, dict) else (None, None) for one in posted]
    for number, (payload, told) in enumerate(zip(posted, kinds, strict=True), start=1):
        if version in kinds and told[0] == version[0] and "Bluetooth" in str(told[1]):
            intake.count(log, BLUETOOTH, 1)
            continue
        if told != version:
            raise SourceError(
                f"Log ({log}), payload {number}: expected version {version[0]} of type {version[1]}. Another version "
                "has other fields, and Bluetooth is not read."
            )
        data = payload.get("data")
        seen = data.get("observations") if isinstance(data, dict) else None
        if not isinstance(seen, list):
            intake.count(log, NO_RECORD, 1)
            continue
        read = _read_seen if log == "meraki_v2" else _read_observation
        points = _name_points(data.get("reportingAps"))
        for one in seen:
            rows += _take(read, one, data, points, zones, intake=intake, log=log)
    return gather(rows, intake, log, setting.time_zone)


def _name_points(reporting: Any) -> dict[str, list[str]]:
    """Return what an access point goes by, by its address: its tag if it has one alone, its floor, name and serial."""
    points = {}
    for one in reporting if isinstance(reporting, list) else []:
        if isinstance(one, dict) and isinstance(one.get("mac"), str):
            floor = one["floorPlan"].get("name") if isinstance(one.get("floorPlan"), dict) else None
            tags = list(filter(None, one.get("tags") or []))
            named = [*tags, floor] if len(tags) == 1 else [floor, *tags]
            points[one["mac"]] = [str(name) for name in (*named, one.get("name"), one.get("serial")) if name]
    return points


def _take(read: Any, record: Any, *given: Any, intake: Intake, log: str) -> list[Any]:
    """Read one record; one that lacks a field is counted. What its error says is let go: it may be an address."""
    try:
        found = list(read(record, *given))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        intake.count(log, NO_RECORD, 1)
        return []
    for why in [one for one in found if isinstance(one, str)]:
        intake.count(log, why, 1)
    return [one for one in found if not isinstance(one, str)]


def _find_doubt(place: Mapping[str, Any], metres: float) -> str:
    """Say what is wrong with a position; nothing if all is well, or there is none."""
    if any(_number(place.get(name)) == UNKNOWN for name in ("lat", "lng")):
        return NOWHERE
    return UNCERTAIN if metres > MOST_UNCERTAIN_M else ""


def _number(value: Any) -> float:
    return float(value) if value not in (None, "") else np.nan


def _read_seen(one: Mapping[str, Any], data: Mapping[str, Any], _: object, zones: ZoneNames) -> Iterator[Any]:
    place = one.get("location") or {}
    if doubt := _find_doubt(place, _number(place.get("unc"))):
        yield doubt
        return
    names = [data["apMac"], *filter(None, data.get("apTags") or []), *filter(None, data.get("apFloors") or [])]
    time, signal = one.get("seenEpoch") or one["seenTime"], _number(one.get("rssi"))
    signal += 0 if signal < 0 else NOISE_FLOOR_DBM
    yield Row(str(time), zones.find(names), str(one["clientMac"]), signal, bool(one.get("ssid")))


def _read_observation(
    one: Mapping[str, Any], _: object, points: Mapping[str, list[str]], zones: ZoneNames
) -> Iterator[Any]:
    address, network, latest = str(one["clientMac"]), bool(one.get("ssid")), one.get("latestRecord") or {}
    times = set()
    for place in one.get("locations") or []:
        times.add(place["time"])
        metres = _number(place.get("variance")) ** 0.5
        if doubt := _find_doubt(place, metres):
            yield doubt
            continue
        heard = sorted(place.get("rssiRecords") or [], key=lambda record: -float(record["rssi"]))
        tags = list(filter(None, place.get("nearestApTags") or []))
        floor = [place.get("floorPlanName") or ""]
        best = [heard[0]["apMac"]] if heard else []
        names = best + (tags + floor if len(tags) == 1 else floor + tags) + points.get("".join(best), [])
        signal = float(heard[0]["rssi"]) if heard else np.nan
        yield Row(str(place["time"]), zones.find(names), address, signal, network)
    if latest.get("time") and latest["time"] not in times:
        point, signal = latest["nearestApMac"], _number(latest["nearestApRssi"])
        yield Row(str(latest["time"]), zones.find([point, *points.get(point, [])]), address, signal, network)


def read_cmx(content: bytes, setting: Setting, intake: Intake, log: str) -> Heard:
    """Read what Cisco's CMX says of its clients: version 2 (asked for) or 3 (notified).

    A zone is the last part of the place in the hierarchy of maps. That the geographic position is -999 is usual, and
    takes nothing away; a record whose place on the map is -999 is set aside.

    Raises:
        SourceError: it is no JSON, or of another version.
    """
    zones, rows = ZoneNames(setting), list[Row]()
    sign, other = ("mapInfo", "locationMapHierarchy") if log == "cmx_v2" else ("locationMapHierarchy", "mapInfo")
    payloads = parse_payloads(content, log)
    posted = [one["notifications"] if isinstance(one, dict) and "notifications" in one else [one] for one in payloads]
    records = [one for part in posted for one in part]
    is_any = any(isinstance(record, dict) and sign in record for record in records)  # others may be of other events
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict) or (sign not in record and (other in record or not is_any)):
            raise SourceError(f"Log ({log}), record {number}: expected the field {sign}; this is another version.")
        rows += _take(_read_client, record, zones, log, intake=intake, log=log)
    return gather(rows, intake, log, setting.time_zone)


def _read_client(one: Mapping[str, Any], zones: ZoneNames, log: str) -> Iterator[Any]:
    if log == "cmx_v2":
        told, place, address = one["statistics"], one.get("mapCoordinate") or {}, one["macAddress"]
        where, time = one["mapInfo"]["mapHierarchyString"], told["lastLocatedTime"]
        connected = one.get("dot11Status") == "ASSOCIATED"
    else:
        told, place, address = one, one.get("locationCoordinate") or {}, one["deviceId"]
        where, time = one["locationMapHierarchy"], one.get("timestamp") or one["lastSeen"]
        connected = bool(one.get("associated"))
    if UNKNOWN in (_number(place.get("x")), _number(place.get("y"))):
        yield NOWHERE
        return
    names = [one.get("apMacAddress") or "", *where.split(">")[::-1]]
    signal = _number((told.get("maxDetectedRssi") or {}).get("rssi"))
    yield Row(str(time), zones.find(names), str(address), signal, connected)


def read_unifi(content: bytes, setting: Setting, intake: Intake, log: str) -> Heard:
    """Read the events of a UniFi controller: who came on its network, roamed to another access point, or left.

    Between two events of a connection the device is heard every five minutes where it was last. Other events are left.

    Raises:
        SourceError: it is no JSON.
    """
    payload = parse_payloads(content, log)
    events = [
        one for part in payload for one in (part["data"] if isinstance(part, dict) and "data" in part else [part])
    ]
    zones, marks = ZoneNames(setting), list[Mark]()
    for one in events:
        if isinstance(one, dict) and one.get("key") in UNIFI:
            marks += _take(_read_event, one, zones, intake=intake, log=log)
        else:
            intake.count(log, "an event of another kind", 1)
    return gather(connect(marks, intake, log), intake, log)


class Mark(NamedTuple):
    """An event of a connection, in seconds since 1970; it began so many `seconds` before, if that is told."""

    at: float
    zone: str | None
    address: str
    begins: bool
    ends: bool
    seconds: float = np.nan


def _read_event(one: Mapping[str, Any], zones: ZoneNames) -> Iterator[Mark]:
    what = one["key"].rsplit("_", 1)[-1]
    names = [one.get("ap_to") or one["ap"], one.get("ap_displayName") or one.get("ap_name") or ""]
    ends, address = what == "Disconnected", one.get("user") or one["guest"]
    seconds = _number(one.get("duration")) if ends else np.nan
    yield Mark(float(one["time"]) / 1000, zones.find(names), str(address), what == "Connected", ends, seconds)


def connect(marks: list[Mark], intake: Intake, log: str) -> list[Row]:
    """Hear each device at its events, and every five minutes from one to the next while its connection lasts, in order.

    A connection that says that it ends before it began is set aside with its end, and counted.
    """
    negative = [mark for mark in marks if mark.seconds < 0]
    intake.count(log, "a connection that ends before it begins", len(negative))
    told, rows = dict[int | str, list[Mark]](), list[Row]()  # one access point may spell an address as another does not
    for mark in marks:
        if not mark.seconds < 0:
            told.setdefault(parse_address(mark.address) or mark.address, []).append(mark)
    for own in told.values():
        known = {round(mark.at) for mark in own}
        began = [mark._replace(at=mark.at - mark.seconds, begins=True, ends=False) for mark in own if mark.seconds > 0]
        own += [mark for mark in began if round(mark.at) not in known]
        own.sort(key=lambda mark: (mark.at, mark.begins))
        for mark, after in zip(own, [*own[1:], None], strict=True):
            lasts = after.at - mark.at if after and not (mark.ends or after.begins) else 0.0
            lasts = lasts if lasts <= LONGEST_GAP_SECONDS else 0.0
            start = np.array([round(mark.at * 1e6)]).view("datetime64[us]")
            for time in fill_marks(start, np.array([lasts]))[1][: -1 if lasts else None]:
                rows.append(Row(f"{time}Z", mark.zone, mark.address, network=True))
    return sorted(rows, key=lambda row: row.time)
