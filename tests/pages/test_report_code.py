"""What a report notebook's code may do, and what keeps it from being published."""

from pathlib import Path

import pytest

from councilbook.catalogue import load_catalogue
from councilbook.errors import NotebookError
from councilbook.pages.reports.report_code import check_report_code
from councilbook.paths import find_workbook
from councilbook.running.parameters import read_cells

ROOT = find_workbook(Path(__file__).parent)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import pandas as pd\npd.read_csv('x.csv')", "line 2: .read_csv could read a file"),
        ("from pandas import read_csv", "imports pandas.read_csv"),
        ("import pandas.io.parsers", "imports pandas.io.parsers"),
        ("import numpy as np; np.load('x')", ".load could read a file"),
        ("import os", "imports os"),
        ("from pathlib import Path", "imports pathlib.Path"),
        ("import duckdb, geopandas", "imports duckdb"),
        ("from councilbook.sources.files import readers", "imports councilbook.sources.files.readers"),
        ("from councilbook.gate.writing import read_published", "imports councilbook.gate.writing.read_published"),
        ("from councilbook.other import areas", "imports councilbook.other.areas"),
        ("from . import secrets", "imports a module relative to the notebook"),
        ("study.load('register')", ".load could read a file"),
        ("study._load(1)", "._load could read a file"),
        ("open('/etc/passwd').read()", "open could read a file"),
        ("getattr(study, 'lo' + 'ad')('x')", "getattr could read a file"),
        ("__builtins__", "__builtins__ could read a file"),
        ("study.__dict__", ".__dict__ could read a file"),
        ("!cat register.csv", "not plain Python"),
        ("%run other.ipynb", "not plain Python"),
    ],
)
def test_code_that_could_show_what_was_not_released_is_named(code: str, fault: str) -> None:
    with pytest.raises(NotebookError, match="3_report is a report") as caught:
        check_report_code(["x = 1", code], "warmth", "3_report")
    assert f"code cell 2{'' if 'plain' in fault else ','}" in str(caught.value)
    assert fault in str(caught.value)


def test_code_that_shows_released_data_passes() -> None:
    code = (
        "from IPython.display import Markdown\nimport pandas as pd\nfrom councilbook.pages import charts, html\n"
        "from councilbook.warmth.prose import describe\nfrom councilbook.warmth import areas\n"
        "charts.draw_lines(pd.DataFrame(study.published('x')).sort_values('year'), 'year')"
    )
    check_report_code([code], "warmth", "3_report")


def test_every_report_notebook_passes() -> None:
    catalogue = load_catalogue(ROOT)
    assert catalogue.studies
    for spec in catalogue.studies.values():
        cells = read_cells(ROOT.notebooks / spec.id / f"{spec.report}.ipynb")
        code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        check_report_code(code, spec.id, spec.report)
