"""Which notebooks are made again: those whose own inputs changed, and those that come after one of these."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from councilbook.catalogue import load_catalogue
from councilbook.errors import CatalogueError
from councilbook.gate.editions import Record, hash_folder, open_staging, write_record
from councilbook.paths import Workbook, find_workbook
from councilbook.running.changes.stale import find_stale, fingerprint_notebooks, fingerprint_site
from councilbook.running.jobs import Job, choose_councils, plan_jobs
from tiny_workbook import make_workbook, write_notebook

ALL = ["1_landscape", "2_first", "3_after_first", "4_second", "5_report"]
STUDY = """
title: A study
question: How many?
default_council: north
notebooks:
  1_landscape: {title: Landscape, kind: build, releases: []}
  2_first: {title: First, kind: build, after: [], sources: [open_counts], releases: [tiny_counts]}
  3_after_first: {title: After, kind: build, after: [2_first]}
  4_second: {title: Second, kind: build, after: [], sources: [closed_visits], releases: [tiny_more]}
  5_report: {title: Report, kind: report}
pages:
  look: {title: Look, description: To look at it., make: "councilbook.look:make_page"}
"""
MORE = """
  - {id: tiny_more, title: More, description: More, classification: open, licence: OGL-UK-3.0, key: [n],
     fields: {n: {type: integer, description: Count}}}
