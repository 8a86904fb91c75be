"""Secondary suppression: bounds are right, patterns protect, and the best pattern is the best."""

import os
import stat
import time
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import block_diag, csc_array, csr_array

from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.disclosure.tables import secondary
from councilbook.gate.disclosure.tables.cells import Cells, Flags, bound_by_sums, bound_cells, build_cells
from councilbook.gate.disclosure.tables.linked import drop_contradicted, find_least
from councilbook.gate.disclosure.tables.secondary import (
    Aim,
    choose_secondary,
    find_exposed,
    suppress_greedily,
    weigh_cells,
)

# An invented table of the kind in chapter 4 of the Handbook on Statistical Disclosure Control: activities by regions.
WORKED = [[20, 50, 10], [8, 19, 22], [17, 32, 12]]


def make_cells(inner: Any) -> Cells:
    """Make the cells of a table of two ways with its margins."""
    table = np.asarray(inner)
    table = np.vstack([table, table.sum(axis=0)])
    table = np.hstack([table, table.sum(axis=1, keepdims=True)])
    rows, columns = ([*map(str, range(size - 1)), "All"] for size in table.shape)
    frame = pd.DataFrame([(row, column) for row in rows for column in columns], columns=["area", "sex"])
    return build_cells(frame.assign(people=table.ravel()), ["area", "sex"], ["people"], {"area": "All", "sex": "All"})


def make_aim(cells: Cells, threshold: int = 10) -> Aim:
    numbers = cells.numbers
    unsafe = (numbers > 0) & (numbers < threshold)
    high = np.full(len(numbers), float(threshold))
    return Aim(unsafe, np.minimum(numbers, 1), high, np.zeros(len(numbers)), numbers == 0)


def forget_pytauargus() -> Any:
    return patch.object(secondary, "find_spec", return_value=None)


def cost_of(cells: Cells, aim: Aim, hidden: Flags) -> float:
    return float(weigh_cells(cells)[hidden & ~aim.unsafe].sum())


def find_least_cost(cells: Cells, aim: Aim) -> float:
    """Try every pattern, cheapest first."""
    eligible = np.flatnonzero(~aim.unsafe & ~aim.shown)
    patterns = [chosen for size in range(len(eligible) + 1) for chosen in combinations(eligible, size)]
    cost = weigh_cells(cells)
    for chosen in sorted(patterns, key=lambda chosen: cost[list(chosen)].sum()):
        hidden = aim.unsafe.copy()
        hidden[list(chosen)] = True
        if not find_exposed(cells, aim, hidden).any():
            return float(cost[list(chosen)].sum())
    raise AssertionError("no pattern protects the table")


def test_the_worked_example_needs_a_rectangle() -> None:
    cells = make_cells(WORKED)
    aim = make_aim(cells)
    pattern = choose_secondary(cells, aim, 20)
    assert pattern.method == "optimal"
    hidden = cells.lay_out(pattern.hidden).reshape(4, 4)
    assert hidden[1, 0]  # the one small count
    assert hidden[:3, :3].sum() == 4  # with three others, at the corners of a rectangle
    assert sorted(hidden.sum(axis=0)) == sorted(hidden.sum(axis=1)) == [0, 0, 2, 2]
    assert not hidden[3].any()
    assert not hidden[:, 3].any()


def test_two_cells_of_a_row_are_not_enough_where_their_columns_are_shown() -> None:
    cells = make_cells(WORKED)
    aim = make_aim(cells)
    hidden = aim.unsafe.copy()
    hidden[[5, 6]] = True  # the rest of the row
    assert find_exposed(cells, aim, hidden).nonzero()[0].tolist() == [4]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 3, 8, 11, 15, 40, 90]), min_size=4, max_size=4), st.booleans())
def test_no_pattern_at_all_is_cheaper_than_the_optimal_one(numbers: list[int], single: bool) -> None:
    cells = make_cells([[*numbers]] if single else np.reshape(numbers, (2, 2)))
    aim = make_aim(cells)
    pattern = choose_secondary(cells, aim, 20)
    assert pattern.method != "greedy"
    assert cost_of(cells, aim, pattern.hidden) == find_least_cost(cells, aim)


