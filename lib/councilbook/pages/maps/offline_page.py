"""The page of an interactive map: one document that is whole without the network.

It is our own: folium's default page loads eight files from four hosts, forbids zooming and names no language. Leaflet
comes from the Python package django-leaflet, and what has been rendered is searched for addresses before it is shown.
"""

import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from councilbook.errors import CouncilbookError
from councilbook.pages.html.pieces import Html, render_template

# Written in Leaflet's code and never loaded: the name of SVG, a comment, and the credit that we do not show.
HARMLESS_ADDRESSES = {"http://www.w3.org/2000/svg", "https://leafletjs.com"}


def write_map_page(template: str, title: str, **values: object) -> str:
    """Fill in a template that extends frame.html.j2.

    Raises:
        CouncilbookError: see `check_addresses`.
    """
    styles, leaflet = (Html(_read_leaflet(f"leaflet.{kind}")) for kind in ("css", "js"))
    page = render_template(template, title=title, styles=styles, leaflet=leaflet, **values).text
    page = re.sub(r"\n\s+", "\n", page)  # indents, and blanks in coordinates, help only a reader of the source
    page = re.sub(r"\], (?=\[)", "],", re.sub(r"\[(-?\d+), (-?\d+)\]", r"[\1,\2]", page))
    check_addresses(page, title)
    return page


@cache
def _read_leaflet(file: str) -> str:
    """Read one of Leaflet's own files, without the pictures of controls that our maps do not have.

    Found through the distribution: importing the package, as importlib.resources does, wants Django's settings.
    """
    place = distribution("django-leaflet").locate_file(f"leaflet/static/leaflet/{file}")
    text = Path(str(place)).read_text(encoding="utf-8")
    text = re.sub(r"/\*[^!@].*?\*/", "", text, flags=re.DOTALL) if file.endswith(".css") else text
    text = re.sub(r"url\((images/[^)]*|#default#VML)\)", "none", text)
    return re.sub(r"\n?//# sourceMappingURL=\S+", "", text).strip()


def check_addresses(document: str, title: str) -> None:
    """Check that a rendered map names nothing that a browser would load.

    Raises:
        CouncilbookError: it holds an address beside those known to be harmless, or a jQuery call.
    """
    found = set(re.findall(r"https?://[^\s\"'<>)\\]+", document)) - HARMLESS_ADDRESSES
    if found:
        raise CouncilbookError(f"Map {title!r} would ask the network for {', '.join(sorted(found))}.")
    if re.search(r"\$\.ajax|\bjQuery\b", document):
        raise CouncilbookError(f"Map {title!r} calls jQuery, which is not in the page.")
