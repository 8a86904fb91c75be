"""A line of an address by itself: where it is cut, what a roll must show for a part to be known, and what goes."""

import pytest

from councilbook.business_rates.names.address_lines import (
    HOUSE_LIKE,
    MARK,
    NAMED_AFTER,
    ONE_WORD,
    PERSON,
    STREET_LIKE,
    UNKNOWN,
    Part,
    cut_out,
    find_unknown,
)
from councilbook.business_rates.names.address_parts import Known, ends_as_a_street, learn_lines, split_line, strip
from councilbook.business_rates.names.person_addresses import _Around, _goes
from councilbook.business_rates.names.person_words import KnownNames

NOTHING = Known(*[frozenset[str]()] * 5)
NOBODY = KnownNames(frozenset(), frozenset())
JOHN = KnownNames(frozenset({"JOHN", "ROSE"}), frozenset({"JOHN", "ROSE", "SMITH"}))


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("Unit 4 Zxcvb Court", ["ZXCVB COURT"]),
        ("Unit B Zxcvb", ["ZXCVB"]),
        ("Zxcvb B Qwerty", ["ZXCVB B QWERTY"]),  # an initial, as no unit stands before it
        ("Flat above Zxcvb Qwerty", ["ABOVE ZXCVB QWERTY"]),
        ("Zxcvb Rear Of Qwerty", ["ZXCVB", "REAR OF QWERTY"]),
        ("Zxcvb The Qwerty", ["ZXCVB", "THE QWERTY"]),
        ("Zxcvb Of The Qwerty", ["ZXCVB OF THE QWERTY"]),
        ("Zxcvb 7 Qwerty", ["ZXCVB", "QWERTY"]),
        ("Zxcvb 7B Qwerty", ["ZXCVB", "QWERTY"]),
        ("Zxcvb (Qwerty) Poiuy", ["ZXCVB", "QWERTY", "POIUY"]),
        ("Zxcvb - Qwerty", ["ZXCVB", "QWERTY"]),
        ("Zxcvb-Qwerty", ["ZXCVBQWERTY"]),
        ("Zxcvb House Qwerty Road Poiuy", ["ZXCVB HOUSE", "QWERTY ROAD", "POIUY"]),
        ("Zxcvb's Garage Qwerty", ["ZXCVBS GARAGE", "QWERTY"]),
        ("St Zxcvb's Garage Qwerty", ["ST ST-ZXCVBS GARAGE QWERTY"]),
        ("Zxcvb and Qwerty", ["ZXCVB & QWERTY"]),
        ("Ring o' Bells", ["RING OF BELLS"]),
        ("Zxcvb O Qwerty", ["ZXCVB O QWERTY"]),
        ("Zxcvb C of E School", ["ZXCVB COFE SCHOOL"]),
        ("Zxcvb, ML6 0AA", ["ZXCVB"]),
        ("Zxcvb Market Stall 7", ["ZXCVB MARKET"]),
        ("Zxcvb Stall Unit 7", ["ZXCVB"]),
        ("Zxcvbs Garage 7", ["ZXCVBS GARAGE"]),
        ("Stall 7", []),
        ("12", []),
    ],
)
def test_a_line_is_cut_at_all_that_divides_it(line, parts):
    assert [" ".join(word.text for word in part) for part in split_line(line)] == parts


def test_a_word_stands_where_it_is_read_and_may_be_a_possessive():
    [part] = split_line("7 Zxcvb's Qwérty")
    assert [(word.begin, word.end, word.owns) for word in part] == [(2, 9, True), (10, 16, False)]
    assert [word.text for word in part] == ["ZXCVBS", "QWERTY"]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Rear Of Zxcvb", "ZXCVB"),
        ("At The Zxcvb", "THE ZXCVB"),
        ("Above", ""),
        ("Zxcvb Of", "ZXCVB"),
        ("Zxcvb & The", "ZXCVB"),
        ("Zxcvb & Qwerty", "ZXCVB & QWERTY"),
    ],
)
def test_words_of_position_go_before_a_name_and_joining_ones_after_it(line, left):
    assert " ".join(word.text for word in strip(split_line(line)[0])) == left


@pytest.mark.parametrize(
    ("line", "is_street"),
    [
        ("Zxcvb Road", True),
        ("Zxcvb Road House", True),
        ("Zxcvb House", False),
        ("Zxcgate", True),
        ("Zxgate", False),
        ("Zxcgate Qwerty", False),
    ],
)
def test_a_street_is_told_by_its_last_word_or_as_a_gate_of_seven_letters_by_itself(line, is_street):
    assert ends_as_a_street(line) == is_street


