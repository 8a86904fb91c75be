"""`Study`, the object that a notebook holds: what it lets a notebook read, and what it lets out.

The twins of the small workbook (see conftest) are made here.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from councilbook.catalogue import Catalogue, Mode, Source, TwinRequest, load_catalogue
from councilbook.errors import (
    CatalogueError,
    CheckError,
    CouncilbookError,
    NotebookError,
    NotThereError,
    ParameterError,
    ReleaseRefusedError,
    SourceError,
)
from councilbook.gate.files import find_file
from councilbook.paths import Workbook
from councilbook.running.checking import CheckLine, check_everything
from councilbook.sources.landscape import NO_ROW
from councilbook.study import Study

LOOKUP = """lsoa11_code,lsoa21_code,change,lad22_code,lad22_name
E1,E1,U,E06000901,North
E2,E3,S,E06000901,North
E2,E4,S,E06000901,North
E5,E5,U,E07000902,South
"""
HOMES = {
    2011: "lsoa_code,homes\nE1,100\nE2,300\nE5,50\n",
    2021: "lsoa_code,homes\nE1,110\nE3,150\nE4,160\nE5,55\n",
}
VISITS = "lsoa_code,visits\nE1,3\nE3,5\nE5,7\n"
CLIENTS = "lsoa_code,surname,age\nE3,Hartley,81\nE4,Okonkwo,79\nE5,Bains,90\n"


def make_lookup(source: Source, request: TwinRequest) -> bytes:
    return LOOKUP.encode()


def make_homes(source: Source, request: TwinRequest) -> bytes:
    areas = source.table().areas
    assert areas is not None
    return HOMES[areas.vintage].encode()


def make_prices(source: Source, request: TwinRequest) -> bytes:
    if source.table().areas:
        return b"lad_code,price_gbp\nE07000902,5\nE06000901,7\nE07000902,9\n"
    return f"price_gbp\n{request.seed}\n".encode()


def make_visits(source: Source, request: TwinRequest) -> dict[str, bytes]:
    """Make visits to the council's homes, and with them the twin of another source."""
    homes = request.load("homes_2021")
    visits = VISITS + "".join(f"{code},{homes}\n" for code, homes in homes[["lsoa_code", "homes"]].to_numpy())
    return {source.id: visits.encode(), "clients": CLIENTS.encode()}


def make_clients(source: Source, request: TwinRequest) -> bytes:
    return CLIENTS.encode()


def open_study(notebook: str = "1_open", *, council: str = "north", data: str = "sample", mirror: str = "") -> Study:
    return Study.open("small", notebook, council=council, data=data, mirror=mirror, seed=7, run_date="2026-11-23")


@pytest.fixture
def mirror(workbook: Workbook) -> str:
    """A mirror of the open files, named as a parameter may name it: below the workbook's folder."""
    folder = workbook.root / "mirror"
    (folder / "geography").mkdir(parents=True)
    (folder / "geography" / "lookup.csv").write_text(LOOKUP, encoding="utf-8")
    (folder / "homes.csv").write_text(HOMES[2011], encoding="utf-8")
    return "mirror"


