"""The pages of a PDF: their letters, words and lines, each with its place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
import pdfplumber
from numpy.typing import NDArray
from pdfplumber.page import Page as PlumbedPage
from pdfplumber.utils.text import extract_words

from councilbook.careers.guidance.layouts import Layout, Turned
from councilbook.errors import CouncilbookError, SourceError

MOST_BYTES, MOST_PAGES = 50 * 2**20, 300  # a council's report has some dozen pages
FULL_PAGE = 0.5  # of a page, that an image covers where it is a scan
FEW_LETTERS = 40  # as a page number that is put on a scan
SAME_LETTER = 1.0  # points within which a letter is printed again
LINE_POINTS = 3.0  # within which words stand on one line

Box = tuple[float, float, float, float]  # x0, top, x1, bottom, in points from the page's top left corner


@dataclass(frozen=True)
class Cell:
    """What was read of one field of one row, with where it stands."""

    row: int
    field: str
    text: str
    page: int
    box: Box


@dataclass(frozen=True)
class Line:
    """Words that stand on one line."""

    words: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """The words, with a blank between them."""
        return " ".join(word["text"] for word in self.words)

    @property
    def box(self) -> Box:
        """The box around them."""
        return join_boxes(self.words)


@dataclass(frozen=True)
class Page:
    """A page, with the letters that are not in its margins."""

    plumbed: PlumbedPage
    layout: Layout

    @property
    def number(self) -> int:
        """Its number in the file, from 1."""
        return int(self.plumbed.page_number)

    @cached_property
    def letters(self) -> list[dict[str, Any]]:
        """Its letters; one that is printed twice to look bold is one."""
        low, high = self.layout.top_margin, float(self.plumbed.height) - self.layout.bottom_margin
        seen: dict[tuple[str, int], list[float]] = {}
        letters = []
        for one in self.plumbed.chars:
            twins = seen.setdefault((one["text"], round(one["top"])), [])
            is_new = all(abs(one["x0"] - left) >= SAME_LETTER for left in twins)
            twins.append(one["x0"])
            if is_new and low <= (one["top"] + one["bottom"]) / 2 <= high:
                letters.append(one)
        return letters

    @cached_property
    def _centres(self) -> NDArray[np.float64]:
        centres = [((one["x0"] + one["x1"]) / 2, (one["top"] + one["bottom"]) / 2) for one in self.letters]
        return np.array(centres, dtype=np.float64).reshape(-1, 2)

    def read_lines(self, box: Box | None = None, turned: Turned = "") -> list[Line]:
        """Read what stands in a box, or on the whole page, line by line; headers that are turned, as they are read."""
        left, top, right, bottom = box or (-np.inf, -np.inf, np.inf, np.inf)
        x, y = self._centres.T
        inside = np.flatnonzero((x >= left) & (x < right) & (y >= top) & (y < bottom))
        chosen = [self.letters[place] for place in inside]
        up = turned != "down"
        words = extract_words(
            chosen,
            extra_attrs=["fontname"],
            char_dir_rotated="btt" if up else "ttb",
            line_dir_rotated="ltr" if up else "rtl",
        )
        upright = _group([one for one in words if one["upright"]], "")
        return [*upright, *_group([one for one in words if not one["upright"]], "up" if up else "down")]


def _group(words: Sequence[dict[str, Any]], turned: Turned) -> list[Line]:
    """Group words to lines by their middles; a page that is read upwards has its lines from left to right."""

    def across(word: dict[str, Any]) -> float:  # where its line lies
        if turned:
            return float(word["x0"] + word["x1"]) / (2 if turned == "up" else -2)
        return float(word["top"] + word["bottom"]) / 2

    def along(word: dict[str, Any]) -> float:
        return float(word["x0"] if not turned else -word["bottom"] if turned == "up" else word["top"])

    lines: list[list[dict[str, Any]]] = []
    for word in sorted(words, key=across):
        if lines and across(word) - across(lines[-1][-1]) <= LINE_POINTS:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [Line(sorted(line, key=along)) for line in lines]


def join_boxes(words: Sequence[dict[str, Any]]) -> Box:
    """Return the box around words, in whole tenths of a point."""
    left, top = (round(float(min(word[edge] for word in words)), 1) for edge in ("x0", "top"))
    right, bottom = (round(float(max(word[edge] for word in words)), 1) for edge in ("x1", "bottom"))
    return left, top, right, bottom


@contextmanager
def open_pages(content: bytes, layout: Layout, where: str) -> Iterator[list[Page]]:
    """Open the pages of a PDF that its layout is about.

    Raises:
        SourceError: it is no PDF, has a password, is damaged or too large, has fewer pages, or a page is a scan: an
            image without text.
    """
    if len(content) > MOST_BYTES:
        raise SourceError(f"{where}: larger than {MOST_BYTES // 2**20} MB; expected a report with text in it.")
    try:
        with pdfplumber.open(BytesIO(content)) as pdf:
            if len(pdf.pages) > MOST_PAGES or len(pdf.pages) < layout.first_page:
                raise SourceError(f"{where}: {len(pdf.pages)} pages; expected {layout.first_page} to {MOST_PAGES}.")
            pages = [Page(one, layout) for one in pdf.pages[layout.first_page - 1 : layout.last_page]]
            for page in pages:
                _refuse_scan(page, where)
            yield pages
    except CouncilbookError:
        raise
    except Exception as error:  # pdfminer has no error of its own for what is damaged; its message may show text
        raise SourceError(
            f"{where}: it cannot be read as a PDF ({type(error).__name__}). It may have a password, or be damaged."
        ) from None


def _refuse_scan(page: Page, where: str) -> None:
    width, height = float(page.plumbed.width), float(page.plumbed.height)
    images = sum((one["x1"] - one["x0"]) * (one["bottom"] - one["top"]) for one in page.plumbed.images)
    is_empty = not page.letters and page.plumbed.images
    if is_empty or (len(page.letters) < FEW_LETTERS and images > FULL_PAGE * width * height):
        raise SourceError(
            f"{where}, page {page.number}: an image without text, as a scanner makes it. Nothing is guessed of it. "
            "Expected the report as it was written; ask who made it for the original file or a spreadsheet."
        )
