import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

from councilbook.pages.withheld import LIMITS, Released, mark_totals, read_released, show_withheld
from small_site import APPROVED, COUNTS_AUDIT, ROLE, WAITING, make_audit, make_package, write_dataset


def release(audit: dict, title: str = "Homes", **about: object) -> Released:
    return Released(make_package("homes", title, **about), audit)


def read(*datasets: Released) -> str:
    return " ".join(BeautifulSoup(show_withheld(datasets).text, "html.parser").get_text(" ").split())


def read_row(dataset: Released) -> list[str]:
    row = BeautifulSoup(show_withheld([dataset]).text, "html.parser").table.tbody.tr
    return [" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "Nothing was held back: the one dataset behind this page was made from open sources alone"),
        (3, "Nothing was held back: all 3 datasets behind this page were made from open sources alone"),
    ],
)
def test_open_datasets_share_a_sentence(count: int, words: str) -> None:
    assert words in read(*[release(make_audit())] * count)


def test_a_dataset_without_a_rule_came_from_open_sources_too() -> None:
    assert read(release(make_audit(None))).startswith("Nothing was held back: the one dataset")


def test_counts_that_were_held_back_are_told_in_words() -> None:
    title, rule, held_back, cost, approval = read_row(release(COUNTS_AUDIT, "Clients", approval=APPROVED))

    assert title == "Clients"
    assert rule == (
        "Counts below 10 are not shown, nor are others that would give them back. "
        "What is shown is rounded to the nearest 5."
    )
    assert held_back == "14 of 400 figures (3.5%), in 12 rows"
    assert cost == "figures held back to protect others: 6 largest change by rounding: 2"
    assert approval == f"approved by the {ROLE} on 20 November 2026"


@pytest.mark.parametrize(
    ("totals", "published", "said"),
    [({"ward": "All"}, "what is left", True), ({"ward": "All"}, "rounded", False), ({}, "what is left", False)],
)
def test_totals_of_what_is_left_are_said_to_be_so(totals: dict[str, str], published: str, said: bool) -> None:
    parameters = COUNTS_AUDIT["parameters"] | {"totals": totals, "published_totals": published}
    rule = read_row(release(COUNTS_AUDIT | {"parameters": parameters}))[1]
    assert rule.endswith("Totals are the sums of what is shown.") == said


def test_a_total_that_is_not_the_whole_is_marked_in_its_label() -> None:
    shown = pd.DataFrame({"use": ["Shops", "All uses"], "homes": [40, 55], "is_suppressed": [True, False]})
    marked = mark_totals(shown.assign(is_partial=[False, True]), "use")
    assert list(marked["use"]) == ["Shops", "All uses (only what is shown)"]
    assert list(marked.columns) == ["use", "homes", "is_suppressed"]
    assert mark_totals(shown, "use").equals(shown)


def test_the_other_datasets_are_said_to_be_open() -> None:
    words = read(release(COUNTS_AUDIT, "Clients"), release(make_audit()))

    assert "about people or businesses" in words and "not open" not in words
    assert "Nothing was held back of the other dataset, made from open sources alone" in words


def test_each_limit_has_its_reason_once() -> None:
    soup = BeautifulSoup(show_withheld([release(COUNTS_AUDIT), release(COUNTS_AUDIT, "Clients")]).text, "html.parser")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.select("details tbody tr")]

    assert rows == [
        ["Smallest number that is shown", "10", "Below ten, people could be told.", "Homes; Clients"],
        ["Numbers are rounded to multiples of", "5", "Or changes would tell.", "Homes; Clients"],
    ]


def test_every_limit_that_has_a_reason_has_words() -> None:
    reasons = yaml.safe_load((Path(__file__).parents[2] / "data/catalogue/disclosure.yaml").read_text(encoding="utf-8"))

    assert set(reasons) - {"approver"} == set(LIMITS)


def test_what_was_lost_of_a_column_is_told_in_words() -> None:
    lost = {"counted in the totals but suppressed, % of starts_here": 24.6}

    told = read(release(make_audit("counts", parameters={"threshold": 10, "round_to": 5}, information_lost=lost)))

    assert "% of starts here: 24.60" in told


@pytest.mark.parametrize(
    ("rule", "parameters", "words"),
    [
        ("magnitudes", {"threshold": 10}, "fewer than 10 contributions"),
        ("records", {"k": 7}, "at least 7 records look alike"),
        ("model", {"threshold": 12}, "groups of at least 12 records"),
        ("something_new", {}, "By the rule something_new."),
    ],
)
def test_every_rule_has_words(rule: str, parameters: dict, words: str) -> None:
    assert words in read_row(release(make_audit(rule, parameters=parameters)))[1]


def test_a_missing_record_is_not_taken_for_nothing_held_back(tmp_path: Path) -> None:
    write_dataset(tmp_path, make_package("homes", "Homes"), None)
    row = read_row(read_released(tmp_path / "homes"))

    assert row[1] == "Not known: the record of its release is missing."
    assert row[2] == "not known"


def test_the_record_of_an_older_library_is_enough(tmp_path: Path) -> None:
    audit = {
        "rule": "counts",
        "parameters": {"threshold": 10, "round_to": 5},
        "cells_suppressed": 1,
        "rows_suppressed": 1,
    }
    package = make_package("homes", "Homes")
    del package["councilbook"]["approval"]
    write_dataset(tmp_path, package, audit)
    released = read_released(tmp_path / "homes")

    assert released.waits_for is None
    assert read_row(released)[2] == "1 figure, in 1 row"


def test_a_dataset_waits_for_a_role() -> None:
    waiting = release(COUNTS_AUDIT, approval=WAITING)

    assert waiting.waits_for == ROLE
    assert read_row(waiting)[4] == f"waits for the {ROLE}"


def test_hostile_words_are_escaped() -> None:
    audit = json.loads(json.dumps(COUNTS_AUDIT)) | {"information_lost": {"<script>": "<b>"}}

    assert "<script>" not in show_withheld([release(audit, "<script>x</script>")]).text


def test_what_waits_until_a_licence_is_settled_says_so_though_all_is_open() -> None:
    why = "The licence is to be settled of: Visits."
    told = read(release(make_audit(), "Areas", approval=WAITING | {"why": why}), release(make_audit()))
    assert f"Areas waits for the {ROLE}. {why}" in told
    assert told.count("waits for") == 1
