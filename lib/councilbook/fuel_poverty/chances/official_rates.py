"""The chance of each household, learnt from official rates of areas where no record says who is in fuel poverty.

Records of health and care hold no incomes, fuel costs or ratings of homes. Known is how many households of each LSOA
are fuel poor. A logistic regression on the households' own records is fitted so that its mean chance over the
households of each LSOA comes near the official rate: the likelihood is binomial in these means, with as many trials as
the extract has households there. A ridge penalty is chosen by leaving out districts.

What such data identify. How homes of one area differ is learnt only from how areas differ in their homes. If renters
are fuel poor more often because of the areas where renting is common, and not within them, the model tells the wrong
homes of an area, and no official figure can show it: this is ecological inference (Robinson 1950). Fitting means of
chances, not chances of means, takes away the part of the error that comes from averaging (Prentice and Sheppard 1995),
and no other. A part of how homes of one area seem to differ is error of the coefficients, so these differences are
shrunk to the share that is not (`find_reliability`; Fuller 1987). Shares of the neighbourhood from the census are left
out, since they are nearly the means of what the records say of its homes: areas could not tell one from the other.
Intervals allow for areas that differ by more than chance. They hold neither the ecological error nor what the penalty
takes from the odds.

Sources:
    Robinson, W. S. (1950), Ecological correlations and the behavior of individuals, American Sociological Review 15(3).
    Fuller, W. A. (1987), Measurement error models, section 1.1, on the reliability ratio.
    Prentice, R. L. and Sheppard, L. (1995), Aggregate data studies of disease risk factors, Biometrika 82(1).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import inv, solve
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from councilbook.fuel_poverty.areas.prediction import Folds
from councilbook.fuel_poverty.chances.coding import Coding, encode_predictors, tabulate_odds
from councilbook.fuel_poverty.chances.likelihood import Predict
from councilbook.fuel_poverty.chances.scores import COUNCIL_RATE, EDGE
from councilbook.fuel_poverty.households.extract import CLOSED, SHARED, Numbers

FROM_RATES = "Regression on official rates"
Texts = npt.NDArray[np.object_]

PENALTIES = (1_000.0, 100.0, 30.0, 10.0, 3.0)  # on squared log odds ratios
LEAST_FREEDOM = 10  # areas that a fit has beyond its coefficients
STEPS = 100  # at most; some eight are needed
TOLERANCE = 1e-9  # of the log likelihood


@dataclass(frozen=True)
class FromRates:
    """What was learnt from official rates.

    Attributes:
        chances: COUNCIL_RATE (of the areas that are not left out) and FROM_RATES: each household's probability by a
            model that never saw the rates of its part of the council.
        odds: as `likelihood.estimate_odds`, of the whole council.
        degrees_of_freedom: areas less the coefficients that the penalty leaves free.
        predict: the chance of other households.
    """

    chances: pd.DataFrame
    odds: pd.DataFrame
    degrees_of_freedom: int
    predict: Predict


@dataclass(frozen=True)
class Likelihood:
    """The penalised likelihood of the areas' rates, at some coefficients.

    Attributes:
        loss: its negative logarithm.
        gradient, information: of the loss; the information is the expected one, with the penalty.
        scores: what each area adds to the gradient, a row an area.
    """

    loss: float
    gradient: Numbers
    information: Numbers
    scores: Numbers


@dataclass(frozen=True)
class Aggregates:
    """Households, and the official rates of their areas.

    Attributes:
        design: a row a household, those of an area side by side; the last column is the constant, which is not
            penalised.
        starts: the first row of each area.
        rates: shares of the areas that are fuel poor.
        weights: households of each area; 0 where it is left out.
    """

    design: Numbers
    starts: npt.NDArray[np.intp]
    rates: Numbers
    weights: Numbers

    @classmethod
    def of(cls, design: Numbers, areas: Texts, rates: pd.Series) -> Self:
        """Make it from sorted codes of areas, and rates in percent by code; an area without one has no weight."""
        starts = np.flatnonzero(np.r_[True, areas[1:] != areas[:-1]])
        share = rates.reindex(areas[starts]).to_numpy(dtype="float64") / 100
        sizes = np.diff(starts, append=len(areas)).astype("float64")
        return cls(design, starts, np.nan_to_num(share, nan=0.5), np.where(np.isnan(share), 0.0, sizes))

    def average(self, values: Numbers) -> Numbers:
        """Return the mean of each area's households."""
        return np.asarray(np.add.reduceat(values, self.starts) / np.diff(self.starts, append=len(values)))

    def shrink_within(self, log_odds: Numbers, reliability: float) -> Numbers:
        """Bring the households of each area nearer to its mean; a reliability of 1 leaves them where they are."""
        means = np.repeat(self.average(log_odds), np.diff(self.starts, append=len(log_odds)))
        return np.asarray(means + reliability * (log_odds - means))

    def find_reliability(self, coefficients: Numbers, covariance: Numbers) -> float:
        """Find the share of the variance of log odds within areas that is not error of the coefficients."""
        within = np.column_stack(
            [self.shrink_within(column, 1.0) - self.shrink_within(column, 0.0) for column in self.design.T]
        )
        products = within.T @ within
        seen = float(coefficients @ products @ coefficients)
        return max(0.0, 1 - float(np.trace(products @ covariance)) / seen) if seen else 0.0

    def find_loss(self, means: Numbers) -> Numbers:
        """Return the negative log likelihood of each area's rate, for its mean chance."""
        means = means.clip(EDGE, 1 - EDGE)
        return np.asarray(-self.weights * (self.rates * np.log(means) + (1 - self.rates) * np.log1p(-means)))

    def measure(self, coefficients: Numbers, penalty: float) -> Likelihood:
        """Measure the likelihood with a penalty of half of itself times the sum of squared coefficients."""
        penalties = np.r_[np.full(len(coefficients) - 1, penalty), 0.0]
        chance = expit(self.design @ coefficients)
        spread = chance * (1 - chance)
        means = self.average(chance).clip(EDGE, 1 - EDGE)
        slopes = np.column_stack([self.average(spread * column) for column in self.design.T])
        precision = self.weights / (means * (1 - means))
        scores = -slopes * (precision * (self.rates - means))[:, None]
        loss = self.find_loss(means).sum() + penalties @ coefficients**2 / 2
        information = slopes.T @ (precision[:, None] * slopes) + np.diag(penalties)
        return Likelihood(float(loss), scores.sum(axis=0) + penalties * coefficients, information, scores)

    def fit(self, penalty: float, start: Numbers) -> Numbers:
        """Find the coefficients of the least loss, by Fisher's scoring with halved steps where one goes too far."""
        found, now, step = start, self.measure(start, penalty), 1.0
        for _ in range(STEPS):
            tried = found - step * solve(now.information, now.gradient, assume_a="pos")
            then = self.measure(tried, penalty)
            if then.loss > now.loss + TOLERANCE:
                step /= 2
                continue
            gain, found, now, step = now.loss - then.loss, tried, then, 1.0
            if gain < TOLERANCE:
                break
        return found


