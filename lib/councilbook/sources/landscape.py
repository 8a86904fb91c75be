"""The data landscape of a study: what there is, where it stands on the data spectrum, and what is missing.

How open and how old each source is, is computed from the catalogue, not claimed.

Source:
    Berners-Lee, T., "Linked Data", W3C Design Issues, 2006, with the five stars added in 2010.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import pandas as pd

from councilbook.catalogue import Finder, FoundFile, Source, StudySpec
from councilbook.catalogue.councils import NATIONS

UNREAD = "No notebook reads it yet."
STANDS_BY = "It is read only where this is not there: {}."
NO_ROW = "Its file was read, and has no row of this council."

STRUCTURED = {"xlsx", "xlsm", "xls", "ods"}  # two stars: a machine can read it
PLAIN = {"csv", "tsv", "json", "geojson", "xml", "txt", "zip", "gz", "pbf"}  # three: no one firm's program is needed
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
SHORT_YEAR = re.compile(r"\b((?:19|20))\d\d[/-](\d\d)\b(?!-)")  # 2017/18 ends in 2018

Found = Mapping[str, FoundFile | None]  # by source id, its file if it is on this machine
HasRows = Callable[[Source], bool]


def describe_landscape(
    sources: Sequence[Source], study: StudySpec, finder: Finder, run_date: str, has_rows: HasRows = lambda _: True
) -> pd.DataFrame:
    """Describe every source that bears on a study's question.

    Args:
        sources: the catalogue's sources; those of a series become one row.
        study: tells which of them its notebooks use.
        finder: tells which closed and shared ones are on this machine.
        run_date: ISO date that agreements are held against.
        has_rows: whether a source's file has a row of the council; asked only where it `may_lack_rows`.

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
        _describe(group, found, "" if name in named | instead else unread.get(name, UNREAD), finder, run_date, has_rows)
        for name, group in editions.items()
    )
    rows.insert(0, "source_id", list(editions))
    rows["spectrum"] = pd.Categorical(rows["spectrum"], ["closed", "shared", "open"])
    return rows.sort_values(["spectrum", "source_id"], ignore_index=True).astype({"spectrum": "str"})


def may_lack_rows(source: Source) -> bool:
    """Tell whether a copy of a source may have no row of a council, which one look by the council's codes shows."""
    table = next(iter(source.tables.values()), None)
    picked = table and (table.looked_up or table.areas)
    return bool(source.spectrum == "open" and picked and not picked.lsoa)


def _describe(
    group: Sequence[Source], found: Found, unread: str, finder: Finder, run_date: str, has_rows: HasRows
) -> dict[str, object]:
    first, last = group[0], group[-1]
    here = found.get(first.id)
    used_as, why = _tell_use(group, found, finder, unread)
    seen = [one for one in group if found.get(one.id) and may_lack_rows(one)]
    if used_as == "real" and seen and not any(map(has_rows, seen)):
        used_as, why = "not used", NO_ROW
    published = here.published if here and used_as == "real" else first.published
    return {
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


def _tell_use(group: Sequence[Source], found: Found, finder: Finder, unread: str) -> tuple[str, str]:
    """Tell what a run uses of a source, and why it is no file of it; unread: why no notebook names it."""
    first = group[0]
    if not first.covers(finder.council):
        return "not used", f"It is for {' and '.join(NATIONS[nation] for nation in first.nations)} alone."
    if unread:
        return "not used", unread
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
    return "synthetic", f"{missing}; synthetic data stand in for it."


def _list_gaps(group: Sequence[Source], run_date: str) -> list[str]:
    source = group[0]
    gaps = []
    if source.spectrum != "open":
        if not source.agreement:
            gaps.append("No data sharing agreement is recorded.")
        elif (due := source.agreement.review_by) and due < date.fromisoformat(run_date):
            gaps.append(f"Its sharing agreement was due for review by {due.day} {due:%B %Y}.")
    if (expected := group[-1].next_due) and expected < date.fromisoformat(run_date):
        gaps.append(f"Its next edition was due by {expected.day} {expected:%B %Y}, and is not in the catalogue.")
    if source.licence and not source.states_licence:
        gaps.append("The publisher states no licence.")
    return gaps


def score_sources(rows: pd.DataFrame, sources: Sequence[Source], run_date: str) -> pd.DataFrame:
    """Add to a landscape how open and how old each source is.

    Args:
        rows: from `describe_landscape`.
        sources: those that it was made of.
        run_date: ISO date that age is counted to.

    Returns:
        The rows, and: file_format, stars (0 to 3; a format cannot show the fourth and fifth), age_years (from the
        newest year that the edition names to the run; missing where it names none), frequency.
    """
    newest = {one.series or one.id: one for one in sources}  # of a series the newest edition
    found = [newest[name] for name in rows["source_id"]]
    today = date.fromisoformat(run_date).year
    years = [find_year(one) for one in rows["published"].fillna("")]
    return rows.assign(
        file_format=[find_format(one) for one in found],
        stars=[count_stars(one) for one in found],
        age_years=pd.array([None if year is None else max(0, today - year) for year in years], dtype="Int64"),
        frequency=[one.frequency or "" for one in found],
    )


def count_stars(source: Source) -> int:
    """Count the stars of a source, by its licence and format."""
    if source.spectrum != "open" or not source.states_licence:
        return 0
    ending = find_format(source)
    return 3 if ending in PLAIN else 2 if ending in STRUCTURED else 1


def find_format(source: Source) -> str:
    """Return the ending of a source's file, without what it is packed by; that of its format where it has no file."""
    ending = source.file.removesuffix(".gz").rpartition(".")[2].lower()
    return ending or (source.format if source.format not in ("file", "none") else "not known")


def find_year(published: str) -> int | None:
    """Return the newest year that a text names, of 2017/18 the second; None if it names none."""
    years = [int(year) for year in YEAR.findall(published)]
    years += [int(century + short) for century, short in SHORT_YEAR.findall(published)]
    return max(years, default=None)
