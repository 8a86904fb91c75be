"""What the business rates notebooks and report say and draw: tables, sentences and the map."""

import io
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from councilbook.business_rates import prose
from councilbook.business_rates.bills import bill_inputs, bill_tables, charges, errors_in_bills
from councilbook.business_rates.bills.rules import LINES, load_rules
from councilbook.business_rates.missing import linkage_trials
from councilbook.business_rates.register import register_map
from councilbook.business_rates.requests import foi_tables
from councilbook.business_rates.requests.foi import count_topics, tidy_requests
from councilbook.business_rates.roll import contents
from councilbook.business_rates.roll.reading import read_roll
from councilbook.business_rates.roll.rules import COLUMNS
from councilbook.business_rates.twin import accounts, foi_twin
from councilbook.catalogue import Council, TwinRequest, load_catalogue
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.decisions import Surroundings, pass_gate
from councilbook.pages.html.wording import write_pounds
from councilbook.pages.maps import point_maps
from councilbook.paths import find_workbook

REQUEST = TwinRequest(Council(slug="bradford", name="Bradford", codes={"E08000032": "Bradford"}), 3)


def read(content):
    return pd.read_csv(io.BytesIO(content))


# --- requests ---


def test_the_twin_of_requests_has_every_topic_and_can_be_read():
    requests = tidy_requests(read(foi_twin.make_requests(None, REQUEST)).astype("str").fillna(""))
    topics = foi_tables.sum_topics(count_topics(requests))
    assert len(topics) > 8
    assert topics["requests"].is_monotonic_decreasing
    assert topics["requests"].sum() == len(requests)
    assert prose.describe_topics(topics).startswith(f"**{len(topics)} topics** were asked for 3 times each, and none")


def test_statistics_have_the_council_and_another_number_stands_in_where_they_do_not():
    made = {name: read(content) for name, content in foi_twin.make_statistics(None, REQUEST).items()}
    parts = made["foi_counts_scotland"].rename(columns={"council name": "council"}), made["foi_counts"]
    statistics = foi_tables.index_statistics(pd.concat(parts))
    counted, basis = foi_tables.find_requests(statistics, "Bradford", 7)
    assert counted > 100
    assert basis == "counted"
    assert foi_tables.find_requests(statistics, "Nowhere", 7) == (7, "assumed")
    assert foi_tables.find_requests(None, "Bradford", 7) == (7, "assumed")


def test_requests_are_held_against_the_register_that_is_released():
    [register] = foi_tables.describe_datasets(load_catalogue(find_workbook()), COLUMNS)
    assert register.id == "open_rates_register"
    assert {"released_name", "credit_band", "empty_since_date"} <= set(register.fields)
    assert set(register.extracts) == set(contents.EXTRACTS)


# --- links ---


def test_links_are_scored_by_pair_and_counted_by_property():
    links = pd.DataFrame(
        {
            "property_reference": ["a", "a", "b", "c"],
            "register": "food_hygiene",
            "unique_id": ["1", "2", "3", "4"],
            "rank": [1, 2, 1, 1],
            "match_probability": [0.95, 0.3, 0.92, 0.6],
            "match_weight": 5.0,
        }
    )
    best = linkage_trials.choose_best(links)
    assert list(best["unique_id"]) == ["1", "3"]
    truth = {"food_hygiene": pd.DataFrame({"property_reference": ["a", "b", "d"], "unique_id": ["1", "9", "5"]})}
    [score] = linkage_trials.score_links({"Splink": {"food_hygiene": best}}, truth).to_dict("records")
    assert (score["found_links"], score["right_links"], score["true_links"]) == (2, 1, 3)
    sizes = {"food_hygiene": 9}
    [count] = linkage_trials.count_links(sizes, {"food_hygiene": best}, {"food_hygiene": best}).to_dict("records")
    assert (count["records"], count["linked"], count["exact"]) == (9, 2, 2)
    [nameless] = linkage_trials.count_links(sizes, {"food_hygiene": best}, None).to_dict("records")
    assert nameless["linked"] == 2
    assert pd.isna(nameless["exact"])
    assert "alone would give" not in prose.describe_links(pd.DataFrame([nameless]))
    assert len(linkage_trials.join_links({"food_hygiene": best})) == 2
    told = prose.describe_links(pd.DataFrame([count]))
    assert told.startswith(
        "We found properties of the roll in other lists, rounded to five: **2** in the food hygiene register."
    )
    assert told.endswith("would find 2 of these 2.")
    assert "50% right, and 33% found" in prose.describe_link_scores(pd.DataFrame([score]))


def test_a_business_is_linked_once_to_its_likeliest_property_if_it_is_likely_to_have_any():
    levels = pd.DataFrame(
        {
            "property_reference": ["a", "b", "c", "d"],
            "register": "food_hygiene",
            "unique_id": ["1", "1", "2", "3"],
            "match_weight": 5.0,
            "match_probability": [0.45, 0.48, 0.9, 0.3],
            "any_probability": [0.93, 0.93, 0.9, 0.3],
        }
    )
    chosen = linkage_trials.choose_places(levels)
    assert chosen["property_reference"].tolist() == ["b", "c"]
    assert chosen["match_probability"].tolist() == [0.93, 0.9]
    assert linkage_trials.choose_places(levels, 0.92)["unique_id"].tolist() == ["1"]


