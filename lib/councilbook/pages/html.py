"""Pieces of HTML that read the same in JupyterLab and in a report.

Everything here is text that has been escaped once. Pages are put together from the templates beside this module.
"""

import json
import math
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Literal
from urllib.parse import quote

import markupsafe
import pandas as pd
from bs4 import Tag
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pandas.api.types import is_object_dtype

from councilbook.errors import CouncilbookError, suggest

BadgeKind = Literal["real", "synthetic", "mixed", "closed", "shared", "open", "draft", "approved"]

NO_VALUE = "n/a"
FORMAT_NAMES = {"csv": "CSV", "geojson": "GeoJSON", "parquet": "GeoParquet"}
FEWEST_SORTED = 3  # rows of a table that is worth sorting
TITLE_LETTERS = 72  # of a downloaded picture's title in a line of 720 pixels
WORDS_THAT_SAY_LITTLE = """
a about am an and any are as at be been but by can could did do does for from get give had has have how i if in
is it its many me much my of on or our please so tell that the their them there these they this to was we were
what when where which who whose why will with would you your
"""
SKIPPED = frozenset(WORDS_THAT_SAY_LITTLE.split())
PREFIX_WEIGHT = 0.6  # of a word that only begins like the one typed
SUBJECT_WEIGHT = 0.1  # of a word that every question of a list may have
LEAST_SHARE = 0.35  # of the best answer's points, below which an answer is not shown
# What a spreadsheet may run when it opens a CSV (CWE-1236; OWASP, CSV Injection). Apostrophes before it belong to it,
# so that a text which had one already is told from a text that was given one.
FORMULA = re.compile(r"[ ']*[=+\-@＝＋－＠\t\r\n]")
FORMULA_NOTE = (
    "In the CSV, a text that begins with = + - @, a tab or a line end has an apostrophe before it, so that a "
    "spreadsheet does not run it; without the apostrophe it is the text. Numbers are as they are."
)
NOT_IN_ADDRESS = "%#<>&'"  # what an address, or an attribute in single quotes, cannot hold as it is


@dataclass(frozen=True)
class Html:
    """Escaped HTML that a notebook shows as such.

    No subclass of str, which a pandas column of text would turn into plain text.
    """

    text: str

    def __str__(self) -> str:
        """Return the HTML."""
        return self.text

    def __html__(self) -> Markup:
        """Tell jinja and markupsafe that nothing is left to escape."""
        return Markup(self.text)

    def _repr_html_(self) -> str:
        return self.text


def escape(value: object) -> Html:
    """Escape a value for HTML; what is `Html` already stays as it is."""
    return Html(str(markupsafe.escape(value)))


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula; `restore_formula` takes it away."""
    return f"'{text}" if FORMULA.match(text) else text


def restore_formula(text: str) -> str:
    """Return the text that `escape_formula` was given."""
    return text[1:] if text.startswith("'") and FORMULA.match(text[1:]) else text


def escape_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Escape the texts and column names of a table that leaves as CSV; numbers, dates and missing values stay."""
    safe = frame.rename(columns=lambda name: escape_formula(name) if isinstance(name, str) else name)
    for place, kind in enumerate(frame.dtypes):
        if is_object_dtype(kind) or isinstance(kind, pd.StringDtype | pd.CategoricalDtype):
            cells = frame.iloc[:, place].astype(object)
            escaped = [escape_formula(cell) if isinstance(cell, str) else cell for cell in cells]
            safe.isetitem(place, pd.array(escaped, dtype=object))
    return safe


def fill(pattern: str, *values: object) -> Html:
    """Fill values into the braces of a piece of HTML, and escape each that is not `Html`."""
    return Html(str(Markup(pattern).format(*values)))


def join(pieces: Iterable[Html], between: str = "") -> Html:
    """Write pieces of HTML after one another."""
    return Html(between.join(piece.text for piece in pieces))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("councilbook.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": format_bytes, "date": format_date}
    return environment


def render_template(name: str, **values: object) -> Html:
    """Fill in one of the library's templates; text is escaped, `Html` is not."""
    return Html(_environment().get_template(name).render(**values))


