"""Disclosure control of records: what somebody who has the released table can and cannot tell."""

import json
from dataclasses import replace
from itertools import accumulate, product
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult, minimize

from councilbook.catalogue import Hierarchy, RecordRule
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.disclosure import recognition, records
from councilbook.gate.disclosure.hierarchies import build_ladder
from councilbook.gate.disclosure.recognition import code_values, measure_risk, measure_spread, open_database
from councilbook.gate.disclosure.records import ProtectedRecords, can_protect, protect_records

NAMES = ["age", "postcode", "tenure", "moved"]
TENURES = ["council", "association", "private", "owner"]
HIERARCHIES = {
    "age": {"bands": [10, 40]},
    "postcode": {"prefix": [2, 1]},
    "tenure": {"parents": [{"council": "social", "association": "social", "private": "market", "owner": "market"}]},
    "moved": {"dates": ["quarter", "year"]},
}
RECORDS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-5, 80)),
        st.one_of(st.none(), st.sampled_from(["ME1", "ME2", "CT1", "CT20", "ŷ", ""])),
        st.one_of(st.none(), st.sampled_from(TENURES)),
        st.one_of(st.none(), st.dates(pd.Timestamp("2023-01-01").date(), pd.Timestamp("2024-12-31").date())),
        st.one_of(st.none(), st.sampled_from(["flu", "asthma", "none"])),
        st.one_of(st.none(), st.integers(0, 4)),
    ),
    min_size=1,
    max_size=40,
)
SHORT_RECORDS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from([3, 8, 15, 30])),
        st.one_of(st.none(), st.sampled_from(["ME1", "ME2", "CT1"])),
        st.sampled_from(["flu", "asthma"]),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=16,
)


def make_frame(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*NAMES, "condition", "visits"])
    text = dict.fromkeys(("postcode", "tenure", "condition"), "str")
    return frame.astype({"age": "Int64", "visits": "Int64", **text}).assign(
        moved=pd.to_datetime(frame["moved"]), note=[f"note {number}" for number in range(len(rows))]
    )


def make_rule(hierarchies: dict = HIERARCHIES, **asked) -> RecordRule:
    defaults = {"k": 2, "l": 1, "t": 1.0, "most_suppressed_pct": 20, "most_unique_pct": 0, "approver": "Somebody"}
    return RecordRule(
        rule="records",
        quasi_identifiers=hierarchies,
        **({"sensitive": ["condition", "visits"], "harmless": ["note"]} | defaults | asked),
    )


