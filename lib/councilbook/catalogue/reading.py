"""Reading and checking the whole catalogue."""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from councilbook.catalogue.councils import (
    find_authority,
    find_county,
    join_names,
    join_words,
    list_areas,
    list_region,
    suggest_authorities,
)
from councilbook.catalogue.entries import GSS_CODE, Entry
from councilbook.catalogue.fingerprints import hash_text
from councilbook.catalogue.rules import (
    Canvas,
    CountRule,
    Default,
    Guarded,
    Held,
    MagnitudeRule,
    ModelRule,
    OpenSourcesOnly,
    RecordRule,
    RegisterRule,
)
from councilbook.catalogue.schema import ComparisonSpec, Contents, Council, Dataset, Licence, Source, StudySpec
from councilbook.errors import CatalogueError, suggest
from councilbook.paths import Workbook

Model = TypeVar("Model", bound=Entry)


def _is_shown_instead(value: str, default: str) -> bool:
    return (value, default) == ("show", "suppress")


DEFAULTS = "disclosure.yaml"
CANVAS = "canvas.yaml"
DISTRICT_KINDS = ("06", "07", "08", "09")  # of the GSS codes of English unitaries, districts, metropolitan and London
RULES: dict[str, type[Entry]] = {
    "open_sources_only": OpenSourcesOnly,
    "held": Held,
    "counts": CountRule,
    "magnitudes": MagnitudeRule,
    "records": RecordRule,
    "register": RegisterRule,
    "model": ModelRule,
}
# Parameters of a rule, and whether a value is less strict than its default.
WEAKER: dict[str, Callable[[Any, Any], bool]] = {
    "threshold": operator.lt,
    "round_to": operator.lt,
    "zeros": _is_shown_instead,
    "full": _is_shown_instead,
    "published_totals": lambda value, default: (value, default) == ("rounded", "what is left"),
    "dominance_n": operator.lt,
    "dominance_k_pct": operator.gt,
    "p_pct": operator.lt,
    "k": operator.lt,
    "l": operator.lt,
    "t": operator.gt,
    "most_suppressed_pct": operator.gt,
    "most_unique_pct": operator.gt,
    "least_degrees_of_freedom": operator.lt,
}


