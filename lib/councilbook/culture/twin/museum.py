"""An invented museum: who passed, who came in, where they went and what they said is known; its files do not say who.

The files are those that a real one has: the log of its wifi, its diary, counted heads, a floor plan, answers on the
landing page, and the devices that are no visitor's.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.catalogue import Source, TwinRequest
from councilbook.culture.twin.devices import PHONES_TODAY, Phones, emit_frames
from councilbook.twins.places import SyntheticPlace, make_place, write_csv

NAME, TIMEZONE = "Ternwick House Museum", "Europe/London"
FIRST_DAY, WEEKS, OPEN_WEEKDAYS, OPENS, CLOSES = date(2026, 3, 2), 12, (2, 3, 4, 5, 6), 10, 17  # a clock change within
STREET = "outside"
RECTANGLES = {  # metres: left, bottom, right, top
    STREET: (-6, -5, 30, 0),
    "entrance": (0, 0, 8, 6),
    "history gallery": (8, 0, 19, 8),
    "community gallery": (19, 0, 28, 8),
    "workshop": (0, 6, 8, 14),
    "archive room": (8, 8, 14, 14),
    "cafe": (14, 8, 28, 14),
    "garden": (0, 14, 28, 26),
}
ZONES = [name for name in RECTANGLES if name != STREET]
MINUTES = dict(zip(ZONES, (2.5, 11, 8, 16, 25, 18, 9), strict=True))  # median stay
INSIDE_DBM, GARDEN_DBM, STREET_DBM = -54.0, -64.0, -82.0
STEPS = {  # where a visitor goes next; what is missing to 1 leaves
    "entrance": (0, 0.52, 0.13, 0.04, 0.02, 0.14, 0.08),
    "history gallery": (0.12, 0, 0.5, 0.08, 0.02, 0.14, 0.05),
    "community gallery": (0.16, 0.1, 0, 0.12, 0.01, 0.22, 0.12),
    "workshop": (0.2, 0.06, 0.12, 0, 0, 0.26, 0.14),
    "archive room": (0.35, 0.2, 0.03, 0, 0, 0.22, 0),
    "cafe": (0.24, 0.05, 0.05, 0.02, 0.01, 0, 0.2),
    "garden": (0.28, 0.05, 0.03, 0.03, 0, 0.25, 0),
}
MOST_STEPS = 12
PASSERS_AN_HOUR = dict(zip(range(9, 18), (24, 32, 38, 44, 46, 42, 40, 42, 34), strict=True))  # while the wifi is on
ENTERS, NEW_SIGN, DAY_SPREAD = -1.55, 0.3, 0.12  # log odds of coming in, what the new sign adds, and how days differ
AGES = {"16 to 24": 0.12, "25 to 44": 0.36, "45 to 64": 0.3, "65 and over": 0.22}
ANSWERS = dict(zip(AGES, (0.55, 0.42, 0.24, 0.13), strict=True))  # chance to answer on the landing page
CONSENT = 0.82
REASONS = {
    "an exhibition": 0.38,
    "with children": 0.22,
    "garden or cafe": 0.2,
    "an event": 0.11,
    "family history": 0.06,
    "shelter from the rain": 0.023,
    "to see the building's ghost": 0.007,
}
COUNTED_DAYS, COUNTED_EVERY = 10, 30  # minutes
PHONES = Phones(associated=0.3, frames_a_burst=1.0, bursts_a_minute=0.3)
FIXED = {"till": "entrance", "screen": "history gallery", "printer": "workshop", "next door's router": STREET}
LOG_MINUTES = 5  # between two posts of the vendor's cloud
TIMES = "datetime64[s]"
Seconds = NDArray[np.int64]


@dataclass(frozen=True)
class Museum:
    """What is true of the invented museum, and what its air showed.

    `presences` and `frames` are as in `devices.emit_frames`, presences with kind (visitor, passer-by, staff, fixed).
    `people` has a row a visitor: person, came_in, age_band, reason, been_before. `diary` has date, opens, closes, sign.
    `devices` has address (48 bits) and what, of those that are no visitor's or opted out.
    """

    presences: pd.DataFrame
    people: pd.DataFrame
    diary: pd.DataFrame
    frames: pd.DataFrame
    devices: pd.DataFrame


def make_museum(_source: Source, request: TwinRequest) -> Mapping[str, bytes]:
    """Make the museum's files, by id of the source; they are about the same people."""
    place = make_place(request.council, request.seed)
    museum, rng = draw_museum(place), place.stream("museum files")
    devices = museum.devices.assign(address=[write_address(one) for one in museum.devices["address"]])
    return {
        "museum_wifi": gzip.compress(_write_log(museum.frames, rng), 1, mtime=0),
        "museum_floor_plan": _write_plan(),
        "museum_diary": write_csv(museum.diary),
        "museum_headcounts": write_csv(count_heads(museum, rng)),
        "museum_answers": write_csv(ask_visitors(museum.people, rng)),
        "museum_devices": write_csv(devices),
    }


