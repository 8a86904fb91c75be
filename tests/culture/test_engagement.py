"""Engagement by small area: the model finds what was put in, adds up exactly, and says what it cannot tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from councilbook.catalogue.councils import read_authorities
from councilbook.culture.engagement import checks, estimates, frame, model, statements, survey
from councilbook.errors import CheckError

REGIONS = 6


def draw_design(seed: int = 3, authorities: int = 90, slope: float = 0.5) -> tuple[model.Design, np.ndarray]:
    """Authorities of uneven areas whose logit follows one share, beside one that says nothing; and the true shares."""
    rng = np.random.default_rng(seed)
    authority = np.repeat(np.arange(authorities), rng.integers(3, 12, authorities))
    own = rng.normal(0, 1, authorities)[authority]
    known = np.column_stack([expit(own + rng.normal(0, 1, len(authority))), rng.uniform(0.1, 0.9, len(authority))])
    adults = rng.uniform(500, 3_000, len(authority))
    weight = adults / np.bincount(authority, adults)[authority]
    truth = expit(0.2 + slope * 4 * (known[:, 0] - 0.5) + rng.normal(0, 0.08, authorities)[authority])
    mean = np.bincount(authority, weight * truth)
    figure = np.clip(mean + rng.normal(0, np.sqrt(mean * (1 - mean) / 400)), 0.05, 0.95)
    region = np.arange(authorities) % REGIONS
    return model.Design(known, authority, weight, figure, np.full(authorities, 400.0), region), truth


@pytest.fixture(scope="module")
def drawn() -> tuple[model.Design, np.ndarray, model.Fit]:
    design, truth = draw_design()
    return design, truth, model.fit_model(design, np.arange(len(design.figure)))


def make_frame(design: model.Design) -> tuple[frame.Frame, pd.DataFrame]:
    """The frame and the figures that a design could have come from, with codes of real districts."""
    codes = sorted(code for code, one in read_authorities().items() if one.nation == "England" and not one.end)
    codes = codes[: len(design.figure)]
    size = len(design.authority)
    areas = pd.DataFrame(
        {
            "lsoa21_code": [f"E01{900_001 + number}" for number in range(size)],
            "lsoa21_name": [f"Gullmere {number // 26:03d}{chr(65 + number % 26)}" for number in range(size)],
            "lad19_code": np.array(codes)[design.authority],
            "adults": np.rint(1e4 * design.weight).astype(int),
            "imd_decile": 1 + np.arange(size) % 10,
        }
    )
    england = frame.Frame(areas, pd.DataFrame(design.known), pd.DataFrame())
    published = pd.DataFrame({"lad19_code": codes, "lad19_name": codes, "engaged_share": design.figure})
    return england, survey.read_figures(published, england, (520, 2_000, 250), 1.3)


def test_the_coefficient_that_was_put_in_is_found_within_authorities_too(drawn) -> None:
    _, _, fit = drawn
    slopes = fit.coefficients / fit.spread
    assert slopes[0] == pytest.approx(2.0, abs=0.25)
    assert abs(slopes[1]) < 0.4


def test_the_small_areas_of_every_authority_add_up_to_its_published_figure(drawn) -> None:
    design, truth, fit = drawn
    shares = estimates.spread_england(design, fit)
    assert np.abs(design.sum_up(design.weight * shares) - design.figure).max() < 1e-12
    assert np.corrcoef(shares, truth)[0, 1] > 0.95


def test_a_region_left_out_is_predicted_without_its_own_figures() -> None:
    design, _ = draw_design()
    changed = np.where(design.region == 2, 1 - design.figure, design.figure)
    other = model.Design(design.known, design.authority, design.weight, changed, design.returns, design.region)
    own, twin = (model.hold_out_regions(one) for one in (design, other))
    left = design.region == 2
    assert np.allclose(own["predicted"][left], twin["predicted"][left])
    assert not np.allclose(own["predicted"][~left], twin["predicted"][~left], atol=1e-3)


def test_what_is_rare_in_the_authorities_learnt_from_is_not_used_even_if_common_elsewhere() -> None:
    design, _ = draw_design()
    only_there = np.where(design.region[design.authority] == 4, 0.5, 0.001)
    known = np.column_stack([design.known, only_there])
    wider = model.Design(known, design.authority, design.weight, design.figure, design.returns, design.region)
    assert model.fit_model(wider, np.flatnonzero(design.region != 4)).used.tolist() == [True, True, False]
    assert model.fit_model(wider, np.flatnonzero(design.region != 0)).used.tolist() == [True, True, True]


def test_intervals_hold_published_figures_and_the_census_beats_the_mean(drawn) -> None:
    design, _, _ = drawn
    held = {checks.CENSUS: model.hold_out_regions(design)}
    table = checks.compare_models(held, design).iloc[0]
    assert 90 <= table["covered_pct"] <= 100
    assert table["rmse_points"] < 0.6 * 100 * design.figure.std()
    assert 0.7 < checks.find_explained(held[checks.CENSUS], design) <= 0.99


def test_estimates_of_a_council_of_two_authorities(drawn) -> None:
    design, truth, fit = drawn
    england, figures = make_frame(design)
    exact = survey.make_design(england, figures, england.shares)
    own = set(england.areas["lsoa21_code"][np.isin(design.authority, [5, 11])])
    found = estimates.estimate_areas(
        england, figures, exact, fit, own, {"Gullmere 000": "Quay"}, 0.1, np.random.default_rng(2)
    )
    areas = found.areas
    assert set(areas["lsoa21_code"]) == own
    assert areas["lsoa21_code"].is_monotonic_increasing
    weights = figures["adults"].to_numpy()[[5, 11]]
    expected = 100 * np.average(design.figure[[5, 11]], weights=weights)
    assert np.average(areas["engaged_pct"], weights=areas["adults"]) == pytest.approx(expected, abs=1e-9)
    assert found.council_pct == pytest.approx(expected, abs=1e-9)
    assert found.not_engaged[1] < found.not_engaged[0] < found.not_engaged[2]
    assert (areas["engaged_low_pct"] < areas["engaged_pct"]).all()
    assert (areas["engaged_pct"] < areas["engaged_high_pct"]).all()
    inside = areas.merge(england.areas.assign(truth=100 * truth)[["lsoa21_code", "truth"]])
    assert inside["truth"].between(inside["engaged_low_pct"], inside["engaged_high_pct"]).mean() > 0.8
    assert areas.loc[areas["engaged_pct"].idxmin(), "below_council_chance"] > 0.9
    assert areas.loc[areas["engaged_pct"].idxmin(), "rank_low"] == 1
    assert found.gap < 1e-9


def test_a_wider_spread_within_authorities_makes_intervals_wider_and_fewer_areas_sure(drawn) -> None:
    design, _, fit = drawn
    england, figures = make_frame(design)
    own = set(england.areas["lsoa21_code"][np.isin(design.authority, range(8))])
    narrow, wide = (
        estimates.estimate_areas(england, figures, design, fit, own, {}, within, np.random.default_rng(2))
        for within in (0.0, 0.6)
    )
    assert (wide.areas["engaged_high_pct"] > narrow.areas["engaged_high_pct"]).mean() > 0.95
    assert sum(statements.count_sure(wide.areas)[:2]) < sum(statements.count_sure(narrow.areas)[:2])


def test_a_council_of_one_small_area_gets_the_published_figure(drawn) -> None:
    design, _, fit = drawn
    england, figures = make_frame(design)
    one = england.areas["lsoa21_code"].iloc[[0]]
    found = estimates.estimate_areas(england, figures, design, fit, set(one), {}, 0.1, np.random.default_rng(1))
    assert len(found.areas) == 1
    assert "one small area" in statements.say_sure(found.areas)
    with pytest.raises(CheckError, match="None of the council's LSOAs"):
        estimates.estimate_areas(england, figures, design, fit, {"E01000001"}, {}, 0.1, np.random.default_rng(1))


IMD_ROWS = pd.DataFrame(
    {
        "lsoa11_code": ["E01a", "E01b", "E01e", "E01f", "E01h"],
        "lad19_code": ["E07000026", "E07000026", "E07000027", "E07000027", "E07000168"],
        "imd_decile": [1, 3, 9, 10, 5],
        **{name: [10, 20, 30, 50, 70] for name in (*frame.IMD, *frame.DOMAINS)},
    }
)
LOOKUP = pd.DataFrame(
    [("E01a", "E01a"), ("E01b", "E01c"), ("E01b", "E01d"), ("E01e", "E01g"), ("E01f", "E01g")],
    columns=["lsoa11_code", "lsoa21_code"],
)


def make_census(codes: list[str], nobody: str = "") -> dict[str, pd.DataFrame]:
    head = pd.DataFrame({"lsoa21_code": codes, "lsoa21_name": codes})
    whole = [0 if code == nobody else 100 for code in codes]
    return {
        source: head.assign(**{total: whole, f"kind_of_{total}": [one // 4 for one in whole]})
        for source, total in frame.CENSUS.items()
    }


def test_areas_split_merged_or_unchanged_get_their_authority_and_others_are_set_aside() -> None:
    codes = ["E01a", "E01c", "E01d", "E01g", "E01h", "E01x"]
    built = frame.build_frame(make_census(codes, nobody="E01d"), IMD_ROWS, LOOKUP)
    areas = built.areas.set_index("lsoa21_code")
    assert areas["lad19_code"].to_dict() == {
        "E01a": "E07000026",
        "E01c": "E07000026",
        "E01g": "E07000027",
        "E01h": "E07000168",
    }
    assert areas.loc["E01g", "imd_rank"] == 40
    assert built.set_aside["areas"].tolist() == [1, 1]
    assert built.shares.shape == (4, len(frame.CENSUS))
    assert (built.shares == 0.25).all(axis=None)


def test_a_table_of_fewer_areas_is_refused() -> None:
    census = make_census(["E01a", "E01c"])
    census["census_2021_cars"] = census["census_2021_cars"].head(1)
    with pytest.raises(CheckError, match=r"census_2021_cars: 1 LSOAs have no row .* as E01c"):
        frame.build_frame(census, IMD_ROWS, LOOKUP)


def test_the_sample_is_assumed_by_kind_of_authority_and_gives_the_interval() -> None:
    design, _ = draw_design(authorities=300)
    _, figures = make_frame(design)
    by = figures.set_index("lad19_code")
    assert by.loc["E08000003", "returns_assumed"] == 2_000
    assert by.loc["E06000053", "returns_assumed"] == 250
    assert by.loc["E06000001", "effective"] == pytest.approx(400)
    one = by.loc["E06000001"]
    half = 1.96 * np.sqrt(one["engaged_share"] * (1 - one["engaged_share"]) / 400)
    assert one["high"] - one["low"] == pytest.approx(2 * half, rel=0.02)
    assert by["rank"].min() == 1
    assert by["engaged_share"].idxmax() == by["rank"].idxmin()


def test_figures_of_other_authorities_than_those_of_the_areas_are_refused() -> None:
    design, _ = draw_design(authorities=20)
    england, figures = make_frame(design)
    with pytest.raises(CheckError, match="different authorities, 1 of them"):
        survey.read_figures(figures.head(19), england, (500, 2_000, 250), 1.3)
    none = figures.assign(engaged_share=figures["engaged_share"].where(figures.index != 4, 0.0))
    with pytest.raises(CheckError, match="share of none or all"):
        survey.read_figures(none, england, (500, 2_000, 250), 1.3)


@given(st.sampled_from(sorted(code for code, one in read_authorities().items() if code.startswith("E0"))))
def test_every_english_authority_of_any_year_has_a_region(code: str) -> None:
    assert survey.find_region(code)


def test_who_does_neither_is_said_with_the_lowest_fifth_where_there_are_enough_areas() -> None:
    areas = pd.DataFrame({"engaged_pct": [70.0, 40, 80, 60, 50, 75, 65, 55, 90, 85], "adults": 1_000})
    areas["not_engaged_adults"] = areas["adults"] * (1 - areas["engaged_pct"] / 100)
    said = (
        "About 3,300 of 10,000 adults do neither. 33% of them live in the fifth of small areas with the lowest shares."
    )
    assert statements.say_missing(areas) == said
    assert statements.say_missing(areas.head(2)) == "About 900 of 2,000 adults do neither."


def test_a_slope_is_the_difference_in_log_odds_of_the_last_and_the_first_tenth() -> None:
    deciles = pd.DataFrame({"imd_decile": range(1, 11), "engaged_pct": [20, *[50] * 8, 80]})
    assert checks.find_slope(deciles, "engaged_pct") == pytest.approx(2 * logit(0.8))


def test_a_check_that_misses_what_was_wanted_says_so() -> None:
    models = pd.DataFrame(
        {"model": [checks.CENSUS, checks.IMD_ALONE], "rmse_points": [4.0, 6.0], "covered_pct": [97.5, 95.0]}
    )
    deciles = pd.DataFrame({"imd_decile": [1, 10], "engaged_pct": [40.0, 60.0], "other_pct": [40.0, 70.0]})
    met = checks.list_checks(models, deciles, 0.01).dropna(subset="is_met").set_index("check")["is_met"]
    assert not met.any()
    assert len(met) == 5


@pytest.mark.parametrize(
    ("rank", "said"), [(1, "1st"), (2, "2nd"), (11, "11th"), (113, "113th"), (169, "169th"), (23, "23rd")]
)
def test_a_rank_is_said_as_people_say_it(rank: int, said: str) -> None:
    own = {"is_own": True, "rank": rank, "published_pct": 45, "adults": 300}
    published = pd.DataFrame([own, own | {"is_own": False}])
    text = statements.say_published(published, "Gullmere")
    assert text.startswith("45.0% of adults in Gullmere")
    assert text.endswith(f"as a survey published it: {said} of 2 authorities.")
    text = statements.say_published(published.assign(published_low_pct=40.4, published_high_pct=49.6), "Gullmere")
    assert text.endswith("leaves anything between 40% and 50% open.")
