import math

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from councilbook import html
from councilbook.errors import CouncilbookError


def read_table(text: html.Html) -> BeautifulSoup:
    return BeautifulSoup(text.text, "html.parser")


def read_cells(frame: pd.DataFrame, **options: object) -> list[list[str]]:
    soup = read_table(html.table(frame, "Numbers", **options))
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.tbody.find_all("tr")]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"district": ["Dover", "Swale"], "households": [51234, 63000], "rate": [9.25, 11.5]})


def test_a_table_has_a_caption_and_a_scope_on_every_header(frame: pd.DataFrame) -> None:
    soup = read_table(html.table(frame, "Districts"))

    assert soup.caption.get_text() == "Districts"
    assert [one["scope"] for one in soup.thead.find_all("th")] == ["col"] * 3
    assert [one["scope"] for one in soup.tbody.find_all("th")] == ["row"] * 2


def test_numbers_have_separators_as_many_decimals_and_their_own_class(frame: pd.DataFrame) -> None:
    assert read_cells(frame) == [["Dover", "51,234", "9.2"], ["Swale", "63,000", "11.5"]]
    assert len(read_table(html.table(frame, "Districts")).select("td.number")) == 4


def test_a_year_has_no_separator_and_a_negative_number_a_minus_sign() -> None:
    assert read_cells(pd.DataFrame({"year": [2013, 2021], "change": [-1200, 3]})) == [["2013", "−1,200"], ["2021", "3"]]


def test_missing_values_truth_and_dates_are_words() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None],
            "number": [math.nan, 2.5],
            "count": pd.array([pd.NA, 3], dtype="Int64"),
            "flag": [True, False],
            "day": pd.to_datetime(["2026-11-23", None]),
        }
    )

    assert read_cells(frame) == [
        ["a", "n/a", "n/a", "yes", "23 November 2026"],
        ["n/a", "2.50", "3", "no", "n/a"],
    ]


def test_headers_and_formats_are_used(frame: pd.DataFrame) -> None:
    soup = read_table(html.table(frame, "Districts", headers={"rate": "Rate, %"}, formats={"rate": ".2f"}))

    assert soup.thead.find_all("th")[2].get_text() == "Rate, %"
    assert soup.find_all("td")[1].get_text() == "9.25"


@pytest.mark.parametrize("option", ["headers", "formats"])
def test_a_column_that_is_not_there_is_an_error_with_the_near_miss(frame: pd.DataFrame, option: str) -> None:
    with pytest.raises(CouncilbookError, match=r"no column 'rates'.*Did you mean rate"):
        html.table(frame, "Districts", **{option: {"rates": ".1f"}})


def test_a_table_without_a_caption_is_an_error(frame: pd.DataFrame) -> None:
    with pytest.raises(CouncilbookError, match="caption"):
        html.table(frame, " ")


def test_a_wide_table_scrolls_by_keyboard_and_a_narrow_one_is_no_stop(frame: pd.DataFrame) -> None:
    region = read_table(html.table(frame, "Districts", label="All districts")).select_one("div.scroll")

    assert (region["tabindex"], region["role"], region["aria-label"]) == ("0", "region", "All districts")
    assert read_table(html.table(frame[["district", "rate"]], "Rates")).select_one("[tabindex]") is None


def test_text_is_escaped_and_html_in_a_cell_is_not() -> None:
    frame = pd.DataFrame({"name": ["<script>alert(1)</script>"], "figures": [html.badge("real", "real")]})
    soup = read_table(html.table(frame, "A & B < C"))

    assert soup.script is None
    assert soup.tbody.th.get_text() == "<script>alert(1)</script>"
    assert soup.td.span["class"] == ["badge", "badge-real"]
    assert soup.caption.get_text() == "A & B < C"


def test_html_is_escaped_once_when_pieces_are_put_together() -> None:
    facts = html.definition_list({"Data & mode": html.badge("<real>", "real"), "Place": "A & B"})

    assert html.escape(facts) is not None
    assert BeautifulSoup(facts.text, "html.parser").get_text("|") == "Data & mode|<real>|Place|A & B"
    assert "&lt;dt" not in facts.text


def test_a_warning_says_so_in_words() -> None:
    assert "Warning:" in html.callout("Mind the gap.", "warning").text
    assert "Warning:" not in html.callout("Mind the gap.").text


@pytest.mark.parametrize(
    ("count", "written"), [(0, "0.1 kB"), (1234, "1.2 kB"), (45600, "46 kB"), (2_500_000, "2.5 MB")]
)
def test_sizes_are_written_in_kb_and_mb(count: int, written: str) -> None:
    assert html.format_bytes(count) == written


@pytest.mark.parametrize(
    "alternative",
    ["", "A chart.", "Rates by district", "Rates by district in all of Kent", "Rates by district and by year."],
)
def test_a_text_alternative_that_describes_nothing_is_refused(alternative: str) -> None:
    with pytest.raises(CouncilbookError, match="no description"):
        html.check_alternative("Rates by district and by year", alternative)


def test_downloads_link_every_file_by_dataset_and_format() -> None:
    package = {
        "name": "area_fuel_poverty",
        "title": "Fuel poverty by area",
        "description": "One row an area.",
        "version": "1.2.0",
        "licenses": [{"name": "OGL-UK-3.0", "title": "Open Government Licence v3.0"}],
        "resources": [
            {"path": "area_fuel_poverty.csv", "format": "csv", "bytes": 120000},
            {"path": "area_fuel_poverty.parquet", "format": "parquet", "bytes": 3400000},
        ],
        "councilbook": {"rows": 1065, "synthetic": True},
    }
    soup = BeautifulSoup(html.downloads([package]).text, "html.parser")

    assert [link["href"] for link in soup.find_all("a")] == [
        "data/area_fuel_poverty/area_fuel_poverty.csv",
        "data/area_fuel_poverty/area_fuel_poverty.parquet",
        "data/area_fuel_poverty/DICTIONARY.md",
    ]
    text = " ".join(soup.get_text().split())
    for part in ("synthetic", "CSV file of Fuel poverty by area (120 kB)", "3.4 MB", "1,065 rows", "Version 1.2.0"):
        assert part in text
