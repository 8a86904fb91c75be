"""Pushing what was prepared to a portal that runs CKAN, so that a push that was cut off can simply be made again.

Each step does what the portal lacks: nothing is made twice, and a file of the same checksum is not sent again. What
somebody else put on the portal is never touched.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from councilbook.catalogue import hash_file, hash_text
from councilbook.catalogue.fetching import open_session
from councilbook.errors import ParameterError, PublishError
from councilbook.gate.metadata import find_table, name_place
from councilbook.publishing.choosing import is_synthetic, require_packages

BUSY = {429, 500, 502, 503, 504}
DESCRIPTIONS = {
    ".csv": "The table",
    ".xlsx": "The table, for a spreadsheet",
    ".parquet": "The table, typed",
    ".geojson": "The table with places on the map",
    ".zip": "All files with their data package (Frictionless)",
    "-table.ods": "The table with title, notes and legend, to be read with a screen reader",
    "-table.xlsx": "The same for Excel",
    ".csv-metadata.json": "What each column is (CSV on the Web)",
}
KEY_VARIABLE = "COUNCILBOOK_CKAN_KEY"
LICENCES = {"OGL-UK-3.0": "uk-ogl", "CC-BY-4.0": "cc-by", "ODbL-1.0": "odc-odbl"}  # in CKAN's own list
LONGEST_NAME = 100
MOST_LETTERS = 400  # of what a portal says
NEARBY = {"localhost", "127.0.0.1", "::1"}
OURS = "councilbook_release"  # an extra of a dataset: which release it is of
SAID = "councilbook_checksum"  # an extra of a dataset: checksum of what we said of it
SENT = "councilbook_sha256"  # of a resource; its `hash` is overwritten where a portal loads tables to its data store
PAUSES = (1.0, 4.0, 15.0)  # seconds between attempts
TIMEOUT_SECONDS = (5, 300)  # to connect, and until a portal has stored a file


@dataclass(frozen=True)
class Portal:
    """A portal, and the organisation there that our datasets belong to."""

    remote: Any  # a RemoteCKAN
    address: str
    organisation: str

    def ask(self, action: str, files: Mapping[str, Any] | None = None, **given: Any) -> Any:
        """Call an action of CKAN's API.

        Raises:
            OSError: the portal cannot be reached, is busy, or the connection was cut: ask again.
            CKANAPIError: it refused.
        """
        return self.remote.call_action(action, given, files=files, requests_kwargs={"timeout": TIMEOUT_SECONDS})


@dataclass(frozen=True)
class Pushed:
    """What a push did to a dataset on a portal."""

    name: str
    state: str  # created, updated or unchanged
    sent: tuple[str, ...]  # files that were uploaded


def open_portal(address: str, organisation: str) -> Portal:
    """Return a portal to push to, with the key that the environment variable COUNCILBOOK_CKAN_KEY holds.

    Raises:
        ParameterError: there is no key, it cannot be one, or the address would send it where others can read it.
        PublishError: ckanapi is not installed.
    """
    require_packages("ckanapi")
    import ckanapi

    key, parts = os.environ.get(KEY_VARIABLE, "").strip(), urlsplit(address)
    if not key:
        raise ParameterError(f"To push, put your API key of {address} into the environment variable {KEY_VARIABLE}.")
    if not re.fullmatch(r"[!-~]+", key):
        raise ParameterError(f"{KEY_VARIABLE} holds no API key: it has a space, a line end or a letter that none has.")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ParameterError("The portal's address has to be as https://data.example.org, without a name or a key.")
    if parts.scheme == "http" and parts.hostname not in NEARBY:
        raise ParameterError(f"{address} is not encrypted: others could read your key. Give an address with https.")
    session = open_session()
    session.trust_env = False if parts.hostname in NEARBY else session.trust_env  # no proxy in between
    session.hooks["response"].append(_refuse_busy)
    return Portal(ckanapi.RemoteCKAN(address, apikey=key, session=session), address, organisation)


def _refuse_busy(response: Any, *_: Any, **__: Any) -> None:
    if response.status_code in BUSY:
        response.raise_for_status()


def name_on_portal(package: Mapping[str, Any]) -> str:
    """Return the stable name of a dataset on a portal; synthetic and real ones never take each other's place."""
    about = package["councilbook"]
    kind = "-sample" if about["data"] == "sample" else "-synthetic" * is_synthetic(package)
    name = f"{about['council']['slug']}-{package['name']}{kind}"  # both in snake case: a hyphen parts them
    if len(name) <= LONGEST_NAME:
        return name
    end = f"-{hash_text(name)[:8]}{kind}"
    return name[: LONGEST_NAME - len(end)] + end


