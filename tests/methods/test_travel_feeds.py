"""Timetables are read with what is wrong in them counted, set aside or refused."""

from datetime import date
from zipfile import ZipFile

import pandas as pd
import pytest

from councilbook.errors import CheckError, ParameterError, SourceError
from councilbook.methods.travel.feeds import read_feed, tabulate_counts, tabulate_feeds
from timetable_search import write_feed

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def run(service: str, days: str, start: str = "20260302", end: str = "20260331") -> dict[str, object]:
    return {"service_id": service, **dict(zip(WEEK, days, strict=True)), "start_date": start, "end_date": end}


def call(trip: str, order: int, stop: str, arrival: str, departure: str = "", **kinds: str) -> dict[str, object]:
    times = {"arrival_time": arrival, "departure_time": departure or arrival}
    return {
        "trip_id": trip,
        "stop_sequence": order,
        "stop_id": stop,
        **times,
        "pickup_type": "0",
        "drop_off_type": "0",
    } | kinds


def make_tables() -> dict[str, list[dict[str, object]]]:
    """Two trips: one on Mondays to Fridays from a to c, one on Tuesdays alone, past midnight, and given in disorder."""
    return {
        "stops.txt": [
            {"stop_id": "a", "stop_name": "Ash", "stop_lat": "53.5", "stop_lon": "-1.1", "parent_station": ""},
            {"stop_id": "b", "stop_name": "Birch", "stop_lat": "53.6", "stop_lon": "-1.0", "parent_station": ""},
            {"stop_id": "c", "stop_name": "Cedar", "stop_lat": "", "stop_lon": "", "parent_station": "a"},
        ],
        "trips.txt": [{"trip_id": "t1", "service_id": "week"}, {"trip_id": "t2", "service_id": "late"}],
        "stop_times.txt": [
            call("t2", 10, "b", "24:40:05"),
            call("t2", 9, "a", "24:10:00", pickup_type="0", drop_off_type="1"),
            call("t1", 1, "a", "08:00:00"),
            call("t1", 2, "b", "8:12:00", "08:13:00", pickup_type="1"),
            call("t1", 3, "c", "08:20:00"),
        ],
        "calendar.txt": [run("week", "1111100"), run("late", "0100000")],
    }


def read(path, tables):
    return read_feed(write_feed(path / "feed.zip", tables), "buses")


def list_counts(feed):
    return dict(tabulate_counts([feed])[["what", "count"]].to_numpy())


def test_calls_are_read_in_order_with_seconds_and_what_one_may_do(tmp_path):
    feed = read(tmp_path, make_tables())
    names = feed.stops["name"].to_numpy()[feed.calls["stop"]]
    late = feed.calls["service_id"] == "late"
    assert list(names[~late]) == ["Ash", "Birch", "Cedar"] and list(names[late]) == ["Ash", "Birch"]
    assert feed.calls.loc[late, "arrival"].tolist() == [87_000, 88_805]
    assert feed.calls.loc[~late, "departure"].tolist() == [28_800, 29_580, 30_000]
    assert feed.calls.loc[~late, "can_board"].tolist() == [True, False, True]
    assert feed.calls.loc[late, "can_alight"].tolist() == [False, True]
    cedar = feed.stops[feed.stops["name"] == "Cedar"]
    assert cedar[["latitude", "longitude"]].to_numpy().tolist() == [[53.5, -1.1]]
    assert list_counts(feed) == {}


def test_a_day_holds_last_nights_trips_and_those_of_the_next_morning(tmp_path):
    feed = read(tmp_path, make_tables())
    tuesday, wednesday = (feed.list_running(date(2026, 3, day)) for day in (10, 11))
    assert sorted(tuesday["departure"]) == sorted(
        [one + shift for shift in (-86_400, 0, 86_400) for one in (28_800, 29_580, 30_000)] + [87_000, 88_805]
    )
    late = wednesday[wednesday["service_id"] == "late"]
    assert late["departure"].tolist() == [600, 2_405]  # ten past midnight, by Tuesday's service
    assert wednesday.groupby(["service_id", "trip"]).ngroups == 4


