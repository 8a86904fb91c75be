"""Reading timetables in GTFS, and setting aside what cannot be used, counted.

The layout is that of https://gtfs.org/documentation/schedule/reference/, a zip of CSV files. A feed is read once; it is
asked later which of its trips run on a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from councilbook.errors import CheckError, ParameterError, SourceError, suggest
from councilbook.methods.travel.feed_files import WEEKDAYS, read_tables

NOT_AVAILABLE = "1"  # of pickup_type and drop_off_type; by telephone or from the driver (2, 3) is available
NO_TIME = -1
TIME = r"^\s*(\d{1,3}):([0-5]\d)(?::([0-5]\d))?\s*$"
THURSDAY = 3  # the first day of 1970
WEEKS_LOOKED_AT = 60  # a feed may be valid until 2099


@dataclass(frozen=True)
class Feed:
    """A timetable as it was read.

    Attributes:
        name: what it is called in messages.
        stops: a row a stop that is called at: stop_id, name, latitude, longitude.
        calls: a row a call, trip by trip in order: trip (its number), service_id, stop (row of `stops`), arrival and
            departure (seconds after midnight of the day that the service is of, and past the next midnight more than a
            day has), can_board, can_alight.
        days: a row a service and day on which it runs: service_id, date.
        counts: how often something was mended or set aside, in words.
    """

    name: str
    stops: pd.DataFrame
    calls: pd.DataFrame
    days: pd.DataFrame
    counts: Mapping[str, int]

    def choose_day(self, weekday: str) -> date:
        """Return the day of a name on which most trips run, the latest of equals.

        Raises:
            ParameterError: there is no day of that name.
            CheckError: no trip runs on such a day.
        """
        if weekday.lower() not in WEEKDAYS:
            raise ParameterError(f"No day of the week is called {weekday!r}.{suggest(weekday.lower(), WEEKDAYS)}")
        days = self.days[self.days["date"].dt.day_of_week == WEEKDAYS.index(weekday.lower())]
        trips = self.calls.groupby("service_id")["trip"].nunique()
        running = days["service_id"].map(trips).fillna(0).groupby(days["date"]).sum()
        if not running.gt(0).any():
            raise CheckError(f"{self.name}: no trip runs on any {weekday}. {self.describe_window()}")
        chosen: pd.Timestamp = running.index[running == running.max()].max()
        return chosen.date()

    def list_calls(self, day: date) -> pd.DataFrame:
        """List the calls of the services of a day."""
        services = self.days.loc[self.days["date"] == pd.Timestamp(day), "service_id"]
        return self.calls[self.calls["service_id"].isin(services)]

    def list_running(self, day: date) -> pd.DataFrame:
        """List the calls from midnight to midnight of a day, and on into the next, with times after its midnight.

        Trips of the day before which are still under way after midnight are among them, and those of the next morning.
        """
        parts = []
        for shift in (-1, 0, 1):
            calls = self.list_calls(day + timedelta(shift))
            moved = calls.assign(**{time: calls[time] + shift * 86_400 for time in ("arrival", "departure")})
            parts.append(moved.assign(trip=moved["trip"] * 3 + shift + 1))
        return pd.concat(parts, ignore_index=True)

    def describe_window(self) -> str:
        """Say from which day to which there are services."""
        if self.days.empty:
            return "No service runs on any day."
        return f"Its services run from {self.days['date'].min():%Y-%m-%d} to {self.days['date'].max():%Y-%m-%d}."


def read_feed(path: Path, name: str) -> Feed:
    """Read a timetable.

    Args:
        path: a zip in the GTFS layout; see `read_tables`.
        name: what it is called in messages.

    Raises:
        SourceError: its files cannot be read; see `read_tables`. Or no file says on which days services run.
        CheckError: nothing is left in it that runs.
    """
    counts: dict[str, int] = {}
    tables = read_tables(path, name, counts)
    if tables["calendar.txt"].empty and tables["calendar_dates.txt"].empty:
        raise SourceError(
            f"{name}: {path.name} says in neither calendar.txt nor calendar_dates.txt on which days services run."
        )
    stops = _place_stops(tables["stops.txt"], counts)
    days = _list_days(tables["calendar.txt"], tables["calendar_dates.txt"], name)
    calls = _prepare_calls(tables["stop_times.txt"], tables["trips.txt"], stops, name, counts)
    calls = _repeat_trips(calls, tables["frequencies.txt"], tables["stop_times.txt"]["trip_id"].cat.categories, counts)
    without_day = ~calls["service_id"].isin(days["service_id"])
    _count(
        counts,
        "trips of a service that runs on no day, or is in no calendar: set aside",
        calls[without_day]["trip"].nunique(),
    )
    calls = calls[~without_day].reset_index(drop=True)
    if calls.empty:
        raise CheckError(f"{name}: no trip in {path.name} can be used. Set aside were: {counts}.")
    used, calls["stop"] = np.unique(calls["stop"], return_inverse=True)
    return Feed(name, stops.iloc[used].reset_index(drop=True), calls, days, counts)


def _place_stops(stops: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Return the stops that have a place, their own or else their station's."""
    frame = stops.astype("str").drop_duplicates("stop_id").set_index("stop_id")
    for column, axis, most in (("latitude", "stop_lat", 90), ("longitude", "stop_lon", 180)):
        own = pd.to_numeric(frame[axis], errors="coerce")
        values = own.fillna(frame["parent_station"].map(own))
        frame[column] = values.where(values.abs().between(1e-9, most))  # 0 is what systems write for not known
    placed = frame.dropna(subset=["latitude", "longitude"])
    _count(counts, "stops without a place on the map: set aside", len(frame) - len(placed))
    return placed.rename(columns={"stop_name": "name"}).reset_index()[["stop_id", "name", "latitude", "longitude"]]


