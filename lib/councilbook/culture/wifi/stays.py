"""From events to stays: how long a token was heard in a zone without a break, and where it went next.

The events of a token are in the order of time; at the same time, in the order of the zones' names. So a result never
depends on the order of a file. A stay ends with the last event before a gap, or before the token is heard elsewhere.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from councilbook.errors import ParameterError

GAP_MINUTES = 30
MINUTE_US = 60_000_000
ZONE_BITS = 15  # beside 48 bits of microseconds, which are nearly nine years
SEEN_ONCE = "seen once"
LENGTHS = {"up to 10 minutes": 10, "10 to 30 minutes": 30, "30 to 60 minutes": 60, "1 to 4 hours": 240}
LONGER = "more than 4 hours"

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Stays:
    """Stays in arrays, by token as it was first heard and by time: microseconds since 1970, zones by number."""

    token: Keys
    owner: Ints
    zone: Ints
    arrived: Ints
    left: Ints
    events: Ints
    strongest: NDArray[np.float32]


def find_stays(events: pd.DataFrame, gap_minutes: float = GAP_MINUTES, *, zones_apart: bool = False) -> pd.DataFrame:
    """Find the stays of each token in each zone.

    Args:
        events: time, zone, token; signal_dbm where there is one.
        gap_minutes: a longer silence ends a stay.
        zones_apart: look at each zone by itself, so that being heard elsewhere ends no stay.

    Returns:
        token, zone, arrived, left, dwell_seconds, events, strongest_dbm, is_seen_once: one that is seen once has no
        length that can be known, and its dwell_seconds of 0 are no dwell.

    Raises:
        ParameterError: the gap is not more than 0, or there are too many zones or years.
    """
    if not gap_minutes > 0:
        raise ParameterError("The gap that ends a stay must be more than 0 minutes.")
    zone = events["zone"].astype("str").astype("category")
    codes = zone.cat.codes.to_numpy().astype(np.int64)
    time = events["time"].to_numpy("datetime64[us]").view("int64")
    token, apart = events["token"].to_numpy("uint64"), len(zone.cat.categories) if zones_apart else 0
    signal = events.get("signal_dbm", pd.Series(np.nan, events.index)).to_numpy("float32")
    found = arrange_stays(time, codes, token, round(gap_minutes * MINUTE_US), signal, apart=apart)
    return pd.DataFrame({
        "token": found.token,
        "zone": pd.Categorical.from_codes(found.zone, zone.cat.categories),
        "arrived": found.arrived.view("datetime64[us]"),
        "left": found.left.view("datetime64[us]"),
        "dwell_seconds": (found.left - found.arrived) / 1e6,
        "events": found.events,
        "strongest_dbm": found.strongest,
        "is_seen_once": found.left == found.arrived,
    })  # fmt: skip


def arrange_stays(
    time: Ints, zone: Ints, key: Keys, gap: int, signal: NDArray[np.float32] | None = None, *, apart: int = 0
) -> Stays:
    """Find stays in arrays; see `find_stays`. `apart` is how many zones are to be looked at by themselves.

    Raises:
        ParameterError: there are too many zones, or times too far from each other, to be packed into 64 bits.
    """
    first = int(time.min()) if len(time) else 0
    if len(time) and (int(time.max()) - first >= 2 ** (63 - ZONE_BITS) or int(zone.max()) >= 2**ZONE_BITS):
        raise ParameterError(f"Stays are found in logs of up to eight years and {2**ZONE_BITS:,} zones.")
    code, keys = pd.factorize(key)
    if apart:
        code, pairs = pd.factorize(code * apart + zone)
        keys = keys[pairs // apart]
    signal = np.zeros(0, np.float32) if signal is None else signal
    if (time[1:] < time[:-1]).any():
        order = np.argsort(time, kind="stable")
        time, zone, code, signal = time[order], zone[order], code[order], signal[order] if len(signal) else signal
    packed, heard, starts = _sort_events(time, zone, code, len(keys), first, signal)
    owner, where, arrived, left, events, strongest = _scan(packed, heard, starts, gap)
    return Stays(keys[owner], owner, where, arrived + first, left + first, events, strongest)


@njit(cache=True, nogil=True)
def _sort_events(
    time: Ints, zone: Ints, code: NDArray[np.intp], number: int, first: int, signal: NDArray[np.float32]
) -> tuple[Ints, NDArray[np.float32], Ints]:
    """Put the events of each key together, each as time and zone in one number, those of a moment by zone."""
    starts = np.zeros(number + 1, np.int64)
    for row in range(len(code)):
        starts[code[row] + 1] += 1
    starts = np.cumsum(starts)
    place, packed, heard = starts.copy(), np.empty(len(code), np.int64), np.empty(len(signal), np.float32)
    for row in range(len(code)):
        at = place[code[row]]
        place[code[row]] = at + 1
        packed[at] = (time[row] - first) << ZONE_BITS | zone[row]
        if len(signal):
            heard[at] = signal[row]
    for key in range(number):
        for row in range(starts[key] + 1, starts[key + 1]):
            at = row
            while at > starts[key] and packed[at - 1] > packed[at]:  # the same moment, and another zone
                packed[at - 1], packed[at] = packed[at], packed[at - 1]
                if len(signal):
                    heard[at - 1], heard[at] = heard[at], heard[at - 1]
                at -= 1
    return packed, heard, starts


@njit(cache=True, nogil=True)
def _scan(
    packed: Ints, heard: NDArray[np.float32], starts: Ints, gap: int
) -> tuple[Ints, Ints, Ints, Ints, Ints, NDArray[np.float32]]:
    """Go through each key's events once to count its stays, and once more to write them."""
    count = 0
    for key in range(len(starts) - 1):
        for row in range(starts[key], starts[key + 1]):
            count += row == starts[key] or _breaks(packed[row - 1], packed[row], gap)
    owner, where, events = np.empty(count, np.int64), np.empty(count, np.int64), np.zeros(count, np.int64)
    arrived, left, strongest = np.empty(count, np.int64), np.empty(count, np.int64), np.full(count, np.nan, np.float32)
    stay = -1
    for key in range(len(starts) - 1):
        for row in range(starts[key], starts[key + 1]):
            at = packed[row] >> ZONE_BITS
            if row == starts[key] or _breaks(packed[row - 1], packed[row], gap):
                stay += 1
                owner[stay], where[stay], arrived[stay] = key, packed[row] & ((1 << ZONE_BITS) - 1), at
            left[stay] = at
            events[stay] += 1
            if len(heard) and not heard[row] <= strongest[stay] and heard[row] == heard[row]:
                strongest[stay] = heard[row]
    return owner, where, arrived, left, events, strongest


