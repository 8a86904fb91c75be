"""Workshops: each walk is made of the study's own cells, its solutions are right, and nothing else is."""

import json
import shutil
from html import unescape
from pathlib import Path

import papermill
import pytest
import yaml

from councilbook.catalogue import load_catalogue
from councilbook.commons import workshop
from councilbook.errors import CatalogueError, ParameterError
from councilbook.paths import Workbook
from whole_workbook import ROOT, copy_workbook

WRONG = [
    "None",
    "-1",
    "'no idea'",
    "[]",
    "(1, 2)",
    "float('nan')",
    "[answer, answer]",
    "not answer",
    "str(answer) + '.'",
]
STUDIES = sorted(file.parent.name for file in ROOT.glob(f"notebooks/*/{workshop.FILE}"))


@pytest.fixture
def copied(tmp_path: Path) -> Workbook:
    return copy_workbook(tmp_path)


def change(workbook: Workbook, **changes: object) -> None:
    file = workbook.notebooks / "fuel_poverty" / workshop.FILE
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize("study", STUDIES)
def test_a_walk_has_the_cells_of_its_notebooks_and_no_solution(study: str, copied: Workbook) -> None:
    catalogue = load_catalogue(copied)
    written = workshop.write_workshop(catalogue, study, copied.root / "out")
    plan = workshop.read_plan(catalogue, study)
    walk, solutions = (json.loads(file.read_text(encoding="utf-8")) for file in written[:2])
    sources = ["".join(cell["source"]) for cell in walk["cells"]]
    solved = ["".join(cell["source"]) for cell in solutions["cells"]]
    assert len(sources) == len(solved) > 3 * len(plan.steps)
    for exercise in (one for step in plan.steps for one in step.exercises):
        assert exercise.solution.strip() in solved
        assert exercise.solution.strip() not in sources
    handout = unescape(written[3].read_text(encoding="utf-8"))
    facilitator = unescape(written[2].read_text(encoding="utf-8"))
    assert all(exercise.says not in handout for step in plan.steps for exercise in step.exercises)
    assert all(step.title in handout and step.title in facilitator for step in plan.steps)


def try_answers(check: dict, solution: str) -> list[dict]:
    """Make the cells that give a check its solution and wrong answers of each kind; none leaves the walk a variable."""
    source = "".join(check["source"])
    solve = f"solved = dict(globals())\nexec({solution!r}, solved)\n{source.replace('globals()', 'solved')}"
    asked = source.replace("globals()", 'solved | {"answer": wrong}')
    err = f"answer = solved['answer']\nfor wrong in [{', '.join(WRONG)}]:\n    {asked}\nanswer = ..."
    return [
        {**check, "id": f"{check['id']}-{kind}", "source": code} for kind, code in (("solved", solve), ("wrong", err))
    ]


@pytest.mark.parametrize("study", STUDIES)
def test_the_solutions_are_right_and_an_answer_left_open_is_not(study: str, sample: Workbook) -> None:
    """The walk runs as participants get it, every answer open; each solution is tried at its place and taken back."""
    folder = sample.root / "workshops" / study
    files = workshop.write_workshop(load_catalogue(sample), study, folder)
    walk, solutions = (json.loads(file.read_text(encoding="utf-8")) for file in files[:2])
    cells, solution = [], ""
    for cell, solved in zip(walk["cells"], solutions["cells"], strict=True):
        cells.append(cell)
        if cell["source"] != solved["source"]:
            solution = "".join(solved["source"])
        elif "walk.check(" in "".join(cell["source"]):
            cells += try_answers(cell, solution)
    files[0].write_text(json.dumps(walk | {"cells": cells}), encoding="utf-8")
    done = papermill.execute_notebook(
        files[0], folder / "done.ipynb", cwd=str(folder), progress_bar=False, kernel_name="python3"
    )
    shutil.rmtree(folder)
    told: dict[str, list[str]] = {"open": [], "solved": [], "wrong": []}
    for cell in [cell for cell in done.cells if "walk.check(" in cell.source]:
        kind = next((kind for kind in ("solved", "wrong") if cell.id.endswith(f"-{kind}")), "open")
        told[kind].append("".join(out.text for out in cell.outputs))
    wrong = "".join(told["wrong"])
    assert len(wrong.splitlines()) == len(WRONG) * len(told["solved"])
    assert "Right" not in wrong, wrong
    assert told["solved"] and all(text.startswith("Right. ") for text in told["solved"])
    assert len(told["open"]) == len(told["solved"])
    assert all(text.startswith("Not yet. ") for text in told["open"])


@pytest.mark.parametrize("wrong", [..., None, "no idea", -1, [1, 2], float("nan")])
def test_a_wrong_answer_of_any_kind_gets_a_hint(wrong: object, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = workshop.Exercise(
        question="?",
        starter="answer = ...",
        solution="answer = 3",
        is_right="abs(answer - 3) < 1",
        hint="Add.",
        says="3.",
    )
    step = workshop.Step(
        id="one", title="One", minutes=5, notebook="1", prompt="?", facilitator="!", exercises=[exercise]
    )
    walk = workshop.Walk(workshop.Plan(title="A", purpose="B", bring=["C"], steps=[step], close="D"))
    walk.check("one-1", {"answer": wrong})
    assert capsys.readouterr().out == "Not yet. Add.\n"
    walk.check("one-1", {"answer": 3.2})
    assert capsys.readouterr().out == "Right. 3.\n"


def test_what_is_wrong_with_a_plan_is_said(copied: Workbook) -> None:
    catalogue = load_catalogue(copied)
    with pytest.raises(ParameterError, match=r"has no workshop. These have one: .*fuel_poverty"):
        workshop.read_plan(catalogue, "nowhere")
    step = yaml.safe_load((copied.notebooks / "fuel_poverty" / workshop.FILE).read_text(encoding="utf-8"))["steps"][0]
    change(copied, steps=[step])
    with pytest.raises(CatalogueError, match="take 15 minutes; 60 to 90 were expected"):
        workshop.read_plan(catalogue, "fuel_poverty")
    change(copied, steps=[step | {"minutes": 40, "id": f"step_{place}"} for place in range(2)])
    with pytest.raises(CatalogueError, match="no cell has the tag workshop-step-0"):
        workshop.write_workshop(catalogue, "fuel_poverty", copied.root / "out")
    assert not (copied.root / "out").exists()
    change(copied, steps=[step | {"minutes": "long"}])
    with pytest.raises(CatalogueError, match=r"steps\.0\.minutes"):
        workshop.read_plan(catalogue, "fuel_poverty")
