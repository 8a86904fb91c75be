"""How long reading the twelve official workbooks takes, beside pandas with openpyxl.

    python benchmarks/workbooks.py [--mirror DIR] [--runs N]

Ours checks the archive, finds the columns, drops the notes and types the cells; the peer only reads the sheet.
"""

import argparse
import statistics
import time
from pathlib import Path

import pandas as pd

from councilbook.catalogue import Finder, load_catalogue
from councilbook.paths import find_workbook
from councilbook.sources.files.readers import convert_types, read_rows

WORKBOOK = find_workbook(Path(__file__).parent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, default=WORKBOOK.root.parent / "shared" / "data")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    catalogue = load_catalogue(WORKBOOK)
    finder = Finder(catalogue, "real", catalogue.council("kent_medway"), 0, options.mirror)
    files = [finder.find(source) for source in catalogue.series("sub_regional_fuel_poverty")]

    def read_ours() -> int:
        tables = [(found, found.source.table("lsoa")) for found in files]
        return sum(len(convert_types(read_rows(found, table), table, found)) for found, table in tables)

    def read_peer() -> int:
        sheets = [(found.path, found.source.table("lsoa").sheet) for found in files]
        return sum(len(pd.read_excel(path, sheet_name=sheet, header=2, engine="openpyxl")) for path, sheet in sheets)

    pairs = [(measure(read_ours), measure(read_peer)) for _ in range(options.runs)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"twelve workbooks, medians of {options.runs}: ours {ours:.1f} s, pandas with openpyxl {theirs:.1f} s")
    print(f"peer / ours {ratio:.1f}")


def measure(read: object) -> float:
    begin = time.perf_counter()
    read()  # type: ignore[operator]
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
