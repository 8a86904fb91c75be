"""What all parts of the catalogue are made of."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from councilbook.errors import CheckError

SNAKE_CASE = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=SNAKE_CASE)]
FunctionName = Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]  # module:function
GSS_CODE = re.compile(r"[EWSN]\d{8}")
GssCode = Annotated[str, Field(pattern=f"^{GSS_CODE.pattern}$")]
Nation = Literal["E", "W", "S", "N"]  # how the GSS codes of its councils begin
Spectrum = Literal["closed", "shared", "open"]


class Entry(BaseModel):
    """A part of the catalogue: immutable, and an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read_file(cls, file: Path) -> Self:
        """Read one from a YAML file; a CheckError says that it is missing, or not as it must be."""
        try:
            return cls.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (FileNotFoundError, yaml.YAMLError, ValidationError) as error:
            raise CheckError(f"{file.parent.name}/{file.name}: {error}") from None


def require_declared(
    names: Iterable[str], declared: Collection[str], what: str = "fields that it does not declare"
) -> None:
    """Refuse names that are not declared; pydantic says where.

    Raises:
        ValueError: there are some.
    """
    if unknown := sorted(set(names) - set(declared)):
        raise ValueError(f"names {what}: {', '.join(unknown)}")
