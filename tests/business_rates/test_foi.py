import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.business_rates.requests import foi, foi_costs, foi_tables, matching, rules
from councilbook.errors import CheckError

ROLL = matching.Dataset(
    "roll_open",
    "Open roll",
    dict.fromkeys(
        [
            "property_reference",
            "address",
            "rateable_value_gbp",
            "released_name",
            "liability_start_date",
            "is_occupied",
            "small_business_relief",
            "mandatory_relief",
        ],
        "",
    ),
    {"new_ratepayers": "New", "empty_properties": "Empty"},
)
CREDITS = matching.Dataset(
    "credits", "Credits", {"property_reference": "", "account_credit_gbp": ""}, {"credits": "All"}
)
INDEX = pd.DataFrame(
    {
        "authority": ["Moray Council", "City of York Council", "Eden District Council"],
        "title": ["Vacant Shops", "nndr Credits", "Business Rates"],
        "date_received": ["2021-02-03", None, None],
        "date_responded": ["2021-03-01", None, "2019-05-06"],
        "topics": ["empty_properties;counts", "credit_balances", "full_ratepayer_list;net_charge"],
        "outcome": ["not held", "long overdue", "partly refused"],
        "exemptions": ["FOISA s17", None, "FOIA s12; s40(2)"],
    },
    index=[4, 7, 9],
)
NONE = pd.DataFrame({"title": [], "labels": []})


@pytest.fixture
def requests():
    return foi.tidy_requests(INDEX)


# --- requests ---


def test_an_index_is_brought_into_form(requests):
    assert requests["year"].tolist()[0] == 2021
    assert requests["year"].isna().tolist() == [False, True, False]
    assert requests["labels"].tolist()[0] == ("empty_properties",)
    assert requests["outcome"].tolist()[0::2] == ["not held", "in part"]
    assert requests["outcome"].isna().sum() == 1
    assert requests.index.tolist() == [4, 7, 9]


WRITTEN = ("%Y-%m-%d", "%Y-%m-%dT00:30:00+01:00", "%d/%m/%Y", "%d.%m.%Y 23:59", "%d-%m-%y", "%d %B %Y", "%d-%b-%Y")


@given(st.dates(date(1999, 1, 1), date(2059, 12, 31)), st.sampled_from(WRITTEN))
def test_a_date_is_read_as_british_people_and_computers_write_it(day, form):
    dated = INDEX.assign(date_received=[day.strftime(form), "", None], date_responded=None)
    assert foi.tidy_requests(dated)["year"].tolist()[0] == day.year


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": ["A", " ", "C"]}, "row 1"),
        ({"topics": ["parking", "", ""]}, "parking"),
        ({"outcome": ["lost", "", ""]}, "row 0"),
        ({"date_received": ["2021-02-03", "in spring", "31/02/2023"]}, r"2 requests .* in date_received \(row 1, 2,"),
        ({"date_responded": ["04/13/2023", "", ""]}, r"1 requests .* in date_responded \(row 0, .*12/04/2023"),
    ],
)
def test_an_index_with_a_fault_is_refused(change, message):
    with pytest.raises(CheckError, match=message):
        foi.tidy_requests(INDEX.assign(**change))


def test_an_index_without_titles_is_refused_and_no_title_is_in_a_message():
    with pytest.raises(CheckError, match="title"):
        foi.tidy_requests(INDEX.drop(columns="title"))
    with pytest.raises(CheckError) as error:
        foi.tidy_requests(INDEX.assign(title=["Jane Doe's bill", "", "Jane Doe"]))
    assert "Jane" not in str(error.value)


@pytest.mark.parametrize("name", ["City of York Council", "York City Council", "YORK"])
def test_councils_are_found_by_any_of_their_names(name):
    assert rules.shorten_council(name) == "york"


def test_the_law_follows_the_code():
    assert rules.name_law("S12000050") == "scotland"
    assert rules.name_law("E08000032") == "england"
    with pytest.raises(CheckError):
        rules.name_law("X1")


