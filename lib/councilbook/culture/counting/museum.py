"""How many people were in the museum, quarter hour by quarter hour, and in each hour of the week."""

import calendar

import numpy as np
import pandas as pd
from scipy.stats import norm

from councilbook.culture.counting.counter import (
    COVERAGE,
    SHIFTS_DB,
    STEADY_PEOPLE,
    Counter,
    estimate_people,
    fit_counter,
)
from councilbook.culture.counting.quarters import EVIDENCE, QUARTER, average_heads, describe_quarters
from councilbook.culture.counting.trials import leave_terms_out
from councilbook.culture.visits.telling import read_diary
from councilbook.errors import NotToldError

PLACE, THERE = "museum", "there"
LONGEST_GAP_MINUTES = 60  # between two counts, over which people are taken to come and go evenly
LINGER_MINUTES, FOLDS = 30, 5
FEWEST_HOURS = 10.0  # person-hours of an hour over all days of the week, under which it is left out whole
SOUND = "device_minutes_65"


def read_heads(counted: pd.DataFrame) -> pd.DataFrame:
    """Read how many people were in the whole museum: time (UTC, a minute) and people.

    A moment at which a zone was not counted is left out. Between two counts of at most an hour apart, people are taken
    to change evenly.
    """
    rows = counted[counted["counted"].eq(THERE)] if "counted" in counted else counted
    times = pd.to_datetime(rows["counted_at"], format="ISO8601", utc=True).dt.tz_localize(None)
    people = rows["people"].astype("float").groupby(times).agg(lambda zones: zones.sum(skipna=False)).dropna()
    if people.empty:
        return pd.DataFrame({"time": pd.DatetimeIndex([]), "people": np.array([], float)})
    spell = people.index.to_series().diff().gt(pd.Timedelta(minutes=LONGEST_GAP_MINUTES)).cumsum()
    minutes = pd.concat([own.resample("1min").interpolate() for _, own in people.groupby(spell)])
    return minutes.rename_axis("time").rename("people").reset_index()


