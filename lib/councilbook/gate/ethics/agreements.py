"""Agreements: whether a real file that is not open may be read on a day, and which of its fields.

The catalogue says of each closed and shared source what it is used under. A council says in `agreements.yaml`, in its
closed folder, what is different with it: a new review date, fewer fields, a longer retention. Nothing of that file but
dates and the catalogue's own names is ever told.
"""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ValidationError

from councilbook.catalogue import Agreement, Catalogue, FoundFile, Source, Table, list_files
from councilbook.catalogue.entries import StrictLoader
from councilbook.errors import NotAgreedError, describe_faults, suggest
from councilbook.pages.html.wording import format_date
from councilbook.paths import Workbook

FILE = "agreements.yaml"
NAMED = re.compile(r"agreements?(\.ya?ml|\.txt)+", re.IGNORECASE)  # may be meant for it


def find_own_file(workbook: Workbook) -> Path | None:
    """Return the file in which a council says what is different with it, if it is there.

    Raises:
        NotAgreedError: there is one of nearly its name, which would be passed over.
    """
    folder = workbook.closed
    names = [one.name for one in folder.iterdir() if NAMED.fullmatch(one.name)] if folder and folder.is_dir() else []
    if others := sorted(set(names) - {FILE}):
        raise NotAgreedError(
            f"The closed folder holds {', '.join(others)}, but only {FILE} is read. Write it all into {FILE}, and take "
            "the other away."
        )
    return folder / FILE if folder and names else None


def find_agreement(catalogue: Catalogue, source: Source) -> Agreement | None:
    """Return what a source is used under: as the catalogue says, and over it what the council says of it.

    Args:
        catalogue: the workbook's.
        source: by its id, or that of its series, the council names it.

    Raises:
        NotAgreedError: the council's file cannot be read, or names no source.
    """
    own = _read_own(catalogue)
    said = own.get(source.series or source.id, {}) | own.get(source.id, {})
    if not said:
        return source.agreement
    base = source.agreement.model_dump(exclude_unset=True) if source.agreement else {}
    try:
        return Agreement.model_validate(base | said)
    except ValidationError as error:
        raise NotAgreedError(f"{FILE} in the closed folder, {source.id}: {describe_faults(error)}.") from None


def require_agreement(catalogue: Catalogue, found: FoundFile, run_date: str) -> None:
    """Refuse a council's real file that no agreement, or none that is valid on a day, lets it read.

    Args:
        catalogue: the workbook's.
        found: a source's file; one that does not come from the closed folder needs no agreement.
        run_date: ISO date of the run.

    Raises:
        NotAgreedError: it may not be read; the message says why, and what to do.
    """
    if found.origin != "closed folder":
        return
    source, day = found.source, date.fromisoformat(run_date)
    agreement = find_agreement(catalogue, source)
    next_year = (pd.Timestamp(day) + pd.DateOffset(years=1)).date()
    if agreement is None:
        why = "no agreement says what it may be used for, and how long it is kept"
        way = (
            f"Settle that with {source.steward}; `councilbook agreement {source.id}` writes a form to fill in. Then "
            f"write into {FILE} in the closed folder:\n{source.id}:\n  kind: sharing agreement\n  title: ...\n"
            f"  purpose: ...\n  review_by: {next_year}\n(or kind: own data, with purpose and keep_months, if the "
            "council itself holds it)"
        )
    elif agreement.withdrawn:
        why = f"its {agreement.kind} was withdrawn"
        way = f"Take {found.path.name} out of the closed folder and delete it, or agree anew with {source.steward}"
    elif agreement.review_by and agreement.review_by < day:
        why = (
            f"its {agreement.kind} had to be reviewed by {format_date(f'{agreement.review_by}')}, and that day is past"
        )
        way = (
            f"Review it with {source.steward}. When it is agreed again, write the new day into {FILE} in the closed "
            f"folder:\n{source.id}:\n  review_by: {next_year}"
        )
    elif (last := _find_last_day(agreement, found.path)) and last < day:
        why = f"the copy in the closed folder could be kept until {format_date(f'{last}')}, and that day is past"
        way = (
            f"Delete {found.path.name}, and ask {source.steward} for a new extract if it is still needed. If it may be "
            f"kept for longer, write until when into {FILE} in the closed folder:\n{source.id}:\n"
            f"  keep_until: {next_year}"
        )
    else:
        if source.reader or not source.tables:  # the study reads it by itself, and is told so before it begins
            _require_whole(found, agreement)
        return
    raise NotAgreedError(
        f"{source.title} ({source.id}) may not be used in a run of {format_date(run_date)}: {why}. Nothing of it was "
        f"read.\n{way}"
    )