def test_those_certainly_on_the_roll_are_counted_without_a_link_and_their_share_is_told():
    roll = pd.DataFrame(
        {
            "property_reference": ["a", "b", "c"],
            "ratepayer_name": None,
            "address": ["1, High Street", "2, High Street", "3, High Street"],
            "postcode": "ZZ1 1AA",
            "description": ["SHOP", "CAFE", "OFFICES"],
            "rateable_value_gbp": 5_000.0,
        }
    )
    food = pd.DataFrame(
        {
            "unique_id": ["1", "2", "3", "4"],
            "name": ["A", "B", "C", "D"],
            "address": ["1 High Street", "2 High Street", "3 High Street", "2 High Street"],
            "postcode": "ZZ1 1AA",
            "kind": "Takeaway/sandwich shop",
            "status": ["live", "live", "live", "closed"],
        }
    )
    levels = pd.DataFrame({"property_reference": ["a"], "register": "food_hygiene", "unique_id": ["1"]})
    levels = levels.assign(match_weight=9.0, match_probability=0.95, any_probability=0.95)
    table = linkage_trials.tabulate_certain({"food_hygiene": food}, roll, {"food_hygiene": levels})
    assert table[["certain", "certain_linked"]].to_numpy().tolist() == [[2, 1]]  # the office is of another kind
    many = table.assign(certain=200, certain_linked=150)
    assert "some 200 of the food hygiene register" in prose.describe_recall(many)
    assert "**75%** of the businesses that must be on the roll were linked" in prose.describe_recall(many)
    assert "In 5 other councils 97% of 4,560 were found" in prose.describe_recall(table)


def test_the_page_says_how_long_the_list_is_and_what_a_clerk_found_elsewhere():
    counts = pd.DataFrame({"kind": ["All kinds"], "listed": [550], "likely": [10]})
    told = prose.describe_calibration(counts)
    assert told.startswith("Some 550 businesses have no link, and some **10** of them are likelier missing than not.")
    assert "518 businesses that a clerk looked up in Bradford, Kirklees, Calderdale and Selby" in told
    assert "In Harrogate, which played no part in that, 1 of the first 9 was on the roll after all" in told
    assert prose.describe_calibration(counts.assign(likely=pd.NA)).startswith("The chances come from")


# --- bills ---


def make_lines(named, withheld):
    """Lay out bills with a gross charge each, of organisations that a register names and of others."""
    pounds = [*named, *withheld]
    lines = pd.DataFrame({f"{line}_gbp": [0.0] * len(pounds) for line in LINES}).assign(gross_gbp=pounds)
    register = pd.DataFrame({"property_reference": range(len(pounds)), "released_name": None}, dtype="object")
    register.loc[: len(named) - 1, "released_name"] = "A LTD"
    return lines, register["property_reference"], register


def lay_out(named, withheld, day="2026-11-01"):
    return bill_tables.lay_out_lines(*make_lines(named, withheld), day, "2024-25")


def test_lines_of_bills_are_summed_with_what_no_register_shows_and_what_changed():
    before, now = lay_out([900.0, 70.0], [50.0, 20.0, 20.0]), lay_out([900.0, 71.0], [50.0, 20.0, 30.0, 5.0])
    [gross] = bill_tables.sum_held(now, before).to_dict("records")  # no other line has two bills
    assert (gross["line"], gross["value_gbp"], gross["bills"]) == ("gross", 1076, 6)
    assert (gross["rest_gbp"], gross["rest_bills"], gross["largest_gbp"], gross["second_gbp"]) == (105, 4, 50, 30)
    assert (gross["moved"], gross["largest_move_gbp"], gross["second_move_gbp"]) == (2, 30, 20)  # 20 became 30, 5 came
    assert gross["moves_gbp"] == 55
    other = before.assign(line="net", value_gbp=7.0)  # of another line nothing moved into this one
    assert bill_tables.sum_held(now, pd.concat([other, before])).loc[0, ["moved", "moves_gbp"]].tolist() == [2, 55]
    assert bill_tables.sum_held(now, None)["moved"].tolist() == [0]
    assert list(bill_tables.sum_held(now.iloc[:0], None)) == list(bill_tables.sum_held(now, None))


def test_sums_of_bills_stay_until_ten_of_those_withheld_have_changed(bill_totals):
    withheld = [100.0 + number for number in range(40)]
    first = lay_out([5_000.0], withheld)
    one_relief = lay_out([5_000.0], [0.0, *withheld[1:]], "2026-12-01")
    ten = lay_out([9_000.0], [pounds + 50.5 for pounds in withheld[:10]] + withheld[10:], "2027-01-01")
    rule = bill_totals.disclosure
    assert bill_tables.hold_lines(None, first, rule) is first
    assert bill_tables.hold_lines(first, one_relief, rule).equals(first)
    assert bill_tables.hold_lines(first, ten, rule).equals(ten)
    assert bill_tables.hold_lines(first, lay_out([9_000.0], withheld), rule)["value_gbp"].max() == 9_000  # of the named


def lay_out_unknowns(withheld, not_known, day):
    lines, references, register = make_lines([5_000.0], withheld)
    told = lines.assign(not_known_shops_gbp=[0.0, *not_known])
    return bill_tables.lay_out_lines(told, references, register, day, "2024-25")


def test_what_is_not_known_stays_by_itself_until_ten_of_those_withheld_have_changed(bill_totals):
    pounds, shops = [100.0 + number for number in range(40)], [10.0 + number for number in range(40)]
    first = lay_out_unknowns(pounds, shops, "2026-11-01")
    one = lay_out_unknowns(pounds, [900.0, *shops[1:]], "2026-12-01")  # one person's shop is revalued
    ten = lay_out_unknowns([201.0, *pounds[1:]], [shop + 50.5 for shop in shops[:10]] + shops[10:], "2026-12-01")
    rule = bill_totals.disclosure
    [before] = bill_tables.sum_unknowns(first, None).to_dict("records")
    assert (before["what"], before["value_gbp"], before["bills"]) == ("shops", 1_200, 40)  # 1,180, rounded up
    [held] = bill_tables.sum_unknowns(bill_tables.hold_lines(first, one, rule), first).to_dict("records")
    assert (held["value_gbp"], held["moved"]) == (1_200, 0)
    rows = bill_tables.hold_lines(first, ten, rule)
    [now] = bill_tables.sum_unknowns(rows, first).to_dict("records")
    assert (now["value_gbp"], now["moved"], now["as_of"]) == (1_700, 10, pd.Timestamp("2026-12-01"))
    assert bill_tables.sum_held(rows, first)["as_of"].tolist() == [pd.Timestamp("2026-11-01")]  # gross: one has changed
    assert rows["number"].is_unique


