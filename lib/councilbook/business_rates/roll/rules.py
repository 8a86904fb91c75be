"""The rules by which a roll's cells become values, or its row is kept aside; in SQL, for one row as for ten million.

DuckDB runs them. Each kind of cell has a macro: what is no such value becomes NULL, and is never guessed at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Literal

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from councilbook.business_rates.roll.headers import find_list_in_force

Kind = Literal["text", "reference", "number", "money", "day", "month_day", "serial_day", "postcode", "flag"]

COLUMNS: Mapping[str, str] = {  # of the canonical frame, with what DuckDB keeps them as
    "property_reference": "VARCHAR",
    "ba_reference": "VARCHAR",
    "uprn": "VARCHAR",
    "ratepayer_name": "VARCHAR",
    "trading_name": "VARCHAR",
    "company_number": "VARCHAR",
    "ratepayer_address": "VARCHAR",
    "address": "VARCHAR",
    "postcode": "VARCHAR",
    "latitude": "DOUBLE",
    "longitude": "DOUBLE",
    "description_code": "VARCHAR",
    "description": "VARCHAR",
    "rateable_value_gbp": "DOUBLE",
    "liability_start_date": "DATE",
    "is_occupied": "BOOLEAN",
    "empty_since_date": "DATE",
    "small_business_relief": "VARCHAR",
    "mandatory_relief": "VARCHAR",
    "discretionary_relief": "VARCHAR",
    "other_relief": "VARCHAR",
    "exemption": "VARCHAR",
    "account_charge_gbp": "DOUBLE",
    "account_credit_gbp": "DOUBLE",
}
KINDS: Mapping[str, Kind] = {
    "postcode": "postcode",
    "latitude": "number",
    "longitude": "number",
    "rateable_value_gbp": "money",
    "liability_start_date": "day",
    "is_occupied": "flag",
    "is_empty": "flag",
    "empty_since_date": "day",
    "account_charge_gbp": "money",
    "account_credit_gbp": "money",
}
RELIEFS = ("small_business_relief", "mandatory_relief", "discretionary_relief", "other_relief")
NAMED_RELIEFS = (*RELIEFS, "relief")
RELIEF_TARGETS = (*NAMED_RELIEFS, "relief_amount", "relief_total")
# read into is_occupied, the relief that the words name or one whose kind is not told, and address; the last two tell
# which of the rows of a property is kept
PSEUDO_TARGETS = ("is_empty", "is_part_empty", "relief", "relief_amount", "relief_total", "address_place",
                  "liability_end_date", "list_year")  # fmt: skip
REFERENCES = ("property_reference", "ba_reference", "uprn")
DAYS: tuple[Kind, ...] = ("day", "month_day", "serial_day")
EXPECTED: Mapping[Kind, str] = {
    "number": "no number", "money": "no number", "flag": "no yes or no", **dict.fromkeys(DAYS, "no date"),
}  # fmt: skip
NOTHING = pa.array(
    ["", "null", "(null)", "[null]", "n/a", "nan", "#n/a", "-", "--", "(blank)", "00/00/0000", "0000-00-00"]
)
BOUNDS = {"latitude": (49.0, 61.5), "longitude": (-9.0, 2.5)}  # the United Kingdom

TOO_MANY_CELLS = "more cells than the header has"
TOO_FEW_CELLS = "fewer cells than the header has, and here"
HEADER_AGAIN = "the header again"
DATE_FOR_TEXT = "a date instead of text"
OUTSIDE = "outside the United Kingdom"
TOTAL = "a total, and no property"
LOST_REFERENCE = "a reference that a spreadsheet has rounded"
NO_REFERENCE = "no reference"
NO_VALUE = "no rateable value"
ZERO_VALUE = "rateable value 0"
NEGATIVE_VALUE = "rateable value below 0"
FUTURE = "a date after the day of the run"
SAME_ROW = "the same row again"
OTHER_RELIEF = "the reference again, with another relief: the first row has it now too"
OTHER_CONTENT = "the reference again, with other content"
PAST = "the reference again, of an account that has ended or a value of another list"

LOST_DIGITS = r"^\d(\.\d+)?[eE]\+\d+$|^#{3,}$"  # of a number that a spreadsheet has shortened, or hidden
_GENERAL = (  # words of companies' names that are nobody's, and no whole name
    "uk|gb|great britain|england|scotland|wales|national|international|europe|european|group|holdings?|services?|"
    "company|co|enterprises?|investments?|management|solutions|systems|stores?|retail|wholesale|trading|propert(?:y|ies)|estates?|"
    "foods?|leisure|hotels?|inns?|motors|garages?|transport|logistics|engineering|construction|builders|developments?|"
    "homes|care|healthcare|charitable|community|housing|partnership|partners|sons|brothers|bros|associates|consult(?:ants?|"
    "ing)|contractors|supplies|products|industries|manufacturing|technolog(?:y|ies)|media|design|finance|restaurants?|"
    "bars?|pubs?|pharmac(?:y|ies)|supermarkets?|trustees?|the|of|for|in|and|&|[0-9]+"
)
_FORMS = "limited|ltd|public limited company|plc|llp|lp|cic|cio|incorporated|inc|council|trust|association|society"
LEGAL_END = re.compile(rf"(?i)^(?:[(]?(?:{_GENERAL})[),.]* )*[(]?(?:{_FORMS})[).]*(?: t ?/ ?a\b.*)?$")
STREETS = (
    "road|street|lane|avenue|close|drive|way|place|terrace|court|square|hill|row|crescent|gardens|grove|walk|view|park|"
    "estate|centre|house|mill|unit|floor|rd|st|ave|ln"
)
_POSTCODE = r"[A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2}\W*"
_PATTERNS = {  # by the name that `rules.sql` has for them
    "LEGAL_END": LEGAL_END.pattern,
    "STREETS": STREETS.upper(),
    "POSTCODE": _POSTCODE,
    "GOES_ON": r"\b(of|the|for|in|at|by)$|[-(]$",
    "TOTAL": r"(grand|sub|overall|report|page|sheet|running)?[ -]*totals?([ :.-]+(for|of|rv|rateable|values?|"
    r"properties|number|count|all|ward|parish)\b.*)?[ :.-]*[£0-9,. ()]*|sum( of .*)?|total .* "
    r"(rv|rateable values?|properties)",
    "DAY": r"^\d{1,2}[/.-]\d{1,2}[/.-]",
    "TIME": r"([T ]+[0-9:.]+( ?[AaPp]\.?[Mm]\.?)?( ?(Z|UTC|GMT|BST|[+-]\d\d:?\d\d))?)?$",
}


@dataclass(frozen=True)
class Use:
    """What a column of a file is used for.

    Attributes:
        position: of the column in the file, from 0.
        header: as it stands there.
        target: the canonical column, or `relief` or `is_empty`.
        kind: how its cells are read.
    """

    position: int
    header: str
    target: str
    kind: Kind


def open_rules(**config: str) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB database that knows the rules, in memory; without a temp_directory nothing goes to disk."""
    database = duckdb.connect(":memory:", config={"threads": "2", "temp_directory": "", **config})
    macros = (files(__package__) / "rules.sql").read_text(encoding="utf-8")
    database.execute(re.sub("<([A-Z_]+)>", lambda found: _PATTERNS[found[1]], macros))
    return database


