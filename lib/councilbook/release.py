"""The gate: the only writer to data/processed.

A dataset leaves after its declared disclosure rule has been applied and has passed, with its metadata and an audit
record beside it. Refusal is the default, and then nothing is written.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from councilbook.catalogue import Catalogue, Council, Dataset, FieldSpec, FoundFile, Mode, hash_file
from councilbook.checks import check_fields
from councilbook.disclosure import suppress_small_counts
from councilbook.errors import CheckError, CouncilbookError, ReleaseRefusedError
from councilbook.metadata import (
    build_datapackage,
    build_dcat,
    next_version,
    write_changelog,
    write_dictionary,
)
from councilbook.paths import replace_folder, restore_folder

COORDINATE_DECIMALS = 6  # about 0.1 m
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

    @property
    def is_synthetic(self) -> bool:
        """Whether any of it comes from a twin; in sample mode all does."""
        return self.mode == "sample" or any(found.is_synthetic for found in self.used)


@dataclass(frozen=True)
class Passed:
    """A table that the gate let through, and the record of what it did."""

    frame: pd.DataFrame
    audit: Mapping[str, Any]


def pass_gate(dataset: Dataset, frame: pd.DataFrame, used: Sequence[FoundFile]) -> Passed:
    """Apply a dataset's disclosure rule to a table.

    Rules: `open_sources_only` passes a table as it is if nothing but open sources was used. `count_threshold` blanks
    small counts and rounds the others (`disclosure.suppress_small_counts`). A dataset without a rule passes only
    beside open sources.

    Args:
        dataset: what is to be released; its rule is in the catalogue.
        frame: the table.
        used: every file that was loaded in the notebook it was made in.

    Raises:
        ReleaseRefusedError: the rule does not allow the release.
    """
    guarded = sorted(
        {f"{found.source.id} ({found.source.spectrum})" for found in used if found.source.spectrum != "open"}
    )
    rule = dataset.disclosure
    record = {
        "dataset": dataset.id,
        "rule": rule.rule if rule else None,
        "rows": len(frame),
        "sources": sorted({found.source.id for found in used}),
        "guarded_sources": guarded,
        "rows_suppressed": 0,
        "cells_suppressed": 0,
    }
    if rule and rule.rule == "count_threshold":
        safe = suppress_small_counts(frame, rule.counts, rule.shares, threshold=rule.threshold, round_to=rule.round_to)
        return Passed(
            safe.frame,
            record
            | {
                "parameters": {"threshold": rule.threshold, "round_to": rule.round_to, "counts": rule.counts},
                "rows_suppressed": safe.rows_suppressed,
                "cells_suppressed": safe.cells_suppressed,
            },
        )
    if guarded:
        reason = "its rule allows open sources only" if rule else "it has no disclosure rule in the catalogue"
        raise ReleaseRefusedError(
            f"Dataset {dataset.id} was not released: it was made beside {', '.join(guarded)}, and {reason}. "
            "Nothing was written."
        )
    return Passed(frame, record)


def release_dataset(
    dataset: Dataset, frame: pd.DataFrame, origin: Origin, catalogue: Catalogue, processed: Path
) -> Path:
    """Check a table, pass it through the gate and write it with its metadata.

    Writes <processed>/<study>/<council>/<dataset>/ in one step: CSV (UTF-8, ISO dates), GeoJSON and GeoParquet where
    there is geometry, datapackage.json, dcat.jsonld, DICTIONARY.md, CHANGELOG.md, audit.json.

    Returns:
        The dataset's folder.

    Raises:
        ReleaseRefusedError: the gate did not let it out.
        CheckError: the table is not as its fields declare.
    """
    passed = pass_gate(dataset, frame, origin.used)
    columns = [*dataset.fields, *(["geometry"] if dataset.geometry else [])]
    check_fields(
        passed.frame,
        dataset.fields,
        dataset.key,
        f"Dataset {dataset.id}",
        show_values=not any(found.source.personal_data for found in origin.used),
    )
    if dataset.geometry and getattr(passed.frame, "crs", None) is None:
        raise CheckError(f"Dataset {dataset.id}: expected a GeoDataFrame that has its coordinate system (crs).")
    table = passed.frame[columns].astype(_name_dtypes(dataset)).reset_index(drop=True)
    target = dataset_folder(processed, origin.study, origin.council, dataset.id)
    restore_folder(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{dataset.id}.", dir=target.parent) as temporary:
        folder = Path(temporary) / dataset.id
        folder.mkdir()
        _write_files(dataset, table, origin, catalogue, dict(passed.audit), folder, target)
        replace_folder(folder, target)
    return target


def read_published(folder: Path, dataset: Dataset) -> pd.DataFrame:
    """Read a released dataset back, typed as its fields declare; a GeoDataFrame where it has geometry.

    Raises:
        CouncilbookError: it has not been released.
    """
    read_package(folder)
    if dataset.geometry:
        shapes: pd.DataFrame = gpd.read_parquet(folder / f"{dataset.id}.parquet")
        return shapes
    text = _read_text(folder, dataset.id)
    values = pd.DataFrame({name: _parse_text(text[name], field) for name, field in dataset.fields.items()})
    return values.astype(_name_dtypes(dataset))


def _parse_text(text: pd.Series, field: FieldSpec) -> pd.Series:
    values = text.mask(text == "")
    if field.type == "boolean":
        return values.map({"true": True, "false": False})
    if field.type == "date":
        return pd.to_datetime(values, format="ISO8601")
    return values if field.type == "string" else pd.to_numeric(values)


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
    restore_folder(folder)
    file = folder / "datapackage.json"
    if not file.exists():
        raise CouncilbookError(
            f"Dataset {folder.name} has not been released for this council yet (no {file}). Run the notebook that "
            "releases it first: councilbook run."
        )
    package: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return package


def dataset_folder(processed: Path, study: str, council: Council, dataset: str) -> Path:
    """Return where a dataset is published."""
    return processed / study / council.slug / dataset


def _write_files(
    dataset: Dataset,
    table: pd.DataFrame,
    origin: Origin,
    catalogue: Catalogue,
    audit: dict[str, Any],
    folder: Path,
    target: Path,
) -> None:
    csv = folder / f"{dataset.id}.csv"
    _format_csv(table, dataset).to_csv(csv, index=False, encoding="utf-8", lineterminator="\n")
    resources = [_describe_file(csv) | {"rows": len(table)}]
    if dataset.geometry:
        shapes = gpd.GeoDataFrame(table)
        geojson, parquet = folder / f"{dataset.id}.geojson", folder / f"{dataset.id}.parquet"
        dated = gpd.GeoDataFrame(_write_dates(shapes, dataset))
        dated.to_file(geojson, driver="GeoJSON", COORDINATE_PRECISION=COORDINATE_DECIMALS, RFC7946="YES")
        shapes.to_parquet(parquet, index=False, compression="zstd")
        resources += [_describe_file(geojson), _describe_file(parquet)]
    previous = (read_package(target), _read_text(target, dataset.id)) if target.exists() else None
    version = next_version(dataset, _read_text(folder, dataset.id), origin.is_synthetic, origin.run_date, previous)
    about = {
        "study": origin.study,
        "notebook": origin.notebook,
        "council": origin.council.model_dump(),
        "data": origin.mode,
        "synthetic": origin.is_synthetic,
        "classification": dataset.classification,
        "licence_id": dataset.licence,
        "rows": len(table),
        "run_date": origin.run_date,
        "provenance": describe_sources(origin.used),
    }
    package = build_datapackage(dataset, catalogue.licences[dataset.licence], version, resources, about)
    audit |= {"version": version.number, "run_date": origin.run_date, "made_by": f"{origin.study}/{origin.notebook}"}
    _write_json(folder / "datapackage.json", package)
    _write_json(folder / "audit.json", audit)
    (folder / "dcat.jsonld").write_text(build_dcat(package), encoding="utf-8", newline="\n")
    (folder / "DICTIONARY.md").write_text(write_dictionary(package), encoding="utf-8", newline="\n")
    (folder / "CHANGELOG.md").write_text(write_changelog(package), encoding="utf-8", newline="\n")


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
            "published": found.source.published,
            "landing_page": found.source.landing_page,
            "origin": found.origin,
            "file": found.path.name,
            "sha256": found.sha256,
            "known_faults": found.source.known_faults,
            "basis": found.source.twin.basis if found.is_synthetic and found.source.twin else None,
        }
        for found in used
    ]


def _format_csv(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Write booleans as true and false and dates as ISO, as Table Schema reads them, and line ends as one character."""
    formatted = _write_dates(pd.DataFrame(table.drop(columns="geometry", errors="ignore")), dataset)
    for name, field in dataset.fields.items():
        if field.type == "boolean":
            formatted[name] = formatted[name].map({True: "true", False: "false"})
        elif field.type == "string":  # csv does not quote a lone carriage return, and would end the row there
            formatted[name] = formatted[name].str.replace(r"\r\n?", "\n", regex=True)
    return formatted


def _write_dates(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    dates = [name for name, field in dataset.fields.items() if field.type == "date"]
    return table.assign(**{name: table[name].dt.strftime("%Y-%m-%d") for name in dates})


def _describe_file(path: Path) -> dict[str, Any]:
    return {
        "path": path.name,
        "format": path.suffix[1:],
        "bytes": path.stat().st_size,
        "hash": f"sha256:{hash_file(path)}",
    }


def _read_text(folder: Path, name: str) -> pd.DataFrame:
    """Read a dataset's table as text, with its geometry as another column if it has one."""
    text = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False, encoding="utf-8")
    shapes = folder / f"{name}.parquet"
    return text.assign(geometry=gpd.read_parquet(shapes).geometry.to_wkb(hex=True)) if shapes.exists() else text


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
