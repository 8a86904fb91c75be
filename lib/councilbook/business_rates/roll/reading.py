"""Any council's non-domestic rates roll, read into one frame with a row a property.

Nothing is lost: a row of the file is kept, or kept aside with its reason, or blank, and the three are counted. What a
column was taken for is shown, and can be kept and confirmed. The same SQL reads one council's file and ten million rows
(`roll_rules`); the latter goes into a Parquet file, with as much memory as it is given.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from councilbook.business_rates.names.placeholders import blank_placeholders
from councilbook.business_rates.roll.columns import require_address, show_columns, store_mapping
from councilbook.business_rates.roll.contents import PLACEHOLDER, PUT_TOGETHER
from councilbook.business_rates.roll.files import DELIMITERS, Layout, find_layout, make_chunks, pick_cells
from councilbook.business_rates.roll.rules import (
    COLUMNS,
    OTHER_CONTENT,
    OTHER_RELIEF,
    PAST,
    RELIEFS,
    SAME_ROW,
    TOTAL,
    open_rules,
    write_query,
)
from councilbook.errors import CheckError

PANDAS = {"VARCHAR": "string", "DOUBLE": "Float64", "DATE": "datetime64[us]", "BOOLEAN": "boolean"}
MANY_ASIDE = 0.1  # of the rows; a council's files have up to a twentieth
UNFOLLOWED = "Made from the number of the row, so nothing is followed from one version to the next."
FEWEST_BESIDE_SUM = 5  # rows, as of fewer one may be the sum of the others by chance
MEMORY_LIMIT = "1GB"  # of DuckDB; what is beyond it goes to disk


@dataclass(frozen=True)
class Roll:
    """A council's roll.

    Attributes:
        frame: a row a property, with all columns of `roll_rules.COLUMNS`; what the council does not publish is missing.
        source_rows: the line of the file that each row of the frame begins on.
        aside: what was kept aside: row (line in the file), reason, column; no cell of it, so it may be shown.
        aside_cells: the cells of these rows as they stand in the file, by row; closed, for the analyst alone.
        mapping: what each column of the file was taken for, see `roll_columns.show_columns`; it may be shown.
        stored_mapping: the same to keep, and to give back to `read_roll` once it is confirmed.
        rows_in_file: rows below the header, blank ones too.
        blank_rows: those of them that are blank.
        nameless_rows: rows of the frame that have a placeholder in the file where the ratepayer's name should be; they
            are read as if they had no name.
        rateable_value_in_file_gbp: the sum of all numbers in the column of rateable values, kept or aside, but totals.
        encoding, delimiter, header_row: how the file was read.
        day: the day that the roll says it is of; None if it does not.
    """

    frame: pd.DataFrame
    source_rows: "pd.Series[int]"
    aside: pd.DataFrame
    aside_cells: Mapping[int, list[str]]
    mapping: pd.DataFrame
    stored_mapping: Mapping[str, str | None]
    rows_in_file: int
    blank_rows: int
    nameless_rows: int
    rateable_value_in_file_gbp: float
    encoding: str
    delimiter: str
    header_row: int
    day: date | None

    @property
    def warnings(self) -> list[str]:
        """What the caller should look at before the roll is used: a line a column."""
        told = self.mapping[self.mapping["note"].str.contains("Warning|Looks|New|Please")]
        is_idle = self.mapping["column"].isna() & (self.mapping["note"] != "") & (self.mapping["found"] != PUT_TOGETHER)
        idle = self.mapping.loc[is_idle, "file_column"]
        idle = idle[~idle.index.isin(told.index)]
        unnamed = told["column"].where(told["column"].notna(), "column " + told["position"].astype(str))
        names = told["file_column"].where(told["file_column"] != "", unnamed)
        lines = [f"{name}: {note}" for name, note in zip(names, told["note"], strict=True)]
        if len(idle):
            lines.append(f"Not used, though they hold something: {', '.join(idle)}.")
        if len(self.aside) > MANY_ASIDE * self.rows_in_file:
            most = self.aside["reason"].mode()[0]
            lines.append(
                f"Warning: {len(self.aside):,} of {self.rows_in_file:,} rows are kept aside, most for: {most}."
            )
        return lines

    def count_rows(self) -> pd.DataFrame:
        """Count the rows of the file by what became of them: what ("kept", PLACEHOLDER, a reason, "blank"), rows."""
        reasons = self.aside.groupby("reason").size().sort_values(ascending=False)
        kept = [("kept", len(self.frame) - self.nameless_rows), (PLACEHOLDER, self.nameless_rows)]
        counted = pd.DataFrame([*kept, *reasons.items(), ("blank", self.blank_rows)], columns=["what", "rows"])
        return counted[(counted["rows"] > 0) | (counted["what"] == "kept")].reset_index(drop=True)


@dataclass(frozen=True)
class Rolls:
    """Many councils' rolls in one Parquet file.

    Attributes:
        path: of the Parquet file: council, source_row, and all columns of `roll_rules.COLUMNS`.
        aside_path: of what was kept aside: council, row, reason, column, cells; closed.
        counts: council, rows_in_file, kept, aside, blank; may be shown.
        mappings: by council, what each column of its file was taken for; may be shown.
    """

    path: Path
    aside_path: Path
    counts: pd.DataFrame
    mappings: Mapping[str, pd.DataFrame]


def read_roll(
    path: Path,
    *,
    run_date: str | date,
    mapping: Mapping[str, str | None] | None = None,
) -> Roll:
    """Read a council's roll.

    Args:
        path: a CSV in UTF-8 or cp1252, plain, gzip or zip; a workbook; or a zip or folder of files of one roll.
        run_date: dates after it are no dates of the roll.
        mapping: the council's confirmed columns, from `Roll.stored_mapping`; guessed if there is none.

    Raises:
        SourceError: the file cannot be read, or no row of it is a roll's header.
        CheckError: a column cannot be told, is not what its header says, or holds names under another header.
    """
    with open_rules() as database:
        day = _read_date(run_date)
        layout = find_layout(path, database, mapping=dict(mapping) if mapping else None, on=day)
        require_address(layout.columns)
        blank = _load(database, layout, "", day)
        _find_sums(database)
        _find_repeated(database)
        kept = database.execute(f"SELECT row, {', '.join(COLUMNS)} FROM kept ORDER BY row").df()
        aside = database.execute("SELECT row, reason, aside_column AS column FROM aside ORDER BY row").df()
        total = database.execute(f"""
            SELECT coalesce(sum(rateable_value_gbp), 0) FROM rows WHERE NOT starts_with(coalesce(fault, ''), '{TOTAL}')
        """).fetchall()[0][0]
    frame = kept[list(COLUMNS)].astype({name: PANDAS[kind] for name, kind in COLUMNS.items()})
    frame, nameless = blank_placeholders(frame)
    return Roll(
        frame=frame,
        source_rows=kept["row"].rename("source_row"),
        aside=aside.astype({"row": "int64", "reason": "str", "column": "str"}),
        aside_cells=pick_cells(layout, set(aside["row"])),
        mapping=_show(layout),
        stored_mapping=store_mapping(layout.columns),
        rows_in_file=len(frame) + len(aside) + blank,
        blank_rows=blank,
        nameless_rows=nameless,
        rateable_value_in_file_gbp=float(total),
        encoding=layout.encoding,
        delimiter=DELIMITERS.get(layout.delimiter, ""),
        header_row=layout.header_row,
        day=layout.day if layout.is_told else None,
    )


def read_rolls(
    paths: Mapping[str, Path],
    target: Path,
    *,
    run_date: str | date,
    mappings: Mapping[str, Mapping[str, str | None]] | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> Rolls:
    """Read many councils' rolls, or a national one, into Parquet files, by the rules of `read_roll`.

    Memory is bounded by `memory_limit` and a chunk of rows; what does not fit goes to disk, beside the target. A
    reference must be unique in its council. Rows are in no promised order; council and source_row name them.

    Args:
        paths: by council, its file.
        target: a folder, made if absent, for roll.parquet and aside.parquet.
        run_date: as for `read_roll`.
        mappings: by council, its confirmed columns; guessed where there is none.
        memory_limit: of DuckDB, as "1GB".

    Raises:
        SourceError, CheckError: as `read_roll`, for the first council whose file is at fault; nothing is written then.
    """
    target.mkdir(parents=True, exist_ok=True)
    day, blank, mapped = _read_date(run_date), {}, {}
    with tempfile.TemporaryDirectory(prefix=".rolls.", dir=target) as folder:
        with open_rules(memory_limit=memory_limit, temp_directory=folder) as database:
            layouts = {
                council: find_layout(path, database, mapping=dict((mappings or {}).get(council, {})) or None, on=day)
                for council, path in paths.items()
            }
            for council, layout in layouts.items():
                require_address(layout.columns)
                blank[council] = _load(database, layout, council, day)
                mapped[council] = _show(layout)
            _find_sums(database)
            _find_repeated(database)
            counts = _count(database, blank)
            _add_cells(database, layouts)
            made = {name: Path(folder) / f"{name}.parquet" for name in ("roll", "aside")}
            kept = f"SELECT council, row AS source_row, {', '.join(COLUMNS)} FROM kept"
            aside = (
                "SELECT council, row, reason, aside_column AS column, cells FROM aside JOIN cells USING (council, row)"
            )
            for name, query in {"roll": kept, "aside": aside}.items():
                file = str(made[name]).replace("'", "''")
                database.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        written = {name: Path(shutil.move(file, target / file.name)) for name, file in made.items()}
    return Rolls(written["roll"], written["aside"], counts, mapped)


# --- into DuckDB -------------------------------------------------------------------------------------------


def _read_date(run_date: str | date) -> date:
    try:
        return run_date if isinstance(run_date, date) else date.fromisoformat(run_date)
    except ValueError:
        raise CheckError(f"run_date: expected a day as 2026-01-31, got {run_date!r}.") from None


def _load(database: duckdb.DuckDBPyConnection, layout: Layout, council: str, run_date: date) -> int:
    """Put a file's rows into the table `rows`, each with its fault, and return how many were blank."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    database.execute(
        f"CREATE TABLE IF NOT EXISTS rows (council VARCHAR, row BIGINT, {columns}, fault VARCHAR, is_past BOOLEAN)"
    )
    query = write_query(layout.uses, layout.header, run_date, _takes_postcode_from_address(layout), layout.day)
    blank = 0
    for chunk, without in _read_ahead(make_chunks(layout)):
        blank += without
        database.register("chunk", chunk)
        database.execute(f"INSERT INTO rows SELECT ? AS council, * FROM ({query})", [council])
        database.unregister("chunk")
    return blank