@lru_cache(maxsize=1)
def draw_museum(place: SyntheticPlace) -> Museum:
    """Draw the invented museum of a place."""
    rng = place.stream("museum")
    diary = _write_diary(rng)
    passing = _draw_passers(diary, rng)
    is_visitor = passing.pop("enters").to_numpy()
    visitors, people = _draw_visits(passing[is_visitor], rng)
    staff, fixed = _draw_staff(diary), _draw_fixed(diary)
    passers = passing[~is_visitor].drop(columns="closes").assign(kind="passer-by")
    presences = pd.concat([visitors, passers, staff, fixed], ignore_index=True)
    presences["person"] = pd.factorize(presences["kind"] + presences["person"].astype(str))[0]
    people["person"] = presences.loc[visitors.index[visitors["person"].diff().ne(0)], "person"].to_numpy()
    frames, devices = _emit(presences, rng)
    return Museum(presences, people, diary, frames, devices)


def write_address(address: int) -> str:
    """Write 48 bits as an access point does, as 02:00:5e:10:00:01."""
    text = f"{int(address):012x}"
    return ":".join(text[place : place + 2] for place in range(0, 12, 2))


def _write_diary(rng: np.random.Generator) -> pd.DataFrame:
    """Write what hours the museum kept, and which sign stood outside: the new one in half of the weeks, by lot."""
    is_new = rng.permutation(WEEKS) < WEEKS // 2
    rows = []
    for number in range(7 * WEEKS):
        day, week = FIRST_DAY + timedelta(number), number // 7
        is_open = day.weekday() in OPEN_WEEKDAYS
        hours = (f"{OPENS:02d}:00", f"{CLOSES:02d}:00") if is_open else ("", "")
        rows.append((day.isoformat(), *hours, "new" if is_new[week] else "old"))
    return pd.DataFrame(rows, columns=["date", "opens", "closes", "sign"])


