"""Sentences and tables on what past measures did say what the released table holds, and no more."""

from typing import Any

import pandas as pd
import pytest

from councilbook.fuel_poverty.programmes import effects
from councilbook.pages import charts


def make_row(outcome: str, term: str, numbers: tuple[float, float, float], **more: Any) -> dict[str, Any]:
    effect, low, high = numbers
    named = {"outcome": outcome, "measure": effects.ALL_MEASURES, "term": term}
    return {**named, "effect": effect, "low_95": low, "high_95": high, "planted": None, "pre_trend_p": 0.4, **more}


def make_table(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype(dict.fromkeys([*effects.NUMBERS, "pre_trend_p"], "float64"))


GAS = make_row("gas_kwh", "average", (-676.4, -700.0, -650.0))
NAIVE = make_row("gas_kwh", "naive", (-507.3, -530.0, -480.0))
ADMISSIONS = make_row("emergency_admissions", "average", (-0.008, -0.02, 0.004))


def test_an_effect_is_said_with_its_interval_and_its_direction() -> None:
    said = effects.describe_effect(make_table(GAS), "gas_kwh", is_synthetic=False)
    assert said.startswith("**Gas use: lower by 676 kWh a year** than without a measure")
    assert "(95% interval 650 to 700)" in said
    more = make_row("gas_kwh", "average", (50.0, 20.0, 90.0))
    said = effects.describe_effect(make_table(more), "gas_kwh", is_synthetic=False)
    assert "higher by 50 kWh a year** than" in said
    assert "(95% interval 20 to 90)" in said


def test_an_effect_that_may_be_nothing_is_said_to_be_so_and_admissions_are_by_1000_homes() -> None:
    said = effects.describe_effect(make_table(ADMISSIONS), "emergency_admissions", is_synthetic=False)
    assert "no change that could be told from chance" in said
    assert "-8.0 a year in 1,000 homes (95% interval -20.0 to +4.0)" in said


@pytest.mark.parametrize(
    ("naive", "said"),
    [(-507.3, "25% less than ours"), (-845.5, "25% more than ours"), (-660.0, "within the interval of ours")],
)
def test_the_naive_estimate_is_held_against_ours(naive: float, said: str) -> None:
    table = make_table(GAS, make_row("gas_kwh", "naive", (naive, naive - 5, naive + 5)))
    assert said in effects.describe_naive(table, "gas_kwh", is_synthetic=False)


def test_a_chart_of_measures_is_told_by_its_lowest_effect() -> None:
    compared = pd.DataFrame({"measure": ["Loft insulation", "Cavity wall", "Advice"], "effect": [-50.0, -410.0, 3.0]})
    assert effects.describe_measures(compared) == (
        "Effects of 3 measures with intervals, the lowest that of cavity wall."
    )


def test_the_test_of_the_years_before_is_never_said_to_prove_anything() -> None:
    alike = effects.describe_trends(make_table(GAS, ADMISSIONS), is_synthetic=False)
    assert "gas use (p = 0.400) and emergency admissions (p = 0.400) moved alike" in alike
    assert "never for it" in alike
    apart = effects.describe_trends(make_table({**GAS, "pre_trend_p": 0.0001}, ADMISSIONS), is_synthetic=False)
    assert "**Gas use (p below 0.001) moved apart between the groups before any measure**" in apart
    assert "emergency admissions (p = 0.400) moved alike" in apart
    assert "too few years" in effects.describe_trends(make_table({**GAS, "pre_trend_p": None}), is_synthetic=False)


def test_real_data_have_nothing_planted_to_tell_of() -> None:
    assert effects.describe_planted(make_table(GAS, NAIVE)) == ""
    assert "known_effect" not in effects.spread_effects(make_table(GAS, NAIVE))


def test_on_a_twin_it_is_said_which_estimates_held_what_was_planted() -> None:
    table = make_table({**GAS, "planted": -680}, {**NAIVE, "planted": -680})
    assert "in 1 outcome: our interval holds the known effect in 1 of them, and that of the two-way estimate in 0" in (
        effects.describe_planted(table)
    )


def test_the_spread_writes_intervals_in_words() -> None:
    spread = effects.spread_effects(make_table({**GAS, "planted": -680}, {**NAIVE, "planted": -680})).iloc[0]
    assert spread["outcome"] == "gas use, kWh a year"
    assert spread["effect"] == "-676 (-700 to -650)"
    assert spread["naive"] == "-507 (-530 to -480)"
    assert (spread["pre_trend_p"], spread["known_effect"]) == ("0.400", "-680")


def test_the_trace_adds_the_reference_year_and_what_was_planted_as_a_line_of_its_own() -> None:
    rows = [
        make_row("emergency_admissions", f"year {year}", (-0.01 * year, -0.02 * year, 0.0), planted=planted)
        for year, planted in ((-2, None), (1, -0.011), (2, -0.019))
    ]
    trace = effects.trace_effect(make_table(ADMISSIONS, *rows, GAS), "emergency_admissions")
    estimate, planted = (
        trace[trace["series"] == name].set_index("years_since") for name in ("estimate", "known effect")
    )
    assert estimate["effect"].to_dict() == pytest.approx({-2: 20, -1: 0, 1: -10, 2: -20})
    assert planted["effect"].to_dict() == pytest.approx({1: -11, 2: -19})
    assert planted["low_95"].equals(planted["high_95"])
    real = effects.trace_effect(make_table(*[{**row, "planted": None} for row in rows]), "emergency_admissions")
    assert set(real["series"]) == {"estimate"}
    words = {"title": "Admissions", "alt": "Line chart by year, with a band around it."}
    charts.draw_fan(
        trace, "years_since", "effect", "low_95", "high_95", "series", **words, x_label="years", y_label="admissions"
    )


def test_measures_are_compared_by_their_averages_the_largest_fall_first() -> None:
    rows = [
        make_row("gas_kwh", term, (effect, effect - 9, effect + 9), measure=measure)
        for measure, effect in (("Loft insulation", -400.0), ("Solid wall insulation", -1400.0))
        for term in effects.ENDS
    ]
    compared = effects.compare_measures(make_table(GAS, *rows), "gas_kwh")
    assert compared["measure"].tolist() == ["Solid wall insulation", "Loft insulation"]
    assert compared["effect"].tolist() == [-1400, -400]


@pytest.mark.parametrize("effect", [GAS, ADMISSIONS])
def test_a_sentence_on_synthetic_homes_says_so_itself(effect: dict[str, object]) -> None:
    table = make_table(effect, {**effect, "term": "naive"})
    outcome = str(effect["outcome"])
    for describe in (effects.describe_effect, effects.describe_naive):
        assert "synthetic homes" in describe(table, outcome, is_synthetic=True)
        assert "synthetic" not in describe(table, outcome, is_synthetic=False)
    assert "synthetic homes" in effects.describe_trends(table, is_synthetic=True)
