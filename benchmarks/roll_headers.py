"""How much of a council's roll is still read when its columns are in another order, and its headers misspelt or short.

    python benchmarks/roll_headers.py FOLDER [--seed N]

FOLDER holds the published rolls (nndr_*.csv.gz). Each is read as it is, with its columns shuffled, with a quarter of
its headers misspelt by one letter, and with its headers in other letters and marks. Counts of what is read are beside
each other; a column that is lost in a variant has to be named by a warning, so "silent" has to be 0.
"""

import argparse
import csv
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from councilbook.business_rates.roll.contents import find_empty
from councilbook.business_rates.roll.files import align_cells, find_layout, read_records
from councilbook.business_rates.roll.reading import Roll, read_roll
from councilbook.business_rates.roll.rules import open_rules
from councilbook.errors import CouncilbookError

RUN_DATE = "2026-01-01"
COUNTED = ["rows", "value", "small business", "mandatory", "charities", "empty", "names", "lost", "silent"]
MISSPELT = 0.25  # of the headers


def misspell(header: str, chance: random.Random) -> str:
    """Leave out, double or swap one letter that is not the first."""
    places = [place for place, letter in enumerate(header[:-1]) if letter.isalpha() and place]
    if len(places) < 5 or chance.random() > MISSPELT:
        return header
    at = chance.choice(places)
    swapped = header[:at] + header[at + 1] + header[at] + header[at + 2 :]
    return chance.choice([header[:at] + header[at + 1 :], header[:at] + header[at : at + 1] + header[at:], swapped])


def restyle(header: str, chance: random.Random) -> str:
    """Write a header as another system would."""
    styles: list[Callable[[str], str]] = [
        str.upper,
        str.lower,
        lambda text: text.replace(" ", "_"),
        lambda text: text.replace(" ", ""),
        lambda text: text.replace("Property", "Prop").replace("reference number", "ref no"),
    ]
    return chance.choice(styles)(header)


def write_variant(records: list[list[str]], variant: str, path: Path, seed: int) -> None:
    """Write a roll with the columns or headers of a variant."""
    chance = random.Random(seed)
    header, *rows = records
    change = {"misspelt": misspell, "restyled": restyle}.get(variant, lambda text, _: text)
    order = list(range(len(header)))
    if variant == "shuffled":
        chance.shuffle(order)
        rows = [[*(row[place] for place in order), *row[len(header) :]] for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[change(header[place], chance) for place in order], *rows])


def count(roll: Roll, truth: Roll) -> list[str]:
    """Count what was read of a roll, and which columns of the truth were missed without a word."""
    frame = roll.frame
    told = " ".join(roll.warnings)
    lost = [name for name in truth.frame if truth.frame[name].notna().any() and not frame[name].notna().any()]
    silent = len(lost) if lost and "not used" not in told.lower() and "Looks like" not in told else 0
    charities = frame["mandatory_relief"].astype("str").str.contains("charit|casc|mandatory", case=False).fillna(False)
    numbers = [len(frame), frame["rateable_value_gbp"].sum(), frame["small_business_relief"].notna().sum(),
               frame["mandatory_relief"].notna().sum(), charities.sum(), find_empty(frame).fillna(False).sum(),
               frame["ratepayer_name"].notna().sum(), len(lost), silent]  # fmt: skip
    return [f"{number:,.0f}" for number in numbers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"| roll | variant | {' | '.join(COUNTED)} |")
    print("|---" * (2 + len(COUNTED)) + "|")
    for path in sorted(options.folder.glob("nndr_*.csv.gz")):
        truth = read_roll(path, run_date=RUN_DATE)
        with open_rules() as database:
            layout = find_layout(path, database)
            rows = [align_cells(cells, layout) for _, cells in read_records(layout)]
        records = [list(layout.header), *rows]
        for variant in ("as it is", "shuffled", "misspelt", "restyled"):
            with tempfile.TemporaryDirectory() as folder:
                changed = Path(folder) / "roll.csv"
                write_variant(records, variant, changed, options.seed)
                try:
                    told = count(read_roll(changed, run_date=RUN_DATE), truth)
                except CouncilbookError as error:
                    told = [str(error)]
            print(f"| {path.name[5:-15]} | {variant} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
