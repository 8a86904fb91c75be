"""Which editions of a source there are, and which of those that were used are no longer the newest."""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from councilbook.catalogue import Catalogue, Source

OUT = " is out"


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
        A phrase a source or series: first those of which a newer edition is out, then those of which one was due, each
        in order of title; none where all is of the newest edition.
    """
    newest: dict[str, Source] = {}
    for source in (catalogue.sources[name] for name in used if name in catalogue.sources):
        name = source.series or source.id
        newest[name] = max(source, newest.get(name, source), key=lambda one: one.edition or 0)
    phrases = (_describe_newer(catalogue, source, date.fromisoformat(run_date)) for source in newest.values())
    return sorted((phrase for phrase in phrases if phrase), key=lambda phrase: (not phrase.endswith(OUT), phrase))


def _describe_newer(catalogue: Catalogue, source: Source, today: date) -> str:
    last = catalogue.series(source.series)[-1] if source.series else source
    if (last.edition or 0) > (source.edition or 0):
        return f"{source.title}, of {source.edition} here, while that of {last.edition}{OUT}"
    if last.next_due and last.next_due < today:
        due = _write_day(last.next_due.isoformat())
        return f"{source.title}, of {source.edition or _write_day(source.published)} here; the next was due by {due}"
    return ""


def _write_day(text: str) -> str:
    """Write an ISO date in words; a date that the publisher gives otherwise stays as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"
