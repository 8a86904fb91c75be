"""Logs that are tables: probe requests, Meraki's CMX export, a campus's controller, and tables that are declared."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from councilbook.culture.wifi.intake import Heard, Intake, Setting, Times, localise, number_addresses, parse_address
from councilbook.errors import SourceError

TARGETS = {
    "time": "when it was heard",
    "end": "when the connection ended",
    "seconds": "how long the connection lasted",
    "address": "address of the device",
    "pseudonym": "what stands for a device",
    "zone": "access point, sensor or zone",
    "signal_dbm": "signal in dBm",
    "elements": "information elements of a probe request",
    "vendors": "vendors of its vendor-specific elements",
    "network": "the network that it is on; blank if none",
    "people": "how many people were counted",
}
COLUMNS: dict[str, Mapping[str, str | None]] = {
    "meraki_csv": {
        "Event Time Epoch": "time", "Client Mac": "address", "AP Mac": "zone", "RSSI": "signal_dbm", "SSID": "network",
    },
    "probe_csv": {
        "datetime": "time", "src": "address", "rssi": "signal_dbm", "dot11elt": "elements", "oui": "vendors",
        "occupancy": "people",
    },
    "campus_tsv": {
        "macaddress": "pseudonym", "apname": "zone", "ssid": "network", "session_start": "time", "starttime": "time",
        "timestamp": "time", "session_end": "end", "endtime": "end", "duration": "seconds",
    },
    "facility_csv": {"時間": "time", "施設No": "zone", "ユーザー情報": "pseudonym"},
}  # fmt: skip
OPTIONAL = {"end", "seconds", "signal_dbm", "elements", "vendors", "network", "people"}
HAS_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d|:\d\d(?:\.\d+)?\s?[+-]\d\d)$")  # 2026-03-26 has none
LETTERS = re.compile(r"\s?\b(GMT|UTC|BST)\b")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d.%m.%Y")
CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
WRITTEN = [*(f"{day} {clock}" for day in DAYS for clock in CLOCKS), "%a %b %d %H:%M:%S %Y"]  # by controllers
MILLISECONDS = 1e11  # as seconds this is the year 5138, as milliseconds 1973
LOWEST_DBM = -130.0  # thermal noise of a channel of wifi is some -100
MARK_SECONDS = 300  # a connected device is taken to be heard as often as this, until its connection ends
LONGEST_SECONDS = 7 * 86_400  # of a connection: what is longer is a counter that ran over
USER = re.compile(r"(?=.)(user|guest|visitor|customer|person)?[ _]?(name)?", re.I)
FIRST_ROWS = 100  # in which a user's name is looked for, and how times are written
HASH = re.compile(r"([0-9a-f]{16,})?", re.I)
PERSONAL = re.compile(r"(e-?mail|phone number|first ?name|last ?name|surname|full ?name|date of birth|postcode)", re.I)


def split_header(text: str) -> list[str]:
    """Split the first line of a table at its separator."""
    line = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=find_separator(line)), [])]


def find_separator(line: str) -> str:
    """Find the separator of a header: what stands in it most often."""
    return max(";\t,|", key=line.count)


def find_missing(columns: Mapping[str, str | None], header: Sequence[str]) -> list[str]:
    """Return the headers without which a table is not of a layout; of those of one column of ours, one will do."""
    needed: dict[str, list[str]] = {}
    for name, target in columns.items():
        if target and target not in OPTIONAL:
            needed.setdefault(target, []).append(name)
    return [" or ".join(names) for names in needed.values() if not set(names) & set(header)]


def read_table(content: bytes, columns: Mapping[str, str | None], setting: Setting, intake: Intake, log: str) -> Heard:
    """Read a table by its columns; a column that is not named is not even parsed into memory.

    Raises:
        SourceError: a column is missing, times have no zone and none is said, or a column of names is in it.
    """
    head = content[:65_536].decode("utf-8-sig", "replace")
    header = split_header(head)
    used = {target: name for name, target in list(columns.items())[::-1] if target and name in header}
    _check_columns(columns, used, header, log)
    _refuse_names(head, header, set(used.values()), log)
    texts, ragged = _parse(content, head, list(used.values()), header)
    if texts is None:
        raise SourceError(f"Log ({log}): it cannot be read as a table in UTF-8 with one header.")
    intake.count(log, "a row with another number of cells than the header", ragged)

    def cells(target: str) -> NDArray[Any] | None:
        return texts[used[target]] if target in used else None

    rows = len(texts[used["time"]])
    time, doubtful = read_times(texts[used["time"]], setting.time_zone, log)
    key = "pseudonym" if "pseudonym" in used else "address"
    codes, names = pd.factorize(texts[used[key]])
    numbers, identifiers = number_addresses([str(name) for name in names], pseudonyms=key == "pseudonym")
    zone = cells("zone")
    named = np.full(rows, setting.zone or "sensor", object) if zone is None else name_zones(zone, setting)
    if (elements := cells("elements")) is None:
        elements = np.full(rows, "", object)
    elif (vendors := cells("vendors")) is not None:
        elements = elements + "|" + vendors
    people, network, signal = cells("people"), cells("network"), cells("signal_dbm")
    heard = Heard(
        time, named, numbers[codes] if len(numbers) else codes.astype(np.int64), identifiers,
        signal_dbm=np.full(rows, np.nan) if signal is None else _read_signals(signal),
        network=np.ones(rows, bool) if "end" in used or "seconds" in used
        else np.zeros(rows, bool) if network is None else network != "",
        elements=elements, people=None if people is None else _read_numbers(people), doubtful=doubtful,
    )  # fmt: skip
    return _mark_connections(heard, cells("end"), cells("seconds"), setting, intake, log)


def _check_columns(columns: Mapping[str, str | None], used: Mapping[str, str], header: list[str], log: str) -> None:
    if unknown := sorted({target for target in columns.values() if target} - set(TARGETS)):
        raise SourceError(f"Log ({log}): there is no column {unknown[0]} of ours. Known: {', '.join(TARGETS)}.")
    missing = find_missing(columns, header)
    if missing or "time" not in used or not {"address", "pseudonym"} & set(used):
        lacks = ", ".join(missing) or "a time, or an address"
        raise SourceError(f"Log ({log}): its header lacks {lacks}.")
    if len(set(header)) < len(header):
        raise SourceError(f"Log ({log}): two columns have the same header.")


def _refuse_names(head: str, header: list[str], used: set[str], log: str) -> None:
    """Refuse a table with people's names or contacts; that of a user may hold a hash in place of a name."""
    first, _, others = head.partition("\n")
    rows = list(csv.reader(others.splitlines()[:FIRST_ROWS], delimiter=find_separator(first)))
    for place, name in enumerate(header):
        is_user = USER.fullmatch(name) and name not in used
        cells = [row[place] for row in rows if len(row) > place]
        if PERSONAL.search(name) or (is_user and not all(HASH.fullmatch(cell) for cell in cells)):
            raise SourceError(f"Log ({log}): column {place + 1} is of people's names or contacts. Export it without.")


