"""The official indicators: worked cases with their arithmetic, and what must hold for any household."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from councilbook.catalogue import load_catalogue
from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.indicators import (
    COLUMNS,
    LILEE_COLUMNS,
    Assumptions,
    Thresholds,
    find_fpeer_bands,
    find_thresholds,
    find_weighted_median,
    measure_lihc,
    measure_lilee,
    total_gaps,
)
from councilbook.paths import find_workbook
from councilbook.sources.checks import check_fields

Measure = Callable[[pd.DataFrame, Thresholds], pd.DataFrame]
YEAR = Thresholds(poverty_line_gbp_year=12_000, fuel_cost_gbp_year=1_400)
PENNY = 0.01
MONEY = [name for name in (*COLUMNS, *LILEE_COLUMNS) if name.endswith("gbp_year")]
NOTHING = float("nan")
BY_HOUSEHOLD = Assumptions(median_over="households")
AS_INCOME = Assumptions(lilee_fuel_scale="income")  # a pound less for fuel is then as a pound more of income
unhurried = settings(deadline=None)


def make_household(**values: float) -> pd.DataFrame:
    """One household: a couple without children, in a home of band E, unless said otherwise."""
    couple = {
        "ahc_income_gbp_year": 13_000.0,
        "required_fuel_cost_gbp_year": 1_800.0,
        "fuel_rebate_gbp_year": 0.0,
        "adults": 2,
        "children_14_plus": 0,
        "children_under_14": 0,
        "fpeer_score": 45.0,
        "fuel_cost_at_band_c_gbp_year": NOTHING,
    }
    return pd.DataFrame([couple | values])


def measure_one(measure: Measure, thresholds: Thresholds = YEAR, **values: float) -> dict[str, Any]:
    return measure(make_household(**values), thresholds).iloc[0].to_dict()


@st.composite
def draw_households(draw: st.DrawFn, lowest_income: int = -20_000) -> pd.DataFrame:
    """Households in whole pounds, so that ties are common."""
    cost = st.integers(300, 4_000)
    row = st.fixed_dictionaries(
        {
            "ahc_income_gbp_year": st.integers(lowest_income, 40_000).map(float),
            "required_fuel_cost_gbp_year": cost.map(float),
            "fuel_rebate_gbp_year": st.sampled_from([0.0, 150.0]),
            "adults": st.integers(1, 4),
            "children_14_plus": st.integers(0, 2),
            "children_under_14": st.integers(0, 4),
            "fpeer_score": st.integers(1, 130).map(float),
            "share_at_band_c": st.sampled_from([0.5, 0.875, 1.0, NOTHING]),
        }
    )
    rows = pd.DataFrame(draw(st.lists(row, min_size=1, max_size=12)))
    share = rows.pop("share_at_band_c")
    return rows.assign(fuel_cost_at_band_c_gbp_year=rows["required_fuel_cost_gbp_year"] * share)


# --- worked cases ---


@pytest.mark.parametrize(
    ("members", "income_factor", "fuel_factor"),
    [
        ((1, 0, 0), 0.58, 0.82),
        ((2, 0, 0), 1.00, 1.00),  # 0.58 + 0.42
        ((1, 0, 1), 0.78, 1.00),  # 0.58 + 0.20
        ((1, 1, 0), 1.00, 1.00),  # 0.58 + 0.42: a child of 14 counts as an adult
        ((3, 0, 0), 1.42, 1.07),  # 0.58 + 2 x 0.42
        ((2, 1, 1), 1.62, 1.21),  # 0.58 + 0.42 + 0.42 + 0.20
        ((2, 0, 3), 1.60, 1.32),  # 0.58 + 0.42 + 3 x 0.20
        ((4, 2, 3), 3.28, 1.32),  # 0.58 + 5 x 0.42 + 3 x 0.20; more than five people count as five
    ],
)
def test_incomes_and_fuel_costs_are_made_equivalent_by_who_lives_there(
    members: tuple[int, int, int], income_factor: float, fuel_factor: float
) -> None:
    who = dict(zip(("adults", "children_14_plus", "children_under_14"), members, strict=True))
    result = measure_one(measure_lihc, **who, ahc_income_gbp_year=20_000, required_fuel_cost_gbp_year=1_500)
    assert result["equivalised_income_gbp_year"] == pytest.approx(20_000 / income_factor)
    assert result["equivalised_fuel_cost_gbp_year"] == pytest.approx(1_500 / fuel_factor)


def test_lihc_of_a_family_that_is_nearer_to_the_income_threshold() -> None:
    result = measure_one(
        measure_lihc,
        ahc_income_gbp_year=22_000,
        required_fuel_cost_gbp_year=2_178,
        children_14_plus=1,
        children_under_14=1,
    )
    # income 22,000 / 1.62 = 13,580.25; fuel 2,178 / 1.21 = 1,800
    assert result["equivalised_income_gbp_year"] == pytest.approx(13_580.25, abs=PENNY)
    assert result["equivalised_fuel_cost_gbp_year"] == pytest.approx(1_800)
    assert result["income_threshold_gbp_year"] == pytest.approx(13_800)  # 12,000 + 1,800
    assert result["residual_income_gbp_year"] == pytest.approx(11_780.25, abs=PENNY)  # 13,580.25 - 1,800, under 12,000
    assert result["is_low_income"] and result["is_high_cost"] and result["is_fuel_poor"]  # 1,800 is over 1,400
    # to the income threshold (13,800 - 13,580.25) x 1.21 = 265.90; to the fuel threshold (1,800 - 1,400) x 1.21 = 484
    assert result["fuel_poverty_gap_gbp_year"] == pytest.approx(265.90, abs=PENNY)


def test_lihc_of_somebody_alone_who_is_nearer_to_the_fuel_cost_threshold() -> None:
    result = measure_one(measure_lihc, ahc_income_gbp_year=6_960, required_fuel_cost_gbp_year=1_230, adults=1)
    # income 6,960 / 0.58 = 12,000; fuel 1,230 / 0.82 = 1,500; threshold 12,000 + 1,500 = 13,500
    assert result["income_threshold_gbp_year"] == pytest.approx(13_500)
    assert result["is_fuel_poor"]
    # to the fuel threshold (1,500 - 1,400) x 0.82 = 82; to the income threshold (13,500 - 12,000) x 0.82 = 1,230
    assert result["fuel_poverty_gap_gbp_year"] == pytest.approx(82)


@pytest.mark.parametrize(
    ("income", "cost", "is_low_income", "is_high_cost"),
    [
        (13_000, 1_401, True, True),
        (13_000, 1_400, True, False),
        (13_401, 1_401, False, True),
        (13_401, 1_400, False, False),
    ],
)
def test_lihc_has_four_quadrants_and_who_is_at_a_threshold_is_not_over_it(
    income: float, cost: float, is_low_income: bool, is_high_cost: bool
) -> None:
    result = measure_one(measure_lihc, ahc_income_gbp_year=income, required_fuel_cost_gbp_year=cost)
    assert (result["is_low_income"], result["is_high_cost"]) == (is_low_income, is_high_cost)
    assert result["is_fuel_poor"] == (is_low_income and is_high_cost)
    assert (result["fuel_poverty_gap_gbp_year"] > 0) == result["is_fuel_poor"]


def test_lilee_gap_is_what_reaches_the_income_threshold_if_that_is_less_than_band_c_saves() -> None:
    result = measure_one(measure_lilee, fuel_cost_at_band_c_gbp_year=900)
    # 12,000 + 1,800 = 13,800; 13,800 - 13,000 = 800; band C saves 1,800 - 900 = 900
    assert result["income_threshold_gbp_year"] == pytest.approx(13_800)
    assert result["residual_income_gbp_year"] == pytest.approx(11_200)
    assert (result["fpeer_band"], result["is_fuel_poor"]) == ("E", True)
    assert result["fuel_poverty_gap_gbp_year"] == pytest.approx(800)


def test_lilee_gap_is_what_band_c_saves_if_that_is_less() -> None:
    assert measure_one(measure_lilee, fuel_cost_at_band_c_gbp_year=1_100)["fuel_poverty_gap_gbp_year"] == 700


@pytest.mark.parametrize(("income", "is_poor"), [(13_799, True), (13_800, False)])
def test_lilee_who_is_at_the_income_threshold_is_not_below_it(income: float, is_poor: bool) -> None:
    result = measure_one(measure_lilee, ahc_income_gbp_year=income)
    assert (result["is_low_income"], result["is_fuel_poor"]) == (is_poor, is_poor)


def test_lilee_counts_fuel_by_people_unless_told_to_count_it_as_income() -> None:
    alone = make_household(adults=1, ahc_income_gbp_year=7_540, required_fuel_cost_gbp_year=1_640)
    # income 7,540 / 0.58 = 13,000; fuel by people 1,640 / 0.82 = 2,000, as income 1,640 / 0.58 = 2,827.59
    by_people, as_income = (measure_lilee(alone, YEAR, scale).iloc[0] for scale in (Assumptions(), AS_INCOME))
    assert by_people["residual_income_gbp_year"] == pytest.approx(11_000)
    assert by_people["fuel_poverty_gap_gbp_year"] == pytest.approx(820)  # (12,000 + 2,000 - 13,000) x 0.82
    assert as_income["residual_income_gbp_year"] == pytest.approx(10_172.41, abs=PENNY)
    assert as_income["fuel_poverty_gap_gbp_year"] == pytest.approx(1_060)  # 12,000 x 0.58 - (7,540 - 1,640)


def test_a_rebate_is_taken_off_the_fuel_cost() -> None:
    for measure in (measure_lihc, measure_lilee):
        with_rebate = measure(make_household(fuel_rebate_gbp_year=150), YEAR)
        pd.testing.assert_frame_equal(with_rebate, measure(make_household(required_fuel_cost_gbp_year=1_650), YEAR))


def test_an_income_below_zero_is_taken_as_it_is() -> None:
    for measure in (measure_lihc, measure_lilee):
        result = measure_one(measure, ahc_income_gbp_year=-2_900, adults=1, required_fuel_cost_gbp_year=1_640)
        assert result["equivalised_income_gbp_year"] == pytest.approx(-5_000)  # -2,900 / 0.58
        assert result["residual_income_gbp_year"] == pytest.approx(-7_000)  # -5,000 - 1,640 / 0.82
        assert result["is_fuel_poor"]
    # (12,000 + 2,000 + 5,000) x 0.82: more than all that is paid for fuel
    assert result["fuel_poverty_gap_gbp_year"] == pytest.approx(15_580)


@pytest.mark.parametrize(
    ("band", "scores"),
    [
        ("A", [92, 100, 112]),
        ("B", [81, 91]),
        ("C", [68.5, 69, 80]),
        ("D", [55, 68, 68.49]),
        ("E", [39, 54]),
        ("F", [20.5, 21, 38]),
        ("G", [1, 20, 20.49]),
    ],
)
def test_scores_fall_into_the_bands_of_sap(band: str, scores: list[float]) -> None:
    bands = find_fpeer_bands(pd.DataFrame({"fpeer_score": scores}))
    assert (bands == band).all()
    assert ((bands < "C") == (band in "DEFG")).all()


# --- personas: three homes through the whole chain ---


def test_personas() -> None:
    personas = pd.concat(
        [
            # a widow in a cold house, with the Warm Home Discount
            make_household(
                adults=1,
                ahc_income_gbp_year=8_120,
                required_fuel_cost_gbp_year=1_872,
                fuel_rebate_gbp_year=150,
                fpeer_score=36,
                fuel_cost_at_band_c_gbp_year=1_052,
            ),
            # a young family that rents a terraced house
            make_household(
                children_under_14=2, ahc_income_gbp_year=18_200, required_fuel_cost_gbp_year=1_573, fpeer_score=62
            ),
            # somebody poor in a new flat
            make_household(adults=1, ahc_income_gbp_year=5_800, required_fuel_cost_gbp_year=820, fpeer_score=83),
        ],
        keys=["widow", "family", "flat"],
    ).droplevel(1)
    lihc, lilee = measure_lihc(personas, YEAR), measure_lilee(personas, YEAR)

    # widow: income 8,120 / 0.58 = 14,000; fuel (1,872 - 150) / 0.82 = 2,100; threshold 14,100
    # family: income 18,200 / 1.40 = 13,000; fuel 1,573 / 1.21 = 1,300; threshold 13,300
    # flat: income 5,800 / 0.58 = 10,000; fuel 820 / 0.82 = 1,000; threshold 13,000
    assert lilee["income_threshold_gbp_year"].tolist() == pytest.approx([14_100, 13_300, 13_000])
    assert lilee["is_low_income"].tolist() == [True, True, True]
    assert lihc["is_fuel_poor"].to_dict() == {"widow": True, "family": False, "flat": False}  # 1,300 is under 1,400
    assert lilee["fpeer_band"].to_dict() == {"widow": "F", "family": "D", "flat": "B"}
    assert lilee["is_fuel_poor"].to_dict() == {"widow": True, "family": True, "flat": False}
    # widow: (14,100 - 14,000) x 0.82 = 82; family: (13,300 - 13,000) x 1.21 = 363
    assert lihc["fuel_poverty_gap_gbp_year"].tolist() == pytest.approx([82, 0, 0])
    assert lilee["fuel_poverty_gap_gbp_year"].tolist() == pytest.approx([82, 363, 0])

    totals = total_gaps(lilee, pd.Series({"widow": 30.0, "family": 10.0, "flat": 60.0}))
    assert (totals.households, totals.fuel_poor_households, totals.fuel_poor_pct) == (100, 40, 40)
    assert totals.aggregate_gap_gbp_year == pytest.approx(30 * 82 + 10 * 363)  # 6,090
    assert totals.mean_gap_gbp_year == pytest.approx(6_090 / 40)


# --- thresholds ---


def test_thresholds_are_of_equivalised_amounts_and_half_of_the_people_are_below() -> None:
    households = pd.concat(
        [
            make_household(adults=1, ahc_income_gbp_year=5_800, required_fuel_cost_gbp_year=820),  # 10,000 and 1,000
            make_household(adults=1, ahc_income_gbp_year=8_700, required_fuel_cost_gbp_year=984),  # 15,000 and 1,200
            make_household(adults=2, ahc_income_gbp_year=20_000, required_fuel_cost_gbp_year=1_500),
            make_household(children_under_14=3, ahc_income_gbp_year=40_000, required_fuel_cost_gbp_year=2_376),
        ],  # the last: 40,000 / 1.60 = 25,000 and 2,376 / 1.32 = 1,800
        ignore_index=True,
    )
    people = find_thresholds(households)  # 1, 1, 2 and 5 people of 9: the fifth is in the last household
    assert vars(people) == pytest.approx(vars(Thresholds(0.6 * 25_000, 1_800)))
    evenly = find_thresholds(households, assumptions=BY_HOUSEHOLD)  # two of four are below, two above
    assert vars(evenly) == pytest.approx(vars(Thresholds(0.6 * 17_500, 1_350)))
    weighted = find_thresholds(households.assign(grossing=[9, 1, 1, 1]), "grossing", BY_HOUSEHOLD)
    assert vars(weighted) == pytest.approx(vars(Thresholds(0.6 * 10_000, 1_000)))


@unhurried
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 4)), min_size=1, max_size=40))
def test_a_weighted_median_is_the_median_of_repeated_rows(rows: list[tuple[int, int]]) -> None:
    values, weights = np.array(rows, dtype="float64").T
    assume(weights.any())
    repeated = np.repeat(values, weights.astype("int64"))
    assert find_weighted_median(values, weights) == np.median(repeated)
    assert find_weighted_median(values, weights / 7) == np.median(repeated)  # a half is a half for any weights


@pytest.mark.parametrize(
    ("values", "weights", "median"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),
        ([1, 2, 3, 4], [1, 1, 0, 2], 3.0),  # half at 2: the next is 4, since 3 weighs nothing
        ([1, 2, 2, 9], [1, 1, 1, 1], 2.0),
        ([5, 5, 5], [0.1, 0.2, 0.3], 5.0),
        ([1, 2, 3], [0.1, 0.2, 0.3], 2.5),  # 0.1 + 0.2 is half of the total, though not to the last bit
        ([7, 100], [1, 0], 7.0),
    ],
)
def test_ties_and_zero_weights_at_the_median(values: list[float], weights: list[float], median: float) -> None:
    assert find_weighted_median(np.array(values, dtype="float64"), np.array(weights)) == median


# --- what holds for any household ---


@unhurried
@given(draw_households(lowest_income=1_000), st.sampled_from([0.25, 0.5, 2.0, 1024.0]))
def test_a_change_of_all_money_by_a_factor_changes_nobodys_status(households: pd.DataFrame, factor: float) -> None:
    scaled = households.assign(**{name: households[name] * factor for name in MONEY})
    for measure in (measure_lihc, measure_lilee):
        before = measure(households, find_thresholds(households))
        after = measure(scaled, find_thresholds(scaled))
        assert after["is_fuel_poor"].equals(before["is_fuel_poor"])
        pd.testing.assert_series_equal(
            after["fuel_poverty_gap_gbp_year"], factor * before["fuel_poverty_gap_gbp_year"], atol=PENNY
        )


@unhurried
@given(draw_households(), st.integers(1, 30_000))
def test_more_income_makes_nobody_fuel_poor(households: pd.DataFrame, more: int) -> None:
    richer = households.assign(ahc_income_gbp_year=households["ahc_income_gbp_year"] + more)
    for measure in (measure_lihc, measure_lilee):
        before, after = measure(households, YEAR), measure(richer, YEAR)
        assert not (after["is_fuel_poor"] & ~before["is_fuel_poor"]).any()
        assert (after["fuel_poverty_gap_gbp_year"] <= before["fuel_poverty_gap_gbp_year"]).all()


@unhurried
@given(draw_households())
def test_the_lihc_gap_is_what_has_to_be_saved_and_no_more(households: pd.DataFrame) -> None:
    before = measure_lihc(households, YEAR)
    poor, gap = households[before["is_fuel_poor"]], before["fuel_poverty_gap_gbp_year"]
    enough = poor.assign(required_fuel_cost_gbp_year=poor["required_fuel_cost_gbp_year"] - gap[poor.index] - PENNY)
    too_little = poor.assign(required_fuel_cost_gbp_year=enough["required_fuel_cost_gbp_year"] + 2 * PENNY)
    assert not measure_lihc(enough, YEAR)["is_fuel_poor"].any()
    assert measure_lihc(too_little, YEAR)["is_fuel_poor"].all()


@unhurried
@given(draw_households())
def test_the_lilee_gap_is_what_has_to_be_gained_or_else_what_band_c_saves(households: pd.DataFrame) -> None:
    before = measure_lilee(households, YEAR, AS_INCOME)
    poor, gap = households[before["is_fuel_poor"]], before["fuel_poverty_gap_gbp_year"]
    saved = poor["required_fuel_cost_gbp_year"] - poor["fuel_cost_at_band_c_gbp_year"]
    is_by_band = gap[poor.index] == saved
    by_income = poor[~is_by_band]
    enough = by_income.assign(ahc_income_gbp_year=by_income["ahc_income_gbp_year"] + gap[by_income.index] + PENNY)
    too_little = by_income.assign(ahc_income_gbp_year=enough["ahc_income_gbp_year"] - 2 * PENNY)
    assert not measure_lilee(enough, YEAR, AS_INCOME)["is_fuel_poor"].any()
    assert measure_lilee(too_little, YEAR, AS_INCOME)["is_fuel_poor"].all()
    assert not (gap[poor.index] > saved).any()
    assert not measure_lilee(poor.assign(fpeer_score=69.0), YEAR, AS_INCOME)["is_fuel_poor"].any()


@unhurried
@given(draw_households())
def test_the_lilee_gap_is_in_fuel_costs_that_are_not_equivalised(households: pd.DataFrame) -> None:
    households = households.assign(fuel_cost_at_band_c_gbp_year=NOTHING)
    before = measure_lilee(households, YEAR)
    gap = before["fuel_poverty_gap_gbp_year"]
    can_save = before["is_fuel_poor"] & (gap + 1 < households["required_fuel_cost_gbp_year"] - 150)
    poor = households[can_save]
    enough = poor.assign(required_fuel_cost_gbp_year=poor["required_fuel_cost_gbp_year"] - gap[poor.index] - PENNY)
    too_little = poor.assign(required_fuel_cost_gbp_year=enough["required_fuel_cost_gbp_year"] + 2 * PENNY)
    assert not measure_lilee(enough, YEAR)["is_fuel_poor"].any()
    assert measure_lilee(too_little, YEAR)["is_fuel_poor"].all()


@unhurried
@given(draw_households(lowest_income=1_000), st.data())
def test_a_weight_is_the_same_as_that_many_rows(households: pd.DataFrame, data: st.DataObject) -> None:
    counts = st.integers(0, 3)
    weights = data.draw(st.lists(counts, min_size=len(households), max_size=len(households)).filter(any))
    weighted = households.assign(grossing=weights)
    repeated = households.loc[households.index.repeat(weights)].reset_index(drop=True)
    thresholds = find_thresholds(weighted, weight="grossing")
    assert thresholds == find_thresholds(repeated)
    for measure in (measure_lihc, measure_lilee):
        by_weight = total_gaps(measure(weighted, thresholds), weighted["grossing"])
        by_row = total_gaps(measure(repeated, thresholds))
        assert by_weight.households == by_row.households
        assert by_weight.fuel_poor_households == by_row.fuel_poor_households
        assert by_weight.aggregate_gap_gbp_year == pytest.approx(by_row.aggregate_gap_gbp_year)


@unhurried
@given(draw_households(lowest_income=1_000), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(households: pd.DataFrame, random: Any) -> None:
    weighted = households.assign(grossing=[random.uniform(0.1, 5) for _ in households.index])
    shuffled = weighted.loc[random.sample(list(weighted.index), len(weighted))]
    thresholds = find_thresholds(weighted, weight="grossing")
    assert find_thresholds(shuffled, weight="grossing") == thresholds
    for measure in (measure_lihc, measure_lilee):
        pd.testing.assert_frame_equal(measure(shuffled, thresholds).sort_index(), measure(weighted, thresholds))


# --- what comes in ---


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("ahc_income_gbp_year", NOTHING, "a finite number"),
        ("ahc_income_gbp_year", float("inf"), "a finite number"),
        ("required_fuel_cost_gbp_year", -98_765, "of at least 0"),
        ("fuel_rebate_gbp_year", -98_765, "of at least 0"),
        ("fuel_rebate_gbp_year", 1_898, "no more than the required fuel cost"),
        ("adults", 0, "a whole number of at least 1"),
        ("adults", 98_765.5, "a whole number of at least 1"),
        ("children_14_plus", -98_765, "a whole number of at least 0"),
        ("children_under_14", NOTHING, "a whole number of at least 0"),
        ("fpeer_score", 0.98765, "of at least 1"),
        ("fpeer_score", NOTHING, "of at least 1"),
        ("fuel_cost_at_band_c_gbp_year", -98_765, "from 0 to what is required now"),
        ("fuel_cost_at_band_c_gbp_year", 98_765, "from 0 to what is required now"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_not_shown(column: str, value: float, expected: str) -> None:
    good = make_household()
    households = pd.concat([good, good, make_household(**{column: value})])
    households.index = pd.Index(["Ada Smith", "Bo Jones", "Cy Brown"])
    with pytest.raises(CheckError, match=rf"{column} in 1 rows not as expected, .*{expected}.* \(row 2,") as refused:
        measure_lilee(households, YEAR)
    assert "98" not in str(refused.value)
    assert "Brown" not in str(refused.value)


def test_band_c_may_cost_anything_to_who_is_there_already() -> None:
    result = measure_one(measure_lilee, fpeer_score=85, fuel_cost_at_band_c_gbp_year=2_500)
    assert (result["is_fuel_poor"], result["fuel_poverty_gap_gbp_year"]) == (False, 0)


def test_missing_columns_are_named_at_once() -> None:
    households = make_household().drop(columns=["adults", "fpeer_score"]).rename(columns={"fuel_rebate_gbp_year": "x"})
    with pytest.raises(CheckError, match="no column fuel_rebate_gbp_year, adults, fpeer_score"):
        measure_lilee(households, YEAR)
    with pytest.raises(CheckError, match=r"no column fuel_rebate_gbp_year, adults\."):
        measure_lihc(households, YEAR)
    with pytest.raises(CheckError, match=r"no column grosing\. Did you mean grossing\?"):
        find_thresholds(make_household(grossing=1), weight="grosing")


@pytest.mark.parametrize("values", [["13,000"], [True], [None]])
def test_what_is_not_a_number_is_refused(values: list[object]) -> None:
    with pytest.raises(CheckError, match="ahc_income_gbp_year must be numbers"):
        measure_lihc(make_household().assign(ahc_income_gbp_year=values), YEAR)


@pytest.mark.parametrize(("weight", "reason"), [(-1, "of at least 0"), (NOTHING, "of at least 0"), (0, "above 0")])
def test_weights_that_cannot_be_are_refused(weight: float, reason: str) -> None:
    households = make_household(grossing=weight)
    with pytest.raises(CheckError, match=reason):
        find_thresholds(households, weight="grossing")
    with pytest.raises(CheckError, match=reason):
        total_gaps(measure_lihc(households, YEAR), households["grossing"])


def test_weights_of_other_households_are_refused() -> None:
    with pytest.raises(CheckError, match="index of the results"):
        total_gaps(measure_lihc(make_household(), YEAR), pd.Series([1.0], index=[5]))


def test_other_fuel_factors_hold_for_thresholds_and_households_alike() -> None:
    family = make_household(children_under_14=1, ahc_income_gbp_year=12_000, required_fuel_cost_gbp_year=1_650)
    flatter = Assumptions(fuel_factors=(0.9, 1.0, 1.1))  # 1,650 / 1.1 = 1,500
    assert find_thresholds(family, assumptions=flatter).fuel_cost_gbp_year == pytest.approx(1_500)
    assert measure_lihc(family, YEAR, flatter)["equivalised_fuel_cost_gbp_year"].tolist() == pytest.approx([1_500])
    assert measure_lilee(family, YEAR, flatter)["income_threshold_gbp_year"].tolist() == pytest.approx([13_500])


@pytest.mark.parametrize("factors", [(), (0.82, 0.0), (NOTHING,)])
def test_fuel_factors_are_above_zero(factors: tuple[float, ...]) -> None:
    with pytest.raises(CheckError, match="fuel_factors must be finite numbers above 0"):
        Assumptions(fuel_factors=factors)


@pytest.mark.parametrize("value", [0.0, -1.0, NOTHING, float("inf")])
def test_a_threshold_is_above_zero(value: float) -> None:
    with pytest.raises(CheckError, match="poverty_line_gbp_year must be a finite number above 0"):
        Thresholds(value, 1_400)
    with pytest.raises(CheckError, match="fuel_cost_gbp_year must be a finite number above 0"):
        Thresholds(12_000, value)
    assert Thresholds(0.5, 0.5).fuel_cost_gbp_year == 0.5


def test_a_home_may_cost_nothing_to_heat_in_band_c() -> None:
    free, cheap = (measure_lilee(make_household(fuel_cost_at_band_c_gbp_year=cost), YEAR) for cost in (0.0, 0.5))
    assert len(free) == len(cheap) == 1


def test_no_households_have_no_thresholds_but_an_empty_result() -> None:
    nobody = make_household().iloc[:0]
    assert measure_lihc(nobody, YEAR).empty
    assert list(measure_lilee(nobody, YEAR)) == list(measure_lilee(make_household(), YEAR))
    with pytest.raises(CheckError, match="no median"):
        find_thresholds(nobody)


def test_nobody_in_fuel_poverty_has_no_mean_gap() -> None:
    totals = total_gaps(measure_lilee(make_household(fpeer_score=90), YEAR))
    assert (totals.fuel_poor_pct, totals.aggregate_gap_gbp_year, totals.mean_gap_gbp_year) == (0, 0, None)


def test_columns_that_can_miss_values_are_read_and_the_table_stays_as_it_was() -> None:
    households = pd.concat([make_household(), make_household(adults=1)], ignore_index=True)
    nullable = households.convert_dtypes()
    before = nullable.copy(deep=True)
    for measure in (measure_lihc, measure_lilee):
        pd.testing.assert_frame_equal(measure(nullable, YEAR), measure(households, YEAR))
    pd.testing.assert_frame_equal(nullable, before)


def test_a_rating_above_100_of_a_home_that_sells_energy_is_read() -> None:
    """SAP 2012 has no upper end."""
    fields = load_catalogue(find_workbook()).source("kid_households").table().fields
    rated = pd.DataFrame({"fpeer_score": [104.0, 100.0]})
    check_fields(rated, {"fpeer_score": fields["fpeer_score"]}, [], "Homes", show_values=True)
    assert find_fpeer_bands(rated).tolist() == ["A", "A"]
