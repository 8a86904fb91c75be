"""Disclosure control of sums: what contributors and other readers can and cannot work out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attack import attack, list_sums
from closed_study.tabulating import tabulate_magnitudes
from councilbook.catalogue import MagnitudeRule
from councilbook.errors import CheckError
from councilbook.gate.disclosure.tables.magnitudes import (
    find_unsafe_moves,
    measure_protection,
    protect_magnitudes,
    round_sums,
)

LARGEST = ["largest_1", "largest_2"]
TOTALS = {"ward": "All", "kind": "All"}


def make_rule(**changes: Any) -> MagnitudeRule:
    rule = {
        "rule": "magnitudes",
        "approver": "Information governance lead",
        "value": "bill",
        "contributors": "contributors",
        "largest": LARGEST,
        "threshold": 5,
        "dominance_n": 2,
        "dominance_k_pct": 85,
        "p_pct": 10,
        "round_to": 5,
        "solver_seconds": 20,
    }
    return MagnitudeRule.model_validate(rule | changes)


def list_bills(cells: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    """List the bills of each ward and kind, each from somebody else."""
    bills = [(ward, kind, bill) for (ward, kind), some in cells.items() for bill in some]
    return pd.DataFrame(bills, columns=["ward", "kind", "bill"]).assign(payer=range(len(bills)))


def measure(sum_: float, many: int, first: float, second: float, **changes: Any) -> float:
    largest = np.array([[first, second]])
    level = measure_protection(np.array([sum_]), np.array([float(many)]), largest, make_rule(**changes))
    return float(level[0])


def test_protection_levels_are_those_of_the_handbook() -> None:
    assert measure(100, 20, 50, 40, p_pct=1) == pytest.approx(100 / 85 * 90 - 100)  # dominance alone
    assert measure(100, 20, 80, 15, dominance_k_pct=100) == pytest.approx(0.1 * 80 - 5)  # p% alone
    assert measure(100, 20, 80, 15) == pytest.approx(100 / 85 * 95 - 100)  # the larger of both
    assert measure(100, 3, 40, 30) == pytest.approx(10)  # too few
    assert measure(100, 20, 10, 9) == 0


def test_a_sum_that_is_hardly_unsafe_still_cannot_be_worked_out_exactly() -> None:
    assert measure(100, 20, 45, 40.01) == pytest.approx(1)


def test_a_sum_that_two_make_up_is_suppressed_with_another_that_would_give_it_back() -> None:
    bills = list_bills(
        {("a", "shop"): [900, 80, 5, 5, 5, 5], ("b", "shop"): [20] * 30, ("c", "shop"): [30] * 200}
    ).drop(columns="kind")
    table = tabulate_magnitudes(bills, ["ward"], "bill", "payer", {"ward": "All"})
    safe = protect_magnitudes(table, make_rule(totals={"ward": "All"}), ["ward"])
    shown = safe.frame.set_index("ward")
    assert shown["is_suppressed"].to_dict() == {"a": True, "b": True, "c": False, "All": False}
    assert shown["bill"].isna().equals(shown["is_suppressed"])
    assert shown["contributors"].tolist() == [pd.NA, pd.NA, 200, 235]
    assert shown.loc["c", "bill"] == 6000
    assert safe.for_approver["primary"] == safe.for_approver["secondary"] == 1
    assert not {"primary", "secondary"} & set(safe.record)


def test_two_lone_contributors_are_protected_from_each_other() -> None:
    bills = list_bills({("a", "x"): [500], ("b", "x"): [400], ("c", "x"): [9] * 50, ("d", "x"): [9] * 90})
    table = tabulate_magnitudes(bills.drop(columns="kind"), ["ward"], "bill", "payer", {"ward": "All"})
    safe = protect_magnitudes(table, make_rule(totals={"ward": "All"}), ["ward"]).frame.set_index("ward")
    assert safe["is_suppressed"].to_dict() == {"a": True, "b": True, "c": True, "d": False, "All": False}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.lists(st.one_of(st.integers(0, 30), st.integers(0, 10**6)), max_size=12), min_size=2, max_size=6
    ).filter(any)
)
def test_no_attack_on_a_table_of_sums_comes_closer_than_its_protection_level(cells: list[list[float]]) -> None:
    bills = list_bills({(str(number // 2), "ab"[number % 2]): some for number, some in enumerate(cells)})
    table = tabulate_magnitudes(bills, ["ward", "kind"], "bill", "payer", TOTALS)
    rule = make_rule(totals=TOTALS)
    safe = protect_magnitudes(table, rule, ["ward", "kind"])
    sums, many = table["bill"].to_numpy(dtype=float), table["contributors"].to_numpy(dtype=float)
    levels = measure_protection(sums, many, table[LARGEST].to_numpy(dtype=float), rule)
    assert safe.hidden["bill"][levels > 0].all()
    exact = table[["bill"]]
    relations = list_sums(table, ["ward", "kind"], ["bill"], TOTALS)
    for (_, (row, _)), number, low, high in attack(exact, safe.hidden, relations, {}, 0):
        slack = 1e-4 * max(1, levels[row])
        assert levels[row] == 0 or low <= max(0, number - levels[row]) + slack
        assert levels[row] == 0 or high >= number + levels[row] - slack


def test_a_sum_is_protected_from_below_as_well_as_from_above() -> None:
    cells = {(ward, kind): [5.0] * 100 for ward in "abc" for kind in "xyz"}
    cells["a", "x"], cells["b", "y"] = [900, 80, 5, 5, 5, 5], [1.0] * 10  # could fall by 10 alone
    table = tabulate_magnitudes(list_bills(cells), ["ward", "kind"], "bill", "payer", TOTALS)
    shown = protect_magnitudes(table, make_rule(totals=TOTALS), ["ward", "kind"]).frame.set_index(["ward", "kind"])
    suppressed = shown.index[shown["is_suppressed"]]
    assert ("a", "x") in suppressed
    assert ("b", "y") not in suppressed or len(suppressed) > 4


def test_limits_of_the_rules_themselves_are_safe() -> None:
    assert measure(100, 5, 10, 9) == 0  # as many as the threshold
    assert measure(100, 4, 10, 9) == pytest.approx(10)
    assert measure(100, 20, 45, 40) == 0  # 85 percent
    assert measure(110, 20, 100, 0, dominance_n=1, dominance_k_pct=100) == 0  # 10 remain, 10 percent of 100
    assert measure(109, 20, 100, 0, dominance_n=1, dominance_k_pct=100) == pytest.approx(1.09)  # at least a hundredth


def test_dominance_is_of_as_many_contributions_as_the_rule_says() -> None:
    alone, both = (measure(200, 20, 120, 30, dominance_n=many, dominance_k_pct=60, p_pct=1) for many in (1, 2))
    assert alone == 0
    assert both == pytest.approx(150 / 0.6 - 200)


def test_a_sum_of_zero_of_a_few_is_protected_as_the_smallest_sum() -> None:
    sums, many = np.array([0.0, 50, 80]), np.array([2.0, 20, 30])
    levels = measure_protection(sums, many, np.array([[0.0, 0], [5, 4], [6, 5]]), make_rule())
    assert levels == pytest.approx([5, 0, 0])


def test_what_was_done_is_counted_for_readers_and_for_the_approver() -> None:
    bills = list_bills(
        {("a", "x"): [500], ("b", "x"): [400], ("c", "x"): [9] * 50, ("d", "x"): [9] * 92, ("e", "x"): [9] * 40}
    )
    table = tabulate_magnitudes(bills.drop(columns="kind"), ["ward"], "bill", "payer", {"ward": "All"})
    safe = protect_magnitudes(table, make_rule(totals={"ward": "All"}), ["ward"])
    shown = safe.frame.set_index("ward")
    assert shown.index[shown["is_suppressed"]].tolist() == ["a", "b", "e"]
    assert (shown.loc["d", "contributors"], shown.loc["All", "contributors"]) == (90, 185)
    counted = {name: safe.record[name] for name in ("cells", "cells_suppressed", "rows_suppressed")}
    assert counted == {"cells": 6, "cells_suppressed": 3, "rows_suppressed": 3}
    assert list(safe.record["information_lost"].values()) == [2]
    assert safe.for_approver == {"primary": 2, "secondary": 1, "totals_suppressed": 0}


def test_a_total_that_is_suppressed_is_counted() -> None:
    bills = list_bills({("a", "x"): [500, 3], ("b", "x"): []}).drop(columns="kind")
    table = tabulate_magnitudes(bills, ["ward"], "bill", "payer", {"ward": "All"})
    safe = protect_magnitudes(table, make_rule(totals={"ward": "All"}), ["ward"])
    assert safe.frame["is_suppressed"].all()
    assert (safe.for_approver["primary"], safe.for_approver["totals_suppressed"]) == (2, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"bill": 0, "contributors": 0, "largest_1": 0, "largest_2": 0},
        {"contributors": 2, "largest_1": 60, "largest_2": 40},
        {"largest_1": 50, "largest_2": 50},
        {"bill": 100.3, "contributors": 3, "largest_1": 0.1 + 0.2, "largest_2": 0.1},
    ],
)
def test_contributions_that_are_just_those_of_a_sum_are_taken(changes: dict[str, Any]) -> None:
    row = {"ward": "a", "bill": 100, "contributors": 7, "largest_1": 60, "largest_2": 35} | changes
    table = pd.DataFrame([row]).astype({"contributors": "Int64"})
    safe = protect_magnitudes(table, make_rule(), ["ward"])
    assert safe.frame["is_suppressed"].item() == (row["bill"] > 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bill": -1}, "0 or more"),
        ({"contributors": pd.NA}, "no contributors"),
        ({"contributors": 0, "largest_1": 0, "largest_2": 0}, "without contributors"),
        ({"contributors": 1}, "more contributions than"),
        ({"largest_2": 70}, "not the largest first"),
        ({"bill": 90}, "contributions of more than"),
    ],
)
def test_contributions_that_cannot_be_those_of_a_sum_are_an_error(changes: dict[str, Any], message: str) -> None:
    row = {"ward": "a", "bill": 100, "contributors": 7, "largest_1": 60, "largest_2": 35} | changes
    table = pd.DataFrame([row]).astype({"contributors": "Int64"})
    with pytest.raises(CheckError, match=message):
        protect_magnitudes(table, make_rule(), ["ward"])


ROUNDED = {
    "unsafe": "round",
    "rest": ("rest", "rest_contributors"),
    "moves": ["moved", "move_1", "move_2", "moves"],
    "threshold": 10,
}
BILLS = st.floats(1, 1e6).map(lambda pounds: round(pounds, 2))


def make_rest(of_register: list[float], others: list[float]) -> pd.DataFrame:
    """Lay out one sum of bills that a register shows and of others."""
    first, second = [*sorted(others, reverse=True), 0.0, 0.0][:2]
    row = {
        "line": "relief",
        "bill": sum(of_register) + sum(others),
        "contributors": len(of_register) + len(others),
        "rest": sum(others),
        "rest_contributors": len(others),
        "largest_1": first,
        "largest_2": second,
    }
    return pd.DataFrame([row | dict.fromkeys(ROUNDED["moves"], 0.0)])


@given(st.lists(BILLS, max_size=5), st.lists(BILLS, min_size=1, max_size=12))
def test_whoever_takes_the_register_off_a_rounded_sum_is_left_with_an_interval_that_protects(
    of_register: list[float], others: list[float]
) -> None:
    rule = make_rule(**ROUNDED)
    frame = make_rest(of_register, others)
    safe = protect_magnitudes(frame, rule, ["line"])
    rest = safe.frame["bill"].iloc[0] - sum(of_register)
    half = safe.record["information_lost"]["most that rounding changes a sum by"]
    assert abs(rest - sum(others)) <= half + 0.01
    level = measure(sum(others), len(others), *frame.loc[0, LARGEST], threshold=10)
    assert 2 * half >= 4 * level
    assert half <= 0.5 or half <= 10 * level
    assert safe.frame["contributors"].isna().iloc[0] == (len(others) < 10)


@pytest.mark.parametrize(
    ("largest", "base"),
    [(0, 1), (0.25, 1), (0.26, 2), (0.5, 2), (0.6, 5), (1.25, 5), (1.26, 10), (2.5, 10), (2.6, 20), (13, 100)],
)
def test_sums_are_rounded_to_the_next_round_number_above_four_times_what_protects(largest: float, base: float) -> None:
    rule = make_rule(**ROUNDED)
    frame = make_rest([5_000.0], [10.0] * 20)
    safe = round_sums(frame, frame["contributors"], np.array([20.0]), np.array([0.0, largest]), rule)
    assert safe.record["information_lost"] == {
        "most that rounding changes a sum by": base / 2,
        "most that rounding changes a number of contributors by": 2,
    }
    assert safe.frame["bill"].tolist() == [5_200]
    assert safe.for_approver == {"unsafe": int(largest > 0)}
    assert not safe.hidden.to_numpy().any()


def test_sums_of_which_no_small_rest_is_left_are_rounded_to_pounds() -> None:
    safe = protect_magnitudes(make_rest([9_000_000.0], [100.4] * 40), make_rule(**ROUNDED), ["line"])
    assert safe.frame["bill"].tolist() == [9_004_016]
    assert safe.frame["contributors"].tolist() == [40]


def test_the_change_of_a_sum_tells_if_few_make_it_or_two_dominate_it() -> None:
    rule = make_rule(**ROUNDED)
    moves = [[0, 0, 0, 0], [1, 500, 0, 500], [9, 10, 10, 90], [10, 10, 10, 100], [12, 900, 10, 1_010]]
    assert find_unsafe_moves(pd.DataFrame(moves, columns=rule.moves), rule).tolist() == [False, True, True, False, True]
