"""When a roll was made, in which order its dates are written, and whether a spreadsheet has spoilt them."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import duckdb

from councilbook.business_rates.roll.columns import Column
from councilbook.business_rates.roll.headers import find_list_in_force, read_header
from councilbook.business_rates.roll.rules import DAYS, KINDS, Kind, convert_cells
from councilbook.errors import CheckError

OF_ROLL = ("snapshotdate", "publisheddate", "reportdate", "applicabledate", "effectivedate", "extractdate",
           "dateofextract", "extractiondate", "asat", "asatdate", "rundate", "dateofreport")  # fmt: skip
FEWEST_DAYS = 50  # of accounts, for the newest of them to be about the day of the roll
ONE_IN = 1_000
LATEST_ACCOUNT = timedelta(92)  # that a council may know of on the day of its roll; of a later one the title is old
OTHER_DATES: Mapping[Kind, str] = {
    "month_day": "Its dates have the month first.",
    "serial_day": "Its dates are a spreadsheet's numbers of days. Please confirm.",
}
LEAST_SERIAL = 0.8  # of the cells, to be a spreadsheet's numbers of days
FEWEST_SPOILT = 5  # of dates written each way, to say that a spreadsheet swapped them

_TITLE_DAY = re.compile(
    r"\b(?:as (?:at|of|on)|(?:extract|produc|generat|print|publish|creat|updat)(?:ed|ion)|dated?|correct (?:at|on|to)"
    r"|(?:run|report|snapshot|extract|data|position|effective) (?:date|as|at|on|of))\b(?: (?:date|on|at|of|from|the"
    r"|report|extract))*[ :;,-]*(?:[a-z]+day,? )?"
    r"(?P<day>\d{1,2}(?:st|nd|rd|th)?[ -](?:of )?[a-z]{3,9},?[ -]\d{2,4}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}"
    r"|\d{4}-\d\d-\d\d|[a-z]{3,9} \d{4})\b",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d{2})$")
_ISO = re.compile(r"\d{4}-(\d{2})-(\d{2})")


def find_roll_day(
    columns: Sequence[Column],
    cells: Sequence[Sequence[str]],
    database: duckdb.DuckDBPyConnection,
    on: date,
    above: str = "",
) -> tuple[date, bool]:
    """Find the day that a roll is of: one that stands in each row, or in its title, or else the newest of its accounts.

    Args:
        columns, cells, database: as for `cells.check_columns`.
        on: the day of the run; the roll is of none later, and of this one if nothing in it says another.
        above: the text above its header. A title that is older than the accounts or values below it is left aside.

    Returns:
        The day, and whether the roll says so itself.
    """
    dated = [(cells[one.position], tell_ways(cells[one.position], database)[0]) for one in columns if _is_day(one)]
    orders: list[Kind] = sorted({ways[0] for _, ways in dated if len(ways) == 1} - {"serial_day"})
    newest = on
    known = [_read_days(texts, ways[:1], database, on) for texts, ways in dated]
    if known := [days for days in known if len(days) >= FEWEST_DAYS]:
        newest = max(days[len(days) // ONE_IN] for days in known)  # a few may be slips of the pen
    lists = [year for column in columns if (year := read_header(column.header).year)]
    first = date(max(lists) - 1, 10, 1) if lists else date.min  # nobody knows a list's values any earlier
    titles = [re.sub(r"^(?=[A-Za-z]+ \d{4}$)", "1 ", found["day"]) for found in _TITLE_DAY.finditer(above)]
    for column in columns:
        key, texts = read_header(column.header).key, cells[column.position]
        days = _read_one_year(texts[:1], orders, database, on) if key in OF_ROLL and len(set(texts)) == 1 else []
        is_of_values = key == "effectivedate" and days and days[0] == date(find_list_in_force(days[0].year), 4, 1)
        if days and not is_of_values:
            return days[0], True
    days = _read_one_year(titles, orders if len(orders) == 1 else ["day"], database, on)  # a title's first, if unsure
    if days and days[0] >= first and not (known and newest > days[0] + LATEST_ACCOUNT):
        return days[0], True
    return newest if newest >= first else on, False


def _read_one_year(
    texts: Sequence[str], orders: Sequence[Kind], database: duckdb.DuckDBPyConnection, on: date
) -> list[date]:
    """Read dates, in one of these orders where several are able; none if they fall in several years of bills."""
    days = []
    for text in texts:
        able = tell_ways([text], database)[0]
        days += _read_days([text], orders if len(able) > 1 and orders else able, database, on)
    return days if len({day.year - (day.month < 4) for day in days}) == 1 else []  # a year of bills, and so a list


def _read_days(texts: Sequence[str], ways: Sequence[Kind], database: duckdb.DuckDBPyConnection, on: date) -> list[date]:
    """Read dates up to a day, the last one first."""
    read = [day.date() for way in ways for day in convert_cells(database, texts, way).dropna()]
    return sorted((day for day in read if day <= on), reverse=True)


def _is_day(column: Column) -> bool:
    return KINDS.get(column.target or "") == "day"


def tell_ways(cells: Sequence[str], database: duckdb.DuckDBPyConnection) -> tuple[Sequence[Kind], float]:
    """Tell in which way the dates of a column are written, and the share that can be read so.

    Two ways where each could have its day first or its month: such a column is read with the day first.
    """
    day, month, serial = (float(convert_cells(database, cells, way).notna().mean()) for way in DAYS)
    if serial > max(day, month, LEAST_SERIAL):
        return ("serial_day",), serial
    if day == month:
        return ("day", "month_day"), day
    return (("day",), day) if day > month else (("month_day",), month)


def refuse_swapped_dates(column: Column, cells: Sequence[str]) -> None:
    """Refuse dates of which a spreadsheet has read those that it could with the month first, and left the others.

    Then each date that is still written as in "25/04/2010" has a day above 12, and none of the others has.
    """
    if not _is_day(column):
        return
    left, turned = [], []
    for cell in cells:
        if found := _SLASHED.match(cell.strip()):
            left.append((int(found[1]), int(found[2])))
        elif found := _ISO.match(cell.strip()):
            turned.append(int(found[2]))
    if min(len(left), len(turned)) < FEWEST_SPOILT:
        return
    if all(first > 12 >= second for first, second in left) and all(day <= 12 for day in turned):
        raise CheckError(
            f"Column {column.header.strip()!r}: a spreadsheet has swapped day and month in it. Each of {len(left):,} "
            f"dates that are written as 25/04/2010 has a day above 12, and none of {len(turned):,} others has. Export "
            "the roll again, with its dates as text or as 2010-04-25, and do not open it in a spreadsheet before."
        )
