"""Twins of adverts, trainers, jobs and courses: the publishers' layouts, the same bytes again, and each fault."""

import io
import json

import pandas as pd
import pytest

from councilbook.careers.options import occupations, openings, starts
from councilbook.careers.twin import options_twin
from councilbook.catalogue import Council, FoundFile, TwinRequest, load_catalogue
from councilbook.paths import find_workbook

DONCASTER = Council(slug="doncaster", name="Doncaster", codes={"E08000017": "Doncaster"})
TWO = Council(slug="two", name="Two", codes={"E07000105": "Ashford", "E07000106": ""})
SOURCES = [
    *("faa_vacancies", "ncs_vacancies", "lars_standards", "lars_sectors", "provider_starts", "provider_standards"),
    *(
        "job_profiles",
        "occupation_skills",
        "occupation_titles",
        "interest_statements",
        "interest_categories",
        "courses",
    ),
]


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(find_workbook())


def make(name, council=DONCASTER, seed=3):
    return getattr(options_twin, name)(None, TwinRequest(council, seed))


def read(name, council=DONCASTER):
    return pd.read_csv(io.BytesIO(make(name, council)), encoding="utf-8-sig", keep_default_na=False)


@pytest.mark.parametrize("name", SOURCES)
def test_a_twin_is_the_same_again_and_has_the_declared_columns(catalogue, name):
    assert make(name) == make(name)
    source = catalogue.source(name)
    for table in source.tables.values():
        wanted = {field: spec.column or [field] for field, spec in table.fields.items()}
        absent = [field for field, headers in wanted.items() if not set(headers) & set(read(name).columns)]
        assert absent == (["provider"] if name == "courses" else [])  # the directory has the provider's number


def test_places_differ_by_seed():
    assert make("faa_vacancies") != make("faa_vacancies", seed=4)
    assert make("occupation_skills") != make("occupation_skills", seed=4)


def test_adverts_have_each_fault_of_the_real_ones_and_lie_in_the_north_sea(catalogue, tmp_path):
    path = tmp_path / "list.json"
    path.write_bytes(make("faa_vacancies"))
    assert "SYNTHETIC" in json.loads(path.read_text())["note"]
    adverts, _ = openings.read_adverts(FoundFile(catalogue.source("faa_vacancies"), path, "twin"))
    at_sea = adverts["longitude"].between(0.5, 1.5) & adverts["latitude"].between(53.4, 54.0)
    assert int((adverts["latitude"].notna() & ~at_sea).sum()) == 1  # the one that is far away
    assert set(adverts["place"]) == {openings.ADDRESS, openings.ANYWHERE, openings.NOT_SAID}
    assert adverts[["starts_on", "hours_week", "ukprn", "lars_code"]].isna().sum().tolist() == [1, 1, 1, 1]
    judged = openings.judge_adverts(adverts, "2031-01-01", (53.7, 1.0), 40)
    assert set(judged["outcome"]) == set(openings.OUTCOMES) - {openings.OLD}


def test_the_older_list_has_adverts_several_times():
    rows = read("ncs_vacancies")
    assert len(rows) > rows["VacancyId"].nunique() == 12


@pytest.mark.parametrize("council", [DONCASTER, TWO])
def test_starts_are_of_the_council_s_districts_and_mostly_small(council):
    rows = starts.take_numbers(read("provider_starts", council))
    counted = starts.count_starts(rows, council)
    assert set(counted["months"]) == {starts.WHOLE, "August to April"}
    positive = rows["starts"][rows["starts"] > 0]
    assert (positive < 10).mean() > 0.5
    headers = {"values": "starts", "apps_Level": "level", "ssa_t1_desc": "sector"}
    standards = starts.take_numbers(read("provider_standards", council).rename(columns=headers))
    described = starts.describe_providers(standards)
    assert set(described.index) < set(rows["ukprn"])
    assert not set(read("provider_standards")["provider_name"]) & set(read("provider_starts")["provider_name"])


def test_jobs_find_their_skills_in_every_way_and_some_are_tied():
    rows = read("occupation_skills").rename(columns={"Title": "title", "ONetRank": "rating"})
    skills = occupations.split_skills(rows)
    ties = occupations.find_ties(skills)
    assert int((ties["tied"] > 1).sum()) > 5
    assert int((skills["skill"].value_counts() == skills["soc_code"].nunique()).sum()) >= 1
    titles = read("occupation_titles").rename(columns={"SOCCode": "soc_code", "Description": "title"})
    profiles = read("job_profiles").rename(columns={"Title": "title"})
    known = titles[titles["soc_code"].isin(skills["soc_code"])]
    linked = occupations.link_profiles(profiles, known, occupations.DECLARED_NAMES)["linked"]
    ways = {occupations.EXACT, occupations.BARE, occupations.DECLARED, occupations.UNLINKED}
    assert set(linked) == ways
    assert len(titles) > len(known)
    assert (profiles["UrlName"].str.startswith("synthetic-")).all()  # its address leads nowhere


def test_courses_have_all_columns_of_the_published_file():
    rows = read("courses")
    assert list(rows.columns) == options_twin.LISTS["course_columns"]
    assert len(rows.columns) == 36
    assert (rows["LOCATION_LATITUDE"] == "").any()
