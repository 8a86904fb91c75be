"""Pages of a council's report, drawn by hand: wrapped lines, turned headers, cells over several columns, signs, breaks.

`careers/guidance/layouts` declares the same pages to be read.
"""

from calendar import month_name
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from councilbook.careers.guidance.returns import BENCHMARKS, FULLY, NO, NOT, OFFERS, PARTLY
from councilbook.twins.places import SYNTHETIC_NOTE

PLAIN, BOLD, SIGNS = "Helvetica", "Helvetica-Bold", "DejaVuSans"
LEADING = 1.2  # of a line, in sizes of its type
SIZE, MARGIN = 8, 40
WORDS = {FULLY: "Fully", PARTLY: "Partly", NOT: "Not yet"}
SIGN_OF = {FULLY: "✓", PARTLY: "◐", NOT: "✗"}
SAID = {FULLY: "fully met", PARTLY: "met in part", NOT: "not met yet"}
TITLES = {name: title.replace("young person", "pupil") for name, title in BENCHMARKS.items()}
OFFERED = ["Work experience", "Independent guidance"]


@cache
def _register_signs() -> None:
    """Make the font with signs known, which matplotlib brings along."""
    pdfmetrics.registerFont(TTFont(SIGNS, Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"))


class _Sheet:
    """A report that is drawn from the top: y is counted downwards, in points."""

    def __init__(self, title: str, size: tuple[float, float]) -> None:
        _register_signs()
        self.stream = BytesIO()
        self.width, self.height = size
        self.canvas = Canvas(self.stream, pagesize=size, invariant=1)
        self.canvas.setTitle(title)
        self.y = float(MARGIN)
        for text, kind in ((title, BOLD), (SYNTHETIC_NOTE, PLAIN)):
            self.write(MARGIN, text, 9, kind)
            self.y += 14
        self.y += 8

    def write(self, x: float, text: str, size: float = SIZE, font: str = PLAIN, y: float | None = None) -> None:
        """Write a line whose top is at y."""
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, self.height - (self.y if y is None else y) - size, text)

    def write_middle(self, lines: Sequence[str], left: float, right: float, top: float, bottom: float) -> None:
        """Write lines about the middle of a box."""
        font = SIGNS if set("".join(lines)) & set("✓◐✗") else PLAIN
        first = (top + bottom - len(lines) * SIZE * LEADING) / 2
        for number, line in enumerate(lines):
            x = left + 3 if len(line) > 12 else (left + right - pdfmetrics.stringWidth(line, font, SIZE)) / 2
            self.write(x, line, SIZE, font, first + number * SIZE * LEADING)

    def write_turned(self, text: str, left: float, right: float, foot: float, depth: float, turn: int) -> None:
        """Write a header turned by 90 degrees: upwards (turn 90) from the foot, or downwards (-90) to it."""
        lines = simpleSplit(text, PLAIN, SIZE - 1, depth - 8)
        start = (left + right - len(lines) * SIZE) / 2
        for number, line in enumerate(lines):
            across = start + number * SIZE
            self.canvas.saveState()
            x = across + SIZE - 2 if turn > 0 else right - (across - left) - SIZE + 2
            width = pdfmetrics.stringWidth(line, PLAIN, SIZE - 1)
            self.canvas.translate(x, self.height - foot + 4 + (0 if turn > 0 else width))
            self.canvas.rotate(turn)
            self.canvas.setFont(PLAIN, SIZE - 1)
            self.canvas.drawString(0, 0, line)
            self.canvas.restoreState()

    def box(self, left: float, right: float, top: float, bottom: float) -> None:
        """Draw the four lines of a cell."""
        self.canvas.setLineWidth(0.5)
        self.canvas.rect(left, self.height - bottom, right - left, bottom - top, stroke=1, fill=0)

    def turn(self) -> None:
        """End the page, with its number at the foot."""
        self.write(self.width / 2, f"Page {self.canvas.getPageNumber()}", y=self.height - 30)
        self.canvas.showPage()
        self.y = float(MARGIN)

    def finish(self) -> bytes:
        """End the report."""
        self.turn()
        self.canvas.save()
        return self.stream.getvalue()


def _list_rows(printed: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(name): str(value) for name, value in row.items()} for row in printed.to_dict("records")]


def write_ruled(printed: pd.DataFrame, council: str) -> bytes:
    """Write a table between lines: turned headers in two rows, and a percentage below each word."""
    edges = [MARGIN, 84, 204, 262, *(262 + 62 * n for n in range(1, 9))]
    sheet = _Sheet(f"{council}: Gatsby benchmarks, summer 2025", (842, 595))
    _head_ruled(sheet, edges)
    for row in _list_rows(printed):
        name = simpleSplit(row["institution_name"], PLAIN, SIZE, edges[2] - edges[1] - 6)
        height = max(2, len(name)) * SIZE * LEADING + 6
        if sheet.y + height > sheet.height - 50:
            sheet.turn()
            _head_ruled(sheet, edges)
        first = 0
        for lines, columns in [([row["urn"]], 1), (name, 1), *_list_ruled(row)]:
            left, right = edges[first], edges[first + columns]
            sheet.box(left, right, sheet.y, sheet.y + height)
            sheet.write_middle(lines, left, right, sheet.y, sheet.y + height)
            first += columns
        sheet.y += height
    return sheet.finish()