def read_plainly(frame: pd.DataFrame) -> list[dict]:
    """Read a table as a list of records, with None for what is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def split_classes(rows: list[dict], names: list[str]) -> list[list[dict]]:
    """Split records into those with equal quasi-identifiers, a missing one equal to another."""
    classes: dict[tuple, list[dict]] = {}
    for row in rows:
        classes.setdefault(tuple(row[name] for name in names), []).append(row)
    return list(classes.values())


def measure_distance(part: list[dict], whole: list[dict], name: str) -> float:
    """Measure how far the values of a part are from those of the whole, straight from the definition."""
    here, everywhere = ([row[name] for row in rows] for rows in (part, whole))
    values = sorted(set(everywhere), key=lambda value: (value is None, value))
    gaps = [here.count(value) / len(here) - everywhere.count(value) / len(everywhere) for value in values]
    if isinstance(values[0], str):
        return sum(map(abs, gaps)) / 2
    return sum(map(abs, accumulate(gaps))) / max(len(values) - 1, 1)


def count_values(rows: list[dict], name: str) -> int:
    return len({row[name] for row in rows})


@settings(deadline=None, max_examples=50)
@given(RECORDS)
def test_risk_is_what_the_definitions_say(rows: list[tuple]) -> None:
    frame = make_frame(rows)
    risk = measure_risk(frame, NAMES, ["condition", "visits"])
    everybody = read_plainly(frame)
    classes = split_classes(everybody, NAMES)
    uniques = sum(len(one) == 1 for one in classes)
    assert risk.k == min(map(len, classes))
    assert risk.sample_uniques == uniques
    for name in ("condition", "visits"):
        assert risk.l_by[name] == min(count_values(one, name) for one in classes)
        expected = max(measure_distance(one, everybody, name) for one in classes)
        assert risk.t_by[name] == pytest.approx(expected, abs=1e-12)
    assert (risk.l, risk.t) == (min(risk.l_by.values()), max(risk.t_by.values()))
    assert risk.population_uniques_pct == risk.sample_uniques_pct == pytest.approx(100 * uniques / len(rows))


@settings(max_examples=10)
@given(RECORDS, st.integers(1, 12))
def test_risk_is_the_same_however_its_keys_are_counted(rows: list[tuple], most: int) -> None:
    """More keys than fit a whole number or an array with a place for each are counted another way."""
    frame = make_frame(rows)
    risk = measure_risk(frame, NAMES, ["condition", "visits"])
    for limit, value in (("LARGEST_KEY", most), ("FEW_KEYS", 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recognition, limit, value)
            assert measure_risk(frame, NAMES, ["condition", "visits"]) == risk


def test_distances_are_those_of_the_paper() -> None:
    """Salaries of 3k to 11k in three classes: Li, Li and Venkatasubramanian 2007, section 4."""
    salaries = pd.Series([3, 4, 5, 6, 11, 8, 7, 9, 10])
    classes, each = np.repeat([0, 1, 2], 3), np.ones(9, dtype="int64")
    distinct, distance = measure_spread(classes, code_values(salaries), each, ordered=True)
    assert distinct.tolist() == [3, 3, 3]
    assert distance[:2] == pytest.approx([0.375, 1 / 6])


def test_a_value_that_no_record_has_any_more_is_no_step_of_the_distance() -> None:
    classes, counts = np.array([0, 0, 1, 1, 1]), np.array([3, 1, 2, 1, 1])
    _, all_there = measure_spread(classes, np.array([0, 2, 0, 1, 2]), counts, ordered=True)
    distinct, distance = measure_spread(classes, np.array([0, 5, 0, 3, 5]), counts, ordered=True)
    assert distinct.tolist() == [2, 3]
    assert distance == pytest.approx(all_there)
    assert distance[0] == pytest.approx((1 / 8 + 0) / 2)  # 3/4 against 5/8 below the first step, then 3/4 against 6/8


def test_no_records_and_no_sensitive_columns_can_be_measured() -> None:
    frame = pd.DataFrame({"age": [1, 1, 2]})
    none = measure_risk(frame[:0], ["age"], [])
    assert (none.k, none.l, none.t, none.sample_uniques_pct) == (0, None, None, 0)
    assert measure_risk(frame, ["age"], []).k == 1
    assert measure_risk(frame, [], []).k == 3


def test_many_wide_quasi_identifiers_do_not_collide() -> None:
    """Eight columns of 2^16 values make more combinations than a whole number of 64 bits can tell apart."""
    values = np.tile(np.arange(2**16), 2)
    frame = pd.DataFrame({"first": np.append(values[: 2**16], np.roll(values[: 2**16], 1))})
    frame = frame.assign(**{f"other_{number}": values for number in range(7)})
    risk = measure_risk(frame, list(frame), [])
    assert (risk.k, risk.sample_uniques) == (1, 2**17)
    assert measure_risk(pd.concat([frame, frame]), list(frame), []).k == 2


@pytest.mark.parametrize(("share", "within"), [(0.05, 12), (0.3, 8), (0.6, 4)])
def test_population_uniques_are_estimated_within_the_stated_tolerance(share: float, within: float) -> None:
    population = make_population(seed=1)
    sample = population.sample(frac=share, random_state=2)
    for names in (["age", "ward"], ["age", "ward", "ethnicity"], ["age", "job", "ward", "sex"]):
        alone = ~population.duplicated(names, keep=False)
        risk = measure_risk(sample, names, [], population_size=len(population))
        assert risk.population_basis.startswith("Pitman")
        assert risk.population_uniques_pct == pytest.approx(100 * alone[sample.index].mean(), abs=within)


def make_population(seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    size = 200_000

    def pick(values: int, steepness: float) -> np.ndarray:
        weights = 1 / np.arange(1, values + 1) ** steepness
        return chance.choice(values, size, p=weights / weights.sum())

    age = np.clip(chance.gamma(3, 14, size), 0, 95).astype(int)
    return pd.DataFrame(
        {
            "age": age,
            "sex": chance.integers(0, 2, size),
            "ward": pick(120, 0.4),
            "ethnicity": pick(18, 1.6),
            "job": np.where(chance.random(size) < 0.7, age // 3, pick(90, 0.9)),
        }
    )


@pytest.mark.parametrize(("alpha", "theta"), [(0.5, 60.0), (0.2, 900.0)])
def test_uniques_of_a_population_that_follows_pitmans_formula_are_estimated_closely(alpha: float, theta: float) -> None:
    """Each person is of a new kind with the chance of the formula, or else of somebody's who is there."""
    chance = np.random.default_rng(4)
    kinds, sizes = np.zeros(30_000, dtype=int), [1]
    for person in range(1, len(kinds)):
        if chance.random() < (theta + alpha * len(sizes)) / (theta + person):
            kinds[person] = len(sizes)
            sizes.append(0)
        else:
            kinds[person] = kinds[chance.integers(person)]
            while chance.random() < alpha / sizes[kinds[person]]:
                kinds[person] = kinds[chance.integers(person)]
        sizes[kinds[person]] += 1
    alone = np.array(sizes)[kinds] == 1
    sample = pd.DataFrame({"kind": kinds[:6_000]})
    unique = ~sample.duplicated(keep=False).to_numpy()
    risk = measure_risk(sample, ["kind"], [], population_size=len(kinds))
    assert risk.population_uniques_pct < 0.6 * risk.sample_uniques_pct
    assert risk.population_uniques_pct == pytest.approx(100 * (alone[:6_000] & unique).mean(), rel=0.12)
    everybody = measure_risk(sample, ["kind"], [], population_size=6_000)
    assert everybody.population_uniques_pct == risk.sample_uniques_pct == pytest.approx(100 * unique.mean())


