"""The study end to end on the official files, as a council runs it."""

import json
import re
import shlex

import frictionless
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from councilbook.gate.files import find_file
from councilbook.paths import place_outputs
from whole_workbook import ROOT, copy_workbook, run_councilbook


@pytest.fixture(scope="module")
def workbook(mirror, tmp_path_factory):
    workbook = copy_workbook(tmp_path_factory.mktemp("real"))
    real = ["--data", "real", "--mirror", str(mirror)]
    done = run_councilbook(workbook, "run", "fuel_poverty", *real, "--council", "kent_medway,E06000047", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    return workbook


@pytest.mark.parametrize(
    ("council", "year", "poor", "households"),
    [
        ("kent_medway", 2013, 64596, 732409),
        ("kent_medway", 2024, 71609, 812386),
        ("county_durham", 2013, 26050, 226091),
        ("county_durham", 2024, 24731, 247911),
    ],
)
def test_the_published_dataset_holds_the_published_figures(workbook, council, year, poor, households):
    years = pd.read_csv(
        find_file(workbook.processed / place_outputs("fuel_poverty", council, "real") / "lsoa_fuel_poverty", "csv")
    )
    sums = years.groupby("year")[["fuel_poor_households", "households"]].sum()
    assert tuple(sums.loc[year]) == (poor, households)
    assert sums.index.max() == 2024


def test_datasets_are_valid_and_say_what_of_them_is_real(workbook):
    for package in workbook.processed.rglob("datapackage.json"):
        assert frictionless.validate(str(package)).valid
        about = json.loads(package.read_text(encoding="utf-8"))["councilbook"]
        rows = about["provenance"]
        assert about["synthetic"] == any(row["spectrum"] != "open" for row in rows)  # of closed files there are twins
        assert all(row["origin"] == ("mirror" if row["spectrum"] == "open" else "twin") for row in rows)
        assert all(len(row["sha256"]) == 64 for row in rows)


def test_the_report_says_what_of_it_is_real_and_for_whom(workbook):
    page = (workbook.reports / "fuel_poverty" / "county_durham" / "real" / "index.html").read_text(encoding="utf-8")
    assert "County Durham" in page
    assert "Synthetic figures" not in page
    assert "partly synthetic, partly assumed" in page
    assert "The records behind this part are synthetic" in page


@pytest.mark.parametrize("council", ["kent_medway", "county_durham"])
def test_the_summary_of_a_real_council_rests_on_real_figures_alone(workbook, council):
    page = (workbook.reports / place_outputs("fuel_poverty", council, "real") / "index.html").read_text(
        encoding="utf-8"
    )
    soup = BeautifulSoup(page, "html.parser")
    summary = " ".join(soup.select_one(".summary").get_text().split())
    assert "were in fuel poverty by the official estimate" in summary and "postcodes" in summary
    assert "synthetic" not in summary and "visits" not in summary
    banner = " ".join(soup.select_one(".data-banner").get_text().split())
    assert banner.startswith("Real, synthetic and assumed figures.")
    kinds = {table.find_previous(class_="kinds").get_text() for table in soup.select(".story .step table")}
    assert {"real", "synthetic", "assumed"} <= kinds


@pytest.mark.parametrize("council", ["kent_medway", "county_durham"])
def test_the_report_says_what_is_newer_which_of_two_figures_it_uses_and_that_every_area_has_postcodes(
    workbook, council
):
    page = (workbook.reports / place_outputs("fuel_poverty", council, "real") / "index.html").read_text(
        encoding="utf-8"
    )
    for part in (
        "LSOA domestic gas consumption, of 2019 here, while that of 2024 is out",
        "11.0% (2.73 million households)",
        "9.95% (2.47 million)",
        "are no errors",
        "must not be used for trends within one small area",
        "small areas of the official figures has postcodes in the list",
        "Attendance Allowance",
    ):
        assert part in page, part


def test_a_council_that_the_files_lack_fails_alone_and_names_the_source(workbook, mirror):
    done = run_councilbook(
        workbook, "run", "fuel_poverty", "--data", "real", "--mirror", str(mirror), "--council", "E06000001,kent_medway"
    )
    assert done.returncode == 1
    assert "has no row for Hartlepool" in done.stdout + done.stderr
    assert "nothing changed" in done.stdout
    assert not (workbook.processed / "fuel_poverty" / "hartlepool").exists()


def test_the_tutorial_does_what_it_says(workbook, mirror):
    """All its commands but the first, which is what `make run` does."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    first, *commands = [shlex.split(line) for line in "".join(blocks).splitlines()]
    assert first == ["councilbook", "run"]
    assert len(commands) >= 8
    (workbook.root.parent / "closed").mkdir()
    for program, *arguments in commands:
        assert program == "councilbook"
        done = run_councilbook(workbook, *[str(mirror) if one == "../shared/data" else one for one in arguments])
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    assert len(list((workbook.root.parent / "closed").glob("example_kid_*.csv"))) == 2
