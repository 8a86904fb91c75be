"""A stand-in for a portal: it answers a few actions as CKAN's API does, and can be told to fail."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

KEY = "a-key-of-the-portal"


class CkanStandIn(ThreadingHTTPServer):
    """A portal's datasets and files, and what it was asked.

    Attributes:
        faults: by action, what happens the next times it is asked: "503", "cut" (nothing is done), or "lost" (it is
            done, and the answer is lost).
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.datasets: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.faults: dict[str, list[str]] = {}

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that it cut itself."""

    def answer(self, action: str, given: dict[str, Any], upload: bytes | None, key: str | None) -> tuple[int, Any]:
        """Do what is asked, and return a status and CKAN's answer."""
        if key != KEY:
            return _fail(403, "Authorization Error", message="Access denied: User not authorized")
        if action == "package_create":
            if given["name"] in self.datasets:
                return _fail(409, "Validation Error", name=["That URL is already in use."])
            self.datasets[given["name"]] = {"id": uuid4().hex, "state": "active", "resources": [], **given}
            return _succeed(self.datasets[given["name"]])
        if action.startswith("package_"):
            found = [one for name, one in self.datasets.items() if given["id"] in (name, one["id"])]
            if not found:
                return _fail(404, "Not Found Error", message="Not found")
            found[0].update({} if action == "package_show" else given | {"id": found[0]["id"]})
            return _succeed(found[0])
        if action == "resource_create":
            one = {"id": uuid4().hex, **given}
            self.datasets[given["package_id"]]["resources"].append(one)
        else:
            one = next(one for data in self.datasets.values() for one in data["resources"] if one["id"] == given["id"])
            one.update(given)
        if action == "resource_delete":
            for data in self.datasets.values():
                data["resources"] = [left for left in data["resources"] if left is not one]
        if upload is not None:
            self.files[one["name"]] = upload
            one["hash"] = "md5-of-the-data-store"  # as a portal does that loads tables
        return _succeed(one)


def _succeed(result: Any) -> tuple[int, Any]:
    return 200, {"success": True, "result": result}


def _fail(status: int, kind: str, **told: Any) -> tuple[int, Any]:
    return status, {"success": False, "error": {"__type": kind, **told}}


class _Handler(BaseHTTPRequestHandler):
    server: CkanStandIn

    def do_POST(self) -> None:
        action = self.path.rpartition("/")[2]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(action)
        fault = self.server.faults.get(action, []) and self.server.faults[action].pop(0)
        if fault == "503":
            self._send(503, b"<h1>Service Unavailable</h1>")
        elif fault == "cut":
            self.connection.close()
        else:
            given, upload = _read(self.headers["Content-Type"], body)
            status, told = self.server.answer(action, given, upload, self.headers["Authorization"])
            if fault == "lost":
                self.connection.close()
            else:
                self._send(status, json.dumps(told).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def _read(kind: str, body: bytes) -> tuple[dict[str, Any], bytes | None]:
    if not kind.startswith("multipart/"):
        return json.loads(body), None
    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = {str(part.get_param("name", header="content-disposition")): part for part in message.get_payload()}  # type: ignore[union-attr]
    contents = {name: part.get_payload(decode=True) for name, part in parts.items()}  # type: ignore[union-attr]
    upload = contents.pop("upload")
    return {name: value.decode() for name, value in contents.items()}, upload  # type: ignore[union-attr, return-value]


@contextmanager
def open_stand_in() -> Iterator[CkanStandIn]:
    """Run a portal on this machine."""
    with CkanStandIn() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