@pytest.mark.parametrize("seed", range(6))
def test_the_greedy_way_protects_all_and_costs_no_less_than_the_optimal_one(seed: int) -> None:
    cells = make_cells(np.random.default_rng(seed).negative_binomial(1, 0.03, (8, 5)))
    aim = make_aim(cells)
    best = choose_secondary(cells, aim, 20)
    with forget_pytauargus():
        greedy = choose_secondary(cells, aim, 20)
    assert (best.method, greedy.method) == ("optimal", "greedy")
    assert not find_exposed(cells, aim, greedy.hidden).any()
    assert not find_exposed(cells, aim, best.hidden).any()
    assert cost_of(cells, aim, best.hidden) <= cost_of(cells, aim, greedy.hidden)


@pytest.mark.parametrize("seed", [7, 43])  # in the second the first cell of all is a small count
def test_the_greedy_way_suppresses_nothing_that_it_could_show(seed: int) -> None:
    cells = make_cells(np.random.default_rng(seed).negative_binomial(1, 0.03, (6, 5)))
    aim = make_aim(cells)
    with forget_pytauargus():
        hidden = choose_secondary(cells, aim, 20).hidden
    for cell in np.flatnonzero(hidden & ~aim.unsafe):
        fewer = hidden.copy()
        fewer[cell] = False
        assert find_exposed(cells, aim, fewer).any()


def test_the_same_table_gives_the_same_pattern() -> None:
    cells = make_cells(np.random.default_rng(3).negative_binomial(1, 0.03, (8, 5)))
    aim = make_aim(cells)
    assert (choose_secondary(cells, aim, 20).hidden == choose_secondary(cells, aim, 20).hidden).all()


def test_parts_of_a_table_that_no_sum_connects_are_solved_as_if_alone() -> None:
    parts = np.random.default_rng(5).integers(1, 60, (100, 3))
    people = np.hstack([parts, parts.sum(axis=1, keepdims=True)]).ravel()
    frame = pd.DataFrame({"area": np.repeat(np.arange(100), 4), "sex": [*"abc", "All"] * 100, "people": people})
    cells = build_cells(frame, ["area", "sex"], ["people"], {"sex": "All"})
    together = choose_secondary(cells, make_aim(cells), 20)
    for number in range(5):
        here = slice(4 * number, 4 * number + 4)
        one = build_cells(frame[here], ["area", "sex"], ["people"], {"sex": "All"})
        alone = choose_secondary(one, make_aim(one), 20)
        assert cost_of(one, make_aim(one), together.hidden[here]) == cost_of(one, make_aim(one), alone.hidden)


def test_the_note_says_why_the_greedy_way_was_taken() -> None:
    cells = make_cells(WORKED)
    with forget_pytauargus():
        pattern = choose_secondary(cells, make_aim(cells), 20)
    assert pattern.method == "greedy"
    assert "not installed" in pattern.note
    assert "1 of 1 parts" in pattern.note


def test_a_solver_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secondary, "SOLVER", "import time; time.sleep(600)")
    cells = make_cells(WORKED)
    begin = time.monotonic()
    pattern = choose_secondary(cells, make_aim(cells), 0.5)
    assert time.monotonic() - begin < 300  # far from the ten minutes that it would have slept
    assert pattern.method == "greedy"
    assert "within 0.5 seconds" in pattern.note
    assert not find_exposed(cells, make_aim(cells), pattern.hidden).any()


