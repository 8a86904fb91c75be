"""Jobs: which editions are to be made, what goes into each, and which of their notebooks have to be run."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from councilbook.catalogue import (
    Catalogue,
    Council,
    Finder,
    Mode,
    Source,
    StudySpec,
    hash_file,
    hash_files,
    hash_text,
)
from councilbook.catalogue.councils import COUNTY, NATIONS, read_authorities
from councilbook.errors import CatalogueError, NotAgreedError, ParameterError, SourceError
from councilbook.gate.editions import Edition, LeftOut, Record, hash_folder, hold_edition, read_record
from councilbook.gate.ethics.agreements import find_own_file, require_agreement
from councilbook.gate.ethics.points import list_points
from councilbook.running.imports import Modules, find_imports, list_used_files
from councilbook.running.parameters import (
    Parameter,
    Value,
    inspect_study,
    merge_parameters,
    parse_parameters,
    parse_run_date,
    read_cells,
)
from councilbook.running.parts import find_absent
from councilbook.sources.journey import describe_journey

REPORT_MODULE = "councilbook.pages.reports.report"  # by which `run` publishes a report
SITE_MODULE = "councilbook.pages.site"  # and the site around it


@dataclass(frozen=True)
class Job(Edition):
    """An edition that is to be made, and what it is to be made with."""

    mirror: Path | None
    seed: int
    run_date: str
    is_date_given: bool  # if not, it is today's, and a new day alone is no reason to run again
    parameters: Mapping[str, Value]  # those given with -p
    force: bool = False
    stand_ins: bool = False  # whether something else may be read in the place of a closed file that is missing
    at_once: int = 1  # most notebooks at a time
    sources: Mapping[str, str] = field(default_factory=dict)  # origin and checksum of each, in real mode


@dataclass(frozen=True)
class Step:
    """How far a job is with a notebook or a download."""

    job: Job
    what: str
    done: int
    total: int | None
    unit: Literal["cell", "byte"] = "cell"


@dataclass(frozen=True)
class Note:
    """What whoever runs a job should know of its closed files before it begins."""

    job: Job
    text: str


@dataclass(frozen=True)
class Failure:
    """What stopped a job. Its reason is safe to print."""

    reason: str
    notebook: str | None = None
    cell: str | None = None
    executed: Path | None = None


@dataclass(frozen=True)
class JobResult:
    """How a job ended."""

    edition: Edition
    outcome: Literal["made", "unchanged", "failed"]
    seconds: float = 0
    since: str | None = None  # run date of what is there, if nothing has changed
    failure: Failure | None = None
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)  # by notebook; the rest was made


Tell = Callable[[Step | Note], None]


def plan_jobs(
    catalogue: Catalogue,
    studies: Sequence[str],
    councils: Sequence[str],
    *,
    today: str,
    run_date: str | None = None,
    mode: Mode = "sample",
    mirror: Path | None = None,
    parameters: Sequence[str] = (),
    force: bool = False,
    stand_ins: bool = False,
) -> list[Job]:
    """Make one job of each study and council.

    Args:
        catalogue: the workbook's.
        studies: ids; none means all.
        councils: as `choose_councils` takes them; none means each study's default.
        today: date of the run, ISO, if no other is given.
        run_date: the date, if one is given; it then counts as a parameter like any other.
        mode: sample or real.
        mirror: folder with local copies of official files.
        parameters: texts of name=value; each name must be known in every study.
        force: run even where nothing has changed.
        stand_ins: whether a published list or a twin may stand in for a closed file that is missing.

    Raises:
        CouncilbookError: the closed folder that is named is not there.
        CatalogueError: no such study or council.
        NotebookError: a notebook is missing, or its parameters cell cannot be read.
        ParameterError: a parameter is not as the notebooks and study.yaml say.
    """
    jobs: dict[str, Job] = {}
    _ = catalogue.workbook.closed  # a folder that is not there is told before anything is written
    for study in studies or list(catalogue.studies):
        spec = catalogue.study(study)
        known = merge_parameters(inspect_study(catalogue.workbook.notebooks / study, spec))
        try:
            values = parse_parameters(parameters, known, spec.parameters)
        except ParameterError as error:
            raise ParameterError(f"Study {study}: {error}") from None
        for council in choose_councils(catalogue, councils or [spec.default_council], spec.nations):
            job = Job(
                workbook=catalogue.workbook,
                study=study,
                council=council,
                mode=mode,
                mirror=mirror.resolve() if mirror else None,
                seed=int(values.get("seed", known["seed"].default)),
                run_date=today if run_date is None else parse_run_date(run_date),
                is_date_given=run_date is not None,
                parameters=values,
                force=force,
                stand_ins=stand_ins,
            )
            jobs[job.name] = job
    return list(jobs.values())


def choose_councils(catalogue: Catalogue, texts: Sequence[str], nations: Sequence[str] = ()) -> list[Council]:
    """Return the councils that texts name.

    Args:
        catalogue: the workbook's.
        texts: each a council as `Catalogue.council` takes it, or several of these with commas; a file with one a line;
            `all`, or a nation: each council of today that bills households. A county's districts stand for it.
        nations: first letters of the codes that `all` is limited to; none: no limit.

    Raises:
        CatalogueError: no such council; of a file, with its row.
    """
    found = [council for text in texts for council in _split_councils(catalogue, text, nations)]
    return list({council.slug: council for council in found}.values())


def _split_councils(catalogue: Catalogue, text: str, nations: Sequence[str]) -> list[Council]:
    """Return the council that a text names, or those that its parts do: some names have a comma in them."""
    groups = {"all": nations or [*NATIONS]} | {nation.casefold(): [letter] for letter, nation in NATIONS.items()}
    if letters := groups.get(text.casefold()):
        today = [one for one in read_authorities().values() if not one.end and one.type != COUNTY]
        return [catalogue.council(one.gss_code) for one in today if one.gss_code[0] in letters]
    if Path(text).suffix in (".txt", ".csv"):
        return list(_read_councils(catalogue, Path(text)))
    try:
        return [catalogue.council(text)]
    except CatalogueError:
        if "," not in text:
            raise
        return [catalogue.council(name) for name in text.split(",")]


def _read_councils(catalogue: Catalogue, file: Path) -> Iterator[Council]:
    """Yield the councils of a file, one a line; what stands behind a comma is not looked at."""
    if not file.is_file():
        raise CatalogueError(f"There is no file {file} with councils, a name or GSS code on each line.")
    for row, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        name = "".join(next(iter(csv.reader([line])), [])[:1]).strip()
        if name and not name.startswith("#"):
            try:
                yield catalogue.council(name)
            except CatalogueError as error:
                raise CatalogueError(f"{file}, row {row}: {error}") from None


def list_sources(catalogue: Catalogue, study: str, notebook: str) -> list[Source]:
    """Return the sources that a notebook may read, and those that their twins are fitted to; a report reads none."""
    spec = catalogue.study(study)
    if spec.notebooks[notebook].kind == "report":
        return []
    read = [*spec.places, *spec.notebooks[notebook].sources]
    fitted = [name for source in catalogue.expand(read) if source.twin for name in source.twin.fitted_to]
    return catalogue.expand([*read, *fitted])


def list_study_sources(catalogue: Catalogue, study: str) -> list[Source]:
    """Return the sources that the notebooks of a study may read, each once."""
    notebooks = catalogue.study(study).notebooks
    return list({source.id: source for name in notebooks for source in list_sources(catalogue, study, name)}.values())


def find_sources(catalogue: Catalogue, job: Job, checksums: dict[Path, str], tell: Tell) -> dict[str, str]:
    """Make sure that the open sources of a job are there, and say what is there of all its sources.

    A closed or shared source that is not there is an error unless something may stand in for it (`Finder`): then its
    twin is made when a notebook loads it. In sample mode every source is its twin, which depends on nothing but
    library, council and seed: nothing is returned.

    Args:
        catalogue: the workbook's.
        job: what is to be run.
        checksums: those known so far, by path; added to, so that a file is read once for however many jobs.
        tell: called with notes on the closed files, and while a file is downloaded.

    Returns:
        Origin and checksum of each source that is on this machine, also of those that are only described; and the
        checksum of the file in which a council says which column is which.

    Raises:
        CatalogueError: the study is not for the council's nation.
        SourceError: an open source is neither on this machine nor can it be fetched. Those that have to be got by hand
            are told first, all at once, before anything is fetched. Or a closed one is missing that the study cannot do
            without, and so is whatever may stand in for it; or what may is synthetic, and belongs with a real one.
    """
    catalogue.study(job.study).refuse_other_nations(job.council)
    if job.mode == "sample":
        return {}
    finder = Finder(catalogue, job.mode, job.council, job.seed, job.mirror, job.stand_ins)
    used = list_study_sources(catalogue, job.study)
    guarded = [source for source in used if source.spectrum != "open"]
    for line in describe_closed(finder, guarded, find_absent(catalogue, job.study, finder)):
        tell(Note(job, line))
    require_agreements(finder, guarded, job.run_date)
    absent = [source for source in _list_needed(used, finder) if not finder.find_local(source)]
    if by_hand := [source for source in absent if not source.url]:
        lines = [finder.describe_nowhere(source) for source in by_hand]
        way = f"`councilbook fetch {job.study}` gets those that have a stable address; with --list it says how to know"
        raise SourceError("\n".join([*lines, f"{way} the others, and checks them."]))
    for source in absent:
        _fetch(source, finder, job, tell)
    found: dict[str, str] = {}
    for source in {source.id: source for source in [*used, *catalogue.sources_of(job.study)]}.values():
        if local := finder.find_local(source):
            if local.path not in checksums:
                checksums[local.path] = local.sha256
            found[source.id] = f"{local.origin} {checksums[local.path]}"
            if (mapping := finder.find_mapping(local.source)) and mapping.is_file():
                found[source.id] += f" {hash_file(mapping)}"
            if source.spectrum != "open" and (agreed := find_own_file(catalogue.workbook)):
                found[source.id] += f" {hash_file(agreed)}"
    return found


def require_agreements(finder: Finder, sources: Sequence[Source], run_date: str) -> None:
    """Refuse closed files that no valid agreement lets a run read, all of them at once; see `require_agreement`.

    Raises:
        NotAgreedError: there are some.
    """
    faults = []
    for local in filter(None, map(finder.find_local, sources)):
        try:
            require_agreement(finder.catalogue, local, run_date)
        except NotAgreedError as error:
            faults.append(str(error))
    if faults:
        raise NotAgreedError("\n\n".join(faults))


def _list_needed(used: Sequence[Source], finder: Finder) -> list[Source]:
    """List the open sources that must be there: of a series any edition of which will do, the newest if none is."""
    optional: dict[str, list[Source]] = {}
    for source in used:
        if source.optional and source.series:
            optional.setdefault(source.series, []).append(source)
    newest = [editions[-1] for editions in optional.values() if not any(map(finder.find_local, editions))]
    return [source for source in used if source.spectrum == "open" and not source.optional] + newest


def describe_closed(finder: Finder, sources: Sequence[Source], left_out: Mapping[str, LeftOut]) -> list[str]:
    """Say in lines which closed files a real run has found, which it does not read, and what stands in for the others.

    Args:
        finder: finds them.
        sources: the closed and shared ones that the study reads.
        left_out: from `find_absent`.
    """
    folder = finder.catalogue.workbook.closed
    lines = [] if folder else ["no closed folder is named"]
    read, unread = [], [name for names in finder.list_closed().values() for name in names]
    for source in sources:
        found = finder.find_local(source)
        if found and found.origin == "closed folder":
            read.append(f"{found.path.name} ({source.id})")
            unread.remove(found.path.name)
        elif found:
            lines.append(f"{source.id}: not there; read instead is {found.source.id}, {found.path.name}")
        elif not source.optional:
            twin = source.twin and finder.may_be_twin(source, source.twin)
            instead = "a SYNTHETIC twin stands in for it" if twin else "what needs it is left out"
            lines.append(f"{source.id}: not there; {instead}")
    if folder:
        lines.insert(0, f"closed folder {folder}: {', '.join(read) or 'no file of this study'}")
    lines += [f"{notebook} is left out" for notebook in left_out]
    return [*lines, *([f"not read: {', '.join(unread)}"] if unread and folder else [])]


def _fetch(source: Source, finder: Finder, job: Job, tell: Tell) -> None:
    def progress(done: int, total: int | None) -> None:
        tell(Step(job, f"fetching {source.id}", done, total, "byte"))

    progress(0, None)
    finder.find(source, progress)


def fill_parameters(
    job: Job, catalogue: Catalogue, notebook: str, declared: Mapping[str, Parameter]
) -> dict[str, Value]:
    """Return the values that a notebook is run with: the five common ones, and those given that it declares."""
    is_report = catalogue.study(job.study).notebooks[notebook].kind == "report"
    has_name = job.council.slug in catalogue.councils or job.council.type
    return {
        "council": job.council.slug if has_name else "+".join(job.council.codes),
        "data": job.mode,
        "mirror": "" if is_report or job.mirror is None else str(job.mirror),
        "seed": job.seed,
        "run_date": job.run_date,
        **{name: value for name, value in job.parameters.items() if name in declared},
    }


def fingerprint_notebooks(job: Job, catalogue: Catalogue) -> dict[str, str]:
    """Return a checksum of all that each notebook's result depends on.

    That is its cells and parameters, the sources it may read, what it uses of the library, the council, study.yaml and
    what lies beside it, where the points of an ethics canvas stand, the files of the catalogue that the study goes by,
    the pinned requirements, and the fingerprints of the notebooks that it comes after. Of a mirror, only its files
    count.
    """
    workbook, spec = job.workbook, catalogue.study(job.study)
    folder = workbook.notebooks / job.study
    declared = inspect_study(folder, spec)
    ignored = {"mirror"} if job.is_date_given else {"mirror", "run_date"}
    files = [workbook.lock, *folder.glob("*.yaml"), *_list_catalogue_files(catalogue, job.study)]
    shared = [hash_files(workbook.root, files), job.council.model_dump(), job.mode == "real" and job.stand_ins]
    shared += [[one.key, one.state, one.day] for one in list_points(catalogue, job.study, job.council)]
    library = Modules.read(workbook.library)
    fingerprints: dict[str, str] = {}
    for notebook in declared:
        values = fill_parameters(job, catalogue, notebook, declared[notebook])
        cells = read_cells(folder / f"{notebook}.ipynb")
        code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        parts = [
            shared,
            {name: value for name, value in values.items() if name not in ignored},
            [
                [cell["cell_type"], cell["source"], {k: v for k, v in cell["metadata"].items() if k != "execution"}]
                for cell in cells
            ],
            _describe_sources(job, catalogue, notebook, code),
            hash_files(workbook.library, _list_library_files(job, catalogue, notebook, code, library)),
            [fingerprints[earlier] for earlier in spec.list_before(notebook)],
        ]
        fingerprints[notebook] = hash_text(json.dumps(parts, sort_keys=True))
    return fingerprints


def fingerprint_site(catalogue: Catalogue) -> str:
    """Return a checksum of all that the site's own pages depend on, but for the reports."""
    workbook = catalogue.workbook
    declared = [*workbook.catalogue.glob("*.yaml"), *workbook.notebooks.glob("*/study.yaml")]
    used = list_used_files(Modules.read(workbook.library), [SITE_MODULE])
    return hash_text(hash_files(workbook.root, [workbook.lock, *declared]) + hash_files(workbook.library, used))


