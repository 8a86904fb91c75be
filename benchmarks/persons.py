"""How often a person's name would be published, how many companies stay, by origin, and how fast that is decided.

    python benchmarks/persons.py [--people N] [--peer PYTHON] [--mirror FOLDER]

Invented people of many origins are written in the styles of ledgers, and their names into those of companies. As a peer
stands the plain rule that a name with a company's ending is a company's, which is what councils do by hand. Names that
were known are left out of what adds suspicion, origin by origin, as if nobody had known them.

PYTHON is the interpreter of an environment with benchmarks/peers/requirements-persons.txt:

    python3.11 -m venv peer && peer/bin/pip install -r benchmarks/peers/requirements-persons.txt

FOLDER holds the publishers' own files: the real names of 2,000 companies are then tried as well.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

from councilbook.business_rates.names.person_words import read_known_names
from councilbook.business_rates.names.persons import classify_parties
from trials.person_trials import (
    ALL,
    ORIGINS,
    UNMARKED,
    bound_share,
    evaluate_parties,
    find_leaks,
    make_people,
    write_in_styles,
)

ENDING = re.compile(r"\b(?:ltd|limited|plc|llp|cic)\b", re.IGNORECASE)
ROWS = 1_000_000
REAL_COMPANIES = Path("north_lanarkshire") / "companies_house" / "ch_sample2000_2016_openregister.tsv"
# {g} given name, {s} surname, {i} initial, {S} another's surname
COMPANIES = (
    "{s} Limited",
    "{g} {s} Ltd",
    "{g} {s} Roofing Ltd",
    "{i} {s} & Sons Limited",
    "{s} & {S} LLP",
    "{s} Foods PLC",
    "{s} Properties ({S}) Ltd",
    "{s} Community CIC",
)


def make_trials(people: int) -> pd.DataFrame:
    """Write people in every style, and companies that bear their names: name, origin, person (NA of a company)."""
    trials = []
    for place, origin in enumerate(ORIGINS):
        drawn = make_people(origin, people, 1 + place)
        styled = write_in_styles(drawn, 1 + place).rename(columns={"ratepayer_name": "name"})
        others = drawn["surname"].iloc[::-1].reset_index(drop=True)
        firms = [
            form.format(g=given, s=surname, i=given[:1], S=other)
            for given, surname, other in zip(drawn["given"], drawn["surname"], others, strict=True)
            for form in COMPANIES
        ]
        trials += [styled[["name", "person"]].assign(origin=origin), pd.DataFrame({"name": firms, "origin": origin})]
    return pd.concat(trials, ignore_index=True)


def publish_by_evidence(trials: pd.DataFrame) -> pd.Series:
    """Return what is released of each name; names of its own origin are unknown."""
    parts = []
    for origin, names in trials.groupby("origin", sort=False):
        roll = pd.DataFrame({"property_reference": names.index.astype("str"), "ratepayer_name": names["name"]})
        known = read_known_names(str(origin) if origin in ORIGINS else None)
        parts.append(classify_parties(roll, known=known)["released_name"])
    return pd.concat(parts).reindex(trials.index)


def publish_by_ending(trials: pd.DataFrame) -> pd.Series:
    """Return whatever has a company's ending in it."""
    return trials["name"].where(trials["name"].str.contains(ENDING))


def ask_peers(python: Path, trials: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what each peer would publish of each name, and print how many names it reads in a second."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "names.json", Path(folder) / "answers.json"
        asked.write_text(json.dumps(trials["name"].tolist()), encoding="utf-8")
        subprocess.run([python, Path(__file__).parent / "peers" / "person_parsers.py", asked, answered], check=True)
        answers = json.loads(answered.read_text(encoding="utf-8"))
    for peer, answer in answers.items():
        print(f"{peer}: {len(trials) / answer['seconds']:,.0f} names a second")
    return {peer: trials["name"].where(pd.Series(answer["published"])) for peer, answer in answers.items()}


def score(trials: pd.DataFrame, released: pd.Series) -> pd.DataFrame:
    """Score by origin and over all: people, leaked, upper_95_pct, kept_pct (of companies)."""
    people = trials["person"].notna()
    table = trials[["origin"]].assign(
        leaked=find_leaks(trials.loc[people, "person"], released[people]).astype("float64"),
        kept=(100.0 * released.notna()).where(~people),
    )
    both = pd.concat([table.assign(origin=table["origin"].map(ORIGINS)), table.assign(origin=ALL)])
    scores = both.groupby("origin", sort=False).agg(
        people=("leaked", "count"), leaked=("leaked", "sum"), kept_pct=("kept", "mean")
    )
    return scores.assign(upper_95_pct=100 * bound_share(scores["leaked"], scores["people"]))


def print_scores(scores: dict[str, pd.DataFrame]) -> None:
    heads = [f"{method}: leaked % (at most) | kept %" for method in scores]
    print(f"| origin | people | {' | '.join(heads)} |")
    print(f"|---|---|{'---|---|' * len(scores)}")
    for origin in next(iter(scores.values())).index:
        rows = [table.loc[origin] for table in scores.values()]
        cells = [
            f"{100 * row['leaked'] / row['people']:.3f} ({row['upper_95_pct']:.3f}) | {row['kept_pct']:.1f}"
            for row in rows
        ]
        print(f"| {origin} | {rows[0]['people']:,.0f} | {' | '.join(cells)} |")


def time_names() -> None:
    """Time a million different names, half of them with a company's ending."""
    names = pd.Series([f"Name {n} Bread {'Ltd' if n % 2 else 'Smith'}" for n in range(ROWS)], dtype="str")
    roll = pd.DataFrame({"property_reference": names.index.astype("str"), "ratepayer_name": names})
    begin, processor = time.perf_counter(), time.process_time()
    classify_parties(roll)
    seconds, busy = time.perf_counter() - begin, time.process_time() - processor
    print(f"ours: {ROWS / seconds:,.0f} names a second ({ROWS:,} in {seconds:.1f} s, {busy:.1f} processor seconds)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100, help="of each origin, in every style")
    parser.add_argument("--peer", type=Path, help="the interpreter of the environment with the peers")
    parser.add_argument("--mirror", type=Path, help="the folder of the publishers' own files")
    options = parser.parse_args()
    time_names()
    trials = make_trials(options.people)
    if options.mirror:
        real = pd.read_csv(options.mirror / REAL_COMPANIES, sep="\t", usecols=["name"]).dropna()
        trials = pd.concat([trials, real.assign(origin="real")], ignore_index=True)
    released = {"ours": publish_by_evidence(trials), "by ending": publish_by_ending(trials)}
    if options.peer:
        released |= ask_peers(options.peer, trials)
    invented = trials["origin"].isin(list(ORIGINS))
    print_scores({method: score(trials[invented], names[invented]) for method, names in released.items()})
    if options.mirror:
        for method, names in released.items():
            print(f"{method}: {100 * names[~invented].notna().mean():.1f}% of the real companies kept")
    for what, how in {
        "all linked to namesakes": {"linked": True},
        "unmarked, names unknown": {"styles": UNMARKED},
        "unmarked, names known": {"styles": UNMARKED, "hold_out": False},
    }.items():
        found = evaluate_parties(people=options.people, **how)
        whole = found[(found["origin"] == ALL) & (found["style"] == ALL)].iloc[0]
        print(f"ours, {what}: {whole['leaked']:,} of {whole['n']:,}, at most {whole['upper_95_pct']:.3f}%")


if __name__ == "__main__":
    main()
