"""The data landscape of a study: what there is, where it stands on the data spectrum, and what is missing."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from councilbook.catalogue import Finder, FoundFile, Source, StudySpec
from councilbook.catalogue.schema import NATIONS

UNREAD = "No notebook reads it yet."
STANDS_BY = "It is read only where this is not there: {}."

Found = Mapping[str, FoundFile | None]  # by source id, its file if it is on this machine


def describe_landscape(sources: Sequence[Source], study: StudySpec, finder: Finder, run_date: str) -> pd.DataFrame:
    """Describe every source that bears on a study's question.

    Args:
        sources: the catalogue's sources; those of a series become one row.
        study: tells which of them its notebooks use.
        finder: tells which closed and shared ones are on this machine.
        run_date: ISO date that agreements are held against.

    Returns:
        A row a source: source_id, title, publisher, steward, spectrum, personal_data, licence, published (of a file
        that is here, its own date), used_as (real, synthetic, not there, not used), gap (why, and what else stands in
        the way; or missing); closed first, then shared, then open.

    Raises:
        SourceError: in the closed folder is a file that has nearly the name of a source.
    """
    named = {name for notebook in study.notebooks.values() for name in notebook.sources}
    editions: dict[str, list[Source]] = {}
    for source in sources:
        editions.setdefault(source.series or source.id, []).append(source)
    found = {source.id: finder.find_local(source) for source in sources if source.format != "none"}
    instead = {one.source.id for name, one in found.items() if one and name in named and one.source.id != name}
    unread = {one.or_else: STANDS_BY.format(one.title) for one in sources if one.or_else}
    rows = pd.DataFrame(
        _describe(name, group, found, name in named | instead, unread.get(name, UNREAD), finder, run_date)
        for name, group in editions.items()
    )
    rows["spectrum"] = pd.Categorical(rows["spectrum"], ["closed", "shared", "open"])
    return rows.sort_values(["spectrum", "source_id"], ignore_index=True).astype({"spectrum": "str"})


def _describe(
    name: str, group: Sequence[Source], found: Found, is_named: bool, unread: str, finder: Finder, run_date: str
) -> dict[str, object]:
    first, last = group[0], group[-1]
    here = found.get(first.id)
    used_as, why = _tell_use(group, found, finder) if is_named else ("not used", unread)
    published = here.published if here and used_as == "real" else first.published
    return {
        "source_id": name,
        "title": first.title,
        "publisher": first.publisher,
        "steward": first.steward,
        "spectrum": first.spectrum,
        "personal_data": first.personal_data,
        "licence": first.licence,
        "published": f"{first.edition} to {last.edition}" if len(group) > 1 else published or None,
        "used_as": used_as,
        "gap": " ".join([*_list_gaps(group, run_date), *filter(None, [why])]) or None,
    }


def _tell_use(group: Sequence[Source], found: Found, finder: Finder) -> tuple[str, str]:
    """Tell what a run uses of a source that a notebook names, and why it is no file of it."""
    first = group[0]
    if not first.covers(finder.council):
        return "not used", f"It is for {' and '.join(NATIONS[nation] for nation in first.nations)} alone."
    if finder.mode == "sample":
        return "synthetic", ""
    files = [found.get(one.id) for one in group]
    missing = "It is not in the closed folder" if first.spectrum != "open" else "No file of it is here"
    if others := [
        one.source.title for one, source in zip(files, group, strict=True) if one and one.source.id != source.id
    ]:
        return "not there", f"{missing}; read instead is: {others[0]}."
    if all(files) or (first.spectrum == "open" and not first.optional):  # a required open one will be fetched
        return "real", ""
    if any(files) and first.optional:  # of a series, some editions
        return "real", ""
    if first.optional:
        return "not there", f"{missing}; the study goes on without it."
    return "synthetic", f"{missing}; a synthetic twin stands in for it."


def _list_gaps(group: Sequence[Source], run_date: str) -> list[str]:
    source = group[0]
    gaps = []
    if source.spectrum != "open":
        if not source.agreement:
            gaps.append("No data sharing agreement is recorded.")
        elif source.agreement.review_by < date.fromisoformat(run_date):
            due = source.agreement.review_by
            gaps.append(f"Its sharing agreement was due for review by {due.day} {due:%B %Y}.")
    if (expected := group[-1].next_due) and expected < date.fromisoformat(run_date):
        gaps.append(f"Its next edition was due by {expected.day} {expected:%B %Y}, and is not in the catalogue.")
    if source.licence and not source.states_licence:
        gaps.append("The publisher states no licence.")
    return gaps