def _local(days: "pd.Series[str]", hours: float | NDArray[np.float64]) -> "pd.Series[pd.Timestamp]":
    """Return times in UTC, naive, of local days and (fractional) hours."""
    local = pd.to_datetime(days) + pd.Series(pd.to_timedelta(np.broadcast_to(hours, len(days)), unit="h"), days.index)
    utc = local.dt.tz_localize(TIMEZONE, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    naive: pd.Series[pd.Timestamp] = utc.dt.tz_localize(None).dt.as_unit("s")
    return naive


def _draw_passers(diary: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw who comes by, for how long, and who of them comes in."""
    diary = diary[diary["opens"].ne("")].reset_index(drop=True)
    weekday = pd.to_datetime(diary["date"]).dt.day_of_week
    busy = rng.lognormal(0, 0.2, len(diary)) * np.where(weekday >= 5, 1.35, 1.0)
    numbers = rng.poisson(np.outer(busy, list(PASSERS_AN_HOUR.values())))
    day, hour = (np.repeat(grid.ravel(), numbers.ravel()) for grid in np.indices(numbers.shape))
    hours = min(PASSERS_AN_HOUR) + hour + rng.random(len(day))
    rows = diary.iloc[day].reset_index(drop=True)
    odds = ENTERS + NEW_SIGN * rows["sign"].eq("new") + rng.normal(0, DAY_SPREAD, len(diary))[day]
    lingers = rng.random(len(day)) < 0.05  # waits for a bus, or sits on the bench
    seconds = np.where(lingers, rng.lognormal(6.2, 0.5, len(day)), rng.lognormal(3.8, 0.5, len(day))).clip(10)
    is_open = (hours >= OPENS) & (hours + seconds / 3_600 < CLOSES - 0.4)
    arrived = _local(rows["date"], hours)
    return pd.DataFrame({
        "person": np.arange(len(day)),
        "zone": STREET,
        "arrived": arrived,
        "left": (arrived + pd.to_timedelta(seconds.round(), unit="s")).dt.as_unit("s"),
        "signal_dbm": rng.normal(STREET_DBM, 4, len(day)),
        "closes": _local(rows["date"], CLOSES),
        "enters": is_open & (rng.random(len(day)) < 1 / (1 + np.exp(-odds))),
    }).sort_values("arrived", kind="stable", ignore_index=True)  # fmt: skip


def _draw_visits(entering: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the way of each visitor: from the street through the zones, until they leave or the museum closes."""
    steps = np.array([STEPS[name] for name in ZONES]).cumsum(axis=1)
    at = np.zeros(len(entering), dtype=int)
    begun = entering["left"].to_numpy(TIMES).astype(np.int64)
    closes = entering["closes"].to_numpy(TIMES).astype(np.int64)
    seen, here = [entering.drop(columns="closes")], np.arange(len(entering))
    for _ in range(MOST_STEPS):
        median = np.array(list(MINUTES.values()))[at[here]]
        stay = np.maximum(60 * median * rng.lognormal(0, 0.7, len(here)), 20)
        until = np.minimum(begun[here] + stay, closes[here]).astype(np.int64)
        signal = np.where(np.array(ZONES)[at[here]] == "garden", GARDEN_DBM, INSIDE_DBM) + rng.normal(0, 4, len(here))
        stays = (begun[here], until)
        seen.append(_lay_out(entering["person"].to_numpy()[here], np.array(ZONES)[at[here]], *stays, signal))
        chosen = (rng.random(len(here))[:, None] > steps[at[here]]).sum(axis=1)
        begun[here] = until
        stays_on = (chosen < len(ZONES)) & (until < closes[here])
        at[here[stays_on]] = chosen[stays_on]
        here = here[stays_on]
    leaving = (entering["person"].to_numpy(), STREET, begun, begun + 25, rng.normal(STREET_DBM, 4, len(entering)))
    presences = pd.concat([*seen, _lay_out(*leaving)]).sort_values(["person", "arrived"], kind="stable")
    local = entering["left"].dt.tz_localize("UTC").dt.tz_convert(TIMEZONE)
    return presences.assign(kind="visitor").reset_index(drop=True), _draw_people(local, rng)


def _lay_out(person: object, zone: object, arrived: Seconds, left: Seconds, signal: object) -> pd.DataFrame:
    times = {"arrived": arrived.astype(TIMES), "left": left.astype(TIMES)}
    return pd.DataFrame({"person": person, "zone": zone, **times, "signal_dbm": signal})


def _draw_people(came_in: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Draw who the visitors are: the old come on weekdays, children at weekends."""
    weekend = (came_in.dt.day_of_week >= 5).to_numpy()
    ages = np.array(list(AGES.values())) * np.where(weekend[:, None], (1, 1.3, 0.9, 0.6), (1, 0.7, 1.1, 1.5))
    reasons = np.array(list(REASONS.values())) * np.where(
        weekend[:, None], (1, 1.5, 1, 1.3, 0.5, 1, 1), (1, 0.6, 1, 0.6, 1.5, 1, 1)
    )
    drawn = [
        np.array(names)[(rng.random(len(came_in))[:, None] * part.sum(axis=1)[:, None] > part.cumsum(axis=1)).sum(1)]
        for names, part in ((list(AGES), ages), (list(REASONS), reasons))
    ]
    before = np.where(rng.random(len(came_in)) < np.where(drawn[0] == "65 and over", 0.6, 0.35), "yes", "no")
    return pd.DataFrame({"came_in": came_in, "age_band": drawn[0], "reason": drawn[1], "been_before": before})


def _draw_staff(diary: pd.DataFrame) -> pd.DataFrame:
    """Draw the five who work there, each in a zone of their own."""
    days = diary.loc[diary["opens"].ne(""), "date"].reset_index(drop=True)
    shifts = [
        {"person": number, "zone": zone, "arrived": _local(days, OPENS - 0.7), "left": _local(days, CLOSES + 0.3)}
        for number, zone in enumerate([*ZONES[:4], "cafe"])
    ]
    return pd.concat([pd.DataFrame(one) for one in shifts]).assign(signal_dbm=INSIDE_DBM, kind="staff")


def _draw_fixed(diary: pd.DataFrame) -> pd.DataFrame:
    """Draw what never moves, as a few minutes every hour that the wifi is on; the router next door is on no list."""
    days = diary.loc[diary["opens"].ne(""), "date"].reset_index(drop=True)
    starts = pd.concat([_local(days, hour) for hour in PASSERS_AN_HOUR], ignore_index=True)
    rows = [
        pd.DataFrame({"person": name, "zone": zone, "arrived": starts, "left": starts + pd.Timedelta(minutes=40)})
        for name, zone in FIXED.items()
    ]
    fixed = pd.concat(rows).astype({"left": TIMES})
    return fixed.assign(signal_dbm=np.where(fixed["zone"].eq(STREET), STREET_DBM, INSIDE_DBM), kind="fixed")


def _emit(presences: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let the devices speak, and list those that are no visitor's, or opted out."""
    is_staff, is_fixed = presences["kind"].eq("staff"), presences["kind"].eq("fixed")
    is_listed = is_fixed & presences["zone"].ne(STREET)
    own = Phones(without=0, second=0, associated=1, frames_a_burst=1, bursts_a_minute=0.03, spread=0.1)
    router = emit_frames(presences[is_fixed & ~is_listed], rng, "global", own)
    staff = emit_frames(presences[is_staff], rng, "network", own)
    fixed = emit_frames(presences[is_listed], rng, "global", own)
    public = emit_frames(presences[~is_staff & ~is_fixed], rng, PHONES_TODAY, PHONES)
    opted = public.loc[public["network"], "address"].drop_duplicates().sample(6, random_state=rng)
    listed = {"staff": staff["address"].unique(), "fixed": fixed["address"].unique(), "opted out": opted}
    devices = pd.concat([pd.DataFrame({"address": own, "what": what}) for what, own in listed.items()])
    frames = pd.concat([public, staff, fixed, router.assign(network=False)], ignore_index=True)
    return frames.sort_values("time", kind="stable", ignore_index=True), devices.reset_index(drop=True)


def _name_access_point(zone: str) -> str:
    """Name a zone's access point by an address of the range kept for documents (RFC 7042); the street has none."""
    return f"00:00:5e:00:53:{ZONES.index(zone) + 1:02x}" if zone in ZONES else _name_access_point("entrance")


def _write_log(frames: pd.DataFrame, rng: np.random.Generator) -> bytes:
    """Write the log in the layout of Meraki's Scanning API, version 3: a post a line, a record a frame.

    As there, coordinates are text, signals of the last record as well; one position in 500 is kilometres off, and one
    post in 400 comes twice.
    """
    zones = frames["zone"].astype(str)
    corners = np.array([RECTANGLES[name] for name in zones], dtype=float)
    low, high = corners[:, :2], corners[:, 2:]
    x, y = (low + (high - low) * rng.random((len(frames), 2))).round(2).T
    far = rng.random(len(frames)) < 0.002
    variance = np.where(far, 4.1e6, rng.gamma(2, 1.5, len(frames)).round(2))
    points = zones.map({name: _name_access_point(name) for name in RECTANGLES})
    names = pd.Series({one: write_address(one) for one in frames["address"].unique()})[frames["address"]]
    posts = frames["time"].to_numpy("datetime64[s]").astype(np.int64) // (60 * LOG_MINUTES)
    times = np.datetime_as_string(frames["time"].to_numpy("datetime64[s]"))
    told = (x, y, far, variance, points, frames["signal_dbm"].astype(int), times, frames["network"], names, posts)
    seen: dict[int, dict[str, dict[str, Any]]] = {}
    for a, b, off, spread, point, dbm, time, on_network, name, post in zip(*(list(one) for one in told), strict=True):
        place = {"x": f"{-999 if off else a}", "y": f"{-999 if off else b}", "variance": spread}
        heard = {"floorPlanName": "Ground floor", "rssiRecords": [{"apMac": point, "rssi": dbm}], "time": f"{time}Z"}
        one = seen.setdefault(post, {}).setdefault(name, {"locations": []})
        one["locations"].append(place | heard)
        one |= {"ipv4": None, "ssid": NAME if on_network else None, "os": None, "clientMac": name}
        one["latestRecord"] = {"time": f"{time}Z", "nearestApMac": point, "nearestApRssi": f"{dbm}"}
        one |= {"ipv6": None, "manufacturer": None}
    head = {"version": "3.0", "secret": "invented", "type": "WiFi"}
    twice = rng.random(len(seen)) < 0.0025
    written = []
    for devices, again in zip(seen.values(), twice, strict=True):
        data = {"networkId": "L_000000000000000001", "observations": list(devices.values())}
        written.append((json.dumps(head | {"data": data}, separators=(",", ":")) + "\n") * (1 + again))
    return "".join(written).encode()


def _write_plan() -> bytes:
    """Write the floor plan: a polygon a zone, in metres from the museum's corner, with its access point."""
    features = []
    for name, (left, bottom, right, top) in RECTANGLES.items():
        ring = [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]
        point = None if name == STREET else _name_access_point(name)
        properties = {"zone": name, "access_point": point, "door": name == "entrance", "museum": NAME}
        shape = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": shape})
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1).encode()


def count_heads(museum: Museum, rng: np.random.Generator) -> pd.DataFrame:
    """Count on some open days: every half hour who is in each zone, and until the next count who comes in or passes.

    In one of 20 cells nobody wrote anything down.
    """
    days = museum.diary.loc[museum.diary["opens"].ne(""), "date"].iloc[2 :: 5 * WEEKS // COUNTED_DAYS]
    step = COUNTED_EVERY / 60
    visits = museum.presences[museum.presences["kind"].eq("visitor")]
    inside, steps = visits[visits["zone"].ne(STREET)], visits["person"].ne(visits["person"].shift())
    passed = museum.presences.loc[museum.presences["kind"].eq("passer-by"), "arrived"]
    came_in = visits.loc[steps, "left"]
    rows = []
    for day in days:
        for hour in np.arange(OPENS, CLOSES, step):
            time, until = _local(pd.Series([day, day]), np.array([hour, hour + step]))
            here = inside.loc[(inside["arrived"] <= time) & (inside["left"] > time), "zone"].value_counts()
            local = pd.Timestamp(time, tz="UTC").tz_convert(TIMEZONE).isoformat(timespec="minutes")
            rows += [(local, zone, "there", int(here.get(zone, 0))) for zone in ZONES]
            rows += [
                (local, STREET, what, int(times.between(time, until, inclusive="left").sum()))
                for what, times in (("coming in", came_in), ("passing", passed))
            ]
    counted = pd.DataFrame(rows, columns=["counted_at", "zone", "counted", "people"])
    return counted.assign(people=counted["people"].astype("Int64").mask(rng.random(len(counted)) < 0.05))


def ask_visitors(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Ask on the landing page: the young answer more often, and not everybody lets the answer be used."""
    asked = people[rng.random(len(people)) < people["age_band"].map(ANSWERS)].reset_index(drop=True)
    tokens = [f"{one:016x}" for one in rng.integers(0, 2**63, len(asked))]
    at = asked["came_in"] + pd.to_timedelta(rng.integers(60, 600, len(asked)), unit="s")
    consent = np.where(rng.random(len(asked)) < CONSENT, "yes", "no")
    fields = {"session_token": tokens, "answered_at": [one.isoformat(timespec="seconds") for one in at]}
    return asked[["age_band", "reason", "been_before"]].assign(**fields, consent=consent)[
        [*fields, "age_band", "reason", "been_before", "consent"]
    ]