def _read_ahead(chunks: Iterator[tuple[pa.Table, int]]) -> Iterator[tuple[pa.Table, int]]:
    """Yield chunks while a thread reads the next one, as SQL leaves Python free for it."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, chunks, None)
        while chunk := coming.result():
            coming = thread.submit(next, chunks, None)
            yield chunk


def _takes_postcode_from_address(layout: Layout) -> bool:
    targets = {use.target for use in layout.uses}
    return "postcode" not in targets and "address" in targets


def _find_sums(database: duckdb.DuckDBPyConnection) -> None:
    """Keep aside a row without an address whose value is the sum of all others: a total that is not called so."""
    database.execute(f"""
        UPDATE rows SET fault = '{TOTAL}|' FROM (
            SELECT council, sum(rateable_value_gbp) AS read, sum(rateable_value_gbp) FILTER (fault IS NULL) AS kept
            FROM rows GROUP BY council HAVING count(*) FILTER (fault IS NULL) > {FEWEST_BESIDE_SUM}
        ) AS sums
        WHERE rows.council = sums.council AND fault IS NULL AND address IS NULL AND rateable_value_gbp > 0
            AND (abs(2 * rateable_value_gbp - read) < 1 OR abs(2 * rateable_value_gbp - kept) < 1)
    """)


def _find_repeated(database: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `kept` and `aside`: of rows that share a reference the first is kept that is of no past account
    or list, with the reliefs of those that differ in nothing else, as councils write a row for each relief."""
    same = " AND ".join(f"later.{name} IS NOT DISTINCT FROM first.{name}" for name in COLUMNS if name not in RELIEFS)
    same_reliefs = " AND ".join(f"later.{name} IS NOT DISTINCT FROM first.{name}" for name in RELIEFS)
    database.execute(f"""
        CREATE TABLE firsts AS SELECT council, property_reference,
            coalesce(min(row) FILTER (NOT is_past), min(row)) AS row FROM rows WHERE fault IS NULL
            GROUP BY council, property_reference HAVING count(*) > 1;
        CREATE TABLE repeated AS
            SELECT later.council, later.row, firsts.row AS first_row,
                CASE WHEN later.is_past AND NOT first.is_past THEN '{PAST}'
                    WHEN NOT ({same}) THEN '{OTHER_CONTENT}' WHEN {same_reliefs} THEN '{SAME_ROW}'
                    ELSE '{OTHER_RELIEF}' END AS reason,
                {", ".join(f"later.{name}" for name in RELIEFS)}
            FROM firsts JOIN rows later USING (council, property_reference)
            JOIN rows first ON first.council = firsts.council AND first.row = firsts.row
            WHERE later.fault IS NULL AND later.row <> firsts.row;
        CREATE TABLE added AS SELECT council, first_row AS row, {_gather_reliefs()} FROM repeated
            WHERE reason = '{OTHER_RELIEF}' GROUP BY council, first_row;
        CREATE VIEW kept AS SELECT rows.council, rows.row, {_join_reliefs()}
            FROM rows LEFT JOIN added USING (council, row) ANTI JOIN repeated USING (council, row)
            WHERE rows.fault IS NULL;
        CREATE VIEW aside AS
            SELECT council, row, split_part(fault, '|', 1) AS reason, split_part(fault, '|', 2) AS aside_column
                FROM rows WHERE fault IS NOT NULL
            UNION ALL SELECT council, row, reason, 'property_reference' FROM repeated;
    """)


