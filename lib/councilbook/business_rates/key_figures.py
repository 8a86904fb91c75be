"""The figures that open the report, each with what it compares with and how sure it is."""

from collections.abc import Collection

import pandas as pd

from councilbook.business_rates.prose import find_pounds
from councilbook.business_rates.roll import contents
from councilbook.pages.html import KeyFigure
from councilbook.pages.html.wording import write_pounds


def show_names(register: pd.DataFrame, told: Collection[str]) -> KeyFigure | None:
    """Show the share of properties whose ratepayer is named; None if the roll names nobody.

    Args:
        register: the dataset open_rates_register.
        told: see `roll.contents.find_told`.
    """
    if not contents.is_told("released_name", told) or register.empty:
        return None
    named = int(register["released_name"].notna().sum())
    return KeyFigure(
        f"{named / len(register):.0%}",
        "of properties have a named ratepayer",
        f"{named:,} of {len(register):,}; the others may be individuals",
        "Counted from the roll",
    )


def show_missing(total: pd.DataFrame) -> KeyFigure | None:
    """Show how many places to eat and drink there may be, beside the roll's; None if too few.

    Args:
        total: the dataset missing_estimate.
    """
    row = total.iloc[0]
    if row[["estimate", "low", "high", "on_roll"]].isna().any():
        return None
    return KeyFigure(
        f"{row['estimate']:,.0f}",
        "places to eat and drink may exist",
        f"The roll has {row['on_roll']:,.0f}",
        f"95% interval {row['low']:,.0f} to {row['high']:,.0f}",
    )


def show_bills(totals: pd.DataFrame, stakes: pd.DataFrame) -> KeyFigure | None:
    """Show what all properties owe by the rules, beside the charge before reliefs; None if hidden.

    Args:
        totals, stakes: the datasets bill_totals and bill_stakes.
    """
    pounds = find_pounds(totals)
    if pounds is None:
        return None
    unfit = int(stakes["bills"].sum())
    return KeyFigure(
        f"£{pounds['net'] / 1e6:,.1f} million",
        f"owed for {totals['year'].iloc[0]} by the rules",
        f"£{pounds['gross'] / 1e6:,.1f} million before reliefs",
        f"About {unfit:,} bills do not fit the rules" if unfit else "Worked out from the roll, without an interval",
    )


def show_cost(costs: pd.DataFrame, claim: pd.DataFrame) -> KeyFigure:
    """Show what requests cost in a year, beside the case study's figure.

    Args:
        costs, claim: the datasets foi_costs and foi_claim.
    """
    cost = costs.set_index("quantity").loc["cost_gbp"]
    return KeyFigure(
        write_pounds(cost["median"]),
        "a year is the cost of requests on business rates",
        f"The case study says £{claim['claim_gbp'].iloc[0]:,.0f}",
        f"90% interval {write_pounds(cost['low'])} to {write_pounds(cost['high'])}",
    )
