"""Shifts: how far all positions of a file are off, found by holding it against others, and what is done about it.

Files are settled one after another, from those with most venues in common with what is settled already. The first is
held against museums whose places somebody else has published.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from councilbook.culture.venues.positions import (
    DEGREES,
    GRID,
    METRES,
    SAME_PLACE_M,
    measure_datum,
    read_uprns,
    write_keys,
)

Vector = NDArray[np.float64]

AGREE_M = 20.0  # two positions of a venue that are closer say the same: a building is as large
CONSENSUS_M = 150.0  # matches of a file that move by the same, but for postcodes' middles and other doors
LEAST_SPREAD_M, FEW_SPREAD_M, FEW = 10.0, 30.0, 10  # of matched positions; of few matches it cannot be measured
TELLING, FREE = 2.0, 3.0  # weight of matches from which one of the known errors can be told, and any shift
LEAST_SHARE, MANY = 0.5, 5  # of matches by reference or whole name that must agree, where there are so many
ALMOST_SURE = 9.21  # 99 % point of chi squared with two degrees of freedom
RADIUS_95 = 2.45  # of a normal error in two dimensions, in standard deviations of one
DATUMS = range(-4, 5)  # how often the shift between two datums may have been left out, or done too often
NEAR_DATUM_M, LEAST_ERROR_M = 5.0, 5.0
UNTOLD_M = 400.0  # a little more than the largest error that is known of an official file
REFERENCE = ["strict_key", "loose_key", "uprn_key", "x", "y", "error_m", "source"]
TOWN_M = 5_000.0  # a venue of the same name that is farther away is another town's
REFERENCE_M = 100.0  # of a place that is the middle of a postcode

KEPT, OTHER, MOVED, UNTOLD, REFUSED = "kept", "other pair taken", "moved", "cannot be told", "refused"


@dataclass(frozen=True)
class Settled:
    """A file whose positions are as right as they can be made.

    Attributes:
        rows: of `read_positions`, with x and y (metres; missing where refused), uncertainty_m (radius of 95 %) and
            position_from.
        check: what was found, as a row of `venue_position_checks`.
        error_m: standard error of its shift, in each direction.
    """

    rows: pd.DataFrame
    check: dict[str, object]
    error_m: float


def settle_files(files: Mapping[str, pd.DataFrame], known: pd.DataFrame) -> dict[str, Settled]:
    """Find and repair the systematic error of each file.

    Args:
        files: by id, the rows of `read_positions` with name, and uprn where there is one.
        known: name, x, y of places that somebody else has published.

    Returns:
        The files in the order in which they were settled.
    """
    settled: dict[str, Settled] = {}
    references = _add_keys(known.assign(error_m=0.0, source="places published by others"))[REFERENCE]
    waiting = {name: _add_keys(rows) for name, rows in files.items()}
    while waiting:
        matches = {name: match_venues(rows, references) for name, rows in waiting.items()}
        name = max(waiting, key=lambda one: matches[one]["weight"].sum())
        settled[name] = settle_file(waiting.pop(name), matches[name])
        if settled[name].check["decision"] not in (UNTOLD, REFUSED):
            more = settled[name].rows.assign(error_m=settled[name].error_m, source=name)
            references = pd.concat([references, more[REFERENCE]], ignore_index=True)
    return settled


def _add_keys(rows: pd.DataFrame) -> pd.DataFrame:
    strict, loose = write_keys(rows["name"])
    uprns = read_uprns(rows["uprn"].fillna("")) if "uprn" in rows else ""
    return rows.assign(strict_key=strict, loose_key=loose, uprn_key=uprns)


def match_venues(rows: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Match rows with references by property reference, whole name, or name without the kind of venue.

    Returns:
        A row a match: row (index of rows), x, y and error_m of the reference, source, weight (1, or a half by the loose
        name). A key that stands twice on a side matches nothing.
    """
    found = [pd.DataFrame(columns=["row", "x", "y", "error_m", "source", "weight"])]
    for key, weight in (("uprn_key", 1.0), ("strict_key", 1.0), ("loose_key", 0.5)):
        mine = rows[rows[key].ne("") & ~rows[key].duplicated(keep=False)]
        for source, theirs in reversed(list(references.groupby("source", sort=False))):  # the first is the least exact
            theirs = theirs[theirs[key].ne("") & ~theirs[key].duplicated(keep=False)]
            pairs = mine[[key]].rename_axis("row").reset_index().merge(theirs, on=key)
            found.append(pairs[["row", "x", "y", "error_m"]].assign(source=source, weight=weight))
    every = pd.concat(found[1:] or found).dropna(subset=["x", "y"])
    return every[~every["row"].duplicated()].reset_index(drop=True)  # two references are not two venues


