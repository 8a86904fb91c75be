"""What a header says: which column of ours it stands for, as far as its words tell.

A header is looked up among those that councils have used (`roll_headers.yaml`), as it is and with its short words
written out; then it is held against the words that such headers are made of (`header_words.yaml`); and at last against
near spellings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import yaml

from councilbook.paths import read_beside

LISTS = (1990, 1995, 2000, 2005, 2010, 2017, 2023, 2026)  # years whose 1 April a list of values came into force on
UNUSED = "unused"
LEAST_ALIKE = 0.85  # of a misspelt header and a known one: one letter in seven
LEAST_LETTERS = 6
LEAST_LETTERS_OF_WORD = 4
_DATUM = re.compile(  # what a record has and a header has not
    r"^\W*$|^(?!(?:19|20)\d\d\D)[£(+-]*\d|\d[\d,]*\.\d\d\)?$|\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b"
    r"|\b(?:ltd|limited|plc|llp|mr|mrs|miss|ms)\b|\w@\w", re.IGNORECASE
)  # fmt: skip
# a cell that may be part of a header; and what of one says who it is filled for
_ABOVE = re.compile(r"(?=.{1,40}$)\D*(?:(?:19|20)\d\d(?:\W\d\d)?\D*|\d{1,2}\W*)?")
_ASIDE = re.compile(
    r"\((?:where|if|unless|only|excl\w*|incl\w*|e\.?g|i\.?e|such as|not|compan\w*|businesses)\b[^)]*\)", re.IGNORECASE
)

_WORDS = yaml.load((files(__package__) / "header_words.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
_LONG = {short: long for long, words in _WORDS["short"].items() for short in words.split()}
_FILLERS = frozenset(_WORDS["fillers"].split())
_TOGETHER = {*_LONG, *" ".join(_LONG.values()).split(), *_FILLERS, *_WORDS["together"].split()} - {"a", "y", "n"}
_GUESSES = {target: re.compile("|".join(patterns)) for target, patterns in _WORDS["guesses"].items()}

_VALUE = r"(?:rv|nav|rat(?:e|es)?able ?val(?:ue)?s?|annual values?)"
_LIST = re.compile(
    r"^(?:(?:last|draft|current|new|old|compiled|rating|list|property|voa?|effective|from|april|1|01|04|the|of|for)\s?)*"
    rf"(?:{_VALUE}\s(?:.*\s)?(?P<after>(?:19|20)\d\d)(?:\s\d\d(?:\d\d)?)?(?:\s(?:rating|compiled|draft))?(?:\slist)?"
    r"|rv\s(?P<short>1[07]|2[36])"
    rf"|(?P<before>(?:19|20)\d\d)(?:\s\d\d(?:\d\d)?)?\s(?:rating\s|compiled\s|draft\s)?(?:list\s)?{_VALUE})$"
)
_WHEN = re.compile(r"\b(dates?|from|start\w*|ends?|until|to|since)\b")
_OF_WHAT = re.compile(rf"{_WHEN.pattern[:-3]}|code|amount|pct)\b")
_NO_RELIEF = re.compile(rf"{_WHEN.pattern}|\b(suppl\w*|supp|removed|premium)\b")
PERSONAL = re.compile(
    r"phone|telephone|mobile|e ?mail|birth|\bdob\b|national insurance|\bnino\b|bank|sort code|contact|signature"
)


@dataclass(frozen=True)
class Meaning:
    """What a header says.

    Attributes:
        target: the canonical column, or `UNUSED`; None if its words do not tell.
        rank: of the headers for one column those of the lowest rank in a file are used.
        key: what it is known as, without the number at the end of a series.
        is_known: councils have used it, or nearly so; else its words are guessed from.
        is_exact: councils have used it so.
        year: in which the list of its rateable values came into force, if it says so.
    """

    target: str | None
    rank: int
    key: str
    is_known: bool
    is_exact: bool = False
    year: int | None = None


def normalise_header(header: str) -> str:
    """Write a header in small words and numbers, as "PropAddress1 " is "prop address 1" and "Mand %" is "mand pct"."""
    words = re.sub(
        r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])",
        " ",
        _ASIDE.sub("", header).replace("(s)", "s").replace("%", " pct ").replace("£", " ").replace("'", ""),
    )
    return " ".join(re.findall(r"[a-z0-9]+", words.lower()))


def could_be_header(cells: Sequence[str], known: int = 0) -> bool:
    """Tell whether a row could be names of columns, so many of them known, and is no record with numbers and firms."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) > 1 and sum(bool(_DATUM.search(cell)) or not cell.isprintable() for cell in filled) <= known


