"""Whether a log can be believed: is an identifier one device, do clocks go on, do counted heads say the same?

A log that fails a check gives no visitor counts and no journeys. Its stays can still be found: they are what was
heard, of whatever an identifier stands for.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from councilbook.errors import NotToldError

PLACES, SHARE, CLOCKS, HEADS = (
    "An identifier is in one place at a time",
    "No identifier has an outsized share",
    "Clocks do not jump",
    "Counted heads do not contradict",
)
PASSED, FAILED, NOT_ASKED = "holds", "does not hold", "cannot be asked"
QUARTER, FIXED_BLOCK = "15min", "3h"
LEAST_BLOCKS = 5  # of three hours: nobody's visit lasts so long
FIXED_SHARE = 0.85  # of the blocks of a zone's day in which anything was heard
STEADY = (0.5, 2.5)  # times its median block: an identifier that many share is heard more when there are more people
NEAR_KM, EARTH_KM = 1.0, 6371.0
# When a check fails. Real clocks differ by a second now and then, and two sensors near each other hear the same phone.
# A shared identifier is at two places all the time.
TWO_PLACES_PCT = 1.0  # of all seconds in which an identifier was heard
# Of a place's day, in minutes in which an identifier was heard and in records, fixed devices left out. On the 19 days
# of Brno's sensor, with real addresses, no phone has more than 11 % of the minutes, and up to 30 % of the records. On
# the 13 days of sights in Kanazawa, whose identifiers many devices share, one has 18 to 39 % and 31 to 71 %.
SHARE_PCT, RECORDS_PCT = 15.0, 25.0
LEAST_TOKENS, LEAST_MINUTES = 20, 120  # where fewer are heard, or a device less long, a large share is nothing unusual
DAYS_PCT = 5.0  # of the days of places, which may have an outsized share by chance
BACK = pd.Timedelta(minutes=10)  # a cloud posts some minutes at a time, device by device, so a few minutes are usual
SILENCE = pd.Timedelta(minutes=30)  # after which the same identifiers as before go on at once: a clock was put forward
EMPTY_TOKENS = 100  # in a quarter of an hour of a day without anybody, where no other day says what is usual


def check_log(
    events: pd.DataFrame, counted: pd.DataFrame | None = None, *, places: Mapping[str, str] | None = None,
    positions: pd.DataFrame | None = None, time_zone: str = "Europe/London",
) -> pd.DataFrame:  # fmt: skip
    """Check a log, before fixed devices are taken off.

    Args:
        events: as read, in the order of the log.
        counted: time (UTC) and people, where heads were counted; or else the column people of the events.
        places: the place of each zone, where several zones are one place, as those of one building are.
        positions: zone, latitude, longitude; then two places are a kilometre apart or more, within a minute.
        time_zone: whose midnight ends a day.

    Returns:
        A row a check: check, verdict, found, asked (of how many), case (what is counted), limit (in words).

    Raises:
        NotToldError: there is no event.
    """
    if events.empty:
        raise NotToldError("The log holds no record that may be read.")
    told = events.assign(day=_find_day(events["time"], time_zone))
    if counted is None and "people" in events:
        counted = events.loc[events["people"].notna(), ["time", "people"]]
    rows = [
        _check_places(told, places, positions), _check_shares(told, places, time_zone), _check_clocks(told),
        _check_heads(told, counted, time_zone),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["check", "verdict", "found", "asked", "case", "limit"])


def require_belief(checked: pd.DataFrame, name: str) -> None:
    """Refuse visitor counts and journeys from a log that fails a check.

    Raises:
        NotToldError: it fails one; the first sentence may be shown.
    """
    failed = checked.loc[checked["verdict"].eq(FAILED), "check"]
    if len(failed):
        raise NotToldError(f"{name} gives no visitor counts and no journeys, as a check fails: {'; '.join(failed)}.")


def _find_day(utc: "pd.Series[pd.Timestamp]", time_zone: str) -> "pd.Series[pd.Timestamp]":
    return utc.dt.tz_localize("UTC").dt.tz_convert(time_zone).dt.tz_localize(None).dt.floor("D")


def _row(check: str, found: int, asked: int, most_pct: float, unit: str, limit: str) -> tuple[object, ...]:
    verdict = NOT_ASKED if asked == 0 else FAILED if 100 * found > most_pct * asked else PASSED
    return check, verdict, int(found), int(asked), unit, limit


def _check_places(
    events: pd.DataFrame, places: Mapping[str, str] | None, positions: pd.DataFrame | None
) -> tuple[object, ...]:
    step = "s" if positions is None else "min"
    place = _place_zones(events["zone"], places)
    seen = pd.DataFrame({"token": events["token"], "time": events["time"].dt.floor(step), "place": place})
    seen = seen.drop_duplicates()
    several = seen[seen.duplicated(["token", "time"], keep=False)]
    found = several.drop_duplicates(["token", "time"])
    if positions is not None:
        where = positions.drop_duplicates("zone").set_index("zone")[["latitude", "longitude"]]
        at = np.radians(where.reindex(several["place"]).to_numpy(float))
        shape = np.column_stack(
            [np.cos(at[:, 0]) * np.cos(at[:, 1]), np.cos(at[:, 0]) * np.sin(at[:, 1]), np.sin(at[:, 0])]
        )
        spread = pd.DataFrame(EARTH_KM * shape).groupby([several["token"].to_numpy(), several["time"].to_numpy()])
        apart = np.sqrt(((spread.max() - spread.min()) ** 2).sum(axis=1))
        found = apart[apart > NEAR_KM]
    asked = len(seen.drop_duplicates(["token", "time"])) if len(place.unique()) > 1 else 0
    unit = f"{'seconds' if positions is None else 'minutes'} in which an identifier was heard"
    far = "" if positions is None else ", more than a kilometre apart"
    limit = f"at two places{far} in {TWO_PLACES_PCT:g} % at most"
    return _row(PLACES, len(found), asked, TWO_PLACES_PCT, unit, limit)


def _check_shares(events: pd.DataFrame, places: Mapping[str, str] | None, time_zone: str) -> tuple[object, ...]:
    shares = find_shares(events, time_zone, places)
    shares = shares[shares["tokens"] >= LEAST_TOKENS]
    is_outsized = (shares["minutes_share_pct"] > SHARE_PCT) & (shares["minutes"] >= LEAST_MINUTES)
    is_outsized &= shares["share_pct"] > RECORDS_PCT
    limit = (
        f"one identifier with more than {RECORDS_PCT:g} % of a place's records of a day and {SHARE_PCT:g} % of its "
        f"minutes, on {DAYS_PCT:g} % of days at most"
    )
    return _row(SHARE, int(is_outsized.sum()), len(shares), DAYS_PCT, "days of places", limit)


def find_shares(
    events: pd.DataFrame, time_zone: str = "Europe/London", places: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Find the largest share that one identifier, which is no fixed device, has of a place's day.

    Returns:
        place, day, events, tokens; share_pct (of events), minutes (in which one identifier was heard, at most) and
        minutes_share_pct (of the minutes of all identifiers).
    """
    others = events[~find_fixed(events, time_zone)]
    place, day = _place_zones(others["zone"], places), _find_day(others["time"], time_zone)
    told = pd.DataFrame(
        {"place": place, "day": day, "token": others["token"], "minute": others["time"].dt.floor("min")}
    )
    by = ["place", "day"]
    each, minutes = (rows.groupby([*by, "token"]).size().groupby(by) for rows in (told, told.drop_duplicates()))
    return pd.DataFrame({
        "events": each.sum(), "tokens": each.size(), "share_pct": 100 * each.max() / each.sum(),
        "minutes": minutes.max(), "minutes_share_pct": 100 * minutes.max() / minutes.sum(),
    }).reset_index()  # fmt: skip


