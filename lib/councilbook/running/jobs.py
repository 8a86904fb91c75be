"""Jobs: which editions are to be made and with what, and how each ends."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from councilbook.catalogue import Catalogue, Council, Finder, Mode
from councilbook.catalogue.councils import COUNTY, NATIONS, read_authorities
from councilbook.errors import CatalogueError, CouncilbookError, ParameterError
from councilbook.gate.disks import describe_os_error
from councilbook.gate.editions import Edition, LeftOut
from councilbook.paths import Workbook
from councilbook.running.parameters import (
    Parameter,
    Value,
    inspect_study,
    merge_parameters,
    parse_parameters,
    parse_run_date,
)


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

    def make_finder(self, catalogue: Catalogue) -> Finder:
        """Return what finds its sources."""
        return Finder(catalogue, self.mode, self.council, self.seed, self.mirror, self.stand_ins)


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
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)  # by notebook or dataset; the rest was made


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
    if Path(text).suffix.lower() in (".txt", ".csv"):
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
    rows = 0
    for row, line in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            text = line.decode("utf-8-sig")
            name = [*next(csv.reader([text]), []), ""][0].strip()
            if text.strip(" ,\t") and not name.startswith("#"):
                yield catalogue.council(name)
                rows += 1
        except UnicodeDecodeError:
            raise CatalogueError(f"{file}, row {row}: it is no UTF-8. Save the list anew as CSV UTF-8.") from None
        except CatalogueError as error:
            raise CatalogueError(f"{file}, row {row}: {error}") from None
    if not rows:
        raise CatalogueError(f"{file} names no council. Write a name or GSS code on each line.")


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


def describe_error(error: Exception, workbook: Workbook) -> str:
    """Say what stopped a job, in words that may be printed."""
    if isinstance(error, CouncilbookError):
        return str(error)
    known = describe_os_error(error, workbook) if isinstance(error, OSError) else None
    return known or f"{type(error).__name__}: {error}"
