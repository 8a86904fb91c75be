"""What shows that a name is an organisation's: its wording, or a live entry of a register."""

import re
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from councilbook.business_rates.names.person_words import (
    ASSOCIATION_WORDS,
    FORM,
    LETTER_FORMS,
    NO_NAMES,
    ORGANISATION_WORDS,
    PLACE_WORDS,
    SAME_FORM,
    KnownNames,
    read_public_bodies,
)
from councilbook.business_rates.names.wording import (
    BESIDE,
    LEGAL_FORM,
    NO_EVIDENCE,
    PUBLIC_BODY,
    Flags,
    Names,
    Texts,
    are_in,
    check_columns,
    flatten_names,
    match_names,
    prepare_names,
    split_words,
)
from councilbook.errors import CheckError

REGISTERS = ("companies_house", "oscr", "charity_commission")  # the others hold trading names of people
BEGINNING = 4  # letters, by which five million names are sifted
CHARITY_REGISTERS = ("oscr", "charity_commission")

_ANY_FORM = rf"(?i)\b(?:{FORM})\b"
_LETTERS_ONLY = rf"^(?:{'|'.join(LETTER_FORMS)})$".replace(r"\.", "")

_ENDING = re.compile(rf"(?:^| )(?:{FORM})$")
_RELATIONS = r" (?:TO|FOR|AT|FROM|BY|PER|VIA|AS|WHO|CLERK|CHAIR|CHAIRMAN|SECRETARY|TREASURER|WARDEN|CARETAKER) "
_JOINING = frozenset("& OR PLUS OF FOR AT BY FROM WITH PER VIA IN WHO AS N AL NOW WAS EX NOT LET TRADING".split())  # noqa: SIM905
_JOINS = rf" (?:{'|'.join(sorted(_JOINING))}) "
_COMPANY_STYLE = re.compile(r"(?:SONS?|CO|COMPANY|BROS|BROTHERS|DAUGHTERS?|PARTNERS|ASSOCIATES|DISTRICT)")
_SEPARATORS = r"[,;:/\\|*=@<>~#^_{}\x22+–—]|- | -|\b(?:T A|TA|TAS|DBA)\b|\bNOT$"
_SURNAME_FIRST = r"^(?:[A-Z-]+ ){0,3}[A-Z-]{2,} (?:[A-Z] ){1,3}[A-Z-]{2,} [A-Z-]{2,}"
_HARMLESS_SEPARATORS = r",$|\b(CO|COMPANY) ?,|([0-9]) ?/ ?([0-9])"


def weigh_wording(names: Names, known: KnownNames, register: pd.DataFrame | None = None) -> tuple[Texts, Texts]:
    """Return the reason and the released part by wording: a legal form, or a public body.

    A legal form, or a kind of school, does not count where a person's name may run into it, unless a live company has
    the whole of the name.
    """
    size = len(names.flat)
    reason = np.full(size, NO_EVIDENCE, dtype=object)
    released = np.full(size, None, dtype=object)
    has_form = pc.is_valid(names.legal).to_numpy(zero_copy_only=False)
    reads_alone, run_on = _read_as_one_company(names, known)
    reads_alone[run_on] &= _find_companies(pc.filter(names.flat, pa.array(run_on)), register)
    reason[match_names(names.shown, _ANY_FORM)] = BESIDE
    form = has_form & reads_alone
    reason[form] = LEGAL_FORM
    released[form] = np.asarray(pc.struct_field(names.legal, "legal").to_pylist(), dtype=object)[form]
    listed, open_ended = read_public_bodies()
    run_on = match_names(names.flat, "SCHOOL|ACADEM")
    schools = pc.filter(names.flat, pa.array(run_on))
    leads = _find_leads(*split_words(schools), len(schools), known) > 0
    run_on[run_on] = leads & ~_find_companies(schools, register)
    beside = form | run_on | match_names(names.flat, _RELATIONS)
    for pattern, ruled_out in ((listed, form), (open_ended, beside)):
        for row in np.flatnonzero(~ruled_out & match_names(names.flat, pattern)):
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
        if str(flatten_names(pa.array([shown[:end]]))[0].as_py()).rstrip(" ,:;-(") == match[0].rstrip(" ,:;-("):
            return shown[:end].rstrip(" ,:;-(")
    return None


def _read_as_one_company(names: Names, known: KnownNames) -> tuple[Flags, Flags]:
    """Tell of names with a legal form whether what stands before it is one company's name, and of which a register has
    to say so, as it begins with what may be a person's name and goes on as a company's.

    Not so if another form stands there, if marks, lines or columns divide it, if words on the left of "&", "of" or the
    like may be a whole person's name (two or more, none of them of a trade), or if a surname could have the form as its
    initials.
    """
    head = flatten_names(pc.struct_field(names.legal, "head"))
    form = pc.replace_substring_regex(pc.utf8_upper(pc.struct_field(names.legal, "form")), r"\.", "")
    bare = pc.utf8_trim_whitespace(pc.replace_substring_regex(head, _HARMLESS_SEPARATORS, r"\1 \2 \3"))
    divided = names.broken | match_names(bare, _SEPARATORS) | match_names(head, rf"{_ANY_FORM}|^\(") | _unbalanced(head)
    rows, _, words = split_words(head)
    is_known = are_in(words, known.any | {"VAN", "DE", "DI", "DA", "MC", "MAC", "LE", "LA", "AL", "EL", "BIN", "O"})
    size = np.bincount(rows, minlength=len(head))
    all_known = np.bincount(rows, weights=~is_known, minlength=len(head)) == 0
    like_initials = match_names(form, _LETTERS_ONLY) & (size <= 1) & all_known
    joined = np.flatnonzero(match_names(head, _JOINS))
    beside = match_names(head, _SURNAME_FIRST) & ~match_names(head, "&")
    beside[joined] |= np.array([_may_name_a_person(head[row].as_py()) for row in joined], dtype=bool)
    run_on = _begin_with_a_person(pc.replace_substring_regex(head, r"\([^)]*\)", " "), known)
    one: Flags = ~(divided | like_initials | beside)
    return one, one & run_on


