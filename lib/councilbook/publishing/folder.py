"""The folder of what is published: a dataset's latest version and those before it at stable addresses, and a feed.

```text
catalogue.jsonld  feed.atom
<study>/<council>/<data>/<dataset>/latest/      files, data package and its zip, CSVW, DCAT, schema.org, a table
<study>/<council>/<data>/<dataset>/<version>/   the same of each version that was published; it stays
```
"""

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from councilbook.catalogue import Catalogue, hash_file
from councilbook.errors import ParameterError, PublishError
from councilbook.gate.approvals import Reviewed, list_releases
from councilbook.gate.editions import hold_edition
from councilbook.gate.metadata import build_dcat, find_table, name_place
from councilbook.gate.written.packages import read_package, write_json
from councilbook.pages.dataset_pages import zip_package
from councilbook.paths import replace_folders, restore_folder, write_atomically
from councilbook.publishing.choosing import is_synthetic, refuse_for_good, refuse_for_now, require_packages
from councilbook.publishing.describing import (
    LATEST,
    build_catalogue,
    build_csvw,
    build_feed,
    build_schema_org,
    check_catalogue,
    write_graph,
)
from councilbook.publishing.tables import write_accessible_table

LABEL = " (synthetic)"


@dataclass(frozen=True)
class Wish:
    """What is to be published, and how; nothing named is everything.

    Attributes:
        studies: ids; what is there of others stays as it is.
        councils: slugs, likewise.
        include_synthetic: whether what rests on twins goes too.
        address: where the folder will be on the web, so that the catalogue's addresses can be whole.
        publisher: who publishes the catalogue; the councils in it, if nobody is named.
    """

    studies: Collection[str] = ()
    councils: Collection[str] = ()
    include_synthetic: bool = False
    address: str = ""
    publisher: str = ""

    def covers(self, study: str, council: str) -> bool:
        """Whether it is about a study and a council, by id and slug."""
        return (not self.studies or study in self.studies) and (not self.councils or council in self.councils)


@dataclass
class Prepared:
    """What a folder of published datasets holds after it was brought up to date.

    Attributes:
        packages: by folder, the data package of each dataset that was prepared.
        refused: by reason, the names of releases that may not be published.
        removed: places of datasets that may not be published any more, and were taken away.
    """

    packages: dict[Path, Mapping[str, Any]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    removed: list[str] = field(default_factory=list)


def prepare_folder(catalogue: Catalogue, target: Path, wish: Wish) -> Prepared:
    """Bring a folder of published datasets up to date with what the gate released.

    What was published stays, also while a newer version waits for approval; but a dataset that is not open any more,
    or is synthetic and not wished for, is taken away with its earlier versions.

    Raises:
        ParameterError: the address is none.
        PublishError: a package is missing that this needs, a version was published before with other rows, or the
            catalogue is not as DCAT-AP asks.
        NotebookError: a study is being run at this moment.
    """
    if wish.address and not re.fullmatch(r"https?://[^\s\"<>/?#]+/[^\s\"<>?#]*", wish.address):
        raise ParameterError(f"{wish.address} is no folder on the web. Give it as https://data.example.org/council.")
    require_packages("gptables", "odf", "pyshacl")
    done = Prepared()
    for release in list_releases(catalogue):
        if not wish.covers(release.edition.study, release.edition.council.slug):
            continue
        with hold_edition(release.edition):
            package = read_package(release.folder)
            refusal = refuse_for_good(package, catalogue, wish.include_synthetic) or refuse_for_now(release, catalogue)
            if refusal:
                done.refused[refusal].append(release.name)
            else:
                latest = target / name_place(package) / LATEST
                done.packages[latest] = _write_release(release, catalogue, latest, wish.address)
    for latest in list(_list_latest(target)):
        package = read_package(latest)
        study, council, *_ = name_place(package).split("/")
        if wish.covers(study, council) and refuse_for_good(package, catalogue, wish.include_synthetic):
            shutil.rmtree(latest.parent)
            done.removed.append(name_place(package))
    _write_around(target, wish)
    return done


def _list_latest(target: Path) -> Iterator[Path]:
    files = target.glob(f"[!.]*/[!.]*/[!.]*/[!.]*/{LATEST}/datapackage.json")
    return (file.parent for file in sorted(files))


def _write_release(release: Reviewed, catalogue: Catalogue, latest: Path, address: str) -> Mapping[str, Any]:
    """Write a version of a dataset and what is said of it to its own folder, and to that of the latest."""
    package = read_package(release.folder)
    if is_synthetic(package) and not package["title"].endswith(LABEL):
        package["title"] += LABEL
    version = latest.with_name(package["version"])
    for folder in (version, latest):
        restore_folder(folder)
    _refuse_other_rows(version, package)
    latest.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=latest.parent) as temporary:
        new, copy = Path(temporary) / "new", Path(temporary) / "copy"
        new.mkdir()
        files = [new / file["path"] for file in package["resources"]]
        for file in files:
            shutil.copyfile(release.folder / file.name, file)
        stem = Path(find_table(package)["path"]).stem
        write_json(new / "datapackage.json", package)
        write_json(new / f"{stem}.csv-metadata.json", build_csvw(package))
        write_json(new / "schema.jsonld", build_schema_org(package, address))
        (new / "dcat.jsonld").write_text(build_dcat(package), encoding="utf-8", newline="\n")
        zip_package([new / "datapackage.json", *files], new / f"{stem}.zip")
        write_accessible_table(new, package, catalogue.dataset(release.dataset), new / f"{stem}-table.xlsx")
        shutil.copytree(new, copy)
        replace_folders({version: copy, latest: new})
    return package


def _refuse_other_rows(version: Path, package: Mapping[str, Any]) -> None:
    """Refuse to change the rows of a version that others may have taken: its address would say two things."""
    file = find_table(package)
    there = version / file["path"]
    if version.is_dir() and not (there.is_file() and f"sha256:{hash_file(there)}" == file["hash"]):
        raise PublishError(
            f"{name_place(package)}: version {package['version']} was published before with other rows, in {version}. "
            "Its release began anew, without the versions before it. Bring data/processed back from your backup and "
            "run the study again, or delete that folder and tell those who use it."
        )


def _write_around(target: Path, wish: Wish) -> None:
    """Write the catalogue of all that lies in the folder now, checked, and the feed of its changes."""
    packages = {latest: read_package(latest) for latest in _list_latest(target)}
    kept = {
        name_place(package): {folder.name for folder in latest.parent.glob("[!.]*/")}
        for latest, package in packages.items()
    }
    councils = sorted({package["councilbook"]["council"]["name"] for package in packages.values()})
    publisher = wish.publisher or " and ".join(councils) or "nobody yet"
    graph = build_catalogue([*packages.values()], publisher, wish.address)
    written = {"catalogue.jsonld": write_graph(graph), "feed.atom": build_feed(packages.values(), kept, wish.address)}
    check_catalogue(graph)
    for name, text in written.items():
        with write_atomically(target / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
