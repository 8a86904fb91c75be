"""Tables and figures in official PDFs, by layouts declared for them, against the official tables of the same."""

import csv
import gzip

import pandas as pd
import pytest

from councilbook.careers.guidance.layouts import Layout
from councilbook.careers.guidance.pdf_blocks import read_blocks
from councilbook.careers.guidance.pdf_pages import open_pages
from councilbook.careers.guidance.pdf_tables import read_table

VARIABLES = Layout(
    title="variables of a statistical release, a ruled table over a page break without headers repeated",
    kind="ruled",
    key="name",
    columns=[
        {"field": "name", "header": "Variable name"},
        {"field": "description", "header": "Variable description"},
    ],
)
SCORECARD = Layout(
    title="scorecard of young people who are NEET, gauges and sentences",
    kind="blocks",
    first_page=2,
    last_page=5,
    start="NEET and not known|Participation",
    sentences=[
        {"pattern": r"Not known 6\.6 .*? (?P<NEET_not_known_percent>[\d.]+)%, (?:up|down)", "required": False},
        {
            "pattern": r" (?P<NEET_percent>[\d.]+)%, (?:up|down) -?[\d.]+ ppts (?P<Notknown_percent>[\d.]+)%, ",
            "required": False,
        },
        {
            "pattern": r"Participating in .*? (?P<TOTAL_participating_in_education_and_training_percent>[\d.]+)%, ",
            "required": False,
        },
        {"pattern": r"Guarantee: .*? (?P<September_guarantee_Offer_made_percent>[\d.]+)%, ", "required": False},
    ],
)


@pytest.fixture(scope="module")
def folder(mirror):
    return mirror / "doncaster" / "07_pdf"


def read(path, layout):
    with open_pages(path.read_bytes(), layout, path.name) as pages:
        return (read_table if layout.kind == "ruled" else read_blocks)(pages, layout, path.name)


def test_a_table_over_a_page_break_gives_the_variables_of_the_file_that_it_is_about(folder):
    cells = read(folder / "AppsandOffers_2020.metadata.pdf", VARIABLES)
    names = [cell for cell in cells if cell.field == "name"]
    with gzip.open(folder / "AppsandOffers_offers-by-la.csv.gz", "rt", encoding="utf-8-sig") as file:
        header = next(csv.reader(file))
    assert (len(names), len(header)) == (36, 36)
    assert len({cell.text for cell in names} & set(header)) == 32
    assert [names[cell].page for cell in (0, 33, 34, 35)] == [5, 5, 6, 6]
    texts = {cell.row: cell.text for cell in cells if cell.field == "description"}
    assert texts[34] == "Percentage of offers being within another local authority"  # in two lines


def test_the_figures_of_a_scorecard_are_those_of_the_official_table(folder, mirror):
    cells = read(folder / "nccis-la-report_BarkingDagenham_2023.pdf", SCORECARD)
    table = pd.read_csv(mirror / "doncaster" / "02_destinations" / "nccis_neet_LA_2023.csv", dtype="str")
    row = table[table["new_la_code"] == "E09000002"].iloc[0]
    assert [cell.page for cell in cells] == [2, 2, 2, 4, 5]
    assert {cell.field: cell.text for cell in cells} == row[[cell.field for cell in cells]].to_dict()
