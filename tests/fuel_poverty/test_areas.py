"""Fuel poverty by area: shares, the publisher's totals, and areas that are the same in both censuses."""

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from councilbook.catalogue import Council
from councilbook.errors import CheckError, ParameterError
from councilbook.fuel_poverty.areas.official import (
    check_district_sums,
    choose_year,
    compute_share,
    describe_areas,
    label_areas,
    prepare_years,
    sum_districts,
    sum_years,
)
from councilbook.sources.geography import Place

# a: unchanged; b: split into c and d; e and f: merged into g; h: unchanged, in the other district
PLACE = Place(
    Council(slug="here", name="Here", codes={"E07000001": "North", "E07000002": "South"}),
    "Here",
    pd.DataFrame(
        [
            ("E01h", "Town 9", "E01h", "E07000002", "South"),
            ("E01f", "Town 5", "E01g", "E07000001", "North"),
            ("E01e", "Town 4", "E01g", "E07000001", "North"),
            ("E01b", "Town 2", "E01d", "E07000001", "North"),
            ("E01b", "Town 2", "E01c", "E07000001", "North"),
            ("E01a", "Town 1", "E01a", "E07000001", "North"),
        ],
        columns=["lsoa11_code", "lsoa11_name", "lsoa21_code", "lad22_code", "lad22_name"],
    ).assign(lsoa21_name=lambda lookup: lookup["lsoa11_name"] + "A"),
)
CALLED = {"Town 2": "Market Cross", "Town 9": "Old Harbour"}
OLD = ["E01a", "E01b", "E01e", "E01f", "E01h"]
NEW = ["E01a", "E01c", "E01d", "E01g", "E01h"]


def stack(*rows: tuple[str, str, int, int, float, int, int]) -> pd.DataFrame:
    """Rows as `Study.load_series` gives them, from tuples in the order of the columns below."""
    columns = ["lsoa_code", "lad_code", "households", "fuel_poor_households", "published_fuel_poor_pct"]
    return pd.DataFrame(rows, columns=[*columns, "edition", "vintage"])


def test_shares_are_computed_from_counts_and_the_measure_changes_in_2019() -> None:
    years = prepare_years(stack(("E01a", "N", 300, 50, 16.7, 2018, 2011), ("E01a", "N", 301, 50, 16.6, 2019, 2011)))
    assert years["fuel_poor_pct"].tolist() == [16.67, 16.61]
    assert years["measure"].tolist() == ["LIHC", "LILEE"]
    assert years[["year", "lsoa_vintage"]].to_numpy().tolist() == [[2018, 2011], [2019, 2011]]


@given(st.integers(1, 5000).flatmap(lambda homes: st.tuples(st.just(homes), st.integers(0, homes))))
def test_a_published_share_rounded_to_one_decimal_always_agrees(counts: tuple[int, int]) -> None:
    homes, poor = counts
    published = round(100 * poor / homes, 1)
    assert len(prepare_years(stack(("E01a", "N", homes, poor, published, 2020, 2011)))) == 1


@pytest.mark.parametrize("published", [16.5, 16.8, 0.167])
def test_a_share_that_is_not_the_published_one_is_told_with_both(published: float) -> None:
    with pytest.raises(
        CheckError, match=rf"1 areas have another share than published, as E01b in 2018: computed 16\.67.*{published}"
    ):
        prepare_years(stack(("E01a", "N", 300, 50, 16.7, 2018, 2011), ("E01b", "N", 300, 50, published, 2018, 2011)))


def test_more_fuel_poor_households_than_households_are_an_error() -> None:
    with pytest.raises(CheckError, match="1 areas have more fuel-poor households than households"):
        prepare_years(stack(("E01a", "N", 300, 301, 100.3, 2018, 2011)))


# --- the publisher's own totals ---

SEFTON, ST_HELENS = "E08000014", "E08000013"


def by_year(year: int) -> pd.DataFrame:
    """Small areas of Sefton and St Helens, right by their codes."""
    return prepare_years(
        stack(
            ("E01a", SEFTON, 100, 20, 20, year, 2011),
            ("E01b", SEFTON, 100, 10, 10, year, 2011),
            ("E01c", ST_HELENS, 100, 15, 15, year, 2011),
        )
    )