def describe_museum(events: pd.DataFrame, heads: pd.DataFrame, diary: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Describe the quarter hours of the museum's log, beside the people counted in them.

    On a counted day, nobody is in the museum until half an hour before it opens, and from half an hour after it closes.
    That is counted too, so the counter learns what an empty museum sounds like. How strong a signal inside is differs
    by building, so the shift is taken at which what is heard goes best with the people counted.

    Args:
        events: the log without what is no visitor's; see the wifi room.
        heads: from `read_heads`.
        diary: date, opens and closes (local; blank where it stayed closed).
        time_zone: of the museum.

    Returns:
        See `quarters.describe_quarters`, with day (local) and is_closed.

    Raises:
        NotToldError: nobody counted heads in the museum while its wifi was on.
    """
    average = average_heads(heads["time"], heads["people"])
    counted = events[events["time"].dt.floor("15min").isin(average.index)].drop(columns="people", errors="ignore")
    if counted.empty or not average["people"].sum():
        raise NotToldError(
            "No counted hour, no number: nobody counted heads in the museum while its wifi was on. "
            "Count heads on two days, an hour with nobody in it among them."
        )
    fits = {shift: _correlate(describe_quarters(counted, shift), average) for shift in SHIFTS_DB}
    best = max(fits, key=lambda one: (round(fits[one], 2), -abs(one)))
    rows = describe_quarters(events.drop(columns="people", errors="ignore"), best)
    rows = rows.drop(columns=list(average)).join(average)
    rows["day"] = _to_local(rows.index, time_zone).strftime("%Y-%m-%d")
    rows["is_closed"] = _find_closed(rows, diary, time_zone)
    is_known = rows["is_closed"] & rows["day"].isin(rows.loc[rows["people"].notna(), "day"])
    rows.loc[is_known, list(average)] = rows.loc[is_known, list(average)].fillna(0.0)
    return rows


def estimate_museum(quarters: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, Counter]:
    """Estimate the people in the museum in each quarter hour, by what was learnt in its counted ones.

    Returns:
        Estimates of all quarter hours; those of the counted ones with their days left out, a fifth of the days at a
        time, beside the people and the two usual ways; and the counter.

    Raises:
        NotToldError, TooFewError: see `counter.fit_counter`.
    """
    counted = quarters.dropna(subset="people")
    fold = counted["day"].rank(method="dense").astype(int) % FOLDS
    counter = fit_counter(counted, fold, PLACE)
    tried = leave_terms_out(counted.assign(term=fold), PLACE)[0]
    return estimate_people(counter, quarters, PLACE), tried, counter


def sum_hours(
    estimates: pd.DataFrame, quarters: pd.DataFrame, tried: pd.DataFrame, width: float, time_zone: str
) -> pd.DataFrame:
    """Sum person-hours by hour of the week, over all weeks of the log, for the hours that were ever counted.

    An hour in which hardly anybody is there on any day is left out, as its days would say how few its whole holds.
    The errors of an hour's quarters are one error; those of different days are independent but for what all days share.
    How large that may be is taken from the mean errors of the days that were left out, as their standard error.

    Args:
        estimates, tried: from `estimate_museum`, of `quarters`.
        quarters: from `describe_museum`.
        width: the counter's, in roots of people.
        time_zone: of the museum.

    Returns:
        weekday, hour (local), weeks, person_hours, person_hours_low, person_hours_high.
    """
    local = _to_local(estimates.index, time_zone)
    rows = pd.DataFrame({"people": estimates["people"].to_numpy(), "day": quarters["day"].to_numpy(),
                         "weekday": local.day_of_week, "hour": local.hour})  # fmt: skip
    counted = rows[(quarters["people"].notna() & ~quarters["is_closed"]).to_numpy()]
    rows = rows[rows["weekday"].isin(counted["weekday"]) & rows["hour"].isin(counted["hour"])]
    days = rows.groupby(["weekday", "hour", "day"])["people"].sum().div(4).reset_index()
    days["square"] = width**2 * (days["people"] + STEADY_PEOPLE)
    there = tried[tried["people"] > 0]
    shared = (there["estimate"] - there["people"]).groupby(quarters["day"].reindex(there.index)).mean()
    sums = days.groupby(["weekday", "hour"]).agg(people=("people", "sum"), square=("square", "sum"), n=("day", "size"))
    sums = sums[sums.groupby("hour")["people"].transform("sum") >= FEWEST_HOURS]
    half = np.sqrt(sums["square"] + (norm.ppf((1 + COVERAGE) / 2) * sums["n"] * shared.sem()) ** 2)
    sums = sums.reset_index()
    return pd.DataFrame({
        "weekday": [calendar.day_name[one] for one in sums["weekday"]], "hour": sums["hour"], "weeks": sums["n"],
        "person_hours": sums["people"].round().astype(int),
        "person_hours_low": np.floor((sums["people"] - half.to_numpy()).clip(lower=0)).astype(int),
        "person_hours_high": np.ceil(sums["people"] + half.to_numpy()).astype(int),
    })  # fmt: skip


def _find_closed(rows: pd.DataFrame, diary: pd.DataFrame, time_zone: str) -> pd.Series:
    """Find the quarter hours in which the museum was surely closed; a day that the diary lacks tells nothing."""
    hours, linger = read_diary(diary, time_zone), pd.Timedelta(minutes=LINGER_MINUTES)
    begins = rows.index.to_series()
    is_before = begins + pd.Timedelta(QUARTER) + linger <= rows["day"].map(hours["opens"])
    return is_before | (begins - linger >= rows["day"].map(hours["closes"]))


def _correlate(rows: pd.DataFrame, average: pd.DataFrame) -> float:
    both = rows[EVIDENCE].join(average["people"], how="inner")
    return float(np.nan_to_num(both[SOUND].corr(both["people"], method="spearman")))


def _to_local(index: pd.Index, time_zone: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(index).tz_localize("UTC").tz_convert(time_zone)
