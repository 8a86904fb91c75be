"""Errors in bills: what the rules find, what the model adds, and what checking in their order recovers on a twin."""

import numpy as np
import pandas as pd
import pytest

from councilbook.business_rates.bills.anomalies import (
    WORDS,
    learn_yield,
    list_orders,
    measure_features,
    measure_recovery,
    rank_checks,
    say_why,
    score_bills,
)
from councilbook.business_rates.bills.charges import compute_bills
from councilbook.business_rates.bills.errors_in_bills import COLUMNS, REASONS, find_errors
from councilbook.business_rates.bills.rules import load_rules
from councilbook.business_rates.twin.bills_twin import PLANTED, draw_bills, plant_errors
from councilbook.errors import CheckError

SCOTLAND, ENGLAND = load_rules("scotland"), load_rules("england")


def make_bills(**columns: list) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    frame = pd.DataFrame({"property_reference": [str(row) for row in range(rows)], "year": "2024-25", **columns})
    if "billed_gbp" not in frame:
        frame["billed_gbp"] = compute_bills(frame, SCOTLAND)["net_gbp"]
    return frame


def find_kind(frame: pd.DataFrame, row: int = 0) -> str:
    found = find_errors(frame, SCOTLAND)
    return str(found.loc[row, "kind"])


# --- rules ---


def test_right_bills_give_no_finding() -> None:
    frame = make_bills(rateable_value_gbp=[60_000, 14_000], claims_small_business=[False, True])
    found = find_errors(frame, SCOTLAND)
    assert found.empty
    assert found.columns.tolist() == COLUMNS


@pytest.mark.parametrize(
    ("more", "billed", "kind", "direction"),
    [
        # 40,000 × 49.8p = 19,920.00
        ({}, 91_920.00, "swapped_digits", "too high"),
        ({}, 19_290.00, "swapped_digits", "too low"),
        ({"liable_from_date": "2024-10-01"}, 19_920.00, "whole_year", "too high"),  # 182 of 365 days are due
        ({"is_retail": False}, 19_920.00 * 49.0 / 49.8, "other_rate", "too low"),
        ({}, 9_932.71, "part_year", "too low"),  # 182 of 365 days
        ({"claims_small_business": True}, 14_940.00, "relief_above_limit", "too low"),
        ({}, 17_777.77, "difference", "too low"),
        ({"other_relief_gbp": 20_000.0}, 19_920.00, "difference", "too high"),
    ],
)
def test_mistakes_are_named(more: dict, billed: float, kind: str, direction: str) -> None:
    frame = make_bills(rateable_value_gbp=[40_000], billed_gbp=[round(billed, 2)], **{k: [v] for k, v in more.items()})
    found = find_errors(frame, SCOTLAND)
    assert found[["kind", "direction"]].to_numpy().tolist() == [[kind, direction]]
    assert found["reason"].iloc[0] == REASONS[kind]
    due = compute_bills(frame, SCOTLAND)["net_gbp"].iloc[0]
    assert found["stake_gbp"].iloc[0] == pytest.approx(abs(billed - due), abs=0.006)
    assert found["right_gbp"].iloc[0] == due


def test_the_year_before_is_told_from_this_one() -> None:
    # 60,000: 54.5p in 2024-25, 51.1p in 2023-24
    assert find_kind(make_bills(rateable_value_gbp=[60_000], billed_gbp=[30_660.00])) == "other_year"


def test_empty_relief_left_on() -> None:
    # 40,000 × 49.0p, less the tenth of what has been empty for long
    frame = make_bills(year=["2021-22"], rateable_value_gbp=[40_000], is_occupied=[True], billed_gbp=[17_640.00])
    assert find_kind(frame) == "empty_relief_left_on"


def test_more_relief_than_the_value_gives() -> None:
    # 14,000: relief of 50 %; billed as if it were all
    frame = make_bills(rateable_value_gbp=[14_000], claims_small_business=[True], billed_gbp=[0.0])
    found = find_errors(frame, SCOTLAND)
    assert found[["kind", "stake_gbp"]].to_numpy().tolist() == [["too_much_relief", 3_486.00]]


