"""Labelled blocks of a PDF: a heading a record, and its values in the sentences below."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from councilbook.careers.guidance.layouts import Layout
from councilbook.careers.guidance.pdf_pages import Cell, Line, Page, join_boxes
from councilbook.errors import SourceError

SAME_HEIGHT = 0.5  # points by which lines of one heading may differ


@dataclass
class _Text:
    """Words that run over lines and pages."""

    page: int
    words: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # each with its page

    def add(self, page: Page, line: Line) -> None:
        self.words += [(page.number, word) for word in line.words]

    @property
    def text(self) -> str:
        return " ".join(word["text"] for _, word in self.words)

    def locate(self, start: int, end: int) -> tuple[int, list[dict[str, Any]]]:
        """Return the page, and the words on it, of a piece of the text; of what runs over two, the first."""
        found, place = [], 0
        for page, word in self.words:
            if place < end and place + len(word["text"]) > start:
                found.append((page, word))
            place += len(word["text"]) + 1
        return found[0][0], [word for page, word in found if page == found[0][0]]


def read_blocks(pages: Sequence[Page], layout: Layout, where: str) -> list[Cell]:
    """Read the blocks of a PDF.

    Returns:
        A cell a named group of a pattern that is found.

    Raises:
        SourceError: there is no block, or in one a sentence is missing, or says two things; the message names the
            page, and what was expected.
    """
    cells: list[Cell] = []
    number = -1
    for number, (heading, body) in enumerate(_list_blocks(pages, layout)):
        cells += _find(layout.start, True, heading, number, where)
        is_empty = layout.nothing and re.search(layout.nothing, body.text)
        for one in [] if is_empty else layout.sentences:
            cells += _find(one.pattern, one.required, body, number, where)
    if number < 0:
        raise SourceError(f"{where}, page {layout.first_page}: no heading of a block; expected {layout.start!r}.")
    return cells


def _list_blocks(pages: Sequence[Page], layout: Layout) -> Iterator[tuple[_Text, _Text]]:
    """List the blocks: heading and body.

    A heading that is known by its font may have several lines, and one of another form ends a block.
    """
    heading, body, is_open = _Text(0), _Text(0), False
    for page in pages:
        for line in page.read_lines():
            is_heading = _is_heading(line, layout)
            if is_heading and not (is_open and layout.start_font and _is_next(heading, page, line)):
                if body.words and re.fullmatch(layout.start, heading.text):
                    yield heading, body
                heading, body = _Text(page.number), _Text(page.number)
            (heading if is_heading else body).add(page, line)
            is_open = is_heading
    if re.fullmatch(layout.start, heading.text):
        yield heading, body


def _is_next(heading: _Text, page: Page, line: Line) -> bool:
    """Tell whether a line goes on with a heading: the line below, of letters as high, or the first of the next page."""
    of, last = heading.words[-1]
    above, own = last["bottom"] - last["top"], line.box[3] - line.box[1]
    return of != page.number or (abs(above - own) < SAME_HEIGHT and line.box[1] - last["bottom"] < own)


def _is_heading(line: Line, layout: Layout) -> bool:
    if layout.start_font:
        return all(layout.start_font in word["fontname"] for word in line.words)
    return re.fullmatch(layout.start, line.text) is not None


def _find(pattern: str, required: bool, text: _Text, number: int, where: str) -> Iterator[Cell]:
    found = list(re.finditer(pattern, text.text))
    if not found and not required:
        return
    if len({match.groups() for match in found}) != 1:
        what = "says it twice, and not the same" if found else "does not say it"
        raise SourceError(
            f"{where}, page {text.page}: block {number + 1} {what}; expected a sentence like {pattern!r}."
        )
    for name, value in found[0].groupdict().items():
        if value is not None:
            page, words = text.locate(*found[0].span(name))
            yield Cell(number, name, value, page, join_boxes(words))
