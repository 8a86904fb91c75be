"""Does the score find the job that somebody describes? It is tried on every occupation, beside two plain scores."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from councilbook.careers.options.scores import pivot_skills

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

FIRST = 20  # places that somebody may look through
STRONGEST = 5
OURS, COSINE, OVERLAP = "this page's score", "cosine", "weighted overlap"
FIVE, ANY = "its five strongest skills", "any five of its twenty"
CLOSE = 1e-9  # scores that differ by less are equal


def try_scores(weighed: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Try three scores on every occupation: is it among the first 20 of who ticks its skills?

    Ties are counted at their worst place, and once more at their best. Beside the five strongest skills, which a score
    could be made for, people tick fewer, or one that is wrong, or any that the job needs.

    Args:
        weighed: soc_code, skill, rating, weight.
        seed: of the skills that are drawn.

    Returns:
        ticked (in words), score (its name), found_pct and found_at_best_pct (of the occupations), occupations.
    """
    ratings = pivot_skills(weighed, "soc_code", "rating").to_numpy()
    weights = pivot_skills(weighed, "soc_code", "weight").to_numpy()
    rows = []
    for ticked, ticks in _list_trials(ratings, np.random.default_rng(seed)):
        chosen = ticks.astype(np.float64)
        scores = {
            OURS: chosen @ weights.T,
            COSINE: chosen @ (ratings / np.linalg.norm(ratings, axis=1, keepdims=True)).T,
            OVERLAP: chosen @ ratings.T,
        }
        rows += [(ticked, name, *_count_found(score), len(ratings)) for name, score in scores.items()]
    return pd.DataFrame(rows, columns=["ticked", "score", "found_pct", "found_at_best_pct", "occupations"])


def _list_trials(ratings: Numbers, rng: np.random.Generator) -> Iterator[tuple[str, Flags]]:
    """Tick skills for each occupation in several ways; of equal ratings the first in the alphabet are the stronger."""
    order = np.argsort(-ratings, axis=1, kind="stable")
    strongest = order[:, :STRONGEST]
    yield FIVE, _tick(ratings, strongest)
    three = rng.permuted(strongest, axis=1)[:, :3]
    yield "three of its five strongest", _tick(ratings, three)
    others = [rng.choice(row[STRONGEST:]) for row in order]
    yield "four of them, and any other skill", _tick(ratings, np.column_stack([strongest[:, :4], others]))
    needed = [
        rng.choice(row[: np.count_nonzero(rated)], STRONGEST, replace=False)
        for row, rated in zip(order, ratings, strict=True)
    ]
    yield ANY, _tick(ratings, np.array(needed))


def _tick(ratings: Numbers, columns: NDArray[np.int64]) -> Flags:
    ticks = np.zeros(ratings.shape, dtype=bool)
    np.put_along_axis(ticks, columns, True, axis=1)
    return ticks


def _count_found(scores: Numbers) -> tuple[float, float]:
    """Return the shares found, with ties at their worst and at their best place; a row a person, a column a job."""
    own = np.diag(scores)[:, None]
    worst = (scores >= own - CLOSE).sum(axis=1)
    best = 1 + (scores > own + CLOSE).sum(axis=1)
    return _share_first(worst), _share_first(best)


def _share_first(places: NDArray[np.int64]) -> float:
    return round(100 * float((places <= FIRST).mean()), 1)
