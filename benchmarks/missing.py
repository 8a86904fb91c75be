"""Who is missing from the roll: of the first hundred of a list, how many are. Run from the workbook's folder.

Ten invented towns are one list. Beside ours stand: all without a link in random order, the same by likely value, and
all without an exact match in random order. Scores on twins; what is planted are food businesses that no bill goes to,
among businesses that have gone, cook at home or in another's kitchen, or whose link was missed.
"""

import argparse
import time

import numpy as np
import pandas as pd

from councilbook.business_rates.missing import ranking
from councilbook.business_rates.twin.town import draw_town
from councilbook.catalogue import TwinRequest, load_catalogue
from councilbook.methods import recapture
from councilbook.methods.linkage.linking import link_exactly
from councilbook.paths import find_workbook

CHECKS, SHUFFLES = [10, 20, 50, 100], 200
OURS = "by probability, then value"


def try_town(seed: int, council: str) -> tuple[dict[str, pd.DataFrame], dict[tuple[str, str], str], dict[str, float]]:
    """List who is missing from one town by links and by exact matches; what is planted; and the two estimates."""
    town = draw_town(TwinRequest(load_catalogue(find_workbook()).council(council), seed))
    registers, links, roll, between = ranking.link_town(town, seed)
    exact = [
        link_exactly(roll, one).assign(register=name, match_probability=1.0)
        for name, one in registers.groupby("register")
    ]
    lists = {
        "links": ranking.find_missing(registers, links, roll, between),
        "exact": ranking.find_missing(registers, pd.concat(exact, ignore_index=True), roll),
    }
    places = ranking.match_places(roll, registers, links, between)
    true = ranking.count_true_places(town)
    ratios = {"three lists": estimate(places) / true, "two lists": estimate(places.iloc[:, :2]) / true}
    planted = {
        (register, f"{seed} {key}"): f"{seed} {of}" for (register, key), of in ranking.list_planted(town, seed).items()
    }
    return {name: one.assign(unique_id=f"{seed} " + one["unique_id"]) for name, one in lists.items()}, planted, ratios


def estimate(places: pd.DataFrame) -> float:
    return recapture.estimate_total(recapture.count_patterns(places))["estimate"]


def order_lists(links: pd.DataFrame, exact: pd.DataFrame, random: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Put the pooled lists into the orders that are compared; equals in random order."""
    mixed = links.sample(frac=1, random_state=random)
    return {
        OURS: mixed.sort_values(["probability", "expected_gbp"], ascending=False, kind="stable"),
        "without a link, by likely value": mixed.sort_values(
            "likely_rateable_value_gbp", ascending=False, kind="stable"
        ),
        "without a link, at random": mixed,
        "without an exact match, at random": exact.sample(frac=1, random_state=random),
    }


def count_right(listed: pd.DataFrame, planted: dict[tuple[str, str], str]) -> list[int]:
    keys = zip(listed["register"], listed["unique_id"], strict=True)
    found = pd.Series([planted.get(key) for key in keys], dtype="str")
    return list((found.notna() & ~found.duplicated()).cumsum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--towns", type=int, default=10)
    parser.add_argument("--council", default="north_lanarkshire")
    given = parser.parse_args()
    began = time.perf_counter()
    towns = [try_town(seed, given.council) for seed in range(1, given.towns + 1)]
    seconds = time.perf_counter() - began
    random = np.random.default_rng(1)
    pooled = {name: pd.concat([one[name] for one, _, _ in towns], ignore_index=True) for name in ("links", "exact")}
    planted = {key: of for _, one, _ in towns for key, of in one.items()}
    shares: dict[str, list[list[float]]] = {}
    for _ in range(SHUFFLES):
        for name, listed in order_lists(pooled["links"], pooled["exact"], random).items():
            right = count_right(listed, planted)
            shares.setdefault(name, []).append([right[n - 1] / n for n in CHECKS])
    rows = sum(len(one["links"]) for one, _, _ in towns)
    businesses = sum(len(set(planted.values())) for _, planted, _ in towns)
    print(
        f"{given.towns} towns, {businesses} businesses planted, {rows} on the list; {seconds / len(towns):.1f} s a town"
    )
    table = pd.DataFrame({name: np.mean(one, axis=0) for name, one in shares.items()}, index=CHECKS).T
    print(f"precision at the first 10, 20, 50 and 100, means over {SHUFFLES} orders of equals")
    print(table.round(3).to_string())
    for name, one in shares.items():
        low, high = np.quantile(np.array(one)[:, -1], [0.025, 0.975])
        print(f"at 100, {name}: {low:.2f} to {high:.2f}")
    for name in ("three lists", "two lists"):
        ratios = [one[name] for _, _, one in towns]
        print(f"estimate by {name} / true: median {np.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
