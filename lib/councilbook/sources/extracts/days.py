"""What day and time a cell says; and of a day of birth the age alone, so that nothing after the reading holds it.

A band of ages is read as its middle, where the study treats all in it alike.
"""

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from councilbook.catalogue import FieldSpec

DAYS = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d %b %Y", "%d-%b-%Y"]
DAYS += ["%d %B %Y", "%d-%b-%y"]
MONTHS = ["%m/%Y", "%m-%Y", "%Y-%m", "%Y/%m", "%Y%m", "%b-%Y", "%b %Y", "%B %Y", "%b-%y"]
CLOCKS = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p", "%I:%M:%S %p"]
MOMENT, BRITAIN = "2026-03-06T10:30Z", ZoneInfo("Europe/London")
TIME = re.compile(r"[T ]\d{1,2}:\d\d.*$")
BIRTH = re.compile(  # in a header, in small letters
    r"(?:(?:date|day|month|year|and)[ _]*)+of[ _]*birth|birth[ _]*(?:date|day|month|year)|(?<![a-z])[dmy]ob(?![a-z])"
)
SERIALS = date(1899, 12, 30)  # day 0 of a spreadsheet
SERIAL, YEAR = r"\d{5}(?:\.\d*)?", r"(?:1[89]|20)\d\d"
OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
BAND = re.compile(
    r"(?:aged?\s*)?(?:(?P<low>\d{1,3})\s*(?:-|\u2013|to)\s*(?P<high>\d{1,3})|(?:under|below|<)\s*(?P<under>\d{1,3})"
    r"|(?P<least>\d{1,3})\s*(?:\+|(?:and|or|&)\s*(?:over|older|above)))(?:\s*(?:years?|yrs?))?",
    re.IGNORECASE,
)
OPEN_BAND = 5  # years beyond the lower end of a band without an upper one
IMPOSSIBLE = "?? "  # stands for a day of birth that nobody alive can have


def read_day(word: str, forms: list[str] = DAYS) -> date | None:
    """Read a day in one of the forms that councils write."""
    for form in forms:
        with suppress(ValueError):
            return datetime.strptime(TIME.sub("", word), form).date()  # noqa: DTZ007 (a day has no zone)
    return None


def is_clock(field: FieldSpec) -> bool:
    """Tell whether a column holds times of a day."""
    return _takes(field, "10:30") and not _takes(field, MOMENT)


def is_moment(field: FieldSpec) -> bool:
    """Tell whether a column holds days with a time and its offset from UTC."""
    return _takes(field, MOMENT) and not _takes(field, "a text")


def _takes(field: FieldSpec, text: str) -> bool:
    return bool(field.pattern and re.fullmatch(field.pattern, text))


def read_clock(word: str) -> timedelta | None:
    """Read a time of a day, as 10:30, 10.30, 10:30:00 or 5pm, since its midnight; 24:00 is a whole day."""
    plain = re.sub(r"(?<=\d)\.(?=\d\d(?!\d))", ":", word.strip().upper().replace(".M.", "M"))
    if re.fullmatch(r"24:00(:00)?", plain):
        return timedelta(days=1)
    for form in CLOCKS:
        with suppress(ValueError):
            return datetime.strptime(plain, form) - datetime.strptime("0", "%H")  # noqa: DTZ007 (a difference)
    return None


def write_clock(word: str) -> str:
    """Write a time of a day as 10:30; what is none stays as it is."""
    clock = read_clock(word)
    return word if clock is None else "{:02d}:{:02d}".format(*divmod(int(clock.total_seconds()) // 60, 60))


def write_moment(word: str) -> str:
    """Write a day with a time as ISO, with its offset from UTC; one without an offset is local time in Britain.

    What cannot be read stays as it is, and so does a time that a change of the clocks repeats or leaves out; a day that
    is none is `IMPOSSIBLE`.
    """
    with suppress(ValueError):
        if (given := datetime.fromisoformat(word)).tzinfo:
            return given.isoformat()
    day, _, clock = word.partition("T") if "T" in word[:11] else word.replace(",", " ").partition(" ")
    on, at = read_day(day), read_clock(clock)
    if on is None or at is None:
        return IMPOSSIBLE + word if OFFSET.search(word) else word
    local = datetime.combine(on, time()) + at
    first, second = (local.replace(tzinfo=BRITAIN, fold=fold) for fold in (0, 1))
    return first.isoformat() if first.utcoffset() == second.utcoffset() else word


def is_age(field: FieldSpec) -> bool:
    """Tell whether a column holds ages in whole years."""
    return field.type == "integer" and field.unit == "years"


def read_ages(cells: "pd.Series[str]", field: FieldSpec, day: date) -> "pd.Series[str]":
    """Turn days of birth into ages, as of a day.

    Of a month its middle is taken, and of a year the first of July. Numbers of five digits are a spreadsheet's days,
    and so are those of four where there are such; else these are years. Of two digits of a year the last 100 years are
    meant.

    Args:
        cells: ages, days, months or years of birth; what is none of these stays as it is.
        field: of which the highest age is declared.
        day: of the extract.

    Returns:
        Ages; `IMPOSSIBLE` where a birth is after the day, or beyond the highest age.
    """
    numbers = rf"\d{{4}}(?:\.\d*)?|{SERIAL}" if cells.str.fullmatch(SERIAL).any() else SERIAL

    def read(word: str) -> str:
        if re.fullmatch(numbers, word):
            born: date | None = SERIALS + timedelta(days=int(float(word)))
        elif re.fullmatch(YEAR, word):
            born = _take_middle(date(int(word), 7, 1), day, same=word == str(day.year))
        elif re.fullmatch(r"\d{6}", word) or not (born := read_day(word)):  # 195012 is no second of January
            month = read_day(word, MONTHS)
            born = month and _take_middle(month.replace(day=15), day, same=f"{month:%Y%m}" == f"{day:%Y%m}")
        if born is None:
            return word
        if born > day and not re.search(r"\d{4}", word):
            born = date(born.year - 100, born.month, min(born.day, 28))
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return str(age) if born <= day and age <= (field.maximum or age) else IMPOSSIBLE

    return cells.map({word: read(str(word)) for word in cells.dropna().unique()}).astype("str")


def read_bands(cells: "pd.Series[str]", field: FieldSpec) -> "pd.Series[str]":
    """Read bands of ages, as 66-74, 75+ or under 5, as their middle; one across an age of `age_limits` stays as it is.

    Args:
        cells: ages, or bands of them.
        field: with the limits; bands stay as they are if it has none.
    """
    limits = field.age_limits
    if limits is None:
        return cells

    def read(word: str) -> str:
        if not (band := BAND.fullmatch(word)):
            return word
        least = int(band["low"] or band["least"] or 0)
        most = int(band["high"] or (int(band["under"]) - 1 if band["under"] else field.maximum or least + OPEN_BAND))
        if most < least or any(least < limit <= most for limit in limits):
            return word
        return str(least + (min(OPEN_BAND, most - least) if band["least"] else (most - least) // 2))

    return cells.map({word: read(str(word)) for word in cells.dropna().unique()}).astype("str")


def _take_middle(middle: date, day: date, *, same: bool) -> date:
    return min(middle, day) if same else middle
