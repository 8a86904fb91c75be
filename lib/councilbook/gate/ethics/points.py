"""Points of a data ethics canvas: where each stands for a council, and what may not leave as long as one is open.

A settled point holds whichever council runs the study. An open one has to be accepted by each council, in the role that
the point names: in canvas.yaml, or by `councilbook release --accept`. An acceptance holds for the answer that was read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from councilbook.catalogue import CANVAS, Catalogue, Council, Dataset, Point, hash_text
from councilbook.errors import NotSettledError, ParameterError, suggest
from councilbook.pages.html.wording import format_date
from councilbook.paths import Workbook, make_private_folder

ACCEPTED = "acceptances.jsonl"


@dataclass(frozen=True)
class Standing:
    """Where a point stands for a council."""

    study: str
    council: Council
    name: str
    point: Point
    state: Literal["settled", "open", "accepted"]
    day: str = ""  # ISO date on which it was settled or accepted

    @property
    def key(self) -> str:
        """How it is called when it is accepted: study/council/point."""
        return f"{self.study}/{self.council.slug}/{self.name}"

    @property
    def told(self) -> str:
        """Where it stands, in words: its state, the role that decided and the day."""
        return f"{self.state} by the {self.point.by}, {format_date(self.day)}" if self.day else self.state


def list_points(catalogue: Catalogue, study: str, council: Council) -> list[Standing]:
    """Say where each point of a study's canvas stands for a council; none where the study has no canvas."""
    canvas = catalogue.canvases.get(study)
    logged = _read_log(catalogue.workbook)
    found = []
    for name, point in canvas.points.items() if canvas else ():
        here = Standing(study, council, name, point, "open")
        days = [f"{point.accepted[code].day}" for code in council.codes if code in point.accepted]
        day = max(days) if len(days) == len(council.codes) else logged.get((here.key, _hash_point(point)))
        if point.day:
            here = replace(here, state="settled", day=f"{point.day}")
        elif day:
            here = replace(here, state="accepted", day=day)
        found.append(here)
    return found


def require_settled(
    catalogue: Catalogue, study: str, council: Council, sources: Mapping[str, str], what: str, run_date: str
) -> None:
    """Stop what is made of real closed or shared data as long as a point about them is open, or the canvas too old.

    Args:
        catalogue: the workbook's.
        study: whose canvas counts.
        council: that it is made for.
        sources: the closed and shared ones that real files were read of: id to what a reader calls it.
        what: what is stopped, as the message begins.
        run_date: ISO date, after which the canvas must not have had to be looked at again.

    Raises:
        NotSettledError: one is open, or that day is past; the message says who can settle it, and how.
    """
    canvas = catalogue.canvases.get(study)
    if sources and canvas and f"{canvas.review_by}" < run_date:
        raise NotSettledError(
            f"{what}: the study's data ethics canvas had to be looked at again by {format_date(canvas.review_by)}, and "
            f"that day is past. Nothing was written.\nThe {canvas.owner} has to read notebooks/{study}/{CANVAS} again, "
            "put right what has changed, and write the next day there as review_by. Then run again."
        )
    points = [one for one in list_points(catalogue, study, council) if one.state == "open" and one.point.stops]
    about = {one.key: {source.id for source in catalogue.expand(one.point.sources)} for one in points}
    blocking = [one for one in points if not about[one.key] or not about[one.key].isdisjoint(sources)]
    if not (sources and blocking):
        return
    named = [title for name, title in sources.items() if any(name in (about[one.key] or sources) for one in blocking)]
    lines = [
        f'- "{one.point.question}" The {one.point.by} has to accept the answer. To do first: {one.point.to_do}\n'
        f'  Then: councilbook release --accept {one.key} --role "{one.point.by}" --by "YOUR NAME"'
        for one in blocking
    ]
    number = "a point" if len(lines) == 1 else f"{len(lines)} points"
    raise NotSettledError(
        f"{what}: it is made from real data that are not open ({', '.join(named)}), and the study's data "
        f"ethics canvas has {number} that {council.name} has not accepted yet. Nothing was written.\n"
        + "\n".join(lines)
        + f"\nThe answers are in notebooks/{study}/{CANVAS}. When all are accepted, run again."
    )


def refuse_unsettled(
    catalogue: Catalogue,
    study: str,
    council: Council,
    dataset: Dataset,
    rows: Iterable[Mapping[str, object]],
    run_date: str,
) -> None:
    """Refuse a dataset as long as a point about the real closed or shared data in it is open.

    What is closed itself stays inside, and is not refused.

    Args:
        catalogue, study, council, run_date: see `require_settled`.
        dataset: what is to be released.
        rows: its provenance, a row a source file.

    Raises:
        NotSettledError: see `require_settled`.
    """
    real = {
        str(row["source_id"]): str(row["title"]) for row in rows if row["spectrum"] != "open" and not row["synthetic"]
    }
    if dataset.classification != "closed":
        require_settled(catalogue, study, council, real, f"Dataset {dataset.id} was not released", run_date)


def accept_point(catalogue: Catalogue, key: str, *, role: str, person: str, day: str) -> Standing:
    """Record that an open point is accepted for a council.

    The role and the day are shown; the person's name stays in a private list, `acceptances.jsonl`.

    Args:
        catalogue: the workbook's.
        key: study/council/point, as the review lists it.
        role: the role that the person acts in; it must be the one that the point names.
        person: who accepts it.
        day: ISO date.

    Raises:
        ParameterError: there is no such point, it is not open, or the role is another.
        CatalogueError: there is no such council.
    """
    study, _, rest = key.partition("/")
    council, _, name = rest.partition("/")
    if not name or study not in catalogue.canvases:
        raise ParameterError(
            f"{key} names no point. Say study/council/point.{suggest(study, catalogue.canvases)} A study without a "
            "canvas has no points."
        )
    known = {one.name: one for one in list_points(catalogue, study, catalogue.council(council))}
    if name not in known:
        raise ParameterError(f"The canvas of {study} has no point {name!r}.{suggest(name, known)}")
    found = known[name]
    if found.state != "open":
        raise ParameterError(f"{found.key} is not open: it is {found.told}.")
    if role.casefold() != found.point.by.casefold():
        raise ParameterError(f"{found.key} is to be accepted by: {found.point.by}. The role given is {role!r}.")
    line = {"date": day, "point": found.key, "content": _hash_point(found.point), "role": found.point.by, "by": person}
    log = make_private_folder(catalogue.workbook.private) / ACCEPTED
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return Standing(study, found.council, name, found.point, "accepted", day)


def _hash_point(point: Point) -> str:
    return hash_text(json.dumps([point.question, point.answer, point.by, sorted(point.sources)]))


def _read_log(workbook: Workbook) -> dict[tuple[str, str], str]:
    """Return the day of each acceptance that was recorded, by the point's name and what it said then."""
    log = workbook.private / ACCEPTED
    lines: Sequence[str] = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return {(one["point"], one["content"]): one["date"] for one in map(json.loads, lines)}
