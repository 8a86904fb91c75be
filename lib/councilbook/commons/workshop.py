"""A study as a workshop: a walk through its own notebooks, with exercises that check themselves.

`notebooks/<study>/workshop.yaml` says which tagged cells are shown, what to ask of them, and how long it takes. Nothing
is copied by hand: when a notebook changes, so does the workshop.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from councilbook.catalogue import Catalogue
from councilbook.catalogue.entries import Entry, Name
from councilbook.errors import CatalogueError, ParameterError
from councilbook.pages.html.pieces import render_template
from councilbook.pages.page import write_page
from councilbook.paths import write_atomically

FILE = "workshop.yaml"
SHORTEST, LONGEST = 60, 90  # minutes
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}

Cell = Mapping[str, Any]  # of a notebook, as its file has it


class Exercise(Entry):
    """A question that participants answer in code, and what is right."""

    question: str
    starter: str = Field(description="Code that a participant goes on from; it sets `answer`.")
    solution: str = Field(description="Code that sets `answer` right.")
    is_right: str = Field(description="Expression over `answer` and the walk's variables; true if the answer is right.")
    hint: str
    says: str = Field(description="What the answer says, shown once it is right.")


class Step(Entry):
    """A stretch of the walk: cells of one notebook, what to talk about, and exercises."""

    id: Name
    title: str
    minutes: int = Field(ge=5, le=40)
    notebook: str = Field(description="Notebook whose cells with the tag workshop-<id> are shown.")
    prompt: str = Field(description="What participants look at and talk about.")
    facilitator: str = Field(description="What the facilitator should bring out.")
    exercises: Sequence[Exercise] = ()


class Plan(Entry):
    """A workshop."""

    title: str
    purpose: str
    bring: list[str] = Field(description="What has to be there before it begins.")
    steps: list[Step] = Field(min_length=1)
    close: str = Field(description="The question to end on.")

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return sum(step.minutes for step in self.steps)


@dataclass(frozen=True)
class Walk:
    """A workshop that participants walk through in a notebook."""

    plan: Plan

    @classmethod
    def open(cls, study: str, catalogue: Catalogue) -> "Walk":
        """Open the workshop of a study, as its notebook does."""
        return cls(read_plan(catalogue, study))

    def check(self, exercise: str, variables: Mapping[str, Any]) -> None:
        """Print whether an answer is right, and what it says, or else a hint.

        Args:
            exercise: its step and number, as `years-1`.
            variables: those of the notebook, with the `answer` among them.
        """
        step, _, number = exercise.rpartition("-")
        one = next(one for one in self.plan.steps if one.id == step).exercises[int(number) - 1]
        # The expression is the workbook's own, as the cells around it are.
        try:
            is_right = bool(eval(one.is_right, dict(variables)))
        except (TypeError, ValueError, LookupError, AttributeError):  # an answer of another kind
            is_right = False
        print(f"Right. {one.says}" if is_right else f"Not yet. {one.hint}")


def read_plan(catalogue: Catalogue, study: str) -> Plan:
    """Read the workshop of a study.

    Raises:
        ParameterError: it has none.
        CatalogueError: it is not as a workshop must be, lasts too short or too long, or names a notebook that is not
            there.
    """
    file = catalogue.workbook.notebooks / study / FILE
    if not file.is_file():
        able = sorted(one.parent.name for one in catalogue.workbook.notebooks.glob(f"*/{FILE}"))
        raise ParameterError(f"{study} has no workshop. These have one: {', '.join(able) or 'none'}.")
    where = f"{study}/{FILE}"
    plan = Plan.read_file(file)
    if not SHORTEST <= plan.minutes <= LONGEST:
        raise CatalogueError(f"{where}: its steps take {plan.minutes} minutes; {SHORTEST} to {LONGEST} were expected.")
    known = catalogue.study(study).notebooks
    if missing := [step.notebook for step in plan.steps if step.notebook not in known]:
        raise CatalogueError(f"{where}: {study} has no notebook {missing[0]}.")
    return plan


def write_workshop(catalogue: Catalogue, study: str, folder: Path) -> list[Path]:
    """Write a study's workshop: two notebooks, a page for the facilitator and a handout to print.

    Args:
        catalogue: of the workbook.
        study: its id.
        folder: where to write.

    Returns:
        The files: `workshop.ipynb`, `solutions.ipynb`, `facilitator.html`, `handout.html`.

    Raises:
        ParameterError, CatalogueError: see `read_plan`; or no cell of a notebook has a step's tag.
    """
    plan = read_plan(catalogue, study)
    notebooks = {
        step.notebook: _read_cells(catalogue.workbook.notebooks / study / f"{step.notebook}.ipynb")
        for step in plan.steps
    }
    written = []
    for name, solved in (("workshop", False), ("solutions", True)):
        cells = [
            {"id": f"{name}-{number:02d}", "metadata": {}, **cell}
            for number, cell in enumerate(_list_cells(plan, study, notebooks, solved=solved))
        ]
        whole = {"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
        written.append(folder / f"{name}.ipynb")
        with write_atomically(written[-1]) as temporary:
            temporary.write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8", newline="\n")
    for name in ("facilitator", "handout"):
        page = render_template(
            "commons/workshop.html.j2", plan=plan, study=catalogue.study(study), is_handout=name == "handout"
        )
        written.append(folder / f"{name}.html")
        write_page(page, written[-1], f"{study}/{name}.html")
    return written


def _list_cells(plan: Plan, study: str, notebooks: Mapping[str, Sequence[Cell]], *, solved: bool) -> Iterator[Cell]:
    """Yield the cells of a walk; each notebook's own set-up goes before the first of its cells."""
    begun: set[str] = set()
    bring = "\n".join(f"- {line}" for line in plan.bring)
    kind = "solutions" if solved else f"{plan.minutes} minutes"
    yield _write_cell("markdown", f"# {plan.title}: {kind}\n\n{plan.purpose}\n\n**Before you begin**\n\n{bring}")
    yield _write_cell("code", _join_parameters(notebooks.values()))
    yield _write_cell(
        "code",
        "from councilbook.catalogue import load_catalogue\n"
        "from councilbook.commons.workshop import Walk\n"
        "from councilbook.paths import find_workbook\n\n"
        f'walk = Walk.open("{study}", load_catalogue(find_workbook()))',
    )
    for number, step in enumerate(plan.steps, start=1):
        yield _write_cell("markdown", f"## {number}. {step.title} ({step.minutes} minutes)\n\n{step.prompt}")
        cells = _choose_cells(notebooks[step.notebook], step, is_first=step.notebook not in begun)
        begun.add(step.notebook)
        yield from (_write_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells)
        for place, exercise in enumerate(step.exercises, start=1):
            hint = f"<details><summary>A hint</summary>{exercise.hint}</details>"
            yield _write_cell("markdown", f"**Exercise {number}.{place}** {exercise.question}\n\n{hint}")
            yield _write_cell("code", exercise.solution if solved else exercise.starter)
            yield _write_cell("code", f'walk.check("{step.id}-{place}", globals())')
    yield _write_cell("markdown", f"## To end\n\n{plan.close}")


