"""The notebook with sliders in JupyterLab: a real browser, a real kernel, and a map that is no broken image."""

import re
import subprocess
import sys
import time
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
    log = sample.root / "lab.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    with log.open("w") as told, subprocess.Popen(command, cwd=sample.root, stderr=told) as server:
        for _ in range(120):
            if found := re.search(r"http://localhost:\d+/lab\?token=\w+", log.read_text(encoding="utf-8")):
                yield found[0]
                break
            time.sleep(0.5)
        else:
            pytest.fail(log.read_text(encoding="utf-8"))
        server.terminate()


def test_the_map_follows_the_slider(browser: Any, lab: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 2400})  # the lab draws only cells that are in view
    page.goto(lab.replace("/lab?", "/lab/tree/notebooks/fuel_poverty/7_explore.ipynb?reset&"))
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # a kernel is there
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
