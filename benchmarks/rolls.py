"""How long a national rates roll takes, and how much memory, beside pandas, which only reads its cells as text.

    python benchmarks/rolls.py [--rows N] [--runs N] [--memory LIMIT]

The file is made up in the layout of Bradford's, one of the wider ones, 20 columns in cp1252: a row in 200 has slipped,
one in 100 has rateable value 0, and one in 500 repeats a reference. Each run is a process of its own; its peak memory
includes Python and the libraries. `read_rolls` reads the values, keeps rows aside, and writes Parquet; pandas
reads text. Unless `--peer-rows` says otherwise, pandas is tried with a tenth of the rows, as it keeps all in memory.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from councilbook.business_rates.roll.reading import read_rolls

HEADER = (
    "Property reference number,Ratepayer,Address,Postcode,Latitude,Longitude,Property start date,Rateable value,"
    "VOA code,VOA description,Liability start date,Occupied,Exemptions,Exemptions start date,Mandatory Reliefs,"
    "Mandatory Relief Start Date,Pub Relief,Additional Relief,Revaluation Relief,Supporting Small Business Relief"
)
STREETS = ["High Street", "Mill Road", "Station Road", "Church Lane", "Market Place", "Canal Side"]
TOWNS = ["Keighley", "Bingley", "Shipley", "Ilkley", "Bradford"]
KINDS = {"CS": "SHOP AND PREMISES", "CO": "OFFICES AND PREMISES", "IF3": "WORKSHOP AND PREMISES", "CL": "CAFÉ"}
STEP = 100_000


def make_rows(first: int, rows: int) -> pd.DataFrame:
    """Rows with no claim to be any council's; names are numbered and of nobody."""
    chance = np.random.default_rng(first)
    number = np.arange(first, first + rows)
    number[3::500] -= 1  # the reference of the row before
    postcode = pd.Series(
        [f"BD{n % 24 + 1} {n % 9 + 1}{'ABDEFGHJLN'[n % 10]}{'PQRSTUWXYZ'[n // 10 % 10]}" for n in number]
    )
    street = pd.Series(np.array(STREETS)[chance.integers(0, len(STREETS), rows)])
    town = pd.Series(np.array(TOWNS)[chance.integers(0, len(TOWNS), rows)])
    code = pd.Series(np.array(list(KINDS))[chance.integers(0, len(KINDS), rows)])
    text = pd.Series(number).astype(str)
    small = chance.random(rows) < 0.5
    day = pd.Series(np.datetime64("1990-04-01") + chance.integers(0, 10_000, rows)).dt.strftime("%Y-%m-%d")
    value = (chance.lognormal(9, 1.2, rows) // 250 * 250 + 250).astype(int)
    value[::100] = 0
    empty = pd.Series([""] * rows)
    table = pd.DataFrame(
        {
            "reference": text,
            "name": ("Firm " + text + " Ltd").where(chance.random(rows) < 0.6, ""),
            "address": text.str[-3:] + " " + street + ", " + town + ", " + postcode,
            "postcode": postcode,
            "latitude": np.char.mod("%.5f", 53.7 + chance.random(rows) / 5),
            "longitude": np.char.mod("%.5f", -1.7 - chance.random(rows) / 5),
            "property_start": "1990-04-01",
            "value": value.astype(str),
            "code": code,
            "description": code.map(KINDS),
            "start": day,
            "occupied": np.where(chance.random(rows) < 0.87, "Y", ""),
            "exemption": empty,
            "exemption_start": empty,
            "relief": np.where(small, "Small Business Rate Relief", ""),
            "relief_start": day.where(small, ""),
            "pub": empty,
            "additional": empty,
            "revaluation": np.where(chance.random(rows) < 0.03, "Yes", ""),
            "supporting": empty,
        }
    )
    slipped = np.arange(rows) % 200 == 7
    table.loc[slipped, list(table)[4:19]] = table.loc[slipped, list(table)[5:20]].to_numpy()
    return table


def make_file(path: Path, rows: int) -> None:
    with path.open("wb") as file:
        file.write(f"{HEADER}\n".encode())
        for first in range(0, rows, STEP):
            sink = pa.BufferOutputStream()
            table = pa.Table.from_pandas(make_rows(first, min(STEP, rows - first)).astype(str), preserve_index=False)
            arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))
            file.write(sink.getvalue().to_pybytes().decode().encode("cp1252"))


def run_ours(path: Path, memory: str) -> dict[str, int]:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        rolls = read_rolls({"E08000032": path}, Path(folder), run_date="2026-01-01", memory_limit=memory)
        counts = rolls.counts.iloc[0]
        return {name: int(counts[name]) for name in ("rows_in_file", "kept", "aside")}


def run_pandas(path: Path, _: str) -> dict[str, int]:
    return {"rows_in_file": len(pd.read_csv(path, dtype=str, encoding="cp1252"))}


SIDES = {"read_rolls": run_ours, "pandas.read_csv": run_pandas}


def measure(side: str, path: Path, memory: str) -> tuple[float, float, float, str]:
    """Return seconds, processor seconds, peak memory in GiB and what was counted, of a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--file", str(path), "--memory", memory]
    seconds, processor, peak, told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(
        "|"
    )
    return float(seconds), float(processor), float(peak), told.strip()


def run_side(side: str, path: Path, memory: str) -> None:
    begin = time.perf_counter()
    told = SIDES[side](path, memory)
    seconds = time.perf_counter() - begin
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20, told, sep="|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--peer-rows", type=int)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--memory", default="1GB", help="DuckDB's limit")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, options.file, options.memory)
        return
    print(f"{os.cpu_count()} cores, medians of {options.runs} runs in turn")
    print("| rows | MB | | seconds | processor seconds | peak GiB | counted |\n|---|---|---|---|---|---|---|")
    peer_rows = options.peer_rows or options.rows // 10
    for rows in sorted({options.rows, peer_rows}):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "roll.csv"
            make_file(path, rows)
            sides = [side for side in SIDES if side == "read_rolls" or rows <= peer_rows]
            runs = [{side: measure(side, path, options.memory) for side in sides} for _ in range(options.runs)]
            ratios = [run["read_rolls"][0] / run["pandas.read_csv"][0] for run in runs if len(run) == len(SIDES)]
            for side in sides:
                seconds, processor, peak = (statistics.median(run[side][place] for run in runs) for place in range(3))
                size = path.stat().st_size / 10**6
                told = runs[0][side][3]
                print(f"| {rows:,} | {size:,.0f} | {side} | {seconds:.1f} | {processor:.1f} | {peak:.2f} | {told} |")
            if ratios:
                print(
                    f"\nread_rolls took {statistics.median(ratios):.1f} times the seconds of pandas.read_csv (median)\n"
                )


if __name__ == "__main__":
    main()