def test_an_estimate_that_cannot_be_made_takes_the_worst_case() -> None:
    frame = pd.DataFrame({"age": range(50)})
    risk = measure_risk(frame, ["age"], [], population_size=100_000)
    assert risk.population_uniques_pct == 100
    assert "all records are unique" in risk.population_basis


def test_an_estimate_that_does_not_converge_takes_the_worst_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "minimize", lambda *_, **__: OptimizeResult(success=False, x=[0.0, 0.0]))
    risk = measure_risk(pd.DataFrame({"age": [30, 30, 31, 32]}), ["age"], [], population_size=100)
    assert (risk.sample_uniques_pct, risk.population_uniques_pct) == (50, 50)
    assert "did not converge" in risk.population_basis


def test_the_estimate_is_that_of_pitmans_formula_written_out() -> None:
    """The likelihood as the product of what each next record is: one of a kind seen before, or of a new one."""
    sizes, population = [1] * 40 + [2] * 8 + [3] * 3 + [12, 25], 400
    kinds = np.repeat(np.arange(len(sizes)), sizes)

    def tell(alpha: float, theta: float) -> float:
        total, logarithm = 0, 0.0
        for size in sizes:
            for before in range(size):
                weight = before - alpha if before else theta + alpha * tell_kinds(total)
                logarithm += np.log(weight / (theta + total))
                total += 1
        return logarithm

    def tell_kinds(total: int) -> int:
        return int(np.searchsorted(np.cumsum(sizes), total, side="right"))

    grid = [
        (alpha, theta) for alpha in np.linspace(0.05, 0.95, 19) for theta in np.linspace(-0.9, 50, 30) if theta > -alpha
    ]
    start = max(grid, key=lambda at: tell(*at))
    fit = minimize(lambda at: -tell(*at), start, method="L-BFGS-B", bounds=[(0.01, 0.99), (start[1] - 2, start[1] + 2)])
    alpha, theta = fit.x
    missed = np.prod([(theta + alpha - 1 + others) / (theta + others) for others in range(len(kinds), population)])
    risk = measure_risk(pd.DataFrame({"kind": kinds}), ["kind"], [], population_size=population)
    assert risk.population_uniques_pct == pytest.approx(100 * 40 / len(kinds) * missed, rel=0.01)


def test_a_population_smaller_than_its_sample_is_refused() -> None:
    with pytest.raises(CheckError, match="A population of 2 cannot have 3 records"):
        measure_risk(pd.DataFrame({"age": [1, 2, 3]}), ["age"], [], population_size=2)


