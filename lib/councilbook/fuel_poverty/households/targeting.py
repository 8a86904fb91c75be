"""Does it pay: how many fuel-poor households a budget of home visits reaches, by who is visited first.

An order is a score for every household, the highest visited first. Households of one score are visited at random, and
what is reached is the expectation over that, so ties are broken without a seed: of a group that the budget ends in, its
fuel-poor households are reached in proportion. On a twin all of this is about synthetic households; how much an order
by household gains over one by place is then an assumption of the twin, which `spread.try_spreads` lays open.

Source:
    Cameron, A. C. and Miller, D. L. (2015), A practitioner's guide to cluster-robust inference, Journal of Human
    Resources 50(2):317-372, on drawing whole clusters in a bootstrap.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from councilbook.errors import CheckError
from councilbook.fuel_poverty.postcodes.risk import benchmark_rates

Numbers = npt.NDArray[np.float64]

RANDOM = "Random"
LSOA_RATE = "Areas by official rate"
IMD = "Areas by deprivation"
OPEN_POSTCODE = "Postcodes by open data"
COMBINED_POSTCODE = "Postcodes by linked records"
COMBINED_LSOA = "Postcodes by linked records and official rates"
COMBINED_HOUSEHOLD = "Households by linked records"
PERFECT = "Perfect knowledge"
COMPARED = (COMBINED_HOUSEHOLD, COMBINED_LSOA, OPEN_POSTCODE, LSOA_RATE, RANDOM)
EXPECTED = "expected_fuel_poor"  # of a household that nobody knows to be fuel poor or not: its chance
DRAWS = 200
FEWEST_HOMES = 10  # below, a postcode's mean would tell of its households; as the disclosure threshold


def make_orders(
    prepared: pd.DataFrame,
    chance: pd.Series,
    lsoa_rates: pd.Series,
    imd_ranks: pd.Series,
    open_estimates: pd.Series,
) -> pd.DataFrame:
    """Score every household by eight orders.

    The LSOA rate, the open postcode estimate and COMBINED_LSOA know the official figure of each LSOA; the other
    combined orders do not. On a twin that adds up to these figures they are exact, as they never are of real
    households, and the orders that know them do better than they would.

    Args:
        prepared: household rows with postcode, oa21_code, lsoa21_code, lad22_code; and is_fuel_poor if it is known.
            Where no postcode is known, there is no order of postcodes.
        chance: out-of-fold probability of each, on the index of `prepared`.
        lsoa_rates: official share in fuel poverty by lsoa21_code, in percent; of 2011 figures, the common area's.
        imd_ranks: IMD rank by lsoa21_code, 1 the most deprived.
        open_estimates: estimated share by postcode, from open data (`risk.estimate_postcodes`).

    Returns:
        A column an order, the highest visited first; PERFECT only where it is known who is fuel poor. A household
        without an open figure is visited last.

    Raises:
        CheckError: the indexes differ, or an open figure has no household at all.
    """
    orders = pd.DataFrame({RANDOM: 0.0}, index=prepared.index)
    figures = {
        LSOA_RATE: prepared["lsoa21_code"].map(lsoa_rates),
        IMD: -prepared["lsoa21_code"].map(imd_ranks),
    }
    has_postcodes = prepared["postcode"].notna().any()
    if has_postcodes:
        figures[OPEN_POSTCODE] = prepared["postcode"].map(open_estimates)
    for name, figure in figures.items():
        if figure.isna().all():
            raise CheckError(f"{name}: no household has a figure; expected codes as in the households.")
        orders[name] = figure.astype("float64").fillna(-np.inf)
    combined = ((COMBINED_POSTCODE, chance), (COMBINED_LSOA, shift_chances(prepared, chance, lsoa_rates)))
    for name, known in combined if has_postcodes else ():
        means = average_postcodes(prepared, known).set_index("postcode")["chance"]
        orders[name] = prepared["postcode"].map(means)
    orders[COMBINED_HOUSEHOLD] = chance
    if "is_fuel_poor" in prepared:
        orders[PERFECT] = prepared["is_fuel_poor"].astype("float64")
    return orders


def list_compared(reached: pd.DataFrame) -> list[str]:
    """List the orders that a page compares, as far as a table of `count_reached` has them; the best known first."""
    return [one for one in COMPARED if one in set(reached["order"])]


def count_poor(prepared: pd.DataFrame) -> Numbers:
    """Return 1 for each household that is fuel poor and 0 for the others; or EXPECTED, where nobody knows."""
    known = prepared["is_fuel_poor"] if "is_fuel_poor" in prepared else prepared[EXPECTED]
    return np.asarray(known.to_numpy(dtype="float64"))


def keep_large(reached: pd.DataFrame) -> pd.DataFrame:
    """Keep the budgets at which every figure is about enough households to be shown, and say about how many.

    Args:
        reached: from `count_reached`.

    Returns:
        The same columns and group_size: the fuel-poor households reached; or, where nobody knows who is fuel poor, so
        that a figure is about chances, the households visited.

    Raises:
        CheckError: no budget is large enough.
    """
    is_known = (reached["order"] == PERFECT).any()
    sized = reached.assign(group_size=(reached["reached"].round() if is_known else reached["visits"]).astype("int64"))
    shown = sized[sized.groupby("visits")["group_size"].transform("min") >= FEWEST_HOMES]
    if shown.empty:
        raise CheckError(
            f"No number of visits reaches {FEWEST_HOMES} fuel-poor households by every order, so none can be shown. "
            "Join the council with its neighbours: give their codes joined by +."
        )
    return shown.reset_index(drop=True)


def shift_chances(prepared: pd.DataFrame, chance: pd.Series, lsoa_rates: pd.Series) -> pd.Series:
    """Shift the chances of each LSOA in log odds by one number, so that their mean is the official rate.

    This joins what the model tells of the homes within an LSOA with what is published of the whole.

    Args:
        prepared: lsoa21_code.
        chance: a probability above 0 and below 1 each, on the same index.
        lsoa_rates: percent by lsoa21_code; an LSOA without one keeps its chances.

    Raises:
        CheckError: the indexes differ.
    """
    _check_chance(prepared, chance)
    rate = prepared["lsoa21_code"].map(lsoa_rates).to_numpy(dtype="float64")
    areas = pd.factorize(prepared["lsoa21_code"])[0]
    order = np.argsort(areas, kind="stable")
    order = order[~np.isnan(rate[order])]
    members = pd.factorize(areas[order])[0]
    poor = np.bincount(members, weights=rate[order] / 100).astype("float64")
    odds = logit(chance.to_numpy(dtype="float64")[order])
    shifted = chance.astype("float64").copy()
    shifted.iloc[order] = benchmark_rates(odds[None, :], np.ones(len(order)), members, poor)[0]
    return shifted


def average_postcodes(prepared: pd.DataFrame, chance: pd.Series) -> pd.DataFrame:
    """Average the chances of each postcode's households, as partners may know them.

    A postcode of fewer than FEWEST_HOMES households has the mean of its output area, and if that has fewer as well, of
    its LSOA.

    Args:
        prepared: postcode, oa21_code, lsoa21_code and lad22_code of each household.
        chance: its probability, on the same index.

    Returns:
        A row a postcode, sorted: postcode, oa21_code, lsoa21_code, lad22_code, households, chance (the mean), mean_of
        (what it is of: postcode, output area or LSOA).

    Raises:
        CheckError: the indexes differ.
    """
    _check_chance(prepared, chance)
    homes = prepared[["postcode", "oa21_code", "lsoa21_code", "lad22_code"]].assign(chance=chance)
    places = homes.groupby("postcode").agg(
        oa21_code=("oa21_code", "first"),
        lsoa21_code=("lsoa21_code", "first"),
        lad22_code=("lad22_code", "first"),
        households=("chance", "size"),
    )
    places[["chance", "mean_of"]] = np.nan, ""
    for column, name in (("lsoa21_code", "LSOA"), ("oa21_code", "output area"), ("postcode", "postcode")):
        known = homes.groupby(column)["chance"].agg(["mean", "size"])
        known = known.reindex(places.index if column == "postcode" else places[column]).set_axis(places.index)
        is_enough = (known["size"] >= FEWEST_HOMES) | (column == "lsoa21_code")
        places["chance"] = known["mean"].where(is_enough, places["chance"])
        places["mean_of"] = places["mean_of"].mask(is_enough, name)
    return places.reset_index()


def count_reached(
    orders: pd.DataFrame, prepared: pd.DataFrame, budgets: Sequence[int], seed: int, draws: int = DRAWS
) -> pd.DataFrame:
    """Count the fuel-poor households that each order reaches with each budget of visits.

    The intervals are of a bootstrap that draws whole LSOAs: as many as there are, with replacement. A budget is the
    same share of the households in each draw, and what is reached is brought back to the council's size. The orders
    stay as they are, so the intervals are of where the households are, not of the models.

    Args:
        orders: from `make_orders`; one is RANDOM.
        prepared: lsoa21_code, and is_fuel_poor or EXPECTED, on the same index. Of EXPECTED what is reached is what the
            chances expect. No official figure tells how sure these are within an area, so the lower ends are of what
            would be reached if all homes of an area had the same chance.
        budgets: numbers of visits, each from 0 to the number of households.
        seed: of the draws.
        draws: how many.

    Returns:
        A row an order and budget: order, visits, reached (expected), low_95, high_95, reached_pct (of all fuel poor),
        gain (reached less what RANDOM reaches), gain_low_95, gain_high_95 (of the differences within a draw), ahead
        with its ends (the same against LSOA_RATE; missing where that is not among the orders),
        times_random (missing where random reaches none).

    Raises:
        CheckError: the indexes differ, no household is fuel poor, RANDOM is not among the orders, or a budget is out of
            range.
    """
    poor = check_orders(orders, prepared, budgets)
    if RANDOM not in orders:
        raise CheckError(f"The order {RANDOM} is not there, so there is nothing to gain over.")
    areas, names = pd.factorize(prepared["lsoa21_code"], sort=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = np.r_[np.ones((1, len(names))), drawn]  # the first is the council as it is
    visits = np.asarray(budgets, dtype="float64")
    counted = [poor]  # and first, where nobody knows who is fuel poor, as if all homes of an area were alike
    if "is_fuel_poor" not in prepared:
        counted.insert(0, (np.bincount(areas, poor) / np.bincount(areas))[areas])

    def reach(name: str) -> Numbers:
        scores = orders[name].to_numpy()
        return np.stack([_reach_by_draw(scores, areas, one, weights, visits) for one in counted])

    by_chance = reach(RANDOM)
    by_areas = reach(LSOA_RATE) if LSOA_RATE in orders else np.full_like(by_chance, np.nan)
    tables = [_tabulate(str(name), reach(str(name)), by_chance, by_areas, visits, poor.sum()) for name in orders]
    return pd.concat(tables, ignore_index=True)


def find_visited(scores: pd.Series, visits: int) -> pd.Series:
    """Return the chance of each household to be visited: 1 or 0, but for those of the score that the budget ends in."""
    place = scores.rank(method="min", ascending=False) - 1  # households of a higher score
    ties = scores.groupby(scores).transform("size")
    return ((visits - place) / ties).clip(0, 1)


def find_budget(reached: pd.DataFrame, visits_pct: float) -> int:
    """Return the number of visits in a table of `count_reached`, with visits_pct, that is nearest to a share."""
    nearest = (reached["visits_pct"] - visits_pct).abs().to_numpy().argmin()
    return int(reached["visits"].iloc[nearest])


def _check_chance(prepared: pd.DataFrame, chance: pd.Series) -> None:
    if not chance.index.equals(prepared.index):
        raise CheckError("The chances must have the index of the households.")


def check_orders(orders: pd.DataFrame, prepared: pd.DataFrame, budgets: Sequence[int]) -> Numbers:
    """Return `count_poor`, if orders, households and budgets fit together."""
    if not orders.index.equals(prepared.index):
        raise CheckError("The orders must have the index of the households.")
    if missing := [str(name) for name in orders if orders[name].isna().any()]:
        raise CheckError(f"The order {missing[0]} has no score for some households.")
    if any(not 0 <= budget <= len(orders) for budget in budgets):
        raise CheckError(f"A budget must be from 0 to {len(orders):,} visits, one a household.")
    poor = count_poor(prepared)
    if not poor.any():
        raise CheckError("No household is fuel poor, so there is nobody to reach.")
    return poor


def _reach_by_draw(
    scores: Numbers,
    areas: npt.NDArray[np.intp],
    poor: Numbers,
    weights: Numbers,
    visits: Numbers,
) -> Numbers:
    """Return what is reached: a row a draw, a column a budget.

    Households of one score in one area are one cell, which leaves few of them unless the order is by household.
    """
    groups, cell_areas, sizes, cell_poor = _sum_cells(scores, areas, poor)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    reached = np.empty((len(weights), len(visits)))
    for draw, weight in enumerate(weights):
        of_cell = weight[cell_areas]
        homes = np.r_[0.0, np.add.reduceat(of_cell * sizes, starts).cumsum()]
        found = np.r_[0.0, np.add.reduceat(of_cell * cell_poor, starts).cumsum()]
        scale = homes[-1] / len(scores)
        # between the ends of two groups of equal scores, the expectation is a straight line
        reached[draw] = np.interp(visits * scale, homes, found) / scale
    return reached


def _sum_cells(
    scores: Numbers, areas: npt.NDArray[np.intp], poor: Numbers
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Numbers, Numbers]:
    """Return group, area, households and fuel poor of each cell; groups of equal scores, highest first."""
    _, group = np.unique(-scores, return_inverse=True)
    count = int(areas.max()) + 1
    cells, cell = np.unique(group * count + areas, return_inverse=True)
    sizes = np.bincount(cell).astype("float64")
    return cells // count, cells % count, sizes, np.bincount(cell, weights=poor).astype("float64")


def _find_interval(name: str, draws: Numbers) -> dict[str, Numbers]:
    """Return a figure and the ends of its interval: the low end of what was counted first, the others of the last."""
    low, high = np.quantile(draws[0, 1:], 0.025, axis=0), np.quantile(draws[-1, 1:], 0.975, axis=0)
    return {name: draws[-1, 0], f"{name}_low_95": low, f"{name}_high_95": high}


def _tabulate(
    name: str, reached: Numbers, by_chance: Numbers, by_areas: Numbers, visits: Numbers, poor: float
) -> pd.DataFrame:
    own, random = _find_interval("reached", reached), by_chance[-1, 0]
    return pd.DataFrame(
        {
            "order": name,
            "visits": visits.astype("int64"),
            "reached": own["reached"],
            "low_95": own["reached_low_95"],
            "high_95": own["reached_high_95"],
            "reached_pct": 100 * own["reached"] / poor,
            **_find_interval("gain", reached - by_chance),  # within a draw both orders have the same areas
            "times_random": own["reached"] / np.where(random > 0, random, np.nan),
            **_find_interval("ahead", reached - by_areas),
        }
    )
