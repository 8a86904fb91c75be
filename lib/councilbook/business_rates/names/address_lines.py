"""What a line of an address says: a number, a street, a building, a place, an organisation, or none of these.

A line is cut into parts, at numbers, brackets, words like "above" and "rear of", and after words that end the name of
a building or a street. A part is known if the roll says so (several properties of one neighbourhood have it, as they
have streets, estates and villages), if it ends as a building's or a street's name, or if all its words are
words of places and trades. What is none of these may be somebody's name.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from councilbook.business_rates.names.person_words import TITLES, KnownNames, fold_letters, read_words

# why a part of a line may be somebody's name
MARK, PERSON, NAMED_AFTER = "a mark", "a given name", "after a person"
STREET_LIKE, ONE_WORD, UNKNOWN = "a street or a person", "one word", "not known"
FEWEST_ROWS = 3  # properties that make a building or a village known
FEWEST_OF_VILLAGE = 10  # before the name of one town
FEWEST_OF_TOWN = 20
MOST_BEFORE_ONE = 0.8
LEAST_OF_A_GATE = 6  # letters of a street like Northgate
LEAST_OF_A_NAME = 2  # letters
SAINTS = ("ST", "SAINT", "STS")
SAINT = "ST-"  # before the name of a saint, which is no person's
MOST_OF_A_STREET = 4  # words, with a title
PAIR = 2  # a given name and a surname
LEAST_RUN_IN = 3  # words of a person and a building, less one
MOST_TOGETHER = 0.5  # of the rows that have it, in one neighbourhood

_CARE = re.compile(
    r"\bC ?[/\\] ?[O0]\b|\bCARE OF\b|\bFAO\b|\bATTN?\b|\bEXEC(?:UTORS?|UTRIX|ORS?|S)? OF\b|\bESTATE OF\b|\bDECEASED\b"
    r"|\bTHE LATE (?!SHOP|BAR|LOUNGE)|\bT ?/ ?A\b|\bTRADING AS\b|\b(?:PROP|PROPRIETOR|TRUSTEES?|TENANT|OCCUPIER)\b"
)
_TITLED = re.compile(rf"(?:^|[ (&/-])(?:{'|'.join(TITLES)})\.? +[A-Z]")
_TOKEN = re.compile(r"\w*\d[\w.]*|[^\W\d_]+(?:['’`][^\W\d_]+|-[^\W\d_]{2,})*['’]?|[&()\[\]/:;@+–—|*=_]|(?<=\s)-(?=\s)")
_SAME_LENGTH = (
    (re.compile(r"\bR ?[/\\.-] ?O\b", re.I), "ROF"),
    (re.compile(r"\bU/OFF\b", re.I), "UNOFF"),
    (re.compile(r"\bC OF E\b", re.I), "COFE"),
    (re.compile(r"\((?:V[AC]|RC|CE|A|C)\)", re.I), ""),
)
POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\s*$", re.I)
_DIGIT = re.compile(r"\d")
_JOINING = frozenset("& OF IN ON TO FOR WITH THE AT".split())  # noqa: SIM905


class Word(NamedTuple):
    """A word of a line: in capitals, where it stands, and whether it is a possessive ("Smith's")."""

    text: str
    begin: int
    end: int
    owns: bool


class Part(NamedTuple):
    """A part of a line that is not known: where it stands, why, and its words that are not known."""

    begin: int
    end: int
    kind: str
    words: frozenset[str]


class Known(NamedTuple):
    """What a roll knows: names of buildings and streets, of places (villages, towns), and the words of places."""

    buildings: frozenset[str]
    places: frozenset[str]
    place_words: frozenset[str]


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
            while after_unit and len(parts[-1]) > 1 and parts[-1][-1].text in read_words("units"):
                parts[-1].pop()  # Market Stall 7, run into what stands before
            parts.append([])
    return [part for part in parts if part]


def _add_word(parts: list[list[Word]], word: Word, after_unit: bool) -> bool:
    """Add a word to the last part, or begin or end one; return whether it is a unit's, as is a letter after it."""
    part = parts[-1]
    if part and part[-1].text in SAINTS:
        word = word._replace(text=SAINT + word.text)
    of_unit = word.text in read_words("units") or (after_unit and len(word.text) == 1)
    if of_unit and all(one.text in _leading() for one in part):
        return True
    divides = word.text in read_words("positions") and word.text not in _JOINING
    if divides or (word.text == "THE" and part and part[-1].text not in _JOINING):
        parts.append([])
    parts[-1].append(word)
    if _is_head(word.text) or _is_owned(parts[-1]):
        parts.append([])
    return of_unit


