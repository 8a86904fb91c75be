"""The official files themselves: what the loader makes of them is held against the figures that were published."""

import pandas as pd
import pytest

from councilbook.catalogue import Council
from councilbook.catalogue.councils import list_codes
from councilbook.errors import ParameterError, SourceError
from councilbook.fuel_poverty.areas.official import (
    SWAPPED_DISTRICTS,
    check_district_sums,
    choose_year,
    describe_areas,
    prepare_years,
    sum_districts,
    sum_years,
)
from councilbook.fuel_poverty.areas.prediction import list_models, predict_held_out, score_models, split_areas
from councilbook.fuel_poverty.programmes.national import prepare_national, sum_national
from councilbook.sources.geography import match_common_areas, resolve_place, select_rows
from councilbook.study import Study

# DECC, BEIS and DESNZ, sub-regional fuel poverty, sums over the 13 districts of Kent and Medway
KENT_MEDWAY = {
    2011: (1047, 698340, 62634),
    2012: (1065, 711266, 60326),
    2013: (1065, 732409, 64596),
    2014: (1065, 735412, 65807),
    2015: (1065, 741368, 75179),
    2016: (1065, 751396, 72459),
    2017: (1065, 758831, 73010),
    2018: (1065, 762377, 67801),
    2019: (1065, 767949, 65715),
    2020: (1065, 772430, 75941),
    2021: (1107, 775251, 74858),
    2022: (1107, 782357, 89335),
    2023: (1107, 802311, 87998),
    2024: (1107, 812386, 71609),
}
# of County Durham, and of England in the publisher's own table by district
DURHAM = {2022: (240176, 27562), 2023: (242909, 27698), 2024: (247911, 24731)}
ENGLAND = {2022: (24327942, 3175068), 2023: (24568372, 2801647), 2024: (24845794, 2472012)}
SERIES = "sub_regional_fuel_poverty"


def open_study(council, mirror):
    return Study.open(
        "fuel_poverty", "2_areas", council=council, data="real", mirror=str(mirror), seed=1, run_date="2026-01-01"
    )


@pytest.fixture(scope="module")
def kent(mirror):
    return open_study("kent_medway", mirror)


@pytest.fixture(scope="module")
def kent_years(kent):
    return prepare_years(kent.load_series(SERIES))


@pytest.mark.parametrize("year", KENT_MEDWAY)
def test_each_year_of_kent_and_medway_adds_up_to_the_published_total(kent_years, year):
    totals = sum_years(kent_years).set_index("year")
    assert tuple(totals.loc[year, ["areas", "households", "fuel_poor_households"]]) == KENT_MEDWAY[year]


def test_small_areas_add_up_to_the_districts_in_every_year(kent, kent_years):
    check_district_sums(kent_years, kent.load_series(SERIES, "district"))


def test_sums_by_todays_districts_lose_no_household(kent, kent_years):
    districts = sum_districts(kent_years, kent.place)
    assert districts["lad22_code"].nunique() == 13
    for year, (_, households, poor) in KENT_MEDWAY.items():
        found = districts.loc[districts["year"] == year, ["households", "fuel_poor_households"]].sum()
        assert tuple(found) == (households, poor)


@pytest.mark.parametrize(
    ("year", "code", "poor", "households"), [(2013, "E01016019", 171, 676), (2021, "E01024657", 394, 1152)]
)
def test_the_area_with_the_highest_share_is_the_published_one(kent_years, year, code, poor, households):
    rows = kent_years[kent_years["year"] == year]
    top = rows.loc[rows["fuel_poor_pct"].idxmax()]
    assert (top["lsoa_code"], top["fuel_poor_households"], top["households"]) == (code, poor, households)


@pytest.mark.parametrize("year", DURHAM)
def test_the_newest_years_of_county_durham_and_of_england_are_the_published_ones(mirror, year):
    study = open_study("E06000047", mirror)
    source = f"{SERIES}_{year}"
    rows = prepare_years(study.load(source).assign(edition=year, vintage=2021))
    assert tuple(rows[["households", "fuel_poor_households"]].sum()) == DURHAM[year]
    check_district_sums(rows, study.load(source, "district").assign(edition=year))
    assert tuple(study.load(source, "district")[["households", "fuel_poor_households"]].sum()) == ENGLAND[year]


def test_years_without_a_row_for_the_council_are_left_out_and_the_newest_that_is_there_is_modelled(mirror):
    study = open_study("E06000001", mirror)
    years = prepare_years(study.load_series(SERIES))
    assert sorted(years["year"].unique()) == [2011, 2013, 2021, 2022]
    assert choose_year(years, 0)["year"].unique().tolist() == [2022]
    with pytest.raises(ParameterError, match=r"model_year is 2024; expected .* \(2021, 2022\)"):
        choose_year(years, 2024)


