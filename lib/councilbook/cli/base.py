"""What every command uses: the application, the options that several have, and how lines and tables are printed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from councilbook import __version__
from councilbook.errors import CatalogueError, CouncilbookError, ParameterError

if TYPE_CHECKING:
    from councilbook.catalogue import Catalogue

PIPED_WIDTH = 140  # where there is no terminal, as in a CI log


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


def complete_study(begun: str) -> list[str]:
    """List the studies whose ids begin so, for the shell."""
    from councilbook.paths import find_workbook

    found = (file.parent.name for file in find_workbook().notebooks.glob("*/study.yaml"))
    return sorted(name for name in found if name.startswith(begun))


Studies = Annotated[
    list[str] | None,
    typer.Argument(metavar="STUDY", help="Studies by id (see `list`). None given: all.", autocompletion=complete_study),
]
Councils = Annotated[
    list[str] | None,
    typer.Option(
        "--council",
        metavar="NAME_OR_CODES",
        help="A name, or GSS codes joined by +. Several: put commas between, or name `england`, `all`, or a file.",
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


def list_examples(*lines: tuple[str, str]) -> str:
    """Write a command's examples for the foot of its help."""
    return "\n".join(["[bold]Examples[/]", *(f"[cyan]{escape(command)}[/]\n  {what}" for command, what in lines)])


def open_catalogue(studies: Sequence[str] | None, councils: Sequence[str] | None = None) -> "Catalogue":
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


def tell_old_outputs(catalogue: "Catalogue") -> None:
    """Say on standard error what an older version left, if it did."""
    from councilbook.gate.editions import describe_old_outputs

    if told := describe_old_outputs(catalogue.workbook):
        Console(stderr=True).print(Text(told, "yellow"), soft_wrap=True)


def read_clock() -> str:
    """Return today's date: the library's only look at a clock."""
    return datetime.now().astimezone().date().isoformat()


def make_console() -> Console:
    """Make what prints: as wide as the terminal, or as a log."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def print_files(files: Iterable[Path]) -> None:
    """Print a line for each file that was written."""
    console = make_console()
    for file in files:
        console.print(Text(str(file)), soft_wrap=True)


def make_table(title: str, *columns: str) -> Table:
    """Make an empty table with these columns."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
