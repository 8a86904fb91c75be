"""Steps run side by side, each after what it waits for."""

import threading
import time
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.running.parts import run_in_lanes


@st.composite
def plans(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [str(number) for number in range(draw(st.integers(1, 6)))]
    return {
        name: draw(st.lists(st.sampled_from([*names[:place], "done before"]), unique=True))
        for place, name in enumerate(names)
    }


@given(plans(), st.integers(1, 3))
def test_each_step_runs_once_and_after_what_it_waits_for(steps: dict[str, list[str]], at_once: int) -> None:
    events: list[tuple[str, str]] = []

    def work(step: str) -> None:
        events.append(("begin", step))
        events.append(("end", step))

    run_in_lanes(steps, work, at_once)
    assert sorted(name for kind, name in events if kind == "begin") == sorted(steps)
    for step, names in steps.items():
        for name in names:
            if name in steps:
                assert events.index(("end", name)) < events.index(("begin", step))


def test_two_that_do_not_wait_for_each_other_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)
    run_in_lanes({"a": [], "b": []}, lambda _: meeting.wait() and None, 2)


def test_no_more_run_at_once_than_are_allowed() -> None:
    running: list[int] = []
    most = []

    def work(step: str) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()

    run_in_lanes({name: [] for name in "abcdef"}, work, 2)
    assert max(most) == 2


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_step_that_fails_is_told_and_none_is_begun_after_it(at_once: int) -> None:
    begun = []

    def work(step: str) -> None:
        begun.append(step)
        if step == "bad":
            raise KeyError(step)

    with pytest.raises(KeyError, match="bad"):
        run_in_lanes({"bad": [], "next": ["bad"], "last": ["next"]}, work, at_once)
    assert begun == ["bad"]


def test_what_runs_beside_a_step_that_fails_is_left_to_end() -> None:
    ended = []

    def work(step: str) -> None:
        if step == "bad":
            raise KeyError(step)
        time.sleep(0.05)
        ended.append(step)

    with pytest.raises(KeyError):
        run_in_lanes({"good": [], "bad": []}, work, 2)
    assert ended == ["good"]


def test_steps_that_wait_for_each_other_are_an_error() -> None:
    with pytest.raises(CycleError):
        run_in_lanes({"a": ["b"], "b": ["a"]}, lambda _: None, 2)
