"""Every study, end to end on its sample: what a new user sees after `make run`."""

import json
import re
import shutil
from pathlib import Path

import frictionless
import geopandas as gpd
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from councilbook.catalogue import load_catalogue
from councilbook.gate.files import find_file
from councilbook.gate.written.packages import choose_root
from councilbook.paths import Workbook, place_outputs
from whole_workbook import find_mirror, run_councilbook

KENT = "fuel_poverty/kent_medway/sample"


@pytest.fixture(scope="module")
def processed(sample):
    return sample.processed / KENT


def test_all_that_the_studies_promise_is_there(sample):
    catalogue = load_catalogue(sample)
    for study in catalogue.studies.values():
        place = place_outputs(study.id, catalogue.council(study.default_council).slug, "sample")
        for name in (name for notebook in study.notebooks.values() for name in notebook.releases):
            dataset = catalogue.dataset(name)
            assert find_file(choose_root(sample, dataset) / place / name, "csv").exists()
            assert (sample.processed / place / name).exists() == (dataset.classification == "open")
        assert (sample.reports / place / "index.html").exists()
    assert (sample.reports / "index.html").exists()


def test_each_dataset_is_a_valid_data_package(sample):
    packages = sorted(sample.processed.rglob("datapackage.json"))
    assert packages
    for package in packages:
        report = frictionless.validate(str(package))
        assert report.valid, (package, report.flatten(["type", "note"]))


def test_the_sample_adds_up_to_the_published_figures_that_its_twin_is_fitted_to(processed):
    years = pd.read_csv(find_file(processed / "lsoa_fuel_poverty", "csv"))
    assert list(years.columns)[:7] == [
        "lsoa_code",
        "lsoa_vintage",
        "year",
        "measure",
        "households",
        "fuel_poor_households",
        "fuel_poor_pct",
    ]
    sums = years.groupby("year")[["households", "fuel_poor_households"]].sum()
    assert tuple(sums.loc[2013]) == (732409, 64596)
    assert tuple(sums.loc[2024]) == (812386, 71609)
    assert not years.duplicated(["lsoa_code", "year"]).any()
    assert years.groupby("measure")["year"].agg(["min", "max"]).to_dict("list") == {
        "min": [2011, 2019],
        "max": [2018, 2024],
    }


def test_geometry_is_the_same_in_both_formats(processed):
    folder = processed / "area_fuel_poverty"
    parquet = gpd.read_parquet(find_file(folder, "parquet")).set_index("area_code")
    geojson = gpd.read_file(find_file(folder, "geojson")).set_index("area_code")
    assert parquet.crs.to_epsg() == 4326
    assert geojson.geometry.is_valid.all()
    outlines = [frame.geometry.loc[parquet.index].normalize() for frame in (parquet, geojson)]
    assert outlines[0].geom_equals_exact(outlines[1], 1e-6).all()


def test_every_page_says_that_it_is_synthetic(sample, processed):
    for page in sample.reports.rglob("*.html"):
        assert re.search("synthetic", page.read_text(encoding="utf-8"), re.IGNORECASE), page
    for package in processed.rglob("datapackage.json"):
        about = json.loads(package.read_text(encoding="utf-8"))["councilbook"]
        assert about["synthetic"] is bool(about["provenance"])  # what counts the catalogue alone is a fact
        assert all(row["synthetic"] for row in about["provenance"])


def test_no_report_shows_the_name_of_a_column_or_a_value_of_python(sample):
    code = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b(?![-.\w]*\.\w)|\bnan\b|<NA>|\bNaT\b")  # a file may be named so
    found = {}
    for page in sample.reports.glob("*/*/sample/*.html"):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "lxml")
        for part in soup(["script", "style", "svg", "code", "pre"]):
            part.decompose()
        if shown := set(code.findall(soup.get_text(" "))):
            found[str(page.relative_to(sample.reports))] = shown
    assert not found


def test_a_second_run_with_nothing_changed_does_nothing_and_says_so(sample):
    before = {path: path.stat().st_mtime_ns for path in sample.processed.rglob("*") if path.is_file()}
    done = run_councilbook(sample, "run")
    assert done.returncode == 0
    assert "nothing changed" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in sample.processed.rglob("*") if path.is_file()}


def test_check_finds_every_source_and_dataset_as_declared(sample):
    done = run_councilbook(sample, "check", "fuel_poverty")
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_council_needs_no_change_of_code(sample, tmp_path):
    if find_mirror().is_dir():
        pytest.skip("tests/real runs other councils on the official files")
    own = Workbook(Path(shutil.copytree(sample.root, tmp_path / "book")))  # other tests look at the sample's site
    done = run_councilbook(own, "run", "fuel_poverty", "--council", "E07000004+E07000005")
    assert done.returncode == 0, done.stdout + done.stderr
    made = own.reports / "fuel_poverty" / "e07000004_e07000005" / "sample"
    assert (made / "index.html").exists()
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in made.rglob("*") if path.suffix in {".html", ".csv"}
    }
    assert [name for name, text in texts.items() if re.search(r"\bKent\b|Medway", text)] == []
    assert KENT in (own.reports / "index.html").read_text(encoding="utf-8")


def test_nothing_that_was_executed_lies_where_readers_look(sample):
    assert not [path for folder in (sample.reports, sample.processed) for path in folder.rglob("*.ipynb")]
    assert sorted(path.name for path in sample.private.rglob("kent_medway/sample/*.ipynb")) == [
        "1_landscape.ipynb",
        "2_areas.ipynb",
        "3_postcodes.ipynb",
        "4_households.ipynb",
        "5_past_programmes.ipynb",
        "6_scenarios.ipynb",
        "7_explore.ipynb",
        "8_report.ipynb",
    ]
