"""Pages that a study makes beside its report: what they may show, and where the site links them."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from councilbook.catalogue import Council, StudySpec
from councilbook.errors import NotebookError
from councilbook.pages.html.pieces import Html
from councilbook.pages.reports import report
from councilbook.pages.site import build_site
from councilbook.pages.study_pages import PageRequest
from councilbook.paths import Workbook, place_outputs
from small_site import COUNTS_AUDIT, DATE, SPEC, WAITING, make_audit, make_catalogue, make_package, write_dataset

TABLE = pd.DataFrame({"home": [1, 2, None]})
SHOWN = []


def make_page(request: PageRequest) -> Html:
    """Make a page of the dataset of homes alone, and note what it was given."""
    homes = request.load("homes")
    SHOWN.append((sorted(request.datasets), None if homes is None else len(homes), request.load("nowhere")))
    return request.render("study_page.html.j2", ["homes", "nowhere"])


def with_page(make: str) -> StudySpec:
    page = {"title": "Look for a home", "description": "Which home is warm enough.", "make": make}
    return StudySpec.model_validate(SPEC.model_dump() | {"pages": {"look": page}})


def publish(root: Path, packages, data="real", make=f"{__name__}:make_page"):
    spec = with_page(make)
    for package in packages:
        waits = package["councilbook"]["approval"]["state"] == "waiting"
        write_dataset(root / "processed", package, COUNTS_AUDIT if waits else make_audit())
    new = nbformat.v4
    headline = nbformat.v4.new_output("display_data", {"text/markdown": "- **12** are cold."})
    cells = [
        new.new_markdown_cell("# Warm homes\n\nWhich?"),
        new.new_code_cell("show()", outputs=[headline], metadata={"tags": ["headline"]}),
        new.new_markdown_cell("## How sure are we\n\nFairly."),
    ]
    notebook = new.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.write(notebook, root / "3_report.ipynb")
    target = root / "reports" / place_outputs("warmth", "north", data)
    north = Council(slug="north", name="North", codes={"E06000001": ""})
    processed, executed = root / "processed", root / "3_report.ipynb"
    report.publish_report(executed, Workbook(root), spec, north, data, DATE, processed, target, lambda name: TABLE)
    return target, make_catalogue(root, spec)


@pytest.fixture(autouse=True)
def _nothing_shown():
    SHOWN.clear()


def test_a_page_is_made_from_what_is_open_alone_and_does_without_what_is_not_there(tmp_path):
    closed = make_package("clients", "Clients", classification="closed")
    target, _ = publish(tmp_path, [make_package("homes", "Homes"), closed])
    assert SHOWN == [(["homes"], 3, None)]
    page = (target / "look.html").read_text(encoding="utf-8")
    assert "<title>Look for a home, North" in page
    assert "Real figures." in page


def test_its_banner_says_what_the_figures_are_of_the_datasets_that_it_shows_alone(tmp_path):
    twin = make_package("visits", "Visits")
    twin["councilbook"]["provenance"][0] |= {"synthetic": True, "title": "Visits of nurses"}
    target, _ = publish(tmp_path / "other", [make_package("homes", "Homes"), twin])
    assert "Real figures." in (target / "look.html").read_text(encoding="utf-8")
    assert "Partly synthetic figures." in (target / "index.html").read_text(encoding="utf-8")
    target, _ = publish(tmp_path / "own", [twin | {"name": "homes"}])
    assert "Made-up data stand in for Visits of nurses." in (target / "look.html").read_text(encoding="utf-8")
    target, _ = publish(tmp_path / "sample", [make_package("homes", "Homes")], data="sample")
    assert "Synthetic figures." in (target / "look.html").read_text(encoding="utf-8")


def test_as_long_as_a_dataset_of_it_waits_it_is_a_draft(tmp_path):
    target, _ = publish(tmp_path, [make_package("homes", "Homes", approval=WAITING)])
    assert "Draft: waits for approval" in (target / "look.html").read_text(encoding="utf-8")


def test_report_first_page_and_search_lead_to_it(tmp_path):
    target, catalogue = publish(tmp_path, [make_package("homes", "Homes")])
    assert 'href="look.html">Look for a home</a>' in (target / "index.html").read_text(encoding="utf-8")
    build_site(catalogue)
    first = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert 'href="warmth/north/real/look.html">Look for a home' in first and "Which home is warm enough." in first
    search = (tmp_path / "reports" / "search.html").read_text(encoding="utf-8")
    index = json.loads(search.partition('id="index">')[2].partition("</script>")[0])
    page = index["pages"].index(["warmth/north/real/look.html", "North"])
    assert [entry[:4] for entry in index["entries"] if entry[0] == page] == [
        [page, "", "Look for a home", "Which home is warm enough."]
    ]


def test_a_page_that_would_not_be_a_good_one_stops_the_report(tmp_path):
    with pytest.raises(NotebookError, match="page warmth/look would not be a good page"):
        publish(tmp_path, [make_package("homes", "Homes")], make=f"{__name__}:make_bad_page")
    assert not list(tmp_path.rglob("look.html"))


def make_bad_page(request: PageRequest) -> Html:
    return Html("<h1>Hello</h1><img src='https://example.org/a.png' alt='A picture'>")
