"""Which measures to pay for in which places, so that a budget gains the most.

The choice is a whole-number programme, solved by HiGHS (Huangfu and Hall 2018, Mathematical Programming Computation 10,
119-142) through scipy. Effects and costs a home are what `system.estimate_effects` or the council gives; the plan is no
better than they are, and takes them to be the same for every home of a row.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from councilbook.errors import CheckError

KEY = ["place", "measure"]
NUMBERS = ["eligible_homes", "capacity_homes", "cost_gbp_per_home"]
GAP = 1e-6  # of the best plan that could be: the solver may stop this near to it


@dataclass(frozen=True)
class Plan:
    """The best use of a budget.

    Attributes:
        table: the options that are used, with homes (whole), cost_gbp and gained (in units of the objective).
        cost_gbp, gained: the sums of these.
    """

    table: pd.DataFrame
    cost_gbp: float
    gained: float


def choose_plan(
    options: pd.DataFrame,
    budget_gbp: float,
    objective: str = "households_lifted_per_home",
) -> Plan:
    """Choose how many homes get which measure in which place, for the greatest gain within a budget.

    Args:
        options: a row a place and measure: district, place, measure, eligible_homes (of the place, the same in each of
            its rows; a home gets one measure), capacity_homes (what can be done of this measure in this place),
            cost_gbp_per_home, and the objective.
        objective: the column of what a home gains, such as households_lifted_per_home or admissions_avoided_per_home.

    Raises:
        CheckError: options are missing, doubled, negative or contradict each other.
    """
    _check_options(options, budget_gbp, objective)
    gains = options[objective].to_numpy(dtype="float64")
    costs = options["cost_gbp_per_home"].to_numpy(dtype="float64")
    places, first = np.unique(options["place"], return_index=True)
    in_place = csr_array(options["place"].to_numpy()[None, :] == places[:, None], dtype="float64")
    at_most = vstack([csr_array(costs[None, :]), in_place], format="csr")
    limits = np.r_[budget_gbp, options["eligible_homes"].to_numpy(dtype="float64")[first]]
    most = np.floor(options[["capacity_homes", "eligible_homes"]].min(axis=1).to_numpy(dtype="float64"))

    best = milp(
        -gains,
        integrality=np.ones(len(options)),
        bounds=Bounds(0, most),
        constraints=LinearConstraint(at_most, ub=limits),
        options={"mip_rel_gap": GAP},
    )
    if best.x is None:
        raise CheckError(f"The solver found no plan: {best.message}")
    homes = np.round(best.x)
    table = options.assign(homes=homes.astype("int64"), cost_gbp=homes * costs, gained=homes * gains)
    return Plan(
        table=table[homes > 0].reset_index(drop=True),
        cost_gbp=float(homes @ costs),
        gained=float(homes @ gains),
    )


def _check_options(options: pd.DataFrame, budget_gbp: float, objective: str) -> None:
    columns = ["district", *KEY, *NUMBERS, objective]
    if missing := [column for column in columns if column not in options]:
        raise CheckError(f"The options of a plan have no column {', '.join(missing)}; expected {', '.join(columns)}.")
    if options.empty:
        raise CheckError("A plan needs at least one option.")
    for column in [*NUMBERS, objective]:
        bad = ~(np.isfinite(options[column]) & (options[column] >= 0))
        if bad.any():
            row = options[bad].iloc[0]
            raise CheckError(
                f"{bad.sum()} options have no number of 0 or more in {column}, as {row['measure']} in {row['place']}: "
                "without it a plan has no end."
            )
    if not (np.isfinite(budget_gbp) and budget_gbp >= 0):
        raise CheckError(f"The budget is {budget_gbp}; expected pounds, 0 or more.")
    if (doubled := options.duplicated(KEY)).any():
        row = options[doubled].iloc[0]
        raise CheckError(f"{row['measure']} in {row['place']} is an option more than once.")
    for column in ("eligible_homes", "district"):
        differs = options[column] != options.groupby("place")[column].transform("first")
        if differs.any():
            place = options.loc[differs, "place"].iloc[0]
            raise CheckError(f"The options of {place} differ in {column}; it is the same for a place.")