@pytest.mark.parametrize(
    ("title", "main"),
    [
        ("NNDR credits", "credit_balances"),
        ("New business rates accounts this month", "new_accounts"),
        ("Empty commercial buildings", "empty_properties"),
        ("Small business relief recipients", "small_business_relief"),
        ("Ratepayers not in receipt of rates relief", "no_relief_list"),
        ("Business Rates", "full_ratepayer_list"),
        ("How long have shops been empty?", "vacancy_duration"),
    ],
)
def test_rules_name_the_main_topic(title, main):
    assert foi.classify_titles(pd.Series([title]), NONE).iloc[0][0] == main


def test_a_title_like_nothing_known_has_no_topic():
    assert foi.classify_titles(pd.Series(["0123 456"]), NONE).tolist() == [()]


@given(st.text(min_size=1).filter(str.strip))
def test_any_title_is_classified_the_same_twice(title):
    titles = pd.Series([title])
    assert foi.classify_titles(titles, NONE).tolist() == foi.classify_titles(titles, NONE).tolist()


def test_topics_are_counted_by_year(requests):
    counts = foi.count_topics(requests)
    assert counts["requests"].sum() == 4
    assert counts["year"].isna().sum() == 1
    assert counts.loc[counts["year"] == 2021, "topic"].tolist() == ["empty_properties"]


def test_leaving_out_leaves_out_titles_that_read_the_same():
    twice = foi.tidy_requests(
        pd.DataFrame(
            {
                "authority": ["A", "B", "C"],
                "title": ["Zebra zoo", "ZEBRA zoo!", "Vacant shops"],
                "topics": ["arrears", "arrears", "empty_properties"],
            }
        )
    )
    table = foi.evaluate_topics(twice).set_index("method")
    assert table.loc["Nearest words (TF-IDF)", "main_topic_right"] == 1  # the zoo could only be known from its twin
    assert table.loc["The commonest topic", "main_topic_right"] == 0


def test_shares_have_wilsons_interval():
    low, high = foi.estimate_share(0, 10)
    assert (low, high) == pytest.approx((0, 0.2775), abs=1e-4)
    for count, total in [(1, 0), (3, 2), (-1, 2)]:
        with pytest.raises(CheckError):
            foi.estimate_share(count, total)


# --- what is answered ---


@pytest.mark.parametrize(
    ("topic", "decision", "dataset", "extract"),
    [
        ("empty_properties", "partly", "roll_open", "empty_properties"),
        ("new_accounts", "partly", "roll_open", "new_ratepayers"),
        ("credit_balances", "partly", "credits", "credits"),
        ("full_property_list", "answerable", "roll_open", ""),
        ("ratepayer_name", "partly", "roll_open", ""),
        ("correspondence_address", "not", "", ""),
        ("net_charge", "not", "", ""),
        ("arrears", "not", "", ""),
    ],
)
def test_a_topic_is_answered_by_the_columns_that_are_there(topic, decision, dataset, extract):
    found = matching.match_topic(topic, [ROLL, CREDITS])
    assert (found.decision, found.dataset, found.extract) == (decision, dataset, extract)


def test_nothing_is_answered_by_nothing():
    assert {matching.match_topic(topic, []).decision for topic in rules.load_rules().topics} == {"not"}
    with pytest.raises(CheckError):
        matching.match_topic("parking", [])


def test_a_column_more_never_makes_an_answer_worse():
    order = {"not": 0, "partly": 1, "answerable": 2}
    columns = list(ROLL.fields)
    for topic in rules.load_rules().topics:
        steps = [
            order[matching.match_topic(topic, [matching.Dataset("a", "A", dict.fromkeys(columns[:size], ""))]).decision]
            for size in range(len(columns) + 1)
        ]
        # a name brings persons with it, so the list without names may be whole and the one with names in part
        assert steps == sorted(steps) or topic in {"ratepayer_name"}, topic


def test_a_request_is_answered_wholly_partly_or_not_by_all_of_its_topics(requests):
    labels = [("arrears",), (), ("new_accounts", "arrears"), ("full_property_list",), ("full_property_list", "arrears")]
    asked = pd.DataFrame({"labels": labels, "outcome": None}, index=[5, 4, 3, 2, 1])
    decisions = matching.match_requests(asked, [ROLL, CREDITS])
    assert decisions.to_dict() == {5: "not", 4: "not", 3: "partly", 2: "answerable", 1: "partly"}
    assert matching.count_answers(asked, decisions) == (1, 2, 2)
    published = asked.assign(labels=[("proactive_publication",), *labels[1:]])
    assert matching.count_answers(published, decisions) == (1, 2, 1)


