"""The documentation as a whole: its pages, and the first one, which leads to them."""

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from councilbook.pages.docs.guides import Listed, write_guides
from councilbook.pages.page import DOCS, render_page, write_page
from councilbook.paths import Workbook, replace_folder


def write_docs(workbook: Workbook, write_registers: Callable[[Path], list[Listed]]) -> bool:
    """Write guides, registers and the library's reference into the site, in the place of those that are there.

    Args:
        workbook: whose guides, and whose site.
        write_registers: writes the registers into a folder.

    Returns:
        Whether the reference is there, for which griffe has to be installed.

    Raises:
        NotebookError: a page would not be accessible and self-contained; what was there is left alone.
    """
    workbook.reports.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".docs.", dir=workbook.reports) as temporary:
        new = Path(temporary) / DOCS
        guides, registers = write_guides(workbook.root, new), write_registers(new)
        reference: list[Listed] = []
        if find_spec("griffe"):
            from councilbook.pages.docs.reference import write_reference

            reference = write_reference(workbook.library, new)
        models = [one for one in registers if one.file.startswith("model_")]
        parts = [
            ("Guides", "How to run a study, bring your own files, and publish what comes out.", guides),
            (
                "Registers",
                "Each is read from where its content is declared, and none is kept by hand.",
                [one for one in registers if one not in models],
            ),
            (
                "Records of models",
                "What each model does, what it is not for, and what can go wrong.",
                models,
            ),
            ("Library", "Each module and function, from its docstring.", reference[:1]),
        ]
        page = render_page("docs_index.html.j2", "docs", root="../", attributions=[], parts=parts)
        write_page(page, new / "index.html", "docs/index.html")
        replace_folder(new, workbook.reports / DOCS)
    return bool(reference)
