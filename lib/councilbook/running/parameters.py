"""The parameters of notebooks: what they declare, what study.yaml allows, what a user gave.

A notebook declares its parameters in one cell tagged `parameters`, as plain typed literals with a comment each.
Papermill injects a value under any name and of any type, and only logs a name that the notebook does not know;
here that is an error before a kernel starts.
"""

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from councilbook.catalogue import ParameterSpec, StudySpec
from councilbook.errors import NotebookError, ParameterError, suggest

Value = str | int | float | bool

KINDS: Mapping[str, type[Value]] = {"str": str, "int": int, "float": float, "bool": bool}
COMMON: Mapping[str, type[Value]] = {"council": str, "data": str, "mirror": str, "seed": int, "run_date": str}
OPTIONS = {"council": "--council", "data": "--data", "mirror": "--mirror", "run_date": "--run-date"}
NO_LIMITS = ParameterSpec()


@dataclass(frozen=True)
class Parameter:
    """A parameter as a notebook declares it."""

    name: str
    kind: type[Value]
    default: Value
    comment: str


def read_cells(notebook: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook, each with its source as one text and a list of tags.

    Read as the JSON it is: importing nbformat takes over a second, and every command would wait for it.

    Raises:
        NotebookError: the file is missing, or is no notebook of format 4.
    """
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookError(f"Notebook {notebook} is missing; its study.yaml names it.") from None
    except ValueError as error:
        raise NotebookError(f"Notebook {notebook} is no JSON that can be read: {error}") from None
    if not isinstance(content, dict) or content.get("nbformat") != 4:
        raise NotebookError(f"Notebook {notebook} is not of notebook format 4: save it again in JupyterLab.")
    return [
        {**cell, "source": "".join(cell["source"]), "tags": cell["metadata"].get("tags", [])}
        for cell in content["cells"]
    ]


def inspect_parameters(notebook: Path) -> dict[str, Parameter]:
    """Return what a notebook's parameters cell declares, in order.

    `papermill.inspect_notebook` goes by regular expressions and lets a value pass that is computed from another;
    such a value would silently keep its default after injection, so it is refused here.

    Raises:
        NotebookError: there is not exactly one parameters cell, or a line of it is not `name: type = literal`.
    """
    where = f"{notebook.parent.name}/{notebook.name}"
    tagged = [cell["source"] for cell in read_cells(notebook) if "parameters" in cell["tags"]]
    if len(tagged) != 1:
        raise NotebookError(f"{where} has {len(tagged)} cells tagged 'parameters'; expected one.")
    try:
        statements = ast.parse(tagged[0]).body
    except SyntaxError as error:
        raise NotebookError(f"{where}, parameters cell, line {error.lineno}: {error.msg}.") from None
    tokens = tokenize.generate_tokens(io.StringIO(tagged[0]).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    declared = {}
    for statement in statements:
        comment = comments.get(statement.end_lineno or 0, "")
        parameter = _read_declaration(statement, comment, f"{where}, parameters cell, line {statement.lineno}")
        declared[parameter.name] = parameter
    return declared


def _read_declaration(statement: ast.stmt, comment: str, where: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value):
            pass
        case _:
            raise NotebookError(f"{where}: expected 'name: type = value', and nothing else.")
    if kind not in KINDS:
        raise NotebookError(f"{where}: {name} is a {kind}; expected one of {', '.join(KINDS)}.")
    try:
        default = ast.literal_eval(value)
    except (ValueError, TypeError):
        raise NotebookError(
            f"{where}: {name} is computed. Expected a plain value: a computed one would not follow "
            "when another value is given for what it is computed from."
        ) from None
    if kind == "float" and type(default) is int:
        default = float(default)
    if type(default) is not KINDS[kind]:
        raise NotebookError(f"{where}: {name} is declared {kind}, but its value is a {type(default).__name__}.")
    return Parameter(name, KINDS[kind], default, comment)


def inspect_study(folder: Path, spec: StudySpec) -> dict[str, dict[str, Parameter]]:
    """Return the parameters of each notebook of a study, checked against each other and study.yaml.

    Raises:
        NotebookError: a notebook is missing or its parameters cell cannot be read.
        ParameterError: a notebook lacks one of the five common parameters, two notebooks or study.yaml disagree
            on a parameter, or a default is outside the limits.
    """
    study = {name: inspect_parameters(folder / f"{name}.ipynb") for name in spec.notebooks}
    known = merge_parameters(study)
    for notebook, declared in study.items():
        where = f"{spec.id}/{notebook}.ipynb"
        for name, kind in COMMON.items():
            if name not in declared:
                raise ParameterError(f"{where}: its parameters cell lacks '{name}: {kind.__name__}'.")
            if declared[name].kind is not kind:
                raise ParameterError(f"{where}: parameter {name} must be declared {kind.__name__}.")
        for parameter in declared.values():
            if parameter.kind is not known[parameter.name].kind:
                raise ParameterError(f"{where}: parameter {parameter.name} has another type in another notebook.")
            limits = spec.parameters.get(parameter.name, NO_LIMITS)
            if not _is_within(parameter.default, limits):
                expected = describe_expected(parameter.kind, limits)
                raise ParameterError(f"{where}: the default of {parameter.name} is not {expected}.")
    for name in spec.parameters:
        if name not in known:
            raise ParameterError(
                f"{spec.id}/study.yaml: no notebook declares a parameter {name!r}.{suggest(name, known)}"
            )
    return study


def merge_parameters(study: Mapping[str, Mapping[str, Parameter]]) -> dict[str, Parameter]:
    """Return every parameter that a notebook of a study declares, as the first to declare it does."""
    merged: dict[str, Parameter] = {}
    for declared in study.values():
        for name, parameter in declared.items():
            merged.setdefault(name, parameter)
    return merged


def parse_parameters(
    texts: Sequence[str], known: Mapping[str, Parameter], limits: Mapping[str, ParameterSpec]
) -> dict[str, Value]:
    """Turn texts of name=value into typed values.

    Args:
        texts: as a user gave them with -p.
        known: what a study's notebooks declare.
        limits: what its study.yaml allows.

    Raises:
        ParameterError: a text has no =, a name is unknown, comes twice or has an option of its own, or a value
            is of the wrong type or outside its limits.
    """
    values: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"-p {text}: expected name=value.")
        if name in OPTIONS:
            raise ParameterError(f"-p {text}: give {OPTIONS[name]} instead.")
        if name not in known:
            raise ParameterError(f"No parameter {name!r}.{suggest(name, set(known) - set(OPTIONS))}")
        if name in values:
            raise ParameterError(f"-p {text}: {name} is given twice.")
        kind, limit = known[name].kind, limits.get(name, NO_LIMITS)
        try:
            values[name] = PARSERS[kind](value)
        except ValueError:
            raise ParameterError(f"-p {text}: expected {describe_expected(kind, limit)}.") from None
        if not _is_within(values[name], limit):
            raise ParameterError(f"-p {text}: expected {describe_expected(kind, limit)}.")
    return values


def format_value(value: Value) -> str:
    """Write a value as it is given on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def describe_expected(kind: type[Value], limits: ParameterSpec) -> str:
    """Say which values a parameter takes."""
    if limits.choices:
        return f"one of {', '.join(limits.choices)}"
    bounds = (("from", limits.minimum), ("to", limits.maximum))
    return " ".join([NOUNS[kind], *(f"{word} {bound:.15g}" for word, bound in bounds if bound is not None)])


def parse_run_date(text: str) -> str:
    """Check that a text is a date written YYYY-MM-DD, and return it.

    Raises:
        ParameterError: it is not.
    """
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise ParameterError(f"--run-date {text}: expected a date as 2026-11-23.")
    return text


def _is_within(value: Value, limits: ParameterSpec) -> bool:
    if limits.choices and format_value(value) not in limits.choices:
        return False
    if isinstance(value, str):
        return True
    return (limits.minimum is None or value >= limits.minimum) and (limits.maximum is None or value <= limits.maximum)


def _parse_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _parse_int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):  # int() would take 1_000, blanks and digits of other scripts
        raise ValueError
    return int(text)


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # no limit would stop a nan
        raise ValueError
    return value


PARSERS: Mapping[type[Value], Callable[[str], Value]] = {
    str: str,
    int: _parse_int,
    float: _parse_float,
    bool: _parse_bool,
}
NOUNS: Mapping[type[Value], str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
