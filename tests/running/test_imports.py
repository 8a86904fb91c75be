"""What code uses of the library, held against what Python itself imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import councilbook
from councilbook.running.changes.imports import Modules, cut_imports, find_imports, list_used_files
from councilbook.running.changes.stale import REPORT_MODULE, SITE_MODULE

LIBRARY = Path(councilbook.__file__).parent
SAY = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "councilbook"]
print(json.dumps(files))
"""


def test_all_that_python_imports_for_a_page_and_a_site_is_found() -> None:
    names = [REPORT_MODULE, SITE_MODULE]
    said = subprocess.run([sys.executable, "-c", SAY, *names], capture_output=True, text=True, check=True)
    imported = {Path(file) for file in json.loads(said.stdout)}
    found = list_used_files(Modules.read(LIBRARY), names)
    assert imported <= found
    assert any(file.name == "base.html.j2" for file in found)
    assert not any("business_rates" in file.parts for file in found)


@pytest.mark.parametrize(
    ("code", "package", "expected"),
    [
        ("import a.b as c, d", "", {"a.b", "d"}),
        ("def f():\n    from a.b import c, d", "", {"a.b.c", "a.b.d"}),
        ("from . import c\nfrom ..x import y", "a.b", {"a.b.c", "a.x.y"}),
        ("from . import c", "", set()),
    ],
)
def test_every_form_of_import_is_read(code: str, package: str, expected: set[str]) -> None:
    assert find_imports(code, package) == expected


def test_no_import_of_a_module_is_lost_where_it_is_not_parsed_as_a_whole() -> None:
    for file in LIBRARY.rglob("*.py"):
        code = file.read_text(encoding="utf-8")
        cut, whole = find_imports(cut_imports(code), "councilbook.a.b"), find_imports(code, "councilbook.a.b")
        assert whole <= cut, file
        assert not [name for name in cut - whole if name.startswith("councilbook")], file


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    import a.b  # why\nfinally:\n    from c import (\n        d,  # one\n        e,\n    )",
        "from a import \\\n    b\nimport c",
        "from a import (  # :)\n    b,\n)",
        'import a\n"""\nimport the rest by hand\n"""\nimport b; import c',
    ],
)
def test_imports_are_cut_out_whole_or_not_at_all(code: str) -> None:
    assert find_imports(cut_imports(code)) == find_imports(code)
