"""The gate and what it writes: what gets out, what does not, and what lies beside it."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import frictionless
import geopandas as gpd
import pandas as pd
import pytest
from frictionless.console import console
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from shapely.geometry import box
from typer.testing import CliRunner

from councilbook.catalogue import Catalogue, Council, Dataset, FieldSpec, FoundFile, Licence, Mode, RegisterRule
from councilbook.errors import CheckError, CouncilbookError, ReleaseRefusedError
from councilbook.gate.files import find_file
from councilbook.gate.writing import Origin, pass_gate, release_dataset
from councilbook.gate.written.packages import read_package, read_published
from councilbook.gate.written.versions import read_last
from councilbook.paths import Workbook

COUNCIL = Council(slug="north", name="North", codes={"E06000901": "North", "E06000902": "More of it"})

EVERY_TYPE = Dataset(
    id="every_type",
    title="Every type",
    description="One column of each type, and one that may be missing.",
    classification="open",
    licence="OGL-UK-3.0",
    key=["code", "year"],
    fields={
        "code": FieldSpec(description="Small area", pattern=r"^E\d+$"),
        "year": FieldSpec(type="year", description="Year", minimum=2000),
        "homes": FieldSpec(type="integer", unit="homes", description="Homes", minimum=0),
        "visits": FieldSpec(type="integer", description="Visits", required=False),
        "rate_pct": FieldSpec(type="number", unit="percent", description="Rate | share", maximum=100, required=False),
        "is_rural": FieldSpec(type="boolean", description="Rural"),
        "is_old": FieldSpec(type="boolean", description="Old", required=False),
        "counted": FieldSpec(type="date", description="Day of the count"),
        "visited": FieldSpec(type="date", description="Day of the visit", required=False),
        "note": FieldSpec(description="Note", required=False, enum=["Füße, “kalt”", "b|c"], unique=True),
    },
)
SHAPES = EVERY_TYPE.model_copy(update={"id": "shapes", "geometry": True})


def make_rows() -> pd.DataFrame:
    """Rows of EVERY_TYPE as a notebook may hold them: unsorted, whole floats, plain booleans."""
    return pd.DataFrame(
        {
            "note": [None, "Füße, “kalt”"],
            "code": ["E2", "E1"],
            "year": [2021, 2022],
            "homes": [1200.0, 0.0],
            "visits": [None, 3],
            "rate_pct": [12.5, None],
            "is_rural": [True, False],
            "is_old": [None, True],
            "counted": pd.to_datetime(["2026-01-31", "2026-02-01"]),
            "visited": pd.to_datetime([None, "1999-12-31"]),
        }
    ).astype({"is_old": "boolean"})


def make_shapes() -> gpd.GeoDataFrame:
    """The same rows as two squares in British metres."""
    return gpd.GeoDataFrame(make_rows(), geometry=[box(600_000, 150_000, 600_100, 150_100)] * 2, crs=27700)


def find(catalogue: Catalogue, *sources: str, origin: str = "mirror") -> list[FoundFile]:
    """Files of sources of the small workbook."""
    file = catalogue.workbook.root / "a_file.csv"
    file.write_text("content", encoding="utf-8")
    return [FoundFile(catalogue.source(name), file, origin) for name in sources]  # type: ignore[arg-type]


def release(
    catalogue: Catalogue,
    dataset: Dataset | str,
    frame: pd.DataFrame,
    *,
    used: Sequence[FoundFile] | None = None,
    mode: Mode = "real",
    day: str = "2026-11-23",
) -> Path:
    dataset = catalogue.dataset(dataset) if isinstance(dataset, str) else dataset
    used = find(catalogue, "homes_2020") if used is None else used
    origin = Origin("small", "1_open", COUNCIL, mode, day, used)
    return release_dataset(dataset, frame, origin, catalogue, catalogue.workbook.processed)


def list_files(folder: Path) -> dict[Path, bytes | None]:
    """Everything below a folder, hidden or not, with its content."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


HOMES = pd.DataFrame({"lsoa_code": ["E1", "E2"], "homes": [1, 200]})
CLIENTS = pd.DataFrame(
    {"lsoa_code": ["E1", "E2", "E3"], "clients": [9, 41, 0], "homes": [100, 321, 50]}, index=[30, 31, 32]
)

