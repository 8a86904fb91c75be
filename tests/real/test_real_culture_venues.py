"""Venues, money and stations of real councils: the figures that were worked out by hand come out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from councilbook.culture.venues import funding, places, positions, shifts, stations, tables
from councilbook.study import Study
from position_trials import try_shifts

VESTRY = "museum_vestry_house_museum"


def open_study(council, mirror):
    return Study.open("culture", "2_venues", council, "real", mirror=str(mirror), seed=1, run_date="2026-11-29")


@pytest.fixture(scope="module")
def forest(mirror):
    study = open_study("waltham_forest", mirror)
    ground = places.load_ground(study)
    museums = positions.load_museums(study)
    settled = shifts.settle_files(positions.load_files(study, ground.newest), museums[["name", "x", "y"]])
    venues = places.list_venues(study, settled, museums, ground)
    imd = study.load("imd_2019_domains")
    imd = imd[imd["lsoa11_code"].isin(study.place.lsoas(2011))]
    return SimpleNamespace(study=study, ground=ground, museums=museums, settled=settled, venues=venues, imd=imd)


def test_the_ground_is_144_areas_of_2011_and_146_of_2021(forest):
    lookup = forest.study.place.lookup
    assert {vintage: len(areas) for vintage, areas in forest.ground.outlines.items()} == {2011: 144, 2021: 146}
    assert lookup["change"].eq("U").sum() == 142
    assert lookup.loc[lookup["change"].eq("S"), "lsoa11_code"].nunique() == 2
    assert lookup["lsoa21_name"].str[:-1].nunique() == 28
    deciles = forest.imd["imd_decile"].value_counts().sort_index()
    assert deciles.to_dict() == dict(enumerate([3, 20, 31, 40, 22, 19, 6, 2, 1], start=1))


def test_all_869_rows_contradict_themselves_and_only_theatres_are_wrong_in_both(forest):
    checks = tables.list_checks(forest.study, forest.settled).set_index("source_id")
    assert (checks["rows"].sum(), checks["contradicting"].sum()) == (869, 869)
    assert checks["gap_m"].round().to_dict() == {
        "venue_map_museums": 125,
        "venue_map_libraries": 125,
        "venue_map_theatres": 249,
        "venue_map_music": 125,
    }
    theatres = checks.loc["venue_map_theatres"]
    assert (theatres["decision"], theatres["datum_steps"]) == ("moved", 3)
    assert theatres["shift_east_m"] == pytest.approx(336, abs=4)
    assert theatres["shift_north_m"] == pytest.approx(-162, abs=4)
    assert checks["decision"].drop("venue_map_theatres").eq("kept").all()
    assert checks["position_from"].drop("venue_map_theatres").eq("easting and northing").all()


def test_theatres_end_up_where_other_files_have_the_same_buildings(forest):
    theatres = forest.settled["venue_map_theatres"].rows.set_index("name")
    libraries = forest.settled["venue_map_libraries"].rows.set_index("name")
    for theatre, library in (("Canada Water Theatre", "Canada Water Library"), ("Barbican Theatre", "Barbican")):
        assert np.hypot(*(theatres.loc[theatre, ["x", "y"]] - libraries.loc[library, ["x", "y"]])) < 5


def test_there_are_22_venues_by_place_and_one_has_no_borough(forest):
    counts = forest.venues["kind"].value_counts().to_dict()
    assert counts == {"library": 10, "museum": 4, "theatre": 5, "music venue": 3}
    unnamed = forest.venues[forest.venues["borough_name"].isna()]
    assert unnamed["name"].tolist() == ["St John's Music Hall"]


def test_vestry_house_may_lie_in_any_of_three_areas(forest):
    areas = places.list_areas(forest.venues, forest.ground, forest.imd)
    rows = areas[areas["venue_id"].eq(VESTRY)]
    told = rows[["lsoa_code", "imd_decile"]].to_numpy().tolist()
    assert told == [["E01004409", 3], ["E01004410", 2], ["E01004412", 5]]
    assert rows["distance_m"].round().tolist() == [0, 21, 23]
    other = forest.venues.set_index("venue_id")["other_lsoa_code"]
    assert other[VESTRY] == "E01004412"


@pytest.mark.parametrize("seed", [1, 2])
def test_errors_that_were_put_in_are_within_what_is_stated(forest, seed):
    rng = np.random.default_rng(seed)
    tried = try_shifts(forest.settled["venue_map_museums"], forest.museums[["name", "x", "y"]], rng)
    assert tried["is_covered"].all()
    found = tried[tried["decision"].ne("cannot be told")]
    assert len(found) >= 8
    assert found["error_m"].max() < 50


def test_money_is_as_published(forest):
    heads = funding.load_heads(forest.study)
    assert heads.own == {2020: 276_940, 2021: 278_429}
    money = funding.sum_funding(forest.study, funding.load_awards(forest.study), heads)
    sums = money.groupby("programme")[["awards", "amount_gbp"]].sum()
    assert sums.loc[funding.GRANTS].tolist() == [270, 5_275_178]
    assert sums.loc[funding.NPO_2023].tolist() == [1, 61_104]
    assert sums.loc["recovery fund, first round"].tolist() == [10, 712_443]
    assert sums.loc["recovery fund, second round"].tolist() == [15, 1_467_855]


def test_walthamstow_central_is_counted_once(forest):
    found = stations.load_stations(forest.study, forest.ground.newest)
    _, by_year = tables.list_stations(found, stations.load_counts(forest.study))
    rows = by_year[by_year["name"].eq("Walthamstow Central") & by_year["year"].eq(2023)]
    assert rows["people"].tolist() == [13_349_683]
    assert sorted(by_year["year"].unique()) == [2017, 2019, 2020, 2021, 2022, 2023]
    assert found["is_inside"].sum() == 12


def test_the_cycleways_are_41_km_in_15_lines(forest):
    lines = tables.cut_cycleways(forest.study, forest.ground)
    assert len(lines) == 15
    assert lines["length_m"].sum() == pytest.approx(41_000, abs=100)


@pytest.mark.parametrize(
    ("council", "kinds", "borough_from"),
    [
        ("hackney", {"museum", "library", "theatre", "music venue"}, "code in the file"),
        ("leeds", {"museum"}, "name in the file"),
    ],
)
def test_a_council_without_outlines_has_venues_by_what_its_files_say(mirror, council, kinds, borough_from):
    study = open_study(council, mirror)
    ground = places.load_ground(study)
    assert ground.newest is None
    assert not study.has("lsoa_boundaries")
    museums = positions.load_museums(study)
    settled = shifts.settle_files(positions.load_files(study, None), museums[["name", "x", "y"]])
    venues = places.list_venues(study, settled, museums, ground)
    assert set(venues["kind"]) == kinds
    assert set(venues["borough_from"]) == {borough_from}
    assert venues["lsoa21_code"].isna().all()
    assert len(pd.DataFrame(tables.list_outlines(ground, pd.DataFrame(), {}))) == 0
