import json
import math
from urllib.parse import unquote

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from councilbook.errors import CouncilbookError
from councilbook.pages import html
from councilbook.pages.html import figures, formulas, pieces, wording
from councilbook.pages.page import shorten_attributions


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


def test_a_hidden_figure_is_told_from_a_missing_one() -> None:
    shown = pd.DataFrame({"ward": ["A", "B", None], "homes": [math.nan, math.nan, 30], "flats": [5, 7, 9]})

    soup = read_table(html.table(shown.assign(is_suppressed=[True, False, True]), "Homes"))

    assert [cell.get_text() for cell in soup.find_all("td")] == ["[c]", "5", "n/a", "7", "30", "9"]
    assert "hidden to protect people" in soup.find("p", class_="note").get_text()
    assert soup.find_all("th")[-1].get_text() == "n/a"
    unhidden = read_table(html.table(shown.assign(is_suppressed=False), "Homes"))
    assert unhidden.find("p") is None


def test_headers_and_formats_are_used(frame: pd.DataFrame) -> None:
    soup = read_table(html.table(frame, "Districts", headers={"rate": "Rate, %"}, formats={"rate": ".2f"}))

    assert soup.thead.find_all("th")[2].get_text() == "Rate, %"
    assert soup.find_all("td")[1].get_text() == "9.25"


def test_a_date_tells_a_script_which_day_it_is() -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["2026-11-23"])})

    assert read_table(html.table(frame, "Days")).tbody.find("time")["datetime"] == "2026-11-23"


def test_a_table_of_a_few_rows_is_not_offered_for_sorting(frame: pd.DataFrame) -> None:
    few, more = (read_table(html.table(one, "Districts")).table for one in (frame, pd.concat([frame, frame])))

    assert "data-sortable" not in few.attrs
    assert "data-sortable" in more.attrs


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


def test_json_in_a_page_cannot_end_its_script() -> None:
    content = {"a": "</script><script>alert(1)</script>\u2028"}
    text = pieces.embed_json(content).text

    assert not {"<", "\u2028"} & set(text)
    assert json.loads(text) == content


@pytest.mark.parametrize(
    ("count", "written"), [(0, "0.1 kB"), (1234, "1.2 kB"), (45600, "46 kB"), (2_500_000, "2.5 MB")]
)
def test_sizes_are_written_in_kb_and_mb(count: int, written: str) -> None:
    assert wording.format_bytes(count) == written


@pytest.mark.parametrize(
    "alternative",
    ["", "A chart.", "Rates by district", "Rates by district in all of Kent", "Rates by district and by year."],
)
def test_a_text_alternative_that_describes_nothing_is_refused(alternative: str) -> None:
    with pytest.raises(CouncilbookError, match="no description"):
        figures.check_alternative("Rates by district and by year", alternative)


def test_downloads_link_every_file_by_dataset_and_format() -> None:
    package = {
        "name": "area_fuel_poverty",
        "title": "Fuel poverty by area",
        "description": "Synthetic: made up to show how it works. One row an area.",
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
        "data/area_fuel_poverty/index.html",
    ]
    text = " ".join(soup.get_text().split())
    for part in ("synthetic", "CSV file of Fuel poverty by area (120 kB)", "3.4 MB", "1,065 rows", "Version 1.2.0"):
        assert part in text
    assert "One row an area." in text and "made up" not in text  # a badge says it
    none = html.downloads([package | {"councilbook": {"rows": 0, "synthetic": True}}]).text
    assert "No row: there is nothing of this" in none and "0 rows" not in none


def test_an_attribution_is_said_once_however_many_datasets_have_it() -> None:
    public = "Contains public information licensed under v3.0."
    maps = "Contains maps © Crown copyright and database right."
    every = [
        f"{public} {maps}",
        f"Powered by trains. {maps[:-1]}s.",
        f"{public} Contains skills by the U.S. Department.",
    ]
    assert " ".join(shorten_attributions(every)) == (
        f"{public} Contains skills by the U.S. Department. Powered by trains. {maps[:-1]}s."
    )


@pytest.mark.parametrize(
    ("count", "noun", "told"),
    [(1, "property", "1 property"), (2, "property", "2 properties"), (1064, "day", "1,064 days")],
)
def test_things_are_counted_with_their_plural(count: int, noun: str, told: str) -> None:
    assert wording.count_things(count, noun) == told


