"""Finding a source's file: closed folder, data/raw, mirror, official URL, or a synthetic twin."""

import importlib
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.catalogue.catalogue import Catalogue
from councilbook.catalogue.councils import Council, join_words
from councilbook.catalogue.entries.sources import Mode, Origin, Source, Twin
from councilbook.catalogue.file_names import (
    find_date,
    list_data_files,
    list_dated,
    list_folders,
    names_any_council,
    names_council,
    parse_name,
    split_name,
)
from councilbook.catalogue.fingerprints import hash_file, hash_files, hash_library, hash_text, list_files
from councilbook.catalogue.raw import Progress, check_kind, check_raw, describe_manual_way, raw_path
from councilbook.errors import NotThereError, SourceError
from councilbook.paths import CLOSED_VARIABLE, make_private_folder, write_atomically

LEAST_ALIKE = 0.8  # of two names' letters, for one to be a slip of the other

Load = Callable[[str], pd.DataFrame]  # id of a source to the council's rows of its first table


def _load_nothing(source: str) -> pd.DataFrame:
    raise SourceError(f"A twin that is fitted to {source} can be made for a study only, which loads that for it.")


def _as_saved(source: Source, path: Path) -> Source:
    """Return a source of CSV as one of a workbook, where its file was saved as such."""
    is_workbook = source.format == "csv" and path.suffix == ".xlsx" and zipfile.is_zipfile(path)
    return source.model_copy(update={"format": "xlsx"}) if is_workbook else source


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
    """A source's file, or folder of files that belong together, and where it came from."""

    source: Source
    path: Path
    origin: Origin
    names_council: bool = False  # whether its name says which council's it is
    dated: str = ""  # its own date: as its name or its head has it, or when a closed file was last changed
    notes: tuple[str, ...] = ()  # what had to be repaired or set aside to read it, once it is read

    @property
    def is_synthetic(self) -> bool:
        """Whether it is a twin."""
        return self.origin == "twin"

    @property
    def has_own_columns(self) -> bool:
        """Whether it is a council's own file, of declared fields, which may stand under other headers and codes."""
        return self.source.is_mapped and not self.source.reader and not self.is_synthetic

    @property
    def published(self) -> str:
        """Its own date, or else that of the edition which the catalogue knows."""
        return self.dated or self.source.published

    @cached_property
    def sha256(self) -> str:
        """Checksum of the file, or of all in the folder."""
        return hash_files(self.path, list_files(self.path)) if self.path.is_dir() else hash_file(self.path)


