"""Differencing: small counts that come out of two releases laid side by side are found, and nothing else."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from councilbook.catalogue import CountRule, LinkedCount
from councilbook.errors import CheckError
from councilbook.gate.disclosure.tables.counts import protect_counts, read_intervals, read_table
from councilbook.gate.disclosure.tables.linked import find_exposed_by_areas, find_exposed_by_versions

LINK = LinkedCount(dataset="by_ward", count="people", area="lsoa", other_area="ward")


def make_rule(**changes: Any) -> CountRule:
    rule = {
        "rule": "counts",
        "approver": "Information governance lead",
        "counts": ["people"],
        "threshold": 10,
        "round_to": 1,
        "zeros": "show",
        "full": "suppress",
        "published_totals": "rounded",
        "solver_seconds": 20,
    }
    return CountRule.model_validate(rule | changes)


def make_table(people: dict[str, int], total: bool = True) -> pd.DataFrame:
    everybody = {"All": sum(people.values())} if total else {}
    return pd.DataFrame({"area": [*people, *everybody], "people": [*people.values(), *everybody.values()]})


def compare(now: dict[str, int], earlier: pd.DataFrame, forget: bool = True, **changes: Any) -> pd.DataFrame:
    """Compare a release with an earlier one; one that forgets was made without a look at the earlier."""
    frame, rule = make_table(now), make_rule(totals={"area": "All"}, **changes)
    safe = protect_counts(frame, rule, ["area"], [] if forget else [earlier])
    known = read_table(frame, rule, ["area"], [earlier])
    return find_exposed_by_versions(replace(safe, table=known), rule, [earlier])


def publish(people: dict[str, int | None]) -> pd.DataFrame:
    """Make a table as it was published."""
    shown = pd.Series(list(people.values()), dtype="Int64")
    return pd.DataFrame({"area": list(people), "people": shown, "is_suppressed": shown.isna()})


@pytest.mark.parametrize(("zeros", "least"), [("show", 1), ("suppress", 0)])
def test_what_a_version_says_of_each_count(zeros: str, least: int) -> None:
    version = publish({"a": None, "b": 10, "c": 30, "d": 0, "All": 40})
    rule = make_rule(zeros=zeros, round_to=5)
    known = {"a": 3, "b": 10, "c": 30, "d": 0}
    layout = read_table(
        pd.DataFrame({"area": [*known, "All"], "people": [*known.values(), 43]}), rule, ["area"], []
    ).cells
    low, high = read_intervals(version, layout, rule)
    assert low[:5].tolist() == [least, 10, 28, 0, 38]  # a count that is shown is not below the threshold
    assert high[:5].tolist() == [np.inf, 12, 32, 0, 42]


def test_a_count_that_was_shown_before_gives_back_what_it_should_hide_now() -> None:
    now = {"a": 4, "b": 30, "c": 70}
    earlier = publish({"a": None, "b": 30, "c": None, "All": 104})
    found = compare(now, earlier)
    assert found.index.tolist() == [0, 1]
    assert found.to_dict("records") == [
        {"area": "a", "count": "people", "release": "this"},
        {"area": "a", "count": "people", "release": "earlier"},  # as c, which is shown now, fills the other gap
    ]


def test_a_release_that_heeds_what_was_shown_before_exposes_nothing() -> None:
    now = {"a": 4, "b": 30, "c": 70}
    earlier = publish({"a": None, "b": 30, "c": None, "All": 104})
    assert compare(now, earlier, forget=False).empty


def test_the_same_release_again_exposes_nothing() -> None:
    now = {"a": 4, "b": 30, "c": 70, "d": 5}
    frame, rule = make_table(now), make_rule(totals={"area": "All"}, round_to=5)
    earlier = protect_counts(frame, rule, ["area"]).frame
    again = protect_counts(frame, rule, ["area"], [earlier])
    pd.testing.assert_frame_equal(again.frame, earlier)
    assert find_exposed_by_versions(again, rule, [earlier]).empty


def test_a_count_that_has_grown_gives_its_former_number_away_when_its_partner_is_shown() -> None:
    earlier = publish({"a": None, "b": None, "c": 70, "All": 105})  # a was 5, b 30
    found = compare({"a": 12, "b": 30, "c": 70}, earlier)
    assert found.to_dict("records") == [{"area": "a", "count": "people", "release": "earlier"}]


def test_rounding_can_hide_what_has_grown() -> None:
    earlier = publish({"a": None, "b": None, "c": 70, "All": 105})
    assert compare({"a": 12, "b": 30, "c": 70}, earlier, round_to=5).empty


def test_totals_of_what_was_left_say_nothing_of_what_was_suppressed() -> None:
    earlier = publish({"a": None, "b": None, "c": 70, "All": 70})
    assert compare({"a": 12, "b": 30, "c": 70}, earlier, published_totals="what is left").empty


def test_counts_that_have_changed_are_not_combined() -> None:
    earlier = publish({"a": None, "b": 44, "c": None, "All": 150})
    assert compare({"a": 4, "b": 30, "c": 70}, earlier).empty


def test_no_earlier_version_no_exposure() -> None:
    frame, rule = make_table({"a": 4, "b": 30, "c": 70}), make_rule(totals={"area": "All"})
    found = find_exposed_by_versions(protect_counts(frame, rule, ["area"]), rule, [])
    assert found.columns.tolist() == ["area", "count", "release"]
    assert found.empty


def test_a_small_remainder_comes_out_by_its_name() -> None:
    rule = make_rule(counts=["ill", "people"], part_of={"ill": "people"})
    frame = pd.DataFrame({"area": ["a"], "ill": [56], "people": [60]})
    earlier = pd.DataFrame({"area": ["a"], "ill": [56], "people": [pd.NA], "is_suppressed": [True]})
    safe = replace(protect_counts(frame, rule, ["area"]), table=read_table(frame, rule, ["area"], [earlier]))
    found = find_exposed_by_versions(safe, rule, [earlier])
    assert ("people without ill", "this") in set(zip(found["count"], found["release"], strict=True))


def cross(pieces: dict[tuple[str, str], int]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make two tables of the same people, by LSOA and by ward, and the crosswalk between these."""
    atoms = pd.DataFrame([(*names, people) for names, people in pieces.items()], columns=["lsoa", "ward", "people"])
    here = atoms.groupby("lsoa", as_index=False)["people"].sum()
    there = atoms.groupby("ward", as_index=False)["people"].sum()
    crosswalk = atoms.rename(columns={"lsoa": "area", "ward": "other_area"})[["area", "other_area"]]
    return here, there, crosswalk


