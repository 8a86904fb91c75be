"""Fuel poverty estimated for postcodes, from open data alone.

The official figures stop at LSOAs of some 700 households. Below them the census says, for output areas of some 130,
how many households are deprived and what homes they live in. A binomial model of the official figures on these is
fitted where they are published, predicted for output areas, and benchmarked: in each published area the log odds are
shifted by one number, so that the expected households add up to the official figure.

Whatever is known of whole LSOAs only (tenure, heating, composition, domains of deprivation) cannot move homes within
one. With it in the model, the slopes of what output areas tell are those at equal tenure and income, which differ
within an LSOA too, unseen; so the estimates are made without it. `score_within` tries the method a level up, where the
truth is published, and says by how much the intervals have to be widened to hold it. The full model foretells whole
areas: `score_left_out` says how well.

Three limits. The official figures are themselves modelled, and their own error is nowhere in the intervals. What goes
with fuel poverty between areas is taken to go with it within them as well, and what the model cannot see to grow from
areas to output areas by as much as from neighbourhoods to areas. And open data do not tell the postcodes of one output
area apart: they share one rate, and the output area's households are spread evenly over them.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import spearmanr
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.official import AREAS_RANKED
from councilbook.fuel_poverty.areas.prediction import split_areas
from councilbook.sources.geography import LSOA_COLUMNS, match_common_areas

# Beside these the ONS supergroups were tried. Some stand in one or two districts only, and with them the districts
# left out were foretold worse: variance explained in Kent and Medway, 2019, was 65% with them and 80% without.
OA_COVARIATES = ["deprived_dimensions_pct", "detached_pct", "semi_detached_pct", "terraced_pct", "converted_flat_pct"]
TENURES = ["owned_outright", "social_rented", "private_rented"]
HEATINGS = ["no_heating", "electric_heating", "oil_heating"]
COMPOSITIONS = [
    "one_person_66_plus",
    "one_person_other",
    "family_66_plus",
    "couple_dependent_children",
    "lone_parent_dependent_children",
    "other",
]
DOMAINS = ["income", "health", "living_environment", "barriers"]
LSOA_COVARIATES = [
    *(f"{name}_pct" for name in TENURES + HEATINGS),
    *(f"{name}_households_pct" for name in COMPOSITIONS),
    *(f"{name}_deprivation_pct" for name in DOMAINS),
    "rural_pct",
    "village_pct",
]
COVARIATES = OA_COVARIATES + LSOA_COVARIATES
DIMENSIONS = 4  # of deprivation, in the census table TS011: education, employment, health, housing
DRAWS = 200
FEWEST_TO_FIT = 4 * (len(OA_COVARIATES) + 1)  # areas; four for each coefficient
SHIFTS = 100  # at most; halving alone needs some fifty
TOLERANCE = 1e-10  # households
LEVEL = 0.95  # of the intervals
WIDENINGS = tuple(round(1 + step / 10, 1) for step in range(31))  # 1.0 to 4.0
WIDE_ENOUGH = 0.99  # of a trial's areas in their intervals: no part of it wants a wider one
UNTRIED_WIDENING = 1.6  # amid what Kent and Medway (1.3 to 1.5) and County Durham (1.6 to 1.9) ask for, 2019 to 2022
EDGE = 1e-14  # stands for a published share of none or all, whose log odds are infinite
IMD_ALONE = "IMD alone"
MODELS = {"Output-area covariates": OA_COVARIATES, "All covariates": COVARIATES}

Numbers = npt.NDArray[np.float64]


# --- what is known ---


def prepare_areas(
    fuel_poor: pd.DataFrame, imd: pd.DataFrame, lookup: pd.DataFrame, earlier: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Bring one year's official figures to the areas that they are modelled and benchmarked at.

    Those are the LSOAs of 2021 if the figures are; for figures by LSOA 2011, the common areas of
    `geography.match_common_areas`, so that nothing is apportioned.

    Args:
        fuel_poor: lsoa_code, households, fuel_poor_households.
        imd: lsoa11_code, imd_rank.
        lookup: rows of the exact fit lookup: lsoa11_code, lsoa21_code, lad22_code.
        earlier: the figures of the year before, if they are of the same measure; either census's LSOAs.

    Returns:
        area_code, lad22_code, households, fuel_poor_households, fuel_poor_pct, deprivation_pct (mean IMD rank, 100 is
        the most deprived), and earlier_pct if `earlier` is given (of another census: the common area's).

    Raises:
        CheckError: an LSOA is not in the lookup.
    """
    vintage = _find_vintage(fuel_poor, lookup)
    pairs = _pair_areas(lookup, vintage)
    areas = _sum_counts(fuel_poor, pairs, vintage, "area_code").reset_index()
    areas["lad22_code"] = areas["area_code"].map(pairs.groupby("area_code")["lad22_code"].first())
    areas["fuel_poor_pct"] = 100 * areas["fuel_poor_households"] / areas["households"]
    ranks = pairs.drop_duplicates(["area_code", "lsoa11_code"]).merge(imd, on="lsoa11_code")
    means = ranks.groupby("area_code")["imd_rank"].mean()
    areas["deprivation_pct"] = 100 - 100 * areas["area_code"].map(means) / AREAS_RANKED
    if earlier is not None:
        before = _find_vintage(earlier, lookup)
        level = "area_code" if before == vintage else "common_code"
        sums = _sum_counts(earlier, pairs, before, level)
        level_of = pairs.drop_duplicates("area_code").set_index("area_code", drop=False)[level]
        shares = 100 * sums["fuel_poor_households"] / sums["households"]
        areas["earlier_pct"] = areas["area_code"].map(level_of).map(shares)
    return areas