def _gather_reliefs() -> str:
    return ", ".join(f"list({name} ORDER BY row) FILTER ({name} IS NOT NULL) AS {name}" for name in RELIEFS)


def _join_reliefs() -> str:
    """Write the columns of what is kept: a relief's words of the first row, and then those that others add."""
    joined = "array_to_string(list_distinct_in_order(list_prepend(rows.{0}, added.{0})), '; ')"
    columns = [
        f"CASE WHEN added.{name} IS NULL THEN rows.{name} ELSE {joined.format(name)} END AS {name}"
        if name in RELIEFS
        else f"rows.{name}"
        for name in COLUMNS
    ]
    return ", ".join(columns)


def _count(database: duckdb.DuckDBPyConnection, blank: Mapping[str, int]) -> pd.DataFrame:
    counted = database.execute("""
        SELECT council, count(*) AS rows, (SELECT count(*) FROM aside WHERE aside.council = rows.council) AS aside
        FROM rows GROUP BY council
    """).df().set_index("council").reindex(list(blank), fill_value=0)  # fmt: skip
    counted = counted.assign(blank=pd.Series(blank, dtype="int64"), kept=counted["rows"] - counted["aside"])
    counted["rows_in_file"] = counted["rows"] + counted["blank"]
    return counted.rename_axis("council").reset_index()[["council", "rows_in_file", "kept", "aside", "blank"]]