def test_the_day_with_most_trips_of_a_name_is_chosen_and_exceptions_count(tmp_path):
    tables = make_tables()
    tables["calendar_dates.txt"] = [
        {"service_id": "late", "date": f"202603{day:02d}", "exception_type": "2"} for day in (3, 24, 31)
    ] + [{"service_id": "late", "date": "20260318", "exception_type": "1"}]
    feed = read(tmp_path, tables)
    assert feed.choose_day("tuesday") == date(2026, 3, 17)
    assert feed.choose_day("Wednesday") == date(2026, 3, 18)
    assert feed.choose_day("monday") == date(2026, 3, 30)
    assert tabulate_feeds([feed], "tuesday").to_numpy().tolist() == [["buses", pd.Timestamp("2026-03-17"), 3, 2]]
    assert tabulate_feeds([], "tuesday").dtypes.equals(tabulate_feeds([feed], "tuesday").dtypes)
    with pytest.raises(
        CheckError, match=r"no trip runs on any sunday\. Its services run from 2026-03-02 to 2026-03-31"
    ):
        feed.choose_day("sunday")
    with pytest.raises(ParameterError, match="Did you mean tuesday"):
        feed.choose_day("tuseday")


def test_what_cannot_be_used_is_counted_and_set_aside(tmp_path):
    tables = make_tables()
    tables["trips.txt"] += [{"trip_id": f"x{one}", "service_id": "week"} for one in range(4)]
    tables["trips.txt"] += [{"trip_id": "never", "service_id": "idle"}, {"trip_id": "lost", "service_id": "nowhere"}]
    tables["stops.txt"].append(
        {"stop_id": "zero", "stop_name": "Nil", "stop_lat": "0", "stop_lon": "0", "parent_station": ""}
    )
    tables["calendar.txt"].append(run("idle", "0000000"))
    tables["stop_times.txt"] += [
        call("x0", 1, "a", "48:59:00", "24:01:00"),  # arrives after it leaves
        call("x0", 2, "b", "24:30:00"),
        call("x1", 1, "a", "10:00:00"),  # runs backwards
        call("x1", 2, "b", "09:00:00"),
        call("x2", 1, "a", "11:00:00"),  # one stop left
        call("x2", 2, "zero", "11:30:00"),
        call("x3", 1, "a", "12:00:00"),
        call("x3", 2, "b", " "),  # no time
        call("x3", 3, "ghost", "12:20:00"),
        call("x3", 4, "c", "12:30:00"),
        call("x3", 5, "a", ""),  # no time, and no call after it
        *(call(trip, 1, "a", "13:00:00") for trip in ("never", "lost", "orphan")),
        *(call(trip, 2, "b", "13:00:00") for trip in ("never", "lost", "orphan")),
    ]  # fmt: skip
    feed = read(tmp_path, tables)
    assert list_counts(feed) == {
        "stops without a place on the map: set aside": 1,
        "calls of trips that are not in trips.txt: set aside": 2,
        "calls at stops that are not there or not placed: set aside": 2,
        "calls without a time: put evenly between the calls around them": 1,
        "calls without a time: set aside": 1,
        "arrivals after the departure: taken to be at the departure": 1,
        "trips whose times run backwards: set aside": 1,
        "trips with one stop left: set aside": 1,
        "trips of a service that runs on no day, or is in no calendar: set aside": 2,
    }
    kept = feed.calls.groupby("trip")["arrival"].apply(list).tolist()
    assert sorted(kept) == [[28_800, 29_520, 30_000], [43_200, 43_800, 45_000], [86_460, 88_200], [87_000, 88_805]]


def test_one_of_two_times_stands_for_both(tmp_path):
    tables = make_tables()
    tables["stop_times.txt"][3] |= {"arrival_time": ""}
    feed = read(tmp_path, tables)
    assert sorted(feed.calls["arrival"]) == [28_800, 29_580, 30_000, 87_000, 88_805]


def test_files_may_lie_in_a_folder_and_flags_may_be_absent(tmp_path):
    tables = make_tables()
    for row in tables["stop_times.txt"]:
        del row["pickup_type"], row["drop_off_type"]
    feed = read(tmp_path, {f"gtfs/{name}": rows for name, rows in tables.items()})
    assert feed.calls["can_board"].all() and feed.calls["can_alight"].all() and len(feed.calls) == 5


