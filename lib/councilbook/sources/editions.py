"""Which editions of a source there are: what is newer than what was used, what is due, and where a series breaks."""

from collections.abc import Collection, Iterable
from datetime import date

from councilbook.catalogue import Catalogue, Source
from councilbook.catalogue.councils import join_names


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


def list_absent(catalogue: Catalogue, series: str, years: Collection[int]) -> list[int]:
    """Return the editions of a series that are not among the years that there are figures of."""
    return [one.edition for one in catalogue.series(series) if one.edition and one.edition not in years]


def find_breaks(catalogue: Catalogue, series: str, years: Collection[int]) -> dict[float, str]:
    """Find where a series was revised, between two years that there are figures of: half a year before, and why."""
    return {
        one.edition - 0.5: one.revised
        for one in catalogue.series(series)
        if one.edition and one.revised and min(years) < one.edition <= max(years)
    }


def describe_second_figures(catalogue: Catalogue, series: str, years: Collection[int]) -> str:
    """Say for which years there is a second official figure, and that neither is wrong; empty if there is none."""
    told = {one.edition: one.also_published for one in catalogue.series(series) if one.also_published}
    found = {year: text for year, text in told.items() if year in years}
    if not found:
        return ""
    named = join_names(map(str, found))
    return (
        f"{' '.join(map(str, found.values()))} This page uses the tables for {named}, as they alone say where. The "
        "other figures were published before them, and are no errors."
    )
