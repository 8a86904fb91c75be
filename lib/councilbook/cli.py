"""The command line.

Nothing of the library that takes its time to import (pandas, papermill, nbconvert) is imported at the top: each
command imports what it needs, so that `--help` answers at once.
"""

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from councilbook import __version__
from councilbook.errors import CatalogueError, CouncilbookError, NotebookError, ParameterError

if TYPE_CHECKING:
    from councilbook.catalogue import Catalogue, Council, Source
    from councilbook.gate.editions import Edition
    from councilbook.running.jobs import JobResult
    from councilbook.running.run import OnEvent

PIPED_WIDTH = 140  # where there is no terminal, as in a CI log
OUTCOMES = {"made": "[green]made[/]", "unchanged": "nothing changed", "failed": "[bold red]FAILED[/]"}


class _Commands(TyperGroup):
    """The commands; an error that the user can mend becomes one paragraph, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CouncilbookError as error:
            Console(stderr=True).print(Text(f"Error: {error}", "red"), soft_wrap=True)
            raise typer.Exit(2 if isinstance(error, ParameterError) else 1) from None
        except KeyboardInterrupt:
            Console(stderr=True).print("Stopped.")
            raise


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    help="Run the studies of the council workbook: from official files to maps, models, open data and reports.",
    epilog="Each command has examples: [bold]councilbook run --help[/]",
)


def _complete_study(begun: str) -> list[str]:
    """List the studies whose ids begin so, for the shell."""
    from councilbook.paths import find_workbook

    found = (file.parent.name for file in find_workbook().notebooks.glob("*/study.yaml"))
    return sorted(name for name in found if name.startswith(begun))


Studies = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STUDY", help="Studies by id (see `list`). None given: all.", autocompletion=_complete_study
    ),
]
Councils = Annotated[
    list[str] | None,
    typer.Option(
        "--council",
        metavar="NAME_OR_CODES",
        help="A name, or GSS codes joined by +. Several: repeat it, or put commas between.",
    ),
]
Data = Annotated[
    Literal["sample", "real"],
    typer.Option(help="sample: synthetic twins, no network. real: the official files; closed ones where they are."),
]
Mirror = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, resolve_path=True, help="Folder with copies of official files."),
]


StandIns = Annotated[
    bool,
    typer.Option(
        "--allow-stand-ins",
        help="Where a closed file is missing in a real run, read what the council has published, or a synthetic twin.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"councilbook {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that go before a command."""


def _examples(*lines: tuple[str, str]) -> str:
    """Write a command's examples for the foot of its help."""
    return "\n".join(["[bold]Examples[/]", *(f"[cyan]{escape(command)}[/]\n  {what}" for command, what in lines)])


@app.command(
    epilog=_examples(
        ("councilbook run", "Every study on its sample."),
        ("councilbook run fuel_poverty --data real --mirror ../files", "One study on the official files."),
        ("councilbook run fuel_poverty --council E06000047", "Another council: County Durham."),
        ("councilbook run --council doncaster,E08000018+E08000016 --jobs 1", "One council after the other."),
        ("councilbook run fuel_poverty -p seed=7 -p model_year=2021", "Other parameters."),
    )
)
def run(
    studies: Studies = None,
    council: Councils = None,
    data: Data = "sample",
    mirror: Mirror = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A notebook's parameter (see `list`)."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(min=1, help="How many councils, or notebooks of one, to run at a time; more need more memory."),
    ] = min(2, os.cpu_count() or 1),
    run_date: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Date on what is made. Not given: today.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run even where nothing has changed.")] = False,
    allow_stand_ins: StandIns = False,
) -> None:
    """Run studies end to end: notebooks, datasets, report.

    What has not changed is not run again. A notebook that fails leaves the last good outputs alone; the exit code is
    1. Where a closed file is missing, or has too few records, the page leaves that part out and says so: 3.
    """
    from councilbook.running.jobs import plan_jobs
    from councilbook.running.run import run_all

    catalogue = _open_catalogue(studies, council)
    planned = plan_jobs(
        catalogue,
        studies or [],
        council or [],
        today=_read_clock(),
        run_date=run_date,
        mode=data,
        mirror=mirror,
        parameters=parameter or [],
        force=force,
        stand_ins=allow_stand_ins,
    )
    console = _make_console()
    _tell_old_outputs(catalogue)
    with _show_progress(console) as show:
        results = run_all(catalogue, planned, jobs, show)
    _print_results(console, catalogue, results)