# --- the gate ---


def test_the_gate_passes_a_table_made_of_open_sources_as_it_is(catalogue: Catalogue) -> None:
    used = find(catalogue, "homes_2020", "prices")
    passed = pass_gate(catalogue.dataset("home_counts"), HOMES, used, catalogue.disclosure)
    assert passed.frame.equals(HOMES)
    assert passed.audit == {
        "dataset": "home_counts",
        "rule": "open_sources_only",
        "parameters": {},
        "reasons": {},
        "rows": 2,
        "sources": ["homes_2020", "prices"],
        "guarded_sources": [],
        "rows_suppressed": 0,
        "cells_suppressed": 0,
        "information_lost": {},
    }


def test_a_dataset_without_a_rule_passes_beside_open_sources(catalogue: Catalogue) -> None:
    folder = release(catalogue, "ruleless_counts", HOMES)
    assert json.loads((folder / "audit.json").read_text(encoding="utf-8"))["rule"] is None


@pytest.mark.parametrize("first", [True, False], ids=["nothing there", "an older release there"])
@pytest.mark.parametrize(("source", "spectrum"), [("clients", "closed"), ("visits", "shared")])
@pytest.mark.parametrize(
    ("dataset", "reason"),
    [("ruleless_counts", "it has no disclosure rule"), ("home_counts", "its rule allows open sources only")],
)
def test_beside_a_guarded_source_nothing_is_written_unless_a_rule_protects_it(
    dataset: str, reason: str, source: str, spectrum: str, first: bool, catalogue: Catalogue
) -> None:
    used = find(catalogue, "homes_2020", source)
    if not first:
        release(catalogue, dataset, HOMES)
    before = list_files(catalogue.workbook.root)
    with pytest.raises(ReleaseRefusedError) as error:
        release(catalogue, dataset, HOMES.assign(homes=[7, 8]), used=used)
    assert list_files(catalogue.workbook.root) == before
    assert f"{dataset} was not released: it was made beside {source} ({spectrum}), and {reason}" in str(error.value)


def test_a_count_threshold_lets_a_closed_source_out_only_suppressed_and_rounded(catalogue: Catalogue) -> None:
    folder = release(catalogue, "client_counts", CLIENTS, used=find(catalogue, "clients", "homes_2021"))
    assert (folder / "client_counts.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "lsoa_code,clients,homes,clients_pct,is_suppressed",
        "E1,,100,,true",
        "E2,40,320,12.5,false",
        "E3,0,50,0.0,false",
    ]
    audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    assert audit["parameters"]["counts"] == ["clients", "homes"]
    assert audit["reasons"]["threshold"] == catalogue.disclosure["threshold"].reason
    told = ["dataset", "rule", "guarded_sources", "cells", "cells_suppressed", "rows_suppressed", "made_by", "version"]
    assert {name: audit[name] for name in told} == {
        "dataset": "client_counts",
        "rule": "counts",
        "guarded_sources": ["clients (closed)"],
        "cells": 6,
        "cells_suppressed": 1,
        "rows_suppressed": 1,
        "made_by": "small/1_open",
        "version": "1.0.0",
    }
    assert (audit["parameters"]["threshold"], audit["parameters"]["round_to"]) == (10, 5)


@pytest.mark.parametrize(
    ("dataset", "frame"),
    [
        ("client_counts", CLIENTS.assign(lsoa_code="E1")),
        ("client_counts", CLIENTS.assign(surname="Smith")),
        ("client_counts", CLIENTS.assign(lsoa_code="E1")),
    ],
    ids=["wrong type", "undeclared column", "key twice"],
)
def test_a_table_that_is_not_as_declared_is_not_written_and_not_shown(
    dataset: str, frame: pd.DataFrame, catalogue: Catalogue
) -> None:
    used = find(catalogue, "clients")
    before = list_files(catalogue.workbook.root)
    with pytest.raises(CheckError, match=f"Dataset {dataset}") as error:
        release(catalogue, dataset, frame, used=used)
    assert list_files(catalogue.workbook.root) == before
    assert not any(value in str(error.value) for value in ("high", "Smith", "E1"))