def _list_days(calendar: pd.DataFrame, exceptions: pd.DataFrame, name: str) -> pd.DataFrame:
    """List on which days each service runs, weekly within some 60 weeks of the newest start, and by exception."""
    starts, ends = (
        _parse_days(calendar[one].astype("str"), f"{name}: calendar.txt, {one}").to_numpy("datetime64[D]")
        for one in ("start_date", "end_date")
    )
    special = exceptions.astype("str")
    special["date"] = _parse_days(special["date"], f"{name}: calendar_dates.txt, date")
    newest = np.append(starts, np.datetime64("2000-01-01", "D")).max()
    around = newest + np.arange(-7 * WEEKS_LOOKED_AT, 7 * WEEKS_LOOKED_AT)
    weekdays = [_read_numbers(calendar[one], f"{name}: calendar.txt", (0, 1)) for one in WEEKDAYS]
    runs = (np.column_stack(weekdays) == 1)[:, (around.astype("int64") + THURSDAY) % 7]
    row, day = np.nonzero(runs & (starts[:, None] <= around) & (around <= ends[:, None]))
    weekly = pd.DataFrame({"service_id": calendar["service_id"].astype("str").to_numpy()[row], "date": around[day]})
    kind = _read_numbers(special["exception_type"], f"{name}: calendar_dates.txt", (1, 2))
    added = special[kind == 1]
    listed = pd.concat([weekly, added[["service_id", "date"]]]).drop_duplicates()
    removed = pd.MultiIndex.from_frame(special.loc[kind == 2, ["service_id", "date"]])
    return listed[~pd.MultiIndex.from_frame(listed).isin(removed)].reset_index(drop=True)


def _parse_days(written: pd.Series, where: str) -> pd.Series:
    days = pd.to_datetime(written, format="%Y%m%d", errors="coerce")
    if (bad := days.isna()).any():
        row = written[bad].index[0]
        raise CheckError(f"{where}: {written[row]!r} in row {row + 2} is no day; expected is one as 20260331.")
    return days.astype("datetime64[s]")


