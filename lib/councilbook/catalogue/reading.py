"""Reading and checking the files that the catalogue is made of."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from councilbook.catalogue.catalogue import Catalogue
from councilbook.catalogue.councils import Council
from councilbook.catalogue.entries.base import Entry, read_yaml
from councilbook.catalogue.entries.conduct import Canvas, Publisher
from councilbook.catalogue.entries.contents import Contents
from councilbook.catalogue.entries.defaults import WEAKER, Default, check_strictness, fill_in_defaults
from councilbook.catalogue.entries.studies import ComparisonSpec, StudySpec
from councilbook.errors import CatalogueError, suggest
from councilbook.paths import Workbook

Kind = TypeVar("Kind")
References = Iterator[tuple[str, Callable[[str], object], Iterable[str | None]]]

COUNCILS, DEFAULTS, PUBLISHER = "councils.yaml", "disclosure.yaml", "publisher.yaml"
CANVAS = "canvas.yaml"


class _Series(Entry, extra="allow"):
    """What must be right of a source before its editions can be written out."""

    id: str
    editions: dict[int, dict[str, Any]] = Field(default={})


class _Written(Entry, extra="allow"):
    """A file of the catalogue before that."""

    sources: list[_Series] = Field(default=[])


@cache
def load_catalogue(workbook: Workbook) -> Catalogue:
    """Read and check the whole catalogue.

    Raises:
        CatalogueError: a file is not as the catalogue's schema says; the message names file, place and fault.
    """
    councils = _read_yaml(workbook.catalogue / COUNCILS)
    named = {slug: {"slug": slug, **one} if isinstance(one, dict) else one for slug, one in councils.items()}
    defaults = _read_defaults(workbook.catalogue / DEFAULTS)
    read_publisher(workbook)
    apart = (COUNCILS, DEFAULTS, PUBLISHER)
    files = [file for file in sorted(workbook.catalogue.glob("*.yaml")) if file.name not in apart]
    contents = {file.stem: read_contents(file, defaults) for file in files}
    catalogue = Catalogue(
        workbook=workbook,
        licences=_join_up((file, one.licences.items()) for file, one in contents.items()),
        sources=_join_up((file, ((source.id, source) for source in one.sources)) for file, one in contents.items()),
        datasets=_join_up(
            (file, ((dataset.id, dataset) for dataset in one.datasets)) for file, one in contents.items()
        ),
        councils=_parse(dict[str, Council], named, workbook.catalogue / COUNCILS),
        studies={
            file.parent.name: _parse(StudySpec, {"id": file.parent.name, **_read_yaml(file)}, file)
            for file in sorted(workbook.notebooks.glob("*/study.yaml"))
        },
        study_sources={file: tuple(source.id for source in one.sources) for file, one in contents.items()},
        study_datasets={file: tuple(dataset.id for dataset in one.datasets) for file, one in contents.items()},
        disclosure=defaults,
        groups={file: one.groups for file, one in contents.items()},
        synonyms=[words for one in contents.values() for words in one.synonyms],
        canvases={
            file.parent.name: _parse(Canvas, _read_yaml(file), file)
            for file in sorted(workbook.notebooks.glob(f"*/{CANVAS}"))
        },
    )
    _check_references(catalogue)
    return catalogue


def read_contents(file: Path, defaults: Mapping[str, Default]) -> Contents:
    """Read one YAML file of sources and datasets.

    Every edition of a series is written out, and so is what a disclosure rule leaves to the defaults.
    """
    raw = _read_yaml(file)
    _parse(_Written, raw, file)
    raw["sources"] = [one for entry in raw.get("sources", []) for one in _write_out_editions(entry)]
    for dataset in raw.get("datasets", []):
        if isinstance(rule := dataset.get("disclosure"), dict):
            dataset["disclosure"] = fill_in_defaults(rule, defaults)
    contents = _parse(Contents, raw, file)
    for dataset in contents.datasets:
        check_strictness(dataset, defaults, file.name)
    return contents


def read_publisher(workbook: Workbook) -> Publisher:
    """Read who publishes the site; nothing is known where publisher.yaml is not there.

    Raises:
        CatalogueError: the file is not as the catalogue's schema says.
    """
    file = workbook.catalogue / PUBLISHER
    return _parse(Publisher, _read_yaml(file), file) if file.exists() else Publisher()


def _read_defaults(file: Path) -> dict[str, Default]:
    """Read the defaults of disclosure rules: one for each parameter of a rule that has one."""
    defaults = _parse(dict[str, Default], _read_yaml(file), file)
    if missing := sorted(set(WEAKER) - set(defaults)):
        raise CatalogueError(f"{file.name} has no default of {', '.join(missing)}.")
    return defaults


def _write_out_editions(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Make one source of each edition: what the series says, overlaid with what the edition says."""
    editions = entry.get("editions")
    if not editions:
        return [entry]
    shared = {key: value for key, value in entry.items() if key != "editions"}
    return [
        _overlay(shared, {**own, "id": f"{entry['id']}_{edition}", "series": entry["id"], "edition": edition})
        for edition, own in editions.items()
    ]


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = base | top
    for key in base.keys() & top.keys():
        if isinstance(base[key], dict) and isinstance(top[key], dict):
            merged[key] = _overlay(base[key], top[key])
    return merged