@pytest.mark.parametrize("rows", [make_rows(), make_shapes().set_crs(None, allow_override=True)])
def test_a_dataset_with_geometry_needs_outlines_in_a_known_coordinate_system(
    rows: pd.DataFrame, catalogue: Catalogue
) -> None:
    with pytest.raises(CheckError, match="shapes: expected a GeoDataFrame that has its coordinate system"):
        release(catalogue, SHAPES, rows)
    assert not catalogue.workbook.processed.exists()


# --- what is written ---


def test_the_csv_keeps_its_order_and_is_utf8_with_iso_dates_and_plain_line_ends(catalogue: Catalogue) -> None:
    folder = release(catalogue, EVERY_TYPE, make_rows())
    assert folder == catalogue.workbook.processed / "small" / "north" / "real" / "every_type"
    assert (folder / "every_type.csv").read_bytes().decode("utf-8") == (
        "\ufeffcode,year,homes,visits,rate_pct,is_rural,is_old,counted,visited,note\n"
        "E2,2021,1200,,12.5,true,,2026-01-31,,\n"
        'E1,2022,0,3,,false,true,2026-02-01,1999-12-31,"Füße, “kalt”"\n'
    )
    assert {path.name for path in folder.iterdir()} == {
        "every_type.csv",
        "every_type.parquet",
        "every_type.xlsx",
        "datapackage.json",
        "dcat.jsonld",
        "audit.json",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["every_type"]


def test_no_text_in_a_csv_is_run_by_a_spreadsheet_and_readers_get_it_as_it_was(catalogue: Catalogue) -> None:
    texts = ["=1+1", "+44", "-", "@a", "\ta", "'=1", "O'Neill"]
    fields = {
        "name": FieldSpec(description="Name", unique=True, enum=texts),
        "change": FieldSpec(type="integer", description="Change", minimum=-9),
        "rate": FieldSpec(type="number", description="Rate"),
    }
    dataset = EVERY_TYPE.model_copy(update={"fields": fields, "key": ["name"]})
    frame = pd.DataFrame({"name": texts, "change": -3, "rate": -0.5})
    folder = release(catalogue, dataset, frame)
    lines = (folder / "every_type.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1:] == [f"{name},-3,-0.5" for name in ["'=1+1", "'+44", "'-", "'@a", "'\ta", "''=1", "O'Neill"]]
    pd.testing.assert_frame_equal(read_published(folder, dataset), frame)
    resource = read_package(folder)["resources"][0]
    assert "apostrophe before it" in resource["description"]
    assert frictionless.validate(str(folder / "datapackage.json")).valid
    release(catalogue, dataset, frame)
    assert read_package(folder)["version"] == "1.0.0"


def test_geometry_is_written_as_geojson_in_wgs84_and_as_geoparquet(catalogue: Catalogue) -> None:
    folder = release(catalogue, SHAPES, make_shapes())
    feature = json.loads((folder / "shapes.geojson").read_text(encoding="utf-8"))["features"][0]
    assert feature["properties"] | {"geometry": None} == {
        "code": "E2",
        "year": 2021,
        "homes": 1200,
        "visits": None,
        "rate_pct": 12.5,
        "is_rural": True,
        "is_old": None,
        "counted": "2026-01-31",
        "visited": None,
        "note": None,
        "geometry": None,
    }
    longitude, latitude = feature["geometry"]["coordinates"][0][0]
    assert (round(longitude), round(latitude)) == (1, 51)
    assert longitude == round(longitude, 6)

    back = read_published(folder, SHAPES)
    assert isinstance(back, gpd.GeoDataFrame)
    expected = make_shapes().reset_index(drop=True)[list(back.columns)]
    pd.testing.assert_frame_equal(pd.DataFrame(back), pd.DataFrame(expected), check_dtype=False)
    assert "geometry" not in (folder / "shapes.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("dataset", "rows"), [(EVERY_TYPE, make_rows()), (SHAPES, make_shapes())])
def test_frictionless_finds_the_data_package_valid(
    dataset: Dataset, rows: pd.DataFrame, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release(catalogue, dataset, rows)
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.to_summary()
    assert report.stats["tasks"] == (4 if dataset.geometry else 3)
    monkeypatch.chdir(folder)
    assert CliRunner().invoke(console, ["validate", "datapackage.json"]).exit_code == 0
    (folder / f"{dataset.id}.csv").write_text("code,year\nE1,last\n", encoding="utf-8")
    assert not frictionless.validate(str(folder / "datapackage.json")).valid


def test_the_data_package_says_what_from_what_and_for_whom(catalogue: Catalogue) -> None:
    used = [*find(catalogue, "homes_2020"), *find(catalogue, "prices", origin="twin")]
    package = read_package(release(catalogue, SHAPES, make_shapes(), used=used))
    about = package["councilbook"]
    assert package["licenses"][0] == {
        "name": "OGL-UK-3.0",
        "title": "Open Government Licence v3.0",
        "path": "https://example.org/ogl",
    }
    assert [source["title"] for source in package["sources"]] == ["Homes, 2020", "Prices (synthetic)"]
    assert datetime.fromisoformat(package["created"]).date() == date(2026, 11, 23)
    assert about["council"] == COUNCIL.model_dump()
    assert (about["study"], about["data"], about["synthetic"]) == ("small", "real", True)
    assert [row["synthetic"] for row in about["provenance"]] == [False, True]
    files = {resource["path"]: resource for resource in package["resources"]}
    assert list(files) == [
        "shapes-synthetic.csv",
        "shapes-synthetic.xlsx",
        "shapes-synthetic.geojson",
        "shapes-synthetic.parquet",
    ]
    homes = files["shapes-synthetic.csv"]["schema"]["fields"][2]
    assert homes == {
        "name": "homes",
        "title": "Homes",
        "type": "integer",
        "description": "Homes",
        "unit": "homes",
        "constraints": {"required": True, "minimum": 0},
    }


@pytest.mark.parametrize(("mode", "origin", "synthetic"), [("sample", "twin", True), ("real", "mirror", False)])
def test_a_release_is_synthetic_where_a_twin_or_the_sample_was_used(
    mode: Mode, origin: str, synthetic: bool, catalogue: Catalogue
) -> None:
    folder = release(catalogue, "home_counts", HOMES, used=find(catalogue, "prices", origin=origin), mode=mode)
    assert read_package(folder)["councilbook"]["synthetic"] is synthetic
    assert all(("synthetic" in file.name) is synthetic for file in folder.glob("home_counts*"))
    for name in ("datapackage.json", "dcat.jsonld"):
        assert ("Synthetic: made up" in (folder / name).read_text(encoding="utf-8")) is synthetic


OWN, MADE = ("closed folder", "mirror"), ("twin", "mirror")


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        (OWN, OWN, True),
        (OWN, ("closed folder", "twin"), True),  # its own records stay so beside a twin of another source
        (("closed folder", "twin"), OWN, True),
        (MADE, MADE, True),
        (MADE, ("closed folder", "twin"), False),
        (("closed folder", "twin"), ("twin", "twin"), False),
    ],
)
def test_a_councils_own_records_are_not_held_against_invented_ones(
    then: tuple[str, str], now: tuple[str, str], same: bool, catalogue: Catalogue
) -> None:
    def make_origin(kinds: tuple[str, str]) -> Origin:
        used = [*find(catalogue, "clients", origin=kinds[0]), *find(catalogue, "prices", origin=kinds[1])]
        return Origin("small", "2_closed", COUNCIL, "real", "2026-11-23", used)

    before = make_origin(then)
    assert (make_origin(now).records == before.records) is same


ROLL = Dataset(
    id="roll",
    title="Roll",
    description="A row a property.",
    classification="open",
    licence="OGL-UK-3.0",
    key=["reference"],
    fields={
        "reference": FieldSpec(description="Property"),
        "ratepayer": FieldSpec(description="Organisation", required=False),
        "is_suppressed": FieldSpec(type="boolean", description="Whether something is withheld"),
    },
    disclosure=RegisterRule(
        rule="register",
        approver="Information governance lead",
        law="Anybody may inspect the roll of properties.",
        public=["reference"],
        name="ratepayer",
        is_organisation="is_organisation",
        name_inside="name_inside",
    ),
)


@pytest.mark.parametrize("records", ["own", "invented"])
@pytest.mark.parametrize("between", [0, 1, 2])
def test_the_last_version_of_a_register_stays_whatever_other_records_were_released_since(
    records: str, between: int, catalogue: Catalogue
) -> None:
    def release_roll(payer: str, origin: str, day: int) -> Path:
        names = [payer, "Ada Byron"]
        rows = pd.DataFrame({"reference": ["1", "2"], "ratepayer": names, "name_inside": names})
        rows["is_organisation"] = [True, False]
        return release(catalogue, ROLL, rows, used=find(catalogue, "clients", origin=origin), day=f"2026-11-{day}")

    mine, other = ("closed folder", "twin") if records == "own" else ("twin", "closed folder")
    release_roll("Corn Ltd", mine, 10)
    folder = release_roll("Bread Ltd", mine, 11)
    for run in range(between):  # no notebook says that it will want the last release: a register's is kept by its rule
        folder = release_roll("Cake Ltd", other, 12 + run)
    for kind, payer in ((records, "Bread Ltd"), *([("own", "Cake Ltd")] if records != "own" and between else [])):
        last = read_last(folder, ROLL, kind)  # type: ignore[arg-type]
        assert last and last[1]["ratepayer"].iloc[0] == payer
        assert last[1]["ratepayer"].isna().tolist() == [False, True]  # as it went out, and not as the gate got it
    if not between:
        assert not (folder / "earlier").exists() or not list((folder / "earlier").glob("*/*"))


@pytest.mark.parametrize(
    ("assumed", "synthetic"), [("what a home costs", False), ("what a home costs", True), ("", False)]
)
def test_what_is_made_from_an_assumed_dataset_is_assumed_too(
    assumed: str, synthetic: bool, catalogue: Catalogue
) -> None:
    dataset = catalogue.dataset("home_counts")
    used = find(catalogue, "prices", origin="twin" if synthetic else "mirror")
    made = read_package(release(catalogue, dataset.model_copy(update={"assumes": assumed}), HOMES, used=used))
    derived = Origin("small", "1_open", COUNCIL, "real", "2026-11-23", [], [made])

    kinds = ["synthetic"] * synthetic + ["assumed"] * bool(assumed) or ["real"]
    assert made["councilbook"]["kinds"] == derived.describe_kinds(dataset)["kinds"] == kinds
    assert derived.describe_kinds(dataset)["assumptions"] == [assumed] * bool(assumed)
    assert ("It rests on assumptions about what a home costs." in made["description"]) is bool(assumed)


# --- versions ---


def with_fields(dataset: Dataset, **changes: Any) -> Dataset:
    """The dataset with fields replaced, or left out where a change is None."""
    fields = {name: field for name, field in (dataset.fields | changes).items() if field is not None}
    return dataset.model_copy(update={"fields": fields})


@pytest.mark.parametrize(
    ("origin", "assumes", "kind"),
    [
        ("twin", "", "synthetic"),
        ("mirror", "what a home costs", "assumed"),
        ("twin", "what a home costs", "synthetic and assumed"),
        ("mirror", "", None),
    ],
)
def test_every_file_of_what_is_not_real_says_so_in_a_column_that_is_not_read_back(
    origin: str, assumes: str, kind: str | None, catalogue: Catalogue
) -> None:
    dataset = SHAPES.model_copy(update={"assumes": assumes})
    folder = release(catalogue, dataset, make_shapes(), used=find(catalogue, "homes_2020", origin=origin))
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "geojson": gpd.read_file, "parquet": gpd.read_parquet}
    for ending, reader in read.items():
        table = reader(find_file(folder, ending))
        assert table.get("data_kind", pd.Series([None] * 2)).tolist() == [kind] * 2, ending
    described = [field["name"] for field in read_package(folder)["resources"][0]["schema"]["fields"]]
    assert ("data_kind" in described) is (kind is not None)
    assert list(read_published(folder, dataset)) == [*dataset.fields, "geometry"]


def test_a_new_assumption_alone_is_no_new_version(catalogue: Catalogue) -> None:
    dataset = catalogue.dataset("home_counts")
    release(catalogue, dataset, HOMES)
    folder = release(catalogue, dataset.model_copy(update={"assumes": "what a home costs"}), HOMES)
    assert read_package(folder)["version"] == "1.0.0"


def test_versions_count_what_changed_and_the_log_keeps_them_all(catalogue: Catalogue) -> None:
    homes = catalogue.dataset("home_counts")
    wider = with_fields(homes, note=FieldSpec(description="Note", required=False))
    noted = HOMES.assign(note=[None, "cold"])
    narrow = with_fields(homes, homes=None)
    keyed = wider.model_copy(update={"key": ["lsoa_code", "homes"]})
    retyped = with_fields(keyed, homes=FieldSpec(type="number", description="Homes"))
    more = HOMES.assign(homes=[1, 300], lsoa_code=["E1", "E3"])
    steps: list[tuple[Dataset, pd.DataFrame, str, str, str]] = [
        (homes, HOMES, "twin", "1.0.0", "First release."),
        (homes, HOMES.iloc[::-1], "twin", "1.0.0", "First release."),
        (homes, HOMES.assign(homes=[1, 300]), "twin", "1.0.1", "Rows: 1 changed."),
        (homes, more, "twin", "1.0.2", "Rows: 1 added, 1 removed."),
        (wider, noted, "twin", "1.1.0", "New: note."),
        (keyed, noted, "twin", "2.0.0", "A row is named by lsoa_code, homes."),
        (retyped, noted, "twin", "3.0.0", "Changed or gone: homes. A row is named by lsoa_code, homes."),
        (narrow, HOMES[["lsoa_code"]], "twin", "4.0.0", "Changed or gone: homes, note. A row is named by lsoa_code."),
        (narrow, HOMES[["lsoa_code"]], "mirror", "5.0.0", "Now from real data."),
        (narrow, HOMES[["lsoa_code"]], "twin", "6.0.0", "Now from synthetic data."),
    ]
    log: list[tuple[str, str]] = []
    for number, (dataset, frame, origin, version, text) in enumerate(steps, start=1):
        used = find(catalogue, "homes_2020", origin=origin)
        folder = release(catalogue, dataset, frame, used=used, day=f"2026-01-{number:02}")
        package = read_package(folder)
        assert (package["version"], package["councilbook"]["changes"][0]["text"]) == (version, text)
        if number != 2:
            log = [(version, f"2026-01-{number:02}"), *log]
        assert [(change["version"], change["date"]) for change in package["councilbook"]["changes"]] == log


def test_new_outlines_count_as_changed_rows_and_first_outlines_as_a_new_field(catalogue: Catalogue) -> None:
    flat = SHAPES.model_copy(update={"geometry": False})
    moved = make_shapes().set_geometry([box(0, 0, 1, 1), box(600_000, 150_000, 600_100, 150_100)]).set_crs(27700)
    texts = [
        read_package(release(catalogue, dataset, rows))["councilbook"]["changes"][0]["text"]
        for dataset, rows in [(flat, make_rows()), (SHAPES, make_shapes()), (SHAPES, moved), (flat, make_rows())]
    ]
    assert texts[1:3] == ["New: geometry.", "Rows: 1 changed."]
    assert texts[3].startswith("Changed or gone: geometry.")


# --- reading back ---

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1)
DAYS = st.dates(date(1000, 1, 1))