def test_the_gate_refuses_what_is_not_known_once_one_bill_of_it_has_moved(bill_totals):
    dataset = load_catalogue(find_workbook()).dataset("bill_unknowns")
    assert dataset.disclosure.moves == bill_totals.disclosure.moves
    pounds, shops = [100.0] * 40, [10.0 + number for number in range(40)]
    first = lay_out_unknowns(pounds, shops, "2026-11-01")
    one = lay_out_unknowns(pounds, [900.0, *shops[1:]], "2026-12-01")
    earlier = bill_tables.sum_unknowns(first, None)
    unheld = bill_tables.sum_unknowns(one, first)
    around = Surroundings(earlier=[earlier])
    with pytest.raises(ReleaseRefusedError, match="1 sums changed since the last release"):
        pass_gate(dataset, unheld, [], load_catalogue(find_workbook()).disclosure, around)
    held = bill_tables.sum_unknowns(bill_tables.hold_lines(first, one, bill_totals.disclosure), first)
    passed = pass_gate(dataset, held, [], load_catalogue(find_workbook()).disclosure, around)
    assert passed.frame["value_gbp"].tolist() == [1_200]


@pytest.fixture(scope="module")
def bill_totals():
    return load_catalogue(find_workbook()).dataset("bill_totals")


def test_orders_of_checking_are_scored_on_a_twin_and_beat_chance():
    scores = bill_tables.compare_on_twins(load_rules("scotland"), "2023-24", 5, twins=2).set_index("order")
    assert list(scores.index) == ["rules", "model", "both", "random"]
    assert scores.loc["rules", "recovered_gbp"] > 3 * scores.loc["random", "recovered_gbp"]
    told = prose.describe_bill_scores(scores.reset_index())
    assert "scores on synthetic data" in told
    assert f"{write_pounds(scores.loc['random', 'recovered_gbp'])} at random" in told


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """The ledger's twin as the notebook of bills reads it, its findings, and the truth of what was planted."""
    request = TwinRequest(Council(slug="test", name="Test", codes={"S12000050": "Test"}), 3)
    path = tmp_path_factory.mktemp("ledger") / "rates_ledger.csv"
    path.write_bytes(accounts.make_ledger(None, request)["rates_ledger"])
    roll = read_roll(path, run_date="2026-11-23").frame.dropna(axis="columns", how="all")
    bills = bill_inputs.prepare_bills(roll, "2023-24")
    return bills, errors_in_bills.find_errors(bills, load_rules("scotland")), accounts.list_bill_errors(request)


def test_the_ledgers_twin_holds_charges_with_errors_that_its_reader_finds(ledger):
    bills, findings, errors = ledger
    assert bills["billed_gbp"].notna().all()
    assert 0.01 < len(errors) / len(bills) < 0.025
    kinds = findings["kind"].to_frame().join(bills["property_reference"]).groupby("property_reference")["kind"].agg(set)
    named = {"missed_relief": "missed_relief", "mistyped_sum": "swapped_digits", "whole_year": "whole_year"}
    for error, kind in named.items():
        wrong = errors.index[errors["error"] == error]
        assert len(wrong) and all(kind in kinds[reference] for reference in wrong)
    unseen = errors.index[errors["error"] == "mistyped_value"]
    assert len(unseen) and not set(unseen) & set(kinds.index)
    differs = findings[~findings["kind"].isin(bill_tables.OF_ENTRIES)].index
    right = ~bills.loc[differs, "property_reference"].isin(errors.index)
    assert 5 < right.sum() < 0.04 * len(bills)  # unusual, and right


def test_what_rules_do_not_explain_goes_to_the_model_on_the_ledger_itself(ledger):
    bills, findings, errors = ledger
    checks = bill_tables.rank_bills(bills, findings, load_rules("scotland"), 3)
    listed = bill_tables.list_checks(checks, bills)
    assert (listed["found_by"] == "rule").sum() == len(findings)
    pounds = ["expected_gbp", "stake_gbp", "right_gbp"]
    assert list(listed) == ["property_reference", "found_by", "kind", "direction", *pounds, "reason"]
    assert listed[pounds].equals(listed[pounds].round(2))
    model = listed[listed["found_by"] == "model"]
    assert len(model) == bill_tables.MOST_UNUSUAL
    assert model["direction"].isna().all() and (model["reason"].str.len() > 5).all()
    assert listed["expected_gbp"].is_monotonic_decreasing and listed.index.equals(pd.RangeIndex(len(listed)))
    assert not listed.duplicated(["property_reference", "kind"]).any()
    named = bills.set_index("property_reference").index[bills.index.isin(findings.index)]
    assert not set(model["property_reference"]) & set(named)
    found = bill_tables.measure_checks(checks, bills, errors, 3).set_index("order")["recovered_gbp"]
    assert found["both"] > 3 * found["random"]


def test_a_ledger_without_charges_is_ranked_by_rules_alone(ledger):
    bills = ledger[0].drop(columns="billed_gbp")
    findings = errors_in_bills.find_errors(bills, load_rules("scotland"))
    checks = bill_tables.rank_bills(bills, findings, load_rules("scotland"), 3)
    listed = bill_tables.list_checks(checks, bills)
    assert len(listed) == len(findings) and set(listed["found_by"]) == {"rule"}
    assert set(bill_tables.sum_stakes(findings, bills)["what"]) == {"entries"}


