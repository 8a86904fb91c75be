"""Datasets: what is declared of a table that goes out."""

import re
from typing import Self

from pydantic import Field, model_validator

from councilbook.catalogue.entries.base import SNAKE_CASE, Entry, Name, Spectrum, require_declared
from councilbook.catalogue.entries.rules import About, Guarded, Held, RecordRule, Rule
from councilbook.catalogue.entries.sources import FieldSpec


class Dataset(Entry):
    """A table that goes out."""

    id: Name
    title: str
    description: str
    classification: Spectrum
    licence: str
    disclosure: Rule | None = Field(default=None, description="None: refused beside closed sources.")
    about: About | None = Field(default=None, description="None: no other dataset is about the same records.")
    assumes: str = Field(
        default="",
        description="Which of its values no source gives, in words that go on from 'assumptions about'; empty where "
        "every value comes from the sources.",
    )
    geometry: bool = False
    key: list[str] = Field(min_length=1)
    standard: str = Field(default="", description="Address of a standard whose own headings the fields have.")
    fields: dict[str, FieldSpec]

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        if wrong := [] if self.standard else [name for name in self.fields if not re.fullmatch(SNAKE_CASE, name)]:
            raise ValueError(f"names of fields are in snake_case unless a standard has others: {', '.join(wrong)}")
        rule, named = self.disclosure, set(self.key)
        if isinstance(rule, Held) and self.is_open:
            raise ValueError("the rule held is for what is not open")
        if isinstance(rule, Guarded):
            named |= rule.covered | rule.made
            numbers = {name for name, field in self.fields.items() if field.type in ("integer", "number")}
            if unguarded := sorted({*(self.fields if rule.of_each else numbers)} - named):
                raise ValueError(f"its disclosure rule says nothing of {', '.join(unguarded)}")
            if self.geometry and isinstance(rule, RecordRule):
                raise ValueError("no rule makes the place of a record safe: release records without geometry")
            if released := sorted(set(rule.inputs) & set(self.fields)):
                raise ValueError(f"its disclosure rule reads {', '.join(released)}, which must not be released")
        require_declared(named, self.fields)
        return self

    @property
    def is_open(self) -> bool:
        """Whether it may be published; any other stays with what is closed."""
        return self.classification == "open"
