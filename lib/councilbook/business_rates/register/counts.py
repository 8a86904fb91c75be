"""How many properties there are, and how many of their ratepayers are withheld, by ward and by use."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from councilbook.business_rates.names.persons import ORGANISATION, WITHHELD, check_same_rows
from councilbook.business_rates.register.properties import VALUE_BANDS, cut_bands, group_descriptions
from councilbook.business_rates.roll.contents import NOT_TOLD, find_empty
from councilbook.errors import ReleaseRefusedError

if TYPE_CHECKING:
    from councilbook.study import Study

ALL_WARDS, ALL_USES = "All wards", "All uses"


def show_parties(parties: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Take each property's party from what the register shows of it, which may be held back.

    Args:
        parties: from `persons.classify_parties`.
        register: from `changes.hold_back`.
    """
    named = parties["property_reference"].map(register.set_index("property_reference")["is_organisation"].astype(bool))
    return parties.assign(party=np.where(named, ORGANISATION, WITHHELD))


def count_withheld(groups: pd.Series, roll: pd.DataFrame, parties: pd.DataFrame, total: str) -> pd.DataFrame:
    """Count the properties whose ratepayer is withheld, and empty and relieved ones among them, by a group.

    Those of organisations stand one by one in the open register. A count of all gives back that of the few others to
    whoever takes those off, so the gate has to see these by themselves (rule `counts`, part_of withheld_properties).

    Args:
        groups: the group of each row of the roll, as its ward; its name names the column.
        total: what the row is called that stands for all groups.

    Returns:
        The group, properties, withheld_properties, withheld_empty, withheld_relieved; the total last. What the roll
        tells of no property is missing.
    """
    check_same_rows(roll, parties)
    withheld = (parties["party"] != ORGANISATION).to_numpy()
    empty, relieved = find_empty(roll), roll["small_business_relief"].notna()
    rows = pd.DataFrame(
        {
            "properties": 1,
            "withheld_properties": withheld.astype(int),
            "withheld_empty": (empty.fillna(False).to_numpy(dtype=bool) & withheld).astype(int),
            "withheld_relieved": (relieved.to_numpy() & withheld).astype(int),
        },
        index=groups.index,
    )
    by = str(groups.name)
    sums = rows.groupby(groups.astype("str")).sum().rename_axis(by).reset_index()
    counts = pd.concat([sums, rows.sum().to_frame().T.assign(**{by: total})], ignore_index=True)[sums.columns]
    told = {"withheld_empty": empty.notna().any(), "withheld_relieved": relieved.any()}
    blank = pd.Series(pd.NA, counts.index, dtype="Int64")
    return counts.assign(**{name: blank for name, is_told in told.items() if not is_told})


def release_counts(study: "Study", dataset: str, counts: pd.DataFrame, less: pd.DataFrame) -> str:
    """Release counts, or less of them where a roll is so small that no suppression would do.

    Args:
        dataset: its id.
        counts: the counts.
        less: what of them the register shows as well, and so is safe.

    Returns:
        What was left out, in words; nothing if the gate let all of it out.
    """
    try:
        study.release(dataset, counts)
    except ReleaseRefusedError:
        study.release(dataset, less)
        return f"{study.catalogue.dataset(dataset).title}: only a part goes out, as the properties are too few."
    return ""


def add_withheld(filled: pd.DataFrame, roll: pd.DataFrame, parties: pd.DataFrame) -> pd.DataFrame:
    """Add of how many properties whose ratepayer is withheld each column of the roll is filled, for the gate to read.

    Whoever has the open register takes those of organisations off, and would know how many of the others have a relief.

    Args:
        filled: column and properties, from `contents.count_columns`.
        roll: the roll.
        parties: from `show_parties`.

    Returns:
        The table with withheld_properties.
    """
    check_same_rows(roll, parties)
    withheld = roll[(parties["party"] != ORGANISATION).to_numpy()].notna().sum()
    return filled.assign(withheld_properties=filled["column"].map(withheld))


def tell_of_withheld(register: pd.DataFrame) -> pd.DataFrame:
    """Read off the published register what everybody knows of each property whose ratepayer is withheld.

    Args:
        register: the open register as it was released.

    Returns:
        ward_code, use, value_band: a row a property, in the words of the tables that count them.
    """
    withheld = register[register["released_name"].isna()]
    return pd.DataFrame(
        {
            "ward_code": withheld["ward_code"].fillna(NOT_TOLD),
            "use": group_descriptions(withheld["description"], withheld["description_code"]),
            "value_band": cut_bands(withheld["rateable_value_gbp"], VALUE_BANDS),
        }
    )
