"""Versions of the register: what changed, and what somebody who has kept them all can work out."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import changes, open_register, properties
from councilbook.business_rates.register.changes import hold_back, list_changes, recall_last
from councilbook.business_rates.roll.rules import COLUMNS
from councilbook.gate.disclosure.registers import (
    MONTH_OF_CHANGE,
    NAME_IN_TEXT,
    NAME_RELEASED,
    LastVersion,
    check_versions,
    protect_register,
)
from small_roll import REGISTER

CHANGES = REGISTER.model_copy(
    update={
        "public": ["change", "property_reference", "address", "description", "rateable_value_gbp"],
        "telling": [],
    }
)
MARCH, APRIL, MAY, JULY = "2026-03-31", "2026-04-30", "2026-05-31", "2026-07-31"
OCCUPIERS = {"A": "Ada Byron", "B": "Chidi Okafor", "firm": "Bread Ltd", "other": "Cake PLC"}


def make_register(*rows):
    """Make a register of (reference, ratepayer, and what is different from a plain shop)."""
    plain = {
        "address": "1 High Street, Kirkfold",
        "rateable_value_gbp": 9000.0,
        "liability_start_date": "2020-04-01",
        "is_occupied": True,
    }
    given = [{**plain, "property_reference": key, "ratepayer_name": name, **more} for key, name, more in rows]
    roll = pd.DataFrame(given).reindex(columns=list(COLUMNS))
    roll = roll.astype(
        {name: "str" for name, kind in COLUMNS.items() if kind == "VARCHAR"} | {"is_occupied": "boolean"}
    )
    for name in ("liability_start_date", "empty_since_date"):
        roll[name] = pd.to_datetime(roll[name]).astype("datetime64[us]")
    places = pd.DataFrame({"ward_code": None, "zone_code": None}, index=roll.index, dtype="str")
    return open_register.make_open_register(roll, persons.classify_parties(roll), places, properties.find_homes(roll))


def let_out(register, rule=REGISTER):
    return pd.DataFrame(protect_register(register.drop(columns="geometry", errors="ignore"), rule).frame)


def list_withheld(*registers):
    return pd.concat([open_register.list_withheld_names(one) for one in registers])


def recall(before, day, register):
    """Recall a version of a day, as it was given to the gate."""
    return recall_last(changes.keep_versions(None, before, day), None, register)


def find_leaks(before, after, withheld, before_on=MARCH, as_of=APRIL):
    last = LastVersion(before, before_on, withheld)
    found = check_versions(before, after, REGISTER, [changes.KEY], last, as_of)
    return list(found[["leak", "version", "property_reference"]].itertuples(index=False, name=None))


# --- what changed ---


def test_the_list_of_changes_says_of_organisations_alone_who_is_new():
    before = make_register(
        ("1", "Bread Ltd", {}),
        ("2", "Bread Ltd", {}),
        ("3", "Ada Byron", {}),
        ("4", "Ada Byron", {}),
        ("5", "Tea Ltd", {}),
    )
    after = make_register(
        ("1", "Cake PLC", {"rateable_value_gbp": 8000.0}),
        ("2", "Ada Byron", {}),
        ("3", "Chidi Okafor", {}),
        ("4", "Cake PLC", {}),
        ("6", "Chidi Okafor", {}),
    )
    listed = let_out(list_changes(before, after), CHANGES)
    rows = listed[["change", "property_reference", "released_name"]].fillna("").itertuples(index=False, name=None)
    assert sorted(rows) == [
        ("joined", "6", ""),
        ("left", "5", ""),
        ("new ratepayer", "1", "Cake PLC"),
        ("new ratepayer", "4", "Cake PLC"),
        ("new value", "1", ""),
    ]


def test_that_the_withheld_part_of_a_name_changed_is_not_listed():
    before = make_register(("1", "Bread Ltd T/A Ada Byron", {}))
    after = make_register(("1", "Bread Ltd T/A Chidi Okafor", {}))
    assert list(before["released_name"]) == list(after["released_name"]) == ["Bread Ltd"]
    assert list_changes(before, after).empty


def test_the_list_of_changes_has_no_name_of_either_version_in_an_address():
    before = make_register(("1", "Ada Byron", {}), ("2", "Bread Ltd", {"address": "Ada Byron, 2 High Street"}))
    after = make_register(("1", "Cake PLC", {"address": "Ada Byron, 1 High Street"}))
    listed = let_out(list_changes(before, after), CHANGES)
    assert sorted(listed["address"]) == ["1 High Street", "2 High Street"]


# --- what can be worked out ---


def test_a_shop_that_is_still_called_after_somebody_who_has_left_gives_the_name_away_unless_held_back():
    before = make_register(("1", "Ada Byron", {"address": "Ada Byron, 1 High Street"}))
    after = make_register(("1", "Cake PLC", {"address": "Ada Byron, 1 High Street"}))
    published, withheld = let_out(before), list_withheld(before, after)
    assert find_leaks(published, let_out(after), withheld) == [(NAME_IN_TEXT, "after", "1")]
    held = hold_back(after, recall(before, MARCH, after), APRIL)
    assert find_leaks(published, let_out(held), withheld) == []


def test_a_person_who_takes_over_is_not_seen_before_the_quarter_is_over():
    before = make_register(("1", "Bread Ltd", {"small_business_relief": "SBR"}))
    after = make_register(("1", "Ada Byron", {"liability_start_date": "2026-05-04", "rateable_value_gbp": 8000.0}))
    published, withheld = let_out(before), list_withheld(before, after)
    assert find_leaks(published, let_out(after), withheld, APRIL, MAY) == [(MONTH_OF_CHANGE, "both", "1")]
    in_may = hold_back(after, recall(before, APRIL, after), MAY)
    held = let_out(in_may)
    assert find_leaks(published, held, withheld, APRIL, MAY) == []
    shown = ["released_name", "liability_start_date", "small_business_relief", "is_suppressed"]
    assert held[shown].equals(published[shown])
    assert held["rateable_value_gbp"].tolist() == [8000.0]  # public, so never held
    later = let_out(hold_back(after, recall(in_may, MAY, after), JULY))
    assert later[shown[:3]].isna().all(axis=None)
    assert find_leaks(held, later, withheld, MAY, JULY) == []


def test_a_name_that_turns_out_to_be_a_persons_is_not_held():
    before = make_register(("1", "Bread Ltd", {}))
    after = make_register(("1", "Bread Ltd", {}), ("2", "Bread Ltd", {})).assign(
        is_organisation=False, released_name=None
    )
    published = let_out(before)
    held = hold_back(after, recall(before, APRIL, after), MAY)
    assert not held["is_organisation"].any()
    assert (NAME_RELEASED, "before", "1") in find_leaks(published, let_out(held), list_withheld(held), APRIL, MAY)


def draw_world(data, people):
    """Draw who is in three shops at the end of March, April and May, and at the end of July."""
    months = []
    who = st.sampled_from(["A", "B", "firm", "other"])
    shops = [[data.draw(who) for _ in range(4)] for _ in range(3)]
    known = [None, *(name for name in ("A", "B") if name in [shop[0] for shop in shops])]
    called = [
        data.draw(st.sampled_from(known)) for _ in shops
    ]  # a sign that is in no ledger yet says nothing of anybody
    for month in range(4):
        rows = []
        for n, (shop, sign) in enumerate(zip(shops, called, strict=True)):
            occupier = people[shop[month]]
            over_door = f"{people[sign]['name']}, " if sign else ""
            more = {key: value for key, value in occupier.items() if key != "name"}
            rows.append((str(n), occupier["name"], {"address": f"{over_door}{n} High Street, Kirkfold", **more}))
        months.append(rows)
    return months


def publish_all(months, dates=(MARCH, APRIL, MAY, JULY)):
    """Publish each month's register beside the ones before; the attacker keeps them all."""
    registers = [make_register(*rows) for rows in months]
    shown = [registers[0]]
    for number in range(1, len(dates)):
        last = recall(shown[-1], dates[number - 1], registers[number])
        last = replace(last, withheld=list_withheld(*registers[: number + 1]))
        shown.append(hold_back(registers[number], last, dates[number]))
    return registers, [let_out(register) for register in shown]


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.data())
def test_all_versions_together_tell_nothing_of_who_is_withheld(data):
    """Two worlds that differ in who the people are, and in when they came and what relief they have, look the same."""
    firms = {
        "firm": {"name": "Bread Ltd", "small_business_relief": "SBR"},
        "other": {"name": "Cake PLC", "liability_start_date": "2019-01-01"},
    }
    ours = {"A": {"name": "Ada Byron"}, "B": {"name": "Chidi Okafor", "small_business_relief": "SBR"}}
    theirs = {
        "A": {"name": "Li Na Wong", "small_business_relief": "Hardship", "liability_start_date": "2026-04-07"},
        "B": {"name": "Marta Kowalska", "is_occupied": False, "empty_since_date": "2026-03-01"},
    }
    here = draw_world(data, ours | firms)
    there = [[swap_people(row, ours, theirs) for row in month] for month in here]
    registers, published = publish_all(here)
    _, elsewhere = publish_all(there)
    for one, other in zip(published, elsewhere, strict=True):
        assert one.equals(other)
    dates = (MARCH, APRIL, MAY, JULY)
    withheld = list_withheld(*registers)
    for number in range(1, 4):
        assert not find_leaks(*published[number - 1 : number + 1], withheld, *dates[number - 1 : number + 1])


