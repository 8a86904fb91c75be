"""May the name of a ratepayer be published? Only if there is evidence that it is no person's.

Every name is withheld unless one of three things speaks for it: a live entry of a register that says the name and is
linked with high probability, the name of a public body, or the ending of a legal form that no person may trade under.
What speaks against a name (`find_suspicion`) can turn a release into a withholding, and never the other way.

Only the part of a name that the evidence is about is released: of "A LIMITED T/A B", "A LIMITED". A decision is about
the wording, so it is the same in every row that has it.

What it cannot see: a person's name that runs into a company's or a public body's without any mark between them, unless
it is a known one, reads as one organisation's (`person_trials.UNMARKED`).

Sources:
    `person_words` has the vocabularies and where each comes from.
    Scottish Information Commissioner, decision 082/2022, on why a council could not tell sole traders apart by hand.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from councilbook.business_rates.names.person_words import (
    ASSOCIATION_WORDS,
    FORM,
    LETTER_FORMS,
    ORGANISATION_WORDS,
    PLACE_WORDS,
    SAME_FORM,
    SOFT_TITLES,
    TITLES,
    KnownNames,
    fold_letters,
    read_known_names,
    read_public_bodies,
)
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.sources.checks import list_rows

Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

ORGANISATION, WITHHELD = "organisation", "withheld"
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
RELEASED = (LIVE_ENTRY, PUBLIC_BODY, LEGAL_FORM)
PARTY_COLUMNS = ["property_reference", "party", "reason", "released_name"]
REGISTERS = ("companies_house", "oscr", "charity_commission")  # the others hold trading names of people
CHARITY_REGISTERS = ("oscr", "charity_commission")
THRESHOLD = 0.99

_READABLE = (
    r"^[\x20-\x7E\x{A0}-\x{17F}\x{18F}\x{259}\x{1A0}\x{1A1}\x{1AF}\x{1B0}\x{218}-\x{21B}\x{1E00}-\x{1EF9}’‘–—€™]*$"
)
_END = r"(?:\s*[-–,]?\s*\(?\s*THE\s*\))?"
_TAIL = (
    r"[\s,.\-–(]*(?:(?:T\s?/\s?A(?:S)?\b|TRADING\s+AS\b|TA\b|(?:IN|UNDER)\s+(?:\w+\s+){0,3}(?:LIQ|ADMIN|RECEIVER)).*"
    r"|\([^()]*\)?)?"
)
_LEGAL = rf"(?is)^(?P<legal>(?P<head>.*?[\pL\pN)])(?:[\s,.]+\(?|\(|\b)(?P<form>{FORM})\b\.?\)?{_END}){_TAIL}\s*$"
_ANY_FORM = rf"(?i)\b(?:{FORM})\b"
_LETTERS_ONLY = rf"^(?:{'|'.join(LETTER_FORMS)})$".replace(r"\.", "")

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
_ENDING = re.compile(rf"(?:^| )(?:{FORM})$")
_NOT_A_NAME = r"^[^A-Z]*$|^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$"
_RELATIONS = r" (?:TO|FOR|AT|FROM|BY|PER|VIA|AS|WHO|CLERK|CHAIR|CHAIRMAN|SECRETARY|TREASURER|WARDEN|CARETAKER) "
_JOINING = frozenset("& OR PLUS OF FOR AT BY FROM WITH PER VIA IN WHO AS N AL NOW WAS EX NOT LET TRADING".split())  # noqa: SIM905
_JOINS = rf" (?:{'|'.join(sorted(_JOINING))}) "
_COMPANY_STYLE = re.compile(r"(?:SONS?|CO|COMPANY|BROS|BROTHERS|DAUGHTERS?|PARTNERS|ASSOCIATES|DISTRICT)")
_SEPARATORS = r"[,;:/\\|*=@<>~#^_{}\x22+–—]|- | -|\b(?:T A|TA|TAS|DBA)\b|\bNOT$"
_BROKEN = r"[\n\r\t\v\f\x{85}\x{2028}\x{2029}]|\S   +\S"  # columns or lines of a file, run into one
_SURNAME_FIRST = r"^(?:[A-Z-]+ ){0,3}[A-Z-]{2,} (?:[A-Z] ){1,3}[A-Z-]{2,} [A-Z-]{2,}"
_HARMLESS_SEPARATORS = r",$|\b(CO|COMPANY) ?,|([0-9]) ?/ ?([0-9])"


class _Names(NamedTuple):
    """Distinct names, prepared: as they would be shown, and for comparison."""

    shown: pa.Array
    flat: pa.Array
    legal: pa.StructArray  # legal, head and form, where the whole name reads as one company's
    broken: Flags  # lines or columns run into each other


# --- decisions ---


def classify_parties(
    roll: pd.DataFrame,
    register: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
    threshold: float = THRESHOLD,
    known: KnownNames | None = None,
) -> pd.DataFrame:
    """Decide for each row of the roll whether the ratepayer's name may be published, and say why.

    Args:
        roll: property_reference and ratepayer_name, a row a property.
        register: unique_id, register, name and status; only companies and charities count. None: no register at hand.
        links: property_reference, register, unique_id and match_probability, any number of rows a property.
        threshold: least probability of a link that counts.
        known: names of people that add suspicion; those of `read_known_names` unless given.

    Returns:
        property_reference, party (ORGANISATION or WITHHELD), reason (a key of REASONS) and released_name (NA if
        withheld), on the roll's index. released_name may be a part of the name in the roll, and never more.

    Raises:
        CheckError: a column is absent, the threshold is no probability, or only one of register and links is given.
    """
    _check_columns(roll, ["property_reference", "ratepayer_name"], "The roll")
    codes, distinct = pd.factorize(roll["ratepayer_name"].astype("str"))
    names = _prepare(distinct)
    known = known or read_known_names()
    suspicion = _suspect(names, known)
    reason, released = _weigh_wording(names, known)
    entries = _find_entries(roll["property_reference"], codes, names, register, links, threshold, known)
    reason[entries] = LIVE_ENTRY
    released[entries] = np.asarray(names.shown.to_pylist(), dtype=object)[entries]
    against = np.array([text is not None for text in suspicion], dtype=bool)
    reason[against], released[against] = suspicion[against], None
    nobody = np.array([NO_NAME, None], dtype=object)  # code -1: no name
    reason, released = np.append(reason, nobody[:1])[codes], np.append(released, nobody[1:])[codes]
    shown = pd.Series(released, index=roll.index, dtype="str")
    return pd.DataFrame(
        {
            "property_reference": roll["property_reference"],
            "party": np.where(shown.notna(), ORGANISATION, WITHHELD),
            "reason": pd.Series(reason, index=roll.index, dtype="str"),
            "released_name": shown,
        }
    )


def find_suspicion(names: pd.Series, known: KnownNames | None = None) -> pd.Series:
    """Find what speaks for a person in each name. It says nothing in favour of a release.

    Args:
        names: names of ratepayers, NA where there is none.
        known: names of people; those of `read_known_names` unless given.

    Returns:
        A key of REASONS, or NA where nothing was found, on the same index.
    """
    codes, distinct = pd.factorize(names.astype("str"))
    found = np.append(_suspect(_prepare(distinct), known or read_known_names()), np.array([None], dtype=object))
    return pd.Series(found[codes], index=names.index, dtype="str")


def check_released_names(
    roll: pd.DataFrame,
    parties: pd.DataFrame,
    register: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
    threshold: float = THRESHOLD,
) -> None:
    """Refuse parties of which a name is not justified: the last gate before anything is published.

    Every decision is made again, and what would be released is looked at by itself: it must stand in the roll's name,
    be free of suspicion, and not be withheld elsewhere.

    Args:
        roll, register, links, threshold: as for `classify_parties`.
        parties: what is to be published of whom.

    Raises:
        CheckError: the rows are not those of the roll, or a reason or a party is none of the vocabulary.
        ReleaseRefusedError: a name that must stay inside would be released; with rows by position, and no name.
    """
    _check_columns(parties, PARTY_COLUMNS, "The parties")
    if (
        not parties["property_reference"]
        .reset_index(drop=True)
        .equals(roll["property_reference"].reset_index(drop=True))
    ):
        raise CheckError("The parties must have the rows of the roll, in its order.")
    if not parties["reason"].isin(list(REASONS)).all() or not parties["party"].isin([ORGANISATION, WITHHELD]).all():
        raise CheckError("A party or a reason is none of the vocabulary of REASONS.")
    again = classify_parties(roll, register, links, threshold)
    shown = parties["released_name"].reset_index(drop=True)
    is_shown = shown.notna().to_numpy()
    inside = pd.Series(_prepare(roll["ratepayer_name"].astype("str").fillna("")).shown.to_pylist(), dtype="str")
    whole = np.array([text in name for text, name in zip(shown.fillna(""), inside, strict=True)], dtype=bool)
    withheld = set(inside[~is_shown])
    faults = {
        "is not what the evidence is about": is_shown
        & (shown != again["released_name"].reset_index(drop=True)).to_numpy(),
        "is not part of the roll's name": is_shown & ~whole,
        "has something of a person": is_shown & find_suspicion(shown).notna().to_numpy(),
        "is withheld in another row": is_shown & shown.isin(withheld).to_numpy(),
        "is marked as withheld": is_shown != (parties["party"] == ORGANISATION).to_numpy(),
        "has a reason to withhold it": is_shown != parties["reason"].isin(RELEASED).to_numpy(),
    }
    for fault, rows in faults.items():
        if rows.any():
            raise ReleaseRefusedError(f"A released name {fault} in {rows.sum()} rows (row {list_rows(rows)}, from 0).")


def count_parties(parties: pd.DataFrame) -> pd.DataFrame:
    """Count the rows by party and reason, for a page: party, reason, meaning (in words), properties, share_pct."""
    counts = parties.groupby(["party", "reason"], as_index=False).size().rename(columns={"size": "properties"})
    counts = counts.sort_values(["party", "properties"], ascending=[True, False], ignore_index=True)
    counts.insert(2, "meaning", counts["reason"].map(REASONS))
    return counts.assign(share_pct=100 * counts["properties"] / max(len(parties), 1))


# --- preparation ---


def _check_columns(frame: pd.DataFrame, columns: list[str], what: str) -> None:
    if absent := [name for name in columns if name not in frame.columns]:
        raise CheckError(f"{what}: no column {', '.join(absent)}.")


def _prepare(distinct: pd.Index | pd.Series) -> _Names:
    """Prepare names: as shown (compatible letters, single spaces, round brackets) and flat."""
    raw = pa.array(distinct, type=pa.large_string(), from_pandas=True)
    single = pc.replace_substring_regex(pc.utf8_normalize(raw, "NFKC"), r"\s+", " ")
    single = pc.replace_substring(pc.replace_substring(single, "[", "("), "]", ")")
    shown = pc.utf8_trim_whitespace(single)
    legal = pc.extract_regex(shown, _LEGAL)
    return _Names(shown, _flatten(shown), legal, _matches(raw, _BROKEN))


def _flatten(shown: pa.Array) -> pa.Array:
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


def _matches(texts: pa.Array, pattern: str) -> Flags:
    found: Flags = pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False)
    return found


def _split_words(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Texts]:
    """Split texts into words of letters and digits: row and place of each word, and the word."""
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(pc.fill_null(texts, ""), r"[^A-Z0-9&]+", " "))
    lists = pc.split_pattern(spaced, " ")
    rows = pc.list_parent_indices(lists).to_numpy()
    words = pc.list_flatten(lists).to_numpy(zero_copy_only=False)
    starts = np.searchsorted(rows, np.arange(len(texts)))
    return rows, np.arange(len(rows)) - starts[rows], words


def _are_in(words: Texts, vocabulary: frozenset[str]) -> Flags:
    values = pa.array(sorted(vocabulary), pa.string())
    known: Flags = pc.is_in(pa.array(words, pa.string()), value_set=values).to_numpy(zero_copy_only=False)
    return known


# --- suspicion ---


def _suspect(names: _Names, known: KnownNames) -> Texts:
    """Return what speaks for a person in each name, or None: the first that is found."""
    flat, has_form = names.flat, pc.is_valid(names.legal).to_numpy(zero_copy_only=False)
    has_form &= ~_matches(pc.struct_field(names.legal, "form"), "(?i)^HOUSING ASSOCIATION$")  # no law protects it alone
    before = pc.if_else(pa.array(has_form), _flatten(pc.struct_field(names.legal, "head")), flat)
    listed = _matches(flat, read_public_bodies()[0])
    found = np.full(len(flat), None, dtype=object)
    acts = pc.replace_substring_regex(flat, _CORPORATE_TRUSTEE, r"\1")
    has_given, has_organisation = _find_words(flat, known)
    plain = ~has_form & ~listed
    checks = (
        (STRANGE, ~_matches(names.shown, _READABLE)),
        (NO_NAME, _matches(flat, _NOT_A_NAME)),
        (ESTATE, _matches(flat, _DIED)),
        (CARE_OF, _matches(acts, _ACTS) & ~_matches(flat, r"^(?:THE )?SECRETARY OF STATE\b")),
        (TITLE, _matches(before, _HARD_TITLE) | (plain & _matches(flat, _SOFT_TITLE))),
        (TRADING_AS, _matches(before, _TRADING) | (~has_form & _matches(flat, _FAMILY))),
        (INITIALS, plain & (_matches(flat, _INITIALS) | (_matches(flat, _LAST_INITIALS) & ~has_organisation))),
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
    rows, place, words = _split_words(flat)
    is_organisation = _are_in(words, ORGANISATION_WORDS | PLACE_WORDS)
    is_given = _are_in(words, known.given - PLACE_WORDS)
    is_given[1:] &= ~(_are_in(words[:-1], frozenset({"ST", "SAINT", "STS"})) & (place[1:] > 0))
    leads = (place == 0) | ((place == 1) & np.append(False, words[:-1] == "THE"))
    next_organisation = np.append(is_organisation[1:] & (place[1:] > 0), False)
    has_organisation = np.bincount(rows, weights=is_organisation, minlength=len(flat)) > 0
    has_given = np.bincount(rows, weights=is_given, minlength=len(flat)) > 0
    leading = np.bincount(rows, weights=is_given & leads & ~next_organisation, minlength=len(flat)) > 0
    return (has_given & ~has_organisation) | leading, has_organisation


# --- evidence ---


def _weigh_wording(names: _Names, known: KnownNames) -> tuple[Texts, Texts]:
    """Return the reason and the released part by wording alone: a legal form, or a public body."""
    size = len(names.flat)
    reason = np.full(size, NO_EVIDENCE, dtype=object)
    released = np.full(size, None, dtype=object)
    has_form = pc.is_valid(names.legal).to_numpy(zero_copy_only=False)
    reads_alone = _read_as_one_company(names, known)
    reason[_matches(names.shown, _ANY_FORM)] = BESIDE
    form = has_form & reads_alone
    reason[form] = LEGAL_FORM
    released[form] = np.asarray(pc.struct_field(names.legal, "legal").to_pylist(), dtype=object)[form]
    listed, open_ended = read_public_bodies()
    for pattern, ruled_out in ((listed, form), (open_ended, form | _matches(names.flat, _RELATIONS))):
        for row in np.flatnonzero(~ruled_out & _matches(names.flat, pattern)):
            if body := _cut_body(names.shown[row].as_py(), re.match(pattern, names.flat[row].as_py())):
                reason[row], released[row] = PUBLIC_BODY, body
    return reason, released


def _cut_body(shown: str, match: re.Match[str] | None) -> str | None:
    """Cut a name after the body that was matched in its flat form; None if the cut falls within a word."""
    if match is None:
        return None
    if match.end() == len(match.string):
        return shown
    ends = [place.end() for place in re.finditer(r"\S+", shown)]
    for end in ends:
        if str(_flatten(pa.array([shown[:end]]))[0].as_py()).rstrip(" ,:;-(") == match[0].rstrip(" ,:;-("):
            return shown[:end].rstrip(" ,:;-(")
    return None


def _read_as_one_company(names: _Names, known: KnownNames) -> Flags:
    """Tell of names with a legal form whether what stands before it is one company's name.

    Not so if another form stands there, if marks, lines or columns divide it, if words on the left of "&", "of" or the
    like may be a whole person's name (two or more, none of them of a trade), if it begins with a person's name and goes
    on as a company's, or if a surname could have the form as its initials.
    """
    head = _flatten(pc.struct_field(names.legal, "head"))
    form = pc.replace_substring_regex(pc.utf8_upper(pc.struct_field(names.legal, "form")), r"\.", "")
    bare = pc.utf8_trim_whitespace(pc.replace_substring_regex(head, _HARMLESS_SEPARATORS, r"\1 \2 \3"))
    divided = names.broken | _matches(bare, _SEPARATORS) | _matches(head, _ANY_FORM) | _unbalanced(head)
    rows, place, words = _split_words(head)
    is_known = _are_in(words, known.any | {"VAN", "DE", "DI", "DA", "MC", "MAC", "LE", "LA", "AL", "EL", "BIN", "O"})
    size = np.bincount(rows, minlength=len(head))
    all_known = np.bincount(rows, weights=~is_known, minlength=len(head)) == 0
    like_initials = _matches(form, _LETTERS_ONLY) & (size <= 1) & all_known
    joined = np.flatnonzero(_matches(head, _JOINS))
    beside = _matches(head, _SURNAME_FIRST) & ~_matches(head, "&")
    beside[joined] |= np.array([_may_name_a_person(head[row].as_py()) for row in joined], dtype=bool)
    run_on = _begin_with_a_person(head, rows, place, words, known)
    one: Flags = ~(divided | like_initials | beside | run_on)
    return one


def _begin_with_a_person(
    head: pa.Array, rows: NDArray[np.int64], place: NDArray[np.int64], words: Texts, known: KnownNames
) -> Flags:
    """Tell which heads are a known given name, a known surname, and what may be a whole name of a company's.

    JOHN SMITH BLUE BAKERY is taken for two, JOHN SMITH BAKERY and JOHN SMITH ROOFING SERVICES for one: their rest is
    but a trade.
    """
    given = (place == 0) & _are_in(words, known.given)
    surname = (place == 1) & _are_in(words, known.any)
    of_trade = _are_in(words, ORGANISATION_WORDS | PLACE_WORDS | {"&", "CO", "SON", "SONS", "BROS", "UK", "GB"})
    counted = [
        np.bincount(rows, weights=some, minlength=len(head)) for some in (given | surname, ~of_trade & (place > 1))
    ]
    size = np.bincount(rows, minlength=len(head))
    plain = ~_matches(head, r"[&(]")
    answer: Flags = (counted[0] == 2) & (counted[1] > 0) & (size > 3) & plain
    return answer


def _unbalanced(head: pa.Array) -> Flags:
    opened, closed = pc.count_substring(head, "("), pc.count_substring(head, ")")
    answer: Flags = pc.fill_null(pc.greater(opened, closed), False).to_numpy(zero_copy_only=False)
    return answer


def _may_name_a_person(head: str) -> bool:
    """Tell whether a part before a joining word may be a whole person's name, with no trade in it."""
    words = re.sub(r"[()]", " ", head).removeprefix("THE ").split()
    begin = 0
    for place, (word, following) in enumerate(pairwise(words)):
        if word not in _JOINING:
            continue
        part = words[begin:place]
        whole = len(part) > 1 and not all(len(each) == 1 for each in part)
        if whole and not _COMPANY_STYLE.fullmatch(following) and not ORGANISATION_WORDS.intersection(part):
            return True
        if word != "N":  # it is an initial as well
            begin = place + 1
    return False


