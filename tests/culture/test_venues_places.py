"""Venues in areas, money by place, stations counted once, and what is said of them."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from councilbook.culture import key_figures
from councilbook.culture.venues import funding, statements, stations, tables
from councilbook.culture.venues.map_page import draw_map, spread_points
from councilbook.culture.venues.places import Ground, find_areas, list_areas, list_venues, pick_own, take_nearest
from councilbook.culture.venues.positions import name_kinds
from councilbook.culture.venues.shifts import Settled
from councilbook.errors import SourceError

CODES = {"E09000031": "Waltham Forest"}
AREAS = gpd.GeoDataFrame(
    {"lsoa21_code": ["E01000001", "E01000002"], "lsoa21_name": ["One", "Two"], "lad22_code": "E09000031"},
    geometry=[shapely.box(0, 0, 1_000, 500), shapely.box(1_000, 0, 1_600, 500)],
    crs=27700,
)


def make_venues(**more):
    table = pd.DataFrame(
        {
            "venue_id": ["a", "b", "c"],
            "name": ["A", "B", "C"],
            "x": [970.0, 300.0, 1_650.0],
            "y": [250.0, 480.0, 100.0],
            "uncertainty_m": [15.0, 5.0, 20.0],
            "borough_name": ["HACKNEY", None, "Waltham Forest"],
        }
    )
    return table.assign(**more)


def test_every_area_as_near_as_venue_and_outline_are_unsure_is_listed_with_its_distance():
    found = find_areas(make_venues(), AREAS, "lsoa21_code")
    told = [(row.venue_id, row.lsoa21_code[-1], row.distance_m) for row in found.itertuples()]
    assert told == [("a", "1", 0.0), ("a", "2", 30.0), ("b", "1", 0.0)]
    assert take_nearest(found, "lsoa21_code").to_dict() == {"a": "E01000001", "b": "E01000001"}


def test_a_venue_is_the_councils_by_place_whatever_its_file_says():
    own = pick_own(make_venues(), CODES, AREAS)
    assert own["name"].tolist() == ["A", "B"]
    assert own["is_near_border"].tolist() == [False, True]
    assert set(own["borough_from"]) == {"place"}


def test_without_outlines_the_code_or_the_name_of_the_file_has_to_do():
    codes = [None, "E09000031", None]
    own = pick_own(make_venues(borough_code=codes, area=None), CODES, None)
    assert own[["name", "borough_from"]].to_numpy().tolist() == [["B", "code in the file"], ["C", "name in the file"]]
    areas = [
        "England/London (English Region)/Hackney (London Borough)",
        "England/London/Waltham Forest (London Borough)",
    ]
    own = pick_own(make_venues(borough_name=None, area=[*areas, None]), CODES, None)
    assert own["name"].tolist() == ["B"]


def make_settled(rows, source):
    return {source: Settled(rows.assign(position_from="easting and northing"), {"decision": "kept"}, 2.0)}


def test_a_councils_own_venue_that_a_file_has_too_is_listed_once_and_ids_are_unique():
    lookup = pd.DataFrame({"lsoa11_code": ["E01000001", "E01000009"], "lsoa21_code": ["E01000001", "E01000002"]})
    place = SimpleNamespace(lookup=lookup, name="Waltham Forest")
    council = SimpleNamespace(codes=CODES)
    study = SimpleNamespace(place=place, finder=SimpleNamespace(council=council))
    mapped = make_venues(kind="library", borough_code=None)
    own = make_venues(kind="library", borough_code=None).assign(name=["The A!", "New", "C"], x=[960.0, 1_200.0, 1.0])
    again = mapped[mapped["name"].eq("A")].assign(x=lambda rows: rows["x"] + 2)  # a second door
    mapped = pd.concat([mapped, again], ignore_index=True)
    settled = make_settled(mapped, "venue_map_libraries") | make_settled(own, "council_venues")
    venues = list_venues(study, settled, pd.DataFrame(), Ground({2021: AREAS}))
    assert venues["name"].tolist() == ["A", "B", "New"]  # C is listed once, and lies outside
    assert venues["venue_id"].tolist() == ["library_a", "library_b", "library_new"]
    assert venues["lsoa11_code"].tolist() == ["E01000001", "E01000001", "E01000009"]
    imd = pd.DataFrame({"lsoa11_code": ["E01000001"], "imd_decile": [4], "imd_rank": [12_000]})
    areas = list_areas(venues, Ground({2021: AREAS}), imd)
    assert areas.groupby("lsoa_code")["imd_decile"].first().dropna().to_dict() == {"E01000001": 4}
    assert "may lie in either of 2 small areas" in statements.say_areas(areas, venues, "library_a")


def test_the_words_of_a_councils_list_are_taken_for_kinds_and_others_stay_other():
    told = pd.Series(["Public Library", "Art gallery", "Theatre", "Live music pub", "Cinema", None])
    assert name_kinds(told).tolist() == ["library", "museum", "theatre", "music venue", "other", "other"]


def test_a_venue_that_could_lie_in_no_other_area_says_so():
    venues = pd.DataFrame({"name": ["A", "B"], "other_lsoa_code": ["E01000002", None], "borough_in_file": [None, "X"]})
    shown = tables.show("culture_venues", venues, "Venues").text
    assert "<td>no other</td>" in shown and "<td>none</td>" in shown and "<td>E01000002</td>" in shown
    unknown = tables.show("culture_venues", venues.assign(other_lsoa_code=None), "Venues").text
    assert "no other" not in unknown and "Small area" not in unknown


# --- money ---


HEADS = funding.Heads({2021: 1_000, 2020: 500}, 10_000)


def sum_awards(authorities, heads=HEADS, year=2024, programme="fund"):
    place = SimpleNamespace(lookup=pd.DataFrame({"lad22_code": ["E09000031"], "lad22_name": ["Waltham Forest"]}))
    study = SimpleNamespace(place=place, finder=SimpleNamespace(council=SimpleNamespace(codes=CODES)))
    awards = pd.DataFrame({"authority": authorities, "award_gbp": [100.0 * (1 + n) for n in range(len(authorities))]})
    awards = awards.assign(programme=programme, years=str(year), year=year, file="fund")
    return funding.sum_funding(study, awards, heads)


def test_money_is_summed_by_place_with_the_heads_of_the_nearest_year():
    row = sum_awards(["Waltham Forest", "Leeds", "waltham forest council", None]).iloc[0]
    assert (row["awards"], row["amount_gbp"], row["people_year"], row["amount_gbp_head"]) == (2, 400.0, 2021, 0.4)
    assert np.isnan(row["england_gbp_head"])
    assert sum_awards(["Waltham Forest"], year=2019).iloc[0]["amount_gbp_head"] == 0.2


def test_a_file_cut_to_other_places_says_nothing_while_one_of_all_of_england_says_zero(monkeypatch):
    others = ["Leeds", "Hackney", "Newham"]
    assert sum_awards(others).empty
    monkeypatch.setattr(funding, "LEAST_AUTHORITIES", 3)
    row = sum_awards(others).iloc[0]
    assert (row["awards"], row["amount_gbp"], row["england_gbp_head"]) == (0, 0.0, 0.06)


def test_without_heads_there_is_a_sum_and_no_sum_a_head():
    row = sum_awards(["Waltham Forest"], heads=funding.Heads({}, None)).iloc[0]
    assert row["amount_gbp"] == 100.0
    assert pd.isna(row["people"])
    assert np.isnan(row["amount_gbp_head"])


# --- stations ---

OLD = """,COUNTS,,,,,,
,,,,,,Weekday,Annualised
Mode,NLC,ASC,Station,Coverage,Source,Entries,En/Ex
LU,1,A,Market Lane,Station entry / exit,Gateline,"1,000","13,349,683"
LO,1,A,Market Lane,LO boarding / alighting,Manual,"90","2,317,248"
LO,2,B,St Ann's Road,LO boarding / alighting,Manual,"90","700,000"
LU,3,C,Closed,---Station Closed---,---,---,---
"""
NEW = """,COUNTS,,,,,,,,
,,,,,,Monday,Weekly,12-week,Annualised
NLC,Mode,ASC,Station,Coverage,Source,Entries,En/Ex,En/Ex,En/Ex
1,LU,A,Market Lane LU,Station entry/exit,Gateline,9,9,9,"14,000,000"
1,LO,A,Market Lane,---see LU---,---see LU---,0,0,0,0
"""


def read(text, tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text(text, encoding="utf-8")
    return stations.read_counts(SimpleNamespace(path=path, source=SimpleNamespace(id="counts", file="counts.csv")))


def test_counts_are_read_from_any_years_layout_and_a_row_that_points_elsewhere_is_no_zero(tmp_path):
    old, new = read(OLD, tmp_path), read(NEW, tmp_path)
    assert old["people"].astype("float").fillna(-1).tolist() == [13_349_683, 2_317_248, 700_000, -1]
    assert new["people"].astype("float").fillna(-1).tolist() == [14_000_000, -1]
    assert new["points_elsewhere"].tolist() == [False, True]


def test_a_station_is_counted_once_a_year_by_its_gates_if_it_has_a_count_of_these(tmp_path):
    counts = pd.concat([read(OLD, tmp_path).assign(year=2020), read(NEW, tmp_path).assign(year=2023)])
    names = ["Market Lane", "St Anns Road", "Closed"]
    known = pd.DataFrame({"station_id": ["1", "2", "3"], "name": names, "key": stations.name_stations(names)})
    found = stations.count_stations(known.assign(is_counted=True), counts)
    told = found[["name", "year", "people", "counted"]].to_numpy().tolist()
    assert told == [
        ["Market Lane", 2020, 13_349_683, "entries and exits"],
        ["Market Lane", 2023, 14_000_000, "entries and exits"],
        ["St Anns Road", 2020, 700_000, "boardings and alightings"],
    ]
    assert stations.count_stations(known.assign(is_counted=False), counts).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [(("13,349,683", "many"), "row 4: the total is no number"), (("Annualised", "Yearly"), "Annualised above one")],
)
def test_counts_in_a_layout_that_cannot_be_read_are_refused(tmp_path, change, message):
    with pytest.raises(SourceError, match=message):
        read(OLD.replace(*change), tmp_path)


def test_names_of_stations_are_equal_whoever_writes_them():
    names = ["Queen's Road Rail Station", "Queens Road", "Queens Road LU", "Hill (RH) Station", "Lane Tram Stop"]
    assert stations.name_stations(names) == ["queens road"] * 3 + ["hill", "lane"]
    assert stations.shorten_station("Station Road Underground Station") == "Station Road"


# --- words, and the map ---


def test_what_is_missing_is_said_and_is_no_zero():
    empty = pd.DataFrame()
    assert "not here" in statements.say_stations(empty, "Leeds")
    assert "are not shown: outlines" in statements.say_cycleways(empty, "Leeds")
    museums = pd.DataFrame({"kind": ["museum"], "source_id": ["mapping_museums"], "borough_from": ["name in the file"]})
    told = statements.say_venues(museums, "Leeds")
    assert "theatres or music venues" in told
    assert told.startswith("Leeds has 1 museum. No list here names any libraries, ") and told.endswith("is no zero.")
    every = pd.DataFrame({"kind": ["museum", "library", "theatre", "music venue"], "venues": [1, 2, 1, 1]})
    told_of_all = "Leeds has 5 venues: 1 museum, 2 libraries, 1 theatre and 1 music venue."
    assert statements.say_counts(every, "Leeds") == told_of_all
    counts = pd.DataFrame({"kind": ["museum"], "venues": [1]})
    assert "1 museum: the lists here name no other kind" in str(key_figures.show_venues(counts, "Leeds"))
    assert statements.say_doubt(empty, museums).startswith("Which small area a venue lies in cannot be said")


def test_venues_of_one_name_are_told_apart_on_the_report_map_and_ground_is_drawn_where_there_is_none():
    venues = pd.DataFrame({"name": ["Court", "COURT", "Mill"], "kind": ["theatre", "theatre", "library"]})
    venues = venues.assign(
        uncertainty_m=[20.6, 431.0, 100.0], longitude=[-0.02, -0.03, -0.01], latitude=[51.5, 51.55, 51.6]
    )
    points, ground = tables.place_venues(venues, gpd.GeoDataFrame(geometry=[], crs=4326), "Hackney")
    assert points["label"].tolist() == ["Court, theatre", "COURT, theatre 2", "Mill, library"]
    assert points["band"].tolist() == [1, 3, 2]
    assert ground["name"].tolist() == ["Hackney"]
    assert points.within(ground.union_all()).all()


def test_numbers_on_the_map_are_drawn_apart_and_those_that_are_apart_stay():
    points = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [50.0, 50.0]])
    moved = spread_points(points, 5)
    gaps = [np.hypot(*(moved[a] - moved[b])) for a in range(4) for b in range(a)]
    assert min(gaps) > 4.9
    assert np.hypot(*(moved[3] - points[3])) < 0.1


@pytest.mark.parametrize(("x", "is_written"), [(300.0, True), (800.0, False)])
def test_a_neighbourhood_is_named_where_no_venue_stands(monkeypatch, x, is_written):
    written = []
    monkeypatch.setattr("matplotlib.axes.Axes.text", lambda self, x, y, text, **_: written.append((text, x, y)))
    boxes = [shapely.box(west, 0, west + 1_600, 400) for west in (0, 1_600)]
    ground = gpd.GeoDataFrame({"neighbourhood": ["West", "East"]}, geometry=boxes, crs=27700)
    venues = pd.DataFrame({"easting": [x], "northing": [200.0], "kind": ["library"]})
    stations = pd.DataFrame({"name": ["Halt"], "easting": [x + 30], "northing": [200.0], "is_inside": [True]})
    draw_map(ground, venues, stations, pd.DataFrame(), (122.0, 60.0), has_outlines=True)
    spots = {text: (at, line) for text, at, line in written}
    assert ("West" in spots, "East" in spots) == (is_written, True)
    assert np.hypot(spots["Halt"][0] - x, spots["Halt"][1] - 200) > 40  # beside the venue, and not on it