def _place_zones(zone: "pd.Series[str]", places: Mapping[str, str] | None) -> "pd.Series[str]":
    """Return the place of each event: its zone, where no other is said."""
    names = zone.astype("str")
    return names.map(lambda name: (places or {}).get(name, name))


def _check_clocks(events: pd.DataFrame) -> tuple[object, ...]:
    """Count steps back, and silences over which most of the same identifiers go on, by zone and day, as logged.

    A log that has the newest first is turned round. Logs of connections are put in order as they are read.
    """
    jumps = 0
    for _, own in events.groupby([events["zone"].astype("str"), "day"], sort=False):
        time, token = own["time"].to_numpy(), own["token"].to_numpy()
        if (time[1:] < time[:-1]).sum() > (time[1:] > time[:-1]).sum():
            time, token = time[::-1], token[::-1]
        is_behind = np.maximum.accumulate(time) - time > BACK.to_timedelta64()
        jumps += int((is_behind[1:] & ~is_behind[:-1]).sum())
        order = np.argsort(time, kind="stable")
        time, token, near = time[order], token[order], np.timedelta64(5, "m")
        for row in np.flatnonzero(np.diff(time) > SILENCE.to_timedelta64()):
            before = set(token[np.searchsorted(time, time[row] - near) : row + 1])
            after = set(token[row + 1 : np.searchsorted(time, time[row + 1] + near, "right")])
            jumps += len(before & after) >= max(5, 0.5 * len(before | after))
    words = f"no step back of more than {BACK.seconds / 60:g} minutes, and no silence over which all the same go on"
    return _row(CLOCKS, jumps, len(events), 0.0, "events", words)


