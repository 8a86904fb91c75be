"""How the tables of a workbook, zip or folder become the one table of a roll.

Sheets with the same headers follow each other; one that has other headers and a reference (reliefs, exemptions) is
joined to the properties by it. What was joined, what did not join and what was left out is said.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from councilbook.business_rates.ledger.sheets import ReadText, list_tables
from councilbook.business_rates.ledger.texts import Record
from councilbook.business_rates.roll.columns import count_known, map_header
from councilbook.business_rates.roll.headers import could_be_header, join_headers, normalise_header
from councilbook.business_rates.roll.rules import RELIEF_TARGETS
from councilbook.errors import SourceError

ROWS_SEARCHED_FOR_HEADER = 40
LEAST_KNOWN = 3  # headers, to be sure of a header row
LEAST_KNOWN_BESIDE = 2  # of a table that is joined by a reference, which is one of them
REFERENCES = ("property_reference", "ba_reference", "uprn")
OF_RELIEFS = (*RELIEF_TARGETS, "exemption")
MOST_AT_ONE = 12  # rows of a joined table at one property
SAME_EDITION = 0.5  # of the references of a table; more are in another one, where both are editions of one roll
LEAST_FILLED = 0.5  # of the rows, for cells right of the last header to be a column of their own


@dataclass(frozen=True)
class Sheet:
    """A table of a workbook, zip or folder: its name, and its records from the header on."""

    name: str
    records: list[Record]

    @property
    def header(self) -> list[str]:
        """Its header's cells, without blanks around."""
        return [cell.strip() for cell in self.records[0][1]]


@dataclass(frozen=True)
class Joined:
    """The one table that several became.

    Attributes:
        records: from the header on.
        notes: by what of the file they are about, what was joined and what was left out.
        above: the text above the header, and of sheets without one.
    """

    records: list[Record]
    notes: Mapping[str, str]
    above: str


class NoHeaderError(SourceError):
    """No row near the top of a file has headers of a roll."""


def join_tables(path: Path, read_text: ReadText, confirmed: Sequence[str] = ()) -> Joined:
    """Read the tables of a workbook, zip or folder, and put them together.

    Args:
        path: the file.
        read_text: reads the records of a text in a zip or folder.
        confirmed: headers that the council has named.

    Raises:
        SourceError: it cannot be read, no sheet of it is a roll, or two are editions of the same one.
    """
    found, notes, above = [], {}, {}
    for name, is_hidden, read in list_tables(path, read_text):
        if is_hidden:
            notes[name] = "Warning: a hidden sheet; it was left out."
            continue
        sheet = _cut_to_header(name, records := read(), confirmed)
        above[name] = write_above(records, sheet.records[0][0] if sheet else ROWS_SEARCHED_FOR_HEADER)
        if sheet:
            found.append(sheet)
        else:
            notes[name] = "No row of it is the header of a roll; it was left out."
    able = [sheet for sheet in found if _count(sheet.header, confirmed) >= LEAST_KNOWN]
    if not able:
        raise NoHeaderError(
            f"{path.name}: none of its sheets or files ({', '.join(notes) or 'none'}) has the header of a roll among "
            f"its first {ROWS_SEARCHED_FOR_HEADER} rows (at least {LEAST_KNOWN} columns that can be told)."
        )
    main = max(able, key=_rank)
    stacked, notes = _stack(main, found, notes, path)
    for sheet in found:
        if sheet is not main and sheet.name not in notes:
            stacked, notes[sheet.name] = _join(stacked, sheet, path)
    return Joined(stacked.records, notes, " ".join([above.pop(main.name), *above.values()]))


def write_above(records: Sequence[Record], header: int) -> str:
    """Write the text of the rows above a header, as a roll's title."""
    return " ".join(cell.strip() for row, cells in records if row < header for cell in cells if cell.strip())


def _rank(sheet: Sheet) -> tuple[int, int, int]:
    """Rank a table as the one that others are joined to: by what it says of properties, then of reliefs, then rows."""
    targets = _find_targets(sheet.header)
    return len(targets - set(OF_RELIEFS)), len(targets), len(sheet.records)


def list_tops(path: Path, read_text: ReadText) -> list[Record]:
    """Return the rows among which the header of a workbook or zip must be."""
    tables = [read() for _, is_hidden, read in list_tables(path, read_text) if not is_hidden]
    return [record for records in tables for record in records[:ROWS_SEARCHED_FOR_HEADER]]


# --- one table of several ----------------------------------------------------------------------------------


def _cut_to_header(name: str, records: list[Record], confirmed: Sequence[str]) -> Sheet | None:
    """Cut a table to its header and what is below; None if it has no header that can be told."""
    known, first, header = pick_header(records[:ROWS_SEARCHED_FOR_HEADER], confirmed)
    if known < LEAST_KNOWN_BESIDE:
        return None
    below = [(records[first][0], header), *records[first + 1 :]]
    width = _find_width(below)
    cut = [(row, cells[:width] + [""] * (width - len(cells)) + _list_beyond(cells, width)) for row, cells in below]
    return Sheet(name, cut)


