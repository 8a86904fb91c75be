"""How many names of people stay in published addresses and names of companies, and how many true lines are lost.

    python benchmarks/addresses.py MIRROR [--council COUNCIL ...]

MIRROR holds the publishers' own files. Names come from sources that the detector does not use: people of FEBRL, half of
them with a slip of the pen, and recipients of grants. They are written over the doors of real rolls, in the styles and
places of `address_trials`, and run into the names of real companies. Bradford, Calderdale, Kirklees and Harrogate were
looked at while the detector was made; Scarborough and Selby were not. As a peer stands what was published before.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from councilbook.business_rates.names.person_addresses import redact_roll
from councilbook.business_rates.names.persons import classify_parties
from councilbook.business_rates.roll.reading import read_roll
from trials.address_trials import (
    count_lines,
    find_organisations_left,
    read_organisations,
    read_people,
    try_addresses,
    try_run_on_names,
    write_organisations,
)

FOOD = {  # the council's own food register, for names of its pubs and schools
    "bradford": "404en-GB_Bradford_2020-11",
    "calderdale": "406en-GB_Calderdale_2020-11",
    "harrogate": "252en-GB_Harrogate_2020-11",
    "kirklees": "411en-GB_Kirklees_2020-11",
    "scarborough": "255en-GB_Scarborough_2020-11",
    "selby": "256en-GB_Selby_2020-11",
}
ROLLS = "north_lanarkshire/ndr/nndr_{}_2019-06.csv.gz"
COMPANIES = "north_lanarkshire/companies_house/ch_sample2000_2016_openregister.tsv"


def redact(trial: pd.DataFrame) -> pd.Series:
    """Redact the addresses of a roll as a run does."""
    roll = trial.assign(property_reference=trial.index.astype("str"))
    return redact_roll(roll, classify_parties(roll))


def print_shares(title: str, found: pd.DataFrame, by: str) -> None:
    """Print which share of the trials stays, by style, place or kind."""
    print(f"\n| {title} | n | stays (%) |\n|---|---|---|")
    for name, stays in found.groupby(by)["stays"]:
        print(f"| {name} | {len(stays):,} | {100 * stays.mean():.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirror", type=Path, help="the folder of the publishers' own files")
    parser.add_argument("--council", action="append", choices=list(FOOD), help="all six unless given")
    options = parser.parse_args()
    people, tried, kept = read_people(options.mirror), [], []
    print("| council | names tried | stay (%) | lines that stay (%) | of these before the street (%) | seconds |")
    print("|---|---|---|---|---|---|")
    for seed, council in enumerate(options.council or FOOD, 1):
        roll = read_roll(options.mirror / ROLLS.format(council), run_date="2026-01-01").frame
        begin = time.perf_counter()
        clean = redact(roll)
        seconds = time.perf_counter() - begin
        lines = count_lines(roll, clean).sum()
        tried.append(try_addresses(roll, people, redact, seed))
        written = write_organisations(roll, read_organisations(options.mirror, (FOOD[council],)), seed)
        left = find_organisations_left(written, redact(written))
        kept.append(written.loc[left.index, ["kind"]].assign(stays=left))
        shares = [100 * tried[-1]["stays"].mean(), 100 * lines["stay"] / lines["lines"]]
        shares.append(100 * lines["first_stay"] / lines["first_lines"])
        print(f"| {council} | {len(tried[-1]):,} | {' | '.join(f'{share:.2f}' for share in shares)} | {seconds:.1f} |")
    for title in ("style", "place", "source"):
        print_shares(title, pd.concat(tried), title)
    print_shares("what kind of organisation", pd.concat(kept), "kind")
    companies = pd.read_csv(options.mirror / COMPANIES, sep="\t")["name"].dropna()
    print_shares("run into a company's name", try_run_on_names(people, companies, 1), "style")
    alone = classify_parties(pd.DataFrame({"property_reference": companies.index, "ratepayer_name": companies}))
    print(f"\n{100 * alone['released_name'].notna().mean():.1f}% of {len(companies):,} companies are named.")


if __name__ == "__main__":
    main()