def _join_up(files: Iterable[tuple[str, Iterable[tuple[str, Kind]]]]) -> dict[str, Kind]:
    """Join the entries of all files by name.

    Raises:
        CatalogueError: a name stands twice.
    """
    known: dict[str, Kind] = {}
    for file, entries in files:
        for name, entry in entries:
            if name in known:
                raise CatalogueError(f"{file}.yaml: {name} is in the catalogue twice.")
            known[name] = entry
    return known


# --- references ---


def _check_references(catalogue: Catalogue) -> None:
    """Check that what an entry names is there; the message has the place in front."""
    for place, find, names in _list_references(catalogue):
        try:
            for name in filter(None, names):
                find(name)
        except CatalogueError as error:
            raise CatalogueError(f"{place}: {error}") from None


def _list_references(catalogue: Catalogue) -> References:
    """List places of the catalogue with what looks up the names that stand there, and those names."""

    def find_all(name: str) -> object:
        return catalogue.expand([name])

    for file, ids in catalogue.study_sources.items():
        for source in map(catalogue.source, ids):
            yield f"{file}.yaml, source {source.id}", catalogue.licence, [source.licence]
            yield f"{file}.yaml, or_else of source {source.id}", catalogue.source, [source.or_else]
            yield f"{file}.yaml, twin of source {source.id}", find_all, source.twin.fitted_to if source.twin else []
    for file, ids in catalogue.study_datasets.items():
        for dataset in map(catalogue.dataset, ids):
            yield f"{file}.yaml, dataset {dataset.id}", catalogue.licence, [dataset.licence]
    for file, groups in catalogue.groups.items():
        for title, members in groups.items():
            yield f"{file}.yaml, group {title!r}", catalogue.dataset, members
    for study in catalogue.studies.values():
        file = f"{study.id}/study.yaml"
        yield f"{file}, default_council", catalogue.council, [study.default_council]
        yield f"{file}, places", find_all, study.places
        for name, notebook in study.notebooks.items():
            yield f"{file}, notebook {name}", find_all, notebook.sources
            yield f"{file}, notebook {name}", catalogue.dataset, notebook.releases
            yield f"{file}, notebook {name}", partial(_find_beside, catalogue, study), notebook.beside
        for figure in study.compare:
            yield f"{file}, compare {figure.label!r}", *_find_compared(catalogue, study, figure)
        yield f"{file}, outlines", catalogue.dataset, [study.outlines]
    for name, canvas in catalogue.canvases.items():
        yield f"{name}/{CANVAS}", catalogue.study, [name]
        yield f"{name}/{CANVAS}", find_all, [source for point in canvas.points.values() for source in point.sources]


def _find_beside(catalogue: Catalogue, study: StudySpec, name: str) -> None:
    if not catalogue.dataset(name).is_open or catalogue.find_maker(name) is study:
        raise CatalogueError(f"{name} is no open dataset of another study.")


def _find_compared(
    catalogue: Catalogue, study: StudySpec, figure: ComparisonSpec
) -> tuple[Callable[[str], object], list[str]]:
    """Return what sees that the dataset of a compared figure is open, released by the study, and has its fields."""

    def find(name: str) -> object:
        dataset = catalogue.dataset(figure.dataset)
        released = {name for notebook in study.notebooks.values() for name in notebook.releases}
        if not dataset.is_open or dataset.id not in released:
            raise CatalogueError(f"{dataset.id} is no open dataset that the study releases.")
        if name not in dataset.fields:
            raise CatalogueError(f"No field of {dataset.id} {name!r} in the catalogue.{suggest(name, dataset.fields)}")
        return dataset.fields[name]

    return find, [*figure.columns, *figure.where, *([figure.newest] if figure.newest else [])]


# --- YAML ---


def _read_yaml(file: Path) -> dict[str, Any]:
    content = read_yaml(file)
    if not isinstance(content, dict):
        raise CatalogueError(f"{file.name} must hold keys and values at its top.")
    return content


def _parse(kind: type[Kind], raw: dict[str, Any], file: Path) -> Kind:
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        faults = "\n".join(f"  {_place(raw, fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise CatalogueError(f"{file.parent.name}/{file.name} is not as the catalogue must be:\n{faults}") from None


def _place(raw: Any, location: tuple[int | str, ...]) -> str:
    """Write a place in a YAML file, with the id of a listed entry for its number."""
    parts = []
    for step in location:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            raw = None
        named = raw.get("id") if isinstance(raw, dict) and isinstance(step, int) else None
        parts.append(str(named or step))
    return ".".join(parts) or "top"
