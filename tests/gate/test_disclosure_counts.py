"""Disclosure control of counts: what a reader of the published table can and cannot work out."""

from collections.abc import Mapping
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attack import attack, list_sums
from councilbook.catalogue import CountRule
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.disclosure.tables import secondary
from councilbook.gate.disclosure.tables.cells import Flags, Protected
from councilbook.gate.disclosure.tables.counts import (
    protect_counts,
    read_intervals,
    read_table,
    round_counts,
    withhold_more,
)
from councilbook.gate.disclosure.tables.linked import find_exposed_by_versions

FIELDS = ("area", "sex", "age")
COUNT = st.one_of(st.just(0), st.integers(1, 9), st.integers(8, 14), st.integers(10, 80), st.integers(0, 10**6))
slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make_rule(**changes: Any) -> CountRule:
    rule = {
        "rule": "counts",
        "approver": "Information governance lead",
        "counts": ["people"],
        "threshold": 10,
        "round_to": 5,
        "zeros": "show",
        "full": "suppress",
        "published_totals": "rounded",
        "solver_seconds": 20,
    }
    return CountRule.model_validate(rule | changes)


def add_margins(frame: pd.DataFrame, fields: list[str], counts: list[str]) -> pd.DataFrame:
    """Add a row for the total over each field, and over each combination of fields."""
    tables = []
    for over in product((False, True), repeat=len(fields)):
        all_of = {field: "All" for field, chosen in zip(fields, over, strict=True) if chosen}
        tables.append(frame.assign(**all_of).groupby(fields, as_index=False, sort=False)[counts].sum())
    return pd.concat(tables, ignore_index=True)


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, list[str]]:
    """Draw a table of one to three ways with all its margins."""
    shape = draw(st.sampled_from([(1,), (2,), (5,), (2, 2), (3, 2), (4, 3), (1, 4), (2, 2, 2), (3, 2, 2)]))
    fields = list(FIELDS[: len(shape)])
    rows = list(product(*(map(str, range(size)) for size in shape)))
    people = draw(st.lists(COUNT, min_size=len(rows), max_size=len(rows)))
    return add_margins(pd.DataFrame(rows, columns=fields).assign(people=people), fields, ["people"]), fields


def check_by_attack(frame: pd.DataFrame, safe: Protected, rule: CountRule, key: list[str]) -> None:
    """Attack a table: no unsafe count can be told from any other from 1 to the threshold.

    Where zeros are shown, a reader knows that a sum is no less than its suppressed parts are many.
    """
    exact = frame[rule.counts].astype("Int64")
    sums = list_sums(frame, key, rule.counts, rule.totals)
    sums += [
        {(row, whole): -1} | {(row, part): 1 for part in parts}
        for whole, parts in rule.adds_up.items()
        for row in range(len(frame))
    ]
    floor = int(rule.zeros == "show")
    all_hidden = exact.notna() & ((exact != 0) | (rule.zeros == "suppress"))
    least = {cell: low for cell, _, low, _ in attack(exact, all_hidden, sums, rule.parts, floor)}
    for cell, number, low, high in attack(exact, safe.hidden, sums, rule.parts, floor):
        unsafe = 0 < number < rule.threshold
        what, (row, count) = cell
        if what == "remainder":
            unsafe |= number == 0 and rule.full == "suppress" and exact[rule.parts[count]].iloc[row] > 0
        elif number == 0:
            unsafe = rule.zeros == "suppress"
        if unsafe:
            assert low <= max(min(number, 1), least[cell]) + 1e-6, (cell, number, low, high)
            assert high >= rule.threshold - 1e-6, (cell, number, low, high)


def check_what_is_shown(frame: pd.DataFrame, safe: Protected, rule: CountRule) -> None:
    """Look at each published count by itself."""
    for count in rule.counts:
        shown, exact = safe.frame[count], frame[count]
        assert not shown.between(1, rule.threshold - 1).any()
        assert (shown.dropna() % rule.round_to == 0).all()
        assert shown[safe.hidden[count]].isna().all()
        assert (exact[shown == 0] == 0).all()
        blanked = shown.isna() & exact.notna()
        assert safe.frame["is_suppressed"][blanked].all()
        assert not (safe.hidden[count] & ((exact == 0) & (rule.zeros == "show"))).any()


