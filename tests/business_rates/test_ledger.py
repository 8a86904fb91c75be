"""A council's ledger is read by the columns that it has confirmed, and each message says where it can confirm them."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from councilbook.business_rates.ledger.reading import inspect_ledger, read_ledger
from councilbook.catalogue import Finder, load_catalogue
from councilbook.cli import app
from councilbook.errors import CheckError, SourceError
from councilbook.paths import find_workbook
from councilbook.running.checking import require_readable
from councilbook.running.jobs import plan_jobs
from councilbook.running.sources import find_sources
from councilbook.sources.mappings import read_mapping, write_mapping
from councilbook.study import Study

OWN = "Key,Who,Where,Worth,Since"  # headers that no other council has
ROWS = "".join(f"K{n},Firm {n} Ltd,{n} Mill Lane BD1 1A{'ABD'[n % 3]},{n}000,2019-04-0{n}\n" for n in range(1, 9))
KNOWN = "Property reference number,Ratepayer,Address,Rateable value,Liability start date\n" + ROWS
COLUMNS = "columns:\n  Key: property_reference\n  Who: ratepayer_name\n  Where: address\n  Worth: rateable_value_gbp\n"
DAY = "2026-01-31"
FOOD_ELSEWHERE = pd.DataFrame({
    "authority": ["Elsewhere"] * 9, "postcode": ["EX1 1AA"] * 9, "latitude": [50.7] * 9, "longitude": [-3.5] * 9
})  # fmt: skip


@pytest.fixture
def closed(tmp_path, monkeypatch):
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(tmp_path))
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(find_workbook(Path(__file__).parent).root))
    return tmp_path


@pytest.fixture
def finder(closed):
    catalogue = load_catalogue(find_workbook(Path(__file__).parent))
    return Finder(catalogue, "real", catalogue.council("bradford"), 1)


@pytest.fixture
def study(finder):
    return Study(finder.catalogue, finder.catalogue.study("business_rates"), "3_publish", finder, DAY)


def put(closed, content):
    (closed / "rates_ledger.csv").write_text(content)


def find(study):
    return study.finder.find_local(study.catalogue.source("rates_ledger"))


def test_headers_that_nobody_knows_are_read_once_the_council_has_said_what_they_are(closed, study):
    put(closed, OWN + "\n" + ROWS)
    with pytest.raises(SourceError, match=r"correct columns_rates_ledger.yaml.*`councilbook columns business"):
        read_ledger(study, find(study))
    inspection = inspect_ledger(study, find(study))
    assert list(inspection.mapping) == OWN.split(",")
    file = closed / "columns_rates_ledger.yaml"
    write_mapping(file, inspection, "rates_ledger.csv", force=False)
    with pytest.raises(CheckError, match=r"columns_rates_ledger.yaml in the closed folder says of no column"):
        read_ledger(study, find(study))
    file.write_text(COLUMNS)
    frame = read_ledger(study, find(study)).frame
    assert frame["rateable_value_gbp"].sum() == 36_000
    assert frame["postcode"].nunique() == 3
    assert frame["liability_start_date"].isna().all()


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "Property reference number,Ratepayer,Address,Rateable value,Account holder",
            "and 'Account holder'",
        ),
        ("Property reference number,Ratepayer,Address,Liability start date,Rateable value", "Liability start date"),
    ],
)
def test_what_cannot_be_told_names_the_file_in_which_it_can_be_said_and_is_shown_to_be_corrected(
    closed, study, header, told
):
    put(closed, header + "\n" + ROWS)
    inspection = inspect_ledger(study, find(study))
    assert inspection.fault
    assert inspection.fault.startswith("rates_ledger.csv: ")
    assert told in inspection.fault
    assert "correct columns_rates_ledger.yaml in the closed folder" in inspection.fault
    assert list(inspection.mapping) == header.split(",")
    assert inspection.mapping["Address"] == "address"
    assert "Firm" not in inspection.columns.to_csv() + inspection.fault


def test_a_wrong_mapping_is_told_with_the_file_that_it_stands_in(closed, study):
    put(closed, KNOWN)
    (closed / "columns_rates_ledger.yaml").write_text("columns:\n  Address: adress\n")
    with pytest.raises(CheckError, match=r"'adress' that there is not.*read as columns_rates_ledger.yaml in the"):
        read_ledger(study, find(study))


def test_the_ledger_of_the_month_before_goes_by_the_same_file(closed, study):
    (closed / "rates_ledger_before.csv").write_text(OWN + "\n" + ROWS)
    (closed / "columns_rates_ledger.yaml").write_text(COLUMNS)
    before = study.finder.find_local(study.catalogue.source("rates_ledger_before"))
    assert len(read_ledger(study, before).frame) == 8


def test_a_twin_goes_by_no_mapping(closed, study):
    (closed / "columns_rates_ledger.yaml").write_text("columns: {}\n")
    sample = Finder(study.catalogue, "sample", study.finder.council, 1)
    assert sample.find_mapping(study.catalogue.source("rates_ledger")) is None


def test_an_unreadable_ledger_stops_a_run_before_its_first_notebook_with_the_words_of_a_check(
    closed, study, finder, monkeypatch
):
    put(closed, KNOWN.replace("Firm 7", "Firm \0"))
    message = "rates_ledger.csv: row 8 has a NUL byte"
    for notebooks in (["2_enrich"], ["1_landscape", "5_bills"]):
        with pytest.raises(SourceError, match=message):
            require_readable(finder.catalogue, "business_rates", notebooks, finder, DAY)
    assert message in study.inspect_file(find(study)).fault
    require_readable(finder.catalogue, "business_rates", ["1_landscape"], finder, DAY)
    put(closed, KNOWN)
    monkeypatch.setattr(Study, "check_owner", lambda *_given: None)  # of a few rows nobody can tell whose they are
    require_readable(finder.catalogue, "business_rates", ["2_enrich"], finder, DAY)


@pytest.mark.parametrize("ending", ["txt", "txt.gz", "tsv", "xls", "xlsb", "xlsm"])
def test_a_ledger_has_the_ending_that_the_system_of_a_council_gives_it(closed, study, ending):
    (closed / f"rates_ledger_bradford_2026-01.{ending}").write_text(KNOWN.replace(",", "\t"))
    assert study.inspect_file(find(study)).result == "8 rows: 8 kept"


def test_a_web_page_that_is_called_a_workbook_is_refused_with_the_way_out(closed, study):
    (closed / "rates_ledger.xls").write_text(f"<html><table><tr><td>{KNOWN}</td></tr></table></html>")
    with pytest.raises(SourceError, match=r"is a web page or XML, whatever its name says.*as a workbook or CSV"):
        find(study)


HEADER, _, HEADLESS = KNOWN.partition("\n")


@pytest.mark.parametrize(("name", "content", "fault", "shown"), [
    ("rates_ledger.csv", HEADLESS.encode(), "is the header of a roll", []),  # whose first record is no header
    ("rates_ledger.csv", b"Key,Who\nK1,\0\n", "row 2 has a NUL byte", ["Key", "Who"]),
    ("rates_ledger.xlsx", b"PK\3\4 cut", "damaged, or was cut off", []),
    ("rates_ledger.csv", HEADER.encode(), "None of its 0 rows is a property", HEADER.split(",")),
])  # fmt: skip
def test_of_a_file_that_cannot_be_read_is_shown_what_can_be_and_never_a_record(closed, name, content, fault, shown):
    (closed / name).write_bytes(content)
    told = CliRunner().invoke(app, ["columns", "business_rates", "--council", "bradford"], env={"COLUMNS": "200"})
    assert told.exit_code == 1
    assert fault in told.output and "A run stops here" in told.output
    assert "Firm" not in told.output and "K1" not in told.output
    file = closed / "columns_rates_ledger.yaml"
    assert (list(read_mapping(file)) if shown else file.exists()) == (shown or False)
    assert ("no column of it can be shown" in told.output) is not bool(shown)


def test_a_folder_of_parts_is_one_ledger_for_a_check_as_for_a_run(closed, study, finder, monkeypatch):
    (closed / "rates_ledger_bradford").mkdir()
    for part, lines in enumerate((ROWS.splitlines()[:5], ROWS.splitlines()[5:])):
        text = "\n".join([KNOWN.splitlines()[0], *lines])
        (closed / "rates_ledger_bradford" / f"part{part}.csv").write_text(text)
    found = find(study)
    assert found.names_council and len(read_ledger(study, found).frame) == 8
    assert study.inspect_file(found).result == "8 rows: 8 kept"
    with pytest.raises(CheckError, match="food premises"):  # whose it is is asked as of one file
        monkeypatch.setattr("councilbook.business_rates.ledger.owners._find_authorities", lambda _names: [])
        monkeypatch.setattr("councilbook.business_rates.ledger.owners.refuse_other_wards", lambda *_given: None)
        monkeypatch.setattr(Study, "load_table", lambda *_given: FOOD_ELSEWHERE)
        study.check_owner(found)
    copy = (closed / "rates_ledger_bradford" / "part0.csv").read_text()
    (closed / "rates_ledger_bradford" / "part2.csv").write_text(copy)
    with pytest.raises(SourceError, match="'part0' and 'part2' hold the same properties") as error:
        require_readable(finder.catalogue, "business_rates", ["2_enrich"], finder, DAY)
    assert study.inspect_file(find(study)).fault == str(error.value)


def test_an_error_that_nobody_foresaw_shows_no_cell(closed, study, monkeypatch):
    put(closed, KNOWN)

    def fail(*_, **__):
        raise ValueError("Firm 1 Ltd")

    monkeypatch.setattr("councilbook.business_rates.ledger.reading.read_roll", fail)
    fault = study.inspect_file(find(study)).fault
    assert "rates_ledger.csv: it cannot be read (ValueError)" in fault
    assert "Firm" not in fault


def test_a_changed_mapping_is_another_source(closed, finder, monkeypatch):
    put(closed, KNOWN)
    monkeypatch.setattr("councilbook.running.sources.list_study_sources", lambda *_: [])
    job = plan_jobs(finder.catalogue, ["business_rates"], ["bradford"], today=DAY, mode="real")[0]
    seen = []
    for text in (None, COLUMNS, COLUMNS + "  Since: ~\n"):
        if text:
            (closed / "columns_rates_ledger.yaml").write_text(text)
        found = find_sources(finder.catalogue, job, {}, lambda _: None)
        seen.append(found["rates_ledger"])
    assert len(set(seen)) == 3


def test_the_command_shows_what_was_found_and_writes_it_once(closed):
    put(closed, KNOWN)
    given = ["columns", "business_rates", "rates_ledger", "--council", "bradford"]
    first = CliRunner().invoke(app, given)
    assert first.exit_code == 0, first.output
    assert "8 rows: 8 kept" in first.output
    assert "Firm" not in first.output
    file = closed / "columns_rates_ledger.yaml"
    assert read_mapping(file)["Rateable value"] == "rateable_value_gbp"
    file.write_text("columns:\n  Ratepayer: adress\n")
    second = CliRunner().invoke(app, given)
    assert second.exit_code == 1
    assert "A run stops here" in second.output
    assert "left alone" in second.output
    assert read_mapping(file) == {"Ratepayer": "adress"}
    assert CliRunner().invoke(app, [*given, "--force"]).exit_code == 0
    assert read_mapping(file)["Ratepayer"] == "ratepayer_name"
    assert read_mapping(closed / "columns_rates_ledger.yaml.before") == {"Ratepayer": "adress"}


@pytest.mark.parametrize(
    ("source", "told"), [("rates_ledgr", "Did you mean rates_ledger"), ("food_hygiene_ratings", "is no source")]
)
def test_the_command_refuses_what_has_no_columns_to_tell(closed, source, told):
    result = CliRunner().invoke(app, ["columns", "business_rates", source])
    assert result.exit_code == 1
    assert told in result.stderr


def test_the_command_needs_a_closed_folder(closed, monkeypatch):
    monkeypatch.delenv("COUNCILBOOK_CLOSED")
    result = CliRunner().invoke(app, ["columns", "business_rates"])
    assert result.exit_code == 1
    assert "COUNCILBOOK_CLOSED names no closed folder" in result.stderr
