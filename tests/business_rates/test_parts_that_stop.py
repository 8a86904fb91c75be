"""What keeps a part of the study from being made is an error that the run knows, and whose words a page can show."""

import pandas as pd
import pytest

from councilbook.business_rates import prose
from councilbook.business_rates.bills import bill_inputs
from councilbook.business_rates.bills.rules import load_rules
from councilbook.business_rates.missing import linkage_trials
from councilbook.business_rates.requests import foi, foi_tables
from councilbook.errors import CheckError, CouncilbookError, NotToldError
from councilbook.running.parts import MAY_STOP, explain_stop
from small_roll import make_roll

LOG = pd.DataFrame(
    {
        "authority": "Rochdale Borough Council",
        "title": ["Business rates: empty properties list", "NNDR credit balances", "Accounts in credit"],
        "date_received": ["12/04/2023", "29/02/2024", "2024-04-12"],
    }
)
SHOWN = {"no days": "The roll has no days from which anybody is liable, so it does not show its year."}
SHOWN["old"] = (
    "The bills are of 2009-10, as the newest accounts in the roll begin in June 2009, and for that there are no rules."
)
SHOWN["later"] = "No property of the roll has a bill of 2019-20."
OLD = {"liability_start_date": "2009-06-01"}
UNDATED = {"liability_start_date": None}


def show(error: CouncilbookError) -> str:
    name = type(error).__name__
    assert name in MAY_STOP
    return explain_stop(name, f"{name}: {error}").shown


@pytest.mark.parametrize(
    ("roll", "shown"), [(make_roll(UNDATED), SHOWN["no days"]), (make_roll(OLD, OLD), SHOWN["old"])]
)
def test_a_roll_of_a_year_without_rules_or_of_none_leaves_out_its_bills_and_says_why(roll, shown):
    with pytest.raises(NotToldError) as stopped:
        bill_inputs.find_year(roll, load_rules("scotland"), "2026-01-01")
    assert show(stopped.value) == shown
    with pytest.raises(CheckError) as asked:  # who asks for a year is told, and no part is left out
        bill_inputs.find_year(roll, load_rules("scotland"), "2026-01-01", asked="2009-10")
    assert type(asked.value).__name__ not in MAY_STOP


def test_a_roll_in_which_nobody_is_liable_in_the_year_has_no_bills():
    with pytest.raises(NotToldError) as stopped:
        bill_inputs.prepare_bills(make_roll({}, {"rateable_value_gbp": None, **OLD}), "2019-20")
    assert show(stopped.value) == SHOWN["later"]
    assert len(bill_inputs.prepare_bills(make_roll({}, {"rateable_value_gbp": 5000.0, **OLD}), "2019-20")) == 1


def test_bills_of_a_nation_without_rules_are_left_out_by_its_code_alone():
    with pytest.raises(NotToldError) as stopped:
        bill_inputs.find_nation("N09000003")
    assert show(stopped.value).endswith("whose codes begin with E, S and W.")


def test_the_first_register_with_a_link_is_the_example_and_without_one_there_is_no_part():
    none, some = pd.DataFrame({"unique_id": []}), pd.DataFrame({"unique_id": ["1"]})
    assert linkage_trials.find_first({"food_hygiene": none, "oscr": some, "directory": some}) == "oscr"
    with pytest.raises(NotToldError) as stopped:
        linkage_trials.find_first({"food_hygiene": none})
    assert show(stopped.value) == "No property is linked to a register of businesses."


def test_a_log_that_does_not_say_what_was_asked_for_is_read_by_its_titles():
    filled = foi.fill_labels(foi.tidy_requests(LOG))
    topics = foi_tables.sum_topics(foi.count_topics(filled))
    assert topics.set_index("topic")["requests"].to_dict() == {"credit_balances": 2, "empty_properties": 1}
    one = foi_tables.sum_topics(foi.count_topics(filled.iloc[1:]))
    assert prose.describe_topics(one).startswith("People asked most often for **accounts in credit** (2 times). Known")
    told = foi.tidy_requests(LOG.assign(topics=["arrears", "", "arrears"]))
    assert foi.fill_labels(told)["labels"].tolist() == [("arrears",), ("credit_balances",), ("arrears",)]


def test_a_log_without_a_request_leaves_out_its_part():
    with pytest.raises(NotToldError):
        foi_tables.sum_topics(foi.count_topics(foi.fill_labels(foi.tidy_requests(LOG.iloc[:0]))))
