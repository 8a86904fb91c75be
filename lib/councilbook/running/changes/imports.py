"""What code uses of the library: the modules that it imports, those that they import, and the files beside these.

Own code, as neither tool at hand answers this. Python's modulefinder compiles everything again for each script, and
keeps what was found, not who imports whom. grimp, on which the test of the layers rests, knows neither notebooks nor
the packages around a module, which are run first; it is installed for development alone.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from councilbook.catalogue import list_files


@cache
def find_imports(code: str, package: str = "") -> frozenset[str]:
    """Return the dotted names that code imports, inside functions too; the last part of one may be no module.

    Args:
        code: of a module, or of a notebook's cell.
        package: what a relative import in it starts from; none: there can be no relative import.

    Raises:
        SyntaxError: it is not plain Python.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import():
                names |= {one.name for one in node.names}
            case ast.ImportFrom() if package or not node.level:
                origin = resolve_name("." * node.level + (node.module or ""), package)
                names |= {f"{origin}.{one.name}" for one in node.names}
    return frozenset(names)


@dataclass(frozen=True)
class Modules:
    """The files of the library as they are at one moment, and which of them is which module."""

    files: Sequence[Path]
    by_name: Mapping[str, Path]

    @classmethod
    def read(cls, library: Path) -> "Modules":
        """Look at the folder of the package once, for however many notebooks."""
        files = list_files(library)
        return cls(files, {_name_module(library, file): file for file in files if file.suffix == ".py"})


def list_used_files(library: Modules, names: Iterable[str]) -> set[Path]:
    """Return the files of the library that importing some names leads to.

    A file that is no Python (a table, a template) counts as used where a module of its package is: of a name that is
    put together when it is read, no search of the code would know.

    Args:
        library: its files.
        names: dotted, of modules or of what is in them; those of other packages lead to nothing here.

    Raises:
        SyntaxError: a module is not plain Python.
    """
    modules = library.by_name
    used: set[str] = set()
    waiting = list(names)
    while waiting:
        parts = waiting.pop().split(".")
        around = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        for module in (around & modules.keys()) - used:
            used.add(module)
            is_package = modules[module].name == "__init__.py"
            package = module if is_package else module.rpartition(".")[0]
            waiting += find_imports(modules[module].read_text(encoding="utf-8"), package)
    packages = {file.parent for file in modules.values()}
    of_use = {modules[module].parent for module in used}
    beside = {file for file in library.files if file.suffix != ".py" and _find_package(file, packages) in of_use}
    return {modules[module] for module in used} | beside


def _name_module(library: Path, file: Path) -> str:
    parts = file.relative_to(library.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _find_package(file: Path, packages: set[Path]) -> Path | None:
    return next((folder for folder in file.parents if folder in packages), None)