def swap_people(row, ours, theirs):
    """Put the people of another world into a row."""
    key, name, more = row
    swap = {ours[who]["name"]: theirs[who] for who in ours}
    address = more["address"]
    for old, new in swap.items():
        address = address.replace(old, new["name"])
    if name in swap:
        own = {field: value for field, value in swap[name].items() if field != "name"}
        return key, swap[name]["name"], {**own, "address": address}
    return key, name, {**more, "address": address}


@pytest.mark.parametrize("who", ["A", "B"])
def test_it_cannot_be_told_in_which_month_of_a_quarter_a_person_took_over(who):
    """The quarter's first release still has the firm; the others look the same whenever the person came."""
    dates = ("2026-04-01", APRIL, MAY, JULY)
    firm, person = [("1", OCCUPIERS["firm"], {})], [("1", OCCUPIERS[who], {})]
    _, in_april = publish_all([firm, person, person, person], dates)
    _, in_may = publish_all([firm, firm, person, person], dates)
    _, in_june = publish_all([firm, firm, firm, person], dates)
    for views in zip(in_april, in_may, in_june, strict=True):
        assert views[0].equals(views[1])
        assert views[0].equals(views[2])
    assert [view["released_name"].notna().all() for view in in_april] == [True, True, True, False]


# --- what is kept ---


