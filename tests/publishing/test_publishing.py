"""What is published on: nothing that waits, is closed or is synthetic without its label; in forms that others read."""

import json
import re
import sys
import zipfile
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from rdflib import DCAT, DCTERMS, FOAF, RDF, Graph, URIRef
from typer.testing import CliRunner

from councilbook.catalogue import Catalogue, Council, FoundFile
from councilbook.cli import app
from councilbook.errors import ParameterError, PublishError
from councilbook.gate.approvals import approve_release
from councilbook.gate.writing import Origin, release_dataset
from councilbook.gate.written.packages import choose_root, read_package
from councilbook.publishing.choosing import require_packages
from councilbook.publishing.ckan import LONGEST_NAME, name_on_portal
from councilbook.publishing.describing import ATOM, build_catalogue, build_csvw, check_catalogue, write_graph
from councilbook.publishing.folder import Prepared, Wish, prepare_folder
from councilbook.publishing.sheets import copy_as_ods
from councilbook.publishing.tables import write_accessible_table
from small_site import make_package

COUNCIL = Council(slug="north", name="North", codes={"E06000901": "North"})
CLIENTS = pd.DataFrame({"lsoa_code": ["E1", "E2", "E3"], "clients": [2, 41, 0], "homes": [100, 321, 77]})
HOMES = CLIENTS[["lsoa_code", "homes"]]
PLACE = "small/north/real"
ids = st.from_regex(r"[a-z][a-z0-9_]{0,80}", fullmatch=True)
ROLE = "Information governance lead"


def release(
    catalogue: Catalogue, name: str, frame: pd.DataFrame, *, origin: str = "official", day: str = "2026-11-23"
) -> Path:
    """Let the gate release a table, made of a real closed file if it is of clients."""
    file = catalogue.workbook.root / "a_file.csv"
    file.write_text("content", encoding="utf-8")
    dataset = catalogue.dataset(name)
    source = "clients" if name.startswith("client") else "homes_2021"
    used = [FoundFile(catalogue.source(source), file, origin)]  # type: ignore[arg-type]
    made = Origin("small", "2_closed", COUNCIL, "real", day, used)
    return release_dataset(dataset, frame, made, catalogue, choose_root(catalogue.workbook, dataset))


def release_clients(catalogue: Catalogue, frame: pd.DataFrame = CLIENTS) -> Path:
    return release(catalogue, "client_counts", frame, origin="closed folder")


def approve(catalogue: Catalogue, version: str = "1.0.0") -> None:
    approve_release(catalogue, f"{PLACE}/client_counts@{version}", role=ROLE, person="A. Name", day="2026-11-24")


def publish(catalogue: Catalogue, **wish: Any) -> Prepared:
    return prepare_folder(catalogue, catalogue.workbook.root / "publish", Wish(**wish))


def list_published(catalogue: Catalogue) -> set[str]:
    target = catalogue.workbook.root / "publish"
    return {file.parent.relative_to(target).as_posix() for file in target.rglob("datapackage.json")}


