"""The journey of data through a study: which source goes through which notebook into which dataset."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from councilbook.catalogue import Catalogue

COLUMNS = [
    "step",
    "notebook",
    "notebook_title",
    "direction",
    "kind",
    "item_id",
    "item_title",
    "spectrum",
    "steward",
    "personal_data",
    "made_safe_by",
]


def describe_journey(catalogue: Catalogue, study: str) -> pd.DataFrame:
    """Follow data through a study, as the catalogue, study.yaml and the notebooks' own code say.

    Args:
        catalogue: the workbook's.
        study: its id.

    Returns:
        A row for what goes into or comes out of a notebook, in reading order: step (counted from 1), notebook,
        notebook_title, direction (in, out), kind (source, dataset), item_id (of a series its own), item_title,
        spectrum, steward (of a source; of a dataset the notebook that makes it), personal_data (missing for a dataset),
        made_safe_by (a dataset's disclosure rule).
    """
    spec = catalogue.study(study)
    makers = {name: notebook for notebook, about in spec.notebooks.items() for name in about.releases}
    rows: list[tuple[object, ...]] = []
    for notebook, about in spec.notebooks.items():
        here = notebook, about.title
        for name in about.sources:
            source = catalogue.expand([name])[0]
            about_it = (name, source.title, source.spectrum, source.steward, source.personal_data, None)
            rows.append((*here, "in", "source", *about_it))
        cells = catalogue.workbook.notebooks / study / f"{notebook}.ipynb"
        read = [name for name in dict.fromkeys(_list_read(cells)) if makers.get(name, notebook) != notebook]
        for direction, names in (("in", read), ("out", about.releases)):
            for name in names:
                dataset = catalogue.dataset(name)
                rule = dataset.disclosure.rule if dataset.disclosure else None
                own = (name, dataset.title, dataset.classification, makers[name], None, rule)
                rows.append((*here, direction, "dataset", *own))
    found = pd.DataFrame([(step, *row) for step, row in enumerate(rows, start=1)], columns=COLUMNS)
    return found.astype({"personal_data": "boolean"})


def is_read(catalogue: Catalogue, dataset: str) -> bool:
    """Tell whether anything rests on a dataset: whether code or a study.yaml names it, other than to release it."""
    workbook = catalogue.workbook
    texts = [file.read_text(encoding="utf-8") for file in workbook.library.rglob("*.py")]
    for spec in catalogue.studies.values():
        texts.append(spec.model_dump_json(exclude={"notebooks": {"__all__": {"releases"}}}))
        files = [workbook.notebooks / spec.id / f"{notebook}.ipynb" for notebook in spec.notebooks]
        notebooks = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
        texts += ["".join(cell["source"]) for one in notebooks for cell in one["cells"] if cell["cell_type"] == "code"]
    named = re.compile(rf"(?<!release\()[\"']{dataset}[\"']")
    return any(named.search(text) for text in texts)


def _list_read(notebook: Path) -> Iterator[str]:
    """List the datasets that a notebook's code reads by `study.published`; none where it is not written yet."""
    if not notebook.exists():
        return
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                match node:
                    case ast.Call(func=ast.Attribute(attr="published"), args=[ast.Constant(value=str(name)), *_]):
                        yield name
