"""What a roll does not tell: nothing is said of it, and no zero is shown."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.business_rates import prose
from councilbook.business_rates.names import persons
from councilbook.business_rates.register import counts as counting
from councilbook.business_rates.requests import answers, foi_tables
from councilbook.business_rates.roll import contents
from councilbook.business_rates.roll.rules import COLUMNS
from councilbook.catalogue import load_catalogue
from councilbook.paths import find_workbook
from small_roll import make_roll

ALL = frozenset(COLUMNS)
CATALOGUE = load_catalogue(find_workbook())


def test_a_column_that_is_filled_nowhere_is_not_told_and_a_count_that_is_withheld_is():
    roll = pd.DataFrame({"ratepayer_name": [None, None], "is_occupied": [True, None]})
    counts = contents.count_columns(roll)
    assert counts.to_dict("list") == {"column": ["is_occupied", "ratepayer_name"], "properties": [1, 0]}
    published = counts.assign(properties=pd.array([pd.NA, 0], dtype="Int64"))
    assert contents.find_told(counts) == contents.find_told(published) == {"is_occupied"}


def test_what_tells_of_who_pays_hangs_on_a_roll_that_names_somebody():
    assert contents.is_told("liability_start_date", ALL)
    assert not contents.is_told("liability_start_date", ALL - {"ratepayer_name"})
    assert contents.is_told("address", frozenset())
    assert contents.list_extracts(ALL - {"ratepayer_name"}) == []


def test_empty_is_told_by_a_date_alone():
    told = {"ratepayer_name", "empty_since_date"}
    assert contents.list_extracts(told) == ["empty_properties"]
    assert "which properties are empty" not in contents.list_untold(told)


@given(st.frozensets(st.sampled_from(sorted(ALL))))
def test_the_register_promises_no_column_that_the_roll_leaves_blank(told):
    [register] = foi_tables.describe_datasets(CATALOGUE, told)
    assert not register.blank & set(register.fields)
    assert {"property_reference", "rateable_value_gbp"} <= set(register.fields)
    for name in register.fields:
        assert name not in contents.MADE_OF or set(contents.MADE_OF[name]) & told
    found = answers.make_answers([register], "england").set_index("topic")
    assert set("; ".join(found["columns"]).split("; ")) - {""} <= set(register.fields)


def test_what_nobody_keeps_back_is_not_said_to_be_kept_back():
    [register] = foi_tables.describe_datasets(CATALOGUE, ALL - {"account_credit_gbp"})
    found = answers.make_answers([register], "england").set_index("topic")
    credits = found.loc["credit_balances"]
    assert credits["decision"] == "not"
    assert "does not say this" in credits["answer"]
    assert credits["withheld_under"] == credits["why"] == credits["extract"] == ""
    assert "not in this roll" in str(
        answers.make_entries(found.reset_index())[list(found.index).index("credit_balances")]
    )
    kept = found.loc["arrears"] if "arrears" in found.index else found.loc["ratepayer_address"]
    assert kept["withheld_under"]


def test_counts_of_what_is_not_told_are_missing_and_not_nought():
    roll = pd.DataFrame(
        {
            "property_reference": ["1", "2"],
            "ratepayer_name": pd.Series([None, None], dtype="str"),
            "is_occupied": pd.array([None, None], dtype="boolean"),
            "empty_since_date": pd.to_datetime([None, None]),
            "small_business_relief": ["SBR", None],
        }
    )
    parties = pd.DataFrame({"property_reference": ["1", "2"], "party": persons.WITHHELD})
    counts = counting.count_withheld(pd.Series(["Offices", "Offices"], name="use"), roll, parties, "All uses")
    assert counts["withheld_empty"].isna().all()
    assert counts["withheld_relieved"].tolist() == [1, 1]


def test_the_page_says_that_a_roll_names_nobody_and_what_it_leaves_out():
    register = pd.DataFrame({"released_name": pd.Series([None], dtype="str"), "rateable_value_gbp": [5000.0]})
    assert "names nobody" in prose.describe_register(register, "Harrogate", ALL - {"ratepayer_name"})
    assert "**0 ratepayers**" in prose.describe_register(register, "Bradford", ALL)
    assert prose.describe_untold(ALL) == ""
    told = prose.describe_untold(ALL - {"ratepayer_name", "account_charge_gbp"})
    assert told == "The roll that this page is made of does not say who pays or what was charged."


@pytest.mark.parametrize("name", contents.EXTRACTS)
def test_each_list_hangs_on_a_column_that_it_or_the_register_has(name):
    fields = {**CATALOGUE.dataset(foi_tables.REGISTER).fields, **CATALOGUE.dataset(name).fields}
    assert contents.EXTRACTS[name] in fields


def test_a_roll_that_says_yes_or_nothing_means_that_nothing_is_empty():
    said = make_roll({}, {"is_occupied": None}, {"is_occupied": False})
    assert contents.find_empty(said).tolist() == [False, pd.NA, True]
    standard = make_roll({}, {"is_occupied": None})
    assert contents.find_empty(standard).tolist() == [False, True]
    dated = make_roll({"is_occupied": None, "empty_since_date": "2024-01-01"}, {"is_occupied": None})
    assert contents.find_empty(dated).tolist() == [True, pd.NA]
    unknown = make_roll({"is_occupied": None})
    assert contents.find_empty(unknown).tolist() == [pd.NA]


def test_the_page_says_which_columns_nothing_is_made_of_and_of_which_list_the_values_are():
    roll = pd.DataFrame({"rateable_value_gbp": [1.0, 2.0], "address": ["a", None]})
    rows = [
        ("RV 2023", "rateable_value_gbp", "Its values are those of the list of 2023."),
        ("Addr1", "address", ""),
        ("Addr2", "address", ""),
        ("Parish", None, "Not used: nothing here is made of it."),
        ("Blank", None, ""),
    ]
    mapping = pd.DataFrame(rows, columns=["file_column", "column", "note"]).assign(found="known header")
    mapping.loc[len(mapping)] = ["Reliefs", None, "55 rows, joined by 'Ref'.", contents.PUT_TOGETHER]
    counts = contents.count_columns(roll, mapping).set_index("column")
    assert counts["properties"].to_dict() == {"address": 1, "rateable_value_gbp": 2, contents.NOT_USED: 0}
    assert counts["file_columns"].to_dict() == {
        "address": "Addr1; Addr2",
        "rateable_value_gbp": "RV 2023",
        contents.NOT_USED: "Parish",
    }
    assert contents.find_told(counts.reset_index()) == {"address", "rateable_value_gbp"}
    said = prose.describe_columns(counts.reset_index())
    assert said.startswith("The rateable values are those of the list of 2023. Nothing on this page")
    assert said.endswith(": Parish.")
    used = contents.count_columns(roll, mapping.iloc[1:3])
    assert prose.describe_columns(used) == "Every column of the roll that holds something is used."


def test_the_page_says_why_no_change_can_be_told():
    none = pd.DataFrame({"change": []})
    made = pd.DataFrame({"property_reference": ["row 2 of 2026-05-31", "row 3 of 2026-05-31"]})
    own = pd.DataFrame({"property_reference": ["row 2 of 2026-05-31", "0664302"]})
    assert "gives its properties no references" in prose.describe_changes(none, made)
    assert "no earlier version" in prose.describe_changes(none, own)


def test_a_reference_that_was_made_of_a_row_is_none():
    references = pd.Series(["row 41", "row 41 of 2026-05-31", "row of 4", "R41", "row 41a"])
    assert contents.find_referenced(references).tolist() == [False, False, True, True, True]