def test_decisions_are_cited_under_their_own_law():
    assert any("082/2022" in one for one in rules.cite_decisions("personal", "scotland"))
    assert rules.cite_decisions("personal", "england") == []
    with pytest.raises(CheckError):
        rules.cite_decisions("taste", "england")


def test_outcomes_are_compared(requests):
    matches = matching.match_requests(requests, [ROLL, CREDITS])
    outcomes = matching.compare_outcomes(requests, matches)
    assert outcomes["all"].sum() == 3
    assert outcomes.set_index("outcome").loc["not known", "partly"] == 1


# --- what it costs ---


def test_counts_of_requests_are_found_by_any_of_a_councils_names():
    names = ["North Lanarkshire Council", "Bradford City Council", "York City Council", "Newham", "Newham Council"]
    counts = pd.DataFrame({"council": names, "all": ["1539.4", "1686", "-", "1", "2"]})
    statistics = foi_tables.index_statistics(counts)
    assert foi_tables.find_requests(statistics, "North Lanarkshire", 7) == (1539, "counted")
    assert foi_tables.find_requests(statistics, "City of Bradford Metropolitan District Council", 7)[0] == 1686
    for name in ("York", "Newham", "Bradfort"):
        assert foi_tables.find_requests(statistics, name, 7) == (7, "assumed")


def test_every_value_has_a_source_or_is_marked_as_an_assumption():
    for law in ("scotland", "england"):
        parameters = foi_costs.load_costs().choose(law)
        assert all(one.sources or one.basis == "assumption" for one in parameters.values())
        assert all(len(one.note) > 10 and one.low < one.high for one in parameters.values())
        assert "staff_gbp_hour" in parameters


def test_a_value_out_of_its_range_or_without_a_source_is_refused():
    good = {
        "default": 1,
        "low": 0,
        "high": 2,
        "unit": "x",
        "distribution": "uniform",
        "basis": "assumption",
        "sources": (),
        "note": "n",
    }
    foi_costs.Parameter(**good)
    for change in ({"default": 3}, {"basis": "published"}, {"distribution": "fixed"}):
        with pytest.raises(ValueError):
            foi_costs.Parameter(**{**good, **change})


def test_one_future_by_hand():
    values = {
        "growth_since_counted": 1,
        "share_on_rates": 0.1,
        "hours_per_request": 6,
        "staff_gbp_hour": 20,
        "partly_saved": 0.5,
        "still_asked": 0.5,
        "hours_to_point": 1,
        "upkeep_hours_month": 2,
        "share_answerable": 0.4,
        "share_partly": 0.4,
    }
    found = {name: float(value.item()) for name, value in foi_costs.simulate_costs(1000, values).items()}
    assert found == pytest.approx(
        {
            "requests": 100,
            "cost_gbp": 12_000,
            "hours": 600,
            "requests_answered": 60,
            "saved_hours": 330,
            "saved_gbp": 6600,
            "upkeep_gbp": 480,
            "net_gbp": 6120,
        }
    )


def test_draws_stay_in_their_ranges_and_depend_on_the_seed_alone():
    drawn = foi_costs.sample_costs("scotland", 3, 500, (5, 3, 1))
    pd.testing.assert_frame_equal(drawn, foi_costs.sample_costs("scotland", 3, 500, (5, 3, 1)))
    for name, one in foi_costs.load_costs().choose("scotland").items():
        assert drawn[name].between(one.low, one.high).all()
    assert drawn["share_answerable"].mean() == pytest.approx(5.5 / 10.5, abs=0.03)
    for answers in [(1, 2), (1, -1, 0)]:
        with pytest.raises(CheckError):
            foi_costs.sample_costs("scotland", 1, 10, answers)


