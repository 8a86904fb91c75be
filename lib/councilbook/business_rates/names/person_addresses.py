"""May the address of a property be published, and how much of it?

A rating list is open to all, and the address of a property is in it. But an address can say who somebody is, by a line
with a person's name, or where somebody lives, if the property is a home as well. A ratepayer's own address, to which
bills are sent, is never published: nothing here returns it.

Sources:
    Local Government Finance Act 1988, section 66, on what is domestic property, and when self-catering and bed and
    breakfast in somebody's home are not. Local Government Finance Act 1988, schedule 9, and Lands Valuation (Scotland)
    Act 1854: lists and rolls are open to inspection.
"""

import re
from typing import NamedTuple

import pandas as pd

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
from councilbook.business_rates.names.address_parts import PLAIN_WORDS, POSTCODE, ends_as_a_street, learn_lines
from councilbook.business_rates.names.evidence import link_by_name
from councilbook.business_rates.names.person_words import FORM, KnownNames, fold_letters, read_known_names, read_words
from councilbook.business_rates.names.persons import ORGANISATION, classify_parties

# properties that people let or live in, by description and by address
HOME_DESCRIPTIONS = (
    r"SELF.?CATERING|HOLIDAY (?:UNIT|HOME|LET|COTTAGE|CHALET|FLAT|ACCOMMODATION)|BED (?:AND|&) BREAKFAST|\bB ?& ?B\b"
    r"|GUEST ?HOUSE|BOARDING HOUSE|APARTMENT|LODGING|SHORT.TERM LET|\bFLATS?\b|DWELLING|DOMESTIC|CROFT\b"
    r"|RESIDENTIAL (?!HOME|HOSTEL|COLLEGE)|LIVING ACCOMMODATION|CHILD ?MIND|CARETAKER|\bMOORINGS?\b|HOUSEBOAT"
    r"|\b(?:AT|IN|OF) (?:A |THE )?(?:HOUSE|HOME|BUNGALOW|COTTAGE)\b|^HOUSE (?:AND|&) |^(?:COTTAGE|BUNGALOW|CHALET)\b"
)
HOME_ADDRESSES = (
    r"(?:^|, ?)(?:[^,]* )?(?:FLATS?|APARTMENT|APT|BUNGALOW|BEDSIT|MAISONETTE|GRANNY ANNEXE?)\b"
    r"(?! (?:LANE|ROAD|STREET|MILLS?|CAP|IRON|TOP))"
)
NAMED_PROPERTIES = (  # that have a name of their own, hardly ever their owner's
    r"PUBLIC HOUSE|\bPUB\b|\bINN\b|HOTEL|\bCLUB|SCHOOL|COLLEGE|ACADEMY|UNIVERSITY|HOSPICE|HOSPITAL|MUSEUM|GALLERY"
    r"|CHURCH|CHAPEL|MOSQUE|TEMPLE|LIBRARY|THEATRE|CINEMA|\bHALL\b|CENTRE|NURSERY|(?:RESIDENTIAL|CARE|NURSING) HOME"
    r"|SPORTS|COMMUNICATION STATION|TELECOM|\bMAST\b|ADVERTIS|\bATM\b"
)
_SIGNED = r"PUBLIC HOUSE|\bPUB\b|\bINN\b|SCHOOL|MUSEUM|GALLERY"  # of these, those with a sign over the door
_SECTOR = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d(?=[A-Z]{2}\b|$)")
MOST_BEFORE_A_FORM = 2  # words that nobody knows
LEAST_BEFORE_A_TOWN = 2  # lines, as a number and a street
_COMPANY = re.compile(rf"\b(?:{FORM}|COUNCIL|NHS)\b")
_NUMBER = re.compile(r"\d")
_WORD = re.compile("[A-Z]+")


def find_home_addresses(roll: pd.DataFrame, parties: pd.DataFrame) -> "pd.Series[bool]":
    """Tell in which properties somebody may live.

    So it is if the description says so (self-catering, bed and breakfast, a studio at a house), if the address has a
    flat or the like in it, or if a ratepayer whose name is withheld gets letters at the property itself.

    Args:
        roll: address; description and ratepayer_address where there are such.
        parties: party, for the same rows.
    """
    texts = {name: _read_upper(roll, name) for name in ("address", "description", "ratepayer_address")}
    described = texts["description"].str.contains(HOME_DESCRIPTIONS, regex=True)
    addressed = texts["address"].str.contains(HOME_ADDRESSES, regex=True)
    here, letters = (texts[name].str.replace("[^A-Z0-9]+", "", regex=True) for name in ("address", "ratepayer_address"))
    withheld = (parties["party"] != ORGANISATION).to_numpy()
    return (described | addressed | ((here != "") & (here == letters) & withheld)).astype(bool)


