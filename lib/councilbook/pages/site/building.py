"""The site as a whole, and its first page: the reports, and what is new."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from councilbook.catalogue import Catalogue
from councilbook.pages.reports.preview import draw_preview
from councilbook.pages.reports.report_records import ReportRecord, read_reports
from councilbook.pages.site.base import CARDS, Site, group_studies
from councilbook.pages.site.data_catalogue import write_data
from councilbook.pages.site.search import write_search
from councilbook.pages.site.source_pages import list_entries, write_layouts, write_sources

NEWS = 10
CARD_LETTERS = 320
FIGURE = re.compile(r"£\d[\d,.]*\d(?: (?:million|billion))?|\d[\d,]*(?:\.\d+)?%")
COUNT = re.compile(r"\b\d[\d,]* [a-z]+s\b")


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
    write_data(site)
    write_sources(site, entries)
    write_layouts(site)
    write_search(site, entries)
    site.write("accessibility.html", "accessibility", {"date_of_run": site.last_run})
    _write_comparisons(site)
    draw_preview(folder, "Research for councils that anyone can check", "Reports, open data and where they come from")
    _write_index(site)


def _write_index(site: Site) -> None:
    values = {
        "compared": site.compared,
        "studies": group_studies(site.reports),
        "count": len(site.reports),
        "places": len({report.council.slug for report in site.reports}),
        "last_run": site.last_run,
        "in_short": len(site.reports) > CARDS,
        "kinds": _sort_cards(site.reports),
        "printed": {one.folder for one in site.reports if (site.folder / one.folder / "report.pdf").exists()},
        "news": list_news(site.reports),
    }
    site.write("index.html", "reports", values)


def _sort_cards(reports: Iterable[ReportRecord]) -> dict[str, list[tuple[ReportRecord, Card]]]:
    """Keep the cards of samples apart from those of real runs."""
    cards: dict[str, list[tuple[ReportRecord, Card]]] = {"real": [], "sample": []}
    for group in group_studies(reports).values():
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
    found = FIGURE.search(text) or COUNT.search(text)
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


def _write_comparisons(site: Site) -> None:
    """Write the pages that compare councils, and take away those that nothing is left to compare on."""
    for page in site.compared:
        values = {"title": page.title, **page.values}
        site.write(page.file, "reports", values, "pages/comparisons/councils.html.j2")
    site.remove_others({page.file for page in site.compared}, "councils-*.html")