def _choose_cells(cells: Sequence[Cell], step: Step, *, is_first: bool) -> list[Cell]:
    """Return a step's cells, and before the first of a notebook those that set it up."""
    tag = f"workshop-{step.id.replace('_', '-')}"
    chosen = [cell for cell in cells if tag in _list_tags(cell)]
    if not chosen:
        raise CatalogueError(f"{step.notebook}.ipynb: no cell has the tag {tag}, which step {step.id} asks for.")
    return [*(cell for cell in cells if is_first and "setup" in _list_tags(cell)), *chosen]


def _join_parameters(notebooks: Iterable[Sequence[Cell]]) -> str:
    """Return the parameters cells of some notebooks as one, each parameter once."""
    cells = [cell for cells in notebooks for cell in cells if "parameters" in _list_tags(cell)]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    return "\n".join({line.split(":")[0]: line for line in lines}.values())


def _read_cells(notebook: Path) -> list[Cell]:
    cells: list[Cell] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells


def _list_tags(cell: Cell) -> Sequence[str]:
    tags: Sequence[str] = cell["metadata"].get("tags", [])
    return tags


def _write_cell(kind: Literal["code", "markdown"], text: str) -> Cell:
    lines = text.strip().splitlines(keepends=True)
    about: Cell = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": lines, **about}
