"""Returns of schools: spreadsheets as councils have them, facts put together, and persons kept out."""

import shutil

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.careers.guidance import comparing, contacts, returns, scoring
from councilbook.careers.twin import guidance_twin
from councilbook.catalogue import TwinRequest
from councilbook.errors import CheckError, SourceError
from councilbook.paths import CLOSED_VARIABLE
from councilbook.study import Study
from councilbook.twins.places import write_workbook

HEADER = ["URN", "School name", "Version", "Date", "BM1", "Benchmark 1 (%)", "BM6", "Work experience", "Contact post"]
ROW = ["140001", "Aske Academy", "2014", "2025-07-01", "Achieved", 100, "Partially", "Years 10 & 12", "Careers leader"]
SITES = pd.DataFrame(
    {
        "site_id": ["1", "2", "3"],
        "urn": ["1", "2", "77"],
        "name": ["Aske Academy", "St. Bede's", "Cole College"],
        "kind": ["School to 16", "School to 16", "Further education college"],
    }
)


@pytest.fixture
def open_study(tmp_path, monkeypatch):
    """Open the study in a real run with files in the closed folder."""
    monkeypatch.setenv(CLOSED_VARIABLE, str(tmp_path))

    def open_it(**files):
        for name, content in files.items():
            (tmp_path / name.replace("_dot_", ".")).write_bytes(content)
        return Study.open("careers", "2_guidance", "doncaster", "real", seed=1, run_date="2026-11-29")

    return open_it


def facts(*rows):
    names = ["urn", "institution_name", "benchmarks_version", "return_date", "field", "value", "read_from"]
    frame = pd.DataFrame(rows, columns=names).assign(page=pd.array([None] * len(rows), dtype="Int64"), box=None)
    return frame.astype({"return_date": "datetime64[us]"})


def test_a_workbook_under_headers_and_words_of_its_own_is_read(open_study):
    header = [*HEADER, "Post code", "Trust"]
    rows = [[*ROW, "DN1 1AA", "Aske Learning Trust"], ["140002", "Bede", "2025", "2026-07-02", "No", 0, None, "no"]]
    study = open_study(guidance_returns_doncaster_dot_xlsx=write_workbook({"Returns": [header, *rows]}))
    read = returns.read_returns(study).set_index(["urn", "field"])["value"]
    assert read.to_dict() == {
        ("140001", "stable_programme"): "fully",
        ("140001", "stable_programme_pct"): "100",
        ("140001", "workplaces"): "partly",
        ("140001", "offer_work_experience"): "10, 12",
        ("140001", "contact_post"): "Careers leader",
        ("140002", "stable_programme"): "not",
        ("140002", "stable_programme_pct"): "0",
        ("140002", "offer_work_experience"): "no",
    }


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Careers leader", ["Jane Doe", "Ali Khan"]),
        ("Careers leader name", ["x", "y"]),
        ("Surname", ["x", "y"]),
        ("Notes", ["Ask Mrs Doe", ""]),
        ("Notes", ["write to jane.doe@aske.example", ""]),
        ("Shared mailbox", ["j.doe@aske.example", "careers@bede.example"]),
        ("Shared mailbox", ["jd@aske.example", "careers@bede.example"]),
        ("Doe Jane", ["Doe Ali", "Roe Max"]),
        ("Careers lead", ["J. Doe", "A. Khan"]),
    ],
)
def test_a_column_of_persons_is_refused_and_none_is_printed(open_study, header, cells):
    rows = [[*ROW, cells[0]], ["140002", "Bede School", *ROW[2:], cells[1]]]
    text = "\n".join(",".join(map(str, row)) for row in [[*HEADER, header], *rows])
    study = open_study(guidance_returns_doncaster_dot_csv=text.encode())
    with pytest.raises(CheckError, match=r"guidance_returns_doncaster\.csv.*Expected posts alone") as refused:
        returns.read_returns(study)
    inspected = study.inspect_file(study.find(study.catalogue.source("guidance_returns")))
    assert "Expected posts alone" in inspected.fault  # `columns` and `check` say what a run says
    said = f"{refused.value} {inspected.fault}"
    assert not {word for word in ("Doe", "doe", "Jane", "Khan", "jd@", "Roe") if word in said}


