"""The sources of a job: which they are, whether they are there and agreed to, and what is said of closed ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from councilbook.catalogue import Catalogue, Finder, Source, hash_file
from councilbook.errors import NotAgreedError, SourceError
from councilbook.gate.editions import LeftOut
from councilbook.gate.ethics.agreements import find_own_file, require_agreement
from councilbook.running.jobs import Job, Note, Step, Tell
from councilbook.running.parts import find_absent


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
    finder = job.make_finder(catalogue)
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
