"""Where a programme or a mobile event reaches most people who do not take part: exact plans, simple ones, and draws.

Maximal covering (Church and ReVelle, "The maximal covering location problem", 1974) and the p-median (Hakimi, "Optimum
locations of switching centers", 1964), both as spopt writes them and HiGHS solves them.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pulp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack
from spopt.locate import MCLP, PMedian

from councilbook.culture.reach import statements as words
from councilbook.culture.reach.bridges import RANGE
from councilbook.culture.reach.homes import Floats, Homes, gather_homes
from councilbook.errors import ParameterError
from councilbook.methods.travel.ground import Pace, Streets, measure_ways

CENTRE = "area centre"
MOST_POINTS = 900  # of homes, in a plan
MOST_CANDIDATES = 300
MOST_PAIRS = 14_000  # of areas and candidates, in a plan of shortest ways
LONGEST = 6 * 3600  # seconds on foot
GAP = 0.002  # share of the best that an exact plan may lack
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Ground:
    """What plans choose from.

    Attributes:
        homes: fewer points of homes, so that a plan is found within seconds.
        candidates: a row a place: place_id, name, kind, lsoa21_code, latitude, longitude, is_venue.
        is_near: a row a point of homes, a column a candidate: whether it is within the walk.
        left_out: candidates that were left out, those with fewest people near.
    """

    homes: Homes
    candidates: pd.DataFrame
    is_near: NDArray[np.bool_]
    left_out: int

    def choose_from(self, plan: str) -> Indices:
        """Return which candidates a plan may choose."""
        is_venue = self.candidates["is_venue"].to_numpy()
        return np.flatnonzero(is_venue | (plan != words.AT_VENUES))

    def list_counted(self, plan: str) -> NDArray[np.bool_]:
        """Tell which points count in a plan: all, or beyond venues those that have none near."""
        at_venue = self.is_near[:, self.candidates["is_venue"].to_numpy()].any(axis=1)
        return np.asarray(~at_venue | (plan != words.BEYOND))

    def weigh(self, not_engaged: Floats, plan: str) -> Floats:
        """Return how many who do not take part each point stands for, if it counts."""
        weights: Floats = (self.homes.spread.T @ not_engaged) * self.list_counted(plan)
        return weights

    def count_reached(self, chosen: Indices, tries: Floats, plan: str) -> Floats:
        """Count who has one of the chosen places near; tries has a row a draw, a column an area."""
        is_reached = self.is_near[:, chosen].any(axis=1) & self.list_counted(plan)
        counted: Floats = tries @ (self.homes.spread @ is_reached.astype("float64"))
        return counted


def lay_ground(
    homes: Homes, people: pd.DataFrame, venues: pd.DataFrame, pace: Pace, streets: Streets | None, minutes: float
) -> Ground:
    """Put together venues and the middle of each area as places for events, with who is near on foot.

    Args:
        homes, people: of the same areas, in one order.
        venues: venue_id, name, kind, lsoa21_code, latitude, longitude.
        pace, streets, minutes: how people walk, see `measure_ways`, and for how long at most.
    """
    each = max(1, MOST_POINTS // len(homes.centres))
    codes = homes.centres["lsoa21_code"].tolist()
    some = gather_homes(homes.points.groupby("lsoa21_code").head(each), codes)
    own = venues.rename(columns={"venue_id": "place_id"}).assign(is_venue=True)
    middle = some.centres.assign(place_id=some.centres["lsoa21_code"], kind=CENTRE, is_venue=False)
    middle["name"] = "Middle of " + people["lsoa21_name"]
    columns = ["place_id", "name", "kind", "lsoa21_code", "latitude", "longitude", "is_venue"]
    candidates = pd.concat([own[columns], middle[columns]], ignore_index=True)
    near = measure_ways(some.points, candidates, pace, streets, minutes * 60) <= minutes * 60
    most = some.spread.T @ people["not_engaged_adults"].to_numpy() @ near + 1e9 * candidates["is_venue"].to_numpy()
    kept = np.sort(np.argsort(-most, kind="stable")[: max(MOST_CANDIDATES, len(own))])
    left_out = len(candidates) - len(kept)
    return Ground(some, candidates.iloc[kept].reset_index(drop=True), near[:, kept], left_out)


def group_points(is_near: NDArray[np.bool_], weights: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Group points that have the same places near, and drop those without one: their places, and their weights."""
    patterns, group = np.unique(is_near, axis=0, return_inverse=True)
    sums: Floats = np.bincount(group.ravel(), weights, minlength=len(patterns)).astype("float64")
    kept = patterns.any(axis=1) & (sums > 0)
    return patterns[kept], sums[kept]


