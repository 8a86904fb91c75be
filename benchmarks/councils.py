"""What it costs to run a study for many councils, here and on a cluster, and whether the site carries 1,300 reports.

    python benchmarks/councils.py [--councils N] [--reports N]

The study is the one that `councilbook new` begins, on its sample, in a workbook and a library of its own. It runs for
the councils with two jobs at a time, and on two Dask workers of this machine. What a job costs beyond its notebooks is
the time of both processes less that of the notebooks, as papermill recorded it: kernels, gate, report and the site.
Then the reports that these runs and `councilbook run` left are put under the codes of other councils.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import nbformat
import psutil
from playwright.sync_api import sync_playwright

from councilbook.catalogue.councils import read_authorities
from councilbook.pages.page import PAGE_BYTES
from councilbook.paths import find_workbook
from pages import BROWSERS, FLAGS, visit

ROOT = find_workbook(Path(__file__).parent).root
STUDY = "renting"
AT_ONCE = 2
KINDS = ("06", "07", "08", "09")  # of the GSS codes of English districts; W06 are Welsh councils
CLUSTER = (
    "from distributed import LocalCluster\n"
    f"with LocalCluster(n_workers={AT_ONCE}, threads_per_worker=1, dashboard_address=None) as one:\n"
    "    print(one.scheduler_address, flush=True)\n"
    "    input()\n"
)
DISTRICTS = [one for code, one in sorted(read_authorities().items()) if code[1:3] in KINDS and not one.end]
COPIED = (".json", ".jsonld", ".html", ".csv", ".parquet")


def begin(folder: Path) -> dict[str, str]:
    """Copy workbook and library, begin the study there, and return the environment that runs it."""
    for name in ("lib", "data/catalogue", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    environment = os.environ | {"PYTHONPATH": str(folder / "lib"), "COUNCILBOOK_ROOT": str(folder)}
    subprocess.run(
        [sys.executable, "-m", "councilbook", "new", STUDY], env=environment, check=True, capture_output=True
    )
    return environment


def run_councils(environment: dict[str, str], councils: list[str], *arguments: str) -> tuple[float, float]:
    """Run the study for all councils from nothing; return seconds, and those of a job beyond its notebooks."""
    folder = Path(environment["COUNCILBOOK_ROOT"])
    for made in ("reports", "data/processed", ".councilbook/runs"):
        shutil.rmtree(folder / made, ignore_errors=True)
    command = [sys.executable, "-m", "councilbook", "run", STUDY, "--council", ",".join(councils)]
    begun = time.perf_counter()
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    executed = folder.glob(f".councilbook/runs/{STUDY}/*/sample/*.ipynb")
    inside = sum(nbformat.read(one, as_version=4).metadata.papermill.duration for one in executed)
    return seconds, (AT_ONCE * seconds - inside) / len(councils)


def compare_runs(environment: dict[str, str], councils: list[str]) -> None:
    here = run_councils(environment, councils, "--jobs", str(AT_ONCE))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", CLUSTER], env=environment, **pipes) as cluster:
        there = run_councils(environment, councils, "--scheduler", cluster.stdout.readline().strip())
        cluster.communicate("\n")
    print(f"| {len(councils)} councils | seconds | a job beyond its notebooks, s | seconds / here |")
    print("|---|---|---|---|")
    for name, (seconds, beyond) in {"here, two at a time": here, "two Dask workers": there}.items():
        print(f"| {name} | {seconds:.1f} | {beyond:.2f} | {seconds / here[0]:.2f} |")


def multiply_reports(site: Path, count: int) -> None:
    """Put the reports of a site under the codes of other councils until there are enough of each study."""
    recorded = {file.parts[-4]: file.parent for file in sorted(site.glob("[!.]*/[!.]*/sample/report.json"))}
    wanted = islice(((study, one) for one in DISTRICTS for study in recorded), count)
    there = {file.parent for file in site.glob("*/*/sample/report.json")}
    made = len(there)
    for study, council in wanted:
        target = site / study / council.slug / "sample"
        if target in there or made >= count:
            continue
        made += 1
        for file in recorded[study].rglob("*"):
            copied = target / file.relative_to(recorded[study])
            if file.suffix not in COPIED:
                continue
            copied.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix != ".json":
                os.link(file, copied)
                continue
            record = json.loads(file.read_text(encoding="utf-8"))
            about = record if file.name == "report.json" else record["councilbook"]
            about["council"] = {"slug": council.slug, "name": council.name, "codes": {council.gss_code: council.name}}
            copied.write_text(json.dumps(record), encoding="utf-8")


def build(environment: dict[str, str]) -> float:
    """Build the site's pages in a process of its own; return its processor seconds."""
    code = (
        "from pathlib import Path; from councilbook.catalogue import load_catalogue; "
        "from councilbook.paths import Workbook; from councilbook.pages.site import build_site; "
        f"build_site(load_catalogue(Workbook(Path({environment['COUNCILBOOK_ROOT']!r}))))"
    )
    with psutil.Popen([sys.executable, "-c", code], env=environment) as process:
        used = 0.0
        while process.poll() is None:
            try:
                times = process.cpu_times()
                used = times.user + times.system
            except psutil.NoSuchProcess:
                break
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit("The site was not built.")
    return used


def open_pages(site: Path) -> None:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        print("| page | kB | usable, ms |")
        print("|---|---|---|")
        for file in sorted(site.glob("*.html")):
            if file.name.startswith(("data-", "layout-")):
                continue
            times = [visit(browser, file).usable for _ in range(6)][1:]
            print(f"| {file.name} | {file.stat().st_size / 1000:,.0f} | {statistics.median(times):.0f} |")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--councils", type=int, default=20)
    parser.add_argument("--reports", type=int, default=1_300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = begin(Path(folder))
        if options.councils:
            compare_runs(environment, [one.slug for one in DISTRICTS if one.nation == "England"][-options.councils :])
        site = Path(folder) / "reports"
        for left in find_workbook(ROOT).reports.glob("[!.]*/[!.]*/sample"):
            shutil.copytree(left, site / left.relative_to(find_workbook(ROOT).reports), dirs_exist_ok=True)
        multiply_reports(site, options.reports)
        used = build(environment)
        pages = list(site.rglob("*.html"))
        largest = max(pages, key=lambda one: one.stat().st_size)
        over = sum(one.stat().st_size > PAGE_BYTES for one in pages)
        count = len(list(site.glob("*/*/sample/report.json")))
        print(
            f"\n{count:,} reports, {len(pages):,} pages, built in {used:.0f} processor seconds; {over} over 2 MB, ",
            end="",
        )
        print(f"the largest {largest.relative_to(site)} of {largest.stat().st_size / 1e6:.2f} MB")
        open_pages(site)


if __name__ == "__main__":
    main()
