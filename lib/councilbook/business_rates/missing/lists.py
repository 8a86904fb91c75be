"""Registers that know businesses by name, each brought into the same columns so that they can be linked to a roll."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from councilbook.study import Study

COLUMNS = ["unique_id", "name", "trading_name", "address", "postcode", "uprn", "register", "status", "kind"]
POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})")


@dataclass(frozen=True)
class Layout:
    """How a source's columns become those of a register.

    Attributes:
        register: its name in the column register.
        key: columns whose values, joined by a hyphen, name a record; what is 0 in one after the first is left out.
        kind: the column that says what kind of business or body it is.
        live: how the status of one that still is begins; None where the source does not say who has gone.
        trades: whether it calls a business what stands over its door.
    """

    register: str
    key: tuple[str, ...]
    kind: str
    live: str | None = None
    trades: bool = False


OF_SOURCE: Mapping[str, Layout] = {
    "food_hygiene_ratings": Layout("food_hygiene", ("fhrs_id",), "business_type", trades=True),
    "companies_house": Layout("companies_house", ("company_number",), "category", "Active"),
    "scottish_charity_register": Layout("oscr", ("charity_number",), "legal_form", "Active"),
    "charity_commission": Layout(
        "charity_commission", ("charity_number", "linked_charity_number"), "legal_form", "Registered"
    ),
    "business_directory": Layout("directory", ("directory_id",), "category", trades=True),
}
OF_ORGANISATIONS = ("companies_house", "scottish_charity_register", "charity_commission")  # nobody else is on these


def prepare_register(source: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Bring the rows of a source into the columns of a register.

    Args:
        source: its id, of OF_SOURCE.
        rows: as `Study.load` gives them. The address of a company is that of its registered office.

    Returns:
        A row a record, in COLUMNS; status is live for who still is, and as in the source for the others.
    """
    layout = OF_SOURCE[source]
    name = rows["business_name"] if "business_name" in rows else rows["name"]
    register = pd.DataFrame(
        {
            "unique_id": find_keys(source, rows),
            "name": name,
            "trading_name": name if layout.trades else None,
            "address": rows["address"] if "address" in rows else join_address(rows),
            "postcode": tidy_postcodes(rows["postcode"]),
            "uprn": None,
            "register": layout.register,
            "status": "live" if layout.live is None else _tell_status(rows["status"].astype("str"), layout.live),
            "kind": rows[layout.kind],
        }
    )
    return register.astype(dict.fromkeys(COLUMNS, "str")).reset_index(drop=True)


def find_keys(source: str, rows: pd.DataFrame) -> pd.Series:
    """Name each record of a source; a charity that is registered with another has that one's number before its own."""
    first, *others = OF_SOURCE[source].key
    keys = rows[first].astype("str")
    for column in others:
        keys = keys.where(rows[column] == "0", keys + "-" + rows[column])
    return keys


prepare_food = partial(prepare_register, "food_hygiene_ratings")
prepare_companies = partial(prepare_register, "companies_house")
prepare_directory = partial(prepare_register, "business_directory")


def load_registers(
    study: "Study", sources: Collection[str] = tuple(OF_SOURCE), links: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Load those of some registers that the council has, and that are of its nation.

    Args:
        study: as a notebook opened it.
        sources: their ids, of OF_SOURCE.
        links: register and unique_id; of the others, no record is kept, so that millions take no memory. All are kept
            if it is not given.

    Returns:
        By register, in COLUMNS.
    """
    found = {}
    for source in (one for one in sources if study.has(one)):
        layout, keep = OF_SOURCE[source], None
        if links is not None:
            linked = links.loc[links["register"] == layout.register, "unique_id"]
            keep = partial(_is_linked, source, set(linked))
        found[layout.register] = prepare_register(source, study.load(source, keep=keep))
    return found


def store_registers(study: "Study", folder: Path) -> dict[str, pd.DataFrame | Path]:
    """Load the registers that a council has, those of millions of rows into files, so that they take no memory.

    Args:
        study: as a notebook opened it.
        folder: where the files go.

    Returns:
        By register, in COLUMNS; of a source that is read piece by piece, a Parquet file with all its right rows.
    """
    found: dict[str, pd.DataFrame | Path] = {}
    for source in (one for one in OF_SOURCE if study.has(one)):
        is_large = study.catalogue.source(source).table().stream
        register = _store_register(study, source, folder) if is_large else prepare_register(source, study.load(source))
        found[OF_SOURCE[source].register] = register
    return found


def _store_register(study: "Study", source: str, folder: Path) -> Path:
    path, schema = folder / f"{source}.parquet", pa.schema([(name, pa.string()) for name in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:

        def write(rows: pd.DataFrame) -> "pd.Series[bool]":
            register = prepare_register(source, rows)
            writer.write_table(pa.Table.from_pandas(register, schema=schema, preserve_index=False))
            return pd.Series(False, index=rows.index)

        study.load(source, keep=write)
    return path


def find_records(registers: Mapping[str, pd.DataFrame | Path], keys: Collection[str]) -> pd.DataFrame:
    """Find the records of registers, from `store_registers`, that have one of some unique_ids."""
    wanted = ("unique_id", "in", set(keys))
    parts = [
        pd.read_parquet(one, filters=[wanted]) if isinstance(one, Path) else one[one["unique_id"].isin(set(keys))]
        for one in registers.values()
    ]
    return pd.concat(parts, ignore_index=True)


def _is_linked(source: str, linked: Collection[str], rows: pd.DataFrame) -> "pd.Series[bool]":
    return find_keys(source, rows).isin(list(linked))


def _tell_status(status: pd.Series, live: str) -> pd.Series:
    return status.mask(status.str.startswith(live), "live")


def join_address(premises: pd.DataFrame) -> pd.Series:
    """Join the lines of an address (address_1 and on) with commas; blank lines are left out, a blank one is missing."""
    lines = premises.filter(regex=r"^address_\d$").astype("str").fillna("")
    joined = pd.Series("", index=premises.index, dtype="str")
    for _, line in lines.items():
        joined = joined + line.mask((joined != "") & (line != ""), ", " + line)
    return joined.replace("", None)


def tidy_postcodes(postcodes: pd.Series) -> pd.Series:
    """Write postcodes with one space before the inward part; what is no postcode is missing."""
    parts = postcodes.astype("str").str.upper().str.strip().str.extract(f"^{POSTCODE.pattern}$")
    tidied: pd.Series = parts[0].str.cat(parts[1], sep=" ")
    return tidied
