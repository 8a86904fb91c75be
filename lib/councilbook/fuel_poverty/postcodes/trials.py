"""How well estimates hold where they have not looked: districts left out, and areas whose sum alone they know.

There is a test below the areas that the official figures were made for: some were split in 2021, and later figures are
of their parts. Fitted on wholes alone, the estimates of parts are held against these; and so are the estimates of areas
from the sums of neighbourhoods, of which there are more. A slope below 1 says that the estimates overstate differences.
"""

from string import ascii_uppercase

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.stats import spearmanr, t

from councilbook.fuel_poverty.areas.prediction import split_areas
from councilbook.fuel_poverty.postcodes.covariates import list_known, list_known_below
from councilbook.fuel_poverty.postcodes.risk import FEWEST_TO_FIT, LEVEL, RatesModel, add_means, fit_and_estimate

WIDENINGS = tuple(round(1 + step / 10, 1) for step in range(31))  # 1.0 to 4.0
WIDE_ENOUGH = 0.99  # of a trial's areas in their intervals: no part of it wants a wider one
EXPLAINED = ("variance_explained_pct", "slope", "slope_low_95", "slope_high_95")
FEWEST_SPLIT = 3  # areas, for a test on them
UNTRIED_WIDENING = 1.6  # amid what Kent and Medway (1.3 to 1.5) and County Durham (1.6 to 1.9) ask for, 2019 to 2022
IMD_ALONE = "IMD alone"
BELOW, ALL = "Output-area covariates", "All covariates"


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
    means = add_means(output_areas, areas)
    places = gpd.points_from_xy(means["longitude"], means["latitude"], crs=4326)
    known = gpd.GeoDataFrame(means, geometry=places)
    folds = split_areas(known, seed)
    models = {BELOW: list_known_below(output_areas), ALL: list_known(output_areas)}
    expected = _predict_left_out(known, folds.labels, models)
    if "earlier_pct" in known:
        expected["Last published year"] = known["earlier_pct"]
    published, weights = known["fuel_poor_pct"], known["households"]
    squared = {name: np.average((expected[name] - published) ** 2, weights=weights) for name in expected}
    variance = np.average((published - np.average(published, weights=weights)) ** 2, weights=weights)
    parts = folds.labels.nunique()
    rows = [
        {
            "model": name,
            "kind": "model" if name in models else "baseline",
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


def _predict_left_out(areas: pd.DataFrame, parts: pd.Series, models: dict[str, list[str]]) -> pd.DataFrame:
    expected = pd.DataFrame(index=areas.index, columns=["District mean", IMD_ALONE, *models], dtype="float64")
    for part in sorted(parts.unique()):
        left_out = parts == part
        train, rest = areas[~left_out], areas[left_out]
        expected.loc[left_out, "District mean"] = 100 * train["fuel_poor_households"].sum() / train["households"].sum()
        for name, covariates in {IMD_ALONE: ["deprivation_pct"], **models}.items():
            expected.loc[left_out, name] = RatesModel.fit(train, covariates).expect(rest)
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
        households; 0 is no better than giving all the neighbourhood's rate), slope with slope_low_95 and slope_high_95
        (of the official differences within neighbourhoods on the estimated ones), covered_pct (areas whose official
        share lies in its interval as it comes, of those in neighbourhoods of several), widened_by (factor that all
        parts together ask for, in tenths, 1 or more), held_out (what the parts are), covered_held_out_pct (areas in
        their widened intervals, none of them looked at for the factor). Where there are fewer neighbourhoods than
        FEWEST_TO_FIT the shares are missing, held_out is empty, and widened_by is UNTRIED_WIDENING.
    """
    known = _name_neighbourhoods(output_areas, areas, lookup)
    above = known.groupby("neighbourhood", as_index=False)[["households", "fuel_poor_households"]].sum()
    if len(above) < FEWEST_TO_FIT:
        shares = dict.fromkeys((*EXPLAINED, "covered_pct", "covered_held_out_pct"), np.nan)
        counts = {"neighbourhoods": len(above), "areas": len(known)}
        return {**counts, **shares, "widened_by": UNTRIED_WIDENING, "held_out": ""}
    several = known.groupby("neighbourhood")["area_code"].transform("size") > 1
    covariates = list_known_below(output_areas)
    tried, covered = _try_widenings(known, above, several, seed, covariates)
    places = gpd.points_from_xy(known["longitude"], known["latitude"], crs=4326)
    folds = split_areas(gpd.GeoDataFrame(known, geometry=places), seed)
    parts = folds.labels.groupby(known["neighbourhood"]).transform("first")[several]  # no part cuts a neighbourhood
    held_out = [covered.loc[parts == part, find_widening(covered[parts != part])] for part in sorted(parts.unique())]
    return {
        "neighbourhoods": int(known.loc[several, "neighbourhood"].nunique()),
        "areas": int(several.sum()),
        **_compare_within(known[several], tried[several], known.loc[several, "neighbourhood"]),
        "covered_pct": round(100 * float(covered[1.0].mean()), 1),
        "widened_by": find_widening(covered),
        "held_out": folds.name,
        "covered_held_out_pct": round(100 * float(pd.concat(held_out).mean()), 1),
    }


def score_splits(
    output_areas: pd.DataFrame, areas: pd.DataFrame, lookup: pd.DataFrame, seed: int, widened_by: float
) -> dict[str, float]:
    """Try the estimates below the areas of 2011: on those that were split in 2021, whose parts have official figures.

    Fit and benchmark know every such area as a whole; what comes out for its parts is held against their figures.

    Args:
        output_areas, areas: as for `score_within`, with figures by LSOA 2021.
        lookup: rows of the exact fit lookup.
        seed: of the draws.
        widened_by: from `score_within`.

    Returns:
        split_areas, parts, and as in `score_within` split_variance_explained_pct, split_slope, split_slope_low_95,
        split_slope_high_95 and split_covered_pct (in intervals that are widened); missing where fewer than three areas
        were split or the figures are by area of 2011.
    """
    is_split = lookup["lsoa11_code"].duplicated(keep=False) & ~lookup["lsoa21_code"].duplicated(keep=False)
    wholes = lookup[is_split].set_index("lsoa21_code")["lsoa11_code"]
    known = add_means(output_areas, areas)
    known["whole"] = known["area_code"].map(wholes).fillna(known["area_code"])
    is_part = known["whole"].duplicated(keep=False)
    counts = {"split_areas": known.loc[is_part, "whole"].nunique(), "parts": int(is_part.sum())}
    if counts["split_areas"] < FEWEST_SPLIT:
        return {**counts, **dict.fromkeys((f"split_{name}" for name in (*EXPLAINED, "covered_pct")), np.nan)}
    above = known.groupby("whole", as_index=False)[["households", "fuel_poor_households"]].sum()
    tried = _estimate_below(known, above, "whole", seed, widened_by, list_known_below(output_areas))
    parts, limits = known[is_part], tried.loc[known.loc[is_part, "area_code"]].set_index(known.index[is_part])
    covered = parts["fuel_poor_pct"].between(limits["low_95"], limits["high_95"])
    told = _compare_within(parts, limits["fuel_poor_pct"], parts["whole"])
    told["covered_pct"] = round(100 * float(covered.mean()), 1)
    return counts | {f"split_{name}": value for name, value in told.items()}


def _compare_within(areas: pd.DataFrame, estimates: pd.Series, groups: pd.Series) -> dict[str, float]:
    """Hold estimated differences within groups against the official ones, weighted by households.

    The slope's interval allows for groups (Liang and Zeger 1986, Biometrika 73, 13-22).
    """
    weights = areas["households"]

    def centre(rates: pd.Series) -> pd.Series:
        return rates - (rates * weights).groupby(groups).transform("sum") / weights.groupby(groups).transform("sum")

    official, estimated = centre(areas["fuel_poor_pct"]), centre(estimates)
    square = (weights * estimated**2).sum()
    slope = (weights * official * estimated).sum() / square
    score = (weights * estimated * (official - slope * estimated)).groupby(groups).sum()
    reach = t.ppf((1 + LEVEL) / 2, len(score) - 1) * np.sqrt((score**2).sum() * len(score) / (len(score) - 1)) / square
    unexplained = (weights * (estimated - official) ** 2).sum() / (weights * official**2).sum()
    values = (round(float(100 * (1 - unexplained)), 1), *np.round([slope, slope - reach, slope + reach], 2).tolist())
    return dict(zip(EXPLAINED, values, strict=True))


def _estimate_below(
    known: pd.DataFrame, above: pd.DataFrame, level: str, seed: int, widened_by: float, covariates: list[str]
) -> pd.DataFrame:
    """Estimate areas from the sums of what they lie in, as output areas are from areas; by area."""
    below = known.drop(columns=["fuel_poor_pct", "fuel_poor_households"])
    below = below.rename(columns={"area_code": "oa21_code", level: "area_code"})
    if "lsoa21_code" not in below:
        below["lsoa21_code"] = below["oa21_code"]
    wholes = above.rename(columns={level: "area_code"})
    tried = fit_and_estimate(below, wholes, seed=seed, widened_by=widened_by, covariates=covariates)
    return tried.set_index("oa21_code")


def _name_neighbourhoods(output_areas: pd.DataFrame, areas: pd.DataFrame, lookup: pd.DataFrame) -> pd.DataFrame:
    """Give each published area the means of its output areas, its place, and the name of its neighbourhood."""
    names = lookup.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lsoa21_name"]
    lsoas = output_areas.drop_duplicates("area_code").set_index("area_code")["lsoa21_code"]
    known = add_means(output_areas, areas)
    known["lsoa21_code"] = known["area_code"].map(lsoas)
    known["neighbourhood"] = known["lsoa21_code"].map(names).str.rstrip(ascii_uppercase)
    return known


def _try_widenings(
    known: pd.DataFrame, above: pd.DataFrame, several: pd.Series, seed: int, covariates: list[str]
) -> tuple[pd.Series, pd.DataFrame]:
    """Return each area's estimate from its neighbourhood's sum, and whether its interval holds, a column a factor."""
    official = known.set_index("area_code")["fuel_poor_pct"][several.to_numpy()]
    covered = pd.DataFrame(index=official.index)
    for factor in WIDENINGS:
        tried = _estimate_below(known, above, "neighbourhood", seed, factor, covariates)
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