@pytest.mark.parametrize("published_totals", ["rounded", "what is left"])
@slowly
@given(tables(), st.sampled_from(["show", "suppress"]))
def test_no_attack_on_a_table_with_margins_gives_a_small_count_back(
    published_totals: str, table: tuple[pd.DataFrame, list[str]], zeros: str
) -> None:
    frame, fields = table
    rule = make_rule(totals=dict.fromkeys(fields, "All"), published_totals=published_totals, zeros=zeros)
    before = frame.copy(deep=True)

    safe = protect_counts(frame, rule, fields)

    pd.testing.assert_frame_equal(frame, before)
    check_what_is_shown(frame, safe, rule)
    check_by_attack(frame, safe, rule, fields)


@slowly
@given(tables())
def test_no_attack_works_where_the_fewest_suppressions_cannot_be_looked_for(
    table: tuple[pd.DataFrame, list[str]],
) -> None:
    frame, fields = table
    rule = make_rule(totals=dict.fromkeys(fields, "All"))
    with patch.object(secondary, "find_spec", return_value=None):
        safe = protect_counts(frame, rule, fields)
    assert safe.record["method"] in ("none needed", "greedy")
    check_by_attack(frame, safe, rule, fields)


@slowly
@given(
    st.lists(st.tuples(COUNT, COUNT, COUNT, st.booleans()), min_size=1, max_size=5),
    st.sampled_from(["show", "suppress"]),
    st.sampled_from(["show", "suppress"]),
)
def test_no_attack_works_on_parts_wholes_and_missing_counts(
    rows: list[tuple[int, int, int, bool]], zeros: str, full: str
) -> None:
    frame = pd.DataFrame([(young, old, ill) for young, old, ill, _ in rows], columns=["young", "old", "ill"])
    frame["people"] = frame["young"] + frame["old"]
    frame["ill"] = frame[["ill", "people"]].min(axis="columns")
    frame["area"] = [str(number) for number in range(len(rows))]
    counts = ["people", "young", "old", "ill"]
    frame = add_margins(frame, ["area"], counts).astype(dict.fromkeys(counts, "Int64"))
    for number, (*_, is_missing) in enumerate(rows):
        if is_missing:
            frame.loc[number, ["ill"]] = pd.NA
    rule = make_rule(
        counts=counts,
        adds_up={"people": ["young", "old"]},
        part_of={"ill": "people"},
        shares={"ill_pct": ("ill", "people")},
        totals={"area": "All"},
        zeros=zeros,
        full=full,
    )
    safe = protect_counts(frame, rule, ["area"])
    check_what_is_shown(frame, safe, rule)
    check_by_attack(frame, safe, rule, ["area"])
    both = safe.frame[["ill", "people"]].notna().all(axis="columns") & (safe.frame["people"] != 0)
    assert (safe.frame["ill_pct"].notna() == both).all()


def protect(rows: Mapping[str, list[Any]], **changes: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"area": [f"E{number}" for number in range(len(next(iter(rows.values()))))]} | dict(rows))
    return protect_counts(frame, make_rule(counts=list(rows), **changes), ["area"]).frame


def test_small_counts_are_suppressed_alone_where_nothing_adds_up() -> None:
    safe = protect({"old": [0, 9, 10, 12, 13], "young": [0, 40, 0, 47, 48]})
    assert safe["old"].tolist() == [0, pd.NA, 10, 10, 15]
    assert safe["young"].tolist() == [0, 40, 0, 45, 50]
    assert safe["is_suppressed"].tolist() == [False, True, False, False, False]


def test_zeros_are_suppressed_if_the_rule_says_so() -> None:
    assert protect({"old": [0, 12]}, zeros="suppress")["old"].tolist() == [pd.NA, 10]


@pytest.mark.parametrize(("full", "shown"), [("suppress", [pd.NA, 20]), ("show", [40, 20])])
def test_a_part_that_is_the_whole_tells_of_everybody_in_it(full: str, shown: list[Any]) -> None:
    safe = protect({"ill": [40, 20], "people": [40, 60]}, part_of={"ill": "people"}, full=full)
    assert safe["ill"].tolist() == shown
    assert safe["people"].tolist() == [40, 60]


def test_a_small_remainder_of_a_whole_is_suppressed_with_its_part() -> None:
    safe = protect({"ill": [57, 3], "people": [60, 60]}, shares={"ill_pct": ("ill", "people")})
    assert safe["ill"].tolist() == [pd.NA, pd.NA]
    assert safe["ill_pct"].isna().all()