@njit(cache=True, nogil=True, inline="always")
def _breaks(before: int, after: int, gap: int) -> bool:
    """Tell whether a stay ends between two events: another zone, or too long a silence."""
    return ((before ^ after) & ((1 << ZONE_BITS) - 1)) != 0 or (after >> ZONE_BITS) - (before >> ZONE_BITS) > gap


def band_lengths(stays: pd.DataFrame) -> "pd.Series[str]":
    """Put each stay into a band of length; one that is seen once has none."""
    edges = [-1.0, *LENGTHS.values(), np.inf]
    bands = pd.cut(stays["dwell_seconds"] / 60, edges, labels=[*LENGTHS, LONGER]).astype("str")
    return bands.where(~stays["is_seen_once"], SEEN_ONCE)


def count_longest(stays: pd.DataFrame) -> pd.DataFrame:
    """Count the tokens of a day in each zone by the length of their longest stay there, so that each counts once.

    Returns:
        zone, length (`All` are all of them), addresses.
    """
    longest = stays.sort_values("dwell_seconds").groupby(["token", "zone"], observed=True).tail(1)
    counts = longest.assign(length=band_lengths(longest)).groupby(["zone", "length"], observed=True).size()
    wanted = pd.MultiIndex.from_product(
        [sorted(map(str, longest["zone"].unique())), [SEEN_ONCE, *LENGTHS, LONGER]], names=["zone", "length"]
    )
    table = counts.reindex(wanted, fill_value=0).rename("addresses").reset_index()
    whole = table.groupby("zone", sort=False)["addresses"].sum().reset_index().assign(length="All")
    return pd.concat([table, whole], ignore_index=True)
