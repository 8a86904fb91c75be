"""Where the publishers' own files lie; without them these tests are skipped."""

import os
from pathlib import Path

import pytest

from councilbook.paths import find_workbook


@pytest.fixture(scope="session")
def mirror() -> Path:
    named = os.environ.get("COUNCILBOOK_MIRROR")
    folder = Path(named) if named else find_workbook(Path(__file__).parent).root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no official files at {folder}: set COUNCILBOOK_MIRROR to a folder that holds them")
    return folder
