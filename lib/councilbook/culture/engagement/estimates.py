"""Estimates of a council's small areas that add up to the published figure, with all that is not sure about them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from councilbook.culture.engagement.frame import Frame
from councilbook.culture.engagement.model import Design, Fit, FloatArray, IntArray
from councilbook.errors import CheckError

DRAWS = 1_000


@dataclass(frozen=True)
class Estimates:
    """A council's LSOAs.

    Attributes:
        areas: see the dataset culture_engagement, which it has the columns of.
        council_pct: the council's share of adults, as published.
        not_engaged: adults who neither attend nor take part: the number, and the ends of its 95% interval.
        gap: how far the sum of the LSOAs is from the published figures, the largest of the council's authorities.
    """

    areas: pd.DataFrame
    council_pct: float
    not_engaged: tuple[float, float, float]
    gap: float


def assume_within(frame: Frame, design: Design, fit: Fit, explained: float) -> float:
    """Return the standard deviation, of the logit, that LSOAs of an authority are taken to have beyond the census.

    Figures of authorities cannot show it. It is assumed that the census explains the same share of the differences
    between LSOAs of an authority as it does of those between authorities.

    Args:
        explained: that share; see `checks.find_explained`.
    """
    scores = fit.score(design.known)
    centre = design.sum_up(design.weight * scores)[design.authority]
    spread = float(np.sqrt(np.average((scores - centre) ** 2, weights=frame.areas["adults"])))
    return spread * float(np.sqrt((1 - explained) / explained))


def spread_england(design: Design, fit: Fit) -> FloatArray:
    """Return the share of each LSOA of England, so shifted that each authority adds up to its published figure."""
    scores = fit.score(design.known)
    shift = np.zeros(len(design.figure))
    shares: FloatArray = expit(scores)
    for _ in range(30):
        bend = design.sum_up(design.weight * shares * (1 - shares))
        shift += (design.figure - design.sum_up(design.weight * shares)) / bend
        shares = np.asarray(expit(scores + shift[design.authority]))
    return shares


def estimate_areas(
    frame: Frame,
    figures: pd.DataFrame,
    design: Design,
    fit: Fit,
    lsoas: set[str],
    called: dict[str, str],
    within: float,
    rng: np.random.Generator,
) -> Estimates:
    """Estimate a council's LSOAs.

    Each draw takes coefficients from what the fit leaves open, a figure of each authority from what its sample leaves
    open, and for each LSOA a difference beyond the census. It is then shifted to add up to that figure.

    Args:
        frame, figures, design: England.
        fit: to all authorities.
        lsoas: codes of the council's LSOAs of 2021.
        called: what people call a neighbourhood, by the name of its MSOA; empty where that is not known.
        within: see `assume_within`.
        rng: what the draws are made with.

    Raises:
        CheckError: none of the LSOAs is in the frame.
    """
    is_own = frame.areas["lsoa21_code"].isin(lsoas).to_numpy()
    if not is_own.any():
        raise CheckError("None of the council's LSOAs is in the census tables; expected those of all England.")
    shares = spread_england(design, fit)
    parts, order = [], []
    for number in np.unique(design.authority[is_own]):
        rows = np.flatnonzero(design.authority == number)
        part = _draw_authority(design, fit, rows, number, within, rng)
        parts.append(part[:, is_own[rows]])
        order.append(rows[is_own[rows]])
    drawn, rows = np.concatenate(parts, axis=1), np.concatenate(order)
    rising = np.argsort(rows)
    drawn, rows = drawn[:, rising], rows[rising]
    adults = frame.areas["adults"].to_numpy(float)[rows]
    mean = drawn @ adults / adults.sum()
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    ranks = np.quantile(drawn.argsort(axis=1).argsort(axis=1) + 1, [0.025, 0.975], axis=0, method="nearest")
    own = frame.areas.iloc[rows][["lsoa21_code", "lsoa21_name", "lad19_code", "imd_decile", "adults"]]
    areas = own.assign(
        lad19_name=own["lad19_code"].map(figures.set_index("lad19_code")["lad19_name"]),
        neighbourhood=own["lsoa21_name"].str[:-1].map(called),
        engaged_pct=100 * shares[rows],
        engaged_low_pct=100 * np.minimum(low, shares[rows]),
        engaged_high_pct=100 * np.maximum(high, shares[rows]),
        not_engaged_adults=adults * (1 - shares[rows]),
        below_council_chance=(drawn < mean[:, None]).mean(axis=0),
        rank_low=ranks[0].astype("int64"),
        rank_high=ranks[1].astype("int64"),
    ).reset_index(drop=True)
    ends = np.quantile(mean, [0.025, 0.975])
    gaps = np.abs(design.sum_up(design.weight * shares) - design.figure)[np.unique(design.authority[rows])]
    council = float(areas["engaged_pct"] @ adults / adults.sum())
    least, most = (float(adults.sum() * (1 - end)) for end in ends[::-1])
    missing = (float(areas["not_engaged_adults"].sum()), least, most)
    return Estimates(areas, council, missing, float(gaps.max()))


def _draw_authority(
    design: Design, fit: Fit, rows: IntArray, number: int, within: float, rng: np.random.Generator
) -> FloatArray:
    """Draw the shares of one authority's LSOAs: a row a draw."""
    known, weight = design.known[rows], design.weight[rows]
    size = len(fit.coefficients)
    root = np.linalg.cholesky(fit.covariance + 1e-12 * np.eye(size))
    off = rng.normal(size=(DRAWS, size)) @ root.T @ fit.standardise(known).T
    scores = fit.score(known) + off + rng.normal(0, within, (DRAWS, len(rows)))
    figure = design.figure[number]
    spread = 1 / np.sqrt(design.returns[number] * figure * (1 - figure))
    target = expit(logit(figure) + rng.normal(0, spread, DRAWS))
    shift = np.zeros(DRAWS)
    for _ in range(10):
        shares = expit(scores + shift[:, None])
        shift += (target - shares @ weight) / ((shares * (1 - shares)) @ weight)
    drawn: FloatArray = expit(scores + shift[:, None])
    return drawn