def pick_header(records: Sequence[Record], confirmed: Sequence[str]) -> tuple[int, int, list[str]]:
    """Pick the row with most known headers, alone or joined with the row above: how many, its place, the headers."""
    best: tuple[int, int, list[str]] = (0, 0, [])
    for place, (_, cells) in enumerate(records):
        joined = join_headers(records[place - 1][1], cells) if place else cells
        if (known := _count(joined, confirmed)) > best[0] and could_be_header(cells, known):
            best = (known, place, joined)
    return best


def _count(cells: Sequence[str], confirmed: Sequence[str]) -> int:
    return max(count_known(cells), sum(cell.strip() in confirmed for cell in cells))


def _find_width(records: Sequence[Record]) -> int:
    """Return how many columns a table has: up to its last header, and beyond it those that most rows fill."""
    header = records[0][1]
    named = max(place for place, cell in enumerate(header, 1) if cell.strip())
    beyond = Counter(
        place for _, cells in records[1:] for place, cell in enumerate(cells[named:], named + 1) if cell.strip()
    )
    return max((place for place, count in beyond.items() if count > LEAST_FILLED * len(records)), default=named)


def _list_beyond(cells: list[str], width: int) -> list[str]:
    return cells[width:] if any(cell.strip() for cell in cells[width:]) else []


def find_target(header: str) -> str | None:
    """Return what a header alone is taken for."""
    return map_header([header])[0].target if header.strip() else None


def _find_targets(header: Sequence[str]) -> set[str]:
    return {target for cell in header if (target := find_target(cell))}


def _stack(main: Sheet, sheets: Sequence[Sheet], notes: dict[str, str], path: Path) -> tuple[Sheet, dict[str, str]]:
    """Put the other parts of a roll below the main one; their rows are counted on from a round number."""
    parts = [(sheet, order) for sheet in sheets if sheet is not main and (order := _line_up(main, sheet)) is not None]
    if not parts:
        return main, notes
    step = 10 ** len(str(max(sheet.records[-1][0] for sheet in (main, *(sheet for sheet, _ in parts)))))
    keys = _find_keys(main, main)
    records, seen, width = list(main.records), _list_keys(main, keys[0][0]) if keys else set[str](), len(main.header)
    for number, (sheet, order) in enumerate(parts, 1):
        rows = [
            (row, [*("" if place is None else cells[place] for place in order), *cells[len(sheet.header) :]])
            for row, cells in sheet.records[1:]
        ]
        own = {_clean_key(cells[keys[0][0]]) for _, cells in rows} - {""} if keys else set()
        if own and len(own & seen) > SAME_EDITION * min(len(own), len(seen)):
            if not _has_same_names(main, sheet):
                continue  # it says more of the same properties
            raise SourceError(
                f"{path.name}: {main.name!r} and {sheet.name!r} hold the same properties, as two editions of one roll "
                "do. Keep the one that is meant."
            )
        seen |= own
        records += [(number * step + row, cells) for row, cells in rows]
        lacks = [cell for cell, place in zip(main.header, order[:width], strict=True) if cell and place is None]
        notes[sheet.name] = (
            f"It has the headers of {main.name!r}, so its {len(rows):,} rows follow; row 1 of it is "
            f"counted as row {number * step + 1:,}." + (f" It lacks {', '.join(lacks)}." if lacks else "")
        )
    return Sheet(main.name, records), notes


def _line_up(main: Sheet, other: Sheet) -> list[int | None] | None:
    """Find where each column of the main table stands in another part of the roll; None if it is no such part.

    Columns are told by their names, else by what they are taken for, in the order in which they come. A part has all
    columns of its own in the main table, and the address of the property among them, or the very same headers.
    """
    ours, theirs = (list(map(normalise_header, sheet.header)) for sheet in (main, other))
    order: list[int | None] = [theirs.index(name) if name in theirs else None for name in ours]
    if _has_same_names(main, other):
        return order
    left = [place for place, cell in enumerate(theirs) if cell and place not in order]
    for number, cell in enumerate(main.header):
        target = find_target(cell)
        same = [place for place in left if target and find_target(other.header[place]) == target]
        if order[number] is None and same:
            order[number] = same[0]
            left.remove(same[0])
    told = {find_target(main.header[number]) for number, place in enumerate(order) if place is not None}
    return order if not left and {"address", "rateable_value_gbp"} <= told else None


def _has_same_names(main: Sheet, other: Sheet) -> bool:
    ours, theirs = (sorted(map(normalise_header, sheet.header)) for sheet in (main, other))
    return ours == theirs


