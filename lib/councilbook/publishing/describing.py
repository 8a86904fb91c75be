"""What is said of published datasets, each in a standard that others read: CSVW, schema.org, DCAT-AP 3 and Atom.

All of it is written from the data packages of the gate. Pure functions but for the check of the catalogue.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, XSD, BNode, Graph, Literal, URIRef

from councilbook.errors import PublishError
from councilbook.gate.metadata import build_dcat, find_table, name_place, name_urn

ATOM = "http://www.w3.org/2005/Atom"
CATALOGUE_ID = URIRef("urn:councilbook:published")
DATATYPES = {"year": "gYear"}  # of XML Schema, where Table Schema has another name
KINDS = {  # the kind of each value, which DCAT-AP's own shapes ask for
    DCAT.accessURL: RDFS.Resource,
    DCAT.mediaType: DCTERMS.MediaType,
    DCTERMS.license: DCTERMS.LicenseDocument,
    DCTERMS.spatial: DCTERMS.Location,
}
LATEST = "latest"
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
NEWS = 500  # entries of the feed
NO_ADDRESS = "https://address.invalid/"  # stands for the folder while a graph is built; RDF has no relative addresses
SHAPES = Path(__file__).with_name("dcat_ap.ttl")


# --- CSVW ---


def build_csvw(package: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a dataset's CSV on the web (W3C, Metadata Vocabulary for Tabular Data, 2015)."""
    table = find_table(package)
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": table["path"],
        "dc:title": package["title"],
        "dc:description": package["description"],
        "dc:license": {"@id": package["licenses"][0]["path"]},
        "dc:modified": {"@value": package["councilbook"]["changes"][0]["date"], "@type": "xsd:date"},
        "dialect": {"encoding": "utf-8", "header": True},
        "tableSchema": {
            "columns": [_describe_column(field) for field in table["schema"]["fields"]],
            "primaryKey": table["schema"]["primaryKey"],
        },
    }


def _describe_column(field: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a column; its own name comes first among its titles, as that stands above it in the CSV.

    Of what Table Schema knows, CSVW has no list of values: it becomes a pattern.
    """
    limits = field["constraints"]
    kind: dict[str, Any] = {"base": DATATYPES.get(field["type"], field["type"])}
    kind |= {name: limits[name] for name in ("minimum", "maximum") if name in limits}
    pattern = limits.get("pattern") or "|".join(map(re.escape, limits.get("enum", [])))
    if pattern and kind["base"] == "string":
        kind["format"] = pattern
    elif kind["base"] == "boolean":
        kind["format"] = "true|false"
    title = field.get("title") or field["name"]
    described = {
        "name": re.sub(r"\W", "_", field["name"]).lstrip("_"),  # a name of CSVW has neither spaces nor a leading _
        "titles": list(dict.fromkeys([field["name"], title])),
        "datatype": kind,
        "required": bool(limits.get("required")),
        "dc:description": field["description"],
    }
    return described | ({"schema:unitText": field["unit"]} if field.get("unit") else {})


# --- schema.org ---


def build_schema_org(package: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Return a dataset as search engines read it; addresses are relative where none is given."""
    about, licence = package["councilbook"], package["licenses"][0]
    folder = f"{address}{name_place(package)}/{LATEST}/" if address else ""
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": name_urn(package),
        "name": package["title"],
        "description": package["description"],
        "version": package["version"],
        "dateModified": about["changes"][0]["date"],
        "license": licence["path"],
        "isAccessibleForFree": True,
        "creditText": package["attribution"],
        "creator": {"@type": "Organization", "name": about["council"]["name"]},
        "keywords": [about["study"].replace("_", " "), *(f"{kind} data" for kind in about["kinds"])],
        "spatialCoverage": [{"@type": "Place", "identifier": code} for code in about["council"]["codes"]],
        "isBasedOn": list(dict.fromkeys(source["path"] for source in package["sources"])),
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": folder + file["path"],
                "encodingFormat": file["mediatype"],
                "contentSize": f"{file['bytes']} B",
                "sha256": file["hash"].removeprefix("sha256:"),
            }
            for file in package["resources"]
        ],
    }


# --- DCAT-AP 3 ---


