"""Postcodes in bands of estimated risk: fifths of all homes, which are safer to act on than a rank."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from councilbook.catalogue.councils import join_names

NAMED = 10  # areas in a sentence
SURE = 80  # percent

Numbers = npt.NDArray[np.float64]

BANDS: Mapping[int, str] = {
    1: "1: lowest fifth of homes",
    2: "2",
    3: "3: middle fifth",
    4: "4",
    5: "5: highest fifth of homes",
}


def weigh_bands(rates: Numbers, homes: Numbers) -> tuple[Numbers, Numbers]:
    """Work out in which fifth of all homes a place would be, in each draw of the places' rates.

    An estimate in the highest fifth may be there by its error alone. So places are ordered by their expected fifth,
    which is the best order for how many homes end up in a fifth too high or too low, summed over the limits.

    Args:
        rates: a row a draw, a column a place.
        homes: of each place.

    Returns:
        The expected fifth, 1 (lowest) to 5, and the chance of the highest, in percent.
    """
    order = np.argsort(rates, axis=1, kind="stable")
    ordered = homes[order]
    fifths = np.empty_like(rates)
    np.put_along_axis(fifths, order, _cut((np.cumsum(ordered, axis=1) - ordered / 2) / homes.sum()), axis=1)
    return fifths.mean(axis=0), 100 * (fifths == len(BANDS)).mean(axis=0)


def _cut(middle: Any) -> Any:
    return np.minimum(np.floor(len(BANDS) * middle) + 1, len(BANDS))


def band_postcodes(estimates: pd.DataFrame) -> pd.DataFrame:
    """Put postcodes into fifths of all homes by the chances of their output area to be in each fifth.

    Postcodes of one output area have one estimate, and are put into one band: that of the middle of their homes.

    Args:
        estimates: from `risk.estimate_postcodes`.

    Returns:
        The same rows with band, 1 (lowest) to 5, and without expected_band.
    """
    places = estimates.groupby("oa21_code").agg(
        expected=("expected_band", "first"), share=("fuel_poor_pct", "first"), homes=("households", "sum")
    )
    places = places.sort_values(["expected", "share"], kind="stable")
    bands = _cut((places["homes"].cumsum() - places["homes"] / 2) / places["homes"].sum()).astype("int64")
    return estimates.drop(columns="expected_band").assign(band=estimates["oa21_code"].map(bands))


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


def describe_certainty(banded: pd.DataFrame) -> str:
    """Say how sure it is that the homes of the highest band belong there.

    Args:
        banded: from `band_postcodes`.
    """
    high = banded[banded["band"] == max(BANDS)]
    chance, homes = high["highest_band_chance_pct"], high["households"]
    sure = 100 * homes[chance >= SURE].sum() / homes.sum()
    return (
        f"Some homes are in the highest band by error. The chance that a home there belongs there is "
        f"**{np.average(chance, weights=homes):.0f}%** on average; by lot it would be {100 / len(BANDS):.0f}%. For "
        f"{sure:.0f}% of its homes the chance is {SURE}% or more."
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
        f"the difference between the areas within them. {row['covered_pct']:.0f}% of the official figures lie in their "
        f"95% intervals. {_describe_widening(row)}"
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
        f"estimates {verdict} differences. Where they differ by 1 percentage point, the official figures differ by "
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
