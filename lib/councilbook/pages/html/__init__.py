"""HTML: pieces of a page that read the same in JupyterLab and in a report.

A notebook or a study takes what it shows from here; within the library each subject is imported by its own name.
"""

from councilbook.pages.html.datasets import downloads, list_kinds
from councilbook.pages.html.figures import write_data_uri
from councilbook.pages.html.pieces import (
    BadgeKind,
    Html,
    KeyFigure,
    badge,
    definition_list,
    escape,
    fill,
    fold,
    join,
    key_figures,
)
from councilbook.pages.html.questions import Answer, answers
from councilbook.pages.html.tables import record_cards, table
from councilbook.pages.html.wording import round_column

__all__ = [
    "Answer",
    "BadgeKind",
    "Html",
    "KeyFigure",
    "answers",
    "badge",
    "definition_list",
    "downloads",
    "escape",
    "fill",
    "fold",
    "join",
    "key_figures",
    "list_kinds",
    "record_cards",
    "round_column",
    "table",
    "write_data_uri",
]
