"""What is known of a council's small areas: indicators, who lives there, and how deprived they are."""

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
import pandas as pd

from councilbook.catalogue.councils import read_authorities
from councilbook.culture.people.survey import LAYOUT

RANKED = 32_844  # areas of England in the indices of 2019
CLASSES = {  # columns of the census by class of the survey
    "managers and professionals": ["higher_professionals", "lower_professionals"],
    "intermediate": ["intermediate"],
    "own account": ["self_employed"],
    "lower supervisory": ["supervisors"],
    "routine": ["semi_routine", "routine"],
    "students and others": ["never_worked", "students"],
}
TENURES = {
    "owned": ["owned_outright", "mortgaged", "shared_ownership", "rent_free"],
    "social rented": ["council_rented", "association_rented"],
    "private rented": ["landlord_rented", "other_rented"],
}
AGES = {"16 to 29": (15, 30), "30 to 44": (30, 45), "45 to 59": (45, 60), "60 to 74": (60, 75), "75 and over": (75, 90)}
OF_FIFTEEN_TO_NINETEEN = 0.8  # four of the five years are 16 or over


def read_indicators(tables: Mapping[str, pd.DataFrame], ranks: pd.Series) -> pd.DataFrame:
    """Read the indicators by which areas are sorted.

    Args:
        tables: of the census, by the id of their source, each by lsoa21_code.
        ranks: of deprivation by lsoa21_code, from `find_ranks`.

    Returns:
        By lsoa21_code: adults, and a share in percent each; deprivation_pct is 100 where England is most deprived.
    """
    qualified, classes = tables["census_2021_qualifications"], tables["census_2021_occupations"]
    tenure, cars, disabled = (tables[f"census_2021_{one}"] for one in ("tenure_england", "cars", "disability"))
    groups, homes = _add_up(classes, CLASSES), _add_up(tenure, TENURES)
    shares = {
        "degree_pct": qualified["level_4"] / qualified["adults"],
        "no_qualification_pct": qualified["no_qualification"] / qualified["adults"],
        "professional_pct": groups["managers and professionals"] / classes["classed_adults"],
        "routine_pct": groups["routine"] / classes["classed_adults"],
        "student_pct": classes["students"] / classes["classed_adults"],
        "social_rented_pct": homes["social rented"] / homes.sum(axis=1),
        "private_rented_pct": homes["private rented"] / homes.sum(axis=1),
        "owned_outright_pct": tenure["owned_outright"] / homes.sum(axis=1),
        "car_pct": 1 - cars["no_car"] / cars["car_households"],
        "disabled_pct": disabled[["limited_a_lot", "limited_a_little"]].sum(axis=1) / disabled["usual_residents"],
        "deprivation_pct": 1 - (ranks - 1) / (RANKED - 1),
    }
    table = (100 * pd.DataFrame(shares)).dropna()
    return table.assign(adults=qualified["adults"].reindex(table.index).astype(int))


def list_margins(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """List what the census says of each group of the survey, by area: counts, whose shares are what is raked to.

    Households stand for adults in tenure. Of age and ethnic group there is a margin where the table is there.
    """
    margins = {
        "class": _add_up(tables["census_2021_occupations"], CLASSES),
        "tenure": _add_up(tables["census_2021_tenure_england"], TENURES),
    }
    if (ages := tables.get("census_2021_age_lsoa")) is not None:
        first = pd.DataFrame({int(name.split("_")[1]): ages[name] for name in ages.filter(like="people_").columns})
        first[15] = first[15] * OF_FIFTEEN_TO_NINETEEN
        margins["age"] = _add_up(first, {name: range(low, high, 5) for name, (low, high) in AGES.items()})
    if (ethnic := tables.get("census_2021_ethnicity")) is not None:
        is_white = ethnic["group"].str.lower().str.startswith("white")
        names = is_white.map({True: "white", False: "other than white"})
        margins["ethnicity"] = ethnic.assign(name=names).pivot_table("people", "lsoa21_code", "name", "sum")
    return margins


def _add_up(table: pd.DataFrame, parts: Mapping[str, Iterable[Hashable]]) -> pd.DataFrame:
    return pd.DataFrame({name: table[list(columns)].sum(axis=1) for name, columns in parts.items()})


def find_ranks(ranks: pd.DataFrame, lookup: pd.DataFrame) -> pd.DataFrame:
    """Find ranks of deprivation by LSOA of 2021; an area that was merged has the mean rank of its parts.

    Args:
        ranks: lsoa11_code, and columns that end in _rank, 1 the most deprived.
        lookup: lsoa11_code, lsoa21_code.
    """
    pairs = lookup[["lsoa11_code", "lsoa21_code"]].drop_duplicates()
    return pairs.merge(ranks, on="lsoa11_code").groupby("lsoa21_code")[list(ranks.filter(like="_rank").columns)].mean()


def find_deciles(ranks: pd.DataFrame) -> pd.DataFrame:
    """Find the deciles of England that ranks lie in, as far as the survey has them: the publisher's own."""
    names = {name.replace("_decile", "_rank"): name for name in LAYOUT["deciles"]}
    known = ranks[[name for name in names if name in ranks]].rename(columns=names)
    deciles: pd.DataFrame = (10 * known / RANKED).apply(np.ceil)
    return deciles


def describe_areas(adults: pd.Series, deciles: pd.DataFrame, lookup: pd.DataFrame) -> pd.DataFrame:
    """Describe areas as the survey's model asks: by lsoa21_code, adults, region, district and deciles."""
    districts = lookup.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lad22_code"]
    known = read_authorities()
    regions = {code: known[code].region for code in districts.unique() if code in known}
    table = pd.DataFrame({"adults": adults, "district": districts}).dropna().join(deciles, how="inner")
    return table[table["adults"] > 0].assign(region=table["district"].map(regions))


def find_supergroups(groups: pd.DataFrame, lookup: pd.DataFrame) -> pd.Series:
    """Find the commonest supergroup of each LSOA's output areas, by lsoa21_code; the first of those as common."""
    known = groups.merge(lookup[["oa21_code", "lsoa21_code"]], on="oa21_code")
    return known.groupby("lsoa21_code")["supergroup"].agg(lambda one: one.mode().iloc[0])
