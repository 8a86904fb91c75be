"""What is said about a released dataset: Frictionless data package, DCAT record, data dictionary, version.

Pure functions. A table's fields are declared once, in the catalogue; all of these are written from there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rdflib import DCAT, DCTERMS, FOAF, PROV, RDF, XSD, BNode, Graph, Literal, Namespace, URIRef

from councilbook.catalogue import Dataset, FieldSpec, Licence
from councilbook.gate.files import DATA_KIND, name_kind
from councilbook.pages.html.formulas import FORMULA_NOTE, escape_formula
from councilbook.paths import place_outputs

ADMS = Namespace("http://www.w3.org/ns/adms#")
DCAT_VERSION = URIRef(f"{DCAT}version")  # of DCAT 3, which rdflib does not know yet
GSS = Namespace("http://statistics.data.gov.uk/id/statistical-geography/")
MEDIA_TYPES = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


KIND = "Kind of data: the same in every row, so that it is still said where rows are copied"
SYNTHETIC = "Synthetic: made up from a seed to show how this works, and true of no real place. "


@dataclass(frozen=True)
class Version:
    """The version of a dataset, and those before it.

    Attributes:
        changes: newest first, each {version, date, text}.
    """

    number: str
    changes: tuple[Mapping[str, str], ...]


def build_schema(dataset: Dataset, kind: str) -> dict[str, Any]:
    """Return a Frictionless Table Schema of a dataset's fields, with its key; see `write_tables` for the kind."""
    told = FieldSpec(type="string", description=KIND, required=True, enum=[kind])
    fields = dataset.fields | ({DATA_KIND: told} if kind else {})
    return {
        "fields": [_describe_field(name, field) for name, field in fields.items()],
        "primaryKey": dataset.key,
        "missingValues": [""],
    }


def _describe_field(name: str, field: FieldSpec) -> dict[str, Any]:
    limits = {
        "required": field.required or None,
        "unique": field.unique or None,
        "pattern": field.pattern,
        "minimum": _whole(field.minimum, field),
        "maximum": _whole(field.maximum, field),
        "enum": field.enum and [escape_formula(value) for value in field.enum],  # as the CSV has them
    }
    described: dict[str, Any] = {
        "name": name,
        "title": re.split(r"[:;(]", field.description)[0].strip(),  # what heads the column where people read it
        "type": field.type,
        "description": field.description,
    }
    if field.unit:
        described["unit"] = field.unit
    described["constraints"] = {key: value for key, value in limits.items() if value is not None}
    return described


def _whole(limit: float | None, field: FieldSpec) -> float | int | None:
    return int(limit) if limit is not None and field.type in ("integer", "year") else limit


