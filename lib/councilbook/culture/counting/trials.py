"""How far the counter is off where it has not learnt: on terms and days left out, and in a simulated room."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from councilbook.culture.counting.counter import Counter, estimate_people, estimate_simply, fit_counter, fit_here
from councilbook.culture.counting.quarters import describe_quarters
from councilbook.culture.twin.devices import PHONES_TODAY
from councilbook.culture.twin.room import draw_day, hear_room
from councilbook.errors import NotToldError, TooFewError

OCCUPIED_QUARTERS = 8  # two hours with people in them make a counted day
SIMULATED_DAYS, LEARNT_DAYS = 8, 5
POLICIES: dict[str, str | Mapping[str, float]] = {
    "phones keep one address for ever": "global",
    "phones take a random address for each network": "network",
    "phones take a new one each day": "day",
    "phones take a new one each hour": "hour",
    "phones take a new one each burst": "burst",
    "phones are a mixture, as today": PHONES_TODAY,
}


def leave_terms_out(quarters: pd.DataFrame, place: str) -> tuple[pd.DataFrame, dict[str, Counter]]:
    """Estimate each term by a counter that has learnt from the other terms.

    Args:
        quarters: counted quarter hours that are believed, with term; see `room.describe_counted`.
        place: their sensor.

    Returns:
        term, people, estimate, low, high, addresses, scaled: a row a quarter hour; and the counter of each term.

    Raises:
        NotToldError: no term could be left out, as the others have too few counted hours.
    """
    found, counters = [], {}
    for term in quarters["term"].unique():
        own = quarters["term"].eq(term)
        try:
            counters[term] = fit_counter(quarters[~own], quarters.loc[~own, "term"], place)
        except (NotToldError, TooFewError):
            continue
        found.append(lay_beside(counters[term], quarters[~own], quarters[own], place).assign(term=term))
    if not found:
        raise NotToldError("Heads were counted in too few terms to leave one out and try the counter on it.")
    return pd.concat(found), counters


def lay_beside(counter: Counter, learnt: pd.DataFrame, quarters: pd.DataFrame, place: str) -> pd.DataFrame:
    """Lay the counter's estimates and those of the two usual ways beside the people who were counted."""
    found = estimate_people(counter, quarters, place).rename(columns={"people": "estimate"})
    return found.join(estimate_simply(learnt, quarters)).assign(people=quarters["people"])


def try_counted_days(
    counter: Counter, learnt: pd.DataFrame, described: Mapping[int, pd.DataFrame], place: str
) -> pd.DataFrame:
    """Fit a counter to one counted day of a sensor and estimate its other days, with each day in turn.

    Args:
        counter: learnt elsewhere, or in other terms; `learnt` are its quarter hours.
        described: the sensor's counted quarter hours that are believed, for each shift; see `counter.describe_shifts`.
        place: the sensor.

    Returns:
        Rows as of `leave_terms_out`, with counted_day: the day that the counter was fitted to, and shift_db. No row
        where the sensor has one counted day alone.
    """
    day = pd.DatetimeIndex(described[0].index).normalize()
    occupied = pd.Series(day[described[0]["people"] > 0]).value_counts()
    found = []
    for one in sorted(occupied[occupied >= OCCUPIED_QUARTERS].index):
        here = fit_here(counter, {shift: rows[day == one] for shift, rows in described.items()}, place)
        beside = lay_beside(here, learnt, described[int(here.shift_db)][day != one], place)
        found.append(beside.assign(counted_day=one, shift_db=here.shift_db))
    return pd.concat(found) if found else lay_beside(counter, learnt, described[0][:0], counter.place)


def score_quarters(found: pd.DataFrame, by: str) -> pd.DataFrame:
    """Score estimates by a column.

    Returns:
        tried_on: the column's value; occupied and empty: quarter hours; error, error_addresses and error_scaled: mean
        absolute errors in people of the counter, of addresses, and of scaled global addresses, in the occupied ones;
        zero_pct of the empty ones that the counter says are empty; covered_pct of the occupied ones whose people are
        in the interval.
    """
    rows = found.dropna(subset="people").assign(
        error=lambda one: (one["estimate"] - one["people"]).abs(),
        error_addresses=lambda one: (one["addresses"] - one["people"]).abs(),
        error_scaled=lambda one: (one["scaled"] - one["people"]).abs(),
        covered_pct=lambda one: 100.0 * one["people"].between(one["low"], one["high"]),
        zero_pct=lambda one: 100.0 * one["estimate"].eq(0),
    )
    there = rows["people"] > 0
    errors = rows[there].groupby(by)[["error", "error_addresses", "error_scaled", "covered_pct"]].mean()
    zero = rows[~there].groupby(by)["zero_pct"].mean()
    counts = rows.assign(occupied=there, empty=~there).groupby(by)[["occupied", "empty"]].sum()
    return counts.join([errors, zero]).rename_axis("tried_on").reset_index()


def simulate_policies(seed: int) -> pd.DataFrame:
    """Score the counter in a simulated room, for each way in which phones may change their addresses.

    Of each way, the counter learns from five counted days and is tried on three others.
    """
    found = []
    for number, (name, policy) in enumerate(POLICIES.items()):
        rng = np.random.default_rng([seed, number])
        days = [hear_room(draw_day(pd.Timestamp("2026-03-02") + pd.Timedelta(days=one), rng), rng, policy)
                for one in range(SIMULATED_DAYS)]  # fmt: skip
        quarters = describe_quarters(pd.concat(days, ignore_index=True)).dropna(subset="people")
        day = quarters.index.to_series().dt.normalize()
        learn = day.rank(method="dense") <= LEARNT_DAYS
        counter = fit_counter(quarters[learn], day[learn], name)
        found.append(lay_beside(counter, quarters[learn], quarters[~learn], name).assign(policy=name))
    return score_quarters(pd.concat(found), "policy").set_index("tried_on").loc[list(POLICIES)].reset_index()
