"""Fuel poverty by small area: the official estimates of all years, and what is known of the areas beside them."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.catalogue.councils import list_codes
from councilbook.errors import CheckError, ParameterError
from councilbook.sources.checks import check_sums
from councilbook.sources.geography import LSOA_COLUMNS, Place, match_common_areas

FIRST_LILEE_YEAR = 2019  # DESNZ, Fuel poverty methodology handbook (LILEE): the definition that replaced LIHC
COUNTS = ["households", "fuel_poor_households"]
AREAS_RANKED = {"lsoa11_code": 32844, "lsoa21_code": 33755}  # English Indices of Deprivation 2019 and 2025
SHARES = [
    "owned_outright_pct",
    "social_rented_pct",
    "private_rented_pct",
    "no_heating_pct",
    "electric_heating_pct",
    "oil_heating_pct",
]

# The 2022 workbook's district table has the codes of these two the wrong way round.
SWAPPED_DISTRICTS = {(2022, "E08000013"): "E08000014", (2022, "E08000014"): "E08000013"}

# Published shares have one decimal in some years, and three of a fraction in 2011; ours have two.
PUBLISHED_TOLERANCE = 0.0501 + 0.005  # percentage points


def prepare_years(stacked: pd.DataFrame) -> pd.DataFrame:
    """Make the stacked small-area tables of the official workbooks one table of all years.

    Args:
        stacked: from `Study.load_series`: lsoa_code, lsoa_name, lad_code, lad_name, households, fuel_poor_households,
            published_fuel_poor_pct, edition, vintage.

    Returns:
        The same rows with year, measure (LIHC to 2018, LILEE since), lsoa_vintage, and fuel_poor_pct computed from
        the counts, in percent with two decimals.

    Raises:
        CheckError: a computed share is not the published one, or there are more fuel-poor households than households.
    """
    years = stacked.rename(columns={"edition": "year", "vintage": "lsoa_vintage"})
    years["measure"] = np.where(years["year"] < FIRST_LILEE_YEAR, "LIHC", "LILEE")
    if (over := years["fuel_poor_households"] > years["households"]).any():
        raise CheckError(f"{over.sum()} areas have more fuel-poor households than households.")
    years["fuel_poor_pct"] = compute_share(years["fuel_poor_households"], years["households"])
    off = (years["fuel_poor_pct"] - years["published_fuel_poor_pct"]).abs() > PUBLISHED_TOLERANCE
    if off.any():
        first = years[off].iloc[0]
        raise CheckError(
            f"{off.sum()} areas have another share than published, as {first['lsoa_code']} in {first['year']}: "
            f"computed {first['fuel_poor_pct']} %, published {first['published_fuel_poor_pct']} %."
        )
    return years


def choose_year(years: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """Return the figures of one year by LILEE.

    Args:
        years: from `prepare_years`, or lsoa_fuel_poverty.
        wanted: the year; 0 for the newest that is there.

    Raises:
        ParameterError: there are no figures by LILEE of that year.
    """
    known = sorted(years.loc[years["measure"] == "LILEE", "year"].unique())
    if not known or (wanted and wanted not in known):
        listed = ", ".join(map(str, known)) or "none"
        raise ParameterError(
            f"model_year is {wanted}; expected a year with figures by LILEE ({listed}), or 0 for the newest."
        )
    return years[years["year"] == (wanted or known[-1])]


def check_district_sums(years: pd.DataFrame, districts: pd.DataFrame) -> None:
    """Check that in each year the small areas add up to the publisher's own district table, to the household.

    Args:
        years: from `prepare_years`.
        districts: the district tables stacked: lad_code, households, fuel_poor_households, edition.

    Raises:
        CheckError: they do not.
    """
    totals = districts.rename(columns={"edition": "year"})
    labels = pd.MultiIndex.from_frame(totals[["year", "lad_code"]])
    totals["lad_code"] = [SWAPPED_DISTRICTS.get(label, label[1]) for label in labels]
    check_sums(years, totals, ["year", "lad_code"], COUNTS, "Sub-regional fuel poverty")


def sum_districts(years: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Add the small areas up by today's districts, for every year.

    Areas of 2001 that are gone are counted where most of their old district is now.

    Returns:
        lad22_code, lad22_name, year, measure, households, fuel_poor_households, fuel_poor_pct.
    """
    districts = place.lookup[["lad22_code", "lad22_name"]]
    by_area = pd.concat(
        [districts.assign(lsoa_code=place.lookup[column]) for column in LSOA_COLUMNS.values()]
    ).drop_duplicates(["lsoa_code", "lad22_code"])
    # An LSOA of 2011 that lies in two districts counts in the one whose code stands in the table.
    codes = {code: now for now in districts["lad22_code"].unique() for code in list_codes(now)}
    one = by_area[~by_area.duplicated("lsoa_code", keep=False)].set_index("lsoa_code")["lad22_code"]
    rows = years.assign(lad22_code=years["lsoa_code"].map(one).fillna(years["lad_code"].map(codes)))
    gone = rows["lad22_code"].isna()
    usual = rows[~gone].groupby("lad_code")["lad22_code"].agg(lambda codes: codes.mode().iloc[0])
    rows.loc[gone, "lad22_code"] = rows.loc[gone, "lad_code"].map(usual)
    rows["lad22_name"] = rows["lad22_code"].map(dict(districts.itertuples(index=False, name=None)))
    sums = rows.groupby(["lad22_code", "lad22_name", "year", "measure"], as_index=False)[COUNTS].sum()
    return sums.assign(fuel_poor_pct=compute_share(sums["fuel_poor_households"], sums["households"]))


