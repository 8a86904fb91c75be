"""Journeys from points to places: how long they take to be there in time, how sure that is, and the last way back."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from councilbook.errors import CheckError, ParameterError
from councilbook.methods.travel.engine import (
    MOST_RIDES,
    NEVER,
    IntArray,
    Network,
    find_latest,
    join_stops,
    make_network,
)
from councilbook.methods.travel.feeds import Feed
from councilbook.methods.travel.ground import Pace, Streets, link_stops, measure_ways

FAR_DEGREES = 1.0  # of latitude some 110 km, of longitude some 65
WALK, CYCLE, DRIVE = Pace(4.8, 1.3), Pace(16, 1.3), Pace(35, 1.4)


@dataclass(frozen=True)
class Window:
    """Minutes of a day, from one to another and both among them, as 08:30 and 09:30."""

    start: str
    end: str

    @property
    def seconds(self) -> IntArray:
        """The minutes as seconds after midnight, rising.

        Raises:
            ParameterError: an end is no time of the day, or the end is before the start.
        """
        try:
            start, end = (
                int(hours) * 60 + int(minutes) for hours, minutes in (one.split(":") for one in (self.start, self.end))
            )
        except ValueError:
            raise ParameterError(
                f"A window runs from {self.start!r} to {self.end!r}; expected are times as 08:30."
            ) from None
        if not 0 <= start <= end <= 24 * 60:
            raise ParameterError(
                f"A window runs from {self.start} to {self.end}; it must end after it starts, by 24:00."
            )
        return np.arange(start, end + 1, dtype=np.int32) * 60


@dataclass(frozen=True)
class Habits:
    """How people travel: what no timetable says.

    Attributes:
        arrive: the minutes at which one may have to be there.
        leave: the minutes at which one may want to go home.
        walk, cycle, drive: paces.
        most_minutes: longest journey.
        most_walk_minutes: longest walk to a stop, or from one.
        most_change_minutes: longest walk between two stops.
        change_minutes: least time from one vehicle to the next, beside the walk.
        most_rides: vehicles that a journey may take.
    """

    arrive: Window = field(default_factory=lambda: Window("08:00", "10:00"))
    leave: Window = field(default_factory=lambda: Window("12:00", "24:00"))
    walk: Pace = WALK
    cycle: Pace = CYCLE
    drive: Pace = DRIVE
    most_minutes: int = 120
    most_walk_minutes: int = 20
    most_change_minutes: int = 10
    change_minutes: int = 2
    most_rides: int = 4


@dataclass(frozen=True)
class Transit:
    """Journeys by timetable; a row a point and a column a place, in each.

    Attributes:
        median, high: minutes that one has to set out ahead, half of the time and nine times in ten; -1 where that is
            more than the longest journey. Where walking all the way is as quick, that is the journey.
        rides: fewest vehicles of the journeys that take the median.
        last: minute after midnight at which one can leave last and ride home; -1 where there is none.
    """

    median: IntArray
    high: IntArray
    rides: IntArray
    last: IntArray


def plan_network(feeds: Sequence[Feed], weekday: str, habits: Habits, streets: Streets | None) -> Network | None:
    """Put together what runs on a day of the week, of each timetable on the day of that name with most trips."""
    if not feeds:
        return None
    stops = join_stops(feeds)
    walks = link_stops(stops, stops, habits.walk, streets, habits.most_change_minutes * 60)
    return make_network(feeds, [feed.choose_day(weekday) for feed in feeds], walks, habits.change_minutes * 60)


def measure_journeys(
    points: pd.DataFrame, places: pd.DataFrame, network: Network | None, habits: Habits, streets: Streets | None
) -> pd.DataFrame:
    """Measure all ways from points to places.

    Args:
        points, places: with latitude and longitude.
        network: what runs; None where there is no timetable, so that a journey without a car is on foot.
        habits: how people travel.
        streets: of an extract, for ways on foot and by bicycle; None: straight lines times the pace's factor.

    Returns:
        A row a point and place (their rows: point, place) that some way joins within the longest journey, with whole
        minutes or nothing: walk_minutes, cycle_minutes, drive_minutes, transit_median_minutes, transit_p90_minutes,
        rides, and last_home_time (as 21:05).
    """
    limit = habits.most_minutes * 60
    paces = {"walk": (habits.walk, streets), "cycle": (habits.cycle, streets), "drive": (habits.drive, None)}
    ways = {name: measure_ways(points, places, pace, on, limit) for name, (pace, on) in paces.items()}
    minutes = {f"{name}_minutes": np.ceil(seconds / 60) for name, seconds in ways.items()}
    if network is None:  # one walks all the way
        on_foot = np.where(np.isfinite(minutes["walk_minutes"]), minutes["walk_minutes"], -1).astype(np.int32)
        transit = Transit(on_foot, on_foot, np.minimum(on_foot, 0), np.full_like(on_foot, -1))
    else:
        transit = measure_transit(points, places, network, habits, streets, ways["walk"])
    near = np.any([np.isfinite(one) for one in minutes.values()], axis=0) | (transit.median >= 0) | (transit.last >= 0)
    point, place = np.nonzero(near)
    columns: dict[str, object] = {"point": point, "place": place}
    for name, values in minutes.items():
        columns[name] = _as_whole(np.where(np.isfinite(values[near]), values[near], -1).astype(np.int32))
    columns["transit_median_minutes"] = _as_whole(transit.median[near])
    columns["transit_p90_minutes"] = _as_whole(transit.high[near])
    columns["rides"] = _as_whole(transit.rides[near])
    columns["last_home_time"] = _as_times(transit.last[near])
    return pd.DataFrame(columns)


def trace_arrivals(
    point: pd.DataFrame, place: pd.DataFrame, network: Network, habits: Habits, streets: Streets | None
) -> pd.DataFrame:
    """Trace the journeys of one point and one place, by when one has to be there.

    Args:
        point, place: one row each, with latitude and longitude.
        network, habits, streets: see `measure_journeys`.

    Returns:
        A row an arrival time: arrive (minute after midnight), ahead (minutes that one has to set out before it; missing
        where that is more than the longest journey), rides.
    """
    most = habits.most_walk_minutes * 60
    access, egress = (link_stops(one, network.stops, habits.walk, streets, most) for one in (point, place))
    walk = measure_ways(point, place, habits.walk, streets, habits.most_minutes * 60)[0, 0]
    there = habits.arrive.seconds
    latest = find_latest(network, egress, there, habits.most_minutes * 60, habits.most_rides)
    leave = (latest[access.indices] - access.data[:, None] * 8).max(axis=0, initial=NEVER * 8)
    if np.isfinite(walk):
        leave = np.maximum(leave, (there - int(np.ceil(walk))) * 8 + MOST_RIDES)
    ahead = np.ceil((there - (leave >> 3)) / 60)
    known = ahead <= habits.most_minutes
    columns = {"arrive": there // 60, "ahead": np.where(known, ahead, np.nan), "rides": MOST_RIDES - (leave & 7)}
    return pd.DataFrame(columns)


def measure_transit(
    points: pd.DataFrame,
    places: pd.DataFrame,
    network: Network,
    habits: Habits,
    streets: Streets | None,
    walks: NDArray[np.float64],
) -> Transit:
    """Measure the journeys by timetable; `walks` are the seconds on foot from each point to each place, or infinite.

    Raises:
        CheckError: a timetable is of another region.
    """
    _refuse_elsewhere(network.stops, points)
    most = habits.most_walk_minutes * 60
    access = link_stops(points, network.stops, habits.walk, streets, most)
    egress = link_stops(places, network.stops, habits.walk, streets, most)
    back = network.turn()
    on_foot = np.where(np.isfinite(walks), np.ceil(walks), -1).astype(np.int32)

    def measure(place: int) -> tuple[IntArray, ...]:
        to_place = egress[[place]]
        return _measure_place(network, back, access, to_place, on_foot[:, place].copy(), habits)

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # the scans let go of Python's lock
        measured = list(threads.map(measure, range(len(places))))
    none = np.empty((len(points), 0), np.int32)
    return Transit(*(np.column_stack([none, *(one[part] for one in measured)]) for part in range(4)))


def _refuse_elsewhere(stops: pd.DataFrame, points: pd.DataFrame) -> None:
    """Refuse a timetable whose stops are all far from the points: without this nobody would seem to have a bus."""
    is_near = pd.Series(True, index=stops.index)
    for axis in ("latitude", "longitude"):
        is_near &= stops[axis].between(points[axis].min() - FAR_DEGREES, points[axis].max() + FAR_DEGREES)
    for name, near in is_near.groupby(stops["timetable"]):
        if len(points) and not near.any():
            raise CheckError(
                f"{name}: all {len(near):,} stops of this timetable are more than {FAR_DEGREES:g} degree away. It is "
                "another region's, or has latitude and longitude exchanged. Expected that of the council's own region."
            )


def _measure_place(
    network: Network, back: Network, access: csr_array, egress: csr_array, on_foot: IntArray, habits: Habits
) -> tuple[IntArray, ...]:
    longest = habits.most_minutes * 60
    there = habits.arrive.seconds
    latest = find_latest(network, egress, there, longest, habits.most_rides)
    median, high, rides = _rank(latest, access.indptr, access.indices, access.data, on_foot, there, longest // 60)
    home = -habits.leave.seconds[::-1]
    soonest = find_latest(back, egress, home, longest, habits.most_rides)
    least = np.minimum.accumulate(home - (soonest >> 3), axis=1)  # seconds to a stop, leaving then or later
    last = _find_last(least, access.indptr, access.indices, access.data, home, longest)
    return median, high, rides, last


@njit(cache=True, nogil=True)
def _rank(
    latest: IntArray, starts: IntArray, stops: IntArray, seconds: IntArray, on_foot: IntArray, deadlines: IntArray,
    most: int,
) -> tuple[IntArray, IntArray, IntArray]:  # fmt: skip
    """Rank the minutes ahead over all deadlines, for each point: the median, nine in ten, and the median's rides."""
    lanes = len(deadlines)
    median = np.full(len(on_foot), -1, np.int32)
    high, rides = median.copy(), median.copy()
    leave, counts = np.empty(lanes, np.int32), np.empty(most + 2, np.int32)
    for point in range(len(on_foot)):
        if on_foot[point] < 0 and starts[point] == starts[point + 1]:
            continue
        for lane in range(lanes):
            leave[lane] = (deadlines[lane] - on_foot[point]) * 8 + MOST_RIDES if on_foot[point] >= 0 else NEVER * 8
        for one in range(starts[point], starts[point + 1]):
            row, walk = latest[stops[one]], seconds[one] * 8
            for lane in range(lanes):
                leave[lane] = max(leave[lane], row[lane] - walk)
        counts[:] = 0
        for lane in range(lanes):
            ahead = (deadlines[lane] - (leave[lane] >> 3) + 59) // 60
            counts[min(ahead, most + 1)] += 1
        passed = 0
        for minute in range(most + 1):
            passed += counts[minute]
            if median[point] < 0 and passed * 2 >= lanes:
                median[point] = minute
            if passed * 10 >= lanes * 9:
                high[point] = minute
                break
        if median[point] >= 0:
            fewest = 7
            for lane in range(lanes):
                if (deadlines[lane] - (leave[lane] >> 3) + 59) // 60 == median[point]:
                    fewest = min(fewest, MOST_RIDES - (leave[lane] & 7))
            rides[point] = fewest
    return median, high, rides


