"""`Study`: the one object that a notebook holds."""

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook import __version__
from councilbook.catalogue import (
    Catalogue,
    Council,
    Dataset,
    Finder,
    FoundFile,
    Mode,
    NotebookSpec,
    Source,
    StudySpec,
    find_function,
    load_catalogue,
)
from councilbook.errors import (
    CheckError,
    CouncilbookError,
    NotebookError,
    NotThereError,
    ParameterError,
    SourceError,
    suggest,
)
from councilbook.gate.disclosure.registers import LastVersion
from councilbook.gate.disks import explain_os_errors
from councilbook.gate.editions import Edition, hold_edition
from councilbook.gate.ethics.agreements import drop_beyond, require_agreement
from councilbook.gate.ethics.points import list_points
from councilbook.gate.writing import (
    Origin,
    choose_root,
    dataset_folder,
    describe_sources,
    read_package,
    read_published,
    release_dataset,
)
from councilbook.pages import html
from councilbook.pages.html import Html
from councilbook.paths import NOTEBOOK_VARIABLE, STAND_INS_VARIABLE, find_workbook
from councilbook.sources.checks import check_fields
from councilbook.sources.editions import describe_outdated, list_editions
from councilbook.sources.extracts.guesses import Told
from councilbook.sources.extracts.reading import Extract
from councilbook.sources.files.readers import convert_types, describe_place, read_rows
from councilbook.sources.files.streams import Keep
from councilbook.sources.geography import (
    Gazetteer,
    Place,
    check_coverage,
    check_vintage,
    fill_lsoas,
    resolve_place,
    select_by_code,
    select_rows,
)
from councilbook.sources.journey import describe_journey
from councilbook.sources.landscape import describe_landscape, score_sources
from councilbook.sources.mappings import Inspection, read_codes, read_mapping

LOOKUP = "lsoa_lookup"
OUTPUT_AREAS = "oa_lookup"


