"""Make the table of UK councils anew from the publisher's two files.

python docs/make_councils.py ../shared/data/england/councils > lib/councilbook/catalogue/councils.csv
"""

import csv
import re
import sys
from pathlib import Path

from councilbook.catalogue.councils import shorten_name

COLUMNS = [
    *("gss_code", "official_name", "name", "other_names", "education_number", "type", "nation", "region"),
    *("county_code", "start", "end", "replaced_by", "former_codes"),
]
NOT_COUNCILS = ("Combined authority", "Strategic Regional Authority")
# The publisher has no number of councils that began in 2019 or later; these are the Department for Education's, as in
# "NEET and participation LA 2025" (Open Government Licence v3.0).
EDUCATION_NUMBERS = {
    "E06000058": "839",
    "E06000059": "838",
    "E06000060": "825",
    "E06000061": "940",
    "E06000062": "941",
    "E06000063": "942",
    "E06000064": "943",
    "E06000065": "815",
    "E06000066": "933",
}
LATER_CODES = {"E08000016": "E08000038", "E08000019": "E08000039"}  # of 2025, which the publisher has not got yet
COUNTY_FAULTS = {"FOR": "SFK"}  # Forest Heath lay in Suffolk, not in Surrey
OTHERS_NAMES = {"adur and worthing borough council"}  # two councils that share their officers
MORE_NAMES = {"AGY": ["Ynys Môn", "Sir Ynys Môn"]}  # spoilt in the publisher's file


def make_councils(folder: Path) -> str:
    """Return the derived table as CSV.

    Args:
        folder: with uk_local_authorities_future.csv and lookup_name_to_registry.csv.

    Returns:
        A row a council with a GSS code, sorted by it; lists in a cell are parted by semicolons.
    """
    rows = [row for row in _read(folder / "uk_local_authorities_future.csv") if row["gss-code"]]
    rows = [row for row in rows if row["local-authority-type-name"] not in NOT_COUNCILS]
    codes = {row["local-authority-code"]: row["gss-code"] for row in rows}
    names: dict[str, list[str]] = {}
    for line in _read(folder / "lookup_name_to_registry.csv"):
        names.setdefault(line["local-authority-code"], []).append(line["la-name"])
    lines = [COLUMNS]
    for row in sorted(rows, key=lambda row: row["gss-code"]):
        own = row["local-authority-code"]
        county = COUNTY_FAULTS.get(own, row["county-la"])
        number = row["old-ons-la-code"] if re.fullmatch(r"\d{3}", row["old-ons-la-code"]) else ""
        lines.append(
            [
                row["gss-code"],
                row["official-name"].strip(),
                row["nice-name"].strip().removesuffix(" Council"),
                ";".join(_list_others(row, names.get(own, []))),
                EDUCATION_NUMBERS.get(row["gss-code"], number),
                row["local-authority-type-name"],
                row["nation"],
                row["region"],
                codes[county] if county else "",
                row["start-date"],
                row["end-date"],
                ";".join(sorted(codes[one] for one in row["replaced-by"].split(",") if one)),
                ";".join(
                    sorted(
                        one for one in [*row["former-gss-codes"].split(","), LATER_CODES.get(row["gss-code"])] if one
                    )
                ),
            ]
        )
    return "\n".join(_write(line) for line in lines) + "\n"


def _list_others(row: dict[str, str], names: list[str]) -> list[str]:
    """List the names that are more than another way to write the official or the short one, without spoilt ones."""
    whole = [name for name in names if name.isascii() and name not in OTHERS_NAMES]
    whole += MORE_NAMES.get(row["local-authority-code"], [])
    others = {shorten_name(name): name.strip() for name in reversed([*whole, row["gov-uk-slug"].replace("-", " ")])}
    same = {shorten_name(row["official-name"]), shorten_name(row["nice-name"]), ""}
    return sorted(name for short, name in others.items() if short not in same)


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(cells: list[str]) -> str:
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in cells)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(make_councils(Path(sys.argv[1])))
