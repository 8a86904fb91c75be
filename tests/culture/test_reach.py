"""Who a venue or an event reaches: on streets without bends, so that each figure can be worked out by hand."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata
from shapely import box

from councilbook.culture.reach import bridges, catchments, events, homes, statements
from councilbook.errors import CheckError, NotToldError, ParameterError, TooFewError
from councilbook.methods.travel.ground import Pace
from councilbook.methods.travel.journeys import Habits

METRE = 1 / bridges.DEGREE_M  # of latitude, in degrees
PACE = Pace(6, 1)  # 100 metres a minute
COUNTS = st.floats(0, 1e5)


def make_people(adults: list[float], engaged: list[float], young: list[float] | None = None) -> pd.DataFrame:
    """Areas A, B and so on, with an interval of five points to each side."""
    engagement = pd.DataFrame(
        {
            "lsoa21_code": [f"E0100000{one}" for one in range(len(adults))],
            "lsoa21_name": [f"Area {one}" for one in range(len(adults))],
            "adults": adults,
            "engaged_pct": engaged,
            "engaged_low_pct": np.array(engaged) - 5,
            "engaged_high_pct": np.array(engaged) + 5,
        }
    )
    engagement["not_engaged_adults"] = engagement["adults"] * (1 - engagement["engaged_pct"] / 100)
    study = SimpleNamespace(has=lambda _: False)
    return homes.count_people(study, engagement).assign(people_16_to_24=young if young else np.nan)


def make_line(metres: list[float], of_area: list[int], areas: int) -> homes.Homes:
    """Homes along one line to the north, each of an area."""
    codes = [f"E0100000{one}" for one in range(areas)]
    points = pd.DataFrame({"lsoa21_code": [codes[one] for one in of_area]})
    points = points.assign(latitude=51 + np.array(metres) * METRE, longitude=0.0)
    return homes.gather_homes(points, codes)


def make_venues(metres: list[float], uncertain: float = 0) -> pd.DataFrame:
    """Venues along the same line: a museum, then libraries."""
    return pd.DataFrame(
        {
            "venue_id": [f"v{one}" for one in range(len(metres))],
            "name": [f"Venue {one}" for one in range(len(metres))],
            "kind": ["museum", *["library"] * (len(metres) - 1)],
            "lsoa21_code": "E01000000",
            "latitude": 51 + np.array(metres) * METRE,
            "longitude": 0.0,
            "uncertainty_m": uncertain,
        }
    )


@pytest.fixture
def town() -> tuple[homes.Homes, pd.DataFrame]:
    """Nine areas, a kilometre each, with two homes; engagement rises to the north."""
    line = make_line([one * 500 for one in range(18)], [one // 2 for one in range(18)], 9)
    adults = [100.0, 300, 200, 100, 100, 400, 100, 200, 100]
    return line, make_people(adults, [40.0, 45, 50, 55, 60, 65, 70, 75, 80], [10.0, *[0.0] * 7, 30])


def test_score_bridges_by_hand():
    scores = bridges.score_bridges(*np.array([[30.0, 0, 0, 10], [40, 5, 0, 0], [20, 9, 0, 10]]))
    np.testing.assert_allclose(scores, [200 * 20 / 90, 0, np.nan, 100])


@given(arrays(float, (3, 4), elements=COUNTS))
def test_score_bridges_takes_both_sides_alike_and_stays_between_0_and_100(sides):
    low, middle, high = sides
    scores = bridges.score_bridges(low, middle, high)
    np.testing.assert_array_equal(scores, bridges.score_bridges(high, middle, low))
    known = scores[~np.isnan(scores)]
    assert ((known >= 0) & (known <= 100)).all()
    assert (np.isnan(scores) == (low + middle + high == 0)).all()


@given(COUNTS, COUNTS, COUNTS, st.floats(1, 1e5))
def test_score_bridges_falls_with_people_of_the_middle_and_rises_with_those_of_the_smaller_side(
    low, middle, high, more
):
    low, high = sorted([low, high])
    high = max(high, low + more)
    score = bridges.score_bridges(np.array([low]), np.array([middle]), np.array([high]))
    assert bridges.score_bridges(np.array([low]), np.array([middle + more]), np.array([high])) <= score
    assert bridges.score_bridges(np.array([low + more]), np.array([middle]), np.array([high])) > score


@given(arrays(float, 6, elements=st.floats(0.01, 100), unique=True))
def test_rank_scores_puts_the_highest_first_and_what_is_no_bridge_last(scores):
    ranks = bridges.rank_scores(scores)
    assert ranks[scores.argmax()] == 1
    np.testing.assert_array_equal(ranks, rankdata(-scores))
    assert bridges.rank_scores(np.append(scores, [0, np.nan])).tolist() == [*ranks, 8, 8]


def test_find_thirds_holds_a_third_of_the_adults_in_each(town):
    _, people = town
    engaged, adults = people["engaged_pct"].to_numpy(), people["adults"].to_numpy()
    thirds = bridges.find_thirds(np.vstack([engaged, -engaged]), adults)
    assert thirds.tolist()[0] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert thirds.tolist()[1] == [2, 2, 2, 1, 1, 1, 0, 0, 0]


def test_draw_engagement_keeps_the_interval(town):
    _, people = town
    drawn = bridges.draw_engagement(people, np.random.default_rng(1), 20_000)
    inside = (drawn >= people["engaged_low_pct"].to_numpy()) & (drawn <= people["engaged_high_pct"].to_numpy())
    np.testing.assert_allclose(inside.mean(axis=0), 0.95, atol=0.01)


def test_move_venues_keeps_95_of_100_within_the_uncertainty():
    venues = pd.concat([make_venues([0.0, 0], 50.0)] * 5_000).assign(uncertainty_m=[50.0, np.nan] * 5_000)
    moved = bridges.move_venues(venues, np.random.default_rng(1))
    east = (moved["longitude"] - venues["longitude"]) * np.cos(np.radians(51)) * bridges.DEGREE_M
    north = (moved["latitude"] - venues["latitude"]) * bridges.DEGREE_M
    known = venues["uncertainty_m"].notna().to_numpy()
    assert (np.hypot(north, east)[known] <= 50).mean() == pytest.approx(0.95, abs=0.01)
    assert east[known].std() == pytest.approx(north[known].std(), rel=0.05)
    assert (np.hypot(north, east)[~known] == 0).all()


def test_compare_bridges_by_hand(town):
    line, people = town
    compared = bridges.compare_bridges(
        line, people, make_venues([4_000.0, 0, 50_000]), PACE, None, [2_100, 4_600], np.random.default_rng(1), 60
    ).set_index(["venue_id", "walk_metres"])
    near = compared.loc["v0", 4_600]  # all homes
    assert (near["adults"], near["low_adults"], near["high_adults"]) == (1_600, 600, 400)
    assert near["plain_pct"] == pytest.approx(50)
    assert near["bridge_low_pct"] <= near["bridge_pct"] <= near["bridge_high_pct"]
    assert (near["rank"], near["rank_first"], near["rank_last"]) == (1, 1, 1)
    assert compared.loc["v0", 2_100]["low_adults"] == 200  # the homes at 2,000 m and 2,500 m
    assert compared.loc["v0", 2_100]["high_adults"] == 50  # those at 6,000 m: half of an area
    assert compared.loc["v2"]["rank"].isna().all()
    assert compared.loc["v1", 4_600]["plain_pct"] == 0
    assert compared.loc["v2"]["bridge_pct"].isna().all()
    assert compared.loc["v1", 4_600]["venues"] == 2


def test_intervals_of_ranks_widen_with_the_uncertainty_of_positions(town):
    line, people = town
    people = people.assign(engaged_low_pct=people["engaged_pct"], engaged_high_pct=people["engaged_pct"])

    def widths(uncertain: float) -> float:
        venues = make_venues([3_900.0, 4_100, 4_300], uncertain)
        found = bridges.compare_bridges(line, people, venues, PACE, None, [2_000], np.random.default_rng(1), 200)
        return float((found["bridge_high_pct"] - found["bridge_low_pct"]).sum())

    assert widths(0) == pytest.approx(0)
    assert widths(400) > 1


def test_catchments_by_hand(town):
    line, people = town
    venues = make_venues([20.0, 7_980])
    minutes = catchments.measure_minutes(line, venues, None, Habits(walk=PACE), None)
    assert set(minutes) == {"walk", "cycle"}
    near = catchments.tabulate_catchments(minutes, line, people, venues).set_index(["venue_id", "mode", "minutes"])
    assert near.loc[("v0", "walk", 10), "adults"] == 250  # homes at 0 and 500 m, and of the next area those at 1,000 m
    assert near.loc[("v0", "walk", 15), "adults"] == 400
    assert near.loc[("v1", "walk", 10), "adults"] == 300
    assert near.loc[("v1", "walk", 10), "people_16_to_24"] == 30
    assert near.loc[("v0", "walk", 15), "not_engaged_adults"] == 60 + 165
    assert near.loc[("v0", "walk", 15), "not_engaged_low"] == 55 + 150
    assert near.loc[("v0", "walk", 15), "not_engaged_high"] == 65 + 180
    kinds = catchments.tabulate_kinds(minutes, line, people, venues).set_index(["kind", "mode", "minutes"])
    assert kinds.loc[(catchments.ANY, "walk", 10), "adults"] == 550
    assert kinds.loc[("library", "walk", 10), "adults_pct"] == pytest.approx(300 / 16)
    assert kinds.loc[("library", "walk", 15), "not_engaged_without"] == round(people["not_engaged_adults"].sum() - 85)
    assert "library (1), museum (1)" in statements.say_kinds(kinds.reset_index())
    far = catchments.tabulate_kinds({"walk": minutes["walk"] + np.inf}, line, people, venues)
    assert statements.say_reach(far, 15).startswith("0 in 100 adults")
    assert "nan" not in statements.say_reach(far, 15)
    with pytest.raises(TooFewError):
        catchments.measure_minutes(line, make_venues([0.0]).head(0), None, Habits(), None)


def test_what_is_not_known_is_no_zero(town):
    line, people = town
    unknown = people.assign(people_16_to_24=np.nan)
    minutes = catchments.measure_minutes(line, make_venues([0.0]), None, Habits(walk=PACE), None)
    near = catchments.tabulate_catchments(minutes, line, unknown, make_venues([0.0]))
    assert near["people_16_to_24"].isna().all()
    assert "not known" in statements.say_young(near, 15)
    reach = catchments.tabulate_kinds(minutes, line, unknown, make_venues([0.0]))
    assert reach["people_16_to_24_pct"].isna().all()
    assert "not known" in statements.say_reach(reach, 15)
    assert f"minutes of a {make_venues([0.0])['kind'].iloc[0]} on foot" in statements.say_reach(reach, 15)
    assert "left out" in catchments.describe_ways([], None, 1.3)


def test_find_homes_spreads_people_where_there_is_no_postcode():
    outlines = gpd.GeoDataFrame(
        {"lsoa21_code": ["E01000001", "E01000002"]},
        geometry=[box(0, 51, 0.01, 51.01), box(1, 51, 1.02, 51.01)],
        crs=4326,
    )
    listed = pd.DataFrame({"postcode": ["XX1 1AA", "XX1 1AB"], "lsoa21_code": "E01000002"})
    listed = listed.assign(latitude=[51.001, 51.003], longitude=1.0)
    study = SimpleNamespace(has=lambda _: True, load=lambda _: listed)
    found = homes.find_homes(study, outlines, ["E01000001", "E01000002"], np.random.default_rng(1))
    assert found.centres.loc[1, "latitude"] == pytest.approx(51.002)
    first = found.points[found.points["lsoa21_code"] == "E01000001"]
    assert len(first) == homes.POINTS
    assert first["longitude"].between(0, 0.01).all()
    np.testing.assert_allclose(found.spread.sum(axis=1), 1)
    assert "in 1 area without a postcode" in found.describe()
    with pytest.raises(CheckError, match="E01000003"):
        homes.find_homes(study, outlines, ["E01000003"], np.random.default_rng(1))


def test_share_young_keeps_all_people():
    lookup = pd.DataFrame({"lsoa11_code": ["a", "b", "b", "c", "d"], "lsoa21_code": ["a", "b1", "b2", "cd", "cd"]})
    young = pd.Series({"a": 7.0, "b": 40, "c": 5, "d": 6})
    shared = homes.share_young(young, lookup, pd.Series({"a": 10, "b1": 300, "b2": 100, "cd": 20}))
    assert shared.to_dict() == {"a": 7, "b1": 30, "b2": 10, "cd": 11}


def test_people_are_called_by_their_neighbourhood():
    engagement = make_people([100.0] * 9, [50.0] * 9).assign(lsoa21_name=[f"Town 00{one}B" for one in range(9)])
    called = pd.DataFrame({"msoa21_name": ["Town 003"], "neighbourhood": ["Old Dock"]})
    study = SimpleNamespace(has=lambda source: source == homes.NAMES, load=lambda _: called)
    names = homes.count_people(study, engagement)["lsoa21_name"]
    assert names[3] == "Town 003B in Old Dock"
    assert names[4] == "Town 004B"


def test_few_areas_are_refused():
    with pytest.raises(NotToldError):
        make_people([100.0] * 8, [50.0] * 8)


@pytest.fixture
def ground(town) -> events.Ground:
    line, people = town
    return events.lay_ground(line, people, make_venues([0.0, 3_000]), PACE, None, 10)


def test_plans_reach_as_many_as_the_best_of_all_pairs(town, ground):
    _, people = town
    now = people["not_engaged_adults"].to_numpy()
    for plan in (statements.AT_VENUES, statements.ANYWHERE, statements.BEYOND):
        allowed = ground.choose_from(plan)
        pairs = [np.array([a, b]) for a in allowed for b in allowed if a < b]
        most = max(ground.count_reached(pair, now[None], plan)[0] for pair in pairs)
        near, weights = ground.is_near[:, allowed], ground.weigh(now, plan)
        for choose in (events.choose_exact, events.choose_quickly):
            chosen = allowed[choose(near, weights, 2)]
            assert ground.count_reached(chosen, now[None], plan)[0] == pytest.approx(most, rel=events.GAP)
        greedy = allowed[events.choose_greedily(near, weights, 2)]
        assert ground.count_reached(greedy, now[None], plan)[0] >= most * (1 - 1 / np.e)


def test_beyond_venues_counts_nobody_twice(town, ground):
    _, people = town
    now = people["not_engaged_adults"].to_numpy()
    venues = np.flatnonzero(ground.candidates["is_venue"])
    assert ground.count_reached(venues, now[None], statements.BEYOND)[0] == 0
    everywhere = np.arange(len(ground.candidates))
    whole = ground.count_reached(venues, now[None], statements.AT_VENUES) + ground.count_reached(
        everywhere, now[None], statements.BEYOND
    )
    assert whole[0] == pytest.approx(ground.count_reached(everywhere, now[None], statements.ANYWHERE)[0])


def test_plan_events_by_hand(town, ground):
    _, people = town
    drawn = bridges.draw_engagement(people, np.random.default_rng(1), 5)
    places, plans = events.plan_events(ground, people, 1, drawn, PACE, None)
    assert set(places["plan"]) == {statements.AT_VENUES, statements.ANYWHERE, statements.BEYOND, statements.NEAREST}
    rows = plans.set_index(["plan", "method"])
    largest = rows.loc[(statements.ANYWHERE, statements.LARGEST), "reached_adults"]
    assert largest == 30 + 165 + 50  # from the middle of area 1 one gets to half of area 0 and of area 2
    assert rows.loc[(statements.ANYWHERE, statements.EXACT), "reached_adults"] >= largest
    assert (rows["reached_low"] <= rows["reached_high"]).all()
    shortest = places[places["plan"] == statements.NEAREST]
    assert len(shortest) == 1
    assert shortest["chosen_pct"].isna().all()
    mapped = statements.band_places(places)
    assert mapped["place_id"].is_unique
    assert mapped["band"].sum() == len(places)
    assert "more" in statements.say_sure(places)
    with pytest.raises(ParameterError):
        events.plan_events(ground, people, 0, drawn, PACE, None)


def test_statements_name_no_single_venue_as_the_first(town):
    line, people = town
    compared = bridges.compare_bridges(
        line, people, make_venues([4_000.0, 4_200]), PACE, None, [2_000], np.random.default_rng(1), 60
    )
    said = statements.say_bridge(compared, "venue 1")
    assert "Venue 1 has no single rank" in said
    assert "do not say which venue is the first" in said
    ranks = statements.tabulate_ranks(compared)
    assert ranks["within 2,000 m"].str.fullmatch(r"[12] \([12] to [12]\)").all()
    assert statements.say_bridge(compared, "nowhere") == statements.say_first(compared)
    assert "too few" in statements.say_first(compared.head(1))