@dataclass
class Study:
    """A study as one notebook sees it: one council, one mode, what was loaded and what was released.

    Made with `Study.open`. A build notebook calls `load`, `check` and `release`; a report notebook calls
    `published`, and an attempt to load is an error.
    """

    catalogue: Catalogue
    spec: StudySpec
    notebook: str
    finder: Finder
    run_date: str
    _rows: dict[tuple[str, str | None], tuple[FoundFile, pd.DataFrame]] = field(default_factory=dict)
    _used: dict[str, FoundFile] = field(default_factory=dict)
    _published: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def open(
        cls, study: str, notebook: str, council: str, data: str, *, mirror: str = "", seed: int, run_date: str
    ) -> "Study":
        """Open a study for one of its notebooks, with that notebook's parameters.

        Raises:
            ParameterError: data is neither sample nor real, or run_date is no ISO date, or mirror is no folder.
            CatalogueError: the study, the notebook or the council is not known, or the study is not for its nation.
            NotebookError: the notebook is not the one that is being run.
            CouncilbookError: the closed folder that is named is not there.
        """
        catalogue = load_catalogue(find_workbook())
        _ = catalogue.workbook.closed  # one that is not there is told now, not when half the datasets are released
        spec = catalogue.study(study)
        if notebook not in spec.notebooks:
            raise NotebookError(f"{study}/study.yaml has no notebook {notebook!r}.{suggest(notebook, spec.notebooks)}")
        running = os.environ.get(NOTEBOOK_VARIABLE)
        if running and running != f"{study}/{notebook}":
            raise NotebookError(f"This notebook opens {study}/{notebook}, but it is {running}.")
        chosen, stand_ins = catalogue.council(council), STAND_INS_VARIABLE in os.environ
        finder = Finder(catalogue, _as_mode(data), chosen, seed, _as_mirror(mirror, catalogue), stand_ins)
        spec.refuse_other_nations(finder.council)
        try:
            date.fromisoformat(run_date)
        except ValueError:
            raise ParameterError(f"run_date is {run_date!r}; expected a date as 2026-03-31.") from None
        return cls(catalogue, spec, notebook, finder, run_date)

    # --- what comes in ---

    def load(self, source: str, table: str | None = None, keep: Keep | None = None) -> pd.DataFrame:
        """Load a table of a source: the council's rows, typed and checked against the declared fields.

        Args:
            source: its id; study.yaml must list it (or its series) for this notebook. The id of a series stands for its
                newest edition that is there and has rows for the council.
            table: which of the source's tables; by default the first.
            keep: of a table that is read piece by piece, which rows of a piece are wanted; all if it is not given.

        Returns:
            A row a row of the file; a GeoDataFrame in WGS84 where the table has geometry. A table that does not say
            where its rows lie comes whole. Of a series with the columns edition and vintage, as `load_series` has them.

        Raises:
            NotebookError: this is a report notebook, or study.yaml does not list the source for it.
            SourceError: the file cannot be found or read, or has no row for the council.
            CheckError: the rows are not as the catalogue declares.
        """
        editions = [one for one in self.catalogue.sources.values() if one.series == source]
        for entry in editions or [self.catalogue.source(source)]:
            self._require_declared(entry)
        return self._load_any(source, table, keep)

    def load_series(self, series: str, table: str | None = None) -> pd.DataFrame:
        """Load the same table of each edition of a series, and stack them; see `load`.

        Returns:
            The rows of all editions in order, with the columns edition and, where the table is of small areas, vintage
            (the census that its LSOA codes are of). An edition that is nowhere, or has no row for the council, is left
            out: the page has to say so, see `list_editions`.

        Raises:
            NotThereError: no edition is there.
        """
        editions = self.catalogue.series(series)
        for source in editions:
            self._require_declared(source)
        return pd.concat(self._load_editions(editions, table), ignore_index=True)

    def open_file(self, source: str) -> FoundFile:
        """Return the file of a source that the study reads itself; it counts as read.

        Args:
            source: its id; study.yaml must list it for this notebook. Where the council has no closed file of it, the
                file is of the source that the catalogue names instead, or the twin.

        Raises:
            NotebookError, SourceError: see `load`.
        """
        entry = self.catalogue.source(source)
        self._require_declared(entry)
        found = self.find(entry)
        if NOTEBOOK_VARIABLE not in os.environ:  # else the run has looked before its first notebook
            self.check_owner(found)
        self._used[found.source.id] = found
        return found

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

        Raises:
            SourceError, CheckError: it cannot even be looked at.
        """
        if found.has_own_columns:
            return self._open_extract(found).inspect()
        inspection: Inspection = self._ask(str(found.source.reader), found)
        return inspection

    def _open_extract(self, found: FoundFile, table: str | None = None) -> Extract:
        file = self.finder.find_mapping(found.source)
        told = Told(self.read_mapping(found), read_codes(file) if file else {}, self.tell_way(found))
        return Extract(found, found.source.table(table), told)

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

    def has(self, source: str) -> bool:
        """Tell whether an optional source, or an edition of a series, is for this council, and has rows of it."""
        entries = self.catalogue.expand([source])
        for entry in entries:
            self._require_declared(entry)
        return any(map(self._has_rows, entries))

    def find(self, source: Source) -> FoundFile:
        """Return a source's file; a twin is made first, fitted to the sources that the catalogue names.

        What a twin is fitted to counts as no source of this notebook's figures: its basis names it.
        """
        other = replace(self, _used={})
        found = self.finder.find(source, load=other._load_any)
        require_agreement(self.catalogue, found, self.run_date)
        return found

    @cached_property
    def place(self) -> Place:
        """The council with its small areas."""
        self._require_build("place")
        return resolve_place(self.finder.council, self._lookup, self._gazetteers)

    def check(self, frame: pd.DataFrame, dataset: str) -> None:
        """Check a table against the fields that a dataset declares, without releasing it.

        Raises:
            CheckError: it is not as declared.
        """
        spec = self.catalogue.dataset(dataset)
        shown = all(found.source.shows_values for found in self._used.values())
        check_fields(frame, spec.fields, spec.key, f"Dataset {dataset}", show_values=shown)

    def landscape(self) -> pd.DataFrame:
        """Describe every source of this study in the catalogue; see `landscape.describe_landscape`."""
        sources = self.catalogue.sources_of(self.spec.id)
        return describe_landscape(sources, self.spec, self.finder, self.run_date)

    def score_landscape(self) -> pd.DataFrame:
        """Return the landscape with how open and how old each source is; see `landscape.score_sources`."""
        return score_sources(self.landscape(), self.catalogue.sources_of(self.spec.id), self.run_date)

    def journey(self) -> pd.DataFrame:
        """Follow data from the sources through this study's notebooks; see `journey.describe_journey`."""
        return describe_journey(self.catalogue, self.spec.id)

    def list_ethics(self) -> pd.DataFrame:
        """List the points of the study's data ethics canvas, and where each stands for this council.

        Returns:
            A row a point, none where the study has no canvas: question_id, question, answer, state (settled, accepted,
            open), role (who settled or accepted it, or has to), decided_on (a date; missing where open), to_do (missing
            where not open), owner, written, review_by.
        """
        canvas = self.catalogue.canvases.get(self.spec.id)
        kept = [canvas.owner, pd.Timestamp(canvas.written), pd.Timestamp(canvas.review_by)] if canvas else []
        rows = [
            (
                *(one.name, one.point.question, one.point.answer, one.state, one.point.by),
                pd.Timestamp(one.day) if one.day else pd.NaT,
                one.point.to_do if one.state == "open" else None,
                *kept,
            )
            for one in list_points(self.catalogue, self.spec.id, self.finder.council)
        ]
        about = ["question_id", "question", "answer", "state", "role", "decided_on", "to_do"]
        return pd.DataFrame(rows, columns=[*about, "owner", "written", "review_by"])

    def list_notices(self) -> pd.DataFrame:
        """List what people are told where they meet the study: place, line (counted from 1), text."""
        canvas = self.catalogue.canvases.get(self.spec.id)
        told = canvas.notice.items() if canvas else ()
        rows = [(place, line, text) for place, texts in told for line, text in enumerate(texts, start=1)]
        return pd.DataFrame(rows, columns=["place", "line", "text"])

    # --- what goes out ---

    def release(
        self,
        dataset: str,
        frame: pd.DataFrame,
        *,
        crosswalks: Mapping[str, pd.DataFrame] | None = None,
        last: LastVersion | None = None,
    ) -> Path:
        """Release a dataset through the gate; see `release.release_dataset`.

        In a notebook that is run by hand this takes effect at once, and is refused while a run makes the same study
        for the same council. In a run, it takes effect when all notebooks have succeeded.

        Args:
            dataset: its id; study.yaml must list it for this notebook.
            frame: the table.
            crosswalks: where its rule names other datasets of the same count: by the id of each, a table of small
                pieces of ground with the area that each lies in here and there.
            last: of a register, its last version as the gate got it and the names that no version may hold.

        Returns:
            The folder it was written to.

        Raises:
            NotebookError: study.yaml does not say that this notebook releases it, or a run is under way.
            ReleaseRefusedError, CheckError: see `release.release_dataset`; nothing was written.
        """
        if dataset not in self._notebook.releases:
            raise NotebookError(
                f"{self.spec.id}/study.yaml does not list {dataset} among the releases of {self.notebook}."
                f"{suggest(dataset, self._notebook.releases)}"
            )
        origin = Origin(
            self.spec.id,
            self.notebook,
            self._named_council,
            self.finder.mode,
            self.run_date,
            list(self._used.values()),
            [read_package(folder) for folder in self._published.values()],
        )
        workbook = self.catalogue.workbook
        spec = self.catalogue.dataset(dataset)
        edition = Edition(workbook, self.spec.id, self.finder.council, self.finder.mode)
        in_run = NOTEBOOK_VARIABLE in os.environ  # then the run holds it
        with explain_os_errors(workbook), nullcontext() if in_run else hold_edition(edition):
            return release_dataset(spec, frame, origin, self.catalogue, choose_root(workbook, spec), crosswalks, last)

    def published(self, dataset: str) -> pd.DataFrame:
        """Read a released dataset of this study and council.

        Raises:
            NotebookError: this is a report, which everybody may read, and the dataset is not for everybody; or
                study.yaml does not say that this notebook comes after the one that releases it.
            CouncilbookError: it has not been released from the data (sample or real) that this notebook is run on.
        """
        spec = self.catalogue.dataset(dataset)
        if self._notebook.kind == "report" and not spec.is_open:
            raise NotebookError(
                f"{self.notebook} is a report, so it cannot show {dataset}: that is {spec.classification}."
            )
        makers = [name for name, notebook in self.spec.notebooks.items() if dataset in notebook.releases]
        if makers and not {self.notebook, *self.spec.list_before(self.notebook)} & set(makers):
            raise NotebookError(
                f"{self.notebook} reads {dataset}, which {makers[0]} releases. Say so in {self.spec.id}/study.yaml: "
                f"`after: [{makers[0]}]`, or a run could read the last one's."
            )
        folder = self.find_released(spec)
        package = read_package(folder)
        if package["councilbook"]["data"] != self.finder.mode:
            raise CouncilbookError(
                f"Dataset {dataset} in {folder} was released from {package['councilbook']['data']} data. Somebody has "
                f"put it among the {self.finder.mode} data: take it out, and run the study's notebooks in order."
            )
        self._published[dataset] = folder
        return read_published(folder, spec)

    def has_released(self, dataset: str) -> bool:
        """Tell whether a dataset of an optional notebook is there, or that was left out; see `published`."""
        return (self.find_released(self.catalogue.dataset(dataset)) / "datapackage.json").exists()

    def last_release(self, dataset: str) -> pd.DataFrame | None:
        """Read what this notebook released of a dataset when it last ran, to hold what it releases now against it.

        Args:
            dataset: its id; study.yaml must list it for this notebook.

        Returns:
            The table; None where there is none yet, or where it was made from other data (twins where there are files
            now), with which this run has nothing in common.

        Raises:
            NotebookError: the notebook does not release it.
        """
        if dataset not in self._notebook.releases:
            raise NotebookError(f"{self.notebook} does not release {dataset}, so it has no last release of it.")
        spec = self.catalogue.dataset(dataset)
        folder = self.find_released(spec)
        if not (folder / "datapackage.json").exists():
            return None
        if read_package(folder)["councilbook"]["synthetic"] != self.is_synthetic:
            return None
        self._published[dataset] = folder
        return read_published(folder, spec)

    def find_released(self, dataset: Dataset) -> Path:
        """Return where a dataset of this study, council and kind of data lies, or would lie."""
        root = choose_root(self.catalogue.workbook, dataset)
        return dataset_folder(root, self.spec.id, self.finder.council, self.finder.mode, dataset.id)

    # --- what a reader is told ---

    @property
    def council_name(self) -> str:
        """The council's name, as the sources or what was released from them have it."""
        if self._notebook.kind == "build" and self.spec.places:
            return self.place.name
        for folder in self._published.values():
            return str(read_package(folder)["councilbook"]["council"]["name"])
        return self.finder.council.name

    @property
    def is_synthetic(self) -> bool:
        """Whether any figure here rests on a synthetic twin."""
        return bool(self.provenance()["data"].eq("synthetic").any()) or self.finder.mode == "sample"

    def provenance(self) -> pd.DataFrame:
        """Say where every figure so far comes from.

        Returns:
            A row a source file, of what was loaded here and of what the released datasets read here were made from:
            series, source, publisher, spectrum, data (real or synthetic), licence, date, file, checksum (SHA-256),
            basis (what a synthetic twin is fitted to; missing for real data).
        """
        columns = ["series", "source", "publisher", "spectrum", "data", "licence", "date", "file", "checksum", "basis"]
        return pd.DataFrame(
            [
                (
                    row["series_title"],
                    row["title"],
                    row["publisher"],
                    row["spectrum"],
                    "synthetic" if row["synthetic"] else "real",
                    row["licence"],
                    row["published"],
                    row["file"],
                    row["sha256"],
                    row["basis"],
                )
                for _, row in sorted(self._trace_sources().items())
            ],
            columns=columns,
        )

    def list_outdated(self) -> list[str]:
        """Say of which sources of the figures so far a newer edition is out; see `editions.describe_outdated`."""
        return describe_outdated(self.catalogue, self._trace_sources(), self.run_date)

    def list_editions(self, series: str) -> pd.DataFrame:
        """List the editions of a series that there are; see `editions.list_editions`."""
        return list_editions(self.catalogue, series)

    def show_downloads(self) -> Html:
        """List the released datasets read here, with links that work in the report."""
        return html.downloads([read_package(folder) for folder in self._published.values()])

    def show_provenance(self) -> Html:
        """Show where every figure so far comes from: a row a source or series, and every file with its checksum."""
        files = self.provenance()
        rows = files.drop_duplicates(["series", "data"])
        counts = files.groupby(["series", "data"])["file"].transform("size")
        twins = rows.dropna(subset=["basis"])
        made = dict(zip(twins["series"].astype("str"), twins["basis"], strict=True))
        rows = rows.drop(columns=["source", "file", "checksum", "basis"])
        rows["date"] = rows["date"].where(counts == 1, counts.astype("str") + " editions")
        for column in ("spectrum", "data"):
            rows[column] = rows[column].map(lambda word: html.badge(word, word))
        mended = {row["title"]: " ".join(row["notes"]) for row in self._trace_sources().values() if row.get("notes")}
        headers = {name: name.capitalize() for name in rows.columns} | {"series": "Source"}
        listed = html.table(
            files[["source", "file", "checksum"]],
            "Files read",
            headers={"source": "Source", "file": "File", "checksum": "SHA-256"},
        )
        assumed = self._list_assumed()
        parts = [
            html.table(rows, "Sources of every figure on this page", headers=headers),
            *([html.table(assumed, "What is assumed, since no source of this run gives it")] if len(assumed) else []),
            *([html.fold("How the synthetic data were made", html.definition_list(made))] if made else []),
            *(
                [html.fold("What was repaired or set aside to read the files", html.definition_list(mended))]
                if mended
                else []
            ),
            html.fold("Every file with its checksum", listed),
        ]
        return html.join(parts)

    def list_kinds(self) -> dict[str, Sequence[str]]:
        """List the kinds of figure in each released dataset that was read here: real, or synthetic, assumed or both."""
        return {name: html.list_kinds(read_package(folder)) for name, folder in self._published.items()}

    def _list_assumed(self) -> pd.DataFrame:
        """List the datasets read or made here that rest on assumptions, each with a badge and what is assumed."""
        packages = [read_package(folder) for folder in self._published.values()]
        read = {one["title"]: one["councilbook"].get("assumptions", []) for one in packages}
        made = [self.catalogue.dataset(name) for name in self._notebook.releases]
        told = read | {one.title: [one.assumes] for one in made if one.assumes}
        rows = [(title, html.badge("assumed", "assumed"), "; ".join(texts)) for title, texts in told.items() if texts]
        return pd.DataFrame(rows, columns=["Dataset", "Data", "Assumptions about"])

    def show_stamp(self) -> Html:
        """Show what this run was: study, council, data, date, seed, version."""
        return html.definition_list(
            {
                "Study": f"{self.spec.title} ({self.notebook})",
                "Council": f"{self.council_name} ({', '.join(self.finder.council.codes)})",
                "Data": "synthetic sample" if self.finder.mode == "sample" else "real",
                "Date of the run": self.run_date,
                "Seed": self.finder.seed,
                "councilbook": __version__,
            }
        )

    # --- inside ---

    def _trace_sources(self) -> dict[str, dict[str, Any]]:
        """Return what is known of every source of the figures so far, by id: of what was loaded or read here."""
        rows: dict[str, dict[str, Any]] = {}
        for folder in self._published.values():
            rows |= {row["source_id"]: row for row in read_package(folder)["councilbook"]["provenance"]}
        return rows | {row["source_id"]: row for row in describe_sources(list(self._used.values()))}

    @property
    def _notebook(self) -> NotebookSpec:
        return self.spec.notebooks[self.notebook]

    @property
    def _named_council(self) -> Council:
        return self.finder.council.model_copy(update={"name": self.council_name})

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
        places = self.catalogue.expand(self.spec.places)
        return {source.id: gazetteer(source) for source in places if not source.optional or self.is_there(source)}

    def _load_any(self, name: str, table: str | None = None, keep: Keep | None = None) -> pd.DataFrame:
        """Load a table of a source, or of the newest edition of a series that is there."""
        if name in self.catalogue.sources:
            return self.load_table(self.catalogue.source(name), table, keep)
        editions = self.catalogue.series(name)[::-1]
        return self._load_editions([one for one in editions if self.is_there(one)] or editions[:1], table, most=1)[0]

    def _load_editions(
        self, sources: Sequence[Source], table: str | None, most: int | None = None
    ) -> list[pd.DataFrame]:
        """Load a table of those editions that are there, at most so many."""
        loaded: list[pd.DataFrame] = []
        absent = []
        for source in sources:
            areas = source.table(table).areas
            more = {"edition": source.edition} | ({"vintage": areas.vintage} if areas and areas.lsoa else {})
            try:
                loaded.append(self.load_table(source, table).assign(**more))
            except NotThereError as error:
                absent.append(error)
                self._used.pop(source.id, None)
            if len(loaded) == most:
                break
        if not loaded:
            raise absent[0]
        return loaded

    def load_table(self, source: Source, name: str | None, keep: Keep | None = None) -> pd.DataFrame:
        """Load a table of any source, declared for this notebook or not; see `load`."""
        table = source.table(name)
        found, rows = self.read_table(source, name, keep)
        where = describe_place(found, table)
        areas = table.areas
        if areas and areas.lsoa:
            if areas.output_area:
                rows = fill_lsoas(rows, areas, self._read_output_areas)
            check_vintage(rows, areas, self._lookup, where, show_values=source.shows_values)
            rows = select_rows(rows, areas, self.place, source)
        elif areas:
            rows = select_by_code(rows, areas, self.finder.council, source)
        frame = rows if table.stream else convert_types(rows, table, found)
        check_fields(frame, table.fields, table.key, where, show_values=source.shows_values)
        if source.checked_by:
            try:
                find_function(source.checked_by)(frame)
            except CheckError as error:
                raise CheckError(f"{where}: {error}") from None
        if areas and areas.lsoa:
            check_coverage(frame, areas, self.place, where)
        return frame.reset_index(drop=True)

    def _read_output_areas(self) -> pd.DataFrame:
        """Read which LSOA an output area lies in, if that is there; otherwise nothing is known."""
        source = self.catalogue.source(OUTPUT_AREAS)
        if not self.is_there(source):
            return pd.DataFrame(columns=list(source.table().fields))
        return self.read_table(source, None)[1]

    def read_table(self, source: Source, name: str | None, keep: Keep | None = None) -> tuple[FoundFile, pd.DataFrame]:
        """Read a table, as text, with the file that it is of; an open one once, if it is not read piece by piece."""
        passing = source.table(name).stream or source.spectrum != "open"  # what is large and read once is not kept
        if (source.id, name) not in self._rows or passing:
            found = self.find(source)
            is_own = found.has_own_columns
            rows = self._open_extract(found, name).read() if is_own else read_rows(found, source.table(name), keep)
            notes = rows.attrs.get("notes", ())
            rows, dropped = drop_beyond(self.catalogue, found, source.table(name), rows)
            found = replace(found, notes=tuple(filter(None, [*notes, dropped])))
            self._used[source.id] = found
            if passing:
                return found, rows
            self._rows[source.id, name] = found, rows
        self._used[source.id] = self._rows[source.id, name][0]
        return self._rows[source.id, name]

    def is_there(self, source: Source) -> bool:
        """Tell whether a source is for this council, and here if it is optional."""
        if not source.optional:
            return True
        there = source.twin if self.finder.mode == "sample" else self.finder.find_local(source)
        return there is not None and source.covers(self.finder.council)

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

    def _require_build(self, what: str) -> None:
        if self._notebook.kind == "report":
            raise NotebookError(
                f"{self.notebook} is a report: it reads released data alone, so it has no {what}. "
                "Use study.published()."
            )

    def _require_declared(self, source: Source) -> None:
        self._require_build("load")
        if source not in self.catalogue.expand(self._notebook.sources):
            raise NotebookError(
                f"{self.spec.id}/study.yaml does not list {source.id} among the sources of {self.notebook}. What a "
                "notebook reads is declared there, so that the gate and the next run know of it."
            )


def _as_mode(data: str) -> Mode:
    if data == "sample":
        return "sample"
    if data == "real":
        return "real"
    raise ParameterError(f"data is {data!r}; expected sample or real.")


def _as_mirror(mirror: str, catalogue: Catalogue) -> Path | None:
    if not mirror:
        return None
    folder = catalogue.workbook.root / mirror  # an absolute path stays as it is
    if not folder.is_dir():
        raise ParameterError(f"mirror is {mirror!r}, and there is no such folder ({folder}).")
    return folder