def _check_heads(events: pd.DataFrame, counted: pd.DataFrame | None, time_zone: str) -> tuple[object, ...]:
    """Count days without anybody on which a quarter of an hour was busier than is usual with people there."""
    words = "no day without anybody on which more is heard than is usual with people there"
    if counted is None or counted.empty:
        return _row(HEADS, 0, 0, 0.0, "counted days", words)
    heads = counted.assign(day=_find_day(counted["time"], time_zone), quarter=counted["time"].dt.floor(QUARTER))
    heard = events.groupby(events["time"].dt.floor(QUARTER))["token"].nunique()
    quarters = heads.groupby("quarter").agg(people=("people", "max"), day=("day", "first"))
    quarters["heard"] = heard.reindex(quarters.index).fillna(0)
    days = quarters.groupby("day").agg(people=("people", "max"), busiest=("heard", "max"))
    usual = quarters.loc[quarters["people"] > 0, "heard"]
    most = max(float(usual.median()), EMPTY_TOKENS / 2) if len(usual) else EMPTY_TOKENS
    found = int(((days["people"] == 0) & (days["busiest"] > most)).sum())
    return _row(HEADS, found, len(days), 0.0, "counted days", words)


def find_fixed(events: pd.DataFrame, time_zone: str = "Europe/London") -> "pd.Series[bool]":
    """Tell which events are of a fixed device: one that a zone hears as steadily by night as by day.

    That is in nearly all three-hour blocks of a day, over 13 hours of it at least, and in each about as often. Days
    have tokens of their own, so a device is found anew each day. A log of a few hours shows none, and needs a list.
    """
    local = events["time"].dt.tz_localize("UTC").dt.tz_convert(time_zone).dt.tz_localize(None)
    told = pd.DataFrame({"zone": events["zone"].astype("str"), "day": local.dt.floor("D"), "token": events["token"]})
    told = told.assign(minute=local.dt.floor("min"), block=local.dt.hour // 3).drop_duplicates()
    blocks = told.groupby(["zone", "day", "token", "block"]).size().rename("minutes").reset_index()
    blocks = blocks.pivot_table(index=["zone", "day", "token"], columns="block", values="minutes", fill_value=0)
    of_day = blocks.groupby(level=["zone", "day"]).transform("sum") > 0
    heard = blocks.where(of_day)
    middle, often = heard.median(axis=1), (blocks > 0).sum(axis=1)
    is_steady = (heard.min(axis=1) >= STEADY[0] * middle) & (heard.max(axis=1) <= STEADY[1] * middle)
    is_fixed = is_steady & (often >= LEAST_BLOCKS) & (often >= FIXED_SHARE * of_day.sum(axis=1))
    return events["token"].isin(is_fixed[is_fixed].index.get_level_values("token"))