def test_what_waits_is_not_open_or_is_synthetic_stays_inside_and_the_reason_is_said(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    release(catalogue, "home_counts", HOMES, origin="twin")
    release(catalogue, "client_flags", pd.DataFrame({"client": [7], "age": [81]}), origin="closed folder")
    done = publish(catalogue)
    assert dict(done.refused) == {
        f"it waits for the {ROLE}": [f"{PLACE}/client_counts@1.0.0"],
        "it is synthetic; with --include-synthetic it goes, labelled so": [f"{PLACE}/home_counts@1.0.0"],
        "it is not open": [f"{PLACE}/client_flags@1.0.0"],
    }
    assert list_published(catalogue) == set() == set(done.packages)
    texts = [file.read_text() for file in (catalogue.workbook.root / "publish").rglob("*.*")]
    assert len(texts) == 2 and not any("count" in text or "client" in text for text in texts)


def test_what_is_approved_goes_and_a_newer_version_that_waits_does_not_take_its_place(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    approve(catalogue)
    assert len(publish(catalogue).packages) == 1
    release_clients(catalogue, CLIENTS.assign(homes=[100, 400, 77]))
    done = publish(catalogue)
    assert list(done.refused) == [f"it waits for the {ROLE}"]
    assert list_published(catalogue) == {f"{PLACE}/client_counts/latest", f"{PLACE}/client_counts/1.0.0"}
    approve(catalogue, "1.0.1")
    publish(catalogue)
    latest = catalogue.workbook.root / "publish" / PLACE / "client_counts" / "latest"
    assert read_package(latest)["version"] == "1.0.1"
    assert ",400," in (latest / "client_counts.csv").read_text()
    assert ",400," not in (latest.with_name("1.0.0") / "client_counts.csv").read_text()


def test_an_approval_is_of_these_files_under_this_rule(catalogue: Catalogue) -> None:
    folder = release_clients(catalogue)
    approve(catalogue)
    rule = catalogue.dataset("client_counts").disclosure
    object.__setattr__(rule, "threshold", 3)
    assert [*publish(catalogue).refused] == ["its rule is not the one under which it was approved; run its study again"]
    object.__setattr__(rule, "threshold", None)
    (folder / "client_counts.csv").write_text("lsoa_code,clients\nE1,2\n")
    assert [*publish(catalogue).refused] == ["client_counts.csv is not as the gate wrote it; run its study again"]
    assert list_published(catalogue) == set()


@pytest.mark.parametrize("file", ["audit.json", "datapackage.json"])
def test_package_and_audit_both_have_to_say_that_it_is_approved(catalogue: Catalogue, file: str) -> None:
    folder = release_clients(catalogue)
    approve(catalogue)
    told = json.loads((folder / file).read_text())
    (told if file == "audit.json" else told["councilbook"])["approval"] = {"state": "not needed"}
    (folder / file).write_text(json.dumps(told))
    assert [*publish(catalogue).refused] == ["its approval is not recorded; run its study again"]


def test_a_synthetic_dataset_goes_when_asked_for_labelled_and_is_taken_away_when_not(catalogue: Catalogue) -> None:
    release(catalogue, "home_counts", HOMES, origin="twin")
    done = publish(catalogue, include_synthetic=True)
    ((folder, package),) = done.packages.items()
    assert package["title"] == "Homes (synthetic)"
    assert package["description"].startswith("Synthetic: made up")
    for name in ("datapackage.json", "dcat.jsonld", "schema.jsonld", "home_counts-synthetic.csv-metadata.json"):
        assert "Homes (synthetic)" in (folder / name).read_text()
    assert "Homes (synthetic)" in (folder.parents[4] / "catalogue.jsonld").read_text()
    assert name_on_portal(package) == "north-home_counts-synthetic"
    assert publish(catalogue, councils=["south"]).removed == []
    assert publish(catalogue).removed == [f"{PLACE}/home_counts"]
    assert list_published(catalogue) == set()


def test_what_is_not_open_any_more_is_taken_away_and_what_is_merely_gone_stays(catalogue: Catalogue) -> None:
    folder = release(catalogue, "home_counts", HOMES)
    publish(catalogue)
    folder.rename(folder.with_name(".gone"))
    assert publish(catalogue).removed == []
    assert len(list_published(catalogue)) == 2
    catalogue.datasets["home_counts"] = catalogue.dataset("home_counts").model_copy(update={"classification": "shared"})
    assert publish(catalogue).removed == [f"{PLACE}/home_counts"]
    assert list_published(catalogue) == set()


def test_a_published_version_never_changes_its_rows(catalogue: Catalogue) -> None:
    folder = release(catalogue, "home_counts", HOMES)
    publish(catalogue)
    folder.rename(folder.with_name(".lost"))
    release(catalogue, "home_counts", HOMES.assign(homes=[1, 2, 3]))
    with pytest.raises(PublishError, match=r"home_counts: version 1\.0\.0 was published before with other rows"):
        publish(catalogue)


def test_the_same_releases_make_the_same_bytes(catalogue: Catalogue) -> None:
    release(catalogue, "home_counts", HOMES)
    release_clients(catalogue)
    approve(catalogue)
    made = []
    for _ in range(2):
        publish(catalogue)
        files = sorted((catalogue.workbook.root / "publish").rglob("*.*"))
        made.append({file: file.read_bytes() for file in files if file.is_file()})
    assert made[0] == made[1]


def test_the_folder_holds_what_portals_take(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    approve(catalogue)
    ((folder, package),) = publish(catalogue).packages.items()
    assert {file.name for file in folder.iterdir()} == {
        *("client_counts.csv", "client_counts.xlsx", "client_counts.parquet", "client_counts.zip", "datapackage.json"),
        *("client_counts.csv-metadata.json", "client_counts-table.xlsx", "client_counts-table.ods"),
        *("dcat.jsonld", "schema.jsonld"),
    }
    with zipfile.ZipFile(folder / "client_counts.zip") as zipped:
        assert "datapackage.json" in zipped.namelist()
    assert "A. Name" not in "".join(file.read_text("latin-1") for file in folder.iterdir())
    described = json.loads((folder / "client_counts.csv-metadata.json").read_text())
    columns = described["tableSchema"]["columns"]
    header = (folder / described["url"]).read_text("utf-8-sig").splitlines()[0].split(",")
    assert [column["titles"][0] for column in columns] == header == [column["name"] for column in columns]
    assert [column["datatype"]["base"] for column in columns] == ["string", "integer", "integer", "number", "boolean"]
    offered = json.loads((folder / "schema.jsonld").read_text())
    assert (offered["@type"], offered["license"]) == ("Dataset", package["licenses"][0]["path"])
    for download in offered["distribution"]:
        assert (folder / download["contentUrl"]).stat().st_size == int(download["contentSize"].split()[0])


def test_the_catalogue_is_dcat_ap_and_points_at_files_that_are_there(catalogue: Catalogue) -> None:
    release(catalogue, "home_counts", HOMES)
    release_clients(catalogue)
    approve(catalogue)
    publish(catalogue)
    target = catalogue.workbook.root / "publish"
    graph = Graph().parse(target / "catalogue.jsonld", publicID=target.as_uri() + "/")
    files = {str(one) for one in graph.objects(None, DCAT.downloadURL)}
    assert len(files) == 6 and all((target / file.removeprefix(target.as_uri() + "/")).is_file() for file in files)
    named = {str(one) for one in graph.objects(None, DCAT.dataset)}
    assert named == {f"urn:councilbook:small:north:real:{one}" for one in ("home_counts", "client_counts")}
    publish(catalogue, address="https://data.example.org/open/", publisher="A county")
    graph = Graph().parse(target / "catalogue.jsonld")
    assert URIRef(f"https://data.example.org/open/{PLACE}/home_counts/latest/home_counts.csv") in set(graph.objects())
    assert {str(name) for name in graph.objects(None, FOAF.name)} == {"A county", "North"}
    for wrong in (
        "data.example.org/open/",
        "ftp://data.example.org/",
        "https:///open/",
        "https://data.example.org/?a=/",
    ):
        with pytest.raises(ParameterError, match="is no folder on the web"):
            publish(catalogue, address=wrong)


@pytest.mark.parametrize(
    ("of", "missing"),
    [
        (DCAT.Catalog, DCTERMS.title),
        (DCAT.Catalog, DCTERMS.publisher),
        (DCAT.Dataset, DCTERMS.description),
        (DCAT.Distribution, DCAT.accessURL),
        (FOAF.Agent, FOAF.name),
    ],
)
def test_a_catalogue_without_what_dcat_ap_asks_for_is_refused(of: URIRef, missing: URIRef) -> None:
    graph = build_catalogue([_package("homes")], "A county", "")
    check_catalogue(graph)
    for subject in graph.subjects(RDF.type, of):
        graph.remove((subject, missing, None))
    with pytest.raises(PublishError, match=rf"[:#/]{missing.fragment or missing.rpartition('/')[2]}\b"):
        check_catalogue(graph)


def _package(name: str, **about: Any) -> dict[str, Any]:
    package = make_package(name, name.capitalize(), **about)
    package["resources"][0]["hash"] = "sha256:abc"
    return package


def test_datasets_keep_their_distributions_apart() -> None:
    packages = [_package("homes"), _package("jobs"), _package("homes", council="south")]
    graph = build_catalogue(packages, "A county", "")
    offers = list(graph.subject_objects(DCAT.distribution))
    assert len(offers) == len({file for _, file in offers}) == 3
    assert write_graph(graph) == write_graph(build_catalogue(packages, "A county", ""))
    assert "address.invalid" not in write_graph(graph)


def test_the_feed_tells_each_change_and_where_its_version_lies(catalogue: Catalogue) -> None:
    release(catalogue, "home_counts", HOMES, day="2026-11-01")
    release(catalogue, "home_counts", HOMES.assign(homes=[100, 322, 77]), day="2026-11-23")
    publish(catalogue)
    target = catalogue.workbook.root / "publish"
    feed = ElementTree.parse(target / "feed.atom").getroot()
    entries = feed.findall(f"{{{ATOM}}}entry")
    told = [tuple(one.findtext(f"{{{ATOM}}}{name}") for name in ("updated", "summary")) for one in entries]
    assert told == [("2026-11-23T00:00:00Z", "Rows: 1 changed."), ("2026-11-01T00:00:00Z", "First release.")]
    assert feed.findtext(f"{{{ATOM}}}updated") == "2026-11-23T00:00:00Z"
    links = [one.find(f"{{{ATOM}}}link").attrib["href"] for one in entries]  # type: ignore[union-attr]
    assert links == [f"{PLACE}/home_counts/{version}/datapackage.json" for version in ("1.0.1", "latest")]
    assert all((target / link).is_file() for link in links)
    assert len({one.findtext(f"{{{ATOM}}}id") for one in entries}) == 2


def test_the_accessible_table_leaves_no_cell_blank_and_tells_why(catalogue: Catalogue) -> None:
    release_clients(catalogue)
    approve(catalogue)
    ((folder, _),) = publish(catalogue).packages.items()
    (sheet,) = openpyxl.load_workbook(folder / "client_counts-table.xlsx").worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0] == "Clients"
    (marked,) = sheet.tables.values()
    head = int(re.search(r"\d+", marked.ref)[0])  # type: ignore[index]
    assert rows[head - 1] == ("Small area", "Clients", "Homes", "Share of clients", "Whether the counts are withheld")
    cells = rows[head:]
    assert len(cells) == len(CLIENTS) and not any(cell is None for row in cells for cell in row)
    assert any(row[0] == "[c]: not shown, so that nobody can be recognised" for row in rows)
    assert "[c]" in {cell for row in cells for cell in row}
    same = pd.read_excel(folder / "client_counts-table.ods", engine="odf", header=None, dtype=object)
    assert [tuple(row) for row in same.fillna("").to_numpy()] == [
        tuple("" if cell is None else cell for cell in row) for row in rows
    ]


def test_a_screen_reader_hears_the_head_with_each_cell_of_the_ods(catalogue: Catalogue, tmp_path: Path) -> None:
    release(catalogue, "home_counts", HOMES)
    ((folder, _),) = publish(catalogue).packages.items()
    book = folder / "home_counts-table.ods"
    with zipfile.ZipFile(book) as files:
        assert files.infolist()[0].compress_type == zipfile.ZIP_STORED  # the mimetype, as ODF asks
        content = BeautifulSoup(files.read("content.xml"), "xml")
    assert [cell.text for cell in content.find("table:table-header-rows").find_all("table:table-cell")] == [
        *("Small area", "Homes")
    ]
    copy_as_ods(book.with_suffix(".xlsx"), tmp_path / "again.ods")
    assert (tmp_path / "again.ods").read_bytes() == book.read_bytes()


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8), min_size=1, max_size=4),
    title=st.sampled_from(["Home", "=1+1", "home", "$$a$$"]),
)
def test_any_text_is_written_as_it_is_and_no_formula_runs(
    texts: list[str], title: str, catalogue_of_texts: tuple[Path, Any]
) -> None:
    folder, dataset = catalogue_of_texts
    package = _package("homes")
    fields = [{**package["resources"][0]["schema"]["fields"][0], "name": name, "type": "string"} for name in ("a", "b")]
    fields[1]["title"] = title.replace("$", "")
    package["resources"][0]["schema"] = {"fields": fields, "primaryKey": ["a"]}
    frame = pd.DataFrame({"a": [f"n{number}" for number in range(len(texts))], "b": texts})
    frame.to_csv(folder / "homes.csv", index=False)
    assert write_accessible_table(folder, package, dataset, folder / "t.xlsx")
    (sheet,) = openpyxl.load_workbook(folder / "t.xlsx").worksheets
    assert "table:formula" not in zipfile.ZipFile(folder / "t.ods").read("content.xml").decode()
    cells = [row[1] for row in sheet.iter_rows() if str(row[0].value).startswith("n")]
    assert [cell.data_type for cell in cells] == ["s"] * len(texts)
    for cell, text in zip(cells, pd.read_csv(folder / "homes.csv", dtype=str, keep_default_na=False)["b"], strict=True):
        assert str(cell.value).endswith(text.rstrip() if text.strip() else "[x]") or text in str(cell.value)


