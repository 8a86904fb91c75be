"""The open register: a row a property, which names organisations alone."""

import geopandas as gpd
import numpy as np
import pandas as pd

from councilbook.business_rates.names.evidence import CHARITY_REGISTERS, canonicalise_names
from councilbook.business_rates.names.persons import ORGANISATION, THRESHOLD, WITHHELD, check_same_rows
from councilbook.business_rates.names.wording import NO_EVIDENCE
from councilbook.business_rates.register.properties import fill_descriptions, hide_homes
from councilbook.business_rates.roll.contents import find_empty
from councilbook.errors import CheckError
from councilbook.gate.disclosure.registers import remove_names, split_words

PROPERTY = [
    *("property_reference", "ba_reference", "address", "postcode", "ward_code", "zone_code"),
    *("description_code", "description", "rateable_value_gbp", "latitude", "longitude"),
]
RELIEFS = ["small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief", "exemption"]
NUMBERS = ["company_number", "charity_number"]
OF_RATEPAYER = [*NUMBERS, "liability_start_date", "is_occupied", "empty_since_date", *RELIEFS]
FOR_GATE = ["is_organisation", "ratepayer_name"]
COMPANY_NUMBER = r"(?:[A-Z]{2}|\d{2})\d{6}"
DECIMALS = 5  # of a degree: a metre


def make_open_register(
    roll: pd.DataFrame,
    parties: pd.DataFrame,
    places: pd.DataFrame,
    homes: "pd.Series[bool]",
    numbers: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Lay out the roll for the gate's rule `register`: what that makes of it is open.

    Args:
        roll: the roll, a row a property.
        parties: a row a property, from `persons.classify_parties`.
        places: ward_code and zone_code of each row, from `properties.find_places`.
        homes: whether somebody lives in the property; its address is then made coarser, see `properties.hide_homes`.
        numbers: NUMBERS of each row, from `find_numbers`; a company number that they lack is the roll's own.

    Returns:
        A row a property by reference: PROPERTY, released_name, OF_RATEPAYER, the point, and FOR_GATE, which the gate
        reads and takes away. It has neither the ratepayer's own address nor the trading name, nor the UPRN, which
        gives the exact place of a home.

    Raises:
        CheckError: the parties are not those of the roll, or a reference is there twice.
    """
    check_same_rows(roll, parties)
    if roll["property_reference"].duplicated().any():
        raise CheckError(f"{int(roll['property_reference'].duplicated().sum())} property references are there twice.")
    empty = find_empty(roll)
    told = roll.assign(**places, description=fill_descriptions(roll), is_occupied=~empty)
    register = hide_homes(told, homes)
    register[["latitude", "longitude"]] = register[["latitude", "longitude"]].astype("float64").round(DECIMALS)
    register["released_name"] = parties["released_name"].to_numpy()
    for name in NUMBERS:
        register[name] = pd.Series(None if numbers is None else numbers[name].to_numpy(), register.index, dtype="str")
    own = roll["company_number"].astype("str").where(parties["released_name"].notna().to_numpy())
    is_number = own.str.fullmatch(COMPANY_NUMBER).fillna(False).astype(bool)
    register["company_number"] = register["company_number"].fillna(own.where(is_number))
    register["is_organisation"] = (parties["party"] == ORGANISATION).to_numpy()
    columns = [*PROPERTY, "released_name", *OF_RATEPAYER, *FOR_GATE]
    points = gpd.GeoSeries.from_xy(register["longitude"], register["latitude"], crs=4326)
    placed = register[["latitude", "longitude"]].notna().all(axis="columns").to_numpy()
    frame = gpd.GeoDataFrame(register[columns], geometry=points.where(placed, None).to_numpy(), crs=4326)
    return frame.sort_values("property_reference", ignore_index=True)


def find_numbers(
    parties: pd.DataFrame, links: pd.DataFrame | None, entries: pd.DataFrame | None, threshold: float = THRESHOLD
) -> pd.DataFrame:
    """Find the company and the charity number of each organisation whose name is that of a register entry.

    A likely link alone is not enough: a wrong number would say of one company what is another's.

    Args:
        parties: from `persons.classify_parties`.
        links: property_reference, register, unique_id and match_probability; None without a register.
        entries: unique_id, register and name.
        threshold: least probability of a link that counts; of several the likeliest is taken.

    Returns:
        NUMBERS, on the parties' index.
    """
    numbers = pd.DataFrame(None, index=parties.index, columns=NUMBERS, dtype="str")
    if links is None or entries is None:
        return numbers
    sure = links[links["match_probability"] >= threshold].merge(entries, on=["register", "unique_id"])
    named = sure.merge(parties[["property_reference", "released_name"]].dropna(), on="property_reference")
    same = canonicalise_names(named["name"].astype("str").fillna("")) == canonicalise_names(named["released_name"])
    best = named[same].sort_values("match_probability", kind="stable")
    for column, registers in zip(NUMBERS, [["companies_house"], CHARITY_REGISTERS], strict=True):
        own = best[best["register"].isin(registers)].drop_duplicates("property_reference", keep="last")
        found = parties["property_reference"].map(own.set_index("property_reference")["unique_id"])
        numbers[column] = found.astype("str")
    return numbers


def withhold_alike(parties: pd.DataFrame, roll: pd.DataFrame) -> pd.DataFrame:
    """Withhold a name that is withheld in another row, in whichever letters it is written there.

    A register's evidence holds for the row that is linked; another row of the same name may be somebody else's.

    Args:
        parties: from `persons.classify_parties`.
        roll: the roll.
    """
    withheld = roll["ratepayer_name"][(parties["party"] != ORGANISATION).to_numpy()].dropna()
    inside = {split_words(name) for name in withheld} - {()}
    alike = np.array([split_words(name) in inside for name in parties["released_name"].fillna("")], dtype=bool)
    safe = parties.copy()
    safe.loc[alike, ["party", "reason"]] = WITHHELD, NO_EVIDENCE
    safe["released_name"] = safe["released_name"].mask(alike)
    return safe


def list_withheld_names(register: pd.DataFrame) -> pd.Series:
    """List the names that a register withholds, as they are in the roll; missing ones are left out."""
    names: pd.Series = register.loc[~register["is_organisation"].astype(bool), "ratepayer_name"].dropna()
    return names


def remove_withheld_names(register: pd.DataFrame, others: pd.Series | None = None) -> pd.Series:
    """Return the addresses of a register without any name that is withheld, in whichever row it stands.

    The gate does so for a whole register. It cannot know whose names to take out of a list that was cut from it, nor
    who was withheld in another version.

    Args:
        register: address, and FOR_GATE.
        others: names withheld in other versions, which have to go as well.
    """
    names = [*list_withheld_names(register), *([] if others is None else others.dropna())]
    return remove_names(register["address"].astype("str"), names)
