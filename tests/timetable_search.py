"""An independent search over timetables: it reads the zip anew, call by call, and looks forward in time.

Made to check the library's engine, with which it shares nothing: that one looks back from a deadline, over links.
"""

import csv
import io
from bisect import bisect_left
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HORIZON = 3 * 3600


def write_feed(path: Path, tables: dict[str, list[dict[str, object]]]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, rows in tables.items():
            text = io.StringIO()
            writer = csv.DictWriter(text, list(rows[0]) if rows else ["empty"])
            writer.writeheader()
            writer.writerows(rows)
            archive.writestr(name, text.getvalue())
    return path


def read_rows(path: Path, name: str) -> list[dict[str, str]]:
    with ZipFile(path) as archive:
        if name not in archive.namelist():
            return []
        return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def read_seconds(text: str) -> int | None:
    return sum(int(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1), strict=True)) if text else None


class Search:
    """Trips of a day, of the day before and of the day after, as lists of (stop, arrival, departure, board, alight)."""

    def __init__(self, path: Path, day: date, walks: dict[str, dict[str, int]], change: int) -> None:
        self.walks, self.change = walks, change
        self.trips: list[list[tuple[str, int, int, bool, bool]]] = []
        raw = defaultdict(list)
        for row in read_rows(path, "stop_times.txt"):
            arrival, departure = read_seconds(row["arrival_time"]), read_seconds(row["departure_time"])
            arrival, departure = (
                (departure if arrival is None else arrival),
                (arrival if departure is None else departure),
            )
            if departure is None:
                continue
            flags = (row.get("pickup_type") != "1", row.get("drop_off_type") != "1")
            call = (row["stop_id"], min(arrival, departure), departure, *flags)
            raw[row["trip_id"]].append((int(row["stop_sequence"]), call))
        service = {row["trip_id"]: row["service_id"] for row in read_rows(path, "trips.txt")}
        for shift in (-1, 0, 1):
            running = self._list_services(path, day + timedelta(shift))
            for trip, calls in raw.items():
                row = [call for _, call in sorted(calls, key=lambda one: one[0])]
                back = any(after[1] < before[2] for before, after in pairwise(row))
                if service.get(trip) in running and len(row) > 1 and not back:
                    self.trips.append([(s, a + shift * 86400, d + shift * 86400, b, o) for s, a, d, b, o in row])
        self.departures: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for number, calls in enumerate(self.trips):
            for position, (stop, _, departure, board, _) in enumerate(calls[:-1]):
                if board:
                    self.departures[stop].append((departure, number, position))
        for listed in self.departures.values():
            listed.sort()

    @staticmethod
    def _list_services(path: Path, day: date) -> set[str]:
        text = day.strftime("%Y%m%d")
        weekly = {
            row["service_id"]
            for row in read_rows(path, "calendar.txt")
            if row[WEEKDAYS[day.weekday()]] == "1" and row["start_date"] <= text <= row["end_date"]
        }
        for row in read_rows(path, "calendar_dates.txt"):
            if row["date"] == text:
                (weekly.add if row["exception_type"] == "1" else weekly.discard)(row["service_id"])
        return weekly

    def find_earliest(self, ready: dict[str, int], most_rides: int) -> list[dict[str, int]]:
        """By rides, the earliest that one can alight at each stop, ready to board at some stops at given times."""
        start = min(ready.values())
        alighted: list[dict[str, int]] = [{}]
        for _ in range(most_rides):
            boarded: dict[int, int] = {}
            for stop, time in ready.items():
                listed = self.departures.get(stop, [])
                for departure, trip, position in listed[bisect_left(listed, (time, -1, -1)) :]:
                    if departure > start + HORIZON:
                        break
                    boarded[trip] = min(position, boarded.get(trip, position))
            best = dict(alighted[-1])
            for trip, position in boarded.items():
                for stop, arrival, _, _, alight in self.trips[trip][position + 1 :]:
                    if alight and arrival < best.get(stop, 10**9):
                        best[stop] = arrival
            ready = {}
            for stop, time in best.items():
                for other, walk in self.walks.get(stop, {stop: 0}).items():
                    ready[other] = min(ready.get(other, 10**9), time + walk + self.change)
            alighted.append(best)
        return alighted
