"""What a page says of a log of wifi, in sentences; each is computed from what is shown beside it."""

import pandas as pd

from councilbook.culture.wifi.checks import FAILED, NOT_ASKED, PASSED
from councilbook.culture.wifi.intake import Undone

RETURNING = (
    "A token lasts a day, so *returning* has a meaning within one day alone. Across days only a visitor who consents "
    "on the landing page can be known again."
)

HEADERS = {"check": "What was asked", "verdict": "Answer", "found": "Against it", "asked": "Asked", "case": "Of what"}


def say_read(told: pd.DataFrame) -> str:
    """Say how many records were read, and how many were set aside."""
    read = int(told.loc[told["what"].eq("read"), "rows"].sum())
    aside = int(told["rows"].sum()) - read
    return f"{read:,} records were read and {aside:,} set aside, {100 * aside / max(read + aside, 1):.1f}% of all."


def say_belief(checked: pd.DataFrame, log: str) -> str:
    """Say whether a log can be believed, and what follows."""
    failed = checked.loc[checked["verdict"].eq(FAILED), "check"]
    held, asked = int(checked["verdict"].eq(PASSED).sum()), int(checked["verdict"].ne(NOT_ASKED).sum())
    if asked == 0:
        return f"{log}: no check could be asked, so nothing is said of visitors."
    if failed.empty:
        return f"{log} can be believed as far as this can be tested: {held} of {asked} checks hold."
    return (
        f"{log} must not be used to count visitors or journeys. {len(failed)} of {asked} checks fail. "
        f"This does not hold: {'; '.join(one.lower() for one in failed)}."
    )


def say_once(stays: pd.DataFrame) -> str:
    """Say how many stays were seen once: they have no length."""
    once = int(stays["is_seen_once"].sum())
    lasting = stays.loc[~stays["is_seen_once"], "dwell_seconds"]
    middle = f" Half of the others last {lasting.median() / 60:.0f} minutes or less." if len(lasting) else ""
    return f"{once:,} of {len(stays):,} stays were seen once, so their length is not known.{middle}"


def say_undone(undone: Undone) -> str:
    """Say how long it takes to undo an unkeyed hash of an address."""
    seconds = undone.seconds_for_all
    return (
        f"The invented address was {'found' if undone.found else 'not found'} from its hash. At this pace one core "
        f"tries all 16.8 million addresses of a vendor in {max(round(seconds), 1)} seconds."
    )


def say_lengths(counts: pd.DataFrame) -> str:
    """Say how many addresses were seen once, of the counts that are released; a hidden one counts for nothing."""
    total = float(counts.loc[counts["length"].eq("All"), "addresses"].sum())
    once = float(counts.loc[counts["length"].eq("seen once"), "addresses"].sum())
    return (
        f"Of {total:,.0f} addresses of a day and zone, {100 * once / max(total, 1):.0f}% were heard at one moment, "
        "so nobody knows how long they stayed."
    )
