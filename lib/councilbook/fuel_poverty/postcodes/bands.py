"""Postcodes in bands of estimated risk: fifths of all homes, which are safer to act on than a rank."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.special import logit, ndtr

from councilbook.catalogue.councils import join_names

NAMED = 10  # areas in a sentence
SURE = 80  # %: a band is called sure if the share lies in it with this chance
INTERVAL_WIDTH = 2 * 1.959964  # standard deviations in a 95% interval

BANDS: Mapping[int, str] = {
    1: "1: lowest fifth of homes",
    2: "2",
    3: "3: middle fifth",
    4: "4",
    5: "5: highest fifth of homes",
}


def band_postcodes(estimates: pd.DataFrame) -> pd.DataFrame:
    """Put postcodes into fifths of all homes by their estimated share in fuel poverty.

    Postcodes of one output area have one estimate, and are put into one band: that of the middle of their homes.

    Args:
        estimates: from `risk.estimate_postcodes`.

    Returns:
        The same rows with band, 1 (lowest) to 5, and band_sure_pct (see `_weigh_bands`).
    """
    places = estimates.groupby("oa21_code").agg(share=("fuel_poor_pct", "first"), homes=("households", "sum"))
    places = places.sort_values("share", kind="stable")
    middle = (places["homes"].cumsum() - places["homes"] / 2) / places["homes"].sum()
    bands = np.minimum(np.floor(len(BANDS) * middle) + 1, len(BANDS)).astype("int64")
    banded = estimates.assign(band=estimates["oa21_code"].map(bands))
    return banded.assign(band_sure_pct=_weigh_bands(banded))


def _weigh_bands(banded: pd.DataFrame) -> "pd.Series[float]":
    """Return the chance, in percent, that a share lies within the limits of its band, by its interval.

    The share is taken to be normal in log odds, with the estimate as its median; limits lie midway between the shares
    on both sides. They are taken as known, which they nearly are, as they rest on all output areas.
    """
    shares = banded.groupby("band")["fuel_poor_pct"].agg(["min", "max"])
    limits = ((shares["max"].shift(1) + shares["min"]) / 2).fillna(0)
    lower, upper = banded["band"].map(limits), banded["band"].map(limits.shift(-1).fillna(100))
    ends = banded[["low_95", "high_95", "fuel_poor_pct"]].set_axis(["low", "high", "middle"], axis="columns")
    odds = logit(ends.assign(below=lower, above=upper).clip(1e-6, 100 - 1e-6) / 100)
    spread = ((odds["high"] - odds["low"]) / INTERVAL_WIDTH).clip(lower=1e-6)
    below, above = (ndtr((odds[end] - odds["middle"]) / spread) for end in ("below", "above"))
    chance: pd.Series[float] = 100 * (above.where(upper < 100, 1.0) - below.where(lower > 0, 0.0))
    return chance


def describe_certainty(banded: pd.DataFrame) -> str:
    """Say how sure the highest band is: for how many of its homes, and how likely a home of it belongs there.

    Args:
        banded: from `band_postcodes`, or postcode_fuel_poverty.
    """
    high = banded[banded["band"] == max(BANDS)]
    weights, chances = high["households"], high["band_sure_pct"]
    sure = 100 * weights[chances >= SURE].sum() / weights.sum()
    return (
        f"**How sure is a band?** {sure:.0f}% of the homes in the highest band belong to it with a chance of {SURE}% "
        f"or more; on average the chance is {np.average(chances, weights=weights):.0f}%. The list says it for each "
        "postcode."
    )


def sum_bands(banded: pd.DataFrame) -> pd.DataFrame:
    """Count postcodes, homes and expected fuel-poor households in each band.

    Args:
        banded: from `band_postcodes`.

    Returns:
        A row a band, lowest first: band (in words), postcodes, households, fuel_poor_households (expected, rounded),
        fuel_poor_pct, share_of_fuel_poor_pct (of all in fuel poverty).
    """
    sums = banded.groupby("band").agg(
        postcodes=("postcode", "size"),
        households=("households", "sum"),
        expected=("fuel_poor_households", "sum"),
    )
    return pd.DataFrame(
        {
            "band": [BANDS[number] for number in sums.index],
            "postcodes": sums["postcodes"].to_numpy(),
            "households": sums["households"].to_numpy(),
            "fuel_poor_households": sums["expected"].round().astype("int64").to_numpy(),
            "fuel_poor_pct": (100 * sums["expected"] / sums["households"]).round(1).to_numpy(),
            "share_of_fuel_poor_pct": (100 * sums["expected"] / sums["expected"].sum()).round(1).to_numpy(),
        }
    )


def locate_postcodes(postcodes: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give postcodes the points that their latitude and longitude (WGS84) stand for."""
    points = gpd.points_from_xy(postcodes["longitude"], postcodes["latitude"], crs="EPSG:4326")
    return gpd.GeoDataFrame(postcodes, geometry=points)