def test_a_roll_on_which_nothing_looks_wrong_has_no_checks_and_no_stakes(ledger):
    bills = ledger[0].head(20).drop(columns="billed_gbp")
    findings = ledger[1].head(0)
    checks = bill_tables.rank_bills(bills, findings, load_rules("scotland"), 3)
    assert bill_tables.list_checks(checks, bills).empty
    assert bill_tables.sum_stakes(findings, bills).empty


def test_stakes_count_a_bill_once_and_in_its_direction():
    findings = pd.DataFrame(
        {
            "kind": ["difference", "swapped_digits", "missed_relief", "difference", "difference"],
            "direction": ["too high", "too high", "too high", "too low", "too high"],
            "stake_gbp": [50.0, 20.0, 90.0, 10.0, 5.0],
        },
        index=[0, 1, 1, 2, 3],
    )
    bills = pd.DataFrame({"billed_gbp": [1.0, 1.0, 1.0, None]})
    stakes = bill_tables.sum_stakes(findings, bills)
    assert stakes.to_dict("list") == {  # of one bill, as of that which is too low, nothing is said
        "what": ["entries"],
        "direction": ["too high"],
        "value_gbp": [95.0],
        "bills": [2],
        "largest_gbp": [90.0],
        "second_gbp": [5.0],
    }


def test_findings_are_counted_by_kind_and_direction_the_commonest_first():
    findings = pd.DataFrame(
        [("b", "too low", "x"), ("c", "too high", "y"), ("a", "too low", "z"), ("c", "too high", "y")],
        columns=["kind", "direction", "reason"],
    )
    assert bill_tables.count_findings(findings).index.tolist() == [0, 1, 2]
    assert bill_tables.count_findings(findings).to_dict("list") == {
        "kind": ["c", "a", "b"],
        "direction": ["too high", "too low", "too low"],
        "reason": ["y", "z", "x"],
        "bills": [2, 1, 1],
    }


def test_stakes_of_charges_and_of_entries_are_summed_apart():
    findings = pd.DataFrame(
        {
            "kind": ["difference", "difference", "duplicate", "difference", "credit_not_paid", "difference"],
            "direction": ["too high"] * 5 + ["too low"],
            "stake_gbp": [50.004, 20.0, 90.0, 10.0, 5.0, 70.0],
        },
        index=[0, 1, 2, 3, 4, 5],
    )
    bills = pd.DataFrame({"billed_gbp": [1.0, 1.0, 1.0, None, 1.0, 1.0]})
    rows = bill_tables.sum_stakes(findings, bills).to_numpy().tolist()
    assert rows == [["charge", "too high", 70.0, 2, 50.004, 20.0], ["entries", "too high", 105.0, 3, 90.0, 10.0]]


def test_intervals_over_twins_hold_95_percent_of_the_means_and_pair_each_twin_with_its_rules(monkeypatch):
    count = 60
    luck = np.random.default_rng(8).normal(0, 100, (2, count + 1))
    luck -= luck[:, 1:].mean(axis=1, keepdims=True)

    def check(rules, year, seed, number, detector):
        pounds = [1_000 + luck[0, number], 1_400 + luck[0, number] + luck[1, number] / 10]
        return pd.DataFrame(
            {"order": ["rules", "both"], "recovered_gbp": pounds, "errors": [number, 0], "share_of_all": [0.2, 0.6]}
        )

    monkeypatch.setattr(bill_tables, "_check_twin", check)
    table = bill_tables.compare_on_twins(load_rules("scotland"), "2023-24", 5, twins=count).set_index("order")
    assert table["recovered_gbp"].tolist() == pytest.approx([1_000, 1_400])
    assert table["more_gbp"].tolist() == pytest.approx([0, 400])
    assert table.loc["rules", ["more_low_gbp", "more_high_gbp"]].tolist() == [0, 0]
    for order, name, values in (("rules", "recovered", luck[0, 1:]), ("both", "more", luck[1, 1:] / 10)):
        half = 1.96 * values.std() / count**0.5
        ends = table.loc[order, [f"{name}_low_gbp", f"{name}_high_gbp"]].astype(float) - table.loc[order, f"{name}_gbp"]
        assert ends.tolist() == pytest.approx([-half, half], rel=0.12)
    assert table["errors"].tolist() == [30.5, 0]
    assert table["share_of_all"].tolist() == pytest.approx([0.2, 0.6])
    with pytest.raises(CheckError, match="1 twins give no interval"):
        bill_tables.compare_on_twins(load_rules("scotland"), "2023-24", 5, twins=1)


def test_the_rules_of_a_council_are_those_of_its_nation():
    assert bill_inputs.find_nation("S12000050") == "scotland"
    assert bill_inputs.find_nation("E08000032") == "england"
    assert bill_inputs.find_nation("W06000015") == "wales"
    with pytest.raises(CheckError, match=r"N09000003.*another nation's"):
        bill_inputs.find_nation("N09000003")


def make_dated_roll(**columns):
    return pd.DataFrame({"rateable_value_gbp": 5_000.0} | columns).assign(property_reference=lambda roll: roll.index)


