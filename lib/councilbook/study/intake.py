"""What comes in: a study's sources as one notebook reads them, found, agreed to, cut to the council and checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from councilbook.catalogue import (
    Areas,
    Catalogue,
    Finder,
    FoundFile,
    NotebookSpec,
    Source,
    StudySpec,
    Table,
    find_function,
)
from councilbook.catalogue.file_names import find_date
from councilbook.errors import CheckError, CouncilbookError, NotebookError, NotThereError, SourceError
from councilbook.gate.ethics.agreements import drop_beyond, require_agreement
from councilbook.sources.checks import check_fields
from councilbook.sources.extracts.guesses import Told
from councilbook.sources.extracts.heads import find_header
from councilbook.sources.extracts.reading import MEND, Extract
from councilbook.sources.files.readers import convert_types, describe_place, read_rows
from councilbook.sources.files.streams import Keep
from councilbook.sources.geography import (
    Gazetteer,
    Place,
    check_coverage,
    check_vintage,
    fill_lsoas,
    fill_places,
    follow_lsoas,
    resolve_place,
    select_by_code,
    select_rows,
)
from councilbook.sources.mappings import Inspection, read_codes, read_mapping

LOOKUP = "lsoa_lookup"
OUTPUT_AREAS = "oa_lookup"
POSTCODES = "postcode_directory"


@dataclass
class Intake:
    """The sources of a study for one notebook, one council and one mode, and which of them were read."""

    catalogue: Catalogue
    spec: StudySpec
    notebook: str
    finder: Finder
    run_date: str
    _rows: dict[tuple[str, str | None], tuple[FoundFile, pd.DataFrame]] = field(default_factory=dict)
    _used: dict[str, FoundFile] = field(default_factory=dict)
    _wholes: dict[str, pd.DataFrame] = field(default_factory=dict)  # key and LSOA of what other files are parts of

    @property
    def _notebook(self) -> NotebookSpec:
        return self.spec.notebooks[self.notebook]

    @cached_property
    def place(self) -> Place:
        """The council with its small areas."""
        self._require_build("place")
        return resolve_place(self.finder.council, self._lookup, self._gazetteers)

    def find(self, source: Source) -> FoundFile:
        """Return a source's file; a twin is made first, fitted to the sources that the catalogue names.

        What a twin is fitted to counts as no source of this notebook's figures: its basis names it.
        """
        found = self.finder.find(source, load=replace(self, _used={})._load_any)
        require_agreement(self.catalogue, found, self.run_date)
        return found

    def is_there(self, source: Source) -> bool:
        """Tell whether a source is for this council, and here if it is optional."""
        if source.optional:
            there = source.twin if self.finder.mode == "sample" else self.finder.find_local(source)
            return there is not None and source.covers(self.finder.council)
        may_be_made = source.spectrum == "open" or (source.twin and self.finder.may_be_twin(source, source.twin))
        return bool(may_be_made or self.finder.find_local(source))

    # --- a council's own file ---

    def check_owner(self, found: FoundFile) -> None:
        """Check that a file is the council's, as the catalogue says how.

        Raises:
            SourceError, CheckError: it cannot be read, or it is not; see the function that the catalogue names.
        """
        if found.source.owner and not found.is_synthetic:
            self._ask(found.source.owner, found)

    def read_mapping(self, found: FoundFile) -> dict[str, str | None] | None:
        """Read what the council says its columns are: by header, the column of ours, or None if it is not used.

        None if it says nothing, as is so for a twin.

        Raises:
            CheckError: the file in which it says so cannot be read.
        """
        file = None if found.is_synthetic else self.finder.find_mapping(found.source)
        return read_mapping(file) if file else None

    def tell_way(self, found: FoundFile) -> str:
        """Say in which file a council can say, or has said, which column and which code is which."""
        name = found.source.mapping_name
        if self.read_mapping(found):
            return f"Its columns are read as {name} in the closed folder says; correct it there."
        return (
            f"To say which column is which, and what its codes mean, correct {name} in the closed folder; "
            f"`councilbook columns {self.spec.id} {found.source.id}` writes it."
        )

    def inspect_file(self, found: FoundFile) -> Inspection:
        """Find out which column of a council's own file is which, and whether a run can read it.

        Args:
            found: a file of a source that has a reader, or declared fields.

        Returns:
            What was found; of a file that cannot even be looked at only the fault.
        """
        try:
            if found.has_own_columns:
                return self._open_extract(found).inspect(lambda rows: self._place(found, found.source.table(), rows))
            inspection: Inspection = self._ask(str(found.source.reader), found)
        except CouncilbookError as error:
            return Inspection(fault=str(error))
        return inspection

    def _open_extract(self, found: FoundFile, table: str | None = None) -> Extract:
        file = self.finder.find_mapping(found.source)
        run, said = pd.Timestamp(self.run_date), find_date(found.path, found.source)
        day = min(pd.Period(said).end_time, run).date() if said else run.date()
        told = Told(self.read_mapping(found), read_codes(file) if file else {}, self.tell_way(found), day)
        declared = found.source.table(table)
        return Extract(found, find_header(found, declared, told.columns or (), describe_place(found, declared)), told)

    def _ask(self, named: str, found: FoundFile) -> Any:
        """Call a function of the study that the catalogue names as module:function, on a file.

        Raises:
            SourceError: it failed with an error of another kind, whose message could hold a cell.
        """
        try:
            return find_function(named)(replace(self, _used={}), found)
        except CouncilbookError:
            raise
        except Exception as error:
            raise SourceError(
                f"Source {found.source.id}, file {found.path.name}: it cannot be read ({type(error).__name__}). Save "
                "it anew as CSV UTF-8."
            ) from (error if found.source.shows_values else None)

    # --- tables ---

    def load_table(self, source: Source, name: str | None, keep: Keep | None = None) -> pd.DataFrame:
        """Load a table of any source, declared for this notebook or not; see `Study.load`."""
        table = source.table(name)
        found, rows = self.read_table(source, name, keep)
        where = describe_place(found, table)
        areas = table.areas
        rows = self._place(found, table, rows)
        if notes := rows.attrs.get("notes", ()):
            self._used[source.id] = found = replace(found, notes=tuple(dict.fromkeys([*found.notes, *notes])))
        frame = rows if table.stream else convert_types(rows, table, found)
        way = f"{MEND} {self.tell_way(found)}" if found.has_own_columns else ""
        check_fields(frame, table.fields, table.key, where, show_values=source.shows_values, way=way)
        if source.checked_by:
            try:
                find_function(source.checked_by)(frame)
            except CheckError as error:
                raise CheckError(f"{where}: {error}") from None
        if areas and areas.lsoa:
            check_coverage(frame, areas, self.place, where)
        return frame.reset_index(drop=True)

    def _place(self, found: FoundFile, table: Table, rows: pd.DataFrame) -> pd.DataFrame:
        """Pick the council's rows of a table, once it is known where each lies."""
        areas, where = table.areas, describe_place(found, table)
        if areas is None:
            return rows
        if not areas.lsoa:
            return select_by_code(rows, areas, self.finder.council, found.source)
        if found.has_own_columns and (areas.postcode or areas.within):
            rows = self._fill_places(rows, areas, where)
            if areas.postcode:
                self._wholes[found.source.id] = rows[[*table.key, areas.lsoa]]
        elif areas.output_area:
            rows = fill_lsoas(rows, areas, self._read_output_areas)
        check_vintage(rows, areas, self._lookup, where, show_values=found.source.shows_values)
        return select_rows(rows, areas, self.place, found.source)

    def _fill_places(self, rows: pd.DataFrame, areas: Areas, where: str) -> pd.DataFrame:
        """Ask the postcode directory, or the source that the rows are parts of, where they are."""
        if areas.within:
            if areas.within not in self._wholes and not rows[areas.lsoa].str.startswith("E", na=False).all():
                self.load_table(self.catalogue.source(areas.within), None)
            whole = self._wholes.get(areas.within)
            rows = follow_lsoas(rows, areas, self._lookup)
            return rows if whole is None else fill_places(rows, areas, whole, where)
        districts = self._lookup.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["lad22_code"]
        if rows[areas.postcode].isna().all():
            rows = follow_lsoas(rows, areas, self._lookup)
            return fill_places(rows, areas, districts.reset_index(), where)
        directory = self.catalogue.source(POSTCODES)
        known, about = self.read_table(directory, None)[1], directory.table().areas
        known = fill_lsoas(known, about, self._read_output_areas) if about else known
        known = known.assign(lad22_code=known["lsoa21_code"].map(districts))
        return fill_places(rows, areas, known[["postcode", "oa21_code", "lsoa21_code", "lad22_code"]], where)

    def read_table(self, source: Source, name: str | None, keep: Keep | None = None) -> tuple[FoundFile, pd.DataFrame]:
        """Read a table, as text, with the file that it is of; an open one once, if it is not read piece by piece."""
        key = source.id, name
        if key not in self._rows:
            found = self.find(source)
            is_own = found.has_own_columns
            rows = self._open_extract(found, name).read() if is_own else read_rows(found, source.table(name), keep)
            notes = rows.attrs.get("notes", ())
            rows, dropped = drop_beyond(self.catalogue, found, source.table(name), rows)
            found = replace(found, notes=tuple(filter(None, [*notes, dropped])))
            if source.table(name).stream or source.spectrum != "open":  # what is large and read once is not kept
                self._used[source.id] = found
                return found, rows
            self._rows[key] = found, rows
        self._used[source.id] = self._rows[key][0]
        return self._rows[key]

    def _load_any(self, name: str, table: str | None = None, keep: Keep | None = None) -> pd.DataFrame:
        """Load a table of a source, or of the newest edition of a series that is there."""
        if name in self.catalogue.sources:
            return self.load_table(self.catalogue.source(name), table, keep)
        editions = self.catalogue.series(name)[::-1]
        return next(self._load_editions([one for one in editions if self.is_there(one)] or editions[:1], table))

    def _load_editions(self, editions: Sequence[Source], table: str | None) -> Iterator[pd.DataFrame]:
        """Load a table of those editions that are there, one after the other, with the columns edition and vintage.

        Raises:
            NotThereError: none is there.
        """
        absent = []
        for source in editions:
            areas = source.table(table).areas
            more = {"edition": source.edition} | ({"vintage": areas.vintage} if areas and areas.lsoa else {})
            try:
                frame = self.load_table(source, table)
            except NotThereError as error:
                absent.append(error)
                self._used.pop(source.id, None)
            else:
                yield frame.assign(**more)
        if len(absent) == len(editions):
            raise absent[0]

    def _has_rows(self, source: Source) -> bool:
        """Tell whether it can be loaded: an open table of areas may be here, and cut to other places."""
        if not self.is_there(source):
            return False
        table = next(iter(source.tables.values()), None)
        if source.spectrum == "open" and table and table.areas and not table.stream:
            try:
                replace(self, _used={}).load_table(source, None)
            except NotThereError:
                return False
        return True

    def _has_own(self, source: Source) -> bool:
        """Tell whether a table that a council's rows are picked from, or looked up in, has one."""
        asked = source.table().looked_up
        if not asked:
            return self._has_rows(source)
        try:
            select_by_code(self.read_table(source, None)[1], asked, self.finder.council, source)
        except NotThereError:
            return False
        return True

    # --- places ---

    @cached_property
    def _lookup(self) -> pd.DataFrame:
        return self.read_table(self.catalogue.source(LOOKUP), None)[1]

    @property
    def _gazetteers(self) -> dict[str, Gazetteer]:
        def gazetteer(source: Source) -> Gazetteer:
            areas = source.table().areas
            if areas is None or not (areas.lsoa and areas.district):
                raise NotebookError(
                    f"{source.id} gives small areas no district, so it can be no place in {self.spec.id}."
                )
            return areas, lambda: self.read_table(source, None)[1]

        if not self.spec.places:
            raise NotebookError(
                f"{self.spec.id}/study.yaml does not say which sources know a council's small areas. Add them, as in "
                f"`places: [{LOOKUP}, imd_2019]`."
            )
        return {one.id: gazetteer(one) for one in self.catalogue.expand(self.spec.places) if self.is_there(one)}

    def _read_output_areas(self) -> pd.DataFrame:
        """Read which LSOA an output area lies in, if that is there; otherwise nothing is known."""
        source = self.catalogue.source(OUTPUT_AREAS)
        if not self.is_there(source):
            return pd.DataFrame(columns=list(source.table().fields))
        return self.read_table(source, None)[1]

    # --- what a notebook may do ---

    def _require_build(self, what: str) -> None:
        if self._notebook.kind == "report":
            raise NotebookError(
                f"{self.notebook} is a report: it reads released data alone, so it has no {what}. "
                "Use study.published()."
            )

    def _require_declared(self, name: str) -> list[Source]:
        """Return a source, or the editions of a series, which study.yaml must list for this notebook."""
        self._require_build("load")
        sources, declared = self.catalogue.expand([name]), self.catalogue.expand(self._notebook.sources)
        for source in sources:
            if source not in declared:
                raise NotebookError(
                    f"{self.spec.id}/study.yaml does not list {source.id} among the sources of {self.notebook}. What a "
                    "notebook reads is declared there, so that the gate and the next run know of it."
                )
        return sources
