"""The way of each visitor through the zones: how long they stayed in each, and where they went next.

A way can only be followed with a phone that keeps its address while it is there: one on the museum's network, or one
that does not change its address at all. Others look like somebody new after a while. A phone is heard now and then, so
a short stay may be missed; who was heard once has no length at all, and that is no zero.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import gamma

from councilbook.culture.visits.hours import WHOLE
from councilbook.culture.visits.telling import STREET, VISITOR
from councilbook.methods.uncertainty import find_interval

FEWEST = 30  # stays of which a median is given
LEVEL, DRAWS, ROUND_TO = 0.95, 500, 5
MOST_GAP_MINUTES = 4  # of a phone whose stays are measured; shorter stays than this are mostly missed
STARTS, LEAVES = "comes in", "leaves"


def mark_street(events: pd.DataFrame, signal_dbm: float, door: Sequence[str]) -> pd.DataFrame:
    """Put into the street what an access point at the door hears weakly, as no access point stands in the street."""
    zones = events["zone"].astype(str)
    return events.assign(
        zone=pd.Categorical(zones.mask(zones.isin(door) & (events["signal_dbm"] < signal_dbm), STREET))
    )


def follow_visitors(
    events: pd.DataFrame, stays: pd.DataFrame, visits: pd.DataFrame, zones: Sequence[str]
) -> pd.DataFrame:
    """Put the stays of visitors whose phones keep their address in order, and say when each began and ended.

    Ties in time have a stated order: who arrived first, then who left first, then the order of zones in the plan. A
    stay begins, and the one before it ends, in the middle of the time between both in which nothing was heard. The
    first begins, and the last ends, the phone's mean gap earlier and later.

    Returns:
        token, zone, began, ended, minutes, gap_minutes: a row a stay; neighbours in one zone are one.
    """
    keeps = events.loc[events["network"] | ~events["is_local"], "token"].unique()
    own = visits.loc[visits["who"].eq(VISITOR) & visits["token"].isin(keeps), "token"]
    rows = stays[stays["token"].isin(own)].assign(zone=lambda frame: frame["zone"].astype(str))
    rank = {zone: place for place, zone in enumerate([STREET, *zones])}
    rows = rows.assign(rank=rows["zone"].map(rank)).sort_values(["token", "arrived", "left", "rank"], kind="stable")
    is_new = rows["token"].ne(rows["token"].shift()) | rows["zone"].ne(rows["zone"].shift())
    merged = rows.groupby(is_new.cumsum().to_numpy(), sort=False).agg(
        token=("token", "first"), zone=("zone", "first"), arrived=("arrived", "first"), left=("left", "max"),
        events=("events", "sum"),
    )  # fmt: skip
    spans = merged.groupby("token").agg(first=("arrived", "min"), last=("left", "max"), events=("events", "sum"))
    gap = ((spans["last"] - spans["first"]) / (spans["events"] - 1).clip(lower=1))[merged["token"]].to_numpy()
    is_first = merged["token"].ne(merged["token"].shift())
    between = (merged["arrived"] - merged["left"].shift()) / 2
    began = merged["arrived"] - between.mask(is_first, pd.Series(gap, merged.index))
    ended = merged["left"] + between.shift(-1).mask(is_first.shift(-1, fill_value=True), pd.Series(gap, merged.index))
    known = {"began": began, "ended": ended, "minutes": (ended - began).dt.total_seconds() / 60}
    ways = merged.assign(**known, gap_minutes=gap / np.timedelta64(1, "m"))
    return ways[["token", "zone", *known, "gap_minutes"]].reset_index(drop=True)


def measure_stays(ways: pd.DataFrame, door: Sequence[str], least_minutes: float) -> pd.DataFrame:
    """Measure the visits that were seen to begin, at the door or in the street, and each stay in a zone.

    Short ones are missed more often than long ones, so each weighs the inverse of its chance to be heard (Horvitz and
    Thompson 1952). A phone is heard at random, with its mean gap. One that is there for L minutes is called a visitor
    if it is silent at both ends for no more than L - least_minutes, which is the sum of two exponential times. A stay
    in a zone is heard at all with the chance 1 - exp(-L / gap). Phones that are seldom heard are left out, as too
    few times say little of their gap.

    Args:
        ways: from `follow_visitors`.
        door: zones that hear the street.
        least_minutes: for which somebody is heard to be called a visitor.

    Returns:
        zone (WHOLE for a visit), minutes, weight: a row a visit, and a row a stay.
    """
    ways = ways[ways["gap_minutes"].between(0.1, MOST_GAP_MINUTES)]
    inside = ways[ways["zone"].ne(STREET)]
    spans = {"began": ("began", "min"), "ended": ("ended", "max")}
    there = ways.groupby("token").agg(**spans, gap=("gap_minutes", "first"), zone=("zone", "first"))
    visits = inside.groupby("token").agg(**spans)
    for one in (there, visits):
        one["minutes"] = (one["ended"] - one["began"]).dt.total_seconds() / 60
    there["weight"] = 1 / gamma.cdf((there["minutes"] - least_minutes) / there["gap"], 2)
    whole = visits[["minutes"]].join(there[there["zone"].isin([STREET, *door])]["weight"], how="inner")
    whole = whole[whole["minutes"] > least_minutes].assign(zone=WHOLE)
    stays = inside[inside["minutes"] > 0]
    chance = -np.expm1(-stays["minutes"] / stays["gap_minutes"])
    return pd.concat([whole, stays[["zone", "minutes"]].assign(weight=1 / chance)], ignore_index=True)


def find_lengths(measured: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Find the median of visits and of the stays in each zone, by weight; for the 95% interval they are drawn anew.

    Returns:
        zone, stays, median_minutes, low_minutes, high_minutes: of zones with stays enough; the whole museum first.
    """
    rows = []
    for zone, own in measured.sort_values("minutes", kind="stable").groupby("zone"):
        if len(own) >= FEWEST:
            drawn = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), DRAWS)
            low, _, high = find_interval(_find_medians(own, drawn), LEVEL)
            rows.append((zone, len(own), _find_medians(own, np.ones((1, len(own))))[0], low, high))
    names = ["zone", "stays", "median_minutes", "low_minutes", "high_minutes"]
    found = pd.DataFrame(rows, columns=names)
    return found.sort_values("zone", key=lambda zone: zone.ne(WHOLE), kind="stable", ignore_index=True)


