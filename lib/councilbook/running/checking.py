"""Whether every source and dataset is as the catalogue declares: what `councilbook check` tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from councilbook.catalogue import (
    Catalogue,
    Council,
    Finder,
    Mode,
    Source,
    StudySpec,
)
from councilbook.errors import CouncilbookError
from councilbook.gate.writing import (
    choose_root,
    dataset_folder,
    read_package,
    read_published,
)
from councilbook.sources.checks import check_fields
from councilbook.study import Study


@dataclass(frozen=True)
class CheckLine:
    """What came of one check."""

    name: str
    kind: Literal["source", "dataset"]
    ok: bool
    detail: str


def check_everything(
    catalogue: Catalogue,
    spec: StudySpec,
    council: Council,
    mode: Mode,
    mirror: Path | None,
    seed: int,
    *,
    stand_ins: bool = False,
) -> Iterator[CheckLine]:
    """Check every source that a study reads, and every dataset that it has released, against the declared fields.

    Yields:
        A line a table of a source, then a line a dataset.
    """
    finder = Finder(catalogue, mode, council, seed, mirror, stand_ins)
    builds = [name for name, notebook in spec.notebooks.items() if notebook.kind == "build"]
    study = Study(catalogue, spec, builds[0], finder, date.min.isoformat())
    for source in catalogue.expand(name for build in builds for name in spec.notebooks[build].sources):
        try:
            is_there = study.is_there(source)
        except CouncilbookError as error:
            yield CheckLine(source.id, "source", False, str(error))
            continue
        if not is_there:
            yield CheckLine(source.id, "source", True, "not here, and the study goes on without it")
        elif source.format == "file":
            yield _check_file(study, source)
        else:
            yield from (_check_source(study, source, name) for name in source.tables)
    for dataset in [name for build in builds for name in spec.notebooks[build].releases]:
        yield _check_dataset(study, dataset)


def _check_file(study: Study, source: Source) -> CheckLine:
    try:
        found = study.find(source)
        study.check_owner(found)
    except CouncilbookError as error:
        return CheckLine(source.id, "source", False, str(error))
    return CheckLine(source.id, "source", True, f"a file from {found.origin}, which the study reads itself")


def _check_source(study: Study, source: Source, table: str) -> CheckLine:
    name = f"{source.id}.{table}"
    try:
        keep = (lambda piece: piece.index < 0) if source.table(table).stream else None  # of millions, none is kept
        frame = study.load_table(source, table, keep)
    except CouncilbookError as error:
        return CheckLine(name, "source", False, str(error))
    except Exception as error:  # its message may show a record
        return CheckLine(name, "source", False, f"Source {source.id}: it cannot be read ({type(error).__name__}).")
    rows, notes = frame.attrs.get("rows_read", len(frame)), frame.attrs.get("notes", [])
    return CheckLine(name, "source", True, ". ".join([f"{rows:,} rows from {study.find(source).origin}", *notes]))


def _check_dataset(study: Study, name: str) -> CheckLine:
    dataset = study.catalogue.dataset(name)
    folder = dataset_folder(choose_root(study.catalogue.workbook, dataset), study.spec.id, study.finder.council, name)
    if not (folder / "datapackage.json").exists():
        return CheckLine(name, "dataset", True, "not released yet")
    try:
        frame = read_published(folder, dataset)
        check_fields(frame, dataset.fields, dataset.key, f"Dataset {name}", show_values=True)
    except CouncilbookError as error:
        return CheckLine(name, "dataset", False, str(error))
    package = read_package(folder)
    return CheckLine(name, "dataset", True, f"{len(frame):,} rows, version {package['version']}")
