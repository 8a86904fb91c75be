"""The pages of registers as officers use them: wide tables on a telephone, by keyboard, read aloud."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.test_report_browser import find_violations, has_no_sideways_scroll
from whole_workbook import copy_workbook, run_councilbook

pytestmark = pytest.mark.browser


def test_the_registers_can_be_read_by_all(visit: Callable[..., Any], tmp_path: Path) -> None:
    workbook = copy_workbook(tmp_path)
    assert run_councilbook(workbook, "registers").returncode == 0
    for name in ("index", "assumptions", "quality", "methods", "closed_files", "model_culture_counting"):
        page = workbook.root / "registers" / f"{name}.html"
        opened = visit(page, width=320)
        assert opened.requests == [page.as_uri()]
        assert opened.complaints == []
        assert find_violations(opened.page) == []
        assert has_no_sideways_scroll(opened.page)
