"""Fingerprints: a checksum of all that a result depends on, and which notebooks are stale by it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from councilbook.catalogue import Catalogue, StudySpec, hash_file, hash_files, hash_text
from councilbook.gate.editions import Record, find_beside, hash_folder, hold_edition, read_record
from councilbook.gate.ethics.points import list_points
from councilbook.running.changes.imports import Modules, find_imports, list_used_files
from councilbook.running.jobs import Job, fill_parameters
from councilbook.running.parameters import inspect_study, read_cells
from councilbook.running.sources import list_sources, list_study_sources
from councilbook.sources.journey import describe_journey
from councilbook.sources.landscape import may_lack_rows

REPORT_MODULE = "councilbook.pages.reports.report"  # by which `run` publishes a report
SITE_MODULE = "councilbook.pages.site"  # and the site around it


def fingerprint_notebooks(job: Job, catalogue: Catalogue) -> dict[str, str]:
    """Return a checksum of all that each notebook's result depends on.

    That is its cells and parameters, the sources and the other studies' datasets that it may read, what it uses of the
    library, the council, study.yaml and what lies beside it, where the points of an ethics canvas stand, the files of
    the catalogue that the study goes by, the pinned requirements, and the fingerprints of the notebooks that it comes
    after. Of a mirror, only its files count.
    """
    workbook, spec = job.workbook, catalogue.study(job.study)
    folder = workbook.notebooks / job.study
    declared = inspect_study(folder, spec)
    ignored = {"mirror"} if job.is_date_given else {"mirror", "run_date"}
    files = [workbook.lock, *folder.glob("*.yaml"), *_list_catalogue_files(catalogue, job.study)]
    shared = [hash_files(workbook.root, files), job.council.model_dump(), job.mode == "real" and job.stand_ins]
    shared += [[one.key, one.state, one.day] for one in list_points(catalogue, job.study, job.council)]
    library = Modules.read(workbook.library)
    fingerprints: dict[str, str] = {}
    for notebook in declared:
        values = fill_parameters(job, catalogue, notebook, declared[notebook])
        cells = read_cells(folder / f"{notebook}.ipynb")
        code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        parts = [
            shared,
            {name: value for name, value in values.items() if name not in ignored},
            [
                [cell["cell_type"], cell["source"], {k: v for k, v in cell["metadata"].items() if k != "execution"}]
                for cell in cells
            ],
            _describe_sources(job, catalogue, notebook, code),
            _describe_beside(job, catalogue, notebook),
            hash_files(workbook.library, _list_library_files(job, catalogue, notebook, code, library)),
            [fingerprints[earlier] for earlier in spec.list_before(notebook)],
        ]
        fingerprints[notebook] = hash_text(json.dumps(parts, sort_keys=True))
    return fingerprints


def fingerprint_site(catalogue: Catalogue) -> str:
    """Return a checksum of all that the site's own pages depend on, but for the reports."""
    workbook = catalogue.workbook
    declared = [*workbook.catalogue.glob("*.yaml"), *workbook.notebooks.glob("*/study.yaml")]
    used = list_used_files(Modules.read(workbook.library), [SITE_MODULE])
    return hash_text(hash_files(workbook.root, [workbook.lock, *declared]) + hash_files(workbook.library, used))


def _list_catalogue_files(catalogue: Catalogue, study: str) -> list[Path]:
    """Return the files of the catalogue that a study goes by.

    That is all but other studies' that declare nothing it uses, and councils.yaml, of which one council matters.
    """
    sources = [*list_study_sources(catalogue, study), *catalogue.sources_of(study)]
    named = {name for source in sources for name in (source.id, source.or_else)}
    named |= {name for notebook in catalogue.study(study).notebooks.values() for name in notebook.releases}
    others = {
        other
        for other in catalogue.studies
        if other != study
        and named.isdisjoint([*catalogue.study_sources.get(other, ()), *catalogue.study_datasets.get(other, ())])
    }
    return [file for file in catalogue.workbook.catalogue.glob("*.yaml") if file.stem not in {"councils", *others}]


