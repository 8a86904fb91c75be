"""Checksums of files and of all that a result depends on."""

import hashlib
from collections.abc import Iterable
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


def list_files(folder: Path) -> list[Path]:
    """Return the files in a folder and below, but for what Python compiled."""
    return [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]


def hash_files(folder: Path, files: Iterable[Path]) -> str:
    """Return one checksum of files and of their places in a folder, in whatever order they come."""
    names = {file.relative_to(folder).as_posix(): file for file in files}
    return hash_text("\n".join(f"{name} {hash_file(file)}" for name, file in sorted(names.items())))


@cache
def hash_library(workbook: Workbook) -> str:
    """Return one checksum of the library, the catalogue and the pinned requirements."""
    folders = [hash_files(folder, list_files(folder)) for folder in (workbook.library, workbook.catalogue)]
    return hash_text("\n".join([*folders, hash_file(workbook.lock)]))
