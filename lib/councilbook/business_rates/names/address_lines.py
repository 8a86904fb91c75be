"""What a line of an address says: a number, a street, a building, a place, an organisation, or none of these.

A part of a line is known if the roll says so, if it ends as a building's or a street's name, or if all its words are
words of places and trades. What is none of these may be somebody's name.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from councilbook.business_rates.names.address_parts import (
    HEADS,
    JOINING,
    PLAIN_WORDS,
    SAINT,
    STREETS,
    UNITS,
    Known,
    Word,
    is_gate,
    split_line,
    strip,
)
from councilbook.business_rates.names.person_words import (
    ALSO_NAMES,
    ALSO_SURNAMES,
    ASSOCIATION_WORDS,
    LAND_WORDS,
    ORGANISATION_WORDS,
    TITLES,
    KnownNames,
    fold_letters,
    read_words,
)

# why a part of a line may be somebody's name
MARK, PERSON, NAMED_AFTER = "a mark", "a given name", "after a person"
STREET_LIKE, HOUSE_LIKE = "a street or a person", "a house or a person"
ONE_WORD, UNKNOWN = "one word", "not known"
LEAST_OF_A_NAME = 2  # letters
MOST_OF_A_STREET = 4  # words, with a title
PAIR = 2  # a given name and a surname
# words of buildings and institutions, which are no name by themselves: Church Primary School
KINDS = read_words("trades", "associations", "places", "buildings", "named", "kinds")

_CARE = re.compile(
    r"\bC ?[/\\] ?[O0]\b|\bCARE OF\b|\bFAO\b|\bATTN?\b|\bEXEC(?:UTORS?|UTRIX|ORS?|S)? OF\b|\bESTATE OF\b|\bDECEASED\b"
    r"|\bTHE LATE (?!SHOP|BAR|LOUNGE)|\bT ?/ ?A\b|\bTRADING AS\b|\b(?:PROP|PROPRIETOR|TRUSTEES?|TENANT|OCCUPIER)\b"
)
_TITLED = re.compile(rf"(?:^|[ (&/-])(?:{'|'.join(TITLES)})\.? +[A-Z]")


class Part(NamedTuple):
    """A part of a line that is not known: where it stands, why, and its words that are not known."""

    begin: int
    end: int
    kind: str
    words: frozenset[str]


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
    if _TITLED.search(flat) and not (flat.split()[-1] in STREETS and _is_titled_street(parts)):
        return [Part(0, len(line), MARK, frozenset())]
    found = []
    before = ""
    for part in parts:
        words = strip(part)
        paired = _list_paired(words)
        if words and not (part[0].text == "OF" and before in read_words("buildings")):
            for kind, some in _judge(words, known, names):
                told = [word.text for word in some if not _is_plain(word.text, known) and id(word) not in paired]
                begin = part[0].begin if some[0] is words[0] else some[0].begin
                found.append(Part(begin, some[-1].end, kind, frozenset(told)))
        before = part[-1].text
    return found


def _is_titled_street(parts: list[list[Word]]) -> bool:
    """Whether a title is a street's: Dr Browns Close, and not Mrs J Brown High Street."""
    words = parts[-1] if parts else []
    return (
        0 < len(words) <= MOST_OF_A_STREET and words[-1].text in STREETS and all(len(word.text) > 1 for word in words)
    )


def _is_plain(word: str, known: Known) -> bool:
    """Whether a word is one of places or trades, and hardly anybody's name."""
    if word in known.place_words or word in LAND_WORDS or word in JOINING or word.startswith(SAINT):
        return True
    return word in PLAIN_WORDS and not ALSO_NAMES.intersection((word, word.removesuffix("S")))


def _judge(words: list[Word], known: Known, names: KnownNames) -> list[tuple[str, list[Word]]]:
    """Tell which words of a part speak against it, and why; none if it is known."""
    content = [word for word in words if word.text not in JOINING]
    if not content:
        return []
    head, phrase = content[-1].text, _join(words)
    plain = [_is_plain(word.text, known) for word in content]
    if marked := _find_marks(words, content, known):
        return [(MARK, marked)]
    if phrase in known.places or all(plain) or is_gate(content):
        return []
    also = head in ALSO_SURNAMES
    if phrase in known.buildings and (head in HEADS or also):
        return []
    if rest := _leave_out_known(words, head, known):
        return _judge(rest, known, names)
    if head in HEADS or (also and len(content) != PAIR):
        return _find_run_in(content, plain, known, names)
    reason = _find_reason(words, [word.text for word in content], known, names)
    return [(reason, words)] if reason else []


