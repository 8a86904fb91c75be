"""Destinations of real schools: what was published must come out, and predictions hold on a year held out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from councilbook.careers import prose
from councilbook.careers.destinations import checks, comparing, districts, marks, neet, panel, statements
from councilbook.catalogue.councils import list_education_codes
from councilbook.study import Study

NEWEST = "2021/22"


def open_study(council, mirror):
    settings = {"data": "real", "mirror": str(mirror), "seed": 1, "run_date": "2026-01-31"}
    study = Study.open("careers", "5_destinations", council=council, **settings)
    study._require_declared = lambda name: study.catalogue.expand([name])  # which notebook reads what is not asked here
    return study


def list_codes(study):
    return {code for own in study.finder.council.codes for code in list_education_codes(own)}


@pytest.fixture(scope="module")
def doncaster(mirror):
    study = open_study("doncaster", mirror)
    spine = study.load("school_spine")
    schools = panel.read_schools(study.load_series("ks4_destinations"), spine)
    colleges = panel.read_colleges(study.load("ks5_destinations"), study.load("ks5_progression"))
    england = pd.concat([schools.rows, colleges.rows], ignore_index=True)
    own, _ = panel.pick_own(england, study.finder.council, study.catalogue.source("ks4_destinations_2023"))
    return SimpleNamespace(study=study, spine=spine, schools=schools, colleges=colleges, england=england, own=own)


@pytest.fixture(scope="module")
def history(doncaster):
    return comparing.fit_history(doncaster.england)


@pytest.fixture(scope="module")
def compared(doncaster, history):
    return comparing.compare_schools(doncaster.england, doncaster.own, history, np.random.default_rng(1))


def test_the_authoritys_row_adds_up_and_is_above_its_mainstream_schools(doncaster):
    raw = doncaster.study.load_series("ks4_destinations")
    row = raw[(raw["edition"] == 2023) & (raw["record_type"] == "LA") & (raw["la_number"] == "371")].iloc[0]
    assert row[["cohort", "stayed", "not_stayed", "not_known"]].tolist() == ["3152", "2887", "227", "38"]
    newest = doncaster.own[doncaster.own["destination_year"].eq(NEWEST)]
    mainstream = newest[newest["kind"].eq(panel.MAINSTREAM)]
    assert (len(mainstream), mainstream["cohort"].sum()) == (18, 3083)
    whole = doncaster.england[doncaster.england["kind"].eq(panel.AUTHORITY) & doncaster.england["la_number"].eq("371")]
    years = whole[whole["measure"].eq(panel.AFTER_16)].set_index("destination_year")["cohort"]
    assert years.to_dict() == {
        "2015/16": 3261,
        "2016/17": 3026,
        "2017/18": 3002,
        "2019/20": 3006,
        "2020/21": 3060,
        "2021/22": 3152,
    }


def test_a_schools_years_are_those_published(doncaster):
    rows = doncaster.own[doncaster.own["measure"].eq(panel.AFTER_16)]
    armthorpe = rows[rows["series_urn"].eq("138314")].set_index("destination_year")
    percent = np.floor(100 * armthorpe["low"] / armthorpe["cohort"] + 0.5)
    assert percent.tolist() == [90, 94, 96, 89, 85, 82]
    assert armthorpe.loc[NEWEST, ["low", "high", "cohort"]].tolist() == [93, 93, 113]
    laurel = rows[rows["series_urn"].eq("146639")].set_index("destination_year")
    assert laurel["school"].unique().tolist() == ["Mexborough Academy", "The Laurel Academy"]
    assert laurel.loc["2019/20", "reason"] == marks.NOT_THERE
    followed = dict(rows.loc[rows["urn"].ne(rows["series_urn"]), ["urn", "series_urn"]].drop_duplicates().to_numpy())
    assert followed == {
        "135544": "147515",
        "135546": "147582",
        "135548": "147829",
        "141354": "146639",
    }


def test_hidden_figures_stay_hidden_with_their_reason(doncaster):
    newest = doncaster.own[doncaster.own["destination_year"].eq(NEWEST)].set_index("urn")
    assert newest.loc[["106818", "147515"], "low"].isna().all()
    assert newest.loc[["106818", "147515"], "reason"].eq(marks.HIDDEN).all()


def test_schools_below_the_limits_by_each_way_to_draw_them(doncaster):
    below = checks.count_below(doncaster.england, doncaster.own, NEWEST).set_index("method")
    assert below["england_schools"].iloc[0] == 3146
    assert below["own_schools"].eq(18).all()
    assert below["own"].tolist() == [4, 2, 0, 0]
    assert below.loc[[checks.BINOMIAL, checks.BETA], "england"].tolist() == [211, 9]


def test_a_school_can_be_below_the_average_and_not_unusual(compared):
    newest = comparing.take_newest(compared, NEWEST).set_index("school")
    armthorpe = newest.loc["Armthorpe Academy"]
    shrunken = armthorpe[["shrunken_pct", "shrunken_low_pct", "shrunken_high_pct", "england_pct"]]
    assert [round(value, 1) for value in shrunken] == [85.5, 79.7, 90.6, 93.9]
    assert armthorpe["among_schools"] == comparing.AMONG[1]
    assert armthorpe["after_intake"] == comparing.INTAKE[1]
    assert armthorpe["against_average"] == comparing.AVERAGE[0]
    below = newest.index[newest["against_average"].eq(comparing.AVERAGE[0])]
    assert sorted(below) == ["Armthorpe Academy", "Astrea Academy Woodfields"]
    said = statements.say_told_apart(newest, np.random.default_rng(1))
    assert said.startswith("Most schools cannot be told apart: of 153 pairs")


def test_the_newest_year_lies_in_what_the_two_years_before_predict(doncaster, history):
    assert history.years == ("2019/20", "2020/21", NEWEST)
    found = checks.check_predictions(doncaster.england, history)
    assert found["schools"].iloc[0] == 2969
    assert 94 <= found["found_pct"].iloc[0] <= 98
    assert found["found_pct"].iloc[1:4].between(93, 98).all()  # of any size
    assert 79 <= found["found_pct"].iloc[-1] <= 83  # last year's rate with binomial noise


def test_limits_and_intervals_keep_what_they_promise_on_simulated_schools(doncaster):
    found = checks.check_simulated(doncaster.england, NEWEST, np.random.default_rng(1))["found_pct"]
    assert 0.05 <= found[0] <= 0.13
    assert 0.8 <= found[1] <= 1.3
    assert 94 <= found[2] <= 96


def test_rows_that_do_not_add_up_after_16_to_18_are_set_aside(doncaster):
    aside = doncaster.colleges.set_aside.set_index("what")["rows"]
    assert aside["cohorts whose parts do not add up"] == 4  # two schools, and two authorities
    assert districts.list_left_out(doncaster.spine, doncaster.england)["name"].tolist() == [
        "Doncaster College",
        "Doncaster Collegiate Sixth Form",
    ]


def test_districts_and_their_jump(doncaster):
    study = doncaster.study
    after_16, wrong = districts.read_districts(
        study.load("ees_ks4_districts"), study.load("ees_ks4_districts", "england"), panel.AFTER_16
    )
    assert after_16["cohort"].tolist() == [3217, 2977, 2942, 2855, 2954, 3005, 3088, 3197]
    assert after_16["not_stayed_pct"].round(1).iloc[[0, -1]].tolist() == [6.6, 8.1]
    assert wrong == 0
    assert not after_16["comparable"].eq(districts.JUMPED).any()
    after_18, _ = districts.read_districts(
        study.load("ees_ks5_districts"), study.load("ees_ks5_districts", "england"), panel.AFTER_18
    )
    last = after_18.set_index("destination_year").loc["2022/23"]
    assert (last["cohort"], last["comparable"]) == (3594, districts.JUMPED)
    assert "to 3,594 in 2022/23" in statements.say_jumps(after_18)


def test_neet_and_not_known_are_two_figures(doncaster):
    rows, aside = neet.read_neet(doncaster.study.load_series("neet"))
    assert aside.to_numpy().tolist() == [[2021, "made-up rows, of no place", 2]]
    figures = neet.compare_neet(rows, list_codes(doncaster.study))
    assert figures.loc[figures["is_own"], "both_pct"].tolist() == [4.9, 4.8, 4.3, 4.8, 5.4]
    newest = figures[figures["year"].eq(2025)].set_index("authority")[neet.FIGURES]
    assert newest.loc["Doncaster"].tolist() == [5.4, 4.6, 0.7]
    assert newest.loc["England"].tolist() == [5.6, 3.4, 2.2]
    assert newest.loc["North Lincolnshire", ["neet_pct", "not_known_pct"]].tolist() == [1.8, 9.7]
    said = prose.describe_neet(figures)
    assert "4.6% of 16 and 17 year olds" in said and "against 3.4% in England" in said
    assert "What another 0.7% did is not known (2.2% in England)." in said


@pytest.mark.parametrize(
    ("council", "schools", "districts_there", "authority"),
    [("E08000035", 40, 1, "Leeds"), ("E06000050", 20, 1, "Cheshire West and Chester"), ("E10000016", 96, 12, "Kent")],
)
def test_another_authority_has_its_schools_districts_and_neet(
    doncaster, mirror, council, schools, districts_there, authority
):
    study = open_study(council, mirror)
    own, _ = panel.pick_own(doncaster.england, study.finder.council, study.catalogue.source("ks4_destinations_2023"))
    newest = own[own["destination_year"].eq(NEWEST) & own["kind"].eq(panel.MAINSTREAM)]
    assert len(newest) == schools
    assert study.load("ees_ks4_districts")["lad_code"].nunique() == districts_there
    rows, _ = neet.read_neet(study.load_series("neet"))
    figures = neet.compare_neet(rows, list_codes(study))
    assert figures.loc[figures["is_own"], "authority"].unique().tolist() == [authority]
    assert len(study.load("school_spine")) > 0
