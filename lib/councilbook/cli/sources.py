"""The commands about what comes in: list, fetch, check, columns and example."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from councilbook.cli.base import (
    Councils,
    Data,
    Mirror,
    StandIns,
    Studies,
    app,
    list_examples,
    make_console,
    make_table,
    open_catalogue,
    read_clock,
)
from councilbook.errors import CouncilbookError, ParameterError

if TYPE_CHECKING:
    from councilbook.catalogue import Catalogue, Council, Source


@app.command(
    "list", epilog=list_examples(("councilbook list", "All there is."), ("councilbook list fuel_poverty", "One study."))
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

    catalogue = open_catalogue(studies)
    chosen = [catalogue.study(study) for study in studies or catalogue.studies]
    console = make_console()
    table = make_table("Studies", "Study", "Title", "Question", "Default council", "Notebooks")
    for spec in chosen:
        table.add_row(spec.id, spec.title, spec.question, spec.default_council, "\n".join(spec.notebooks))
    console.print(table)
    table = make_table(
        "Places of several councils (one council goes by its name, or by its GSS code)", "Council", "Name", "Codes"
    )
    for council in catalogue.councils.values():
        table.add_row(council.slug, council.name, " ".join(council.codes))
    console.print(table)
    for spec in chosen:
        table = make_table(f"Parameters of {spec.id}", "Parameter", "Default", "Expected", "Meaning")
        declared = inspect_study(catalogue.workbook.notebooks / spec.id, spec)
        for known in merge_parameters(declared).values():
            limits = spec.parameters.get(known.name, NO_LIMITS)
            expected = describe_expected(known.kind, limits)
            table.add_row(known.name, format_value(known.default), expected, escape(known.comment))
        console.print(table)
    for spec in chosen:
        table = make_table(f"Sources of {spec.id}", "Source", "Title", "Spectrum", "Official file", "Mirror", "Twin")
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
    epilog=list_examples(
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
    from councilbook.running.sources import list_study_sources

    catalogue = open_catalogue(studies)
    sources: dict[str, tuple[Source, Council]] = {}
    for study in studies or catalogue.studies:
        council = catalogue.council(catalogue.study(study).default_council)
        for source in list_study_sources(catalogue, study):
            if source.spectrum == "open" and source.format != "none":
                sources[source.id] = source.for_council(council), council
    console = make_console()
    if list_only:
        _list_by_hand(console, catalogue, [pair for pair in sources.values() if not pair[0].url])
        return
    by_hand, failed = _fetch_each(console, catalogue, [source for source, _ in sources.values()])
    if by_hand:
        has, them = ("file has", "it") if len(by_hand) == 1 else ("files have", "them")
        way = f"`councilbook fetch --list` says how to get {them}, and checks {them}."
        console.print(f"\n{len(by_hand)} {has} no stable address. {way}", soft_wrap=True)
    if failed:
        console.print("\n[bold]Could not be fetched:[/]")
        for text in failed:
            console.print(Text(f"- {text}"), soft_wrap=True)
        raise typer.Exit(1)


def _fetch_each(console: Console, catalogue: "Catalogue", sources: "Sequence[Source]") -> tuple[list[str], list[str]]:
    """Fetch files one after another; return the ids of those to get by hand, and what could not be fetched and why."""
    from councilbook.catalogue import describe_manual_way, raw_path
    from councilbook.catalogue.fetching import find_unreachable, name_host

    by_hand: list[str] = []
    failed: list[str] = []
    absent = [one.url for one in sources if one.url and not raw_path(one, catalogue.workbook).is_file()]
    away = find_unreachable(absent)
    left: dict[str, list[str]] = {host: [] for host in away}
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for source in sources:
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
    return by_hand, failed


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
    from councilbook.catalogue import raw_path
    from councilbook.catalogue.fetching import fetch

    def show(done: int, total: int | None) -> None:
        progress.update(task, completed=done, total=total)

    target = raw_path(source, catalogue.workbook)
    was_there = target.is_file()
    if not source.url and not was_there:
        return None
    fetch(source, catalogue.workbook, show)
    return f"{'there' if was_there else '[green]fetched[/]'}, {escape(str(target))}"


@app.command(
    epilog=list_examples(
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

    catalogue = open_catalogue(studies, council)
    console = make_console()
    faults = 0
    for study in studies or catalogue.studies:
        spec = catalogue.study(study)
        seed = int(merge_parameters(inspect_study(catalogue.workbook.notebooks / study, spec))["seed"].default)
        for chosen in choose_councils(catalogue, council or [spec.default_council]):
            table = make_table(f"{study}, {chosen.name}, {data} data", "Kind", "Name", "Result", "Detail")
            with console.status(f"Checking {study} for {chosen.name}"):
                lines = check_everything(
                    catalogue, spec, chosen, data, mirror, seed, read_clock(), stand_ins=allow_stand_ins
                )
                for line in lines:
                    faults += not line.ok
                    verdict = "[green]ok[/]" if line.ok else "[bold red]FAULT[/]"
                    table.add_row(line.kind, line.name, verdict, escape(line.detail))
            console.print(table)
    if faults:
        raise typer.Exit(1)


@app.command(
    epilog=list_examples(
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

    catalogue = open_catalogue([study], council)
    spec = catalogue.study(study)
    console = make_console()
    faults = 0
    for chosen in choose_councils(catalogue, council or [spec.default_council]):
        finder = Finder(catalogue, "real", chosen, 0, mirror)
        for found, file, inspection in inspect_columns(catalogue, spec, finder, source, read_clock(), afresh=force):
            title = f"{found.source.id}, {chosen.name}: {found.path.name}"
            table = make_table(title, "Header", "Read as", "How it was found", "Cells that fit", "Note")
            for header, target, how, fits, note in inspection.list_rows():
                table.add_row(*map(escape, (header, target, how, fits, note)))
            console.print(table if table.rows else Text(f"{title}: no column of it can be shown."))
            for line in [*inspection.list_codes(), inspection.result, *inspection.warnings]:
                console.print(Text(line), soft_wrap=True)
            if inspection.fault:
                faults += 1
                console.print(Text(f"A run stops here: {inspection.fault}", "red"), soft_wrap=True)
            if not inspection.mapping:  # the file itself is at fault
                console.print(Text(f"{file}: not written, as there is no column to correct in it."), soft_wrap=True)
                continue
            is_new = write_mapping(file, inspection, found.path.name, force=force)
            told = "written; correct it there" if is_new else "there already and left alone (--force writes it anew)"
            console.print(Text(f"{file}: {told}"), soft_wrap=True)
    if faults:
        raise typer.Exit(1)


@app.command(
    epilog=list_examples(
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

    catalogue = open_catalogue(None)
    able = {one.id: one for one in choose_laid_out(catalogue.sources.values())}
    if unknown := [name for name in sources or [] if name not in able]:
        raise ParameterError(f"{unknown[0]} is no closed source with declared columns.{suggest(unknown[0], able)}")
    chosen = [able[name] for name in sources or able]
    if not force and (there := [to / name_example(one) for one in chosen if (to / name_example(one)).exists()]):
        raise ParameterError(f"{there[0]} is there already; --force writes over it. Nothing was written.")
    console = make_console()
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
