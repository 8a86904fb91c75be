"""The table of councils beside its publisher's, and a council's rows in official files that have no small areas."""

import runpy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from councilbook.catalogue.councils import list_education_codes
from councilbook.errors import SourceError
from councilbook.paths import Workbook, find_workbook
from councilbook.study import Study

pytestmark = pytest.mark.real

PROJECT = find_workbook(Path(__file__).parent)
FOLDER = "doncaster/02_destinations"
CODE = {"description": "Code"}
COUNT = {"type": "integer", "description": "Young people"}
NEET = {
    "level": {**CODE, "column": "geographic_level"},
    "number": {**CODE, "column": "old_la_code", "required": False},
    "gss_code": {**CODE, "column": "new_la_code", "required": False},
    "name": {**CODE, "column": "la_name", "required": False},
    "cohort": {**COUNT, "column": "Cohort_DJFavg"},
}
DISTRICTS = {"time_period": CODE, "lad_code": CODE, "lad_name": CODE, "cohort": COUNT}
SCHOOLS = {
    "kind": {**CODE, "column": "RECTYPE"},
    "number": {**CODE, "column": "LEA", "required": False},
    "urn": {**CODE, "column": "URN", "required": False},
}
TABLES = {
    "neet_by_number": ("nccis_neet_LA_2025.csv", {"education": "number"}, NEET),
    "neet_by_code": ("nccis_neet_LA_2025.csv", {"education": "gss_code"}, NEET),
    "neet_2021": ("nccis_neet_LA_2021.csv", {"education": "gss_code"}, NEET),
    "ks4": ("ees_ks4_destinations_LAD_201516-202223.csv.gz", {"district": "lad_code"}, DISTRICTS),
    "schools": ("england_ks4-pupdest_2022-23_dest202122.csv.gz", {"education": "number"}, SCHOOLS),
}
STUDY = {
    "title": "Options after 16",
    "question": "Which?",
    "default_council": "doncaster",
    "notebooks": {
        "1_build": {"title": "Build", "kind": "build", "sources": list(TABLES)},
        "2_report": {"title": "Report", "kind": "report"},
    },
}


@pytest.fixture
def load(tmp_path, mirror, monkeypatch):
    """Return a function that loads a council's rows of a table; the catalogue has no lookup of small areas."""
    sources = [
        {
            **{"id": name, "title": name, "description": "A file", "publisher": "Department for Education"},
            **{"steward": "Department for Education", "spectrum": "open", "personal_data": False, "licence": "OGL"},
            **{"landing_page": "https://example.org", "published": "2025", "format": "csv", "file": f"{name}.csv"},
            **{"mirror": f"{FOLDER}/{file}", "tables": {"rows": {"areas": areas, "fields": fields}}},
        }
        for name, (file, areas, fields) in TABLES.items()
    ]
    licence = {"title": "OGL", "url": "https://example.org", "attribution": "Contains data."}
    files = {
        "data/catalogue/councils.yaml": {},
        "data/catalogue/careers.yaml": {"licences": {"OGL": licence}, "sources": sources},
        "notebooks/careers/study.yaml": STUDY,
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    for name in ("data/catalogue/disclosure.yaml", "requirements.lock"):
        (tmp_path / name).write_bytes((PROJECT.root / name).read_bytes())
    monkeypatch.setenv("COUNCILBOOK_ROOT", str(Workbook(tmp_path).root))

    def load_rows(council, source):
        settings = {"data": "real", "mirror": str(mirror), "seed": 1, "run_date": "2026-01-31"}
        return Study.open("careers", "1_build", council=council, **settings).load(source)

    return load_rows


@pytest.mark.parametrize("source", ["neet_by_number", "neet_by_code"])
@pytest.mark.parametrize(
    ("council", "rows"),
    [
        ("doncaster", [("371", "E08000017", "Doncaster", 7703)]),
        ("Ashford", [("886", "E10000016", "Kent", 38780)]),  # two tiers: the county's
        ("harrogate", [("815", "E06000065", "North Yorkshire", 12380)]),  # ended in 2023
    ],
)
def test_rows_of_who_runs_the_schools_are_found_by_number_and_by_gss_code(load, source, council, rows):
    frame = load(council, source)
    assert list(frame[["number", "gss_code", "name", "cohort"]].itertuples(index=False, name=None)) == rows


def test_an_earlier_file_has_them_under_the_code_of_its_year(load):
    assert load("North Yorkshire", "neet_2021")[["gss_code", "cohort"]].to_numpy().tolist() == [["E10000023", 11598]]
    assert load("Allerdale", "neet_2021")[["gss_code", "cohort"]].to_numpy().tolist() == [["E10000006", 10133]]
    with pytest.raises(
        SourceError, match=r"neet_2021 .*no row for Cumberland: none has 942 or E06000063 as its gss_code"
    ):
        load("Cumberland", "neet_2021")  # Cumbria's row is of another ground


def test_schools_of_doncaster_are_those_with_its_number(load):
    schools = load("E08000017", "schools")
    assert schools["kind"].value_counts().to_dict() == {"1": 18, "2": 6, "LA": 1}
    assert "137066" in set(schools["urn"])  # Ash Hill Academy
    assert len(load("Swale", "schools")) == 121  # all of Kent's


def test_rows_of_a_district_are_found_under_all_codes_that_it_has_had(load):
    doncaster = load("Doncaster Council", "ks4").set_index("time_period")["cohort"]
    assert (len(doncaster), doncaster["201516"], doncaster["202223"]) == (8, 3217, 3197)
    merged = load("Bournemouth, Christchurch & Poole", "ks4").groupby("time_period")["lad_code"].agg(sorted)
    assert merged["201819"] == ["E06000028", "E06000029", "E07000048"]
    assert merged["201920"] == ["E06000058"]
    assert len(load("North Yorkshire", "ks4")) == 7 * 8  # the file is older than the council
    assert set(load("harrogate", "ks4")["lad_code"]) == {"E07000165"}
    assert len(load("Kent", "ks4")) == 12 * 8


def test_a_council_of_another_nation_has_no_row(load):
    with pytest.raises(SourceError, match="no row for Cardiff: none has W06000015 as its lad_code"):
        load("Caerdydd", "ks4")


def test_every_number_is_the_department_s_own(mirror):
    columns = ["old_la_code", "new_la_code"]
    files = [pd.read_csv(file, dtype=str)[columns] for file in sorted((mirror / FOLDER).glob("nccis_neet_LA_*.csv"))]
    pairs = pd.concat(files).dropna().drop_duplicates()
    assert len(pairs) > 150
    wrong = [
        pair for pair in pairs.itertuples(index=False, name=None) if not set(pair) <= list_education_codes(pair[1])
    ]
    assert wrong == []


def test_the_table_of_councils_is_made_from_its_publisher_s(mirror):
    made = runpy.run_path(str(PROJECT.root / "docs/make_councils.py"))["make_councils"](mirror / "england/councils")
    assert made == (PROJECT.library / "catalogue/councils.csv").read_text(encoding="utf-8")