def redact_roll(roll: pd.DataFrame, parties: pd.DataFrame, register: pd.DataFrame | None = None) -> pd.Series:
    """Take out of the addresses of a roll what may name a person, see `redact_addresses`.

    Args:
        roll: address, and postcode and description where there are such.
        parties: released_name, for the same rows.
        register: companies and charities, as for `persons.classify_parties`; None: no register at hand.
    """
    columns = {name: roll[name] for name in ("postcode", "description") if name in roll.columns}
    owners = pd.Series(parties["released_name"].to_numpy(), index=roll.index, dtype="str")
    return redact_addresses(
        roll["address"],
        postcodes=columns.get("postcode"),
        descriptions=columns.get("description"),
        organisations=owners,
        register=register,
    )


def redact_addresses(
    addresses: pd.Series,
    known: KnownNames | None = None,
    *,
    postcodes: pd.Series | None = None,
    descriptions: pd.Series | None = None,
    organisations: pd.Series | None = None,
    register: pd.DataFrame | None = None,
) -> pd.Series:
    """Take out of addresses what may name a person.

    What stays of a line is what the roll, or its words, say that it is: a number, a street, a building, a place or an
    organisation; see `address_lines`. What is none of these goes, unless the ratepayer is an organisation whose name is
    released and nothing speaks for a person, or it is the name of a house in a street without numbers.

    Args:
        addresses: lines divided by commas; NA where there is none.
        known: names of people, which only ever speak against a line; those of `read_known_names` unless given.
        postcodes: of the properties; the end of the address stands in for it.
        descriptions: what each property is; a pub, a school or the like has a name of its own.
        organisations: the ratepayer's name where it is released, else NA.
        register: companies and charities, whose names are known wherever they stand.

    Returns:
        The rest of each address, NA if nothing is left, on the same index.
    """
    names = known or read_known_names()
    told = addresses.dropna().astype("str")
    split = [[line.strip() for line in re.split(r"[,\n\r]", text)] for text in told]
    learnt = learn_lines(split, _find_areas(split, postcodes, told.index))
    owners = [None] * len(told) if organisations is None else organisations[told.index].tolist()
    judged = {line: find_unknown(line, learnt, names) for line in {line for lines in split for line in lines}}
    likely = [line for line, parts in judged.items() if parts and not _begins_with_a_person(line, parts)]
    for line in _find_organisations(likely, names, register):
        judged[line] = []
    rest = []
    described = told if descriptions is None else descriptions[told.index].fillna(told)
    named = _find_named(described).tolist()
    signed = described.str.upper().str.contains(_SIGNED).tolist()
    for lines, owner, is_named, has_sign in zip(split, owners, named, signed, strict=True):
        parts = [judged[line] for line in lines]
        if has_sign and lines:
            parts[0] = [part for part in parts[0] if not _is_sign(part, lines[0])]
        rest.append(_redact_lines(lines, parts, "" if pd.isna(owner) else str(owner), is_named))
    redacted = addresses.astype("str").copy()
    touched = [text is not None for text in rest]
    redacted[told.index[touched]] = pd.array([text or None for text in rest if text is not None], dtype="str")
    return redacted


def _begins_with_a_person(line: str, parts: list[Part]) -> bool:
    """Whether somebody may stand before an organisation: Smith's Garage Blue Bakery Ltd, John Smith Bluebakers Ltd."""
    if any(part.kind == MARK and part.end < len(line.rstrip(" .)")) for part in parts):
        return True
    most = max(len([word for word in part.words if not re.fullmatch(FORM, word)]) for part in parts)
    return most > MOST_BEFORE_A_FORM and bool(_COMPANY.search(line.upper()))


def _find_organisations(lines: list[str], names: KnownNames, register: pd.DataFrame | None) -> list[str]:
    """Find which lines are names of companies, charities or public bodies, by the rule for names of ratepayers."""
    likely = sorted(line for line in lines if register is not None or _COMPANY.search(line.upper()))
    if not likely:
        return []
    roll = pd.DataFrame({"property_reference": likely, "ratepayer_name": pd.Series(likely, dtype="str")})
    links = None if register is None else link_by_name(roll.set_index("property_reference")["ratepayer_name"], register)
    released = classify_parties(roll, register, links, known=names)["released_name"]
    whole: list[str] = roll["ratepayer_name"][released.notna() & (released == roll["ratepayer_name"])].tolist()
    return whole


