"""The library's reference: a page a room, from the docstrings. griffe reads them, and runs no code."""

import logging
from collections.abc import Iterator
from pathlib import Path

import griffe
import mistune

from councilbook.pages.docs.guides import Listed
from councilbook.pages.html.pieces import Html
from councilbook.pages.page import render_page, write_page

render_words = mistune.create_markdown(escape=True, plugins=["table"])


def write_reference(library: Path, folder: Path) -> list[Listed]:
    """Write a page for each room of the library: its modules, and what they offer.

    Args:
        library: the package's folder.
        folder: where to write.

    Returns:
        The pages, the library's own first; each room's question is what it says at its door.

    Raises:
        NotebookError: a page would not be accessible and self-contained.
    """
    logging.getLogger("griffe").setLevel(logging.ERROR)  # an argument that has no type in a docstring is no fault
    package = griffe.load(
        library.name,
        search_paths=[library.parent],
        docstring_parser="google",
        docstring_options={"returns_multiple_items": False, "returns_named_value": False},
        allow_inspection=False,
    )
    assert isinstance(package, griffe.Module)
    rooms = list(_list_rooms(package))
    listed = [Listed(f"{room.path}.html", room.path, _read_first(room)) for room in rooms]
    for room, one in zip(rooms, listed, strict=True):
        modules = [module for module in _list_own(room, "modules") if not module.is_init_module]
        page = render_page(
            "reference.html.j2",
            "docs",
            root="../",
            attributions=[],
            title=one.title,
            about=one.about,
            room=room,
            rooms=[other for other in listed if other.title.startswith(f"{room.path}.")],
            modules=modules,
            contents=[(module.name, module.name) for module in modules],
            list_own=_list_own,
            words=lambda text: Html(str(render_words(text))),
        )
        write_page(page, folder / one.file, one.title)
    return listed


def _list_rooms(room: griffe.Module) -> Iterator[griffe.Module]:
    yield room
    for inner in _list_own(room, "modules"):
        if isinstance(inner, griffe.Module) and inner.is_init_module:
            yield from _list_rooms(inner)


def _read_first(room: griffe.Module) -> str:
    return room.docstring.value.splitlines()[0] if room.docstring else ""


def _list_own(owner: griffe.Object, kind: str) -> list[griffe.Object]:
    """List the modules, classes or functions that something offers: not what it imports, nor what is its own affair.

    Those of a module stand in the order of its code, modules in that of their names.
    """
    found = [one for one in getattr(owner, kind).values() if not one.is_alias and not one.name.startswith("_")]
    return sorted(found, key=lambda one: one.name if kind == "modules" else one.lineno)
