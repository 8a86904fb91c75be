"""Pages of the site: how each is put together, and what it must be before it is written.

A page makes no network request: whatever it shows is inside it, its Content-Security-Policy forbids the browser to
load more, and a page that would is refused here.
"""

import base64
import gzip
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from bs4 import BeautifulSoup

from councilbook import __version__
from councilbook.catalogue import read_publisher
from councilbook.errors import NotebookError
from councilbook.pages.html.pieces import Html, render_template
from councilbook.pages.html.wording import format_bytes
from councilbook.paths import find_workbook, write_atomically

Current = Literal["reports", "data", "sources", "search", "accessibility", "docs"]

DOCS = "how-it-works"  # the folder of the documentation in the site; no study has a name with hyphens
PAGE_BYTES = 2_000_000  # an old machine still opens this at once, and it can be sent by mail
NO_ALTERNATIVE = "no description has been provided for this image"  # what nbconvert writes for a missing one
LOADING = ("src", "srcset", "poster", "background", "data", "xlink:href", "formaction")
SEARCH = re.compile(r"(\.\./)*search\.html")  # the one page of the site that a form may lead to
SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def render_page(template: str, current: Current, *, root: str = "", **values: Any) -> Html:
    """Fill in a page's template, with what is the same on every page of the site.

    Args:
        template: one that extends base.html.j2.
        current: which entry of the site's navigation the page belongs to.
        root: relative address of the site's first page's folder, as `../../`.
        values: what the template asks for.
    """
    known: dict[str, Any] = {"has_docs": current == "docs", "docs": f"{root}{DOCS}/", "version": __version__}
    publisher = read_publisher(find_workbook())
    known |= {"contact": publisher.contact, "address": publisher.address, "site_folder": ""}
    return render_template(template, current=current, root=root, **known | values)


def write_page(page: Html, target: Path, name: str) -> None:
    """Check a page, and write it in one step.

    Raises:
        NotebookError: see `check_page`; nothing is written then.
    """
    check_page(page.text, name)
    with write_atomically(target) as temporary:
        temporary.write_text(page.text, encoding="utf-8", newline="\n")


def pack_frame(document: str) -> str:
    """Compress the document of a frame, to a third or so, as text for an attribute; page.js brings it back."""
    return base64.b64encode(gzip.compress(document.encode(), mtime=0)).decode()


def unpack_frame(packed: str) -> str:
    """Return the document of a frame that `pack_frame` compressed."""
    return gzip.decompress(base64.b64decode(packed)).decode()


def name_headings(soup: BeautifulSoup, taken: Collection[str]) -> list[tuple[str, str]]:
    """Give every heading an id of its words, and return those of the second level with their texts.

    Args:
        soup: part of a page, which is changed.
        taken: ids that the rest of the page has.
    """
    used = set(taken)
    contents = []
    for heading in soup.find_all(HEADINGS):
        text = heading.get_text(" ", strip=True)
        base = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "section"
        id, number = base, 2
        while id in used:
            id, number = f"{base}-{number}", number + 1
        used.add(id)
        heading["id"] = id
        if heading.name == "h2":
            contents.append((id, text))
    return contents


def shorten_attributions(texts: Iterable[str]) -> list[str]:
    """List each sentence of the attributions once, and none that another one begins with."""
    every = dict.fromkeys(one for text in sorted(set(texts)) for one in SENTENCES.split(text))
    return [text for text in every if not any(one.startswith(text.rstrip(".")) and one != text for one in every)]


def check_page(page: str, name: str) -> None:
    """Check that a page is self-contained, no larger than it may be, and has what a screen reader needs.

    Raises:
        NotebookError: it has not; the message lists every fault.
    """
    soup = BeautifulSoup(page, "html.parser")
    faults = [*_find_excess(page), *_find_structure_faults(soup), *_find_loads(soup)]
    for frame in soup.find_all("iframe"):
        if not frame.get("title"):
            faults.append("a frame has no title")
        packed, document = frame.get("data-packed"), frame.get("srcdoc", "")
        inside = unpack_frame(str(packed)) if packed else str(document)
        faults += _find_loads(BeautifulSoup(inside, "html.parser"))
    if faults:
        raise NotebookError(f"{name} would not be a good page:\n" + "\n".join(f"  {fault}" for fault in faults))


def _find_excess(page: str) -> Iterator[str]:
    size = len(page.encode())
    if size > PAGE_BYTES:
        yield (
            f"it has {format_bytes(size)}, and a page may have {format_bytes(PAGE_BYTES)}: show fewer or smaller "
            "pictures, simpler outlines or fewer rows, and offer the rest as data to download"
        )


def _find_structure_faults(soup: BeautifulSoup) -> Iterator[str]:
    for image in soup.find_all("img"):
        alternative = str(image.get("alt", "")).strip().casefold()
        if not alternative or alternative == NO_ALTERNATIVE:
            yield "a picture has no text alternative; draw it with councilbook.pages.charts or councilbook.pages.maps"
    level = 0
    for heading in soup.find_all(HEADINGS):
        here = int(heading.name[1])
        if here > level + 1:
            yield f"the heading {heading.get_text()!r} is an h{here}, but the one before it an h{level}"
        level = here
    if (titles := len(soup.find_all("h1"))) != 1:
        yield f"there are {titles} titles (h1), not one"
    for one in soup.find_all("table"):
        if one.caption is None or not one.caption.get_text(strip=True):
            begins = one.get_text(" ", strip=True)[:40]
            yield f"the table that begins {begins!r} has no caption; write it with councilbook.pages.html.table"
    ids = Counter(str(element["id"]) for element in soup.find_all(id=True))
    for repeated in sorted(one for one, count in ids.items() if count > 1):
        yield f"the id {repeated!r} is there more than once"


def _find_loads(soup: BeautifulSoup) -> Iterator[str]:
    """Find whatever a browser would load: a page may hold data: addresses, and links that wait to be clicked."""
    for element in soup.find_all(True):
        for attribute in LOADING:
            for address in _split_addresses(attribute, element.get(attribute)):
                yield f"<{element.name} {attribute}> would load {address[:80]}"
        if element.name == "form" and not SEARCH.fullmatch(str(element.get("action", ""))):
            yield f"a form would send what is typed to {str(element.get('action', 'the page itself'))[:80]}"
        if element.name in ("link", "use", "image", "base"):
            for address in _split_addresses("href", element.get("href")):
                yield f"<{element.name} href> would load {address}"
        if element.name == "meta" and str(element.get("http-equiv", "")).lower() == "refresh":
            yield "<meta http-equiv=refresh> would load another page"
        style = str(element.get("style", "")) + (element.get_text() if element.name == "style" else "")
        for address in re.findall(r"url\(\s*[\"']?(?!data:|#)([^)\"']*)|@import\s+([^;]+)", style):
            yield f"a style would load {''.join(address)[:80]}"


def _split_addresses(attribute: str, value: object) -> list[str]:
    texts = re.split(r",\s+", str(value or "")) if attribute == "srcset" else [str(value or "")]
    return [text for text in map(str.strip, texts) if text and not text.startswith(("data:", "#"))]
