"""HTML: pieces of a page that read the same in JupyterLab and in a report.

A notebook or a study takes what it shows from here; within the library each subject is imported by its own name.
"""

from councilbook.pages.html.datasets import downloads, list_kinds
from councilbook.pages.html.figures import write_data_uri
from councilbook.pages.html.pieces import BadgeKind, Html, badge, definition_list, escape, fill, fold, join
from councilbook.pages.html.questions import Answer, answers
from councilbook.pages.html.tables import table

__all__ = [
    "Answer",
    "BadgeKind",
    "Html",
    "answers",
    "badge",
    "definition_list",
    "downloads",
    "escape",
    "fill",
    "fold",
    "join",
    "list_kinds",
    "table",
    "write_data_uri",
]