def build_datapackage(
    dataset: Dataset,
    licence: Licence,
    version: Version,
    resources: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a Frictionless data package (datapackage.json).

    Args:
        dataset: what the catalogue declares.
        licence: the dataset's licence.
        version: its version and change log.
        resources: one for each file, each {path, format, bytes, hash}.
        about: study, council, mode and provenance; kept under "councilbook".
    """
    return {
        "name": dataset.id,
        "title": dataset.title,
        "description": (SYNTHETIC if about["synthetic"] else "") + dataset.description + _tell_assumptions(about),
        "version": version.number,
        "created": f"{version.changes[0]['date']}T00:00:00Z",
        "licenses": [{"name": about["licence_id"], "title": licence.title, "path": licence.url}],
        "sources": [
            {"title": row["title"] + (" (synthetic)" if row["synthetic"] else ""), "path": row["landing_page"]}
            for row in about["provenance"]
        ],
        "attribution": licence.attribution,
        "resources": [_describe_resource(dataset, resource, name_kind(about["kinds"])) for resource in resources],
        "councilbook": {**about, "changes": list(version.changes)},
    }


def _tell_assumptions(about: Mapping[str, Any]) -> str:
    """Say what no source of the run gives, as a sentence that goes on from the description."""
    return f" It rests on assumptions about {'; '.join(about['assumptions'])}." if about["assumptions"] else ""


def _describe_resource(dataset: Dataset, resource: Mapping[str, Any], kind: str) -> dict[str, Any]:
    name = f"{dataset.id}-{resource['format']}"
    described = {"name": name, **resource, "mediatype": MEDIA_TYPES[resource["format"]]}
    if resource["format"] == "csv":
        table = {"type": "table", "encoding": "utf-8-sig", "description": FORMULA_NOTE}
        return described | table | {"schema": build_schema(dataset, kind)}
    return described | {"type": "file"}


def name_place(package: Mapping[str, Any]) -> str:
    """Return where a dataset lies below a folder of outputs."""
    about = package["councilbook"]
    return (place_outputs(about["study"], about["council"]["slug"], about["data"]) / str(package["name"])).as_posix()


def name_urn(package: Mapping[str, Any]) -> str:
    """Return a dataset's name among all others."""
    return f"urn:councilbook:{name_place(package).replace('/', ':')}"


def find_table(package: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the file of a package that has a schema: its table."""
    found: Mapping[str, Any] = next(resource for resource in package["resources"] if "schema" in resource)
    return found


def build_dcat(package: Mapping[str, Any]) -> str:
    """Return a DCAT record of a data package as JSON-LD, with relative addresses of its files."""
    about = package["councilbook"]
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in [("adms", ADMS), ("dcat", DCAT), ("dcterms", DCTERMS), ("foaf", FOAF), ("prov", PROV)]:
        graph.bind(prefix, namespace)
    record = URIRef(name_urn(package))
    steward = BNode("publisher")
    graph.add((record, RDF.type, DCAT.Dataset))
    for predicate, words in [
        (DCTERMS.title, package["title"]),
        (DCTERMS.description, package["description"]),
        (DCAT.keyword, about["study"].replace("_", " ")),
        *((DCAT.keyword, f"{kind} data") for kind in about["kinds"]),
        (ADMS.versionNotes, about["changes"][0]["text"]),
    ]:
        graph.add((record, predicate, Literal(words, lang="en")))
    graph.add((record, DCAT_VERSION, Literal(package["version"])))
    graph.add((record, DCTERMS.modified, Literal(about["changes"][0]["date"], datatype=XSD.date)))
    graph.add((record, DCTERMS.license, URIRef(package["licenses"][0]["path"])))
    if about.get("standard"):
        graph.add((record, DCTERMS.conformsTo, URIRef(about["standard"])))
    graph.add((record, DCTERMS.publisher, steward))
    graph.add((steward, RDF.type, FOAF.Organization))
    graph.add((steward, FOAF.name, Literal(about["council"]["name"], lang="en")))
    for code in about["council"]["codes"]:
        graph.add((record, DCTERMS.spatial, GSS[code]))
    for source in package["sources"]:
        graph.add((record, PROV.wasDerivedFrom, URIRef(source["path"])))
    for resource in package["resources"]:
        distribution = BNode(resource["format"])
        graph.add((record, DCAT.distribution, distribution))
        graph.add((distribution, RDF.type, DCAT.Distribution))
        graph.add((distribution, DCTERMS.title, Literal(resource["path"])))
        graph.add((distribution, DCAT.downloadURL, URIRef(resource["path"])))
        graph.add((distribution, DCAT.mediaType, Literal(resource["mediatype"])))
        graph.add((distribution, DCAT.byteSize, Literal(resource["bytes"], datatype=XSD.nonNegativeInteger)))
    return str(graph.serialize(format="json-ld", auto_compact=True, indent=2, sort_keys=True)) + "\n"


def next_version(
    dataset: Dataset,
    rows: pd.DataFrame,
    synthetic: bool,
    run_date: str,
    previous: tuple[Mapping[str, Any], pd.DataFrame] | None,
) -> Version:
    """Give a dataset its version, by comparing it with the one released before.

    Semantic versioning: major where a field or the key changed or went, or where real took the place of synthetic;
    minor where fields were added; patch where rows changed. Nothing changed, nothing counted.

    Args:
        rows: the new table as text, as it stands in the CSV; a column more where there is geometry.
        previous: the last data package and its table as text, if there is one.
    """
    if previous is None:
        return Version("1.0.0", ({"version": "1.0.0", "date": run_date, "text": "First release."},))
    package, old = previous
    changes = tuple(package["councilbook"]["changes"])
    schema = find_table(package)["schema"]
    level, text = _compare(dataset, rows, synthetic, schema, old, package["councilbook"]["synthetic"])
    if not text:
        return Version(package["version"], changes)
    numbers = [int(number) for number in package["version"].split(".")]
    version = ".".join(map(str, [*numbers[:level], numbers[level] + 1, *[0] * (2 - level)]))
    return Version(version, ({"version": version, "date": run_date, "text": text}, *changes))


def _compare(
    dataset: Dataset,
    rows: pd.DataFrame,
    synthetic: bool,
    schema: Mapping[str, Any],
    old: pd.DataFrame,
    old_synthetic: bool,
) -> tuple[int, str]:
    """Return which number of the version goes up (0 major, 1 minor, 2 patch) and what changed, if anything."""
    if synthetic != old_synthetic:
        return 0, "Now from synthetic data." if synthetic else "Now from real data."
    types = {field["name"]: field["type"] for field in schema["fields"]}
    now = {name: field.type for name, field in dataset.fields.items()}
    gone = [name for name in map(str, old) if name not in rows or now.get(name) != types.get(name)]
    added = [name for name in map(str, rows) if name not in old]
    if gone or list(schema["primaryKey"]) != dataset.key:
        what = f"Changed or gone: {', '.join(gone)}." if gone else ""
        return 0, f"{what} A row is named by {', '.join(dataset.key)}.".strip()
    if added:
        return 1, f"New: {', '.join(added)}."
    new_rows, old_rows = rows.set_index(dataset.key), old.set_index(dataset.key)
    both = new_rows.index.intersection(old_rows.index)
    changed = int((new_rows.loc[both] != old_rows.loc[both][new_rows.columns]).any(axis="columns").sum())
    counts = {"added": len(new_rows) - len(both), "removed": len(old_rows) - len(both), "changed": changed}
    if not any(counts.values()):
        return 2, ""
    return 2, "Rows: " + ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) + "."