def _parse(
    content: bytes, head: str, wanted: list[str], header: list[str]
) -> tuple[dict[str, NDArray[Any]] | None, int]:
    """Parse the wanted columns as text, and count the rows that have too many or too few cells."""
    ragged = 0

    def skip(_: Any) -> str:
        nonlocal ragged
        ragged += 1
        return "skip"

    try:
        content.decode()  # pyarrow would print a wrong letter on the error stream alone
        table = pyarrow.csv.read_csv(
            io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")),
            pyarrow.csv.ReadOptions(use_threads=False, column_names=header, skip_rows=1, block_size=1 << 24),
            pyarrow.csv.ParseOptions(
                delimiter=find_separator(head.split("\n", 1)[0]), invalid_row_handler=skip, newlines_in_values=False
            ),
            pyarrow.csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None, 0  # its message repeats the row, so it is let go
    trimmed = {name: pc.utf8_trim_whitespace(table[name]).to_numpy(zero_copy_only=False) for name in wanted}
    return trimmed, ragged


def name_zones(names: NDArray[Any], setting: Setting) -> NDArray[Any]:
    """Name the zone of each row, once for each name that there is."""
    codes, unique = pd.factorize(names)
    zones = ZoneNames(setting)
    named: NDArray[Any] = np.array([zones.find([str(name)]) for name in unique] or [None], object)[codes]
    return named


class ZoneNames:
    """Finds the zone of an access point by its address, name, tags or floor; an address is never a name itself."""

    def __init__(self, setting: Setting) -> None:
        """Take what a council says of its access points."""
        self._zones = {_simplify(name): zone for name, zone in (setting.zones or {}).items()}
        self._whole, self._numbers = setting.zone, dict[str, str]()
        self._found: dict[tuple[str, ...], str | None] = {}

    def find(self, names: Sequence[str]) -> str | None:
        """Return the zone of the first name that has one; None where access points are declared and this is not."""
        key = tuple(names)
        if key not in self._found:
            self._found[key] = self._look_up(key)
        return self._found[key]

    def _look_up(self, names: tuple[str, ...]) -> str | None:
        known = [name for name in names if name.strip()]
        if self._zones:
            return next((self._zones[one] for one in map(_simplify, known) if one in self._zones), None)
        plain = [name for name in known if not _is_address(name)]
        if plain or self._whole:
            return self._whole or plain[0].strip()
        if not known:
            return None
        return self._numbers.setdefault(_simplify(known[0]), f"access point {len(self._numbers) + 1}")


def _is_address(name: str) -> bool:
    return parse_address(name) is not None


def _simplify(name: str) -> str:
    return re.sub(r"[:\-. ]", "", name).casefold() if _is_address(name) else name.strip().casefold()


def read_times(texts: NDArray[Any], time_zone: str | None, log: str) -> tuple[Times, NDArray[np.bool_]]:
    """Read times: ISO with or without a zone, seconds, milliseconds or microseconds since 1970, or one of WRITTEN.

    UTC or GMT behind a time is its zone, in summer too; BST is the log's own.

    Returns:
        The times in UTC, NaT where there is none that can be read, and which of these a clock change made doubtful.

    Raises:
        SourceError: some have no zone, and the log's is not said; none can be read; or day and month may be either.
    """
    codes, names = pd.factorize(texts)
    written = pd.Series(names, dtype="object").astype(str).str.strip()
    letters = written.str.extract(LETTERS)[0]
    unique = written.str.replace(LETTERS, "", regex=True).str.replace(r"(?<=:\d\d),(?=\d)", ".", regex=True)
    times = np.full(len(unique), np.datetime64("NaT"), "datetime64[us]")
    doubtful = np.zeros(len(unique), bool)
    is_number = unique.str.fullmatch(NUMBER).to_numpy(bool)
    seconds = _read_numbers(unique[is_number].to_numpy(object))
    while (large := np.abs(seconds) > MILLISECONDS).any():
        seconds = np.where(large, seconds / 1000, seconds)
    times[is_number] = from_seconds(seconds)
    zoned = unique.str.contains(HAS_ZONE).to_numpy(bool) & ~is_number
    told = pd.to_datetime(unique[zoned], format="ISO8601", utc=True, errors="coerce")
    times[zoned] = told.dt.tz_localize(None).to_numpy("datetime64[us]")
    rest = ~(is_number | zoned)
    naive = pd.to_datetime(unique[rest], format="ISO8601", errors="coerce").to_numpy("datetime64[us]")
    if rest.any() and np.isnat(naive).all():
        naive = _read_written(unique[rest], log)
    is_utc = letters[rest].isin(["GMT", "UTC"]).to_numpy(bool)
    if time_zone is not None:
        times[rest], doubtful[rest] = localise(naive, time_zone)
    elif not np.isnat(naive[~is_utc]).all():
        row = int(np.flatnonzero(rest[codes])[0]) + 1
        raise SourceError(f"Log ({log}), record {row}: a time without a zone. Say which time zone the log is in.")
    utc = np.flatnonzero(rest)[is_utc]
    times[utc], doubtful[utc] = naive[is_utc], False
    if len(texts) and np.isnat(times).all() and not doubtful.any():
        raise SourceError(
            f"Log ({log}), record 1: no time can be read in its column of times. Expected ISO 8601, as 2026-03-26 "
            "10:15, seconds since 1970, or a date as 26/03/2026 or 26 Mar 2026 with a time."
        )
    return times[codes], doubtful[codes]


def _read_written(texts: "pd.Series[str]", log: str) -> Times:
    """Read local times in the one way of WRITTEN that most of them are in.

    Raises:
        SourceError: it cannot be told which of two numbers is the month.
    """
    first = texts.head(FIRST_ROWS)
    most = max(WRITTEN, key=lambda form: pd.to_datetime(first, format=form, errors="coerce").notna().sum())
    found, other = (
        pd.to_datetime(texts, format=form, errors="coerce", utc=True) for form in (most, most.replace("%d/%m", "%m/%d"))
    )
    if not found.equals(other) and found.notna().equals(other.notna()):
        raise SourceError(
            f"Log ({log}), record 1: its dates may be day/month or month/day. Expected one with a day after the 12th, "
            "or dates as 2026-03-26."
        )
    return found.dt.tz_localize(None).to_numpy("datetime64[us]")


def from_seconds(seconds: NDArray[np.float64]) -> Times:
    """Turn seconds since 1970 into times; NaN into NaT."""
    known = np.isfinite(seconds)
    whole: Times = np.where(known, np.rint(seconds * 1e6), 0).astype(np.int64).view("datetime64[us]")
    whole[~known] = np.datetime64("NaT")
    return whole


def _read_signals(texts: NDArray[Any]) -> NDArray[np.float64]:
    """Read signals in dBm; what can be none, as the -999 or 0 of a controller that does not know, becomes NaN."""
    codes, names = pd.factorize(texts)  # of millions of rows some hundred
    signals = _read_numbers(np.array([re.sub(r"\s*dbm$", "", str(name), flags=re.I) for name in names], object))
    known: NDArray[np.float64] = np.where((signals < 0) & (signals >= LOWEST_DBM), signals, np.nan)[codes]
    return known


def _read_numbers(texts: NDArray[Any]) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = pd.to_numeric(pd.Series(texts, dtype="object"), errors="coerce").to_numpy("float64")
    return numbers


def _mark_connections(
    heard: Heard, end: NDArray[Any] | None, seconds: NDArray[Any] | None, setting: Setting, intake: Intake, log: str
) -> Heard:
    """Hear a connected device every five minutes until its connection ends; set aside what ends before it begins."""
    if end is None and seconds is None:
        return heard
    lasted = np.full(len(heard.time), np.nan) if seconds is None else _read_numbers(seconds)
    if end is not None:
        ended = (read_times(end, setting.time_zone, log)[0] - heard.time) / np.timedelta64(1, "s")
        lasted = np.where(np.isnan(ended), lasted, ended)
    kept = count_faulty(lasted, intake, log)
    rows, time = fill_marks(heard.time, np.nan_to_num(lasted))
    order = np.argsort(time, kind="stable")
    order = order[kept[rows[order]]]
    rows, time = rows[order], time[order]
    taken = {
        name: np.broadcast_to(getattr(heard, name), heard.time.shape)[rows]
        for name in ("zone", "identifier", "signal_dbm", "network", "elements", "doubtful")
    }
    return Heard(time, identifiers=heard.identifiers, **taken)


def count_faulty(lasted: NDArray[np.float64], intake: Intake, log: str) -> NDArray[np.bool_]:
    """Count connections that end before they begin, or last longer than a week; return which are kept."""
    negative, endless = lasted < 0, lasted > LONGEST_SECONDS
    intake.count(log, "a connection that ends before it begins", int(negative.sum()))
    intake.count(log, "a connection of more than a week", int(endless.sum()))
    kept: NDArray[np.bool_] = ~(negative | endless)
    return kept


def fill_marks(start: Times, lasted: NDArray[np.float64]) -> tuple[NDArray[np.intp], Times]:
    """Return the rows and times at which a connection is marked: its start, every five minutes, and its end."""
    lasted = np.where((lasted > 0) & (lasted <= LONGEST_SECONDS), lasted, 0)
    number = np.ceil(lasted / MARK_SECONDS).astype(np.int64) + 1
    rows = np.repeat(np.arange(len(start)), number)
    step = np.arange(len(rows)) - np.repeat(np.cumsum(number) - number, number)
    after = np.minimum(step * float(MARK_SECONDS), lasted[rows])
    return rows, start[rows] + (after * 1e6).astype(np.int64).astype("timedelta64[us]")