@app.command(
    "list", epilog=_examples(("councilbook list", "All there is."), ("councilbook list fuel_poverty", "One study."))
)
def list_all(studies: Studies = None) -> None:
    """Show studies, councils, parameters and sources."""
    from councilbook.running.parameters import (
        NO_LIMITS,
        describe_expected,
        format_value,
        inspect_study,
        merge_parameters,
    )

    catalogue = _open_catalogue(studies)
    chosen = [catalogue.study(study) for study in studies or catalogue.studies]
    console = _make_console()
    table = _make_table("Studies", "Study", "Title", "Question", "Default council", "Notebooks")
    for spec in chosen:
        table.add_row(spec.id, spec.title, spec.question, spec.default_council, "\n".join(spec.notebooks))
    console.print(table)
    table = _make_table(
        "Places of several councils (one council goes by its name, or by its GSS code)", "Council", "Name", "Codes"
    )
    for council in catalogue.councils.values():
        table.add_row(council.slug, council.name, " ".join(council.codes))
    console.print(table)
    for spec in chosen:
        table = _make_table(f"Parameters of {spec.id}", "Parameter", "Default", "Expected", "Meaning")
        declared = inspect_study(catalogue.workbook.notebooks / spec.id, spec)
        for known in merge_parameters(declared).values():
            limits = spec.parameters.get(known.name, NO_LIMITS)
            expected = describe_expected(known.kind, limits)
            table.add_row(known.name, format_value(known.default), expected, escape(known.comment))
        console.print(table)
    for spec in chosen:
        table = _make_table(f"Sources of {spec.id}", "Source", "Title", "Spectrum", "Official file", "Mirror", "Twin")
        for source in catalogue.sources_of(spec.id):
            where = "by hand" if source.spectrum == "open" else f"closed folder, {source.file}"
            official = "URL" if source.url else where
            if source.format == "none":
                official = "not read yet"
            copies = [source.mirror, *(own.mirror for own in source.councils.values())]
            marks = ["yes" if there else "no" for there in (any(copies), source.twin)]
            table.add_row(source.id, source.title, source.spectrum, official, *marks)
        console.print(table)


