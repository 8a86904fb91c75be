"""The parts of an edition: which cannot be made of the files that are there, and in which order the others run."""

import re
import threading
from collections.abc import Callable, Collection, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from queue import SimpleQueue

from councilbook.catalogue import Catalogue, Finder, StudySpec
from councilbook.errors import NotThereError
from councilbook.gate.editions import LeftOut

TOO_FEW = "The records are too few for it."
REFUSED = (
    "The disclosure rules let nothing of it out. The records are too few, or what was published before would give "
    "some of them away."
)
HELD = "What was published before would give some of the records away beside it. So it is held back."
TO_DO = (
    "It alone is held back, as nothing else rests on it. Once more has changed, it may pass. The version that was "
    "published before is kept aside, and the next is held against it. If nobody has had it, whoever approves may have "
    "its folder moved away:"
)
NOT_LINKED = "Two files that it needs are not of one linkage: the pseudonyms of the one are not in the other."
NOT_THERE = "A file that it needs is not there."
MAY_STOP = {  # an optional part: what is shown then; nothing here: the first sentence of the message
    "NotThereError": NOT_THERE,
    "NotLinkedError": NOT_LINKED,
    "NotToldError": "",
    "TooFewError": TOO_FEW,
    "ReleaseRefusedError": REFUSED,
    "PublishedBeforeError": REFUSED,
}

Ended = SimpleQueue[tuple[str, BaseException | None]]


def find_absent(catalogue: Catalogue, study: str, finder: Finder) -> dict[str, LeftOut]:
    """Find the optional notebooks that lack a closed file for which nothing may stand in.

    Raises:
        SourceError: a notebook that is not optional lacks one; or a twin would stand in beside real files of the same
            records.
    """
    found: dict[str, LeftOut] = {}
    for name, notebook in catalogue.study(study).notebooks.items():
        reasons, titles = list[str](), list[str]()
        for source in catalogue.expand(notebook.sources):
            is_needed = source.spectrum != "open" and not source.optional and source.id not in notebook.does_without
            if not is_needed or finder.find_local(source):
                continue
            try:
                finder.require_stand_in(source)
            except NotThereError as error:
                if not notebook.optional:
                    raise
                reasons.append(str(error))
                titles.append(source.title)
        if titles:
            shown = f"{'Missing file' if len(titles) == 1 else 'Missing files'}: {'; '.join(titles)}."
            found[name] = LeftOut(reason="\n".join(reasons), shown=shown)
    return found


def find_cause(spec: StudySpec, notebook: str, left_out: Mapping[str, LeftOut]) -> LeftOut | None:
    """Return why a notebook is left out, if it lacks a file itself, or is optional and comes after one left out."""
    if notebook in left_out or not spec.notebooks[notebook].optional:
        return left_out.get(notebook)
    before = [one for one in spec.list_just_before(notebook) if one in left_out]
    if not before:
        return None
    title = spec.notebooks[before[0]].title
    return LeftOut(reason=f"It goes on from {before[0]}.", shown=f"It goes on from a part that is left out: {title}.")


def explain_stop(name: str, reason: str) -> LeftOut:
    """Say why an optional part is left out that stopped with an error of MAY_STOP; `reason` begins with its name."""
    told = re.split(r"(?<=\.) ", reason.removeprefix(f"{name}: "))[0]
    return LeftOut(reason=reason, shown=MAY_STOP[name] or told)


def explain_held(reason: str, kept: Path) -> LeftOut:
    """Say why a dataset is held back, and what can be done; `kept` is where its earlier version will lie."""
    return LeftOut(reason=f"{reason} {TO_DO} {kept}", shown=HELD)


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
