"""The gate: the only writer to data/processed, and to the folder of what is not open.

A dataset leaves after its declared disclosure rule has been applied and has passed, with its metadata and an audit
record beside it. Refusal is the default, and then nothing is written.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from councilbook.catalogue import (
    Catalogue,
    Council,
    CountRule,
    Dataset,
    FieldSpec,
    FoundFile,
    Guarded,
    Held,
    MagnitudeRule,
    Mode,
    RecordRule,
    RegisterRule,
    hash_text,
)
from councilbook.errors import CheckError, CouncilbookError
from councilbook.gate.beside import OLDER, Published, gather_told
from councilbook.gate.decisions import Passed, Surroundings, pass_gate
from councilbook.gate.disclosure.registers import LastVersion
from councilbook.gate.ethics.points import refuse_unsettled
from councilbook.gate.files import DATA_KIND, find_file, name_kind, read_csv, read_text, round_numbers, write_tables
from councilbook.gate.metadata import (
    build_datapackage,
    build_dcat,
    next_version,
)
from councilbook.pages.html.formulas import restore_formula
from councilbook.paths import (
    Workbook,
    make_private_folder,
    place_outputs,
    replace_folder,
    restore_folder,
    write_atomically,
)
from councilbook.sources.checks import check_fields

SHOWN = "shown.parquet"
DTYPES = {"string": "str", "boolean": "boolean", "date": "datetime64[us]", "number": "float64"}


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

    @property
    def provenance(self) -> list[dict[str, Any]]:
        """A row a source file, of what was loaded and of what the released datasets were made from."""
        rows = [row for package in self.published for row in package["councilbook"]["provenance"]]
        return list({row["source_id"]: row for row in [*rows, *describe_sources(self.used)]}.values())

    @property
    def is_synthetic(self) -> bool:
        """Whether any of it comes from a twin. What counts the catalogue alone is a fact, in a sample too."""
        return any(row["synthetic"] for row in self.provenance)

    def is_of_records_of(self, package: Mapping[str, Any]) -> bool:
        """Whether it is about the same records as a release: invented ones are not the council's own.

        Its own records stay so beside a twin of another source, as of certificates.
        """
        then, now = package["councilbook"], self.provenance
        own = _has_own_records(now)
        return own == _has_own_records(then["provenance"]) and (own or then["synthetic"] == self.is_synthetic)

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
    table = round_numbers(passed.frame[columns].astype(_name_dtypes(dataset)).reset_index(drop=True), dataset)
    if dataset.is_open:
        target.parent.mkdir(parents=True, exist_ok=True)
    else:
        make_private_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{dataset.id}.", dir=target.parent) as temporary:
        folder = Path(temporary) / dataset.id
        folder.mkdir()
        _write_files(dataset, table, origin, catalogue, passed.audit, folder, target)
        _keep_shown(dataset, around, bool(around.earlier) and _has_same_rows(folder, target), folder)
        if passed.for_approver:
            _tell_approver(catalogue.workbook, origin, dataset, passed)
        replace_folder(folder, target)
    return target


def read_published(folder: Path, dataset: Dataset) -> pd.DataFrame:
    """Read a released dataset back, typed as its fields declare; a GeoDataFrame where it has geometry.

    Raises:
        CouncilbookError: it has not been released.
    """
    read_package(folder)
    if dataset.geometry:
        shapes: pd.DataFrame = gpd.read_parquet(find_file(folder, "parquet"))
        return shapes.drop(columns=DATA_KIND, errors="ignore")
    return _type_text(read_csv(find_file(folder, "csv")), dataset)


def _type_text(text: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Give a table that was read as text the types of its declared fields, as far as it has them.

    Raises:
        CheckError: values are not of their type.
    """
    kinds = {name: kind for name, kind in _name_dtypes(dataset).items() if name in text}
    typed = pd.DataFrame(index=text.index)
    for name, kind in kinds.items():
        try:
            typed[name] = _parse_text(text[name], dataset.fields[name])
            typed = typed.astype({name: kind})
        except (ValueError, TypeError):
            raise CheckError(
                f"Dataset {dataset.id}: {name} is not {dataset.fields[name].type} in what was released before. {OLDER}"
            ) from None
    return typed


def _parse_text(text: pd.Series, field: FieldSpec) -> pd.Series:
    values = text.mask(text == "")
    if field.type == "boolean":
        return values.map({"true": True, "false": False})
    if field.type == "date":
        return pd.to_datetime(values, format="ISO8601")
    if field.type == "string":
        return values.map(restore_formula, na_action="ignore")
    return pd.to_numeric(values)


def _name_dtypes(dataset: Dataset) -> dict[str, str]:
    return {
        name: DTYPES.get(field.type) or ("int64" if field.required else "Int64")
        for name, field in dataset.fields.items()
    }