@app.command(
    epilog=_examples(
        ("councilbook fetch", "The official files of every study."),
        ("councilbook fetch fuel_poverty", "Those of one study."),
        ("councilbook fetch --list", "What has to be fetched by hand: from where, under which name, and is it right?"),
    )
)
def fetch(
    studies: Studies = None,
    list_only: Annotated[
        bool,
        typer.Option("--list", help="Fetch nothing: say which files to fetch by hand, and check those there."),
    ] = False,
) -> None:
    """Download official files into data/raw.

    What is there already is checked and left alone; a download that was cut off goes on where it stopped.
    """
    from councilbook.catalogue import describe_manual_way, find_unreachable, name_host, raw_path
    from councilbook.running.jobs import list_study_sources

    catalogue = _open_catalogue(studies)
    sources: dict[str, tuple[Source, Council]] = {}
    for study in studies or catalogue.studies:
        council = catalogue.council(catalogue.study(study).default_council)
        for source in list_study_sources(catalogue, study):
            if source.spectrum == "open" and source.format != "none":
                sources[source.id] = source.for_council(council), council
    console = _make_console()
    if list_only:
        _list_by_hand(console, catalogue, [pair for pair in sources.values() if not pair[0].url])
        return
    by_hand: list[str] = []
    failed: list[str] = []
    absent = [one.url for one, _ in sources.values() if one.url and not raw_path(one, catalogue.workbook).is_file()]
    away = find_unreachable(absent)
    left: dict[str, list[str]] = {host: [] for host in away}
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for source, _ in sources.values():
            if source.url in absent and (host := name_host(source.url)) in away:
                left[host].append(source.id)
                continue
            task = progress.add_task(source.id, total=None)
            try:
                line = _fetch_one(catalogue, source, progress, task)
            except CouncilbookError as error:
                failed.append(f"{error} By hand: {describe_manual_way(source, catalogue.workbook)}")
                line = "[bold red]FAILED[/]"
            if line is None:
                by_hand.append(source.id)
                line = "by hand"
            progress.remove_task(task)
            console.print(f"{source.id}: {line}", soft_wrap=True)
    failed += [
        f"{host} cannot be reached: {away[host]}. {len(names)} file{'s' * (len(names) > 1)}: {', '.join(names)}."
        for host, names in left.items()
    ]
    if by_hand:
        has, them = ("file has", "it") if len(by_hand) == 1 else ("files have", "them")
        way = f"`councilbook fetch --list` says how to get {them}, and checks {them}."
        console.print(f"\n{len(by_hand)} {has} no stable address. {way}", soft_wrap=True)
    if failed:
        console.print("\n[bold]Could not be fetched:[/]")
    for text in failed:
        console.print(Text(f"- {text}"), soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _list_by_hand(console: Console, catalogue: "Catalogue", sources: "Sequence[tuple[Source, Council]]") -> None:
    """Say of each file that a person has to fetch what it is, from where, and under which name; check those there."""
    from councilbook.catalogue import Finder
    from councilbook.running.checking import check_by_hand

    faults = 0
    for source, council in sources:
        line = check_by_hand(Finder(catalogue, "real", council, 0), source)
        faults += not line.ok
        edition = f", {source.edition}" if source.edition else ""
        console.print(f"\n[bold]{escape(source.title + edition)}[/]", soft_wrap=True)
        for text in (f"From: {source.publisher}, {source.landing_page}", line.name, line.detail):
            console.print(Text(f"  {text}"), soft_wrap=True)
    if faults:
        raise typer.Exit(1)


def _fetch_one(catalogue: "Catalogue", source: "Source", progress: Progress, task: TaskID) -> str | None:
    """Fetch one file and say where it is; None if it has no URL and is not there."""
    from councilbook.catalogue import fetch, raw_path

    def show(done: int, total: int | None) -> None:
        progress.update(task, completed=done, total=total)

    target = raw_path(source, catalogue.workbook)
    was_there = target.is_file()
    if not source.url and not was_there:
        return None
    fetch(source, catalogue.workbook, show)
    return f"{'there' if was_there else '[green]fetched[/]'}, {escape(str(target))}"


@app.command(
    epilog=_examples(
        ("councilbook check", "The samples of every study."),
        ("councilbook check fuel_poverty --data real", "The official files, and what was released."),
    )
)
def check(
    studies: Studies = None,
    council: Councils = None,
    data: Data = "sample",
    mirror: Mirror = None,
    allow_stand_ins: StandIns = False,
) -> None:
    """Check every source and released dataset against its declared fields."""
    from councilbook.running.checking import check_everything
    from councilbook.running.jobs import choose_councils
    from councilbook.running.parameters import inspect_study, merge_parameters

    catalogue = _open_catalogue(studies, council)
    console = _make_console()
    faults = 0
    for study in studies or catalogue.studies:
        spec = catalogue.study(study)
        seed = int(merge_parameters(inspect_study(catalogue.workbook.notebooks / study, spec))["seed"].default)
        for chosen in choose_councils(catalogue, council or [spec.default_council]):
            table = _make_table(f"{study}, {chosen.name}, {data} data", "Kind", "Name", "Result", "Detail")
            with console.status(f"Checking {study} for {chosen.name}"):
                lines = check_everything(
                    catalogue, spec, chosen, data, mirror, seed, _read_clock(), stand_ins=allow_stand_ins
                )
                for line in lines:
                    faults += not line.ok
                    verdict = "[green]ok[/]" if line.ok else "[bold red]FAULT[/]"
                    table.add_row(line.kind, line.name, verdict, escape(line.detail))
            console.print(table)
    if faults:
        raise typer.Exit(1)


@app.command(
    epilog=_examples(
        ("councilbook columns business_rates", "The columns of every closed file of the study that is there."),
        (
            "councilbook columns business_rates rates_ledger --force",
            "Guess again, and write the file of one anew.",
        ),
    )
)
def columns(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study by id (see `list`).")],
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help="One of its sources. None given: all.")] = None,
    council: Councils = None,
    mirror: Mirror = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Guess again and write the file anew; the one that is there is kept as .before."),
    ] = False,
) -> None:
    """Show what each column and code of a council's own file is taken for, and write the file to correct it in.

    It is columns_SOURCE.yaml in the closed folder (COUNCILBOOK_CLOSED), and the next run goes by it. No cell is shown.
    """
    from councilbook.catalogue import Finder
    from councilbook.running.checking import inspect_columns
    from councilbook.running.jobs import choose_councils
    from councilbook.sources.mappings import write_mapping

    catalogue = _open_catalogue([study], council)
    spec = catalogue.study(study)
    console = _make_console()
    faults = 0
    for chosen in choose_councils(catalogue, council or [spec.default_council]):
        finder = Finder(catalogue, "real", chosen, 0, mirror)
        for found, file, inspection in inspect_columns(catalogue, spec, finder, source, _read_clock(), afresh=force):
            title = f"{found.source.id}, {chosen.name}: {found.path.name}"
            table = _make_table(title, "Header", "Read as", "How it was found", "Cells that fit", "Note")
            for header, target, how, fits, note in inspection.list_rows():
                table.add_row(*map(escape, (header, target, how, fits, note)))
            console.print(table)
            for line in [*inspection.list_codes(), inspection.result, *inspection.warnings]:
                console.print(Text(line), soft_wrap=True)
            if inspection.fault:
                faults += 1
                console.print(Text(f"A run stops here: {inspection.fault}", "red"), soft_wrap=True)
            is_new = write_mapping(file, inspection, found.path.name, force=force)
            told = "written; correct it there" if is_new else "there already and left alone (--force writes it anew)"
            console.print(Text(f"{file}: {told}"), soft_wrap=True)
    if faults:
        raise typer.Exit(1)


