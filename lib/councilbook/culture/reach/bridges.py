"""The bridge score: which venues lie between areas of low and of high engagement, and how sure that is."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, norm, rankdata

from councilbook.culture.reach.homes import ENGAGED, Floats, Homes
from councilbook.methods.travel.ground import Pace, Streets, measure_ways

DEGREE_M = 111_195  # metres of a degree of latitude
POSITIONS = 20  # where a venue may be, drawn within its uncertainty
RANGE = (0.05, 0.95)  # nine draws in ten lie between
THIRDS = ("lowest", "middle", "highest")


def draw_engagement(people: pd.DataFrame, rng: np.random.Generator, draws: int) -> Floats:
    """Draw what engagement may be, each area on its own: a row a draw, a column an area, per cent.

    The 95% interval is taken as normal in log odds. Errors that areas share move all of them together, and change
    neither thirds nor ranks.
    """
    low, middle, high = logit(np.clip(people[ENGAGED].to_numpy() / 100, 1e-4, 1 - 1e-4)).T
    error = (high - low) / (2 * norm.ppf(0.975))
    drawn: Floats = 100 * expit(middle + error * rng.normal(size=(draws, len(people))))
    return drawn


def find_thirds(engaged: Floats, adults: Floats) -> NDArray[np.int64]:
    """Put areas (last axis) into thirds of all adults by engagement: 0 the lowest, 2 the highest."""
    order = np.argsort(engaged, axis=-1, kind="stable")
    placed = adults[order]
    middle = (placed.cumsum(axis=-1) - placed / 2) / adults.sum()
    thirds = np.empty(order.shape, np.int64)
    np.put_along_axis(thirds, order, np.minimum((middle * 3).astype(np.int64), 2), axis=-1)
    return thirds


def score_bridges(low: Floats, middle: Floats, high: Floats) -> Floats:
    """Score bridges: of 100 adults within reach, how many can be put into pairs of one from each side.

    Args:
        low, middle, high: adults within reach from areas of each third of engagement.

    Returns:
        200 min(low, high) over all three: 0 where one side is missing, 100 where half come from each; NaN with nobody.
    """
    everyone = (low + high) + middle  # in this order it is the same whichever side is which
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.minimum(200 * np.minimum(low, high) / everyone, 100)
    return np.asarray(np.where(everyone > 0, share, np.nan))


def rank_scores(scores: Floats) -> Floats:
    """Rank scores along the last axis, 1 for the highest; those of 0, or without a score, are all last."""
    ranks = rankdata(-np.nan_to_num(scores), method="min", axis=-1)
    return np.asarray(np.where(np.nan_to_num(scores) > 0, ranks, scores.shape[-1]), "float64")


def move_venues(venues: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move each venue at random, so that 95 of 100 stay within its `uncertainty_m`; not at all if that is not known."""
    far = venues["uncertainty_m"].fillna(0).to_numpy() / np.sqrt(chi2.ppf(0.95, df=2))
    north, east = far * rng.normal(size=(2, len(venues))) / DEGREE_M
    east /= np.cos(np.radians(venues["latitude"].to_numpy()))
    return venues.assign(latitude=venues["latitude"] + north, longitude=venues["longitude"] + east)


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

    Scores and ranks are drawn anew with other values of engagement within their intervals, and other positions of the
    venues; the middle draw counts. What the estimates alone give is plain_pct and plain_rank: it is too low where areas
    lie more mixed than their estimates show.

    Args:
        homes, people: of the same areas, in one order.
        venues: venue_id, name, kind, latitude, longitude, uncertainty_m.
        pace, streets: on foot; see `measure_ways`.
        metres: walking distances, along the way.
        rng, draws: of the draws, and how many.

    Returns:
        A point a venue and distance. Venues that nobody lives near have no score and no rank.
    """
    adults = people["adults"].to_numpy()
    thirds = find_thirds(np.vstack([people["engaged_pct"], draw_engagement(people, rng, draws)]), adults)
    batches = [thirds[:1], *np.array_split(thirds[1:], POSITIONS)]  # the first is what is estimated
    moved = [venues, *(move_venues(venues, rng) for _ in range(POSITIONS))]
    seconds = [one / pace.limit_metres(1) for one in metres]
    ways = [measure_ways(homes.points, one, pace, streets, max(seconds)) for one in moved]
    parts = []
    for distance, limit in zip(metres, seconds, strict=True):
        near = [adults[:, None] * homes.share_within(one, limit) for one in ways]
        sides = [
            np.vstack([(batch == third).astype("float64") @ one for batch, one in zip(batches, near, strict=True)])
            for third in range(3)
        ]
        scores = score_bridges(*sides)
        tried, ranks = np.nan_to_num(scores[1:]), rank_scores(scores[1:])
        counted = {"adults": sides[0] + sides[1] + sides[2], "low_adults": sides[0], "high_adults": sides[2]}
        table = venues[["venue_id", "name", "kind"]].reset_index(drop=True).assign(walk_metres=distance)
        table = table.assign(**{name: counts[0].round().astype("int64") for name, counts in counted.items()})
        is_near = np.isfinite(scores[0])
        for name, share in (("low_", RANGE[0]), ("", 0.5), ("high_", RANGE[1])):
            table[f"bridge_{name}pct"] = np.where(is_near, np.quantile(tried, share, axis=0), np.nan)
        table["rank"] = rank_scores(table["bridge_pct"].to_numpy())
        ends = (np.quantile(ranks, one, axis=0, method="nearest") for one in RANGE)
        table["rank_first"], table["rank_last"] = ends
        table["first_pct"] = (ranks == 1).mean(axis=0) * 100
        table["plain_pct"], table["plain_rank"] = scores[0], rank_scores(scores[0])
        uncertain = table.columns[table.columns.get_loc("rank") :]
        table[uncertain] = table[uncertain].mask(table["bridge_pct"].isna())
        parts.append(table.assign(venues=int(table["bridge_pct"].notna().sum())))
    whole = dict.fromkeys(["rank", "rank_first", "rank_last", "plain_rank"], "Int64")
    bridges = pd.concat(parts, ignore_index=True).astype(whole)
    spots = gpd.GeoSeries.from_xy(venues["longitude"], venues["latitude"], crs=4326)
    return gpd.GeoDataFrame(bridges, geometry=np.tile(spots.to_numpy(), len(metres)), crs=4326)
