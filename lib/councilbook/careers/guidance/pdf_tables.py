"""Rows of a table in a PDF, ruled or not, as its layout declares it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter

from councilbook.careers.guidance.layouts import Column, Layout
from councilbook.careers.guidance.pdf_pages import Box, Cell, Line, Page, join_boxes
from councilbook.errors import SourceError

SAME_EDGE = 3.0  # points by which two edges may differ and be one
FIGURE = re.compile(r"\(?\d[\d.,]*\s*%?\)?")  # a figure that stands in a cell's last line
LINES = {"vertical_strategy": "lines", "horizontal_strategy": "lines"}

Edges = dict[str, tuple[float, float]]  # of each column: left and right, in points
Band = tuple[str, dict[str, Box]]  # a strip across a table: the text of its key, and its cells by field


@dataclass
class _Row:
    """A row while it is put together: by field the boxes that its text stands in, each with its page."""

    key: str
    boxes: dict[str, list[tuple[Page, Box]]] = field(default_factory=dict)

    def add(self, name: str, page: Page, box: Box) -> None:
        places = self.boxes.setdefault(name, [])
        if (page, box) not in places:
            places.append((page, box))


def read_table(pages: Sequence[Page], layout: Layout, where: str) -> list[Cell]:
    """Read the table of a PDF, which may go on over its pages with its headers repeated or not.

    Returns:
        A cell a field of a row that has text; the text of a cell that reaches over several columns, or rows, is that of
        each of them.

    Raises:
        SourceError: a page is not as the layout says, or above the first row stands one without a key; the message
            names the page, and what was expected.
    """
    read = _read_ruled if layout.kind == "ruled" else _read_columns
    rows: list[_Row] = []
    for page, bands in read(pages, layout, where):
        for key, boxes in bands:
            is_new = re.fullmatch(layout.key_pattern, key) is not None
            if is_new:
                rows.append(_Row(key))
            elif not rows:
                _refuse_record(page, boxes, layout, where)
                continue  # above the first row, as a second line of headings
            for name, box in boxes.items():
                rows[-1].add(name, page, box)
    if not rows:
        raise SourceError(f"{where}: below the headers is no row whose {layout.key} is like {layout.key_pattern!r}.")
    return [cell for number, row in enumerate(rows) for cell in _list_cells(number, row, layout)]


def _refuse_record(page: Page, boxes: dict[str, Box], layout: Layout, where: str) -> None:
    """Refuse what stands above the first row if it has a value: it is a row that would be lost for want of its key."""
    for name, box in boxes.items():
        lines = page.read_lines(box, layout.turned)
        if lines and layout.values_of(name).get(" ".join(lines[0].text.casefold().split())):
            raise SourceError(
                f"{where}, page {page.number}: above the first row stands one with a value of {name}, whose "
                f"{layout.key} is not like {layout.key_pattern!r}. Fill it in, or correct key_pattern in the layout."
            )


def _list_cells(number: int, row: _Row, layout: Layout) -> Iterator[Cell]:
    for column in layout.columns:
        lines = [(p, line) for p, box in row.boxes.get(column.field, []) for line in p.read_lines(box, layout.turned)]
        second = lines[-1:] if column.second and len(lines) > 1 and FIGURE.fullmatch(lines[-1][1].text) else []
        for name, part in ((column.field, lines[: len(lines) - len(second)]), (column.second, second)):
            if part:
                first = part[0][0]
                words = [word for p, line in part if p is first for word in line.words]
                yield Cell(number, name, join_text(line for _, line in part), first.number, join_boxes(words))


def join_text(lines: Iterator[Line] | Sequence[Line]) -> str:
    """Join the lines of a text."""
    return " ".join(line.text for line in lines)


def fold(text: str) -> str:
    """Write a text so that case and blanks make no difference."""
    return "".join(text.casefold().split())


# --- between lines ---


def _read_ruled(pages: Sequence[Page], layout: Layout, where: str) -> Iterator[tuple[Page, list[Band]]]:
    edges: Edges = {}
    nearest = f"{where}, page {layout.first_page}: no table between lines; expected {_name_headers(layout.columns)}."
    for page in pages:
        for table in page.plumbed.find_tables(LINES):
            cells = [(float(a), float(b), float(c), float(d)) for a, b, c, d in table.cells]
            found, top = _find_headers(page, cells, layout)
            missing = [one for one in layout.columns if one.field not in found]
            if missing and edges and not found and _has_edges(cells, edges):
                found, top = edges, float(table.bbox[1])  # it goes on without its headers
            elif missing:
                nearest = f"{where}, page {page.number}: a table without the header {_name_headers(missing)}."
                if len(missing) * 2 <= len(layout.columns):
                    raise SourceError(f"{nearest} Expected is what the layout says.")
                continue
            edges = found
            yield page, list(_cut_bands(page, cells, edges, top, layout))
    if not edges:
        raise SourceError(nearest)


def _find_headers(page: Page, cells: Sequence[Box], layout: Layout) -> tuple[Edges, float]:
    """Find the cells that hold the headers: the edges of each, and where the lowest ends."""
    wanted = {fold(one.header): one.field for one in layout.columns}
    edges: Edges = {}
    foot = 0.0
    for box in sorted(cells, key=lambda box: box[1]):
        name = wanted.get(fold(join_text(page.read_lines(box, layout.turned))))
        if name and name not in edges:
            edges[name] = box[0], box[2]
            foot = max(foot, box[3])
    return edges, foot


def _has_edges(cells: Sequence[Box], edges: Edges) -> bool:
    """Tell whether a table has an edge wherever one with headers had one."""
    own = {edge for box in cells for edge in (box[0], box[2])}
    return all(any(abs(edge - one) <= SAME_EDGE for one in own) for pair in edges.values() for edge in pair)


def _cut_bands(page: Page, cells: Sequence[Box], edges: Edges, top: float, layout: Layout) -> Iterator[Band]:
    body = [box for box in cells if box[3] > top + SAME_EDGE]
    tops = sorted({round(box[1], 1) for box in body if box[1] >= top - SAME_EDGE})
    bottom = max((box[3] for box in body), default=top)
    for above, below in pairwise([*tops, bottom]):
        middle = (above + below) / 2
        boxes: dict[str, Box] = {}
        for name, (left, right) in edges.items():
            centre = (left + right) / 2
            covers = [box for box in body if box[0] <= centre < box[2] and box[1] <= middle < box[3]]
            if covers:
                boxes[name] = covers[0]
        key = join_text(page.read_lines(boxes[layout.key], layout.turned)) if layout.key in boxes else ""
        yield key, boxes


def _name_headers(columns: Sequence[Column]) -> str:
    return ", ".join(repr(one.header) for one in columns)


# --- without lines ---


def _read_columns(pages: Sequence[Page], layout: Layout, where: str) -> Iterator[tuple[Page, list[Band]]]:
    lefts = [float(one.left or 0) for one in layout.columns]
    is_found = False
    for page in pages:
        rights = [*lefts[1:], float(page.plumbed.width)]
        edges = {one.field: pair for one, pair in zip(layout.columns, zip(lefts, rights, strict=True), strict=True)}
        foot = _find_foot(page, edges, layout)
        if foot is not None:
            _check_headers(page, edges, foot, layout, where)
            is_found = True
        if not is_found:
            continue
        end, is_over = _find_end(page, foot or 0, layout)
        yield page, list(_cut_rows(page, edges, foot or 0, end, layout))
        if is_over:
            return
    if not is_found:
        header = next(one for one in layout.columns if one.field == layout.key)
        raise SourceError(
            f"{where}, page {layout.first_page}: no header {header.header!r} in the column that begins at "
            f"{header.left:g} points. Expected is what the layout says."
        )


def _find_foot(page: Page, edges: Edges, layout: Layout) -> float | None:
    """Find where the headers end: below the key's, which may have several lines."""
    wanted = fold(next(one.header for one in layout.columns if one.field == layout.key))
    left, right = edges[layout.key]
    lines = page.read_lines((left, 0, right, float(page.plumbed.height)), layout.turned)
    for first in range(len(lines)):
        for last in range(first + 1, min(first + 6, len(lines)) + 1):
            if fold(join_text(lines[first:last])) == wanted:
                return max(line.box[3] for line in lines[first:last]) + 1
    return None