def check_alternative(title: str, alternative: str) -> None:
    """Check that a picture's text alternative says what the picture shows.

    Raises:
        CouncilbookError: it is empty, shorter than a sentence of five words, without a full stop, or the title again.
    """
    text = alternative.strip()
    if len(text.split()) < 5 or text[-1] not in ".!?" or text.rstrip(".").casefold() == title.strip().casefold():
        raise CouncilbookError(
            f"Picture {title!r}: its text alternative {alternative!r} is no description. "
            "Say in one or more whole sentences what a reader would see in it."
        )


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    headers: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
    label: str | None = None,
) -> Html:
    """Write a table that a screen reader can follow: a caption, and a scope on every header.

    Written here because neither `DataFrame.to_html` nor a `Styler` can write scopes. The first column heads its
    row; the index is not shown. A column's numbers are right-aligned, with thousands separators and as many
    decimals throughout. A table of more than two columns can be scrolled sideways, by keyboard too. In a report a
    reader can sort the rows by any column.

    Args:
        frame: one row a table row; a cell that is `Html` is not escaped.
        caption: what the table shows.
        headers: column to the words shown above it; its own name where none is given.
        formats: column to a Python format specification, as `.1f` or `,d`.
        label: name of the scrolling region; the caption if none is given.

    Raises:
        CouncilbookError: headers or formats name a column that is not there, or the caption is empty.
    """
    if not caption.strip():
        raise CouncilbookError("A table needs a caption that says what it shows.")
    headers, formats = headers or {}, formats or {}
    for name in [*headers, *formats]:
        if name not in frame.columns:
            raise CouncilbookError(f"Table {caption!r} has no column {name!r}.{suggest(name, map(str, frame.columns))}")
    columns = []
    for name in frame.columns:
        number = pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
        specification = formats.get(name, choose_format(frame[name]))
        columns.append(
            {
                "header": headers.get(name, name),
                "number": number,
                "cells": [format_value(value, specification) for value in frame[name]],
            }
        )
    rows = list(zip(*(column["cells"] for column in columns), strict=True))
    return render_template(
        "table.html.j2",
        caption=caption,
        columns=columns,
        rows=rows,
        label=label or caption,
        wide=len(columns) > 2,
        sortable=len(rows) >= FEWEST_SORTED,
    )


def choose_format(column: "pd.Series[Any]") -> str:
    """Choose how a column is written: whole numbers with separators, years without, others to three figures or so."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return ""
    present = column.dropna()
    if present.empty:
        return ""
    whole = bool((present % 1 == 0).all())
    if whole and present.between(1000, 2999).all() and "year" in str(column.name).casefold():
        return ".0f"
    largest = float(present.abs().max())
    decimals = 0 if whole else 1 if largest >= 10 else 2 if largest >= 1 else 3
    return f",.{decimals}f"


def format_value(value: Any, specification: str = "") -> Html:
    """Write one value as escaped text: none as n/a, true and false as yes and no, dates as 23 November 2026."""
    if isinstance(value, Html):
        return value
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return Html(NO_VALUE)
    if pd.api.types.is_bool(value):
        return Html("yes" if value else "no")
    if isinstance(value, date):
        return fill('<time datetime="{}">{}</time>', f"{value:%Y-%m-%d}", format_date(value))
    if specification.endswith("d"):
        value = round(value)  # whole numbers come as floats where one of their column is missing
    text = format(value, specification)
    return escape(text.replace("-", "−", 1) if pd.api.types.is_number(value) else text)


def count_things(count: int, noun: str) -> str:
    """Write how many there are of something whose plural ends in s, as `1 area` or `1,064 areas`."""
    return f"{count:,d} {noun}{'' if count == 1 else 's'}"


def format_date(value: date | str) -> str:
    """Write a date, or an ISO date's text, as 23 November 2026."""
    day = value if isinstance(value, date) else datetime.fromisoformat(value).date()
    return f"{day.day} {day:%B %Y}"


def format_bytes(count: int) -> str:
    """Write a file's size in kB or MB (powers of ten)."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):,.{0 if count >= 1e4 else 1}f} kB"


def badge(text: str, kind: BadgeKind) -> Html:
    """Write a short label; its words carry the meaning, its colour only repeats it."""
    return fill('<span class="badge badge-{}">{}</span>', kind, text)


def definition_list(items: Mapping[str, object]) -> Html:
    """Write names and what each stands for."""
    pairs = join(fill("<div><dt>{}</dt><dd>{}</dd></div>", name, value) for name, value in items.items())
    return fill('<dl class="facts">{}</dl>', pairs)


def write_data_uri(text: str, kind: str) -> Html:
    """Write text as an address that holds it all, for an attribute in single quotes.

    In percent code SVG and CSV are a quarter shorter than in base64. `srcset` wants base64: it ends at a blank.
    """
    safe = "".join(chr(one) for one in range(32, 127) if chr(one) not in NOT_IN_ADDRESS)
    return Html(f"data:{kind},{quote(text, safe=safe)}")


def name_file(title: str) -> str:
    """Make of a title the stem of a file's name: small letters and digits with hyphens between the words."""
    words = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-") or "figure"
    return textwrap.shorten(words.replace("-", " "), 60, placeholder="").replace(" ", "-") or words[:60]


