"""The whole catalogue: every source, dataset, council and study, by its name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from councilbook.catalogue.councils import (
    Council,
    find_authority,
    find_county,
    join_names,
    join_words,
    list_areas,
    list_region,
    suggest_authorities,
)
from councilbook.catalogue.entries.base import GSS_CODE
from councilbook.catalogue.entries.conduct import Canvas
from councilbook.catalogue.entries.contents import Licence
from councilbook.catalogue.entries.datasets import Dataset
from councilbook.catalogue.entries.defaults import Default
from councilbook.catalogue.entries.sources import Source
from councilbook.catalogue.entries.studies import StudySpec
from councilbook.catalogue.fingerprints import hash_text
from councilbook.errors import CatalogueError, suggest
from councilbook.paths import Workbook

Found = TypeVar("Found")

DISTRICT_KINDS = ("06", "07", "08", "09")  # of the GSS codes of English unitaries, districts, metropolitan and London


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

    @cached_property
    def _series(self) -> dict[str, list[Source]]:
        found: dict[str, list[Source]] = {}
        for source in sorted(self.sources.values(), key=lambda one: one.edition or 0):
            if source.series:
                found.setdefault(source.series, []).append(source)
        return found

    @cached_property
    def _sources_and_series(self) -> dict[str, list[Source]]:
        return self._series | {name: [source] for name, source in self.sources.items()}

    def licence(self, name: str) -> Licence:
        """Return a licence by its key."""
        return _lookup(self.licences, name, "licence")

    def source(self, name: str) -> Source:
        """Return a source by its id."""
        return _lookup(self.sources, name, "source")

    def series(self, name: str) -> list[Source]:
        """Return a series' sources in order of edition."""
        return list(_lookup(self._series, name, "series"))

    def expand(self, names: Iterable[str]) -> list[Source]:
        """Return the sources that ids of sources and of series name, each once, in order."""
        found = (one for name in names for one in _lookup(self._sources_and_series, name, "source or series"))
        return list({source.id: source for source in found}.values())

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

    def find_maker(self, dataset: str) -> StudySpec:
        """Return the study that releases a dataset.

        Raises:
            CatalogueError: none does.
        """
        for study in self.studies.values():
            if any(dataset in notebook.releases for notebook in study.notebooks.values()):
                return study
        raise CatalogueError(f"No study releases {dataset!r}.")

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


def _name_file(codes: Collection[str]) -> str:
    """Name several councils, or one that is in no table, for a file."""
    slug = "_".join(codes).lower()
    return slug if len(codes) <= 3 else f"{min(codes).lower()}_and_{len(codes) - 1}_more_{hash_text(slug)[:6]}"


def _name_all(codes: Mapping[str, str]) -> str:
    """Join the names of councils; where one has none, join the codes, which the sources may then name."""
    return join_names(codes.values()) if all(codes.values()) else ", ".join(codes)


def _lookup(known: Mapping[str, Found], name: str, kind: str) -> Found:
    if name not in known:
        raise CatalogueError(f"No {kind} {name!r} in the catalogue.{suggest(name, known)}")
    return known[name]
