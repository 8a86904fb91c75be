"""Destinations: marks, years, successors, what a figure says, districts, NEET, and the sentences of all that."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.careers import prose
from councilbook.careers.destinations import checks, comparing, districts, marks, neet, panel, statements
from councilbook.catalogue import Council, load_catalogue
from councilbook.errors import CheckError, NotToldError
from councilbook.methods import rates
from councilbook.paths import find_workbook

FIELDS = [
    *("record_type", "la_number", "establishment", "urn", "school", "type", "cohort", "stayed", "not_stayed"),
    *("not_known", "education", "apprenticeships", "work", *panel.GROUPS),
    *("cohort_1_before", "stayed_1_before_pct", "cohort_2_before", "stayed_2_before_pct", "edition"),
]
GROUPS = ["30", "25", "83", "80"]


def school(urn: str, est: str, name: str, edition: int, counts: list[str], before: list[str], kind: str = "1") -> list:
    return [kind, "371", est, urn, name, "AC", *counts, "80", "5", "9", *GROUPS, *before, edition]


def list_schools(links: dict[str, str | None], **more: list[str]) -> pd.DataFrame:
    spine = pd.DataFrame({"urn": links.keys(), "linked_urn": links.values()}).assign(postcode="DN1 1AA", status="1")
    return spine.assign(name=spine["urn"], opened_date=pd.NaT, closed_date=pd.NaT).assign(**more)


NO_SPINE = list_schools({"1": None})


def read(*rows: list, spine: pd.DataFrame = NO_SPINE) -> panel.Panel:
    return panel.read_schools(pd.DataFrame(list(rows), columns=FIELDS), spine)


ARMTHORPE = school("138314", "4021", "Armthorpe", 2023, ["113", "93", "18", "2"], ["79", "85%", "84", "89%"])


# --- marks ---


@given(st.integers(0, 10**6))
def test_a_count_is_read_back_with_and_without_thousands(count: int) -> None:
    found = marks.read_cells(pd.Series([str(count), f"{count:,}", f" {count} "]), "x")
    assert found["value"].tolist() == [count] * 3
    assert (found["reason"] == "").all()


@given(st.sampled_from(sorted(set(marks.MARKS) - {"SP"})))
def test_a_mark_is_no_number_and_keeps_its_reason(mark: str) -> None:
    found = marks.read_cells(pd.Series([mark, "5"]), "x", percent=True)
    assert np.isnan(found["value"][0])
    assert found["reason"].tolist() == [marks.MARKS[mark], ""]


@given(st.text(max_size=6))
def test_what_is_neither_number_nor_mark_is_refused(text: str) -> None:
    plain = text.strip()
    if plain in marks.MARKS or marks.NUMBER.fullmatch(plain):
        return
    with pytest.raises(CheckError, match="row 3"):
        marks.read_cells(pd.Series([text], index=[3]), "Cohort of 2019")


def test_hidden_is_not_what_does_not_apply_and_a_small_percentage_is_a_value() -> None:
    found = marks.read_cells(pd.Series(["SUPP", "NA", "SP", "97%"]), "x", percent=True)
    assert found["reason"].tolist() == [marks.HIDDEN, marks.NOT_THERE, "", ""]
    assert found["value"].tolist()[2:] == [0.25, 97]


@pytest.mark.parametrize(("cell", "percent"), [("-1", False), ("101%", True), ("95%", False), ("n/a", True)])
def test_a_cell_that_cannot_be_is_refused_with_its_row(cell: str, percent: bool) -> None:
    with pytest.raises(CheckError, match=rf"Cohort: row 7 has '{cell}'"):
        marks.read_cells(pd.Series(["12", cell], index=[6, 7]), "Cohort", percent=percent)


# --- the panel ---


def test_each_edition_has_its_own_years_and_percentages_are_intervals_of_counts() -> None:
    old = school("138314", "4021", "Armthorpe", 2019, ["113", "108", "4", "1"], ["104", "94%", "109", "90%"])
    rows = read(ARMTHORPE, old).rows.set_index("destination_year")
    assert list(rows.index) == ["2015/16", "2016/17", "2017/18", "2019/20", "2020/21", "2021/22"]
    assert rows["low"].tolist() == [98, 98, 108, 75, 67, 93]
    wide = school("1", "1", "Wide", 2023, ["300", "280", "15", "5"], ["290", "95%", "280", "SUPP"])
    before = read(wide).rows.set_index("destination_year")
    assert before.loc["2020/21", ["low", "high"]].tolist() == [275, 276]  # 94.8 and 95.2 %
    assert before.loc["2019/20", "reason"] == marks.HIDDEN
    assert np.isnan(before.loc["2019/20", "low"])


def test_a_school_that_became_another_is_one_series_by_the_list_or_by_its_number() -> None:
    before = ["104", "94%", "109", "90%"]
    rows = [
        school("141354", "4004", "Mexborough", 2019, ["130", "113", "10", "7"], before),
        school("146639", "4012", "The Laurel", 2023, ["117", "107", "9", "1"], ["118", "88%", "NA", "NA"]),
        school("135546", "7014", "Coppice", 2019, ["20", "18", "1", "1"], before, "2"),
        school("147582", "7014", "Coppice", 2023, ["11", "11", "0", "0"], ["12", "92%", "9", "89%"], "2"),
    ]
    spine = list_schools({"146639": "141354", "141354": "146639"})
    found = read(*rows, spine=spine)
    assert found.rows.groupby("series_urn")["urn"].agg(lambda urns: sorted(set(urns))).to_dict() == {
        "146639": ["141354", "146639"],
        "147582": ["135546", "147582"],
    }
    laurel = found.rows[found.rows["series_urn"] == "146639"].set_index("destination_year")
    assert laurel.loc["2019/20", "reason"] == marks.NOT_THERE
    assert found.set_aside.set_index("what")["rows"]["schools followed to what they became"] == 2


def test_a_chain_of_successors_ends_at_the_newest() -> None:
    rows = read(school("100", "1", "First", 2019, ["50", "40", "8", "2"], ["50", "90%", "50", "90%"])).rows
    spine = list_schools({"100": "200", "200": "300"})
    assert panel.find_successors(rows, spine) == {"100": "300", "200": "300"}


def test_a_school_that_reopened_under_its_name_is_followed_without_a_link() -> None:
    rows = read(school("100", "1", "Beech Cliff", 2019, ["50", "40", "8", "2"], ["50", "90%", "50", "90%"])).rows
    days = {"closed_date": ["2019-01-31", None, None], "opened_date": [None, "2019-02-01", "2015-09-01"]}
    spine = list_schools({"100": None, "200": None, "50": None}, status=["2", "1", "1"], name=["Beech"] * 3, **days)
    assert panel.find_successors(rows, spine) == {"100": "200"}


def test_a_cohort_that_does_not_add_up_is_set_aside_and_counted() -> None:
    wrong = school("9", "9", "Wrong", 2023, ["113", "93", "18", "5"], ["79", "85%", "84", "89%"])
    found = read(ARMTHORPE, wrong)
    row = found.rows.set_index(["urn", "destination_year"]).loc[("9", "2021/22")]
    assert np.isnan(row["low"])
    assert np.isnan(row["stayed_others"])
    assert row["reason"] == panel.WRONG_SUM
    assert found.set_aside.set_index("what")["rows"]["cohorts whose parts do not add up"] == 1


def test_a_council_without_a_row_is_told_so() -> None:
    cardiff = Council(slug="cardiff", name="Cardiff", codes={"W06000015": ""})
    doncaster = Council(slug="doncaster", name="Doncaster", codes={"E08000017": ""})
    source, rows = load_catalogue(find_workbook()).source("ks4_destinations_2023"), read(ARMTHORPE).rows
    with pytest.raises(NotToldError, match="no school or college of Cardiff"):
        panel.pick_own(rows, cardiff, source)
    with pytest.raises(NotToldError, match="no school or college of Doncaster"):
        panel.pick_own(rows.assign(kind=panel.AUTHORITY), doncaster, source)
    assert len(panel.pick_own(rows, doncaster, source)[0]) == len(rows)


# --- what a figure says ---


@pytest.fixture(scope="module")
def england() -> pd.DataFrame:
    """Three years of 260 schools, the first 12 of them the council's, one far below and one that fell."""
    rng = np.random.default_rng(11)
    sizes = rng.integers(60, 260, 260)
    own = rng.beta(42, 3, 260)
    own[0] = 0.55
    parts = []
    for year, ending in enumerate((2020, 2021, 2022)):
        rate = np.where(np.arange(260) == 1, 0.96 if year < 2 else 0.7, own)
        first = rng.binomial(sizes, 0.25)
        stayed = [rng.binomial(first, rate - 0.03), rng.binomial(sizes - first, np.minimum(rate + 0.01, 1))]
        parts.append(
            pd.DataFrame(
                {
                    "series_urn": [str(1_000 + one) for one in range(260)],
                    "measure": panel.AFTER_16,
                    "destination_year": panel.name_year(ending),
                    "la_number": ["371"] * 12 + ["800"] * 248,
                    "establishment": "",
                    "urn": [str(1_000 + one) for one in range(260)],
                    "school": [f"School {one}" for one in range(260)],
                    "kind": panel.MAINSTREAM,
                    "cohort": sizes.astype(float),
                    "low": (stayed[0] + stayed[1]).astype(float),
                    "high": (stayed[0] + stayed[1]).astype(float),
                    "reason": "",
                    **dict(
                        zip(panel.GROUPS, map(np.asarray, (first, stayed[0], sizes - first, stayed[1])), strict=True)
                    ),
                    **dict.fromkeys(panel.WENT, np.nan),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def history(england: pd.DataFrame) -> comparing.History:
    return comparing.fit_history(england)


@pytest.fixture(scope="module")
def compared(england: pd.DataFrame, history: comparing.History) -> pd.DataFrame:
    own = england[england["la_number"] == "371"]
    return comparing.compare_schools(england, own, history, np.random.default_rng(1))


def test_unusual_and_below_the_average_and_changed_are_three_answers(compared: pd.DataFrame) -> None:
    newest = comparing.take_newest(compared, "2021/22").set_index("school")
    with pytest.raises(NotToldError, match="has a figure of its leavers in 2022/23"):
        comparing.take_newest(compared, "2022/23")
    assert newest.loc["School 0", "among_schools"] == comparing.AMONG[0]
    assert newest.loc["School 0", "after_intake"] == comparing.INTAKE[0]
    assert newest.loc["School 0", "change"] == comparing.CHANGE[1]  # always as low
    assert newest.loc["School 1", "against_average"] == comparing.AVERAGE[0]
    assert newest.loc["School 1", "change"] == comparing.CHANGE[0]
    assert (newest["rank_first"] <= newest["rank_last"]).all()
    assert newest["ranked_schools"].eq(12).all()
    assert (newest["next_low_pct"] < newest["next_pct"]).all()
    assert compared[compared["destination_year"].ne("2021/22")]["next_pct"].isna().all()


def test_an_expected_rate_follows_the_intake_and_adds_up(england: pd.DataFrame) -> None:
    cohorts = comparing.take_cohorts(england, panel.AFTER_16, "2021/22")
    expected = comparing.expect_rates(cohorts)
    assert (expected * cohorts["cohort"]).sum() == pytest.approx(cohorts["low"].sum())
    share = cohorts["cohort_disadvantaged"] / cohorts["cohort"]
    assert np.corrcoef(share, expected)[0, 1] == pytest.approx(-1)


def test_a_school_without_a_past_is_not_said_to_have_changed(england: pd.DataFrame) -> None:
    young = england[~((england["urn"] == "1003") & (england["destination_year"] < "2021/22"))]
    history = comparing.History(("2019/20", "2020/21", "2021/22"), *[rates.Spread(0.93, 45.0, 500.0)] * 2)
    own = young[young["la_number"] == "371"]
    newest = comparing.compare_schools(young, own, history, np.random.default_rng(1)).set_index("urn")
    assert newest.loc["1003", "change"] == ""
    assert newest.loc["1003", "next_low_pct"] < newest.loc["1003", "next_high_pct"]


def test_one_year_alone_predicts_nothing(england: pd.DataFrame) -> None:
    with pytest.raises(CheckError, match="the year before 2021/22 is not known"):
        comparing.fit_history(england[england["destination_year"] == "2021/22"])


def test_checks_count_what_held(england: pd.DataFrame, history: comparing.History) -> None:
    found = checks.check_predictions(england, history).set_index("check")
    assert found["schools"].tolist()[0] == 260 == found["schools"].iloc[1:4].sum()
    assert found["found_pct"].iloc[0] > found["found_pct"].iloc[-1] + 5  # binomial noise alone is too narrow
    below = checks.count_below(england, england[england["la_number"] == "371"], "2021/22").set_index("method")
    assert below.loc[checks.NORMAL, "england"] > below.loc[checks.BETA, "england"] >= 1
    tidy = checks.tidy_checks(found.reset_index(), below.reset_index())
    assert tidy["check"].is_unique


def test_the_dataset_keeps_the_reason_of_what_is_hidden(england: pd.DataFrame, compared: pd.DataFrame) -> None:
    hidden = compared.assign(low=np.nan, high=np.nan, reason=marks.HIDDEN)
    census = pd.DataFrame({"urn": ["1000"], "free_meals_pct": ["31.5%"]})
    tidy = comparing.tidy_schools(hidden, census)
    assert tidy["stayed_low"].isna().all()
    assert tidy["reason"].eq("[c] hidden by the publisher").all()
    assert tidy["free_meals_pct"].dropna().tolist() == [31.5]


# --- districts ---


def district(code: str, year: str, cohort: int, work: int = 10) -> dict[str, str]:
    rest = {"appren": 5, "all_work": work, "all_notsust": 7, "all_unknown": 3}
    cells = {"cohort": cohort, "education": cohort - 15 - 10, **rest}
    return {"time_period": year, "lad_code": code, "lad_name": code} | {name: str(one) for name, one in cells.items()}


def test_a_cohort_that_jumps_cannot_be_compared_and_one_that_drifts_can() -> None:
    cohorts = [("201718", 2445), ("201819", 2348), ("202122", 1883), ("202223", 3594)]
    rows = pd.DataFrame([district("E08000017", *one) for one in cohorts])
    found, wrong = districts.read_districts(rows, rows, panel.AFTER_18)
    assert found["comparable"].tolist() == ["first year", "yes", "yes", "no: the cohort jumped"]
    assert wrong == 0
    assert "grew by 91% to 3,594 in 2022/23" in statements.say_jumps(found)
    assert statements.say_jumps(found.iloc[:0]) == "There are no years to compare."


def test_a_few_dozen_change_by_a_quarter_without_a_reason() -> None:
    rows = pd.DataFrame([district("E06000017", *one) for one in [("201718", 83), ("201819", 107), ("201920", 260)]])
    found, _ = districts.read_districts(rows, rows, panel.AFTER_18)
    assert found["comparable"].tolist() == ["first year", "yes", "no: the cohort jumped"]
    nobody, _ = districts.read_districts(rows.iloc[:0], rows, panel.AFTER_18)
    assert nobody.empty and nobody["england_pct"].dtype == "float64"


def test_a_district_whose_parts_do_not_add_up_is_set_aside() -> None:
    rows = pd.DataFrame([district("E08000017", "201718", 900), district("E08000017", "201819", 900, work=30)])
    found, wrong = districts.read_districts(rows, rows, panel.AFTER_16)
    assert (len(found), wrong) == (1, 1)
    assert found["not_stayed_pct"].iloc[0] == pytest.approx(100 * 7 / 900)


def test_a_college_without_a_row_is_named_and_a_technical_college_is_none() -> None:
    spine = pd.DataFrame(
        {
            "urn": ["1", "2", "3", "4"],
            "name": ["Town College", "Counted College", "Town UTC", "Academy"],
            "type": [*["General further education college"] * 2, "University technical college", "Academy converter"],
            "is_post16": True,
            "closed_date": pd.to_datetime(["2017-11-01", None, None, None]),
        }
    )
    counted = pd.DataFrame({"urn": ["2"], "kind": [panel.COLLEGE]})
    found = districts.list_left_out(spine, counted)
    assert found["name"].tolist() == ["Town College"]
    assert "Town College" in statements.say_left_out(found)


# --- NEET ---

NEET = ["edition", "level", "region_code", "la_number", "la_code", "authority", "cohort", *neet.FIGURES]
DONCASTER = (2021, neet.AUTHORITY, "E12000003", "371", "E08000017", "Doncaster", "6747", "4.9", "3.1", "1.8")
ENGLAND = (2021, neet.NATIONAL, None, None, None, None, "1181088", "5.5", "2.8", "2.7")


def test_made_up_rows_are_set_aside_and_wrong_sums_are_blank() -> None:
    demo = (2021, neet.AUTHORITY, None, None, None, "LA demo", "6595", "4.5", "3.6", "0.9")
    region = (2021, "Regional", None, None, None, None, "120000", "4.2", "3.3", "1.3")
    wrong = (2021, neet.AUTHORITY, "E12000003", "813", "E06000013", "North Lincolnshire", "4276", "11.5", "1.8", "6.7")
    rows, aside = neet.read_neet(pd.DataFrame([DONCASTER, ENGLAND, demo, region, wrong], columns=NEET))
    assert aside[["what", "rows"]].to_numpy().tolist() == [
        ["made-up rows, of no place", 2],
        ["rows whose parts do not add up", 1],
    ]
    figures = neet.compare_neet(rows, {"371"})
    assert figures["authority"].tolist() == ["Doncaster", "England", "North Lincolnshire"]
    assert figures["neet_pct"].isna().tolist() == [False, False, True]
    assert "3.1% of 16 and 17 year olds were in no" in prose.describe_neet(figures)


def test_a_council_without_neet_figures_is_told_so() -> None:
    rows, _ = neet.read_neet(pd.DataFrame([DONCASTER, ENGLAND], columns=NEET))
    figures = neet.compare_neet(rows, {"420"})
    assert figures["authority"].tolist() == ["England"]
    assert prose.describe_neet(figures).startswith("No figure says")


# --- sentences ---


def test_no_sentence_calls_a_school_best_or_worst_or_says_why(compared: pd.DataFrame) -> None:
    newest = comparing.take_newest(compared, "2021/22")
    said = [
        statements.say_unusual(newest),
        statements.say_changes(newest),
        statements.say_told_apart(newest, np.random.default_rng(1)),
        statements.set_beside(guidance({}), newest).say(),
    ]
    assert not re.search(r"\b(best|worst|fail\w*|because)\b", " ".join(said), re.IGNORECASE)
    assert said[0].startswith("Of 12 schools, 1 is unusually low")
    assert "School 1" in said[1]


def test_names_of_schools_may_have_commas_and_one_school_is_no_plural() -> None:
    low, same = [statements.AVERAGE[0]] * 2, [statements.AVERAGE[1]] * 2
    schools = pd.DataFrame(
        {"school": ["Red High, A College", "Blue High"], "among_schools": "", "against_average": low}
    )
    assert statements.say_unusual(schools).endswith(
        "2 are below England's average by more than chance explains: Blue High; Red High, A College."
    )
    said = statements.say_unusual(schools.assign(against_average=same).iloc[:1])
    assert said.startswith("Of 1 school, none is unusually low") and "None is below" in said


def guidance(met: dict[str, int]) -> pd.DataFrame:
    rows = [(urn, f"{one}", "fully" if one <= count else "partly") for urn, count in met.items() for one in range(1, 9)]
    return pd.DataFrame(rows, columns=["urn", "benchmark", "status"])


def test_guidance_beside_outcomes_has_an_interval_and_no_cause() -> None:
    schools = pd.DataFrame({"urn": [str(one) for one in range(9)], "shrunken_pct": np.arange(9) + 88.0})
    rising = statements.set_beside(guidance({str(one): one for one in range(8)}), schools)
    assert (rising.schools, rising.correlation) == (8, pytest.approx(1))
    assert "keep more leavers" in rising.say()
    mixed = statements.set_beside(guidance(dict(zip("01234567", (3, 1, 4, 1, 5, 8, 2, 6), strict=True))), schools)
    assert mixed.low < 0 < mixed.correlation < mixed.high
    assert mixed.say().startswith("The data do not show")
    assert statements.NO_CAUSE in mixed.say()
    assert "too few" in statements.set_beside(guidance({"0": 3, "99": 4}), schools).say()
