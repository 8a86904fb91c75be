"""Counts, dates and sizes in words."""

from datetime import date, datetime


def count_things(count: int, noun: str) -> str:
    """Write how many there are of something whose plural ends in s, as `1 area` or `1,064 areas`."""
    return f"{count:,d} {noun}{'' if count == 1 else 's'}"


def format_date(value: date | str) -> str:
    """Write a date, or an ISO date's text, as 23 November 2026."""
    day = value if isinstance(value, date) else datetime.fromisoformat(value).date()
    return f"{day.day} {day:%B %Y}"


def format_bytes(count: int) -> str:
    """Write a file's size in kB or MB (powers of ten)."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):,.{0 if count >= 1e4 else 1}f} kB"