def _read_numbers(written: pd.Series, where: str, able: Sequence[int] = ()) -> "pd.Series[float]":
    numbers = pd.to_numeric(written.astype("str"), errors="coerce")
    if (bad := ~numbers.isin(able) if able else numbers.isna()).any():
        row = written[bad].index[0]
        raise CheckError(
            f"{where}, row {row + 2}: {written.name} is {written[row]!r}; expected is "
            f"{' or '.join(map(str, able)) or 'a number'}."
        )
    return numbers


def _prepare_calls(
    times: pd.DataFrame, trips: pd.DataFrame, stops: pd.DataFrame, name: str, counts: dict[str, int]
) -> pd.DataFrame:
    """Return the calls that can be used, in order; see `Feed`."""
    order = _read_numbers(times["stop_sequence"], f"{name}: stop_times.txt")
    service = trips.astype("str").drop_duplicates("trip_id").set_index("trip_id")["service_id"]
    calls = pd.DataFrame(
        {
            "trip": times["trip_id"].cat.codes.astype("int64"),
            "service_id": service.reindex(times["trip_id"].cat.categories).to_numpy()[times["trip_id"].cat.codes],
            "stop": pd.Index(stops["stop_id"]).get_indexer(times["stop_id"].cat.categories)[times["stop_id"].cat.codes],
            "arrival": _parse_times(times["arrival_time"]),
            "departure": _parse_times(times["departure_time"]),
            "can_board": times["pickup_type"].ne(NOT_AVAILABLE),
            "can_alight": times["drop_off_type"].ne(NOT_AVAILABLE),
            "order": order,
        }
    ).sort_values(["trip", "order"], kind="stable")
    calls = _fill_times(calls, counts)
    calls = _set_aside(calls, calls["service_id"].isna(), "calls of trips that are not in trips.txt: set aside", counts)
    calls = _set_aside(calls, calls["stop"].lt(0), "calls at stops that are not there or not placed: set aside", counts)
    return _mend_times(calls, counts).drop(columns="order")


def _parse_times(written: pd.Series) -> "pd.Series[int]":
    """Read times as seconds; a time that is blank or not one is `NO_TIME`. Each different text is read once."""
    categories = written.cat.categories
    parts = categories.to_series().str.extract(TIME).astype("float64")
    parts[2] = parts[2].fillna(0)
    seconds = (parts @ np.array([3600, 60, 1])).fillna(NO_TIME).astype("int64").to_numpy()
    return pd.Series(seconds[written.cat.codes], index=written.index)