def _begin_with_a_person(head: pa.Array, known: KnownNames) -> Flags:
    """Tell which heads begin with what may be a person's name, and go on with what may be a whole company's.

    A name is two words that are no plain words, or initials with one: JOHN SMITH BLUE BAKERY, J SMITH BLUE BAKERY and
    SMITH J BLUE BAKERY are taken for two, whether or not anybody knows the words; JOHN SMITH BAKERY and JOHN SMITH
    ROOFING SERVICES for one, as their rest is but a trade. So is what goes on with "&", as SMITH JONES & CO does.
    """
    size = len(head)
    rows, place, words = split_words(head)
    lead = _find_leads(rows, place, words, size, known)
    of_trade = are_in(words, ORGANISATION_WORDS | PLACE_WORDS | {"&", "CO", "SON", "SONS", "BROS", "UK", "GB"})
    after = (place >= lead[rows]) & (lead[rows] > 0)
    rest = np.bincount(rows, weights=after, minlength=size)
    own = np.bincount(rows, weights=after & ~of_trade, minlength=size)
    goes_on = are_in(words, frozenset("&")) & (place == lead[rows])
    joined = np.bincount(rows, weights=goes_on, minlength=size) > 0
    answer: Flags = (rest > 1) & (own > 0) & ~joined
    return answer


def _find_leads(
    rows: NDArray[np.int64], place: NDArray[np.int64], words: Texts, size: int, known: KnownNames
) -> NDArray[np.int64]:
    """Count the words that may be a person's whole name, at the beginning of each text; 0 if there are none."""
    letters = pc.utf8_length(pa.array(words, pa.string())).to_numpy(zero_copy_only=False)
    plain = are_in(words, NO_NAMES | (_read_place_names() - known.any))
    is_name = ~plain & (letters > 1) & ~match_names(pa.array(words, pa.string()), "[0-9&]")
    is_initial = (letters == 1) & ~are_in(words, frozenset("&"))

    def at(flags: Flags, where: int) -> Flags:
        found: Flags = np.bincount(rows, weights=flags & (place == where), minlength=size) > 0
        return found

    first, second, third = (at(is_name, where) for where in range(3))
    begin, then = at(is_initial, 0), at(is_initial, 1)
    return np.select([(first & (second | then)) | (begin & second), begin & then & third], [2, 3], 0)


@lru_cache
def _read_place_names() -> frozenset[str]:
    return frozenset(re.findall(r"[A-Z]{2,}", read_public_bodies()[0]))


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


def find_entries(
    references: pd.Series,
    codes: NDArray[np.int64],
    names: Names,
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
    check_columns(register, ["unique_id", "register", "name", "status"], "The register")
    check_columns(links, ["property_reference", "register", "unique_id", "match_probability"], "The links")
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
    theirs = _canonicalise(prepare_names(pairs["name"]).flat)
    is_charity = pairs["register"].isin(CHARITY_REGISTERS)
    agree = [_agree(*each, known) for each in zip(ours, theirs, is_charity, strict=True)]
    found[pairs["code"].to_numpy()[np.array(agree, dtype=bool)]] = True
    return found


def _find_companies(flat: pa.Array, register: pd.DataFrame | None) -> Flags:
    """Tell which names are, from the first word to the last, those of live companies, wherever these are."""
    if register is None or not len(flat):
        return np.zeros(len(flat), dtype=bool)
    ours = _canonicalise(flat)
    companies = register[(register["register"] == REGISTERS[0]) & (register["status"].str.lower() == "live")]
    theirs = set(_canonicalise(prepare_names(_sift(companies, ours)["name"]).flat))
    return np.array([name in theirs for name in ours], dtype=bool)


def _sift(register: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Leave of a register those entries that begin as one of these names does, or with THE."""
    begins = {name[:BEGINNING] for name in names} | {"THE "}
    return register[register["name"].astype("str").str[:BEGINNING].str.upper().isin(begins)]


def link_by_name(names: pd.Series, register: pd.DataFrame) -> pd.DataFrame:
    """Link names to the entries of a register that have the same words, with a legal form after them or without.

    Args:
        names: names, by what is to be their property_reference.
        register: as for `persons.classify_parties`.

    Returns:
        Links, as for `persons.classify_parties`, each of probability 1.
    """
    ours = pd.Series(_canonicalise(prepare_names(names).flat), index=names.index, name="key")
    some = _sift(register[register["register"].isin(REGISTERS)], ours.tolist())
    theirs = [_ENDING.sub("", name) for name in _canonicalise(prepare_names(some["name"]).flat)]
    entries = some[["register", "unique_id"]].assign(key=theirs)
    bare = ours.map(lambda name: _ENDING.sub("", name)).rename_axis("property_reference").reset_index()
    return bare.merge(entries, on="key").drop(columns="key").assign(match_probability=1.0)


def canonicalise_names(names: pd.Series) -> pd.Series:
    """Write names so that two ways to write one are the same: capitals, no THE, one word for each legal form."""
    codes, distinct = pd.factorize(names.astype("str"))
    return pd.Series(np.array(_canonicalise(prepare_names(distinct).flat), dtype=object)[codes], index=names.index)


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
