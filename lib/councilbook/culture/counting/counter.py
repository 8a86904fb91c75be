"""How many people were in a room, learnt from hours in which somebody counted them; without such an hour, no number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from councilbook.culture.counting.quarters import EVIDENCE, describe_quarters
from councilbook.errors import NotToldError, TooFewError

FEWEST_QUARTERS = 12  # occupied ones, over at least two groups, from which a counter can learn
LEAST_PEOPLE = 1.5  # an estimate of less is nobody: one phone at the door sounds like one person
COVERAGE = 0.9
STEADY_PEOPLE = 4.0  # errors grow with the root of people plus these
CREDIBLE_QUARTERS = 8.0  # so many of the place's own weigh as much as all others (credibility; Bühlmann, 1967)
SHIFTS_DB, UNUSUAL = range(-12, 13, 3), 1.75  # a sensor hears as others do unless errors are so many times as large
STALE_DAYS = 120  # after the last counted day, as phones change


@dataclass(frozen=True)
class Counter:
    """What was learnt, and where it holds.

    Attributes:
        model: the regression, which never falls when more is heard.
        place: the sensor at which heads were counted last.
        counted_until: the last counted day.
        most_heard: the most that was heard of each kind of evidence in a counted quarter hour.
        errors: errors of counted quarter hours that the model had not seen, in roots of people; `own` are the place's.
        shift_db: how much deafer the place's sensor is than those that the model learnt from.
    """

    model: HistGradientBoostingRegressor
    place: str
    counted_until: pd.Timestamp
    most_heard: pd.Series
    errors: NDArray[np.float64]
    own: NDArray[np.float64]
    shift_db: float = 0.0

    @property
    def width(self) -> float:
        """Half an interval's width in roots of people: the place's own and the others' mixed by credibility."""
        others = float(np.quantile(self.errors, COVERAGE))
        if not len(self.own):
            return others
        own = float(np.quantile(self.own, min(1.0, COVERAGE * (1 + 1 / len(self.own)))))
        weight = len(self.own) / (len(self.own) + CREDIBLE_QUARTERS)
        return weight * own + (1 - weight) * others


def fit_counter(quarters: pd.DataFrame, groups: pd.Series, place: str) -> Counter:
    """Learn from counted quarter hours.

    The model is a boosted regression with the loss of Poisson counts, held to grow with each kind of evidence
    (scikit-learn's HistGradientBoostingRegressor). Its errors are taken with whole groups left out.

    Args:
        quarters: see `quarters.describe_quarters`, without those that contradict their head-count.
        groups: of each quarter hour, the term or day that is left out as a whole.
        place: the sensor, or the name of the place.

    Raises:
        NotToldError: nobody counted heads there while anybody was there.
        TooFewError: too few quarter hours, or one group alone.
    """
    counted = quarters[quarters["people"].notna()]
    groups = groups.loc[counted.index]
    occupied = counted["people"] > 0
    if not occupied.any():
        raise NotToldError(
            "No counted hour, no number: nobody counted the people there while anybody was there. "
            "Count heads for a day, an hour with nobody in it among them."
        )
    if occupied.sum() < FEWEST_QUARTERS or groups[occupied].nunique() < 2:
        raise TooFewError("Too few hours were counted to learn from them. Count heads on two days, two hours on each.")
    left_out = pd.Series(np.nan, index=counted.index)
    for group in groups.unique():
        rest = counted[groups.ne(group)]
        if (rest["people"] > 0).any():
            left_out[groups.eq(group)] = _predict(_fit(rest), counted[groups.eq(group)])
    known = occupied & left_out.notna()
    errors = _scale_errors(counted.loc[known, "people"], left_out[known])
    most, until = counted[EVIDENCE].max(), counted.index.max().normalize()
    return Counter(_fit(counted), place, until, most, errors, errors if groups.nunique() > 4 else errors[:0])


