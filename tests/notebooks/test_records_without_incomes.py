"""Records of health and care without incomes, costs and ratings go through the study, and its report says so."""

import shutil
from pathlib import Path

import pandas as pd

from councilbook.fuel_poverty.households.targeting import PERFECT
from councilbook.paths import Workbook
from whole_workbook import run_councilbook

TWIN = """
import io

import pandas as pd

from councilbook.fuel_poverty.households.extract import DEFINING
from councilbook.fuel_poverty.twin.records_twin import make_records as make_all


def make_records(source, request):
    made = make_all(source, request)
    homes = pd.read_csv(io.BytesIO(made["kid_households"]), dtype=str)
    made["kid_households"] = homes.drop(columns=list(DEFINING)).to_csv(index=False).encode()
    return made
"""


def test_an_extract_without_incomes_runs_and_the_report_says_what_is_missing(sample: Workbook, tmp_path: Path) -> None:
    book = Workbook(Path(shutil.copytree(sample.root, tmp_path / "book")))
    (tmp_path / "bare_twin.py").write_text(TWIN, encoding="utf-8")
    file = book.catalogue / "fuel_poverty.yaml"
    text = file.read_text("utf-8").replace("councilbook.fuel_poverty.twin.records_twin:", "bare_twin:")
    file.write_text(text, "utf-8")
    shutil.rmtree(book.processed)  # what was published of records that know more is not to be held against these
    run = run_councilbook(book, "run", "fuel_poverty", PYTHONPATH=str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    folder = book.processed / "fuel_poverty" / "kent_medway"
    reached = pd.read_csv(folder / "home_visit_targeting" / "home_visit_targeting.csv")
    assert PERFECT not in set(reached["order"])
    flags = pd.read_csv(folder / "fuel_poverty_flag_counts" / "fuel_poverty_flag_counts.csv")
    assert "low_rating" not in set(flags["flag"])
    page = (book.reports / "fuel_poverty" / "kent_medway" / "index.html").read_text("utf-8")
    for part in ("no fuel poverty gap is known", "learnt from <strong>official rates of areas", "is expected to reach"):
        assert part in page