@pytest.mark.parametrize("cover", [{"Notes": [["How to fill it in"]]}, {}])
def test_a_title_a_second_sheet_and_marks_of_a_hand_filled_workbook_are_read(open_study, cover):
    rows = [[*ROW[:4], "✓", 1.0, "partial", *ROW[7:]], ["140002", "Bede", *ROW[2:4], "✗", 0.75, "n", None, "nobody"]]
    sheets = cover | {"Returns": [["Returns of 2025"], [], HEADER, *rows]}
    study = open_study(guidance_returns_doncaster_dot_xlsx=write_workbook(sheets))
    with pytest.raises(CheckError, match=r"contact_post .*\(row 5\)"):
        returns.read_returns(study)
    rows[1][-1] = None
    study = open_study(guidance_returns_doncaster_dot_xlsx=write_workbook(sheets))
    read = returns.read_returns(study).set_index(["urn", "field"])["value"]
    assert [read["140001", name] for name in ("stable_programme", "stable_programme_pct")] == ["fully", "100"]
    assert [read["140002", name] for name in ("stable_programme_pct", "workplaces")] == ["75", "not"]


@pytest.mark.parametrize("post", ["Jane Doe", "Careers leader (J Doe)", "doe"])
def test_a_post_that_is_a_person_is_refused(open_study, post):
    text = "\n".join(",".join(map(str, row)) for row in [HEADER, [*ROW[:-1], post]])
    study = open_study(guidance_returns_doncaster_dot_csv=text.encode())
    with pytest.raises(CheckError, match=r"\(row 2\)") as refused:
        returns.read_returns(study)
    assert "doe" not in str(refused.value).casefold()


@given(st.sampled_from(["jane", "ali", "zoë", "mo"]), st.sampled_from(["doe", "khan", "o'neil"]), st.data())
def test_no_mailbox_of_a_person_is_taken_for_a_shared_one(first, last, data):
    forms = [f"{first}.{last}", f"{first[0]}{last}", f"{first[0]}.{last}", f"{first[0]}{last[0]}", f"{first}_{last}"]
    local = data.draw(st.sampled_from([*forms, f"careers.{forms[0]}", f"{first}.careers"]))
    assert contacts.has_personal_mailbox(f"{local}@school.example")


@pytest.mark.parametrize(
    "mailbox", ["careers@a.example", "careers.team@a.example", "sixthform@a.example", "office.aske@askeacademy.example"]
)
def test_a_mailbox_of_posts_and_the_schools_own_name_is_shared(mailbox):
    assert not contacts.has_personal_mailbox(f"Write to {mailbox}")


@given(st.sets(st.integers(7, 14), min_size=1))
def test_school_years_are_read_as_they_are_written(years):
    listed = sorted(years)
    written = ", ".join(map(str, listed))
    spoken = f"Years {', '.join(map(str, listed[:-1]))} and {listed[-1]}" if len(listed) > 1 else f"Year {listed[0]}"
    assert returns.read_years(written) == returns.read_years(spoken) == written
    assert returns.read_years(f"{listed[0]} to {listed[-1]}") == ", ".join(map(str, range(listed[0], listed[-1] + 1)))


@pytest.mark.parametrize(
    ("text", "years"),
    [("Y10/Y12", "10, 12"), ("Yr10, Yr 12", "10, 12"), ("Year 10 only", "10"), ("KS4 and KS5", "10, 11, 12, 13")],
)
def test_school_years_are_read_as_schools_shorten_them(text, years):
    assert returns.read_years(text) == years


@pytest.mark.parametrize("text", ["all", "", "10 pupils", "Years 10, 99", "2", "2026-12-10", "12-10", "KS3-5"])
def test_what_are_no_school_years_is_not_guessed(text):
    assert returns.read_years(text) is None


def test_offers_that_are_no_years_are_refused_with_their_row(open_study):
    text = "\n".join(",".join(map(str, row)) for row in [HEADER, ROW, ["140002", "Bede", *ROW[2:7], "everybody", ""]])
    with pytest.raises(CheckError, match=r"offer_work_experience, 1 rows .*\(row 3\)"):
        returns.read_returns(open_study(guidance_returns_doncaster_dot_csv=text.encode()))


