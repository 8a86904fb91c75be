"""Travel times between stops by ferrobus and by cafein, at several departures, as JSON.

    travel_engines.py REQUEST.json ANSWERS.json

REQUEST has the timetable (a zip in the GTFS layout), the folder it is unpacked to, streets (an OpenStreetMap extract),
the day, departures (seconds after midnight), most_rides, and stops (stop_id, latitude, longitude). ANSWERS has for each
peer its times (by departure, from stop, to stop: seconds or null), and how long they took without what is read first.
"""

import datetime
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cafein
import ferrobus


def measure(run: Callable[[int], Any], departures: list[int]) -> dict[str, Any]:
    run(departures[0])
    begin, processor = time.perf_counter(), time.process_time()
    times = [run(one) for one in departures]
    return {"seconds": time.perf_counter() - begin, "processor": time.process_time() - processor, "times": times}


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    day, ids = request["day"], [one["stop_id"] for one in request["stops"]]
    model = ferrobus.create_transit_model(request["streets"], [request["folder"]], datetime.date.fromisoformat(day))
    points = [ferrobus.create_transit_point(one["latitude"], one["longitude"], model) for one in request["stops"]]
    network = cafein.TransportNetwork.from_gtfs(request["timetable"], trip_distances=False)

    def ask_cafein(departure: int) -> list[list[float | None]]:
        moment = datetime.datetime.fromisoformat(day) + datetime.timedelta(seconds=departure)
        found = cafein.TravelTimeMatrix(
            network, ids, departure=moment, max_rides=request["most_rides"], output_time_units="seconds"
        )
        table = found.pivot(index="from_id", columns="to_id", values="travel_time").reindex(index=ids, columns=ids)
        return [[None if value != value else float(value) for value in row] for row in table.to_numpy(dtype=float)]

    def ask_ferrobus(departure: int) -> list[list[int | None]]:
        return ferrobus.travel_time_matrix(model, points, departure, request["most_rides"] - 1)

    ways = {"ferrobus": ask_ferrobus, "cafein": ask_cafein}
    answers = {name: measure(run, request["departures"]) for name, run in ways.items()}
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")


main()