@dataclass(frozen=True)
class Catalogue:
    """All of data/catalogue and the studies."""

    workbook: Workbook
    licences: Mapping[str, Licence]
    sources: Mapping[str, Source]
    datasets: Mapping[str, Dataset]
    councils: Mapping[str, Council]
    studies: Mapping[str, StudySpec]
    study_sources: Mapping[str, tuple[str, ...]]  # sources listed in <study>.yaml
    study_datasets: Mapping[str, tuple[str, ...]]
    disclosure: Mapping[str, Default]  # what a disclosure rule asks for by default, and why
    groups: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)  # by study; see `Contents`
    synonyms: Sequence[Sequence[str]] = ()
    canvases: Mapping[str, Canvas] = field(default_factory=dict)  # by study, where it has one

    def source(self, name: str) -> Source:
        """Return a source by its id."""
        return _lookup(self.sources, name, "source")

    def series(self, name: str) -> list[Source]:
        """Return a series' sources in order of edition."""
        found = [s for s in self.sources.values() if s.series == name]
        if not found:
            known = {s.series for s in self.sources.values() if s.series}
            raise CatalogueError(f"No series {name!r} in the catalogue.{suggest(name, known)}")
        return sorted(found, key=lambda s: s.edition or 0)

    def expand(self, names: Iterable[str]) -> list[Source]:
        """Return the sources that ids of sources and of series name, each once, in order."""
        found: dict[str, Source] = {}
        series = {s.series for s in self.sources.values() if s.series}
        for name in names:
            if name not in self.sources and name not in series:
                near = suggest(name, {*self.sources, *series})
                raise CatalogueError(f"No source or series {name!r} in the catalogue.{near}")
            for source in [self.sources[name]] if name in self.sources else self.series(name):
                found[source.id] = source
        return list(found.values())

    def sources_of(self, study: str) -> list[Source]:
        """Return the sources that bear on a study: those its notebooks read, then the others of its own file."""
        notebooks = self.study(study).notebooks.values()
        read = [name for notebook in notebooks for name in notebook.sources]
        return self.expand([*read, *self.study_sources.get(study, ())])

    def dataset(self, name: str) -> Dataset:
        """Return a dataset by its id."""
        return _lookup(self.datasets, name, "dataset")

    def study(self, name: str) -> StudySpec:
        """Return a study by its id."""
        return _lookup(self.studies, name, "study")

    def council(self, text: str) -> Council:
        """Return the council that a text names, or several that it joins by +.

        Each is named by its slug in councils.yaml, by any name of one council, or by a GSS code of any year. A county
        is its districts. Codes that a council in councils.yaml has too give that council.

        Raises:
            CatalogueError: no council is called so, or several are.
        """
        text = text.strip()
        for known in self.councils.values():
            if text == known.slug or join_words(text) in (join_words(known.name), join_words(known.slug)):
                return known
        parts = text.split("+")
        found = [find_authority(part) for part in parts]
        codes: dict[str, str] = {}
        for part, one in zip(parts, found, strict=True):
            codes |= list_areas(one) if one else {self._require_code(part, text): ""}
        codes = dict(sorted(codes.items()))
        for known in self.councils.values():
            if set(known.codes) == set(codes):
                return known
        if single := found[0] if len(set(found)) == 1 else find_county(codes):
            return Council(slug=single.slug, name=single.name, codes=codes)
        return Council(slug=_name_file(codes), name=_name_all(codes), codes=codes)

    def _require_code(self, part: str, text: str) -> str:
        """Return a code that is in no table, as one of a later year; a name cannot be that, nor can a county."""
        code = part.strip().upper()
        region, districts = list_region(part)
        told = (
            f" {region} is a region, of which official tables count the districts: give one of them, or several joined "
            f"by +; all of them are {'+'.join(districts)}."
            if region
            else ""
        )
        if region or not GSS_CODE.fullmatch(code):
            raise CatalogueError(
                f"No council {text!r}: give its name or GSS code, or several joined by + (as E06000047+E07000105)."
                f"{suggest_authorities(part, self.councils)}{told}"
            )
        if code.startswith("E") and code[1:3] not in DISTRICT_KINDS:
            kind = "a county" if code.startswith("E10") else "no district, borough or unitary, or one"
            raise CatalogueError(
                f"{code} is {kind} that is not known. Official tables count its districts, so give their codes "
                f"joined by +: they begin with {', '.join(f'E{kind}' for kind in DISTRICT_KINDS)}."
            )
        return code


class _Series(Entry, extra="allow"):
    """What must be right of a source before its editions can be written out."""

    id: str
    editions: dict[int, dict[str, Any]] = Field(default={})


class _Written(Entry, extra="allow"):
    """A file of the catalogue before that."""

    sources: list[_Series] = Field(default=[])


class _Defaults(Entry):
    """disclosure.yaml: a default for each parameter of a rule that has one."""

    defaults: dict[str, Default]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := sorted(set(WEAKER) - set(self.defaults)):
            raise ValueError(f"has no default of {', '.join(missing)}")
        return self


class _Councils(Entry):
    """councils.yaml, each council with its slug."""

    councils: dict[str, Council]