def _add_cells(database: duckdb.DuckDBPyConnection, layouts: Mapping[str, Layout]) -> None:
    """Put the cells of all rows that are kept aside into the table `cells`."""
    database.execute("CREATE TABLE cells (council VARCHAR, row BIGINT, cells VARCHAR[])")
    for council, layout in layouts.items():
        rows = {row for (row,) in database.execute("SELECT row FROM aside WHERE council = ?", [council]).fetchall()}
        found = pick_cells(layout, rows)
        picked = pd.DataFrame({"row": list(found), "cells": list(found.values())})
        if len(picked):
            database.register("picked", picked)
            database.execute("INSERT INTO cells SELECT ?, row, cells FROM picked", [council])
            database.unregister("picked")


def _show(layout: Layout) -> pd.DataFrame:
    """Return the mapping as a table, with what is not in a column of its own."""
    shown = show_columns(layout.columns)
    for place in layout.left_out:
        note = f"Warning: rows of {layout.usual_cells} cells lack it."
        shown.loc[shown["position"] == place + 1, "note"] = note
    targets = {use.target for use in layout.uses}
    extra = []
    if _takes_postcode_from_address(layout):
        extra.append(("", "postcode", "The end of the address."))
    if "property_reference" not in targets:
        instead = "The column of ba_reference." if "ba_reference" in targets else UNFOLLOWED
        extra.append(("", "property_reference", f"Warning: no such column. {instead}"))
    for name, note in layout.notes.items():
        found = "sheet or file" if note.endswith("left out.") else PUT_TOGETHER
        shown.loc[len(shown)] = [name, pd.NA, None, found, None, note]
    for file_column, column, note in extra:
        shown.loc[len(shown)] = [file_column, pd.NA, column, "guessed from cells", None, note]
    return shown
