"""How many people were there: devices scaled by what somebody counted, by hour and zone, and how many came in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.culture.visits.telling import PASSER, STREET, VISITOR
from councilbook.errors import CheckError, NotToldError
from councilbook.pages.html.wording import format_date

WHOLE = "whole museum"
THERE, CAME_IN, PASSED = "there", "coming in", "passing"
LEAST_SHOWN = 0.95  # of the cells that have somebody in them
LEAST_DAYS = 3  # counted ones, without which no interval can be given
DRAWS, LEVEL = 2_000, 0.9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """How many people one device stands for, with the ends of a 90% interval over the counted days."""

    ratio: float
    low: float
    high: float
    days: int


def read_counts(counted: pd.DataFrame, zones: Sequence[str]) -> pd.DataFrame:
    """Read counted heads: time (UTC), date (local), zone, counted, people; cells where nobody counted are left out.

    Raises:
        CheckError: the zones are not those of the floor plan.
    """
    named = set(counted.loc[counted["counted"].eq(THERE), "zone"])
    if wrong := sorted(named ^ set(zones)):
        raise CheckError(
            f"Counted heads and the floor plan do not have the same zones; only one of them has {', '.join(wrong)}."
        )
    times = pd.to_datetime(counted["counted_at"], format="ISO8601", utc=True).dt.tz_localize(None)
    rows = counted.assign(time=times, date=counted["counted_at"].str[:10]).dropna(subset=["people"])
    return rows.astype({"people": int}).sort_values(["time", "zone"], kind="stable", ignore_index=True)


def compare_counts(counts: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """Lay the counted people beside the devices of the same moment, or until the next count.

    Who was there is taken for the museum as a whole, where every zone was counted.

    Returns:
        date, time, counted, people, devices: a row a count.
    """
    there = counts[counts["counted"].eq(THERE)]
    zones = there["zone"].nunique()
    whole = there.groupby(["date", "time"]).agg(people=("people", "sum"), zones=("zone", "size")).reset_index()
    whole = whole[whole.pop("zones").eq(zones)].assign(counted=THERE)
    flows = counts.loc[counts["counted"].ne(THERE), ["date", "time", "counted", "people"]]
    rows = pd.concat([whole, flows], ignore_index=True)
    visitors, passers = visits[visits["who"].eq(VISITOR)], visits[visits["who"].eq(PASSER)]
    # a count runs until the next one of that day; the last one as long as the one before it
    starts = np.sort(rows["time"].unique())
    step = pd.Series(np.diff(starts)).min() if len(starts) > 1 else pd.Timedelta(minutes=30)
    arrived, left = np.sort(visitors["arrived"].to_numpy()), np.sort(visitors["left"].to_numpy())
    passed, time = np.sort(passers["arrived"].to_numpy()), rows["time"].to_numpy()
    devices = {
        THERE: np.searchsorted(arrived, time, "right") - np.searchsorted(left, time),
        CAME_IN: np.searchsorted(arrived, time + step) - np.searchsorted(arrived, time),
        PASSED: np.searchsorted(passed, time + step) - np.searchsorted(passed, time),
    }
    return rows.assign(devices=np.select([rows["counted"].eq(one) for one in devices], list(devices.values())))


def fit_scales(compared: pd.DataFrame, rng: np.random.Generator) -> dict[str, Scale]:
    """Fit how many people a device stands for: the ratio of both sums, days drawn anew for the interval.

    Raises:
        NotToldError: too few days were counted, or no device was heard while people were.
    """
    scales = {}
    for what in (THERE, CAME_IN, PASSED):
        rows = compared[compared["counted"].eq(what)]
        days = rows.groupby("date")[["people", "devices"]].sum()
        if len(days) < LEAST_DAYS or not days["devices"].sum() or not days["people"].sum():
            raise NotToldError(
                f"Too few people were counted ({what}) to say how many a device stands for. Count on {LEAST_DAYS} days "
                "at least, while the wifi is on: who is there, who comes in and who passes."
            )
        drawn = days.to_numpy(float)[rng.integers(0, len(days), (DRAWS, len(days)))].sum(axis=1)
        low, high = np.quantile(drawn[:, 0] / np.maximum(drawn[:, 1], 1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        scales[what] = Scale(days["people"].sum() / days["devices"].sum(), low, high, len(days))
    return scales


def spread_hours(stays: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Split stays at full hours: token, zone, date, hour (local), minutes; what is heard once has no minutes."""
    hour = pd.Timedelta(hours=1)
    first, last = stays["arrived"].dt.floor("h"), stays["left"].dt.floor("h")
    number = ((last - first) / hour).astype(int).to_numpy() + 1
    rows = stays.loc[stays.index.repeat(number), ["token", "zone", "arrived", "left"]].reset_index(drop=True)
    step = np.arange(len(rows)) - np.repeat(np.cumsum(number) - number, number)
    begins = rows["arrived"].dt.floor("h") + pd.to_timedelta(step, unit="h")
    within = np.minimum(rows["left"], begins + hour) - np.maximum(rows["arrived"], begins)
    local = begins.dt.tz_localize("UTC").dt.tz_convert(time_zone)
    return rows[["token", "zone"]].assign(
        date=local.dt.strftime("%Y-%m-%d"), hour=local.dt.hour, minutes=within.dt.total_seconds() / 60
    )


