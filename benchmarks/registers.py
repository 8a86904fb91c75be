"""How long the register of companies takes, and how much memory, beside pandas: five and a half million rows in a zip.

    python benchmarks/registers.py [--rows N] [--runs N] [--file ZIP]

The file is made up in the layout of the official one (BasicCompanyDataAsOneFile, 55 columns): one blank status, one
byte of cp1252 and one row of too few cells are in it. Each run is a process of its own; its peak memory includes Python
and the libraries. Ours are `check` (each row is looked at, none kept), `load` (all rows, in the columns of a register)
and `linked` (those that one in a thousand links leads to). pandas reads the same six columns as text.

Then the register is written to a Parquet file piece by piece (`store`); every 3,000th company is a property of a roll.
`exact` matches both by cleaned name and postcode, and DuckDB joins them by name and postcode as they are written.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from councilbook.business_rates.missing.lists import COLUMNS, prepare_companies
from councilbook.catalogue import FoundFile, Table, load_catalogue
from councilbook.methods.linkage.linking import link_exactly
from councilbook.paths import find_workbook
from councilbook.sources.files.readers import read_rows

HEADER = (
    "CompanyName, CompanyNumber,RegAddress.CareOf,RegAddress.POBox,RegAddress.AddressLine1, RegAddress.AddressLine2,"
    "RegAddress.PostTown,RegAddress.County,RegAddress.Country,RegAddress.PostCode,CompanyCategory,CompanyStatus,"
    "CountryOfOrigin,DissolutionDate,IncorporationDate,Accounts.AccountRefDay,Accounts.AccountRefMonth,"
    "Accounts.NextDueDate,Accounts.LastMadeUpDate,Accounts.AccountCategory,Returns.NextDueDate,Returns.LastMadeUpDate,"
    "Mortgages.NumMortCharges,Mortgages.NumMortOutstanding,Mortgages.NumMortPartSatisfied,Mortgages.NumMortSatisfied,"
    "SICCode.SicText_1,SICCode.SicText_2,SICCode.SicText_3,SICCode.SicText_4,LimitedPartnerships.NumGenPartners,"
    "LimitedPartnerships.NumLimPartners,URI,"
    + ",".join(f"PreviousName_{n}.CONDATE, PreviousName_{n}.CompanyName" for n in range(1, 11))
    + ",ConfStmtNextDueDate, ConfStmtLastMadeUpDate"
)
WORDS = ["HARBOUR", "MOOR", "BRIDGE", "NORTHERN", "CASTLE", "ALDER", "QUARRY", "SUMMIT", "ORCHARD", "BEACON", "VALE"]
TRADES = ["JOINERY", "CATERING", "LOGISTICS", "DESIGN", "CONSULTING", "PROPERTIES", "MOTORS", "FOODS", "SYSTEMS"]
TAIL = (
    '"United Kingdom","","22/08/2018","31","8","22/05/2026","31/08/2024","TOTAL EXEMPTION FULL","19/09/2026","","0",'
    '"0","0","0","41100 - Development of building projects","","","","0","0","http://business.data.gov.uk/id/company/{0:08d}"'
    + "," * 20
    + ',"04/09/2026","21/08/2025"\n'
)
STEP = 50_000


def write_register(path: Path, rows: int) -> None:
    """Write a made-up register in the official layout, with three faults in its middle."""
    chance = np.random.default_rng(7)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("BasicCompanyDataAsOneFile-2026-11-01.csv", "w", force_zip64=True) as file,
    ):
        file.write(f"{HEADER}\n".encode())
        for first in range(0, rows, STEP):
            picks = chance.integers(0, [len(WORDS), len(WORDS), len(TRADES), 300, 2_000], (STEP, 5))
            lines = [write_line(first + at, *pick) for at, pick in enumerate(picks.tolist()) if first + at < rows]
            if first <= rows // 2 < first + STEP:
                lines[0] = lines[0].replace(b'"Active"', b'""')
                lines[1] = lines[1].replace(b" ROAD", b" CAF\xc9 ROAD")
                lines[2] = b'"HALF A ROW LTD","X"\n'
            file.write(b"".join(lines))


def write_line(number: int, one: int, other: int, trade: int, street: int, place: int) -> bytes:
    name = f"{WORDS[one]} {WORDS[other]} {TRADES[trade]} {number % 9973} LIMITED"
    postcode = f"{'ABLSM'[place % 5]}{place % 20 + 1} {place % 9 + 1}{'ABDEF'[place % 5]}{'GHJLN'[number % 5]}"
    start = f'"{name}","{number:08d}","","","{street} {WORDS[other]} ROAD","","SOMEWHERE","","ENGLAND","{postcode}",'
    return (start + '"Private Limited Company","Active",' + TAIL.format(number)).encode()


def run_once(what: str, path: Path) -> int:
    stored = path.with_suffix(".parquet")
    if what in ("exact", "duckdb"):
        return match_names(what, stored)
    source = load_catalogue(find_workbook()).source("companies_house")
    table, found = source.table(), FoundFile(source, path, "data/raw")
    if what == "pandas":
        columns = [one.column[0] for one in table.fields.values()]
        return len(pd.read_csv(path, dtype=str, usecols=lambda name: name.strip() in columns, encoding="latin-1"))
    if what == "check":
        return int(read_rows(found, table, lambda piece: piece.index < 0).attrs["rows_read"])
    if what == "store":
        return store(found, table, stored)
    if what == "linked":
        return len(
            prepare_companies(read_rows(found, table, lambda piece: piece["company_number"].str.endswith("777")))
        )
    return len(prepare_companies(read_rows(found, table)))


def store(found: FoundFile, table: Table, stored: Path) -> int:
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    with pq.ParquetWriter(stored, schema) as writer:

        def write(rows: pd.DataFrame) -> pd.Series:
            writer.write_table(pa.Table.from_pandas(prepare_companies(rows), schema=schema, preserve_index=False))
            return pd.Series(False, index=rows.index)

        read_rows(found, table, write)
    return pq.ParquetFile(stored).metadata.num_rows


def match_names(what: str, stored: Path) -> int:
    every = f"SELECT unique_id AS property_reference, name AS ratepayer_name, address, postcode FROM '{stored}'"
    roll = duckdb.sql(f"{every} WHERE hash(unique_id) % 3000 = 1").df()
    if what == "exact":
        return len(link_exactly(roll, stored))
    pairs = f"FROM roll l JOIN '{stored}' r ON ratepayer_name = name AND l.postcode = r.postcode"
    return len(duckdb.sql(f"SELECT DISTINCT property_reference, unique_id {pairs}").df())


def time_runs(what: str, path: Path, runs: int) -> None:
    seconds, processor, peaks, rows = [], [], [], ""
    for _ in range(runs):
        started = time.perf_counter()
        command = [sys.executable, __file__, "--once", what, "--file", str(path)]
        rows, peak, busy = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        seconds.append(time.perf_counter() - started)
        processor.append(float(busy))
        peaks.append(int(peak) / 2**20)
    times = f"{statistics.median(seconds):6.1f} s, of the processor {statistics.median(processor):6.1f} s"
    print(f"{what:8} {int(rows):>10,} rows  {times}  {max(peaks):5.2f} GiB at most", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_500_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--once")
    given = parser.parse_args()
    if given.once:
        rows = run_once(given.once, given.file)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(rows, used.ru_maxrss, used.ru_utime + used.ru_stime)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = given.file or Path(folder) / "BasicCompanyDataAsOneFile-2026-11-01.zip"
        if not path.exists():
            write_register(path, given.rows)
        print(f"{path.stat().st_size / 1e6:,.0f} MB zipped")
        for what in ("check", "linked", "load", "pandas", "store", "exact", "duckdb"):
            time_runs(what, path, given.runs)


if __name__ == "__main__":
    main()