def _require_whole(found: FoundFile, agreement: Agreement) -> None:
    """Refuse a council's real file that a study reads by itself, where its agreement covers some fields alone."""
    if agreement.fields:
        raise NotAgreedError(
            f"{found.source.title} ({found.source.id}): its {agreement.kind} covers some fields alone. This study "
            "reads the whole file by itself, so no field can be dropped for it. Nothing of it was read.\n"
            f"Take what is not covered out of {found.path.name}. Then write into {FILE} in the closed folder:\n"
            f"{found.source.id}:\n  fields: []"
        )


def drop_beyond(catalogue: Catalogue, found: FoundFile, table: Table, rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Drop the fields of a council's real file that its agreement does not cover, before anything looks at them.

    Args:
        catalogue: the workbook's.
        found: the file.
        table: as it is declared.
        rows: as they were read, a column a declared field.

    Returns:
        The rows, blank in those fields; and a sentence on what was dropped, empty if nothing was.

    Raises:
        NotAgreedError: the agreement names what is no field, or leaves out one that no row may lack.
    """
    agreement = find_agreement(catalogue, found.source) if found.origin == "closed folder" else None
    if agreement is None or not agreement.fields:
        return rows, ""
    known = {name for one in found.source.tables.values() for name in one.fields}
    where = f"{found.source.title} ({found.source.id})"
    if unknown := sorted(set(agreement.fields) - known):
        raise NotAgreedError(
            f"{where}: its agreement names {len(unknown)} field(s) that are not declared.{suggest('', known)}"
        )
    beyond = [name for name in table.fields if name not in agreement.fields]
    if needed := [name for name in beyond if table.fields[name].required and not table.fields[name].may_be_absent]:
        raise NotAgreedError(
            f"{where}: its agreement does not cover {', '.join(needed)}, and nothing can be said without. Agree on it "
            f"with {found.source.steward}, and add it to `fields` in {FILE} in the closed folder."
        )
    said = f"Not covered by the agreement, and dropped as it was read: {', '.join(beyond)}." if beyond else ""
    return rows.assign(**dict.fromkeys(beyond, "")), said


def _find_last_day(agreement: Agreement, path: Path) -> date | None:
    """Return the last day on which a copy may be kept: as it is agreed, or so many months after it came."""
    if agreement.keep_until or not agreement.keep_months:
        return agreement.keep_until
    return (pd.Timestamp(_find_arrival(path)) + pd.DateOffset(months=agreement.keep_months)).date()


def _find_arrival(path: Path) -> date:
    """Return the day on which a file, or the last in a folder, was put where it is, or changed there if that was later.

    A file that is copied or unpacked may keep the time of its last change from long ago; that of its entry is new.
    """
    about = [file.stat() for file in (path, *list_files(path))]
    return datetime.fromtimestamp(max(max(one.st_mtime, one.st_ctime) for one in about), UTC).date()


def _read_own(catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """Read what a council says of its agreements, by source or series; no text of it is in any message."""
    file = find_own_file(catalogue.workbook)
    known = frozenset(name for one in catalogue.sources.values() for name in (one.id, one.series) if name)
    return _parse_own(file.read_bytes(), known) if file else {}


@lru_cache(maxsize=1)  # each closed file of a run asks for it
def _parse_own(content: bytes, known: frozenset[str]) -> dict[str, dict[str, Any]]:
    try:
        said = yaml.load(content.decode("utf-8"), StrictLoader) or {}  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise NotAgreedError(
            f"{FILE} in the closed folder{place}: it cannot be read as YAML in UTF-8. Expected each name once in its "
            "place, and days that exist, as 2027-03-31."
        ) from None
    for number, (name, about) in enumerate(said.items() if isinstance(said, dict) else [("", None)], start=1):
        if name not in known or not isinstance(about, dict):
            raise NotAgreedError(
                f"{FILE} in the closed folder, entry {number}: expected a source's id, and below it what is agreed, "
                "as `review_by: 2027-03-31`. `councilbook list` has the ids."
            )
    return dict(said)
