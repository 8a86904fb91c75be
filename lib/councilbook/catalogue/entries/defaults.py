"""Defaults of disclosure rules, and which rules are less strict than these and so need a reason."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import Field

from councilbook.catalogue.entries.base import Entry
from councilbook.catalogue.entries.datasets import Dataset
from councilbook.catalogue.entries.rules import Guarded, Rule
from councilbook.errors import CatalogueError


class Default(Entry):
    """A default and why it is so."""

    value: int | float | str
    reason: str = Field(min_length=20)


RULES: dict[str, type[Entry]] = {
    get_args(kind.model_fields["rule"].annotation)[0]: kind for kind in get_args(get_args(Rule)[0])
}

# Parameters of a rule, and whether a value is less strict than its default.
WEAKER: dict[str, Callable[[Any, Any], bool]] = {
    "threshold": operator.lt,
    "round_to": operator.lt,
    "zeros": lambda value, default: (value, default) == ("show", "suppress"),
    "full": lambda value, default: (value, default) == ("show", "suppress"),
    "published_totals": lambda value, default: (value, default) == ("rounded", "what is left"),
    "dominance_n": operator.lt,
    "dominance_k_pct": operator.gt,
    "p_pct": operator.lt,
    "k": operator.lt,
    "l": operator.lt,
    "t": operator.gt,
    "most_suppressed_pct": operator.gt,
    "most_unique_pct": operator.gt,
    "least_degrees_of_freedom": operator.lt,
}


def fill_in_defaults(rule: dict[str, Any], defaults: Mapping[str, Default]) -> dict[str, Any]:
    """Add to a rule what it leaves to the defaults, of what its kind asks for."""
    kind = RULES.get(str(rule.get("rule")))
    asked = kind.model_fields if kind else {}
    return {name: one.value for name, one in defaults.items() if name in asked} | rule


def check_strictness(dataset: Dataset, defaults: Mapping[str, Default], file: str) -> None:
    """Ask for a reason where a dataset's rule is less strict than the defaults."""
    rule = dataset.disclosure
    if not isinstance(rule, Guarded) or rule.because:
        return
    for name, is_weaker in WEAKER.items():
        if name in type(rule).model_fields and is_weaker(getattr(rule, name), defaults[name].value):
            raise CatalogueError(
                f"{file}, dataset {dataset.id}: its disclosure rule has {name} {getattr(rule, name)}, which is "
                f"less strict than the default {defaults[name].value}. Say why in `because`."
            )