def test_shares_are_those_of_the_rounded_counts() -> None:
    safe = protect({"ill": [12, 23, 0, 0], "people": [31, 47, 60, 0]}, shares={"ill_pct": ("ill", "people")})
    assert safe["ill_pct"].tolist() == [33.3, 55.6, 0.0, pd.NA]


def test_one_suppressed_count_beside_its_total_takes_another_with_it() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [4, 30, 70, 104]})
    safe = protect_counts(frame, make_rule(totals={"area": "All"}), ["area"])
    assert safe.frame["people"].tolist() == [pd.NA, pd.NA, 70, 105]
    assert safe.for_approver["primary"] == safe.for_approver["secondary"] == 1


def test_totals_of_what_is_left_are_the_sums_of_the_published_counts() -> None:
    base = pd.DataFrame(
        {
            "area": ["a", "a", "b", "b", "c", "c"],
            "sex": ["f", "m"] * 3,
            "people": [4, 30, 52, 61, 13, 88],
        }
    )
    frame = add_margins(base, ["area", "sex"], ["people"])
    rule = make_rule(totals={"area": "All", "sex": "All"}, published_totals="what is left")
    safe = protect_counts(frame, rule, ["area", "sex"]).frame.set_index(["area", "sex"])["people"]
    shown = pd.DataFrame({sex: safe.xs(sex, level="sex") for sex in ("f", "m", "All")})
    parts = shown.drop(index="All", columns="All")
    assert shown.loc["a", "All"] is pd.NA  # nothing of it is left
    assert (shown["All"].drop(["All", "a"]) == parts.drop(index="a").sum(axis="columns")).all()
    assert shown.loc["All", "All"] == parts.sum().sum()


def test_a_total_of_which_only_zeros_are_left_is_missing() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [4, 70, 0, 74]})
    rule = make_rule(totals={"area": "All"}, published_totals="what is left")
    assert protect_counts(frame, rule, ["area"]).frame["people"].tolist() == [pd.NA, pd.NA, 0, pd.NA]


def test_a_single_count_in_a_margin_takes_its_total_with_it() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "All"], "people": [4, 0, 4]})
    safe = protect_counts(frame, make_rule(totals={"area": "All"}), ["area"]).frame
    assert safe["people"].tolist() == [pd.NA, 0, pd.NA]


def test_a_missing_count_that_its_total_shows_to_be_small_is_protected() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [pd.NA, 60, 70, 133]}).astype({"people": "Int64"})
    safe = protect_counts(frame, make_rule(totals={"area": "All"}), ["area"]).frame
    assert safe["people"].tolist() == [pd.NA, pd.NA, 70, 135]
    assert safe["is_suppressed"].tolist() == [False, True, False, False]


@pytest.mark.parametrize(("total", "is_protected"), [(131, True), (139, True), (140, False), (130, False)])
def test_a_missing_count_is_unsafe_from_one_to_the_threshold(total: int, is_protected: bool) -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [pd.NA, 60, 70, total]}).astype({"people": "Int64"})
    safe = protect_counts(frame, make_rule(totals={"area": "All"}), ["area"])
    assert safe.hidden["people"].any() == is_protected


@pytest.mark.parametrize("more", [1, 12])
def test_a_part_that_is_more_than_its_whole_is_an_error(more: int) -> None:
    with pytest.raises(CheckError, match="Column ill is declared as a part of people, but is more in 1 rows"):
        protect({"ill": [40 + more, 20], "people": [40, 60]}, part_of={"ill": "people"})


def test_what_is_small_by_itself_and_what_goes_with_it_are_counted_for_the_approver() -> None:
    """The remainder of 4 is unsafe and no published count; the part that gives it back is suppressed for it."""
    frame = pd.DataFrame({"area": ["a", "b"], "ill": [56, 3], "people": [60, 80]})
    rule = make_rule(counts=["ill", "people"], part_of={"ill": "people"})
    safe = protect_counts(frame, rule, ["area"]).for_approver
    assert (safe["primary"], safe["secondary"]) == (1, 1)