def choose_exact(is_near: NDArray[np.bool_], weights: Floats, number: int) -> Indices:
    """Choose the places that together have most weight near, with spopt and HiGHS."""
    patterns, sums = group_points(is_near, weights)
    model = MCLP.from_cost_matrix(np.where(patterns, 0.0, 1.0), sums, 0.5, p_facilities=number)
    model.solve(pulp.HiGHS(msg=False, gapRel=GAP), results=False)
    return np.flatnonzero([one.value() > 0.5 for one in model.fac_vars])


def choose_quickly(is_near: NDArray[np.bool_], weights: Floats, number: int) -> Indices:
    """Choose as `choose_exact` does, by the same programme written sparse for scipy, for many draws."""
    patterns, sums = group_points(is_near, weights)
    groups, places = patterns.shape
    whole = np.append(np.ones(places), np.zeros(groups))  # that a group is reached follows
    limits = [
        LinearConstraint(hstack([csr_array(-patterns.astype("float64")), eye_array(groups)]).tocsr(), -np.inf, 0),
        LinearConstraint(whole[None], number, number),
    ]
    cost = np.append(np.zeros(places), -sums)
    found = milp(cost, constraints=limits, integrality=whole, bounds=Bounds(0, 1), options={"mip_rel_gap": GAP})
    return np.flatnonzero(found.x[:places] > 0.5)


def choose_greedily(is_near: NDArray[np.bool_], weights: Floats, number: int) -> Indices:
    """Choose one place after another, each time the one that adds most."""
    left, chosen = weights.copy(), list[int]()
    for _ in range(number):
        gain = left @ is_near
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        left = left * ~is_near[:, chosen[-1]]
    return np.array(chosen)


