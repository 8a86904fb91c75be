"""The room at Brno in which heads were counted beside a sensor: its files, its own computers and its terms."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from councilbook.culture.wifi.intake import Intake
from councilbook.culture.wifi.readers import read_log
from councilbook.errors import NotToldError

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


def read_room(files: Iterable[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a sensor's days with head-counts, without the room's own computers.

    Returns:
        events in the order of time, and what became of the rows of the files; see `wifi.readers.read_log`.

    Raises:
        NotToldError: there is no file.
        SourceError: a file cannot be read, or is of another layout.
    """
    files = list(files)
    if not files:
        raise NotToldError("The days of a room in which heads were counted beside its wifi are not here.")
    with Intake(TIME_ZONE, left_out={"the room's own computer": COMPUTERS}) as intake:
        days = [read_log(file, "probe_csv", intake, time_zone=TIME_ZONE, zone=PLACE) for file in files]
        return pd.concat(days, ignore_index=True).sort_values("time", kind="stable", ignore_index=True), intake.tell()


def keep_believed(rows: pd.DataFrame, reason: pd.Series) -> pd.DataFrame:
    """Keep the counted quarter hours whose head-count is believed, with their term."""
    kept = rows[reason.eq("") & rows["people"].notna()]
    return kept.assign(term=name_terms(pd.DatetimeIndex(kept.index)))


def list_aside(reason: pd.Series) -> pd.DataFrame:
    """List why head-counts were set aside: day, reason, quarter_hours."""
    aside = reason[reason.ne("")]
    day = pd.DatetimeIndex(aside.index).strftime("%-d %B %Y")
    rows = pd.DataFrame({"day": day, "reason": aside.to_numpy()})
    return rows.value_counts(["day", "reason"], sort=False).rename("quarter_hours").reset_index()


def name_terms(times: pd.DatetimeIndex) -> pd.Series:
    """Name the term of each time: spring or autumn of a year."""
    season = np.where(times.month < AUTUMN, "spring", "autumn")
    return pd.Series([f"{one} {year}" for one, year in zip(season, times.year, strict=True)], index=times)
