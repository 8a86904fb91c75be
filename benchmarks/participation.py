"""How long a multilevel model of a whole survey takes, and whether it agrees with statsmodels' variational fit.

    python benchmarks/participation.py [--people N] [--runs N]

Both fit the same groups, without weights, to the answers of invented people, in turn. Processor seconds are medians.
The peer has one variance a factor as ours does, and no slopes; so ours gets none either.
"""

import argparse
import statistics
import time

import numpy as np
import pandas as pd
from scipy.special import expit
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

from councilbook.culture.people.poststratify import fit_model, make_design

LEVELS = {"region": 9, "imd_decile": 10, "age": 5, "tenure": 3, "occupation": 6, "ethnicity": 2}


def make_people(people: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.integers(0, count, people).astype(str) for name, count in LEVELS.items()})
    effects = {name: rng.normal(0, 0.4, count) for name, count in LEVELS.items()}
    wish = sum(effects[name][table[name].astype(int)] for name in LEVELS) - 0.3
    return table.assign(weight=1.0, yes=(rng.random(people) < expit(wish)).astype(float), truth=expit(wish))


def fit_peer(people: pd.DataFrame) -> np.ndarray:
    random = {name: f"0 + C({name})" for name in LEVELS}
    model = BinomialBayesMixedGLM.from_formula("yes ~ 1", random, people)
    found = model.fit_vb()
    return expit(model.exog @ found.fe_mean + model.exog_vc @ found.vc_mean)


def fit_ours(people: pd.DataFrame) -> np.ndarray:
    model = fit_model(people, "yes", list(LEVELS), [])
    return expit(make_design(people, model.levels, []) @ model.mean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, default=33_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {"councilbook": [], "statsmodels": []}
    fitted = {}
    people = make_people(options.people, 1)
    for _ in range(options.runs):
        for name, fit in (("councilbook", fit_ours), ("statsmodels", fit_peer)):
            start = time.process_time()
            fitted[name] = fit(people)
            seconds[name].append(time.process_time() - start)
    middle = {name: statistics.median(one) for name, one in seconds.items()}
    for name, chance in fitted.items():
        error = 100 * np.sqrt(((chance - people["truth"]) ** 2).mean())
        print(f"{name}: {middle[name]:.2f} processor seconds, {error:.2f} points off the true chances")
    apart = 100 * np.abs(fitted["councilbook"] - fitted["statsmodels"]).max()
    print(f"ratio {middle['councilbook'] / middle['statsmodels']:.3f}; at most {apart:.2f} points apart")


if __name__ == "__main__":
    main()