def build_catalogue(packages: Sequence[Mapping[str, Any]], publisher: str, address: str) -> Graph:
    """Return a DCAT-AP 3 catalogue of datasets, made of the DCAT records that the gate writes.

    Adds what DCAT-AP asks for beyond DCAT: agents, an address of access and a licence for each distribution, media
    types by address. Nodes without names get one, so that a harvester that comes again finds the same.
    """
    base = address or NO_ADDRESS
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in [("dcat", DCAT), ("dcterms", DCTERMS), ("foaf", FOAF), ("xsd", XSD)]:
        graph.bind(prefix, namespace)
    owner = URIRef(f"{CATALOGUE_ID}:publisher")
    graph.add((CATALOGUE_ID, RDF.type, DCAT.Catalog))
    graph.add((CATALOGUE_ID, DCTERMS.title, Literal(f"Open data of {publisher}", lang="en")))
    words = "Datasets that the studies of the council workbook released, each with its versions and a log of changes."
    graph.add((CATALOGUE_ID, DCTERMS.description, Literal(words, lang="en")))
    graph.add((CATALOGUE_ID, DCTERMS.publisher, owner))
    graph.add((owner, RDF.type, FOAF.Agent))
    graph.add((owner, FOAF.name, Literal(publisher, lang="en")))
    if packages:
        newest = max(one["councilbook"]["changes"][0]["date"] for one in packages)
        graph.add((CATALOGUE_ID, DCTERMS.modified, Literal(newest, datatype=XSD.date)))
    for package in packages:
        graph += _describe_dataset(package, base)
        graph.add((CATALOGUE_ID, DCAT.dataset, URIRef(name_urn(package))))
    return graph


def _describe_dataset(package: Mapping[str, Any], base: str) -> Graph:
    folder = f"{base}{name_place(package)}/{LATEST}/"
    record = Graph().parse(data=build_dcat(package), format="json-ld", publicID=folder)
    urn, graph = name_urn(package), Graph()
    for subject, predicate, value in record:
        named = [URIRef(f"{urn}:{node}") if isinstance(node, BNode) else node for node in (subject, value)]
        if predicate == DCAT.mediaType:
            named[1] = URIRef(f"{MEDIA_TYPES}{value}")
        graph.add((named[0], predicate, named[1]))
    for agent in list(graph.subjects(RDF.type, FOAF.Organization)):
        graph.add((agent, RDF.type, FOAF.Agent))
    for distribution, file in list(graph.subject_objects(DCAT.downloadURL)):
        graph.add((distribution, DCAT.accessURL, file))
        graph.add((distribution, DCTERMS.license, URIRef(package["licenses"][0]["path"])))
    for predicate, kind in KINDS.items():
        for value in list(graph.objects(None, predicate)):
            graph.add((value, RDF.type, kind))
    return graph


def check_catalogue(graph: Graph) -> None:
    """Check a catalogue against our shapes of what DCAT-AP 3 makes mandatory; see dcat_ap.ttl.

    Raises:
        PublishError: something is missing; it says what, of what.
    """
    from pyshacl import validate

    fits, _, told = validate(graph, shacl_graph=Graph().parse(data=SHAPES.read_text(encoding="utf-8")))
    if not fits:
        raise PublishError(f"The catalogue is not as DCAT-AP 3 asks. {told}")


def write_graph(graph: Graph) -> str:
    """Return a graph as JSON-LD, in one order; addresses in the folder stay relative to it where none was given."""
    described = json.loads(graph.serialize(format="json-ld", auto_compact=True))
    text = json.dumps(_sort(described), ensure_ascii=False, indent=1)
    return text.replace(f'"{NO_ADDRESS}', '"') + "\n"


def _sort(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sort(value[key]) for key in sorted(value)}
    return sorted(map(_sort, value), key=json.dumps) if isinstance(value, list) else value


# --- Atom ---


def build_feed(packages: Collection[Mapping[str, Any]], kept: Mapping[str, Collection[str]], address: str) -> str:
    """Return a feed of changes (RFC 4287), newest first: an entry for each version in the datasets' change logs.

    `kept` has, by a dataset's place, the versions that lie there; an entry of another points at the latest.
    """
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed")
    changes = [(change, package) for package in packages for change in package["councilbook"]["changes"]]
    changes.sort(key=lambda one: (one[0]["date"], name_place(one[1])), reverse=True)
    _add(feed, "id", f"{CATALOGUE_ID}:changes")
    _add(feed, "title", "Changes of open data")
    _add(feed, "updated", f"{changes[0][0]['date'] if changes else '1970-01-01'}T00:00:00Z")
    _add(feed, "link", rel="self", href=f"{address}feed.atom")
    for change, package in changes[:NEWS]:
        place, about = name_place(package), package["councilbook"]
        version = change["version"] if change["version"] in kept.get(place, ()) else LATEST
        entry = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
        _add(entry, "id", f"{name_urn(package)}:{change['version']}")
        _add(entry, "title", f"{package['title']}, {about['council']['name']}: version {change['version']}")
        _add(entry, "updated", f"{change['date']}T00:00:00Z")
        _add(entry, "summary", change["text"])
        _add(entry, "category", term=about["study"])
        _add(entry, "link", rel="alternate", href=f"{address}{place}/{version}/datapackage.json")
        _add(ElementTree.SubElement(entry, f"{{{ATOM}}}author"), "name", about["council"]["name"])
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes).text = text or None