def test_without_a_version_before_nothing_is_held_and_nothing_has_changed():
    register = make_register(("1", "Bread Ltd", {"address": "Ada Byron, 1 High Street"}), ("2", "Ada Byron", {}))
    assert recall_last(None, pd.DataFrame({"name": ["Li Na Wong"]}), register) is None
    assert hold_back(register, None, APRIL) is register
    assert list(list_changes(None, register)) == list(list_changes(register, register))
    assert list_changes(None, register).empty


def test_the_last_version_has_its_day_and_the_names_that_any_version_withheld():
    before, after = (
        make_register(("1", "Ada Byron", {})),
        make_register(("1", "Chidi Okafor", {}), ("2", "Bread Ltd", {})),
    )
    last = recall_last(changes.keep_versions(None, before, MARCH), pd.DataFrame({"name": ["Li Na Wong"]}), after)
    assert last.day == MARCH
    assert sorted(last.withheld) == ["Ada Byron", "Chidi Okafor", "Li Na Wong"]
    assert last.frame["property_reference"].tolist() == ["1"]


def test_two_versions_are_kept_so_that_a_day_can_be_repeated():
    registers = {day: make_register(("1", name, {})) for day, name in ((MARCH, "Bread Ltd"), (APRIL, "Cake PLC"))}
    kept = changes.keep_versions(None, registers[MARCH], MARCH)
    for day in (APRIL, APRIL, MAY):
        before = changes.find_version_before(kept, day)
        assert before["released_name"].tolist() == [{APRIL: "Bread Ltd", MAY: "Cake PLC"}[day]]
        kept = changes.keep_versions(kept, registers[APRIL], day)
        assert len(kept) == 2
    assert changes.find_version_before(kept, APRIL) is None  # April's own and May's are no earlier ones
    assert changes.find_version_before(None, APRIL) is None


