"""The gate: the only writer to data/processed, and to the folder of what is not open.

A dataset leaves after its declared disclosure rule has been applied and has passed, with its metadata and an audit
record beside it. Refusal is the default, and then nothing is written.
"""

import json
import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from councilbook.catalogue import (
    Catalogue,
    Council,
    CountRule,
    Dataset,
    FoundFile,
    Guarded,
    Held,
    MagnitudeRule,
    Mode,
    RecordRule,
    RegisterRule,
    hash_text,
)
from councilbook.errors import CheckError
from councilbook.gate.beside import Published, gather_told
from councilbook.gate.decisions import Passed, Surroundings, pass_gate
from councilbook.gate.disclosure.registers import LastVersion
from councilbook.gate.ethics.points import refuse_unsettled
from councilbook.gate.files import find_file, name_kind, read_text, round_numbers, write_tables
from councilbook.gate.metadata import build_datapackage, build_dcat, next_version
from councilbook.gate.written.packages import (
    PACKAGE,
    dataset_folder,
    name_dtypes,
    read_audit,
    read_package,
    read_published,
    review_file,
    write_json,
)
from councilbook.gate.written.versions import (
    SHOWN,
    Records,
    keep_versions,
    list_versions,
    name_records,
    read_last,
    read_shown,
    read_versions,
)
from councilbook.paths import Workbook, make_private_folder, replace_folder, restore_folder, write_atomically
from councilbook.sources.checks import check_fields

THRESHOLD, ROUND_TO = 10, 5  # of counts in notes: the defaults of disclosure.yaml
COUNT = re.compile(r"\d[\d,]*(?= (?:of its|rows|cells|times|days, months|bands)\b)")
PLACE = re.compile(r" \(first (?:in record|line) [\d,]+\)")
COMPARED = CountRule | MagnitudeRule | RecordRule | RegisterRule  # with earlier versions


@dataclass(frozen=True)
class Origin:
    """What a dataset was made by and from."""

    study: str
    notebook: str
    council: Council
    mode: Mode
    run_date: str
    used: Sequence[FoundFile]
    published: Sequence[Mapping[str, Any]] = ()  # data packages of released datasets that were read
    followed: Collection[str] = ()  # datasets of which the notebook holds what it releases against its last release

    @property
    def provenance(self) -> list[dict[str, Any]]:
        """A row a source file, of what was loaded and of what the released datasets were made from."""
        rows = [row for package in self.published for row in package["councilbook"]["provenance"]]
        return list({row["source_id"]: row for row in [*rows, *describe_sources(self.used)]}.values())

    @property
    def is_synthetic(self) -> bool:
        """Whether any of it comes from a twin. What counts the catalogue alone is a fact, in a sample too."""
        return any(row["synthetic"] for row in self.provenance)

    @property
    def records(self) -> Records:
        """What it is of: a release is held against earlier ones of the same records alone."""
        return name_records(self.provenance, is_synthetic=self.is_synthetic)

    def describe_kinds(self, dataset: Dataset) -> dict[str, list[str]]:
        """Say what a dataset and the released ones that it was made from assume, and so of what kinds its figures are.

        They are real only where they are neither synthetic nor assumed.
        """
        taken = [one for package in self.published for one in package["councilbook"].get("assumptions", [])]
        assumptions = list(dict.fromkeys([*taken, *filter(None, [dataset.assumes])]))
        kinds = ["synthetic"] * self.is_synthetic + ["assumed"] * bool(assumptions)
        return {"kinds": kinds or ["real"], "assumptions": assumptions}


def release_dataset(
    dataset: Dataset,
    frame: pd.DataFrame,
    origin: Origin,
    catalogue: Catalogue,
    root: Path,
    crosswalks: Mapping[str, pd.DataFrame] | None = None,
    last: LastVersion | None = None,
) -> Path:
    """Check a table, pass it through the gate and write it with its metadata.

    Writes its folder (`dataset_folder`) in one step: CSV (UTF-8, ISO dates), XLSX, Parquet, and GeoJSON where there
    are outlines or points, datapackage.json, dcat.jsonld, audit.json. The names of synthetic files say that they are,
    and in every file a column says so of what is not real alone. A dataset of counts keeps its earlier versions in
    earlier/, to be compared with the next.

    Args:
        dataset: what the catalogue declares.
        frame: the table.
        origin: what it was made by and from.
        catalogue: for licences, and the reasons for a rule's parameters.
        root: folder of all released data, or of all that is not open; see `choose_root`.
        crosswalks: by id of a dataset with the same count on other areas, which areas share which pieces of ground.
        last: of a register, what it is held against.

    Returns:
        The dataset's folder.

    Raises:
        ReleaseRefusedError: the gate did not let it out, or a point of the study's ethics canvas is open.
        CheckError: the table is not as its fields declare.
    """
    target = dataset_folder(root, origin.study, origin.council, origin.mode, dataset.id)
    restore_folder(target)
    refuse_unsettled(catalogue, origin.study, origin.council, dataset, origin.provenance, origin.run_date)
    around = _look_around(dataset, origin, catalogue, root, crosswalks or {}, last)
    passed = pass_gate(dataset, frame, origin.used, catalogue.disclosure, around)
    columns = [*dataset.fields, *(["geometry"] if dataset.geometry else [])]
    check_fields(
        passed.frame,
        dataset.fields,
        dataset.key,
        f"Dataset {dataset.id}",
        show_values=all(found.source.shows_values for found in origin.used),
    )
    if dataset.geometry and getattr(passed.frame, "crs", None) is None:
        raise CheckError(f"Dataset {dataset.id}: expected a GeoDataFrame that has its coordinate system (crs).")
    table = round_numbers(passed.frame[columns].astype(name_dtypes(dataset)).reset_index(drop=True), dataset)
    if dataset.is_open:
        target.parent.mkdir(parents=True, exist_ok=True)
    else:
        make_private_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{dataset.id}.", dir=target.parent) as temporary:
        folder = Path(temporary) / dataset.id
        folder.mkdir()
        _write_files(dataset, table, origin, catalogue, passed.audit, folder, target)
        _keep_shown(dataset, around, list_versions(target, origin.records), folder)
        if passed.for_approver:
            _tell_approver(catalogue.workbook, origin, dataset, passed)
        replace_folder(folder, target)
    return target


