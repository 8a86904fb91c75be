"""Jobs and the score: names, families, ties, open arithmetic, silence, and the trial."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.careers.options import occupations, scores, trials
from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.errors import CheckError, SourceError
from councilbook.paths import find_workbook

LETTERS = [f"S{number:02d}" for number in range(25)]
FAMILIES = ["Computing, technology and digital", "Computing", "Retail and sales"]


def rate(code, names, top=5.0, step=0.1):
    """Rate 20 skills of an occupation, the first named the highest."""
    return [(f"{code}-{name}", round(top - step * place, 2)) for place, name in enumerate(names)]


@pytest.fixture
def skills():
    """Four occupations: the last two share all skills to the point."""
    rows = [
        *rate("1111A", LETTERS[:20]),
        *rate("2222B", LETTERS[5:]),
        *rate("3333C", LETTERS[3:23]),
        *rate("4444D", LETTERS[3:23]),
    ]
    return occupations.split_skills(pd.DataFrame(rows, columns=["title", "rating"]))


@pytest.fixture
def jobs():
    return pd.DataFrame(
        {
            "occupation_id": ["baker", "coder", "cook", "chef", "unknown"],
            "title": ["Baker", "Coder", "Cook", "Chef", "Unknown"],
            "categories": ["Retail and sales", FAMILIES[0], "Retail and sales; Computing", "", "Retail and sales"],
            "tied": pd.array([1, 1, 2, 2, None], dtype="Int64"),
            "college_entry": [None, "set by each provider", None, None, None],
            "apprenticeship_entry": None,
        }
    )


@pytest.fixture
def job_skills(skills):
    names = dict(zip(["1111A", "2222B", "3333C", "4444D"], ["baker", "coder", "cook", "chef"], strict=True))
    weighed = scores.weigh_skills(skills)
    return weighed.assign(occupation_id=weighed["soc_code"].map(names))


# --- jobs ---


def test_a_skill_in_two_orders_is_one():
    assert occupations.join_parts("Verbal Abilities, Speaking") == occupations.join_parts("Speaking, Verbal Abilities")
    assert occupations.join_parts("Leadership, Coordination,") == "Coordination and Leadership"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([*rate("1111A", LETTERS[:19]), ("no code", 1.0)], "line 20"),
        (rate("1111A", LETTERS[:19]), "19 skills"),
        ([*rate("1111A", LETTERS[:19]), ("1111A-S00", 1.0)], "twice"),
    ],
)
def test_a_matrix_that_is_not_whole_is_refused(rows, told):
    with pytest.raises(CheckError, match=told):
        occupations.split_skills(pd.DataFrame(rows, columns=["title", "rating"]))


def test_occupations_tie_only_where_all_skills_and_ratings_are_the_same(skills):
    changed = skills.copy()
    changed.loc[changed["soc_code"].eq("4444D").idxmax(), "rating"] += 0.01
    assert occupations.find_ties(skills)["tied"].to_dict() == {"1111A": 1, "2222B": 1, "3333C": 2, "4444D": 2}
    assert occupations.find_ties(skills)["tie_group"].dropna().to_dict() == {"3333C": 1, "4444D": 1}
    assert occupations.find_ties(changed)["tie_group"].notna().sum() == 0


def test_profiles_find_their_occupation_by_exact_bare_or_declared_name_or_not_at_all():
    titles = pd.DataFrame(
        {
            "soc_code": ["1", "2", "3", "4", "5"],
            "title": ["Waiting staff", "Copy-editor", "Nurse", "nurse", "Clerk"],
        }
    )
    profiles = pd.DataFrame({"title": ["Waiter", "Copy editor", "NURSE", "Clerk", "Astronaut", "Nurse"]})
    linked = occupations.link_profiles(profiles, titles, {"Waiter": "Waiting staff", "Clerk": "Nurse"})
    ways = [occupations.DECLARED, occupations.BARE, occupations.UNLINKED, occupations.EXACT, occupations.UNLINKED]
    assert list(linked["linked"]) == [*ways, occupations.EXACT]
    assert list(linked["soc_code"].fillna("none")) == ["1", "2", "none", "5", "none", "3"]


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("Computing, technology and digital", FAMILIES[:1]),
        ("Retail and sales,Computing, technology and digital", [FAMILIES[2], FAMILIES[0]]),
        ("Computing, technology and digital,Computing", FAMILIES[:2]),
        ("Computing, Something new", ["Computing", "Something new"]),
        ("", []),
    ],
)
def test_a_comma_in_the_name_of_a_family_does_not_split_it(text, families):
    assert occupations.split_categories(text, FAMILIES) == families


@given(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=5))
def test_families_joined_by_commas_come_back(families):
    assert occupations.split_categories(",".join(families), FAMILIES) == families


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("You'll usually need:", occupations.USUAL_ENTRY),
        ("There are no set entry requirements but it may help you to have:", occupations.NO_ENTRY),
        ("Employers will set their own entry requirements.", occupations.OWN_ENTRY),
        ("Entry requirements for these courses vary.", occupations.OWN_ENTRY),
    ],
)
def test_entry_requirements_are_said_in_a_few_words(text, short):
    assert occupations.shorten_entry(text) == short


def test_levels_are_those_of_courses_and_grades_of_apprenticeships():
    college = "<li>Level 3 Diploma</li>\n<li>a level 2 award</li>\n<li>Level 3 Award</li>"
    trained = "<p>a degree apprenticeship, or an advanced manufacturing apprenticeship</p>"
    assert occupations.list_levels(college, trained) == (
        "level 2; level 3; advanced apprenticeship; degree apprenticeship"
    )
    assert occupations.list_levels("", "higher pay. An apprenticeship may help") == ""


def test_a_job_keeps_no_pay_of_nothing_and_a_route_only_where_a_text_says_so():
    profile = {
        "soc_code": [None],
        "linked": [occupations.UNLINKED],
        "title": ["Baker"],
        "slug": ["baker"],
        "categories": [None],
        "overview": ["Bakes"],
        "pay_from_gbp": [0.0],
        "pay_to_gbp": [30000.0],
        "hours_from": [0.0],
        "hours_to": [40.0],
        "college_entry": ["You'll usually need:"],
        "college_text": [None],
        "apprenticeship_entry": [None],
        "apprenticeship_text": [None],
    }
    ties = pd.DataFrame({"tie_group": pd.array([], dtype="Int64"), "tied": pd.array([], dtype="Int64")})
    job = occupations.describe_occupations(pd.DataFrame(profile), ties, FAMILIES).iloc[0]
    assert pd.isna(job["pay_from_gbp"])
    assert job["pay_to_gbp"] == 30000
    assert (job["has_college_route"], job["has_apprenticeship_route"]) == (True, False)


@pytest.mark.parametrize("content", ['[{"jobFamilyName": "Retail"}]', '[{"traitCodes": ["DOER"]}]', "{}", "[3]"])
def test_families_in_another_layout_are_refused(tmp_path, content):
    path = tmp_path / "families.json"
    path.write_text(content)
    with pytest.raises(SourceError, match=r"families\.json"):
        occupations.read_categories(find(path))


def test_a_family_weighs_its_traits_alike(tmp_path):
    path = tmp_path / "families.json"
    path.write_text(json.dumps([{"jobFamilyName": FAMILIES[0], "traitCodes": ["DOER", "HELPER"]}]))
    rows = occupations.read_categories(find(path))
    assert rows.to_dict("records") == [
        {"category": FAMILIES[0], "trait": "Doer", "weight": 0.5},
        {"category": FAMILIES[0], "trait": "Helper", "weight": 0.5},
    ]


def find(path):
    return FoundFile(load_catalogue(find_workbook()).source("interest_categories"), path, "data/raw")


# --- the score ---


def test_a_skill_counts_by_its_place_and_a_little_by_its_rating(skills):
    weighed = scores.weigh_skills(skills)
    own = weighed[weighed["soc_code"] == "1111A"].sort_values("skill")
    total = own["rating"].sum()
    assert own["weight"].iloc[0] == pytest.approx(40 + 5.0 / total, abs=1e-6)
    assert own["weight"].iloc[19] == pytest.approx(21 + 3.1 / total, abs=1e-6)


def test_equal_ratings_share_their_places_in_whatever_order_the_publisher_wrote_them():
    rows = rate("1111A", LETTERS[:20], step=0.0)
    weighed = scores.weigh_skills(occupations.split_skills(pd.DataFrame(rows, columns=["title", "rating"])))
    assert list(weighed["weight"]) == pytest.approx([41 - 10.5 + 0.05] * 20)


def test_points_are_a_sum_over_ticks_and_all_of_them_are_a_hundred(skills):
    weights = scores.pivot_skills(scores.weigh_skills(skills), "soc_code", "weight")
    one = scores.score_strengths(weights, ["S00"])
    assert one["1111A"] == pytest.approx(100 * weights.loc["1111A", "S00"] / 41)
    assert one["2222B"] == 0
    assert scores.score_strengths(weights, LETTERS[:20])["1111A"] == pytest.approx(100)
    assert scores.score_strengths(weights, []).isna().all()
    with pytest.raises(CheckError, match="S0O"):
        scores.score_strengths(weights, ["S0O"])


@given(st.sets(st.sampled_from(LETTERS), min_size=1))
def test_no_score_is_beyond_a_hundred_and_using_more_skills_comes_first(ticks):
    rows = [*rate("1111A", LETTERS[:20], step=0.2), *rate("2222B", LETTERS[5:], top=7.0)]
    skills = occupations.split_skills(pd.DataFrame(rows, columns=["title", "rating"]))
    weights = scores.pivot_skills(scores.weigh_skills(skills), "soc_code", "weight")
    strengths = scores.score_strengths(weights, ticks)
    assert strengths.between(0, 100 + 1e-9).all()
    used = weights[sorted(ticks)].gt(0).sum(axis="columns")
    if used["1111A"] >= 2 * used["2222B"]:
        assert strengths["1111A"] > strengths["2222B"] or not used["1111A"]


STATEMENTS = pd.DataFrame(
    {
        "statement": [f"{trait}{number}" for trait in ("Doer", "Helper") for number in range(5)],
        "trait": ["Doer"] * 5 + ["Helper"] * 5,
        "is_flipped": [False, False, False, False, True] * 2,
    }
)
TRAITS = pd.DataFrame(
    {
        "category": ["Retail and sales", FAMILIES[0], FAMILIES[0]],
        "trait": ["Doer", "Doer", "Helper"],
        "weight": [1, 0.25, 0.75],
    }
)


def test_silence_is_no_answer_and_a_statement_may_be_turned_round():
    answers = pd.Series({"Doer0": 2.0, "Doer1": 1.0, "Doer4": -2.0, "Helper0": 2.0, "Helper4": -2.0})
    traits = scores.score_traits(STATEMENTS, answers)
    assert traits["answered"].to_dict() == {"Doer": 3, "Helper": 2}
    assert traits.loc["Doer", "score"] == pytest.approx(5 / 3)
    assert pd.isna(traits.loc["Helper", "score"])
    liked = scores.score_categories(TRAITS, traits)
    assert liked["Retail and sales"] == pytest.approx(50 + 25 * 5 / 3)
    assert pd.isna(liked[FAMILIES[0]])


def test_a_family_is_liked_by_the_weighted_mean_of_its_traits():
    answers = pd.Series({name: (2.0 if name.startswith("Doer") else -2.0) for name in STATEMENTS["statement"]})
    answers["Doer4"], answers["Helper4"] = -2.0, 2.0
    liked = scores.score_categories(TRAITS, scores.score_traits(STATEMENTS, answers))
    assert liked.to_dict() == {"Retail and sales": 100, FAMILIES[0]: 25}


def test_an_answer_out_of_range_and_a_trait_of_no_statement_are_refused():
    with pytest.raises(CheckError, match="-2"):
        scores.score_traits(STATEMENTS, pd.Series({"Doer0": 3.0}))
    traits = scores.score_traits(STATEMENTS, pd.Series(dtype="float64"))
    with pytest.raises(CheckError, match="Leader"):
        scores.score_categories(TRAITS.replace("Helper", "Leader"), traits)


def test_jobs_of_the_same_skills_share_a_place_and_every_job_stays_in_the_list(jobs, job_skills):
    nothing = pd.Series(dtype="float64")
    matched = scores.match_occupations(jobs, job_skills, ["S03", "S04"], nothing).set_index("occupation_id")
    assert list(matched.index) == ["chef", "cook", "baker", "coder", "unknown"]
    assert list(matched["first_place"].fillna(0)) == [1, 1, 3, 4, 0]
    assert list(matched["last_place"].fillna(0)) == [2, 2, 3, 4, 0]
    assert "1 more with exactly these skills" in matched.loc["chef", "why"]
    assert "skills are not in the list" in matched.loc["unknown", "why"]


def test_the_score_is_the_mean_of_what_is_known_and_its_reasons_name_both(jobs, job_skills):
    liked = pd.Series({"Retail and sales": 80.0, "Computing": 90.0})
    matched = scores.match_occupations(jobs, job_skills, ["S00", "S24"], liked).set_index("occupation_id")
    baker, cook = matched.loc["baker"], matched.loc["cook"]
    assert baker["score"] == pytest.approx((baker["strengths"] + 80) / 2, abs=1e-5)
    assert cook["interests"] == 90
    assert matched.loc["unknown", "score"] == 80
    assert "Uses 1 of your 2 strengths" in baker["why"]
    assert "S00 (1)" in baker["why"]
    assert "Not among its 20: S24." in baker["why"]
    assert "Retail and sales and Computing" in cook["why"]
    assert "College: set by each provider." in matched.loc["coder", "why"]


def test_who_says_nothing_gets_no_order(jobs, job_skills):
    matched = scores.match_occupations(jobs, job_skills, [], pd.Series(dtype="float64"))
    assert len(matched) == len(jobs)
    assert matched[["score", "first_place", "last_place"]].isna().all(axis=None)


def test_entry_requirements_change_no_place(jobs, job_skills):
    hard = jobs.assign(college_entry="usually needs qualifications")
    liked = pd.Series({"Retail and sales": 80.0})
    columns = ["occupation_id", "score", "first_place"]
    free, marked = (scores.match_occupations(one, job_skills, ["S07"], liked)[columns] for one in (jobs, hard))
    pd.testing.assert_frame_equal(free, marked)


# --- the trial ---


def test_ties_are_counted_at_their_worst_place(monkeypatch):
    monkeypatch.setattr(trials, "FIRST", 2)
    found = trials._count_found(np.array([[9.0, 9.0, 9.0], [1.0, 5.0, 5.0], [7.0, 8.0, 6.0]]))
    assert found == (33.3, 66.7)  # rows: tied on 1 to 3; tied on 1 and 2; third


def test_the_trial_ticks_what_it_says(skills):
    ratings = scores.pivot_skills(skills, "soc_code", "rating").to_numpy()
    drawn = dict(trials._list_trials(ratings, np.random.default_rng(1)))
    top = np.argsort(-ratings, axis=1, kind="stable")[:, :5]
    counted = Counter({name: tuple(ticks.sum(axis=1)) for name, ticks in drawn.items()})
    assert list(counted.values()) == [(5,) * 4, (3,) * 4, (5,) * 4, (5,) * 4]
    for row, best in enumerate(top):
        assert [int(ticks[row, best].sum()) for ticks in drawn.values()][:3] == [5, 3, 4]
    needed = [bool((ratings[ticks] > 0).all()) for ticks in drawn.values()]
    assert [needed[0], needed[1], needed[3]] == [True] * 3  # the other skill may be one that a job does not need
