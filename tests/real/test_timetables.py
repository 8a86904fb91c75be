"""Real timetables: what is known of them, what is set aside, and 10,000 journeys beside an independent search."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from councilbook.methods.travel.engine import find_latest, make_network
from councilbook.methods.travel.feeds import read_feed
from councilbook.methods.travel.ground import Pace, link_stops, measure_ways, read_streets
from timetable_search import Search

pytestmark = pytest.mark.real

FOLDER = "doncaster/05_transport"
RAIL = f"{FOLDER}/GBRail_GTFS_filtered_SouthYorkshire_2019-09-10.zip"
BUS = f"{FOLDER}/NW_GTFS_filtered_SouthYorkshire_2019-09-10.zip"
NEWPORT = f"{FOLDER}/newport_wales/newport-20230613_gtfs.zip"
STREETS = f"{FOLDER}/newport_wales/newport-2023-06-13.osm.pbf"
WALK = Pace(4.8, 1.3)
TUESDAY = date(2019, 9, 10)
QUERIES, RIDES, CHANGE = 10_000, 4, 120


def test_the_faults_of_the_rail_timetable_are_counted(mirror):
    feed = read_feed(mirror / RAIL, "trains")
    assert feed.counts["arrivals after the departure: taken to be at the departure"] == 19
    assert feed.counts["trips with one stop left: set aside"] == 634
    assert len(feed.stops) == 87 and feed.choose_day("tuesday") == TUESDAY
    assert feed.describe_window().endswith("to 2019-09-10.")
    assert read_feed(mirror / NEWPORT, "buses").calls["departure"].max() == 31 * 3600 + 30 * 60


def test_doncaster_to_sheffield_on_a_tuesday(mirror):
    feed = read_feed(mirror / RAIL, "trains")
    calls = feed.list_calls(TUESDAY).reset_index(drop=True).rename_axis("call").reset_index()
    named = calls.assign(name=feed.stops["name"].to_numpy()[calls["stop"]])
    start, end = (named[named["name"] == name] for name in ("DONCASTER", "SHEFFIELD"))
    rides = start.merge(end, on="trip", suffixes=("", "_there")).query(
        "call < call_there and can_board and can_alight_there"
    )
    minutes = (rides["arrival_there"] - rides["departure"]) / 60
    assert (len(minutes), minutes.min(), minutes.median()) == (85, 21, 28)


@pytest.mark.parametrize("file", [RAIL, BUS, NEWPORT])
def test_ten_thousand_random_journeys_are_those_of_a_search_forward(mirror, file):
    feed = read_feed(mirror / file, "timetable")
    day = feed.choose_day("tuesday")
    walks = link_stops(feed.stops, feed.stops, WALK, None, 600)
    network = make_network([feed], [day], walks, CHANGE)
    ids = feed.stops["stop_id"].to_numpy()
    reached = walks.tocoo()
    near: dict[str, dict[str, int]] = {}
    for row, column, seconds in zip(*reached.coords, reached.data, strict=True):
        near.setdefault(ids[row], {})[ids[column]] = int(seconds)
    search = Search(mirror / file, day, near, CHANGE)
    rng = np.random.default_rng(20190910)
    deadlines = np.arange(0, 86_401, 420, dtype=np.int32)
    longest, checked, reachable = 10_800, 0, 0
    links = network.links[network.links["departure"].between(0, 80_000)]
    starts = links.iloc[rng.choice(len(links), min(len(links), -(-QUERIES // len(ids)) + 20), replace=False)]
    found = []
    for stop, departure in zip(starts["from_stop"], starts["departure"], strict=True):
        time = int(departure) + int(rng.integers(0, 2)) - 60 * int(rng.integers(0, 15)) * int(rng.integers(0, 2))
        found.append((stop, time, search.find_earliest({ids[stop]: time}, RIDES)))
    for place in range(len(ids)):
        latest = find_latest(
            network, csr_array(([np.int32(0)], ([0], [place])), shape=(1, len(ids))), deadlines, longest, RIDES
        )
        for stop, time, best in found:
            arrivals = np.array([one.get(ids[place], 10**9) for one in best])
            row, within = latest[stop], (deadlines >= time) & (deadlines - time <= longest)
            assert ((row >> 3 >= time) == (arrivals[-1] <= deadlines))[within].all(), (stop, place, time)
            exact = within & (row >> 3 == time)
            assert (7 - (row & 7) == (arrivals[:, None] <= deadlines).argmax(axis=0))[exact].all(), (stop, place, time)
            checked, reachable = checked + 1, reachable + bool(arrivals[-1] <= time + longest)
    assert checked >= QUERIES and reachable > 0


def test_most_ways_along_newports_streets_are_no_longer_than_the_factor_makes_them(mirror):
    streets = read_streets(mirror / STREETS, "streets")
    stops = read_feed(mirror / NEWPORT, "buses").stops
    on = stops[streets.snap(stops)[0] >= 0].reset_index(drop=True)
    assert 150 < len(on) < len(stops) / 2  # the timetable reaches far beyond the extract
    along, line = (measure_ways(on, on, Pace(3.6, 1.0), one, 1e9) for one in (streets, None))
    pairs = pd.DataFrame({"along": along.ravel(), "line": line.ravel()}).query("1000 < line < 6000")
    ratio = pairs["along"] / pairs["line"]
    assert ratio.min() > 0.98 and 1.15 < ratio.median() < 1.25 and ratio.quantile(0.75) < 1.3  # as is assumed