def test_the_last_return_counts_and_who_is_not_here_is_set_aside():
    first = facts(
        ("1", "Aske", "2014", "2025-07-01", "curriculum", "fully", "guidance_returns"),
        ("1", "Aske", "2014", "2025-07-01", "curriculum_pct", "100", "guidance_returns"),
        (None, "st bedes", "2014", "2025-07-01", "employers", "not", "guidance_returns"),
        ("9", "Nowhere", "2014", "2025-07-01", "employers", "not", "guidance_returns"),
        ("77", "Group", "2014", "2025-07-01", "employers", "partly", "guidance_returns"),
    )
    second = facts(
        ("1", "Aske", "2014", "2025-07-18", "curriculum", "partly", "guidance_pdf_columns"),
        ("2", "Bede", "2014", "2025-07-01", "employers", "partly", "guidance_pdf_columns"),
        ("2", "Bede", "2025", "2025-07-01", "employers", "fully", "guidance_pdf_columns"),
    )
    kept, aside = returns.combine_facts([first, second], SITES)
    told = kept.set_index(["urn", "benchmarks_version", "field"])["value"].to_dict()
    assert told == {
        ("1", "2014", "curriculum"): "partly",  # and not the percentage of the return before
        ("2", "2014", "employers"): "not",
        ("3", "2014", "employers"): "partly",
        ("2", "2025", "employers"): "fully",
    }
    assert aside["count"].tolist() == [1, 3, 1, 1]
    assert set(kept["institution_name"]) == {"Aske Academy", "St. Bede's", "Cole College"}


def test_a_file_of_another_council_is_refused():
    own = facts(("1", "Aske", "2014", "2025-07-01", "curriculum", "fully", "guidance_returns"))
    other = facts(("8", "Elsewhere", "2014", "2025-07-01", "curriculum", "fully", "guidance_pdf_ruled"))
    with pytest.raises(CheckError, match="guidance_pdf_ruled: none of its institutions"):
        returns.combine_facts([own, other], SITES)


def test_without_returns_there_are_tables_without_rows():
    kept, _ = returns.combine_facts([], SITES)
    benchmarks, differs = returns.list_benchmarks(kept)
    assert (len(benchmarks), differs, len(returns.list_offers(kept))) == (0, 0, 0)
    summary = comparing.summarise(benchmarks, SITES, "2014")
    told = comparing.describe_version(summary, "2014", comparing.count_by_benchmark(benchmarks, "2014"))
    assert told == "None of the 3 schools and colleges has returned the benchmarks of 2014."
    assert len(comparing.list_missing(SITES, benchmarks)) == 3


def list_rows(**said):
    """List facts of institution 1, 2, ... by benchmark: a word, a percentage, or both."""
    rows = []
    for field, values in said.items():
        rows += [
            (str(n + 1), "", "2014", "2025-07-01", field, value, "guidance_returns")
            for n, value in enumerate(values)
            if value
        ]
    return returns.combine_facts([facts(*rows)], SITES)[0]


def test_benchmarks_are_counted_and_the_percentage_decides():
    kept = list_rows(
        curriculum=["fully", "fully", "not"], curriculum_pct=["100", "80", ""], employers=["fully", "", "partly"],
        personal_guidance_pct=["", "0", "100"],
    )  # fmt: skip
    benchmarks, differs = returns.list_benchmarks(kept)
    assert (len(benchmarks), differs) == (3 * 8, 1)
    matrix = comparing.tabulate_matrix(benchmarks, "2014").set_index("institution_name")
    assert matrix["4"].to_dict() == {"Aske Academy": "fully", "Cole College": "not met", "St. Bede's": "partly (80%)"}
    assert matrix["8"].to_dict() == {"Aske Academy": "not said", "Cole College": "fully", "St. Bede's": "not met"}
    assert matrix["met"].to_dict() == {"Aske Academy": 2, "Cole College": 1, "St. Bede's": 0}
    counted = comparing.count_by_benchmark(benchmarks, "2014").set_index("benchmark")
    assert counted.loc["4 Linking curriculum learning to careers"].tolist() == [1, 1, 1, 0, pytest.approx(100 / 3)]
    assert counted.loc["5 Encounters with employers and employees"].tolist() == [1, 1, 0, 1, 50]
    summary = comparing.summarise(benchmarks, SITES, "2014")
    assert summary == {"returned": 3, "expected": 3, "mean_met": 1.0, "all_eight_pct": 0.0}
    assert "5.0 fewer than in England" in comparing.describe_against_england(summary, 5.96, 25)


