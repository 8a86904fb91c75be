"""The notebook with sliders in JupyterLab: a real browser, a real kernel, and a map that is no broken image."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from councilbook.paths import Workbook

pytestmark = pytest.mark.browser

MAP = ".jp-OutputArea-output img[src^='data:image/svg']"
IS_DRAWN = f"""lifted => {{
    const map = document.querySelector("{MAP}");
    return map && map.naturalWidth > 300 && !map.alt.includes(lifted);
}}"""


@pytest.fixture
def lab(sample: Workbook) -> Iterator[str]:
    """Start JupyterLab on the sample, and return its address with the token."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    with subprocess.Popen(command, cwd=sample.root, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        found = (re.search(r"http://localhost:\d+/lab\?token=\w+", line) for line in server.stderr)
        yield next(address[0] for address in found if address)
        server.terminate()
        server.stderr.read()


def test_the_map_follows_the_slider(browser: Any, lab: str) -> None:
    page = browser.new_page()
    page.goto(lab.replace("/lab?", "/lab/tree/notebooks/fuel_poverty/7_explore.ipynb?reset&"))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).first.click()
    page.locator(MAP).wait_for(timeout=120_000)
    page.wait_for_function(IS_DRAWN, arg="nothing that it says")
    assert page.locator(".widget-readout").first.inner_text() == "5,000,000"
    assert page.locator(MAP).get_attribute("alt").startswith("£5,000,000 of £5,000,000 treats ")

    page.locator(".widget-hslider .noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(IS_DRAWN, arg="of £5,000,000")
    assert page.locator(MAP).get_attribute("alt").startswith("£5,500,000 of £5,500,000 treats ")
    page.close()