@given(st.floats(1, 10_000), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_nothing_saves_more_than_it_costs(requests, yes, partly, no):
    found = foi_costs.simulate_costs(requests, foi_costs.sample_costs("england", 1, 50, (yes, partly, no)))
    assert (found["saved_gbp"] <= found["cost_gbp"] + 1e-9).all()
    assert (found["saved_gbp"] >= 0).all()


def test_estimates_have_intervals_and_grow_with_requests():
    few = foi_costs.estimate_costs(100, "scotland", (10, 10, 2), 1, 2000).set_index("quantity")
    many = foi_costs.estimate_costs(1000, "scotland", (10, 10, 2), 1, 2000).set_index("quantity")
    assert (few["low"] <= few["median"]).all()
    assert (few["median"] <= few["high"]).all()
    assert many.loc["cost_gbp", "median"] == pytest.approx(10 * few.loc["cost_gbp", "median"])
    assert many.loc["upkeep_gbp", "median"] == pytest.approx(few.loc["upkeep_gbp", "median"])
    for requests in (-1, math.nan):
        with pytest.raises(CheckError):
            foi_costs.estimate_costs(requests, "scotland", (1, 1, 1), 1, 10)


def test_intervals_hold_nine_tenths_of_the_draws_and_leave_as_many_on_either_side():
    drawn = foi_costs.sample_costs("scotland", 1, 400, (9, 4, 2))
    found = foi_costs.simulate_costs(1539, drawn)
    table = foi_costs.estimate_costs(1539, "scotland", (9, 4, 2), 1, 400).set_index("quantity")
    for quantity in foi_costs.QUANTITIES:
        check_interval(table.loc[quantity, ["low", "median", "high"]], found[quantity])


def check_interval(ends, drawn):
    low, median, high = ends
    assert (drawn < low).mean() == pytest.approx(0.05, abs=0.003)
    assert (drawn > high).mean() == pytest.approx(0.05, abs=0.003)
    assert median == pytest.approx(np.median(drawn))


def test_how_many_requests_the_claim_implies_has_an_interval_of_the_same_share():
    drawn = foi_costs.sample_costs("england", 1, 400)
    claim = foi_costs.load_costs().claim.value_gbp
    implied = claim / (drawn["hours_per_request"] * drawn["staff_gbp_hour"])
    row = foi_costs.check_claim(1539, "england", 1, 400).iloc[0]
    check_interval(row[["implied_requests_low", "implied_requests", "implied_requests_high"]], implied)
    of_all = implied / (1539 * drawn["growth_since_counted"])
    check_interval(row[["implied_share_low", "implied_share", "implied_share_high"]], of_all)


def test_the_claim_is_held_against_the_ranges():
    row = foi_costs.check_claim(1539, "scotland", 1, 4000).iloc[0]
    assert row["claim_gbp"] == 18_000
    assert 0 < row["chance_of_more"] < 1
    assert row["implied_share_low"] < row["implied_share"] < row["implied_share_high"]
    twice = foi_costs.check_claim(3078, "scotland", 1, 4000).iloc[0]
    assert twice["chance_of_more"] > row["chance_of_more"]
    assert twice["implied_requests"] == pytest.approx(row["implied_requests"])


def test_the_tornado_is_widest_first_and_leaves_out_what_does_not_matter():
    table = foi_costs.weigh_costs(1539, "scotland", (10, 10, 2), "cost_gbp", 1, 2000)
    assert set(table["parameter"]) == {"growth_since_counted", "share_on_rates", "hours_per_request", "staff_gbp_hour"}
    assert table["swing"].is_monotonic_decreasing
    assert table["parameter"].iloc[0] == "share_on_rates"
    assert np.allclose(table["at_default"], table["at_default"].iloc[0])
    net = foi_costs.weigh_costs(1539, "scotland", (10, 10, 2), "net_gbp", 1, 2000).set_index("parameter")
    assert net.loc["upkeep_hours_month", "rank_correlation"] < 0 < net.loc["share_on_rates", "rank_correlation"]
    with pytest.raises(CheckError):
        foi_costs.weigh_costs(1539, "scotland", (1, 1, 1), "joy", 1, 10)


def test_the_ends_of_a_counted_share_are_those_of_nine_tenths_of_the_draws():
    drawn = foi_costs.sample_costs("scotland", 1, 400, (9, 4, 2))["share_answerable"]
    bar = foi_costs.weigh_costs(1539, "scotland", (9, 4, 2), "saved_gbp", 1, 400).set_index("parameter")
    row = bar.loc["share_answerable"]
    assert (row["low"], row["high"]) == (pytest.approx(drawn.quantile(0.05)), pytest.approx(drawn.quantile(0.95)))
    assert row["at_low"] < row["at_default"] < row["at_high"]
