"""How often a person's name would be published, by origin, and how fast that is decided.

    python benchmarks/persons.py

Invented people of many origins are written in the styles of ledgers. As a peer stands the plain rule that a name with a
company's ending is a company's, which is what councils do by hand. Names that were known are left out of what adds
suspicion, origin by origin, as if nobody had known them.
"""

import re
import time

import pandas as pd

from councilbook.business_rates.person_trials import ALL, evaluate_parties
from councilbook.business_rates.persons import classify_parties

ENDING = re.compile(r"\b(?:ltd|limited|plc|llp|cic)\b", re.IGNORECASE)
PEOPLE = 100  # of each origin, in every style
ROWS = 200_000


def publish_by_ending(roll: pd.DataFrame, *evidence: object) -> pd.Series:  # noqa: ARG001 (it looks at none)
    """Publish whatever has a company's ending in it."""
    return roll["ratepayer_name"].where(roll["ratepayer_name"].str.contains(ENDING))


def main() -> None:
    ours = evaluate_parties(people=PEOPLE)
    linked = evaluate_parties(people=PEOPLE, linked=True)
    peer = evaluate_parties(people=PEOPLE, classify=publish_by_ending)
    for name, trials in {"ours": ours, "ours, linked to namesakes": linked, "by ending": peer}.items():
        whole = trials[(trials["origin"] == ALL) & (trials["style"] == ALL)].iloc[0]
        by_origin = trials[(trials["style"] == ALL) & (trials["origin"] != ALL)]
        worst = by_origin.sort_values("upper_95_pct").iloc[-1]
        print(
            f"{name}: {whole['leaked']:,} of {whole['n']:,} names out, at most {whole['upper_95_pct']:.3f}%; "
            f"worst origin {worst['origin']}: {worst['leaked']} of {worst['n']:,}, at most {worst['upper_95_pct']:.3f}%"
        )
    names = pd.Series([f"Name {n} Bread {'Ltd' if n % 2 else 'Smith'}" for n in range(ROWS)], dtype="str")
    roll = pd.DataFrame({"property_reference": names.index.astype("str"), "ratepayer_name": names})
    begin = time.perf_counter()
    classify_parties(roll)
    print(f"{ROWS:,} different names in {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main()