@settings(phases=[Phase.generate])  # to shrink a failure would take minutes
@given(
    st.lists(
        st.tuples(
            TEXT,
            st.integers(1000, 9999),
            st.integers(-(2**53), 2**53),
            st.none() | st.integers(-(2**53), 2**53),
            st.none() | st.floats(allow_nan=False, allow_infinity=False).map(lambda one: float(f"{one:.6g}")),
            st.booleans(),
            st.none() | st.booleans(),
            DAYS,
            st.none() | DAYS,
            st.none() | TEXT,
        ),
        unique_by=lambda row: row[:2],
        max_size=4,
    )
)
def test_what_is_published_reads_back_as_it_was(rows: list[tuple[Any, ...]]) -> None:
    fields = {
        name: FieldSpec(type=field.type, description="Any", required=field.required)
        for name, field in EVERY_TYPE.fields.items()
    }
    dataset = EVERY_TYPE.model_copy(update={"fields": fields})
    frame = pd.DataFrame(rows, columns=list(fields)).astype(
        {"code": "str", "year": "int64", "homes": "int64", "visits": "Int64", "rate_pct": "float64"}
        | {"is_rural": "boolean", "is_old": "boolean", "note": "str"}
        | {"counted": "datetime64[us]", "visited": "datetime64[us]"}
    )
    with TemporaryDirectory() as folder:
        licences = {"OGL-UK-3.0": Licence(title="Licence", url="https://example.org", attribution="Somebody")}
        catalogue = Catalogue(Workbook(Path(folder)), licences, {}, {}, {}, {}, {}, {}, {})
        back = read_published(release(catalogue, dataset, frame, used=[]), dataset)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


