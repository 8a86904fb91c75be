"""How good and how quick plans of events are: spopt, scipy's HiGHS, and one place after another.

    python benchmarks/culture_reach.py [--runs N]

Invented towns of homes and candidates on a square, with as many adults in each home as drawn. Each plan chooses places
that have most of them within a walk, by straight lines. "exact" is what the culture study plans with (spopt and HiGHS).
"scipy" is what it plans anew for each draw with (HiGHS as well), and "greedy" takes one place after another. Both exact
ones must agree to the gap that they are given. Seconds are those of one processor, medians of the runs.
"""

import argparse
import itertools
import statistics
import time

import numpy as np

from councilbook.culture.reach.events import GAP, choose_exact, choose_greedily, choose_quickly

WAYS = {"exact": choose_exact, "scipy": choose_quickly, "greedy": choose_greedily}
SIZES = ((600, 100), (1_000, 300))  # homes and candidates
NUMBERS = (3, 5, 10)
WALKS_M = (800, 1_600)
SIDE_M = 6_000  # of the square


def make_town(homes: int, candidates: int, walk: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw which candidates each home has near, and how many adults of it do not take part."""
    here, there = rng.uniform(0, SIDE_M, (homes, 2)), rng.uniform(0, SIDE_M, (candidates, 2))
    return np.linalg.norm(here[:, None] - there, axis=2) <= walk, rng.lognormal(4, 0.6, homes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    choose_exact(*make_town(50, 10, 800, np.random.default_rng(0)), 2)  # imports and greetings
    rows = []
    for size, walk, number, run in itertools.product(SIZES, WALKS_M, NUMBERS, range(options.runs)):
        near, weights = make_town(*size, walk, np.random.default_rng([run, size[0]]))
        found = {}
        for way, choose in WAYS.items():
            start = time.process_time()
            chosen = choose(near, weights, number)
            seconds = time.process_time() - start
            found[way] = (seconds, float(weights[near[:, chosen].any(axis=1)].sum()))
        assert abs(found["exact"][1] / found["scipy"][1] - 1) <= 2 * GAP, "the exact plans differ"
        rows.append(((*size, walk, number), found))
    print(f"medians of {options.runs} runs")
    print("| homes | candidates | metres | places | way | processor seconds | of exact's seconds | of exact's reach |")
    print("|---|---|---|---|---|---|---|---|")
    for case in dict.fromkeys(case for case, _ in rows):
        own = [found for one, found in rows if one == case]
        for way in WAYS:
            seconds = statistics.median(one[way][0] for one in own)
            ratio = statistics.median(one[way][0] / one["exact"][0] for one in own)
            reach = statistics.median(one[way][1] / one["exact"][1] for one in own)
            cells = (*case, way, f"{seconds:.3f}", f"{ratio:.3f}", f"{reach:.4f}")
            print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
