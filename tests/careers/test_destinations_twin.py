"""The twins of destinations: in the publisher's layout, and read back by the study as the real files are."""

import io

import pandas as pd
import pytest

from councilbook.careers.destinations import comparing, districts, marks, neet, panel
from councilbook.catalogue import TwinRequest
from councilbook.catalogue.finding import find_function
from councilbook.study import Study

SETTINGS = {"data": "sample", "seed": 5, "run_date": "2026-01-31"}


@pytest.fixture(scope="module", params=["doncaster", "E10000016"])
def study(request: pytest.FixtureRequest) -> Study:
    study = Study.open("careers", "5_destinations", council=request.param, **SETTINGS)
    study._require_declared = lambda name: study.catalogue.expand([name])  # which notebook reads what is not asked here
    return study


@pytest.fixture(scope="module")
def schools(study: Study) -> panel.Panel:
    return panel.read_schools(study.load_series("ks4_destinations"), study.load("school_spine"))


@pytest.fixture(scope="module")
def own(study: Study, schools: panel.Panel) -> pd.DataFrame:
    return panel.pick_own(schools.rows, study.finder.council, study.catalogue.source("ks4_destinations_2023"))[0]


def read_twin(study: Study, name: str) -> pd.DataFrame:
    source = study.catalogue.source(name)
    assert source.twin is not None
    request = TwinRequest(study.finder.council, 5)
    content = find_function(source.twin.make)(source, request)
    assert content == find_function(source.twin.make)(source, request)
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")


def test_the_table_of_schools_has_the_publishers_columns_in_each_edition(study: Study) -> None:
    older, newer = (read_twin(study, f"ks4_destinations_{edition}") for edition in (2019, 2023))
    assert older.shape[1] == newer.shape[1] == 82
    assert list(older)[:9] == [
        "RECTYPE",
        "LEA",
        "ESTAB",
        "URN",
        "ICLOSE",
        "SCHNAME",
        "NFTYPE",
        "COHORT",
        "OVERALL_DEST",
    ]
    assert {"COHORT_18", "OVERALL_DESTPER_DIS_17"} <= set(older)
    assert {"COHORT_21", "OVERALL_DESTPER_NONDIS_20"} <= set(newer)
    assert read_twin(study, "ks5_destinations").shape[1] == 236
    assert {"SUPP", "NA"} <= set(newer.to_numpy().ravel())


def test_authorities_are_the_sums_of_their_schools(study: Study) -> None:
    table = read_twin(study, "ks4_destinations_2023")
    counts = table[["COHORT", "NOT_SUSTAINED"]].apply(pd.to_numeric, errors="coerce")
    for record, columns in (("LA", ["COHORT", "NOT_SUSTAINED"]), ("NAT", ["COHORT"])):
        above = table["RECTYPE"].eq(record)
        below = table["RECTYPE"].isin(["1", "2"]) & (table["LEA"].isin(table.loc[above, "LEA"]) | (record == "NAT"))
        assert (counts.loc[above, columns].sum() >= counts.loc[below, columns].sum()).all()
        assert counts.loc[above, "COHORT"].sum() == counts.loc[below, "COHORT"].sum()


def test_the_town_has_six_years_and_a_school_that_became_another(own: pd.DataFrame, schools: panel.Panel) -> None:
    assert sorted(own["destination_year"].unique()) == [
        "2015/16",
        "2016/17",
        "2017/18",
        "2019/20",
        "2020/21",
        "2021/22",
    ]
    followed = own.groupby("series_urn")["urn"].nunique()
    assert (followed > 1).sum() == 1
    series = own[own["series_urn"].eq(followed.idxmax())].set_index("destination_year")
    assert series.loc[["2017/18", "2021/22"], "low"].notna().all()
    assert marks.HIDDEN in set(own["reason"])
    assert schools.set_aside["rows"].tolist()[:2] == [0, 0]


def test_limits_can_be_drawn_and_the_newest_year_is_predicted(schools: panel.Panel, own: pd.DataFrame) -> None:
    newest = comparing.take_cohorts(schools.rows, panel.AFTER_16, "2021/22")
    assert len(newest) > 400
    assert 0.90 < comparing.pool_rate(newest) < 0.96
    assert set(
        comparing.judge_schools(newest, comparing.rates.fit_spread(*comparing.list_counts(newest)), comparing.AMONG)
    ) <= set(comparing.AMONG)
    assert own["cohort_disadvantaged"].notna().any()


def test_a_college_is_left_out_and_a_cohort_jumps(study: Study) -> None:
    colleges = panel.read_colleges(study.load("ks5_destinations"), study.load("ks5_progression"))
    assert set(colleges.rows["measure"]) == {panel.AFTER_18, panel.HIGHER}
    left = districts.list_left_out(study.load("school_spine"), colleges.rows)
    assert left["closed_date"].notna().any()
    rows, wrong = districts.read_districts(
        study.load("ees_ks5_districts"), study.load("ees_ks5_districts", "england"), panel.AFTER_18
    )
    assert rows["comparable"].eq(districts.JUMPED).sum() == 1
    assert wrong == 0
    after_16 = study.load("ees_ks4_districts")
    assert after_16["time_period"].nunique() == 8
    assert set(after_16["lad_code"]) == set(study.finder.council.codes)


def test_neet_has_its_made_up_rows_in_2021_and_another_column_since_2024(study: Study) -> None:
    rows, aside = neet.read_neet(study.load_series("neet"))
    assert aside.to_numpy().tolist() == [[2021, "made-up rows, of no place", 2]]
    figures = neet.compare_neet(rows, set(study.load("school_spine")["authority"]))
    assert figures["is_own"].sum() == 5
    assert "enrolments_pa_10_exact_percent" in read_twin(study, "neet_2024")
    assert "sess_overall_percent_pa_10_exact" in read_twin(study, "neet_2023")


def test_the_census_covers_the_schools_of_the_newest_table(study: Study, own: pd.DataFrame) -> None:
    census = study.load("school_census")
    newest = own[own["destination_year"].eq("2021/22")]
    assert set(newest["urn"]) <= set(census["urn"])
    assert marks.read_cells(census["free_meals_pct"], "x", percent=True)["value"].between(0, 100).all()
