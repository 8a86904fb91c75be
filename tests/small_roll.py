"""Small rolls, the registers made of them and the rule that lets these out, made up for tests of what is published."""

import pandas as pd

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import open_register, properties
from councilbook.business_rates.roll.rules import COLUMNS
from councilbook.catalogue import RegisterRule

APPROVER = "Information governance lead"
REGISTER = RegisterRule(
    rule="register",
    approver=APPROVER,
    law="Anybody may inspect the roll of properties.",
    public=open_register.PROPERTY,
    name="released_name",
    telling=open_register.OF_RATEPAYER,
    is_organisation="is_organisation",
    name_inside="ratepayer_name",
)


def make_roll(*rows, **columns):
    """Make a roll of rows that say what is different from a plain shop."""
    plain = {
        "address": "1, High Street, Kirkfold, ML1 1AA",
        "postcode": "ML1 1AA",
        "latitude": 55.123456789,
        "longitude": -4.0,
        "description": "SHOP AND PREMISES",
        "rateable_value_gbp": 9000.0,
        "liability_start_date": "2020-04-01",
        "is_occupied": True,
    }
    given = [{**plain, **row} for row in rows]
    frame = pd.DataFrame(given).assign(**columns).reindex(columns=list(COLUMNS))
    frame["property_reference"] = [f"R{9 - n}" for n in range(len(frame))]
    texts = [name for name, kind in COLUMNS.items() if kind == "VARCHAR"]
    frame = frame.astype(dict.fromkeys(texts, "str") | {"is_occupied": "boolean", "rateable_value_gbp": "Float64"})
    for name in ("liability_start_date", "empty_since_date"):
        frame[name] = pd.to_datetime(frame[name])
    return frame.astype({"account_credit_gbp": "Float64"})


NOWHERE = {"ward_code": None, "zone_code": None}


def make_places(roll):
    return pd.DataFrame(NOWHERE, index=roll.index, dtype="str")


def make_register(roll, places=None):
    parties, homes = persons.classify_parties(roll), properties.find_homes(roll)
    return open_register.make_open_register(roll, parties, make_places(roll) if places is None else places, homes)
