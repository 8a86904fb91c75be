"""What all parts of the catalogue are made of."""

import re
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from councilbook.errors import CatalogueError, describe_faults

SNAKE_CASE = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=SNAKE_CASE)]
FunctionName = Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]  # module:function
GSS_CODE = re.compile(r"[EWSN]\d{8}")
GssCode = Annotated[str, Field(pattern=f"^{GSS_CODE.pattern}$")]
Nation = Literal["E", "W", "S", "N"]  # how the GSS codes of its councils begin
Spectrum = Literal["closed", "shared", "open"]


class StrictLoader(yaml.CSafeLoader):
    """YAML in which a key that stands twice in one place, or a day that does not exist, is an error with its line."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping whose own keys are all different; those that `<<` merges in may be overlaid."""
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if twice := {key for key in keys if isinstance(key, str) and keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"{min(twice)} stands here twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> date:
        """Construct a day, or a moment."""
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            raise yaml.constructor.ConstructorError(None, None, "no such day", node.start_mark) from None


StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", StrictLoader.construct_yaml_timestamp)


def read_yaml(file: Path) -> Any:
    """Read a YAML file that people write.

    Raises:
        CatalogueError: it is missing, or no YAML in UTF-8 with each key once in its place and days that exist.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), StrictLoader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        raise CatalogueError(f"{file} is missing.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{file.parent.name}/{file.name} is no YAML that can be read: {error}") from None


class Entry(BaseModel):
    """A part of the catalogue: immutable, and an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read_file(cls, file: Path) -> Self:
        """Read one from a YAML file; an error says that it is missing, or what is not as it must be."""
        try:
            return cls.model_validate(read_yaml(file))
        except ValidationError as error:
            where = f"{file.parent.name}/{file.name}"
            raise CatalogueError(f"{where} is not as it must be: {describe_faults(error)}.") from None


def require_declared(
    names: Iterable[str], declared: Collection[str], what: str = "fields that it does not declare"
) -> None:
    """Refuse names that are not declared; pydantic says where.

    Raises:
        ValueError: there are some.
    """
    if unknown := sorted(set(names) - set(declared)):
        raise ValueError(f"names {what}: {', '.join(unknown)}")
