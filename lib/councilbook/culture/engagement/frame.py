"""England's small areas with what the census says of them, and the authority of 2019 that each lies in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from councilbook.errors import CheckError

NAMES = ["lsoa21_code", "lsoa21_name"]
CENSUS = {
    "census_2021_qualifications": "adults",
    "census_2021_occupations": "classed_adults",
    "census_2021_cars": "car_households",
    "census_2021_tenure_england": "tenure_households",
    "census_2021_birth": "born_people",
    "census_2021_travel": "workers",
    "census_2021_disability": "usual_residents",
}  # source: the column with everybody in its table
IMD = ["imd_rank"]
DOMAINS = [f"{name}_rank" for name in ("income", "employment", "education", "health", "crime", "barriers")]
DOMAINS += ["living_environment_rank"]


@dataclass(frozen=True)
class Frame:
    """England by LSOA of 2021.

    Attributes:
        areas: lsoa21_code, lsoa21_name, lad19_code, adults, imd_decile, IMD and DOMAINS (ranks): a row an LSOA.
        shares: what the census says of the same rows: shares of people or households, from 0 to 1.
        set_aside: what was left out, and how often: what, areas.
    """

    areas: pd.DataFrame
    shares: pd.DataFrame
    set_aside: pd.DataFrame


def build_frame(census: Mapping[str, pd.DataFrame], imd: pd.DataFrame, lookup: pd.DataFrame) -> Frame:
    """Join the tables of the census, and give each LSOA of 2021 its authority of 2019 and its deprivation.

    An LSOA of 2011 that the lookup does not have kept its code. One of 2021 that was made of several takes the
    authority of the first and the mean of their ranks.

    Args:
        census: the tables of England by source, for each of CENSUS.
        imd: lsoa11_code, lad19_code, imd_decile and ranks, of all England.
        lookup: lsoa11_code, lsoa21_code.

    Raises:
        CheckError: a table lacks LSOAs that the table of qualifications has.
    """
    first = census["census_2021_qualifications"].set_index("lsoa21_code")
    parts = [_take_shares(census[source], total, source, first.index) for source, total in CENSUS.items()]
    shares = pd.concat(parts, axis=1)
    unchanged = imd.loc[~imd["lsoa11_code"].isin(lookup["lsoa11_code"]), ["lsoa11_code"]]
    pairs = pd.concat([lookup[["lsoa11_code", "lsoa21_code"]], unchanged.assign(lsoa21_code=unchanged["lsoa11_code"])])
    joined = pairs.merge(imd, on="lsoa11_code").sort_values(["lsoa21_code", "lsoa11_code"]).groupby("lsoa21_code")
    kinds = joined[["lad19_code", "imd_decile"]].first().join(joined[[*IMD, *DOMAINS]].mean())
    areas = first[["lsoa21_name", "adults"]].join(kinds)
    nowhere, empty = areas["lad19_code"].isna(), shares.isna().any(axis=1) | areas["adults"].eq(0)
    left = [("LSOAs without an authority of 2019", nowhere.sum()), ("LSOAs without people or homes", empty.sum())]
    kept = ~nowhere & ~empty
    areas = areas[kept].astype({"imd_decile": "int64"}).reset_index()
    return Frame(areas, shares[kept].reset_index(drop=True), pd.DataFrame(left, columns=["what", "areas"]))


def compare_counts(totals: Mapping[str, float]) -> pd.DataFrame:
    """List how many people several tables count, and how far each is from the first: table, people, more."""
    counts = pd.DataFrame({"table": list(totals), "people": list(totals.values())}).astype({"people": "int64"})
    return counts.assign(more=counts["people"] - counts["people"].iloc[0])


def _take_shares(table: pd.DataFrame, total: str, source: str, codes: pd.Index) -> pd.DataFrame:
    """Divide the counts of a table by the column with everybody."""
    counts = table.set_index("lsoa21_code")
    if len(absent := codes.difference(counts.index)):
        raise CheckError(
            f"{source}: {len(absent)} LSOAs have no row that census_2021_qualifications has, as {absent[0]}; expected "
            "both to be of all England."
        )
    kinds = counts.reindex(codes).drop(columns=["lsoa21_name", total])
    whole = counts.reindex(codes)[total].replace(0, np.nan)
    return kinds.div(whole, axis=0)
