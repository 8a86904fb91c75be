"""What the code of a report notebook may do: show released data, and nothing else.

A report notebook's kernel is not told where closed files are. This looks at its code as well, so that a page can only
come from `study.published`: a file read by another way, or a module that could read one, keeps it from being published.
It is a guard against a slip, not against somebody who means to get round it.
"""

import ast
from collections.abc import Iterable, Iterator

from councilbook.errors import NotebookError

MODULES = ("IPython.display", "collections", "datetime", "itertools", "math", "numpy", "pandas", "textwrap")
SHOWING = (
    "councilbook.pages.charts",
    "councilbook.pages.diagrams.ecosystems",
    "councilbook.pages.diagrams.journeys",
    "councilbook.pages.html",
    "councilbook.pages.maps.area_maps",
    "councilbook.pages.maps.point_maps",
    "councilbook.pages.withheld",
    "councilbook.study",
)
READERS = ("_", "io", "read_", "load", "from_file", "fromfile", "genfromtxt", "memmap", "open_memmap")
BUILTINS = ("open", "exec", "eval", "compile", "getattr", "globals", "locals", "vars", "breakpoint", "input")


def check_report_code(cells: Iterable[str], study: str, where: str) -> None:
    """Check that the code of a report notebook cannot read anything but released data.

    Args:
        cells: the text of each code cell.
        study: id of its study, whose own package it may use.
        where: the notebook's name, for the message.

    Raises:
        NotebookError: it could; the message has a line for each place.
    """
    faults = []
    for number, text in enumerate(cells, start=1):
        try:
            tree = ast.parse(text)
        except SyntaxError:
            faults.append(f"code cell {number} is not plain Python: no %magics and no !commands")
            continue
        faults += [f"code cell {number}, line {line}: {what}" for line, what in _find_faults(tree, study)]
    if faults:
        raise NotebookError(
            f"{where} is a report: it shows released data alone, by study.published().\n"
            + "\n".join(f"  {fault}" for fault in faults)
        )


def _find_faults(tree: ast.AST, study: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [name.name for name in names]
            case ast.ImportFrom(module=str(module), level=0, names=names):
                own = _may_import(module, study)
                modules = [f"{module}.{one.name}" for one in names if not own or one.name.startswith(READERS)]
            case ast.ImportFrom():
                modules = ["a module relative to the notebook"]
            case ast.Attribute(attr=name) if name.startswith(READERS):
                yield node.lineno, f".{name} could read a file"
                continue
            case ast.Name(id=name) if name in BUILTINS or name.startswith("__"):
                yield node.lineno, f"{name} could read a file"
                continue
            case _:
                continue
        yield from ((node.lineno, f"imports {module}") for module in modules if not _may_import(module, study))


def _may_import(module: str, study: str) -> bool:
    own = f"councilbook.{study}"
    return module in (*MODULES, *SHOWING, own) or module.startswith(f"{own}.")