def clean_cells(values: Sequence[str | None]) -> pa.Array:
    """Take blanks off the ends of cells; what is then empty, or only says that there is nothing, is missing."""
    text = pc.utf8_trim_whitespace(pa.array(values, pa.string()))
    is_nothing = pc.is_in(pc.utf8_lower(text), NOTHING)
    return pc.if_else(is_nothing, None, text)


def convert_cells(database: duckdb.DuckDBPyConnection, values: Sequence[str | None], kind: Kind) -> pd.Series:
    """Read cells as a kind of value; what is none, and what is blank, becomes missing.

    Args:
        database: from `open_rules`.
        values: cells as text.
        kind: text, number, money (pounds; thousands with commas; brackets are negative), day (ISO, or day first; no
            spreadsheet's day number, which may as well be a rateable value), month_day (the same, month first),
            serial_day (a spreadsheet's day number), postcode ("ML1 1AA"), flag (yes or no).
    """
    cells = pa.table({"place": pa.array(range(len(values))), "cell": pa.array(values, pa.string())})
    database.register("cells", cells)
    try:
        text = "WITH text AS MATERIALIZED (SELECT place, to_text(cell) AS x FROM cells)"  # once, not in each branch
        found: pd.Series = database.execute(f"{text} SELECT to_{kind}(x) AS value FROM text ORDER BY place").df()[
            "value"
        ]
    finally:
        database.unregister("cells")
    return found


