"""The documentation as officers and analysts read it: whole, on a telephone, read aloud, without a network."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from browser.test_report_browser import OPEN_ALL, find_violations, has_no_sideways_scroll
from councilbook.pages.page import DOCS
from whole_workbook import ROOT, copy_workbook, run_councilbook

pytestmark = pytest.mark.browser

LIBRARY = ROOT / "lib" / "councilbook"
SEEN = ("index", "readme", "disclosure", "assumptions", "closed_files", "model_culture_counting", "councilbook.gate")


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation of this workbook, with its library's reference."""
    pytest.importorskip("griffe", reason="griffe, which reads docstrings for the reference, is not installed")
    workbook = copy_workbook(tmp_path_factory.mktemp("docs"))
    for name in ("docs", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, workbook.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("*.md"):
        shutil.copy(file, workbook.root)
    done = run_councilbook(workbook, "docs")
    assert done.returncode == 0, done.stderr
    return workbook.reports / DOCS


def test_each_guide_register_and_room_is_there_and_no_link_is_broken(docs: Path) -> None:
    pages = {file.name: BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser") for file in docs.glob("*.html")}
    rooms = {file.parent.relative_to(LIBRARY.parent) for file in LIBRARY.rglob("__init__.py")}
    assert {f"{'.'.join(room.parts)}.html" for room in rooms} <= set(pages)
    assert {f"{file.stem}.html" for file in ROOT.glob("docs/*.md")} < set(pages)
    ids = {name: {str(one["id"]) for one in page.select("[id]")} for name, page in pages.items()}
    reached = {"index.html"}
    for name, page in pages.items():
        for link in page.select('a[href]:not([href^="http"])'):
            file, _, part = str(link["href"]).partition("#")
            assert (docs / (file or name)).is_file(), (name, file)
            assert not part or part in ids[file or name], (name, file, part)
            reached.add(file)
    assert set(pages) <= reached
    assert pages["councilbook.study.html"].select_one('[id="door.Study.load"]')
    first = BeautifulSoup((docs.parent / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert len(first.select(f'a[href="{DOCS}/index.html"]')) == 2


@pytest.mark.parametrize("name", SEEN)
def test_a_page_has_no_fault_and_asks_for_nothing(visit: Callable[..., Any], docs: Path, name: str) -> None:
    page = docs / f"{name}.html"
    opened = visit(page, width=320)
    opened.page.evaluate(OPEN_ALL)
    assert [url for url in opened.requests if not url.startswith("data:")] == [page.as_uri()]
    assert opened.complaints == []
    assert find_violations(opened.page) == []
    assert has_no_sideways_scroll(opened.page)
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    assert has_no_sideways_scroll(opened.page)
    assert name != "index" or find_violations(opened.page) == []  # all others have its frame
