"""What of a report is seen at once, and what is folded away under words that say what it is."""

import re
from collections.abc import Iterable, Iterator
from copy import copy
from itertools import takewhile
from textwrap import shorten

from bs4 import BeautifulSoup, Tag

from councilbook.pages.html.pieces import Html
from councilbook.pages.page import HEADINGS, pack_frame
from councilbook.pages.reports.report_records import Section

FOLD_TAG = "fold"  # of a markdown cell whose sections are folded under their headings
MORE_TAG = "more"  # of a code cell whose pictures are folded under their captions
PICTURE_TAG = "picture"  # of the cell whose picture opens the page
LEAD = "opening-picture"
SECTION_LETTERS = 300  # of a section that the search looks through
SENTENCE = re.compile(r"(?<=[.!?]) +(?=[A-Z£0-9])")


def place_title(title: str, council_name: str) -> str:
    """Write a report's title with its place: `Fuel poverty in Kent: where is it?`."""
    if council_name.casefold() in title.casefold():
        return title
    subject, colon, question = title.partition(":")
    return f"{subject} in {council_name}{colon}{question}"


def fold_report(soup: BeautifulSoup) -> None:
    """Fold every table that stands alone under its caption, and sections and pictures whose cells ask for it.

    A browser opens a fold without a script; on paper all are open.
    """
    for table in soup.find_all("table"):
        if not table.find_parent(["figure", "details"]) and table.caption:
            whole = table.find_parent(class_="scroll") or table
            note = whole.find_next_sibling()
            parts = [whole, note] if note and note.get("class") == ["note"] else [whole]
            _fold(soup, table.caption.get_text(" ", strip=True), parts, "more")
            table.caption["class"] = "visually-hidden"
    for figure in soup.select(f'[data-tags~="{MORE_TAG}"] figure'):
        if figure.figcaption:
            _fold(soup, figure.figcaption.get_text(" ", strip=True), [figure], "more")
            figure.figcaption["class"] = "visually-hidden"
    _split_sections(soup)
    for first in soup.select(f'.prose[data-tags~="{FOLD_TAG}"]:has(> h2)'):
        following = takewhile(lambda one: not one.select_one(":scope > h2"), first.find_next_siblings())
        parts = [first, *following]
        heading = first.h2
        if heading is not None:
            _fold(soup, heading.extract(), parts, "section")


def show_picture(soup: BeautifulSoup) -> str:
    """Take the still picture of the cell tagged `picture` to open the page, with its legend; empty if there is none.

    It leads to the figure that it is taken from, which has to be numbered by then. There a link leads back to it: with
    two copies the page of a large council would be too large.
    """
    figure = soup.select_one(f'[data-tags~="{PICTURE_TAG}"] figure')
    image = figure.img if figure else None
    if figure is None or image is None or figure.figcaption is None:
        return ""
    shown = soup.new_tag("figure", attrs={"class": "lead-picture", "id": LEAD})
    still = figure.picture or image
    back = soup.new_tag("a", attrs={"href": f"#{LEAD}"})
    back.string = "The still picture opens this page."
    still.replace_with(back)
    for link in figure.select('a[href^="data:image"]'):
        link.decompose()  # a third copy
    shown.append(still)
    if legend := figure.select_one(".legend ul"):
        shown.append(copy(legend))
    caption = soup.new_tag("figcaption")
    link = soup.new_tag("a", attrs={"href": f"#{figure['id']}"})
    link.string = figure.figcaption.get_text(" ", strip=True)
    caption.append(link)
    shown.append(caption)
    return str(shown)


def shorten_alternatives(soup: BeautifulSoup, summary: str) -> None:
    """Leave out of a text alternative what a paragraph says as well, but for the first sentence that has a figure.

    Where no sentence has a figure, the first one stays.
    """
    paragraphs = soup.select(".prose p, .output > p, .output li")
    told = " ".join([summary, *(" ".join(one.get_text().split()) for one in paragraphs)])
    for image in soup.find_all("img"):
        sentences = SENTENCE.split(str(image.get("alt", "")))
        repeated = [one for one in sentences if one in told]
        finding = next((one for one in repeated if re.search(r"\d", one)), "".join(repeated[:1]))
        image["alt"] = " ".join(one for one in sentences if one == finding or one not in repeated)


def _fold(soup: BeautifulSoup, words: str | Tag, parts: list[Tag], kind: str) -> None:
    fold, summary = soup.new_tag("details", attrs={"class": kind}), soup.new_tag("summary")
    summary.append(words)
    parts[0].insert_before(fold)
    fold.append(summary)
    fold.extend([one.extract() for one in parts])


def _split_sections(soup: BeautifulSoup) -> None:
    """Begin a new block of prose at each heading of the second level, so that a section can be taken whole."""
    for prose in soup.select(".prose:has(> h2)"):
        for heading in prose.find_all("h2", recursive=False)[::-1]:
            before = [one for one in heading.previous_siblings if isinstance(one, Tag)]
            if before:
                rest = copy(prose)
                rest.clear()
                rest.extend([heading, *[one.extract() for one in list(heading.next_siblings)]])
                prose.insert_after(rest)


def pack_frames(soup: BeautifulSoup) -> None:
    """Compress interactive maps, which want scripts anyway; a still picture stands beside each for who has none."""
    for frame in soup.select("iframe[srcdoc]"):
        frame["data-packed"] = pack_frame(str(frame["srcdoc"]))
        del frame["srcdoc"]


def list_sections(page: Html) -> Iterator[Section]:
    """Yield each heading of a page with the text up to the next; what is folded away or navigation does not count."""
    main = BeautifulSoup(page.text, "html.parser").main
    assert main
    for hidden in main.select(
        "nav, details:not(.section), .first-screen > :not(h1), .code, .code-switch, script, style, .visually-hidden"
    ):
        hidden.decompose()
    heading, texts = None, list[str]()
    for part in main.select(", ".join([*HEADINGS, "p", "li:not(:has(p))", "figcaption", "caption"])):
        text = " ".join(part.get_text().split())
        if part.name in HEADINGS:
            if heading:
                yield _make_section(heading, texts)
            heading, texts = part, []
        else:
            texts.append(text)
    if heading:
        yield _make_section(heading, texts)


def _make_section(heading: Tag, texts: Iterable[str]) -> Section:
    text = shorten(" ".join(texts), SECTION_LETTERS, placeholder=" …")
    return Section(id=str(heading.get("id", "")), heading=heading.get_text(" ", strip=True), text=text)