@settings(deadline=None, max_examples=40)
@given(RECORDS, st.integers(2, 6), st.integers(1, 3), st.sampled_from([0.1, 0.3, 1.0]), st.sampled_from([0, 10, 100]))
def test_every_class_that_is_released_reaches_the_target(
    rows: list[tuple],
    k: int,
    l: int,  # noqa: E741
    t: float,
    most: float,
) -> None:
    frame = make_frame(rows)
    before = frame.copy(deep=True)
    rule = make_rule(k=k, l=l, t=t, most_suppressed_pct=most)
    values = min(frame[name].nunique(dropna=False) for name in rule.sensitive)
    if len(frame) < k or values < l:
        with pytest.raises(ReleaseRefusedError):
            protect_records(frame, rule)
        return
    safe = protect_records(frame, rule)

    pd.testing.assert_frame_equal(frame, before)
    released = read_plainly(safe.frame)
    for one in split_classes(released, NAMES):
        assert len(one) >= k
        for name in rule.sensitive:
            assert count_values(one, name) >= l
            assert measure_distance(one, released, name) <= t + 1e-6
    assert 0 <= safe.loss <= 1
    assert safe.after.sample_uniques == 0
    assert_only_declared_changes(frame, safe, rule)


def assert_only_declared_changes(frame: pd.DataFrame, safe: ProtectedRecords, rule: RecordRule) -> None:
    """Compare each record with what its values are at the levels that were chosen, or nothing."""
    rows = safe.frame["note"].str.removeprefix("note ").astype("int64")
    assert rows.is_monotonic_increasing
    assert safe.frame.index.equals(pd.RangeIndex(len(rows)))
    kept = frame.loc[rows].reset_index(drop=True)
    assert list(safe.frame.columns) == list(frame.columns)
    pd.testing.assert_frame_equal(safe.frame.drop(columns=NAMES), kept.drop(columns=NAMES))
    blanked = pd.DataFrame(index=kept.index)
    for name in rule.quasi_identifiers:
        expected = write_level(kept[name], name, safe.levels[name])
        blanked[name] = expected.notna() & safe.frame[name].isna()
        left = ~blanked[name]
        assert safe.frame.loc[left, name].fillna("").tolist() == expected[left].fillna("").tolist()
    assert (blanked.any(axis="columns").sum(), blanked.to_numpy().sum()) == (safe.records_blanked, safe.cells_blanked)
    assert safe.records_dropped == len(frame) - len(rows)
    assert safe.records_blanked + safe.records_dropped <= rule.most_suppressed_pct * len(frame) / 100


def write_level(values: pd.Series, name: str, level: int) -> pd.Series:
    """Write values at a level of HIERARCHIES, one by one."""

    def write(value: object) -> object:
        if pd.isna(value) or level > len(next(iter(HIERARCHIES[name].values()))):
            return None
        if level == 0:
            return value.date().isoformat() if name == "moved" else str(value)
        step = next(iter(HIERARCHIES[name].values()))[level - 1]
        if name == "age":
            return f"{value // step * step} to {value // step * step + step - 1}"
        if name == "postcode":
            return value if len(value) <= step else value[:step] + "*"
        if name == "tenure":
            return step[value]
        return f"{value.year}-Q{value.quarter}" if step == "quarter" else str(value.year)

    return pd.Series([write(value) for value in values], index=values.index, dtype=object)


SMALL = {"age": {"bands": [10]}, "postcode": {"prefix": [2]}}


@settings(deadline=None, max_examples=40)
@given(SHORT_RECORDS, st.integers(2, 4), st.sampled_from([0.3, 1.0]), st.sampled_from([0, 15, 40]))
def test_no_node_of_the_lattice_has_less_loss(rows: list[tuple], k: int, t: float, most: float) -> None:
    frame = make_short_frame(rows)
    rule = make_rule(SMALL, k=k, t=t, most_suppressed_pct=most, harmless=[])
    losses = [suppress_plainly(read_plainly(frame), levels, rule) for levels in product(range(3), range(3))]
    assert protect_records(frame, rule).loss == pytest.approx(min(loss for loss in losses if loss is not None))


def make_short_frame(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["age", "postcode", "condition", "visits"])
    return frame.astype({"age": "Int64", "postcode": "str", "condition": "str"})


def write_plainly(name: str, value: object, level: int) -> object:
    """Write a value at a level of SMALL."""
    if value is None or level == 2:
        return None
    if level == 0:
        return value
    return value // 10 if name == "age" else value[:2]


