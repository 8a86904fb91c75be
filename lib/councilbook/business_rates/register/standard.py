"""The open register under the headings of the open standard for business rates.

It is the common format of the Open Data Collaboration at ODI Leeds (now Open Innovations;
https://odileeds.github.io/business-rates/format): a row a property, ISO dates, coordinates in WGS84.
"""

from collections.abc import Mapping

import pandas as pd

from councilbook.business_rates.register.open_register import FOR_GATE, RELIEFS

STANDARD: Mapping[str, str] = {  # our column, and the heading that the standard has for it
    "property_reference": "Property reference number",
    "ba_reference": "BA reference number",
    "released_name": "Ratepayer",
    "company_number": "Company number",
    "charity_number": "Charity number",
    "address": "Address",
    "postcode": "Postcode",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "is_occupied": "Occupied",
    "liability_start_date": "Liability start date",
    "empty_since_date": "Empty from",
    "rateable_value_gbp": "Rateable value",
    "description_code": "VOA code",
    "description": "VOA description",
    "exemption": "Exemptions",
}
RELIEF_TYPES = "Relief types"  # the words of all reliefs; "Relief mandatory" and the like are amounts there


def lay_out_standard(register: pd.DataFrame) -> pd.DataFrame:
    """Write a register under the headings and in the formats of the standard, for the gate's rule `register`.

    The gate writes REDACTED where a ratepayer is withheld, as the standard suggests: a blank says there that a property
    is empty.

    Args:
        register: from `make_open_register`.

    Returns:
        Text: the columns of STANDARD, RELIEF_TYPES, and FOR_GATE as they are.
    """
    text = pd.DataFrame({heading: _write_standard(register[column]) for column, heading in STANDARD.items()})
    words = register[[name for name in RELIEFS if name != "exemption"]].astype("str")
    text[RELIEF_TYPES] = ["; ".join(row.dropna()) or None for _, row in words.iterrows()]
    return text.astype("str").assign(**{name: register[name] for name in FOR_GATE})


def _write_standard(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "Y", False: "N"})
    if pd.api.types.is_datetime64_any_dtype(values):
        dates: pd.Series = values.dt.strftime("%Y-%m-%d")
        return dates
    return values.map("{:.12g}".format, na_action="ignore") if pd.api.types.is_numeric_dtype(values) else values