def _find_entries(
    references: pd.Series,
    codes: NDArray[np.int64],
    names: _Names,
    register: pd.DataFrame | None,
    links: pd.DataFrame | None,
    threshold: float,
    known: KnownNames,
) -> Flags:
    """Tell which distinct names a live entry says that is linked to one of their rows."""
    found: Flags = np.zeros(len(names.flat), dtype=bool)
    if not 0 < threshold <= 1:
        raise CheckError(f"threshold is a probability above 0, not {threshold}.")
    if (register is None) != (links is None):
        raise CheckError("Links and the register that they lead to go together: give both or neither.")
    if register is None or links is None:
        return found
    _check_columns(register, ["unique_id", "register", "name", "status"], "The register")
    _check_columns(links, ["property_reference", "register", "unique_id", "match_probability"], "The links")
    sure = links[(links["match_probability"] >= threshold) & links["register"].isin(REGISTERS)]
    live = register[(register["status"].astype("str").str.lower() == "live") & register["name"].notna()]
    pairs = sure[["property_reference", "register", "unique_id"]].merge(
        live[["register", "unique_id", "name"]], on=["register", "unique_id"]
    )
    rows = pd.DataFrame({"property_reference": references.to_numpy(), "code": codes})
    pairs = pairs.merge(rows[rows["code"] >= 0], on="property_reference").drop_duplicates(["code", "register", "name"])
    if pairs.empty:
        return found
    ours = _canonicalise(pc.take(names.flat, pa.array(pairs["code"])))
    theirs = _canonicalise(_prepare(pairs["name"]).flat)
    is_charity = pairs["register"].isin(CHARITY_REGISTERS)
    agree = [_agree(*each, known) for each in zip(ours, theirs, is_charity, strict=True)]
    found[pairs["code"].to_numpy()[np.array(agree, dtype=bool)]] = True
    return found