def write_intervals(postcodes: pd.DataFrame) -> "pd.Series[str]":
    """Write each postcode's 95% interval in words, as `6.1% to 14.9%`."""
    low, high = (postcodes[end].map("{:.1f}%".format) for end in ("low_95", "high_95"))
    return low + " to " + high


def find_high_risk_areas(banded: pd.DataFrame, areas: pd.DataFrame) -> pd.Series:
    """Find what share of each area's homes lies in postcodes of the highest band.

    Args:
        banded: from `band_postcodes`.
        areas: area_fuel_poverty: lsoa21_codes, joined by +.

    Returns:
        Percent, in the order of the areas; missing where an area has no home in the list.
    """
    codes = areas["lsoa21_codes"].str.split("+").explode()
    area_of = pd.Series(codes.index, index=codes.to_numpy())
    area = banded["lsoa21_code"].map(area_of)
    homes = banded["households"].groupby(area).sum()
    high = banded["households"].where(banded["band"] == max(BANDS), 0).groupby(area).sum()
    share = 100 * high.reindex(areas.index) / homes.reindex(areas.index).where(homes.reindex(areas.index) > 0)
    return share.round(1)


def find_areas_without(banded: pd.DataFrame, year: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Find the official small areas that have no postcode in the list, so that their homes are in no band.

    Args:
        banded: from `band_postcodes`.
        year: the official figures of one year: lsoa_code, lsoa_name, lsoa_vintage, households.
        areas: area_fuel_poverty: lsoa11_codes and lsoa21_codes, joined by +, for a year by LSOA of 2011.

    Returns:
        The rows of `year` that are of such areas.
    """
    listed = set(banded["lsoa21_code"])
    if int(year["lsoa_vintage"].iloc[0]) != 2021:
        has = areas["lsoa21_codes"].map(lambda codes: bool(listed & set(codes.split("+"))))
        listed = set(areas.loc[has, "lsoa11_codes"].str.split("+").explode())
    return year[~year["lsoa_code"].isin(listed)]


def describe_areas_without(without: pd.DataFrame, areas: int) -> str:
    """Name the official small areas without a postcode, or say that all have some.

    Args:
        without: from `find_areas_without`.
        areas: how many there are in all.
    """
    if without.empty:
        return f"Each of the {areas:,} small areas of the official figures has postcodes in the list."
    shown = join_names([*without["lsoa_name"].head(NAMED), *(["others"] if len(without) > NAMED else [])])
    return (
        f"**{len(without):,} of {areas:,} small areas have no postcode in the directory**, so their "
        f"{without['households'].sum():,} households are in no band: {shown}."
    )


def describe_bands(banded: pd.DataFrame, name: str) -> str:
    """Say what the highest band holds, beside what the same number of homes would hold by chance.

    Args:
        banded: from `band_postcodes`.
        name: the council.
    """
    high = banded[banded["band"] == max(BANDS)]
    homes, poor = (100 * high[column].sum() / banded[column].sum() for column in ("households", "fuel_poor_households"))
    return (
        f"Open data put **{len(high):,} of {len(banded):,} postcodes** of {name} into the highest band of risk. They "
        f"have {homes:.0f}% of the homes and an expected **{poor:.0f}%** of those in fuel poverty."
    )


def describe_districts(banded: pd.DataFrame) -> str:
    """Say in which district most homes, and in which the fewest, are in postcodes of the highest band.

    One district alone has a fifth of its homes there, as every band has; so it is said over how many areas they spread.

    Args:
        banded: from `band_postcodes`, with lad22_name.
    """
    high = banded["households"].where(banded["band"] == max(BANDS), 0)
    share = 100 * high.groupby(banded["lad22_name"]).sum() / banded.groupby("lad22_name")["households"].sum()
    if len(share) == 1:
        areas = banded.loc[banded["band"] == max(BANDS), "lsoa21_code"].nunique()
        return f"Postcodes of the highest band lie in {areas} of {banded['lsoa21_code'].nunique()} small areas."
    ranked = share.sort_values(kind="stable")
    return (
        f"{ranked.index[-1]} has the largest part of its homes in postcodes of the highest band "
        f"({ranked.iloc[-1]:.0f}%), {ranked.index[0]} the smallest ({ranked.iloc[0]:.0f}%)."
    )


def describe_gain(scores: pd.DataFrame) -> str:
    """Say how well areas are predicted where the model had not looked, beside the best plain baseline.

    Args:
        scores: postcode_model_scores.
    """
    best = {kind: group.sort_values("rmse_pct").iloc[0] for kind, group in scores.groupby("kind")}
    model, rival = best["model"], best["baseline"]
    verb = "less" if model["rmse_pct"] < rival["rmse_pct"] else "more"
    gain = model["gain_over_imd_pct"]
    part = f"{gain:.0f}% of" if gain >= 0.5 else "none of"
    return (
        f"For whole areas, leaving out {model['held_out']}, the model explains {part} the difference that deprivation "
        f"alone leaves. Its error is {model['rmse_pct']:.2f} percentage points, {verb} than the "
        f"{rival['rmse_pct']:.2f} of the best plain guess ({rival['model']})."
    )


def describe_within(tested: pd.DataFrame) -> str:
    """Say how the postcode estimates did on areas whose sum alone they knew, and how wide that made their intervals.

    Args:
        tested: postcode_estimates_test.
    """
    row = tested.iloc[0]
    splits = _describe_splits(row)
    if pd.isna(row["variance_explained_pct"]):
        return (
            f"{splits}With {row['neighbourhoods']:.0f} neighbourhoods there are too few to test how wide the intervals "
            f"have to be. {_describe_widening(row)}"
        )
    explained = row["variance_explained_pct"]
    part = f"{explained:.0f}% of" if explained >= 0.5 else "none of"
    return (
        f"{splits}Knowing the figures of {row['neighbourhoods']:.0f} neighbourhoods alone, the method explains {part} "
        f"the difference between the areas within them, and {row['covered_pct']:.0f}% of the official figures lie in "
        f"their 95% intervals. {_describe_widening(row)}"
    )


def _describe_splits(row: "pd.Series[Any]") -> str:
    if pd.isna(row["split_slope"]):
        return (
            f"{row['split_areas']:.0f} areas with figures were split in 2021, too few to test the estimates on parts. "
        )
    low, high = row["split_slope_low_95"], row["split_slope_high_95"]
    verdict = "overstate" if high < 1 else "understate" if low > 1 else "neither clearly overstate nor understate"
    return (
        f"Tested on the {row['parts']:.0f} parts of {row['split_areas']:.0f} areas that were split in 2021, the "
        f"estimates {verdict} differences: where they differ by 1 percentage point, the official figures differ by "
        f"{row['split_slope']:.2f} (95% interval {low:.2f} to {high:.2f}). "
    )


def _describe_widening(row: "pd.Series[Any]") -> str:
    """Say by how much the intervals of postcodes were widened, on what grounds, and what that is worth."""
    factor = row["widened_by"]
    widened = f"what the model cannot see of an output area is assumed to vary {factor:.1f} times as much"
    if pd.isna(row["covered_held_out_pct"]):
        return (
            f"In the intervals, {widened}, about as much as larger councils ask for; how often they hold is not known."
        )
    because = f"They were too narrow, so {widened}. " if factor > 1 else "They were left as wide as they are. "
    still = ", which is still too few" if row["covered_held_out_pct"] < 93 else ""
    return (
        f"{because}Tried on areas that had no part in choosing that factor ({row['held_out']} left out), "
        f"{row['covered_held_out_pct']:.0f}% lay in their intervals{still}. That the factor holds for output areas too "
        "is assumed."
    )