def learn(line, areas, before=("1",), after=("Airdrie",)):
    """Learn from one property in each area, whose addresses have a line between these."""
    return learn_lines([[*before, line, *after] for _ in areas], areas)


@pytest.mark.parametrize(("areas", "is_known"), [("AAA", True), ("AA", False), ("AAABBB", True), ("AABBCC", False)])
def test_a_building_is_known_by_three_properties_of_which_half_are_in_one_neighbourhood(areas, is_known):
    assert ("ZXCVB HOUSE" in learn("Zxcvb House", areas).buildings) == is_known
    assert ("ZXCVB HOUSE" in learn("Zxcvb House", areas).places) == is_known
    assert ("ZXCVB LANE" in learn("Zxcvb Lane", areas).buildings) == (len(areas) > 2)  # as a street is long
    assert ("ZXCVB HOUSE" in learn("Zxcvb House", areas).phrases) == (len(areas) > 2)


def test_what_stands_first_or_far_from_the_end_is_no_place():
    assert "ZXCVB" not in learn("Zxcvb", "AAA", before=()).places
    assert "ZXCVB" in learn("Zxcvb", "AAA").places
    assert "ZXCVB" not in learn("Zxcvb", "AAA", after=("Qwerty", "Airdrie")).places
    assert "ZXCVB" in learn("Zxcvb", "AAA", after=("Airdrie", "ML6 0AA")).places  # a postcode is no line


