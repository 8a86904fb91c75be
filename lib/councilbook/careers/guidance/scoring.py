"""How much of a PDF is read right: cells of synthetic files, whose values are known."""

from pathlib import Path

import pandas as pd

from councilbook.careers.guidance.layouts import read_shipped_layout
from councilbook.careers.guidance.returns import BENCHMARKS, OFFERS, REPORTS, SPREADSHEET, list_facts, read_pdf
from councilbook.careers.twin.guidance_twin import list_printed, make_report
from councilbook.catalogue import Catalogue, FoundFile, TwinRequest
from councilbook.sources.files.readers import convert_types

FORMS = dict(zip(REPORTS, ("ruled table", "columns without lines", "labelled blocks"), strict=True))


def score_reports(request: TwinRequest, catalogue: Catalogue) -> pd.DataFrame:
    """Draw each kind of PDF, read it by its shipped layout, and compare each cell with what was printed.

    Returns:
        A row a kind: form, true_cells, read_cells, right_cells; agreeing_cells (the right ones, counted in both) and
        compared_cells (true and read ones together), whose share is F1, the harmonic mean of precision and recall.
    """
    rows = []
    for name, form in FORMS.items():
        source = catalogue.source(name).for_council(request.council)
        found = FoundFile(source, Path(source.file), "twin")
        table = catalogue.source(SPREADSHEET).table()
        read = read_pdf(make_report(source, request), read_shipped_layout(name), table, found)
        printed = list_printed(request, name)
        printed = printed[(printed[[*BENCHMARKS, *OFFERS]] != "").any(axis="columns")]
        true = list_facts(convert_types(printed[list(table.fields)], table, found), name)
        rows.append({"form": form, **count_right(true, read)})
    return pd.DataFrame(rows)


def count_right(true: pd.DataFrame, read: pd.DataFrame) -> dict[str, int]:
    """Count the facts that there are, that were read, and that agree in institution, version, field and value."""
    key = ["urn", "institution_name", "benchmarks_version", "return_date", "field", "value"]
    right = len(true[key].merge(read[key], on=key))
    both = len(true) + len(read)
    counts = {"true_cells": len(true), "read_cells": len(read), "right_cells": right}
    return counts | {"agreeing_cells": 2 * right, "compared_cells": both}
