"""Of what kind the figures on a report are: real, synthetic or assumed, read off its code and its datasets.

Nobody has to say it in a notebook, so nobody can forget to: a figure is of the kinds of the released datasets that the
code of its cell rests on.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bs4 import BeautifulSoup, Tag

from councilbook.pages.html.datasets import list_kinds
from councilbook.pages.html.pieces import BadgeKind, badge, fill, join
from councilbook.pages.withheld import Released

Shown = list[tuple[Tag, list[BadgeKind]]]


def find_kinds(steps: Sequence[Tag], code: Iterable[str], datasets: Iterable[Released]) -> Shown:
    """Tell the kinds of what each code cell of a report shows; none for one that shows no released data.

    Args:
        steps: the cells on the page.
        code: the text of each.
        datasets: those released for the report.
    """
    kinds = {one.package["name"]: list_kinds(one.package) for one in datasets}
    traced = [{kind for name in names for kind in kinds.get(name, [])} for names in trace_datasets(code)]
    unreal: tuple[BadgeKind, ...] = ("synthetic", "assumed")
    return [
        (step, [kind for kind in unreal if kind in found] or (["real"] if found else []))
        for step, found in zip(steps, traced, strict=True)
    ]


def mark_kinds(shown: Shown, but: Sequence[Tag]) -> None:
    """Put badges above the figures and tables of each cell, and above a summary that is not of real figures alone.

    Args:
        shown: from `find_kinds`; the cells are changed.
        but: cells that say by themselves what they are.
    """
    for step, kinds in shown:
        is_told = "headline" in str(step.get("data-tags", "")).split() and step.select_one(".output :is(p, li)")
        marked = step.find(["figure", "table", "iframe"]) or (is_told and kinds != ["real"])
        if kinds and marked and not any(step is one for one in but):
            badges = fill('<p class="kinds">{}</p>', join((badge(kind, kind) for kind in kinds), " "))
            step.insert(0, BeautifulSoup(badges.text, "html.parser"))


def leave_out_unreal(headline: Sequence[Tag], shown: Shown) -> list[Tag]:
    """Keep those cells of a real run's summary whose figures are all real; all if none is, as their badges say.

    Args:
        headline: the cells of the summary.
        shown: from `find_kinds`.

    Returns:
        The cells that are left out.
    """
    unreal = [step for step, kinds in shown if kinds not in (["real"], []) and any(step is one for one in headline)]
    return unreal if len(unreal) < len(headline) else []


def trace_datasets(cells: Iterable[str]) -> list[frozenset[str]]:
    """Say for each code cell which released datasets its figures may rest on.

    A name rests on what was read by `study.published` in the statement that gave it its value, and on what the names
    in that statement rest on: too many where a statement does several things, too few only where a method changes a
    name in place.

    Args:
        cells: the text of each code cell of a report notebook, in order.
    """
    known: dict[str, frozenset[str]] = {}
    traced = []
    for text in cells:
        found: frozenset[str] = frozenset()
        for target, value in _split_statements(ast.parse(text).body):
            rests = _find_datasets(value, known)
            found |= rests if target is None or not isinstance(value, ast.expr) else frozenset()
            for name in _list_stored(target) if target else []:
                known[name] = rests
        traced.append(found)
    return traced


def _split_statements(statements: Iterable[ast.stmt]) -> Iterator[tuple[ast.AST | None, ast.AST]]:
    """Yield what is given a value, and the value; None where a statement shows something, as all may but these."""
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                yield from zip(names, values, strict=True)
            case ast.Assign(targets=[ast.Name() | ast.Tuple() as target], value=value):
                yield target, value
            case ast.Expr():
                yield None, statement
            case _:  # names that stand in it are given values somewhere in it, or changed
                yield statement, statement


def _list_stored(target: ast.AST) -> Iterator[str]:
    for node in ast.walk(target):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                yield name


def _find_datasets(value: ast.AST, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(value):
        match node:
            case ast.Call(func=ast.Attribute(attr="published"), args=[ast.Constant(value=str(dataset))]):
                found.add(dataset)
            case ast.Name(id=name):
                found |= known.get(name, frozenset())
    return frozenset(found)
