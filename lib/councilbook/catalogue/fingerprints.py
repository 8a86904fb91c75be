"""Checksums of files and of all that a result depends on."""

import hashlib
from functools import cache
from pathlib import Path

from councilbook.paths import Workbook


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def hash_library(workbook: Workbook) -> str:
    """Return one checksum of the library, the catalogue and the pinned requirements."""
    folders = [workbook.library, workbook.catalogue]
    files = [f for folder in folders for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    return hash_text("\n".join(f"{f.name} {hash_file(f)}" for f in sorted([*files, workbook.lock])))
