"""Every word of a page that was written, for the search of the site."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence

from councilbook.pages.html.questions import join_synonyms, read_stems

NOT_READ = re.compile(r"<(script|style|svg|pre|nav)\b.*?</\1>", re.DOTALL)
HEADING = re.compile(r'<h[1-6][^>]*\bid="([^"]+)"')
TAG = re.compile(r"<[^>]*>")


def read_page_words(page: str) -> dict[str, list[str]]:
    """Read the words below each heading of a page, and below none, also those that are folded away.

    Args:
        page: HTML whose content is in `main`. Code, pictures and navigation are left out.

    Returns:
        Id of the heading, empty above the first, to the stems of the words below it, each once; numbers are left out.
    """
    main = page.partition("<main")[2].partition("</main>")[0]
    first, *parts = HEADING.split(NOT_READ.sub(" ", f"<main{main}"))
    texts = {"": first} | {id: f"<h{text}" for id, text in zip(parts[::2], parts[1::2], strict=True)}
    return {id: _list_stems(html.unescape(TAG.sub(" ", text))) for id, text in texts.items()}


def _list_stems(text: str) -> list[str]:
    return [one for one in dict.fromkeys(read_stems(text)) if not any(letter.isdigit() for letter in one)]


def add_words(shown: Sequence[str], words: Iterable[str]) -> str:
    """Join the words of a section that what is shown of it does not have."""
    known = {stem for text in shown for stem in read_stems(text)}
    return " ".join(one for one in words if one not in known)


def list_alike(groups: Iterable[Sequence[str]]) -> Mapping[str, list[str]]:
    """List for each word the others that mean the same, all as stems."""
    return {stem: sorted(set(others)) for stem, others in join_synonyms(groups).items()}