def test_an_offer_keeps_its_years_and_the_post_to_ask():
    kept = list_rows(offer_employers=["7, 9", "no", ""], contact_post=["Careers leader", "", ""])
    offers = returns.list_offers(kept)
    assert offers[["urn", "is_offered", "year_groups", "contact_post"]].fillna("").to_numpy().tolist() == [
        ["1", True, "7, 9", "Careers leader"],
        ["2", False, "", ""],
    ]
    assert comparing.count_offers(offers).iloc[0].tolist() == ["Encounters with employers", 1, 1]


@pytest.fixture(scope="module")
def sample():
    return Study.open("careers", "2_guidance", "leeds", "sample", seed=4, run_date="2026-11-29")


def test_the_twin_has_the_published_picture_of_england(sample):
    drawn = guidance_twin.draw_returns(TwinRequest(sample.finder.council, 4))
    own = drawn[(drawn["benchmarks_version"] == "2014") & (drawn["return_date"] != "")]
    met = (own[list(returns.BENCHMARKS)] == "fully").sum(axis="columns")
    assert met.sum() == round(5.96 * len(own))
    assert (met == 8).sum() == int(len(own) / 4 + 0.5)


def test_each_kind_of_pdf_is_read_as_it_was_printed(sample):
    scores = scoring.score_reports(TwinRequest(sample.finder.council, 4), sample.catalogue)
    assert (scores["true_cells"] > 200).all()
    assert (scores["agreeing_cells"] / scores["compared_cells"] >= 0.99).all()


def test_a_score_is_lower_for_a_wrong_and_for_a_missing_cell():
    true = facts(*[("1", "A", "2014", "2025-07-01", name, "fully", "x") for name in ("employers", "curriculum")])
    read = true.assign(value=["fully", "not"])
    assert scoring.count_right(true, read)["agreeing_cells"] == 2
    assert scoring.count_right(true, read.head(1)) == {
        "true_cells": 2, "read_cells": 1, "right_cells": 1, "agreeing_cells": 2, "compared_cells": 3,
    }  # fmt: skip


def test_a_councils_own_pdf_is_read_by_the_layout_beside_it(open_study, sample, tmp_path):
    source = sample.catalogue.source("guidance_pdf_columns")
    request = TwinRequest(sample.finder.council, 4)
    study = open_study(guidance_pdf_columns_doncaster_dot_pdf=guidance_twin.make_report(source, request))
    assert len(returns.read_all(study)) == 1
    with pytest.raises(SourceError, match="Put one of that name beside the file"):
        other = sample.catalogue.source("guidance_pdf_ruled")
        open_study(guidance_pdf_columns_doncaster_dot_pdf=guidance_twin.make_report(other, request))
        returns.read_all(study)
    open_study(guidance_pdf_columns_doncaster_dot_pdf=guidance_twin.make_report(source, request))
    shipped = returns.__file__.replace("returns.py", "layouts/layout_guidance_pdf_columns.yaml")
    shutil.copy(shipped, tmp_path)
    own = tmp_path / "layout_guidance_pdf_columns.yaml"
    own.write_text(own.read_text("utf-8").replace("Personal guidance", "Guidance"), "utf-8")
    told = (
        r"guidance_pdf_columns_doncaster\.pdf, page 1: .*'8 Guidance'.* read by layout_guidance_pdf_columns.yaml beside"
    )
    with pytest.raises(SourceError, match=told):
        returns.read_all(study)
    text = own.read_text("utf-8")
    own.write_text(text.replace("field: workplaces", "field: work_places"), "utf-8")
    with pytest.raises(CheckError, match=r"layout has work_places, .*Did you mean workplaces"):
        returns.read_all(study)
    own.write_text(text.replace("8 Guidance", "8 Personal guidance").replace("✗: not,", ""), "utf-8")
    with pytest.raises(CheckError, match=r"page 1, row \d+: \w+ is not as expected, one of '✓'"):
        returns.read_all(study)


def test_a_refusal_says_which_row_and_what_it_should_be_like(open_study):
    rows = [HEADER, ROW, ["Note: by the schools themselves", *[""] * 8], ["140002", "Bede", "2014", "July", *ROW[4:]]]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    with pytest.raises(SourceError, match=r"return_date are no date \(row 4\)\. Expected a day as 2026-03-31"):
        returns.read_returns(open_study(guidance_returns_doncaster_dot_csv=text.encode()))
    text = text.replace("July", "2025-07-01")
    with pytest.raises(CheckError, match=r"urn: 1 rows not as expected, pattern .*, as 900001 \(row 3\)"):
        returns.read_returns(open_study(guidance_returns_doncaster_dot_csv=text.encode()))
