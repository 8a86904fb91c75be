"""Versions of the register: what joined, left and changed, and what somebody who keeps them all can work out.

A register that is safe by itself may not be so beside the one of a month ago. Three things come out by subtraction: the
name of somebody who was withheld then and whose shop is still called after them; the month in which a person took over
from an organisation; and in a table of groups, what the one who joined or left a group has.
"""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.names import person_addresses, persons
from councilbook.business_rates.register import publish
from councilbook.business_rates.register.publish import (
    FOR_GATE,
    OF_RATEPAYER,
    list_withheld_names,
    remove_withheld_names,
)
from councilbook.catalogue import RecordRule
from councilbook.errors import ReleaseRefusedError
from councilbook.gate.disclosure.records import can_protect, protect_records
from councilbook.gate.disclosure.registers import find_names

KEY = "property_reference"
NAME_IN_TEXT = "a withheld name stands in a text"
NAME_RELEASED = "a name is withheld here and released there"
TELLING = "something tells of a ratepayer who is withheld"
MONTH_OF_CHANGE = "it can be told to the month when somebody withheld took over"
TEXTS = ("address", "description")
LEAST = 10  # so many at least join or leave a group, or none


# --- versions that are kept ---


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
        wards, zones: as for `publish.find_places`.
        as_of: ISO date of now.
    """
    parties = publish.withhold_alike(persons.classify_parties(roll, entries, links), roll)
    homes = publish.find_homes(roll) | person_addresses.find_home_addresses(roll, parties)
    cleaned = roll.assign(address=person_addresses.redact_addresses(roll["address"]))
    numbers = publish.find_numbers(parties, links, entries)
    register = publish.make_open_register(cleaned, parties, publish.find_places(roll, wards, zones), homes, numbers)
    return keep_versions(None, register, publish.count_back(as_of, months=1))


def keep_names(names: pd.Series, register: pd.DataFrame) -> pd.DataFrame:
    """List the names that the next run has to keep out of addresses; no others are kept any longer.

    Args:
        names: names that were withheld in an earlier version.
        register: this version as it is, from `publish.make_open_register`.

    Returns:
        name: those withheld in this version, and of the earlier ones those that still stand in an address.
    """
    old = find_names(register["address"], names.dropna())
    return pd.DataFrame({"name": sorted({*old, *list_withheld_names(register)})}, dtype="str")


def keep_for_year(kept: pd.DataFrame | None, rows: pd.DataFrame, as_of: str, rule: RecordRule) -> pd.DataFrame:
    """Return the rows of this financial year's first version, so that the same are published all year.

    Two versions of a table of groups, a month apart, give the few who joined or left each group. A new year's rows are
    held back, too, for as long as they would do so beside those that are out; see `find_exposed_groups`.

    Args:
        kept: what the last run kept, with version_date, or None.
        rows: the rows of now, from `publish.make_deidentified`.
        as_of: ISO date of now.
        rule: by which the gate makes them coarser.

    Returns:
        The rows with version_date: the day that they are of.
    """
    day = pd.Timestamp(as_of)
    last = day if kept is None or kept.empty else kept["version_date"].iloc[0]
    if kept is not None and last < day:
        is_same_year = pd.Period(last, "Y-MAR") == pd.Period(day, "Y-MAR")
        if is_same_year or _tell_of_few(kept, rows, rule):
            return kept
    return rows.assign(version_date=day)


def _tell_of_few(kept: pd.DataFrame, rows: pd.DataFrame, rule: RecordRule) -> bool:
    if not (can_protect(kept, rule) and can_protect(rows, rule)):
        return False  # one of the two does not go out
    before, after = (protect_records(version, rule).frame for version in (kept, rows))
    return not find_exposed_groups(before, after, list(rule.quasi_identifiers)).empty


# --- what changed ---


def list_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """List what joined, left and changed between two versions of the register, as far as that tells of nobody.

    A property that is new, gone or valued anew is public whoever is in it. That another is liable is said of
    organisations alone: of a person, the change itself would tell. Whether it is another is told by what is released of
    a name, as the rest of it may be a person's.

    Args:
        before, after: from `publish.make_open_register`; the columns that the gate reads are used and kept.

    Returns:
        change (joined, left, new value, new ratepayer), property_reference, address, description,
        rateable_value_gbp, rateable_value_before_gbp, released_name, and FOR_GATE; a property may have two rows.
    """
    clean_before = before.assign(address=remove_withheld_names(before, list_withheld_names(after)))
    clean_after = after.assign(address=remove_withheld_names(after, list_withheld_names(before)))
    old, new = (pd.DataFrame(frame).set_index(KEY) for frame in (clean_before, clean_after))
    both = old.index.intersection(new.index)
    value = new.loc[both, "rateable_value_gbp"] != old.loc[both, "rateable_value_gbp"]
    name = new.loc[both, "released_name"].fillna("") != old.loc[both, "released_name"].fillna("")
    named = new.loc[both, "is_organisation"].to_numpy(dtype=bool)
    parts = {
        "joined": new.loc[new.index.difference(old.index)],
        "left": old.loc[old.index.difference(new.index)].assign(released_name=None),
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


# --- what can be worked out ---


def hold_back(
    register: gpd.GeoDataFrame,
    withheld: pd.Series,
    published: pd.DataFrame,
    *,
    published_on: str,
    as_of: str,
) -> gpd.GeoDataFrame:
    """Make a register safe beside the one that was published before it, for the gate's rule `register`.

    Names that were withheld in any earlier version go from the addresses as well. Where an organisation was named and
    somebody who is withheld has taken over since, the row stays as it was published until the first release of the next
    quarter, so that it can be told no closer when that was. A name that was published and is now thought to be a
    person's is not held: it goes at once.

    Args:
        register: from `publish.make_open_register`.
        withheld: names that were withheld in an earlier version.
        published: the last of them as it was published: what the gate let out.
        published_on, as_of: ISO dates of the last version and of this one.

    Returns:
        The register, laid out as before.
    """
    safe = register.assign(address=remove_withheld_names(register, withheld))
    if pd.Period(published_on, "Q") != pd.Period(as_of, "Q"):
        return safe
    unnamed = ~safe["is_organisation"].astype(bool)
    shown = published.set_index(KEY)
    old_name = safe[KEY].map(shown["released_name"]).astype("str")
    was, now = _fold(old_name), _fold(safe["ratepayer_name"])
    is_same = [old in new for old, new in zip(was.fillna(""), now.fillna(""), strict=True)]
    hold = old_name.notna() & unnamed & ~was.isin(set(now[unnamed])) & ~np.array(is_same, dtype=bool)
    for name in OF_RATEPAYER:
        safe[name] = safe[name].mask(hold, safe[KEY].map(shown[name]).astype(safe[name].dtype))
    for name in ("released_name", "ratepayer_name"):
        safe[name] = safe[name].astype("str").mask(hold, old_name)
    safe["is_organisation"] = safe["is_organisation"].astype(bool) | hold
    return safe


def _fold(names: pd.Series) -> pd.Series:
    folded: pd.Series = names.astype("str").str.casefold().str.replace(r"\s+", " ", regex=True).str.strip()
    return folded


def check_versions(
    before: pd.DataFrame, after: pd.DataFrame, withheld: pd.Series, *, before_on: str, as_of: str
) -> pd.DataFrame:
    """Find what somebody who keeps two published versions of the register can work out that is withheld.

    Args:
        before, after: as the gate lets them out.
        withheld: names of all whose name is withheld in either; they are not in the result.
        before_on, as_of: ISO dates of the two.

    Returns:
        A row a leak: leak (a constant of this module), version, property_reference, field; none if it is safe.
    """
    names = withheld.dropna().astype("str")
    folded = set(_fold(names))
    found: list[pd.DataFrame] = []
    for version, frame in {"before": before, "after": after}.items():
        shown = pd.DataFrame(frame).reset_index(drop=True)
        for field in [name for name in TEXTS if name in shown]:
            found.append(_list_leaks(NAME_IN_TEXT, version, shown, field, _holds_names(shown[field], names)))
        released = shown["released_name"].astype("str")
        both = released.notna() & _fold(released).isin(folded)
        found.append(_list_leaks(NAME_RELEASED, version, shown, "released_name", both))
        for field in [name for name in OF_RATEPAYER if name in shown]:
            found.append(_list_leaks(TELLING, version, shown, field, released.isna() & shown[field].notna()))
    if pd.Period(before_on, "Q") == pd.Period(as_of, "Q"):
        was = after[KEY].map(before.set_index(KEY)["released_name"])
        taken = was.notna() & after["released_name"].isna()
        found.append(_list_leaks(MONTH_OF_CHANGE, "both", pd.DataFrame(after), "released_name", taken))
    return pd.concat(found, ignore_index=True)


def _holds_names(texts: pd.Series, names: pd.Series) -> pd.Series:
    """Tell which texts the gate would take one of these names out of."""
    given = pd.DataFrame({"address": texts.astype("str"), "is_organisation": True, "ratepayer_name": None})
    return (remove_withheld_names(given, names) != given["address"]) & texts.notna()


def refuse_leaks(leaks: pd.DataFrame) -> None:
    """Refuse a version that itself gives something away beside the one before it.

    What an earlier version has given away, no later one can take back; that a name is withheld now and was released
    then, or the other way round, says that more is known of it.

    Args:
        leaks: from `check_versions`.

    Raises:
        ReleaseRefusedError: with the number of each leak, and no name.
    """
    own = leaks[leaks["leak"].isin([NAME_IN_TEXT, TELLING]) & (leaks["version"] == "after")]
    if len(own):
        told = ", ".join(f"{leak} ({rows} rows)" for leak, rows in own["leak"].value_counts().items())
        raise ReleaseRefusedError(f"Beside the version before it, this one gives something away: {told}.")


def _list_leaks(leak: str, version: str, frame: pd.DataFrame, field: str, rows: pd.Series) -> pd.DataFrame:
    references = frame.loc[rows.to_numpy(dtype=bool), KEY].astype("str").to_numpy()
    return pd.DataFrame({"leak": leak, "version": version, KEY: references, "field": field})


def find_exposed_groups(
    before: pd.DataFrame, after: pd.DataFrame, by: Sequence[str], least: int = LEAST
) -> pd.DataFrame:
    """Find the groups of a de-identified table that a few joined or left since the version before.

    What is in the one version of a group and not in the other belongs to those few, however large the group is
    (Xiao and Tao, 2007, m-invariance, doi:10.1145/1247480.1247556). So a de-identified table is republished only once
    there are none, which in practice is once a year or less, or with a new version that is as coarse for all.

    Args:
        before, after: two versions as the gate let them out.
        by: the quasi-identifiers.
        least: a difference from 1 to below this exposes somebody.

    Returns:
        The groups, with rows_before and rows_after. Groups of another coarseness are groups of their own, as are those
        with blanks.
    """
    counted = [frame.groupby(list(by), dropna=False, observed=True).size() for frame in (before, after)]
    table = pd.concat(counted, axis="columns", keys=["rows_before", "rows_after"]).fillna(0).astype("int64")
    difference = (table["rows_after"] - table["rows_before"]).abs()
    return table[difference.between(1, least - 1)].reset_index()