def _join(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def _leave_out_known(words: list[Word], head: str, known: Known) -> list[Word]:
    """Return what stands after a place that the roll knows, or before such a place or building; empty if none does."""
    for place in range(len(words) - 1, 1, -1):
        if _join(words[:place]) in known.places:
            return words[place:]
    for place in range(1, len(words) - 1):
        rest = _join(words[place:])
        if rest in known.places or (rest in known.buildings and head in STREETS):
            return words[:place]
    return []


def _find_reason(words: list[Word], content: list[str], known: Known, names: KnownNames) -> str | None:
    """Return why words that no street or building ends may be somebody's name; None if they are plain or a building."""
    head, has_article, in_words = content[-1], words[0].text == "THE", PLAIN_WORDS.issuperset(content)
    before = _list_before(words, "OF")
    if (in_words and has_article) or (before and all(word.text in PLAIN_WORDS for word in before)):
        return None
    pair = head in ALSO_SURNAMES and len(content) == PAIR
    if pair and head in KINDS and content[0] not in names.given:
        return HOUSE_LIKE
    if _names_a_person([word.text for word in words], known, names):
        given = names.given.intersection(content) - ALSO_NAMES
        if has_article or (in_words and not given and head not in ORGANISATION_WORDS):
            return NAMED_AFTER
        return STREET_LIKE if head in STREETS else PERSON
    if pair:
        return STREET_LIKE
    if has_article or _join(words) in known.buildings:
        return None
    if len(content) == 1:
        return ONE_WORD if len(head) > 1 else None
    return None if in_words and head not in ORGANISATION_WORDS else UNKNOWN


def _find_marks(words: list[Word], content: list[Word], known: Known) -> list[Word]:
    """Find initials beside what may be a surname, or a surname's possessive before a trade."""
    surnames = ALSO_SURNAMES | ALSO_NAMES
    odd = [len(word.text) > 1 and (word.text in surnames or not _is_plain(word.text, known)) for word in content]
    single = [len(word.text) == 1 and id(word) not in _list_paired(words) for word in content]
    for place, (word, after) in enumerate(pairwise(content)):
        plural = word.text.removesuffix("S")
        owned = word.owns or (
            plural != word.text
            and (content[-1].text not in ASSOCIATION_WORDS or after.text in UNITS)
            and (plural in surnames or not _is_plain(word.text, known))
        )
        if word.text.startswith(SAINT) or not owned or after.text in HEADS or after.text not in ORGANISATION_WORDS:
            continue
        if after is content[-1]:
            return words
        goes_on = content[2].text in HEADS or content[2].text in ORGANISATION_WORDS  # Kirklees Steel Works
        if not place and (after.text in UNITS or not goes_on):
            return content[:2]
    if content[-1].text in HEADS:
        size = PAIR + all((*single[1:PAIR], *odd[PAIR : len(content) - 1][:1]))  # Ann J Smith
        lead = content[:size] if len(content) > PAIR else []
        of_kind = content[-1].text in ASSOCIATION_WORDS and single[1:3] == [True, True]  # Wick C P School
        return lead if lead and any(single[:2]) and any(odd[:2]) and not of_kind else []
    return words if any(single) and any(odd) else []


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


def _find_run_in(
    content: list[Word], plain: list[bool], known: Known, names: KnownNames
) -> list[tuple[str, list[Word]]]:
    """Find a person whose name is run into that of a building or a street, or that one is named after.

    That is two words that are no plain ones, unless a street begins with them. Where what follows has no name of its
    own (Primary School), they may be the building's: a school's, but hardly a yard's.
    """
    texts = [word.text for word in content]
    head, rest = texts[-1], texts[PAIR:]
    surnames = ALSO_SURNAMES - KINDS if len(rest) > 1 else frozenset()
    if any(is_plain and text not in surnames for is_plain, text in zip(plain, texts[:PAIR], strict=False)):
        return []
    if not rest or min(map(len, texts[:PAIR])) < LEAST_OF_A_NAME or " ".join(texts[:PAIR]) in known.begins:
        return []
    if len(rest) == 1 and head in STREETS and head not in UNITS:
        return []
    given = any(text in names.given - ALSO_NAMES for text in texts[:PAIR])
    of_kind = head in read_words("named") and all(text in KINDS for text in rest if len(text) > 1)
    if of_kind and len(rest) > 1 and not given and head in ASSOCIATION_WORDS:
        return []
    alone = len(rest) > 1 and " ".join(rest) in known.phrases  # Village Hall
    if not alone and (of_kind or read_words("named_after").intersection(rest)):
        return [(NAMED_AFTER, content[:PAIR])]
    if given and len(rest) > 1:
        size = min(plain.index(True) if True in plain else len(plain), max(len(plain) - PAIR, PAIR))
        return [(PERSON, content[: max(size, PAIR)])]
    may_end = len(rest) == 1 and head in ALSO_SURNAMES  # Ann & Thomas Meadows
    return [(UNKNOWN, content if may_end else content[:PAIR])]


def _names_a_person(words: list[str], known: Known, names: KnownNames) -> bool:
    """Whether a known given name stands beside what may be a surname.

    A given name that is a word as well, as Rose, counts only beside what is no such word, or a surname.
    """
    told = [word for word in words if word not in ("&", "THE")]
    surnames = ALSO_NAMES | ALSO_SURNAMES
    for place, word in enumerate(told):
        if word not in names.given or word in known.place_words or (word in PLAIN_WORDS and word not in ALSO_NAMES):
            continue
        for other in told[max(place - 1, 0) : place] + told[place + 1 : place + 2]:
            if other in JOINING:
                continue
            if other not in PLAIN_WORDS or other in surnames:
                return True
            if word not in ALSO_NAMES and other not in ORGANISATION_WORDS and "&" not in words:
                return True
    return False


def cut_out(line: str, parts: Iterable[Part]) -> str:
    """Return a line without these parts, and without marks that are left over."""
    for part in sorted(parts, reverse=True):
        line = f"{line[: part.begin]} {line[part.end :]}"
    line = re.sub(r"\(\s*\)|\[\s*\]", " ", line)
    return re.sub(r"\s+", " ", line).strip(" -–—/:;&.,@+|*")
