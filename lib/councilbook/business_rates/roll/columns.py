"""Which column of a council's roll is which of ours: by its header, or by what the council confirmed.

A column that cannot be told is not used, and is said. Two headers that councils have used for one column are an error:
a roll is never read half wrong. What the cells say to it is in `cells`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import pandas as pd

from councilbook.business_rates.roll.headers import (
    UNUSED,
    Meaning,
    find_list_in_force,
    normalise_header,
    read_header,
    read_words,
)
from councilbook.business_rates.roll.rules import COLUMNS, KINDS, PSEUDO_TARGETS, REFERENCES, RELIEF_TARGETS, Kind, Use
from councilbook.errors import CheckError, suggest

Found = Literal["known header", "guessed from header", "guessed from cells", "confirmed", "not used"]

TARGETS = (*COLUMNS, *PSEUDO_TARGETS)
ADDED = ("ratepayer_address", "address_place", "exemption", *RELIEF_TARGETS)  # a guess adds to what is known
JOINED = ("ratepayer_name", "address", *ADDED)
ONE_STEM = ("ratepayer_name",)  # parts of one name may be joined, two kinds of name may not
GIVES_WAY_TO = {"address": "ratepayer_address", "addr": "ratepayer_address", "addressline": "ratepayer_address",
                "postcode": "ratepayer_address"}  # fmt: skip
PART_OF_ADDRESS = 2  # rank of headers as "Street"
WHERE_TO_CORRECT = "in the file of columns in the closed folder, which `councilbook columns` writes"
NOT_KNOWN = "Warning: not used; no council's header that is known."
NO_NEED = "Not used: nothing here is made of it."


@dataclass(frozen=True)
class Column:
    """A column of a file, what it is taken for, and why.

    Attributes:
        position: in the file, from 0.
        header: as it stands there.
        target: the canonical column; None if it is not used.
        found: how that was found.
        fits_pct: of its cells that are not blank, the share that can be read so; None where any text would do.
        note: what the caller should know of it.
        dates: how its dates are written, if it has dates.
        keeps_decimals: whether the decimals of its references tell them apart; else those of a spreadsheet go.
    """

    position: int
    header: str
    target: str | None
    found: Found
    fits_pct: float | None = None
    note: str = ""
    dates: Kind = "day"
    keeps_decimals: bool = False


def count_known(header: Sequence[str]) -> int:
    """Count the headers that are known, or could be guessed; this is how the header row is found."""
    return sum(bool(cell.strip()) and read_words(cell).target is not None for cell in header)


def map_header(header: Sequence[str], on: date | None = None) -> list[Column]:
    """Map a file's headers to canonical columns by their words alone.

    Args:
        header: its cells.
        on: the day of the roll, by which the list of values in force is chosen where a file has several; the last of
            them unless it is given.

    Raises:
        CheckError: two headers that councils have used claim one column.
    """
    meanings = [read_header(cell) for cell in header]
    chosen = _choose_list([one.year for one in meanings if one.year], on)
    best: dict[str, int] = {}
    for one in meanings:
        if one.target and one.is_known:
            best[one.target] = min(one.rank, best.get(one.target, one.rank))
    has_lines = any(
        one.target == "address" and re.search(r"\d$", cell.strip()) for one, cell in zip(meanings, header, strict=True)
    )
    columns = []
    for place, (cell, one) in enumerate(zip(header, meanings, strict=True)):
        column = _choose(place, cell, one, best, has_lines)
        columns.append(_note_list(column, one, chosen, on) if one.year else column)
    return _settle(_send_places_away(_send_second_address_away(_add_guesses(columns, meanings))))


def apply_mapping(header: Sequence[str], mapping: Mapping[str, str | None]) -> list[Column]:
    """Map a file's headers as a council has confirmed; a header that it does not know is not used, and that is said.

    Args:
        mapping: by header, the canonical column or None; see `store_mapping`.

    Raises:
        CheckError: it names a column that there is not, or a header that the file has not.
    """
    if wrong := [target for target in mapping.values() if target is not None and target not in TARGETS]:
        raise CheckError(f"The mapping names a column {wrong[0]!r} that there is not.{suggest(wrong[0], TARGETS)}")
    names = list(_name_columns(header))
    if absent := [name for name, target in mapping.items() if target and name not in names]:
        told = f"which the mapping reads as {mapping[absent[0]]}"
        raise CheckError(f"The file has no column {absent[0]!r}, {told}; mend that {WHERE_TO_CORRECT}.")
    columns = []
    for place, (name, cell) in enumerate(zip(names, header, strict=True)):
        target = mapping.get(name)
        note = "" if name in mapping or not cell.strip() else "New: it is not in the mapping that was confirmed."
        columns.append(Column(place, cell, target, "confirmed" if target else "not used", note=note))
    for target in {column.target for column in columns} - {None, *JOINED}:
        same = [column.header.strip() for column in columns if column.target == target]
        if len(same) > 1:
            raise CheckError(f"The mapping reads {' and '.join(map(repr, same))} both as {target}; give one of them.")
    return columns


def store_mapping(columns: Sequence[Column]) -> dict[str, str | None]:
    """Return a mapping that can be kept as JSON or YAML, and given back once the council has confirmed it.

    A header that comes again is counted, as "Date From (2)"; a blank one that is used is called "(blank)".
    """
    names = _name_columns([column.header for column in columns])
    return {
        name: column.target
        for name, column in zip(names, columns, strict=True)
        if column.header.strip() or column.target
    }


def list_uses(columns: Sequence[Column]) -> list[Use]:
    """Return what the columns are used for, in the order of the file."""
    uses = []
    for column in columns:
        if column.target is not None:
            kind = KINDS.get(column.target, "text")
            if column.target in REFERENCES:
                kind = "text" if column.keeps_decimals else "reference"
            label = re.sub(r"\s*\bY\s*/\s*N\b", "", column.header, flags=re.IGNORECASE).strip()
            uses.append(Use(column.position, label, column.target, column.dates if kind == "day" else kind))
    return uses


def show_columns(columns: Sequence[Column]) -> pd.DataFrame:
    """Return the mapping as a table for readers: file_column, position (from 1), column, found, fits_pct, note."""
    rows = [
        (column.header.strip(), column.position + 1, column.target, column.found, column.fits_pct, column.note)
        for column in columns
        if column.header.strip() or column.note
    ]
    return pd.DataFrame(rows, columns=["file_column", "position", "column", "found", "fits_pct", "note"])


def require_address(columns: Sequence[Column]) -> None:
    """Raise a CheckError if no column is the address of the property."""
    if not any(column.target == "address" for column in columns):
        told = "No column of the roll could be taken for the property's address."
        raise CheckError(f"{told} If it has one, say which {WHERE_TO_CORRECT}.")


def _choose(place: int, header: str, meaning: Meaning, best: Mapping[str, int], has_lines: bool) -> Column:
    """Choose what a header stands for; a street is a part of an address that is written in lines."""
    target = meaning.target if meaning.is_known else None
    if target is None:
        return Column(place, header, None, "not used", note=NOT_KNOWN if header.strip() else "")
    found: Found = "known header" if meaning.is_exact else "guessed from header"
    if target == "address_name":
        return Column(place, header, "address", found)
    if target in (UNUSED, "occupation_status"):
        return Column(place, header, None, "not used")
    if meaning.rank == best[target] or (target == "address" and meaning.rank == PART_OF_ADDRESS and has_lines):
        return Column(place, header, target, found)
    if meaning.key in GIVES_WAY_TO:
        note = f"As another column is the property's {target}."
        return Column(place, header, GIVES_WAY_TO[meaning.key], found, note=note)
    return Column(place, header, None, "not used", note=f"Another column tells {target} better.")


def _choose_list(years: Sequence[int], on: date | None) -> int | None:
    """Choose the last list that is in force on a day; if all come into force later, the first of them."""
    past = [year for year in years if on is None or date(year, 4, 1) <= on]
    return max(past, default=min(years, default=None))


def _note_list(column: Column, meaning: Meaning, chosen: int | None, on: date | None) -> Column:
    """Say of which list a column's values are, and take them only from the one that was chosen."""
    year = find_list_in_force(meaning.year or 0)
    in_force = None if on is None else find_list_in_force(on.year if on >= date(on.year, 4, 1) else on.year - 1)
    if column.target is None:
        note = "Warning: not used, as another column has no year; it has the list in force on the day of the roll."
        return replace(column, note=note) if year == in_force else column
    if meaning.year != chosen:
        return replace(column, target=None, found="not used", note=f"Another column tells the values of {chosen}.")
    note = f"Its values are those of the list of {year}."
    if in_force not in (None, year):
        note = f"Warning: its{note[3:-1]}; on the day of the roll that of {in_force} is in force."
    return replace(column, note=note)


