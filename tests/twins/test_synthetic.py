"""Synthetic places and the twins of the national sources."""

import io
from pathlib import Path
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from councilbook.catalogue import Council, Source, TwinRequest, load_catalogue
from councilbook.paths import find_workbook
from councilbook.twins import homes, places, tables

CATALOGUE = load_catalogue(find_workbook(Path(__file__).parent))
SEED = 2018
MODULES = {"councilbook.twins.places": places, "councilbook.twins.tables": tables, "councilbook.twins.homes": homes}
TWINS = {
    name: getattr(MODULES[module], function)
    for name, source in CATALOGUE.sources.items()
    if source.twin and name in CATALOGUE.study_sources["national"]
    for module, function in [source.twin.make.split(":")]
    if module in MODULES
}


@pytest.fixture(scope="module")
def kent() -> Council:
    return CATALOGUE.council("kent_medway")


@pytest.fixture(scope="module")
def place(kent: Council) -> places.SyntheticPlace:
    return places.make_place(kent, SEED)


@pytest.fixture(scope="module")
def files(kent: Council) -> dict[str, bytes]:
    return {name: make_file(name, kent) for name in TWINS}


@pytest.fixture(scope="module")
def tables(files: dict[str, bytes]) -> dict[str, pd.DataFrame]:
    return {name: read_table(CATALOGUE.source(name), content) for name, content in files.items()}


def make_file(name: str, council: Council, seed: int = SEED) -> bytes:
    content: bytes = TWINS[name](CATALOGUE.source(name), TwinRequest(council, seed))
    return content


def read_table(source: Source, content: bytes) -> pd.DataFrame:
    if source.format == "geojson":
        return gpd.read_file(io.BytesIO(content))
    if source.format == "xlsx":
        table = source.table()
        skip = table.header_row - 1
        return pd.read_excel(io.BytesIO(content), sheet_name=table.sheet, skiprows=skip, engine="calamine")
    return pd.read_csv(io.BytesIO(content), encoding=source.table().encoding)


def test_every_national_source_that_is_read_has_its_twin() -> None:
    """Of a series its newest edition. Two say where a place lies, as all places of a sample do."""
    sources = [CATALOGUE.source(name) for name in CATALOGUE.study_sources["national"]]
    newest = {source.series or source.id: source.id for source in sources if source.format != "none"}
    assert set(TWINS) == set(newest.values()) - {"imd_2019", "oa_lookup"}


@pytest.mark.parametrize("name", TWINS)
def test_twin_has_the_headers_that_the_catalogue_names(name: str, tables: dict[str, pd.DataFrame]) -> None:
    headers = {" ".join(str(column).split()) for column in tables[name].columns}
    for field, spec in CATALOGUE.source(name).table().fields.items():
        assert headers & set(spec.column) or spec.may_be_absent, field


@pytest.mark.parametrize("name", TWINS)
def test_same_request_gives_same_bytes(name: str) -> None:
    council = CATALOGUE.council("E06000001")
    first = make_file(name, council)
    places._make_place.cache_clear()
    assert make_file(name, council) == first
    assert make_file(name, council, seed=SEED + 1) != first


def test_place_is_made_once(kent: Council, place: places.SyntheticPlace) -> None:
    assert places.make_place(kent, SEED) is place


def test_place_has_as_many_lsoas_as_published(place: places.SyntheticPlace) -> None:
    codes = place.pieces[["lsoa01_code", "lsoa11_code", "lsoa21_code"]]
    assert codes.nunique().tolist() == [1047, 1065, 1107]
    assert place.pieces["lad_code"].nunique() == 13


def test_no_code_is_a_real_one(place: places.SyntheticPlace) -> None:
    codes = place.pieces[["lsoa01_code", "lsoa11_code", "lsoa21_code"]].melt()["value"]
    assert codes.str.fullmatch(r"E019\d{5}").all()
    assert place.pieces["msoa_code"].str.fullmatch(r"E029\d{5}").all()


def test_a_name_belongs_to_one_lsoa_of_its_census(place: places.SyntheticPlace) -> None:
    for census in ("lsoa01", "lsoa11", "lsoa21"):
        named = place.pieces.drop_duplicates(f"{census}_code")
        assert named[f"{census}_name"].is_unique
        assert (named[f"{census}_name"].str[:-1] == named["msoa_name"]).all()


def test_most_lsoas_of_2001_keep_their_code(place: places.SyntheticPlace) -> None:
    changed = place.pieces.loc[place.pieces["lsoa01_code"] != place.pieces["lsoa11_code"], "lsoa11_code"]
    assert changed.nunique() == 2 * (1065 - 1047)


def test_neighbourhoods_have_four_to_six_areas(place: places.SyntheticPlace) -> None:
    assert place.pieces.groupby("msoa_code")["lsoa11_code"].nunique().between(4, 6).all()


