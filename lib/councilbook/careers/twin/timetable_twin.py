"""The invented town's timetables: buses in the layout of the Bus Open Data Service, trains as a converted rail feed.

Both hold what real ones hold: trips past midnight, stops where one may only board or only alight, evenings and Sundays
without a bus, and, among the trains, the faults that real files have.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import FloatArray, SyntheticPlace, make_place

HUBS = 4  # towns with buses of their own
TOWN_M = 1_500  # what counts as near a hub
STOP_M = 400  # between two stops of a bus
BUS_METRES_MINUTE, TRAIN_METRES_MINUTE = 350, 1_300
FAR_M = 40_000  # to the town at the other end of the railway
BUS_DAYS = {"weekdays": "1111110", "schooldays": "1111100", "sundays": "0000001", "nights": "0000110"}
NO_DAY = "0000000"
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
VALID = {"start_date": "20261102", "end_date": "20261211"}  # a half of a term
Rows = list[dict[str, object]]


def bus_timetable(_source: Source, request: TwinRequest) -> bytes:
    """Make the timetable of the invented town's buses.

    Lines run from each town to the country around it and back, and between the towns. A country line has its last bus
    before seven; one between towns runs to after midnight.
    """
    place = make_place(request.council, request.seed)
    stops: list[tuple[float, float]] = []
    trips: Rows = []
    calls: Rows = []
    for line, (name, points, services) in enumerate(_draw_lines(place)):
        numbers = [len(stops) + one for one in range(len(points))]
        stops.extend(map(tuple, points))
        metres = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
        for service, minutes in services.items():
            for start in minutes:
                for backwards in (False, True):
                    trip = f"VJ{line:03d}{service[:2]}{start:04d}{int(backwards)}"
                    trips.append({"route_id": line, "service_id": service, "trip_id": trip, "trip_headsign": name})
                    calls += _call(trip, numbers, metres, start, backwards)
    routes = sorted({int(str(trip["route_id"])) for trip in trips})
    tables = {
        "routes.txt": [{"route_id": one, "agency_id": "OP1", "route_type": 3} for one in routes],
        "trips.txt": trips,
        "stop_times.txt": calls,
        "calendar.txt": [_run_on(one, days) for one, days in (BUS_DAYS | {"none": NO_DAY}).items()],
    }
    return _write(tables, [("9999B", "Stop", one) for one in stops], "Synthetic Buses")


def rail_timetable(_source: Source, request: TwinRequest) -> bytes:
    """Make the timetable of the invented town's trains, each with a service of its own, as rail feeds have them.

    Put in: arrivals after the departure, trips with one stop left, a service that runs on no day, and an express that
    nobody may alight from in the town.
    """
    place = make_place(request.council, request.seed)
    hubs = _find_hubs(place)[:3]
    stations = [*hubs, hubs[0] - (FAR_M, 0)]
    lines = {"local": [1, 0, 2], "fast": [0, 3], "slow": [2, 0, 3], "express": [1, 0, 3]}
    starts = {
        "local": range(345, 1440, 30),
        "fast": range(360, 1471, 30),
        "slow": range(375, 1400, 60),
        "express": [480, 1050],
    }
    trips: Rows = []
    calls: Rows = []
    calendar: Rows = []
    for line, numbers in lines.items():
        points = np.array([stations[one] for one in numbers])
        metres = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
        for start in starts[line]:
            for backwards in (False, True):
                trip = f"{line}{start:04d}{int(backwards)}"
                made = _call(trip, numbers, metres, start, backwards, TRAIN_METRES_MINUTE)
                made[0]["drop_off_type"] = made[-1]["pickup_type"] = 0
                if line == "express":
                    made[1]["drop_off_type"] = 1
                calls += made
                trips.append({"route_id": line, "service_id": f"{trip}_service", "trip_id": trip})
                calendar.append(_run_on(f"{trip}_service", "1111110" if start % 60 else "1111111"))
    for number, call in enumerate(call for call in calls if str(call["trip_id"]).startswith("slow")):
        if number % 40 == 1:
            call["arrival_time"] = "48:59:00"
    for number in range(3):
        trips.append({"route_id": "local", "service_id": "local03450_service", "trip_id": f"cut{number}"})
        calls.append({**calls[number], "trip_id": f"cut{number}"})
    calendar[0] = _run_on(str(calendar[0]["service_id"]), NO_DAY)
    routes: Rows = [{"agency_id": "XX", "route_type": 2, "route_id": one} for one in lines]
    tables = {"routes.txt": routes, "trips.txt": trips, "stop_times.txt": calls, "calendar.txt": calendar}
    return _write(tables, [("9100SYN", "Station", (x, y)) for x, y in stations], "Synthetic Trains")


def _draw_lines(place: SyntheticPlace) -> Iterator[tuple[str, FloatArray, Mapping[str, Any]]]:
    """Draw the lines of buses: a name, the points of their stops, and by service the minutes at which they leave."""
    rng = place.stream("buses")
    hubs = _find_hubs(place)
    ground = place.pieces[["x", "y"]].to_numpy()
    town = {"weekdays": range(360, 1380, 20), "sundays": range(540, 1080, 60)}
    for hub in range(1, len(hubs)):
        yield f"Between towns {hub}", _lay(hubs[0], hubs[hub], rng), {**town, "nights": [1450, 1510]}
    nearest = cKDTree(hubs).query(ground)[1]
    for number, hub in enumerate(hubs):
        own = ground[nearest == number]
        away = np.linalg.norm(own - hub, axis=1)
        for way in range(10 if number == 0 else 6):
            around = np.arctan2(*(own - hub).T)
            turn = np.abs((around - way * 2 * np.pi / (10 if number == 0 else 6) + np.pi) % (2 * np.pi) - np.pi)
            end = own[np.argmax(away - 20_000 * turn)]
            is_near = np.linalg.norm(end - hub) < 5_000
            far = {"weekdays": range(405, 1110, 60), "schooldays": [450]}
            every = {"weekdays": range(375, 1370, 30)} if is_near else far
            if np.linalg.norm(end - hub) > STOP_M:
                yield f"Town {number + 1}, line {way + 1}", _lay(hub, end, rng), every


def _find_hubs(place: SyntheticPlace) -> FloatArray:
    """Find where most households live near each other, again and again without what is near those found."""
    ground, households = place.pieces[["x", "y"]].to_numpy(), place.pieces["households"].to_numpy().copy()
    near = cKDTree(ground).query_ball_point(ground, TOWN_M)
    found = []
    for _ in range(HUBS * len(place.districts)):
        best = int(np.argmax([households[one].sum() for one in near]))
        found.append(ground[best])
        households[np.linalg.norm(ground - ground[best], axis=1) < 3 * TOWN_M] = 0
    return np.array(found)


def _lay(start: FloatArray, end: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Lay a line of stops from one point to another, with a bend."""
    middle = (start + end) / 2 + rng.normal(0, 0.08, 2) * np.linalg.norm(end - start)
    parts = [
        np.linspace(*ends, max(2, int(np.linalg.norm(ends[1] - ends[0]) / STOP_M) + 1))
        for ends in ((start, middle), (middle, end))
    ]
    return np.vstack([parts[0], parts[1][1:]])


