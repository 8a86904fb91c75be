"""Journeys by timetable are those of an independent search, forward in time, over random small timetables."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from councilbook.errors import CheckError
from councilbook.methods.travel.engine import find_latest, make_network
from councilbook.methods.travel.feeds import read_feed
from councilbook.methods.travel.ground import Pace, link_stops
from councilbook.methods.travel.journeys import Habits, Window, measure_transit
from timetable_search import Search, write_feed

DAY = date(2026, 3, 10)  # a Tuesday
STOPS = {f"s{one}": (56.0 + 0.004 * one, 2.0 + 0.011 * (one % 3)) for one in range(7)}
LONGEST = 3 * 3600


@st.composite
def tables(draw):
    """Trips of services that run daily, only the day before, or never; calls to the minute, many at the same one."""
    trips, calls = [], []
    for number in range(draw(st.integers(2, 9))):
        service = draw(st.sampled_from(["daily", "daily", "monday", "never"]))
        trips.append({"trip_id": f"t{number}", "service_id": service})
        minute = draw(st.integers(0, 90)) + draw(st.sampled_from([0, 0, 24 * 60]))
        for order, stop in enumerate(draw(st.lists(st.sampled_from(list(STOPS)), min_size=2, max_size=6))):
            arrival = minute + draw(st.integers(0, 9)) * (order > 0)
            minute = arrival + draw(st.integers(0, 3))
            times = {
                name: f"{one // 60:02d}:{one % 60:02d}:00"
                for name, one in (("arrival_time", arrival), ("departure_time", minute))
            }
            kinds = {name: draw(st.sampled_from(["0", "", "1", "3"])) for name in ("pickup_type", "drop_off_type")}
            calls.append({"trip_id": f"t{number}", "stop_id": stop, "stop_sequence": 3 * order, **times, **kinds})
    runs = {"daily": "1111111", "monday": "1000000", "never": "0000000"}
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    calendar = [
        {"service_id": one, **dict(zip(names, days, strict=True)), "start_date": "20260301", "end_date": "20260331"}
        for one, days in runs.items()
    ]
    stops = [{"stop_id": one, "stop_lat": lat, "stop_lon": lon} for one, (lat, lon) in STOPS.items()]
    trips.append({"trip_id": "sure", "service_id": "daily"})
    calls += [
        {"trip_id": "sure", "stop_id": stop, "stop_sequence": order, "arrival_time": time, "departure_time": time,
         "pickup_type": "0", "drop_off_type": "0"}
        for order, (stop, time) in enumerate([("s0", "00:30:00"), ("s6", "00:45:00")])
    ]  # fmt: skip
    return {"stops.txt": stops, "trips.txt": trips, "stop_times.txt": calls, "calendar.txt": calendar}


def list_walks(links: csr_array, ids: list[str]) -> dict[str, dict[str, int]]:
    walks: dict[str, dict[str, int]] = {}
    for row, column, seconds in zip(*links.tocoo().coords, links.tocoo().data, strict=True):
        walks.setdefault(ids[row], {})[ids[column]] = int(seconds)
    return walks


def open_both(path, rows, change):
    feed = read_feed(write_feed(path / "feed.zip", rows), "buses")
    walks = link_stops(feed.stops, feed.stops, Pace(4.8, 1.3), None, 600)
    network = make_network([feed], [DAY], walks, change)
    return network, Search(path / "feed.zip", DAY, list_walks(walks, list(feed.stops["stop_id"])), change)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.integers(0, 3), st.integers(1, 3))
def test_latest_departures_and_rides_are_those_of_a_search_forward(tmp_path_factory, rows, change, rides):
    network, search = open_both(tmp_path_factory.mktemp("feed"), rows, change * 60)
    ids = list(network.stops["stop_id"])
    deadlines = np.arange(0, 150, 7, dtype=np.int32) * 60
    ready_at = sorted({departure for listed in search.departures.values() for departure, _, _ in listed})
    hits = [csr_array(([np.int32(0)], ([0], [place])), shape=(1, len(ids))) for place in range(len(ids))]
    latest = [find_latest(network, egress, deadlines, LONGEST, rides) for egress in hits]
    for origin, stop in enumerate(ids):
        for time in [one + add for one in ready_at for add in (0, 1) if one >= 0]:
            found = search.find_earliest({stop: time}, rides)
            in_time = (deadlines >= time) & (deadlines - time <= LONGEST)
            for place, row in enumerate(one[origin] for one in latest):
                arrivals = np.array([best.get(ids[place], 10**9) for best in found])
                fewest = (arrivals[:, None] <= deadlines).argmax(axis=0)
                assert ((row >> 3 >= time) == (arrivals[-1] <= deadlines))[in_time].all()
                exact = in_time & (row >> 3 == time)
                assert (7 - (row & 7) == fewest)[exact].all()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_ranks_and_last_ways_home_are_those_of_leaving_at_each_second_that_matters(tmp_path_factory, rows):
    habits = Habits(
        arrive=Window("00:20", "01:50"), leave=Window("00:10", "02:00"), most_minutes=60, change_minutes=1, most_rides=3
    )
    network, search = open_both(tmp_path_factory.mktemp("feed"), rows, 60)
    points = pd.DataFrame({"latitude": [56.002, 56.02], "longitude": [2.001, 2.021]})
    places = pd.DataFrame({"latitude": [56.023, 55.5], "longitude": [2.002, 2.0]})
    on_foot = np.array([[np.inf, np.inf], [2400.5, np.inf]])
    transit = measure_transit(points, places, network, habits, None, on_foot)
    access, egress = (link_stops(one, network.stops, habits.walk, None, 1200) for one in (points, places))
    ids = list(network.stops["stop_id"])

    def walk(links, row):
        part = links[[row]].tocoo()
        return {ids[column]: int(seconds) for column, seconds in zip(part.coords[1], part.data, strict=True)}

    for point in range(2):
        for place in range(2):
            start, end = walk(access, point), walk(egress, place)
            arrivals = {}  # by when one leaves
            for stop, seconds in start.items():
                for departure, _, _ in search.departures.get(stop, []):
                    found = search.find_earliest({stop: departure}, 3)[-1]
                    first = min((found.get(last, 10**9) + more for last, more in end.items()), default=10**9)
                    arrivals[departure - seconds] = min(first, arrivals.get(departure - seconds, 10**9))
            ahead = []
            for deadline in habits.arrive.seconds:
                best = int(np.ceil(on_foot[point, place])) if np.isfinite(on_foot[point, place]) else 10**9
                best = min([best, *(deadline - leave for leave, there in arrivals.items() if there <= deadline)])
                ahead.append(-(-int(best) // 60))
            ahead.sort()
            middle, ninth = ahead[(len(ahead) + 1) // 2 - 1], ahead[-(-len(ahead) * 9 // 10) - 1]
            assert transit.median[point, place] == (middle if middle <= 60 else -1)
            assert transit.high[point, place] == (ninth if ninth <= 60 else -1)
            last = -1
            for minute in range(10, 121):
                if not end:
                    break
                found = search.find_earliest({stop: minute * 60 + more for stop, more in end.items()}, 3)[-1]
                if any(found.get(stop, 10**9) + more - minute * 60 <= 3600 for stop, more in start.items()):
                    last = minute
            assert transit.last[point, place] == last


def make_two_buses(second_leaves: str, **kinds: str) -> dict[str, list[dict[str, object]]]:
    """A bus from s0 to s1 and on to s2, and another from s1 to s6."""
    calls = [("t0", "s0", "10:00:00"), ("t0", "s1", "10:10:00"), ("t0", "s2", "10:20:00")]
    calls += [("t1", "s1", second_leaves), ("t1", "s6", "10:40:00")]
    rows = [
        {"trip_id": trip, "stop_id": stop, "stop_sequence": order, "arrival_time": time, "departure_time": time}
        | {"pickup_type": "0", "drop_off_type": "0"}
        for order, (trip, stop, time) in enumerate(calls)
    ]
    rows[1] |= kinds
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    days = {"service_id": "all", **dict.fromkeys(names, "1"), "start_date": "20260301", "end_date": "20260331"}
    return {
        "stops.txt": [{"stop_id": one, "stop_lat": lat * 2 - 56, "stop_lon": lon} for one, (lat, lon) in STOPS.items()],
        "trips.txt": [{"trip_id": one, "service_id": "all"} for one in ("t0", "t1")],
        "stop_times.txt": rows,
        "calendar.txt": [days],
    }


@pytest.mark.parametrize(
    ("second_leaves", "kinds", "rides"),
    [
        ("10:12:00", {}, 2),
        ("10:11:59", {}, 0),  # a second too short to change
        ("10:15:00", {"drop_off_type": "1"}, 0),  # nobody may alight where one would change
        ("10:15:00", {"pickup_type": "1"}, 2),
    ],
)
def test_a_change_takes_its_time_and_only_where_one_may_alight(tmp_path, second_leaves, kinds, rides):
    network, _ = open_both(tmp_path, make_two_buses(second_leaves, **kinds), 120)
    ids = list(network.stops["stop_id"])
    egress = csr_array(([np.int32(30)], ([0], [ids.index("s6")])), shape=(1, len(ids)))
    latest = find_latest(network, egress, np.array([38_429, 38_430], dtype=np.int32), LONGEST, 4)[ids.index("s0")]
    assert latest[0] >> 3 < 0  # half a minute on foot from the stop to the place
    assert (latest[1] >> 3, 7 - (latest[1] & 7)) == (36_000, 2) if rides else latest[1] >> 3 < 0


@pytest.mark.parametrize(("most_minutes", "last"), [(20, 10 * 60), (19, -1)])
def test_the_way_home_ends_at_home_and_not_at_its_stop(tmp_path, most_minutes, last):
    network, _ = open_both(tmp_path, make_two_buses("10:30:00"), 120)
    habits = Habits(leave=Window("09:00", "11:00"), most_minutes=most_minutes)
    home = pd.DataFrame(
        {"latitude": [56.008], "longitude": [2.0208]}
    )  # ten minutes on foot from s1, where one is at 10:10
    place = pd.DataFrame({"latitude": [56.0], "longitude": [2.0]})  # at s0
    transit = measure_transit(home, place, network, habits, None, np.array([[np.inf]]))
    assert transit.last[0, 0] == last


def test_the_ninth_in_ten_is_an_arrival_time_that_nine_in_ten_do_not_exceed(tmp_path):
    network, _ = open_both(tmp_path, make_two_buses("10:30:00"), 120)
    habits = Habits(arrive=Window("10:10", "10:19"), most_minutes=60)
    home = pd.DataFrame({"latitude": [56.0], "longitude": [2.0]})  # at s0, where the bus leaves at 10:00
    place = network.stops[network.stops["stop_id"] == "s1"]  # where it comes at 10:10
    transit = measure_transit(home, place, network, habits, None, np.array([[np.inf]]))
    assert (transit.median[0, 0], transit.high[0, 0], transit.rides[0, 0]) == (14, 18, 1)


@pytest.mark.parametrize("axes", [["latitude", "longitude"], ["longitude", "latitude"]])
def test_a_timetable_of_another_region_is_refused_by_its_name(tmp_path, axes):
    network, _ = open_both(tmp_path, make_two_buses("10:30:00"), 120)
    home = pd.DataFrame([[51.5, 0.0] if axes[0] == "latitude" else [56.0, 2.0]], columns=axes)
    with pytest.raises(CheckError, match=r"stops of this timetable are more than 1 degree away.*own region"):
        measure_transit(home, home, network, Habits(), None, np.array([[np.inf]]))
