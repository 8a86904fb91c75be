"""What code uses of the library: the modules that it imports, those that they import, and the files beside these.

Own code, as neither tool at hand answers this. Python's modulefinder compiles everything again for each script, and
keeps what was found, not what imports what. grimp, on which the test of the layers rests, knows neither notebooks nor
the packages around a module, which are run first; it is installed for development alone.
"""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from councilbook.catalogue import list_files

IMPORT = re.compile(r"^[ \t]*((?:from[ \t]+[.\w]+[ \t]+)?import[ \t]+(?:\([^)]*\)|[^#;\n]+))", re.MULTILINE)


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


def cut_imports(code: str) -> str:
    """Return the import statements of a module, for which it need not be parsed as a whole; all of it where unsure.

    One that shares its line with what stands before it is not found: ruff's E701 and E702 keep the library without.
    """
    found = "\n".join(IMPORT.findall(code))
    try:
        ast.parse(found)
    except SyntaxError:
        return code
    return found


@dataclass(frozen=True)
class Modules:
    """The files of the library as they are at one moment, and what each module leads to.

    Attributes:
        files: all of them.
        by_name: the modules, by dotted name.
        beside: by folder of a package, the files in it that are no Python: a table, a template.
        direct: by name, the modules that a module imports, as far as that was asked for.
    """

    files: Sequence[Path]
    by_name: Mapping[str, Path]
    beside: Mapping[Path, Sequence[Path]]
    direct: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, library: Path) -> "Modules":
        """Look at the folder of the package; what was found in files that have not changed since is kept."""
        return _read_modules(library, tuple((file, file.stat().st_mtime_ns) for file in list_files(library)))

    def find(self, names: Iterable[str]) -> set[str]:
        """Return the modules that dotted names name, and the packages around them, which are run first."""
        parts = [name.split(".") for name in names]
        around = {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}
        return around & self.by_name.keys()

    def list_direct(self, module: str) -> set[str]:
        """Return the modules that a module imports.

        Raises:
            SyntaxError: it is not plain Python.
        """
        if module not in self.direct:
            file = self.by_name[module]
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            self.direct[module] = self.find(find_imports(cut_imports(file.read_text(encoding="utf-8")), package))
        return self.direct[module]


@cache
def _read_modules(library: Path, changed: tuple[tuple[Path, int], ...]) -> Modules:
    """Tell the modules from the other files, and of which package these are."""
    files = [file for file, _ in changed]
    by_name = {_name_module(library, file): file for file in files if file.suffix == ".py"}
    packages = {file.parent for file in by_name.values()}
    beside: dict[Path, list[Path]] = {}
    for file in files:
        if file.suffix != ".py" and (package := next((one for one in file.parents if one in packages), None)):
            beside.setdefault(package, []).append(file)
    return Modules(files, by_name, beside)


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
    used: set[str] = set()
    waiting = library.find(names)
    while waiting:
        used.add(module := waiting.pop())
        waiting |= library.list_direct(module) - used
    files = {library.by_name[module] for module in used}
    return files.union(*(library.beside.get(folder, ()) for folder in {file.parent for file in files}))


def _name_module(library: Path, file: Path) -> str:
    parts = file.relative_to(library.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
