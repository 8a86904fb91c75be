"""Funding: which public money for culture goes to a council's area, and how much that is a head."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from councilbook.catalogue.councils import find_county, list_codes
from councilbook.culture.reach.homes import AGES
from councilbook.culture.venues.places import find_code
from councilbook.study import Study

GRANTS = "project grants"
NPO_2023, NPO_2018 = "investment programme (a year)", "national portfolio"
RECOVERY = {"first": "first round", "capital": "capital", "second": "second round"}
NEWEST, MID_2020 = 2021, 2020  # years of the census and of the estimate that heads are counted by
LEAST_AUTHORITIES = 100  # that a file of all of England names; one that is cut names a few


@dataclass(frozen=True)
class Heads:
    """People of a council by the year of the count, and of England in the newest; missing what is not there."""

    own: Mapping[int, int]
    england: int | None


def load_awards(study: Study) -> pd.DataFrame:
    """Load the awards of every programme that is there: programme, years, year (for heads), file,
    authority, award_gbp.

    No recipient is read: some are people.
    """
    found = []
    if study.has("ace_project_grants"):
        rows = study.load("ace_project_grants")
        year = rows["awarded"].dt.year
        found.append(rows.assign(programme=GRANTS, years=year.astype("str"), year=year, file=GRANTS))
    if study.has("npo_2018"):
        rows = study.load("npo_2018")
        total = rows.filter(regex=r"^award_\d{4}_gbp$").sum(axis=1)
        found.append(
            rows.assign(award_gbp=total, programme=NPO_2018, years="2018/19 to 2021/22", year=2020, file=NPO_2018)
        )
    if study.has("npo_2023"):
        rows = study.load("npo_2023")
        found.append(rows.assign(programme=NPO_2023, years="2023/24 to 2025/26", year=2024, file=NPO_2023))
    if study.has("culture_recovery_fund"):
        for table, programme in RECOVERY.items():
            rows = study.load("culture_recovery_fund", table)
            named = f"recovery fund, {programme}"
            found.append(rows.assign(programme=named, years="2020/21", year=2020, file="recovery fund"))
    columns = ["programme", "years", "year", "file", "authority", "award_gbp"]
    if not found:
        return pd.DataFrame(columns=columns)
    every = pd.concat([one.rename(columns={"local_authority": "authority"})[columns] for one in found])
    return every.dropna(subset=["award_gbp"]).reset_index(drop=True)


def load_heads(study: Study) -> Heads:
    """Load how many people live in a council's area, and in England, as far as it is there."""
    own: dict[int, int] = {}
    england = None
    if study.has("population_2021_districts"):
        rows = study.load("population_2021_districts").set_index("lad_code")["people"]
        here = rows[rows.index.isin(_list_own(study))]
        own |= {NEWEST: int(here.sum())} if len(here) else {}
        england = int(rows[rows.index.str.startswith("E")].sum())
    for source in filter(study.has, AGES):
        own[MID_2020] = int(study.load(source)["people"].sum())
    return Heads(own, england)


def _list_own(study: Study) -> set[str]:
    codes = study.finder.council.codes
    county = find_county(codes)
    return {past for code in codes for past in list_codes(code)} | ({county.gss_code} if county else set())


def sum_funding(study: Study, awards: pd.DataFrame, heads: Heads) -> pd.DataFrame:
    """Sum the awards of a council's area, by programme and years, with the sum a head.

    A programme whose file is cut to a few other authorities is left out: that it names none here is no zero.

    Returns:
        A row a programme and its years, as culture_funding has it.
    """
    districts = study.place.lookup.drop_duplicates("lad22_code").set_index("lad22_name")["lad22_code"].to_dict()
    names = awards["authority"].dropna().unique()
    codes = {name: districts.get(name) or find_code(name) for name in names}
    code = awards["authority"].map(codes)
    own = _list_own(study) | set(districts.values())
    rows = []
    for (programme, years), part in awards.groupby(["programme", "years"], sort=False):
        whole = awards[awards["file"].eq(part["file"].iloc[0])]
        authorities = whole["authority"].map(codes).replace("", None).nunique()
        here = part[code.loc[part.index].isin(own)]
        is_national = authorities >= LEAST_AUTHORITIES
        if not (is_national or code.loc[whole.index].isin(own).any()):
            continue
        counted = min(heads.own, key=lambda one: abs(one - part["year"].iloc[0]), default=None)
        amount = float(here["award_gbp"].sum())
        people = heads.own.get(counted) if counted else None
        england = part["award_gbp"].sum() / heads.england if is_national and heads.england else None
        a_head = amount / people if people else None
        rows.append((programme, years, len(here), amount, people, counted, a_head, england, authorities))
    columns = ["programme", "years", "awards", "amount_gbp", "people", "people_year", "amount_gbp_head"]
    columns += ["england_gbp_head", "authorities"]
    table = pd.DataFrame(rows, columns=columns).sort_values(["programme", "years"], ignore_index=True)
    kinds = {"awards": "int64", "authorities": "int64", "people": "Int64", "people_year": "Int64"}
    return table.astype(kinds | {"amount_gbp_head": "float64", "england_gbp_head": "float64"})
