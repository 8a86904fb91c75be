"""What is newer than what was used, what is due, where a series was revised, and second official figures."""

import pytest

from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.paths import find_workbook
from councilbook.sources.editions import describe_outdated, describe_second_figures, find_breaks, list_absent

SERIES = "sub_regional_fuel_poverty"
TITLE = "Sub-regional fuel poverty, England"


@pytest.fixture(scope="module")
def whole() -> Catalogue:
    return load_catalogue(find_workbook())


@pytest.mark.parametrize(
    ("used", "run_date", "told"),
    [
        ([2013, 2022], "2026-11-29", [f"{TITLE}: 2022 is used here, and 2024 is out"]),
        ([2022, 2024], "2026-11-29", []),
        ([2022, 2024], "2027-05-31", []),
        ([2024], "2027-06-01", [f"{TITLE}: 2024 is used here, and the next was due by 31 May 2027"]),
    ],
)
def test_a_newer_edition_or_one_that_was_due_is_told(
    used: list[int], run_date: str, told: list[str], whole: Catalogue
) -> None:
    assert describe_outdated(whole, [f"{SERIES}_{year}" for year in used], run_date) == told


def test_each_series_is_told_by_its_newest_edition_and_what_is_gone_from_the_catalogue_is_passed_over(
    whole: Catalogue,
) -> None:
    told = describe_outdated(whole, ["gas_2019", "electricity_2019", "electricity_2024", "gone"], "2026-11-29")
    assert told == ["LSOA domestic gas consumption: 2019 is used here, and 2024 is out"]


def test_a_revision_is_a_break_only_between_years_that_there_are(whole: Catalogue) -> None:
    assert list(find_breaks(whole, SERIES, {2019, 2022, 2023})) == [2022.5]
    assert find_breaks(whole, SERIES, {2019, 2022}) == find_breaks(whole, SERIES, {2023, 2024}) == {}
    assert list_absent(whole, SERIES, set(range(2011, 2023)) - {2012}) == [2012, 2023, 2024]


def test_a_second_official_figure_is_told_for_the_years_that_are_used_and_is_no_error(whole: Catalogue) -> None:
    both = describe_second_figures(whole, SERIES, {2022, 2023, 2024})
    for part in ("13.0%", "11.4%", "11.0%", "9.95%", "uses the tables for 2023 and 2024", "no errors"):
        assert part in both
    one = describe_second_figures(whole, SERIES, {2023})
    assert "for 2023," in one
    assert "9.95%" not in one
    assert describe_second_figures(whole, SERIES, {2022}) == ""


def test_every_source_of_fuel_poverty_says_how_often_it_comes(whole: Catalogue) -> None:
    silent = [one.id for one in whole.sources_of("fuel_poverty") if not one.frequency]
    assert silent == []
