"""The invented England: its files fit together, in the publishers' layouts, for a council that merged as well."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from councilbook.catalogue import Council, TwinRequest, load_catalogue
from councilbook.culture.engagement import frame
from councilbook.culture.twin import engagement
from councilbook.paths import find_workbook

CATALOGUE = load_catalogue(find_workbook())
MERGED = Council(slug="north_yorkshire", name="North Yorkshire", codes={"E06000065": "North Yorkshire"})


def read(make, source: str, seed: int = 5, council: Council = MERGED) -> pd.DataFrame:
    return pd.read_csv(BytesIO(make(CATALOGUE.source(source), TwinRequest(council, seed))))


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    return read(engagement.make_active_lives, "active_lives")


@pytest.fixture(scope="module")
def imd() -> pd.DataFrame:
    return read(engagement.make_imd, "imd_2019_domains")


def test_it_has_the_authorities_of_2019_and_not_what_they_merged_into(survey) -> None:
    codes = set(survey["LA_code"])
    assert len(survey) == len(codes) == 317
    assert {"E07000163", "E07000169"} <= codes  # Craven and Selby
    assert "E06000065" not in codes
    assert survey["percent_culture"].between(0, 1).all()
    assert survey["percent_culture"].is_monotonic_decreasing


def test_small_areas_of_each_authority_are_in_the_index_and_in_every_census_table(survey, imd) -> None:
    assert set(imd["Local Authority District code (2019)"]) == set(survey["LA_code"])
    tables = {source: read(engagement.make_census, source) for source in frame.CENSUS}
    codes = {source: set(table["geography code"]) for source, table in tables.items()}
    assert len({frozenset(one) for one in codes.values()}) == 1
    qualified = tables["census_2021_qualifications"].iloc[:, 3:]
    assert (qualified.iloc[:, 1:].sum(axis=1) == qualified.iloc[:, 0]).all()
    born = tables["census_2021_birth"]
    eu = "Country of birth: Europe: EU countries"
    assert (born[f"{eu}: European Union EU14; measures: Value"] <= born[f"{eu}; measures: Value"]).all()


def test_ranks_have_commas_and_none_is_given_twice(imd) -> None:
    ranks = imd["Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"]
    assert ranks.str.contains(",").any()
    numbers = ranks.str.replace(",", "").astype(int)
    assert numbers.is_unique
    assert (numbers.min(), numbers.max()) == (1, 32_844)
    deciles = imd["Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"]
    assert (deciles == np.ceil(numbers / 3_284.4)).all()


def test_the_same_seed_gives_the_same_file_and_another_seed_another() -> None:
    first, again, other = (read(engagement.make_active_lives, "active_lives", seed) for seed in (5, 5, 6))
    assert first.equals(again)
    assert not first["percent_culture"].equals(other["percent_culture"])
