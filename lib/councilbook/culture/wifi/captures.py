"""What is captured off the air or off the wire: probe requests in pcap, and RADIUS accounting."""

import io
import re
import struct
from datetime import datetime
from typing import Any

import dpkt  # type: ignore[import-untyped]
import numpy as np

from councilbook.culture.wifi.intake import Heard, Intake, Setting, localise
from councilbook.culture.wifi.payloads import NO_RECORD, Mark, connect, gather
from councilbook.culture.wifi.tables import ZoneNames, from_seconds
from councilbook.errors import SourceError

RADIOTAP = 127  # the link type of frames with a radiotap header
MANAGEMENT, PROBE_REQUEST, SSID, VENDOR = 0, 4, 0, 221
ATTRIBUTE = re.compile(r'^\s+([\w-]+) = "?([^"\n]*)"?\s*$', re.MULTILINE)
BEGINS, ENDS = ("Start", "Accounting-On"), ("Stop", "Accounting-Off")
STAMP = "%b %d %Y %H:%M:%S"
CUT_OFF = "a frame that is cut off"


def read_pcap(content: bytes, setting: Setting, intake: Intake, log: str) -> Heard:
    """Read the probe requests of a capture with radiotap headers; times of a capture are UTC.

    The name of the network that a probe asks for is not read: it may say where somebody lives. A capture that breaks
    off is read up to there.

    Raises:
        SourceError: it is no capture, or of another link type.
    """
    try:
        reader: Any = dpkt.pcap.UniversalReader(io.BytesIO(content))
        link = reader.datalink()
    except (ValueError, dpkt.dpkt.Error, struct.error):
        link = None
    if link != RADIOTAP:
        told = "no capture that can be read" if link is None else f"a capture of link type {link}"
        raise SourceError(f"Log ({log}): {told}. Expected pcap of link type {RADIOTAP}, radiotap.")
    seconds: list[float] = []
    addresses: list[int] = []
    signals: list[float] = []
    elements: list[str] = []
    frames = iter(reader)
    while (frame := _take_next(frames, intake, log)) is not None:
        stamp, buffer = frame
        try:
            radio = dpkt.radiotap.Radiotap(buffer)
            signal = float(struct.unpack("b", bytes(radio.ant_sig))[0]) if radio.ant_sig_present else np.nan
            found = _read_probe(buffer[radio.length :])
        except (dpkt.dpkt.Error, struct.error, IndexError, AttributeError, TypeError):
            intake.count(log, CUT_OFF, 1)
            continue
        if found is None:
            intake.count(log, "a frame of another kind", 1)
            continue
        seconds.append(float(stamp))
        addresses.append(found[0])
        signals.append(signal)
        elements.append(found[1])
    unique, number = np.unique(np.array(addresses, np.uint64), return_inverse=True)
    zone = np.full(len(seconds), setting.zone or "sensor", object)
    return Heard(
        from_seconds(np.array(seconds, float)), zone, number.astype(np.int64), unique.tolist(),
        np.array(signals, float), elements=np.array(elements, object),
    )  # fmt: skip


def _take_next(frames: Any, intake: Intake, log: str) -> tuple[float, bytes] | None:
    try:
        found: tuple[float, bytes] | None = next(frames, None)
    except (dpkt.dpkt.Error, struct.error, ValueError):
        intake.count(log, CUT_OFF, 1)
        return None
    return found


def _read_probe(frame: bytes) -> tuple[int, str] | None:
    """Return the source and the kinds of information elements of a probe request; None if it is another frame."""
    kind, sub = (frame[0] >> 2) & 3, frame[0] >> 4
    if (kind, sub) != (MANAGEMENT, PROBE_REQUEST):
        return None
    if len(frame) < 24:
        raise dpkt.dpkt.NeedData
    kinds, vendors, at = [], [], 24
    while at + 2 <= len(frame):
        number, size = frame[at], frame[at + 1]
        body = frame[at + 2 : at + 2 + size]
        if len(body) < size:
            break  # the frame's check sum stands behind the last element
        kinds.append(number)
        if number == VENDOR and size >= 3:
            vendors.append(int.from_bytes(body[:3], "big"))
        at += 2 + size
    return int.from_bytes(frame[10:16], "big"), f"{kinds}|{vendors}"


def read_radius(content: bytes, setting: Setting, intake: Intake, log: str) -> Heard:
    """Read RADIUS accounting as FreeRADIUS writes it (`detail`; RFC 2866), whose records begin and end connections.

    A connected device is heard every five minutes until it leaves. The name of its user is not read.

    Raises:
        SourceError: there is no record in it.
    """
    zones, marks = ZoneNames(setting), list[Mark]()
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    records = [one for one in re.split(r"\n\s*\n", text) if one.strip()]
    for record in records:
        fields = dict(ATTRIBUTE.findall(record))
        status, at = fields.get("Acct-Status-Type", ""), _read_stamp(fields, setting.time_zone)
        if (
            status not in (*BEGINS, *ENDS, "Interim-Update", "Alive")
            or "Calling-Station-Id" not in fields
            or at is None
        ):
            intake.count(log, NO_RECORD, 1)
            continue
        point = fields.get("Called-Station-Id", "").partition(":")[0]
        names = [point, fields.get("NAS-Identifier", "")]
        lasted = fields.get("Acct-Session-Time", "") if status in ENDS else ""
        seconds = float(lasted) if re.fullmatch(r"-?\d+", lasted) else np.nan
        zone, address = zones.find(names), fields["Calling-Station-Id"]
        marks.append(Mark(at, zone, address, status in BEGINS, status in ENDS, seconds))
    if records and not marks:
        raise SourceError(f"Log ({log}): no record of RADIUS accounting with a device and a time can be read in it.")
    return gather(connect(marks, intake, log), intake, log)


def _read_stamp(fields: dict[str, str], time_zone: str | None) -> float | None:
    """Return when a record was written, in seconds since 1970; letters of a zone mean what the log's zone says."""
    for name in ("Timestamp", "Event-Timestamp"):
        if re.fullmatch(r"\d{9,11}", fields.get(name, "")):
            return float(fields[name])
    text, _, letters = fields.get("Event-Timestamp", "").rpartition(" ")
    zone = "UTC" if letters in ("UTC", "GMT") else time_zone
    try:
        naive = np.array([datetime.strptime(text, STAMP)], "datetime64[us]")  # noqa: DTZ007
    except ValueError:
        return None
    utc = localise(naive, zone)[0][0] if zone else np.datetime64("NaT")
    return None if np.isnat(utc) else float((utc - np.datetime64(0, "s")) / np.timedelta64(1, "s"))