def totals(year: int, sefton: tuple[int, int], st_helens: tuple[int, int]) -> pd.DataFrame:
    columns = ["lad_code", "households", "fuel_poor_households", "edition"]
    return pd.DataFrame([(SEFTON, *sefton, year), (ST_HELENS, *st_helens, year)], columns=columns)


def test_areas_that_add_up_to_the_district_table_pass() -> None:
    check_district_sums(by_year(2021), totals(2021, (200, 30), (100, 15)))


def test_the_two_districts_whose_codes_are_swapped_in_2022_are_compared_rightly() -> None:
    check_district_sums(by_year(2022), totals(2022, (100, 15), (200, 30)))
    with pytest.raises(CheckError, match=r"2 groups, as 2022 E08000013"):
        check_district_sums(by_year(2022), totals(2022, (200, 30), (100, 15)))


def test_swapped_codes_of_any_other_year_are_an_error() -> None:
    with pytest.raises(CheckError, match=r"2 groups, as 2021 E08000013"):
        check_district_sums(by_year(2021), totals(2021, (100, 15), (200, 30)))


def test_a_difference_of_one_household_is_an_error() -> None:
    with pytest.raises(CheckError, match=r"Sub-regional fuel poverty: .* 1 groups, as 2021 E08000014.*: 30\}.*: 31\}"):
        check_district_sums(by_year(2021), totals(2021, (200, 31), (100, 15)))


# --- sums over districts and years ---


def test_areas_of_2001_that_are_gone_are_counted_where_most_of_their_old_district_is_now() -> None:
    years = prepare_years(
        stack(
            ("E01a", "old north", 100, 10, 10, 2011, 2001),
            ("E01b", "old north", 100, 20, 20, 2011, 2001),
            ("E01h", "old north", 100, 30, 30, 2011, 2001),  # now in the south
            ("E01gone", "old north", 100, 40, 40, 2011, 2001),
            ("E01d", "E07000001", 50, 5, 10, 2021, 2021),
            ("E01h", "E07000002", 50, 10, 20, 2021, 2021),
        )
    )
    sums = sum_districts(years, PLACE)
    columns = ["lad22_name", "year", "measure", "households", "fuel_poor_households", "fuel_poor_pct"]
    assert sums[columns].to_numpy().tolist() == [
        ["North", 2011, "LIHC", 300, 70, 23.33],
        ["North", 2021, "LILEE", 50, 5, 10.0],
        ["South", 2011, "LIHC", 100, 30, 30.0],
        ["South", 2021, "LILEE", 50, 10, 20.0],
    ]
    assert sums["lad22_code"].unique().tolist() == ["E07000001", "E07000002"]


def test_an_area_of_2011_in_two_districts_counts_in_the_one_whose_code_the_table_has() -> None:
    cut = PLACE.lookup["lsoa21_code"].eq("E01d")
    lookup = PLACE.lookup.assign(
        lad22_code=PLACE.lookup["lad22_code"].mask(cut, "E07000002"),
        lad22_name=PLACE.lookup["lad22_name"].mask(cut, "South"),
    )
    rows = (("E01b", "E07000001", 47, 5, 10.64, 2013, 2011), ("E01h", "E07000002", 50, 10, 20.0, 2013, 2011))
    years = prepare_years(stack(*((code, lad, homes, n, pct, y, v) for code, lad, homes, n, pct, y, v in rows)))
    sums = sum_districts(years, Place(PLACE.council, PLACE.name, lookup))
    assert sums[["lad22_name", "households"]].to_numpy().tolist() == [["North", 47], ["South", 50]]


def test_the_newest_year_by_lilee_is_chosen_or_the_one_that_is_asked_for() -> None:
    years = pd.concat([by_year(2018), by_year(2019), by_year(2023)])
    assert choose_year(years, 0)["year"].unique().tolist() == [2023]
    assert choose_year(years, 2019)["year"].unique().tolist() == [2019]
    for wanted in (2018, 2022):
        with pytest.raises(ParameterError, match=r"expected a year with figures by LILEE \(2019, 2023\)"):
            choose_year(years, wanted)