def fit_here(counter: Counter, described: Mapping[int, pd.DataFrame], place: str) -> Counter:
    """Fit a counter to a sensor by a day that was counted there: how deaf it is, and how large errors are.

    Args:
        counter: learnt from other sensors, or in other terms.
        described: the counted quarter hours of that day, for each shift of SHIFTS_DB; see `describe_shifts`.
        place: the sensor.

    Raises:
        NotToldError: nobody counted heads on that day while anybody was there.
    """
    tries = {}
    for shift, rows in described.items():
        quarters = rows.dropna(subset="people")
        estimate, occupied = _predict(counter.model, quarters), quarters["people"] > 0
        if not occupied.any():
            raise NotToldError(
                "No counted hour, no number: nobody counted heads at this sensor while anybody was there."
            )
        error = np.abs(estimate - quarters["people"])
        off = error[occupied].mean() + (error[~occupied].mean() if (~occupied).any() else 0.0)
        own = _scale_errors(quarters.loc[occupied, "people"], estimate[occupied.to_numpy()])
        tries[shift] = (off, abs(shift), own, quarters.index.max().normalize())
    is_usual = tries[0][2].mean() <= UNUSUAL * counter.errors.mean()
    shift = 0 if is_usual else min(tries, key=lambda one: tries[one][:2])
    return replace(counter, place=place, counted_until=tries[shift][3], own=tries[shift][2], shift_db=float(shift))


def describe_shifts(events: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Describe quarter hours as if the sensor were so many dB deafer, for each of SHIFTS_DB."""
    return {shift: describe_quarters(events, shift) for shift in SHIFTS_DB}


def estimate_people(counter: Counter, quarters: pd.DataFrame, place: str) -> pd.DataFrame:
    """Estimate how many people were there in each quarter hour, with an interval that holds in nine of ten.

    Args:
        counter: of this place.
        quarters: see `quarters.describe_quarters`, with the counter's `shift_db`.
        place: the sensor that heard them.

    Returns:
        people, low, high; `is_beyond`: more was heard than in any counted quarter hour, so there may have been more
        people than it says; `is_stale`: nobody has counted for four months, and phones change.

    Raises:
        NotToldError: no hour was counted at this sensor.
    """
    if place != counter.place:
        raise NotToldError(
            "No counted hour, no number: nobody counted heads at this sensor. Count them there for a day, then fit it."
        )
    people = _predict(counter.model, quarters)
    half = counter.width * np.sqrt(people + STEADY_PEOPLE)
    return pd.DataFrame({
        "people": people, "low": np.floor(np.maximum(people - half, 0)), "high": np.ceil(people + half),
        "is_beyond": quarters["device_minutes_65"] > counter.most_heard["device_minutes_65"],
        "is_stale": quarters.index > counter.counted_until + pd.Timedelta(days=STALE_DAYS),
    }, index=quarters.index)  # fmt: skip


def estimate_simply(learnt: pd.DataFrame, quarters: pd.DataFrame) -> pd.DataFrame:
    """Estimate people in the two usual ways: each address is a person, and random ones dropped and the rest scaled.

    The scale is people over global addresses in the counted quarter hours `learnt` from, as the median of the occupied
    ones, by which it does best at Brno.
    """
    occupied = learnt[learnt["people"] > 0]
    scale = float((occupied["people"] / occupied["global_addresses"].clip(lower=1)).median())
    return pd.DataFrame({"addresses": quarters["addresses"], "scaled": quarters["global_addresses"] * scale})


def _fit(counted: pd.DataFrame) -> HistGradientBoostingRegressor:
    model = HistGradientBoostingRegressor(
        loss="poisson", monotonic_cst=[1] * len(EVIDENCE), max_iter=150, learning_rate=0.05, max_leaf_nodes=4,
        min_samples_leaf=min(15, max(3, len(counted) // 8)), l2_regularization=1.0, early_stopping=False,
    )  # fmt: skip
    return model.fit(counted[EVIDENCE].to_numpy(float), counted["people"].to_numpy(float))


def _predict(model: HistGradientBoostingRegressor, quarters: pd.DataFrame) -> NDArray[np.float64]:
    if quarters.empty:
        return np.empty(0)
    found = model.predict(quarters[EVIDENCE].to_numpy(float))
    heard = quarters[EVIDENCE].to_numpy(float).any(axis=1)
    return np.where((found >= LEAST_PEOPLE) & heard, found, 0.0)


def _scale_errors(people: pd.Series, estimate: NDArray[np.float64] | pd.Series) -> NDArray[np.float64]:
    scaled = np.abs(people.to_numpy(float) - np.asarray(estimate)) / np.sqrt(np.asarray(estimate) + STEADY_PEOPLE)
    return np.asarray(scaled, dtype=float)