@app.command(
    epilog=_examples(
        ("councilbook example kid_households", "An example of one closed file, in this folder."),
        ("councilbook example --to ../examples", "One of every closed and shared source."),
    )
)
def example(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Closed sources by id (see `list`). None given: all.")
    ] = None,
    to: Annotated[Path, typer.Option(file_okay=False, help="Folder to write into.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write an example of a closed file: its header, and invented rows to put your own in the place of."""
    from councilbook.errors import suggest
    from councilbook.paths import write_atomically
    from councilbook.sources.layouts import choose_laid_out, name_example, write_example

    catalogue = _open_catalogue(None)
    able = {one.id: one for one in choose_laid_out(catalogue.sources.values())}
    if unknown := [name for name in sources or [] if name not in able]:
        raise ParameterError(f"{unknown[0]} is no closed source with declared columns.{suggest(unknown[0], able)}")
    chosen = [able[name] for name in sources or able]
    if not force and (there := [to / name_example(one) for one in chosen if (to / name_example(one)).exists()]):
        raise ParameterError(f"{there[0]} is there already; --force writes over it. Nothing was written.")
    console = _make_console()
    for one in chosen:
        with write_atomically(to / name_example(one)) as temporary:
            temporary.write_text(write_example(one), encoding="utf-8", newline="\n")
        own = [study for study in catalogue.studies if one in catalogue.sources_of(study)]
        console.print(
            f"[bold]{escape(str(to / name_example(one)))}[/]: {escape(one.title)}. Put your rows in the place of the "
            f"invented ones, save it in the closed folder as {one.file.replace('.', '_COUNCIL.', 1)}, and run "
            f"`councilbook columns {' '.join(own[:1])} {one.id}`.",
            soft_wrap=True,
        )


@app.command(
    epilog=_examples(
        ("councilbook report", "Every report there is."),
        ("councilbook report fuel_poverty --council kent_medway", "One report."),
        ("councilbook report --pdf", "Every report, and beside each page a tagged PDF of it."),
    )
)
def report(
    studies: Studies = None,
    council: Councils = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each to report.pdf too, by the Chromium, Chrome or Edge that is there.")
    ] = False,
) -> None:
    """Render reports again from their last run, without running a notebook."""
    from councilbook.pages.reports.pdf import find_browser
    from councilbook.running.run import rerender

    catalogue = _open_catalogue(studies, council)
    _tell_old_outputs(catalogue)
    browser = find_browser() if pdf else None
    results = rerender(catalogue, studies or [], council or [], browser)
    if not results:
        raise NotebookError("There is no report to render: nothing has been run. Run it first: councilbook run.")
    _print_results(_make_console(), catalogue, results)


@app.command(
    "open",
    epilog=_examples(
        ("councilbook open", "The first page of the site."),
        ("councilbook open fuel_poverty", "The report of one study, for its own council."),
        ("councilbook open fuel_poverty --council Thanet --data sample", "The sample of another council."),
    ),
)
def open_page(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="A study by id. None given: the site.", autocompletion=_complete_study),
    ] = None,
    council: Annotated[str | None, typer.Option(metavar="NAME_OR_CODES", help="A name, or GSS codes.")] = None,
    data: Annotated[
        Literal["sample", "real"] | None, typer.Option(help="Not given: the real report if there is one.")
    ] = None,
) -> None:
    """Open the site, or a report, in the browser."""
    import webbrowser

    from councilbook.paths import place_outputs

    catalogue = _open_catalogue([study] if study else None, [council] if council else None)
    site = catalogue.workbook.reports
    pages = [site / "index.html"]
    if study:
        chosen = catalogue.council(council or catalogue.study(study).default_council)
        modes = [data] if data else ["real", "sample"]
        pages = [site / place_outputs(study, chosen.slug, mode) / "index.html" for mode in modes]
    elif council or data:
        raise ParameterError("Say of which study the report is: councilbook open STUDY.")
    page = next((page for page in pages if page.exists()), None)
    if page is None:
        raise NotebookError(f"There is no page at {' or '.join(map(str, pages))}. Run it first: councilbook run.")
    is_open = webbrowser.open(page.as_uri())
    _make_console().print(Text(f"{'Opened' if is_open else 'No browser was found. Open'} {page}"), soft_wrap=True)


