"""What pdfplumber's own tables make of the same files: why a layout is declared."""

from io import BytesIO

import pdfplumber
import pytest

from councilbook.careers.guidance import scoring
from councilbook.careers.guidance.layouts import read_shipped_layout
from councilbook.careers.guidance.pdf_pages import open_pages
from councilbook.careers.guidance.pdf_tables import read_table
from councilbook.careers.twin import guidance_twin
from councilbook.catalogue import TwinRequest
from councilbook.study import Study


def squeeze(text):
    return "".join((text or "").split())


def read_declared(content, layout):
    """Read the cells that are printed, by institution and place in the row: a figure below a word is a part of it."""
    with open_pages(content, layout, "") as pages:
        cells = read_table(pages, layout, "")
    keys = {cell.row: cell.text for cell in cells if cell.field == layout.key}
    column = {name: n for n, one in enumerate(layout.columns) for name in (one.field, one.second) if name}
    found = {}
    for cell in cells:
        place = (keys[cell.row], column[cell.field])
        found[place] = found.get(place, "") + squeeze(cell.text)
    return found


def read_undeclared(content, strategy):
    """Read the cells as pdfplumber's tables have them, with the first column taken for the key."""
    settings = {"vertical_strategy": strategy, "horizontal_strategy": strategy}
    with pdfplumber.open(BytesIO(content)) as pdf:
        rows = [row for page in pdf.pages for row in page.extract_table(settings) or []]
    of = [row for row in rows if squeeze(row[0]).isdigit()]
    return {(squeeze(row[0]), n): squeeze(text) for row in of for n, text in enumerate(row) if squeeze(text)}


def score(true, read):
    return 2 * len(true.items() & read.items()) / (len(true) + len(read))


@pytest.mark.parametrize(("name", "most"), [("guidance_pdf_ruled", 0.97), ("guidance_pdf_columns", 0.6)])
def test_tables_without_a_layout_lose_cells_that_a_layout_keeps(name, most):
    study = Study.open("careers", "2_guidance", "doncaster", "sample", seed=2018, run_date="2026-11-29")
    request = TwinRequest(study.finder.council, 2018)
    content = guidance_twin.make_report(study.catalogue.source(name), request)
    scores = scoring.score_reports(request, study.catalogue).set_index("form")
    form = scores.loc[scoring.FORMS[name]]
    assert form["agreeing_cells"] == form["compared_cells"]  # so what is read by the layout is what was printed
    printed = read_declared(content, read_shipped_layout(name))
    undeclared = max(score(printed, read_undeclared(content, strategy)) for strategy in ("lines", "text"))
    print(f"{name}: F1 {undeclared:.3f} without a layout, 1.000 with it")
    assert undeclared < most
