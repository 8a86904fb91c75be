"""A line of an address cut into parts, and what a roll knows of them: its streets, buildings and places.

A line is cut at numbers, brackets, words like "above" and "rear of", and after words that end the name of a building or
a street. A part is known where several properties of one neighbourhood have it, as they have streets and villages.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from councilbook.business_rates.names.person_words import (
    ALSO_SURNAMES,
    LAND_WORDS,
    ORGANISATION_WORDS,
    fold_letters,
    read_words,
)

FEWEST_ROWS = 3  # properties that make a building or a village known
FEWEST_OF_VILLAGE = 10  # before the name of one town
FEWEST_OF_TOWN = 20
MOST_BEFORE_ONE = 0.8
LEAST_OF_A_GATE = 6  # letters of a street like Northgate
SAINTS = ("ST", "SAINT", "STS")
SAINT = "ST-"  # before the name of a saint, which is no person's
MOST_TOGETHER = 0.5  # of the rows that have it, in one neighbourhood

_TOKEN = re.compile(r"\w*\d[\w.]*|[^\W\d_]+(?:['’`][^\W\d_]+|-[^\W\d_]{2,})*['’]?|[&()\[\]/:;@+–—|*=_]|(?<=\s)-(?=\s)")
_SAME_LENGTH = (
    (re.compile(r"\bR ?[/\\.-] ?O\b", re.I), "ROF"),
    (re.compile(r"\bU/OFF\b", re.I), "UNOFF"),
    (re.compile(r"\bB/PR?K\b", re.I), "PARK"),
    (re.compile(r"\b(?:U/A|U/O|N/R|H/O)\b", re.I), ""),  # not on any map, and the like
    (re.compile(r"\bC OF E\b", re.I), "COFE"),
    (re.compile(r"\((?:V[AC]|RC|CE|A|C)\)", re.I), ""),
)
POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\s*$", re.I)
_DIGIT = re.compile(r"\d")
JOINING = frozenset("& OF IN ON TO FOR WITH THE AT".split())  # noqa: SIM905
POSITIONS, STREETS, UNITS = map(read_words, ("positions", "streets", "units"))
LEADING = POSITIONS | JOINING  # words that stand before a name
HEADS = read_words("buildings", "streets") - ALSO_SURNAMES  # after which a part of a line ends, and hardly surnames
# of places and trades; some are names as well
PLAIN_WORDS = LAND_WORDS | read_words("trades", "ordinary", "associations", "also_surnames") | JOINING


class Word(NamedTuple):
    """A word of a line: in capitals, where it stands, and whether it is a possessive ("Smith's")."""

    text: str
    begin: int
    end: int
    owns: bool


class Known(NamedTuple):
    """What a roll knows: names of buildings and streets, of places (villages, towns), and the words of places."""

    buildings: frozenset[str]
    places: frozenset[str]
    place_words: frozenset[str]
    begins: frozenset[str]  # two words that a street's name begins with
    phrases: frozenset[str]  # parts of lines that several properties have, wherever they are


def split_line(text: str) -> list[list[Word]]:
    """Cut a line into parts of words, at all that divides them; numbers, postcodes and units are left out.

    A part may begin with words of position, so that they go with it.
    """
    for pattern, instead in _SAME_LENGTH:
        text = pattern.sub(lambda match, instead=instead: instead.ljust(len(match[0])), text)  # type: ignore[misc]
    parts: list[list[Word]] = [[]]
    after_unit = False
    for match in _TOKEN.finditer(POSTCODE.sub("", text)):
        if match[0] == "&":
            parts[-1].append(Word("&", match.start(), match.end(), owns=False))
        elif match[0][0].isalpha() and not _DIGIT.search(match[0]):
            after_unit = _add_word(parts, _read_word(match), after_unit)
        else:
            after_unit = bool(_DIGIT.search(match[0]))
            while after_unit and _ends_with_a_unit(parts[-1]):
                parts[-1].pop()  # Market Stall 7, run into what stands before
            parts.append([])
    return [part for part in parts if part]


def _add_word(parts: list[list[Word]], word: Word, after_unit: bool) -> bool:
    """Add a word to the last part, or begin or end one; return whether it is a unit's, as is a letter after it."""
    part = parts[-1]
    if part and part[-1].text in SAINTS:
        word = word._replace(text=SAINT + word.text)
    of_unit = word.text in UNITS or (after_unit and len(word.text) == 1)
    if of_unit and all(one.text in LEADING for one in part):
        return word.text not in STREETS
    divides = word.text in POSITIONS and word.text not in JOINING
    if divides or (word.text == "THE" and part and part[-1].text not in JOINING):
        parts.append([])
    parts[-1].append(word)
    if word.text in HEADS or _is_owned(parts[-1]):
        parts.append([])
    return of_unit and word.text not in STREETS  # High Street J Smith


