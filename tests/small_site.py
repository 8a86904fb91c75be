"""A catalogue, released datasets and records of reports, made up for tests of the site's pages."""

import json
from pathlib import Path
from typing import Any

from councilbook.catalogue import Catalogue, Licence, Source, StudySpec
from councilbook.gate.metadata import build_dcat
from councilbook.pages.dataset_pages import write_dataset_page
from councilbook.pages.reports.report_records import (
    DatasetRecord,
    FileRecord,
    Place,
    ReportRecord,
    Section,
    SourceRecord,
)
from councilbook.paths import Workbook

DATE = "2026-11-23"
ROLE = "Information governance lead"
OPEN = {"state": "not needed", "why": "No real closed or shared data went into it, only open sources."}
WAITING = {"state": "waiting", "role": ROLE, "content": "abc"}
APPROVED = {"state": "approved", "role": ROLE, "content": "abc", "date": "2026-11-20"}
SCHEMA = {
    "fields": [
        {"name": "home", "title": "Home", "type": "integer", "description": "Home: its number", "constraints": {}}
    ],
    "primaryKey": ["home"],
}
OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
SPEC = StudySpec.model_validate(
    {
        "id": "warmth",
        "title": "Warm homes",
        "question": "Which homes are cold?",
        "default_council": "north",
        "notebooks": {"3_report": {"title": "Report", "kind": "report"}},
    }
)
COMMON = {
    "publisher": "An office",
    "steward": "The office's statisticians",
    "landing_page": "https://example.org/source",
    "published": "2026",
    "format": "none",
}
SOURCES = (
    {"id": "homes_2020", "title": "Homes", "spectrum": "open", "series": "homes", "edition": 2020},
    {"id": "homes_2021", "title": "Homes", "spectrum": "open", "series": "homes", "edition": 2021},
    {"id": "visits", "title": "Visits to homes", "spectrum": "shared", "known_faults": ["Some are in it twice."]},
    {
        **{"id": "clients", "title": "Clients of the housing team", "spectrum": "closed", "personal_data": True},
        **{"format": "csv", "file": "clients.csv", "pseudonymised": True},
        "tables": {
            "clients": {
                "key": ["client_reference_of_the_housing_team"],
                "fields": {
                    "client_reference_of_the_housing_team": {"description": "Pseudonym"},
                    "falls": {"type": "boolean", "description": "Has fallen"},
                },
            }
        },
    },
    {"id": "spare", "title": "A source of no study", "spectrum": "open"},
)


def make_catalogue(root: Path, *specs: StudySpec) -> Catalogue:
    """Return a catalogue of five sources, four of them for the study `warmth`, with its workbook at a folder."""
    sources = [
        Source.model_validate(
            {"description": f"What is known of {one['title']}.", "personal_data": False, **COMMON, **one}
            | ({"licence": "OGL-UK-3.0"} if one["spectrum"] == "open" else {})
        )
        for one in SOURCES
    ]
    licence = Licence(title="Open Government Licence v3.0", url=OGL, attribution="Contains public data.")
    return Catalogue(
        workbook=Workbook(root),
        licences={"OGL-UK-3.0": licence},
        sources={source.id: source for source in sources},
        datasets={},
        councils={},
        studies={spec.id: spec for spec in specs or (SPEC,)},
        study_sources={"warmth": ("homes", "visits", "clients")},
        study_datasets={},
        disclosure={},
    )


def make_package(
    name: str, title: str, *, council: str = "north", study: str = "warmth", **about: Any
) -> dict[str, Any]:
    """Return a data package as the gate writes it; `about` changes what it keeps under councilbook."""
    row = {
        "source_id": "homes_2021",
        "title": "Homes, 2021",
        "series_title": "Homes",
        "publisher": "An office",
        "spectrum": "open",
        "licence": "OGL-UK-3.0",
        "landing_page": "https://example.org/source",
        "synthetic": False,
    }
    return {
        "name": name,
        "title": title,
        "description": "One row a home.",
        "version": "1.1.0",
        "licenses": [{"name": "OGL-UK-3.0", "title": "Open Government Licence v3.0", "path": OGL}],
        "attribution": "Contains public data.",
        "sources": [{"title": "Homes", "path": "https://example.org/source"}],
        "resources": [
            {"path": f"{name}.csv", "format": "csv", "bytes": 1234, "mediatype": "text/csv", "schema": SCHEMA}
        ],
        "councilbook": {
            "study": study,
            "data": "real",
            "council": {"slug": council, "name": council.capitalize(), "codes": {"E06000001": ""}},
            "synthetic": False,
            "kinds": ["real"],
            "assumptions": [],
            "classification": "open",
            "approval": OPEN,
            "rows": 1065,
            "provenance": [row],
            "changes": [
                {"version": "1.1.0", "date": DATE, "text": "New: a column."},
                {"version": "1.0.0", "date": "2026-01-31", "text": "First release."},
            ],
            **about,
        },
    }


