"""What code uses of the library, held against what Python itself imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import councilbook
from councilbook.running.changes.imports import Modules, find_imports, list_used_files
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
