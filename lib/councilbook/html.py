"""Pieces of HTML that read the same in JupyterLab and in a report.

Everything here is text that has been escaped once. Pages are put together from the templates beside this module.
"""

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal
from urllib.parse import quote

import markupsafe
import pandas as pd
from bs4 import Tag
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from councilbook.errors import CouncilbookError, suggest

BadgeKind = Literal["real", "synthetic", "mixed", "closed", "shared", "open", "draft", "approved"]

NO_VALUE = "n/a"
FORMAT_NAMES = {"csv": "CSV", "geojson": "GeoJSON", "parquet": "GeoParquet"}
FEWEST_SORTED = 3  # rows of a table that is worth sorting
TITLE_LETTERS = 72  # of a downloaded picture's title in a line of 720 pixels
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


def fill(pattern: str, *values: object) -> Html:
    """Fill values into the braces of a piece of HTML, and escape each that is not `Html`."""
    return Html(str(Markup(pattern).format(*values)))


def join(pieces: Iterable[Html], between: str = "") -> Html:
    """Write pieces of HTML after one another."""
    return Html(between.join(piece.text for piece in pieces))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("councilbook"),
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
    table = data.to_csv(index=False, lineterminator="\r\n", float_format="%.6g")
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