def make_audit(rule: str | None = "open_sources_only", **more: Any) -> dict[str, Any]:
    """Return an audit record as the gate writes it."""
    nothing = {"parameters": {}, "reasons": {}, "cells_suppressed": 0, "rows_suppressed": 0, "information_lost": {}}
    return {"rule": rule, "cells": 400, **nothing, **more}


COUNTS_AUDIT = make_audit(
    "counts",
    parameters={"threshold": 10, "round_to": 5, "zeros": "show", "counts": ["clients"]},
    reasons={"threshold": "Below ten, people could be told.", "round_to": "Or changes would tell."},
    cells_suppressed=14,
    rows_suppressed=12,
    information_lost={"figures held back to protect others": 6, "largest change by rounding": 2.0},
)


def write_dataset(processed: Path, package: dict[str, Any], audit: dict[str, Any] | None) -> None:
    """Write a released dataset's folder; without an audit record if there is none."""
    folder = processed / package["name"]
    folder.mkdir(parents=True)
    for resource in package["resources"]:
        (folder / resource["path"]).write_text("home\n1\n")
    (folder / "datapackage.json").write_text(json.dumps(package))
    (folder / "dcat.jsonld").write_text(build_dcat(package))
    if audit is not None:
        (folder / "audit.json").write_text(json.dumps(audit))


def make_record(study: str = "warmth", slug: str = "north", **fields: Any) -> ReportRecord:
    """Return the record of a report with one dataset, made from one real source; `fields` change it."""
    source = SourceRecord(
        id="homes_2021",
        title="Homes",
        publisher="An office",
        spectrum="open",
        licence="OGL-UK-3.0",
        landing_page="https://example.org/source",
        synthetic=False,
    )
    dataset = DatasetRecord(
        id="cold_homes",
        title="Cold homes",
        description="One row a home.",
        version="1.1.0",
        licence="Open Government Licence v3.0",
        licence_url=OGL,
        approval=OPEN,
        changes=make_package("cold_homes", "Cold homes")["councilbook"]["changes"],
        rows=1065,
        kinds=["real"],
        files=[FileRecord(path="cold_homes.csv", format="CSV", bytes=1234)],
    )
    record = {
        "study": study,
        "study_title": SPEC.title if study == SPEC.id else study.capitalize(),
        "question": "Which homes are cold?",
        "council": Place(slug=slug, name=slug.replace("_", " ").title()),
        "data": "real",
        "figures": "real",
        "run_date": DATE,
        "title": f"Homes in {slug}",
        "summary": "12 homes are cold.",
        "sections": [
            Section(id="", heading="Homes", text="Which homes are cold?"),
            Section(id="how-sure-are-we", heading="How sure are we", text="The café on Mill Street was counted twice."),
        ],
        "attributions": ["Contains public data."],
        "sources": [source],
        "datasets": [dataset],
    }
    return ReportRecord(**(record | fields))


def write_report(reports: Path, record: ReportRecord) -> None:
    """Write a report's folder: a page with its headings, its record, and the datasets that are published."""
    folder = reports / record.folder
    folder.mkdir(parents=True)
    headings = "".join(f'<h2 id="{one.id}">{one.heading}</h2>' for one in record.sections)
    (folder / "index.html").write_text(f"<!DOCTYPE html><title>{record.title}</title>{headings}", encoding="utf-8")
    (folder / "report.json").write_text(record.model_dump_json(), encoding="utf-8")
    for one in record.datasets:
        if one.is_published:
            package = make_package(one.id, one.title, council=record.council.slug, study=record.study)
            package["councilbook"] |= {"kinds": list(one.kinds), "synthetic": "synthetic" in one.kinds}
            write_dataset(folder / "data", package, None)
            write_dataset_page(package, folder / "data" / one.id)
