"""The room at Brno in which heads were counted beside a sensor: its files, its own computers and its terms."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from councilbook.culture.counting.quarters import describe_quarters, find_contradictions
from councilbook.culture.wifi.intake import Intake
from councilbook.culture.wifi.readers import read_log

TIME_ZONE, PLACE = "Europe/Prague", "lab"
AUTUMN = 8  # the month from which a term is of autumn
# The lab's own computers, as its publisher lists them (README of the data); their addresses were replaced before that.
COMPUTERS = [
    *(f"dc:fb:48:{end}" for end in (
        "68:be:e4", "8c:71:fc", "2a:52:e0", "f5:c6:c2", "e3:ab:78", "00:51:90", "75:d8:42", "de:86:8d", "dd:c6:0b",
        "55:d5:78", "c2:1d:64",
    )),
    *(f"40:ec:99:{end}" for end in ("f9:34:a6", "8e:3f:63", "1f:3e:75")),
]  # fmt: skip


def read_room(files: Iterable[Path], place: str = PLACE) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a sensor's days with head-counts, without the room's own computers.

    Returns:
        events in the order of time, and what became of the rows of the files; see `wifi.readers.read_log`.

    Raises:
        SourceError: a file cannot be read, or is of another layout.
    """
    with Intake(TIME_ZONE, left_out={"the room's own computer": COMPUTERS}) as intake:
        days = [read_log(file, "probe_csv", intake, time_zone=TIME_ZONE, zone=place) for file in files]
        return pd.concat(days, ignore_index=True).sort_values("time", kind="stable", ignore_index=True), intake.tell()


def describe_counted(events: pd.DataFrame, shift_db: float = 0.0) -> pd.DataFrame:
    """Describe the counted quarter hours, with `reason` where the head-count is not believed and `term`."""
    quarters = describe_quarters(events, shift_db)
    quarters["reason"] = find_contradictions(quarters)
    return quarters[quarters["people"].notna()].assign(term=lambda rows: name_terms(pd.DatetimeIndex(rows.index)))


def name_terms(times: pd.DatetimeIndex) -> pd.Series:
    """Name the term of each time: spring or autumn of a year."""
    season = np.where(times.month < AUTUMN, "spring", "autumn")
    return pd.Series([f"{one} {year}" for one, year in zip(season, times.year, strict=True)], index=times)
