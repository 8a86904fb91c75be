"""The pages on sources: all of them on one, and how a council's own file of each closed one is laid out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from councilbook.catalogue import Catalogue, Source
from councilbook.pages.reports.report_records import ReportRecord, Spectrum
from councilbook.pages.site.base import Site
from councilbook.paths import write_atomically
from councilbook.sources.extracts.diagnoses import list_groups, load_code_lists
from councilbook.sources.layouts import choose_laid_out, describe_layout, name_example, write_example

SPECTRUM: Mapping[Spectrum, str] = {
    "closed": "Only people inside the organisation that holds them may read them.",
    "shared": "Named people may read them, under an agreement or a licence that not everyone can get.",
    "open": "Anyone may read them, use them and pass them on.",
}


@dataclass(frozen=True)
class Entry:
    """A source, or a series of them, as the sources page shows it."""

    id: str
    title: str
    description: str
    publisher: str
    steward: str
    spectrum: Spectrum
    licence: str
    licence_url: str
    personal_data: str
    landing_page: str
    editions: int
    studies: tuple[str, ...]  # titles
    figures: frozenset[str]  # real, synthetic or both in the reports that used it; empty if none did
    faults: tuple[str, ...]
    frequency: str = ""  # how often it comes; empty where nobody has said
    next_due: str = ""
    layout: str = ""  # address of the page that says how a council's own file is laid out


def write_sources(site: Site, entries: Sequence[Entry]) -> None:
    """Write the page that lists all sources, by their place on the data spectrum."""
    titles = sorted({title for entry in entries for title in entry.studies})
    counts = {title: Counter(one.spectrum for one in entries if title in one.studies) for title in titles}
    if loose := Counter(one.spectrum for one in entries if not one.studies):
        counts["In no study yet"] = loose
    values = {
        "spectrum": SPECTRUM,
        "counts": counts,
        "total": Counter(one.spectrum for one in entries),
        "groups": {kind: [one for one in entries if one.spectrum == kind] for kind in SPECTRUM},
    }
    site.write("sources.html", "sources", values)


def write_layouts(site: Site) -> None:
    """Write how a council's own file of each closed and shared source is laid out, with an example file to fill."""
    made = set()
    for source in choose_laid_out(site.catalogue.sources.values()):
        page, example = f"layout-{source.id}.html", name_example(source)
        readers = {
            f"{spec.title}: {notebook.title}": spec.id
            for spec in site.catalogue.studies.values()
            for notebook in spec.notebooks.values()
            if source in site.catalogue.expand(notebook.sources)
        }
        stem, _, ending = source.file.partition(".")
        groups = list_groups(source.table())
        values = {"source": source, "columns": describe_layout(source.table()), "example": example, "groups": groups}
        values |= {"lists": load_code_lists().values(), "readers": list(readers), "stem": stem, "ending": ending}
        site.write(page, "sources", values | {"studies": sorted(set(readers.values()))}, "layout.html.j2")
        with write_atomically(site.folder / example) as temporary:
            temporary.write_text(write_example(source), encoding="utf-8", newline="\n")
        made |= {page, example}
    site.remove_others(made, "layout-*.html", "example_*")


def list_entries(catalogue: Catalogue, reports: Iterable[ReportRecord]) -> Iterator[Entry]:
    """Yield every source that is in the catalogue or was used in a report, by title; a series is one entry."""
    used: dict[str, set[str]] = defaultdict(set)
    users: dict[str, set[str]] = defaultdict(set)
    gone = {}
    for report in reports:
        for record in report.sources:
            used[record.id].add("synthetic" if record.synthetic else "real")
            users[record.id].add(report.study_title)
            if record.id not in catalogue.sources:
                gone[record.title] = record
    for study, spec in catalogue.studies.items():
        for source in [*catalogue.sources_of(study), *catalogue.expand(spec.places)]:
            users[source.id].add(spec.title)
    series: dict[str, list[Source]] = defaultdict(list)
    for source in catalogue.sources.values():
        series[source.series or source.id].append(source)
    entries = [_describe_sources(catalogue, name, sources, used, users) for name, sources in series.items()]
    for title, record in gone.items():  # used by a report that still stands, and since taken out of the catalogue
        licence = catalogue.licences.get(record.licence or "")
        entries.append(
            Entry(
                id=record.id,
                title=title,
                description="No longer in the catalogue.",
                publisher=record.publisher,
                steward="not stated",
                spectrum=record.spectrum,
                licence=licence.title if licence else "not stated",
                licence_url=licence.url if licence else "",
                personal_data="not stated",
                landing_page=record.landing_page,
                editions=1,
                studies=tuple(sorted(users[record.id])),
                figures=frozenset(used[record.id]),
                faults=(),
            )
        )
    yield from sorted(entries, key=lambda one: one.title.casefold())


def _describe_sources(
    catalogue: Catalogue,
    name: str,
    sources: Sequence[Source],
    used: Mapping[str, set[str]],
    users: Mapping[str, set[str]],
) -> Entry:
    """Describe a source, or the editions of a series by their newest."""
    newest = max(sources, key=lambda one: one.edition or 0)
    licence = catalogue.licences.get(newest.licence or "")
    return Entry(
        id=name,
        title=newest.title,
        description=newest.description,
        publisher=newest.publisher,
        steward=newest.steward,
        spectrum=newest.spectrum,
        layout=f"layout-{newest.id}.html" if choose_laid_out([newest]) else "",
        licence=licence.title if licence else "none: it is not open",
        licence_url=licence.url if licence else "",
        personal_data="yes" if any(one.personal_data for one in sources) else "no",
        landing_page=newest.landing_page,
        editions=len(sources),
        frequency=newest.frequency or "",
        next_due=f"{newest.next_due.day} {newest.next_due:%B %Y}" if newest.next_due else "",
        studies=tuple(sorted({title for one in sources for title in users.get(one.id, ())})),
        figures=frozenset(kind for one in sources for kind in used.get(one.id, ())),
        faults=tuple(dict.fromkeys(fault for one in sources for fault in one.known_faults)),
    )