def test_lookup_holds_every_lsoa_and_says_how_it_changed(
    place: places.SyntheticPlace, files: dict[str, bytes], tables: dict[str, pd.DataFrame]
) -> None:
    lookup = tables["lsoa_lookup"]
    assert files["lsoa_lookup"].startswith(b"\xef\xbb\xbf")
    assert set(lookup["F_LSOA11CD"]) == set(place.pieces["lsoa11_code"])
    assert set(lookup["LSOA21CD"]) == set(place.pieces["lsoa21_code"])
    from_one = ~lookup["F_LSOA11CD"].duplicated(keep=False)
    to_one = ~lookup["LSOA21CD"].duplicated(keep=False)
    assert (lookup["CHGIND"].eq("U") == (from_one & to_one)).all()
    assert (lookup["CHGIND"].eq("S") == (~from_one & to_one)).all()
    assert (lookup["CHGIND"].eq("M") == (from_one & ~to_one)).all()
    assert lookup["CHGIND"].value_counts().to_dict() == {"U": 1028, "S": 78, "M": 2}  # as in Kent and Medway
    same = lookup["F_LSOA11CD"] == lookup["LSOA21CD"]
    assert (same == lookup["CHGIND"].eq("U")).all()


def test_boundaries_cover_the_place_without_gap_or_overlap(
    place: places.SyntheticPlace, tables: dict[str, pd.DataFrame]
) -> None:
    outlines = tables["lsoa_boundaries_2021"]
    assert outlines.crs == "EPSG:4326"
    assert set(outlines["LSOA21CD"]) == set(place.pieces["lsoa21_code"])
    assert outlines["LSOA21CD"].is_unique
    assert outlines.is_valid.all()
    assert set(outlines.geom_type) == {"Polygon"}
    assert shapely.coverage_is_valid(outlines.geometry.array)
    assert isinstance(outlines.union_all(), shapely.Polygon)


def test_boundaries_have_five_decimals(tables: dict[str, pd.DataFrame]) -> None:
    points = shapely.get_coordinates(tables["lsoa_boundaries_2021"].geometry.array)
    assert (points == points.round(5)).all()


def test_place_lies_at_sea(place: places.SyntheticPlace) -> None:
    west, south, east, north = place.outlines.total_bounds
    assert west > 545_000  # Spurn Head is at 540,000
    assert south > 350_000  # Norfolk reaches 346,000
    assert east < 700_000
    assert north < 500_000


def test_districts_are_connected(place: places.SyntheticPlace) -> None:
    areas = place.outlines.merge(place.pieces.drop_duplicates("lsoa11_code")[["lsoa11_code", "lad_code"]])
    assert set(areas.dissolve("lad_code").geom_type) == {"Polygon"}


def test_codes_and_outlines_belong_together(place: places.SyntheticPlace) -> None:
    points = place.pieces.drop_duplicates("lsoa11_code").set_index("lsoa11_code")[["x", "y"]]
    points = points.loc[place.outlines["lsoa11_code"]].to_numpy()
    assert shapely.contains_xy(place.outlines.geometry.array, points).all()


def test_towns_have_smaller_areas_than_the_country(place: places.SyntheticPlace) -> None:
    smallest, median, largest = np.quantile(place.outlines.area, [0.1, 0.5, 0.9])
    assert median > 2 * smallest
    assert largest > 2 * median


def test_ranks_of_deprivation_are_spread_over_england_and_the_domains_go_with_the_whole(
    tables: dict[str, pd.DataFrame],
) -> None:
    ranks = tables["iod_2025"].filter(like="Rank")
    assert ranks.shape[1] == 5
    assert ranks.nunique().eq(len(ranks)).all()
    assert ranks.min().between(1, 2_000).all()
    assert ranks.max().between(31_000, 33_755).all()
    whole, income = ranks.iloc[:, 0], ranks.iloc[:, 1]
    assert 0.7 < whole.corr(income, method="spearman") < 0.99


def test_census_parts_add_up_to_all_households(tables: dict[str, pd.DataFrame]) -> None:
    heating = tables["census_2021_heating"].iloc[:, 3:]
    assert (heating.iloc[:, 1:].sum(axis=1) == heating.iloc[:, 0]).all()
    tenure = tables["census_2021_tenure"].iloc[:, 3:]
    tenure.columns = [column.removeprefix("Tenure of household: ") for column in tenure.columns]
    broad = ["Owned", "Shared ownership", "Social rented", "Private rented", "Lives rent free"]
    assert (tenure[broad].sum(axis=1) == tenure["Total: All households"]).all()
    for kind in broad[:-1]:
        assert (tenure.filter(regex=f"^{kind}: ").sum(axis=1) == tenure[kind]).all()


def test_census_has_a_row_for_each_lsoa_2021(place: places.SyntheticPlace, tables: dict[str, pd.DataFrame]) -> None:
    for name in ("census_2021_tenure", "census_2021_heating"):
        assert sorted(tables[name]["geography code"]) == sorted(set(place.pieces["lsoa21_code"]))


