"""What a roll tells of its properties, and what not: of what it does not tell nothing is said, and no zero shown."""

from collections.abc import Collection, Mapping

import pandas as pd

MADE_OF: Mapping[str, tuple[str, ...]] = {  # what is published of who pays, and what of the roll it needs any of
    "released_name": ("ratepayer_name",),
    "liability_start_date": ("liability_start_date",),
    "is_occupied": ("is_occupied", "empty_since_date"),
    "empty_since_date": ("empty_since_date",),
    "small_business_relief": ("small_business_relief",),
    "mandatory_relief": ("mandatory_relief",),
    "discretionary_relief": ("discretionary_relief",),
    "other_relief": ("other_relief",),
    "exemption": ("exemption",),
    "credit_band": ("account_credit_gbp",),
}
EXTRACTS: Mapping[str, str] = {  # a ready list, and the published column that it hangs on
    "new_ratepayers": "liability_start_date",
    "empty_properties": "is_occupied",
    "accounts_in_credit": "credit_band",
    "small_business_relief": "small_business_relief",
}
NOT_TOLD = "not known"  # stands in a table for what the roll does not tell
PLACEHOLDER = "kept without a name, as the file has a placeholder for it"  # what became of a row
WORDS: Mapping[str, tuple[str, ...]] = {  # what readers miss where all of these columns are blank
    "who pays": ("ratepayer_name",),
    "since when somebody is liable": ("liability_start_date",),
    "which properties are empty": ("is_occupied", "empty_since_date"),
    "who has a relief for small businesses": ("small_business_relief",),
    "who has another relief or an exemption": ("mandatory_relief", "discretionary_relief", "other_relief", "exemption"),
    "which accounts are in credit": ("account_credit_gbp",),
    "what was charged": ("account_charge_gbp",),
}


def find_empty(roll: pd.DataFrame) -> "pd.Series[bool]":
    """Find which properties are empty: the roll says so, or gives a date since when.

    The standard writes Y for an occupied property, and N or nothing for an empty one. In a roll that never says N,
    nothing means empty.

    Args:
        roll: is_occupied, empty_since_date.

    Returns:
        A boolean that is missing where it is not known.
    """
    occupied = roll["is_occupied"].astype("boolean")
    empty = ~occupied
    empty = empty.mask(occupied.isna() & roll["empty_since_date"].notna(), True)
    if occupied.any() and not empty.any():
        return empty.fillna(True)
    return empty


def count_columns(roll: pd.DataFrame) -> pd.DataFrame:
    """Count for how many properties the roll tells each thing.

    Args:
        roll: the roll, a row a property.

    Returns:
        column and properties: 0 where no cell of it is filled, or the roll has no such column.
    """
    counts = roll.notna().sum().rename_axis("column").rename("properties")
    return counts.sort_index().reset_index()


def find_told(counts: pd.DataFrame) -> frozenset[str]:
    """Find the columns that a roll tells anything of.

    Args:
        counts: from `count_columns`, as it is or as it was published: a count that is withheld is not 0.
    """
    return frozenset(counts.loc[counts["properties"].ne(0).fillna(True), "column"])


def is_told(column: str, told: Collection[str]) -> bool:
    """Whether a published column can hold anything: what tells of who pays, only if the roll names somebody."""
    return column not in MADE_OF or ("ratepayer_name" in told and any(name in told for name in MADE_OF[column]))


def list_untold(told: Collection[str]) -> list[str]:
    """List in words what a roll does not tell."""
    return [words for words, columns in WORDS.items() if not any(name in told for name in columns)]


def list_extracts(told: Collection[str]) -> list[str]:
    """List the ready lists that can be made of a roll."""
    return [name for name, column in EXTRACTS.items() if is_told(column, told)]