def protect(frame: pd.DataFrame, key: list[str], **changes: Any) -> pd.DataFrame:
    return protect_counts(frame, make_rule(**changes), key).frame


def compare_areas(pieces: dict[tuple[str, str], int], **changes: Any) -> pd.DataFrame:
    here, there, crosswalk = cross(pieces)
    safe, other = protect(here, ["lsoa"], **changes), protect(there, ["ward"], **changes)
    return find_exposed_by_areas(safe, other, crosswalk, LINK, make_rule(**changes), ["lsoa"])


def test_a_sliver_between_two_shown_areas_is_found() -> None:
    found = compare_areas({("L1", "W1"): 60, ("L1", "W2"): 3, ("L2", "W2"): 80})
    # W1 is all within L1, so L1 less W1 is the sliver.
    assert found.to_dict("records") == [{"area": "L1", "other_area": "W2", "what": "difference"}]


def test_rounded_areas_leave_a_sliver_as_small_only_where_it_cannot_be_large() -> None:
    pieces = {("L1", "W1"): 60, ("L1", "W2"): 5, ("L2", "W2"): 80}
    assert compare_areas(pieces, round_to=5).to_dict("records") == [
        {"area": "L1", "other_area": "W2", "what": "difference"}  # 65 less 60, give or take 4, is from 1 to 9
    ]
    assert compare_areas(pieces, round_to=10).empty


def test_a_suppressed_area_comes_out_of_the_areas_around_it() -> None:
    found = compare_areas({("L1", "W1"): 4, ("L2", "W1"): 30, ("L3", "W1"): 50})
    assert found["area"].tolist() == ["L1", "L1"]
    assert found["what"].tolist() == ["difference", "suppressed here"]


def test_a_crosswalk_of_other_places_finds_nothing() -> None:
    here, there, _ = cross({("L1", "W1"): 60})
    elsewhere = pd.DataFrame({"area": ["L9"], "other_area": ["W9"]})
    assert find_exposed_by_areas(here, there, elsewhere, LINK, make_rule(), ["lsoa"]).empty