def push_dataset(portal: Portal, package: Mapping[str, Any], folder: Path) -> Pushed:
    """Bring a dataset on a portal up to date, again after a pause where the portal is busy or the connection was cut.

    The folder is the one in which `prepare_folder` wrote it.

    Raises:
        PublishError: the portal does not take it, or cannot be reached; what was sent stays, and the next push goes on.
    """
    from ckanapi.errors import CKANAPIError, NotAuthorized, ServerIncompatibleError, ValidationError

    name, states, sent = name_on_portal(package), [], list[str]()
    for pause in (*PAUSES, None):
        try:
            states.append(_push_metadata(portal, package, name))
            _push_files(portal, name, _list_files(package, folder), sent)
        except NotAuthorized:
            whose = f" of the organisation {portal.organisation}" if portal.organisation else ""
            why = f"the key in {KEY_VARIABLE} may not change datasets{whose}"
        except ValidationError as error:
            faults = {field: said for field, said in error.error_dict.items() if field != "__type"}
            why = f"it does not accept {'; '.join(f'{field} ({said})' for field, said in faults.items())}"
        except (CKANAPIError, ServerIncompatibleError) as error:
            why = f"it does not answer as CKAN does: {error}"
        except OSError as error:
            if not hasattr(error, "request"):  # of a file here, not of the portal
                raise
            if pause is not None:
                time.sleep(pause)
                continue
            why = f"it cannot be reached, is busy, or broke off: {error}"
        else:
            state = next((one for one in states if one != "unchanged"), "updated" if sent else "unchanged")
            return Pushed(name, state, tuple(sent))
        break
    told = why.replace(portal.remote.apikey, "…")[:MOST_LETTERS]
    raise PublishError(f"{portal.address} did not take {name}: {told}. What was sent stays; push again to go on.")


def _push_metadata(portal: Portal, package: Mapping[str, Any], name: str) -> str:
    """Create a dataset or change what is said of it, and return which."""
    from ckanapi.errors import NotFound

    wanted = _describe(package, portal.organisation)
    ours = {
        OURS: name_place(package),
        SAID: hash_text(json.dumps(wanted, sort_keys=True)),
        "licence": f"{package['licenses'][0]['title']}, {package['licenses'][0]['path']}",
        "attribution": package["attribution"],
    }
    try:
        there = portal.ask("package_show", id=name)
    except NotFound:
        portal.ask("package_create", name=name, **wanted, extras=_list_extras(ours))
        return "created"
    extras = {extra["key"]: extra["value"] for extra in there.get("extras", [])}
    if there.get("state") == "deleted" or extras.get(OURS) != ours[OURS]:
        what = "was deleted there" if there.get("state") == "deleted" else "was not put there by this workbook"
        raise PublishError(f"{portal.address} has a dataset {name} that {what}. Rename or purge it there, then push.")
    if extras.get(SAID) == ours[SAID]:
        return "unchanged"
    tags = {tag["name"]: tag for tag in [*there.get("tags", []), *wanted["tags"]]}
    wanted |= {"tags": [*tags.values()], "extras": _list_extras(extras | ours)}
    portal.ask("package_patch", id=there["id"], **wanted)
    return "updated"


def _describe(package: Mapping[str, Any], organisation: str) -> dict[str, Any]:
    about, licence = package["councilbook"], package["licenses"][0]["name"]
    words = [about["study"].replace("_", " "), *(f"{kind} data" for kind in about["kinds"])]
    sources = "\n".join(f"- {source['title']}: {source['path']}" for source in package["sources"])
    return {
        "title": f"{package['title']}, {about['council']['name']}",
        "notes": f"{package['description']}\n\n{package['attribution']}\n\nMade from:\n\n{sources}",
        "version": package["version"],
        "license_id": next((ckan for ours, ckan in LICENCES.items() if licence.startswith(ours)), "other-open"),
        "tags": [{"name": word} for word in words],
        **({"owner_org": organisation} if organisation else {}),
    }


def _list_extras(extras: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in extras.items()]


def _list_files(package: Mapping[str, Any], folder: Path) -> list[Path]:
    """List the files that go to a portal, the table first."""
    stem = Path(find_table(package)["path"]).stem
    more = [folder / f"{stem}{ending}" for ending in ("-table.ods", "-table.xlsx", ".zip", ".csv-metadata.json")]
    return [*(folder / file["path"] for file in package["resources"]), *(file for file in more if file.exists())]


def _push_files(portal: Portal, name: str, files: list[Path], sent: list[str]) -> None:
    """Upload the files that the portal has not, and take away those of ours that the dataset has no more.

    A checksum is written only after the portal has answered that it stored the file: a file without one is sent again.
    """
    there = {one["name"]: one for one in portal.ask("package_show", id=name)["resources"]}
    for file in files:
        checksum, known = hash_file(file), there.get(file.name, {})
        if known.get(SENT) == checksum:
            continue
        ending = max((one for one in DESCRIPTIONS if file.name.endswith(one)), key=len)
        said = {"name": file.name, "format": file.suffix[1:].upper(), "description": DESCRIPTIONS[ending], SENT: ""}
        whose = {"id": known["id"]} if known else {"package_id": name}
        with file.open("rb") as opened:
            upload = {"upload": (file.name, opened)}
            stored = portal.ask("resource_patch" if known else "resource_create", upload, **whose, **said)
        portal.ask("resource_patch", None, id=stored["id"], **{SENT: checksum})
        sent.append(file.name)
    wanted = {file.name for file in files}
    for left in (one for title, one in there.items() if title not in wanted and one.get(SENT)):
        portal.ask("resource_delete", id=left["id"])