@pytest.fixture
def closed(workbook: Workbook, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A closed folder, with nothing in it yet."""
    folder = workbook.root.parent / "closed"
    folder.mkdir()
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(folder))
    return folder


def count_clients(study: Study) -> pd.DataFrame:
    clients = study.load("clients")
    counts = clients.groupby("lsoa_code", as_index=False).agg(clients=("age", "size"))
    return counts.assign(homes=100)


# --- opening ---


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data": "demo"}, ParameterError, r"data is 'demo'; expected sample or real"),
        ({"mirror": "nowhere"}, ParameterError, r"mirror is 'nowhere', and there is no such folder \(.*nowhere\)"),
        ({"run_date": "23.11.2026"}, ParameterError, r"run_date is '23\.11\.2026'; expected a date as 2026-03-31"),
        ({"notebook": "1_opne"}, NotebookError, r"small/study\.yaml has no notebook '1_opne'\. Did you mean 1_open\?"),
        ({"study": "smal"}, CatalogueError, r"No study 'smal' in the catalogue\. Did you mean small\?"),
        ({"council": "nort"}, CatalogueError, r"No council 'nort'.*Did you mean north"),
    ],
)
@pytest.mark.usefixtures("workbook")
def test_a_wrong_parameter_is_an_error_that_says_what_was_expected(
    change: dict[str, str], error: type[CouncilbookError], message: str
) -> None:
    parameters = {"study": "small", "notebook": "1_open", "council": "north", "data": "sample", "mirror": ""}
    parameters |= {"run_date": "2026-11-23"} | change
    with pytest.raises(error, match=message):
        Study.open(**parameters, seed=7)  # type: ignore[arg-type]


@pytest.mark.usefixtures("workbook")
def test_a_notebook_that_opens_the_study_as_another_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNCILBOOK_NOTEBOOK", "small/3_report")
    with pytest.raises(NotebookError, match=r"opens small/1_open, but it is small/3_report"):
        open_study("1_open")
    assert open_study("3_report").notebook == "3_report"


# --- loading ---


@pytest.mark.usefixtures("workbook")
def test_load_gives_the_rows_of_the_council_typed() -> None:
    homes = open_study().load("homes_2020")
    pd.testing.assert_frame_equal(homes, pd.DataFrame({"lsoa_code": ["E1", "E2"], "homes": [100, 300]}))


@pytest.mark.usefixtures("workbook")
def test_a_table_that_does_not_say_where_its_rows_lie_comes_whole() -> None:
    assert open_study().load("prices")["price_gbp"].tolist() == [7]


@pytest.mark.usefixtures("workbook")
def test_a_series_is_stacked_with_edition_and_vintage() -> None:
    homes = open_study().load_series("homes")
    assert homes.to_dict("list") == {
        "lsoa_code": ["E1", "E2", "E1", "E3", "E4"],
        "homes": [100, 300, 110, 150, 160],
        "edition": [2020, 2020, 2021, 2021, 2021],
        "vintage": [2011, 2011, 2021, 2021, 2021],
    }
    assert homes.index.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("workbook")
def test_the_id_of_a_series_stands_for_its_newest_edition() -> None:
    homes = open_study().load("homes")
    assert homes.to_dict("list") == {
        "lsoa_code": ["E1", "E3", "E4"],
        "homes": [110, 150, 160],
        "edition": [2021] * 3,
        "vintage": [2021] * 3,
    }


def test_an_edition_without_a_row_for_the_council_is_left_out_and_counts_as_not_read(
    workbook: Workbook, mirror: str
) -> None:
    """The newer edition's file is cut to South; the older one's holds both."""
    content = (workbook.catalogue / "national.yaml").read_text(encoding="utf-8")
    newer = '2021: {published: "2021", mirror: newer.csv, tables'
    (workbook.catalogue / "national.yaml").write_text(content.replace('2021: {published: "2021", tables', newer))
    (workbook.root / "mirror" / "newer.csv").write_text("lsoa_code,homes\nE5,55\n", encoding="utf-8")
    load_catalogue.cache_clear()
    for load in (lambda study: study.load("homes"), lambda study: study.load_series("homes")):
        study = open_study(data="real", mirror=mirror)
        assert load(study)[["edition", "homes"]].to_numpy().tolist() == [[2020, 100], [2020, 300]]
        assert study.provenance()["source"].tolist() == ["Homes, 2020", "Lookup"]
        assert study.list_outdated() == ["Homes, of 2020 here, while that of 2021 is out"]
    (workbook.root / "mirror" / "homes.csv").write_text("lsoa_code,homes\nE5,55\n", encoding="utf-8")
    with pytest.raises(NotThereError, match=r"has no row for North"):
        open_study(data="real", mirror=mirror).load_series("homes")


@pytest.mark.usefixtures("workbook")
def test_what_is_loaded_can_be_changed_without_changing_what_is_loaded_next() -> None:
    study = open_study()
    homes = study.load("homes_2020")
    homes["homes"] = 0
    assert study.load("homes_2020")["homes"].tolist() == [100, 300]


@pytest.mark.usefixtures("workbook")
def test_a_source_that_study_yaml_does_not_list_for_the_notebook_is_refused() -> None:
    study = open_study("1_open")
    with pytest.raises(NotebookError, match=r"small/study\.yaml does not list clients among the sources of 1_open"):
        study.load("clients")
    assert study.provenance().empty


@pytest.mark.usefixtures("workbook")
def test_a_report_can_neither_load_nor_look_at_places() -> None:
    report = open_study("3_report")
    for load in (lambda: report.load("homes_2020"), lambda: report.load_series("homes"), lambda: report.place):
        with pytest.raises(NotebookError, match=r"3_report is a report: it reads released data alone.*published"):
            load()


def test_codes_of_the_wrong_census_are_an_error_that_names_source_file_and_row(workbook: Workbook, mirror: str) -> None:
    study = open_study(data="real", mirror=mirror)
    with pytest.raises(
        CheckError, match=r"Source homes_2021, file homes\.csv: expected LSOA codes of 2021.*first E2 in row 3"
    ):
        study.load("homes_2021")


def test_an_area_without_a_row_is_an_error_where_all_must_have_one(workbook: Workbook, mirror: str) -> None:
    (workbook.root / mirror / "homes.csv").write_text("lsoa_code,homes\nE1,100\n", encoding="utf-8")
    with pytest.raises(CheckError, match=r"homes_2020.*1 of 2 LSOAs of North and more have no row, as E2"):
        open_study(data="real", mirror=mirror).load("homes_2020")


def test_an_optional_file_that_is_cut_to_other_places_is_not_there(workbook: Workbook, mirror: str) -> None:
    catalogue = workbook.catalogue / "national.yaml"
    text = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(text.replace("file: homes.csv", "file: homes.csv\n    optional: true"), encoding="utf-8")
    load_catalogue.cache_clear()
    assert open_study(data="real", mirror=mirror).has("homes")
    (workbook.root / mirror / "homes.csv").write_text("lsoa_code,homes\nE5,100\n", encoding="utf-8")
    study = open_study(data="real", mirror=mirror)
    assert not study.has("homes")
    assert not study.has("homes_2020")
    assert study.provenance().empty


@pytest.mark.parametrize(("code", "told"), [("E06000901", ("real", None)), ("E07000902", ("not used", NO_ROW))])
@pytest.mark.parametrize("way", ["areas", "looked_up"])
def test_the_landscape_says_of_a_file_that_it_has_no_row_of_the_council(
    way: str, code: str, told: tuple[str, str | None], workbook: Workbook, mirror: str
) -> None:
    catalogue = workbook.catalogue / "national.yaml"
    fields = "fields: {price_gbp: {type: number, description: Price}}"
    by_code = fields.replace("{price", "{lad_code: {description: District}, price")
    text = catalogue.read_text(encoding="utf-8").replace(fields, f"{way}: {{district: lad_code}}, {by_code}")
    catalogue.write_text(text.replace("file: prices.csv\n    mirror: null", "file: prices.csv\n    mirror: prices.csv"))
    (workbook.root / mirror / "prices.csv").write_text(f"lad_code,price_gbp\n{code},3\n", encoding="utf-8")
    load_catalogue.cache_clear()
    study = open_study(data="real", mirror=mirror)
    row = study.landscape().set_index("source_id").loc["prices", ["used_as", "gap"]]
    assert tuple(row.astype(object).where(row.notna(), None)) == told
    assert study.provenance().empty


def test_a_file_without_the_council_is_an_error_that_names_the_source(workbook: Workbook, mirror: str) -> None:
    (workbook.root / mirror / "homes.csv").write_text("lsoa_code,homes\nE5,100\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"Source homes_2020 \(Homes\) has no row for North and more \(E06000901\)"):
        open_study(data="real", mirror=mirror).load("homes_2020")


@pytest.mark.parametrize(
    ("line", "error"), [("E3,Hartley,181", CheckError), ("E3,Hartley,unknown181", SourceError)], ids=["limit", "type"]
)
def test_a_fault_in_data_about_people_names_the_row_and_shows_nothing_of_it(
    line: str, error: type[CouncilbookError], mirror: str, closed: Path
) -> None:
    (closed / "clients.csv").write_text(f"lsoa_code,surname,age\n{line}\n", encoding="utf-8")
    with pytest.raises(error, match=r"Source clients, file clients\.csv.*\n?.*row 2") as raised:
        open_study("2_closed", data="real", mirror=mirror).load("clients")
    assert not any(word in str(raised.value) for word in ("Hartley", "181", "E3"))


def test_a_code_of_the_wrong_census_is_not_shown_where_it_stands_in_data_that_are_not_open(
    mirror: str, closed: Path
) -> None:
    (closed / "visits.csv").write_text("lsoa_code,visits\nE1,3\nE2,5\n", encoding="utf-8")
    with pytest.raises(
        CheckError, match=r"Source visits, file visits\.csv: expected LSOA codes of 2021.*row 3"
    ) as raised:
        open_study("2_closed", data="real", mirror=mirror).load("visits")
    assert "E2" not in str(raised.value)


@pytest.mark.parametrize(
    ("council", "name"),
    [("north", "North and more"), ("E07000902", "South"), ("E07000902+E06000901", "North and South")],
)
@pytest.mark.usefixtures("workbook")
def test_a_council_given_by_codes_is_named_from_the_sources(council: str, name: str) -> None:
    assert open_study(council=council).council_name == name


def test_a_table_of_districts_gives_a_council_s_rows_without_the_lookup_of_small_areas(workbook: Workbook) -> None:
    national, spec = workbook.catalogue / "national.yaml", workbook.notebooks / "small" / "study.yaml"
    text, places = national.read_text(), spec.read_text()
    fields = "fields: {lad_code: {description: District}, price_gbp:"
    changed = text.replace("prices: {fields: {price_gbp:", f"prices: {{areas: {{district: lad_code}}, {fields}")
    national.write_text(changed)
    spec.write_text(places.replace("places: [lsoa_lookup]", "places: [prices]"))
    study = open_study(council="south")
    assert study.load("prices")["price_gbp"].tolist() == [5, 9]
    assert study.provenance()["source"].tolist() == ["Prices"]
    with pytest.raises(NotebookError, match="prices gives small areas no district"):
        study.load("homes_2021")


# --- releasing ---


@pytest.mark.usefixtures("workbook")
def test_a_closed_source_taints_all_that_the_notebook_releases_from_then_on() -> None:
    study = open_study("2_closed")
    homes = study.load("homes_2021")
    first = study.release("home_counts", homes)
    count_clients(study)
    with pytest.raises(ReleaseRefusedError, match=r"home_counts was not released: .*clients \(closed\)"):
        study.release("home_counts", homes.assign(homes=0))
    with pytest.raises(ReleaseRefusedError, match=r"ruleless_counts was not released: .*clients \(closed\)"):
        study.release("ruleless_counts", homes)
    assert [path.name for path in first.parent.iterdir()] == ["home_counts"]
    assert "E1,110" in find_file(first, "csv").read_text(encoding="utf-8")


@pytest.mark.usefixtures("workbook")
def test_a_shared_source_taints_as_well() -> None:
    study = open_study("2_closed")
    study.load("visits")
    with pytest.raises(ReleaseRefusedError, match=r"visits \(shared\)"):
        study.release("home_counts", study.load("homes_2021"))


@pytest.mark.usefixtures("workbook")
def test_counts_of_a_closed_source_go_out_suppressed() -> None:
    study = open_study("2_closed")
    study.release("client_counts", count_clients(study))
    published = open_study("3_report").published("client_counts")
    assert published["clients"].isna().all()
    assert published["clients_pct"].isna().all()
    assert published["is_suppressed"].all()


@pytest.mark.usefixtures("workbook")
def test_a_release_that_study_yaml_does_not_list_is_refused() -> None:
    study = open_study("1_open")
    with pytest.raises(NotebookError, match=r"does not list client_counts among the releases of 1_open.*home_counts"):
        study.release("client_counts", study.load("homes_2020"))


def test_check_tells_faults_and_writes_nothing(workbook: Workbook) -> None:
    study = open_study()
    homes = study.load("homes_2020")
    study.check(homes, "home_counts")
    with pytest.raises(CheckError, match=r"Dataset home_counts: no column homes"):
        study.check(homes[["lsoa_code"]], "home_counts")
    assert not workbook.processed.exists()


@pytest.mark.parametrize("sources", [["homes_2021"], ["clients"], ["homes_2021", "clients"], ["clients", "homes_2021"]])
@pytest.mark.usefixtures("workbook")
def test_a_fault_is_told_with_its_value_only_if_all_that_was_read_is_open(sources: list[str]) -> None:
    study = open_study("2_closed")
    for source in sources:
        study.load(source)
    faulty = pd.DataFrame({"lsoa_code": ["E1", "E3"], "homes": ["12", "Hartley"]})
    with pytest.raises(CheckError, match="Dataset home_counts") as raised:
        study.check(faulty, "home_counts")
    assert ("Hartley" in str(raised.value)) == (sources == ["homes_2021"])


@pytest.mark.usefixtures("workbook")
def test_a_fault_in_what_is_released_is_told_without_its_value_if_not_all_that_was_read_is_open() -> None:
    study = open_study("2_closed")
    for source in ("homes_2021", "clients", "homes_2020"):
        study.load(source)
    with pytest.raises(CheckError, match="Dataset client_flags") as raised:
        study.release("client_flags", pd.DataFrame({"client": [1, 2], "age": ["81", "Hartley"]}))
    assert "Hartley" not in str(raised.value)


def test_values_are_shown_of_what_is_open_and_about_nobody(catalogue: Catalogue) -> None:
    homes = catalogue.source("homes_2021")
    shown = {
        (spectrum, personal): homes.model_copy(update={"spectrum": spectrum, "personal_data": personal}).shows_values
        for spectrum in ("open", "shared", "closed")
        for personal in (False, True)
    }
    assert [case for case, is_shown in shown.items() if is_shown] == [("open", False)]


def test_a_release_goes_to_the_staging_folder_of_a_run(workbook: Workbook, monkeypatch: pytest.MonkeyPatch) -> None:
    staging = workbook.root.parent / "staging"
    monkeypatch.setenv("COUNCILBOOK_PROCESSED", str(staging))
    study = open_study()
    assert (
        study.release("home_counts", study.load("homes_2020")) == staging / "small" / "north" / "sample" / "home_counts"
    )


# --- telling ---

COLUMNS = {"source", "publisher", "spectrum", "data", "licence", "date", "file", "checksum"}


@pytest.mark.usefixtures("workbook")
def test_in_the_sample_every_source_is_synthetic() -> None:
    study = open_study()
    study.load_series("homes")
    provenance = study.provenance()
    assert set(provenance.columns) >= COLUMNS
    assert provenance["source"].tolist() == ["Homes, 2020", "Homes, 2021", "Lookup"]
    assert provenance["data"].tolist() == ["synthetic"] * 3
    assert provenance["checksum"].str.fullmatch("[0-9a-f]{64}").all()
    assert study.is_synthetic
    told = study.show_provenance().text
    assert told.count("Made up of the lookup") == 1
    study.run_date = "2099-01-01"
    assert study.list_outdated() == []  # nothing that is made up is out of date


def test_on_real_data_only_a_guarded_source_that_is_not_there_is_synthetic(mirror: str, closed: Path) -> None:
    (closed / "visits.csv").write_text(VISITS, encoding="utf-8")
    study = open_study("2_closed", data="real", mirror=mirror)
    study.finder = replace(study.finder, stand_ins=True)
    study.load("homes_2020")
    study.load("visits")
    assert not study.is_synthetic
    assert "How the synthetic data were made" not in study.show_provenance().text
    study.load("clients")
    assert study.is_synthetic
    kinds = study.provenance().set_index("source")[["spectrum", "data"]].agg(" ".join, axis="columns")
    assert kinds.to_dict() == {
        "Homes, 2020": "open real",
        "Lookup": "open real",
        "Visits to a home": "shared real",
        "Clients": "closed synthetic",
    }


@pytest.mark.usefixtures("workbook")
def test_a_report_tells_the_sources_of_what_it_reads_and_the_council_as_it_was_released() -> None:
    build = open_study(council="E07000902+E06000901")
    build.release("home_counts", build.load("homes_2021"))
    report = open_study("3_report", council="E06000901+E07000902")
    assert report.provenance().empty
    pd.testing.assert_frame_equal(report.published("home_counts"), build.load("homes_2021"))
    pd.testing.assert_frame_equal(report.provenance(), build.provenance())
    assert report.council_name == "North and South"


def test_released_data_of_the_other_mode_are_refused(workbook: Workbook, mirror: str) -> None:
    study = open_study(data="real", mirror=mirror)
    study.release("home_counts", study.load("homes_2020"))
    with pytest.raises(CouncilbookError, match="home_counts has not been released"):
        open_study("3_report").published("home_counts")
    made = workbook.processed / "small" / "north"
    shutil.copytree(made / "real", made / "sample")
    with pytest.raises(CouncilbookError, match=r"released from real data\. Somebody has put it among the sample data"):
        open_study("3_report").published("home_counts")
    assert len(open_study("3_report", data="real").published("home_counts")) == 2


def test_a_closed_folder_that_is_not_there_stops_a_notebook_that_is_run_by_hand_at_its_start(
    workbook: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(workbook.root.parent / "clsoed"))
    with pytest.raises(CouncilbookError, match="clsoed, and there is no such folder"):
        open_study()


@pytest.mark.usefixtures("workbook")
def test_the_stamp_says_what_was_run() -> None:
    stamp = str(open_study().show_stamp())
    for word in ("A small study (1_open)", "North and more (E06000901)", "synthetic sample", "2026-11-23"):
        assert word in stamp


# --- checking everything ---


def check_small(catalogue: Catalogue, mode: Mode, mirror: Path | None = None) -> dict[str, CheckLine]:
    lines: Iterable[CheckLine] = check_everything(
        catalogue, catalogue.study("small"), catalogue.council("north"), mode, mirror, 7, "2026-01-31"
    )
    return {line.name: line for line in lines}


def test_a_check_of_everything_has_a_line_for_each_table_and_dataset(catalogue: Catalogue) -> None:
    study = open_study("2_closed")
    study.release("home_counts", study.load("homes_2021"))
    lines = check_small(catalogue, "sample")
    assert {name: (line.kind, line.ok, line.detail) for name, line in lines.items()} == {
        "homes_2020.homes": ("source", True, "2 rows from twin"),
        "homes_2021.homes": ("source", True, "3 rows from twin"),
        "lsoa_lookup.lookup": ("source", True, "3 rows from twin"),
        "prices.prices": ("source", True, "1 rows from twin"),
        "visits.visits": ("source", True, "5 rows from twin"),
        "clients.clients": ("source", True, "2 rows from twin"),
        "home_counts": ("dataset", True, "3 rows, version 1.0.0"),
        "client_counts": ("dataset", True, "not released yet"),
        "ruleless_counts": ("dataset", True, "not released yet"),
        "client_flags": ("dataset", True, "not released yet"),
    }


def test_a_check_of_everything_goes_on_after_a_fault(catalogue: Catalogue, mirror: str) -> None:
    study = open_study()
    made = study.release("home_counts", study.load("homes_2021"))
    folder = shutil.copytree(made, made.parents[1] / "real" / "home_counts")
    find_file(folder, "csv").write_text("lsoa_code,homes\nE1,110\nE1,150\n", encoding="utf-8")
    lines = check_small(catalogue, "real", catalogue.workbook.root / mirror)
    assert {name for name, line in lines.items() if not line.ok} == {
        "homes_2021.homes",  # the mirror's file is of the other census
        "prices.prices",  # neither in the mirror nor to be fetched
        "visits.visits",  # its twin is fitted to the homes of 2021
        "home_counts",
    }
    assert "2 rows share it" in lines["home_counts"].detail
    assert "Source prices (Prices) is not in data/raw" in lines["prices.prices"].detail


def test_a_check_shows_nothing_of_a_fault_that_nobody_thought_of(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise KeyError("Mrs Hartley")

    monkeypatch.setattr("councilbook.study.intake.read_rows", fail)
    line = check_small(catalogue, "sample")["clients.clients"]
    assert (line.ok, line.detail) == (False, "Source clients: it cannot be read (KeyError).")


# --- twins that are fitted to open sources, and data that are not open ---


@pytest.mark.usefixtures("workbook")
def test_a_twin_is_fitted_to_the_councils_rows_of_the_sources_that_it_names() -> None:
    study = open_study("2_closed")
    visits = study.load("visits")
    assert visits.loc[2:, ["lsoa_code", "visits"]].to_numpy().tolist() == [["E1", 110], ["E3", 150], ["E4", 160]]
    assert set(study.provenance()["source"]) == {"Visits to a home", "Lookup"}  # not what the twin is fitted to
    assert study.load("clients")["surname"].tolist() == ["Hartley", "Okonkwo"]  # made by the same function


@pytest.mark.usefixtures("workbook")
def test_a_twin_is_fitted_to_real_files_in_a_real_run_and_made_anew_when_they_change(mirror: str) -> None:
    homes = Path(os.environ["COUNCILBOOK_ROOT"]) / mirror / "homes.csv"
    loaded = []
    for count in (110, 120):
        homes.write_text(f"lsoa_code,homes\nE1,{count}\nE3,150\nE4,160\n", encoding="utf-8")
        loaded.append(open_study("2_closed", data="real", mirror=mirror).load("visits")["visits"].tolist())
    assert loaded == [[3, 5, 110, 150, 160], [3, 5, 120, 150, 160]]


def test_a_dataset_that_is_not_open_stays_with_what_is_private(workbook: Workbook) -> None:
    study = open_study("2_closed")
    ages = study.load("clients")["age"]
    folder = study.release("client_flags", pd.DataFrame({"client": range(len(ages)), "age": ages}))
    assert folder == workbook.private / "restricted" / "small" / "north" / "sample" / "client_flags"
    assert folder.parent.stat().st_mode & 0o077 == 0
    assert not workbook.processed.exists()
    assert open_study("2_closed").published("client_flags")["age"].tolist() == [81, 79]
    with pytest.raises(NotebookError, match="is a report, so it cannot show client_flags: that is closed"):
        open_study("3_report").published("client_flags")


def test_where_there_is_a_closed_folder_it_keeps_what_is_not_open(workbook: Workbook, closed: Path) -> None:
    folder = open_study("2_closed").release("client_flags", pd.DataFrame({"client": [1], "age": [70]}))
    assert folder == closed / "outputs" / "small" / "north" / "sample" / "client_flags"
    assert not (workbook.private / "restricted").exists()


@pytest.mark.usefixtures("workbook")
def test_what_is_made_from_a_dataset_that_is_not_open_is_guarded() -> None:
    study = open_study("2_closed")
    study.release("client_flags", pd.DataFrame({"client": [1], "age": [70]}))
    other = open_study("2_closed")
    other.published("client_flags")
    with pytest.raises(ReleaseRefusedError, match=r"made beside client_flags \(closed\)"):
        other.release("home_counts", pd.DataFrame({"lsoa_code": ["E1"], "homes": [1]}))


@pytest.mark.usefixtures("workbook")
def test_a_notebook_can_hold_its_release_against_its_last_one() -> None:
    study = open_study("2_closed")
    assert study.last_release("client_flags") is None
    study.load("clients")
    study.release("client_flags", pd.DataFrame({"client": [1], "age": [70]}))
    again = open_study("2_closed")
    last = again.last_release("client_flags")
    assert last is not None
    assert last.to_dict("list") == {"client": [1], "age": [70]}
    with pytest.raises(ReleaseRefusedError, match=r"made beside client_flags \(closed\)"):  # it counts as read
        again.release("home_counts", pd.DataFrame({"lsoa_code": ["E1"], "homes": [1]}))
    with pytest.raises(NotebookError, match="1_open does not release client_flags"):
        open_study("1_open").last_release("client_flags")


def test_a_last_release_of_other_data_is_none_of_this_one(mirror: str, closed: Path) -> None:
    sample = open_study("2_closed")
    sample.load("clients")
    sample.release("client_flags", pd.DataFrame({"client": [1], "age": [70]}))
    real = open_study("2_closed", data="real", mirror=mirror)
    real.finder = replace(real.finder, stand_ins=True)
    assert real.last_release("client_flags") is None
    real.load("clients")  # a twin, as its file is not there
    real.release("client_flags", pd.DataFrame({"client": [1], "age": [70]}))
    (closed / "clients.csv").write_text("lsoa_code,surname,age\nE1,Somebody,70\n", encoding="utf-8")
    filed = open_study("2_closed", data="real", mirror=mirror)
    filed.load("clients")
    assert filed.last_release("client_flags") is None


def give_nations(workbook: Workbook, lines: str) -> None:
    national = workbook.catalogue / "national.yaml"
    text = national.read_text(encoding="utf-8")
    national.write_text(text.replace("    id: prices\n", f"    id: prices\n{lines}"), encoding="utf-8")


@pytest.mark.parametrize(("nations", "there"), [("[E, W]", True), ("[S]", False)])
def test_a_source_of_another_nation_is_not_there(workbook: Workbook, nations: str, there: bool) -> None:
    give_nations(workbook, f"    optional: true\n    nations: {nations}\n")
    assert open_study().has("prices") is there


def test_a_source_of_some_nations_has_to_be_optional(workbook: Workbook) -> None:
    give_nations(workbook, "    nations: [S]\n")
    with pytest.raises(CatalogueError, match="for some nations alone has to be optional"):
        open_study()


def test_a_notebook_reads_only_what_it_says_it_comes_after(workbook: Workbook) -> None:
    open_study().release("home_counts", open_study().load("homes_2021"))
    study = workbook.notebooks / "small" / "study.yaml"
    text = study.read_text(encoding="utf-8").replace(
        "releases: [home_counts, client_counts", "releases: [client_counts"
    )
    study.write_text(text, encoding="utf-8")
    load_catalogue.cache_clear()
    assert len(open_study("2_closed").published("home_counts"))
    study.write_text(text.replace("title: Clients\n    kind: build", "title: Clients\n    kind: build\n    after: []"))
    load_catalogue.cache_clear()
    with pytest.raises(
        NotebookError, match=r"2_closed reads home_counts, which 1_open releases\. Say so in .*after: \[1_open\]"
    ):
        open_study("2_closed").published("home_counts")