@pytest.mark.parametrize("solver", ["raise SystemExit(3)", "print('a number: 8')"])
def test_a_solver_that_breaks_down_is_done_without(
    solver: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(secondary, "SOLVER", solver)
    cells = make_cells(WORKED)
    assert choose_secondary(cells, make_aim(cells), 20).method == "greedy"
    assert capfd.readouterr() == ("", "")


def test_an_answer_that_does_not_protect_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = "from pathlib import Path; [Path(f'{one.stem}.hidden').touch() for one in Path().glob('*.jj')]"
    monkeypatch.setattr(secondary, "SOLVER", empty)
    cells = make_cells(WORKED)
    pattern = choose_secondary(cells, make_aim(cells), 20)
    assert pattern.method == "greedy"
    assert "did not pass the check" in pattern.note
    assert not find_exposed(cells, make_aim(cells), pattern.hidden).any()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps temporary folders private by other means")
def test_exact_counts_are_written_for_the_solver_in_a_private_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes = []

    def look(folder: Path, seconds: float) -> str:
        modes.append(stat.S_IMODE(folder.stat().st_mode))
        return run(folder, seconds)

    run = secondary._run_solver
    monkeypatch.setattr(secondary, "_run_solver", look)
    cells = make_cells(WORKED)
    assert choose_secondary(cells, make_aim(cells), 20).method == "optimal"
    assert modes == [0o700]
    assert list(tmp_path.iterdir()) == []


def test_cells_that_must_be_shown_can_make_protection_impossible() -> None:
    cells = make_cells(WORKED)
    aim = make_aim(cells)
    stuck = Aim(aim.unsafe, aim.low, aim.high, aim.floor, ~aim.unsafe)
    with pytest.raises(ReleaseRefusedError, match="whatever else is suppressed"):
        choose_secondary(cells, stuck, 20)


def test_greedy_keeps_what_is_suppressed_already() -> None:
    cells = make_cells(WORKED)
    aim = make_aim(cells)
    hidden = aim.unsafe.copy()
    hidden[[6, 12]] = True  # a corner of the rectangle, and a total
    found = suppress_greedily(cells, aim, hidden, secondary._split_table(cells, aim))
    assert found[hidden].all()


def test_bounds_are_those_that_the_sums_leave() -> None:
    """Two unknown rows of two columns, by hand: x + y = 12, x + z = 30, y + w = 20, z + w = 38."""
    relations = csr_array(np.array([[1.0, 1, 0, 0, -1, 0, 0, 0], [1, 0, 1, 0, 0, -1, 0, 0], [0, 1, 0, 1, 0, 0, -1, 0]]))
    numbers = np.array([5.0, 7, 25, 13, 12, 30, 20, 0])
    unknown = np.arange(8) < 4
    lower, upper = np.where(unknown, 0, numbers), np.where(unknown, np.inf, numbers)
    low, high = bound_cells(relations, lower, upper, unknown, np.zeros(8), np.full(8, 100.0))
    assert low[:4] == pytest.approx([0, 0, 18, 8])
    assert high[:4] == pytest.approx([12, 12, 30, 20])


def test_bounds_are_looked_for_no_further_than_the_reach() -> None:
    relations = csr_array(np.array([[1.0, 1, -1]]))
    lower, upper = np.array([0, 0, 50.0]), np.array([np.inf, np.inf, 50])
    wanted = np.array([True, False, False])
    low, high = bound_cells(relations, lower, upper, wanted, np.full(3, 1.0), np.full(3, 10.0))
    assert (low[0], high[0]) == (1, 10)


@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_those_of_a_linear_programme_for_each_cell(seed: int) -> None:
    """Two tables side by side that no sum connects, one of two ways and one of one, as far as is asked for."""
    random = np.random.default_rng(seed)
    parts = [make_cells(random.integers(0, 30, shape)) for shape in ((3, 4), (1, 2), (2, 2))]
    relations = csr_array(block_diag([one.relations for one in parts]))
    numbers = np.concatenate([one.numbers for one in parts])
    hidden = random.random(len(numbers)) < 0.6
    lower = np.where(hidden, np.maximum(numbers - random.integers(0, 40, len(numbers)), 0), numbers)
    upper = np.where(hidden, np.where(random.random(len(numbers)) < 0.5, np.inf, numbers + 20), numbers)
    wanted = hidden & (random.random(len(numbers)) < 0.7)
    reach_low, reach_high = (
        numbers - random.integers(0, 9, len(numbers)),
        numbers + random.integers(0, 25, len(numbers)),
    )
    low, high = bound_cells(relations, lower, upper, wanted, reach_low, reach_high)
    for cell in range(len(numbers)):
        if not wanted[cell]:
            assert (low[cell], high[cell]) == (lower[cell], upper[cell])
            continue
        aim, bounds = np.eye(len(numbers))[cell], np.column_stack([lower, upper])
        ends = [
            linprog(sign * aim, A_eq=relations, b_eq=np.zeros(relations.shape[0]), bounds=bounds) for sign in (1, -1)
        ]
        least, most = ends[0].fun, np.inf if ends[1].status == 3 else -ends[1].fun
        assert low[cell] == pytest.approx(max(least, min(reach_low[cell], most)), abs=1e-5)
        assert high[cell] == pytest.approx(min(most, max(reach_high[cell], least)), abs=1e-5)


def test_a_total_costs_a_hundred_times_what_it_sums_and_what_nobody_sees_nothing() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [0, 9, np.nan, 999]})
    cells = build_cells(frame, ["area"], ["people"], {"area": "All"})
    assert weigh_cells(cells).tolist() == [10, 20, 0, 4000]