def _check_headers(page: Page, edges: Edges, foot: float, layout: Layout, where: str) -> None:
    for column in layout.columns:
        left, right = edges[column.field]
        read = join_text(page.read_lines((left, foot - 1 - layout.header_depth, right, foot), layout.turned))
        if fold(read) != fold(column.header):
            raise SourceError(
                f"{where}, page {page.number}: from {left:g} to {right:g} points expected the header "
                f"{column.header!r}, and another stands there."
            )


def _find_end(page: Page, foot: float, layout: Layout) -> tuple[float, bool]:
    """Find where the table ends on a page, and whether that is its end."""
    if layout.ends:
        for line in page.read_lines(turned=layout.turned):
            if line.box[1] >= foot and re.search(layout.ends, line.text):
                return line.box[1], True
    return float(page.plumbed.height), False


def _cut_rows(page: Page, edges: Edges, foot: float, end: float, layout: Layout) -> Iterator[Band]:
    """Cut what is below the headers to rows: one begins with each key; what is above the first is the last page's."""
    left, right = edges[layout.key]
    keys = [one for one in page.read_lines((left, foot, right, end)) if re.fullmatch(layout.key_pattern, one.text)]
    lines = page.read_lines((0, foot, float(page.plumbed.width), end))
    if layout.rows == "top":
        starts = [key.box[1] - SAME_EDGE for key in keys]
    else:
        middles = [(key.box[1] + key.box[3]) / 2 for key in keys]
        starts = [foot, *(_find_gap(lines, *pair) for pair in pairwise(middles))] if keys else []
    before = [("", foot)] if not keys or starts[0] > foot else []
    marks = [*before, *((key.text, start) for key, start in zip(keys, starts, strict=True)), ("", end)]
    for (text, above), (_, below) in pairwise(marks):
        yield text, {name: (one[0], above, one[1], below) for name, one in edges.items()}


def _find_gap(lines: Sequence[Line], above: float, below: float) -> float:
    """Find the middle of the widest gap between the lines of two rows."""
    inside = (line.box for line in lines if above - 1 <= (line.box[1] + line.box[3]) / 2 <= below + 1)
    boxes = sorted(inside, key=itemgetter(1))
    gaps = [(two[1] - one[3], (two[1] + one[3]) / 2) for one, two in pairwise(boxes)]
    return max(gaps)[1] if gaps else (above + below) / 2
