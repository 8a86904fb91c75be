"""How long a whole postcode directory takes to read, and how much memory, beside pandas reading the wanted columns.

    python benchmarks/directory.py [--rows N]

The file is invented: the layout of the ONS Postcode Directory (50 columns), one row in three ended, one in ten outside
England, in a zip. Each side runs in a process of its own, so that the peak is its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pandas as pd

from councilbook.catalogue import FoundFile, load_catalogue
from councilbook.paths import find_workbook
from councilbook.sources.files.readers import read_rows

NAMES = ["pcd", "pcd2", "pcds", "dointr", "doterm", "oa21", "lsoa21", "lat", "long"]
FILLED = [f"code{number}" for number in range(50 - len(NAMES))]  # an E00000000 each, as the directory has
MEMBER = "ONSPD_AUG_2026_UK.csv"
BLOCK = 100_000


def write(path: Path, rows: int) -> None:
    filled = ",E99999999" * len(FILLED)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"Data/{MEMBER}", "w", force_zip64=True) as file,
    ):
        file.write((",".join([*NAMES, *FILLED]) + "\n").encode())
        for start in range(0, rows, BLOCK):
            lines = [
                f"ZZ{n},ZZ {n},{write_postcode(n)},198001,{'' if n % 3 else '201506'},"
                f"{'E' if n % 10 else 'W'}{n // 14:08d},{'E' if n % 10 else 'W'}01{n // 70:06d},51.5,0.25{filled}"
                for n in range(start, min(rows, start + BLOCK))
            ]
            file.write(("\n".join(lines) + "\n").encode())


def write_postcode(number: int) -> str:
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    area, rest = divmod(number, 400 * 10 * 90)
    district, rest = divmod(rest, 400 * 10)
    sector, unit = divmod(rest, 400)
    return f"Z{letters[area]}{district + 10} {sector}{letters[unit // 20]}{letters[unit % 20]}"


def read(path: Path, side: str) -> None:
    begin = time.perf_counter()
    if side == "ours":
        source = load_catalogue(find_workbook(Path(__file__).parent)).source("postcode_directory")
        kept = len(read_rows(FoundFile(source, path, "data/raw"), source.table()))
    else:
        with zipfile.ZipFile(path) as archive, archive.open(f"Data/{MEMBER}") as file:
            cells = pd.read_csv(file, usecols=["pcds", "doterm", "oa21", "lsoa21", "lat", "long"], dtype=str)
        kept = len(cells[cells["doterm"].isna() & cells["oa21"].str.fullmatch(r"E00\d{6}")])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{side}: {kept:,} rows kept, {time.perf_counter() - begin:.1f} s, {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_700_000)
    parser.add_argument("--read", nargs=2, metavar=("PATH", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(Path(options.read[0]), options.read[1])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "directory.zip"
        write(path, options.rows)
        with zipfile.ZipFile(path) as archive:
            print(f"{archive.infolist()[0].file_size:,} bytes unpacked")
        for side in ("ours", "pandas"):
            subprocess.run([sys.executable, __file__, "--read", str(path), side], check=True)


if __name__ == "__main__":
    main()
