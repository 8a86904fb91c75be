"""Who trains apprentices in a district: starts by provider, as the Department for Education counts them.

Names of providers are written in capitals in one of its files and not in the other, and change; the number in brackets
(UKPRN) does not. The newest year may end before its end, as its name then says: "2025/26 (Aug to Apr)".
"""

import re

import pandas as pd

from councilbook.catalogue import Council
from councilbook.catalogue.councils import list_codes, read_authorities, shorten_name
from councilbook.errors import NotThereError
from councilbook.pages.html.wording import count_things
from councilbook.study import Study

NUMBER = r"\((\d{8})\)\s*$"
ALL, WHOLE = "all", "whole year"
NAMED_SECTORS = 3
STARTS = ["starts_here", "starts_of_residents"]


def load_starts(study: Study) -> tuple[pd.DataFrame, str]:
    """Load the starts of a council's apprentices by provider, with what is known of each provider.

    Returns:
        The table (see `count_starts`, `add_descriptions`), and in a sentence why it has no row or what it leaves out.
    """
    described = pd.DataFrame(columns=["provider", "sectors", "levels"], dtype="str")
    if study.has("provider_standards"):
        described = describe_providers(take_numbers(study.load("provider_standards")))
    if not study.has("provider_starts"):
        return _add_nothing(described), "There is no file of starts by provider and district."
    rows = take_numbers(study.load("provider_starts"))
    try:
        counted = count_starts(rows, study.finder.council)
    except NotThereError as error:
        return _add_nothing(described), str(error)
    left_out = rows.attrs["set_aside"]
    note = f"{count_things(left_out, 'row')} without a provider's number left out." if left_out else ""
    return add_descriptions(counted, described), note


def _add_nothing(described: pd.DataFrame) -> pd.DataFrame:
    """Return the table with no row."""
    nothing = pd.DataFrame(columns=["ukprn", "provider", "year", "months"], dtype="str")
    return add_descriptions(nothing.assign(**dict.fromkeys(STARTS, pd.Series(dtype="int64"))), described)


def take_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Split the provider's name and number; rows whose name has no number in brackets are left out, and counted.

    Returns:
        The rows with ukprn and provider; `attrs["set_aside"]` is how many were left out.
    """
    number = rows["provider_name"].str.extract(NUMBER)[0]
    name = rows["provider_name"].str.replace(NUMBER, "", regex=True).str.strip()
    kept = rows.assign(ukprn=number, provider=name)[number.notna()]
    kept.attrs["set_aside"] = int(number.isna().sum())
    return kept


def list_names(council: Council) -> set[str]:
    """List the names that a council's districts go by, now or in the past, less the words for their kind."""
    known = read_authorities()
    codes = {code for own in council.codes for code in list_codes(own)}
    names = {name for code in codes if code in known for name in known[code].short_names}
    return names | {shorten_name(name or f"District {code}") for code, name in council.codes.items()}


def count_starts(rows: pd.DataFrame, council: Council) -> pd.DataFrame:
    """Count a council's apprenticeship starts by provider and year: of its residents, and of who trains there.

    Args:
        rows: year, ukprn, provider, learner_home_lad, delivery_lad, starts.
        council: whose districts are counted.

    Returns:
        ukprn, provider, year (as 2025/26), months (which of them are counted), starts_here, starts_of_residents; and
        for each year a row of all providers. Rows in which both are 0 are left out.

    Raises:
        NotThereError: nobody both lives and trains there, so the file was cut to other districts.
    """
    names = list_names(council)
    home, here = (
        rows[column].map(shorten_name, na_action="ignore").isin(names)
        for column in ("learner_home_lad", "delivery_lad")
    )
    if not (home & here).any():
        raise NotThereError(
            f"No apprentice in the file both lives and trains in {council.name or ' or '.join(council.codes)}: it was "
            "cut to other districts, or names these otherwise. Get the file of all districts from its landing page."
        )
    counted = rows.assign(starts_here=rows["starts"].where(here, 0), starts_of_residents=rows["starts"].where(home, 0))
    by_provider = counted.groupby(["ukprn", "year"], as_index=False)[STARTS].sum()
    total = counted.groupby("year", as_index=False)[STARTS].sum().assign(ukprn=ALL)
    table = pd.concat([by_provider, total], ignore_index=True)
    table = table[table[STARTS].sum(axis="columns") > 0]
    names_of = rows.drop_duplicates("ukprn", keep="last").set_index("ukprn")["provider"]
    months = table["year"].str.extract(r"\((.+)\)")[0].fillna(WHOLE)
    return table.assign(
        provider=table["ukprn"].map(names_of).fillna("All providers"),
        year=table["year"].str.replace(r"\s*\(.*", "", regex=True),
        months=months.str.replace("Aug to ", "August to ").str.replace("Apr", "April"),
    ).reset_index(drop=True)


def describe_providers(standards: pd.DataFrame) -> pd.DataFrame:
    """Say what each provider trains for in England, in which sectors most, and how its name is really written.

    Args:
        standards: ukprn, provider, year, level, sector, measure (Starts among others), starts.

    Returns:
        By ukprn: provider, sectors (the three with most starts, joined by ;), levels (all, joined by ;).
    """
    started = standards[standards["measure"].eq("Starts") & standards["starts"].gt(0)]
    by_sector = started.groupby(["ukprn", "sector"])["starts"].sum().reset_index()
    by_sector = by_sector.sort_values(["starts", "sector"], ascending=[False, True])
    grouped = started.sort_values("level").drop_duplicates(["ukprn", "level"]).groupby("ukprn")
    return pd.DataFrame(
        {
            "provider": standards.groupby("ukprn")["provider"].last(),
            "sectors": by_sector.groupby("ukprn")["sector"].agg(lambda names: "; ".join(names.head(NAMED_SECTORS))),
            "levels": grouped["level"].agg(lambda names: "; ".join(shorten_level(name) for name in names)),
        }
    )


def shorten_level(name: str) -> str:
    """Write Advanced for Advanced Apprenticeship."""
    return re.sub(r"\s+apprenticeship$", "", name, flags=re.IGNORECASE)


def add_descriptions(starts: pd.DataFrame, described: pd.DataFrame) -> pd.DataFrame:
    """Add to starts by provider what `describe_providers` says; missing where it says nothing."""
    more = starts[["ukprn"]].join(described, on="ukprn")
    return starts.assign(
        provider=more["provider"].fillna(starts["provider"]), sectors=more["sectors"], levels=more["levels"]
    )