@pytest.mark.parametrize(
    ("days", "year", "month"),
    [
        (["2016-05-01", "2024-07-09", None, "2019-04-01"], "2024-25", "July 2024"),
        (["2018-11-01", "2026-12-24", "2018-10-30"], "2018-19", "November 2018"),  # after the day of the run
        (["2026-04-01", "1990-04-01"], "2026-27", "April 2026"),
        (["2026-03-31", "1990-04-01"], "2025-26", "March 2026"),
        (["2019-06-01"] * 1_500 + ["2025-05-05"], "2019-20", "June 2019"),  # one of 1,501 days is a slip of the pen
    ],
)
def test_the_year_of_bills_is_that_of_the_newest_accounts_in_the_roll(days, year, month):
    roll = make_dated_roll(liability_start_date=pd.to_datetime(days))
    found = bill_inputs.find_year(roll, load_rules("england"), "2026-11-23", file="nndr_2021-05.csv")
    assert found.year == year and month in found.because


def test_a_roll_without_days_is_of_the_date_in_its_name_or_its_year_is_asked_for():
    rules, roll = load_rules("england"), make_dated_roll(address=["1 High Street"])
    for file, year in (
        ("nndr_2019-06.csv.gz", "2019-20"),
        ("Rates 202503.xlsx", "2024-25"),
        ("r_20240401.csv", "2024-25"),
    ):
        assert bill_inputs.find_year(roll, rules, "2026-11-23", file=file).year == year
    for file in ("rates_ledger.csv", "ledger_2024.csv", "roll_123456201905678.csv", "2023-24.csv"):
        with pytest.raises(CheckError, match="rates_year, for example"):
            bill_inputs.find_year(roll, rules, "2026-11-23", file=file)
    told = bill_inputs.find_year(roll, rules, "2026-11-23", file="nndr_2019-06.csv", told=date(2026, 3, 31))
    assert (told.year, told.because) == ("2025-26", "as the roll says that it is of 31 March 2026")
    assert bill_inputs.find_year(roll, rules, "2026-11-23", asked="2026-27").year == "2026-27"
    with pytest.raises(CheckError, match=r"rates_year: there are no rules for '2016-17'.*2017-18"):
        bill_inputs.find_year(roll, rules, "2026-11-23", asked="2016-17")
    old = make_dated_roll(liability_start_date=pd.to_datetime(["2015-09-01"]))
    with pytest.raises(CheckError, match=r"of 2015-16.*no rules.*rates_year"):
        bill_inputs.find_year(old, rules, "2026-11-23")


def test_bills_of_another_list_of_values_are_said_to_be():
    rules = load_rules("england")
    roll = make_dated_roll(liability_start_date=pd.to_datetime(["2019-06-01"]))
    for year, other in (("2019-20", False), ("2022-23", False), ("2023-24", True), ("2026-27", True)):
        found = bill_inputs.find_year(roll, rules, "2026-11-23", asked=year)
        words = bill_inputs.describe_year(found, roll, rules, "2026-11-23")
        assert words.startswith(f"The bills are of {year}, as the parameter") and ("list of 2017" in words) == other


def test_properties_that_a_year_leaves_out_are_counted_with_the_reason():
    roll = make_dated_roll(
        rateable_value_gbp=[100.0, 0.0, None, 200.5, 300.0, 400.0],
        liability_start_date=pd.to_datetime(["2018-01-01", None, None, None, "2019-03-31", "2019-04-01"]),
    )
    found = bill_inputs.RollYear("2018-19", "as asked")
    counted = bill_tables.count_accounts(roll, found)
    assert counted.set_index("what")["properties"].to_dict() == {"billed": 2, "no value": 3, "later": 1}
    assert len(bill_inputs.prepare_bills(roll, "2018-19")) == 2
    words = prose.describe_accounts(counted.assign(properties=pd.array([4_295, 0, None], dtype="Int64")))
    assert words == (
        "The bills are of **2018-19**, as asked. Some **4,295** have one; a few have none, as somebody is liable only "
        "after the year."
    )


def test_blank_occupied_means_in_a_bill_what_it_means_in_the_register():
    for cells, empty in (([True, None, True], [1]), ([True, None, False], [2]), ([None, None, None], [])):
        roll = make_dated_roll(is_occupied=pd.array(cells, dtype="boolean"))
        bills = bill_inputs.prepare_bills(roll, "2019-20")
        assert bills.index[~bills["is_occupied"]].tolist() == empty
    dated = make_dated_roll(empty_since_date=pd.to_datetime(["2019-01-01", None]))
    assert bill_inputs.prepare_bills(dated, "2019-20")["is_occupied"].tolist() == [False, True]


def sum_unknowns(bills, lines, rules):
    told = lines.join(bill_tables.measure_unknowns(bills, lines, rules))
    register = pd.DataFrame({"property_reference": [], "released_name": []}, dtype="object")
    rows = bill_tables.lay_out_lines(told, bills["property_reference"], register, "2026-11-01", "2026-27")
    return bill_tables.sum_unknowns(rows, None)


