"""What ideas are worth: examples worked by hand, formulas that are known, and nothing counted twice."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from councilbook.catalogue import load_catalogue
from councilbook.commons.value import statements
from councilbook.commons.value.evidence import (
    EVERYTHING,
    Appraisal,
    appraise_ideas,
    estimate_evpi,
    estimate_evppi,
    tabulate_evidence,
    tabulate_ideas,
    tabulate_plans,
)
from councilbook.commons.value.ideas import Assumed, Figure, Model, Published, fill_figures, keep_countable, read_model
from councilbook.errors import CheckError, NotToldError
from councilbook.paths import find_workbook

OURS = load_catalogue(find_workbook())


def assume(default: float, low: float | None = None, high: float | None = None, unit: str = "£") -> Assumed:
    low, high = default if low is None else low, default if high is None else high
    shape = "fixed" if low == high else "uniform"
    about = {"title": "T", "question": "Q?", "way": "W.", "note": "N", "sources": ()}
    return Assumed(default=default, low=low, high=high, unit=unit, distribution=shape, basis="assumption", **about)


def build_model(values: Mapping[str, Assumed], benefits: Mapping[str, object], ideas: Mapping[str, object]) -> Model:
    return Model.model_validate({"figures": {}, "parameters": values, "benefits": benefits, "ideas": ideas})


def bring(origin: str, *amount: str) -> dict[str, object]:
    return {"title": origin, "arises_from": origin, "unit": "hours a year", "amount": [*amount], "worth": ["pound"]}


SHARED = build_model(
    {"hours": assume(100), "more": assume(30), "pound": assume(1), "build": assume(20), "keep": assume(10)},
    {"asked": bring("hours of requests", "hours"), "other": bring("hours of others", "more")},
    {
        "register": {"title": "Register", "benefits": ["asked"], "once": ["build"], "year": ["keep"]},
        "portal": {"title": "Portal", "benefits": ["asked", "other"], "once": ["build"], "year": ["keep"]},
    },
)


def appraise(model: Model, **settings: float) -> Appraisal:
    given_ = {"budget_gbp": 1000, "years": 2, "discount_pct": 0, "seed": 1} | settings
    return appraise_ideas(model, model.parameters, **given_)  # type: ignore[arg-type]


def test_perfect_information_is_worth_what_the_better_choice_brings_by_hand() -> None:
    # wet or dry, as likely: to build brings 10 or loses 6, not to build brings 0
    net = np.array([[0.0, 10.0], [0.0, -6.0]])
    assert estimate_evpi(net) == 5 - 2  # build if dry alone: (10 + 0) / 2; build anyhow: (10 - 6) / 2
    assert estimate_evpi(np.array([[0.0, 10.0], [0.0, 6.0]])) == 0  # it is built whatever is known


@pytest.mark.parametrize(("mean", "known", "unknown"), [(0.0, 3.0, 4.0), (2.0, 3.0, 4.0), (-5.0, 4.0, 1.0)])
def test_one_value_is_worth_what_the_normal_loss_integral_says(mean: float, known: float, unknown: float) -> None:
    rng = np.random.default_rng(5)
    first, second = rng.standard_normal((2, 40_000))
    net = np.column_stack([np.zeros(40_000), mean + known * first + unknown * second])

    def lose(
        spread: float,
    ) -> float:  # Raiffa and Schlaifer 1961: spread * (phi(u) - u (1 - Phi(u))), u = |mean|/spread
        u = abs(mean) / spread
        return spread * float(norm.pdf(u) - u * norm.sf(u))

    assert estimate_evppi(net, first) == pytest.approx(lose(known), abs=0.06)
    assert estimate_evpi(net) == pytest.approx(lose(np.hypot(known, unknown)), abs=0.06)


def test_a_value_that_matters_by_a_curve_is_worth_what_its_average_says() -> None:
    rng = np.random.default_rng(6)
    value, noise = rng.standard_normal((2, 40_000))
    net = np.column_stack([np.zeros(40_000), value**2 - 1 + noise])
    # E max(0, z^2 - 1) - max(0, 0) = 2 phi(1), as z^2 - 1 is above 0 beyond 1 on either side
    assert estimate_evppi(net, value) == pytest.approx(4 * norm.pdf(1) / 2, abs=0.03)
    assert estimate_evppi(net, noise) == pytest.approx(norm.pdf(0), abs=0.03)  # E max(0, noise)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.lists(st.floats(-50, 50), min_size=3, max_size=3),
)
def test_to_know_one_value_is_worth_no_less_than_nothing_and_no_more_than_to_know_all(
    seed: int, options: int, weights: list[float]
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(200, 3))
    net = (values * weights) @ rng.normal(size=(3, options)) + rng.normal(size=options)
    everything = estimate_evpi(net)
    assert all(0 <= estimate_evppi(net, one) <= everything for one in values.T)


def test_a_benefit_that_two_ideas_bring_counts_once_where_both_are_funded() -> None:
    found = appraise(SHARED)
    assert found.alone.iloc[0].tolist() == [2 * 100 - 40, 2 * 130 - 40]
    plans = tabulate_plans(SHARED, found).set_index("ideas")
    assert plans["mean_gbp"].to_dict() == {
        "Portal": 220,
        "Register; Portal": 260 - 80,  # not 160 + 220
        "Register": 160,
        "none": 0,
    }
    assert plans["best_pct"].tolist() == [100, 0, 0, 0]
    table = tabulate_ideas(SHARED, SHARED.parameters, found, {}).set_index("title")
    assert table["shares"].to_dict() == {"Portal": "Register", "Register": "Portal"}
    assert table.loc["Portal", "brings"] == "100 hours a year; 30 hours a year"
    assert table["chosen"].to_dict() == {"Portal": True, "Register": False}


def test_a_plan_costs_no_more_than_the_budget_and_later_pounds_count_less() -> None:
    assert set(tabulate_plans(SHARED, appraise(SHARED, budget_gbp=40))["ideas"]) == {"Portal", "Register", "none"}
    assert tabulate_plans(SHARED, appraise(SHARED, budget_gbp=39))["ideas"].tolist() == ["none"]
    late = appraise(SHARED, discount_pct=100, years=2)  # a pound at the end of either year: 1/2 + 1/4
    assert late.alone.iloc[0].tolist() == pytest.approx([0.75 * 90 - 20, 0.75 * 120 - 20])


def test_two_benefits_of_the_same_hours_are_an_error_that_names_the_ideas() -> None:
    twice = SHARED.model_copy(
        update={
            "benefits": {**SHARED.benefits, "other": SHARED.benefits["asked"].model_copy(update={"amount": ["more"]})}
        }
    )
    with pytest.raises(CheckError, match=r"asked and other both come from 'hours of requests'.*Register; Portal"):
        twice.refuse_double_counting()


def test_two_benefits_of_the_same_released_figure_are_an_error_whatever_it_is_called() -> None:
    figures = {
        name: Figure(title=name, unit="hours", dataset="foi_costs", value="median") for name in ("hours", "more")
    }
    values = {name: one for name, one in SHARED.parameters.items() if name not in figures}
    model = SHARED.model_copy(update={"figures": figures, "parameters": values})
    with pytest.raises(CheckError, match="both come from 'median of foi_costs"):
        model.refuse_double_counting()


def test_what_is_named_and_not_there_or_there_and_not_used_is_told() -> None:
    about = SHARED.model_dump()
    del about["parameters"]["keep"]
    with pytest.raises(ValueError, match="idea register names keep, which is not there"):
        Model.model_validate(about)
    about = SHARED.model_dump()
    about["parameters"]["idle"] = about["parameters"]["keep"]
    with pytest.raises(ValueError, match="idle is used by nothing"):
        Model.model_validate(about)


TABLE = pd.DataFrame(
    {
        "kind": ["a", "a", "b", "c"],
        "year": [2020, 2021, 2021, 2021],
        "n": [5.0, 7.0, 2.0, np.nan],
        "low": [4.0, 6.0, 1.0, np.nan],
        "all": [10, 10, 10, 10],
    }
)


def fill(**figures: dict[str, object]) -> dict[str, Assumed]:
    read = {name: Figure(title=name, unit="n", dataset="tried", value="n", **one) for name, one in figures.items()}  # type: ignore[arg-type]
    return fill_figures(SHARED.model_copy(update={"figures": read, "parameters": {}}), {"tried": TABLE})


def test_a_figure_is_read_off_the_rows_that_fit() -> None:
    found = fill(
        summed={"where": {"kind": "a"}, "low": "low"},
        newest={"where": {"kind": "a"}, "newest": "year"},
        share={"where": {"kind": "b"}, "of": "all"},
        beyond={"where": {"kind": "a"}, "less": "few", "low": "low"},
        few={"where": {"kind": "b"}},
        hidden={"where": {"kind": "c"}},
        nowhere={"where": {"kind": "d"}},
    )
    assert {name: (one.low, one.default) for name, one in found.items()} == {
        "summed": (10, 12),
        "newest": (7, 7),
        "share": (0.2, 0.2),
        "beyond": (8, 10),
        "few": (2, 2),
    }
    assert found["few"].distribution == "fixed"


def test_draws_of_a_released_figure_keep_its_middle_and_its_interval() -> None:
    about = assume(4).model_dump() | {"distribution": "triangular", "basis": "derived", "sources": ("x",)}
    ends = np.array([0.025, 0.5, 0.975])
    for low, high in ((1, 9), (-3, 5)):
        one = Published.model_validate(about | {"low": low, "high": high, "interval": 0.95})
        assert one.find_quantiles(ends) == pytest.approx([low, 4, high])
        assert (one.find_quantiles(np.array([1e-9])) > 0).all() == (low > 0)


def test_an_idea_whose_study_was_not_run_is_told_and_not_counted() -> None:
    there = {name: one for name, one in SHARED.parameters.items() if name != "more"}
    kept = keep_countable(SHARED, there)
    assert kept.ideas["portal"].benefits == ["asked"]
    unbuilt = SHARED.model_copy(
        update={"ideas": {**SHARED.ideas, "portal": SHARED.ideas["portal"].model_copy(update={"once": ["more"]})}}
    )
    kept = keep_countable(unbuilt, there)
    table = tabulate_ideas(unbuilt, there, appraise(kept), {})
    assert (
        "1 idea cannot be counted, as the study was not run or hides the figure: Portal."
        in statements.describe_shared(table)
    )
    assert table.set_index("title").loc["Portal", ["brings", "cost_gbp"]].isna().all()
    with pytest.raises(NotToldError, match="has been run yet"):
        keep_countable(SHARED, [])


def test_sentences_say_the_sum_the_plan_and_the_question_that_matters_most() -> None:
    values = {**SHARED.parameters, "hours": assume(30, 0, 60), "more": assume(5), "keep": assume(10, 9, 11)}
    found = appraise_ideas(SHARED, values, budget_gbp=50, years=2, discount_pct=0, seed=3)
    known = tabulate_evidence(values, found)
    assert known["value"].tolist() == [EVERYTHING, "hours", "keep"]
    assert known["worth_gbp"].iloc[0] >= known["worth_gbp"].iloc[1] > 10 * known["worth_gbp"].iloc[2]
    told = statements.describe_evidence(known)
    assert told.startswith("**It is worth up to £")
    assert told.count("\n- **Q?**") == 1
    plan = statements.describe_plan(tabulate_plans(SHARED, found), 50, 2)
    assert "With an assumed £50 over 2 years, the model funds **Portal**. They would cost £40" in plan
    shown = statements.show_rounded(known[["title", "worth_gbp"]].assign(worth_gbp=12_345.6), "Worth", {}).text
    assert "12,000" in shown and "12,345" not in shown
    sure = tabulate_evidence(values, appraise_ideas(SHARED, values, budget_gbp=0, years=2, discount_pct=0, seed=3))
    assert statements.describe_evidence(sure).startswith("**No single question would change the choice")


def test_our_ideas_claim_nothing_twice_and_read_the_datasets_that_study_yaml_names() -> None:
    model = read_model(OURS)
    beside = OURS.study("commons").notebooks["3_value"].beside
    assert sorted(model.datasets) == sorted(beside)
    for figure in model.figures.values():
        fields = OURS.dataset(figure.dataset).fields
        needed = {figure.value, *figure.where, figure.low, figure.high, figure.of, figure.newest} - {None}
        assert needed <= fields.keys()
    assert all(one.sources or one.basis == "assumption" for one in model.parameters.values())