def suppress_plainly(rows: list[dict], levels: tuple[int, int], rule: RecordRule) -> float | None:
    """Generalise and suppress record by record; return the loss, or None if too many records are touched."""
    names = list(SMALL)
    costs = []
    for name, level in zip(names, levels, strict=True):
        values = {row[name] for row in rows} - {None}
        for row in rows:
            alike = [
                other for other in values if write_plainly(name, other, level) == write_plainly(name, row[name], level)
            ]
            spread = (len(alike) - 1) / max(len(values) - 1, 1)
            costs.append(0.0 if row[name] is None else 1.0 if level == 2 else spread)
    shown = [
        row | {name: write_plainly(name, row[name], level) for name, level in zip(names, levels, strict=True)}
        for row in rows
    ]
    kept, touched = list(range(len(rows))), set()
    while failing := list_failing([shown[row] for row in kept], names, rule):
        for row in [kept[place] for place in failing]:
            touched.add(row)
            left = next((name for name in names if shown[row][name] is not None), None)
            gone = names if left is None else [left]
            for name in gone:
                costs[names.index(name) * len(rows) + row] = 1.0
            if left is None:
                kept.remove(row)
            else:
                shown[row][left] = None
    fits = kept and len(touched) <= rule.most_suppressed_pct * len(rows) / 100
    return sum(costs) / len(costs) if fits else None


def list_failing(rows: list[dict], names: list[str], rule: RecordRule) -> list[int]:
    failing = []
    for one in split_classes([row | {"place": place} for place, row in enumerate(rows)], names):
        far = any(measure_distance(one, rows, name) > rule.t + 1e-9 for name in rule.sensitive)
        if len(one) < rule.k or far:
            failing += [row["place"] for row in one]
    return failing


@settings(deadline=None, max_examples=15)
@given(RECORDS, st.integers(2, 4))
def test_more_protection_never_costs_less(rows: list[tuple], k: int) -> None:
    frame = make_frame(rows)
    if len(frame) <= k:
        return
    loss = protect_records(frame, make_rule(k=k, most_suppressed_pct=0)).loss
    assert protect_records(frame, make_rule(k=k + 1, most_suppressed_pct=0)).loss >= loss
    assert protect_records(frame, make_rule(k=k, t=0.2, most_suppressed_pct=0)).loss >= loss
    assert protect_records(frame, make_rule(k=k, most_suppressed_pct=30)).loss <= loss


def test_the_first_declared_is_given_up_first() -> None:
    frame = pd.DataFrame({"age": [30] * 20 + [31, 32], "sex": ["F"] * 22})
    ages_first = protect_records(frame, make_rule({"age": {}, "sex": {}}, sensitive=[]))
    assert ages_first.frame["age"].isna().sum() == ages_first.records_blanked == ages_first.cells_blanked == 2
    assert ages_first.frame["sex"].notna().all()
    assert ages_first.loss == pytest.approx(2 / 44)
    both = protect_records(frame, make_rule({"sex": {}, "age": {}}, sensitive=[]))
    assert both.frame.isna().all(axis="columns").sum() == both.records_blanked == 2
    assert both.cells_blanked == 4


def test_records_that_cannot_pass_are_dropped_and_counted() -> None:
    frame = pd.DataFrame({"age": [30] * 30 + [31], "note": "x"})
    safe = protect_records(frame, make_rule({"age": {}}, sensitive=[]))
    assert len(safe.frame) == 30
    assert (safe.records_dropped, safe.records_blanked) == (1, 0)
    assert safe.loss == pytest.approx(1 / 31)
    whole = protect_records(frame, make_rule({"age": {}}, sensitive=[], most_suppressed_pct=3))
    assert (whole.levels, whole.loss) == ({"age": 1}, 1.0)


def test_classes_are_compared_with_the_records_that_are_left() -> None:
    """The lone record keeps the class of four within t; once it is dropped, the four are too unlike the ten."""
    ages, ill = [30] * 10 + [40] * 4 + [50], [1] * 7 + [0] * 3 + [1, 1, 0, 0] + [0]
    frame = pd.DataFrame({"age": ages, "ill": ill})
    safe = protect_records(frame, make_rule({"age": {}}, sensitive=["ill"], t=0.12, most_suppressed_pct=100))
    assert (safe.records_dropped, safe.after.t) == (5, 0)


