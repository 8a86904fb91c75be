"""The pages of workshops as facilitators and participants use them: printed, on a telephone, read aloud."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.test_report_browser import find_violations, has_no_sideways_scroll
from councilbook.catalogue import load_catalogue
from councilbook.commons import workshop
from whole_workbook import ROOT, copy_workbook

pytestmark = pytest.mark.browser

STUDIES = sorted(file.parent.name for file in ROOT.glob(f"notebooks/*/{workshop.FILE}"))


@pytest.mark.parametrize("study", STUDIES)
def test_the_pages_of_a_workshop_can_be_read_by_all(visit: Callable[..., Any], study: str, tmp_path: Path) -> None:
    catalogue = load_catalogue(copy_workbook(tmp_path))
    for page in workshop.write_workshop(catalogue, study, tmp_path / "out")[2:]:
        opened = visit(page, width=320)
        assert opened.requests == [page.as_uri()]
        assert opened.complaints == []
        assert find_violations(opened.page) == []
        assert has_no_sideways_scroll(opened.page)
        assert opened.page.pdf(format="A4").startswith(b"%PDF")
