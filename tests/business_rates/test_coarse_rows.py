"""The withheld rows made coarser: what is in them, and that the same are kept for a year."""

import numpy as np
import pandas as pd
import pytest

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import coarse_rows
from councilbook.catalogue import RecordRule
from councilbook.gate.disclosure.records import protect_records
from small_roll import APPROVER, make_roll

RECORDS = RecordRule(
    rule="records",
    approver=APPROVER,
    because="Reliefs follow from the value.",
    k=10,
    l=2,
    t=0.7,
    most_suppressed_pct=5,
    most_unique_pct=0,
    quasi_identifiers={
        "liability_year": {"bands": [5, 10, 20, 40]},
        "ward_code": {},
        "occupancy": {},
        "use": {},
        "value_band": {},
    },
    sensitive=["relief"],
    harmless=["record"],
)
BY_WARD = RecordRule(
    rule="records",
    approver="Information governance lead",
    because="A test.",
    quasi_identifiers={"ward_code": {}},
    sensitive=["relief"],
    harmless=["record", "version_date"],
    k=10,
    l=2,
    t=1.0,
    most_suppressed_pct=0,
    most_unique_pct=0,
)


def test_the_number_of_a_record_tells_of_no_order(town):
    roll, parties, places = town
    frame = coarse_rows.make_deidentified(roll, places, parties)
    by_record = frame.sort_values("record")
    for column in ("ward_code", "use", "liability_year", "relief"):
        codes = pd.Series(pd.factorize(by_record[column], sort=True)[0])
        assert abs(np.corrcoef(codes, np.arange(len(codes)))[0, 1]) < 0.12  # 1 where rows are numbered in its order


def test_records_are_numbered_anew_when_the_ledger_changes_and_only_then(town):
    roll, parties, places = town
    first, again = (coarse_rows.make_deidentified(roll, places, parties) for _ in range(2))
    assert first.equals(again)
    changed = roll.assign(account_credit_gbp=roll["account_credit_gbp"].fillna(0.01))
    order = coarse_rows._shuffle(roll, len(first)), coarse_rows._shuffle(changed, len(first))
    assert np.mean(np.array(order[0]) == np.array(order[1])) < 0.02


def test_what_is_left_of_a_group_without_the_organisations_is_still_protected(town):
    """The attacker takes the organisations, whose reliefs are in the register, off every group."""
    roll, parties, places = town
    withheld = parties["party"] != persons.ORGANISATION
    frame = coarse_rows.make_deidentified(roll, places, parties)
    assert len(frame) == withheld.sum()
    safe = protect_records(frame, RECORDS).frame
    groups = safe.groupby(list(RECORDS.quasi_identifiers), dropna=False)["relief"]
    assert groups.size().min() >= 10
    assert groups.nunique().min() >= 2


def test_the_withheld_rows_alone_are_laid_out_with_their_values():
    roll = make_roll(
        {"ratepayer_name": "Bread Ltd"},
        {"ratepayer_name": "Ada Byron", "account_credit_gbp": 50, "mandatory_relief": "80%", "is_occupied": False},
    )
    places = pd.DataFrame({"ward_code": ["W1", "W2"], "zone_code": None})
    frame = coarse_rows.make_deidentified(roll, places, persons.classify_parties(roll))
    assert frame.to_dict("records") == [
        {
            "ward_code": "W2",
            "use": "Shops and services",
            "value_band": "£5,000 to £12,000",
            "liability_year": 2020.0,
            "occupancy": "empty",
            "relief": "charity",
            "credit": "up to £100",
            "record": 1,
        }
    ]


def make_rows(**wards):
    """Make rows of so many a ward, every third of them with a relief."""
    codes = [code for code, count in wards.items() for _ in range(count)]
    relief = ["none" if n % 3 else "small business" for n in range(len(codes))]
    return pd.DataFrame({"record": range(len(codes)), "ward_code": codes, "relief": relief})


def test_the_coarse_rows_are_those_of_the_financial_years_first_version():
    rows = make_rows(A=30, B=60)
    first = coarse_rows.keep_for_year(None, rows, "2026-04-30", BY_WARD)
    assert coarse_rows.keep_for_year(first, make_rows(A=45, B=60), "2027-03-31", BY_WARD).equals(first)
    assert len(coarse_rows.keep_for_year(first, rows.iloc[:1], "2026-04-30", BY_WARD)) == 1  # the same day again
    later = coarse_rows.keep_for_year(first, make_rows(A=45, B=60), "2027-04-01", BY_WARD)
    assert len(later) == 105
    assert set(later["version_date"]) == {pd.Timestamp("2027-04-01")}


@pytest.mark.parametrize("wards", [{"A": 29, "B": 60}, {"A": 39, "B": 75}, {"A": 30, "B": 51}])
def test_a_new_years_coarse_rows_are_held_back_while_a_few_joined_or_left_a_group(wards):
    first = coarse_rows.keep_for_year(None, make_rows(A=30, B=60), "2026-04-30", BY_WARD)
    for day in ("2027-04-01", "2027-05-01", "2029-01-01"):
        assert coarse_rows.keep_for_year(first, make_rows(**wards), day, BY_WARD).equals(first)


def test_rows_of_which_none_can_go_out_hold_back_nothing():
    few, rows = make_rows(A=9), make_rows(A=30, B=60)
    for kept, new in ((few, rows), (rows, few)):
        last = coarse_rows.keep_for_year(None, kept, "2026-04-30", BY_WARD)
        assert len(coarse_rows.keep_for_year(last, new, "2027-04-01", BY_WARD)) == len(new)


def test_groups_that_a_few_joined_or_left_are_found():
    before = pd.DataFrame({"ward": ["a"] * 20 + ["b"] * 20 + [None] * 12, "relief": "x"})
    after = pd.DataFrame({"ward": ["a"] * 19 + ["b"] * 30 + [None] * 12 + ["c"] * 9})
    found = coarse_rows.find_exposed_groups(before, after, ["ward"])
    assert found.to_dict("records") == [
        {"ward": "a", "rows_before": 20, "rows_after": 19},
        {"ward": "c", "rows_before": 0, "rows_after": 9},
    ]
    assert coarse_rows.LEAST == 10
