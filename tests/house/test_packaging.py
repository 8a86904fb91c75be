"""pyproject.toml, requirements.lock and environment.yml say the same."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from councilbook import __version__
from councilbook.paths import find_workbook

ROOT = find_workbook(Path(__file__).parent).root
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = [Requirement(line.rstrip(" \\")) for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = [Requirement(r) for r in [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]]
DIRECT = [one for one in ASKED if one.name != PROJECT["name"]]


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda r: r.name)
def test_each_direct_dependency_is_pinned_as_it_is_asked_for(requirement):
    pins = [p for p in PINNED if canonicalize_name(p.name) == canonicalize_name(requirement.name)]
    assert pins
    for pin in pins:
        (version,) = [spec.version for spec in pin.specifier]
        assert requirement.specifier.contains(version)


def test_the_lock_holds_names_versions_markers_and_hashes_alone():
    for line in LOCK.splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==[^ ]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
    assert LOCK.count("--hash") >= len(PINNED)


def test_conda_takes_python_and_pip_and_nothing_else_beside_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == {"pip": ["-r requirements.lock"]}


def test_the_package_says_its_version_once_more_and_the_same():
    assert PROJECT["version"] == __version__


def test_the_front_door_says_the_same_as_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    python = PROJECT["requires-python"].removeprefix(">=")
    assert container["image"] == f"python:{python}"
    assert (ROOT / ".binder/runtime.txt").read_text(encoding="utf-8").strip() == f"python-{python}"
    install = [line for line in (ROOT / ".binder/postBuild").read_text(encoding="utf-8").splitlines() if "pip" in line]
    assert container["postCreateCommand"] == " && ".join(install)
    for form in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        assert yaml.safe_load(form.read_text(encoding="utf-8"))


def test_links_between_documents_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
    for page in pages:
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