"""
CODES = {
    "1_landscape": "import councilbook\nstudy.landscape()",
    "2_first": "from councilbook.tiny import first",
    "3_after_first": "n = 1",
    "4_second": "if True:\n    import councilbook.second.sums as sums",
    "5_report": "from councilbook.html import table",
}
LIBRARY = {
    "__init__.py": "",
    "html.py": "",
    "pages/reports/__init__.py": "",
    "pages/reports/report.py": "from councilbook.pages import frame",
    "pages/site.py": "from councilbook.pages import frame",
    "unused.py": "import councilbook.html",
    "pages/__init__.py": "",
    "pages/frame.py": "",
    "pages/templates/report/base.html.j2": "<p>",
    "tiny/__init__.py": "",
    "tiny/first.py": "def later():\n    from .lazy import number",
    "tiny/lazy.py": "number = 1",
    "tiny/twin.py": "from ..drawn import draw",
    "tiny/words.yaml": "- one",
    "drawn.py": "",
    "second/__init__.py": "from councilbook.second import kinds",
    "second/kinds.py": "",
    "second/sums.py": "",
    "closed_twin.py": "import councilbook.drawing",
    "look.py": "",
    "drawing.py": "",
}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library = tmp_path / "lib" / "councilbook"
    for name, text in LIBRARY.items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text(text)
    monkeypatch.setattr(Workbook, "library", library)
    return library


@pytest.fixture
def made(library: Path, tmp_path: Path) -> Workbook:
    """A workbook in which the study `tiny` counts as made for north; no kernel is started."""
    workbook = make_workbook(tmp_path / "book")
    folder = workbook.notebooks / "tiny"
    (folder / "study.yaml").write_text(STUDY)
    for notebook, code in CODES.items():
        write_notebook(folder / f"{notebook}.ipynb", "", code)
    catalogue = workbook.catalogue / "tiny.yaml"
    text = catalogue.read_text() + MORE.lstrip("\n")
    text = text.replace("nowhere:make", "councilbook.closed_twin:make")
    text = text.replace(
        "format: csv\n", 'format: csv\n    twin: {make: "councilbook.tiny.twin:make", basis: Drawn}\n', 1
    )
    catalogue.write_text(text)
    job = plan(workbook)
    for dataset in ("tiny_counts", "tiny_more"):
        (job.processed / dataset).mkdir(parents=True)
        (job.processed / dataset / f"{dataset}.csv").write_text(dataset)
    keep(job)
    return workbook


def plan(workbook: Workbook, study: str = "tiny") -> Job:
    [job] = plan_jobs(load_catalogue(workbook), [study], ["north"], today="2026-11-23")
    return job


def keep(job: Job) -> None:
    """Write down that a job is made."""
    fingerprints = fingerprint_notebooks(job, load_catalogue(job.workbook))
    job.private.mkdir(parents=True, exist_ok=True)
    for notebook in fingerprints:
        job.executed(notebook).touch()
    outputs = {name: hash_folder(getattr(job, name)) for name in ("processed", "restricted", "report")}
    write_record(job, Record(council=job.council, data="sample", run_date="x", notebooks=fingerprints, **outputs))


def stale(job: Job) -> list[str]:
    load_catalogue.cache_clear()
    catalogue = load_catalogue(job.workbook)
    return find_stale(job, catalogue.study(job.study), fingerprint_notebooks(job, catalogue))


FIRST = ["2_first", "3_after_first", "5_report"]
SECOND = ["4_second", "5_report"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("tiny/first.py", FIRST),
        ("tiny/lazy.py", FIRST),  # imported in a function
        ("tiny/words.yaml", FIRST),  # beside a module
        ("drawn.py", FIRST),  # by the maker of a twin, which only the catalogue names
        ("second/sums.py", SECOND),
        ("second/kinds.py", SECOND),  # by the package around a module
        ("closed_twin.py", SECOND),
        ("drawing.py", SECOND),
        ("html.py", ["5_report"]),
        ("pages/reports/report.py", ["5_report"]),  # what publishes
        ("look.py", ["5_report"]),  # what makes a page beside it
        ("pages/templates/report/base.html.j2", ["5_report"]),
        ("__init__.py", ALL),
        ("unused.py", []),
        ("pages/site.py", []),
    ],
)
def test_a_file_of_the_library_counts_where_it_is_used(
    made: Workbook, library: Path, changed: str, expected: list[str]
) -> None:
    assert stale(plan(made)) == []
    with (library / changed).open("a") as file:
        file.write("\n# changed\n")
    assert stale(plan(made)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("requirements.lock", ALL),
        ("notebooks/tiny/study.yaml", ALL),
        ("data/catalogue/tiny.yaml", ALL),
        ("data/catalogue/disclosure.yaml", ALL),
        ("data/catalogue/other.yaml", []),
        ("notebooks/other/study.yaml", []),
        ("data/catalogue/councils.yaml", []),
    ],
)
def test_a_declaration_counts_for_its_study(made: Workbook, changed: str, expected: list[str]) -> None:
    with (made.root / changed).open("a") as file:
        file.write("\n# changed\n")
    assert stale(plan(made)) == expected


def test_another_studys_file_counts_where_it_declares_what_is_read(made: Workbook) -> None:
    catalogue = made.catalogue
    sources, datasets = (catalogue / "tiny.yaml").read_text().split("datasets:")
    (catalogue / "tiny.yaml").write_text(f"datasets:{datasets}")
    other = catalogue / "other.yaml"
    other.write_text(sources + other.read_text())
    load_catalogue.cache_clear()
    keep(plan(made))
    other.write_text(other.read_text() + "# changed\n")
    assert stale(plan(made)) == ALL


def test_another_study_is_left_alone(made: Workbook, library: Path) -> None:
    job = plan(made, "other")
    keep(job)
    (library / "tiny" / "first.py").write_text("changed = 1")
    (library / "closed_twin.py").write_text("changed = 1")
    assert stale(job) == []
    (library / "pages" / "reports" / "report.py").write_text("changed = 1")
    assert stale(job) == ["2_report"]


def test_a_source_counts_where_it_is_read_and_in_the_landscape_whether_it_is_there(made: Workbook) -> None:
    job = replace(plan(made), sources={"open_counts": "mirror 123"})
    keep(job)
    assert stale(replace(job, sources={"open_counts": "mirror 124"})) == FIRST
    more = {"open_counts": "mirror 123", "closed_visits": "closed folder 9"}
    assert stale(replace(job, sources=more)) == ["1_landscape", *SECOND]


def test_the_landscape_of_a_real_run_goes_by_what_is_in_a_file_that_it_looks_the_council_up_in(made: Workbook) -> None:
    catalogue = made.catalogue / "tiny.yaml"
    catalogue.write_text(catalogue.read_text().replace("fields: {", "areas: {district: n}, fields: {", 1))
    load_catalogue.cache_clear()
    job = replace(plan(made), mode="real", sources={"open_counts": "mirror 123"})
    keep(job)
    assert stale(replace(job, sources={"open_counts": "mirror 124"})) == ["1_landscape", *FIRST]


def test_the_twin_of_an_open_source_counts_in_the_sample_alone(made: Workbook, library: Path) -> None:
    job = replace(plan(made), mode="real")
    keep(job)
    (library / "tiny" / "twin.py").write_text("changed = 1")
    (library / "drawn.py").write_text("changed = 1")
    assert stale(job) == []
    (library / "closed_twin.py").write_text("changed = 1")
    assert stale(job) == SECOND


def test_a_cell_that_is_no_plain_python_could_use_anything(made: Workbook, library: Path) -> None:
    write_notebook(made.notebooks / "tiny" / "4_second.ipynb", "", "%matplotlib inline\nimport math")
    keep(plan(made))
    (library / "unused.py").write_text("changed = 1")
    assert stale(plan(made)) == SECOND


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda job: (job.processed / "tiny_more" / "tiny_more.csv").write_text("by hand"), SECOND),
        (lambda job: (job.processed / "tiny_counts" / "tiny_counts.csv").unlink(), FIRST),
        (lambda job: job.executed("3_after_first").unlink(), ["3_after_first", "5_report"]),
        (lambda job: (job.processed / "stray.csv").write_text("of nobody"), ALL),
    ],
)
def test_an_output_that_is_not_as_it_was_left_is_made_again(
    made: Workbook, spoil: Callable[[Job], object], expected: list[str]
) -> None:
    spoil(plan(made))
    assert stale(plan(made)) == expected


def test_what_is_not_made_again_lies_in_the_staging_folder(made: Workbook) -> None:
    with open_staging(plan(made), ["tiny_counts", "tiny_more"]) as staging:
        texts = {file.name: file.read_text() for file in staging.processed.rglob("*.csv")}
    assert texts == {"tiny_counts.csv": "tiny_counts", "tiny_more.csv": "tiny_more"}


def test_the_site_goes_by_its_module_its_templates_and_all_that_is_declared(made: Workbook, library: Path) -> None:
    seen = [fingerprint_site(load_catalogue(made))]
    files = [
        library / "pages/templates/report/base.html.j2",
        library / "pages" / "site.py",
        made.catalogue / "other.yaml",
    ]
    for file in [*files, made.notebooks / "other" / "study.yaml"]:
        file.write_text(file.read_text() + "\n# changed\n")
        seen.append(fingerprint_site(load_catalogue(made)))
    assert len(set(seen)) == 5
    (library / "tiny" / "first.py").write_text("changed = 1")
    assert fingerprint_site(load_catalogue(made)) == seen[-1]


def test_a_nation_and_a_file_name_many_councils(tmp_path: Path) -> None:
    catalogue = load_catalogue(find_workbook(Path(__file__).parent))
    england = choose_councils(catalogue, ["England"])
    assert len(england) == 296
    assert not [council for council in england if "E10" in "".join(council.codes)]
    assert len(choose_councils(catalogue, ["all"])) == 361
    assert choose_councils(catalogue, ["all"], ["E"]) == england
    file = tmp_path / "councils.csv"
    file.write_text("# ours\nDoncaster,first\n\nE06000047\n", encoding="utf-8")
    assert [council.slug for council in choose_councils(catalogue, [str(file)])] == ["doncaster", "county_durham"]
    file.write_text("Doncaster\nAtlantis\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"councils\.csv, row 2: .*Atlantis"):
        choose_councils(catalogue, [str(file)])
    with pytest.raises(CatalogueError, match=r"There is no file .*nowhere\.txt"):
        choose_councils(catalogue, ["nowhere.txt"])
    for content, said in (
        ("Doncaster\nY Fro Gymru \u2013 Môn\n".encode("cp1252"), "row 2: it is no UTF-8"),
        (b"# none\n\n", "names no council"),
        (b"Doncaster\n,County Durham\n", "row 2: No council ''"),
    ):
        file.write_bytes(content)
        with pytest.raises(CatalogueError, match=rf"councils\.csv,? {said}"):
            choose_councils(catalogue, [str(file)])
