"""What rests on a table of assumed values says so: no notebook can use one and release data as if they were real."""

import ast
from pathlib import Path

import grimp
import nbformat
import pytest

from councilbook.catalogue import load_catalogue
from councilbook.paths import find_workbook

CATALOGUE = load_catalogue(find_workbook(Path(__file__).parent))
VALUES = "councilbook.methods.uncertainty"  # Parameter: a value with its range, and whether it is an assumption


def list_holders() -> set[str]:
    """List the modules that read a table of uncertain values, and all that import one of them."""
    graph = grimp.build_graph("councilbook", cache_dir=None)
    folder = CATALOGUE.workbook.root / "lib"
    direct = {
        name
        for name in graph.find_modules_that_directly_import(VALUES)
        if "Parameter" in (folder / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    }
    studies = {name for one in direct for name in graph.find_downstream_modules(one)}
    return direct | {name for name in studies if name.split(".")[1] in CATALOGUE.studies}


def list_imports(file: Path) -> set[str]:
    code = [cell.source for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]
    nodes = [node for text in code for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return {name for node in nodes for one in node.names for name in (node.module or "", f"{node.module}.{one.name}")}


@pytest.mark.parametrize("study", sorted(CATALOGUE.studies))
def test_what_is_made_with_assumed_values_is_declared_as_assumed(study: str) -> None:
    holders, declared = list_holders(), False
    for name, notebook in CATALOGUE.study(study).notebooks.items():
        used = holders & list_imports(CATALOGUE.workbook.notebooks / study / f"{name}.ipynb")
        told = [one for one in notebook.releases if CATALOGUE.dataset(one).assumes]
        declared |= bool(used and told)
        if used and notebook.kind == "build" and notebook.releases:
            assert told, f"{study}/{name} uses {', '.join(sorted(used))}, and none of its datasets says what is assumed"
    values = any(name.startswith(f"councilbook.{study}.") for name in holders)
    assert declared == values  # careers has none of these tables: its values are parameters of a notebook


def test_all_that_the_systems_model_says_is_assumed() -> None:
    notebook = CATALOGUE.study("fuel_poverty").notebooks["6_scenarios"]
    assert [name for name in notebook.releases if not CATALOGUE.dataset(name).assumes] == []