@app.command(
    epilog=_examples(
        ("councilbook release --review", "What waits for approval, first; and what was approved."),
        (
            'councilbook release --accept culture/hackney/notice --role "Head of museums" --by "A. Name"',
            "Accept an open point of a study's ethics canvas, for one council.",
        ),
        (
            "councilbook release --approve business_rates/bradford/real/open_rates_register@1.0.0 "
            '--role "Information governance lead" --by "A. Name"',
            "Approve one release.",
        ),
    )
)
def release(
    review: Annotated[bool, typer.Option("--review", help="List every release with its state (the default).")] = False,
    approve: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="Approve this release, named as the review lists it.")
    ] = None,
    accept: Annotated[
        str | None, typer.Option(metavar="STUDY/COUNCIL/POINT", help="Accept a point of a study's ethics canvas.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="The role in which it is approved or accepted.")] = None,
    by: Annotated[str | None, typer.Option(help="Who approves; kept in a private list, never published.")] = None,
) -> None:
    """Review what was released, and approve what waits.

    Data made beside real closed or shared sources are not offered for download until they are approved.
    """
    from councilbook.gate.approvals import approve_release, list_releases
    from councilbook.gate.ethics.points import accept_point
    from councilbook.running.run import rerender

    catalogue = _open_catalogue(None)
    _tell_old_outputs(catalogue)
    console = _make_console()
    if (approve or accept) and not (role and by):
        raise ParameterError("An approval needs --role and --by: the role it is given in, and who gives it.")
    if accept and role and by:
        point = accept_point(catalogue, accept, role=role, person=by, day=_read_clock())
        console.print(f"{point.key}: [green]accepted[/] by {escape(role)}. Run the study again.", soft_wrap=True)
    if approve and role and by:
        approved = approve_release(catalogue, approve, role=role, person=by, day=_read_clock())
        console.print(f"{approved.name}: [green]approved[/] by {escape(role)}", soft_wrap=True)
        rerender(catalogue, [approved.edition.study], [approved.edition.council.slug])
    if (approve or accept) and not review:
        return
    _print_points(console, catalogue)
    releases = list(list_releases(catalogue))
    for one in (one for one in releases if one.approval["state"] == "waiting"):
        console.print(f"\n[bold yellow]Waits for the {escape(one.approval['role'])}:[/] {one.name}", soft_wrap=True)
        console.print(Text(f"  Look at {one.folder}, and at {one.review}, which must not leave. Then:"), soft_wrap=True)
        way = f'councilbook release --approve {one.name} --role "{one.approval["role"]}" --by "YOUR NAME"'
        console.print(Text(f"  {way}"), soft_wrap=True)
        if why := one.approval.get("why"):
            console.print(Text(f"  {why}"), soft_wrap=True)
    table = _make_table("Released datasets", "Release", "Approval", "Rule", "Cells suppressed", "Made beside")
    for one in sorted(releases, key=lambda one: one.approval["state"] != "waiting"):
        beside = ", ".join(one.audit["guarded_sources"]) or "open sources alone"
        suppressed = f"{one.audit['cells_suppressed']:,}"
        table.add_row(one.name, _describe_approval(one.approval), one.audit["rule"] or "none", suppressed, beside)
    console.print(table)


def _print_points(console: Console, catalogue: "Catalogue") -> None:
    """Print the points of each study's ethics canvas, for the council of its case study."""
    from councilbook.gate.ethics.points import list_points

    for study in catalogue.canvases:
        council = catalogue.council(catalogue.study(study).default_council)
        table = _make_table(f"Data ethics canvas of {study}, {council.name}", "Point", "Question", "State", "Role")
        for one in list_points(catalogue, study, council):
            table.add_row(one.key, escape(one.point.question), escape(one.told), escape(one.point.by))
        console.print(table)


def _describe_approval(approval: Mapping[str, str]) -> str:
    match approval["state"]:
        case "waiting":
            return f"[bold yellow]waits for {escape(approval['role'])}[/]"
        case "approved":
            return f"[green]approved[/] by {escape(approval['role'])}, {approval['date']}"
        case state:
            return state


def _open_catalogue(studies: Sequence[str] | None, councils: Sequence[str] | None = None) -> "Catalogue":
    """Read the catalogue, and take a study or a council that is not in it for wrong usage."""
    from councilbook.catalogue import load_catalogue
    from councilbook.paths import find_workbook
    from councilbook.running.jobs import choose_councils

    catalogue = load_catalogue(find_workbook())
    try:
        for study in studies or []:
            catalogue.study(study)
        choose_councils(catalogue, councils or [])
    except CatalogueError as error:
        raise ParameterError(str(error)) from None
    return catalogue


def _tell_old_outputs(catalogue: "Catalogue") -> None:
    from councilbook.gate.editions import describe_old_outputs

    if told := describe_old_outputs(catalogue.workbook):
        Console(stderr=True).print(Text(told, "yellow"), soft_wrap=True)


def _read_clock() -> str:
    """Return today's date: the library's only look at a clock."""
    return datetime.now().astimezone().date().isoformat()


def _make_console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def _make_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


@contextmanager
def _show_progress(console: Console) -> Iterator["OnEvent"]:
    """Yield what shows events: a line a notebook that moves on a terminal, plain lines elsewhere."""
    from councilbook.running.jobs import JobResult, Note, Step

    tasks: dict[tuple[str, str], TaskID] = {}
    shown: set[tuple[str, str]] = set()
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def show(event: Step | Note | JobResult) -> None:
            if isinstance(event, Note):
                console.print(f"{event.job.name}: {escape(event.text)}", soft_wrap=True)
                return
            if isinstance(event, JobResult):
                name = event.edition.name
                for step in [step for step in tasks if step[0] == name]:
                    progress.remove_task(tasks.pop(step))
                console.print(f"{name}: {_describe_outcome(event)}")
                return
            step = event.job.name, event.what
            if not console.is_terminal:
                if step not in shown:
                    console.print(": ".join(step))
                shown.add(step)
                return
            if step not in tasks:
                tasks[step] = progress.add_task("  ".join(step), count="")
            of = f" of {event.total:,}" if event.total else ""
            count = f"{event.unit} {event.done:,}{of}"
            progress.update(tasks[step], completed=event.done, total=event.total, count=count)
            if event.done == event.total:
                progress.remove_task(tasks.pop(step))

        yield show


def _describe_outcome(result: "JobResult") -> str:
    since = f" since {result.since}" if result.since else ""
    without = f", without {' and '.join(result.left_out)}" if result.left_out else ""
    return f"{OUTCOMES[result.outcome]}{since}{without}"


def _print_results(console: Console, catalogue: "Catalogue", results: Sequence["JobResult"]) -> None:
    """Print what came of each job, then where things are; exit with 1 if one failed, with 3 if a part was left out."""
    table = _make_table("", "Study", "Council", "Data", "Result", "Seconds")
    for result in results:
        edition = result.edition
        seconds = f"{result.seconds:.1f}"
        table.add_row(edition.study, edition.council.slug, edition.mode, _describe_outcome(result), seconds)
    console.print(table)
    for result in results:
        if result.outcome == "made":
            _print_made(console, catalogue, result.edition, result.left_out)
        for notebook, why in result.left_out.items():
            console.print(f"\n[bold]{result.edition.name}: {notebook} is left out[/]", soft_wrap=True)
            console.print(Text(why.reason), soft_wrap=True)
        if result.failure:
            _print_failure(console, result)
    index = catalogue.workbook.reports / "index.html"
    if index.exists():
        console.print(Text(f"\nOpen {index}"), soft_wrap=True)
    if any(result.failure for result in results):
        raise typer.Exit(1)
    if any(result.left_out for result in results):
        raise typer.Exit(3)


def _print_made(console: Console, catalogue: "Catalogue", edition: "Edition", left_out: Container[str]) -> None:
    notebooks = catalogue.study(edition.study).notebooks.items()
    console.print(f"\n[bold]{edition.name}[/]: datasets in {escape(str(edition.processed))}", soft_wrap=True)
    releases = [name for notebook, about in notebooks if notebook not in left_out for name in about.releases]
    datasets = [catalogue.dataset(name) for name in releases]
    for dataset in datasets:
        if dataset.is_open:
            console.print(f"- {dataset.id}")
    if restricted := [dataset for dataset in datasets if not dataset.is_open]:
        console.print(f"Not open, in {escape(str(edition.restricted))}", soft_wrap=True)
        for dataset in restricted:
            console.print(f"- {dataset.id} ({dataset.classification})")


def _print_failure(console: Console, result: "JobResult") -> None:
    failure = result.failure
    assert failure
    where = ", ".join(part for part in (failure.notebook, failure.cell) if part)
    console.print(
        f"\n[bold red]{result.edition.name} failed[/]{escape(f' in {where}') if where else ''}", soft_wrap=True
    )
    console.print(Text(failure.reason), soft_wrap=True)
    if failure.executed:
        console.print(Text(f"The executed notebook: {failure.executed}"), soft_wrap=True)
