"""From the survey to small areas: raking, the model, segments, spots, bought segments."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from shapely import box

from councilbook.culture.people import audiences, checks, poststratify, segments, statements
from councilbook.culture.people.areas import find_deciles, find_ranks
from councilbook.errors import CheckError, TooFewError


@given(st.integers(0, 10_000))
def test_raked_tables_meet_their_margins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.gamma(1, 1, (3, 2, 4)) + 0.01
    truth = rng.gamma(1, 1, (3, 2, 4)) + 0.01
    raked = poststratify.rake(table, {1: truth.sum(axis=2), 2: truth.sum(axis=1)}, rounds=2_000)
    assert np.allclose(raked.sum(axis=2), truth.sum(axis=2), rtol=1e-4)
    assert np.allclose(raked.sum(axis=1), truth.sum(axis=1), rtol=1e-4)
    odds = [one[:, 0, 0] * one[:, 1, 1] / one[:, 0, 1] / one[:, 1, 0] for one in (table, raked)]
    assert np.allclose(*odds)  # raking keeps how the groups go together


def test_margins_that_contradict_are_refused() -> None:
    seed = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    with pytest.raises(CheckError, match="Raking"):
        poststratify.rake(seed, {1: np.array([[3.0, 7.0]]), 2: np.array([[7.0, 3.0]])})


def draw_people(rng: np.random.Generator, size: int = 6_000) -> pd.DataFrame:
    people = pd.DataFrame(
        {"region": rng.choice(["London", "North East"], size), "age": rng.choice(["old", "young"], size)}
    )
    people["imd_decile"] = rng.integers(1, 11, size)
    people["weight"] = rng.uniform(0.5, 2, size)
    wish = -0.5 + 1.2 * people["age"].eq("young") + 0.5 * people["region"].eq("London") + 0.1 * people["imd_decile"]
    return people.assign(yes=(rng.random(size) < expit(wish)).astype(float))


def test_the_model_finds_what_was_put_in_and_areas_follow_who_lives_there() -> None:
    rng = np.random.default_rng(4)
    people = draw_people(rng)
    model = poststratify.fit_model(people, "yes", ["region", "age"], ["imd_decile"])
    areas = pd.DataFrame(
        {"adults": [1_000, 500, 800], "region": ["London", "London", "North East"], "imd_decile": [2.0, 2.0, 9.0]},
        index=pd.Index(["a", "b", "c"], name="lsoa21_code"),
    )
    margins = {"age": pd.DataFrame({"old": [9, 1, 5], "young": [1, 9, 5]}, index=areas.index)}
    frame = poststratify.make_frame(areas, people, ["age"], margins)
    assert np.allclose(frame.adults.sum(axis=1), areas["adults"])
    assert frame.adults[0] == pytest.approx([900, 100])
    truth = {
        "a": 0.9 * expit(0.2) + 0.1 * expit(1.4),
        "b": 0.1 * expit(0.2) + 0.9 * expit(1.4),
        "c": 0.5 * expit(0.4) + 0.5 * expit(1.6),
    }
    found = poststratify.tidy_draws(poststratify.predict_areas(model, frame, rng, 300, 0.0), frame)
    for area, share in truth.items():
        assert found.loc[area, "share_pct"] == pytest.approx(100 * share, abs=3)
        assert found.loc[area, "low_pct"] < 100 * share < found.loc[area, "high_pct"]
    wider = poststratify.tidy_draws(poststratify.predict_areas(model, frame, rng, 300, 0.5), frame)
    assert (wider["high_pct"] - wider["low_pct"] > found["high_pct"] - found["low_pct"]).all()
    cells = poststratify.predict_cells(model, frame)
    assert 100 * frame.average(cells) == pytest.approx(found["share_pct"].to_numpy(), abs=1)


def test_too_few_answers_make_no_model() -> None:
    with pytest.raises(TooFewError):
        poststratify.fit_model(draw_people(np.random.default_rng(1), 150), "yes", ["age"], [])


def test_a_region_left_out_is_predicted_better_by_who_lives_there() -> None:
    people = draw_people(np.random.default_rng(2), 8_000)
    people["region"] = np.where(people["age"].eq("young"), "London", people["region"])  # the old are elsewhere too
    found = checks.leave_regions_out(people, "yes", ["age", "imd_decile"], [])
    error = found.groupby("method")["deviance"].mean()
    assert error[checks.MODEL] < error[checks.EVERYBODY]
    assert set(found["left_out"]) == {"London", "North East"}


def test_coarse_estimates_are_those_of_the_decile() -> None:
    people = draw_people(np.random.default_rng(3))
    areas = pd.DataFrame({"imd_decile": [1.0, 10.0, 1.0]}, index=["a", "b", "c"])
    found = poststratify.spread_deciles(people, "yes", areas, 0.1, np.random.default_rng(1), 400)
    first = people[people["imd_decile"].eq(1)]
    assert found.loc["a", "share_pct"] == pytest.approx(100 * np.average(first["yes"], weights=first["weight"]))
    assert found.loc["a", "share_pct"] == found.loc["c", "share_pct"] < found.loc["b", "low_pct"]


def test_deciles_are_the_publishers_and_a_merged_area_has_the_mean_rank() -> None:
    lookup = pd.DataFrame({"lsoa11_code": ["a", "b", "c", "c"], "lsoa21_code": ["x", "x", "y", "z"]})
    ranks = pd.DataFrame({"lsoa11_code": ["a", "b", "c"], "imd_rank": [3_280, 3_288, 3_285]})
    found = find_ranks(ranks, lookup)
    assert found["imd_rank"].to_dict() == {"x": 3_284, "y": 3_285, "z": 3_285}
    assert find_deciles(found)["imd_decile"].to_dict() == {"x": 1, "y": 2, "z": 2}


def make_indicators(rng: np.random.Generator, areas: int = 90) -> pd.DataFrame:
    kind = np.arange(areas) % 3
    table = pd.DataFrame(rng.normal(30, 1, (areas, len(segments.INDICATORS))), columns=list(segments.INDICATORS))
    table["student_pct"] += 40 * (kind == 0)
    table["private_rented_pct"] += 20 * (kind == 0)
    table["owned_outright_pct"] -= 20 * (kind == 0)
    table["deprivation_pct"] += 40 * (kind == 1)
    table["degree_pct"] -= 20 * (kind == 1)  # says the same as deprivation
    table["car_pct"] -= 2 * (kind == 1)
    return table.set_axis(pd.Index([f"E{one}" for one in range(areas)], name="lsoa21_code"))


def test_segments_are_stable_where_they_are_there_and_named_by_what_sets_them_apart() -> None:
    table = make_indicators(np.random.default_rng(1))
    tried = segments.try_clusters(table, 1)
    assert tried.loc[tried["chosen"], "segments"].tolist() == [3]
    found = segments.make_segments(table, 3, 1)
    assert "students" in found.iloc[0] and "eprivation" not in found.iloc[0]
    assert found.iloc[1] == "More deprivation and fewer homes with a car"
    assert found.nunique() == 3 and found.value_counts().min() > 25
    profile = segments.describe_segments(found, table, pd.Series(10, index=table.index))
    students = profile[profile["indicator"].eq("full-time students")].set_index("segment")["share_pct"]
    assert students[found.iloc[0]] == pytest.approx(70, abs=3)
    assert (profile["adults"] == 10 * profile["areas"]).all()


def test_nobody_is_sorted_by_ethnicity_or_birth() -> None:
    assert not any(word in " ".join(segments.INDICATORS) for word in ("ethnic", "white", "born", "religion"))


def test_too_few_areas_make_no_segments() -> None:
    few = make_indicators(np.random.default_rng(1), 12)
    tried = segments.try_clusters(few, 1)
    assert tried["segments"].tolist() == [1] and tried["smallest_areas"].tolist() == [12]
    assert segments.make_segments(few, 1, 1).unique().tolist() == [segments.WHOLE]
    assert "too few" in statements.say_stability(tried)


def make_grid(side: int) -> gpd.GeoDataFrame:
    cells = [(row, column) for row in range(side) for column in range(side)]
    shapes = [box(column, row, column + 1, row + 1) for row, column in cells]
    return gpd.GeoDataFrame({"lsoa21_code": [f"E{row}_{column}" for row, column in cells]}, geometry=shapes)


def test_a_block_of_high_areas_is_hot_and_noise_is_not() -> None:
    grid, rng = make_grid(12), np.random.default_rng(5)
    noise = pd.DataFrame({"lsoa21_code": grid["lsoa21_code"], "value_pct": rng.normal(50, 2, len(grid))})
    quiet = segments.find_hotspots(grid, noise)
    assert quiet["is_spot"].sum() <= 2 < quiet["is_raw_spot"].sum()
    block = noise["lsoa21_code"].isin([f"E{row}_{column}" for row in (2, 3, 4) for column in (2, 3, 4)])
    loud = segments.find_hotspots(grid, noise.assign(value_pct=noise["value_pct"] + 15 * block)).set_index(
        "lsoa21_code"
    )
    assert loud.loc["E3_3", "is_spot"] and loud.loc["E3_3", "spot"] == "hot" and loud.loc["E3_3", "neighbours"] == 8


def test_without_outlines_or_differences_there_are_no_spots() -> None:
    grid = make_grid(8)
    same = pd.DataFrame({"lsoa21_code": grid["lsoa21_code"], "value_pct": 50.0})
    assert segments.find_hotspots(grid, same).empty
    assert segments.find_hotspots(None, same).empty


@pytest.mark.parametrize("know", [True, False])
def test_bought_segments_add_what_they_know_and_no_more(know: bool) -> None:
    rng, size = np.random.default_rng(6), 160
    areas = pd.Index([f"E{one:03}" for one in range(size)], name="lsoa21_code")
    poor, taste = rng.normal(size=size), rng.normal(0, 0.6, size)
    share = expit(taste if know else rng.normal(0, 0.6, size))
    bought = pd.DataFrame({"lsoa21_code": areas, "segment": "A", "households": (700 * share).astype(int)})
    rest = bought.assign(segment="B", households=700 - bought["households"])
    booked = pd.DataFrame({"lsoa21_code": areas, "bookers": rng.poisson(30 * np.exp(0.4 * poor + taste))})
    places = pd.Series([f"place {one // 5}" for one in range(size)], index=areas)
    open_data = pd.DataFrame({"deprivation_pct": poor}, index=areas)
    found = audiences.try_audiences(open_data, pd.concat([bought, rest]), booked, places, 1).set_index("method")
    assert (found.loc[audiences.ADDED, "low_pct"] > 0) == know
    assert found.loc["Census and deprivation", "saved_pct"] > 10


def test_spots_that_many_tests_explain_are_told_apart_from_those_that_are_left():
    spots = pd.DataFrame({"measure": "take part", "is_raw_spot": [True, True, False], "spot": ["cold", "hot", "hot"]})
    none = statements.say_hotspots(spots.assign(is_spot=False))
    assert none.startswith("Tested one by one, 2 of 3 areas look unusual") and none.endswith("none is.")
    assert "1 is: 1 low and 0 high." in statements.say_hotspots(spots.assign(is_spot=[True, False, False]))
    assert "2 are: 1 low and 1 high." in statements.say_hotspots(spots.assign(is_spot=[True, True, False]))
    assert "no outlines" in statements.say_hotspots(spots.head(0))