def sum_years(years: pd.DataFrame) -> pd.DataFrame:
    """Add the small areas up over the whole council, for every year.

    Returns:
        year, measure, areas, households, fuel_poor_households, fuel_poor_pct.
    """
    sums = years.groupby(["year", "measure"], as_index=False).agg(
        areas=("lsoa_code", "size"),
        households=("households", "sum"),
        fuel_poor_households=("fuel_poor_households", "sum"),
    )
    return sums.assign(fuel_poor_pct=compute_share(sums["fuel_poor_households"], sums["households"]))


def read_neighbourhoods(names: pd.DataFrame) -> dict[str, str]:
    """Return what people call each MSOA of the source msoa_names, by its official name."""
    return dict(zip(names["msoa21_name"], names["neighbourhood"], strict=True))


def label_areas(areas: pd.DataFrame) -> "pd.Series[str]":
    """Label areas as people know them, and by their official name: `Margate Town (Thanet 003A)`."""
    called = areas["neighbourhood"]
    return (called + " (" + areas["area_name"] + ")").where(called.notna(), areas["area_name"])


def describe_areas(
    year: pd.DataFrame,
    boundaries: gpd.GeoDataFrame,
    deprivation: pd.DataFrame,
    tenure: pd.DataFrame,
    heating: pd.DataFrame,
    gas: pd.DataFrame,
    electricity: pd.DataFrame,
    place: Place,
    called: Mapping[str, str],
) -> gpd.GeoDataFrame:
    """Join one year's fuel poverty with outlines, deprivation, tenure, heating and energy use, by common area.

    Everything is brought to the areas of `geography.match_common_areas`, so counts are sums of whole LSOAs whatever
    census they belong to. Shares are computed from the sums; deprivation is the mean rank of an area's LSOAs.

    Args:
        year: the rows of one year of `prepare_years`.
        boundaries, deprivation, tenure, heating, gas, electricity: each by LSOA of 2011 or of 2021. An area without a
            gas row has no gas meters.
        place: the council.
        called: what people call an MSOA of 2021, by its official name; an LSOA's name is its MSOA's and a letter.

    Returns:
        A row an area, in the columns of the dataset area_fuel_poverty but for the model's.
    """
    pairs = match_common_areas(place.lookup)
    areas = boundaries[["geometry"]].assign(area_code=_find_areas(boundaries, pairs)).dissolve(by="area_code")
    names = place.lookup.assign(area_code=pairs["area_code"]).sort_values("lsoa11_code").groupby("area_code")
    areas["area_name"] = names["lsoa11_name"].first()
    areas["neighbourhood"] = names["lsoa21_name"].first().str[:-1].map(called)
    areas["lad22_code"] = names["lad22_code"].first()
    areas["lad22_name"] = names["lad22_name"].first()
    areas["lsoa11_codes"] = names["lsoa11_code"].agg(_join_codes)
    areas["lsoa21_codes"] = names["lsoa21_code"].agg(_join_codes)

    key = LSOA_COLUMNS[int(year["lsoa_vintage"].iloc[0])]
    fuel = _sum_by_area(year.rename(columns={"lsoa_code": key}), pairs, COUNTS)
    areas = areas.loc[areas.index.isin(fuel.index)]  # a part cut off from another council's LSOA has none before 2021
    areas[COUNTS] = fuel
    areas["year"], areas["measure"] = int(year["year"].iloc[0]), str(year["measure"].iloc[0])
    areas["fuel_poor_pct"] = compute_share(fuel["fuel_poor_households"], fuel["households"])

    ranks = deprivation["imd_rank"].groupby(_find_areas(deprivation, pairs)).mean()
    areas["deprivation_pct"] = (100 - compute_share(ranks, AREAS_RANKED[find_key(deprivation)])).round(2)
    for table, total in ((tenure, "tenure_households"), (heating, "heating_households")):
        counts = [column for column in table.columns if column.endswith("_households")]
        sums = _sum_by_area(table, pairs, counts)
        for column in (c for c in SHARES if c.replace("_pct", "_households") in counts):
            areas[column] = compute_share(sums[column.replace("_pct", "_households")], sums[total])
    return _add_energy(areas, pairs, gas, electricity).reset_index()


