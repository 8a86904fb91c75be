"""The lists that people ask for most."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import extracts
from councilbook.gate.disclosure.registers import protect_register
from small_roll import REGISTER, make_register, make_roll


def test_extracts_hold_organisations_alone_and_what_was_asked_for():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd", "liability_start_date": "2026-05-01", "account_credit_gbp": 100.01},
        {"ratepayer_name": "Cake Ltd", "is_occupied": False, "small_business_relief": "SBR"},
        {
            "ratepayer_name": "Ada Byron",
            "is_occupied": False,
            "small_business_relief": "SBR",
            "account_credit_gbp": 9.0,
        },
        {"ratepayer_name": "Tea Ltd", "account_credit_gbp": -3.0},
    )
    lists = extracts.list_extracts(make_register(roll), roll, persons.classify_parties(roll), new_since="2026-04-30")
    names = {name: extract["released_name"].tolist() for name, extract in lists.items()}
    assert names == {
        "new_ratepayers": ["Bread Ltd"],
        "empty_properties": ["Cake Ltd"],
        "accounts_in_credit": ["Bread Ltd"],
        "small_business_relief": ["Cake Ltd"],
    }
    assert lists["accounts_in_credit"]["credit_band"].tolist() == ["£100 to £1,000"]


def test_an_extract_has_no_name_that_is_withheld_in_a_row_which_is_not_in_it():
    roll = make_roll(
        {"ratepayer_name": "Ada Byron"},
        {"ratepayer_name": "Bread Ltd", "address": "Ada Byron, 2 High Street", "is_occupied": False},
    )
    extract = extracts.list_extracts(make_register(roll), roll, persons.classify_parties(roll), new_since="2026-01-01")[
        "empty_properties"
    ]
    safe = protect_register(extract.drop(columns="geometry"), REGISTER).frame
    assert safe["address"].tolist() == ["2 High Street"]


def test_new_is_a_year_before_the_last_start_or_before_the_run_where_a_roll_tells_of_none():
    roll = pd.DataFrame({"liability_start_date": pd.to_datetime(["2018-02-01", None, "2019-06-30"])})
    assert extracts.find_new_since(roll, "2026-11-26") == "2018-06-30"
    assert extracts.find_new_since(roll.iloc[1:2], "2026-11-26") == "2025-11-26"


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_withheld_name_leaves_in_any_cell(data):
    """Whatever is in the ledger, no cell of the register or an extract holds a name that is withheld anywhere."""
    people = ["Ada Byron", "Chidi Okafor", "Li Na Wong"]
    names = st.sampled_from([*people, "Bread Ltd", "Cake PLC", None])
    homes = st.sampled_from(["SHOP AND PREMISES", "GUEST HOUSE", None])
    rows = [
        {
            "ratepayer_name": data.draw(names),
            "address": f"{data.draw(names) or 'Unit 1'}, {n} High Street, {data.draw(names) or 'Kirkfold'}",
            "description": data.draw(homes),
            "is_occupied": data.draw(st.sampled_from([True, False, None])),
        }
        for n in range(data.draw(st.integers(1, 7)))
    ]
    roll = make_roll(*rows)
    withheld = set(roll["ratepayer_name"].dropna()) & set(people)
    register = make_register(roll)
    lists = extracts.list_extracts(register, roll, persons.classify_parties(roll), new_since="2000-01-01").values()
    for frame in (register, *lists):
        safe = pd.DataFrame(protect_register(frame.drop(columns="geometry"), REGISTER).frame)
        text = safe.to_csv().casefold()
        assert not [name for name in withheld if name.casefold() in text]