def test_a_table_without_rows_passes() -> None:
    frame = pd.DataFrame({"area": [], "people": []}).astype({"area": "str", "people": "Int64"})
    safe = protect_counts(frame, make_rule(totals={"area": "All"}, part_of={}), ["area"])
    assert safe.frame["is_suppressed"].tolist() == []
    assert safe.record["cells"] == safe.record["cells_suppressed"] == 0


def test_what_an_earlier_version_shows_is_not_suppressed_in_vain() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [4, 30, 70, 104]})
    rule = make_rule(totals={"area": "All"})
    earlier = pd.DataFrame({"area": ["b", "c"], "people": [30, 10], "is_suppressed": [False, False]})
    safe = protect_counts(frame, rule, ["area"], [earlier])
    assert safe.frame["people"].tolist() == [pd.NA, 30, pd.NA, 105]


def test_where_all_that_could_protect_a_count_is_known_the_release_is_refused() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "All"], "people": [4, 30, 34]})
    earlier = pd.DataFrame({"area": ["b", "All"], "people": [30, 35], "is_suppressed": [False, False]})
    with pytest.raises(ReleaseRefusedError, match="published before"):
        protect_counts(frame, make_rule(totals={"area": "All"}), ["area"], [earlier])


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ([4.5, 30, 34.5], "whole numbers"),
        ([-1, 30, 29], "0 or more"),
        ([4, 30, 35], "1 of area"),
    ],
)
def test_counts_that_cannot_be_are_told_without_a_value(people: list[float], message: str) -> None:
    frame = pd.DataFrame({"area": ["a", "b", "All"], "people": people})
    with pytest.raises(CheckError, match=message) as error:
        protect_counts(frame, make_rule(totals={"area": "All"}), ["area"])
    assert not any(str(number) in str(error.value) for number in (30, 34, 35))


def test_the_public_record_does_not_tell_primary_from_secondary() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [4, 30, 70, 104]})
    record = protect_counts(frame, make_rule(totals={"area": "All"}), ["area"]).record
    assert record["cells"] == 4
    assert record["cells_suppressed"] == record["rows_suppressed"] == 2
    assert record["protection_interval"] == [1, 10]
    assert not {"primary", "secondary"} & set(record)
    assert record["information_lost"]["counted in the totals but suppressed, % of people"] == 33.3  # (105 - 70) / 105


def test_all_that_is_recorded_is_counted_over_what_it_says() -> None:
    cells = pd.DataFrame({"area": list("abcd"), "people": [4, 30, 72, 28], "ill": [2, 13, 0, 28]})
    frame = add_margins(cells, ["area"], ["people", "ill"])
    rule = make_rule(counts=["people", "ill"], totals={"area": "All"}, part_of={"ill": "people"}, full="show")
    safe = protect_counts(frame, rule, ["area"])
    assert safe.frame["people"].fillna(-1).tolist() == [-1, -1, 70, 30, 135]
    assert safe.frame["ill"].fillna(-1).tolist() == [-1, -1, 0, 30, 45]
    assert {name: value for name, value in safe.record.items() if name != "note"} == {
        "cells": 10,
        "cells_suppressed": 4,
        "rows_suppressed": 2,
        "method": "optimal",
        "protection_interval": [1, 10],
        "information_lost": {
            "most that rounding changes a count by": 2,
            "counted in the totals but suppressed, % of people": 25.9,
            "counted in the totals but suppressed, % of ill": 33.3,
        },
    }
    assert safe.for_approver == {
        "primary": 2,
        "secondary": 2,
        "totals_suppressed": 2,  # a whole is the total of its part and of what is left over
        "largest_rounding_error": 2,
        "hidden_pct": {"people": 25.4, "ill": 30.2},
    }


def test_halves_round_to_the_even_multiple() -> None:
    assert round_counts(pd.Series([5, 15, 25, 35]), 10).tolist() == [0, 20, 20, 40]


def test_a_large_table_without_totals_needs_no_solver() -> None:
    people = np.random.default_rng(0).integers(0, 50, 50_000)
    frame = pd.DataFrame({"area": np.arange(50_000), "people": people})
    safe = protect_counts(frame, make_rule(), ["area"])
    assert safe.record["method"] == "none needed"
    assert (safe.hidden["people"] == ((people > 0) & (people < 10))).all()