def _is_owned(part: Sequence[Word]) -> bool:
    """Whether a part ends as a trade of somebody: Smith's Garage, Smiths Garage."""
    if len(part) < 2 or part[-1].text not in read_words("trades"):
        return False
    return part[-2].owns and not part[-2].text.startswith(SAINT)


def _read_word(match: re.Match[str]) -> Word:
    folded = fold_letters(match[0])
    bare = re.sub("['’`-]", "", folded)
    if bare in ("AND", "O") and (bare == "AND" or folded != bare):  # Ring o' Bells
        return Word({"AND": "&", "O": "OF"}[bare], match.start(), match.end(), owns=False)
    owns = bool(re.search("['’`]S?$", folded))
    return Word(bare, match.start(), match.end(), owns)


@lru_cache
def _leading() -> frozenset[str]:
    return read_words("positions") | _JOINING


@lru_cache
def _heads() -> frozenset[str]:
    """Words after which a part of a line ends: of buildings and streets that are hardly anybody's surname."""
    return (read_words("buildings") | read_words("streets")) - read_words("also_surnames")


@lru_cache
def _plain_words() -> frozenset[str]:
    kinds = (
        *("trades", "places", "ordinary", "buildings", "streets", "units", "positions", "associations"),
        "also_surnames",
    )
    return frozenset().union(*map(read_words, kinds), _JOINING)


@lru_cache
def _land_words() -> frozenset[str]:
    """Words of buildings, streets and land, which stand for themselves even where they are surnames."""
    return frozenset().union(*map(read_words, ("buildings", "streets", "units", "positions", "places")), _JOINING)


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
    buildings, places, towns = set(), set(), set()
    for (phrase, from_end), counts in where.items():
        rows = counts.total()
        together = max(counts.values()) >= MOST_TOGETHER * rows
        if from_end < 2 and ((rows >= FEWEST_ROWS and together) or (rows >= FEWEST_OF_TOWN and not from_end)):
            places.add(phrase)
        if rows >= FEWEST_OF_TOWN and not from_end:
            towns.update(phrase.split())
        if rows >= FEWEST_ROWS and (together or _is_street(phrase.split()[-1])):
            buildings.add(phrase)
    for phrase, counts in before.items():
        if counts.total() >= FEWEST_OF_VILLAGE and max(counts.values()) >= MOST_BEFORE_ONE * counts.total():
            places.add(phrase)
    return Known(frozenset(buildings), frozenset(places), frozenset(towns))


@lru_cache(maxsize=200_000)
def _list_phrases(line: str) -> tuple[str, ...]:
    """List the names in a line that may become known: none with an initial or a possessive."""
    parts = [_strip(part) for part in split_line(line)]
    return tuple(
        " ".join(word.text for word in part)
        for part in parts
        if part and not any(word.owns or (len(word.text) == 1 and word.text != "&") for word in part)
    )


def _strip(part: Sequence[Word]) -> list[Word]:
    """Leave out words of position before a name, and joining words after it."""
    words = list(part)
    while words and words[0].text in _leading() - {"THE"}:
        words = words[1:]
    while words and words[-1].text in _JOINING:
        words = words[:-1]
    return words


def ends_as_a_street(line: str) -> bool:
    """Whether a line has the name of a street in it."""
    return any(_is_street(part[-1].text) or _is_gate(part) for part in split_line(line))


def _is_street(word: str) -> bool:
    return word in read_words("streets")


