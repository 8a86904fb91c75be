"""Measure the memory of a run: what all of its processes hold together, over time, and the peak of each.

    python benchmarks/memory.py run fuel_poverty --data real --mirror ../shared/data --allow-stand-ins --jobs 2
    python benchmarks/memory.py --plain run fuel_poverty     # kernels are started plainly, not forked

What is summed is PSS: memory that several processes share counts once. Linux alone has it.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

EVERY = 0.25  # seconds
RUN = (
    "import sys; from councilbook.cli import app; from councilbook.running.kernels import warm; "
    "warm.CAN_FORK = {forks}; app()"
)
MIB = 1024


def list_family(root: int) -> list[int]:
    """Return a process and all that come from it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    family, waiting = [], [root]
    while waiting:
        family.append(waiting.pop())
        waiting += parents.get(family[-1], [])
    return family


def read_pss(process: int) -> float:
    """Return what a process holds, in MiB: its own memory, and its part of what it shares."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / MIB


def echo(stream: TextIO, started: float) -> None:
    """Print what a run says, with the second."""
    for line in stream:
        print(f"{time.perf_counter() - started:7.1f}s  {line.rstrip()}", flush=True)


def main(arguments: list[str]) -> None:
    """Run councilbook, and print its peak, what each process held then, and the peak of each that was ever large."""
    plain = "--plain" in arguments
    command = [sys.executable, "-c", RUN.format(forks=not plain), *[one for one in arguments if one != "--plain"]]
    started = time.perf_counter()
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    threading.Thread(target=echo, args=(run.stdout, started), daemon=True).start()
    most, when, then = 0.0, 0.0, dict[int, float]()
    peaks: dict[int, tuple[float, float, float]] = {}  # MiB, from and to which second
    while run.poll() is None:
        now = time.perf_counter() - started
        held = {process: read_pss(process) for process in list_family(run.pid)}
        for process, size in held.items():
            peak, begin, _ = peaks.get(process, (0.0, now, now))
            peaks[process] = max(peak, size), begin, now
        if sum(held.values()) > most:
            most, when, then = sum(held.values()), now, held
        time.sleep(EVERY)
    print(f"Peak: {most:,.0f} MiB at {when:.0f} s of {time.perf_counter() - started:.0f} s; exit {run.returncode}")
    for process, (peak, begin, end) in peaks.items():
        if peak > 50:
            print(f"  {begin:6.1f} to {end:6.1f} s: {peak:7,.0f} MiB at most, {then.get(process, 0):7,.0f} at the peak")


if __name__ == "__main__":
    main(sys.argv[1:])
