"""Errors that are put into a file of venues whose places are right, and how well the repair finds them."""

import numpy as np
import pandas as pd

from councilbook.culture.venues.positions import DEGREES, GRID, METRES, measure_datum
from councilbook.culture.venues.shifts import Settled, settle_files

LEAST_M, MOST_M = 50.0, 1_500.0  # how far a file is moved
FEW = 3  # references of the hard trials


def try_shifts(settled: Settled, known: pd.DataFrame, rng: np.random.Generator, trials: int = 12) -> pd.DataFrame:
    """Move a settled file by errors that nobody has seen, repair it, and measure how far off its venues then are.

    A third of the trials leaves datum shifts out of both pairs, a third moves both pairs by the same, and a third each
    by another. Half of the references are held out of the repair; in every other trial all but three.

    Args:
        settled: a file whose places are right, as far as is known.
        known: name, x, y of places that others have published.
        rng: random numbers.

    Returns:
        A row a trial: error (what was put in), moved_m, references, decision, error_m (median over venues), stated_m,
        is_covered (whether the median error is within the stated uncertainty).
    """
    rows = settled.rows.dropna(subset=["x", "y"])
    true = rows[["x", "y"]].to_numpy()
    datum = measure_datum(*true.mean(axis=0))
    results = []
    for number in range(trials):
        kind = ("datum left out", "both alike", "each another")[number % 3]
        first, second = _draw_shifts(kind, datum, rng)
        held = known.sample(frac=0.5, random_state=rng)
        if number % 2:
            held = held[held["name"].isin(set(rows["name"]))].head(FEW)
        moved = rows.copy()
        moved[METRES[GRID]], moved[METRES[DEGREES]] = true + first, true + second
        done = settle_files({"trial": moved}, held)["trial"]
        errors = np.hypot(*(done.rows[["x", "y"]].to_numpy() - true).T)
        error, stated = float(np.nanmedian(errors)), float(done.rows["uncertainty_m"].median())
        results.append(
            {
                "error": kind,
                "moved_m": float(np.hypot(*first)),
                "references": len(held),
                "decision": done.check["decision"],
                "error_m": error,
                "stated_m": stated,
                "is_covered": error <= stated,
            }
        )
    return pd.DataFrame(results)


def _draw_shifts(kind: str, datum: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    if kind == "datum left out":
        steps = rng.choice([-3, -2, -1, 1, 2, 3])
        return steps * datum, (steps + rng.choice([-1, 1])) * datum
    angles, sizes = rng.uniform(0, 2 * np.pi, 2), rng.uniform(LEAST_M, MOST_M, 2)
    shifts = np.column_stack([np.cos(angles), np.sin(angles)]) * sizes[:, None]
    return shifts[0], shifts[0] if kind == "both alike" else shifts[1]
