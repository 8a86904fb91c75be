"""Councils beside each other, as a reader meets them: chosen by script, and readable without."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from browser.test_report_browser import OPEN_ALL, find_violations, has_no_sideways_scroll
from councilbook.pages.site import build_site
from small_comparison import make_rows, make_study, write_council

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
SHARES = {"north": (30, 100), "south": (50, 100), "east": (33, 90), "county": (700, 2100), "far": (2, 400)}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of five councils with a map, one of which is a part of another."""
    catalogue = make_study(tmp_path_factory.mktemp("beside"), outlines="cold_homes")
    for place, (slug, (cold, homes)) in enumerate(SHARES.items()):
        box = (500_000 + 9000 * place, 200_000, 508_000 + 9000 * place, 209_000)
        codes = ("county", "east") if slug == "county" else (slug,)
        write_council(catalogue.workbook.reports, slug, make_rows(cold, homes), codes=codes, outline=box)
    build_site(catalogue)
    return catalogue.workbook.reports / "councils-warmth-real.html"


@pytest.mark.parametrize("width", [1280, 320])
def test_the_page_has_no_fault_and_asks_for_nothing(visit: Open, page_file: Path, width: int) -> None:
    opened = visit(page_file, width)
    opened.page.evaluate(OPEN_ALL)
    opened.draw_maps()
    assert find_violations(opened.page) == []
    assert has_no_sideways_scroll(opened.page)
    assert [url for url in opened.requests if not url.startswith("data:")] == [page_file.as_uri()]
    assert opened.complaints == []


def test_two_chosen_councils_are_compared_in_the_words_of_the_table(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    rows = page.locator("table").last.locator("tbody tr")
    written = {row.locator("th").inner_text(): row.locator("td").inner_text() for row in rows.all()}
    names = sorted(slug.capitalize() for slug in SHARES)
    chosen = {}
    for first, second in combinations(names, 2):
        page.select_option("#one", label=first)
        page.select_option("#other", label=second)
        chosen[f"{first} and {second}"] = page.inner_text("#differences li").removeprefix("Homes that are cold: ")
    assert chosen == written
    assert sum("cannot be told apart" in one for one in chosen.values()) in range(1, 9)
    assert chosen["County and East"] == "They share areas, so no difference is given."
    page.select_option("#one", label="South")
    page.select_option("#other", label="South")
    assert page.inner_text("#differences") == "Choose two different councils."


def test_without_scripts_every_pair_can_be_read(visit: Open, page_file: Path) -> None:
    page = visit(page_file, java_script_enabled=False).page
    assert not page.locator("#two-councils").is_visible()
    assert page.locator("table").last.locator("tbody tr").count() == 10