@pytest.fixture(scope="module")
def catalogue_of_texts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    from councilbook.catalogue import Dataset

    said = {"id": "homes", "title": "Homes", "description": "Homes", "classification": "open", "licence": "OGL-UK-3.0"}
    dataset = Dataset.model_validate({**said, "key": ["a"], "fields": {"a": {"description": "A"}}})
    return tmp_path_factory.mktemp("texts"), dataset


def test_a_table_that_is_too_long_to_read_is_left_to_the_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    monkeypatch.setattr("councilbook.publishing.tables.MOST_CELLS", 5)
    release(catalogue, "home_counts", HOMES)
    ((folder, _),) = publish(catalogue).packages.items()
    assert not (folder / "home_counts-table.xlsx").exists()


def test_a_list_of_values_becomes_a_pattern_in_csvw() -> None:
    package = deepcopy(_package("homes"))  # other tests read the same one
    limits = {"enum": ["A+", "B"], "required": True}
    field = {"name": "Band of EPC", "type": "string", "description": "Band", "constraints": limits}
    package["resources"][0]["schema"]["fields"] = [field]
    (column,) = build_csvw(package)["tableSchema"]["columns"]
    assert re.fullmatch(column["datatype"]["format"], "A+") and not re.fullmatch(column["datatype"]["format"], "AA")
    assert (column["name"], column["titles"], column["required"]) == ("Band_of_EPC", ["Band of EPC"], True)


