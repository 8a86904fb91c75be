"""The commands about what came out: report, open and release."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from councilbook.cli.base import (
    Councils,
    Studies,
    app,
    complete_study,
    list_examples,
    make_console,
    make_table,
    open_catalogue,
    read_clock,
    tell_old_outputs,
)
from councilbook.cli.running import print_results
from councilbook.errors import NotebookError, ParameterError

if TYPE_CHECKING:
    from councilbook.catalogue import Catalogue


@app.command(
    epilog=list_examples(
        ("councilbook report", "Every report there is."),
        ("councilbook report fuel_poverty --council kent_medway --data real", "One report."),
        ("councilbook report --pdf", "Every report, and beside each page a tagged PDF of it."),
    )
)
def report(
    studies: Studies = None,
    council: Councils = None,
    data: Annotated[Literal["sample", "real"] | None, typer.Option(help="Not given: those of both.")] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each to report.pdf too, by the Chromium, Chrome or Edge that is there.")
    ] = False,
) -> None:
    """Render reports again from their last run, without running a notebook."""
    from councilbook.pages.reports.pdf import find_browser
    from councilbook.running.rendering import rerender

    catalogue = open_catalogue(studies, council)
    tell_old_outputs(catalogue)
    browser = find_browser() if pdf else None
    results = rerender(catalogue, studies or [], council or [], data, browser)
    if not results:
        raise NotebookError("There is no report to render: nothing has been run. Run it first: councilbook run.")
    print_results(make_console(), catalogue, results)


@app.command(
    "open",
    epilog=list_examples(
        ("councilbook open", "The first page of the site."),
        ("councilbook open fuel_poverty", "The report of one study, for its own council."),
        ("councilbook open fuel_poverty --council Thanet --data sample", "The sample of another council."),
    ),
)
def open_page(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="A study by id. None given: the site.", autocompletion=complete_study),
    ] = None,
    council: Annotated[str | None, typer.Option(metavar="NAME_OR_CODES", help="A name, or GSS codes.")] = None,
    data: Annotated[
        Literal["sample", "real"] | None, typer.Option(help="Not given: the real report if there is one.")
    ] = None,
) -> None:
    """Open the site, or a report, in the browser."""
    import webbrowser

    from councilbook.paths import place_outputs

    catalogue = open_catalogue([study] if study else None, [council] if council else None)
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
    make_console().print(Text(f"{'Opened' if is_open else 'No browser was found. Open'} {page}"), soft_wrap=True)


@app.command(
    epilog=list_examples(
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
    from councilbook.running.rendering import rerender

    catalogue = open_catalogue(None)
    tell_old_outputs(catalogue)
    console = make_console()
    if (approve or accept) and not (role and by):
        raise ParameterError("An approval needs --role and --by: the role it is given in, and who gives it.")
    if accept and role and by:
        point = accept_point(catalogue, accept, role=role, person=by, day=read_clock())
        console.print(f"{point.key}: [green]accepted[/] by {escape(role)}. Run the study again.", soft_wrap=True)
    if approve and role and by:
        approved = approve_release(catalogue, approve, role=role, person=by, day=read_clock())
        console.print(f"{approved.name}: [green]approved[/] by {escape(role)}", soft_wrap=True)
        rerender(catalogue, [approved.edition.study], [approved.edition.council.slug])
    if (approve or accept) and not review:
        return
    releases = list(list_releases(catalogue))
    _print_points(console, catalogue, {(one.edition.study, one.edition.council.slug) for one in releases})
    for one in (one for one in releases if one.approval["state"] == "waiting"):
        console.print(f"\n[bold yellow]Waits for the {escape(one.approval['role'])}:[/] {one.name}", soft_wrap=True)
        console.print(Text(f"  Look at {one.folder}, and at {one.review}, which must not leave. Then:"), soft_wrap=True)
        way = f'councilbook release --approve {one.name} --role "{one.approval["role"]}" --by "YOUR NAME"'
        console.print(Text(f"  {way}"), soft_wrap=True)
        if why := one.approval.get("why"):
            console.print(Text(f"  {why}"), soft_wrap=True)
    table = make_table("Released datasets", "Release", "Approval", "Rule", "Cells suppressed", "Made beside")
    for one in sorted(releases, key=lambda one: one.approval["state"] != "waiting"):
        beside = ", ".join(one.audit["guarded_sources"]) or "open sources alone"
        suppressed = f"{one.audit['cells_suppressed']:,}"
        table.add_row(one.name, _describe_approval(one.approval), one.audit["rule"] or "none", suppressed, beside)
    console.print(table)


def _print_points(console: Console, catalogue: "Catalogue", released: set[tuple[str, str]]) -> None:
    """Print the points of each study's ethics canvas, for the council of its case study and each with a release."""
    from councilbook.gate.ethics.points import list_points

    default = {(study, catalogue.study(study).default_council) for study in catalogue.canvases}
    for study, slug in sorted(default | {one for one in released if one[0] in catalogue.canvases}):
        council = catalogue.council(slug)
        table = make_table(f"Data ethics canvas of {study}, {council.name}", "Point", "Question", "State", "Role")
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
