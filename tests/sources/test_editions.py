"""Which editions there are, and what is newer than what was used, or due."""

import pytest

from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.paths import find_workbook
from councilbook.sources.editions import describe_outdated, list_editions

SERIES = "sub_regional_fuel_poverty"
TITLE = "Sub-regional fuel poverty, England"


@pytest.fixture(scope="module")
def whole() -> Catalogue:
    return load_catalogue(find_workbook())


@pytest.mark.parametrize(
    ("used", "run_date", "told"),
    [
        ([2013, 2022], "2026-11-29", [f"{TITLE}, of 2022 here, while that of 2024 is out"]),
        ([2022, 2024], "2026-11-29", []),
        ([2022, 2024], "2027-05-31", []),
        ([2024], "2027-06-01", [f"{TITLE}, of 2024 here; the next was due by 31 May 2027"]),
    ],
)
def test_a_newer_edition_or_one_that_was_due_is_told(
    used: list[int], run_date: str, told: list[str], whole: Catalogue
) -> None:
    assert describe_outdated(whole, [f"{SERIES}_{year}" for year in used], run_date) == told


def test_each_series_is_told_by_its_newest_edition_and_what_is_gone_from_the_catalogue_is_passed_over(
    whole: Catalogue,
) -> None:
    used = ["national_energy_measures", "gas_2019", "electricity_2019", "electricity_2024", "gone"]
    assert describe_outdated(whole, used, "2026-11-29") == [
        "LSOA domestic gas consumption, of 2019 here, while that of 2024 is out",
        "Household Energy Efficiency statistics, measures installed by month and scheme, of 23 June 2022 here; the "
        "next was due by 31 July 2022",
    ]


def test_editions_are_listed_with_what_was_revised_or_said_twice(whole: Catalogue) -> None:
    editions = list_editions(whole, SERIES).set_index("edition")
    assert editions.index.tolist() == list(range(2011, 2025))
    assert editions.index[editions["revised"].notna()].tolist() == [2023]
    assert editions.index[editions["also_published"].notna()].tolist() == [2023, 2024]
    assert editions.loc[2024, "published"] == "2026-05-14"


def test_every_source_of_fuel_poverty_says_how_often_it_comes(whole: Catalogue) -> None:
    silent = [one.id for one in whole.sources_of("fuel_poverty") if not one.frequency]
    assert silent == []
