"""Options after 16 in the publishers' own files: adverts, starts, jobs, and the trial of the score."""

import pandas as pd
import pytest

from councilbook.careers.options import occupations, openings, scores, starts, trials
from councilbook.errors import NotThereError
from councilbook.study import Study

pytestmark = pytest.mark.real

DAY = "2026-10-10"
DONCASTER = (53.52, -1.13)


@pytest.fixture(scope="module")
def study(mirror):
    return Study.open("careers", "3_options", "doncaster", "real", mirror=str(mirror), seed=1, run_date=DAY)


@pytest.fixture(scope="module")
def adverts(study):
    loaded, _ = openings.load_adverts(study, study.load("spine_points"))
    return openings.judge_adverts(loaded, DAY, DONCASTER, 40)


@pytest.fixture(scope="module")
def skills(study):
    return occupations.split_skills(study.load("occupation_skills"))


@pytest.fixture(scope="module")
def titles(study, skills):
    rows = study.load("occupation_titles")
    assert len(rows) == 915
    return rows[rows["soc_code"].isin(skills["soc_code"])]


def test_ten_adverts_are_read_with_what_they_leave_out(adverts):
    own = adverts[adverts["list"] == openings.ADVERTS]
    assert own["vacancy_id"].nunique() == 10
    assert len(own) == 12  # two have two addresses
    assert list(own.loc[own["place"] == openings.ANYWHERE, "vacancy_id"]) == ["2000039857"]
    nurse = own.set_index("vacancy_id").loc["C9156-26-0528"]
    assert nurse[["lars_code", "starts_on", "hours_week", "ukprn"]].isna().all()
    gaps = openings.count_gaps(own).set_index("gap")["adverts"]
    assert list(gaps.iloc[:4]) == [1, 1, 1, 1]


def test_eight_of_the_ten_find_their_standard_of_2020(adverts):
    own = adverts[adverts["list"] == openings.ADVERTS].drop_duplicates("vacancy_id")
    assert int(own["standard"].notna().sum()) == 8
    lost = own.loc[own["standard"].isna() & own["lars_code"].notna(), "lars_code"]
    assert list(lost) == [831]  # a foundation apprenticeship, newer than the list


def test_on_a_later_day_more_have_closed_and_the_national_one_stays(adverts):
    own = adverts[adverts["list"] == openings.ADVERTS].drop(columns=["distance_km", "outcome"])
    judged = openings.judge_adverts(own, "2026-11-29", DONCASTER, 40)
    counted = openings.count_outcomes(judged).set_index("outcome")["adverts"]
    assert counted.to_dict() == {openings.OPEN_ANYWHERE: 1, openings.FAR: 1, openings.CLOSED: 8}


def test_the_older_list_is_368_adverts_and_none_is_open(study, adverts):
    assert len(study.load("ncs_vacancies")) == 923
    old = adverts[adverts["list"] == openings.OLD_LIST]
    assert len(old) == 368
    assert set(old["outcome"]) == {openings.OLD}
    assert old["postcode"].notna().all()


def test_most_starts_are_small_and_the_newest_year_has_nine_months(study):
    rows = study.load("provider_starts")
    assert int(rows["starts"].gt(0).sum()) == 14_533
    assert int(rows["starts"].between(1, 4).sum()) == 13_011
    counted = starts.count_starts(starts.take_numbers(rows), study.finder.council)
    totals = counted[counted["ukprn"] == starts.ALL].set_index("year")
    assert totals["starts_here"].to_dict() == {"2022/23": 1877, "2023/24": 1661, "2024/25": 1817, "2025/26": 1543}
    assert totals.loc["2025/26", "months"] == "August to April"


def test_providers_of_both_files_meet_by_number_and_none_by_name(study):
    rows, standards = study.load("provider_starts"), study.load("provider_standards")
    assert not set(rows["provider_name"]) & set(standards["provider_name"])
    described = starts.describe_providers(starts.take_numbers(standards))
    assert len(described) == 63
    assert set(described.index) <= set(starts.take_numbers(rows)["ukprn"])


def test_the_file_cut_to_south_yorkshire_is_not_taken_for_leeds(study, mirror):
    leeds = Study.open("careers", "3_options", "leeds", "real", mirror=str(mirror), seed=1, run_date=DAY)
    rows = starts.take_numbers(study.load("provider_starts"))
    assert (rows["delivery_lad"] == "Leeds").sum() > 800
    with pytest.raises(NotThereError, match="Leeds"):
        starts.count_starts(rows, leeds.finder.council)


def test_856_occupations_have_20_skills_each_and_545_share_them_all(skills):
    assert len(skills) == 17_120
    assert skills["soc_code"].nunique() == 856
    ties = occupations.find_ties(skills)
    assert int(ties["tie_group"].notna().sum()) == 545
    assert ties["tie_group"].nunique() + int((ties["tied"] == 1).sum()) == 498
    assert int((skills["skill"].value_counts() == 856).sum()) == 1


def test_profiles_join_occupations_by_name(study, titles, mirror):
    profiles = study.load("job_profiles")
    linked = occupations.link_profiles(profiles, titles, occupations.DECLARED_NAMES)["linked"].value_counts()
    assert linked[[occupations.EXACT, occupations.BARE]].sum() == 846
    assert linked[occupations.DECLARED] == 8
    assert linked[occupations.UNLINKED] == 2
    raw = pd.read_csv(mirror / "doncaster/04_careers/ncs_JobProfileSoc.csv").set_index("SOCCode")["Description"]
    assert profiles["title"].isin(raw[titles["soc_code"]]).sum() == 827  # before spaces at the ends are taken off


def test_every_declared_name_is_in_both_lists(study, titles):
    profiles = set(study.load("job_profiles")["title"])
    for profile, title in occupations.DECLARED_NAMES.items():
        assert profile in profiles
        assert title in set(titles["title"])


def test_statements_traits_and_families(study, titles):
    statements = study.load("interest_statements")
    assert (len(statements), statements["trait"].nunique()) == (40, 8)
    families = occupations.read_categories(study.open_file("interest_categories"))
    assert families["category"].nunique() == 25
    assert set(families["trait"]) <= set(statements["trait"])
    profiles = study.load("job_profiles")["categories"].dropna()
    named = {one for text in profiles for one in occupations.split_categories(text, set(families["category"]))}
    assert named == set(families["category"])


def test_the_score_finds_as_many_as_the_better_of_the_two_plain_ones(skills):
    tried = trials.try_scores(scores.weigh_skills(skills), 2018).set_index(["ticked", "score"])["found_pct"]
    ours, cosine, overlap = (tried[trials.FIVE, name] for name in (trials.OURS, trials.COSINE, trials.OVERLAP))
    assert (ours, cosine, overlap) == (99.6, 95.7, 87.7)
    assert ours >= max(cosine, overlap)
    for ticked in ("three of its five strongest", "four of them, and any other skill"):
        assert tried[ticked, trials.OURS] > tried[ticked, trials.COSINE] > tried[ticked, trials.OVERLAP]