@dataclass(frozen=True)
class Finder:
    """Finds the files of sources for one council, in one of the two modes.

    sample: every source is its twin, and nothing else is looked at.
    real: the closed folder (closed and shared sources), then data/raw, the mirror, the official URL. What the catalogue
    names instead of a closed or shared source, or else its twin, fitted to the open data around it, stands in for one
    that is not there, if `stand_ins` allows it. Where no closed folder is named, nobody can have put a file there, and
    it is allowed, but for twins that have to be asked for.
    Of a source of which each council has a file of its own, the council's is meant.
    """

    catalogue: Catalogue
    mode: Mode
    council: Council
    seed: int
    mirror: Path | None = None
    stand_ins: bool = False

    def find(self, source: Source, progress: Progress | None = None, load: Load = _load_nothing) -> FoundFile:
        """Return a source's file, downloaded or made first if it has to be.

        Args:
            source: what is wanted.
            progress: called while it is downloaded.
            load: loads what a twin is fitted to.

        Raises:
            SourceError: it is nowhere (NotThereError; the message says where it was looked for and how to get it), or
                cannot be fetched.
        """
        if found := self.find_local(source):
            return found
        source = source.for_council(self.council)
        if self.mode == "real" and source.url:
            from councilbook.catalogue.fetching import fetch  # it takes a while, and few runs need it

            return FoundFile(source, fetch(source, self.catalogue.workbook, progress), "download")
        return FoundFile(source, self._make_twin(source, self.require_stand_in(source), load), "twin")

    def find_local(self, source: Source) -> FoundFile | None:
        """Return a source's file if it is on this machine already; nothing is downloaded or made.

        Its `source` is another one where the catalogue names one to be read instead.

        Raises:
            SourceError: it is of another kind than its format; in the closed folder are several files of it, or one
                that has nearly its name.
        """
        if self.mode == "sample":
            return None
        source = source.for_council(self.council)
        if source.spectrum != "open":
            return self._find_closed(source)
        for origin, path in self._places(source):
            if path.is_file():
                if origin == "data/raw":
                    check_raw(source, path, self.catalogue.workbook)
                else:
                    check_kind(source, path)
                return FoundFile(_as_saved(source, path), path, origin, dated=find_date(path, source))
        return None

    def require_stand_in(self, source: Source) -> Twin:
        """Return the twin that may stand in for a source that is missing.

        Raises:
            NotThereError: none may; the message says what to do.
            SourceError: the file of another source of the same records is there: no record of a twin is in it.
        """
        if not (source.twin and self.may_be_twin(source, source.twin)):
            raise NotThereError(self.describe_nowhere(source))
        if real := self._list_real_ones(source):
            raise SourceError(
                f"Source {source.id} would be synthetic, and {' and '.join(real)} {'is' if len(real) == 1 else 'are'} "
                f"real. They belong together ({source.belongs_with}): no record of the one is in the other. Put "
                f"{self._name_closed(source)} into the closed folder as well. Or run without --allow-stand-ins: what "
                f"needs {source.id} is then left out, where the rest can do without. Or take the real "
                f"{'file' if len(real) == 1 else 'files'} out of the folder, so that all of them are synthetic."
            )
        return source.twin

    def _list_real_ones(self, source: Source) -> list[str]:
        """List the files that are there of other sources of the same records."""
        others = [one for one in self.catalogue.sources.values() if source.belongs_with and one.id != source.id]
        found = {one.id: self.find_local(one) for one in others if one.belongs_with == source.belongs_with}
        return [f"{name} ({file.path.name})" for name, file in found.items() if file]

    def list_closed(self) -> dict[str, list[str]]:
        """Return the names of the data in the closed folder; by source id, the files or folder of this council.

        Those that are of no source, or are another council's, come under "".
        """
        folder = self.catalogue.workbook.closed
        guarded = [one for one in self.catalogue.sources.values() if one.spectrum != "open" and one.file]
        found: dict[str, list[str]] = {}
        for name in list_data_files(folder) if folder else []:
            own = [one.id for one in guarded if self._is_own(name, one)]
            found.setdefault(own[0] if own else "", []).append(name)
        for source in guarded:
            if folder and (folders := self._list_own_folders(source, folder)):
                found.setdefault(source.id, []).extend(folders)
        return found

    def _list_own_folders(self, source: Source, folder: Path) -> list[str]:
        return [name for name in list_folders(folder) if self._is_own(self._name_as_file(name, source), source)]

    def _name_as_file(self, name: str, source: Source) -> str:
        return f"{name}.{split_name(source.file)[1]}"

    def _find_closed(self, source: Source) -> FoundFile | None:
        folder = self.catalogue.workbook.closed
        if folder is None:
            return self._find_instead(source)
        names = list_data_files(folder)
        folders = self._list_own_folders(source, folder)
        takes_folders = source.format == "file" and "zip" in source.formats
        own = [name for name in names if self._is_own(name, source)] + (folders if takes_folders else [])
        together = " If they belong together, put them into one folder of that name." if takes_folders else ""
        if len(own) > 1:
            raise SourceError(
                f"Source {source.id}: the closed folder has {' and '.join(own)}, and it cannot be told which is meant. "
                f"Take the others out of it.{together}"
            )
        if folders and not takes_folders:
            named = " and ".join(folders)
            raise SourceError(
                f"Source {source.id}: {named} in the closed folder is a folder. Put the one file of it beside "
                "it, of the same name."
            )
        if own:
            path = folder / own[0]
            if not folders:
                check_kind(source, path)
            source = _as_saved(source, path)
            last = max(file.stat().st_mtime for file in (path, *list_files(path)))
            changed = f"{datetime.fromtimestamp(last, UTC):%Y-%m-%d} (when the file was last changed)"
            said = parse_name(self._name_as_file(own[0], source) if folders else own[0], source)
            dated = said.date if folders and said else "" if folders else find_date(path, source)
            return FoundFile(source, path, "closed folder", bool(said and said.label), dated or changed)
        if near := [name for name in names if self._is_nearly(name, source)]:
            raise SourceError(
                f"Source {source.id}: the closed folder has {' and '.join(near)}, which is nearly its name, and no "
                f"{self._name_closed(source)}. Give it that name if it is {self.council.name}'s, or take it out of the "
                "folder."
            )
        return self._find_instead(source)

    def _find_instead(self, source: Source) -> FoundFile | None:
        allowed = self.stand_ins or self.catalogue.workbook.closed is None
        return self.find_local(self.catalogue.source(source.or_else)) if source.or_else and allowed else None

    def _is_own(self, name: str, source: Source) -> bool:
        said = parse_name(name, source)
        return said is not None and (not said.label or names_council(said.label, self.council))

    def _is_nearly(self, name: str, source: Source) -> bool:
        """Tell whether a file's name is likely meant for a source: it is of no other, and names no other council."""
        said = parse_name(name, source)
        if said and said.label and names_any_council(said.label):
            return False
        others = [one for one in self.catalogue.sources.values() if one.spectrum != "open" and one.id != source.id]
        of_others = [parse_name(name, one) for one in others if one.file]
        if any(one and (not one.label or names_any_council(one.label)) for one in of_others):
            return False
        given, wanted = (join_words(text.partition(".")[0]).replace(" ", "") for text in (name, source.file))
        return wanted in given or SequenceMatcher(None, given, wanted).ratio() >= LEAST_ALIKE

    def may_be_twin(self, source: Source, twin: Twin) -> bool:
        """Tell whether a source's twin may be read in this run."""
        if self.mode == "sample":
            return True
        is_unasked = self.catalogue.workbook.closed is None and not twin.on_request
        return source.spectrum != "open" and (self.stand_ins or is_unasked)

    def _name_closed(self, source: Source) -> str:
        """Return what a council's closed file is called, with all endings that it may have."""
        stem, ending = split_name(source.file)
        others = ", ".join(f".{one}" for one in source.formats[1:])
        return f"{stem}_{self.council.slug}.{ending}" + (f" (or {others})" if others else "")

    def find_mapping(self, source: Source) -> Path | None:
        """Return where a council may say which column of a file is which, whether it does or not."""
        closed = self.catalogue.workbook.closed
        return closed / source.mapping_name if closed and self.mode == "real" and source.is_mapped else None

    def _places(self, source: Source) -> list[tuple[Origin, Path]]:
        raw = raw_path(source, self.catalogue.workbook)
        dated = [raw.with_name(name) for name in list_dated(raw.parent, source)] if source.formats else []
        places: list[tuple[Origin, Path]] = [("data/raw", path) for path in (raw, *dated)]
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
        folder = twins / version / f"{self.council.slug}-{self.mode}-{self.seed}{self._name_inputs(twin)}"
        path = folder / source.id / source.file
        if not path.exists():
            make: Callable[[Source, TwinRequest], bytes | Mapping[str, bytes]] = find_function(twin.make)
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
            return self._describe_no_closed_file(source)
        mirror = f" nor at {self.mirror / source.mirror}" if self.mirror and source.mirror else ""
        return (
            f"Source {source.id} ({source.title}) is not in data/raw{mirror}, and no stable file URL is known: "
            f"{describe_manual_way(source, self.catalogue.workbook)}."
        )

    def _describe_no_closed_file(self, source: Source) -> str:
        folder = self.catalogue.workbook.closed
        others = self.list_closed().get("", [])
        where = f"is not in the closed folder {folder}" if folder else "is closed, and no closed folder is named"
        name = f"as {self._name_closed(source)}" if source.file else ""
        way = (
            f"Ask {source.steward}, and put it into the closed folder{'' if folder else f' ({CLOSED_VARIABLE})'} {name}"
        )
        seen = f" What is in there is of no source, or another council's: {', '.join(others)}." if others else ""
        published = self.catalogue.source(source.or_else) if source.or_else else None
        instead = [published.title.lower()] if published and self.find_local(published) else []
        instead += ["synthetic twin"] if source.twin else []
        if not instead:
            return f"Source {source.id} ({source.title}) {where}, and it has no twin.{seen} {way.strip()}."
        return (
            f"Source {source.id} ({source.title}) {where}.{seen} {way.strip()}. Or run with --allow-stand-ins: then "
            f"the {instead[0]} stands in for it, and the page says so."
        )


def find_function(named: str) -> Callable[..., Any]:
    """Return what an entry of the catalogue names as module:function; it is imported only now that it is needed."""
    module, function = named.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