@pytest.mark.parametrize(
    ("pounds", "told"), [(5e6, "£5 million"), (33_712_345, "£33.7 million"), (854_135, "£854,000"), (0, "£0")]
)
def test_a_sum_is_told_to_three_figures(pounds: float, told: str) -> None:
    assert wording.write_millions(pounds) == told


@given(st.text(st.characters(codec="utf-8")))
def test_an_address_holds_its_text_and_fits_in_single_quotes(text: str) -> None:
    kind, held = html.write_data_uri(text, "text/csv").text.split(",", 1)

    assert kind == "data:text/csv"
    assert unquote(held) == text
    assert held.isascii()
    assert held.isprintable()
    assert not set(held) & set("'<>#&")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Share of households, 2022", "share-of-households-2022"),
        ("Rent & <b>heat</b>: £5", "rent-b-heat-b-5"),
        ("…", "figure"),
        ("a" * 80, "a" * 60),
        ("word " * 20, "-".join(["word"] * 12)),
    ],
)
def test_a_file_is_named_after_the_title(title: str, name: str) -> None:
    assert figures.name_file(title) == name


def test_figures_and_tables_are_numbered_in_the_order_of_the_page() -> None:
    headline = BeautifulSoup("<figure><figcaption>Trend</figcaption></figure>", "html.parser")
    body = BeautifulSoup(
        "<table><caption><span>Scores</span></caption></table>"
        '<figure><figcaption>Map</figcaption><a download="map.svg">SVG</a>'
        "<table><caption><span>Data: Map</span></caption></table></figure>"
        "<table><caption>Sources</caption></table><a download='all.csv'>all</a>",
        "html.parser",
    )
    figures.number_figures([headline, body], "synthetic")

    captions = [one.get_text() for part in (headline, body) for one in part.select("figcaption, caption")]
    assert captions == ["Figure 1. Trend", "Table 1. Scores", "Figure 2. Map", "Data: Map", "Table 2. Sources"]
    assert [one["id"] for one in (headline.figure, body.figure)] == ["figure-1", "figure-2"]
    assert [one["download"] for one in body.find_all("a")] == ["figure-2-map-synthetic.svg", "all.csv"]


def test_files_of_real_figures_are_named_by_number_and_title() -> None:
    page = BeautifulSoup('<figure><figcaption>Map</figcaption><a download="map.csv">CSV</a></figure>', "html.parser")
    figures.number_figures([page])

    assert page.a["download"] == "figure-1-map.csv"


# --- texts that a spreadsheet would run ---

FORMULAS = [
    "=1+1",
    "+44 1236",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    '=HYPERLINK("http://a")',
    "'=1",
    "-",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe_and_is_read_back(text: str) -> None:
    assert formulas.escape_formula(text) == f"'{text}"
    assert formulas.restore_formula(f"'{text}") == text


@pytest.mark.parametrize("text", ["", "Acme", "O'Neill", "'Acme'", "1 = 1", "a@b.uk", "−3", "12", "'"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert formulas.escape_formula(text) == text == formulas.restore_formula(text)


@given(st.text() | st.text(alphabet="'=+-@\t\r\n a"))
def test_every_text_comes_back_and_none_is_left_to_run(text: str) -> None:
    escaped = formulas.escape_formula(text)
    assert formulas.restore_formula(escaped) == text
    assert not escaped.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_texts_and_headers_of_a_table_are_escaped_and_numbers_stay() -> None:
    frame = pd.DataFrame(
        {
            "=name": ["-1", None],
            "change": [-1, 2],
            "rate": [-0.5, None],
            "kind": pd.Categorical(["+a", "b"]),
            "mixed": pd.Series([-1, "@b"], dtype=object),
        }
    )
    safe = formulas.escape_cells(frame)
    assert safe.to_csv(index=False) == "'=name,change,rate,kind,mixed\n'-1,-1,-0.5,'+a,-1\n,2,,b,'@b\n"
    assert list(frame) == ["=name", "change", "rate", "kind", "mixed"]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("cost_gbp", "cost (£)"),
        ("gap_gbp_year", "gap (£ a year)"),
        ("solver_seconds", "solver (seconds)"),
        ("lad22_name", "district"),
        ("lsoa21_code", "small area code"),
        ("low_95", "lower end (95% interval)"),
        ("is_invented", "invented"),
        ("Moran's I", "Moran's I"),
    ],
)
def test_a_column_is_headed_by_words_and_its_unit(column: str, words: str) -> None:
    table = html.table(pd.DataFrame({column: [1]}), "Caption")
    assert BeautifulSoup(table.text, "html.parser").th.get_text() == words
