"""Notes on closed and shared files: what was set aside is counted as in any table that leaves."""

from pathlib import Path

import pytest
import yaml

from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.gate import writing
from councilbook.gate.writing import blur_counts
from councilbook.paths import find_workbook


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (
            "3 of its 88,617 rows are set aside: no status in 1 (first in record 42); not 5 cells in 12.",
            "Fewer than 10 of its 88,615 rows are set aside: no status in fewer than 10; not 5 cells in 10.",
        ),
        (
            "1 of its 4,000 rows is set aside: no day in 1.",
            "Fewer than 10 of its 4,000 rows are set aside: no day in fewer than 10.",
        ),
        (
            "1 of its lines is no UTF-8 and read as cp1252 (first line 5).",
            "Fewer than 10 of its lines are no UTF-8 and read as cp1252.",
        ),
        (
            "1,013 rows are left out, as their LSOA is none of 2021.",
            "1,015 rows are left out, as their LSOA is none of 2021.",
        ),
        (
            "age: 9 cells are no age, and are read as blank.",
            "age: fewer than 10 cells are no age, and are read as blank.",
        ),
        (
            "use is left blank in 4 rows, as it may be a name.",
            "use is left blank in fewer than 10 rows, as it may be a name.",
        ),
        (
            "age: 7 days, months or years of birth are ages, as of 3 May 2026.",
            "age: fewer than 10 days, months or years of birth are ages, as of 3 May 2026.",
        ),
        ("pay: the file has shares of 1, as 0.75.", "pay: the file has shares of 1, as 0.75."),
    ],
)
def test_a_note_on_a_closed_file_gives_no_exact_count(note: str, told: str) -> None:
    assert blur_counts(note) == told


def test_notes_are_blurred_as_tables_are_and_open_files_keep_theirs() -> None:
    catalogue = load_catalogue(find_workbook(Path(__file__).parent))
    defaults = yaml.safe_load((catalogue.workbook.catalogue / "disclosure.yaml").read_text(encoding="utf-8"))
    assert (defaults["threshold"]["value"], defaults["round_to"]["value"]) == (writing.THRESHOLD, writing.ROUND_TO)
    notes = [
        writing.describe_sources([FoundFile(catalogue.source(name), Path(__file__), "mirror", notes=("2 rows went.",))])
        for name in ("kid_households", "lsoa_lookup")
    ]
    assert [one[0]["notes"] for one in notes] == [["Fewer than 10 rows went."], ["2 rows went."]]
