"""Contacts are posts: a name of a person, or a mailbox of one, is refused, and never shown.

What is let through is known to be no person: words of posts, and mailboxes made of such words and of the institution's
own name. Of other columns it is seen whether they look like names; one in small letters alone is not.
"""

import re

import pandas as pd

from councilbook.errors import CheckError
from councilbook.paths import read_beside
from councilbook.sources.identifiers import TEXTS

WORDS = {kind: frozenset(words.split()) for kind, words in read_beside(__file__, "contacts.yaml").items()}
SHOWN = 3
OF_PERSONS = re.compile(
    r"fore_?name|sur_?name|first_?name|last_?name|full_?name|initials|date_of_birth|(?:^|_)dob(?:_|$)|mobile"
    r"|(?=.*(?:^|_)names?(?:_|$))(?=.*(?:leader|contact|advis|staff|teacher|person|head|coordinator|principal|manager))"
)
MAILBOX = re.compile(r"[^\s@<>,;:()]+@[^\s@<>,;:()]+")
TITLED = re.compile(r"\b(?:Mrs?|Ms|Miss|Mx|Dr|Prof|Rev)\b\.?\s+[A-Z]")
NAMED = re.compile(TEXTS["a name"])
WANTED = "Expected posts alone, as 'Careers leader' and careers@: leave persons out of it."


def refuse_persons(cells: pd.DataFrame, where: str) -> None:
    """Refuse a return in which persons are named, whichever of its columns are read.

    Args:
        cells: all columns of the file, as they are in it; the index is the row in the file.
        where: what the file is.

    Raises:
        CheckError: with the column's number and the rows, and with no word of it, as a header may be a name too.
    """
    for place, header in enumerate(cells.columns):
        told = f"{where}: column {place + 1}"
        if OF_PERSONS.search(re.sub(r"[^a-z0-9]+", "_", str(header).lower())):
            raise CheckError(f"{told} is headed like one of persons. {WANTED}")
        texts = cells.iloc[:, place].dropna().astype("str").str.strip()
        texts = texts[texts != ""]
        personal = texts[texts.map(has_personal_mailbox)]
        titled = texts[texts.map(lambda text: bool(TITLED.search(text)) and not _has_words(text, "institutions"))]
        for found, what in ((personal, "a mailbox of a person"), (titled, "a name of a person")):
            if len(found):
                raise CheckError(f"{told} has {what} in {len(found)} rows ({_list_rows(found)}). {WANTED}")
        named = texts[texts.map(lambda text: bool(NAMED.search(text)) and not _has_words(text, *WORDS))]
        if len(named) > len(texts) / 2 and named.nunique() > len(texts) / 2:
            raise CheckError(f"{told} looks like names of persons ({_list_rows(named)}). {WANTED}")


def check_contacts(frame: pd.DataFrame) -> None:
    """Check that contacts are posts and shared mailboxes.

    Args:
        frame: contact_post and contact_mailbox; the index is the row in the file.

    Raises:
        CheckError: a post has a word that is none of a post, or a mailbox may be a person's; it shows neither.
    """
    posts = frame["contact_post"].dropna()
    strange = posts[~posts.map(lambda text: set(_split(text)) <= WORDS["posts"])]
    if len(strange):
        raise CheckError(f"contact_post has other words than those of posts ({_list_rows(strange)}). {WANTED}")
    boxes = frame["contact_mailbox"].dropna()
    personal = boxes[~boxes.map(lambda box: bool(MAILBOX.fullmatch(box)) and not has_personal_mailbox(box))]
    if len(personal):
        raise CheckError(f"contact_mailbox is not shown to be a shared one ({_list_rows(personal)}). {WANTED}")


def has_personal_mailbox(text: str) -> bool:
    """Tell whether a text holds a mailbox that is not shown to be shared.

    One is shared if what stands before the @ is made of words of posts and offices, at least one, and of the name that
    its own domain has.
    """
    for mailbox in MAILBOX.findall(text):
        local, _, domain = mailbox.casefold().rpartition("@")
        own = domain.partition(".")[0].replace("-", "")
        parts = [part for part in re.split(r"[._\-+\d]+", local) if part]
        roles = [bool(re.fullmatch(f"(?:{'|'.join(WORDS['mailboxes'])})+", part)) for part in parts]
        if not any(roles) or not all(role or part in own for role, part in zip(roles, parts, strict=True)):
            return True
    return False


def _has_words(text: str, *kinds: str) -> bool:
    """Tell whether a text has a word of some kinds in it, as no name of a person has."""
    return any(word in WORDS[kind] for word in _split(text) for kind in kinds if len(word) > 1)


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text.casefold())


def _list_rows(found: "pd.Series[str]") -> str:
    return f"row {', '.join(map(str, found.index[:SHOWN]))}"
