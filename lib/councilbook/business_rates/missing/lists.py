"""Registers that know businesses by name, each brought into the same columns so that they can be linked to a roll."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from councilbook.study import Study

COLUMNS = ["unique_id", "name", "trading_name", "address", "postcode", "uprn", "register", "status", "kind"]
POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})")
LIVE_COMPANY = "Active"


def prepare_food(premises: pd.DataFrame) -> pd.DataFrame:
    """Bring the food hygiene ratings into the columns of a register.

    Args:
        premises: rows of the source food_hygiene_ratings. A business there is called what stands over its door.

    Returns:
        A row a premises, in COLUMNS.
    """
    return _arrange(
        pd.DataFrame(
            {
                "unique_id": premises["fhrs_id"],
                "name": premises["business_name"],
                "trading_name": premises["business_name"],
                "address": join_address(premises),
                "postcode": tidy_postcodes(premises["postcode"]),
                "register": "food_hygiene",
                "status": "live",
                "kind": premises["business_type"],
            }
        )
    )


def prepare_companies(companies: pd.DataFrame) -> pd.DataFrame:
    """Bring the free company data product into the columns of a register.

    Args:
        companies: rows of the source companies_house; the address is that of the registered office.

    Returns:
        A row a company, in COLUMNS; live if its status begins with Active.
    """
    live = companies["status"].str.startswith(LIVE_COMPANY)
    return _arrange(
        pd.DataFrame(
            {
                "unique_id": companies["company_number"],
                "name": companies["name"],
                "address": companies["address"],
                "postcode": tidy_postcodes(companies["postcode"]),
                "register": "companies_house",
                "status": companies["status"].mask(live, "live"),
                "kind": companies["category"],
            }
        )
    )


def prepare_charities(charities: pd.DataFrame) -> pd.DataFrame:
    """Bring the Scottish Charity Register into the columns of a register.

    Args:
        charities: rows of the source scottish_charity_register.

    Returns:
        A row a charity, in COLUMNS.
    """
    return _arrange(
        pd.DataFrame(
            {
                "unique_id": charities["charity_number"],
                "name": charities["name"],
                "address": charities["address"],
                "postcode": tidy_postcodes(charities["postcode"]),
                "register": "oscr",
                "status": charities["status"].where(charities["status"] != "Active", "live"),
                "kind": charities["legal_form"],
            }
        )
    )


def prepare_charity_commission(charities: pd.DataFrame) -> pd.DataFrame:
    """Bring the register of charities in England and Wales into the columns of a register.

    Args:
        charities: rows of the source charity_commission. A charity that is registered with another has that one's
            number, and its own after a hyphen.

    Returns:
        A row a charity, in COLUMNS.
    """
    linked = charities["linked_charity_number"]
    own = charities["charity_number"]
    return _arrange(
        pd.DataFrame(
            {
                "unique_id": own.where(linked == "0", own + "-" + linked),
                "name": charities["name"],
                "address": join_address(charities),
                "postcode": tidy_postcodes(charities["postcode"]),
                "register": "charity_commission",
                "status": charities["status"].where(charities["status"] != "Registered", "live"),
                "kind": charities["legal_form"],
            }
        )
    )


def prepare_directory(entries: pd.DataFrame) -> pd.DataFrame:
    """Bring a business directory into the columns of a register.

    Args:
        entries: rows of the source business_directory. A business there is called what it trades as.

    Returns:
        A row an entry, in COLUMNS; a directory does not say who has gone, so all are live.
    """
    return _arrange(
        pd.DataFrame(
            {
                "unique_id": entries["directory_id"],
                "name": entries["name"],
                "trading_name": entries["name"],
                "address": entries["address"],
                "postcode": tidy_postcodes(entries["postcode"]),
                "register": "directory",
                "status": "live",
                "kind": entries["category"],
            }
        )
    )


OF_SOURCE: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "food_hygiene_ratings": prepare_food,
    "companies_house": prepare_companies,
    "scottish_charity_register": prepare_charities,
    "charity_commission": prepare_charity_commission,
    "business_directory": prepare_directory,
}
OF_ORGANISATIONS = ("companies_house", "scottish_charity_register", "charity_commission")  # nobody else is on these


def load_registers(study: "Study", sources: Collection[str] = tuple(OF_SOURCE)) -> dict[str, pd.DataFrame]:
    """Load those of some registers that the council has, and that are of its nation.

    Args:
        study: as a notebook opened it.
        sources: their ids, of OF_SOURCE.

    Returns:
        By register, in COLUMNS.
    """
    there = [OF_SOURCE[source](study.load(source)) for source in sources if study.has(source)]
    return {one["register"].iloc[0]: one for one in there}


def join_address(premises: pd.DataFrame) -> pd.Series:
    """Join the lines of an address (address_1 and on) with commas; blank lines are left out, a blank one is missing."""
    lines = premises.filter(regex=r"^address_\d$").astype("object")
    joined = lines.apply(lambda row: ", ".join(line for line in row if isinstance(line, str) and line), axis="columns")
    text: pd.Series = joined.astype("str").replace("", None)
    return text


def tidy_postcodes(postcodes: pd.Series) -> pd.Series:
    """Write postcodes with one space before the inward part; what is no postcode is missing."""
    parts = postcodes.astype("str").str.upper().str.strip().str.extract(f"^{POSTCODE.pattern}$")
    tidied: pd.Series = parts[0].str.cat(parts[1], sep=" ")
    return tidied


def _arrange(register: pd.DataFrame) -> pd.DataFrame:
    arranged = register.reindex(columns=COLUMNS)
    return arranged.astype(dict.fromkeys(COLUMNS, "str")).where(arranged.notna()).reset_index(drop=True)