def canonicalise_names(names: pd.Series) -> pd.Series:
    """Write names so that two ways to write one are the same: capitals, no THE, one word for each legal form."""
    codes, distinct = pd.factorize(names.astype("str"))
    return pd.Series(np.array(_canonicalise(_prepare(distinct).flat), dtype=object)[codes], index=names.index)


def _canonicalise(flat: pa.Array) -> list[str]:
    """Return names for comparison: letters and digits, no THE, and one word for each legal form."""
    plain = pc.replace_substring_regex(flat, r"[^A-Z0-9&]+", " ")
    plain = pc.replace_substring_regex(plain, r"\b(?:THE|UK)\b", " ")
    texts = [" ".join(text.split()) for text in plain.to_pylist()]
    forms = re.compile(rf"\b(?:{'|'.join(SAME_FORM)})$")
    return [forms.sub(lambda match: SAME_FORM[match[0]], text) for text in texts]


def _agree(ours: str, theirs: str, is_charity: bool, known: KnownNames) -> bool:
    """Tell whether a register's name is the ratepayer's, and cannot be that of a person beside a company.

    The same words with a legal form agree. Without one, a company's must say what kind of association it is, and a
    charity's must not be all names. If only the form is missing, every word must be of a trade, so that no person's
    name, nor a part of it, is ever released because a company bears it.
    """
    words = ours.split()
    if ours == theirs:
        if _ENDING.search(ours) or ASSOCIATION_WORDS.intersection(words):
            return True
        trades = ORGANISATION_WORDS.intersection(words)
        return is_charity and bool(trades or len(words) == 1 or not known.any.intersection(words))
    return ours == _ENDING.sub("", theirs) and all(word in ORGANISATION_WORDS | PLACE_WORDS | {"&"} for word in words)