def _ends_with_a_unit(part: Sequence[Word]) -> bool:
    """Whether a part goes on to a unit, which is no trade of somebody: Smiths Garage 7."""
    if len(part) < 2 or part[-1].text not in UNITS:
        return False
    return not (part[-1].text in ORGANISATION_WORDS and part[-2].text.endswith("S"))


def _is_owned(part: Sequence[Word]) -> bool:
    """Whether a part ends as a trade of somebody: Smith's Garage, Smiths Garage."""
    if len(part) < 2 or part[-1].text not in ORGANISATION_WORDS:
        return False
    return part[-2].owns and not part[-2].text.startswith(SAINT)


def _read_word(match: re.Match[str]) -> Word:
    folded = fold_letters(match[0])
    bare = re.sub("['’`-]", "", folded)
    if bare in ("AND", "O") and (bare == "AND" or folded != bare):  # Ring o' Bells
        return Word({"AND": "&", "O": "OF"}[bare], match.start(), match.end(), owns=False)
    owns = bool(re.search("['’`]S?$", folded))
    return Word(bare, match.start(), match.end(), owns)


# --- what the roll knows ---


def learn_lines(addresses: Iterable[Sequence[str]], areas: Iterable[str]) -> Known:
    """Learn from a roll which names are those of streets, buildings and places.

    Args:
        addresses: lines of each address.
        areas: the neighbourhood of each, as its postcode's sector; several properties of one building share it.
    """
    where: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    before: dict[str, Counter[str]] = defaultdict(Counter)  # towns that a village is written before
    for lines, area in zip(addresses, areas, strict=True):
        told = [line for line in lines if not POSTCODE.fullmatch(line)]
        for place, line in enumerate(told):
            for phrase in _list_phrases(line):
                where[phrase, min(len(told) - 1 - place, 2) if place else 2][area] += 1
                if 0 < place == len(told) - 2:
                    before[phrase][told[-1].upper()] += 1
    buildings, places, towns, rows_of = set(), set(), set(), Counter[str]()
    for (phrase, from_end), counts in where.items():
        rows = counts.total()
        rows_of[phrase] += rows
        together = max(counts.values()) >= MOST_TOGETHER * rows
        if from_end < 2 and ((rows >= FEWEST_ROWS and together) or (rows >= FEWEST_OF_TOWN and not from_end)):
            places.add(phrase)
        if rows >= FEWEST_OF_TOWN and not from_end:
            towns.update(phrase.split())
        if rows >= FEWEST_ROWS and (together or phrase.split()[-1] in STREETS):
            buildings.add(phrase)
    for phrase, counts in before.items():
        if counts.total() >= FEWEST_OF_VILLAGE and max(counts.values()) >= MOST_BEFORE_ONE * counts.total():
            places.add(phrase)
    streets = [phrase.split() for phrase in buildings if phrase.split()[-1] in STREETS]
    begins = {" ".join(words[:2]) for words in streets if len(words) > 2}
    phrases = [phrase for phrase, rows in rows_of.items() if rows >= FEWEST_ROWS]
    return Known(*map(frozenset, (buildings, places, towns, begins, phrases)))


@lru_cache(maxsize=200_000)
def _list_phrases(line: str) -> tuple[str, ...]:
    """List the names in a line that may become known: none with an initial or a possessive."""
    parts = [strip(part) for part in split_line(line)]
    return tuple(
        " ".join(word.text for word in part)
        for part in parts
        if part and not any(word.owns or (len(word.text) == 1 and word.text != "&") for word in part)
    )


def strip(part: Sequence[Word]) -> list[Word]:
    """Leave out words of position before a name, and joining words after it."""
    words = list(part)
    while words and words[0].text in LEADING - {"THE"}:
        words = words[1:]
    while words and words[-1].text in JOINING:
        words = words[:-1]
    return words


def ends_as_a_street(line: str) -> bool:
    """Whether a line has the name of a street in it."""
    return any(part[-1].text in STREETS or is_gate(part) for part in split_line(line))


def is_gate(part: Sequence[Word]) -> bool:
    """Whether a part is a street like Northgate: by itself, as Norgate and Ludgate are surnames."""
    return len(part) == 1 and part[0].text.endswith("GATE") and len(part[0].text) > LEAST_OF_A_GATE