def prepare_output_areas(
    postcodes: pd.DataFrame,
    oa_deprivation: pd.DataFrame,
    oa_accommodation: pd.DataFrame,
    tenure: pd.DataFrame,
    heating: pd.DataFrame,
    composition: pd.DataFrame,
    domains: pd.DataFrame,
    classification: pd.DataFrame,
    fuel_poor: pd.DataFrame,
    lookup: pd.DataFrame,
) -> pd.DataFrame:
    """Describe each output area that has a postcode.

    Args:
        postcodes: postcode, oa21_code, lsoa21_code, latitude, longitude.
        oa_deprivation, oa_accommodation: census counts by output area.
        tenure, heating, composition: census counts by LSOA 2021.
        domains, classification: by LSOA 2011; an LSOA of 2021 has the mean of those it came from.
        fuel_poor: lsoa_code, households, fuel_poor_households.
        lookup: rows of the exact fit lookup.

    Returns:
        oa21_code, lsoa21_code, area_code (see `prepare_areas`), latitude, longitude (mean of its postcodes),
        households, and COVARIATES in percent. The households are the published area's, shared out by the census
        counts, so that rates are of the official number of households. A published area without a postcode has no row.

    Raises:
        CheckError: an LSOA is not in the lookup, or an output area has no census counts.
    """
    vintage = _find_vintage(fuel_poor, lookup)
    pairs = _pair_areas(lookup, vintage)
    places = postcodes.groupby("oa21_code").agg(
        lsoa21_code=("lsoa21_code", "first"), latitude=("latitude", "mean"), longitude=("longitude", "mean")
    )
    places["area_code"] = places["lsoa21_code"].map(
        pairs.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["area_code"]
    )
    published = _sum_counts(fuel_poor, pairs, vintage, "area_code")["households"]
    places = places[places["area_code"].isin(published.index)]
    described = places.join(_describe_census(oa_deprivation, oa_accommodation))
    if (lost := described["census_households"].isna()).any():
        raise CheckError(
            f"{lost.sum()} of {len(described):,} output areas of the postcode directory have no census counts, as "
            f"{described.index[lost][0]}; expected a row for each in both census tables."
        )
    described["households"] = _share_out(
        described["area_code"].map(published), described["census_households"], described["area_code"]
    )
    described = described.join(
        _describe_lsoas(tenure, heating, composition, domains, classification, pairs), "lsoa21_code"
    )
    identity = ["oa21_code", "lsoa21_code", "area_code", "latitude", "longitude", "households"]
    return described.reset_index()[identity + COVARIATES]


