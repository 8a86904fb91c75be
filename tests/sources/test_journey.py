"""The journey of data: what goes into each notebook and what comes out, as the catalogue and the code say."""

import json

import pytest

from councilbook.catalogue import Catalogue
from councilbook.pages.diagrams.journeys import draw_journey
from councilbook.sources.journey import describe_journey

CODE = {
    "1_open": 'homes = study.load("homes")\nstudy.release("home_counts", homes)',
    "2_closed": 'frame = study.published("home_counts")\nagain = study.published("home_counts")',
    "3_report": 'for name in ["x"]:\n    display(study.published("client_counts"))',
}


@pytest.fixture
def written(catalogue: Catalogue) -> Catalogue:
    for name, code in CODE.items():
        cells = [{"cell_type": "markdown", "source": ["(not code"]}, {"cell_type": "code", "source": [code]}]
        text = json.dumps({"cells": cells})
        (catalogue.workbook.notebooks / f"small/{name}.ipynb").write_text(text, encoding="utf-8")
    return catalogue


def test_sources_go_in_by_their_declared_names_and_datasets_as_the_code_reads_them(written: Catalogue) -> None:
    rows = describe_journey(written, "small")
    steps = [*rows[["notebook", "direction", "kind", "item_id"]].itertuples(index=False, name=None)]
    assert steps[:4] == [
        ("1_open", "in", "source", "homes"),
        ("1_open", "in", "source", "lsoa_lookup"),
        ("1_open", "in", "source", "prices"),
        ("1_open", "out", "dataset", "home_counts"),
    ]
    assert ("2_closed", "in", "source", "clients") in steps
    assert [step for step in steps if step[:3] == ("3_report", "in", "dataset")] == [
        ("3_report", "in", "dataset", "client_counts")
    ]
    assert rows["step"].tolist() == list(range(1, len(rows) + 1))
    clients = rows[rows["item_id"] == "clients"].iloc[0]
    assert (clients["spectrum"], clients["steward"], bool(clients["personal_data"])) == (
        "closed",
        "the housing team",
        True,
    )
    made = rows[(rows["item_id"] == "client_counts") & (rows["direction"] == "out")].iloc[0]
    assert (made["made_safe_by"], made["steward"]) == ("counts", "2_closed")


def test_the_picture_says_of_each_step_what_goes_in_and_comes_out(written: Catalogue) -> None:
    picture = draw_journey(describe_journey(written, "small"), title="The journey of housing data")
    assert "3 steps, from top to bottom." in picture.alt
    assert "Clients: sources that go in, 1 closed and 1 shared and 1 open" in picture.alt
    for words in ("Closed: Clients", "Shared: Visits to a home", "From step 2: Clients", "Clients who live in cold"):
        assert words in picture.svg and words in picture.narrow_svg
    assert len(picture.data) == len(describe_journey(written, "small"))
