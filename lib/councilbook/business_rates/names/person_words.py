"""Words that tell organisations from people: legal forms, public bodies, trades, and known names of people.

Sources:
    Companies Act 2006, sections 58 to 65 and 1197, and the Company, Limited Liability Partnership and Business (Names
    and Trading Disclosures) Regulations 2015 (SI 2015/17), schedules 1 and 2: nobody may trade under the ending of a
    legal form that is not theirs. Companies House, company number prefixes, on which forms have a register.
    Building Societies Act 1986; Credit Unions Act 1979; Charities Act 2011, part 11; Charities and Trustee Investment
    (Scotland) Act 2005, chapter 7: building societies, credit unions, CIO and SCIO.
    Names of people: the person providers of Faker (MIT licence), all locales, in Latin letters.
"""

import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import yaml
from faker.providers import person

from councilbook.paths import read_beside

# Endings that are no initials of anybody, and those that might be: SMITH PLC is a company, or P. L. C. Smith.
LONG_FORMS = (
    r"LIMITED LIABILITY PARTNERSHIP",
    r"LIMITED PARTNERSHIP",
    r"PUBLIC LIMITED COMPANY",
    r"COMMUNITY INTEREST COMPANY",
    r"(?:SCOTTISH )?CHARITABLE INCORPORATED ORGANI[SZ]ATION",
    r"(?:BUILDING SOCIETY|CREDIT UNION|HOUSING ASSOCIATION)(?: (?:LIMITED|LTD))?",
    r"(?:FRIENDLY SOCIETY|CO-?OPERATIVE SOCIETY) (?:LIMITED|LTD)",
    r"LIMITED",
    r"CYFYNGEDIG",
    r"GMBH",
    r"SCIO",
)
LETTER_FORMS = (r"LTD", r"PLC", r"P\.L\.C", r"LLP", r"L\.L\.P", r"CIC", r"C\.I\.C", r"CIO", r"CYF", r"SARL")
FORM = "|".join((*LONG_FORMS, *LETTER_FORMS))
# the same company: Ltd is Limited; LP, SE, SA, BV and the like are left out, as they are anybody's two initials
SAME_FORM: Mapping[str, str] = {
    "LTD": "LIMITED",
    "PLC": "PUBLIC LIMITED COMPANY",
    "LLP": "LIMITED LIABILITY PARTNERSHIP",
    "CIC": "COMMUNITY INTEREST COMPANY",
    "CIO": "CHARITABLE INCORPORATED ORGANISATION",
    "SCIO": "SCOTTISH CHARITABLE INCORPORATED ORGANISATION",
    "CYF": "LIMITED",
    "CYFYNGEDIG": "LIMITED",
}


_WORDS = files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
_VOCABULARIES: dict[str, str] = yaml.load(_WORDS, Loader=yaml.BaseLoader)  # noqa: S506 (plain text: NO and ON are words)


@lru_cache
def read_words(*kinds: str) -> frozenset[str]:
    """Return the words of vocabularies of `words.yaml`, which has their meanings and sources, in capital letters."""
    return frozenset(word for kind in kinds for word in _VOCABULARIES[kind].split())


# in the order of the file, as patterns are made of them
TITLES, SOFT_TITLES = (_VOCABULARIES[kind].split() for kind in ("titles", "soft_titles"))
PLACE_WORDS, ASSOCIATION_WORDS, ORGANISATION_WORDS = map(read_words, ("places", "associations", "trades"))
ALSO_NAMES, ALSO_SURNAMES = map(read_words, ("also_names", "also_surnames"))
LAND_WORDS = read_words("buildings", "streets", "units", "positions", "places")
NO_NAMES = (LAND_WORDS | read_words("trades", "associations", "ordinary")) - ALSO_NAMES - ALSO_SURNAMES

_LATIN = re.compile(r"[A-Z]{2,}")
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ß": "ss", "æ": "ae", "Æ": "AE"}
    | {"œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ı": "i", "ə": "a", "Ə": "A", "ŋ": "n", "Ŋ": "N", "ħ": "h", "Ħ": "H"}
)


class KnownNames(NamedTuple):
    """Words that are known as given names, and as given names or surnames, in capital letters without accents."""

    given: frozenset[str]
    any: frozenset[str]


def fold_letters(text: str) -> str:
    """Return a text in capital letters without accents, for comparison and never for show."""
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN_LETTERS))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).upper()


@lru_cache
def read_known_names(without: str | None = None) -> KnownNames:
    """Collect the words of people's names that Faker knows, in Latin letters.

    Args:
        without: a locale (`zu_ZA`) whose every name to leave out, to try how names fare that nobody had thought of.

    Returns:
        Words of at least two letters; without those of ORGANISATION_WORDS.
    """
    given: set[str] = set()
    every: set[str] = set()
    for names in _read_locales().values():
        given |= names.given
        every |= names.any
    out = ORGANISATION_WORDS | (_read_locales()[without].any if without else frozenset())
    return KnownNames(frozenset(given - out), frozenset(every - out))


@lru_cache
def _read_locales() -> dict[str, KnownNames]:
    """Collect the words of names of each locale."""
    locales = {}
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        given: set[str] = set()
        surnames: set[str] = set()
        for attribute in dir(provider):
            if attribute.startswith("first_") or "first_name" in attribute:
                given.update(_list_words(getattr(provider, attribute)))
            elif attribute.startswith("last_") or "last_name" in attribute:
                surnames.update(_list_words(getattr(provider, attribute)))
        locales[module.name] = KnownNames(frozenset(given), frozenset(given | surnames))
    return locales


def _list_words(names: object) -> Iterator[str]:
    if isinstance(names, str):
        plain = names.replace("'", "").replace("’", "")
        yield from _LATIN.findall(plain.upper() if plain.isascii() else fold_letters(plain))
    elif isinstance(names, Iterable):  # tuples, and mappings from a name to how common it is
        for name in names:
            yield from _list_words(name)


@lru_cache
def read_public_bodies() -> tuple[str, str]:
    """Return two patterns of names of public bodies: by lists of names, and by a kind of body after any words.

    They are for RE2, on text from `fold_letters` without dots and apostrophes, and match at the beginning of a name.
    What is matched is the name of the body; what follows is not part of it. `public_bodies.yaml` has the words and
    their sources.
    """
    words = read_beside(__file__, "public_bodies.yaml")
    parts = {"word": words["word"], "school": words["school"]}
    for name in words["lists"]:
        texts = {fold_letters(text).replace(" AND ", " & ") for text in words[name].split("; ")}
        parts[name] = "|".join(sorted(texts, key=lambda text: (-len(text), text)))
    listed = [text.format_map(parts) for text in words["patterns"] if "{word}" not in text]
    open_ended = [text.format_map(parts) for text in words["patterns"] if "{word}" in text]
    return "|".join(listed), "|".join(open_ended)
