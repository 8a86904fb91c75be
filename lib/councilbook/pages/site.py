"""The site around the reports: its first page, data catalogue, sources, search and accessibility statement.

All pages are written anew from the record that lies beside each report, and from the catalogue. They link one
another by relative addresses, so that the folder can be moved, copied or put on a web server as it is.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from councilbook.catalogue import Catalogue, Source
from councilbook.pages.comparisons.comparison_pages import ComparisonPage, make_comparison_pages
from councilbook.pages.html.pieces import Html, embed_json
from councilbook.pages.html.questions import SKIPPED
from councilbook.pages.page import DOCS, PAGE_BYTES, Current, render_page, shorten_attributions, write_page
from councilbook.pages.reports.preview import draw_preview
from councilbook.pages.reports.report_records import DatasetRecord, ReportRecord, Spectrum, read_reports
from councilbook.pages.search_words import add_words, list_alike, read_page_words
from councilbook.paths import write_atomically
from councilbook.sources.extracts.diagnoses import list_groups, load_code_lists
from councilbook.sources.layouts import choose_laid_out, describe_layout, name_example, write_example

CARDS = 24  # more reports than this are listed in short, with a box to find one
DATASETS_ON_ONE_PAGE = 120  # more than this have a page a place
NEWS = 10
CARD_LETTERS = 320
FIGURE = re.compile(r"£\d[\d,.]*\d(?: (?:million|billion))?|\d[\d,]*(?:\.\d+)?%")
SECTION_LETTERS = (300, 160, 80, 0)  # of each section that the search looks through: as many as fit on its page
CATALOGUE_ID = "urn:councilbook:catalogue"
CATALOGUE_FILE = "catalogue.jsonld"
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
}
SPECTRUM: Mapping[Spectrum, str] = {
    "closed": "Only people inside the organisation that holds them may read them.",
    "shared": "Named people may read them, under an agreement or a licence that not everyone can get.",
    "open": "Anyone may read them, use them and pass them on.",
}


@dataclass(frozen=True)
class Site:
    """A folder of reports, and the catalogue that they were made from."""

    folder: Path
    catalogue: Catalogue
    reports: Sequence[ReportRecord]

    @property
    def last_run(self) -> str | None:
        """ISO date of the newest report; None if there is no report."""
        return max((report.run_date for report in self.reports), default=None)

    @cached_property
    def dataset_count(self) -> int:
        """How many datasets all reports offer."""
        return sum(len(report.datasets) for report in self.reports)

    @cached_property
    def compared(self) -> list[ComparisonPage]:
        """Pages on which councils stand beside each other."""
        return list(make_comparison_pages(self.catalogue, self.reports))

    def write(self, name: str, current: Current, values: Mapping[str, Any], template: str | None = None) -> None:
        """Write one of its pages, by default from the template of its name."""
        write_page(self.render(template or f"{name}.j2", current, values), self.folder / name, name)

    def remove_others(self, kept: Collection[str], *patterns: str) -> None:
        """Take away the files of some patterns that are not among those of today."""
        for left in [file for pattern in patterns for file in self.folder.glob(pattern)]:
            if left.name not in kept:
                left.unlink()

    def render(self, template: str, current: Current, values: Mapping[str, Any]) -> Html:
        """Fill in a page, with what all of its pages say."""
        attributions = shorten_attributions(text for report in self.reports for text in report.attributions)
        has_docs = (self.folder / DOCS / "index.html").exists()
        return render_page(template, current, attributions=attributions, has_docs=has_docs, **values)


@dataclass(frozen=True)
class News:
    """What happened to a report and its data on one day."""

    date: str
    report: ReportRecord
    is_run: bool
    changes: Mapping[str, int]  # what change logs say, and of how many datasets


@dataclass(frozen=True)
class Card:
    """What a card on the first page says of a report: whole sentences, and the figure in them that is shown large."""

    figure: str
    text: str


@dataclass(frozen=True)
class Group:
    """Datasets of a study that people want for one purpose; those that are not plain are for who checks the work."""

    title: str
    study: str
    is_plain: bool
    datasets: list[tuple[ReportRecord, DatasetRecord]]


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


def build_site(catalogue: Catalogue) -> None:
    """Write every page of the site but the reports.

    Args:
        catalogue: the workbook's; the site is its folder of reports.

    Raises:
        NotebookError: a page would not be accessible and self-contained.
    """
    folder = catalogue.workbook.reports
    site = Site(folder, catalogue, read_reports(folder))
    entries = list(list_entries(catalogue, site.reports))
    _write_data(site)
    _write_sources(site, entries)
    _write_layouts(site)
    _write_search(site, entries)
    site.write("accessibility.html", "accessibility", {"date_of_run": site.last_run})
    _write_comparisons(site)
    draw_preview(folder, "Research for councils that anyone can check", "Reports, open data and where they come from")
    _write_index(site)


# --- first page ---


def _write_index(site: Site) -> None:
    values = {
        "compared": site.compared,
        "studies": _group_studies(site.reports),
        "count": len(site.reports),
        "places": len({report.council.slug for report in site.reports}),
        "last_run": site.last_run,
        "in_short": len(site.reports) > CARDS,
        "kinds": _sort_cards(site.reports),
        "printed": {one.folder for one in site.reports if (site.folder / one.folder / "report.pdf").exists()},
        "news": list_news(site.reports),
    }
    site.write("index.html", "reports", values)


def _group_studies(reports: Iterable[ReportRecord]) -> dict[str, list[ReportRecord]]:
    """Return the reports of each study by its title, both in alphabetical order."""
    ordered = sorted(reports, key=lambda one: (one.study_title.casefold(), one.council.name.casefold()))
    return {title: list(group) for title, group in groupby(ordered, lambda one: one.study_title)}


def _sort_cards(reports: Iterable[ReportRecord]) -> dict[str, list[tuple[ReportRecord, Card]]]:
    """Keep the cards of samples apart from those of real runs."""
    cards: dict[str, list[tuple[ReportRecord, Card]]] = {"real": [], "sample": []}
    for group in _group_studies(reports).values():
        for report in group:
            cards["sample" if report.figures == "synthetic" else "real"].append((report, pick_findings(report.summary)))
    return cards


def pick_findings(summary: str) -> Card:
    """Pick the first whole sentences of a summary that say what was found, and the figure to show large.

    What newer data are out says nothing of the place, and is left to the report.
    """
    sentences = [one for one in re.split(r"(?<=[.!?])\s+(?=[A-Z])", summary) if not one.startswith("Newer data")]
    text = ""
    for one in sentences:
        if text and len(text) + len(one) > CARD_LETTERS:
            break
        text = f"{text} {one}".strip()
    found = FIGURE.search(text)
    return Card(found[0] if found else "", text)


def list_news(reports: Iterable[ReportRecord]) -> list[News]:
    """List the newest runs of reports and changes of datasets, newest first; those of a report on a day are one."""
    changes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    by_folder = {report.folder: report for report in reports}
    for folder, report in by_folder.items():
        changes[report.run_date, folder] = Counter()
        for dataset in report.datasets:
            last = {change["date"]: change["text"] for change in reversed(dataset.changes)}  # newest first in the log
            for day, text in last.items():
                changes[day, folder][text] += 1
    newest = sorted(changes, key=lambda one: by_folder[one[1]].name.casefold())
    newest.sort(key=lambda one: one[0], reverse=True)
    return [
        News(date, by_folder[folder], date == by_folder[folder].run_date, changes[date, folder])
        for date, folder in newest[:NEWS]
    ]


# --- councils beside each other ---


def _write_comparisons(site: Site) -> None:
    """Write the pages that compare councils, and take away those that nothing is left to compare on."""
    for page in site.compared:
        values = {"title": page.title, **page.values}
        site.write(page.file, "reports", values, "pages/comparisons/councils.html.j2")
    site.remove_others({page.file for page in site.compared}, "councils-*.html")


# --- data catalogue ---


def _write_data(site: Site) -> None:
    """Write the data catalogue: one page, or a page a place where there are very many datasets."""
    described = describe_catalogue(site, site.reports, CATALOGUE_ID, "Data of all reports")
    with write_atomically(site.folder / CATALOGUE_FILE) as temporary:
        temporary.write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    places: dict[str, list[ReportRecord]] = defaultdict(list)
    if site.dataset_count > DATASETS_ON_ONE_PAGE:
        for report in sorted(site.reports, key=lambda one: one.council.name.casefold()):
            places[report.council.slug].append(report)
        described = _name_catalogues(described, places)
    for slug, reports in places.items():
        name = reports[0].council.name
        part = describe_catalogue(site, reports, f"{CATALOGUE_ID}:{slug}", f"Data of the reports on {name}")
        values = {"studies": group_datasets(site, reports), "place": name, "places": {}, "dcat": embed_json(part)}
        site.write(f"data-{slug}.html", "data", values, "data.html.j2")
    site.remove_others({f"data-{slug}.html" for slug in places}, "data-*.html")
    values = {
        "studies": {} if places else group_datasets(site, site.reports),
        "place": None,
        "places": places,
        "dcat": embed_json(described),
    }
    site.write("data.html", "data", values | {"count": site.dataset_count})


def group_datasets(site: Site, reports: Iterable[ReportRecord]) -> dict[str, list[Group]]:
    """Group each study's datasets by what people want, as the catalogue has it; those that it does not name come last.

    Councils stand side by side under each.
    """
    grouped: dict[str, list[Group]] = {}
    for title, members in _group_studies(reports).items():
        study = members[0].study
        declared = site.catalogue.groups.get(study, {})
        found = [(report, one) for report in members for one in report.datasets]
        ids = list(declared.values()) or [sorted({one.id for _, one in found})]
        groups = [
            Group(words, study, True, [pair for name in names for pair in found if pair[1].id == name])
            for words, names in zip(declared or ["All datasets"], ids, strict=True)
        ]
        named = {name for names in ids for name in names}
        groups.append(Group("", study, False, [pair for pair in found if pair[1].id not in named]))
        grouped[title] = [group for group in groups if group.datasets]
    return {title: groups for title, groups in grouped.items() if groups}


def describe_catalogue(site: Site, reports: Sequence[ReportRecord], name: str, title: str) -> dict[str, Any]:
    """Return a DCAT catalogue of the published datasets of reports as JSON-LD, its addresses relative to the site.

    Args:
        site: whose folder the datasets' own records lie in.
        reports: whose datasets.
        name: the catalogue's own name, a URN.
        title: its title.
    """
    context: dict[str, Any] = dict(PREFIXES)
    nodes: list[dict[str, Any]] = []
    for report in reports:
        for dataset in report.datasets:
            if dataset.is_published:
                folder = f"{report.folder}/data/{dataset.id}"
                record = json.loads((site.folder / folder / "dcat.jsonld").read_text(encoding="utf-8"))
                context |= record["@context"]
                nodes += _lift(record["@graph"], folder)
    names = sorted({report.council.name for report in reports})
    catalogue: dict[str, Any] = {
        "@id": name,
        "@type": "dcat:Catalog",
        "dcterms:title": {"@language": "en", "@value": title},
        "dcterms:description": {"@language": "en", "@value": "Datasets released with the reports of this site."},
        "dcterms:publisher": [{"@type": "foaf:Organization", "foaf:name": name} for name in names],
        "dcat:dataset": [{"@id": node["@id"]} for node in nodes if node["@type"] == "dcat:Dataset"],
    }
    if site.last_run:
        date = {"@type": "http://www.w3.org/2001/XMLSchema#date", "@value": site.last_run}
        catalogue["dcterms:modified"] = date
    return {"@context": context, "@graph": [catalogue, *nodes]}


def _lift(value: Any, folder: str) -> Any:
    """Make a dataset's record part of a larger one: its nameless nodes and files are told from others' by folder."""
    if isinstance(value, list):
        return [_lift(one, folder) for one in value]
    if not isinstance(value, dict):
        return value
    lifted = {key: _lift(one, folder) for key, one in value.items()}
    name = value.get("@id")
    if name and name.startswith("_:"):
        lifted["@id"] = f"_:{re.sub('[^a-z0-9]', '-', folder)}-{name[2:]}"
    elif name and ":" not in name:
        lifted["@id"] = f"{folder}/{name}"
    return lifted


def _name_catalogues(described: Mapping[str, Any], places: Iterable[str]) -> dict[str, Any]:
    """Let a catalogue name those of places in the place of their datasets."""
    catalogue = {key: value for key, value in described["@graph"][0].items() if key != "dcat:dataset"}
    parts = [
        {"@id": f"{CATALOGUE_ID}:{slug}", "@type": "dcat:Catalog", "foaf:homepage": {"@id": f"data-{slug}.html"}}
        for slug in places
    ]
    return {"@context": PREFIXES, "@graph": [catalogue | {"dcat:catalog": parts}]}


# --- sources ---


def _write_sources(site: Site, entries: Sequence[Entry]) -> None:
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


def _write_layouts(site: Site) -> None:
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


# --- search ---


def _write_search(site: Site, entries: Sequence[Entry]) -> None:
    """Write the search with as much of each section as fits on a page: all its words, fewer, or its heading alone."""
    for letters in (*SECTION_LETTERS, None):
        index = list_search_index(site, entries, letters)
        values = {
            "studies": _group_studies(site.reports),
            "with_headings": letters is not None,
            "index": embed_json(index),
            "whole": letters == SECTION_LETTERS[0],
        }
        page = site.render("search.html.j2", "search", values)
        if len(page.text.encode()) <= PAGE_BYTES:
            break
    write_page(page, site.folder / "search.html", "search.html")


def list_search_index(site: Site, entries: Sequence[Entry], letters: int | None) -> dict[str, Any]:
    """List what the search looks through.

    Args:
        site: whose reports and datasets.
        entries: the sources.
        letters: most letters of each section; None: no sections, but the title and the summary of each report.

    Returns:
        pages, each [address, name]; entries, each [number of its page, id there, heading, text, stems of the other
        words below it]; alike, stem to those that mean the same; and skip, words that say little.
    """
    pages: list[list[str]] = []
    rows: list[list[Any]] = []

    def add(address: str, name: str, found: Iterable[tuple[str, str, str]], words: Mapping[str, list[str]]) -> None:
        pages.append([address, name])
        rows.extend([len(pages) - 1, *one, add_words([name, *one[1:]], words.get(one[0], ()))] for one in found)

    is_whole = letters == SECTION_LETTERS[0] and len(site.reports) <= CARDS
    for report in site.reports:
        sections = [("", report.title, report.summary[: SECTION_LETTERS[0] if letters is None else letters])]
        if letters is not None:
            sections += [(one.id, one.heading, one.text[:letters]) for one in report.sections if one.id]
        address = f"{report.folder}/index.html"
        add(address, report.name, sections, _read_words(site, address) if is_whole else {})
        for page in report.pages:
            address = f"{report.folder}/{page.file}"
            words = _join_words(site, address) if is_whole else {}
            add(address, report.council.name, [("", page.title, page.description)], words)
    for report in site.reports if letters is not None else ():
        name = f"Data, {report.place_name}"
        listed = [(report.name_dataset(one), one.title, one.description[:letters]) for one in report.datasets]
        if not is_whole:
            add(name_data_page(site, report), name, listed, {})
            continue
        for dataset, (place, *said) in zip(report.datasets, listed, strict=True):
            if dataset.is_published:
                address = f"{report.folder}/data/{dataset.id}/index.html"
                add(address, name, [("", said[0], said[1])], _join_words(site, address))
            else:
                add(name_data_page(site, report), name, [(place, said[0], said[1])], {})
    for compared in site.compared:
        figures = " ".join(one["title"] + "." for one in compared.values["sections"])
        add(compared.file, compared.title, [("", compared.title, figures)], {})
    add("sources.html", "Sources", [(one.id, one.title, one.description) for one in entries], {})
    return {"pages": pages, "entries": rows, "alike": list_alike(site.catalogue.synonyms), "skip": sorted(SKIPPED)}


def _read_words(site: Site, address: str) -> dict[str, list[str]]:
    file = site.folder / address
    return read_page_words(file.read_text(encoding="utf-8")) if file.exists() else {}


def _join_words(site: Site, address: str) -> dict[str, list[str]]:
    """Read the words of a page that is one entry of the search, whichever heading they are below."""
    return {"": [word for some in _read_words(site, address).values() for word in some]}


def name_data_page(site: Site, report: ReportRecord) -> str:
    """Name the page of the data catalogue that a report's datasets are on."""
    return "data.html" if site.dataset_count <= DATASETS_ON_ONE_PAGE else f"data-{report.council.slug}.html"