def _find_vintage(fuel_poor: pd.DataFrame, lookup: pd.DataFrame) -> int:
    """Return the census that the codes are of; the later if none of the areas changed."""
    codes = fuel_poor["lsoa_code"]
    vintage = max(sorted(LSOA_COLUMNS, reverse=True), key=lambda year: codes.isin(lookup[LSOA_COLUMNS[year]]).sum())
    lost = codes[~codes.isin(lookup[LSOA_COLUMNS[vintage]])]
    if len(lost):
        raise CheckError(
            f"{len(lost)} of {len(codes):,} fuel poverty figures are of no LSOA of {vintage} of this council, "
            f"as {lost.iloc[0]}; expected all to be of one census and in the lookup."
        )
    return vintage


def _pair_areas(lookup: pd.DataFrame, vintage: int) -> pd.DataFrame:
    """Give each row of the lookup its area_code and its common_code."""
    pairs = match_common_areas(lookup).rename(columns={"area_code": "common_code"})
    pairs["area_code"] = pairs["common_code"] if vintage == 2011 else pairs["lsoa21_code"]
    return pairs.assign(lad22_code=lookup["lad22_code"].to_numpy())


def _sum_counts(fuel_poor: pd.DataFrame, pairs: pd.DataFrame, vintage: int, level: str) -> pd.DataFrame:
    key = LSOA_COLUMNS[vintage]
    codes = fuel_poor["lsoa_code"].map(pairs.drop_duplicates(key).set_index(key, drop=False)[level])
    return fuel_poor.groupby(codes.rename(level))[["households", "fuel_poor_households"]].sum()


def _describe_census(oa_deprivation: pd.DataFrame, oa_accommodation: pd.DataFrame) -> pd.DataFrame:
    deprived, homes = oa_deprivation.set_index("oa21_code"), oa_accommodation.set_index("oa21_code")
    sums = sum(number * deprived[f"deprived_{number}_households"] for number in range(1, DIMENSIONS + 1))
    described = pd.DataFrame({"deprived_dimensions_pct": 100 * sums / DIMENSIONS / deprived["households"]})
    for column in OA_COVARIATES[1:]:
        described[column] = 100 * homes[column.replace("_pct", "_households")] / homes["households"]
    return described.assign(census_households=deprived["households"].where(homes["households"] > 0))


def _describe_lsoas(
    tenure: pd.DataFrame,
    heating: pd.DataFrame,
    composition: pd.DataFrame,
    domains: pd.DataFrame,
    classification: pd.DataFrame,
    pairs: pd.DataFrame,
) -> pd.DataFrame:
    """Return LSOA_COVARIATES by LSOA 2021."""
    described = pd.DataFrame(index=pd.Index(pairs["lsoa21_code"].unique(), name="lsoa21_code"))
    for table, total, names, unit in (
        (tenure, "tenure_households", TENURES, "pct"),
        (heating, "heating_households", HEATINGS, "pct"),
        (composition, "households", COMPOSITIONS, "households_pct"),
    ):
        counts = table.set_index("lsoa21_code")
        for name in names:
            described[f"{name}_{unit}"] = 100 * counts[f"{name}_households"] / counts[total]
    old = domains.merge(classification, on="lsoa11_code", how="outer")
    kind = old["rural_urban_code"].str[0]
    old["rural_pct"] = 100.0 * kind.isin(["D", "E", "F"])  # Rural-Urban Classification 2011
    old["village_pct"] = 100.0 * kind.isin(["E", "F"])  # all but town and fringe
    for name in DOMAINS:
        old[f"{name}_deprivation_pct"] = 100 - 100 * old[f"{name}_rank"] / AREAS_RANKED
    covariates = [column for column in LSOA_COVARIATES if column in old]
    means = pairs.merge(old, on="lsoa11_code").groupby("lsoa21_code")[covariates].mean()
    return described.join(means)


def _share_out(totals: pd.Series, weights: pd.Series, groups: pd.Series) -> pd.Series:
    """Share out each group's total over its rows in whole numbers, by largest remainder.

    Args:
        totals: the total of the row's group.
        weights: each row's weight in its group.
        groups: each row's group.
    """
    exact = totals * weights / weights.groupby(groups).transform("sum")
    shares = exact // 1
    left = totals - shares.groupby(groups).transform("sum")
    place = (exact - shares).groupby(groups).rank(method="first", ascending=False)
    shared: pd.Series = (shares + (place <= left)).astype("int64")
    return shared