def test_totals_of_what_is_left_add_up_along_both_margins_where_a_total_is_suppressed() -> None:
    cells = {"old": [45, 25, 0], "young": [135, 5, 3], "middle": [80, 4, 4]}
    frame = pd.DataFrame([(ward, age, n) for age, row in cells.items() for ward, n in zip("ABC", row, strict=True)])
    frame.columns = ["ward", "age", "people"]
    rule = make_rule(totals={"ward": "All", "age": "All"}, published_totals="what is left")
    shown = protect_counts(add_margins(frame, ["ward", "age"], ["people"]), rule, ["ward", "age"]).frame
    people = shown.set_index(["ward", "age"])["people"]
    assert pd.isna(people["B", "All"])
    assert people["B"].notna().any()
    inside = people.drop("All", level="ward").drop("All", level="age")
    assert people["All", "All"] == inside.sum()
    assert people["All"].drop("All").sum() == inside.sum()


# --- totals of what is left: what they are taken over ---


KEY = ["area", "band"]
LEFT = make_rule(
    counts=["people", "ill"],
    shares={"ill_pct": ("ill", "people")},
    totals={"area": "All", "band": "All"},
    published_totals="what is left",
)


@st.composite
def shared_tables(draw: st.DrawFn) -> pd.DataFrame:
    """Draw people and the ill among them by area and band, with both margins."""
    areas, bands = draw(st.sampled_from([(2, 1), (3, 2), (4, 3), (2, 5)]))
    rows = []
    for area, band in product("abcd"[:areas], "12345"[:bands]):
        people = draw(st.one_of(st.integers(0, 14), st.integers(10, 90), st.integers(100, 900)))
        rows.append((area, band, people, draw(st.integers(0, people))))
    return add_margins(pd.DataFrame(rows, columns=["area", "band", *LEFT.counts]), KEY, LEFT.counts)


def list_below(frame: pd.DataFrame) -> list[tuple[int, Flags]]:
    """Return each row that is a total, and which rows inside the table it is the total of."""
    fields = frame[KEY]
    inside = fields.ne("All").all(axis="columns")
    return [
        (row, (inside & (fields.eq(names) | names.eq("All")).all(axis="columns")).to_numpy())
        for row, names in fields[~inside].iterrows()
    ]


@slowly
@given(shared_tables())
def test_a_total_says_what_is_missing_below_it_and_its_share_is_as_far_off_as_that_explains(
    frame: pd.DataFrame,
) -> None:
    with patch.object(secondary, "find_spec", return_value=None):  # the quick way hides more
        safe = protect_counts(frame, LEFT, KEY).frame
    assert not safe.loc[safe[KEY].ne("All").all(axis="columns"), "is_partial"].any()
    for row, below in list_below(frame):
        lost = safe.loc[below, LEFT.counts].isna().any() & safe.loc[row, LEFT.counts].notna()
        assert safe.loc[row, "is_partial"] == lost.any()
        both = below & safe[LEFT.counts].notna().all(axis="columns")
        seen, share = safe.loc[both, LEFT.counts].sum(), safe.loc[row, "ill_pct"]
        is_same = safe.loc[row, LEFT.counts].astype("Int64").eq(seen).fillna(False).all()
        assert pd.notna(share) == (is_same and seen["people"] > 0)
        if pd.notna(share):
            assert share == pytest.approx(100 * seen["ill"] / seen["people"], abs=0.051)
            people, ill = frame.loc[row, LEFT.counts]
            unseen = frame.loc[below & ~both, "people"].sum() / people  # of them, none to all are ill
            rounded = 2 * 2 * both.sum() / seen["people"]  # each count by two at most
            assert abs(share - 100 * ill / people) <= 100 * (unseen + rounded) + 0.051


def test_a_total_of_other_rows_than_its_whole_has_no_share() -> None:
    people = {"a": [240, 160, 75], "b": [310, 90, 120], "c": [130, 85, 66]}
    ill = {"a": [4, 36, 41], "b": [7, 21, 64], "c": [18, 30, 52]}
    rows = [(area, str(n + 1), people[area][n], ill[area][n]) for area, n in product("abc", range(3))]
    cells = pd.DataFrame(rows, columns=["area", "band", *LEFT.counts])
    frame = add_margins(cells, KEY, LEFT.counts)
    safe = protect_counts(frame, LEFT, KEY).frame.set_index(KEY)
    totals = safe.loc[
        [("a", "All"), ("c", "All"), ("All", "3"), ("All", "All")], [*LEFT.counts, "ill_pct", "is_partial"]
    ]
    assert totals.to_numpy().tolist() == [
        [475, 40, pd.NA, True],  # bands 1 and 2 are in the people and not in the ill
        [280, 100, 35.7, False],
        [260, 155, 59.6, False],
        [1275, 205, pd.NA, True],  # 16.1, where it is 21.4
    ]


