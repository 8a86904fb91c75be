"""Files of JSON that are a list of records, as services of the Department for Education give them."""

import json
from typing import Any

from councilbook.catalogue import FoundFile
from councilbook.errors import SourceError
from councilbook.sources.files.packed import decode_as_saved, unpack


def read_json(found: FoundFile) -> Any:
    """Read a JSON file, also a packed one.

    Raises:
        SourceError: it cannot be unpacked, or is no JSON; the message names the row and column at which it ends to be.
    """
    where = f"Source {found.source.id}, file {found.path.name}"
    try:
        return json.loads(decode_as_saved(unpack(found.path, None, where)))
    except json.JSONDecodeError as error:
        raise SourceError(f"{where}: not JSON that can be read (row {error.lineno}, column {error.colno}).") from None


def take_items(content: Any, found: FoundFile, within: str = "") -> list[dict[str, Any]]:
    """Take the list of records out of a JSON file's content.

    Args:
        content: of the file.
        found: the file, for messages.
        within: key that the list stands under; none if the file is the list.

    Raises:
        SourceError: there is no such list, or an item of it is no record.
    """
    where = f"Source {found.source.id}, file {found.path.name}"
    items = content.get(within) if within and isinstance(content, dict) else content if not within else None
    if not isinstance(items, list):
        raise SourceError(f"{where}: expected a list{f' under {within!r}' if within else ''}, and there is none.")
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise SourceError(f"{where}: item {number} of {len(items)} is no record with named values.")
    return items