def _write_files(
    dataset: Dataset,
    table: pd.DataFrame,
    origin: Origin,
    catalogue: Catalogue,
    audit: dict[str, Any],
    folder: Path,
    target: Path,
) -> None:
    kinds = origin.describe_kinds(dataset)
    stem = dataset.id + ("-synthetic" if origin.is_synthetic else "")
    resources = write_tables(table, dataset, folder, stem, name_kind(kinds["kinds"]))
    previous = (read_package(target), read_text(target)) if target.exists() else None
    version = next_version(dataset, read_text(folder), origin.is_synthetic, origin.run_date, previous)
    is_held_against = isinstance(dataset.disclosure, COMPARED) or dataset.id in origin.followed
    if is_held_against and previous:
        keeps_all = isinstance(dataset.disclosure, CountRule)
        keep_versions(target, folder, version.number, origin.records, keeps_all=keeps_all)
    about = {
        "study": origin.study,
        "notebook": origin.notebook,
        "council": origin.council.model_dump(),
        "data": origin.mode,
        "synthetic": origin.is_synthetic,
        **kinds,
        "classification": dataset.classification,
        **({"standard": dataset.standard} if dataset.standard else {}),
        "licence_id": dataset.licence,
        "rows": len(table),
        "run_date": origin.run_date,
        "provenance": origin.provenance,
    }
    audit |= {"version": version.number, "run_date": origin.run_date, "made_by": f"{origin.study}/{origin.notebook}"}
    about["approval"] = audit["approval"] = _decide_approval(dataset, origin, catalogue, resources, target)
    package = build_datapackage(dataset, catalogue.licences[dataset.licence], version, resources, about)
    write_json(folder / PACKAGE, package)
    write_json(folder / "audit.json", audit)
    (folder / "dcat.jsonld").write_text(build_dcat(package), encoding="utf-8", newline="\n")


def _look_around(
    dataset: Dataset,
    origin: Origin,
    catalogue: Catalogue,
    root: Path,
    crosswalks: Mapping[str, pd.DataFrame],
    last: LastVersion | None,
) -> Surroundings:
    """Read what a dataset has to be compared with: its earlier versions, and others of the same records or count."""
    rule = dataset.disclosure
    if isinstance(rule, RegisterRule):
        return Surroundings(origin.published, last=last, run_date=origin.run_date)
    if not isinstance(rule, CountRule | MagnitudeRule | RecordRule):
        return Surroundings(origin.published)
    here = dataset_folder(root, origin.study, origin.council, origin.mode, "")
    named = {linked.dataset for linked in rule.linked} if isinstance(rule, CountRule) else set()
    alike = {one for one, spec in catalogue.datasets.items() if dataset.about and _is_beside(dataset, spec)}
    there = {}
    for one in sorted(named | alike):
        spec = catalogue.dataset(one)
        if last_one := read_last(here / one, spec, origin.records):
            there[one] = last_one[1]
        elif one in named and (here / one / PACKAGE).exists():  # the same count, of whatever records
            there[one] = read_published(here / one, spec)
    return Surroundings(
        origin.published,
        read_versions(here / dataset.id, dataset, origin.records),
        {one: table for one, table in there.items() if one in named},
        crosswalks,
        {
            one: Published(catalogue.dataset(one), table, read_shown(here / one, origin.records))
            for one, table in there.items()
            if one in alike
        },
        read_shown(here / dataset.id, origin.records),
    )


def _keep_shown(dataset: Dataset, around: Surroundings, versions: Sequence[Path], folder: Path) -> None:
    """Keep what registers show of each record on the day of coarser rows, for the counts of later days."""
    if not isinstance(dataset.disclosure, RecordRule):
        return
    is_same = bool(versions) and find_file(folder, "csv").read_bytes() == versions[-1].read_bytes()
    shown = around.shown if is_same and around.shown is not None else gather_told(around.about).shown
    if shown is not None:
        (folder / "earlier").mkdir(exist_ok=True)
        shown.to_parquet(folder / "earlier" / SHOWN)


