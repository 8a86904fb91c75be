"""What the careers report says of released figures, each figure in its sentence."""

import numpy as np
import pandas as pd
import pytest

from councilbook.careers import key_figures, prose
from councilbook.careers.journeys.ways import tabulate_evening

COUNTS = pd.DataFrame(
    [
        ("transit", "all", 45, 30, 40, 2.0),
        ("transit", "all", 60, 36, 40, 5.0),
        ("transit", "Sixth form college", 45, 3, 40, 0.0),
        ("drive", "all", 45, 39, 40, 7.0),
    ],
    columns=["mode", "kind", "minutes", "postcodes", "all_postcodes", "median_places"],
)
PLACES = pd.DataFrame(
    {
        "site_id": ["1", "2", "3", "4"],
        "name": ["A School", "B School", "C College", "D School"],
        "kind": ["School with sixth form", "School with sixth form", "Further education college", "School to 16"],
        "is_post16": [True, True, True, False],
        "run_by": [None, None, "A group", "Another"],
        "closed_date": [None, None, "2017-11-01", None],
        "age_to": [18, 16, np.nan, 16],
    }
)
TRAINS = pd.DataFrame({"timetable": ["trains"]})
BOTH = pd.DataFrame({"timetable": ["trains", "buses"]})


def test_places_are_counted_by_kind_in_words() -> None:
    said = prose.describe_places(PLACES, "Here")
    assert (
        "Here has 3 places to learn at after 16: 2 schools with a sixth form and 1 further education college." in said
    )
    assert "Bodies elsewhere run 1 of them." in said
    assert said.endswith("The lists give 16 as the highest age of 1: its sixth form may have closed.")
    assert "No place in Here" in prose.describe_places(PLACES.iloc[3:], "Here")
    assert "C College has closed. It counts, as most" in prose.describe_places(PLACES.assign(run_by=None), "H")
    assert "merger" not in said and "has its address here" not in said
    alike = prose.describe_places(PLACES.iloc[:2], "H")
    assert "No further education college has its address here" in alike
    assert alike.startswith("H has 2 places to learn at after 16: both are schools with a sixth form.")
    assert "H has 1 place to learn at after 16: it is a school with a sixth" in prose.describe_places(PLACES[:1], "H")
    assert key_figures.show_places(PLACES.iloc[:2], "H").comparison == "Both are schools with a sixth form"
    assert key_figures.show_places(PLACES, "H").comparison == "2 are schools with a sixth form"
    assert prose.write_kind("University technical college", 2) == "university technical colleges"


def test_how_far_people_get_is_told_by_the_timetables_that_there_are() -> None:
    said = prose.describe_choice(COUNTS, TRAINS)
    assert "75% of postcodes reach a place in 45 minutes, by train or on foot" in said
    assert "can choose from 2 or more" in said
    assert "By car 98% reach one, and half can choose from 7 or more." in said
    assert prose.write_ways(BOTH) == "by bus, by train or on foot"
    assert prose.write_ways(TRAINS.iloc[:0]) == "on foot"
    assert prose.warn_of_missing(TRAINS["timetable"]).startswith("No buses are in the journeys on this page")
    assert prose.warn_of_missing([]).startswith("No buses and no trains are in the journeys")
    assert prose.warn_of_missing(BOTH["timetable"]) == ""
    modes = prose.name_modes(pd.Series(["walk", "transit"]), TRAINS)
    assert modes.tolist() == ["on foot", "by train or on foot"]


def test_the_last_way_home_is_told_by_place() -> None:
    ways = pd.DataFrame(
        [("p", "1", "17:59"), ("q", "1", "18:00"), ("r", "1", "21:10"), ("p", "2", "17:00"), ("p", "3", None)],
        columns=["postcode", "site_id", "last_home_time"],
    )
    said = prose.describe_evening(ways, PLACES)
    assert said.startswith("From 1 of 3 places, at least half")
    assert "From 1, evening classes" in said and said.endswith("From 1, no ride home is known.")
    table = tabulate_evening(ways, PLACES)
    assert table["name"].tolist() == ["A School", "B School", "C College"]
    assert table["reached"].tolist() == [3, 1, 0]
    assert table["middle"].iloc[:2].tolist() == ["18:00", "17:00"] and pd.isna(table["middle"].iloc[2])
    assert table["late_pct"].tolist()[:2] == [pytest.approx(200 / 3), 0]
    assert np.isnan(table["late_pct"].iloc[2])
    assert prose.describe_evening(ways.iloc[4:], PLACES) == "No journey home by bus or train is known."


