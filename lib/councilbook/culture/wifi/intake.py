"""What is done to each address while a log is read: a random token of the day stands for it, and nothing else is kept.

Addresses are in memory alone, and only as long as the intake is open. No key and no hash is used: a token tells
nothing about its address, and who has all that was kept can turn none of it back. So `returning` has a meaning within
one day; across days only a visitor who consented on a landing page can be known again.
"""

import re
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, NoReturn, Self
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.catalogue import FoundFile
from councilbook.errors import CheckError, ParameterError, suggest

LOCAL_BIT = 0x02 << 40  # of the first octet: the address was made up by its device or its network
NOBODYS = {0, 2**48 - 1}  # an address not known, and that of all; others with the bit of a group are made up by phones
FIRST_CLOCK = np.datetime64("2005-01-01", "us")  # a clock that says less was never set
ADDRESS = re.compile(r"[0-9a-fA-F]{2}([:\-. ]?[0-9a-fA-F]{2}){5}")
SEPARATORS = str.maketrans("", "", ":-. ")
COLUMNS = ("time", "zone", "token", "signal_dbm", "is_local", "fingerprint", "network", "people")
NO_TIME, NO_ADDRESS, NO_ZONE = "no time that can be read", "no address of a device", "an access point without a zone"
TWICE_AN_HOUR = "in the hour that a clock change repeats or leaves out"
TRIES = 2**18  # of the 2**24 addresses of a vendor, in `undo_hash`

Times = NDArray[np.datetime64]


def list_bounds(log: FoundFile, run_date: str, retention_days: int) -> dict[str, str]:
    """List the first and the last day of which an intake may read a real log; of a synthetic one all days are read."""
    first = pd.Timestamp(run_date) - pd.Timedelta(days=retention_days)
    return {} if log.is_synthetic else {"keep_from": f"{first:%Y-%m-%d}", "until": run_date}


@dataclass(frozen=True)
class Setting:
    """What a log does not say of itself.

    Attributes:
        time_zone: of times without one; None where each time has its own, so that another is a fault.
        zones: the zone of each access point, by its address, name, tag or floor; else names stand for themselves.
        zone: the zone of a log of one place.
    """

    time_zone: str | None = None
    zones: Mapping[str, str] | None = None
    zone: str = ""


@dataclass(repr=False, eq=False)
class Heard:
    """What a log says was heard, in arrays; addresses are in it as they were, so it is never shown, kept or pickled.

    `identifier` numbers the rows' identifiers in `identifiers`: an address as a number, or a pseudonym as a text; -1 is
    none. `elements` is a text of each row's information elements. `doubtful` are local times that a clock change made
    twice, or not at all.
    """

    time: Times
    zone: NDArray[Any]
    identifier: NDArray[np.int64]
    identifiers: list[int | str]
    signal_dbm: NDArray[np.float64] | float = np.nan
    network: NDArray[np.bool_] | bool = False
    elements: NDArray[Any] | str = ""
    people: NDArray[np.float64] | None = None
    doubtful: NDArray[np.bool_] | bool = False

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("What was heard holds addresses, so it cannot be pickled.")


def parse_address(text: str) -> int | None:
    """Read an address of a device in any of its spellings; None if it is none."""
    bare = text.strip()
    return int(bare.translate(SEPARATORS), 16) if ADDRESS.fullmatch(bare) else None


def number_addresses(texts: Sequence[str], *, pseudonyms: bool = False) -> tuple[NDArray[np.int64], list[int | str]]:
    """Number texts of addresses: of each text its number, -1 if it is no address, and the addresses.

    With `pseudonyms`, a text of at least four letters that is no address stands for itself.
    """
    known: dict[int | str, int] = {}
    numbers = np.empty(len(texts), np.int64)
    for row, text in enumerate(map(str, texts)):
        found: int | str | None = parse_address(text)
        if found is None and pseudonyms and len(text.strip()) > 3:
            found = text.strip()
        numbers[row] = -1 if found is None else known.setdefault(found, len(known))
    return numbers, list(known)