def test_missed_relief_is_what_a_claim_would_bring() -> None:
    frame = make_bills(rateable_value_gbp=[10_000, 10_000, 10_000], is_charity=[False, True, False])
    frame["is_occupied"] = [True, True, False]
    assert find_errors(frame, SCOTLAND).empty  # nothing tells who has the relief
    frame["claims_small_business"] = False
    found = find_errors(frame, SCOTLAND)
    assert found.index.tolist() == [0]
    assert found[["kind", "direction", "stake_gbp", "right_gbp"]].iloc[0].tolist() == [
        "missed_relief",
        "too high",
        4_980,
        0,
    ]


def test_a_word_that_most_of_those_not_entitled_carry_is_not_the_relief() -> None:
    """As Calderdale's SBR, which stands on 57 % of the properties that can have no relief; elsewhere it is 1 to 3 %."""
    frame = make_bills(rateable_value_gbp=[60_000] * 200, claims_small_business=[True] * 200).drop(columns="billed_gbp")
    assert "relief_above_limit" not in find_errors(frame, SCOTLAND)["kind"].tolist()
    few = frame.assign(claims_small_business=[True] * 5 + [False] * 195)
    assert find_errors(few, SCOTLAND)["kind"].tolist().count("relief_above_limit") == 5


def test_duplicates_and_credits() -> None:
    frame = make_bills(rateable_value_gbp=[60_000, 60_000, 70_000])
    frame["property_reference"] = ["a", "a", "b"]
    frame["account_credit_gbp"], frame["is_closed"] = [0.0, 50.0, 80.0], [True, False, True]
    found = find_errors(frame, SCOTLAND)
    assert found[["kind", "stake_gbp"]].to_numpy().tolist() == [["duplicate", 32_700.0], ["credit_not_paid", 80.0]]
    frame["liable_from_date"] = ["2024-04-01", "2024-09-01", None]  # one after the other is no duplicate
    assert "duplicate" not in set(find_errors(frame, SCOTLAND)["kind"])


def test_without_billed_sums_the_entries_are_looked_at() -> None:
    frame = make_bills(rateable_value_gbp=[16_000, 12_000], claims_small_business=[True, True]).drop(
        columns="billed_gbp"
    )
    frame["year"] = "2019-20"
    found = find_errors(frame, ENGLAND)
    assert found[["kind", "stake_gbp"]].to_numpy().tolist() == [["relief_above_limit", 7_856.00]]


def test_bills_without_a_reference_or_a_unique_index_are_refused() -> None:
    frame = make_bills(rateable_value_gbp=[16_000, 12_000])
    with pytest.raises(CheckError, match="property_reference"):
        find_errors(frame.drop(columns="property_reference"), SCOTLAND)
    with pytest.raises(CheckError, match="index"):
        find_errors(frame.set_axis([1, 1]), SCOTLAND)


# --- the twin ---


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    return draw_bills(np.random.default_rng(5), 4_000, SCOTLAND, "2024-25")


