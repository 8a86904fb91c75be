"""Finding a source's file: closed folder, data/raw, mirror, official URL, or a synthetic twin."""

import importlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from councilbook.catalogue.fetching import Progress, check_kind, check_raw, describe_manual_way, fetch, raw_path
from councilbook.catalogue.fingerprints import hash_file, hash_library
from councilbook.catalogue.model import Council, Mode, Origin, Source, Twin
from councilbook.catalogue.reading import Catalogue
from councilbook.errors import SourceError
from councilbook.paths import make_private_folder, write_atomically


@dataclass(frozen=True)
class TwinRequest:
    """What a twin is made for. The same request gives the same bytes."""

    council: Council
    seed: int


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
    shared source that is not there is its twin, fitted to the open data around it.
    """

    catalogue: Catalogue
    mode: Mode
    council: Council
    seed: int
    mirror: Path | None = None

    def find(self, source: Source, progress: Progress | None = None) -> FoundFile:
        """Return a source's file, downloaded or made first if it has to be.

        Raises:
            SourceError: it is nowhere; the message says where it was looked for and how to get it.
        """
        if found := self.find_local(source):
            return found
        if self.mode == "real" and source.url:
            return FoundFile(source, fetch(source, self.catalogue.workbook, progress), "download")
        if source.twin and (self.mode == "sample" or source.spectrum != "open"):
            return FoundFile(source, self._make_twin(source, source.twin), "twin")
        raise SourceError(self.describe_nowhere(source))

    def find_local(self, source: Source) -> FoundFile | None:
        """Return a source's file if it is on this machine already; nothing is downloaded or made."""
        if self.mode == "sample":
            return None
        for origin, path in self._places(source):
            if path.is_file():
                if origin == "data/raw":
                    check_raw(source, path, self.catalogue.workbook)
                else:
                    check_kind(source, path)
                return FoundFile(source, path, origin)
        return None

    def _places(self, source: Source) -> list[tuple[Origin, Path]]:
        workbook = self.catalogue.workbook
        if source.spectrum != "open":
            return [("closed folder", workbook.closed / source.file)] if workbook.closed else []
        places: list[tuple[Origin, Path]] = [("data/raw", raw_path(source, workbook))]
        if self.mirror and source.mirror:
            places.append(("mirror", self.mirror / source.mirror))
        return places

    def _make_twin(self, source: Source, twin: Twin) -> Path:
        workbook = self.catalogue.workbook
        version = hash_library(workbook)[:12]
        twins = make_private_folder(workbook.private / "twins")
        for outdated in twins.iterdir():
            if outdated.name != version:
                shutil.rmtree(outdated, ignore_errors=True)
        path = twins / version / f"{self.council.slug}-{self.seed}" / source.id / source.file
        if not path.exists():
            module, function = twin.make.split(":")
            make: Callable[[Source, TwinRequest], bytes] = getattr(importlib.import_module(module), function)
            content = make(source, TwinRequest(self.council, self.seed))
            with write_atomically(path) as temporary:
                temporary.write_bytes(content)
        return path

    def describe_nowhere(self, source: Source) -> str:
        """Say where a source that is not there was looked for, and how to get it."""
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
