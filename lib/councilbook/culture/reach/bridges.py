"""The bridge score: which venues lie between areas of low and of high engagement, and how sure that is."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from councilbook.culture.reach.homes import Floats, Homes
from councilbook.methods.travel.ground import Pace, Streets, measure_ways

DEGREE_M = 111_195  # metres of a degree of latitude
POSITIONS = 20  # where a venue may be, drawn within its uncertainty
RANGE = (0.05, 0.95)  # nine draws in ten lie between
THIRDS = ("lowest", "middle", "highest")
Booleans = NDArray[np.bool_]


def draw_engagement(people: pd.DataFrame, rng: np.random.Generator, draws: int) -> Floats:
    """Draw what engagement may be, each area on its own: a row a draw, a column an area, per cent.

    The 95% interval is taken as normal in log odds. Errors that areas share move all of them together, and change
    neither thirds nor ranks.
    """
    ends = people[["engaged_low_pct", "engaged_pct", "engaged_high_pct"]].to_numpy() / 100
    low, middle, high = logit(np.clip(ends, 1e-4, 1 - 1e-4)).T
    error = (high - low) / (2 * norm.ppf(0.975))
    drawn: Floats = 100 * expit(middle + error * rng.normal(size=(draws, len(people))))
    return drawn


def find_thirds(engaged: Floats, adults: Floats) -> NDArray[np.int64]:
    """Put areas (columns) into thirds of all adults by engagement, in each row: 0 the lowest, 2 the highest."""
    order = np.argsort(engaged, axis=-1, kind="stable")
    placed = adults[order]
    middle = (placed.cumsum(axis=-1) - placed / 2) / adults.sum()
    thirds = np.empty(order.shape, np.int64)
    np.put_along_axis(thirds, order, np.minimum((middle * 3).astype(np.int64), 2), axis=-1)
    return thirds


def score_bridges(low: Floats, high: Floats, everyone: Floats) -> Floats:
    """Score bridges: of 100 adults within reach, how many can be put into pairs of one from each side.

    Args:
        low, high: adults within reach from areas of the lowest, and of the highest, third of engagement.
        everyone: all adults within reach.

    Returns:
        200 min(low, high) / everyone: 0 where one side is missing, 100 where half come from each; NaN with nobody.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        score: Floats = 200 * np.minimum(low, high) / everyone
    return np.where(everyone > 0, score, np.nan)


def rank_scores(scores: Floats) -> Floats:
    """Rank scores along the last axis, 1 for the highest; equal ones share the better rank, NaN comes last."""
    ranks: Floats = rankdata(-np.where(np.isnan(scores), -1, scores), method="min", axis=-1).astype("float64")
    return ranks


def move_venues(venues: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move each venue at random to a point within its uncertainty (`uncertainty_m`, none if it is not known)."""
    far = venues["uncertainty_m"].fillna(0).to_numpy() * np.sqrt(rng.random(len(venues)))
    turn = rng.uniform(0, 2 * np.pi, len(venues))
    latitude = venues["latitude"] + far * np.cos(turn) / DEGREE_M
    east = far * np.sin(turn) / (DEGREE_M * np.cos(np.radians(venues["latitude"])))
    return venues.assign(latitude=latitude, longitude=venues["longitude"] + east)


def compare_bridges(
    homes: Homes,
    people: pd.DataFrame,
    venues: pd.DataFrame,
    pace: Pace,
    streets: Streets | None,
    metres: Sequence[int],
    rng: np.random.Generator,
    draws: int,
) -> gpd.GeoDataFrame:
    """Compare venues by their bridge score at several walking distances, as the dataset venue_bridges has it.

    Ranks are drawn anew with other values of engagement within their intervals, and other positions of the venues.

    Args:
        homes: where people live.
        people: of the same areas, in one order; see `count_people`.
        venues: venue_id, name, kind, latitude, longitude, uncertainty_m.
        pace: on foot, of which the factor counts where there are no streets.
        streets: of an extract, if there is one.
        metres: walking distances, along the way.
        rng: of the draws.
        draws: how many.

    Returns:
        A point a venue and distance. Venues that nobody lives near have no score and no rank.
    """
    adults = people["adults"].to_numpy()
    drawn = find_thirds(draw_engagement(people, rng, draws), adults)
    now = find_thirds(people["engaged_pct"].to_numpy()[None], adults)
    seconds = [one / pace.limit_metres(1) for one in metres]

    def share(places: pd.DataFrame) -> list[Floats]:
        ways = measure_ways(homes.points, places, pace, streets, max(seconds))
        return [adults[:, None] * homes.share_within(ways, one) for one in seconds]

    def split(thirds: NDArray[np.int64], near: Floats) -> tuple[Floats, Floats, Floats]:
        low, high = ((thirds == one).astype("float64") @ near for one in (0, 2))
        return low, high, np.broadcast_to(near.sum(axis=0), low.shape)

    here = share(venues)
    moved = [share(move_venues(venues, rng)) for _ in range(POSITIONS)]
    batches = np.array_split(drawn, POSITIONS)
    parts = []
    for number, distance in enumerate(metres):
        low, high, everyone = split(now, here[number])
        score = score_bridges(low, high, everyone)[0]
        tried = np.vstack([score_bridges(*split(one, near[number])) for one, near in zip(batches, moved, strict=True)])
        ranks = rank_scores(tried)
        first, last = (np.quantile(ranks, one, axis=0, method="nearest") for one in RANGE)
        bottom, top = np.quantile(np.nan_to_num(tried), RANGE, axis=0)
        table = venues[["venue_id", "name", "kind"]].reset_index(drop=True).assign(walk_metres=distance)
        for name, counts in (("adults", everyone), ("low_adults", low), ("high_adults", high)):
            table[name] = counts[0].round().astype("int64")
        table = table.assign(bridge_pct=score, bridge_low_pct=bottom, bridge_high_pct=top)
        table = table.assign(rank=rank_scores(score), rank_first=first, rank_last=last)
        table = table.assign(first_pct=(ranks == 1).mean(axis=0) * 100, venues=int(np.isfinite(score).sum()))
        unknown = table["bridge_pct"].isna()
        uncertain = ["bridge_low_pct", "bridge_high_pct", "rank", "rank_first", "rank_last", "first_pct"]
        table[uncertain] = table[uncertain].mask(unknown)
        parts.append(table.astype(dict.fromkeys(["rank", "rank_first", "rank_last"], "Int64")))
    bridges = pd.concat(parts, ignore_index=True)
    spots = gpd.GeoSeries.from_xy(venues["longitude"], venues["latitude"], crs=4326)
    return gpd.GeoDataFrame(bridges, geometry=np.tile(spots.to_numpy(), len(metres)), crs=4326)


def name_thirds(people: pd.DataFrame) -> "pd.Series[str]":
    """Name the third of engagement that each area is in."""
    thirds = find_thirds(people["engaged_pct"].to_numpy()[None], people["adults"].to_numpy())[0]
    return pd.Series(np.array(THIRDS)[thirds], index=people.index)
