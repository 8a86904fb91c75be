"""The business rates study on Bradford's own published roll and food register."""

import json
from pathlib import Path

import pandas as pd
import pytest

from councilbook.gate.files import find_file
from councilbook.paths import place_outputs
from whole_workbook import copy_workbook, run_councilbook

VERDICTS = Path(__file__).with_name("bradford_link_verdicts.csv")


@pytest.fixture(scope="module")
def bradford(mirror, tmp_path_factory):
    workbook = copy_workbook(tmp_path_factory.mktemp("bradford"))
    closed = tmp_path_factory.mktemp("closed")
    pd.read_csv(VERDICTS)[["pair_id", "verdict"]].to_csv(closed / "link_verdicts.csv", index=False)
    options = ("--council", "bradford", "--data", "real", "--mirror", str(mirror), "--run-date", "2026-01-31")
    options = (*options, "--allow-stand-ins")  # the closed folder has verdicts, and no ledger
    done = run_councilbook(workbook, "run", "business_rates", *options, COUNCILBOOK_CLOSED=str(closed))
    assert done.returncode == 0, done.stdout + done.stderr
    return tuple(
        root / place_outputs("business_rates", "bradford", "real") for root in (workbook.processed, workbook.reports)
    )


def read(folder, dataset):
    return pd.read_csv(find_file(folder / dataset, "csv"))


def test_every_property_is_in_the_register_and_names_only_where_something_proves_an_organisation(bradford):
    register = read(bradford[0], "open_rates_register")
    assert len(register) == 19_019  # of 19,323 rows, 232 have no rateable value and 72 are ragged
    assert 0.45 < register["released_name"].notna().mean() < 0.65
    nameless = register[register["released_name"].isna()]
    told = ["liability_start_date", "is_occupied", "small_business_relief", "mandatory_relief", "exemption"]
    assert nameless[told].isna().all(axis=None)


def test_it_says_that_the_roll_is_real(bradford):
    package = json.loads((bradford[0] / "open_rates_register" / "datapackage.json").read_text(encoding="utf-8"))
    sources = {row["source_id"]: row["synthetic"] for row in package["councilbook"]["provenance"]}
    assert sources["published_rates_roll"] is False
    assert "rates_ledger" not in sources


def test_far_more_food_premises_are_linked_than_an_exact_match_finds(bradford):
    counts = read(bradford[0], "link_counts").set_index("register").loc["food_hygiene"]
    assert counts["records"] == 4_245  # 4,246, rounded to five
    assert counts["linked"] > 5 * counts["exact"]


def test_the_clerks_verdicts_say_how_many_links_are_right(bradford):
    review = read(bradford[0], "link_review").set_index("register").loc["food_hygiene"]
    assert review["reviewed"] >= 140  # of the 270, those on links that are used
    assert review["right_low"] <= review["right"] <= review["right_high"] <= review["links"]
    assert review["right"] / review["links"] > 0.9
    assert "A clerk looked at a sample of the links" in (bradford[1] / "index.html").read_text(encoding="utf-8")


def test_the_page_is_small_enough(bradford):
    assert (bradford[1] / "index.html").stat().st_size < 2_000_000