def _list_catalogue_files(catalogue: Catalogue, study: str) -> list[Path]:
    """Return the files of the catalogue that a study goes by.

    That is all but other studies' that declare nothing it uses, and councils.yaml, of which one council matters.
    """
    sources = [*list_study_sources(catalogue, study), *catalogue.sources_of(study)]
    named = {name for source in sources for name in (source.id, source.or_else)}
    named |= {name for notebook in catalogue.study(study).notebooks.values() for name in notebook.releases}
    others = {
        other
        for other in catalogue.studies
        if other != study
        and named.isdisjoint([*catalogue.study_sources.get(other, ()), *catalogue.study_datasets.get(other, ())])
    }
    return [file for file in catalogue.workbook.catalogue.glob("*.yaml") if file.stem not in {"councils", *others}]


def _describe_sources(job: Job, catalogue: Catalogue, notebook: str, code: Sequence[str]) -> list[object]:
    """Say what is there of a notebook's sources; of all sources, or the journey through all steps, if it shows that."""
    read = {source.id: job.sources.get(source.id) for source in list_sources(catalogue, job.study, notebook)}
    steps = describe_journey(catalogue, job.study) if any(".journey(" in text for text in code) else None
    ways = [] if steps is None else [steps[["notebook", "direction", "item_id"]].to_numpy().tolist()]
    return [read, sorted(job.sources) if any("landscape" in text for text in code) else [], *ways]