def test_blanked_records_do_not_spoil_the_class_they_join() -> None:
    """Two records with no age pass until others, with another illness, are blanked into their class."""
    frame = pd.DataFrame(
        {
            "age": [30.0] * 10 + [31.0] + [None] * 2,
            "sex": ["F"] * 13,
            "illness": ["flu", "asthma"] * 5 + ["flu"] + ["asthma", "flu"],
        }
    )
    rule = make_rule({"age": {}, "sex": {}}, sensitive=["illness"], t=0.1, most_suppressed_pct=50)
    safe = protect_records(frame, rule)
    released = read_plainly(safe.frame)
    classes = split_classes(released, ["age", "sex"])
    assert all(measure_distance(one, released, "illness") <= 0.1 for one in classes)


def test_a_class_that_shares_one_sensitive_value_is_made_coarser() -> None:
    frame = pd.DataFrame({"age": [30] * 4 + [40] * 4, "illness": ["flu"] * 5 + ["asthma"] * 3})
    hierarchy = {"age": {"bands": [50]}}
    assert protect_records(frame, make_rule(hierarchy, sensitive=["illness"], l=1)).levels == {"age": 0}
    assert protect_records(frame, make_rule(hierarchy, sensitive=["illness"], l=2)).levels == {"age": 1}


def test_a_class_that_is_unlike_the_others_is_made_coarser() -> None:
    frame = pd.DataFrame({"age": [30] * 4 + [40] * 4, "visits": [0, 0, 0, 1, 0, 1, 1, 1]})
    hierarchy = {"age": {"bands": [50]}}
    assert protect_records(frame, make_rule(hierarchy, sensitive=["visits"], t=0.25)).levels == {"age": 0}
    assert protect_records(frame, make_rule(hierarchy, sensitive=["visits"], t=0.24)).levels == {"age": 1}


def test_dropping_all_records_is_no_way_out() -> None:
    """At the finest level the class without an age is too unlike the rest, and without it there is but one record."""
    frame = pd.DataFrame({"age": [None] * 5 + [30.0], "sex": [None] * 5 + ["F"], "illness": ["flu"] * 5 + ["asthma"]})
    rule = make_rule({"age": {}, "sex": {}}, sensitive=["illness"], t=0.1, most_suppressed_pct=100)
    safe = protect_records(frame, rule)
    assert (len(safe.frame), safe.records_dropped) == (6, 0)
    assert safe.loss == pytest.approx(1 / 6)


def test_what_was_done_is_recorded_in_numbers_alone() -> None:
    frame = pd.DataFrame({"age": [30] * 20 + [31, 32], "sex": ["F"] * 22, "illness": ["flu", "asthma"] * 11})
    safe = protect_records(frame, make_rule({"age": {}, "sex": {}}, sensitive=["illness"]))
    record = safe.record
    assert record["cells_suppressed"] == 2
    assert record["rows_suppressed"] == 0
    assert record["information_lost"] == {"detail that is gone, %": 4.5, "records with something left blank": 2}
    assert record["levels"] == {"age": 0, "sex": 0}
    assert (safe.for_approver["risk_before"]["k"], record["risk_after"]["k"]) == (1, 2)
    assert json.loads(json.dumps(record)) == record


def test_as_many_records_are_touched_as_the_rule_allows_and_no_more() -> None:
    frame = pd.DataFrame({"age": [30] * 18 + [31, 32]})
    safe = protect_records(frame, make_rule({"age": {}}, k=3, sensitive=[], most_suppressed_pct=10))
    assert (safe.records_dropped, safe.levels) == (2, {"age": 0})
    strict = protect_records(frame, make_rule({"age": {}}, k=3, sensitive=[], most_suppressed_pct=9.9))
    assert (strict.records_dropped, strict.levels) == (0, {"age": 1})


@pytest.mark.parametrize(
    "changes",
    [{"k": 3}, {"l": 1, "l_by": {"ill": 1}}, {"t": 0.31, "t_by": {"ill": 0.31}}, {"population_uniques_pct": 5.1}],
)
def test_records_that_miss_one_of_the_targets_alone_are_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    frame = pd.DataFrame({"age": [30] * 4, "ill": [1, 2, 1, 2]})
    rule = make_rule({"age": {}}, sensitive=["ill"], k=4, l=2, t=0.3, most_unique_pct=5)
    risk = protect_records(frame, rule).after
    monkeypatch.setattr(records, "measure_risk", lambda *_: replace(risk, **changes))
    with pytest.raises(ReleaseRefusedError, match="The records reach k"):
        protect_records(frame, rule)


