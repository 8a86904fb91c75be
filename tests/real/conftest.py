"""Tests that read the publishers' own files: where these lie, and that the tests are skipped without them."""

from pathlib import Path

import pytest

from whole_workbook import find_mirror


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def mirror() -> Path:
    folder = find_mirror()
    if not folder.is_dir():
        pytest.skip(f"no official files at {folder}: set COUNCILBOOK_MIRROR to a folder that holds them")
    return folder