def test_line_ends_in_a_text_do_not_break_the_csv(catalogue: Catalogue) -> None:
    dataset = with_fields(catalogue.dataset("home_counts"), note=FieldSpec(description="Note"))
    folder = release(catalogue, dataset, HOMES.assign(note=["one\r\ntwo\rthree", "\n"]))
    assert read_published(folder, dataset)["note"].tolist() == ["one\ntwo\nthree", "\n"]
    assert frictionless.validate(str(folder / "datapackage.json")).valid


def test_what_was_never_released_is_an_error_that_says_what_to_do(catalogue: Catalogue) -> None:
    with pytest.raises(CouncilbookError, match=r"Dataset home_counts has not been released for this council yet.*Run"):
        read_published(catalogue.workbook.processed / "home_counts", catalogue.dataset("home_counts"))


def kill_midway(catalogue: Catalogue) -> None:
    """Release homes, and leave them as a release does that is killed between its two renames."""
    folder = release(catalogue, "home_counts", HOMES)
    folder.rename(folder.with_name(".home_counts.old"))


def test_a_release_after_one_that_was_killed_goes_on_with_its_version(catalogue: Catalogue) -> None:
    kill_midway(catalogue)
    package = read_package(release(catalogue, "home_counts", HOMES.assign(homes=2)))
    assert [change["version"] for change in package["councilbook"]["changes"]] == ["1.0.1", "1.0.0"]


