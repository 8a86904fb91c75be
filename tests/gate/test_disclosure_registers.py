"""A register names organisations alone."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from councilbook.catalogue import RegisterRule
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.gate.disclosure.registers import (
    MONTH_OF_CHANGE,
    NAME_IN_TEXT,
    NAME_RELEASED,
    TELLING,
    LastVersion,
    check_versions,
    find_names,
    protect_register,
    refuse_leaks,
    remove_names,
)

RULE = RegisterRule(
    rule="register",
    approver="Information governance lead",
    law="Anybody may inspect the roll of properties.",
    public=["reference", "address", "value"],
    name="ratepayer",
    telling=["relief", "start"],
    is_organisation="is_organisation",
    name_inside="name_inside",
)


def make_register(*rows):
    columns = ["reference", "address", "value", "name_inside", "is_organisation", "relief", "start"]
    frame = pd.DataFrame(rows, columns=columns).astype({"address": "str"})
    return frame.assign(ratepayer=frame["name_inside"], start=pd.to_datetime(frame["start"]))


def protect(*rows):
    return protect_register(make_register(*rows), RULE)


SHOP = ("1", "1 High Street", 900.0, "Ada Byron", False, "100%", "2020-01-01")
FIRM = ("2", "2 High Street", 950.0, "Bread Ltd", True, None, "2021-01-01")


def test_what_tells_of_a_person_is_blank_and_of_an_organisation_is_shown():
    safe = protect(SHOP, FIRM).frame
    assert list(safe["ratepayer"].fillna("")) == ["", "Bread Ltd"]
    assert list(safe["start"].isna()) == [True, False]
    assert list(safe["relief"].isna()) == [True, True]
    assert list(safe["is_suppressed"]) == [True, False]
    assert list(safe["value"]) == [900, 950]
    assert not {"is_organisation", "name_inside"} & set(safe.columns)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("ADA  BYRON, 1 High Street", "1 High Street"),
        ("1 High Street, Ada Byron, Motherwell", "1 High Street, Motherwell"),
        ("Unit 3 (Ada-Byron) High Street", "Unit 3 ( ) High Street"),
        ("1 Byron Street", "1 Byron Street"),
        ("1 Ada Byronsdale Road", "1 Ada Byronsdale Road"),
    ],
)
def test_a_withheld_name_is_taken_out_of_every_address(address, left):
    other = ("3", address, 800.0, "Cake Ltd", True, None, "2021-01-01")
    safe = protect(SHOP, FIRM, other).frame
    assert safe["address"].iloc[2] == left
    assert safe["is_suppressed"].iloc[2] == (address != left)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("1 Ada Byron Lee Road", "1 Road"),  # the longer name, and not the shorter one in it
        ("1 Ada Ada Byron Byron Road", "1 Road"),  # what is left over is a name again
        ("Ada Byron, Ada Byron Lee, 1 Road", "1 Road"),
        ("Byron Ada Lee Road", "Byron Ada Lee Road"),
        ("Lee, Byron Lee Ada", "Lee, Byron Lee Ada"),
    ],
)
def test_the_longest_name_goes_and_what_is_left_is_looked_at_again(address, left):
    people = [SHOP, ("4", "4 Road", 1.0, "Ada Byron Lee", False, None, None)]
    safe = protect(*people, ("3", address, 800.0, "Cake Ltd", True, None, "2021-01-01")).frame
    assert safe["address"].iloc[2] == left


def test_no_more_than_three_rows_are_named():
    again = [(str(row), "3 High Street", 800.0, "Ada Byron", True, None, None) for row in range(5)]
    with pytest.raises(ReleaseRefusedError, match=r"^5 names .*withheld in another row \(row 1, 2, 3\)"):
        protect(SHOP, *again)


def test_an_address_that_is_nothing_but_the_name_is_blank():
    safe = protect(("1", "Ada Byron", 900.0, "Ada Byron", False, None, None)).frame
    assert safe["address"].isna().all()


def test_an_address_that_was_missing_before_does_not_count_as_withheld():
    nowhere = ("3", None, 800.0, "Cake Ltd", True, None, "2021-01-01")
    safe = protect(SHOP, nowhere)
    assert list(safe.frame["is_suppressed"]) == [True, False]
    assert safe.record["checked"]["names_taken_out_of_texts"] == 0


def test_one_name_withheld_here_and_released_there_is_refused_without_showing_it():
    again = ("3", "3 High Street", 800.0, "ADA BYRON", True, None, "2021-01-01")
    with pytest.raises(ReleaseRefusedError, match=r"withheld in another row \(row 2\)") as refused:
        protect(SHOP, FIRM, again)
    assert "yron" not in str(refused.value).lower()


def test_a_row_of_which_nothing_is_known_is_refused():
    unknown = ("3", "3 High Street", 800.0, "Cake Ltd", None, None, None)
    with pytest.raises(CheckError, match=r"is_organisation is missing in 1 rows \(row 1\)"):
        protect(FIRM, unknown)


def test_the_record_counts_what_was_done_and_names_nobody():
    record = protect(SHOP, FIRM, ("3", "Ada Byron House", 1.0, None, True, None, None)).record
    assert record["checked"] == {
        "rows": 3,
        "names_released": 1,
        "names_withheld": 1,
        "names_taken_out_of_texts": 1,
    }
    assert record["cells_suppressed"] == 4  # name, relief, start and one address
    assert (record["cells"], record["rows_suppressed"]) == (15, 2)  # name, two that tell and two texts, in three rows
    assert "yron" not in str(record)


WORDS = st.sampled_from(["Ada", "Byron", "Mary", "Lee", "High", "Street", "1"])
NAMES = st.lists(WORDS, min_size=2, max_size=3).map(" ".join)
TEXTS = st.lists(WORDS, min_size=1, max_size=7).map(" ".join)


@given(st.lists(st.tuples(TEXTS, NAMES), min_size=1, max_size=6))
def test_no_withheld_name_is_in_any_text(rows):
    people = [(str(i), text, 1.0, name, False, "x", "2020-01-01") for i, (text, name) in enumerate(rows)]
    safe = protect(*people).frame
    texts = [f" {text} ".casefold() for text in safe["address"].dropna()]
    assert not [text for text in texts for _, name in rows if f" {name.casefold()} " in text]
    assert safe[["ratepayer", "relief", "start"]].isna().all(axis=None)


def test_where_a_blank_means_something_each_withheld_field_says_so():
    rule = RULE.model_copy(update={"redacted": "REDACTED"})
    register = make_register(SHOP, FIRM).astype({"start": "str", "relief": "str"})
    safe = protect_register(register, rule).frame
    assert set(safe.loc[0, ["ratepayer", "relief", "start"]]) == {"REDACTED"}
    assert safe.loc[1, ["ratepayer", "start"]].tolist() == ["Bread Ltd", "2021-01-01"]
    assert pd.isna(safe.loc[1, "relief"])
    record = protect_register(register, rule).record["checked"]
    assert (record["names_released"], record["names_withheld"]) == (1, 1)


@given(st.lists(st.sampled_from(["Ada Byron", "Bob", "Chidi O'Kafor Obi", "High Street"]), unique=True))
def test_names_are_found_where_the_gate_would_take_them_out(names):
    texts = pd.Series(["ADA byron, 1 High Street", None, "Bob, 2 Chidi O'Kafor Road"])
    found = find_names(texts, names)
    assert found == [name for name in names if name in ("Ada Byron", "High Street")]
    for name in found:
        person = ("1", "x", 900.0, name, False, None, "2020-01-01")
        others = [(str(n), text, 1.0, "Bread Ltd", True, None, "2020-01-01") for n, text in enumerate(texts.dropna())]
        assert protect(person, *others).record["checked"]["names_taken_out_of_texts"] > 0


# --- names in texts ---


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ADA  BYRON, 1 High Street", "1 High Street"),
        ("1 High Street, Ada-Byron, Ada Byron Lee", "1 High Street"),
        ("Ada Ada Byron Byron, 2 Low Road", "2 Low Road"),  # what is left over is the name again
        ("Byron Ada, Bob, 1 High Street", "Byron Ada, Bob, 1 High Street"),
        ("Ada Byron", None),
        (None, None),
    ],
)
def test_names_of_two_words_or_more_go_from_a_text_and_nothing_else_does(text, left):
    texts = pd.Series([text, "9 Cross Lane"], index=[7, 3], dtype="str")
    clean = remove_names(texts, ["Ada Byron", "ada byron lee", "Bob"])
    assert clean.astype(object).where(clean.notna(), None).to_dict() == {7: left, 3: "9 Cross Lane"}
    assert clean.dtype == texts.dtype
    assert remove_names(texts, []).equals(texts)


@given(st.lists(st.tuples(TEXTS, NAMES), min_size=1, max_size=6))
def test_a_register_and_a_list_lose_the_same_names(rows):
    people = [(str(i), text, 1.0, name, False, "x", "2020-01-01") for i, (text, name) in enumerate(rows)]
    texts = pd.Series([text for text, _ in rows], dtype="str")
    assert remove_names(texts, [name for _, name in rows]).tolist() == protect(*people).frame["address"].tolist()


# --- versions ---


def find_leaks(before, after, *withheld, day="2026-05-31", as_of="2026-06-30"):
    last = LastVersion(before, day, pd.Series(withheld, dtype="str"))
    return check_versions(before, after, RULE, ["reference"], last, as_of)


def test_what_is_shown_of_somebody_withheld_is_found():
    shown = protect(SHOP, FIRM).frame
    told = shown.assign(relief=["100%", "50%"])
    [leak] = find_leaks(shown, told, "Ada Byron").to_dict("records")
    assert leak == {"reference": "1", "leak": TELLING, "version": "after", "field": "relief"}


def test_a_withheld_name_is_found_in_every_text_of_either_version_and_not_repeated():
    shown = protect(SHOP, FIRM).frame
    named = shown.assign(address=["ADA-BYRON, 1 High Street", "2 High Street"])
    found = find_leaks(named, shown.assign(reference=["1", "Ada Byron 2"]), "Ada Byron", "Bob")
    assert found[["reference", "version", "field"]].to_numpy().tolist() == [
        ["1", "before", "address"],
        ["Ada Byron 2", "after", "reference"],
    ]
    assert set(found["leak"]) == {NAME_IN_TEXT}
    assert "byron" not in found.drop(columns="reference").to_csv().casefold()


def test_a_name_that_was_released_and_is_withheld_now_is_found_with_its_month_of_a_quarter():
    was, now = protect(FIRM, ("4", "4 High Street", 1.0, "Cake  PLC", True, None, "2021-01-01")), protect(FIRM)
    gone = protect((*FIRM[:3], "Ada Byron", False, None, None), ("4", "4 High Street", 1.0, None, False, None, None))
    kinds = find_leaks(was.frame, gone.frame, "CAKE PLC")[["leak", "version", "reference"]].to_numpy().tolist()
    assert kinds == [[NAME_RELEASED, "before", "4"], [MONTH_OF_CHANGE, "both", "2"], [MONTH_OF_CHANGE, "both", "4"]]
    assert find_leaks(was.frame, gone.frame, day="2026-06-30", as_of="2026-07-01").empty
    assert find_leaks(was.frame, now.frame).empty  # a row that is gone was taken over by nobody


def test_only_what_a_version_itself_gives_away_is_refused():
    leaks = pd.DataFrame(
        [(NAME_RELEASED, "after", "1"), (NAME_IN_TEXT, "before", "1"), (MONTH_OF_CHANGE, "both", "1")],
        columns=["leak", "version", "reference"],
    )
    refuse_leaks(leaks)
    with pytest.raises(ReleaseRefusedError, match=r"a withheld name stands in a text \(1 rows\)"):
        refuse_leaks(leaks.assign(leak=NAME_IN_TEXT, version=["after", "before", "before"]))
