"""Fuel poverty estimated for postcodes, from open data alone.

The official figures stop at LSOAs of some 700 households. Below them the census says, for output areas of some 130,
how many households are deprived and what homes they live in. A binomial model of the official figures on these is
fitted where they are published, predicted for output areas, and benchmarked: in each published area the log odds are
shifted by one number, so that the expected households add up to the official figure.

What is known of whole LSOAs only (who lives together, domains of deprivation) cannot move homes within one. With it in
the model, the slopes of what output areas tell are those at equal income, which differs within an LSOA too, unseen; so
the estimates are made without it. `trials` holds the method against published figures: of the parts of areas that were
split in 2021, and of the areas of neighbourhoods.

Three limits. The official figures are themselves modelled, and their own error is nowhere in the intervals. What the
model cannot see is taken to grow from areas to output areas by as much as from neighbourhoods to areas. And open data
do not tell the postcodes of one output area apart: they share one rate, and the output area's households are spread
evenly over them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.prediction import Scale, make_binomial
from councilbook.fuel_poverty.postcodes.bands import weigh_bands
from councilbook.fuel_poverty.postcodes.covariates import OA_COVARIATES, list_known, list_known_below
from councilbook.methods.sharing import share_out

DRAWS = 200
AREAS_A_COEFFICIENT = 4
FEWEST_TO_FIT = AREAS_A_COEFFICIENT * (len(OA_COVARIATES) + 1)  # areas
SHIFTS = 100  # at most; halving alone needs some fifty
TOLERANCE = 1e-10  # households
LEVEL = 0.95  # of the intervals
EDGE = 1e-14  # stands for a published share of none or all, whose log odds are infinite

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RatesModel:
    """Log odds of fuel poverty, linear in standardised covariates.

    Attributes:
        scale: of the covariates that vary, over the areas it was fitted to.
        coefficients, covariance: the last is the constant; the covariance allows for overdispersion.
        spread: standard deviation of the areas' log odds around the fitted ones, weighted by households.
    """

    scale: Scale
    coefficients: Numbers
    covariance: Numbers
    spread: float

    @classmethod
    def fit(cls, areas: pd.DataFrame, covariates: list[str]) -> "RatesModel":
        """Fit it to the fuel-poor households of areas; a covariate that does not vary is left out."""
        scale = Scale.of(areas, covariates)
        glm = make_binomial(areas, scale).fit(scale="X2")
        coefficients = np.asarray(glm.params)
        poor, households = areas["fuel_poor_households"], areas["households"]
        log_odds = logit((poor + 0.5) / (households + 1))  # defined where the published figure is none or all
        spread = np.sqrt(np.average((log_odds - scale.design(areas) @ coefficients) ** 2, weights=households))
        return cls(scale, coefficients, np.asarray(glm.cov_params()), float(spread))

    def design(self, rows: pd.DataFrame) -> Numbers:
        """Standardise, and add the constant."""
        return self.scale.design(rows).to_numpy(dtype="float64")

    def expect(self, rows: pd.DataFrame) -> Numbers:
        """Return the rate that it expects of each row, in percent."""
        rates: Numbers = 100 * expit(self.design(rows) @ self.coefficients)
        return rates


def fit_and_estimate(
    output_areas: pd.DataFrame,
    areas: pd.DataFrame,
    *,
    seed: int,
    draws: int = DRAWS,
    spread: float | None = None,
    widened_by: float = 1.0,
    covariates: list[str] | None = None,
) -> pd.DataFrame:
    """Fit the model to the official figures, and estimate each output area's rate in agreement with them.

    The interval is made of two things: the coefficients (normal, their covariance scaled by Pearson's chi squared over
    its degrees of freedom; McCullagh and Nelder 1989, 4.5), and what the covariates do not tell of an output area.
    The second cannot be seen in open data. It is assumed to be normal in the log odds, and so many times as wide as the
    areas' residuals as `score_within` found a level up. Each draw is benchmarked like the estimate, so an area of one
    output area has no width at all: the error of the official figure is not part of it. The interval is that of a rate,
    not of a count of homes.

    Args:
        output_areas: from `prepare_output_areas`.
        areas: from `prepare_areas`.
        seed: of the draws.
        draws: how many.
        spread: standard deviation of output areas of equal covariates, in log odds; by default the areas' residual one.
        widened_by: factor of that standard deviation; the estimates do not depend on it.
        covariates: what is known of output areas; by default `list_known_below`. With fewer than four areas for each
            coefficient, `OA_COVARIATES` alone are used.

    Returns:
        oa21_code, lsoa21_code, area_code, households, fuel_poor_pct, fuel_poor_households (expected), low_95, high_95
        (percent), expected_band and highest_band_chance_pct (see `bands.weigh_bands`), sorted by area and output area.
        Within each area the expected households add up to the official.

    Raises:
        CheckError: there are fewer areas than FEWEST_TO_FIT, or an output area lies in none of them.
    """
    rows = output_areas.sort_values(["area_code", "oa21_code"], ignore_index=True)
    known = add_means(rows, areas)
    _check_known(rows, known)
    covariates = list_known_below(rows) if covariates is None else covariates
    is_enough = len(known) >= AREAS_A_COEFFICIENT * (len(covariates) + 1)
    model = RatesModel.fit(known, covariates if is_enough else OA_COVARIATES)
    design = model.design(rows)
    members, codes = pd.factorize(rows["area_code"])
    poor = known.set_index("area_code")["fuel_poor_households"].reindex(codes).to_numpy(dtype="float64")
    households = rows["households"].to_numpy(dtype="float64")

    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(model.coefficients, model.covariance, size=draws, method="eigh")
    wide = widened_by * (model.spread if spread is None else spread)
    unexplained = rng.normal(0, wide, (draws, len(rows)))
    rates = benchmark_rates((design @ model.coefficients)[None, :], households, members, poor)[0]
    drawn_rates = benchmark_rates(drawn @ design.T + unexplained, households, members, poor)
    limits = np.quantile(drawn_rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    expected_band, chance = weigh_bands(drawn_rates, households)
    return rows[["oa21_code", "lsoa21_code", "area_code", "households"]].assign(
        fuel_poor_pct=100 * rates,
        fuel_poor_households=households * rates,
        low_95=100 * limits[0],
        high_95=100 * limits[1],
        expected_band=expected_band,
        highest_band_chance_pct=chance,
    )


def estimate_postcodes(postcodes: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Bring the output areas' estimates to their postcodes.

    Open data do not tell the postcodes of one output area apart: all have its rate and its interval, and its
    households are shared out evenly in whole numbers, though postcodes differ in size and some are of businesses only.

    Args:
        postcodes: postcode, oa21_code, lsoa21_code; each postcode once.
        estimates: from `fit_and_estimate`.

    Returns:
        postcode, oa21_code, lsoa21_code, households, fuel_poor_pct, fuel_poor_households (expected; they add up to the
        official figure of each published area), low_95, high_95 (of the percentage), expected_band and
        highest_band_chance_pct; sorted by postcode. A postcode whose output area has no estimate has no row.
    """
    rates = estimates.drop(columns=["lsoa21_code", "area_code", "fuel_poor_households"])
    rows = postcodes[["postcode", "oa21_code", "lsoa21_code"]].merge(rates, on="oa21_code", validate="many_to_one")
    rows = rows.sort_values("postcode", ignore_index=True)
    parts = pd.factorize(rows["oa21_code"])[0]
    rows["households"] = share_out(rows["households"].groupby(parts).first(), np.ones(len(rows)), parts)
    rows.insert(5, "fuel_poor_households", rows["households"] * rows["fuel_poor_pct"] / 100)
    return rows