@cache
def load_catalogue(workbook: Workbook) -> Catalogue:
    """Read and check the whole catalogue.

    Raises:
        CatalogueError: a file is not as the catalogue's schema says; the message names file, place and fault.
    """
    councils = _read_councils(workbook.catalogue / "councils.yaml")
    licences: dict[str, Licence] = {}
    sources: dict[str, Source] = {}
    datasets: dict[str, Dataset] = {}
    study_sources: dict[str, tuple[str, ...]] = {}
    study_datasets: dict[str, tuple[str, ...]] = {}
    groups: dict[str, dict[str, list[str]]] = {}
    synonyms: list[list[str]] = []
    defaults = _read_defaults(workbook.catalogue / DEFAULTS)
    for file in sorted(workbook.catalogue.glob("*.yaml")):
        if file.name in ("councils.yaml", DEFAULTS):
            continue
        contents = read_contents(file, defaults)
        for name, licence in contents.licences.items():
            _add(licences, name, licence, file)
        for source in contents.sources:
            _add(sources, source.id, source, file)
        for dataset in contents.datasets:
            _add(datasets, dataset.id, dataset, file)
        study_sources[file.stem] = tuple(s.id for s in contents.sources)
        study_datasets[file.stem] = tuple(d.id for d in contents.datasets)
        groups[file.stem] = contents.groups
        synonyms += contents.synonyms
    studies = {
        file.parent.name: _parse(StudySpec, {"id": file.parent.name, **_read_yaml(file)}, file)
        for file in sorted(workbook.notebooks.glob("*/study.yaml"))
    }
    catalogue = Catalogue(
        workbook,
        licences,
        sources,
        datasets,
        councils,
        studies,
        study_sources,
        study_datasets,
        defaults,
        groups,
        synonyms,
        {
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
        _check_strictness(dataset, defaults, file)
    return contents


def fill_in_defaults(rule: dict[str, Any], defaults: Mapping[str, Default]) -> dict[str, Any]:
    """Add to a rule what it leaves to the defaults, of what its kind asks for."""
    kind = RULES.get(str(rule.get("rule")))
    asked = kind.model_fields if kind else {}
    return {name: one.value for name, one in defaults.items() if name in asked} | rule


def _check_strictness(dataset: Dataset, defaults: Mapping[str, Default], file: Path) -> None:
    """Ask for a reason where a dataset's rule is less strict than the defaults."""
    rule = dataset.disclosure
    if not isinstance(rule, Guarded) or rule.because:
        return
    for name, is_weaker in WEAKER.items():
        if name in type(rule).model_fields and is_weaker(getattr(rule, name), defaults[name].value):
            raise CatalogueError(
                f"{file.name}, dataset {dataset.id}: its disclosure rule has {name} {getattr(rule, name)}, which is "
                f"less strict than the default {defaults[name].value}. Say why in `because`."
            )


def _read_defaults(file: Path) -> dict[str, Default]:
    """Read the defaults of disclosure rules."""
    return _parse(_Defaults, {"defaults": _read_yaml(file)}, file).defaults


def catalogue_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of the catalogue as it is written, for the completion of an editor.

    A source with editions may leave out what its editions say, and they may say a part of anything. What the
    schema cannot express (a reference, a field that is not declared) `load_catalogue` checks.
    """
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Contents.model_json_schema()}
    definitions = schema["$defs"]
    parts = ["Source", *Source.model_json_schema()["$defs"]]
    definitions |= {f"{name}Part": _relax(definitions[name]) for name in parts}
    source = definitions["Source"]
    needed = source.pop("required")
    source["properties"]["editions"] = {
        "additionalProperties": {"$ref": "#/$defs/SourcePart"},
        "description": "Year of each edition, and what of the source is different in it.",
        "propertyNames": {"pattern": r"^\d{4}$"},
        "type": "object",
    }
    source |= {"if": {"required": ["editions"]}, "then": {"required": ["id"]}, "else": {"required": needed}}
    for kind in RULES.values():
        rule = definitions[kind.__name__]
        rule["required"] = [name for name in rule["required"] if name not in {*WEAKER, "approver", "solver_seconds"}]
    return schema


def _relax(schema: Any) -> Any:
    """Copy a definition with nothing required in it, nor in those that it refers to."""
    if isinstance(schema, list):
        return [_relax(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{value}Part" if key == "$ref" else _relax(value)
        for key, value in schema.items()
        if not (key == "required" and isinstance(value, list))  # a field has a property of that name
    }


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
    merged = dict(base)
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def _check_references(catalogue: Catalogue) -> None:
    for file, ids in catalogue.study_sources.items():
        for name in ids:
            if licence := catalogue.sources[name].licence:
                with _name_place(f"{file}.yaml, source {name}"):
                    _lookup(catalogue.licences, licence, "licence")
            if other := catalogue.sources[name].or_else:
                with _name_place(f"{file}.yaml, or_else of source {name}"):
                    catalogue.source(other)
            if twin := catalogue.sources[name].twin:
                with _name_place(f"{file}.yaml, twin of source {name}"):
                    catalogue.expand(twin.fitted_to)
    for file, ids in catalogue.study_datasets.items():
        for name in ids:
            with _name_place(f"{file}.yaml, dataset {name}"):
                _lookup(catalogue.licences, catalogue.datasets[name].licence, "licence")
    for file, groups in catalogue.groups.items():
        for title, members in groups.items():
            with _name_place(f"{file}.yaml, group {title!r}"):
                for name in members:
                    catalogue.dataset(name)
    for study in catalogue.studies.values():
        with _name_place(f"{study.id}/study.yaml, default_council"):
            catalogue.council(study.default_council)
        with _name_place(f"{study.id}/study.yaml, places"):
            catalogue.expand(study.places)
        for name, notebook in study.notebooks.items():
            with _name_place(f"{study.id}/study.yaml, notebook {name}"):
                catalogue.expand(notebook.sources)
                for released in notebook.releases:
                    catalogue.dataset(released)
        for figure in study.compare:
            with _name_place(f"{study.id}/study.yaml, compare {figure.label!r}"):
                _check_compared(catalogue, study, figure)
        if study.outlines:
            with _name_place(f"{study.id}/study.yaml, outlines"):
                catalogue.dataset(study.outlines)
    for name, canvas in catalogue.canvases.items():
        with _name_place(f"{name}/{CANVAS}"):
            catalogue.study(name)
            catalogue.expand(source for point in canvas.points.values() for source in point.sources)


def _check_compared(catalogue: Catalogue, study: StudySpec, figure: ComparisonSpec) -> None:
    """See that the dataset of a compared figure is open and released by the study, and has the fields."""
    dataset = catalogue.dataset(figure.dataset)
    released = {name for notebook in study.notebooks.values() for name in notebook.releases}
    if not dataset.is_open or dataset.id not in released:
        raise CatalogueError(f"{dataset.id} is no open dataset that the study releases.")
    for name in [*figure.columns, *figure.where, *([figure.newest] if figure.newest else [])]:
        _lookup(dataset.fields, name, f"field of {dataset.id}")


@contextmanager
def _name_place(place: str) -> Iterator[None]:
    """Put the place in front of what is wrong there."""
    try:
        yield
    except CatalogueError as error:
        raise CatalogueError(f"{place}: {error}") from None


def _name_file(codes: Collection[str]) -> str:
    """Name several councils, or one that is in no table, for a file."""
    slug = "_".join(codes).lower()
    return slug if len(codes) <= 3 else f"{min(codes).lower()}_and_{len(codes) - 1}_more_{hash_text(slug)[:6]}"


def _name_all(codes: Mapping[str, str]) -> str:
    """Join the names of councils; where one has none, join the codes, which the sources may then name."""
    return join_names(codes.values()) if all(codes.values()) else ", ".join(codes)


def _read_councils(file: Path) -> dict[str, Council]:
    entries = _read_yaml(file).items()
    named = {slug: {"slug": slug, **entry} if isinstance(entry, dict) else entry for slug, entry in entries}
    return _parse(_Councils, {"councils": named}, file).councils


class _Loader(yaml.CSafeLoader):
    """YAML in which a key that stands twice in one place is an error; plain YAML silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping whose own keys are all different; those that `<<` merges in may be overlaid."""
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if twice := {key for key in keys if isinstance(key, str) and keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"{min(twice)} stands here twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        raise CatalogueError(f"{file} is missing.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{file.name} is no YAML that can be read: {error}") from None
    if not isinstance(content, dict):
        raise CatalogueError(f"{file.name} must hold keys and values at its top.")
    return content


def _parse(model: type[Model], raw: dict[str, Any], file: Path) -> Model:
    try:
        return model.model_validate(raw)
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


def _add(known: dict[str, Model], name: str, entry: Model, file: Path) -> None:
    if name in known:
        raise CatalogueError(f"{file.name}: {name} is in the catalogue twice.")
    known[name] = entry


def _lookup(known: Mapping[str, Model], name: str, kind: str) -> Model:
    if name not in known:
        raise CatalogueError(f"No {kind} {name!r} in the catalogue.{suggest(name, known)}")
    return known[name]
