"""What is said about a dataset: all of it comes from the catalogue, and machines and people can read it."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from councilbook.catalogue import Dataset, FieldSpec, Licence
from councilbook.gate.metadata import (
    Version,
    build_datapackage,
    build_dcat,
    build_schema,
    next_version,
)

DATASET = Dataset(
    id="cold_homes",
    title="Cold homes",
    description="Homes that are cold, by area.",
    classification="open",
    licence="OGL-UK-3.0",
    key=["code", "year"],
    fields={
        "code": FieldSpec(description="Small area", pattern=r"^(E01|W01)\d{6}$"),
        "year": FieldSpec(type="year", description="Year", minimum=2011),
        "homes": FieldSpec(type="integer", unit="homes", description="Homes", minimum=0, maximum=1_000_000),
        "cold_pct": FieldSpec(
            type="number", unit="percent", description="Cold | all", minimum=0, maximum=99.5, required=False
        ),
        "kind": FieldSpec(description="Kind", enum=["flat", "house"], required=False, unique=True),
    },
)
LICENCE = Licence(title="Open Government Licence", url="https://example.org/ogl", attribution="Contains public data.")
FIRST = Version(
    "1.1.0",
    (
        {"version": "1.1.0", "date": "2026-11-23", "text": "New: kind."},
        {"version": "1.0.0", "date": "2025-11-23", "text": "First release."},
    ),
)
FILES = [{"path": f"cold_homes.{kind}", "format": kind, "bytes": 7, "hash": "sha256:0"} for kind in ("csv", "parquet")]
ABOUT = {
    "study": "fuel_poverty",
    "data": "sample",
    "council": {"slug": "north", "name": "North", "codes": {"E06000901": "North", "E06000902": "More of it"}},
    "synthetic": True,
    "kinds": ["synthetic"],
    "assumptions": [],
    "licence_id": "OGL-UK-3.0",
    "rows": 1234,
    "provenance": [
        {"title": "Homes", "synthetic": True, "landing_page": "https://example.org/homes"},
        {"title": "Prices", "synthetic": False, "landing_page": "https://example.org/prices"},
    ],
}


@pytest.fixture
def package() -> dict[str, Any]:
    return build_datapackage(DATASET, LICENCE, FIRST, FILES, ABOUT)


def test_a_schema_gives_each_limit_in_the_type_of_its_field_and_no_other() -> None:
    schema = build_schema(DATASET, "")
    assert (schema["primaryKey"], schema["missingValues"]) == (["code", "year"], [""])
    limits = {field["name"]: field["constraints"] for field in schema["fields"]}
    assert limits == {
        "code": {"required": True, "pattern": r"^(E01|W01)\d{6}$"},
        "year": {"required": True, "minimum": 2011},
        "homes": {"required": True, "minimum": 0, "maximum": 1_000_000},
        "cold_pct": {"minimum": 0.0, "maximum": 99.5},
        "kind": {"unique": True, "enum": ["flat", "house"]},
    }
    assert isinstance(limits["homes"]["maximum"], int)
    assert {field["name"]: field.get("unit") for field in schema["fields"]}["homes"] == "homes"


def test_the_column_that_names_the_kind_is_described_with_the_one_value_that_it_has() -> None:
    told = build_schema(DATASET, "synthetic and assumed")["fields"][-1]
    assert (told["name"], told["title"]) == ("data_kind", "Kind of data")
    assert told["constraints"] == {"required": True, "enum": ["synthetic and assumed"]}


def test_only_the_table_has_a_schema(package: dict[str, Any]) -> None:
    assert [("schema" in file, file["type"]) for file in package["resources"]] == [(True, "table"), (False, "file")]


def test_a_twin_is_named_as_such_among_the_sources(package: dict[str, Any]) -> None:
    assert [source["title"] for source in package["sources"]] == ["Homes (synthetic)", "Prices"]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own parser uses it
def test_the_dcat_record_names_title_licence_date_council_sources_and_every_file(package: dict[str, Any]) -> None:
    graph = rdflib.Graph().parse(data=build_dcat(package), format="json-ld", publicID="https://example.org/data/")
    dcat, terms = rdflib.DCAT, rdflib.DCTERMS
    record = graph.value(predicate=rdflib.RDF.type, object=dcat.Dataset)
    assert str(record) == "urn:councilbook:fuel_poverty:north:sample:cold_homes"
    assert str(graph.value(record, terms.title)) == "Cold homes"
    assert graph.value(record, terms.license) == rdflib.URIRef("https://example.org/ogl")
    assert graph.value(record, terms.modified) == rdflib.Literal(date(2026, 11, 23))
    assert str(graph.value(record, rdflib.URIRef("http://www.w3.org/ns/dcat#version"))) == "1.1.0"
    assert str(graph.value(graph.value(record, terms.publisher), rdflib.FOAF.name)) == "North"
    assert {str(place)[-9:] for place in graph.objects(record, terms.spatial)} == {"E06000901", "E06000902"}
    assert graph.value(record, terms.conformsTo) is None
    derived = {str(source) for source in graph.objects(record, rdflib.PROV.wasDerivedFrom)}
    assert derived == {"https://example.org/homes", "https://example.org/prices"}
    files = {
        str(graph.value(part, dcat.downloadURL)): (
            str(graph.value(part, dcat.mediaType)),
            graph.value(part, dcat.byteSize).toPython(),
        )
        for part in graph.objects(record, dcat.distribution)
    }
    assert files == {
        "https://example.org/data/cold_homes.csv": ("text/csv", 7),
        "https://example.org/data/cold_homes.parquet": ("application/vnd.apache.parquet", 7),
    }


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
def test_the_dcat_record_says_which_standard_a_table_is_laid_out_by(package: dict[str, Any]) -> None:
    laid_out = package | {"councilbook": package["councilbook"] | {"standard": "https://example.org/format"}}
    graph = rdflib.Graph().parse(data=build_dcat(laid_out), format="json-ld", publicID="https://example.org/data/")
    assert list(graph.objects(None, rdflib.DCTERMS.conformsTo)) == [rdflib.URIRef("https://example.org/format")]


def test_the_dcat_record_has_the_same_bytes_each_time(package: dict[str, Any]) -> None:
    assert build_dcat(package) == build_dcat(package)


COLUMNS = list(DATASET.fields)
TABLES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "2", ""]), max_size=4)


@given(TABLES, TABLES)
def test_the_version_goes_up_by_a_patch_exactly_if_rows_differ(old: dict[str, str], new: dict[str, str]) -> None:
    def make_table(homes: dict[str, str]) -> pd.DataFrame:
        return pd.DataFrame(
            [(code, "2021", count, "", "") for code, count in homes.items()], columns=COLUMNS, dtype="str"
        )

    package = build_datapackage(DATASET, LICENCE, FIRST, FILES, ABOUT)
    version = next_version(DATASET, make_table(new), True, "2026-12-01", (package, make_table(old)))
    counts = {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": sum(old[code] != new[code] for code in old.keys() & new.keys()),
    }
    if any(counts.values()):
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        assert version.number == "1.1.1"
        assert version.changes == (
            {"version": "1.1.1", "date": "2026-12-01", "text": f"Rows: {told}."},
            *FIRST.changes,
        )
    else:
        assert version == FIRST