# --- the model ---


@dataclass(frozen=True)
class _Model:
    """Log odds of fuel poverty, linear in standardised covariates.

    Attributes:
        centre, scale, median: of the covariates that vary, over the areas it was fitted to.
        coefficients, covariance: the last is the constant; the covariance allows for overdispersion.
        spread: standard deviation of the areas' log odds around the fitted ones, weighted by households.
    """

    centre: pd.Series
    scale: pd.Series
    median: pd.Series
    coefficients: Numbers
    covariance: Numbers
    spread: float

    @classmethod
    def fit(cls, areas: pd.DataFrame, covariates: list[str]) -> "_Model":
        scale = areas[covariates].std()
        scale = scale[scale > 0]  # the others would make the design singular
        known = areas[scale.index]
        poor, households = areas["fuel_poor_households"], areas["households"]
        unfitted = cls(known.mean(), scale, known.median(), np.empty(0), np.empty((0, 0)), 0.0)
        design = unfitted.design(areas)
        glm = GLM(np.c_[poor, households - poor], design, family=Binomial()).fit(scale="X2")
        coefficients = np.asarray(glm.params)
        log_odds = logit((poor + 0.5) / (households + 1))  # defined where the published figure is none or all
        spread = np.sqrt(np.average((log_odds - design @ coefficients) ** 2, weights=households))
        return cls(unfitted.centre, scale, unfitted.median, coefficients, np.asarray(glm.cov_params()), float(spread))

    def design(self, rows: pd.DataFrame) -> Numbers:
        """Standardise, and add the constant; a missing value is taken as the median."""
        filled = (rows[self.scale.index].fillna(self.median) - self.centre) / self.scale
        design: Numbers = np.c_[filled.to_numpy(dtype="float64"), np.ones(len(rows))]
        return design

    def expect(self, rows: pd.DataFrame) -> Numbers:
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

    Returns:
        oa21_code, lsoa21_code, area_code, households, fuel_poor_pct, fuel_poor_households (expected), low_95, high_95
        (percent), sorted by area and output area. Within each area the expected households add up to the official.

    Raises:
        CheckError: there are fewer areas than FEWEST_TO_FIT, or an output area lies in none of them.
    """
    rows = output_areas.sort_values(["area_code", "oa21_code"], ignore_index=True)
    known = _add_means(rows, areas)
    _check_known(rows, known)
    model = _Model.fit(known, OA_COVARIATES)
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
    return rows[["oa21_code", "lsoa21_code", "area_code", "households"]].assign(
        fuel_poor_pct=100 * rates,
        fuel_poor_households=households * rates,
        low_95=100 * limits[0],
        high_95=100 * limits[1],
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
        official figure of each published area), low_95, high_95 (of the percentage); sorted by postcode. A postcode
        whose output area has no estimate has no row.

    Raises:
        CheckError: a postcode has two rows.
    """
    if (twice := postcodes["postcode"].duplicated()).any():
        raise CheckError(f"{twice.sum()} postcodes have more than one row, the first again in row {twice.idxmax()}.")
    rates = estimates.drop(columns=["lsoa21_code", "area_code", "fuel_poor_households"])
    rows = postcodes[["postcode", "oa21_code", "lsoa21_code"]].merge(rates, on="oa21_code", validate="many_to_one")
    rows = rows.sort_values("postcode", ignore_index=True)
    even = pd.Series(1.0, index=rows.index)
    rows["households"] = _share_out(rows["households"], even, rows["oa21_code"])
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


