"""Which editions of a source there are, and which of those that were used are no longer the newest."""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from councilbook.catalogue import Catalogue, Source


def list_editions(catalogue: Catalogue, series: str) -> pd.DataFrame:
    """List the editions of a series that the catalogue knows, oldest first.

    Returns:
        edition, published, revised (why its figures do not go on from those before), also_published (what else was
        officially said of its year); the last two missing where there is nothing to say.
    """
    rows = [(one.edition, one.published, one.revised, one.also_published) for one in catalogue.series(series)]
    return pd.DataFrame(rows, columns=["edition", "published", "revised", "also_published"])


def describe_outdated(catalogue: Catalogue, used: Iterable[str], run_date: str) -> list[str]:
    """Say of which sources that were used a newer edition is out, or was due.

    Args:
        catalogue: knows the editions, and when the next is due.
        used: ids of sources; those that the catalogue no longer has are passed over.
        run_date: ISO date of the run.

    Returns:
        A phrase a source or series, in order of title; none where all is of the newest edition.
    """
    newest: dict[str, Source] = {}
    for source in (catalogue.sources[name] for name in used if name in catalogue.sources):
        name = source.series or source.id
        newest[name] = max(source, newest.get(name, source), key=lambda one: one.edition or 0)
    phrases = (_describe_newer(catalogue, source, date.fromisoformat(run_date)) for source in newest.values())
    return sorted(phrase for phrase in phrases if phrase)


def _describe_newer(catalogue: Catalogue, source: Source, today: date) -> str:
    last = catalogue.series(source.series)[-1] if source.series else source
    if (last.edition or 0) > (source.edition or 0):
        return f"{source.title}: {source.edition} is used here, and {last.edition} is out"
    if last.next_due and last.next_due < today:
        due = f"{last.next_due.day} {last.next_due:%B %Y}"
        return f"{source.title}: {source.edition or source.published} is used here, and the next was due by {due}"
    return ""
