"""The twin of the sub-regional fuel poverty workbooks."""

import io
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from councilbook.catalogue import Council, Source, TwinRequest, load_catalogue
from councilbook.errors import CatalogueError
from councilbook.fuel_poverty.twin.publications import sub_regional_workbook
from councilbook.paths import find_workbook
from councilbook.twins import places

CATALOGUE = load_catalogue(find_workbook(Path(__file__).parent))
SOURCES = {source.edition or 0: source for source in CATALOGUE.series("sub_regional_fuel_poverty")}
SEED = 2018
Rows = list[list[object]]

# The last three headers of both tables, as in the publisher's workbooks.
HEADERS = {
    2011: ("All Households", "Fuel Poor Households", "Percent Fuel Poor"),
    2012: ("Estimated number of households", "Estimated number of Fuel Poor Households"),
    2013: ("Estimated number of households", "Estimated number of Fuel Poor Households"),
    2014: ("Estimated number of households", "Estimated number of Fuel Poor Households"),
    2015: ("Estimated number of households", "Estimated number of fuel poor households"),
    2016: ("Estimated number of households", "Estimated number of fuel poor households"),
    2017: ("Estimated number of households", "Estimated number of fuel poor households"),
    2018: ("Number of households1", "Number of households in fuel poverty1"),
    2019: ("Number of households1", "Number of households in fuel poverty1"),
    2020: ("Number of households", "Number of households in fuel poverty"),
    2021: ("Number of households", "Number of households in fuel poverty"),
    2022: ("Number of households", "Number of households in fuel poverty"),
    2023: ("Number of households", "Number of households in fuel poverty"),
    2024: ("Number of households", "Number of households in fuel poverty"),
}


@pytest.fixture(scope="module")
def kent() -> Council:
    return CATALOGUE.council("kent_medway")


@pytest.fixture(scope="module")
def workbooks(kent: Council) -> dict[int, bytes]:
    return {year: sub_regional_workbook(source, TwinRequest(kent, SEED)) for year, source in SOURCES.items()}


@pytest.fixture(scope="module")
def sheets(workbooks: dict[int, bytes]) -> dict[tuple[int, str], Rows]:
    return {
        (year, name): read_rows(SOURCES[year], content, name)
        for year, content in workbooks.items()
        for name in ("lsoa", "district")
    }


@pytest.fixture(scope="module")
def lsoas(sheets: dict[tuple[int, str], Rows]) -> dict[int, pd.DataFrame]:
    return {year: read_lsoas(sheets[year, "lsoa"]) for year in SOURCES}


def read_rows(source: Source, content: bytes, name: str) -> Rows:
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows: Rows = workbook.get_sheet_by_name(str(source.table(name).sheet)).to_python(skip_empty_area=False)
    return rows


def read_lsoas(rows: Rows) -> pd.DataFrame:
    data = [row for row in rows if str(row[0]).startswith("E01")]
    columns = ["lsoa_code", "lsoa_name", "lad_code", "lad_name", "region", "households", "fuel_poor", "share"]
    lsoas = pd.DataFrame(data, columns=columns).set_index("lsoa_code")
    return lsoas.assign(rate=lsoas["fuel_poor"] / lsoas["households"])


def read_districts(rows: Rows) -> pd.DataFrame:
    """Return households and fuel-poor households of districts alone, by code."""
    data = {str(row[0]): row[-3:-1] for row in rows if str(row[0]).startswith(("E06", "E07", "E08", "E09", "99"))}
    return pd.DataFrame.from_dict(data, orient="index", columns=["households", "fuel_poor"]).astype(int)


@pytest.mark.parametrize("year", SOURCES)
def test_totals_are_the_published_ones(year: int, lsoas: dict[int, pd.DataFrame]) -> None:
    twin = SOURCES[year].twin
    assert twin is not None
    sums = lsoas[year][["households", "fuel_poor"]].sum()
    made = {"lsoas": len(lsoas[year]), "households": sums["households"], "fuel_poor_households": sums["fuel_poor"]}
    assert made == twin.totals["kent_medway"][year]
    assert lsoas[year].index.is_unique


