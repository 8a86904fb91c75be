"""Versions of the register: what changed, and what somebody who has kept them all can work out."""

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import changes, publish
from councilbook.business_rates.register.changes import (
    MONTH_OF_CHANGE,
    NAME_IN_TEXT,
    NAME_RELEASED,
    TELLING,
    check_versions,
    find_exposed_groups,
    hold_back,
    list_changes,
)
from councilbook.business_rates.roll.rules import COLUMNS
from councilbook.catalogue import RecordRule, RegisterRule
from councilbook.errors import ReleaseRefusedError
from councilbook.gate.disclosure.registers import protect_register

RULE = RegisterRule(
    rule="register",
    approver="Information governance lead",
    law="Anybody may inspect the roll of properties.",
    public=publish.PROPERTY,
    name="released_name",
    telling=publish.OF_RATEPAYER,
    is_organisation="is_organisation",
    name_inside="ratepayer_name",
)
CHANGES = RULE.model_copy(
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
    return publish.make_open_register(roll, persons.classify_parties(roll), places, publish.find_homes(roll))


def let_out(register, rule=RULE):
    return pd.DataFrame(protect_register(register.drop(columns="geometry", errors="ignore"), rule).frame)


def list_withheld(*registers):
    return pd.concat([publish.list_withheld_names(one) for one in registers])


def find_leaks(before, after, withheld, before_on=MARCH, as_of=APRIL):
    found = check_versions(before, after, withheld, before_on=before_on, as_of=as_of)
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
    held = hold_back(after, list_withheld(before), published, published_on=MARCH, as_of=APRIL)
    assert find_leaks(published, let_out(held), withheld) == []


def test_a_person_who_takes_over_is_not_seen_before_the_quarter_is_over():
    before = make_register(("1", "Bread Ltd", {"small_business_relief": "SBR"}))
    after = make_register(("1", "Ada Byron", {"liability_start_date": "2026-05-04", "rateable_value_gbp": 8000.0}))
    published, withheld = let_out(before), list_withheld(before, after)
    assert find_leaks(published, let_out(after), withheld, APRIL, MAY) == [(MONTH_OF_CHANGE, "both", "1")]
    held = let_out(hold_back(after, list_withheld(before), published, published_on=APRIL, as_of=MAY))
    assert find_leaks(published, held, withheld, APRIL, MAY) == []
    shown = ["released_name", "liability_start_date", "small_business_relief", "is_suppressed"]
    assert held[shown].equals(published[shown])
    assert held["rateable_value_gbp"].tolist() == [8000.0]  # public, so never held
    later = let_out(hold_back(after, list_withheld(before, after), held, published_on=MAY, as_of=JULY))
    assert later[shown[:3]].isna().all(axis=None)
    assert find_leaks(held, later, withheld, MAY, JULY) == []


def test_a_name_that_turns_out_to_be_a_persons_is_not_held():
    before = make_register(("1", "Bread Ltd", {}))
    after = make_register(("1", "Bread Ltd", {}), ("2", "Bread Ltd", {})).assign(
        is_organisation=False, released_name=None
    )
    published = let_out(before)
    held = hold_back(after, list_withheld(before), published, published_on=APRIL, as_of=MAY)
    assert not held["is_organisation"].any()
    assert (NAME_RELEASED, "before", "1") in find_leaks(published, let_out(held), list_withheld(held), APRIL, MAY)


def test_what_tells_of_somebody_withheld_is_found():
    shown = let_out(make_register(("1", "Ada Byron", {})))
    told = shown.assign(small_business_relief="SBR")
    assert find_leaks(shown, told, pd.Series(["Ada Byron"])) == [(TELLING, "after", "1")]


def test_a_leak_is_told_without_the_name():
    register = make_register(("1", "Ada Byron", {"address": "Ada Byron, 1 High Street"}))
    bare = let_out(register.assign(ratepayer_name="Somebody Else"))
    found = check_versions(bare, bare, list_withheld(register), before_on=MARCH, as_of=APRIL)
    assert found["leak"].tolist() == [NAME_IN_TEXT] * 2
    assert "byron" not in found.to_csv().casefold()


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
    published = [let_out(registers[0])]
    for number in range(1, len(dates)):
        days = {"published_on": dates[number - 1], "as_of": dates[number]}
        published.append(
            let_out(hold_back(registers[number], list_withheld(*registers[:number]), published[-1], **days))
        )
    return registers, published


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


def test_groups_that_a_few_joined_or_left_are_found():
    before = pd.DataFrame({"ward": ["a"] * 20 + ["b"] * 20 + [None] * 12, "relief": "x"})
    after = pd.DataFrame({"ward": ["a"] * 19 + ["b"] * 30 + [None] * 12 + ["c"] * 9})
    found = find_exposed_groups(before, after, ["ward"])
    assert found.to_dict("records") == [
        {"ward": "a", "rows_before": 20, "rows_after": 19},
        {"ward": "c", "rows_before": 0, "rows_after": 9},
    ]
    assert changes.LEAST == 10


# --- what is kept ---


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
    old = pd.Series(["Ada Byron", "Li Na Wong", "Bob"])
    register = make_register(
        ("1", "Bread Ltd", {"address": "Ada Byron, 1 High Street"}),
        ("2", "Chidi Okafor", {"address": "Bob, 2 Low Road"}),
    )
    assert changes.keep_names(old, register)["name"].tolist() == ["Ada Byron", "Chidi Okafor"]


RECORDS = RecordRule(
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


def make_rows(**wards):
    """Make rows of so many a ward, every third of them with a relief."""
    codes = [code for code, count in wards.items() for _ in range(count)]
    relief = ["none" if n % 3 else "small business" for n in range(len(codes))]
    return pd.DataFrame({"record": range(len(codes)), "ward_code": codes, "relief": relief})


def test_the_coarse_rows_are_those_of_the_financial_years_first_version():
    rows = make_rows(A=30, B=60)
    first = changes.keep_for_year(None, rows, "2026-04-30", RECORDS)
    assert changes.keep_for_year(first, make_rows(A=45, B=60), "2027-03-31", RECORDS).equals(first)
    assert len(changes.keep_for_year(first, rows.iloc[:1], "2026-04-30", RECORDS)) == 1  # the same day again
    later = changes.keep_for_year(first, make_rows(A=45, B=60), "2027-04-01", RECORDS)
    assert len(later) == 105
    assert set(later["version_date"]) == {pd.Timestamp("2027-04-01")}


@pytest.mark.parametrize("wards", [{"A": 29, "B": 60}, {"A": 39, "B": 75}, {"A": 30, "B": 51}])
def test_a_new_years_coarse_rows_are_held_back_while_a_few_joined_or_left_a_group(wards):
    first = changes.keep_for_year(None, make_rows(A=30, B=60), "2026-04-30", RECORDS)
    for day in ("2027-04-01", "2027-05-01", "2029-01-01"):
        assert changes.keep_for_year(first, make_rows(**wards), day, RECORDS).equals(first)


def test_rows_of_which_none_can_go_out_hold_back_nothing():
    few, rows = make_rows(A=9), make_rows(A=30, B=60)
    for kept, new in ((few, rows), (rows, few)):
        last = changes.keep_for_year(None, kept, "2026-04-30", RECORDS)
        assert len(changes.keep_for_year(last, new, "2027-04-01", RECORDS)) == len(new)


def test_only_what_a_version_itself_gives_away_is_refused():
    leaks = pd.DataFrame(
        [(NAME_RELEASED, "after", "1"), (NAME_IN_TEXT, "before", "1"), (MONTH_OF_CHANGE, "both", "1")],
        columns=["leak", "version", "property_reference"],
    )
    changes.refuse_leaks(leaks)
    with pytest.raises(ReleaseRefusedError, match=r"a withheld name stands in a text \(1 rows\)"):
        changes.refuse_leaks(leaks.assign(leak=NAME_IN_TEXT, version=["after", "before", "before"]))
