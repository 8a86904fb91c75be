"""Tables and blocks in a PDF are read as declared, each cell with its place; what does not fit is refused."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from councilbook.careers.guidance.layouts import Layout, read_layout
from councilbook.careers.guidance.pdf_blocks import read_blocks
from councilbook.careers.guidance.pdf_pages import open_pages
from councilbook.careers.guidance.pdf_tables import read_table
from councilbook.errors import CheckError, SourceError

HEIGHT = 400
COLUMNS = [
    {"field": "code", "header": "Code", "left": 40},
    {"field": "first", "header": "First of two", "second": "share", "left": 100},
    {"field": "last", "header": "Last", "left": 200},
]
EDGES = [40, 100, 200, 300]


def layout(kind, **more):
    return Layout(title="a report", kind=kind, key="code", key_pattern=r"\d{2}", columns=COLUMNS, **more)


class Draw:
    """A PDF that is drawn with y counted downwards."""

    def __init__(self, **more):
        self.stream = BytesIO()
        self.canvas = Canvas(self.stream, pagesize=(320, HEIGHT), **more)

    def text(self, x, y, text, font="Helvetica", size=8):
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, HEIGHT - y, text)
        return self

    def turned(self, x, y, text, degrees):
        self.canvas.saveState()
        self.canvas.translate(x, HEIGHT - y)
        self.canvas.rotate(degrees)
        self.canvas.setFont("Helvetica", 8)
        self.canvas.drawString(0, 0, text)
        self.canvas.restoreState()
        return self

    def row(self, top, bottom, *cells, edges=EDGES):
        for cell, left, right in zip(cells, edges, edges[1:], strict=False):
            self.canvas.rect(left, HEIGHT - bottom, right - left, bottom - top)
            for number, line in enumerate(cell.split("\n")):
                self.text(left + 4, top + 10 + 9 * number, line)
        return self

    def turn(self):
        self.canvas.showPage()
        return self

    def bytes(self):
        self.canvas.showPage()
        self.canvas.save()
        return self.stream.getvalue()


def read(content, declared):
    with open_pages(content, declared, "Source s, file f.pdf") as pages:
        return (read_blocks if declared.kind == "blocks" else read_table)(pages, declared, "Source s, file f.pdf")


def rows(cells):
    found = {}
    for cell in cells:
        found.setdefault(cell.row, {})[cell.field] = cell.text
    return list(found.values())


def test_a_ruled_table_goes_on_over_pages_with_and_without_its_headers():
    draw = Draw().row(40, 60, "Code", "First\nof two", "Last").row(60, 84, "11", "half\n50%", "a").turn()
    draw.row(40, 60, "Code", "First of two", "Last").row(60, 84, "12", "all", "b").turn()
    draw.row(30, 54, "13", "none\n0%", "c")
    cells = read(draw.bytes(), layout("ruled"))
    assert rows(cells) == [
        {"code": "11", "first": "half", "share": "50%", "last": "a"},
        {"code": "12", "first": "all", "last": "b"},
        {"code": "13", "first": "none", "share": "0%", "last": "c"},
    ]
    assert [cell.page for cell in cells if cell.field == "last"] == [1, 2, 3]
    share = next(cell for cell in cells if cell.field == "share")
    assert 103 < share.box[0] < 105 and 70 < share.box[1] < share.box[3] < 84


def test_lines_that_have_no_key_belong_to_the_row_above_also_over_a_page():
    draw = Draw().row(40, 60, "Code", "First of two", "Last").row(60, 74, "11", "one", "a").row(74, 88, "", "two", "")
    draw.turn().row(40, 54, "", "three", "").row(54, 70, "12", "four", "b")
    assert [row["first"] for row in rows(read(draw.bytes(), layout("ruled")))] == ["one two three", "four"]


@pytest.mark.parametrize("kind", ["ruled", "columns"])
@pytest.mark.parametrize("key", ["", "1"])
def test_a_first_row_without_its_key_is_not_lost_and_a_second_line_of_headings_is_no_row(kind, key):
    def draw(*second):
        page = Draw()
        rows = (("Code", "First of two", "Last"), second, ("12", "all", "b"))
        for top, cells in zip((40, 60, 84), rows, strict=True):
            if kind == "ruled":
                page.row(top, top + 20 + 4 * (top > 40), *cells)
            else:
                for x, text in zip(EDGES, cells, strict=False):
                    page.text(x + 4 if x > 40 else x, top + 10, text)
        return page.bytes()

    declared = layout(kind, values={"all": "yes", "none": "no"})
    with pytest.raises(SourceError, match=r"f\.pdf, page 1: above the first row .* value of first, whose code"):
        read(draw(key, "None", "a"), declared)
    assert len(rows(read(draw("", "of ten", "in words"), declared))) == 1


def test_what_is_written_across_columns_is_true_of_each():
    draw = Draw().row(40, 60, "Code", "First of two", "Last")
    draw.row(60, 84, "11", "both alike", edges=[40, 100, 300]).row(84, 108, "12", "x", "y")
    assert rows(read(draw.bytes(), layout("ruled"))) == [
        {"code": "11", "first": "both alike", "last": "both alike"},
        {"code": "12", "first": "x", "last": "y"},
    ]


@pytest.mark.parametrize("kind", ["ruled", "columns"])
@pytest.mark.parametrize(("way", "degrees"), [("up", 90), ("down", -90)])
def test_turned_headers_are_read_as_declared(kind, way, degrees):
    draw = Draw()
    if kind == "ruled":
        draw.row(40, 120, "Code", "", "").row(120, 140, "11", "x", "y")
    else:
        draw.text(40, 118, "Code").text(40, 135, "11").text(104, 135, "x").text(204, 135, "y")
    foot = 116 if way == "up" else 76
    first, second = ("First", "of two") if way == "up" else ("of two", "First")
    draw.turned(120, foot, first, degrees).turned(130, foot, second, degrees).turned(230, foot, "Last", degrees)
    cells = read(draw.bytes(), layout(kind, turned=way, header_depth=80))
    assert rows(cells) == [{"code": "11", "first": "x", "last": "y"}]


@pytest.mark.parametrize("where", ["top", "middle"])
def test_columns_without_lines_join_the_lines_of_a_row(where):
    draw = Draw().text(40, 50, "Code").text(104, 50, "First of two").text(204, 50, "Last")
    key = {"top": (70, 100), "middle": (75, 100)}[where]
    for y, code, last in zip(key, ("11", "12"), "ab", strict=True):
        draw.text(40, y, code).text(204, y, last)
    draw.text(104, 70, "one").text(104, 80, "two").text(104, 100, "three").text(40, 120, "Note: 99").text(40, 130, "99")
    cells = read(draw.bytes(), layout("columns", rows=where, ends="^Note:"))
    assert rows(cells) == [
        {"code": "11", "first": "one two", "last": "a"},
        {"code": "12", "first": "three", "last": "b"},
    ]


def test_a_letter_that_is_printed_twice_to_look_bold_is_one():
    draw = Draw().row(40, 60, "Code", "First of two", "Last").row(60, 84, "11", "all", "b")
    draw.text(104.3, 70, "all")
    assert rows(read(draw.bytes(), layout("ruled")))[0]["first"] == "all"


@pytest.mark.parametrize("kind", ["ruled", "columns"])
@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=30))
@settings(max_examples=8, deadline=None)
def test_a_page_as_an_office_program_draws_it_is_read_whole(kind, seed, shapes):
    """A shaded header, rules as thin boxes, lines that are not quite level, rows of several lines, breaks anywhere."""
    rng = np.random.default_rng(seed)
    draw, true, top, y = Draw(), [], 20.0, 400.0
    for number, (words, has_share) in enumerate(shapes):
        lines = [" ".join(["Upper", "Hill"][:count]) for count in (*[2] * (words // 2), words % 2) if count]
        height = max(len(lines), 2) * 9 + 3
        if y + height > 380:
            if number:
                draw.turn()
            y = top
            draw.canvas.setFillGray(0.9)
            draw.canvas.rect(40, HEIGHT - y - 18, 260, 18, stroke=0, fill=1)
            draw.canvas.setFillGray(0)
            for header, left in zip(["Code", "First of two", "Last"], EDGES, strict=False):
                draw.text(left + 3, y + 12, header, "Helvetica-Bold")
            y = box(draw, y, y + 18)
        first = ["all", "50%"] if has_share else ["none"]
        for cell, left in zip([[f"{number + 10}"], first, lines], EDGES, strict=False):
            for place, text in enumerate(cell):
                draw.text(left + 3 + rng.uniform(0, 1), y + 9 + 9 * place + rng.uniform(-0.8, 0.8), text)
        true.append([f"{number + 10}", *first, " ".join(lines)])
        y = box(draw, y, y + height)
    assert [list(row.values()) for row in rows(read(draw.bytes(), layout(kind)))] == true


def box(draw, top, bottom):
    """Draw the edges of a row as thin boxes, and return where it ends."""
    for y in (top, bottom):
        draw.canvas.rect(40, HEIGHT - y - 0.3, 260, 0.6, stroke=0, fill=1)
    for x in EDGES:
        draw.canvas.rect(x - 0.3, HEIGHT - bottom, 0.6, bottom - top, stroke=0, fill=1)
    return bottom


BLOCKS = Layout(
    title="blocks",
    kind="blocks",
    start_font="Bold",
    start=r"(?P<name>.+) \((?P<code>\d+)\)",
    nothing="^Nothing",
    sentences=[
        {"pattern": r"The share is (?P<share>\d+)%"},
        {"pattern": "since (?P<year>[0-9]{4})", "required": False},
    ],
)


def test_blocks_run_over_lines_and_pages():
    draw = Draw().text(40, 30, "A report", "Helvetica-Bold").text(40, 50, "Long", "Helvetica-Bold")
    draw.text(40, 60, "Name (7)", "Helvetica-Bold").text(40, 75, "As everybody knows, the. The share").turn()
    draw.text(40, 40, "is 40% since 2019.").text(40, 60, "Empty (8)", "Helvetica-Bold").text(40, 70, "Nothing yet.")
    draw.text(40, 90, "Other (9)", "Helvetica-Bold").text(40, 100, "The share is 5%.")
    cells = read(draw.bytes(), BLOCKS)
    assert rows(cells) == [
        {"name": "Long Name", "code": "7", "share": "40", "year": "2019"},
        {"name": "Empty", "code": "8"},
        {"name": "Other", "code": "9", "share": "5"},
    ]
    assert next(cell.page for cell in cells if cell.field == "share") == 2


@pytest.mark.parametrize("said", ["It says something else.", "The share is 5%. The share is 6%."])
def test_a_block_that_does_not_say_it_or_says_two_things_is_refused_with_its_page(said):
    draw = Draw().turn().text(40, 60, "Jane Doe (8)", "Helvetica-Bold").text(40, 70, said)
    with pytest.raises(SourceError, match=r"f\.pdf, page 2: block 1 .*The share is") as refused:
        read(draw.bytes(), BLOCKS)
    assert "Doe" not in str(refused.value)


def scan():
    image = Image.fromarray(np.arange(10_000, dtype=np.uint8).reshape(100, 100))
    draw = Draw().row(40, 60, "Code", "First of two", "Last").row(60, 84, "11", "all", "b").turn()
    draw.canvas.drawImage(ImageReader(image), 0, 0, 320, HEIGHT)
    return draw


@pytest.mark.parametrize("kind", ["ruled", "columns"])
@pytest.mark.parametrize("stamp", ["", "Page 2"])
def test_a_scan_is_said_with_its_page_and_not_guessed(kind, stamp):
    with pytest.raises(SourceError, match=r"f\.pdf, page 2: an image without text"):
        read(scan().text(150, 390, stamp).bytes(), layout(kind))


def test_a_table_that_has_changed_is_refused_with_page_and_what_was_expected():
    ruled = Draw().turn().row(40, 60, "Code", "First of two", "Latest").row(60, 84, "11", "x", "y").bytes()
    with pytest.raises(SourceError, match=r"page 2: a table without the header 'Last'"):
        read(ruled, layout("ruled"))
    columns = Draw().text(40, 50, "Code").text(104, 50, "Second").text(204, 50, "Last").text(40, 70, "11").bytes()
    with pytest.raises(SourceError, match=r"page 1: from 100 to 200 points expected the header 'First of two'"):
        read(columns, layout("columns"))
    for kind, told in (("ruled", "no table between lines; expected 'Code'"), ("columns", "no header 'Code'")):
        with pytest.raises(SourceError, match=f"page 1: {told}"):
            read(Draw().text(40, 50, "Minutes of a meeting").bytes(), layout(kind))
    with pytest.raises(SourceError, match="no heading of a block"):
        read(Draw().text(40, 50, "Minutes of a meeting").bytes(), BLOCKS)
    empty = Draw().row(40, 60, "Code", "First of two", "Last").row(60, 84, "none", "x", "y").bytes()
    with pytest.raises(SourceError, match="no row whose code is like"):
        read(empty, layout("ruled"))


def test_a_file_that_is_no_pdf_is_damaged_or_has_a_password_is_refused():
    whole = Draw().row(40, 60, "Code", "First of two", "Last").bytes()
    locked = Draw(encrypt=StandardEncryption("secret")).text(40, 50, "Code").bytes()
    for content in (b"urn,name\n1,2\n", whole[:60], locked):
        with pytest.raises(SourceError, match=r"f\.pdf: it cannot be read as a PDF|0 pages"):
            read(content, layout("ruled"))
    with pytest.raises(SourceError, match="1 pages; expected 3 to 300"):
        read(whole, layout("ruled", first_page=3))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: [", "is not YAML"),
        ("{title: a, kind: ruled, key: x, columns: []}", "as its key"),
        ("{title: a, kind: columns, key: x, columns: [{field: x, header: X}]}", "where each begins"),
        ("{title: a, kind: blocks, start: '(', sentences: [{pattern: a}]}", "no pattern"),
        ("{title: a, kind: blocks}", "blocks need"),
        ("{title: a, kind: rule}", "kind"),
    ],
)
def test_a_layout_that_is_none_is_refused(text, told):
    with pytest.raises(CheckError, match=told):
        read_layout(text, "layout_x.yaml")