def settle_file(rows: pd.DataFrame, matches: pd.DataFrame) -> Settled:
    """Decide which of a file's pairs is right, or by how much it has to be moved, from its matches; see `Settled`."""
    pairs = [pair for pair in (GRID, DEGREES) if rows[METRES[pair]].notna().all(axis=1).mean() > 0]
    first = max(pairs, key=lambda pair: rows[METRES[pair]].notna().all(axis=1).sum())
    other = next((pair for pair in pairs if pair != first), None)
    gaps = rows[METRES[other]].to_numpy() - rows[METRES[first]].to_numpy() if other else np.full((len(rows), 2), np.nan)
    both = ~np.isnan(gaps).any(axis=1)
    gap = np.median(gaps[both], axis=0) if both.any() else None
    off_gap = np.where(both, np.hypot(*(gaps - (gap if gap is not None else 0)).T), 0.0)
    base = rows[METRES[first]].to_numpy().copy()
    if other and gap is not None:  # a row with the other pair alone
        lacks = np.isnan(base).any(axis=1)
        base[lacks] = rows[METRES[other]].to_numpy()[lacks] - gap
    found = estimate_shift(base[rows.index.get_indexer(pd.Index(matches["row"]))], matches)
    datum = measure_datum(*np.nanmedian(base, axis=0))
    decision, shift, steps = choose_shift(found, gap, datum)
    error = NEAR_DATUM_M / RADIUS_95 if steps is not None else found.error_m
    wide = max(UNTOLD_M, found.farthest_m + REFERENCE_M, 2 * float(np.hypot(*gap)) if gap is not None else 0.0)
    radius = wide if decision == UNTOLD else float(np.hypot(RADIUS_95 * error, AGREE_M))
    placed = base + shift if decision != REFUSED else np.full_like(base, np.nan)
    uncertainty = np.maximum(radius, np.where(off_gap > AGREE_M, off_gap, 0.0))
    if decision not in (UNTOLD, REFUSED):
        uncertainty = _doubt_rows(rows, placed, uncertainty, matches, found)
    named = {KEPT: first, OTHER: other, UNTOLD: first, MOVED: f"{first}, moved"}.get(decision, "")
    check = {
        "rows": len(rows),
        "not_placed": int(np.isnan(placed).any(axis=1).sum()),
        "impossible": int(rows["impossible"].sum()),
        "exchanged": int(rows["exchanged"].sum()),
        "pairs": " and ".join(pairs),
        "gap_m": float(np.hypot(*gap)) if gap is not None else np.nan,
        "gap_spread_m": float(np.median(off_gap[both])) if both.any() else np.nan,
        "contradicting": int((np.hypot(*gaps[both].T) > AGREE_M).sum()),
        "matches": found.count,
        "matched_with": "; ".join(found.sources),
        "shift_east_m": float(shift[0]),
        "shift_north_m": float(shift[1]),
        "datum_steps": steps,
        "decision": decision,
        "position_from": named,
        "uncertainty_m": radius if decision != REFUSED else np.nan,
    }
    done = rows.assign(x=placed[:, 0], y=placed[:, 1], uncertainty_m=uncertainty, position_from=named)
    return Settled(done, check, error)


@dataclass(frozen=True)
class Estimate:
    """By how much a file's positions have to move, as its matches that agree say: metres east and north, its error."""

    shift: Vector
    error_m: float
    spread_m: float
    weight: float
    count: int
    share: float  # of the matches by reference or whole name that agree
    strict: int
    farthest_m: float  # that one of these, in the same town, would move a venue
    sources: tuple[str, ...]


