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
    files = {
        f"{folder.name}/{file.relative_to(folder).as_posix()}": file
        for folder in (workbook.library, workbook.catalogue)
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    files[workbook.lock.name] = workbook.lock
    return hash_text("\n".join(f"{name} {hash_file(file)}" for name, file in sorted(files.items())))
