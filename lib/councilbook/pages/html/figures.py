"""What every figure has: a text alternative, a number, and files to download."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd

from councilbook.errors import CouncilbookError
from councilbook.pages.html.formulas import escape_cells
from councilbook.pages.html.pieces import Html, render_template

if TYPE_CHECKING:  # it takes as long to import as all else here
    from bs4 import Tag

TITLE_LETTERS = 72  # of a downloaded picture's title in a line of 720 pixels
NOT_IN_ADDRESS = "%#<>&'"  # what an address, or an attribute in single quotes, cannot hold as it is


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

    A report's script adds PNG.

    Args:
        svg: as for `write_picture`, and so are title, alt, size and legend.
        data: the data behind it.
    """
    table = escape_cells(data).to_csv(index=False, lineterminator="\r\n", float_format="%.6g")
    return render_template(
        "figure_downloads.html.j2",
        title=title,
        stem=name_file(title),
        svg=write_picture(svg, title, alt, size, legend),
        csv=write_data_uri(table, "text/csv;charset=utf-8"),
    )


def write_picture(svg: str, title: str, alt: str, size: tuple[int, int], legend: Sequence[object] = ()) -> Html:
    """Write a picture with its title and its legend, as it is seen without a page, as an address that holds it all.

    Args:
        svg: the picture, whose first tag says its width and height in pixels.
        title: what the picture is about.
        alt: what it shows, in sentences; the file carries it as its description.
        size: width and height in pixels.
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
    return write_data_uri(" ".join(picture.text.split()), "image/svg+xml")


def number_figures(parts: "Iterable[Tag]", note: str = "") -> None:
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
            if scroll := caption.find_parent(class_="scroll"):
                scroll["aria-label"] = f"Table {tables}"  # the caption is read out next, and need not be heard twice
        elif caption.name == "figcaption" and figure is not None:
            figures += 1
            caption.insert(0, f"Figure {figures}. ")
            figure["id"] = f"figure-{figures}"
            for link in figure.find_all("a", download=True):
                stem, kind = str(link["download"]).rsplit(".", 1)
                link["download"] = "-".join(filter(None, ["figure", str(figures), stem, note])) + f".{kind}"
