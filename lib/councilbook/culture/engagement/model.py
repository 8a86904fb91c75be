"""A logit of small areas whose mean, weighted by adults, is the figure of their authority.

The model is a disaggregation (ecological) regression. Of LSOA i in authority a of region r,

    logit p_i = intercept + x_i b + v_r + u_a,    published_a = sum_i w_i p_i + sampling error,

where w_i is the LSOA's share of the authority's adults. The coefficients b, the effects v of regions and u of
authorities are normal about zero. Their three variances are those that make the published figures likeliest once b, v
and u are integrated out (type II likelihood: Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006,
chapter 5), with the mean linearised about the last estimate. The error of an authority is Student's t with four degrees
of freedom (Lange, Little and Taylor, 1989), so that a few odd authorities do not bend the coefficients.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit, logit
from scipy.stats import t as student

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DEGREES = 4.0  # of freedom of an authority's error, as Lange and others advise where little is known
LEAST_SHARE = 0.02  # of people or households: what is rarer says little, and runs wild in odd places
FARTHEST = 3.0  # standard deviations: an LSOA beyond is taken to lie there
STEPS = 6
START, BOUNDS = np.log([0.003, 0.001, 0.01]), [(-14.0, 2.0)] * 3  # log variances: coefficient, region, authority


@dataclass(frozen=True)
class Design:
    """England's small areas with what is known of them, and the figures of the authorities that they make up.

    Attributes:
        known: a row an LSOA, a column what is known of it.
        authority: of each LSOA, the number of its authority.
        weight: of each LSOA, its share of the authority's adults.
        figure: of each authority, the published share.
        returns: of each authority, how many answers of a simple random sample its figure is worth.
        region: of each authority, the number of its region.
    """

    known: FloatArray
    authority: IntArray
    weight: FloatArray
    figure: FloatArray
    returns: FloatArray
    region: IntArray

    def sum_up(self, values: FloatArray) -> FloatArray:
        """Add up what each LSOA has to what its authority has: a row an authority."""
        where = (np.ones(len(self.authority)), (self.authority, np.arange(len(self.authority))))
        summed: FloatArray = csr_matrix(where, shape=(len(self.figure), len(self.authority))) @ values
        return summed


@dataclass(frozen=True)
class Fit:
    """What was learnt from some of the authorities; variances are of the logit.

    Attributes:
        used: which columns of the values are used; centre and spread: by what they are standardised.
        coefficients, covariance: of the standardised values.
        coefficient_variance, region_variance, authority_variance: see the module; the last is the square of the scale.
    """

    used: NDArray[np.bool_]
    centre: FloatArray
    spread: FloatArray
    intercept: float
    coefficients: FloatArray
    covariance: FloatArray
    coefficient_variance: float
    region_variance: float
    authority_variance: float

    def standardise(self, values: FloatArray) -> FloatArray:
        """Return the used columns by their distance from the mean, in standard deviations and at most FARTHEST."""
        far: FloatArray = (values[:, self.used] - self.centre) / self.spread
        return far.clip(-FARTHEST, FARTHEST)

    def score(self, values: FloatArray) -> FloatArray:
        """Return the logit of each LSOA without the effects of region and authority."""
        scores: FloatArray = self.intercept + self.standardise(values) @ self.coefficients
        return scores


def fit_model(design: Design, rows: IntArray) -> Fit:
    """Fit the model to some of the authorities; nothing of the others is looked at.

    Args:
        design: all of them.
        rows: numbers of those to learn from.
    """
    fit = _prepare(design, rows)
    standard = fit.standardise(design.known)
    logs, weights = START, np.ones(len(rows))
    for step in range(STEPS):
        scores = fit.intercept + standard @ fit.coefficients
        mean, slopes, pull = (part[rows] for part in _linearise(design, scores, standard))
        pulled = slopes / pull[:, None]
        target = (design.figure[rows] - mean) / pull + pulled @ fit.coefficients + fit.intercept
        sampling = mean * (1 - mean) / design.returns[rows] / pull**2
        if step:
            off = target - fit.intercept - pulled @ fit.coefficients
            weights = (DEGREES + 1) / (DEGREES + off**2 / (sampling + np.exp(logs[2])))
        regions = np.equal.outer(design.region[rows], design.region[rows]).astype(float)
        parts = (pulled @ pulled.T, regions, np.diag(1 / weights))
        lose = _make_loss(target, sampling / weights, parts)
        logs = minimize(lose, logs, jac=True, method="L-BFGS-B", bounds=BOUNDS, tol=1e-4).x
        fit = _solve(fit, target, pulled, sampling / weights, parts, np.exp(logs))
    return fit


def predict_authorities(design: Design, fit: Fit) -> pd.DataFrame:
    """Predict the published figure of each authority, as if it were of a region that nothing was learnt from.

    Returns:
        A row an authority: predicted, low and high (95%: coefficients, region, authority and the survey's sample), all
        shares from 0 to 1.
    """
    standard = fit.standardise(design.known)
    mean, slopes, pull = _linearise(design, fit.score(design.known), standard)
    sampling = mean * (1 - mean) / design.returns
    of_model = np.einsum("ij,jk,ik->i", slopes, fit.covariance, slopes) + pull**2 * fit.region_variance
    scale = np.sqrt(of_model + pull**2 * fit.authority_variance + sampling)
    reach = student.ppf(0.975, DEGREES) * scale
    return pd.DataFrame({"predicted": mean, "low": mean - reach, "high": mean + reach})


def hold_out_regions(design: Design) -> pd.DataFrame:
    """Predict each authority from those of all other regions; see `predict_authorities`."""
    parts: list[pd.DataFrame] = []
    for region in np.unique(design.region):
        fit = fit_model(design, np.flatnonzero(design.region != region))
        parts.append(predict_authorities(design, fit).loc[design.region == region])
    return pd.concat(parts).sort_index()


def _prepare(design: Design, rows: IntArray) -> Fit:
    """Choose and standardise what is known, by the LSOAs of some authorities, each authority counting the same."""
    own = np.isin(design.authority, rows)
    weight = design.weight[own] / len(rows)
    values = design.known[own]
    mean = weight @ values
    spread = np.sqrt(weight @ (values - mean) ** 2)
    used = (mean >= LEAST_SHARE) & (spread > 0)
    start = float(logit(design.figure[rows].mean()))
    size = int(used.sum())
    return Fit(used, mean[used], spread[used], start, np.zeros(size), np.zeros((size, size)), 0.0, 0.0, 0.0)


def _linearise(design: Design, scores: FloatArray, standard: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each authority's mean, its derivative by each coefficient, and by a shift of all of its LSOAs."""
    shares = expit(scores)
    bend = design.weight * shares * (1 - shares)
    return design.sum_up(design.weight * shares), design.sum_up(bend[:, None] * standard), design.sum_up(bend)


def _make_loss(
    target: FloatArray, sampling: FloatArray, parts: tuple[FloatArray, ...]
) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Make the negative log likelihood of three log variances, restricted for the intercept, and its gradient."""
    ones = np.ones(len(target))

    def lose(logs: FloatArray) -> tuple[float, FloatArray]:
        variances = np.exp(logs)
        total = sum((size * part for size, part in zip(variances, parts, strict=True)), np.diag(sampling))
        factor = cho_factor(total, lower=True)
        half = np.tril(dpotri(factor[0], lower=True)[0])  # a third of the time of solving for the unit matrix
        inverse = half + np.tril(half, -1).T
        row = inverse @ ones
        reach = row @ ones
        off = inverse @ target - row * (row @ target) / reach
        loss = np.log(np.diag(factor[0])).sum() + (target @ off + np.log(reach)) / 2
        projected = inverse - np.outer(row, row) / reach
        slope = [((projected * part).sum() - off @ part @ off) / 2 for part in parts]
        return float(loss), np.array(slope) * variances

    return lose


def _solve(
    fit: Fit,
    target: FloatArray,
    pulled: FloatArray,
    sampling: FloatArray,
    parts: tuple[FloatArray, ...],
    variances: FloatArray,
) -> Fit:
    """Return the fit with the likeliest intercept and coefficients for given variances."""
    total = sum((size * part for size, part in zip(variances, parts, strict=True)), np.diag(sampling))
    factor = cho_factor(total, lower=True)
    row = cho_solve(factor, np.ones(len(target)))
    intercept = float(row @ target / row.sum())
    coefficients = variances[0] * pulled.T @ cho_solve(factor, target - intercept)
    covariance = variances[0] * (np.eye(len(coefficients)) - variances[0] * pulled.T @ cho_solve(factor, pulled))
    return Fit(fit.used, fit.centre, fit.spread, intercept, coefficients, covariance, *map(float, variances))
