"""What the stays of hundreds of millions of events come to, day by day, in the memory that a day takes.

A notebook reads a log whole. This is how far the library's own stays go where it does not fit into memory.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from councilbook.culture.wifi.stays import GAP_MINUTES, MINUTE_US, Ints, Keys, Stays, arrange_stays


@dataclass
class Totals:
    """What stays come to: of sessions (stays without a gap between them), stays, seconds a zone, and moves."""

    zones: int
    gap: int
    sessions: int = 0
    stays: int = 0
    late: int = 0
    seconds: NDArray[np.float64] = field(init=False)
    moves: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Begin with none."""
        self.seconds, self.moves = np.zeros(self.zones), np.zeros((self.zones, self.zones), np.int64)

    def add(self, stays: Stays) -> None:
        """Add the stays of a day."""
        goes_on = (stays.owner[1:] == stays.owner[:-1]) & (stays.arrived[1:] - stays.left[:-1] <= self.gap)
        self.stays += len(stays.owner)
        self.sessions += len(stays.owner) - int(goes_on.sum())
        self.seconds += np.bincount(stays.zone, (stays.left - stays.arrived) / 1e6, self.zones)
        pairs = stays.zone[:-1][goes_on] * self.zones + stays.zone[1:][goes_on]
        self.moves += np.bincount(pairs, minlength=self.zones**2).reshape(self.zones, self.zones)


def total_stays(
    batches: Iterable[pa.RecordBatch], zones: int, gap_minutes: float = GAP_MINUTES, time_zone: str = "Europe/London"
) -> Totals:
    """Total the stays of a log of hundreds of millions of rows, day by day, in the memory that a day takes.

    Args:
        batches: address (uint64), time (timestamp in microseconds, UTC) and zone (a number from 0), by day.
        zones: how many zones there are.
        gap_minutes: a longer silence ends a stay.
        time_zone: whose midnight ends a day, and with it what is known of its addresses. What comes of a day that has
            ended is counted as late.
    """
    totals = Totals(zones, round(gap_minutes * MINUTE_US))
    for time, zone, address in _split_days(batches, ZoneInfo(time_zone), totals):
        code, known = pd.factorize(address)
        token = np.frombuffer(os.urandom(8 * len(known)), np.uint64)  # of the day; the addresses end here
        totals.add(arrange_stays(time, zone, token[code], totals.gap))
    return totals


def _split_days(
    batches: Iterable[pa.RecordBatch], time_zone: ZoneInfo, totals: Totals
) -> Iterator[tuple[Ints, Ints, Keys]]:
    """Yield the events of each local day, as soon as a batch has none of it any more."""
    open_days: dict[int, list[tuple[Ints, Ints, Keys]]] = {}
    ended = np.iinfo(np.int64).min
    for batch in batches:
        time, zone, address = (batch[name].to_numpy(zero_copy_only=False) for name in ("time", "zone", "address"))
        time = time.view(np.int64)
        days = pd.DatetimeIndex([time.min(), time.max()], dtype="datetime64[us]").tz_localize("UTC")
        first, last = days.tz_convert(time_zone).tz_localize(None).normalize()
        edges = pd.date_range(first, last + pd.Timedelta(days=1)).tz_localize(time_zone).tz_convert("UTC")
        bounds = edges.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
        for day in [one for one in open_days if one < bounds[0]]:
            ended = max(ended, day)
            yield _join(open_days.pop(day))
        for start, end in pairwise(bounds):
            rows = slice(None) if len(bounds) == 2 else np.flatnonzero((time >= start) & (time < end))
            part = (time[rows], zone[rows], address[rows])
            if start <= ended:
                totals.late += len(part[0])
            elif len(part[0]):
                open_days.setdefault(int(start), []).append(part)
    for parts in open_days.values():
        yield _join(parts)


def _join(parts: list[tuple[Ints, Ints, Keys]]) -> tuple[Ints, Ints, Keys]:
    time, zone, address = (np.concatenate(one) for one in zip(*parts, strict=True))
    return time, zone, address
