"""Synthetic twins of the closed and the shared sources: records of households, people, homes and measures.

All are drawn together, from one `population`, so that a household's records fit each other as linked records would.
"""

import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.fuel_poverty.twin.outcomes import draw_outcomes
from councilbook.fuel_poverty.twin.population import Population, draw_population
from councilbook.twins.places import write_large_csv

OFFICIAL = "sub_regional_fuel_poverty"  # the twins are fitted to its newest year
SAMPLE_AREAS = 60  # LSOAs of a sample's extract: enough to leave whole districts out, and drawn within seconds
TRIAL_AREAS = 40  # LSOAs of a trial that is repeated


def make_records(_source: Source, request: TwinRequest) -> dict[str, bytes]:
    """Make the extracts of all sources that are about the same households: see `population` for what is in them.

    In a sample they are of about SAMPLE_AREAS small areas, evenly spread over the districts; in a real run of all.

    Returns:
        By id of the source, a CSV.
    """
    population = draw_records(request, SAMPLE_AREAS if request.mode == "sample" else None)
    homes = population.households.set_index("household_id")["lsoa21_code"]
    outcomes = draw_outcomes(population, request.seed)
    tables = {
        "kid_households": population.households,
        "kid_people": _add_area(population.people, homes),
        "household_outcomes": _add_area(outcomes, homes),
        "interventions_register": _add_area(population.interventions, homes),
        "wellbeing_acorn": population.acorn,
        "epc_register": population.epc.rename(columns={"total_floor_area_m2": "total_floor_area"}).rename(
            columns=str.upper
        ),
    }
    return {name: write_large_csv(table) for name, table in tables.items()}


def draw_trial(request: TwinRequest, homes_spread: float) -> Population:
    """Draw a population of about TRIAL_AREAS small areas, for an assumption about how homes of one area differ."""
    return draw_records(request, TRIAL_AREAS, homes_spread)


def draw_records(request: TwinRequest, most_areas: int | None = None, homes_spread: float = 1.0) -> Population:
    """Draw the population that the extracts are of, from the open tables that the request loads.

    Args:
        request: council, seed and tables.
        most_areas: about how many small areas, spread evenly over the districts; None: all.
        homes_spread: how much homes of one area differ; see `population.draw_population`.
    """
    lookup = request.load("lsoa_lookup")
    return draw_population(
        postcodes=request.load("postcode_directory"),
        oa_deprivation=request.load("census_2021_oa_deprivation"),
        oa_accommodation=_sum_accommodation(request.load("census_2021_oa_accommodation")),
        tenure=request.load("census_2021_tenure"),
        heating=request.load("census_2021_heating"),
        composition=_sum_composition(request.load("census_2021_composition")),
        fuel_poor=request.load(OFFICIAL),
        lookup=_choose_areas(lookup, most_areas) if most_areas else lookup,
        seed=request.seed,
        homes_spread=homes_spread,
    )


def _sum_accommodation(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        converted_flat_households=table["converted_house_households"] + table["converted_building_households"],
        other_accommodation_households=table["commercial_building_households"] + table["mobile_households"],
    )


def _sum_composition(table: pd.DataFrame) -> pd.DataFrame:
    """Put couples with dependent children together, and count all that no other kind holds as "other"."""
    couples = table["married_dependent_children_households"] + table["cohabiting_dependent_children_households"]
    known = ["one_person_66_plus", "one_person_other", "family_66_plus", "lone_parent_dependent_children"]
    rest = table["households"] - couples - table[[f"{kind}_households" for kind in known]].sum(axis="columns")
    return table.assign(couple_dependent_children_households=couples, other_households=rest)


def _choose_areas(lookup: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose every so-many-th LSOA, in the order of districts."""
    codes = lookup.sort_values(["lad22_code", "lsoa21_code"])["lsoa21_code"].drop_duplicates()
    return lookup[lookup["lsoa21_code"].isin(codes.iloc[:: max(1, len(codes) // most)])]


def _add_area(table: pd.DataFrame, homes: pd.Series) -> pd.DataFrame:
    """Say where the household lives, as an extract would that is cut to one council."""
    return table.assign(lsoa21_code=table["household_id"].map(homes))
