"""What all parts of the catalogue are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Entry(BaseModel):
    """A part of the catalogue: immutable, and an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
