"""Finding a source's file: closed folder, data/raw, mirror, official URL, or a synthetic twin."""

import importlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from councilbook.catalogue.fetching import Progress, check_kind, check_raw, describe_manual_way, fetch, raw_path
from councilbook.catalogue.fingerprints import hash_file, hash_library, hash_text
from councilbook.catalogue.reading import Catalogue
from councilbook.catalogue.schema import Council, Mode, Origin, Source, Twin
from councilbook.errors import SourceError
from councilbook.paths import make_private_folder, write_atomically

Load = Callable[[str], pd.DataFrame]  # id of a source to the council's rows of its first table


def _load_nothing(source: str) -> pd.DataFrame:
    raise SourceError(f"A twin that is fitted to {source} can be made for a study only, which loads that for it.")


@dataclass(frozen=True)
class TwinRequest:
    """What a twin is made for. The same request, and the same tables to be fitted to, give the same bytes.

    Attributes:
        council, seed: what is drawn, and from which seed.
        mode: in a sample a twin may be smaller, so that it is made within seconds.
        load: loads the sources that the catalogue says the twin is fitted to.
    """

    council: Council
    seed: int
    mode: Mode = "sample"
    load: Load = field(default=_load_nothing, compare=False)


@dataclass(frozen=True)
class FoundFile:
    """A source's file, and where it came from."""

    source: Source
    path: Path
    origin: Origin

    @property
    def is_synthetic(self) -> bool:
        """Whether it is a twin."""
        return self.origin == "twin"

    @cached_property
    def sha256(self) -> str:
        """Checksum of the file."""
        return hash_file(self.path)


@dataclass(frozen=True)
class Finder:
    """Finds the files of sources for one council, in one of the two modes.

    sample: every source is its twin, and nothing else is looked at.
    real: the closed folder (closed and shared sources), then data/raw, the mirror, the official URL; a closed or
    shared source that is not there is what the catalogue names instead, or its twin, fitted to the open data around it.
    Of a source of which each council has a file of its own, the council's is meant.
    """

    catalogue: Catalogue
    mode: Mode
    council: Council
    seed: int
    mirror: Path | None = None

    def find(self, source: Source, progress: Progress | None = None, load: Load = _load_nothing) -> FoundFile:
        """Return a source's file, downloaded or made first if it has to be.

        Args:
            source: what is wanted.
            progress: called while it is downloaded.
            load: loads what a twin is fitted to.

        Raises:
            SourceError: it is nowhere; the message says where it was looked for and how to get it.
        """
        if found := self.find_local(source):
            return found
        source = source.for_council(self.council)
        if self.mode == "real" and source.url:
            return FoundFile(source, fetch(source, self.catalogue.workbook, progress), "download")
        if source.twin and (self.mode == "sample" or source.spectrum != "open"):
            return FoundFile(source, self._make_twin(source, source.twin, load), "twin")
        raise SourceError(self.describe_nowhere(source))

    def find_local(self, source: Source) -> FoundFile | None:
        """Return a source's file if it is on this machine already; nothing is downloaded or made.

        Its `source` is another one where the catalogue names one to be read instead.
        """
        if self.mode == "sample":
            return None
        source = source.for_council(self.council)
        for origin, path in self._places(source):
            if path.is_file():
                if origin == "data/raw":
                    check_raw(source, path, self.catalogue.workbook)
                else:
                    check_kind(source, path)
                return FoundFile(source, path, origin)
        return self.find_local(self.catalogue.source(source.or_else)) if source.or_else else None

    def find_mapping(self, source: Source) -> Path | None:
        """Return where a council may say which column of a file is which, whether it does or not."""
        closed = self.catalogue.workbook.closed
        return closed / source.mapping_name if closed and self.mode == "real" and source.reader else None

    def _places(self, source: Source) -> list[tuple[Origin, Path]]:
        workbook = self.catalogue.workbook
        if source.spectrum != "open":
            return [("closed folder", workbook.closed / source.file)] if workbook.closed else []
        places: list[tuple[Origin, Path]] = [("data/raw", raw_path(source, workbook))]
        if self.mirror and source.mirror:
            places.append(("mirror", self.mirror / source.mirror))
        return places

    def _make_twin(self, source: Source, twin: Twin, load: Load) -> Path:
        """Return a source's twin; if it has to be made, its function may make those of other sources with it."""
        workbook = self.catalogue.workbook
        version = hash_library(workbook)[:12]
        twins = make_private_folder(workbook.private / "twins")
        for outdated in twins.iterdir():
            if outdated.name != version:
                shutil.rmtree(outdated, ignore_errors=True)
        folder = twins / version / f"{self.council.slug}-{self.seed}{self._name_inputs(twin)}"
        path = folder / source.id / source.file
        if not path.exists():
            module, function = twin.make.split(":")
            make: Callable[[Source, TwinRequest], bytes | Mapping[str, bytes]]
            make = getattr(importlib.import_module(module), function)
            made = make(source, TwinRequest(self.council, self.seed, self.mode, load))
            if isinstance(made, bytes):
                files = [(source, made)]
            else:
                named = {name: self.catalogue.source(name).for_council(self.council) for name in made}
                files = [(named[name], content) for name, content in made.items()]
            for one, content in files:
                with write_atomically(folder / one.id / one.file) as temporary:
                    temporary.write_bytes(content)
        return path

    def _name_inputs(self, twin: Twin) -> str:
        """Name the files that a twin is fitted to in a real run; in a sample they follow from council and seed."""
        if self.mode == "sample" or not twin.fitted_to:
            return ""
        sources = self.catalogue.expand(twin.fitted_to)
        files = {one.id: self.find(one).sha256 for one in sources if not one.optional or self.find_local(one)}
        return f"-{hash_text(json.dumps(files, sort_keys=True))[:12]}"

    def describe_nowhere(self, source: Source) -> str:
        """Say where a source that is not there was looked for, and how to get it."""
        source = source.for_council(self.council)
        if self.mode == "sample":
            return f"Source {source.id} has no synthetic twin, so it is not in the sample."
        if source.spectrum != "open":
            return (
                f"Source {source.id} ({source.title}) is {source.spectrum} and has no twin. Ask {source.steward}, "
                f"and put it into the closed folder as {source.file or source.id}."
            )
        mirror = f" nor at {self.mirror / source.mirror}" if self.mirror and source.mirror else ""
        return (
            f"Source {source.id} ({source.title}) is not in data/raw{mirror}, and no stable file URL is known: "
            f"{describe_manual_way(source, self.catalogue.workbook)}."
        )
