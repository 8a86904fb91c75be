"""Journeys by timetable: how fast they are found, and how many are right, beside two peers.

    python benchmarks/travel.py MIRROR [--peer PYTHON] [--points N] [--places N]

MIRROR is a folder with the official files. PYTHON is the interpreter of an environment with
benchmarks/peers/requirements-travel.txt:

    python3.11 -m venv peer && peer/bin/pip install -r benchmarks/peers/requirements-travel.txt

First the ways from many points to many places, arriving at any of 120 minutes, with two percentiles, rides and the last
way home, along Newport's streets.

Then a matrix of times between the stops of Newport's buses that lie on its streets, at 13 departures. The search of the
tests, which reads the timetable anew, says what is right. Ours has to be the same to the second. cafein is asked
without walks between stops, and is held to the search without walks. ferrobus walks along streets of its own, so it can
only be held to this: where there is a direct bus, it may take a minute more than that at most.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from councilbook.methods.travel.engine import Network, find_latest, make_network
from councilbook.methods.travel.feeds import Feed, read_feed
from councilbook.methods.travel.ground import Pace, Streets, link_stops, read_streets
from councilbook.methods.travel.journeys import Habits, Window, measure_journeys

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from timetable_search import Search

FOLDER = Path("doncaster/05_transport/newport_wales")
WALK, CHANGE, RIDES, LONGEST = Pace(4.8, 1.3), 120, 4, 7_200
DEPARTURES = np.arange(8 * 3600, 10 * 3600 + 1, 600, dtype=np.int32)
PEER = Path(__file__).parent / "peers" / "travel_engines.py"
Times = np.ndarray[Any, Any]


def time_it(run: Callable[[], Any]) -> tuple[Any, float, float]:
    begin, processor = time.perf_counter(), time.process_time()
    made = run()
    return made, time.perf_counter() - begin, time.process_time() - processor


def fill_matrix(network: Network, stops: list[int], departures: Times) -> Times:
    """Return seconds from departing to alighting: by departure, from stop, to stop; infinite where out of reach."""
    turned, size = network.turn(), len(network.stops)
    times = np.empty((len(departures), len(stops), len(stops)))
    for number, stop in enumerate(stops):
        start = csr_array(([np.int32(0)], ([0], [stop])), shape=(1, size))
        soonest = -(find_latest(turned, start, -departures[::-1], LONGEST, RIDES) >> 3)[stops][:, ::-1]
        times[:, number] = (soonest - departures).T
        times[:, number, number] = 0
    return np.where(times <= LONGEST, times, np.inf)


def search_matrix(search: Search, ids: list[str], departures: Times, rides: int) -> Times:
    times = np.full((len(departures), len(ids), len(ids)), np.inf)
    for lane, departure in enumerate(departures):
        for number, stop in enumerate(ids):
            best = search.find_earliest({stop: int(departure)}, rides)[-1]
            times[lane, number] = [best.get(other, np.inf) - departure for other in ids]
            times[lane, number, number] = 0
    return np.where(times <= LONGEST, times, np.inf)


def name_walks(walks: csr_array, ids: list[str]) -> dict[str, dict[str, int]]:
    named: dict[str, dict[str, int]] = {}
    for row, column, seconds in zip(*walks.tocoo().coords, walks.data, strict=True):
        named.setdefault(ids[row], {})[ids[column]] = int(seconds)
    return named


def ask_peers(peer: Path, mirror: Path, feed: Feed, stops: list[int], day: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        timetable = mirror / FOLDER / "newport-20230613_gtfs.zip"
        ZipFile(timetable).extractall(f"{folder}/feed")
        request = {
            "timetable": str(timetable),
            "folder": f"{folder}/feed",
            "streets": str(mirror / FOLDER / "newport-2023-06-13.osm.pbf"),
            "day": day,
            "departures": DEPARTURES.tolist(),
            "most_rides": RIDES,
            "stops": feed.stops.iloc[stops].to_dict("records"),
        }
        asked, answered = Path(folder, "request.json"), Path(folder, "answers.json")
        asked.write_text(json.dumps(request), encoding="utf-8")
        subprocess.run([peer, PEER, asked, answered], check=True)
        answers: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
        return answers


def compare(feed: Feed, streets: Streets, mirror: Path, peer: Path | None) -> None:
    path, day = mirror / FOLDER / "newport-20230613_gtfs.zip", feed.choose_day("tuesday")
    stops = np.flatnonzero(streets.snap(feed.stops)[0] >= 0).tolist()
    names = list(feed.stops["stop_id"])
    ids = [names[one] for one in stops]
    walks = link_stops(feed.stops, feed.stops, WALK, streets, 600)
    network = make_network([feed], [day], walks, CHANGE)
    fill_matrix(network, stops[:2], DEPARTURES)  # compiles
    times, seconds, processor = time_it(lambda: fill_matrix(network, stops, DEPARTURES))
    truth = search_matrix(Search(path, day, name_walks(walks, names), CHANGE), ids, DEPARTURES, RIDES)
    right = (times == truth)[np.isfinite(truth) | np.isfinite(times)].mean()
    print(f"{times.size:,} pairs and departures, {np.isfinite(truth).sum():,} of them with a journey\n")
    print("| way | pairs a second | pairs a processor second | right |\n|---|---|---|---|")
    print(f"| ours | {times.size / seconds:,.0f} | {times.size / processor:,.0f} | {right:.4%} |")
    if peer is None:
        return
    answers = ask_peers(peer, mirror, feed, stops, day.isoformat())
    bare = Search(path, day, {}, 0)
    wanted = {
        "cafein": search_matrix(bare, ids, DEPARTURES, RIDES),
        "ferrobus": search_matrix(bare, ids, DEPARTURES, 1),
    }
    for name, told in answers.items():
        found = np.array(told["times"], dtype=float)
        found = np.where(np.isnan(found) | (found > LONGEST), np.inf, found)
        has = np.isfinite(wanted[name]) & ~np.eye(len(ids), dtype=bool)
        good = (found == wanted[name] if name == "cafein" else found <= wanted[name] + 60)[has]
        rates = f"{found.size / told['seconds']:,.0f} | {found.size / told['processor']:,.0f}"
        print(f"| {name} | {rates} | {good.mean():.4%} |")


def measure_many(feed: Feed, streets: Streets, points: int, places: int) -> None:
    rng = np.random.default_rng(17)
    on = feed.stops[streets.snap(feed.stops)[0] >= 0][["latitude", "longitude"]].to_numpy()

    def scatter(count: int) -> pd.DataFrame:
        return pd.DataFrame(
            on[rng.integers(0, len(on), count)] + rng.normal(0, 0.003, (count, 2)), columns=["latitude", "longitude"]
        )

    homes, goals = scatter(points), scatter(places)
    habits = Habits(arrive=Window("08:00", "09:59"))
    walks = link_stops(feed.stops, feed.stops, habits.walk, streets, habits.most_change_minutes * 60)
    network = make_network([feed], [feed.choose_day("tuesday")], walks, habits.change_minutes * 60)
    measure_journeys(homes[:2], goals[:2], network, habits, streets)  # compiles
    made, seconds, processor = time_it(lambda: measure_journeys(homes, goals, network, habits, streets))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    reached = made["transit_median_minutes"].notna().mean()
    print(
        f"\n{points:,} points x {places} places x 120 minutes: {seconds:.1f} s, {processor:.1f} processor seconds, ",
        end="",
    )
    print(f"peak {peak:.2f} GiB; {len(made):,} rows, {reached:.0%} with a journey by timetable or on foot")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--peer", type=Path, help="the interpreter of the environment with ferrobus and cafein")
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--places", type=int, default=200)
    options = parser.parse_args()
    feed = read_feed(options.mirror / FOLDER / "newport-20230613_gtfs.zip", "buses")
    streets = read_streets(options.mirror / FOLDER / "newport-2023-06-13.osm.pbf", "streets")
    measure_many(feed, streets, options.points, options.places)
    compare(feed, streets, options.mirror, options.peer)


if __name__ == "__main__":
    main()