def test_outlines_of_2021_are_whole_valid_and_as_large_as_those_of_2011(kent, mirror):
    new, old = kent.load("lsoa_boundaries"), kent.load("lsoa_boundaries_2011")
    assert new["vintage"].unique().tolist() == [2021]
    assert new.geometry.is_valid.all() and set(new.geom_type) <= {"Polygon", "MultiPolygon"}
    sizes = [frame.to_crs(27700).area.sum() for frame in (new, old)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


def test_county_durham_needs_no_entry_of_its_own(mirror):
    study = open_study("E06000047", mirror)
    rows = prepare_years(study.load(f"{SERIES}_2013").assign(edition=2013, vintage=2011))
    assert (rows["fuel_poor_households"].sum(), rows["households"].sum()) == (26050, 226091)
    assert study.council_name == "County Durham"


def test_a_council_that_a_file_was_cut_without_is_told_which(mirror):
    study = open_study("E06000001", mirror)
    assert len(study.load(f"{SERIES}_2013")) == 58
    with pytest.raises(SourceError, match=r"sub_regional_fuel_poverty_2012 .* has no row for Hartlepool"):
        study.load(f"{SERIES}_2012")


def test_a_district_of_2023_is_the_sum_of_those_it_was_made_of(mirror):
    cumberland = open_study("E06000063", mirror).place
    old = open_study("E07000026+E07000028+E07000029", mirror).place
    assert cumberland.lsoas(2011) == old.lsoas(2011)
    assert cumberland.name == "Cumberland"


@pytest.mark.parametrize(("year", "vintage"), [(2013, 2011), (2022, 2021)])
def test_every_district_that_the_lookup_knows_has_the_published_households_and_no_others(kent, year, vintage):
    source = kent.catalogue.source(f"{SERIES}_{year}")
    _, raw = kent.read_table(source, "lsoa")
    official = kent.load(source.id, "district").assign(edition=year)
    official["lad_code"] = [SWAPPED_DISTRICTS.get((year, code), code) for code in official["lad_code"]]
    official = official.set_index("lad_code")[["households", "fuel_poor_households"]]
    districts = sorted(kent._lookup["lad22_code"].unique())
    assert len(districts) == 309
    raw = raw.astype(dict.fromkeys(("lsoa_code", "lad_code"), "str")).astype(dict.fromkeys(official, "float64"))
    seen = compared = 0
    for code in districts:
        place = resolve_place(Council(slug="x", name="x", codes={code: ""}), kent._lookup, kent._gazetteers)
        rows = select_rows(raw, source.table("lsoa").areas, place, source)
        seen += len(rows)
        if known := sorted(list_codes(code) & set(official.index)):  # others had been merged when that year came out
            assert rows[list(official)].sum().tolist() == official.loc[known].sum().tolist(), code
            compared += 1
    assert (seen, compared) == {2011: (32844, 309), 2021: (33755, 292)}[vintage]


def test_sefton_and_st_helens_are_read_right_although_their_codes_were_swapped(mirror):
    study = open_study("E08000014", mirror)
    rows = prepare_years(study.load(f"{SERIES}_2022").assign(edition=2022, vintage=2021))
    check_district_sums(rows, study.load(f"{SERIES}_2022", "district").assign(edition=2022))
    assert rows["households"].sum() == 126557


def test_common_areas_of_england_lose_no_area(kent):
    lookup = kent._lookup
    pairs = match_common_areas(lookup)
    assert pairs["lsoa11_code"].nunique() == 32844
    assert pairs["lsoa21_code"].nunique() == 33755
    for column in ("lsoa11_code", "lsoa21_code"):
        assert pairs.groupby(column)["area_code"].nunique().max() == 1


def test_models_explain_a_third_of_what_deprivation_alone_leaves_in_districts_they_have_not_seen(kent, kent_years):
    tables = [kent.load("lsoa_boundaries")]
    tables += [kent.load(source) for source in ("iod_2025", "census_2021_tenure", "census_2021_heating")]
    tables += [kent.load(series) for series in ("gas", "electricity")]
    areas = describe_areas(choose_year(kent_years, 0), *tables, kent.place, {})
    assert areas["year"].unique().tolist() == [2024]
    folds = split_areas(areas, 1)
    models = {name: fit for name, fit in list_models(1).items() if name in ("Deprivation alone", "Binomial model")}
    scores = score_models(areas, predict_held_out(areas, folds, models), folds, 1).set_index("model")
    left = 100 - scores.loc["Deprivation alone", "variance_explained_pct"]
    more = (
        scores.loc["Binomial model", "variance_explained_pct"]
        - scores.loc["Deprivation alone", "variance_explained_pct"]
    )
    assert more > left / 3


def test_the_national_series_of_measures_adds_up_to_the_published_total_and_every_month_to_its_schemes(kent):
    rows = kent.load_table(kent.catalogue.source("national_energy_measures"), None)
    assert len(rows) == 111
    assert rows["month"].iloc[[0, -1]].tolist() == ["01/01/2013", "01/03/2022"]
    measures = prepare_national(rows)
    assert measures["measures"].sum() == rows["total_measures"].sum() == 3578845
    last = measures.groupby("scheme")["month"].agg(["min", "max"]).map("{:%Y-%m}".format)
    assert last.loc["Green Deal Cashback"].tolist() == ["2013-01", "2014-10"]
    assert last.loc["Green Deal Communities"].tolist() == ["2014-04", "2016-11"]
    yearly = sum_national(measures).groupby("year")[["measures", "months"]].agg({"measures": "sum", "months": "first"})
    assert yearly.loc[2014].tolist() == [783208, 12]
    assert yearly.loc[2022].tolist() == [90060, 3]


def test_every_source_of_fuel_poverty_that_the_mirror_holds_is_as_declared(kent):
    for source in kent.catalogue.sources_of("fuel_poverty"):
        for table in source.tables if kent.is_there(source) else ():
            frame = kent.load_table(source, table)
            assert isinstance(frame, pd.DataFrame)
            assert len(frame) > 0


def test_every_source_of_business_rates_that_the_mirror_holds_is_as_declared(mirror):
    options = {"council": "north_lanarkshire", "data": "real", "mirror": str(mirror), "seed": 1}
    study = Study.open("business_rates", "3_publish", **options, run_date="2026-01-01")
    read = {}
    for source in study.catalogue.sources_of("business_rates"):
        if source.format not in ("file", "none") and study.finder.find_local(source):
            read |= {f"{source.id}.{table}": len(study.load_table(source, table)) for table in source.tables}
    assert read["food_hygiene_ratings.premises"] == 2603
    assert read["data_zones.zones"] == 447
    assert read["wards.wards"] == 21
    assert read["foi_requests.requests"] == 33
