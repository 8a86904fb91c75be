"""How the chances of a council's households are learnt, by what its extract holds, and what comes of each way.

From records, where the extract says of every household whether it is fuel poor. From official rates of areas, where it
does not, as records of health and care hold no incomes, fuel costs or ratings of homes. And where there are too few
areas or households to learn from, every household has the official rate of its area.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.prediction import Folds
from councilbook.fuel_poverty.chances.likelihood import (
    FEWEST_FUEL_POOR,
    FEWEST_LSOAS,
    LOGISTIC,
    Predict,
    estimate_odds,
    fit_chance,
    predict_held_out,
    split_households,
)
from councilbook.fuel_poverty.chances.official_rates import FROM_RATES, learn_from_rates
from councilbook.fuel_poverty.chances.scores import COUNCIL_RATE, EDGE, average_areas, score_chances
from councilbook.fuel_poverty.households.extract import PREDICTORS
from councilbook.fuel_poverty.households.targeting import EXPECTED, FEWEST_HOMES, shift_chances

Basis = Literal["records", "official rates", "areas alone"]
Learn = Callable[[pd.DataFrame, Folds, pd.Series, int], pd.Series]

FEWEST_AREAS = 30  # to learn from official rates
FEWEST_TO_LEARN = 300  # households; with fewer the chances told no more than the areas' rates in trials of one district
FEWEST_LABELLED = 4 * FEWEST_FUEL_POOR  # fuel poor, and as many that are not; a quarter are enough in every fold


@dataclass(frozen=True)
class Modelled:
    """Households with their chances, and what was learnt on the way.

    Attributes:
        basis: what the chances were learnt from.
        households: the prepared extract. If it does not say of everyone who is fuel poor, with EXPECTED, and without
            is_fuel_poor.
        chance: the probability of each household that lists are made by, learnt without its part of the council.
        scores: as `scores.score_chances`; of areas, unless the basis is records.
        odds: as `likelihood.estimate_odds`; no row where nothing was learnt.
        predict: the chance of other households.
        sizes: observations, group_size and degrees_of_freedom, for the release gate.
    """

    basis: Basis
    households: pd.DataFrame
    chance: pd.Series
    scores: pd.DataFrame
    odds: pd.DataFrame
    predict: Predict
    sizes: dict[str, int]

    @property
    def learn(self) -> Learn:
        """Return the same way of learning, for other households."""
        return LEARN[self.basis]


def model_households(prepared: pd.DataFrame, rates: pd.Series, seed: int) -> Modelled:
    """Learn the chances of the households of an extract in the way that it allows.

    Args:
        prepared: from `extract.add_open`.
        rates: official share in fuel poverty by lsoa21_code, in percent.
        seed: of samples, parts and trees.

    Raises:
        CheckError: who is fuel poor is not known, and no household is in an area with an official rate.
    """
    areas = prepared["lsoa21_code"].nunique()
    if "is_fuel_poor" in prepared:
        poor = int(prepared["is_fuel_poor"].sum())
        if areas >= FEWEST_LSOAS and min(poor, len(prepared) - poor) >= FEWEST_LABELLED:
            return _model_records(prepared, seed)
        prepared = prepared.drop(columns="is_fuel_poor")
    known = prepared["lsoa21_code"].isin(rates.index[rates.notna()])
    if not known.any():
        raise CheckError("No household is in an area with an official rate; expected LSOA codes as in these rates.")
    if prepared.loc[known, "lsoa21_code"].nunique() >= FEWEST_AREAS and known.sum() >= FEWEST_TO_LEARN:
        return _model_rates(prepared, rates, seed)
    return _model_areas(prepared, rates)


def _model_records(prepared: pd.DataFrame, seed: int) -> Modelled:
    folds = split_households(prepared, seed)
    chances = predict_held_out(prepared, folds, seed)
    scores = score_chances(prepared["is_fuel_poor"], chances, folds)
    best = scores[scores["kind"] == "model"].sort_values("log_loss")["model"].iloc[0]
    sizes = {"observations": len(prepared), "degrees_of_freedom": len(prepared) - len(PREDICTORS) - 1}
    sizes["group_size"] = int(prepared["is_fuel_poor"].sum())
    odds, predict = estimate_odds(prepared, seed), fit_chance(prepared, best, seed)
    return Modelled("records", prepared, chances[best], scores, odds, predict, sizes)


def _model_rates(prepared: pd.DataFrame, rates: pd.Series, seed: int) -> Modelled:
    folds = split_households(prepared, seed)
    learnt = learn_from_rates(prepared, folds, rates)
    chance = add_up(prepared, learnt.chances[FROM_RATES], rates)
    sizes = {"observations": len(prepared), "degrees_of_freedom": learnt.degrees_of_freedom}
    sizes["group_size"] = len(prepared)
    scores = _score_areas(prepared, learnt.chances, rates, folds)
    households = prepared.assign(**{EXPECTED: chance})
    return Modelled("official rates", households, chance, scores, learnt.odds, learnt.predict, sizes)


def _model_areas(prepared: pd.DataFrame, rates: pd.Series) -> Modelled:
    chance = _fill_rates(prepared, rates)
    folds = Folds(prepared["lsoa21_code"], "each small area in turn")
    sums, size = chance.groupby(folds.labels).transform("sum"), chance.groupby(folds.labels).transform("size")
    others = (chance.sum() - sums) / (len(chance) - size)  # none where there is one area
    scores = _score_areas(prepared, others.to_frame(COUNCIL_RATE), rates, folds)
    odds = pd.DataFrame(columns=["source", "covariate", "compared_with", "households", "group_size", "odds_ratio"])
    sizes = {"observations": len(prepared), "degrees_of_freedom": len(prepared) - 1, "group_size": len(prepared)}
    overall = float(chance.mean())
    return Modelled(
        "areas alone",
        prepared.assign(**{EXPECTED: chance}),
        chance,
        scores,
        odds.assign(low_95=[], high_95=[]),
        lambda others: np.full(len(others), overall),
        sizes,
    )


def add_up(prepared: pd.DataFrame, chance: pd.Series, rates: pd.Series) -> pd.Series:
    """Shift chances so that they add up to official rates, where there are enough households to add up.

    An official rate is of all households of an LSOA. A few of them in an extract need not be like the rest, so those of
    LSOAs with fewer than FEWEST_HOMES add up together, in each district, to what the rates of their LSOAs expect.

    Args:
        prepared: lsoa21_code and lad22_code.
        chance: probabilities, on the same index.
        rates: percent by lsoa21_code; a household without one keeps its chance.
    """
    rate = prepared["lsoa21_code"].map(rates)
    is_few = rate.groupby(prepared["lsoa21_code"]).transform("size") < FEWEST_HOMES
    place = prepared["lsoa21_code"].mask(is_few, prepared["lad22_code"]).mask(rate.isna(), "")
    expected = rate.groupby(place).mean()
    return shift_chances(pd.DataFrame({"lsoa21_code": place}), chance, expected)


def _score_areas(prepared: pd.DataFrame, chances: pd.DataFrame, rates: pd.Series, folds: Folds) -> pd.DataFrame:
    means = average_areas(chances, prepared["lsoa21_code"])
    rate = prepared["lsoa21_code"].map(rates).where(means.notna().all(axis="columns")).dropna() / 100
    return score_chances(rate, means.loc[rate.index], folds)


def _fill_rates(prepared: pd.DataFrame, rates: pd.Series) -> pd.Series:
    """Give every household its area's rate, as a probability; the mean of the others where it has none."""
    chance = prepared["lsoa21_code"].map(rates).astype("float64") / 100
    return chance.fillna(chance.mean()).clip(EDGE, 1 - EDGE)


LEARN: Mapping[Basis, Learn] = {
    "records": lambda prepared, folds, _, seed: predict_held_out(prepared, folds, seed, [LOGISTIC])[LOGISTIC],
    "official rates": lambda prepared, folds, rates, _: add_up(
        prepared, learn_from_rates(prepared, folds, rates).chances[FROM_RATES], rates
    ),
    "areas alone": lambda prepared, _, rates, __: _fill_rates(prepared, rates),
}
