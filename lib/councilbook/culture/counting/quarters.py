"""What was heard in a room, quarter hour by quarter hour, beside the heads that were counted there."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.errors import CheckError

NEAR_DBM = (-60, -65, -70)  # a signal in the room; through a wall it is weaker
QUARTER, MINUTE = np.timedelta64(15, "m"), np.timedelta64(1, "m")
LONGEST_SILENCE = np.timedelta64(1, "h")  # after which a sensor may have been off
MEASURES = ("device_minutes", "model_minutes", "models")
EVIDENCE = [f"{one}_{-dbm}{more}" for more in ("", "_around") for one in MEASURES for dbm in NEAR_DBM]
HEARD_SHARE = 1 / 3  # of what is heard in a usual occupied quarter hour: so much is heard of people only
HEARD_QUARTERS, SILENT_PEOPLE_HOURS = 4, 5.0  # how long a head-count may contradict the air
NOBODY, EVERYBODY = "nobody counted, though phones were heard in the room", "people counted, though no phone was heard"


def describe_quarters(events: pd.DataFrame, shift_db: float = 0.0) -> pd.DataFrame:
    """Describe what one sensor heard in each quarter hour.

    Args:
        events: time, token, signal_dbm, is_local, fingerprint, and people where heads were counted; see the wifi room.
            What has no signal is taken to be near, as a device on a building's network is.
        shift_db: what is added to each signal, so that a deafer sensor counts as near what another does.

    Returns:
        A row a quarter hour from the first to the last that was heard, without those in which the sensor was silent
        for an hour. EVIDENCE: for each signal of NEAR_DBM, and for the quarter hour and as a weighted mean with both
        beside it, the pairs of device and minute, the pairs of fingerprint and minute (phones that change their
        address at each burst keep their fingerprint), and the fingerprints of random addresses. `addresses` and
        `global_addresses` are of all that was heard. `people` is the mean head-count, `fewest` and `most` its ends;
        NaN where nobody counted.
    """
    heard = events[events["time"].notna()]
    quarter = heard["time"].dt.floor("15min")
    signal = np.nan_to_num(heard["signal_dbm"].to_numpy(float)) + shift_db
    minute = heard["time"].to_numpy("datetime64[m]").astype(np.int64)
    device, model = pd.factorize(heard["token"])[0], pd.factorize(heard["fingerprint"])[0]
    has_model, is_local = heard["fingerprint"].to_numpy() > 0, heard["is_local"].to_numpy(bool)
    rows = pd.DataFrame(index=_list_quarters(quarter))
    for dbm in NEAR_DBM:
        near = signal >= dbm
        rows[f"device_minutes_{-dbm}"] = _count_distinct(quarter, device * (1 << 32) + minute, near)
        rows[f"model_minutes_{-dbm}"] = _count_distinct(quarter, model * (1 << 32) + minute, near & has_model)
        rows[f"models_{-dbm}"] = _count_distinct(quarter, model, near & has_model & is_local)
    rows["addresses"] = _count_distinct(quarter, device, signal > -np.inf)
    rows["global_addresses"] = _count_distinct(quarter, device, ~is_local)
    rows = rows.fillna(0.0)
    for name in EVIDENCE[: len(EVIDENCE) // 2]:
        beside = [rows[name].reindex(rows.index + step).set_axis(rows.index) for step in (-QUARTER, QUARTER)]
        rows[f"{name}_around"] = sum((one.fillna(rows[name]) for one in beside), 2 * rows[name]) / 4
    heads = average_heads(heard["time"], heard.get("people", pd.Series(np.nan, heard.index)))
    return rows.join(heads)


def average_heads(times: pd.Series, people: pd.Series) -> pd.DataFrame:
    """Average head-counts by quarter hour, each minute as it ended; people, fewest, most.

    Raises:
        CheckError: a head-count is under 0.
    """
    counted = pd.DataFrame({"time": times, "people": people}).dropna()
    if (counted["people"] < 0).any():
        row = int((counted["people"] < 0).to_numpy().argmax()) + 1
        raise CheckError(f"Head-count, counted row {row}: it is under 0; expected 0 or more, or nothing.")
    minutes = counted.sort_values("time", kind="stable").groupby(counted["time"].dt.floor("1min"))["people"].last()
    found = minutes.groupby(pd.DatetimeIndex(minutes.index).floor("15min")).agg(["mean", "min", "max"]).astype(float)
    return found.set_axis(["people", "fewest", "most"], axis=1)


def find_contradictions(quarters: pd.DataFrame) -> pd.Series:
    """Say of each quarter hour why its head-count is not believed; nothing if it is.

    Two kinds are looked for in each stretch over which the head-count stands still. It says nobody, and for an hour a
    third is heard of what is usual with people there: NOBODY. Or it says people, and no phone at all is near for so
    long that there were five hours of people: EVERYBODY. The whole stretch goes, as its one head-count is wrong.
    """
    reason = pd.Series("", index=quarters.index, dtype="object")
    counted = quarters[quarters["people"].notna()]
    usual = counted.loc[counted["people"] > 0, "model_minutes_65"].median()
    still = counted["fewest"].eq(counted["most"])
    follows = counted.index.to_series().diff().le(LONGEST_SILENCE)
    goes_on = follows & counted["fewest"].eq(counted["fewest"].shift()) & still & still.shift(fill_value=False)
    for _, stretch in counted.groupby((~goes_on).cumsum()):
        people = float(stretch["people"].iloc[0])
        if not still[stretch.index[0]]:
            continue
        if people == 0 and _longest_run(stretch["model_minutes_65"] >= max(usual * HEARD_SHARE, 1)) >= HEARD_QUARTERS:
            reason[stretch.index] = NOBODY
        elif people * _longest_run(stretch["device_minutes_70"] == 0) / 4 >= SILENT_PEOPLE_HOURS:
            reason[stretch.index] = EVERYBODY
    return reason


def _longest_run(true: pd.Series) -> int:
    return int(true.groupby((~true).cumsum()).sum().max())


def _count_distinct(quarter: pd.Series, key: NDArray[np.int64], chosen: NDArray[np.bool_]) -> pd.Series:
    pairs = pd.DataFrame({"quarter": quarter[chosen], "key": key[chosen]}).drop_duplicates()
    return pairs.groupby("quarter").size()


def _list_quarters(quarter: pd.Series) -> pd.DatetimeIndex:
    """List the quarter hours that were heard, and the silent ones between them unless the sensor may have been off."""
    heard = np.unique(quarter.to_numpy("datetime64[us]"))
    gaps = np.diff(heard)
    inside = np.flatnonzero((gaps > QUARTER) & (gaps <= LONGEST_SILENCE))
    silent = [np.arange(heard[one] + QUARTER, heard[one + 1], QUARTER) for one in inside]
    return pd.DatetimeIndex(np.sort(np.concatenate([heard, *silent])), name="quarter")
