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
MADE_REFERENCE = r"row \d+(?: of \d{4}-\d\d-\d\d)?"  # of a row whose roll has none
PUT_TOGETHER = "put together"  # stands for the sheets and files that became part of the roll
NOT_USED = "not used"  # stands for the columns of a file that nothing is made of
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


def find_referenced(references: "pd.Series[str]") -> "pd.Series[bool]":
    """Find which references are the roll's own, as one made of a row's number is another property's next month."""
    return ~references.astype("str").str.fullmatch(MADE_REFERENCE).astype(bool)


def count_columns(roll: pd.DataFrame, mapping: pd.DataFrame | None = None) -> pd.DataFrame:
    """Count for how many properties the roll tells each thing, and say which columns of its file do.

    Args:
        roll: the roll, a row a property.
        mapping: what each column of the file was taken for, see `roll_columns.show_columns`.

    Returns:
        column and properties: 0 where no cell of it is filled, or the roll has no such column. With a mapping also
        file_columns, the headers that it was read from, and note; the row NOT_USED has those that nothing is made of.
    """
    counts = roll.notna().sum().rename_axis("column").rename("properties").sort_index()
    if mapping is None:
        return counts.reset_index()
    filled = mapping[(mapping["column"].notna() | (mapping["note"] != "")) & (mapping["found"] != PUT_TOGETHER)]
    by_column = filled.groupby(filled["column"].fillna(NOT_USED))
    said = by_column["note"].agg(lambda notes: " ".join(dict.fromkeys(note for note in notes if note)))
    read = by_column["file_column"].agg(lambda names: "; ".join(name for name in names if name))
    table = counts.reindex([*counts.index, NOT_USED], fill_value=0).to_frame()
    table = table.join(read.rename("file_columns")).join(said.rename("note"))
    table.loc[NOT_USED, "note"] = None
    return table.replace("", None).astype({"file_columns": "str", "note": "str"}).reset_index()


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