def _join(main: Sheet, other: Sheet, path: Path) -> tuple[Sheet, str]:
    """Join a table to the properties by a reference; return what came of it, and what is to be said."""
    keys = _find_keys(main, other)
    if not keys:
        return main, f"Warning: it has no reference by which it could be joined to {main.name!r}; it was left out."
    here, there = max(keys, key=lambda pair: len(_list_keys(main, pair[0]) & _list_keys(other, pair[1])))
    known, asked = _list_keys(main, here), _list_keys(other, there)
    if not known & asked:
        raise SourceError(
            f"{path.name}: none of the {len(asked):,} references of {other.name!r} (column {other.header[there]!r}) is "
            f"among those of {main.name!r} ({main.header[here]!r}). Take it out, or give both the same references."
        )
    places, names, dropped = _choose_columns(main, other, there)
    pieces: dict[str, list[tuple[str, ...]]] = {}
    for _, cells in other.records[1:]:
        piece, key = tuple(cells[place].strip() for place in places), _clean_key(cells[there])
        if key and piece not in (of_one := pieces.setdefault(key, [])) and any(piece):
            of_one.append(piece)
    times = max(len(pieces[key]) for key in known & asked)
    if times > MOST_AT_ONE:
        raise SourceError(
            f"{path.name}: {other.name!r} has up to {times:,} rows at one reference (column {other.header[there]!r}), "
            "so they are not of properties. Take it out, or keep the rows of this year."
        )
    header = [f"{name} ({time})" if time > 1 else name for time in range(1, times + 1) for name in names]
    records = [(main.records[0][0], [*main.records[0][1], *header])]
    width = len(main.header)
    for row, cells in main.records[1:]:
        own = [cell for piece in pieces.get(_clean_key(cells[here]), []) for cell in piece]
        records.append((row, cells[:width] + own + [""] * (len(header) - len(own)) + cells[width:]))
    lost = len(asked - known)
    note = (
        f"{len(other.records) - 1:,} rows, joined by {other.header[there]!r} to {len(known & asked):,} properties of "
        f"{main.name!r}; not there: {lost:,} of its {len(asked):,} references."
    )
    if dropped:
        note += f" {main.name!r} has these columns as well, and they count: {', '.join(dropped)}."
    return replace(main, records=records), f"Warning: {note}" if lost > SAME_EDITION * len(asked) else note


def _find_keys(main: Sheet, other: Sheet) -> list[tuple[int, int]]:
    """Return pairs of columns by which tables could be joined: known references of one kind, and others of one name."""
    pairs = []
    for here, cell in enumerate(main.header):
        for there, beside in enumerate(other.header):
            kind = find_target(cell)
            is_known = kind in REFERENCES and kind == find_target(beside)
            is_named = normalise_header(cell) == normalise_header(beside)
            if is_known or (is_named and re.search(r"\b(ref\w*|account|id|number|no)\b", normalise_header(cell))):
                pairs.append((here, there))
    return pairs


def _list_keys(sheet: Sheet, place: int) -> set[str]:
    return {_clean_key(cells[place]) for _, cells in sheet.records[1:]} - {""}


def _clean_key(cell: str) -> str:
    """Write a reference so that a number and its text are the same."""
    return re.sub(r"\s+|^'", "", cell).casefold().removesuffix(".0").lstrip("0")


def _choose_columns(main: Sheet, other: Sheet, key: int) -> tuple[list[int], list[str], list[str]]:
    """Choose what is joined of a table: positions, the names they get, and what the main table has already.

    Of a table of reliefs or exemptions only these keep their names: its `Start Date` is not the account's, nor is its
    `Description` the property's.
    """
    about = _name_subject(other)
    own = _find_targets(main.header)
    places, names, dropped = [], [], []
    for place, cell in enumerate(other.header):
        if place == key or not any(cells[place].strip() for _, cells in other.records[1:]):
            continue
        target = find_target(cell)
        if target in own and target not in OF_RELIEFS and (not about or target in (*REFERENCES, "address", "postcode")):
            dropped.append(cell)
            continue
        places.append(place)
        names.append(_name_joined(about, cell))
    return places, names, dropped


def _name_joined(about: str, header: str) -> str:
    """Name a joined column so that it is taken for what it is: `Type` among exemptions is an `Exemption Type`."""
    if not about or about.casefold() in header.casefold():
        return header
    longer = f"{about} {header}"
    return header if find_target(header) in OF_RELIEFS and find_target(longer) not in OF_RELIEFS else longer


def _name_subject(sheet: Sheet) -> str:
    """Say whether a table is of reliefs or of exemptions, by its name or its headers; "" if it is of neither."""
    for text in (sheet.name, " ".join(sheet.header)):
        for subject, pattern in {"Exemption": "exempt", "Relief": r"relief|discount|\bsbrr?\b"}.items():
            if re.search(pattern, text, re.IGNORECASE):
                return subject
    return ""