def _is_gate(part: Sequence[Word]) -> bool:
    """Whether a part is a street like Northgate: by itself, as Norgate and Ludgate are surnames."""
    return len(part) == 1 and part[0].text.endswith("GATE") and len(part[0].text) > LEAST_OF_A_GATE


def _is_head(word: str) -> bool:
    return word in _heads() or (_is_street(word) and word not in read_words("also_surnames"))


# --- what a line is ---


def find_unknown(line: str, known: Known, names: KnownNames) -> list[Part]:
    """Find the parts of a line that may be somebody's name.

    Args:
        line: a line of an address.
        known: what the roll knows.
        names: names of people; they only ever speak against a part.
    """
    flat = fold_letters(re.sub("['’`]", "", line))
    if _CARE.search(flat):
        return [Part(0, len(line), MARK, frozenset())]
    parts = split_line(line)
    if _TITLED.search(flat) and not (_is_street(flat.split()[-1]) and _is_titled_street(parts)):
        return [Part(0, len(line), MARK, frozenset())]
    found = []
    before = ""
    for part in parts:
        words = _strip(part)
        if words and not (part[0].text == "OF" and before in read_words("buildings")):
            for kind, some in _judge(words, known, names):
                told = frozenset(word.text for word in some if not _is_plain(word.text, known))
                begin = part[0].begin if some[0] is words[0] else some[0].begin
                found.append(Part(begin, some[-1].end, kind, told))
        before = part[-1].text
    return found


def _is_titled_street(parts: list[list[Word]]) -> bool:
    """Whether a title is a street's: Dr Browns Close, and not Mrs J Brown High Street."""
    words = parts[-1] if parts else []
    return (
        0 < len(words) <= MOST_OF_A_STREET and _is_street(words[-1].text) and all(len(word.text) > 1 for word in words)
    )


def _is_plain(word: str, known: Known) -> bool:
    """Whether a word is one of places or trades, and hardly anybody's name."""
    if word in known.place_words or word in _land_words() or word.startswith(SAINT):
        return True
    also = read_words("also_names")
    return word in _plain_words() and word not in also and word.removesuffix("S") not in also


def _judge(words: list[Word], known: Known, names: KnownNames) -> list[tuple[str, list[Word]]]:
    """Tell which words of a part speak against it, and why; none if it is known."""
    content = [word for word in words if word.text not in _JOINING]
    if not content:
        return []
    head, phrase = content[-1].text, " ".join(word.text for word in words)
    plain = [_is_plain(word.text, known) for word in content]
    if marked := _find_marks(words, content, known):
        return [(MARK, marked)]
    if phrase in known.places or all(plain) or _is_gate(content):
        return []
    also = head in read_words("also_surnames")
    if phrase in known.buildings and (_is_head(head) or also):
        return []
    for place in range(len(words) - 1, 1, -1):
        if " ".join(word.text for word in words[:place]) in known.places:
            return _judge(words[place:], known, names)
    for place in range(1, len(words) - 1):
        rest = " ".join(word.text for word in words[place:])
        if rest in known.places or (rest in known.buildings and _is_street(head)):
            return _judge(words[:place], known, names)
    if _is_head(head) or (also and len(content) != PAIR):
        return _find_run_in(content, plain, names)
    in_words = all(word.text in _plain_words() for word in content)
    if in_words and words[0].text == "THE":
        return []
    before = _list_before(words, "OF")
    if before and all(word.text in _plain_words() for word in before):
        return []
    if _names_a_person([word.text for word in words], known, names):
        if words[0].text == "THE":
            return [(NAMED_AFTER, words)]
        return [(STREET_LIKE if _is_street(head) else PERSON, words)]
    if also and len(content) == PAIR:
        return [(STREET_LIKE, words)]
    if phrase in known.buildings:
        return []
    if words[0].text == "THE":
        return []
    if len(content) == 1:
        return [(ONE_WORD, words)]
    return [] if in_words and head not in read_words("trades") else [(UNKNOWN, words)]