def _head_ruled(sheet: _Sheet, edges: Sequence[float]) -> None:
    top, middle, foot = sheet.y, sheet.y + 16, sheet.y + 120
    for text, (left, right) in zip(("URN", "School or college", "Date of the return"), pairwise(edges), strict=False):
        sheet.box(left, right, top, foot)
        sheet.write_middle(simpleSplit(text, PLAIN, SIZE, right - left - 6), left, right, middle, foot)
    sheet.box(edges[3], edges[-1], top, middle)
    sheet.write_middle(["Gatsby benchmarks of 2014"], edges[3], edges[-1], top, middle)
    for title, (left, right) in zip(TITLES.values(), pairwise(edges[3:]), strict=True):
        sheet.box(left, right, middle, foot)
        sheet.write_turned(title, left, right, foot, foot - middle, 90)
    sheet.y = foot


def _list_ruled(row: Mapping[str, str]) -> list[tuple[list[str], int]]:
    """List the cells of a row behind the name: lines and how many columns each reaches over."""
    if not row["return_date"]:
        return [(["No return was received"], 9)]
    cells = [(["/".join(row["return_date"].split("-")[::-1])], 1)]
    for name in BENCHMARKS:
        lines = [WORDS[row[name]], f"{row[f'{name}_pct']}%"]
        if name == "workplaces" and lines == cells[-1][0]:
            cells[-1] = lines, 2  # what is true of both is written once
        else:
            cells.append((lines, 1))
    return cells


def write_columns(printed: pd.DataFrame, council: str) -> bytes:
    """Write columns without a line, with signs, and names of several lines about the middle of their row."""
    edges = [MARGIN, 84, *(206 + 32 * n for n in range(9)), 514, 560]
    edges[10] = 464
    sheet = _Sheet(f"{council}: benchmarks and work experience", (595, 842))
    _head_columns(sheet, edges)
    for row in _list_rows(printed[printed["return_date"] != ""]):
        name = simpleSplit(row["institution_name"], PLAIN, SIZE, edges[2] - edges[1] - 8)
        height = len(name) * SIZE * LEADING + 11
        if sheet.y + height > sheet.height - 60:
            sheet.turn()
            _head_columns(sheet, edges)
        offers = [row[one].replace(NO, "–") for one in ("offer_work_experience", "offer_guidance")]
        cells = [[row["urn"]], name, *([SIGN_OF[row[one]]] for one in BENCHMARKS), *([one] for one in offers)]
        for lines, (left, right) in zip(cells, pairwise(edges), strict=True):
            sheet.write_middle(lines, left, right, sheet.y, sheet.y + height)
        sheet.y += height
    signs = ", ".join(f"{SIGN_OF[word]} {SAID[word]}" for word in SIGN_OF)
    sheet.write(84, f"Signs: {signs}; numbers are school years.", font=SIGNS, y=sheet.y + 8)
    return sheet.finish()


def _head_columns(sheet: _Sheet, edges: Sequence[float]) -> None:
    foot = sheet.y + 124
    for text, left in (("URN", edges[0]), ("School or college", edges[1])):
        sheet.write(left + 3, text, y=foot - SIZE - 3)
    for title, (left, right) in zip([*TITLES.values(), *OFFERED], pairwise(edges[2:]), strict=True):
        sheet.write_turned(title, left, right, foot, 124, -90)
    sheet.y = foot + 4


def write_blocks(printed: pd.DataFrame, council: str) -> bytes:
    """Write a block an institution: a heading in bold type, and sentences that run over lines and pages."""
    sheet = _Sheet(f"{council}: careers guidance, summer 2026", (595, 842))
    for row in _list_rows(printed):
        sheet.y += 8
        heading = f"{row['institution_name']} (URN {row['urn']})"
        for text, font, size in ((heading, BOLD, 11), (_say(row), PLAIN, 9)):
            for line in simpleSplit(text, font, size, 430 if font == PLAIN else 300):
                if sheet.y + size * LEADING > sheet.height - 50:
                    sheet.turn()
                sheet.write(MARGIN, line, size, font)
                sheet.y += size * LEADING
    return sheet.finish()


def _say(row: Mapping[str, str]) -> str:
    if not row["return_date"]:
        return "No return was received from it this year."
    year, month, day = row["return_date"].split("-")
    met = [
        f"Benchmark {title[0]}, {title[2:].lower()}, is {SAID[row[name]]} ({row[f'{name}_pct']}%)."
        for name, title in BENCHMARKS.items()
    ]
    offers = [f"{title}: {_say_years(row[name])}." for name, title in OFFERS.items()]
    contact = f"Contact: {row['contact_post']} ({row['contact_mailbox']})."
    return " ".join([f"The return is of {int(day)} {month_name[int(month)]} {year}.", *met, *offers, contact])


def _say_years(years: str) -> str:
    words = years.split(", ")
    if words == [NO]:
        return "none"
    return f"year{'s' * (len(words) > 1)} {', '.join(words[:-1])}{' and ' * (len(words) > 1)}{words[-1]}"