def estimate_shift(own: Vector, matches: pd.DataFrame) -> Estimate:
    """Estimate a shift from matches, most of which may be of other venues: the median of those that agree.

    Args:
        own: position of each match's row.
        matches: of `match_venues`.
    """
    moves = matches[["x", "y"]].to_numpy("float64") - own
    there = ~np.isnan(moves).any(axis=1)
    moves, kept = moves[there], matches[there]
    weights = kept["weight"].to_numpy()
    if not len(moves):
        return Estimate(np.zeros(2), np.nan, np.nan, 0.0, 0, 0.0, 0, 0.0, ())
    support = (squareform(pdist(moves)) < CONSENSUS_M) @ weights
    agree = np.hypot(*(moves - moves[support.argmax()]).T) < CONSENSUS_M
    shift = np.median(moves[agree], axis=0)
    count = int(agree.sum())
    spread = float(np.median(np.hypot(*(moves[agree] - shift).T)) / 1.177)  # Rayleigh: median is 1.177 deviations
    spread = max(spread, FEW_SPREAD_M if count < FEW else LEAST_SPREAD_M)
    error = np.hypot(1.25 * spread / np.sqrt(count), kept["error_m"].to_numpy()[agree].max())
    strict = weights == 1
    share = float(agree[strict].mean()) if strict.any() else 0.0
    far = np.hypot(*moves[strict].T)
    farthest, sources = float(far[far < TOWN_M].max(initial=0.0)), tuple(kept["source"][agree].unique())
    weight, known = float(weights[agree].sum()), int(strict.sum())
    return Estimate(shift, float(error), spread, weight, count, share, known, farthest, sources)


def choose_shift(found: Estimate, gap: Vector | None, datum: Vector) -> tuple[str, Vector, int | None]:
    """Choose what is done with a file: one of the errors that are known, a free shift, nothing, or it is refused.

    Args:
        found: what its matches say.
        gap: from its first pair to its other one; None if it has one.
        datum: see `measure_datum`.

    Returns:
        The decision; metres east and north that the first pair is moved by; how often the datum shift is in that, if
        the two pairs are a whole number of datum shifts apart, as they are where it was forgotten.
    """
    nothing = np.zeros(2)
    if found.strict >= MANY and found.share < LEAST_SHARE:
        return REFUSED, nothing, None
    if found.weight < TELLING:
        return UNTOLD, nothing, None
    apart = 0 if gap is None else round(float(gap @ datum / (datum @ datum)))
    by_datum = gap is not None and apart != 0 and float(np.hypot(*(gap - apart * datum))) < NEAR_DATUM_M
    known: list[tuple[str, Vector, int | None]] = [(KEPT, nothing, 0 if by_datum else None)]
    if gap is not None and float(np.hypot(*gap)) > AGREE_M:
        known.append((OTHER, gap, apart if by_datum else None))
    if by_datum:
        known += [(MOVED, steps * datum, steps) for steps in DATUMS if steps not in (0, apart)]
    error = max(found.error_m, LEAST_ERROR_M)
    off = [float((found.shift - shift) @ (found.shift - shift)) / error**2 for _, shift, _ in known]
    best, *others = sorted(range(len(known)), key=off.__getitem__)
    if off[best] < ALMOST_SURE and all(off[one] - off[best] > ALMOST_SURE for one in others[:1]):
        return known[best]
    if off[best] < ALMOST_SURE or found.weight < FREE:
        return UNTOLD, nothing, None
    return MOVED, found.shift, None


def _doubt_rows(
    rows: pd.DataFrame, placed: Vector, uncertainty: Vector, matches: pd.DataFrame, found: Estimate
) -> Vector:
    """Widen the uncertainty of rows that a reference of the same name, in the same place, puts somewhere else."""
    sure = matches[matches["weight"].eq(1)]
    at = rows.index.get_indexer(pd.Index(sure["row"]))
    far = np.hypot(*(sure[["x", "y"]].to_numpy() - placed[at]).T)
    doubtful = (far > max(REFERENCE_M, 3 * found.spread_m)) & (far < SAME_PLACE_M)
    wider = uncertainty.copy()
    np.maximum.at(wider, at[doubtful], far[doubtful])
    return wider
