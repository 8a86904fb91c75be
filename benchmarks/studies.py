"""How long a study takes end to end, and how much memory, beside papermill's own command line.

    python benchmarks/studies.py [--mirror DIR] [--runs N]

Each run is a process of its own in a workbook of its own (a temporary copy), from nothing to the finished site. The
peer runs the same notebooks one after another; it makes no report, checks no parameter and stages nothing.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from councilbook.paths import find_workbook

ROOT = find_workbook(Path(__file__).parent).root
BIN = Path(sys.executable).parent


@dataclass
class Cost:
    seconds: float
    megabytes: float


def measure(command: list[str], workbook: Path) -> Cost:
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=workbook,
        env=os.environ | {"COUNCILBOOK_ROOT": str(workbook)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = [0.0]
    watcher = threading.Thread(target=watch_memory, args=(process.pid, peak))
    watcher.start()
    if process.wait():
        raise SystemExit(f"failed: {' '.join(command)}")
    seconds = time.perf_counter() - begin
    watcher.join()
    return Cost(seconds, peak[0] / 1e6)


def watch_memory(pid: int, peak: list[float]) -> None:
    """Keep the largest sum of resident memory over a process and its children."""
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for one in [process, *process.children(recursive=True)]:
                try:
                    total += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(0.1)
    except psutil.NoSuchProcess:
        return


def copy_workbook(folder: Path) -> Path:
    for name in ("data/catalogue", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def run_ours(arguments: list[str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        workbook = copy_workbook(Path(folder))
        return measure([str(BIN / "councilbook"), "run", "fuel_poverty", *arguments], workbook)


def run_peer(parameters: dict[str, str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        workbook = copy_workbook(Path(folder))
        given = [part for name, value in parameters.items() for part in ("-p", name, value)]
        costs = [
            measure([str(BIN / "papermill"), str(notebook), os.devnull, "--no-progress-bar", *given], workbook)
            for notebook in sorted((workbook / "notebooks" / "fuel_poverty").glob("*.ipynb"))
        ]
    return Cost(sum(c.seconds for c in costs), max(c.megabytes for c in costs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    cases = {"sample": ([], {})}
    if options.mirror.is_dir():
        mirror = str(options.mirror.resolve())
        cases["real"] = (["--data", "real", "--mirror", mirror], {"data": "real", "mirror": mirror})
    print(f"{os.cpu_count()} cores, medians of {options.runs} runs in turn")
    print("| data | councilbook, s | peak MB | papermill alone, s | peak MB | ratio of seconds |")
    print("|---|---|---|---|---|---|")
    for name, (arguments, parameters) in cases.items():
        pairs = [(run_ours(arguments), run_peer(parameters)) for _ in range(options.runs)]
        ours, theirs = [statistics.median(c.seconds for c in side) for side in zip(*pairs, strict=True)]
        memory = [statistics.median(c.megabytes for c in side) for side in zip(*pairs, strict=True)]
        ratio = statistics.median(a.seconds / b.seconds for a, b in pairs)
        print(f"| {name} | {ours:.1f} | {memory[0]:.0f} | {theirs:.1f} | {memory[1]:.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