def test_a_name_is_kept_no_longer_than_it_stands_in_an_address():
    old = pd.DataFrame({"name": ["Ada Byron", "Li Na Wong", "Bob"]})
    register = make_register(
        ("1", "Bread Ltd", {"address": "Ada Byron, 1 High Street"}),
        ("2", "Chidi Okafor", {"address": "Bob, 2 Low Road"}),
    )
    before = changes.keep_versions(None, make_register(("1", "Bread Ltd", {})), MARCH)
    last = recall_last(before, old, register)
    assert changes.keep_names(last, register)["name"].tolist() == ["Ada Byron", "Chidi Okafor"]
    assert changes.keep_names(None, register)["name"].tolist() == ["Chidi Okafor"]


# --- what cannot be followed ---


def make_street(count, first="A", made=False, skip=()):
    """Make a register of shops in a street, by reference or by row, without those of these numbers."""
    left = [number for number in range(count) if number not in skip]
    keys = [f"row {2 + n} of {first}" if made else f"{first}{number:04}" for n, number in enumerate(left)]
    more = [{"address": f"{number} High Street", "postcode": f"ML{number % 9 + 1} {number % 8}AA"} for number in left]
    return make_register(
        *[(key, f"Bread {number} Ltd", one) for key, number, one in zip(keys, left, more, strict=True)]
    )


def test_rows_without_a_reference_are_not_followed_in_either_version():
    for before, after in [
        (make_street(30, MARCH, made=True), make_street(30, APRIL, made=True, skip={4})),
        (make_street(30, MARCH, made=True), make_street(30, MARCH, made=True, skip={4})),  # read on the same day
        (make_street(30), make_street(30, APRIL, made=True)),
        (make_street(30, MARCH, made=True), make_street(30)),
    ]:
        assert not changes.can_follow(before, after)
        assert list_changes(before, after).empty
    assert list(list_changes(make_street(30), make_street(30, skip={4}))["change"]) == ["left"]


@pytest.mark.parametrize("gone", [0, 4, 27])
def test_numbers_that_were_given_anew_are_not_followed_wherever_a_line_was_lost(gone):
    before = make_street(60)
    after = make_street(60, skip={gone})
    after[changes.KEY] = list(before[changes.KEY].iloc[: len(after)])  # the numbers close up behind it
    assert not changes.can_follow(before, after)
    assert list_changes(before, after).empty


def test_references_that_lost_their_noughts_are_not_followed():
    before, after = make_street(30, "0"), make_street(30, "")
    assert not changes.can_follow(before, after)


def test_addresses_that_were_written_anew_do_not_hide_that_the_properties_are_the_same():
    before, after = make_street(40).assign(postcode=None), make_street(40)
    after["address"] = after["address"].str.upper() + ", KIRKFOLD"
    assert changes.can_follow(before, after)


def test_no_row_is_held_where_properties_cannot_be_followed_but_names_still_go_from_addresses():
    before = make_register(("row 2 of A", "Bread Ltd", {}), ("row 3 of A", "Ada Byron", {}))
    after = make_register(
        ("row 2 of B", "Chidi Okafor", {}), ("row 3 of B", "Cake PLC", {"address": "Ada Byron, 9 High Street"})
    )
    before[changes.KEY] = [key.replace(" of A", " of 2026-04-30") for key in before[changes.KEY]]
    after[changes.KEY] = [key.replace(" of B", " of 2026-05-31") for key in after[changes.KEY]]
    held = hold_back(after, recall(before, APRIL, after), MAY)
    assert held["released_name"].fillna("").tolist() == ["", "Cake PLC"]
    assert held["address"].tolist()[1] == "9 High Street"