def test_years_are_summed_over_all_areas() -> None:
    years = pd.concat([by_year(2018), by_year(2019).head(2)])
    assert sum_years(years).to_dict("records") == [
        {
            "year": 2018,
            "measure": "LIHC",
            "areas": 3,
            "households": 300,
            "fuel_poor_households": 45,
            "fuel_poor_pct": 15.0,
        },
        {
            "year": 2019,
            "measure": "LILEE",
            "areas": 2,
            "households": 200,
            "fuel_poor_households": 30,
            "fuel_poor_pct": 15.0,
        },
    ]


def test_a_share_of_a_year_counts_large_areas_for_more_than_small_ones() -> None:
    years = prepare_years(
        stack(
            ("E01a", "E07000001", 100, 30, 30, 2018, 2011),
            ("E01b", "E07000001", 900, 45, 5, 2018, 2011),
            ("E01h", "E07000002", 1500, 25, 1.7, 2018, 2011),
            ("E01a", "E07000001", 120, 30, 25, 2019, 2011),
            ("E01b", "E07000001", 880, 20, 2.3, 2019, 2011),
        )
    )
    columns = ["year", "areas", "households", "fuel_poor_households", "fuel_poor_pct"]
    assert sum_years(years)[columns].to_numpy().tolist() == [[2018, 3, 2500, 100, 4.0], [2019, 2, 1000, 50, 5.0]]
    districts = sum_districts(years, PLACE)[["lad22_name", "year", "fuel_poor_pct"]]
    assert districts.to_numpy().tolist() == [["North", 2018, 7.5], ["North", 2019, 5.0], ["South", 2018, 1.67]]


def test_the_share_of_nothing_is_missing() -> None:
    assert pd.isna(compute_share(pd.Series([0]), pd.Series([0]))[0])


# --- common areas ---

BOUNDARIES = gpd.GeoDataFrame(
    {"lsoa11_code": OLD, "lsoa11_name": OLD}, geometry=[box(x, 50, x + 1, 51) for x in range(5)], crs=4326
)
IMD = pd.DataFrame({"lsoa11_code": OLD, "imd_rank": [32844, 16422, 2640, 2641, 1]})
TENURE = pd.DataFrame(
    {
        "lsoa21_code": NEW,
        "tenure_households": [100, 100, 300, 200, 50],
        "owned_outright_households": [50, 0, 100, 20, 0],
        "social_rented_households": [10, 40, 0, 20, 50],
        "private_rented_households": [0, 10, 0, 20, 0],
    }
)
HEATING = pd.DataFrame(
    {
        "lsoa21_code": NEW,
        "heating_households": [100, 100, 300, 200, 50],
        "no_heating_households": [1, 1, 3, 2, 0],
        "electric_heating_households": [10, 40, 0, 20, 50],
        "oil_heating_households": [0, 10, 0, 20, 0],
    }
)
GAS = pd.DataFrame(  # no row for h; a dash for e
    {
        "lsoa11_code": ["E01a", "E01b", "E01e", "E01f"],
        "gas_meters": pd.array([120, 804, None, 50], dtype="Int64"),
        "mean_gas_kwh": [10000.0, 12000.0, None, 8000.0],
    }
)
ELECTRICITY = pd.DataFrame(
    {
        "lsoa11_code": OLD,
        "electricity_meters": [100, 10_000, 50, 150, 50],
        "mean_electricity_kwh": [3000.0, 3500.0, 2000.0, 4000.0, 5000.0],
    }
)


def describe(year: pd.DataFrame) -> gpd.GeoDataFrame:
    areas = describe_areas(year, BOUNDARIES, IMD, TENURE, HEATING, GAS, ELECTRICITY, PLACE, CALLED)
    return areas.set_index("area_code")