def _find_medians(ordered: pd.DataFrame, times: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weighted median if each row came so many times: a row a try, a column a row of the table."""
    reached = (times * ordered["weight"].to_numpy()).cumsum(axis=1)
    medians: NDArray[np.float64] = ordered["minutes"].to_numpy()[(reached < reached[:, -1:] / 2).sum(axis=1)]
    return medians


def tidy_lengths(lengths: pd.DataFrame) -> pd.DataFrame:
    """Round lengths to minutes and stays to fives, and add what the gate's rule of models asks."""
    stays = (lengths["stays"] // ROUND_TO * ROUND_TO).astype(int)
    minutes = lengths[["median_minutes", "low_minutes", "high_minutes"]].round()
    return lengths[["zone"]].assign(stays=stays, degrees_of_freedom=stays - 1, group_size=stays, **minutes)


def list_steps(ways: pd.DataFrame) -> pd.DataFrame:
    """List each step of each visitor between zones: token, from_zone, to_zone; first they come in, last they leave."""
    inside = ways[ways["zone"].ne(STREET)]
    inside = inside[inside["zone"].ne(inside["zone"].shift()) | inside["token"].ne(inside["token"].shift())]
    first, last = ~inside["token"].duplicated(), ~inside["token"].duplicated(keep="last")
    comes = pd.DataFrame({"token": inside["token"], "from_zone": STARTS, "to_zone": inside["zone"]})[first]
    goes = pd.DataFrame({
        "token": inside["token"],
        "from_zone": inside["zone"],
        "to_zone": inside["zone"].shift(-1).mask(last, LEAVES),
    })  # fmt: skip
    return pd.concat([comes, goes]).sort_values("token", kind="stable", ignore_index=True)


def keep_common(steps: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Leave out every journey with a step that fewer than `threshold` journeys have, until no such step is left.

    As many come into a zone as go out of it. So a step that were hidden alone could be worked out from the others; a
    journey that goes whole cannot.
    """
    kept = steps
    while len(kept):
        size = kept.groupby(["from_zone", "to_zone"])["token"].transform("nunique")
        rare = kept.loc[size < threshold, "token"].unique()
        if not len(rare):
            break
        kept = kept[~kept["token"].isin(rare)]
    return kept


def count_steps(steps: pd.DataFrame) -> pd.DataFrame:
    """Count the steps: from_zone, to_zone, steps, the most frequent first; ties by name."""
    counted = steps.groupby(["from_zone", "to_zone"]).size().rename("steps").reset_index()
    return counted.sort_values(["steps", "from_zone", "to_zone"], ascending=[False, True, True], ignore_index=True)


def find_chances(counted: pd.DataFrame) -> pd.DataFrame:
    """Return the transition matrix: of all steps from a zone (rows), the percentage to each other (columns)."""
    table = counted.pivot_table(values="steps", index="from_zone", columns="to_zone", fill_value=0)
    return 100 * table.div(table.sum(axis=1), axis=0)
