"""Starts of apprentices by provider: joined by number, counted by district, small ones hidden."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.careers.options import starts
from councilbook.catalogue import Council, load_catalogue
from councilbook.errors import NotThereError
from councilbook.gate.decisions import pass_gate
from councilbook.paths import find_workbook

DONCASTER = Council(slug="doncaster", name="Doncaster", codes={"E08000017": "Doncaster"})
ROWS = pd.DataFrame(
    [
        ("2024/25", "ACME TRAINING LTD (10000001)", "Doncaster", "Doncaster", 12),
        ("2024/25", "ACME TRAINING LTD (10000001)", "Doncaster", "Leeds", 3),
        ("2024/25", "Acme Training Ltd (10000001)", "Rotherham", "Doncaster", 5),
        ("2025/26 (Aug to Apr)", "ACME TRAINING LTD (10000001)", "Doncaster", "Doncaster", 30),
        ("2024/25", "8POINT8 (OLD WINDSOR) (10000002)", "Doncaster", None, 40),
        ("2024/25", "NOBODY", "Doncaster", "Doncaster", 100),
        ("2024/25", "FAR AWAY LTD (10000003)", "Leeds", "Wakefield", 70),
    ],
    columns=["year", "provider_name", "learner_home_lad", "delivery_lad", "starts"],
)


def test_starts_are_of_who_trains_here_and_of_who_lives_here():
    rows = starts.take_numbers(ROWS)
    assert rows.attrs["set_aside"] == 1
    table = starts.count_starts(rows, DONCASTER).set_index(["ukprn", "year"])[starts.STARTS]
    assert table.loc[("10000001", "2024/25")].to_dict() == {"starts_here": 17, "starts_of_residents": 15}
    assert table.loc[("10000002", "2024/25")].to_dict() == {"starts_here": 0, "starts_of_residents": 40}
    assert table.loc[(starts.ALL, "2024/25")].to_dict() == {"starts_here": 17, "starts_of_residents": 55}
    assert "10000003" not in table.index.get_level_values("ukprn")


def test_a_year_that_is_not_over_says_which_months_it_has():
    table = starts.count_starts(starts.take_numbers(ROWS), DONCASTER).drop_duplicates("year").set_index("year")
    assert table["months"].to_dict() == {"2024/25": starts.WHOLE, "2025/26": "August to April"}


def test_a_file_of_other_districts_is_refused_though_some_of_its_rows_name_the_council():
    leeds = Council(slug="leeds", name="Leeds", codes={"E08000035": "Leeds"})
    with pytest.raises(NotThereError, match="both lives and trains in Leeds"):
        starts.count_starts(starts.take_numbers(ROWS), leeds)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("E06000010", "Kingston upon Hull, City of"),
        ("E06000019", "Herefordshire, County of"),
        ("E08000013", "St. Helens"),
        ("E06000050", "Cheshire West and Chester"),
        ("E08000017", "DONCASTER"),
    ],
)
def test_a_district_is_found_by_the_names_that_official_tables_give_it(code, name):
    rows = ROWS.replace({"Doncaster": name})
    council = Council(slug="one", name="One", codes={code: ""})
    assert starts.count_starts(starts.take_numbers(rows), council)["starts_here"].max() == 30


def test_sectors_come_with_most_starts_first_and_a_name_in_small_letters_is_taken():
    standards = pd.DataFrame(
        [
            ("Acme Training Ltd (10000001)", "Retail", "Advanced Apprenticeship", "Starts", 5),
            ("Acme Training Ltd (10000001)", "Care", "Higher Apprenticeship", "Starts", 9),
            ("Acme Training Ltd (10000001)", "Building", "Higher Apprenticeship", "Enrolments", 900),
            ("Acme Training Ltd (10000001)", "Law", "Higher Apprenticeship", "Starts", 0),
        ],
        columns=["provider_name", "sector", "level", "measure", "starts"],
    )
    described = starts.describe_providers(starts.take_numbers(standards))
    counted = starts.count_starts(starts.take_numbers(ROWS), DONCASTER)
    table = starts.add_descriptions(counted, described).drop_duplicates("ukprn").set_index("ukprn")
    one = table.loc["10000001", ["provider", "sectors", "levels"]]
    assert list(one) == ["Acme Training Ltd", "Care; Retail", "Advanced; Higher"]
    assert table.loc["10000002", "provider"] == "8POINT8 (OLD WINDSOR)"
    assert pd.isna(table.loc["10000002", "sectors"])


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12))
def test_no_small_count_leaves_the_gate_nor_a_total_that_gives_it_back(counts):
    catalogue = load_catalogue(find_workbook())
    spec = catalogue.dataset("careers_starts")
    frame = pd.DataFrame(counts, columns=starts.STARTS).assign(
        ukprn=[str(10_000_000 + number) for number in range(len(counts))]
    )
    total = frame[starts.STARTS].sum().to_frame().T.assign(ukprn=starts.ALL)
    frame = pd.concat([frame, total], ignore_index=True).assign(year="2024/25", months=starts.WHOLE)
    safe = pass_gate(spec, frame.assign(provider="A", sectors="B", levels="C"), [], catalogue.disclosure).frame
    for name in starts.STARTS:
        shown = safe[name].dropna()
        assert not shown.between(1, 9).any()
        assert (shown % 5 == 0).all()
        exact = frame.loc[shown.index, name]
        assert ((exact - shown).abs() <= 2.5).all()
        hidden = safe.index[safe[name].isna() & (safe["ukprn"] != starts.ALL)]
        small = [row for row in hidden if 0 < frame.loc[row, name] < 10]
        if small and safe[name].notna().iloc[-1]:
            assert len(hidden) > 1  # one hidden count alone would be the total less the others