def _find_marks(words: list[Word], content: list[Word], known: Known) -> list[Word]:
    """Find initials beside what may be a surname, or a surname's possessive before a trade."""
    surnames = read_words("also_surnames") | read_words("also_names")
    odd = [len(word.text) > 1 and (word.text in surnames or not _is_plain(word.text, known)) for word in content]
    single = [len(word.text) == 1 and id(word) not in _list_paired(words) for word in content]
    for place, (word, after) in enumerate(pairwise(content)):
        plural = word.text.removesuffix("S")
        owned = word.owns or (
            plural != word.text
            and content[-1].text not in read_words("associations")
            and (plural in surnames or not _is_plain(word.text, known))
        )
        if word.text.startswith(SAINT) or not owned or _is_head(after.text) or after.text not in read_words("trades"):
            continue
        if after is content[-1]:
            return words
        if not place and not _may_go_on(content[2].text):
            return content[:2]
    if _is_head(content[-1].text):
        lead = content[:2] if len(content) > PAIR else []
        of_kind = content[-1].text in read_words("associations") and single[1:3] == [True, True]  # Wick C P School
        return lead if lead and any(single[:2]) and any(odd[:2]) and not of_kind else []
    return words if any(single) and any(odd) else []


def _may_go_on(word: str) -> bool:
    """Whether a name of trade goes on with a word: Kirklees Steel Works."""
    return _is_head(word) or word in read_words("trades")


def _list_before(words: list[Word], joining: str) -> list[Word]:
    """List the words before a joining word within a name: Marquis of Granby."""
    texts = [word.text for word in words]
    return words[: texts.index(joining)] if joining in texts[1:-1] else []


def _list_paired(words: list[Word]) -> set[int]:
    """List the letters that are no initials: J & I (school), C of E, Ring o' Bells."""
    paired: set[int] = set()
    for before, sign, after in zip(words, words[1:], words[2:], strict=False):
        if sign.text in ("&", "OF") and len(before.text) == len(after.text) == 1:
            paired |= {id(before), id(after)}
        if len(before.text) == len(sign.text) == len(after.text) == 1 and sign.text != "&":  # W M C, R U F C
            paired |= {id(before), id(sign), id(after)}
    return paired


def _find_run_in(content: list[Word], plain: list[bool], names: KnownNames) -> list[tuple[str, list[Word]]]:
    """Find a person whose name is run into that of a building or a street: the words before the first plain one."""
    if len(content) <= LEAST_RUN_IN or any(plain[:2]) or min(len(word.text) for word in content[:2]) < LEAST_OF_A_NAME:
        return []
    size = min(plain.index(True) if True in plain else len(plain), max(len(plain) - PAIR, PAIR))
    if any(word.text in names.given - read_words("also_names") for word in content[:2]):
        return [(PERSON, content[:size])]
    in_words = [word.text in _plain_words() for word in content]
    if content[-1].text in read_words("associations"):
        return []
    if all(in_words[2:]) or content[2].text in read_words("trades") or _is_street(content[-1].text):
        return [(UNKNOWN, content[:2])]
    return []


def _names_a_person(words: list[str], known: Known, names: KnownNames) -> bool:
    """Whether a known given name stands beside what may be a surname.

    A given name that is a word as well, as Rose, counts only beside what is no such word, or a surname.
    """
    told = [word for word in words if word not in ("&", "THE")]
    also = read_words("also_names")
    surnames = also | read_words("also_surnames")
    for place, word in enumerate(told):
        if word not in names.given or word in known.place_words or (word in _plain_words() and word not in also):
            continue
        for other in told[max(place - 1, 0) : place] + told[place + 1 : place + 2]:
            if other in _JOINING:
                continue
            if other not in _plain_words() or other in surnames:
                return True
            if word not in also and other not in read_words("trades") and "&" not in words:
                return True
    return False


def cut_out(line: str, parts: Iterable[Part]) -> str:
    """Return a line without these parts, and without marks that are left over."""
    for part in sorted(parts, reverse=True):
        line = f"{line[: part.begin]} {line[part.end :]}"
    line = re.sub(r"\(\s*\)|\[\s*\]", " ", line)
    return re.sub(r"\s+", " ", line).strip(" -–—/:;&.,@+|*")
