"""The ways from postcodes to places are tabulated and counted as they are measured, over invented timetables."""

import numpy as np
import pandas as pd
import pytest

from councilbook.careers.journeys import ways
from councilbook.careers.twin.timetable_twin import bus_timetable, rail_timetable
from councilbook.catalogue import Council, FoundFile, TwinRequest, find_function, load_catalogue
from councilbook.errors import NotToldError, ParameterError, SourceError
from councilbook.methods.travel.feeds import read_feed, tabulate_counts
from councilbook.methods.travel.ground import Pace
from councilbook.methods.travel.journeys import Habits, Window, list_assumptions, plan_network, trace_arrivals
from councilbook.paths import find_workbook
from councilbook.study import Study

REQUEST = TwinRequest(Council(slug="doncaster", name="Doncaster", codes={"E08000017": "Doncaster"}), 2018)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feeds")
    (folder / "rail.zip").write_bytes(rail_timetable(None, REQUEST))
    (folder / "bus.zip").write_bytes(bus_timetable(None, REQUEST))
    return [read_feed(folder / "rail.zip", "trains"), read_feed(folder / "bus.zip", "buses")]


@pytest.fixture(scope="module")
def town(feeds):
    """Postcodes and places beside stops, the last postcode far from all."""
    stops = feeds[1].stops
    near = stops.iloc[::17][["latitude", "longitude"]] + [0.002, 0.001]
    postcodes = pd.concat([near, pd.DataFrame({"latitude": [57.9], "longitude": [3.0]})], ignore_index=True)
    postcodes.insert(0, "postcode", [f"XX1 {one}AA" for one in range(len(postcodes))])
    places = stops.iloc[[5, 120]][["latitude", "longitude"]].reset_index(drop=True)
    return postcodes, places.assign(site_id=["900001", "900002"], name=["Ash", "Birch"], kind=["Other", "College"])


@pytest.fixture(scope="module")
def measured(feeds, town):
    habits = Habits()
    network = plan_network(feeds, "tuesday", habits, None)
    return network, ways.tabulate_ways(*town, network, habits, None)


def test_the_twins_are_the_same_each_time_and_hold_what_real_timetables_hold(feeds):
    assert bus_timetable(None, REQUEST) == bus_timetable(None, REQUEST)
    rail, bus = feeds
    assert bus.counts == {} and len(tabulate_counts([rail])) == 3
    for feed in feeds:
        assert feed.calls["departure"].max() > 86_400
        assert not feed.calls["can_alight"].all()
    assert bus.stops["longitude"].between(0.2, 2).all() and bus.stops["latitude"].between(53, 55).all()  # in the sea


def test_ways_have_whole_minutes_or_nothing_and_walking_is_never_quicker_than_by_bus(measured, town):
    table = measured[1]
    assert list(table)[:2] == ["postcode", "site_id"] and not table.duplicated(["postcode", "site_id"]).any()
    assert "XX1 17AA" not in set(table["postcode"])
    assert (table["walk_minutes"] >= table["transit_median_minutes"]).dropna().all()
    assert (table["transit_p90_minutes"] >= table["transit_median_minutes"]).dropna().all()
    assert (table["drive_minutes"] <= table["cycle_minutes"]).dropna().all()
    walked = table[table["rides"] == 0]
    assert (walked["walk_minutes"] == walked["transit_median_minutes"]).all()
    assert table["rides"].max() >= 2 and table["last_home_time"].str.fullmatch(r"\d\d:\d\d").dropna().all()


def test_a_traced_journey_has_the_median_and_the_ninth_in_ten_of_the_table(measured, town):
    network, table = measured
    home, goal = ways.choose_example(*town, table)
    traced = trace_arrivals(home, goal, network, Habits(), None)
    row = table[(table["postcode"] == home["postcode"].iloc[0]) & (table["site_id"] == goal["site_id"].iloc[0])]
    told = row[["transit_median_minutes", "transit_p90_minutes"]].to_numpy(dtype=float, na_value=np.inf)[0]
    ahead = sorted(traced["ahead"].fillna(np.inf))
    assert len(ahead) == 121 and list(told) == [ahead[60], ahead[108]]
    assert row["rides"].iloc[0] == table["rides"].max() == traced.loc[traced["ahead"] == ahead[60], "rides"].min()