def test_areas_that_cross_in_large_pieces_are_safe() -> None:
    assert compare_areas({("L1", "W1"): 40, ("L1", "W2"): 55, ("L2", "W1"): 60, ("L2", "W2"): 80}).empty


def test_areas_that_contradict_each_other_are_left_out_and_others_are_not() -> None:
    here = pd.DataFrame({"lsoa": ["L1", "L2", "L3"], "people": [60, 63, 80]})
    there = pd.DataFrame({"ward": ["W1", "W2", "W3"], "people": [80, 60, 83]})
    crosswalk = pd.DataFrame({"area": ["L1", "L2", "L2", "L3"], "other_area": ["W1", "W2", "W3", "W3"]})
    found = find_exposed_by_areas(here, there, crosswalk, LINK, make_rule(), ["lsoa"])
    assert found.to_dict("records") == [{"area": "L2", "other_area": "W3", "what": "difference"}]


@pytest.mark.parametrize("off", [1, 2, 5])
def test_areas_that_are_off_by_few_are_left_out_as_well(off: int) -> None:
    here = pd.DataFrame({"lsoa": ["L1", "L2", "L3"], "people": [60, 63, 80]})
    there = pd.DataFrame({"ward": ["W1", "W2", "W3"], "people": [60 + off, 60, 83]})
    crosswalk = pd.DataFrame({"area": ["L1", "L2", "L2", "L3"], "other_area": ["W1", "W2", "W3", "W3"]})
    found = find_exposed_by_areas(here, there, crosswalk, LINK, make_rule(), ["lsoa"])
    assert found.to_dict("records") == [{"area": "L2", "other_area": "W3", "what": "difference"}]


def test_each_slice_of_the_other_fields_is_compared_by_itself() -> None:
    pieces = {("L1", "W1"): 60, ("L1", "W2"): 3, ("L2", "W2"): 80}
    here, there, crosswalk = cross(pieces)
    more_here, more_there, _ = cross({place: people + 20 for place, people in pieces.items()})
    here = pd.concat([here.assign(sex="f"), more_here.assign(sex="m")])
    there = pd.concat([there.assign(sex="f"), more_there.assign(sex="m")])
    found = find_exposed_by_areas(here, there, crosswalk, LINK, make_rule(), ["lsoa", "sex"])
    assert found.to_dict("records") == [{"sex": "f", "area": "L1", "other_area": "W2", "what": "difference"}]


def test_the_other_release_must_have_the_fields_to_compare_with() -> None:
    here, there, crosswalk = cross({("L1", "W1"): 60})
    with pytest.raises(CheckError, match="no column ward"):
        find_exposed_by_areas(here, there.drop(columns="ward"), crosswalk, LINK, make_rule(), ["lsoa"])
    with pytest.raises(CheckError, match="more than one row"):
        find_exposed_by_areas(here, pd.concat([there, there]), crosswalk, LINK, make_rule(), ["lsoa"])


@pytest.mark.parametrize("seed", range(5))
def test_all_slivers_are_found_that_linear_programmes_of_our_own_find(seed: int) -> None:
    random = np.random.default_rng(seed)
    pieces = {
        (f"L{lsoa}", f"W{ward}"): int(random.choice([2, 5, 15, 40]))
        for lsoa, ward in product(range(5), range(4))
        if random.random() < 0.5
    }
    here, there, crosswalk = cross(pieces)
    safe, other = protect(here, ["lsoa"]), protect(there, ["ward"])
    names = list(pieces)
    sums = [
        ([place[0] == area for place in names], people)
        for area, people in zip(safe["lsoa"], safe["people"], strict=True)
    ]
    sums += [
        ([place[1] == area for place in names], people)
        for area, people in zip(other["ward"], other["people"], strict=True)
    ]
    equal = np.array([members for members, people in sums if pd.notna(people)], dtype=float)
    right = [people for _, people in sums if pd.notna(people)]
    expected = set()
    for number, name in enumerate(names):
        aim = np.eye(len(names))[number]
        low, high = linprog(aim, A_eq=equal, b_eq=right).fun, linprog(-aim, A_eq=equal, b_eq=right)
        if high.status == 0 and low > 1e-6 and -high.fun < 10 - 1e-6:
            expected.add(name)
    found = find_exposed_by_areas(safe, other, crosswalk, LINK, make_rule(), ["lsoa"])
    slivers = found[found["what"] == "difference"]
    assert set(zip(slivers["area"], slivers["other_area"], strict=True)) == expected