def write_query(
    uses: Sequence[Use], header: Sequence[str], run_date: date, postcode_in_address: bool, day: date
) -> str:
    """Write the SQL that turns a chunk of raw rows into canonical ones, each with its fault if it has one.

    The chunk is a table `chunk` of row, cells (how many), is_long (a cell beyond the header's is not blank) and a text
    column c<position> for each column used, of `clean_cells`. A fault is 'reason|column'; only the first is told.
    """
    columns = {name: _write_column(name, uses) for name in COLUMNS}
    if postcode_in_address:
        ending = rf"regexp_extract({columns['address']}, '{_POSTCODE}$', 0)"
        columns["postcode"] = rf"to_postcode(regexp_replace({ending}, '\W*$', ''))"
    if columns["property_reference"] == "NULL":
        made = f"'row ' || row || ' of {run_date.isoformat()}'"  # of this day: no other version's row has it
        columns["property_reference"] = f"coalesce({columns['ba_reference']}, {made})"
    values = ", ".join(f"CAST({value} AS {COLUMNS[name]}) AS {name}" for name, value in columns.items())
    read = "".join(f", {_write_cell(use)} AS v{use.position}" for use in uses)
    return f"""
        WITH cells AS MATERIALIZED (SELECT *{read} FROM chunk),
        typed AS MATERIALIZED (SELECT *, {values} FROM cells)
        SELECT row, {", ".join(COLUMNS)}, {_write_fault(uses, header, run_date)} AS fault,
            {_write_past(uses, day)} AS is_past FROM typed
    """


def _write_cell(use: Use) -> str:
    if use.target in (*RELIEF_TARGETS, "exemption"):
        return f"to_relief(c{use.position}, {_quote(use.header)})"
    macros = {"is_empty": "turn_flag", "is_part_empty": "to_flag"}
    return f"{macros.get(use.target, f'to_{use.kind}')}(c{use.position})"


def _write_column(name: str, uses: Sequence[Use]) -> str:
    own = [use for use in uses if use.target == name]
    if name in RELIEFS:
        return _write_relief(name, uses)
    if name == "exemption":
        return _join([f"v{use.position}" for use in own], "; ")
    if name == "is_occupied":
        own = own or [use for use in uses if use.target == "is_empty"]
        part = [use for use in uses if use.target == "is_part_empty"]
        if own and part:  # who pays for a property that is empty in part occupies the rest of it
            return f"v{own[0].position} OR coalesce(v{part[0].position}, FALSE)"
    if name == "ratepayer_name":
        joined = f"v{own[0].position}" if own else "NULL"
        for use in own[1:]:
            joined = f"join_names({joined}, v{use.position})"
        return joined
    if name in KINDS:
        value = f"v{own[0].position}" if own else "NULL"
        return f"nullif({value}, 0)" if name in BOUNDS and own else value  # 0 is how some write 'not known'
    joined = _join([f"v{use.position}" for use in own], ", ")
    places = [f"v{use.position}" for use in uses if use.target == "address_place" and name == "address"]
    return f"add_places({joined}, list_filter([{', '.join(places)}], lambda o: o IS NOT NULL))" if places else joined


def _write_relief(name: str, uses: Sequence[Use]) -> str:
    """A relief's words go to every relief that they name; those that name none, to that of their header."""
    test = {
        f"{kind}_relief": f"names_{kind.partition('_')[0]}({{0}})"
        for kind in ("small_business", "mandatory", "discretionary")
    }
    nothing_named = f"NOT ({' OR '.join(test.values())})"
    named = [use for use in uses if use.target in NAMED_RELIEFS]
    amounts = _pair_amounts(uses)
    pieces = []
    for use in named:
        is_own = use.target == name or (use.target == "relief" and name == "other_relief")
        tests = [test[name]] if name in test else []
        tests += [nothing_named] if is_own else []
        if tests:
            text = f"v{use.position}"
            said = f"add_amount({text}, c{amounts[use.position]})" if use.position in amounts else text
            pieces.append(f"CASE WHEN {' OR '.join(tests).format(text)} THEN {said} END")
    if name == "other_relief":
        told = [f"v{use.position}" for use in named]
        for target in ("relief_amount", "relief_total"):
            sums = [f"v{use.position}" for use in uses if use.target == target]
            is_untold = f"coalesce({', '.join(told)}) IS NULL" if told else "TRUE"
            pieces += [
                f"CASE WHEN {is_untold} THEN {one} END" for one in (sums if target == "relief_amount" else sums[:1])
            ]
            told += sums
    return _join(pieces, "; ")


def _pair_amounts(uses: Sequence[Use]) -> dict[int, int]:
    """Find the column of each relief's amount: the one with the same number in its header, as `Relief 2 Amount`."""
    by_number: dict[tuple[str, str], list[int]] = {}
    for use in uses:
        by_number.setdefault((use.target, "".join(re.findall(r"\d", use.header))), []).append(use.position)
    reliefs = {number: places for (target, number), places in by_number.items() if target == "relief"}
    amounts = {number: by_number.get(("relief_amount", number), []) for number in reliefs}
    return {
        places[0]: amounts[number][0] for number, places in reliefs.items() if len(places) == len(amounts[number]) == 1
    }


