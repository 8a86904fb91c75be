"""Which released datasets may be published on: what is open, approved if it has to be, and as the gate wrote it."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from councilbook.catalogue import Catalogue, hash_file
from councilbook.errors import PublishError
from councilbook.gate.approvals import Reviewed
from councilbook.gate.writing import hash_content
from councilbook.gate.written.packages import read_audit, read_package

NO_LICENCE = "not_stated"
SETTLED = {"not needed", "approved"}


def require_packages(*names: str) -> None:
    """See that packages are there that a plain install does not bring.

    Raises:
        PublishError: one is not; it says how to install it.
    """
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            way = "pip install 'councilbook[publish]'"
            raise PublishError(f"This needs {name}, which a plain install leaves out. Install it: {way}") from None


def is_synthetic(package: Mapping[str, Any]) -> bool:
    """Whether any of a dataset comes from a twin, by all that its package says."""
    about = package["councilbook"]
    told = about["synthetic"] or about["data"] == "sample" or "synthetic" in about.get("kinds", [])
    return told or any(row["synthetic"] for row in about["provenance"])


def refuse_for_good(package: Mapping[str, Any], catalogue: Catalogue, include_synthetic: bool) -> str:
    """Say why a dataset may not be published, nor stay where it was; nothing if it may."""
    declared = catalogue.datasets.get(package["name"])
    if declared is None:
        return "the catalogue does not declare it any more"
    if not declared.is_open or package["councilbook"]["classification"] != "open":
        return "it is not open"
    if NO_LICENCE in (declared.licence, package["licenses"][0]["name"]):
        return "no licence is stated for it"
    if is_synthetic(package) and not include_synthetic:
        return "it is synthetic; with --include-synthetic it goes, labelled so"
    return ""


def refuse_for_now(release: Reviewed, catalogue: Catalogue) -> str:
    """Say why this version of an open dataset may not be published yet; nothing if it may.

    Both the package and the audit record have to say that it was approved or need not be, an approval has to be of
    these files under the rule of today, and the files have to be those that the gate wrote.
    """
    package, approval = read_package(release.folder), read_audit(release.folder).get("approval", {})
    again = "run its study again"
    if approval.get("state") == "waiting":
        return f"it waits for the {approval['role']}"
    if approval.get("state") not in SETTLED or package["councilbook"].get("approval") != approval:
        return f"its approval is not recorded; {again}"
    for resource in package["resources"]:
        file = release.folder / Path(resource["path"]).name
        if file.name != resource["path"] or not file.is_file() or f"sha256:{hash_file(file)}" != resource["hash"]:
            return f"{resource['path']} is not as the gate wrote it; {again}"
    content = hash_content(catalogue.dataset(release.dataset), package["resources"])
    if approval["state"] == "approved" and approval["content"] != content:
        return f"its rule is not the one under which it was approved; {again}"
    return "" if release.folder.is_relative_to(catalogue.workbook.processed) else "it lies with what is not open"