def _find_areas(split: list[list[str]], postcodes: pd.Series | None, index: pd.Index) -> list[str]:
    """Find the neighbourhood of each address: its postcode's sector, or else its last line."""
    given = [""] * len(split) if postcodes is None else postcodes[index].astype("str").fillna("").tolist()
    areas = []
    for lines, postcode in zip(split, given, strict=True):
        found = _SECTOR.search(postcode.upper()) or _SECTOR.search(lines[-1].upper())
        areas.append(found[0] if found else lines[-1].upper())
    return areas


def _find_named(descriptions: pd.Series) -> "pd.Series[bool]":
    """Tell which properties have names of their own, by their descriptions."""
    return descriptions.astype("str").str.upper().str.contains(NAMED_PROPERTIES, regex=True, na=False)


class _Around(NamedTuple):
    """What stands around a part of an address."""

    owned: frozenset[str]  # words of the ratepayer's name where it is released; empty if not
    nearby: frozenset[str]  # words of lines of the address that are known
    numbered: bool  # it has a number, so that no name of a house is needed
    has_street: bool  # another part is a street's
    is_named: bool  # the property is one that has a name of its own
    ends: bool  # it stands last, where the town is
    leads: bool = False  # it stands in the first line, and that ends in a plain word


def _redact_lines(lines: list[str], parts: list[list[Part]], owner: str, is_named: bool) -> str | None:
    """Return what stays of an address; None if all of it does."""
    if not any(parts):
        return None
    owned = frozenset(_WORD.findall(fold_letters(owner)))
    nearby = {word for line, some in zip(lines, parts, strict=True) if not some for word in _WORD.findall(line.upper())}
    numbered = any(_NUMBER.search(POSTCODE.sub("", line)) for line in lines)
    streets = [ends_as_a_street(line) for line in lines]
    told = [place for place, line in enumerate(lines) if POSTCODE.sub("", line).strip()]
    kept = []
    for place, (line, own) in enumerate(zip(lines, parts, strict=True)):
        ends = place == told[-1] and place >= LEAST_BEFORE_A_TOWN
        its_own = any(ends_as_a_street(line[part.begin : part.end]) for part in own)
        around = _Around(owned, frozenset(nearby), numbered, sum(streets) > its_own, is_named, ends)
        around = around._replace(leads=place == told[0] and PLAIN_WORDS.issuperset(_WORD.findall(line.upper())[-1:]))
        out = [part for part in own if _goes(part, around._replace(is_named=is_named and _is_first(part, line)))]
        kept.append(cut_out(line, out) if out else line)
    return None if kept == lines else ", ".join(line for line in kept if line)


def _is_first(part: Part, line: str) -> bool:
    """Whether no number and no street stands before a part in its line, so that it may be what the line is about."""
    return not _NUMBER.search(line[: part.begin]) and not ends_as_a_street(line[: part.begin])


def _is_sign(part: Part, line: str) -> bool:
    """Whether a part is a whole line and has a plain word, of no trade and no name, in it: Fenton Paintball Arena."""
    if part.kind != UNKNOWN or line[: part.begin].strip() or re.search("[A-Za-z]{2}", line[part.end :]):
        return False
    plain = PLAIN_WORDS - read_words("trades", "also_names", "also_surnames")
    return any(len(word) > 2 and word in plain for word in _WORD.findall(fold_letters(line[: part.end])))


def _goes(part: Part, around: _Around) -> bool:
    """Tell whether a part of an address goes."""
    if part.kind == MARK:
        return True
    if around.owned and (part.kind != PERSON or part.words <= around.owned):
        return False
    near = part.words & around.nearby if around.leads else ()  # Escrick & Deighton Village Hall, Main Street, Escrick
    of_place = (around.is_named and len(part.words) == 1) or part.words <= around.nearby or near
    if part.kind in (UNKNOWN, ONE_WORD, NAMED_AFTER) and of_place:
        return False
    return {
        ONE_WORD: around.numbered and not around.ends,
        NAMED_AFTER: not around.is_named,
        STREET_LIKE: around.has_street,
        HOUSE_LIKE: around.has_street and around.numbered and not around.is_named,
    }.get(part.kind, True)


def _read_upper(roll: pd.DataFrame, name: str) -> pd.Series:
    if name not in roll.columns:
        return pd.Series("", index=roll.index, dtype="str")
    return roll[name].astype("str").fillna("").str.strip().str.upper()
