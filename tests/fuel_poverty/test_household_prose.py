"""Sentences on households: true whatever the figures are, and open about what is synthetic."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households import household_prose as prose
from councilbook.fuel_poverty.households.indicators import Assumptions
from councilbook.fuel_poverty.households.targeting import (
    COMBINED_HOUSEHOLD,
    COMBINED_POSTCODE,
    LSOA_RATE,
    PERFECT,
    RANDOM,
)


def reached(low: float, high: float, visits: int = 10_000) -> pd.DataFrame:
    """Four orders at one budget, whose own intervals overlap; the ends are of the difference of the first two."""
    rows = [(COMBINED_POSTCODE, 3098.4, 98.4), (LSOA_RATE, 3000.0, 0.0), (RANDOM, 1141.9, -1858.1)]
    rows.append((PERFECT, 9000.0, 6000.0))
    table = pd.DataFrame(rows, columns=["order", "reached", "ahead"])
    return table.assign(visits=visits, low_95=2800, high_95=3300, ahead_low_95=low, ahead_high_95=high)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.0, 190.0, "more than"),
        (-1.0, 190.0, "too near to tell apart from"),
        (-190.0, 0.0, "too near to tell apart from"),
        (-190.0, -1.0, "fewer than"),
    ],
)
def test_an_order_is_said_to_reach_more_only_if_the_difference_is(low: float, high: float, verdict: str) -> None:
    assert prose.describe_reach(reached(low, high), 10_000, is_synthetic=False) == (
        "With 10,000 visits, a list of postcodes by linked records reaches **3,098 fuel-poor households** (95% "
        f"interval 2,800 to 3,300). That is {verdict} the 3,000 of a list of areas by official rate (difference +98, "
        f"95% interval {low:+,.0f} to {high:+,.0f}). Visits at random reach 1,142."
    )


def test_an_order_that_reaches_as_many_as_written_is_not_said_to_reach_more() -> None:
    table = reached(0.1, 0.4).assign(reached=[4.4, 4.1, 3.0, 9.0], ahead=[0.3, 0, -1.1, 4.9])
    words = prose.describe_reach(table, 10_000, is_synthetic=False)
    assert "That is too near to tell apart from the 4 of a list of areas" in words


def test_an_order_that_was_not_counted_at_the_budget_is_an_error() -> None:
    table = reached(1, 2)
    with pytest.raises(CheckError, match="lacks the order Postcodes by linked records at 9,999 visits"):
        prose.describe_reach(table, 9_999, is_synthetic=True)
    with pytest.raises(CheckError, match="lacks the order Random"):
        prose.describe_reach(table[table["order"] != RANDOM], 10_000, is_synthetic=True)


def varied(*values: tuple[float, float]) -> pd.DataFrame:
    """A row a homes_spread and times_random."""
    return pd.DataFrame(values, columns=["homes_spread", "times_random"]).assign(
        order=COMBINED_POSTCODE, reached_pct=12.2, expected_pct=np.nan, lacks="nothing"
    )


def test_the_assumption_is_told_at_both_of_its_ends() -> None:
    text = prose.describe_dependence(varied((2, 3.06), (0, 2.44), (1, 9.9)))
    assert text.startswith(
        "That rests on an assumption about how much the homes of one area differ, which no open source"
    )
    assert "**2.4 times** as many fuel-poor synthetic households as random visits if within an area it is pure" in text
    assert text.endswith("**3.1 times** as many if they differ 2 times as much as assumed.")
    assert prose.describe_dependence(varied((0.5, 1), (1, 2))).endswith("as many if they differ as assumed.")


def test_a_page_says_how_many_households_lack_what_and_what_a_list_loses_without() -> None:
    without = varied((1, 2.0), (1, 1.5)).assign(lacks=["certificates", "both"], reached_pct=[11.0, 10.04])
    tried = pd.concat([varied((0, 2.4), (1, 3.1)), without])
    counts = pd.DataFrame({"flag": ["oil", "no_acorn_group", "no_certificates"], "households": [1, 1250, np.nan]})
    told = prose.describe_lacking(counts, tried, is_synthetic=False, order=COMBINED_POSTCODE)
    assert "1,250 households have no Wellbeing Acorn group, and [c] (hidden to protect people) have no certi" in told
    assert told.endswith(
        "reaches 12.2% of the fuel poor with both. It reaches 11.0% without certificates and 10.0% without both."
    )
    assert prose.describe_dependence(tried) == prose.describe_dependence(varied((0, 2.4), (1, 3.1)))


def test_one_value_of_the_assumption_is_nothing_to_compare() -> None:
    with pytest.raises(CheckError, match="1 values of homes_spread; expected at least 2"):
        prose.describe_dependence(varied((0, 2), (1, np.nan)))
    with pytest.raises(CheckError, match="0 values"):
        prose.describe_dependence(varied((0, 2), (1, 2)), order=COMBINED_HOUSEHOLD)


def reach(*groups: tuple[str, str, int, float]) -> pd.DataFrame:
    """A row a grouping, group, fuel-poor households and reach in percent; 4% of all are reached."""
    table = pd.DataFrame(groups, columns=["grouping", "group", "fuel_poor_households", "reach_pct"])
    return table.assign(order=COMBINED_POSTCODE, ratio=table["reach_pct"] / 4)


@pytest.mark.parametrize(
    ("grouping", "group", "words"),
    [
        ("age_band", "under 35", "households whose oldest member is under 35"),
        ("tenure", "owned_outright", "households that own their home outright"),
        ("tenure", "rent_free", "households of the tenure rent free"),
        ("lad22_code", "E1", "households of Swale"),
        ("lad22_code", "E2", "households of E2"),
        ("rural_urban", "rural", "households of rural areas"),
    ],
)
def test_the_group_that_is_reached_least_is_named_in_words(grouping: str, group: str, words: str) -> None:
    table = reach(("age_band", "75 or over", 900, 5.0), (grouping, group, 100, 1.26), ("tenure", "tiny", 99, 0.0))
    table = pd.concat([table, reach(("rural_urban", "not known", 900, 0.5))], ignore_index=True)
    assert prose.describe_fairness(table, is_synthetic=False, names={"E1": "Swale"}) == (
        f"A list of postcodes by linked records is least fair to {words}: it reaches **1.3%** of the fuel-poor "
        "households among them, and 4.0% of all."
    )


def test_a_group_of_whom_nobody_is_reached_is_named_as_well() -> None:
    table = reach(("tenure", "mortgaged", 900, 0.0), ("tenure", "social_rented", 99, 8.0))
    text = prose.describe_fairness(table, is_synthetic=True, names={})
    assert "with a mortgage: it reaches **none**" in text
    assert "and 4.0% of all" in text


def test_no_group_is_named_where_none_is_reached_less_or_nobody_is_reached() -> None:
    equal = reach(("tenure", "mortgaged", 900, 4.0), ("tenure", "social_rented", 900, 4.0))
    assert prose.describe_fairness(equal, is_synthetic=True, names={}).endswith(
        "reaches no group of fuel-poor synthetic households less than all."
    )
    nobody = equal.assign(reach_pct=0.0, ratio=np.nan)
    assert "too few households to compare" in prose.describe_fairness(nobody, is_synthetic=True, names={})


def scores(**best: Any) -> pd.DataFrame:
    common = {"held_out": "each district in turn", "calibration_slope": 1.0, "auc": 0.8}
    rows = [
        {"model": "Council rate", "kind": "baseline", "log_loss": 0.1, "expected_calibration_error": 0.5},
        {"model": "Boosted trees", "kind": "model", "log_loss": 0.31, "expected_calibration_error": 0.3},
        {"model": "Logistic regression", "kind": "model", "log_loss": 0.3, "expected_calibration_error": 0.014, **best},
    ]
    return pd.DataFrame([common | row for row in rows])


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [
        (0.89, "too sure: high ones are too high"),
        (0.9, "neither too sure nor too cautious"),
        (1.1, "neither too sure nor too cautious"),
        (1.11, "too cautious: high ones are too low"),
    ],
)
def test_calibration_is_that_of_the_better_model_where_it_had_not_looked(slope: float, verdict: str) -> None:
    text = prose.describe_calibration(scores(calibration_slope=slope), is_synthetic=False)
    assert text.startswith(
        "Leaving out each district in turn, the chances of the logistic regression were off by **1.4 percentage "
        "points** on average in ten groups of households"
    )
    assert f"were {verdict}" in text
    assert f"(slope {slope:.2f}, where 1 is right)" in text


def test_every_sentence_on_synthetic_households_says_so_and_has_no_stray_markup() -> None:
    table = reach(("tenure", "owned_outright", 900, 3.0), ("tenure", "mortgaged", 900, 5.0))
    for is_synthetic in (True, False):
        assert ("are synthetic" in prose.describe_records("Kent", is_synthetic=is_synthetic)) == is_synthetic
        texts = [
            prose.describe_reach(reached(1, 2), 10_000, is_synthetic=is_synthetic),
            prose.describe_fairness(table, is_synthetic=is_synthetic, names={}),
            prose.describe_calibration(scores(), is_synthetic=is_synthetic),
        ]
        for text in texts:
            assert ("synthetic households" in text) == is_synthetic
            assert not set(text.replace("**", "")) & set("_*`$|<>~")
            assert text.endswith(".")


def test_the_parts_of_the_method_that_were_not_checked_are_told_with_their_values():
    told = prose.describe_assumptions()
    for part in ("1.07", "1.21", "1.32", "half of the people", "Attendance Allowance", "assumptions"):
        assert part in told
    other = prose.describe_assumptions(Assumptions(fuel_factors=(0.8, 1, 1.5), median_over="households"))
    assert "1.5 for three or more people" in other
    assert "half of the households" in other
    assert "1.21" not in other


# --- where the records do not say who is fuel poor ---


def test_without_perfect_knowledge_an_order_is_only_expected_to_reach() -> None:
    table = reached(3201.0, 3300.0)
    expected = table[table["order"] != PERFECT]
    told = prose.describe_reach(expected, 10_000, is_synthetic=False)
    assert "a list of postcodes by linked records is expected to reach **3,098 fuel-poor households**" in told
    assert prose.is_expected(expected)
    assert not prose.is_expected(table)


def test_what_chances_were_learnt_from_is_told_by_what_was_published() -> None:
    known = reached(3201.0, 3300.0)
    expected = known[known["order"] != PERFECT]
    model, none = pd.DataFrame({"kind": ["baseline", "model"]}), pd.DataFrame({"kind": ["baseline"]})
    assert "The model learnt from that" in prose.describe_learning(model, known, 5_000)
    told = prose.describe_learning(model, expected, 5_000)
    for part in ("learnt from **official rates of areas**", "may not hold within them", "no fuel poverty gap is known"):
        assert part in told
    told = prose.describe_learning(none, expected, 120)
    assert told.startswith("The records are of 120 households.")
    assert "**official rate of its area**" in told


def test_what_the_chances_expect_of_synthetic_households_is_held_against_what_is_found() -> None:
    tried = varied((0, 2.4), (1, 3.1)).assign(expected_pct=[9.0, 18.6])
    assert prose.describe_dependence(tried).endswith("the model expects it to reach 19%, and it reaches 12%.")
    other = varied((0.5, 2.4), (2, 3.1)).assign(expected_pct=[9.0, 18.6])
    assert "as assumed, the model" not in prose.describe_dependence(other)


def test_scores_against_official_rates_are_told_as_such_and_none_where_nothing_was_fitted() -> None:
    table = scores(auc=np.nan)
    assert "the areas' mean chances by the" in prose.describe_calibration(table, is_synthetic=False)
    assert "from their official rates" in prose.describe_calibration(table, is_synthetic=False)
    nothing = table[table["kind"] == "baseline"]
    assert prose.describe_calibration(nothing, is_synthetic=False).startswith("No model of households was fitted")
