"""How much a list of households gains over a list of places, by how homes of one area differ and what records lack.

No open source tells how much the homes of an area differ by what is known of them. So synthetic households are drawn
for several values of that one number (`population.draw_population`, homes_spread), and all of it is done on each: the
model, tested on parts left out, and the visits. It is done once more as if the records lacked certificates or Acorn
groups. It says nothing of real households but on what the answer depends.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from councilbook.fuel_poverty.areas.prediction import Folds
from councilbook.fuel_poverty.chances.routes import Learn
from councilbook.fuel_poverty.households.extract import add_open, prepare_households
from councilbook.fuel_poverty.households.targeting import (
    COMBINED_HOUSEHOLD,
    count_reached,
    find_visited,
    make_orders,
)
from councilbook.fuel_poverty.twin.population import Population

PARTS = 4  # of the areas, each left out in turn
COLUMNS = ["order", "reached_pct", "gain", "gain_low_95", "gain_high_95", "times_random", "visits"]
LACKING: Mapping[str, Mapping[str, int]] = {  # of which table which postcodes are taken away: every so-many-th
    "nothing": {},
    "certificates": {"epc": 1},
    "Acorn groups": {"acorn": 1},
    "both": {"epc": 1, "acorn": 1},
    "both in half of the postcodes": {"epc": 2, "acorn": 2},
}
SPREADS = (0.0, 0.5, 1.0, 1.5)  # multiples of the invented effects; 0: who is fuel poor is pure chance within an area


def try_spreads(
    draw: Callable[[float], Population],
    postcodes: pd.DataFrame,
    output_areas: pd.DataFrame,
    open_estimates: pd.Series,
    visits_pct: float,
    seed: int,
    learn: Learn,
    spreads: Sequence[float] = SPREADS,
) -> pd.DataFrame:
    """Draw households for each assumption, and count whom the visits reach.

    Args:
        draw: a population for a homes_spread, of the areas of `output_areas`, or of some of them.
        postcodes: the current directory.
        output_areas: from `risk.prepare_output_areas`, with deprivation_pct.
        open_estimates: estimated share by postcode, from open data.
        visits_pct: home visits, in percent of the households.
        seed: of samples, trees and intervals.
        learn: how the chances are learnt, as `routes.Modelled.learn`.
        spreads: the assumptions.

    Returns:
        A row a value and order, and at the last value of 1 or less for each of LACKING: homes_spread, lacks, order,
        reached_pct, gain, gain_low_95, gain_high_95, times_random and visits as in `targeting.count_reached`; the
        households that were drawn; and expected_pct: the share of the fuel poor that the chances expect to reach, of
        COMBINED_HOUSEHOLD alone.
    """
    ranks = rank_deprivation(output_areas)
    usual = max(spread for spread in spreads if spread <= 1)
    trials = [(spread, lacks) for spread in spreads for lacks in (LACKING if spread == usual else ["nothing"])]
    draw, tables = lru_cache(1)(draw), []
    for spread, lacks in trials:
        drawn = draw(spread)
        kept = {name: take_away(getattr(drawn, name), LACKING[lacks].get(name)) for name in ("acorn", "epc")}
        prepared = add_open(
            prepare_households(drawn.households, drawn.people, postcodes=postcodes, **kept), output_areas
        )
        parts = pd.Series(pd.factorize(prepared["lsoa21_code"], sort=True)[0] % PARTS, prepared.index)
        folds = Folds(parts, "each quarter of the areas in turn")
        rates = 100 * prepared.groupby("lsoa21_code")["is_fuel_poor"].mean()
        chance = learn(prepared, folds, rates, seed)
        orders = make_orders(prepared, chance, rates, ranks, open_estimates)
        visits = round(visits_pct / 100 * len(prepared))  # the same for each, as all are drawn from the same counts
        table = count_reached(orders, prepared, [visits], seed)[COLUMNS]
        table.insert(0, "homes_spread", float(spread))
        table.insert(1, "lacks", lacks)
        expected = 100 * float((find_visited(chance, visits) * chance).sum()) / int(prepared["is_fuel_poor"].sum())
        table["households"], table["expected_pct"] = len(prepared), np.nan
        table.loc[table["order"] == COMBINED_HOUSEHOLD, "expected_pct"] = expected
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def take_away(table: pd.DataFrame, every: int | None) -> pd.DataFrame | None:
    """Take every so-many-th postcode out of a table: none of them, or all, which leaves no table."""
    if every is None:
        return table
    return None if every == 1 else table[pd.factorize(table["postcode"], sort=True)[0] % every > 0]


def rank_deprivation(output_areas: pd.DataFrame) -> pd.Series:
    """Rank LSOAs by the Index of Multiple Deprivation, 1 the most deprived.

    Args:
        output_areas: lsoa21_code and deprivation_pct.

    Returns:
        The rank by lsoa21_code; areas as deprived share one.
    """
    known = output_areas.drop_duplicates("lsoa21_code").set_index("lsoa21_code")["deprivation_pct"]
    return known.rank(ascending=False, method="min")
