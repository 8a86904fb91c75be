"""Who is reached: to the household where orders tie, never more than can be, and what the answer hangs on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.fairness import (
    compare_reach,
    keep_comparable,
    make_groups,
    measure_reach,
    spread_reach,
)
from councilbook.fuel_poverty.households.targeting import (
    COMBINED_HOUSEHOLD,
    COMBINED_LSOA,
    COMBINED_POSTCODE,
    EXPECTED,
    FEWEST_HOMES,
    IMD,
    LSOA_RATE,
    OPEN_POSTCODE,
    PERFECT,
    RANDOM,
    average_postcodes,
    count_reached,
    find_budget,
    find_visited,
    keep_large,
    make_orders,
    shift_chances,
)

SCORED = "Scored"
POOR = [True, True, False, False, True, False, False, False, False, True]
SCORES = [3, 3, 3, 2, 2, 1, 1, 1, 1, 1]  # 2 of 3 are fuel poor, then 1 of 2, then 1 of 5
quickly = settings(max_examples=25, deadline=None)


def make_homes() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten households of two LSOAs, four of them fuel poor, and three orders."""
    index = pd.Index(list("jihgfedcba"))
    homes = pd.DataFrame({"lsoa21_code": ["L1"] * 4 + ["L2"] * 6, "is_fuel_poor": POOR}, index=index)
    orders = pd.DataFrame({RANDOM: 0.0, SCORED: SCORES, PERFECT: np.array(POOR, dtype="float64")}, index=index)
    return orders, homes


def read(table: pd.DataFrame, order: str, column: str) -> list[float]:
    return table.loc[table["order"] == order, column].tolist()


