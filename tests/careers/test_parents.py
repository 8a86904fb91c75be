"""The page for a parent: schools by name with a range, what to ask, and nothing that ranks them."""

from pathlib import Path

import numpy as np
import pandas as pd

from councilbook.careers.destinations.checks import GUESSED, PREDICTED
from councilbook.careers.destinations.panel import AFTER_16
from councilbook.careers.parents import make_page
from councilbook.pages.page import write_page
from small_finder import make_request

SCHOOLS = pd.DataFrame(
    {
        "measure": AFTER_16,
        "destination_year": ["2020/21", "2021/22", "2021/22", "2021/22"],
        "school": ["Old", "West School", "East School", "New School"],
        "cohort": [90, 100, 120, 30],
        "among_schools": "within the limits",
        "next_low_pct": [80.0, 86.0, 84.0, np.nan],
        "next_high_pct": [90.0, 98.0, 97.0, np.nan],
        "shrunken_low_pct": [82.0, 89.0, 88.0, 85.0],
        "shrunken_high_pct": [92.0, 96.0, 95.0, 97.0],
        "rank_first": [1, 1, 1, 1],
        "rank_last": [3, 3, 2, 3],
        "ranked_schools": 3,
    }
)
CHECKS = pd.DataFrame({"check": [PREDICTED, GUESSED], "found_pct": [95.4, 82.1], "schools": [2969, 2969], "title": "t"})


def write(folder: Path, **tables: pd.DataFrame) -> str:
    request = make_request({name: table for name, table in tables.items() if table is not None})
    write_page(make_page(request), folder / "parents.html", "the page for parents")
    return (folder / "parents.html").read_text(encoding="utf-8")


def test_schools_stand_by_name_with_the_range_of_the_next_year_group(tmp_path: Path) -> None:
    page = write(tmp_path, destinations_by_school=SCHOOLS, destination_checks=CHECKS)
    assert page.index("East School") < page.index("West School")
    assert "Old" not in page and "New School" not in page  # of another year; of no earlier years
    assert "newest year 2021/22" in page
    assert "Of 3 schools, 3 may belong to the upper half as well as to the lower." in page
    assert "They held for 95% of 2,969 schools" in page
    assert "open evening" in page and not {"best", "worst", "failing"} & set(page.lower().split())


def test_without_a_figure_it_says_so_and_still_says_what_to_ask(tmp_path: Path) -> None:
    for tables in ({}, {"destinations_by_school": SCHOOLS.assign(next_low_pct=np.nan)}):
        page = write(tmp_path, **tables)
        assert "No school here has a figure to compare." in page
        assert "open evening" in page and "<table" not in page
