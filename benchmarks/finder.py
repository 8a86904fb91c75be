"""How soon the options finder shows its first result, on a machine slowed down to a quarter.

    python benchmarks/finder.py [--runs N] [--file reports/careers/doncaster/finder.html --postcode "DN1 1AA"]

Without a file, pages of an invented town are made: 10,542 postcodes, with 27 places and with 80, 856 jobs of 20 skills
each. Each visit is a new window of Chromium with the network off and its processor slowed down four times. Three times
are taken: from opening the page to the journeys from a postcode that stands in its address (the slowest way there is),
from typing a postcode into an open page to its journeys, and from ticking a strength to the new order of jobs. A busy
machine makes them longer, so the time that the page's main thread worked until it was open is told as well.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from councilbook.paths import find_workbook

WORKBOOK = find_workbook(Path(__file__).parent)
sys.path.insert(0, str(WORKBOOK.root / "tests"))

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
SLOWER = 4
TOLD = ("page opened", "postcode typed", "strength ticked", "main thread until opened")
PAINTED = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
ARRIVED = "document.getElementById('home-says').textContent.startsWith('Journeys are from')"
OPENED = f"""async () => {{
    while (!({ARRIVED})) await {PAINTED};
    await {PAINTED};
    return performance.now();
}}"""
TYPED = f"""async postcode => {{
    const home = document.getElementById("home"), started = performance.now();
    home.value = postcode;
    home.dispatchEvent(new Event("change"));
    while (!({ARRIVED})) await {PAINTED};
    await {PAINTED};
    return performance.now() - started;
}}"""
TICKED = f"""async () => {{
    document.getElementById("good-at").open = true;
    let box;
    while (!(box = document.querySelector(".strengths input"))) await {PAINTED};
    const started = performance.now();
    box.click();
    await {PAINTED};
    return performance.now() - started;
}}"""


def make_page(folder: Path, places: int) -> Path:
    """Write the finder of an invented town as large as Doncaster."""
    from small_finder import make_jobs, make_tables, write_finder

    occupations, skills = make_jobs(856, [f"Skill {one}" for one in range(93)], 20)
    jobs = {"careers_occupations": occupations, "careers_occupation_skills": skills}
    return write_finder(folder / str(places), make_tables(places, 10_542, **jobs))


def visit(browser: Any, file: Path, postcode: str) -> tuple[float, ...]:
    """Return the three times in milliseconds, and that of the main thread."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, offline=True)
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(f"{file.as_uri()}#you?home={postcode.replace(' ', '')}")
        opened = page.evaluate(OPENED)
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        page.evaluate("document.getElementById('clear').click()")
        return opened, page.evaluate(TYPED, postcode), page.evaluate(TICKED), 1000 * metrics["ThreadTime"]
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--postcode", default="ZZ1 0AA")
    given = parser.parse_args()
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        named = {given.file.name: given.file.resolve()} if given.file else {}
        files = named or {f"{places} places": make_page(Path(folder), places) for places in (27, 80)}
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for name, file in files.items():
            times = [visit(browser, file, given.postcode) for _ in range(given.runs)]
            print(f"{name}: {file.stat().st_size / 1e6:.2f} MB")
            for what, taken in zip(TOLD, zip(*times, strict=True), strict=True):
                print(f"  {what}: median {statistics.median(taken):.0f} ms, slowest {max(taken):.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