@pytest.mark.parametrize("rows", [1, 9])
def test_fewer_records_than_k_are_refused_with_what_was_reached(rows: int) -> None:
    frame = pd.DataFrame(
        {"age": pd.Series([41] * rows, dtype="int64"), "illness": pd.Series(["flu"] * rows, dtype="str")}
    )
    rule = make_rule({"age": {}}, k=10, sensitive=["illness"])
    with pytest.raises(
        ReleaseRefusedError, match=f"no more than k {rows} and l .; the rule asks for k 10, l 1 and t 1"
    ):
        protect_records(frame, rule)


def test_a_table_without_records_tells_of_nobody_and_passes() -> None:
    frame = pd.DataFrame({"age": pd.Series(dtype="Int64"), "illness": pd.Series(dtype="str")})
    safe = protect_records(frame, make_rule({"age": {"bands": [10]}}, k=10, l=2, sensitive=["illness"]))
    assert safe.frame.equals(frame)
    assert (safe.levels, safe.loss, safe.record["risk_after"]["records"]) == ({"age": 0}, 0, 0)
    assert (safe.records_blanked, safe.records_dropped, safe.cells_blanked) == (0, 0, 0)
    assert json.loads(json.dumps(safe.record)) == safe.record


@given(RECORDS, st.integers(2, 12), st.integers(1, 3))
def test_what_can_be_protected_is_and_what_cannot_is_refused(rows: list[tuple], k: int, l: int) -> None:  # noqa: E741
    frame = make_frame(rows)
    rule = make_rule(k=k, l=l, sensitive=["condition"], most_suppressed_pct=100)
    if can_protect(frame, rule):
        assert protect_records(frame, rule).after.records <= len(rows)
    else:
        with pytest.raises(ReleaseRefusedError, match="cannot be protected"):
            protect_records(frame, rule)


def test_one_sensitive_value_is_refused_and_not_named() -> None:
    frame = pd.DataFrame({"age": range(20), "illness": "a rare illness"})
    with pytest.raises(ReleaseRefusedError, match="k 20 and l 1") as refused:
        protect_records(frame, make_rule({"age": {}}, l=2, sensitive=["illness"]))
    assert "rare" not in str(refused.value)


def test_equal_records_are_released_as_they_are() -> None:
    frame = pd.DataFrame({"age": [41] * 5, "sex": [True] * 5, "illness": ["flu"] * 5})
    safe = protect_records(frame, make_rule({"age": {}, "sex": {}}, sensitive=["illness"]))
    assert safe.frame.to_dict("list") == frame.to_dict("list")
    assert (safe.loss, safe.after.t) == (0, 0)


def test_a_measure_that_disagrees_with_the_search_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(groups: list, depths: np.ndarray, *_: object) -> np.ndarray:
        return np.zeros(len(depths), dtype="bool")

    monkeypatch.setattr(records, "_find_failing", find_nothing)
    frame = pd.DataFrame({"age": range(20)})
    with pytest.raises(ReleaseRefusedError, match=r"reach k 1, and 100.00% of them are unique; the rule asks for k 2"):
        protect_records(frame, make_rule({"age": {}}, sensitive=[]))


def list_labels(values: pd.Series, **hierarchy: object) -> list[list[str]]:
    """List what each value, in the order in which they come, is written as at each level but the last."""
    ladder = build_ladder(values, Hierarchy(**hierarchy))
    return [label.array.take(ladder.leaves).tolist() for label in ladder.labels[:-1]]


def test_codes_keep_a_prefix() -> None:
    labels = list_labels(pd.Series(["CT20", "CT1", "ŷz", None], dtype="str"), prefix=[3, 2])
    assert labels[1][:3] == ["CT2*", "CT1", "ŷz"]
    assert labels[2][:3] == ["CT*", "CT*", "ŷz"]
    assert all(pd.isna(label[3]) for label in labels)


