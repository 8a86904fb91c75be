"""What is known of output areas and postcodes from open data, in the columns that the estimates use."""

from collections.abc import Mapping

import pandas as pd

from councilbook.errors import CheckError
from councilbook.fuel_poverty.areas.official import AREAS_RANKED, find_key
from councilbook.methods.sharing import share_out
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

# What further census tables say of output areas, where a council has them. Without them tenure and heating are known of
# whole LSOAs, and sizes of households and cars are not known.
MORE_BELOW = {
    "tenure": ("tenure_households", TENURES),
    "heating": ("heating_households", HEATINGS),
    "size": ("sized_households", ["one_person", "five_or_more_people"]),
    "cars": ("car_households", ["no_car"]),
}
DOMAINS = ["income", "health", "living_environment", "barriers"]
LSOA_COVARIATES = [
    *(f"{name}_pct" for name in TENURES + HEATINGS),
    *(f"{name}_households_pct" for name in COMPOSITIONS),
    *(f"{name}_deprivation_pct" for name in DOMAINS),
    "rural_pct",
    "village_pct",
]
COVARIATES = OA_COVARIATES + LSOA_COVARIATES
ONLY_BELOW = [f"{name}_pct" for table in ("size", "cars") for name in MORE_BELOW[table][1]]


def list_known(output_areas: pd.DataFrame) -> list[str]:
    """List the covariates that are known, of output areas or of the areas around them."""
    columns = [name for name in COVARIATES + ONLY_BELOW if name in output_areas]
    return [name for name in columns if output_areas[name].notna().any()]


def list_known_below(output_areas: pd.DataFrame) -> list[str]:
    """List the covariates that are known of output areas: those that differ within an LSOA."""
    known = [name for name in list_known(output_areas) if name not in ("rural_pct", "village_pct")]
    differs = output_areas.groupby("lsoa21_code")[known].nunique().gt(1).any()
    return [name for name in known if differs[name]]


DIMENSIONS = 4  # of deprivation, in the census table TS011: education, employment, health, housing


def prepare_areas(
    fuel_poor: pd.DataFrame, deprivation: pd.DataFrame, lookup: pd.DataFrame, earlier: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Bring one year's official figures to the areas that they are modelled and benchmarked at.

    Those are the LSOAs of 2021 if the figures are; for figures by LSOA 2011, the common areas of
    `geography.match_common_areas`, so that nothing is apportioned.

    Args:
        fuel_poor: lsoa_code, households, fuel_poor_households.
        deprivation: lsoa11_code or lsoa21_code, imd_rank.
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
    key = find_key(deprivation)
    ranks = pairs.drop_duplicates(["area_code", key]).merge(deprivation, on=key)
    means = ranks.groupby("area_code")["imd_rank"].mean()
    areas["deprivation_pct"] = 100 - 100 * areas["area_code"].map(means) / AREAS_RANKED[key]
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
    below: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Describe each output area that has a postcode.

    Args:
        postcodes: postcode, oa21_code, lsoa21_code, latitude, longitude.
        oa_deprivation, oa_accommodation: census counts by output area.
        tenure, heating, composition: census counts by LSOA 2021.
        domains: by LSOA 2011 or 2021, as the classification, which is by LSOA 2011; an LSOA of 2021 has the mean of
            those it came from.
        fuel_poor: lsoa_code, households, fuel_poor_households.
        lookup: rows of the exact fit lookup.
        below: by name of `MORE_BELOW`, its census counts by output area; a table that lacks one of these is not used.

    Returns:
        oa21_code, lsoa21_code, area_code (see `prepare_areas`), latitude, longitude (mean of its postcodes),
        households, and COVARIATES and ONLY_BELOW in percent, missing where they are not known. The households are the
        published area's, shared out by the census counts, so that rates are of the official number of households. A
        published area without a postcode has no row.

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
    parts, codes = pd.factorize(described["area_code"])
    described["households"] = share_out(published[codes], described["census_households"], parts)
    described = described.join(
        _describe_lsoas(tenure, heating, composition, domains, classification, pairs), "lsoa21_code"
    )
    for table, counts in (below or {}).items():
        summed = _sum_sizes(counts) if table == "size" else counts
        shares = _share_counts(summed.set_index("oa21_code"), *MORE_BELOW[table]).reindex(described.index)
        if shares.notna().all(axis=None):
            described[shares.columns] = shares
    identity = ["oa21_code", "lsoa21_code", "area_code", "latitude", "longitude", "households"]
    return described.reset_index().reindex(columns=[*identity, *COVARIATES, *ONLY_BELOW])


def _sum_sizes(sizes: pd.DataFrame) -> pd.DataFrame:
    """Sum households up by size; a count of household spaces would have empty ones in it."""
    of = {people: sizes[f"people_{people}_households"] for people in range(1, 9)}
    large = sum(of[people] for people in range(5, 9))
    named = {"sized": sum(of.values()), "one_person": of[1], "five_or_more_people": large}
    return sizes[["oa21_code"]].assign(**{f"{name}_households": count for name, count in named.items()})


def _share_counts(counts: pd.DataFrame, total: str, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({f"{name}_pct": 100 * counts[f"{name}_households"] / counts[total] for name in names})


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
    kind = classification["rural_urban_code"].str[0]
    rural = {
        "rural_pct": 100.0 * kind.isin(["D", "E", "F"]),  # Rural-Urban Classification 2011
        "village_pct": 100.0 * kind.isin(["E", "F"]),  # all but town and fringe
    }
    ranked = AREAS_RANKED[find_key(domains)]
    poor = {f"{name}_deprivation_pct": 100 - 100 * domains[f"{name}_rank"] / ranked for name in DOMAINS}
    for table, columns in ((domains, poor), (classification, rural)):
        key = find_key(table)
        parts = pairs.drop_duplicates(["lsoa21_code", key]).merge(table.assign(**columns), on=key)
        described = described.join(parts.groupby("lsoa21_code")[list(columns)].mean())
    return described