def test_every_file_holds_the_same_cells_rounded_by_their_unit_and_the_same_bytes_each_time(
    catalogue: Catalogue,
) -> None:
    number = {
        name: FieldSpec(type="number", description="Any", unit=unit, required=False)
        for name, unit in [("share", "percent"), ("cost", "GBP a year"), ("odds", None), ("latitude", "degrees")]
    }
    number["longitude"] = number["latitude"]
    dataset = with_fields(catalogue.dataset("home_counts"), **number, note=FieldSpec(description="Note"))
    frame = HOMES.assign(share=12.34567, cost=[0.128, None], odds=0.123456789, latitude=51.12345678, longitude=-1.5)
    frame["note"] = ["£5", "=1+1"]
    first = read_package(release(catalogue, dataset, frame))["resources"]
    folder = release(catalogue, dataset, frame)
    assert read_package(folder)["resources"] == first
    csv = pd.read_csv(folder / "home_counts.csv", encoding="utf-8-sig")
    assert csv["share"].eq(12.35).all()
    assert csv["cost"].fillna(-1).tolist() == [0.13, -1]
    assert csv["odds"].eq(0.123457).all()
    assert csv["note"].tolist() == ["£5", "'=1+1"]
    pd.testing.assert_frame_equal(pd.read_excel(folder / "home_counts.xlsx"), csv, check_dtype=False)
    parquet = pd.read_parquet(folder / "home_counts.parquet")
    pd.testing.assert_frame_equal(parquet.drop(columns="note"), csv.drop(columns="note"), check_dtype=False)
    feature = json.loads((folder / "home_counts.geojson").read_text(encoding="utf-8"))["features"][0]
    assert feature["geometry"]["coordinates"] == [-1.5, 51.123457]
    assert read_package(folder)["version"] == "1.0.0"
