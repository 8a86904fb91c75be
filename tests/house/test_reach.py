"""What no notebook, catalogue entry or command reaches is not in the library.

Names alone are followed, whichever module they are of, so that what is found is surely not reached.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from councilbook.paths import find_workbook

ROOT = find_workbook(Path(__file__).parent).root
LIBRARY = ROOT / "lib" / "councilbook"
DOORS = [LIBRARY / "__main__.py", *LIBRARY.glob("cli/*.py")]
NAMED_BY_OTHERS = {
    "__all__",
    "canvas_schema",  # by the test that keeps canvas.schema.json
    "study_schema",  # by the test that keeps study.schema.json
    "catalogue_schema",  # by the test that keeps schema.json
    "_repr_html_",  # by IPython
    "attribute_value",  # by Beautiful Soup
    "construct_mapping",  # by PyYAML
    "readable",  # by pyarrow
    "readinto",  # by io.BufferedReader
}
OFFERED = {
    "find_thresholds": "the thresholds of both indicators from a whole survey",
    "measure_lihc": "the official indicator up to 2019, for a council's own extract of those years",
    "total_gaps": "the fuel poverty gap of a place, as the official tables give it",
    "read_rolls": "rolls of millions of rows, in bounded memory",
}


def list_names(node: ast.AST) -> set[str]:
    """Return the names that a piece of code uses, also those in a text that names code, as `module:function`."""
    names = set()
    for child in ast.walk(node):
        match child:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.keyword(arg=str(name)):
                names.add(name)
            case ast.Constant(value=str(text)) if text.isidentifier():
                names.add(text)
    return names


def list_definitions(file: Path) -> Iterator[tuple[str, str, set[str]]]:
    """List what a module defines: where, its name, and the names it uses; a method is a definition of its own."""
    where = file.relative_to(LIBRARY).as_posix()
    if file in DOORS:
        return
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name):
                yield where, name, list_names(node)
            case ast.ClassDef(name=name, body=body):
                methods = [part for part in body if isinstance(part, ast.FunctionDef) and is_called_by_name(part)]
                own = [
                    *node.bases,
                    *node.keywords,
                    *node.decorator_list,
                    *(part for part in body if part not in methods),
                ]
                yield where, name, set().union(*map(list_names, own))
                yield from ((f"{where} {name}", method.name, list_names(method)) for method in methods)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield where, name, list_names(node)
            case ast.Import() | ast.ImportFrom():
                pass
            case _:
                yield where, "", list_names(node)


def is_called_by_name(method: ast.FunctionDef) -> bool:
    """Tell whether a method is only run when somebody names it, and not by Python or pydantic."""
    decorated = {name for decorator in method.decorator_list for name in list_names(decorator)}
    return not method.name.startswith("__") and not decorated & {"model_validator", "field_validator"}


def list_roots() -> set[str]:
    """Return the names used by notebooks, the catalogue, templates and the command line."""
    names = set(NAMED_BY_OTHERS)
    for file in ROOT.glob("notebooks/*/*.ipynb"):
        cells = nbformat.read(file, as_version=4).cells
        names |= set().union(*(list_names(ast.parse(cell.source)) for cell in cells if cell.cell_type == "code"))
    texts = [*ROOT.glob("data/catalogue/*.yaml"), *ROOT.glob("notebooks/*/study.yaml"), *LIBRARY.rglob("*.j2")]
    for file in texts:
        names |= set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
    for door in DOORS:
        names |= list_names(ast.parse(door.read_text(encoding="utf-8")))
    return names


def test_all_that_the_library_defines_is_reached_from_a_notebook_the_catalogue_or_a_command():
    assert find_unreached(list_roots() | set(OFFERED)) == []


def test_what_is_offered_beside_is_used_by_nothing_yet():
    assert set(OFFERED) <= {line.split(": ")[1] for line in find_unreached(list_roots())}


def find_unreached(reached: set[str]) -> list[str]:
    waiting = [one for file in sorted(LIBRARY.rglob("*.py")) for one in list_definitions(file)]
    found = waiting
    while found:
        found = [one for one in waiting if not one[1] or one[1] in reached]
        waiting = [one for one in waiting if one not in found]
        reached = reached.union(*(names for _, _, names in found))
    return [f"{where}: {name}" for where, name, _ in waiting]
