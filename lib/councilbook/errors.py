"""The errors that a user of the workbook can meet.

Each message says what is wrong, where, and what was expected. A message never repeats the content of a record
from a source that holds personal data, so any of these may be printed in a log or a summary.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

MANY_NAMES = 100  # more are no help in a message
DAY = "expected a day, as 2027-03-31"
EXPECTED = {  # by kind of fault, where pydantic's own words do not say it to an officer
    "extra_forbidden": "nothing of that name is declared",
    **dict.fromkeys(("date_from_datetime_inexact", "date_from_datetime_parsing", "date_parsing", "date_type"), DAY),
}


class CouncilbookError(Exception):
    """Something that the user can mend; its message is safe to print."""


class CatalogueError(CouncilbookError):
    """The catalogue, a study.yaml or a council's name is not as it must be."""


class SourceError(CouncilbookError):
    """A source cannot be found, fetched or read as the catalogue describes it."""


class NotThereError(SourceError):
    """A source is nowhere, or has no row for the council: where an older edition will do, that is taken."""


class NotLinkedError(SourceError):
    """A file's rows are of other things than those of the file that they are parts of: the two are of two linkages."""


class NotAgreedError(SourceError):
    """A closed or shared source has no valid agreement on the day of the run; nothing of it is read."""


class CheckError(CouncilbookError):
    """Data that came in, or is about to go out, is not as its declared fields say."""


class TooFewError(CheckError):
    """There are too few records for what is asked. The message gives no count, so a page may show it."""


class NotToldError(CheckError):
    """The data at hand do not tell what is asked. The first sentence of the message is shown on a page."""


class ReleaseRefusedError(CouncilbookError):
    """The gate did not let a dataset out; nothing was written."""


class PublishedBeforeError(ReleaseRefusedError):
    """A dataset could leave, were it not for what has been published before, or about the same records."""


class NotSettledError(ReleaseRefusedError):
    """A point of a study's ethics canvas is open; no optional part of a study may be left out for that."""


class PublishError(CouncilbookError):
    """What was released cannot be published on, or a portal does not take it. No key is in its message."""


class ParameterError(CouncilbookError):
    """A parameter is unknown, missing, or of the wrong type."""


class NotebookError(CouncilbookError):
    """A notebook failed, or did not do what its study.yaml says it does."""


def describe_faults(error: "ValidationError") -> str:
    """Say where a file that people write is not as declared, and what was expected there."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {EXPECTED.get(one['type'], one['msg'])}".removeprefix(": ")
        for one in error.errors()
    )


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Say which known names come near a wrong one, or else what names there are; empty if there are none, or many."""
    names = sorted(known)
    if near := get_close_matches(wrong, names, n=3, cutoff=0.6):
        return f" Did you mean {' or '.join(near)}?"
    return f" Known: {', '.join(names)}." if 0 < len(names) <= MANY_NAMES else ""
