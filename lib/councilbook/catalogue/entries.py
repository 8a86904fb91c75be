"""What all parts of the catalogue are made of."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SNAKE_CASE = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=SNAKE_CASE)]
GSS_CODE = re.compile(r"[EWSN]\d{8}")
GssCode = Annotated[str, Field(pattern=f"^{GSS_CODE.pattern}$")]


class Entry(BaseModel):
    """A part of the catalogue: immutable, and an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
