"""The synthetic population of two councils, drawn from the official files, against every count that it is fitted to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from councilbook.fuel_poverty.areas.official import prepare_years
from councilbook.fuel_poverty.households.indicators import measure_lilee
from councilbook.fuel_poverty.twin.population import THRESHOLDS, Population, draw_population
from councilbook.sources.geography import Place
from councilbook.study import Study

YEAR = 2022
# DESNZ (2024), sub-regional fuel poverty, 2022 data
TOTALS = {"kent_medway": (782357, 89335), "E06000047": (240176, 27562)}
OTHERS = "Part of a converted or shared house, including bedsits"
CONVERTED = "Part of another converted building, for example, former school, church or warehouse"
COMMERCIAL = "In a commercial building, for example, in an office building, hotel or over a shop"
HOUSEHOLD = "Household composition: "


@dataclass
class Council:
    place: Place
    frames: dict[str, pd.DataFrame]
    population: Population


def read_lsoas(mirror, table, names):
    raw = pd.read_csv(mirror / "england" / "census2021" / f"census2021-{table}-lsoa.csv")
    raw.columns = [column.removesuffix("; measures: Value") for column in raw.columns]
    return pd.DataFrame({name: raw[column] for name, column in {"lsoa21_code": "geography code", **names}.items()})


def read_output_areas(mirror, topic):
    return pd.read_csv(mirror / "england" / "census2021" / f"oa21_{topic}.csv.gz")


def read_composition(mirror):
    family, couples = "Single family household: ", ("Married or civil partnership couple", "Cohabiting couple family")
    dependent = ["Dependent children", "With dependent children"]
    parts = read_lsoas(
        mirror,
        "ts003",
        {
            "households": HOUSEHOLD + "Total",
            "one_person_66_plus_households": HOUSEHOLD + "One person household: Aged 66 years and over",
            "one_person_other_households": HOUSEHOLD + "One person household: Other",
            "family_66_plus_households": f"{HOUSEHOLD}{family}All aged 66 years and over",
            "married": f"{HOUSEHOLD}{family}{couples[0]}: {dependent[0]}",
            "cohabiting": f"{HOUSEHOLD}{family}{couples[1]}: {dependent[1]}",
            "lone_parent_dependent_children_households": f"{HOUSEHOLD}{family}Lone parent family: {dependent[1]}",
        },
    )
    parts["couple_dependent_children_households"] = parts.pop("married") + parts.pop("cohabiting")
    known = parts.columns.difference(["lsoa21_code", "households"])
    return parts.assign(other_households=parts["households"] - parts[known].sum(axis="columns"))


def read_frames(mirror, study):
    words = ["not deprived in any dimension", *(f"deprived in {word}" for word in ("one dimension", "two dimensions"))]
    words += ["deprived in three dimensions", "deprived in four dimensions"]
    deprivation = {f"Household is {word}": f"deprived_{n}_households" for n, word in enumerate(words)}
    total = {"total_households": "households"}
    raw = read_output_areas(mirror, "accommodation_type")
    names = {kind: f"{kind.lower().replace('-', '_')}_households" for kind in ("Detached", "Semi-detached", "Terraced")}
    accommodation = raw.rename(columns={**total, **names}).assign(
        purpose_built_flat_households=raw["In a purpose-built block of flats or tenement"],
        converted_flat_households=raw[OTHERS] + raw[CONVERTED],
        other_accommodation_households=raw[COMMERCIAL] + raw["A caravan or other mobile or temporary structure"],
    )
    fuel = prepare_years(study.load_series("sub_regional_fuel_poverty"))
    return {
        "postcodes": study.load_table(study.catalogue.source("postcode_directory"), None),
        "oa_deprivation": read_output_areas(mirror, "household_deprivation").rename(columns={**total, **deprivation}),
        "oa_accommodation": accommodation,
        "tenure": study.load("census_2021_tenure"),
        "heating": study.load("census_2021_heating"),
        "composition": read_composition(mirror),
        "fuel_poor": fuel[fuel["year"] == YEAR],
        "lookup": study.place.lookup,
    }


@pytest.fixture(scope="module", params=TOTALS)
def council(request, mirror):
    study = Study.open(
        "fuel_poverty",
        "2_areas",
        council=request.param,
        data="real",
        mirror=str(mirror),
        seed=1,
        run_date="2026-01-01",
    )
    frames = read_frames(mirror, study)
    return Council(study.place, frames, draw_population(**frames, seed=1))


def assert_margin(households, label, key, table, columns):
    """Each count is that of the table, scaled to the area's households, to less than one household."""
    found = pd.crosstab(households[key], label)
    table = table.set_index(key).loc[found.index, list(columns.values())].set_axis(list(columns), axis="columns")
    expected = table.div(table.sum(axis="columns"), axis="index").mul(found.sum(axis="columns"), axis="index")
    gaps = (found.reindex(columns=expected.columns, fill_value=0) - expected).abs()
    assert gaps.to_numpy().max() < 1


