import os
import stat
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pypdf
import pytest

from councilbook.errors import CouncilbookError
from councilbook.pages import charts, html
from councilbook.pages.reports import pdf
from councilbook.pages.reports.report import render_report
from small_site import DATE, SPEC

posix = pytest.mark.skipif(sys.platform == "win32", reason="stands in for a browser by a shell script")


def write_program(file: Path, script: str) -> Path:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a browser; returns the one folder on its path."""
    monkeypatch.delenv(pdf.BROWSER_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf, "_list_usual_places", list)
    return tmp_path


def test_without_a_browser_the_message_says_what_to_do(nowhere: Path) -> None:
    with pytest.raises(CouncilbookError, match=r"apt install chromium.*COUNCILBOOK_BROWSER"):
        pdf.find_browser()


@posix
def test_a_browser_on_the_path_is_found_and_a_named_one_goes_first(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(nowhere / "google-chrome", "true")
    assert pdf.find_browser() == nowhere / "google-chrome"

    monkeypatch.setenv(pdf.BROWSER_VARIABLE, str(write_program(nowhere / "mine", "true")))
    assert pdf.find_browser() == nowhere / "mine"

    monkeypatch.setenv(pdf.BROWSER_VARIABLE, "gone")
    with pytest.raises(CouncilbookError, match="names 'gone', and there is no such program"):
        pdf.find_browser()


def test_windows_browsers_are_looked_for_where_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAMFILES(X86)", "C:/Programs")

    assert str(Path("C:/Programs/Microsoft/Edge/Application/msedge.exe")) in pdf._list_usual_places()


@posix
@pytest.mark.parametrize(
    ("script", "message"),
    [("exit 3", "could not print the page: it ended with exit code 3"), ("exit 0", "wrote no PDF")],
)
def test_a_browser_that_fails_leaves_the_last_pdf(tmp_path: Path, script: str, message: str) -> None:
    page, target = tmp_path / "index.html", tmp_path / "report.pdf"
    page.write_text("<p>New</p>")
    target.write_text("last")

    with pytest.raises(CouncilbookError, match=message):
        pdf.print_pdf(page, target, write_program(tmp_path / "browser", script))
    assert target.read_text() == "last"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["browser", "index.html", "report.pdf"]


@posix
def test_a_browser_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 0.2)
    (tmp_path / "index.html").write_text("<p>New</p>")

    with pytest.raises(CouncilbookError, match=r"did not print the page within 0\.2 seconds"):
        pdf.print_pdf(tmp_path / "index.html", tmp_path / "a.pdf", write_program(tmp_path / "slow", "exec sleep 60"))


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no root")
@posix
@pytest.mark.parametrize(("user", "is_given"), [(0, True), (1000, False)])
def test_the_sandbox_is_off_for_root_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, is_given: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "index.html").write_text("<p>New</p>")
    browser = write_program(tmp_path / "browser", f'echo "$@" > {tmp_path}/told; exit 1')

    with pytest.raises(CouncilbookError):
        pdf.print_pdf(tmp_path / "index.html", tmp_path / "a.pdf", browser)
    assert ("--no-sandbox" in (tmp_path / "told").read_text().split()) == is_given


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> pypdf.PdfReader:
    """A report with a chart, a table and links, printed by the browser of this machine."""
    try:
        browser = pdf.find_browser()
    except CouncilbookError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("print")
    frame = pd.DataFrame({"place": ["North", "South"], "rate": [1.5, 2.5], "checksum": ["ab" * 32] * 2})
    picture = charts.draw_bars(
        frame, "place", "rate", title="Rates", alt="South is higher than North by one.", label="%"
    )
    new = nbformat.v4
    outputs = [
        new.new_output("display_data", {"text/html": text, "text/plain": ""})
        for text in (picture._repr_html_(), html.table(frame, "Rates of places").text)
    ]
    headline = [new.new_output("display_data", {"text/markdown": "- **12 homes** are cold."})]
    long = "# Warm homes in North, with a title that is so long that it has to be broken into lines\n\nLead."
    cells = [
        new.new_markdown_cell(long),
        new.new_code_cell("show()", outputs=headline, metadata={"tags": ["headline"]}),
        new.new_markdown_cell("## What we found\n\n[The source](https://www.gov.uk/) and [data](data/a.csv)."),
        new.new_code_cell("draw()", outputs=outputs),
        new.new_markdown_cell("## How sure are we\n\n" + "Fairly sure.\n\n" * 60),
    ]
    notebook = new.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.write(notebook, folder / "3_report.ipynb")
    page = folder / "index.html"
    render_report(folder / "3_report.ipynb", page, study=SPEC, council_name="North", data="real", run_date=DATE)
    pdf.print_pdf(page, folder / "report.pdf", browser)
    assert sorted(path.name for path in folder.iterdir()) == ["3_report.ipynb", "index.html", "report.pdf"]
    return pypdf.PdfReader(folder / "report.pdf")


def walk(node: Any) -> list[Any]:
    """Return every element of a tree of tags."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [one for child in node for one in walk(child)]
    if not isinstance(node, dict):
        return []
    return [node, *walk(node.get("/K", []))]


@pytest.mark.browser
def test_a_printed_report_is_tagged_for_screen_readers(printed: pypdf.PdfReader) -> None:
    root = printed.trailer["/Root"]
    elements = [one for one in walk(root["/StructTreeRoot"]) if "/S" in one]
    tags = Counter(one["/S"] for one in elements)
    figures = [one.get("/Alt", "") for one in elements if one["/S"] == "/Figure"]

    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert tags["/H1"] == 1
    assert tags["/H2"] == 5
    assert tags["/Table"] == 2  # one of them is folded away on the screen
    assert tags["/TH"] >= 4
    assert figures == ["South is higher than North by one."]


@pytest.mark.browser
def test_a_printed_report_has_title_outline_and_whole_pages_of_a4(printed: pypdf.PdfReader) -> None:
    titles = [one.title.strip() for one in printed.outline[1]]

    assert printed.metadata.title.startswith("Warm homes in North, with a title")
    assert printed.outline[0].title.split() == printed.metadata.title.split(" – ")[0].split()
    assert titles[:3] == ["Summary in plain language", "What we found", "How sure are we"]
    assert len(printed.pages) > 1
    assert [round(float(length) / 72 * 25.4) for length in printed.pages[0].mediabox[2:]] == [210, 297]


@pytest.mark.browser
def test_a_printed_report_tells_nothing_of_this_machine(printed: pypdf.PdfReader) -> None:
    links = [one.get_object().get("/A", {}).get("/URI") for page in printed.pages for one in page.get("/Annots", [])]
    text = "".join(page.extract_text() for page in printed.pages)

    assert [link for link in links if link] == ["https://www.gov.uk/"]
    assert "file:" not in text
    assert "draw()" not in text
