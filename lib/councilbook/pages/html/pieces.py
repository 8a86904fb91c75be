"""Pieces of HTML: text that has been escaped once, put together by hand or from the templates one folder up."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import markupsafe
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from councilbook.pages.html.wording import begin_line, format_bytes, format_date

BadgeKind = Literal["real", "synthetic", "assumed", "mixed", "closed", "shared", "open", "draft", "approved"]


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
        loader=ChoiceLoader([PackageLoader("councilbook.pages"), PackageLoader("councilbook", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": format_bytes, "date": format_date, "begin_line": begin_line}
    return environment


def render_template(name: str, **values: object) -> Html:
    """Fill in one of the library's templates; text is escaped, `Html` is not.

    A study's own is named by its place in the library, as `careers/finder/finder.html.j2`.
    """
    return Html(_environment().get_template(name).render(**values))


def embed_json(content: Any) -> Html:
    """Write JSON so that nothing in it can end the script element around it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Html(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def badge(text: str, kind: BadgeKind) -> Html:
    """Write a short label; its words carry the meaning, its colour only repeats it."""
    return fill('<span class="badge badge-{}">{}</span>', kind, text)


def definition_list(items: Mapping[str, object]) -> Html:
    """Write names and what each stands for."""
    pairs = join(fill("<div><dt>{}</dt><dd>{}</dd></div>", name, value) for name, value in items.items())
    return fill('<dl class="facts">{}</dl>', pairs)


def fold(summary: str, content: Html) -> Html:
    """Fold content away behind a line that opens it."""
    return fill("<details><summary>{}</summary>{}</details>", summary, content)


@dataclass(frozen=True)
class KeyFigure:
    """A figure that matters: what it is of, what it compares with, and how sure it is, each in a few words."""

    value: str
    meaning: str
    comparison: str
    uncertainty: str


def key_figures(figures: Sequence[KeyFigure | None], find: str = "") -> Html:
    """Write the figures that open a report, and a box that finds a place on the report's maps and in its tables.

    Args:
        figures: None for one that cannot be told.
        find: what may be typed, as `Postcode or district`; without it there is no box.
    """
    return render_template("key_figures.html.j2", figures=[one for one in figures if one], find=find)