def test_gas_misses_a_few_rural_areas_and_marks_none_with_a_dash(
    place: places.SyntheticPlace, tables: dict[str, pd.DataFrame]
) -> None:
    gas = tables["gas_2024"]
    areas = place.make_areas(2021, 2024)
    without = areas[~areas["lsoa_code"].isin(gas["LSOA code"])]
    assert 5 <= len(without) <= 25
    assert without["rurality"].min() > areas["rurality"].median()
    assert "-" in set(gas["Number of non-consuming meters"])


def test_energy_ends_with_what_could_not_be_placed(tables: dict[str, pd.DataFrame]) -> None:
    for name in ("gas_2024", "electricity_2024"):
        *codes, last = tables[name]["LSOA code"]
        assert last == "Unallocated"
        assert pd.Series(codes).str.startswith("E01").all()
    assert len(tables["electricity_2024"]) == 1107 + 1


def test_other_councils_have_their_districts_and_codes() -> None:
    one = places.make_place(CATALOGUE.council("E06000001"), SEED)
    assert list(one.districts) == ["E06000001"]
    assert one.districts["E06000001"] in places.TOWNS  # and not Hartlepool, for which the map could be taken
    assert 80 <= one.pieces["lsoa11_code"].nunique() <= 120
    two = places.make_place(CATALOGUE.council("E06000047+E06000001"), SEED)
    assert two.pieces.groupby("lad_code")["lsoa11_code"].nunique().between(80, 120).all()
    assert set(two.pieces["lad_code"]) == {"E06000001", "E06000047"}
    for place in (one, two):
        assert (place.pieces["lsoa11_code"].groupby(place.pieces["lsoa21_code"]).nunique().max()) == 2
        assert (place.pieces["lsoa21_code"].groupby(place.pieces["lsoa11_code"]).nunique().max()) >= 2


@pytest.mark.parametrize("vintage", [2001, 2011, 2021])
def test_areas_of_every_census_hold_the_same_households(place: places.SyntheticPlace, vintage: int) -> None:
    areas = place.make_areas(vintage, 2020)
    assert areas["households"].sum() == pytest.approx(place.count_households(2020).sum())
    assert areas["lsoa_code"].is_monotonic_increasing


def test_workbook_has_no_time_in_it() -> None:
    content = places.write_workbook({"A": [["x", None, 1], [], ["y", 2.5]]})
    with ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("docProps/core.xml").count(b"2000-01-01T00:00:00Z") == 2
    cells = pd.read_excel(io.BytesIO(content), header=None, engine="calamine")
    assert cells.iloc[2].tolist()[:2] == ["y", 2.5]


# --- output areas and postcodes ---


def test_no_postcode_and_no_output_area_is_a_real_one(tables: dict[str, pd.DataFrame]) -> None:
    postcodes = tables["postcode_directory"]
    assert postcodes["pcds"].str.startswith("XX").all()
    assert postcodes["pcds"].is_unique
    assert (postcodes["oa21"] >= "E00900001").all()


def test_output_areas_fit_into_lsoas_and_hold_their_households(
    place: places.SyntheticPlace, tables: dict[str, pd.DataFrame]
) -> None:
    postcodes, deprivation = tables["postcode_directory"], tables["census_2021_oa_deprivation"]
    lsoa = postcodes.drop_duplicates("oa21").set_index("oa21")["lsoa21"]
    assert (postcodes.groupby("oa21")["lsoa21"].nunique() == 1).to_numpy().all()  # noqa: PD101
    homes = deprivation.set_index("geography code")["Household deprivation: Total: All households"]
    sums = homes.groupby(lsoa).sum()
    expected = place.make_areas(2021, 2021).set_index("lsoa_code")["households"]
    assert ((sums / expected - 1).abs() < 0.05).all()


@pytest.mark.parametrize(
    ("name", "topic"),
    [("census_2021_oa_deprivation", "Household deprivation"), ("census_2021_oa_accommodation", "Accommodation type")],
)
def test_kinds_of_an_output_area_add_up(name: str, topic: str, tables: dict[str, pd.DataFrame]) -> None:
    kinds = tables[name].filter(regex=f"^{topic}: (?!Total)")
    assert (kinds.sum(axis=1) == tables[name][f"{topic}: Total: All households"]).all()


def test_composition_adds_up_by_groups(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["census_2021_composition"]
    value = "Household composition: {}; measures: Value"
    groups = [value.format(one) for one in ("One person household", "Single family household", "Other household types")]
    assert (table[groups].sum(axis=1) == table[value.format("Total")]).all()


def test_postcodes_lie_inside_the_lsoa_they_are_said_to_be_in(
    place: places.SyntheticPlace, tables: dict[str, pd.DataFrame]
) -> None:
    postcodes = tables["postcode_directory"]
    points = gpd.GeoSeries(gpd.points_from_xy(postcodes["long"], postcodes["lat"]), crs=4326).to_crs(27700)
    pieces = place.pieces.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lsoa11_code"]
    outlines = place.outlines.set_index("lsoa11_code").geometry
    cells = outlines.loc[postcodes["lsoa21"].map(pieces)].to_numpy()
    assert shapely.covers(shapely.buffer(cells, 1), points.to_numpy()).all()
