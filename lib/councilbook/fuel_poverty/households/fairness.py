"""Is it fair: whether the visits reach the fuel poor of one group less than those of another."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from councilbook.errors import CheckError
from councilbook.fuel_poverty.households.targeting import check_orders, find_visited
from councilbook.methods.sharing import share_out

FEWEST_NAMED = 100  # fuel-poor households; what is reached of a smaller group moves much by chance
RURAL_PCT = 50  # of the LSOAs of 2011 that an LSOA of 2021 came from
AGE_LIMITS = (35, 50, 66, 75)  # years; the oldest member
GROUPINGS = {
    "age_band": "oldest member",
    "tenure": "tenure",
    "lad22_code": "district",
    "rural_urban": "town or country",
}
AGE_BANDS = ("under 35", "35 to 49", "50 to 65", "66 to 74", "75 or over")


def make_groups(prepared: pd.DataFrame) -> pd.DataFrame:
    """Say of each household which groups it is in, for `measure_reach`.

    Args:
        prepared: oldest_age, tenure, lad22_code, and rural_pct from `households.add_open`.

    Returns:
        age_band, tenure, lad22_code, rural_urban. A household is rural if at least half of its LSOA is; where that is
        not known it is "not known".
    """
    ages = np.searchsorted(AGE_LIMITS, prepared["oldest_age"], side="right")
    rural = np.where(prepared["rural_pct"] >= RURAL_PCT, "rural", "urban")
    return pd.DataFrame(
        {
            "age_band": pd.Index(AGE_BANDS).take(ages),
            "tenure": prepared["tenure"].to_numpy(),
            "lad22_code": prepared["lad22_code"].to_numpy(),
            "rural_urban": np.where(prepared["rural_pct"].isna(), "not known", rural),
        },
        index=prepared.index,
    )


def measure_reach(orders: pd.DataFrame, prepared: pd.DataFrame, groups: pd.DataFrame, visits: int) -> pd.DataFrame:
    """Measure whether an order reaches the fuel poor of one group less than those of another.

    The table counts households of closed data: it is for those who may see these, until the gate has been over it.

    Args:
        orders: from `make_orders`.
        prepared: is_fuel_poor, or EXPECTED, on the same index.
        groups: from `make_groups`, or other labels on the same index.
        visits: the budget.

    Returns:
        A row an order, grouping and group: order, grouping, group, fuel_poor_households, reached (expected),
        reached_households (in whole numbers), reach_pct (of the group's fuel poor), ratio (to the reach among all of
        the council's; missing if none is reached). A group without fuel-poor households has no row. Expected households
        are whole numbers as well, that add up to one total for each grouping.

    Raises:
        CheckError: the indexes differ, no household is fuel poor, or the budget is out of range.
    """
    poor = check_orders(orders, prepared, [visits])
    if not groups.index.equals(orders.index):
        raise CheckError("The groups must have the index of the households.")
    tables = []
    for name in orders:
        found = pd.DataFrame({"all": poor, "reached": find_visited(orders[name], visits) * poor})[poor > 0]
        overall = found["reached"].sum() / found["all"].sum()
        for grouping in groups.columns:
            sums = found.groupby(groups[grouping][poor > 0]).sum()
            share = sums["reached"] / sums["all"]
            whole = _round_reached(sums)
            tables.append(
                pd.DataFrame(
                    {
                        "order": name,
                        "grouping": grouping,
                        "group": sums.index.astype("str"),
                        "fuel_poor_households": whole["all"].to_numpy(),
                        "reached": sums["reached"].to_numpy(),
                        "reached_households": whole["reached"].to_numpy(),
                        "reach_pct": (100 * share).to_numpy(),
                        "ratio": (share / overall).to_numpy() if overall else np.nan,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def keep_comparable(reach: pd.DataFrame) -> pd.DataFrame:
    """Keep groups with others beside them, if one has FEWEST_NAMED fuel-poor households; none can be compared else.

    Args:
        reach: from `measure_reach`.
    """
    reach = reach[reach.groupby(["order", "grouping"])["group"].transform("size") > 1]  # a council may be one district
    return reach if (reach["fuel_poor_households"] >= FEWEST_NAMED).any() else reach.iloc[:0]


def compare_reach(published: pd.DataFrame) -> pd.DataFrame:
    """Bring counts that have left through the gate into the form of `measure_reach`.

    Args:
        published: order, grouping, group, fuel_poor_households, reached_households, reached_pct; what is suppressed is
            missing.

    Returns:
        order, grouping, group, fuel_poor_households, reach_pct, ratio (to the reach among all shown of the grouping).
        A group of which a count is suppressed has no row.
    """
    shown = published.dropna(subset=["fuel_poor_households", "reached_households", "reached_pct"])
    sums = shown.groupby(["order", "grouping"])[["fuel_poor_households", "reached_households"]].transform("sum")
    overall = 100 * sums["reached_households"] / sums["fuel_poor_households"]
    ratio = (shown["reached_pct"] / overall.where(overall > 0)).astype("float64")
    table = shown.assign(reach_pct=shown["reached_pct"], ratio=ratio)
    return table[["order", "grouping", "group", "fuel_poor_households", "reach_pct", "ratio"]].reset_index(drop=True)


def spread_reach(reach: pd.DataFrame, orders: Sequence[str], names: Mapping[str, str]) -> pd.DataFrame:
    """Set the reach of some orders side by side, a row a group.

    Args:
        reach: from `compare_reach`.
        orders: those that are shown, in this order.
        names: of districts, by code.

    Returns:
        grouping and group in words, a column of percentages an order, and is_suppressed, where one of them was hidden.
    """
    rows = reach.replace({"group": dict(names), "grouping": GROUPINGS})
    table = rows.pivot_table(index=["grouping", "group"], columns="order", values="reach_pct")
    table = table.reindex(columns=list(orders)).dropna(how="all").reset_index().rename_axis(columns=None)
    table = table.sort_values(["grouping", "group"], key=lambda one: one.replace(AGE_BANDS[0], ""), ignore_index=True)
    hidden = table[list(orders)].isna().any(axis=1)
    return table.assign(group=table["group"].str.replace("_", " "), is_suppressed=hidden)


def _round_reached(sums: pd.DataFrame) -> pd.DataFrame:
    """Round what groups have and what of it is reached, so that those of each grouping add up to the same."""
    if (sums["all"] % 1 == 0).all():
        return sums.round().astype("int64")
    reached, rest = (share_out(round(part.sum()), part) for part in (sums["reached"], sums["all"] - sums["reached"]))
    return pd.DataFrame({"all": reached + rest, "reached": reached}, index=sums.index)
