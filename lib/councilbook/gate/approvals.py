"""Approvals: which releases wait for a person to look at them, and what was approved.

What was made beside real closed or shared data waits, and is not offered for download, until somebody approves it in
the role that its rule names. An approval holds for what was looked at: when the data or the rule change, the next
release waits again.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from councilbook.catalogue import Catalogue, Council
from councilbook.errors import ParameterError
from councilbook.gate.editions import Edition, hash_folder, hold_edition, read_record, write_record
from councilbook.gate.written.packages import read_audit, read_package, review_file, write_json
from councilbook.paths import make_private_folder, replace_folder


@dataclass(frozen=True)
class Reviewed:
    """A released dataset and what was decided of it."""

    edition: Edition
    dataset: str
    version: str
    audit: Mapping[str, Any]
    folder: Path  # where it lies

    @property
    def name(self) -> str:
        """How it is called when it is approved: study/council/data/dataset@version."""
        return f"{self.edition.name}/{self.dataset}@{self.version}"

    @property
    def review(self) -> Path:
        """What only the approver may know of it; not there for a rule that has nothing to add."""
        edition = self.edition
        return review_file(edition.workbook, edition.study, edition.council, edition.mode, self.dataset)

    @property
    def approval(self) -> Mapping[str, str]:
        """State, and the role that approves it; a release of an older library has no state."""
        approval: Mapping[str, str] = self.audit.get("approval", {"state": "not recorded"})
        return approval


def list_releases(catalogue: Catalogue) -> Iterator[Reviewed]:
    """Find every dataset, open ones first, in order of study, council, data and name."""
    for root in (catalogue.workbook.processed, catalogue.workbook.restricted):
        for file in sorted(root.glob("[!.]*/[!.]*/[!.]*/[!.]*/datapackage.json")):
            package = read_package(file.parent)
            about = package["councilbook"]
            edition = Edition(
                catalogue.workbook, about["study"], Council.model_validate(about["council"]), about["data"]
            )
            yield Reviewed(edition, package["name"], package["version"], read_audit(file.parent), file.parent)


def approve_release(catalogue: Catalogue, name: str, *, role: str, person: str, day: str) -> Reviewed:
    """Approve a release that waits.

    The package and its audit record carry the role and the day; the person's name goes to a private list,
    `approvals.jsonl`, beside the executed notebooks.

    Args:
        catalogue: the workbook's.
        name: study/council/data/dataset@version, as the review lists it.
        role: the role that the person acts in; it must be the one that the dataset's rule names.
        person: who approves.
        day: ISO date.

    Raises:
        ParameterError: there is no such release, it does not wait, or the role is another.
        NotebookError: it is being made anew at this moment.
    """
    known = {release.name: release for release in list_releases(catalogue)}
    waiting = [one for one, release in known.items() if release.approval["state"] == "waiting"]
    if name not in waiting:
        listed = f" Waiting: {', '.join(waiting)}." if waiting else " Nothing is waiting."
        what = f"It is {known[name].approval['state']}." if name in known else "There is no such release."
        raise ParameterError(f"{name} does not wait for approval. {what}{listed}")
    release = known[name]
    if role.casefold() != release.approval["role"].casefold():
        raise ParameterError(f"{name} is to be approved by: {release.approval['role']}. The role given is {role!r}.")
    with hold_edition(release.edition):
        approval = {**release.approval, "state": "approved", "date": day}
        _write_approval(release.folder, approval)
        _log_approval(release, role, person, day)
        if record := read_record(release.edition.private):
            hashes = {name: hash_folder(getattr(release.edition, name)) for name in ("processed", "restricted")}
            write_record(release.edition, record.model_copy(update=hashes))
    return replace(release, audit=read_audit(release.folder))


def _write_approval(folder: Path, approval: Mapping[str, str]) -> None:
    package, audit = read_package(folder), read_audit(folder)
    package["councilbook"]["approval"] = audit["approval"] = dict(approval)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        new = Path(temporary) / folder.name
        shutil.copytree(folder, new)
        write_json(new / "datapackage.json", package)
        write_json(new / "audit.json", audit)
        replace_folder(new, folder)


def _log_approval(release: Reviewed, role: str, person: str, day: str) -> None:
    log = make_private_folder(release.edition.workbook.private) / "approvals.jsonl"
    line = {"date": day, "release": release.name, "content": release.approval["content"], "role": role, "by": person}
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