def _add_guesses(columns: list[Column], meanings: Sequence[Meaning]) -> list[Column]:
    """Add what is guessed from the words of a header where nothing known tells it."""
    parts = [
        meanings[column.position].rank >= PART_OF_ADDRESS for column in columns if column.target == "address"
    ]  # of an address
    taken = {column.target for column in columns} - ({"address"} if all(parts) else set())
    for place, guess in enumerate(meanings):
        if guess.is_known or guess.target is None:
            continue
        if guess.target in ADDED or guess.target not in taken:
            columns[place] = replace(columns[place], target=guess.target, found="guessed from header", note="")
        else:
            note = f"Warning: not used; it could be {guess.target}, which another column tells."
            columns[place] = replace(columns[place], note=note)
    return columns


def _send_second_address_away(columns: list[Column]) -> list[Column]:
    """Read a second "Address 1", "Address 2" as the ratepayer's; a series without numbers is one address.

    Raises:
        CheckError: an "Address" without a number comes again further on, so one of the two may be the ratepayer's.
    """
    seen: dict[str, int] = {}
    for place, column in enumerate(columns):
        words = normalise_header(column.header)
        if column.target == "address" and (key := read_header(column.header).key) in GIVES_WAY_TO and words not in seen:
            others = GIVES_WAY_TO.keys() - ({key} if words[-1:].isdigit() else ())  # as "Address Line 1"
            lines = [one.position for one in columns[:place] if one.target == "address"]
            lines = [one for one in lines if read_header(columns[one].header).key in others]
            if lines and any(one.target != "address" and one.header.strip() for one in columns[lines[-1] + 1 : place]):
                seen[words] = lines[-1]
        if column.target == "address" and words in seen and words[-1:].isdigit():
            note = "Warning: its header comes a second time; it is taken for the ratepayer's address."
            columns[place] = replace(column, target="ratepayer_address", note=note)
        elif column.target == "address" and words in seen:
            between = columns[seen[words] + 1 : place]
            if any(one.target != "address" and one.header.strip() for one in between):
                raise CheckError(
                    f"Columns {seen[words] + 1} and {place + 1} ({columns[seen[words]].header.strip()!r} and "
                    f"{column.header.strip()!r}) are both an address. One of them may be the ratepayer's own address, "
                    f"and not the property's. Say which {WHERE_TO_CORRECT}."
                )
        seen[words] = place
    return columns


