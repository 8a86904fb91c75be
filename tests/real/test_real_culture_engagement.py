"""Engagement of real small areas: what was published must come out, and whole regions left out must be predicted."""

from types import SimpleNamespace

import numpy as np
import pytest

from councilbook.culture.engagement import checks, estimates, frame, model, survey
from councilbook.study import Study

ASSUMED = ((500, 2_000, 250), 1.3)


def open_study(council, mirror):
    settings = {"data": "real", "mirror": str(mirror), "seed": 1, "run_date": "2026-01-31"}
    return Study.open("culture", "3_engagement", council=council, **settings)


@pytest.fixture(scope="module")
def england(mirror):
    study = open_study("waltham_forest", mirror)
    census = {source: study.load(source) for source in frame.CENSUS}
    imd = study.load("imd_2019_domains")
    built = frame.build_frame(census, imd, study.load("lsoa_lookup", "england"))
    figures = survey.read_figures(study.load("active_lives"), built, *ASSUMED)
    design = survey.make_design(built, figures, built.shares)
    fit = model.fit_model(design, np.arange(len(figures)))
    held = checks.hold_out_models(design, built)
    return SimpleNamespace(
        study=study, census=census, imd=imd, frame=built, figures=figures, design=design, fit=fit, held=held
    )


def estimate(england, study):
    explained = checks.find_explained(england.held[checks.CENSUS], england.design)
    within = estimates.assume_within(england.frame, england.design, england.fit, explained)
    parts = (england.frame, england.figures, england.design, england.fit, study.place.lsoas(2021))
    return estimates.estimate_areas(*parts, {}, within, np.random.default_rng(1))


def test_the_census_of_waltham_forest_is_what_was_published(england):
    study = england.study
    own = study.place.lsoas(2021)
    assert (len(study.place.lsoas(2011)), len(own)) == (144, 146)
    own_imd = england.imd[england.imd["lsoa11_code"].isin(study.place.lsoas(2011))]
    deciles = own_imd["imd_decile"].value_counts().sort_index()
    assert deciles.tolist() == [3, 20, 31, 40, 22, 19, 6, 2, 1]
    assert study.load("census_2021_ethnicity")["people"].sum() == 278_444
    assert study.load("census_2021_age")["people"].sum() == 278_429
    outputs = study.load("census_2021_oa_qualifications")
    assert (len(outputs), outputs["level_4"].sum(), outputs["adults"].sum()) == (771, 95_928, 222_195)
    skills = england.census["census_2021_qualifications"]
    skills = skills[skills["lsoa21_code"].isin(own)]
    assert (skills["level_4"].sum(), skills["adults"].sum()) == (95_928, 222_195)


def test_every_small_area_of_england_has_an_authority_and_every_authority_a_figure(england):
    assert england.frame.set_aside["areas"].tolist() == [0, 0]
    assert len(england.frame.areas) == 33_755
    assert len(england.figures) == 317
    assert england.figures["region"].nunique() == 9
    one = england.figures.set_index("lad19_code").loc["E09000031"]
    assert (round(100 * one["engaged_share"], 1), one["rank"]) == (59.9, 169)


def test_whole_regions_left_out_are_predicted_as_well_as_was_wanted(england):
    table = checks.compare_models(england.held, england.design).set_index("model")
    error = table["rmse_points"]
    assert error[checks.CENSUS] <= 3.6
    assert error[checks.CENSUS] <= 0.6 * error[checks.IMD_ALONE]
    assert error[checks.IMD_ALONE] == pytest.approx(6.2, abs=0.1)
    assert error["deprivation (seven domains)"] == pytest.approx(5.7, abs=0.1)
    assert error["mean of the other regions"] == pytest.approx(7.8, abs=0.1)
    assert 93 <= table["covered_pct"][checks.CENSUS] <= 97


def test_another_surveys_slope_by_deprivation_comes_out(england):
    shares = estimates.spread_england(england.design, england.fit)
    deciles = checks.compare_deciles(england.frame, shares, england.study.load("taking_part_deprivation"))
    assert checks.find_slope(deciles, "other_pct") == pytest.approx(1.13, abs=0.005)
    assert abs(checks.find_slope(deciles, "engaged_pct") - 1.13) < 0.25


@pytest.mark.parametrize(
    ("council", "areas", "authorities", "pct"),
    [
        ("waltham_forest", 146, 1, 59.93),
        ("hackney", 149, 1, 71.04),
        ("leeds", 488, 1, 62.19),
        ("thanet", 86, 1, 58.19),
        ("north yorkshire", 379, 7, 64.38),
        ("isles of scilly", 1, 1, 58.46),
    ],
)
def test_councils_add_up_to_their_published_figures(england, mirror, council, areas, authorities, pct):
    found = estimate(england, open_study(council, mirror))
    assert len(found.areas) == areas
    assert found.areas["lad19_code"].nunique() == authorities
    assert found.council_pct == pytest.approx(pct, abs=0.006)
    assert found.gap < 1e-9
    assert found.areas["engaged_low_pct"].le(found.areas["engaged_pct"]).all()
