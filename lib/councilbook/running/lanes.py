"""Running steps side by side, each as soon as what it waits for has run."""

import threading
from collections.abc import Callable, Collection, Mapping
from graphlib import TopologicalSorter
from queue import SimpleQueue

Ended = SimpleQueue[tuple[str, BaseException | None]]


def run_in_lanes(steps: Mapping[str, Collection[str]], work: Callable[[str], None], at_once: int) -> None:
    """Run each step once all that it waits for has run.

    One at a time, they run in the order given, and in this thread. Several at a time run in threads that do not keep
    the process from ending. If a step fails, no further one is begun, and those that are running are left to end.

    Args:
        steps: each step and what it waits for; what is no step itself counts as run.
        work: runs a step.
        at_once: most steps at a time.

    Raises:
        Exception: the first that a step raised.
        graphlib.CycleError: steps wait for each other.
    """
    if at_once == 1 or len(steps) == 1:
        for step in steps:
            work(step)
        return
    places = list(steps)
    sorter = TopologicalSorter({step: steps.keys() & set(names) for step, names in steps.items()})
    sorter.prepare()
    ready: list[str] = []
    ended: Ended = SimpleQueue()
    running, failure = 0, None
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=places.index)
        while ready and running < at_once and not failure:
            threading.Thread(target=_run, args=(ready.pop(0), work, ended), daemon=True).start()
            running += 1
        if not running:
            break
        step, error = ended.get()
        running -= 1
        failure = failure or error
        sorter.done(step)
    if failure:
        raise failure


def _run(step: str, work: Callable[[str], None], ended: Ended) -> None:
    try:
        work(step)
    except BaseException as error:
        ended.put((step, error))
    else:
        ended.put((step, None))