def test_without_a_timetable_a_journey_without_a_car_is_on_foot(town):
    habits = Habits(walk=Pace(6, 1.0))
    table = ways.tabulate_ways(*town, plan_network([], "tuesday", habits, None), habits, None)
    for column in ("transit_median_minutes", "transit_p90_minutes"):
        assert table[column].equals(table["walk_minutes"].rename(column))
    assert table["walk_minutes"].notna().any() and table["rides"].dropna().eq(0).all()
    assert table["last_home_time"].isna().all()
    assert table["drive_minutes"].notna().all()


def test_postcodes_and_places_within_reach_are_counted():
    minutes = pd.array([20, 50, 45, 20, None], dtype="Int64")
    table = pd.DataFrame({"postcode": ["a", "a", "b", "b", "c"], "site_id": ["1", "2", "1", "2", "2"]})
    for column in ways.MODES.values():
        table[column] = minutes
    table["walk_minutes"] = pd.array([None] * 5, dtype="Int64")
    places = pd.DataFrame({"site_id": ["1", "2"], "kind": ["College", "Other"], "name": ["Ash", "Birch"]})
    counts = ways.count_reached(table, places, 5).set_index(["mode", "kind", "minutes"])
    assert counts.loc[("cycle", "all", 30)].tolist() == [2, 5, 0.0]
    assert counts.loc[("cycle", "all", 45)].tolist() == [2, 5, 0.0]
    assert counts.loc[("transit", "College", 30), "postcodes"] == 1
    assert counts.loc[("transit", "Other", 60), "postcodes"] == 2
    fewer = ways.count_reached(table, places, 3).set_index(["mode", "kind", "minutes"])
    assert fewer.loc[("drive", "all", 60)].tolist() == [2, 3, 2.0]
    assert counts.loc["walk", "postcodes"].eq(0).all()
    dots = pd.DataFrame({"postcode": ["a", "b", "z"], "latitude": [53.0, 53.1, 53.2], "longitude": [-1.0, -1.1, -1.2]})
    bands = ways.band_postcodes(dots, table, 45)
    assert bands[["postcode", "band", "places"]].to_numpy().tolist() == [["a", 1, 1], ["b", 1, 2], ["z", 0, 0]]
    assert bands.geometry.y.tolist() == [53.0, 53.1, 53.2]


def test_where_no_postcode_or_no_place_is_known_the_page_is_told_which(town):
    with pytest.raises(NotToldError, match="where the postcodes of this council are"):
        ways.tabulate_ways(town[0].iloc[:0], town[1], None, Habits(), None)
    with pytest.raises(NotToldError, match="No place here teaches after 16"):
        ways.tabulate_ways(town[0], town[1].iloc[:0], None, Habits(), None)


def test_windows_are_minutes_of_a_day():
    assert Window("08:58", "09:01").seconds.tolist() == [32_280, 32_340, 32_400, 32_460]
    for start, end in (("9", "10:00"), ("10:00", "09:00"), ("23:00", "24:01"), ("08:00", "late")):
        with pytest.raises(ParameterError, match="A window runs from"):
            Window(start, end).seconds  # noqa: B018


def test_what_is_assumed_follows_the_habits():
    told = list_assumptions(Habits(walk=Pace(5, 1.2), most_rides=3), has_streets=False).set_index("what")["value"]
    assert told["Pace on foot"] == "5 km an hour, 1.2 times the straight line" and told["Most rides"] == "3"
    streets = list_assumptions(Habits(), has_streets=True).set_index("what")["value"]
    assert "along the streets" in streets["Pace on foot"] and "straight line" in streets["Pace by car"]


@pytest.mark.parametrize("name", ["rail_timetable", "bus_timetable", "faa_vacancies", "schools_register"])
def test_a_damaged_file_is_refused_before_the_first_notebook(tmp_path, name):
    source = load_catalogue(find_workbook()).source(name)
    path = tmp_path / source.file.replace("{council}", "E08000017")
    path.write_text("no such file\n")
    study = Study.open("careers", "3_options", "doncaster", "sample", seed=1, run_date="2026-11-29")
    with pytest.raises(SourceError, match=path.name):
        find_function(source.owner)(study, FoundFile(source, path, "data/raw"))