def make_year(codes: list[str], vintage: int) -> pd.DataFrame:
    """A year in which area number n has 100 n households, of which n are fuel poor."""
    return prepare_years(stack(*((code, "N", 100 * n, n, 1.0, 2020, vintage) for n, code in enumerate(codes, start=1))))


@pytest.mark.parametrize(("codes", "vintage", "poor"), [(OLD, 2011, [1, 2, 3 + 4, 5]), (NEW, 2021, [1, 2 + 3, 4, 5])])
def test_counts_of_either_census_are_summed_exactly_over_splits_and_merges(
    codes: list[str], vintage: int, poor: list[int]
) -> None:
    areas = describe(make_year(codes, vintage))
    assert areas.index.tolist() == ["E01a", "E01b", "E01e", "E01h"]
    assert areas["fuel_poor_households"].tolist() == poor
    assert areas["households"].tolist() == [100 * count for count in poor]
    assert areas["fuel_poor_pct"].tolist() == [1.0] * 4
    assert set(areas["year"]) == {2020}
    assert set(areas["measure"]) == {"LILEE"}


def test_an_area_has_the_name_codes_district_and_outline_of_its_parts() -> None:
    areas = describe(make_year(NEW, 2021))
    assert areas["area_name"].tolist() == ["Town 1", "Town 2", "Town 4", "Town 9"]
    assert label_areas(areas).tolist() == ["Town 1", "Market Cross (Town 2)", "Town 4", "Old Harbour (Town 9)"]
    assert areas["lsoa11_codes"].tolist() == ["E01a", "E01b", "E01e+E01f", "E01h"]
    assert areas["lsoa21_codes"].tolist() == ["E01a", "E01c+E01d", "E01g", "E01h"]
    assert areas["lad22_name"].tolist() == ["North", "North", "North", "South"]
    assert areas.loc["E01e", "geometry"].equals(box(2, 50, 4, 51))
    assert areas.crs == BOUNDARIES.crs


def test_shares_and_deprivation_are_of_the_parts_together() -> None:
    areas = describe(make_year(NEW, 2021))
    assert areas["deprivation_pct"].tolist() == [0.0, 50.0, 91.96, 100.0]  # the mean of two ranks, last is most
    assert areas["owned_outright_pct"].tolist() == [50.0, 25.0, 10.0, 0.0]
    assert areas["social_rented_pct"].tolist() == [10.0, 10.0, 10.0, 100.0]
    assert areas["private_rented_pct"].tolist() == [0.0, 2.5, 10.0, 0.0]
    assert areas["no_heating_pct"].tolist() == [1.0, 1.0, 1.0, 0.0]
    assert areas["electric_heating_pct"].tolist() == [10.0, 10.0, 10.0, 100.0]
    assert areas["oil_heating_pct"].tolist() == [0.0, 2.5, 10.0, 0.0]


def test_the_share_of_an_area_of_several_lsoas_counts_each_by_its_households() -> None:
    rows = [("E01a", 200, 20), ("E01b", 300, 30), ("E01e", 100, 30), ("E01f", 900, 45), ("E01h", 50, 5)]
    year = prepare_years(stack(*((code, "N", homes, n, 100 * n / homes, 2020, 2011) for code, homes, n in rows)))
    merged = describe(year).loc["E01e"]
    assert merged[["households", "fuel_poor_households", "fuel_poor_pct"]].tolist() == [1000, 75, 7.5]


def test_energy_use_is_the_mean_over_meters_and_an_area_without_a_gas_row_has_no_gas() -> None:
    areas = describe(make_year(NEW, 2021))
    assert areas["mean_gas_kwh"].dtype == "float64"  # though meters had a dash: the models take no other
    assert areas["mean_gas_kwh"].isna().tolist() == [False, False, False, True]
    assert areas["mean_gas_kwh"].dropna().tolist() == [10000.0, 12000.0, 8000.0]
    assert areas["mean_electricity_kwh"].tolist() == [3000.0, 3500.0, 3500.0, 5000.0]
    assert areas["no_gas_pct"].tolist() == [0.0, 91.96, 75.0, 100.0]  # more gas than electricity meters count as all