def test_a_trip_that_runs_every_so_often_is_as_many_trips(tmp_path):
    tables = make_tables()
    often = {"trip_id": "t1", "start_time": "06:00:00", "end_time": "07:00:00", "headway_secs": "1200"}
    tables["frequencies.txt"] = [often, often | {"start_time": "22:00", "end_time": "22:10"}, often | {"trip_id": "x"}]
    feed = read(tmp_path, tables)
    starts = feed.calls.groupby("trip")["departure"].first()
    assert sorted(starts) == [21_600, 22_800, 24_000, 79_200, 87_000]
    assert sorted(feed.calls.groupby("trip")["arrival"].last() - starts)[-4:] == [1_200] * 3 + [1_805]
    assert list_counts(feed) == {
        "rows of frequencies.txt that cannot be read: set aside": 1,
        "trips made from frequencies.txt": 4,
    }


@pytest.mark.parametrize("file", ["stops.txt", "trips.txt", "stop_times.txt"])
def test_a_missing_file_is_named(tmp_path, file):
    tables = make_tables()
    del tables[file]
    with pytest.raises(SourceError, match=f"buses: the zip has no {file}. It holds"):
        read(tmp_path, tables)


def test_a_feed_without_any_calendar_is_refused(tmp_path):
    tables = make_tables()
    del tables["calendar.txt"]
    with pytest.raises(SourceError, match=r"neither calendar.txt nor calendar_dates.txt"):
        read(tmp_path, tables)


def test_a_missing_column_a_bad_day_and_a_bad_order_are_named(tmp_path):
    tables = make_tables()
    tables["stops.txt"] = [{"stop_id": "a", "lat": "1", "stop_lon": "2"}]
    with pytest.raises(SourceError, match=r"stops.txt has no column stop_lat"):
        read(tmp_path, tables)
    tables = make_tables() | {"calendar.txt": [run("week", "1111100"), run("late", "0100000", end="31/03/2026")]}
    with pytest.raises(CheckError, match=r"calendar.txt, end_date: '31/03/2026' in row 3 is no day"):
        read(tmp_path, tables)
    tables = make_tables()
    tables["stop_times.txt"][2] |= {"stop_sequence": "first"}
    with pytest.raises(CheckError, match=r"stop_times.txt, row 4: stop_sequence is 'first'"):
        read(tmp_path, tables)


def test_what_is_no_zip_or_no_csv_or_has_nothing_left_is_refused(tmp_path):
    (tmp_path / "page.zip").write_text("<html>")
    with pytest.raises(SourceError, match=r"page.zip is no zip file"):
        read_feed(tmp_path / "page.zip", "buses")
    tables = make_tables()
    ragged = write_feed(tmp_path / "feed.zip", tables)
    with ZipFile(ragged, "w") as archive:
        archive.writestr("stops.txt", 'stop_id,stop_lat,stop_lon\n"a,1,1\nb,1,1\n')
        archive.writestr("stop_times.txt", "")
    with pytest.raises(SourceError, match=r"stops.txt is no CSV that can be read"):
        read_feed(ragged, "buses")
    with pytest.raises(CheckError, match=r"no trip in feed\.zip can be used"):
        read(tmp_path, tables | {"calendar.txt": [run("week", "0000000")]})


