"""The house rules that no type checker knows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from councilbook.paths import find_workbook

ROOT = find_workbook(Path(__file__).parent).root
LIBRARY = ROOT / "lib" / "councilbook"
FILES = sorted(LIBRARY.rglob("*.py"))

# what only some modules may import, and which
RESERVED = {
    "requests": {"catalogue/fetching.py"},
    "urllib3": {"catalogue/fetching.py"},
    "urllib.request": set(),
    "http": set(),
    "socket": set(),
    "papermill": {"run.py", "kernels.py"},
    "nbclient": {"run.py", "kernels.py"},
    "nbconvert": {"report.py"},
}


def list_imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("reserved", RESERVED)
def test_reserved_packages_are_imported_by_their_module_alone(reserved):
    users = {
        file.relative_to(LIBRARY).as_posix()
        for file in FILES
        if any(name == reserved or name.startswith(f"{reserved}.") for name in list_imports(file))
    }
    assert users <= RESERVED[reserved]


def test_only_the_gate_and_the_runner_name_the_folder_of_released_data():
    users = {
        file.relative_to(LIBRARY).as_posix()
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("to_")
        if node.func.attr in {"to_csv", "to_parquet", "to_file", "to_excel", "to_json"} and writes_a_file(node)
    }
    assert users <= {"release.py"}


def writes_a_file(call: ast.Call) -> bool:
    return bool(call.args)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "lib", "tests", "benchmarks"],
        ["mypy"],
        ["importlinter.cli"],
    ],
    ids=["ruff check", "ruff format", "mypy", "import-linter"],
)
def test_the_linters_pass(command):
    if command == ["importlinter.cli"]:
        call = [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"]
    else:
        call = [sys.executable, "-m", *command]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