def learn_from_rates(prepared: pd.DataFrame, folds: Folds, rates: pd.Series) -> FromRates:
    """Learn each household's chance from the official rates of LSOAs alone.

    Args:
        prepared: from `add_open`; nobody need know who is fuel poor.
        folds: from `likelihood.split_households`: no LSOA is in two parts.
        rates: official share in fuel poverty by lsoa21_code, in percent.
    """
    order = np.argsort(prepared["lsoa21_code"].to_numpy(), kind="stable")
    rows = encode_predictors(prepared)[[*CLOSED, *SHARED]].iloc[order]
    coding = Coding.of(rows)
    data = Aggregates.of(coding.design(rows), prepared["lsoa21_code"].to_numpy()[order], rates)
    of_home = pd.factorize(folds.labels)[0][order]
    parts = of_home[data.starts]
    with threadpool_limits(1):
        penalty, fitted, left_out = _choose_penalty(data, parts)
        now = data.measure(fitted, penalty)
        free, seen = _count_free(now, penalty), int((data.weights > 0).sum())
        inverse = inv(now.information)
        covariance = inverse @ (now.scores.T @ now.scores) @ inverse * seen / max(seen - free, 1)
        reliability = data.find_reliability(fitted, covariance)
        chances = np.empty((len(prepared), 2))
        for part, coefficients in enumerate(left_out):
            chosen = of_home == part
            chances[order[chosen], 0] = np.average(data.rates, weights=np.where(parts == part, 0, data.weights))
            log_odds = data.shrink_within(data.design @ coefficients, reliability)
            chances[order[chosen], 1] = expit(log_odds[chosen])
        centre = float(np.mean(data.design @ fitted))

    def predict(others: pd.DataFrame) -> Numbers:
        apart = coding.design(encode_predictors(others)) @ fitted - centre
        return np.asarray(expit(centre + reliability * apart), dtype="float64")

    return FromRates(
        pd.DataFrame(chances, prepared.index, [COUNCIL_RATE, FROM_RATES]),
        tabulate_odds(coding, data.design, fitted, np.sqrt(np.diag(covariance))),
        int(seen - free),
        predict,
    )


def _choose_penalty(data: Aggregates, parts: npt.NDArray[np.intp]) -> tuple[float, Numbers, list[Numbers]]:
    """Return the penalty that tells rates of parts left out best, and its fits: to all, and without each part."""
    total = np.average(data.rates, weights=data.weights).clip(EDGE, 1 - EDGE)
    fitted = np.r_[np.zeros(data.design.shape[1] - 1), logit(total)]
    best, least = (PENALTIES[0], fitted, [fitted] * (int(parts.max()) + 1)), np.inf
    for penalty in PENALTIES:  # each fit begins at that of the larger penalty
        fitted = data.fit(penalty, fitted)
        if (data.weights > 0).sum() - _count_free(data.measure(fitted, penalty), penalty) < LEAST_FREEDOM:
            break
        without, loss = [], 0.0
        for part in range(int(parts.max()) + 1):
            others = replace(data, weights=np.where(parts == part, 0.0, data.weights))
            without.append(others.fit(penalty, fitted))
            means = data.average(expit(data.design @ without[-1]))
            loss += float(data.find_loss(means)[parts == part].sum())
        if loss < least:
            best, least = (penalty, fitted, without), loss
    return best


def _count_free(fit: Likelihood, penalty: float) -> float:
    """Count the coefficients that a penalty leaves free: the trace of the information over that with the penalty."""
    return len(fit.gradient) - penalty * float(np.trace(inv(fit.information)[:-1, :-1]))
