"""Clerical review: which links a person looks at, and what the verdicts say about all of them.

A sample is drawn by bands of probability, as many pairs from each, so that doubtful links are looked at as closely as
sure ones though they are few. It holds no name and no address: the analyst sees those in the closed folder, and what
is kept of a review is a pair's id (a hash) and the verdict.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from councilbook.errors import CheckError

BANDS = (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
VERDICTS = ("link", "no link", "unsure")
DRAWS, LEVEL = 20_000, 0.95
LEAST_COVERED = 0.9  # of a register's links, those in bands of which somebody has looked at one


@dataclass(frozen=True)
class PrecisionEstimate:
    """Share of links that are right, with its interval, and how many were reviewed."""

    precision: float
    low: float
    high: float
    reviewed: int


def name_pair(property_reference: str, register: str, unique_id: str) -> str:
    """An id of a link that tells nothing of it: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(f"{property_reference}|{register}|{unique_id}".encode()).hexdigest()[:16]


def draw_clerical_sample(
    links: pd.DataFrame, size: int | None = 100, bands: tuple[float, ...] = BANDS, seed: int = 1
) -> pd.DataFrame:
    """Draw links for review, as many from each band of probability (all of a band that has fewer, or if size is None).

    A pair's place in the draw hangs on its own id and the seed alone (permanent random numbers): where a model is
    changed a little, most of the sample stays, and so do the verdicts on it.
    Returns pair_id, property_reference, register, unique_id, match_probability, band and band_links (how many links
    the band has), in the order of the draw. Raises `CheckError` where a link's probability is in no band.
    """
    band = pd.cut(links["match_probability"], list(bands), include_lowest=True).astype("string")
    if missing := int(band.isna().sum()):
        raise CheckError(f"match_probability of {missing} links is outside {bands[0]} to {bands[-1]}")
    keys = links[["property_reference", "register", "unique_id"]].astype(str)
    pairs = [name_pair(*row) for row in keys.itertuples(index=False)]
    marked = links.assign(pair_id=pairs, band=band.to_numpy(), band_links=band.map(band.value_counts()).to_numpy())
    draw = [hashlib.sha256(f"{seed} {pair}".encode()).hexdigest() for pair in pairs]
    share = len(links) if size is None else -(-size // (len(bands) - 1))
    sample = marked.assign(draw=draw).sort_values("draw").groupby("band", sort=False).head(share)
    columns = ["pair_id", "property_reference", "register", "unique_id", "match_probability", "band", "band_links"]
    return sample[columns].reset_index(drop=True)


def lay_out_review(sample: pd.DataFrame, roll: pd.DataFrame, registers: pd.DataFrame) -> pd.DataFrame:
    """Put what both sides say beside each pair of a sample, for the clerk who judges it. Closed: it names people.

    Args:
        sample: from `draw_clerical_sample`.
        roll: the roll.
        registers: register, unique_id, name, address, postcode and kind of every register.

    Returns:
        pair_id, register, band, match_probability, and of each side name, address, postcode and use.
    """
    ours = {
        "property_reference": "property_reference",
        "ratepayer_name": "roll_name",
        "trading_name": "roll_trading_name",
        "address": "roll_address",
        "postcode": "roll_postcode",
        "description": "roll_use",
    }
    theirs = {"register": "register", "unique_id": "unique_id", "name": "register_name"}
    theirs |= {name: f"register_{name}" for name in ("address", "postcode")} | {"kind": "register_use"}
    both = sample.merge(roll[list(ours)].rename(columns=ours), on="property_reference", validate="m:1")
    records = registers[list(theirs)].rename(columns=theirs).drop_duplicates(["register", "unique_id"])
    both = both.merge(records, on=["register", "unique_id"], validate="m:1")
    shown = [name for name in [*ours.values(), *theirs.values()] if name not in ("property_reference", "unique_id")]
    columns = ["pair_id", "band", "match_probability", *shown]
    return both[columns].sort_values(["register", "band", "pair_id"], ignore_index=True)


def tabulate_review(links: pd.DataFrame, verdicts: Mapping[str, str]) -> pd.DataFrame:
    """Say of how many links of each register a clerk finds how many right; see `estimate_precision`.

    Args:
        links: all that are used, in their bands, from `draw_clerical_sample`.
        verdicts: by pair_id, on links that were drawn from bands, now or for an earlier version of the same model;
            those on links that are not used any more say nothing.

    Returns:
        register, links, reviewed, right, right_low, right_high, whole numbers; only registers of which LEAST_COVERED of
        the links are in bands with a verdict. The other links count as wrong, but for the upper end.
    """
    rows = []
    for register, pairs in links.groupby("register"):
        judged = pairs[pairs["pair_id"].isin(list(verdicts))]
        covered = pairs[pairs["band"].isin(judged["band"])]
        if len(covered) >= LEAST_COVERED * len(pairs):
            found = estimate_precision(covered, {pair: verdicts[pair] for pair in judged["pair_id"]})
            right, low, high = (round(share * len(covered)) for share in (found.precision, found.low, found.high))
            rows.append((register, len(pairs), found.reviewed, right, low, high + len(pairs) - len(covered)))
    return pd.DataFrame(rows, columns=["register", "links", "reviewed", "right", "right_low", "right_high"])


def estimate_precision(sample: pd.DataFrame, verdicts: Mapping[str, str]) -> PrecisionEstimate:
    """The precision of all links from the verdicts on a sample, by pair_id: "link", "no link" or "unsure" (not right).

    Stratified: each band's share of right links, weighted by how many links the band has. The 95 % interval is that of
    20,000 draws of every band's share from its Jeffreys posterior, Beta(right + 1/2, wrong + 1/2); see Brown, Cai and
    DasGupta (2001), "Interval Estimation for a Binomial Proportion", Statistical Science 16(2). A band that was
    reviewed whole has no error. Raises `CheckError` where a verdict is unknown or a band has none.
    """
    if wrong := {verdict for verdict in verdicts.values() if verdict not in VERDICTS}:
        raise CheckError(f"{len(wrong)} kinds of verdict are unknown; expected {', '.join(VERDICTS)}")
    judged = sample.assign(verdict=sample["pair_id"].map(dict(verdicts))).dropna(subset="verdict")
    right = (judged["verdict"] == "link").groupby(judged["band"]).agg(["size", "sum"])
    links = sample.groupby("band")["band_links"].first()
    if len(right) < len(links):
        raise CheckError(f"{len(links) - len(right)} bands of probability have no verdict at all")
    reviewed, hits, of_band = (one.to_numpy(float) for one in (right["size"], right["sum"], links))
    weights, found = of_band / of_band.sum(), hits / reviewed
    draws = np.random.default_rng(1).beta(hits + 0.5, reviewed - hits + 0.5, (DRAWS, len(links)))
    shares = np.where(reviewed == of_band, found, draws)
    low, high = np.quantile(shares @ weights, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    precision = float(weights @ found)
    # where all were right, or none, the draws lie to one side
    return PrecisionEstimate(precision, min(float(low), precision), max(float(high), precision), len(judged))
