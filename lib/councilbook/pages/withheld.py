"""What the gate held back of released datasets, told to readers who are no statisticians."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.pages.html.pieces import Html, badge, fill, fold, join
from councilbook.pages.html.tables import format_value, table
from councilbook.pages.html.wording import format_date, label_column

OPEN_RULES = (None, "open_sources_only")
RULES = {
    "counts": (
        "Counts below {threshold} are not shown, nor are others that would give them back. What is shown is rounded to "
        "the nearest {round_to}."
    ),
    "magnitudes": (
        "A sum of fewer than {threshold} contributions is not shown. Nor is one of which a few make up so much that "
        "one of them could be worked out."
    ),
    "records": (
        "Details are made coarser until at least {k} records look alike by them, and what still stands out is left "
        "blank."
    ),
    "register": (
        "Only organisations are named. Of each other row, the name and what could identify its bearer are left blank, "
        "and the name is taken out of every text."
    ),
    "model": "Only results of a model are shown that rest on groups of at least {threshold} records.",
}
CODE = re.compile(r"\b[a-z]+(_[a-z0-9]+)+\b")  # a column's name
OF_WHAT_IS_SHOWN = " Totals are the sums of what is shown."
LIMITS = {
    "threshold": "Smallest number that is shown",
    "round_to": "Numbers are rounded to multiples of",
    "zeros": "Counts of zero",
    "full": "Groups in which everybody is counted",
    "published_totals": "Totals",
    "dominance_n": "Contributors that are looked at together",
    "dominance_k_pct": "Most of a sum that they may make up (%)",
    "p_pct": "Closest that one contributor may estimate another (%)",
    "k": "Fewest records that look alike",
    "l": "Fewest different answers among them",
    "t": "Furthest that their answers may be from everybody's (0 to 1)",
    "most_suppressed_pct": "Most records in which something may be left blank (%)",
    "most_unique_pct": "Most records that may be the only ones of their kind (%)",
    "solver_seconds": "Seconds to look for the fewest further figures to hide",
    "least_degrees_of_freedom": "Fewest records beyond the coefficients of a model",
}


@dataclass(frozen=True)
class Released:
    """A released dataset: its data package, and the audit record of the gate.

    Attributes:
        package: contents of datapackage.json.
        audit: contents of audit.json; empty if the record is missing.
    """

    package: Mapping[str, Any]
    audit: Mapping[str, Any]

    @property
    def waits_for(self) -> str | None:
        """The role that has yet to approve it; None if nobody has to, or has."""
        approval = self.package["councilbook"].get("approval", {})  # absent in what an older version released
        return approval["role"] if approval.get("state") == "waiting" else None


def read_released(folder: Path) -> Released:
    """Read what is said about a released dataset, from its folder below data/processed."""
    audit = folder / "audit.json"
    return Released(
        json.loads((folder / "datapackage.json").read_text(encoding="utf-8")),
        json.loads(audit.read_text(encoding="utf-8")) if audit.exists() else {},
    )


def show_withheld(datasets: Sequence[Released]) -> Html:
    """Say what was held back of the datasets behind a report, and why.

    Datasets made from open sources alone share one sentence; each other has a row of a table. What each limit is, and
    the reason for it, is folded away below.
    """
    if not datasets:
        return Html("<p>No dataset was released with this page.</p>")
    is_open = [bool(one.audit) and one.audit["rule"] in OPEN_RULES for one in datasets]
    guarded = [one for one, open_alone in zip(datasets, is_open, strict=True) if not open_alone]
    unsettled = filter(None, map(_tell_unsettled, datasets))
    open_alone = join([_describe_open(sum(is_open), len(datasets)), *unsettled], "\n")
    if not guarded:
        return open_alone
    lead = (
        "Some of what this page was made from is about people or businesses. Its figures were made safe first, so that "
        "nobody can be recognised in them."
    )
    return join([fill("<p>{}</p>", lead), _tabulate(guarded), open_alone, _explain_limits(guarded)], "\n")


def mark_totals(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """Say in a table's label which of its totals are not the whole, in place of the column is_partial.

    A version that was released before totals were marked says nothing of it.
    """
    partial = frame.get("is_partial", pd.Series(False, index=frame.index))
    marked = frame[label].mask(partial, frame[label] + " (only what is shown)")
    return frame.assign(**{label: marked}).drop(columns="is_partial", errors="ignore")


def _describe_open(count: int, of: int) -> Html:
    """Say in one sentence what holds for datasets from open sources."""
    if not count:
        return Html("")
    made = "made from open sources alone, which anyone may read already."
    if count < of:
        others = "other dataset" if count == 1 else f"{count} other datasets"
        return fill("<p>Nothing was held back of the {}, {}</p>", others, made)
    every = "the one dataset behind this page was" if of == 1 else f"all {of} datasets behind this page were"
    return fill("<p>Nothing was held back: {} {}</p>", every, made)


def _tell_unsettled(one: Released) -> Html | None:
    """Say what has to be settled before a dataset that waits for that may be published."""
    approval = one.package["councilbook"].get("approval", {})
    if not (one.waits_for and approval.get("why")):
        return None
    return fill("<p>{} waits for the {}. {}</p>", one.package["title"], one.waits_for, approval["why"])


def _tabulate(datasets: Sequence[Released]) -> Html:
    rows = [
        {
            "Dataset": one.package["title"],
            "How it was made safe": _describe_rule(one.audit),
            "Held back": _count_withheld(one.audit),
            "What that cost": _describe_loss(one.audit),
            "Approval": _describe_approval(one),
        }
        for one in datasets
    ]
    return table(pd.DataFrame(rows), "What was held back, dataset by dataset", label="What was held back")


def _describe_rule(audit: Mapping[str, Any]) -> str:
    if not audit:
        return "Not known: the record of its release is missing."
    limits = audit["parameters"]
    if not (words := RULES.get(audit["rule"])):
        return f"By the rule {audit['rule']}."
    partial = limits.get("totals") and limits.get("published_totals") == "what is left"
    return words.format(**limits) + OF_WHAT_IS_SHOWN * bool(partial)


def _count_withheld(audit: Mapping[str, Any]) -> str:
    if not audit:
        return "not known"
    cells, rows = audit["cells_suppressed"], audit["rows_suppressed"]
    if not cells:
        return "nothing"
    of = f" of {audit['cells']:,}" if audit.get("cells") else ""  # an older version did not count them all
    share = f" ({100 * cells / audit['cells']:.1f}%)" if of else ""
    return f"{cells:,}{of} figure{'s' if of or cells > 1 else ''}{share}, in {rows:,} row{'s' if rows > 1 else ''}"


def _describe_loss(audit: Mapping[str, Any]) -> Html:
    losses = audit.get("information_lost") or {}
    told = {CODE.sub(lambda code: label_column(code[0]), words): value for words, value in losses.items()}
    lines = [fill("{}: {}", words, _write_value(value)) for words, value in told.items()]
    return join(lines, "<br>") if lines else Html("nothing else")


def _write_value(value: Any) -> Html:
    if isinstance(value, float):
        return format_value(value, ",.0f" if value.is_integer() else ",.2f")
    return format_value(value, ",d" if isinstance(value, int) and not isinstance(value, bool) else "")


def _describe_approval(one: Released) -> Html:
    approval = one.package["councilbook"].get("approval", {})
    if approval.get("state") == "waiting":
        return fill("{} for the {}", badge("waits", "draft"), approval["role"])
    if approval.get("state") == "approved":
        return fill(
            "{} by the {} on {}", badge("approved", "approved"), approval["role"], format_date(approval["date"])
        )
    return fill("Not needed. {}", approval.get("why", ""))


def _explain_limits(datasets: Sequence[Released]) -> Html:
    """Tell each limit, its value and the reason for it once, with all datasets it is of; folded, as few readers ask."""
    rows = [
        {"Limit": LIMITS[name], "Value": str(value), "Reason": reason, "Datasets": one.package["title"]}
        for one in datasets
        for name, reason in one.audit.get("reasons", {}).items()
        if (value := one.audit["parameters"].get(name)) is not None
    ]
    if not rows:
        return Html("<p>The reasons for the limits were not recorded with these datasets.</p>")
    limits = pd.DataFrame(rows).groupby(["Limit", "Value", "Reason"], sort=False, as_index=False).agg("; ".join)
    return fold("The limits, and the reason for each", table(limits, "Limits and their reasons"))
