"""The rows whose ratepayer is withheld, made coarser: without a name or a place, and the same for a year."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from councilbook.business_rates.names.persons import ORGANISATION, check_same_rows
from councilbook.business_rates.register.extracts import CREDIT_BANDS
from councilbook.business_rates.register.open_register import RELIEFS
from councilbook.business_rates.register.properties import VALUE_BANDS, cut_bands, group_descriptions
from councilbook.business_rates.roll.contents import NOT_TOLD, find_empty
from councilbook.catalogue import RecordRule
from councilbook.gate.disclosure.records import can_protect, protect_records

NO_CREDIT = "none"
LEAST = 10  # so many at least join or leave a group, or none


def make_deidentified(roll: pd.DataFrame, places: pd.DataFrame, parties: pd.DataFrame) -> pd.DataFrame:
    """Lay out the rows that the open register withholds for the gate's rule `records`, which makes them coarser.

    The rows of organisations are not among them: whoever has the register would take their reliefs off a group, and
    know those of the few who are left.

    The number of a record comes from a shuffle whose key is the closed ledger itself. It says nothing of the order of
    the roll, and nobody who lacks the ledger can repeat it, while the same ledger gives the same numbers.

    Args:
        roll: the roll, a row a property.
        places: ward_code of each row.
        parties: from `persons.classify_parties`.

    Returns:
        record, ward_code, use, value_band, liability_year, occupancy, relief, credit.
    """
    check_same_rows(roll, parties)
    credit = roll["account_credit_gbp"].astype("float64")
    frame = pd.DataFrame(
        {
            "ward_code": places["ward_code"].fillna(NOT_TOLD),
            "use": group_descriptions(roll["description"], roll["description_code"]),
            "value_band": cut_bands(roll["rateable_value_gbp"], VALUE_BANDS),
            "liability_year": roll["liability_start_date"].dt.year.astype("Float64"),
            "occupancy": find_empty(roll).map({True: "empty", False: "occupied"}).astype("str").fillna(NOT_TOLD),
            "relief": _name_reliefs(roll),
            "credit": cut_bands(credit.where(credit > 0), CREDIT_BANDS).fillna(
                NO_CREDIT if credit.notna().any() else NOT_TOLD
            ),
        }
    )
    frame = frame[(parties["party"] != ORGANISATION).to_numpy()]
    mixed: pd.DataFrame = frame.iloc[_shuffle(roll, len(frame))].reset_index(drop=True)
    return mixed.assign(record=range(1, len(mixed) + 1))


def _shuffle(roll: pd.DataFrame, count: int) -> list[int]:
    """Draw an order whose seed is made of all that the ledger holds, which nobody else knows."""
    rows = pd.util.hash_pandas_object(roll.astype("str"), index=False).to_numpy()
    seed = hashlib.blake2b(rows.tobytes(), digest_size=32).digest()
    order: list[int] = np.random.default_rng(int.from_bytes(seed, "big")).permutation(count).tolist()
    return order


def _name_reliefs(roll: pd.DataFrame) -> pd.Series:
    given = roll[RELIEFS].notna()
    named = {
        "small business": given["small_business_relief"],
        "charity": given["mandatory_relief"],
        "other": given[["discretionary_relief", "other_relief", "exemption"]].any(axis="columns"),
    }
    reliefs = pd.Series("none" if given.any(axis=None) else NOT_TOLD, index=roll.index, dtype="str")
    for name, has in reversed(list(named.items())):
        reliefs = reliefs.mask(has, name)
    return reliefs


def keep_for_year(kept: pd.DataFrame | None, rows: pd.DataFrame, as_of: str, rule: RecordRule) -> pd.DataFrame:
    """Return the rows of this financial year's first version, so that the same are published all year.

    Two versions of a table of groups, a month apart, give the few who joined or left each group. A new year's rows are
    held back, too, for as long as they would do so beside those that are out; see `find_exposed_groups`.

    Args:
        kept: what the last run kept, with version_date, or None.
        rows: the rows of now, from `make_deidentified`.
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


def drop_unsafe(rows: pd.DataFrame, rule: RecordRule) -> pd.DataFrame:
    """Return the rows, or none of them where the gate could make them safe by no coarseness."""
    return rows if can_protect(rows, rule) else rows.iloc[:0]
