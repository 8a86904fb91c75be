"""The engine: the latest that one can leave each stop and still be at a place in time, for many times at once.

A connection scan (Dibbelt, Pajor, Strasser, Wagner, "Connection Scan Algorithm", 2018) backwards in time, in rounds as
RAPTOR has them (Delling, Pajor, Werneck, "Round-Based Public Transit Routing", 2012): round k knows the journeys of
at most k rides, so a change within the same minute needs no care. A round holds all deadlines of a window side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from councilbook.methods.travel.feeds import Feed

IntArray = NDArray[np.int32]
NEVER = -(2**27)  # earlier than any time; times eight still fit into 32 bits
MOST_RIDES = 7  # a journey is written as its time times eight, plus what its rides lack of seven


@dataclass(frozen=True)
class Network:
    """What runs on a day.

    Attributes:
        stops: a row a stop: timetable, stop_id, name, latitude, longitude.
        links: a row a pair of successive calls of a trip, by time: from_stop, to_stop (rows of `stops`), departure,
            arrival (seconds after midnight), trip, can_board, can_alight.
        walks: seconds on foot between stops, each to itself with 0 among them.
        change_seconds: least time from one vehicle to the next, beside the walk.
    """

    stops: pd.DataFrame
    links: pd.DataFrame
    walks: csr_array
    change_seconds: int

    def turn(self) -> "Network":
        """Return it with time running backwards, so that leaving a place becomes being there in time."""
        links = self.links.iloc[::-1].sort_values("arrival", ascending=False, kind="stable")
        turned = pd.DataFrame(
            {
                "from_stop": links["to_stop"],
                "to_stop": links["from_stop"],
                "departure": -links["arrival"],
                "arrival": -links["departure"],
                "trip": links["trip"],
                "can_board": links["can_alight"],
                "can_alight": links["can_board"],
            }
        )
        return Network(self.stops, turned, self.walks.T.tocsr(), self.change_seconds)


def join_stops(feeds: Sequence[Feed]) -> pd.DataFrame:
    """Return the stops of several timetables below each other, as `Network` has them."""
    return pd.concat([feed.stops.assign(timetable=feed.name) for feed in feeds], ignore_index=True)


def make_network(feeds: Sequence[Feed], days: Sequence[date], walks: csr_array, change_seconds: int) -> Network:
    """Put together what runs on a day by several timetables.

    Args:
        feeds: the timetables.
        days: the day that is looked at, of each; they may differ where timetables are of different years.
        walks: seconds on foot between the stops of `join_stops`; one stop reaches itself even if it is not in them.
        change_seconds: least time from one vehicle to the next, beside the walk.
    """
    parts, stops, trips = [], 0, 0
    for feed, day in zip(feeds, days, strict=True):
        calls = feed.list_running(day)
        calls = calls.assign(stop=calls["stop"] + stops, trip=pd.factorize(calls["trip"])[0] + trips)
        stops, trips = stops + len(feed.stops), trips + calls["trip"].nunique()
        after = calls.shift(-1)
        linked = calls[calls["trip"].eq(after["trip"])]
        after = after.loc[linked.index]
        parts.append(
            pd.DataFrame(
                {
                    "from_stop": linked["stop"],
                    "to_stop": after["stop"],
                    "departure": linked["departure"],
                    "arrival": after["arrival"],
                    "trip": linked["trip"],
                    "can_board": linked["can_board"].astype("int8"),
                    "can_alight": after["can_alight"].astype("int8"),
                }
            ).astype("int32")
        )
    links = pd.concat(parts, ignore_index=True).sort_values("departure", kind="stable")
    return Network(join_stops(feeds), links, walks, change_seconds)


def find_latest(network: Network, egress: csr_array, deadlines: IntArray, longest: int, most_rides: int) -> IntArray:
    """Find the latest that one can board at each stop to be at a place by each deadline.

    Args:
        network: what runs.
        egress: one row, the seconds on foot from stops to the place.
        deadlines: seconds after midnight, rising.
        longest: seconds that a journey may take; what sets out earlier is not looked at.
        most_rides: vehicles that a journey may take, at most `MOST_RIDES`.

    Returns:
        A row a stop, a column a deadline: the time of boarding times eight, plus seven less the fewest rides that do.
    """
    departures = network.links["departure"].to_numpy()
    first, last = np.searchsorted(departures, [deadlines[0] - longest, deadlines[-1] + 1])
    links = [network.links[one].to_numpy()[first:last] for one in network.links]
    at_stop = np.full((len(network.stops), len(deadlines)), NEVER, np.int32)
    at_stop[egress.indices] = deadlines - egress.data[:, None]
    trips = int(network.links["trip"].max()) + 1 if len(network.links) else 0
    walks = network.walks
    found: IntArray = cast("Any", _scan)(
        *links,
        trips,
        walks.indptr,
        walks.indices,
        walks.data,
        network.change_seconds,
        at_stop,
        min(most_rides, MOST_RIDES),
    )
    return found


@njit(cache=True, nogil=True)
def _scan(
    from_stop: IntArray, to_stop: IntArray, departure: IntArray, arrival: IntArray, trip: IntArray,
    can_board: IntArray, can_alight: IntArray, trips: int, walk_start: IntArray, walk_to: IntArray,
    walk_seconds: IntArray, change: int, at_stop: IntArray, most_rides: int,
) -> IntArray:  # fmt: skip
    """Scan the links once a round; at_stop is the latest to alight with the rides so far, rising along a row."""
    stops, lanes = at_stop.shape
    board = np.full((stops, lanes), NEVER, np.int32)
    best = np.full((stops, lanes), NEVER * 8, np.int32)
    for ride in range(1, most_rides + 1):
        after = at_stop.copy()
        lane_of_trip = np.full(trips, lanes, np.int32)  # the first deadline that is met by who sits in it
        is_better = False
        for link in range(len(departure) - 1, -1, -1):
            lane = lane_of_trip[trip[link]]
            if can_alight[link]:
                low, high, stop, time = 0, lane, to_stop[link], arrival[link]
                while low < high:
                    middle = (low + high) // 2
                    if at_stop[stop, middle] >= time:
                        high = middle
                    else:
                        low = middle + 1
                lane = low
                lane_of_trip[trip[link]] = lane
            if not can_board[link]:
                continue
            stop, time, start = from_stop[link], departure[link], lane
            while lane < lanes and board[stop, lane] < time:
                board[stop, lane] = time
                best[stop, lane] = time * 8 + MOST_RIDES - ride
                lane += 1
            if lane == start:
                continue
            is_better = True
            for walk in range(walk_start[stop], walk_start[stop + 1]):
                before = time - walk_seconds[walk] - change
                other, one = walk_to[walk], start
                while one < lane and after[other, one] < before:
                    after[other, one] = before
                    one += 1
        if not is_better:
            break
        at_stop = after
    return best