def test_a_version_without_the_mark_of_totals_is_read_as_before() -> None:
    cells = pd.DataFrame({"area": list("abc"), "band": list("111"), "people": [4, 30, 70], "ill": [0, 0, 14]})
    frame = add_margins(cells, KEY, LEFT.counts)
    now = protect_counts(frame, LEFT, KEY).frame
    old = now.drop(columns="is_partial")
    layout = read_table(frame, LEFT, KEY, []).cells
    np.testing.assert_equal(read_intervals(old, layout, LEFT), read_intervals(now, layout, LEFT))
    pd.testing.assert_frame_equal(protect_counts(frame, LEFT, KEY, [old]).frame, now)


def test_a_total_of_zero_in_a_row_that_hides_another_count_is_not_taken_for_hidden() -> None:
    cells = pd.DataFrame({"area": ["a"], "band": ["1"], "people": [40], "ill": [0], "young": [3]})
    rule = LEFT.model_copy(update={"counts": ["people", "ill", "young"], "part_of": {}, "shares": {}})
    frame = add_margins(cells, KEY, rule.counts)
    safe = protect_counts(frame, rule, KEY).frame
    assert safe["is_suppressed"].all()
    low, _ = read_intervals(safe, read_table(frame, rule, KEY, []).cells, rule)
    rows = len(frame)
    assert low[rows : 2 * rows].tolist() == [0] * rows
    assert low[2 * rows : 3 * rows].tolist() == [1] * rows
    assert find_exposed_by_versions(protect_counts(frame, rule, KEY, [safe]), rule, [safe]).empty


def test_true_totals_are_no_part_of_themselves() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [4, 30, 70, 104]})
    assert "is_partial" not in protect_counts(frame, make_rule(totals={"area": "All"}), ["area"]).frame


def test_counts_that_a_register_shows_are_not_hidden_and_bound_what_is() -> None:
    rule = make_rule(counts=["people", "members"], part_of={"members": "people"}, public=["people"])
    frame = pd.DataFrame({"area": ["a", "b", "c"], "people": [6, 60, 0], "members": [4, 30, 0]})
    safe = protect_counts(frame, rule, ["area"]).frame
    assert safe["people"].tolist() == [5, 60, 0]
    assert safe["members"].tolist() == [pd.NA, 30, 0]
    low, high = read_intervals(safe, read_table(frame, rule, ["area"], []).cells, rule)
    assert (low[:3].tolist(), high[:3].tolist()) == ([3, 58, 0], [7, 62, 2])
    hidden = protect_counts(frame, make_rule(counts=["people", "members"], part_of=rule.part_of), ["area"]).frame
    assert hidden["people"].isna().tolist() == [True, False, False]
    again = protect_counts(frame, rule, ["area"], [hidden])  # as by a version that hid what the register shows
    assert find_exposed_by_versions(again, rule, [hidden]).empty


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=6))
def test_what_is_left_when_a_register_is_taken_off_is_never_few(counts: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(counts, columns=["of_register", "left"]).rename_axis("area").reset_index()
    frame["people"] = frame["of_register"] + frame["left"]
    safe = protect_counts(frame.drop(columns="of_register"), make_rule(rest={"people": "left"}), ["area"]).frame
    assert "left" not in safe
    shown = safe["people"].notna()
    assert (frame["left"][shown].eq(0) | frame["left"][shown].ge(10)).all()
    few = frame["left"].between(1, 9) | frame["people"].between(1, 9)
    assert shown.equals(~few)


def test_more_counts_are_withheld_where_other_tables_ask_for_it() -> None:
    frame = add_margins(pd.DataFrame({"area": ["a", "b"], "people": [30, 50]}), ["area"], ["people"])
    rule = make_rule(totals={"area": "All"}, published_totals="what is left")
    withhold = pd.DataFrame({"people": [True, False, False]})
    safe = withhold_more(protect_counts(frame, rule, ["area"]), withhold).frame
    assert safe["people"].tolist() == [pd.NA, 50, 50]
    assert safe["is_partial"].tolist() == [False, False, True]
