"""What every page of the site has: the folder, its reports, and how a page is written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from councilbook.catalogue import Catalogue
from councilbook.pages.comparisons.comparison_pages import ComparisonPage, make_comparison_pages
from councilbook.pages.html.pieces import Html
from councilbook.pages.page import DOCS, Current, render_page, shorten_attributions, write_page
from councilbook.pages.reports.report_records import ReportRecord

CARDS = 24  # more reports than this are listed in short, with a box to find one
DATASETS_ON_ONE_PAGE = 120  # more than this have a page a place


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

    def name_place(self, report: ReportRecord) -> str:
        """Name the place of a report in addresses; a study of all councils is a place of its own."""
        is_of_all = report.study in self.catalogue.studies and self.catalogue.studies[report.study].about
        return report.study if is_of_all else report.council.slug

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


def group_studies(reports: Iterable[ReportRecord]) -> dict[str, list[ReportRecord]]:
    """Return the reports of each study by its title, both in alphabetical order."""
    ordered = sorted(reports, key=lambda one: (one.study_title.casefold(), one.council.name.casefold()))
    return {title: list(group) for title, group in groupby(ordered, lambda one: one.study_title)}


def name_data_page(site: Site, report: ReportRecord) -> str:
    """Name the page of the data catalogue that a report's datasets are on."""
    return "data.html" if site.dataset_count <= DATASETS_ON_ONE_PAGE else f"data-{site.name_place(report)}.html"
