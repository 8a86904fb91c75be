"""The data landscape: every source once, where it stands, and what stands in the way of using it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from councilbook.catalogue import Catalogue, Finder, Mode, NotebookSpec, Source
from councilbook.sources.landscape import count_stars, describe_landscape, find_year

CLOSED_AND_UNAGREED = "No data sharing agreement is recorded."
NOT_HERE = "It is not in the closed folder; synthetic data stand in for it."
UNUSED = "No notebook reads it yet."
SOURCE = {
    **{"id": "places", "title": "Places", "description": "Places", "publisher": "DfE", "steward": "DfE"},
    **{"spectrum": "open", "personal_data": False, "licence": "OGL", "published": "2022", "format": "file"},
    **{"landing_page": "https://example.org", "file": "places.csv"},
}


def describe(
    catalogue: Catalogue, mode: Mode = "sample", run_date: str = "2027-03-01", **uses: list[str]
) -> pd.DataFrame:
    """Describe the small workbook's sources, indexed by id, with other sources for a notebook if any are given."""
    study = catalogue.study("small")
    spec = study.model_copy(
        update={
            "notebooks": study.notebooks
            | {name: NotebookSpec(title="", kind="build", sources=sources) for name, sources in uses.items()}
        }
    )
    finder = Finder(catalogue, mode, catalogue.council("north"), 7)
    return describe_landscape(list(catalogue.sources.values()), spec, finder, run_date).set_index("source_id")


def test_a_series_is_one_row_and_closed_sources_come_first(catalogue: Catalogue) -> None:
    rows = describe(catalogue)
    assert rows.index.tolist() == ["clients", "visits", "cold_spots", "homes", "lsoa_lookup", "prices"]
    assert rows["published"].tolist() == ["2022", "2022", "2022", "2020 to 2021", "2022", "2022"]
    assert rows["personal_data"].tolist() == [True, False, False, False, False, False]


def test_a_closed_source_without_an_agreement_is_a_gap(catalogue: Catalogue) -> None:
    assert pd.isna(describe(catalogue).loc["clients", "gap"])
    without = catalogue.sources["clients"].model_copy(update={"agreement": None})
    bare = replace(catalogue, sources={**catalogue.sources, "clients": without})
    assert describe(bare).loc["clients", "gap"] == CLOSED_AND_UNAGREED


@pytest.mark.parametrize(
    ("run_date", "gap"),
    [("2027-03-01", None), ("2027-03-02", "Its sharing agreement was due for review by 1 March 2027.")],
)
def test_an_agreement_is_a_gap_from_the_day_after_its_review_was_due(
    run_date: str, gap: str | None, catalogue: Catalogue
) -> None:
    found = describe(catalogue, run_date=run_date).loc["visits", "gap"]
    assert found == gap or (gap is None and pd.isna(found))


def test_a_source_that_no_notebook_reads_or_that_states_no_licence_is_a_gap(catalogue: Catalogue) -> None:
    rows = describe(catalogue)
    assert rows.loc["cold_spots", ["used_as", "gap"]].tolist() == [
        "not used",
        f"The publisher states no licence. {UNUSED}",
    ]
    used = describe(catalogue, another=["cold_spots"])
    assert used.loc["cold_spots", "gap"] == "The publisher states no licence."
    assert pd.isna(rows.loc["prices", "gap"])


def test_on_real_data_a_guarded_source_is_real_only_where_its_file_is(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "visits.csv").write_text("lsoa_code,visits\nE1,3\n", encoding="utf-8")
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(closed))
    rows = describe(catalogue, mode="real")
    assert rows["used_as"].to_dict() == {
        "clients": "synthetic",
        "visits": "real",
        "cold_spots": "not used",
        "homes": "real",
        "lsoa_lookup": "real",
        "prices": "real",
    }
    assert rows.loc["clients", "gap"] == NOT_HERE
    assert pd.isna(rows.loc["visits", "gap"])
    assert rows.loc["visits", "published"].endswith("(when the file was last changed)")
    assert rows.loc["clients", "published"] == "2022"


def change(catalogue: Catalogue, source: str, **about: Any) -> None:
    catalogue.sources[source] = catalogue.source(source).model_copy(update=about)


@pytest.mark.parametrize(
    ("about", "mode", "used_as", "why"),
    [
        ({"optional": True}, "real", "not there", "No file of it is here; the study goes on without it."),
        ({"optional": True}, "sample", "synthetic", None),
        (
            {"optional": True, "nations": ["S", "N"]},
            "real",
            "not used",
            "It is for Scotland and Northern Ireland alone.",
        ),
        ({"optional": True, "nations": ["S"]}, "sample", "not used", "It is for Scotland alone."),
    ],
)
def test_the_landscape_says_what_this_run_used_and_why_not_what_it_did_not(
    catalogue: Catalogue, about: dict[str, Any], mode: Mode, used_as: str, why: str | None
) -> None:
    change(catalogue, "prices", **about)
    row = describe(catalogue, mode=mode).loc["prices"]
    assert row["used_as"] == used_as
    assert row["gap"] == why or (why is None and pd.isna(row["gap"]))


def test_what_is_read_instead_of_a_closed_file_is_what_was_used(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("COUNCILBOOK_CLOSED", raising=False)
    change(catalogue, "clients", or_else="cold_spots")
    change(catalogue, "cold_spots", format="csv", file="cold_spots.csv", dated_by=r"<Day>(.+?)</Day>")
    unused = describe(catalogue, mode="real").loc["cold_spots"]
    assert unused["used_as"] == "not used"
    assert "It is read only where this is not there: Clients." in unused["gap"]
    raw = catalogue.workbook.raw / "cold_spots" / "cold_spots.csv"
    raw.parent.mkdir(parents=True)
    raw.write_text("<Day>2026-07-01</Day>\n", encoding="utf-8")
    rows = describe(catalogue, mode="real")
    assert rows.loc["clients", ["used_as", "gap"]].tolist() == [
        "not there",
        "It is not in the closed folder; read instead is: Cold spots.",
    ]
    assert rows.loc["cold_spots", ["used_as", "published"]].tolist() == ["real", "2026-07-01"]


def test_in_the_sample_every_source_that_is_used_is_synthetic(catalogue: Catalogue) -> None:
    used_as = describe(catalogue)["used_as"].drop("cold_spots")
    assert used_as.eq("synthetic").all()


@pytest.mark.parametrize(
    ("changed", "stars"),
    [
        ({}, 3),
        ({"file": "places.csv.gz"}, 3),
        ({"file": "places.xlsx"}, 2),
        ({"file": "places.pdf"}, 1),
        ({"licence": "not_stated"}, 0),
        ({"licence": "NOT-STATED"}, 0),
        ({"spectrum": "shared"}, 0),
    ],
)
def test_stars_follow_from_licence_and_format(changed: dict[str, str], stars: int) -> None:
    assert count_stars(Source.model_validate(SOURCE | changed)) == stars


@pytest.mark.parametrize(
    ("published", "year"),
    [
        ("2017/18, with closures up to late 2019", 2019),
        ("2017/18", 2018),
        ("2015 to 2023", 2023),
        ("2022-04-25", 2022),
        ("May 2025", 2025),
        ("1.7.3", None),
        ("", None),
    ],
)
def test_age_is_counted_from_the_newest_year_that_an_edition_names(published: str, year: int | None) -> None:
    assert find_year(published) == year