def test_what_a_roll_does_not_tell_of_bills_is_summed_at_most():
    rules = load_rules("england")
    roll = make_dated_roll(
        rateable_value_gbp=[20_000.0, 30_000.0, 40_000.0, 60_000.0, 10_000.0],
        description=["SHOP AND PREMISES", "CAFE AND PREMISES", "OFFICES", "WORKSHOP", "STORE"],
        is_occupied=pd.array([True, True, True, False, False], dtype="boolean"),
        liability_start_date=pd.to_datetime(["2001-01-01", "2001-01-01", None, None, "2001-01-01"]),
        other_relief=[None, None, "Enterprise Zone", "Hardship", None],
        exemption=["Listed", None, None, None, None],
    )
    bills = bill_inputs.prepare_bills(roll, "2026-27")
    lines = charges.compute_bills(bills, rules)
    sums = sum_unknowns(bills, lines, rules).set_index("what")
    # 44.2p, and 49.0p of 60,000: 17,680.00, 29,400.00 and 4,420.00 of the last; the exempt shop pays nothing
    assert sums["bills"].to_dict() == {"liable_since": 2, "transition": 4, "empty_since": 2, "other_relief": 2}
    assert sums["value_gbp"].to_dict() == {
        "liable_since": 48_000.0,  # 17,680.00 and 29,400.00 are 47,080.00, rounded up
        "transition": 1_400.0,  # 1p of 140,000
        "empty_since": 16_000.0,  # 183 of 365 days of 29,400.00, and 91 of 4,420.00: 15,842.22
        "other_relief": 48_000.0,
    }
    assert sums.loc["transition", ["largest_gbp", "second_gbp"]].tolist() == [600.0, 400.0]
    dearer = bills.assign(**{one: bills[one] + 5 for one in ("rateable_value_gbp", "ratepayer_total_rv_gbp")})
    unknown = bill_tables.measure_unknowns(dearer, charges.compute_bills(dearer, rules), rules)
    assert unknown["not_known_transition_gbp"].tolist() == [0, 300.05, 400.05, 600.05, 100.05]
    words = prose.describe_unknowns(sums.reset_index().assign(year="2026-27"))
    assert "concerns some 2 bills, and at most £48,000" in words and "We can put no sum on" in words
    open_shops = bills.assign(exemption=pd.NA, other_relief_gbp=0.0)
    sums = sum_unknowns(open_shops, charges.compute_bills(open_shops, rules), rules).set_index("what")
    assert sums.loc["shops", ["bills", "value_gbp"]].tolist() == [2, 2_500.0]  # 5p of 20,000 and of 30,000
    assert sum_unknowns(bills.head(0), lines.head(0), rules).empty


def test_sums_that_are_withheld_are_said_to_be():
    totals = pd.DataFrame({"line": ["gross", "net"], "value_gbp": [1e6, None], "year": "2019-20"})
    stakes = pd.DataFrame(
        {
            "what": ["charge", "charge", "entries"],
            "direction": ["too high", "too low", "too high"],
            "bills": pd.array([10, 5, None], dtype="Int64"),
            "value_gbp": [None, 1_240.0, None],
        }
    )
    assert "withheld" in prose.describe_bills(totals, stakes)
    assert "withheld" in prose.summarise_bills(totals, stakes)
    count = int(stakes["bills"].sum())
    assert f"About {count:,} bills do not fit" in prose.summarise_bills(totals.fillna(5e5), stakes)
    assert "do not fit" not in prose.summarise_bills(totals.fillna(5e5), stakes.head(0))
    told = prose.describe_bills(totals.fillna(5e5), stakes)
    assert "£0.5 million" in told
    assert "some 10 bills, perhaps too much by a sum that one or two bills decide" in told
    assert "some 5 bills, perhaps too little by £1,200" in told
    assert "nobody has claimed" not in told
    few = stakes.assign(bills=pd.array([None, 5, None], dtype="Int64"))
    assert "The number of charges that may be too high is hidden" in prose.describe_bills(totals.fillna(5e5), few)
    assert "Too few bills" in prose.describe_bills(totals.fillna(5e5), stakes.head(0))


# --- the map ---


@pytest.fixture
def register():
    frame = pd.DataFrame(
        {
            "property_reference": [str(n) for n in range(6)],
            "address": ["1 High Street", "1 High Street", None, "4 High Street", "5 High Street", "6 High Street"],
            "description": "SHOP",
            "rateable_value_gbp": [0.0, 5_000.0, 5_001.0, 12_001.0, 51_000.0, 900_000.0],
        }
    )
    points = gpd.points_from_xy([-4.0, -4.01, -4.02, -4.0, -4.01], [55.8, 55.81, 55.8, 55.82, 55.83])
    return gpd.GeoDataFrame(frame, geometry=[*points, None], crs=4326)


def test_properties_with_a_position_are_dots_in_bands_of_value(register):
    dots = register_map.locate_properties(register)
    assert list(dots["band"]) == [1, 1, 2, 3, 4]
    assert dots["property"].is_unique
    outline = point_maps.outline_points(dots, "Here")
    assert outline.geometry.iloc[0].covers(dots.geometry.iloc[0])
    told = register_map.describe_map(dots, register)
    assert "5 properties" in told
    assert "1 property without a position is not on it." in told


# --- other sentences ---


def test_what_changed_is_told_and_so_is_that_there_is_nothing_to_compare():
    changes = pd.DataFrame({"change": ["joined", "joined", "left"]})
    assert prose.describe_changes(changes).startswith("Since the last version, 2 joined the roll, 1 left it, 0 were")
    assert "no earlier version" in prose.describe_changes(changes.iloc[:0])


def test_rows_that_were_kept_aside_are_told():
    rows = pd.DataFrame({"what": ["kept", "rateable value 0", "blank"], "rows": [95, 10, 5]})
    assert "Some 10 rows of the roll, of 105, did not fit" in prose.describe_rows(rows)
    assert prose.describe_rows(rows.iloc[:1]).startswith("Every row")


def test_an_estimate_that_is_withheld_is_not_told():
    row = {
        "on_roll": 100,
        "in_register": 90,
        "in_directory": None,
        "seen": 110,
        "estimate": 115,
        "low": 111,
        "high": 120,
    }
    told = prose.describe_missing(pd.DataFrame([row]))
    assert told.startswith(
        "The roll has some 100 places to eat and drink and the food register 90. 110 are on at least one"
    )
    assert "may be **115**" in told
    assert ", the food register 90 and the business directory 70." in prose.describe_missing(
        pd.DataFrame([row | {"in_directory": 70}])
    )
    assert "too few" in prose.describe_missing(pd.DataFrame([row | {"seen": None}]))