def offer_picture(
    svg: str, title: str, alt: str, size: tuple[int, int], data: pd.DataFrame, legend: Sequence[object] = ()
) -> Html:
    """Let a reader download a picture and the data behind it, by links that need no script.

    The picture gets its title and its legend, as it will be seen without the page. A report's script adds PNG.

    Args:
        svg: the picture, whose first tag says its width and height in pixels.
        title: what the picture is about.
        alt: what it shows, in sentences; the file carries it as its description.
        size: width and height in pixels.
        data: the data behind it.
        legend: classes of a map, see `maps.MapClass`.
    """
    lines = textwrap.wrap(title, TITLE_LETTERS)
    top = 24 * len(lines) + 16
    picture = render_template(
        "download.svg.j2",
        title=title,
        alt=alt,
        lines=lines,
        width=size[0],
        height=top + size[1] + 28 * len(legend) + 12 * bool(legend),
        bottom=top + size[1],
        picture=Html(svg.replace("<svg ", f'<svg y="{top}" ', 1)),
        legend=legend,
    )
    table = escape_cells(data).to_csv(index=False, lineterminator="\r\n", float_format="%.6g")
    return render_template(
        "figure_downloads.html.j2",
        title=title,
        stem=name_file(title),
        svg=write_data_uri(" ".join(picture.text.split()), "image/svg+xml"),
        csv=write_data_uri(table, "text/csv;charset=utf-8"),
    )


def number_figures(parts: Iterable[Tag], note: str = "") -> None:
    """Number the figures and tables of a page, and name the figures' files by their numbers.

    A table in a figure goes by the figure's number. Pieces shown by JupyterLab, one at a time, have no numbers.

    Args:
        parts: pieces of the page in the order in which it shows them; they are changed.
        note: a word to end the files' names with, as `synthetic`.
    """
    figures, tables = 0, 0
    for caption in [one for part in parts for one in part.find_all(["figcaption", "caption"])]:
        figure = caption.find_parent("figure")
        if caption.name == "caption" and figure is None:
            tables += 1
            (caption.span or caption).insert(0, f"Table {tables}. ")
        elif caption.name == "figcaption" and figure is not None:
            figures += 1
            caption.insert(0, f"Figure {figures}. ")
            figure["id"] = f"figure-{figures}"
            for link in figure.find_all("a", download=True):
                stem, kind = str(link["download"]).rsplit(".", 1)
                link["download"] = "-".join(filter(None, ["figure", str(figures), stem, note])) + f".{kind}"


def fold(summary: str, content: Html) -> Html:
    """Fold content away behind a line that opens it."""
    return fill("<details><summary>{}</summary>{}</details>", summary, content)


# --- questions and answers ---


@dataclass(frozen=True)
class Answer:
    """A question with its answer, for a list that can be searched.

    Attributes:
        question, answer: text, or `Html`.
        facts: what belongs to the answer, name to value.
        state: a badge beside the question.
        words: other words that a reader may use for it.
    """

    question: str | Html
    answer: str | Html
    facts: Mapping[str, object] = field(default_factory=dict)
    state: Html | None = None
    words: Sequence[str] = ()


AnswerIndex = dict[str, list[tuple[int, float]]]


def answers(
    entries: Sequence[Answer],
    label: str,
    *,
    synonyms: Iterable[Sequence[str]] = (),
    subject: str = "",
    name: str = "answers",
) -> Html:
    """Write questions and answers as a list that is whole without scripts; with them, a box finds what fits a question.

    What is typed stays in the page. The index of words is made here; the page only adds up its weights.

    Args:
        entries: in the order in which they are read.
        label: of the box, as `What do you want to know?`.
        synonyms: groups of words that mean the same.
        subject: words of what all of them are about, which tell none from another.
        name: what the ids begin with; two lists on a page want two names.

    Raises:
        CouncilbookError: there is no entry, a question is there twice or empty, or the name is no id.
    """
    questions = [str(entry.question).strip() for entry in entries]
    if not questions or not all(questions) or len(set(questions)) < len(questions) or not label.strip():
        raise CouncilbookError("A list of answers needs a label, and questions that are neither empty nor there twice.")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise CouncilbookError(f"{name!r} cannot begin an id; use small letters, digits and hyphens.")
    index = {
        "stems": index_answers(entries, synonyms, subject),
        "skip": sorted(SKIPPED),
        "prefix": PREFIX_WEIGHT,
        "least": LEAST_SHARE,
    }
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return render_template("answers.html.j2", entries=entries, label=label, list_id=name, index=Html(text))


