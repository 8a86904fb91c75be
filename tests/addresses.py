"""What becomes of each address, by the rules that the register uses one after the other."""

import numpy as np
import pandas as pd

from councilbook.business_rates.names.person_addresses import find_home_addresses, redact_roll

AS_LISTED = "as in the rating list"


NAME_REMOVED = "a line that may name a person was taken out"


HOME = "may be a home"


NO_ADDRESS = "no address given"


ADDRESS_REASONS = {
    AS_LISTED: "Published: the property's own address, as in the public rating list",
    NAME_REMOVED: "Published without a line that names, or may name, a person",
    HOME: "To be made coarser: somebody may live there",
    NO_ADDRESS: "The roll has no address",
}

ADDRESS_COLUMNS = ["property_reference", "reason", "is_home", "redacted_address"]


def classify_addresses(roll: pd.DataFrame, parties: pd.DataFrame) -> pd.DataFrame:
    """Decide for each property whether its address may be published as it is: ADDRESS_COLUMNS, a row a property."""
    redacted = redact_roll(roll, parties)
    is_home = find_home_addresses(roll, parties)
    removed = (redacted != roll["address"]).fillna(roll["address"].notna()).to_numpy(dtype=bool)
    blank = roll["address"].isna().to_numpy()
    reason = np.select([blank, is_home.to_numpy(), removed], [NO_ADDRESS, HOME, NAME_REMOVED], AS_LISTED)
    return pd.DataFrame(
        {
            "property_reference": roll["property_reference"],
            "reason": pd.Series(reason, index=roll.index, dtype="str"),
            "is_home": is_home,
            "redacted_address": redacted,
        }
    )