def _is_beside(dataset: Dataset, other: Dataset) -> bool:
    """Whether another dataset is open and about the same records."""
    same = dataset.about and other.about and dataset.about.records == other.about.records
    return bool(same) and other.is_open and other.id != dataset.id


def _tell_approver(workbook: Workbook, origin: Origin, dataset: Dataset, passed: Passed) -> None:
    """Keep what only the approver may know of a release in the private folder."""
    file = review_file(workbook, origin.study, origin.council, origin.mode, dataset.id)
    make_private_folder(file.parent)
    version = {"version": passed.audit["version"], **passed.for_approver}
    with write_atomically(file) as temporary:
        write_json(temporary, version)


def _decide_approval(
    dataset: Dataset, origin: Origin, catalogue: Catalogue, resources: Sequence[Mapping[str, Any]], target: Path
) -> dict[str, str]:
    """Say whether somebody has to approve a release, or has approved just this content under just this rule.

    What was made from a release that waits for approval waits as well, and so does what was made of a real file whose
    licence somebody has to settle first.
    """
    rule = dataset.disclosure
    real = [row for row in origin.provenance if row["spectrum"] != "open" and not row["synthetic"]]
    approvals = [package["councilbook"].get("approval", {}) for package in origin.published]  # none in older releases
    roles = [approval["role"] for approval in approvals if approval.get("state") == "waiting"]
    if isinstance(rule, Guarded) and real:
        roles = [rule.approver]
    if isinstance(rule, Held):
        if dataset.classification == "closed":
            return {"state": "not needed", "why": f"It stays with what is closed, for {rule.readers}."}
        roles = [rule.approver] if real else []
    unsettled = _list_unsettled(origin, catalogue)
    asked = "".join(roles[:1])  # of a release that waits for several, all of them
    role = " and ".join(filter(None, [asked, *(one for one in unsettled if one not in asked)]))
    if not role:
        made_from = "synthetic data" if origin.is_synthetic else "open sources"
        return {"state": "not needed", "why": f"No real closed or shared data went into it, only {made_from}."}
    content = hash_content(dataset, resources)
    if (target / "audit.json").exists():
        last: dict[str, str] = read_audit(target).get("approval", {})  # none in an older release
        if last.get("state") == "approved" and last["content"] == content:
            return last
    why = f"The licence is to be settled of: {'; '.join(title for titles in unsettled.values() for title in titles)}."
    return {"state": "waiting", "role": role, "content": content, **({"why": why} if unsettled else {})}


def hash_content(dataset: Dataset, resources: Sequence[Mapping[str, Any]]) -> str:
    """Return the checksum of what an approval is of: a dataset's rule and the files that were written under it."""
    declared = dataset.disclosure.model_dump() if dataset.disclosure else None
    return hash_text(json.dumps([declared, [resource["hash"] for resource in resources]], sort_keys=True))


def _list_unsettled(origin: Origin, catalogue: Catalogue) -> dict[str, list[str]]:
    """List by role the real files of which it has to settle with the publisher what may be published."""
    found: dict[str, list[str]] = {}
    for row in origin.provenance:
        licence = catalogue.licences.get(row["licence"] or "")
        if licence and licence.settled_by and not row["synthetic"]:
            found.setdefault(licence.settled_by, []).append(row["title"])
    return found


def blur_counts(note: str) -> str:
    """Round the counts of rows in a note on a closed or shared file, and withhold small ones, as in a table of counts.

    Args:
        note: as readers write it: what is counted is rows, cells, times, births or bands, or stands behind "set aside".
    """

    def blur(found: re.Match[str]) -> str:
        count = int(found[0].replace(",", ""))
        few = f"{'f' if found.start() else 'F'}ewer than {THRESHOLD}"
        return few if count < THRESHOLD else f"{round(count / ROUND_TO) * ROUND_TO:,}"

    note = re.sub(r"(rows|lines) is (?=set|no )", r"\1 are ", PLACE.sub("", note))
    head, aside, kinds = note.partition(" set aside: ")
    head = COUNT.sub(blur, head)
    return head + aside + (re.sub(r"\d[\d,]*(?=[;.]?$|; )", blur, kinds) if aside else "")


def describe_sources(used: Sequence[FoundFile]) -> list[dict[str, Any]]:
    """Return the provenance of what was loaded: a row a source file."""
    return [
        {
            "source_id": found.source.id,
            "title": found.source.title + (f", {found.source.edition}" if found.source.edition else ""),
            "series_title": found.source.title,
            "publisher": found.source.publisher,
            "spectrum": found.source.spectrum,
            "synthetic": found.is_synthetic,
            "licence": found.source.licence,
            "published": found.published,
            "landing_page": found.source.landing_page,
            "origin": found.origin,
            "file": found.path.name,
            "sha256": found.sha256,
            "known_faults": found.source.known_faults,
            "notes": [note if found.source.spectrum == "open" else blur_counts(note) for note in found.notes],
            "basis": found.source.twin.basis if found.is_synthetic and found.source.twin else None,
        }
        for found in used
    ]
