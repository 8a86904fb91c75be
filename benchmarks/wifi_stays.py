"""Sessions, stays, dwell and moves of a wifi log: processor seconds and memory beside DuckDB, polars, pandas and Spark.

    python benchmarks/wifi_stays.py [--events 20000000] [--peer PYTHON] [--runs 3] [--engines ours duckdb polars]

PYTHON is the interpreter of an environment with benchmarks/peers/requirements-wifi.txt; Spark needs Java:

    python3.11 -m venv peer && peer/bin/pip install -r benchmarks/peers/requirements-wifi.txt

An invented log of so many events over 100 days is written as Parquet, a row group a day, in the order of time. All
peers work on raw addresses. Ours gives each a random token of the day first. All have to find the same sessions, stays,
seconds in each zone and moves between zones, or this stops. Each runs in a process of its own, one after the other.
What Java uses is not in Spark's processor seconds. movingpandas splits paths at gaps alone, so it is not compared.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ZONES, DAYS, GAP_SECONDS = 12, 100, 1800
DAY_US = 86_400_000_000
PEER = Path(__file__).parent / "peers" / "wifi_engines.py"


def write_log(file: Path, events: int, days: int = DAYS) -> None:
    """Write the log: devices come, are heard about once a minute, walk between zones, and some come back."""
    rng = np.random.default_rng(11)
    schema = pa.schema([("time", pa.timestamp("us")), ("address", pa.uint64()), ("zone", pa.int16())])
    first = int(np.datetime64("2026-01-05", "us").astype(np.int64))
    with pq.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer:
        for day in range(days):
            number = events // days
            device = np.sort(rng.integers(0, max(number // 25, 1), number))
            begins = rng.integers(8 * 3600, 17 * 3600, device.max() + 1)
            seconds = begins[device] + rng.exponential(2400, number).astype(np.int64)
            order = np.lexsort((seconds, device))
            device, seconds = device[order], np.minimum(seconds[order], 86_399)
            moves = np.cumsum(rng.random(number) < 0.15)
            zone = (moves * 7 + device) % ZONES
            address = rng.integers(0, 2**48, device.max() + 1, dtype=np.uint64)[device]
            order = np.argsort(seconds, kind="stable")
            at = first + day * DAY_US + seconds[order] * 1_000_000
            columns = [at.view("datetime64[us]"), address[order], zone[order].astype(np.int16)]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=1 << 20)


def run_ours(file: Path) -> dict[str, Any]:
    """Total the log by the library, in this process."""
    from trials.wifi_totals import total_stays

    one = {
        "time": np.array([0], "datetime64[us]"),
        "address": np.array([1], np.uint64),
        "zone": np.array([0], np.int16),
    }
    few = pa.record_batch(one)
    total_stays([few], ZONES)  # compiled code is loaded, as the peers' is
    begin, use = time.perf_counter(), time.process_time()
    log = pq.ParquetFile(file, pre_buffer=False)  # else all of it is read ahead
    totals = total_stays(log.iter_batches(1 << 17, use_threads=False), ZONES, GAP_SECONDS / 60, "UTC")
    moves = {f"{a}>{b}": int(totals.moves[a, b]) for a, b in zip(*np.nonzero(totals.moves), strict=True)}
    return {
        "sessions": totals.sessions, "stays": totals.stays,
        "seconds": {str(k): v for k, v in enumerate(totals.seconds)}, "moves": moves,
        "wall": time.perf_counter() - begin, "cpu": time.process_time() - use,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def measure(engine: str, file: Path, peer: str) -> dict[str, Any]:
    """Run an engine in a process of its own."""
    command = [peer, str(PEER), engine, str(file), str(GAP_SECONDS)]
    if engine == "ours":
        command = [sys.executable, __file__, "--inside", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{engine} failed:\n{done.stderr[-1500:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def normalise(told: dict[str, Any]) -> str:
    seconds = {k: round(float(v), 3) for k, v in told["seconds"].items() if v}
    found = [told["sessions"], told["stays"], seconds, told["moves"]]
    return json.dumps(found, sort_keys=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=["ours", "duckdb", "polars"])
    parser.add_argument("--folder", default=None)
    parser.add_argument("--inside", type=Path)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(run_ours(given.inside)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        file = Path(folder) / "log.parquet"
        write_log(file, given.events, given.days)
        print(f"{given.events:,} events over {given.days} days, {file.stat().st_size / 1e6:,.0f} MB")
        runs: dict[str, list[dict[str, Any]]] = {engine: [] for engine in given.engines}
        for _ in range(given.runs):
            for engine in given.engines:
                runs[engine].append(measure(engine, file, given.peer))
        ours = statistics.median(run["cpu"] for run in runs[given.engines[0]])
        for engine, told in runs.items():
            cpu, wall, peak = (statistics.median(run[name] for run in told) for name in ("cpu", "wall", "peak_mb"))
            print(f"| {engine} | {wall:.2f} | {cpu:.2f} | {peak:,.0f} MB | ours / it {ours / cpu:.2f} |")
            if engine != "movingpandas" and normalise(told[0]) != normalise(runs[given.engines[0]][0]):
                sys.exit(f"{engine} does not find the same: {told[0]['sessions']} sessions, {told[0]['stays']} stays.")


if __name__ == "__main__":
    main()
