"""An invented room in which heads are counted beside a sensor, in the layout of Brno's lab, with its faults."""

import gzip
from collections.abc import Mapping

import numpy as np
import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.culture.counting.room import COMPUTERS, TIME_ZONE
from councilbook.culture.twin.devices import LOCAL, PHONES_TODAY, Phones, emit_frames
from councilbook.twins.places import make_place

ROOM_DBM, CORRIDOR_DBM, NEXT_DOOR_DBM = -57.0, -80.0, -87.0
LESSONS, MINUTES, MOST = (10.5, 11.7, 13.0, 14.2), 55, 17  # begin (local hours), last, and hold so many people at most
OPENS, CLOSES, PASSERS_AN_HOUR, NEXT_DOOR = 9.25, 15.75, 30, 8
NEVER_COUNTED, NOBODY_THERE = 20230403, (20221124, 20230415)  # days of the same faults and silence at Brno
PHONES_OF_2022: Mapping[str, float] = {"global": 0.2, "network": 0.3, "day": 0.2, "hour": 0.1, "burst": 0.2}
PHONES = Phones(bursts_a_minute=0.3, frames_a_burst=2.0)
COLUMNS = [
    "datetime", "dst", "src", "src_vendor", "randomized", "rssi", "idx", "seq_num", "ch_freq", "FCfield", "ssid",
    "dot11elt", "oui", "occupancy",
]  # fmt: skip


def make_lab_day(source: Source, request: TwinRequest) -> bytes:
    """Make the file of a day: a row a probe request, times local, with how many people were in the room."""
    edition = int(source.edition or NEVER_COUNTED)
    rng = make_place(request.council, request.seed).stream(f"lab {edition}")
    day = pd.Timestamp(str(edition))
    presences = draw_day(day, rng)
    if edition in NOBODY_THERE:
        presences = presences[presences["zone"].eq("next door")]
    heard = hear_room(presences, rng, PHONES_OF_2022 if day.year < 2023 else PHONES_TODAY)
    own = len(heard) // 6
    computers = heard.sample(own, random_state=rng).assign(computer=rng.choice(COMPUTERS, own), is_local=False)
    rows = pd.concat([heard, computers], ignore_index=True).sort_values("time", kind="stable", ignore_index=True)
    times = rows["time"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE).dt.tz_localize(None)
    address = pd.Series([":".join(f"{int(one):012x}"[at : at + 2] for at in range(0, 12, 2)) for one in rows["token"]])
    elements = "[0, 1, 50, 3, 45, " + (rows["fingerprint"] % 90 + 100).astype(str) + ", 221]"
    written = pd.DataFrame({
        "datetime": times.dt.strftime("%Y-%m-%d %H:%M:%S.%f"), "dst": "ff:ff:ff:ff:ff:ff",
        "src": rows["computer"].fillna(address), "src_vendor": "", "randomized": rows["is_local"].astype(int),
        "rssi": rows["signal_dbm"].astype(int), "idx": np.arange(len(rows)), "seq_num": np.arange(len(rows)) % 4096,
        "ch_freq": 2417, "FCfield": "", "ssid": "", "dot11elt": elements,
        "oui": "[" + (rows["fingerprint"] % 9000).astype(str) + "]",
        "occupancy": 0.0 if edition == NEVER_COUNTED else rows["people"].astype(float),
    })[COLUMNS]  # fmt: skip
    return gzip.compress(written.to_csv(index=False, sep=";").encode(), 1, mtime=0)


def draw_day(day: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Draw who was in the room, in the corridor and next door on a day: presences as in `devices.emit_frames`."""
    starts = day.tz_localize(TIME_ZONE).tz_convert("UTC").tz_localize(None)
    parts = []
    for begins in LESSONS:
        number = int(rng.integers(2, MOST + 1)) if rng.random() < 0.9 else 0
        arrived = begins + rng.normal(-0.03, 0.05, number)
        parts.append(("room", arrived, begins + MINUTES / 60 + rng.normal(0, 0.06, number), ROOM_DBM, 5.0))
    passing = rng.uniform(OPENS, CLOSES, rng.poisson(PASSERS_AN_HOUR * (CLOSES - OPENS)))
    parts.append(("corridor", passing, passing + rng.uniform(20, 150, len(passing)) / 3600, CORRIDOR_DBM, 4.0))
    next_door = np.full(NEXT_DOOR, OPENS)
    parts.append(("next door", next_door, np.full(NEXT_DOOR, CLOSES), NEXT_DOOR_DBM, 3.0))
    rows = pd.concat([
        pd.DataFrame({"zone": zone, "from": begun, "to": ended, "signal_dbm": rng.normal(dbm, spread, len(begun))})
        for zone, begun, ended, dbm, spread in parts
    ], ignore_index=True)  # fmt: skip
    times = {name: (starts + pd.to_timedelta(rows.pop(end), unit="h")).astype("datetime64[s]")
             for name, end in (("arrived", "from"), ("left", "to"))}  # fmt: skip
    return rows.assign(person=np.arange(len(rows)), **times)


def hear_room(presences: pd.DataFrame, rng: np.random.Generator, policy: str | Mapping[str, float]) -> pd.DataFrame:
    """Hear a day by one sensor: events as the wifi room reads them, with how many people were in the room at each."""
    frames = emit_frames(presences, rng, policy, PHONES)
    inside, time = presences[presences["zone"].eq("room")], frames["time"].to_numpy()
    came, went = (np.sort(inside[name].to_numpy("datetime64[us]")) for name in ("arrived", "left"))
    people = np.searchsorted(came, time, "right") - np.searchsorted(went, time, "right")
    return frames.rename(columns={"address": "token"}).assign(
        zone="lab", is_local=(frames["address"].to_numpy() & LOCAL) > 0, people=people.astype(float)
    )
