"""Which names of ratepayers are no names: a word or two in the place of all names that a council may not give.

Read as a name, it makes one business of thousands of properties, and reliefs for small businesses look wrong. It is
told by its words (`placeholder` and `placeholder_filler` of `words.yaml`), or by standing on an outsized share of the
rows at unrelated places, with nothing that shows an organisation. A council, a hospital trust or a telecoms company
with many sites is named in words that show what it is.
"""

import re

import pandas as pd

from councilbook.business_rates.names.person_words import ORGANISATION_WORDS, PLACE_WORDS, fold_letters, read_words
from councilbook.business_rates.names.persons import classify_parties

LEAST_SHARE = 0.1  # of the rows with a name; the largest council found has a twentieth of its own roll
FEWEST_ROWS = 20
FEWEST_PLACES = 10
LEAST_WORDS = 2  # of a placeholder that no list knows; one word may be an authority's initials
_WORD = re.compile(r"[A-Z0-9]+")


def find_placeholders(roll: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows have a placeholder where a ratepayer's name should be.

    Args:
        roll: ratepayer_name and address.

    Returns:
        True for a placeholder, on the roll's index; False where there is no name at all.
    """
    folded = roll["ratepayer_name"].astype("str").map(fold_letters, na_action="ignore")
    names = folded.map(lambda name: " ".join(_WORD.findall(name)), na_action="ignore")
    known = {name for name in names.dropna().unique() if _reads_as_a_placeholder(name)}
    counts = names.value_counts()
    many = counts[(counts >= FEWEST_ROWS) & (counts >= LEAST_SHARE * counts.sum())].index
    known |= {name for name in many if _stands_for_many(str(name), roll.loc[(names == name).to_numpy()])}
    return names.isin(known).astype(bool)


def blank_placeholders(roll: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Blank the name of each ratepayer that is a placeholder; return the roll and the number of such rows."""
    found = find_placeholders(roll)
    blanked = roll.assign(ratepayer_name=roll["ratepayer_name"].mask(found)) if found.any() else roll
    return blanked, int(found.sum())


def _reads_as_a_placeholder(name: str) -> bool:
    words = set(name.split())
    key = read_words("placeholder")
    if name.replace(" ", "") in key:  # n/a
        return True
    return bool(words & key) and words <= key | read_words("placeholder_filler")


def _stands_for_many(name: str, rows: pd.DataFrame) -> bool:
    """Whether a name on many rows is at unrelated places, and nothing shows an organisation."""
    words = set(name.split())
    if len(words) < LEAST_WORDS or words & (ORGANISATION_WORDS | PLACE_WORDS):
        return False
    as_written = rows[["ratepayer_name"]].drop_duplicates().assign(property_reference="")
    if classify_parties(as_written)["released_name"].notna().any():
        return False
    streets = rows["address"].astype("str").str.replace(r"[^,]*\d[^,]*", "", regex=True)
    return int(streets.nunique()) >= FEWEST_PLACES