@pytest.mark.parametrize(("rows", "is_known"), [(20, True), (19, False)])
def test_a_town_is_known_by_twenty_properties_wherever_they_are(rows, is_known):
    areas = [str(number // 2) for number in range(rows)]
    known = learn("Zxcvb Qwerty", areas, after=())
    assert ("ZXCVB QWERTY" in known.places) == is_known
    assert (known.place_words == {"ZXCVB", "QWERTY"}) == is_known
    assert not learn("Zxcvb Qwerty", areas).place_words & {"ZXCVB"}  # it does not stand last


@pytest.mark.parametrize(
    ("rows", "elsewhere", "is_known"), [(10, 0, True), (9, 0, False), (14, 2, True), (10, 2, True), (10, 3, False)]
)
def test_a_village_is_known_by_ten_properties_of_which_four_fifths_are_before_one_town(rows, elsewhere, is_known):
    areas = [str(number // 2) for number in range(rows)]
    towns = ["Airdrie"] * (rows - elsewhere) + ["Wishaw"] * elsewhere
    known = learn_lines([["1", "Zxcvb", town] for town in towns], areas)
    assert ("ZXCVB" in known.places) == is_known


def test_a_street_of_three_words_begins_with_two_and_a_name_with_an_initial_is_never_learnt():
    assert learn("Zxcvb Qwerty Lane", "AAA").begins == {"ZXCVB QWERTY"}
    assert not learn("Zxcvb Lane", "AAA").begins
    for line in ("Z Qwerty", "Zxcvb's", "Zxcvb Q"):
        assert learn(line, "A" * 30).phrases == {"AIRDRIE"}
    assert "ZXCVB & QWERTY" in learn("Zxcvb & Qwerty", "AAA").phrases


def judge(line, known=NOTHING, names=NOBODY):
    """Return what speaks against the parts of a line, and the text of each."""
    return [(part.kind, line[part.begin : part.end]) for part in find_unknown(line, known, names)]


@pytest.mark.parametrize(
    ("line", "names", "found"),
    [
        ("Zxcvb", NOBODY, [(ONE_WORD, "Zxcvb")]),
        ("Z", NOBODY, []),
        ("The Zxcvb", NOBODY, []),
        ("Zxcvb Qwerty", NOBODY, [(UNKNOWN, "Zxcvb Qwerty")]),
        ("r/o Zxcvb Qwerty", NOBODY, [(UNKNOWN, "r/o Zxcvb Qwerty")]),
        ("John Zxcvb", JOHN, [(PERSON, "John Zxcvb")]),
        ("Zxcvb John", JOHN, [(PERSON, "Zxcvb John")]),
        ("John Woodpecker", JOHN, [(PERSON, "John Woodpecker")]),
        ("Rose Woodpecker", JOHN, []),
        ("Rose Zxcvb", JOHN, [(PERSON, "Rose Zxcvb")]),
        ("John Bakery", JOHN, [(UNKNOWN, "John Bakery")]),
        ("John & Woodpecker", JOHN, [(UNKNOWN, "John & Woodpecker")]),
        ("Z Qwerty", NOBODY, [(MARK, "Z Qwerty")]),
        ("Z Zxcvb Qwerty House", NOBODY, [(MARK, "Z Zxcvb")]),
        ("Zxcvb Z Qwerty House", NOBODY, [(MARK, "Zxcvb Z Qwerty")]),
        ("Zxcvb Z The Old House", NOBODY, [(MARK, "Zxcvb Z")]),
        ("Zxcvb W M C", NOBODY, [(UNKNOWN, "Zxcvb W M C")]),
        ("Zxcvb J & I School", NOBODY, []),
        ("Qwerty Z", NOBODY, [(MARK, "Qwerty Z")]),
        ("Mr Qwerty", NOBODY, [(MARK, "Mr Qwerty")]),
        ("Dr Qwerty Close", NOBODY, []),
        ("Dr Z Qwerty Close", NOBODY, [(MARK, "Dr Z Qwerty Close")]),
        ("Dr Zxcvb Qwerty Poiuy Close", NOBODY, [(MARK, "Dr Zxcvb Qwerty Poiuy Close")]),  # of five words
        ("Zxcvbs Garage", NOBODY, [(MARK, "Zxcvbs Garage")]),
        ("Zxcvb Garage", NOBODY, [(UNKNOWN, "Zxcvb Garage")]),
        ("Zxcvb Green", NOBODY, [(STREET_LIKE, "Zxcvb Green")]),
        ("John Green", JOHN, [(PERSON, "John Green")]),
        ("John Lane", JOHN, []),
        ("Zxcvb Castle", NOBODY, [(HOUSE_LIKE, "Zxcvb Castle")]),
        ("Zxcvb Qwerty House", NOBODY, [(NAMED_AFTER, "Zxcvb Qwerty")]),
        ("Zxcvb Qwerty Works", NOBODY, [(UNKNOWN, "Zxcvb Qwerty")]),
        ("John Qwerty Works", JOHN, [(UNKNOWN, "John Qwerty")]),
        ("John Qwerty Poiuy Works", JOHN, [(PERSON, "John Qwerty")]),
        ("John Qwerty School", JOHN, [(NAMED_AFTER, "John Qwerty")]),
        ("John Qwerty Poiuy Asdfg Works", JOHN, [(PERSON, "John Qwerty Poiuy")]),
        ("John Qwerty Bakery Poiuy Asdfg Works", JOHN, [(PERSON, "John Qwerty")]),
        ("Zxcvb & Qwerty Meadows", NOBODY, [(UNKNOWN, "Zxcvb & Qwerty Meadows")]),
        ("Zxcvb Qwerty Poiuy Meadows", NOBODY, [(UNKNOWN, "Zxcvb Qwerty")]),
        ("Zxcvbs Bakery Poiuy Mill", NOBODY, [(MARK, "Zxcvbs Bakery")]),
        ("University Of Zxcvb Qwerty", NOBODY, []),
        ("Main Road Of Zxcvb Qwerty", NOBODY, [(UNKNOWN, "Of Zxcvb Qwerty")]),
        ("Zxcvb Qwerty Primary School", NOBODY, []),
        ("Zxcvb Qwerty Avenue", NOBODY, []),
        ("Zxcvb House", NOBODY, []),
        ("7 Zxcvb Qwerty 8 John Poiuy", JOHN, [(UNKNOWN, "Zxcvb Qwerty"), (PERSON, "John Poiuy")]),
    ],
)
def test_a_part_is_judged_by_its_words(line, names, found):
    assert judge(line, names=names) == found


@pytest.mark.parametrize(
    ("line", "kind", "phrases", "left"),
    [
        ("Zxcvb Qwerty", "places", {"ZXCVB QWERTY"}, []),
        ("Zxcvb Qwerty", "buildings", {"ZXCVB QWERTY"}, []),
        ("John Zxcvb", "buildings", {"JOHN ZXCVB"}, [(PERSON, "John Zxcvb")]),  # several homes of one person's name
        ("John Zxcvb", "places", {"JOHN ZXCVB"}, []),
        ("Zxcvb Green", "buildings", {"ZXCVB GREEN"}, []),
        ("Zxcvb Qwerty Poiuy Asdfg", "places", {"ZXCVB QWERTY"}, [(UNKNOWN, "Poiuy Asdfg")]),
        ("Poiuy Asdfg Zxcvb Qwerty", "places", {"ZXCVB QWERTY"}, [(UNKNOWN, "Poiuy Asdfg")]),
        ("Poiuy Asdfg Zxcvb", "places", {"ZXCVB"}, [(UNKNOWN, "Poiuy Asdfg Zxcvb")]),  # one word may be a surname
        ("Poiuy Asdfg Zxcvb Lane", "buildings", {"ZXCVB LANE"}, [(UNKNOWN, "Poiuy Asdfg")]),
        ("Zxcvb Qwerty", "place_words", {"ZXCVB"}, [(UNKNOWN, "Zxcvb Qwerty")]),
        ("Zxcvb Qwerty", "place_words", {"ZXCVB", "QWERTY"}, []),
        ("Zxcvb Qwerty Mill", "begins", {"ZXCVB QWERTY"}, []),
        ("Zxcvb Qwerty Mill", "phrases", {"ZXCVB QWERTY"}, [(NAMED_AFTER, "Zxcvb Qwerty")]),
    ],
)
def test_what_the_roll_knows_explains_a_part_and_no_more(line, kind, phrases, left):
    assert judge(line, NOTHING._replace(**{kind: frozenset(phrases)}), JOHN) == left


def test_a_part_tells_its_words_that_are_not_known():
    [part] = find_unknown("Zxcvb Qwerty Bakery", NOTHING._replace(place_words=frozenset({"QWERTY"})), NOBODY)
    assert part == Part(0, 19, UNKNOWN, frozenset({"ZXCVB"}))


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ([(0, 4)], "Zxcvb (Qwerty), 7"),
        ([(5, 10)], "John (Qwerty), 7"),
        ([(12, 18)], "John Zxcvb , 7"),
        ([(12, 18), (0, 4)], "Zxcvb , 7"),
        ([(0, 19)], "7"),
    ],
)
def test_what_is_cut_out_leaves_no_marks_behind(parts, left):
    line = "John Zxcvb (Qwerty), 7"
    assert cut_out(line, [Part(begin, end, UNKNOWN, frozenset()) for begin, end in parts]) == left
    assert cut_out("- Zxcvb & ", []) == "Zxcvb"


PLAIN = _Around(frozenset(), frozenset(), numbered=False, has_street=False, is_named=False, ends=False)
NUMBERED, STREETED = {"numbered": True}, {"has_street": True}


@pytest.mark.parametrize(
    ("kind", "around", "goes"),
    [
        (MARK, {"owned": frozenset({"ZXCVB"}), "is_named": True, "nearby": frozenset({"ZXCVB"})}, True),
        (UNKNOWN, {}, True),
        (UNKNOWN, {"owned": frozenset({"POIUY"})}, False),
        (UNKNOWN, {"nearby": frozenset({"ZXCVB", "POIUY"})}, False),
        (UNKNOWN, {"nearby": frozenset({"POIUY"})}, True),
        (UNKNOWN, {"is_named": True}, False),
        (PERSON, {}, True),
        (PERSON, {"owned": frozenset({"POIUY"})}, True),
        (PERSON, {"owned": frozenset({"ZXCVB", "POIUY"})}, False),
        (PERSON, {"is_named": True, "nearby": frozenset({"ZXCVB"})}, True),
        (ONE_WORD, {}, False),
        (ONE_WORD, NUMBERED, True),
        (ONE_WORD, NUMBERED | {"ends": True}, False),
        (ONE_WORD, NUMBERED | {"is_named": True}, False),
        (ONE_WORD, NUMBERED | {"nearby": frozenset({"ZXCVB"})}, False),
        (NAMED_AFTER, {}, True),
        (NAMED_AFTER, {"is_named": True}, False),
        (STREET_LIKE, NUMBERED, False),
        (STREET_LIKE, STREETED, True),
        (HOUSE_LIKE, NUMBERED | STREETED, True),
        (HOUSE_LIKE, NUMBERED, False),
        (HOUSE_LIKE, STREETED, False),
        (HOUSE_LIKE, NUMBERED | STREETED | {"is_named": True}, False),
    ],
)
def test_whether_a_part_goes_depends_on_its_kind_and_on_what_stands_around_it(kind, around, goes):
    assert _goes(Part(0, 5, kind, frozenset({"ZXCVB"})), PLAIN._replace(**around)) == goes


def test_two_words_of_a_named_property_are_not_its_name():
    named = PLAIN._replace(is_named=True)
    assert _goes(Part(0, 5, UNKNOWN, frozenset({"ZXCVB", "QWERTY"})), named)
    assert not _goes(Part(0, 5, UNKNOWN, frozenset({"ZXCVB"})), named)
