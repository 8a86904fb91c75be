"""Where the publishers' own files lie; without them these tests are skipped."""

from pathlib import Path

import pytest

from whole_workbook import find_mirror


@pytest.fixture(scope="session")
def mirror() -> Path:
    folder = find_mirror()
    if not folder.is_dir():
        pytest.skip(f"no official files at {folder}: set COUNCILBOOK_MIRROR to a folder that holds them")
    return folder