def _add_energy(
    areas: gpd.GeoDataFrame, pairs: pd.DataFrame, gas: pd.DataFrame, electricity: pd.DataFrame
) -> gpd.GeoDataFrame:
    for name, table in (("gas", gas), ("electricity", electricity)):
        used = table.assign(kwh=table[f"mean_{name}_kwh"] * table[f"{name}_meters"])
        sums = _sum_by_area(used, pairs, [f"{name}_meters", "kwh"]).reindex(areas.index, fill_value=0)
        sums = sums.astype("float64")  # the models take no integers with gaps
        areas[f"{name}_meters"] = sums[f"{name}_meters"]
        areas[f"mean_{name}_kwh"] = (sums["kwh"] / sums[f"{name}_meters"].where(sums[f"{name}_meters"] > 0)).round(1)
    # A few homes have two electricity meters, and in a few areas gas meters outnumber electricity meters.
    areas["no_gas_pct"] = (100 - compute_share(areas["gas_meters"], areas["electricity_meters"])).clip(0, 100).round(2)
    return areas.drop(columns=["gas_meters", "electricity_meters"])


def find_key(table: pd.DataFrame) -> str:
    """Return the column that says which LSOA a row is of, of 2021 or of 2011."""
    return next(column for column in reversed(LSOA_COLUMNS.values()) if column in table)


def _find_areas(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """Return the common area of each row."""
    key = find_key(table)
    return table[key].map(pairs.drop_duplicates(key).set_index(key)["area_code"])


def _sum_by_area(table: pd.DataFrame, pairs: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Sum a table's columns by common area."""
    return table.groupby(_find_areas(table, pairs))[columns].sum()


def _join_codes(codes: pd.Series) -> str:
    return "+".join(sorted(set(codes)))


def compute_share(part: pd.Series, whole: pd.Series | float) -> pd.Series:
    """Return part of whole in percent, with two decimals."""
    return (100 * part / whole).astype("float64").round(2)