@njit(cache=True, nogil=True)
def _find_last(
    least: IntArray, starts: IntArray, stops: IntArray, seconds: IntArray, home: IntArray, longest: int
) -> IntArray:
    """Find the last minute from which one gets home, of those in `home` (negative, so that the last comes first)."""
    last = np.full(len(starts) - 1, -1, np.int32)
    for point in range(len(last)):
        first = len(home)
        for one in range(starts[point], starts[point + 1]):
            low, stop, most = 0, stops[one], longest - seconds[one]
            while low < first:
                middle = (low + first) // 2
                if least[stop, middle] <= most:
                    first = middle
                else:
                    low = middle + 1
        if first < len(home):
            last[point] = -home[first] // 60
    return last


def _as_whole(values: IntArray) -> "pd.Series[int]":
    """Return whole numbers, with nothing for those that are not known."""
    return pd.Series(values).astype("Int64").mask(pd.Series(values < 0))


def _as_times(minutes: IntArray) -> "pd.Series[str]":
    words = np.array([f"{one // 60:02d}:{one % 60:02d}" for one in range(24 * 60 + 1)], dtype=object)
    return pd.Series(words[minutes]).where(minutes >= 0)


def list_assumptions(habits: Habits, *, has_streets: bool) -> pd.DataFrame:
    """List what is assumed of how people travel: what, value, and where it comes from."""
    walk = "along the streets of OpenStreetMap" if has_streets else f"{habits.walk.factor:g} times the straight line"
    cycle = "along the same streets" if has_streets else f"{habits.cycle.factor:g} times the straight line"
    rows: Sequence[tuple[str, str, str]] = [
        (
            "Pace on foot",
            f"{habits.walk.kmh:g} km an hour, {walk}",
            "Speed as in the Department for Transport's journey time statistics; factor assumed, "
            "three in four ways along Newport's streets have a smaller one",
        ),
        (
            "Pace by bicycle",
            f"{habits.cycle.kmh:g} km an hour, {cycle}",
            "Speed as in the same statistics; factor assumed",
        ),
        (
            "Pace by car",
            f"{habits.drive.kmh:g} km an hour, {habits.drive.factor:g} times the straight line",
            "Assumed; Boscoe, Henry and Zdeb (2012) found a factor of 1.4 for the United States",
        ),
        ("Must be there", f"any minute from {habits.arrive.start} to {habits.arrive.end}", "Assumed"),
        ("May go home", f"any minute from {habits.leave.start} to {habits.leave.end}", "Assumed"),
        ("Longest journey", f"{habits.most_minutes} minutes", "Assumed"),
        ("Longest walk to a stop", f"{habits.most_walk_minutes} minutes", "Assumed"),
        ("Longest walk between two stops", f"{habits.most_change_minutes} minutes", "Assumed"),
        ("Least time to change", f"{habits.change_minutes} minutes", "Assumed"),
        ("Most rides", f"{habits.most_rides}", "Assumed"),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "basis"])