def _describe_sources(job: Job, catalogue: Catalogue, notebook: str, code: Sequence[str]) -> list[object]:
    """Say what is there of a notebook's sources; of all sources, or the journey through all steps, if it shows that."""
    read = {source.id: job.sources.get(source.id) for source in list_sources(catalogue, job.study, notebook)}
    steps = describe_journey(catalogue, job.study) if any(".journey(" in text for text in code) else None
    ways = [] if steps is None else [steps[["notebook", "direction", "item_id"]].to_numpy().tolist()]
    if not any("landscape" in text for text in code):
        return [read, [], *ways]
    looked_at = {name: mark for name, mark in job.sources.items() if may_lack_rows(catalogue.source(name))}
    return [read, sorted(job.sources), looked_at if job.mode == "real" else {}, *ways]


def _describe_beside(job: Job, catalogue: Catalogue, notebook: str) -> dict[str, str]:
    """Say which datasets of other studies are there for a notebook, by the checksums of their packages."""
    beside = catalogue.study(job.study).notebooks[notebook].beside
    found = {name: find_beside(catalogue, name, job.council, job.mode) / "datapackage.json" for name in beside}
    return {name: hash_file(file) for name, file in found.items() if file.exists()}


def _list_library_files(
    job: Job, catalogue: Catalogue, notebook: str, code: Sequence[str], library: Modules
) -> set[Path]:
    """Return the files of the library that a notebook, the twins of its sources, and its pages if it is the report use.

    A cell that is no plain Python could import anything, so all files count then.
    """
    twins = [
        source.twin.make.partition(":")[0]
        for source in list_sources(catalogue, job.study, notebook)
        if source.twin and (job.mode == "sample" or source.spectrum != "open")
    ]
    spec = catalogue.study(job.study)
    made = [page.make.partition(":")[0] for page in spec.pages.values()]
    page = [REPORT_MODULE, *made] if notebook == spec.report else []
    try:
        imported = [name for text in code for name in find_imports(text)]
    except SyntaxError:
        return set(library.files)
    return list_used_files(library, [*imported, *twins, *page])


def find_stale(job: Job, spec: StudySpec, fingerprints: Mapping[str, str]) -> list[str]:
    """Return the notebooks to run: whose result is not there or is of other inputs, and those that come after one."""
    record = read_record(job.private)
    if job.force or record is None:
        return list(spec.notebooks)
    changed = _list_changed_datasets(job, record)
    if changed - {name for notebook in spec.notebooks.values() for name in notebook.releases}:
        return list(spec.notebooks)
    stale: list[str] = []
    for notebook, about in spec.notebooks.items():
        is_changed = fingerprints[notebook] != record.notebooks.get(notebook)
        is_lost = notebook not in record.left_out and not job.executed(notebook).exists()
        is_gone = is_lost or not changed.isdisjoint(about.releases)
        if notebook == spec.report:
            is_gone = is_gone or hash_folder(job.report) != record.report
        if is_changed or is_gone or not set(stale).isdisjoint(spec.list_before(notebook)):
            stale.append(notebook)
    return stale


def _list_changed_datasets(job: Job, record: Record) -> set[str]:
    """Return the datasets of which a file is not as the last run left it; of a file in no dataset, its name."""
    pairs = zip(job.datasets, (record.processed, record.restricted), strict=True)
    return {
        path.partition("/")[0] for folder, before in pairs for path, _ in hash_folder(folder).items() ^ before.items()
    }


def find_unchanged(job: Job, catalogue: Catalogue) -> Record | None:
    """Return what the last run made if there is nothing to run again; no process need be started to learn that.

    What a killed run left of the edition is cleared away, as by any run.

    Raises:
        NotebookError: another run has the edition.
    """
    if (record := read_record(job.private)) is None:
        return None
    with hold_edition(job):
        stale = find_stale(job, catalogue.study(job.study), fingerprint_notebooks(job, catalogue))
    return None if stale else record
