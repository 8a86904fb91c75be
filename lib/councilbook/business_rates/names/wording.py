"""What the wording of a name says: prepared for comparison, and what in it speaks for a person.

Sources:
    `person_words` has the vocabularies and where each comes from.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from councilbook.business_rates.names.person_words import (
    FORM,
    ORGANISATION_WORDS,
    PLACE_WORDS,
    SOFT_TITLES,
    TITLES,
    KnownNames,
    fold_letters,
    read_public_bodies,
)
from councilbook.errors import CheckError

Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

# why a name is published or withheld, and the same for a reader
LIVE_ENTRY = "live register entry"
PUBLIC_BODY = "public body"
LEGAL_FORM = "company or society by its legal form"
NO_NAME = "no name given"
NO_EVIDENCE = "nothing shows that it is an organisation"
CARE_OF = "somebody who acts for another"
ESTATE = "estate of somebody who died"
TITLE = "a person's title"
BESIDE = "a person beside an organisation"
TRADING_AS = "a person's trading style"
INITIALS = "initials with a surname"
GIVEN_NAME = "a known given name"
STRANGE = "letters that imitate others"
REASONS: Mapping[str, str] = {
    LIVE_ENTRY: "Published: the name is that of a live company or charity, linked by name and address",
    PUBLIC_BODY: "Published: the name is that of a public body",
    LEGAL_FORM: "Published: only a company or society may trade under such an ending (Limited, PLC, LLP and the like)",
    NO_NAME: "Withheld: the roll has no name, or something that is not a name",
    NO_EVIDENCE: "Withheld: it may be an organisation, but nothing proves it",
    CARE_OF: "Withheld: care of somebody, trustees, tenants, directors or others who act for somebody",
    ESTATE: "Withheld: executors, or a name of somebody who died",
    TITLE: "Withheld: Mr, Mrs, Dr, Messrs and the like",
    BESIDE: "Withheld: a company's ending, but somebody else may be named with it",
    TRADING_AS: "Withheld: trading as, and Sons, Brothers, and Partners, with no company's ending",
    INITIALS: "Withheld: initials with a surname, or a surname with initials",
    GIVEN_NAME: "Withheld: has a word that is known as a given name",
    STRANGE: "Withheld: has letters that look like others, or that cannot be seen",
}

_READABLE = (
    r"^[\x20-\x7E\x{A0}-\x{17F}\x{18F}\x{259}\x{1A0}\x{1A1}\x{1AF}\x{1B0}\x{218}-\x{21B}\x{1E00}-\x{1EF9}’‘–—€™]*$"
)
_END = r"(?:\s*[-–,]?\s*\(?\s*THE\s*\))?"
_TAIL = (
    r"[\s,.\-–(]*(?:(?:T\s?/\s?A(?:S)?\b|TRADING\s+AS\b|TA\b|(?:IN|UNDER)\s+(?:\w+\s+){0,3}(?:LIQ|ADMIN|RECEIVER)).*"
    r"|\([^()]*\)?)?"
)
_LEGAL = rf"(?is)^(?P<legal>(?P<head>.*?[\pL\pN)])(?:[\s,.]+\(?|\(|\b)(?P<form>{FORM})\b\.?\)?{_END}){_TAIL}\s*$"
_ACTS = (
    r"\bC ?[/\\] ?[O0]\b|\bCARE OF\b|\bC O [A-Z]+ [A-Z]+|\bTRUSTEES?\b|\bTTEES?\b|\bON BEHALF OF\b|\bO/B/?O\b"
    r"|\bATTN?\b|\bFAO\b"
    r"|\bFOR THE ATTENTION\b|\b(?:FORMERLY|PREVIOUSLY|NEE)\b|\b(?:DIRECTORS?|PROPRIETORS?|OWNERS?|LANDLORDS?"
    r"|SECRETARY|TREASURER"
    r"|PARTNERS?|AGENTS?|NOMINEES?|GUARANTORS?|TENANTS?|LESSEES?|RECEIVERS?|LIQUIDATORS?|ADMINISTRATORS?"
    r"|CLERK|CHAIR|CHAIRMAN|CARETAKER) (?:OF|TO|FOR|AT)\b"
    r"|\b(?:MD|CEO|DIRECTOR|PROP|PROPRIETOR) ?[,:()]|[(,:-] ?(?:DIRECTOR|OWNER|PROP|PROPRIETOR|TENANT"
    r"|OCCUPIER)\b|\bP\.?P\.? [A-Z]\b"
    r"|\bSOLE (?:TRADER|DIRECTOR)\b|\b(?:MANAGING|COMPANY) DIRECTOR\b"
    r"|\b(?:OBO|AKA|A/K/A|TENANT|OCCUPIER|LESSEE|PROPRIETOR)\b"
    r"|\b(?:DIRECTOR|OWNER|LANDLORD|EMPLOYEE|MANAGER) [A-Z]+ [A-Z]|\b(?:DISSOLVED|STRUCK OFF|CEASED)\b"
    r"|\b(?:SIPP|SSAS|PENSION (?:FUND|SCHEME)|RETIREMENT (?:FUND|SCHEME|BENEFITS?)|SETTLEMENT)\b"
)
_DIED = (
    r"\bEXECU?TO?RS?\b|\bEXECUTRIX\b|\bEXORS?\b|\bEXECS? OF\b|\bPERS(?:ONAL)? REPS?\b"
    r"|\bPERSONAL REPRESENTATIVES?\b|\bDECEASED\b|\bDECD\b|\bESTATE OF\b|\b(?:THE|OF) LATE\b|^LATE\b|\(LATE\b"
)
_HARD_TITLE = rf"(?:^|[^A-Z])(?:{'|'.join(TITLES)})(?:[^A-Z]|$)"
_SOFT_TITLE = (
    rf"(?:^(?:THE )?|[&,(] ?|\bAND )(?:{'|'.join(SOFT_TITLES)})\b|\b(?:MBE|OBE|CBE|ESQ|ESQUIRE|JNR|SNR|JR|SNR)$"
)
_TRADING = r"\bT ?[-/\\] ?AS?\b|\bTRADING (?:AS|UNDER)\b|[A-Z]{2,} (?:T A|TA|TAS) [A-Z]"
_FAMILY = (
    r"(?:&|\bAND|\+) ?(?:SONS?|DAUGHTERS?|BROTHERS?|BROS|SISTERS?|PARTNERS?|PTNRS?|CO|COMPANY|ASSOCIATES"
    r"|FAMILY|WIFE|HUSBAND|OTHERS?"
    r"|ANOR|ANR)\b|\b(?:BROS|BROTHERS|SISTERS|SONS)$"
)
_INITIALS = r"^(?:[A-Z][ ,&]+){1,5}[A-Z-]{2,}|^[A-Z-]{2,},? [A-Z] |(?:&|\bAND) (?:[A-Z] )+[A-Z-]{2,}$"
_LAST_INITIALS = r"[A-Z-]{2,},?(?:[ ,&]+[A-Z])+$"
_CORPORATE_TRUSTEE = r"\(?\bTRUSTEES?\b\)?( (?:CO |COMPANY )?(?:LIMITED|LTD|LLP|PLC)\b)"
_NOT_A_NAME = r"^[^A-Z]*$|^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$"
_BROKEN = r"[\n\r\t\v\f\x{85}\x{2028}\x{2029}]|\S   +\S"  # columns or lines of a file, run into one


class Names(NamedTuple):
    """Distinct names, prepared: as they would be shown, and for comparison."""

    shown: pa.Array
    flat: pa.Array
    legal: pa.StructArray  # legal, head and form, where the whole name reads as one company's
    broken: Flags  # lines or columns run into each other


def prepare_names(distinct: pd.Index | pd.Series) -> Names:
    """Prepare names: as shown (compatible letters, single spaces, round brackets) and flat."""
    raw = pa.array(distinct, type=pa.large_string(), from_pandas=True)
    single = pc.replace_substring_regex(pc.utf8_normalize(raw, "NFKC"), r"\s+", " ")
    single = pc.replace_substring(pc.replace_substring(single, "[", "("), "]", ")")
    shown = pc.utf8_trim_whitespace(single)
    legal = pc.extract_regex(shown, _LEGAL)
    return Names(shown, flatten_names(shown), legal, match_names(raw, _BROKEN))


def flatten_names(shown: pa.Array) -> pa.Array:
    """Return capital letters without accents, apostrophes and dots, with & for "and"."""
    plain = shown
    if not pc.all(pc.string_is_ascii(shown), min_count=0).as_py():
        odd = pc.invert(pc.string_is_ascii(shown))
        folded = [fold_letters(text) for text in pc.filter(shown, odd).to_pylist()]
        plain = pc.replace_with_mask(shown, odd, pa.array(folded, type=shown.type))
    flat = pc.utf8_upper(plain)
    flat = pc.replace_substring_regex(flat, "['’‘`]", "")
    flat = pc.replace_substring_regex(flat, r"\b([PLC])\. ?([LI])\. ?([CP])\b\.?", r"\1\2\3")
    flat = pc.replace_substring_regex(flat, r"\.", " ")
    flat = pc.replace_substring_regex(flat, r" ?& ?|\bAND\b", " & ")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(flat, r"\s+", " "))


def match_names(texts: pa.Array, pattern: str) -> Flags:
    """Tell which texts a pattern (of RE2) is found in."""
    found: Flags = pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False)
    return found


def split_words(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Texts]:
    """Split texts into words of letters and digits: row and place of each word, and the word."""
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(pc.fill_null(texts, ""), r"[^A-Z0-9&]+", " "))
    lists = pc.split_pattern(spaced, " ")
    rows = pc.list_parent_indices(lists).to_numpy()
    words = pc.list_flatten(lists).to_numpy(zero_copy_only=False)
    starts = np.searchsorted(rows, np.arange(len(texts)))
    return rows, np.arange(len(rows)) - starts[rows], words


def are_in(words: Texts, vocabulary: frozenset[str]) -> Flags:
    """Tell which words are in a vocabulary."""
    values = pa.array(sorted(vocabulary), pa.string())
    known: Flags = pc.is_in(pa.array(words, pa.string()), value_set=values).to_numpy(zero_copy_only=False)
    return known


def find_suspicions(names: Names, known: KnownNames) -> Texts:
    """Return what speaks for a person in each name, or None: the first that is found."""
    flat, has_form = names.flat, pc.is_valid(names.legal).to_numpy(zero_copy_only=False)
    has_form &= ~match_names(
        pc.struct_field(names.legal, "form"), "(?i)^HOUSING ASSOCIATION$"
    )  # no law protects it alone
    before = pc.if_else(pa.array(has_form), flatten_names(pc.struct_field(names.legal, "head")), flat)
    listed = match_names(flat, read_public_bodies()[0])
    found = np.full(len(flat), None, dtype=object)
    acts = pc.replace_substring_regex(flat, _CORPORATE_TRUSTEE, r"\1")
    has_given, has_organisation = _find_words(flat, known)
    plain = ~has_form & ~listed
    checks = (
        (STRANGE, ~match_names(names.shown, _READABLE)),
        (NO_NAME, match_names(flat, _NOT_A_NAME)),
        (ESTATE, match_names(flat, _DIED)),
        (CARE_OF, match_names(acts, _ACTS) & ~match_names(flat, r"^(?:THE )?SECRETARY OF STATE\b")),
        (TITLE, match_names(before, _HARD_TITLE) | (plain & match_names(flat, _SOFT_TITLE))),
        (TRADING_AS, match_names(before, _TRADING) | (~has_form & match_names(flat, _FAMILY))),
        (INITIALS, plain & (match_names(flat, _INITIALS) | (match_names(flat, _LAST_INITIALS) & ~has_organisation))),
        (GIVEN_NAME, plain & has_given),
    )
    for reason, is_so in checks:
        found[is_so & (found == None)] = reason  # noqa: E711 (an array of objects)
    return found


def _find_words(flat: pa.Array, known: KnownNames) -> tuple[Flags, Flags]:
    """Tell which names have a given name that is a person's, and which a word of an organisation's.

    JOHN SMITH has one, VICTORIA HOTEL and ST JOHNS CHURCH have not: a given name counts if no word of an organisation
    stands in the name, or if it comes first and the next word is no such word. What follows SAINT is a saint.
    """
    rows, place, words = split_words(flat)
    is_organisation = are_in(words, ORGANISATION_WORDS | PLACE_WORDS)
    is_given = are_in(words, known.given - PLACE_WORDS)
    is_given[1:] &= ~(are_in(words[:-1], frozenset({"ST", "SAINT", "STS"})) & (place[1:] > 0))
    leads = (place == 0) | ((place == 1) & np.append(False, words[:-1] == "THE"))
    next_organisation = np.append(is_organisation[1:] & (place[1:] > 0), False)
    has_organisation = np.bincount(rows, weights=is_organisation, minlength=len(flat)) > 0
    has_given = np.bincount(rows, weights=is_given, minlength=len(flat)) > 0
    leading = np.bincount(rows, weights=is_given & leads & ~next_organisation, minlength=len(flat)) > 0
    return (has_given & ~has_organisation) | leading, has_organisation


def check_columns(frame: pd.DataFrame, columns: list[str], what: str) -> None:
    """Raise a CheckError unless a frame has these columns."""
    if absent := [name for name in columns if name not in frame.columns]:
        raise CheckError(f"{what}: no column {', '.join(absent)}.")
