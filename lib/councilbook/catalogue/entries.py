"""What all parts of the catalogue are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SNAKE_CASE = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=SNAKE_CASE)]


class Entry(BaseModel):
    """A part of the catalogue: immutable, and an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
