"""The house rules that no type checker knows."""

import ast
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from councilbook.paths import find_workbook

ROOT = find_workbook(Path(__file__).parent).root
LIBRARY = ROOT / "lib" / "councilbook"
FILES = sorted(LIBRARY.rglob("*.py"))
STUDIES = {folder.parent.name for folder in ROOT.glob("notebooks/*/study.yaml")} | {"commons"}

# each may import what stands below it; those of one line do not know each other
LAYERS = [
    {"cli"},
    {"running", "publishing"},
    STUDIES,
    {"study"},
    {"gate"},
    {"pages"},
    {"sources", "twins"},
    {"methods"},
    {"catalogue"},
    {"paths"},
    {"errors"},
]
MOST_FILES = 8

# what only some modules may import, and which
RESERVED = {
    "requests": {"catalogue/fetching.py"},
    "urllib3": {"catalogue/fetching.py"},
    "urllib.request": set(),
    "http": set(),
    "socket": set(),
    "ckanapi": {"publishing/ckan.py"},  # a portal is sent to, never read from: nothing of it goes into a study
    "papermill": {"running/making.py", "running/kernels/cells.py"},
    "nbclient": set(),
    "nbconvert": {"pages/reports/report.py"},
}


def list_imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("councilbook", cache_dir=None)


def test_imports_point_one_way(imports):
    layers = [grimp.Layer(*names) for names in LAYERS]
    faults = imports.find_illegal_dependencies_for_layers(layers, containers={"councilbook"})
    assert [f"{fault.importer} imports {fault.imported}" for fault in faults] == []


def test_every_room_has_its_place(imports):
    rooms = {name.removeprefix("councilbook.") for name in imports.find_children("councilbook")}
    assert rooms - {"__main__"} == set().union(*LAYERS)


@pytest.mark.parametrize(
    "room", sorted({file.parent for file in FILES}), ids=lambda room: room.relative_to(LIBRARY).as_posix()
)
def test_a_room_is_small_and_says_its_question_at_its_door(room):
    door = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert door and door.splitlines()[0].endswith(".")
    assert len([file for file in room.glob("*.py") if file.name != "__init__.py"]) <= MOST_FILES


def test_no_study_and_no_notebook_makes_a_page(imports):
    reports = imports.find_descendants("councilbook.pages.reports") | {"councilbook.pages.reports"}
    for room in (*STUDIES, "study"):
        makers = imports.find_descendants(f"councilbook.{room}") | {f"councilbook.{room}"}
        assert not {(maker, used) for maker in makers for used in imports.find_modules_directly_imported_by(maker)} & {
            (maker, report) for maker in makers for report in reports
        }


@pytest.mark.parametrize("reserved", RESERVED)
def test_reserved_packages_are_imported_by_their_module_alone(reserved):
    users = {
        file.relative_to(LIBRARY).as_posix()
        for file in FILES
        if any(name == reserved or name.startswith(f"{reserved}.") for name in list_imports(file))
    }
    assert users == RESERVED[reserved]


def test_only_the_gate_and_the_runner_name_the_folder_of_released_data():
    users = {
        file.relative_to(LIBRARY).as_posix()
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in {"to_csv", "to_parquet", "to_file", "to_excel", "to_json", "write_dataframe"}
        if writes_a_file(node)
    }
    assert users == {"gate/files.py", "gate/writing.py"}


def writes_a_file(call: ast.Call) -> bool:
    return bool(call.args)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
    ],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_the_linters_pass(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