@given(council=ids, dataset=ids)
def test_a_name_on_a_portal_is_one_that_ckan_takes_and_tells_kinds_apart(council: str, dataset: str) -> None:
    real = name_on_portal(_package(dataset, council=council))
    made_up = name_on_portal(_package(dataset, council=council, synthetic=True))
    sample = name_on_portal(_package(dataset, council=council, data="sample"))
    swapped = name_on_portal(_package(f"{council}_x", council=dataset))
    assert len({real, made_up, sample, swapped}) == 4
    assert all(re.fullmatch(rf"[a-z0-9_-]{{2,{LONGEST_NAME}}}", one) for one in (real, made_up, sample))


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gptables", None)
    with pytest.raises(PublishError, match=re.escape("pip install 'councilbook[publish]'")):
        require_packages("gptables", "pyshacl")


def test_the_command_says_what_it_published_and_what_not_and_why(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(catalogue.workbook.root)
    assert "Nothing was released yet: run a study first." in CliRunner().invoke(app, ["publish"]).output
    release(catalogue, "home_counts", HOMES)
    release_clients(catalogue)
    result = CliRunner().invoke(app, ["publish", "small", "--address", "https://data.example.org"])
    assert result.exit_code == 0, result.output
    assert f"Not published, as it waits for the {ROLE} (1): {PLACE}/client_counts@1.0.0" in result.output
    assert f"1 dataset prepared in {catalogue.workbook.root / 'publish'}" in result.output
    assert "https://data.example.org/small/" in (catalogue.workbook.root / "publish" / "feed.atom").read_text()