def test_it_is_told_what_a_clerk_found_or_that_nobody_has_looked():
    row = {"register": "food_hygiene", "links": 310, "reviewed": 70, "right": 300, "right_low": 280, "right_high": 310}
    told = prose.describe_review(pd.DataFrame([row]))
    assert "**300** of 310 links to the food hygiene register (95% interval 280 to 310; the clerk saw 70)" in told
    assert prose.describe_review(pd.DataFrame([row]).iloc[:0]).startswith("Nobody has looked")


def test_of_a_list_as_many_are_told_as_were_planted():
    scores = pd.DataFrame(
        {"checked": [10, 18, 20, 90], "right": [10, 17, 17, 18], "at_random": [2, 4, 4, 18], "planted": 18}
    )
    assert (
        "no bill goes to 18 businesses. Of the first 18 on the list, 17 are among them"
        in prose.describe_missing_scores(scores)
    )
    assert "in random order about 4 would be" in prose.describe_missing_scores(scores)
    few = prose.describe_missing_scores(scores.assign(planted=3))
    assert "Of the first 10 on the list, 10 are among them" in few
    assert "too short" in prose.describe_missing_scores(scores.iloc[:0])


def test_a_saving_that_may_be_a_loss_has_its_sign_before_the_pound():
    costs = pd.DataFrame(
        {
            "quantity": ["cost_gbp", "net_gbp"],
            "median": [7_200.0, 1_000],
            "low": [2_700.0, -720],
            "high": [15_100.0, 4_200],
        }
    )
    claim = pd.DataFrame(
        {"claim_gbp": [18_000], "chance_of_more": [0.02], "requests_year": [1_500.0], "requests_basis": ["counted"]}
    )
    assert "(−£720 to £4,200)" in prose.describe_costs(costs, claim)
    assert "assumption" not in prose.describe_costs(costs, claim)
    assert "1,500 requests of all kinds a year, an assumption" in prose.describe_costs(
        costs, claim.assign(requests_basis="assumed")
    )


def test_the_coarser_table_is_described_by_what_is_left_and_its_lack_is_said():
    day = pd.Timestamp("2026-11-26")
    names = ["version_date", "use", "value_band", "liability_year", "occupancy", "ward_code", "relief"]
    whole = pd.DataFrame([[day, "Offices", None, "2010-2019", "occupied", None, "none"]] * 12, columns=names)
    told = prose.describe_coarse(whole)
    assert "26 November 2026" in told
    assert "What had to go: a band of its value and its ward." in told
    told = prose.describe_coarse(whole.assign(ward_code="not known", occupancy="not known"))
    assert "ward" not in told
    assert "occupied" not in told
    assert "no such table" in prose.describe_coarse(whole.head(0))


# --- each figure of a sentence, of frames in which no two figures are alike ---


def test_the_register_is_told_with_its_properties_value_and_names():
    register = pd.DataFrame(
        {"released_name": ["Bread Ltd", None, "Cake PLC", "Tea LLP"], "rateable_value_gbp": [2.5e6, 1e6, 3.25e6, 4e5]}
    )
    assert prose.describe_register(register, "Here", COLUMNS) == (
        "The open register of Here has **4 properties** with a rateable value of £7.2 million. It names "
        "**3 ratepayers** (75%) and hides the rest, who may be individuals."
    )
    assert prose.describe_register(register, "Here", set()).endswith(
        "It names nobody who pays, as the roll that it is made of names nobody."
    )


def test_the_commonest_reason_to_publish_and_to_withhold_is_told_of_each():
    parties = pd.DataFrame(
        [
            ("withheld", "initials", 30),
            ("organisation", "a legal form", 40),
            ("withheld", "no evidence", 90),
            ("organisation", "public body", 60),
            ("organisation", "few", None),
        ],
        columns=["party", "reason", "properties"],
    )
    assert prose.describe_parties(parties) == (
        "The most common reason why a name was published: public body. The most common reason why a name was "
        "withheld: no evidence."
    )


def test_counts_that_are_left_out_of_a_small_roll_are_said_to_be():
    told = {"small_business_relief", "is_occupied"}
    empty = pd.Series([pd.NA], dtype="Int64")
    few = pd.DataFrame({"withheld_empty": empty, "withheld_relieved": empty, "is_suppressed": [False]})
    assert prose.describe_few(few, told).startswith("The properties are too few to say how many")
    assert not prose.describe_few(few, {"description"})
    assert not prose.describe_few(few.assign(is_suppressed=True), told)
    assert not prose.describe_few(few.assign(withheld_empty=0), told)
    parties = pd.DataFrame({"party": ["organisation"], "reason": ["public body"], "properties": [10]})
    assert prose.describe_parties(parties).endswith(
        "Why other names were withheld is left out, as they are none or too few."
    )


def test_each_kind_of_change_is_told_with_its_own_number():
    kinds = ["joined"] * 5 + ["left"] * 2 + ["new value"] * 3 + ["new ratepayer"] * 7
    assert prose.describe_changes(pd.DataFrame({"change": kinds})) == (
        "Since the last version, 5 joined the roll, 2 left it, 3 were valued anew and 7 have another organisation "
        "that pays."
    )


def test_links_and_those_of_an_exact_match_are_told_by_register():
    counts = pd.DataFrame(
        {
            "register": ["food_hygiene", "oscr", "directory"],
            "linked": pd.array([1200, 340, None], dtype="Int64"),
            "exact": pd.array([500, 130, 40], dtype="Int64"),
        }
    )
    assert prose.describe_links(counts) == (
        "We found properties of the roll in other lists, rounded to five: **1,200** in the food hygiene register and "
        "**340** in the Scottish charity register. A match of name and postcode alone would find 630 of these 1,540."
    )


