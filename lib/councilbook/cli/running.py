"""The command that runs studies, and what it prints while and after it does."""

import os
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
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
    tell_old_outputs,
)

if TYPE_CHECKING:
    from councilbook.catalogue import Catalogue
    from councilbook.gate.editions import Edition
    from councilbook.running.jobs import JobResult
    from councilbook.running.run import OnEvent

OUTCOMES = {"made": "[green]made[/]", "unchanged": "nothing changed", "failed": "[bold red]FAILED[/]"}


@app.command(
    epilog=list_examples(
        ("councilbook run", "Every study on its sample."),
        ("councilbook run fuel_poverty --data real --mirror ../files", "One study on the official files."),
        ("councilbook run fuel_poverty --council E06000047", "Another council: County Durham."),
        ("councilbook run --council doncaster,E08000018+E08000016 --jobs 1", "One council after the other."),
        ("councilbook run fuel_poverty -p seed=7 -p model_year=2021", "Other parameters."),
        (
            "councilbook run careers --council england --scheduler tcp://10.0.0.5:8786",
            "All English councils, on a cluster.",
        ),
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
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="A Dask cluster to run on, as tcp://host:8786. Closed files never go there."
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Run even where nothing has changed.")] = False,
    allow_stand_ins: StandIns = False,
) -> None:
    """Run studies end to end: notebooks, datasets, report.

    What has not changed is not run again. A notebook that fails leaves the last good outputs alone; the exit code is
    1. Where a closed file is missing, or has too few records, the page leaves that part out and says so: 3.
    """
    from councilbook.running.jobs import plan_jobs
    from councilbook.running.run import run_all

    catalogue = open_catalogue(studies, council)
    planned = plan_jobs(
        catalogue,
        studies or [],
        council or [],
        today=read_clock(),
        run_date=run_date,
        mode=data,
        mirror=mirror,
        parameters=parameter or [],
        force=force,
        stand_ins=allow_stand_ins,
    )
    console = make_console()
    tell_old_outputs(catalogue)
    with _show_progress(console) as show:
        results = run_all(catalogue, planned, jobs, show, scheduler)
    print_results(console, catalogue, results)


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


def print_results(console: Console, catalogue: "Catalogue", results: Sequence["JobResult"]) -> None:
    """Print what came of each job, then where things are; exit with 1 if one failed, with 3 if a part was left out."""
    table = make_table("", "Study", "Council", "Data", "Result", "Seconds")
    for result in results:
        edition = result.edition
        seconds = f"{result.seconds:.1f}"
        table.add_row(edition.study, edition.council.slug, edition.mode, _describe_outcome(result), seconds)
    console.print(table)
    for result in results:
        if result.outcome == "made":
            _print_made(console, catalogue, result.edition, result.left_out)
        for name, why in result.left_out.items():
            console.print(f"\n[bold]{result.edition.name}: {name} is left out[/]", soft_wrap=True)
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
    datasets = [catalogue.dataset(name) for name in releases if name not in left_out]
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