def _join(pieces: Sequence[str], separator: str) -> str:
    if not pieces:
        return "NULL"
    return pieces[0] if len(pieces) == 1 else f"nullif(concat_ws('{separator}', {', '.join(pieces)}), '')"


def _write_fault(uses: Sequence[Use], header: Sequence[str], run_date: date) -> str:
    targets = {use.target for use in uses}
    faults = [("is_long", TOO_MANY_CELLS, "")]
    if uses:
        again = " AND ".join(f"c{use.position} IS NOT DISTINCT FROM {_quote(use.header)}" for use in uses[:3])
        faults.append((again, HEADER_AGAIN, ""))
    faults.append((_write_total(uses), TOTAL, ""))
    for use in uses:
        if use.kind in EXPECTED:
            is_wrong = f"c{use.position} IS NOT NULL AND v{use.position} IS NULL"
            faults += _tell_width(is_wrong, EXPECTED[use.kind], use.target, len(header))
        if use.target in BOUNDS:
            low, high = BOUNDS[use.target]
            faults.append((f"{use.target} NOT BETWEEN {low} AND {high}", OUTSIDE, use.target))
        if use.target in (*RELIEF_TARGETS, "exemption"):
            is_wrong = f"c{use.position} IS NOT NULL AND looks_like_day(c{use.position})"
            faults += _tell_width(is_wrong, DATE_FOR_TEXT, use.target, len(header))
    faults.append(("property_reference IS NULL", NO_REFERENCE, "property_reference"))
    faults.append((f"regexp_matches(property_reference, '{LOST_DIGITS}')", LOST_REFERENCE, "property_reference"))
    if "rateable_value_gbp" in targets:
        faults += [
            ("rateable_value_gbp IS NULL", NO_VALUE, "rateable_value_gbp"),
            ("rateable_value_gbp = 0", ZERO_VALUE, "rateable_value_gbp"),
            ("rateable_value_gbp < 0", NEGATIVE_VALUE, "rateable_value_gbp"),
        ]
    for name in ("liability_start_date", "empty_since_date"):
        faults.append((f"{name} > DATE '{run_date.isoformat()}'", FUTURE, name))
    whens = " ".join(f"WHEN {test} THEN {_quote(f'{reason}|{column}')}" for test, reason, column in faults)
    return f"CASE {whens} END"


def _write_past(uses: Sequence[Use], day: date) -> str:
    """Write whether a row is of an account that ended before a day, or of a list that is not in force then."""
    way = next((use.kind for use in uses if use.target == "liability_start_date"), "day")
    year = find_list_in_force(day.year - (day.month < 4))
    tests = {
        "liability_end_date": f"to_{way}(c{{0}}) < DATE '{day.isoformat()}'",
        "list_year": f"try_cast(regexp_extract(c{{0}}, '(19|20)\\d\\d') AS INTEGER) <> {year}",
    }
    told = [f"coalesce({tests[use.target].format(use.position)}, FALSE)" for use in uses if use.target in tests]
    return " OR ".join(told) or "FALSE"


def _write_total(uses: Sequence[Use]) -> str:
    """A total is called so where a reference should be, or where nothing says which property it is of."""
    cells: dict[str, list[str]] = {}
    for use in uses:
        cells.setdefault(use.target, []).append(f"c{use.position}")
    references = [cell for name in REFERENCES for cell in cells.get(name, [])]
    labels = [cell for name in ("ratepayer_name", "description", "description_code") for cell in cells.get(name, [])]
    tests = [f"(is_total({cell}) OR ({cell} ILIKE '%total%' AND address IS NULL))" for cell in references]
    tests += [f"(is_total({cell}) AND address IS NULL)" for cell in [*labels, *cells.get("postcode", [])]]
    tests += [f"(is_total({cell}) AND is_total(address))" for cell in cells.get("address", [])]
    texts = [
        *labels,
        *(cell for name in ("address", "postcode", "liability_start_date") for cell in cells.get(name, [])),
    ]
    if "rateable_value_gbp" in cells and len(texts) > 1:
        alone = f"coalesce({', '.join([*references, *texts])}) IS NULL"
        tests.append(f"({alone} AND rateable_value_gbp IS NOT NULL)")
    return " OR ".join(tests) or "FALSE"


def _tell_width(test: str, reason: str, column: str, width: int) -> list[tuple[str, str, str]]:
    return [(f"cells < {width} AND {test}", f"{TOO_FEW_CELLS} {reason}", column), (test, reason, column)]


def _quote(text: str) -> str:
    return "'" + text.strip().replace("'", "''") + "'"