def test_a_solver_gets_a_table_in_the_form_that_it_reads() -> None:
    frame = pd.DataFrame({"area": ["a", "b", "c", "All"], "people": [4, 30, 60, 94]})
    cells = build_cells(frame, ["area"], ["people"], {"area": "All"})
    aim = make_aim(cells)
    places = np.array([0, 1, 2, 3])
    text = secondary._write_table(cells, aim, weigh_cells(cells), csc_array(cells.relations), places)
    assert text.splitlines() == [
        "0",
        "4",
        "0 4.0 17 u 0.0 904.0 3.0 6.0 0",  # at least 1 and up to 10; no cell is more than 900 above its number
        "1 30.0 25 s 0.0 930.0 0.0 0.0 0",
        "2 60.0 28 s 0.0 960.0 0.0 0.0 0",
        "3 94.0 3000 s 0.0 994.0 0.0 0.0 0",
        "1",
        "0.0 4 : 0 (1) 1 (1) 2 (1) 3 (-1)",
    ]
    dear = secondary._write_table(cells, aim, weigh_cells(cells) * 1e9, csc_array(cells.relations), places)
    prices = [int(line.split()[2]) for line in dear.splitlines()[2:6]]
    assert sum(prices) <= 1e9 + 4
    assert prices[3] / prices[0] == pytest.approx(3000 / 17, rel=1e-3)


def test_cells_that_no_sum_moves_together_are_parts_of_their_own() -> None:
    frame = pd.DataFrame({"area": [*"aabbcc"], "sex": ["f", "All"] * 3, "people": [4, 4, 20, 20, 0, 0]})
    cells = build_cells(frame, ["area", "sex"], ["people"], {"sex": "All"})
    part = secondary._split_table(cells, make_aim(cells))
    assert part[0] == part[1]
    assert part[2] == part[3]
    assert len({*part[[0, 2, 4, 5]]}) == 4  # zeros are shown, so they cannot move


def test_sums_that_contradict_others_are_dropped_and_no_more_than_these() -> None:
    relations = csr_array(np.array([[1.0, 1, 0, -1], [0, 1, 1, -1], [1, 0, -1, 0]]))
    apart = np.array([2.0, 0, 7, 20]), np.array([2.0, np.inf, 7, 20])
    assert drop_contradicted(relations, *apart).shape[0] == 1
    whole = np.array([2.0, 0, 2, 20]), np.array([2.0, np.inf, 2, 20])
    assert drop_contradicted(relations, *whole).toarray().tolist() == relations.toarray().tolist()
    assert find_least(relations, *whole, 1) == pytest.approx(18)
    assert find_least(relations, *apart, 1) is None


def test_a_sum_bounds_each_of_its_cells_by_the_others() -> None:
    relations = csr_array(np.array([[1.0, 1, -1]]))
    cell, least, most = bound_by_sums(relations, np.zeros(1), np.array([2.0, 0, 30]), np.array([9, np.inf, 40]))
    assert dict(zip(cell.tolist(), zip(least.tolist(), most.tolist(), strict=True), strict=True)) == {
        0: (-np.inf, 40),
        1: (21, 38),
        2: (2, np.inf),
    }


@pytest.mark.parametrize(
    ("people", "message"),
    [([3, 4, 8], "1 of area"), ([3, np.nan, 2], "1 of area"), ([3, 4, -7], "0 or more")],
)
def test_sums_that_do_not_add_up_are_told_by_their_field(people: list[float], message: str) -> None:
    frame = pd.DataFrame({"area": ["a", "b", "All"], "people": people})
    with pytest.raises(CheckError, match=message):
        build_cells(frame, ["area"], ["people"], {"area": "All"})


@pytest.mark.parametrize("people", [[3, 4, np.nan], [3, np.nan, 9], [np.nan, 0, 0]])
def test_a_missing_number_is_one_that_fits_the_sums_and_that_nobody_sees(people: list[float]) -> None:
    frame = pd.DataFrame({"area": ["a", "b", "All"], "people": people})
    cells = build_cells(frame, ["area"], ["people"], {"area": "All"})
    assert cells.numbers[0] + cells.numbers[1] == pytest.approx(cells.numbers[2])
    assert (cells.is_published == ~np.isnan(people)).all()
    assert cells.is_total.tolist() == [False, False, True]


def test_a_table_without_a_row_for_the_total_has_no_sum() -> None:
    frame = pd.DataFrame({"area": ["a", "b"], "people": [3, 4]})
    assert build_cells(frame, ["area"], ["people"], {"area": "All"}).relations.shape == (0, 2)


def test_a_key_that_names_two_rows_is_an_error() -> None:
    frame = pd.DataFrame({"area": ["a", "a"], "people": [3, 4]})
    with pytest.raises(CheckError, match="name a row once"):
        build_cells(frame, ["area"], ["people"], {})