def _list_library_files(
    job: Job, catalogue: Catalogue, notebook: str, code: Sequence[str], library: Modules
) -> set[Path]:
    """Return the files of the library that a notebook, the twins of its sources, and its pages if it is the report use.

    A cell that is no plain Python could import anything, so all files count then.
    """
    twins = [
        source.twin.make.partition(":")[0]
        for source in list_sources(catalogue, job.study, notebook)
        if source.twin and (job.mode == "sample" or source.spectrum != "open")
    ]
    spec = catalogue.study(job.study)
    made = [page.make.partition(":")[0] for page in spec.pages.values()]
    page = [REPORT_MODULE, *made] if notebook == spec.report else []
    try:
        imported = [name for text in code for name in find_imports(text)]
    except SyntaxError:
        return set(library.files)
    return list_used_files(library, [*imported, *twins, *page])


def find_stale(job: Job, spec: StudySpec, fingerprints: Mapping[str, str]) -> list[str]:
    """Return the notebooks to run: whose result is not there or is of other inputs, and those that come after one."""
    record = read_record(job.private)
    if job.force or record is None:
        return list(spec.notebooks)
    changed = _list_changed_datasets(job, record)
    if changed - {name for notebook in spec.notebooks.values() for name in notebook.releases}:
        return list(spec.notebooks)
    stale: list[str] = []
    for notebook, about in spec.notebooks.items():
        is_changed = fingerprints[notebook] != record.notebooks.get(notebook)
        is_lost = notebook not in record.left_out and not job.executed(notebook).exists()
        is_gone = is_lost or not changed.isdisjoint(about.releases)
        if notebook == spec.report:
            is_gone = is_gone or hash_folder(job.report) != record.report
        if is_changed or is_gone or not set(stale).isdisjoint(spec.list_before(notebook)):
            stale.append(notebook)
    return stale


def _list_changed_datasets(job: Job, record: Record) -> set[str]:
    """Return the datasets of which a file is not as the last run left it; of a file in no dataset, its name."""
    pairs = zip(job.datasets, (record.processed, record.restricted), strict=True)
    return {
        path.partition("/")[0] for folder, before in pairs for path, _ in hash_folder(folder).items() ^ before.items()
    }


def find_unchanged(job: Job, catalogue: Catalogue) -> Record | None:
    """Return what the last run made if there is nothing to run again; no process need be started to learn that.

    What a killed run left of the edition is cleared away, as by any run.

    Raises:
        NotebookError: another run has the edition.
    """
    if (record := read_record(job.private)) is None:
        return None
    with hold_edition(job):
        stale = find_stale(job, catalogue.study(job.study), fingerprint_notebooks(job, catalogue))
    return None if stale else record