def _check_known(output_areas: pd.DataFrame, areas: pd.DataFrame) -> None:
    lost = output_areas.loc[~output_areas["area_code"].isin(areas["area_code"]), "area_code"]
    if len(lost):
        raise CheckError(
            f"{len(lost)} of {len(output_areas):,} output areas lie in areas without an official figure, as "
            f"{lost.iloc[0]}; expected one for each."
        )
    if len(areas) < FEWEST_TO_FIT:
        raise CheckError(
            f"{len(areas)} areas are too few for a model of {len(OA_COVARIATES)} covariates (at least "
            f"{FEWEST_TO_FIT}). Join the council with its neighbours: give their codes joined by +."
        )


def add_means(output_areas: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Give each published area the means of its output areas, weighted by households, and its place."""
    columns = [*list_known(output_areas), "latitude", "longitude"]
    weights, groups = output_areas["households"], output_areas["area_code"]
    sums = output_areas[columns].mul(weights, axis=0).groupby(groups).sum(min_count=1)
    means = sums.div(weights.groupby(groups).sum(), axis=0)
    return areas.merge(means, left_on="area_code", right_index=True, validate="one_to_one")


def benchmark_rates(log_odds: Numbers, households: Numbers, members: npt.NDArray[np.intp], poor: Numbers) -> Numbers:
    """Shift each area's log odds by one number, so that its expected households are the official ones.

    Newton's steps on the logit of an area's rate, halving the bracket instead where a step would leave it.

    Args:
        log_odds: a row a draw, a column an output area; those of one area side by side.
        households: of each output area.
        members: the number of each output area's area, ascending.
        poor: each area's official fuel-poor households.

    Returns:
        The rates, as `log_odds`.
    """
    starts = np.flatnonzero(np.diff(members, prepend=-1))
    totals = np.add.reduceat(households, starts)
    target = logit(np.clip(poor / totals, EDGE, 1 - EDGE))
    low = target - np.maximum.reduceat(log_odds, starts, axis=1)
    high = target - np.minimum.reduceat(log_odds, starts, axis=1)
    shift = (low + high) / 2
    for _ in range(SHIFTS):
        rates: Numbers = expit(log_odds + shift[:, members])
        expected = np.add.reduceat(households * rates, starts, axis=1)
        if np.abs(expected - poor).max() <= TOLERANCE:
            break
        share = np.clip(expected / totals, EDGE, 1 - EDGE)
        over = logit(share) - target
        low, high = np.where(over < 0, shift, low), np.where(over > 0, shift, high)
        slope = np.add.reduceat(households * rates * (1 - rates), starts, axis=1) / (totals * share * (1 - share))
        step = shift - over / np.maximum(slope, EDGE)
        shift = np.where((step >= low) & (step <= high), step, (low + high) / 2)
    return rates
