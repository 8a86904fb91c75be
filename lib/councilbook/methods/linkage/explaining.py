"""What a linkage rests on, in tables: its weights, its blocking, and one pair step by step. No name, no address."""

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from councilbook.errors import CheckError
from councilbook.methods.linkage.comparisons import list_levels, make_blocking
from councilbook.methods.linkage.sides import Sizes

if TYPE_CHECKING:
    from councilbook.methods.linkage.linking import Linkage


def explain_pair(linkage: "Linkage", property_reference: str, unique_id: str) -> pd.DataFrame:
    """The weight of one link, step by step: step, level, weight_bits and running total_bits. No name, no address.

    Raises `CheckError` where the pair was not compared or fell below the least weight that is kept.
    """
    levels = linkage.levels
    found = levels[(levels["property_reference"] == property_reference) & (levels["unique_id"] == unique_id)]
    if found.empty:
        raise CheckError("This pair is not among the links that were kept; explain_pair knows only those")
    row = found.iloc[0]
    steps = [("prior", "before anything is compared", tell_bits(linkage.prior))]
    for comparison, table in linkage.weights.groupby("comparison", sort=False):
        weight = float(row[f"mw_{comparison}"])
        level = table.loc[np.isclose(table["weight_bits"], weight, atol=1e-9), "level"]
        steps.append((str(comparison), "not known on one side" if level.empty else str(level.iloc[0]), weight))
        if (rarity := f"mw_tf_adj_{comparison}") in row and row[rarity]:
            steps.append((str(comparison), "how rare it is", float(row[rarity])))
    table = pd.DataFrame(steps, columns=["step", "level", "weight_bits"])
    return table.assign(total_bits=table["weight_bits"].cumsum())


def tabulate_model(model: dict[str, Any]) -> pd.DataFrame:
    """Tabulate a model: comparison, level, m, u and weight in bits (log2 of m/u), before rarity is taken in."""
    rows = []
    for comparison in model["comparisons"]:
        for level in list_levels(comparison):
            rare = level.get("tf_adjustment_column") is not None
            chances = level["m_probability"], level["u_probability"]
            rows.append(
                (comparison["output_column_name"], level["label_for_charts"], *chances, weigh_level(level), rare)
            )
    columns = ["comparison", "level", "m", "u", "weight_bits", "counts_rarity"]
    return pd.DataFrame(rows, columns=columns)


def count_blocked(con: duckdb.DuckDBPyConnection, blocked: str, seats: bool, sizes: Sizes) -> pd.DataFrame:
    """Count the pairs each blocking rule adds to those before it, beside all pairs there would be without."""
    counts = dict(con.execute(f"SELECT match_key, count(*) FROM {blocked} GROUP BY match_key").fetchall())
    table = pd.DataFrame({"rule": list(make_blocking(seats))})
    table["pairs_added"] = [int(counts.get(str(number), 0)) for number in range(len(table))]
    table["pairs_so_far"] = table["pairs_added"].cumsum()
    return table.assign(pairs_without_blocking=sizes.roll * sizes.register)


def tell_bits(probability: float) -> float:
    """Return the log2 of the odds of a probability."""
    return float(np.log2(probability / (1 - probability)))


def weigh_level(level: dict[str, Any]) -> float:
    """Return what a level of a comparison weighs, in bits."""
    return float(np.log2(level["m_probability"] / level["u_probability"]))