def _mend_times(calls: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Mend what can be mended of times; set aside calls without one, trips that run backwards, and single stops."""
    calls = _set_aside(calls, calls["arrival"].eq(NO_TIME), "calls without a time: set aside", counts)
    late = calls["arrival"] > calls["departure"]
    _count(counts, "arrivals after the departure: taken to be at the departure", int(late.sum()))
    calls = calls.assign(arrival=calls["arrival"].mask(late, calls["departure"]))
    before = calls.groupby("trip")["departure"].shift()
    back = calls.loc[calls["arrival"] < before, "trip"]
    calls = _set_aside(calls, calls["trip"].isin(back), "trips whose times run backwards: set aside", counts, by="trip")
    alone = calls.groupby("trip")["stop"].transform("size").lt(2)
    return _set_aside(calls, alone, "trips with one stop left: set aside", counts, by="trip")


def _fill_times(calls: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Let one of two times stand for both, and put calls without any evenly between the timed ones of their trip."""
    trip, arrival, departure = (calls[one].to_numpy(copy=True) for one in ("trip", "arrival", "departure"))
    arrival = np.where(arrival == NO_TIME, departure, arrival)
    departure = np.where(departure == NO_TIME, arrival, departure)
    timed, row = np.flatnonzero(arrival != NO_TIME), np.arange(len(calls))
    after = np.searchsorted(timed, row)
    open_rows = row[(arrival == NO_TIME) & (after > 0) & (after < len(timed))]
    before, behind = timed[after[open_rows] - 1], timed[after[open_rows]]
    whole = (trip[before] == trip[open_rows]) & (trip[behind] == trip[open_rows])
    rows, before, behind = open_rows[whole], before[whole], behind[whole]
    share = (rows - before) / (behind - before)
    between = np.rint(departure[before] + share * (arrival[behind] - departure[before])).astype("int64")
    arrival[rows] = departure[rows] = between
    _count(counts, "calls without a time: put evenly between the calls around them", len(rows))
    return calls.assign(arrival=arrival, departure=departure)


def _repeat_trips(calls: pd.DataFrame, often: pd.DataFrame, names: pd.Index, counts: dict[str, int]) -> pd.DataFrame:
    """Repeat the trips that run every so many seconds from one time to another, and take out what they are made from.

    Args:
        calls: as `_prepare_calls` has them.
        often: frequencies.txt; rows of which a time or the seconds cannot be read are left out, and counted.
        names: of the trips, by their number.
        counts: where it is counted.
    """
    trip = names.get_indexer(pd.Index(often["trip_id"]))
    start, end = (_parse_times(often[one].astype("category")).to_numpy() for one in ("start_time", "end_time"))
    every = pd.to_numeric(often["headway_secs"].astype("str"), errors="coerce").fillna(0).to_numpy()
    can_be = (trip >= 0) & (start != NO_TIME) & (end > start) & (every > 0)
    _count(counts, "rows of frequencies.txt that cannot be read: set aside", int((~can_be).sum()))
    runs = [
        (one, at)
        for one, a, b, s in zip(trip[can_be], start[can_be], end[can_be], every[can_be], strict=True)
        for at in np.arange(a, b, s).astype("int64")
    ]
    if not runs:
        return calls
    planned = pd.DataFrame(runs, columns=["trip", "at"]).drop_duplicates()
    made = planned.assign(number=np.arange(len(planned)) + len(names)).merge(calls, on="trip")
    shift = made["at"] - made.groupby("number")["departure"].transform("first")
    made = made.assign(trip=made["number"], arrival=made["arrival"] + shift, departure=made["departure"] + shift)
    kept = calls[~calls["trip"].isin(planned["trip"])]
    _count(counts, "trips made from frequencies.txt", made["trip"].nunique())
    return pd.concat([kept, made[list(calls)]], ignore_index=True)


def _set_aside(
    calls: pd.DataFrame, which: "pd.Series[bool]", what: str, counts: dict[str, int], by: str = ""
) -> pd.DataFrame:
    _count(counts, what, calls.loc[which, by].nunique() if by else int(which.sum()))
    return calls[~which]


def _count(counts: dict[str, int], what: str, number: int) -> None:
    if number:
        counts[what] = number


def tabulate_feeds(feeds: Sequence[Feed], weekday: str) -> pd.DataFrame:
    """Tabulate which day is looked at of each timetable, and how much runs: timetable, day, stops, trips."""
    days = [feed.choose_day(weekday) for feed in feeds]
    trips = [feed.list_calls(day)["trip"].nunique() for feed, day in zip(feeds, days, strict=True)]
    return pd.DataFrame(
        {
            "timetable": [feed.name for feed in feeds],
            "day": pd.to_datetime(days),
            "stops": [len(feed.stops) for feed in feeds],
            "trips": trips,
        }
    ).astype({"timetable": "str", "stops": "int64", "trips": "int64"})


def tabulate_counts(feeds: Sequence[Feed]) -> pd.DataFrame:
    """Tabulate what was mended or set aside: timetable, what, count."""
    rows = [(feed.name, what, count) for feed in feeds for what, count in feed.counts.items()]
    return pd.DataFrame(rows, columns=["timetable", "what", "count"])