def test_links_that_are_right_are_told_of_those_found_and_of_those_that_there_are():
    scores = pd.DataFrame(
        [
            ("Splink", "food_hygiene", 90, 100, 120),
            ("exact match", "food_hygiene", 50, 50, 120),
            ("Splink", "oscr", 7, 8, 10),
        ],
        columns=["method", "register", "right_links", "found_links", "true_links"],
    )
    assert prose.describe_link_scores(scores) == (
        "In an invented town we know which links are right, and which were found (scores on synthetic data):\n\n"
        "- the food hygiene register: 90% right, and 75% found\n"
        "- the Scottish charity register: 88% right, and 70% found"
    )


def test_a_clerks_verdicts_are_told_by_register_with_their_interval():
    review = pd.DataFrame(
        [
            ("food_hygiene", 310, 70, 300, 280, 309),
            ("oscr", 1200, 55, 1100, 1040, 1180),
            ("directory", 90, None, None, None, None),
        ],
        columns=["register", "links", "reviewed", "right", "right_low", "right_high"],
    ).convert_dtypes()
    assert prose.describe_review(review) == (
        "A clerk looked at a sample of the links. From it we estimate how many are right:\n\n"
        "- **300** of 310 links to the food hygiene register (95% interval 280 to 309; the clerk saw 70)\n"
        "- **1,100** of 1,200 links to the Scottish charity register (95% interval 1,040 to 1,180; the clerk saw 55)"
    )


def test_places_to_eat_are_told_by_list_and_in_all():
    row = {
        "on_roll": 1100,
        "in_register": 990,
        "in_directory": 470,
        "seen": 1210,
        "estimate": 1315,
        "low": 1260,
        "high": 1420,
    }
    assert prose.describe_missing(pd.DataFrame([row])) == (
        "The roll has some 1,100 places to eat and drink, the food register 990 and the business directory 470. 1,210 "
        "are on at least one list. With those on no list there may be **1,315** (95% interval 1,260 to 1,420)."
    )


def test_the_order_of_checks_that_puts_most_right_is_told_beside_the_others():
    scores = pd.DataFrame(
        {
            "order": ["rules", "model", "both", "random"],
            "recovered_gbp": [41_040.0, 12_060.0, 52_140.0, 3_020.0],
            "recovered_low_gbp": [39_000.0, 9_000.0, 47_360.0, 1_000.0],
            "recovered_high_gbp": [43_000.0, 15_000.0, 58_990.0, 6_000.0],
        }
    )
    assert prose.describe_bill_scores(scores) == (
        "We put errors into synthetic ledgers. A hundred checks in the order of rules and model together put £52,000 "
        "right (95% interval £47,000 to £59,000). It would be £41,000 by rules alone, £12,000 by the model alone, and "
        "£3,000 at random. These are scores on synthetic data."
    )
    swapped = scores.assign(order=["both", "model", "rules", "random"])
    assert "in the order of rules alone put £52,000 right" in prose.describe_bill_scores(swapped)


def test_what_bills_come_to_and_what_is_at_stake_is_told_in_both_directions():
    totals = pd.DataFrame({"line": ["gross", "net"], "value_gbp": [12.34e6, 7.86e6], "year": "2024-25"})
    stakes = pd.DataFrame(
        [
            ("charge", "too high", 1200, 90_440.0),
            ("charge", "too low", 35, 12_060.0),
            ("entries", "too high", 410, 70_250.0),
        ],
        columns=["what", "direction", "bills", "value_gbp"],
    )
    owe = "By the rules of 2024-25 the properties owe **£7.9 million** a year"
    by_rules = f"{owe}. Before reliefs it is £12.3 million."
    assert prose.describe_bills(totals, stakes) == (
        f"{by_rules} The charge is not what the rules give in some 1,200 bills, perhaps too much by £90,000, and in "
        "some 35 bills, perhaps too little by £12,000. The reliefs do not fit the rules in some 410 bills, perhaps too "
        "much by £70,000. Most often nobody has claimed a relief that is due. A difference is a reason to look. "
        "Many are right, for reasons that a ledger "
        "does not show."
    )
    assert prose.summarise_bills(totals, stakes) == (
        f"{by_rules} About 1,645 bills do not fit, in charge or in relief; many of these are right all the same."
    )
    assert prose.describe_bills(totals, stakes.iloc[::-1]) == prose.describe_bills(totals, stakes)
    for shown in (stakes.head(1), stakes.tail(1), stakes.head(1).assign(bills=pd.NA)):  # each alone is something
        assert "Too few" not in prose.describe_bills(totals, shown)
    assert prose.describe_bills(totals, stakes.head(0)) == f"{by_rules} Too few bills look wrong to say how many."


def test_costs_and_savings_are_told_with_their_own_intervals_and_the_claim():
    costs = pd.DataFrame(
        [("hours", 90.0, 50.0, 160.0), ("net_gbp", 1_040.0, -720.0, 4_260.0), ("cost_gbp", 7_240.0, 2_680.0, 15_140.0)],
        columns=["quantity", "median", "low", "high"],
    )
    claim = {"claim_gbp": 18_000, "chance_of_more": 0.023, "requests_year": 1_500.0, "requests_basis": "counted"}
    assert prose.describe_costs(costs, pd.DataFrame([claim])) == (
        "Requests on business rates are estimated to cost **£7,200 a year** (90% interval £2,700 to £15,000). "
        "Publishing would save £1,000 of this after costs (−£720 to £4,300). The case study says £18,000: the "
        "chance is 2% that requests cost as much or more."
    )


def test_topics_are_told_with_their_number_and_that_of_all():
    topics = pd.DataFrame({"title": ["Credits", "Empty properties", "Lists"], "requests": [1100, 460, 90]})
    assert prose.describe_topics(topics) == (
        "People asked most often for **credits** (1100 times) and **empty properties** (460). Known requests asked for "
        "1,650 things in all."
    )
