"""Sliders over a budget, the price of energy and the measures: what they would do, area by area.

For an analyst at the screen and for workshops. The numbers are rough: costs and effects of a home are the defaults of
the systems model (`cold_homes.yaml`), brought to the council's need. Most are assumptions; their ranges are left out.
"""

from collections.abc import Sequence

import geopandas as gpd
import ipywidgets as widgets
import pandas as pd

from councilbook.errors import CheckError, suggest
from councilbook.fuel_poverty.scenarios.engine import load_model
from councilbook.fuel_poverty.scenarios.settings import Start, load_settings
from councilbook.methods.budget import choose_plan
from councilbook.pages import html
from councilbook.pages.maps import area_maps

MOST_SHOWN = 10


def list_measures() -> list[str]:
    """List the measures of the systems model."""
    return list(load_model().elements["lever"])


def plan_areas(
    areas: pd.DataFrame,
    start: Start,
    budget_gbp: float,
    price_change_pct: float = 0,
    measures: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Spend a budget on homes in bands D to G, area by area, to lift the most households out of fuel poverty.

    Fuel poverty moves with the price by the model's elasticity. The share of treated homes that are fuel poor is the
    model's, more where more are fuel poor: in proportion to the area's own share, and never more than the area has.
    Homes in bands D to G are taken to be as common in each area as in the whole council.

    Args:
        areas: a row an area: area_code, lad22_name, households, fuel_poor_households.
        start: from `futures.make_start`.
        budget_gbp: what may be spent.
        price_change_pct: by how much energy is dearer than in the year of the figures.
        measures: which of `list_measures` may be used; all if None.

    Returns:
        The areas with fuel_poor_at_price (households), homes_treated, cost_gbp, households_lifted (expected), and
        main_measure (the one most homes get; "none" where nothing is done).

    Raises:
        CheckError: a measure is not known, none is given, or the price falls by 100 % or more.
    """
    chosen = list_measures() if measures is None else list(measures)
    if unknown := sorted(set(chosen) - set(list_measures())):
        raise CheckError(f"There is no measure {unknown[0]}.{suggest(unknown[0], list_measures())}")
    if not chosen:
        raise CheckError(f"A plan needs at least one measure: {', '.join(list_measures())}.")
    if price_change_pct <= -100:
        raise CheckError(f"The price changes by {price_change_pct} %; expected more than -100 %.")
    value = {**load_settings().defaults, **start.localise({})}
    dearer = (1 + price_change_pct / 100) ** value["price_elasticity"]
    planned = areas.assign(
        fuel_poor_at_price=(areas["fuel_poor_households"] * dearer).clip(upper=areas["households"]),
        eligible_homes=(areas["households"] * start.inefficient_share).round(),
    )
    share = planned["fuel_poor_at_price"] / planned["households"]
    relative = share / (planned["fuel_poor_at_price"].sum() / planned["households"].sum())
    most = (planned["fuel_poor_at_price"] / planned["eligible_homes"]).clip(upper=1)
    options = pd.concat(
        [
            pd.DataFrame(
                {
                    "district": planned["lad22_name"],
                    "place": planned["area_code"],
                    "measure": measure,
                    "eligible_homes": planned["eligible_homes"],
                    "capacity_homes": planned["eligible_homes"],
                    "cost_gbp_per_home": value[f"unit_cost[{measure}]"],
                    "households_lifted_per_home": (value[f"fuel_poor_reach[{measure}]"] * relative).clip(upper=most)
                    * value[f"effective_share[{measure}]"],
                }
            )
            for measure in chosen
        ],
        ignore_index=True,
    )
    used = choose_plan(options, budget_gbp).table.sort_values("homes", ascending=False, kind="stable")
    by_area = used.groupby("place").agg(
        homes_treated=("homes", "sum"),
        cost_gbp=("cost_gbp", "sum"),
        households_lifted=("gained", "sum"),
        main_measure=("measure", "first"),
    )
    planned = planned.drop(columns="eligible_homes").join(by_area, on="area_code")
    return planned.fillna(
        {"homes_treated": 0, "cost_gbp": 0.0, "households_lifted": 0.0, "main_measure": "none"}
    ).astype({"homes_treated": "int64"})


def describe_plan(planned: pd.DataFrame, budget_gbp: float) -> str:
    """Say in a sentence what a plan does.

    Args:
        planned: from `plan_areas`.
        budget_gbp: what might have been spent.
    """
    homes, lifted, cost = (planned[name].sum() for name in ("homes_treated", "households_lifted", "cost_gbp"))
    places = int((planned["homes_treated"] > 0).sum())
    each = f", at £{cost / lifted:,.0f} for each" if lifted > 0 else ""
    return (
        f"£{cost:,.0f} of £{budget_gbp:,.0f} treats {homes:,} homes in {places:,} of {len(planned):,} areas, and lifts "
        f"an expected {lifted:,.0f} of {planned['fuel_poor_at_price'].sum():,.0f} households out of fuel poverty{each}."
    )


def show_explorer(areas: gpd.GeoDataFrame, start: Start, budget_gbp: int, most_gbp: int) -> widgets.Widget:
    """Show sliders for budget and price and a choice of measures, with the map and the plan that follow from them.

    Args:
        areas: as for `plan_areas`, with area_name and outlines.
        start: from `futures.make_start`.
        budget_gbp: where the budget's slider starts.
        most_gbp: where it ends.
    """
    wide = widgets.Layout(width="32rem", max_width="95%")
    wording = {"style": {"description_width": "10rem"}, "layout": wide, "continuous_update": False}
    step = max(most_gbp // 100, 1)
    budget = widgets.IntSlider(
        budget_gbp, min=0, max=most_gbp, step=step, description="Budget (£)", readout_format=",d", **wording
    )
    price = widgets.IntSlider(0, min=-50, max=100, step=5, description="Energy price (%)", **wording)
    measures = widgets.SelectMultiple(
        options=list_measures(), value=list_measures(), description="Measures", style=wording["style"], layout=wide
    )
    result = widgets.HTML(layout=widgets.Layout(max_width="100%"))

    def follow(_change: object = None) -> None:
        result.value = _show_plan(areas, start, budget.value, price.value, measures.value)

    for control in (budget, price, measures):
        control.observe(follow, names="value")
    follow()
    return widgets.VBox([budget, price, measures, result])


def _show_plan(
    areas: gpd.GeoDataFrame, start: Start, budget_gbp: int, price_change_pct: int, measures: Sequence[str]
) -> str:
    if not measures:
        return "Choose at least one measure."
    planned = gpd.GeoDataFrame(plan_areas(areas, start, budget_gbp, price_change_pct, measures), crs=areas.crs)
    words = describe_plan(planned, budget_gbp)
    still = html.fill("<img alt=\"{}\" src='{}' width='100%'>", words, _draw_plan(planned, words))
    return html.join([html.fill("<p>{}</p>", words), still, _list_districts(planned)]).text


def _draw_plan(planned: gpd.GeoDataFrame, words: str) -> html.Html:
    details = {
        "households_lifted": ("lifted out of fuel poverty", ".1f"),
        "homes_treated": ("homes treated", ",d"),
        "main_measure": ("measure", ""),
    }
    drawn = area_maps.draw_area_map(
        planned,
        "households_lifted",
        title="Households lifted out of fuel poverty by the plan",
        alt=words,
        name="area_name",
        details=details,
        unit=" households",
        region="lad22_name",
    )
    return drawn.picture


def _list_districts(planned: pd.DataFrame) -> html.Html:
    sums = planned.groupby("lad22_name", as_index=False)[["homes_treated", "cost_gbp", "households_lifted"]].sum()
    most = sums.sort_values("households_lifted", ascending=False).head(MOST_SHOWN)
    headers = {"lad22_name": "District", "cost_gbp": "cost (£)"}
    return html.table(
        most,
        "What the plan does by district",
        headers=headers,
        formats={"cost_gbp": ",.0f", "households_lifted": ",.0f"},
    )
