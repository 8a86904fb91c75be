"""May the name of a ratepayer be published? Only if there is evidence that it is no person's.

Every name is withheld unless one of three things speaks for it: a live entry of a register that says the name and is
linked with high probability, the name of a public body, or the ending of a legal form that no person may trade under.
What speaks against a name (`find_suspicion`) can turn a release into a withholding, and never the other way.

Only the part of a name that the evidence is about is released: of "A LIMITED T/A B", "A LIMITED". A decision is about
the wording, so it is the same in every row that has it.

A person's name that runs into a company's without any mark is withheld with it, whether or not anybody knows the name,
unless a live company has the whole of it. What is not seen: a person's name that is made of plain words, one before a
mere trade, and an unknown one before a council or a hospital (`address_trials.RUN_ON`).

Sources:
    `person_words` has the vocabularies and where each comes from.
    Scottish Information Commissioner, decision 082/2022, on why a council could not tell sole traders apart by hand.
"""

import numpy as np
import pandas as pd

from councilbook.business_rates.names.evidence import find_entries, weigh_wording
from councilbook.business_rates.names.person_words import KnownNames, read_known_names
from councilbook.business_rates.names.wording import (
    LEGAL_FORM,
    LIVE_ENTRY,
    NO_NAME,
    PUBLIC_BODY,
    REASONS,
    check_columns,
    find_suspicions,
    prepare_names,
)
from councilbook.errors import CheckError, ReleaseRefusedError
from councilbook.sources.checks import list_rows

ORGANISATION, WITHHELD = "organisation", "withheld"
RELEASED = (LIVE_ENTRY, PUBLIC_BODY, LEGAL_FORM)
PARTY_COLUMNS = ["property_reference", "party", "reason", "released_name"]
THRESHOLD = 0.99


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
    check_columns(roll, ["property_reference", "ratepayer_name"], "The roll")
    codes, distinct = pd.factorize(roll["ratepayer_name"].astype("str"))
    names = prepare_names(distinct)
    known = known or read_known_names()
    suspicion = find_suspicions(names, known)
    entries = find_entries(roll["property_reference"], codes, names, register, links, threshold, known)
    reason, released = weigh_wording(names, known, register)
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
    found = np.append(
        find_suspicions(prepare_names(distinct), known or read_known_names()), np.array([None], dtype=object)
    )
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
    check_columns(parties, PARTY_COLUMNS, "The parties")
    check_same_rows(roll, parties)
    if not parties["reason"].isin(list(REASONS)).all() or not parties["party"].isin([ORGANISATION, WITHHELD]).all():
        raise CheckError("A party or a reason is none of the vocabulary of REASONS.")
    again = classify_parties(roll, register, links, threshold)
    shown = parties["released_name"].reset_index(drop=True)
    is_shown = shown.notna().to_numpy()
    inside = pd.Series(prepare_names(roll["ratepayer_name"].astype("str").fillna("")).shown.to_pylist(), dtype="str")
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


def check_same_rows(roll: pd.DataFrame, parties: pd.DataFrame) -> None:
    """Raise a CheckError unless the parties are those of the roll, in its order."""
    ours, theirs = (frame["property_reference"].reset_index(drop=True) for frame in (roll, parties))
    if not ours.equals(theirs):
        raise CheckError("The parties must have the rows of the roll, in its order.")


def count_parties(parties: pd.DataFrame) -> pd.DataFrame:
    """Count the rows by party and reason, for a page: party, reason, meaning (in words), properties, share_pct."""
    counts = parties.groupby(["party", "reason"], as_index=False).size().rename(columns={"size": "properties"})
    counts = counts.sort_values(["party", "properties"], ascending=[True, False], ignore_index=True)
    counts.insert(2, "meaning", counts["reason"].map(REASONS))
    return counts.assign(share_pct=100 * counts["properties"] / max(len(parties), 1))
