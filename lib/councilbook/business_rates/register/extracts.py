"""The lists that people ask for most, cut from the open register."""

import pandas as pd

from councilbook.business_rates.names.persons import ORGANISATION
from councilbook.business_rates.register.open_register import remove_withheld_names
from councilbook.business_rates.register.properties import cut_bands

CREDIT_BANDS = {0: "up to £100", 100: "£100 to £1,000", 1_000: "£1,000 to £10,000", 10_000: "over £10,000"}


def find_new_since(roll: pd.DataFrame, as_of: str) -> str:
    """Return the day since when a ratepayer is new: a year before the roll's last start, or before now if it has none.

    A roll that was published years ago has no start in the last year, and the newest in it are asked for all the same.

    Args:
        roll: liability_start_date.
        as_of: ISO date of now.
    """
    last = roll["liability_start_date"].max()
    day = pd.Timestamp(as_of) if pd.isna(last) else last
    return str((day - pd.DateOffset(years=1)).date())


def list_extracts(
    register: pd.DataFrame, roll: pd.DataFrame, parties: pd.DataFrame, *, new_since: str
) -> dict[str, pd.DataFrame]:
    """Cut the extracts that people ask for most from the register: each asks for rows, and is laid out as it is.

    They hold organisations alone. That somebody is new, is owed money, has a relief or left a shop empty says something
    about them.

    Args:
        register: from `make_open_register`, or `changes.hold_back`.
        roll: the roll it was made of, for the credits.
        parties: from `persons.classify_parties`; where a row is held back, the credit is somebody else's by now.
        new_since: ISO date; who is liable since then or later is new.

    Returns:
        By name: new_ratepayers, empty_properties, accounts_in_credit (with credit_band), small_business_relief.
    """
    clean = register.assign(address=remove_withheld_names(register))
    named = clean[clean["is_organisation"].astype(bool)]
    own = roll[(parties["party"] == ORGANISATION).to_numpy()]
    credit = own.set_index("property_reference")["account_credit_gbp"].astype("float64")
    owed = named["property_reference"].map(credit).astype("float64")
    bands = cut_bands(owed, CREDIT_BANDS)
    is_empty = ~named["is_occupied"].astype("boolean").fillna(True)
    return {
        "new_ratepayers": named[named["liability_start_date"] >= pd.Timestamp(new_since)],
        "empty_properties": named[is_empty.to_numpy(dtype=bool)],
        "accounts_in_credit": named.assign(credit_band=bands)[(owed > 0).to_numpy()],
        "small_business_relief": named[named["small_business_relief"].notna()],
    }
