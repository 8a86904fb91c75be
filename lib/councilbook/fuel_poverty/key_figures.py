"""The figures that open the report, each with what it compares with and how sure it is."""

from collections.abc import Collection

import pandas as pd

from councilbook.fuel_poverty.households import targeting
from councilbook.fuel_poverty.households.household_prose import find_row, name_interval
from councilbook.pages.html import KeyFigure
from councilbook.pages.html.wording import write_about, write_millions


def show_share(totals: pd.DataFrame, breaks: Collection[float]) -> KeyFigure:
    """Show the share of households in fuel poverty, beside the year before where both are of one series.

    Args:
        totals: see `areas.official.sum_years`.
        breaks: see `prose.find_breaks`.
    """
    last = totals.iloc[-1]
    before = totals[(totals["year"] == last["year"] - 1) & (totals["measure"] == last["measure"])]
    counted = f"{last['fuel_poor_households']:,.0f} of {last['households']:,.0f} households"
    if len(before) and last["year"] - 0.5 not in breaks:
        counted += f"; {before['fuel_poor_pct'].iloc[0]:.1f}% the year before"
    meaning = f"in fuel poverty in {last['year']}"
    return KeyFigure(f"{last['fuel_poor_pct']:.1f}%", meaning, counted, "Official estimate, without an interval")


def show_risk(bands: pd.DataFrame) -> KeyFigure:
    """Show how many of the fuel poor live in postcodes of the highest band.

    Args:
        bands: see `postcodes.bands.sum_bands`.
    """
    top = bands.iloc[-1]
    homes = 100 * top["households"] / bands["households"].sum()
    return KeyFigure(
        f"{top['share_of_fuel_poor_pct']:.0f}%",
        f"of the fuel poor live in the {top['postcodes']:,} postcodes of highest risk",
        f"These have {homes:.0f}% of all homes",
        "Estimated: nobody has counted them by postcode",
    )


def show_reach(reached: pd.DataFrame, visits: int, order: str, homes: str) -> KeyFigure:
    """Show how many fuel-poor homes a list reaches, beside visits at random.

    Args:
        reached: the dataset home_visit_targeting.
        visits: how many there are.
        order: the list.
        homes: what is counted, as `synthetic households`.
    """
    best, random = (find_row(reached, name, visits) for name in (order, targeting.RANDOM))
    return KeyFigure(
        f"{best['reached']:,.0f}",
        f"fuel-poor {homes} reached by {visits:,} visits, by linked records",
        f"{random['reached']:,.0f} by visits at random",
        name_interval(best),
    )


def show_programme(outcomes: pd.DataFrame) -> KeyFigure | None:
    """Show the programme that avoids most fuel poverty, beside the next; None where none avoids any.

    Args:
        outcomes: the dataset fuel_poverty_scenario_outcomes.
    """
    avoided = outcomes[outcomes["quantity"] == "fuel_poor_years_avoided"].sort_values("median", ascending=False)
    if avoided.empty or avoided["median"].max() == 0:
        return None
    best, others = avoided.iloc[0], avoided.iloc[1:2]
    beside = [f"{write_about(row['median'])} by {row['scenario'].lower()}" for row in others.to_dict("records")]
    return KeyFigure(
        write_about(best["median"]),
        f"years of fuel poverty avoided by {write_millions(best['budget_gbp'])} on {best['scenario'].lower()}",
        beside[0] if beside else "No other programme was tried",
        f"90% interval {write_about(best['low'])} to {write_about(best['high'])}; modelled",
    )
