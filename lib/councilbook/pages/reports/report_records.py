"""The record of a report: what the rest of the site says of it, kept as report.json beside the page."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, model_validator

from councilbook.paths import place_outputs

Figures = Literal["real", "mixed", "synthetic"]
Kind = Literal["real", "synthetic", "assumed"]
Spectrum = Literal["closed", "shared", "open"]

ROOT = "../../../"  # from a report to the first page of the site


class Place(BaseModel):
    """Whom a report is for."""

    slug: str
    name: str


class Section(BaseModel):
    """A heading of a report, and how the text below it begins."""

    id: str
    heading: str
    text: str


class SourceRecord(BaseModel):
    """A source that a report was made from."""

    id: str
    title: str
    publisher: str
    spectrum: Spectrum
    licence: str | None
    landing_page: str
    synthetic: bool


class FileRecord(BaseModel):
    """A file of a dataset."""

    path: str
    format: str
    bytes: int


class DatasetRecord(BaseModel):
    """A dataset that was released with a report."""

    id: str
    title: str
    description: str
    version: str
    licence: str
    licence_url: str = ""
    classification: Spectrum = "open"
    approval: dict[str, str] = {"state": "not needed"}
    changes: list[dict[str, str]] = []
    rows: int
    kinds: list[Kind]
    files: list[FileRecord]

    @model_validator(mode="before")
    @classmethod
    def _know_kinds(cls, record: dict[str, Any]) -> dict[str, Any]:
        """Take the kind of an earlier version's record, which knew no assumptions."""
        return {"kinds": ["synthetic" if record.get("synthetic") else "real"], **record}

    @property
    def is_published(self) -> bool:
        """Whether its files lie beside the report; not as long as it waits for approval."""
        return self.approval["state"] != "waiting"


class PageRecord(BaseModel):
    """A page of the study beside the report."""

    file: str
    title: str
    description: str


class ReportRecord(BaseModel):
    """A report.json. What has a default came with a later version: a site may hold reports of an earlier one."""

    study: str
    study_title: str
    question: str
    council: Place
    data: str
    figures: Figures
    run_date: str
    title: str
    summary: str
    sections: list[Section] = []
    attributions: list[str] = []
    assumptions: list[str] = []
    sources: list[SourceRecord] = []
    datasets: list[DatasetRecord]
    pages: list[PageRecord] = []

    @property
    def folder(self) -> str:
        """Where it lies below the site's folder."""
        return place_outputs(self.study, self.council.slug, self.data).as_posix()

    @property
    def place_name(self) -> str:
        """What lists call its council; a sample is told from what is real."""
        return self.council.name + (" (sample)" if self.data == "sample" else "")

    @property
    def name(self) -> str:
        """What lists call it."""
        return f"{self.study_title}, {self.place_name}"

    def name_dataset(self, dataset: DatasetRecord) -> str:
        """Name the place of one of its datasets on a page of the data catalogue."""
        return f"{self.folder.replace('/', '-')}-{dataset.id}"

    @property
    def approvers(self) -> list[str]:
        """Roles that have yet to approve one of its datasets; it is a draft until they have."""
        return sorted({one.approval["role"] for one in self.datasets if not one.is_published})


def read_reports(reports: Path) -> list[ReportRecord]:
    """Read the record of each report in a site's folder, by study, council and kind of data.

    Folders whose names begin with a dot are those that a run is about to put in place, or has just replaced.
    """
    files = sorted(reports.glob("[!.]*/[!.]*/[!.]*/report.json"))
    return [ReportRecord.model_validate_json(file.read_text(encoding="utf-8")) for file in files]