def count_hours(visits: pd.DataFrame, stays: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Count devices by day, hour and zone, the museum as a whole beside its zones.

    Returns:
        date, zone, hour, devices, minutes (of all of them), came_in and passed (of the whole museum): a row a day,
        zone and hour.
    """
    visitors = visits[visits["who"].eq(VISITOR)]
    own = stays[stays["token"].isin(visitors["token"]) & stays["zone"].ne(STREET)]
    both = pd.concat([spread_hours(own, time_zone), spread_hours(visitors.assign(zone=WHOLE), time_zone)])
    both["zone"] = both["zone"].astype(str)
    keys = ["date", "zone", "hour"]
    cells = both.groupby(keys).agg(devices=("token", "nunique"), minutes=("minutes", "sum"))
    arriving = [visits[visits["who"].eq(who)].groupby(["date", "hour"]).size() for who in (VISITOR, PASSER)]
    flows = pd.concat(arriving, axis=1, keys=["came_in", "passed"]).fillna(0).reset_index().assign(zone=WHOLE)
    return cells.join(flows.set_index(keys), how="outer").fillna({"devices": 0, "minutes": 0}).reset_index()


def choose_period(cells: pd.DataFrame, dates: pd.Index, threshold: int) -> pd.Series:
    """Choose the shortest periods of whole weeks over which nearly all cells have enough devices to be shown.

    Args:
        cells: from `count_hours`.
        dates: the days on which the museum opened.
        threshold: fewest devices that may be shown.

    Returns:
        By date, the period that it is in, in words; all weeks are one where no shorter period will do.
    """
    days = pd.to_datetime(dates.to_series())
    week = (days - pd.to_timedelta(days.dt.day_of_week, unit="D")).rank(method="dense").astype(int) - 1
    weeks = int(week.max()) + 1
    period = week * 0
    for length in [*(one for one in (1, 2, 4, 8) if one < weeks), weeks]:
        period = (week // length).clip(upper=weeks // length - 1)
        sums = cells.groupby([cells["date"].map(period), "zone", "hour"])["devices"].sum()
        if (sums[sums > 0] >= threshold).mean() >= LEAST_SHOWN:
            break
    named = {number: f"{format_date(own.min())} to {format_date(own.max())}" for number, own in days.groupby(period)}
    return period.map(named)


def tidy_hours(cells: pd.DataFrame, period: pd.Series, scales: dict[str, Scale], threshold: int) -> pd.DataFrame:
    """Add days up to periods, and scale devices to people: the table that goes to the gate.

    The gate looks at people, and these can be turned into devices, and one end of an interval into the other. So what
    rests on too few of any is handed to it as so few, for it to hide.
    """
    own = cells[cells["date"].isin(period.index)]
    sums = own.groupby([own["date"].map(period).rename("period"), "zone", "hour"], sort=False)
    table = sums[["devices", "minutes", "came_in", "passed"]].sum(min_count=1).reset_index()
    there, entered, passed = (scales[what] for what in (THERE, CAME_IN, PASSED))
    people = {
        "visitors": table["devices"] * there.ratio,
        "visitors_low": table["devices"] * there.low,
        "visitors_high": table["devices"] * there.high,
        "visitor_hours": table["minutes"] / 60 * there.ratio,
    }
    least = table["devices"] * min(1.0, there.low)
    whole = {name: _hand_over(numbers, least, threshold) for name, numbers in people.items()}
    came, went = table["came_in"], table["passed"]
    whole["came_in"] = _hand_over(came * entered.ratio, came * min(1.0, entered.low), threshold)
    whole["came_by"] = whole["came_in"] + _hand_over(went * passed.ratio, went * min(1.0, passed.low), threshold)
    table = table.assign(open_days=table["period"].map(period.value_counts()), **whole)
    table = table[["period", "open_days", "zone", "hour", *whole]]
    return table.sort_values(["period", "zone", "hour"], kind="stable", ignore_index=True)


def _hand_over(people: pd.Series, least: pd.Series, threshold: int) -> pd.Series:
    """Round people; where they, or what they come from, are too few, say as few as the least that there can be."""
    few = least.gt(0) & least.lt(threshold)
    return people.mask(few, np.floor(least.clip(lower=1))).round().astype("Int64")


def tidy_zones(
    plan: pd.DataFrame, visits: pd.DataFrame, stays: pd.DataFrame, by_hour: pd.DataFrame, scales: dict[str, Scale],
    threshold: int,
) -> pd.DataFrame:  # fmt: skip
    """Count the visits that went to each zone, in people: zone, outline, visitors; missing in the street.

    A zone may have hours that the gate will hide. If its visits are more than its shown hours hold, a reader knows that
    some were in a hidden hour. Then as few are handed to the gate as in that hour, for it to hide the zone as well.
    """
    tokens = visits.loc[visits["who"].eq(VISITOR), "token"]
    own = stays[stays["token"].isin(tokens)]
    devices = own.groupby(own["zone"].astype(str))["token"].nunique().reindex(plan["zone"]).fillna(0)
    is_few = by_hour["visitors"].between(1, threshold - 1)
    shown, few = (by_hour[one].groupby("zone")["visitors"] for one in (~is_few, is_few))
    left = devices - shown.sum().reindex(devices.index).fillna(0) / scales[THERE].ratio
    least = devices.where(left <= 1, few.max().reindex(devices.index).fillna(devices))
    visitors = _hand_over(devices * scales[CAME_IN].ratio, least, threshold).mask(devices.index == STREET)
    return plan[["zone", "outline"]].assign(visitors=visitors.array)