def read_package(folder: Path) -> dict[str, Any]:
    """Read a released dataset's data package.

    Raises:
        CouncilbookError: it has not been released.
    """
    file = folder / "datapackage.json"
    if not file.exists():
        raise CouncilbookError(
            f"Dataset {folder.name} has not been released for this council yet (no {file}). Run the notebook that "
            "releases it first: councilbook run."
        )
    package: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return package


def read_audit(folder: Path) -> dict[str, Any]:
    """Read the record of what the gate did with a released dataset."""
    audit: dict[str, Any] = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    return audit


def review_file(workbook: Workbook, study: str, council: Council, mode: Mode, dataset: str) -> Path:
    """Return where what only the approver may know of a release is kept."""
    return workbook.private / "reviews" / place_outputs(study, council.slug, mode) / f"{dataset}.json"


def choose_root(workbook: Workbook, dataset: Dataset) -> Path:
    """Return the folder that a dataset belongs below: only an open one may be published."""
    return workbook.processed if dataset.is_open else workbook.restricted


def dataset_folder(root: Path, study: str, council: Council, mode: Mode, dataset: str) -> Path:
    """Return where a dataset lies below the folder that `choose_root` names."""
    return root / place_outputs(study, council.slug, mode) / dataset


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
    if isinstance(dataset.disclosure, CountRule) and previous:
        _keep_versions(origin, version.number, target, folder)
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
    write_json(folder / "datapackage.json", package)
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
    there = {
        one: read_published(here / one, catalogue.dataset(one))
        for one in sorted(named | alike)
        if _is_published(here / one, None if one in named else origin)
    }
    earlier = [_type_text(text, dataset) for text in _read_versions(here / dataset.id, origin)]
    return Surroundings(
        origin.published,
        earlier,
        {one: table for one, table in there.items() if one in named},
        crosswalks,
        {
            one: Published(catalogue.dataset(one), table, _read_shown(here / one))
            for one, table in there.items()
            if one in alike
        },
        _read_shown(here / dataset.id),
    )


def _read_shown(folder: Path) -> pd.DataFrame | None:
    """Read what registers showed of each record on the day of coarser rows."""
    file = folder / "earlier" / SHOWN
    return pd.read_parquet(file) if file.exists() else None


def _has_same_rows(folder: Path, last: Path) -> bool:
    return find_file(folder, "csv").read_bytes() == find_file(last, "csv").read_bytes()


def _keep_shown(dataset: Dataset, around: Surroundings, is_same: bool, folder: Path) -> None:
    """Keep what registers show of each record on the day of coarser rows, for the counts of later days."""
    if not isinstance(dataset.disclosure, RecordRule):
        return
    shown = around.shown if is_same and around.shown is not None else gather_told(around.about).shown
    if shown is not None:
        (folder / "earlier").mkdir()
        shown.to_parquet(folder / "earlier" / SHOWN)


def _is_beside(dataset: Dataset, other: Dataset) -> bool:
    """Whether another dataset is open and about the same records."""
    same = dataset.about and other.about and dataset.about.records == other.about.records
    return bool(same) and other.is_open and other.id != dataset.id


def _has_own_records(provenance: Iterable[Mapping[str, Any]]) -> bool:
    return any(row["spectrum"] == "closed" and not row["synthetic"] for row in provenance)


def _is_published(folder: Path, origin: Origin | None) -> bool:
    """Whether a dataset is there; if an origin is given, about the same records as that."""
    if not (folder / "datapackage.json").exists():
        return False
    return origin is None or origin.is_of_records_of(read_package(folder))


def _read_versions(folder: Path, origin: Origin) -> list[pd.DataFrame]:
    """Read every version of a dataset that was published, oldest first, as text; none if they are of other records."""
    if not _is_published(folder, origin):
        return []
    return [read_csv(file) for file in [*sorted((folder / "earlier").glob("*.csv")), find_file(folder, "csv")]]


def _tell_approver(workbook: Workbook, origin: Origin, dataset: Dataset, passed: Passed) -> None:
    """Keep what only the approver may know of a release in the private folder."""
    file = review_file(workbook, origin.study, origin.council, origin.mode, dataset.id)
    make_private_folder(file.parent)
    version = {"version": passed.audit["version"], **passed.for_approver}
    with write_atomically(file) as temporary:
        write_json(temporary, version)


def _keep_versions(origin: Origin, version: str, target: Path, folder: Path) -> None:
    """Keep what was published before, for the next release to be compared with."""
    package = read_package(target)
    if not origin.is_of_records_of(package):
        return
    kept = folder / "earlier"
    kept.mkdir()
    for file in (target / "earlier").glob("*.csv"):
        shutil.copyfile(file, kept / file.name)
    if package["version"] != version:
        shutil.copyfile(find_file(target, "csv"), kept / f"{package['version']}.csv")


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
        made_from = "synthetic twins" if origin.is_synthetic else "open sources"
        return {"state": "not needed", "why": f"No real closed or shared data went into it, but {made_from}."}
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
            "notes": list(found.notes),
            "basis": found.source.twin.basis if found.is_synthetic and found.source.twin else None,
        }
        for found in used
    ]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file of a dataset."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
