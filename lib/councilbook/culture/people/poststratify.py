"""Multilevel regression and post-stratification: from a survey of a country to shares by small area.

Park, Gelman and Bafumi 2004, "Bayesian Multilevel Estimation with Poststratification", Political Analysis 12(4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, logit

from councilbook.culture.people.survey import estimate_shares
from councilbook.errors import CheckError, TooFewError
from councilbook.methods.uncertainty import find_interval

Floats = NDArray[np.float64]

FEWEST_FITTED = 200  # answers
ROUNDS, CLOSE = 60, 1e-3  # of fitting, and by how much the last may move a coefficient
FLAT = 25.0  # variance of the prior of the mean, in log odds
LEAST_VARIANCE = 1e-4
ESTIMATES = ["outcome", "lsoa21_code", "share_pct", "low_pct", "high_pct", "basis"]
BORROWED = 200.0  # answers' worth of England's mix that is added to a region's
INTERVAL = 0.95
MIDDLE, SPREAD = 5.5, 2.87  # of deciles


@dataclass(frozen=True)
class Frame:
    """Adults of small areas, by area and cell.

    Attributes:
        areas: by lsoa21_code: region, district and deciles, as a survey has them, and adults.
        cells: a row a cell, with its category in each group.
        adults: one row an area, one column a cell.
    """

    areas: pd.DataFrame
    cells: pd.DataFrame
    adults: Floats

    def average(self, shares: Floats) -> Floats:
        """Return the mean over the adults of each area; shares are by area and cell, or by cell."""
        mean: Floats = (self.adults * shares).sum(axis=1) / self.adults.sum(axis=1)
        return mean


@dataclass(frozen=True)
class Model:
    """A logit with a slope in each decile and an effect of each level, shrunken to the mean of its factor.

    Attributes:
        levels: of each factor.
        slopes: deciles with a slope.
        mean, covariance: of the coefficients: the intercept, the slopes, then the levels.
        variances: of each factor's effects, and of the slopes.
        answers: how many it was fitted to.
    """

    levels: Mapping[str, list[str]]
    slopes: Sequence[str]
    mean: Floats
    covariance: Floats
    variances: Mapping[str, float]
    answers: int


def make_design(rows: pd.DataFrame, levels: Mapping[str, list[str]], slopes: Sequence[str]) -> Floats:
    """Make a column of ones, one a slope and one a level; what `rows` does not have is 0, as is an unknown level."""
    parts = [np.ones((len(rows), 1))]
    parts += [
        ((rows[name].to_numpy(float) - MIDDLE) / SPREAD if name in rows else np.zeros(len(rows)))[:, None]
        for name in slopes
    ]
    for factor, names in levels.items():
        codes = pd.Index(names).get_indexer(pd.Index(rows[factor])) if factor in rows else np.full(len(rows), -1)
        parts.append((codes[:, None] == np.arange(len(names))).astype(float))
    return np.hstack(parts)


def fit_model(people: pd.DataFrame, answer: str, factors: Sequence[str], slopes: Sequence[str]) -> Model:
    """Fit the model by penalised quasi-likelihood, the variances by their fixed point (an EM step a round).

    Breslow and Clayton 1993, "Approximate Inference in Generalized Linear Mixed Models", JASA 88(421). Weights are
    scaled to Kish's effective sample, so that the intervals allow for them.

    Args:
        people: weight, the answer (1, 0; rows without are left out), factors (text) and slopes (deciles).

    Raises:
        TooFewError: there are too few answers.
    """
    known = people.dropna(subset=[answer, *factors, *slopes])
    if len(known) < FEWEST_FITTED:
        raise TooFewError(f"There are too few answers on {answer} for a model.")
    levels = {factor: sorted(known[factor].astype(str).unique()) for factor in factors}
    design = make_design(known.astype(dict.fromkeys(factors, str)), levels, slopes)
    yes, weight = known[answer].to_numpy(float), known["weight"].to_numpy(float)
    weight = weight * weight.sum() / (weight**2).sum()
    kinds = ["mean", *["slopes"] * len(slopes), *(factor for factor in factors for _ in levels[factor])]
    kind = np.array(kinds)
    variances = dict.fromkeys([*dict.fromkeys(kinds)], 0.1) | {"mean": FLAT}
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = logit(np.average(yes, weights=weight).clip(0.001, 0.999))
    for _ in range(ROUNDS):
        precision = 1 / np.array([variances[one] for one in kinds])
        share = expit(design @ coefficients)
        information = (design * (weight * share * (1 - share))[:, None]).T @ design
        factor = cho_factor(information + np.diag(precision))
        step = cho_solve(factor, design.T @ (weight * (yes - share)) - precision * coefficients)
        coefficients = coefficients + step
        covariance = cho_solve(factor, np.eye(len(kinds)))
        for name in set(kinds) - {"mean"}:
            of = kind == name
            found = float((coefficients[of] ** 2 + covariance.diagonal()[of]).mean())
            variances[name] = max(found, LEAST_VARIANCE)
        if np.abs(step).max() < CLOSE:
            break
    return Model(levels, slopes, coefficients, covariance, variances, len(known))


def predict_people(model: Model, people: pd.DataFrame) -> Floats:
    """Return the share that the model expects of each row."""
    shares: Floats = expit(make_design(people, model.levels, model.slopes) @ model.mean)
    return shares


def predict_areas(
    model: Model, frame: Frame, rng: np.random.Generator, draws: int, area_sd: float, within: Floats | None = None
) -> Floats:
    """Draw the share of each area's adults.

    Args:
        area_sd: what areas that the survey cannot tell apart differ by, in log odds; an assumption, as the open file
            does not say where anybody lives.
        within: weights by area and cell, beside the adults, of those that the share is of; all adults if none.

    Returns:
        One row an area, one column a draw.
    """
    by_area, by_cell = _make_designs(model, frame)
    adults = frame.adults if within is None else frame.adults * within
    adults = adults / adults.sum(axis=1, keepdims=True)
    shares = np.empty((len(by_area), draws))
    for draw, drawn in enumerate(rng.multivariate_normal(model.mean, model.covariance, draws, method="cholesky")):
        own = by_area @ drawn + rng.normal(0, area_sd, len(by_area))
        shares[:, draw] = (adults * expit(own[:, None] + by_cell @ drawn)).sum(axis=1)
    return shares


def predict_cells(model: Model, frame: Frame) -> Floats:
    """Return the share that the model expects, by area and cell."""
    by_area, by_cell = _make_designs(model, frame)
    shares: Floats = expit((by_area @ model.mean)[:, None] + by_cell @ model.mean)
    return shares


def _make_designs(model: Model, frame: Frame) -> tuple[Floats, Floats]:
    by_cell = make_design(frame.cells, model.levels, model.slopes)
    by_cell[:, : 1 + len(model.slopes)] = 0  # what all cells of an area share is the area's
    return make_design(frame.areas, model.levels, model.slopes), by_cell


def rake(seed: Floats, margins: Mapping[int, Floats], rounds: int = 200, close: float = 1e-5) -> Floats:
    """Rake the tables of many areas at once to their margins: iterative proportional fitting (Deming and Stephan 1940).

    Twenty lines instead of a library: those that there are rake one table at a time, and a council has a thousand.

    Args:
        seed: areas by categories of each group, nothing below 0.
        margins: by number of the axis (1 is the first group), areas by categories: the adults. Their totals agree.

    Raises:
        CheckError: after so many rounds a margin is off by more than `close` of its area's adults.
    """
    table = seed.copy()
    others = {axis: tuple(one for one in range(1, table.ndim) if one != axis) for axis in margins}
    off = np.inf
    for _ in range(rounds):
        for axis, wanted in margins.items():
            now = table.sum(axis=others[axis])
            ratio = np.divide(wanted, now, out=np.zeros_like(now), where=now > 0)
            table *= np.expand_dims(ratio, others[axis])
        gaps = [np.abs(table.sum(axis=others[axis]) - wanted).sum(axis=1) for axis, wanted in margins.items()]
        total = next(iter(margins.values())).sum(axis=1)
        off = max(float((gap / np.maximum(total, 1)).max()) for gap in gaps)
        if off < close:
            return table
    raise CheckError(f"Raking does not meet the census margins: one is off by {off:.1%} of an area's adults.")


def make_frame(
    areas: pd.DataFrame, people: pd.DataFrame, groups: Sequence[str], margins: Mapping[str, pd.DataFrame]
) -> Frame:
    """Make each area's adults by cell: the region's mix in the survey, raked to what the census says of the area.

    Args:
        areas: by lsoa21_code: adults, region, and what else the model asks of an area.
        people: weight, region and groups of the survey.
        groups: which make the cells.
        margins: by group, areas by categories: counts of people or households, whose shares are taken.
    """
    known = people.dropna(subset=list(groups))
    names = {group: sorted({*known[group].unique(), *margins.get(group, pd.DataFrame())}) for group in groups}
    cells = pd.MultiIndex.from_product(list(names.values()), names=list(groups))
    by_cell = known.pivot_table("weight", list(groups), "region", "sum")
    by_cell = by_cell.reindex(cells if len(groups) > 1 else names[groups[0]]).fillna(0).set_axis(cells)
    answers, england = known.groupby("region").size(), by_cell.sum(axis=1) / by_cell.to_numpy().sum()
    england = 0.999 * england + 0.001 / len(cells)  # a cell that nobody of the survey is in may still have people
    regions = by_cell.div(by_cell.sum()).reindex(columns=areas["region"].unique()).fillna(0)
    weight = answers.reindex(regions.columns).fillna(0)
    mixed = regions.mul(weight, axis=1).add(BORROWED * england, axis=0).div(weight + BORROWED, axis=1)
    shape = (len(areas), *map(len, names.values()))
    seed = (mixed[areas["region"]].to_numpy().T * areas[["adults"]].to_numpy()).reshape(shape)
    wanted = {}
    for axis, group in enumerate(groups, start=1):
        if group in margins:
            counts = margins[group].reindex(index=areas.index, columns=names[group]).fillna(0)
            wanted[axis] = counts.div(counts.sum(axis=1), axis=0).mul(areas["adults"], axis=0).to_numpy()
    raked = rake(seed, wanted) if wanted else seed
    return Frame(areas, cells.to_frame(index=False), raked.reshape(len(areas), len(cells)))


def tidy_draws(draws: Floats, frame: Frame) -> pd.DataFrame:
    """Return share_pct, low_pct and high_pct of each area, by lsoa21_code."""
    low, middle, high = 100 * find_interval(draws, INTERVAL)
    return pd.DataFrame({"share_pct": middle, "low_pct": low, "high_pct": high}, index=frame.areas.index)


def spread_deciles(
    people: pd.DataFrame, answer: str, areas: pd.DataFrame, area_sd: float, rng: np.random.Generator, draws: int
) -> pd.DataFrame:
    """Give each area the share of its decile of deprivation: coarse, and all that a cut without other groups can say.

    Returns:
        As `tidy_draws`; the interval holds the sampling error of the decile, and `area_sd` as `predict_areas` has it.
    """
    shares = estimate_shares(people, [answer], "imd_decile").set_index("group")
    error = shares["standard_error_points"] / (shares["share_pct"] * (1 - shares["share_pct"] / 100))  # in log odds
    middle, own = logit(shares["share_pct"] / 100), areas["imd_decile"].to_numpy()
    drawn = pd.DataFrame(rng.normal(0, 1, (len(shares), draws)), index=shares.index)
    values = (drawn.mul(error, axis=0).add(middle, axis=0)).reindex(own).to_numpy()
    low, _, high = 100 * find_interval(expit(values + rng.normal(0, area_sd, values.shape)), INTERVAL)
    found = {"share_pct": shares["share_pct"].reindex(own).to_numpy(), "low_pct": low, "high_pct": high}
    return pd.DataFrame(found, index=areas.index).dropna()
