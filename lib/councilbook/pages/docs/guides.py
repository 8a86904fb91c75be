"""Guides: each Markdown file that the README leads to becomes a page of the documentation."""

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import mistune
from bs4 import BeautifulSoup, Tag

from councilbook.pages.html.pieces import Html, fill
from councilbook.pages.page import HEADINGS, name_headings, render_page, write_page

README = "README.md"
LINK = re.compile(r"\]\(((?:docs/)?[\w-]+\.md)\)")
IDS = ("main", "on-this-page", "site-search")  # that every page has
read_markdown = mistune.create_markdown(escape=False, plugins=["table"])


class Listed(NamedTuple):
    """A page as the first page of the documentation lists it."""

    file: str
    title: str
    about: str


def write_guides(root: Path, folder: Path) -> list[Listed]:
    """Write the README, and what it links, as pages, in its order.

    Links between them lead from page to page; what is a link to another file of the workbook becomes plain words.

    Args:
        root: of the workbook.
        folder: where to write.

    Raises:
        NotebookError: a page would not be accessible and self-contained.
    """
    if not (root / README).is_file():
        return []
    items = re.findall(r"^- \[.*", (root / README).read_text(encoding="utf-8"), re.MULTILINE)
    names = dict.fromkeys([README, *(name for item in items for name in LINK.findall(item))])
    texts = {name: (root / name).read_text(encoding="utf-8") for name in names if (root / name).is_file()}
    pages = {name: _list_guide(name, text) for name, text in texts.items()}
    for name, text in texts.items():
        _write_guide(root, name, text, pages, folder)
    return list(pages.values())


def _list_guide(name: str, text: str) -> Listed:
    """Say of a guide what its title and its first sentence say."""
    soup = BeautifulSoup(str(read_markdown(text)), "html.parser")
    title = soup.h1.get_text() if soup.h1 else Path(name).stem
    first = next((one.get_text() for one in soup.find_all("p") if one.get_text(strip=True)), title)
    sentence = re.split(r"(?<=[.]) ", " ".join(first.split()))[0]
    return Listed(f"{Path(name).stem.lower()}.html", title, sentence)


def _write_guide(root: Path, name: str, text: str, pages: Mapping[str, Listed], folder: Path) -> None:
    file, title, about = pages[name]
    soup = BeautifulSoup(str(read_markdown(text)), "html.parser")
    if soup.h1:
        soup.h1.extract()
    contents = name_headings(soup, IDS)
    _mend_links(soup, root, name, pages)
    for number, table in enumerate(soup.find_all("table"), start=1):
        _name_table(soup, table, number, title)
    values: dict[str, Any] = {
        "title": title,
        "about": about,
        "contents": contents,
        "body": Html(str(soup)),
        "root": "../",
    }
    write_page(render_page("docs_page.html.j2", "docs", attributions=[], **values), folder / file, name)


def _mend_links(soup: BeautifulSoup, root: Path, name: str, pages: Mapping[str, Listed]) -> None:
    """Let links lead to pages, by their titles, and put pictures into the page."""
    place = Path(name).parent
    for image in soup.find_all("img"):
        picture = base64.b64encode((root / place / str(image["src"])).read_bytes()).decode()
        image["src"] = f"data:image/png;base64,{picture}"
    for link in soup.find_all("a", href=re.compile(r"^(?!https?:|mailto:|#)")):
        file, _, part = str(link["href"]).partition("#")
        there = pages.get(os.path.normpath(place / file).replace(os.sep, "/"))
        if there:
            link["href"] = f"{there.file}#{part}" if part else there.file
            if link.get_text().endswith(".md"):
                link.string = there.title
        else:
            link.unwrap()


def _name_table(soup: BeautifulSoup, table: Tag, number: int, title: str) -> None:
    """Give a table a caption, the heading above it; where it is wide, it scrolls."""
    heading = table.find_previous(HEADINGS)
    words = f"Table {number}: {heading.get_text() if heading else title}"
    caption = fill('<caption class="visually-hidden">{}</caption>', words)
    table.insert(0, BeautifulSoup(caption.text, "html.parser"))
    for header in table.select("thead th"):
        header["scope"] = "col"
    region = {"class": "scroll", "role": "region", "aria-label": words, "tabindex": "0"}
    table.wrap(soup.new_tag("div", attrs=region))
