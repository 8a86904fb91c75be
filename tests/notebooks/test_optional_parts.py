"""A report without any of its optional parts: what is left of it needs nothing of what is left out."""

import ast
import builtins
import json
from itertools import chain, combinations

import pytest

from councilbook.catalogue import load_catalogue
from councilbook.gate.editions import LeftOut
from councilbook.pages.reports.parts import leave_out_parts
from councilbook.paths import find_workbook
from councilbook.running.parts import find_cause

WORKBOOK = find_workbook()
CATALOGUE = load_catalogue(WORKBOOK)


def list_cases():
    """List for each study every set of parts that may be left out, with what goes on from them."""
    for study, spec in CATALOGUE.studies.items():
        optional = [name for name, notebook in spec.notebooks.items() if notebook.optional]
        for some in chain.from_iterable(combinations(optional, count) for count in range(1, len(optional) + 1)):
            left_out = {name: LeftOut(reason="no", shown="no") for name in some}
            for name in spec.notebooks:
                if cause := find_cause(spec, name, left_out):
                    left_out[name] = cause
            gone = set(left_out)
            yield pytest.param(study, gone, id=f"{study} without {' '.join(sorted(gone))}")


@pytest.mark.parametrize(("study", "gone"), list(list_cases()))
def test_what_is_left_of_a_report_needs_nothing_of_the_parts_that_are_left_out(study, gone):
    spec = CATALOGUE.study(study)
    report = json.loads((WORKBOOK.notebooks / study / f"{spec.report}.ipynb").read_text(encoding="utf-8"))
    titles = {name: spec.notebooks[name].title for name in sorted(gone)}
    cells = leave_out_parts(report, titles, dict.fromkeys(titles, "So it is."))["cells"]
    known = set(dir(builtins))
    datasets = {one for name in gone for one in spec.notebooks[name].releases}
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        code = ast.parse("".join(cell["source"]))
        for node in ast.walk(code):
            known |= {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
            known |= {one.asname or one.name for one in getattr(node, "names", []) if isinstance(one, ast.alias)}
        used = {node.id for node in ast.walk(code) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert used <= known, (cell["id"], used - known)
        read = {node.value for node in ast.walk(code) if isinstance(node, ast.Constant) and node.value in datasets}
        assert not read or "study.list_kinds().get(" in "".join(cell["source"]), (cell["id"], read)
    told = "\n".join("".join(cell["source"]) for cell in cells)
    assert all(f"Not on this page: {title}" in told for title in titles.values())


def test_only_what_goes_on_from_a_part_itself_is_left_out_with_it():
    spec = CATALOGUE.study("business_rates")
    left_out = {"2_enrich": LeftOut(reason="no", shown="no")}
    assert [name for name in spec.notebooks if find_cause(spec, name, left_out)] == ["2_enrich", "4_missing"]