def _call(
    trip: str, stops: list[int], metres: FloatArray, start: int, backwards: bool, pace: float = BUS_METRES_MINUTE
) -> Rows:
    """Call at stops in turn, to the second; at the first one can only board, at the last only alight."""
    order = stops[::-1] if backwards else stops
    seconds = start * 60 + (metres[-1] - metres[::-1] if backwards else metres) / pace * 60
    rows: Rows = []
    for number, (stop, second) in enumerate(zip(order, seconds.round().astype(int), strict=True)):
        time = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        call = {"trip_id": trip, "arrival_time": time, "departure_time": time, "stop_id": stop, "stop_sequence": number}
        rows.append(call | {"pickup_type": int(number == len(order) - 1), "drop_off_type": int(number == 0)})
    return rows


def _run_on(service: str, days: str) -> dict[str, object]:
    return {"service_id": service, **dict(zip(WEEK, days, strict=True)), **VALID}


def _write(tables: Mapping[str, Rows], stops: list[tuple[str, str, Any]], agency: str) -> bytes:
    """Write a timetable as a zip that is the same, byte for byte, whenever it is written."""
    places = gpd.GeoSeries.from_xy(*zip(*(one for _, _, one in stops), strict=True), crs=27700).to_crs(4326)
    listed = pd.DataFrame(
        {
            "stop_id": [f"{code}{number:04d}" for number, (code, _, _) in enumerate(stops)],
            "stop_name": [f"{name} {number + 1}" for number, (_, name, _) in enumerate(stops)],
            "stop_lat": places.y.round(6),
            "stop_lon": places.x.round(6),
        }
    )
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()} | {"stops.txt": listed}
    frames["stop_times.txt"]["stop_id"] = listed["stop_id"].to_numpy()[frames["stop_times.txt"]["stop_id"].astype(int)]
    names = {"agency_id": "OP1", "agency_name": f"{agency} (SYNTHETIC DATA)", "agency_url": "https://example.org"}
    frames["agency.txt"] = pd.DataFrame([names | {"agency_timezone": "Europe/London"}])
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, frame in sorted(frames.items()):
            archive.writestr(ZipInfo(name), frame.to_csv(index=False, lineterminator="\n"), compress_type=ZIP_DEFLATED)
    return stream.getvalue()