@st.composite
def towns(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw households with an order of many ties, at least one of them fuel poor."""
    number = draw(st.integers(1, 25))

    def lists(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=number, max_size=number))

    poor = np.array(lists(st.booleans()))
    poor[draw(st.integers(0, number - 1))] = True
    homes = pd.DataFrame({"lsoa21_code": lists(st.sampled_from(["L1", "L2", "L3"])), "is_fuel_poor": poor})
    scores = lists(st.sampled_from([-np.inf, -1.5, 0.0, 0.25, 0.5]))
    return pd.DataFrame({RANDOM: 0.0, SCORED: scores, PERFECT: poor.astype("float64")}), homes


# --- what is reached ---


def test_of_a_tie_that_the_budget_ends_in_the_fuel_poor_are_reached_in_proportion() -> None:
    table = count_reached(*make_homes(), [0, 1, 3, 4, 5, 10], seed=1, draws=2)
    assert read(table, SCORED, "visits") == [0, 1, 3, 4, 5, 10]
    assert read(table, SCORED, "reached") == pytest.approx([0, 2 / 3, 2, 2.5, 3, 4])
    assert read(table, RANDOM, "reached") == pytest.approx([0, 0.4, 1.2, 1.6, 2, 4])
    assert read(table, PERFECT, "reached") == pytest.approx([0, 1, 3, 4, 4, 4])
    assert read(table, SCORED, "reached_pct") == pytest.approx([0, 50 / 3, 50, 62.5, 75, 100])
    assert read(table, SCORED, "gain") == pytest.approx([0, 2 / 3 - 0.4, 0.8, 0.9, 1, 0])
    times = read(table, SCORED, "times_random")
    assert np.isnan(times[0])
    assert times[1:] == pytest.approx([5 / 3, 5 / 3, 2.5 / 1.6, 1.5, 1])


def test_the_chance_to_be_visited_is_shared_within_the_tie_that_the_budget_ends_in() -> None:
    scores = pd.Series(SCORES, index=list("jihgfedcba"))
    assert find_visited(scores, 4).tolist() == pytest.approx([1, 1, 1, 0.5, 0.5, 0, 0, 0, 0, 0])
    assert find_visited(scores, 4).index.equals(scores.index)
    assert find_visited(scores, 0).sum() == 0
    assert find_visited(scores, 10).eq(1).all()


@quickly
@given(towns(), st.integers(0, 10**6))
def test_more_visits_never_reach_fewer_none_beats_perfect_knowledge_and_random_reaches_its_share(
    town: tuple[pd.DataFrame, pd.DataFrame], seed: int
) -> None:
    orders, homes = town
    poor = homes["is_fuel_poor"]
    budgets = list(range(len(homes) + 1))
    table = count_reached(orders, homes, budgets, seed=seed, draws=20)
    best = np.minimum(budgets, poor.sum())
    for order in orders:
        reached = np.array(read(table, str(order), "reached"))
        assert (np.diff(reached) >= -1e-9).all()
        assert (reached <= best + 1e-9).all()
        assert reached[-1] == pytest.approx(poor.sum())
        half = len(homes) // 2
        assert reached[half] == pytest.approx(find_visited(orders[order], half)[poor].sum())
    assert read(table, PERFECT, "reached") == pytest.approx(best)
    assert read(table, RANDOM, "reached") == pytest.approx(poor.mean() * np.array(budgets))
    assert (table["low_95"] <= table["high_95"]).all()


# --- intervals ---


def test_intervals_are_of_which_lsoas_there_are() -> None:
    homes = pd.DataFrame({"lsoa21_code": ["L1", "L1", "L2", "L2"], "is_fuel_poor": [True, True, False, False]})
    orders = pd.DataFrame({RANDOM: 0.0, SCORED: [1.0, 1.0, 0.0, 0.0]})
    # Of two draws of the two, a quarter are the fuel-poor one twice, and as many the other twice.
    row = count_reached(orders, homes, [2], seed=1, draws=400).set_index("order").loc[SCORED]
    assert (row["reached"], row["low_95"], row["high_95"]) == (2, 0, 2)
    assert (row["gain"], row["gain_low_95"], row["gain_high_95"]) == (1, 0, 1)  # none where all or none are fuel poor


def test_a_list_is_held_against_areas_by_the_difference_within_a_draw() -> None:
    homes = pd.DataFrame({"lsoa21_code": ["L1"] * 4 + ["L2"] * 4, "is_fuel_poor": [True, False] * 4})
    orders = pd.DataFrame({RANDOM: 0.0, LSOA_RATE: [1.0] * 4 + [0.0] * 4, SCORED: [1.0, 0.0] * 4})
    table = count_reached(orders, homes, [4], seed=1, draws=50).set_index("order")
    assert table.loc[SCORED, ["ahead", "ahead_low_95", "ahead_high_95"]].tolist() == pytest.approx([2, 2, 2])
    assert table.loc[LSOA_RATE, ["ahead", "ahead_low_95", "ahead_high_95"]].tolist() == [0, 0, 0]
    assert count_reached(orders.drop(columns=LSOA_RATE), homes, [4], seed=1, draws=5)["ahead"].isna().all()


def test_a_draw_of_larger_lsoas_is_brought_back_to_the_size_of_the_council() -> None:
    homes = pd.DataFrame({"lsoa21_code": ["L1"] * 2 + ["L2"] * 6, "is_fuel_poor": [True, False] * 4})
    table = count_reached(pd.DataFrame({RANDOM: np.zeros(8)}), homes, [4, 8], seed=1, draws=50)
    assert table["low_95"].tolist() == pytest.approx([2, 4])  # half of the homes of either are fuel poor
    assert table["high_95"].tolist() == pytest.approx([2, 4])


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    one, again, other = (count_reached(*make_homes(), [5], seed=seed, draws=5) for seed in (1, 1, 3))
    pd.testing.assert_frame_equal(one, again, check_exact=True)
    assert not one["low_95"].equals(other["low_95"])


# --- orders ---


def make_prepared(sizes: dict[str, tuple[str, str, int]]) -> pd.DataFrame:
    """Households of postcodes, each with its output area, LSOA and number of homes."""
    rows = [(postcode, oa, lsoa) for postcode, (oa, lsoa, number) in sizes.items() for _ in range(number)]
    prepared = pd.DataFrame(rows, columns=["postcode", "oa21_code", "lsoa21_code"])
    return prepared.assign(lad22_code="D1", is_fuel_poor=np.arange(len(rows)) % 2 == 0)


def test_a_postcode_of_few_homes_has_the_mean_of_more_around_it() -> None:
    prepared = make_prepared(
        {"P4": ("O3", "L2", 2), "P3": ("O2", "L1", 2), "P2": ("O1", "L1", 3), "P1": ("O1", "L1", FEWEST_HOMES)}
    )
    chance = prepared["postcode"].map({"P1": 0.1, "P2": 0.5, "P3": 0.9, "P4": 0.3})
    places = average_postcodes(prepared, chance).set_index("postcode")
    assert places.index.tolist() == ["P1", "P2", "P3", "P4"]
    assert places["households"].tolist() == [10, 3, 2, 2]
    assert places["mean_of"].tolist() == ["postcode", "output area", "LSOA", "LSOA"]
    area = (10 * 0.1 + 3 * 0.5) / 13
    assert places["chance"].tolist() == pytest.approx([0.1, area, (13 * area + 2 * 0.9) / 15, 0.3])
    assert places.loc["P3", ["oa21_code", "lsoa21_code", "lad22_code"]].tolist() == ["O2", "L1", "D1"]


def test_chances_are_shifted_to_the_official_rate_of_their_lsoa() -> None:
    prepared = pd.DataFrame({"lsoa21_code": ["L1", "L2", "L1", "L3", "L2"]}, index=list("edcba"))
    chance = pd.Series([0.2, 0.2, 0.5, 0.4, 0.4], index=prepared.index)
    shifted = shift_chances(prepared, chance, pd.Series({"L1": 50.0, "L2": 30.0, "L9": 1.0}))
    # odds of 1:4 and 1:1 stay four times apart, and the mean of L2 is its rate already
    assert shifted.tolist() == pytest.approx([1 / 3, 0.2, 2 / 3, 0.4, 0.4])
    assert shifted.index.equals(prepared.index)


@quickly
@given(
    st.lists(st.tuples(st.sampled_from(["L1", "L2"]), st.floats(0.001, 0.999)), min_size=1, max_size=20),
    st.floats(0.1, 99.9),
)
def test_shifted_chances_keep_their_order_and_have_the_rate_as_their_mean(
    homes: list[tuple[str, float]], rate: float
) -> None:
    prepared = pd.DataFrame(homes, columns=["lsoa21_code", "chance"])
    shifted = shift_chances(prepared, prepared["chance"], pd.Series({"L1": rate, "L2": 10.0}))
    for code, expected in (("L1", rate), ("L2", 10.0)):
        own = prepared["lsoa21_code"] == code
        if own.any():
            assert 100 * shifted[own].mean() == pytest.approx(expected, abs=1e-6)
            apart = logit(shifted[own]) - logit(prepared.loc[own, "chance"])
            assert np.ptp(apart) == pytest.approx(0, abs=1e-6)


def test_each_order_scores_households_by_its_own_figure() -> None:
    prepared = make_prepared({"P1": ("O1", "L1", 10), "P2": ("O2", "L2", 10)}).iloc[::-1]
    chance = pd.Series(np.arange(20) / 100 + 0.1, index=range(20)).loc[prepared.index]
    orders = make_orders(
        prepared, chance, pd.Series({"L1": 20.0, "L2": 40.0}), pd.Series({"L1": 7, "L2": 900}), pd.Series({"P1": 3.0})
    )
    assert orders.index.equals(prepared.index)
    first, last = orders.loc[0], orders.loc[19]  # of P1, fuel poor; of P2, not
    assert (first[RANDOM], last[RANDOM]) == (0, 0)
    assert (first[LSOA_RATE], last[LSOA_RATE]) == (20, 40)
    assert first[IMD] > last[IMD]  # rank 1 is the most deprived
    assert (first[OPEN_POSTCODE], last[OPEN_POSTCODE]) == (3, -np.inf)  # without a figure, last
    assert (first[COMBINED_POSTCODE], last[COMBINED_POSTCODE]) == pytest.approx((0.145, 0.245))
    assert (first[COMBINED_LSOA], last[COMBINED_LSOA]) == pytest.approx((0.2, 0.4))
    assert (first[COMBINED_HOUSEHOLD], last[COMBINED_HOUSEHOLD]) == pytest.approx((0.1, 0.29))
    assert (first[PERFECT], last[PERFECT]) == (1, 0)


def test_an_order_without_a_single_figure_or_with_other_households_is_an_error() -> None:
    prepared = make_prepared({"P1": ("O1", "L1", 2)})
    chance, known = pd.Series(0.5, index=prepared.index), pd.Series({"L1": 1.0})
    with pytest.raises(CheckError, match="Postcodes by open data: no household has a figure"):
        make_orders(prepared, chance, known, known, pd.Series({"P9": 1.0}))
    with pytest.raises(CheckError, match="chances must have the index of the households"):
        make_orders(prepared, chance.set_axis([7, 8]), known, known, pd.Series({"P1": 1.0}))
    with pytest.raises(CheckError, match="chances must have the index of the households"):
        shift_chances(prepared, chance.set_axis([7, 8]), known)


@pytest.mark.parametrize(
    ("change", "budgets", "message"),
    [
        (lambda orders, homes: (orders.iloc[::-1], homes), [1], "index of the households"),
        (lambda orders, homes: (orders.drop(columns=RANDOM), homes), [1], "The order Random is not there"),
        (lambda orders, homes: (orders.assign(Scored=np.nan), homes), [1], "The order Scored has no score"),
        (lambda orders, homes: (orders, homes.assign(is_fuel_poor=False)), [1], "nobody to reach"),
        (lambda orders, homes: (orders, homes), [1, 11], "from 0 to 10 visits"),
        (lambda orders, homes: (orders, homes), [-1], "from 0 to 10 visits"),
    ],
)
def test_what_does_not_fit_together_is_an_error(change, budgets: list[int], message: str) -> None:
    with pytest.raises(CheckError, match=message):
        count_reached(*change(*make_homes()), budgets, seed=1, draws=2)


# --- fairness ---


def test_groups_begin_at_their_limits() -> None:
    ages = [34, 35, 49, 50, 65, 66, 74, 75]
    rural = [0.0, 49.9, 50.0, 100.0, np.nan, 0.0, 0.0, 0.0]
    prepared = pd.DataFrame({"oldest_age": ages, "tenure": "mortgaged", "lad22_code": "D1", "rural_pct": rural})
    groups = make_groups(prepared.set_axis(list("hgfedcba")))
    assert list(groups.columns) == ["age_band", "tenure", "lad22_code", "rural_urban"]
    assert groups["age_band"].tolist() == [
        *("under 35", "35 to 49", "35 to 49", "50 to 65", "50 to 65", "66 to 74", "66 to 74", "75 or over")
    ]
    assert groups["rural_urban"].tolist()[:5] == ["urban", "urban", "rural", "rural", "not known"]
    assert groups.index.tolist() == list("hgfedcba")


def test_the_reach_of_a_group_is_held_against_that_of_all() -> None:
    orders, homes = make_homes()
    groups = pd.DataFrame({"side": ["left"] * 4 + ["right"] * 5 + ["left"]}, index=homes.index)
    groups.loc["b", "side"] = "nobody fuel poor"
    table = measure_reach(orders[[SCORED]], homes, groups, 4).set_index("group")
    # Both of the first tie are visited, one of the second in one case of two, none of the last.
    assert table.index.tolist() == ["left", "right"]
    assert table["fuel_poor_households"].tolist() == [3, 1]
    assert table["reached"].tolist() == pytest.approx([2, 0.5])
    assert table["reach_pct"].tolist() == pytest.approx([200 / 3, 50])
    assert table["ratio"].tolist() == pytest.approx([2 / 3 / 0.625, 0.5 / 0.625])
    assert table["grouping"].unique().tolist() == ["side"]
    assert measure_reach(orders[[SCORED]], homes, groups, 0)["ratio"].isna().all()


@quickly
@given(towns(), st.data())
def test_what_the_groups_are_reached_adds_up_to_what_the_order_reaches(
    town: tuple[pd.DataFrame, pd.DataFrame], data: st.DataObject
) -> None:
    orders, homes = town
    visits = data.draw(st.integers(0, len(homes)))
    labels = data.draw(st.lists(st.sampled_from("xyz"), min_size=len(homes), max_size=len(homes)))
    table = measure_reach(orders, homes, pd.DataFrame({"label": labels}), visits)
    reached = count_reached(orders, homes, [visits], seed=1, draws=2).set_index("order")["reached"]
    sums = table.groupby("order")[["reached", "fuel_poor_households"]].sum()
    assert sums["reached"].tolist() == pytest.approx(reached.loc[sums.index].tolist())
    assert sums["fuel_poor_households"].eq(homes["is_fuel_poor"].sum()).all()
    assert table["reach_pct"].between(0, 100 + 1e-9).all()


def test_groups_of_other_households_are_an_error() -> None:
    orders, homes = make_homes()
    with pytest.raises(CheckError, match="groups must have the index"):
        measure_reach(orders, homes, pd.DataFrame({"side": ["x"] * 10}), 4)


def test_counts_that_left_through_the_gate_are_compared_as_those_that_did_not() -> None:
    published = pd.DataFrame(
        [
            ("A", "tenure", "owned", 200, 20, 10.0),
            ("A", "tenure", "rented", 100, 40, 40.0),
            ("A", "tenure", "small", pd.NA, pd.NA, pd.NA),
            ("B", "tenure", "owned", 200, 0, 0.0),
        ],
        columns=["order", "grouping", "group", "fuel_poor_households", "reached_households", "reached_pct"],
    )
    compared = compare_reach(published)
    assert compared["group"].tolist() == ["owned", "rented", "owned"]
    assert compared["ratio"].tolist()[:2] == [0.5, 2.0]
    assert np.isnan(compared["ratio"].iloc[2])


def test_reach_is_set_side_by_side_the_youngest_first_and_says_what_is_hidden() -> None:
    rows = [("A", "age_band", "35 to 49", 20.0), ("A", "age_band", "under 35", 10.0), ("A", "tenure", "rent_free", 4.0)]
    reach = pd.DataFrame(
        [*rows, ("B", "age_band", "under 35", 30.0)], columns=["order", "grouping", "group", "reach_pct"]
    )
    table = spread_reach(reach, ["B", "A"], {})
    assert table.fillna(-1).to_numpy().tolist() == [
        ["oldest member", "under 35", 30.0, 10.0, False],
        ["oldest member", "35 to 49", -1.0, 20.0, True],
        ["tenure", "rent free", -1.0, 4.0, True],
    ]


def test_the_budget_nearest_to_a_share_is_found() -> None:
    reached = pd.DataFrame({"visits": [10, 51, 100], "visits_pct": [1.0, 5.1, 10.0]})
    assert find_budget(reached, 5) == 51


# --- where nobody knows who is fuel poor ---


def test_where_nobody_knows_who_is_poor_what_is_reached_is_what_the_chances_expect() -> None:
    orders, homes = make_homes()
    chances = np.array([0.9, 0.5, 0.4, 0.3, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1])
    expected = homes.drop(columns="is_fuel_poor").assign(**{EXPECTED: chances})
    table = count_reached(orders[[RANDOM, SCORED]], expected, [4], seed=1)
    assert read(table, SCORED, "reached") == pytest.approx([0.9 + 0.5 + 0.4 + (0.3 + 0.3) / 2])
    assert read(table, RANDOM, "reached") == pytest.approx([4 * 0.3])
    assert PERFECT not in set(table["order"])


def test_where_nobody_knows_who_is_poor_intervals_begin_at_areas_whose_homes_are_alike() -> None:
    areas = np.repeat(np.arange(60), 40)
    homes = pd.DataFrame({"lsoa21_code": [f"L{area:02}" for area in areas]})
    chance = pd.Series(np.tile(np.linspace(0.05, 0.45, 40), 60)) + areas / 300
    orders = pd.DataFrame({RANDOM: 0.0, LSOA_RATE: areas / 300, COMBINED_HOUSEHOLD: chance})
    expected = count_reached(orders, homes.assign(**{EXPECTED: chance}), [240], seed=1).set_index("order")
    own, by_areas = expected.loc[COMBINED_HOUSEHOLD], expected.loc[LSOA_RATE]
    assert own["reached"] == pytest.approx(chance.nlargest(240).sum())
    alike = homes.assign(**{EXPECTED: chance.groupby(areas).transform("mean")})
    least = count_reached(orders, alike, [240], seed=1).set_index("order")
    lows = ["low_95", "gain_low_95", "ahead_low_95"]
    assert own[lows].tolist() == pytest.approx(least.loc[COMBINED_HOUSEHOLD, lows].tolist())
    assert by_areas[[*lows, "high_95"]].tolist() == pytest.approx(least.loc[LSOA_RATE, [*lows, "high_95"]].tolist())
    assert own["ahead_low_95"] < 0 < own["ahead"] < own["ahead_high_95"]
    assert own["low_95"] < 0.8 * own["reached"] < own["reached"] < own["high_95"]


def test_expected_households_of_each_grouping_add_up_to_the_same_whole_numbers() -> None:
    orders, homes = make_homes()
    chances = np.array([0.9, 0.5, 0.4, 0.3, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1]) * 3
    expected = homes.drop(columns="is_fuel_poor").assign(**{EXPECTED: chances})
    groups = pd.DataFrame({"three": list("aabbbccccc"), "two": list("xyxyxyxyxy")}, index=homes.index)
    reach = measure_reach(orders[[SCORED]], expected, groups, 4)
    sums = reach.groupby("grouping")[["fuel_poor_households", "reached_households"]].sum()
    assert sums.loc["three"].tolist() == sums.loc["two"].tolist() == [9, 6]
    assert (reach["reached_households"] <= reach["fuel_poor_households"]).all()
    first = reach.set_index("group").loc["a"]
    assert first["reach_pct"] == pytest.approx(100)
    assert first["ratio"] == pytest.approx(9 / 6.3)
    assert keep_comparable(reach).empty


def test_a_council_of_one_district_compares_no_districts() -> None:
    rows = [("tenure", "owned", 600), ("tenure", "rented", 400), ("lad22_code", "E06000047", 1000)]
    reach = pd.DataFrame(rows, columns=["grouping", "group", "fuel_poor_households"]).assign(order=SCORED)
    assert keep_comparable(reach)["group"].tolist() == ["owned", "rented"]
    both = pd.concat([reach, reach[2:].assign(group="E06000035")])
    assert len(keep_comparable(both)) == 4
    assert keep_comparable(reach[2:]).empty


def test_only_budgets_at_which_every_figure_is_about_enough_households_are_kept() -> None:
    rows = [(RANDOM, 10, 2.0), (SCORED, 10, 9.0), (RANDOM, 200, 12.2), (SCORED, 200, 40.0)]
    expected = pd.DataFrame(rows, columns=["order", "visits", "reached"])
    assert keep_large(expected)["group_size"].tolist() == [10, 10, 200, 200]  # about all who are visited
    known = pd.concat([expected, expected.tail(1).assign(order=PERFECT, reached=50.0)])
    assert keep_large(known)[["visits", "group_size"]].to_numpy().tolist() == [[200, 12], [200, 40], [200, 50]]
    with pytest.raises(CheckError, match="No number of visits reaches 10"):
        keep_large(known.assign(reached=9.0))