def index_answers(entries: Sequence[Answer], synonyms: Iterable[Sequence[str]] = (), subject: str = "") -> AnswerIndex:
    """Index the words of answers: a rare word, or one of the question, weighs more.

    The weight is the field's times the inverse document frequency (Sparck Jones 1972, J. Documentation 28, 11-21).

    Args:
        entries, synonyms, subject: see `answers`.

    Returns:
        Stem to the numbers of the entries that have it, with its weight in each.
    """
    alike = _join_synonyms(synonyms)
    weights: dict[str, dict[int, float]] = {}
    for number, entry in enumerate(entries):
        facts = " ".join(str(value) for value in entry.facts.values())
        fields = ((str(entry.question), 3.0), (" ".join(entry.words), 2.0), (str(entry.answer), 0.5), (facts, 0.5))
        for text, weight in fields:
            for stem in dict.fromkeys(read_stems(markupsafe.Markup(text).striptags())):
                for other, share in ((stem, 1.0), *((one, 0.7) for one in alike.get(stem, ()))):
                    held = weights.setdefault(other, {})
                    held[number] = max(held.get(number, 0.0), weight * share)
    index = {
        stem: [(number, round(weight * math.log(1 + len(entries) / len(held)), 3)) for number, weight in held.items()]
        for stem, held in sorted(weights.items())
    }
    return index | {stem: [(number, SUBJECT_WEIGHT) for number in range(len(entries))] for stem in read_stems(subject)}


def _join_synonyms(groups: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    alike: dict[str, list[str]] = {}
    for group in groups:
        stems = list(dict.fromkeys(stem for word in group for stem in read_stems(word)))
        for stem in stems:
            alike.setdefault(stem, []).extend(one for one in stems if one != stem)
    return alike


def rank_answers(index: AnswerIndex, question: str) -> list[int]:
    """Rank answers as the page does: the numbers of those that it shows for a question, the best first.

    Args:
        index: from `index_answers`.
        question: what a reader types.
    """
    points: dict[int, float] = {}
    for stem in dict.fromkeys(read_stems(question)):
        for number, weight in _find_postings(index, stem).items():
            points[number] = points.get(number, 0.0) + weight
    bar = LEAST_SHARE * max(points.values(), default=0.0)
    shown = [(number, weight) for number, weight in points.items() if weight >= bar]
    return [number for number, _ in sorted(shown, key=lambda one: (-one[1], one[0]))]


def _find_postings(index: AnswerIndex, stem: str) -> dict[int, float]:
    if stem in index:
        return dict(index[stem])
    found: dict[int, float] = {}
    for other, places in index.items() if len(stem) > 2 else ():
        if other.startswith(stem):
            for number, weight in places:
                found[number] = max(found.get(number, 0.0), weight * PREFIX_WEIGHT)
    return found


def read_stems(text: str) -> list[str]:
    """Read the words of a text that say something, in small letters, without accents and the endings of plurals."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one)[0] != "M")
    return [stem_word(word) for word in re.findall(r"[^\W_]{2,}", bare.lower()) if word not in SKIPPED]


def stem_word(word: str) -> str:
    """Take off a plural, -ing, -ed and a last e; a few letters are left alone. The page has the same lines."""
    if len(word) < 4:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif re.search(r"[^sui]s\Z", word):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 5:
        word = word[:-3]
    elif word.endswith("ed") and len(word) > 4:
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


# --- downloads ---


def downloads(datapackages: Sequence[Mapping[str, Any]]) -> Html:
    """List the datasets that a report lets its reader download.

    Args:
        datapackages: contents of the datasets' datapackage.json. A dataset's files lie at `data/<id>/` beside the
            report, where `publish_report` puts them once nobody has to approve it any more.
    """
    return render_template("downloads.html.j2", datasets=[describe_package(package) for package in datapackages])


def describe_package(package: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a datapackage.json what a reader is shown of a dataset."""
    about = package["councilbook"]
    return {
        "id": package["name"],
        "title": package["title"],
        "description": package["description"],
        "version": package["version"],
        "licence": ", ".join(licence["title"] for licence in package["licenses"]),
        "approval": about.get("approval", {"state": "not needed"}),  # absent in what an older version released
        "rows": about["rows"],
        "synthetic": about["synthetic"],
        "files": [
            {"path": file["path"], "format": FORMAT_NAMES[file["format"]], "bytes": file["bytes"]}
            for file in package["resources"]
        ],
    }