@pytest.fixture(scope="module")
def planted(drawn: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return plant_errors(drawn, np.random.default_rng(6), SCOTLAND, share=0.03)


def test_the_twin_holds_right_bills_that_look_wrong(drawn: pd.DataFrame) -> None:
    off = (drawn["billed_gbp"] - compute_bills(drawn, SCOTLAND)["net_gbp"]).abs() > 0.01
    assert off.sum() > 50
    assert drawn.loc[off, "hidden"].isin(["decided", "hardship", "transition"]).all()
    missed = find_errors(drawn, SCOTLAND).query("kind == 'missed_relief'").index
    assert len(missed) > 50
    assert (drawn.loc[missed, "hidden"] == "properties elsewhere").all()


def test_planted_errors_are_as_the_truth_says(drawn: pd.DataFrame, planted: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    ledger, truth = planted
    assert set(truth["error"].dropna()) == {*PLANTED, "duplicate"}
    assert ledger.index.equals(truth.index)
    assert (truth["error"].isna() == (truth["error_gbp"] == 0)).all()
    before = ledger.iloc[: len(drawn)]
    same = truth["error"].iloc[: len(drawn)].isna()
    pd.testing.assert_frame_equal(before[same], drawn[same])
    changes = before["billed_gbp"] - drawn["billed_gbp"]
    plain = (
        truth["error"]
        .iloc[: len(drawn)]
        .isin(["wrong_rate", "mistyped_sum", "whole_year", "part_year", "missed_relief"])
    )
    assert np.allclose(changes[plain], truth["error_gbp"].iloc[: len(drawn)][plain], atol=0.006)
    assert drawn["hidden"].loc[truth.index[: len(drawn)][~same]].isna().all()


def test_the_twin_repeats_itself(drawn: pd.DataFrame, planted: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(draw_bills(np.random.default_rng(5), 4_000, SCOTLAND, "2024-25"), drawn)
    again = plant_errors(drawn, np.random.default_rng(6), SCOTLAND, share=0.03)
    pd.testing.assert_frame_equal(again[1], planted[1])


@pytest.mark.parametrize("year", ["2017-18", "2021-22", "2025-26"])
def test_twins_can_be_drawn_of_other_years_and_nations(year: str) -> None:
    for rules in (SCOTLAND, ENGLAND):
        random = np.random.default_rng(2)
        ledger, truth = plant_errors(draw_bills(random, 800, rules, year), random, rules)
        assert len(find_errors(ledger, rules)) > 0
        assert truth["error"].notna().sum() > 8


def test_what_cannot_be_planted_is_refused(drawn: pd.DataFrame) -> None:
    with pytest.raises(CheckError, match="share"):
        plant_errors(drawn, np.random.default_rng(1), SCOTLAND, share=2)
    with pytest.raises(CheckError, match="1999-00"):
        draw_bills(np.random.default_rng(1), 10, SCOTLAND, "1999-00")


def test_rules_name_what_was_planted(planted: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    ledger, truth = planted
    kinds = find_errors(ledger, SCOTLAND).groupby(level=0)["kind"].agg(set)
    for error, kind in {
        "duplicate": "duplicate",
        "credit_not_paid": "credit_not_paid",
        "mistyped_sum": "swapped_digits",
        "whole_year": "whole_year",
        "missed_relief": "missed_relief",
    }.items():
        found = [kind in kinds.get(row, set()) for row in truth.index[truth["error"] == error]]
        assert np.mean(found) >= 0.9, error
    unseen = truth.index[truth["error"] == "mistyped_value"]
    assert np.mean([row in kinds.index for row in unseen]) < 0.5  # the bill follows from the wrong value


# --- the model, and the ranking ---


@pytest.fixture(scope="module")
def ranked(planted: tuple[pd.DataFrame, pd.DataFrame]) -> dict:
    random = np.random.default_rng(7)
    past, known = plant_errors(draw_bills(random, 8_000, SCOTLAND, "2024-25"), random, SCOTLAND)
    seen = measure_features(past, SCOTLAND)
    learnt = learn_yield(find_errors(past, SCOTLAND), seen, score_bills(seen), known)
    features = measure_features(planted[0], SCOTLAND)
    return {
        "findings": find_errors(planted[0], SCOTLAND),
        "features": features,
        "scores": score_bills(features),
        "learnt": learnt,
    }


def test_chances_rise_with_the_score_and_sure_kinds_are_sure(ranked: dict) -> None:
    learnt = ranked["learnt"]
    assert (np.diff(learnt.unnamed) >= 0).all() and (np.diff(learnt.scored) >= 0).all()
    assert learnt.by_kind["duplicate"] > 0.8 > learnt.by_kind["difference"]
    assert learnt.by_kind["missed_relief"] < 0.2  # most who do not claim have a reason that the ledger does not show


def test_scores_are_shares_and_repeat(ranked: dict) -> None:
    features = ranked["features"].head(1_500)
    scores = score_bills(features)
    assert scores.between(0, 1).all() and scores.index.equals(features.index)
    pd.testing.assert_series_equal(scores, score_bills(features))


def test_a_value_typed_far_too_large_stands_out(drawn: pd.DataFrame) -> None:
    bills = drawn.copy()
    shops = bills.index[(bills["description"] == "RESTAURANT AND PREMISES") & bills["is_occupied"]][:5]
    bills.loc[shops, "rateable_value_gbp"] *= 30
    bills["ratepayer_total_rv_gbp"] = bills["ratepayer_total_rv_gbp"].clip(lower=bills["rateable_value_gbp"])
    bills["billed_gbp"] = compute_bills(bills, SCOTLAND)["net_gbp"]
    features = measure_features(bills, SCOTLAND)
    before, after = score_bills(measure_features(drawn, SCOTLAND))[shops], score_bills(features)[shops]
    assert (after > before).all() and after.mean() > 0.9
    assert say_why(features, shops).str.contains("value far above those of like properties").all()


def test_every_bill_is_ranked_once_and_the_best_first(ranked: dict, planted: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    order = rank_checks(**ranked)
    assert sorted(order.index) == sorted(planted[0].index)
    assert order["expected_gbp"].is_monotonic_decreasing
    assert set(order["by"]) == {"rule", "model"}
    assert (order.loc[order["by"] == "rule", "reason"].str.len() > 10).all()
    assert not set(order.columns) & {"ratepayer_name", "property_reference"}


def test_on_the_twin_checks_in_order_recover_far_more_than_at_random(
    ranked: dict, planted: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    table = measure_recovery(list_orders(**ranked), planted[1], np.random.default_rng(1), draws=100).set_index("order")
    assert table.index.tolist() == ["rules", "model", "both", "random"]
    assert table.loc["both", "recovered_low_gbp"] > 3 * table.loc["random", "recovered_gbp"]
    assert table.loc["rules", "errors"] > table.loc["model", "errors"] > table.loc["random", "errors"]
    assert table.loc["both", "errors"] < 100  # right bills that look wrong are among those checked
    assert (table["recovered_low_gbp"] <= table["recovered_high_gbp"]).all()
    assert table.loc["random", "recovered_gbp"] == pytest.approx(100 * planted[1]["error_gbp"].abs().mean(), abs=0.01)


def test_recovery_by_hand() -> None:
    truth = pd.DataFrame({"error": ["a", None, "b", None], "error_gbp": [10.0, 0.0, -30.0, 0.0]}, index=list("wxyz"))
    orders = {"worst": pd.Index(list("xz")), "best": pd.Index(list("yw"))}
    table = measure_recovery(orders, truth, np.random.default_rng(1), checks=2, draws=50).set_index("order")
    assert table["recovered_gbp"].tolist() == [0, 40, 20]
    assert table["errors"].tolist() == [0, 2, 1]
    three = measure_recovery({"short": pd.Index(["y"])}, truth, np.random.default_rng(1), checks=3, draws=5)
    assert three["recovered_gbp"].iloc[0] == pytest.approx(30 + 2 * 10 / 3, abs=0.01)  # two more at random of three
    for wrong in (["w", "w"], ["q"]):
        with pytest.raises(CheckError, match="order"):
            measure_recovery({"wrong": pd.Index(wrong)}, truth, np.random.default_rng(1))


def test_features_are_whole_and_refuse_what_is_not() -> None:
    frame = make_bills(rateable_value_gbp=[5_000.0] * 12)
    features = measure_features(frame, SCOTLAND)
    assert features[[*WORDS]].notna().all().all()
    with pytest.raises(CheckError, match="too few"):
        score_bills(features.head(9))
    with pytest.raises(CheckError, match="billed_gbp"):
        measure_features(frame.drop(columns="billed_gbp"), SCOTLAND)
