"""The data landscape of a study: what there is, where it stands on the data spectrum, and what is missing."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from councilbook.catalogue import Finder, Source, StudySpec


def describe_landscape(sources: Sequence[Source], study: StudySpec, finder: Finder, run_date: str) -> pd.DataFrame:
    """Describe every source that bears on a study's question.

    Args:
        sources: the catalogue's sources; those of a series become one row.
        study: tells which of them its notebooks use.
        finder: tells which closed and shared ones are on this machine.
        run_date: ISO date that agreements are held against.

    Returns:
        A row a source: source_id, title, publisher, steward, spectrum, personal_data, licence, published, used_as
        (real, synthetic, not used), gap (what stands in the way, or missing); closed first, then shared, then open.
    """
    named = {name for notebook in study.notebooks.values() for name in notebook.sources}
    editions: dict[str, list[Source]] = {}
    for source in sources:
        editions.setdefault(source.series or source.id, []).append(source)
    rows = pd.DataFrame(_describe(name, group, name in named, finder, run_date) for name, group in editions.items())
    rows["spectrum"] = pd.Categorical(rows["spectrum"], ["closed", "shared", "open"])
    return rows.sort_values(["spectrum", "source_id"], ignore_index=True).astype({"spectrum": "str"})


def _describe(name: str, group: Sequence[Source], named: bool, finder: Finder, run_date: str) -> dict[str, object]:
    first, last = group[0], group[-1]
    used = named
    if all(one.optional for one in group):
        used = named and any(one.twin if finder.mode == "sample" else finder.find_local(one) for one in group)
    used_as = "not used"
    if used:
        synthetic = finder.mode == "sample" or (first.spectrum != "open" and not all(map(finder.find_local, group)))
        used_as = "synthetic" if synthetic else "real"
    gaps = _list_gaps(group, named, finder, run_date) + (["Its file is not here."] if named and not used else [])
    return {
        "source_id": name,
        "title": first.title,
        "publisher": first.publisher,
        "steward": first.steward,
        "spectrum": first.spectrum,
        "personal_data": first.personal_data,
        "licence": first.licence,
        "published": f"{first.edition} to {last.edition}" if len(group) > 1 else first.published or None,
        "used_as": used_as,
        "gap": " ".join(gaps) or None,
    }


def _list_gaps(group: Sequence[Source], named: bool, finder: Finder, run_date: str) -> list[str]:
    gaps = []
    source = group[0]
    if source.spectrum != "open":
        if not source.agreement:
            gaps.append("No data sharing agreement is recorded.")
        elif source.agreement.review_by < date.fromisoformat(run_date):
            due = source.agreement.review_by
            gaps.append(f"Its sharing agreement was due for review by {due.day} {due:%B %Y}.")
        if finder.mode == "real" and not all(map(finder.find_local, group)):
            gaps.append("It is not in the closed folder.")
    if (expected := group[-1].next_due) and expected < date.fromisoformat(run_date):
        gaps.append(f"Its next edition was due by {expected.day} {expected:%B %Y}, and is not in the catalogue.")
    if source.licence == "not_stated":
        gaps.append("The publisher states no licence.")
    if not named:
        gaps.append("No notebook reads it yet.")
    return gaps
