"""What a report says in the place of a part that could not be made.

A cell that rests on what a notebook releases is tagged `part-` and that notebook's name; so tagged, a heading of the
second level stands for all cells below it. Where the notebook is left out, so are they: under the heading stands why,
and the summary says so too.
"""

from collections.abc import Mapping
from typing import Any

PART = "part-"
HEADLINE = "headline"


def leave_out_parts(
    notebook: Mapping[str, Any], titles: Mapping[str, str], reasons: Mapping[str, str]
) -> dict[str, Any]:
    """Leave the cells of some parts out of a report notebook.

    Args:
        notebook: as JSON holds it.
        titles: of each notebook whose part is left out, by its name.
        reasons: of the same, a sentence on why.

    Returns:
        The notebook without those cells, and with what is said in their place.
    """
    kept: list[dict[str, Any]] = []
    section = None  # the part that a section is of, if that is left out
    for cell in notebook["cells"]:
        part = next((name for name in reasons if PART + name in cell["metadata"].get("tags", [])), None)
        if cell["cell_type"] == "markdown" and (text := "".join(cell["source"])).startswith("## "):
            section = part
            if part:
                told = f"{text.splitlines()[0]}\n\n**This part is left out.** {reasons[part]}"
                kept.append({**cell, "source": told})
        if not (part or section):
            kept.append(cell)
    if titles:
        last = max(
            (n for n, cell in enumerate(kept) if HEADLINE in cell["metadata"].get("tags", [])), default=len(kept) - 1
        )
        told = "\n".join(f"- **Not on this page: {title}.** {reasons[name]}" for name, title in titles.items())
        code = f"from IPython.display import Markdown\n\nMarkdown({told!r})"
        cell = {"cell_type": "code", "metadata": {"tags": [HEADLINE]}, "execution_count": None, "outputs": []}
        kept.insert(last + 1, cell | {"id": "left-out", "source": code})
    return {**notebook, "cells": kept}