def choose_shortest(ground: Ground, not_engaged: Floats, number: int, pace: Pace, streets: Streets | None) -> Indices:
    """Choose the places to which those who do not take part have the shortest way on average, area by area."""
    centres, count = ground.homes.centres, len(ground.candidates)
    most = min(count, max(number, MOST_PAIRS // len(centres)))
    kept = np.linspace(0, count - 1, most).astype(np.intp)  # neighbours follow each other, so these are spread out
    far = measure_ways(centres, ground.candidates.iloc[kept], pace, streets, LONGEST)
    cost = np.minimum(far, LONGEST) / 60
    model = PMedian.from_cost_matrix(cost, not_engaged, p_facilities=number)
    model.solve(pulp.HiGHS(msg=False, gapRel=GAP), results=False)
    return kept[np.flatnonzero([one.value() > 0.5 for one in model.fac_vars])]


def choose_largest(ground: Ground, not_engaged: Floats, number: int) -> Indices:
    """Choose the middles of the areas with most people who do not take part, as one would from a list."""
    by_area = pd.Series(not_engaged, index=ground.homes.centres["lsoa21_code"])
    size = ground.candidates["place_id"].map(by_area).fillna(-1)  # a venue is no area
    return np.argsort(-size.to_numpy(), kind="stable")[:number]


def choose_all(
    ground: Ground, plan: str, not_engaged: Floats, number: int, pace: Pace, streets: Streets | None
) -> dict[str, Indices]:
    """Choose the places of a plan by each method; beside venues, all of them, and beside areas, the largest."""
    allowed = ground.choose_from(plan)
    count = min(number, len(allowed))
    if plan == words.NEAREST:
        return {words.EXACT: choose_shortest(ground, not_engaged, count, pace, streets)}
    near, weights = ground.is_near[:, allowed], ground.weigh(not_engaged, plan)
    found = {words.EXACT: choose_exact, words.GREEDY: choose_greedily}
    chosen = {name: allowed[choose(near, weights, count)] for name, choose in found.items()}
    beside = (
        {words.ALL_VENUES: allowed}
        if plan == words.AT_VENUES
        else {words.LARGEST: choose_largest(ground, not_engaged, count)}
    )
    return chosen | beside


def count_choices(ground: Ground, plan: str, tries: Floats, number: int) -> Floats:
    """Count in how many draws of those who do not take part (rows) each candidate is chosen, in per cent."""
    allowed = ground.choose_from(plan)
    near, count = ground.is_near[:, allowed], min(number, len(allowed))
    chosen = [allowed[choose_quickly(near, ground.weigh(one, plan), count)] for one in tries]
    counts: Floats = np.bincount(np.concatenate(chosen), minlength=len(ground.candidates)) * 100 / len(tries)
    return counts


def plan_events(
    ground: Ground, people: pd.DataFrame, number: int, drawn: Floats, pace: Pace, streets: Streets | None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Plan events in several ways, and try each plan on draws of engagement.

    Args:
        ground, people, pace, streets: of `lay_ground`.
        number: of places; fewer where there are fewer candidates.
        drawn: a row a draw, a column an area: engagement in per cent; see `draw_engagement`.

    Returns:
        The chosen places and the plans, as the datasets event_places and event_plans have them; without
        plans that would reach nobody.

    Raises:
        ParameterError: no place is asked for.
    """
    if number < 1:
        raise ParameterError(f"A plan of {number} events is none; expected is 1 or more.")
    now = people["not_engaged_adults"].to_numpy()
    tries = people["adults"].to_numpy() * (1 - drawn / 100)
    places, plans = [], []
    for plan in (words.AT_VENUES, words.ANYWHERE, words.BEYOND, words.NEAREST):
        if not (ground.weigh(now, plan) @ ground.is_near[:, ground.choose_from(plan)]).any():
            continue  # nobody is left to reach
        chosen = choose_all(ground, plan, now, number, pace, streets)
        spots = ground.candidates.iloc[chosen[words.EXACT]].assign(plan=plan, chosen_pct=np.nan)
        if plan != words.NEAREST:
            spots["chosen_pct"] = count_choices(ground, plan, tries, number)[chosen[words.EXACT]]
        near = ground.homes.spread @ ground.is_near[:, chosen[words.EXACT]].astype("float64")
        for name in ("not_engaged_adults", "people_16_to_24"):
            spots[name] = pd.array((people[name].to_numpy() @ near).round(), dtype="Int64")
        places.append(spots.drop(columns="is_venue"))
        for method, one in chosen.items():
            reached = ground.count_reached(one, now[None], plan)[0]
            low, high = np.quantile(ground.count_reached(one, tries, plan), RANGE)
            row = {"plan": plan, "method": method, "places": len(one), "reached_adults": round(reached)}
            ends = {"reached_low": round(low), "reached_high": round(high), "reached_pct": 100 * reached / now.sum()}
            way = measure_ways(ground.homes.centres, ground.candidates.iloc[one], pace, streets, LONGEST)
            plans.append(row | ends | {"walk_minutes": np.minimum(way, LONGEST).min(axis=1) @ now / now.sum() / 60})
    listed = pd.concat(places, ignore_index=True)
    where = gpd.GeoSeries.from_xy(listed.pop("longitude"), listed.pop("latitude"), crs=4326)
    return gpd.GeoDataFrame(listed, geometry=where, crs=4326), pd.DataFrame(plans)
