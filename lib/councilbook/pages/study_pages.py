"""Pages that a study makes beside its report, from what was released alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.catalogue import PageSpec, StudySpec, find_function
from councilbook.pages.html.pieces import Html
from councilbook.pages.page import render_page, shorten_attributions, write_page
from councilbook.pages.reports.report_records import ROOT
from councilbook.pages.withheld import Released

Read = Callable[[str], pd.DataFrame]


@dataclass(frozen=True)
class PageRequest:
    """What a page is made for, and what it may show.

    Attributes:
        study: whose page it is.
        page: as study.yaml declares it.
        council_name: the council that the page is about.
        data: sample or real.
        run_date: ISO date of the run.
        datasets: those that were released with the report for everybody, by id.
        read: reads one of them, typed as its fields declare.
        place: see `render_report`.
    """

    study: StudySpec
    page: PageSpec
    council_name: str
    data: str
    run_date: str
    datasets: Mapping[str, Released]
    read: Read
    place: str = ""

    def load(self, dataset: str) -> pd.DataFrame | None:
        """Read a released dataset; None if it is not there, as where an optional notebook has been left out."""
        return self.read(dataset) if dataset in self.datasets else None

    def list_sources(self, dataset: str) -> set[str]:
        """List the ids of the sources that a dataset was made from; none if it is not there."""
        rows = self.datasets[dataset].package["councilbook"]["provenance"] if dataset in self.datasets else []
        return {row["source_id"] for row in rows}

    def render(self, template: str, used: Sequence[str], **values: Any) -> Html:
        """Fill in a template that extends study_page.html.j2; its banner says what the figures of the page are.

        Args:
            template: its place below the library's folder.
            used: ids of the datasets that the page shows, which need not be there.
            values: what the template asks for.
        """
        shown = [self.datasets[name] for name in used if name in self.datasets]
        return render_page(
            template,
            "reports",
            root=ROOT,
            site_folder=self.place,
            study=self.study,
            page=self.page,
            council_name=self.council_name,
            data=self.data,
            run_date=self.run_date,
            invented=False,
            attributions=shorten_attributions(one.package["attribution"] for one in shown),
            **describe_figures(shown, self.data),
            **values,
        )


def describe_figures(datasets: Sequence[Released], data: str) -> dict[str, Any]:
    """Say what kind the figures of some datasets are, and who has yet to approve one: what a page's banner needs."""
    abouts = [one.package["councilbook"] for one in datasets]
    synthetic = sorted({row["title"] for about in abouts for row in about["provenance"] if row["synthetic"]})
    return {
        "has_facts": any(not any(row["synthetic"] for row in about["provenance"]) for about in abouts),
        "figures": "synthetic" if data == "sample" else "mixed" if synthetic else "real",
        "synthetic_sources": synthetic,
        "assumptions": list(dict.fromkeys(text for about in abouts for text in about.get("assumptions", []))),
        "approvers": sorted({one.waits_for for one in datasets if one.waits_for}),
    }


def write_study_pages(request: Callable[[PageSpec], PageRequest], study: StudySpec, folder: Path) -> None:
    """Write each page that a study declares, beside its report.

    Raises:
        NotebookError: one would not be accessible and self-contained, or be too large.
    """
    for name, page in study.pages.items():
        write_page(find_function(page.make)(request(page)), folder / f"{name}.html", f"page {study.id}/{name}")