def join_headers(above: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Join a header that lies in two rows: groups over its columns, as "Ratepayer" over "Address", or broken lines.

    A group stands over the blank cells to its right. Where a cell alone tells as much, it stays as it is.
    """
    over = [cell.strip() for cell in above] + [""] * (len(cells) - len(above))
    filled = sum(map(bool, over))
    if filled < 2 or not all(_ABOVE.fullmatch(cell.strip()) for cell in (*above, *cells) if cell.strip()):
        return list(cells)  # a title above, or a record below
    joined, group, are_groups = [], "", filled <= 2 / 3 * sum(bool(cell.strip()) for cell in cells)
    for word, cell in zip(over, cells, strict=False):
        group = word or (group if are_groups else "")
        joined.append(_choose_words(group, cell.strip()) if cell.strip() else word)
    return joined


def _choose_words(group: str, cell: str) -> str:
    alone, both = read_words(cell), read_words(f"{group} {cell}")
    if both.target is None:
        is_better = alone.target in ("relief", "liability_start_date") and read_words(group).target is not None
    else:
        is_better = alone.target is None or both.is_known or both.target.startswith("ratepayer")
        is_better |= alone.rank > 0 and "relief" not in both.target
    return f"{group} {cell}" if group and is_better else cell


@cache
def read_header(header: str) -> Meaning:
    """Read what a header says: as councils have used it, or nearly so, or by words that such headers are made of."""
    meaning = read_words(header)
    return meaning if meaning.is_known else _read_spelling(header) or meaning


@cache
def read_words(header: str) -> Meaning:
    """Read what a header says without regard to other spellings, which takes a hundredth of the time."""
    words = " ".join(map(_part_words, normalise_header(header).split()))
    words = re.sub(r"^(reliefs?|discounts?|exemptions?) (\d) (.+)$", r"\1 \3 \2", words)  # "Relief 1 Type"
    long = " ".join(_LONG.get(word, word) for word in words.split())
    if year := _find_list(words) or _find_list(long):
        return Meaning("rateable_value_gbp", 1, f"list {year}", is_known=True, is_exact=True, year=year)
    short = " ".join(word for word in long.split() if word not in _FILLERS)
    whole = _LONG.get(words.replace(" ", ""), words)  # "PCode" is one short word
    turned = re.sub(r"^(.+?) (?:of|for) (?:the )?(.+)$", r"\2 \1", long)  # "address of property"
    for text in dict.fromkeys((words, long, short, whole, turned)):
        if found := _look_up(text):
            return found
    parts = [read_words(part) for part in re.split(r"\s[/|]\s", header)] if re.search(r"\s[/|]\s", header) else []
    if len(told := [part for part in parts if part.target is not None]) == 1:
        return told[0]  # a header in two languages
    key = _cut_number(words.replace(" ", ""))
    if not (PERSONAL.search(words) and "address" not in long):
        for target, pattern in _GUESSES.items():
            if "relief" in target and _NO_RELIEF.search(long):
                continue
            if any(map(pattern.search, (long, short, turned))):
                return Meaning(target, 0, key, is_known=False)
    return Meaning(None, 0, key, is_known=False)


@cache
def _part_words(word: str) -> str:
    """Part a word that is several, as "propaddr" is "prop addr"; one that is not all made of known ones stays."""
    if len(word) < LEAST_LETTERS or word in _TOGETHER:
        return word
    cuts = range(len(word) - 1, 1, -1)
    pairs = ((word[:cut], _part_words(word[cut:])) for cut in cuts if word[:cut] in _TOGETHER)
    able = [f"{first} {rest}" for first, rest in pairs if _TOGETHER.issuperset(rest.split())]
    return min(able, key=lambda text: text.count(" "), default=word)


def _read_spelling(header: str) -> Meaning | None:
    """Read a header that councils have not used as the known one that is spelt nearly so.

    Its numbers and short words must be the same, as SSB is nearly SBR, and its first letter, as "occupied" is nearly
    "unoccupied".
    """
    words = normalise_header(header)
    long = " ".join(_LONG.get(word, word) for word in words.split())
    if PERSONAL.search(words) and "address" not in long:
        return None
    sure = [
        *_OF_WHAT.findall(long),
        *(word for word in long.split() if word.isalpha() and len(word) < LEAST_LETTERS_OF_WORD),
    ]
    found: set[str] = set()
    for text in (_cut_number(words.replace(" ", "")), _cut_number(long.replace(" ", ""))):
        able = [key for key in _load_known() if key[0] == text[:1] and _list_digits(key) == _list_digits(text)]
        if len(text) >= LEAST_LETTERS:
            near = get_close_matches(text, able, n=1, cutoff=LEAST_ALIKE)
            found.update(key for key in near if all(word in key for word in sure))
    if len({_load_known()[key][0] for key in found}) != 1:
        return None
    near_key = min(found)
    return Meaning(*_load_known()[near_key], near_key, is_known=True)


def find_list_in_force(year: int) -> int:
    """Return the year of the list of rateable values that is in force on 1 April of a year.

    Source: Local Government Finance Act 1988, section 41, and Local Government (Scotland) Act 1975, section 1: lists
    of the same years in England, Wales and Scotland.
    """
    return max((first for first in LISTS if first <= year), default=LISTS[0])


def _find_list(words: str) -> int | None:
    found = _LIST.match(words)
    return int(found["after"] or found["before"] or f"20{found['short']}") if found else None


def _look_up(words: str) -> Meaning | None:
    key = words.replace(" ", "")
    for name in (key, _cut_number(key)):
        if name in _load_known():
            target, rank = _load_known()[name]
            return Meaning(target, rank, name, is_known=True, is_exact=True)
    return None


def _cut_number(key: str) -> str:
    """Take off what tells the columns of a series apart, as the number of "Address 2" or "continued"."""
    return re.sub(r"(?<=[a-z]{3})(?:continued|contd?|cntd)$", "", re.sub(r"(?<!\d)\d{1,2}$", "", key))


def _list_digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@cache
def _load_known() -> dict[str, tuple[str, int]]:
    known = {}
    for target, groups in read_beside(__file__, "roll_headers.yaml").items():
        for rank, group in enumerate(groups):
            known.update({str(key): (target, rank) for key in group})
    return known
