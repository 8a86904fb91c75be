"""Agreements, ethics canvases and who answers: on what conditions data may be used, and who answers readers."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from councilbook.catalogue.entries.base import Entry, GssCode, Name


class Agreement(Entry):
    """What a closed or shared source may be used for, and until when; the register of agreements is made of these."""

    kind: Literal["own data", "sharing agreement", "licence", "processing"] = Field(
        default="sharing agreement",
        description="own data: the council's, which needs a purpose and a retention alone. processing: somebody "
        "handles it for the council, as its processor.",
    )
    title: str
    parties: list[str] = Field(default=[], description="Who agrees, the steward first; the council is one of them.")
    purpose: str = Field(default="", description="What it may be used for, as a page may say it.")
    legal_basis: str = Field(default="", description="Law that lets it be used so.")
    fields: list[str] = Field(default=[], description="Fields that it covers; all declared ones if none are named.")
    keep_months: int | None = Field(
        default=None,
        ge=1,
        description="How long a copy may lie in the closed folder, from when it came there, or was last changed.",
    )
    keep_until: date | None = Field(default=None, description="Last day on which the copy may lie there.")
    review_by: date | None = Field(default=None, description="Last day before it has to be looked at again.")
    withdrawn: bool = Field(default=False, description="It was ended, and nothing may be read under it.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind != "own data":
            if not self.review_by:
                raise ValueError(f"a {self.kind} needs the day by which it is reviewed (review_by)")
        elif not (self.purpose and (self.keep_months or self.keep_until)):
            raise ValueError("own data need a purpose and a retention (keep_months or keep_until)")
        return self


class Acceptance(Entry):
    """That a council accepts the answer to an open point."""

    by: str = Field(description="The role, never a person's name.")
    day: date


class Point(Entry):
    """A question of a data ethics canvas, its answer, and where that stands."""

    question: str
    answer: str
    state: Literal["settled", "open"] = Field(
        description="settled: it holds whichever council runs the study. open: each council has to accept it."
    )
    by: str = Field(description="Role that settled it, or that has to accept it.")
    day: date | None = Field(default=None, description="Day on which it was settled.")
    to_do: str = Field(default="", description="Of an open point, what to do before it is accepted.")
    sources: list[str] = Field(
        default=[], description="Sources or series that it is about; every closed and shared one if none are named."
    )
    stops: bool = Field(
        default=True,
        description="Of an open point, whether what was made of real closed or shared data waits until it is accepted.",
    )
    accepted: dict[GssCode, Acceptance] = Field(default={}, description="By council, who accepted it and when.")

    @model_validator(mode="after")
    def _has_its_role_and_day(self) -> Self:
        if (self.state == "settled") != (self.day is not None):
            raise ValueError("a settled point has the day on which it was settled, and an open one has none")
        if self.state == "open" and not self.to_do:
            raise ValueError("an open point says what is to be done (to_do)")
        if wrong := sorted({one.by for one in self.accepted.values() if one.by.casefold() != self.by.casefold()}):
            raise ValueError(f"is to be accepted by the {self.by}, not by {', '.join(wrong)}")
        return self


class Canvas(Entry):
    """A canvas.yaml: what a study has to think through before anything made of closed or shared data leaves."""

    about: str = Field(description="What it is about, in a sentence.")
    owner: str = Field(description="Role that keeps it.")
    written: date
    review_by: date
    points: dict[Name, Point] = Field(min_length=1)
    notice: dict[str, list[str]] = Field(
        default={}, description="Where people meet it, and what they are told there, in sentences of plain English."
    )


class Publisher(Entry):
    """Who publishes the site of this workbook."""

    contact: str = Field(
        default="",
        description="Who answers readers, and how to ask, as a whole sentence without names. The accessibility "
        "statement of a public body has to say it.",
    )
    address: str = Field(
        default="",
        pattern=r"^(https?://[^\s\"<>]+/)?$",
        description="Where the site will be, with a slash at its end; a link that is shared then shows its picture.",
    )
