"""`Study`: the one object that a notebook holds."""

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast, get_args

import pandas as pd

from councilbook import __version__
from councilbook.catalogue import Catalogue, Dataset, Finder, FoundFile, Mode, load_catalogue
from councilbook.errors import CouncilbookError, NotebookError, ParameterError, PublishedBeforeError, suggest
from councilbook.gate.disclosure.registers import LastVersion
from councilbook.gate.disks import explain_os_errors
from councilbook.gate.editions import Edition, find_beside, hold_edition
from councilbook.gate.ethics.points import list_points
from councilbook.gate.writing import Origin, describe_sources, release_dataset
from councilbook.gate.written.packages import choose_root, dataset_folder, read_package, read_published
from councilbook.gate.written.versions import read_last
from councilbook.pages import html
from councilbook.pages.html import Html
from councilbook.paths import HELD_VARIABLE, NOTEBOOK_VARIABLE, STAND_INS_VARIABLE, find_workbook
from councilbook.sources.checks import check_fields
from councilbook.sources.editions import describe_outdated, list_editions
from councilbook.sources.files.streams import Keep
from councilbook.sources.journey import describe_journey, is_read
from councilbook.sources.landscape import describe_landscape, score_sources
from councilbook.study.intake import Intake
from councilbook.study.telling import (
    list_assumed,
    show_points,
    show_provenance,
    tabulate_notices,
    tabulate_points,
    tabulate_provenance,
)