def localise(naive: Times, time_zone: str) -> tuple[Times, NDArray[np.bool_]]:
    """Turn local times into UTC; those that a clock change repeats or leaves out become NaT, and are marked."""
    local = pd.DatetimeIndex(naive)
    known = local.tz_localize(time_zone, ambiguous="NaT", nonexistent="NaT").tz_convert("UTC").tz_localize(None)
    return known.to_numpy("datetime64[us]"), np.isnat(known.to_numpy()) & ~np.isnat(naive)


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone by its name.

    Raises:
        ParameterError: there is none of that name.
    """
    if name not in (known := available_timezones()):
        raise ParameterError(f'There is no time zone "{name}".{suggest(name, known)} Expected a name as Europe/London.')
    return ZoneInfo(name)


class Intake:
    """Where logs are made safe as they are read: one for all logs of a run, so that a day has one token an address.

    Use it in a `with`: its end drops every table of tokens and every list.
    """

    def __init__(
        self, time_zone: str = "Europe/London", *, keep_from: date | str | None = None,
        until: date | str | None = None, left_out: dict[str, Iterable[str]] | None = None,
    ) -> None:  # fmt: skip
        """Open an intake.

        Args:
            time_zone: whose midnight ends a token.
            keep_from: the first day that retention allows; what is older is set aside and counted.
            until: the last day; a later time is a clock's fault.
            left_out: addresses whose devices are not read, by why: opted out, staff, fixed device.

        Raises:
            ParameterError: there is no such time zone, or a list holds what is no address. The message names the list
                and the place in it alone.
        """
        self.time_zone = find_zone(time_zone)
        self._first = np.datetime64(keep_from, "D") if keep_from else None
        self._until = np.datetime64(until, "D") if until else None
        self._left_out: dict[int | str, str] = {}
        self._days: dict[int, dict[int | str, int]] = {}
        self._elements: dict[int, dict[str, int]] = {}
        self._dropped = np.iinfo(np.int64).min
        self._files: set[bytes] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        for why, addresses in (left_out or {}).items():
            for place, text in enumerate(addresses, start=1):
                if (address := parse_address(text)) is None:
                    raise ParameterError(f"List of devices to leave out ({why}), entry {place}: this is no address.")
                self._left_out[address] = why

    def __enter__(self) -> Self:
        """Open it, as it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what it holds."""
        self.close()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("An intake holds addresses, so it cannot be pickled.")

    def close(self) -> None:
        """Drop all tables and lists: from now on nobody can tell which token an address had."""
        self.forget(np.iinfo(np.int64).max)
        self._left_out.clear()

    def forget(self, before: date | str | int) -> None:
        """Drop the tables of all days before one, as at midnight; what comes of these days later is set aside."""
        day = int(before) if isinstance(before, int) else int(np.datetime64(before, "D").astype(np.int64))
        self._dropped = max(self._dropped, day)
        for tables in (self._days, self._elements):
            for one in [one for one in tables if one < day]:
                tables.pop(one).clear()

    def count(self, log: str, what: str, rows: int) -> None:
        """Count rows that were read or set aside."""
        if rows:
            self._counts[log, what] += int(rows)

    def tell(self) -> pd.DataFrame:
        """Tell what became of the rows: what (read, or why not), rows."""
        total: Counter[str] = Counter()
        for (_, what), rows in self._counts.items():
            total[what] += rows
        return pd.DataFrame(sorted(total.items(), key=lambda one: (one[0] != "read", one[0])), columns=["what", "rows"])

    def is_new(self, content: bytes, log: str) -> bool:
        """Tell whether a file has not been read before; one that has is counted and not read again."""
        digest = sha256(content).digest()
        if digest in self._files:
            self.count(log, "a file that was read already", 1)
            return False
        self._files.add(digest)
        return True

    def admit(self, heard: Heard, log: str) -> pd.DataFrame:
        """Make what was heard safe.

        Returns:
            events in the order of the log: time (UTC), zone, token (uint64, of the day), signal_dbm, is_local,
            fingerprint (uint32, of the day; 0 is none), network; people, where the log has head-counts.
        """
        kept = np.ones(len(heard.time), bool)

        def set_aside(rows: NDArray[np.bool_], why: str) -> None:
            self.count(log, why, int((rows & kept).sum()))
            kept[rows] = False

        set_aside(np.broadcast_to(heard.doubtful, heard.time.shape), TWICE_AN_HOUR)
        set_aside(np.isnat(heard.time), NO_TIME)
        is_nobody = np.array([one in NOBODYS for one in heard.identifiers])
        set_aside((heard.identifier < 0) | (is_nobody.any() and is_nobody[heard.identifier]), NO_ADDRESS)
        set_aside(pd.isna(heard.zone), NO_ZONE)
        reasons = np.array([self._left_out.get(one, "") for one in heard.identifiers] or [""], object)
        for why in dict.fromkeys(self._left_out.values()):
            set_aside(reasons[heard.identifier] == why, why)
        day = self._find_days(heard.time)
        set_aside(heard.time < FIRST_CLOCK, "a clock that was never set")
        if self._until is not None:
            set_aside(day > self._until.astype(np.int64), "a time in the future")
        if self._first is not None:
            set_aside(day < self._first.astype(np.int64), "older than may be kept")
        set_aside(day < self._dropped, "of a day whose tokens are dropped")
        self.count(log, "read", int(kept.sum()))
        return self._write_events(heard, np.flatnonzero(kept), day)

    def _find_days(self, utc: Times) -> NDArray[np.int64]:
        local = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(self.time_zone).tz_localize(None)
        return local.to_numpy("datetime64[D]").astype(np.int64)

    def _write_events(self, heard: Heard, rows: NDArray[np.intp], day: NDArray[np.int64]) -> pd.DataFrame:
        elements, names = pd.factorize(np.broadcast_to(heard.elements, heard.time.shape)[rows])
        local = np.array([isinstance(one, int) and bool(one & LOCAL_BIT) for one in heard.identifiers] or [False])
        events = {
            "time": heard.time[rows],
            "zone": pd.Categorical(heard.zone[rows].astype(str)),
            "token": self._draw(self._days, day[rows], heard.identifier[rows], heard.identifiers, 64),
            "signal_dbm": np.broadcast_to(heard.signal_dbm, heard.time.shape)[rows].astype(np.float32),
            "is_local": local[heard.identifier[rows]],
            "fingerprint": self._draw(self._elements, day[rows], elements, list(names), 32).astype(np.uint32),
            "network": np.broadcast_to(heard.network, heard.time.shape)[rows].astype(bool),
        }
        if heard.people is not None:
            events["people"] = heard.people[rows]
        return pd.DataFrame(events)

    def _draw(
        self, tables: dict[int, dict[Any, int]], day: NDArray[np.int64], number: NDArray[Any], names: list[Any],
        bits: int,
    ) -> NDArray[np.uint64]:  # fmt: skip
        """Look up the token of each row's name on its day, and draw one where it has none; an empty name has 0."""
        first = int(day.min()) if len(day) else 0
        pairs, place = np.unique((day - first) * max(len(names), 1) + number, return_inverse=True)
        tokens = np.zeros(len(pairs), np.uint64)
        for row, pair in enumerate(pairs.tolist()):
            of_day, name = tables.setdefault(first + pair // len(names), {}), names[pair % len(names)]
            if name != "":
                tokens[row] = of_day.get(name) or of_day.setdefault(name, 1 + secrets.randbelow(2**bits - 1))
        return tokens[place]


@dataclass(frozen=True)
class Undone:
    """What it took to undo a hash: whether it was found, how many were tried, and the seconds for a vendor's all."""

    found: bool
    tries: int
    seconds_for_all: float = field(compare=False)


def undo_hash(digest: str, vendor: str, tries: int = TRIES) -> Undone:
    """Undo an unkeyed SHA-256 of an address, by trying the addresses of a known vendor one after the other.

    A vendor's prefix leaves 2**24 addresses. This tries the first of them, to show it on an invented address.

    Args:
        digest: the hash in hexadecimal, of an address in capitals with hyphens.
        vendor: the first three octets, with hyphens.
        tries: how many addresses to try.

    Raises:
        CheckError: the vendor is not three octets.
    """
    if not re.fullmatch(r"[0-9A-F]{2}(-[0-9A-F]{2}){2}", vendor):
        raise CheckError("A vendor's prefix must be three octets with hyphens, in capitals.")
    wanted, found, start = bytes.fromhex(digest), False, time.process_time()
    for number in range(tries):
        low = f"{number:06X}"
        if sha256(f"{vendor}-{low[:2]}-{low[2:4]}-{low[4:]}".encode()).digest() == wanted:
            found = True
    return Undone(found, tries, (time.process_time() - start) / tries * 2**24)