def repack(path, change):
    """Write the two trips' feed as `change` makes each of its files, by name and text, from the plain one."""
    with ZipFile(write_feed(path / "plain.zip", make_tables())) as plain:
        files = [change(name, plain.read(name).decode()) for name in plain.namelist()]
    with ZipFile(path / "feed.zip", "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path / "feed.zip"


def split_head(text):
    head, _, rest = text.partition("\n")
    return head.strip(), rest


STRANGE = {
    "capitals": lambda name, text: (name, "\n".join([split_head(text)[0].upper(), split_head(text)[1]])),
    "blanks": lambda name, text: (name, "\n".join([split_head(text)[0].replace(",", " , "), split_head(text)[1]])),
    "a mark and quotes": lambda name, text: (
        name,
        "\ufeff" + "\n".join(['"' + split_head(text)[0].replace(",", '","') + '"', split_head(text)[1]]),
    ),
    "blank lines and rows": lambda name, text: (name, f"\n{text}\n{',' * split_head(text)[0].count(',')}\n"),
    "commas at the ends": lambda name, text: (name, "".join(f"{line},\n" for line in text.splitlines())),
    "a column twice": lambda name, text: (
        name,
        "".join(f"{line},{line.split(',')[0]}\n" for line in text.splitlines()),
    ),
    "Windows' letters": lambda name, text: (name, text.replace("Birch", "Bírch’s").encode("cp1252")),
    "capitals of files, in Windows' folder": lambda name, text: (f"gtfs\\{name.title()}", text),
    "what a Mac adds": lambda name, text: (f"buses/{name}", text),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_feed_is_read_however_it_was_saved(tmp_path, kind):
    path = repack(tmp_path, STRANGE[kind])
    if kind == "what a Mac adds":
        with ZipFile(path, "a") as archive:
            archive.writestr("__MACOSX/buses/stop_times.txt", b"\0\1")
    feed, plain = read_feed(path, "buses"), read(tmp_path, make_tables())
    pd.testing.assert_frame_equal(feed.calls, plain.calls)
    pd.testing.assert_frame_equal(feed.days, plain.days)
    assert list(feed.stops["name"]) == ["Ash", "Bírch’s" if kind == "Windows' letters" else "Birch", "Cedar"]
    assert list_counts(feed) == {}


def test_a_zip_in_a_zip_is_read_and_of_several_timetables_none_is_chosen(tmp_path):
    inner = write_feed(tmp_path / "inner.zip", make_tables()).read_bytes()
    outer = tmp_path / "outer.zip"
    with ZipFile(outer, "w") as archive:
        archive.writestr("yorkshire/itm.zip", inner)
    assert len(read_feed(outer, "buses").calls) == 5
    with ZipFile(outer, "a") as archive:
        archive.writestr("north_west/itm.zip", inner)
    with pytest.raises(SourceError, match=r"holds 2 timetables, in yorkshire/itm\.zip, north_west/itm\.zip"):
        read_feed(outer, "buses")
    both = {f"{folder}/{name}": rows for folder in "ab" for name, rows in make_tables().items()}
    with pytest.raises(SourceError, match=r"holds 2 timetables, in a, b\. Put one alone"):
        read(tmp_path, both)
    with ZipFile(outer, "w") as archive, ZipFile(tmp_path / "two.zip", "w") as two:
        two.writestr("three.zip", inner)
        two.close()
        archive.write(tmp_path / "two.zip")
    with pytest.raises(SourceError, match=r"has no stops\.txt"):
        read_feed(outer, "buses")


def test_a_row_with_more_or_fewer_cells_is_counted_and_set_aside(tmp_path):
    feed = read_feed(repack(tmp_path, lambda name, text: (name, f"{text}t1,4\n")), "buses")
    assert len(feed.calls) == 5
    assert list_counts(feed)["rows of stop_times.txt with more or fewer cells than its header: set aside"] == 1


def test_a_weekday_is_a_number_and_what_is_neither_yes_nor_no_is_named(tmp_path):
    tables = make_tables()
    week = run("week", "1111100")
    tables["calendar.txt"][0] = week | {day: f"{week[day]}.0" for day in WEEK}
    assert len(read(tmp_path, tables).days) == len(read(tmp_path, make_tables()).days)
    tables["calendar.txt"][0] = week | {"friday": "true"}
    with pytest.raises(CheckError, match=r"calendar.txt, row 2: friday is 'true'; expected is 0 or 1"):
        read(tmp_path, tables)
    tables = make_tables() | {"calendar_dates.txt": [{"service_id": "week", "date": "20260304", "exception_type": "3"}]}
    with pytest.raises(CheckError, match=r"calendar_dates.txt, row 2: exception_type is '3'; expected is 1 or 2"):
        read(tmp_path, tables)