def test_whole_numbers_fall_into_bands_below_zero_as_well() -> None:
    values = pd.Series([-11, -10, -1, 0, 9, 10, None], dtype="Int64")
    labels = list_labels(values, bands=[1, 10])
    assert labels[0][:-1] == labels[1][:-1] == ["-11", "-10", "-1", "0", "9", "10"]
    assert labels[2][:-1] == ["-20 to -11", "-10 to -1", "-10 to -1", "0 to 9", "0 to 9", "10 to 19"]
    assert list_labels(pd.Series(["007", "19"], dtype="str"), bands=[10]) == [["007", "19"], ["0 to 9", "10 to 19"]]


def test_other_numbers_fall_into_bands_without_a_gap() -> None:
    labels = list_labels(pd.Series([0.3, -0.05, 0.29]), bands=[0.1])
    assert labels[0] == ["0.3", "-0.05", "0.29"]
    assert labels[1] == ["0.3 to under 0.4", "-0.1 to under 0", "0.2 to under 0.3"]
    assert list_labels(pd.Series([0, 3]), bands=[2.5])[1] == ["0 to under 2.5", "2.5 to under 5"]
    assert list_labels(pd.Series([0.5, 7.0]), bands=[5])[1] == ["0 to under 5", "5 to under 10"]


def test_dates_become_periods() -> None:
    dates = pd.Series(pd.to_datetime(["2024-03-17", "1999-12-31", None]))
    labels = list_labels(dates, dates=["month", "quarter", "year", "decade"])
    assert [label[0] for label in labels] == ["2024-03-17", "2024-03", "2024-Q1", "2024", "2020s"]
    assert [label[1] for label in labels] == ["1999-12-31", "1999-12", "1999-Q4", "1999", "1990s"]
    assert all(pd.isna(label[2]) for label in labels)


def test_values_become_their_parents() -> None:
    parents = [{"1": "low", "2": "low", "3": "high"}, {"low": "any", "high": "any"}]
    labels = list_labels(pd.Series([1.0, 3.0]), parents=parents)
    assert labels == [["1", "3"], ["low", "high"], ["any", "any"]]


@pytest.mark.parametrize(
    ("values", "hierarchy", "fault"),
    [
        (["12", "secret", "inf"], {"bands": [10]}, "2 of 3 different values are not numbers"),
        (["2024-01-01", "secret"], {"dates": ["year"]}, "1 of 2 different values are not dates"),
        (["a", "secret"], {"parents": [{"a": "b"}]}, "1 of 2 different values have no parent at level 1"),
        (["a", "secret"], {"parents": [{"a": "b", "secret": "c"}, {"b": "d"}]}, "no parent at level 2"),
    ],
)
def test_values_that_do_not_fit_their_hierarchy_are_counted_and_not_shown(
    values: list[str], hierarchy: dict, fault: str
) -> None:
    with pytest.raises(CheckError, match=f"Quasi-identifier job: .*{fault}") as raised:
        build_ladder(pd.Series(values, name="job"), Hierarchy(**hierarchy))
    assert "secret" not in str(raised.value)


def test_loss_is_the_share_of_other_values_that_a_value_is_like() -> None:
    ladder = build_ladder(pd.Series([1, 2, 11, None, 2], dtype="Int64"), Hierarchy(bands=[10, 100]))
    losses = [loss[ladder.leaves].tolist() for loss in ladder.losses]
    assert losses == [[0] * 5, [0.5, 0.5, 0, 0, 0.5], [1, 1, 1, 0, 1], [1, 1, 1, 0, 1]]


def test_a_type_does_not_hang_on_the_level_that_is_chosen() -> None:
    levels = build_ladder(pd.Series([1, 2]), Hierarchy(bands=[10])).labels
    assert {str(label.dtype) for label in levels} == {"str"}
    assert {str(label.dtype) for label in build_ladder(pd.Series([1, 2]), Hierarchy()).labels} == {"Int64"}
    assert {str(label.dtype) for label in build_ladder(pd.Series([True]), Hierarchy()).labels} == {"boolean"}


def test_the_database_cannot_write_to_a_disk() -> None:
    with open_database() as database:
        database.execute("SET memory_limit = '20MB'")
        with pytest.raises(duckdb.OutOfMemoryException):
            database.execute("SELECT range AS i, count(*) FROM range(10_000_000) GROUP BY i").fetchall()
        assert database.execute("SELECT count(*) FROM duckdb_temporary_files()").fetchone() == (0,)
