"""The search: every word of the pages that was written, on a page that looks through them."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from councilbook.pages.html.pieces import embed_json
from councilbook.pages.html.questions import SKIPPED, join_synonyms, read_stems
from councilbook.pages.page import DOCS, PAGE_BYTES, write_page
from councilbook.pages.reports.report_records import ReportRecord
from councilbook.pages.site.base import CARDS, Site, group_studies, name_data_page
from councilbook.pages.site.source_pages import Entry

SECTION_LETTERS = (300, 160, 80, 0)  # of each section that the search looks through: as many as fit on its page
NOT_READ = re.compile(r"<(script|style|svg|pre|nav)\b.*?</\1>", re.DOTALL)
HEADING = re.compile(r'<h[1-6][^>]*\bid="([^"]+)"')
TAG = re.compile(r"<[^>]*>")
TITLE = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL)
# An address, the page's name, what stands there as (id, heading, text), and the stems of the other words by id.
Page = tuple[str, str, Sequence[tuple[str, str, str]], Mapping[str, list[str]]]
REFERENCE = "councilbook."  # how files of the library's reference begin; nobody searches for functions here


def write_search(site: Site, entries: Sequence[Entry]) -> None:
    """Write the search with as much of each section as fits on a page: all its words, fewer, or its heading alone."""
    for letters in (*SECTION_LETTERS, None):
        index = list_search_index(site, entries, letters)
        values = {
            "studies": group_studies(site.reports),
            "with_headings": letters is not None,
            "index": embed_json(index),
            "whole": letters == SECTION_LETTERS[0],
        }
        page = site.render("search.html.j2", "search", values)
        if len(page.text.encode()) <= PAGE_BYTES:
            break
    write_page(page, site.folder / "search.html", "search.html")


def list_search_index(site: Site, entries: Sequence[Entry], letters: int | None) -> dict[str, Any]:
    """List what the search looks through.

    Args:
        site: whose reports and datasets.
        entries: the sources.
        letters: most letters of each section; None: no sections, but the title and the summary of each report.

    Returns:
        pages, each [address, name]; entries, each [number of its page, id there, heading, text, stems of the other
        words below it]; alike, stem to those that mean the same; and skip, words that say little.
    """
    pages: list[list[str]] = []
    rows: list[list[Any]] = []
    is_whole = letters == SECTION_LETTERS[0] and len(site.reports) <= CARDS
    for address, name, found, words in chain(
        *(_list_report(site, report, letters, is_whole) for report in site.reports),
        *(_list_data(site, report, letters, is_whole) for report in site.reports if letters is not None),
        _list_compared(site),
        _list_docs(site) if is_whole else (),
        [("sources.html", "Sources", [(one.id, one.title, one.description) for one in entries], {})],
    ):
        pages.append([address, name])
        rows.extend([len(pages) - 1, *one, add_words([name, *one[1:]], words.get(one[0], ()))] for one in found)
    return {"pages": pages, "entries": rows, "alike": list_alike(site.catalogue.synonyms), "skip": sorted(SKIPPED)}


def _list_report(site: Site, report: ReportRecord, letters: int | None, is_whole: bool) -> Iterator[Page]:
    """List a report with its sections, and the study's other pages."""
    sections = [("", report.title, report.summary[: SECTION_LETTERS[0] if letters is None else letters])]
    if letters is not None:
        sections += [(one.id, one.heading, one.text[:letters]) for one in report.sections if one.id]
    address = f"{report.folder}/index.html"
    yield address, report.name, sections, _read_words(site, address) if is_whole else {}
    for page in report.pages:
        address = f"{report.folder}/{page.file}"
        words = _join_words(site, address) if is_whole else {}
        yield address, report.council.name, [("", page.title, page.description)], words


def _list_data(site: Site, report: ReportRecord, letters: int | None, is_whole: bool) -> Iterator[Page]:
    """List the datasets of a report: each on its own page where words of pages are read, else on the report's list."""
    name = f"Data, {report.place_name}"
    listed = [(report.name_dataset(one), one.title, one.description[:letters]) for one in report.datasets]
    if not is_whole:
        yield name_data_page(site, report), name, listed, {}
        return
    for dataset, (place, *said) in zip(report.datasets, listed, strict=True):
        if dataset.is_published:
            address = f"{report.folder}/data/{dataset.id}/index.html"
            yield address, name, [("", said[0], said[1])], _join_words(site, address)
        else:
            yield name_data_page(site, report), name, [(place, said[0], said[1])], {}


def _list_compared(site: Site) -> Iterator[Page]:
    for compared in site.compared:
        figures = " ".join(one["title"] + "." for one in compared.values["sections"])
        yield compared.file, compared.title, [("", compared.title, figures)], {}


def _list_docs(site: Site) -> Iterator[Page]:
    """List the documentation but the library's reference."""
    for file in sorted(site.folder.glob(f"{DOCS}/*.html")):
        address = f"{DOCS}/{file.name}"
        title = TITLE.search(file.read_text(encoding="utf-8"))
        if title and not file.name.startswith(REFERENCE):
            name = html.unescape(TAG.sub("", title[1])).strip()
            yield address, "How it works", [("", name, "")], _join_words(site, address)


def _read_words(site: Site, address: str) -> dict[str, list[str]]:
    file = site.folder / address
    return read_page_words(file.read_text(encoding="utf-8")) if file.exists() else {}


def _join_words(site: Site, address: str) -> dict[str, list[str]]:
    """Read the words of a page that is one entry of the search, whichever heading they are below."""
    return {"": [word for some in _read_words(site, address).values() for word in some]}


def read_page_words(page: str) -> dict[str, list[str]]:
    """Read the words below each heading of a page, and below none, also those that are folded away.

    Args:
        page: HTML whose content is in `main`. Code, pictures and navigation are left out.

    Returns:
        Id of the heading, empty above the first, to the stems of the words below it, each once; numbers are left out.
    """
    main = page.partition("<main")[2].partition("</main>")[0]
    first, *parts = HEADING.split(NOT_READ.sub(" ", f"<main{main}"))
    texts = {"": first} | {id: f"<h{text}" for id, text in zip(parts[::2], parts[1::2], strict=True)}
    return {id: _list_stems(html.unescape(TAG.sub(" ", text))) for id, text in texts.items()}


def _list_stems(text: str) -> list[str]:
    return [one for one in dict.fromkeys(read_stems(text)) if not any(letter.isdigit() for letter in one)]


def add_words(shown: Sequence[str], words: Iterable[str]) -> str:
    """Join the words of a section that what is shown of it does not have."""
    known = {stem for text in shown for stem in read_stems(text)}
    return " ".join(one for one in words if one not in known)


def list_alike(groups: Iterable[Sequence[str]]) -> Mapping[str, list[str]]:
    """List for each word the others that mean the same, all as stems."""
    return {stem: sorted(set(others)) for stem, others in join_synonyms(groups).items()}
