"""The people part on real files: the survey's cut, Taking Part, deciles, segments."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from councilbook.culture.people import checks, segments
from councilbook.culture.people.areas import find_deciles, find_ranks
from councilbook.culture.people.statements import EVERYBODY
from councilbook.culture.people.survey import estimate_shares, read_survey
from councilbook.study import Study

pytestmark = pytest.mark.real
RUN_DATE = "2026-11-29"
CUT = "waltham_forest/survey/ukda-9126-cut-down.sav"


def test_cinema_by_deprivation_is_that_of_the_issue(mirror: Path) -> None:
    survey = read_survey(mirror / CUT)
    every = estimate_shares(survey.people, ["cinema"]).iloc[0]
    by_decile = estimate_shares(survey.people, ["cinema"], "imd_decile").set_index("group")["share_pct"]
    assert len(survey.people) == 33_524 and every["answers"] == 33_217
    assert [round(one, 1) for one in (every["share_pct"], by_decile[1], by_decile[10])] == [49.1, 39.3, 57.7]
    assert 26_000 < every["effective_answers"] < 27_500
    assert list(survey.outcomes) == ["cinema"] and survey.groups == []


def test_deciles_predict_the_half_left_out_nearly_as_well_as_sampling_allows(mirror: Path) -> None:
    found = checks.summarise_errors(
        checks.leave_halves_out(read_survey(mirror / CUT).people, "cinema", np.random.default_rng(7))
    ).set_index("method")
    best = found.loc[checks.DECILES]
    assert best["rmse_points"] < 1.2 * 2**0.5 * best["sampling_points"]  # both halves have their error
    assert found.loc[EVERYBODY, "rmse_points"] > 2 * best["rmse_points"]


@pytest.mark.parametrize(("council", "areas"), [("waltham_forest", 146), ("hackney", 149), ("leeds", 488)])
def test_deciles_and_taking_part_come_from_the_official_files(council: str, areas: int, mirror: Path) -> None:
    study = Study.open("culture", "4_people", council, "real", mirror=str(mirror), seed=1, run_date=RUN_DATE)
    official = study.load("imd_2019_domains")
    ranks = find_ranks(official, study.place.lookup)
    assert len(ranks) == areas
    unchanged = study.place.lookup[study.place.lookup["change"].eq("U")].set_index("lsoa11_code")["lsoa21_code"]
    own = official[official["lsoa11_code"].isin(unchanged.index)]
    found = find_deciles(ranks).loc[own["lsoa11_code"].map(unchanged), "imd_decile"]
    assert found.tolist() == own["imd_decile"].tolist()
    if council == "waltham_forest":
        counts = official[official["lsoa11_code"].isin(study.place.lsoas(2011))]["imd_decile"].value_counts()
        assert counts.sort_index().tolist() == [3, 20, 31, 40, 22, 19, 6, 2, 1]
    old = study.load("taking_part_deprivation")
    slopes = checks.compare_slopes(read_survey(mirror / CUT), old, ("decile_1", "decile_10"), "imd_decile", (1, 10))
    assert [round(one, 2) for one in slopes["log_odds"]] == [1.13, 0.75]


def test_fewer_spots_are_left_than_look_unlike_chance(mirror: Path) -> None:
    study = Study.open("culture", "4_people", "waltham_forest", "real", mirror=str(mirror), seed=1, run_date=RUN_DATE)
    qualified = study.load("census_2021_qualifications").set_index("lsoa21_code")
    degrees = (100 * qualified["level_4"] / qualified["adults"]).rename("value_pct").reset_index()
    spots = segments.find_hotspots(study.load("lsoa_boundaries"), degrees)
    assert len(spots) == 146 and 0 < spots["is_spot"].sum() < spots["is_raw_spot"].sum()
    assert (spots.loc[spots["is_spot"], "p_value"] < 0.05).all()
    assert spots["neighbours"].min() > 0 and pd.api.types.is_bool_dtype(spots["is_spot"])
