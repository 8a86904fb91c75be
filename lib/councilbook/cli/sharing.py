"""The command for who publishes what was released: to a folder that portals take, and to a portal."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from councilbook.cli.base import Councils, Studies, app, list_examples, make_console, make_table, open_catalogue


@app.command(
    epilog=list_examples(
        ("councilbook publish", "All that is real, open and approved, into the folder publish."),
        ("councilbook publish fuel_poverty --include-synthetic", "One study, with what is synthetic, labelled so."),
        (
            "councilbook publish --address https://data.example.org/council --to ../public",
            "With the addresses that the files will have on the web, into another folder.",
        ),
        (
            "councilbook publish --ckan https://ckan.example.org --organisation my-council",
            "And push it to a portal. Your key is read from COUNCILBOOK_CKAN_KEY.",
        ),
    )
)
def publish(
    studies: Studies = None,
    council: Councils = None,
    to: Annotated[Path | None, typer.Option(file_okay=False, help="Folder to write into.")] = None,
    include_synthetic: Annotated[
        bool, typer.Option("--include-synthetic", help="Take what rests on twins too, labelled so in title and notes.")
    ] = False,
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where the folder will be on the web, for whole addresses.")
    ] = "",
    publisher: Annotated[str, typer.Option(help="Who publishes the catalogue. Not given: the councils in it.")] = "",
    ckan: Annotated[
        str, typer.Option(metavar="URL", help="Push to this portal; the key is COUNCILBOOK_CKAN_KEY.")
    ] = "",
    organisation: Annotated[str, typer.Option(help="What the portal calls your organisation.")] = "",
) -> None:
    """Prepare what was released for portals: data packages, a catalogue, accessible tables, a feed of changes.

    What waits for approval, is not open or, unless you ask for it, is synthetic stays out; the reason is said.
    """
    from councilbook.publishing.ckan import open_portal, push_dataset
    from councilbook.publishing.folder import Wish, prepare_folder
    from councilbook.running.jobs import choose_councils

    catalogue = open_catalogue(studies, council)
    portal = open_portal(ckan, organisation) if ckan else None
    councils = [one.slug for one in choose_councils(catalogue, council or [])]
    address = f"{address.rstrip('/')}/" if address else ""
    target = to or catalogue.workbook.root / "publish"
    done = prepare_folder(catalogue, target, Wish(studies or [], councils, include_synthetic, address, publisher))
    console = make_console()
    if done.packages:
        table = make_table("Published datasets", "Dataset", "Version", "Address in the folder")
        for folder, package in done.packages.items():
            table.add_row(escape(package["title"]), package["version"], folder.relative_to(target).as_posix())
        console.print(table)
    for reason, names in done.refused.items():
        console.print(Text(f"Not published, as {reason} ({len(names)}): {', '.join(names)}"), soft_wrap=True)
    if done.removed:
        told = "Taken away here with their versions; delete them on portals by hand: "
        console.print(Text(told + ", ".join(done.removed)), soft_wrap=True)
    count = f"{len(done.packages)} dataset{'' if len(done.packages) == 1 else 's'}"
    if not done.packages and not done.refused:
        count = "Nothing was released yet: run a study first. 0 datasets"
    console.print(Text(f"{count} prepared in {target}"), soft_wrap=True)
    if portal:
        for folder, package in done.packages.items():
            pushed = push_dataset(portal, package, folder)
            files = f", {len(pushed.sent)} files sent" if pushed.sent else ""
            console.print(Text(f"{pushed.name}: {pushed.state}{files}"), soft_wrap=True)
