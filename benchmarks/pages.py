"""How soon each page of the site is usable when opened from disk, beside nbconvert's own page of the same notebook.

    python benchmarks/pages.py [--runs N]

Reads what `councilbook run` left in reports/ and .councilbook/runs/. Each visit is a new window of Chromium with the
network off. Usable is when the page is read, its scripts have run and its first words are painted. A map is drawn
when its frame's scripts have run, which the browser may put off until a reader comes near it.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright

from councilbook.paths import find_workbook

WORKBOOK = find_workbook(Path(__file__).parent)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
READ_TIMES = """() => new Promise(resolve => {
    const read = () => {
        const paint = performance.getEntriesByName("first-contentful-paint")[0];
        if (!paint) return requestAnimationFrame(read);
        const [page] = performance.getEntriesByType("navigation");
        resolve({read: page.domContentLoadedEventEnd, load: page.loadEventEnd, paint: paint.startTime});
    };
    read();
})"""

MAP_TIME = "performance.timeOrigin + performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass
class Times:
    """Milliseconds since the page was asked for."""

    read: float
    load: float
    paint: float
    map: float | None

    @property
    def usable(self) -> float:
        return max(self.read, self.paint)


def visit(browser: Any, file: Path) -> Times:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri(), wait_until="load")
        times = page.evaluate(READ_TIMES)
        drawn = None
        if frame := page.query_selector("iframe"):
            frame.scroll_into_view_if_needed()
            inside = frame.content_frame()
            inside.wait_for_selector("path.leaflet-interactive", state="attached")
            drawn = inside.evaluate(MAP_TIME) - page.evaluate("performance.timeOrigin")
        return Times(**times, map=drawn)
    finally:
        context.close()


def write_peer(notebook: Path, target: Path) -> None:
    """Write a notebook as nbconvert does when told nothing."""
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(nbformat.read(notebook, as_version=4))
    target.write_text(page, encoding="utf-8")


def list_pages(folder: Path) -> dict[str, Path]:
    """List the site's pages, each report followed by its peer."""
    pages = {}
    for page in sorted(WORKBOOK.reports.rglob("*.html")):
        name = page.relative_to(WORKBOOK.reports)
        pages[name.as_posix()] = page
        for notebook in sorted((WORKBOOK.root / ".councilbook/runs" / name.parent).glob("*_report.ipynb")):
            peer = folder / f"{'_'.join(name.parent.parts)}.html"
            write_peer(notebook, peer)
            pages[f"{name.as_posix()}, by nbconvert"] = peer
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        pages = list_pages(Path(folder))
        visits: dict[str, list[Times]] = {name: [] for name in pages}
        for _ in range(options.runs + 1):
            for name, file in pages.items():
                visits[name].append(visit(browser, file))
        print(f"{os.cpu_count()} cores, Chromium {browser.version}, medians of {options.runs} visits in turn, in ms")
        print("| page | kB | usable | first paint | read | loaded | map drawn |")
        print("|---|---|---|---|---|---|---|")
        for name, file in pages.items():
            counted = visits[name][1:]  # the first visit warms the disk
            medians = [
                statistics.median(getattr(one, what) for one in counted) for what in ("usable", "paint", "read", "load")
            ]
            drawn = [one.map for one in counted if one.map is not None]
            cells = [f"{one:.0f}" for one in medians] + [f"{statistics.median(drawn):.0f}" if drawn else ""]
            print(f"| {name} | {file.stat().st_size / 1000:,.0f} | {' | '.join(cells)} |")
        browser.close()


if __name__ == "__main__":
    main()
