"""How long the samples of all studies take, and how much memory, with forked kernels and with plain ones.

    python benchmarks/kernels.py [--runs N] [--studies A B]

Each run is a process of its own in a workbook of its own (a temporary copy), from nothing to the finished site, both
ways in turn. Memory is proportional: what processes share is divided among them.
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
from datetime import UTC, datetime
from pathlib import Path

import psutil

from councilbook.catalogue import load_catalogue
from councilbook.paths import Workbook, find_workbook
from councilbook.running.jobs import plan_jobs
from councilbook.running.kernels import warm
from councilbook.running.run import run_all

ROOT = find_workbook(Path(__file__).parent).root
WAYS = ("forked", "plain")
KERNELS = ("ipykernel_launcher", "kernels.warm")


@dataclass
class Cost:
    seconds: float
    processor: float
    peak: float  # of all processes, bytes
    kernels: float  # of the kernels and the process that they are forks of


def measure(way: str, studies: list[str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("data/catalogue", "notebooks"):
            shutil.copytree(ROOT / name, Path(folder) / name)
        shutil.copy(ROOT / "requirements.lock", folder)
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, __file__, "--inside", folder, way, *studies])
        peaks = [0.0, 0.0]
        ended = threading.Event()
        watcher = threading.Thread(target=watch_memory, args=(process.pid, peaks, ended))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        ended.set()
        seconds = time.perf_counter() - begin
        watcher.join()
    if status:
        raise SystemExit(f"The run with {way} kernels failed.")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, *peaks)


def watch_memory(pid: int, peaks: list[float], ended: threading.Event) -> None:
    """Keep the largest sums of proportional memory of a process and its offspring, and of the kernels among them."""
    while not ended.wait(0.5):
        total = kernels = 0
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for one in family:
            try:
                share = one.memory_full_info().pss
                total += share
                kernels += share if any(name in " ".join(one.cmdline()) for name in KERNELS) else 0
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        peaks[:] = max(peaks[0], total), max(peaks[1], kernels)


def run_inside(folder: str, way: str, studies: list[str]) -> None:
    warm.CAN_FORK = warm.CAN_FORK and way == "forked"
    catalogue = load_catalogue(Workbook(Path(folder)))
    jobs = plan_jobs(catalogue, studies, [], today=datetime.now(UTC).date().isoformat())
    results = run_all(catalogue, jobs, 2, ignore)
    for result in results:
        if result.failure:
            raise SystemExit(f"{result.edition.name}: {result.failure.reason}")


def ignore(event: object) -> None:
    """Take an event and do nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--studies", nargs="*", default=[])
    parser.add_argument("--inside", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        folder, way, *studies = options.inside
        run_inside(folder, way, studies)
        return
    costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
    print("| kernels | seconds | processor seconds | peak GB of all | of kernels |", flush=True)
    print("|---|---|---|---|---|")
    for _ in range(options.runs):
        for way in WAYS:
            cost = measure(way, options.studies)
            costs[way].append(cost)
            sums = f"{cost.peak / 1e9:.2f} | {cost.kernels / 1e9:.2f}"
            print(f"| {way} | {cost.seconds:.1f} | {cost.processor:.1f} | {sums} |", flush=True)
    print("Plain / forked, of medians:")
    for name in ("seconds", "processor", "peak", "kernels"):
        ours, peer = (statistics.median(getattr(cost, name) for cost in costs[way]) for way in WAYS)
        print(f"- {name}: {peer / ours:.2f}")


if __name__ == "__main__":
    main()
