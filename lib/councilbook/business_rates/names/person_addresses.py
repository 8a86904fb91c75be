"""May the address of a property be published, and how much of it?

A rating list is open to all, and the address of a property is in it. But an address can say who somebody is, by a line
with a person's name, or where somebody lives, if the property is a home as well. A ratepayer's own address, to which
bills are sent, is never published: nothing here returns it.

Sources:
    Local Government Finance Act 1988, section 66, on what is domestic property, and when self-catering and bed and
    breakfast in somebody's home are not. Local Government Finance Act 1988, schedule 9, and Lands Valuation (Scotland)
    Act 1854: lists and rolls are open to inspection.
"""

import numpy as np
import pandas as pd

from councilbook.business_rates.names.person_words import (
    BUILDING_WORDS,
    ORGANISATION_WORDS,
    PLACE_WORDS,
    TITLES,
    KnownNames,
    fold_letters,
    read_known_names,
)
from councilbook.business_rates.names.persons import ORGANISATION

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
_STREET = (
    r"\b(?:STREET|ST|ROAD|RD|LANE|LN|AVENUE|AVE|CLOSE|DRIVE|WAY|COURT|GARDENS|TERRACE|PLACE|CRESCENT|GROVE|SQUARE|ROW"
    r"|WYND|BRAE|LOAN|HILL|WALK|MEWS|PARADE)\.?$"
)
_CARE = (
    r"\bC ?[/\\] ?[O0]\b|\bCARE OF\b|\bFAO\b|\bATTN?\b|\bEXEC(?:UTORS?|UTRIX|ORS?|S)? OF\b"
    r"|\bTHE LATE (?!SHOP|BAR|LOUNGE)|^T ?/ ?A\b|\bTRADING AS\b"
)
_TITLED = rf"(?:^|[ (&])(?:{'|'.join(TITLES)})\.? +[A-Z]"
_INITIALLED = r"^[A-Z](?:[. &]+[A-Z]){0,3}[. &]+[A-Z-]{3,}$"
MOST_OF_A_PERSON = 2  # properties that have the same person's name in their address
MOST_WORDS = 4  # of a person's name, initials among them


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


def redact_addresses(addresses: pd.Series, known: KnownNames | None = None) -> pd.Series:
    """Take the lines out of addresses that name, or may name, a person.

    A line, from comma to comma, goes if it says care of, the late or T/A, if it has a title with a word after it and is
    no street, or if it is all names: a given name or initials, and a surname that is no building's. The name over a
    shop's door goes with the rest, if it is a person's. A line of names that several properties share is a place's.

    Args:
        addresses: lines divided by commas; NA where there is none.
        known: names of people; those of `read_known_names` unless given.

    Returns:
        The rest of each address, NA if nothing is left, on the same index.
    """
    names = known or read_known_names()
    lines = addresses.dropna().str.split(",").explode().str.strip()
    codes, distinct = pd.factorize(lines)
    flat = pd.Series([fold_letters(line).replace("'", "").replace("’", "") for line in distinct], dtype="str")
    is_place = np.bincount(codes, minlength=len(distinct)) > MOST_OF_A_PERSON
    goes = flat.str.contains(_CARE, regex=True) | (_find_names(flat, names) & ~is_place)
    goes |= flat.str.contains(_TITLED, regex=True) & ~flat.str.contains(_STREET, regex=True)
    out = goes.to_numpy(dtype=bool)[codes]
    touched = lines.index[out].unique()
    rest = lines[~out & (lines != "").to_numpy() & lines.index.isin(touched)]
    redacted = addresses.astype("str").copy()
    redacted[touched] = rest.groupby(level=0).agg(", ".join).reindex(touched)
    return redacted


def _find_names(flat: pd.Series, known: KnownNames) -> "pd.Series[bool]":
    """Tell which lines are all names of one person, or a surname with initials; none with a digit is."""
    not_people = ORGANISATION_WORDS | PLACE_WORDS | BUILDING_WORDS
    given = known.given - {"THE", "CAR", "NEW", "OLD"}  # somewhere they are given names
    initialled = flat.str.contains(_INITIALLED, regex=True)
    words = flat.str.findall("[A-Z]+")
    answer = []
    for line, initial, digits in zip(words, initialled, flat.str.contains("[0-9]"), strict=True):
        if digits or not 2 <= len(line) <= MOST_WORDS:
            answer.append(False)
        elif initial:
            answer.append(line[-1] in known.any and line[-1] not in not_people)
        else:
            answer.append(line[0] in given and line[-1] in known.any and not not_people.intersection(line))
    return pd.Series(answer, index=flat.index, dtype="bool")


def _read_upper(roll: pd.DataFrame, name: str) -> pd.Series:
    if name not in roll.columns:
        return pd.Series("", index=roll.index, dtype="str")
    return roll[name].astype("str").fillna("").str.strip().str.upper()
