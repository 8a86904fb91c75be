"""The command that begins a study."""

from typing import Annotated

import typer
from rich.text import Text

from councilbook.cli.base import app, list_examples, make_console, open_catalogue


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
    console = make_console()
    for file in begin_study(catalogue, study, title):
        console.print(Text(str(file.relative_to(catalogue.workbook.root))), soft_wrap=True)
    console.print(f"\nRun it: [bold]councilbook run {study}[/]. docs/studies.md says what each file is for.")