def _add_means(output_areas: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Give each published area the means of its output areas, weighted by households, and its place."""
    columns = [*COVARIATES, "latitude", "longitude"]
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


# --- how good it is ---


def score_left_out(output_areas: pd.DataFrame, areas: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Score models of whole areas where they have not looked: in parts of the council that were left out.

    The parts are those of `model.split_areas`: districts, or compact parts of a council with fewer than three.

    Args:
        output_areas: from `prepare_output_areas`.
        areas: from `prepare_areas`; with earlier_pct, last year's figures are scored as well.
        seed: of the compact parts.

    Returns:
        A row a model or baseline: model, kind, held_out, folds, areas, rmse_pct, mae_pct, variance_explained_pct
        (against the mean over all areas), rank_correlation (missing where predictions do not differ within a part),
        gain_over_imd_pct (share of the variance left by IMD alone that this explains); areas weighted by households.
    """
    means = _add_means(output_areas, areas)
    places = gpd.points_from_xy(means["longitude"], means["latitude"], crs=4326)
    known = gpd.GeoDataFrame(means, geometry=places)
    folds = split_areas(known, seed)
    expected = _predict_left_out(known, folds.labels)
    if "earlier_pct" in known:
        expected["Last published year"] = known["earlier_pct"]
    published, weights = known["fuel_poor_pct"], known["households"]
    squared = {name: np.average((expected[name] - published) ** 2, weights=weights) for name in expected}
    variance = np.average((published - np.average(published, weights=weights)) ** 2, weights=weights)
    parts = folds.labels.nunique()
    rows = [
        {
            "model": name,
            "kind": "model" if name in MODELS else "baseline",
            "held_out": folds.name,
            "folds": parts,
            "areas": len(known),
            "rmse_pct": np.sqrt(squared[name]),
            "mae_pct": np.average((expected[name] - published).abs(), weights=weights),
            "variance_explained_pct": 100 * (1 - squared[name] / variance),
            "rank_correlation": spearmanr(expected[name], published).statistic
            if expected[name].nunique() > parts
            else np.nan,
            "gain_over_imd_pct": 100 * (1 - squared[name] / squared[IMD_ALONE]),
        }
        for name in expected
    ]
    return pd.DataFrame(rows).round(3)


def _predict_left_out(areas: pd.DataFrame, parts: pd.Series) -> pd.DataFrame:
    expected = pd.DataFrame(index=areas.index, columns=["District mean", IMD_ALONE, *MODELS], dtype="float64")
    for part in sorted(parts.unique()):
        left_out = parts == part
        train, rest = areas[~left_out], areas[left_out]
        expected.loc[left_out, "District mean"] = 100 * train["fuel_poor_households"].sum() / train["households"].sum()
        for name, covariates in {IMD_ALONE: ["deprivation_pct"], **MODELS}.items():
            expected.loc[left_out, name] = _Model.fit(train, covariates).expect(rest)
    return expected


def score_within(
    output_areas: pd.DataFrame, areas: pd.DataFrame, lookup: pd.DataFrame, seed: int
) -> dict[str, float | str]:
    """Try the estimates a level up: neighbourhoods (MSOAs) stand for the published areas, areas for output areas.

    Fit and benchmark know the sums of neighbourhoods only; what comes out is held against the areas' official figures.
    Areas differ more than neighbourhoods do, so intervals as wide as the neighbourhoods' residuals hold too few. By how
    much the standard deviation has to grow until they hold 95% is found as in split conformal prediction (Lei, G'Sell,
    Rinaldo, Tibshirani and Wasserman 2018, Journal of the American Statistical Association 113, 1094-1111), with the
    factor in place of the residual. Areas of one neighbourhood are not exchangeable with others, so no coverage is
    guaranteed: it is measured in each part of the council (`model.split_areas`) with the factor that all others want.

    Args:
        output_areas: from `prepare_output_areas`.
        areas: from `prepare_areas`.
        lookup: rows of the exact fit lookup, with lsoa21_name: a neighbourhood is what precedes its last letters.
        seed: of the draws, and of the compact parts.

    Returns:
        neighbourhoods, areas, variance_explained_pct (of that between areas of one neighbourhood, weighted by
        households; 0 is no better than giving all the neighbourhood's rate), covered_pct (areas whose official share
        lies in its interval as it comes, of those in neighbourhoods of several), widened_by (factor that all parts
        together ask for, in tenths, 1 or more), held_out (what the parts are), covered_held_out_pct (areas in their
        widened intervals, none of them looked at for the factor). Where there are fewer neighbourhoods than
        FEWEST_TO_FIT the shares are missing, held_out is empty, and widened_by is UNTRIED_WIDENING.
    """
    known = _name_neighbourhoods(output_areas, areas, lookup)
    above = known.groupby("neighbourhood", as_index=False)[["households", "fuel_poor_households"]].sum()
    if len(above) < FEWEST_TO_FIT:
        shares = dict.fromkeys(("variance_explained_pct", "covered_pct", "covered_held_out_pct"), np.nan)
        counts = {"neighbourhoods": len(above), "areas": len(known)}
        return {**counts, **shares, "widened_by": UNTRIED_WIDENING, "held_out": ""}
    several = known.groupby("neighbourhood")["area_code"].transform("size") > 1
    tried, covered = _try_widenings(known, above, several, seed)
    places = gpd.points_from_xy(known["longitude"], known["latitude"], crs=4326)
    folds = split_areas(gpd.GeoDataFrame(known, geometry=places), seed)
    parts = folds.labels.groupby(known["neighbourhood"]).transform("first")[several]  # no part cuts a neighbourhood
    held_out = [covered.loc[parts == part, find_widening(covered[parts != part])] for part in sorted(parts.unique())]
    official, weights, groups = (known.loc[several, name] for name in ("fuel_poor_pct", "households", "neighbourhood"))
    flat = (official * weights).groupby(groups).transform("sum") / weights.groupby(groups).transform("sum")
    unexplained = (weights * (tried[several] - official) ** 2).sum() / (weights * (flat - official) ** 2).sum()
    return {
        "neighbourhoods": int(groups.nunique()),
        "areas": len(official),
        "variance_explained_pct": round(float(100 * (1 - unexplained)), 1),
        "covered_pct": round(100 * float(covered[1.0].mean()), 1),
        "widened_by": find_widening(covered),
        "held_out": folds.name,
        "covered_held_out_pct": round(100 * float(pd.concat(held_out).mean()), 1),
    }


def _name_neighbourhoods(output_areas: pd.DataFrame, areas: pd.DataFrame, lookup: pd.DataFrame) -> pd.DataFrame:
    """Give each published area the means of its output areas, its place, and the name of its neighbourhood."""
    names = lookup.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lsoa21_name"]
    lsoas = output_areas.drop_duplicates("area_code").set_index("area_code")["lsoa21_code"]
    known = _add_means(output_areas, areas)
    known["lsoa21_code"] = known["area_code"].map(lsoas)
    known["neighbourhood"] = known["lsoa21_code"].map(names).str.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return known


def _try_widenings(
    known: pd.DataFrame, above: pd.DataFrame, several: pd.Series, seed: int
) -> tuple[pd.Series, pd.DataFrame]:
    """Return each area's estimate from its neighbourhood's sum, and whether its interval holds, a column a factor."""
    below = known.drop(columns=["fuel_poor_pct", "fuel_poor_households"])
    below = below.rename(columns={"area_code": "oa21_code", "neighbourhood": "area_code"})
    above = above.rename(columns={"neighbourhood": "area_code"})
    official = known.set_index("area_code")["fuel_poor_pct"][several.to_numpy()]
    covered = pd.DataFrame(index=official.index)
    for factor in WIDENINGS:
        tried = fit_and_estimate(below, above, seed=seed, widened_by=factor).set_index("oa21_code")
        limits = tried.loc[official.index]
        covered[factor] = official.between(limits["low_95"], limits["high_95"])
        if covered[factor].mean() >= WIDE_ENOUGH:
            break
    covered.index = known.index[several]
    return known["area_code"].map(tried["fuel_poor_pct"]), covered


def find_widening(covered: pd.DataFrame) -> float:
    """Find the least factor at which enough intervals hold: 95% of one more than there are, as one is yet unseen.

    Args:
        covered: whether an area's official share lies in its interval; a row an area, a column a factor, ascending.

    Returns:
        The factor; the last one if none is enough.
    """
    holds = covered.sum()
    enough = holds.index[holds >= LEVEL * (len(covered) + 1)]
    return float(enough[0] if len(enough) else holds.index[-1])
