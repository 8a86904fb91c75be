"""Versions of the register: what is kept of each, what the next one holds back, and what changed between two.

A register that is safe by itself may not be so beside the one of a month ago. Two things come out by subtraction: the
name of somebody who was withheld then and whose shop is still called after them; and the month in which a person took
over from an organisation. The gate holds each version against the last (`gate.disclosure.registers.check_versions`).
"""

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.names import person_addresses, persons
from councilbook.business_rates.register import open_register, properties
from councilbook.business_rates.register.open_register import (
    FOR_GATE,
    OF_RATEPAYER,
    list_withheld_names,
    remove_withheld_names,
)
from councilbook.business_rates.roll import contents
from councilbook.gate.disclosure.registers import LastVersion, find_names, fold_names, is_same_quarter, split_words

KEY = "property_reference"
FEWEST_SHARED = 20  # references, for what stands at them to say whether they are the same properties
MOST_MOVED = 0.05  # of the references that two versions share
MOST_STRANGE = 0.5  # of the references of the shorter version that the other has not


def keep_versions(kept: pd.DataFrame | None, shown: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """Add a version to those that are kept for the next run, and leave the one before it.

    Two have to stay: a run that is repeated on its own day is held against the one before.

    Args:
        kept: what the last run kept, or None.
        shown: this version, as the gate gets it.
        as_of: its ISO date.

    Returns:
        version_date and the columns of the register without the outline, a row a property and version.
    """
    this = pd.DataFrame(shown.drop(columns="geometry", errors="ignore")).assign(version_date=pd.Timestamp(as_of))
    before = None if kept is None else find_version_before(kept, as_of)
    return this if before is None else pd.concat([before, this], ignore_index=True)


def find_version_before(kept: pd.DataFrame | None, as_of: str) -> pd.DataFrame | None:
    """Return the last version before a day (ISO) of those that are kept, or None if there is none."""
    if kept is None:
        return None
    older: pd.DataFrame = kept[kept["version_date"] < pd.Timestamp(as_of)]
    last: pd.DataFrame = older[older["version_date"] == older["version_date"].max()].reset_index(drop=True)
    return None if last.empty else last


def lay_out_earlier(
    roll: pd.DataFrame,
    entries: pd.DataFrame | None,
    links: pd.DataFrame | None,
    wards: gpd.GeoDataFrame | None,
    zones: pd.DataFrame | None,
    as_of: str,
) -> pd.DataFrame:
    """Lay out the roll of a month ago as a version that was kept, by the same steps as the roll of today.

    Args:
        roll: the earlier roll.
        entries, links: as for `persons.classify_parties`.
        wards, zones: as for `properties.find_places`.
        as_of: ISO date of now.
    """
    parties = open_register.withhold_alike(persons.classify_parties(roll, entries, links), roll)
    homes = properties.find_homes(roll) | person_addresses.find_home_addresses(roll, parties)
    cleaned = roll.assign(address=person_addresses.redact_roll(roll, parties, entries))
    numbers = open_register.find_numbers(parties, links, entries)
    places = properties.find_places(roll, wards, zones)
    register = open_register.make_open_register(cleaned, parties, places, homes, numbers)
    return keep_versions(None, register, str((pd.Timestamp(as_of) - pd.DateOffset(months=1)).date()))


def recall_last(before: pd.DataFrame | None, names: pd.DataFrame | None, register: pd.DataFrame) -> LastVersion | None:
    """Gather what this version has to be held against; None if nothing was published before.

    Args:
        before: the last version, from `find_version_before` or `lay_out_earlier`.
        names: name, of those that older versions withheld, as `keep_names` kept them; None if there are none.
        register: this version, from `open_register.make_open_register`.
    """
    if before is None:
        return None
    older = [] if names is None else [names["name"]]
    withheld = pd.concat([list_withheld_names(before), *older, list_withheld_names(register)]).dropna()
    return LastVersion(before, before["version_date"].iloc[0].date().isoformat(), withheld)


def keep_names(last: LastVersion | None, register: pd.DataFrame) -> pd.DataFrame:
    """List the names that the next run has to keep out of addresses; no others are kept any longer.

    Args:
        last: from `recall_last`.
        register: this version as it is, from `open_register.make_open_register`.

    Returns:
        name: those withheld in this version, and of the earlier ones those that still stand in an address.
    """
    old = [] if last is None else find_names(register["address"], last.withheld)
    return pd.DataFrame({"name": sorted({*old, *list_withheld_names(register)})}, dtype="str")


def can_follow(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Tell whether references say which property of one version is which of the next.

    They do not where a roll has none, and each was made of a row's number; where half of them are others, as when a
    spreadsheet took the noughts before them; nor where other properties stand at them, as at a number that was given
    anew.

    Args:
        before, after: two versions: property_reference, address, postcode.
    """
    own = [pd.DataFrame(frame)[contents.find_referenced(frame[KEY])].set_index(KEY) for frame in (before, after)]
    if not len(own[0]) or not len(own[1]):
        return False
    both = own[0].index.intersection(own[1].index)
    shorter = min(map(len, own))
    if shorter >= FEWEST_SHARED and len(both) < (1 - MOST_STRANGE) * shorter:
        return False
    old, new = (frame.loc[both, ["postcode", "address"]].astype("str").fillna("") for frame in own)
    by_postcode = (old["postcode"] != "") & (new["postcode"] != "")
    is_same = (old["postcode"] == new["postcode"]).where(by_postcode, _share_words(old["address"], new["address"]))
    return bool(len(both) < FEWEST_SHARED or is_same.mean() >= 1 - MOST_MOVED)


def _share_words(old: pd.Series, new: pd.Series) -> "pd.Series[bool]":
    """Find the texts that have half of their words in common, as an address that was written anew still has."""
    pairs = [(set(split_words(one)), set(split_words(other))) for one, other in zip(old, new, strict=True)]
    return pd.Series([2 * len(one & other) >= max(len(one), len(other)) for one, other in pairs], index=old.index)


def list_changes(before: pd.DataFrame | None, after: pd.DataFrame) -> pd.DataFrame:
    """List what joined, left and changed between two versions of the register, and give no person away.

    A property that is new, gone or valued anew is public whoever is in it. A new ratepayer is listed only if it is an
    organisation: of a person, the change itself would be telling. Two ratepayers are different if what is released of
    their names is, as the rest of a name may be a person's.

    Args:
        before, after: from `open_register.make_open_register`; the columns that the gate reads are used and kept.
            Without a version before, or one that cannot be followed (`can_follow`), nothing is listed.

    Returns:
        change (joined, left, new value, new ratepayer), property_reference, address, description,
        rateable_value_gbp, rateable_value_before_gbp, released_name, and FOR_GATE; a property may have two rows.
    """
    if before is None or not can_follow(before, after):
        before = after = after.iloc[:0]
    clean_before = before.assign(address=remove_withheld_names(before, list_withheld_names(after)))
    clean_after = after.assign(address=remove_withheld_names(after, list_withheld_names(before)))
    old, new = (pd.DataFrame(frame).set_index(KEY) for frame in (clean_before, clean_after))
    both = old.index.intersection(new.index)
    value = new.loc[both, "rateable_value_gbp"] != old.loc[both, "rateable_value_gbp"]
    name = new.loc[both, "released_name"].fillna("") != old.loc[both, "released_name"].fillna("")
    named = new.loc[both, "is_organisation"].to_numpy(dtype=bool)
    came, went = new.index.difference(old.index), old.index.difference(new.index)
    parts = {
        "joined": new.loc[came],
        "left": old.loc[went].assign(released_name=None),
        "new value": new.loc[both[value.to_numpy(dtype=bool)]].assign(released_name=None),
        "new ratepayer": new.loc[both[name.to_numpy(dtype=bool) & named]],
    }
    listed = pd.concat([part.assign(change=change) for change, part in parts.items()]).reset_index()
    listed["rateable_value_before_gbp"] = listed[KEY].map(old["rateable_value_gbp"])
    nameless = listed["released_name"].isna() & listed["is_organisation"].astype(bool)
    listed["ratepayer_name"] = listed["ratepayer_name"].astype("str").mask(nameless)  # no name to be taken out anywhere
    listed["is_organisation"] = listed["is_organisation"].astype(bool) & ~nameless
    columns = ["change", KEY, "address", "description", "rateable_value_gbp"]
    return pd.DataFrame(listed[[*columns, "rateable_value_before_gbp", "released_name", *FOR_GATE]])


def hold_back(register: gpd.GeoDataFrame, last: LastVersion | None, as_of: str) -> gpd.GeoDataFrame:
    """Make a register safe beside the last version, for the gate's rule `register`.

    Names that were withheld in any earlier version go from the addresses as well. Where an organisation was named and
    somebody who is withheld has taken over since, the row stays as it was published until the first release of the next
    quarter, so that nobody can tell in which of its months that was. A name that was published and is now thought to be
    a person's is not held: it goes at once.

    Args:
        register: from `open_register.make_open_register`.
        last: from `recall_last`; None leaves the register as it is. If its properties cannot be followed
            (`can_follow`), no row is held.
        as_of: ISO date of this version.

    Returns:
        The register, laid out as before.
    """
    if last is None:
        return register
    safe = register.assign(address=remove_withheld_names(register, last.withheld))
    if not is_same_quarter(last.day, as_of) or not can_follow(last.frame, register):
        return safe
    unnamed = ~safe["is_organisation"].astype(bool)
    shown = last.frame.set_index(KEY)
    released = shown["released_name"].where(shown["is_organisation"].astype(bool))
    old_name = safe[KEY].map(released).astype("str")
    was, now = fold_names(old_name), fold_names(safe["ratepayer_name"])
    is_same = [old in new for old, new in zip(was.fillna(""), now.fillna(""), strict=True)]
    hold = old_name.notna() & unnamed & ~was.isin(set(now[unnamed])) & ~np.array(is_same, dtype=bool)
    for name in OF_RATEPAYER:
        safe[name] = safe[name].mask(hold, safe[KEY].map(shown[name]).astype(safe[name].dtype))
    for name in ("released_name", "ratepayer_name"):
        safe[name] = safe[name].astype("str").mask(hold, old_name)
    safe["is_organisation"] = safe["is_organisation"].astype(bool) | hold
    return safe