@dataclass
class Study(Intake):
    """A study as one notebook sees it: one council, one mode, what was loaded and what was released.

    Made with `Study.open`. A build notebook calls `load`, `check` and `release`; a report notebook calls
    `published`, and an attempt to load is an error.
    """

    _published: dict[str, dict[str, Any]] = field(default_factory=dict)  # by id of a dataset, its data package
    _followed: set[str] = field(default_factory=set)  # datasets that are held against their last release

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
        self._require_declared(source)
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
        self._require_declared(series)
        return pd.concat(self._load_editions(self.catalogue.series(series), table), ignore_index=True)

    def open_file(self, source: str) -> FoundFile:
        """Return the file of a source that the study reads itself; it counts as read.

        Args:
            source: its id; study.yaml must list it for this notebook. Where the council has no closed file of it, the
                file is of the source that the catalogue names instead, or the twin.

        Raises:
            NotebookError, SourceError: see `load`.
            NotAgreedError: an agreement covers some of its fields alone.
        """
        self._require_declared(source)
        found = self.find(self.catalogue.source(source))
        if NOTEBOOK_VARIABLE not in os.environ:  # else the run has looked before its first notebook
            self.check_owner(found)
        self._used[found.source.id] = found
        return found

    def has(self, source: str) -> bool:
        """Tell whether an optional source, or an edition of a series, is for this council, and has rows of it."""
        return any(map(self._has_rows, self._require_declared(source)))

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
        aside = replace(self, _rows={}, _used={})  # what is looked at here is neither kept nor used
        return describe_landscape(sources, self.spec, self.finder, self.run_date, aside._has_own)

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
        points = list_points(self.catalogue, self.spec.id, self.finder.council)
        return tabulate_points(points, self.catalogue.canvases.get(self.spec.id))

    def list_notices(self) -> pd.DataFrame:
        """List what people are told where they meet the study: place, line (counted from 1), text."""
        return tabulate_notices(self.catalogue.canvases.get(self.spec.id))

    # --- what goes out ---

    def release(
        self,
        dataset: str,
        frame: pd.DataFrame,
        *,
        crosswalks: Mapping[str, pd.DataFrame] | None = None,
        last: LastVersion | None = None,
    ) -> Path:
        """Release a dataset through the gate; see `gate.writing.release_dataset`.

        In a notebook that is run by hand this takes effect at once, and is refused while a run makes the same study
        for the same council. In a run, it takes effect when all notebooks have succeeded. There, a dataset that could
        leave but for what was published before is held back if nothing else rests on it: the run takes its last version
        back as well.

        Args:
            dataset: its id; study.yaml must list it for this notebook.
            frame: the table.
            crosswalks: where its rule names other datasets of the same count: by the id of each, a table of small
                pieces of ground with the area that each lies in here and there.
            last: of a register, its last version as the gate got it and the names that no version may hold.

        Returns:
            The folder it was written to; where it is held back, that of its last version.

        Raises:
            NotebookError: study.yaml does not say that this notebook releases it, or a run is under way.
            ReleaseRefusedError, CheckError: see `gate.writing.release_dataset`; nothing was written.
        """
        if dataset not in self._notebook.releases:
            raise NotebookError(
                f"{self.spec.id}/study.yaml does not list {dataset} among the releases of {self.notebook}."
                f"{suggest(dataset, self._notebook.releases)}"
            )
        origin, workbook = self._describe_origin(), self.catalogue.workbook
        spec = self.catalogue.dataset(dataset)
        edition = Edition(workbook, self.spec.id, self.finder.council, self.finder.mode)
        in_run = NOTEBOOK_VARIABLE in os.environ  # then the run holds it
        with explain_os_errors(workbook), nullcontext() if in_run else hold_edition(edition):
            root = choose_root(workbook, spec)
            held = Path(os.environ[HELD_VARIABLE]) / dataset if in_run and HELD_VARIABLE in os.environ else None
            try:
                folder = release_dataset(spec, frame, origin, self.catalogue, root, crosswalks, last)
            except PublishedBeforeError as error:
                if held is None or not spec.is_open or is_read(self.catalogue, dataset):
                    raise
                held.write_text(str(error), encoding="utf-8")
                return self.find_released(spec)
            if held:
                held.unlink(missing_ok=True)
            return folder

    def published(self, dataset: str) -> pd.DataFrame:
        """Read a released dataset of this study and council, or one that study.yaml says is read beside them.

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
        self._published[dataset] = package
        return read_published(folder, spec)

    def name_council(self, dataset: str) -> str:
        """Name the council that a released dataset read here is of: another than this one, if none was of this."""
        return str(self._published[dataset]["councilbook"]["council"]["name"])

    def has_released(self, dataset: str) -> bool:
        """Tell whether a dataset of an optional notebook is there, or that was left out; see `published`."""
        return (self.find_released(self.catalogue.dataset(dataset)) / "datapackage.json").exists()

    def last_release(self, dataset: str) -> pd.DataFrame | None:
        """Read what this notebook released of a dataset when it last ran, to hold what it releases now against it.

        Args:
            dataset: its id; study.yaml must list it for this notebook.

        Returns:
            The table, of the last release that was made from such data: what was released of twins in between, where
            there are files now, has nothing in common with this run. None where there is none.

        Raises:
            NotebookError: the notebook does not release it.
        """
        if dataset not in self._notebook.releases:
            raise NotebookError(f"{self.notebook} does not release {dataset}, so it has no last release of it.")
        self._followed.add(dataset)
        spec = self.catalogue.dataset(dataset)
        if last := read_last(self.find_released(spec), spec, self._describe_origin().records):
            self._published[dataset] = last[0]
        return last[1] if last else None

    def _describe_origin(self) -> Origin:
        """Say what is made here, from what was read so far."""
        return Origin(
            self.spec.id,
            self.notebook,
            self.finder.council.model_copy(update={"name": self.council_name}),
            self.finder.mode,
            self.run_date,
            list(self._used.values()),
            list(self._published.values()),
            frozenset(self._followed),
        )

    def find_released(self, dataset: Dataset) -> Path:
        """Return where a dataset of this study, council and kind of data lies, or would lie; see `find_beside` too."""
        if dataset.id in self._notebook.beside:
            return find_beside(self.catalogue, dataset.id, self.finder.council, self.finder.mode)
        root = choose_root(self.catalogue.workbook, dataset)
        return dataset_folder(root, self.spec.id, self.finder.council, self.finder.mode, dataset.id)

    # --- what a reader is told ---

    @property
    def council_name(self) -> str:
        """The council's name, as the sources or what was released from them have it."""
        if self._notebook.kind == "build" and self.spec.places:
            return self.place.name
        for package in self._published.values():
            return str(package["councilbook"]["council"]["name"])
        return self.finder.council.name

    @property
    def is_synthetic(self) -> bool:
        """Whether any figure here rests on a synthetic twin."""
        return self.finder.mode == "sample" or any(one["synthetic"] for one in self._trace_sources().values())

    def provenance(self) -> pd.DataFrame:
        """Say where every figure so far comes from.

        Returns:
            A row a source file, of what was loaded here and of what the released datasets read here were made from:
            series, source, publisher, spectrum, data (real or synthetic), licence, date, file, checksum (SHA-256),
            basis (what a synthetic twin is fitted to; missing for real data).
        """
        return tabulate_provenance(self._trace_sources())

    def list_outdated(self) -> list[str]:
        """Say of which real sources of the figures so far a newer edition is out; see `editions.describe_outdated`."""
        used = {name: one for name, one in self._trace_sources().items() if not one["synthetic"]}
        return describe_outdated(self.catalogue, used, self.run_date)

    def list_editions(self, series: str) -> pd.DataFrame:
        """List the editions of a series that there are; see `editions.list_editions`."""
        return list_editions(self.catalogue, series)

    def show_ethics(self) -> Html:
        """Show the study's data ethics canvas: each question and answer, where it stands, and who keeps it."""
        return show_points(self.list_ethics())

    def show_downloads(self) -> Html:
        """List the released datasets read here, with links that work in the report."""
        return html.downloads(list(self._published.values()))

    def show_provenance(self) -> Html:
        """Show where every figure so far comes from: a row a source or series, and every file with its checksum."""
        made = map(self.catalogue.dataset, self._notebook.releases)
        return show_provenance(self._trace_sources(), list_assumed(self._published.values(), made))

    def list_kinds(self) -> dict[str, Sequence[str]]:
        """List the kinds of figure in each released dataset that was read here: real, or synthetic, assumed or both."""
        return {name: html.list_kinds(package) for name, package in self._published.items()}

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
        read = [row for package in self._published.values() for row in package["councilbook"]["provenance"]]
        return {row["source_id"]: row for row in [*read, *describe_sources(list(self._used.values()))]}


def _as_mode(data: str) -> Mode:
    if data not in get_args(Mode):
        raise ParameterError(f"data is {data!r}; expected sample or real.")
    return cast("Mode", data)


def _as_mirror(mirror: str, catalogue: Catalogue) -> Path | None:
    if not mirror:
        return None
    folder = catalogue.workbook.root / mirror  # an absolute path stays as it is
    if not folder.is_dir():
        raise ParameterError(f"mirror is {mirror!r}, and there is no such folder ({folder}).")
    return folder