def test_fuel_poverty_is_the_official_figure_of_every_small_area(council, request):
    code = request.node.callspec.params["council"]
    fuel = council.frames["fuel_poor"].set_index("lsoa_code").loc[sorted(council.place.lsoas(2021))]
    assert tuple(fuel[["households", "fuel_poor_households"]].sum()) == TOTALS[code]
    assert council.population.left_out == ()
    found = council.population.households.groupby("lsoa21_code")["is_fuel_poor"].agg(["size", "sum"])
    assert found["size"].tolist() == fuel["households"].tolist()
    assert found["sum"].tolist() == fuel["fuel_poor_households"].tolist()


def test_the_indicator_says_of_every_household_what_the_population_says(council):
    households = council.population.households
    measured = measure_lilee(households, THRESHOLDS)["is_fuel_poor"]
    assert measured.equals(households["is_fuel_poor"])
    assert (households[["income_gbp_year", "ahc_income_gbp_year"]] >= 0).all(axis=None)


def test_households_are_those_of_the_output_areas(council):
    households = council.population.households
    deprivation = council.frames["oa_deprivation"].set_index("oa21_code")["households"]
    home = households.groupby("oa21_code").agg(found=("household_id", "size"), lsoa=("lsoa21_code", "first"))
    counted = deprivation.loc[home.index]
    scale = home.groupby("lsoa")["found"].transform("sum") / counted.groupby(home["lsoa"]).transform("sum")
    assert (home["found"] - counted * scale).abs().max() < 1


def test_accommodation_is_that_of_the_output_areas(council):
    households = council.population.households
    table = council.frames["oa_accommodation"]
    table = table.assign(flat=table["purpose_built_flat_households"] + table["converted_flat_households"])
    columns = {kind: f"{kind}_households" for kind in ("detached", "semi_detached", "terraced")}
    columns |= {"flat": "flat", "other": "other_accommodation_households"}
    assert_margin(households, households["accommodation"], "oa21_code", table, columns)


def test_tenure_and_heating_are_those_of_the_lsoas(council):
    households = council.population.households
    kinds = ("owned_outright", "mortgaged", "social_rented", "private_rented")
    columns = {kind: f"{kind}_households" for kind in kinds}
    assert_margin(households, households["tenure"], "lsoa21_code", council.frames["tenure"], columns)
    columns = {kind: f"{kind}_heating_households" for kind in ("gas", "electric", "oil")}
    columns["none"] = "no_heating_households"
    heating = council.frames["heating"]
    other = heating["heating_households"] - heating[list(columns.values())].sum(axis="columns")
    columns["other"] = "other"
    assert_margin(households, households["heating"], "lsoa21_code", heating.assign(other=other), columns)


def test_composition_is_that_of_the_lsoas(council):
    households = council.population.households
    children = households["children_14_plus"] + households["children_under_14"] > 0
    adults, is_old = households["adults"], households["youngest_age"] >= 66
    kinds = {
        "one_person_66_plus": (adults == 1) & is_old,
        "one_person_other": (adults == 1) & ~is_old & ~children,
        "family_66_plus": (adults == 2) & is_old,
        "couple_dependent_children": (adults == 2) & children,
        "lone_parent_dependent_children": (adults == 1) & children,
    }
    label = pd.Series(np.select(list(kinds.values()), list(kinds), "other"), households.index)
    columns = {kind: f"{kind}_households" for kind in [*kinds, "other"]}
    assert_margin(households, label, "lsoa21_code", council.frames["composition"], columns)


def test_a_year_with_areas_of_2011_is_met_by_common_areas(council):
    frames = council.frames
    pairs = frames["lookup"].groupby("lsoa21_code")["lsoa11_code"].first()
    old = frames["fuel_poor"].assign(lsoa_code=frames["fuel_poor"]["lsoa_code"].map(pairs))
    counts = ["households", "fuel_poor_households"]
    old = old.groupby("lsoa_code")[counts].sum().reindex(frames["lookup"]["lsoa11_code"].unique(), fill_value=0)
    drawn = draw_population(**{**frames, "fuel_poor": old.reset_index()}, seed=1)
    kept = old.drop(index=list(drawn.left_out))  # unchanged since 2011, so of the same code
    assert (len(drawn.households), drawn.households["is_fuel_poor"].sum()) == tuple(kept.sum())