def make_districts() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("after GCSEs", "2020/21", 100, 90, 8, 2, 94.0),
            ("after GCSEs", "2021/22", 200, 190, 7, 3, 94.0),
            ("after GCSEs", "2021/22", 100, 80, 15, 5, 94.0),
            ("after 16 to 18 study", "2022/23", 50, 10, 30, 10, 80.0),
        ],
        columns=["measure", "destination_year", "cohort", "stayed", "not_stayed", "not_known", "england_pct"],
    )


def test_the_newest_year_is_summed_over_districts() -> None:
    said = prose.describe_stayed(make_districts(), "Here")
    assert "Of 300 young people who left at 16, 90.0% were in education or work in 2021/22" in said
    assert "against 94.0% in England. 22 did not stay, and nothing is known of 8." in said
    figure = key_figures.show_stayed(make_districts(), "Here")
    assert figure is not None
    assert (figure.value, figure.comparison) == ("90.0%", "94.0% in England")
    assert key_figures.show_stayed(make_districts().iloc[3:], "Here") is None
    years = prose.sum_years(make_districts(), "Here")
    assert years[["ends", "who", "left_pct"]].to_numpy().tolist() == [
        [2021, "Here", 10.0],
        [2022, "Here", 10.0],
        [2021, "England", 6.0],
        [2022, "England", 6.0],
    ]


def test_neet_and_not_known_are_two_figures() -> None:
    figures = pd.DataFrame(
        [
            (2024, "Here", 5.1, 0.9, True),
            (2025, "Here", 4.6, 0.7, True),
            (2025, "England", 3.4, 2.2, False),
            (2025, "There", 1.8, 9.7, False),
        ],
        columns=["year", "authority", "neet_pct", "not_known_pct", "is_own"],
    )
    said = prose.describe_neet(figures)
    assert "In 2025, 4.6% of 16 and 17 year olds" in said
    assert "against 3.4% in England. What another 0.7% did is not known (2.2% in England)." in said
    assert "No figure says" in prose.describe_neet(figures.iloc[2:])
    assert key_figures.show_neet(figures.iloc[2:]) is None


def test_ranks_are_told_as_what_cannot_be_told_apart() -> None:
    schools = pd.DataFrame({"rank_first": [1, 2, 3, 1], "rank_last": [2, 3, 4, 4], "ranked_schools": 4})
    assert prose.describe_ranks(schools) == "Of 4 schools, 2 may belong to the upper half as well as to the lower."
    assert "too few" in prose.describe_ranks(schools.iloc[:1])


def test_the_score_is_told_beside_the_plain_ones() -> None:
    matches = pd.DataFrame(
        [
            ("its five strongest skills", "this page's score", 98.2, 65),
            ("its five strongest skills", "cosine", 95.6, 65),
            ("any five", "this page's score", 50.0, 65),
        ],
        columns=["ticked", "score", "found_pct", "occupations"],
    )
    said = prose.describe_matches(matches)
    assert "For each of 65 occupations we ticked its five strongest skills." in said
    assert "in 98.2% of cases; plainer scores do in 95.6% (cosine)." in said


def test_guidance_starts_and_adverts_say_so_where_there_is_nothing() -> None:
    empty = pd.DataFrame(columns=["benchmarks_version", "urn", "achieved"])
    assert prose.describe_guidance(empty).startswith("No school or college")
    told = pd.DataFrame(
        [("2014", "1", "fully"), ("2014", "1", "fully"), ("2014", "2", "partly"), ("2025", "1", "fully")],
        columns=["benchmarks_version", "urn", "achieved"],
    )
    assert (
        "2 institutions returned the benchmarks of 2014, and met 1.0 of eight on average."
        in prose.describe_guidance(told)
    )
    starts = pd.DataFrame(
        [
            ("all", "2023/24", "12 months", 1800, 2100),
            ("all", "2022/23", "12 months", 9, 9),
            ("7", "2023/24", "", 30, 20),
        ],
        columns=["ukprn", "year", "months", "starts_here", "starts_of_residents"],
    ).assign(provider="P", is_suppressed=False)
    assert "About 1,800 apprenticeships started here in 2023/24" in prose.describe_starts(starts)
    assert prose.choose_trainers(starts)["starts_here"].tolist() == [30]
    assert "is not known" in prose.describe_starts(starts.iloc[:0])
    counts = pd.DataFrame({"list": ["a", "b"], "outcome": ["open", "closed"], "adverts": [3, 7]})
    assert prose.describe_vacancies(counts).endswith("10 adverts for apprenticeships: 3 open; 7 closed.")
    assert "no list" in prose.describe_vacancies(counts.iloc[:0])