@pytest.mark.parametrize("year", SOURCES)
def test_districts_are_the_sums_of_their_lsoas(
    year: int, lsoas: dict[int, pd.DataFrame], sheets: dict[tuple[int, str], Rows]
) -> None:
    sums = lsoas[year].groupby("lad_code")[["households", "fuel_poor"]].sum()
    districts = read_districts(sheets[year, "district"])
    assert len(districts) == 13
    assert (districts.sort_index() == sums.sort_index()).all(axis=None)


@pytest.mark.parametrize("year", SOURCES)
def test_no_area_has_more_fuel_poor_households_than_households(year: int, lsoas: dict[int, pd.DataFrame]) -> None:
    assert lsoas[year]["fuel_poor"].ge(0).all()
    assert lsoas[year]["fuel_poor"].le(lsoas[year]["households"]).all()


@pytest.mark.parametrize("year", SOURCES)
def test_headers_stand_in_their_row_as_that_year_had_them(year: int, sheets: dict[tuple[int, str], Rows]) -> None:
    for name in ("lsoa", "district"):
        header = sheets[year, name][SOURCES[year].table(name).header_row - 1]
        assert tuple(header[-3:])[: len(HEADERS[year])] == HEADERS[year]
    region = "English Region" if year == 2011 else "Region"
    district = ["Local Authority Code", "Local Authority Name"] if year >= 2023 else ["LA Code", "LA Name"]
    assert sheets[year, "lsoa"][2][:5] == ["LSOA Code", "LSOA Name", *district, region]
    assert SOURCES[year].table("lsoa").sheet == ("LSOA" if year == 2011 else "Table 4" if year >= 2023 else "Table 3")


@pytest.mark.parametrize("year", SOURCES)
def test_published_share_is_that_of_the_counts(year: int, lsoas: dict[int, pd.DataFrame]) -> None:
    whole = 1 if year == 2011 else 100
    off = (lsoas[year]["share"] - whole * lsoas[year]["rate"]).abs().max()
    rounded = {2011: 0.0005, 2012: 0.05, 2013: 0.05, 2014: 0.05, 2016: 0.05, 2017: 0.05, 2018: 0.05, 2023: 0.005}
    assert off <= rounded.get(year, 0) + 1e-9
    assert off > 0.8 * rounded.get(year, -1)


def test_2011_has_old_codes_and_areas(lsoas: dict[int, pd.DataFrame]) -> None:
    assert lsoas[2011]["lad_code"].str.fullmatch(r"\d{2}[A-Z]{2}").all()
    assert lsoas[2011]["lad_code"].nunique() == 13
    same = lsoas[2011].index.isin(lsoas[2012].index)
    assert same.sum() == 1047 - 18  # each of the others was split in two
    later = lsoas[2012]["lad_name"].reindex(lsoas[2011].index[same])
    assert (lsoas[2011].loc[same, "lad_name"] == later).all()


@pytest.mark.parametrize("year", SOURCES)
def test_it_says_that_it_is_synthetic(
    year: int, workbooks: dict[int, bytes], sheets: dict[tuple[int, str], Rows]
) -> None:
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(workbooks[year]))
    front = workbook.get_sheet_by_index(0).to_python()
    assert any(str(cell).startswith("SYNTHETIC") for row in front for cell in row)
    for name in ("lsoa", "district"):
        assert str(sheets[year, name][-1][0]).startswith("SYNTHETIC")


