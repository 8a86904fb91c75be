"""Whether every source and dataset is as the catalogue declares: what `councilbook check` tells."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from councilbook.catalogue import (
    Catalogue,
    Council,
    Finder,
    FoundFile,
    Mode,
    Source,
    StudySpec,
    find_function,
    raw_path,
)
from councilbook.errors import CatalogueError, CouncilbookError, SourceError, suggest
from councilbook.gate.ethics.points import require_settled
from councilbook.gate.written.packages import read_package, read_published
from councilbook.paths import CLOSED_VARIABLE
from councilbook.running.parts import MAY_STOP
from councilbook.sources.checks import check_fields
from councilbook.sources.files.readers import read_rows
from councilbook.sources.mappings import Inspection
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
    run_date: str,
    *,
    stand_ins: bool = False,
) -> Iterator[CheckLine]:
    """Check every source that a study reads, and every dataset that it has released, against the declared fields.

    Yields:
        A line a table of a source, then a line a dataset.
    """
    finder = Finder(catalogue, mode, council, seed, mirror, stand_ins)
    builds = [name for name, notebook in spec.notebooks.items() if notebook.kind == "build"]
    study = Study(catalogue, spec, builds[0], finder, run_date)
    is_right = True
    for source in catalogue.expand(name for build in builds for name in spec.notebooks[build].sources):
        for line in _check_tables(study, source):
            is_right &= line.ok
            yield line
    for name in builds if is_right else ():
        if check := spec.notebooks[name].checked_by:
            yield _check_together(Study(catalogue, spec, name, finder, run_date), find_function(check))
    for dataset in [name for build in builds for name in spec.notebooks[build].releases]:
        yield _check_dataset(study, dataset)


def _check_together(study: Study, check: Callable[..., object]) -> CheckLine:
    """Check what only several sources of a notebook together can tell, as it would itself."""
    name = f"{study.notebook}, its sources together"
    try:
        check(study.load)
    except CouncilbookError as error:
        is_left_out = study.spec.notebooks[study.notebook].optional and type(error).__name__ in MAY_STOP
        return CheckLine(name, "source", is_left_out, f"{'this part is left out: ' * is_left_out}{error}")
    return CheckLine(name, "source", True, "they fit together")


def _check_tables(study: Study, source: Source) -> Iterator[CheckLine]:
    try:
        is_there = study.is_there(source)
    except CouncilbookError as error:
        yield CheckLine(source.id, "source", False, str(error))
        return
    if not is_there:
        yield CheckLine(source.id, "source", True, "not here, and the study goes on without it")
    elif source.format == "file":
        yield _check_file(study, source)
    else:
        yield from (_check_source(study, source, name) for name in source.tables)


def check_by_hand(finder: Finder, source: Source) -> CheckLine:
    """Check a file of a source without an address, if it is in data/raw, and say what it is called there."""
    path = raw_path(source, finder.catalogue.workbook)
    endings = (
        f"; or as it comes, as .{' or .'.join(source.formats)}, with or without its date" if source.formats else ""
    )
    name = f"Save as: {path}{endings}"
    try:
        found = finder.find_local(source)
        if found is None:
            return CheckLine(name, "source", True, f"Not here. The right one has {_describe_contents(source)}.")
        rows = [read_rows(found, table, lambda piece: piece.index < 0) for table in source.tables.values()]
    except CouncilbookError as error:
        return CheckLine(name, "source", False, f"Here, and NOT the right one: {error}")
    counts = ", ".join(f"{one.attrs.get('rows_read', len(one)):,}" for one in rows)
    return CheckLine(name, "source", True, f"Here, and right: {counts or 'no'} rows.")


def _describe_contents(source: Source) -> str:
    """Say which sheets and columns a file has, as the publisher calls them."""
    parts = []
    for table in source.tables.values():
        needed = {name: field for name, field in table.fields.items() if not field.may_be_absent}
        columns = ", ".join(" or ".join(field.column or [name]) for name, field in needed.items())
        parts.append(f"in its sheet {table.sheet} the columns {columns}" if table.sheet else f"the columns {columns}")
    return "; ".join(parts) or f"the ending of {source.file}"


def _check_file(study: Study, source: Source) -> CheckLine:
    try:
        found = study.find(source)
        study.check_owner(found)
        inspection = study.inspect_file(found) if found.source.reader else None
    except CouncilbookError as error:
        return CheckLine(source.id, "source", False, str(error))
    if inspection and inspection.fault:
        return CheckLine(source.id, "source", False, inspection.fault)
    told = "\n".join([inspection.result, *inspection.warnings]) if inspection else "which the study reads itself"
    return CheckLine(source.id, "source", True, f"a file from {found.origin}, {told}")


def inspect_columns(
    catalogue: Catalogue, spec: StudySpec, finder: Finder, source: str | None, run_date: str, *, afresh: bool
) -> Iterator[tuple[FoundFile, Path, Inspection]]:
    """Find out which column is which in a council's own files.

    Args:
        catalogue: the workbook's.
        spec: the study that reads them.
        finder: finds them, in a real run.
        source: the id of one; None: all that have a reader and are there.
        run_date: ISO.
        afresh: go by no mapping that is there; it is kept beside, as .before.

    Yields:
        A file, where the council may say which column is which, and what was found.

    Raises:
        SourceError: there is no closed folder, or no file.
        CatalogueError: the source is not known, or its columns are declared and need no telling.
    """
    if catalogue.workbook.closed is None:
        raise SourceError(f"{CLOSED_VARIABLE} names no closed folder, for a council to say in what its columns are.")
    able = {one.id: one for one in catalogue.sources_of(spec.id) if one.is_mapped}
    if source is not None and source not in able:
        raise CatalogueError(
            f"{source} is no source of {spec.id} whose columns a council can tell.{suggest(source, able)}"
        )
    chosen = list(able.values()) if source is None else [able[source]]
    found = {local.path: local for one in chosen if (local := finder.find_local(one))}
    if not found:
        raise SourceError(finder.describe_nowhere(chosen[0]))
    study = Study(catalogue, spec, next(iter(spec.notebooks)), finder, run_date)
    for local in found.values():
        mapping = finder.find_mapping(local.source)
        assert mapping
        if afresh and mapping.exists():
            mapping.replace(mapping.with_name(f"{mapping.name}.before"))
        yield local, mapping, study.inspect_file(local)


def require_accepted(catalogue: Catalogue, study: str, notebooks: Iterable[str], finder: Finder, run_date: str) -> None:
    """Stop a run before its first notebook where the gate would stop it at an open point of the ethics canvas.

    Raises:
        NotSettledError: real files that are not open were found, and a point about them is open, or the canvas too old.
    """
    about = [catalogue.study(study).notebooks[name] for name in notebooks]
    leaving = [one for one in about if any(catalogue.dataset(name).classification != "closed" for name in one.releases)]
    found = [finder.find_local(source) for source in catalogue.expand(name for one in leaving for name in one.sources)]
    real = {one.source.id: one.source.title for one in found if one and one.source.spectrum != "open"}
    require_settled(catalogue, study, finder.council, real, f"The {study} study was not run", run_date)


def require_readable(catalogue: Catalogue, study: str, notebooks: Iterable[str], finder: Finder, run_date: str) -> None:
    """Check the files that notebooks read by a reader of their own, before the first of them is run.

    Raises:
        SourceError, CheckError: one cannot be read, and the notebook would have stopped with the same message; or it is
            another council's.
    """
    spec = catalogue.study(study)
    reads = [name for name in notebooks if spec.notebooks[name].kind == "build"]
    for source in catalogue.expand(name for notebook in reads for name in spec.notebooks[notebook].sources):
        if source.format == "file" and (found := finder.find_local(source)):
            own = Study(catalogue, spec, reads[0], finder, run_date)
            if found.source.owner:
                own.check_owner(found)  # which reads it
            elif found.source.reader and (fault := own.inspect_file(found).fault):
                raise SourceError(fault)


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
    told = f"{rows:,} rows from {study.find(source).origin}"
    return CheckLine(name, "source", True, " ".join([f"{told}.", *notes]) if notes else told)


def _check_dataset(study: Study, name: str) -> CheckLine:
    dataset = study.catalogue.dataset(name)
    folder = study.find_released(dataset)
    if not (folder / "datapackage.json").exists():
        return CheckLine(name, "dataset", True, "not released yet")
    try:
        frame = read_published(folder, dataset)
        check_fields(frame, dataset.fields, dataset.key, f"Dataset {name}", show_values=True)
    except CouncilbookError as error:
        return CheckLine(name, "dataset", False, str(error))
    package = read_package(folder)
    return CheckLine(name, "dataset", True, f"{len(frame):,} rows, version {package['version']}")