def _send_places_away(columns: list[Column]) -> list[Column]:
    """Read a town or county that stands after the ratepayer's address as part of that, unless it says otherwise."""
    before = "address"
    for column in columns:
        if column.target in ("address", "ratepayer_address"):
            before = column.target
        is_told = re.match(r"prop|prem|hered", normalise_header(column.header))
        if column.target == "address_place" and before != "address" and not is_told:
            note = "It stands with the ratepayer's address."
            columns[column.position] = replace(column, target="ratepayer_address", note=note)
    return columns


def _settle(columns: list[Column]) -> list[Column]:
    """Let one column alone tell what only one can."""
    for target in dict.fromkeys(column.target for column in columns if column.target):
        same = [column for column in columns if column.target == target]
        known = [column for column in same if column.found == "known header"]
        stems = {read_header(column.header).key for column in known}
        if len(stems) > 1 and (target not in JOINED or target in ONE_STEM):
            headers = " and ".join(repr(column.header.strip()) for column in known)
            raise CheckError(f"Columns {headers} could both be {target}. Say which {WHERE_TO_CORRECT}.")
        first = min(same, key=lambda column: (column.found != "known header", column.position))
        for other in same:
            is_alike = read_header(other.header).key == read_header(first.header).key
            if other is first or (target in JOINED and (target not in ONE_STEM or is_alike)):
                continue
            note = f"Warning: a second column of this name; the first is read as {target}."
            if not is_alike:
                note = f"Warning: not used; it could be {target}, which {first.header.strip()!r} is read as."
            columns[other.position] = replace(other, target=None, found="not used", note=note)
    if any(column.target == "is_occupied" for column in columns):
        for column in [column for column in columns if column.target == "is_empty"]:
            note = "Another column tells is_occupied."
            columns[column.position] = replace(column, target=None, found="not used", note=note)
    return columns


def _name_columns(header: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for cell in header:
        name = cell.strip() or "(blank)"
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"
