"""Requests for information as law and experience know them: topics, concepts, sections of the Acts, rulings."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from councilbook.errors import CheckError, suggest

RULES = Path(__file__).with_name("foi.yaml")
NO_DATASET = ""
Law = Literal["scotland", "england"]
Decision = Literal["answerable", "partly", "not"]


class Concept(BaseModel):
    """Something that a request asks for, and the columns that hold it.

    Attributes:
        personal: whether some of its values are a living person's, and kept back where it is published.
        every: whether all of its columns belong to it, and not the first that is there alone.
        absent: the section under which it is kept back where it is not published.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...]
    title: str
    personal: bool = False
    every: bool = False
    absent: str = "not_held"


class Topic(BaseModel):
    """A kind of request: how its title reads, and what answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    words: str
    patterns: tuple[re.Pattern[str], ...]
    needs: tuple[str, ...]
    extract: str = ""
    risk: str = ""


class Section(BaseModel):
    """A ground for keeping something back, in the Scottish Act and in the one for the rest of the United Kingdom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    scotland: str
    england: str
    why: str
    also: str = ""

    def cite(self, law: Law) -> str:
        """Name the section, and what else it rests on."""
        named = self.scotland if law == "scotland" else self.england
        return f"{named}; {self.also}" if self.also else named


class Ruling(BaseModel):
    """What a commissioner or tribunal has said of business rates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cite: str
    law: Law
    holds: tuple[str, ...]
    says: str


class Rules(BaseModel):
    """All of foi.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concepts: Mapping[str, Concept]
    topics: Mapping[str, Topic]
    labels: Mapping[str, str]
    outcomes: Mapping[str, str]
    sections: Mapping[str, Section]
    decisions: Mapping[str, Ruling]

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = {
            "concepts": {need for topic in self.topics.values() for need in topic.needs},
            "sections": {
                *(concept.absent for concept in self.concepts.values()),
                *(topic.risk for topic in self.topics.values() if topic.risk),
                *(one for ruling in self.decisions.values() for one in ruling.holds),
            },
            "topics": {label for label in self.labels.values() if label},
        }
        for kind, names in named.items():
            if unknown := names - set(getattr(self, kind)):
                raise ValueError(f"{kind} has no {', '.join(sorted(unknown))}")
        return self


@cache
def load_rules() -> Rules:
    """Read foi.yaml: topics, what answers them, sections and decisions.

    Raises:
        ValueError: the file names a concept, section or topic that it does not have.
    """
    return Rules(**yaml.safe_load(RULES.read_text(encoding="utf-8")))


def name_law(council_code: str) -> Law:
    """Tell by a council's GSS code which Act it is under: the Scottish one, or that of the rest of the United Kingdom.

    Raises:
        CheckError: the code begins with none of S, E, W and N.
    """
    if council_code[:1] not in ("S", "E", "W", "N"):
        raise CheckError(f"{council_code!r} is no GSS code of a council; expected one as S12000050 or E08000032.")
    return "scotland" if council_code[0] == "S" else "england"


def shorten_council(name: str) -> str:
    """Shorten a council's name to the words in which lists agree: `City of York Council` and `York City Council`."""
    words = re.sub(r"[^a-z ]", " ", name.casefold()).split()
    return " ".join(word for word in words if not re.fullmatch(_GENERIC, word))


_GENERIC = r"counci?l?|borough|city|district|county|metropolitan|metroplitan|royal|london|the|of|and|unitary|authority"


def cite_decisions(section: str, law: Law) -> list[str]:
    """List what commissioners and tribunals under a law have said that bears on a section of `foi.yaml`.

    Raises:
        CheckError: there is no such section.
    """
    rules = load_rules()
    if section not in rules.sections:
        raise CheckError(f"There is no section {section}.{suggest(section, rules.sections)}")
    return [one.cite for one in rules.decisions.values() if one.law == law and section in one.holds]
