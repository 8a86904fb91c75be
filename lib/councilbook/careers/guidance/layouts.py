"""How one council's PDF is laid out: declared in a YAML file, so that nothing of it is guessed."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from councilbook.catalogue import FoundFile
from councilbook.catalogue.entries import Entry
from councilbook.errors import CheckError, describe_faults

Turned = Literal["", "up", "down"]


class Column(Entry):
    """A column of a table."""

    field: str
    header: str = Field(description="What stands above it, its lines joined by blanks.")
    left: float | None = Field(default=None, description="Where it begins, in points from the page's left edge.")
    second: str = Field(default="", description="Field of the figure that stands in the last line of its cells.")
    values: dict[str, str] = Field(default={}, description="By what is written in it, what it means.")


class Sentence(Entry):
    """Words of a block: a pattern whose named groups are fields."""

    pattern: str
    required: bool = True


class Layout(Entry):
    """How the records of a PDF lie on its pages; points are 1/72 inch, from the page's top left corner.

    A ruled table's cells lie between its lines; columns have no lines, and lie where it is said; a block is a heading
    with sentences below it. Text in `values` that means "" is no value.
    """

    title: str
    kind: Literal["ruled", "columns", "blocks"]
    first_page: int = Field(default=1, ge=1)
    last_page: int | None = None
    top_margin: float = Field(default=0, description="Points at the top of each page that hold nothing of it.")
    bottom_margin: float = Field(default=0, description="Points at the bottom, for page numbers.")
    columns: list[Column] = Field(default=[])
    key: str = Field(default="", description="Field that every row has, in its first line or in the middle of it.")
    key_pattern: str = Field(default=".+", description="What a key looks like; in a table, another text is no new row.")
    turned: Turned = Field(default="", description="Which way headers turned by 90 degrees are read, if any are.")
    header_depth: float = Field(default=14, description="Of columns: how high the headers reach above their foot.")
    rows: Literal["top", "middle"] = Field(default="top", description="Where the key of a row of several lines stands.")
    ends: str = Field(default="", description="Pattern of the line after which the table is over.")
    start: str = Field(default="", description="Pattern of a block's heading; its named groups are fields.")
    start_font: str = Field(default="", description="Part of the name of the headings' font, as Bold.")
    sentences: list[Sentence] = Field(default=[])
    nothing: str = Field(default="", description="Pattern of what a block says that has no values.")
    values: dict[str, str] = Field(default={}, description="By what is written, what it means, in all columns.")
    dates: str = Field(default="%Y-%m-%d", description="How days are written, as strptime has it.")
    constants: dict[str, str] = Field(default={}, description="What is true of every row, and stands in no cell.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "blocks" and not (self.start and self.sentences):
            raise ValueError("blocks need the pattern of their heading (start), and sentences")
        if self.kind != "blocks" and self.key not in [one.field for one in self.columns]:
            raise ValueError("a table needs columns, and the field of one of them as its key")
        if self.kind == "columns":
            lefts = [one.left for one in self.columns]
            if None in lefts or lefts != sorted(lefts, key=lambda left: left or 0):
                raise ValueError("columns without lines need where each begins (left), from left to right")
        for pattern in [self.key_pattern, self.ends, self.start, self.nothing, *self._patterns]:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no pattern ({error})") from None
        return self

    @property
    def _patterns(self) -> list[str]:
        return [one.pattern for one in self.sentences]

    @property
    def fields(self) -> list[str]:
        """The fields that it gives."""
        if self.kind == "blocks":
            groups = [re.compile(text).groupindex for text in [self.start, *self._patterns]]
            return [*self.constants, *(name for group in groups for name in group)]
        return [*self.constants, *(name for one in self.columns for name in (one.field, one.second) if name)]

    def values_of(self, field: str) -> dict[str, str]:
        """Return what is written for a field, in small letters, with what it means."""
        own = next((one.values for one in self.columns if one.field == field), {})
        return {" ".join(text.casefold().split()): value for text, value in {**self.values, **own}.items()}


def load_layout(found: FoundFile) -> Layout:
    """Load the layout of a PDF: of a council's own file, that which lies beside it; else the one that is shipped.

    Raises:
        CheckError: it is not as a layout must be.
    """
    own = _find_own(found)
    return read_layout(own.read_text("utf-8"), own.name) if own else read_shipped_layout(found.source.id)


def tell_layout(found: FoundFile) -> str:
    """Say by which layout a PDF was read, and where another goes."""
    name = f"layout_{found.source.id}.yaml"
    if _find_own(found):
        return f"It was read by {name} beside it; correct it there."
    return f"It was read by the workbook's own {name}. Put one of that name beside the file that fits it."


def _find_own(found: FoundFile) -> Path | None:
    own = found.path.with_name(f"layout_{found.source.id}.yaml")
    return own if found.origin == "closed folder" and own.is_file() else None


def read_shipped_layout(source: str) -> Layout:
    """Read the layout of a synthetic PDF, which a council's own may follow."""
    name = f"layout_{source}.yaml"
    return read_layout(files(__package__).joinpath("layouts", name).read_text("utf-8"), name)


def read_layout(text: str, name: str) -> Layout:
    """Read a layout from YAML.

    Raises:
        CheckError: see `load_layout`; the message names the file, and what is wrong in it.
    """
    try:
        return Layout.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise CheckError(f"{name} is not YAML that can be read: {error}") from None
    except ValidationError as error:
        raise CheckError(f"{name} is no layout of a PDF: {describe_faults(error)}") from None
