"""The data catalogue: what all reports offer, as pages and as a DCAT record."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from councilbook.pages.html.pieces import embed_json
from councilbook.pages.reports.report_records import DatasetRecord, ReportRecord
from councilbook.pages.site.base import DATASETS_ON_ONE_PAGE, Site, group_studies
from councilbook.paths import write_atomically

CATALOGUE_ID = "urn:councilbook:catalogue"
CATALOGUE_FILE = "catalogue.jsonld"
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
}


@dataclass(frozen=True)
class Group:
    """Datasets of a study that people want for one purpose; those that are not plain are for who checks the work."""

    title: str
    study: str
    is_plain: bool
    datasets: list[tuple[ReportRecord, DatasetRecord]]


def write_data(site: Site) -> None:
    """Write the data catalogue: one page, or a page a place where there are very many datasets."""
    described = describe_catalogue(site, site.reports, CATALOGUE_ID, "Data of all reports")
    with write_atomically(site.folder / CATALOGUE_FILE) as temporary:
        temporary.write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    places: dict[str, list[ReportRecord]] = defaultdict(list)
    if site.dataset_count > DATASETS_ON_ONE_PAGE:
        for report in sorted(site.reports, key=lambda one: one.council.name.casefold()):
            places[site.name_place(report)].append(report)
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
    for title, members in group_studies(reports).items():
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
