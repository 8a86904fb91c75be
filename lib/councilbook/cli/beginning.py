"""The commands for those who begin: a study of their own, a workshop, and the documentation."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from councilbook.cli.base import app, complete_study, list_examples, make_console, open_catalogue, print_files


@app.command(
    epilog=list_examples(
        ("councilbook new road_repairs", "A study of that id: notebooks, catalogue, package and tests."),
        ('councilbook new parks --title "Parks and play"', "With a title of its own."),
    )
)
def new(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Its id: small letters, digits and _.")],
    title: Annotated[str, typer.Option(help="What pages call it. Not given: its id in words.")] = "",
) -> None:
    """Begin a study that runs, reports and passes its tests at once, to change bit by bit into your own."""
    from councilbook.commons.beginning import begin_study

    catalogue = open_catalogue(None)
    print_files(file.relative_to(catalogue.workbook.root) for file in begin_study(catalogue, study, title))
    make_console().print(f"\nRun it: [bold]councilbook run {study}[/]. docs/studies.md says what each file is for.")


@app.command(
    epilog=list_examples(
        ("councilbook workshop fuel_poverty", "Into the folder workshops/fuel_poverty."),
        ("councilbook workshop fuel_poverty --to ../tuesday", "Into another folder of the workbook's disk."),
    )
)
def workshop(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A study by id (see `list`).", autocompletion=complete_study)
    ],
    to: Annotated[Path | None, typer.Option(file_okay=False, help="Folder to write into.")] = None,
) -> None:
    """Make a workshop of a study: a notebook with exercises, its solutions, a facilitator's page and a handout."""
    from councilbook.commons.workshop import write_workshop

    catalogue = open_catalogue([study])
    print_files(write_workshop(catalogue, study, to or catalogue.workbook.root / "workshops" / study))


@app.command(epilog=list_examples(("councilbook docs", "Into the site: open reports/how-it-works/index.html.")))
def docs() -> None:
    """Write the documentation into the site: guides, registers of all studies, and the library's reference.

    The registers say what is assumed and checked, where methods come from, how closed files are laid out, and what each
    model is for. The reference needs griffe, which comes with the extra `docs`.
    """
    from councilbook.commons.registers import Setting, write_registers
    from councilbook.gate.editions import hold_site
    from councilbook.pages.docs.first_page import write_docs
    from councilbook.pages.page import DOCS
    from councilbook.pages.site import build_site
    from councilbook.running.parameters import COMMON, inspect_parameters

    catalogue = open_catalogue(None)
    workbook = catalogue.workbook
    settings = [
        Setting(study, notebook, one.name, one.default, one.comment)
        for study, spec in catalogue.studies.items()
        for notebook in spec.notebooks
        for one in inspect_parameters(workbook.notebooks / study / f"{notebook}.ipynb").values()
        if one.name not in COMMON
    ]
    with hold_site(workbook):
        has_reference = write_docs(workbook, lambda folder: write_registers(catalogue, settings, folder))
        build_site(catalogue)  # its first page leads there
    console = make_console()
    if not has_reference:
        console.print("Without the library's reference: pip install 'councilbook\\[docs]' adds it.")
    console.print(Text(f"Open {workbook.reports / DOCS / 'index.html'}"), soft_wrap=True)


@app.command(
    epilog=list_examples(
        ("councilbook agreement kid_households", "Both forms of one source, in this folder."),
        ("councilbook agreement rates_ledger --to ../forms", "In another."),
    )
)
def agreement(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A closed or shared source by id (see `list`).")],
    to: Annotated[Path, typer.Option(file_okay=False, help="Folder to write into.")] = Path(),
) -> None:
    """Write a form for an agreement and one for a data protection impact assessment, filled in as far as is known."""
    from councilbook.commons.forms import write_forms

    print_files(write_forms(open_catalogue(None), source, to))
