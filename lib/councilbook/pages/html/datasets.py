"""The datasets that a page lets its reader download."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from councilbook.pages.html.pieces import BadgeKind, Html, render_template

FORMAT_NAMES = {"csv": "CSV", "xlsx": "Excel (XLSX)", "geojson": "GeoJSON", "parquet": "Parquet"}


def downloads(datapackages: Sequence[Mapping[str, Any]]) -> Html:
    """List the datasets that a report lets its reader download.

    Args:
        datapackages: contents of the datasets' datapackage.json. A dataset's files lie at `data/<id>/` beside the
            report, where `publish_report` puts them once nobody has to approve it any more.
    """
    told = [describe_package(package) for package in datapackages]
    for one in told:  # a badge beside each says it
        one["description"] = re.sub(r"^Synthetic: .+?\. ", "", one["description"])
    return render_template("downloads.html.j2", datasets=told)


def list_kinds(package: Mapping[str, Any]) -> list[BadgeKind]:
    """List the kinds of figure in a dataset: real alone, or else synthetic, assumed or both."""
    about = package["councilbook"]
    kinds: list[BadgeKind] = about.get("kinds") or ["synthetic" if about["synthetic"] else "real"]  # none in older ones
    return kinds


def describe_package(package: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a datapackage.json what a reader is shown of a dataset."""
    about = package["councilbook"]
    return {
        "id": package["name"],
        "title": package["title"],
        "description": package["description"],
        "version": package["version"],
        "licence": ", ".join(licence["title"] for licence in package["licenses"]),
        "approval": about.get("approval", {"state": "not needed"}),  # absent in what an older version released
        "rows": about["rows"],
        "kinds": list_kinds(package),
        "files": [
            {"path": file["path"], "format": FORMAT_NAMES[file["format"]], "bytes": file["bytes"]}
            for file in package["resources"]
        ],
    }
