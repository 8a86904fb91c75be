"""Councils beside each other: what is compared, how sure it is, and what the page says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from statsmodels.stats.proportion import confint_proportions_2indep

from councilbook.pages.comparisons.figures import (
    Comparison,
    compare_councils,
    find_difference,
    list_shared,
    measure,
    say_difference,
)
from councilbook.pages.page import PAGE_BYTES
from councilbook.pages.reports.report_records import read_reports
from councilbook.pages.site import build_site
from small_comparison import make_rows, make_share, make_study, write_council
from small_site import ROLE, WAITING


def compare(reports: Path, **changes: Any) -> Comparison:
    names = {one.council.name: one for one in read_reports(reports)}
    return compare_councils(reports, names, make_share(**changes))


def read(file: Path) -> BeautifulSoup:
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


# --- one figure ---


def test_a_share_of_several_districts_is_of_their_sums_with_wilsons_interval() -> None:
    rows = pd.DataFrame({"cold": [4.0, 6.0], "homes": [20.0, 80.0]})
    found = measure(rows, make_share())
    assert found == pytest.approx({"value": 10, "low": 5.523, "high": 17.437, "size": 100}, abs=1e-3)


def test_rows_with_intervals_are_weighed_and_their_distances_added_by_squares() -> None:
    rows = pd.DataFrame({"pct": [50.0, 70.0], "low": [46.0, 60.0], "high": [53.0, 74.0], "adults": [300.0, 100.0]})
    spec = make_share(value="pct", low="low", high="high", of=None, weight="adults")
    found = measure(rows, spec)
    assert found["value"] == 55
    assert found["low"] == pytest.approx(55 - np.sqrt((0.75 * 4) ** 2 + (0.25 * 10) ** 2))
    assert found["high"] == pytest.approx(55 + np.sqrt((0.75 * 3) ** 2 + (0.25 * 4) ** 2))


def test_an_estimate_with_its_interval_is_for_each_hundred_of_what_it_is_divided_by() -> None:
    rows = pd.DataFrame({"estimate": [260.0], "low": [230.0], "high": [330.0], "roll": [200.0]})
    found = measure(rows, make_share(value="estimate", low="low", high="high", of="roll"))
    assert found == pytest.approx({"value": 130, "low": 115, "high": 165, "size": 200})


@pytest.mark.parametrize(
    "changes", [{"of": None}, {"weight": "homes"}, {"low": "low"}, {"of": None, "weight": "homes"}, {"per": 0}]
)
def test_a_declaration_that_gives_no_interval_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_share(**changes)


# --- two figures ---

counts = st.tuples(st.integers(0, 400), st.integers(1, 400)).map(lambda two: (min(two), max(two)))


@given(counts, counts)
def test_the_difference_of_two_shares_has_newcombes_interval(one: tuple[int, int], other: tuple[int, int]) -> None:
    spec = make_share(per=1, unit="")
    figures = [measure(pd.DataFrame({"cold": [float(a)], "homes": [float(b)]}), spec) for a, b in (one, other)]
    expected = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff")
    assert find_difference(figures[0], figures[1])[1:] == pytest.approx(expected, abs=1e-9)


def test_a_sentence_says_which_is_higher_or_that_nobody_can_tell() -> None:
    low, high = {"value": 10, "low": 9, "high": 12}, {"value": 20, "low": 18, "high": 21}
    near = {"value": 11, "low": 9.5, "high": 12.0}
    spec, other = make_share(), make_share(unit=" places")
    assert say_difference(spec, ("A", "B"), (low, high)) == "A is 10.0 points below B; the 95% interval is 7.2 to 11.4."
    assert say_difference(spec, ("B", "A"), (high, low)) == "B is 10.0 points above A; the 95% interval is 7.2 to 11.4."
    assert say_difference(other, ("A", "B"), (low, near)) == (
        "A and B cannot be told apart; the 95% interval is 2.4 places below to 1.5 places above."
    )


def test_councils_that_share_areas_are_known() -> None:
    codes = {"Kent": frozenset({"1", "2", "3"}), "Dover": frozenset({"2"}), "Leeds": frozenset({"9"})}
    assert list_shared(codes) == {"Kent": {"Dover"}, "Dover": {"Kent"}}


# --- what is compared ---


def test_all_are_of_the_period_that_most_have_and_the_others_are_named(tmp_path: Path) -> None:
    both = pd.concat([make_rows(1, 10, 2023), make_rows(3, 10, 2024), make_rows(9, 10, 2024, "house")])
    write_council(tmp_path, "north", both)
    write_council(tmp_path, "south", make_rows(4, 20, 2023))
    write_council(tmp_path, "west", make_rows(5, 20, 2022))
    found = compare(tmp_path)
    assert found.period == "2023"
    assert found.table["value"].to_dict() == {"North": 10, "South": 20}
    assert found.left_out == {"West": "It has no whole figure of 2023."}


def test_of_periods_that_equally_many_have_it_is_the_newest(tmp_path: Path) -> None:
    for slug in ("north", "south"):
        write_council(tmp_path, slug, pd.concat([make_rows(3, 10, 2024), make_rows(1, 10, 2023)]))
    assert compare(tmp_path).table["value"].to_list() == [30, 30]


def test_what_is_a_draft_synthetic_hidden_or_not_there_is_left_out_and_why(tmp_path: Path) -> None:
    write_council(tmp_path, "north", make_rows(3, 10))
    write_council(tmp_path, "draft", make_rows(3, 10), approval=WAITING)
    write_council(tmp_path, "twin", make_rows(3, 10), kinds=["real", "synthetic"])
    write_council(tmp_path, "hidden", pd.concat([make_rows(3, 10), make_rows(3, 10).assign(cold=None)]))
    write_council(tmp_path, "partial", make_rows(3, 10).assign(is_partial=True))
    write_council(tmp_path, "empty", make_rows(0, 0))
    write_council(tmp_path, "older", make_rows(3, 10).drop(columns="kind"))
    write_council(tmp_path, "without", make_rows(3, 10), id="other")
    found = compare(tmp_path)
    hidden = "A part of its figure is hidden or missing."
    assert list(found.table.index) == ["North"]
    assert found.left_out == {
        "Draft": f"It waits for approval by the {ROLE}.",
        "Twin": "Its figure is synthetic, and the others are real.",
        "Without": "The dataset was not released with its report.",
        **dict.fromkeys(["Hidden", "Partial", "Empty", "Older"], hidden),
    }


# --- the page ---


def test_real_and_sample_are_never_on_one_page_and_pages_of_nothing_go(tmp_path: Path) -> None:
    catalogue = make_study(tmp_path)
    reports = catalogue.workbook.reports
    (reports / "councils-gone-real.html").write_text("")
    write_council(reports, "north", make_rows(30, 100))
    write_council(reports, "south", make_rows(50, 100))
    write_council(reports, "north", make_rows(99, 100), data="sample", kinds=["synthetic"])
    build_site(catalogue)
    assert [one.name for one in reports.glob("councils-*")] == [
        "councils-warmth-real.html"
    ]  # one beside nobody is none
    write_council(reports, "west", make_rows(20, 100), data="sample", kinds=["synthetic"])
    build_site(catalogue)
    assert {one.name for one in reports.glob("councils-*")} == {
        "councils-warmth-real.html",
        "councils-warmth-sample.html",
    }
    real, sample = (read(reports / f"councils-warmth-{data}.html").main.get_text(" ") for data in ("real", "sample"))
    assert "30.0" in real and "99.0" not in real
    assert "99.0" in sample and "20.0" in sample
    assert "North is 20.0 points below South; the 95% interval is 6.4 to 32.6." in real
    links = [link["href"] for link in read(reports / "index.html").select("main a")]
    found = json.loads(read(reports / "search.html").select_one("#index").string)
    assert ["councils-warmth-real.html", "Councils beside each other: Warm homes, real data"] in found["pages"]
    assert links[:2] == ["councils-warmth-real.html", "councils-warmth-sample.html"]


def test_of_councils_that_share_areas_no_difference_is_given(tmp_path: Path) -> None:
    catalogue = make_study(tmp_path)
    for slug, cold, codes in (("county", 30, ("1", "2")), ("district", 50, ("2",)), ("other", 10, ("3",))):
        write_council(catalogue.workbook.reports, slug, make_rows(cold, 100), codes=codes)
    build_site(catalogue)
    rows = read(catalogue.workbook.reports / "councils-warmth-real.html").select("table")[-1].select("tbody tr")
    said = {row.th.get_text(): row.td.get_text() for row in rows}
    assert said["County and District"] == "They share areas, so no difference is given."
    assert said["County and Other"].startswith("County is 20.0 points above Other;")


def draw_titles(catalogue: Any) -> list[str]:
    build_site(catalogue)
    page = read(catalogue.workbook.reports / "councils-warmth-real.html")
    return [str(one.get_text(" ", strip=True)).split(": ")[-1] for one in page.select("figcaption")]


def test_a_map_is_drawn_where_outlines_are_there_and_do_not_lie_on_each_other(tmp_path: Path) -> None:
    catalogue = make_study(tmp_path, outlines="cold_homes")
    reports = catalogue.workbook.reports
    for place, slug in enumerate(("north", "south", "west")):
        box = (500_000 + 9000 * place, 200_000, 508_000 + 9000 * place, 209_000)
        write_council(reports, slug, make_rows(10 + 20 * place, 100), outline=box)
    write_council(reports, "nowhere", make_rows(40, 100))
    assert draw_titles(catalogue)[-1].startswith("map")

    stacked = make_study(tmp_path / "stacked", outlines="cold_homes")
    for place, slug in enumerate(("north", "south", "west")):
        box = (500_000, 200_000, 508_000 + place, 209_000)
        write_council(stacked.workbook.reports, slug, make_rows(10 + place, 100), outline=box)
    assert not any("map" in title for title in draw_titles(stacked))


def test_three_hundred_councils_fit_on_a_page(tmp_path: Path) -> None:
    catalogue = make_study(tmp_path)
    reports = catalogue.workbook.reports
    rng = np.random.default_rng(7)
    for number, homes in enumerate(rng.integers(50, 9000, 300)):
        write_council(reports, f"place{number}", make_rows(int(homes * rng.uniform(0.1, 0.4)), int(homes)))
    titles = draw_titles(catalogue)
    file = reports / "councils-warmth-real.html"
    assert file.stat().st_size < PAGE_BYTES
    assert len(read(file).select("main tbody tr")) >= 300
    assert any("funnel" in title for title in titles) and not any("interval" in title for title in titles)
