"""A whole file of the catalogue, and the JSON Schemas by which an editor completes such a file."""

from typing import Any

from pydantic import Field

from councilbook.catalogue.entries.base import Entry
from councilbook.catalogue.entries.conduct import Canvas
from councilbook.catalogue.entries.datasets import Dataset
from councilbook.catalogue.entries.defaults import RULES, WEAKER
from councilbook.catalogue.entries.sources import Source
from councilbook.catalogue.entries.studies import StudySpec


class Licence(Entry):
    """A licence that a source or a dataset is under."""

    title: str
    url: str
    attribution: str
    settled_by: str = Field(
        default="",
        description="Role that has to settle with the publisher what may be published: what was made of a real file "
        "waits for it. None: there is nothing to settle.",
    )


class Contents(Entry):
    """One YAML file of the catalogue, once editions have been written out."""

    licences: dict[str, Licence] = Field(default={})
    sources: list[Source] = Field(default=[])
    datasets: list[Dataset] = Field(default=[])
    groups: dict[str, list[str]] = Field(
        default={}, description="What people want, in plain words, to datasets; in none: for who checks the work."
    )
    synonyms: list[list[str]] = Field(default=[], description="Words that mean the same to who searches the site.")


def catalogue_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of the catalogue as it is written, for the completion of an editor.

    A source with editions may leave out what its editions say, and they may say a part of anything. What the
    schema cannot express (a reference, a field that is not declared) `load_catalogue` checks.
    """
    schema = _write_schema(Contents)
    definitions = schema["$defs"]
    parts = ["Source", *Source.model_json_schema()["$defs"]]
    definitions |= {f"{name}Part": _relax(definitions[name]) for name in parts}
    source = definitions["Source"]
    needed = source.pop("required")
    source["properties"]["editions"] = {
        "additionalProperties": {"$ref": "#/$defs/SourcePart"},
        "description": "Year of each edition, and what of the source is different in it.",
        "propertyNames": {"pattern": r"^\d{4}$"},
        "type": "object",
    }
    source |= {"if": {"required": ["editions"]}, "then": {"required": ["id"]}, "else": {"required": needed}}
    for kind in RULES.values():
        rule = definitions[kind.__name__]
        rule["required"] = [name for name in rule["required"] if name not in {*WEAKER, "approver", "solver_seconds"}]
    return schema


def _relax(schema: Any) -> Any:
    """Copy a definition with nothing required in it, nor in those that it refers to."""
    if isinstance(schema, list):
        return [_relax(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{value}Part" if key == "$ref" else _relax(value)
        for key, value in schema.items()
        if not (key == "required" and isinstance(value, list))  # a field has a property of that name
    }


def canvas_schema() -> dict[str, Any]:
    """Return the JSON Schema of a canvas.yaml, for the completion of an editor."""
    return _write_schema(Canvas)


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study.yaml, for the completion of an editor; its folder gives the id."""
    schema = _write_schema(StudySpec)
    del schema["properties"]["id"]
    schema["required"].remove("id")
    return schema


def _write_schema(entry: type[Entry]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **entry.model_json_schema()}