@pytest.mark.parametrize("year", range(2019, 2025))
def test_county_and_england_stand_among_the_districts_since_2019(
    year: int, sheets: dict[tuple[int, str], Rows]
) -> None:
    rows = {str(row[0]): row for row in sheets[year, "district"][3:]}
    twin = SOURCES[year].twin
    assert twin is not None
    assert rows["E92000001"][1:5] == ["ENGLAND", "", "", twin.totals["england"][year]["households"]]
    towns = places.make_place(CATALOGUE.council("kent_medway"), SEED).districts
    assert rows["E06000035"][1:4] == ["", towns["E06000035"], ""]
    assert rows["E07000105"][1:4] == ["", "", towns["E07000105"]]
    county = [row for code, row in rows.items() if code.startswith("E10")]
    districts = read_districts(sheets[year, "district"])
    assert [row[4] for row in county] == [districts.drop("E06000035")["households"].sum()]


def test_rows_are_sorted_otherwise_in_other_years(lsoas: dict[int, pd.DataFrame]) -> None:
    assert lsoas[2012].index.is_monotonic_increasing
    assert not lsoas[2013].index.is_monotonic_increasing
    assert lsoas[2013]["lsoa_name"].is_monotonic_increasing


def test_areas_keep_much_of_their_rank_from_year_to_year(lsoas: dict[int, pd.DataFrame]) -> None:
    for year in range(2012, 2020):
        assert 0.6 < lsoas[year]["rate"].corr(lsoas[year + 1]["rate"], method="spearman") < 0.97


def test_deprivation_tells_more_of_lilee_than_of_lihc_and_never_all(
    kent: Council, lsoas: dict[int, pd.DataFrame]
) -> None:
    areas = places.make_place(kent, SEED).make_areas(2011, 2019).set_index("lsoa_code")
    linked = {year: areas["deprivation"].corr(lsoas[year]["rate"]) for year in range(2012, 2021)}
    assert max(linked[year] for year in range(2012, 2019)) + 0.1 < min(linked[2019], linked[2020])
    assert linked[2013] > 0.2
    assert linked[2020] < 0.85


@pytest.mark.parametrize("council", ["E06000001", "E06000047+E06000001"])
@pytest.mark.parametrize("year", [2011, 2018, 2022, 2024])
def test_any_other_council_has_the_rate_of_england(council: str, year: int) -> None:
    source = SOURCES[year]
    assert source.twin is not None
    content = sub_regional_workbook(source, TwinRequest(CATALOGUE.council(council), SEED))
    lsoas = read_lsoas(read_rows(source, content, "lsoa"))
    england = source.twin.totals["england"][year]
    rate = england["fuel_poor_households"] / england["households"]
    assert lsoas["fuel_poor"].sum() == round(lsoas["households"].sum() * rate)
    assert lsoas["lad_code"].nunique() == len(council.split("+"))
    assert 450 < lsoas["households"].mean() < 1_000


@pytest.mark.parametrize("year", [2011, 2022])
def test_same_request_gives_same_bytes(year: int) -> None:
    council = CATALOGUE.council("E06000001")
    first = sub_regional_workbook(SOURCES[year], TwinRequest(council, SEED))
    places._make_place.cache_clear()
    assert sub_regional_workbook(SOURCES[year], TwinRequest(council, SEED)) == first
    assert sub_regional_workbook(SOURCES[year], TwinRequest(council, SEED + 1)) != first


def test_a_year_without_known_layout_is_refused(kent: Council) -> None:
    source = SOURCES[2022].model_copy(update={"edition": 2030})
    with pytest.raises(CatalogueError, match="edition of 2011 to 2024"):
        sub_regional_workbook(source, TwinRequest(kent, SEED))


def test_a_year_without_england_s_totals_is_refused(kent: Council) -> None:
    twin = SOURCES[2022].twin
    assert twin is not None
    source = SOURCES[2022].model_copy(update={"twin": twin.model_copy(update={"totals": {}})})
    with pytest.raises(CatalogueError, match="England's totals of 2022"):
        sub_regional_workbook(source, TwinRequest(kent, SEED))
